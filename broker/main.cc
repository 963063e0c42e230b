// The command line of `valija-broker`. (CLI11 is slow to compile: only here.)
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/config.h"
#include "broker/oplog.h"
#include "broker/server.h"
#include "core/crypto/secret_memory.h"
#include "core/io/file.h"
#include "core/text/command_line.h"
#include "core/text/sentences.h"

namespace {

using namespace valija;  // NOLINT(google-build-using-namespace): this file is the command line of that namespace
using namespace valija::broker;  // NOLINT(google-build-using-namespace)
using text::Format;
using text::Id;
using text::Text;

int Fail(const Error& error) {
  std::cerr << "valija-broker: " << text::Explain(CodeOf(error.reason), error.Message()) << " [" << CodeOf(error.reason)
            << "]\n";
  return ExitStatus(error.reason);
}

template <class F>
int Done(F f) {
  auto done = f();
  return done ? 0 : Fail(done.error());
}

Result<BrokerKeys> Keys(const Config& config) {
  TRY(auto passphrase, config.passphrase_file.empty() ? io::AskPassphrase(Text(Id::kBrokerPassphrase), false)
                                                      : io::ReadPassphraseFile(config.passphrase_file));
  return LoadKeys(config.keys, passphrase);
}

// Who asks the broker to stop. A start may take long (a journal to fold, witnesses to wait for): until it serves a signal ends
// the process, as nothing was acknowledged by it and whatever it wrote stands a crash at any point. From then on it is
// handed over, to stop in order.
class Asked {
 public:
  void Wait(const sigset_t& signals) {
    int signal = 0;
    sigwait(&signals, &signal);
    std::lock_guard lock(mutex_);
    if (serving_) return signal_.set_value(signal);
    Log(Level::kInfo, "stopped-while-starting", {{"signal", std::to_string(signal)}});
    FlushLog();
    std::signal(signal, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    std::raise(signal);
  }
  std::future<int> FromNowOn() {
    std::lock_guard lock(mutex_);
    serving_ = true;
    return signal_.get_future();
  }

 private:
  std::mutex mutex_;
  bool serving_ = false;
  std::promise<int> signal_;
};

Status Serve(const Config& config) {
  TRY(auto keys, Keys(config));  // who is asked for the passphrase may still interrupt
  // Blocked here, before any thread begins, and waited for by one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  TRY_OK(OpenLog({config.log_format == "json", config.log_file.string(), config.debug}));
  if (!crypto::SecretMemoryIsLocked()) Log(Level::kWarning, "secrets-not-locked");
  auto asked = std::make_shared<Asked>();
  std::thread([asked, signals] { asked->Wait(signals); }).detach();
  TRY(auto server, Server::Start(config, std::move(keys)));
  auto signal = asked->FromNowOn();
  if (const int port = server->metrics_port(); port != 0)
    std::cout << "valija-broker: metrics on port " << port << std::endl;
  if (const int port = server->public_port(); port != 0)
    std::cout << "valija-broker: public log on port " << port << std::endl;
  // Whatever started it waits for this line, and reads the port there: it is the same in every language.
  std::cout << "valija-broker: serving on port " << server->port() << std::endl;
  Log(Level::kInfo, "stopping", {{"signal", std::to_string(signal.get())}});
  server->Stop();
  FlushLog();
  return Ok();
}

}  // namespace

int main(int argc, char** argv) {
  io::HardenProcess();
  std::signal(SIGPIPE, SIG_IGN);  // a peer that goes away while OpenSSL writes (tls.cc) ends its connection, not us
  // gRPC reads these when it starts; none of them may make a broker print what peers sent, or TLS secrets.
  for (const char* name : {"GRPC_TRACE", "GRPC_VERBOSITY", "SSLKEYLOGFILE", "GRPC_SSL_CIPHER_SUITES"}) unsetenv(name);

  text::SetLanguage(text::ChooseLanguage(argc, argv, std::getenv));
  CLI::App app{Text(Id::kBrokerAbout)};
  app.set_version_flag("--version", "valija-broker " VALIJA_VERSION);
  app.set_config("--config", "", Text(Id::kBrokerHelpConfig))->envname("VALIJA_BROKER_CONFIG");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer(Text(Id::kBrokerFooter));
  Config config;
  bool check_config = false;
  app.add_option("--data", config.data, Text(Id::kBrokerHelpData));
  app.add_option("--high-water", config.high_water, Text(Id::kBrokerHelpHighWater));
  app.add_option("--keys", config.keys, Text(Id::kBrokerHelpKeys));
  app.add_option("--tls-certificate", config.tls_certificate, Text(Id::kBrokerHelpTlsCertificate));
  app.add_option("--passphrase-file", config.passphrase_file, Text(Id::kBrokerHelpPassphraseFile));
  app.add_option("--listen", config.listen, Text(Id::kBrokerHelpListen))->capture_default_str();
  app.add_option("--public-listen", config.public_listen, Text(Id::kBrokerHelpPublicListen));
  app.add_option("--metrics-listen", config.metrics_listen, Text(Id::kBrokerHelpMetricsListen));
  app.add_option("--log-format", config.log_format, Text(Id::kBrokerHelpLogFormat))->capture_default_str();
  app.add_option("--log-file", config.log_file, Text(Id::kBrokerHelpLogFile));
  app.add_flag("--debug", config.debug, Text(Id::kBrokerHelpDebug));
  app.add_option("--workers", config.workers, Text(Id::kBrokerHelpWorkers))->capture_default_str();
  app.add_option("--pool-limit", config.pool_limit, Text(Id::kBrokerHelpPoolLimit))->capture_default_str();
  app.add_option("--batch-limit", config.batch_limit, Text(Id::kBrokerHelpBatchLimit))->capture_default_str();
  app.add_option("--in-flight-per-member", config.in_flight_per_member, Text(Id::kBrokerHelpInFlight))
      ->capture_default_str();
  app.add_option("--streams-per-member", config.streams_per_member, Text(Id::kBrokerHelpStreams))
      ->capture_default_str();
  app.add_option("--connections", config.connections, Text(Id::kBrokerHelpConnections))->capture_default_str();
  app.add_option("--connections-per-address", config.connections_per_address, Text(Id::kBrokerHelpPerAddress))
      ->capture_default_str();
  app.add_option("--connections-per-member", config.connections_per_member, Text(Id::kBrokerHelpPerMember))
      ->capture_default_str();
  app.add_option("--handshakes-per-second", config.handshakes_per_second, Text(Id::kBrokerHelpHandshakes))
      ->capture_default_str();
  app.add_option("--unclaimed-mib-per-member", config.unclaimed_mib_per_member, Text(Id::kBrokerHelpUnclaimed))
      ->capture_default_str();
  app.add_option("--min-free-mib", config.min_free_mib, Text(Id::kBrokerHelpMinFree))->capture_default_str();
  app.add_option("--stop-seconds", config.stop_seconds, Text(Id::kBrokerHelpStopSeconds))->capture_default_str();
  app.add_option("--witness", config.witness_urls, Text(Id::kBrokerHelpWitness));
  app.add_option("--witness-wait-seconds", config.witness_wait_seconds, Text(Id::kBrokerHelpWitnessWait))
      ->capture_default_str();
  std::string language;  // read already by ChooseLanguage
  app.add_option("--lang", language, Text(Id::kHelpLang))
      ->check(CLI::IsMember({"en", "es"}).description("en|es"))
      ->configurable(false);
  auto* check = app.add_flag("--check-config", check_config, Text(Id::kBrokerHelpCheckConfig))->configurable(false);
  app.fallthrough();

  int status = -1;
  std::string authority, origin, charter, folder;
  auto* init_keys = app.add_subcommand("init-keys", Text(Id::kBrokerHelpInitKeys));
  init_keys->add_option("--authority", authority, Text(Id::kBrokerHelpAuthority))->required()->configurable(false);
  init_keys->add_option("--origin", origin, Text(Id::kBrokerHelpOrigin))->required()->configurable(false);
  init_keys->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto passphrase, config.passphrase_file.empty()
                               ? io::AskPassphrase(Text(Id::kBrokerNewPassphrase), true, Text(Id::kPassphraseAgain))
                               : io::ReadPassphraseFile(config.passphrase_file));
      TRY_OK(MakeKeys(config.keys, authority, origin, passphrase));
      std::cout << Format(Id::kBrokerKeysMade, (config.keys / "broker.card").string(),
                          (config.keys / "request.csr").string())
                << "\n";
      return Ok();
    });
  });
  const auto rotate = [&](const char* name, Id what, Rotated which) {
    app.add_subcommand(name, Text(what))->callback([&config, &status, which] {
      status = Done([&]() -> Status {
        TRY(auto passphrase, config.passphrase_file.empty() ? io::AskPassphrase(Text(Id::kBrokerPassphrase), false)
                                                            : io::ReadPassphraseFile(config.passphrase_file));
        TRY(auto path, RotateKey(config.keys, which, passphrase));
        std::cout << Format(Id::kBrokerKeyRotated, path.string(), (config.keys / "broker.card").string()) << "\n";
        return Ok();
      });
    });
  };
  rotate("rotate-release-key", Id::kBrokerHelpRotateRelease, Rotated::kReleaseKey);
  rotate("rotate-log-key", Id::kBrokerHelpRotateLog, Rotated::kLogKey);
  auto* init = app.add_subcommand("init", Text(Id::kBrokerHelpInit));
  init->add_option("--charter", charter, Text(Id::kBrokerHelpCharter))->required()->configurable(false);
  init->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto verified, ReadCharter(charter));
      const auto digest = verified->digest.Hex();
      TRY(auto keys, Keys(config));
      TRY_OK(InitialiseLog(config, keys, std::move(verified)));
      std::cout << Format(Id::kBrokerLogBegins, digest) << "\n";
      return Ok();
    });
  });
  auto* export_command = app.add_subcommand("export", Text(Id::kBrokerHelpExport));
  export_command->add_option("folder", folder, Text(Id::kHelpExportFolder))->required()->configurable(false);
  bool only_public = false;
  export_command->add_flag("--public", only_public, Text(Id::kBrokerHelpExportPublic))->configurable(false);
  export_command->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto keys, Keys(config));
      TRY(auto size, ExportStore(config, keys, folder, only_public ? Exported::kPublic : Exported::kWhole));
      std::cout << text::Counted(Id::kBrokerExported, size, folder) << "\n";
      return Ok();
    });
  });
  app.add_subcommand("check", Text(Id::kBrokerHelpCheck))->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto keys, Keys(config));
      TRY(auto size, CheckStore(config, keys));
      std::cout << text::Counted(Id::kBrokerChecked, size) << "\n";
      return Ok();
    });
  });
  app.add_subcommand("scrub", Text(Id::kBrokerHelpScrub))->callback([&] {
    status = Done([&]() -> Status {
      TRY_OK(ScrubStore(config));
      std::cout << Text(Id::kBrokerScrubbed) << "\n";
      return Ok();
    });
  });
  auto* serve = app.add_subcommand("serve", Text(Id::kBrokerHelpServe));
  serve->add_option("--start-without-witness", config.start_without_witness, Text(Id::kBrokerHelpWithoutWitness))
      ->configurable(false);  // a person decides it, this once
  for (auto* command : app.get_subcommands({})) command->excludes(check);

  text::TranslateHelp(app);
  try {
    app.parse(argc, argv);
    if (check_config) {
      status = Done([&]() -> Status {
        TRY_OK(Check(config));
        TRY(auto keys, Keys(config));
        TRY_OK(CheckCertificate(config, keys));
        std::cout << Text(Id::kBrokerConfigurationGood) << "\n";
        return Ok();
      });
    } else if (status < 0) {
      status = Done([&]() -> Status {
        TRY_OK(Check(config));
        return Serve(config);
      });
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "valija-broker: " << Format(Id::kBrokerFaultInside, error.what()) << "\n";
    return 1;
  }
  return status;
}
