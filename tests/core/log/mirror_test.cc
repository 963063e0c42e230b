#include "core/log/mirror.h"

#include <gtest/gtest.h>

#include "tests/core/log/static_log.h"

namespace valija::log {
namespace {

using test::StaticLog;

// A copy in memory.
struct Copy {
  std::map<std::string, Bytes> files;
  std::vector<std::string> written;
  std::optional<Checkpoint> checkpoint;
  std::size_t room = ~std::size_t{0};  // files that can be written yet

  Result<Mirrored> From(StaticLog& log, bool all = false) { return To(log.Now(), log, all); }
  Result<Mirrored> To(const Checkpoint& now, StaticLog& log, bool all = false) {
    MirrorPorts ports;
    ports.fetch = [&log](const std::string& path, std::size_t limit) { return log.Fetch(path, limit); };
    ports.kept = [this](const std::string& path) {
      const auto at = files.find(path);
      return at == files.end() ? std::nullopt : std::optional(at->second);
    };
    ports.keep = [this](const std::string& path, ByteView content) -> Status {
      if (room-- == 0) return Refuse(Reason::kFile, "the disk is full");
      files[path] = ToBytes(content);
      written.push_back(path);
      return Ok();
    };
    auto done = Mirror(checkpoint, now, ports, all);
    if (!done) return done;
    if (checkpoint) {
      for (const auto& folder : SupersededPartials(checkpoint->size, now.size)) {
        std::erase_if(files, [&](const auto& file) { return file.first.starts_with(folder + "/"); });
      }
    }
    checkpoint = now;
    return done;
  }
};

void ExpectWhole(const Copy& copy, const StaticLog& log, const std::string& where) {
  for (const auto& path : StaticLog::Wanted(copy.checkpoint->size)) {
    ASSERT_TRUE(copy.files.contains(path)) << where << ": " << path;
    EXPECT_EQ(copy.files.at(path), log.files.at(path)) << where << ": " << path;
  }
}

TEST(MirrorTest, CopiesWhatTheCheckpointCallsForAndNothingElse) {
  for (const std::uint64_t size : {1, 2, 255, 256, 257, 511, 512, 513, 1000, 65536, 66000}) {
    StaticLog log;
    log.Grow(size);
    Copy copy;
    const auto done = copy.From(log);
    ASSERT_TRUE(done) << done.error().Message();
    EXPECT_EQ(done->entries, size);
    ExpectWhole(copy, log, std::to_string(size));
    EXPECT_EQ(copy.files.size(), StaticLog::Wanted(size).size());
    EXPECT_EQ(done->tiles + done->bundles, copy.files.size());
    EXPECT_EQ(done->fetched, copy.files.size()) << "each once";
  }
}

TEST(MirrorTest, IsContinuedWithWhatIsNewAlone) {
  StaticLog log;
  Copy copy;
  std::uint64_t last = 0;
  for (const std::uint64_t size : {1, 3, 3, 255, 256, 257, 300, 512, 1025, 1300, 66000, 66001}) {
    log.Grow(size);
    copy.written.clear();
    log.asked.clear();
    const auto done = copy.From(log);
    ASSERT_TRUE(done) << size << ": " << done.error().Message();
    EXPECT_EQ(done->entries, size - last);
    ExpectWhole(copy, log, std::to_string(size));
    std::set<std::string> fresh;
    const auto before = StaticLog::Wanted(last);
    for (const auto& path : StaticLog::Wanted(size))
      if (!before.contains(path)) fresh.insert(path);
    EXPECT_EQ(std::set<std::string>(copy.written.begin(), copy.written.end()), fresh) << size;
    EXPECT_EQ(copy.written.size(), fresh.size());
    last = size;
  }
}

TEST(MirrorTest, APartialFileStaysUntilTheFullOneIsThere) {
  StaticLog log;
  Copy copy;
  for (const std::uint64_t size : {3, 100, 200}) {
    log.Grow(size);
    ASSERT_TRUE(copy.From(log));
  }
  for (const char* path : {"tile/0/000.p/3", "tile/0/000.p/100", "tile/0/000.p/200", "tile/entries/000.p/3"}) {
    EXPECT_TRUE(copy.files.contains(path)) << path;
  }
  log.Grow(256);
  ASSERT_TRUE(copy.From(log));
  const std::set<std::string> full = {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"};
  std::set<std::string> there;
  for (const auto& [path, content] : copy.files) there.insert(path);
  EXPECT_EQ(there, full);
}

TEST(MirrorTest, TakesTheFullFileWhereTheLogHasDroppedThePartialOne) {
  StaticLog log;
  log.Grow(300);
  const auto under = log.Now();
  log.Grow(600);
  std::erase_if(log.files, [](const auto& file) { return file.first.find("001.p/") != std::string::npos; });
  Copy copy;
  const auto done = copy.To(under, log);
  ASSERT_TRUE(done) << done.error().Message();
  EXPECT_EQ(copy.files.at("tile/0/001.p/44").size(), 44 * 32u);
  EXPECT_EQ(ParseBundle(copy.files.at("tile/entries/001.p/44"))->size(), 44u);
  EXPECT_FALSE(copy.files.contains("tile/0/001"));
}

TEST(MirrorTest, NoFileThatWasChangedOrWithheldIsKept) {
  StaticLog honest;
  honest.Grow(900);
  for (const auto& path : StaticLog::Wanted(900)) {
    const auto good = honest.files.at(path);
    auto flipped = good, longer = good, shorter = good;
    flipped[good.size() / 2] ^= 1;
    longer.push_back(0);
    shorter.pop_back();
    for (const auto& bad : {std::optional(flipped), std::optional(longer), std::optional(shorter),
                            std::optional(Bytes()), std::optional<Bytes>()}) {
      if (bad)
        honest.files[path] = *bad;
      else
        honest.files.erase(path);
      Copy copy;
      const auto done = copy.From(honest);
      ASSERT_FALSE(done) << path;
      EXPECT_EQ(done.error().reason, Reason::kBadProof) << path << ": " << done.error().Message();
      EXPECT_FALSE(copy.checkpoint);
      honest.files[path] = good;
      for (const auto& [name, content] : copy.files) EXPECT_EQ(content, honest.files.at(name)) << path << ", " << name;
    }
  }
}

TEST(MirrorTest, TilesAndBundlesInAnotherOrderAreRefused) {
  StaticLog log;
  log.Grow(900);
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"tile/0/000", "tile/0/001"}, {"tile/entries/000", "tile/entries/002"}}) {
    std::swap(log.files[one], log.files[other]);
    Copy copy;
    EXPECT_EQ(copy.From(log).error().reason, Reason::kBadProof) << one;
    std::swap(log.files[one], log.files[other]);
  }
}

