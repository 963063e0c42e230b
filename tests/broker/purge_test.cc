// Purges: what is erased is gone from the store, and everything that proves something stays.
#include "broker/purge.h"

#include "broker/export.h"
#include "broker/fold.h"

#include <gtest/gtest.h>

#include <fstream>

#include "broker/storage/rocksdb_store.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;
namespace fs = std::filesystem;

class PurgeTest : public testing::Test {
 protected:
  BrokerRig rig_;
  std::unique_ptr<RocksDbStore> store_;

  void SetUp() override {
    OpenStore(true);
    rig_.Found();
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("mx.fgr")));
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("us.dea")));
  }
  void TearDown() override {
    rig_.Stop();
    store_.reset();
  }
  void OpenStore(bool create) {
    rig_.Stop();
    store_.reset();
    RocksDbStore::Options options{.folder = rig_.folder / "store", .create = create};
    store_ = RocksDbStore::Open(options).value();
    rig_.journal = &store_->journal();
    rig_.options.content = &store_->content();
  }
  Status Restart() {
    OpenStore(false);
    return rig_.Start();
  }
  MemberId Admin() { return *MemberId::Parse("us.dea/admin"); }
  Status Upload(const Bytes& body, const MemberId& by) {
    std::vector<ByteView> one = {body};
    TRY(auto roots, store_->content().PutSmall(one, by, rig_.world.now));
    (void)roots;
    return Ok();
  }
  test::SentRecord Send() {
    auto sent = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")});
    EXPECT_TRUE(Upload(sent.bodies[0], Admin()));
    EXPECT_TRUE(rig_.Post(sent.statement));
    return sent;
  }
  static const record::PortionSeal& SealOf(const test::SentRecord& sent) {
    return std::get<ledger::Record>(sent.statement->payload).payload.portions.at(0);
  }
  BodyName NameOf(const test::SentRecord& sent, const char* agency = "us.dea") {
    return {*AgencyId::Parse(agency), SealOf(sent).body_root};
  }
  std::uint64_t IndexOf(const Digest& digest) {
    return rig_.sequencer->Read([&](const ledger::State& state) { return state.statement_index(digest).value(); });
  }
  Result<Accepted> PurgeIt(const test::SentRecord& sent) {
    return rig_.Post(rig_.world.Purge("us.dea/admin", {rig_.world.ErasureOf(*sent.statement)}));
  }
  test::SentRecord SendAndRevoke() {
    auto sent = Send();
    EXPECT_TRUE(rig_.Post(rig_.world.Revoke("us.dea/admin", sent.statement->digest)));
    return sent;
  }
  void ExpectErased(const test::SentRecord& sent, std::uint64_t purge) {
    auto entry = rig_.sequencer->Entry(IndexOf(sent.statement->digest)).value();
    EXPECT_EQ(entry.erased_by, purge);
    EXPECT_TRUE(proto::CheckLoggedEntry(entry));
    const auto purged = rig_.sequencer->AcceptedAt(purge).value();
    EXPECT_TRUE(proto::CheckErasure(entry, purge, std::get<ledger::Purge>(purged.statement->payload)));
    EXPECT_FALSE(store_->content().Find(NameOf(sent)));
  }
};

TEST_F(PurgeTest, TheBodyOfEveryAgencyAndTheWrapsAreGoneAndEveryProofHolds) {
  auto sent = SendAndRevoke();
  ASSERT_TRUE(Upload(sent.bodies[0], *MemberId::Parse("mx.fgr/admin")));  // the same bytes, another agency's
  auto accepted = PurgeIt(sent);
  ASSERT_TRUE(accepted) << accepted.error().Message();
  ExpectErased(sent, accepted->head.index);
  EXPECT_FALSE(store_->content().Find(NameOf(sent, "mx.fgr")));
  const auto index = IndexOf(sent.statement->digest);
  const auto entry = rig_.sequencer->Entry(index).value();
  const auto checkpoint = rig_.sequencer->checkpoint();
  auto path = rig_.sequencer->Inclusion(index, checkpoint->size());
  ASSERT_TRUE(path);
  EXPECT_TRUE(
      log::VerifyInclusion(index, checkpoint->size(), ledger::EntryLeaf(entry.commitment), *path, checkpoint->root()));
  EXPECT_EQ(entry.head->statement, sent.statement->digest);
}

