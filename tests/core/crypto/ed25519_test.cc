#include <gtest/gtest.h>

#include <type_traits>

#include "core/crypto/keys.h"
#include "core/crypto/openssl_internal.h"
#include "tests/core/crypto/fixed_random.h"
#include "tests/core/crypto/wycheproof.h"

namespace valija::crypto {
namespace {

using nlohmann::json;
using test::FixedRandom;
using test::Hex;

static_assert(!std::is_copy_constructible_v<Ed25519SignKey>);

// RFC 8032 section 7.1, TEST 1 to 3.
struct Published {
  std::string_view seed, key, message, signature;
};
constexpr Published kPublished[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55141"
     "438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d29"
     "1612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027be"
     "ceea1ec40a"},
};

Bytes Raw(std::string_view hex) { return *FromHex(hex); }

TEST(Ed25519, ReproducesThePublishedKeysAndSignatures) {
  for (const auto& one : kPublished) {
    auto key = Ed25519SignKey::FromSeed(Raw(one.seed));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->verify_key().bytes().Hex(), one.key);
    EXPECT_EQ(key->Sign(Raw(one.message)).Hex(), one.signature);
    EXPECT_EQ(ToHex(key->Seed().view()), one.seed);
    auto verify = Ed25519VerifyKey::FromBytes(Raw(one.key));
    ASSERT_TRUE(verify);
    EXPECT_TRUE(verify->Verify(Raw(one.message), Raw(one.signature)));
    EXPECT_FALSE(verify->Verify(AsBytes("another message"), Raw(one.signature)));
  }
}

// A few cases of Wycheproof's ed25519.
const char* const kCases = R"(
{"testGroups": [
  {"publicKey": {"pk": "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa"}, "tests": [
    {"tcId": 1, "msg": "", "sig": "d4fbdb52bfa726b44d1786a8c0d171c3e62ca83c9e5bbe63de0bb2483f8fd6cc1429ab72cafc41ab56af02ff8fcc43b99bfe4c7ae940f60f38ebaa9d311c4007", "result": "valid"},
    {"tcId": 2, "msg": "78", "sig": "d80737358ede548acb173ef7e0399f83392fe8125b2ce877de7975d8b726ef5b1e76632280ee38afad12125ea44b961bf92f1178c9fa819d020869975bcbe109", "result": "valid"},
    {"tcId": 10, "comment": "special values for r and s", "msg": "3f", "sig": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "result": "invalid"},
    {"tcId": 30, "comment": "empty signature", "msg": "54657374", "sig": "", "result": "invalid"},
    {"tcId": 31, "comment": "s missing", "msg": "54657374", "sig": "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab0", "result": "invalid"},
    {"tcId": 33, "comment": "signature too long", "msg": "54657374", "sig": "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab07a9155711ecfaf7f99f277bad0c6ae7e39d4eef676573336a5c51eb6f946b30d2020", "result": "invalid"},
    {"tcId": 42, "comment": "modified bit 0 in R. Accepted only by verifiers...", "msg": "313233343030", "sig": "647c1492402ab5ce03e2c3a7f0384d051b9cf3570f1207fc78c1bcc98c281c2b1d125e5538f38afbcc1c84e489521083041d24bc6240767029da063271a1ff0c", "result": "invalid"},
    {"tcId": 59, "comment": "modified bit 255 in R. This flips the sign of x...", "msg": "313233343030", "sig": "657c1492402ab5ce03e2c3a7f0384d051b9cf3570f1207fc78c1bcc98c281cab227aedf259f910f0f3a759a335062665217925d019173b88917eae294f75d40f", "result": "invalid"},
    {"tcId": 63, "comment": "the encoded s was replaced by s + L. The scalar...", "msg": "54657374", "sig": "7c38e026f29e14aabd059a0f2db8b0cd783040609a8be684db12f82a27774ab067654bce3832c2d76f8f6f5dafc08d9339d4eef676573336a5c51eb6f946b31d", "result": "invalid"}]},
  {"publicKey": {"pk": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}, "tests": [
    {"tcId": 80, "comment": "draft-josefsson-eddsa-ed25519-02: Test 1", "msg": "", "sig": "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b", "result": "valid"}]},
  {"publicKey": {"pk": "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"}, "tests": [
    {"tcId": 81, "comment": "draft-josefsson-eddsa-ed25519-02: Test 2", "msg": "72", "sig": "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00", "result": "valid"}]},
  {"publicKey": {"pk": "100fdf47fb94f1536a4f7c3fda27383fa03375a8f527c537e6f1703c47f94f86"}, "tests": [
    {"tcId": 84, "comment": "Signature with S just under the bound. [David B...", "msg": "124e583f8b8eca58bb29c271b41d36986bbc45541f8e51f9cb0133eca447601e", "sig": "dac119d6ca87fc59ae611c157048f4d4fc932a149dbe20ec6effd1436abf83ea05c7df0fef06147241259113909bc71bd3c53ba4464ffcad3c0968f2ffffff0f", "result": "valid"},
    {"tcId": 85, "comment": "Signature with S just above the bound. [David B...", "msg": "6a0bc2b0057cedfc0fa2e3f7f7d39279b30f454a69dfd1117c758d86b19d85e0", "sig": "0971f86d2c9c78582524a103cb9cf949522ae528f8054dc20107d999be673ff4e25ebf2f2928766b1248bec6e91697775f8446639ede46ad4df4053000000010", "result": "invalid"}]},
  {"publicKey": {"pk": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}, "tests": [
    {"tcId": 151, "comment": "R encodes y = 1 with the sign bit of x set. The...", "msg": "313233343030", "sig": "0100000000000000000000000000000000000000000000000000000000000080c803ee1f2342aa96ff698a393d1ab5e66f3eda101d6d120b394c3fd32c117d0a", "result": "invalid"}]}
]})";

