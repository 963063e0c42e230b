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
  EXPECT_EQ(Refusal(Purge(ana, {record}), ana), Reason::kNotReady);
  Revoke();
  Accept(Purge(ana, {grant}), ana);
  Accept(Purge(ana, {record}), ana);
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

TEST_F(PurgeTest, NamesOneWithAReason) {
  Revoke();
  auto with = [&](auto change) {
    auto purge = Purge(ana, {record});
    EXPECT_TRUE(Decide(Signed(purge, ana)));
    change(purge);
    return Refusal(purge, ana);
  };
  EXPECT_EQ(with([](auto& p) { p.erasures.clear(); }), Reason::kMalformed);
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
  for (const Digest& one : {asked, standing, blank}) Accept(Purge(mx_admin, {one}), mx_admin);
  EXPECT_EQ(state.access_request(asked)->request.why, kErasedText);
  EXPECT_EQ(state.access_request(asked)->request.case_reference, kErasedText);
  EXPECT_EQ(state.order(standing)->order.case_reference, kErasedText);
  EXPECT_EQ(state.order(blank)->order.case_reference, "  ");  // says nothing, and to a policy it is no case
}

TEST_F(PurgeTest, IsOfTheAgencysGrantsBeforeTheirRecordAndOfEachAlone) {
  const Digest grant = Accept(NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}}).statement, ana);
  Revoke();
  const Digest revocation = entries.back().head.statement;
  EXPECT_EQ(Refusal(Purge(us_admin, {record, grant}), us_admin), Reason::kMalformed);
  EXPECT_EQ(Refusal(Purge(us_admin, {record, revocation}), us_admin), Reason::kMalformed);
  auto before = Decide(Signed(Purge(us_admin, {record}), us_admin));
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().reason, Reason::kNotReady);
  EXPECT_THAT(before.error().detail, ::testing::HasSubstr(grant.Hex()));
  Accept(Purge(us_admin, {grant}), us_admin);
  EXPECT_FALSE(state.body_purged(draft.record().payload.portions[0].body_root));
  Accept(Purge(us_admin, {record}), us_admin);
  EXPECT_TRUE(state.body_purged(draft.record().payload.portions[0].body_root));
}

// Whether two of one's own statements are about one thing is not told: what they name may be hidden, of one original, or not
// there at all.
TEST_F(PurgeTest, OfSeveralStatementsIsRefusedWhateverTheyName) {
  const Digest grant = Accept(NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}}).statement, ana);
  const Digest absent = random.Make<Digest>();
  auto asks = [&](const Digest& what) { return Accept(Access(gt_ana, what), gt_ana); };
  auto opens = [&](const Digest& what) { return Accept(Open(gt_ana, {Item(what, 0, "gt.mp")}), gt_ana); };
  Person& gt_admin = people.at("gt.mp/admin");
  std::vector<std::vector<Digest>> pairs;
  for (const Digest& one : {record, absent}) pairs.push_back({opens(one), opens(one)});
  pairs.push_back({opens(record), opens(grant)});
  pairs.push_back({opens(absent), opens(grant)});
  for (const Digest& one : {record, absent}) pairs.push_back({asks(one), asks(one)});
  now += std::chrono::days(31);
  std::set<std::string> answers;
  for (const auto& pair : pairs) {
    auto refused = Decide(Signed(Purge(gt_admin, pair), gt_admin));
    ASSERT_FALSE(refused);
    answers.insert(refused.error().Message());
  }
  EXPECT_THAT(answers, ElementsAre(Error{Reason::kMalformed, "a purge erases one statement"}.Message()));
  for (const auto& pair : pairs)
    for (const Digest& one : pair) Accept(Purge(gt_admin, {one}), gt_admin);
}

TEST_F(PurgeTest, OfAnAccessRequestDoesNotTellWhatBecameOfIt) {
  const Digest ignored = Send({PolicyFor({"mx.fgr"})}), refused = Send({PolicyFor({"mx.fgr"})});
  std::vector<Digest> asked;
  for (const Digest& one : {record, ignored, refused, random.Make<Digest>()})
    asked.push_back(Accept(Access(fbi_ana, one), fbi_ana));
  auto grant = NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}});
  grant.grant().request = asked[0];
  Accept(grant.statement, ana);
  Accept(Answer{By(ana), asked[2], std::nullopt, "no"}, ana);
  Person& admin = people.at("us.fbi/admin");
  auto answers = [&] {
    std::set<std::string> out;
    for (const Digest& one : asked) {
      auto decided = Decide(Signed(Purge(admin, {one}), admin));
      out.insert(decided ? "accepted" : decided.error().Message());
    }
    return out;
  };
  EXPECT_THAT(answers(),
              ElementsAre(Error{Reason::kNotReady, "an access request keeps its text for 30 days"}.Message()));
  now += std::chrono::days(30);
  EXPECT_THAT(answers(), ElementsAre("accepted"));
}

