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

TEST_F(DecideRecordTest, LetsOnlyAKeyOfTheOriginatorsAgencyAmend) {
  for (const KeyId& key : {mx_ana.sign.id(), fbi_ana.sign.id(), ana.kem.id(), KeyId{}})
    EXPECT_EQ(ReasonAfter([&](Draft& d) { d.header().portions[0].amend_key_id = key; }), Reason::kBadHeader);
  auto draft = Plain();
  draft.header().portions[0].amend_key_id = bob.sign.id();
  Accept(draft.statement, ana);
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

TEST_F(DecideRecordTest, StartsAClockWhereItAsksForAnAnswer) {
  const std::pair<record::Urgency, int> hours[] = {
      {record::Urgency::kNormal, 240}, {record::Urgency::kUrgent, 48}, {record::Urgency::kImmediate, 8}};
  for (const auto& [urgency, wait] : hours) {
    auto draft = Plain();
    draft.header().urgency = urgency;
    const Digest asked = Accept(draft.statement, ana);
    EXPECT_EQ(state.record(asked)->due, now + std::chrono::hours(wait));
  }
  EXPECT_FALSE(state.record(Accept(Plain().statement, ana))->due);
  EXPECT_EQ(ReasonAfter([](Draft& d) { d.header().urgency = static_cast<record::Urgency>(4); }), Reason::kBadHeader);
}

TEST_F(DecideRecordTest, RemembersTheFirstReplyOfEachAgencyAlsoWhereAGrantWasAnswered) {
  const Digest asked = Send({PolicyFor({"mx.fgr"})});
  const Digest grant = Accept(NewGrant(ana, asked, {{0, PolicyFor({"us.fbi"})}}).statement, ana);
  auto reply = [&](const test::Person& by, const Digest& to) {
    auto draft = NewRecord(by, {PolicyFor({"us.dea"})});
    draft.header().in_reply_to = to;
    Accept(draft.statement, by);
    return state.size() - 1;
  };
  const auto first = reply(mx_ana, asked);
  reply(mx_bob, asked);
  const auto theirs = reply(fbi_ana, grant);
  EXPECT_THAT(state.record(asked)->replies,
              ::testing::ElementsAre(std::pair(Agency("mx.fgr"), first), std::pair(Agency("us.fbi"), theirs)));
}

TEST_F(DecideRecordTest, StopsNoClockWithAReplyThatDoesNotReachWhoAsked) {
  const Digest asked = Send({PolicyFor({"mx.fgr"})});
  auto draft = NewRecord(mx_ana, {PolicyFor({"us.fbi"})});
  draft.header().in_reply_to = asked;
  Accept(draft.statement, mx_ana);
  EXPECT_TRUE(state.record(asked)->replies.empty());
}

// ---- what it derives from ----

class SourcesTest : public DecideRecordTest {
 protected:
  policy::Policy Marked(policy::Tlp marking, const char* agency) {
    auto policy = PolicyFor({agency});
    policy.marking = marking;
    return policy;
  }
  Draft From(const test::Person& author, policy::Tlp marking, std::vector<Digest> sources) {
    auto draft = NewRecord(author, {Marked(marking, "gt.mp")});
    draft.header().sources = std::move(sources);
    return draft;
  }
  Reason Derived(const test::Person& author, policy::Tlp marking, std::vector<Digest> sources) {
    return Refusal(From(author, marking, std::move(sources)).statement, author);
  }
  Digest epoch = Accept(Epoch("gt.mp", people.at("gt.mp/admin")), people.at("gt.mp/admin"));
  Digest source = Send({Marked(policy::Tlp::kGreen, "mx.fgr"), Marked(policy::Tlp::kAmberStrict, "mx.fgr")});
};

TEST_F(SourcesTest, AreMarkedAsStrictlyAsTheStrictestOpenedPortion) {
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kAmberStrict, {source}), Reason::kNotReady);  // opened by nobody
  Ask(mx_ana, {Item(source, 0, "mx.fgr")});
  EXPECT_EQ(Derived(mx_bob, policy::Tlp::kClear, {source}), Reason::kMarkingTooLow);
  EXPECT_TRUE(Decide(Signed(From(mx_bob, policy::Tlp::kGreen, {source}).statement, mx_bob)));
  Ask(mx_ana, {Item(source, 1, "mx.fgr")});
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kAmber, {source}), Reason::kMarkingTooLow);
  Accept(From(mx_ana, policy::Tlp::kAmberStrict, {source}).statement, mx_ana);
}

