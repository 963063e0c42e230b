#include "broker/server.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <thread>

#include "broker/check.h"
#include "broker/export.h"
#include "broker/gauges.h"
#include "broker/guard/self_test.h"
#include "broker/metrics.h"
#include "broker/oplog.h"
#include "broker/public_note.h"
#include "broker/public_port.h"
#include "broker/service.h"
#include "broker/spare_memory.h"
#include "broker/storage/high_water.h"
#include "broker/storage/rocksdb_store.h"
#include "broker/tls.h"
#include "core/crypto/tls13.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "proto/convert.h"

namespace valija::broker {
namespace {

constexpr int kMaxMessage = (4 << 20) + (64 << 10);
constexpr int kAhead = 1 << 20;  // bytes that a peer may send of a stream before they are asked for
constexpr auto kSweepEvery = std::chrono::hours(1);
constexpr auto kGiveBackEvery = std::chrono::seconds(5);
constexpr auto kOrphanAge = std::chrono::hours(48);  // a record may be posted a day after it was made

Time SystemNow() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Sequencer::Options OptionsFor(const Config& config, const AuthorityId& authority, RocksDbStore& store) {
  Sequencer::Options options{
      .authority = authority, .now = SystemNow, .content = &store.content(), .rows = &store.rows()};
  options.pool_limit = config.pool_limit;
  options.batch_limit = config.batch_limit;
  return options;
}

guard::Limits GuardLimits(const Config& config) {
  guard::Limits limits;
  limits.admission.connections = config.connections;
  limits.admission.connections_per_address = config.connections_per_address;
  limits.admission.connections_per_member = config.connections_per_member;
  limits.admission.handshakes_per_second = config.handshakes_per_second;
  return limits;
}

// Store and mark, checked for presence before either is touched.
struct Stored {
  std::unique_ptr<HighWater> mark;
  std::unique_ptr<RocksDbStore> store;
};

Result<Stored> OpenStored(const Config& config, bool make) {
  Stored stored;
  TRY(stored.mark, HighWater::Open(config.high_water));
  TRY_OK(stored.mark->CheckPresence(RocksDbStore::Exists(config.data), make));
  RocksDbStore::Options options{.folder = config.data, .create = make};
  options.unclaimed_per_member = std::uint64_t{config.unclaimed_mib_per_member} << 20;
  TRY(stored.store, RocksDbStore::Open(options));
  return stored;
}

Result<AuthorityId> AuthorityOf(const BrokerKeys& keys) {
  auto authority = AuthorityId::Parse(keys.authority);
  if (!authority) return Refuse(Reason::kBadConfiguration, "broker.card names no authority");
  return *authority;
}

// The CAs of the agencies that are party to the charter, PEM.
std::string CasOf(const Sequencer& sequencer) {
  std::string out;
  sequencer.Read([&](const ledger::State& state) {
    for (const auto& [id, agency] : state.agencies()) {
      auto ca = crypto::Certificate::FromDer(agency.charter.ca_certificate);
      if (!agency.left && ca) out += ca->ToPem();
    }
    return 0;
  });
  return out;
}

// The key with which an export that is to be continued was signed; else the charter's.
Result<log::NoteVerifier> KeyOfExport(const std::string& folder, const log::SignedCheckpoint& checkpoint,
                                      const BrokerKeys& keys) {
  std::string note = checkpoint.note();
  std::error_code ignored;
  if (const auto file = std::filesystem::path(folder) / "checkpoint"; std::filesystem::exists(file, ignored)) {
    TRY(note, io::ReadText(file));
  }
  const std::string& origin = checkpoint.checkpoint().origin;
  for (const auto& key : keys.log_keys) {
    TRY(auto verifier, log::NoteVerifier::Make(origin, key.verify_key()));
    if (log::SignedCheckpoint::Verify(note, origin, verifier)) return verifier;
  }
  return Refuse(Reason::kBadCheckpoint, "the export there is not signed by a key of this log");
}

}  // namespace

struct Server::Parts {
  Config config;
  crypto::SystemRandom random;
  std::vector<crypto::Ed25519SignKey> log_keys;
  Stored stored;
  std::unique_ptr<WorkerPool> workers;
  std::unique_ptr<Witnesses> witnesses;  // before the sequencer, which calls it to its end
  std::unique_ptr<Sequencer> sequencer;
  std::unique_ptr<Releaser> releaser;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Calls> calls;
  std::unique_ptr<FreeSpace> space;
  std::unique_ptr<ExchangeService> service;
  std::shared_ptr<ClientCas> client_cas;
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::unique_ptr<guard::Acceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<PublicNote> public_note;
  std::unique_ptr<PublicLog> public_log;
  std::unique_ptr<PublicPort> public_port;
  std::unique_ptr<PublicPort> metrics_port;
  std::mutex stop_mutex;
  std::condition_variable stop_wake;
  bool stopping = false;
  std::thread keeper;

  explicit Parts(std::vector<crypto::Ed25519SignKey> keys) : log_keys(std::move(keys)) {}
  ~Parts() { StopLog(); }  // also of a start that failed somewhere: nobody calls what is gone

  // In this order: each may still call those after it.
  void StopLog() {
    if (sequencer) sequencer->Stop();
    if (witnesses) witnesses->Stop();
    if (workers) workers->Stop();
    if (public_note) public_note->Stop();
  }

  // The fullest checkpoint (public_note.h), and what it calls for. A log that cannot write any more says so by having none:
  // what was published stays readable.
  Status BindPublic() {
    const auto& log = *sequencer;
    public_note = std::make_unique<PublicNote>(
        stored.store->journal(), PublicNote::Source{[&log] { return log.witnessed(); },
                                                    [&log] { return log.cosigned(log.checkpoint()->size()); },
                                                    [&log] { return log.checkpoint()->note(); }});
    if (config.public_listen.empty()) return Ok();
    public_log = std::make_unique<PublicLog>(
        stored.store->journal(), [&log] { return log.checkpoint()->size(); },
        [this, &log]() -> Result<std::string> {
          if (!log.healthy()) return Refuse(Reason::kStorage, "nothing is accepted until a restart");
          return public_note->Show();
        });
    TRY(public_port,
        PublicPort::Bind(config.public_listen, [this](std::string_view target) { return public_log->Get(target); }));
    return Ok();
  }

  // For the operator's monitoring.
  Status BindMetrics() {
    if (config.metrics_listen.empty()) return Ok();
    const PublicPort::Limits limits{.connections = 4, .waiting = 8};
    const auto answer = [this](std::string_view target) {
      return OperatorsAnswer(target, *sequencer, *witnesses, *calls, *space);
    };
    TRY(metrics_port, PublicPort::Bind(config.metrics_listen, answer, limits, "metrics-listen"));
    return Ok();
  }

  void SetServing(bool serving) {
    if (auto* health = server->GetHealthCheckService()) health->SetServingStatus(serving);
  }

  // Watches health and room, sweeps bodies that no record ever named, and gives memory back.
  void Keep() {
    auto next_sweep = std::chrono::steady_clock::now() + kSweepEvery;
    auto next_give_back = std::chrono::steady_clock::now() + kGiveBackEvery;
    SpareMemory spare;
    bool said = false;
    std::unique_lock lock(stop_mutex);
    while (!stop_wake.wait_for(lock, std::chrono::seconds(1), [this] { return stopping; })) {
      lock.unlock();
      space->Look();
      // Wraps and texts that a purge erased leave the files soon; the sealed bodies, when the store compacts or is scrubbed.
      if (auto scrubbed = stored.store->Scrub(RocksDbStore::Scrubbed::kEntries); !scrubbed)
        Log(Level::kAlarm, "scrub-failed", {{"detail", scrubbed.error().detail}});
      if (!sequencer->healthy() && !said) {
        said = true;
        SetServing(false);
        Log(Level::kAlarm, "not-accepting", {{"why", "a write failed; restart finds out what is on the disk"}});
      }
      if (std::chrono::steady_clock::now() >= next_give_back) {
        next_give_back += kGiveBackEvery;
        (void)spare.GiveBack();
      }
      if (std::chrono::steady_clock::now() >= next_sweep) {
        next_sweep += kSweepEvery;
        Sweep();
      }
      lock.lock();
    }
  }