TEST_F(PurgeTest, OfAnOpeningIsToldToTheOriginator) {
  auto open = Open(mx_ana, {Item(record, 0, "mx.fgr")});
  open.case_reference = "FED/1";
  const Digest opening = Accept(open, mx_ana);
  EXPECT_THAT(state.statement(opening)->about, ElementsAre(record));
  now += kKept;
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
  now += kKept + std::chrono::hours(1);
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

// ---- what an opening was granted for ----

// us.dea's record, opened by mx.fgr.
class ReasonsTest : public ::testing::Test, public test::DualWorld {
 protected:
  Reason Erase(const Digest& what, Person& by) { return Refusal(Purge(by, {what}), by); }
  bool MayErase(const Digest& what, Person& by) { return Decide(Signed(Purge(by, {what}), by)).has_value(); }
  std::vector<Digest> Kinds(Kind kind) const {
    std::vector<Digest> out;
    for (const auto& entry : entries)
      if (entry.statement->kind == kind) out.push_back(entry.head.statement);
    return out;
  }
};

TEST_F(ReasonsTest, OfWhoOpenedAndOfWhoApprovedAreKeptAYearFromTheOpeningOn) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  Say(luz, request);
  now += std::chrono::hours(2);
  EXPECT_THAT(Again(request), ::testing::IsEmpty());
  const Digest opening = entries.back().head.statement;
  const auto approvals = Kinds(Kind::kApproval);
  now += std::chrono::hours(48);  // the request's time is over
  for (const Digest& one : {request, opening, approvals[1]}) EXPECT_EQ(Erase(one, mx_admin), Reason::kNotReady);
  EXPECT_TRUE(MayErase(approvals[0], us_admin)) << "the originator's own";
  now += kKept - std::chrono::hours(50);  // since the request, not since the opening
  for (const Digest& one : {request, opening, approvals[1]}) EXPECT_EQ(Erase(one, mx_admin), Reason::kNotReady);
  now += std::chrono::hours(3);
  for (const Digest& one : {request, opening, approvals[1]}) Accept(Purge(mx_admin, {one}), mx_admin);
}

TEST_F(ReasonsTest, OfAnEmergencyAndOfItsReviewAreKeptAYearFromTheReviewOn) {
  Enrol("us.dea/audit", "audit", [](MemberRecord& m) { m.auditor = true; });
  Person& audit = people.at("us.dea/audit");
  auto open = Open(mx_ana, {Item(record, 0, "mx.fgr")});
  open.emergency = "lives are at stake";
  const Digest emergency = Accept(open, mx_ana);
  now += kKept;
  EXPECT_EQ(Erase(emergency, mx_admin), Reason::kNotReady) << "not reviewed";
  const Digest review = Accept(Review{By(audit), emergency, Finding::kNotJustified, "it could wait"}, audit);
  EXPECT_EQ(Erase(emergency, mx_admin), Reason::kNotReady);
  EXPECT_TRUE(MayErase(review, us_admin)) << "the originator's own";
  now += kKept + std::chrono::hours(1);
  Accept(Purge(mx_admin, {emergency}), mx_admin);
}

TEST_F(ReasonsTest, OfAnOrderAreKeptAYearFromItsLastOpeningOn) {
  auto order = Order(mx_ana);
  order.case_reference = "FED/1";
  const Digest used = Accept(order, mx_ana), unused = Accept(Order(mx_bob), mx_bob);
  const Digest later = Send({PolicyFor({"mx.fgr"})});
  Accept(Signed(StandingOpening{used, mx_ana.id(), later, {0}}));
  for (const Digest& one : {used, unused}) Accept(Revocation{By(mx_admin), one, "done"}, mx_admin);
  EXPECT_EQ(Erase(used, mx_admin), Reason::kNotReady);
  EXPECT_TRUE(MayErase(unused, mx_admin));
  now += kKept + std::chrono::hours(1);
  Accept(Purge(mx_admin, {used}), mx_admin);
}

TEST_F(ReasonsTest, OfWhatWasRefusedAreNotKept) {
  auto open = Open(mx_ana, {Item(record, 0, "mx.fgr")}, "analysis");
  open.case_reference = "FED/1";
  const Digest refused = Accept(open, mx_ana);
  Accept(Purge(mx_admin, {refused}), mx_admin);
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
