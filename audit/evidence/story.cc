#include "audit/evidence/story.h"

#include <set>

#include "audit/evidence/receipt.h"
#include "core/text/catalogue.h"

namespace valija::evidence {
namespace {

using text::Format;
using text::Id;
using text::Text;

// In the order of ledger::Kind.
constexpr Id kKinds[] = {
    Id::kKindCharter,       Id::kKindEnrolment,       Id::kKindEpoch,         Id::kKindRecord,
    Id::kKindOpen,          Id::kKindAcknowledgement, Id::kKindRevocation,    Id::kKindCharterAmendment,
    Id::kKindGrant,         Id::kKindAmendment,       Id::kKindApproval,      Id::kKindReview,
    Id::kKindAccessRequest, Id::kKindAnswer,          Id::kKindStandingOrder, Id::kKindStandingOpening,
    Id::kKindPurge,         Id::kKindLookup};

std::string KindText(ledger::Kind kind) { return Text(kKinds[static_cast<std::size_t>(kind) - 1]); }

template <class List>
std::string Joined(const List& list) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ", ") + std::string(one);
  return out;
}

// Adds the fields of each kind.
struct Teller {
  const CheckedBundle& bundle;
  const Line& line;
  Told& told;

  void Add(Id name, const std::string& value) const {
    if (!value.empty()) told.fields.emplace_back(Text(name), value);
  }
  void Attached(const record::Header& header, const std::vector<policy::Policy>& policies) const {
    for (const auto& [portion, agencies, all] : RecipientsOf(*line.statement)) {
      const auto shown = Joined(agencies);
      told.fields.emplace_back(Format(Id::kFieldRecipientsOf, portion), all ? shown
                                                                        : shown.empty()
                                                                            ? Text(Id::kNotShown)
                                                                            : Format(Id::kPerhapsOthers, shown));
    }
    for (const auto& portion : header.portions)
      Add(Id::kFieldPortion, std::to_string(portion.number) + ": " + portion.marking + ", " + portion.media_type);
    if (header.in_reply_to) Add(Id::kFieldReplyTo, header.in_reply_to->Hex());
    for (const auto& source : header.sources) Add(Id::kFieldSource, source.Hex());
    if (policies.empty()) Add(Id::kFieldPolicy, Text(Id::kNotShown));
    for (const auto& policy : policies) Add(Id::kFieldPolicy, policy::ToText(policy));
  }

