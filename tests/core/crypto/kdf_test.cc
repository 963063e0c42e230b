#include "core/crypto/kdf.h"

#include <gtest/gtest.h>

#include "core/crypto/openssl_internal.h"
#include "tests/core/crypto/wycheproof.h"

namespace valija::crypto {
namespace {

using nlohmann::json;
using test::Hex;

// A few cases of Wycheproof's hmac_sha256, hkdf_sha256 and hkdf_sha512.
const char* const kHmacCases = R"(
{"testGroups": [
  {"keySize": 256, "tests": [
    {"tcId": 1, "comment": "empty message", "key": "1e225cafb90339bba1b24076d4206c3e79c355805d851682bc818baa4f5a7779", "msg": "", "tag": "b175b57d89ea6cb606fb3363f2538abd73a4c00b4a1386905bac809004cf1933", "result": "valid"},
    {"tcId": 2, "comment": "short message", "key": "8159fd15133cd964c9a6964c94f0ea269a806fd9f43f0da58b6cd1b33d189b2a", "msg": "77", "tag": "dfc5105d5eecf7ae7b8b8de3930e7659e84c4172f2555142f1e568fc1872ad93", "result": "valid"},
    {"tcId": 28, "comment": "Flipped bit 0 in tag", "key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "msg": "", "tag": "d28b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb", "result": "invalid"},
    {"tcId": 82, "comment": "empty message", "key": "7bf9e536b66a215c22233fe2daaa743a898b9acb9f7802de70b40e3d6e43ef97", "msg": "", "tag": "f4605585949747de26f3ee98a738b172", "result": "valid"}]},
  {"keySize": 128, "tests": [
    {"tcId": 163, "comment": "short key", "key": "a349ac0a9f9f74e48e099cc3dbf9a9c9", "msg": "", "tag": "3a8437b877b75cc08a4d8d7559a8fc6869a58c713da63d1d4b350d59b597e30c", "result": "valid"}]},
  {"keySize": 520, "tests": [
    {"tcId": 169, "comment": "long key", "key": "8a0c46eb8a2959e39865330079763341e7439dab149694ee57e0d61ec73d947e1d5301cd974e18a5e0d1cf0d2c37e8aadd9fd589d57ef32e47024a99bc3f70c077", "msg": "", "tag": "f5bfb940561fb4db73ebba49bf2e4893bb0cca618a71b7ecf6aca38231e167ea", "result": "valid"}]}
]})";
const char* const kHkdf256Cases = R"(
{"testGroups": [
  {"keySize": 176, "tests": [
    {"tcId": 1, "comment": "RFC 5869", "ikm": "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "salt": "000102030405060708090a0b0c", "info": "f0f1f2f3f4f5f6f7f8f9", "size": 42, "okm": "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865", "result": "valid"},
    {"tcId": 2, "comment": "RFC 5869", "ikm": "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "salt": "", "info": "", "size": 42, "okm": "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8", "result": "valid"}]},
  {"keySize": 640, "tests": [
    {"tcId": 3, "comment": "RFC 5869", "ikm": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f", "salt": "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "info": "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "size": 82, "okm": "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87", "result": "valid"}]},
  {"keySize": 128, "tests": [
    {"tcId": 4, "ikm": "24aeff2645e3e0f5494a9a102778c43a", "salt": "", "info": "", "size": 20, "okm": "d4cca5e416c3d9eb58bd562e922691daff76aa4d", "result": "valid"},
    {"tcId": 25, "comment": "invalid output size", "ikm": "db89f54af757f8c7e57248a1718105b1", "salt": "d5efc88adf3d5afc970284aab51690bdfedfa40be98e374efa3060ccf97fc650", "info": "134f085797b1ae2e", "size": 8161, "okm": "", "result": "invalid"}]}
]})";
const char* const kHkdf512Cases = R"(
{"testGroups": [
  {"keySize": 128, "tests": [
    {"tcId": 1, "ikm": "24aeff2645e3e0f5494a9a102778c43a", "salt": "", "info": "", "size": 20, "okm": "dd2599840b09699c6200b5cba79002b3aa75c61b", "result": "valid"},
    {"tcId": 2, "ikm": "a23632e18ec76b59b1c87008da3f8a7e", "salt": "", "info": "", "size": 42, "okm": "c4af93d4bae9ca2b45f590cd3d2f539ff5749d7b0864fbe44a438d38a2f8e5afe01641145e389c989766", "result": "valid"},
    {"tcId": 8, "ikm": "be0df9811ad0bf3b08358a3dc4a05981", "salt": "c98618bfeb59295f8bf1dd3804b1bf2c", "info": "", "size": 42, "okm": "c5cc73041ea99289bfbc39aaf64595129b461651c69d3de5297d66f844b4d59257be9a82bddf228630c8", "result": "valid"},
    {"tcId": 22, "comment": "invalid output size", "ikm": "68563b0e902eb3cc65fbf7f115845b12", "salt": "c4aed79aa346a7914b43668ddc839a249652dcf11b8aa051bcd1796d1ef5e5f766380b4349333359a1177d0c082b1f0de90bdff1fb60646ede4f08a2b1f63786", "info": "b0aaceb3b0b8c885", "size": 16321, "okm": "", "result": "invalid"}]},
  {"keySize": 160, "tests": [
    {"tcId": 26, "ikm": "bfbe4f1edace02b2a3afcaada5f319103996dec9", "salt": "", "info": "", "size": 64, "okm": "19386d2148e4d4e1095227068d7e0ec5b4576cf04c7005fa9e75cb35e3843593cde6b6a366a496d40616b766ebfc017ae9d07375027c42875570b7a6bddf6720", "result": "valid"}]}
]})";

// Tags of half the size are the first half of a whole one.
void CheckHmac(const json&, const json& one) {
  SCOPED_TRACE(test::CaseName(one));
  Bytes tag = Hex(one.at("tag"));
  Secret computed = HmacSha256(Hex(one.at("key")), {Hex(one.at("msg"))});
  ASSERT_EQ(computed.size(), 32u);
  EXPECT_EQ(Equal(computed.view().first(tag.size()), tag), test::IsValid(one));
}

TEST(HmacSha256, AgreesWithWycheproof) {
  EXPECT_GT(test::ForEachCase(json::parse(kHmacCases), CheckHmac), 0u);
  if (auto full = test::FullWycheproof("hmac_sha256_test.json")) {
    EXPECT_EQ(test::ForEachCase(*full, CheckHmac), 174u);
  }
}

TEST(HmacSha256, OfPartsIsThatOfTheirConcatenation) {
  Bytes key(32, 7);
  Secret whole = HmacSha256(key, {AsBytes("what do ya want for nothing?")});
  EXPECT_TRUE(HmacSha256(key, {AsBytes("what do "), {}, AsBytes("ya want for nothing?")}).EqualTo(whole));
  EXPECT_FALSE(HmacSha256(key, {AsBytes("what do ya want for nothing")}).EqualTo(whole));
}

TEST(HmacSha256, TakesAnEmptyKey) {
  // RFC 2104 pads a short key with zeros.
  EXPECT_TRUE(HmacSha256({}, {AsBytes("x")}).EqualTo(HmacSha256(Bytes(64, 0), {AsBytes("x")})));
  EXPECT_EQ(ToHex(HmacSha256({}, {}).view()), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

void CheckHkdf256(const json&, const json& one) {
  SCOPED_TRACE(test::CaseName(one));
  Secret prk = HkdfExtractSha256(Hex(one.at("salt")), {Hex(one.at("ikm"))});
  Bytes info = Hex(one.at("info"));
  std::size_t size = one.at("size");
  if (test::IsValid(one)) {
    EXPECT_EQ(ToHex(HkdfExpandSha256(prk.view(), {info}, size).view()), one.at("okm").get<std::string>());
  } else {
    EXPECT_THROW(HkdfExpandSha256(prk.view(), {info}, size), std::length_error);
  }
}

TEST(HkdfSha256, AgreesWithWycheproof) {
  EXPECT_GT(test::ForEachCase(json::parse(kHkdf256Cases), CheckHkdf256), 0u);
  if (auto full = test::FullWycheproof("hkdf_sha256_test.json")) {
    EXPECT_EQ(test::ForEachCase(*full, CheckHkdf256), 86u);
  }
}

// Nothing of ours extracts with SHA-512, so the test does it.
Secret ExtractSha512(ByteView salt, ByteView ikm) {
  Secret out(64);
  std::size_t size = 0;
  const Bytes zeros(64, 0);
  if (salt.empty()) salt = zeros;
  EXPECT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA512", nullptr, salt.data(), salt.size(), ikm.data(), ikm.size(),
                      out.mutable_view().data(), out.size(), &size),
            nullptr);
  return out;
}

void CheckHkdf512(const json&, const json& one) {
  SCOPED_TRACE(test::CaseName(one));
  Secret prk = ExtractSha512(Hex(one.at("salt")), Hex(one.at("ikm")));
  Bytes info = Hex(one.at("info"));
  std::size_t size = one.at("size");
  if (test::IsValid(one)) {
    EXPECT_EQ(ToHex(HkdfExpandSha512(prk.view(), {info}, size).view()), one.at("okm").get<std::string>());
  } else {
    EXPECT_THROW(HkdfExpandSha512(prk.view(), {info}, size), std::length_error);
  }
}

TEST(HkdfExpandSha512, AgreesWithWycheproof) {
  EXPECT_GT(test::ForEachCase(json::parse(kHkdf512Cases), CheckHkdf512), 0u);
  if (auto full = test::FullWycheproof("hkdf_sha512_test.json")) {
    EXPECT_EQ(test::ForEachCase(*full, CheckHkdf512), 83u);
  }
}

TEST(HkdfSha256, TakesItsInputsInParts) {
  Secret whole = HkdfExtractSha256(AsBytes("salt"), {AsBytes("abcd")});
  Secret prk = HkdfExtractSha256(AsBytes("salt"), {AsBytes("ab"), AsBytes("cd")});
  EXPECT_TRUE(prk.EqualTo(whole));
  EXPECT_TRUE(HkdfExpandSha256(prk.view(), {AsBytes("in"), AsBytes("fo")}, 100)
                  .EqualTo(HkdfExpandSha256(prk.view(), {AsBytes("info")}, 100)));
}

TEST(HkdfSha256, AShorterOutputIsTheStartOfALongerOne) {
  Bytes prk(32, 9);
  Secret longest = HkdfExpandSha256(prk, {AsBytes("x")}, 8160);
  for (std::size_t size : {0u, 1u, 31u, 32u, 33u, 44u, 64u, 65u, 8159u})
    EXPECT_TRUE(Equal(HkdfExpandSha256(prk, {AsBytes("x")}, size).view(), longest.view().first(size))) << size;
}

}  // namespace
}  // namespace valija::crypto
