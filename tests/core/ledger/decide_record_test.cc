// Records: header, attachments, epochs, policies and caps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/record/slip.h"
#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Draft;
using test::Member;
using ::testing::HasSubstr;

class DecideRecordTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  Draft Plain() { return NewRecord(ana, {PolicyFor({"mx.fgr"})}); }
  // The refusal of a good record after this change to its draft.
  template <class F>
  Error After(Draft draft, F change) {
    EXPECT_TRUE(Decide(Signed(draft.statement, ana)));
    change(draft);
    auto decision = Decide(Signed(draft.statement, ana));
    EXPECT_FALSE(decision);
    return decision ? Error{} : decision.error();
  }
  template <class F>
  Reason ReasonAfter(F change) {
    return After(Plain(), change).reason;
  }
  // The refusal of a record with the policy for mx.fgr after this change.
  template <class F>
  Error WithPolicy(F change) {
    auto policy = PolicyFor({"mx.fgr"});
    change(policy);
    auto decision = Decide(Signed(NewRecord(ana, {policy}, std::vector{Agency("mx.fgr")}).statement, ana));
    EXPECT_FALSE(decision);
    return decision ? Error{} : decision.error();
  }
  Result<Decision> TrySealedTo(const policy::Policy& policy, std::vector<std::string> recipients) {
    std::vector<AgencyId> to;
    for (const auto& agency : recipients) to.push_back(Agency(agency));
    return Decide(Signed(NewRecord(ana, {policy}, to).statement, ana));
  }
  policy::Policy ForCountry(const std::string& country) {
    auto policy = PolicyFor({});
    policy.releasable_to.countries = {country};
    return policy;
  }
};

TEST_F(DecideRecordTest, TakesAGoodRecord) {
  const auto policies = {PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"mx.fgr"})};
  Accept(NewRecord(ana, policies).statement, ana);
}

// ---- header and attachments ----

TEST_F(DecideRecordTest, RefusesAnUnknownSuite) {
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.header().suite = 2; }), Reason::kUnknownSuite);
}

TEST_F(DecideRecordTest, RefusesPortionsThatAreNotNumberedInOrder) {
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.header().portions[0].number = 1; }), Reason::kBadHeader);
}

TEST_F(DecideRecordTest, RefusesSealsThatDoNotFitTheHeader) {
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.record().payload.portions.clear(); }), Reason::kBadHeader);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.record().payload.portions[0].wraps.pop_back(); }), Reason::kBadHeader);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.record().payload.portions[0].wraps[0].pop_back(); }), Reason::kBadHeader);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.record().payload.portions[0].body_length = 100; }), Reason::kBadHeader);
}

TEST_F(DecideRecordTest, RefusesASecondStatementUnderOneHeader) {
  auto draft = Plain();
  Accept(draft.statement, ana);
  auto second = Plain();  // another payload, the same header
  second.record().payload = draft.record().payload;
  second.statement.attachments = draft.statement.attachments;
  EXPECT_EQ(Refusal(Signed(second.statement, ana)), Reason::kHeaderReused);
  EXPECT_EQ(Refusal(Signed(draft.statement, ana)), Reason::kExists);
}

TEST_F(DecideRecordTest, WantsAuthoritiesOfTheCharterWithTheirKeysAndItselfFirst) {
  const auto other = second_release_key.public_key().id();
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.header().authorities.clear(); }), Reason::kBadHeader);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.header().authorities[0].id = *AuthorityId::Parse("broker-9"); }),
            Reason::kBadHeader);
  EXPECT_EQ(ReasonAfter([&](Draft& d) { d.header().authorities[0].key_id = other; }), Reason::kBadHeader);
  auto foreign = Plain();
  authority = *AuthorityId::Parse("broker-2");
  auto decision = Decide(Signed(foreign.statement, ana));
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.error().reason, Reason::kBadHeader);
  EXPECT_THAT(decision.error().detail, HasSubstr("broker-1"));
}

TEST_F(DecideRecordTest, LetsOnlyTheOriginatorsKeyAmend) {
  EXPECT_EQ(ReasonAfter([&](Draft& d) { d.header().portions[0].amend_key_id = bob.sign.id(); }), Reason::kBadHeader);
}

TEST_F(DecideRecordTest, RefusesACommitmentWithoutItsSlip) {
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.statement.attachments.slips.clear(); }), Reason::kBadSlip);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.statement.attachments.slips[0].salt.bytes[0] ^= 1; }), Reason::kBadSlip);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.statement.attachments.slips[0].agency = Agency("us.fbi"); }),
            Reason::kBadSlip);
}

