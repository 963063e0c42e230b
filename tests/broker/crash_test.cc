// kill -9 at random instants of a broker's core that accepts without pause: what it acknowledged is there, once.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "broker/fold.h"
#include "broker/storage/rocksdb_store.h"
#include "core/io/file.h"
#include "core/log/tree.h"
#include "tests/broker/support/broker_rig.h"

extern char** environ;

namespace valija::broker {
namespace {

using test::BrokerRig;
namespace fs = std::filesystem;

constexpr const char* kFolder = "VALIJA_TEST_CRASH_FOLDER";
constexpr const char* kRound = "VALIJA_TEST_CRASH_ROUND";
constexpr int kAcknowledgements = 3;  // the child's end of the pipe

// The keys that parent and child share; for a temporary log alone.
void SaveKeys(const fs::path& folder, const test::BrokerWorld& world) {
  ASSERT_TRUE(io::WriteNewFile(folder / "log.key", world.log_key.Seed().view(), 0600));
  ASSERT_TRUE(io::WriteNewFile(folder / "admin.key", world.people.at("us.dea/admin").sign.Scalar().view(), 0600));
}
void LoadKeys(const fs::path& folder, test::BrokerWorld& world) {
  world.log_key = crypto::Ed25519SignKey::FromSeed(io::ReadFile(folder / "log.key").value()).value();
  auto& admin = world.NewPerson("us.dea/admin", true);
  admin.sign = crypto::SignKey::FromScalar(io::ReadFile(folder / "admin.key").value()).value();
}

struct Opened {
  std::unique_ptr<RocksDbStore> store;
  std::unique_ptr<HighWater> mark;
  WorkerPool workers{2, 100};
  std::unique_ptr<Sequencer> sequencer;

  Opened(test::BrokerWorld& world, const fs::path& folder, std::optional<ledger::VerifiedStatement> charter) {
    mark = HighWater::Open(folder / "mark", Duration(20)).value();
    const bool make = charter.has_value();
    mark->CheckPresence(RocksDbStore::Exists(folder / "db"), make).value();
    store = RocksDbStore::Open({.folder = folder / "db", .create = make}).value();
    sequencer = Sequencer::Start({.authority = world.authority,
                                  .now = [&world] { return world.now; },
                                  .rows = &store->rows(),
                                  .keep_every = 20,
                                  .state_cache = 0},
                                 store->journal(), *mark, world.log_key, workers, world.random, std::move(charter))
                    .value();
  }
  ~Opened() {
    sequencer->Stop();
    workers.Stop();
  }
};

// The child: not a test, run by the one below in a process of its own.
TEST(CrashChild, DISABLED_AcceptsUntilItIsKilled) {
  const char* folder = std::getenv(kFolder);
  const char* round = std::getenv(kRound);
  if (folder == nullptr || round == nullptr) GTEST_SKIP();
  test::BrokerWorld world;
  LoadKeys(folder, world);
  Opened broker(world, folder, std::nullopt);
  std::atomic<int> in_flight = 0;
  for (int i = 0;; ++i) {
    while (in_flight >= 8) std::this_thread::yield();
    ++in_flight;
    auto statement = world.EnrolNew("us.dea/r" + std::string(round) + "-" + std::to_string(i));
    auto queued = broker.sequencer->Submit(std::move(statement), [&](Result<Accepted> accepted) {
      // The acknowledgement: what the other side of a wire would have seen.
      if (!accepted ||
          ::write(kAcknowledgements, accepted->head.statement.bytes.data(), Digest::kSize) != Digest::kSize) {
        ::_exit(3);
      }
      --in_flight;
    });
    if (!queued) ::_exit(4);
  }
}

struct Child {
  pid_t pid = -1;
  int acknowledgements = -1;

