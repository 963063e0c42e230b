#include "core/io/log_folder.h"

#include <gtest/gtest.h>

#include "tests/core/io/temp_folder.h"
#include "tests/core/log/static_log.h"

namespace valija::io {
namespace {

using log::test::StaticLog;

using LogFolderTest = TempFolder;

struct Copy {
  explicit Copy(fs::path at) : folder(std::move(at)) {}
  Result<log::Mirrored> From(StaticLog& log, bool all = false) {
    TRY(auto copy, LogFolder::Open(folder, std::vector{StaticLog::Key()}));
    return copy.Continue(
        log.Note(), [&log](const std::string& path, std::size_t limit) { return log.Fetch(path, limit); }, all);
  }
  std::set<std::string> Files() const {
    std::set<std::string> out;
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      const auto name = fs::relative(file.path(), folder).string();
      if (file.is_regular_file() && name != ".lock") out.insert(name);
    }
    return out;
  }
  fs::path folder;
};

std::set<std::string> With(std::set<std::string> files, const std::string& more) {
  files.insert(more);
  return files;
}

TEST_F(LogFolderTest, HasTheFilesOfItsCheckpointAndIsContinued) {
  Copy copy(folder_ / "a" / "copy");
  StaticLog log;
  for (const std::uint64_t size : {7, 256, 600, 600}) {
    log.Grow(size);
    const auto done = copy.From(log);
    ASSERT_TRUE(done) << done.error().Message();
    EXPECT_EQ(ReadText(copy.folder / "checkpoint").value(), log.Note());
    auto wanted = With(StaticLog::Wanted(size), "checkpoint");
    if (size == 600) wanted.insert("tile/1/000.p/1");  // until tile/1/000 is full
    EXPECT_EQ(copy.Files(), wanted);
    for (const auto& path : StaticLog::Wanted(size))
      EXPECT_EQ(ReadFile(copy.folder / path).value(), log.files.at(path));
  }
}

// What a web server shows at any moment: the checkpoint there never calls for what is not there.
TEST_F(LogFolderTest, TheCheckpointComesLast) {
  Copy copy(folder_ / "copy");
  StaticLog log;
  log.Grow(300);
  ASSERT_TRUE(copy.From(log));
  const auto old_note = log.Note();
  log.Grow(900);
  log.before_fetch = [&](const std::string&) {
    EXPECT_EQ(ReadText(copy.folder / "checkpoint").value(), old_note);
    for (const auto& path : StaticLog::Wanted(300)) EXPECT_TRUE(fs::exists(copy.folder / path)) << path;
  };
  ASSERT_TRUE(copy.From(log));
  EXPECT_EQ(ReadText(copy.folder / "checkpoint").value(), log.Note());
}

// A log that shows the same tree again with fewer signatures takes none of them back.
TEST_F(LogFolderTest, ACosignatureThatWasShownOnceIsNeverLost) {
  StaticLog log;
  log.Grow(5);
  const auto line = [&](const char* who, std::uint64_t time) {
    return log::Cosign(log.Now().Body(), who, log::test::KeyNamed(who), time);
  };
  const auto shown = [&](const std::string& note) {
    auto copy = LogFolder::Open(folder_ / "copy", std::vector{StaticLog::Key()});
    EXPECT_TRUE(copy && copy->Continue(
                            note, [&log](const std::string& path, std::size_t limit) { return log.Fetch(path, limit); },
                            false));
    return ReadText(folder_ / "copy" / "checkpoint").value();
  };
  const auto bare = log.Note();
  EXPECT_EQ(shown(bare + line("mx.example", 7)), bare + line("mx.example", 7));
  EXPECT_EQ(shown(bare), bare + line("mx.example", 7));
  const auto both = bare + line("mx.example", 7) + line("us.example", 8);
  EXPECT_EQ(shown(bare + line("us.example", 8)), both);
  EXPECT_EQ(shown(bare + line("us.example", 8) + line("mx.example", 7)), both);
  // It signs the same tree again and again: what it said first and what it says now.
  for (const std::uint64_t time : {9, 10, 11})
    EXPECT_EQ(shown(bare + line("us.example", time)), both + line("us.example", time));
  // As many lines as a note may have, and no more.
  auto many = bare;
  for (int i = 0; i < 98; ++i) many += line(("w" + std::to_string(i) + ".example").c_str(), 1);
  const auto kept = shown(many);
  EXPECT_TRUE(kept.starts_with(both + line("us.example", 11)));
  EXPECT_EQ(log::Note::Parse(kept).value().signatures.size(), 100u);
  // Of another tree they are no signatures.
  log.Grow(6);
  EXPECT_EQ(shown(log.Note()), log.Note());
}

TEST_F(LogFolderTest, AFurtherCosignatureOfTheSameTreeIsTaken) {
  StaticLog log;
  log.Grow(5);
  ASSERT_TRUE(Copy(folder_ / "copy").From(log));
  auto copy = LogFolder::Open(folder_ / "copy", std::vector{StaticLog::Key()});
  ASSERT_TRUE(copy);
  const auto cosigned = log.Note() + log::Cosign(log.Now().Body(), "w.example", log::test::KeyNamed("w.example"), 7);
  ASSERT_TRUE(copy->Continue(
      cosigned, [](const std::string&, std::size_t) -> Result<Bytes> { return Bytes(); }, false));
  EXPECT_EQ(ReadText(folder_ / "copy" / "checkpoint").value(), cosigned);
}

TEST_F(LogFolderTest, AForkIsKeptAsEvidenceAndStopsTheCopyUntilAPersonActs) {
  Copy copy(folder_ / "copy");
  StaticLog log, fork(10);
  log.Grow(300);
  fork.Grow(400);
  ASSERT_TRUE(copy.From(log));
  const auto files = copy.Files();
  EXPECT_EQ(copy.From(fork).error().reason, Reason::kFork);
  EXPECT_EQ(copy.Files(), With(files, "FORK"));
  const auto evidence = ReadText(copy.folder / "FORK").value();
  EXPECT_NE(evidence.find(log.Note()), std::string::npos);
  EXPECT_NE(evidence.find(fork.Note()), std::string::npos);
  EXPECT_EQ(ReadText(copy.folder / "checkpoint").value(), log.Note());
  EXPECT_EQ(copy.From(log).error().reason, Reason::kFork) << "until somebody looked at it";
  fs::remove(copy.folder / "FORK");
  EXPECT_TRUE(copy.From(log));
}

TEST_F(LogFolderTest, AnotherLogsCopyOrCheckpointIsRefused) {
  StaticLog log;
  log.Grow(5);
  ASSERT_TRUE(Copy(folder_ / "copy").From(log));
  EXPECT_EQ(LogFolder::Open(folder_ / "copy", std::vector{log::test::LogNamed("other.example")}).error().reason,
            Reason::kBadCheckpoint);
  ASSERT_TRUE(WriteFileAtomic(folder_ / "copy" / "checkpoint", AsBytes("garbage")));
  EXPECT_EQ(Copy(folder_ / "copy").From(log).error().reason, Reason::kBadCheckpoint);

  auto fresh = LogFolder::Open(folder_ / "fresh", std::vector{log::test::LogNamed("other.example"), StaticLog::Key()});
  ASSERT_TRUE(fresh);
  const auto fetch = [&log](const std::string& path, std::size_t limit) { return log.Fetch(path, limit); };
  auto forged = log.Note();
  forged[forged.size() - 9] = forged[forged.size() - 9] == 'A' ? 'B' : 'A';
  EXPECT_EQ(fresh->Continue(forged, fetch, false).error().reason, Reason::kBadCheckpoint);
  EXPECT_FALSE(fs::exists(folder_ / "fresh" / "checkpoint"));
  EXPECT_TRUE(fresh->Continue(log.Note(), fetch, false)) << "by any of the keys";
  EXPECT_EQ(LogFolder::Open(folder_ / "fresh", std::vector{StaticLog::Key()}).error().reason, Reason::kLocked);
}

}  // namespace
}  // namespace valija::io
