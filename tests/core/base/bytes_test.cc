#include "core/base/bytes.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>
#include <unordered_set>

namespace valija {
namespace {

static_assert(!std::is_convertible_v<KeyId, Digest> && !std::is_constructible_v<KeyId, Digest>,
              "a key id and a digest are both 32 bytes and never the same thing");

TEST(Hex, IsLowerCaseAndGoesBothWays) {
  EXPECT_EQ(ToHex(Bytes{0x00, 0x9f, 0xff}), "009fff");
  EXPECT_EQ(ToHex({}), "");
  EXPECT_EQ(FromHex("009fff"), (Bytes{0x00, 0x9f, 0xff}));
  EXPECT_EQ(FromHex(""), Bytes());
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  EXPECT_EQ(FromHex(ToHex(all)), all);
}

TEST(Hex, IsReadInEitherCase) { EXPECT_EQ(FromHex("aBcDeF"), (Bytes{0xab, 0xcd, 0xef})); }

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  for (std::string_view bad : {"0", "abc", "0g", "g0", " 0", "0x", "--", "0\n"}) EXPECT_FALSE(FromHex(bad)) << bad;
  EXPECT_FALSE(FromHex(std::string_view("0\0", 2)));
  EXPECT_FALSE(FromHex("\xc3\xa9"));
}

// RFC 4648 section 10.
struct Pair {
  std::string_view plain, encoded;
};
constexpr Pair kBase64[] = {{"", ""},
                            {"f", "Zg=="},
                            {"fo", "Zm8="},
                            {"foo", "Zm9v"},
                            {"foob", "Zm9vYg=="},
                            {"fooba", "Zm9vYmE="},
                            {"foobar", "Zm9vYmFy"}};

TEST(Base64, GivesThePublishedValues) {
  for (const auto& one : kBase64) {
    EXPECT_EQ(ToBase64(AsBytes(one.plain)), one.encoded);
    auto back = FromBase64(one.encoded);
    ASSERT_TRUE(back) << one.encoded;
    EXPECT_EQ(AsText(*back), one.plain);
  }
  EXPECT_EQ(ToBase64(Bytes{0xfb, 0xff, 0xfe}), "+//+");
  EXPECT_EQ(FromBase64("+//+"), (Bytes{0xfb, 0xff, 0xfe}));
}

TEST(Base64, GoesBothWaysAtEveryLength) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(FromBase64(ToBase64(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 37));
  }
}

TEST(Base64, RefusesWhatItWouldNotHaveWritten) {
  for (std::string_view bad : {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zm=v", "Zg==Zg==", "Zm9v\n", "Zm 9",
                               "Zm9-", "Zm9_", "Zh==", "Zg=A", "Zm9=", "Zm8=Zm9v"})
    EXPECT_FALSE(FromBase64(bad)) << bad;
  EXPECT_FALSE(FromBase64(std::string_view("Zm9\0", 4)));
}

TEST(Integers, AreBigEndian) {
  Bytes out;
  AppendU16(out, 0x0102);
  AppendU32(out, 0x03040506);
  AppendU64(out, 0x0708090a0b0c0d0e);
  EXPECT_EQ(ToHex(out), "0102030405060708090a0b0c0d0e");
  EXPECT_EQ(ReadU32(out.data() + 2), 0x03040506u);
  EXPECT_EQ(ReadU64(out.data() + 6), 0x0708090a0b0c0d0eu);
  Bytes ones(8, 0xff);
  EXPECT_EQ(ReadU32(ones.data()), UINT32_MAX);
  EXPECT_EQ(ReadU64(ones.data()), UINT64_MAX);
}

TEST(Concat, JoinsItsPartsInOrder) {
  EXPECT_EQ(ToString(Concat({AsBytes("ab"), {}, AsBytes("c")})), "abc");
  EXPECT_TRUE(Concat({}).empty());
}

TEST(Equal, ComparesSizeAndContent) {
  EXPECT_TRUE(Equal({}, {}));
  EXPECT_TRUE(Equal(AsBytes("ab"), AsBytes("ab")));
  EXPECT_FALSE(Equal(AsBytes("ab"), AsBytes("abc")));
  EXPECT_FALSE(Equal(AsBytes("ab"), AsBytes("ac")));
}

TEST(Fixed, TakesItsOwnSizeOnly) {
  EXPECT_TRUE(Hash::From(Bytes(32, 1)));
  EXPECT_FALSE(Hash::From(Bytes(31, 1)));
  EXPECT_FALSE(Hash::From(Bytes(33, 1)));
  EXPECT_FALSE(Hash::From({}));
}

TEST(Fixed, GoesThroughHex) {
  std::string text = "00112233445566778899aabbccddeeff";
  auto id = WindowId::FromHexText(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->Hex(), text);
  EXPECT_FALSE(WindowId::FromHexText(text + "00"));
  EXPECT_FALSE(WindowId::FromHexText("x" + text.substr(1)));
}

TEST(Fixed, StartsAsZerosAndComparesAsBytes) {
  Hash zero, one;
  EXPECT_TRUE(zero.IsZero());
  one.bytes[31] = 1;
  EXPECT_FALSE(one.IsZero());
  EXPECT_LT(zero, one);
  Hash high;
  high.bytes[0] = 0x80;  // bytes are unsigned
  EXPECT_LT(one, high);
  EXPECT_EQ((std::set<Hash>{high, zero, one, zero}).size(), 3u);
  EXPECT_EQ((std::unordered_set<Hash>{high, zero, one, zero}).size(), 3u);
}

}  // namespace
}  // namespace valija
