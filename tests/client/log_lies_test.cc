// A broker that lies about the log as a whole: forks, rollbacks, checkpoints, pages, and receipts for what it left out.
#include "tests/client/lies.h"

namespace valija::client {
namespace {

using ::testing::HasSubstr;

// ---- the log ----

TEST_F(LyingBrokerTest, StopsAtAForkAndKeepsBothCheckpoints) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  forked.bodies = honest.bodies;
  const auto posts = honest.posts;
  broker = &forked;
  EXPECT_EQ(luis->Directory().error().reason, Reason::kFork);
  const auto evidence = test::ReadAll(ProfileOf("mx.fgr/luis") / "FORK");
  EXPECT_THAT(evidence, HasSubstr(honest.Checkpoint()));
  EXPECT_THAT(evidence, HasSubstr(forked.Checkpoint()));

  broker = &honest;  // back to the other history: this session has stopped all the same
  EXPECT_EQ(ReasonOf(luis->Open({Asking(id)}, {})), Reason::kFork);
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kFork);
  EXPECT_EQ(honest.posts, posts);
  luis.reset();
  auto again = Profile::Open(ProfileOf("mx.fgr/luis"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::kFork);
}

TEST_F(LyingBrokerTest, FindsAForkInALongerLogToo) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  forked.Append(forked.entries[1]);
  broker = &forked;
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kFork);
}

TEST_F(LyingBrokerTest, FindsAForkInTheAnswerToItsRequest) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  lies.post = [&](PostAnswer& answer) { answer.view = forked.MakeView(0); };
  forked.Append(forked.entries[1]);  // as long as the honest one, so that it is no rollback
  EXPECT_EQ(ReasonOf(luis->Open({Asking(id, 0, folder / "out")}, {})), Reason::kFork);
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_TRUE(fs::exists(ProfileOf("mx.fgr/luis") / "FORK"));
}

TEST_F(LyingBrokerTest, FindsAForkInASessionThatComesLater) {
  SessionOf("mx.fgr/luis")->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  broker = &forked;
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kFork);
}

TEST_F(LyingBrokerTest, RefusesALogThatIsShorterThanBefore) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker older(begun.broker, honest.entries, honest.entries.size() - 1);
  broker = &older;
  EXPECT_EQ(luis->Directory().error().reason, Reason::kRolledBack);
  broker = &honest;
  EXPECT_TRUE(luis->Directory());
}

TEST_F(LyingBrokerTest, RefusesACheckpointSignedByAnotherKey) {
  crypto::SystemRandom random;
  auto key = crypto::Ed25519SignKey::Generate(random);
  lies.view = [&](View& view) {
    auto body = log::Checkpoint::ParseBody(log::Note::Parse(view.checkpoint).value().text).value();
    view.checkpoint = log::SignedCheckpoint::Sign(body, key).note();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
  EXPECT_FALSE(fs::exists(ProfileOf("mx.fgr/luis") / "pin"));
}

TEST_F(LyingBrokerTest, RefusesTheCheckpointOfAnotherLog) {
  lies.view = [&](View& view) {
    auto body = log::Checkpoint::ParseBody(log::Note::Parse(view.checkpoint).value().text).value();
    body.origin = "example.org/another";
    view.checkpoint = log::SignedCheckpoint::Sign(body, begun.broker.log_key).note();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
}

TEST_F(LyingBrokerTest, RefusesAnEmptyLogAndGarbage) {
  lies.view = [&](View& view) {
    view.checkpoint =
        log::SignedCheckpoint::Sign({begun.broker.origin, 0, log::EmptyRoot()}, begun.broker.log_key).note();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
  lies.view = [](View& view) { view.checkpoint = "good log, trust me\n"; };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
}

TEST_F(LyingBrokerTest, TakesAMissingConsistencyProofForAFork) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  Sent(DraftOf("another"));
  lies.view = [](View& view) { view.consistency.clear(); };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kFork);
}

// ---- the mailbox ----

TEST_F(LyingBrokerTest, RefusesAMailboxThatRepeatsAnEntry) {
  lies.mailbox = [](EntriesAnswer& answer) {
    if (!answer.entries.empty()) answer.entries.push_back(answer.entries[0]);
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesAMailboxThatGoesBack) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  const auto index = honest.entries.size() - 1;
  lies.mailbox = [&](EntriesAnswer& answer) {
    answer.entries = {honest.Seen(index, test::Member("mx.fgr/luis")).value()};
  };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
  lies.mailbox = [&](EntriesAnswer& answer) { answer.next_cursor = 0; };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
  lies.mailbox = [&](EntriesAnswer& answer) { answer.more = true; };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesAStreamThatRepeatsAnEntry) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  const auto old = honest.entries.size() - 1;
  lies.follow = [&](FollowItem& item) { item.entry = honest.Seen(old, test::Member("mx.fgr/luis")); };
  std::size_t shown = 0;
  auto ended = luis->Follow([&](const NewsItem&) {
    if (++shown == 1) Sent(DraftOf("two"));
    return true;
  });
  EXPECT_EQ(ended.error().reason, Reason::kBadProof);
  EXPECT_EQ(shown, 1u);  // what was in the mailbox before
}

