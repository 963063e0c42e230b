#include "core/crypto/hpke.h"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

#include "core/crypto/openssl_internal.h"
#include "tests/core/crypto/fixed_random.h"
#include "tests/support/vectors.h"

namespace valija::crypto {
namespace {

using nlohmann::json;
using test::FixedRandom;
using test::Hex;

static_assert(!std::is_copy_constructible_v<HpkeContext>);

// RFC 9180 A.3.1 (sealing) and the export-only set of the same suite, the first values of each.
const char* const kPublished = R"(
[
  {
   "mode": 0,
   "kem_id": 16,
   "kdf_id": 1,
   "aead_id": 2,
   "info": "4f6465206f6e2061204772656369616e2055726e",
   "skRm": "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2",
   "skEm": "90345e3a1d116c1dd39ae76d95ab858c142223a63e44f8f85318cfa91a84858e",
   "pkRm": "04abc7e49a4c6b3566d77d0304addc6ed0e98512ffccf505e6a8e3eb25c685136f853148544876de76c0f2ef99cdc3a05ccf5ded7860c7c021238f9e2073d2356c",
   "enc": "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0",
   "exporter_secret": "a8e9a7e62621879fdc89cea7da8e6153458f463e2851baaf009a7461d699cfb6",
   "encryptions": [
      {"aad": "436f756e742d30", "ct": "58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d291742465e902cd216f8908da49f8f96f", "nonce": "9bc50980832a7b4b58c40161", "pt": "4265617574792069732074727574682c20747275746820626561757479", "sequence_number": 0},
      {"aad": "436f756e742d31", "ct": "b4e7c90d1dd62cb563694956eb517ab55d5e7d1f6366a0066c04ababaa444dbaf60a30d7bb7d3e91b969762dee", "nonce": "9bc50980832a7b4b58c40160", "pt": "4265617574792069732074727574682c20747275746820626561757479", "sequence_number": 1},
      {"aad": "436f756e742d323536", "ct": "fcc4c798b73d45d4a241f4d05886befed63b8bdf0252454072c9f6170f6e262f2738cf2ea290053b2181ad46d6", "nonce": "9bc50980832a7b4b58c40061", "pt": "4265617574792069732074727574682c20747275746820626561757479", "sequence_number": 256}],
   "exports": [
      {"exporter_context": "", "L": 32, "exported_value": "7a4c2b89e1909fb0e3ca42d5040f4c2d8346dc0643d787b8474e804f8f72798e"},
      {"exporter_context": "00", "L": 32, "exported_value": "3ca0e7e10b601a32edd2f91c49bac766892c52bde2df01a6126320c6e6eb8af1"},
      {"exporter_context": "54657374436f6e74657874", "L": 32, "exported_value": "76c6b4f404990ae362be3efe0d60d9669d87017f9dfe33b8c2ed9fd31d295182"}]},
  {
   "mode": 0,
   "kem_id": 16,
   "kdf_id": 1,
   "aead_id": 65535,
   "info": "4f6465206f6e2061204772656369616e2055726e",
   "skRm": "62c3868357a464f8461d03aa0182c7cebcde841036aea7230ddc7339f1088346",
   "skEm": "2f18b059576a0ec5a17121c0fe7ec8f00ea86f7b046fa3889ac8f21f89dbd484",
   "pkRm": "046c6bb9e1976402c692fef72552f4aaeedd83a5e5079de3d7ae732da0f397b15921fb9c52c9866affc8e29c0271a35937023a9245982ec18bab1eb157cf16fc33",
   "enc": "04d804370b7e24b94749eb1dc8df6d4d4a5d75f9effad01739ebcad5c54a40d57aaa8b4190fc124dbde2e4f1e1d1b012a3bc4038157dc29b55533a932306d8d38d",
   "exporter_secret": "7c0347d69a219f33301056411e78672ae2d78698d10ee067f883ba266ef586a1",
   "encryptions": [],
   "exports": [
      {"exporter_context": "", "L": 32, "exported_value": "8cf837d5bf1994f0fac3ee1faa671d07e9a38b7f6153bdbb8a66b90159ef7d13"},
      {"exporter_context": "00", "L": 32, "exported_value": "3c7708f8ae1f510f4439fa514deb1c7ece7a29085a2e8270a84b6ad6481cc0b4"},
      {"exporter_context": "54657374436f6e74657874", "L": 32, "exported_value": "f53fb127f67dabf35b14fae14b53e6ce5c49e572f95eb4ef7a3b3cb9cd85f12b"}]}
])";

// Both sides of every base-mode set of our suite; returns how many values were compared.
std::size_t CheckPublished(const json& sets) {
  std::size_t compared = 0;
  for (const auto& set : sets) {
    if (set.at("mode") != 0 || set.at("kem_id") != 0x0010 || set.at("kdf_id") != 0x0001) continue;
    auto aead = static_cast<HpkeAead>(set.at("aead_id").get<std::uint16_t>());
    SCOPED_TRACE(set.at("aead_id").dump());
    auto recipient = KemPrivateKey::FromScalar(Hex(set.at("skRm")));
    auto ephemeral = KemPrivateKey::FromScalar(Hex(set.at("skEm")));
    if (!recipient || !ephemeral) throw std::runtime_error("a published key is refused");
    EXPECT_TRUE(Equal(recipient->public_key().point(), Hex(set.at("pkRm"))));
    Bytes info = Hex(set.at("info"));
    HpkeSender sender = HpkeSetupSender(recipient->public_key(), info, aead, *ephemeral);
    EXPECT_TRUE(Equal(sender.enc, Hex(set.at("enc"))));
    auto receiver = HpkeSetupReceiver(*recipient, Hex(set.at("enc")), info, aead);
    if (!receiver) throw std::runtime_error("a published enc is refused");
    for (HpkeContext* side : {&sender.context, &*receiver}) {
      EXPECT_EQ(ToHex(side->exporter_secret().view()), set.at("exporter_secret").get<std::string>());
      for (const auto& one : set.at("exports")) {
        EXPECT_EQ(ToHex(side->Export(Hex(one.at("exporter_context")), one.at("L")).view()),
                  one.at("exported_value").get<std::string>());
        ++compared;
      }
    }
    for (const auto& one : set.at("encryptions")) {
      std::uint64_t sequence = one.at("sequence_number");
      sender.context.SetSequence(sequence);
      receiver->SetSequence(sequence);
      EXPECT_TRUE(Equal(sender.context.Seal(Hex(one.at("aad")), Hex(one.at("pt"))), Hex(one.at("ct"))));
      auto opened = receiver->Open(Hex(one.at("aad")), Hex(one.at("ct")));
      EXPECT_TRUE(opened && Equal(opened->view(), Hex(one.at("pt"))));
      ++compared;
    }
  }
  return compared;
}

TEST(Hpke, ReproducesThePublishedValuesOfRfc9180) {
  EXPECT_GT(CheckPublished(json::parse(kPublished)), 0u);
  if (auto folder = test::FullSet("hpke-rfc9180")) {
    EXPECT_EQ(CheckPublished(test::ReadJson(*folder / "rfc9180-base-auth-p256-x25519-aes256gcm.json")), 19u);
  }
}

TEST(Hpke, ReproducesTheWorkedExamplesShareContexts) {
  std::size_t checked = 0;
  for (const char* name : {"record-single.json", "record-window.json", "grant.json"}) {
    const json file = test::ReadJson(test::WorkedExample() / name);
    for (const auto& one : file.at("window").at("contexts")) {
      SCOPED_TRACE(name);
      auto recipient = KemPrivateKey::FromScalar(Hex(one.at("sk")));
      auto ephemeral = KemPrivateKey::FromScalar(Hex(one.at("ephemeral_sk")));
      ASSERT_TRUE(recipient && ephemeral);
      EXPECT_TRUE(Equal(recipient->id(), Hex(one.at("key_id"))));
      Bytes info = Hex(one.at("info"));
      HpkeSender sender = HpkeSetupSender(recipient->public_key(), info, HpkeAead::kExportOnly, *ephemeral);
      EXPECT_TRUE(Equal(sender.enc, Hex(one.at("enc"))));
      auto receiver = HpkeSetupReceiver(*recipient, sender.enc, info, HpkeAead::kExportOnly);
      ASSERT_TRUE(receiver);
      EXPECT_TRUE(Equal(sender.context.exporter_secret().view(), Hex(one.at("exporter_secret"))));
      EXPECT_TRUE(Equal(receiver->exporter_secret().view(), Hex(one.at("exporter_secret"))));
      ++checked;
    }
  }
  EXPECT_GT(checked, 0u);
}

// One sealed message with empty aad, as releases and epoch keys are.
void CheckOneMessage(const json& scalar, const json& ephemeral_scalar, const json& one, const Bytes& plain) {
  auto recipient = KemPrivateKey::FromScalar(Hex(scalar));
  auto ephemeral = KemPrivateKey::FromScalar(Hex(ephemeral_scalar));
  ASSERT_TRUE(recipient && ephemeral);
  Bytes info = Hex(one.at("info")), ciphertext = Hex(one.at("ciphertext"));
  HpkeSender sender = HpkeSetupSender(recipient->public_key(), info, HpkeAead::kAes256Gcm, *ephemeral);
  EXPECT_TRUE(Equal(sender.enc, Hex(one.at("enc"))));
  EXPECT_EQ(sender.context.Seal({}, plain), ciphertext);
  auto opened = HpkeOpenOnce(*recipient, Hex(one.at("enc")), info, ciphertext);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(Equal(opened->view(), plain));
}

TEST(Hpke, ReproducesTheWorkedExamplesReleasesAndEpochKeys) {
  auto releases = test::ReadJson(test::WorkedExample() / "release.json").at("releases");
  ASSERT_FALSE(releases.empty());
  for (const auto& one : releases)
    CheckOneMessage(one.at("reply_sk"), one.at("ephemeral_sk"), one, Hex(one.at("plaintext")));
  auto wraps = test::ReadJson(test::WorkedExample() / "epoch.json").at("wraps");
  ASSERT_FALSE(wraps.empty());
  for (const auto& one : wraps)
    CheckOneMessage(one.at("member_kem_sk"), one.at("ephemeral_sk"), one, Hex(one.at("epoch_sk")));
}

class HpkeTest : public testing::Test {
 protected:
  FixedRandom random_{"hpke"};
  KemPrivateKey recipient_ = KemPrivateKey::Generate(random_);
  KemPrivateKey stranger_ = KemPrivateKey::Generate(random_);
  const Bytes info_ = Bytes(32, 5);
  const Bytes plain_ = Bytes(64, 6);
};

TEST_F(HpkeTest, AMessageOpensForItsKeyAndInfoAlone) {
  HpkeSealed sealed = HpkeSealOnce(recipient_.public_key(), info_, plain_, random_);
  auto opened = HpkeOpenOnce(recipient_, sealed.enc, info_, sealed.ciphertext);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(Equal(opened->view(), plain_));
  for (auto refused :
       {HpkeOpenOnce(stranger_, sealed.enc, info_, sealed.ciphertext).error().reason,
        HpkeOpenOnce(recipient_, sealed.enc, Bytes(32, 4), sealed.ciphertext).error().reason,
        HpkeOpenOnce(recipient_, stranger_.public_key().point(), info_, sealed.ciphertext).error().reason,
        HpkeOpenOnce(recipient_, sealed.enc, info_, Bytes(5, 0)).error().reason})
    EXPECT_EQ(refused, Reason::kBadSeal);
  for (std::size_t i = 0; i < sealed.ciphertext.size(); ++i) {
    Bytes bad = sealed.ciphertext;
    bad[i] ^= 1;
    EXPECT_FALSE(HpkeOpenOnce(recipient_, sealed.enc, info_, bad)) << i;
  }
}

TEST_F(HpkeTest, AnEncThatIsNotAnUncompressedPointIsABadKey) {
  HpkeSender sender = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, random_);
  Bytes enc = ToBytes(sender.enc);
  std::vector<Bytes> bad = {Bytes(), Bytes(65, 0), Bytes(enc.begin(), enc.end() - 1), Concat({enc, Bytes(1, 0)})};
  Bytes off_curve = enc;
  off_curve.back() ^= 1;
  bad.push_back(off_curve);
  Bytes compressed(enc.begin(), enc.begin() + 33);
  compressed[0] = 2 + (enc.back() & 1);
  bad.push_back(compressed);
  for (const auto& one : bad) {
    auto refused = HpkeSetupReceiver(recipient_, one, info_, HpkeAead::kExportOnly);
    ASSERT_FALSE(refused) << ToHex(one);
    EXPECT_EQ(refused.error().reason, Reason::kBadKey);
    EXPECT_FALSE(HpkeOpenOnce(recipient_, one, info_, Bytes(48, 0)));
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(HpkeTest, EveryEncapsulationIsFresh) {
  HpkeSender one = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, random_);
  HpkeSender two = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, random_);
  EXPECT_NE(one.enc, two.enc);
  EXPECT_FALSE(one.context.exporter_secret().EqualTo(two.context.exporter_secret()));
}

