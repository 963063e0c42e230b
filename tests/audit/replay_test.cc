// A span derived again, and an export followed as it grows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReplayTest : public ::testing::Test {
 protected:
  audit::Report Replay(std::uint64_t from, std::uint64_t until, bool all = false) {
    TempFolder folder;
    log.Export(folder.path());
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    options.span = audit::Options::Span{from, until, all};
    return audit::Verify(options).value();
  }
  std::string At(std::uint64_t index, const char* code) const { return std::to_string(index) + ":" + code; }

  ActingLog log;
  Digest record = log.Share("mx.fgr/admin");
};

TEST_F(ReplayTest, ASpanIsDerivedAndTheRestTakenAsLogged) {
  log.Open("us.dea/ana", record);
  const auto opening = log.Last();
  log.Open("us.dea/ana", record, {0}, "analysis");
  const auto report = Replay(opening, opening + 1);
  EXPECT_THAT(LyingLog::Codes(report), IsEmpty());
  EXPECT_EQ(report.decisions, 1u);
  EXPECT_EQ(report.signatures, 1u);
  EXPECT_EQ(report.entries, opening + 2) << "the tree is checked whole";
  EXPECT_EQ(Replay(opening, opening + 1, true).signatures, opening + 1) << "what comes after is of no consequence";
}

TEST_F(ReplayTest, TheFirstDifferenceNamesTheRuleAndBothResults) {
  auto reply = crypto::KemPrivateKey::Generate(log.world.random);
  auto open =
      log.world.Open("us.dea/admin", {{record, 0}}, log.CheckpointAt(1).checkpoint(), reply.public_key(), "analysis");
  log.Log(open, [](ledger::Decision& decision) { decision.verdicts[0].reasons = {Reason::kExpired}; });
  const auto lie = log.Last();
  auto report = Replay(lie, lie + 1);
  EXPECT_THAT(LyingLog::Codes(report), ElementsAre(At(lie, "wrong-decision")));
  ASSERT_TRUE(report.difference);
  EXPECT_EQ(report.difference->rule, "open, portion 0 of " + record.Hex());
  EXPECT_EQ(report.difference->rules_say, "wrong-purpose");
  EXPECT_EQ(report.difference->log_says, "expired");
  log.Share("mx.fgr/admin");
  EXPECT_THAT(LyingLog::Codes(Replay(lie + 1, UINT64_MAX)), IsEmpty()) << "outside the span the log is believed";
}

TEST_F(ReplayTest, ADifferenceThatNoReasonShowsIsNamedToo) {
  auto reply = crypto::KemPrivateKey::Generate(log.world.random);
  auto open = [&] {
    return log.world.Open("us.dea/admin", {{record, 0}}, log.CheckpointAt(1).checkpoint(), reply.public_key());
  };
  log.Log(open(), [](ledger::Decision& decision) { decision.verdicts[0].obligation = "TLP:CLEAR"; });
  auto report = Replay(0, UINT64_MAX);
  ASSERT_TRUE(report.difference);
  EXPECT_NE(report.difference->rules_say.find("TLP:AMBER"), std::string::npos);
  EXPECT_NE(report.difference->log_says.find("TLP:CLEAR"), std::string::npos);
}

TEST_F(ReplayTest, AForgedSignatureIsFoundInsideTheSpanAndOutsideIfAskedFor) {
  log.Open("us.dea/ana", record);
  log.entries.back().envelope->batch->signature.bytes[5] ^= 1;
  const auto forged = log.Last();
  EXPECT_THAT(LyingLog::Codes(Replay(0, forged)), IsEmpty());
  EXPECT_THAT(LyingLog::Codes(Replay(forged, forged + 1)), ElementsAre(At(forged, "bad-signature")));
  log.Share("mx.fgr/admin");
  EXPECT_THAT(LyingLog::Codes(Replay(forged + 1, UINT64_MAX)), IsEmpty());
  EXPECT_THAT(LyingLog::Codes(Replay(forged + 1, UINT64_MAX, true)), ElementsAre(At(forged, "bad-signature")));
}

TEST_F(ReplayTest, WhatNoDecisionMakesPossibleIsAFindingOutsideTheSpanToo) {
  auto stray = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
  log.Log(log.world.Revoke("mx.fgr/admin", stray.statement->digest));  // of a record that is not there
  const auto impossible = log.Last();
  EXPECT_THAT(LyingLog::Codes(Replay(0, 1)), IsEmpty()) << "nothing behind the span is applied";
  log.Share("mx.fgr/admin");
  EXPECT_THAT(LyingLog::Codes(Replay(log.Last(), UINT64_MAX)), ElementsAre(At(impossible, "wrong-decision")));
}

