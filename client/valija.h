// libvalija: what an agency's own program uses. Blocking calls, plain types, no protobuf and no gRPC in sight.
//
//   auto session = valija::Session::Open(options);            // a profile made by `valija init` and `valija join`
//   auto sent    = session->Send(draft);                      // seal, upload, post: returns a verified receipt
//   auto opened  = session->OpenRecord(id, 0, purpose, ...);  // request, verify the entry's proof, unseal
//
// Every call verifies what the broker says before it uses it: signatures, the entry's inclusion proof, and that the
// log only grew since the checkpoint this profile has pinned. A call that cannot verify has failed.
//
// Errors are values: Outcome<T> holds a T or a Failure with a stable code (docs/formats.md lists them), a sentence, and
// the exit status a program should end with. A fork of the log stops the profile (code "fork") until a person has
// looked: see docs/operations.md.
//
// Thread-safety: a Session may be used by one thread at a time; several processes may not share a profile (it is locked).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace valija {

struct Failure {
  std::string code;       // "not-releasable": stable, for programs
  std::string message;    // a sentence, for people
  int exit_status = 1;    // 2 input, 3 denied or not found, 4 try again, 5 ALARM, 1 anything else
  std::string request{};  // "approval-missing": id of the request that waits for them
};

template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT
  Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};
struct Done {};

using Clock = std::chrono::system_clock;
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;  // bytes; called often

struct SessionOptions {
  std::filesystem::path profile;             // the profile's folder
  std::filesystem::path passphrase_file;     // private file; empty: ask on the terminal
  std::chrono::milliseconds timeout{30000};  // of each call to the broker
  // Read a log that the charter's witnesses cosigned too long ago ("stale", "no-quorum"): for a look before something is
  // stopped or taken back, which itself asks for no age. What binds others anew (send, open, grant, approve ..) asks all the same.
  bool any_age = false;
};

// ---- sending ----

struct PortionDraft {
  std::filesystem::path file;  // streamed, never whole in memory
  std::string content;         // used instead when `file` is empty
  std::string media_type = "application/octet-stream";
  std::string policy_text;  // the policy's text form (docs/formats.md)
};
struct Draft {
  std::vector<PortionDraft> portions;  // 1..: the tearlines, the widest audience first by custom
  std::string in_reply_to;             // record id or empty
  std::string urgency;                 // "normal", "urgent", "immediate": asks for an answer by then; "": asks nothing
  std::vector<std::string> sources;    // ids of records that it derives from
};
struct Reader {  // who could open a portion, by the directory as it is
  std::string agency;
  std::vector<std::string> members;  // that pass audience and need to know now
};
struct PortionPreview {
  std::uint32_t portion = 0;
  std::string marking;
  std::vector<Reader> readers;
  std::vector<std::string> left_out;  // agencies in the audience that have no key epoch: they get no key half
  // What an opening by those readers waits for besides: codes "not-yet", "approval-missing".
  std::vector<std::string> waits_for;
};
// Who could open a portion and who not, and which rule says so, by the rules themselves and the directory as it is.
struct MemberExplained {
  std::string member;
  std::vector<std::string> reasons;  // codes, as a refusal would have them; empty: could open it now
};
struct PortionExplained {
  std::uint32_t portion = 0;
  std::string marking;
  std::vector<MemberExplained> members;  // every active member of every agency
};
struct SentRecord {
  std::string id;           // 64 hex digits: the digest of the record's statement
  std::uint64_t entry = 0;  // index in the log
  TimePoint time;
};

// ---- receiving ----

