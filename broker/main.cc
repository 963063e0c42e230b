// The command line of `valija-broker`. (CLI11 is slow to compile: only here.)
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "broker/config.h"
#include "broker/oplog.h"
#include "broker/server.h"
#include "core/io/file.h"
#include "proto/convert.h"

namespace {

using namespace valija;  // NOLINT(google-build-using-namespace): this file is the command line of that namespace
using namespace valija::broker;  // NOLINT(google-build-using-namespace)

int Fail(const Error& error) {
  std::cerr << "valija-broker: " << error.Message() << " [" << CodeOf(error.reason) << "]\n";
  return ExitStatus(error.reason);
}

template <class F>
int Done(F f) {
  auto done = f();
  return done ? 0 : Fail(done.error());
}

Result<BrokerKeys> Keys(const Config& config) {
  TRY(auto passphrase, config.passphrase_file.empty() ? io::AskPassphrase("Passphrase of the broker's keys: ", false)
                                                      : io::ReadPassphraseFile(config.passphrase_file));
  return LoadKeys(config.keys, passphrase);
}

Status Serve(const Config& config) {
  TRY(auto keys, Keys(config));  // who is asked for the passphrase may still interrupt
  // Blocked here, before any thread begins, and waited for below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  TRY_OK(OpenLog({config.log_format == "json", config.log_file.string(), config.debug}));
  TRY(auto server, Server::Start(config, std::move(keys)));
  if (const int port = server->public_port(); port != 0)
    std::cout << "valija-broker: public log on port " << port << std::endl;
  std::cout << "valija-broker: serving on port " << server->port() << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  Log(Level::kInfo, "stopping", {{"signal", std::to_string(signal)}});
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

  CLI::App app{"valija-broker: carries sealed records, decides their openings, and keeps the log"};
  app.set_version_flag("--version", "valija-broker " VALIJA_VERSION);
  app.set_config("--config", "", "Configuration file: lines of NAME=VALUE, the same names as the flags")
      ->envname("VALIJA_BROKER_CONFIG");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer(
      "Exit status: 0 done; 2 bad input or configuration; 3 denied; 4 not now (locked, not ready, unavailable);\n"
      "5 ALARM: the store is damaged, lost or rolled back; 1 a fault inside.\n"
      "See docs/operations.md for a whole configuration, backup, and what each alarm means.");
  Config config;
  bool check_config = false;
  app.add_option("--data", config.data, "Folder of the store");
  app.add_option("--high-water", config.high_water,
                 "File of the high-water mark; not in the data folder, best on another disk");
  app.add_option("--keys", config.keys, "Folder of the broker's keys");
  app.add_option("--tls-certificate", config.tls_certificate,
                 "Certificate of the charter's carrier CA for tls-key.pem, PEM");
  app.add_option("--passphrase-file", config.passphrase_file,
                 "Private file with the keys' passphrase in its first line");
  app.add_option("--listen", config.listen, "host:port; port 0 takes a free one")->capture_default_str();
  app.add_option(
      "--public-listen", config.public_listen,
      "host:port of the read-only HTTP port for everybody (checkpoint, tiles, commitments); port 0 takes a free "
      "one. Without it there is none");
  app.add_option("--log-format", config.log_format, "json or human")->capture_default_str();
  app.add_option("--log-file", config.log_file, "File of the operations log (else standard error)");
  app.add_flag("--debug", config.debug, "Log more");
  app.add_option("--workers", config.workers, "Threads beside the sequencer's (0: one per core)")
      ->capture_default_str();
  app.add_option("--pool-limit", config.pool_limit, "Statements that may wait; above, refusals")->capture_default_str();
  app.add_option("--batch-limit", config.batch_limit, "Statements per commit")->capture_default_str();
  app.add_option("--in-flight-per-member", config.in_flight_per_member, "Calls at once")->capture_default_str();
  app.add_option("--streams-per-member", config.streams_per_member, "Open streams at once")->capture_default_str();
  app.add_option("--unclaimed-mib-per-member", config.unclaimed_mib_per_member,
                 "MiB of bodies that a member may have uploaded and sent no record of")
      ->capture_default_str();
  app.add_option(
         "--min-free-mib", config.min_free_mib,
         "MiB to be free on the data folder's disk; below no bodies are taken, below half of it nothing; 0: any")
      ->capture_default_str();
  app.add_option("--stop-seconds", config.stop_seconds, "Time to finish when asked to stop")->capture_default_str();
  auto* check =
      app.add_flag("--check-config", check_config,
                   "Say what is wrong with configuration, keys and certificate, and end; beside no subcommand")
          ->configurable(false);
  app.fallthrough();

  int status = -1;
  std::string authority, origin, charter, folder;
  auto* init_keys =
      app.add_subcommand("init-keys", "Make the broker's keys, its card for the charter, and a certificate request");
  init_keys->add_option("--authority", authority, "Name of this release authority, like broker-1")
      ->required()
      ->configurable(false);
  init_keys->add_option("--origin", origin, "Name of the log, like pouch.example/2026")
      ->required()
      ->configurable(false);
  init_keys->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto passphrase, config.passphrase_file.empty() ? io::AskPassphrase("New passphrase: ", true)
                                                          : io::ReadPassphraseFile(config.passphrase_file));
      TRY_OK(MakeKeys(config.keys, authority, origin, passphrase));
      std::cout << "made " << (config.keys / "broker.card").string() << " for the charter and "
                << (config.keys / "request.csr").string() << " for the carrier's CA\n";
      return Ok();
    });
  });
  const auto rotate = [&](const char* name, const char* what, Rotated which) {
    app.add_subcommand(name, what)->callback([&config, &status, which] {
      status = Done([&]() -> Status {
        TRY(auto passphrase, config.passphrase_file.empty()
                                 ? io::AskPassphrase("Passphrase of the broker's keys: ", false)
                                 : io::ReadPassphraseFile(config.passphrase_file));
        TRY(auto path, RotateKey(config.keys, which, passphrase));
        std::cout << "made " << path.string() << "; its public key is in " << (config.keys / "broker.card").string()
                  << " for an amendment of the charter.\nRestart the broker before the amendment is posted.\n";
        return Ok();
      });
    });
  };
  rotate("rotate-release-key", "Make a further release key; former ones stay for the records that name them",
         Rotated::kReleaseKey);
  rotate("rotate-log-key", "Make a further log key; the charter's stays in force until it is amended",
         Rotated::kLogKey);
  auto* init = app.add_subcommand("init", "Make the store, with the signed charter as its first entry");
  init->add_option("--charter", charter, "The charter that every founding agency has signed")
      ->required()
      ->configurable(false);
  init->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto bytes, io::ReadFile(charter, 4 << 20));
      TRY(auto envelope, proto::DecodeEnvelope(bytes));
      TRY(auto statement, proto::MakeStatement(std::move(envelope)));
      if (statement.kind != ledger::Kind::kCharter) return Refuse(Reason::kUnknownType, "the file is not a charter");
      TRY(auto verified, ledger::VerifyCharter(std::move(statement)));
      const auto digest = verified->digest.Hex();
      TRY(auto keys, Keys(config));
      TRY_OK(InitialiseLog(config, keys, std::move(verified)));
      std::cout << "the log begins with charter " << digest << "\n";
      return Ok();
    });
  });
  auto* export_command = app.add_subcommand("export", "Write a stopped broker's log to a folder for valija-audit");
  export_command->add_option("folder", folder, "The folder; one that is there is continued")
      ->required()
      ->configurable(false);
  bool only_public = false;
  export_command
      ->add_flag("--public", only_public,
                 "Checkpoint, tiles and salted commitments alone, no event: files for any web server (C2SP tlog-tiles)")
      ->configurable(false);
  export_command->callback([&] {
    status = Done([&]() -> Status {
      TRY(auto keys, Keys(config));
      TRY(auto size, ExportStore(config, keys, folder, only_public ? Exported::kPublic : Exported::kWhole));
      std::cout << "exported " << size << " entries to " << folder << "\n";
      return Ok();
    });
  });
  app.add_subcommand("scrub", "Write a stopped broker's store anew: nothing that was purged is left in its files")
      ->callback([&] {
        status = Done([&]() -> Status {
          TRY_OK(ScrubStore(config));
          std::cout << "the store was written anew\n";
          return Ok();
        });
      });
  app.add_subcommand("serve", "Serve (what is done without a subcommand too)");
  for (auto* command : app.get_subcommands({})) command->excludes(check);

  try {
    app.parse(argc, argv);
    if (check_config) {
      status = Done([&]() -> Status {
        TRY_OK(Check(config));
        TRY(auto keys, Keys(config));
        TRY_OK(CheckCertificate(config, keys));
        std::cout << "the configuration is good\n";
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
    std::cerr << "valija-broker: a fault inside: " << error.what() << "\n";
    return 1;
  }
  return status;
}