TEST_F(PurgeTest, NothingIsTakenUnderAPurgedRootAnyMore) {
  auto sent = SendAndRevoke();
  ASSERT_TRUE(PurgeIt(sent));
  for (int i = 0; i < 2; ++i) {
    for (const char* member : {"us.dea/admin", "mx.fgr/admin"}) {
      EXPECT_EQ(Upload(sent.bodies[0], *MemberId::Parse(member)).error().reason, Reason::kPurged);
      EXPECT_EQ(store_->content()
                    .Begin(SealOf(sent).body_root, SealOf(sent).body_length, {SealOf(sent).body_root},
                           *MemberId::Parse(member), rig_.world.now)
                    .error()
                    .reason,
                Reason::kPurged);
    }
    ASSERT_TRUE(Restart());
  }
}

TEST_F(PurgeTest, ARestartFindsTheSameLogAndTheSameState) {
  auto sent = SendAndRevoke();
  auto accepted = PurgeIt(sent);
  ASSERT_TRUE(accepted);
  const auto root = rig_.sequencer->checkpoint()->root();
  auto restarted = Restart();
  ASSERT_TRUE(restarted) << restarted.error().Message();
  EXPECT_EQ(rig_.sequencer->checkpoint()->root(), root);
  ExpectErased(sent, accepted->head.index);
  rig_.sequencer->Read([&](const ledger::State& state) {
    EXPECT_TRUE(state.body_purged(SealOf(sent).body_root));
    EXPECT_EQ(state.record(sent.statement->digest)->purged_at, accepted->head.index);
    return 0;
  });
}

TEST_F(PurgeTest, APurgeThatACrashCutShortIsCarriedOutAtTheNextStart) {
  auto sent = SendAndRevoke();
  // The purge is logged by a broker that knows of no bodies and whose entries cannot be replaced.
  test::MemoryJournal memory;
  memory.entries = rig_.journal->Read(0, 1000, 1 << 30).value();
  for (std::uint64_t level = 0; level < 2; ++level)
    if (auto tile = rig_.journal->Tile({static_cast<std::uint8_t>(level), 0}))
      memory.tiles[{static_cast<std::uint8_t>(level), 0}] = *tile;
  rig_.Stop();
  memory.before_replace = [] { return Status(Refuse(Reason::kStorage)); };
  rig_.journal = &memory;
  rig_.options.content = nullptr;
  ASSERT_TRUE(rig_.Start());
  auto accepted = PurgeIt(sent);
  ASSERT_TRUE(accepted) << "it is durable, and so accepted";
  EXPECT_EQ(rig_.Post(rig_.world.EnrolNew("us.dea/ana")).error().reason, Reason::kStorage) << "nothing more is taken";
  EXPECT_FALSE(rig_.sequencer->Entry(IndexOf(sent.statement->digest)).value().erased_by);
  EXPECT_EQ(rig_.Start().error().reason, Reason::kStorage) << "it cannot be carried out still";
  memory.before_replace = nullptr;
  rig_.options.content = &store_->content();
  auto restarted = rig_.Start();
  ASSERT_TRUE(restarted) << restarted.error().Message();
  ExpectErased(sent, accepted->head.index);
  rig_.Stop();
}