struct PortionInfo {
  std::uint32_t number = 0;
  std::string marking, media_type;
  std::uint64_t sealed_bytes = 0;
  bool for_me = false;  // my agency has a key half for it
  bool opened_by_me = false;
};
struct InboxItem {
  std::string id;
  std::string from;  // member id
  TimePoint time;
  std::string in_reply_to;
  std::vector<PortionInfo> portions;
  bool revoked = false, opened_by_me = false;  // any portion of it
  std::uint64_t entry = 0;
  std::string urgency;               // as in Draft
  std::optional<TimePoint> due;      // it asks for an answer by then
  bool answered_by_us = false;       // by somebody of my agency, and the answer went to who asked
  std::vector<std::string> replies;  // ids of the records in my mailbox that answer it, by others than who asked
  bool recalled = false;             // every holder is asked to erase it, and to acknowledge so
  bool purged = false;               // its content is gone
  std::string grant_of;              // id of the original, if this is a grant of it
  std::vector<std::string> sources;  // ids
};
// What happened to a record of mine, or that I received; or what I did. The kinds are those of docs/formats.md ("record",
// "open", "acknowledgement", "revocation", "grant", "amendment", "approval", "review", "access-request", "answer",
// "standing-order", "standing-opening", "purge", and what an administrator does). Of what a purge has erased, the texts that
// people wrote are "[erased]" and a record has no content any more; who did what, when, and what came of it stays.
struct NewsItem {
  std::uint64_t entry = 0;
  TimePoint time;
  std::string kind;
  std::string by;      // member id; empty: nobody's, or of an opening under an order that is not shown to me
  std::string record;  // what it is about; of a grant its original
  std::vector<std::pair<std::uint32_t, std::string>> portions;  // opens: portion and "granted" or the reason codes
  std::string purpose, case_reference, outcome, why;
  std::optional<InboxItem> item;  // kinds "record" and "grant", addressed to me or mine
  std::string id;                 // of the statement itself: what Approve, Answer, EndOrder and others name
  // What it speaks of: the opening (approval, review), the access request (answer, grant), the standing order
  // (standing-opening), the request that was approved (open).
  std::string request;
  // "approve", "reject", "withdraw"; "justified", "not-justified"; "declined", "consented"; "open", "onward", "mark-less"
  std::string verdict;
  std::string marking;                           // access request and answer: of what would be derived
  std::string agency;                            // access request: who shall receive it
  std::string emergency;                         // open: why it could not wait
  bool recall = false;                           // revocation
  std::uint32_t portion = 0;                     // amendment
  std::uint64_t sequence = 0;                    // amendment: 1, 2, ..
  std::string policy_text;                       // amendment: its policy, if it is shown to me
  std::optional<TimePoint> until;                // standing order, look-up
  std::uint64_t first_entry = 0, end_entry = 0;  // look-up: what is read; end 0: and whatever comes
  std::vector<std::string> erased;               // purge: ids
  std::optional<std::uint64_t> erased_by;        // entry of the purge that erased this statement
  // What Enrol, Resume and GrantEpochs could not open to the member, as it is not open to the administrator who did it: what
  // was sent in these epochs the member cannot open with its present keys until another administrator grants them.
  std::vector<std::uint64_t> epochs_left;
  bool unwitnessed = false;  // open, standing-opening: it was released without the quorum of the charter's witnesses
};
struct OpenedPortion {
  std::string id;
  std::uint32_t portion = 0;
  std::string marking, media_type;
  std::uint64_t bytes = 0;
  std::uint64_t entry = 0;   // of the opening
  std::string content;       // if no output file was given
  bool unwitnessed = false;  // it was released without the quorum of the charter's witnesses, as the charter allows
};
struct OpenRequest {
  std::string record;  // id or unique prefix
  std::uint32_t portion = 0;
  std::string purpose, case_reference;
  std::filesystem::path output;    // must not exist; empty: into OpenedPortion::content (at most 64 MiB)
  std::string approved_request{};  // id or prefix of my request that has been approved
  std::string emergency{};         // why it must be opened without the approvals
  // How long the request is good, and so how long it waits for the witnesses; 0: two minutes. At most what the charter allows.
  std::chrono::seconds wait{0};
  std::function<void(const std::string& missing)> waiting{};  // told now and then, while it waits for them
};

