// The watch as it runs: pass after pass, over a restart, and as a process.
#include "audit/watch_run.h"
#include "audit/last_run.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "core/base/text.h"
#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using audit::Watched;
using audit::WatchPorts;
using audit::WatchRules;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WatchRunTest : public ::testing::Test {
 protected:
  WatchRunTest() { rules.quiet = std::chrono::hours(1000); }
  audit::Options Options() {
    audit::Options out;
    out.folder = folder / "log";
    out.charter = log.charter;
    out.state = folder / "state";
    return out;
  }
  void Export() { log.Export(folder / "log"); }
  // A run from the state file on, of one pass; what it says, one code each.
  Result<Watched> Run() {
    said.clear();
    return audit::RunWatch(Options(), rules, true, true, Ports([] { return false; }));
  }
  WatchPorts Ports(std::function<bool()> wait) {
    return {[this](const std::string& lines) { Hear(lines); }, [this] { return now.value_or(log.world.now); },
            std::move(wait)};
  }
  void Hear(const std::string& lines) {
    for (std::size_t at = 0, end; at < lines.size(); at = end + 1) {
      end = lines.find('\n', at);
      const auto line = lines.substr(at, end - at);
      auto field = [&](const std::string& name) -> std::string {
        const auto from = line.find("\"" + name + "\":");
        if (from == line.npos) return {};
        const auto value = from + name.size() + 3;
        auto text = line.substr(value, line.find_first_of(",}", value) - value);
        std::erase(text, '"');
        return text;
      };
      said.push_back(field("entry") + ":" + field("alarm") + field("finding"));
    }
  }
  std::string Last(const char* code) const { return std::to_string(log.Last()) + ":" + code; }

  TempFolder folder;
  ActingLog log;
  Digest record = log.Share("mx.fgr/admin");
  WatchRules rules;
  std::optional<Time> now;
  std::vector<std::string> said;
};

TEST_F(WatchRunTest, ARestartTellsNothingTwiceAndForgetsNothing) {
  const auto guarded = log.ShareGuarded("mx.fgr/admin");
  log.At("2026-11-25T10:00:00Z");
  const auto opened = log.Open("us.dea/ana", guarded, {0}, "investigation", "a life");
  const auto at = std::to_string(log.Last());
  log.Order("us.dea/luz", std::chrono::hours(48));
  const auto order = Last("standing-order");
  Export();
  EXPECT_EQ(Run().value(), Watched::kAlarms);
  EXPECT_THAT(said, ElementsAre(at + ":emergency", order));
  EXPECT_EQ(Run().value(), Watched::kNothing);
  EXPECT_THAT(said, IsEmpty());
  now = *ParseTime("2026-11-26T10:00:00Z");
  EXPECT_EQ(Run().value(), Watched::kAlarms);
  EXPECT_THAT(said, ElementsAre(at + ":review-overdue")) << "it was open, and the clock went on";
  EXPECT_EQ(Run().value(), Watched::kNothing);
  log.At("2026-11-26T11:00:00Z");
  log.Review("mx.fgr/audit", opened);
  log.Open("us.dea/ana", guarded, {0}, "investigation", "another");
  Export();
  EXPECT_EQ(Run().value(), Watched::kAlarms);
  EXPECT_THAT(said, ElementsAre(Last("emergency"))) << "that it was late was told";
  EXPECT_EQ(Run().value(), Watched::kNothing);
}

TEST_F(WatchRunTest, WindowsGoOnOverARestart) {
  rules.bulk = 3;
  log.Open("us.dea/ana", record);
  log.Open("us.dea/ana", record);
  Export();
  EXPECT_EQ(Run().value(), Watched::kNothing);
  log.Open("us.dea/ana", record);
  Export();
  EXPECT_EQ(Run().value(), Watched::kAlarms);
  EXPECT_THAT(said, ElementsAre(Last("bulk-openings")));
  log.Open("us.dea/ana", record);
  Export();
  EXPECT_EQ(Run().value(), Watched::kNothing) << "they were not fewer";
}