TEST_F(PurgeTest, AnErasedEntryWithoutItsPurgeOrNotAsItSaysIsDamage) {
  auto sent = SendAndRevoke();
  auto other = SendAndRevoke();
  test::MemoryJournal memory;
  const auto copy = [&] {
    memory.entries = rig_.journal->Read(0, 1000, 1 << 30).value();
    for (std::uint8_t level = 0; level < 2; ++level)
      if (auto tile = rig_.journal->Tile({level, 0})) memory.tiles[{level, 0}] = *tile;
  };
  auto accepted = PurgeIt(sent);
  ASSERT_TRUE(accepted);
  copy();
  const auto erase = [&](std::uint64_t index, std::uint64_t by) {
    auto entry = proto::DecodeLoggedEntry(memory.entries.at(index)).value();
    if (!entry.erased_by)
      entry.envelope = ledger::Envelope{
          entry.envelope->payload_type,
          proto::RedactPayload(*ledger::KindFromPayloadType(entry.envelope->payload_type), entry.envelope->payload)
              .value(),
          {},
          std::nullopt};
    entry.erased_by = by;
    memory.entries.at(index) = proto::EncodeLoggedEntry(entry);
  };
  const auto folded = [&] { return FoldJournal(memory, std::nullopt); };
  ASSERT_TRUE(folded()) << folded().error().Message();
  const auto its = IndexOf(sent.statement->digest), others = IndexOf(other.statement->digest);
  const auto good = memory.entries;

  erase(its, accepted->head.index + 1);  // by what is no entry
  EXPECT_EQ(folded().error().reason, Reason::kCorrupt);
  memory.entries = good;
  erase(its, accepted->head.index - 1);  // by an entry that is no purge
  EXPECT_EQ(folded().error().reason, Reason::kCorrupt);
  memory.entries = good;
  erase(others, accepted->head.index);  // by a purge that does not name it
  EXPECT_EQ(folded().error().reason, Reason::kCorrupt);
}

TEST_F(PurgeTest, ThePlainBytesOfAnErasedTextAreNoLongerServed) {
  auto sent = Send();
  auto revocation = rig_.world.Revoke("us.dea/admin", sent.statement->digest);
  ASSERT_TRUE(rig_.Post(revocation));
  auto accepted = rig_.Post(rig_.world.Purge("us.dea/admin", {rig_.world.ErasureOf(*revocation)}));
  ASSERT_TRUE(accepted) << accepted.error().Message();
  auto kept = rig_.sequencer->AcceptedAt(IndexOf(revocation->digest)).value();
  EXPECT_EQ(std::get<ledger::Revocation>(kept.statement->payload).why, proto::kErasedText);
  EXPECT_EQ(kept.head.statement, revocation->digest);
  ASSERT_TRUE(Restart());
  EXPECT_TRUE(store_->content().Find(NameOf(sent))) << "its record was not purged";
}

TEST_F(PurgeTest, AnErasureThatNamesSomethingElseThanWhatStaysIsMalformed) {
  auto sent = SendAndRevoke();
  auto erasure = rig_.world.ErasureOf(*sent.statement);
  auto purge = [&](const ledger::Erasure& one) {
    const auto statement = rig_.world.Purge("us.dea/admin", {one});
    return CheckErasures(*rig_.sequencer, std::get<ledger::Purge>(statement->payload));
  };
  EXPECT_TRUE(purge(erasure));
  erasure.redacted.bytes[0] ^= 1;
  EXPECT_EQ(purge(erasure).error().reason, Reason::kMalformed);
}

// Its digest is known beforehand, so a purge may name what is not there yet, with whatever hash.
TEST_F(PurgeTest, WhatIsNotThereOrNotOnesOwnIsNotFoundWhateverTheErasureSays) {
  auto sent = SendAndRevoke();
  const ledger::Erasure nowhere{crypto::DigestOf("nothing", AsBytes("nowhere")), {}};
  auto wrong = rig_.world.ErasureOf(*sent.statement);
  wrong.redacted.bytes[0] ^= 1;
  const auto judged = [&](const char* by, const ledger::Erasure& one) {
    const auto statement = rig_.world.Purge(by, {one});
    auto early = CheckErasures(*rig_.sequencer, std::get<ledger::Purge>(statement->payload));
    auto late = rig_.Post(statement);
    EXPECT_FALSE(early || late);
    EXPECT_EQ(early.error().reason, late.error().reason);
    EXPECT_EQ(early.error().Message(), late.error().Message()) << "the same answer, whoever gives it";
    return late.error().reason;
  };
  EXPECT_EQ(judged("us.dea/admin", nowhere), Reason::kNotFound);
  EXPECT_EQ(judged("mx.fgr/admin", wrong), Reason::kNotFound) << "another agency's";
  EXPECT_EQ(judged("us.dea/admin", wrong), Reason::kMalformed);
}

