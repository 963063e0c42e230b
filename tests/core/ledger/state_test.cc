// The fold: what entries make of the state, whom they concern, and that the same entries give the same state.
#include "core/ledger/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"
#include "tests/support/memory_rows.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StateTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  std::uint64_t last() const { return state.size() - 1; }
  std::vector<std::uint64_t> MailSince(std::uint64_t first, const char* agency) const {
    std::vector<std::uint64_t> out;
    for (auto index : state.entries_for(Agency(agency)).All())
      if (index >= first) out.push_back(index);
    return out;
  }
};

TEST(State, IsEmptyBeforeTheCharter) {
  const State state;
  EXPECT_EQ(state.charter(), nullptr);
  EXPECT_EQ(state.size(), 0U);
  EXPECT_EQ(state.latest(), Time{});
  EXPECT_EQ(state.agency(Agency("us.dea")), nullptr);
  EXPECT_EQ(state.member(Member("us.dea/ana")), nullptr);
  EXPECT_EQ(state.record(Digest{}), nullptr);
  EXPECT_FALSE(state.statement_index(Digest{}));
  EXPECT_FALSE(state.is_joint_auditor(Member("us.dea/ana")));
  EXPECT_THAT(state.entries_for(Agency("us.dea")).All(), IsEmpty());
}

TEST(State, HoldsWhatTheCharterSays) {
  test::World world;
  world.Found();
  const State& state = world.state;
  ASSERT_NE(state.charter(), nullptr);
  EXPECT_EQ(state.charter()->origin, world.kOrigin);
  EXPECT_EQ(state.statement_index(state.charter_digest()), 0U);
  EXPECT_EQ(state.agencies().size(), 4U);
  EXPECT_EQ(state.members().size(), 4U);
  const MemberState* admin = state.active_member(Member("mx.fgr/admin"));
  ASSERT_NE(admin, nullptr);
  EXPECT_EQ(admin->enrolment, state.charter_digest());
  EXPECT_EQ(state.agency(Agency("mx.fgr"))->current(), nullptr);
  EXPECT_TRUE(state.key_in_use(world.release_key.id()));
  EXPECT_TRUE(state.key_in_use(world["mx.fgr/admin"].kem.id()));
  EXPECT_TRUE(state.key_in_use(world["mx.fgr/admin"].sign.id()));
  EXPECT_FALSE(state.key_in_use(KeyId{}));
  EXPECT_THAT(state.directory_entries(), ElementsAre(0));
  for (const auto& [id, agency] : state.agencies()) EXPECT_THAT(state.entries_for(id).All(), ElementsAre(0));
}

TEST_F(StateTest, KnowsJointAuditorsThatAreActive) {
  EXPECT_TRUE(state.is_joint_auditor(Member("us.fbi/ana")));
  EXPECT_FALSE(state.is_joint_auditor(Member("us.fbi/bob")));
  auto& admin = people.at("us.fbi/admin");
  Accept(Removal("us.fbi/ana", admin), admin);
  EXPECT_FALSE(state.is_joint_auditor(Member("us.fbi/ana")));
}

TEST_F(StateTest, FreesNoKeyForAnotherOrForAnotherUse) {
  using Use = State::KeyUse;
  const KeyId kem = ana.kem.id();
  EXPECT_TRUE(state.key_free_for(kem, Use::kKem, ana.id()));
  EXPECT_FALSE(state.key_free_for(kem, Use::kSigning, ana.id()));
  EXPECT_FALSE(state.key_free_for(kem, Use::kKem, bob.id()));
  EXPECT_TRUE(state.key_free_for(KeyId{}, Use::kKem, bob.id()));
}

TEST_F(StateTest, ListsTheDirectorysEntries) {
  const auto before = state.directory_entries();
  EXPECT_EQ(before.size(), state.size());
  Send({PolicyFor({"mx.fgr"})});
  EXPECT_EQ(state.directory_entries(), before);
  Accept(Epoch("mx.fgr", mx_admin), mx_admin);
  EXPECT_EQ(state.directory_entries().back(), last());
}

