// Releases under standing orders, as mailboxes bring them.
#include <algorithm>

#include "broker/oplog.h"
#include "broker/service.h"

namespace valija::broker {
namespace {

// What would refuse the opening today stops its release; what was counted when it was decided does not. Under an order
// nobody is asked, so a policy that asks for approvals by now releases nothing.
bool StillAllowed(const ledger::State& state, const ledger::OrderState& order, const ledger::StandingOpening& opening,
                  const ledger::Decision& decision, Time now) {
  const auto& author = order.order.by.author;
  const auto* member = state.active_member(author);
  const auto* record = state.record(opening.record);
  if (order.ended || member == nullptr || member->signing_key.id() != order.signing_key_id || record == nullptr ||
      !state.visible_to(*record, author))
    return false;
  for (const auto& verdict : decision.verdicts) {
    if (!verdict.allowed()) continue;
    const auto* portion = record->portion(verdict.portion);
    if (portion == nullptr || !portion->policy->approvals.empty()) return false;
    for (const Reason reason : ledger::WhyNotOpen(state, *record, *portion, author, order.order.purpose,
                                                  order.order.case_reference, std::max(now, state.latest())))
      if (reason != Reason::kLimitReached) return false;
  }
  return true;
}

}  // namespace

std::vector<proto::Release> ReleasesWith(Exchange& exchange, std::uint64_t index, const MemberId& caller) {
  std::vector<proto::Release> out;
  const bool own = exchange.sequencer.Read([&](const ledger::State& state, const Glances& glances) {
    const Glance& glance = glances.at(index);
    const auto* known = state.statement(glance.statement);
    return glance.kind == ledger::Kind::kStandingOpening && known != nullptr && *known->author == caller;
  });
  if (!own) return out;
  auto accepted = exchange.sequencer.AcceptedAt(index);
  if (!accepted) return out;
  const auto* opening = std::get_if<ledger::StandingOpening>(&accepted->statement->payload);
  const auto order = exchange.sequencer.Read([&](const ledger::State& state) -> std::optional<ledger::OrderState> {
    const auto* one = state.order(opening->order);
    if (!StillAllowed(state, *one, *opening, accepted->decision, exchange.now())) return std::nullopt;
    return ledger::OrderState{one->index, one->order, one->signing_key_id, one->ended, {}, {}};
  });
  if (!order) return out;
  const auto covered = exchange.sequencer.Covers(index, accepted->decision);
  if (!covered) return out;
  auto release = exchange.releaser.ReleaseStanding(
      *accepted, *covered, *order, [&](const Digest& record) { return exchange.sequencer.RecordEntry(record); },
      exchange.random);
  if (!release) {
    Log(Level::kAlarm, "not-released",
        {{"entry", std::to_string(index)},
         {"reason", std::string(CodeOf(release.error().reason))},
         {"detail", release.error().detail}});
    return out;
  }
  if (*release) out.push_back(**std::move(release));
  return out;
}

}  // namespace valija::broker
