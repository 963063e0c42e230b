// Purge: content and people's texts end, digests and proofs stay.
#include <algorithm>
#include <set>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

constexpr std::size_t kMostErasures = 256;
constexpr Duration kSilence = std::chrono::hours(24 * 30);

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

// What others still have to answer, to review or to rely on keeps its text until then.
Status CheckSettled(const State& state, const Digest& statement, Time now) {
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
  if (const auto* asked = state.access_request(statement);
      asked != nullptr && !asked->answered && latest < asked->request.by.time + kSilence)
    return Refuse(Reason::kNotReady, "the access request was not answered; silence ends it after 30 days");
  return Ok();
}

// With a record its agency's grants of it: wraps of one content key.
Status CheckGrantsNamed(const State& state, const Purge& purge, const RecordState& record) {
  for (const Digest& grant : record.grants) {
    const RecordState& one = *state.record(grant);
    if (one.purged_at || one.originator.agency() != purge.by.author.agency()) continue;
    if (std::none_of(purge.erasures.begin(), purge.erasures.end(),
                     [&](const Erasure& erasure) { return erasure.statement == grant; }))
      return Refuse(Reason::kNotReady, "with a record your agency's grants of it are erased: " + grant.Hex());
  }
  return Ok();
}

// The originals that a statement is about; of a record or a grant its own.
std::set<std::uint64_t> Originals(const State& state, const Digest& statement) {
  std::set<std::uint64_t> out;
  if (const RecordState* record = state.record(statement)) out.insert(state.original(*record).index);
  for (const Digest& record : state.statement(statement)->about)
    out.insert(state.original(*state.record(record)).index);
  return out;
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
  if (!content) return CheckSettled(state, erasure.statement, now);
  const RecordState& record = *state.record(erasure.statement);
  if (!IsOver(state, record, now))
    return Refuse(Reason::kNotReady, "the record can still be opened; revoke it, or wait until its window ends");
  return CheckGrantsNamed(state, purge, record);
}

}  // namespace

Status CheckPurge(const State& state, const Purge& purge, const Circumstances& at) {
  if (purge.erasures.empty() || purge.erasures.size() > kMostErasures)
    return Refuse(Reason::kMalformed, "1 to 256 erasures");
  if (!IsReason(purge.why)) return Refuse(Reason::kMalformed, "why: 1 to 200 bytes of printable text");
  for (std::size_t i = 0; i < purge.erasures.size(); ++i) {
    if (i != 0 && !(purge.erasures[i - 1].statement < purge.erasures[i].statement))
      return Refuse(Reason::kMalformed, "the erasures are not strictly ascending");
    TRY_OK(CheckErasure(state, purge, purge.erasures[i], at.now));
  }
  // It is shown to those whom one erasure concerns, so several are about one thing.
  if (purge.erasures.size() == 1) return Ok();
  const auto first = Originals(state, purge.erasures.front().statement);
  if (first.size() != 1 || std::any_of(purge.erasures.begin(), purge.erasures.end(), [&](const Erasure& erasure) {
        return Originals(state, erasure.statement) != first;
      }))
    return Refuse(Reason::kMalformed, "a purge erases one statement, or what is about one record and its grants");
  return Ok();
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
