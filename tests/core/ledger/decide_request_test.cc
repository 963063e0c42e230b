// Approvals, access requests and their answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger/dual_world.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Person;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ApprovalTest : public ::testing::Test, public test::DualWorld {};

TEST_F(ApprovalTest, OpensWhatWaitedForItOnce) {
  EXPECT_THAT(ReasonsOf(Accept(Signed(Open(mx_ana, {Item(record, 0, "mx.fgr")}), mx_ana))),
              ElementsAre(ElementsAre(Reason::kApprovalMissing)));
  const Digest request = entries.back().head.statement;
  ASSERT_NE(state.pending(request), nullptr);
  EXPECT_EQ(state.pending(request)->expires, now + std::chrono::hours(24));
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
  Say(eva, request);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));  // of one group alone
  Say(luz, request);
  EXPECT_THAT(Again(request), IsEmpty());
  EXPECT_TRUE(state.pending(request)->used);
  EXPECT_EQ(Refusal(Second(request), mx_ana), Reason::kReplayed);
  EXPECT_EQ(Refusal(Approve(eva2, request), eva2), Reason::kExists);
}

TEST_F(ApprovalTest, IsForOneRequestAndNotForAnother) {
  const Digest first = Wait(mx_ana), second = Wait(mx_ana), colleagues = Wait(mx_bob);
  Say(eva, first);
  Say(luz, first);
  EXPECT_THAT(Again(second), ElementsAre(Reason::kApprovalMissing));
  auto borrowed = Second(first);
  borrowed.by = By(mx_bob);
  EXPECT_EQ(Refusal(borrowed, mx_bob), Reason::kNotFound);  // the approvals of a colleague's
  EXPECT_THAT(ReasonsOf(Accept(Signed(Second(colleagues, mx_bob), mx_bob))),
              ElementsAre(ElementsAre(Reason::kApprovalMissing)));
  EXPECT_THAT(Again(first), IsEmpty());
}

TEST_F(ApprovalTest, IsNotTheRequestersUnderASecondMemberId) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  EXPECT_EQ(Refusal(Approve(twin, request), twin), Reason::kSamePerson);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
  // Nor if the label is changed for the approval and back again: it is judged when it is used.
  twin.record.person = "somebody";
  Accept(Enrolment(twin, mx_admin), mx_admin);
  Say(twin, request);
  twin.record.person = "ana";
  Accept(Enrolment(twin, mx_admin), mx_admin);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
}

TEST_F(ApprovalTest, IsNobodysOfTheAgencyOfWhoAskedWithoutAPerson) {
  auto& nobody = Enrol("mx.fgr/nobody");  // might be luz under another name
  const Digest request = Wait(nobody);
  EXPECT_EQ(Refusal(Approve(luz, request), luz), Reason::kSamePerson);
  Say(eva, request);  // of another agency, and so another human
  // Nor if the label is taken away after the approval.
  const Digest second = Wait(mx_ana);
  Say(eva, second);
  Say(luz, second);
  mx_ana.record.person.clear();
  Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  EXPECT_THAT(Again(second), ElementsAre(Reason::kApprovalMissing));
}

TEST_F(ApprovalTest, CountsWhileTheKeyThatSignedItIsTheApprovers) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);  // by whoever had its device
  Say(luz, request);
  auto& renewed = NewPerson("us.dea/eva", {"secret", {"analyst"}, {"fast-boat"}});
  renewed.record.person = "eva";
  Accept(Enrolment(renewed, us_admin), us_admin);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
  Say(renewed, request);  // said again with the new one
  EXPECT_THAT(Again(request), IsEmpty());
}

TEST_F(ApprovalTest, IsAskedForSoOftenAtOnce) {
  for (std::size_t i = 0; i < kMostWaiting; ++i) Wait(mx_ana);
  EXPECT_EQ(Refusal(Open(mx_ana, {Item(record, 0, "mx.fgr")}), mx_ana), Reason::kTooMany);
  Wait(mx_bob);
}

TEST_F(ApprovalTest, IsNotTheRequestersEvenWhereThePolicyNamesIt) {
  const Digest request = Wait(luz);
  EXPECT_EQ(Refusal(Approve(luz, request), luz), Reason::kSamePerson);
}

