// Grants, the third-agency rule, and amendments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using test::Person;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GrantTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  std::vector<Reason> Ask1(const Person& by, const Digest& of) {
    return Ask(by, {Item(of, 0, by.id().agency().str())}).at(0);
  }
  Statement ToFbi(const Person& by, const Digest& of) {
    return NewGrant(by, of, {{0, PolicyFor({"us.fbi"})}}).statement;
  }
  test::Draft draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  Digest record = Accept(draft.statement, ana);
};

TEST_F(GrantTest, GivesALaterRecipientWhatTheRecordHolds) {
  EXPECT_THAT(Ask1(fbi_ana, record), ElementsAre(Reason::kNotFound));
  auto made = NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}}, {}, draft.ceks);
  const Digest grant = Accept(made.statement, ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), IsEmpty());
  EXPECT_THAT(Ask1(fbi_ana, record), ElementsAre(Reason::kNotReleasable));
  EXPECT_THAT(Ask1(mx_ana, grant), ElementsAre(Reason::kNotFound));  // it learns of no other recipient
  EXPECT_EQ(state.record(grant)->portions[0].openings_in_all, 1U);
  EXPECT_EQ(state.record(record)->portions[0].openings_in_all, 0U);
  EXPECT_THAT(state.record(record)->grants, ElementsAre(grant));

  // The keys are real: the grant's wrap gives the content key of the record.
  auto& value = made.grant();
  record::ContextCache cache;
  auto share = record::MakeReleaseShare(value.header, value.ctx, 0, Agency("us.fbi"), authority, release_key,
                                        made.statement.attachments.authority_encs[0], cache);
  ASSERT_TRUE(share);
  record::RecordPayload payload{value.header_bytes, value.header, value.ctx, {{value.wraps[0], 0, {}}}};
  std::vector<crypto::Secret> shares;
  shares.push_back(*std::move(share));
  auto cek = record::OpenCek(payload, made.statement.attachments.slips[0], epoch_keys.at({"us.fbi", 1}), shares, cache);
  ASSERT_TRUE(cek);
  EXPECT_TRUE(Equal(cek->view(), draft.ceks[0].view()));
}

TEST_F(GrantTest, MayBeOfSomePortionsUnderTheirNumbers) {
  const Digest three = Send({PolicyFor({"mx.fgr"}), PolicyFor({"mx.fgr"}), PolicyFor({"mx.fgr"})});
  auto made = NewGrant(ana, three, {{0, PolicyFor({"us.fbi"})}, {2, PolicyFor({"us.fbi"})}});
  const Digest grant = Accept(made.statement, ana);
  EXPECT_THAT(Ask(fbi_ana, {Item(grant, 0, "us.fbi"), Item(grant, 1, "us.fbi"), Item(grant, 2, "us.fbi")}),
              ElementsAre(IsEmpty(), ElementsAre(Reason::kNotFound), IsEmpty()));
  EXPECT_EQ(Refusal(NewGrant(ana, three, {{3, PolicyFor({"us.fbi"})}}).statement, ana), Reason::kBadHeader);
  EXPECT_EQ(Refusal(NewGrant(ana, three, {{1, PolicyFor({"us.fbi"})}, {0, PolicyFor({"us.fbi"})}}).statement, ana),
            Reason::kBadHeader);
}

TEST_F(GrantTest, IsNotMadeWithoutConsent) {
  Ask1(mx_ana, record);
  for (Person* other : {&mx_ana, &mx_bob, &mx_admin, &bob, &us_admin})
    EXPECT_EQ(Refusal(ToFbi(*other, record), *other), Reason::kNoConsent);
}

TEST_F(GrantTest, OfAHiddenRecordIsAnsweredAsOfAnAbsentOne) {
  Digest nothing;
  nothing.bytes[9] = 1;
  auto hidden = Decide(Signed(ToFbi(gt_ana, record), gt_ana)), absent = Decide(Signed(ToFbi(gt_ana, nothing), gt_ana));
  ASSERT_FALSE(hidden || absent);
  EXPECT_EQ(hidden.error().reason, Reason::kNotFound);
  EXPECT_EQ(hidden.error().Message(), absent.error().Message());
}

TEST_F(GrantTest, IsAlsoTheOwnersOfTheKeyThatMayAmend) {
  auto shared = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  shared.header().portions[0].amend_key_id = bob.sign.id();
  const Digest of = Accept(shared.statement, ana);
  Accept(ToFbi(bob, of), bob);
  Accept(ToFbi(ana, of), ana);
}