  void operator()(const ledger::Charter& charter) const {
    Add(Id::kFieldTitle, charter.title);
    Add(Id::kFieldLogKey, charter.log_key);
    for (const auto& agency : charter.agencies)
      for (const auto& member : agency.administrators)
        Add(Id::kFieldAdministrator, member.id.str() + ", " + crypto::KeyIdOf(member.keys.signing_key).Hex());
    if (!charter.witness_policy.empty()) Add(Id::kFieldWitnesses, charter.witness_policy);
  }
  void operator()(const ledger::CharterAmendment& amendment) const { (*this)(amendment.charter); }
  void operator()(const ledger::Enrolment& enrolment) const {
    const auto& member = enrolment.member;
    Add(Id::kFieldMember, member.id.str());
    Add(Id::kFieldStatus, Text(member.status == ledger::MemberStatus::kActive      ? Id::kMemberActive
                               : member.status == ledger::MemberStatus::kSuspended ? Id::kMemberSuspended
                                                                                   : Id::kMemberRemoved));
    Add(Id::kFieldSigningKey, crypto::KeyIdOf(member.keys.signing_key).Hex());
    if (member.administrator) Add(Id::kFieldAdministrator, Text(Id::kSaysYes));
  }
  void operator()(const ledger::Epoch&) const {}
  void operator()(const ledger::Record& record) const { Attached(record.payload.header, record.policies); }
  void operator()(const ledger::Grant& grant) const {
    Add(Id::kFieldOriginal, grant.record.Hex());
    if (grant.request) Add(Id::kFieldRequest, grant.request->Hex());
    Attached(grant.header, grant.policies);
  }
  void operator()(const ledger::Open& open) const {
    Add(Id::kFieldAgency, open.agency.str());
    Add(Id::kFieldPurpose, open.purpose);
    Add(Id::kFieldCase, open.case_reference);
    Add(Id::kFieldEmergency, open.emergency);
    if (open.approved_request) Add(Id::kFieldRequest, open.approved_request->Hex());
  }
  void operator()(const ledger::Acknowledgement& acknowledgement) const {
    Add(Id::kFieldOutcome, acknowledgement.outcome);
  }
  void operator()(const ledger::Revocation& revocation) const {
    if (revocation.recall) Add(Id::kFieldRecall, Text(Id::kSaysYes));
    Add(Id::kFieldWhy, revocation.why);
  }
  void operator()(const ledger::Amendment& amendment) const {
    Add(Id::kFieldPortion, std::to_string(amendment.portion));
    Add(Id::kFieldSequence, std::to_string(amendment.sequence));
    Add(Id::kFieldPolicy, amendment.policy ? policy::ToText(*amendment.policy) : Text(Id::kNotShown));
  }
  void operator()(const ledger::Approval& approval) const {
    Add(Id::kFieldRequest, approval.request.Hex());
    Add(Id::kFieldResult, Text(approval.verdict == ledger::ApprovalVerdict::kApprove  ? Id::kSaysApproved
                               : approval.verdict == ledger::ApprovalVerdict::kReject ? Id::kSaysRejected
                                                                                      : Id::kSaysWithdrawn));
    Add(Id::kFieldWhy, approval.why);
  }
  void operator()(const ledger::Review& review) const {
    Add(Id::kFieldRequest, review.request.Hex());
    Add(Id::kFieldResult,
        Text(review.finding == ledger::Finding::kJustified ? Id::kSaysJustified : Id::kSaysNotJustified));
    Add(Id::kFieldWhy, review.why);
  }
  void operator()(const ledger::AccessRequest& request) const {
    Add(Id::kFieldAgency, request.agency.str());
    Add(Id::kFieldPurpose, request.purpose);
    Add(Id::kFieldCase, request.case_reference);
    Add(Id::kFieldWhy, request.why);
  }
  void operator()(const ledger::Answer& answer) const {
    Add(Id::kFieldRequest, answer.request.Hex());
    Add(Id::kFieldResult, answer.marking ? std::string(policy::TextOf(*answer.marking)) : Text(Id::kSaysDeclined));
    Add(Id::kFieldWhy, answer.why);
  }
  void operator()(const ledger::StandingOrder& order) const {
    Add(Id::kFieldAgency, order.agency.str());
    Add(Id::kFieldPurpose, order.purpose);
    Add(Id::kFieldCase, order.case_reference);
    Add(Id::kFieldUntil, text::TimeText(order.expires));
  }
  void operator()(const ledger::StandingOpening& opening) const { Add(Id::kFieldOrder, opening.order.Hex()); }
  void operator()(const ledger::Purge& purge) const {
    for (const auto& erasure : purge.erasures)
      if (bundle.Has(erasure.statement)) Add(Id::kFieldErases, erasure.statement.Hex());
    Add(Id::kFieldWhy, purge.why);
  }
  void operator()(const ledger::Lookup& lookup) const { Add(Id::kFieldWhy, lookup.why); }
};

std::string ResultOf(const ledger::Verdict& verdict) {
  std::vector<std::string> codes;
  for (const auto reason : verdict.reasons) codes.emplace_back(CodeOf(reason));
  return codes.empty() ? Text(Id::kSaysGranted) : Format(Id::kSaysRefused, Joined(codes));
}

void Add(Told& told, Id name, std::string value) { told.fields.emplace_back(Text(name), std::move(value)); }

// Of the record, and of its original and its grants; what a request or a decision says of others is theirs.
void AddDecision(const CheckedBundle& bundle, const Line& line, Told& told) {
  if (!line.decision) {
    if (line.statement)
      if (const auto* open = std::get_if<ledger::Open>(&line.statement->payload))
        for (const auto& item : open->items)
          if (bundle.family.contains(item.record))
            Add(told, Id::kFieldAsks, Format(Id::kPortionOf, item.portion, item.record.Hex()));
    Add(told, Id::kFieldDecision, Text(Id::kNotShown));
    return;
  }
  for (const auto& verdict : line.decision->verdicts) {
    if (!bundle.family.contains(verdict.record)) continue;  // also of the zeros of what is no opening
    auto result = ResultOf(verdict);
    if (line.decision->unwitnessed && verdict.allowed()) result = Format(Id::kNewsUnwitnessed, result);
    told.fields.emplace_back(Format(Id::kFieldDecisionOf, verdict.portion),
                             Format(Id::kFieldVerdict, result, verdict.record.Hex()));
  }
}

