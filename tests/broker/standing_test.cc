// Openings that the broker makes itself, under standing orders.
#include "broker/standing.h"

#include <gtest/gtest.h>

#include "broker/release.h"
#include "core/record/release.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;

class StandingTest : public testing::Test {
 protected:
  BrokerRig rig_;
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(rig_.world.random);

  void SetUp() override {
    rig_.Found();
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("mx.fgr")));
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("us.dea")));
  }
  Digest Order(Duration good_for = std::chrono::hours(24)) {
    auto order = rig_.world.Order("mx.fgr/admin", reply_.public_key(), good_for);
    auto accepted = rig_.Post(order);
    EXPECT_TRUE(accepted) << accepted.error().Message();
    return order->digest;
  }
  test::SentRecord Send(const std::vector<policy::Policy>& policies) {
    auto sent = rig_.world.Record("us.dea/admin", policies);
    auto accepted = rig_.Post(sent.statement);
    EXPECT_TRUE(accepted) << accepted.error().Message();
    return sent;
  }
  // The standing openings of the log, in order.
  std::vector<ledger::StandingOpening> Openings() {
    std::vector<ledger::StandingOpening> out;
    for (std::uint64_t i = 0; i < rig_.sequencer->checkpoint()->size(); ++i) {
      auto accepted = rig_.sequencer->AcceptedAt(i).value();
      if (auto* one = std::get_if<ledger::StandingOpening>(&accepted.statement->payload)) out.push_back(*one);
    }
    return out;
  }
  std::uint64_t Size() { return rig_.sequencer->checkpoint()->size(); }
};

TEST_F(StandingTest, ARecordThatComesLaterIsOpenedRightBehindItAndInTheSameAppend) {
  Send({rig_.world.PolicyFor("mx.fgr")});  // before the order
  const auto order = Order();
  const int appends = rig_.memory.appends;
  const auto sent = Send({rig_.world.PolicyFor("us.dea"), rig_.world.PolicyFor("mx.fgr")});
  EXPECT_EQ(rig_.memory.appends, appends + 1);
  auto last = rig_.sequencer->AcceptedAt(Size() - 1);
  ASSERT_TRUE(last) << last.error().Message();
  const auto& opening = std::get<ledger::StandingOpening>(last->statement->payload);
  EXPECT_EQ(opening.order, order);
  EXPECT_EQ(opening.record, sent.statement->digest);
  EXPECT_EQ(opening.portions, std::vector<std::uint32_t>{1}) << "what its agency received, and nothing else";
  EXPECT_TRUE(last->decision.verdicts.at(0).allowed());
  EXPECT_EQ(Openings().size(), 1u);
}

TEST_F(StandingTest, ItsReleaseOpensForTheOrdersReplyKey) {
  const auto order = Order();
  const auto sent = Send({rig_.world.PolicyFor("mx.fgr")});
  auto accepted = rig_.sequencer->AcceptedAt(Size() - 1).value();
  Releaser releaser(rig_.world.authority,
                    crypto::KemPrivateKey::FromScalar(rig_.world.release_key.Scalar().view()).value());
  const auto covered = rig_.sequencer->Covers(accepted.head.index, accepted.decision).value();
  const auto release = rig_.sequencer->Read([&](const ledger::State& state) {
    return releaser.ReleaseStanding(
        accepted, covered, *state.order(order),
        [&](const Digest&) { return rig_.sequencer->Entry(accepted.head.index - 1); }, rig_.world.random);
  });
  ASSERT_TRUE(release && *release);
  record::ReleaseBinding binding{accepted.head.statement, accepted.head.decision, rig_.world.authority,
                                 *AgencyId::Parse("mx.fgr"), rig_.world.people.at("mx.fgr/admin").sign.id()};
  auto shares = record::OpenRelease(binding, reply_, (*release)->enc, (*release)->ciphertext, 1);
  ASSERT_TRUE(shares) << shares.error().Message();
  record::ContextCache cache;
  auto cek =
      record::OpenCek(std::get<ledger::Record>(sent.statement->payload).payload,
                      sent.statement->attachments.slips.at(0), rig_.world.epoch_keys.at("mx.fgr"), *shares, cache);
  ASSERT_TRUE(cek);
  EXPECT_EQ(ToBytes(cek->view()), ToBytes(sent.ceks[0].view()));
}

TEST_F(StandingTest, AGrantIsOpenedToo) {
  const auto sent = Send({rig_.world.PolicyFor("us.dea")});
  Order();
  auto grant = rig_.world.Grant("us.dea/admin", sent, rig_.world.PolicyFor("mx.fgr"));
  ASSERT_TRUE(rig_.Post(grant));
  ASSERT_EQ(Openings().size(), 1u);
  EXPECT_EQ(Openings()[0].record, grant->digest);
}

