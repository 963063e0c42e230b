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
  std::string code;     // "not-releasable": stable, for programs
  std::string message;  // a sentence, for people
  int exit_status = 1;  // 2 input, 3 denied or not found, 4 try again, 5 ALARM, 1 anything else
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
};
struct NewsItem {  // what happened to a record of mine, or that I received
  std::uint64_t entry = 0;
  TimePoint time;
  std::string kind;  // "record", "open", "acknowledgement", "revocation"
  std::string by;    // member id
  std::string record;
  std::vector<std::pair<std::uint32_t, std::string>> portions;  // opens: portion and "granted" or the reason codes
  std::string purpose, case_reference, outcome, why;
  std::optional<InboxItem> item;  // kind "record" addressed to me
};
struct OpenedPortion {
  std::string id;
  std::uint32_t portion = 0;
  std::string marking, media_type;
  std::uint64_t bytes = 0;
  std::uint64_t entry = 0;  // of the opening
  std::string content;      // if no output file was given
};
struct OpenRequest {
  std::string record;  // id or unique prefix
  std::uint32_t portion = 0;
  std::string purpose, case_reference;
  std::filesystem::path output;  // must not exist; empty: into OpenedPortion::content (at most 64 MiB)
};

struct MemberInfo {
  std::string id, status, clearance;
  std::vector<std::string> roles, programmes;
  bool administrator = false, auditor = false, joint_auditor = false;
};
struct AgencyInfo {
  std::string id, name;
  std::uint64_t epoch = 0;  // 0: none yet
  std::vector<MemberInfo> members;
};
struct WhoAmI {
  std::string member, origin, charter_digest, broker;
  std::uint64_t pinned_size = 0;
  std::string pinned_root;
  MemberInfo info;
};

class Session {
 public:
  static Outcome<std::unique_ptr<Session>> Open(const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Outcome<WhoAmI> Me();
  Outcome<std::vector<AgencyInfo>> Directory();  // fetched, verified and folded anew

  Outcome<std::vector<PortionPreview>> Preview(const Draft& draft);
  Outcome<SentRecord> Send(const Draft& draft, const Progress& progress = {});
  // Many small records under one window and one batch signature: the fast path for systems. Answers per draft.
  Outcome<std::vector<Outcome<SentRecord>>> SendBatch(const std::vector<Draft>& drafts);

  // The whole id of the record that begins so: at least 4 digits, and of records in my mailbox.
  Outcome<std::string> Resolve(const std::string& id_or_prefix);
  Outcome<std::vector<InboxItem>> Inbox();  // all that was ever addressed to me, newest last
  // Calls back for each verified item from the profile's cursor on; returns when the callback returns false, or with
  // the failure that ended it. A stream that the broker ends (each after an hour, or when it restarts) is begun again where
  // it ended, until nothing came of that for some two minutes.
  Outcome<Done> Follow(const std::function<bool(const NewsItem&)>& item);
  Outcome<OpenedPortion> OpenRecord(const OpenRequest& request, const Progress& progress = {});
  // Many openings in one request and one entry; answers per item. Contents in memory.
  Outcome<std::vector<Outcome<OpenedPortion>>> OpenBatch(const std::vector<OpenRequest>& requests);

  Outcome<NewsItem> Acknowledge(const std::string& record, const std::string& outcome);
  Outcome<NewsItem> Revoke(const std::string& record, const std::string& why);
  Outcome<std::vector<NewsItem>> Custody(const std::string& record);  // every entry that I may see, each proved

  // For an administrator.
  struct EnrolOptions {
    std::string clearance;
    std::vector<std::string> roles, programmes;
    bool administrator = false, auditor = false;
  };
  struct EnrolmentChange {
    std::string what;  // "status", "keys", "clearance", "roles", "programmes", "administrator", "auditor"
    std::string before, after;
  };
  // What Enrol would change of a member that was enrolled before: attributes that are not named again are lost.
  Outcome<std::vector<EnrolmentChange>> EnrolmentChanges(const std::filesystem::path& card,
                                                         const EnrolOptions& options);
  Outcome<NewsItem> Enrol(const std::filesystem::path& card, const EnrolOptions& options);
  Outcome<NewsItem> Remove(const std::string& member);  // and rotates the epoch
  Outcome<NewsItem> RotateEpoch();

  // For an auditor: writes (or continues) an export that valija-audit verifies offline.
  Outcome<std::uint64_t> ExportLog(const std::filesystem::path& folder, const Progress& progress = {});

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija
