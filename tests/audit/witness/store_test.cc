// The witness's state: compare and store, what survives, and what is refused at the start.
#include "audit/witness/store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "audit/witness/witness.h"
#include "tests/audit/witness/small_log.h"
#include "tests/broker/support/temp_folder.h"
#include "tests/support/vectors.h"

namespace valija::witness::test {
namespace {

namespace fs = std::filesystem;
using valija::test::ReadWhole;
using valija::test::TempFolder;

const std::string kHash = OriginHash(kOrigin);

// The record of an honest log at this size, as Decide makes it.
Record RecordAt(std::size_t size, const SmallLog& log = SmallLog(64), const std::string& origin = kOrigin) {
  return *Decide(*ParseRequest(log.Ask(0, size)), LogOf(origin), std::nullopt, SignerNamed(kWitness), 1'700'000'000)
              .next;
}

struct Folders {
  TempFolder root;
  fs::path state = root / "state", marks = root / "marks";

  Folders() { EXPECT_TRUE(Store::Create(state, marks, CosignerNamed(kWitness))); }
  std::unique_ptr<Store> Open() const { return std::move(Store::Open(state, marks).value()); }
  Reason WhyNot() const {
    auto store = Store::Open(state, marks);
    return store ? Reason::kInternal : store.error().reason;
  }
  fs::path File(int which) const { return state / (kHash + "." + std::to_string(which)); }
  // One step of a store that is opened for it.
  void Put(std::size_t size) const {
    auto store = Open();
    auto done = store->Replace(store->Get(kHash), RecordAt(size));
    ASSERT_TRUE(done && *done);
  }
};

// A record's file: the note, and empty lines to the end of the block.
std::string FileOf(const Record& record) {
  auto text = record.note;
  text.resize(4096, '\n');
  return text;
}

void Write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

TEST(Store, KeepsWhatWasStoredAsTheMonitoringPathServesIt) {
  Folders folders;
  {
    auto store = folders.Open();
    EXPECT_EQ(store->size(), 0u);
    EXPECT_FALSE(store->Get(kHash));
    EXPECT_TRUE(*store->Replace(std::nullopt, RecordAt(3)));
    EXPECT_TRUE(*store->Replace(RecordAt(3), RecordAt(9)));
    EXPECT_EQ(store->Get(kHash)->checkpoint.size, 9u);
    EXPECT_EQ(ReadWhole(folders.File(0)), FileOf(RecordAt(3)));
    EXPECT_EQ(ReadWhole(folders.File(1)), FileOf(RecordAt(9))) << "before it answers";
  }
  auto store = folders.Open();
  EXPECT_EQ(store->witness().Text(), CosignerNamed(kWitness).Text());
  ASSERT_TRUE(store->Get(kHash));
  EXPECT_EQ(store->Get(kHash)->checkpoint, RecordAt(9).checkpoint);
  EXPECT_EQ(store->Get(kHash)->note, RecordAt(9).note);
}

TEST(Store, StoresOnlyOverWhatWasSeen) {
  Folders folders;
  auto store = folders.Open();
  const Record one = RecordAt(1), two = RecordAt(2), three = RecordAt(3);
  EXPECT_FALSE(*store->Replace(one, two)) << "nothing is there";
  EXPECT_TRUE(*store->Replace(std::nullopt, one));
  EXPECT_FALSE(*store->Replace(std::nullopt, two));
  EXPECT_TRUE(*store->Replace(one, two));
  EXPECT_FALSE(*store->Replace(one, three));
  EXPECT_EQ(store->Get(kHash)->checkpoint.size, 2u);
  EXPECT_EQ(ReadWhole(folders.File(1)), FileOf(two));
}

TEST(Store, NeverGoesBack) {
  Folders folders;
  auto store = folders.Open();
  ASSERT_TRUE(*store->Replace(std::nullopt, RecordAt(5)));
  EXPECT_THROW((void)store->Replace(RecordAt(5), RecordAt(4)), std::logic_error);
  EXPECT_THROW((void)store->Replace(RecordAt(5), RecordAt(5, SmallLog(64, 0))), std::logic_error) << "another root";
  EXPECT_EQ(store->Get(kHash)->checkpoint, RecordAt(5).checkpoint);
}

TEST(Store, TheSameCheckpointAgainNeedsNoWrite) {
  Folders folders;
  auto store = folders.Open();
  ASSERT_TRUE(*store->Replace(std::nullopt, RecordAt(5)));
  auto newer = RecordAt(5);
  newer.note = RecordAt(5).checkpoint.Body() + "\nnewer";
  ASSERT_TRUE(*store->Replace(RecordAt(5), newer));
  EXPECT_EQ(store->Get(kHash)->note, newer.note);
  EXPECT_EQ(ReadWhole(folders.File(0)), FileOf(RecordAt(5)));
  EXPECT_FALSE(fs::exists(folders.File(1)));
}

TEST(Store, WritesItsTwoFilesInTurns) {
  Folders folders;
  for (std::size_t size = 1; size <= 12; ++size) {
    folders.Put(size);  // opened anew each time
    EXPECT_EQ(ReadWhole(folders.File(size % 2 == 0 ? 1 : 0)), FileOf(RecordAt(size)));
  }
  auto store = folders.Open();
  for (std::size_t size = 13; size <= 20; ++size) {
    ASSERT_TRUE(*store->Replace(RecordAt(size - 1), RecordAt(size)));
    EXPECT_EQ(ReadWhole(folders.File(size % 2 == 0 ? 1 : 0)), FileOf(RecordAt(size)));
    EXPECT_EQ(ReadWhole(folders.File(size % 2 == 0 ? 0 : 1)), FileOf(RecordAt(size - 1)));
  }
  // A longer note than a block is no longer written in place, and a shorter one after it neither.
  auto longer = RecordAt(21);
  const log::NoteSignature line{"x", 1, Bytes(3500)};
  longer.note += line.Line();
  ASSERT_TRUE(*store->Replace(RecordAt(20), longer));
  EXPECT_EQ(fs::file_size(folders.File(0)), 8192u);
  store.reset();
  EXPECT_EQ(folders.Open()->Get(kHash)->note, longer.note);
  folders.Put(22);
  folders.Put(23);
  EXPECT_EQ(ReadWhole(folders.File(0)), FileOf(RecordAt(23)));
  EXPECT_EQ(folders.Open()->Get(kHash)->checkpoint.size, 23u);
}

TEST(Store, AWriteThatAPowerCutHalvedLeavesTheOneBefore) {
  Folders folders;
  folders.Put(3);
  folders.Put(9);
  const auto mark = ReadWhole(folders.marks / kHash);
  const auto next = FileOf(RecordAt(12)), before = ReadWhole(folders.File(0));
  for (std::size_t done = 0; done <= RecordAt(12).note.size(); done += 7) {
    Write(folders.File(0), next.substr(0, done) + before.substr(done));
    EXPECT_GE(folders.Open()->Get(kHash)->checkpoint.size, 9u) << done;
    Write(folders.marks / kHash, mark);
  }
  Write(folders.File(0), std::string(4096, '\0'));
  EXPECT_EQ(folders.Open()->Get(kHash)->checkpoint.size, 9u);
  folders.Put(12);
  EXPECT_EQ(ReadWhole(folders.File(0)), next) << "and is written over";
}

TEST(Store, LogsAreApart) {
  Folders folders;
  {
    auto store = folders.Open();
    ASSERT_TRUE(*store->Replace(std::nullopt, RecordAt(5)));
    SmallLog other(64, 0, "other.example");
    ASSERT_TRUE(*store->Replace(std::nullopt, RecordAt(2, other, "other.example")));
  }
  auto store = folders.Open();
  EXPECT_EQ(store->size(), 2u);
  EXPECT_EQ(store->Get(kHash)->checkpoint.size, 5u);
  EXPECT_EQ(store->Get(OriginHash("other.example"))->checkpoint.size, 2u);
}

TEST(Store, IsMadeOnceAndOnlyWhereNothingIs) {
  Folders folders;
  folders.Put(3);
  EXPECT_EQ(Store::Create(folders.state, folders.marks, CosignerNamed("w2")).error().reason, Reason::kExists);
  fs::remove(folders.state / "witness.vkey");
  EXPECT_EQ(Store::Create(folders.state, folders.root / "m2", CosignerNamed("w2")).error().reason, Reason::kExists);
  EXPECT_EQ(Store::Create(folders.root / "s2", folders.marks, CosignerNamed("w2")).error().reason, Reason::kExists);
  EXPECT_EQ(folders.WhyNot(), Reason::kNotReady);
  EXPECT_TRUE(Store::Create(folders.root / "s3", folders.root / "s3/marks", CosignerNamed("w2"))) << "marks inside";
  EXPECT_TRUE(Store::Open(folders.root / "s3", folders.root / "s3/marks"));
}

TEST(Store, AStateThatIsNotThereIsNotBegunAnew) {
  Folders folders;
  folders.Put(3);
  fs::rename(folders.state, folders.root / "elsewhere");
  EXPECT_EQ(folders.WhyNot(), Reason::kNotReady);
  fs::create_directory(folders.state);
  EXPECT_EQ(folders.WhyNot(), Reason::kNotReady) << "an empty folder where a disk was";
  fs::remove(folders.state);
  fs::rename(folders.root / "elsewhere", folders.state);
  fs::rename(folders.marks, folders.root / "elsewhere");
  EXPECT_EQ(folders.WhyNot(), Reason::kNotReady);
}

TEST(Store, AMissingOrOlderRecordIsARollback) {
  Folders folders;
  folders.Put(3);
  folders.Put(9);
  const auto older = ReadWhole(folders.File(0)), newer = ReadWhole(folders.File(1));
  Write(folders.File(1), older);
  EXPECT_EQ(folders.WhyNot(), Reason::kRolledBack);
  fs::remove(folders.File(1));
  EXPECT_EQ(folders.WhyNot(), Reason::kRolledBack);
  Write(folders.File(1), newer.substr(0, 20) + "x" + newer.substr(21));
  EXPECT_EQ(folders.WhyNot(), Reason::kRolledBack) << "the newer one is damaged: the older does not stand in for it";
  fs::remove(folders.File(0));
  fs::remove(folders.File(1));
  EXPECT_EQ(folders.WhyNot(), Reason::kRolledBack);
  Write(folders.File(0), newer);
  EXPECT_EQ(folders.Open()->Get(kHash)->checkpoint.size, 9u);
}

TEST(Store, ARecordAheadOfItsMarkIsTakenAndMarked) {
  Folders folders;
  folders.Put(3);
  const auto mark = ReadWhole(folders.marks / kHash);
  folders.Put(9);
  Write(folders.marks / kHash, mark);  // as if the process had ended between the two
  EXPECT_EQ(folders.Open()->Get(kHash)->checkpoint.size, 9u);
  EXPECT_NE(ReadWhole(folders.marks / kHash), mark);
  fs::remove(folders.marks / kHash);
  EXPECT_EQ(folders.Open()->Get(kHash)->checkpoint.size, 9u);
  EXPECT_TRUE(fs::exists(folders.marks / kHash));
}

TEST(Store, DamageIsSeenAtTheStart) {
  Folders folders;
  folders.Put(9);
  const auto good = ReadWhole(folders.File(0));
  const auto end = RecordAt(9).note.size();
  // The log's line is not the witness's to judge: keys change. Its own line, and what it signed, are.
  const auto log_line = good.find("\u2014 log.example"), own_line = good.find("\u2014 witness.example");
  for (std::size_t at = 0; at < end + 3; ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    if (at >= log_line && at < own_line) continue;
    Write(folders.File(0), bad);
    EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt) << at;
  }
  for (std::size_t size = 0; size < end - 1; ++size) {
    Write(folders.File(0), good.substr(0, size));
    EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt) << size;
  }
  // Another witness's record; this one's of another log.
  Write(folders.File(0),
        SmallLog(9).Signed(SmallLog(9).At(9)) + log::Cosign(SmallLog(9).At(9).Body(), "w2", KeyNamed("w2"), 5));
  EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt);
  Write(folders.File(0), good);
  const auto elsewhere = folders.state / (std::string(64, 'a') + ".0");
  fs::copy(folders.File(0), elsewhere);
  EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt);
  fs::remove(elsewhere);

  const auto mark = ReadWhole(folders.marks / kHash);
  for (std::size_t at = 0; at < mark.size(); ++at) {
    auto bad = mark;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    Write(folders.marks / kHash, bad);
    EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt) << at;
  }
  for (const std::string& bad : {std::string(), std::string("9"), mark + mark, std::string(40, '9')}) {
    Write(folders.marks / kHash, bad);
    EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt);
  }
  Write(folders.marks / kHash, mark);
  Write(folders.marks / "witness.vkey", CosignerNamed("w2").Text() + "\n");
  EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt);
  Write(folders.marks / "witness.vkey", CosignerNamed(kWitness).Text() + "\n");
  Write(folders.state / "witness.vkey", CosignerNamed(kWitness).Text());
  EXPECT_EQ(folders.WhyNot(), Reason::kCorrupt);
  Write(folders.state / "witness.vkey", CosignerNamed(kWitness).Text() + "\n");
  EXPECT_EQ(folders.Open()->Get(kHash)->note, RecordAt(9).note);
}