// One Post, all of it verified before anything of it is there: the record, its end, and a purge that names a wrong hash.
TEST_F(PurgeTest, APurgeOfWhatComesInTheSameBatchIsNotFoundAndTheBrokerGoesOn) {
  for (const bool right : {false, true}) {
    auto sent = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")});
    ASSERT_TRUE(Upload(sent.bodies[0], Admin()));
    auto erasure = rig_.world.ErasureOf(*sent.statement);
    if (!right) erasure.redacted.bytes[0] ^= 1;
    auto go = rig_.StartHeld(rig_.world.EnrolNew(right ? "us.dea/ana" : "us.dea/luis"));
    auto record = rig_.Submit(sent.statement);
    auto end = rig_.Submit(rig_.world.Revoke("us.dea/admin", sent.statement->digest));
    auto purge = rig_.Submit(rig_.world.Purge("us.dea/admin", {erasure}));
    go();
    for (auto* answer : {&record, &end}) EXPECT_TRUE(answer->get());
    EXPECT_EQ(purge.get().error().reason, Reason::kNotFound) << right;
    EXPECT_TRUE(store_->content().Find(NameOf(sent))) << "nothing was erased";
    EXPECT_TRUE(rig_.sequencer->healthy());
    ASSERT_TRUE(Restart());
    EXPECT_TRUE(PurgeIt(sent)) << "later it is one like any other";
  }
}

// A log that holds a purge of something else than is there, as a broker with a fault might have written.
TEST_F(PurgeTest, APurgeThatCannotBeCarriedOutTouchesNothingAndStopsNoStart) {
  auto sent = Send();
  const auto end = rig_.world.Revoke("us.dea/admin", sent.statement->digest);
  ASSERT_TRUE(rig_.Post(end));
  auto folded = FoldJournal(*rig_.journal, std::nullopt).value();
  ledger::Erasure erasure = rig_.world.ErasureOf(*sent.statement);
  erasure.redacted.bytes[0] ^= 1;
  const auto purge = rig_.world.Purge("us.dea/admin", {erasure});
  auto decision =
      ledger::Decide(*folded.state, purge, rig_.world.now, rig_.world.authority, rig_.world.random.Make<Nonce>());
  ASSERT_TRUE(decision) << decision.error().Message();
  proto::LoggedEntry entry;
  entry.decision_bytes = proto::EncodeDecision(*decision);
  entry.salt = rig_.world.random.Make<Salt>();
  entry.head = ledger::EntryHead{folded.tree.size(), rig_.world.now, purge->digest,
                                 crypto::DigestOf(ledger::kDecisionType, entry.decision_bytes)};
  entry.commitment = ledger::CommitEntry(*entry.salt, *entry.head);
  entry.envelope = purge->envelope;
  folded.tree.Append(ledger::EntryLeaf(entry.commitment));
  rig_.Stop();
  JournalWrite write;
  write.first = entry.head->index;
  write.entries = {proto::EncodeLoggedEntry(entry)};
  write.tiles = folded.tree.TakeChangedTiles();
  ASSERT_TRUE(rig_.journal->Append(write));
  for (int i = 0; i < 2; ++i) {
    auto restarted = Restart();
    ASSERT_TRUE(restarted) << restarted.error().Message();
    EXPECT_FALSE(rig_.sequencer->Entry(IndexOf(sent.statement->digest)).value().erased_by);
    EXPECT_FALSE(rig_.sequencer->Entry(IndexOf(end->digest)).value().erased_by);
    EXPECT_TRUE(store_->content().Find(NameOf(sent))) << "neither a body nor an entry";
    ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/m" + std::to_string(i)))) << "and everything else goes on";
  }
}