TEST_F(ApprovalTest, CountsOnePersonOnce) {
  auto policy = Dual();
  policy.approvals = {{2, {eva.id(), eva2.id()}}};
  const Digest both = Send({policy});
  const Digest request = Wait(mx_ana, both);
  Say(eva, request);
  EXPECT_EQ(Refusal(Approve(eva2, request), eva2), Reason::kSamePerson);
  eva2.record.person = "other";
  Accept(Enrolment(eva2, us_admin), us_admin);
  Say(eva2, request);
  eva2.record.person = "eva";
  Accept(Enrolment(eva2, us_admin), us_admin);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
}

TEST_F(ApprovalTest, CountsOnePersonOnceForAllGroups) {
  auto policy = Dual();
  policy.approvals = {{1, {eva.id()}}, {1, {eva2.id()}}};
  const Digest request = Wait(mx_ana, Send({policy}));
  eva2.record.person = "other";
  Accept(Enrolment(eva2, us_admin), us_admin);
  Say(eva, request);
  Say(eva2, request);
  EXPECT_TRUE(Decide(Signed(Second(request), mx_ana)).value().verdicts[0].allowed());
  eva2.record.person = "eva";
  Accept(Enrolment(eva2, us_admin), us_admin);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
}

TEST_F(ApprovalTest, MayBeWithdrawnBeforeItIsUsed) {
  const Digest request = Wait(mx_ana);
  EXPECT_EQ(Refusal(Approve(eva, request, ApprovalVerdict::kWithdraw), eva), Reason::kNotReady);
  Say(eva, request);
  Say(luz, request);
  Say(eva, request, ApprovalVerdict::kWithdraw);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
  EXPECT_EQ(Refusal(Approve(eva, request, ApprovalVerdict::kWithdraw), eva), Reason::kNotReady);
  Say(eva2, request);  // the person has not spoken any more
  EXPECT_THAT(Again(request), IsEmpty());
}

TEST_F(ApprovalTest, IsStoppedByOneRejectionThatStands) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  Say(luz, request, ApprovalVerdict::kReject);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kRejected));
  Say(luz, request);  // another word, the last one counts
  EXPECT_THAT(Again(request), IsEmpty());
}

TEST_F(ApprovalTest, IsSaidOnceWithAReasonToReject) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  EXPECT_EQ(Refusal(Approve(eva, request), eva), Reason::kExists);
  for (const auto verdict : {ApprovalVerdict::kReject, ApprovalVerdict::kWithdraw}) {
    auto silent = Approve(eva, request, verdict);
    silent.why = "";
    EXPECT_EQ(Refusal(silent, eva), Reason::kMalformed);
  }
  auto loud = Approve(luz, request);
  loud.why = std::string(201, 'x');
  EXPECT_EQ(Refusal(loud, luz), Reason::kMalformed);
  loud.why = "";
  EXPECT_TRUE(Decide(Signed(loud, luz)));
}

TEST_F(ApprovalTest, IsGoodAsLongAsThePolicySays) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  Say(luz, request);
  now += std::chrono::hours(24) - Duration(1);
  EXPECT_TRUE(Decide(Signed(Second(request), mx_ana)).value().verdicts[0].allowed());
  now += Duration(1);
  EXPECT_EQ(Refusal(Second(request), mx_ana), Reason::kRequestExpired);
  EXPECT_EQ(Refusal(Approve(eva2, request), eva2), Reason::kRequestExpired);
  Send({PolicyFor({"mx.fgr"})});  // any entry
  EXPECT_TRUE(state.all_pending().empty());
  now -= std::chrono::minutes(5);  // a clock that goes back behind the log revives nothing
  EXPECT_EQ(Refusal(Second(request), mx_ana), Reason::kRequestExpired);
  EXPECT_EQ(Refusal(Approve(eva2, request), eva2), Reason::kRequestExpired);
}

TEST_F(ApprovalTest, IsOnlyOfThoseWhomThePolicyNames) {
  const Digest request = Wait(mx_ana);
  Digest nothing;
  nothing.bytes[1] = 1;
  for (Person* other : {&ana, &bob, &us_admin, &mx_bob, &mx_admin, &fbi_ana, &gt_ana}) {
    auto hidden = Decide(Signed(Approve(*other, request), *other));
    auto absent = Decide(Signed(Approve(*other, nothing), *other));
    ASSERT_FALSE(hidden || absent);
    EXPECT_EQ(hidden.error().reason, Reason::kNotFound);
    EXPECT_EQ(hidden.error().Message(), absent.error().Message());
  }
  EXPECT_EQ(Refusal(Approve(eva, nothing), eva), Reason::kNotFound);
  EXPECT_EQ(Refusal(Approve(eva, record), eva), Reason::kNotFound);  // no request
}