  void Sweep() {
    auto swept = stored.store->content().Sweep(SystemNow() - kOrphanAge);
    if (!swept) Log(Level::kAlarm, "sweep-failed", {{"why", swept.error().Message()}});
    if (swept && *swept > 0) Log(Level::kInfo, "swept", {{"bodies", std::to_string(*swept)}});
  }
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { Stop(); }
int Server::port() const { return parts_->acceptor->port(); }
int Server::public_port() const { return parts_->public_port ? parts_->public_port->port() : 0; }
int Server::metrics_port() const { return parts_->metrics_port ? parts_->metrics_port->port() : 0; }
bool Server::healthy() const { return parts_->sequencer->healthy(); }

Result<std::unique_ptr<Server>> Server::Start(const Config& config, BrokerKeys keys) {
  TRY_OK(Check(config));
  // gRPC's own log has peers' bytes in it: into ours, made printable, and only when asked for.
  gpr_set_log_function([](gpr_log_func_args* args) { Log(Level::kDebug, "grpc", {{"what", args->message}}); });
  static const Status tls13 = crypto::RequireTls13();
  TRY_OK(tls13);
  auto limits = GuardLimits(config);
  TRY_OK(guard::FitDescriptors(limits));
  TRY_OK(guard::ProveGuard(limits));
  TRY(auto authority, AuthorityOf(keys));
  TRY_OK(CheckCertificate(config, keys));
  TRY(auto certificate_pem, io::ReadText(config.tls_certificate, 1 << 20));

  auto parts = std::make_unique<Parts>(std::move(keys.log_keys));
  parts->config = config;
  TRY(parts->stored, OpenStored(config, false));
  const std::size_t threads = config.workers != 0 ? config.workers : std::max(2u, std::thread::hardware_concurrency());
  parts->workers = std::make_unique<WorkerPool>(threads, 4096);
  Witnesses::Options witnessing{.now = SystemNow};
  witnessing.urls = UrlsOf(config.witness_urls);
  witnessing.start_wait = std::chrono::seconds(config.witness_wait_seconds);
  witnessing.start_without = {config.start_without_witness.begin(), config.start_without_witness.end()};
  parts->witnesses = std::make_unique<Witnesses>(std::move(witnessing), *parts->workers);
  auto options = OptionsFor(config, authority, *parts->stored.store);
  options.witnesses = parts->witnesses.get();
  TRY(parts->sequencer, Sequencer::Start(std::move(options), parts->stored.store->journal(), *parts->stored.mark,
                                         LogKeys(parts->log_keys), *parts->workers, parts->random, std::nullopt));
  parts->releaser = std::make_unique<Releaser>(authority, std::move(keys.release_keys));

  // The certificate that we show must be the carrier CA's of the charter: nobody would talk to another.
  Bytes carrier_ca_der;
  bool release_key_right = false;
  parts->sequencer->Read([&](const ledger::State& state) {
    carrier_ca_der = state.charter()->carrier_ca_certificate;
    for (const auto& one : state.charter()->authorities)
      if (one.id == authority) release_key_right = parts->releaser->Has(crypto::KeyIdOf(one.release_key));
    return 0;
  });
  if (!release_key_right)
    return Refuse(Reason::kBadConfiguration, "the release key that the charter names is not there");
  TRY(auto carrier_ca, crypto::Certificate::FromDer(carrier_ca_der));
  TRY(auto certificate, crypto::Certificate::FromPem(certificate_pem));
  if (auto issued = certificate.VerifyIssuedBy(carrier_ca, crypto::TlsPurpose::kServer, SystemNow()); !issued)
    return Refuse(Reason::kBadConfiguration,
                  "tls-certificate is not the charter's carrier CA's: " + issued.error().detail);

  parts->identity = std::make_unique<Identity>(*parts->sequencer);
  parts->calls =
      std::make_unique<Calls>(Calls::Limits{config.in_flight_per_member, config.streams_per_member},
                              [raw = parts.get()](const std::string& peer) { return raw->acceptor->End(peer); });
  parts->space = std::make_unique<FreeSpace>(std::uint64_t{config.min_free_mib} << 20, FreeSpace::Of(config.data));
  parts->space->Look();
  parts->service = std::make_unique<ExchangeService>(
      Exchange{authority, *parts->sequencer, parts->stored.store->content(), *parts->workers, *parts->releaser,
               parts->random, *parts->identity, *parts->calls, *parts->space, SystemNow});
  parts->client_cas = std::make_shared<ClientCas>(CasOf(*parts->sequencer));
  parts->sequencer->OnCommit([raw = parts.get()](const CommitNews& news) {
    if (news.charter_changed) raw->client_cas->Set(CasOf(*raw->sequencer));
    raw->service->OnCommit(news);
  });

  TRY_OK(parts->BindPublic());
  TRY_OK(parts->BindMetrics());
  // Before anybody can connect.
  parts->credentials = MakeServerCredentials(certificate_pem, keys.tls_key_pem, parts->client_cas);
  TRY_OK(ProveTls13Only(parts->credentials));
  TRY(parts->acceptor, guard::Acceptor::Bind(config.listen, limits));

  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  grpc::ResourceQuota quota("valija-broker");
  quota.Resize(std::size_t{256} << 20);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.SetMaxSendMessageSize(2 * kMaxMessage);  // a page may end with a large entry
  builder.AddChannelArgument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);  // none: no decompression bombs
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8192);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 300000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 3600000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 300000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, static_cast<int>(limits.frames.frame));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // which lets a peer's share grow to 16 MiB a stream
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kAhead);
  auto grpc = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, parts->credentials);
  builder.RegisterService(parts->service.get());
  parts->server = builder.BuildAndStart();
  if (!parts->server) return Refuse(Reason::kInternal, "gRPC does not start");
  auto* raw = parts.get();
  raw->keeper = std::thread([raw] { raw->Keep(); });
  std::unique_ptr<Server> server(new Server(std::move(parts)));
  if (raw->public_port) raw->public_port->Serve();
  if (raw->metrics_port) raw->metrics_port->Serve();
  raw->SetServing(true);
  raw->acceptor->Serve(std::move(grpc));
  auto checkpoint = raw->sequencer->checkpoint();
  Log(Level::kInfo, "serving",
      {{"listen", config.listen},
       {"port", std::to_string(server->port())},
       {"public-port", std::to_string(server->public_port())},
       {"origin", checkpoint->checkpoint().origin},
       {"entries", std::to_string(checkpoint->size())},
       {"root", checkpoint->root().Hex()}});
  return server;
}

