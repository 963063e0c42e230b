// Grants and amendments: what the originator does with a record that is in the log.
#include <algorithm>

#include "core/crypto/hash.h"
#include "core/ledger/decide_internal.h"
#include "core/record/check.h"

namespace valija::ledger {
namespace {

// The originator passes its record on, or the owner of the key that each portion lets amend.
bool IsIts(const State& state, const RecordState& original, const Grant& grant) {
  const MemberId& author = grant.header.originator;
  if (author == original.originator) return true;
  return std::all_of(grant.header.portions.begin(), grant.header.portions.end(), [&](const record::PortionHead& one) {
    const MemberState* owner = state.owner_of_signing_key(original.portion(one.number)->amend_key_id);
    return owner != nullptr && owner->record.id == author;
  });
}

// The agency got this portion from the originator and opened it.
bool HasOpened(const PortionState& portion, const AgencyId& agency) {
  return portion.openings.count(agency) != 0 && std::any_of(portion.recipients.begin(), portion.recipients.end(),
                                                            [&](const auto& one) { return one.first == agency; });
}

// Third-agency rule, as the originator laid it down: a recipient that has opened the portion may pass it on within its own
// country, under a policy that allows nothing more. Whoever got it so passes nothing on.
Status CheckOnward(const State& state, const RecordState& original, const Grant& grant) {
  const MemberId& author = grant.header.originator;
  for (std::size_t p = 0; p < grant.header.portions.size(); ++p) {
    const PortionState& portion = *original.portion(grant.header.portions[p].number);
    const policy::Policy& policy = grant.policies[p];
    if (portion.policy->onward != policy::Onward::kWithinCountry || !HasOpened(portion, author.agency()))
      return Refuse(Reason::kNoConsent, "only its originator passes this portion on; ask it");
    for (const auto& [id, agency] : state.agencies())
      if (!agency.left && id.country() != author.country() && Reaches(policy.releasable_to, id))
        return Refuse(Reason::kNoConsent, "it may be passed on within your own country only");
    if (!policy::NoLaxer(policy, *portion.policy, state.charter()->clearances))
      return Refuse(Reason::kNoConsent, "the policy allows more than the originator's");
  }
  if (grant.request) return Refuse(Reason::kNotOriginator, "access requests are answered by the originator");
  return Ok();
}

// Each agency that may make grants has a number of its own, and only what can still be opened is counted; whoever may make
// none is not told how many there are.
Status CheckNumber(const State& state, const RecordState& original, const AgencyId& agency) {
  const auto count = std::count_if(original.grants.begin(), original.grants.end(), [&](const Digest& digest) {
    const RecordState& grant = *state.record(digest);
    return grant.originator.agency() == agency && !state.ended(grant);
  });
  if (static_cast<std::size_t>(count) >= kMostGrants)
    return Refuse(Reason::kTooMany, "grants of this record that your agency made");
  return Ok();
}

// What derives from others stays marked as they ask, also where its originator passes it on or amends it.
Status CheckLoosened(const State& state, const RecordState& original, std::uint32_t portion,
                     const policy::Policy& policy) {
  if (policy.marking <= original.portion(portion)->policy->marking) return Ok();
  return CheckDerived(state, original.originator, original.sources, policy);
}

// The access request that a grant answers is about this record, and open.
Status CheckAnswered(const State& state, const RecordState& original, const Grant& grant) {
  if (!grant.request) return Ok();
  const AccessRequestState* asked = state.access_request(*grant.request);
  const RecordState* about = asked == nullptr ? nullptr : state.record(asked->request.record);
  if (about == nullptr || state.original(*about).index != original.index || asked->request.wish == Wish::kMarkLess)
    return Refuse(Reason::kNotFound, "the access request that it answers");
  if (asked->answered) return Refuse(Reason::kExists, "the access request was answered before");
  if (std::none_of(grant.policies.begin(), grant.policies.end(),
                   [&](const auto& one) { return Reaches(one.releasable_to, asked->request.agency); }))
    return Refuse(Reason::kMalformed, "it gives nothing to the agency that access was asked for");
  if (asked->request.wish != Wish::kOnward) return Ok();
  for (const record::PortionHead& one : grant.header.portions)
    if (original.portion(one.number)->policy->onward == policy::Onward::kNever)
      return Refuse(Reason::kNoConsent, "the policy says that it is never passed on; amend it first");
  return Ok();
}

}  // namespace

Status CheckGrant(const State& state, const Statement& statement, const Grant& grant, const Circumstances& at) {
  TRY_OK(record::CheckHeader(grant.header, record::HeaderOf::kGrant));
  if (!statement.erased) TRY_OK(record::CheckWraps(grant.header, grant.wraps));
  if (state.header_used(grant.ctx)) return Refuse(Reason::kHeaderReused);
  const RecordState* original = state.record(grant.record);
  if (original == nullptr || original->grant_of || original->authority != at.authority ||
      !state.visible_to(*original, grant.header.originator))
    return Refuse(Reason::kNotFound, "the record that it is a grant of");
  for (const record::PortionHead& one : grant.header.portions)
    if (original->portion(one.number) == nullptr)
      return Refuse(Reason::kBadHeader, "a portion that the record has not");
  if (grant.policies.size() != grant.header.portions.size())
    return Refuse(Reason::kBadPolicy, "the policies are withheld");
  if (!IsIts(state, *original, grant)) {
    TRY_OK(CheckOnward(state, *original, grant));
  }
  TRY_OK(CheckNumber(state, *original, grant.header.originator.agency()));
  if (original->purged_at) return Refuse(Reason::kPurged);
  if (original->revoked_at) return Refuse(Reason::kRevoked);
  TRY_OK(CheckSealed(state, grant.header, statement.attachments, grant.policies, original->originator, at));
  for (std::size_t p = 0; p < grant.policies.size(); ++p)
    TRY_OK(CheckLoosened(state, *original, grant.header.portions[p].number, grant.policies[p]));
  return CheckAnswered(state, *original, grant);
}

// Its author is who holds the key that the portion lets amend (with its present key, if that was renewed), or an
// administrator of that member's agency. What a recipient passed on stays no laxer than the original. A new audience
// reaches only agencies that hold a wrap, or that the one before named already: others need a grant.
Status CheckAmendment(const State& state, const Statement& statement, const Amendment& amendment,
                      const Circumstances& at) {
  const MemberId& author = amendment.by.author;
  const RecordState* record = state.record(amendment.record);
  if (record == nullptr || !state.visible_to(*record, author)) return Refuse(Reason::kNotFound);
  const PortionState* portion = record->portion(amendment.portion);
  if (portion == nullptr) return Refuse(Reason::kNotFound, "there is no such portion");
  const MemberState* owner = state.owner_of_signing_key(portion->amend_key_id);
  if (owner == nullptr || (owner->record.id != author && !IsAdministrator(state, author, owner->record.id.agency())))
    return Refuse(Reason::kNotOriginator);
  if (record->purged_at || state.original(*record).purged_at) return Refuse(Reason::kPurged);
  if (state.ended(*record)) return Refuse(Reason::kRevoked);
  if (amendment.previous != portion->policy_digest || amendment.sequence != portion->policy_sequence + 1)
    return Refuse(Reason::kWrongPrevious, "the policy in force is another; look at the custody and amend that");
  const auto& bytes = statement.attachments.policies;
  if (!amendment.policy || bytes.size() != 1) return Refuse(Reason::kBadPolicy, "the policy is withheld");
  if (crypto::Sha256(bytes.front()) != amendment.policy_digest)
    return Refuse(Reason::kBadPolicy, "the amendment names another policy");
  const policy::Policy& policy = *amendment.policy;
  const RecordState& original = state.original(*record);
  TRY_OK(CheckPolicy(state, policy, bytes.front(), at.now,
                     {record->originator.agency(), original.originator.agency()}));
  for (const auto& [id, agency] : state.agencies()) {
    if (agency.left || !Reaches(policy.releasable_to, id) || id == record->originator.agency() ||
        Reaches(portion->policy->releasable_to, id))
      continue;
    if (std::none_of(portion->recipients.begin(), portion->recipients.end(),
                     [&, &id = id](const auto& one) { return one.first == id; }))
      return Refuse(Reason::kBadPolicy, id.str() + " holds no key to this record; a grant gives it one");
  }
  if (policy.marking > portion->policy->marking)
    TRY_OK(CheckDerived(state, original.originator, original.sources, policy));
  if (state.IsPassedOn(*record) &&
      !policy::NoLaxer(policy, *original.portion(amendment.portion)->policy, state.charter()->clearances))
    return Refuse(Reason::kNoConsent, "the policy allows more than the originator's");
  return Ok();
}

}  // namespace valija::ledger