TEST_F(ApprovalTest, IsOfTheOriginatorsOrTheRequestersSide) {
  auto policy = Dual();
  policy.approvals = {{1, {eva.id(), fbi_ana.id()}}};
  policy.releasable_to.agencies.push_back(Agency("us.fbi"));
  const Digest shared = Send({policy});
  const Digest theirs = Wait(mx_ana, shared);
  EXPECT_EQ(Refusal(Approve(fbi_ana, theirs), fbi_ana), Reason::kNotFound);  // a third agency of this request
  const Digest own = Wait(people.at("us.fbi/bob"), shared);
  Say(fbi_ana, own);
}

TEST_F(ApprovalTest, IsNoSystems) {
  const Digest request = Wait(mx_ana);
  eva.record.person = "";
  Accept(Enrolment(eva, us_admin), us_admin);
  EXPECT_EQ(Refusal(Approve(eva, request), eva), Reason::kNotAuthorised);
}

TEST_F(ApprovalTest, CountsNoMoreWhenItsAuthorIsGone) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  Say(luz, request);
  Accept(Suspension("us.dea/eva", us_admin), us_admin);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));
}

TEST_F(ApprovalTest, IsJudgedByThePolicyThatIsInForceWhenItIsUsed) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  Say(luz, request);
  auto stricter = Dual();
  stricter.approvals[0] = {1, {eva2.id()}};
  Accept(Amend(ana, record, stricter), ana);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kApprovalMissing));  // eva is not asked any more
  EXPECT_EQ(Refusal(Approve(eva, request, ApprovalVerdict::kReject), eva), Reason::kNotFound);
  Accept(Amend(ana, record, Dual()), ana);
  EXPECT_THAT(Again(request), IsEmpty());
}

TEST_F(ApprovalTest, ReplacesNoOtherRule) {
  const Digest request = Wait(mx_ana);
  Say(eva, request);
  Say(luz, request);
  auto narrower = Dual();
  narrower.need_to_know.all_roles = {"chief"};
  Accept(Amend(ana, record, narrower), ana);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kRoleMissing));
  EXPECT_FALSE(state.pending(request)->used);
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_THAT(Again(request), ElementsAre(Reason::kRevoked));
}

TEST_F(ApprovalTest, IsForTheSamePurposeCaseAndPortions) {
  const Digest two = Send({Dual(), Dual(), PolicyFor({"mx.fgr"})});
  auto ask = Open(mx_ana, {Item(two, 0, "mx.fgr"), Item(two, 2, "mx.fgr")});
  ask.case_reference = "FED/1";
  EXPECT_THAT(ReasonsOf(Accept(Signed(ask, mx_ana))), ElementsAre(ElementsAre(Reason::kApprovalMissing), IsEmpty()));
  const Digest request = entries.back().head.statement;
  auto with = [&](auto change) {
    auto second = Second(request);
    second.case_reference = "FED/1";
    change(second);
    return Refusal(second, mx_ana);
  };
  EXPECT_EQ(with([](auto& o) { o.purpose = "analysis"; }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& o) { o.case_reference = "FED/2"; }), Reason::kMalformed);
  EXPECT_EQ(with([&](auto& o) { o.items = {Item(two, 1, "mx.fgr")}; }), Reason::kMalformed);
  EXPECT_EQ(with([&](auto& o) { o.items = {Item(two, 2, "mx.fgr")}; }), Reason::kMalformed);  // that was granted
  EXPECT_EQ(with([](auto& o) { o.approved_request = Digest{}; }), Reason::kNotFound);
  EXPECT_EQ(with([](auto& o) { o.emergency = "now"; }), Reason::kMalformed);
}

TEST_F(ApprovalTest, IsUsedUpByAPartOfWhatWasApproved) {
  const Digest two = Send({Dual(), Dual()});
  Accept(Signed(Open(mx_ana, {Item(two, 0, "mx.fgr"), Item(two, 1, "mx.fgr")}), mx_ana));
  const Digest request = entries.back().head.statement;
  Say(eva, request);
  Say(luz, request);
  auto part = Second(request);
  part.items.resize(1, part.items[0]);
  EXPECT_THAT(ReasonsOf(Accept(Signed(part, mx_ana))), ElementsAre(IsEmpty()));
  EXPECT_EQ(Refusal(Second(request), mx_ana), Reason::kReplayed);
}

