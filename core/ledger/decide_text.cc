#include <cstdint>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

// One code point at `at`, which moves on; -1 for what is no UTF-8 (RFC 3629: shortest form, no surrogates).
std::int32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  if (first < 0x80) return ++at, first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || at + more >= text.size()) return -1;
  std::int32_t point = first & (0x3F >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return -1;
    point = point * 64 + (byte(at + i) & 0x3F);
  }
  at += more + 1;
  constexpr std::int32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  return point < kLeast[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF) ? -1 : point;
}

bool IsControl(std::int32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200E && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

}  // namespace

bool IsPrintable(std::string_view text, std::size_t longest) {
  if (text.empty() || text.size() > longest) return false;
  for (std::size_t at = 0; at < text.size();)
    if (IsControl(NextCodePoint(text, at))) return false;  // -1 is one of them
  return true;
}

bool IsReason(std::string_view text) {
  return IsPrintable(text, kLongestText) && text.find_first_not_of(' ') != std::string_view::npos;
}

}  // namespace valija::ledger
