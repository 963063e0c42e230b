// What a client believes: checkpoints that continue the pinned one, entries that are proved under them, statements
// whose signatures hold, and a directory folded from proved entries with the rules themselves.
//
// Every answer goes through here before anything in it is used. A view that is no continuation of the pin is a fork:
// the evidence is kept, the profile stops.
#pragma once

#include <functional>
#include <map>

#include "audit/evidence/policies.h"
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
  // Entry index of the purge that erased the statement. Then `statement` is what that left, and the purge stands for its
  // author's signature: texts are "[erased]", a record or a grant has no wraps.
  std::optional<std::uint64_t> erased_by = std::nullopt;
};

class Verifier {
 public:
  explicit Verifier(Profile& profile);

  // Checks the log's signature, by the key in force as far as the directory is folded, and consistency with the pin, and
  // advances the pin.
  // kBadCheckpoint, kBadProof, kFork, kRolledBack.
  Result<log::SignedCheckpoint> Advance(const View& view);
  std::uint64_t verified_size() const;  // what requests send along

  // ---- verifier_witness.cc ----
  // What a quorum of the charter's witnesses vouched for, of all that this profile was ever shown, and whether that is enough.
  struct Witnessing {
    bool asked = false;      // the charter names witnesses
    std::uint64_t size = 0;  // 0: none yet
    Time since;              // the quorum had cosigned by then
    std::optional<Error>
        behind;  // longer ago than the charter allows, or less than what was relied on: kNoQuorum, kStale
  };
  Witnessing witnessing() const;
  const std::string& witnessed_note() const {
    return witnessed_note_;
  }  // the last that such a quorum cosigned, of what this object was shown
  // Is the log that is shown one that they vouched for lately? Both the time counts, and that they have come, within it, to
  // every size that this profile relied on: re-cosigning an old size is no vouching for what grows above it. kNoQuorum,
  // kStale. Ok without witnesses, and where the charter lets openings go without them: then `witnessing` tells. The directory
  // is folded up to what was shown last.
  Status CheckFresh() const;
  // May what this decision allowed be used? kNoQuorum: no quorum has covered its entry, or not by what was shown yet.
  // kBadProof: it says that it goes without, and the charter allows no such thing.
  Status CheckCovered(std::uint64_t index, const ledger::Decision& decision) const;
  // Does the last view itself show that a quorum covers this entry? Who showed it then can release what waited for them.
  bool ShownCovered(std::uint64_t index) const;
  void set_clock(std::function<Time()> now) { now_ = std::move(now); }  // for tests
  // The same of a checkpoint that enough witnesses cosigned, which may be older than the pin: the consistency leads from the
  // smaller of both to the larger.
  Result<log::SignedCheckpoint> TakeCosigned(const View& view);
  // Every policy that the log has had, as far as the directory is folded: with its key, and who had to cosign.
  Result<log::PolicyHistory> Policies() const { return evidence::PoliciesOf(charters_); }
  // A note that was kept: by any key that the log has had. kBadCheckpoint.
  Result<log::SignedCheckpoint> VerifyOlder(std::string_view note) const;

