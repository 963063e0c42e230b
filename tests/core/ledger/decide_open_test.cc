// Openings: which requests are entries, and every verdict.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using test::Person;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DecideOpenTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  ledger::Open Request(const Person& by) { return Open(by, {Item(record, 0, by.id().agency().str())}); }
  std::vector<Reason> Ask1(const Person& by, const Digest& of, std::uint32_t portion = 0) {
    return Ask(by, {Item(of, portion, by.id().agency().str())}).at(0);
  }
  Digest record = Send({PolicyFor({"mx.fgr"})});
};

// ---- requests that are no entry ----

TEST_F(DecideOpenTest, RefusesARequestForAnotherAgency) {
  auto open = Request(mx_ana);
  open.agency = Agency("us.dea");
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kNotAuthorised);
}

TEST_F(DecideOpenTest, TakesOneTo256ItemsAndNoPairTwice) {
  auto open = Request(mx_ana);
  open.items.clear();
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
  for (std::uint32_t i = 0; i < 256; ++i) open.items.push_back(Item(record, i, "mx.fgr"));
  EXPECT_TRUE(Decide(Signed(open, mx_ana)));
  open.items.push_back(Item(record, 256, "mx.fgr"));
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
  open.items = {Item(record, 0, "mx.fgr"), Item(record, 1, "mx.fgr"), Item(record, 0, "mx.fgr")};
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
  open.items[2].epoch_key_id = KeyId{};  // still the same portion
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
}

TEST_F(DecideOpenTest, RefusesRecordsOfSeveralOriginatorsInOneRequest) {
  const Digest theirs = Accept(NewRecord(fbi_ana, {PolicyFor({"mx.fgr"})}).statement, fbi_ana);
  EXPECT_EQ(Refusal(Open(mx_ana, {Item(record, 0, "mx.fgr"), Item(theirs, 0, "mx.fgr")}), mx_ana), Reason::kMalformed);
  EXPECT_EQ(Refusal(Open(mx_ana, {Item(theirs, 0, "mx.fgr"), Item(record, 0, "mx.fgr")}), mx_ana), Reason::kMalformed);
  EXPECT_THAT(Ask(mx_ana, {Item(theirs, 0, "mx.fgr")}), Each(IsEmpty()));
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr")}), Each(IsEmpty()));
}

TEST_F(DecideOpenTest, TakesRecordsOfTwoMembersOfOneAgencyInOneRequest) {
  const Digest bobs = Accept(NewRecord(bob, {PolicyFor({"mx.fgr"})}).statement, bob);
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr"), Item(bobs, 0, "mx.fgr")}), Each(IsEmpty()));
}

TEST_F(DecideOpenTest, TellsNothingOfTheOriginatorOfAHiddenRecord) {
  const Digest hidden = Accept(NewRecord(fbi_ana, {PolicyFor({"us.dea"})}).statement, fbi_ana);
  EXPECT_THAT(Ask(mx_ana, {Item(record, 0, "mx.fgr"), Item(hidden, 0, "mx.fgr")}),
              ElementsAre(IsEmpty(), ElementsAre(Reason::kNotFound)));
}

TEST_F(DecideOpenTest, WantsAWellSpelledPurposeAndAPrintableCase) {
  for (const char* purpose : {"", "In vestigation", "x\n"}) {
    auto open = Request(mx_ana);
    open.purpose = purpose;
    EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed) << purpose;
  }
  for (const std::string& reference : {std::string("a\tb"), std::string(201, 'x'), std::string("\xff")}) {
    auto open = Request(mx_ana);
    open.case_reference = reference;
    EXPECT_EQ(Refusal(open, mx_ana), Reason::kMalformed);
  }
}

TEST_F(DecideOpenTest, RefusesARequestThatHasExpired) {
  auto open = Request(mx_ana);
  open.expires = now;
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kRequestExpired);
  open.expires = now + Duration(1);
  EXPECT_TRUE(Decide(Signed(open, mx_ana)));
}

