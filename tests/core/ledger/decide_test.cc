// The rules that every statement meets, acknowledgements and revocations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ledger/decide_internal.h"
#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using ::testing::ElementsAre;

class DecideTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  Acknowledgement Ack(const test::Person& by, const Digest& of, const std::string& outcome = "received") {
    return {By(by), of, outcome};
  }
  Revocation Revoke(const test::Person& by, const Digest& of, const std::string& why = "sent in error") {
    return {By(by), of, why};
  }
  Digest record = Send({PolicyFor({"mx.fgr"})});
};

// ---- common ----

TEST(Decide, TakesNothingButACharterFirst) {
  test::World world;
  auto& admin = world["us.dea/admin"];
  EXPECT_EQ(world.Refusal(Revocation{world.By(admin), {}, "x"}, admin), Reason::kNotReady);
  EXPECT_EQ(world.Refusal(world.Enrolment(admin, admin), admin), Reason::kNotReady);
  world.Found();
  EXPECT_EQ(world.state.size(), 1U);
}

TEST_F(DecideTest, TakesOneCharterOnly) {
  EXPECT_EQ(Refusal(VerifyCharter(SignedCharter(charter)).value()), Reason::kExists);
}

TEST_F(DecideTest, RefusesAForeignOrigin) {
  auto ack = Ack(mx_ana, record);
  ack.by.origin = "example.org/other";
  EXPECT_EQ(Refusal(ack, mx_ana), Reason::kForeignOrigin);
}

TEST_F(DecideTest, RefusesAnAuthorWhoIsNoMember) {
  auto& stranger = NewPerson("mx.fgr/stranger");
  EXPECT_EQ(Refusal(Ack(stranger, record), stranger), Reason::kNotEnrolled);
  auto& foreigner = NewPerson("fr.dgse/x");
  EXPECT_EQ(Refusal(Ack(foreigner, record), foreigner), Reason::kNotEnrolled);
}

TEST_F(DecideTest, LetsARemovedMemberDoNothing) {
  Accept(Removal("us.dea/ana", us_admin), us_admin);
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  EXPECT_EQ(Refusal(Signed(draft.statement, ana)), Reason::kNotEnrolled);
  EXPECT_EQ(Refusal(Open(ana, {Item(record, 0, "us.dea")}), ana), Reason::kNotEnrolled);
  EXPECT_EQ(Refusal(Ack(ana, record), ana), Reason::kNotEnrolled);
  EXPECT_EQ(Refusal(Revoke(ana, record), ana), Reason::kNotEnrolled);

  auto& second = NewPerson("us.dea/second", {}, true);
  Accept(Enrolment(second, us_admin), us_admin);
  Accept(Removal("us.dea/admin", second), second);
  EXPECT_EQ(Refusal(Enrolment(NewPerson("us.dea/new"), us_admin), us_admin), Reason::kNotEnrolled);
  EXPECT_EQ(Refusal(Epoch("us.dea", us_admin), us_admin), Reason::kNotEnrolled);
}

TEST_F(DecideTest, RefusesAKeyThatIsNotTheMembersPresentOne) {
  test::Person before = std::move(people.at("mx.fgr/ana"));
  auto& renewed = NewPerson("mx.fgr/ana", before.record.attributes);
  EXPECT_EQ(Refusal(Ack(renewed, record), renewed), Reason::kBadSignature);  // not enrolled yet
  Accept(Enrolment(renewed, mx_admin), mx_admin);
  EXPECT_EQ(Refusal(Ack(before, record), before), Reason::kBadSignature);
  Accept(Ack(renewed, record), renewed);
}

TEST_F(DecideTest, TakesAStatementOnce) {
  auto ack = Signed(Ack(mx_ana, record), mx_ana);
  Accept(ack);
  EXPECT_EQ(Refusal(ack), Reason::kExists);
  now += std::chrono::hours(5);  // asked again late: still that it exists, not that it is late
  EXPECT_EQ(Refusal(ack), Reason::kExists);
}

TEST_F(DecideTest, RefusesATimeOutsideTheClockSkew) {
  for (auto [seconds, fits] : {std::pair{300, true}, {-300, true}, {301, false}, {-301, false}}) {
    auto ack = Ack(mx_ana, record);
    ack.by.time = now + std::chrono::seconds(seconds);
    auto decision = Decide(Signed(ack, mx_ana));
    EXPECT_EQ(decision.has_value(), fits) << seconds;
    if (!fits) {
      EXPECT_EQ(decision.error().reason, Reason::kBadTime);
    }
  }
}

