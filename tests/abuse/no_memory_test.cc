// No memory, at each allocation in turn, in what reads bytes of strangers with code of ours: what was asked for is not done
// (std::bad_alloc, which the broker's handlers turn into a refusal), and whatever is asked next is done. Protobuf's own code
// does not bear it, and neither does the library that reads JSON: there the process ends, as by a kill.
// Abuse test 43 of docs/hardening.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <new>

#include "tests/fuzz/targets.h"

namespace {

// Of this thread. Allocations to come before one fails; below nought: none does.
thread_local long left_to_go = -1;
thread_local unsigned long made = 0;
thread_local bool lasting = false;  // and all after it too

void* Allocate(std::size_t size, std::size_t alignment = 0) {
  ++made;
  if (left_to_go >= 0 && left_to_go-- == 0) {
    if (lasting) left_to_go = 0;
    throw std::bad_alloc();
  }
  const auto bytes = std::max<std::size_t>(size, 1);
  void* const got = alignment == 0 ? std::malloc(bytes)
                                   : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (got == nullptr) throw std::bad_alloc();
  return got;
}

}  // namespace

void* operator new(std::size_t size) { return Allocate(size); }
void* operator new[](std::size_t size) { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace valija::fuzz {
namespace {

class NoMemory : public testing::TestWithParam<Target> {};

TEST_P(NoMemory, IsACleanEndAtEachAllocation) {
  const auto& target = GetParam();
  const bool all = std::getenv("VALIJA_LONG") != nullptr;
  unsigned long tried = 0, ended = 0;
  auto seeds = target.seeds();
  if (!all && seeds.size() > 8) seeds.resize(8);
  for (const auto& seed : seeds) {
    target.run(seed);  // what is made once and kept is there
    made = 0;
    target.run(seed);
    const auto count = made;
    const auto step = all ? 1 : std::max(1ul, count / 40);
    for (const bool lasts : {false, true}) {
      for (unsigned long at = 0; at < count; at += step, ++tried) {
        lasting = lasts;
        left_to_go = static_cast<long>(at);
        try {
          target.run(seed);
        } catch (const std::bad_alloc&) {
          ++ended;
        } catch (const std::exception& error) {
          left_to_go = -1;
          ADD_FAILURE() << error.what() << " at allocation " << at << " of " << count;
        }
        left_to_go = -1;
      }
    }
    EXPECT_NO_THROW(target.run(seed)) << "afterwards";
  }
  EXPECT_GT(ended, 0u) << "nothing was ever felt";
  std::cout << "[ figures  ] " << ended << " of " << tried << " were bad_alloc\n";
}

std::vector<Target> Ours() {
  auto out = LogTargets();
  for (auto& one : RecordTargets())
    if (one.name != "member-card" && one.name != "broker-card") out.push_back(std::move(one));
  return out;
}

INSTANTIATE_TEST_SUITE_P(Parsers, NoMemory, testing::ValuesIn(Ours()), [](const auto& info) {
  std::string name;
  for (const char c : info.param.name) name += c == '-' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace valija::fuzz