TEST_F(DecideOpenTest, RefusesARequestThatIsGoodForTooLong) {
  auto open = Request(mx_ana);
  open.expires = open.by.time + std::chrono::seconds(900);
  EXPECT_TRUE(Decide(Signed(open, mx_ana)));
  open.expires += Duration(1);
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kBadTime);
}

TEST_F(DecideOpenTest, RefusesAReplayedRequest) {
  auto open = Request(mx_ana);
  auto first = Signed(open, mx_ana);
  Accept(first);
  EXPECT_EQ(Refusal(first), Reason::kExists);  // the very same: there already, and answered again
  open.case_reference = "another";
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kReplayed);  // another statement with the same request id
  auto other = Request(mx_bob);                         // another member's ids are others
  other.by.nonce = open.by.nonce;
  EXPECT_TRUE(Decide(Signed(other, mx_bob)));
}

TEST_F(DecideOpenTest, RefusesAReplayAlsoOfARefusedRequest) {
  auto open = Signed(Request(gt_ana), gt_ana);
  EXPECT_THAT(ReasonsOf(Accept(open)), ElementsAre(ElementsAre(Reason::kNotFound)));
  EXPECT_EQ(Refusal(open), Reason::kExists);
}

TEST_F(DecideOpenTest, FindsTheSameRequestAgainUntilItExpiresHoweverOldItIs) {
  auto open = Signed(Request(mx_ana), mx_ana);  // good for ten minutes
  Accept(open);
  now += std::chrono::minutes(10) - Duration(1);  // and no new one may be five minutes old
  EXPECT_EQ(Refusal(open), Reason::kExists);
  now += Duration(1);
  EXPECT_EQ(Refusal(open), Reason::kRequestExpired);
}

TEST_F(DecideOpenTest, ForgetsARequestOnceItHasExpiredAndRefusesItThenForItsAge) {
  auto request = Request(mx_ana);
  request.expires = now + std::chrono::minutes(2);
  auto open = Signed(request, mx_ana);
  Accept(open);
  EXPECT_TRUE(state.request_used(mx_ana.id(), request.by.nonce));
  now += std::chrono::minutes(2);
  EXPECT_EQ(Refusal(open), Reason::kRequestExpired);
  Accept(Acknowledgement{By(mx_ana), record, "received"}, mx_ana);  // any entry at that time
  EXPECT_FALSE(state.request_used(mx_ana.id(), request.by.nonce));
  EXPECT_EQ(Refusal(open), Reason::kRequestExpired);
  now -= std::chrono::minutes(1);  // the broker's clock goes back: nothing is revived
  EXPECT_EQ(Refusal(open), Reason::kRequestExpired);
}

TEST_F(DecideOpenTest, RefusesAReplyKeyThatIsNoneOrIsKnown) {
  auto open = Request(mx_ana);
  const Point good = open.reply_key;
  open.reply_key.bytes[0] = 2;
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kBadKey);
  open.reply_key = good;
  open.reply_key.bytes[64] ^= 1;  // off the curve
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kBadKey);
  for (const Point& known : {mx_ana.record.keys.kem_key, ana.record.keys.signing_key, release_key.public_key().point(),
                             state.agency(Agency("mx.fgr"))->current()->public_key}) {
    open.reply_key = known;
    EXPECT_EQ(Refusal(open, mx_ana), Reason::kBadKey);
  }
}

TEST_F(DecideOpenTest, RefusesAClientThatHasSeenALargerLog) {
  auto open = Request(mx_ana);
  open.checkpoint_size = state.size();
  EXPECT_TRUE(Decide(Signed(open, mx_ana)));
  open.checkpoint_size = state.size() + 1;
  EXPECT_EQ(Refusal(open, mx_ana), Reason::kRolledBack);
}

// ---- a release once more ----

