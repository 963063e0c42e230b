// State is nothing but the fold of the entries: directory, records with the policies in force, counters, and who
// is concerned by what. decide() reads it; apply() is the only way it changes.
//
// In memory, or kept in rows of a store (rows.h): then what is live is in memory, and of the rest what was asked for of
// late. Not thread-safe: const use from several threads is fine while nobody applies or trims. What an accessor gives holds
// until then.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "core/crypto/keys.h"
#include "core/ledger/entry.h"
#include "core/ledger/rows.h"
#include "core/log/witness_policy.h"

namespace valija::ledger {

// Entry indexes, ascending, growing for ever. The latest stand here, those before them in chunks of their own.
struct EntryList {
  std::uint64_t earlier = 0;  // how many
  std::vector<std::uint64_t> latest;
};

// All of a list. As good as a value of the state that it is of.
class Entries {
 public:
  using Chunk = std::function<const std::vector<std::uint64_t>&(std::uint64_t number)>;
  static constexpr std::size_t kChunk = 128;
  Entries() = default;
  explicit Entries(const std::vector<std::uint64_t>& all) : latest_(&all) {}
  Entries(const EntryList& list, Chunk chunk)
      : earlier_(list.earlier), latest_(&list.latest), chunk_(std::move(chunk)) {}

  std::size_t size() const { return earlier_ + (latest_ == nullptr ? 0 : latest_->size()); }
  bool empty() const { return size() == 0; }
  std::uint64_t operator[](std::size_t at) const {
    return at < earlier_ ? chunk_(at / kChunk)[at % kChunk] : (*latest_)[at - earlier_];
  }
  std::uint64_t back() const { return latest_->back(); }  // of one that is not empty
  std::size_t LowerBound(std::uint64_t from) const;  // where the first one at or above `from` stands; size(): nowhere
  bool Contains(std::uint64_t index) const;
  std::vector<std::uint64_t> All() const;

 private:
  std::uint64_t earlier_ = 0;
  const std::vector<std::uint64_t>* latest_ = nullptr;
  Chunk chunk_;
};

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
  std::vector<EpochState> epochs;          // epoch n at n-1
  bool left = false;                       // no party to the charter any more: nobody of it is active
  std::vector<KeyId> last_administrators;  // signing keys of who administered it when it left: they may bring it back
  const EpochState* current() const { return epochs.empty() ? nullptr : &epochs.back(); }
  const EpochState* by_key(const KeyId& id) const;
};

struct PortionState {
  std::uint32_t number = 0;
  std::shared_ptr<const policy::Policy> policy;  // in force
  Hash policy_digest;
  Hash shared_policy;                 // under what all portions that have it share it; zeros: it is this one's alone
  std::uint64_t policy_sequence = 0;  // 0: the header's
  KeyId amend_key_id;
  std::vector<std::pair<AgencyId, KeyId>> recipients;  // who holds a wrap: agency and epoch key id; no decoys
  // Granted, per agency and in all; those of what a recipient passed on (IsPassedOn) count here and there.
  std::map<AgencyId, std::uint32_t> openings;
  std::uint32_t openings_in_all = 0;
};

// A member that was granted an opening.
struct HolderState {
  std::uint64_t opened = 0;             // entry index of the first one
  std::optional<std::uint64_t> erased;  // of its acknowledgement that it erased
};

// A record, or a grant of one: recipients that came later, under a header of their own.
struct RecordState {
  std::uint64_t index = 0;                                          // of its entry
  MemberId originator;                                              // who made it; of a grant too
  AuthorityId authority;                                            // the first of its header
  std::vector<PortionState> portions;                               // ascending by number
  std::optional<Digest> grant_of;                                   // the original, if this is a grant
  std::vector<Digest> grants;                                       // of this record, in the log's order
  std::optional<std::uint64_t> revoked_at, recalled_at, purged_at;  // entry indexes
  std::vector<Hash> body_roots;                                     // by portion; of a record only
  std::map<MemberId, HolderState> holders;
  EntryList entries;  // about this record: itself, openings, acknowledgements, .. (State::entries_of)

  std::optional<Digest> in_reply_to;
  Time time;                                  // of its entry
  std::optional<Time> due;                    // it asks for an answer by then
  std::map<AgencyId, std::uint64_t> replies;  // each agency's first one: entry index; those to a grant are here too
  std::vector<Digest> sources;                // what it derives from

  RecordState(MemberId by, AuthorityId first) : originator(std::move(by)), authority(std::move(first)) {}
  const PortionState* portion(std::uint32_t number) const;
};

// An open that was refused for nothing but missing approvals, of some portions at least.
struct PendingRequest {
  std::uint64_t index = 0;
  MemberId author;
  std::vector<OpenItem> items;  // those that wait
  std::string purpose, case_reference;
  Time expires;  // it waits until then, and its approvals are good so long
  struct Said {
    ApprovalVerdict verdict = ApprovalVerdict::kApprove;
    std::uint64_t index = 0;
    KeyId key{};  // that signed it: a yes counts while it is the approver's
  };
  std::map<MemberId, Said> said;  // the last word of each approver; a withdrawal removes it
  bool used = false;              // an opening was granted under it

