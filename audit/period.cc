#include "audit/period.h"

#include <cstdio>

namespace valija::audit {
namespace {

constexpr std::string_view kNames[] = {"month", "quarter", "year", "all"};

}  // namespace

std::optional<By> ByName(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<By>(i);
  return std::nullopt;
}

std::string_view NameOf(By by) { return kNames[static_cast<std::size_t>(by)]; }

Period PeriodOf(Time time, By by) {
  using std::chrono::months, std::chrono::year_month, std::chrono::month, std::chrono::sys_days, std::chrono::day;
  if (by == By::kAll) return {"all", Time::max()};
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  const auto year = static_cast<int>(date.year());
  const auto m = static_cast<unsigned>(date.month());
  char name[32];
  year_month end{date.year(), date.month()};
  switch (by) {
    case By::kMonth:
      std::snprintf(name, sizeof name, "%04d-%02u", year, m);
      end += months(1);
      break;
    case By::kQuarter:
      std::snprintf(name, sizeof name, "%04d-Q%u", year, (m - 1) / 3 + 1);
      end = year_month{date.year(), month((m - 1) / 3 * 3 + 1)} + months(3);
      break;
    default:
      std::snprintf(name, sizeof name, "%04d", year);
      end = year_month{date.year() + std::chrono::years(1), month(1)};
      break;
  }
  return {name, Time(sys_days(end / day(1)))};
}

}  // namespace valija::audit