TEST_F(GrantTest, IsOfARecordThatIsThereAndNotOfAGrant) {
  const Digest grant = Accept(ToFbi(ana, record), ana);
  EXPECT_EQ(Refusal(ToFbi(ana, grant), ana), Reason::kNotFound);
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_EQ(Refusal(ToFbi(ana, record), ana), Reason::kRevoked);
  Accept(Purge(ana, {grant}), ana);
  Accept(Purge(ana, {record}), ana);
  EXPECT_EQ(Refusal(ToFbi(ana, record), ana), Reason::kPurged);
}

TEST_F(GrantTest, EndsWithItsRecord) {
  const Digest grant = Accept(ToFbi(ana, record), ana);
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_EQ(state.entries_for(Agency("us.fbi")).back(), state.size() - 1);  // who has the grant is told
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kRevoked));
  EXPECT_EQ(Refusal(Purge(ana, {record}), ana), Reason::kNotReady);  // its own wraps of the content key would stay
  Accept(Purge(ana, {grant}), ana);
  Accept(Purge(ana, {record}), ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kPurged));
}

TEST_F(GrantTest, IsMadeSoOftenOfOneRecord) {
  quick = true;
  const Digest first = Accept(ToFbi(ana, record), ana);
  for (std::size_t i = 1; i < kMostGrants; ++i) Accept(ToFbi(ana, record), ana);
  EXPECT_EQ(Refusal(ToFbi(ana, record), ana), Reason::kTooMany);
  EXPECT_EQ(Refusal(ToFbi(mx_ana, record), mx_ana), Reason::kNoConsent) << "nobody else finds out";
  Accept(Revocation{By(ana), first, "x"}, ana);
  Accept(ToFbi(ana, record), ana);  // what has ended is not counted
  EXPECT_EQ(Refusal(ToFbi(ana, record), ana), Reason::kTooMany);
}

// Else the record's grants, which everybody who looks at it goes through, would have no end.
TEST_F(GrantTest, IsMadeSoOftenOfOneRecordAlsoIfEachIsRevoked) {
  quick = true;
  auto apply = [&](ledger::Statement statement) {  // not decided, which is not what is tested here
    const auto signed_one = Signed(std::move(statement), ana);
    Decision decision{signed_one->digest, authority, Nonce{}, {Verdict{}}};
    ledger::Apply(state, {{state.size(), now, signed_one->digest, {}}, random.Make<Salt>(), signed_one, decision, {}});
    return signed_one->digest;
  };
  for (std::size_t i = 0; i < kMostGrantsEver; ++i) {
    const Digest grant = apply(ToFbi(ana, record));
    apply(Unsigned(Kind::kRevocation, Revocation{By(ana), grant, "x"}));
  }
  EXPECT_EQ(state.record(record)->grants.size(), kMostGrantsEver);
  EXPECT_EQ(Refusal(ToFbi(ana, record), ana), Reason::kTooMany);
}

TEST_F(GrantTest, IsRevokedAlone) {
  const Digest grant = Accept(ToFbi(ana, record), ana);
  Accept(Revocation{By(ana), grant, "x"}, ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kRevoked));
  EXPECT_THAT(Ask1(mx_ana, record), IsEmpty());
}

TEST_F(GrantTest, ThatHasEndedAsksForNoAnswerOfWhomNoOtherReaches) {
  auto asks = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  asks.header().urgency = record::Urgency::kUrgent;
  const Digest asked = Accept(asks.statement, ana);
  const auto waits = [&](const char* agency) {
    const auto all = state.asking(Agency(agency));
    return std::count(all.begin(), all.end(), asked) == 1;
  };
  const Digest first = Accept(ToFbi(ana, asked), ana), second = Accept(ToFbi(ana, asked), ana);
  Accept(Revocation{By(ana), first, "x"}, ana);
  EXPECT_TRUE(waits("us.fbi")) << "by the other grant";
  Accept(Revocation{By(ana), second, "x"}, ana);
  EXPECT_FALSE(waits("us.fbi"));
  EXPECT_TRUE(waits("mx.fgr"));
  Accept(Revocation{By(ana), asked, "x"}, ana);
  EXPECT_FALSE(waits("mx.fgr"));
}

