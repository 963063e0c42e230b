// The honest path of a session, over a broker in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/client/world.h"

namespace valija::client {
namespace {

using test::FakeBroker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SessionTest : public ::testing::Test, public test::ClientWorld {
 protected:
  // us.dea/ana sends; the id.
  std::string Sent(const Draft& draft) {
    auto sent = SessionOf("us.dea/ana")->Send({draft}, {});
    return sent.value().front().value().id;
  }
  Result<OpenedPortion> Opened(SessionCore& session, const OpenRequest& request) {
    return std::move(session.Open({request}, {}).value().front());
  }
  Reason Refusal(SessionCore& session, const OpenRequest& request) {
    auto opened = session.Open({request}, {});
    if (!opened) return opened.error().reason;
    if (opened->front()) ADD_FAILURE() << "it was opened";
    return opened->front() ? Reason::kInternal : opened->front().error().reason;
  }
};

// ---- sending and opening ----

TEST_F(SessionTest, OpensWhatWasSent) {
  const auto id = Sent(DraftOf("the report"));
  auto luis = SessionOf("mx.fgr/luis");
  auto inbox = luis->Inbox().value();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0].id, id);
  EXPECT_EQ(inbox[0].from, "us.dea/ana");
  EXPECT_FALSE(inbox[0].opened_by_me);
  ASSERT_EQ(inbox[0].portions.size(), 1u);
  EXPECT_TRUE(inbox[0].portions[0].for_me);
  auto opened = Opened(*luis, Asking(id)).value();
  EXPECT_EQ(opened.content, "the report");
  EXPECT_EQ(opened.bytes, 10u);
  EXPECT_EQ(opened.marking, "TLP:AMBER");
  EXPECT_EQ(opened.media_type, "text/plain");
  EXPECT_EQ(opened.entry, honest.entries.size() - 1);
  EXPECT_TRUE(luis->Inbox().value()[0].opened_by_me);
}

TEST_F(SessionTest, OpensWithOneEntryAlthoughTheAnswerWasLost) {
  const auto id = Sent(DraftOf("the report", "agency mx.fgr", "openings 1 in all\n"));
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  const auto before = honest.entries.size();
  honest.answers_to_lose = 2;
  EXPECT_EQ(Opened(*luis, Asking(id)).value().content, "the report");
  EXPECT_EQ(honest.entries.size(), before + 1);
}

// A connection that died without a word shows in nothing but the deadline.
TEST_F(SessionTest, HandsInTheSameStatementAgainWhenNoAnswerCameInTime) {
  honest.lost_as = Reason::kDeadline;
  honest.answers_to_lose = 1;
  const auto before = honest.entries.size();
  const auto id = Sent(DraftOf("the report", "agency mx.fgr", "openings 1 in all\n"));
  EXPECT_EQ(honest.entries.size(), before + 1);
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  honest.answers_to_lose = 2;
  EXPECT_EQ(Opened(*luis, Asking(id)).value().content, "the report");
  EXPECT_EQ(honest.entries.size(), before + 2);
}

TEST_F(SessionTest, DoesNotHandInARequestAgainThatWillHaveExpired) {
  const auto id = Sent(DraftOf("x"));
  auto luis = SessionOf("mx.fgr/luis");
  luis->set_pause(std::chrono::hours(1));
  const auto before = honest.posts;
  honest.answers_to_lose = 1;
  EXPECT_EQ(Refusal(*luis, Asking(id)), Reason::kUnavailable);
  EXPECT_EQ(honest.posts, before + 1);
}

TEST_F(SessionTest, HandsInAgainWhatAFullPoolTurnedAway) {
  int full = 2;
  honest.lies.post = [&](PostAnswer& answer) {
    if (full-- > 0) answer.outcomes.back() = Refuse(Reason::kPoolFull);
  };
  const auto before = honest.posts;
  auto ana = SessionOf("us.dea/ana");
  ana->set_pause({});
  const auto both = ana->Send({DraftOf("one"), DraftOf("two")}, {}).value();
  for (const auto& one : both) EXPECT_TRUE(one);
  EXPECT_EQ(honest.posts, before + 3);
  full = 1000;
  auto sent = ana->Send({DraftOf("three")}, {}).value();
  EXPECT_EQ(sent[0].error().reason, Reason::kPoolFull);
  EXPECT_EQ(honest.posts, before + 6);  // and not for ever
}

