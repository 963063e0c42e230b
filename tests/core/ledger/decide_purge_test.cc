// Purge: what may be erased, by whom, and that it does not come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger/dual_world.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Person;
using ::testing::ElementsAre;

class PurgeTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  test::Draft draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  Digest record = Accept(draft.statement, ana);
  void Revoke() { Accept(Revocation{By(ana), record, "it was an error"}, ana); }
};

TEST_F(PurgeTest, IsOfARecordThatCanNoLongerBeOpened) {
  EXPECT_EQ(Refusal(Purge(ana, {record}), ana), Reason::kNotReady);
  Revoke();
  Accept(Purge(ana, {record}), ana);
  EXPECT_EQ(state.record(record)->purged_at, state.size() - 1);
  EXPECT_EQ(state.statement(record)->erased_by, state.size() - 1);
  EXPECT_EQ(Refusal(Purge(ana, {record}), ana), Reason::kExists);
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), ElementsAre(ElementsAre(Reason::kPurged)));
  EXPECT_THAT(Ask(gt_ana, {Item(record, 0, "gt.mp")}), ElementsAre(ElementsAre(Reason::kNotFound)));
  EXPECT_EQ(state.entries_for(Agency("mx.fgr")).back(), state.size() - 2);  // who had it was told
}

TEST_F(PurgeTest, IsOfARecordWhoseEveryWindowHasEnded) {
  auto longer = PolicyFor({"mx.fgr"});
  longer.expires = now + std::chrono::days(40);
  const Digest two = Send({PolicyFor({"mx.fgr"}), longer});
  now += std::chrono::days(30);
  EXPECT_EQ(Refusal(Purge(ana, {two}), ana), Reason::kNotReady);
  Accept(Purge(ana, {record}), ana);
  now += std::chrono::days(10);
  Accept(Purge(ana, {two}), ana);
}

TEST_F(PurgeTest, IsNotOfARecordWhoseGrantCanBeOpened) {
  auto longer = PolicyFor({"us.fbi"});
  longer.expires = now + std::chrono::days(40);
  const Digest grant = Accept(NewGrant(ana, record, {{0, longer}}).statement, ana);
  now += std::chrono::days(30);
  EXPECT_EQ(Refusal(Purge(ana, {record, grant}), ana), Reason::kNotReady);
  Revoke();
  Accept(Purge(ana, {record, grant}), ana);
}

TEST_F(PurgeTest, IsNotUndoneByPostingTheContentAgain) {
  Revoke();
  Accept(Purge(ana, {record}), ana);
  EXPECT_EQ(Refusal(draft.statement, ana), Reason::kExists);
  auto again = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  again.record().payload.portions[0].body_root = draft.record().payload.portions[0].body_root;
  EXPECT_EQ(Refusal(again.statement, ana), Reason::kPurged);
  EXPECT_TRUE(state.body_purged(draft.record().payload.portions[0].body_root));
  EXPECT_EQ(Refusal(NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}}).statement, ana), Reason::kPurged);
}

TEST_F(PurgeTest, OfAGrantLeavesTheRecordsBody) {
  const Digest grant = Accept(NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}}).statement, ana);
  Accept(Revocation{By(ana), grant, "x"}, ana);
  Accept(Purge(ana, {grant}), ana);
  EXPECT_FALSE(state.body_purged(draft.record().payload.portions[0].body_root));
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), ElementsAre(ElementsAre()));
}

TEST_F(PurgeTest, IsItsOriginatorsOrAnAdministratorsOfItsAgency) {
  Revoke();
  EXPECT_EQ(Refusal(Purge(bob, {record}), bob), Reason::kNotAuthorised);
  for (Person* other : {&mx_ana, &mx_admin, &fbi_ana}) {
    auto hidden = Decide(Signed(Purge(*other, {record}), *other));
    auto absent = Decide(Signed(Purge(*other, {Digest{}}), *other));
    ASSERT_FALSE(hidden || absent);
    EXPECT_EQ(hidden.error().reason, Reason::kNotFound);
    EXPECT_EQ(hidden.error().Message(), absent.error().Message());
  }
  Accept(Purge(us_admin, {record}), us_admin);
}