Told TellLine(const CheckedBundle& bundle, const Line& line) {
  Told told{line.head.index, text::TimeText(line.head.time), {}, {}, {}};
  if (!line.statement) {
    told.kind = Text(Id::kNotShown);
  } else {
    told.kind = KindText(line.statement->kind);
    if (const auto by = ledger::AuthorshipOf(*line.statement)) told.who = by->author.str();
    if (const auto* opening = std::get_if<ledger::StandingOpening>(&line.statement->payload))
      told.who = opening->member.str();
    std::visit(Teller{bundle, line, told}, line.statement->payload);
  }
  if (line.by_log_alone) Add(told, Id::kFieldSigned, Text(Id::kByLogAlone));
  if (!line.directory) AddDecision(bundle, line, told);
  if (line.others > 0) Add(told, Id::kFieldOthers, text::Counted(Id::kOthersNotTold, line.others));
  if (line.erased_by) Add(told, Id::kFieldErased, Format(Id::kErasedByEntry, *line.erased_by));
  if (!line.directory && !line.about) Add(told, Id::kFieldAbout, Text(Id::kNotShown));
  Add(told, Id::kFieldStatement, line.head.statement.Hex());
  return told;
}

std::vector<Told> Tell(const CheckedBundle& bundle, bool directory) {
  std::vector<Told> out;
  for (const auto& line : bundle.lines)
    if (line.directory == directory) out.push_back(TellLine(bundle, line));
  return out;
}

}  // namespace

std::vector<Recipients> RecipientsOf(const ledger::Statement& statement) {
  const auto* grant = std::get_if<ledger::Grant>(&statement.payload);
  const auto* record = std::get_if<ledger::Record>(&statement.payload);
  if (grant == nullptr && record == nullptr) return {};
  std::vector<Recipients> out;
  for (const auto& portion : (grant != nullptr ? grant->header : record->payload.header).portions) {
    Recipients one{portion.number, {}, false};
    std::size_t shown = 0;
    for (const auto& slip : statement.attachments.slips) {
      if (slip.portion != portion.number) continue;
      ++shown;
      if (slip.agency.str() != record::kDecoyAgency) one.agencies.insert(slip.agency.str());
    }
    one.all = shown == portion.recipients.size();
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<Told> Events(const CheckedBundle& bundle) { return Tell(bundle, false); }
std::vector<Told> Keys(const CheckedBundle& bundle) { return Tell(bundle, true); }

std::vector<std::pair<std::string, std::string>> Summary(const CheckedBundle& bundle) {
  const auto& checkpoint = bundle.under.checkpoint;
  std::vector<std::pair<std::string, std::string>> out = {
      {Text(Id::kFieldRecord), bundle.record.Hex()},
      {Text(Id::kFieldLog), checkpoint.origin},
      {Text(Id::kFieldCharter), bundle.charter.Hex() + ", " + bundle.title},
      {Text(Id::kFieldCheckpoint), Format(Id::kFieldCheckpointOf, checkpoint.size, checkpoint.root.Hex())}};
  for (const auto& [name, seconds] : bundle.under.cosigned)
    out.emplace_back(Text(Id::kFieldCosigned), name + ", " + text::TimeText(CosignedAt(seconds)));
  if (!bundle.witnesses_asked) out.emplace_back(Text(Id::kFieldCosigned), Text(Id::kNoWitnessesAsked));
  out.emplace_back(Text(Id::kFieldMadeBy), bundle.member.str() + ", " + text::TimeText(bundle.time));
  return out;
}

std::vector<std::string> Limits(const CheckedBundle& bundle) {
  std::size_t hidden = 0;
  for (const auto& line : bundle.lines) hidden += line.statement && line.decision ? 0 : 1;
  std::vector<std::string> out = {Text(Id::kBundleShows)};
  if (hidden > 0) out.push_back(text::Counted(Id::kBundleHidden, hidden));
  for (const auto& gap : bundle.gaps)
    out.push_back(gap.sequence != 0 ? Format(Id::kBundleGapAmendment, gap.entry, gap.sequence)
                                    : Format(Id::kBundleGap, gap.entry, gap.statement.Hex()));
  for (const auto limit :
       {Id::kBundleNotWhole, Id::kBundleMaker, Id::kBundleNotRules, Id::kBundleNotContent, Id::kBundleNotClock})
    out.push_back(Text(limit));
  return out;
}

}  // namespace valija::evidence
