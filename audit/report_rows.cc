#include "audit/report_rows.h"

#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

std::string EntriesOf(Hidden hidden, const std::vector<std::uint64_t>& entries) {
  return hidden == Hidden::kNo ? Ranges(entries) : std::string();
}

FigureRow RowOf(const Card& card, const std::string& code, const Count& count) {
  return {code, FigureName(code), ShownValue(count, card.suppress_below), EntriesOf(count.hidden, count.entries),
          count.value == 0};
}

}  // namespace

std::vector<FigureRow> RowsOf(const Card& card, const Line& line) {
  std::vector<FigureRow> out;
  for (const auto& code : CodesOf(line)) out.push_back(RowOf(card, code, line.counts.at(code)));
  for (const auto& [name, counted] : kMinutes) {
    const std::string code(name);
    const auto at = line.minutes.find(code);
    if (at == line.minutes.end()) continue;
    const auto& minutes = at->second;
    const auto entries = EntriesOf(minutes.hidden, minutes.entries);
    auto value = [&](std::int64_t number) {
      return minutes.hidden == Hidden::kNo ? std::to_string(number) : std::string("*");
    };
    out.push_back({code + "-median", MinutesName(code, true), value(minutes.Median()), entries, false});
    out.push_back({code + "-p90", MinutesName(code, false), value(minutes.NinthTenth()), entries, false});
  }
  return out;
}

FigureRow RowOf(const Card& card, const NotFound& one) { return RowOf(card, "not-found", one.count); }

std::string PeriodTitle(const std::string& period) {
  return period == "all" ? text::Text(text::Id::kCardPeriodAll) : text::Format(text::Id::kCardPeriod, period);
}

}  // namespace valija::audit
