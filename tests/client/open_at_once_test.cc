// Openings in a session that has looked at the log already: asked for at once, and what a look before would have shown is
// seen all the same, before the content is used.
#include "tests/client/witnessed.h"

namespace valija::client {
namespace {

class OpenAtOnceTest : public WitnessedTest {
 protected:
  OpenAtOnceTest() {
    luis->Inbox().value();
    honest.looks = honest.posts = honest.downloads = 0;
  }
  Reason Refused(const std::string& record) {
    auto opened = OpenAs(*luis, Asking(record));
    EXPECT_FALSE(opened) << "it was opened";
    return opened ? Reason::kInternal : opened.error().reason;
  }
  const std::string id = Sent(DraftOf("the report")), other = Sent(DraftOf("another"));
  std::unique_ptr<SessionCore> luis = Hurried("mx.fgr/luis");
};

TEST_F(OpenAtOnceTest, WhatIsKnownIsOpenedByOneRequestAlone) {
  EXPECT_EQ(OpenAs(*luis, Asking(id)).value().content, "the report");
  EXPECT_EQ(OpenAs(*luis, Asking(other, 0, folder / "out")).value().bytes, 7u);
  EXPECT_EQ(test::ReadAll(folder / "out"), "another");
  EXPECT_EQ(honest.looks, 0u);
  EXPECT_EQ(honest.posts, 2u);
  EXPECT_EQ(honest.downloads, 2u);
}

TEST_F(OpenAtOnceTest, WhatIsNotKnownIsLookedAtFirst) {
  const auto late = Sent(DraftOf("late"));
  honest.looks = 0;
  EXPECT_EQ(OpenAs(*luis, Asking(late)).value().content, "late");
  EXPECT_GT(honest.looks, 0u);
}

TEST_F(OpenAtOnceTest, WhatCameBeforeItsEntryIsKnownBeforeItsContentIsUsed) {
  const auto before = honest.state.record(Id(id))->portion(0)->policy_digest;
  SessionOf("us.dea/ana")->Amend(id, 0, PolicyFor("agency mx.fgr", "roles any chief\n")).value();
  lies.decision = [&](ledger::Decision& decision) {  // as if it did not know
    decision.verdicts[0].reasons.clear();
    decision.verdicts[0].policy_digest = before;
    decision.verdicts[0].policy_sequence = 0;
  };
  EXPECT_EQ(Refused(id), Reason::kWrongRelease);
}

TEST_F(OpenAtOnceTest, WhatCameBetweenTwoOpeningsOfItsOwnIsKnownToo) {
  OpenAs(*luis, Asking(other)).value();
  const auto before = honest.state.record(Id(id))->portion(0)->policy_digest;
  SessionOf("us.dea/ana")->Amend(id, 0, PolicyFor("agency mx.fgr", "roles any chief\n")).value();
  lies.decision = [&](ledger::Decision& decision) {
    decision.verdicts[0].reasons.clear();
    decision.verdicts[0].policy_digest = before;
    decision.verdicts[0].policy_sequence = 0;
  };
  EXPECT_EQ(Refused(id), Reason::kWrongRelease);
}

TEST_F(OpenAtOnceTest, ALogThatIsOldByNowIsNotAsked) {
  Silence();
  later = kAge + kSkew + std::chrono::seconds(1);
  auto opened = luis->Open({Asking(id)}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::kStale);
  EXPECT_EQ(honest.posts, 0u);
}

TEST_F(OpenAtOnceTest, ARequestForMoreTimeThanTheCharterAllowsByNowIsMadeAnew) {
  Amend([](ledger::Charter& charter) { charter.caps.request_lifetime_seconds = 30; });
  EXPECT_EQ(OpenAs(*luis, Asking(id)).value().content, "the report");
}

TEST_F(OpenAtOnceTest, ABodyThatWasRefusedMeanwhileIsFetchedAfterwards) {
  lies.download = [&]() -> Status {
    if (honest.downloads == 1) return Refuse(Reason::kTooMany);
    return Ok();
  };
  EXPECT_EQ(OpenAs(*luis, Asking(id)).value().content, "the report");
  EXPECT_EQ(honest.downloads, 2u);
}

TEST_F(OpenAtOnceTest, ABodyThatIsNotTheSignedOneIsRefusedThoughItCameBefore) {
  lies.body = [](BodyStream&, std::vector<Bytes>& slices) { slices.at(0).at(5) ^= 1; };
  EXPECT_EQ(Refused(id), Reason::kBadBody);
  lies.body = [](BodyStream& stream, auto&) { ++stream.length; };
  EXPECT_EQ(Refused(other), Reason::kBadBody);
}

TEST_F(OpenAtOnceTest, ALyingBrokersShareOpensNothing) {
  lies.release = [](auto&, auto&, std::vector<crypto::Secret>& shares) { shares.at(0).mutable_view()[0] ^= 1; };
  EXPECT_EQ(Refused(id), Reason::kBadSeal);
}

// Without witnesses: the log's own key alone is under what is shown.
TEST_F(LifeTest, AnotherLogKeyByAnAmendmentMeanwhileIsFollowedInAnOpening) {
  const auto id = Sent(DraftOf("the report")), other = Sent(DraftOf("another"));
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  crypto::SystemRandom random;
  honest.next_log_key = crypto::Ed25519SignKey::Generate(random);
  const auto key = log::NoteVerifier::Make(begun.broker.origin, honest.next_log_key->verify_key()).value().Text();
  SessionOf("us.dea/admin")
      ->SubmitCharterAmendment(
          Amended([&](ledger::Charter& charter) { charter.log_key = key; }, {"mx.fgr/admin", "us.dea/admin"}))
      .value();
  honest.former_key_given_up = true;
  const auto entries = honest.entries.size();
  EXPECT_EQ(OpenAs(*luis, Asking(id)).value().content, "the report");
  EXPECT_EQ(OpenAs(*luis, Asking(other)).value().content, "another");
  EXPECT_EQ(honest.entries.size(), entries + 2);  // asked for again, and logged once
}

}  // namespace
}  // namespace valija::client
