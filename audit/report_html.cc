// One page that needs nothing else (core/text/html.h).
#include <algorithm>
#include <set>

#include "audit/report_rows.h"
#include "core/text/catalogue.h"
#include "core/text/html.h"

namespace valija::audit {
namespace {

using text::Format;
using text::Id;
using text::Text;

std::string Escaped(std::string_view text) { return text::HtmlEscaped(text); }

// A bar of a chart; what is hidden has none, and says so.
struct Bar {
  std::string name, shown;
  std::uint64_t value = 0;
  bool second = false;  // of a pair's two: drawn as an outline, so that they differ without colour too
};
struct Group {
  std::string pair;
  std::vector<Bar> bars;
};

constexpr unsigned kBarHeight = 16, kBarWidth = 360, kLabelWidth = 230, kGroupGap = 10;

std::string Chart(const std::string& caption, const std::vector<Group>& groups) {
  std::uint64_t most = 1;
  unsigned height = kGroupGap;
  for (const auto& group : groups) {
    height += 18 + kBarHeight * static_cast<unsigned>(group.bars.size()) + kGroupGap;
    for (const auto& bar : group.bars) most = std::max(most, bar.value);
  }
  const std::string width = std::to_string(kLabelWidth + kBarWidth + 110);
  std::string out = "<figure><figcaption>" + Escaped(caption) + "</figcaption>\n<svg role=\"img\" viewBox=\"0 0 " +
                    width + " " + std::to_string(height) + "\" aria-label=\"" + Escaped(caption) + "\">\n";
  auto at = [](unsigned x, unsigned y, const std::string& text, const char* more = "") {
    return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\"" + more + ">" + Escaped(text) +
           "</text>";
  };
  unsigned y = kGroupGap;
  for (const auto& group : groups) {
    out += at(0, y + 12, group.pair, " font-weight=\"600\"") + "\n";
    y += 18;
    for (const auto& bar : group.bars) {
      // By steps of one in a thousand, so that no number overflows.
      const auto part = bar.value > UINT64_MAX / 1000 ? std::uint64_t{1000} : bar.value * 1000 / most;
      const auto length = static_cast<unsigned>(std::min<std::uint64_t>(part, 1000)) * kBarWidth / 1000;
      out += at(0, y + 12, bar.name) + "<rect x=\"" + std::to_string(kLabelWidth) + "\" y=\"" + std::to_string(y + 2) +
             "\" width=\"" + std::to_string(length) + "\" height=\"" + std::to_string(kBarHeight - 4) + "\" " +
             (bar.second ? "fill=\"#fff\" stroke=\"#1a4d8f\" stroke-width=\"2\"" : "fill=\"#1a4d8f\"") + "><title>" +
             Escaped(group.pair + ": " + bar.name + " " + bar.shown) + "</title></rect>" +
             at(kLabelWidth + length + 6, y + 12, bar.shown) + "\n";
      y += kBarHeight;
    }
    y += kGroupGap;
  }
  return out + "</svg></figure>\n";
}

std::string PairOf(const Line& line) { return Format(Id::kCardPair, line.from.str(), line.to.str()); }

Bar BarOf(const Card& card, const Line& line, const char* code, bool second) {
  const auto& count = line.counts.at(code);
  return {FigureName(code), ShownValue(count, card.suppress_below), count.hidden == Hidden::kNo ? count.value : 0,
          second};
}

std::string Charts(const Card& card, const std::vector<const Line*>& lines, const std::string& title) {
  std::vector<Group> shared, minutes;
  for (const auto* line : lines) {
    shared.push_back(
        {PairOf(*line), {BarOf(card, *line, "shared", false), BarOf(card, *line, "opened-records", true)}});
    const auto at = line->minutes.find("to-first-opening");
    if (at == line->minutes.end()) continue;
    const bool hidden = at->second.hidden != Hidden::kNo;
    const auto median = static_cast<std::uint64_t>(std::max<std::int64_t>(at->second.Median(), 0));
    minutes.push_back(
        {PairOf(*line),
         {{FigureName("to-first-opening"), hidden ? "*" : std::to_string(median), hidden ? 0 : median, false}}});
  }
  std::string out = Chart(Format(Id::kCardChartShared, title), shared);
  if (!minutes.empty()) out += Chart(Format(Id::kCardChartMinutes, title), minutes);
  return out;
}

std::string NameOf(const Card& card, const AgencyId& id) {
  const auto at = card.names.find(id);
  return Escaped(id.str()) +
         (at == card.names.end() || at->second == id.str() ? "" : " (<bdi>" + Escaped(at->second) + "</bdi>)");
}

std::string HeadOf(const std::vector<Id>& columns, bool entries) {
  std::string out = "<thead><tr>";
  for (const auto id : columns) out += "<th scope=\"col\">" + Escaped(Text(id)) + "</th>";
  if (entries) out += "<th scope=\"col\">" + Escaped(Text(Id::kCardHeadEntries)) + "</th>";
  return out + "</tr></thead>\n";
}

std::string CellsOf(const FigureRow& row, bool entries) {
  std::string out = "<td class=\"n\">" + Escaped(row.value) + "</td>";
  if (entries) out += "<td class=\"e\">" + Escaped(row.entries) + "</td>";
  return out;
}

std::string Table(const Card& card, const Line& line, const std::string& title, bool entries) {
  std::string out = "<table><caption>" + NameOf(card, line.from) + " &rarr; " + NameOf(card, line.to) + ". " +
                    Escaped(Format(Id::kCardTableOf, title)) + "</caption>\n" +
                    HeadOf({Id::kCardHeadFigure, Id::kCardHeadValue}, entries) + "<tbody>\n";
  for (const auto& row : RowsOf(card, line))
    out += "<tr><th scope=\"row\">" + Escaped(row.name) + "</th>" + CellsOf(row, entries) + "</tr>\n";
  return out + "</tbody></table>\n";
}

std::string NotFoundTable(const Card& card, const std::string& period, bool entries) {
  std::string rows;
  for (const auto& one : card.not_found)
    if (one.period == period)
      rows +=
          "<tr><th scope=\"row\">" + NameOf(card, one.by) + "</th>" + CellsOf(RowOf(card, one), entries) + "</tr>\n";
  if (rows.empty()) return {};
  return "<table><caption>" + Escaped(Format(Id::kCardTableNotFound, PeriodTitle(period))) + "</caption>\n" +
         HeadOf({Id::kCardHeadNotFoundBy, Id::kCardHeadValue}, entries) + "<tbody>\n" + rows + "</tbody></table>\n";
}

}  // namespace

std::string CardHtml(const Card& card, bool entries) {
  std::string out = text::HtmlBegin(Text(Id::kCardTitle));
  auto line = [&](const std::string& text) { out += "<p class=\"hash\">" + Escaped(text) + "</p>\n"; };
  line(Format(Id::kCardOf, card.origin, card.entries, card.root));
  line(Format(Id::kCardUnder, card.charter, card.title));
  line(Format(Id::kCardAsOf, text::TimeText(card.as_of)));
  line(Text(Id::kCardProved));
  if (card.suppress_below > 0) line(Format(Id::kCardSuppressed, card.suppress_below - 1, card.suppress_below));
  if (card.originators_view) out += "<p><strong>" + Escaped(Text(Id::kCardOriginators)) + "</strong></p>\n";

  std::set<std::string> periods;
  for (const auto& one : card.lines) periods.insert(one.period);
  for (const auto& one : card.not_found) periods.insert(one.period);
  if (periods.empty()) line(Text(Id::kCardNothing));
  for (const auto& period : periods) {
    const auto name = PeriodTitle(period);
    out += "<section>\n<h2>" + Escaped(name) + "</h2>\n";
    std::vector<const Line*> lines;
    for (const auto& one : card.lines)
      if (one.period == period) lines.push_back(&one);
    if (!lines.empty()) out += Charts(card, lines, name);
    for (const auto* one : lines) out += Table(card, *one, name, entries);
    out += NotFoundTable(card, period, entries) + "</section>\n";
  }
  return out + text::HtmlEnd();
}

}  // namespace valija::audit
