// Standing orders, and a broker that opens under orders that are not the member's.
#include "client/plain_file.h"
#include "tests/client/life.h"

namespace valija::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OrderTest : public LifeTest {
 protected:
  std::string Ordered(SessionCore& session) {
    const auto until = std::chrono::time_point_cast<std::chrono::milliseconds>(Clock::now() + std::chrono::hours(24));
    return session.StandingOrder({"investigation", "", until}).value().id;
  }
  // What comes until there are so many; why it ended otherwise.
  std::vector<Released> Follow(SessionCore& session, std::size_t count, const std::filesystem::path& into = {},
                               std::uint64_t from = 0) {
    std::vector<Released> all;
    session.set_pause(std::chrono::milliseconds(1));
    ended_ = session.FollowReleased(from, into, [&](const Released& one) {
      all.push_back(one);
      return all.size() < count;
    });
    return all;
  }
  Status ended_ = Ok();
};

TEST_F(OrderTest, OpensWhatComesUnderTheOrder) {
  const auto before = Sent(DraftOf("before the order"));
  std::string order;
  {
    auto luis = SessionOf("mx.fgr/luis");
    order = Ordered(*luis);
    ASSERT_THAT(luis->Orders().value(), SizeIs(1));
  }
  auto draft = DraftOf("one");
  draft.portions.push_back({{}, "for chiefs", "text/plain", PolicyFor("agency mx.fgr", "roles any chief\n")});
  const auto one = Sent(draft);
  const auto two = Sent(DraftOf("two"));
  const auto posts = honest.posts;
  auto luis = SessionOf("mx.fgr/luis");
  const auto released = Follow(*luis, 2);
  EXPECT_TRUE(ended_);
  ASSERT_THAT(released, SizeIs(2));
  EXPECT_EQ(released[0].record, one);
  EXPECT_EQ(released[0].order, order);
  EXPECT_EQ(released[0].from, "us.dea/ana");
  ASSERT_THAT(released[0].portions, SizeIs(1));
  EXPECT_EQ(released[0].portions[0]->content, "one");
  EXPECT_EQ(released[1].record, two);
  EXPECT_EQ(honest.posts, posts);  // nothing is asked for
  // Again, from what the profile has kept; and from where it stood.
  EXPECT_EQ(Follow(*luis, 2)[1].portions.at(0)->content, "two");
  EXPECT_THAT(Follow(*luis, 1, {}, released[0].entry + 1).at(0).record, two);
  EXPECT_EQ(luis->Orders().value()[0].opened, 2u);
  EXPECT_TRUE(luis->Inbox().value().at(1).opened_by_me);
  EXPECT_FALSE(luis->Inbox().value().at(0).opened_by_me);
}

TEST_F(OrderTest, WritesContentsIntoAFolder) {
  Ordered(*SessionOf("mx.fgr/luis"));
  const auto id = Sent(DraftOf("one"));
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_THAT(Follow(*luis, 1, folder.path()), SizeIs(1));
  EXPECT_EQ(test::ReadAll(folder / (id + "-0")), "one");
  const auto again = Follow(*luis, 1, folder.path());
  EXPECT_EQ(again.at(0).portions.at(0).failure().code, "exists");
}

TEST_F(OrderTest, FetchesThePortionsThatAreNotThereYet) {
  Ordered(*SessionOf("mx.fgr/luis"));
  auto draft = DraftOf("one");
  draft.portions.push_back({{}, "two", "text/plain", PolicyFor("agency mx.fgr")});
  draft.portions.push_back({{}, "three", "text/plain", PolicyFor("agency mx.fgr")});
  const auto id = Sent(draft);
  // A process was killed when it had the first one, and a part of the second.
  test::WriteText(folder / (id + "-0"), "one");
  test::WriteText(folder / (id + "-1.part"), "a longer text than the second portion");
  auto luis = SessionOf("mx.fgr/luis");
  const auto released = Follow(*luis, 1, folder.path());
  ASSERT_THAT(released.at(0).portions, SizeIs(3));
  EXPECT_EQ(released[0].portions[0].failure().code, "exists");
  EXPECT_EQ(released[0].portions[1]->bytes, 3u);
  EXPECT_EQ(test::ReadAll(folder / (id + "-1")), "two");
  EXPECT_EQ(test::ReadAll(folder / (id + "-2")), "three");
  EXPECT_FALSE(std::filesystem::exists(folder / (id + "-1.part")));
  EXPECT_EQ(honest.downloads, 2u);
}

TEST_F(OrderTest, LeavesAPartThatAnotherProcessWrites) {
  Ordered(*SessionOf("mx.fgr/luis"));
  const auto id = Sent(DraftOf("one"));
  auto held = PlainFile::Make(folder / (id + "-0")).value();
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(Follow(*luis, 1, folder.path()).at(0).portions.at(0).failure().code, "exists");
  EXPECT_TRUE(std::filesystem::exists(folder / (id + "-0.part")));
}

TEST_F(OrderTest, RemembersWhatItReported) {
  std::uint64_t next = 0;
  {
    auto luis = SessionOf("mx.fgr/luis");
    EXPECT_EQ(luis->NextReleased(), 0u);
    Ordered(*luis);
    Sent(DraftOf("one"));
    next = Follow(*luis, 1).at(0).entry + 1;
    EXPECT_EQ(luis->NextReleased(), next);
  }
  const auto two = Sent(DraftOf("two"));
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->NextReleased(), next);
  EXPECT_EQ(Follow(*luis, 1, {}, luis->NextReleased()).at(0).record, two);
}

TEST_F(OrderTest, KnowsItsOrderAlsoWhenItsTextIsErased) {
  std::string order, id;
  {
    auto luis = SessionOf("mx.fgr/luis");
    const auto until = std::chrono::time_point_cast<std::chrono::milliseconds>(Clock::now() + std::chrono::hours(24));
    order = luis->StandingOrder({"investigation", "a person's name", until}).value().id;
    honest.long_ago = ledger::kKept + std::chrono::hours(1);
    id = Sent(DraftOf("one"));
    honest.long_ago = {};
    EXPECT_THAT(Follow(*luis, 1), SizeIs(1));
    luis->EndOrder(order).value();
  }
  SessionOf("mx.fgr/admin")->Purge({order}, "asked for by the person").value();
  for (bool anew : {false, true}) {
    if (anew) std::filesystem::remove(ProfileOf("mx.fgr/luis") / "mail.log");
    auto luis = SessionOf("mx.fgr/luis");
    const auto orders = luis->Orders().value();
    ASSERT_THAT(orders, SizeIs(1)) << anew;
    EXPECT_EQ(orders[0].case_reference, "[erased]");
    EXPECT_EQ(orders[0].opened, 1u);
    EXPECT_TRUE(orders[0].ended);
    EXPECT_TRUE(luis->Inbox().value().at(0).opened_by_me);
  }
  const auto custody = SessionOf("us.dea/ana")->Custody(id).value();
  EXPECT_THAT(KindsOf(custody), ::testing::Contains("standing-opening mx.fgr/luis"));
  EXPECT_EQ(custody.back().purpose, "investigation");  // as what stays of the order says, which its purge proves
  EXPECT_EQ(custody.back().case_reference, "[erased]");
}

TEST_F(OrderTest, IsListedForItsAuthorAndForTheAdministratorWhoMayEndIt) {
  const auto order = Ordered(*SessionOf("mx.fgr/luis"));
  auto admin = SessionOf("mx.fgr/admin");
  const auto listed = admin->Orders().value();
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed[0].member, "mx.fgr/luis");
  EXPECT_EQ(listed[0].id, order);
  EXPECT_THAT(SessionOf("us.dea/ana")->Orders().value(), IsEmpty());
  EXPECT_TRUE(admin->EndOrder(listed[0].id));
}

TEST_F(OrderTest, TriesAgainWhatItCouldNotHaveForNow) {
  Ordered(*SessionOf("mx.fgr/luis"));
  Sent(DraftOf("one"));
  Sent(DraftOf("two"));
  std::uint64_t first = 0;
  {
    auto luis = SessionOf("mx.fgr/luis");
    lies.download = [] { return Status(Refuse(Reason::kUnavailable)); };
    const auto released = Follow(*luis, 2);
    ASSERT_FALSE(released.empty());
    first = released[0].entry;
    EXPECT_LE(luis->NextReleased(), first);
  }
  lies.download = nullptr;
  auto luis = SessionOf("mx.fgr/luis");
  const auto again = Follow(*luis, 2, {}, luis->NextReleased());
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].entry, first);
  EXPECT_EQ(again[0].portions.at(0)->content, "one");
  EXPECT_GT(luis->NextReleased(), again[1].entry);
}

TEST_F(OrderTest, KeepsItsPlaceWhereALaterBeginningWasAskedFor) {
  Ordered(*SessionOf("mx.fgr/luis"));
  Sent(DraftOf("one"));
  Sent(DraftOf("two"));
  auto luis = SessionOf("mx.fgr/luis");
  const auto place = luis->NextReleased();
  EXPECT_THAT(Follow(*luis, 1, {}, honest.entries.size() - 1), SizeIs(1));
  EXPECT_EQ(luis->NextReleased(), place);
}

TEST_F(OrderTest, EndsAtOnce) {
  auto luis = SessionOf("mx.fgr/luis");
  const auto order = Ordered(*luis);
  EXPECT_EQ(luis->EndOrder(order.substr(0, 8)).value().kind, "revocation");
  Sent(DraftOf("one"));
  EXPECT_THAT(Follow(*luis, 1), IsEmpty());
  EXPECT_EQ(ended_.error().reason, Reason::kShuttingDown);
  EXPECT_TRUE(luis->Orders().value().at(0).ended);
  EXPECT_EQ(luis->EndOrder(std::string(64, 'a')).error().reason, Reason::kNotFound);
}

TEST_F(OrderTest, TellsTheOriginatorOfEveryOpening) {
  Ordered(*SessionOf("mx.fgr/luis"));
  const auto id = Sent(DraftOf("one"));
  const auto custody = SessionOf("us.dea/ana")->Custody(id).value();
  ASSERT_THAT(custody, SizeIs(2));
  EXPECT_EQ(custody[1].kind, "standing-opening");
  EXPECT_EQ(custody[1].by, "mx.fgr/luis");
  EXPECT_EQ(custody[1].purpose, "investigation");  // as the order says, which was fetched: that is what is signed
  EXPECT_THAT(custody[1].portions, ElementsAre(std::pair<std::uint32_t, std::string>(0, "granted")));
}

// ---- lies ----

TEST_F(OrderTest, RefusesAnOpeningUnderAnOrderThatIsNotItsOwnOfARecordThatItMayNotKnowOf) {
  const auto id = Sent(DraftOf("one", "agency us.fbi"));
  const auto opening = FakeBroker::Opening({Id(std::string(64, 'a')), *MemberId::Parse("us.fbi/kim"), Id(id), {0}});
  ledger::Decision decision{opening->digest, begun.broker.authority, {}, {{Id(id), 0, {}, {}, 0, "TLP:AMBER"}}};
  const auto index = honest.Log(opening, decision);
  lies.mailbox = [&](EntriesAnswer& page) {
    if (page.next_cursor > index) page.entries.push_back(honest.Proved(index));
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(OrderTest, RefusesAnOpeningForItselfThatItNeverOrdered) {
  const auto id = Sent(DraftOf("one"));
  const auto opening = FakeBroker::Opening({Id(std::string(64, 'a')), *MemberId::Parse("mx.fgr/luis"), Id(id), {0}});
  ledger::Decision decision{opening->digest, begun.broker.authority, {}, {{Id(id), 0, {}, {}, 0, "TLP:AMBER"}}};
  const auto index = honest.Log(opening, decision);
  lies.mailbox = [&](EntriesAnswer& page) {
    if (page.next_cursor > index) page.entries.push_back(honest.Proved(index));
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(OrderTest, RefusesAnOpeningOfItsRecordWhoseOrderIsNotShown) {
  Ordered(*SessionOf("mx.fgr/luis"));
  const auto id = Sent(DraftOf("one"));
  lies.record = [](EntriesAnswer& page) { page.entries.clear(); };
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
  lies.record = nullptr;
  honest.hidden = honest.state.orders().begin()->first;
  EXPECT_EQ(SessionOf("us.dea/ana")->Inbox().error().reason, Reason::kBadProof);
  honest.hidden.reset();
  EXPECT_TRUE(SessionOf("us.dea/ana")->Custody(id));
}

TEST_F(OrderTest, RefusesAnOpeningOfItsRecordUnderAnotherMembersOrder) {
  Ordered(*SessionOf("us.fbi/kim"));
  const auto order = honest.state.orders().begin()->first;
  const auto id = Sent(DraftOf("one"));
  const auto opening = FakeBroker::Opening({order, *MemberId::Parse("mx.fgr/luis"), Id(id), {0}});
  ledger::Decision decision{opening->digest, begun.broker.authority, {}, {{Id(id), 0, {}, {}, 0, "TLP:AMBER"}}};
  const auto index = honest.Log(opening, decision);
  lies.mailbox = [&](EntriesAnswer& page) {
    if (page.next_cursor > index) page.entries.push_back(honest.Proved(index));
  };
  lies.record = [&](EntriesAnswer& page) { page.entries = {honest.Proved(honest.state.order(order)->index)}; };
  EXPECT_EQ(SessionOf("us.dea/ana")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(OrderTest, RefusesACustodyWithAnOrderThatOpenedNothingOfIt) {
  const auto id = Sent(DraftOf("one"));
  Ordered(*SessionOf("mx.fgr/luis"));
  const auto order = honest.entries.size() - 1;
  EXPECT_TRUE(SessionOf("us.dea/ana")->Custody(id));
  lies.custody = [&](EntriesAnswer& page) { page.entries.push_back(honest.Proved(order)); };
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
}

TEST_F(OrderTest, RefusesAnErasedEntryInPlaceOfTheOrderBehindAnOpening) {
  auto luis = SessionOf("mx.fgr/luis");
  const auto order = Ordered(*luis);
  const auto id = Sent(DraftOf("one"));
  luis->EndOrder(order).value();
  const auto revocation = honest.entries.back().head.statement.Hex();
  SessionOf("mx.fgr/admin")->Purge({revocation}, "why").value();
  const auto erased = *honest.state.statement_index(Id(revocation));
  lies.record = [&](EntriesAnswer& page) { page.entries = {honest.Proved(erased)}; };
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
}

TEST_F(OrderTest, GoesOnWhenTheOrderAndItsPurgeAreErasedInTurn) {
  const auto until = std::chrono::time_point_cast<std::chrono::milliseconds>(Clock::now() + std::chrono::hours(24));
  const auto order = SessionOf("mx.fgr/luis")->StandingOrder({"investigation", "FED/1", until}).value().id;
  honest.long_ago = ledger::kKept + std::chrono::hours(1);
  const auto id = Sent(DraftOf("one"));
  honest.long_ago = {};
  SessionOf("us.dea/ana")->Inbox().value();
  SessionOf("mx.fgr/luis")->EndOrder(order).value();
  auto admin = SessionOf("mx.fgr/admin");
  const auto first = admin->Purge({order}, "it named a person").value().id;
  EXPECT_TRUE(SessionOf("us.dea/ana")->Inbox());
  admin->Purge({first}, "so did that").value();
  EXPECT_TRUE(SessionOf("us.dea/ana")->Inbox());
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).value().at(1).by, "mx.fgr/luis");
  EXPECT_TRUE(SessionOf("us.dea/admin")->Inbox());  // who was never there before
  EXPECT_TRUE(SessionOf("mx.fgr/luis")->Inbox());
}

TEST_F(OrderTest, TakesNothingFromAnOpeningUnderSomebodyElsesOrder) {
  const auto id = Sent(DraftOf("one"));
  const auto opening = FakeBroker::Opening({Id(std::string(64, 'a')), *MemberId::Parse("us.fbi/kim"), Id(id), {0}});
  ledger::Decision decision{opening->digest, begun.broker.authority, {}, {{Id(id), 0, {}, {}, 0, "TLP:AMBER"}}};
  const auto index = honest.Log(opening, decision);
  bool told = false;
  lies.mailbox = [&](EntriesAnswer& page) {
    if (!std::exchange(told, true)) page.entries.push_back(honest.Proved(index));
  };
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_FALSE(luis->Inbox().value().at(0).opened_by_me);
  EXPECT_THAT(Follow(*luis, 1), IsEmpty());
  EXPECT_EQ(honest.downloads, 0u);
}

TEST_F(OrderTest, RefusesAnOpeningUnderAnOrderThatHasEnded) {
  auto luis = SessionOf("mx.fgr/luis");
  const auto order = Ordered(*luis);
  luis->EndOrder(order).value();
  const auto id = Sent(DraftOf("one"));
  const auto opening = FakeBroker::Opening({Id(order), *MemberId::Parse("mx.fgr/luis"), Id(id), {0}});
  ledger::Decision decision{opening->digest,
                            begun.broker.authority,
                            {},
                            {{Id(id), 0, {}, honest.state.record(Id(id))->portion(0)->policy_digest, 0, "TLP:AMBER"}}};
  honest.Log(opening, decision);
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(OrderTest, RefusesAnOpeningThatCarriesASignature) {
  auto luis = SessionOf("mx.fgr/luis");
  Ordered(*luis);
  Sent(DraftOf("one"));
  lies.mailbox = [&](EntriesAnswer& page) {
    for (auto& proved : page.entries)
      if (proved.entry.envelope->payload_type == ledger::PayloadType(ledger::Kind::kStandingOpening))
        proved.entry.envelope->signatures.push_back({begun.Keys("us.fbi/kim").signature.id(), {}});
  };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadSignature);
}

TEST_F(OrderTest, RefusesAReleaseThatIsAnothersOrNone) {
  Ordered(*SessionOf("mx.fgr/luis"));
  Sent(DraftOf("one"));
  Sent(DraftOf("two"));
  auto code = [&](auto lie) {
    lies.mailbox = [lie](EntriesAnswer& page) {
      std::vector<ProvedEntry*> openings;
      for (auto& proved : page.entries)
        if (!proved.releases.empty()) openings.push_back(&proved);
      if (!openings.empty()) lie(openings);
    };
    auto luis = SessionOf("mx.fgr/luis");
    const auto released = Follow(*luis, 1);
    return released.empty() ? std::string("ended") : released[0].portions.at(0).failure().code;
  };
  using Openings = std::vector<ProvedEntry*>;
  EXPECT_EQ(code([](Openings& openings) {
              if (openings.size() > 1) std::swap(openings[0]->releases, openings[1]->releases);
            }),
            "wrong-release");
  EXPECT_EQ(code([](Openings& openings) { openings[0]->releases[0].ciphertext.back() ^= 1; }), "wrong-release");
  EXPECT_EQ(code([](Openings& openings) { openings[0]->releases.push_back(openings[0]->releases[0]); }),
            "wrong-release");
  EXPECT_EQ(code([](Openings& openings) { openings[0]->releases.clear(); }), "replayed");
  EXPECT_EQ(honest.downloads, 0u);
}

}  // namespace
}  // namespace valija::client
