#include "core/ledger/judged.h"

namespace valija::ledger {
namespace {

// What a decision of this statement judges, in its order; nullopt: the statement as a whole.
std::optional<std::vector<std::pair<Digest, std::uint32_t>>> Judged(const Statement& statement) {
  std::vector<std::pair<Digest, std::uint32_t>> out;
  if (const auto* open = std::get_if<Open>(&statement.payload)) {
    for (const auto& item : open->items) out.emplace_back(item.record, item.portion);
    return out;
  }
  if (const auto* opening = std::get_if<StandingOpening>(&statement.payload)) {
    for (const auto portion : opening->portions) out.emplace_back(opening->record, portion);
    return out;
  }
  return std::nullopt;
}

}  // namespace

Status CheckJudged(const Statement& statement, const Decision& decision, const Charter& charter, std::uint64_t index) {
  if (decision.statement != statement.digest)
    return Refuse(Reason::kBadProof, "the decision is about another statement");
  if (decision.authority != charter.authorities.front().id)
    return Refuse(Reason::kBadProof, "decided by " + decision.authority.str());
  const auto judged = Judged(statement);
  if (decision.unwitnessed && (!judged || charter.degraded_after_seconds == 0))
    return Refuse(Reason::kBadProof, "entry " + std::to_string(index) + " goes without the witnesses' quorum");
  bool any = false;
  for (const auto& verdict : decision.verdicts) any = any || verdict.allowed();
  if (!judged && (decision.verdicts.size() != 1 || !any))
    return Refuse(Reason::kBadProof, "a statement that was refused is no entry");
  if (!judged) return Ok();
  bool fits = decision.verdicts.size() == judged->size();
  for (std::size_t i = 0; fits && i < judged->size(); ++i)
    fits = decision.verdicts[i].record == (*judged)[i].first && decision.verdicts[i].portion == (*judged)[i].second;
  if (!fits) return Refuse(Reason::kBadProof, "the decision judges other portions than were asked for");
  if (statement.kind == Kind::kStandingOpening && !any)
    return Refuse(Reason::kBadProof, "an opening under an order that opened nothing is no entry");
  return Ok();
}

}  // namespace valija::ledger
