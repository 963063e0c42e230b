// What a client believes: checkpoints that continue the pinned one, entries that are proved under them, statements
// whose signatures hold, and a directory folded from proved entries with the rules themselves.
//
// Every answer goes through here before anything in it is used. A view that is no continuation of the pin is a fork:
// the evidence is kept, the profile stops.
#pragma once

#include "client/profile.h"
#include "client/transport.h"
#include "core/crypto/dsse.h"
#include "core/ledger/state.h"

namespace valija::client {

// An entry whose inclusion under a verified checkpoint was checked, with its statement's signature verified.
struct VerifiedEntry {
  ledger::EntryHead head;
  ledger::VerifiedStatement statement;
  ledger::Decision decision;
};

class Verifier {
 public:
  explicit Verifier(Profile& profile);

  // Checks the log's signature and consistency with the pin (or with `from`, in a stream), and advances the pin.
  // kBadCheckpoint, kBadProof, kFork, kRolledBack.
  Result<log::SignedCheckpoint> Advance(const View& view);
  std::uint64_t verified_size() const;   // what requests send along

  // Inclusion under `checkpoint`, the parts hold together (proto::CheckLoggedEntry), decision parses.
  Status CheckEntry(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;
  // ... and the statement's signature by its author's key from the directory.
  Result<VerifiedEntry> VerifyEntry(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;

  // Folds further directory entries (each proved): runs Decide and demands the decision that is logged.
  Status FoldDirectory(const std::vector<ProvedEntry>& entries, const log::SignedCheckpoint& checkpoint);
  Status Refresh(Transport& transport);  // fetches and folds what is new
  const ledger::State& directory() const { return state_; }

  // A receipt for my own statement: its digest, accepted, included under the view's checkpoint.
  Result<ledger::Decision> CheckReceipt(const proto::Receipt& receipt, const Digest& statement,
                                        const log::SignedCheckpoint& checkpoint) const;

 private:
  Result<ledger::VerifiedStatement> VerifyAuthor(const proto::LoggedEntry& entry) const;
  Status Fold(const proto::LoggedEntry& entry);
  Profile& profile_;
  log::NoteVerifier log_key_;
  ledger::State state_;
  std::uint64_t next_directory_index_ = 0;
};

}  // namespace valija::client
