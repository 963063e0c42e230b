#include "core/record/padding.h"

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

Bytes Padded(ByteView plain) {
  Bytes out = ToBytes(plain);
  EXPECT_TRUE(WritePadding(plain.size(), Into(out)));
  return out;
}

// The rule written down once more, over the whole text.
std::optional<Bytes> UnpadWhole(Bytes padded) {
  std::size_t end = padded.size();
  while (end > 0 && padded[end - 1] == 0) --end;
  if (end == 0 || padded[end - 1] != 0x80 || PaddedSize(end - 1) != padded.size()) return std::nullopt;
  padded.resize(end - 1);
  return padded;
}

TEST(Padding, RoundsUpToTheLengthsOfTheWorkedExample) {
  int checked = 0;
  const Json file = ReadJson(WorkedExample() / "primitives.json");
  for (const auto& row : file.at("padding")) {
    EXPECT_EQ(PaddedSize(row.at("plaintext_length")), row.at("padded_length").get<std::uint64_t>()) << row;
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

TEST(Padding, AddsAtMostOneSixteenthAboveTheFloorAndIsAFixedPoint) {
  std::mt19937_64 dice(1);
  for (int i = 0; i < 20000; ++i) {
    std::uint64_t plain = dice() >> (13 + dice() % 50);
    if (plain > kMaxPlainLength) continue;
    std::uint64_t padded = PaddedSize(plain);
    ASSERT_GE(padded, std::max<std::uint64_t>(plain + 1, 256));
    ASSERT_EQ(Padme(padded), padded);
    ASSERT_LE(padded, std::max<std::uint64_t>(256, plain + 1 + plain / 16)) << plain;
  }
}

TEST(Padding, RefusesLengthsThatNoBodyHolds) {
  EXPECT_THROW(PaddedSize(kMaxPlainLength + 1), std::out_of_range);
  EXPECT_THROW(PaddedSize(~std::uint64_t{0}), std::out_of_range);
  EXPECT_THROW(Padme(1), std::out_of_range);
  EXPECT_NO_THROW(PaddedSize(kMaxPlainLength));
}

TEST(Padding, IsAMarkAndZeros) {
  Bytes padded = Padded(AsBytes("abc"));
  ASSERT_EQ(padded.size(), 256U);
  EXPECT_EQ(padded[3], 0x80);
  EXPECT_TRUE(std::all_of(padded.begin() + 4, padded.end(), [](auto byte) { return byte == 0; }));
}

TEST(Padding, HandsOnARefusalOfTheSink) {
  const Sink full = [](ByteView) -> Status { return Refuse(Reason::kStorage); };
  EXPECT_TRUE(RefusedFor(WritePadding(1, full), Reason::kStorage));
  Unpadder unpadder;
  EXPECT_TRUE(RefusedFor(unpadder.Update(AsBytes("abc"), full), Reason::kStorage));
}

// Plaintexts full of marks and zeros, cut anywhere, give what the whole text gives.
TEST(Unpadder, AgreesWithTheWholeTextHoweverItIsCut) {
  std::mt19937_64 dice(2);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes plain(dice() % 700);
    for (auto& byte : plain) byte = std::array<std::uint8_t, 4>{0x00, 0x00, 0x80, 0x01}[dice() % 4];
    Bytes padded = Padded(plain);
    if (dice() % 2 == 0) {  // spoil it
      switch (dice() % 4) {
        case 0:
          padded.resize(dice() % (padded.size() + 1));
          break;
        case 1:
          padded.insert(padded.end(), dice() % 40, 0);
          break;
        case 2:
          padded.back() = static_cast<std::uint8_t>(dice() % 3);
          break;
        default:
          padded[plain.size()] ^= static_cast<std::uint8_t>(dice() % 256);
      }
    }
    auto expected = UnpadWhole(padded);
    Unpadder unpadder;
    Bytes out;
    ASSERT_TRUE(
        InPieces(padded, dice, 1 + dice() % 60, [&](ByteView piece) { return unpadder.Update(piece, Into(out)); }));
    Status done = unpadder.Finish();
    ASSERT_EQ(done.has_value(), expected.has_value());
    if (expected) {
      ASSERT_EQ(out, *expected);
      ASSERT_EQ(unpadder.plain_length(), expected->size());
      ++accepted;
    } else {
      ASSERT_TRUE(RefusedFor(done, Reason::kBadSeal));
      ++refused;
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(Unpadder, HoldsBackAnyNumberOfZerosInConstantMemory) {
  const Bytes zeros(1 << 20);
  const std::uint64_t held = std::uint64_t{64} << 20;
  std::uint64_t out = 0;
  const Sink count = [&out](ByteView block) {
    EXPECT_LE(block.size(), std::size_t{1} << 20);
    out += block.size();
    return Ok();
  };
  Unpadder unpadder;
  ASSERT_TRUE(unpadder.Update(Bytes{'x', 0x80}, count));
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(unpadder.Update(zeros, count));
  EXPECT_EQ(out, 1U);
  ASSERT_TRUE(unpadder.Update(Bytes{0x80}, count));  // so it was no padding
  EXPECT_EQ(out, 2 + held);
  EXPECT_EQ(unpadder.plain_length(), 2 + held);
}

}  // namespace
}  // namespace valija::record
