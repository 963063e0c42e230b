#include "broker/storage/high_water.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/broker/support/temp_folder.h"

namespace valija::broker {
namespace {

using test::TempFolder;

std::string NoteOf(std::uint64_t size) { return "log.example\n" + std::to_string(size) + "\nroot\n\nsignature\n"; }

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
void WriteAll(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::unique_ptr<HighWater> Opened(const std::filesystem::path& path) {
  auto mark = HighWater::Open(path, std::chrono::hours(1));
  if (!mark) throw std::runtime_error(mark.error().Message());
  return *std::move(mark);
}

TEST(HighWaterTest, KeepsTheLastMarkAcrossAReopening) {
  TempFolder folder;
  {
    auto mark = Opened(folder / "mark");
    EXPECT_FALSE(mark->note());
    ASSERT_TRUE(mark->Initialise(NoteOf(0)));
    for (std::uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(mark->Write(NoteOf(i)));
    EXPECT_EQ(mark->note(), NoteOf(20));
  }
  EXPECT_EQ(Opened(folder / "mark")->note(), NoteOf(20));
}

TEST(HighWaterTest, IsMadeOnceAndWrittenOnlyAfterThat) {
  TempFolder folder;
  auto mark = Opened(folder / "mark");
  EXPECT_EQ(mark->Write(NoteOf(1)).error().reason, Reason::kFile);
  ASSERT_TRUE(mark->Initialise(NoteOf(0)));
  EXPECT_EQ(mark->Initialise(NoteOf(0)).error().reason, Reason::kExists);
  EXPECT_EQ(mark->Write(std::string(HighWater::kMaxNote + 1, 'x')).error().reason, Reason::kTooLarge);
  EXPECT_EQ(mark->Write("").error().reason, Reason::kTooLarge);
  EXPECT_TRUE(mark->Write(std::string(HighWater::kMaxNote, 'x')));
}

TEST(HighWaterTest, ASecondHolderIsRefused) {
  TempFolder folder;
  auto mark = Opened(folder / "mark");
  ASSERT_TRUE(mark->Initialise(NoteOf(0)));
  auto second = HighWater::Open(folder / "mark");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, Reason::kLocked);
}

// Whatever part of a write reached the file, the mark before it or the new one is read.
TEST(HighWaterTest, AWriteCutAtAnyByteLeavesTheMarkBeforeIt) {
  TempFolder folder;
  std::string before, after;
  {
    auto mark = Opened(folder / "mark");
    ASSERT_TRUE(mark->Initialise(NoteOf(0)));
    for (std::uint64_t i = 1; i <= 6; ++i) {
      ASSERT_TRUE(mark->Write(NoteOf(i)));
      if (i % 3 == 0) {
        ASSERT_TRUE(mark->Sync());
      }
    }
    before = ReadAll(folder / "mark");
    ASSERT_TRUE(mark->Write(NoteOf(7)));
    after = ReadAll(folder / "mark");
  }
  ASSERT_EQ(before.size(), after.size());
  std::size_t first = 0, end = 0, whole = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before[i] == after[i]) continue;
    if (end == 0) first = i;
    end = i + 1;
  }
  ASSERT_LT(first, end);
  ASSERT_LE(end - first, HighWater::kSlotSize);
  for (std::size_t cut = first; cut <= end; ++cut) {
    WriteAll(folder / "cut", after.substr(0, cut) + before.substr(cut));
    auto note = Opened(folder / "cut")->note();
    if (note == NoteOf(7)) {
      ++whole;
    } else {
      EXPECT_EQ(note, NoteOf(6)) << "cut at " << cut;
    }
  }
  EXPECT_EQ(whole, 1u);
}

// What a power cut may do: everything that was written since the last sync is lost, or torn, in any combination.
TEST(HighWaterTest, TheSyncedMarkStandsWhateverBecomesOfLaterWrites) {
  TempFolder folder;
  auto mark = Opened(folder / "mark");
  ASSERT_TRUE(mark->Initialise(NoteOf(0)));
  ASSERT_TRUE(mark->Write(NoteOf(1)));
  ASSERT_TRUE(mark->Sync());
  std::string synced = ReadAll(folder / "mark");
  for (std::uint64_t i = 2; i <= 30; ++i) ASSERT_TRUE(mark->Write(NoteOf(i)));
  std::string later = ReadAll(folder / "mark");
  std::size_t unchanged = 0;
  for (std::size_t slot = 0; slot < HighWater::kSlots; ++slot) {
    auto at = slot * HighWater::kSlotSize;
    if (synced.compare(at, HighWater::kSlotSize, later, at, HighWater::kSlotSize) == 0) {
      ++unchanged;
    } else {
      for (std::size_t i = 0; i < 300; ++i) later[at + i] ^= 0x55;
    }
  }
  EXPECT_GE(unchanged, 1u);
  WriteAll(folder / "torn", later);
  EXPECT_EQ(Opened(folder / "torn")->note(), NoteOf(1));
}

TEST(HighWaterTest, RefusesAFileWithoutOneGoodSlot) {
  TempFolder folder;
  for (const std::string& content : {std::string(), std::string(16384, '\0'), std::string("valijaHW")}) {
    WriteAll(folder / "mark", content);
    auto mark = HighWater::Open(folder / "mark");
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().reason, Reason::kCorrupt);
  }
}

TEST(HighWaterTest, AChangedByteOfTheOnlySlotIsSeen) {
  TempFolder folder;
  ASSERT_TRUE(Opened(folder / "mark")->Initialise(NoteOf(3)));
  const std::string good = ReadAll(folder / "mark");
  const std::size_t used = 8 + 8 + 4 + NoteOf(3).size() + 32;
  for (std::size_t i = 0; i < used; ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    WriteAll(folder / "bad", bad);
    auto mark = HighWater::Open(folder / "bad");
    ASSERT_FALSE(mark) << "byte " << i;
    EXPECT_EQ(mark.error().reason, Reason::kCorrupt);
  }
}

TEST(HighWaterTest, ASymbolicLinkIsNotFollowed) {
  TempFolder folder;
  ASSERT_TRUE(Opened(folder / "real")->Initialise(NoteOf(3)));
  std::filesystem::create_symlink(folder / "real", folder / "mark");
  EXPECT_FALSE(HighWater::Open(folder / "mark"));
}

TEST(HighWaterTest, StoreAndMarkComeTogetherOrNotAtAll) {
  TempFolder folder;
  auto mark = Opened(folder / "mark");
  EXPECT_EQ(mark->CheckPresence(false, false).error().reason, Reason::kNotReady);
  EXPECT_EQ(mark->CheckPresence(true, false).error().reason, Reason::kRolledBack);
  EXPECT_TRUE(mark->CheckPresence(false, true));
  ASSERT_TRUE(mark->Initialise(NoteOf(0)));
  EXPECT_TRUE(mark->CheckPresence(false, true));  // a making that was cut short may go on
  ASSERT_TRUE(mark->Write(NoteOf(1)));
  EXPECT_EQ(mark->CheckPresence(false, false).error().reason, Reason::kRolledBack);
  EXPECT_EQ(mark->CheckPresence(false, true).error().reason, Reason::kExists);
  EXPECT_EQ(mark->CheckPresence(true, true).error().reason, Reason::kExists);
  EXPECT_TRUE(mark->CheckPresence(true, false));
}

TEST(HighWaterTest, IsSyncedByItself) {
  TempFolder folder;
  auto opened = HighWater::Open(folder / "mark", Duration(1));
  ASSERT_TRUE(opened);
  auto mark = *std::move(opened);
  ASSERT_TRUE(mark->Initialise(NoteOf(0)));
  for (std::uint64_t i = 1; i <= 2000; ++i) ASSERT_TRUE(mark->Write(NoteOf(i)));
  EXPECT_TRUE(mark->Sync());
  EXPECT_EQ(mark->note(), NoteOf(2000));
}

}  // namespace
}  // namespace valija::broker
