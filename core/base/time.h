// Points in time: milliseconds since the Unix epoch, UTC. The core never asks what time it is; callers
// pass it in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace valija {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

inline std::int64_t ToMillis(Time time) { return time.time_since_epoch().count(); }
inline Time FromMillis(std::int64_t ms) { return Time(Duration(ms)); }

// RFC 3339, UTC, "2026-11-24T08:17:04.123Z" (the fraction only when it is not zero).
std::string FormatTime(Time time);
// Takes "2026-11-24", "2026-11-24T08:17:04Z" and "...04.123Z"; nothing else (no offsets, no lower case).
std::optional<Time> ParseTime(std::string_view text);

}  // namespace valija
