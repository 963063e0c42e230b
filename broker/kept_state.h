// What the journal's entries made of the state, kept beside the journal, so that a start reads what is live and folds what
// came since, and memory does not grow with the log. It is derived: whatever is wrong with it, the log is folded anew.
//
// It must not become a way to lie to the broker. Each row bears a tag under a key that is derived from one of the log's
// keys, and says under which key it stands; a head, which bears one too, says of which log and which tree it is. A row
// that was not written by this broker, for this state, in this generation is damage. What tags cannot show is an older row of
// the same generation in the place of a newer one, or a row that was taken away: whoever suspects that somebody had the disk
// folds the log anew (valija-broker check).
//
//   '!'   head: "valija-state-1" || log key (32) || generation (16) || the Stand || tag
//   'g'   glances (glance.h)
//   else  core/ledger/state_rows.cc
//
// Thread-safety: Get and Scan from any thread, Forget too; the rest is the sequencer's.
#pragma once

#include <mutex>
#include <vector>

#include "broker/log_keys.h"
#include "broker/storage/storage.h"
#include "core/crypto/random.h"
#include "core/crypto/secret.h"
#include "core/ledger/rows.h"

namespace valija::broker {

class KeptState final : public ledger::RowSource {
 public:
  KeptState(Rows& rows, const LogKeys& keys, crypto::Random& random) : rows_(rows), log_keys_(keys), random_(random) {}

  struct Stand {
    std::string origin;
    std::uint64_t size = 0;  // of the log, when it was written
    Hash root;
    std::vector<std::uint64_t> unfinished_purges;  // entries, ascending
    bool whole = true;  // else a fold was under way, which may yet find that something is wrong: not to be used
  };
  // Where it stands. kNotReady: there is none. kCorrupt: it is damaged, of another version, or under no key of the broker's.
  Result<Stand> Open();
  Status Clear();  // everything, for another generation
  // All or nothing; before any later append is durable it is too. `purged`: texts that stood in rows are erased.
  Status Write(std::vector<ledger::Row> rows, const Stand& stand, bool purged = false);
  void Forget();  // the next start folds the log anew; nothing is written any more

  std::optional<Bytes> Get(ByteView key) const override;
  void Scan(std::uint8_t first, const Take& take) const override;

 private:
  using Tag = Fixed<struct RowTag, 16>;
  using Generation = Fixed<struct GenerationTag, 16>;
  void UseKey(const crypto::Ed25519SignKey& key, const Generation& generation);
  Tag TagOf(ByteView key, ByteView value) const;
  ByteView Opened(ByteView key, ByteView row) const;  // RowsDamaged

  Rows& rows_;
  const LogKeys log_keys_;
  crypto::Random& random_;
  std::mutex writing_;
  bool forgotten_ = false;
  Bytes name_;  // the head's beginning: what it says in clear
  crypto::Secret rows_key_;
};

}  // namespace valija::broker
