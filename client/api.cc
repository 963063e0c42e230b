// client/valija.h over SessionCore: values out, refusals as failures.
#include "client/charter_draft.h"
#include "client/connect.h"
#include "client/session.h"
#include "core/io/file.h"
#include "core/policy/policy.h"

namespace valija {

using client::ToFailure;
using client::ToOutcome;

class Session::Impl {
 public:
  explicit Impl(std::unique_ptr<client::SessionCore> session) : owned(std::move(session)), core(*owned) {}
  std::unique_ptr<client::SessionCore> owned;
  client::SessionCore& core;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Outcome<std::unique_ptr<Session>> Session::Open(const SessionOptions& options) {
  auto core = client::OpenSession(options);
  if (!core) return ToFailure(core.error());
  return std::unique_ptr<Session>(new Session(std::make_unique<Impl>(*std::move(core))));
}

Outcome<WhoAmI> Session::Me() { return ToOutcome(impl_->core.Me()); }
Witnessing Session::Witnessed() const { return impl_->core.Witnessed(); }
Outcome<std::vector<AgencyInfo>> Session::Directory() { return ToOutcome(impl_->core.Directory()); }
Outcome<std::vector<PortionPreview>> Session::Preview(const Draft& draft) {
  return ToOutcome(impl_->core.Preview(draft));
}

Outcome<std::vector<PortionExplained>> Session::Explain(const Draft& draft, const std::string& purpose,
                                                        const std::string& case_reference) {
  return ToOutcome(impl_->core.Explain(draft, purpose, case_reference));
}

Outcome<std::vector<PortionExplained>> Session::ExplainRecord(const std::string& record, const std::string& purpose,
                                                              const std::string& case_reference) {
  return ToOutcome(impl_->core.ExplainRecord(record, purpose, case_reference));
}

Outcome<SentRecord> Session::Send(const Draft& draft, const Progress& progress) {
  auto sent = impl_->core.Send({draft}, progress);
  if (!sent) return ToFailure(sent.error());
  return ToOutcome(std::move(sent->front()));
}

Outcome<std::vector<Outcome<SentRecord>>> Session::SendBatch(const std::vector<Draft>& drafts) {
  auto sent = impl_->core.Send(drafts, {});
  if (!sent) return ToFailure(sent.error());
  std::vector<Outcome<SentRecord>> out;
  for (auto& one : *sent) out.push_back(ToOutcome(std::move(one)));
  return out;
}

Outcome<std::string> Session::Resolve(const std::string& id_or_prefix) {
  auto digest = impl_->core.Resolve(id_or_prefix);
  if (!digest) return ToFailure(digest.error());
  return digest->Hex();
}

Outcome<std::vector<InboxItem>> Session::Inbox() { return ToOutcome(impl_->core.Inbox()); }
Outcome<std::vector<InboxItem>> Session::Sent() { return ToOutcome(impl_->core.SentItems()); }

Outcome<Done> Session::Follow(const std::function<bool(const NewsItem&)>& item) {
  auto ended = impl_->core.Follow(item);
  if (!ended) return ToFailure(ended.error());
  return Done{};
}

Outcome<OpenedPortion> Session::OpenRecord(const OpenRequest& request, const Progress& progress) {
  auto opened = impl_->core.Open({request}, progress);
  if (!opened) return ToFailure(opened.error());
  return ToOutcome(std::move(opened->front()));
}

Outcome<std::vector<Outcome<OpenedPortion>>> Session::OpenBatch(const std::vector<OpenRequest>& requests) {
  auto opened = impl_->core.Open(requests, {});
  if (!opened) return ToFailure(opened.error());
  std::vector<Outcome<OpenedPortion>> out;
  for (auto& one : *opened) out.push_back(ToOutcome(std::move(one)));
  return out;
}

Outcome<NewsItem> Session::Acknowledge(const std::string& record, const std::string& outcome) {
  return ToOutcome(impl_->core.Acknowledge(record, outcome));
}
Outcome<NewsItem> Session::Revoke(const std::string& record, const std::string& why) {
  return ToOutcome(impl_->core.Revoke(record, why));
}
Outcome<NewsItem> Session::Recall(const std::string& record, const std::string& why) {
  return ToOutcome(impl_->core.Revoke(record, why, true));
}
Outcome<std::vector<NewsItem>> Session::Custody(const std::string& record) {
  return ToOutcome(impl_->core.Custody(record));
}

Outcome<std::vector<WaitingItem>> Session::Waiting() { return ToOutcome(impl_->core.Waiting()); }
Outcome<WaitingItem> Session::Request(const std::string& request) { return ToOutcome(impl_->core.Request(request)); }
Outcome<NewsItem> Session::Approve(const std::string& request, const std::string& why) {
  return ToOutcome(impl_->core.Say(request, ledger::ApprovalVerdict::kApprove, why));
}
Outcome<NewsItem> Session::Reject(const std::string& request, const std::string& why) {
  return ToOutcome(impl_->core.Say(request, ledger::ApprovalVerdict::kReject, why));
}
Outcome<NewsItem> Session::Withdraw(const std::string& request, const std::string& why) {
  return ToOutcome(impl_->core.Say(request, ledger::ApprovalVerdict::kWithdraw, why));
}
Outcome<NewsItem> Session::Review(const std::string& request, bool justified, const std::string& why) {
  return ToOutcome(impl_->core.Review(request, justified, why));
}
Outcome<NewsItem> Session::RequestAccess(const AccessDraft& draft) {
  return ToOutcome(impl_->core.RequestAccess(draft));
}
Outcome<NewsItem> Session::Answer(const std::string& request, const std::string& marking, const std::string& why) {
  return ToOutcome(impl_->core.Answer(request, marking, why));
}
Outcome<NewsItem> Session::Amend(const std::string& record, std::uint32_t portion, const std::string& policy_text) {
  return ToOutcome(impl_->core.Amend(record, portion, policy_text));
}
Outcome<NewsItem> Session::Grant(const GrantDraft& draft) { return ToOutcome(impl_->core.Grant(draft)); }
Outcome<NewsItem> Session::Purge(const std::vector<std::string>& ids, const std::string& why) {
  return ToOutcome(impl_->core.Purge(ids, why));
}

Outcome<NewsItem> Session::StandingOrder(const OrderDraft& draft) {
  return ToOutcome(impl_->core.StandingOrder(draft));
}
Outcome<NewsItem> Session::EndOrder(const std::string& order) { return ToOutcome(impl_->core.EndOrder(order)); }
Outcome<std::vector<OrderInfo>> Session::Orders() { return ToOutcome(impl_->core.Orders()); }
Outcome<Done> Session::FollowReleased(std::uint64_t from_entry, const std::filesystem::path& folder,
                                      const std::function<bool(const Released&)>& released,
                                      const std::function<void(const std::string& missing)>& waiting) {
  auto ended = impl_->core.FollowReleased(from_entry, folder, released, waiting);
  if (!ended) return ToFailure(ended.error());
  return Done{};
}

std::uint64_t Session::NextReleased() const { return impl_->core.NextReleased(); }

Outcome<std::vector<Session::EnrolmentChange>> Session::EnrolmentChanges(const std::filesystem::path& card,
                                                                         const EnrolOptions& options) {
  return ToOutcome(impl_->core.EnrolmentChanges(card, options));
}
Outcome<NewsItem> Session::Enrol(const std::filesystem::path& card, const EnrolOptions& options) {
  return ToOutcome(impl_->core.Enrol(card, options));
}
Outcome<NewsItem> Session::Remove(const std::string& member) { return ToOutcome(impl_->core.Remove(member)); }
Outcome<NewsItem> Session::Suspend(const std::string& member) { return ToOutcome(impl_->core.Suspend(member)); }
Outcome<NewsItem> Session::Resume(const std::string& member) { return ToOutcome(impl_->core.Resume(member)); }
Outcome<NewsItem> Session::GrantEpochs(const std::string& member) { return ToOutcome(impl_->core.GrantEpochs(member)); }
Outcome<NewsItem> Session::SubmitCharterAmendment(const std::string& envelope) {
  return ToOutcome(impl_->core.SubmitCharterAmendment(envelope));
}
Outcome<NewsItem> Session::RotateEpoch() { return ToOutcome(impl_->core.RotateEpoch()); }
Outcome<SavedReceipt> Session::SaveReceipt(const ReceiptRequest& request) {
  return ToOutcome(impl_->core.SaveReceipt(request));
}
Outcome<SavedBundle> Session::SaveBundle(const BundleRequest& request) {
  return ToOutcome(impl_->core.SaveBundle(request));
}
Outcome<std::string> Session::LastCheckpoint() { return ToOutcome(impl_->core.LastCheckpoint()); }
Outcome<std::string> Session::WitnessPolicies() { return ToOutcome(impl_->core.WitnessPolicies()); }

Outcome<std::uint64_t> Session::ExportLog(const std::filesystem::path& folder, const std::string& why,
                                          const Progress& progress) {
  return ToOutcome(impl_->core.ExportLog(folder, why, progress));
}

// ---- without a session ----

namespace {

Time SystemNow() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Result<CharterInfo> InfoOf(const ledger::Envelope& envelope) {
  TRY(auto statement, proto::MakeStatement(envelope));
  CharterInfo info;
  info.digest = statement.digest.Hex();
  info.signatures = envelope.signatures.size();
  if (statement.kind == ledger::Kind::kCharter) info.complete = ledger::VerifyCharter(std::move(statement)).has_value();
  TRY(info.terms, client::DescribeCharter(envelope));
  return info;
}

}  // namespace

Outcome<ProfileFiles> Session::Init(const SessionOptions& options, const std::string& member) {
  auto init = [&]() -> Result<ProfileFiles> {
    const auto id = MemberId::Parse(member);
    if (!id) return Refuse(Reason::kUsage, "a member is named like us.dea/jrivera");
    TRY(auto passphrase, client::Passphrase(options.passphrase_file, true));
    crypto::SystemRandom random;
    TRY_OK(client::Profile::Create(options.profile, *id, passphrase, random));
    return ProfileFiles{options.profile / "request.csr", options.profile / "member.card"};
  };
  return ToOutcome(init());
}

Outcome<Done> Session::Join(const SessionOptions& options, const std::filesystem::path& charter,
                            const std::string& digest, const std::string& broker,
                            const std::filesystem::path& certificate) {
  auto join = [&]() -> Status {
    const auto expected = Digest::FromHexText(digest);
    if (!expected) return Refuse(Reason::kUsage, "a digest has 64 hex digits");
    TRY(auto envelope, io::ReadFile(charter, 4 << 20));
    TRY(auto pem, io::ReadText(certificate, 1 << 20));
    TRY(auto profile, client::Profile::Open(options.profile));
    return profile.Join(envelope, *expected, broker, pem, SystemNow());
  };
  auto joined = join();
  if (!joined) return ToFailure(joined.error());
  return Done{};
}

Outcome<CharterInfo> Session::DraftCharter(const std::filesystem::path& draft, const std::filesystem::path& output) {
  auto make = [&]() -> Result<CharterInfo> {
    crypto::SystemRandom random;
    TRY(auto envelope, client::DraftCharter(draft, SystemNow(), random));
    TRY_OK(io::WriteNewFile(output, envelope.payload));
    return InfoOf(envelope);
  };
  return ToOutcome(make());
}

Outcome<CharterInfo> Session::SignCharter(const SessionOptions& options, const std::filesystem::path& charter) {
  auto sign = [&]() -> Result<CharterInfo> {
    TRY(auto envelope, client::ReadCharterFile(charter));
    TRY(auto profile, client::Profile::Open(options.profile));
    TRY(auto passphrase, client::Passphrase(options.passphrase_file, false));
    TRY(auto keys, profile.Unlock(passphrase));
    TRY_OK(client::SignCharter(envelope, profile.member(), keys.signature));
    TRY_OK(io::WriteFileAtomic(charter, proto::EncodeEnvelope(envelope)));
    return InfoOf(envelope);
  };
  return ToOutcome(sign());
}

Outcome<CharterInfo> Session::ShowCharter(const std::filesystem::path& charter) {
  auto envelope = client::ReadCharterFile(charter);
  if (!envelope) return ToFailure(envelope.error());
  return ToOutcome(InfoOf(*envelope));
}

PolicyCheck Session::CheckPolicy(const std::string& text) {
  auto parsed = policy::ParseText(text);
  PolicyCheck out;
  for (auto& error : parsed.errors) out.errors.emplace_back(error.line, std::move(error.message));
  if (parsed.policy && out.errors.empty()) out.canonical = policy::ToText(*parsed.policy);
  return out;
}

Outcome<std::filesystem::path> Session::BeginRenewal(const SessionOptions& options) {
  auto begin = [&]() -> Result<std::filesystem::path> {
    TRY(auto profile, client::Profile::Open(options.profile));
    TRY(auto passphrase, client::Passphrase(options.passphrase_file, false));
    crypto::SystemRandom random;
    TRY_OK(profile.BeginRenewal(passphrase, random));
    return profile.renewal_folder();
  };
  return ToOutcome(begin());
}

Outcome<Done> Session::FinishRenewal(const SessionOptions& options, const std::filesystem::path& certificate) {
  auto finish = [&]() -> Status {
    TRY(auto profile, client::Profile::Open(options.profile));
    TRY(auto pem, io::ReadText(certificate, 1 << 20));
    return profile.FinishRenewal(pem, SystemNow());
  };
  auto finished = finish();
  if (!finished) return ToFailure(finished.error());
  return Done{};
}

}  // namespace valija
