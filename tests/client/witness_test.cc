// What a client believes of cosignatures: who counts, how old they may be, and what has to be under them.
#include "client/print.h"
#include "tests/client/witnessed.h"

namespace valija::client {
namespace {

using ::testing::HasSubstr;

class WitnessTest : public WitnessedTest {
 protected:
  Status Looks(const std::string& member = "mx.fgr/luis") {
    auto seen = Hurried(member)->Inbox();
    return seen ? Ok() : Status(seen.error());
  }
  static Reason ReasonOf(const Status& status) { return status ? Reason::kInternal : status.error().reason; }
};

// ---- who counts ----

TEST_F(WitnessTest, ALogThatOneOfEachCountryCosignedIsRead) {
  EXPECT_TRUE(Looks());
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr/2", "us.dea"}, FakeBroker::Now());
  EXPECT_TRUE(Looks());
}

TEST_F(WitnessTest, TwoWitnessesOfOneCountryAreNoQuorum) {
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr", "mx.fgr/2"}, FakeBroker::Now());
  const auto refused = Looks();
  ASSERT_EQ(ReasonOf(refused), Reason::kNoQuorum);
  EXPECT_THAT(refused.error().detail, HasSubstr("missing: us: 1 of us.dea"));
}

TEST_F(WitnessTest, OneWitnessTwiceIsOne) {
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr", "mx.fgr"}, FakeBroker::Now());
  EXPECT_EQ(ReasonOf(Looks()), Reason::kNoQuorum);
}

TEST_F(WitnessTest, AForgedCosignatureIsAnAlarmAndPinsNothing) {
  honest.witnesses_answer = false;
  auto key = std::move(honest.witnesses.extract("us.dea").mapped());
  // The name and key id of the witness, and somebody else's signature under it.
  honest.cosigned = honest.Cosigned({"mx.fgr"}, FakeBroker::Now());
  const auto body = log::Note::Parse(honest.cosigned->first).value().text;
  auto line = log::Cosign(body, FakeBroker::WitnessKeyName("us.dea"), key, 1000);
  auto parsed = log::Note::Parse(honest.cosigned->first + line).value().signatures.back();
  parsed.signature[20] ^= 1;
  honest.cosigned->first += parsed.Line();
  ASSERT_EQ(ReasonOf(Looks()), Reason::kBadCheckpoint);
  honest.witnesses.emplace("us.dea", std::move(key));
  honest.witnesses_answer = true;
  EXPECT_TRUE(Looks());
}

TEST_F(WitnessTest, AWitnessThatTheCharterDoesNotNameCountsForNothing) {
  honest.witnesses.emplace("us.fbi", crypto::Ed25519SignKey::Generate(begun.random));
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.fbi"}, FakeBroker::Now());
  EXPECT_EQ(ReasonOf(Looks()), Reason::kNoQuorum);
}

TEST_F(WitnessTest, WhatWasCosignedMustBeOfTheLogThatIsShown) {
  Looks().value();
  Silence();
  Grow();
  lies.view = [](View& view) {
    if (!view.growth.empty()) view.growth[0].bytes[0] ^= 1;
  };
  EXPECT_EQ(ReasonOf(Looks()), Reason::kFork);
  EXPECT_THAT(test::ReadAll(ProfileOf("mx.fgr/luis") / "FORK"), HasSubstr(honest.cosigned->first));
}

TEST_F(WitnessTest, MoreCannotBeCosignedThanIsShown) {
  Silence();
  const auto more = [&] {
    FakeBroker longer(begun.broker, honest.entries, honest.entries.size());
    longer.witnesses.swap(honest.witnesses);  // the same keys; they are not copied
    longer.Append(longer.entries[1]);
    auto note = longer.Cosigned().first;
    longer.witnesses.swap(honest.witnesses);
    return note;
  }();
  lies.view = [&](View& view) { view.witnessed = more; };
  EXPECT_EQ(ReasonOf(Looks()), Reason::kBadProof);
}

// ---- how lately ----

TEST_F(WitnessTest, ALogThatWasCosignedTooLongAgoIsStale) {
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, Ago(kAge + kSkew - std::chrono::seconds(60)));
  EXPECT_TRUE(Looks());
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, Ago(kAge + kSkew + std::chrono::seconds(60)));
  EXPECT_EQ(ReasonOf(Looks("us.dea/ana")), Reason::kStale);
  const auto old = Looks("us.fbi/kim");
  ASSERT_EQ(ReasonOf(old), Reason::kStale);
  EXPECT_THAT(old.error().detail, HasSubstr("missing: mx: 1 of mx.fgr, mx.fgr/2; us: 1 of us.dea"));
}

