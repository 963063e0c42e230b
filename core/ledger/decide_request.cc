// What members ask of one another and answer: approvals, reviews of emergencies, access requests; and what auditors read.
#include <algorithm>
#include <set>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

constexpr Duration kAccessDay = std::chrono::hours(24);
constexpr Duration kLookupLasts = std::chrono::hours(24 * 30);

Error Malformed(std::string detail) { return Refuse(Reason::kMalformed, std::move(detail)); }

Status CheckText(const std::string& text, const char* what) {
  if (text.empty() || IsPrintable(text, kLongestText)) return Ok();
  return Malformed(std::string(what) + ": up to 200 bytes of printable text");
}
Status CheckWhy(const std::string& why) {
  if (IsReason(why)) return Ok();
  return Malformed("why: 1 to 200 bytes of printable text");
}

// An approver speaks for the originator's side or for the requester's; of a grant both who made it and the original's
// originator are originators.
bool Counts(const State& state, const RecordState& record, const MemberId& requester, const MemberId& approver) {
  const AgencyId agency = approver.agency();
  return agency == requester.agency() || agency == record.originator.agency() ||
         agency == state.original(record).originator.agency();
}

// Two members of one agency may be one human unless it is told who each of them is; those of two agencies are two.
bool MayBeOne(const MemberRecord& one, const MemberRecord& other) {
  if (one.id.agency() != other.id.agency()) return false;
  return one.person.empty() || other.person.empty() || PersonOf(one) == PersonOf(other);
}

bool Names(const policy::Policy& policy, const MemberId& approver) {
  return std::any_of(policy.approvals.begin(), policy.approvals.end(), [&](const policy::Approvals& group) {
    return std::binary_search(group.approvers.begin(), group.approvers.end(), approver);
  });
}

}  // namespace

bool MayApprove(const State& state, const PendingRequest& request, const MemberId& member) {
  return std::any_of(request.items.begin(), request.items.end(), [&](const OpenItem& item) {
    const RecordState* record = state.record(item.record);
    const PortionState* portion = record == nullptr ? nullptr : record->portion(item.portion);
    return portion != nullptr && Names(*portion->policy, member) && Counts(state, *record, request.author, member);
  });
}

std::vector<Reason> JudgeApprovals(const State& state, const RecordState& record, const policy::Policy& policy,
                                   const PendingRequest& request) {
  const MemberState* requester = state.active_member(request.author);
  if (requester == nullptr) return {Reason::kApprovalMissing};
  // Who said yes, for whichever group; the requester is none of them, whatever its other names.
  std::set<std::string> persons = {PersonOf(requester->record)};
  bool met = true;
  for (const policy::Approvals& group : policy.approvals) {
    std::uint32_t said_yes = 0;
    for (const MemberId& approver : group.approvers) {
      const MemberState* member = state.active_member(approver);
      const auto said = request.said.find(approver);
      if (member == nullptr || said == request.said.end() || !Counts(state, record, request.author, approver)) continue;
      if (said->second.verdict == ApprovalVerdict::kReject) return {Reason::kRejected};
      if (said->second.key != member->signing_key.id()) continue;  // said with a key that was given up since
      if (member->record.person.empty() || MayBeOne(member->record, requester->record)) continue;
      if (persons.insert(PersonOf(member->record)).second) ++said_yes;
    }
    met = met && said_yes >= group.needed;
  }
  if (met) return {};
  return {Reason::kApprovalMissing};
}

// Only those whom the policy in force names, each as one person, never the requester; about a request that still waits.
Status CheckApproval(const State& state, const Approval& approval, const Circumstances& at) {
  const MemberId& author = approval.by.author;
  const PendingRequest* request = state.pending(approval.request);
  if (request == nullptr || !MayApprove(state, *request, author)) return Refuse(Reason::kNotFound);
  if (request->used) return Refuse(Reason::kExists, "the request was granted before");
  if (std::max(at.now, state.latest()) >= request->expires) return Refuse(Reason::kRequestExpired);
  const MemberState& approver = *state.active_member(author);
  if (approver.record.person.empty())
    return Refuse(Reason::kNotAuthorised,
                  "a member without a person approves nothing; its administrator enrols it with one");
  const std::string person = PersonOf(approver.record);
  const MemberState* requester = state.member(request->author);
  if (requester == nullptr || MayBeOne(approver.record, requester->record))
    return Refuse(Reason::kSamePerson, requester != nullptr && requester->record.person.empty()
                                           ? "who asked is enrolled without a person, and might be you"
                                           : "nobody approves its own request");
  for (const auto& [other, said] : request->said)
    if (other != author && PersonOf(state.member(other)->record) == person)
      return Refuse(Reason::kSamePerson, "you have spoken as " + other.str());
  TRY_OK(approval.verdict == ApprovalVerdict::kApprove ? CheckText(approval.why, "why") : CheckWhy(approval.why));
  const auto before = request->said.find(author);
  if (approval.verdict == ApprovalVerdict::kWithdraw && before == request->said.end())
    return Refuse(Reason::kNotReady, "there is nothing to withdraw");
  if (before != request->said.end() && approval.verdict == before->second.verdict &&
      before->second.key == approval.by.key_id)
    return Refuse(Reason::kExists, "you have said so before");
  return Ok();
}