void Server::Stop() {
  if (!parts_ || !parts_->server) return;
  auto& parts = *parts_;
  parts.SetServing(false);
  parts.acceptor->Stop();
  if (parts.public_port) parts.public_port->Stop();
  if (parts.metrics_port) parts.metrics_port->Stop();
  parts.calls->CancelStreams();
  parts.witnesses->StopWaiting();
  parts.server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(parts.config.stop_seconds));
  parts.server->Wait();
  {
    std::lock_guard lock(parts.stop_mutex);
    parts.stopping = true;
  }
  parts.stop_wake.notify_all();
  if (parts.keeper.joinable()) parts.keeper.join();
  parts.StopLog();
  (void)parts.stored.mark->Sync();
  auto checkpoint = parts.sequencer->checkpoint();
  Log(Level::kInfo, "stopped", {{"entries", std::to_string(checkpoint->size())}});
  parts.server.reset();
}

Result<ledger::VerifiedStatement> ReadCharter(const std::filesystem::path& path) {
  TRY(auto bytes, io::ReadFile(path, 4 << 20));
  TRY(auto envelope, proto::DecodeEnvelope(bytes));
  TRY(auto statement, proto::MakeStatement(std::move(envelope)));
  if (statement.kind != ledger::Kind::kCharter) return Refuse(Reason::kUnknownType, "the file is not a charter");
  return ledger::VerifyCharter(std::move(statement));
}

