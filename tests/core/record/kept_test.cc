#include "core/record/kept.h"

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class KeptSecret : public ::testing::Test {
 protected:
  Result<crypto::Secret> Open(Kept what, const Digest& statement, const MemberId& member) {
    return OpenKept(what, statement, member, key_, sealed_.enc, sealed_.ciphertext);
  }
  FixedRandom random_{"kept"};
  crypto::KemPrivateKey key_ = crypto::KemPrivateKey::Generate(random_);
  MemberId member_ = Member("us.dea/jrivera");
  Digest record_ = random_.Make<Digest>();
  crypto::Secret keys_ = random_.MakeSecret(64);  // of two portions
  crypto::HpkeSealed sealed_ = SealKept(Kept::kSentKeys, record_, member_, key_.public_key(), keys_, random_);
};

TEST_F(KeptSecret, OpensForWhoKeptIt) {
  auto opened = Open(Kept::kSentKeys, record_, member_);
  ASSERT_TRUE(opened) << opened.error().Message();
  EXPECT_TRUE(opened->EqualTo(keys_));
}

TEST_F(KeptSecret, IsRefusedForEveryOtherCircumstance) {
  EXPECT_TRUE(RefusedFor(Open(Kept::kOrderKey, record_, member_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(Kept::kSentKeys, random_.Make<Digest>(), member_), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(Kept::kSentKeys, record_, Member("us.dea/other")), Reason::kBadSeal));
  const auto other = crypto::KemPrivateKey::Generate(random_);
  EXPECT_TRUE(RefusedFor(OpenKept(Kept::kSentKeys, record_, member_, other, sealed_.enc, sealed_.ciphertext),
                         Reason::kBadSeal));
  sealed_.ciphertext[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Open(Kept::kSentKeys, record_, member_), Reason::kBadSeal));
  sealed_.enc.bytes[0] = 0x02;
  EXPECT_TRUE(RefusedFor(Open(Kept::kSentKeys, record_, member_), Reason::kBadKey));
}

}  // namespace
}  // namespace valija::record
