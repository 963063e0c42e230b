// What `receipt` and `bundle` say of files that are none, and of those that cannot be read.
#include "audit/judge.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/broker/support/temp_folder.h"

namespace valija::test {
namespace {

class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() { std::ofstream(policy) << "quorum none\n"; }
  std::vector<Result<audit::Judged>> Judge(const std::filesystem::path& at) {
    return {audit::JudgeReceipt(at, policy, {}, false), audit::JudgeBundle(at, policy, {}, {}, false)};
  }
  TempFolder folder;
  const std::filesystem::path policy = folder / "policy", file = folder / "file";
};

TEST_F(JudgeTest, WhatIsLargerThanAnyOfItsKindIsNotProved) {
  std::ofstream(file) << "x";
  std::filesystem::resize_file(file, proto::kMaxBundle + 5000);  // no room is taken
  for (const auto& judged : Judge(file)) {
    ASSERT_TRUE(judged) << judged.error().Message();
    EXPECT_FALSE(judged->proved);
    EXPECT_NE(judged->said.find("too-large"), std::string::npos) << judged->said;
  }
}

TEST_F(JudgeTest, WhatCannotBeReadIsNotJudged) {
  for (const auto& judged : Judge(folder / "nothing")) {
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().reason, Reason::kFile);
  }
  std::ofstream(file) << "x";
  for (const auto& judged : Judge(file)) EXPECT_FALSE(judged->proved);
  std::filesystem::remove(policy);
  for (const auto& judged : Judge(file)) EXPECT_FALSE(judged);
}

}  // namespace
}  // namespace valija::test
