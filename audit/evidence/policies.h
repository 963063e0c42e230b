// The witness policies of a log, from the charter and its amendments.
#pragma once

#include <utility>
#include <vector>

#include "core/ledger/statement.h"
#include "core/log/policy_history.h"

namespace valija::evidence {

// `charters`: each with the index of its entry, ascending. A checkpoint that has that entry is under it, a smaller one is not.
// kNotReady: there is none.
Result<log::PolicyHistory> PoliciesOf(const std::vector<std::pair<std::uint64_t, ledger::Charter>>& charters);

}  // namespace valija::evidence