TEST_F(WatchRunTest, AQuietLogIsToldOnceOverRestarts) {
  rules.quiet = std::chrono::hours(1);
  Export();
  now = log.world.now + std::chrono::minutes(61);
  EXPECT_EQ(Run().value(), Watched::kAlarms);
  EXPECT_THAT(said, ElementsAre(":quiet"));
  EXPECT_EQ(Run().value(), Watched::kNothing);
  log.LookUp("mx.fgr/audit");
  Export();
  EXPECT_EQ(Run().value(), Watched::kNothing);
}

TEST_F(WatchRunTest, ALogThatWentBackOrIsAnotherOneSinceTheLastRunIsFound) {
  log.Open("us.dea/ana", record);
  Export();
  ASSERT_EQ(Run().value(), Watched::kNothing);
  const auto state = io::ReadText(folder / "state").value();
  const auto kept = log.entries;
  log.entries.pop_back();
  Export();
  EXPECT_EQ(Run().value(), Watched::kFound);
  EXPECT_THAT(said, ElementsAre(":rolled-back"));
  EXPECT_EQ(io::ReadText(folder / "state").value(), state) << "what was seen stays what is known";
  log.entries = kept;
  auto& last = log.entries.back();
  last.salt = log.world.random.Make<Salt>();
  last.commitment = ledger::CommitEntry(*last.salt, *last.head);
  Export();
  EXPECT_EQ(Run().value(), Watched::kFound);
  EXPECT_THAT(said, ElementsAre(":fork"));
}

TEST_F(WatchRunTest, WhatIsNoStateIsRefused) {
  Export();
  for (const char* bad : {"", "[]", R"({"charter": "zz", "checkpoint": "x"})"}) {
    std::ofstream(folder / "state") << bad;
    EXPECT_EQ(Run().error().reason, Reason::kMalformed) << bad;
  }
  for (const char* bad : {"7", "{}", R"({"told": -1})", R"({"told": 1, "overdue": ["zz"]})",
                          R"({"told": 1, "overdue": {}})", R"({"told": 1, "quiet": "x"})"}) {
    ASSERT_TRUE(audit::WriteLastRun(folder / "state", {log.charter, "x", bad}));
    EXPECT_EQ(Run().error().reason, Reason::kMalformed) << bad;
  }
}

// The state says what was told, so it is written when it was: whoever is ended in between is told again.
TEST_F(WatchRunTest, WhatWasNotHeardIsToldAgain) {
  log.Order("us.dea/luz");
  Export();
  auto ports = Ports([] { return false; });
  ports.print = [](const std::string&) { throw std::runtime_error("killed"); };
  EXPECT_THROW((void)audit::RunWatch(Options(), rules, true, true, ports), std::runtime_error);
  EXPECT_EQ(Run().value(), Watched::kAlarms);
  EXPECT_THAT(said, ElementsAre(Last("standing-order")));
}