TEST_F(SourcesTest, AreOneAnswerWhetherHiddenOrAbsent) {
  auto hidden = Decide(Signed(From(fbi_ana, policy::Tlp::kAmber, {source}).statement, fbi_ana));
  Digest nothing;
  nothing.bytes[3] = 1;
  auto absent = Decide(Signed(From(fbi_ana, policy::Tlp::kAmber, {nothing}).statement, fbi_ana));
  ASSERT_FALSE(hidden || absent);
  EXPECT_EQ(hidden.error().reason, Reason::kNotFound);
  EXPECT_EQ(hidden.error().Message(), absent.error().Message());
}

TEST_F(SourcesTest, AreAscendingAndAtMost64) {
  EXPECT_EQ(Derived(ana, policy::Tlp::kAmber, {source, source}), Reason::kBadHeader);
  EXPECT_EQ(Derived(ana, policy::Tlp::kAmber, std::vector<Digest>(65)), Reason::kBadHeader);
}

TEST_F(SourcesTest, OfTheOwnAgencyBindNothing) { Accept(From(bob, policy::Tlp::kClear, {source}).statement, bob); }

TEST_F(SourcesTest, BindOverEveryStepOfOnesOwn) {
  Ask(mx_ana, {Item(source, 1, "mx.fgr")});
  const Digest first = Accept(From(mx_ana, policy::Tlp::kAmberStrict, {source}).statement, mx_ana);
  const Digest second = Accept(From(mx_bob, policy::Tlp::kAmberStrict, {first}).statement, mx_bob);
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kGreen, {first}), Reason::kMarkingTooLow);
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kGreen, {second}), Reason::kMarkingTooLow);
  const Digest passed =
      Accept(NewGrant(mx_bob, second, {{0, Marked(policy::Tlp::kAmberStrict, "us.fbi")}}).statement, mx_bob);
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kGreen, {passed}), Reason::kMarkingTooLow) << "as a grant of it";
  const Digest asked = Accept(Access(mx_ana, source, Wish::kMarkLess), mx_ana);
  Accept(Answer{By(ana), asked, policy::Tlp::kGreen, "the source is out of danger"}, ana);
  Accept(From(mx_ana, policy::Tlp::kGreen, {second}).statement, mx_ana);
}

TEST_F(SourcesTest, OfOthersAreSoManyAndOnesOwnAreNotCountedAmongThem) {
  quick = true;
  Digest last = Accept(From(mx_ana, policy::Tlp::kClear, {}).statement, mx_ana);
  for (int i = 0; i < 1024; ++i) last = Accept(From(mx_ana, policy::Tlp::kClear, {last}).statement, mx_ana);
  const Digest updates = Accept(From(mx_ana, policy::Tlp::kClear, {last}).statement, mx_ana);
  last = updates;
  for (int i = 0; i < 1025; i += 25) {
    std::vector<Digest> theirs;
    for (int n = 0; n < 25; ++n) theirs.push_back(Send({Marked(policy::Tlp::kClear, "mx.fgr")}));
    for (const Digest& one : theirs) Ask(mx_ana, {Item(one, 0, "mx.fgr")});
    theirs.push_back(last);
    std::sort(theirs.begin(), theirs.end());
    if (i < 1000) {
      last = Accept(From(mx_ana, policy::Tlp::kClear, theirs).statement, mx_ana);
    } else {
      EXPECT_EQ(Derived(mx_ana, policy::Tlp::kClear, theirs), Reason::kTooMany);
    }
  }
}

