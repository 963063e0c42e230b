#include "broker/standing.h"

#include <stdexcept>

#include "proto/convert.h"

namespace valija::broker {
namespace {

ledger::VerifiedStatement MakeOpening(ledger::StandingOpening opening) {
  ledger::Envelope envelope{
      ledger::PayloadType(ledger::Kind::kStandingOpening), proto::EncodeStandingOpening(opening), {}, std::nullopt};
  auto statement = proto::MakeStatement(std::move(envelope));
  if (!statement) throw std::logic_error(statement.error().Message());
  auto verified = ledger::VerifyStandingOpening(*std::move(statement));
  if (!verified) throw std::logic_error(verified.error().Message());
  return *std::move(verified);
}

}  // namespace

StandingOrders::StandingOrders(const ledger::State& state) {
  for (const auto& [digest, order] : state.orders())
    if (!order.ended) orders_[order.order.agency].push_back(digest);
}

void StandingOrders::Note(const ledger::Entry& entry) {
  if (const auto* order = std::get_if<ledger::StandingOrder>(&entry.statement->payload))
    orders_[order->agency].push_back(entry.statement->digest);
}

std::vector<ledger::VerifiedStatement> StandingOrders::OpeningsOf(const ledger::State& state, const Digest& digest,
                                                                  Time now) {
  std::vector<ledger::VerifiedStatement> out;
  const auto* record = state.record(digest);
  if (record == nullptr || orders_.empty()) return out;
  std::map<AgencyId, std::vector<std::uint32_t>> received;  // portions, ascending as the record has them
  for (const auto& portion : record->portions)
    for (const auto& [agency, key] : portion.recipients)
      if (orders_.contains(agency)) received[agency].push_back(portion.number);
  for (auto& [agency, portions] : received) {
    auto& orders = orders_.at(agency);
    std::erase_if(orders, [&](const Digest& one) {
      const auto* order = state.order(one);
      return order == nullptr || order->ended || now >= order->order.expires;
    });
    for (const Digest& order : orders) {
      const auto& author = state.order(order)->order.by.author;
      if (state.active_member(author) == nullptr || !state.visible_to(*record, author)) continue;
      out.push_back(MakeOpening({order, author, digest, portions}));
    }
  }
  return out;
}

}  // namespace valija::broker
