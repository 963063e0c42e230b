#include <gtest/gtest.h>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

// That the parts do not hold together is found, and the sentence names the part.
void ExpectBadProof(const proto::LoggedEntry& entry, const std::string& about) {
  auto status = proto::CheckLoggedEntry(entry);
  ASSERT_FALSE(status) << about;
  EXPECT_EQ(status.error().reason, Reason::kBadProof);
  EXPECT_NE(status.error().detail.find(about), std::string::npos) << status.error().detail;
}
// The entry as it would be if `head` were the truth: salt and commitment are made anew.
void Commit(proto::LoggedEntry& entry) { entry.commitment = ledger::CommitEntry(*entry.salt, *entry.head); }

TEST(LoggedEntry, ComesBackWholeAndInParts) {
  Sample sample(61);
  auto entry = sample.Entry();
  auto back = proto::DecodeLoggedEntry(proto::EncodeLoggedEntry(entry)).value();
  EXPECT_EQ(back.commitment, entry.commitment);
  EXPECT_EQ(back.salt, entry.salt);
  EXPECT_EQ(back.head, entry.head);
  EXPECT_EQ(back.envelope->payload, entry.envelope->payload);
  EXPECT_EQ(back.decision_bytes, entry.decision_bytes);
  EXPECT_EQ(back.attachments.policies, entry.attachments.policies);
  EXPECT_TRUE(proto::CheckLoggedEntry(back));

  proto::LoggedEntry bare;
  bare.commitment = entry.commitment;
  back = proto::DecodeLoggedEntry(proto::EncodeLoggedEntry(bare)).value();
  EXPECT_FALSE(back.salt || back.head || back.envelope);
  EXPECT_TRUE(proto::CheckLoggedEntry(back)) << "an entry of which the reader sees nothing";
}

TEST(LoggedEntry, HoldsWithWhateverIsWithheld) {
  Sample sample(62);
  const auto whole = sample.Entry();
  auto entry = whole;
  entry.attachments.policies.clear();
  EXPECT_TRUE(proto::CheckLoggedEntry(entry));
  entry.attachments.slips.resize(1, entry.attachments.slips[0]);
  EXPECT_TRUE(proto::CheckLoggedEntry(entry));
  entry.attachments = {};
  EXPECT_TRUE(proto::CheckLoggedEntry(entry));
  entry.decision_bytes.clear();
  EXPECT_TRUE(proto::CheckLoggedEntry(entry));
  entry.envelope.reset();
  EXPECT_TRUE(proto::CheckLoggedEntry(entry));
}

TEST(LoggedEntry, IsRefusedWhenTheCommitmentDoesNotOpenToTheHead) {
  Sample sample(63);
  const auto whole = sample.Entry();
  auto entry = whole;
  entry.salt->bytes[0] ^= 1;
  ExpectBadProof(entry, "commitment");
  entry = whole;
  ++entry.head->index;
  ExpectBadProof(entry, "commitment");
  entry = whole;
  entry.head->time += Duration(1);
  ExpectBadProof(entry, "commitment");
  entry = whole;
  entry.commitment.bytes[31] ^= 1;
  ExpectBadProof(entry, "commitment");
}

TEST(LoggedEntry, IsRefusedWhenPartsAreThereWithoutWhatProvesThem) {
  Sample sample(64);
  const auto whole = sample.Entry();
  auto entry = whole;
  entry.salt.reset();
  ExpectBadProof(entry, "head and salt");
  entry = whole;
  entry.head.reset();
  ExpectBadProof(entry, "head and salt");
  entry = {};
  entry.salt = whole.salt;
  ExpectBadProof(entry, "head and salt");
  entry = {};
  entry.decision_bytes = whole.decision_bytes;
  ExpectBadProof(entry, "head and salt");
  entry = whole;
  entry.envelope.reset();
  ExpectBadProof(entry, "without the statement");
}

TEST(LoggedEntry, IsRefusedWhenTheStatementIsAnother) {
  Sample sample(65);
  auto entry = sample.Entry();
  entry.envelope->payload = sample.RecordBytes();
  ExpectBadProof(entry, "the statement");
  entry = sample.Entry();
  entry.envelope->payload_type = ledger::PayloadType(ledger::Kind::kOpen);
  ExpectBadProof(entry, "the statement");
}

TEST(LoggedEntry, IsRefusedWhenTheDecisionIsAnother) {
  Sample sample(66);
  const auto whole = sample.Entry();
  auto entry = whole;
  entry.decision_bytes = proto::EncodeDecision(sample.Decision(whole.head->statement));
  ExpectBadProof(entry, "the decision is not");
  entry = whole;
  entry.decision_bytes.back() ^= 1;
  ExpectBadProof(entry, "the decision is not");
  // A decision that the head names, but about another statement; and one that is no decision.
  entry = whole;
  entry.decision_bytes = proto::EncodeDecision(sample.Decision(sample.Some<Digest>()));
  entry.head->decision = crypto::DigestOf(ledger::kDecisionType, entry.decision_bytes);
  Commit(entry);
  ExpectBadProof(entry, "another statement");
  entry.decision_bytes = {0x01};
  entry.head->decision = crypto::DigestOf(ledger::kDecisionType, entry.decision_bytes);
  Commit(entry);
  ExpectBadProof(entry, "the decision: ");
}

