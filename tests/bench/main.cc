// valija-bench: what sealing, accepting, opening and auditing cost, with the real programs over real TLS and a real store,
// beside the floor measured in the same run. Read the ratios: machines differ, and this one may be shared.
//
//   valija-bench [--build DIR] [--seconds N] [--body-mib N] [--witnessed] [--json FILE]
//
// --witnessed: openings alone, in a world whose charter asks for a witness of each country, from the request to the content,
// beside a bare sync and a bare HTTP round trip to a witness.
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "audit/verify.h"
#include "audit/witness/protocol.h"
#include "client/session.h"
#include "client/valija.h"
#include "client/verifier.h"
#include "core/base/text.h"
#include "core/crypto/dsse.h"
#include "core/crypto/keyfile.h"
#include "core/crypto/tls13.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "tests/bench/cpu.h"
#include "tests/bench/floor.h"
#include "tests/bench/latency.h"
#include "tests/bench/sealing.h"
#include "tests/bench/steps.h"

namespace {

using namespace valija;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRecord = 1024;
constexpr char kPolicy[] =
    "marking TLP:GREEN\nreleasable-to agency mx.uif, agency us.cbp, agency us.dea\npurpose analysis\ncase optional\n"
    "expires 2036-01-01\n";

double Since(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

struct Row {
  std::string what;
  int clients = 1, batch = 1;
  double count = 0, seconds = 0, client_cpu = 0, broker_cpu = 0;  // cpu: seconds in all
  std::vector<double> latencies;                                  // seconds, per call
  std::string beside;                                             // the floor it is held against
  double ratio = 0;
};

class Bench {
 public:
  Bench(fs::path build, double seconds, std::uint64_t body_mib)
      : build_(std::move(build)), seconds_(seconds), body_mib_(body_mib) {}
  ~Bench() {
    if (broker_ > 0) ::kill(broker_, SIGTERM);
    for (const auto& [pid, port] : witnesses_) ::kill(pid, SIGTERM);
    std::error_code ignored;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    fs::remove_all(folder_, ignored);
  }

  void RunWitnessed() {
    MakeWorld(true);
    const auto syncs = bench::BareSyncs(folder_, 4096, seconds_);
    const auto trips = bench::BareRoundTrips(witnesses_.at(0).second,
                                             "/" + witness::OriginHash("pouch.example/2026") + "/checkpoint", seconds_);
    rows_.push_back(Bare("bare sync of 4 KiB", syncs));
    rows_.push_back(Bare("bare HTTP round trip", trips));
    const double floor = Percentile(syncs, 0.5) + Percentile(trips, 0.5);
    // What else the way cannot do without, measured alone: each waits for the one before it.
    rows_.push_back(Bare("two witnesses' syncs, at once", bench::SyncsInPlace(folder_, 4096, 2, seconds_)));
    auto peer = MakePeer("opener-0");
    rows_.push_back(Bare("call to the broker that does nothing",
                         bench::Times(seconds_, [&] { (void)peer.transport->Tile("tile/0/000").has_value(); })));
    auto crypto = bench::MeasureCrypto(seconds_ / 2);
    rows_.push_back(Bare("cryptography: client", std::move(crypto.client)));
    rows_.push_back(Bare("cryptography: broker", std::move(crypto.broker)));
    rows_.push_back(Bare("cryptography: witness", std::move(crypto.witness)));
    double steps = 0;
    for (const auto& row : rows_) steps += Percentile(row.latencies, 0.5);
    rows_.push_back(Bare("these steps together", {steps}));
    rows_.back().beside = "sync + round trip (p50)";
    rows_.back().ratio = steps / floor;
    peer = {};
    for (const auto& [clients, batch] : {std::pair(1, 1), std::pair(16, 1), std::pair(1, 64), std::pair(16, 64)}) {
      OpenAll(clients, batch);
      rows_.back().what = "open, two witnesses";
      rows_.back().beside = "sync + round trip (p50)";
      rows_.back().ratio = Percentile(rows_.back().latencies, 0.5) / floor;
    }
  }
  void Run() {
    MakeWorld(false);
    floor_ = bench::PrimitiveMicros(1);
    Seal();
    for (int batch : {1, 64})
      for (int clients : {1, 16}) Accept(clients, batch);
    for (int batch : {1, 64})
      for (int clients : {1, 16}) OpenAll(clients, batch);
    for (int batch : {1, 64})
      for (int clients : {1, 16}) EndToEnd(clients, batch);
    Body();
    Audit();
  }
  void Print() const;
  nlohmann::ordered_json Json() const;

 private:
  struct Peer {
    std::unique_ptr<client::Profile> profile;
    std::optional<client::Keyring> keys;
    std::unique_ptr<client::Transport> transport;
    std::unique_ptr<client::Verifier> verifier;
  };

  static double Percentile(std::vector<double> values, double p) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(p * static_cast<double>(values.size())))];
  }
  static Row Bare(std::string what, std::vector<double> seconds) {
    Row row;
    row.what = std::move(what);
    row.count = static_cast<double>(seconds.size());
    for (const double one : seconds) row.seconds += one;
    row.latencies = std::move(seconds);
    return row;
  }

  void MakeWorld(bool witnessed) {
    char pattern[] = "/tmp/valija-bench.XXXXXX";
    folder_ = ::mkdtemp(pattern);
    std::cerr << "making a world in " << folder_ << "\n";
    const auto command = std::string(witnessed ? "WORLD_WITNESSES=1 " : "") + std::string(VALIJA_SOURCE_DIR) +
                         "/tests/bench/world.sh " + (folder_ / "w").string() + " " + build_.string() + " 16";
    FILE* pipe = ::popen(command.c_str(), "r");
    char digest[128] = {};
    const bool read = pipe != nullptr && std::fscanf(pipe, "%d %d %127s", &broker_, &port_, digest) == 3;
    for (int pid = 0, port = 0; read && std::fscanf(pipe, "%d %d", &pid, &port) == 2;)
      witnesses_.emplace_back(pid, port);
    if (pipe != nullptr) ::pclose(pipe);
    if (!read) throw std::runtime_error("the world could not be made");
    charter_ = *Digest::FromHexText(digest);
    crypto::RequireTls13().value();
  }

  fs::path ProfileOf(const std::string& name) const { return folder_ / "w" / "profiles" / name; }
  SessionOptions OptionsOf(const std::string& name) const { return {ProfileOf(name), folder_ / "w" / "passphrase"}; }

  Peer MakePeer(const std::string& name) {
    Peer peer;
    peer.profile = std::make_unique<client::Profile>(client::Profile::Open(ProfileOf(name)).value());
    auto passphrase = io::ReadPassphraseFile(folder_ / "w" / "passphrase").value();
    peer.keys = peer.profile->Unlock(passphrase).value();
    client::Endpoint endpoint;
    endpoint.address = peer.profile->broker();
    endpoint.server_ca_pem =
        crypto::Certificate::FromDer(peer.profile->charter_terms().carrier_ca_certificate).value().ToPem();
    endpoint.certificate_pem = peer.profile->CertificatePem().value();
    endpoint.key_pem = crypto::PlainEcPem(peer.keys->authentication.Scalar());
    peer.transport = client::Transport::Connect(std::move(endpoint)).value();
    peer.verifier = std::make_unique<client::Verifier>(*peer.profile);
    peer.verifier->Refresh(*peer.transport).value();
    return peer;
  }

  // For three agencies, `third` one of them: what is only to be accepted is not sent to the agency that opens.
  bench::Sealer SealerOf(const Peer& peer, const std::string& third) const {
    std::vector<AgencyId> to;
    for (const auto& id : {std::string("mx.uif"), std::string("us.cbp"), third}) to.push_back(*AgencyId::Parse(id));
    std::sort(to.begin(), to.end());
    auto policy = *policy::ParseText(kPolicy).policy;
    policy.releasable_to.agencies = to;
    return {peer.verifier->directory(), *peer.keys, peer.profile->member(), std::move(policy), to};
  }

  // Measures `work`, which returns how many records it did, with both processes' CPU time.
  template <class F>
  Row Measure(std::string what, int clients, int batch, F work) {
    Row row;
    row.what = std::move(what);
    row.clients = clients;
    row.batch = batch;
    const double own = bench::OwnCpuSeconds(), other = bench::CpuSecondsOf(broker_);
    const auto began = SteadyClock::now();
    row.count = static_cast<double>(work(row));
    row.seconds = Since(began);
    row.client_cpu = bench::OwnCpuSeconds() - own;
    row.broker_cpu = bench::CpuSecondsOf(broker_) - other;
    std::cerr << "  " << row.what << ", " << clients << " clients, " << batch
              << " a batch: " << static_cast<long>(row.count / row.seconds) << "/s\n";
    return row;
  }

  // Runs `call(client)` on `clients` threads for the time given; it returns how many records one call did.
  template <class F>
  std::uint64_t Loop(Row& row, int clients, F call) {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(clients));
    std::vector<std::vector<double>> latencies(static_cast<std::size_t>(clients));
    std::vector<std::string> faults(static_cast<std::size_t>(clients));
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i)
      threads.emplace_back([&, i] {
        const auto at = static_cast<std::size_t>(i);
        const auto began = SteadyClock::now();
        try {
          while (Since(began) < seconds_) {
            const auto start = SteadyClock::now();
            const auto done = call(i);
            if (done == 0) break;
            counts[at] += done;
            latencies[at].push_back(Since(start));
          }
        } catch (const std::exception& error) {
          faults[at] = error.what();
        }
      });
    for (auto& thread : threads) thread.join();
    for (const auto& fault : faults)
      if (!fault.empty()) throw std::runtime_error(fault);
    std::uint64_t total = 0;
    for (auto count : counts) total += count;
    for (auto& list : latencies) row.latencies.insert(row.latencies.end(), list.begin(), list.end());
    return total;
  }

  void Seal() {
    auto peer = MakePeer("sender-0");
    auto sealer = SealerOf(peer, "us.dea");
    for (int batch : {1, 64}) {
      auto row = Measure("seal", 1, batch, [&](Row& r) {
        return Loop(r, 1, [&](int) { return sealer.Seal(static_cast<std::size_t>(batch), kRecord, batch > 1).size(); });
      });
      // On its own: a signature, and a key pair and an agreement for each of 3 agencies and the authority.
      const double primitives = batch == 1 ? floor_["sign"] + 8 * floor_["ecdh"] + 2 * floor_["gcm-1k"]
                                           : (floor_["sign"] + 8 * floor_["ecdh"]) / batch + 2 * floor_["gcm-1k"];
      if (primitives > 0) row.beside = "primitives", row.ratio = row.client_cpu / row.count * 1e6 / primitives;
      rows_.push_back(std::move(row));
    }
  }

  void Accept(int clients, int batch) {
    std::vector<Peer> peers;
    std::vector<std::vector<std::vector<client::Submission>>> ready(static_cast<std::size_t>(clients));
    for (int i = 0; i < clients; ++i) peers.push_back(MakePeer("sender-" + std::to_string(i)));
    // Sealed beforehand, as much as one run can take; only handing over and the answer are timed.
    const std::size_t posts =
        static_cast<std::size_t>(batch == 1 ? 4000 * seconds_ : 300 * seconds_) / static_cast<std::size_t>(clients) + 1;
    auto sealer = SealerOf(peers[0], "mx.fgr");
    for (auto& list : ready)
      for (std::size_t k = 0; k < posts; ++k)
        list.push_back(sealer.Seal(static_cast<std::size_t>(batch), kRecord, true));
    std::vector<std::size_t> next(static_cast<std::size_t>(clients), 0);
    auto row = Measure("accept", clients, batch, [&](Row& r) {
      return Loop(r, clients, [&](int i) -> std::size_t {
        const auto at = static_cast<std::size_t>(i);
        if (next[at] == ready[at].size()) return 0;
        auto answer = peers[at].transport->Post(ready[at][next[at]++], 0).value();
        for (const auto& outcome : answer.outcomes) (void)outcome.value();
        return answer.outcomes.size();
      });
    });
    // An entry of ours is about 2 KiB with its statement, slips and policy, and the body another 1.4.
    const auto floor = bench::BareStore(folder_ / ("floor-" + std::to_string(rows_.size())), 3500,
                                        static_cast<std::size_t>(clients) * static_cast<std::size_t>(batch), 1);
    row.beside = "bare store";
    row.ratio = row.count / row.seconds / floor.per_second;
    rows_.push_back(std::move(row));
  }

  // `count` records in the openers' mailboxes that no opener has opened yet.
  std::vector<std::string> SendMany(std::size_t count) {
    auto peer = MakePeer("sender-0");
    auto sealer = SealerOf(peer, "us.dea");
    std::vector<std::string> ids;
    while (ids.size() < count) {
      auto submissions = sealer.Seal(64, kRecord, true);
      peer.transport->Post(submissions, 0).value();
      for (const auto& one : submissions)
        ids.push_back(crypto::DigestOf(one.envelope.payload_type, one.envelope.payload).Hex());
    }
    return ids;
  }

  void OpenAll(int clients, int batch) {
    const std::size_t each = static_cast<std::size_t>(batch == 1 ? 200 : 640);
    auto ids = SendMany(each);
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < clients; ++i) {
      auto session = Session::Open(OptionsOf("opener-" + std::to_string(i)));
      if (!session) throw std::runtime_error(session.failure().message);
      sessions.push_back(std::move(*session));
      (void)sessions.back()->Inbox();
    }
    std::vector<std::size_t> next(static_cast<std::size_t>(clients), 0);
    auto row = Measure("open", clients, batch, [&](Row& r) {
      return Loop(r, clients, [&](int i) -> std::size_t {
        const auto at = static_cast<std::size_t>(i);
        std::vector<OpenRequest> requests;
        for (int k = 0; k < batch && next[at] < ids.size(); ++k)
          requests.push_back({ids[next[at]++], 0, "analysis", "", {}});
        if (requests.empty()) return 0;
        auto opened = sessions[at]->OpenBatch(requests);
        if (!opened) throw std::runtime_error(opened.failure().message);
        for (const auto& one : *opened)
          if (!one || one->content.size() != kRecord)
            throw std::runtime_error(one ? "wrong content" : one.failure().message);
        return opened->size();
      });
    });
    rows_.push_back(std::move(row));
  }

  // From the sender's call to the content in the recipient's hands.
  void EndToEnd(int clients, int batch) {
    std::vector<std::unique_ptr<Session>> senders, openers;
    for (int i = 0; i < clients; ++i) {
      auto sender = Session::Open(OptionsOf("sender-" + std::to_string(i)));
      auto opener = Session::Open(OptionsOf("opener-" + std::to_string(i)));
      if (!sender || !opener) throw std::runtime_error((sender ? opener.failure() : sender.failure()).message);
      senders.push_back(std::move(*sender));
      openers.push_back(std::move(*opener));
      (void)openers.back()->Inbox();
    }
    Draft draft;
    draft.portions.push_back({{}, std::string(kRecord, 'x'), "application/octet-stream", kPolicy});
    const std::vector<Draft> drafts(static_cast<std::size_t>(batch), draft);
    auto row = Measure("end to end", clients, batch, [&](Row& r) {
      return Loop(r, clients, [&](int i) -> std::size_t {
        const auto at = static_cast<std::size_t>(i);
        auto sent = senders[at]->SendBatch(drafts);
        if (!sent) throw std::runtime_error(sent.failure().message);
        std::vector<OpenRequest> requests;
        for (const auto& one : *sent) {
          if (!one) throw std::runtime_error(one.failure().message);
          requests.push_back({one->id, 0, "analysis", "", {}});
        }
        auto opened = openers[at]->OpenBatch(requests);
        if (!opened) throw std::runtime_error(opened.failure().message);
        for (const auto& one : *opened)
          if (!one) throw std::runtime_error(one.failure().message);
        return opened->size();
      });
    });
    rows_.push_back(std::move(row));
  }

  void Body() {
    auto sender = Session::Open(OptionsOf("sender-0"));
    auto opener = Session::Open(OptionsOf("opener-0"));
    if (!sender || !opener) throw std::runtime_error("no session");
    const auto file = folder_ / "body";
    {
      std::ofstream out(file, std::ios::binary);
      std::string block(1 << 20, '\0');
      for (std::uint64_t i = 0; i < body_mib_; ++i) {
        for (std::size_t k = 0; k < block.size(); k += 64) block[k] = static_cast<char>(i + k);
        out.write(block.data(), static_cast<std::streamsize>(block.size()));
      }
    }
    Draft draft;
    draft.portions.push_back({file, {}, "application/octet-stream", kPolicy});
    std::string id;
    rows_.push_back(Measure("send a body (MiB)", 1, 1, [&](Row&) {
      auto sent = (*sender)->Send(draft);
      if (!sent) throw std::runtime_error(sent.failure().message);
      id = sent->id;
      return body_mib_;
    }));
    rows_.push_back(Measure("open a body (MiB)", 1, 1, [&](Row&) {
      auto opened = (*opener)->OpenRecord({id, 0, "analysis", "", folder_ / "opened"});
      if (!opened) throw std::runtime_error(opened.failure().message);
      return body_mib_;
    }));
    fs::remove(file);
    fs::remove(folder_ / "opened");
  }

  void Audit() {
    const auto copy = folder_ / "copy";
    {
      auto auditor = Session::Open(OptionsOf("mx.fgr/contralora"));
      if (!auditor) throw std::runtime_error(auditor.failure().message);
      rows_.push_back(Measure("export (entries)", 1, 1, [&](Row&) {
        auto size = (*auditor)->ExportLog(copy, "the benchmark");
        if (!size) throw std::runtime_error(size.failure().message);
        return *size;
      }));
    }
    auto row = Measure("audit (entries)", 1, 1, [&](Row&) {
      audit::Options options;
      options.folder = copy;
      options.charter = charter_;
      auto report = audit::Verify(options).value();
      if (!report.proved()) throw std::runtime_error("the audit found: " + report.findings[0].what);
      return report.entries;
    });
    rows_.push_back(std::move(row));
  }

  const fs::path build_;
  const double seconds_;
  const std::uint64_t body_mib_;
  fs::path folder_;
  int broker_ = 0, port_ = 0;
  std::vector<std::pair<int, int>> witnesses_;  // pid, port
  Digest charter_;
  std::map<std::string, double> floor_;
  std::vector<Row> rows_;
};