TEST_F(WitnessTest, AQuorumIsAsOldAsTheOneThatCompletesIt) {
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr"}, FakeBroker::Now());
  const auto old = honest.Cosigned({"us.dea"}, Ago(kAge + kSkew + std::chrono::seconds(60)));
  honest.cosigned->first += log::Note::Parse(old.first).value().signatures.back().Line();
  const auto refused = Looks();
  ASSERT_EQ(ReasonOf(refused), Reason::kStale);
  EXPECT_THAT(refused.error().detail, HasSubstr("missing: us: 1 of us.dea"));
}

TEST_F(WitnessTest, ATimeThatIsToComeIsAnAlarmThatGoesByWithTheClock) {
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + kSkew + std::chrono::seconds(60));
  EXPECT_EQ(ReasonOf(Looks()), Reason::kBadCheckpoint);
  later = std::chrono::seconds(120);
  EXPECT_TRUE(Looks());
}

// The attack: what is old is cosigned again and again, and something grows above it that no witness ever sees.
TEST_F(WitnessTest, AnOldSizeThatIsCosignedAgainDoesNotVouchForWhatWasReliedOn) {
  Looks().value();
  honest.witnesses_answer = false;
  const std::uint64_t size = honest.entries.size();
  auto again = [&] { honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later, size); };
  again();
  Grow();
  ASSERT_TRUE(Looks());
  later = kAge + kSkew - std::chrono::seconds(60);
  again();
  Grow();
  ASSERT_TRUE(Looks());
  later += std::chrono::seconds(120);  // by now the witnesses must have come to what was relied on first
  again();
  const auto refused = Looks();
  ASSERT_EQ(ReasonOf(refused), Reason::kStale);
  EXPECT_THAT(refused.error().detail, HasSubstr(std::to_string(size) + " entries, and " + std::to_string(size + 1)));
  // They come to that one: what came after it was relied on later, and has its own time.
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later, size + 1);
  EXPECT_TRUE(Looks());
  later += kAge + kSkew - std::chrono::seconds(180);
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later, size + 1);
  EXPECT_TRUE(Looks());
  later += std::chrono::seconds(180);
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later, size + 1);
  EXPECT_EQ(ReasonOf(Looks()), Reason::kStale);
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later);
  EXPECT_TRUE(Looks());
}

TEST_F(WitnessTest, ABusyLogWhoseWitnessesAreAlwaysALittleBehindIsFresh) {
  honest.witnesses_answer = false;
  for (int hour = 0; hour < 12; ++hour) {
    honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later);
    Grow();
    ASSERT_TRUE(Looks()) << hour;
    later += std::chrono::minutes(20);
  }
}

TEST_F(WitnessTest, SizesThatWereReliedOnSoonAfterOneAnotherCountAsOne) {
  honest.witnesses_answer = false;
  honest.cosigned = honest.Cosigned();
  for (int minute = 0; minute < 60; ++minute) {
    Grow();
    later = std::chrono::minutes(minute);
    Looks().value();
  }
  auto profile = Profile::Open(ProfileOf("mx.fgr/luis")).value();
  EXPECT_LE(profile.vouched().beyond.size(), 9u);
  EXPECT_EQ(profile.vouched().beyond.back().first, honest.entries.size());
}