TEST_F(GrantTest, HasAHeaderOfItsOwnThatAsksAndDerivesNothing) {
  auto spoilt = [&](auto change) {
    auto made = NewGrant(ana, record, {{0, PolicyFor({"us.fbi"})}});
    change(made.grant());
    return Refusal(made.statement, ana);
  };
  EXPECT_EQ(spoilt([&](auto& g) { g.header.in_reply_to = record; }), Reason::kBadHeader);
  EXPECT_EQ(spoilt([&](auto& g) { g.header.sources = {record}; }), Reason::kBadHeader);
  EXPECT_EQ(spoilt([](auto& g) { g.header.urgency = record::Urgency::kUrgent; }), Reason::kBadHeader);
  EXPECT_EQ(spoilt([](auto& g) { g.wraps[0].pop_back(); }), Reason::kBadHeader);
  EXPECT_EQ(spoilt([](auto& g) { g.policies.clear(); }), Reason::kBadPolicy);
  EXPECT_EQ(spoilt([&](auto& g) { g.ctx = draft.record().payload.ctx; }), Reason::kHeaderReused);
  EXPECT_EQ(spoilt([&](auto& g) { g.header.portions[0].amend_key_id = mx_ana.sign.id(); }), Reason::kBadHeader);
}

TEST_F(GrantTest, IsSealedToThePresentEpoch) {
  auto made = ToFbi(ana, record);
  auto& admin = people.at("us.fbi/admin");
  Accept(Epoch("us.fbi", admin), admin);
  now += std::chrono::hours(2);
  EXPECT_EQ(Refusal(made, ana), Reason::kSupersededEpoch);
}

// ---- answers to access requests ----

TEST_F(GrantTest, AnswersAnAccessRequestOnce) {
  const Digest asked = Accept(Access(fbi_ana, record), fbi_ana);
  auto answer = [&](const Digest& request, std::vector<std::string> to = {"us.fbi"}) {
    auto made = NewGrant(ana, record, {{0, PolicyFor(std::move(to))}});
    made.grant().request = request;
    return made.statement;
  };
  EXPECT_EQ(Refusal(answer(record), ana), Reason::kNotFound);
  EXPECT_EQ(Refusal(answer(asked, {"us.dea"}), ana), Reason::kMalformed);  // to another than who asked
  const Digest other = Accept(Access(fbi_ana, Send({PolicyFor({"mx.fgr"})})), fbi_ana);
  EXPECT_EQ(Refusal(answer(other), ana), Reason::kNotFound);
  Accept(answer(asked), ana);
  EXPECT_TRUE(state.access_request(asked)->answered);
  EXPECT_EQ(Refusal(answer(asked), ana), Reason::kExists);
  EXPECT_EQ(Refusal(Answer{By(ana), asked, std::nullopt, ""}, ana), Reason::kExists);
}

TEST_F(GrantTest, PassesOnAtARecipientsRequestButNotAgainstThePolicy) {
  auto never = PolicyFor({"mx.fgr"});
  never.onward = policy::Onward::kNever;
  for (const Digest& of : {record, Send({never})}) {
    auto asks = Access(mx_ana, of, Wish::kOnward);
    asks.agency = Agency("us.fbi");
    auto made = NewGrant(ana, of, {{0, PolicyFor({"us.fbi"})}});
    made.grant().request = Accept(asks, mx_ana);
    if (of == record)
      Accept(made.statement, ana);
    else
      EXPECT_EQ(Refusal(made.statement, ana), Reason::kNoConsent);
  }
}

// ---- the third-agency rule ----

// mx.fgr/ana sends to us.dea, which may pass on within its country.
class OnwardTest : public GrantTest {
 protected:
  policy::Policy Given() {
    auto out = PolicyFor({"us.dea"});
    out.onward = policy::Onward::kWithinCountry;
    out.openings_per_agency = 3;
    out.openings_in_all = 4;
    return out;
  }
  policy::Policy For(std::vector<std::string> agencies) {
    auto out = Given();
    out.releasable_to = PolicyFor(std::move(agencies)).releasable_to;
    return out;
  }
  Statement Pass(const Person& by, const policy::Policy& policy) {
    return NewGrant(by, theirs, {{0, policy}}).statement;
  }
  Digest epoch = Accept(Epoch("gt.mp", people.at("gt.mp/admin")), people.at("gt.mp/admin"));
  Digest theirs = Accept(NewRecord(mx_ana, {Given()}).statement, mx_ana);
};

