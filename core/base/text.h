// Text for people: foreign text is never sent to a terminal or a spreadsheet raw.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace valija {

// Control characters, escapes, bidirectional overrides, invisible characters and invalid UTF-8 come out as visible escapes.
// keep_lines: '\n' and '\t' stay (content shown on a terminal); else they are escaped too.
std::string Visible(std::string_view text, bool keep_lines = false);

// Columns as wide as their widest cell; cells are made Visible. Left-aligned, two spaces between, one line a row.
// For a long table: its rows are measured, then written, one after the other.
class TableLines {
 public:
  explicit TableLines(const std::vector<std::string>& head);
  void Measure(const std::vector<std::string>& cells);
  std::string Line(const std::vector<std::string>& cells) const;

 private:
  std::vector<std::size_t> widths_;
};
std::string FormatTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

// One quoted CSV cell (RFC 4180), made Visible, and defused where a spreadsheet would take it for a formula.
std::string CsvCell(std::string_view text);

}  // namespace valija
