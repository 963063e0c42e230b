// Brings a copy of a log (checkpoint, tiles, entry bundles: tlog-tiles) up to a checkpoint, from whoever serves it, and
// believes nothing of what is served: each tile is held against the one above it, up to the checkpoint's root, and each
// bundle against its tile, before it is kept. No I/O in here.
//
// Nothing of what an interrupted run kept is wrong or fetched again. Full tiles never change; a partial one goes when the
// full one is there, not before, as readers of a former checkpoint may still want it.
//
// Thread-safety: free functions without state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/log/note.h"
#include "core/log/tree.h"

namespace valija::log {

struct MirrorPorts {
  // A file of the log, at most `limit` bytes. kNotFound if the log says that it has none.
  std::function<Result<Bytes>(const std::string& path, std::size_t limit)> fetch;
  // A file of the copy, if it is there; what is damaged is fetched again.
  std::function<std::optional<Bytes>(const std::string& path)> kept;
  std::function<Status(const std::string& path, ByteView content)> keep;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // in entries; may be empty
};

struct Mirrored {
  std::uint64_t entries = 0;             // new ones
  std::uint64_t tiles = 0, bundles = 0;  // verified in this run
  std::uint64_t fetched = 0;             // files that came from the log
};

// `before`: the copy's checkpoint, to which `now` must be a continuation. Both are signed by the log. The caller writes the
// new checkpoint after that, and then may remove what SupersededPartials names. `all`: what the copy had is verified again.
//
// kFork: no tree has both roots (whoever holds both notes has proof); kRolledBack: an older checkpoint of the same tree;
// kBadProof: what was served is not what the checkpoint signs; refusals of the ports.
Result<Mirrored> Mirror(const std::optional<Checkpoint>& before, const Checkpoint& now, const MirrorPorts& ports,
                        bool all);

// Folders of partial files that stand beside full ones from now on ("tile/0/000.p"), each below the copy.
std::vector<std::string> SupersededPartials(std::uint64_t before, std::uint64_t now);

}  // namespace valija::log