TEST_F(DecideRecordTest, RefusesAPolicyThatIsNotTheHeaders) {
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.statement.attachments.policies[0].back() ^= 1; }), Reason::kBadPolicy);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.statement.attachments.policies.clear(); }), Reason::kBadPolicy);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.record().policies.clear(); }), Reason::kBadPolicy);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.statement.attachments.authority_encs[0].bytes[9] ^= 1; }), Reason::kBadHeader);
}

TEST_F(DecideRecordTest, WantsTheMarkingOfThePolicyInTheHeader) {
  auto error = After(Plain(), [](Draft& d) { d.header().portions[0].marking = "TLP:GREEN"; });
  EXPECT_EQ(error.reason, Reason::kBadPolicy);
  EXPECT_THAT(error.detail, HasSubstr("marking"));
}

TEST_F(DecideRecordTest, RefusesAnotherSigningKeyThanTheMembersPresentOne) {
  auto draft = Plain();
  test::Person before = std::move(people.at("us.dea/ana"));
  auto& renewed = NewPerson("us.dea/ana", before.record.attributes);
  Accept(Enrolment(renewed, us_admin), us_admin);
  EXPECT_EQ(Refusal(Signed(draft.statement, before)), Reason::kBadSignature);
}

// ---- what it answers ----

TEST_F(DecideRecordTest, MayAnswerARecordThatItsAuthorMaySee) {
  const Digest asked = Send({PolicyFor({"mx.fgr"})});
  auto reply = NewRecord(mx_ana, {PolicyFor({"us.dea"})});
  reply.header().in_reply_to = asked;
  Accept(reply.statement, mx_ana);

  auto& fbi = people.at("us.fbi/ana");
  auto stranger = NewRecord(fbi, {PolicyFor({"us.dea"})});
  stranger.header().in_reply_to = asked;
  EXPECT_EQ(Refusal(Signed(stranger.statement, fbi)), Reason::kNotFound);
  stranger.header().in_reply_to = Digest{};
  EXPECT_EQ(Refusal(Signed(stranger.statement, fbi)), Reason::kNotFound);
}

// ---- epochs ----

TEST_F(DecideRecordTest, TakesASupersededEpochForTheGraceTimeAlone) {
  auto draft = Plain();
  Accept(Epoch("mx.fgr", mx_admin), mx_admin);
  const Time superseded = now;
  now = superseded + std::chrono::seconds(3600) - Duration(1);
  EXPECT_TRUE(Decide(Signed(draft.statement, ana)));
  now = superseded + std::chrono::seconds(3600);
  EXPECT_EQ(Refusal(Signed(draft.statement, ana)), Reason::kSupersededEpoch);
}

TEST_F(DecideRecordTest, TakesRecordsToTheCurrentEpochAfterARemovalUntilItIsRotated) {
  Accept(Removal("mx.fgr/bob", mx_admin), mx_admin);
  Accept(Plain().statement, ana);
}

TEST_F(DecideRecordTest, RefusesAnEpochThatHasEnded) {
  now = state.agency(Agency("mx.fgr"))->current()->not_after - Duration(1);
  auto draft = Plain();
  EXPECT_TRUE(Decide(Signed(draft.statement, ana)));
  now += Duration(1);
  EXPECT_EQ(Refusal(Signed(draft.statement, ana)), Reason::kSupersededEpoch);
}

TEST_F(DecideRecordTest, DoesNotWaitForAnAgencyWhoseEpochHasEnded) {
  now += std::chrono::days(200);
  Accept(Epoch("us.fbi", people.at("us.fbi/admin")), people.at("us.fbi/admin"));
  now += std::chrono::days(200);  // us.dea's and mx.fgr's have ended
  EXPECT_TRUE(TrySealedTo(ForCountry("us"), {"us.fbi"}));
  auto both = TrySealedTo(ForCountry("us"), {"us.dea", "us.fbi"});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().reason, Reason::kSupersededEpoch);
}

TEST_F(DecideRecordTest, RefusesAKeyThatIsNoEpochOfTheRecipient) {
  // A substituted epoch key: slip and commitment agree, the directory does not.
  auto draft = Plain();
  auto& slip = draft.statement.attachments.slips[0];
  slip.epoch_key_id = state.agency(Agency("us.fbi"))->current()->key_id;
  draft.header().portions[0].recipients[0] =
      record::CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc);
  EXPECT_EQ(Refusal(Signed(draft.statement, ana)), Reason::kBadSlip);
}

