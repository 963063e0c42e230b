#include "core/record/share.h"

#include "core/crypto/aead.h"
#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class Wrap : public ::testing::Test {
 protected:
  std::vector<crypto::Secret> Shares(std::initializer_list<std::uint8_t> firsts) const {
    std::vector<crypto::Secret> out;
    for (auto first : firsts) {
      out.emplace_back(kShareSize);
      out.back().mutable_view()[0] = first;
    }
    return out;
  }
  Hash ctx_{};
  AgencyId agency_ = Agency("us.dea");
  crypto::Secret agency_share_{kShareSize};
  crypto::Secret cek_ = crypto::Secret::CopyOf(Bytewise(kCekSize, 7));
  Bytes wrap_ = WrapCek(ctx_, 3, agency_, agency_share_, Shares({1, 2}), cek_);
};

TEST_F(Wrap, OpensWithTheSameShares) {
  EXPECT_EQ(wrap_.size(), kWrapSize);
  auto opened = UnwrapCek(ctx_, 3, agency_, agency_share_, Shares({1, 2}), wrap_);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->EqualTo(cek_));
}

TEST_F(Wrap, RefusesAMissingFurtherSwappedOrRepeatedShare) {
  for (auto shares : {std::initializer_list<std::uint8_t>{1}, {2}, {2, 1}, {1, 1}, {1, 2, 3}, {1, 2, 2}}) {
    EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 3, agency_, agency_share_, Shares(shares), wrap_), Reason::kBadSeal));
  }
}

TEST_F(Wrap, RefusesAnotherHeaderPortionAgencyOrAgencyShare) {
  Hash other_ctx;
  other_ctx.bytes[0] = 1;
  EXPECT_TRUE(RefusedFor(UnwrapCek(other_ctx, 3, agency_, agency_share_, Shares({1, 2}), wrap_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 4, agency_, agency_share_, Shares({1, 2}), wrap_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 3, Agency("us.fbi"), agency_share_, Shares({1, 2}), wrap_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 3, agency_, Shares({9})[0], Shares({1, 2}), wrap_), Reason::kBadSeal));
}

TEST_F(Wrap, RefusesAnyDamage) {
  for (std::size_t i = 0; i < wrap_.size(); ++i) {
    Bytes damaged = wrap_;
    damaged[i] ^= 1;
    EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 3, agency_, agency_share_, Shares({1, 2}), damaged), Reason::kBadSeal));
  }
  for (std::size_t size : {0U, 16U, 47U, 49U}) {
    Bytes other = wrap_;
    other.resize(size);
    EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 3, agency_, agency_share_, Shares({1, 2}), other), Reason::kBadSeal));
  }
}

TEST_F(Wrap, RefusesAWellSealedKeyOfAnotherLength) {
  auto keys = DeriveWrapKeys(ctx_, 3, agency_, agency_share_, Shares({1, 2}));
  for (std::size_t size : {0U, 16U, 31U, 33U}) {
    Bytes wrap = crypto::SealOnce(keys.key.view(), keys.nonce.view(), {}, Bytes(size));
    EXPECT_TRUE(RefusedFor(UnwrapCek(ctx_, 3, agency_, agency_share_, Shares({1, 2}), wrap), Reason::kBadSeal)) << size;
  }
}

TEST_F(Wrap, ThrowsOnSharesAndKeysThatCannotBe) {
  EXPECT_THROW(WrapCek(ctx_, 0, agency_, agency_share_, {}, cek_), std::invalid_argument);
  EXPECT_THROW(WrapCek(ctx_, 0, agency_, crypto::Secret(31), Shares({1}), cek_), std::invalid_argument);
  EXPECT_THROW(WrapCek(ctx_, 0, agency_, agency_share_, Shares({1}), crypto::Secret(33)), std::invalid_argument);
  std::vector<crypto::Secret> empty(1);
  EXPECT_THROW(WrapCek(ctx_, 0, agency_, agency_share_, empty, cek_), std::invalid_argument);
}

}  // namespace
}  // namespace valija::record
