// The state that is kept beside the journal: a start reads it instead of the journal, and whatever is wrong with it, the
// journal says what is right.
#include "broker/kept_state.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "broker/check.h"
#include "broker/fold.h"
#include "broker/storage/rocksdb_store.h"
#include "core/io/file.h"
#include "tests/broker/support/broker_rig.h"
#include "tests/core/ledger/state_dump.h"

namespace valija::broker {
namespace {

using test::BrokerRig;
namespace fs = std::filesystem;

// A log of records, openings and what came of them, kept every ten entries; stopped.
struct KeptRig : BrokerRig {
  crypto::KemPrivateKey reply = crypto::KemPrivateKey::Generate(world.random);
  Digest record, grant;

  explicit KeptRig(std::uint64_t every = 10) {
    options.keep_every = every;
    Found();
    Need(world.Epoch("us.dea"));
    Need(world.Epoch("mx.fgr"));
    Need(world.EnrolNew("us.dea/ana"));
    Need(world.EnrolNew("mx.fgr/luis"));
    for (int i = 0; i < 12; ++i) Live();
    Stop();
  }
  ledger::EntryHead Need(ledger::VerifiedStatement statement) {
    auto accepted = Post(std::move(statement));
    if (!accepted) throw std::runtime_error(accepted.error().Message());
    return accepted->head;
  }
  ledger::VerifiedStatement Opening() {
    return world.Open("mx.fgr/luis", {{record, 0}}, sequencer->checkpoint()->checkpoint(), reply.public_key());
  }
  void Live() {
    record = Need(world.Record("us.dea/ana", {world.PolicyFor("mx.fgr")}).statement).statement;
    Need(Opening());
    Need(world.AskFor("mx.fgr/luis", record, ledger::Wish::kMarkLess, policy::Tlp::kGreen));
  }
  // The journal says what the state is.
  std::string Dump(const ledger::State& state) {
    std::vector<ledger::Entry> entries;
    for (const auto& bytes : memory.entries)
      entries.push_back(EntryFromLogged(proto::DecodeLoggedEntry(bytes).value()).value());
    return test::StateDump::Of(state, entries);
  }
  void ExpectRight() {
    auto folded = FoldJournal(memory, std::nullopt);
    ASSERT_TRUE(folded) << folded.error().Message();
    EXPECT_EQ(sequencer->Read([&](const ledger::State& state) { return Dump(state); }), Dump(*folded->state));
    sequencer->Read([&](const ledger::State&, const Glances& glances) {
      for (std::uint64_t index = 0; index < memory.entries.size(); ++index) {
        EXPECT_EQ(glances.at(index).statement, folded->glances.at(index).statement) << index;
        EXPECT_EQ(glances.at(index).names, folded->glances.at(index).names) << index;
      }
      return 0;
    });
  }
  // As if it had been killed: what it keeps when it stops is not there.
  struct Killed {
    std::map<Bytes, Bytes> rows;
    Killed(KeptRig& rig) : rows(rig.rows.rows) {  // NOLINT(google-explicit-constructor)
      rig.Stop();
      rig.rows.rows = rows;
    }
  };
  std::size_t ReadAtStart() {
    const std::size_t before = memory.read;
    auto started = Start();
    if (!started) throw std::runtime_error(started.error().Message());
    return memory.read - before;
  }
  // Every row whose key begins so, changed.
  template <class F>
  void Tamper(char table, F change) {
    std::size_t changed = 0;
    for (auto& [key, value] : rows.rows)
      if (key[0] == static_cast<std::uint8_t>(table)) change(value), ++changed;
    ASSERT_GT(changed, 0u);
  }
};

TEST(KeptStateTest, AfterAStopNothingIsReadOfTheJournal) {
  KeptRig rig;
  EXPECT_EQ(rig.ReadAtStart(), 0u);
  rig.ExpectRight();
  EXPECT_EQ(rig.rows.clears, 1u) << "when the log was made";
  rig.Live();
  rig.ExpectRight();
}

TEST(KeptStateTest, AfterAKillNoMoreIsReadThanCameSinceItWasKept) {
  KeptRig rig;
  ASSERT_TRUE(rig.Start());
  std::size_t most = 0;
  for (int i = 0; i < 30; ++i) {
    rig.Live();
    const KeptRig::Killed killed(rig);
    most = std::max(most, rig.ReadAtStart());
    if (i % 7 == 0) rig.ExpectRight();
  }
  rig.ExpectRight();
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, rig.options.keep_every + 3);
  EXPECT_EQ(rig.rows.clears, 1u);
}

TEST(KeptStateTest, WhatItKeepsIsReadAgainByWhoAsks) {
  KeptRig rig;
  ASSERT_TRUE(rig.Start());
  const Digest first = rig.sequencer->Entry(5).value().head->statement;
  const auto reads = rig.rows.reads;
  EXPECT_EQ(rig.sequencer->Read([&](const ledger::State& state) { return state.statement_index(first); }), 5u);
  EXPECT_GT(rig.rows.reads, reads);
}

TEST(KeptStateTest, WithoutItTheJournalIsFoldedAndItIsKeptAnew) {
  KeptRig rig;
  rig.rows.rows.clear();
  EXPECT_EQ(rig.ReadAtStart(), rig.memory.Size());
  rig.ExpectRight();
  rig.Stop();
  EXPECT_EQ(rig.ReadAtStart(), 0u);
  rig.ExpectRight();
}

// Everything that may have become of the head: nothing else is looked at.
TEST(KeptStateTest, AHeadThatIsNotRightIsAsGoodAsNone) {
  const std::pair<const char*, std::function<void(KeptRig&, Bytes&)>> cases[] = {
      {"another version", [](KeptRig&, Bytes& head) { head[13] ^= 1; }},
      {"a key that is not the broker's", [](KeptRig&, Bytes& head) { head[20] ^= 1; }},
      {"another generation", [](KeptRig&, Bytes& head) { head[50] ^= 1; }},
      {"a changed bit", [](KeptRig&, Bytes& head) { head.back() ^= 1; }},
      {"cut short", [](KeptRig&, Bytes& head) { head.resize(head.size() / 2); }},
      {"empty", [](KeptRig&, Bytes& head) { head.clear(); }},
      {"gone", [](KeptRig& rig, Bytes&) { rig.rows.rows.erase({'!'}); }},
      {"of a longer log", [](KeptRig& rig, Bytes&) { rig.memory.entries.pop_back(); }},
  };
  for (const auto& [what, change] : cases) {
    SCOPED_TRACE(what);
    KeptRig rig;
    if (std::string(what) == "of a longer log") {
      // The last entry was never acknowledged: the mark is from before it.
      fs::copy_file(rig.mark_path(), rig.folder / "older");
      ASSERT_TRUE(rig.Start());
      rig.Need(rig.world.EnrolNew("us.dea/late"));
      rig.Stop();
      fs::copy_file(rig.folder / "older", rig.mark_path(), fs::copy_options::overwrite_existing);
    }
    change(rig, rig.rows.rows.at({'!'}));
    EXPECT_GE(rig.ReadAtStart(), rig.memory.Size());
    rig.ExpectRight();
    EXPECT_EQ(rig.rows.clears, 2u);
  }
}

// What a start reads is found out by it; what is read later stops the broker, and its restart makes everything right.
TEST(KeptStateTest, ARowThatThisBrokerDidNotWriteIsNeverUsed) {
  for (const char table : {'M', 'A', 'K', 'I', 'Q', 'R', 's', 'r', 'h', 'g', 'y', '0'}) {
    SCOPED_TRACE(table);
    KeptRig rig;
    rig.Tamper(table, [](Bytes& row) { row.back() ^= 1; });
    ASSERT_TRUE(rig.Start());
    const auto luis = *MemberId::Parse("mx.fgr/luis");
    try {
      for (std::uint64_t index = 0; index < rig.memory.Size(); ++index) {
        auto entry = rig.sequencer->Entry(index).value();
        rig.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
          (void)glances.at(index);
          const auto* known = state.statement(entry.head->statement);
          EXPECT_TRUE(known != nullptr && known->index == index);
          if (const auto* record = state.record(entry.head->statement)) {
            EXPECT_EQ(state.visible_to(*record, luis), true);
          }
          return 0;
        });
      }
      (void)rig.Post(rig.world.Record("us.dea/ana", {rig.world.PolicyFor("mx.fgr")}).statement);
      EXPECT_TRUE(rig.rows.clears == 2 || table == 'h') << "it was found at the start";
    } catch (const ledger::RowsDamaged&) {
      EXPECT_FALSE(rig.sequencer->healthy());
      auto refused = rig.Post(rig.world.EnrolNew("us.dea/new"));
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().reason, Reason::kStorage);
    }
    ASSERT_TRUE(rig.Start());
    rig.ExpectRight();
    EXPECT_TRUE(rig.sequencer->healthy());
  }
}

