#include "broker/export.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/io/file.h"
#include "proto/export.h"
#include "tests/broker/support/bare_log.h"
#include "tests/broker/support/temp_folder.h"

namespace valija::broker {
namespace {

namespace fs = std::filesystem;

struct Log : test::BareLog {
  Result<std::uint64_t> Export(const fs::path& folder) { return ExportLog(folder, journal, Sign(), world.verifier()); }
};

std::set<std::string> FilesIn(const fs::path& folder) {
  std::set<std::string> out;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.is_regular_file()) out.insert(fs::relative(file.path(), folder).string());
  }
  return out;
}

Bytes FileAt(const fs::path& path) {
  auto bytes = io::ReadFile(path);
  if (!bytes) throw std::runtime_error(bytes.error().Message());
  return *std::move(bytes);
}

// What an auditor does with it: exactly the files that the checkpoint calls for, and they give its root.
void ExpectWhole(const fs::path& folder, const Log& log) {
  auto note = io::ReadText(folder / "checkpoint");
  ASSERT_TRUE(note);
  auto checkpoint = log::SignedCheckpoint::Verify(*note, test::BrokerWorld::kOrigin, log.world.verifier());
  ASSERT_TRUE(checkpoint);
  ASSERT_EQ(checkpoint->size(), log.tree.size());
  std::set<std::string> expected = {"checkpoint"};
  for (const auto& tile : log::NewTiles(0, checkpoint->size())) {
    expected.insert(log::TilePath(tile.id, tile.width));
    if (tile.id.level != 0) continue;
    expected.insert(log::BundlePath(tile.id.index, tile.width));
    expected.insert(proto::EntriesPath(tile.id.index, tile.width));
  }
  EXPECT_EQ(FilesIn(folder), expected);

  auto root = log::RootAt(checkpoint->size(), [&](log::TileId id, unsigned width) -> std::optional<Bytes> {
    return FileAt(folder / log::TilePath(id, width));
  });
  ASSERT_TRUE(root);
  EXPECT_EQ(*root, checkpoint->root());
  std::uint64_t index = 0;
  for (const auto& tile : log::NewTiles(0, checkpoint->size())) {
    if (tile.id.level != 0) continue;
    auto hashes = FileAt(folder / log::TilePath(tile.id, tile.width));
    auto bundle = log::ParseBundle(FileAt(folder / log::BundlePath(tile.id.index, tile.width)));
    auto entries = proto::ParseEntriesFile(FileAt(folder / proto::EntriesPath(tile.id.index, tile.width)));
    ASSERT_TRUE(bundle && entries);
    ASSERT_EQ(bundle->size(), tile.width);
    ASSERT_EQ(entries->size(), tile.width);
    for (unsigned i = 0; i < tile.width; ++i, ++index) {
      EXPECT_TRUE(Equal(log::LeafHash((*bundle)[i]), ByteView(hashes).subspan(i * 32, 32)));
      EXPECT_EQ((*entries)[i], log.all[index]);
      EXPECT_TRUE(Equal(proto::DecodeLoggedEntry((*entries)[i])->commitment, (*bundle)[i]));
    }
  }
  EXPECT_EQ(index, checkpoint->size());
}

TEST(ExportTest, HasExactlyTheFilesThatItsCheckpointCallsFor) {
  for (std::uint64_t size : {1, 255, 256, 257, 600}) {
    test::TempFolder folder;
    Log log;
    log.Grow(size);
    auto written = log.Export(folder / "log");
    ASSERT_TRUE(written) << written.error().Message();
    EXPECT_EQ(*written, size);
    ExpectWhole(folder / "log", log);
  }
}

TEST(ExportTest, IsContinuedWithNewFilesAlone) {
  test::TempFolder folder;
  Log log;
  std::uint64_t last = 0;
  for (std::uint64_t size : {3, 3, 200, 256, 256, 300, 511, 513, 1100}) {
    if (size > last) log.Grow(size);
    std::map<std::string, fs::file_time_type> before;
    if (last != 0) {
      for (const auto& file : FilesIn(folder / "log")) before[file] = fs::last_write_time(folder / "log" / file);
    }
    auto written = log.Export(folder / "log");
    ASSERT_TRUE(written) << written.error().Message();
    EXPECT_EQ(*written, size - last);
    ExpectWhole(folder / "log", log);
    for (const auto& [file, time] : before) {
      if (file == "checkpoint" || !fs::exists(folder / "log" / file)) continue;
      EXPECT_EQ(fs::last_write_time(folder / "log" / file), time) << file << " was written again";
    }
    last = size;
  }
}