// The journal whose reading can be made to fail.
struct BrokenJournal : Journal {
  Journal& of;
  int most = 1 << 20;
  mutable int done = 0;
  explicit BrokenJournal(Journal& journal) : of(journal) {}
  std::uint64_t Size() const override { return of.Size(); }
  Result<std::vector<Bytes>> Read(std::uint64_t from, std::size_t count, std::size_t max_bytes) const override {
    if (++done > most) return Refuse(Reason::kStorage);
    return of.Read(from, count, max_bytes);
  }
  Status Replace(const std::vector<std::pair<std::uint64_t, Bytes>>&) override { return Refuse(Reason::kInternal); }
  std::optional<Bytes> Tile(log::TileId id) const override { return of.Tile(id); }
  Status KeepNote(std::string_view) override { return Refuse(Reason::kInternal); }
  std::string KeptNote() const override { return {}; }
  Status DoAppend(const JournalWrite&) override { return Refuse(Reason::kInternal); }
};

TEST_F(PurgeTest, AnExportThatIsCutShortAfterAPurgeLosesWhatWasErasedTheNextTime) {
  for (int most = 0;; ++most) {
    auto sent = SendAndRevoke();
    const Bytes wrap = SealOf(sent).wraps.at(0);
    const auto folder = rig_.folder / ("export-" + std::to_string(most));
    const auto holds = [&] {
      for (const auto& file : fs::recursive_directory_iterator(folder)) {
        if (!file.is_regular_file()) continue;
        std::ifstream in(file.path(), std::ios::binary);
        const std::string all((std::istreambuf_iterator<char>(in)), {});
        if (all.find(ToString(wrap)) != std::string::npos) return true;
      }
      return false;
    };
    BrokenJournal journal(*rig_.journal);
    const auto exported = [&] {
      return ExportLog(folder, journal, *rig_.sequencer->checkpoint(), rig_.world.verifier());
    };
    ASSERT_TRUE(exported());
    ASSERT_TRUE(holds());
    ASSERT_TRUE(PurgeIt(sent));
    journal.done = 0;
    journal.most = most;
    const bool whole = exported().has_value();
    journal.most = 1 << 20;
    // And one that ended between its checkpoint and the removal of what that one calls for no more.
    if (whole) {
      fs::create_directories(folder / "entries" / "000.p");
      std::ofstream(folder / "entries" / "000.p" / "1.pb") << ToString(wrap);
    }
    auto again = exported();
    ASSERT_TRUE(again) << again.error().Message();
    EXPECT_FALSE(holds()) << "cut short at read " << most;
    if (whole) break;
    ASSERT_LT(most, 10);
  }
}

TEST_F(PurgeTest, AnExportThatIsContinuedLosesWhatWasErasedSince) {
  auto sent = SendAndRevoke();
  const Bytes wrap = SealOf(sent).wraps.at(0);
  const auto folder = rig_.folder / "export";
  const auto holds = [&] {
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string all((std::istreambuf_iterator<char>(in)), {});
      if (all.find(ToString(wrap)) != std::string::npos) return true;
    }
    return false;
  };
  const auto exported = [&] {
    return ExportLog(folder, *rig_.journal, *rig_.sequencer->checkpoint(), rig_.world.verifier());
  };
  ASSERT_TRUE(exported());
  EXPECT_TRUE(holds());
  ASSERT_TRUE(PurgeIt(sent));
  auto more = exported();
  ASSERT_TRUE(more) << more.error().Message();
  EXPECT_EQ(*more, 1u);
  EXPECT_FALSE(holds());
}

TEST_F(PurgeTest, AfterScrubbingTheFilesHoldNeitherBodyNorWraps) {
  auto sent = SendAndRevoke();
  const Bytes body = sent.bodies[0], wrap = SealOf(sent).wraps.at(0);
  const auto on_disk = [&](ByteView what) {
    for (const auto& file : fs::recursive_directory_iterator(rig_.folder / "store")) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string all((std::istreambuf_iterator<char>(in)), {});
      if (all.find(ToString(what)) != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(on_disk(body));
  EXPECT_TRUE(on_disk(wrap));
  auto accepted = PurgeIt(sent);
  ASSERT_TRUE(accepted);
  auto scrubbed = store_->Scrub();
  ASSERT_TRUE(scrubbed) << scrubbed.error().Message();
  EXPECT_FALSE(on_disk(body));
  EXPECT_FALSE(on_disk(wrap));
  ASSERT_TRUE(Restart());
  ExpectErased(sent, accepted->head.index);
}

}  // namespace
}  // namespace valija::broker