TEST_F(DecideTest, GivesABigRecordADayToArriveButNoTimeInTheFuture) {
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  const Time made = now;
  for (auto [seconds, fits] : {std::pair{-300, true}, {-301, false}, {86400, true}, {86401, false}}) {
    now = made + std::chrono::seconds(seconds);
    auto decision = Decide(Signed(draft.statement, ana));
    EXPECT_EQ(decision.has_value(), fits) << seconds;
    if (!fits) {
      EXPECT_EQ(decision.error().reason, Reason::kBadTime);
    }
  }
}

TEST_F(DecideTest, RefusesAnAuthorityThatTheCharterDoesNotName) {
  authority = *AuthorityId::Parse("broker-9");
  EXPECT_EQ(Refusal(Ack(mx_ana, record), mx_ana), Reason::kNotAuthorised);
}

TEST_F(DecideTest, GivesOneVerdictAndWhoDecided) {
  auto ack = Signed(Ack(mx_ana, record), mx_ana);
  Nonce nonce;
  nonce.bytes[3] = 7;
  const Decision decision = ledger::Decide(state, ack, now, authority, nonce).value();
  EXPECT_EQ(decision, (Decision{ack->digest, authority, nonce, {Verdict{}}}));
  EXPECT_TRUE(decision.verdicts[0].allowed());
}

TEST_F(DecideTest, DecidesTheSameTwice) {
  auto statements = {Signed(Ack(mx_ana, record), mx_ana), Signed(Open(mx_ana, {Item(record, 0, "mx.fgr")}), mx_ana),
                     Signed(Open(gt_ana, {Item(record, 0, "gt.mp")}), gt_ana),
                     Signed(NewRecord(ana, {PolicyFor({"mx.fgr"})}).statement, ana)};
  for (const auto& statement : statements) EXPECT_EQ(Decide(statement).value(), Decide(statement).value());
}

// ---- acknowledgements ----

TEST_F(DecideTest, LetsWhoMayKnowOfARecordSayThatItArrived) {
  Accept(Ack(mx_ana, record), mx_ana);
  Accept(Ack(mx_bob, record), mx_bob);
  Accept(Ack(mx_bob, record), mx_bob);  // again: another statement
  Accept(Ack(bob, record), bob);        // the originator's agency
}

TEST_F(DecideTest, HidesARecordFromAnOutsidersAcknowledgement) {
  Digest nothing;
  nothing.bytes[0] = 1;
  auto hidden = Decide(Signed(Ack(gt_ana, record), gt_ana)), absent = Decide(Signed(Ack(gt_ana, nothing), gt_ana));
  ASSERT_FALSE(hidden || absent);
  EXPECT_EQ(hidden.error().reason, Reason::kNotFound);
  EXPECT_EQ(absent.error().reason, Reason::kNotFound);
  EXPECT_EQ(hidden.error().Message(), absent.error().Message());
}

TEST_F(DecideTest, RefusesAnOutcomeThatIsNotKnown) {
  for (const char* outcome : {"", "great", "Received"})
    EXPECT_EQ(Refusal(Ack(mx_ana, record, outcome), mx_ana), Reason::kMalformed) << outcome;
}

TEST_F(DecideTest, WantsAnOpeningBeforeAnOutcome) {
  for (const char* outcome : {"useful", "acted-on", "not-useful"})
    EXPECT_EQ(Refusal(Ack(mx_bob, record, outcome), mx_bob), Reason::kNotReady) << outcome;
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), ElementsAre(ElementsAre()));
  for (const char* outcome : {"useful", "acted-on", "not-useful"}) Accept(Ack(mx_bob, record, outcome), mx_bob);
  EXPECT_EQ(Refusal(Ack(bob, record, "useful"), bob), Reason::kNotReady);  // that was another agency's opening
}

TEST_F(DecideTest, DoesNotTakeARefusedOpeningForOne) {
  EXPECT_THAT(ReasonsOf(Accept(Signed(Open(mx_ana, {Item(record, 0, "mx.fgr")}, "analysis"), mx_ana))),
              ElementsAre(ElementsAre(Reason::kWrongPurpose)));
  EXPECT_EQ(Refusal(Ack(mx_ana, record, "useful"), mx_ana), Reason::kNotReady);
}

