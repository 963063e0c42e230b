// What others saw about an agency, against what that agency was shown. docs/audit.md says what this proves and what not.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "audit/verify.h"

namespace valija::audit {

struct Gap {
  std::uint64_t entry = 0;
  // "withheld": its bare commitment was shown; "slip-withheld": the entry without its slip for the agency (or, to who
  // originates, without the policies); "missing": not in the list; "other": something else was
  std::string code;
  std::string kind, author;
};

struct Coverage {
  std::uint64_t entries = 0;       // of the whole log
  std::uint64_t seen_entries = 0;  // as far as the agency's copy goes
  std::uint64_t concerned = 0;     // entries that concern the agency, as far as that
  std::uint64_t later = 0;         // those after its end
  std::vector<Gap> gaps;
  std::uint64_t gaps_in_all = 0;  // at most 1000 are named
  bool by_proof = false;          // the agency's copy is an export, whose root was compared; else a list
};

// `whole` is a joint auditor's export, verified here. `seen` is the agency's own export (a folder, verified here too, under
// the same charter), or a list: one JSON object a line, {"entry": N, "statement": "hex"}, the statement if it is known, and
// {"size": N} once if the list is of the log's first N entries. kFinding: one of the two is not proved; kFork: they are not
// of one log; kUsage: no such agency; kMalformed: the list.
Result<Coverage> Cover(Options whole, const AgencyId& agency, const std::filesystem::path& seen);

}  // namespace valija::audit
