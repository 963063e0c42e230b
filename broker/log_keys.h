// The log's signing keys. A charter amendment may name another log key than the one before; from that entry on checkpoints
// are signed with the new one, and with every former one that the broker still has, so that whoever knows only a former
// charter can follow the log to the amendment.
// Thread-safety: values that do not change.
#pragma once

#include <vector>

#include "core/crypto/keys.h"
#include "core/ledger/state.h"
#include "core/log/note.h"

namespace valija::broker {

// All that the broker has; the keys outlive this. One that no charter named yet may be among them.
class LogKeys {
 public:
  LogKeys(const crypto::Ed25519SignKey& key) : keys_{&key} {}  // NOLINT(google-explicit-constructor): one is a list
  explicit LogKeys(const std::vector<crypto::Ed25519SignKey>& keys) {
    for (const auto& key : keys) keys_.push_back(&key);
  }
  const crypto::Ed25519SignKey* Find(std::string_view vkey) const;  // nullptr: the broker has it not
  // A checkpoint that some of the keys signed, of whatever origin: that is for the caller to compare. kBadCheckpoint.
  Result<log::Checkpoint> Read(const std::string& note) const;
  const std::vector<const crypto::Ed25519SignKey*>& all() const { return keys_; }

 private:
  std::vector<const crypto::Ed25519SignKey*> keys_;
};

class LogSigner {
 public:
  LogSigner() = default;
  // The key of the charter in force, and former ones. kBadConfiguration: the broker has not the former.
  static Result<LogSigner> For(const ledger::State& state, const LogKeys& keys);
  log::SignedCheckpoint Sign(const log::Checkpoint& checkpoint) const;

 private:
  std::vector<const crypto::Ed25519SignKey*> keys_;  // the charter's first
};

}  // namespace valija::broker
