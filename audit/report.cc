#include "audit/commands.h"

#include <algorithm>

namespace valija::audit {

// Reading twice (first to prove, then to count) would count what somebody put there in between: it is counted on the way,
// and thrown away unless all was proved.
Result<Card> Score(Options options, Scorecard::Settings settings, std::uint64_t suppress_below) {
  std::vector<AgencyId> agencies;  // each once: who is named twice is still one
  for (const auto& agency : settings.agencies)
    if (std::find(agencies.begin(), agencies.end(), agency) == agencies.end()) agencies.push_back(agency);
  settings.agencies = agencies;
  Scorecard counting(std::move(settings));
  options.allow_withheld = false;
  options.observe = [&](const ledger::Entry& entry, const ledger::State& after) { counting.Take(entry, after); };
  Verifier verifier(std::move(options));
  TRY(auto proof, verifier.Pass());
  if (!proof.proved()) {
    const auto& first = proof.findings.front();
    return Refuse(Reason::kFinding, "the log is not proved, so there is no report; `valija-audit verify` says why: " +
                                        (first.entry ? "entry " + std::to_string(*first.entry) + ", " : std::string()) +
                                        first.code);
  }
  for (const auto& agency : agencies)
    if (verifier.state().agency(agency) == nullptr)
      return Refuse(Reason::kUsage, "the charter has never named " + agency.str());
  Card card = counting.Close(verifier.state());
  card.origin = proof.origin;
  card.charter = proof.charter;
  card.title = verifier.state().charter()->title;
  card.entries = proof.entries;
  card.root = proof.root;
  card.suppress_below = suppress_below;
  Suppress(card);
  return card;
}

std::string ShowCard(const Card& card, const std::string& format, bool entries) {
  entries = entries && card.suppress_below == 0;
  if (format == "csv") return CardCsv(card, entries);
  if (format == "json") return CardJson(card);
  if (format == "html") return CardHtml(card, entries);
  return CardText(card, entries);
}

}  // namespace valija::audit
