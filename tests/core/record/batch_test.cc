#include "core/record/batch.h"

#include "core/crypto/dsse.h"
#include "core/log/tree.h"
#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

constexpr std::string_view kRecord = "application/vnd.valija.record.v1";

class Batch : public ::testing::Test {
 protected:
  Bytes Payload(std::size_t i) const { return ToBytes(AsBytes("statement " + std::to_string(i))); }
  std::vector<Hash> Leaves(std::size_t count) const {
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(StatementLeaf(kRecord, Payload(i)));
    return leaves;
  }
  FixedRandom random_{"batch"};
  crypto::SignKey signer_ = crypto::SignKey::Generate(random_);
  crypto::SignKey other_ = crypto::SignKey::Generate(random_);
};

TEST_F(Batch, OfEverySmallSizeVerifiesForEachStatementAndForNoOther) {
  for (std::size_t size = 1; size <= 40; ++size) {
    auto leaves = Leaves(size);
    auto batch = SignBatch(signer_, leaves);
    ASSERT_EQ(batch.payload.size(), kBatchPayloadSize);
    auto verified = VerifiedBatch::Verify(signer_.verify_key(), batch.payload, batch.signature);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->size(), size);
    EXPECT_EQ(verified->root(), log::RootOf(leaves));
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(batch.paths[i], log::PathOf(leaves, i));
      ASSERT_TRUE(verified->Contains(kRecord, Payload(i), signer_.id(), i, batch.paths[i]));
      ASSERT_TRUE(
          RefusedFor(verified->Contains(kRecord, Payload(i + 1), signer_.id(), i, batch.paths[i]), Reason::kBadBatch));
      ASSERT_TRUE(
          RefusedFor(verified->Contains(kRecord, Payload(i), signer_.id(), i + 1, batch.paths[i]), Reason::kBadBatch));
    }
  }
}

TEST_F(Batch, OfTheLargestSizeVerifies) {
  std::vector<Hash> leaves(kMaxBatch);
  leaves.back() = StatementLeaf(kRecord, Payload(1));
  auto batch = SignBatch(signer_, leaves);
  auto verified = VerifiedBatch::Verify(signer_.verify_key(), batch.payload, batch.signature);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->Contains(kRecord, Payload(1), signer_.id(), kMaxBatch - 1, batch.paths.back()));
  leaves.emplace_back();
  EXPECT_THROW(SignBatch(signer_, leaves), std::length_error);
  EXPECT_THROW(SignBatch(signer_, {}), std::length_error);
}

TEST_F(Batch, IsTheSameOnlyWithTheSameSignatureBytes) {
  auto batch = SignBatch(signer_, Leaves(2));
  auto again = SignBatch(signer_, Leaves(2));
  auto verified = VerifiedBatch::Verify(signer_.verify_key(), batch.payload, batch.signature);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->IsSame(batch.payload, batch.signature));
  again.signature.bytes[0] ^= 1;
  EXPECT_FALSE(verified->IsSame(again.payload, again.signature));
  EXPECT_FALSE(verified->IsSame(SignBatch(signer_, Leaves(3)).payload, batch.signature));
}

TEST_F(Batch, OfAnotherSignerIsRefused) {
  auto batch = SignBatch(signer_, Leaves(2));
  EXPECT_TRUE(
      RefusedFor(VerifiedBatch::Verify(other_.verify_key(), batch.payload, batch.signature), Reason::kBadBatch));
  // Signed by the other over a payload that still names the first.
  auto stolen = other_.Sign(crypto::Pae(kBatchPayloadType, batch.payload));
  EXPECT_TRUE(RefusedFor(VerifiedBatch::Verify(signer_.verify_key(), batch.payload, stolen), Reason::kBadBatch));
  EXPECT_TRUE(RefusedFor(VerifiedBatch::Verify(other_.verify_key(), batch.payload, stolen), Reason::kBadBatch));
}

TEST_F(Batch, RefusesAnySizeOrLengthThatTheFormatHasNot) {
  auto signed_as = [&](const Bytes& payload) {
    return VerifiedBatch::Verify(signer_.verify_key(), payload, signer_.Sign(crypto::Pae(kBatchPayloadType, payload)));
  };
  Hash root = Leaves(1)[0];
  EXPECT_TRUE(signed_as(BatchPayload(signer_.id(), 1, root)));
  EXPECT_TRUE(RefusedFor(signed_as(BatchPayload(signer_.id(), 0, root)), Reason::kBadBatch));
  EXPECT_TRUE(RefusedFor(signed_as(BatchPayload(signer_.id(), kMaxBatch + 1, root)), Reason::kBadBatch));
  EXPECT_TRUE(RefusedFor(signed_as(Bytes{}), Reason::kBadBatch));
  const Bytes good = BatchPayload(signer_.id(), 1, root);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(RefusedFor(signed_as(cut), Reason::kBadBatch));
  }
  for (std::size_t i = 0; i < 70; ++i) {  // every byte but the root's has one right value or makes another size
    Bytes other = good;
    other[i] ^= 0x40;
    if (i >= 58 && i < 66) continue;
    EXPECT_TRUE(RefusedFor(signed_as(other), Reason::kBadBatch)) << i;
  }
}

TEST_F(Batch, RefusesAStatementOfAKindThatIsSignedDirectly) {
  const std::string_view kind = "application/vnd.valija.epoch.v1";
  auto batch = SignBatch(signer_, {StatementLeaf(kind, Payload(0))});
  auto verified = VerifiedBatch::Verify(signer_.verify_key(), batch.payload, batch.signature);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(RefusedFor(verified->Contains(kind, Payload(0), signer_.id(), 0, {}), Reason::kBadBatch));
  EXPECT_FALSE(IsBatchedType(kBatchPayloadType));
  EXPECT_FALSE(IsBatchedType(""));
}

TEST_F(Batch, RefusesAStatementThatNamesAnotherSigner) {
  auto batch = SignBatch(signer_, Leaves(1));
  auto verified = VerifiedBatch::Verify(signer_.verify_key(), batch.payload, batch.signature);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(RefusedFor(verified->Contains(kRecord, Payload(0), other_.id(), 0, {}), Reason::kBadBatch));
}

}  // namespace
}  // namespace valija::record
