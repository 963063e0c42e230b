#include "core/base/time.h"

#include <cstdio>

namespace valija {
namespace {

// Reads exactly `width` digits at `at`; advances.
std::optional<int> Digits(std::string_view text, std::size_t& at, std::size_t width) {
  if (at + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i, ++at) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool Skip(std::string_view text, std::size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

}  // namespace

std::string FormatTime(Time time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::int64_t rest = (time - day).count();
  char out[64];
  int n = std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                        static_cast<int>(rest / 3600000), static_cast<int>(rest / 60000 % 60),
                        static_cast<int>(rest / 1000 % 60));
  std::string text(out, static_cast<std::size_t>(n));
  if (rest % 1000 != 0) {
    n = std::snprintf(out, sizeof out, ".%03d", static_cast<int>(rest % 1000));
    text.append(out, static_cast<std::size_t>(n));
  }
  return text + "Z";
}

std::optional<Time> ParseTime(std::string_view text) {
  std::size_t at = 0;
  auto year = Digits(text, at, 4);
  if (!year || !Skip(text, at, '-')) return std::nullopt;
  auto month = Digits(text, at, 2);
  if (!month || !Skip(text, at, '-')) return std::nullopt;
  auto day = Digits(text, at, 2);
  if (!day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  Time time = std::chrono::sys_days(date);
  if (at == text.size()) return time;
  if (!Skip(text, at, 'T')) return std::nullopt;
  auto hour = Digits(text, at, 2);
  if (!hour || *hour > 23 || !Skip(text, at, ':')) return std::nullopt;
  auto minute = Digits(text, at, 2);
  if (!minute || *minute > 59 || !Skip(text, at, ':')) return std::nullopt;
  auto second = Digits(text, at, 2);
  if (!second || *second > 59) return std::nullopt;
  time += std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  if (Skip(text, at, '.')) {
    auto ms = Digits(text, at, 3);
    if (!ms) return std::nullopt;
    time += Duration(*ms);
  }
  if (!Skip(text, at, 'Z') || at != text.size()) return std::nullopt;
  return time;
}

}  // namespace valija