TEST_F(DecideTest, KnowsThatWhoErasedAndOpenedAgainHasItAgain) {
  Ask(mx_ana, {Item(record, 0, "mx.fgr")});
  Accept(Ack(mx_ana, record, "erased"), mx_ana);
  EXPECT_TRUE(state.record(record)->holders.at(mx_ana.id()).erased);
  Ask(mx_ana, {Item(record, 0, "mx.fgr")});
  EXPECT_FALSE(state.record(record)->holders.at(mx_ana.id()).erased);
}

TEST_F(DecideTest, LetsAHolderSayThatItErasedWhenTheAudienceIsNarrowerByThen) {
  Ask(mx_ana, {Item(record, 0, "mx.fgr")});
  auto narrow = PolicyFor({});
  narrow.releasable_to.members = {mx_bob.id()};
  Accept(Amend(ana, record, narrow), ana);
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), ElementsAre(ElementsAre(Reason::kNotReleasable)));
  Accept(Revocation{By(ana), record, "too many know", true}, ana);
  Accept(Ack(mx_ana, record, "erased"), mx_ana);
}

// ---- revocations ----

TEST_F(DecideTest, LetsTheOriginatorRevoke) { Accept(Revoke(ana, record), ana); }

TEST_F(DecideTest, LetsAnAdministratorOfTheOriginatorsAgencyRevoke) { Accept(Revoke(us_admin, record), us_admin); }

TEST_F(DecideTest, LetsNobodyElseWhoKnowsOfTheRecordRevoke) {
  EXPECT_EQ(Refusal(Revoke(bob, record), bob), Reason::kNotOriginator);
  EXPECT_EQ(Refusal(Revoke(mx_ana, record), mx_ana), Reason::kNotOriginator);
  EXPECT_EQ(Refusal(Revoke(mx_admin, record), mx_admin), Reason::kNotOriginator);
}

TEST_F(DecideTest, HidesARecordFromAnOutsidersRevocation) {
  auto& gt_admin = people.at("gt.mp/admin");
  EXPECT_EQ(Refusal(Revoke(gt_admin, record), gt_admin), Reason::kNotFound);
  EXPECT_EQ(Refusal(Revoke(ana, Digest{}), ana), Reason::kNotFound);
}

TEST_F(DecideTest, RevokesOnce) {
  Accept(Revoke(ana, record), ana);
  EXPECT_EQ(Refusal(Revoke(ana, record), ana), Reason::kExists);
  EXPECT_EQ(Refusal(Revoke(us_admin, record), us_admin), Reason::kExists);
}

TEST_F(DecideTest, WantsAReadableReasonForARevocation) {
  for (const std::string& why : {std::string(), std::string(201, 'x'), std::string("a\nb"), std::string("\xff")})
    EXPECT_EQ(Refusal(Revoke(ana, record, why), ana), Reason::kMalformed);
  Accept(Revoke(ana, record, std::string(200, 'x')), ana);
}

TEST_F(DecideTest, TakesAcknowledgementsOfARevokedRecord) {
  Accept(Revoke(ana, record), ana);
  Accept(Ack(mx_ana, record), mx_ana);
}

// ---- printable text ----

TEST(PrintableText, IsUtf8WithoutControls) {
  for (const char* text : {"a", "Fiscalía", "\u6771\u4eac", "\U0001F4E8", " "})
    EXPECT_TRUE(IsPrintable(text, 20)) << text;
  const std::string_view bad[] = {"",
                                  "a\n",
                                  "\x7f",
                                  "\x1b[31m",
                                  "\xc2\x85",          // a C1 control
                                  "\xc3",              // cut off
                                  "\xc3(",             // no continuation
                                  "\x80",              // a continuation alone
                                  "\xc0\xaf",          // longer than need be
                                  "\xe0\x80\xaf",      // the same
                                  "\xf0\x80\x80\xaf",  // the same
                                  "\xed\xa0\x80",      // a surrogate
                                  "\xf4\x90\x80\x80",  // above U+10FFFF
                                  "\xf5\x80\x80\x80",  // above as well
                                  "a\xe2\x80\xae"
                                  "b",  // right-to-left override
                                  "a\xe2\x81\xa6"
                                  "b",  // an isolate
                                  "\xef\xbb\xbf"
                                  "a",  // a byte order mark
                                  std::string_view("a\0b", 3)};
  for (std::string_view text : bad) EXPECT_FALSE(IsPrintable(text, 20)) << ToHex(AsBytes(text));
}

TEST(PrintableText, HasALimitInBytes) {
  EXPECT_TRUE(IsPrintable("\xc3\xad\xc3\xad", 4));
  EXPECT_FALSE(IsPrintable("\xc3\xad\xc3\xad", 3));
}

}  // namespace
}  // namespace valija::ledger
