// What became of records later, as the auditor derives it again: purges, orders, amendments, figures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/audit/lying_log.h"

namespace valija::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AuditLifeTest : public ::testing::Test {
 protected:
  SentRecord Send() {
    auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
    log.Log(sent.statement);
    return sent;
  }
  ledger::VerifiedStatement Open(const Digest& record, const std::string& purpose = "investigation") {
    return log.world.Open("us.dea/admin", {{record, 0}}, log.CheckpointAt(1).checkpoint(), reply.public_key(), purpose,
                          "DEA-31, Juana P.");
  }
  // What the broker leaves of an entry; `by`: the purge's index.
  void Erase(std::uint64_t index, std::uint64_t by) {
    auto& entry = log.entries.at(index);
    const auto kind = *ledger::KindFromPayloadType(entry.envelope->payload_type);
    entry.envelope = ledger::Envelope{
        entry.envelope->payload_type, proto::RedactPayload(kind, entry.envelope->payload).value(), {}, std::nullopt};
    entry.erased_by = by;
  }
  // What somebody opened for is kept until then.
  void Later() { log.world.now = log.world.now + ledger::kKept + std::chrono::hours(1); }
  std::uint64_t Last() const { return log.entries.size() - 1; }
  std::string At(std::uint64_t index, const char* code) const { return std::to_string(index) + ":" + code; }

  LyingLog log;
  crypto::KemPrivateKey reply = crypto::KemPrivateKey::Generate(log.world.random);
  TempFolder folder;
};

// ---- purges ----

TEST_F(AuditLifeTest, WhatAPurgeErasedIsProvedWithWhatStays) {
  auto sent = Send();
  const auto record = Last();
  auto open = Open(sent.statement->digest);
  log.Log(open);
  const auto opening = Last();
  log.Log(log.world.Revoke("mx.fgr/admin", sent.statement->digest));
  log.Log(log.world.Purge("mx.fgr/admin", {BrokerWorld::ErasureOf(*sent.statement)}));
  Erase(record, Last());
  Later();
  log.Log(log.world.Purge("us.dea/admin", {BrokerWorld::ErasureOf(*open)}));
  Erase(opening, Last());
  log.Export(folder.path());
  auto report = log.Verify(folder.path()).value();
  EXPECT_TRUE(report.proved()) << (report.proved() ? "" : report.findings[0].what);
  EXPECT_EQ(report.erased, 2u);
  EXPECT_EQ(report.signatures + 2, report.entries);
  EXPECT_EQ(report.decisions, report.entries) << "they are derived from what stays";
}