TEST(KeptStateTest, ARowOfAnotherPlaceOrGenerationIsDamage) {
  KeptRig rig;
  Bytes some;
  rig.Tamper('s', [&](Bytes& row) { std::swap(row, some); });  // each under the key of the one after it
  rig.Tamper('s', [&](Bytes& row) {
    if (row.empty()) row = some;
  });
  ASSERT_TRUE(rig.Start());
  EXPECT_THROW(rig.sequencer->Read([&](const ledger::State& state) { return state.statement(rig.record) != nullptr; }),
               ledger::RowsDamaged);
  rig.Stop();

  KeptRig again;
  const auto before = again.rows.rows;
  again.rows.rows.clear();
  ASSERT_TRUE(again.Start());
  again.Stop();
  for (auto& [key, value] : again.rows.rows)
    if (key[0] == 's' || key[0] == 'r') value = before.at(key);  // the same values, of the generation before
  ASSERT_TRUE(again.Start());
  EXPECT_THROW(
      again.sequencer->Read([&](const ledger::State& state) { return state.statement(again.record) != nullptr; }),
      ledger::RowsDamaged);
}

// All older rows together are an older state, and what came since is folded on it.
TEST(KeptStateTest, AnOlderStateAsAWholeIsAsGoodAsTheOneThatWasLost) {
  KeptRig rig;
  const auto older = rig.rows.rows;
  ASSERT_TRUE(rig.Start());
  for (int i = 0; i < 5; ++i) rig.Live();
  rig.Stop();
  rig.rows.rows = older;
  EXPECT_EQ(rig.ReadAtStart(), 15u);
  rig.ExpectRight();
}

TEST(KeptStateTest, TheMarkIsHeldAgainstTheTreeWhereverItStands) {
  KeptRig rig;
  fs::copy_file(rig.mark_path(), rig.folder / "older");
  ASSERT_TRUE(rig.Start());
  rig.Live();
  rig.Stop();
  fs::copy_file(rig.folder / "older", rig.mark_path(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(rig.ReadAtStart(), 0u);  // a mark from below the state
  rig.Stop();
  KeptRig other;
  auto mark =
      log::SignedCheckpoint::Sign({test::BrokerWorld::kOrigin, 20, rig.world.random.Make<Hash>()}, other.world.log_key);
  fs::remove(other.mark_path());
  ASSERT_TRUE(HighWater::Open(other.mark_path()).value()->Initialise(mark.note()));
  auto started = other.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().reason, Reason::kRolledBack);
}

TEST(KeptStateTest, AWriteThatFailsStopsTheBroker) {
  KeptRig rig(3);
  ASSERT_TRUE(rig.Start());
  rig.rows.before_write = [] { return Status(Refuse(Reason::kStorage, "full")); };
  rig.Live();  // the entries are durable
  auto next = rig.Post(rig.world.EnrolNew("us.dea/new"));
  while (next) next = rig.Post(rig.world.EnrolNew("us.dea/newer"));
  EXPECT_EQ(next.error().reason, Reason::kStorage);
  rig.rows.before_write = nullptr;
  ASSERT_TRUE(rig.Start());
  rig.ExpectRight();
}

// A case that waits has its reference in the state too.
TEST(KeptStateTest, WhatAPurgeErasedLeavesTheRows) {
  KeptRig rig(1000);
  ASSERT_TRUE(rig.Start());
  auto asked = rig.world.AskFor("mx.fgr/luis", rig.record, ledger::Wish::kMarkLess, policy::Tlp::kGreen);
  const auto statement = *asked;
  rig.Need(asked);
  rig.Stop();
  auto says = [&](std::string_view text) {
    return std::any_of(rig.rows.rows.begin(), rig.rows.rows.end(),
                       [&](const auto& row) { return AsText(row.second).find(text) != std::string_view::npos; });
  };
  EXPECT_TRUE(says("a test"));
  // Silence ends it after thirty days. So the others too, which say the same.
  rig.world.now += std::chrono::days(31);
  ASSERT_TRUE(rig.Start());
  std::vector<ledger::Erasure> erasures;
  for (const auto& bytes : rig.memory.entries) {
    auto entry = EntryFromLogged(proto::DecodeLoggedEntry(bytes).value()).value();
    if (entry.statement->kind == ledger::Kind::kAccessRequest)
      erasures.push_back(test::BrokerWorld::ErasureOf(*entry.statement));
  }
  for (const auto& erasure : erasures) rig.Need(rig.world.Purge("mx.fgr/admin", {erasure}));
  const KeptRig::Killed killed(rig);  // it was kept at once
  EXPECT_FALSE(says("a test"));
  EXPECT_NE(rig.rows.erased.find('Q'), std::string::npos) << "and leaves the files";
  EXPECT_EQ(rig.ReadAtStart(), 0u);
  rig.ExpectRight();
}

// Cut off between the purge and what follows it, whether its statements were folded or kept.
TEST(KeptStateTest, APurgeThatWasCutShortIsCarriedOutOnAKeptState) {
  for (const std::uint64_t every : {1, 1000}) {
    SCOPED_TRACE(every);
    KeptRig rig(every);
    ASSERT_TRUE(rig.Start());
    rig.Live();
    auto statement =
        EntryFromLogged(rig.sequencer->Entry(rig.sequencer->checkpoint()->size() - 3).value()).value().statement;
    ASSERT_EQ(statement->kind, ledger::Kind::kRecord);
    rig.world.now += std::chrono::days(31);
    rig.memory.before_replace = [] { return Status(Refuse(Reason::kStorage)); };
    (void)rig.Post(rig.world.Purge("us.dea/ana", {test::BrokerWorld::ErasureOf(*statement)}));
    const KeptRig::Killed killed(rig);
    rig.memory.before_replace = nullptr;
    ASSERT_TRUE(rig.Start());
    EXPECT_TRUE(rig.sequencer->Entry(rig.sequencer->checkpoint()->size() - 4).value().erased_by);
    rig.ExpectRight();
  }
}

// Carried out, and cut off before the state was kept: the entries stand below what is folded, and are as the purge left them.
TEST(KeptStateTest, APurgeThatWasCarriedOutIsNotDoneAgainOnAnOlderState) {
  KeptRig rig(1000);
  ASSERT_TRUE(rig.Start());
  const auto older = rig.rows.rows;
  const std::uint64_t at = rig.memory.Size() - 3;
  const auto statement = EntryFromLogged(rig.sequencer->Entry(at).value()).value().statement;
  ASSERT_EQ(statement->kind, ledger::Kind::kRecord);
  rig.world.now += std::chrono::days(31);
  rig.Need(rig.world.Purge("us.dea/ana", {test::BrokerWorld::ErasureOf(*statement)}));
  rig.Stop();
  rig.rows.rows = older;
  rig.memory.before_replace = [] { return Status(Refuse(Reason::kStorage)); };
  auto started = rig.Start();
  ASSERT_TRUE(started) << started.error().Message();
  EXPECT_TRUE(rig.sequencer->Entry(at).value().erased_by);
  rig.ExpectRight();
}

// What tags cannot show.
TEST(KeptStateTest, CheckFindsARowThatWasPutBackOrTakenAway) {
  KeptRig rig;
  const broker::LogKeys keys(rig.world.log_key);
  auto check = [&] {
    test::MemoryRows beside;
    KeptState kept(rig.rows, keys, rig.world.random), scratch(beside, keys, rig.world.random);
    std::optional<log::Checkpoint> mark =
        log::Checkpoint::ParseBody(log::Note::Parse(*HighWater::Open(rig.mark_path()).value()->note()).value().text)
            .value();
    return CheckKept(rig.memory, mark, kept, scratch);
  };
  auto checked = check();
  ASSERT_TRUE(checked) << checked.error().Message();
  const auto before = rig.rows.rows;
  ASSERT_TRUE(rig.Start());
  rig.Need(rig.Opening());
  rig.Stop();
  ASSERT_TRUE(check());
  const auto after = rig.rows.rows;

  std::size_t put_back = 0, taken_away = 0;
  for (const auto& [key, value] : before) {
    if (key[0] == '!' || key[0] == '0' || !after.contains(key) || after.at(key) == value) continue;
    rig.rows.rows = after;
    rig.rows.rows.at(key) = value;
    checked = check();
    ASSERT_FALSE(checked) << ToHex(key);
    EXPECT_EQ(checked.error().reason, Reason::kCorrupt);
    EXPECT_FALSE(rig.rows.rows.contains({'!'})) << "the next start makes it anew";
    ++put_back;
  }
  for (const char table : {'s', 'r', 'h', 'b', 'K', 'R'}) {
    rig.rows.rows = after;
    const auto at = rig.rows.rows.lower_bound({static_cast<std::uint8_t>(table)});
    rig.rows.rows.erase(at);
    EXPECT_FALSE(check()) << table;
    ++taken_away;
  }
  EXPECT_GT(put_back, 2u);
  ASSERT_TRUE(rig.Start());
  EXPECT_EQ(rig.rows.clears, 2u);
  rig.ExpectRight();
  rig.Stop();
  EXPECT_TRUE(check());

  // And what a start over a kept state does not read of the journal.
  rig.memory.entries.at(3).back() ^= 1;
  EXPECT_EQ(rig.ReadAtStart(), 0u);
  rig.Stop();
  checked = check();
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().detail.find("entry 3"), std::string::npos);
}

