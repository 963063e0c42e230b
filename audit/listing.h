// What the log says, for people and programs: entries of an export as rows, filtered. Reads only; `verify` proves.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/ledger/entry.h"

namespace valija::audit {

struct Row {
  std::uint64_t entry = 0;
  Time time{};
  std::string kind, author;
  std::string record;  // full hex, of a grant its original's; empty if it is about none
  // Opens: one row a portion; what is about several records: one row each. "granted", "refused", "accepted", "withheld".
  std::string portion, result;
  std::vector<std::string> reasons;  // codes
  // note: outcome, why, member enrolled, marking, and which entry erased it; English, as it is in JSON and CSV too
  std::string purpose, case_reference, note;
  bool unwitnessed = false;  // an opening that was released without the quorum of witnesses
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

using EachRow = std::function<void(const Row& row)>;
using Write = std::function<void(const std::string& text)>;

// The matching rows, in order. kFile, kCorrupt (says which entry). What it keeps of the log is who made which record, what
// each statement is about, and the standing orders.
Result<std::vector<Row>> List(const std::filesystem::path& folder, const Filter& filter);
// The same, printed row by row. The export is read twice: nothing is printed of one that is damaged, and a table's columns
// are as wide as they must be.
Status PrintList(const std::filesystem::path& folder, const Filter& filter, Format format, const Write& write);
// Everything about the one record whose digest begins so: kNotFound, kAmbiguous; kFile, kCorrupt.
Result<std::vector<Row>> Custody(const std::filesystem::path& folder, const std::string& record);
std::string Show(const std::vector<Row>& rows, Format format);

// Rows as text: all are measured, then printed between Begin and End.
class RowPrinter {
 public:
  RowPrinter(Format format, Write write);
  void Measure(const Row& row);
  void Begin();
  void Print(const Row& row);
  void End();

 private:
  const Format format_;
  const Write write_;
  const std::vector<std::string> head_;
  TableLines table_;
  bool any_ = false;
};

}  // namespace valija::audit