TEST_F(SessionTest, KeepsWhatWasAcceptedWhenTheOthersAreTurnedAwayToTheEnd) {
  auto ana = SessionOf("us.dea/ana");
  ana->set_pause({});
  int calls = 0;
  honest.lies.post = [&](PostAnswer& answer) {
    if (calls++ == 0) {
      answer.outcomes.back() = Refuse(Reason::kPoolFull);
    } else {  // the pool is full for the whole call from now on
      honest.answers_to_lose = 1;
      honest.lost_as = Reason::kPoolFull;
    }
  };
  const auto both = ana->Send({DraftOf("one"), DraftOf("two")}, {}).value();
  EXPECT_TRUE(both[0]);
  EXPECT_EQ(both[1].error().reason, Reason::kPoolFull);
}

TEST_F(SessionTest, SaysThatItMayHaveHappenedWhenARefusalComesAfterALostAnswer) {
  auto ana = SessionOf("us.dea/ana");
  ana->set_pause({});
  for (Reason reason : {Reason::kPoolFull, Reason::kShuttingDown, Reason::kStorage, Reason::kRequestExpired}) {
    honest.answers_to_lose = 1;
    honest.lost_as = Reason::kDeadline;
    honest.lies.post = [&](PostAnswer& answer) { answer.outcomes.at(0) = Refuse(reason); };
    const auto sent = ana->Send({DraftOf("x")}, {}).value();
    EXPECT_EQ(sent[0].error().reason, reason);
    EXPECT_THAT(sent[0].error().detail, HasSubstr("may be in the log all the same")) << CodeOf(reason);
  }
  honest.lies.post = [](PostAnswer& answer) { answer.outcomes.at(0) = Refuse(Reason::kStorage); };
  EXPECT_EQ(ana->Send({DraftOf("x")}, {}).value()[0].error().detail, "");  // no answer was lost
}

TEST_F(SessionTest, SaysWhereToLookWhenNobodyKnowsWhetherItHappened) {
  auto ana = SessionOf("us.dea/ana");
  ana->set_pause({});
  auto digest = [&] { return honest.entries.back().statement->digest.Hex(); };
  for (Reason reason : {Reason::kUnavailable, Reason::kDeadline}) {
    honest.lost_as = reason;
    honest.answers_to_lose = 3;
    const auto sent = ana->Send({DraftOf("x")}, {}).value();
    EXPECT_EQ(sent[0].error().reason, reason);
    EXPECT_THAT(sent[0].error().detail, HasSubstr("look before you do it again: valija custody " + digest()));
    EXPECT_FALSE(ana->Custody(digest()).value().empty());
  }
  const auto id = ana->Send({DraftOf("x")}, {}).value()[0].value().id;
  honest.lies.post = [](PostAnswer& answer) { answer.outcomes.at(0) = Refuse(Reason::kOutcomeUnknown); };
  auto detail = ana->Send({DraftOf("x")}, {}).value()[0].error().detail;
  EXPECT_THAT(detail, HasSubstr("valija custody " + digest()));
  detail = ana->Revoke(id, "x").error().detail;
  EXPECT_THAT(detail, HasSubstr("statement " + digest()));
  detail = SessionOf("us.dea/admin")->RotateEpoch().error().detail;
  EXPECT_THAT(detail, HasSubstr("valija directory"));
  auto luis = SessionOf("mx.fgr/luis");
  detail = Opened(*luis, Asking(id)).error().detail;
  EXPECT_THAT(detail, HasSubstr("statement " + digest()));
  honest.lies.post = [](PostAnswer& answer) { answer.outcomes.at(0) = Refuse(Reason::kStorage); };
  EXPECT_EQ(ana->Send({DraftOf("x")}, {}).value()[0].error().detail, "");  // that is known: it did not happen
}