TEST(LoggedEntry, IsRefusedWhenSlipsPoliciesOrEncsAreNotTheHeaders) {
  Sample sample(67);
  const auto whole = sample.Entry();
  auto entry = whole;
  entry.attachments.slips[2].salt.bytes[5] ^= 1;
  ExpectBadProof(entry, "a slip");
  entry = whole;
  entry.attachments.slips[2].agency = *AgencyId::Parse("us.fbi");
  ExpectBadProof(entry, "a slip");
  entry = whole;
  entry.attachments.slips[3].index = 2;
  ExpectBadProof(entry, "a slip");
  entry = whole;
  entry.attachments.slips[3].portion = 2;
  ExpectBadProof(entry, "a slip");
  entry = whole;
  std::swap(entry.attachments.policies[0], entry.attachments.policies[1]);
  ExpectBadProof(entry, "a policy");
  entry = whole;
  entry.attachments.policies.pop_back();
  ExpectBadProof(entry, "one policy per portion");
  entry = whole;
  std::swap(entry.attachments.authority_encs[0], entry.attachments.authority_encs[1]);
  ExpectBadProof(entry, "enc");
  entry = whole;
  entry.attachments.authority_encs.pop_back();
  ExpectBadProof(entry, "enc");
}

TEST(LoggedEntry, IsRefusedWhenAttachmentsStandBesideAnotherKindOrABrokenRecord) {
  Sample sample(68);
  auto entry = sample.Entry();
  auto attachments = entry.attachments;
  auto refit = [&](ledger::Envelope envelope) {
    entry.envelope = std::move(envelope);
    entry.head->statement = crypto::DigestOf(entry.envelope->payload_type, entry.envelope->payload);
    entry.decision_bytes.clear();
    Commit(entry);
  };
  refit(sample.Direct(ledger::Kind::kEpoch, proto::EncodeEpoch(sample.Epoch())));
  ExpectBadProof(entry, "of a kind that has none");
  refit(sample.Batched(ledger::Kind::kRecord, {0x0a, 0x00}));
  ExpectBadProof(entry, "the record: ");
}

TEST(LoggedEntry, OfAGrantIsCheckedAgainstItsHeader) {
  Sample sample(80);
  const auto sealed = SomeGrant(sample);
  const auto whole =
      sample.EntryOf(sample.Direct(ledger::Kind::kGrant, proto::EncodeGrant(sealed.grant)), sealed.attachments);
  ASSERT_TRUE(proto::CheckLoggedEntry(whole));
  auto entry = whole;
  entry.attachments.slips[1].salt.bytes[0] ^= 1;
  ExpectBadProof(entry, "a slip");
  entry = whole;
  entry.attachments.slips[1].portion = 0;
  ExpectBadProof(entry, "a slip");
  entry = whole;
  std::swap(entry.attachments.policies[0], entry.attachments.policies[1]);
  ExpectBadProof(entry, "a policy");
  entry = whole;
  entry.attachments.authority_encs.pop_back();
  ExpectBadProof(entry, "enc");
}

TEST(LoggedEntry, OfAnAmendmentHasThePolicyThatItNamesOrNone) {
  Sample sample(81);
  const auto made = SomeAmendment(sample);
  const auto whole =
      sample.EntryOf(sample.Direct(ledger::Kind::kAmendment, proto::EncodeAmendment(made.amendment)), made.attachments);
  ASSERT_TRUE(proto::CheckLoggedEntry(whole));
  auto entry = whole;
  entry.attachments = {};
  EXPECT_TRUE(proto::CheckLoggedEntry(entry)) << "withheld";
  entry = whole;
  entry.attachments.policies[0] = proto::EncodePolicy(sample.Some<Salt>(), sample.Policy());
  ExpectBadProof(entry, "a policy");
  entry = whole;
  entry.attachments.policies.push_back(entry.attachments.policies[0]);
  ExpectBadProof(entry, "not one policy");
  entry = whole;
  entry.attachments.authority_encs = {sample.SomePoint()};
  ExpectBadProof(entry, "beside an amendment");
  entry = whole;
  entry.attachments.slips = sample.Sealed().attachments.slips;
  ExpectBadProof(entry, "beside an amendment");
}

TEST(LoggedEntry, OfEveryOtherKindHasNoAttachments) {
  Sample sample(82);
  const auto attachments = sample.Sealed().attachments;
  for (const auto& [kind, payload] : EveryPayload(sample)) {
    if (kind == ledger::Kind::kRecord || kind == ledger::Kind::kGrant || kind == ledger::Kind::kAmendment) continue;
    EXPECT_TRUE(proto::CheckLoggedEntry(sample.EntryOf(sample.Direct(kind, payload))));
    ExpectBadProof(sample.EntryOf(sample.Direct(kind, payload), {{}, {attachments.policies[0]}, {}}), "of a kind");
    ExpectBadProof(sample.EntryOf(sample.Direct(kind, payload), {attachments.slips, {}, {}}), "of a kind");
  }
}

TEST(Receipt, ComesBackWithItsView) {
  Sample sample(69);
  auto receipt = sample.Receipt();
  auto view = sample.View();
  auto back = proto::DecodeReceipt(proto::EncodeReceipt(receipt, view)).value();
  EXPECT_EQ(back.first, receipt);
  EXPECT_EQ(back.second, view);
  view.checkpoint.clear();
  EXPECT_FALSE(proto::DecodeReceipt(proto::EncodeReceipt(receipt, view)));
}

}  // namespace
}  // namespace valija::test