TEST_F(OnwardTest, LetsARecipientThatHasOpenedPassOnWithinItsCountry) {
  EXPECT_EQ(Refusal(Pass(ana, For({"us.fbi"})), ana), Reason::kNoConsent);  // not opened yet
  EXPECT_THAT(Ask1(ana, theirs), IsEmpty());
  EXPECT_EQ(Refusal(Pass(ana, For({"gt.mp"})), ana), Reason::kNoConsent);
  EXPECT_EQ(Refusal(Pass(ana, For({"mx.fgr", "us.fbi"})), ana), Reason::kNoConsent);
  const Digest grant = Accept(Pass(bob, For({"us.fbi"})), bob);  // the agency has it, not the officer alone
  EXPECT_THAT(Ask1(fbi_ana, grant), IsEmpty());
  EXPECT_EQ(state.entries_for(Agency("mx.fgr")).back(), state.size() - 1);  // the originator sees the opening
}

TEST_F(OnwardTest, HasANumberOfItsOwnAndUsesUpNobodyElses) {
  quick = true;
  Ask1(ana, theirs);
  for (std::size_t i = 0; i < kMostGrants; ++i) Accept(Pass(ana, For({"us.fbi"})), ana);
  EXPECT_EQ(Refusal(Pass(ana, For({"us.fbi"})), ana), Reason::kTooMany);
  Accept(Pass(mx_ana, For({"us.fbi"})), mx_ana);
}

TEST_F(OnwardTest, AllowsNothingThatTheOriginatorDoesNot) {
  Ask1(ana, theirs);
  auto laxer = [&](auto change) {
    auto policy = For({"us.fbi"});
    change(policy);
    return Refusal(Pass(ana, policy), ana);
  };
  EXPECT_EQ(laxer([](auto& p) { p.marking = policy::Tlp::kGreen; }), Reason::kNoConsent);
  EXPECT_EQ(laxer([](auto& p) { p.expires = *p.expires + Duration(1); }), Reason::kNoConsent);
  EXPECT_EQ(laxer([](auto& p) { p.openings_in_all = 5; }), Reason::kNoConsent);
  EXPECT_EQ(laxer([](auto& p) { p.purposes = {"analysis", "investigation"}; }), Reason::kNoConsent);
  EXPECT_EQ(laxer([](auto& p) { p.audience_shown = true; }), Reason::kNoConsent);
}

TEST_F(OnwardTest, GoesNoFurtherThanOneStep) {
  Ask1(ana, theirs);
  const Digest grant = Accept(Pass(ana, For({"us.fbi"})), ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), IsEmpty());
  EXPECT_EQ(Refusal(Pass(fbi_ana, For({"us.dea", "us.fbi"})), fbi_ana), Reason::kNoConsent);
  EXPECT_EQ(Refusal(NewGrant(fbi_ana, grant, {{0, For({"us.fbi"})}}).statement, fbi_ana), Reason::kNotFound);
}

TEST_F(OnwardTest, CountsWithTheOriginatorsLimits) {
  EXPECT_THAT(Ask1(ana, theirs), IsEmpty());
  std::vector<Digest> grants;
  for (int i = 0; i < 3; ++i) grants.push_back(Accept(Pass(ana, For({"us.dea", "us.fbi"})), ana));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Ask1(fbi_ana, grants[i]), IsEmpty()) << i;
  EXPECT_THAT(Ask1(fbi_ana, grants[0]), ElementsAre(Reason::kLimitReached));  // in all, over all grants
  EXPECT_THAT(Ask1(ana, theirs), ElementsAre(Reason::kLimitReached));
  EXPECT_EQ(state.record(theirs)->portions[0].openings_in_all, 4U);
  // Nor at once, in one request.
  EXPECT_EQ(Refusal(Open(fbi_ana, {Item(grants[1], 0, "us.fbi"), Item(grants[2], 0, "us.fbi")}), fbi_ana),
            Reason::kMalformed);
}

TEST_F(OnwardTest, StopsWhereTheOriginatorTightensItsPolicy) {
  Ask1(ana, theirs);
  const Digest grant = Accept(Pass(ana, For({"us.fbi"})), ana);
  auto tighter = Given();
  tighter.need_to_know.all_roles = {"chief"};
  Accept(Amend(mx_ana, theirs, tighter), mx_ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kNoConsent));
  auto kept = For({"us.fbi"});
  kept.need_to_know.all_roles = {"chief"};
  Accept(Amend(ana, grant, kept), ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kRoleMissing));
}