TEST_F(WitnessTest, ASmallerSizeThatIsVouchedForLaterIsARollback) {
  Sent(DraftOf("x"));
  Looks().value();
  const std::uint64_t size = honest.entries.size();
  honest.witnesses_answer = false;
  // Older, and on its way for long: it is passed over, and makes nothing fresh.
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, Ago(std::chrono::seconds(60)), size - 1);
  EXPECT_TRUE(Looks());
  later = kAge + kSkew + std::chrono::seconds(60);
  EXPECT_EQ(ReasonOf(Looks()), Reason::kStale);
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later, size - 1);
  EXPECT_EQ(ReasonOf(Looks()), Reason::kRolledBack);
  honest.cosigned = honest.Cosigned({"mx.fgr", "us.dea"}, FakeBroker::Now() + later, size);
  EXPECT_TRUE(Looks());
}

TEST_F(WitnessTest, OtherWitnessesBeginAnewAndWhatWasReliedOnStays) {
  Looks().value();
  auto former = std::move(honest.witnesses);
  honest.witnesses.clear();
  for (const char* name : {"mx.fgr", "mx.fgr/2", "us.dea"})
    honest.witnesses.emplace(name, crypto::Ed25519SignKey::Generate(begun.random));
  const auto text = PolicyText();
  std::swap(former, honest.witnesses);  // the former ones answer while it is submitted
  EXPECT_TRUE(Hurried("us.dea/admin")->SubmitCharterAmendment(Amended([&](ledger::Charter& charter) {
    charter.witness_policy = text;
  }, kBoth)));
  EXPECT_EQ(ReasonOf(Looks()), Reason::kNoQuorum);  // the former ones count no more
  std::swap(former, honest.witnesses);
  EXPECT_TRUE(Looks());
}

// ---- what does not wait for them ----

// The only witness of a country is lost for good.
TEST_F(WitnessTest, WhatStopsAndTakesBackAndNamesOtherWitnessesGoesOnWithoutThem) {
  const auto id = Sent(DraftOf("a mistake")), other = Sent(DraftOf("another"));
  std::string order;
  {
    auto luis = SessionOf("mx.fgr/luis");
    const auto until = std::chrono::time_point_cast<std::chrono::milliseconds>(Clock::now() + std::chrono::hours(24));
    order = luis->StandingOrder({"investigation", "", until}).value().id;
  }
  Silence();
  later = kAge + kSkew + std::chrono::seconds(60);
  {
    auto ana = Hurried("us.dea/ana");
    EXPECT_EQ(ana->Inbox().error().reason, Reason::kStale);
    EXPECT_EQ(ana->Send({DraftOf("x")}, {}).error().reason, Reason::kStale);
    EXPECT_EQ(ana->Grant({id, {}, PolicyFor("agency us.fbi"), {}, {}, {}}).error().reason, Reason::kStale);
    EXPECT_EQ(ana->Amend(id, 0, PolicyFor("agency mx.fgr")).error().reason, Reason::kStale);
    EXPECT_TRUE(ana->Me());
    EXPECT_TRUE(ana->Revoke(id.substr(0, 12), "sent by mistake"));
    EXPECT_TRUE(ana->Revoke(other.substr(0, 12), "so was this", true));
    const auto purged = ana->Purge({other.substr(0, 12)}, "and this");
    EXPECT_TRUE(purged) << purged.error().Message();
    EXPECT_EQ(ana->Inbox().error().reason, Reason::kStale);  // that it may be old was for those alone
    ana->set_any_age(true);                                  // to look before something is taken back
    EXPECT_TRUE(ana->SentItems());
    EXPECT_EQ(ana->Send({DraftOf("x")}, {}).error().reason, Reason::kStale);
    EXPECT_EQ(ana->Open({Asking(id)}, {}).error().reason, Reason::kStale);
  }
  EXPECT_TRUE(Hurried("mx.fgr/luis")->EndOrder(order.substr(0, 12)));
  auto fgr = Hurried("mx.fgr/admin");
  EXPECT_TRUE(fgr->Suspend("mx.fgr/luis"));
  EXPECT_EQ(fgr->Resume("mx.fgr/luis").error().reason, Reason::kStale);
  EXPECT_TRUE(fgr->Remove("mx.fgr/luis"));
  EXPECT_TRUE(fgr->RotateEpoch());
  auto gone = honest.witnesses.extract("mx.fgr");
  honest.witnesses.erase("mx.fgr/2");
  honest.witnesses.emplace("mx.fgr", crypto::Ed25519SignKey::Generate(begun.random));
  honest.witnesses.emplace("mx.fgr/2", crypto::Ed25519SignKey::Generate(begun.random));
  const auto text = PolicyText();
  EXPECT_TRUE(Hurried("us.dea/admin")->SubmitCharterAmendment(Amended([&](ledger::Charter& charter) {
    charter.witness_policy = text;
  }, kBoth)));
  EXPECT_EQ(ReasonOf(Looks("us.dea/ana")), Reason::kNoQuorum);
  later = {};
  honest.witnesses_answer = true;
  EXPECT_TRUE(Looks("us.dea/ana"));
}

