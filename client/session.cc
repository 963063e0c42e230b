#include "client/session.h"

#include <algorithm>
#include <thread>

#include "core/crypto/dsse.h"
#include "core/record/epoch.h"

namespace valija::client {

namespace {

// What a person can do about it, where the sentence leaves that open.
std::string_view NextStep(Reason reason) {
  switch (reason) {
    case Reason::kDeadline:
      return " The broker may be busy, or out of reach.";
    case Reason::kStorage:
      return " The broker's operator has to make space, and after a failed write to restart it.";
    case Reason::kOutcomeUnknown:
      return " The broker takes nothing more until its operator has restarted it.";
    case Reason::kPoolFull:
      return " Wait a minute, or tell the broker's operator.";
    default:
      return {};
  }
}

}  // namespace

Failure ToFailure(const Error& error) {
  Failure out{std::string(CodeOf(error.reason)), error.Message().append(NextStep(error.reason)),
              ExitStatus(error.reason)};
  if (const std::string_view detail = error.detail;
      error.reason == Reason::kApprovalMissing && detail.starts_with(kRequestDetail))
    out.request = detail.substr(kRequestDetail.size());
  return out;
}

TimePoint ToTimePoint(Time time) { return TimePoint(time.time_since_epoch()); }

SessionCore::SessionCore(Profile profile, Keyring keys, std::unique_ptr<Transport> transport)
    : profile_(std::move(profile)), keys_(std::move(keys)), transport_(std::move(transport)), verifier_(profile_) {}

Time SessionCore::Now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

ledger::Authorship SessionCore::By() {
  return {profile_.member(), keys_.signature.id(), profile_.charter_terms().origin, Now(), random_.Make<Nonce>()};
}

namespace {

MemberInfo InfoOf(const ledger::State& directory, const ledger::MemberRecord& member) {
  MemberInfo info;
  info.id = member.id.str();
  info.status = member.status == ledger::MemberStatus::kActive      ? "active"
                : member.status == ledger::MemberStatus::kSuspended ? "suspended"
                                                                    : "removed";
  info.clearance = member.attributes.clearance;
  info.roles = member.attributes.roles;
  info.programmes = member.attributes.programmes;
  info.administrator = member.administrator;
  info.auditor = member.auditor;
  info.joint_auditor = directory.is_joint_auditor(member.id);
  info.person = member.person;
  return info;
}

}  // namespace

Witnessing SessionCore::Witnessed() const {
  const auto now = verifier_.witnessing();
  Witnessing out{now.asked, now.size, {}, {}};
  if (now.size != 0) out.since = ToTimePoint(now.since);
  if (now.behind) out.behind = ToFailure(*now.behind);
  return out;
}

// Of any age: it says which charter an amendment amends, and how old the log is.
Result<WhoAmI> SessionCore::Me() {
  const AnyAge any(*this);
  TRY_OK(Refresh());
  WhoAmI me;
  me.member = profile_.member().str();
  me.origin = profile_.charter_terms().origin;
  me.charter_digest = profile_.charter()->digest.Hex();
  me.charter_in_force = verifier_.directory().charter_statement().Hex();
  me.charter_entry = verifier_.charter_entry();
  me.charter_title = Terms().title;
  me.broker = profile_.broker();
  if (profile_.pin()) {
    me.pinned_size = profile_.pin()->size();
    me.pinned_root = profile_.pin()->root().Hex();
  }
  me.witnessing = Witnessed();
  const auto* member = verifier_.directory().member(profile_.member());
  if (member == nullptr) return Refuse(Reason::kNotEnrolled, "ask your agency's administrator to enrol your card");
  me.info = InfoOf(verifier_.directory(), member->record);
  return me;
}

Result<std::vector<AgencyInfo>> SessionCore::Directory() {
  TRY_OK(Refresh());
  std::vector<AgencyInfo> agencies;
  const auto& directory = verifier_.directory();
  for (const auto& [id, agency] : directory.agencies()) {
    AgencyInfo info;
    info.id = id.str();
    info.name = agency.charter.name;
    info.left = agency.left;
    info.epoch = agency.current() != nullptr ? agency.current()->epoch : 0;
    for (const auto& [member_id, member] : directory.members())
      if (member_id.agency() == id) info.members.push_back(InfoOf(directory, member.record));
    agencies.push_back(std::move(info));
  }
  return agencies;
}

Error Unsettled(Error error, const ledger::Envelope& envelope, bool lost) {
  if (!lost && error.reason != Reason::kUnavailable && error.reason != Reason::kDeadline &&
      error.reason != Reason::kOutcomeUnknown)
    return error;
  const auto digest = crypto::DigestOf(envelope.payload_type, envelope.payload).Hex();
  const auto& type = envelope.payload_type;
  std::string look = "the custody of its record";
  auto is = [&](ledger::Kind kind) { return type == ledger::PayloadType(kind); };
  if (is(ledger::Kind::kRecord) || is(ledger::Kind::kGrant)) look = "valija custody " + digest;
  if (is(ledger::Kind::kStandingOrder)) look = "valija order list";
  if (is(ledger::Kind::kCharterAmendment)) look = "valija whoami";
  if (is(ledger::Kind::kEnrolment) || is(ledger::Kind::kEpoch)) look = "valija directory";
  auto unsettled =
      Refuse(error.reason, "statement " + digest +
                               " may be in the log all the same, now or later; look before you do it again: " + look);
  if (!error.detail.empty()) unsettled.detail = error.detail + "; " + unsettled.detail;
  return unsettled;
}

Status SessionCore::WaitFresh() {
  constexpr int kAttempts = 4;
  for (int attempt = 1;; ++attempt) {
    auto fresh = verifier_.CheckFresh();
    if (fresh || attempt == kAttempts ||
        (fresh.error().reason != Reason::kNoQuorum && fresh.error().reason != Reason::kStale))
      return fresh;
    std::this_thread::sleep_for(pause_ * attempt);
    TRY_OK(verifier_.Refresh(*transport_));
  }
}

Result<PostAnswer> SessionCore::PostPatiently(const std::vector<Submission>& submissions, bool& lost, Time until,
                                              const std::function<void(const std::string&)>& waiting,
                                              const std::function<void()>& meanwhile) {
  constexpr int kAttempts = 3;
  auto unanswered = [](const Error& error) {  // a connection that went dead is noticed by nothing but the deadline
    return error.reason == Reason::kUnavailable || error.reason == Reason::kDeadline;
  };
  // In the log, and not released before the witnesses' quorum covers it: asked for again until the request expires.
  auto uncovered = [](const auto& outcome) { return !outcome && outcome.error().reason == Reason::kNoQuorum; };
  const bool witnesses = until != Time::max() && verifier_.directory().witness_policy() != nullptr;
  auto turned_away = [](const auto& outcome) { return !outcome && outcome.error().reason == Reason::kPoolFull; };
  // The last answer there was: what it says of some must not be forgotten when another attempt for the others fails. The
  // broker knows a statement that it has accepted, also when its pool is full.
  std::optional<PostAnswer> last;
  bool first = true;
  for (int attempt = 1;; ++attempt) {
    // The first time not for long, so that whoever waits is soon told for whom.
    auto answer = transport_->Post(submissions, verifier_.verified_size(),
                                   std::chrono::milliseconds(witnesses && attempt == 1 ? 5000 : 0),
                                   std::exchange(first, false) ? meanwhile : std::function<void()>());
    bool again = false;
    if (answer) {
      if (answer->outcomes.size() != submissions.size())
        return Refuse(Reason::kBadProof, "the broker answered for another number of statements");
      again = std::any_of(answer->outcomes.begin(), answer->outcomes.end(), turned_away);
      const auto waits = std::find_if(answer->outcomes.begin(), answer->outcomes.end(), uncovered);
      const bool wait = waits != answer->outcomes.end() && Now() + pause_ < until;
      if (wait && waiting) waiting(waits->error().detail);
      last = *std::move(answer);
      if (wait) {
        lost = true;  // as good as: it is answered again
        std::this_thread::sleep_for(pause_);
        attempt = std::max(attempt - 1, 1);
        continue;
      }
    } else {
      lost = lost || unanswered(answer.error());
      again = unanswered(answer.error()) || answer.error().reason == Reason::kPoolFull;
    }
    const auto pause = pause_ * attempt;
    if (!again || attempt == kAttempts || Now() + pause >= until) {
      if (last) return *std::move(last);
      return answer.error();
    }
    std::this_thread::sleep_for(pause);
  }
}

Result<const ledger::AgencyState*> SessionCore::MyAgency() const {
  const auto* agency = verifier_.directory().agency(profile_.member().agency());
  if (agency == nullptr || agency->left)
    return Refuse(Reason::kNotAuthorised, profile_.member().agency().str() + " is not in the charter");
  return agency;
}

Digest SessionCore::DigestOf(ledger::Kind kind, ByteView payload) {
  return crypto::DigestOf(ledger::PayloadType(kind), payload);
}

bool SessionCore::AnotherStream(const Error& why, bool progress, int& fruitless) const {
  constexpr int kFruitless = 9;
  if (why.reason != Reason::kUnavailable && why.reason != Reason::kDeadline && why.reason != Reason::kShuttingDown &&
      why.reason != Reason::kSlowConsumer)
    return false;
  if (progress) fruitless = 0;
  if (fruitless == kFruitless) return false;
  std::this_thread::sleep_for(pause_ * (1 << fruitless++));
  return true;
}

Result<VerifiedEntry> SessionCore::PostDirect(ledger::Kind kind, Bytes payload, record::Attachments attachments) {
  ledger::Envelope envelope;
  envelope.payload_type = ledger::PayloadType(kind);
  envelope.payload = std::move(payload);
  auto signature = keys_.signature.Sign(crypto::Pae(envelope.payload_type, envelope.payload));
  envelope.signatures.push_back({keys_.signature.id(), signature});
  return PostSigned(std::move(envelope), std::move(attachments));
}

Result<VerifiedEntry> SessionCore::PostSigned(ledger::Envelope envelope, record::Attachments attachments) {
  TRY(auto statement, proto::MakeStatement(envelope, attachments));
  const Digest digest = statement.digest;
  std::optional<ledger::VerifiedStatement> signed_statement;
  if (const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload)) {
    const auto signer = ledger::CharterSigner(verifier_.directory(), *amendment);
    TRY(signed_statement, ledger::VerifyCharterAmendment(ledger::Statement(statement), signer));
  } else {
    TRY(signed_statement, ledger::VerifyStatement(std::move(statement), keys_.signature.verify_key()));
  }
  std::vector<Submission> submissions(1);
  submissions[0].envelope = std::move(envelope);
  submissions[0].attachments = std::move(attachments);
  bool lost = false;
  auto answer = PostPatiently(submissions, lost);
  if (!answer) return Unsettled(answer.error(), submissions[0].envelope, lost);
  if (!answer->outcomes[0]) return Unsettled(answer->outcomes[0].error(), submissions[0].envelope, lost);
  TRY(auto checkpoint, verifier_.Advance(answer->view));
  const auto& receipt = answer->outcomes[0]->receipt;
  TRY(auto decision, verifier_.CheckAccepted(receipt, digest, checkpoint));
  return VerifiedEntry{receipt.head, *std::move(signed_statement), std::move(decision)};
}

