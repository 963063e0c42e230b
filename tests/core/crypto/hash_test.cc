#include "core/crypto/hash.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/vectors.h"

namespace valija::crypto {
namespace {

using test::Hex;

// FIPS 180-2, appendix B.
constexpr std::string_view kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kLong = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr std::string_view kMillionA = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
constexpr std::string_view kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, GivesThePublishedValues) {
  EXPECT_EQ(Sha256(AsBytes("abc")).Hex(), kAbc);
  EXPECT_EQ(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).Hex(), kLong);
  EXPECT_EQ(Sha256(ByteView()).Hex(), kEmpty);
  EXPECT_EQ(Sha256(Bytes(1000000, 'a')).Hex(), kMillionA);
}

TEST(Sha256, OfPartsIsThatOfTheirConcatenation) {
  EXPECT_EQ(Sha256({AsBytes("a"), {}, AsBytes("bc")}).Hex(), kAbc);
  EXPECT_EQ(Sha256(std::initializer_list<ByteView>{}).Hex(), kEmpty);
}

TEST(Sha256Stream, TakesItsDataInAnyPieces) {
  Sha256Stream stream;
  Bytes data(1000000, 'a');
  ByteView rest = data;
  for (std::size_t step = 0; !rest.empty(); ++step) {
    auto part = rest.first(std::min(rest.size(), step * 7));
    stream.Update(part);
    rest = rest.subspan(part.size());
    (void)Sha256(AsBytes("another hash in between"));
  }
  EXPECT_EQ(stream.Finish().Hex(), kMillionA);
}

TEST(Sha256Stream, GoesOnWhereItIsMovedTo) {
  Sha256Stream first;
  first.Update(AsBytes("a"));
  Sha256Stream second = std::move(first);
  second.Update(AsBytes("bc"));
  EXPECT_EQ(second.Finish().Hex(), kAbc);
}

TEST(Sha256Stream, IsOverAfterFinish) {
  Sha256Stream stream;
  EXPECT_EQ(stream.Finish().Hex(), kEmpty);
  EXPECT_THROW(stream.Update(AsBytes("x")), std::logic_error);
  EXPECT_THROW(stream.Finish(), std::logic_error);
}

TEST(Sha256, ServesManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::array<bool, 4> right{};
  for (std::size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&right, t] {
      bool all = true;
      for (int i = 0; i < 1000; ++i) all &= Sha256(AsBytes("abc")).Hex() == kAbc;
      right[t] = all;
    });
  for (auto& thread : threads) thread.join();
  for (bool one : right) EXPECT_TRUE(one);
}

// The worked example's tuples: one to three inputs, the only shapes there are up to here.
TEST(Tuple, GivesTheWorkedExamplesBytesAndHashes) {
  auto file = test::ReadJson(test::WorkedExample() / "primitives.json");
  ASSERT_FALSE(file.at("tuples").empty());
  for (const auto& tuple : file.at("tuples")) {
    std::string label = tuple.at("label");
    SCOPED_TRACE(label);
    std::vector<Bytes> in;
    for (const auto& input : tuple.at("inputs")) in.push_back(Hex(input));
    Bytes bytes;
    Hash hash;
    switch (in.size()) {
      case 1:
        bytes = TupleBytes(label, {in[0]}), hash = TupleHash(label, {in[0]});
        break;
      case 2:
        bytes = TupleBytes(label, {in[0], in[1]}), hash = TupleHash(label, {in[0], in[1]});
        break;
      case 3:
        bytes = TupleBytes(label, {in[0], in[1], in[2]}), hash = TupleHash(label, {in[0], in[1], in[2]});
        break;
      default:
        FAIL() << "a tuple of " << in.size() << " inputs: add it here";
    }
    EXPECT_EQ(ToHex(bytes), tuple.at("t").get<std::string>());
    EXPECT_EQ(hash.Hex(), tuple.at("h").get<std::string>());
  }
}

TEST(Tuple, TellsApartWhatOnlyConcatenatesAlike) {
  EXPECT_NE(TupleHash("window", {AsBytes("ab"), AsBytes("c")}), TupleHash("window", {AsBytes("a"), AsBytes("bc")}));
  EXPECT_NE(TupleHash("window", {AsBytes("ab")}), TupleHash("window", {AsBytes("ab"), {}}));
  EXPECT_NE(TupleHash("wrap", {AsBytes("x")}), TupleHash("wra", {AsBytes("px")}));
}

}  // namespace
}  // namespace valija::crypto
