// Calendar periods in UTC, which both capitals have alike.
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace valija::audit {

enum class By { kMonth, kQuarter, kYear, kAll };
std::optional<By> ByName(std::string_view name);  // "month", "quarter", "year", "all"
std::string_view NameOf(By by);

struct Period {
  std::string name;  // "2026-11", "2026-Q4", "2026", "all"; in the order of time as text
  Time end;          // the first moment after it; of "all" the last there is
};
Period PeriodOf(Time time, By by);

}  // namespace valija::audit
