#include "core/log/quorum.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace valija::log {

std::optional<std::uint64_t> QuorumSince(const WitnessPolicy& policy,
                                         const std::map<std::string, std::uint64_t>& cosigned) {
  std::vector<std::pair<std::uint64_t, std::string>> latest_first;
  for (const auto& [name, time] : cosigned) latest_first.emplace_back(time, name);
  std::sort(latest_first.rbegin(), latest_first.rend());
  WitnessPolicy::Names names;
  for (const auto& [time, name] : latest_first) {
    names.insert(name);
    if (policy.Satisfied(names)) return time;
  }
  return std::nullopt;
}

}  // namespace valija::log
