// Local time by the system's time zone data (IANA names, daylight saving and its history).
#pragma once

#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/base/time.h"

namespace valija::audit {

// What is to be added to UTC for the local time of a zone like America/Mexico_City, at any moment. kUsage: the system has no such
// zone. It becomes the process's own (TZ): one zone for a process, chosen before any thread begins.
Result<std::function<Duration(Time)>> UseTimeZone(const std::string& name);

}  // namespace valija::audit
