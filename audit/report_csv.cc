#include "audit/report_rows.h"
#include "core/base/text.h"

namespace valija::audit {

// One line a figure, and no columns that come and go. Codes alone: it is for programs.
std::string CardCsv(const Card& card, bool entries) {
  std::string out;
  auto line = [&](std::vector<std::string> cells, const std::string& from) {
    if (entries) cells.push_back(from);
    for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? "" : ",") + CsvCell(cells[i]);
    out += "\r\n";
  };
  line({"period", "from", "to", "figure", "value"}, "entries");
  for (const auto& one : card.lines)
    for (const auto& row : RowsOf(card, one))
      line({one.period, one.from.str(), one.to.str(), row.code, row.value}, row.entries);
  for (const auto& one : card.not_found) {
    const auto row = RowOf(card, one);
    line({one.period, "", one.by.str(), row.code, row.value}, row.entries);
  }
  return out;
}

}  // namespace valija::audit
