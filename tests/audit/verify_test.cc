#include "audit/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/audit/lying_log.h"

namespace valija::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditTest : public ::testing::Test {
 protected:
  // Agency us.dea opens a record of mx.fgr; returns the record.
  Digest SendAndOpen(const LyingLog::Lie& lie = {}, const std::string& purpose = "investigation") {
    auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
    log.Log(sent.statement);
    log.Log(Open(sent.statement->digest, purpose), lie);
    return sent.statement->digest;
  }
  ledger::VerifiedStatement Open(const Digest& record, const std::string& purpose = "investigation") {
    auto reply = crypto::KemPrivateKey::Generate(log.world.random);
    return log.world.Open("us.dea/admin", {{record, 0}}, log.CheckpointAt(1).checkpoint(), reply.public_key(), purpose);
  }
  void Flip(const std::filesystem::path& path, std::size_t at) {
    auto bytes = io::ReadFile(path).value();
    bytes[at % bytes.size()] ^= 1;
    ASSERT_TRUE(io::WriteFileAtomic(path, bytes));
  }

  LyingLog log;
  TempFolder folder;
};

TEST_F(AuditTest, AnHonestLogIsProvedWhole) {
  SendAndOpen();
  SendAndOpen({}, "analysis");  // refused by the policy, and rightly so
  log.Export(folder.path());
  auto report = log.Verify(folder.path()).value();
  EXPECT_TRUE(report.proved()) << (report.proved() ? "" : report.findings[0].what);
  EXPECT_EQ(report.entries, 7u);
  EXPECT_EQ(report.signatures, 7u);
  EXPECT_EQ(report.decisions, 7u);
  EXPECT_EQ(report.withheld, 0u);
}

TEST_F(AuditTest, ManyEntriesAndFullTilesAreProved) {
  for (int i = 0; i < 300; ++i) log.Log(log.world.EnrolNew("us.dea/m" + std::to_string(i)));
  log.Export(folder.path());
  auto report = log.Verify(folder.path()).value();
  EXPECT_TRUE(report.proved()) << (report.proved() ? "" : report.findings[0].what);
  EXPECT_EQ(report.entries, 303u);
  EXPECT_GE(report.tiles, 3u);
}

TEST_F(AuditTest, AGrantThatTheRulesRefuseIsFound) {
  SendAndOpen([](ledger::Decision& decision) { decision.verdicts[0].reasons.clear(); }, "analysis");
  EXPECT_THAT(log.Findings(), ElementsAre("4:wrong-decision"));
}

TEST_F(AuditTest, ARefusalThatTheRulesGrantIsFound) {
  SendAndOpen([](ledger::Decision& decision) { decision.verdicts[0].reasons = {Reason::kNotReleasable}; });
  EXPECT_THAT(log.Findings(), ElementsAre("4:wrong-decision"));
}

TEST_F(AuditTest, AnotherReasonThanTheRulesGiveIsFound) {
  SendAndOpen([](ledger::Decision& decision) { decision.verdicts[0].reasons = {Reason::kExpired}; }, "analysis");
  EXPECT_THAT(log.Findings(), ElementsAre("4:wrong-decision"));
}

TEST_F(AuditTest, ARequestAnsweredTwiceIsFound) {
  auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
  log.Log(sent.statement);
  auto open = Open(sent.statement->digest);
  log.Log(open);
  log.Log(open);
  EXPECT_THAT(log.Findings(), ElementsAre("5:wrong-decision"));
}

TEST_F(AuditTest, AForgedSignatureIsFound) {
  SendAndOpen();
  log.entries[4].envelope->batch->signature.bytes[9] ^= 1;
  EXPECT_THAT(log.Findings(), ElementsAre("4:bad-signature"));
}

