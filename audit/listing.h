// What the log says, for people and programs: entries of an export as rows, filtered. Reads only; `verify` proves.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/ledger/entry.h"

namespace valija::audit {

struct Row {
  std::uint64_t entry = 0;
  Time time{};
  std::string kind, author;
  std::string record;                // full hex, of a grant its original's; empty if it is about none
  std::string portion, result;       // opens: one row a portion; "granted", "refused", "accepted", "withheld"
  std::vector<std::string> reasons;  // codes
  // note: outcome, why, member enrolled, marking, and which entry erased it; English, as it is in JSON and CSV too
  std::string purpose, case_reference, note;
};

struct Filter {
  std::optional<AgencyId> agency;   // of the author, or of the record's originator
  std::optional<MemberId> member;   // author, or the member an enrolment is about
  std::string record;               // prefix
  std::optional<Time> from, until;  // [from, until)
  std::string result;               // as in Row
  std::string kind;
};

enum class Format { kTable, kJson, kCsv };

// The matching rows, in order. kFile, kCorrupt (says which entry).
Result<std::vector<Row>> List(const std::filesystem::path& folder, const Filter& filter);
// Everything about the one record whose digest begins so: kNotFound, kAmbiguous; kFile, kCorrupt.
Result<std::vector<Row>> Custody(const std::filesystem::path& folder, const std::string& record);
std::string Show(const std::vector<Row>& rows, Format format);

}  // namespace valija::audit
