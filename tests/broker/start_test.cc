// A broker's start: what it takes for its own log, and what it refuses to serve.
#include <gtest/gtest.h>

#include <fstream>

#include "broker/fold.h"
#include "broker/storage/rocksdb_store.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;
namespace fs = std::filesystem;

// A rig with some thirty entries, stopped.
struct StoppedRig : BrokerRig {
  explicit StoppedRig(int members = 30) {
    options.rows = nullptr;  // the whole journal is read at each start
    Found();
    std::vector<std::future<Result<Accepted>>> answers;
    for (int i = 0; i < members; ++i) answers.push_back(Submit(world.EnrolNew("us.dea/m" + std::to_string(i))));
    for (auto& answer : answers) {
      if (!answer.get()) throw std::runtime_error("not accepted");
    }
    last = sequencer->checkpoint()->checkpoint();
    Stop();
  }
  log::Checkpoint last;
};

TEST(StartTest, AnotherStartFindsTheSameLog) {
  StoppedRig rig(300);
  ASSERT_TRUE(rig.Start());
  EXPECT_EQ(rig.sequencer->checkpoint()->checkpoint(), rig.last);
  EXPECT_EQ(rig.sequencer->Read([](const auto& state) { return state.members().size(); }), 302u);
  auto accepted = rig.Post(rig.world.EnrolNew("us.dea/new"));
  ASSERT_TRUE(accepted) << accepted.error().Message();
  EXPECT_EQ(accepted->head.index, 301u);
  auto proof = rig.sequencer->Consistency(rig.last.size, 302);
  ASSERT_TRUE(proof);
  EXPECT_TRUE(log::VerifyConsistency(rig.last.size, rig.last.root, 302, accepted->checkpoint->root(), *proof));
}

TEST(StartTest, ACharterMakesALogOnce) {
  StoppedRig rig(1);
  auto again = rig.Start(test::BrokerWorld().Charter());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::kExists);
}

TEST(StartTest, WithoutALogAndACharterThereIsNothingToServe) {
  BrokerRig rig;
  EXPECT_EQ(rig.Start().error().reason, Reason::kNotReady);
}

TEST(StartTest, AStatementThatIsNoCharterMakesNoLog) {
  BrokerRig rig;
  auto charter = rig.world.Charter();
  EXPECT_EQ(rig.Start(rig.world.EnrolNew("us.dea/ana")).error().reason, Reason::kUnknownType);
  EXPECT_FALSE(fs::exists(rig.mark_path()));
  EXPECT_TRUE(rig.Start(charter));
}

TEST(StartTest, ACharterOfOtherKeysOrAnotherAuthorityMakesNoLog) {
  BrokerRig rig;
  auto charter = rig.world.Charter();
  rig.options.authority = *AuthorityId::Parse("broker-9");
  EXPECT_FALSE(rig.Start(charter));
  rig.options.authority = rig.world.authority;
  rig.world.log_key = crypto::Ed25519SignKey::Generate(rig.world.random);
  EXPECT_EQ(rig.Start(charter).error().reason, Reason::kBadConfiguration);
  EXPECT_EQ(rig.memory.Size(), 0u);
  EXPECT_FALSE(fs::exists(rig.mark_path()));
}

TEST(StartTest, AMakingThatFailedCanBeTriedAgain) {
  BrokerRig rig;
  auto charter = rig.world.Charter();
  rig.memory.before_append = [] { return Status(Refuse(Reason::kStorage)); };
  EXPECT_EQ(rig.Start(charter).error().reason, Reason::kStorage);
  EXPECT_TRUE(fs::exists(rig.mark_path()));  // at size 0
  rig.memory.before_append = nullptr;
  EXPECT_EQ(rig.Start().error().reason, Reason::kNotReady);
  EXPECT_TRUE(rig.Start(charter));
}