TEST_F(StateTest, KeepsOfARecordWhatDecidesItsOpenings) {
  const Digest digest = Send({PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"mx.fgr"})});
  const RecordState* record = state.record(digest);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->index, last());
  EXPECT_EQ(state.statement_index(digest), last());
  EXPECT_EQ(record->originator, ana.id());
  EXPECT_EQ(record->authority, authority);
  EXPECT_FALSE(record->revoked_at);
  ASSERT_EQ(record->portions.size(), 2U);
  ASSERT_EQ(record->portions[0].recipients.size(), 2U);
  const auto& slips = entries.back().statement->attachments.slips;  // by commitment index
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(record->portions[0].recipients[i], std::pair(slips[i].agency, slips[i].epoch_key_id));
  EXPECT_THAT(record->portions[1].recipients,
              ElementsAre(std::pair(Agency("mx.fgr"), state.agency(Agency("mx.fgr"))->current()->key_id)));
  EXPECT_EQ(*record->portions[1].policy, PolicyFor({"mx.fgr"}));
}

TEST_F(StateTest, KeepsOnePolicyForAllPortionsThatHaveIt) {
  const Digest a = Send({PolicyFor({"mx.fgr"}), PolicyFor({"us.fbi"})}), b = Send({PolicyFor({"mx.fgr"})});
  EXPECT_EQ(state.record(a)->portions[0].policy, state.record(b)->portions[0].policy);
  EXPECT_NE(state.record(a)->portions[0].policy, state.record(a)->portions[1].policy);
  EXPECT_NE(state.record(a)->portions[0].policy_digest, state.record(b)->portions[0].policy_digest);
}

TEST_F(StateTest, ShowsARecordToTheOriginatorsAgencyAndTheAudience) {
  auto named = PolicyFor({});
  named.releasable_to.members = {Member("us.fbi/bob")};
  const RecordState& record = *state.record(Send({PolicyFor({"mx.fgr"}), named}));
  for (const char* who : {"us.dea/ana", "us.dea/bob", "us.dea/new", "mx.fgr/ana", "mx.fgr/new", "us.fbi/bob"})
    EXPECT_TRUE(state.visible_to(record, Member(who))) << who;
  for (const char* who : {"us.fbi/ana", "gt.mp/ana", "us.dea-x/ana"})
    EXPECT_FALSE(state.visible_to(record, Member(who))) << who;
}

TEST_F(StateTest, CountsGrantedOpenings) {
  const Digest digest = Send({PolicyFor({"mx.fgr", "us.fbi"})});
  Ask(mx_ana, {Item(digest, 0, "mx.fgr")});
  Ask(mx_bob, {Item(digest, 0, "mx.fgr")});
  Ask(fbi_ana, {Item(digest, 0, "us.fbi")});
  Accept(Signed(Open(mx_ana, {Item(digest, 0, "mx.fgr")}, "analysis"), mx_ana));  // refused
  const PortionState& portion = state.record(digest)->portions[0];
  EXPECT_EQ(portion.openings.at(Agency("mx.fgr")), 2U);
  EXPECT_EQ(portion.openings.at(Agency("us.fbi")), 1U);
  EXPECT_EQ(portion.openings_in_all, 3U);
}

TEST_F(StateTest, KnowsWhichEntriesAreAboutARecord) {
  const Digest digest = Send({PolicyFor({"mx.fgr"}), PolicyFor({"mx.fgr"})});
  const std::uint64_t first = last();
  const Digest other = Send({PolicyFor({"mx.fgr"})});
  Ask(mx_ana, {Item(digest, 0, "mx.fgr"), Item(digest, 1, "mx.fgr"), Item(other, 0, "mx.fgr")});
  Ask(gt_ana, {Item(digest, 0, "gt.mp")});  // refused: the originator hears of it
  Accept(Acknowledgement{By(mx_ana), digest, "useful"}, mx_ana);
  Accept(Revocation{By(ana), digest, "x"}, ana);
  EXPECT_THAT(state.entries_of(*state.record(digest)).All(),
              ElementsAre(first, first + 2, first + 3, first + 4, first + 5));
  EXPECT_THAT(state.entries_of(*state.record(other)).All(), ElementsAre(first + 1, first + 2));
  EXPECT_EQ(state.record(digest)->revoked_at, first + 5);
}

