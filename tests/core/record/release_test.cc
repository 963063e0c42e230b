#include "core/record/release.h"

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class ReleaseTest : public ::testing::Test {
 protected:
  Result<std::vector<crypto::Secret>> Open(std::size_t count) {
    return OpenRelease(binding_, reply_key_, sealed_.enc, sealed_.ciphertext, count);
  }
  FixedRandom random_{"release"};
  crypto::KemPrivateKey reply_key_ = crypto::KemPrivateKey::Generate(random_);
  ReleaseBinding binding_{random_.Make<Digest>(), random_.Make<Digest>(), Authority("broker-1"), Agency("us.dea"),
                          random_.Make<KeyId>()};
  std::vector<crypto::Secret> shares_ = [this] {
    std::vector<crypto::Secret> out;
    for (int i = 0; i < 3; ++i) out.push_back(random_.MakeSecret(32));
    return out;
  }();
  crypto::HpkeSealed sealed_ = SealRelease(binding_, reply_key_.public_key(), shares_, random_);
};

TEST_F(ReleaseTest, GivesTheSharesInOrder) {
  auto opened = Open(3);
  ASSERT_TRUE(opened) << opened.error().Message();
  ASSERT_EQ(opened->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE((*opened)[i].EqualTo(shares_[i]));
}

TEST_F(ReleaseTest, IsRefusedWithAnotherNumberOfShares) {
  for (std::size_t count : {std::size_t{0}, std::size_t{2}, std::size_t{4}, std::size_t{1} << 59, ~std::size_t{0}}) {
    EXPECT_TRUE(RefusedFor(Open(count), Reason::kWrongRelease)) << count;
  }
}

TEST_F(ReleaseTest, IsRefusedWithHalfAShareOrNone) {
  for (std::size_t size : {0U, 31U, 33U, 95U, 97U}) {
    sealed_ = crypto::HpkeSealOnce(reply_key_.public_key(), ReleaseInfo(binding_), Bytes(size), random_);
    for (std::size_t count : {size / 32, size / 32 + 1}) {
      EXPECT_TRUE(RefusedFor(Open(count), Reason::kWrongRelease)) << size << " " << count;
    }
  }
}

TEST_F(ReleaseTest, IsRefusedForEveryOtherBinding) {
  const ReleaseBinding good = binding_;
  binding_.request.bytes[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  binding_ = good;
  binding_.decision.bytes[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  binding_ = good;
  binding_.authority = Authority("broker-2");
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  binding_ = good;
  binding_.agency = Agency("us.fbi");
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  binding_ = good;
  binding_.member_signing_key_id.bytes[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  binding_ = good;
  EXPECT_TRUE(Open(3));
}

TEST_F(ReleaseTest, IsRefusedWhenDamagedOrForAnotherReplyKey) {
  EXPECT_TRUE(
      RefusedFor(OpenRelease(binding_, crypto::KemPrivateKey::Generate(random_), sealed_.enc, sealed_.ciphertext, 3),
                 Reason::kWrongRelease));
  sealed_.ciphertext.back() ^= 1;
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  sealed_.ciphertext.clear();
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kWrongRelease));
  sealed_.enc = Point{};
  EXPECT_TRUE(RefusedFor(Open(3), Reason::kBadKey));
}

TEST_F(ReleaseTest, ThrowsWithoutSharesOrWithOnesOfAnotherLength) {
  EXPECT_THROW(SealRelease(binding_, reply_key_.public_key(), {}, random_), std::invalid_argument);
  shares_[1] = crypto::Secret(31);
  EXPECT_THROW(SealRelease(binding_, reply_key_.public_key(), shares_, random_), std::invalid_argument);
}

}  // namespace
}  // namespace valija::record