TEST_F(SessionTest, SaysWhatToDoNextWhereTheReasonAloneDoesNot) {
  EXPECT_THAT(ToFailure(Refuse(Reason::kDeadline)).message, HasSubstr("busy, or out of reach"));
  EXPECT_THAT(ToFailure(Refuse(Reason::kStorage)).message, HasSubstr("make space"));
  EXPECT_THAT(ToFailure(Refuse(Reason::kOutcomeUnknown, "x")).message, HasSubstr("(x) The broker takes nothing more"));
  EXPECT_THAT(ToFailure(Refuse(Reason::kPoolFull)).message, HasSubstr("tell the broker's operator"));
  EXPECT_EQ(ToFailure(Refuse(Reason::kRevoked, "x")).message, Refuse(Reason::kRevoked, "x").Message());
}

TEST_F(SessionTest, SaysThatALostAnswerIsNotReleasedAgain) {
  const auto id = Sent(DraftOf("the report"));
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  honest.answers_to_lose = 1;
  honest.lies.post = [](PostAnswer& answer) { answer.outcomes[0]->releases.clear(); };  // as if revoked meanwhile
  EXPECT_EQ(Refusal(*luis, Asking(id)), Reason::kReplayed);
  EXPECT_EQ(Refusal(*luis, Asking(id)), Reason::kWrongRelease);  // not lost: then it is owed
}

TEST_F(SessionTest, GoesOnInANewSessionWhereTheLastOneEnded) {
  const auto id = Sent(DraftOf("one"));
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 1u);
  Sent(DraftOf("two"));
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Inbox().value().size(), 2u);
  EXPECT_EQ(Opened(*luis, Asking(id)).value().content, "one");
}

TEST_F(SessionTest, SendsAndOpensTwentyAtOnce) {
  std::vector<Draft> drafts;
  for (int i = 0; i < 20; ++i) drafts.push_back(DraftOf("report " + std::to_string(i)));
  auto sent = SessionOf("us.dea/ana")->Send(drafts, {}).value();
  EXPECT_EQ(honest.posts, 1u);
  std::vector<OpenRequest> requests;
  for (auto& one : sent) requests.push_back(Asking(one.value().id));
  auto opened = SessionOf("mx.fgr/luis")->Open(requests, {}).value();
  EXPECT_EQ(honest.posts, 2u);
  ASSERT_EQ(opened.size(), 20u);
  for (std::size_t i = 0; i < opened.size(); ++i) EXPECT_EQ(opened[i].value().content, "report " + std::to_string(i));
}

TEST_F(SessionTest, OpensOnlyThePortionsThatThePolicyAllows) {
  auto draft = DraftOf("summary");
  draft.portions.push_back(
      {{}, "source", "text/plain", PolicyFor("agency mx.fgr, agency us.fbi", "roles any chief\n")});
  const auto id = Sent(draft);
  auto opened = SessionOf("mx.fgr/luis")->Open({Asking(id, 1), Asking(id, 0)}, {}).value();
  EXPECT_EQ(opened[0].error().reason, Reason::kRoleMissing);
  EXPECT_EQ(opened[1].value().content, "summary");
  EXPECT_EQ(honest.downloads, 1u);
}

TEST_F(SessionTest, ShowsAsOpenedThePortionsThatWereAndNoOthers) {
  auto draft = DraftOf("summary");
  draft.portions.push_back({{}, "source", "text/plain", PolicyFor("agency mx.fgr")});
  const auto id = Sent(draft);
  auto luis = SessionOf("mx.fgr/luis");
  Opened(*luis, Asking(id, 1)).value();
  const auto item = luis->Inbox().value().at(0);
  EXPECT_TRUE(item.opened_by_me);
  EXPECT_FALSE(item.portions.at(0).opened_by_me);
  EXPECT_TRUE(item.portions.at(1).opened_by_me);
}

TEST_F(SessionTest, LogsAndTellsARefusedOpening) {
  const auto id = Sent(DraftOf("x"));
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(Refusal(*luis, Asking(id, 0, {}, "analysis")), Reason::kWrongPurpose);
  EXPECT_EQ(honest.entries.back().statement->kind, ledger::Kind::kOpen);
  EXPECT_EQ(honest.downloads, 0u);
}

