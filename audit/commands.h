// What the newer subcommands of `valija-audit` do, without the command line itself.
#pragma once

#include <string>

#include "audit/scorecard.h"
#include "audit/verify.h"

namespace valija::audit {

// Verifies, and counts only what was proved. kFinding: the log is not proved, and there is no card; kUsage: the charter has
// never named one of the agencies.
Result<Card> Score(Options options, Scorecard::Settings settings, std::uint64_t suppress_below);
// "table", "csv", "json" or "html".
std::string ShowCard(const Card& card, const std::string& format, bool entries);

}  // namespace valija::audit