TEST_F(ReplayTest, ALogKeyThatIsNamedBehindTheSpanSignsTheCheckpointAllTheSame) {
  log.Open("us.dea/ana", record);
  const auto opening = log.Last();
  auto next = crypto::Ed25519SignKey::Generate(log.world.random);
  const auto key = log::NoteVerifier::Make(BrokerWorld::kOrigin, next.verify_key()).value().Text();
  auto& late = log.world.NewPerson("mx.fgr/late", true);
  log.Log(log.world.Enrol(late));
  log.Log(log.world.Amend([&](ledger::Charter& charter) { charter.log_key = key; }));
  const auto amendment = log.Last();
  std::swap(log.world.log_key, next);
  log.Open("us.dea/ana", record);
  EXPECT_THAT(LyingLog::Codes(Replay(opening, opening + 1)), IsEmpty());
  EXPECT_EQ(Replay(opening, opening + 1).decisions, 1u);
  // Whoever could forge that one would sign checkpoints.
  log.entries[amendment].envelope->signatures[0].signature.bytes[3] ^= 1;
  const auto codes = LyingLog::Codes(Replay(opening, opening + 1));
  ASSERT_FALSE(codes.empty());
  EXPECT_EQ(codes[0], At(amendment, "bad-signature"));
}

TEST_F(ReplayTest, ASpanWithoutEntriesIsRefusedAndNotCalledFreeOfDifferences) {
  const auto size = log.entries.size();
  for (const auto& [from, until] :
       {std::pair<std::uint64_t, std::uint64_t>{size, UINT64_MAX}, {size + 100, size + 200}, {3, 3}, {4, 3}, {0, 0}}) {
    TempFolder folder;
    log.Export(folder.path());
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    options.span = audit::Options::Span{from, until, false};
    const auto report = audit::Verify(options);
    ASSERT_FALSE(report) << from << " to " << until;
    EXPECT_EQ(report.error().reason, Reason::kUsage);
  }
  EXPECT_EQ(Replay(size - 1, UINT64_MAX).decisions, 1u);
}

// ---- following ----

TEST_F(ReplayTest, AnExportIsFollowedFromWhereTheLastPassEnded) {
  TempFolder folder;
  std::vector<std::uint64_t> observed;
  audit::Options options;
  options.folder = folder.path();
  options.charter = log.charter;
  options.observe = [&](const ledger::Entry& entry, const ledger::State&) { observed.push_back(entry.head.index); };
  audit::Verifier verifier(options);
  for (const int more : {0, 3, 0, 260, 1}) {
    for (int i = 0; i < more; ++i) log.Open("us.dea/ana", record);
    log.Export(folder.path());
    const auto report = verifier.Pass().value();
    EXPECT_THAT(LyingLog::Codes(report), IsEmpty());
    EXPECT_EQ(report.entries, log.entries.size());
    EXPECT_EQ(report.root, log.Verify(folder.path()).value().root);
    ASSERT_EQ(observed.size(), log.entries.size()) << "each entry once";
  }
  for (std::size_t i = 0; i < observed.size(); ++i) ASSERT_EQ(observed[i], i);
}

TEST_F(ReplayTest, AnExportThatTurnsIntoAnotherLogWhileItIsFollowedIsFound) {
  TempFolder folder;
  audit::Options options;
  options.folder = folder.path();
  options.charter = log.charter;
  audit::Verifier verifier(options);
  log.Open("us.dea/ana", record);
  log.Export(folder.path());
  ASSERT_TRUE(verifier.Pass().value().proved());
  log.entries.pop_back();
  log.Export(folder.path());
  EXPECT_THAT(LyingLog::Codes(verifier.Pass().value()), ElementsAre("log:rolled-back"));

  audit::Verifier other(options);
  log.Export(folder.path());
  ASSERT_TRUE(other.Pass().value().proved());
  log.entries.back().commitment.bytes[0] ^= 1;  // history, as it was told before, is another one
  log.Export(folder.path());
  EXPECT_FALSE(other.Pass().value().proved());
}

}  // namespace
}  // namespace valija::test