TEST_F(PurgeTest, OfATextIsAnAdministratorsOfItsAuthorsAgency) {
  Revoke();
  const Digest revocation = entries.back().head.statement;
  EXPECT_EQ(Refusal(Purge(ana, {revocation}), ana), Reason::kNotAuthorised);
  EXPECT_EQ(Refusal(Purge(mx_admin, {revocation}), mx_admin), Reason::kNotFound);
  Accept(Purge(us_admin, {revocation}), us_admin);
  EXPECT_EQ(Refusal(Purge(us_admin, {revocation}), us_admin), Reason::kExists);
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), ElementsAre(ElementsAre(Reason::kRevoked)));
}

TEST_F(PurgeTest, IsOfWhatHasATextOrContentAlone) {
  Accept(Epoch("us.dea", us_admin), us_admin);
  const Digest epoch = entries.back().head.statement;
  const Digest ack = Accept(Acknowledgement{By(bob), record, "received"}, bob);
  for (const Digest& one : {epoch, ack}) EXPECT_EQ(Refusal(Purge(us_admin, {one}), us_admin), Reason::kMalformed);
  EXPECT_EQ(Refusal(Purge(us_admin, {state.charter_digest()}), us_admin), Reason::kNotFound);
}

TEST_F(PurgeTest, NamesOneTo256InOrderWithAReason) {
  Revoke();
  auto with = [&](auto change) {
    auto purge = Purge(ana, {record});
    EXPECT_TRUE(Decide(Signed(purge, ana)));
    change(purge);
    return Refusal(purge, ana);
  };
  EXPECT_EQ(with([](auto& p) { p.erasures.clear(); }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& p) { p.erasures.resize(257); }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& p) { p.erasures.push_back(p.erasures[0]); }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& p) { p.why = ""; }), Reason::kMalformed);
}

TEST_F(PurgeTest, TakesTheTextsOutOfTheStateToo) {
  auto access = Access(mx_ana, record);
  access.case_reference = "FED/1";
  const Digest asked = Accept(access, mx_ana);
  auto order = Order(mx_ana);
  order.case_reference = "  ";
  const Digest blank = Accept(order, mx_ana);
  order = Order(mx_ana);
  order.case_reference = "FED/2";
  const Digest standing = Accept(order, mx_ana);
  for (const Digest& one : {asked, standing, blank})  // others may still answer, or rely on it
    EXPECT_EQ(Refusal(Purge(mx_admin, {one}), mx_admin), Reason::kNotReady);
  for (const Digest& one : {standing, blank}) Accept(Revocation{By(mx_ana), one, "done"}, mx_ana);
  now += std::chrono::hours(24 * 31);
  EXPECT_EQ(Refusal(Purge(mx_admin, {asked, standing}), mx_admin), Reason::kMalformed);  // about two things
  for (const Digest& one : {asked, standing, blank}) Accept(Purge(mx_admin, {one}), mx_admin);
  EXPECT_EQ(state.access_request(asked)->request.why, kErasedText);
  EXPECT_EQ(state.access_request(asked)->request.case_reference, kErasedText);
  EXPECT_EQ(state.order(standing)->order.case_reference, kErasedText);
  EXPECT_EQ(state.order(blank)->order.case_reference, "  ");  // says nothing, and to a policy it is no case
}

TEST_F(PurgeTest, IsOfOneThingAndItsGrants) {
  const Digest grant = Accept(NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}}).statement, ana);
  auto second = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  const Digest other = Accept(second.statement, ana);
  Revoke();
  const Digest revocation = entries.back().head.statement;
  Accept(Revocation{By(ana), other, "x"}, ana);
  EXPECT_EQ(Refusal(Purge(us_admin, {record, grant, other}), us_admin), Reason::kMalformed);
  Accept(Purge(us_admin, {record, grant, revocation}), us_admin);
  Accept(Purge(us_admin, {other}), us_admin);
}