  // Inclusion under `checkpoint`, the parts hold together (proto::CheckLoggedEntry), decision parses.
  Status CheckEntry(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;
  // ... and the statement's signature by the key that its author had in the directory when the entry was made, and that
  // the decision is one about it (see VerifyKept). A standing opening is signed by nobody: whether there is such an order is
  // for the caller to know. kPurged: the statement is erased.
  Result<VerifiedEntry> VerifyEntry(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;
  // The same of what was erased: inclusion, the right form, a decision about it, an author that was active. That what it
  // says is true is for the caller to see, who looks for the purge: CheckPurgedBy.
  Result<VerifiedEntry> VerifyErased(const ProvedEntry& entry, const log::SignedCheckpoint& checkpoint) const;
  // `purge` is verified: it is the purge that `erased` names, it leaves just what is there, and its author may have made it:
  // an administrator of the erased statement's agency, or whoever made the record. kBadProof.
  Status CheckPurgedBy(const proto::LoggedEntry& erased, const VerifiedEntry& of_erased,
                       const VerifiedEntry& purge) const;
  // Both without inclusion, for what this profile has kept since it was proved. The decision must be by the first
  // authority of the charter that was in force, judge what the statement asks, and, but for openings, be no refusal: those are no entries.
  Result<VerifiedEntry> VerifyKept(const proto::LoggedEntry& entry) const;

  // Folds further directory entries (each proved): runs Decide and demands the decision that is logged.
  Status FoldDirectory(const std::vector<ProvedEntry>& entries, const log::SignedCheckpoint& checkpoint);
  // Fetches and folds what is new. If the log's key is one that only an amendment ahead names, and the broker has given up
  // the former, that amendment is the proof of the key: it is signed by the agencies, under the charter that is known.
  Status Refresh(Transport& transport);
  const ledger::State& directory() const { return state_; }
  std::uint64_t directory_entries() const { return next_directory_index_; }  // one more than the index folded last
  // The charter as it was when the entry of this index was decided.
  const ledger::Charter& CharterAt(std::uint64_t index) const;
  std::uint64_t charter_entry() const { return charters_.empty() ? 0 : charters_.back().first; }  // of the one in force
  bool WasAdministrator(const MemberId& member, std::uint64_t index) const;
  // Might this member, when the entry of this index was decided, amend a policy that this key may amend?
  bool MightAmend(const MemberId& member, const KeyId& amend_key, std::uint64_t index) const;
  // The entry that gave this member another key-management key than it had; nullopt: it has its first.
  std::optional<std::uint64_t> RekeyedAt(const MemberId& member) const;

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
    bool administrator = false;
    Point kem_key;
    crypto::VerifyKey signing_key;
  };
  const Period* PeriodAt(const MemberId& member, std::uint64_t index) const;  // nullptr: unknown then
  void Note(const ledger::MemberState& member, std::uint64_t index);
  void NoteChanges(std::uint64_t index);  // after an amendment: whoever came or went with its agency
  void Forget();
  Status CheckDecision(const ledger::Statement& statement, const ledger::Decision& decision, std::uint64_t index) const;
  Result<ledger::VerifiedStatement> VerifyAuthor(const proto::LoggedEntry& entry) const;
  Status Fold(const proto::LoggedEntry& entry);
  Result<log::SignedCheckpoint> AdvanceBy(const View& view, const std::string& log_key);
  Status TakeWitnessed(const View& view, const log::SignedCheckpoint& shown, const log::NoteVerifier& log_key);
  Status JudgeCosigned();
  Status Vouch(std::uint64_t size, Time since);
  void Rely();                 // on what is pinned
  Vouched Remembered() const;  // of the witnesses in force
  // By a key that the directory's entries from this page on name; nothing of them is folded yet.
  Result<log::SignedCheckpoint> AdvanceByKeyAhead(Transport& transport, const EntriesAnswer& page);
  Profile& profile_;
  ledger::State state_;
  std::vector<std::pair<std::uint64_t, ledger::Charter>> charters_;  // from the entry after this one on
  std::map<MemberId, std::vector<Period>> periods_;  // a member that has new keys still signed with its old ones before
  std::uint64_t next_directory_index_ = 0;
  std::optional<std::pair<std::string, std::uint64_t>>
      cosigned_;  // the last note with cosignatures, verified, and its size
  std::string witnessed_note_;
  std::uint64_t shown_covered_ = 0;           // of that: 0, if they are no quorum
  std::optional<Time> to_come_;               // a quorum's time that our clock has not reached
  std::map<std::string, std::uint64_t> who_;  // of the policy, when
  std::function<Time()> now_;
};

}  // namespace valija::client
