#include <gtest/gtest.h>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

using ledger::Kind;

TEST(Envelope, ComesBackWithItsSignaturesOrItsBatch) {
  Sample sample(51);
  auto direct = sample.Direct(Kind::kEpoch, sample.SomeBytes(40));
  auto back = proto::DecodeEnvelope(proto::EncodeEnvelope(direct)).value();
  EXPECT_EQ(back.payload_type, direct.payload_type);
  EXPECT_EQ(back.payload, direct.payload);
  ASSERT_EQ(back.signatures.size(), 2U);
  EXPECT_EQ(back.signatures[1].key_id, direct.signatures[1].key_id);
  EXPECT_EQ(back.signatures[1].signature, direct.signatures[1].signature);
  EXPECT_FALSE(back.batch);

  auto batched = sample.Batched(Kind::kOpen, sample.SomeBytes(40));
  back = proto::DecodeEnvelope(proto::EncodeEnvelope(batched)).value();
  EXPECT_TRUE(back.signatures.empty());
  ASSERT_TRUE(back.batch);
  EXPECT_EQ(back.batch->payload, batched.batch->payload);
  EXPECT_EQ(back.batch->signature, batched.batch->signature);
  EXPECT_EQ(back.batch->index, batched.batch->index);
  EXPECT_EQ(back.batch->path, batched.batch->path);
}

TEST(Envelope, IsSignedDirectlyOrInABatchNeverBothOrNeither) {
  Sample sample(52);
  auto envelope = sample.Direct(Kind::kEpoch, sample.SomeBytes(40));
  envelope.batch = sample.Batched(Kind::kEpoch, {}).batch;
  EXPECT_FALSE(proto::DecodeEnvelope(proto::EncodeEnvelope(envelope)));
  envelope.signatures.clear();
  EXPECT_TRUE(proto::DecodeEnvelope(proto::EncodeEnvelope(envelope)));
  envelope.batch.reset();
  EXPECT_FALSE(proto::DecodeEnvelope(proto::EncodeEnvelope(envelope)));
}

TEST(Envelope, OfAStandingOpeningHasNeitherSignaturesNorABatch) {
  Sample sample(58);
  auto envelope = sample.Direct(Kind::kStandingOpening, proto::EncodeStandingOpening(SomeStandingOpening(sample)));
  EXPECT_FALSE(proto::DecodeEnvelope(proto::EncodeEnvelope(envelope)));
  envelope.signatures.clear();
  EXPECT_TRUE(proto::DecodeEnvelope(proto::EncodeEnvelope(envelope)));
  envelope.batch = sample.Batched(Kind::kStandingOpening, {}).batch;
  EXPECT_FALSE(proto::DecodeEnvelope(proto::EncodeEnvelope(envelope)));
}

TEST(Envelope, RefusesWrongLengthsAndAnIndexOutsideTheLargestBatch) {
  Sample sample(53);
  auto good = sample.Batched(Kind::kOpen, sample.SomeBytes(40));
  auto refused = [](const ledger::Envelope& envelope) {
    auto result = proto::DecodeEnvelope(proto::EncodeEnvelope(envelope));
    return !result && result.error().reason == Reason::kMalformed;
  };
  EXPECT_FALSE(refused(good));
  auto bad = good;
  bad.batch->payload.push_back(0);
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.batch->index = 65536;
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.batch->path = sample.Hashes(17);
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.payload.clear();
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.payload_type = "a\nb";
  EXPECT_TRUE(refused(bad));
  v1::Envelope message;
  proto::ToMessage(sample.Direct(Kind::kEpoch, sample.SomeBytes(4)), &message);
  message.mutable_signatures(0)->mutable_signature()->push_back('x');
  EXPECT_FALSE(proto::FromMessage(message));
}

TEST(Statement, IsMadeOfEveryKindWithItsDigest) {
  Sample sample(54);
  const auto payloads = EveryPayload(sample);
  EXPECT_EQ(payloads.size(), std::variant_size_v<ledger::Payload>);
  for (const auto& [kind, payload] : payloads) {
    auto statement = proto::MakeStatement(sample.Direct(kind, payload));
    ASSERT_TRUE(statement) << statement.error().Message();
    EXPECT_EQ(statement->kind, kind);
    EXPECT_EQ(statement->digest, crypto::DigestOf(ledger::PayloadType(kind), payload));
    EXPECT_EQ(statement->envelope.payload, payload);
    EXPECT_EQ(statement->payload.index(), static_cast<std::size_t>(kind) - 1);
  }
}

TEST(Statement, OfAnUnknownOrAnotherKindIsRefused) {
  Sample sample(55);
  auto envelope = sample.Direct(Kind::kEpoch, proto::EncodeEpoch(sample.Epoch()));
  for (const auto* type : {"application/vnd.valija.gift.v1", "application/vnd.valija.epoch.v2", "application/json",
                           "application/vnd.valija.decision.v1", "application/vnd.valija.batch.v1", "EPOCH", ""}) {
    envelope.payload_type = type;
    auto statement = proto::MakeStatement(envelope);
    ASSERT_FALSE(statement) << type;
    EXPECT_EQ(statement.error().reason, Reason::kUnknownType) << type;
  }
  envelope.payload_type = ledger::PayloadType(Kind::kOpen);
  google::protobuf::LogSilencer silence;
  EXPECT_FALSE(proto::MakeStatement(envelope));
}

