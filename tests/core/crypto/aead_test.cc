#include "core/crypto/aead.h"

#include <gtest/gtest.h>

#include "core/crypto/openssl_internal.h"
#include "tests/core/crypto/wycheproof.h"

namespace valija::crypto {
namespace {

using nlohmann::json;
using test::Hex;

// A few cases of Wycheproof's aes_gcm, of 256-bit keys and 96-bit nonces.
const char* const kCases = R"(
{"testGroups": [
  {"keySize": 256, "ivSize": 96, "tagSize": 128, "tests": [
    {"tcId": 92, "key": "29d3a44f8723dc640239100c365423a312934ac80239212ac3df3421a2098123", "iv": "00112233445566778899aabb", "aad": "aabbccddeeff", "msg": "", "ct": "", "tag": "2a7d77fa526b8250cb296078926b5020", "result": "valid"},
    {"tcId": 93, "key": "80ba3192c803ce965ea371d5ff073cf0f43b6a2ab576b208426e11409c09b9b0", "iv": "4da5bf8dfd5852c1ea12379d", "aad": "", "msg": "", "ct": "", "tag": "4771a7c404a472966cea8f73c8bfe17a", "result": "valid"},
    {"tcId": 97, "key": "59d4eafb4de0cfc7d3db99a8f54b15d7b39f0acc8da69763b019c1699f87674a", "iv": "2fcb1b38a99e71b84740ad9b", "aad": "", "msg": "549b365af913f3b081131ccb6b825588", "ct": "f58c16690122d75356907fd96b570fca", "tag": "28752c20153092818faba2a334640d6e", "result": "valid"},
    {"tcId": 100, "key": "b279f57e19c8f53f2f963f5f2519fdb7c1779be2ca2b3ae8e1128b7d6c627fc4", "iv": "98bc2c7438d5cd7665d76f6e", "aad": "c0", "msg": "fcc515b294408c8645c9183e3f4ecee5127846d1", "ct": "eb5500e3825952866d911253f8de860c00831c81", "tag": "ecb660e1fb0541ec41e8d68a64141b3a", "result": "valid"},
    {"tcId": 130, "comment": "Flipped bit 0 in tag", "key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "iv": "505152535455565758595a5b", "aad": "", "msg": "202122232425262728292a2b2c2d2e2f", "ct": "b2061457c0759fc1749f174ee1ccadfa", "tag": "9de8fef6d8ab1bf1bf887232eab590dd", "result": "invalid"},
    {"tcId": 148, "comment": "Flipped bit 127 in tag", "key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "iv": "505152535455565758595a5b", "aad": "", "msg": "202122232425262728292a2b2c2d2e2f", "ct": "b2061457c0759fc1749f174ee1ccadfa", "tag": "9ce8fef6d8ab1bf1bf887232eab5905d", "result": "invalid"},
    {"tcId": 153, "comment": "Tag changed to all zero", "key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "iv": "505152535455565758595a5b", "aad": "", "msg": "202122232425262728292a2b2c2d2e2f", "ct": "b2061457c0759fc1749f174ee1ccadfa", "tag": "00000000000000000000000000000000", "result": "invalid"}]}
]})";

std::size_t CheckAll(const json& file) {
  std::size_t checked = 0;
  test::ForEachCase(file, [&](const json& group, const json& one) {
    if (group.at("keySize") != 256 || group.at("ivSize") != 96 || group.at("tagSize") != 128) return;
    SCOPED_TRACE(test::CaseName(one));
    ++checked;
    Bytes key = Hex(one.at("key")), nonce = Hex(one.at("iv")), aad = Hex(one.at("aad")), plain = Hex(one.at("msg"));
    Bytes sealed = Concat({Hex(one.at("ct")), Hex(one.at("tag"))});
    EXPECT_EQ(SealOnce(key, nonce, aad, plain) == sealed, test::IsValid(one));
    auto opened = OpenOnce(key, nonce, aad, sealed);
    ASSERT_EQ(opened.has_value(), test::IsValid(one));
    if (opened) {
      EXPECT_TRUE(Equal(opened->view(), plain));
    } else {
      EXPECT_EQ(opened.error().reason, Reason::kBadSeal);
    }
  });
  return checked;
}

TEST(Aes256Gcm, AgreesWithWycheproof) {
  EXPECT_GT(CheckAll(json::parse(kCases)), 0u);
  if (auto full = test::FullWycheproof("aes_gcm_test.json")) {
    EXPECT_EQ(CheckAll(*full), 66u);
  }
}

const Bytes kKey(32, 0x11), kNonce(12, 0x22);
const ByteView kAad = AsBytes("aad"), kPlain = AsBytes("the plaintext of this test");

TEST(Aes256Gcm, RefusesEveryFlippedBit) {
  const Bytes sealed = SealOnce(kKey, kNonce, kAad, kPlain);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1u << bit % 8);
    EXPECT_FALSE(OpenOnce(kKey, kNonce, kAad, bad)) << bit;
  }
  EXPECT_TRUE(OpenOnce(kKey, kNonce, kAad, sealed));
}

TEST(Aes256Gcm, RefusesAnotherKeyNonceAadOrLength) {
  const Bytes sealed = SealOnce(kKey, kNonce, kAad, kPlain);
  EXPECT_FALSE(OpenOnce(Bytes(32, 0x12), kNonce, kAad, sealed));
  EXPECT_FALSE(OpenOnce(kKey, Bytes(12, 0x23), kAad, sealed));
  EXPECT_FALSE(OpenOnce(kKey, kNonce, AsBytes("aae"), sealed));
  EXPECT_FALSE(OpenOnce(kKey, kNonce, {}, sealed));
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(OpenOnce(kKey, kNonce, kAad, ByteView(sealed).first(size))) << size;
  EXPECT_FALSE(OpenOnce(kKey, kNonce, kAad, Concat({sealed, Bytes(1, 0)})));
}

TEST(Aes256Gcm, WipesWhatItDecryptedWhenTheTagDoesNotHold) {
  Bytes sealed = SealOnce(kKey, kNonce, kAad, kPlain);
  sealed.back() ^= 1;
  Bytes out(kPlain.size(), 0xaa);
  EXPECT_FALSE(Aes256Gcm(kKey).Open(kNonce, kAad, sealed, out));
  EXPECT_EQ(out, Bytes(kPlain.size(), 0));
}

TEST(Aes256Gcm, OneObjectSealsAndOpensManyMessagesInAnyOrder) {
  Aes256Gcm aead(kKey);
  for (std::uint8_t i = 0; i < 20; ++i) {
    Bytes nonce(12, i), plain(i * 5u, i), sealed(plain.size() + kAeadTagSize), opened(plain.size());
    aead.Seal(nonce, kAad, plain, sealed);
    EXPECT_EQ(sealed, SealOnce(kKey, nonce, kAad, plain));
    Bytes bad = sealed;
    bad.back() ^= 1;
    EXPECT_FALSE(aead.Open(nonce, kAad, bad, opened));
    EXPECT_TRUE(aead.Open(nonce, kAad, sealed, opened));
    EXPECT_EQ(opened, plain);
  }
}

TEST(Aes256Gcm, WorksWhereItIsMovedTo) {
  Aes256Gcm first(kKey);
  Aes256Gcm second = std::move(first);
  Bytes sealed(kPlain.size() + kAeadTagSize);
  second.Seal(kNonce, kAad, kPlain, sealed);
  EXPECT_EQ(sealed, SealOnce(kKey, kNonce, kAad, kPlain));
}

TEST(Aes256Gcm, AnEmptyPlaintextIsATag) {
  Bytes sealed = SealOnce(kKey, kNonce, kAad, {});
  EXPECT_EQ(sealed.size(), kAeadTagSize);
  auto opened = OpenOnce(kKey, kNonce, kAad, sealed);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
  EXPECT_FALSE(OpenOnce(kKey, kNonce, {}, sealed));
}

TEST(Aes256Gcm, CallersThatGiveWrongSizesAreStopped) {
  EXPECT_THROW(Aes256Gcm(Bytes(16, 1)), std::invalid_argument);
  EXPECT_THROW(Aes256Gcm(Bytes(33, 1)), std::invalid_argument);
  EXPECT_THROW(SealOnce(kKey, Bytes(11, 1), kAad, kPlain), std::invalid_argument);
  EXPECT_THROW((void)OpenOnce(kKey, Bytes(16, 1), kAad, Bytes(40, 1)), std::invalid_argument);
  Bytes out(kPlain.size());  // no room for the tag
  EXPECT_THROW(Aes256Gcm(kKey).Seal(kNonce, kAad, kPlain, out), std::invalid_argument);
}

TEST(Aes256Gcm, ARefusalLeavesNothingInTheErrorQueue) {
  EXPECT_FALSE(OpenOnce(kKey, kNonce, kAad, Bytes(40, 1)));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace valija::crypto