TEST(StartTest, EntriesThatWereDurableBeforeTheirMarkAreTaken) {
  StoppedRig rig;
  fs::copy_file(rig.mark_path(), rig.folder / "older");
  ASSERT_TRUE(rig.Start());
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/new")));
  rig.Stop();
  fs::copy_file(rig.folder / "older", rig.mark_path(), fs::copy_options::overwrite_existing);
  ASSERT_TRUE(rig.Start());
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), rig.last.size + 1);
  EXPECT_EQ(rig.mark->note(), rig.sequencer->checkpoint()->note());
}

TEST(StartTest, AStoreBehindItsMarkIsRefused) {
  StoppedRig rig;
  auto entries = rig.memory.entries;
  auto tiles = rig.memory.tiles;
  ASSERT_TRUE(rig.Start());
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/new")));
  rig.Stop();
  rig.memory.entries = entries;
  rig.memory.tiles = tiles;
  auto started = rig.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().reason, Reason::kRolledBack);
  EXPECT_NE(started.error().detail.find("31 entries, and 32 were acknowledged"), std::string::npos);
}

TEST(StartTest, AnEmptyStoreBesideAMarkIsRefused) {
  StoppedRig rig;
  rig.memory.entries.clear();
  rig.memory.tiles.clear();
  EXPECT_EQ(rig.Start().error().reason, Reason::kRolledBack);
}

TEST(StartTest, AStoreWithoutItsMarkIsRefused) {
  StoppedRig rig;
  fs::remove(rig.mark_path());
  EXPECT_EQ(rig.Start().error().reason, Reason::kRolledBack);
}

// The same key signed two histories: a store restored from a copy that went another way.
TEST(StartTest, AStoreOfAnotherHistoryIsRefused) {
  StoppedRig rig;
  auto entries = rig.memory.entries;
  auto tiles = rig.memory.tiles;
  fs::copy_file(rig.mark_path(), rig.folder / "fork-mark");
  ASSERT_TRUE(rig.Start());
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/one")));
  rig.Stop();
  fs::copy_file(rig.mark_path(), rig.folder / "kept-mark");
  rig.memory.entries = entries;
  rig.memory.tiles = tiles;
  fs::copy_file(rig.folder / "fork-mark", rig.mark_path(), fs::copy_options::overwrite_existing);
  ASSERT_TRUE(rig.Start());
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/two")));
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/three")));
  rig.Stop();
  fs::copy_file(rig.folder / "kept-mark", rig.mark_path(), fs::copy_options::overwrite_existing);
  auto started = rig.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().reason, Reason::kRolledBack);
}

TEST(StartTest, AMarkThatThisLogsKeyDidNotSignIsRefused) {
  StoppedRig rig;
  auto stranger = crypto::Ed25519SignKey::Generate(rig.world.random);
  fs::remove(rig.mark_path());
  {
    auto mark = HighWater::Open(rig.mark_path());
    ASSERT_TRUE(mark);
    ASSERT_TRUE((*mark)->Initialise(log::SignedCheckpoint::Sign(rig.last, stranger).note()));
  }
  EXPECT_EQ(rig.Start().error().reason, Reason::kCorrupt);
}

TEST(StartTest, AMarkOfAnotherOriginIsRefused) {
  StoppedRig rig;
  fs::remove(rig.mark_path());
  auto other = rig.last;
  other.origin = "example.org/other";
  {
    auto mark = HighWater::Open(rig.mark_path());
    ASSERT_TRUE(mark);
    ASSERT_TRUE((*mark)->Initialise(log::SignedCheckpoint::Sign(other, rig.world.log_key).note()));
  }
  EXPECT_EQ(rig.Start().error().reason, Reason::kRolledBack);
}

// Signatures were verified before the entry was logged and are not under its commitment: the one part of an entry that
// a start takes as it is (the store's own checksums and every auditor look at them).
bool DiffersInSignaturesAlone(const Bytes& one, const Bytes& other) {
  auto without = [](const Bytes& bytes) {
    auto entry = proto::DecodeLoggedEntry(bytes).value();
    for (auto& signature : entry.envelope->signatures) signature = {};
    return proto::EncodeLoggedEntry(entry);
  };
  return without(one) == without(other);
}