TEST_F(SessionTest, AsksEachOriginatorForItsOwnRecordsAlone) {
  const auto ana = Sent(DraftOf("from ana"));
  const auto kim = SessionOf("us.fbi/kim")->Send({DraftOf("from kim")}, {}).value().front().value().id;
  const auto admin = SessionOf("us.dea/admin")->Send({DraftOf("from admin")}, {}).value().front().value().id;
  const auto before = honest.entries.size();
  auto opened = SessionOf("mx.fgr/luis")->Open({Asking(ana), Asking(kim), Asking(admin)}, {}).value();
  EXPECT_EQ(opened[0].value().content, "from ana");
  EXPECT_EQ(opened[1].value().content, "from kim");
  EXPECT_EQ(opened[2].value().content, "from admin");
  ASSERT_EQ(honest.entries.size(), before + 2);
  for (auto i = before; i < honest.entries.size(); ++i) {
    const auto& open = std::get<ledger::Open>(honest.entries[i].statement->payload);
    for (const auto& item : open.items)
      EXPECT_EQ(honest.state.record(item.record)->originator.agency(),
                honest.state.record(open.items.front().record)->originator.agency());
  }
  const auto custody = SessionOf("us.fbi/kim")->Custody(kim).value();
  ASSERT_EQ(custody.size(), 2u);
  for (const auto& one : custody) EXPECT_EQ(one.record, kim);
}

TEST_F(SessionTest, AnswersInTheOrderOfTheRequestsAlsoWhereSomeAreNone) {
  const auto id = Sent(DraftOf("one"));
  auto opened =
      SessionOf("mx.fgr/luis")
          ->Open({Asking(std::string(64, 'a')), Asking(id), Asking(id), Asking(id, 7), Asking(id, 0, {}, "analysis")},
                 {})
          .value();
  EXPECT_EQ(opened[0].error().reason, Reason::kNotFound);
  EXPECT_EQ(opened[1].value().content, "one");
  EXPECT_EQ(opened[2].error().reason, Reason::kUsage);  // twice
  EXPECT_EQ(opened[3].error().reason, Reason::kNotFound);
  EXPECT_EQ(opened[4].error().reason, Reason::kUsage);  // another purpose
}

TEST_F(SessionTest, ThreadsAReplyToItsRecord) {
  const auto id = Sent(DraftOf("question"));
  auto luis = SessionOf("mx.fgr/luis");
  auto reply = DraftOf("answer", "agency us.dea");
  luis->Inbox().value();
  reply.in_reply_to = id.substr(0, 8);
  luis->Send({reply}, {}).value().front().value();
  auto inbox = SessionOf("us.dea/ana")->Inbox().value();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0].in_reply_to, id);
}

TEST_F(SessionTest, OpensManyAtOnceEachWithItsOwnContent) {
  std::vector<Draft> drafts;
  for (int i = 0; i < 20; ++i) drafts.push_back(DraftOf("report " + std::to_string(i)));
  std::vector<OpenRequest> requests;
  const auto sent = SessionOf("us.dea/ana")->Send(drafts, {}).value();
  for (const auto& one : sent) requests.push_back(Asking(one.value().id));
  auto opened = SessionOf("mx.fgr/luis")->Open(requests, {}).value();
  for (std::size_t i = 0; i < opened.size(); ++i) EXPECT_EQ(opened[i].value().content, "report " + std::to_string(i));
}

// The opening is in the log by then; that a member may have few streams must not cost it the content.
TEST_F(SessionTest, FetchesABodyAgainThatTheBrokerTurnedAwayForTheOthers) {
  std::vector<OpenRequest> requests;
  for (int i = 0; i < 3; ++i) requests.push_back(Asking(Sent(DraftOf("x"))));
  honest.lies.download = [&]() -> Status {
    if (honest.downloads <= 2) return Refuse(Reason::kTooMany);
    return Ok();
  };
  auto opened = SessionOf("mx.fgr/luis")->Open(requests, {}).value();
  for (const auto& one : opened) EXPECT_TRUE(one) << one.error().Message();
  EXPECT_EQ(honest.downloads, 5u);
  honest.lies.download = []() -> Status { return Refuse(Reason::kTooMany); };
  opened = SessionOf("mx.fgr/luis")->Open(requests, {}).value();
  for (const auto& one : opened) EXPECT_EQ(one.error().reason, Reason::kTooMany);  // again once, and not for ever
}