class ReleaseAgainTest : public DecideOpenTest {
 protected:
  ledger::Open open_ = Request(mx_ana);
  Decision decision_ = Accept(Signed(open_, mx_ana));
  Reason Refused() {
    auto may = CheckReleaseAgain(state, open_, decision_, now);
    if (may) ADD_FAILURE() << "it may be released";
    return may ? Reason::kInternal : may.error().reason;
  }
  // The member as it was, but for what `change` does.
  template <class F>
  void Change(F change) {
    change(mx_ana.record);
    Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  }
};

TEST_F(ReleaseAgainTest, IsForWhoLostTheAnswerAsLongAsTheRequestIsGood) {
  EXPECT_TRUE(CheckReleaseAgain(state, open_, decision_, now));
  now = open_.expires - Duration(1);
  EXPECT_TRUE(CheckReleaseAgain(state, open_, decision_, now));
  now = open_.expires;
  EXPECT_EQ(Refused(), Reason::kRequestExpired);
}

TEST_F(ReleaseAgainTest, IsNotRevivedByAClockThatGoesBackBehindTheLog) {
  now = open_.expires;
  Accept(Acknowledgement{By(mx_bob), record, "received"}, mx_bob);
  now -= std::chrono::minutes(5);
  EXPECT_EQ(Refused(), Reason::kRequestExpired);
}

TEST_F(ReleaseAgainTest, EndsWithARevocation) {
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_EQ(Refused(), Reason::kRevoked);
}

TEST_F(ReleaseAgainTest, EndsWithTheMember) {
  Accept(Removal("mx.fgr/ana", mx_admin), mx_admin);
  EXPECT_EQ(Refused(), Reason::kNotEnrolled);
}

TEST_F(ReleaseAgainTest, EndsWithTheKeyThatAskedForIt) {
  Change(
      [&](MemberRecord& member) { member.keys.signing_key = crypto::SignKey::Generate(random).verify_key().point(); });
  EXPECT_EQ(Refused(), Reason::kNotEnrolled);
}

TEST_F(ReleaseAgainTest, EndsWithTheAttributesThatThePolicyRequires) {
  auto policy = PolicyFor({"mx.fgr"});
  policy.need_to_know.clearance = "secret";
  open_ = Open(mx_ana, {Item(Send({policy}), 0, "mx.fgr")});
  decision_ = Accept(Signed(open_, mx_ana));
  ASSERT_TRUE(decision_.verdicts[0].allowed());
  EXPECT_TRUE(CheckReleaseAgain(state, open_, decision_, now));
  Change([](MemberRecord& member) { member.attributes.clearance = "restricted"; });
  EXPECT_EQ(Refused(), Reason::kClearance);
}

TEST_F(ReleaseAgainTest, EndsWithTheWindowOfThePolicy) {
  auto policy = PolicyFor({"mx.fgr"});
  policy.expires = now + std::chrono::minutes(1);
  open_ = Open(mx_ana, {Item(Send({policy}), 0, "mx.fgr")});
  decision_ = Accept(Signed(open_, mx_ana));
  now += std::chrono::minutes(1);
  EXPECT_EQ(Refused(), Reason::kExpired);
}

TEST_F(ReleaseAgainTest, DoesNotCountAnOpeningASecondTime) {
  auto policy = PolicyFor({"mx.fgr"});
  policy.openings_per_agency = 1;
  open_ = Open(mx_ana, {Item(Send({policy}), 0, "mx.fgr")});
  decision_ = Accept(Signed(open_, mx_ana));
  ASSERT_TRUE(decision_.verdicts[0].allowed());
  EXPECT_TRUE(CheckReleaseAgain(state, open_, decision_, now));
}