  explicit PendingRequest(MemberId by) : author(std::move(by)) {}
};

struct EmergencyState {
  std::uint64_t index = 0;
  MemberId author;
  std::vector<Digest> records;        // that were opened, ascending
  std::vector<AgencyId> originators;  // of those, ascending
  std::optional<std::uint64_t> reviewed;
};

struct AccessRequestState {
  std::uint64_t index = 0;
  AccessRequest request;
  std::optional<std::uint64_t> answered;  // by a grant or an answer
};

struct OrderState {
  std::uint64_t index = 0;
  StandingOrder order;
  KeyId signing_key_id;                // of its author when it was made
  std::optional<std::uint64_t> ended;  // by a revocation
  std::uint64_t opened = 0;            // records under it, each once (State::opened_under)
  std::set<AgencyId> originators{};    // of those: they may see the order that stands behind the openings
};

struct Nothing {};  // of a map: it is there

// A look-up that may still be read for.
struct LookupState {
  std::uint64_t index = 0;
  MemberId author;
  std::uint64_t from_index = 0, end_index = 0;  // end 0: and whatever comes
  Time expires;
  bool joint = false;  // made as a joint auditor: every agency was told
};

// A statement of the log, by its digest.
struct KnownStatement {
  std::uint64_t index = 0;
  Kind kind = Kind::kCharter;
  const MemberId* author = nullptr;        // a charter and its amendments have none; of a standing opening its order's
  std::optional<std::uint64_t> erased_by;  // entry index of the purge
  // Of a statement that holds texts: the records (and grants) that it is about, ascending; and of an approval, a review
  // and an answer the request.
  std::vector<Digest> about;
  std::optional<Digest> request;
  unsigned purges = 0;  // of a purge: how many are below it, the one erasing the other
  // Of an opening that was granted, the request that was approved for it and an order that opened something: in whole hours
  // since 1970, until when the reasons that were given are kept (kKept).
  std::uint32_t kept_until = 0;
};

// Access requests of one member in a day. How many of them were answered does not count: whoever is refused must not be
// told so by being let ask again.
inline constexpr std::size_t kMostAccessRequests = 64;

// Nobody answers after it: an access request does not wait for ever.
inline constexpr Duration kSilence = std::chrono::hours(24 * 30);

// So long the originator's side, the auditors and a court can read why somebody opened, and who let it, whatever the
// opener's side would rather erase.
inline constexpr Duration kKept = std::chrono::hours(24 * 365);

// Standing orders of one agency, openings of one member that wait for approvals, grants of one record that one agency made
// and that have not ended, and that it ever made: whoever looks at a record looks at all of its grants.
inline constexpr std::size_t kMostOrdersOfAgency = 64, kMostWaiting = 64, kMostGrants = 256, kMostGrantsEver = 4096;

// Look-ups of one member that have not expired.
inline constexpr std::size_t kMostLookups = 1024;

// A purge's own text may be purged, and so on: every reader follows as many as there can be.
inline constexpr unsigned kMostPurgesOfPurges = 7;

// One person may be several members of an agency: "us.dea/#rivera-j", or the member's own id where no person is told.
std::string PersonOf(const MemberRecord& member);

class State {
 public:
  // ---- directory ----
  const Charter* charter() const;                    // nullptr before entry 0
  const Digest& charter_digest() const;              // of entry 0: the log's name, pinned by clients
  const log::WitnessPolicy* witness_policy() const;  // of the charter in force; nullptr: there are no witnesses
  const Digest& charter_statement() const;           // of the charter or the amendment in force
  std::uint64_t size() const;                        // one more than the index applied last
  Time latest() const;                               // the greatest entry time applied; 1970 before entry 0
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
  const std::vector<std::uint64_t>& directory_entries() const;  // charter, its amendments, enrolments, epochs
  // Whose signing key this is or was; a member keeps what its former keys may do. nullptr: nobody's.
  const MemberState* owner_of_signing_key(const KeyId& id) const;
  // Is this the authority's release key, or one that was replaced less than the charter's grace ago?
  bool release_key_taken(const AuthorityId& authority, const KeyId& id, Time now) const;
  // Every log key there was: from which entry index on a checkpoint is signed with it.
  const std::vector<std::pair<std::uint64_t, std::string>>& log_keys() const;

  // ---- records ----
  const RecordState* record(const Digest& digest) const;  // or a grant
  // The record itself: of a grant its original.
  const RecordState& original(const RecordState& record) const;
  bool ended(const RecordState& record) const;  // revoked or purged, or of a grant its original is
  // A grant by another agency than the original's originator's: its openings are the original's too.
  bool IsPassedOn(const RecordState& record) const;
  bool body_used(const Hash& root) const;  // by a record, purged or not: a body belongs to one
  bool body_purged(const Hash& root) const;
  std::optional<std::uint64_t> statement_index(const Digest& digest) const;  // any statement of the log
  const KnownStatement* statement(const Digest& digest) const;
  bool header_used(const Hash& ctx) const;
  bool request_used(const MemberId& member, const Nonce& request) const;  // until the request expires

