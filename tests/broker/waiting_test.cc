// What waits for whom.
#include "broker/waiting.h"

#include <gtest/gtest.h>

#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

class WaitingTest : public testing::Test {
 protected:
  test::BrokerRig rig_;
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(rig_.world.random);

  void SetUp() override {
    rig_.Found();
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("mx.fgr")));
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("us.dea")));
    for (const char* id : {"us.dea/ana", "us.dea/luis"}) ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew(id)));
  }
  // kind:statement of each, for this member.
  std::vector<std::string> Waits(const char* member, std::size_t most = 1024) {
    return rig_.sequencer->Read([&](const ledger::State& state) {
      std::vector<std::string> out;
      for (const auto& item : WaitingFor(state, *MemberId::Parse(member), rig_.world.now, most))
        out.push_back(item.kind + ":" + item.statement.Hex());
      return out;
    });
  }
  Digest SendDual() {
    auto policy = rig_.world.PolicyFor("mx.fgr");
    policy.approvals = {{1, {*MemberId::Parse("us.dea/ana"), *MemberId::Parse("us.dea/luis")}}};
    policy.approval_hours = 24;
    auto sent = rig_.world.Record("us.dea/admin", {policy});
    auto accepted = rig_.Post(sent.statement);
    EXPECT_TRUE(accepted) << accepted.error().Message();
    return sent.statement->digest;
  }
  Digest Ask(const Digest& record) {
    auto open =
        rig_.world.Open("mx.fgr/admin", {{record, 0}}, rig_.sequencer->checkpoint()->checkpoint(), reply_.public_key());
    EXPECT_TRUE(rig_.Post(open));
    return open->digest;
  }
};

TEST_F(WaitingTest, AnOpeningWaitsForEachOfItsApproversAndForNobodyElse) {
  const auto open = Ask(SendDual());
  const std::vector<std::string> one = {"approval:" + open.Hex()};
  EXPECT_EQ(Waits("us.dea/ana"), one);
  EXPECT_EQ(Waits("us.dea/luis"), one);
  for (const char* other : {"us.dea/admin", "mx.fgr/admin", "mx.fgr/nobody"})
    EXPECT_TRUE(Waits(other).empty()) << other;
  rig_.world.now = rig_.world.now + std::chrono::hours(25);
  EXPECT_TRUE(Waits("us.dea/ana").empty()) << "its time is over";
}

TEST_F(WaitingTest, NotMoreThanWasAskedForAreTold) {
  const auto record = SendDual();
  const auto first = Ask(record);
  Ask(record);
  EXPECT_EQ(Waits("us.dea/ana").size(), 2u);
  EXPECT_EQ(Waits("us.dea/ana", 1), std::vector<std::string>{"approval:" + first.Hex()});
}

TEST_F(WaitingTest, ASuspendedApproverIsToldNothing) {
  Ask(SendDual());
  auto& ana = rig_.world.people.at("us.dea/ana");
  ana.record.status = ledger::MemberStatus::kSuspended;
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(ana)));
  EXPECT_TRUE(Waits("us.dea/ana").empty());
}

}  // namespace
}  // namespace valija::broker
