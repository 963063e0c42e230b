// Secrets lie in memory that is locked, is in no core dump, and has nothing of them when they are gone. In a process of its own for
// each test: the secure heap is there once for a process.
#include "core/crypto/secret_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/crypto/keys.h"
#include "core/crypto/random.h"
#include "core/crypto/secret.h"

namespace valija::crypto {
namespace {

int InAnotherProcess(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The flags of the mapping that this address is in, as /proc/self/smaps has them ("lo": locked, "dd": not dumped).
std::string FlagsOf(const void* at) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(at);
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) here = begin <= wanted && wanted < end;
    if (here && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

// A canary that stands nowhere but where a test puts it: it is told by its halves, which are not it.
struct Canary {
  std::array<std::uint8_t, 32> half{};
  Canary() { SystemRandom().Fill(half); }
  void PutInto(std::span<std::uint8_t> out) const {
    for (std::size_t i = 0; i < half.size(); ++i) out[i] = half[i] ^ 0x5a;
  }
  bool Is(const std::uint8_t* at) const {
    for (std::size_t i = 0; i < half.size(); ++i)
      if (at[i] != (half[i] ^ 0x5a)) return false;
    return true;
  }
};

// How often it stands in this process' writable memory, at multiples of eight, as allocators place things; but for the stack, on
// which this test's own code leaves what it likes.
std::size_t CountInMemory(const Canary& canary) {
  alignas(4096) static std::uint8_t page[4096];
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    char mode[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode) != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
    if (line.ends_with("[stack]")) continue;
    for (unsigned long at = begin; at < end; at += sizeof page) {
      if (at == reinterpret_cast<std::uintptr_t>(page)) continue;
      if (::pread(memory, page, sizeof page, static_cast<off_t>(at)) != static_cast<ssize_t>(sizeof page)) continue;
      for (std::size_t i = 0; i + canary.half.size() <= sizeof page; i += 8) count += canary.Is(page + i) ? 1 : 0;
    }
  }
  WipeBytes(page);
  ::close(memory);
  return count;
}

TEST(SecretMemory, IsLockedAndInNoCoreDump) {
  EXPECT_EQ(InAnotherProcess([] {
              if (SecretMemoryIsLocked() || !LockSecretMemory() || !SecretMemoryIsLocked()) return 1;
              const Secret secret(32);
              const auto flags = FlagsOf(secret.view().data());
              return flags.find(" lo ") == std::string::npos ? 2 : flags.find(" dd ") == std::string::npos ? 3 : 0;
            }),
            0);
}

TEST(SecretMemory, WhereTheSystemLocksNothingItSaysSoAndSecretsWork) {
  EXPECT_EQ(
      InAnotherProcess([] {
        const struct rlimit none {};
        // Who may lock all the same (root) gives that up.
        if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0))
          return 1;
        if (LockSecretMemory() || SecretMemoryIsLocked()) return 2;
        SystemRandom random;
        const auto key = SignKey::Generate(random);
        return Secret::CopyOf(AsBytes("x")).EqualTo(Secret::CopyOf(AsBytes("x"))) ? 0 : 3;
      }),
      0);
}

TEST(SecretMemory, WhenItIsFullSecretsAreElsewhereAndNothingFails) {
  EXPECT_EQ(InAnotherProcess([] {
              LockSecretMemory();
              std::vector<Secret> all;
              for (int i = 0; i < 2000; ++i) {
                all.emplace_back(4096);
                all.back().mutable_view()[4095] = 7;
              }
              for (const auto& one : all)
                if (one.view()[4095] != 7 || one.view()[0] != 0) return 1;
              return FlagsOf(all.back().view().data()).find(" lo ") == std::string::npos ? 0 : 2;
            }),
            0);
}

TEST(SecretMemory, HasNothingOfASecretThatIsGone) {
  for (const bool locked : {false, true})
    EXPECT_EQ(InAnotherProcess([locked] {
                if (locked) LockSecretMemory();
                const Canary canary;
                {
                  Secret secret(96);
                  canary.PutInto(secret.mutable_view().subspan(
                      32));  // what an allocator keeps in freed memory is at its beginning
                  const auto moved = std::move(secret);
                  const auto copy = moved.Clone();
                  if (CountInMemory(canary) != 2) return 1;  // the look sees what is there
                }
                return CountInMemory(canary) == 0 ? 0 : 2;
              }),
              0)
        << locked;
}

}  // namespace
}  // namespace valija::crypto