TEST(MirrorTest, WhatAnInterruptedRunKeptIsNotFetchedAgain) {
  StaticLog log;
  log.Grow(300);
  Copy copy;
  ASSERT_TRUE(copy.From(log));
  log.Grow(2000);
  for (std::size_t files = 0;; ++files) {
    copy.room = 1;  // each run manages one file more
    log.asked.clear();
    const auto done = copy.From(log);
    if (done) break;
    ASSERT_EQ(done.error().reason, Reason::kFile);
    EXPECT_EQ(copy.checkpoint->size, 300u) << "the former checkpoint stays in force";
    ASSERT_LT(files, 100u);
    for (const auto& path : log.asked) {
      const bool partial = path.find(".p/") != std::string::npos;
      EXPECT_TRUE(partial || !copy.files.contains(path) || copy.written.back() == path) << path;
    }
  }
  ExpectWhole(copy, log, "after all");
}

TEST(MirrorTest, DamageInTheCopyIsMadeGood) {
  StaticLog log;
  log.Grow(700);
  Copy copy;
  ASSERT_TRUE(copy.From(log));
  for (const auto& path : StaticLog::Wanted(700)) {
    copy.files[path][3] ^= 1;
    copy.written.clear();
    ASSERT_TRUE(copy.From(log));
    EXPECT_TRUE(copy.written.empty()) << "nothing is new, and nothing was looked at";
    const auto done = copy.From(log, true);
    ASSERT_TRUE(done) << path << done.error().Message();
    EXPECT_EQ(copy.written, std::vector{path});
    EXPECT_EQ(done->entries, 0u);
    ExpectWhole(copy, log, path);
  }
}