TEST_F(ReleaseAgainTest, StopsAsAWholeAndDoesNotCareForWhatWasRefused) {
  const Digest other = Send({PolicyFor({"mx.fgr"})}), hidden = Send({PolicyFor({"us.fbi"})});
  open_ = Open(mx_ana, {Item(record, 0, "mx.fgr"), Item(hidden, 0, "mx.fgr"), Item(other, 0, "mx.fgr")});
  decision_ = Accept(Signed(open_, mx_ana));
  Accept(Revocation{By(ana), hidden, "x"}, ana);
  EXPECT_TRUE(CheckReleaseAgain(state, open_, decision_, now));
  Accept(Revocation{By(ana), other, "x"}, ana);
  EXPECT_EQ(Refused(), Reason::kRevoked);
}

// ---- verdicts ----

TEST_F(DecideOpenTest, AllowsAndNamesThePolicyThatDecided) {
  auto decision = Accept(Signed(Request(mx_ana), mx_ana));
  ASSERT_EQ(decision.verdicts.size(), 1U);
  const Verdict& verdict = decision.verdicts[0];
  EXPECT_TRUE(verdict.allowed());
  EXPECT_EQ(verdict.record, record);
  EXPECT_EQ(verdict.portion, 0U);
  EXPECT_EQ(verdict.policy_digest, state.record(record)->portions[0].policy_digest);
  EXPECT_FALSE(verdict.policy_digest.IsZero());
  EXPECT_EQ(verdict.policy_sequence, 0U);
  EXPECT_EQ(verdict.obligation, "TLP:AMBER");
}

TEST_F(DecideOpenTest, NamesThePolicyAndNoObligationWhereItRefuses) {
  auto open = Request(mx_ana);
  open.purpose = "analysis";
  const Verdict verdict = Accept(Signed(open, mx_ana)).verdicts.at(0);
  EXPECT_THAT(verdict.reasons, ElementsAre(Reason::kWrongPurpose));
  EXPECT_EQ(verdict.policy_digest, state.record(record)->portions[0].policy_digest);
  EXPECT_EQ(verdict.obligation, "");
}

TEST_F(DecideOpenTest, GivesOneAnswerForWhatIsAbsentAndWhatIsHidden) {
  Digest nothing;
  nothing.bytes[5] = 1;
  auto open = Open(gt_ana, {Item(record, 0, "gt.mp"), Item(nothing, 0, "gt.mp"), Item(record, 9, "gt.mp")});
  auto decision = Accept(Signed(open, gt_ana));
  Verdict absent{nothing, 0, {Reason::kNotFound}, {}, 0, ""};
  Verdict hidden = absent, beyond = absent;
  hidden.record = beyond.record = record;
  beyond.portion = 9;
  EXPECT_THAT(decision.verdicts, ElementsAre(hidden, absent, beyond));
}

TEST_F(DecideOpenTest, KeepsARevokedRecordHiddenFromAnOutsider) {
  Accept(Revocation{By(ana), record, "x"}, ana);
  EXPECT_THAT(Ask1(gt_ana, record), ElementsAre(Reason::kNotFound));
}

TEST_F(DecideOpenTest, FindsNoPortionBeyondTheRecords) {
  EXPECT_THAT(Ask1(mx_ana, record, 1), ElementsAre(Reason::kNotFound));
}

TEST_F(DecideOpenTest, FindsNoRecordOfAnotherAuthority) {
  authority = *AuthorityId::Parse("broker-2");
  EXPECT_THAT(Ask1(mx_ana, record), ElementsAre(Reason::kNotFound));
}

TEST_F(DecideOpenTest, AnswersOnlyThatARecordWasRevoked) {
  Accept(Revocation{By(ana), record, "x"}, ana);
  auto open = Request(mx_ana);
  open.purpose = "analysis";
  const Verdict verdict = Accept(Signed(open, mx_ana)).verdicts.at(0);
  EXPECT_EQ(verdict, (Verdict{record, 0, {Reason::kRevoked}, {}, 0, ""}));
}

