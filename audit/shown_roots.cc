#include "audit/shown_roots.h"

namespace valija::audit {

void ShownRoots::Note(std::uint64_t size, const Hash& root) {
  size_ = size;
  last_.push_back(root);
  if (last_.size() > kKept) last_.pop_front();
}

Result<Hash> ShownRoots::At(std::uint64_t size, const log::TileReader& tiles) {
  if (size == 0 || size > size_) return Refuse(Reason::kUsage, "no tree of this size was walked");
  if (size_ - size < last_.size()) return last_[last_.size() - 1 - (size_ - size)];
  if (older_.first != size) {
    TRY(const auto root, log::RootAt(size, tiles));
    older_ = {size, root};
  }
  return older_.second;
}

}  // namespace valija::audit