Status InitialiseLog(const Config& config, const BrokerKeys& keys, ledger::VerifiedStatement charter) {
  TRY(auto authority, AuthorityOf(keys));
  TRY(auto stored, OpenStored(config, true));
  WorkerPool workers(1, 16);
  crypto::SystemRandom random;
  TRY(auto sequencer, Sequencer::Start(OptionsFor(config, authority, *stored.store), stored.store->journal(),
                                       *stored.mark, LogKeys(keys.log_keys), workers, random, std::move(charter)));
  sequencer->Stop();
  workers.Stop();
  return stored.mark->Sync();
}

Result<std::uint64_t> ExportStore(const Config& config, const BrokerKeys& keys, const std::string& folder,
                                  Exported what) {
  TRY(auto authority, AuthorityOf(keys));
  TRY(auto stored, OpenStored(config, false));
  WorkerPool workers(1, 16);
  crypto::SystemRandom random;
  TRY(auto sequencer, Sequencer::Start(OptionsFor(config, authority, *stored.store), stored.store->journal(),
                                       *stored.mark, LogKeys(keys.log_keys), workers, random, std::nullopt));
  auto checkpoint = sequencer->checkpoint();
  std::uint64_t size = checkpoint->size();
  const auto write = [&]() -> Result<std::uint64_t> {
    const auto& journal = stored.store->journal();
    TRY(const auto witnessed, sequencer->KeptCosigned());
    if (what == Exported::kPublic) {
      std::vector<log::NoteVerifier> known;
      for (const auto& key : keys.log_keys) {
        TRY(auto verifier, log::NoteVerifier::Make(checkpoint->checkpoint().origin, key.verify_key()));
        known.push_back(std::move(verifier));
      }
      if (!sequencer->witnessed()) return ExportPublic(folder, journal, *checkpoint, known);
      // As on the public port: what is not cosigned is not published.
      if (!witnessed) return Refuse(Reason::kNoQuorum, "nothing that the witnesses cosigned is kept in the store");
      const auto& origin = checkpoint->checkpoint().origin;
      for (const auto& key : known) {
        const auto shown = log::SignedCheckpoint::Verify(witnessed->note, origin, key);
        if (!shown) continue;
        size = shown->size();
        return ExportPublic(folder, journal, *shown, known);
      }
      return Refuse(Reason::kBadCheckpoint);
    }
    TRY(auto log_key, KeyOfExport(folder, *checkpoint, keys));
    return ExportLog(folder, journal, *checkpoint, log_key, witnessed ? witnessed->note : "");
  };
  const auto done = write();
  sequencer->Stop();
  workers.Stop();
  if (!done) return done.error();
  return size;
}

// What is folded takes as much room as the state that is kept, beside the store while it lasts.
Result<std::uint64_t> CheckStore(const Config& config, const BrokerKeys& keys) {
  TRY(auto stored, OpenStored(config, false));
  const LogKeys log_keys(keys.log_keys);
  std::optional<log::Checkpoint> mark;
  if (const auto note = stored.mark->note()) {
    TRY(mark, log_keys.Read(*note));
  }
  std::filesystem::path beside = config.data;
  beside += ".check";
  std::error_code ignored;
  std::filesystem::remove_all(beside, ignored);
  crypto::SystemRandom random;
  const auto check = [&]() -> Status {
    TRY(auto scratch, RocksDbStore::Open({.folder = beside, .create = true}));
    KeptState kept(stored.store->rows(), log_keys, random), folded(scratch->rows(), log_keys, random);
    return CheckKept(stored.store->journal(), mark, kept, folded);
  };
  const auto checked = check();
  std::filesystem::remove_all(beside, ignored);
  TRY_OK(checked);
  return stored.store->journal().Size();
}

Status ScrubStore(const Config& config) {
  TRY(auto stored, OpenStored(config, false));
  return stored.store->Scrub();
}

}  // namespace valija::broker
