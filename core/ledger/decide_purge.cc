// Purge: content and people's texts end, digests and proofs stay.
#include <algorithm>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

bool HasText(Kind kind) {
  switch (kind) {
    case Kind::kOpen:
    case Kind::kRevocation:
    case Kind::kApproval:
    case Kind::kReview:
    case Kind::kAccessRequest:
    case Kind::kAnswer:
    case Kind::kStandingOrder:
    case Kind::kLookup:
    case Kind::kPurge:
      return true;
    default:
      return false;
  }
}

// Nothing more of it can be opened, nor of its grants, which end with it: revoked, or every portion's window has ended.
bool IsOver(const State& state, const RecordState& record, Time now) {
  const bool expired = std::all_of(record.portions.begin(), record.portions.end(), [&](const PortionState& portion) {
    return portion.policy->expires && now >= *portion.policy->expires;
  });
  if (state.ended(record)) return true;
  return expired && std::all_of(record.grants.begin(), record.grants.end(),
                                [&](const Digest& grant) { return IsOver(state, *state.record(grant), now); });
}

// Why somebody opened what another agency originated, why others let it, and what was found of an emergency: nobody erases
// that before its time but the originator's own side, of what it said itself.
bool IsKept(const State& state, const Digest& statement, const AgencyId& by, Time latest) {
  const KnownStatement* known = state.statement(statement);
  const auto* order = state.order(statement);
  const bool others = order != nullptr ? std::any_of(order->originators.begin(), order->originators.end(),
                                                     [&](const auto& one) { return one != by; })
                                       : std::any_of(known->about.begin(), known->about.end(), [&](const Digest& one) {
                                           return state.original(*state.record(one)).originator.agency() != by;
                                         });
  if (known->kind == Kind::kApproval || known->kind == Kind::kReview) known = state.statement(*known->request);
  return others && latest.time_since_epoch() < std::chrono::hours(known->kept_until);
}

// What others still have to answer, to review or to rely on keeps its text until then.
Status CheckSettled(const State& state, const Digest& statement, const AgencyId& by, Time now) {
  const Time latest = std::max(now, state.latest());
  auto waits = [&](const Digest& request) {
    const PendingRequest* pending = state.pending(request);
    return pending != nullptr && !pending->used && latest < pending->expires;
  };
  const KnownStatement& known = *state.statement(statement);
  if (waits(statement) || (known.kind == Kind::kApproval && waits(*known.request)))
    return Refuse(Reason::kNotReady, "the request still waits for approvals");
  if (const auto* emergency = state.emergency(statement); emergency != nullptr && !emergency->reviewed)
    return Refuse(Reason::kNotReady, "the emergency waits for its review");
  if (const auto* order = state.order(statement); order != nullptr && !order->ended && latest < order->order.expires)
    return Refuse(Reason::kNotReady, "the standing order is in force; end it first");
  if (const auto* lookup = state.lookup(statement); lookup != nullptr && latest < lookup->expires)
    return Refuse(Reason::kNotReady, "the look-up has not expired");
  // Answered or not, or about nothing: who asked is not told by it what became of its request.
  if (const auto* asked = state.access_request(statement);
      asked != nullptr && latest < asked->request.by.time + kSilence)
    return Refuse(Reason::kNotReady, "an access request keeps its text for 30 days");
  if (IsKept(state, statement, by, latest))
    return Refuse(Reason::kNotReady, "the reasons of an opening that was granted are kept for 365 days");
  return Ok();
}

// A record's agency purges its grants of it first: they wrap the same content key. Each in an entry of its own, as those
// who got the record are not told of the grants.
Status CheckGrantsPurged(const State& state, const RecordState& record) {
  for (const Digest& grant : record.grants) {
    const RecordState& one = *state.record(grant);
    if (!one.purged_at && one.originator.agency() == record.originator.agency())
      return Refuse(Reason::kNotReady, "your agency's grants of the record are erased before it: " + grant.Hex());
  }
  return Ok();
}

Status CheckErasure(const State& state, const Purge& purge, const Erasure& erasure, Time now) {
  const MemberId& author = purge.by.author;
  const KnownStatement* known = state.statement(erasure.statement);
  // Whoever may not erase it is not told that it is there.
  if (known == nullptr || !known->author || known->author->agency() != author.agency())
    return Refuse(Reason::kNotFound, "a statement of your agency's with this digest");
  const bool content = known->kind == Kind::kRecord || known->kind == Kind::kGrant;
  if (!(content && *known->author == author) && !IsAdministrator(state, author, author.agency()))
    return Refuse(Reason::kNotAuthorised, "only an administrator erases; of a record its originator too");
  if (!content && !HasText(known->kind))
    return Refuse(Reason::kMalformed, "a statement of this kind has nothing that can be erased");
  if (known->erased_by) return Refuse(Reason::kExists, "it was erased before");
  if (known->kind == Kind::kPurge && known->purges >= kMostPurgesOfPurges)
    return Refuse(Reason::kTooMany, "purges of purges");
  if (!content) return CheckSettled(state, erasure.statement, author.agency(), now);
  const RecordState& record = *state.record(erasure.statement);
  if (!IsOver(state, record, now))
    return Refuse(Reason::kNotReady, "the record can still be opened; revoke it, or wait until its window ends");
  return CheckGrantsPurged(state, record);
}

}  // namespace

// Of one statement: it is shown to whoever was shown that one, and tells them of nothing else. And whether two statements
// are about the same is not judged, so that nobody finds out by asking.
Status CheckPurge(const State& state, const Purge& purge, const Circumstances& at) {
  if (purge.erasures.size() != 1) return Refuse(Reason::kMalformed, "a purge erases one statement");
  if (!IsReason(purge.why)) return Refuse(Reason::kMalformed, "why: 1 to 200 bytes of printable text");
  return CheckErasure(state, purge, purge.erasures.front(), at.now);
}

namespace {

struct Says {
  static bool Erased(const std::string& text) { return text == kErasedText; }
  bool operator()(const Open& open) const { return Erased(open.case_reference) || Erased(open.emergency); }
  bool operator()(const AccessRequest& request) const { return Erased(request.case_reference) || Erased(request.why); }
  bool operator()(const StandingOrder& order) const { return Erased(order.case_reference); }
  template <class Other>
  bool operator()(const Other& other) const {
    if constexpr (requires { other.why; })
      return Erased(other.why);
    else
      return false;
  }
};

}  // namespace

bool SaysErased(const Payload& payload) { return std::visit(Says{}, payload); }

}  // namespace valija::ledger
