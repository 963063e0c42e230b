// What waits for whom.
#include "broker/waiting.h"

#include <gtest/gtest.h>

#include "broker/visibility.h"
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
  const auto first = Ask(record), second = Ask(record);
  EXPECT_EQ(Waits("us.dea/ana").size(), 2u);
  const auto one = Waits("us.dea/ana", 1);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_TRUE(one[0] == "approval:" + first.Hex() || one[0] == "approval:" + second.Hex());
}

// Whoever may ask for access asks often; those who are to approve and to review are told all the same.
TEST_F(WaitingTest, AFloodOfOneKindKeepsNoOtherAway) {
  auto policy = rig_.world.PolicyFor("mx.fgr");
  policy.approvals = {{1, {*MemberId::Parse("us.dea/admin")}}};
  policy.approval_hours = 24;
  auto sent = rig_.world.Record("us.dea/admin", {policy});
  ASSERT_TRUE(rig_.Post(sent.statement));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(rig_.Post(rig_.world.AskFor("mx.fgr/admin", sent.statement->digest)));
  const auto open = Ask(sent.statement->digest);
  const auto waits = Waits("us.dea/admin", 8);
  EXPECT_EQ(waits.size(), 8u);
  EXPECT_EQ(std::count(waits.begin(), waits.end(), "approval:" + open.Hex()), 1);
  EXPECT_EQ(Waits("us.dea/admin").size(), 21u);
}

TEST_F(WaitingTest, AFloodOfWhatComesFirstKeepsNothingBehindItAway) {
  auto policy = rig_.world.PolicyFor("mx.fgr");
  policy.approvals = {{1, {*MemberId::Parse("us.dea/admin")}}};
  policy.approval_hours = 24;
  auto sent = rig_.world.Record("us.dea/admin", {policy});
  ASSERT_TRUE(rig_.Post(sent.statement));
  for (int i = 0; i < 20; ++i) Ask(sent.statement->digest);
  const auto ask = rig_.world.AskFor("mx.fgr/admin", sent.statement->digest);
  ASSERT_TRUE(rig_.Post(ask));
  const auto waits = Waits("us.dea/admin", 8);
  EXPECT_EQ(waits.size(), 8u);
  EXPECT_EQ(std::count(waits.begin(), waits.end(), "access:" + ask->digest.Hex()), 1);
}

TEST_F(WaitingTest, AnAccessRequestWaitsFor30DaysAndIsNotGoneThroughAfterwards) {
  const auto record = SendDual();
  const auto ask = rig_.world.AskFor("mx.fgr/admin", record);
  ASSERT_TRUE(rig_.Post(ask));
  EXPECT_EQ(Waits("us.dea/admin"), std::vector<std::string>{"access:" + ask->digest.Hex()});
  const auto open = [&] {
    return rig_.sequencer->Read(
        [](const ledger::State& state) { return state.open_access_requests(*AgencyId::Parse("us.dea")).size(); });
  };
  EXPECT_EQ(open(), 1u);
  rig_.world.now = rig_.world.now + ledger::kSilence;
  EXPECT_TRUE(Waits("us.dea/admin").empty()) << "silence";
  ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/m")));
  EXPECT_EQ(open(), 0u);
  const auto again = rig_.world.AskFor("mx.fgr/admin", record);
  ASSERT_TRUE(rig_.Post(again));
  ASSERT_TRUE(rig_.Post(rig_.world.Answer("us.dea/admin", again->digest)));
  EXPECT_EQ(open(), 0u) << "answered";
}

TEST_F(WaitingTest, WhoApprovedWithAKeyThatItGaveUpIsAskedAgain) {
  auto& eva = rig_.world.NewPerson("us.dea/eva");
  eva.record.person = "eva";
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(eva)));
  auto policy = rig_.world.PolicyFor("mx.fgr");
  policy.approvals = {{1, {eva.record.id}}};
  policy.approval_hours = 24;
  auto sent = rig_.world.Record("us.dea/admin", {policy});
  ASSERT_TRUE(rig_.Post(sent.statement));
  const auto open = Ask(sent.statement->digest);
  ASSERT_TRUE(rig_.Post(rig_.world.Approve("us.dea/eva", open)));
  EXPECT_TRUE(Waits("us.dea/eva").empty());
  EXPECT_EQ(Waits("mx.fgr/admin"), std::vector<std::string>{"approved:" + open.Hex()});
  eva.sign = crypto::SignKey::Generate(rig_.world.random);
  eva.record.keys.signing_key = eva.sign.verify_key().point();
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(eva)));
  EXPECT_EQ(Waits("us.dea/eva"), std::vector<std::string>{"approval:" + open.Hex()});
  EXPECT_TRUE(Waits("mx.fgr/admin").empty()) << "its yes counts no more";
}

TEST_F(WaitingTest, ASuspendedApproverIsToldNothing) {
  Ask(SendDual());
  auto& ana = rig_.world.people.at("us.dea/ana");
  ana.record.status = ledger::MemberStatus::kSuspended;
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(ana)));
  EXPECT_TRUE(Waits("us.dea/ana").empty());
}

