// Standing orders and the openings under them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Person;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OrderTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  Digest order = Accept(Order(mx_ana), mx_ana);
  Digest record = Send({PolicyFor({"mx.fgr"})});

  VerifiedStatement Under(const Digest& of, std::vector<std::uint32_t> portions = {0}) {
    return Signed(StandingOpening{order, mx_ana.id(), of, std::move(portions)});
  }
  Reason Refused(const Digest& of) { return Refusal(Under(of)); }
};

TEST_F(OrderTest, OpensEachLaterRecordOnceAndCountsIt) {
  auto opening = Under(record);
  const Decision decision = Accept(opening);
  EXPECT_THAT(ReasonsOf(decision), ElementsAre(IsEmpty()));
  EXPECT_EQ(decision.verdicts[0].obligation, "TLP:AMBER");
  EXPECT_EQ(state.record(record)->portions[0].openings.at(Agency("mx.fgr")), 1U);
  EXPECT_EQ(state.record(record)->holders.count(mx_ana.id()), 1U);
  EXPECT_EQ(*state.statement(opening->digest)->author, mx_ana.id());
  EXPECT_EQ(Refused(record), Reason::kReplayed);
  for (const char* agency : {"us.dea", "mx.fgr"}) EXPECT_EQ(state.entries_for(Agency(agency)).back(), state.size() - 1);
}

TEST_F(OrderTest, OpensForNobodyButItsAuthor) {
  EXPECT_EQ(Refusal(Signed(StandingOpening{order, mx_bob.id(), record, {0}})), Reason::kMalformed);
}

TEST_F(OrderTest, IsKnownToTheOriginatorsOfWhatItOpenedAndInNoCustody) {
  EXPECT_THAT(state.order(order)->originators, IsEmpty());
  Accept(Under(record));
  EXPECT_THAT(state.entries_of(*state.record(record)).All(),
              ElementsAre(state.record(record)->index, state.size() - 1));
  EXPECT_THAT(state.order(order)->originators, ElementsAre(Agency("us.dea")));
}

TEST_F(OrderTest, StandsForAnAgencySoManyTimes) {
  std::vector<Person*> members;
  for (int i = 0; i < 5; ++i) members.push_back(&Enrol("mx.fgr/m" + std::to_string(i)));
  std::size_t made = 1;
  for (auto* member : members)
    for (int i = 0; i < 16 && made < kMostOrdersOfAgency; ++i, ++made) Accept(Order(*member), *member);
  EXPECT_EQ(Refusal(Order(*members.back()), *members.back()), Reason::kTooMany);
}

TEST_F(OrderTest, OpensNothingThatWasThereBefore) {
  const Digest later = Accept(Order(mx_bob), mx_bob);
  EXPECT_EQ(Refusal(Signed(StandingOpening{later, mx_bob.id(), record, {0}})), Reason::kNotFound);
}

TEST_F(OrderTest, OpensWhatWasGrantedLater) {
  const Digest theirs = Accept(NewRecord(ana, {PolicyFor({"us.fbi"})}).statement, ana);
  const Digest grant = Accept(NewGrant(ana, theirs, {{0, PolicyFor({"mx.fgr"})}}).statement, ana);
  EXPECT_EQ(Refused(theirs), Reason::kNotReleasable);
  Accept(Under(grant));
}

TEST_F(OrderTest, IsEndedAtOnceByItsAuthorOrItsAdministrator) {
  for (Person* other : {&mx_bob, &ana, &us_admin, &fbi_ana})
    EXPECT_EQ(Refusal(Revocation{By(*other), order, "x"}, *other), Reason::kNotFound);
  EXPECT_EQ(Refusal(Revocation{By(mx_ana), order, "x", true}, mx_ana), Reason::kMalformed);
  Accept(Revocation{By(mx_admin), order, "x"}, mx_admin);
  EXPECT_EQ(Refused(record), Reason::kOrderEnded);
  EXPECT_EQ(Refusal(Revocation{By(mx_ana), order, "x"}, mx_ana), Reason::kExists);
}

TEST_F(OrderTest, Expires) {
  now += std::chrono::hours(24) - Duration(1);
  EXPECT_TRUE(Decide(Under(record)));
  now += Duration(1);
  EXPECT_EQ(Refused(record), Reason::kOrderEnded);
}

TEST_F(OrderTest, IsNotRevivedByAClockThatGoesBack) {
  now += std::chrono::hours(24);
  Send({PolicyFor({"us.fbi"})});
  now -= std::chrono::minutes(1);
  EXPECT_EQ(Refused(record), Reason::kOrderEnded);
}

