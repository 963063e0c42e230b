#include "audit/evidence/policies.h"

#include <algorithm>

namespace valija::evidence {

Result<log::PolicyHistory> PoliciesOf(const std::vector<std::pair<std::uint64_t, ledger::Charter>>& charters) {
  std::vector<log::PolicyHistory::Former> eras;
  for (const auto& [index, charter] : charters) {
    const std::string witnesses =
        charter.witness_policy.empty() ? "quorum " + std::string("none\n") : charter.witness_policy;
    TRY(auto policy, log::WitnessPolicy::Parse("log " + charter.log_key + "\n" + witnesses));
    if (!eras.empty()) {
      eras.back().until = index;
      if (eras.back().policy.Text() == policy.Text()) continue;
    }
    eras.push_back({0, std::move(policy)});
  }
  if (eras.empty()) return Refuse(Reason::kNotReady, "the log's charter is not there");
  auto now = std::move(eras.back().policy);
  eras.pop_back();
  std::reverse(eras.begin(), eras.end());
  return log::PolicyHistory(std::move(now), std::move(eras));
}

}  // namespace valija::evidence