TEST(Store, IsOneProcesssAlone) {
  Folders folders;
  auto store = folders.Open();
  EXPECT_EQ(folders.WhyNot(), Reason::kLocked);
  // A copy of the state with the same marks is the same witness.
  fs::copy(folders.state, folders.root / "copy", fs::copy_options::recursive);
  auto copy = Store::Open(folders.root / "copy", folders.marks);
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().reason, Reason::kLocked);
  store.reset();
  EXPECT_TRUE(Store::Open(folders.state, folders.marks));
}

TEST(Store, WhatAKilledProcessLeftBesideIsSweptAway) {
  Folders folders;
  folders.Put(3);
  const auto left = folders.state / ("." + kHash + ".0123456789abcdef.tmp");
  Write(left, "half");
  Write(folders.state / "notes.txt", "of a person");
  EXPECT_EQ(folders.Open()->Get(kHash)->checkpoint.size, 3u);
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(folders.state / "notes.txt"));
}

TEST(Store, TheFirstProofOfAForkStays) {
  Folders folders;
  auto store = folders.Open();
  EXPECT_TRUE(store->KeepFork(RecordAt(5), "the first"));
  EXPECT_TRUE(store->KeepFork(RecordAt(5), "the second"));
  EXPECT_EQ(ReadWhole(folders.state / (kHash + ".fork")), RecordAt(5).note + "\nthe first");
}