TEST_F(SourcesTest, MayBeMarkedLessWithTheOriginatorsConsent) {
  Ask(mx_ana, {Item(source, 1, "mx.fgr")});
  const Digest asked = Accept(Access(mx_ana, source, Wish::kMarkLess), mx_ana);
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kGreen, {source}), Reason::kMarkingTooLow);
  Accept(Answer{By(ana), asked, policy::Tlp::kGreen, "the source is out of danger"}, ana);
  EXPECT_EQ(state.consent(source, Agency("mx.fgr")), policy::Tlp::kGreen);
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kClear, {source}), Reason::kMarkingTooLow);
  Accept(From(mx_bob, policy::Tlp::kGreen, {source}).statement, mx_bob);  // it is the agency's
}

TEST_F(SourcesTest, MayNotBeMarkedLessAnyMoreOnceTheOriginatorMarksItMoreStrictly) {
  Ask(mx_ana, {Item(source, 1, "mx.fgr")});
  const Digest asked = Accept(Access(mx_ana, source, Wish::kMarkLess), mx_ana);
  Accept(Answer{By(ana), asked, policy::Tlp::kGreen, "the source is out of danger"}, ana);
  Accept(Amend(ana, source, Marked(policy::Tlp::kClear, "mx.fgr"), 0), ana);
  EXPECT_EQ(state.consent(source, Agency("mx.fgr")), policy::Tlp::kGreen) << "milder";
  Accept(Amend(ana, source, Marked(policy::Tlp::kGreen, "mx.fgr"), 0), ana);
  EXPECT_FALSE(state.consent(source, Agency("mx.fgr")));
  EXPECT_EQ(Derived(mx_ana, policy::Tlp::kGreen, {source}), Reason::kMarkingTooLow);
}

TEST_F(SourcesTest, BindLaterAmendmentsAndGrantsToo) {
  Ask(mx_ana, {Item(source, 1, "mx.fgr")});
  const Digest derived = Accept(From(mx_ana, policy::Tlp::kAmberStrict, {source}).statement, mx_ana);
  EXPECT_EQ(Refusal(Amend(mx_ana, derived, Marked(policy::Tlp::kGreen, "gt.mp")), mx_ana), Reason::kMarkingTooLow);
  EXPECT_EQ(Refusal(NewGrant(mx_ana, derived, {{0, Marked(policy::Tlp::kGreen, "us.fbi")}}).statement, mx_ana),
            Reason::kMarkingTooLow);
  Accept(NewGrant(mx_ana, derived, {{0, Marked(policy::Tlp::kAmberStrict, "us.fbi")}}).statement, mx_ana);
  auto shorter = Marked(policy::Tlp::kAmberStrict, "gt.mp");
  shorter.expires = now + std::chrono::days(1);
  Accept(Amend(mx_ana, derived, shorter), mx_ana);
}

TEST_F(SourcesTest, AreNotLaunderedThroughAGrantOfOnesOwn) {
  auto open = Marked(policy::Tlp::kAmberStrict, "us.dea");
  open.onward = policy::Onward::kWithinCountry;
  const Digest theirs = Accept(NewRecord(mx_ana, {open}).statement, mx_ana);
  Ask(ana, {Item(theirs, 0, "us.dea")});
  auto to_fbi = Marked(policy::Tlp::kAmberStrict, "us.fbi");
  const Digest passed = Accept(NewGrant(ana, theirs, {{0, to_fbi}}).statement, ana);
  EXPECT_EQ(Derived(ana, policy::Tlp::kGreen, {passed}), Reason::kMarkingTooLow);
  Ask(fbi_ana, {Item(passed, 0, "us.fbi")});
  EXPECT_EQ(Derived(fbi_ana, policy::Tlp::kGreen, {passed}), Reason::kMarkingTooLow);
  EXPECT_EQ(Derived(fbi_ana, policy::Tlp::kGreen, {theirs}), Reason::kMarkingTooLow);
}