  // ---- what waits ----
  const PendingRequest* pending(const Digest& open) const;      // also when it was used, or its time is over
  const std::map<Digest, PendingRequest>& all_pending() const;  // those that may still wait
  const EmergencyState* emergency(const Digest& open) const;
  const std::map<Digest, EmergencyState>& emergencies() const;  // those that nobody has reviewed
  const Digest* emergency_of(const std::string& person) const;  // the open one that locks this person (or member id)
  // Has this member, or another that is the same person, made one that is open? A person is who it was then and who it is now.
  bool emergency_locked(const MemberRecord& member) const;
  const AccessRequestState* access_request(const Digest& digest) const;
  const std::map<Digest, AccessRequestState>& access_requests() const;  // no answer yet, nor kSilence
  // The entry times of this member's last requests, kMostAccessRequests at most; nullptr: none.
  const std::deque<Time>* access_times(const MemberId& member) const;
  // The least strict marking that the originator of `source` (or of its original) allows this agency for what it derives.
  std::optional<policy::Tlp> consent(const Digest& source, const AgencyId& agency) const;
  // What is open, so that nobody goes through all that ever was: by the originator's agency its records' access requests, by
  // entry index, without an answer and younger than kSilence; by agency the records that ask it; by member what was recalled
  // after it opened it. What has ended meanwhile may still be among them.
  std::vector<std::pair<std::uint64_t, Digest>> open_access_requests(const AgencyId& originator) const;
  std::vector<Digest> asking(const AgencyId& agency) const;
  std::vector<Digest> to_erase(const MemberId& member) const;
  const LookupState* lookup(const Digest& digest) const;  // until it has expired
  std::size_t lookups_of(const MemberId& member) const;   // that have not expired
  const OrderState* order(const Digest& digest) const;
  const std::map<Digest, OrderState>& orders() const;  // those of standing_orders
  bool opened_under(const Digest& order, const Digest& record) const;
  // By author, those that nobody has ended; some may have expired. Never many, however many there were.
  const std::map<MemberId, std::vector<Digest>>& standing_orders() const;

  // May this member know that the record exists? (originator's agency, in the audience of a portion of it or of a grant, or
  // who has opened it)
  bool visible_to(const RecordState& record, const MemberId& member) const;
  // Entries that concern an agency (as author's agency, originator's, or recipient's), ascending; for mailboxes. An
  // opening concerns the originators' agencies too, also when it was refused; the charter concerns every agency.
  Entries entries_for(const AgencyId& agency) const;
  Entries entries_of(const RecordState& record) const;  // about it

  // ---- in rows of a store ----
  // Of an empty state: what does not stand in memory is read there, from here on.
  void KeepIn(const RowSource& rows);
  // The state whose rows these are. RowsDamaged.
  static State From(const RowSource& rows);
  // The rows that changed since the last call; only when all of them are written, in one write, and the `rows` have them,
  // may it be trimmed. For who applies, while others read.
  std::vector<Row> TakeRows();
  std::size_t cached() const;   // bytes, about, of what may be read again; from any thread
  void Trim(std::size_t most);  // with nobody reading

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
// receipt answers it. The rules of each kind stand in decide*.cc and in docs/formats.md. `unwitnessed`: an opening that is to
// be released without the quorum of witnesses, as the charter must allow (else kNoQuorum); whether the quorum is missing is
// for the broker to know.
Result<Decision> Decide(const State& state, const VerifiedStatement& statement, Time now, const AuthorityId& authority,
                        const Nonce& nonce, bool unwitnessed = false);

// For VerifyCharterAmendment: the signing key of an active administrator, or of one whom the amendment names for an agency
// that joins. Keep the state as long as the lookup.
SignerLookup CharterSigner(const State& state, const CharterAmendment& amendment);

// What a member could do with a portion if it asked now, by the same rules as Decide: the reasons against it. For
// explaining a policy before a record is sent: the record need not be in the log.
std::vector<Reason> WhyNot(const State& state, const policy::Policy& policy, const MemberId& member,
                           const std::string& purpose, const std::string& case_reference, Time now);

// The same of a portion of a record that is in the log: kNotEnrolled, kPurged, kRevoked, and the rules of an opening but
// approvals. The record is visible to the member.
std::vector<Reason> WhyNotOpen(const State& state, const RecordState& record, const PortionState& portion,
                               const MemberId& member, const std::string& purpose, const std::string& case_reference,
                               Time now);

// What the approvals that stand say of this portion: nothing against it, approval-missing, or rejected.
std::vector<Reason> JudgeApprovals(const State& state, const RecordState& record, const policy::Policy& policy,
                                   const PendingRequest& request);
// Is this member one whose approval counts for some portion that the request waits for?
bool MayApprove(const State& state, const PendingRequest& request, const MemberId& member);
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