TEST_F(StandingTest, WhatTheOrderMayNotOpenIsNoEntry) {
  Order();
  const auto before = Size();
  auto dual = rig_.world.PolicyFor("mx.fgr");
  dual.approvals = {{1, {*MemberId::Parse("us.dea/admin")}}};
  dual.approval_hours = 24;
  Send({rig_.world.PolicyFor("mx.fgr", {"analysis"})});  // another purpose
  Send({rig_.world.PolicyFor("us.dea")});                // not for its agency
  Send({dual});                                          // only with approvals
  EXPECT_EQ(Size(), before + 3);
  EXPECT_TRUE(Openings().empty());
}

TEST_F(StandingTest, TheOrdersEndStopsItAtOnceAlsoWithinOneBatch) {
  const auto order = Order();
  std::promise<void> held;
  auto go = held.get_future().share();
  rig_.memory.before_append = [go] {
    go.wait();
    return Ok();
  };
  auto first = rig_.Submit(rig_.world.EnrolNew("us.dea/ana"));  // what comes now gathers into one batch behind it
  auto before = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")});
  auto after = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")});
  auto one = rig_.Submit(before.statement);
  auto end = rig_.Submit(rig_.world.Revoke("mx.fgr/admin", order));
  auto two = rig_.Submit(after.statement);
  held.set_value();
  for (auto* answer : {&first, &one, &end, &two}) EXPECT_TRUE(answer->get());
  ASSERT_EQ(Openings().size(), 1u);
  EXPECT_EQ(Openings()[0].record, before.statement->digest);
}

TEST_F(StandingTest, AnExpiredOrderOrARemovedAuthorOpensNothing) {
  Order(std::chrono::hours(1));
  rig_.world.now = rig_.world.now + std::chrono::hours(2);
  Send({rig_.world.PolicyFor("mx.fgr")});
  EXPECT_TRUE(Openings().empty());

  auto& ana = rig_.world.NewPerson("mx.fgr/ana");
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(ana)));
  ASSERT_TRUE(
      rig_.Post(rig_.world.Order("mx.fgr/ana", crypto::KemPrivateKey::Generate(rig_.world.random).public_key())));
  Send({rig_.world.PolicyFor("mx.fgr")});
  EXPECT_EQ(Openings().size(), 1u);
  ana.record.status = ledger::MemberStatus::kSuspended;
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(ana)));
  Send({rig_.world.PolicyFor("mx.fgr")});
  EXPECT_EQ(Openings().size(), 1u);
}

TEST_F(StandingTest, OrdersStandAcrossARestartAndOpenNothingTwice) {
  Order();
  Send({rig_.world.PolicyFor("mx.fgr")});
  rig_.Stop();
  ASSERT_TRUE(rig_.Start());
  EXPECT_EQ(Openings().size(), 1u);
  Send({rig_.world.PolicyFor("mx.fgr")});
  EXPECT_EQ(Openings().size(), 2u);
}

TEST_F(StandingTest, LimitsOfThePolicyCountUnderAnOrder) {
  Order();
  auto& ana = rig_.world.NewPerson("mx.fgr/ana");
  ASSERT_TRUE(rig_.Post(rig_.world.Enrol(ana)));
  ASSERT_TRUE(
      rig_.Post(rig_.world.Order("mx.fgr/ana", crypto::KemPrivateKey::Generate(rig_.world.random).public_key())));
  auto once = rig_.world.PolicyFor("mx.fgr");
  once.openings_in_all = 1;
  Send({once});
  EXPECT_EQ(Openings().size(), 1u) << "two orders, one opening allowed";
}

// What orders add counts as the batch's: an append is never longer than a batch and one record's openings.
TEST_F(StandingTest, OpeningsUnderOrdersDoNotMakeABatchLonger) {
  for (int i = 0; i < 4; ++i) {
    const auto name = "mx.fgr/m" + std::to_string(i);
    ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew(name)));
    ASSERT_TRUE(rig_.Post(rig_.world.Order(name, crypto::KemPrivateKey::Generate(rig_.world.random).public_key())));
  }
  std::vector<test::SentRecord> sent;
  std::size_t bytes = 0;
  for (int i = 0; i < 6; ++i) {
    sent.push_back(rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")}));
    bytes += 2048 + sent.back().statement->envelope.payload.size();
  }
  rig_.Stop();
  rig_.options.batch_bytes = bytes;  // room for all the records, were there no orders
  auto go = rig_.StartHeld(rig_.world.EnrolNew("us.dea/ana"));
  const int appends = rig_.memory.appends;
  std::vector<std::future<Result<Accepted>>> answers;
  for (const auto& one : sent) answers.push_back(rig_.Submit(one.statement));
  go();
  std::uint64_t last = 0;
  for (auto& answer : answers) {
    auto accepted = answer.get();
    ASSERT_TRUE(accepted) << accepted.error().Message();
    EXPECT_GE(accepted->head.index, last == 0 ? 0 : last + 5) << "in order, each with its openings right behind it";
    last = accepted->head.index;
  }
  EXPECT_EQ(Openings().size(), 24u);
  EXPECT_GT(rig_.memory.appends - appends, 2) << "what had no room came with the next append";
}

}  // namespace
}  // namespace valija::broker