TEST(ExportTest, RefusesToContinueWhatIsNotThisLog) {
  test::TempFolder folder;
  Log log;
  log.Grow(300);
  ASSERT_TRUE(log.Export(folder / "log"));

  Log stranger;
  stranger.Grow(400);
  EXPECT_EQ(stranger.Export(folder / "log").error().reason, Reason::kBadCheckpoint);

  // The same key, another history.
  Log fork;
  fork.ForkOf(log);
  fork.Grow(400);
  EXPECT_EQ(fork.Export(folder / "log").error().reason, Reason::kFork);
  ExpectWhole(folder / "log", log);

  Log shorter;
  shorter.ForkOf(log);
  shorter.Grow(200);
  EXPECT_EQ(shorter.Export(folder / "log").error().reason, Reason::kRolledBack);
}

TEST(ExportTest, ADamagedExportIsNotContinued) {
  test::TempFolder folder;
  Log log;
  log.Grow(300);
  ASSERT_TRUE(log.Export(folder / "log"));
  log.Grow(310);
  for (const auto& path : {log::TilePath({0, 1}, 44), log::BundlePath(1, 44), proto::EntriesPath(1, 44)}) {
    fs::path file = folder / "log" / path;
    const Bytes good = FileAt(file);
    Bytes bad = good;
    bad[7] ^= 1;
    ASSERT_TRUE(io::WriteFileAtomic(file, bad));
    EXPECT_EQ(log.Export(folder / "log").error().reason, Reason::kCorrupt) << path;
    fs::remove(file);
    EXPECT_EQ(log.Export(folder / "log").error().reason, Reason::kCorrupt) << path;
    ASSERT_TRUE(io::WriteFileAtomic(file, good));
  }
  EXPECT_TRUE(log.Export(folder / "log"));
  ExpectWhole(folder / "log", log);
}

TEST(ExportTest, TheCheckpointMustBeThatOfTheEntries) {
  test::TempFolder folder;
  Log log;
  log.Grow(20);
  auto other = log::SignedCheckpoint::Sign({test::BrokerWorld::kOrigin, 20, log::EmptyRoot()}, log.world.log_key);
  EXPECT_EQ(ExportLog(folder / "log", log.journal, other, log.world.verifier()).error().reason, Reason::kFork);
  EXPECT_FALSE(fs::exists(folder / "log" / "checkpoint"));
}

Result<std::uint64_t> ExportPublicOf(const Log& log, const fs::path& folder) {
  return ExportPublic(folder, log.journal, log.Sign(), std::vector{log.world.verifier()});
}

// The files of a public export, its lock aside.
std::set<std::string> PublicFiles(const fs::path& folder) {
  auto files = FilesIn(folder);
  EXPECT_EQ(files.erase(".lock"), 1u);
  return files;
}

TEST(PublicExportTest, HasCommitmentsAndNoEvents) {
  test::TempFolder folder;
  Log log;
  std::uint64_t last = 0;
  for (std::uint64_t size : {1, 255, 256, 257, 600, 600}) {
    if (size > last) log.Grow(size);
    const auto written = ExportPublicOf(log, folder / "log");
    ASSERT_TRUE(written) << written.error().Message();
    EXPECT_EQ(*written, size - last);
    last = size;
    EXPECT_EQ(AsText(FileAt(folder / "log/checkpoint")), log.Sign().note());
    EXPECT_FALSE(fs::exists(folder / "log/entries"));
    for (const auto& tile : log::NewTiles(0, size)) {
      EXPECT_EQ(FileAt(folder / "log" / log::TilePath(tile.id, tile.width)).size(), tile.width * 32u);
      if (tile.id.level != 0) continue;
      const auto bundle = log::ParseBundle(FileAt(folder / "log" / log::BundlePath(tile.id.index, tile.width)));
      ASSERT_TRUE(bundle && bundle->size() == tile.width);
      for (unsigned i = 0; i < tile.width; ++i)
        EXPECT_TRUE(Equal((*bundle)[i], log.commitments[tile.id.index * 256 + i]));
    }
    for (const auto& name : PublicFiles(folder / "log")) {
      const auto path = log::ParseTilePath(name);
      EXPECT_TRUE(name == "checkpoint" || (path && log::WidthOf(path->id, size) >= path->width)) << name;
      if (!path || path->width == 256) continue;
      EXPECT_LT(log::WidthOf(path->id, size), 256u) << name << " went when the full one came";
    }
  }
}

TEST(PublicExportTest, WritesOnlyWhatIsNew) {
  test::TempFolder folder;
  Log log;
  log.Grow(600);
  ASSERT_TRUE(ExportPublicOf(log, folder / "log"));
  std::map<std::string, fs::file_time_type> before;
  for (const auto& name : PublicFiles(folder / "log")) before[name] = fs::last_write_time(folder / "log" / name);
  log.Grow(610);
  ASSERT_TRUE(ExportPublicOf(log, folder / "log"));
  const auto after = PublicFiles(folder / "log");
  EXPECT_EQ(after.size(), before.size() + 2) << "a wider tile and bundle";
  for (const auto& [name, time] : before) {
    EXPECT_TRUE(after.contains(name)) << name;
    if (name != "checkpoint") {
      EXPECT_EQ(fs::last_write_time(folder / "log" / name), time) << name;
    }
  }
}