// ---- what others ask ----

// Something that waits for me. Hints of the broker, each looked up in what I have verified; `until` is its word.
struct WaitingItem {
  // "approval": an opening that I may approve or reject. "approved": mine has what it needs, open again. "review": an
  // emergency to be closed. "access": somebody asks for a record of mine. "answer": a record asks my agency. "erase": it
  // was recalled, and I have opened it.
  std::string kind;
  std::string id;      // of what to act on: the request, or the record
  std::string record;  // empty for a review
  std::uint64_t entry = 0;
  TimePoint time;
  std::string by;
  std::vector<std::pair<std::uint32_t, std::string>> portions;  // number and marking
  std::string purpose, case_reference, why;
  std::optional<TimePoint> until;
  std::string wish, agency, marking;  // access
  std::string urgency;                // answer
  std::optional<Failure> fault;  // what the broker says of it is not what the log says: nothing else of it is filled in
};
struct AccessDraft {
  std::string record;                   // whole id: the record need not be in my mailbox, nor exist
  std::vector<std::uint32_t> portions;  // empty: all
  std::string wish = "open";            // "open", "onward" (to another agency), "mark-less" (what I derive)
  std::string agency;                   // onward: who shall receive it; else empty: mine
  std::string marking;                  // mark-less: "TLP:GREEN"
  std::string purpose, case_reference, why;
};

// ---- what an originator does afterwards ----

struct GrantDraft {
  std::string record;                   // id or prefix; of a grant its original is meant
  std::vector<std::uint32_t> portions;  // empty: all
  std::string policy_text;              // of each of them
  std::string request;                  // id or prefix of the access request that it answers, or empty
  // For who passes on what it received: the portions are opened once more for that, with this purpose and case.
  std::string purpose, case_reference;
};

// ---- receipts ----

struct ReceiptRequest {
  std::string statement;         // id of a statement of mine, or id or prefix of one in my mailbox
  std::filesystem::path output;  // must not exist
  // How long to wait until the witnesses that the charter asks for have cosigned it.
  std::chrono::seconds wait{0};
  std::function<void(const std::string& missing)> waiting{};  // told now and then, while it waits for them
};
struct SavedReceipt {
  std::string id;
  std::uint64_t entry = 0;
  TimePoint time;                                             // of the entry
  std::uint64_t size = 0;                                     // of the log that the receipt is under
  std::vector<std::pair<std::string, TimePoint>> cosigned{};  // by whom, and when; empty: the charter has no witnesses
};

// ---- evidence for others ----

struct BundleRequest {
  std::string record;            // id or prefix
  std::filesystem::path output;  // must not exist
  std::filesystem::path page{};  // an HTML page of it for people, in the language chosen; must not exist; empty: none
  // What is left out, and stays under its digest: "policies", "recipients", "decisions"; whole statements: those that say a
  // "purpose", a "case" or "why", those of a kind ("open"), those of an entry by its number.
  std::vector<std::string> withhold{};
  // What stays of statements that a purge erased; by default they are left out, as their texts could be guessed from it.
  bool show_erased = false;
  std::chrono::seconds wait{0};  // for the witnesses, as in ReceiptRequest
  std::function<void(const std::string& missing)> waiting{};
};
struct SavedBundle {
  std::string id;
  std::size_t entries = 0;
  std::uint64_t size = 0;                                     // of the log that it is under
  std::vector<std::pair<std::string, TimePoint>> cosigned{};  // by whom, and when
  std::vector<std::uint64_t> withheld{};                      // entries of which statement or decision is not in it
  std::vector<std::uint64_t> dependent{};  // of those: erased, and left out because the purge is not in it either
  std::vector<std::uint64_t> others{};     // entries that name other records or statements too
};

// ---- standing orders ----

