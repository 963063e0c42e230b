// Openings under standing orders, while the witnesses are late: nothing is used before they cover it, and nothing is lost.
#include "tests/client/witnessed.h"

namespace valija::client {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class WitnessedOrderTest : public WitnessedTest {
 protected:
  WitnessedOrderTest() {
    const auto until = std::chrono::time_point_cast<std::chrono::milliseconds>(Clock::now() + std::chrono::hours(24));
    SessionOf("mx.fgr/luis")->StandingOrder({"investigation", "", until}).value();
    lies.stream_end = [this]() -> Status {
      if (++streams_ == answer_after_) honest.witnesses_answer = true;
      return streams_ < 9 ? Status(Refuse(Reason::kShuttingDown)) : Status(Refuse(Reason::kUsage));
    };
  }
  // What comes until there are so many, from where the profile stands.
  std::vector<std::string> Follow(SessionCore& session, std::size_t count) {
    std::vector<std::string> all;
    streams_ = 0;
    ended_ = session.FollowReleased(
        session.NextReleased(), {},
        [&](const Released& one) {
          all.push_back(one.portions.at(0) ? one.portions[0]->content : one.portions[0].failure().code);
          return all.size() < count;
        },
        [&](const std::string& missing) { waited_.push_back(missing); });
    return all;
  }
  int streams_ = 0, answer_after_ = 1000;
  std::uint64_t cursor_ = 0;
  std::vector<std::string> waited_;
  Status ended_ = Ok();
};

TEST_F(WitnessedOrderTest, AReleaseThatTheQuorumDoesNotCoverIsNotUsed) {
  Silence();
  Sent(DraftOf("one"));
  lies.release_uncovered = true;  // it hands out what it should keep
  auto luis = Hurried("mx.fgr/luis");
  EXPECT_THAT(Follow(*luis, 1), SizeIs(0));
  EXPECT_EQ(honest.downloads, 0u);
  EXPECT_THAT(waited_, SizeIs(1));
}

TEST_F(WitnessedOrderTest, WhatTheQuorumCoversLaterIsTakenThenInTheSameRun) {
  Silence();
  Sent(DraftOf("one"));
  Sent(DraftOf("two"));
  answer_after_ = 2;
  auto luis = Hurried("mx.fgr/luis");
  EXPECT_THAT(Follow(*luis, 2), ElementsAre("one", "two"));
  EXPECT_TRUE(ended_);
  EXPECT_THAT(waited_, SizeIs(2));
  EXPECT_EQ(luis->NextReleased(), honest.entries.size());
}

TEST_F(WitnessedOrderTest, WhatComesOnAStreamBeforeItIsCoveredIsTakenLater) {
  auto luis = Hurried("mx.fgr/luis");
  luis->Inbox().value();
  Silence();
  lies.mailbox = [this](EntriesAnswer& page) {  // nothing of it but by the stream, until it is covered
    if (!honest.witnesses_answer) page.entries.clear(), page.next_cursor = cursor_;
  };
  cursor_ = honest.entries.size();
  Sent(DraftOf("one"));
  answer_after_ = 2;
  EXPECT_THAT(Follow(*luis, 1), ElementsAre("one"));
}

TEST_F(WitnessedOrderTest, WhatWaitsInVainIsTriedAgainTheNextTime) {
  Sent(DraftOf("zero"));
  auto luis = Hurried("mx.fgr/luis");
  EXPECT_THAT(Follow(*luis, 1), ElementsAre("zero"));
  const auto place = luis->NextReleased();
  Silence();
  Sent(DraftOf("one"));
  EXPECT_THAT(Follow(*luis, 1), SizeIs(0));
  EXPECT_EQ(luis->NextReleased(), place);
  honest.witnesses_answer = true;
  EXPECT_THAT(Follow(*luis, 1), ElementsAre("one"));
}

TEST_F(WitnessedOrderTest, WhatGoesWithoutComesFirstAndWhatWaitsIsNotPassedOver) {
  LetOpeningsGoWithout();
  Sent(DraftOf("zero"));
  auto luis = Hurried("mx.fgr/luis");
  EXPECT_THAT(Follow(*luis, 1), ElementsAre("zero"));
  const auto place = luis->NextReleased();
  Silence();
  Sent(DraftOf("one"));
  honest.degraded = true;
  Sent(DraftOf("two"));
  EXPECT_THAT(Follow(*luis, 1), ElementsAre("two"));
  EXPECT_LE(luis->NextReleased(), place + 2);
  honest.witnesses_answer = true;
  EXPECT_THAT(Follow(*luis, 2), ElementsAre("one", "two"));  // one may come twice, none never
}

TEST_F(WitnessedOrderTest, AnOpeningThatGoesWithoutWhereTheCharterForbidsItIsNotUsed) {
  Silence();
  lies.decision = [](ledger::Decision& decision) { decision.unwitnessed = decision.verdicts[0].record != Digest(); };
  Sent(DraftOf("one"));
  auto luis = Hurried("mx.fgr/luis");
  EXPECT_THAT(Follow(*luis, 1), SizeIs(0));
  EXPECT_FALSE(ended_);
  EXPECT_EQ(honest.downloads, 0u);
}

// It was started again, and has not the cosignatures that were seen before.
TEST_F(WitnessedOrderTest, ABrokerThatForgotTheCosignaturesIsAskedAgain) {
  Sent(DraftOf("one"));
  auto luis = Hurried("mx.fgr/luis");
  luis->Inbox().value();
  honest.witnesses_answer = false;
  honest.cosigned.reset();
  answer_after_ = 2;
  EXPECT_THAT(Follow(*luis, 1), ElementsAre("one"));
}

}  // namespace
}  // namespace valija::client
