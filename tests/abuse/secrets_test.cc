// What a running broker leaves of its secrets where others might look. Abuse tests 57 and 58 of docs/hardening.md.
#include <fcntl.h>

#include <filesystem>

#include "tests/e2e/live_world.h"

namespace valija::test {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// How often it is in the memory that the process may write; nullopt: nobody may look.
std::optional<std::size_t> InMemory(pid_t pid, const std::string& what) {
  const auto proc = "/proc/" + std::to_string(pid);
  const int mem = ::open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (mem < 0) return std::nullopt;
  std::ifstream maps(proc + "/maps");
  std::string line;
  std::size_t count = 0, looked = 0;
  while (std::getline(maps, line)) {
    unsigned long from = 0, to = 0;
    char mode[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w') continue;
    std::string block(1 << 20, '\0'), kept;
    for (unsigned long at = from; at < to;) {
      const auto got = ::pread(mem, block.data(), std::min<std::size_t>(block.size(), to - at), static_cast<off_t>(at));
      if (got <= 0) break;
      at += static_cast<unsigned long>(got), looked += static_cast<std::size_t>(got);
      kept.append(block.data(), static_cast<std::size_t>(got));
      for (auto found = kept.find(what); found != std::string::npos; found = kept.find(what, found + 1)) ++count;
      kept.erase(0, kept.size() - std::min(kept.size(), what.size() - 1));
    }
  }
  ::close(mem);
  if (looked == 0) return std::nullopt;
  return count;
}

TEST(Secrets, ARunningBrokerShowsNoneAndDumpsNoCore) {
  LiveWorld world;
  world.Start();
  const auto proc = std::filesystem::path("/proc") / std::to_string(world.broker());
  auto passphrase = ReadAll(world.Passphrase());
  while (!passphrase.empty() && passphrase.back() == '\n') passphrase.pop_back();
  ASSERT_GT(passphrase.size(), 20u);

  {  // something happens
    const auto omar = world.Connect("mx.fgr/omar");
    EXPECT_TRUE(omar.transport->Checkpoint(0));
  }
  EXPECT_EQ(ReadAll(proc / "cmdline").find(passphrase), std::string::npos);
  EXPECT_EQ(ReadAll(proc / "environ").find(passphrase), std::string::npos);
  EXPECT_EQ(ReadAll(world.root() / "broker/operations.log").find(passphrase), std::string::npos);
  EXPECT_EQ(ReadAll(world.root() / "broker/err").find(passphrase), std::string::npos);
  EXPECT_NE(ReadAll(proc / "status").find("NoNewPrivs:\t1"), std::string::npos);
  const auto limits = ReadAll(proc / "limits");
  const auto at = limits.find("Max core file size");
  ASSERT_NE(at, std::string::npos);
  std::istringstream core(limits.substr(at + 18));
  std::string soft, hard;
  core >> soft >> hard;
  EXPECT_EQ(soft + " " + hard, "0 0");

  // Who may look at its memory (root, in tests) finds what it works with, and not what opened its key files.
  const auto known = InMemory(world.broker(), "pouch.example/2026");
  if (!known) GTEST_SKIP() << "the memory of a process that dumps no core is root's to see";
  EXPECT_GT(*known, 0u) << "the looking itself";
  EXPECT_EQ(*InMemory(world.broker(), passphrase), 0u) << "the passphrase was not wiped";
}

}  // namespace
}  // namespace valija::test