TEST_F(StateTest, PutsEntriesIntoTheMailOfThoseWhomTheyConcern) {
  const std::uint64_t first = state.size();
  const Digest digest = Send({PolicyFor({"mx.fgr", "us.fbi"}), PolicyFor({"mx.fgr"})});
  Ask(mx_ana, {Item(digest, 0, "mx.fgr")});                                       // +1
  Ask(gt_ana, {Item(digest, 0, "gt.mp")});                                        // +2
  Accept(Acknowledgement{By(fbi_ana), digest, "received"}, fbi_ana);              // +3
  Accept(Enrolment(NewPerson("mx.fgr/new"), mx_admin), mx_admin);                 // +4
  Accept(Epoch("us.fbi", people.at("us.fbi/admin")), people.at("us.fbi/admin"));  // +5
  Accept(Revocation{By(ana), digest, "x"}, ana);                                  // +6
  EXPECT_THAT(MailSince(first, "us.dea"), ElementsAre(first, first + 1, first + 2, first + 3, first + 6));
  EXPECT_THAT(MailSince(first, "mx.fgr"), ElementsAre(first, first + 1, first + 4, first + 6));
  EXPECT_THAT(MailSince(first, "us.fbi"), ElementsAre(first, first + 3, first + 5, first + 6));
  EXPECT_THAT(MailSince(first, "gt.mp"), ElementsAre(first + 2));
}

TEST_F(StateTest, FindsEveryStatementWithItsAuthor) {
  const Digest digest = Send({PolicyFor({"mx.fgr"})});
  auto open = Signed(Open(mx_ana, {Item(digest, 0, "mx.fgr")}), mx_ana);
  Accept(open);
  EXPECT_EQ(state.statement_index(open->digest), last());
  EXPECT_EQ(state.statement(open->digest)->kind, Kind::kOpen);
  EXPECT_EQ(*state.statement(open->digest)->author, mx_ana.id());
  EXPECT_EQ(state.statement(state.charter_digest())->author, nullptr);
  const Digest ack = Accept(Acknowledgement{By(mx_ana), digest, "useful"}, mx_ana);
  EXPECT_EQ(state.statement_index(ack), last());
}

TEST_F(StateTest, RemembersHeaders) {
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  const Hash ctx = draft.record().payload.ctx;
  EXPECT_FALSE(state.header_used(ctx));
  Accept(draft.statement, ana);
  EXPECT_TRUE(state.header_used(ctx));
}

TEST_F(StateTest, KeepsTheLatestTime) {
  const Time before = state.latest();
  EXPECT_EQ(before, now);
  now -= std::chrono::seconds(10);
  Send({PolicyFor({"mx.fgr"})});
  EXPECT_EQ(state.latest(), before);
  now += std::chrono::seconds(30);
  Send({PolicyFor({"mx.fgr"})});
  EXPECT_EQ(state.latest(), now);
}

TEST_F(StateTest, MovesWithEverythingInIt) {
  const std::uint64_t size = state.size();
  State moved = std::move(state);
  EXPECT_EQ(moved.size(), size);
  state = std::move(moved);
  Send({PolicyFor({"mx.fgr"})});
}

// ---- the fold ----

// A story with every kind of entry.
void Tell(test::PopulatedWorld& world) {
  auto few = world.PolicyFor({"mx.fgr", "us.fbi"});
  few.openings_in_all = 2;
  const Digest one = world.Send({few, world.PolicyFor({"mx.fgr"})}), two = world.Send({world.PolicyFor({"us.fbi"})});
  world.Ask(world.mx_ana, {world.Item(one, 0, "mx.fgr"), world.Item(two, 0, "mx.fgr")});
  world.now += std::chrono::minutes(3);
  world.Ask(world.fbi_ana, {world.Item(two, 0, "us.fbi"), world.Item(one, 0, "us.fbi")});
  world.Ask(world.mx_bob, {world.Item(one, 0, "mx.fgr")});
  world.Accept(world.Epoch("mx.fgr", world.mx_admin), world.mx_admin);
  world.Accept(world.Removal("mx.fgr/bob", world.mx_admin), world.mx_admin);
  world.Accept(Acknowledgement{world.By(world.mx_ana), one, "useful"}, world.mx_ana);
  world.Accept(Revocation{world.By(world.ana), two, "superseded"}, world.ana);
  world.now += std::chrono::minutes(20);
  world.Ask(world.fbi_ana, {world.Item(two, 0, "us.fbi")});
}