// ---- a stream ----

TEST_F(WitnessTest, AStreamEndsWhenTheLogIsNotVouchedForAnyMore) {
  Silence();
  auto luis = Hurried("mx.fgr/luis");
  int ends = 0;
  lies.stream_end = [&]() -> Status {
    if (++ends == 1) {
      later = kAge + kSkew + std::chrono::seconds(60);
      Grow();
      return Refuse(Reason::kShuttingDown);
    }
    return Refuse(Reason::kUsage);  // the test's own end
  };
  std::size_t shown = 0;
  const auto ended = luis->Follow([&](const NewsItem&) { return ++shown > 0; });
  EXPECT_EQ(ReasonOf(ended), Reason::kStale);
  EXPECT_EQ(shown, 0u);
}

TEST_F(WitnessTest, AMessageOfAStreamThatHasGrownOldIsNotTaken) {
  Sent(DraftOf("one"));
  Silence();
  auto luis = Hurried("mx.fgr/luis");
  const std::string two = Sent(DraftOf("two"));
  lies.mailbox = [&](EntriesAnswer& page) {  // nothing but by the stream
    page.entries.clear();
    page.next_cursor = 0;
  };
  std::size_t messages = 0;
  lies.follow = [&](FollowItem&) {
    if (++messages == 2) later = kAge + kSkew + std::chrono::seconds(60);
  };
  std::size_t shown = 0;
  EXPECT_EQ(ReasonOf(luis->Follow([&](const NewsItem&) { return ++shown > 0; })), Reason::kStale);
  EXPECT_EQ(shown, 1u);
}

// ---- what an opening waits for ----

TEST_F(WitnessTest, NothingIsOpenedThatTheQuorumDoesNotCover) {
  const auto id = Sent(DraftOf("the source"));
  Silence();
  lies.release_uncovered = true;  // it hands out what it should keep
  auto luis = Hurried("mx.fgr/luis");
  const auto opened = OpenAs(*luis, Asking(id, 0, folder / "out"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::kNoQuorum);
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(WitnessTest, AnOpeningWaitsUntilTheQuorumCoversItAndSaysForWhom) {
  const auto id = Sent(DraftOf("the source"));
  Silence();
  auto luis = Hurried("mx.fgr/luis");
  auto request = Asking(id);
  std::string missing;
  request.waiting = [&](const std::string& who) { missing = who; };
  int asked = 0;
  honest.on_uncovered = [&] {
    if (++asked == 3) honest.witnesses_answer = true;
  };
  EXPECT_EQ(OpenAs(*luis, request).value().content, "the source");
  EXPECT_EQ(missing, "mx: 1 of mx.fgr");
  EXPECT_EQ(asked, 3);
}

TEST_F(WitnessTest, AnOpeningThatGoesWithoutIsUsedOnlyWhereTheCharterAllowsIt) {
  const auto id = Sent(DraftOf("the source"));
  Silence();
  lies.decision = [](ledger::Decision& decision) { decision.unwitnessed = decision.verdicts[0].record != Digest(); };
  auto luis = Hurried("mx.fgr/luis");
  const auto opened = OpenAs(*luis, Asking(id));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::kBadProof);
}

TEST_F(WitnessTest, WhereTheCharterAllowsItAnOpeningGoesWithout) {
  LetOpeningsGoWithout();
  const auto id = Sent(DraftOf("the source"));
  Silence();
  honest.degraded = true;
  {
    const auto opened = OpenAs(*Hurried("mx.fgr/luis"), Asking(id)).value();
    EXPECT_EQ(opened.content, "the source");
    EXPECT_TRUE(opened.unwitnessed);
  }
  const auto custody = SessionOf("us.dea/ana")->Custody(id).value();
  ASSERT_EQ(custody.size(), 2u);
  EXPECT_FALSE(custody[0].unwitnessed);
  EXPECT_TRUE(custody[1].unwitnessed);
  EXPECT_EQ(cli::ToJson(custody[1])["unwitnessed"], true);
  EXPECT_THAT(cli::NewsLine(custody[1]), HasSubstr("WITHOUT the witnesses' quorum"));
  honest.degraded = false;  // one that does not say so waits all the same
  lies.release_uncovered = true;
  const auto opened = OpenAs(*Hurried("mx.fgr/luis"), Asking(id));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, Reason::kNoQuorum);
}

