// A scorecard as it is printed: figures of pairs of agencies by period. docs/audit.md defines every figure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/period.h"
#include "core/base/ids.h"
#include "core/base/time.h"

namespace valija::audit {

// Codes of the figures that every line has; `refused:CODE` and `outcome:NAME` are there where they are not zero. The last
// three are the originator's alone (docs/audit.md).
inline constexpr std::string_view kFigures[] = {
    "shared",      "shared-records", "shared-grants", "opened-portions", "opened-records", "first-openings",
    "unwitnessed", "asked",          "answered",      "overdue",         "refused",        "emergencies",
    "reviewed",    "unreviewed",     "recalls",       "asked-to-erase",  "erased",         "acknowledged"};
inline constexpr std::string_view kAccessFigures[] = {"access-asked", "access-granted", "access-not-granted"};

enum class Hidden { kNo, kBelow, kComplement };

struct Count {
  std::uint64_t value = 0;
  std::vector<std::uint64_t> entries;  // that it was counted from: ascending, each once; none of a suppressed card
  Hidden hidden = Hidden::kNo;
};

// Whole minutes, rounded down, of the samples in ascending order: the ceil(n/2)-th and the ceil(9n/10)-th.
struct Minutes {
  std::vector<Duration> samples;
  std::vector<std::uint64_t> entries;  // that ended each of them
  Hidden hidden = Hidden::kNo;
  std::int64_t Median() const { return At(1, 2); }
  std::int64_t NinthTenth() const { return At(9, 10); }

 private:
  std::int64_t At(std::size_t part, std::size_t of) const;  // the samples are sorted
};
// Each with the count whose samples it has.
inline constexpr std::pair<std::string_view, std::string_view> kMinutes[] = {
    {"to-first-opening", "first-openings"}, {"to-answer", "answered"}, {"to-review", "reviewed"}};

struct Line {
  std::string period;
  AgencyId from, to;
  std::map<std::string, Count> counts;
  std::map<std::string, Minutes> minutes;  // only those that have samples
};

// Refused openings of what is not in the log; and, but for the originator, of what the member may not know of: who reads
// the card must not learn from it which of the two it was.
struct NotFound {
  std::string period;
  AgencyId by;
  Count count;
};

struct Card {
  std::string origin, charter, title, root;
  std::uint64_t entries = 0;  // of the log
  Time as_of{};               // of its last entry, or `until` if that is before
  By by = By::kMonth;
  std::optional<Time> from, until;
  std::vector<AgencyId> agencies;  // the card is of these alone; empty: of all
  bool originators_view = false;
  std::uint64_t suppress_below = 0;
  std::map<AgencyId, std::string> names;  // as the charter in force has them, of those in the lines
  std::vector<Line> lines;                // ascending by period, from, to
  std::vector<NotFound> not_found;        // ascending by period, agency
};

// What a person or a program is shown in place of the number: "12", "<5", or "*": hidden so that it does not give another
// one away.
std::string ShownValue(const Count& count, std::uint64_t suppress_below);
// "3-7 9 12-13"
std::string Ranges(const std::vector<std::uint64_t>& entries);
std::vector<std::pair<std::uint64_t, std::uint64_t>> RangesOf(const std::vector<std::uint64_t>& entries);
// The figures of a line in the order of printing: kFigures, refusals and outcomes behind their totals, access at the end.
std::vector<std::string> CodesOf(const Line& line);

// Hides counts of 1 to suppress_below - 1, and what would give them away; and takes away every entry.
void Suppress(Card& card);

// ---- printers: the same card gives the same bytes. CSV and JSON are in English always. ----
std::string CardText(const Card& card, bool entries);
std::string CardCsv(const Card& card, bool entries);
std::string CardJson(const Card& card);
std::string CardHtml(const Card& card, bool entries);

// What a figure is called for people.
std::string FigureName(const std::string& code);
std::string MinutesName(const std::string& code, bool median);

}  // namespace valija::audit
