// What others say they were shown, held against the log: another tree stands out, whoever signed what else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/shown_roots.h"
#include "core/log/tree.h"
#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShownTest : public ::testing::Test {
 protected:
  void Open(const log::Checkpoint& seen) {
    const auto reply = crypto::KemPrivateKey::Generate(log.world.random);
    log.Log(log.world.Open("us.dea/ana", {{record, 0}}, seen, reply.public_key()));
  }
  audit::Report Verify(const std::vector<std::string>& notes = {}, bool allow_withheld = false) {
    TempFolder folder, others;
    log.Export(folder.path());
    auto options = OptionsFor(folder.path());
    options.allow_withheld = allow_withheld;
    for (const auto& note : notes) {
      options.shown.push_back(others / ("note-" + std::to_string(options.shown.size())));
      std::ofstream(options.shown.back()) << note;
    }
    return audit::Verify(options).value();
  }
  audit::Options OptionsFor(const std::filesystem::path& folder) {
    audit::Options options;
    options.folder = folder;
    options.charter = log.charter;
    options.now = log.world.now;
    return options;
  }
  log::SignedCheckpoint Other(std::uint64_t size) {
    return log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, size, log::LeafHash(AsBytes("other"))},
                                       log.world.log_key);
  }

  ActingLog log;
  const Digest record = log.Share("mx.fgr/admin");
};

TEST_F(ShownTest, WhoOpensAndHadVerifiedThisLogIsCounted) {
  Open(log.CheckpointAt(2).checkpoint());
  Open(log.CheckpointAt(log.entries.size()).checkpoint());
  const auto report = Verify();
  EXPECT_THAT(LyingLog::Codes(report), IsEmpty());
  EXPECT_EQ(report.seen, 2u);
}

TEST_F(ShownTest, WhoOpensAndHadVerifiedAnotherTreeIsAFork) {
  const auto at = std::to_string(log.entries.size());
  Open(Other(3).checkpoint());
  const auto report = Verify();
  EXPECT_THAT(LyingLog::Codes(report), ElementsAre(at + ":fork"));
  EXPECT_THAT(report.findings.front().what, HasSubstr("us.dea/ana"));
  EXPECT_EQ(report.seen, 0u);
}

TEST_F(ShownTest, WhoOpensAndHadVerifiedALargerLogIsToldAlsoWhereNothingIsDerivedAgain) {
  const auto at = log.entries.size();
  Open(Other(at + 5).checkpoint());
  EXPECT_THAT(LyingLog::Codes(Verify()), ElementsAre(std::to_string(at) + ":wrong-decision"));
  // What is not for this auditor makes an end of that; what members signed is seen all the same.
  auto& hidden = log.entries.at(at - 1);
  hidden.salt.reset();
  hidden.head.reset();
  hidden.envelope.reset();
  hidden.decision_bytes.clear();
  hidden.attachments = {};
  const auto report = Verify({}, true);
  ASSERT_THAT(LyingLog::Codes(report), ElementsAre(std::to_string(at) + ":rolled-back"));
  EXPECT_THAT(report.findings.front().what, HasSubstr("us.dea/ana"));
}

TEST_F(ShownTest, ANewerNoteByAKeyThatIsNotInThisExportIsAheadAndNoAccusation) {
  const auto next = crypto::Ed25519SignKey::Generate(log.world.random);
  const auto size = log.entries.size() + 1;
  const auto note = log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, size, log::LeafHash(AsBytes("x"))}, next).note();
  const auto report = Verify({note});
  EXPECT_THAT(LyingLog::Codes(report), IsEmpty());
  EXPECT_EQ(report.ahead, 1u);
  const auto foreign = log::SignedCheckpoint::Sign({"another.example", size, log::LeafHash(AsBytes("x"))}, next).note();
  EXPECT_THAT(LyingLog::Codes(Verify({foreign})), ElementsAre("log:bad-checkpoint"));
}

TEST_F(ShownTest, AFileThatIsNotThereIsNoFinding) {
  TempFolder folder;
  log.Export(folder.path());
  auto options = OptionsFor(folder.path());
  options.shown = {folder / "nothing"};
  const auto report = audit::Verify(options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().reason, Reason::kFile);
}

TEST_F(ShownTest, NotesOfThisLogAreCountedAndLargerOnesSaidToBeAhead) {
  const auto now = log.CheckpointAt(log.entries.size()).note();
  const auto report = Verify({log.CheckpointAt(2).note(), now, Other(1000).note()});
  EXPECT_THAT(LyingLog::Codes(report), IsEmpty());
  EXPECT_EQ(report.seen, 2u);
  EXPECT_EQ(report.ahead, 1u);
}

TEST_F(ShownTest, ANoteThatTheLogSignedOfAnotherTreeIsAForkAtEverySize) {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{log.entries.size()}})
    EXPECT_THAT(LyingLog::Codes(Verify({Other(size).note()})), ElementsAre("log:fork")) << size;
  const auto what = Verify({Other(3).note()}).findings.front().what;
  for (const char* both : {"note-0", "the log signed it", "keep both"}) EXPECT_THAT(what, HasSubstr(both));
}

TEST_F(ShownTest, ANoteThatTheLogDidNotSignSaysNothing) {
  const auto stranger = crypto::Ed25519SignKey::Generate(log.world.random);
  const auto forged =
      log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, 2, log.CheckpointAt(2).root()}, stranger).note();
  const auto report = Verify({forged, "no note", ""});
  EXPECT_THAT(LyingLog::Codes(report), ElementsAre("log:bad-checkpoint", "log:bad-checkpoint", "log:bad-checkpoint"));
  EXPECT_EQ(report.seen, 0u);
}

TEST(ShownRoots, GivesEveryRootAlsoThoseOfLongAgo) {
  log::Tree tree;
  std::map<log::TileId, Bytes> tiles;
  audit::ShownRoots roots;
  std::map<std::uint64_t, Hash> wanted;
  for (std::uint64_t size = 1; size <= 5000; ++size) {
    tree.Append(log::LeafHash(AsBytes(std::to_string(size))));
    for (auto& [id, tile] : tree.TakeChangedTiles()) tiles[id] = std::move(tile);
    roots.Note(size, tree.Root());
    if (size % 97 == 1 || size == 904 || size == 905 || size == 5000) wanted[size] = tree.Root();
  }
  const auto read = [&](log::TileId id, unsigned) -> std::optional<Bytes> {
    const auto at = tiles.find(id);
    return at == tiles.end() ? std::nullopt : std::optional(at->second);
  };
  const auto nothing = [](log::TileId, unsigned) -> std::optional<Bytes> { return std::nullopt; };
  for (const auto& [size, root] : wanted) {
    // The last 4096 are remembered.
    EXPECT_EQ(roots.At(size, nothing).has_value(), size > 5000 - 4096) << size;
    const auto root_then = roots.At(size, read);
    ASSERT_TRUE(root_then) << size;
    EXPECT_EQ(*root_then, root) << size;
  }
  EXPECT_FALSE(roots.At(0, read));
  EXPECT_FALSE(roots.At(5001, read));
}

}  // namespace
}  // namespace valija::test
