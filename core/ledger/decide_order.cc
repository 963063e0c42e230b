// Standing orders, and the openings that a broker makes under them.
#include <algorithm>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

constexpr std::size_t kMostOrders = 16;  // of one member, at once
constexpr std::size_t kLongestCase = 200;

bool Stands(const OrderState& order, Time now) { return !order.ended && now < order.order.expires; }

}  // namespace

Status CheckStandingOrder(const State& state, const StandingOrder& order, const Circumstances& at) {
  const Charter& charter = *state.charter();
  if (order.agency != order.by.author.agency()) return Refuse(Reason::kNotAuthorised, "opened for another agency");
  if (std::find(charter.purposes.begin(), charter.purposes.end(), order.purpose) == charter.purposes.end())
    return Refuse(Reason::kMalformed, "the charter has no such purpose");
  if (!order.case_reference.empty() && !IsPrintable(order.case_reference, kLongestCase))
    return Refuse(Reason::kMalformed, "case reference: up to 200 bytes of printable text");
  if (order.expires <= std::max(at.now, state.latest())) return Refuse(Reason::kRequestExpired);
  if (order.expires - at.now > std::chrono::days(charter.caps.max_window_days))
    return Refuse(Reason::kBadTime, "the order is good for too long");
  TRY(auto reply_key, crypto::KemPublicKey::FromPoint(order.reply_key));
  if (state.key_in_use(reply_key.id())) return Refuse(Reason::kBadKey, "the reply key is not a fresh one");
  std::size_t own = 0, agencys = 0;
  for (const auto& [author, standing] : state.standing_orders()) {
    if (author.agency() != order.agency) continue;
    for (const Digest& one : standing) {
      const bool stands = Stands(*state.order(one), at.now);
      agencys += stands ? 1 : 0;
      own += stands && author == order.by.author ? 1 : 0;
    }
  }
  if (own >= kMostOrders) return Refuse(Reason::kTooMany, "standing orders of yours");
  if (agencys >= kMostOrdersOfAgency) return Refuse(Reason::kTooMany, "standing orders of your agency");
  return Ok();
}

// The order stands, its author is who it was; the record came after the order and is opened under it once. Portions that
// wait for approvals are refused: an order is no request that anybody could approve.
Result<std::vector<Verdict>> DecideStandingOpening(const State& state, const StandingOpening& opening,
                                                   const Circumstances& at) {
  const OrderState* order = state.order(opening.order);
  if (order == nullptr) return Refuse(Reason::kNotFound, "there is no such order");
  const MemberId& author = order->order.by.author;
  if (opening.member != author) return Refuse(Reason::kMalformed, "the order is not that member's");
  const MemberState* member = state.active_member(author);
  if (member == nullptr) return Refuse(Reason::kNotEnrolled);
  if (!Stands(*order, std::max(at.now, state.latest())) || member->signing_key.id() != order->signing_key_id)
    return Refuse(Reason::kOrderEnded);
  const RecordState* record = state.record(opening.record);
  if (record == nullptr || record->authority != at.authority || record->index < order->index ||
      !state.visible_to(*record, author))
    return Refuse(Reason::kNotFound);
  if (state.opened_under(opening.order, opening.record)) return Refuse(Reason::kReplayed);
  if (record->purged_at || state.original(*record).purged_at) return Refuse(Reason::kPurged);
  if (state.ended(*record)) return Refuse(Reason::kRevoked);
  if (opening.portions.empty()) return Refuse(Reason::kMalformed, "no portion");
  std::vector<Verdict> out;
  for (std::size_t i = 0; i < opening.portions.size(); ++i) {
    if (i != 0 && opening.portions[i - 1] >= opening.portions[i])
      return Refuse(Reason::kMalformed, "portions are ascending");
    const PortionState* portion = record->portion(opening.portions[i]);
    if (portion == nullptr) return Refuse(Reason::kNotFound, "there is no such portion");
    Verdict verdict{opening.record, portion->number, {}, portion->policy_digest, portion->policy_sequence, {}};
    verdict.reasons =
        JudgePortionOf(state, *record, *portion, author, order->order.purpose, order->order.case_reference, at.now);
    if (!portion->policy->approvals.empty() && verdict.reasons != std::vector{Reason::kNotReleasable})
      verdict.reasons.push_back(Reason::kApprovalMissing);
    if (verdict.allowed()) verdict.obligation = policy::TextOf(portion->policy->marking);
    out.push_back(std::move(verdict));
  }
  if (std::none_of(out.begin(), out.end(), [](const Verdict& one) { return one.allowed(); }))
    return Refuse(out.front().reasons.front(), "nothing of it is opened under the order");
  return out;
}

}  // namespace valija::ledger
