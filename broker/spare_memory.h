// Memory that was freed and that the allocator keeps: after a flood it may be most of the process, and it is scattered over
// the threads' arenas, which give nothing back by themselves.
// Not thread-safe: the keeper's alone.
#pragma once

#include <cstddef>

namespace valija::broker {

class SpareMemory {
 public:
  // To be asked every few seconds: gives back what is free once that has grown by much since the last time. True: it did.
  bool GiveBack();

 private:
  std::size_t left_ = 0;  // free after the last time, or less
};

}  // namespace valija::broker
