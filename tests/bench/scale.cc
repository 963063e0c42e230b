#include "tests/bench/scale.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "audit/verify.h"
#include "broker/export.h"
#include "broker/sequencer.h"
#include "broker/worker_pool.h"
#include "core/base/text.h"
#include "core/io/file.h"
#include "tests/bench/big_log.h"
#include "tests/bench/cpu.h"

namespace valija::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

template <class T>
T Need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().Message());
  return *std::move(result);
}

double ResidentMib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

double Percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values.at(std::min(values.size() - 1, static_cast<std::size_t>(p * static_cast<double>(values.size()))));
}

// ---- What a process of its own does ----

// Store, mark and sequencer, as a broker has them; no TLS and no port. Then proofs anywhere in the log, each in a tree that
// nobody has asked about before: none finds anything prepared.
Json Start(const fs::path& folder) {
  crypto::SystemRandom random;
  const auto log_key = Need(crypto::Ed25519SignKey::FromSeed(Need(io::ReadFile(folder / "log.key"))));
  broker::WorkerPool workers(2, 100);
  const auto begun = Clock::now();
  const double cpu = OwnCpuSeconds();
  auto mark = Need(broker::HighWater::Open(folder / "mark"));
  auto store = Need(broker::RocksDbStore::Open({.folder = folder / "db"}));
  const double opened = Since(begun);
  auto sequencer = Need(broker::Sequencer::Start(
      {.authority = *AuthorityId::Parse("broker-1"),
       .now = [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); },
       .rows = &store->rows(),
       .keep_every = BigLog::kKeepEvery},
      store->journal(), *mark, log_key, workers, random, std::nullopt));
  Json out = {{"entries", sequencer->checkpoint()->size()},
              {"store_ms", opened * 1e3},
              {"start_ms", Since(begun) * 1e3},
              {"start_cpu_ms", (OwnCpuSeconds() - cpu) * 1e3},
              {"rss_mib", ResidentMib()}};

  const std::uint64_t size = sequencer->checkpoint()->size();
  std::mt19937_64 dice(size);
  std::vector<double> proofs, looks;
  const double cpu_before = OwnCpuSeconds();
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t at = dice() % (size - 1) + 1, index = dice() % at, from = dice() % at;
    const auto before = Clock::now();
    if (!sequencer->Inclusion(index, at) || !sequencer->Consistency(from, at)) throw std::runtime_error("no proof");
    proofs.push_back(Since(before) * 1e6);
  }
  const double cpu_proofs = OwnCpuSeconds() - cpu_before;
  // What a custody costs: a statement that is known by its digest, its record, and who may see it.
  const auto luis = *MemberId::Parse("mx.fgr/luis");
  for (int i = 0; i < 2000; ++i) {
    const auto entry = Need(sequencer->Entry(dice() % (size - 5) + 5));
    const auto before = Clock::now();
    const bool known = sequencer->Read([&](const ledger::State& state, const broker::Glances& glances) {
      const auto* statement = state.statement(entry.head->statement);
      const auto* record = state.record(entry.head->statement);
      return statement != nullptr && glances.at(statement->index).statement == entry.head->statement &&
             (record == nullptr || state.visible_to(*record, luis));
    });
    if (!known) throw std::runtime_error("a statement that the state does not know");
    looks.push_back(Since(before) * 1e6);
  }
  out["proof_cpu_us"] = cpu_proofs * 1e6 / static_cast<double>(proofs.size());
  out["proof_p50_us"] = Percentile(proofs, 0.5);
  out["proof_p99_us"] = Percentile(proofs, 0.99);
  out["look_p50_us"] = Percentile(looks, 0.5);
  out["look_p99_us"] = Percentile(looks, 0.99);
  out["rss_after_mib"] = ResidentMib();
  const auto stopping = Clock::now();
  sequencer->Stop();
  workers.Stop();
  out["stop_ms"] = Since(stopping) * 1e3;
  return out;
}

Json Audit(const fs::path& folder, const std::string& charter) {
  audit::Options options;
  options.folder = folder;
  options.charter = Digest::FromHexText(charter);
  const double cpu = OwnCpuSeconds();
  const auto begun = Clock::now();
  const auto report = Need(audit::Verify(options));
  if (!report.proved()) throw std::runtime_error("the audit found: " + report.findings[0].what);
  return {{"entries", report.entries},
          {"signatures", report.signatures},
          {"seconds", Since(begun)},
          {"cpu_seconds", OwnCpuSeconds() - cpu},
          {"rss_mib", ResidentMib()}};
}

// SHA-256 of every byte of every file, and nothing else.
Json HashAll(const fs::path& folder) {
  const double cpu = OwnCpuSeconds();
  const auto begun = Clock::now();
  std::uint64_t bytes = 0;
  crypto::Sha256Stream hash;
  Bytes buffer(std::size_t{1} << 20);
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    while (in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size())),
           in.gcount() > 0) {
      hash.Update(ByteView(buffer).first(static_cast<std::size_t>(in.gcount())));
      bytes += static_cast<std::uint64_t>(in.gcount());
    }
  }
  (void)hash.Finish();
  return {{"bytes", bytes}, {"seconds", Since(begun)}, {"cpu_seconds", OwnCpuSeconds() - cpu}};
}