// ---- afterwards ----

TEST_F(SessionTest, TellsTheSenderWhoDidWhatWithItsRecord) {
  const auto id = Sent(DraftOf("x"));
  {
    auto luis = SessionOf("mx.fgr/luis");
    Opened(*luis, Asking(id)).value();
    EXPECT_EQ(luis->Acknowledge(id, "useful").value().outcome, "useful");
    EXPECT_EQ(luis->Acknowledge(id, "splendid").error().reason, Reason::kUsage);
  }
  auto ana = SessionOf("us.dea/ana");
  EXPECT_EQ(ana->Revoke(id, "a mistake").value().why, "a mistake");
  auto custody = ana->Custody(id).value();
  std::vector<std::string> kinds;
  for (const auto& one : custody) kinds.push_back(one.kind + " " + one.by);
  EXPECT_THAT(kinds, ElementsAre("record us.dea/ana", "open mx.fgr/luis", "acknowledgement mx.fgr/luis",
                                 "revocation us.dea/ana"));
  EXPECT_EQ(custody[1].portions, (std::vector<std::pair<std::uint32_t, std::string>>{{0, "granted"}}));
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_TRUE(luis->Inbox().value()[0].revoked);
  EXPECT_EQ(Refusal(*luis, Asking(id)), Reason::kRevoked);
  EXPECT_EQ(luis->Revoke(id, "not mine").error().reason, Reason::kNotOriginator);
}

TEST_F(SessionTest, FollowsWhatComesAndMayBeUsedMeanwhile) {
  const auto first = Sent(DraftOf("one"));
  auto luis = SessionOf("mx.fgr/luis");
  std::vector<std::string> seen;
  std::string second;
  auto ended = luis->Follow([&](const NewsItem& item) {
    seen.push_back(item.kind);
    // Opening moves the pin and the mail beneath the stream; that is no fork.
    if (item.kind == "record") {
      EXPECT_EQ(Opened(*luis, Asking(item.record.substr(0, 16))).value().bytes, 3u);
    }
    if (seen.size() == 1) Sent(DraftOf("two"));
    return seen.size() < 4;
  });
  EXPECT_TRUE(ended) << ended.error().Message();
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre("record", "open", "record", "open"));
}

TEST_F(SessionTest, FollowsOnInAnotherStreamWhenTheBrokerEndsOne) {
  Sent(DraftOf("one"));
  auto luis = SessionOf("mx.fgr/luis");
  luis->set_pause({});
  std::vector<Reason> ends = {Reason::kUnavailable, Reason::kDeadline, Reason::kShuttingDown, Reason::kSlowConsumer};
  std::size_t ended = 0;
  honest.lies.stream_end = [&]() -> Status {
    if (ended == ends.size()) return Refuse(Reason::kNotEnrolled);
    Sent(DraftOf("more"));
    return Refuse(ends[ended++]);
  };
  std::size_t seen = 0;
  auto why = luis->Follow([&](const NewsItem&) { return ++seen > 0; });
  EXPECT_EQ(why.error().reason, Reason::kNotEnrolled);  // which does not pass by waiting
  EXPECT_EQ(seen, 1 + ends.size());
}

TEST_F(SessionTest, SaysWhyAStreamEnded) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->set_pause({});
  EXPECT_EQ(luis->Follow([](const NewsItem&) { return true; }).error().reason, Reason::kShuttingDown);
}

