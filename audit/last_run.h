// What a run of `verify` or `watch` leaves for the next one, in the file of --state.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace valija::audit {

// What a run leaves for the next one: the log may only have grown since.
struct LastRun {
  Digest charter;
  std::string note;
  std::string watch;  // JSON, of `watch` alone; empty: none
};
Result<std::optional<LastRun>> ReadLastRun(const std::filesystem::path& path);  // nullopt: there is none yet
Status WriteLastRun(const std::filesystem::path& path, const LastRun& run);     // no path, no file

}  // namespace valija::audit