// ---- What starts it ----

Json Part(std::vector<std::string> words) {
  words.insert(words.begin(), {"/proc/self/exe", "part"});
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string text;
  char some[4096];
  for (ssize_t got; (got = ::read(ends[0], some, sizeof some)) > 0;) text.append(some, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("a part of the measurement failed");
  return Json::parse(text);
}

std::string Number(double value, int digits) {
  char out[32];
  std::snprintf(out, sizeof out, "%.*f", digits, value);
  return out;
}
std::string Number(const Json& value, int digits) { return Number(value.get<double>(), digits); }

std::uint64_t BytesIn(const fs::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : fs::recursive_directory_iterator(folder))
    if (file.is_regular_file()) bytes += file.file_size();
  return bytes;
}

void ForgetRows(const fs::path& folder) {
  auto store = Need(broker::RocksDbStore::Open({.folder = folder / "db"}));
  if (auto cleared = store->rows().Clear(); !cleared) throw std::runtime_error(cleared.error().Message());
}

void Export(const fs::path& folder) {
  const auto log_key = Need(crypto::Ed25519SignKey::FromSeed(Need(io::ReadFile(folder / "log.key"))));
  auto store = Need(broker::RocksDbStore::Open({.folder = folder / "db"}));
  const auto& journal = store->journal();
  const Hash root = Need(log::RootAt(journal.Size(), broker::TilesOf(journal)));
  const auto checkpoint = log::SignedCheckpoint::Sign({test::BrokerWorld::kOrigin, journal.Size(), root}, log_key);
  const auto verifier = Need(log::NoteVerifier::Make(test::BrokerWorld::kOrigin, log_key.verify_key()));
  Need(broker::ExportLog(folder / "export", journal, checkpoint, verifier));
}

}  // namespace

void MeasureScale(const ScaleOptions& options) {
  std::vector<std::vector<std::string>> starts, audits;
  BigLog log(options.folder);
  for (const auto size : options.sizes) {
    const auto begun = Clock::now();
    const double cpu = OwnCpuSeconds();
    const auto before = log.size();
    log.GrowTo(size);
    const auto folded = log.unkept();
    const double seconds = Since(begun), busy = OwnCpuSeconds() - cpu;
    log.Close();
    std::cerr << size << " entries: " << Number(static_cast<double>(size - before) / seconds, 0) << " a second, "
              << Number(busy / static_cast<double>(size - before) * 1e6, 1) << " us CPU each, "
              << BytesIn(options.folder / "db") / size << " bytes each in the store\n";
    const auto folder = options.folder.string();
    auto row = [&](const std::string& what, const Json& one) {
      std::cerr << what << ' ' << one.dump() << '\n';
      starts.push_back({std::to_string(size), what, Number(one["start_ms"], 0), Number(one["start_cpu_ms"], 0),
                        Number(one["rss_mib"], 0), Number(one["proof_cpu_us"], 0), Number(one["proof_p50_us"], 0),
                        Number(one["proof_p99_us"], 0), Number(one["look_p50_us"], 0), Number(one["look_p99_us"], 0),
                        Number(one["rss_after_mib"], 0)});
    };
    row("after a kill, " + std::to_string(folded) + " folded", Part({"start", folder}));
    row("after a stop", Part({"start", folder}));
    if (options.refold) {
      ForgetRows(options.folder);
      row("whole fold", Part({"start", folder}));
    }
    if (size <= options.audit_up_to) {
      Export(options.folder);
      const auto copy = (options.folder / "export").string();
      const auto plain = Part({"hash", copy});
      const auto audited = Part({"audit", copy, log.charter().Hex()});
      std::cerr << "audit " << audited.dump() << "\nhash " << plain.dump() << '\n';
      const double mib = plain["bytes"].get<double>() / (1 << 20);
      const double rate = mib / audited["cpu_seconds"].get<double>(), floor = mib / plain["cpu_seconds"].get<double>();
      audits.push_back({std::to_string(size),
                        Number(static_cast<double>(size) / audited["cpu_seconds"].get<double>(), 0), Number(rate, 1),
                        Number(floor, 1), Number(floor / rate, 1), Number(audited["rss_mib"], 0)});
    }
    if (size != options.sizes.back()) log.Open();
  }
  std::cout
      << FormatTable({"ENTRIES", "START", "ms", "CPU ms", "RSS MiB", "PROOF CPU us", "p50 us", "p99 us",
                      "LOOK-UP p50 us", "p99 us", "RSS AFTER MiB"},
                     starts)
      << "\na proof: inclusion and consistency in a tree of any size; a look-up: statement, glance, record and who may "
         "see it, anywhere in the log\n\n"
      << FormatTable({"ENTRIES", "AUDITED PER CORE-SECOND", "MiB/s", "SHA-256 MiB/s", "TIMES SHA-256", "RSS MiB"},
                     audits);
}

int ScalePart(const std::vector<std::string>& words) {
  try {
    Json out;
    if (words.at(0) == "start")
      out = Start(words.at(1));
    else if (words.at(0) == "audit")
      out = Audit(words.at(1), words.at(2));
    else
      out = HashAll(words.at(1));
    std::cout << out.dump() << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "valija-scale: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace valija::bench
