// Openings: a request that is well-formed and authentic is always an entry, whatever the verdicts.
#include <algorithm>
#include <set>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

constexpr std::size_t kMaxItems = 256, kLongestCase = 200;

// The request that the approvals were given to: the author's own, for the same, and not used yet.
Status CheckApproved(const State& state, const Open& open, Time now) {
  const PendingRequest* request = state.pending(*open.approved_request);
  if (request == nullptr || request->author != open.by.author)
    return Refuse(Reason::kNotFound, "a request of yours that waits for approvals");
  if (request->used) return Refuse(Reason::kReplayed, "the approvals were used before");
  // As with requests: a clock that went back behind the log revives none.
  if (std::max(now, state.latest()) >= request->expires)
    return Refuse(Reason::kRequestExpired, "the approvals are no longer good");
  // What a purge left of a case reference says no longer which case it was.
  auto erased = [](const std::string& text) { return text == kErasedText; };
  if (open.purpose != request->purpose || (open.case_reference != request->case_reference &&
                                           !erased(open.case_reference) && !erased(request->case_reference)))
    return Refuse(Reason::kMalformed, "another purpose or case than what was approved");
  for (const OpenItem& item : open.items)
    if (std::none_of(request->items.begin(), request->items.end(),
                     [&](const OpenItem& one) { return one.record == item.record && one.portion == item.portion; }))
      return Refuse(Reason::kMalformed, "a portion that was not asked to be approved");
  return Ok();
}

// The request as such. What is wrong here is no entry: it names no record's fate.
Status CheckRequest(const State& state, const Open& open, Time now) {
  if (open.agency != open.by.author.agency()) return Refuse(Reason::kNotAuthorised, "opened for another agency");
  if (open.items.empty() || open.items.size() > kMaxItems) return Refuse(Reason::kMalformed, "1 to 256 items");
  std::set<std::pair<Digest, std::uint32_t>> pairs;
  for (const OpenItem& item : open.items)
    if (!pairs.emplace(item.record, item.portion).second)
      return Refuse(Reason::kMalformed, "a portion is asked for twice");
  if (!IsLabel(open.purpose)) return Refuse(Reason::kMalformed, "the purpose is not spelled as a name");
  if (!open.case_reference.empty() && !IsPrintable(open.case_reference, kLongestCase))
    return Refuse(Reason::kMalformed, "case reference: up to 200 bytes of printable text");

  // Replays: remembered until the request expires, refused for their age from then on.
  if (HasExpired(state, open, now)) return Refuse(Reason::kRequestExpired);
  const Duration lifetime = std::chrono::seconds(state.charter()->caps.request_lifetime_seconds);
  if (open.expires - open.by.time > lifetime) return Refuse(Reason::kBadTime, "the request is good for too long");
  if (state.request_used(open.by.author, open.by.nonce)) return Refuse(Reason::kReplayed);
  if (!open.emergency.empty() && !IsReason(open.emergency))
    return Refuse(Reason::kMalformed, "why it is an emergency: up to 200 bytes of printable text");
  // The lock is a person's; without one it would hold for one of several cards of the same human.
  if (!open.emergency.empty() && state.active_member(open.by.author)->record.person.empty())
    return Refuse(Reason::kNotAuthorised,
                  "a member without a person opens nothing in an emergency; its administrator enrols it with one");
  if (!open.emergency.empty() && open.approved_request)
    return Refuse(Reason::kMalformed, "an emergency does without approvals");
  if (open.approved_request) TRY_OK(CheckApproved(state, open, now));

  TRY(auto reply_key, crypto::KemPublicKey::FromPoint(open.reply_key));
  if (state.key_in_use(reply_key.id())) return Refuse(Reason::kBadKey, "the reply key is not a fresh one");
  // The author has seen more of the log than there is: this is not the log it has seen.
  if (open.checkpoint_size > state.size()) return Refuse(Reason::kRolledBack, "the client has verified a larger log");
  return Ok();
}