// What a purge leaves is written over what was there, file by file, and the checkpoint that has the purge comes last.
TEST_F(AuditLifeTest, AnExportThatIsBeingWrittenAnewIsNoFindingAndNoProof) {
  auto sent = Send();
  const auto record = Last();
  log.Log(log.world.Revoke("mx.fgr/admin", sent.statement->digest));
  // The record as the purge will leave it, which is the next entry and is not in the export yet.
  Erase(record, Last() + 1);
  log.Export(folder.path());
  const auto at_record = At(record, "bad-erasure");
  const auto say = [&](std::string_view text) {
    ASSERT_TRUE(io::WriteFileAtomic(folder / proto::kRewrittenFile, AsBytes(text)));
  };
  const auto codes = [&] { return LyingLog::Codes(log.Verify(folder.path()).value()); };
  EXPECT_THAT(codes(), ElementsAre(at_record)) << "nobody says that he writes";
  say(proto::kBeingWritten);
  EXPECT_EQ(log.Verify(folder.path()).error().reason, Reason::kUnavailable);
  say(proto::WrittenAnew(4));
  EXPECT_THAT(codes(), ElementsAre(at_record)) << "a true one is found";

  // It begins, or begins and ends, while it is read: no finding. The next pass begins again and tells everything.
  for (const std::string& meanwhile : {std::string(proto::kBeingWritten), proto::WrittenAnew(5)}) {
    say(proto::WrittenAnew(4));
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    std::uint64_t told = 0;
    options.observe = [&](const ledger::Entry&, const ledger::State&) {
      if (told++ == 0) say(meanwhile);
    };
    audit::Verifier verifier(options);
    EXPECT_EQ(verifier.Pass().error().reason, Reason::kUnavailable);
    EXPECT_EQ(told, log.entries.size());
    say(proto::WrittenAnew(6));
    EXPECT_THAT(LyingLog::Codes(verifier.Pass().value()), ElementsAre(at_record));
    EXPECT_EQ(told, 2 * log.entries.size());
  }
  log.Log(log.world.Purge("mx.fgr/admin", {BrokerWorld::ErasureOf(*sent.statement)}));
  log.Export(folder.path());
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(AuditLifeTest, AWrongDecisionIsFoundAlsoWhenItsTextIsErased) {
  auto sent = Send();
  auto open = Open(sent.statement->digest, "analysis");
  log.Log(open, [](ledger::Decision& decision) { decision.verdicts[0].reasons.clear(); });
  const auto opening = Last();
  Later();
  log.Log(log.world.Purge("us.dea/admin", {BrokerWorld::ErasureOf(*open)}));
  Erase(opening, Last());
  EXPECT_THAT(log.Findings(), ElementsAre(At(opening, "wrong-decision")));
}

TEST_F(AuditLifeTest, AnErasureThatNoPurgeNamesIsFound) {
  auto sent = Send();
  const auto record = Last();
  auto open = Open(sent.statement->digest);
  log.Log(open);
  Later();
  log.Log(log.world.Purge("us.dea/admin", {BrokerWorld::ErasureOf(*open)}));
  Erase(record, Last());  // the purge is of something else
  EXPECT_THAT(log.Findings(), ElementsAre(At(record, "bad-erasure")));
}

TEST_F(AuditLifeTest, AnErasureThatLeavesAnotherTextIsFound) {
  auto sent = Send();
  auto open = Open(sent.statement->digest);
  log.Log(open);
  const auto opening = Last();
  auto erasure = BrokerWorld::ErasureOf(*open);
  erasure.redacted.bytes[0] ^= 1;
  Later();
  log.Log(log.world.Purge("us.dea/admin", {erasure}));
  Erase(opening, Last());
  EXPECT_THAT(log.Findings(), ElementsAre(At(opening, "bad-erasure")));
}

TEST_F(AuditLifeTest, ATextThatIsThereAlthoughItWasPurgedIsTheOperatorsFaultAndNoLie) {
  auto sent = Send();
  auto open = Open(sent.statement->digest);
  log.Log(open);
  Later();
  log.Log(log.world.Purge("us.dea/admin", {BrokerWorld::ErasureOf(*open)}));
  EXPECT_THAT(log.Findings(), IsEmpty());
}

// ---- standing orders ----

TEST_F(AuditLifeTest, AnOpeningForSomebodyWhoDidNotOrderItIsFound) {
  auto order = log.world.Order("us.dea/admin", reply.public_key());
  log.Log(order);
  log.Log(log.world.EnrolNew("us.dea/ana"));
  auto sent = Send();
  auto opening = [&](const char* member) {
    ledger::StandingOpening payload{order->digest, *MemberId::Parse(member), sent.statement->digest, {0}};
    ledger::Envelope envelope{
        ledger::PayloadType(ledger::Kind::kStandingOpening), proto::EncodeStandingOpening(payload), {}, std::nullopt};
    return ledger::VerifyStandingOpening(proto::MakeStatement(std::move(envelope)).value()).value();
  };
  const auto before = log.entries;
  log.Log(opening("us.dea/ana"));
  EXPECT_THAT(log.Findings(), ElementsAre(At(Last(), "wrong-decision")));
  log.entries = before;
  log.Log(opening("us.dea/admin"));
  EXPECT_THAT(log.Findings(), IsEmpty());
}

TEST_F(AuditLifeTest, AnOpeningUnderAnOrderThatWasEndedIsFound) {
  auto order = log.world.Order("us.dea/admin", reply.public_key());
  log.Log(order);
  log.Log(log.world.Revoke("us.dea/admin", order->digest));
  auto sent = Send();
  ledger::StandingOpening payload{order->digest, *MemberId::Parse("us.dea/admin"), sent.statement->digest, {0}};
  ledger::Envelope envelope{
      ledger::PayloadType(ledger::Kind::kStandingOpening), proto::EncodeStandingOpening(payload), {}, std::nullopt};
  log.Log(ledger::VerifyStandingOpening(proto::MakeStatement(std::move(envelope)).value()).value());
  EXPECT_THAT(log.Findings(), ElementsAre(At(Last(), "wrong-decision")));
}

// ---- the charter as it was amended ----

TEST_F(AuditLifeTest, TheLogKeyThatAnAmendmentNamesSignsFromThereOn) {
  auto next = crypto::Ed25519SignKey::Generate(log.world.random);
  const auto key = log::NoteVerifier::Make(BrokerWorld::kOrigin, next.verify_key()).value().Text();
  log.Log(log.world.Amend([&](ledger::Charter& charter) { charter.log_key = key; }));
  Send();
  EXPECT_THAT(log.Findings(), ElementsAre("log:bad-checkpoint")) << "the former key alone signs nothing any more";
  const auto state = folder / "last-run";
  std::swap(log.world.log_key, next);
  TempFolder first, second;
  log.Export(first.path());
  EXPECT_THAT(LyingLog::Codes(log.Verify(first.path(), state).value()), IsEmpty());
  Send();
  log.Export(second.path());
  EXPECT_THAT(LyingLog::Codes(log.Verify(second.path(), state).value()), IsEmpty());
}

TEST_F(AuditLifeTest, ARunUnderTheFormerKeyIsContinuedUnderTheNext) {
  const auto state = folder / "last-run";
  auto next = crypto::Ed25519SignKey::Generate(log.world.random);
  TempFolder first, second;
  log.Export(first.path());
  ASSERT_THAT(LyingLog::Codes(log.Verify(first.path(), state).value()), IsEmpty());
  const auto key = log::NoteVerifier::Make(BrokerWorld::kOrigin, next.verify_key()).value().Text();
  log.Log(log.world.Amend([&](ledger::Charter& charter) { charter.log_key = key; }));
  std::swap(log.world.log_key, next);
  log.Export(second.path());
  EXPECT_THAT(LyingLog::Codes(log.Verify(second.path(), state).value()), IsEmpty());
}

// ---- figures ----

TEST_F(AuditLifeTest, FiguresCountHoldersThatWereAskedToErase) {
  auto sent = Send();
  log.Log(Open(sent.statement->digest));
  auto& by = log.world.people.at("mx.fgr/admin");
  ledger::Revocation recall{
      {by.record.id, by.sign.id(), BrokerWorld::kOrigin, log.world.now, log.world.random.Make<Nonce>()},
      sent.statement->digest,
      "too many know",
      true};
  ledger::Envelope envelope{
      ledger::PayloadType(ledger::Kind::kRevocation), proto::EncodeRevocation(recall), {}, std::nullopt};
  envelope.signatures.push_back({by.sign.id(), by.sign.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
  log.Log(ledger::VerifyStatement(proto::MakeStatement(std::move(envelope)).value(), by.sign.verify_key()).value());
  log.Export(folder.path());
  auto report = log.Verify(folder.path()).value();
  EXPECT_TRUE(report.proved()) << (report.proved() ? "" : report.findings[0].what);
  EXPECT_EQ(report.figures.recalled_copies, 1u);
  EXPECT_EQ(report.figures.erased_copies, 0u);
  EXPECT_EQ(report.figures.asked, 0u);
}

}  // namespace
}  // namespace valija::test