TEST_F(SessionTest, ReadsDirectoryMailAndCustodyInPages) {
  for (int i = 0; i < 4; ++i) Sent(DraftOf("x"));
  const auto id = Sent(DraftOf("x"));
  honest.page = 2;
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Directory().value().size(), 3u);
  EXPECT_EQ(luis->Inbox().value().size(), 5u);
  Opened(*luis, Asking(id)).value();
  for (const char* outcome : {"received", "useful", "acted-on"}) luis->Acknowledge(id, outcome).value();
  const auto custody = luis->Custody(id).value();
  std::vector<std::string> outcomes;
  for (const auto& one : custody) outcomes.push_back(one.outcome);
  EXPECT_THAT(outcomes, ElementsAre("", "", "received", "useful", "acted-on"));
}

TEST_F(SessionTest, ReadsOnAfterAPageInWhichNothingIsForIt) {
  const auto id = Sent(DraftOf("x"));
  auto luis = SessionOf("mx.fgr/luis");
  luis->Acknowledge(id, "received").value();
  const auto last = luis->Acknowledge(id, "received").value().entry;
  honest.page = 1;
  int pages = 0;
  honest.lies.custody = [&](client::EntriesAnswer& page) {
    if (++pages == 2) page.entries.clear();
  };
  const auto custody = luis->Custody(id).value();
  ASSERT_EQ(custody.size(), 2u);
  EXPECT_EQ(custody[1].entry, last);
  EXPECT_EQ(pages, 3);
}

// ---- the agency's members and keys ----

TEST_F(SessionTest, OpensOldRecordsWithTheOldEpochAndNewOnesWithTheNew) {
  const auto old = Sent(DraftOf("old"));
  SessionOf("mx.fgr/admin")->RotateEpoch().value();
  const auto fresh = Sent(DraftOf("fresh"));
  auto opened = SessionOf("mx.fgr/luis")->Open({Asking(old), Asking(fresh)}, {}).value();
  EXPECT_EQ(opened[0].value().content, "old");
  EXPECT_EQ(opened[1].value().content, "fresh");
}

TEST_F(SessionTest, RemovesAMemberAndRotatesTheEpoch) {
  const auto before = SessionOf("us.dea/ana")->Directory().value();
  SessionOf("mx.fgr/admin")->Remove("mx.fgr/luis").value();
  const auto after = SessionOf("us.dea/ana")->Directory().value();
  EXPECT_EQ(after[0].epoch, before[0].epoch + 1);
  EXPECT_EQ(after[0].members[1].status, "removed");
  Sent(DraftOf("not for luis"));
  EXPECT_EQ(honest.state.agency(*AgencyId::Parse("mx.fgr"))->current()->wraps.count(test::Member("mx.fgr/luis")), 0u);
  EXPECT_EQ(SessionOf("mx.fgr/admin")->Remove("mx.fgr/luis").error().reason, Reason::kNotFound);
  EXPECT_EQ(SessionOf("mx.fgr/admin")->Remove("us.dea/ana").error().reason, Reason::kNotFound);
}

TEST_F(SessionTest, StillVerifiesWhatAMemberSignedWithKeysThatItHasNoMore) {
  const auto id = Sent(DraftOf("signed with the first key"));
  SessionOf("mx.fgr/luis")->Inbox().value();
  test::TempFolder again;
  crypto::SystemRandom random;
  Keyring keys{crypto::SignKey::Generate(random), crypto::SignKey::Generate(random),
               crypto::KemPrivateKey::Generate(random)};
  test::WriteText(again / "card", MemberCard::Make(test::Member("us.dea/ana"), keys));
  SessionOf("us.dea/admin")->Enrol(again / "card", {"secret", {}, {}, false, false}).value();
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Inbox().value().size(), 1u);                       // from its cache
  EXPECT_EQ(SessionOf("mx.fgr/admin")->Inbox().value().size(), 1u);  // fetched for the first time
  EXPECT_EQ(Opened(*luis, Asking(id)).value().bytes, 25u);
}

