// Who may see which entry, and that nothing is read to find out.
#include "broker/visibility.h"

#include <gtest/gtest.h>

#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;
using Indexes = std::vector<std::uint64_t>;

// us.dea sends to gt.mp and mx.fgr, which are not told of one another.
class VisibilityTest : public testing::Test {
 protected:
  BrokerRig rig_;
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(rig_.world.random);

  void SetUp() override {
    rig_.Found({"gt.mp", "mx.fgr", "us.dea"});
    for (const char* agency : {"gt.mp", "mx.fgr", "us.dea"}) ASSERT_TRUE(rig_.Post(rig_.world.Epoch(agency)));
    for (const char* id : {"mx.fgr/jefe", "mx.fgr/luis", "us.dea/ana"}) {
      auto& person = rig_.world.NewPerson(id);
      person.record.person = "p";
      ASSERT_TRUE(rig_.Post(rig_.world.Enrol(person)));
    }
    auto& auditor = rig_.world.NewPerson("us.dea/auditor");
    auditor.record.auditor = true;
    ASSERT_TRUE(rig_.Post(rig_.world.Enrol(auditor)));
  }
  policy::Policy ForBoth() {
    auto policy = rig_.world.PolicyFor("gt.mp");
    policy.releasable_to.agencies.push_back(*AgencyId::Parse("mx.fgr"));
    return policy;
  }
  std::uint64_t Accept(const ledger::VerifiedStatement& statement) {
    auto accepted = rig_.Post(statement);
    EXPECT_TRUE(accepted) << accepted.error().Message();
    return accepted ? accepted->head.index : 0;
  }
  ledger::VerifiedStatement Open(const char* by, const Digest& record, const std::string& case_reference = "") {
    return rig_.world.Open(by, {{record, 0}}, rig_.sequencer->checkpoint()->checkpoint(), reply_.public_key(),
                           "investigation", case_reference);
  }
  std::uint64_t Erase(const char* by, const ledger::VerifiedStatement& what) {
    return Accept(rig_.world.Purge(by, {rig_.world.ErasureOf(*what)}));
  }
  // Also what the whole entry says.
  bool Sees(const std::string& member, std::uint64_t index) {
    const auto id = *MemberId::Parse(member);
    auto entry = rig_.sequencer->Entry(index).value();
    return rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
      const bool sees = MaySee({state, glances}, index, id);
      EXPECT_EQ(VisibleTo({state, glances}, std::move(entry), id).has_value(), sees) << member << " " << index;
      return sees;
    });
  }
  std::string WhoSees(std::uint64_t index) {
    std::string out;
    for (const char* one : {"gt.mp/admin", "mx.fgr/admin", "mx.fgr/jefe", "mx.fgr/luis", "us.dea/admin", "us.dea/ana"})
      if (Sees(one, index)) out += (out.empty() ? "" : " ") + std::string(one);
    return out;
  }
  Shown Page(const std::string& member, const Indexes& entries, std::uint64_t from, std::size_t most,
             bool mail = false) {
    return rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
      return ShownOf({state, glances}, ledger::Entries(entries), from, state.size(), *MemberId::Parse(member), mail, most);
    });
  }
  Indexes CustodyOf(const Digest& record) {
    return rig_.sequencer->Read(
        [&](const ledger::State& state) { return state.entries_of(*state.record(record)).All(); });
  }
};

TEST_F(VisibilityTest, WhatIsHiddenIsPassedOverAndLeavesNoTrace) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  const Digest& record = sent.statement->digest;
  const auto first = Accept(sent.statement);
  for (int i = 0; i < 5; ++i) Accept(Open("mx.fgr/admin", record));
  const auto own = Accept(Open("gt.mp/admin", record));
  const auto size = rig_.sequencer->checkpoint()->size();
  const auto custody = CustodyOf(record);
  ASSERT_EQ(custody.size(), 7u);
  EXPECT_EQ(Page("gt.mp/admin", custody, 0, 10).indexes, (Indexes{first, own}));
  EXPECT_EQ(Page("gt.mp/admin", custody, 0, 10).next, size);
  EXPECT_EQ(Page("gt.mp/admin", custody, first + 1, 10).indexes, Indexes{own});
  EXPECT_EQ(Page("us.dea/admin", custody, 0, 10).indexes, custody);
  EXPECT_EQ(Page("us.dea/admin", custody, 0, 3).indexes.size(), 3u);
  EXPECT_EQ(Page("us.dea/admin", custody, 0, 3).next, custody[3]);
  EXPECT_TRUE(Page("mx.fgr/nobody", custody, 0, 10).indexes.empty());
  EXPECT_EQ(Page("us.dea/admin", Indexes{0, first}, 0, 10, true).indexes, Indexes{first}) << "mail has no directory";
}

TEST_F(VisibilityTest, AfterARestartTheSameIsKnownOfEveryEntryErasedOnesToo) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/admin", sent.statement->digest, "case 7");
  Accept(open);
  Erase("mx.fgr/admin", open);
  std::vector<std::string> before, after;
  for (std::uint64_t i = 0; i < rig_.sequencer->checkpoint()->size(); ++i) before.push_back(WhoSees(i));
  ASSERT_TRUE(rig_.Start());
  for (std::uint64_t i = 0; i < rig_.sequencer->checkpoint()->size(); ++i) after.push_back(WhoSees(i));
  EXPECT_EQ(after, before);
}

