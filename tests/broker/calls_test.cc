// How many calls a member has at once, and what of its requests and answers is kept.
#include "broker/calls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace valija::broker {
namespace {

MemberId Member(const char* text) { return MemberId::Parse(text).value(); }
const MemberId kOmar = Member("mx.fgr/omar"), kKaren = Member("us.dea/karen"), kRivera = Member("us.dea/jrivera");

class CallsTest : public testing::Test {
 protected:
  static constexpr std::size_t kLimit = 1000;
  using Call = std::unique_ptr<Calls::Call>;

  std::vector<std::size_t> cancelled_;  // in their order: what Context was given
  std::vector<std::string> ended_;
  Calls calls_{Calls::Limits{4, 4, kLimit},
               [this](const std::string& peer) {
                 ended_.push_back(peer);
                 return peer != "gone";
               },
               [this](auto* context) { cancelled_.push_back(reinterpret_cast<std::size_t>(context)); }};

  // Never looked into: the calls are told apart by it.
  static grpc::ServerContextBase* Context(std::size_t number) {
    return reinterpret_cast<grpc::ServerContextBase*>(number);
  }
  Result<Call> Ask(const MemberId& member, std::size_t number, std::size_t request = 0) {
    return calls_.Begin(member, CallKind::kUnary, Context(number), std::to_string(number), request);
  }
  Call Stream(const MemberId& member, std::size_t number, const std::string& peer = "") {
    return calls_.Begin(member, CallKind::kStream, Context(number), peer.empty() ? std::to_string(number) : peer)
        .value();
  }
};

TEST_F(CallsTest, AMemberHasSoManyCallsAtOnceAndSoManyStreams) {
  std::vector<Call> calls;
  for (std::size_t i = 1; i <= 4; ++i) calls.push_back(Ask(kOmar, i).value());
  for (std::size_t i = 5; i <= 8; ++i) calls.push_back(Stream(kOmar, i));
  const auto fifth = Ask(kOmar, 9);
  ASSERT_FALSE(fifth);
  EXPECT_EQ(fifth.error().reason, Reason::kTooMany);
  EXPECT_FALSE(calls_.Begin(kOmar, CallKind::kStream, Context(9), "9"));
  EXPECT_TRUE(Ask(kKaren, 9)) << "others are others";
  calls[0]->Answered(0);
  EXPECT_TRUE(Ask(kOmar, 9)) << "what is answered does not count";
  calls.clear();
  EXPECT_TRUE(Ask(kOmar, 9));
  EXPECT_TRUE(ended_.empty());
}

TEST_F(CallsTest, AnAnswerIsKeptUntilItIsTaken) {
  auto asked = Ask(kOmar, 1, 100).value();
  EXPECT_EQ(calls_.kept(), 100u);
  asked->Answered(400);
  EXPECT_EQ(calls_.kept(), 400u) << "in place of its request";
  auto stream = Stream(kOmar, 2);
  stream->Sends(100);
  EXPECT_EQ(calls_.kept(), 500u);
  stream->Sends(0);
  EXPECT_EQ(calls_.kept(), 400u);
  stream->Sends(140);
  stream.reset(), asked.reset();
  EXPECT_EQ(calls_.kept(), 0u);
}

TEST_F(CallsTest, AboveTheLimitTheOldestConnectionOfWhoeverHasMostEnds) {
  auto small = Stream(kKaren, 1);
  small->Sends(100);  // the oldest of all
  std::vector<Call> large;
  for (std::size_t i = 2; i <= 5; ++i) large.push_back(Stream(kOmar, i));
  large[1]->Sends(400), large[0]->Sends(400);
  EXPECT_EQ(calls_.kept(), 900u);
  EXPECT_TRUE(ended_.empty());
  large[2]->Sends(200);
  EXPECT_EQ(ended_, (std::vector<std::string>{"3"})) << "it was sent before 2";
  EXPECT_EQ(calls_.kept(), 700u);
  large[1]->Sends(1000);
  EXPECT_EQ(calls_.kept(), 700u) << "what has ended keeps nothing";
  auto other = Stream(kRivera, 6);
  other->Sends(400);
  EXPECT_EQ(ended_, (std::vector<std::string>{"3", "2"})) << "of who has most, not of who comes";
  EXPECT_LE(calls_.kept(), kLimit);
}

TEST_F(CallsTest, WithoutAConnectionToEndItsCallsAreCancelled) {
  auto one = Stream(kOmar, 1, "gone"), two = Stream(kOmar, 2, "gone");
  one->Sends(600), two->Sends(600);
  std::sort(cancelled_.begin(), cancelled_.end());
  EXPECT_EQ(cancelled_, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(calls_.kept(), 0u);
}

TEST_F(CallsTest, OneAnswerAboveTheLimitEndsItself) {
  auto stream = Stream(kOmar, 1);
  stream->Sends(kLimit + 1);
  EXPECT_EQ(ended_, (std::vector<std::string>{"1"}));
  EXPECT_EQ(calls_.kept(), 0u);
}

TEST_F(CallsTest, ARequestOfWhoHasMostIsRefusedAndAnothersIsNot) {
  auto working = Ask(kOmar, 1, 900).value();
  const auto more = Ask(kOmar, 2, 101);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().reason, Reason::kTooMany);
  EXPECT_EQ(more.error().detail, "bytes at once");
  EXPECT_TRUE(Ask(kOmar, 2, 100)) << "as much as there is room for";
  EXPECT_TRUE(Ask(kKaren, 2, 200)) << "what is worked on ends by itself";
  EXPECT_TRUE(ended_.empty());
  working.reset();
  EXPECT_TRUE(Ask(kOmar, 2, 101));
  EXPECT_FALSE(Ask(kRivera, 3, kLimit + 1));
}

TEST_F(CallsTest, WithAConnectionAllItsCallsEnd) {
  auto one = Stream(kOmar, 1, "a"), two = Stream(kOmar, 2, "a"), other = Stream(kOmar, 3, "b");
  one->Sends(400), two->Sends(400), other->Sends(400);
  EXPECT_EQ(ended_, (std::vector<std::string>{"a"}));
  EXPECT_EQ(calls_.kept(), 400u);
  EXPECT_TRUE(cancelled_.empty()) << "they end with it";
}

TEST_F(CallsTest, ARemovedMembersCallsEndAndWhatIsAnsweredIsLeftAlone) {
  auto running = Ask(kOmar, 1).value(), answered = Ask(kOmar, 2).value(), others = Ask(kKaren, 3).value();
  auto stream = Stream(kOmar, 4);
  answered->Answered(20);
  calls_.CancelAllOf(kOmar, true);
  EXPECT_EQ(cancelled_, (std::vector<std::size_t>{4})) << "it is still a member";
  cancelled_.clear();
  calls_.CancelAllOf(kOmar, false);
  std::sort(cancelled_.begin(), cancelled_.end());
  EXPECT_EQ(cancelled_, (std::vector<std::size_t>{1, 4}));
  cancelled_.clear();
  calls_.CancelStreams();
  EXPECT_EQ(cancelled_, (std::vector<std::size_t>{4}));
}

}  // namespace
}  // namespace valija::broker