// ---- a witness over a store ----

struct Working {
  Folders folders;
  std::unique_ptr<Store> store = folders.Open();
  Time now = FromMillis(1'700'000'000'000);
  std::vector<std::string> reports;
  std::mutex mutex;
  Witness witness;

  explicit Working(std::optional<std::uint64_t> per_day = std::nullopt)
      : witness(
            LogsOf(per_day), SignerNamed(kWitness), *store, [this] { return now; },
            [this](const std::string& line) {
              const std::scoped_lock hold(mutex);
              reports.push_back(line);
            }) {}
  static Logs LogsOf(std::optional<std::uint64_t> per_day) {
    auto log = LogOf(kOrigin);
    log.per_day = per_day;
    return {{kOrigin, log}};
  }
};

TEST(Witness, AnswersAndServesWhatItCosigned) {
  Working w;
  const SmallLog log(20);
  EXPECT_EQ(w.witness.LatestCheckpoint(kHash).status, 404);
  auto answer = w.witness.AddCheckpoint(log.Ask(0, 7));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(Cosigns(answer.body, log.Signed(log.At(7))));
  EXPECT_EQ(w.witness.LatestCheckpoint(kHash).body, log.Signed(log.At(7)) + answer.body);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(0, 7)).body, "7\n");
  w.now += std::chrono::hours(1);
  answer = w.witness.AddCheckpoint(log.Ask(7, 7));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(w.witness.LatestCheckpoint(kHash).body, log.Signed(log.At(7)) + answer.body) << "the newer cosignature";
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(7, 20)).status, 200);
  EXPECT_EQ(w.witness.AddCheckpoint("").status, 400);
  EXPECT_EQ(w.witness.AddCheckpoint(std::string(kMaxBody + 1, 'x')).status, 413);
  EXPECT_EQ(w.witness.AddCheckpoint(SmallLog(3, 0, "unknown.example").Ask(0, 3)).status, 404);
}