// By an auditor of an originator's agency, or a joint auditor, and not by who made the emergency.
Status CheckReview(const State& state, const Review& review) {
  const MemberId& author = review.by.author;
  const EmergencyState* emergency = state.emergency(review.request);
  const MemberState& reviewer = *state.active_member(author);
  const bool joint = state.is_joint_auditor(author);
  const bool own = emergency != nullptr && reviewer.record.auditor &&
                   std::find(emergency->originators.begin(), emergency->originators.end(), author.agency()) !=
                       emergency->originators.end();
  if (emergency == nullptr || (!joint && !own)) return Refuse(Reason::kNotFound);
  if (emergency->reviewed) return Refuse(Reason::kExists, "the case was closed before");
  if (MayBeOne(reviewer.record, state.member(emergency->author)->record))
    return Refuse(Reason::kSamePerson, "nobody reviews its own emergency");
  return CheckWhy(review.why);
}

// By an auditor, before it reads. What an agency's auditor is then shown is what concerns its agency.
Status CheckLookup(const State& state, const Lookup& lookup, const Circumstances& at) {
  const MemberId& author = lookup.by.author;
  if (!state.active_member(author)->record.auditor && !state.is_joint_auditor(author))
    return Refuse(Reason::kNotAuthorised);
  if (lookup.from_index > state.size()) return Malformed("from_index is beyond the log");
  if (lookup.end_index != 0 && lookup.end_index <= lookup.from_index) return Malformed("end_index: above from_index");
  if (at.now >= lookup.expires || lookup.expires > at.now + kLookupLasts)
    return Refuse(Reason::kBadTime, "a look-up lasts 30 days at most");
  if (state.lookups_of(author) >= kMostLookups) return Refuse(Reason::kTooMany, "look-ups that have not expired");
  return CheckWhy(lookup.why);
}

// Judged without a look at the record: the answer is the same whether there is one or not.
Status CheckAccessRequest(const State& state, const AccessRequest& request, const Circumstances& at) {
  const Charter& charter = *state.charter();
  const AgencyId own = request.by.author.agency();
  const AgencyState* receiver = state.agency(request.agency);
  if (receiver == nullptr || receiver->left) return Malformed(request.agency.str() + " is no agency of the charter");
  if ((request.wish == Wish::kOnward) == (request.agency == own))
    return Malformed("onward is to another agency; everything else is for your own");
  if ((request.wish == Wish::kMarkLess) != request.marking.has_value())
    return Malformed("a marking is asked for, or something else");
  if (request.portions.size() > record::kMaxPortions) return Malformed("more portions than any record has");
  for (std::size_t i = 1; i < request.portions.size(); ++i)
    if (request.portions[i - 1] >= request.portions[i]) return Malformed("portions are ascending");
  if (std::find(charter.purposes.begin(), charter.purposes.end(), request.purpose) == charter.purposes.end())
    return Malformed("the charter has no such purpose");
  TRY_OK(CheckText(request.case_reference, "case reference"));
  TRY_OK(CheckWhy(request.why));
  const auto* times = state.access_times(request.by.author);
  if (times != nullptr && times->size() >= kMostAccessRequests && at.now < times->front() + kAccessDay)
    return Refuse(Reason::kTooMany, "access requests of yours within a day");
  return Ok();
}

// The originator of the record asked for, or an administrator of its agency. Access itself is given by a grant.
Status CheckAnswer(const State& state, const Answer& answer) {
  const MemberId& author = answer.by.author;
  const AccessRequestState* asked = state.access_request(answer.request);
  const RecordState* record = asked == nullptr ? nullptr : state.record(asked->request.record);
  if (record == nullptr) return Refuse(Reason::kNotFound);
  const MemberId& originator = state.original(*record).originator;
  if (author.agency() != originator.agency()) return Refuse(Reason::kNotFound);
  if (author != originator && !IsAdministrator(state, author, originator.agency()))
    return Refuse(Reason::kNotOriginator);
  if (asked->answered) return Refuse(Reason::kExists, "it was answered before");
  if (answer.marking && asked->request.wish != Wish::kMarkLess)
    return Malformed("a marking was not asked for; access is given by a grant");
  return CheckText(answer.why, "why");
}

}  // namespace valija::ledger