TEST_F(StateTest, GivesTheSameDecisionsWhenTheEntriesAreReplayed) {
  Tell(*this);
  State replay;
  for (const Entry& entry : entries) {
    auto again =
        ledger::Decide(replay, entry.statement, entry.head.time, entry.decision.authority, entry.decision.nonce);
    ASSERT_TRUE(again) << entry.head.index;
    EXPECT_EQ(*again, entry.decision) << entry.head.index;
    Apply(replay, entry);
  }
  EXPECT_EQ(replay.size(), state.size());
  EXPECT_EQ(replay.latest(), state.latest());
  EXPECT_EQ(replay.directory_entries(), state.directory_entries());
  for (const auto& [id, agency] : state.agencies()) {
    EXPECT_EQ(replay.entries_for(id).All(), state.entries_for(id).All());
    EXPECT_EQ(replay.agency(id)->epochs.size(), agency.epochs.size());
  }
  for (const Entry& entry : entries) {
    const RecordState *a = state.record(entry.head.statement), *b = replay.record(entry.head.statement);
    ASSERT_EQ(a == nullptr, b == nullptr);
    if (a == nullptr) continue;
    EXPECT_EQ(state.entries_of(*a).All(), replay.entries_of(*b).All());
    EXPECT_EQ(a->revoked_at, b->revoked_at);
    for (std::size_t p = 0; p < a->portions.size(); ++p) {
      EXPECT_EQ(a->portions[p].openings, b->portions[p].openings);
      EXPECT_EQ(a->portions[p].openings_in_all, b->portions[p].openings_in_all);
    }
  }
}

TEST_F(StateTest, GivesAClientTheSameDirectoryFromTheDirectorysEntriesAlone) {
  Tell(*this);
  State directory;
  for (const Entry& entry : entries) {
    const Kind kind = entry.statement->kind;
    if (kind != Kind::kCharter && kind != Kind::kEnrolment && kind != Kind::kEpoch) continue;
    auto again =
        ledger::Decide(directory, entry.statement, entry.head.time, entry.decision.authority, entry.decision.nonce);
    ASSERT_TRUE(again) << entry.head.index;
    EXPECT_EQ(*again, entry.decision);
    Apply(directory, entry);
  }
  EXPECT_EQ(directory.directory_entries(), state.directory_entries());
  ASSERT_EQ(directory.members().size(), state.members().size());
  for (const auto& [id, member] : state.members()) {
    const MemberState& same = *directory.member(id);
    EXPECT_EQ(same.enrolment, member.enrolment);
    EXPECT_EQ(same.enrolment_index, member.enrolment_index);
    EXPECT_EQ(same.record.status, member.record.status);
  }
  for (const auto& [id, agency] : state.agencies())
    for (std::size_t e = 0; e < agency.epochs.size(); ++e) {
      EXPECT_EQ(directory.agency(id)->epochs[e].key_id, agency.epochs[e].key_id);
      EXPECT_EQ(directory.agency(id)->epochs[e].superseded_at, agency.epochs[e].superseded_at);
    }
}

// ---- entries that no decision makes possible ----

TEST_F(StateTest, ThrowsOnAnEntryThatCannotBe) {
  const Digest digest = Send({PolicyFor({"mx.fgr"})});
  auto open = Signed(Open(mx_ana, {Item(digest, 0, "mx.fgr")}), mx_ana);
  const Entry good{{state.size(), now, open->digest, {}}, {}, open, Decide(open).value(), {}};
  auto apply = [&](auto change) {
    Entry entry = good;
    change(entry);
    Apply(state, entry);
  };
  EXPECT_THROW(apply([&](Entry& e) { e.head.index = state.size() - 1; }), std::logic_error);
  EXPECT_THROW(apply([](Entry& e) { e.head.statement.bytes[0] ^= 1; }), std::logic_error);
  EXPECT_THROW(apply([](Entry& e) { e.decision.statement.bytes[0] ^= 1; }), std::logic_error);
  EXPECT_THROW(Apply(state, entries.back()), std::logic_error);
  Apply(state, good);

  auto ack = Signed(Acknowledgement{By(mx_ana), digest, "received"}, mx_ana);
  Decision refused = Decide(ack).value();
  refused.verdicts[0].reasons = {Reason::kNotFound};
  EXPECT_THROW(Apply(state, {{state.size(), now, ack->digest, {}}, {}, ack, refused, {}}), std::logic_error);

  State empty;
  EXPECT_THROW(Apply(empty, good), std::logic_error);
}