TEST_F(PurgeTest, OfAnOpeningIsToldToTheOriginator) {
  auto open = Open(mx_ana, {Item(record, 0, "mx.fgr")});
  open.case_reference = "FED/1";
  const Digest opening = Accept(open, mx_ana);
  EXPECT_THAT(state.statement(opening)->about, ElementsAre(record));
  Accept(Purge(mx_admin, {opening}), mx_admin);
  EXPECT_EQ(state.entries_for(Agency("us.dea")).back(), state.size() - 1);
  EXPECT_EQ(state.entries_of(*state.record(record)).All().back(), state.size() - 1);
  EXPECT_NE(state.entries_for(Agency("us.fbi")).back(), state.size() - 1);
}

TEST_F(PurgeTest, IsToldToWhoWasToldOfWhatItErasesAlsoWhenThatIsAPurge) {
  const Digest order = Accept(Order(mx_ana), mx_ana);
  const Digest later = Send({PolicyFor({"mx.fgr"})});
  Accept(Signed(StandingOpening{order, mx_ana.id(), later, {0}}));
  Accept(Revocation{By(mx_ana), order, "done"}, mx_ana);
  const Digest first = Accept(Purge(mx_admin, {order}), mx_admin);
  EXPECT_EQ(state.entries_for(Agency("us.dea")).back(), state.size() - 1);
  Accept(Purge(mx_admin, {first}), mx_admin);
  EXPECT_EQ(state.entries_for(Agency("us.dea")).back(), state.size() - 1);
  EXPECT_NE(state.entries_for(Agency("us.fbi")).back(), state.size() - 1);
  // Of a revocation the recipients, by either.
  Revoke();
  const Digest purge = Accept(Purge(us_admin, {entries.back().head.statement}), us_admin);
  Accept(Purge(us_admin, {purge}), us_admin);
  EXPECT_EQ(state.entries_for(Agency("mx.fgr")).back(), state.size() - 1);
}

TEST_F(PurgeTest, OfPurgesHasAnEnd) {
  Revoke();
  Digest last = Accept(Purge(us_admin, {entries.back().head.statement}), us_admin);
  for (unsigned i = 0; i < kMostPurgesOfPurges; ++i) last = Accept(Purge(us_admin, {last}), us_admin);
  EXPECT_EQ(Refusal(Purge(us_admin, {last}), us_admin), Reason::kTooMany);
}

TEST_F(PurgeTest, LeavesNothingThatCouldBeSaidAtOnce) {
  auto open = Open(mx_ana, {Item(record, 0, "mx.fgr")});
  open.case_reference = kErasedText;
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
  EXPECT_EQ(Refusal(Revocation{By(ana), record, std::string(kErasedText)}, ana), Reason::kMalformed);
  EXPECT_EQ(Refusal(Revocation{By(ana), record, "   "}, ana), Reason::kMalformed);
}

TEST(PurgeOfARequest, WaitsUntilNobodyIsToDecideByIt) {
  test::DualWorld world;
  auto open = world.Open(world.mx_ana, {world.Item(world.record, 0, "mx.fgr")});
  open.case_reference = "FED/1";
  const Digest request = world.Accept(open, world.mx_ana);
  EXPECT_EQ(world.Refusal(world.Purge(world.mx_admin, {request}), world.mx_admin), Reason::kNotReady);
  EXPECT_EQ(world.state.pending(request)->case_reference, "FED/1");
}

TEST(PurgeOfARequest, TakesTheCaseOfWhatIsOver) {
  test::DualWorld world;
  auto open = world.Open(world.mx_ana, {world.Item(world.record, 0, "mx.fgr")});
  open.case_reference = "FED/1";
  const Digest request = world.Accept(open, world.mx_ana);
  world.now += std::chrono::hours(25);
  world.Accept(world.Purge(world.mx_admin, {request}), world.mx_admin);
  EXPECT_TRUE(world.state.all_pending().empty());
  EXPECT_EQ(world.state.pending(request)->case_reference, kErasedText);
}

}  // namespace
}  // namespace valija::ledger