TEST(PublicExportTest, OfWhatTheStoreHasLostNothingIsShown) {
  test::TempFolder folder;
  Log log;
  log.Grow(300);
  ASSERT_TRUE(ExportPublicOf(log, folder / "log"));
  const auto note = FileAt(folder / "log/checkpoint");
  log.Grow(900);
  const auto good = log.journal.entries[700];
  log.journal.entries[700] = log.journal.entries[701];
  EXPECT_EQ(ExportPublicOf(log, folder / "log").error().reason, Reason::kCorrupt);
  EXPECT_EQ(FileAt(folder / "log/checkpoint"), note) << "half-way: what was there stays in force";
  EXPECT_TRUE(fs::exists(folder / "log/tile/0/001.p/44"));
  log.journal.entries[700] = good;
  EXPECT_TRUE(ExportPublicOf(log, folder / "log")) << "and it is continued";
  EXPECT_EQ(AsText(FileAt(folder / "log/checkpoint")), log.Sign().note());
}

TEST(PublicExportTest, RefusesAFolderOfAnotherLogOfMoreOrWithEvents) {
  test::TempFolder folder;
  Log log;
  log.Grow(300);
  ASSERT_TRUE(ExportPublicOf(log, folder / "log"));
  Log stranger;
  stranger.Grow(400);
  EXPECT_EQ(ExportPublicOf(stranger, folder / "log").error().reason, Reason::kBadCheckpoint);
  ASSERT_TRUE(log.Export(folder / "whole"));
  EXPECT_EQ(ExportPublicOf(log, folder / "whole").error().reason, Reason::kUsage);

  Log longer;
  longer.ForkOf(log);
  longer.Grow(400);
  EXPECT_EQ(ExportPublicOf(longer, folder / "log").error().reason, Reason::kFork);
  EXPECT_TRUE(fs::exists(folder / "log/FORK"));
  fs::remove(folder / "log/FORK");
  const auto before = log.Sign();
  log.Grow(500);
  ASSERT_TRUE(ExportPublicOf(log, folder / "log"));
  EXPECT_EQ(ExportPublic(folder / "log", log.journal, before, std::vector{log.world.verifier()}).error().reason,
            Reason::kRolledBack);
}

// A web server shows that folder to strangers.
TEST(PublicExportTest, WhatIsInTheLogIsNotExportedToIt) {
  test::TempFolder folder;
  Log log;
  log.Grow(300);
  ASSERT_TRUE(ExportPublicOf(log, folder / "log"));
  const auto before = FilesIn(folder / "log");
  log.Grow(310);
  EXPECT_EQ(log.Export(folder / "log").error().reason, Reason::kUsage);
  EXPECT_EQ(FilesIn(folder / "log"), before);
  EXPECT_TRUE(ExportPublicOf(log, folder / "log"));
  // Nor does an export that was cut short look like one: its events are written first.
  proto::ExportBuilder full;
  for (std::size_t i = 0; i < 256; ++i) ASSERT_TRUE(full.Add(log.all[i]));
  EXPECT_TRUE(full.TakeReady().at(0).path.starts_with("entries/"));
  Log small;
  small.Grow(3);
  proto::ExportBuilder builder;
  for (const auto& entry : small.all) ASSERT_TRUE(builder.Add(entry));
  EXPECT_TRUE(builder.Finish(small.Sign()).value().at(0).path.starts_with("entries/"));
}

TEST(EntriesFileTest, RefusesWhatIsCutShortOrOverfull) {
  Bytes two;
  for (int i = 0; i < 2; ++i) {
    AppendU32(two, 3);
    Append(two, AsBytes("abc"));
  }
  EXPECT_EQ(proto::ParseEntriesFile(two)->size(), 2u);
  for (std::size_t cut = 0; cut < two.size(); ++cut) {
    if (cut == 7) continue;
    EXPECT_FALSE(proto::ParseEntriesFile(ByteView(two).first(cut))) << cut;
  }
  Bytes many;
  for (int i = 0; i < 257; ++i) AppendU32(many, 0);
  EXPECT_FALSE(proto::ParseEntriesFile(many));
  EXPECT_TRUE(proto::ParseEntriesFile(ByteView(many).first(256 * 4)));
}

TEST(EntriesFileTest, IsNamedAsItsBundle) {
  EXPECT_EQ(proto::EntriesPath(0, 256), "entries/000.pb");
  EXPECT_EQ(proto::EntriesPath(1234, 7), "entries/x001/234.p/7.pb");
}

}  // namespace
}  // namespace valija::broker
