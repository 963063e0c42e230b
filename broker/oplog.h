// The operations log: one event a line, as JSON or for people. It names members, kinds, codes and sizes; it never holds
// content, keys, policies or anything a peer spelled freely: values are made printable and cut.
// Thread-safety: everything may be called from any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace valija::broker {

enum class Level { kDebug, kInfo, kWarning, kAlarm };
using Field = std::pair<std::string_view, std::string>;

struct LogOptions {
  bool json = true;  // else one readable line an event
  std::string file;  // empty: standard error
  bool debug = false;
};
Status OpenLog(const LogOptions& options);  // kFile; before it, events go to standard error for people
void Log(Level level, std::string_view event, std::initializer_list<Field> fields = {});
void FlushLog();

}  // namespace valija::broker