// Somebody exports while it is read: the next pass goes on, and `once` waits for a pass that was whole.
TEST_F(WatchRunTest, AnExportThatChangesWhileItIsReadIsReadAgain) {
  for (int i = 0; i < 300; ++i) log.Open("us.dea/luz", record);
  Export();
  const auto before = log.entries;
  log.Order("us.dea/luz");
  TempFolder later;
  log.Export(later.path());
  int waits = 0;
  auto ports = Ports([&] {
    if (++waits == 1)
      std::filesystem::copy(
          later / "", folder / "log",
          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    return waits < 5;
  });
  // As an exporter has it that wrote the new checkpoint and removed the old partial files, and has not come to the rest.
  std::filesystem::copy_file(later / "checkpoint", folder / "log/new-checkpoint");
  auto options = Options();
  options.progress = [&](std::uint64_t done, std::uint64_t) {
    if (done != 256 || waits > 0) return;
    std::filesystem::remove_all(folder / "log/entries/001.p");
    std::filesystem::rename(folder / "log/new-checkpoint", folder / "log/checkpoint");
  };
  const auto watched = audit::RunWatch(options, rules, true, true, ports);
  ASSERT_TRUE(watched) << watched.error().Message();
  EXPECT_EQ(*watched, Watched::kAlarms);
  EXPECT_EQ(waits, 1);
  EXPECT_THAT(said, ::testing::Contains(Last("standing-order")));
}

// ---- the program ----

class Process {
 public:
  Process(const std::filesystem::path& out, std::vector<std::string> words) : out_(out) {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (::posix_spawn(&pid_, argv[0], &files, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&files);
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  int Wait() {
    if (pid_ > 0) ::waitpid(std::exchange(pid_, -1), &status_, 0);
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128;
  }
  std::string Out() const {
    const auto text = io::ReadText(out_, 1 << 20);
    return text ? *text : std::string();
  }
  // Until it has said this. (Not for ever: whoever does not say it has ended, or the test is killed as too slow.)
  bool Says(const std::string& text) {
    while (Out().find(text) == std::string::npos) {
      if (::waitpid(pid_, &status_, WNOHANG) != 0) return pid_ = -1, Out().find(text) != std::string::npos;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

 private:
  std::filesystem::path out_;
  pid_t pid_ = -1;
  int status_ = -1;
};

class WatchProcessTest : public WatchRunTest {
 protected:
  Process Spawn(std::vector<std::string> more) {
    std::vector<std::string> words = {std::string(VALIJA_BINARY_DIR) + "/audit/valija-audit",
                                      "watch",
                                      (folder / "log").string(),
                                      "--charter-digest",
                                      log.charter.Hex(),
                                      "--state",
                                      (folder / "state").string(),
                                      "--review-hours",
                                      "8784",
                                      "--quiet",
                                      "527040",
                                      "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return Process(folder / "out", words);
  }
};

TEST_F(WatchProcessTest, ItsExitStatusSaysWhatWasFound) {
  log.world.now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  log.Share("mx.fgr/admin");
  Export();
  EXPECT_EQ(Spawn({"--once"}).Wait(), 0);
  log.Open("us.dea/ana", log.ShareGuarded("mx.fgr/admin"), {0}, "investigation", "a life");
  Export();
  auto alarmed = Spawn({"--once"});
  EXPECT_EQ(alarmed.Wait(), 1);
  EXPECT_THAT(alarmed.Out(), HasSubstr("{\"alarm\":\"emergency\""));
  EXPECT_EQ(Spawn({"--once"}).Wait(), 0) << "it was told";
  log.entries.pop_back();
  Export();
  auto found = Spawn({"--once"});
  EXPECT_EQ(found.Wait(), 1);
  EXPECT_THAT(found.Out(), HasSubstr("{\"finding\":\"rolled-back\""));
  std::filesystem::remove_all(folder / "log");
  EXPECT_EQ(Spawn({"--once"}).Wait(), 2);
}

TEST_F(WatchProcessTest, ItGoesOnAsTheExportGrowsAndEndsWithAFinding) {
  log.Order("us.dea/ana");
  Export();
  auto watch = Spawn({"--poll", "1"});
  ASSERT_TRUE(watch.Says("\"standing-order\"")) << watch.Out();
  log.Open("us.dea/ana", log.ShareGuarded("mx.fgr/admin"), {0}, "investigation", "a life");
  // As whoever exports has to: in one step for those who read.
  TempFolder next;
  log.Export(next.path());
  for (const auto& file : std::filesystem::recursive_directory_iterator(next.path())) {
    const auto path = std::filesystem::relative(file.path(), next.path());
    if (!file.is_regular_file() || path == "checkpoint") continue;
    std::filesystem::create_directories((folder / "log" / path).parent_path());
    std::filesystem::copy_file(file.path(), folder / "log" / path, std::filesystem::copy_options::overwrite_existing);
  }
  ASSERT_TRUE(io::WriteFileAtomic(folder / "log/checkpoint", io::ReadFile(next / "checkpoint").value()));
  ASSERT_TRUE(watch.Says("\"emergency\"")) << watch.Out();
  auto forged = io::ReadText(folder / "log/checkpoint").value();
  forged.replace(forged.find('\n') + 1, 1, "9");  // another size, under the old signature
  ASSERT_TRUE(io::WriteFileAtomic(folder / "log/checkpoint", AsBytes(forged)));
  ASSERT_TRUE(watch.Says("\"finding\"")) << watch.Out();
  EXPECT_EQ(watch.Wait(), 1);
}

}  // namespace
}  // namespace valija::test