TEST(MirrorTest, AnotherHistoryIsAForkAndNothingOfItIsKept) {
  for (const std::uint64_t at : {0, 5, 255, 256, 299}) {
    StaticLog log;
    log.Grow(300);
    Copy copy;
    ASSERT_TRUE(copy.From(log));
    const auto files = copy.files;
    for (const std::uint64_t size : {300, 301, 512, 900, 300 - 1}) {
      StaticLog fork(at);
      fork.Grow(size);
      const auto done = copy.From(fork);
      if (size < at + 1) continue;
      ASSERT_FALSE(done) << at << " " << size;
      EXPECT_EQ(done.error().reason, Reason::kFork) << at << " " << size << " " << done.error().Message();
      EXPECT_EQ(copy.files, files);
      EXPECT_EQ(copy.checkpoint->size, 300u);
    }
  }
}

TEST(MirrorTest, AForkThatStartsAfterWhatWasSeenIsNoneForThisCopy) {
  StaticLog log, fork(300);
  log.Grow(300);
  fork.Grow(900);
  Copy copy;
  ASSERT_TRUE(copy.From(log));
  EXPECT_TRUE(copy.From(fork));
}

TEST(MirrorTest, AnOlderCheckpointOfTheSameTreeIsARollBackAndNoFork) {
  StaticLog log;
  log.Grow(300);
  const auto older = log.Now();
  log.Grow(700);
  Copy copy;
  ASSERT_TRUE(copy.From(log));
  EXPECT_EQ(copy.To(older, log).error().reason, Reason::kRolledBack);
  EXPECT_EQ(copy.To({"log.example", 0, EmptyRoot()}, log).error().reason, Reason::kRolledBack);
  copy.files["tile/0/001"][0] ^= 1;
  EXPECT_EQ(copy.To(older, log).error().reason, Reason::kCorrupt) << "damage here is nobody's fork";
}

TEST(MirrorTest, FilesThatDoNotHoldAreNoFork) {
  StaticLog log;
  log.Grow(300);
  Copy copy;
  ASSERT_TRUE(copy.From(log));
  log.Grow(600);
  copy.files.clear();
  log.files["tile/0/001"][9] ^= 1;
  EXPECT_EQ(copy.From(log).error().reason, Reason::kBadProof);
}

TEST(MirrorTest, AnEmptyLogHasNoFiles) {
  StaticLog log;
  Copy copy;
  EXPECT_TRUE(copy.From(log));
  EXPECT_TRUE(copy.files.empty());
  log.Grow(5);
  EXPECT_TRUE(copy.From(log));
}

// How many tiles there are is what the log says: a watchdog must not die of it.
TEST(Mirror, ALogThatClaimsToBeHugeIsRefusedAtTheFirstTileItHasNot) {
  const std::uint64_t huge = std::uint64_t{1} << 62;  // 64 hashes at the top
  Bytes top(64 * Hash::kSize, 7);
  const Checkpoint claimed{"log.example", huge, TileRoot(top)};
  std::vector<std::string> asked;
  MirrorPorts ports;
  ports.fetch = [&](const std::string& path, std::size_t) -> Result<Bytes> {
    asked.push_back(path);
    if (path == TilePath({7, 0}, 64)) return top;
    return Refuse(Reason::kNotFound, path);
  };
  ports.kept = [](const std::string&) { return std::optional<Bytes>(); };
  ports.keep = [](const std::string&, ByteView) -> Status { return Ok(); };
  const auto done = Mirror(std::nullopt, claimed, ports, false);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, Reason::kBadProof);
  EXPECT_EQ(asked, (std::vector<std::string>{TilePath({7, 0}, 64), TilePath({6, 0}, kTileWidth)}));
}

}  // namespace
}  // namespace valija::log
