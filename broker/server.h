// One broker: store, sequencer, service and gRPC server, started and stopped in the right order.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker/config.h"
#include "core/base/result.h"
#include "core/ledger/statement.h"

namespace valija::broker {

class Server {
 public:
  // Opens the store (checked against the high-water mark), folds the journal, proves to itself on a private port that
  // TLS 1.2 is refused, and only then listens.
  static Result<std::unique_ptr<Server>> Start(const Config& config, BrokerKeys keys);
  ~Server();  // Stop

  int port() const;
  int metrics_port() const;  // 0: there is none
  int public_port() const;   // 0: none
  bool healthy() const;
  // Lets running calls end (streams are cut), finishes what the sequencer has, syncs, closes.
  void Stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// A charter's file, with the signatures of its founders verified.
Result<ledger::VerifiedStatement> ReadCharter(const std::filesystem::path& path);

// Makes the store with the charter as entry 0. kExists if there is one.
Status InitialiseLog(const Config& config, const BrokerKeys& keys, ledger::VerifiedStatement charter);

// The operator's offline export of a stopped broker's log, whole or its public side alone.
enum class Exported { kWhole, kPublic };
Result<std::uint64_t> ExportStore(const Config& config, const BrokerKeys& keys, const std::string& folder,
                                  Exported what);

// Folds a stopped broker's whole journal, and holds the state that it keeps against what comes out (check.h). Returns how many
// entries there are.
Result<std::uint64_t> CheckStore(const Config& config, const BrokerKeys& keys);

// Writes a stopped broker's whole store anew, so that nothing which was erased is left in its files.
Status ScrubStore(const Config& config);

}  // namespace valija::broker
