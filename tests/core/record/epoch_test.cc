#include "core/record/epoch.h"

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class EpochKey : public ::testing::Test {
 protected:
  Result<crypto::KemPrivateKey> Open(const Point& epoch_public, ByteView ciphertext) {
    return OpenEpochKey(epoch_public, agency_, 2, previous_, member_, member_key_, sealed_.enc, ciphertext);
  }
  FixedRandom random_{"epoch"};
  crypto::KemPrivateKey epoch_key_ = crypto::KemPrivateKey::Generate(random_);
  crypto::KemPrivateKey member_key_ = crypto::KemPrivateKey::Generate(random_);
  AgencyId agency_ = Agency("us.dea");
  MemberId member_ = Member("us.dea/jrivera");
  Digest previous_ = random_.Make<Digest>();
  crypto::HpkeSealed sealed_ =
      SealEpochKey(epoch_key_, agency_, 2, previous_, member_, member_key_.public_key(), random_);
};

TEST_F(EpochKey, ReachesItsMember) {
  EXPECT_EQ(sealed_.ciphertext.size(), kEpochCiphertextSize);
  auto key = Open(epoch_key_.public_key().point(), sealed_.ciphertext);
  ASSERT_TRUE(key) << key.error().Message();
  EXPECT_TRUE(key->Scalar().EqualTo(epoch_key_.Scalar()));
}

TEST_F(EpochKey, IsRefusedWhenItIsNotTheStatements) {
  // An administrator seals one key, under the info of another that the statement names.
  auto named = crypto::KemPrivateKey::Generate(random_);
  Hash info = EpochInfo({agency_, 2, named.id(), previous_, member_, member_key_.id()});
  auto sealed = crypto::HpkeSealOnce(member_key_.public_key(), info, epoch_key_.Scalar().view(), random_);
  auto key = OpenEpochKey(named.public_key().point(), agency_, 2, previous_, member_, member_key_, sealed.enc,
                          sealed.ciphertext);
  EXPECT_TRUE(RefusedFor(key, Reason::kBadSeal));
}

TEST_F(EpochKey, IsRefusedForEveryOtherCircumstance) {
  const Point& epoch_public = epoch_key_.public_key().point();
  auto open = [&](const AgencyId& agency, std::uint64_t epoch, const Digest& previous, const MemberId& member) {
    return OpenEpochKey(epoch_public, agency, epoch, previous, member, member_key_, sealed_.enc, sealed_.ciphertext);
  };
  EXPECT_TRUE(open(agency_, 2, previous_, member_));
  EXPECT_TRUE(RefusedFor(open(Agency("us.fbi"), 2, previous_, member_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(open(agency_, 3, previous_, member_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(open(agency_, 2, Digest{}, member_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(open(agency_, 2, previous_, Member("us.dea/other")), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(member_key_.public_key().point(), sealed_.ciphertext), Reason::kBadSeal));
  Bytes damaged = sealed_.ciphertext;
  damaged[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Open(epoch_public, damaged), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(epoch_public, {}), Reason::kBadSeal));
  sealed_.enc.bytes[0] = 0x02;
  EXPECT_TRUE(RefusedFor(Open(epoch_public, sealed_.ciphertext), Reason::kBadKey));
}

}  // namespace
}  // namespace valija::record