  Child(const fs::path& folder, int round) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], kAcknowledgements);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    std::vector<std::string> environment = {std::string(kFolder) + "=" + folder.string(),
                                            std::string(kRound) + "=" + std::to_string(round)};
    std::vector<char*> all;
    for (auto& one : environment) all.push_back(one.data());
    for (char** one = environ; *one != nullptr; ++one) all.push_back(*one);
    all.push_back(nullptr);
    std::string self = "/proc/self/exe", filter = "--gtest_filter=CrashChild.*",
                also = "--gtest_also_run_disabled_tests";
    char* arguments[] = {self.data(), filter.data(), also.data(), nullptr};
    int failed = ::posix_spawn(&pid, self.c_str(), &actions, nullptr, arguments, all.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    acknowledgements = pipe[0];
    if (failed != 0) throw std::runtime_error("posix_spawn");
  }
  // The next acknowledgement; nullopt at the end.
  std::optional<Digest> Next() {
    Digest out;
    std::size_t have = 0;
    while (have < Digest::kSize) {
      ssize_t got = ::read(acknowledgements, out.bytes.data() + have, Digest::kSize - have);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      have += static_cast<std::size_t>(got);
    }
    return out;
  }
  void Kill() {
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  }
  ~Child() { ::close(acknowledgements); }
};

TEST(CrashTest, WhatWasAcknowledgedSurvivesKillAtAnyInstantAndIsThereOnce) {
  // Twenty, or on a slow disk as many as half a minute takes, but five.
  constexpr int kRounds = 20, kFewest = 5;
  const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  test::TempFolder folder;
  test::BrokerWorld world;
  auto charter = world.Charter();
  SaveKeys(folder.path(), world);
  { Opened broker(world, folder.path(), charter); }

  std::mt19937 dice(20261124);
  std::set<Digest> acknowledged;
  log::Checkpoint before{test::BrokerWorld::kOrigin, 0, log::EmptyRoot()};
  int round = 0;
  for (; round < kRounds && (round < kFewest || std::chrono::steady_clock::now() < enough); ++round) {
    Child child(folder.path(), round);
    if (round % 5 == 4) {
      // At any instant of its start.
      std::this_thread::sleep_for(std::chrono::milliseconds(dice() % 300));
    } else {
      auto first = child.Next();
      ASSERT_TRUE(first);
      acknowledged.insert(*first);
      std::this_thread::sleep_for(std::chrono::microseconds(dice() % 60'000));
    }
    child.Kill();
    while (auto digest = child.Next()) acknowledged.insert(*digest);

    Opened broker(world, folder.path(), std::nullopt);
    auto checkpoint = broker.sequencer->checkpoint()->checkpoint();
    ASSERT_GE(checkpoint.size, before.size);
    EXPECT_TRUE(broker.sequencer->CheckSeen(before.size, before.root));
    before = checkpoint;
    std::set<Digest> logged;
    for (std::uint64_t at = 0; at < checkpoint.size;) {
      auto entries = broker.sequencer->Entries(at, 1000, 8 << 20);
      ASSERT_TRUE(entries);
      for (const auto& entry : *entries) {
        EXPECT_TRUE(logged.insert(entry.head->statement).second) << "entry " << at << " is there twice";
        ++at;
      }
    }
    // The state, whatever of it was kept and whatever was folded after it, is the fold of the whole journal.
    auto folded = FoldJournal(broker.store->journal(), std::nullopt);
    ASSERT_TRUE(folded) << folded.error().Message();
    broker.sequencer->Read([&](const ledger::State& state) {
      EXPECT_EQ(state.size(), folded->state->size());
      EXPECT_EQ(state.members().size(), folded->state->members().size());
      EXPECT_EQ(state.directory_entries(), folded->state->directory_entries());
      const auto agency = *AgencyId::Parse("us.dea");
      EXPECT_EQ(state.entries_for(agency).All(), folded->state->entries_for(agency).All());
      for (const auto& digest : logged)
        EXPECT_EQ(state.statement_index(digest), folded->state->statement_index(digest));
      return 0;
    });
    for (const auto& digest : acknowledged) EXPECT_TRUE(logged.count(digest)) << "round " << round << " lost an entry";
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GE(acknowledged.size(), 4u);
  std::cout << "[ CRASH    ] " << round << " rounds, " << acknowledged.size() << " acknowledged, " << before.size
            << " logged\n";
}

}  // namespace
}  // namespace valija::broker
