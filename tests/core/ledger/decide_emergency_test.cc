// Break-glass: openings without the approvals, and their reviews.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/ledger/dual_world.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Person;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EmergencyTest : public ::testing::Test, public test::DualWorld {
 protected:
  Person& auditor = Enrol("us.dea/audit", "audrey", [](MemberRecord& m) { m.auditor = true; });
  Person& their_auditor = Enrol("mx.fgr/audit", "aldo", [](MemberRecord& m) { m.auditor = true; });

  ledger::Open Break(const Person& by, const Digest& of) {
    auto out = Open(by, {Item(of, 0, by.id().agency().str())});
    out.emergency = "lives are at stake";
    return out;
  }
  std::vector<Reason> Glass(const Person& by, const Digest& of) {
    return ReasonsOf(Accept(Signed(Break(by, of), by))).at(0);
  }
  std::vector<Reason> Glass(const Person& by) { return Glass(by, record); }
  Digest last() const { return entries.back().head.statement; }
  ledger::Review Close(const Person& by, const Digest& request) {
    return {By(by), request, Finding::kJustified, "seen with the duty officer"};
  }
};

TEST_F(EmergencyTest, OpensWithoutTheApprovalsAndTellsBothSides) {
  EXPECT_THAT(Glass(mx_ana), IsEmpty());
  const EmergencyState* emergency = state.emergency(last());
  ASSERT_NE(emergency, nullptr);
  EXPECT_EQ(emergency->author, mx_ana.id());
  EXPECT_THAT(emergency->originators, ElementsAre(Agency("us.dea")));
  for (const char* agency : {"us.dea", "mx.fgr"}) EXPECT_EQ(state.entries_for(Agency(agency)).back(), state.size() - 1);
  EXPECT_EQ(state.record(record)->portions[0].openings.at(Agency("mx.fgr")), 1U);
  EXPECT_EQ(state.pending(last()), nullptr);
}

TEST_F(EmergencyTest, IsNotUsedTwiceBeforeItsReview) {
  EXPECT_THAT(Glass(mx_ana), IsEmpty());
  const Digest first = last();
  EXPECT_THAT(Glass(mx_ana), ElementsAre(Reason::kEmergencyLocked));
  EXPECT_THAT(Glass(twin), ElementsAre(Reason::kEmergencyLocked));  // the same person under another member id
  EXPECT_THAT(Glass(mx_bob), IsEmpty());                            // another person
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), ElementsAre(ElementsAre(Reason::kApprovalMissing)));
  Accept(Close(auditor, first), auditor);
  EXPECT_THAT(Glass(twin), IsEmpty());
  EXPECT_THAT(Glass(mx_ana), ElementsAre(Reason::kEmergencyLocked));
}

// ---- look-ups ----

class LookupTest : public EmergencyTest {
 protected:
  ledger::Lookup Reads(const Person& by) const {
    return {const_cast<LookupTest*>(this)->By(by), 0, 0, now + std::chrono::hours(1), "the yearly review"};
  }
  Reason Refused(const ledger::Lookup& lookup, const Person& by) { return Refusal(lookup, by); }
};

TEST_F(LookupTest, IsMadeByAuditorsAlone) {
  EXPECT_EQ(Refused(Reads(mx_ana), mx_ana), Reason::kNotAuthorised);
  const Digest digest = Accept(Reads(auditor), auditor);
  const auto* known = state.lookup(digest);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->author, auditor.id());
  EXPECT_EQ(state.entries_for(Agency("us.dea")).back(), state.size() - 1);
  EXPECT_NE(state.entries_for(Agency("mx.fgr")).back(), state.size() - 1) << "of its own agency";
}

TEST_F(LookupTest, HasABeginningAnEndAndAReason) {
  auto lookup = Reads(auditor);
  lookup.from_index = state.size() + 1;
  EXPECT_EQ(Refused(lookup, auditor), Reason::kMalformed);
  lookup = Reads(auditor);
  lookup.from_index = lookup.end_index = 2;
  EXPECT_EQ(Refused(lookup, auditor), Reason::kMalformed);
  lookup = Reads(auditor);
  lookup.why = "  ";
  EXPECT_EQ(Refused(lookup, auditor), Reason::kMalformed);
  lookup = Reads(auditor);
  lookup.expires = now;
  EXPECT_EQ(Refused(lookup, auditor), Reason::kBadTime);
  lookup.expires = now + std::chrono::hours(24 * 30) + Duration(1);
  EXPECT_EQ(Refused(lookup, auditor), Reason::kBadTime);
  lookup.expires = now + std::chrono::hours(24 * 30);
  Accept(lookup, auditor);
}

TEST_F(LookupTest, OfAJointAuditorIsToldToWhoeverJoinsWhileItStandsAndNoOtherIs) {
  Person& joint = people.at("us.fbi/ana");
  const Digest own = Accept(Reads(auditor), auditor), all = Accept(Reads(joint), joint);
  ASSERT_TRUE(state.lookup(own) != nullptr && state.lookup(all) != nullptr);
  EXPECT_FALSE(state.lookup(own)->joint);
  EXPECT_TRUE(state.lookup(all)->joint);
  auto next = *state.charter();
  next.agencies.push_back(NewAgency("co.pnc"));
  std::sort(next.agencies.begin(), next.agencies.end(), [](auto& a, auto& b) { return a.id < b.id; });
  next.joint_auditors.push_back(auditor.id());
  Accept(
      SignedBy(Amended(next), {"us.dea/admin", "us.fbi/admin", "mx.fgr/admin", "gt.mp/admin", "co.pnc/admin"}).value());
  EXPECT_THAT(state.entries_for(Agency("co.pnc")).All(), ElementsAre(state.lookup(all)->index, state.size() - 1));
  EXPECT_FALSE(state.lookup(own)->joint) << "nobody else was told of it";
}