std::string Number(double value, int digits) {
  char out[32];
  std::snprintf(out, sizeof out, "%.*f", digits, value);
  return out;
}

void Bench::Print() const {
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows_)
    cells.push_back({row.what, std::to_string(row.clients), std::to_string(row.batch),
                     Number(row.count / row.seconds, 0), Number(row.client_cpu / row.count * 1e6, 1),
                     Number(row.broker_cpu / row.count * 1e6, 1),
                     row.latencies.empty() ? "" : Number(Percentile(row.latencies, 0.5) * 1e3, 2),
                     row.latencies.empty() ? "" : Number(Percentile(row.latencies, 0.99) * 1e3, 2),
                     row.beside.empty() ? "" : Number(row.ratio, 2) + " x " + row.beside});
  std::cout << FormatTable({"WHAT", "CLIENTS", "BATCH", "PER SECOND", "CLIENT CPU us", "BROKER CPU us", "p50 ms",
                            "p99 ms", "BESIDE"},
                           cells)
            << "\nfloor, us per operation by openssl speed:";
  for (const auto& [name, micros] : floor_) std::cout << "  " << name << " " << Number(micros, 2);
  std::cout << "\nrecords of " << kRecord << " bytes for 3 agencies; client and broker share this machine's cores\n";
}

