#include "audit/card.h"

#include <algorithm>

namespace valija::audit {
namespace {

using Counts = std::map<std::string, Count>;

// A total, and the parts that make it up. Where a part is hidden the total is too, also where it is small itself: of "<3"
// that is the sum of two others that are not nothing everybody knows that it is 2.
struct Total {
  std::string_view whole;
  std::vector<std::string_view> parts;  // "refused:": all that begin so
};
const Total kTotals[] = {{"shared", {"shared-records", "shared-grants"}},
                         {"refused", {"refused:"}},
                         {"emergencies", {"reviewed", "unreviewed"}},
                         {"acknowledged", {"outcome:"}},
                         {"access-asked", {"access-granted", "access-not-granted"}}};

// Figures of which each may be some of one before it, or all of it: of these no two are shown that differ by a small
// number, which would be how many are left over. Whichever stands behind is hidden.
const std::vector<std::string_view> kKin[] = {
    {"shared", "shared-records", "opened-portions", "opened-records", "first-openings"},
    {"shared", "shared-grants", "opened-portions", "opened-records", "first-openings"},
    {"opened-portions", "unwitnessed"},
    {"asked", "answered"},
    {"asked", "overdue"},
    {"refused", "refused:"},
    {"emergencies", "reviewed"},
    {"emergencies", "unreviewed"},
    {"recalls", "asked-to-erase", "erased", "outcome:erased"},
    {"acknowledged", "outcome:"},
    {"access-asked", "access-granted"},
    {"access-asked", "access-not-granted"}};

// What is left of the first when the others are taken away is a count of its own.
const std::vector<std::string_view> kLeft[] = {{"asked", "answered", "overdue"},
                                               {"emergencies", "reviewed", "unreviewed"},
                                               {"access-asked", "access-granted", "access-not-granted"}};

std::vector<Count*> Named(Counts& counts, std::string_view name) {
  std::vector<Count*> out;
  for (auto& [code, count] : counts)
    if (code == name || (name.ends_with(':') && code.starts_with(name))) out.push_back(&count);
  return out;
}

bool IsShown(const Count& count) { return count.hidden == Hidden::kNo && count.value > 0; }
bool IsSmall(std::uint64_t value, std::uint64_t below) { return value > 0 && value < below; }

void HideSmall(Count& count, std::uint64_t below) {
  if (IsSmall(count.value, below)) count.hidden = Hidden::kBelow;
}

// Each of these says whether it hid something.
bool HideTotals(Counts& counts) {
  bool any = false;
  for (const auto& total : kTotals)
    for (Count* whole : Named(counts, total.whole))
      for (const auto part : total.parts)
        for (const Count* count : Named(counts, part)) {
          if (count->hidden == Hidden::kNo || whole->hidden == Hidden::kComplement) continue;
          whole->hidden = Hidden::kComplement;
          any = true;
        }
  return any;
}

bool HideKin(Counts& counts, std::uint64_t below) {
  bool any = false;
  for (const auto& kin : kKin)
    for (std::size_t i = 1; i < kin.size(); ++i)
      for (Count* behind : Named(counts, kin[i]))
        for (std::size_t j = 0; j < i; ++j)
          for (const Count* before : Named(counts, kin[j])) {
            if (!IsShown(*behind) || !IsShown(*before)) continue;
            const auto a = behind->value, b = before->value;
            if (!IsSmall(a < b ? b - a : a - b, below)) continue;
            behind->hidden = Hidden::kComplement;
            any = true;
          }
  return any;
}

bool HideLeft(Counts& counts, std::uint64_t below) {
  bool any = false;
  for (const auto& names : kLeft) {
    std::vector<Count*> all;
    for (const auto name : names)
      for (Count* count : Named(counts, name)) all.push_back(count);
    if (all.size() < names.size() ||
        !std::all_of(all.begin(), all.end(), [](const Count* one) { return one->hidden == Hidden::kNo; }))
      continue;
    std::uint64_t left = all[0]->value;
    Count* least = nullptr;
    for (std::size_t i = 1; i < all.size(); ++i) {
      left = left < all[i]->value ? 0 : left - all[i]->value;
      if (all[i]->value > 0 && (least == nullptr || all[i]->value < least->value)) least = all[i];
    }
    if (least == nullptr || !IsSmall(left, below)) continue;
    least->hidden = Hidden::kComplement;
    any = true;
  }
  return any;
}

// How many entries a figure was counted from is a count too, and which ones says what others have in common: of a card in
// which something may be hidden, no entries are named.
void Suppress(Line& line, std::uint64_t below) {
  for (auto& [code, count] : line.counts) HideSmall(count, below);
  while (HideTotals(line.counts) || HideKin(line.counts, below) || HideLeft(line.counts, below)) {
  }
  for (auto& [code, count] : line.counts) count.entries.clear();
  for (auto& [code, times] : line.minutes) {
    times.entries.clear();
    for (const auto& [name, counted] : kMinutes)
      if (name == code) times.hidden = line.counts.at(std::string(counted)).hidden;
  }
}

}  // namespace

std::int64_t Minutes::At(std::size_t part, std::size_t of) const {
  if (samples.empty()) return 0;
  const std::size_t rank = (samples.size() * part + of - 1) / of;
  return std::chrono::floor<std::chrono::minutes>(samples[rank - 1]).count();
}

void Suppress(Card& card) {
  if (card.suppress_below == 0) return;
  for (auto& line : card.lines) Suppress(line, card.suppress_below);
  for (auto& one : card.not_found) {
    HideSmall(one.count, card.suppress_below);
    one.count.entries.clear();
  }
}

std::string ShownValue(const Count& count, std::uint64_t suppress_below) {
  switch (count.hidden) {
    case Hidden::kBelow:
      return "<" + std::to_string(suppress_below);
    case Hidden::kComplement:
      return "*";
    case Hidden::kNo:
      break;
  }
  return std::to_string(count.value);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> RangesOf(const std::vector<std::uint64_t>& entries) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (const auto entry : entries)
    if (!out.empty() && out.back().second + 1 == entry)
      out.back().second = entry;
    else
      out.emplace_back(entry, entry);
  return out;
}

std::string Ranges(const std::vector<std::uint64_t>& entries) {
  std::string out;
  for (const auto& [first, last] : RangesOf(entries)) {
    out += (out.empty() ? "" : " ") + std::to_string(first);
    if (last != first) out += "-" + std::to_string(last);
  }
  return out;
}

std::vector<std::string> CodesOf(const Line& line) {
  std::vector<std::string> out;
  auto with_prefix = [&](std::string_view prefix) {
    for (const auto& [code, count] : line.counts)
      if (code.starts_with(prefix)) out.push_back(code);
  };
  for (const auto code : kFigures) {
    out.emplace_back(code);
    if (code == "refused") with_prefix("refused:");
    if (code == "acknowledged") with_prefix("outcome:");
  }
  for (const auto code : kAccessFigures)
    if (line.counts.contains(std::string(code))) out.emplace_back(code);
  return out;
}

}  // namespace valija::audit
