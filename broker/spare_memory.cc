#include "broker/spare_memory.h"

#include <malloc.h>

#include <algorithm>

namespace valija::broker {
namespace {

constexpr std::size_t kMuch = std::size_t{16} << 20;

}  // namespace

bool SpareMemory::GiveBack() {
  // What was given back and is still free counts as free, too: hence the growth.
  const std::size_t free = ::mallinfo2().fordblks;
  left_ = std::min(left_, free);
  if (free - left_ < kMuch) return false;
  ::malloc_trim(0);
  left_ = ::mallinfo2().fordblks;
  return true;
}

}  // namespace valija::broker
