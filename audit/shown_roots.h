// Roots of the log at the sizes that others say they were shown: members sign in each opening which checkpoint they had
// verified, and anybody can hand over the note of one. Whoever was shown another tree stands out by it, whatever else agrees.
// Not thread-safe.
#pragma once

#include <deque>

#include "core/base/result.h"
#include "core/log/tree.h"

namespace valija::audit {

class ShownRoots {
 public:
  // After each entry, in order; the last kKept are remembered, as most openings name one of these.
  void Note(std::uint64_t size, const Hash& root);
  // Of the tree of this size, at most the last one noted; an older one is made of the export's tiles, which are held against
  // the entries on their own. kUsage: of 0, or of a larger one; else as log::RootAt.
  Result<Hash> At(std::uint64_t size, const log::TileReader& tiles);

 private:
  static constexpr std::size_t kKept = 4096;
  std::deque<Hash> last_;
  std::uint64_t size_ = 0;
  std::pair<std::uint64_t, Hash> older_{};  // the last that was made of tiles
};

}  // namespace valija::audit