TEST_F(OrderTest, EndsWithTheKeyOrTheMemberThatMadeIt) {
  Accept(Suspension("mx.fgr/ana", mx_admin), mx_admin);
  EXPECT_EQ(Refused(record), Reason::kNotEnrolled);
  Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  EXPECT_TRUE(Decide(Under(record)));
  auto& renewed = NewPerson("mx.fgr/ana", {"secret", {"analyst"}, {"fast-boat"}});
  Accept(Enrolment(renewed, mx_admin), mx_admin);
  EXPECT_EQ(Refused(record), Reason::kOrderEnded);
}

TEST_F(OrderTest, IsUnderEveryRuleOfThePolicy) {
  auto narrow = PolicyFor({"mx.fgr"});
  narrow.purposes = {"analysis"};
  EXPECT_EQ(Refused(Send({narrow})), Reason::kWrongPurpose);
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_EQ(Refused(record), Reason::kRevoked);
  Accept(Purge(ana, {record}), ana);
  EXPECT_EQ(Refused(record), Reason::kPurged);
  EXPECT_EQ(Refused(Send({PolicyFor({"us.fbi"})})), Reason::kNotFound);
}

TEST_F(OrderTest, WaitsForNoApprovals) {
  auto& eva = Enrol("us.dea/eva", "eva");
  auto dual = PolicyFor({"mx.fgr"});
  dual.approvals = {{1, {eva.id()}}};
  dual.approval_hours = 1;
  EXPECT_EQ(Refused(Send({dual})), Reason::kApprovalMissing);
  const Digest mixed = Send({dual, PolicyFor({"mx.fgr"})});
  EXPECT_THAT(ReasonsOf(Accept(Under(mixed, {0, 1}))), ElementsAre(ElementsAre(Reason::kApprovalMissing), IsEmpty()));
  EXPECT_TRUE(state.all_pending().empty());
}

TEST_F(OrderTest, NamesPortionsInOrder) {
  const Digest two = Send({PolicyFor({"mx.fgr"}), PolicyFor({"mx.fgr"})});
  EXPECT_EQ(Refusal(Under(two, {})), Reason::kMalformed);
  EXPECT_EQ(Refusal(Under(two, {1, 0})), Reason::kMalformed);
  EXPECT_EQ(Refusal(Under(two, {0, 0})), Reason::kMalformed);
  EXPECT_EQ(Refusal(Under(two, {0, 2})), Reason::kNotFound);
  EXPECT_EQ(Refusal(Signed(StandingOpening{record, mx_ana.id(), two, {0}})), Reason::kNotFound);  // no order
}

TEST_F(OrderTest, IsDecidedByTheRecordsAuthorityAlone) {
  authority = *AuthorityId::Parse("broker-2");
  EXPECT_EQ(Refused(record), Reason::kNotFound);
}

TEST_F(OrderTest, IsWellFormed) {
  auto with = [&](auto change) {
    auto made = Order(mx_ana);
    EXPECT_TRUE(Decide(Signed(made, mx_ana)));
    change(made);
    return Refusal(made, mx_ana);
  };
  EXPECT_EQ(with([](auto& o) { o.agency = Agency("us.dea"); }), Reason::kNotAuthorised);
  EXPECT_EQ(with([](auto& o) { o.purpose = "fishing"; }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& o) { o.case_reference = "a\tb"; }), Reason::kMalformed);
  EXPECT_EQ(with([&](auto& o) { o.expires = now; }), Reason::kRequestExpired);
  EXPECT_EQ(with([&](auto& o) { o.expires = now + std::chrono::days(3651); }), Reason::kBadTime);
  EXPECT_EQ(with([](auto& o) { o.reply_key.bytes[64] ^= 1; }), Reason::kBadKey);
  EXPECT_EQ(with([&](auto& o) { o.reply_key = mx_ana.record.keys.kem_key; }), Reason::kBadKey);
}

TEST_F(OrderTest, IsOneOfFewAtOnce) {
  std::vector<Digest> own = {order};
  while (own.size() < 16) own.push_back(Accept(Order(mx_ana), mx_ana));
  EXPECT_EQ(Refusal(Order(mx_ana), mx_ana), Reason::kTooMany);
  EXPECT_TRUE(Decide(Signed(Order(mx_bob), mx_bob)));
  Accept(Revocation{By(mx_ana), own[3], "x"}, mx_ana);
  Accept(Order(mx_ana), mx_ana);
  EXPECT_EQ(Refusal(Order(mx_ana), mx_ana), Reason::kTooMany);
  now += std::chrono::hours(24);
  Accept(Order(mx_ana), mx_ana);
}

TEST_F(OrderTest, LeavesNoMoreBehindThanStand) {
  for (int i = 0; i < 40; ++i) {
    Accept(Order(mx_bob), mx_bob);
    now += std::chrono::hours(25);
  }
  EXPECT_LE(state.standing_orders().at(mx_bob.id()).size(), 2U);
}

}  // namespace
}  // namespace valija::ledger
