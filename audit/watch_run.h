// The watch as it runs: pass after pass over an export that grows, and what is told of each.
#pragma once

#include <functional>
#include <string>

#include "audit/verify.h"
#include "audit/watch.h"

namespace valija::audit {

struct WatchPorts {
  std::function<void(const std::string& lines)> print;  // it is out when this returns
  std::function<Time()> now;
  std::function<bool()> wait;  // until the next pass; false: there is to be none
};

enum class Watched { kNothing, kAlarms, kFound };

// Ends after a finding, behind which nothing can be derived; after a pass, if `once`; when `wait` says so. An export that is
// changed while it is read is read again. With a state file (`options.state`) it goes on where an earlier run ended: what
// that told is not told again, and the log may only have grown since. The file is written when all of a pass was told.
Result<Watched> RunWatch(Options options, const WatchRules& rules, bool once, bool json, const WatchPorts& ports);

}  // namespace valija::audit