TEST_F(HpkeTest, AnEncapsulationFollowsTheRandomnessItIsGiven) {
  const Secret scalar = stranger_.Scalar();
  FixedRandom fixed("x", ToBytes(scalar.view()));
  HpkeSender drawn = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kAes256Gcm, fixed);
  HpkeSender given = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kAes256Gcm, stranger_);
  EXPECT_EQ(drawn.enc, given.enc);
  EXPECT_EQ(drawn.context.Seal({}, plain_), given.context.Seal({}, plain_));
}

TEST_F(HpkeTest, TheTwoAeadsShareNoSecret) {
  HpkeSender seals = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kAes256Gcm, stranger_);
  HpkeSender exports = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, stranger_);
  EXPECT_EQ(seals.enc, exports.enc);
  EXPECT_FALSE(seals.context.exporter_secret().EqualTo(exports.context.exporter_secret()));
}

TEST_F(HpkeTest, ExportsDifferByContextAndLength) {
  HpkeContext context = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, random_).context;
  Secret one = context.Export(AsBytes("a"), 32);
  EXPECT_TRUE(one.EqualTo(context.Export(AsBytes("a"), 32)));
  EXPECT_FALSE(one.EqualTo(context.Export(AsBytes("b"), 32)));
  EXPECT_FALSE(Equal(context.Export(AsBytes("a"), 33).view().first(32), one.view()));
  EXPECT_EQ(context.Export({}, 1).size(), 1u);
  EXPECT_EQ(context.Export({}, 8160).size(), 8160u);
  EXPECT_THROW((void)context.Export({}, 0), std::length_error);
  EXPECT_THROW((void)context.Export({}, 8161), std::length_error);
}

