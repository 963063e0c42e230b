// What a checked bundle tells, for people in the language chosen: one line an entry, its fields with their names. Texts from the
// log are as they are there: who prints them makes them visible.
// Thread-safety: pure functions, but for the language chosen.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/evidence/check.h"

namespace valija::evidence {

struct Told {
  std::uint64_t entry = 0;
  std::string time, kind, who;                              // who: "" where it is not shown, or nobody's
  std::vector<std::pair<std::string, std::string>> fields;  // name, value
};

// Of one portion: whose slips are shown, decoys left aside.
struct Recipients {
  std::uint32_t portion = 0;
  std::set<std::string> agencies;
  bool all = false;  // each of the header's commitments is opened
};
// Of a record or a grant; of anything else nothing.
std::vector<Recipients> RecipientsOf(const ledger::Statement& statement);

// What happened to the record.
std::vector<Told> Events(const CheckedBundle& bundle);
// Whose keys they are: charter, amendments, enrolments.
std::vector<Told> Keys(const CheckedBundle& bundle);
// Sentences about the whole: what it shows, what it is under, what it does not show.
std::vector<std::string> Limits(const CheckedBundle& bundle);
std::vector<std::pair<std::string, std::string>> Summary(const CheckedBundle& bundle);

// Self-contained and print-friendly. `file`: SHA-256 of the bundle that it is about.
std::string Page(const CheckedBundle& bundle, const Hash& file);

}  // namespace valija::evidence
