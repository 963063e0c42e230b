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
  std::uint64_t verified_size() const;  // what requests send along

  // Inclusion under `checkpoint`, the parts hold together (proto::CheckLoggedEntry), decision parses.
  Status CheckEntry(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;
  // ... and the statement's signature by the key that its author had in the directory when the entry was made, and that
  // the decision is one about it (see VerifyKept).
  Result<VerifiedEntry> VerifyEntry(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;
  // The same without inclusion, for what this profile has kept since it was proved. The decision must be by the charter's
  // first authority, judge what the statement asks, and, but for openings, be no refusal: those are no entries.
  Result<VerifiedEntry> VerifyKept(const proto::LoggedEntry& entry) const;

  // Folds further directory entries (each proved): runs Decide and demands the decision that is logged.
  Status FoldDirectory(const std::vector<ProvedEntry>& entries, const log::SignedCheckpoint& checkpoint);
  Status Refresh(Transport& transport);  // fetches and folds what is new
  const ledger::State& directory() const { return state_; }

  // A receipt for my own statement: its digest, decided by the charter's first authority, included under the view's
  // checkpoint. What was decided of an open is for the caller to look at.
  Result<ledger::Decision> CheckReceipt(const proto::Receipt& receipt, const Digest& statement,
                                        const log::SignedCheckpoint& checkpoint) const;
  // ... of any other kind: and accepted.
  Result<ledger::Decision> CheckAccepted(const proto::Receipt& receipt, const Digest& statement,
                                         const log::SignedCheckpoint& checkpoint) const;

 private:
  // What the directory said of a member from the entry after this one on.
  struct Period {
    std::uint64_t from = 0;
    bool active = false;
    crypto::VerifyKey signing_key;
  };
  void Note(const ledger::MemberRecord& member, std::uint64_t index);
  Status CheckDecision(const ledger::Statement& statement, const ledger::Decision& decision) const;
  Result<ledger::VerifiedStatement> VerifyAuthor(const proto::LoggedEntry& entry) const;
  Status Fold(const proto::LoggedEntry& entry);
  Profile& profile_;
  log::NoteVerifier log_key_;
  ledger::State state_;
  std::map<MemberId, std::vector<Period>> periods_;  // a member that has new keys still signed with its old ones before
  std::uint64_t next_directory_index_ = 0;
};

}  // namespace valija::client