TEST_F(HpkeTest, AnExportOnlyContextNeitherSealsNorOpens) {
  HpkeContext context = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, random_).context;
  EXPECT_THROW(context.Seal({}, plain_), std::logic_error);
  EXPECT_THROW((void)context.Open({}, Bytes(48, 0)), std::logic_error);
}

TEST_F(HpkeTest, MessagesOpenInTheirOrderAndARefusedOneTakesNoPlace) {
  HpkeSender sender = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kAes256Gcm, random_);
  auto receiver = HpkeSetupReceiver(recipient_, sender.enc, info_, HpkeAead::kAes256Gcm);
  ASSERT_TRUE(receiver);
  Bytes first = sender.context.Seal(AsBytes("1"), plain_), second = sender.context.Seal(AsBytes("2"), plain_);
  EXPECT_NE(first, second);
  EXPECT_FALSE(receiver->Open(AsBytes("2"), second));
  EXPECT_FALSE(receiver->Open(AsBytes("2"), first));
  EXPECT_TRUE(receiver->Open(AsBytes("1"), first));
  EXPECT_FALSE(receiver->Open(AsBytes("1"), first));
  EXPECT_TRUE(receiver->Open(AsBytes("2"), second));
}

TEST_F(HpkeTest, TheLastSequenceNumberIsNotUsed) {
  HpkeSender sender = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kAes256Gcm, random_);
  sender.context.SetSequence(UINT64_MAX);
  EXPECT_THROW(sender.context.Seal({}, plain_), std::overflow_error);
}

TEST_F(HpkeTest, OneContextExportsToManyThreads) {
  const HpkeContext context = HpkeSetupSender(recipient_.public_key(), info_, HpkeAead::kExportOnly, random_).context;
  const Secret expected = context.Export(AsBytes("x"), 32);
  std::vector<std::thread> threads;
  std::array<bool, 4> right{};
  for (std::size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      bool all = true;
      for (int i = 0; i < 500; ++i) all &= context.Export(AsBytes("x"), 32).EqualTo(expected);
      right[t] = all;
    });
  for (auto& thread : threads) thread.join();
  for (bool one : right) EXPECT_TRUE(one);
}

}  // namespace
}  // namespace valija::crypto