struct OrderDraft {
  std::string purpose, case_reference;
  TimePoint until;
};
struct OrderInfo {
  std::string id, member, purpose, case_reference;
  TimePoint time, until;
  bool ended = false;
  std::size_t opened = 0;  // records under it
};
// A record that was opened under an order of mine.
struct Released {
  std::uint64_t entry = 0;  // of the opening; follow from the next one
  TimePoint time;
  std::string order, record, from;
  std::vector<Outcome<OpenedPortion>> portions;  // of those that were asked for: content, or why not
};

// What the charter's witnesses have vouched for, of all that this profile was shown.
struct Witnessing {
  bool asked = false;              // the charter names some
  std::uint64_t entries = 0;       // so many were cosigned by a quorum
  std::optional<TimePoint> since;  // as of then
  std::optional<Failure> behind;   // longer ago than the charter allows, or less than this profile was shown: why
};
struct MemberInfo {
  std::string id, status, clearance;  // status: "active", "suspended", "removed"
  std::vector<std::string> roles, programmes;
  bool administrator = false, auditor = false, joint_auditor = false;
  std::string person;
};
struct AgencyInfo {
  std::string id, name;
  std::uint64_t epoch = 0;  // 0: none yet
  std::vector<MemberInfo> members;
  bool left = false;  // no party to the charter any more
};
struct ProfileFiles {             // that a new profile has for others
  std::filesystem::path request;  // for the agency's CA
  std::filesystem::path card;     // for its administrator
};
struct CharterInfo {   // of a charter, or of an amendment of one
  std::string digest;  // to be compared out of band
  std::size_t signatures = 0;
  bool complete = false;  // a founding charter: every agency has signed. Of an amendment the broker judges that
  std::string terms;      // in plain lines
};
struct PolicyCheck {
  std::string canonical;                            // its text as others write it; empty: there are errors
  std::vector<std::pair<int, std::string>> errors;  // line (0: of the whole) and what is wrong there
};
struct WhoAmI {
  std::string member, origin, charter_digest, broker;  // charter_digest: of the founding charter, which names the log
  std::string charter_in_force;                        // the charter or its last amendment: what the next one amends
  std::uint64_t charter_entry = 0;                     // its entry
  std::string charter_title;
  std::uint64_t pinned_size = 0;
  std::string pinned_root;
  MemberInfo info;
  Witnessing witnessing;
};

class Session {
 public:
  static Outcome<std::unique_ptr<Session>> Open(const SessionOptions& options);
  // A new profile with new keys, for this member. Then its CA signs the request, and Join: with the charter, whose digest was
  // learnt out of band, the broker's address (host:port) and the certificate.
  static Outcome<ProfileFiles> Init(const SessionOptions& options, const std::string& member);
  static Outcome<Done> Join(const SessionOptions& options, const std::filesystem::path& charter,
                            const std::string& digest, const std::string& broker,
                            const std::filesystem::path& certificate);
  // Charters, and amendments of them: from a JSON draft (docs/operations.md) to a new file, signed in its place by this
  // profile's member, shown.
  static Outcome<CharterInfo> DraftCharter(const std::filesystem::path& draft, const std::filesystem::path& output);
  static Outcome<CharterInfo> SignCharter(const SessionOptions& options, const std::filesystem::path& charter);
  static Outcome<CharterInfo> ShowCharter(const std::filesystem::path& charter);
  static PolicyCheck CheckPolicy(const std::string& text);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Outcome<WhoAmI> Me();
  // As of the last call. Where the charter lets openings go without the witnesses, and with SessionOptions::any_age, a log that
  // is `behind` is read and sent to all the same: then say so to whoever relies on it. Else calls fail ("stale", "no-quorum").
  Witnessing Witnessed() const;
  Outcome<std::vector<AgencyInfo>> Directory();  // fetched, verified and folded anew