TEST_F(DecideOpenTest, JudgesEachPortionOfATearlineByItsOwnPolicy) {
  auto summary = PolicyFor({"gt.mp", "mx.fgr"}), source = PolicyFor({"mx.fgr"});
  source.marking = policy::Tlp::kAmberStrict;
  source.need_to_know.any_programmes = {"fast-boat"};
  const Digest report = Send({summary, source});
  EXPECT_THAT(Ask(mx_ana, {Item(report, 0, "mx.fgr"), Item(report, 1, "mx.fgr")}), ElementsAre(IsEmpty(), IsEmpty()));
  EXPECT_THAT(Ask(mx_bob, {Item(report, 1, "mx.fgr"), Item(report, 0, "mx.fgr")}),
              ElementsAre(ElementsAre(Reason::kProgrammeMissing), IsEmpty()));
}

TEST_F(DecideOpenTest, TellsWhoMaySeeTheSummaryThatTheSourceIsNotReleasable) {
  auto& fbi_bob = people.at("us.fbi/bob");
  const Digest report = Send({PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"mx.fgr"})});
  EXPECT_THAT(Ask(fbi_bob, {Item(report, 0, "us.fbi"), Item(report, 1, "us.fbi")}),
              ElementsAre(IsEmpty(), ElementsAre(Reason::kNotReleasable)));
}

TEST_F(DecideOpenTest, LetsTheOriginatorsAgencyOpenOnlyWhatItSealedToItself) {
  EXPECT_THAT(Ask1(ana, record), ElementsAre(Reason::kNotReleasable));
  const Digest copy = Send({PolicyFor({"mx.fgr", "us.dea"})});
  EXPECT_THAT(Ask1(ana, copy), IsEmpty());
  EXPECT_THAT(Ask1(bob, copy), IsEmpty());
}

TEST_F(DecideOpenTest, TakesTheMembersPresentAttributes) {
  auto policy = PolicyFor({"mx.fgr"});
  policy.need_to_know = {"secret", {"analyst"}, {}, {}, {"fast-boat"}};
  const Digest narrow = Send({policy});
  EXPECT_THAT(Ask1(mx_ana, narrow), IsEmpty());
  EXPECT_THAT(Ask1(mx_bob, narrow), ElementsAre(Reason::kClearance, Reason::kRoleMissing, Reason::kProgrammeMissing));
  mx_ana.record.attributes.clearance = "confidential";
  Accept(Enrolment(mx_ana, mx_admin), mx_admin);
  EXPECT_THAT(Ask1(mx_ana, narrow), ElementsAre(Reason::kClearance));
}

TEST_F(DecideOpenTest, AsksForTheCaseAndLooksAtTheWindow) {
  auto policy = PolicyFor({"mx.fgr"});
  policy.case_required = true;
  policy.not_before = now + std::chrono::minutes(1);
  policy.expires = now + std::chrono::minutes(3);
  const Digest later = Send({policy});
  EXPECT_THAT(Ask1(mx_ana, later), ElementsAre(Reason::kCaseMissing, Reason::kNotYet));
  now += std::chrono::minutes(1);
  auto open = Open(mx_ana, {Item(later, 0, "mx.fgr")});
  open.case_reference = "FED/118";
  EXPECT_THAT(ReasonsOf(Accept(Signed(open, mx_ana))), Each(IsEmpty()));
  now += std::chrono::minutes(2);
  EXPECT_THAT(Ask1(mx_ana, later), ElementsAre(Reason::kCaseMissing, Reason::kExpired));
}

TEST_F(DecideOpenTest, CountsGrantedOpeningsOfAnAgencyAndInAll) {
  auto policy = PolicyFor({"mx.fgr", "us.dea", "us.fbi"});
  policy.openings_per_agency = 2;
  policy.openings_in_all = 4;
  const Digest few = Send({policy});
  EXPECT_THAT(Ask1(mx_ana, few), IsEmpty());
  EXPECT_THAT(Ask1(mx_bob, few), IsEmpty());
  EXPECT_THAT(Ask1(mx_ana, few), ElementsAre(Reason::kLimitReached));
  EXPECT_THAT(Ask1(mx_ana, few), ElementsAre(Reason::kLimitReached));  // refusals count nothing
  EXPECT_THAT(Ask1(ana, few), IsEmpty());
  EXPECT_THAT(Ask1(fbi_ana, few), IsEmpty());
  EXPECT_THAT(Ask1(fbi_ana, few), ElementsAre(Reason::kLimitReached));  // in all
}