TEST_F(StateTest, ThrowsOnVerdictsThatAreNotTheRequests) {
  const Digest digest = Send({PolicyFor({"mx.fgr"})});
  for (int which : {0, 1, 2}) {
    auto open = Signed(Open(mx_ana, {Item(digest, 0, "mx.fgr")}), mx_ana);
    Decision decision = Decide(open).value();
    if (which == 0) decision.verdicts.clear();
    if (which == 1) decision.verdicts[0].portion = 1;
    if (which == 2) decision.verdicts[0].record.bytes[0] ^= 1;
    EXPECT_THROW(Apply(state, {{state.size(), now, open->digest, {}}, {}, open, decision, {}}), std::logic_error)
        << which;
  }
}

TEST_F(StateTest, AListThatOutgrowsItsRowIsReadFromItsParts) {
  const Digest record = Accept(NewRecord(ana, {PolicyFor({"mx.fgr"})}).statement, ana);
  test::MemoryRows rows;
  State kept;
  kept.KeepIn(rows);
  for (const auto& entry : entries) Apply(kept, entry);
  std::vector<std::uint64_t> expected = {state.record(record)->index};
  for (int i = 0; i < 1000; ++i) {
    Accept(ledger::Acknowledgement{By(ana), record, "received"}, ana);
    expected.push_back(last());
    Apply(kept, entries.back());
    if (i % 100 != 0) continue;
    rows.Write(kept.TakeRows());
    kept.Trim(0);
  }
  rows.Write(kept.TakeRows());
  const State again = State::From(rows);
  const auto custody = again.entries_of(*again.record(record));
  EXPECT_EQ(custody.All(), expected);
  EXPECT_LE(again.record(record)->entries.latest.size(), 2 * Entries::kChunk);
  EXPECT_EQ(custody.All(), state.entries_of(*state.record(record)).All()) << "the same without rows";
  for (const std::size_t at : {0, 1, 127, 128, 500, 999, 1000}) {
    EXPECT_EQ(custody.LowerBound(expected[at]), at);
    EXPECT_TRUE(custody.Contains(expected[at]));
  }
  EXPECT_EQ(custody.LowerBound(expected.back() + 1), custody.size());
  EXPECT_FALSE(custody.Contains(expected.front() - 1));
  EXPECT_EQ(again.entries_for(Agency("us.dea")).All(), state.entries_for(Agency("us.dea")).All());
}

TEST_F(StateTest, RowsThatAreMissingOrCutAreDamageAndNothingElse) {
  const Digest digest = Accept(NewRecord(ana, {PolicyFor({"mx.fgr"})}).statement, ana);
  test::MemoryRows rows;
  State once;
  once.KeepIn(rows);
  for (const auto& entry : entries) Apply(once, entry);
  rows.Write(once.TakeRows());
  std::size_t damaged = 0;
  for (const auto& [key, value] : rows.rows) {
    test::MemoryRows changed;
    changed.rows = rows.rows;
    if (value.empty()) continue;
    changed.rows.at(key).pop_back();
    try {
      const State read = State::From(changed);
      (void)read.record(digest);
      for (const auto& entry : entries) (void)read.statement(entry.head.statement);
    } catch (const RowsDamaged&) {
      ++damaged;
    }
  }
  EXPECT_GT(damaged, 20U) << "those that were read";
  test::MemoryRows headless;
  headless.rows = rows.rows;
  headless.rows.erase({'0'});
  EXPECT_THROW(State::From(headless), RowsDamaged);
}

}  // namespace
}  // namespace valija::ledger
