// Purge: content and people's texts end, digests and proofs stay.
#include <algorithm>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

constexpr std::size_t kMostErasures = 256;

bool HasText(Kind kind) {
  switch (kind) {
    case Kind::kOpen:
    case Kind::kRevocation:
    case Kind::kApproval:
    case Kind::kReview:
    case Kind::kAccessRequest:
    case Kind::kAnswer:
    case Kind::kStandingOrder:
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

Status CheckErasure(const State& state, const Erasure& erasure, const MemberId& author, Time now) {
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
  if (content && !IsOver(state, *state.record(erasure.statement), now))
    return Refuse(Reason::kNotReady, "the record can still be opened; revoke it, or wait until its window ends");
  return Ok();
}

}  // namespace

Status CheckPurge(const State& state, const Purge& purge, const Circumstances& at) {
  if (purge.erasures.empty() || purge.erasures.size() > kMostErasures)
    return Refuse(Reason::kMalformed, "1 to 256 erasures");
  if (!IsPrintable(purge.why, 200)) return Refuse(Reason::kMalformed, "why: 1 to 200 bytes of printable text");
  for (std::size_t i = 0; i < purge.erasures.size(); ++i) {
    if (i != 0 && !(purge.erasures[i - 1].statement < purge.erasures[i].statement))
      return Refuse(Reason::kMalformed, "the erasures are not strictly ascending");
    TRY_OK(CheckErasure(state, purge.erasures[i], purge.by.author, at.now));
  }
  return Ok();
}

}  // namespace valija::ledger
