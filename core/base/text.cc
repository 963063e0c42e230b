#include "core/base/text.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace valija {
namespace {

// The code point at text[at] and its length; length 0 if the bytes are not valid UTF-8.
std::pair<char32_t, std::size_t> CodePoint(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(at);
  std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return {0, 0};
  char32_t point = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(at + i) >> 6 != 2) return {0, 0};
    point = point << 6 | (byte(at + i) & 0x3fU);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return {0, 0};
  return {point, length};
}

bool Invisible(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

std::size_t Width(std::string_view visible) {  // code points; good enough for a table
  return static_cast<std::size_t>(std::count_if(visible.begin(), visible.end(),
                                                [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string Visible(std::string_view text, bool keep_lines) {
  std::string out;
  char escape[16];
  for (std::size_t at = 0; at < text.size();) {
    auto [point, length] = CodePoint(text, at);
    if (length == 0) {
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(text[at]));
      out += escape;
      ++at;
      continue;
    }
    if (Invisible(point) && !(keep_lines && (point == '\n' || point == '\t'))) {
      std::snprintf(escape, sizeof escape, point < 0x100 ? "\\x%02x" : "\\u{%x}", static_cast<unsigned>(point));
      out += escape;
    } else {
      out += text.substr(at, length);
    }
    at += length;
  }
  return out;
}

TableLines::TableLines(const std::vector<std::string>& head) { Measure(head); }

void TableLines::Measure(const std::vector<std::string>& cells) {
  widths_.resize(std::max(widths_.size(), cells.size()), 0);
  for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], Width(Visible(cells[i])));
}

std::string TableLines::Line(const std::vector<std::string>& cells) const {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto cell = Visible(cells[i]);
    text += cell;
    const auto width = Width(cell);
    if (i + 1 < cells.size()) text.append((i < widths_.size() ? std::max(widths_[i], width) - width : 0) + 2, ' ');
  }
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

std::string FormatTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  TableLines lines(head);
  for (const auto& row : rows) lines.Measure(row);
  std::string out = lines.Line(head);
  for (const auto& row : rows) out += lines.Line(row);
  return out;
}

std::string CsvCell(std::string_view text) {
  std::string cell;
  // A spreadsheet would run what begins so.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) cell += '\'';
  cell += Visible(text);
  std::string out(1, '"');
  for (char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
  return out;
}

}  // namespace valija