TEST_F(WitnessTest, WhereOpeningsMayGoWithoutALogThatIsOldIsReadWithAWarning) {
  Looks().value();
  {
    auto luis = Hurried("mx.fgr/luis");
    const auto me = luis->Me().value();
    EXPECT_TRUE(me.witnessing.asked);
    EXPECT_EQ(me.witnessing.entries, honest.entries.size());
    EXPECT_FALSE(me.witnessing.behind);
    EXPECT_EQ(cli::ToJson(me)["witnessed_size"], honest.entries.size());
  }
  LetOpeningsGoWithout();
  Silence();
  const auto size = honest.entries.size();
  Grow();
  Looks().value();
  later = kAge + kSkew + std::chrono::seconds(60);
  auto luis = Hurried("mx.fgr/luis");
  ASSERT_TRUE(luis->Inbox());
  const auto witnessed = luis->Witnessed();
  EXPECT_EQ(witnessed.entries, size);
  ASSERT_TRUE(witnessed.behind);
  EXPECT_EQ(witnessed.behind->code, "stale");
  EXPECT_EQ(cli::ToJson(luis->Me().value())["witnesses_behind"]["code"], "stale");
}

TEST_F(WitnessTest, NothingButAnOpeningGoesWithoutAndNoneWhereTheCharterForbidsIt) {
  const auto id = Sent(DraftOf("the source"));
  lies.decision = [](ledger::Decision& decision) { decision.unwitnessed = true; };
  {  // of a statement of one's own, and in a mailbox and a custody
    auto ana = Hurried("us.dea/ana");
    EXPECT_EQ(ana->Send({DraftOf("x")}, {}).value()[0].error().reason, Reason::kBadProof);
    EXPECT_EQ(ana->Revoke(id, "why").error().reason, Reason::kBadProof);
    EXPECT_EQ(ana->Custody(id).error().reason, Reason::kBadProof);
  }
  EXPECT_EQ(ReasonOf(Looks()), Reason::kBadProof);
}

TEST_F(WitnessTest, ACustodyShowsNoOpeningThatWentWithoutAgainstTheCharter) {
  const auto id = Sent(DraftOf("the source"));
  lies.decision = [](ledger::Decision& decision) { decision.unwitnessed = true; };
  (void)OpenAs(*Hurried("mx.fgr/luis"), Asking(id));
  EXPECT_EQ(Hurried("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
}

// Who follows the stream has not folded the amendment yet that allows it.
TEST_F(WitnessTest, AnAmendmentThatIsNotFoldedYetIsFetchedBeforeADecisionUnderItIsRefused) {
  const auto id = Sent(DraftOf("the source"));
  auto ana = Hurried("us.dea/ana");
  bool first = true;
  std::vector<std::string> kinds;
  (void)ana->Follow([&](const NewsItem& item) {
    if (std::exchange(first, false)) {
      LetOpeningsGoWithout();
      honest.degraded = true;
      (void)OpenAs(*Hurried("mx.fgr/luis"), Asking(id));
    }
    kinds.push_back(item.kind);
    return item.kind != "open";
  });
  EXPECT_THAT(kinds, ::testing::Contains("open"));
}

}  // namespace
}  // namespace valija::client