TEST_F(ApprovalTest, IsWaitedForByNothingThatWouldBeRefusedAnyway) {
  auto open = Open(mx_ana, {Item(record, 0, "mx.fgr")}, "analysis");
  EXPECT_THAT(ReasonsOf(Accept(Signed(open, mx_ana))),
              ElementsAre(ElementsAre(Reason::kWrongPurpose, Reason::kApprovalMissing)));
  EXPECT_EQ(state.pending(entries.back().head.statement), nullptr);
  EXPECT_TRUE(state.all_pending().empty());
}

TEST_F(ApprovalTest, TellsThoseWhoAreAskedAndNobodyElse) {
  Wait(mx_ana);
  const auto index = state.size() - 1;
  for (const char* agency : {"us.dea", "mx.fgr"}) EXPECT_EQ(state.entries_for(Agency(agency)).back(), index);
  for (const char* agency : {"us.fbi", "gt.mp"}) EXPECT_NE(state.entries_for(Agency(agency)).back(), index);
}

TEST_F(ApprovalTest, OfAGrantIsTheOriginatorsTooAndThatAgencyIsTold) {
  auto open = Dual();
  open.releasable_to.agencies = {Agency("us.dea")};
  open.approvals = {{1, {luz.id()}}};
  open.onward = policy::Onward::kWithinCountry;
  const Digest theirs = Accept(NewRecord(mx_ana, {open}).statement, mx_ana);
  const Digest first = Wait(ana, theirs);
  Say(luz, first);
  EXPECT_THAT(ReasonsOf(Accept(Signed(Second(first, ana), ana))), ElementsAre(IsEmpty()));
  auto onward = open;
  onward.releasable_to.agencies = {Agency("us.fbi")};
  const Digest passed = Accept(NewGrant(ana, theirs, {{0, onward}}).statement, ana);
  const Digest request = Wait(fbi_ana, passed);
  EXPECT_EQ(state.entries_for(Agency("mx.fgr")).back(), state.size() - 1);
  Say(luz, request);
  EXPECT_THAT(ReasonsOf(Accept(Signed(Second(request, fbi_ana), fbi_ana))), ElementsAre(IsEmpty()));
}

// ---- access requests ----

class AccessTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  Digest record = Send({PolicyFor({"mx.fgr"})});
  Digest nothing = Digest{{1}};
};

TEST_F(AccessTest, HaveOneAnswerWhetherThereIsARecordOrNot) {
  const Digest purged = Send({PolicyFor({"mx.fgr"})});
  Accept(Revocation{By(ana), purged, "x"}, ana);
  Accept(Purge(ana, {purged}), ana);
  for (const Digest& of : {record, nothing, purged}) {
    auto asked = Signed(Access(gt_ana, of), gt_ana);
    const Decision decision = Decide(asked).value();
    EXPECT_EQ(decision, (Decision{asked->digest, authority, Nonce{}, {Verdict{}}}));
    const auto mail = state.entries_for(Agency("gt.mp")).size();
    Accept(asked);
    EXPECT_EQ(state.entries_for(Agency("gt.mp")).size(), mail + 1);
  }
}

TEST_F(AccessTest, ReachTheOriginatorAlone) {
  Accept(Access(gt_ana, record), gt_ana);
  const auto index = state.size() - 1;
  EXPECT_EQ(state.entries_for(Agency("us.dea")).back(), index);
  EXPECT_NE(state.entries_for(Agency("mx.fgr")).back(), index);
  EXPECT_EQ(state.entries_of(*state.record(record)).All().back(), index);
}

TEST_F(AccessTest, AreManyInADayButNotMore) {
  for (std::size_t i = 0; i < kMostAccessRequests; ++i) Accept(Access(gt_ana, i % 2 ? record : nothing), gt_ana);
  EXPECT_EQ(Refusal(Access(gt_ana, record), gt_ana), Reason::kTooMany);
  auto& colleague = people.at("gt.mp/bob");
  EXPECT_TRUE(Decide(Signed(Access(colleague, record), colleague)));
  now += std::chrono::hours(24) - Duration(1);
  EXPECT_EQ(Refusal(Access(gt_ana, record), gt_ana), Reason::kTooMany);
  now += Duration(1);
  Accept(Access(gt_ana, record), gt_ana);
}

