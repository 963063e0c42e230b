#include "audit/card.h"

#include <algorithm>

namespace valija::audit {
namespace {

// A total and its parts: where one part is hidden, the total is too.
constexpr std::pair<std::string_view, std::string_view> kTotals[] = {
    {"shared", "shared-"}, {"refused", "refused:"}, {"acknowledged", "outcome:"}, {"access-asked", "access-"}};
// What is some of another figure: where few are left over, it is hidden.
constexpr std::pair<std::string_view, std::string_view> kSomeOf[] = {{"first-openings", "shared"},
                                                                     {"answered", "asked"},
                                                                     {"overdue", "asked"},
                                                                     {"reviewed", "emergencies"},
                                                                     {"unreviewed", "emergencies"},
                                                                     {"erased", "asked-to-erase"},
                                                                     {"access-granted", "access-asked"},
                                                                     {"access-not-granted", "access-asked"}};

void HideSmall(Count& count, std::uint64_t below) {
  if (count.value > 0 && count.value < below) count.hidden = Hidden::kBelow;
}

void HideSmall(Line& line, std::uint64_t below) {
  for (auto& [code, count] : line.counts) HideSmall(count, below);
  for (const auto& [part, whole] : kSomeOf) {
    const auto some = line.counts.find(std::string(part)), all = line.counts.find(std::string(whole));
    if (some == line.counts.end() || all == line.counts.end() || some->second.hidden != Hidden::kNo) continue;
    const auto a = some->second.value, b = all->second.value;
    if (a > 0 && a < b && b - a < below) some->second.hidden = Hidden::kComplement;
  }
  for (const auto& [whole, parts] : kTotals) {
    const auto total = line.counts.find(std::string(whole));
    if (total == line.counts.end()) continue;
    for (const auto& [code, count] : line.counts)
      if (code != whole && code.starts_with(parts) && count.hidden != Hidden::kNo)
        total->second.hidden = Hidden::kComplement;
  }
  for (const auto& [code, counted] : kMinutes) {
    const auto times = line.minutes.find(std::string(code));
    if (times == line.minutes.end()) continue;
    times->second.hidden = line.counts.at(std::string(counted)).hidden;
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
  for (auto& line : card.lines) HideSmall(line, card.suppress_below);
  for (auto& one : card.not_found) HideSmall(one.count, card.suppress_below);
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