KeptSecret SessionCore::SealForMyself(record::Kept what, const Digest& statement, const crypto::Secret& secret) {
  const auto& key = keys_.key_management.public_key();
  auto sealed = record::SealKept(what, statement, profile_.member(), key, secret, random_);
  return {statement, key.id(), sealed.enc, std::move(sealed.ciphertext)};
}

Result<crypto::Secret> SessionCore::OpenKept(record::Kept what, const Digest& statement) const {
  TRY(auto kept, profile_.FindKept(what == record::Kept::kSentKeys ? "sent.log" : "orders.log", statement));
  auto open = [&](const crypto::KemPrivateKey& key) {
    return record::OpenKept(what, statement, profile_.member(), key, kept.enc, kept.ciphertext);
  };
  const auto* key = KemKey(kept.kem_key_id);
  return open(key != nullptr ? *key : keys_.key_management);
}

const crypto::KemPrivateKey* SessionCore::KemKey(const KeyId& id) const {
  for (const auto& former : keys_.former)
    if (former.id() == id) return &former;
  return keys_.key_management.id() == id ? &keys_.key_management : nullptr;
}

Result<const crypto::KemPrivateKey*> SessionCore::EpochKey(const KeyId& id) {
  if (auto at = epoch_keys_.find(id); at != epoch_keys_.end()) return &at->second;
  TRY(const auto* agency, MyAgency());
  const auto* epoch = agency->by_key(id);
  if (epoch == nullptr)
    return Refuse(Reason::kNotFound, "no key epoch of " + agency->charter.id.str() + " has this key");
  auto wrap = epoch->wraps.find(profile_.member());
  if (wrap == epoch->wraps.end())
    return Refuse(Reason::kNotReady,
                  "epoch " + std::to_string(epoch->epoch) + " was not opened to you; ask your agency's administrator");
  // Who enrolled my renewed keys may not have had this epoch itself: then it is still sealed to my former key.
  const auto* mine = KemKey(wrap->second.member_kem_key_id);
  if (mine == nullptr)
    return Refuse(Reason::kNotReady,
                  "epoch " + std::to_string(epoch->epoch) +
                      " was opened to a key that this profile has not; ask your agency's administrator");
  TRY(auto key, record::OpenEpochKey(epoch->public_key, agency->charter.id, epoch->epoch, epoch->previous,
                                     profile_.member(), *mine, wrap->second.enc, wrap->second.ciphertext));
  return &epoch_keys_.emplace(id, std::move(key)).first->second;
}

}  // namespace valija::client