TEST_F(VisibilityTest, WhoIsToApproveAnOpeningSeesOfWhatAndNeitherSlipsNorBody) {
  auto policy = rig_.world.PolicyFor("mx.fgr");
  policy.releasable_to = {{}, {}, {*MemberId::Parse("mx.fgr/luis")}};
  policy.marking = policy::Tlp::kRed;
  policy.approvals = {{1, {*MemberId::Parse("mx.fgr/jefe")}}};
  policy.approval_hours = 24;
  const auto sent = rig_.world.Record("us.dea/admin", {policy});
  const auto index = Accept(sent.statement);
  EXPECT_EQ(WhoSees(index), "mx.fgr/luis us.dea/admin us.dea/ana");
  const auto open = Open("mx.fgr/luis", sent.statement->digest);
  const auto asked = Accept(open);
  EXPECT_EQ(WhoSees(index), "mx.fgr/jefe mx.fgr/luis us.dea/admin us.dea/ana");
  EXPECT_TRUE(Sees("mx.fgr/jefe", asked));
  const auto jefe = *MemberId::Parse("mx.fgr/jefe");
  auto entry = rig_.sequencer->Entry(index).value();
  rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
    const auto seen = VisibleTo({state, glances}, std::move(entry), jefe).value();
    EXPECT_EQ(seen.envelope->payload, sent.statement->envelope.payload);
    EXPECT_TRUE(seen.attachments.slips.empty() && seen.attachments.policies.empty());
    EXPECT_FALSE(MayFetchBody(*state.record(sent.statement->digest), 0, jefe));
    return 0;
  });
}

// ---- purges: whoever may see what was erased ----

TEST_F(VisibilityTest, ThePurgeOfAnOpeningsTextIsSeenByWhoSeesTheOpening) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/admin", sent.statement->digest, "case 7");
  const auto opened = Accept(open);
  const auto purge = Erase("mx.fgr/admin", open);
  EXPECT_EQ(WhoSees(purge), "mx.fgr/admin mx.fgr/jefe mx.fgr/luis us.dea/admin us.dea/ana");
  EXPECT_EQ(WhoSees(purge), WhoSees(opened)) << "no co-recipient";
}

TEST_F(VisibilityTest, ThePurgeOfAnApprovalIsSeenByWhoAskedForIt) {
  auto policy = ForBoth();
  policy.approvals = {{1, {*MemberId::Parse("us.dea/ana")}}};
  policy.approval_hours = 1;
  const auto sent = rig_.world.Record("us.dea/admin", {policy});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/luis", sent.statement->digest);
  Accept(open);
  const auto approval = rig_.world.Approve("us.dea/ana", open->digest);
  const auto approved = Accept(approval);
  rig_.world.now = rig_.world.now + std::chrono::hours(2);  // it has served its time
  const auto purge = Erase("us.dea/admin", approval);
  EXPECT_EQ(WhoSees(approved), "mx.fgr/luis us.dea/admin us.dea/ana");
  EXPECT_EQ(WhoSees(purge), "mx.fgr/luis us.dea/admin us.dea/ana");
}

TEST_F(VisibilityTest, ThePurgeOfAnAnswerTellsNoMoreThanTheAnswerDid) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  for (const bool consent : {false, true}) {
    const auto ask =
        rig_.world.AskFor("mx.fgr/luis", sent.statement->digest, ledger::Wish::kMarkLess, policy::Tlp::kGreen);
    Accept(ask);
    const auto answer =
        rig_.world.Answer("us.dea/admin", ask->digest, consent ? std::optional(policy::Tlp::kGreen) : std::nullopt);
    const auto answered = Accept(answer);
    const auto purge = Erase("us.dea/admin", answer);
    EXPECT_EQ(Sees("mx.fgr/luis", answered), consent);
    EXPECT_EQ(Sees("mx.fgr/luis", purge), consent) << "a refusal is silence, and so is its erasure";
    EXPECT_EQ(WhoSees(purge), WhoSees(answered));
  }
}

TEST_F(VisibilityTest, ThePurgeOfAPurgeIsSeenByWhoSeesThatOneThroughTheWholeChain) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/admin", sent.statement->digest, "case 7");
  Accept(open);
  auto last = rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*open)});
  const auto first = Accept(last);
  std::uint64_t index = 0;
  for (unsigned i = 0; i < ledger::kMostPurgesOfPurges; ++i) {
    auto next = rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*last)});
    index = Accept(next);
    EXPECT_EQ(WhoSees(index), WhoSees(first)) << i;
    last = next;
  }
  EXPECT_EQ(rig_.Post(rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*last)})).error().reason, Reason::kTooMany);
  EXPECT_FALSE(Sees("gt.mp/admin", first));
}

}  // namespace
}  // namespace valija::broker
