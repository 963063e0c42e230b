#include "core/base/reason.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "core/base/result.h"

namespace valija {
namespace {

std::vector<Reason> AllReasons() {
  return {
#define X(name, code, klass, sentence) Reason::name,
      VALIJA_REASONS(X)
#undef X
  };
}

TEST(Reason, HasACodeOfItsOwnThatLeadsBackToIt) {
  std::set<std::string_view> codes;
  for (Reason reason : AllReasons()) {
    std::string_view code = CodeOf(reason);
    EXPECT_TRUE(codes.insert(code).second) << code << " stands twice";
    EXPECT_EQ(ReasonFromCode(code), reason);
    EXPECT_FALSE(code.empty());
    for (char c : code) EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') << code;
  }
}

TEST(Reason, HasASentenceThatPeopleCanRead) {
  for (Reason reason : AllReasons()) {
    std::string_view sentence = SentenceOf(reason);
    ASSERT_GT(sentence.size(), 8u) << CodeOf(reason);
    EXPECT_TRUE(sentence[0] >= 'A' && sentence[0] <= 'Z') << sentence;
    EXPECT_EQ(sentence.back(), '.') << sentence;
  }
}

TEST(Reason, AForeignCodeIsNone) {
  EXPECT_FALSE(ReasonFromCode(""));
  EXPECT_FALSE(ReasonFromCode("no-such-code"));
  EXPECT_FALSE(ReasonFromCode("Expired"));
}

TEST(Reason, GivesTheExitStatusOfItsClass) {
  EXPECT_EQ(ExitStatus(Reason::kUsage), 2);
  EXPECT_EQ(ExitStatus(Reason::kMalformed), 2);
  EXPECT_EQ(ExitStatus(Reason::kNotEnrolled), 3);
  EXPECT_EQ(ExitStatus(Reason::kExpired), 3);
  EXPECT_EQ(ExitStatus(Reason::kNotFound), 3);
  EXPECT_EQ(ExitStatus(Reason::kReplayed), 4);
  EXPECT_EQ(ExitStatus(Reason::kSupersededEpoch), 4);
  EXPECT_EQ(ExitStatus(Reason::kPoolFull), 4);
  EXPECT_EQ(ExitStatus(Reason::kUnavailable), 4);
  EXPECT_EQ(ExitStatus(Reason::kDeadline), 4);
  EXPECT_EQ(ExitStatus(Reason::kInternal), 1);
  // Nothing refused ever looks like success, and everything tampered with is the alarm.
  for (Reason reason : AllReasons()) {
    EXPECT_NE(ExitStatus(reason), 0) << CodeOf(reason);
    EXPECT_EQ(ExitStatus(reason) == 5, ClassOf(reason) == Class::kTampered) << CodeOf(reason);
  }
}

TEST(Error, SaysItsSentenceAndItsDetail) {
  EXPECT_EQ(Refuse(Reason::kRevoked).Message(), SentenceOf(Reason::kRevoked));
  EXPECT_EQ(Refuse(Reason::kRevoked, "by x").Message(), std::string(SentenceOf(Reason::kRevoked)) + " (by x)");
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Refuse(Reason::kMalformed, "odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  TRY(int half, Half(n));
  TRY(int quarter, Half(half));
  return quarter;
}

Status IsEven(int n) {
  TRY_OK(Half(n));
  return Ok();
}

TEST(Result, HoldsAValueOrARefusal) {
  auto good = Half(4);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 2);
  EXPECT_EQ(good.value(), 2);
  auto bad = Half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().reason, Reason::kMalformed);
  EXPECT_EQ(bad.error().detail, "odd");
  EXPECT_THROW(bad.value(), std::logic_error);
}

TEST(Result, TryGoesOnOrReturnsTheRefusal) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_FALSE(Quarter(6));
  EXPECT_FALSE(Quarter(5));
  EXPECT_TRUE(IsEven(2));
  EXPECT_EQ(IsEven(1).error().detail, "odd");
  EXPECT_THROW(IsEven(1).value(), std::logic_error);
  EXPECT_NO_THROW(IsEven(2).value());
}

TEST(Result, TakesWhatCanOnlyBeMoved) {
  auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  auto use = [&]() -> Result<int> {
    TRY(auto owned, make());
    return *owned;
  };
  EXPECT_EQ(*use(), 7);
}

}  // namespace
}  // namespace valija