// An originator's agency is shown the requests for its records, whole, and so is one that passed them on: one that names
// records of others too would tell it of them. Nor is a portion asked for twice through grants of it: each would be judged
// as if the others were not. What the author may not know of has no originator here, so nothing is learnt from this answer.
Status CheckOriginators(const State& state, const Open& open) {
  std::optional<std::pair<AgencyId, AgencyId>> originators;
  std::set<std::pair<std::uint64_t, std::uint32_t>> contents;
  for (const OpenItem& item : open.items) {
    const RecordState* record = state.record(item.record);
    if (record == nullptr || !state.visible_to(*record, open.by.author)) continue;
    const RecordState& original = state.original(*record);
    std::pair agencies(record->originator.agency(), original.originator.agency());
    if (originators && *originators != agencies)
      return Refuse(Reason::kMalformed, "records of several originators' agencies in one request; make one for each");
    originators = std::move(agencies);
    if (!contents.emplace(original.index, item.portion).second)
      return Refuse(Reason::kMalformed, "a portion is asked for twice, as a grant too");
  }
  return Ok();
}

// What approvals or an emergency say, where nothing else stands against it or something does.
std::vector<Reason> JudgeDualControl(const State& state, const Open& open, const RecordState& record,
                                     const policy::Policy& policy) {
  if (!open.emergency.empty()) {
    if (!policy.emergency) return {Reason::kNoEmergency};
    if (state.emergency_locked(state.active_member(open.by.author)->record)) return {Reason::kEmergencyLocked};
    return {};
  }
  if (policy.approvals.empty()) return {};
  if (!open.approved_request) return {Reason::kApprovalMissing};
  return JudgeApprovals(state, record, policy, *state.pending(*open.approved_request));
}

// One request, one portion at a time.
Verdict JudgeItem(const State& state, const Open& open, const OpenItem& item, const Circumstances& at) {
  Verdict out;
  out.record = item.record;
  out.portion = item.portion;
  // One answer for what is not there, what this member may not know of, and what another authority decides.
  const RecordState* record = state.record(item.record);
  const PortionState* portion = record == nullptr ? nullptr : record->portion(item.portion);
  if (portion == nullptr || record->authority != at.authority || !state.visible_to(*record, open.by.author)) {
    out.reasons = {Reason::kNotFound};
    return out;
  }
  if (record->purged_at || state.original(*record).purged_at) {
    out.reasons = {Reason::kPurged};
    return out;
  }
  if (state.ended(*record)) {
    out.reasons = {Reason::kRevoked};
    return out;
  }
  out.policy_digest = portion->policy_digest;
  out.policy_sequence = portion->policy_sequence;
  out.reasons = JudgePortionOf(state, *record, *portion, open.by.author, open.purpose, open.case_reference, at.now);
  if (out.reasons != std::vector{Reason::kNotReleasable}) {
    const auto recipient = std::find_if(portion->recipients.begin(), portion->recipients.end(),
                                        [&](const auto& one) { return one.first == open.agency; });
    // The client would derive its half with another key than the one sealed to; the release would be counted and useless.
    if (recipient->second != item.epoch_key_id) out.reasons.push_back(Reason::kBadKey);
    const auto dual = JudgeDualControl(state, open, *record, *portion->policy);
    out.reasons.insert(out.reasons.end(), dual.begin(), dual.end());
  }
  if (out.allowed()) out.obligation = policy::TextOf(portion->policy->marking);
  return out;
}

}  // namespace

// The recipients of a portion are those who get a key half; an agency in the audience that had no epoch when the record was
// sealed is none of them.
std::vector<Reason> JudgePortion(const State& state, const PortionState& portion, const MemberId& member,
                                 std::string_view purpose, std::string_view case_reference, Time now) {
  const AgencyId agency = member.agency();
  if (std::none_of(portion.recipients.begin(), portion.recipients.end(),
                   [&](const auto& one) { return one.first == agency; }))
    return {Reason::kNotReleasable};
  const auto opened = portion.openings.find(agency);
  return policy::Evaluate(
      *portion.policy,
      {member, state.active_member(member)->record.attributes, state.charter()->clearances, purpose, case_reference,
       now, opened == portion.openings.end() ? 0 : opened->second, portion.openings_in_all});
}

