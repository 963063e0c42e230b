// A log that grows by hundreds of thousands of entries a minute: records of one sender, openings of one recipient and
// acknowledgements, each a statement in its real bytes with a signature that holds, decided and applied as a broker does. What nobody
// but its recipient could look into is not sealed: the wraps are one record's, a body is 32 bytes.
#pragma once

#include <optional>

#include "broker/fold.h"
#include "broker/storage/high_water.h"
#include "broker/storage/rocksdb_store.h"
#include "core/record/window.h"
#include "tests/broker/support/broker_world.h"

namespace valija::bench {

// Nonces need not be secret here.
class QuickRandom final : public crypto::Random {
 public:
  void Fill(std::span<std::uint8_t> out) override;

 private:
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

class BigLog {
 public:
  // A new log in a folder that is not there.
  explicit BigLog(const std::filesystem::path& folder);
  // So that a start after a kill has as much to fold as it ever has.
  void GrowTo(std::uint64_t size);
  std::uint64_t unkept() const { return tree_.size() - kept_at_; }  // what such a start folds
  // Closes the store, with the mark at its end, as a kill would: what came since the state was kept, a start folds.
  void Close();
  void Open();  // again
  const Digest& charter() const { return charter_; }
  std::uint64_t size() const { return tree_.size(); }

  static constexpr std::uint64_t kKeepEvery = 8192;

 private:
  void Log(ledger::VerifiedStatement statement);
  void Append();
  void Keep();
  void Grow(std::uint64_t size);
  void BeginWindow();
  std::vector<ledger::Statement> Records(std::size_t count);
  std::vector<ledger::Statement> Openings(std::size_t count);
  std::vector<ledger::Statement> Signed(ledger::Kind kind, std::vector<Bytes> payloads, const test::BrokerPerson& by,
                                        const record::Attachments& attachments);

  const std::filesystem::path folder_;
  test::BrokerWorld world_;
  QuickRandom quick_;
  std::unique_ptr<broker::RocksDbStore> store_;
  std::optional<broker::KeptState> kept_;
  ledger::State state_;
  broker::Glances glances_;
  log::Tree tree_;
  broker::JournalWrite write_;
  std::uint64_t kept_at_ = 0;
  Digest charter_;
  std::vector<Digest> to_open_;  // records
  // Of one window: its header, but for what each record has of its own.
  std::optional<record::Header> header_;
  record::Attachments attachments_;
  std::vector<Bytes> wraps_;
  Time window_until_;
};

}  // namespace valija::bench