TEST(Witness, AForkIsAnAlarmAndItsProofIsKept) {
  Working w;
  const SmallLog log(20), other(20, 5);
  ASSERT_EQ(w.witness.AddCheckpoint(log.Ask(0, 9)).status, 200);
  const auto held = w.witness.LatestCheckpoint(kHash).body;
  EXPECT_EQ(w.witness.AddCheckpoint(other.Ask(9, 9)).status, 422);
  EXPECT_EQ(ReadWhole(w.folders.state / (kHash + ".fork")), held + "\n" + other.Ask(9, 9));
  ASSERT_EQ(w.reports.size(), 2u);
  EXPECT_EQ(w.reports[1], "ALARM: log.example signed two trees of size 9");
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(9, 12)).status, 200) << "the history it knows may go on";
}

TEST(Witness, AClockThatIsNotSetCosignsNothing) {
  Working w;
  w.now = FromMillis(999);
  EXPECT_EQ(w.witness.AddCheckpoint(SmallLog(5).Ask(0, 5)).status, 503);
  EXPECT_FALSE(w.store->Get(kHash));
}

TEST(Witness, ALogHasNoMoreThanItsShare) {
  Working w(24);  // one an hour, and ten more at first
  const SmallLog log(64);
  std::size_t size = 0;
  for (; size < 11; ++size) ASSERT_EQ(w.witness.AddCheckpoint(log.Ask(size, size + 1)).status, 200);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size, size + 1)).status, 429);
  EXPECT_EQ(w.store->Get(kHash)->checkpoint.size, size);
  // What costs nothing, and what anybody could send again, is not counted.
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size, size)).status, 200);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(0, size)).status, 409);
  w.now += std::chrono::minutes(59);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size, size + 1)).status, 429);
  w.now += std::chrono::minutes(2);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size, size + 1)).status, 200);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size + 1, size + 2)).status, 429);
  w.now -= std::chrono::hours(5);  // a clock put back neither gives nor takes
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size + 1, size + 2)).status, 429);
  w.now += std::chrono::minutes(61);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(size + 1, size + 2)).status, 200);
}