TEST_F(OnwardTest, StopsWithTheConsentAndWithTheAudienceOfWhoPassedItOn) {
  Ask1(ana, theirs);
  auto never = For({"us.fbi"});
  never.onward = policy::Onward::kNever;
  const Digest grant = Accept(Pass(ana, never), ana);
  auto changed = Given();
  changed.onward = policy::Onward::kNever;
  Accept(Amend(mx_ana, theirs, changed), mx_ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kNoConsent));
  Accept(Amend(mx_ana, theirs, Given()), mx_ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), IsEmpty());
  changed = Given();
  changed.releasable_to.agencies = {Agency("us.fbi")};
  if (Decide(Signed(Amend(mx_ana, theirs, changed), mx_ana))) {
    Accept(Amend(mx_ana, theirs, changed), mx_ana);
    EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kNoConsent));
  }
}

TEST_F(OnwardTest, LetsTheOriginatorTakeBackWhatWasPassedOn) {
  Ask1(ana, theirs);
  const Digest grant = Accept(Pass(ana, For({"us.fbi"})), ana);
  EXPECT_EQ(Refusal(Revocation{By(fbi_ana), grant, "x"}, fbi_ana), Reason::kNotOriginator);
  Accept(Revocation{By(mx_ana), grant, "x"}, mx_ana);
  EXPECT_THAT(Ask1(fbi_ana, grant), ElementsAre(Reason::kRevoked));
}

TEST_F(OnwardTest, AnswersNoAccessRequest) {
  Ask1(ana, theirs);
  auto made = NewGrant(ana, theirs, {{0, For({"us.fbi"})}});
  made.grant().request = Accept(Access(fbi_ana, theirs), fbi_ana);
  EXPECT_EQ(Refusal(made.statement, ana), Reason::kNotOriginator);
}

TEST_F(OnwardTest, ShowsARequestToOneOriginatorAndOneThatPassedOn) {
  Ask1(ana, theirs);
  const Digest grant = Accept(Pass(ana, For({"us.fbi"})), ana);
  const Digest direct = Accept(NewRecord(mx_ana, {PolicyFor({"us.fbi"})}).statement, mx_ana);
  // us.dea would be shown the digest of a record that mx.fgr sent to us.fbi alone.
  EXPECT_EQ(Refusal(Open(fbi_ana, {Item(grant, 0, "us.fbi"), Item(direct, 0, "us.fbi")}), fbi_ana), Reason::kMalformed);
}

// ---- amendments ----

class AmendmentTest : public GrantTest {};

TEST_F(AmendmentTest, RulesFromItsEntryOnAndIsNamedByTheDecision) {
  auto tighter = PolicyFor({"mx.fgr"});
  tighter.need_to_know.clearance = "secret";
  EXPECT_THAT(Ask1(mx_bob, record), IsEmpty());
  Accept(Amend(ana, record, tighter), ana);
  const Hash digest = std::get<Amendment>(entries.back().statement->payload).policy_digest;
  const Verdict verdict = Accept(Signed(Open(mx_bob, {Item(record, 0, "mx.fgr")}), mx_bob)).verdicts.at(0);
  EXPECT_EQ(verdict, (Verdict{record, 0, {Reason::kClearance}, digest, 1, ""}));
  auto looser = PolicyFor({"mx.fgr"});
  looser.marking = policy::Tlp::kGreen;
  Accept(Amend(ana, record, looser), ana);
  const Verdict open = Accept(Signed(Open(mx_bob, {Item(record, 0, "mx.fgr")}), mx_bob)).verdicts.at(0);
  EXPECT_TRUE(open.allowed());
  EXPECT_EQ(open.policy_sequence, 2U);
  EXPECT_EQ(open.obligation, "TLP:GREEN");
}

TEST_F(AmendmentTest, IsNotARecipients) {
  for (Person* other : {&mx_ana, &mx_admin, &bob})
    EXPECT_EQ(Refusal(Amend(*other, record, PolicyFor({"mx.fgr"})), *other), Reason::kNotOriginator);
  EXPECT_EQ(Refusal(Amend(fbi_ana, record, PolicyFor({"mx.fgr"})), fbi_ana), Reason::kNotFound);
  Accept(Amend(us_admin, record, PolicyFor({"mx.fgr"})), us_admin);
}