// The originator's policy in force rules also what a recipient passed on: it stops where that one was tightened, and its
// openings are among those that are counted there.
std::vector<Reason> JudgePortionOf(const State& state, const RecordState& record, const PortionState& portion,
                                   const MemberId& member, std::string_view purpose, std::string_view case_reference,
                                   Time now) {
  auto out = JudgePortion(state, portion, member, purpose, case_reference, now);
  if (!state.IsPassedOn(record) || out == std::vector{Reason::kNotReleasable}) return out;
  const PortionState& first = *state.original(record).portion(portion.number);
  const AgencyId by = record.originator.agency();
  const AgencyState* granter = state.agency(by);
  if (granter == nullptr || granter->left || first.policy->onward != policy::Onward::kWithinCountry ||
      !Reaches(first.policy->releasable_to, by) ||
      !policy::NoLaxer(*portion.policy, *first.policy, state.charter()->clearances))
    out.push_back(Reason::kNoConsent);
  const auto opened = first.openings.find(member.agency());
  const std::uint32_t by_agency = opened == first.openings.end() ? 0 : opened->second;
  const std::uint32_t per_agency = first.policy->openings_per_agency, in_all = first.policy->openings_in_all;
  const bool used_up = (per_agency != 0 && by_agency >= per_agency) || (in_all != 0 && first.openings_in_all >= in_all);
  if (used_up && std::find(out.begin(), out.end(), Reason::kLimitReached) == out.end())
    out.push_back(Reason::kLimitReached);
  return out;
}

std::vector<Reason> WhyNotOpen(const State& state, const RecordState& record, const PortionState& portion,
                               const MemberId& member, const std::string& purpose, const std::string& case_reference,
                               Time now) {
  if (state.active_member(member) == nullptr) return {Reason::kNotEnrolled};
  if (record.purged_at || state.original(record).purged_at) return {Reason::kPurged};
  if (state.ended(record)) return {Reason::kRevoked};
  return JudgePortionOf(state, record, portion, member, purpose, case_reference, now);
}

std::vector<Reason> WhyNot(const State& state, const policy::Policy& policy, const MemberId& member,
                           const std::string& purpose, const std::string& case_reference, Time now) {
  const MemberState* known = state.active_member(member);
  if (known == nullptr) return {Reason::kNotEnrolled};
  PortionState portion;
  portion.policy = std::make_shared<const policy::Policy>(policy);
  const AgencyId id = member.agency();
  const AgencyState* agency = state.agency(id);
  // A record is sealed to the agency's present epoch; without one it holds no half.
  if (agency != nullptr && agency->current() != nullptr && TakesRecords(*agency->current(), state.charter()->caps, now))
    portion.recipients.emplace_back(id, agency->current()->key_id);
  auto out = JudgePortion(state, portion, member, purpose, case_reference, now);
  if (!policy.approvals.empty() && out != std::vector{Reason::kNotReleasable}) out.push_back(Reason::kApprovalMissing);
  return out;
}

bool HasExpired(const State& state, const Open& open, Time now) {
  return open.expires <= std::max(now, state.latest());
}

Status CheckReleaseAgain(const State& state, const Open& open, const Decision& decision, Time now) {
  if (decision.verdicts.size() != open.items.size())
    return Refuse(Reason::kInternal, "the decision of another request");
  if (HasExpired(state, open, now)) return Refuse(Reason::kRequestExpired);
  const MemberState* author = state.active_member(open.by.author);
  if (author == nullptr || author->signing_key.id() != open.by.key_id) return Refuse(Reason::kNotEnrolled);
  const Circumstances at{std::max(now, state.latest()), decision.authority};
  for (std::size_t i = 0; i < open.items.size(); ++i) {
    if (!decision.verdicts[i].allowed()) continue;
    for (const Reason reason : JudgeItem(state, open, open.items[i], at).reasons)
      // What was counted, or locked, when it was decided does not stand against it.
      if (reason != Reason::kLimitReached && reason != Reason::kEmergencyLocked) return Refuse(reason);
  }
  return Ok();
}

Result<std::vector<Verdict>> DecideOpen(const State& state, const Open& open, const Circumstances& at) {
  TRY_OK(CheckRequest(state, open, at.now));
  TRY_OK(CheckOriginators(state, open));
  std::vector<Verdict> out;
  out.reserve(open.items.size());
  for (const OpenItem& item : open.items) out.push_back(JudgeItem(state, open, item, at));
  const bool waits = !open.approved_request && open.emergency.empty() &&
                     std::any_of(out.begin(), out.end(), [](const Verdict& verdict) {
                       return verdict.reasons == std::vector{Reason::kApprovalMissing};
                     });
  if (!waits) return out;
  const auto& all = state.all_pending();
  const auto mine = std::count_if(
      all.begin(), all.end(), [&](const auto& one) { return one.second.author == open.by.author && !one.second.used; });
  if (static_cast<std::size_t>(mine) >= kMostWaiting)
    return Refuse(Reason::kTooMany, "openings of yours that wait for approvals");
  return out;
}

}  // namespace valija::ledger