nlohmann::ordered_json Bench::Json() const {
  nlohmann::ordered_json out = {{"floor_us", floor_}, {"rows", nlohmann::ordered_json::array()}};
  for (const auto& row : rows_)
    out["rows"].push_back({{"what", row.what},
                           {"clients", row.clients},
                           {"batch", row.batch},
                           {"per_second", row.count / row.seconds},
                           {"client_cpu_us", row.client_cpu / row.count * 1e6},
                           {"broker_cpu_us", row.broker_cpu / row.count * 1e6},
                           {"p50_ms", Percentile(row.latencies, 0.5) * 1e3},
                           {"p99_ms", Percentile(row.latencies, 0.99) * 1e3},
                           {"beside", row.beside},
                           {"ratio", row.ratio}});
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  fs::path build = VALIJA_BINARY_DIR;
  std::string json;
  bool witnessed = false;
  double seconds = 3;
  std::uint64_t body_mib = 1024;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--build" && more)
      build = argv[++i];
    else if (word == "--seconds" && more)
      seconds = std::strtod(argv[++i], nullptr);
    else if (word == "--body-mib" && more)
      body_mib = std::strtoull(argv[++i], nullptr, 10);
    else if (word == "--witnessed")
      witnessed = true;
    else if (word == "--json" && more)
      json = argv[++i];
    else {
      std::cerr << "usage: valija-bench [--build DIR] [--seconds N (of each figure)] [--body-mib N] [--witnessed]\n"
                   "                    [--json FILE]\n";
      return word == "--help" ? 0 : 2;
    }
  }
  try {
    Bench bench(build, seconds, body_mib);
    if (witnessed)
      bench.RunWitnessed();
    else
      bench.Run();
    bench.Print();
    if (!json.empty()) std::ofstream(json) << bench.Json().dump(2) << "\n";
  } catch (const std::exception& error) {
    std::cerr << "valija-bench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