  Outcome<std::vector<PortionPreview>> Preview(const Draft& draft);
  // For a request with this purpose and case; empty: one that the policy allows.
  Outcome<std::vector<PortionExplained>> Explain(const Draft& draft, const std::string& purpose = {},
                                                 const std::string& case_reference = {});
  // The same of a record of my agency that is in the log: by the policies in force, to whom it was sealed, and whether it has
  // ended. Openings that are used up are not counted here.
  Outcome<std::vector<PortionExplained>> ExplainRecord(const std::string& record, const std::string& purpose = {},
                                                       const std::string& case_reference = {});
  Outcome<SentRecord> Send(const Draft& draft, const Progress& progress = {});
  // Many small records under one window and one batch signature: the fast path for systems. Answers per draft.
  Outcome<std::vector<Outcome<SentRecord>>> SendBatch(const std::vector<Draft>& drafts);

  // The whole id of the record that begins so: at least 4 digits, and of records in my mailbox.
  Outcome<std::string> Resolve(const std::string& id_or_prefix);
  Outcome<std::vector<InboxItem>> Inbox();  // all that was ever addressed to me, newest last
  Outcome<std::vector<InboxItem>> Sent();   // all that I sent: with its replies and by when they are due
  // Calls back for each verified item from the profile's cursor on; returns when the callback returns false, or with
  // the failure that ended it. A stream that the broker ends (each after an hour, or when it restarts) is begun again where
  // it ended, until nothing came of that for some two minutes.
  Outcome<Done> Follow(const std::function<bool(const NewsItem&)>& item);
  // A portion that needs approvals is refused as "approval-missing", and the request waits for them: the failure's message
  // and Custody name it. Once approved (Waiting), open again with approved_request.
  Outcome<OpenedPortion> OpenRecord(const OpenRequest& request, const Progress& progress = {});
  // Many openings in one request and one entry; answers per item. Contents in memory.
  Outcome<std::vector<Outcome<OpenedPortion>>> OpenBatch(const std::vector<OpenRequest>& requests);

  Outcome<NewsItem> Acknowledge(const std::string& record, const std::string& outcome);
  Outcome<NewsItem> Revoke(const std::string& record, const std::string& why);
  Outcome<NewsItem> Recall(const std::string& record, const std::string& why);  // ... and asks every holder to erase it
  Outcome<std::vector<NewsItem>> Custody(const std::string& record);  // every entry that I may see, each proved

  // Dual control, emergencies, access. Requests are named by id or prefix, and must be in my mailbox.
  Outcome<std::vector<WaitingItem>> Waiting();
  // A request to open that needed approvals, as an "approval" of Waiting, also when I have said something of it, which Waiting
  // then leaves out. Whether my word still counts is for the broker to say.
  Outcome<WaitingItem> Request(const std::string& request);
  Outcome<NewsItem> Approve(const std::string& request, const std::string& why);
  Outcome<NewsItem> Reject(const std::string& request, const std::string& why);
  Outcome<NewsItem> Withdraw(const std::string& request, const std::string& why);  // what I said of it
  Outcome<NewsItem> Review(const std::string& request, bool justified, const std::string& why);
  Outcome<NewsItem> RequestAccess(const AccessDraft& draft);
  // A marking: consent to what is derived being marked so. Empty: declined, which the one who asked is not told.
  Outcome<NewsItem> Answer(const std::string& request, const std::string& marking, const std::string& why);

  // The policy of a portion of a record or a grant is replaced.
  Outcome<NewsItem> Amend(const std::string& record, std::uint32_t portion, const std::string& policy_text);
  Outcome<NewsItem> Grant(const GrantDraft& draft);
  // Content and people's texts end; entries and proofs stay. Records, or other statements, by id or prefix, each in an entry
  // of its own; before a record its grants by my agency. The news is the last of them; `erased` names all. What was erased
  // before is passed over, unless that is all: broken off in between, it is asked again.
  Outcome<NewsItem> Purge(const std::vector<std::string>& ids, const std::string& why);