// ---- recipients and audience ----

TEST_F(DecideRecordTest, SealsToExactlyTheAgenciesThatTheAudienceReaches) {
  auto missing = TrySealedTo(PolicyFor({"mx.fgr", "us.fbi"}), {"mx.fgr"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().reason, Reason::kBadPolicy);
  EXPECT_THAT(missing.error().detail, HasSubstr("us.fbi is in the audience and no recipient"));
  auto extra = TrySealedTo(PolicyFor({"mx.fgr"}), {"mx.fgr", "us.fbi"});
  ASSERT_FALSE(extra);
  EXPECT_EQ(extra.error().reason, Reason::kBadPolicy);
  EXPECT_THAT(extra.error().detail, HasSubstr("us.fbi is a recipient and not in the audience"));
}

TEST_F(DecideRecordTest, ExpandsACountryToItsAgencies) {
  EXPECT_TRUE(TrySealedTo(ForCountry("us"), {"us.dea", "us.fbi"}));
  EXPECT_FALSE(TrySealedTo(ForCountry("us"), {"us.fbi"}));
  EXPECT_FALSE(TrySealedTo(ForCountry("us"), {"us.dea", "us.fbi", "mx.fgr"}));
}

TEST_F(DecideRecordTest, SealsToTheAgencyOfANamedMember) {
  auto policy = PolicyFor({});
  policy.releasable_to.members = {Member("mx.fgr/ana"), Member("mx.fgr/whoever")};
  EXPECT_TRUE(TrySealedTo(policy, {"mx.fgr"}));
  EXPECT_FALSE(TrySealedTo(policy, {"mx.fgr", "us.fbi"}));
  EXPECT_FALSE(TrySealedTo(policy, {"us.fbi"}));
}

TEST_F(DecideRecordTest, LeavesOutAnAgencyThatHasNoEpochYet) {
  EXPECT_TRUE(TrySealedTo(PolicyFor({"gt.mp", "mx.fgr"}), {"mx.fgr"}));
  auto& gt_admin = people.at("gt.mp/admin");
  Accept(Epoch("gt.mp", gt_admin), gt_admin);
  EXPECT_FALSE(TrySealedTo(PolicyFor({"gt.mp", "mx.fgr"}), {"mx.fgr"}));
}

TEST_F(DecideRecordTest, JudgesTheRecipientsOfEachPortion) {
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"mx.fgr"})});
  Accept(draft.statement, ana);
  // The first portion is sealed to both, the second to one alone.
  auto fresh = NewRecord(ana, {PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"mx.fgr"})});
  fresh.record().policies[1] = PolicyFor({"mx.fgr", "us.fbi"});
  auto missing = Decide(Signed(fresh.statement, ana));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().detail, HasSubstr("portion 1: us.fbi is in the audience and no recipient"));
  auto both = NewRecord(ana, {PolicyFor({"mx.fgr"}), PolicyFor({"mx.fgr"})}, std::vector{Agency("mx.fgr")});
  both.record().policies[1] = PolicyFor({"us.fbi"});  // the second portion has a recipient that is not its own
  auto decision = Decide(Signed(both.statement, ana));
  ASSERT_FALSE(decision);
  EXPECT_THAT(decision.error().detail, HasSubstr("portion 1: mx.fgr"));
}

TEST_F(DecideRecordTest, NamesNobodyWhomTheCharterDoesNotKnow) {
  const std::pair<policy::Audience, const char*> strangers[] = {
      {{{"fr"}, {Agency("mx.fgr")}, {}}, "no agency of the charter is of fr"},
      {{{}, {Agency("mx.fgr"), Agency("mx.frg")}, {}}, "mx.frg is no agency"},
      {{{}, {Agency("mx.fgr")}, {Member("mx.frg/ana")}}, "mx.frg/ana is of no agency"}};
  for (const auto& [audience, detail] : strangers) {
    auto error = WithPolicy([&, &audience = audience](policy::Policy& p) { p.releasable_to = audience; });
    EXPECT_EQ(error.reason, Reason::kBadPolicy);
    EXPECT_THAT(error.detail, HasSubstr(detail));
  }
}

// ---- policies and caps ----