TEST_F(LookupTest, IsForgottenOnceItHasExpired) {
  const Digest digest = Accept(Reads(auditor), auditor);
  EXPECT_EQ(state.lookups_of(auditor.id()), 1U);
  now += std::chrono::hours(2);
  Accept(Reads(their_auditor), their_auditor);
  EXPECT_EQ(state.lookup(digest), nullptr);
  EXPECT_EQ(state.lookups_of(auditor.id()), 0U);
}

TEST_F(EmergencyTest, LocksTheMemberAlsoUnderANewLabel) {
  EXPECT_THAT(Glass(mx_ana), IsEmpty());
  mx_ana.record.person = "fresh";
  Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  EXPECT_THAT(Glass(mx_ana), ElementsAre(Reason::kEmergencyLocked));
}

TEST_F(EmergencyTest, LocksWhoeverBecomesThatPersonLater) {
  EXPECT_THAT(Glass(mx_ana), IsEmpty());
  mx_ana.record.person = "fresh";
  Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  mx_bob.record.person = "fresh";
  Accept(Enrolment(mx_bob, mx_admin), mx_admin);
  EXPECT_THAT(Glass(mx_bob), ElementsAre(Reason::kEmergencyLocked));
  EXPECT_THAT(Glass(twin), ElementsAre(Reason::kEmergencyLocked));  // who it was then
}

TEST_F(EmergencyTest, IsNobodysWithoutAPerson) {
  auto& system = Enrol("mx.fgr/system");
  auto open = Open(system, {Item(record, 0, "mx.fgr")});
  open.emergency = "now";
  EXPECT_EQ(Refusal(open, system), Reason::kNotAuthorised);  // the lock would be one card's, not a human's
}

TEST_F(EmergencyTest, BypassesNothingButApprovals) {
  auto policy = Dual();
  policy.need_to_know.all_roles = {"chief"};
  policy.not_before = now + std::chrono::hours(1);
  EXPECT_THAT(Glass(mx_ana, Send({policy})), ElementsAre(Reason::kRoleMissing, Reason::kNotYet));
  EXPECT_EQ(state.emergency(last()), nullptr);
  EXPECT_THAT(Glass(fbi_ana), ElementsAre(Reason::kNotFound));
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_THAT(Glass(mx_ana), ElementsAre(Reason::kRevoked));
  EXPECT_EQ(state.emergency_of("mx.fgr/#ana"), nullptr);  // what was refused locks nobody
}

TEST_F(EmergencyTest, IsTakenOnlyWhereThePolicyAllowsIt) {
  auto policy = Dual();
  policy.emergency = false;
  EXPECT_THAT(Glass(mx_ana, Send({policy})), ElementsAre(Reason::kNoEmergency));
  EXPECT_THAT(Glass(mx_ana, Send({PolicyFor({"mx.fgr"})})), ElementsAre(Reason::kNoEmergency));
}

TEST_F(EmergencyTest, HasAReadableReason) {
  for (const std::string& why : {std::string("a\nb"), std::string(201, 'x'), std::string("\xff")}) {
    auto open = Break(mx_ana, record);
    open.emergency = why;
    EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
  }
}

// ---- reviews ----

TEST_F(EmergencyTest, IsReviewedByTheOriginatorsAuditorOrAJointOneOnce) {
  Glass(mx_ana);
  const Digest first = last();
  for (Person* other : {&ana, &us_admin, &eva, &mx_admin, &their_auditor, &gt_ana, &mx_ana})
    EXPECT_EQ(Refusal(Close(*other, first), *other), Reason::kNotFound);
  auto silent = Close(auditor, first);
  silent.why = "";
  EXPECT_EQ(Refusal(silent, auditor), Reason::kMalformed);
  Accept(Close(auditor, first), auditor);
  EXPECT_EQ(Refusal(Close(fbi_ana, first), fbi_ana), Reason::kExists);
  Glass(mx_ana);
  Accept(Close(fbi_ana, last()), fbi_ana);  // a joint auditor of a third agency
  EXPECT_EQ(Refusal(Close(auditor, record), auditor), Reason::kNotFound);
}

TEST_F(EmergencyTest, IsNotReviewedByThePersonWhoMadeIt) {
  auto policy = Dual();
  policy.releasable_to.agencies = {Agency("us.dea")};
  policy.approvals = {{1, {eva.id()}}};
  const Digest own = Send({policy});
  auto& second = Enrol("us.dea/audit2", "ana", [](MemberRecord& m) { m.auditor = true; });
  EXPECT_THAT(Glass(ana, own), IsEmpty());
  EXPECT_EQ(Refusal(Close(second, last()), second), Reason::kSamePerson);
  Accept(Close(auditor, last()), auditor);
}

TEST_F(EmergencyTest, KeepsItsLockWhenItsAuthorIsSuspendedAndComesBack) {
  Glass(mx_ana);
  Accept(Suspension("mx.fgr/ana", mx_admin), mx_admin);
  Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  EXPECT_THAT(Glass(mx_ana), ElementsAre(Reason::kEmergencyLocked));
}

}  // namespace
}  // namespace valija::ledger
