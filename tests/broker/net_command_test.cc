// The valija command where only a world made for it shows what it says: two records whose ids begin alike, a terminal.
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/wait.h>

#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

using testing::HasSubstr;

class NetCommand : public NetTest {
 protected:
  struct Ran {
    int status = -1;
    std::string output;
  };
  // In a copy of the member's profile: these tests have it open themselves.
  std::string Command(const std::string& words, const std::string& member) {
    const auto profile = folder_ / member.substr(member.find('/') + 1);
    if (!std::filesystem::exists(profile))
      std::filesystem::copy(world_.root() / "profiles" / member, profile, std::filesystem::copy_options::recursive);
    return std::string(VALIJA_BINARY_DIR) + "/client/valija --profile " + profile.string() + " --passphrase-file " +
           world_.Passphrase() + " " + words;
  }
  Ran Run(const std::string& words, const std::string& member = "us.dea/jrivera") {
    Ran ran;
    FILE* pipe = ::popen((Command(words, member) + " </dev/null 2>&1").c_str(), "r");
    char block[4096];
    for (std::size_t got = 0; pipe != nullptr && (got = std::fread(block, 1, sizeof block, pipe)) > 0;)
      ran.output.append(block, got);
    if (pipe != nullptr) ran.status = WEXITSTATUS(::pclose(pipe));
    return ran;
  }
  // At a terminal, where somebody types this answer.
  Ran RunAtTerminal(const std::string& words, const std::string& answer, const std::string& member) {
    const auto command = Command(words, member);
    int master = -1;
    const pid_t child = ::forkpty(&master, nullptr, nullptr, nullptr);
    if (child == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    Ran ran;
    if (child < 0 || ::write(master, answer.data(), answer.size()) < 0) return ran;
    char block[4096];
    for (ssize_t got = 0; (got = ::read(master, block, sizeof block)) > 0;)
      ran.output.append(block, static_cast<std::size_t>(got));
    int status = 0;
    if (::waitpid(child, &status, 0) == child) ran.status = WEXITSTATUS(status);
    ::close(master);
    return ran;
  }

  TempFolder folder_;
};

// Four digits are the fewest that are taken: some 300 records are sealed until two begin alike, and these two are sent.
TEST_F(NetCommand, OpensByAPrefixOnlyIfItNamesOneRecord) {
  std::map<std::string, client::Submission> sealed;
  std::optional<std::pair<client::Submission, client::Submission>> alike;
  while (!alike && sealed.size() < 5000)
    for (auto& one : Seal(100)) {
      const auto head = DigestOf(one).Hex().substr(0, 4);
      if (auto at = sealed.find(head); at != sealed.end())
        alike = std::pair(at->second, one);
      else
        sealed.emplace(head, std::move(one));
    }
  ASSERT_TRUE(alike);
  ASSERT_EQ(Post("mx.fgr/omar", alike->first), "");
  ASSERT_EQ(Post("mx.fgr/omar", alike->second), "");
  const auto first = DigestOf(alike->first).Hex(), second = DigestOf(alike->second).Hex();

  const auto both = Run("open " + first.substr(0, 4) + " --purpose analysis");
  EXPECT_EQ(both.status, 3);
  EXPECT_THAT(both.output, HasSubstr("[ambiguous]"));
  EXPECT_THAT(both.output, HasSubstr("give more digits"));
  const auto custody = Run("custody " + first.substr(0, 4));
  EXPECT_EQ(custody.status, 3);
  EXPECT_THAT(custody.output, HasSubstr("[ambiguous]"));

  std::size_t digits = 5;
  while (first.compare(0, digits, second, 0, digits) == 0) ++digits;
  const auto opened = Run("--json open " + first.substr(0, digits) + " --purpose analysis");
  EXPECT_EQ(opened.status, 0) << opened.output;
  EXPECT_THAT(opened.output, HasSubstr(first));
}

TEST_F(NetCommand, ShowsWhoCouldOpenItBeforeItAsksWhetherToSend) {
  std::ofstream(folder_ / "content.txt") << "content";
  std::ofstream(folder_ / "for.policy") << kForDea;
  const std::string words =
      "send " + (folder_ / "content.txt").string() + " --policy " + (folder_ / "for.policy").string();
  for (const std::string& form : {std::string("--json "), std::string()}) {
    const auto ran = RunAtTerminal(form + words, "no\n", "mx.fgr/omar");
    EXPECT_EQ(ran.status, 1) << ran.output;
    const auto shown = ran.output.find("it can be opened by"), asked = ran.output.find("send it?");
    EXPECT_LT(shown, asked) << ran.output;
    EXPECT_NE(asked, std::string::npos) << ran.output;
  }
}

TEST_F(NetCommand, AsksBeforeItEnrolsAgainWithLess) {
  const auto card = (world_.root() / "profiles/us.dea/jrivera/member.card").string();
  const auto ran = Run("enrol " + card + " --clearance secret", "us.dea/karen");
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("roles: analyst -> none"));
  EXPECT_THAT(ran.output, HasSubstr("programmes: fast-boat -> none"));
  EXPECT_THAT(ran.output, testing::Not(HasSubstr("clearance")));
  EXPECT_THAT(ran.output, HasSubstr("programs say --yes"));
  EXPECT_THAT(Run("directory", "us.dea/karen").output, HasSubstr("fast-boat"));
  EXPECT_EQ(
      Run("enrol " + card + " --clearance secret --role analyst --programme fast-boat --person rivera", "us.dea/karen")
          .status,
      0);
}

// Whatever is in the mailbox: fewer than four digits are no name, with a portion and without.
TEST_F(NetCommand, SaysThatAPrefixIsTooShort) {
  const auto record = Send().Hex();
  for (const std::string& words : {record.substr(0, 3), record.substr(0, 1), record.substr(0, 3) + " --portion 0"}) {
    const auto ran = Run("open " + words + " --purpose analysis");
    EXPECT_EQ(ran.status, 2) << words;
    EXPECT_THAT(ran.output, HasSubstr("at least 4 of its 64 hex digits")) << words;
    EXPECT_THAT(ran.output, HasSubstr("[usage]")) << words;
  }
}

}  // namespace
}  // namespace valija::test