TEST_F(DecideRecordTest, RefusesAPolicyThatBreaksItsForm) {
  auto error = WithPolicy([](policy::Policy& p) { p.marking = policy::Tlp::kRed; });
  EXPECT_EQ(error.reason, Reason::kBadPolicy);
  EXPECT_THAT(error.detail, HasSubstr("TLP:RED"));
}

TEST_F(DecideRecordTest, TakesAPolicyOf8KiBAndNoMore) {
  auto of_size = [this](std::size_t bytes) {  // without the random bytes before it
    auto draft = Plain();
    auto& policy = draft.statement.attachments.policies[0];
    policy.resize(Salt::kSize + bytes);
    draft.header().portions[0].policy_digest = crypto::Sha256(policy);
    return Decide(Signed(draft.statement, ana));
  };
  EXPECT_TRUE(of_size(8192));
  auto large = of_size(8193);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().reason, Reason::kBadPolicy);
  EXPECT_THAT(large.error().detail, HasSubstr("8193 bytes"));
}

TEST_F(DecideRecordTest, TakesThePurposesAndClearancesOfTheCharterAlone) {
  EXPECT_THAT(WithPolicy([](policy::Policy& p) {
                p.purposes = {"fishing", "investigation"};
              }).detail,
              HasSubstr("no purpose fishing"));
  EXPECT_THAT(WithPolicy([](policy::Policy& p) { p.need_to_know.clearance = "cosmic"; }).detail,
              HasSubstr("no clearance cosmic"));
  auto policy = PolicyFor({"mx.fgr"});
  policy.purposes = {"analysis", "prosecution"};
  policy.need_to_know.clearance = "restricted";
  EXPECT_TRUE(TrySealedTo(policy, {"mx.fgr"}));
}

TEST_F(DecideRecordTest, WantsAnEndWithinTheCharterWindow) {
  auto policy = PolicyFor({"mx.fgr"});
  policy.expires = now + std::chrono::days(3650);
  EXPECT_TRUE(TrySealedTo(policy, {"mx.fgr"}));
  *policy.expires += Duration(1);
  EXPECT_EQ(TrySealedTo(policy, {"mx.fgr"}).error().reason, Reason::kBadPolicy);
  policy.expires.reset();
  auto endless = TrySealedTo(policy, {"mx.fgr"});
  ASSERT_FALSE(endless);
  EXPECT_THAT(endless.error().detail, HasSubstr("must expire"));
}

class CapsTest : public ::testing::Test, public test::World {
 protected:
  void Begin(const CharterCaps& caps) {
    charter.caps = caps;
    Populate();
  }
  Result<Decision> Try(const std::vector<policy::Policy>& policies) {
    auto& ana = people.at("us.dea/ana");
    return Decide(Signed(NewRecord(ana, policies).statement, ana));
  }
};

TEST_F(CapsTest, LimitThePortions) {
  CharterCaps caps;
  caps.max_portions = 2;
  Begin(caps);
  const auto one = PolicyFor({"mx.fgr"});
  EXPECT_TRUE(Try({one, one}));
  EXPECT_EQ(Try({one, one, one}).error().reason, Reason::kTooMany);
}

TEST_F(CapsTest, LimitTheRecipientsOfAPortion) {
  CharterCaps caps;
  caps.max_recipients = 2;
  Begin(caps);
  EXPECT_TRUE(Try({PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"us.dea"})}));
  EXPECT_EQ(Try({PolicyFor({"us.dea"}), PolicyFor({"mx.fgr", "us.dea", "us.fbi"})}).error().reason, Reason::kTooMany);
}

TEST_F(CapsTest, LimitTheBody) {
  CharterCaps caps;
  caps.max_body_bytes = record::SealedBodySize(9);  // what the fixture seals
  Begin(caps);
  EXPECT_TRUE(Try({PolicyFor({"mx.fgr"})}));
  auto& ana = people.at("us.dea/ana");
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  draft.record().payload.portions[0].body_length = record::SealedBodySize(1000);
  EXPECT_EQ(Refusal(Signed(draft.statement, ana)), Reason::kTooLarge);
}

TEST_F(CapsTest, LimitTheWindow) {
  CharterCaps caps;
  caps.max_window_days = 29;
  Begin(caps);
  auto policy = PolicyFor({"mx.fgr"});  // 30 days
  EXPECT_EQ(Try({policy}).error().reason, Reason::kBadPolicy);
  policy.expires = now + std::chrono::days(29);
  EXPECT_TRUE(Try({policy}));
}

}  // namespace
}  // namespace valija::ledger