TEST_F(AmendmentTest, IsTheMembersAlsoWithItsNextKey) {
  auto& renewed = NewPerson("us.dea/ana", ana.record.attributes);
  Accept(Enrolment(renewed, us_admin), us_admin);
  Accept(Amend(renewed, record, PolicyFor({"mx.fgr"})), renewed);
}

TEST_F(AmendmentTest, ComesInOrder) {
  auto wrong = [&](auto change) {
    auto statement = Amend(ana, record, PolicyFor({"mx.fgr"}));
    change(std::get<Amendment>(statement.payload));
    return Refusal(statement, ana);
  };
  EXPECT_EQ(wrong([](auto& a) { a.previous.bytes[0] ^= 1; }), Reason::kWrongPrevious);
  EXPECT_EQ(wrong([](auto& a) { a.sequence = 2; }), Reason::kWrongPrevious);
  EXPECT_EQ(wrong([](auto& a) { a.sequence = 0; }), Reason::kWrongPrevious);
  EXPECT_EQ(wrong([](auto& a) { a.portion = 1; }), Reason::kNotFound);
  auto first = Amend(ana, record, PolicyFor({"mx.fgr"})), second = Amend(ana, record, PolicyFor({"mx.fgr"}));
  Accept(first, ana);
  EXPECT_EQ(Refusal(second, ana), Reason::kWrongPrevious);  // made before the first was there
}

TEST_F(AmendmentTest, BringsThePolicyThatItNames) {
  auto wrong = [&](auto change) {
    auto statement = Amend(ana, record, PolicyFor({"mx.fgr"}));
    change(statement);
    return Refusal(statement, ana);
  };
  EXPECT_EQ(wrong([](auto& s) { s.attachments.policies[0].back() ^= 1; }), Reason::kBadPolicy);
  EXPECT_EQ(wrong([](auto& s) { s.attachments.policies.clear(); }), Reason::kBadPolicy);
  EXPECT_EQ(wrong([](auto& s) { s.attachments.policies.push_back({}); }), Reason::kBadPolicy);
  EXPECT_EQ(wrong([](auto& s) { std::get<Amendment>(s.payload).policy.reset(); }), Reason::kBadPolicy);
  auto endless = PolicyFor({"mx.fgr"});
  endless.expires.reset();
  EXPECT_EQ(Refusal(Amend(ana, record, endless), ana), Reason::kBadPolicy);
}

TEST_F(AmendmentTest, ReachesNobodyWhoHoldsNoKey) {
  EXPECT_EQ(Refusal(Amend(ana, record, PolicyFor({"mx.fgr", "us.fbi"})), ana), Reason::kBadPolicy);
  Accept(Amend(ana, record, PolicyFor({})), ana);
  EXPECT_THAT(Ask1(mx_ana, record), ElementsAre(Reason::kNotFound));
  Accept(Amend(ana, record, PolicyFor({"mx.fgr"})), ana);  // back again: it still holds its key
  EXPECT_THAT(Ask1(mx_ana, record), IsEmpty());
}

TEST_F(AmendmentTest, KeepsAnAudienceThatReachesAnAgencyWithoutAKey) {
  auto both = PolicyFor({"gt.mp", "mx.fgr"});  // gt.mp had no epoch
  const Digest early = Send({both});
  both.case_required = true;
  Accept(Amend(ana, early, both), ana);
  EXPECT_THAT(Ask1(gt_ana, early), ElementsAre(Reason::kNotReleasable));
}

TEST_F(AmendmentTest, IsOfARecordThatIsThere) {
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_EQ(Refusal(Amend(ana, record, PolicyFor({"mx.fgr"})), ana), Reason::kRevoked);
  Accept(Purge(ana, {record}), ana);
  EXPECT_EQ(Refusal(Amend(ana, record, PolicyFor({"mx.fgr"})), ana), Reason::kPurged);
}

TEST_F(OnwardTest, StaysNoLaxerWhenItIsAmended) {
  Ask1(ana, theirs);
  const Digest grant = Accept(Pass(ana, For({"us.fbi"})), ana);
  auto laxer = For({"us.fbi"});
  laxer.openings_in_all = 0;
  EXPECT_EQ(Refusal(Amend(ana, grant, laxer), ana), Reason::kNoConsent);
  EXPECT_EQ(Refusal(Amend(mx_ana, grant, For({"us.fbi"})), mx_ana), Reason::kNotOriginator);
}

}  // namespace
}  // namespace valija::ledger
