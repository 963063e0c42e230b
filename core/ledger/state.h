// State is nothing but the fold of the entries: directory, records with the policies in force, counters, and who
// is concerned by what. decide() reads it; apply() is the only way it changes.
//
// In memory; a record costs a few hundred bytes, bodies and statements are not in here. Not thread-safe: const use
// from several threads is fine while nobody applies.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "core/crypto/keys.h"
#include "core/ledger/entry.h"

namespace valija::ledger {

struct MemberState {
  MemberRecord record;
  Digest enrolment;  // statement that made it so (the charter's for first administrators)
  std::uint64_t enrolment_index = 0;
  crypto::VerifyKey signing_key;
};

struct EpochState {
  std::uint64_t epoch = 0;
  Point public_key;
  KeyId key_id;
  Digest statement;
  Digest previous;
  std::uint64_t index = 0;  // of its entry
  Time not_after;
  std::optional<Time> superseded_at;  // entry time of the next epoch
  std::map<MemberId, EpochWrap> wraps;
};

struct AgencyState {
  CharterAgency charter;
  std::vector<EpochState> epochs;  // epoch n at n-1
  const EpochState* current() const { return epochs.empty() ? nullptr : &epochs.back(); }
  const EpochState* by_key(const KeyId& id) const;
};

struct PortionState {
  std::shared_ptr<const policy::Policy> policy;
  Hash policy_digest;
  std::uint64_t policy_sequence = 0;
  std::vector<std::pair<AgencyId, KeyId>> recipients;  // by commitment index: agency and epoch key id
  std::map<AgencyId, std::uint32_t> openings;          // granted, per agency
  std::uint32_t openings_in_all = 0;
};

struct RecordState {
  std::uint64_t index = 0;  // of its entry
  MemberId originator;
  AuthorityId authority;  // the first of its header
  std::vector<PortionState> portions;
  std::optional<std::uint64_t> revoked_at;  // entry index
  std::vector<std::uint64_t> entries;       // about this record, ascending: itself, openings, acks, revocation
};

class State {
 public:
  // ---- directory ----
  const Charter* charter() const;  // nullptr before entry 0
  const Digest& charter_digest() const;
  std::uint64_t size() const;  // one more than the index applied last
  Time latest() const;         // the greatest entry time applied; 1970 before entry 0
  const AgencyState* agency(const AgencyId& id) const;
  const MemberState* member(const MemberId& id) const;
  const MemberState* active_member(const MemberId& id) const;    // nullptr if removed or unknown
  const MemberState* member_by_auth_key(const KeyId& id) const;  // active ones only
  const std::map<MemberId, MemberState>& members() const;
  const std::map<AgencyId, AgencyState>& agencies() const;
  bool is_joint_auditor(const MemberId& id) const;  // named by the charter, and active
  bool key_in_use(const KeyId& id) const;  // one key, one use: any auth, signing, KEM, epoch or release key so far
  // May this member have this key for this use? Yes if nobody had it, or this member had it for the same use.
  enum class KeyUse : std::uint8_t { kAuth, kSigning, kKem, kEpoch, kRelease };
  bool key_free_for(const KeyId& id, KeyUse use, const MemberId& member) const;
  const std::vector<std::uint64_t>& directory_entries() const;  // charter, enrolments, epochs

  // ---- records ----
  const RecordState* record(const Digest& digest) const;
  std::optional<std::uint64_t> statement_index(
      const Digest& digest) const;  // any accepted one; an open until it expires
  bool header_used(const Hash& ctx) const;
  bool request_used(const MemberId& member, const Nonce& request) const;  // until the request expires

  // May this member know that the record exists? (originator's agency, or in the audience of a portion)
  bool visible_to(const RecordState& record, const MemberId& member) const;
  // Entries that concern an agency (as author's agency, originator's, or recipient's), ascending; for mailboxes. An
  // opening concerns the originators' agencies too, also when it was refused; the charter concerns every agency.
  const std::vector<std::uint64_t>& entries_for(const AgencyId& agency) const;

  State();
  ~State();
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;

 private:
  friend void Apply(State& state, const Entry& entry);
  struct Data;
  std::unique_ptr<Data> data_;
};

// What the rules say of this statement at this time, with reasons. An Error is a refusal that is no entry; an open
// that is well-formed and authentic always gives a Decision (a refused opening is an entry too). Pure: the same
// arguments give the same decision on every machine. `nonce` goes into the decision. `authority` is who decides.
//
// A removed or unknown member can do nothing (kNotEnrolled). A statement that was accepted before is kExists: its old
// receipt answers it. The rules of each kind stand in decide*.cc and in docs/formats.md.
Result<Decision> Decide(const State& state, const VerifiedStatement& statement, Time now, const AuthorityId& authority,
                        const Nonce& nonce);

// May what was decided be released once more, to who lost the answer? Nothing is decided anew and no limit is counted
// again; but whatever would refuse the request today stops it: its own expiry, an author that was removed or has another
// key, a revocation, attributes that were lost, a window that ended. One allowed portion that does not stand any more
// stops the whole release. Ok says nothing of whether the decision is of the log: that is for the caller to know.
Status CheckReleaseAgain(const State& state, const Open& open, const Decision& decision, Time now);

// The next state. The entry's index must be at least state.size() (brokers and auditors see every entry and check that
// it is equal; a client folds the directory's entries alone, with gaps); throws on an entry that Decide would not have
// made possible (auditor and client call Decide first).
void Apply(State& state, const Entry& entry);

}  // namespace valija::ledger