TEST_F(AuditTest, AnAuthorThatNobodyEnrolledIsFound) {
  log.world.NewPerson("us.dea/ghost");
  auto sent = log.world.Record("us.dea/ghost", {log.world.PolicyFor("mx.fgr")});
  log.Log(sent.statement);
  EXPECT_THAT(log.Findings(), ElementsAre("3:unknown-author"));
}

TEST_F(AuditTest, AnEntryWhoseTextWasReplacedIsFound) {
  SendAndOpen();
  log.entries[1].envelope = log.entries[2].envelope;
  EXPECT_THAT(log.Findings(), ElementsAre("1:bad-commitment"));
}

TEST_F(AuditTest, APolicyThatWasReplacedIsFound) {
  SendAndOpen();
  log.entries[3].attachments.policies[0].back() ^= 1;
  EXPECT_THAT(log.Findings(), ::testing::Contains(::testing::StartsWith("3:")));
}

TEST_F(AuditTest, ADroppedEntryIsFound) {
  SendAndOpen();
  log.entries.erase(log.entries.begin() + 3);
  EXPECT_THAT(log.Findings(), ::testing::Contains("3:bad-index"));
}

TEST_F(AuditTest, ExchangedEntriesAreFound) {
  SendAndOpen();
  std::swap(log.entries[1], log.entries[2]);
  EXPECT_THAT(log.Findings(), ::testing::Contains("1:bad-index"));
}

TEST_F(AuditTest, WithheldContentIsAFindingUnlessItWasToBeExpected) {
  SendAndOpen();
  auto& entry = log.entries[3];
  entry = proto::LoggedEntry{entry.commitment, {}, {}, {}, {}, {}};
  EXPECT_THAT(log.Findings(), ElementsAre("3:withheld"));
  log.Export(folder.path());
  audit::Options options;
  options.folder = folder.path();
  options.charter = log.charter;
  options.allow_withheld = true;
  auto report = audit::Verify(options).value();
  EXPECT_TRUE(report.proved());
  EXPECT_EQ(report.withheld, 1u);
  EXPECT_EQ(report.decisions, 3u);  // what comes after cannot be derived, and is not said to be
}

TEST_F(AuditTest, ACharterThatIsNotToBeReadIsFound) {
  log.Export(folder.path());
  Flip(folder / proto::EntriesPath(0, 3), 0);
  EXPECT_THAT(LyingLog::Codes(log.Verify(folder.path()).value()), ElementsAre("0:unreadable"));
  const auto charter = log.entries[0];
  log.entries[0] = proto::LoggedEntry{charter.commitment, {}, {}, {}, {}, {}};
  EXPECT_THAT(log.Findings(), ElementsAre("0:unreadable"));
  log.entries[0] = log.entries[1];
  EXPECT_THAT(log.Findings(), ElementsAre("0:unreadable"));
}

TEST_F(AuditTest, ACheckpointThatIsNoneIsFound) {
  log.Export(folder.path());
  ASSERT_TRUE(io::WriteFileAtomic(folder / "checkpoint", AsBytes("no note\n")));
  EXPECT_THAT(LyingLog::Codes(log.Verify(folder.path()).value()), ElementsAre("log:bad-checkpoint"));
}

TEST_F(AuditTest, AnExportWithoutItsFirstEntriesIsFound) {
  log.Export(folder.path());
  std::filesystem::remove(folder / proto::EntriesPath(0, 3));
  EXPECT_THAT(LyingLog::Codes(log.Verify(folder.path()).value()), ElementsAre("0:unreadable"));
}

TEST_F(AuditTest, AnotherCharterIsFound) {
  LyingLog other;
  other.Export(folder.path());
  EXPECT_THAT(LyingLog::Codes(log.Verify(folder.path()).value()), ElementsAre("0:foreign-charter"));
}