TEST(Statement, OfARecordHasThePoliciesDecoded) {
  Sample sample(56);
  auto sealed = sample.Sealed();
  auto envelope = sample.Batched(Kind::kRecord, proto::EncodeRecord(proto::EncodeHeader(sealed.header), sealed.seals));
  auto whole = proto::MakeStatement(envelope, sealed.attachments).value();
  const auto& policies = std::get<ledger::Record>(whole.payload).policies;
  ASSERT_EQ(policies.size(), 2U);
  EXPECT_EQ(policies[1], proto::DecodePolicy(sealed.attachments.policies[1]).value());
  EXPECT_EQ(whole.attachments.slips.size(), 4U);

  auto withheld = sealed.attachments;
  withheld.policies.clear();
  EXPECT_TRUE(std::get<ledger::Record>(proto::MakeStatement(envelope, withheld).value().payload).policies.empty());

  auto partly = sealed.attachments;
  partly.policies.pop_back();
  EXPECT_FALSE(proto::MakeStatement(envelope, partly));
  auto broken = sealed.attachments;
  broken.policies[1].back() ^= 0x80;
  EXPECT_FALSE(proto::MakeStatement(envelope, broken));
}

TEST(Statement, OfAGrantHasThePoliciesDecoded) {
  Sample sample(59);
  const auto sealed = SomeGrant(sample);
  const auto envelope = sample.Direct(Kind::kGrant, proto::EncodeGrant(sealed.grant));
  const auto whole = proto::MakeStatement(envelope, sealed.attachments).value();
  const auto& policies = std::get<ledger::Grant>(whole.payload).policies;
  ASSERT_EQ(policies.size(), 2U);
  EXPECT_EQ(policies[1], proto::DecodePolicy(sealed.attachments.policies[1]).value());
  EXPECT_EQ(whole.attachments.slips.size(), 4U);
  EXPECT_TRUE(std::get<ledger::Grant>(proto::MakeStatement(envelope, {}).value().payload).policies.empty());
  auto partly = sealed.attachments;
  partly.policies.pop_back();
  EXPECT_FALSE(proto::MakeStatement(envelope, partly));
}

TEST(Statement, OfAnAmendmentHasItsOnePolicyDecodedOrNone) {
  Sample sample(60);
  const auto made = SomeAmendment(sample);
  const auto envelope = sample.Direct(Kind::kAmendment, proto::EncodeAmendment(made.amendment));
  const auto whole = proto::MakeStatement(envelope, made.attachments).value();
  const auto& policy = std::get<ledger::Amendment>(whole.payload).policy;
  ASSERT_TRUE(policy);
  EXPECT_EQ(*policy, proto::DecodePolicy(made.attachments.policies[0]).value());
  EXPECT_FALSE(std::get<ledger::Amendment>(proto::MakeStatement(envelope, {}).value().payload).policy);

  auto bad = made.attachments;
  bad.policies.push_back(bad.policies[0]);
  EXPECT_FALSE(proto::MakeStatement(envelope, bad)) << "two policies";
  bad = made.attachments;
  bad.policies[0].back() ^= 0x80;
  EXPECT_FALSE(proto::MakeStatement(envelope, bad)) << "no policy";
  bad.policies[0] = proto::EncodePolicy(sample.Some<Salt>(), sample.Policy());
  const auto another = proto::MakeStatement(envelope, bad);
  ASSERT_FALSE(another) << "a policy that it does not name";
  EXPECT_EQ(another.error().reason, Reason::kBadPolicy);
  bad = made.attachments;
  bad.authority_encs = {sample.SomePoint()};
  EXPECT_FALSE(proto::MakeStatement(envelope, bad)) << "an enc";
  bad = made.attachments;
  bad.slips = sample.Sealed().attachments.slips;
  EXPECT_FALSE(proto::MakeStatement(envelope, bad)) << "slips";
}

TEST(Statement, OfAnotherKindCarriesNoAttachments) {
  Sample sample(57);
  const auto attachments = sample.Sealed().attachments;
  for (const auto& [kind, payload] : EveryPayload(sample)) {
    if (kind == Kind::kRecord || kind == Kind::kGrant || kind == Kind::kAmendment) continue;
    const auto envelope = sample.Direct(kind, payload);
    EXPECT_FALSE(proto::MakeStatement(envelope, attachments));
    EXPECT_FALSE(proto::MakeStatement(envelope, {{}, {attachments.policies[0]}, {}}));
    EXPECT_FALSE(proto::MakeStatement(envelope, {{}, {}, attachments.authority_encs}));
  }
}

}  // namespace
}  // namespace valija::test