TEST_F(LyingBrokerTest, RefusesTheDirectoryAsMail) {
  lies.mailbox = [&](EntriesAnswer& answer) {
    if (!answer.entries.empty()) answer.entries.insert(answer.entries.begin(), honest.Proved(0));
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesACustodyAboutAnotherRecordOrOutOfOrder) {
  Sent(DraftOf("another"));
  auto ana = SessionOf("us.dea/ana");
  lies.custody = [&](EntriesAnswer& answer) { answer.entries.push_back(honest.Proved(honest.entries.size() - 1)); };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kBadProof);
  lies.custody = [&](EntriesAnswer& answer) { answer.entries.push_back(answer.entries[0]); };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesACustodyWithAnOpeningOfAnotherRecordInIt) {
  const auto other = Sent(DraftOf("another"));
  SessionOf("mx.fgr/luis")->Open({Asking(other)}, {}).value()[0].value();
  lies.custody = [&](EntriesAnswer& answer) { answer.entries.push_back(honest.Proved(honest.entries.size() - 1)); };
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
}

// Wherever pages come from: the directory, the mailbox, the custody.
TEST_F(LyingBrokerTest, RefusesPagesThatGoNowhereOrBackOrBeyondTheLog) {
  const std::pair<const char*, std::function<void(EntriesAnswer&)>> changes[] = {
      {"more, from the same place", [](EntriesAnswer& page) { page.more = true, page.next_cursor = 0; }},
      {"more, from the end again and again", [](EntriesAnswer& page) { page.more = true, page.entries.clear(); }},
      {"an entry beyond its own end",
       [](EntriesAnswer& page) {
         if (!page.entries.empty()) page.next_cursor = page.entries.back().entry.head->index;
       }},
      {"a cursor beyond the log", [](EntriesAnswer& page) { page.next_cursor = std::uint64_t{1} << 60; }}};
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    fs::remove_all(ProfileOf("mx.fgr/luis"));  // with what is proved already, there is no entry left to lie about
    lies.directory = change;
    EXPECT_EQ(SessionOf("mx.fgr/luis")->Directory().error().reason, Reason::kBadProof);
    lies = {};
    lies.mailbox = change;
    EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
    lies = {};
    lies.custody = change;
    EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
    lies = {};
  }
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 1u);  // no lie moved the cursor
}

TEST_F(LyingBrokerTest, RefusesACustodyWhoseSecondPageBeginsAgain) {
  auto ana = SessionOf("us.dea/ana");
  ana->Revoke(id, "why").value();
  honest.page = 1;
  std::vector<ProvedEntry> first;
  lies.custody = [&](EntriesAnswer& page) {
    if (first.empty())
      first = page.entries;
    else
      page.entries = first;
  };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesAStreamWhoseCursorIsBeyondTheLog) {
  lies.mailbox = [](EntriesAnswer& answer) { answer.entries.clear(), answer.next_cursor = 0; };
  lies.follow = [](FollowItem& item) { item.cursor = std::uint64_t{1} << 60; };
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Follow([](const NewsItem&) { return true; }).error().reason, Reason::kBadProof);
  lies = {};
  EXPECT_EQ(luis->Inbox().value().size(), 1u);
}

TEST_F(LyingBrokerTest, StopsAtAForkBetweenTwoPagesOfACustody) {
  auto ana = SessionOf("us.dea/ana");
  ana->Revoke(id, "why").value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  forked.Append(forked.entries[1]);
  honest.page = 1;
  int pages = 0;
  lies.custody = [&](EntriesAnswer& page) {
    if (++pages == 2) page.view = forked.MakeView(0);
  };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kFork);
}

// ---- a sender ----

TEST_F(LyingBrokerTest, DoesNotTakeForSentWhatIsNotInTheLog) {
  auto ana = SessionOf("us.dea/ana");
  auto reason = [&] {
    auto sent = ana->Send({DraftOf("x"), DraftOf("y")}, {});
    if (!sent) return sent.error().reason;
    EXPECT_FALSE(sent->at(0));
    return sent->at(0) ? Reason::kInternal : sent->at(0).error().reason;
  };
  lies.post = [](PostAnswer& answer) { ReceiptIn(answer).path.pop_back(); };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies.post = [](PostAnswer& answer) { std::swap(answer.outcomes[0], answer.outcomes[1]); };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies.post = [](PostAnswer& answer) { answer.outcomes.pop_back(); };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies = {};
  lies.decision = [](ledger::Decision& decision) { decision.verdicts[0].reasons = {Reason::kExpired}; };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies = {};
  lies.post = [](PostAnswer& answer) { answer.outcomes[0] = Refuse(Reason::kBadPolicy); };
  EXPECT_EQ(reason(), Reason::kBadPolicy);
}

TEST_F(LyingBrokerTest, DoesNotTakeForDoneWhatIsNotInTheLog) {
  auto ana = SessionOf("us.dea/ana");
  lies.post = [](PostAnswer& answer) { ReceiptIn(answer).salt.bytes[0] ^= 1; };
  EXPECT_EQ(ana->Revoke(id, "why").error().reason, Reason::kBadProof);
  lies.post = [&](PostAnswer& answer) { ReceiptIn(answer) = honest.Receipt(1); };
  EXPECT_EQ(ana->Acknowledge(id, "received").error().reason, Reason::kBadProof);
}

}  // namespace
}  // namespace valija::client
