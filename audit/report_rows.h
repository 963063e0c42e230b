// The figures of a card one by one, for the printers that have a line for each.
#pragma once

#include "audit/card.h"

namespace valija::audit {

struct FigureRow {
  std::string code;  // "shared", "to-first-opening-median"
  std::string name;  // for people
  std::string value;
  std::string entries;  // "3-7 9"; empty where the value is hidden
  bool zero = false;
};
// Counts in the order of CodesOf, then the times.
std::vector<FigureRow> RowsOf(const Card& card, const Line& line);
FigureRow RowOf(const Card& card, const NotFound& one);
std::string PeriodTitle(const std::string& period);

}  // namespace valija::audit