TEST_F(SessionTest, ShowsBeforehandWhatEnrollingAgainChanges) {
  auto admin = SessionOf("us.dea/admin");
  const auto card = ProfileOf("us.dea/ana") / "member.card";
  auto changes = [&](const std::filesystem::path& of, const Session::EnrolOptions& options) {
    std::vector<std::string> lines;
    const auto all = admin->EnrolmentChanges(of, options).value();
    for (const auto& one : all) lines.push_back(one.what + ": " + one.before + " -> " + one.after);
    return lines;
  };
  EXPECT_THAT(changes(card, {"secret", {"analyst"}, {}, false, false, "ana"}), IsEmpty());
  EXPECT_THAT(changes(card, {"", {}, {"boats"}, true, true}),
              ElementsAre("clearance: secret -> none", "roles: analyst -> none", "programmes: none -> boats",
                          "administrator: no -> yes", "auditor: no -> yes", "person: ana -> none"));
  crypto::SystemRandom random;
  Keyring keys{crypto::SignKey::Generate(random), crypto::SignKey::Generate(random),
               crypto::KemPrivateKey::Generate(random)};
  test::WriteText(folder / "new", MemberCard::Make(test::Member("us.dea/nora"), keys));
  EXPECT_THAT(changes(folder / "new", {"secret", {}, {}, false, false}), IsEmpty());  // nobody's rights are lost
  test::WriteText(folder / "again", MemberCard::Make(test::Member("us.dea/ana"), keys));
  EXPECT_THAT(changes(folder / "again", {"secret", {"analyst"}, {}, false, false, "ana"}),
              ElementsAre("keys: those enrolled -> those of the card"));
}

TEST_F(SessionTest, SaysThatAnEnrolmentStandsWhenTheAgencysKeysCouldNotBeChanged) {
  crypto::SystemRandom random;
  Keyring keys{crypto::SignKey::Generate(random), crypto::SignKey::Generate(random),
               crypto::KemPrivateKey::Generate(random)};
  test::WriteText(folder / "again", MemberCard::Make(test::Member("us.dea/ana"), keys));
  const auto before = honest.posts;
  honest.lies.post = [&](PostAnswer& answer) {
    if (honest.posts == before + 2) answer.outcomes.at(0) = Refuse(Reason::kStorage);
  };
  auto enrolled = SessionOf("us.dea/admin")->Enrol(folder / "again", {"secret", {}, {}, false, false});
  ASSERT_FALSE(enrolled);
  EXPECT_EQ(enrolled.error().reason, Reason::kStorage);
  EXPECT_THAT(enrolled.error().detail, HasSubstr("us.dea/ana is enrolled with its new keys"));
  EXPECT_THAT(enrolled.error().detail, HasSubstr("valija epoch rotate"));
}

TEST_F(SessionTest, LetsNobodyEnrolWhoIsNoAdministrator) {
  auto enrolled = SessionOf("us.dea/ana")->Enrol(ProfileOf("us.dea/admin") / "member.card", {});
  EXPECT_EQ(enrolled.error().reason, Reason::kNotAuthorised);
  enrolled = SessionOf("us.dea/admin")->Enrol(ProfileOf("mx.fgr/luis") / "member.card", {});
  EXPECT_EQ(enrolled.error().reason, Reason::kNotAuthorised);
}

TEST_F(SessionTest, ShowsBeforehandWhoCouldOpen) {
  auto draft = DraftOf("x", "agency mx.fgr, agency us.fbi", "clearance secret\n");
  auto preview = SessionOf("us.dea/ana")->Preview(draft).value();
  ASSERT_EQ(preview.size(), 1u);
  ASSERT_EQ(preview[0].readers.size(), 2u);
  EXPECT_EQ(preview[0].readers[0].agency, "mx.fgr");
  EXPECT_THAT(preview[0].readers[0].members, ElementsAre("mx.fgr/luis"));
  EXPECT_THAT(preview[0].readers[1].members, IsEmpty());
  EXPECT_EQ(honest.posts, 0u);
}

TEST_F(SessionTest, SaysWhoItIs) {
  auto me = SessionOf("mx.fgr/luis")->Me().value();
  EXPECT_EQ(me.member, "mx.fgr/luis");
  EXPECT_EQ(me.charter_digest, begun.charter_digest.Hex());
  EXPECT_EQ(me.pinned_size, honest.entries.size());
  EXPECT_EQ(me.info.clearance, "secret");
  EXPECT_FALSE(me.info.administrator);
}

}  // namespace
}  // namespace valija::client