TEST_F(AccessTest, TellNobodyByTheirNumberThatOneWasDeclined) {
  std::vector<Digest> asked;
  for (std::size_t i = 0; i < kMostAccessRequests; ++i) asked.push_back(Accept(Access(gt_ana, record), gt_ana));
  for (const auto& one : asked) Accept(Answer{By(ana), one, std::nullopt, ""}, ana);
  EXPECT_EQ(Refusal(Access(gt_ana, record), gt_ana), Reason::kTooMany);
}

TEST_F(AccessTest, AreWellFormed) {
  auto with = [&](Wish wish, auto change) {
    auto access = Access(gt_ana, record, wish);
    if (wish == Wish::kOnward) access.agency = Agency("us.fbi");
    EXPECT_TRUE(Decide(Signed(access, gt_ana)));
    change(access);
    return Refusal(access, gt_ana);
  };
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.agency = Agency("us.fbi"); }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.agency = Agency("fr.dgse"); }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.marking = policy::Tlp::kClear; }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.purpose = "fishing"; }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.why = ""; }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.case_reference = "a\nb"; }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.portions = {1, 1}; }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOpen, [](auto& a) { a.portions.resize(65); }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kOnward, [](auto& a) { a.agency = Agency("gt.mp"); }), Reason::kMalformed);
  EXPECT_EQ(with(Wish::kMarkLess, [](auto& a) { a.marking.reset(); }), Reason::kMalformed);
}

// ---- answers ----

TEST_F(AccessTest, AreAnsweredByTheOriginatorOrItsAdministratorOnce) {
  const Digest asked = Accept(Access(gt_ana, record), gt_ana), absent = Accept(Access(gt_ana, nothing), gt_ana);
  auto decline = [&](const Person& by, const Digest& of) { return Answer{By(by), of, std::nullopt, "no"}; };
  EXPECT_EQ(Refusal(decline(bob, asked), bob), Reason::kNotOriginator);
  for (Person* other : {&mx_ana, &mx_admin, &gt_ana, &fbi_ana})
    EXPECT_EQ(Refusal(decline(*other, asked), *other), Reason::kNotFound);
  EXPECT_EQ(Refusal(decline(ana, absent), ana), Reason::kNotFound);
  EXPECT_EQ(Refusal(decline(ana, nothing), ana), Reason::kNotFound);
  Accept(decline(us_admin, asked), us_admin);
  EXPECT_EQ(Refusal(decline(ana, asked), ana), Reason::kExists);
}

TEST_F(AccessTest, AreDeclinedInSilence) {
  const Digest asked = Accept(Access(gt_ana, record), gt_ana);
  const auto mail = state.entries_for(Agency("gt.mp")).All();
  Accept(Answer{By(ana), asked, std::nullopt, "never"}, ana);
  EXPECT_EQ(state.entries_for(Agency("gt.mp")).All(), mail);
  EXPECT_EQ(state.entries_for(Agency("us.dea")).back(), state.size() - 1);
}

TEST_F(AccessTest, AreAnsweredWithAMarkingOnlyIfOneWasAskedFor) {
  const Digest open = Accept(Access(mx_ana, record), mx_ana);
  EXPECT_EQ(Refusal(Answer{By(ana), open, policy::Tlp::kGreen, ""}, ana), Reason::kMalformed);
  const Digest less = Accept(Access(mx_ana, record, Wish::kMarkLess), mx_ana);
  Accept(Answer{By(ana), less, policy::Tlp::kGreen, ""}, ana);
  EXPECT_EQ(state.entries_for(Agency("mx.fgr")).back(), state.size() - 1);
  // A later consent to a stricter one takes nothing back.
  const Digest again = Accept(Access(mx_ana, record, Wish::kMarkLess), mx_ana);
  Accept(Answer{By(ana), again, policy::Tlp::kAmber, ""}, ana);
  EXPECT_EQ(state.consent(record, Agency("mx.fgr")), policy::Tlp::kGreen);
  EXPECT_FALSE(state.consent(record, Agency("us.fbi")));
}

}  // namespace
}  // namespace valija::ledger