TEST_F(AuditTest, ACheckpointOfAnotherKeyIsFound) {
  LyingLog other;
  log.Export(folder.path());
  auto note = io::ReadText(folder / "checkpoint").value();
  auto body = log::Note::Parse(note).value().text;
  auto forged = log::SignNote(body, BrokerWorld::kOrigin, other.world.log_key);
  ASSERT_TRUE(io::WriteFileAtomic(folder / "checkpoint", AsBytes(forged)));
  EXPECT_THAT(LyingLog::Codes(log.Verify(folder.path()).value()), ElementsAre("log:bad-checkpoint"));
}

TEST_F(AuditTest, TheLogOnlyGrowsFromOneRunToTheNext) {
  log.Export(folder.path());
  TempFolder memory;
  auto first = log.Verify(folder.path(), memory / "state").value();
  ASSERT_TRUE(first.proved());
  SendAndOpen();
  TempFolder later;
  log.Export(later.path());
  auto second = log.Verify(later.path(), memory / "state").value();
  EXPECT_TRUE(second.proved());
  EXPECT_EQ(second.grew_from, 3u);
}

TEST_F(AuditTest, AForkAgainstTheLastRunIsFound) {
  SendAndOpen();
  log.Export(folder.path());
  TempFolder memory;
  ASSERT_TRUE(log.Verify(folder.path(), memory / "state").value().proved());
  // The same operator, another history: the last entry under another salt, and one more.
  auto& last = log.entries.back();
  last.salt = log.world.random.Make<Salt>();
  last.commitment = ledger::CommitEntry(*last.salt, *last.head);
  log.Log(log.world.EnrolNew("us.dea/late"));
  TempFolder later;
  log.Export(later.path());
  EXPECT_THAT(LyingLog::Codes(log.Verify(later.path(), memory / "state").value()), ElementsAre("log:fork"));
}

TEST_F(AuditTest, ARolledBackLogIsFound) {
  TempFolder before, memory;
  log.Export(before.path());
  SendAndOpen();
  log.Export(folder.path());
  ASSERT_TRUE(log.Verify(folder.path(), memory / "state").value().proved());
  EXPECT_THAT(LyingLog::Codes(log.Verify(before.path(), memory / "state").value()), ElementsAre("log:rolled-back"));
}

TEST_F(AuditTest, NoByteOfAnExportCanBeFlippedUnnoticed) {
  SendAndOpen();
  log.Export(folder.path());
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path()))
    if (file.is_regular_file()) files.push_back(file.path());
  ASSERT_GE(files.size(), 4u);
  for (const auto& file : files) {
    const auto size = std::filesystem::file_size(file);
    for (std::size_t at = 0; at < size; at += 1 + size / 97) {
      Flip(file, at);
      auto report = log.Verify(folder.path());
      EXPECT_TRUE(report && !report->proved()) << file << " byte " << at;
      Flip(file, at);
    }
  }
  EXPECT_TRUE(log.Verify(folder.path()).value().proved());
}

TEST_F(AuditTest, NoFileOfAnExportCanBeTakenAwayUnnoticed) {
  SendAndOpen();
  log.Export(folder.path());
  TempFolder memory;
  const auto aside = memory / "aside";
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path()))
    if (file.is_regular_file() && file.path().filename() != "checkpoint") files.push_back(file.path());
  ASSERT_GE(files.size(), 3u);
  for (const auto& file : files) {
    std::filesystem::rename(file, aside);
    auto report = log.Verify(folder.path());
    EXPECT_TRUE(report && !report->proved()) << file;
    std::filesystem::rename(aside, file);
  }
  EXPECT_TRUE(log.Verify(folder.path()).value().proved());
}

TEST_F(AuditTest, WithoutACharterOrAnExportItCouldNotRun) {
  log.Export(folder.path());
  audit::Options options;
  options.folder = folder.path();
  EXPECT_EQ(audit::Verify(options).error().reason, Reason::kUsage);
  TempFolder empty;
  EXPECT_EQ(log.Verify(empty.path()).error().reason, Reason::kFile);
}

}  // namespace
}  // namespace valija::test
