// A large log is verified with its state on the disk: the same is found, and nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "audit/scratch_rows.h"
#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScratchTest : public ::testing::Test {
 protected:
  ScratchTest() {
    for (int round = 0; round < 3; ++round) {
      const auto record = log.Share("mx.fgr/admin", {}, 2);
      log.Open("us.dea/ana", record, {0, 1});
      log.Open("us.dea/ana", record, {0}, "analysis");
      log.Open("us.dea/luz", record);
      log.Acknowledge("us.dea/ana", record, "useful");
      const auto guarded = log.ShareGuarded("mx.fgr/admin");
      const auto emergency = log.Open("us.dea/ana", guarded, {0}, "investigation", "a life");
      log.Review("mx.fgr/audit", emergency);
      log.Recall("mx.fgr/admin", record);
      first = round == 0 ? record : first;
    }
  }
  Result<audit::Report> Verify(bool on_disk) {
    log.Export(folder.path());
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    options.now = log.world.now;
    if (on_disk) options.on_disk = {0, 1, 0};
    return audit::Verify(options);
  }
  std::vector<std::string> HiddenFiles() const {
    std::vector<std::string> out;
    for (const auto& one : std::filesystem::directory_iterator(folder.path()))
      if (const auto name = one.path().filename().string(); name.starts_with(".")) out.push_back(name);
    return out;
  }

  ActingLog log;
  Digest first;
  TempFolder folder;
};

TEST_F(ScratchTest, TheSameIsProvedAsInMemory) {
  log.Open("us.dea/ana", first);  // of a record that is out of memory for long: revoked
  const auto in_memory = Verify(false).value(), on_disk = Verify(true).value();
  EXPECT_THAT(LyingLog::Codes(in_memory), IsEmpty());
  EXPECT_THAT(LyingLog::Codes(on_disk), IsEmpty());
  EXPECT_EQ(on_disk.decisions, in_memory.decisions);
  EXPECT_EQ(on_disk.decisions, log.entries.size());
  EXPECT_EQ(on_disk.signatures, in_memory.signatures);
  EXPECT_EQ(on_disk.figures.emergencies, 3u);
  EXPECT_EQ(on_disk.figures.recalled_copies, in_memory.figures.recalled_copies);
  EXPECT_EQ(on_disk.root, in_memory.root);
}

TEST_F(ScratchTest, ALieAboutWhatIsOutOfMemoryIsFound) {
  const auto reply = crypto::KemPrivateKey::Generate(log.world.random);
  log.Log(log.world.Open("us.dea/ana", {{first, 0}}, log.CheckpointAt(1).checkpoint(), reply.public_key()),
          [](ledger::Decision& decision) { decision.verdicts[0].reasons.clear(); });
  const auto lie = std::to_string(log.Last()) + ":wrong-decision";
  EXPECT_THAT(LyingLog::Codes(Verify(true).value()), ElementsAre(lie));
  EXPECT_THAT(LyingLog::Codes(Verify(false).value()), ElementsAre(lie));
}

TEST_F(ScratchTest, NothingIsLeftBehind) {
  ASSERT_TRUE(Verify(true));
  EXPECT_THAT(HiddenFiles(), IsEmpty());
}

TEST_F(ScratchTest, ItIsItsOwnersAloneAndGoesWithTheRun) {
  std::filesystem::path place;
  {
    const auto rows = audit::ScratchRows::Make(folder.path()).value();
    place = rows->folder();
    EXPECT_EQ(place.parent_path(), folder.path());
    struct stat status {};
    ASSERT_EQ(::stat(place.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u);
    ASSERT_TRUE(rows->Write({{{'a', 1}, Bytes{7}}, {{'a', 2}, Bytes{8}}, {{'b', 1}, Bytes{9}}}));
    ASSERT_TRUE(rows->Write({{{'a', 1}, std::nullopt}}));
    EXPECT_FALSE(rows->Get(Bytes{'a', 1}));
    EXPECT_EQ(rows->Get(Bytes{'b', 1}), Bytes{9});
    std::vector<Bytes> seen;
    rows->Scan('a', [&](ByteView key, ByteView) { seen.push_back(ToBytes(key)); });
    EXPECT_THAT(seen, ElementsAre(Bytes{'a', 2}));
  }
  EXPECT_FALSE(std::filesystem::exists(place));
}

TEST_F(ScratchTest, WhereTheExportCannotBeWrittenItIsInTheTemporaryFolder) {
  const auto rows = audit::ScratchRows::Make(folder.path() / "not-there");
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)->folder().parent_path(), std::filesystem::temp_directory_path());
}

}  // namespace
}  // namespace valija::test
