// The charter is amended: other log keys, agencies that come and go.
#include <gtest/gtest.h>

#include "broker/log_keys.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;

class RotationTest : public testing::Test {
 protected:
  BrokerRig rig_;
  std::vector<crypto::Ed25519SignKey> keys_;  // the first one is the world's

  void SetUp() override {
    keys_.push_back(crypto::Ed25519SignKey::FromSeed(rig_.world.log_key.Seed().view()).value());
    keys_.push_back(crypto::Ed25519SignKey::Generate(rig_.world.random));
    rig_.log_keys = LogKeys(keys_);
    rig_.Found();
  }
  log::NoteVerifier Verifier(std::size_t i) {
    return log::NoteVerifier::Make(test::BrokerWorld::kOrigin, keys_.at(i).verify_key()).value();
  }
  bool Signed(std::size_t i) {
    return log::SignedCheckpoint::Verify(rig_.sequencer->checkpoint()->note(), test::BrokerWorld::kOrigin, Verifier(i))
        .has_value();
  }
  Result<Accepted> TakeKey(std::size_t i) {
    return rig_.Post(rig_.world.Amend([&](ledger::Charter& charter) { charter.log_key = Verifier(i).Text(); }));
  }
};

TEST_F(RotationTest, AfterTheAmendmentCheckpointsBearBothSignatures) {
  EXPECT_TRUE(Signed(0));
  EXPECT_FALSE(Signed(1));
  auto accepted = TakeKey(1);
  ASSERT_TRUE(accepted) << accepted.error().Message();
  EXPECT_TRUE(Signed(0));
  EXPECT_TRUE(Signed(1));
  ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/ana")));
  EXPECT_TRUE(Signed(0) && Signed(1));
  EXPECT_EQ(rig_.mark->note(), rig_.sequencer->checkpoint()->note());
}

TEST_F(RotationTest, WithoutTheFormerKeyTheLogGoesOnUnderTheNewOneAlone) {
  ASSERT_TRUE(TakeKey(1));
  const auto root = rig_.sequencer->checkpoint()->root();
  rig_.log_keys = LogKeys(keys_[1]);
  auto started = rig_.Start();
  ASSERT_TRUE(started) << started.error().Message();
  EXPECT_EQ(rig_.sequencer->checkpoint()->root(), root);
  EXPECT_TRUE(Signed(1));
  EXPECT_FALSE(Signed(0));
}

TEST_F(RotationTest, WithoutTheKeyOfTheCharterInForceItDoesNotStart) {
  ASSERT_TRUE(TakeKey(1));
  rig_.log_keys = LogKeys(keys_[0]);
  EXPECT_EQ(rig_.Start().error().reason, Reason::kBadConfiguration);
  rig_.log_keys = LogKeys(keys_);
  EXPECT_TRUE(rig_.Start());
}

TEST_F(RotationTest, AKeyThatNoCharterNamesSignsNothing) {
  ASSERT_TRUE(rig_.Start());
  EXPECT_TRUE(Signed(0));
  EXPECT_FALSE(Signed(1));
}

TEST_F(RotationTest, AnAmendmentThatTheBrokerCouldNotServeIsRefused) {
  const auto other = crypto::Ed25519SignKey::Generate(rig_.world.random);
  const auto before = std::pair(rig_.world.agreement, rig_.world.agreement_statement);
  auto accepted = rig_.Post(rig_.world.Amend([&](ledger::Charter& charter) {
    charter.log_key = log::NoteVerifier::Make(charter.origin, other.verify_key()).value().Text();
  }));
  ASSERT_FALSE(accepted);
  EXPECT_EQ(accepted.error().reason, Reason::kNotReady);
  std::tie(rig_.world.agreement, rig_.world.agreement_statement) = before;
  EXPECT_TRUE(TakeKey(1)) << "and nothing was changed by it";
}

TEST_F(RotationTest, TheNewsOfAnAmendmentNameEverybodyOfAnAgencyThatLeft) {
  ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/ana")));
  std::promise<CommitNews> told;
  rig_.sequencer->OnCommit([&](const CommitNews& news) {
    if (news.charter_changed) told.set_value(news);  // the enrolment's may be told now as well
  });
  ASSERT_TRUE(rig_.Post(rig_.world.Amend([](ledger::Charter& charter) {
    std::erase_if(charter.agencies, [](const auto& one) { return one.id.str() == "us.dea"; });
  })));
  const auto news = told.get_future().get();
  EXPECT_EQ(news.changed_members, (std::vector{*MemberId::Parse("us.dea/admin"), *MemberId::Parse("us.dea/ana")}));
}

}  // namespace
}  // namespace valija::broker