  // Standing orders: everything that is released to me for this purpose is opened as it comes, until then.
  Outcome<NewsItem> StandingOrder(const OrderDraft& draft);
  Outcome<NewsItem> EndOrder(const std::string& order);
  Outcome<std::vector<OrderInfo>> Orders();  // mine; for an officer of my agency everybody's
  // Calls back for each record that was opened under an order of mine, from this entry of the log on and then as they come,
  // until the callback returns false. With a folder, contents are written to new files in it, named RECORD-PORTION (a portion
  // whose file is there fails as "exists", and the others are fetched); else they are in memory.
  // One that the charter's witnesses have not covered yet is told of once they have, and `waiting` at once.
  Outcome<Done> FollowReleased(std::uint64_t from_entry, const std::filesystem::path& folder,
                               const std::function<bool(const Released&)>& released,
                               const std::function<void(const std::string& missing)>& waiting = {});
  // The entry to go on from: behind the last one that FollowReleased told of with this profile. 0: none yet.
  std::uint64_t NextReleased() const;

  // For an administrator.
  struct EnrolOptions {
    std::string clearance;
    std::vector<std::string> roles, programmes;
    bool administrator = false, auditor = false;
    std::string person{};  // the same label in all members that are one person; without one nothing can be approved
  };
  struct EnrolmentChange {
    std::string what;  // "status", "keys", "clearance", "roles", "programmes", "administrator", "auditor", "person"
    std::string before, after;
  };
  // What Enrol would change of a member that was enrolled before: attributes that are not named again are lost.
  Outcome<std::vector<EnrolmentChange>> EnrolmentChanges(const std::filesystem::path& card,
                                                         const EnrolOptions& options);
  Outcome<NewsItem> Enrol(const std::filesystem::path& card, const EnrolOptions& options);
  Outcome<NewsItem> Remove(const std::string& member);       // and rotates the epoch
  Outcome<NewsItem> Suspend(const std::string& member);      // and rotates the epoch
  Outcome<NewsItem> Resume(const std::string& member);       // with the epochs that came meanwhile
  Outcome<NewsItem> GrantEpochs(const std::string& member);  // every earlier epoch: what was sent before it came
  Outcome<NewsItem> RotateEpoch();
  // An amendment of the charter, signed by as many agencies as the charter asks: the bytes of its envelope.
  Outcome<NewsItem> SubmitCharterAmendment(const std::string& envelope);

  // Renewal of a member's own keys. First: new keys, a certificate request and a card, in the folder that is returned; those
  // in use stay so. Then the administrator enrols the card and the agency's CA signs the request. Last, with the
  // certificate: from then on the new keys are used. Nothing that was sent before is lost.
  static Outcome<std::filesystem::path> BeginRenewal(const SessionOptions& options);
  static Outcome<Done> FinishRenewal(const SessionOptions& options, const std::filesystem::path& certificate);

  // Writes a receipt that `valija-audit receipt` and every reader of C2SP tlog-proof verify offline, for ever, with what
  // WitnessPolicies gives and nothing else (docs/receipts.md). "no-quorum": who has not cosigned it yet.
  Outcome<SavedReceipt> SaveReceipt(const ReceiptRequest& request);
  // The log's keys and witnesses, those in force and all former ones: the text of a policy file (C2SP tlog-policy).
  Outcome<std::string> WitnessPolicies();
  // The signed note (C2SP tlog-checkpoint) of the newest log, as this profile has just verified it, with the cosignatures that
  // were shown: whoever compares it with what others were shown finds a log that is not one.
  Outcome<std::string> LastCheckpoint();

  // Writes one file with the record's custody as I may see it and everything that proves it offline: `valija-audit bundle`.
  Outcome<SavedBundle> SaveBundle(const BundleRequest& request);

  // For an auditor: writes (or continues) an export that valija-audit verifies offline.
  Outcome<std::uint64_t> ExportLog(const std::filesystem::path& folder, const std::string& why,
                                   const Progress& progress = {});

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija
