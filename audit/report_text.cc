#include "audit/report_rows.h"
#include "core/base/text.h"
#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

using text::Id;
using text::Text;

std::string MedianOf(const Line& line) {
  const auto at = line.minutes.find("to-first-opening");
  if (at == line.minutes.end()) return "-";
  return at->second.hidden == Hidden::kNo ? std::to_string(at->second.Median()) : "*";
}

// The figures that say most, a line for each pair.
std::string Overview(const Card& card) {
  std::vector<std::string> head;
  for (const auto id : {Id::kCardHeadPeriod, Id::kCardHeadFrom, Id::kCardHeadTo, Id::kCardHeadShared,
                        Id::kCardHeadOpened, Id::kCardHeadMedian, Id::kCardHeadAsked, Id::kCardHeadAnswered,
                        Id::kCardHeadOverdue, Id::kCardHeadRefused, Id::kCardHeadEmergencies, Id::kCardHeadRecalls})
    head.push_back(Text(id));
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : card.lines) {
    auto value = [&](const char* code) { return ShownValue(line.counts.at(code), card.suppress_below); };
    rows.push_back({line.period, line.from.str(), line.to.str(), value("shared"), value("opened-records"),
                    MedianOf(line), value("asked"), value("answered"), value("overdue"), value("refused"),
                    value("emergencies"), value("recalls")});
  }
  return FormatTable(head, rows);
}

// Everything else that is not nothing.
std::string Details(const Card& card, bool entries) {
  std::vector<std::string> head = {Text(Id::kCardHeadPeriod), Text(Id::kCardHeadFrom), Text(Id::kCardHeadTo),
                                   Text(Id::kCardHeadFigure), Text(Id::kCardHeadValue)};
  if (entries) head.push_back(Text(Id::kCardHeadEntries));
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : card.lines)
    for (const auto& row : RowsOf(card, line)) {
      if (row.zero) continue;
      rows.push_back({line.period, line.from.str(), line.to.str(), row.name, row.value});
      if (entries) rows.back().push_back(row.entries);
    }
  return FormatTable(head, rows);
}

std::string NotFoundTable(const Card& card, bool entries) {
  std::vector<std::string> head = {Text(Id::kCardHeadPeriod), Text(Id::kCardHeadNotFoundBy), Text(Id::kCardHeadValue)};
  if (entries) head.push_back(Text(Id::kCardHeadEntries));
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : card.not_found) {
    const auto row = RowOf(card, one);
    rows.push_back({one.period, one.by.str(), row.value});
    if (entries) rows.back().push_back(row.entries);
  }
  return FormatTable(head, rows);
}

}  // namespace

std::string CardText(const Card& card, bool entries) {
  std::string out = text::Format(Id::kCardOf, Visible(card.origin), card.entries, card.root) + "\n" +
                    text::Format(Id::kCardUnder, card.charter, Visible(card.title)) + "\n" +
                    text::Format(Id::kCardAsOf, text::TimeText(card.as_of)) + "\n";
  if (card.suppress_below > 0)
    out += text::Format(Id::kCardSuppressed, card.suppress_below - 1, card.suppress_below) + "\n";
  if (card.originators_view) out += Text(Id::kCardOriginators) + "\n";
  out += "\n";
  if (card.lines.empty() && card.not_found.empty()) return out + Text(Id::kCardNothing) + "\n";
  if (!card.lines.empty()) out += Overview(card) + "\n" + Details(card, entries);
  if (!card.not_found.empty()) out += (card.lines.empty() ? "" : "\n") + NotFoundTable(card, entries);
  return out;
}

}  // namespace valija::audit
