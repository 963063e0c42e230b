// The session behind client/valija.h, in core types: one profile, its unlocked keys, one broker.
// Split by subject: session_send.cc, session_open.cc, session_mail.cc, session_admin.cc, session_export.cc.
//
// Tests give it another Transport: a broker that lies.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "client/profile.h"
#include "client/transport.h"
#include "client/valija.h"
#include "client/verifier.h"
#include "core/crypto/random.h"
#include "core/record/seal.h"
#include "core/record/window.h"

namespace valija::client {

Failure ToFailure(const Error& error);
template <class T>
Outcome<T> ToOutcome(Result<T> result) {
  if (!result) return ToFailure(result.error());
  return *std::move(result);
}
TimePoint ToTimePoint(Time time);
// After some failures nobody knows whether the statement is in the log: the error then says so, and where to look before
// it is made anew. Other errors stay as they are.
Error Unsettled(Error error, const ledger::Envelope& envelope, bool lost);

class SessionCore {
 public:
  SessionCore(Profile profile, Keyring keys, std::unique_ptr<Transport> transport);
  SessionCore(const SessionCore&) = delete;

  Status Refresh() {
    ForgetOldWindow();
    return verifier_.Refresh(*transport_);
  }
  void set_pause(std::chrono::milliseconds pause) { pause_ = pause; }  // for tests
  Result<WhoAmI> Me();
  Result<std::vector<AgencyInfo>> Directory();

  // ---- session_send.cc ----
  Result<std::vector<PortionPreview>> Preview(const Draft& draft);
  Result<std::vector<Result<SentRecord>>> Send(const std::vector<Draft>& drafts, const Progress& progress);

  // ---- session_open.cc ----
  Result<std::vector<Result<OpenedPortion>>> Open(const std::vector<OpenRequest>& requests, const Progress& progress);

  // ---- session_mail.cc ----
  Status Sync();  // fetches what is new in the mailbox, verifies and keeps it
  Result<std::vector<InboxItem>> Inbox();
  Status Follow(const std::function<bool(const NewsItem&)>& item);
  Result<std::vector<NewsItem>> Custody(const std::string& record);
  Result<Digest> Resolve(const std::string& id_or_prefix);  // kNotFound, kAmbiguous, kUsage
  // The record as I may see it, verified: from the mailbox's cache or asked for.
  Result<VerifiedEntry> FindRecord(const Digest& digest);
  NewsItem News(const VerifiedEntry& entry) const;
  Result<NewsItem> NewsOf(const Digest& record, const VerifiedEntry& entry) const;  // as one of its custody; kBadProof

  // ---- session_admin.cc ----
  Result<NewsItem> Acknowledge(const std::string& record, const std::string& outcome);
  Result<NewsItem> Revoke(const std::string& record, const std::string& why);
  Result<std::vector<Session::EnrolmentChange>> EnrolmentChanges(const std::filesystem::path& card,
                                                                 const Session::EnrolOptions& options);
  Result<NewsItem> Enrol(const std::filesystem::path& card, const Session::EnrolOptions& options);
  Result<NewsItem> Remove(const std::string& member);
  Result<NewsItem> RotateEpoch();

  // ---- session_export.cc ----
  Result<std::uint64_t> ExportLog(const std::filesystem::path& folder, const Progress& progress);

 private:
  struct Prepared;
  struct Wanted;
  Time Now() const;
  ledger::Authorship By();  // fresh nonce, now
  const ledger::AgencyState& MyAgency() const { return *verifier_.directory().agency(profile_.member().agency()); }

  // Signs directly, posts, verifies the receipt.
  Result<VerifiedEntry> PostDirect(ledger::Kind kind, Bytes payload);
  // Posts, up to three times while there is no answer or the pool is full, but not from `until` on (a statement posted
  // twice is accepted once). Sets `lost` if an attempt ended without an answer: whatever is said after that, the statements
  // may be in the log, or come there.
  Result<PostAnswer> PostPatiently(const std::vector<Submission>& submissions, bool& lost, Time until = Time::max());
  // Whether a stream that ended so is begun again: at its greatest age the broker ends each, and it may be restarting.
  // Waits before it says yes, longer each time that nothing came of the last stream: under two minutes in all.
  bool AnotherStream(const Error& why, bool progress, int& fruitless) const;
  Result<const crypto::KemPrivateKey*> EpochKey(const KeyId& id);

  Result<std::vector<record::Recipient>> RecipientsOf(const policy::Policy& policy) const;
  // inline_left: of the bodies that may still be kept in memory for this Send; counted down.
  Result<std::unique_ptr<Prepared>> Prepare(const Draft& draft, std::size_t& inline_left, const Progress& progress);
  // One request for portions whose records are of one originator's agency; answers go to their places.
  Status OpenTogether(const std::vector<Wanted*>& wanted, const Progress& progress,
                      std::vector<Result<OpenedPortion>>& out);
  Result<crypto::Secret> ContentKey(const Wanted& one, const crypto::Secret& share);
  // With the key that is in it. May run beside others of its kind.
  Result<OpenedPortion> FetchBody(Wanted& one, std::uint64_t entry, const Progress& progress) const;
  Status UploadBodies(const Prepared& prepared, const Progress& progress);
  Result<record::Window*> WindowForNextRecord();
  void ForgetOldWindow() {  // its secrets are not kept longer than it may be used
    if (window_ && Now() - window_made_ >= record::Window::kLifetime) window_.reset();
  }

  InboxItem Item(const VerifiedEntry& entry) const;
  Status LoadMail();  // the cache, once
  Status Keep(std::vector<ProvedEntry> entries, const log::SignedCheckpoint& checkpoint);
  void Remember(VerifiedEntry entry);
  // Verifier::VerifyEntry, with the directory fetched again if the author is not in it.
  Result<VerifiedEntry> Verify(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint);

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
  bool mail_loaded_ = false;
  std::vector<VerifiedEntry> mail_;
  std::set<std::pair<Digest, AgencyId>> revoked_;      // record, and the agency of who revoked it
  std::set<std::pair<Digest, std::uint32_t>> opened_;  // portions, by me
};

}  // namespace valija::client
