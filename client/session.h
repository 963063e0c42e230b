// The session behind client/valija.h, in core types: one profile, its unlocked keys, one broker. Split by subject in
// session_*.cc.
//
// Tests give it another Transport: a broker that lies.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "audit/evidence/receipt.h"
#include "client/mail.h"
#include "client/profile.h"
#include "client/transport.h"
#include "client/valija.h"
#include "client/verifier.h"
#include "core/crypto/random.h"
#include "core/log/tree.h"
#include "core/record/kept.h"
#include "core/record/seal.h"
#include "core/record/window.h"

namespace valija::client {

inline constexpr std::string_view kRequestDetail = "request ";  // of an approval that is missing; then the request's id

struct FoundEntry;

Failure ToFailure(const Error& error);
template <class T>
Outcome<T> ToOutcome(Result<T> result) {
  if (!result) return ToFailure(result.error());
  return *std::move(result);
}
TimePoint ToTimePoint(Time time);
Result<policy::Policy> PolicyOf(const std::string& text);  // kBadPolicy: every error of it, by line
// After some failures nobody knows whether the statement is in the log: the error then says so, and where to look before
// it is made anew. Other errors stay as they are.
Error Unsettled(Error error, const ledger::Envelope& envelope, bool lost);

class SessionCore {
 public:
  SessionCore(Profile profile, Keyring keys, std::unique_ptr<Transport> transport);
  SessionCore(const SessionCore&) = delete;

  // kNoQuorum, kStale: the witnesses have not vouched for the log lately (Verifier::CheckFresh).
  Status Refresh() {
    TRY_OK(RefreshAnyAge());
    return any_age_ ? Ok() : WaitFresh();
  }
  // For what carries its own proof of who vouched for it: receipts and bundles.
  Status RefreshAnyAge() {
    ForgetOldWindow();
    return verifier_.Refresh(*transport_);
  }
  // A log of any age is read from here on: for a look before something is stopped or taken back. What binds others anew (to
  // send, open, grant, approve, consent, review, order, enrol) asks for its age all the same.
  void set_any_age(bool any) { any_age_ = any; }
  void set_clock(std::function<Time()> now) { verifier_.set_clock(std::move(now)); }  // for tests: of the log's age
  void set_pause(std::chrono::milliseconds pause) { pause_ = pause; }                 // for tests
  Result<WhoAmI> Me();
  Witnessing Witnessed() const;
  Result<std::vector<AgencyInfo>> Directory();

  // ---- session_explain.cc ----
  Result<std::vector<PortionPreview>> Preview(const Draft& draft);
  Result<std::vector<PortionExplained>> Explain(const Draft& draft, const std::string& purpose,
                                                const std::string& case_reference);

  Result<std::vector<PortionExplained>> ExplainRecord(const std::string& record, const std::string& purpose,
                                                      const std::string& case_reference);

  // ---- session_send.cc ----
  Result<std::vector<Result<SentRecord>>> Send(const std::vector<Draft>& drafts, const Progress& progress);

  // ---- session_open.cc ----
  Result<std::vector<Result<OpenedPortion>>> Open(const std::vector<OpenRequest>& requests, const Progress& progress);

  // ---- session_mail.cc ----
  Status Sync();  // fetches what is new in the mailbox, verifies and keeps it
  Result<std::vector<InboxItem>> Inbox();
  Result<std::vector<InboxItem>> SentItems();
  // `between`: called before each stream, when the log was just looked at; how long the stream may last at most (0: as long as
  // the log stays fresh), or nullopt: no more of them.
  Status Follow(const std::function<bool(const NewsItem&)>& item,
                const std::function<std::optional<std::chrono::milliseconds>()>& between = {});
  Result<Digest> Resolve(const std::string& id_or_prefix);  // of a record; kNotFound, kAmbiguous, kUsage

  // ---- session_news.cc ----
  Result<std::vector<NewsItem>> Custody(const std::string& record);

  // ---- session_request.cc ----
  Result<std::vector<WaitingItem>> Waiting();
  Result<WaitingItem> Request(const std::string& id);
  Result<NewsItem> Say(const std::string& request, ledger::ApprovalVerdict verdict, const std::string& why);
  Result<NewsItem> Review(const std::string& request, bool justified, const std::string& why);
  Result<NewsItem> RequestAccess(const AccessDraft& draft);
  Result<NewsItem> Answer(const std::string& request, const std::string& marking, const std::string& why);

  // ---- session_life.cc ----
  Result<NewsItem> Acknowledge(const std::string& record, const std::string& outcome);
  Result<NewsItem> Revoke(const std::string& record, const std::string& why, bool recall = false);
  Result<NewsItem> Amend(const std::string& record, std::uint32_t portion, const std::string& policy_text);
  Result<NewsItem> Purge(const std::vector<std::string>& ids, const std::string& why);

  // ---- session_grant.cc ----
  Result<NewsItem> Grant(const GrantDraft& draft);

  // ---- session_order.cc ----
  Result<NewsItem> StandingOrder(const OrderDraft& draft);
  Result<NewsItem> EndOrder(const std::string& order);
  Result<std::vector<OrderInfo>> Orders();
  Status FollowReleased(std::uint64_t from_entry, const std::filesystem::path& folder,
                        const std::function<bool(const Released&)>& released,
                        const std::function<void(const std::string&)>& waiting = {});
  std::uint64_t NextReleased() const { return profile_.followed(); }

  // ---- session_admin.cc ----
  Result<std::vector<Session::EnrolmentChange>> EnrolmentChanges(const std::filesystem::path& card,
                                                                 const Session::EnrolOptions& options);
  Result<NewsItem> Enrol(const std::filesystem::path& card, const Session::EnrolOptions& options);
  Result<NewsItem> Remove(const std::string& member) { return End(member, ledger::MemberStatus::kRemoved); }
  Result<NewsItem> Suspend(const std::string& member) { return End(member, ledger::MemberStatus::kSuspended); }
  Result<NewsItem> Resume(const std::string& member);
  Result<NewsItem> GrantEpochs(const std::string& member);
  Result<NewsItem> RotateEpoch();
  Result<NewsItem> SubmitCharterAmendment(const std::string& envelope);

  // ---- session_receipt.cc ----
  Result<std::string> WitnessPolicies();
  Result<std::string> LastCheckpoint();
  Result<SavedReceipt> SaveReceipt(const ReceiptRequest& request);

  // ---- session_bundle.cc ----
  Result<SavedBundle> SaveBundle(const BundleRequest& request);

  // ---- session_export.cc ----
  Result<std::uint64_t> ExportLog(const std::filesystem::path& folder, const std::string& why,
                                  const Progress& progress);

 private:
  struct Prepared;
  struct SealedBody;
  struct Wanted;
  struct Asked;
  Time Now() const;
  ledger::Authorship By();  // fresh nonce, now
  // Once the directory was fetched:
  const ledger::Charter& Terms() const { return *verifier_.directory().charter(); }
  Result<const ledger::AgencyState*> MyAgency() const;  // kNotAuthorised: it is not, or no longer, in the charter

  // Within it the log's age matters or does not: what only stops and takes back must not wait for the witnesses, and nothing
  // that has to be done when they are gone for good.
  struct AnyAge {
    explicit AnyAge(SessionCore& session, bool any = true) : of(session), before(std::exchange(of.any_age_, any)) {}
    AnyAge(const AnyAge&) = delete;
    AnyAge& operator=(const AnyAge&) = delete;
    ~AnyAge() { of.any_age_ = before; }
    SessionCore& of;
    const bool before;
  };
  Status WaitFresh();  // a moment, for a broker that was just started or has new witnesses
  // Says in the log what I am about to read of it, unless (or `anew`) one of mine in force says so for the same reason; its digest.
  Result<Digest> LookUpEntries(std::uint64_t from, std::uint64_t end, const std::string& why, bool anew = false);
  // Signs directly, posts, verifies the receipt.
  Result<VerifiedEntry> PostDirect(ledger::Kind kind, Bytes payload, record::Attachments attachments = {});
  Result<const VerifiedEntry*> FindErasable(const Digest& digest);
  // As far as can be seen from here; the broker may know better. Something of it, or of a grant of it, can still be opened.
  bool Stands(const VerifiedEntry& record);
  Status MayErase(const VerifiedEntry& entry);
  Result<VerifiedEntry> Erase(const Digest& digest, const std::string& why);  // by a purge of its own
  // The digest under which that will be known, for what has to be kept before it is posted.
  static Digest DigestOf(ledger::Kind kind, ByteView payload);
  Result<VerifiedEntry> PostSigned(ledger::Envelope envelope, record::Attachments attachments);
  // Posts, up to three times while there is no answer or the pool is full, but not from `until` on (a statement posted
  // twice is accepted once). Sets `lost` if an attempt ended without an answer: whatever is said after that, the statements
  // may be in the log, or come there. `meanwhile`: is done once, while the first attempt is on its way.
  Result<PostAnswer> PostPatiently(const std::vector<Submission>& submissions, bool& lost, Time until = Time::max(),
                                   const std::function<void(const std::string&)>& waiting = {},
                                   const std::function<void()>& meanwhile = {});
  std::chrono::milliseconds StreamLasts() const;  // 0: as long as it will
  // Whether a stream that ended so is begun again: at its greatest age the broker ends each, and it may be restarting.
  // Waits before it says yes, longer each time that nothing came of the last stream: under two minutes in all.
  bool AnotherStream(const Error& why, bool progress, int& fruitless) const;
  Result<const crypto::KemPrivateKey*> EpochKey(const KeyId& id);
  const crypto::KemPrivateKey* KemKey(const KeyId& id) const;  // mine, of now or before a renewal; nullptr: neither
  // sent.log and orders.log, by the keys of before a renewal too.
  KeptSecret SealForMyself(record::Kept what, const Digest& statement, const crypto::Secret& secret);
  Result<crypto::Secret> OpenKept(record::Kept what, const Digest& statement) const;

  Result<std::vector<record::Recipient>> RecipientsOf(const policy::Policy& policy) const;
  // inline_left: of the bodies that may still be kept in memory for this Send; counted down.
  Result<std::unique_ptr<Prepared>> Prepare(const Draft& draft, std::size_t& inline_left, const Progress& progress);
  Status UploadBodies(const Prepared& prepared, const Progress& progress);
  Result<record::ReleaseAuthority> Authority() const;  // that decides here
  Result<record::Window*> WindowForNextRecord();
  void ForgetOldWindow() {  // its secrets are not kept longer than it may be used
    if (window_ && Now() - window_made_ >= record::Window::kLifetime) window_.reset();
  }

  // What is to be opened, looked up and verified.
  Result<std::unique_ptr<Wanted>> Want(const Digest& record, std::uint32_t portion, std::size_t place);
  // One request for portions whose records are of one originator's agency. Those that were granted have their content keys
  // afterwards; answers for the others go to their places. The entry of the request.
  Result<std::uint64_t> RequestKeys(const std::vector<Wanted*>& wanted, const Asked& asked,
                                    std::vector<Result<OpenedPortion>>& out);
  // Whether that may be asked for without a look at the log before it: nothing is missing here that a look would bring. The
  // answer is verified like every other, and what came to the log before its entry is looked at then.
  bool CanAskAtOnce(const std::vector<OpenRequest>& requests);
  // `verdicts` and `shares` (one for each allowed) are of the entry of this index, which was verified.
  Status UseShares(const std::vector<Wanted*>& wanted, const std::vector<ledger::Verdict>& verdicts,
                   const std::vector<crypto::Secret>& shares, std::uint64_t index,
                   std::vector<Result<OpenedPortion>>& out);
  bool DecidedUnderPolicyInForce(const Wanted& one, const ledger::Verdict& verdict, std::uint64_t index) const;
  Result<crypto::Secret> ContentKey(const Wanted& one, const crypto::Secret& share);
  // Small bodies, as they are sealed, while they are asked for: whoever may ask may have them. One that does not come is
  // fetched afterwards.
  void FetchSealed(const std::vector<Wanted*>& wanted) const;
  // Of all that have their key, to their places.
  void FetchBodies(const std::vector<Wanted*>& wanted, std::uint64_t entry, const Progress& progress,
                   std::vector<Result<OpenedPortion>>& out) const;
  // With the key that is in it. May run beside others of its kind.
  Result<OpenedPortion> FetchBody(Wanted& one, std::uint64_t entry, const Progress& progress) const;

  Status LoadMail();    // the cache, once
  Status LookAtMail();  // what came since the last look
  Status Keep(std::vector<ProvedEntry> entries, const log::SignedCheckpoint& checkpoint);
  // Verifier::VerifyEntry, with the directory fetched again if the author is not in it.
  Result<VerifiedEntry> Verify(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint);
  // A standing opening, which nobody signed, is under an order of mine, or about a record that I may see.
  Status CheckUnsigned(const VerifiedEntry& entry);
  // An erased entry, proved by its purge, which is to be in my mailbox, or in the custody where the entry was shown (else in
  // that of the record it speaks of). kBadProof: there is none, or it left something else.
  Result<VerifiedEntry> VerifyErased(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint,
                                     const std::optional<Digest>& custody = {}, int depth = 0);
  Result<const VerifiedEntry*> FindPurge(std::uint64_t index, const std::optional<Digest>& custody, int depth);
  // Either, as the entry says.
  Result<VerifiedEntry> VerifyShown(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint,
                                    const std::optional<Digest>& custody = {}) {
    return proved.entry.erased_by ? VerifyErased(proved, checkpoint, custody) : Verify(proved, checkpoint);
  }
  // What was kept as it was before a purge that came since goes: from the memory and from the cache.
  Status ForgetErased();
  // The record or grant as I may see it, verified: from the mailbox, or asked for. It may be erased.
  Result<const VerifiedEntry*> FindRecord(const Digest& digest);
  Result<const VerifiedEntry*> Fetch(const Digest& digest);  // a record, or the standing order behind an opening
  Result<const VerifiedEntry*> OrderBehind(const ledger::StandingOpening& opening);
  Result<const VerifiedEntry*> FindContent(const Digest& digest);  // kPurged: it is
  Mail::InForce PolicyInForce(const VerifiedEntry& record, std::uint32_t portion, std::uint64_t index) const;
  // One statement of my mailbox, also if the cache passed it over when it was not yet for me. kNotFound.
  Result<const VerifiedEntry*> FindStatement(const Digest& digest, std::uint64_t index);
  // Of those of my mailbox that are of this kind, like Resolve; kNotFound also for a whole digest that is not there.
  Result<const VerifiedEntry*> ResolveStatement(const std::string& id_or_prefix, ledger::Kind kind);
  Result<Digest> ResolvePrefix(const std::string& id, const char* what,
                               const std::function<bool(const VerifiedEntry&)>& pick);

  // `original`: of a grant, if it could be had.
  InboxItem Item(const VerifiedEntry& entry) const;
  std::vector<InboxItem> Items(bool mine);
  const VerifiedEntry* KnownStatement(const Digest& digest) const;  // in the mailbox or fetched before
  const VerifiedEntry* KnownRecord(const Digest& digest) const;
  NewsItem News(const VerifiedEntry& entry) const;
  // As one entry of this record's custody; `family` and `acts` grow with what comes. kBadProof.
  struct Chain {
    std::set<Digest> family;  // the record, its original, its grants
    std::set<Digest> acts;    // requests about them: what approvals, reviews and answers speak of
  };
  Result<NewsItem> NewsOf(const Digest& record, const VerifiedEntry& entry, Chain& chain) const;