TEST_F(WaitingTest, NobodyIsAskedToApproveWhatHasEnded) {
  const auto record = SendDual();
  Ask(record);
  ASSERT_TRUE(rig_.Post(rig_.world.Revoke("us.dea/admin", record)));
  EXPECT_TRUE(Waits("us.dea/ana").empty());
}

// ---- recalls and purges ----

// A record of us.dea's for itself, and a grant of it that mx.fgr/admin has opened.
class GrantedTest : public WaitingTest {
 protected:
  std::optional<test::SentRecord> sent_;
  std::optional<ledger::VerifiedStatement> grant_;

  void SetUp() override {
    WaitingTest::SetUp();
    sent_ = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("us.dea")});
    ASSERT_TRUE(rig_.Post(sent_->statement));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/m" + std::to_string(i))));
    grant_ = rig_.world.Grant("us.dea/admin", *sent_, rig_.world.PolicyFor("mx.fgr"));
    ASSERT_TRUE(rig_.Post(*grant_));
    Ask(Grant());
  }
  const Digest& Record() { return sent_->statement->digest; }
  const Digest& Grant() { return (*grant_)->digest; }
  void Purge(const ledger::VerifiedStatement& what) {
    auto purged = rig_.Post(rig_.world.Purge("us.dea/admin", {rig_.world.ErasureOf(*what)}));
    ASSERT_TRUE(purged) << purged.error().Message();
  }
};

TEST_F(GrantedTest, ARecallAsksWhoOpenedAGrantOnceAndLeadsToTheGrantsEntry) {
  ASSERT_TRUE(rig_.Post(rig_.world.Revoke("us.dea/admin", Grant(), true)));
  ASSERT_TRUE(rig_.Post(rig_.world.Revoke("us.dea/admin", Record(), true)));
  EXPECT_EQ(Waits("mx.fgr/admin"), std::vector<std::string>{"erase:" + Grant().Hex()});
  rig_.sequencer->Read([&](const ledger::State& state) {
    const auto items = WaitingFor(state, *MemberId::Parse("mx.fgr/admin"), rig_.world.now, 10);
    EXPECT_EQ(items.at(0).entry, state.record(Grant())->index);
    return 0;
  });
  EXPECT_TRUE(Waits("us.dea/admin").empty());
}

// It still has what it opened, so it is told of the recall and may see it.
TEST_F(GrantedTest, WhomAnAmendmentTookOutOfTheAudienceIsAskedToEraseAndSeesTheRecall) {
  ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("mx.fgr/luis")));
  auto narrower = rig_.world.PolicyFor("mx.fgr");
  narrower.releasable_to = {{}, {}, {*MemberId::Parse("mx.fgr/luis")}};
  auto amended = rig_.Post(rig_.world.AmendPolicy("us.dea/admin", **grant_, narrower));
  ASSERT_TRUE(amended) << amended.error().Message();
  const auto recalled = rig_.Post(rig_.world.Revoke("us.dea/admin", Record(), true));
  ASSERT_TRUE(recalled);
  EXPECT_EQ(Waits("mx.fgr/admin"), std::vector<std::string>{"erase:" + Grant().Hex()});
  rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
    const auto admin = *MemberId::Parse("mx.fgr/admin");
    EXPECT_TRUE(MaySee({state, glances}, recalled->head.index, admin));
    EXPECT_TRUE(MaySee({state, glances}, state.record(Grant())->index, admin));
    EXPECT_FALSE(MayFetchBody(*state.record(Grant()), 0, admin));
    return 0;
  });
}

TEST_F(GrantedTest, WhatWasPurgedWaitsForNobody) {
  const auto ask = rig_.world.AskFor("mx.fgr/admin", Record());
  ASSERT_TRUE(rig_.Post(ask));
  ASSERT_TRUE(rig_.Post(rig_.world.Revoke("us.dea/admin", Record(), true)));
  EXPECT_EQ(Waits("us.dea/admin"), std::vector<std::string>{"access:" + ask->digest.Hex()});
  EXPECT_EQ(Waits("mx.fgr/admin").size(), 1u);
  Purge(*grant_);
  Purge(sent_->statement);
  EXPECT_TRUE(Waits("us.dea/admin").empty());
  EXPECT_TRUE(Waits("mx.fgr/admin").empty());
}

TEST_F(GrantedTest, ARequestWhoseReasonWasErasedWaitsNoMore) {
  const auto ask = rig_.world.AskFor("mx.fgr/admin", Record());
  ASSERT_TRUE(rig_.Post(ask));
  ASSERT_EQ(Waits("us.dea/admin").size(), 1u);
  rig_.world.now = rig_.world.now + std::chrono::days(31);  // until then it may still be answered
  auto purged = rig_.Post(rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*ask)}));
  ASSERT_TRUE(purged) << purged.error().Message();
  EXPECT_TRUE(Waits("us.dea/admin").empty());
}

}  // namespace
}  // namespace valija::broker