// With the store of a broker, and its files.
TEST(KeptStateTest, AStoreFromBeforeThereWereRowsIsFoldedOnce) {
  test::TempFolder folder;
  test::BrokerWorld world;
  auto open = [&](bool make) { return RocksDbStore::Open({.folder = folder / "db", .create = make}).value(); };
  const std::vector<RowChange> rows = {{{'a', 1}, Bytes{1}}, {{'a', 2}, Bytes{2}}, {{'b'}, Bytes{3}}};
  {
    auto store = open(true);
    ASSERT_TRUE(store->rows().Write(rows, {}));
    ASSERT_TRUE(store->rows().Write({{{'a', 1}, std::nullopt}}, "a"));
    ASSERT_TRUE(store->Scrub(RocksDbStore::Scrubbed::kEntries));
  }
  auto store = open(false);
  EXPECT_EQ(store->rows().Get(Bytes{'a', 1}).value(), std::nullopt);
  EXPECT_EQ(store->rows().Get(Bytes{'a', 2}).value(), Bytes{2});
  std::size_t seen = 0;
  ASSERT_TRUE(store->rows().Scan(Bytes{'a'}, [&](ByteView, ByteView) { ++seen; }));
  EXPECT_EQ(seen, 1u);
  ASSERT_TRUE(store->rows().Clear());
  EXPECT_EQ(store->rows().Get(Bytes{'b'}).value(), std::nullopt);
  ASSERT_TRUE(store->rows().Write(rows, {}));
  EXPECT_EQ(store->rows().Get(Bytes{'b'}).value(), Bytes{3});
}

}  // namespace
}  // namespace valija::broker