// ---- bodies and decoys ----

TEST_F(DecideRecordTest, TakesNoBodyOfAnotherRecord) {
  // Whoever named it could purge it with its own record.
  auto victim = Plain(), thief = NewRecord(mx_ana, {PolicyFor({"us.fbi"})});
  Accept(victim.statement, ana);
  thief.record().payload.portions[0].body_root = victim.record().payload.portions[0].body_root;
  EXPECT_EQ(Refusal(thief.statement, mx_ana), Reason::kBadBody);
}

TEST_F(DecideRecordTest, PassesOverDecoys) {
  const Digest padded = Accept(NewRecord(ana, {PolicyFor({"mx.fgr"})}, test::Sealing{{}, 3}).statement, ana);
  const auto& portion = state.record(padded)->portions[0];
  EXPECT_EQ(entries.back().statement->attachments.slips.size(), 4U);
  ASSERT_EQ(portion.recipients.size(), 1U);
  EXPECT_EQ(portion.recipients[0].first, Agency("mx.fgr"));
  EXPECT_THAT(Ask(mx_ana, {Item(padded, 0, "mx.fgr")}), ::testing::ElementsAre(::testing::IsEmpty()));
  EXPECT_TRUE(state.entries_for(Agency("zz.none")).empty());
  // An audience of nobody has decoys alone.
  Accept(NewRecord(ana, {PolicyFor({})}, test::Sealing{{}, 4}).statement, ana);
}

TEST_F(DecideRecordTest, TakesNoDecoyForARecipientThatIsMissing) {
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr"})}, test::Sealing{std::vector<AgencyId>{}, 4});
  EXPECT_EQ(Refusal(draft.statement, ana), Reason::kBadPolicy);
  auto policy = PolicyFor({"mx.fgr"});
  policy.releasable_to.agencies.push_back(Agency("zz.none"));
  EXPECT_EQ(Refusal(NewRecord(ana, {policy}, test::Sealing{std::vector{Agency("mx.fgr")}, 1}).statement, ana),
            Reason::kBadPolicy);
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

// An approver counts on the originator's side and on that of who asks.
TEST_F(DecideRecordTest, AsksForNoApprovalThatNobodyCanGive) {
  const auto reason = [&](std::vector<policy::Approvals> groups) {
    auto policy = PolicyFor({"mx.fgr", "us.fbi"});
    policy.approvals = std::move(groups);
    policy.approval_hours = 1;
    auto decision = Decide(Signed(NewRecord(ana, {policy}).statement, ana));
    return decision ? std::string() : std::string(CodeOf(decision.error().reason));
  };
  EXPECT_EQ(reason({{1, {mx_ana.id()}}}), "");
  EXPECT_EQ(reason({{2, {mx_ana.id(), bob.id()}}}), "");
  EXPECT_EQ(reason({{1, {bob.id()}}, {1, {gt_ana.id(), mx_ana.id()}}}), "");
  EXPECT_EQ(reason({{1, {gt_ana.id()}}}), "bad-policy");
  EXPECT_EQ(reason({{1, {bob.id()}}, {1, {gt_ana.id()}}}), "bad-policy");
  EXPECT_EQ(reason({{2, {mx_ana.id(), fbi_ana.id()}}}), "bad-policy") << "one of each side, and nobody is both";
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

TEST_F(CapsTest, LimitTheRecipientsButNotTheDecoys) {
  CharterCaps caps;
  caps.max_recipients = 1;
  Begin(caps);
  auto& ana = people.at("us.dea/ana");
  EXPECT_TRUE(Decide(Signed(NewRecord(ana, {PolicyFor({"mx.fgr"})}, test::Sealing{{}, 3}).statement, ana)));
  EXPECT_EQ(Refusal(NewRecord(ana, {PolicyFor({"mx.fgr", "us.fbi"})}, test::Sealing{{}, 2}).statement, ana),
            Reason::kTooMany);
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