  // Each entry of a record's custody, verified, in the log's order.
  using CustodyEntry = std::function<Status(const ProvedEntry&, const VerifiedEntry&, const NewsItem&)>;
  Status WalkCustody(const Digest& record, const CustodyEntry& take);

  // What a hint says, as the log has it; nullopt: something that came since has settled it, or it is erased. `size`: of the
  // log when the hint was given. kBadProof: it lies; Waiting tells that of the one item.
  Result<std::optional<WaitingItem>> LookUp(const proto::WaitingItem& hint, std::uint64_t size);
  Result<const VerifiedEntry*> FindByAudit(const Digest& digest, std::uint64_t index);

  Result<NewsItem> End(const std::string& member, ledger::MemberStatus status);
  Result<NewsItem> ChangeEnrolment(const std::string& member, bool all_epochs);
  // Of every epoch of my agency that `which` picks; `left` are those that are not open to me.
  struct Wraps {
    std::vector<ledger::EpochWrap> made;
    std::vector<std::uint64_t> left;
  };
  template <class Pick>
  Result<Wraps> WrapsFor(const MemberId& member, const Point& kem_key, Pick which);

  // Verifier::CheckCovered, with the directory fetched again if it does not hold: an amendment may name other witnesses, or
  // the cosignatures may have come.
  Status Covered(std::uint64_t index, const ledger::Decision& decision);
  // kNoQuorum: the witnesses have not covered it yet, and nothing was asked for.
  Result<Released> OpenReleased(const VerifiedEntry& opening, std::vector<Release> releases,
                                const std::filesystem::path& folder);

  // What a quorum may have cosigned of the log as it is shown: of a view that was verified.
  struct CosignedNote {
    std::string note;
    log::Checkpoint checkpoint;
  };
  // `asked`: the charter has witnesses.
  Result<CosignedNote> NewestCosigned(const View& view, bool asked);
  // The path of an entry to this root, made of the log's tiles.
  Result<std::vector<Hash>> ProveAt(std::uint64_t index, const Commitment& commitment, const log::Checkpoint& under);
  Result<evidence::Receipt> FetchReceipt(const Digest& statement, bool asked);
  Result<evidence::Receipt> ReceiptFromMail(const Digest& statement, bool asked);
  Result<SavedReceipt> MakeReceipt(const Digest& statement, std::string& text);

  Result<ProvedEntry> ProvedOrder(const Digest& order);
  Result<std::map<std::uint64_t, FoundEntry>> FindCustody(const Digest& record);
  // `wait`: told what is missing; false: not any longer.
  Result<CosignedNote> CosignedWith(std::uint64_t index, const std::function<bool(const std::string& missing)>& wait);

  Profile profile_;
  Keyring keys_;
  std::unique_ptr<Transport> transport_;
  Verifier verifier_;
  crypto::SystemRandom random_;
  std::optional<record::Window> window_;
  Time window_made_{};
  record::ContextCache contexts_;
  std::map<KeyId, crypto::KemPrivateKey> epoch_keys_;
  std::chrono::milliseconds pause_{200};  // before something is tried for the second time
  bool any_age_ = false;
  bool mail_loaded_ = false;
  std::uint64_t looked_to_ =
      0;  // what is for me of the entries below is known here; 0: nobody looked yet, or it went wrong
  bool erase_kept_ = false;  // ForgetErased has something to do
  Mail mail_;
  std::map<Digest, VerifiedEntry> fetched_;                 // records and other statements that are not in the mail
  std::map<std::uint64_t, VerifiedEntry> purges_;           // that are not in the mail, or not yet
  std::map<std::uint64_t, std::vector<Release>> releases_;  // of openings under my orders, while they are followed
  bool keep_releases_ = false;
  std::optional<std::pair<std::uint64_t, log::Prover>> prover_;  // of the tree of this size
  std::optional<Error> tile_failed_;
};

}  // namespace valija::client
