#include "audit/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "core/io/file.h"

namespace valija::audit {
namespace {

constexpr std::size_t kLargestZone = 1 << 20;

// No path out of the folder, and nothing that the C library would take for a rule ("EST5EDT,M3..") or a path (":/..").
bool IsZoneName(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '/';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && std::all_of(name.begin(), name.end(), plain);
}

}  // namespace

// The C library takes a name that it does not know for UTC without a word, so the file is looked at first.
Result<std::function<Duration(Time)>> UseTimeZone(const std::string& name) {
  const char* set = std::getenv("TZDIR");
  const std::filesystem::path folder = set != nullptr ? set : "/usr/share/zoneinfo";
  const auto file =
      IsZoneName(name) ? io::ReadText(folder / name, kLargestZone) : Result<std::string>(Refuse(Reason::kUsage));
  if (!file || !file->starts_with("TZif"))
    return Refuse(Reason::kUsage, "no time zone " + name + " in this system's data (the package tzdata)");
  if (::setenv("TZ", name.c_str(), 1) != 0) return Refuse(Reason::kInternal);
  ::tzset();
  return std::function<Duration(Time)>([](Time time) -> Duration {
    const auto seconds =
        static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) return {};
    return std::chrono::seconds(local.tm_gmtoff);
  });
}

}  // namespace valija::audit