void Check(const json& group, const json& one) {
  SCOPED_TRACE(test::CaseName(one));
  auto key = Ed25519VerifyKey::FromBytes(Hex(group.at("publicKey").at("pk")));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->Verify(Hex(one.at("msg")), Hex(one.at("sig"))), test::IsValid(one));
}

TEST(Ed25519, AgreesWithWycheproof) {
  EXPECT_GT(test::ForEachCase(json::parse(kCases), Check), 0u);
  if (auto full = test::FullWycheproof("ed25519_test.json")) {
    EXPECT_EQ(test::ForEachCase(*full, Check), 151u);
  }
}

// A few of C2SP CCTV's edge cases: "accepted" is what OpenSSL and Go answer, key of low order or not.
const char* const kEdgeCases = R"(
[
  {"number": 0, "key": "0000000000000000000000000000000000000000000000000000000000000000", "sig": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "msg": "ed25519vectors 3", "flags": ["low_order_R", "low_order_A", "low_order_component_R", "low_order_component_A", "low_order_residue"]},
  {"number": 1, "key": "0000000000000000000000000000000000000000000000000000000000000000", "sig": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "msg": "ed25519vectors 11", "flags": ["low_order_R", "low_order_A", "low_order_component_R", "low_order_component_A"]},
  {"number": 2, "key": "0000000000000000000000000000000000000000000000000000000000000000", "sig": "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56b05ba9a796274d80437afa36f1236563f2f3b0aa84cecddc3d20914615ba4fe02", "msg": "ed25519vectors 7", "flags": ["low_order_A", "low_order_component_R", "low_order_component_A", "low_order_residue"]},
  {"number": 3, "key": "0000000000000000000000000000000000000000000000000000000000000000", "sig": "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56b05ba9a796274d80437afa36f1236563f2f3b0aa84cecddc3d20914615ba4fe02", "msg": "ed25519vectors 3", "flags": ["low_order_A", "low_order_component_R", "low_order_component_A"]},
  {"number": 4, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "00000000000000000000000000000000000000000000000000000000000000005e176f12cfb0d4e6eb6929b19ae4c998ef05c1c2cf628a9b1fa1c21312627108", "msg": "ed25519vectors 7", "flags": ["low_order_R", "low_order_component_R", "low_order_component_A", "low_order_residue"]},
  {"number": 5, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "00000000000000000000000000000000000000000000000000000000000000009472a69cd9a701a50d130ed52189e2455b23767db52cacb8716fb896ffeeac09", "msg": "ed25519vectors 3", "flags": ["low_order_R", "low_order_component_R", "low_order_component_A"]},
  {"number": 6, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56bc02e2b9e63e385c058bf62b14b3a2b29ccefe8e38ddb536bc3f9865320a3d801", "msg": "ed25519vectors 10", "flags": ["low_order_component_R", "low_order_component_A", "low_order_residue"]},
  {"number": 7, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56bbbfd00bd9c259d8d222d15e67a3d8228585050dbb9b9585be20d8fadc721da03", "msg": "ed25519vectors", "flags": ["low_order_component_R", "low_order_component_A"]},
  {"number": 16, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f1cb421dfbd92aa6c30d550bff53c81cf650ace6deb96a8ec22d2fef84dbbe20b", "msg": "ed25519vectors 6", "flags": ["low_order_R", "low_order_component_R", "low_order_component_A", "low_order_residue", "non_canonical_R"]},
  {"number": 17, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fad7a355469b5c87e550469f6b2de409ee723acd584bf35f86b80c384e8ceb702", "msg": "ed25519vectors 3", "flags": ["low_order_R", "low_order_component_R", "low_order_component_A", "non_canonical_R"]},
  {"number": 18, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f5e176f12cfb0d4e6eb6929b19ae4c998ef05c1c2cf628a9b1fa1c21312627108", "msg": "ed25519vectors 7", "flags": ["low_order_R", "low_order_component_R", "low_order_component_A", "low_order_residue", "non_canonical_R", "reencoded_k"]},
  {"number": 19, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f9472a69cd9a701a50d130ed52189e2455b23767db52cacb8716fb896ffeeac09", "msg": "ed25519vectors 3", "flags": ["low_order_R", "low_order_component_R", "low_order_component_A", "non_canonical_R", "reencoded_k"]},
  {"number": 48, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "0100000000000000000000000000000000000000000000000000000000000000edfd6f478b59eab2545cf8f3d48c6574d2b4e8abd948148da5c62479113b8d0f", "msg": "ed25519vectors 13", "flags": ["low_order_R", "low_order_component_A"]},
  {"number": 49, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "0100000000000000000000000000000000000000000000000000000000000000879e8751046a31d163df68051bbd909e6d26c8414883ba3475bf00e17c1e7b04", "msg": "ed25519vectors 4", "flags": ["low_order_R", "low_order_component_A", "low_order_residue"]},
  {"number": 50, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a350608f32d206a7c0b7efa9a59e66546e8f1f599ef843fb502c9cc3c4ae8b7c11e05", "msg": "ed25519vectors 5", "flags": ["low_order_component_A"]},
  {"number": 51, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a3506030b03796b78f7afeadfccaedc9d09ce6d487d1ece1f16b1ae2b59b7e5c40603", "msg": "ed25519vectors 3", "flags": ["low_order_component_A", "low_order_residue"]},
  {"number": 60, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "0100000000000000000000000000000000000000000000000000000000000080c85efbb96e35e1b671722d5d8de687d4e148ea15ec566be6a1f3cfb8a10a9d06", "msg": "ed25519vectors 2", "flags": ["low_order_R", "low_order_component_A", "non_canonical_R"]},
  {"number": 61, "key": "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f", "sig": "01000000000000000000000000000000000000000000000000000000000000804b18627cef9707137b02358c8b73769381269bf7cac9c473483c83c46a615d09", "msg": "ed25519vectors 29", "flags": ["low_order_R", "low_order_component_A", "low_order_residue", "non_canonical_R"]}
])";

struct EdgeCounts {
  std::size_t openssl = 0, ours = 0, refused_keys = 0;
};

// OpenSSL and Go verify without the cofactor and compare R as bytes: they accept just what has no low-order residue and
// no R that is written in another way than it comes out. We refuse the keys of low order besides.
EdgeCounts CheckEdges(const json& cases) {
  EdgeCounts counts;
  for (const auto& one : cases) {
    SCOPED_TRACE(one.at("number").dump());
    auto flags = one.at("flags").is_null() ? json::array() : one.at("flags");
    auto has = [&](const char* flag) { return std::find(flags.begin(), flags.end(), flag) != flags.end(); };
    bool accepted = !has("low_order_residue") && !has("non_canonical_R");
    auto key = Ed25519VerifyKey::FromBytes(Hex(one.at("key")));
    EXPECT_EQ(key.has_value(), !has("low_order_A"));
    bool verified = key && key->Verify(AsBytes(one.at("msg").get<std::string>()), Hex(one.at("sig")));
    EXPECT_EQ(verified, accepted && !has("low_order_A"));
    counts.openssl += accepted ? 1u : 0u;
    counts.ours += verified ? 1u : 0u;
    counts.refused_keys += key ? 0u : 1u;
  }
  return counts;
}

TEST(Ed25519, AnswersTheEdgeCasesAsOpensslAndGoDo) {
  EdgeCounts few = CheckEdges(json::parse(kEdgeCases));
  EXPECT_GT(few.ours, 0u);
  EXPECT_GT(few.refused_keys, 0u);
  if (auto folder = test::FullSet("tlog")) {
    EdgeCounts all = CheckEdges(test::ReadJson(*folder / "cctv-ed25519/ed25519vectors.json"));
    EXPECT_EQ(all.openssl, 208u);
    EXPECT_EQ(all.ours, 86u);
    EXPECT_EQ(all.refused_keys, 526u);
  }
}

// The eight points of low order, and every other way of writing them that OpenSSL would take.
TEST(Ed25519, RefusesKeysOfLowOrderInEveryWriting) {
  for (std::string_view y : {"0000000000000000000000000000000000000000000000000000000000000000",
                             "0100000000000000000000000000000000000000000000000000000000000000",
                             "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                             "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
    for (std::uint8_t sign : {std::uint8_t{0x00}, std::uint8_t{0x80}}) {
      Bytes key = Raw(y);
      key[31] |= sign;
      auto refused = Ed25519VerifyKey::FromBytes(key);
      ASSERT_FALSE(refused) << ToHex(key);
      EXPECT_EQ(refused.error().reason, Reason::kBadKey);
    }
}

TEST(Ed25519, RefusesKeysThatAreNoPoint) {
  // y = 2 is not the coordinate of a point; y = 3 is.
  Bytes two(32, 0), three(32, 0);
  two[0] = 2;
  three[0] = 3;
  EXPECT_FALSE(Ed25519VerifyKey::FromBytes(two));
  EXPECT_TRUE(Ed25519VerifyKey::FromBytes(three));
  three[31] |= 0x80;
  EXPECT_TRUE(Ed25519VerifyKey::FromBytes(three));
}

TEST(Ed25519, RefusesWrongLengths) {
  for (std::size_t size : {0u, 31u, 33u, 64u}) {
    EXPECT_FALSE(Ed25519VerifyKey::FromBytes(Bytes(size, 3)));
    EXPECT_FALSE(Ed25519SignKey::FromSeed(Bytes(size, 3)));
  }
  auto key = Ed25519SignKey::FromSeed(Bytes(32, 3));
  Ed25519Signature signature = key->Sign(AsBytes("x"));
  EXPECT_TRUE(key->verify_key().Verify(AsBytes("x"), signature));
  EXPECT_FALSE(key->verify_key().Verify(AsBytes("x"), signature.view().first(63)));
  EXPECT_FALSE(key->verify_key().Verify(AsBytes("x"), Concat({signature, Bytes(1, 0)})));
  EXPECT_FALSE(key->verify_key().Verify(AsBytes("x"), {}));
}

TEST(Ed25519, RefusesEveryFlippedBit) {
  FixedRandom random("ed25519");
  Ed25519SignKey key = Ed25519SignKey::Generate(random);
  const Ed25519Signature signature = key.Sign(AsBytes("a checkpoint"));
  for (std::size_t bit = 0; bit < 512; bit += 5) {
    Ed25519Signature bad = signature;
    bad.bytes[bit / 8] = static_cast<std::uint8_t>(bad.bytes[bit / 8] ^ 1u << bit % 8);
    EXPECT_FALSE(key.verify_key().Verify(AsBytes("a checkpoint"), bad)) << bit;
  }
  EXPECT_TRUE(key.verify_key().Verify(AsBytes("a checkpoint"), signature));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Ed25519, GeneratesFromTheRandomnessItIsGiven) {
  FixedRandom random("x", Raw(kPublished[1].seed));
  EXPECT_EQ(Ed25519SignKey::Generate(random).verify_key().bytes().Hex(), kPublished[1].key);
}

}  // namespace
}  // namespace valija::crypto