TEST_F(DecideOpenTest, CountsEachPortionByItself) {
  auto once = PolicyFor({"mx.fgr"});
  once.openings_in_all = 1;
  const Digest two = Send({once, once});
  EXPECT_THAT(Ask(mx_ana, {Item(two, 0, "mx.fgr"), Item(two, 1, "mx.fgr")}), Each(IsEmpty()));
  EXPECT_THAT(Ask(mx_ana, {Item(two, 0, "mx.fgr"), Item(two, 1, "mx.fgr")}), Each(ElementsAre(Reason::kLimitReached)));
}

TEST_F(DecideOpenTest, WantsTheEpochKeyThatTheRecordIsSealedTo) {
  const auto first = Item(record, 0, "mx.fgr");
  Accept(Epoch("mx.fgr", mx_admin), mx_admin);
  EXPECT_THAT(Ask1(mx_ana, record), ElementsAre(Reason::kBadKey));  // the new epoch's
  EXPECT_THAT(Ask(mx_ana, {first}), ElementsAre(IsEmpty()));        // the old one opens what was sent before
  auto wrong = first;
  wrong.epoch_key_id = state.agency(Agency("us.dea"))->current()->key_id;
  auto open = Open(mx_ana, {wrong}, "analysis");
  EXPECT_THAT(ReasonsOf(Accept(Signed(open, mx_ana))),
              ElementsAre(ElementsAre(Reason::kWrongPurpose, Reason::kBadKey)));
}

TEST_F(DecideOpenTest, ReleasesNothingToAnAgencyThatHadNoEpochWhenTheRecordWasSealed) {
  const Digest early = Send({PolicyFor({"gt.mp", "mx.fgr"})});
  auto& gt_admin = people.at("gt.mp/admin");
  EXPECT_THAT(Ask1(gt_ana, early), ElementsAre(Reason::kNotReleasable));
  Accept(Epoch("gt.mp", gt_admin), gt_admin);
  EXPECT_THAT(Ask1(gt_ana, early), ElementsAre(Reason::kNotReleasable));
  EXPECT_THAT(Ask1(gt_ana, Send({PolicyFor({"gt.mp"})})), IsEmpty());
}

TEST_F(DecideOpenTest, OpensForANamedMemberAndNotForItsColleague) {
  auto policy = PolicyFor({});
  policy.marking = policy::Tlp::kRed;
  policy.releasable_to.members = {Member("mx.fgr/ana")};
  const Digest named = Send({policy});
  EXPECT_THAT(Ask1(mx_ana, named), IsEmpty());
  EXPECT_THAT(Ask1(mx_bob, named), ElementsAre(Reason::kNotFound));
}

TEST_F(DecideOpenTest, KeepsTheOrderOfTheRequest) {
  const Digest other = Send({PolicyFor({"us.fbi"})}), third = Send({PolicyFor({"mx.fgr"})});
  auto decision = Accept(
      Signed(Open(mx_ana, {Item(third, 0, "mx.fgr"), Item(other, 0, "mx.fgr"), Item(record, 0, "mx.fgr")}), mx_ana));
  EXPECT_THAT(ReasonsOf(decision), ElementsAre(IsEmpty(), ElementsAre(Reason::kNotFound), IsEmpty()));
  EXPECT_EQ(decision.verdicts[0].record, third);
  EXPECT_EQ(decision.verdicts[2].record, record);
}

}  // namespace
}  // namespace valija::ledger
