// Where the rules and the log part: what a decision is by the rules, and what the log says it was.
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/ledger/entry.h"

namespace valija::audit {

struct Difference {
  std::string rule;       // which: "open, portion 0 of 3f9a..", or the kind of the statement alone
  std::string rules_say;  // codes of refusal ("expired, limit-reached"), "allowed", or what else is decided with them
  std::string log_says;
  std::string Text() const;  // as a finding says it
};

// The first difference between what `ledger::Decide` gives and what was logged; nullopt: there is none.
std::optional<Difference> Compare(const ledger::Statement& statement, const Result<ledger::Decision>& ours,
                                  const ledger::Decision& logged);

}  // namespace valija::audit