TEST(Witness, WhatCannotBeRecordedIsNotAnswered) {
  Working w;
  const SmallLog log(20);
  ASSERT_EQ(w.witness.AddCheckpoint(log.Ask(0, 3)).status, 200);
  fs::create_directory(w.folders.File(1));  // no file can be put there
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(3, 9)).status, 503);
  EXPECT_EQ(w.store->Get(kHash)->checkpoint.size, 3u);
  fs::remove(w.folders.File(1));
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(3, 9)).status, 200) << "and goes on when it can";
  EXPECT_TRUE(ReadWhole(w.folders.File(1)).starts_with(w.witness.LatestCheckpoint(kHash).body));

  // The record is written and its mark is not: no answer, and the next question finds the record.
  fs::remove(w.folders.marks / kHash);
  fs::create_directory(w.folders.marks / kHash);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(9, 12)).status, 503);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(9, 12)).body, "12\n");
  // Asked again about that, it answers when the mark stands, not before: without it an older copy would not be noticed.
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(12, 12)).status, 503);
  fs::remove(w.folders.marks / kHash);
  EXPECT_EQ(w.witness.AddCheckpoint(log.Ask(12, 12)).status, 200);
  EXPECT_TRUE(ReadWhole(w.folders.marks / kHash).starts_with("0000000000000000012"))
      << ReadWhole(w.folders.marks / kHash);
}

TEST(Witness, OfTwoHistoriesAtOnceOneIsCosigned) {
  for (int round = 0; round < 20; ++round) {
    Working w;
    const SmallLog honest(40), other(40, 4);
    ASSERT_EQ(w.witness.AddCheckpoint(honest.Ask(0, 4)).status, 200);
    std::vector<int> statuses(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back(
          [&, i] { statuses[i] = w.witness.AddCheckpoint((i % 2 == 0 ? honest : other).Ask(4, 8 + i / 2)).status; });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 200), 1);
    EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 409), 3);
  }
}

TEST(Witness, MaySeeALogFromManySidesAtOnceAndNeverGoesBack) {
  Working w;
  const SmallLog log(300);
  std::mutex mutex;
  std::vector<std::uint64_t> answered;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::size_t known = 0;
      for (int i = 0; i < 60; ++i) {
        const std::size_t size = std::min<std::size_t>(300, known + 1 + static_cast<std::size_t>((i + t) % 7));
        auto answer = w.witness.AddCheckpoint(log.Ask(known, size));
        if (answer.status == 409) {
          const auto recorded = std::stoull(answer.body);
          EXPECT_NE(recorded, known);
          EXPECT_GT(recorded, known) << "a witness does not forget";
          known = recorded;
        } else {
          ASSERT_EQ(answer.status, 200) << answer.body;
          EXPECT_TRUE(Cosigns(answer.body, log.Signed(log.At(size))));
          known = size;
          const std::scoped_lock hold(mutex);
          answered.push_back(size);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(w.store->Get(kHash)->checkpoint.size, *std::max_element(answered.begin(), answered.end()));
  const auto note = w.witness.LatestCheckpoint(kHash).body;
  EXPECT_NE(ReadWhole(w.folders.File(0)).starts_with(note), ReadWhole(w.folders.File(1)).starts_with(note));
}

}  // namespace
}  // namespace valija::witness::test
