// The valija command where only a world made for it shows what it says: two records whose ids begin alike.
#include <gmock/gmock.h>
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
  // As us.dea/jrivera, in a copy of its profile: these tests have it open themselves.
  Ran Run(const std::string& words) {
    const auto profile = folder_ / "profile";
    if (!std::filesystem::exists(profile))
      std::filesystem::copy(world_.root() / "profiles/us.dea/jrivera", profile,
                            std::filesystem::copy_options::recursive);
    const auto command = std::string(VALIJA_BINARY_DIR) + "/client/valija --profile " + profile.string() +
                         " --passphrase-file " + world_.Passphrase() + " " + words + " </dev/null 2>&1";
    Ran ran;
    FILE* pipe = ::popen(command.c_str(), "r");
    char block[4096];
    for (std::size_t got = 0; pipe != nullptr && (got = std::fread(block, 1, sizeof block, pipe)) > 0;)
      ran.output.append(block, got);
    if (pipe != nullptr) ran.status = WEXITSTATUS(::pclose(pipe));
    return ran;
  }

 private:
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
