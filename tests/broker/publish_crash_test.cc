// The publish path of a log with two witnesses, ended by kill -9 at each of its steps: what is then on the disk, and that a
// restart makes one log of it, which everything that anybody was shown is part of. docs/witness.md has the table.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>

#include "broker/storage/rocksdb_store.h"
#include "core/io/file.h"
#include "core/log/tree.h"
#include "tests/broker/support/witnessed_rig.h"

extern char** environ;

namespace valija::broker {
namespace {

namespace fs = std::filesystem;
using test::WitnessDouble;
using test::WitnessedRig;

constexpr const char* kFolder = "VALIJA_TEST_PUBLISH_FOLDER";
constexpr const char* kStep = "VALIJA_TEST_PUBLISH_STEP";
constexpr int kShown = 3;  // the child's end of the pipe: what anybody was told

[[noreturn]] void Die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

// The store's own journal, which ends the process before or after a write.
struct DeadlyJournal : Journal {
  Journal& of;
  std::string step;
  DeadlyJournal(Journal& journal, std::string when) : of(journal), step(std::move(when)) {}
  std::uint64_t Size() const override { return of.Size(); }
  Result<std::vector<Bytes>> Read(std::uint64_t from, std::size_t count, std::size_t max_bytes) const override {
    return of.Read(from, count, max_bytes);
  }
  Status Replace(const std::vector<std::pair<std::uint64_t, Bytes>>& entries) override { return of.Replace(entries); }
  std::optional<Bytes> Tile(log::TileId id) const override { return of.Tile(id); }
  std::string KeptNote() const override { return of.KeptNote(); }
  Status KeepNote(std::string_view note) override {
    const bool new_size = armed && note.find("\n" + std::to_string(of.Size()) + "\n") != std::string_view::npos;
    if (new_size && step == "before-keep") Die();
    auto kept = of.KeepNote(note);
    if (new_size && step == "after-keep") Die();
    return kept;
  }
  Status DoAppend(const JournalWrite& write) override {
    if (armed && step == "before-append") Die();
    auto appended = of.Append(write);
    if (armed && step == "after-append") Die();
    return appended ? Ok() : Status(appended.error());
  }
  std::atomic<bool> armed = false;
};

void Tell(const std::string& what) {
  const std::string line = what + "\n";
  if (::write(kShown, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

// Over what was there, in a process or in the test's own.
struct Opened {
  std::unique_ptr<RocksDbStore> store;
  std::unique_ptr<DeadlyJournal> journal;
  std::unique_ptr<HighWater> mark;
  WorkerPool workers{2, 100};
  std::unique_ptr<Witnesses> witnesses;
  std::unique_ptr<Sequencer> sequencer;
  std::unique_ptr<PublicNote> note;
  Status started = Ok();

  Opened(test::BrokerWorld& world, const fs::path& folder, const std::string& step,
         std::optional<ledger::VerifiedStatement> charter = std::nullopt) {
    const bool make = charter.has_value();
    mark = HighWater::Open(folder / "mark", Duration(20)).value();
    mark->CheckPresence(RocksDbStore::Exists(folder / "db"), make).value();
    store = RocksDbStore::Open({.folder = folder / "db", .create = make}).value();
    journal = std::make_unique<DeadlyJournal>(store->journal(), step);
    Sequencer::Options options{.authority = world.authority, .now = WitnessedRig::SystemNow};
    Witnesses::Options witnessing{.now = WitnessedRig::SystemNow};
    witnessing.timeout = std::chrono::seconds(10);
    witnessing.start_wait = std::chrono::seconds(60);
    witnesses = std::make_unique<Witnesses>(std::move(witnessing), workers);
    if (!make) options.witnesses = witnesses.get();
    auto made =
        Sequencer::Start(std::move(options), *journal, *mark, world.log_key, workers, world.random, std::move(charter));
    if (!made) {
      started = made.error();
      return;
    }
    sequencer = *std::move(made);
    auto& log = *sequencer;
    note = std::make_unique<PublicNote>(*journal,
                                        PublicNote::Source{[&log] { return log.witnessed(); },
                                                           [&log] { return log.cosigned(log.checkpoint()->size()); },
                                                           [&log] { return log.checkpoint()->note(); }},
                                        std::chrono::milliseconds(1));
  }
  ~Opened() {
    if (sequencer) sequencer->Stop();
    witnesses->Stop();
    workers.Stop();
  }
  // Until a cosigned tree of this size is shown.
  bool Shows(std::uint64_t size) const {
    for (int i = 0; i < 6000; ++i) {
      if (auto shown = note->Show(); shown && SizeIn(*shown) >= size) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  static std::uint64_t SizeIn(const std::string& text) {
    return log::Checkpoint::ParseBody(log::Note::Parse(text).value().text).value().size;
  }
};

void SaveKeys(const fs::path& folder, const test::BrokerWorld& world) {
  ASSERT_TRUE(io::WriteNewFile(folder / "log.key", world.log_key.Seed().view(), 0600));
  ASSERT_TRUE(io::WriteNewFile(folder / "admin.key", world.people.at("us.dea/admin").sign.Scalar().view(), 0600));
}
void LoadKeys(const fs::path& folder, test::BrokerWorld& world) {
  world.now = WitnessedRig::SystemNow();
  world.log_key = crypto::Ed25519SignKey::FromSeed(io::ReadFile(folder / "log.key").value()).value();
  auto& admin = world.NewPerson("us.dea/admin", true);
  admin.sign = crypto::SignKey::FromScalar(io::ReadFile(folder / "admin.key").value()).value();
}

// The child: not a test, run by the one below in a process of its own. Accepts one statement and tells what anybody would
// have been told, until it is ended.
TEST(PublishChild, DISABLED_AcceptsOneAndIsKilled) {
  const char* folder = std::getenv(kFolder);
  const char* step = std::getenv(kStep);
  if (folder == nullptr || step == nullptr) GTEST_SKIP();
  test::BrokerWorld world;
  LoadKeys(folder, world);
  Opened broker(world, folder, step);
  if (!broker.started || !broker.Shows(broker.journal->Size())) ::_exit(4);
  Tell("ready");
  broker.journal->armed = true;
  std::promise<Digest> done;
  auto statement = world.EnrolNew("us.dea/m" + std::to_string(broker.journal->Size()));
  if (!broker.sequencer->Submit(std::move(statement), [&](Result<Accepted> accepted) {
        if (!accepted) ::_exit(5);
        Tell("acknowledged " + accepted->head.statement.Hex());
        if (std::string(step) == "acknowledged") Die();
        done.set_value(accepted->head.statement);
      }))
    ::_exit(6);
  const Digest digest = done.get_future().get();
  const std::uint64_t index = broker.journal->Size() - 1;
  std::promise<void> covered;
  broker.sequencer->WaitCovered(index, std::chrono::system_clock::now() + std::chrono::minutes(2), [&](Status status) {
    if (!status) ::_exit(7);
    Tell("released " + digest.Hex());
    covered.set_value();
  });
  covered.get_future().get();
  if (!broker.Shows(index + 1)) ::_exit(8);
  Tell("shown " + std::to_string(index + 1));
  Die();
}

struct Child {
  pid_t pid = -1;
  int shown = -1;
  std::string buffer;

  Child(const fs::path& folder, const std::string& step) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], kShown);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    std::vector<std::string> environment = {std::string(kFolder) + "=" + folder.string(),
                                            std::string(kStep) + "=" + step};
    std::vector<char*> all;
    for (auto& one : environment) all.push_back(one.data());
    for (char** one = environ; *one != nullptr; ++one) all.push_back(*one);
    all.push_back(nullptr);
    std::string self = "/proc/self/exe", filter = "--gtest_filter=PublishChild.*",
                also = "--gtest_also_run_disabled_tests";
    char* arguments[] = {self.data(), filter.data(), also.data(), nullptr};
    const int failed = ::posix_spawn(&pid, self.c_str(), &actions, nullptr, arguments, all.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    shown = pipe[0];
    if (failed != 0) throw std::runtime_error("posix_spawn");
  }
  ~Child() {
    ::close(shown);
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
  // The next line; nullopt at the end.
  std::optional<std::string> Next() {
    for (;;) {
      if (const auto end = buffer.find('\n'); end != std::string::npos) {
        auto line = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        return line;
      }
      char block[256];
      const auto got = ::read(shown, block, sizeof block);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      buffer.append(block, static_cast<std::size_t>(got));
    }
  }
  void Reap() {
    int status = 0;
    ::waitpid(pid, &status, 0);
    pid = -1;
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
  }
};

// What must be there after a kill at a step: nothing of the statement, the entry, the cosigned note. What may be either
// way, as the process that was killed cannot tell, is not asserted.
struct Row {
  const char* step;
  bool entry;                // it is in the journal
  std::optional<bool> kept;  // the note of its size is in the store
  int cosigned;              // witnesses that recorded it, at least
};
constexpr Row kTable[] = {
    {"before-append", false, false, 0},       // decided in memory
    {"after-append", true, false, 0},         // durable; not signed, not marked
    {"asked", true, false, 0},                // signed and marked; a witness has the request, and has recorded nothing
    {"recorded", true, false, 1},             // the witness has recorded it, its answer is lost
    {"acknowledged", true, std::nullopt, 0},  // the author was answered
    {"before-keep", true, false, 2},          // a quorum cosigned
    {"after-keep", true, true, 2},            // and it is kept; nobody was shown it
    {"everything", true, true, 2},            // shown, released, answered
};

TEST(PublishCrash, AtEveryStepARestartMakesOneLogOfWhatIsThere) {
  test::TempFolder folder;
  WitnessedRig names;  // its world and its two witnesses
  auto& world = names.world;
  auto charter = world.Charter();
  SaveKeys(folder.path(), world);
  { Opened broker(world, folder.path(), "", charter); }
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.step);
    const std::string step = row.step;
    std::atomic<pid_t> victim = 0;
    std::atomic<bool> ready = false;
    // The parent's witnesses: one of them ends the broker when it is asked for more than it has.
    auto deadly = [&](WitnessDouble& witness) {
      return [&, who = &witness](const std::string& body) -> WitnessDouble::Answer {
        const auto asked = log::Checkpoint::ParseBody(WitnessDouble::TextOf(body)).value().size;
        const bool more = ready && asked > who->size();
        if (more && step == "asked") {
          ::kill(victim, SIGKILL);
          return {503, "nobody listens\n"};
        }
        auto answer = who->Honest(body);
        if (more && step == "recorded" && answer.status == 200) ::kill(victim, SIGKILL);
        return answer;
      };
    };
    names.mx.away = names.us.away = false;
    names.mx.lie = deadly(names.mx);
    names.us.lie = [&](const std::string& body) -> WitnessDouble::Answer {
      // So that it is surely the other one that is asked in these two.
      if (ready && (step == "asked" || step == "recorded")) return {503, "later\n"};
      return names.us.Honest(body);
    };
    std::vector<std::string> told;
    std::uint64_t before = 0;
    {
      Child child(folder.path(), step);
      victim = child.pid;
      auto first = child.Next();
      ASSERT_EQ(first.value_or(""), "ready");
      before = names.mx.size();
      ready = true;
      while (auto line = child.Next()) told.push_back(*line);
      child.Reap();
    }
    ready = false;
    const std::uint64_t witness_size = std::max(names.mx.size(), names.us.size());
    const int cosigned = (names.mx.size() > before ? 1 : 0) + (names.us.size() > before ? 1 : 0);
    EXPECT_GE(cosigned, row.cosigned);

    // What is on the disk.
    std::string kept;
    {
      auto store = RocksDbStore::Open({.folder = folder / "db"}).value();
      EXPECT_EQ(store->journal().Size(), before + (row.entry ? 1 : 0));
      kept = store->journal().KeptNote();
      ASSERT_FALSE(kept.empty());
      if (row.kept) {
        EXPECT_EQ(Opened::SizeIn(kept), before + (*row.kept ? 1 : 0));
      }
    }
    // What was told needs what was kept: an acknowledgement the entry, a release a quorum, what is shown the note.
    for (const auto& line : told) {
      if (line.starts_with("acknowledged")) {
        EXPECT_TRUE(row.entry);
      }
      if (line.starts_with("released")) {
        EXPECT_EQ(cosigned, 2);
      }
      if (line.starts_with("shown")) {
        EXPECT_EQ(Opened::SizeIn(kept), before + 1);
      }
    }

    // A restart: one log, that contains whatever anybody has seen of it, and it goes on.
    Opened again(world, folder.path(), "");
    ASSERT_TRUE(again.started) << again.started.error().Message();
    const auto shown = again.note->Show();
    ASSERT_TRUE(shown);
    EXPECT_GE(Opened::SizeIn(*shown), Opened::SizeIn(kept)) << "what strangers are shown goes not back";
    const auto now = again.sequencer->checkpoint()->checkpoint();
    EXPECT_EQ(now.size, before + (row.entry ? 1 : 0));
    EXPECT_GE(now.size, witness_size);
    for (const auto* witness : {&names.mx, &names.us}) {
      const auto seen = witness->last();
      EXPECT_TRUE(again.sequencer->CheckSeen(seen.size, seen.root)) << witness->name;
    }
    std::set<Digest> logged;
    for (std::uint64_t at = 0; at < now.size; ++at) {
      auto entry = again.sequencer->Entry(at);
      ASSERT_TRUE(entry) << at;
      EXPECT_TRUE(logged.insert(entry->head->statement).second) << "entry " << at << " is there twice";
    }
    for (const auto& line : told)
      if (line.starts_with("acknowledged")) {
        EXPECT_TRUE(logged.contains(Digest::FromHexText(line.substr(13)).value())) << line;
      }
    ASSERT_TRUE(again.Shows(now.size)) << "and the quorum covers all of it";
    const auto key = world.verifier();
    const auto witnessed = names.Policy().Verify(again.note->Show().value(), {&key, 1});
    ASSERT_TRUE(witnessed) << witnessed.error().Message();
    EXPECT_EQ(witnessed->checkpoint, now);
  }
}

// A backup that was put back: the mark beside it may be as old, the witnesses know better.
TEST(PublishCrash, AnOldCopyOfTheStoreIsRefusedAndNothingIsSigned) {
  test::TempFolder folder;
  WitnessedRig names;
  auto& world = names.world;
  auto charter = world.Charter();
  { Opened broker(world, folder.path(), "", charter); }
  const auto post = [&](Opened& broker, const std::string& member) {
    std::promise<void> done;
    ASSERT_TRUE(broker.sequencer->Submit(world.EnrolNew(member), [&](Result<Accepted> accepted) {
      EXPECT_TRUE(accepted);
      done.set_value();
    }));
    done.get_future().get();
  };
  {
    Opened broker(world, folder.path(), "");
    ASSERT_TRUE(broker.started);
    post(broker, "us.dea/one");
    ASSERT_TRUE(broker.Shows(2));
  }
  const auto copy = folder / "copy";
  fs::create_directories(copy);
  fs::copy(folder / "db", copy / "db", fs::copy_options::recursive);
  fs::copy(folder / "mark", copy / "mark");
  {
    Opened broker(world, folder.path(), "");
    ASSERT_TRUE(broker.started);
    post(broker, "us.dea/two");
    ASSERT_TRUE(broker.Shows(3));
  }
  const auto seen = names.mx.last();
  ASSERT_EQ(seen.size, 3u);
  const auto mark_before = io::ReadFile(copy / "mark").value();
  {
    Opened old(world, copy, "");
    ASSERT_FALSE(old.started);
    EXPECT_EQ(old.started.error().reason, Reason::kRolledBack);
  }
  EXPECT_EQ(io::ReadFile(copy / "mark").value(), mark_before) << "no checkpoint was signed";
  EXPECT_EQ(names.mx.last(), seen);
  EXPECT_EQ(names.us.last(), seen);
  Opened broker(world, folder.path(), "");
  EXPECT_TRUE(broker.started) << "the right one starts";
}

}  // namespace
}  // namespace valija::broker