TEST(StartTest, AnyDamagedEntryIsFoundAndNamed) {
  StoppedRig rig;
  const auto good = rig.memory.entries;
  int found = 0;
  for (std::size_t index : {std::size_t{0}, std::size_t{7}, good.size() - 1}) {
    for (std::size_t step = 0; step < good[index].size(); step += 37) {
      rig.memory.entries = good;
      rig.memory.entries[index][step] ^= 0x04;
      auto started = rig.Start();
      if (started) {
        EXPECT_TRUE(DiffersInSignaturesAlone(good[index], rig.memory.entries[index])) << index << " byte " << step;
        continue;
      }
      ++found;
      EXPECT_EQ(started.error().reason, Reason::kCorrupt);
      EXPECT_NE(started.error().detail.find("entry " + std::to_string(index) + ":"), std::string::npos)
          << started.error().detail;
    }
  }
  EXPECT_GT(found, 30);
}

TEST(StartTest, ExchangedAndMissingEntriesAreFound) {
  StoppedRig rig;
  const auto good = rig.memory.entries;
  std::swap(rig.memory.entries[3], rig.memory.entries[4]);
  EXPECT_EQ(rig.Start().error().reason, Reason::kCorrupt);
  rig.memory.entries = good;
  rig.memory.entries.erase(rig.memory.entries.begin() + 5);
  EXPECT_FALSE(rig.Start());
  rig.memory.entries = good;
  EXPECT_TRUE(rig.Start());
}

TEST(StartTest, ADamagedTileOfAnyLevelIsFound) {
  StoppedRig rig(300);
  const auto good = rig.memory.tiles;
  ASSERT_GE(good.size(), 3u);  // a full one and a partial one of level 0, and level 1
  for (const auto& [id, hashes] : good) {
    rig.memory.tiles = good;
    rig.memory.tiles[id][5] ^= 1;
    EXPECT_EQ(rig.Start().error().reason, Reason::kCorrupt) << log::TilePath(id, 256);
    rig.memory.tiles.erase(id);
    EXPECT_EQ(rig.Start().error().reason, Reason::kCorrupt) << log::TilePath(id, 256);
  }
  rig.memory.tiles = good;
  EXPECT_TRUE(rig.Start());
}

// Full tiles above the leaves take no part in the root of the right edge: they are compared on their own.
TEST(StartTest, ADamagedFullTileAboveTheLeavesIsFound) {
  auto grown = [] {
    log::Tree tree;
    for (int i = 0; i < 65'536; ++i) tree.Append(Hash{});
    return tree;
  };
  test::MemoryJournal journal;
  auto tree = grown();
  journal.tiles = tree.TakeChangedTiles();
  tree = grown();
  EXPECT_TRUE(CheckFullTiles(journal, tree));
  const auto good = journal.tiles;
  for (log::TileId id : {log::TileId{0, 9}, log::TileId{1, 0}}) {
    ASSERT_TRUE(good.count(id));
    journal.tiles = good;
    journal.tiles[id].back() ^= 1;
    tree = grown();
    EXPECT_EQ(CheckFullTiles(journal, tree).error().reason, Reason::kCorrupt);
  }
}

// The same over the real store: stop, start, and a folder restored from yesterday.
TEST(StartTest, YesterdaysStoreFolderIsRefused) {
  BrokerRig rig;
  auto open = [&](bool create) { return RocksDbStore::Open({.folder = rig.folder / "db", .create = create}).value(); };
  auto store = open(true);
  rig.journal = &store->journal();
  rig.Found();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  rig.Stop();
  store.reset();
  fs::copy(rig.folder / "db", rig.folder / "yesterday", fs::copy_options::recursive);

  store = open(false);
  rig.journal = &store->journal();
  ASSERT_TRUE(rig.Start());
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/today")));
  rig.Stop();
  store.reset();
  fs::remove_all(rig.folder / "db");
  fs::rename(rig.folder / "yesterday", rig.folder / "db");
  fs::permissions(rig.folder / "db", fs::perms(0700));

  store = open(false);
  rig.journal = &store->journal();
  EXPECT_EQ(rig.Start().error().reason, Reason::kRolledBack);
  rig.Stop();
}

}  // namespace
}  // namespace valija::broker
