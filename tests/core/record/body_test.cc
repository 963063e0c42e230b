#include "core/record/body.h"

#include <sys/resource.h>

#include "core/log/tree.h"
#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class Body : public ::testing::Test {
 protected:
  SealedBody Seal(ByteView plain) const { return SealBody(cek_, ctx_, 1, salt_, plain); }
  Result<Bytes> Open(const SealedBody& body) const {
    return OpenBody(cek_, ctx_, 1, body.bytes, body.summary.length, body.summary.root);
  }
  BodyOpener Opener(const BodySummary& summary) const {
    return BodyOpener(cek_, ctx_, 1, SliceList::Check(summary.length, summary.root, summary.slice_hashes).value());
  }
  FixedRandom random_{"body"};
  crypto::Secret cek_ = random_.MakeSecret(32);
  Hash ctx_ = random_.Make<Hash>();
  crypto::CobblestoneSalt salt_ = random_.Make<crypto::CobblestoneSalt>();
};

// Around the floor, a chunk, a slice of plaintext and a slice of sealed bytes.
const std::vector<std::size_t> kLengths = {
    0,     1,     254,     255,     256,     511,     512,     15871,   15872,   16383,   16384,          16385,
    32767, 32768, 1000000, 1015807, 1015808, 1047551, 1048575, 1048576, 1048577, 2031616, 3 * 1048576 + 5};

TEST_F(Body, OpensToItsPlaintextForLengthsAroundEveryBoundary) {
  for (std::size_t length : kLengths) {
    Bytes plain = Bytewise(length, length);
    SealedBody body = Seal(plain);
    EXPECT_EQ(body.bytes.size(), SealedBodySize(length)) << length;
    EXPECT_EQ(body.summary.length, body.bytes.size());
    EXPECT_TRUE(IsSealedBodySize(body.bytes.size()));
    auto opened = Open(body);
    ASSERT_TRUE(opened) << length << ": " << opened.error().Message();
    ASSERT_TRUE(Equal(*opened, plain)) << length;
  }
}

TEST_F(Body, IsTheSameHoweverItStreams) {
  std::mt19937_64 dice(3);
  for (std::size_t length : kLengths) {
    for (std::size_t longest : {std::size_t{100000}, std::size_t{3000000}}) {
      Bytes plain = Bytewise(length, length);
      SealedBody whole = Seal(plain);

      BodySealer sealer(cek_, ctx_, 1, salt_);
      Bytes sealed;
      std::vector<std::size_t> slices;
      const Sink take = [&](ByteView slice) {
        slices.push_back(slice.size());
        Append(sealed, slice);
        return Ok();
      };
      ASSERT_TRUE(InPieces(plain, dice, longest, [&](ByteView piece) { return sealer.Update(piece, take); }));
      auto summary = sealer.Finish(take);
      ASSERT_TRUE(summary);
      ASSERT_TRUE(Equal(sealed, whole.bytes)) << length;
      EXPECT_EQ(summary->root, whole.summary.root);
      EXPECT_EQ(summary->length, whole.summary.length);
      EXPECT_EQ(summary->slice_hashes, whole.summary.slice_hashes);
      for (std::size_t i = 0; i + 1 < slices.size(); ++i) ASSERT_EQ(slices[i], kSliceSize);
      ASSERT_EQ(slices.size(), summary->slice_hashes.size());

      SliceHasher hasher;
      ASSERT_TRUE(InPieces(sealed, dice, longest, [&](ByteView piece) {
        hasher.Update(piece);
        return Ok();
      }));
      EXPECT_EQ(hasher.Finish().root, whole.summary.root);

      BodyOpener opener = Opener(whole.summary);
      Bytes opened;
      ASSERT_TRUE(InPieces(sealed, dice, longest, [&](ByteView piece) { return opener.Update(piece, Into(opened)); }));
      ASSERT_TRUE(opener.Finish(Into(opened)));
      ASSERT_TRUE(Equal(opened, plain)) << length;
      EXPECT_EQ(opener.plain_length(), length);
    }
  }
}

TEST_F(Body, LengthsThatSealingGivesAreToldFromOthers) {
  std::set<std::uint64_t> lengths;
  for (std::uint64_t plain = 0; plain < 70000; ++plain) lengths.insert(SealedBodySize(plain));
  for (std::uint64_t length = 0; length <= *lengths.rbegin(); ++length) {
    ASSERT_EQ(IsSealedBodySize(length), lengths.contains(length)) << length;
  }
  EXPECT_TRUE(IsSealedBodySize(SealedBodySize(kMaxPlainLength)));
  EXPECT_FALSE(IsSealedBodySize(SealedBodySize(kMaxPlainLength) + 8));
}

TEST_F(Body, GivesNothingOfASliceThatIsNotTheSignedOne) {
  Bytes plain = Bytewise(3 * kSliceSize, 1);
  SealedBody body = Seal(plain);
  ASSERT_GT(body.summary.slice_hashes.size(), 2U);
  body.bytes[kSliceSize + 5] ^= 1;  // in the second slice
  BodyOpener opener = Opener(body.summary);
  Bytes out;
  EXPECT_TRUE(RefusedFor(opener.Update(body.bytes, Into(out)), Reason::kBadBody));
  EXPECT_LT(out.size(), kSliceSize);
  EXPECT_TRUE(std::equal(out.begin(), out.end(), plain.begin()));
  // And it stays refused.
  body.bytes[kSliceSize + 5] ^= 1;
  EXPECT_TRUE(RefusedFor(opener.Update(ByteView(body.bytes).subspan(kSliceSize), Into(out)), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(opener.Finish(Into(out)), Reason::kBadBody));
}

TEST_F(Body, RefusesATruncatedAndAnExtendedBody) {
  SealedBody body = Seal(Bytewise(2 * kSliceSize, 1));
  for (std::size_t keep : {std::size_t{0}, std::size_t{1}, kSliceSize, body.bytes.size() - 1}) {
    BodyOpener opener = Opener(body.summary);
    Bytes out;
    Status done = opener.Update(ByteView(body.bytes).first(keep), Into(out));
    ASSERT_TRUE(done);
    EXPECT_TRUE(RefusedFor(opener.Finish(Into(out)), Reason::kBadBody)) << keep;
  }
  BodyOpener opener = Opener(body.summary);
  Bytes out;
  ASSERT_TRUE(opener.Update(body.bytes, Into(out)));
  EXPECT_TRUE(RefusedFor(opener.Update(Bytes{0}, Into(out)), Reason::kBadBody));
}

TEST_F(Body, RefusesABodyThatAnotherHolderOfTheKeyMade) {
  SealedBody real = Seal(AsBytes("what the originator wrote"));
  SealedBody forged = Seal(AsBytes("what a recipient would like"));
  EXPECT_TRUE(
      RefusedFor(OpenBody(cek_, ctx_, 1, forged.bytes, real.summary.length, real.summary.root), Reason::kBadBody));
  EXPECT_TRUE(Open(forged));  // the cipher alone would not have told
}

TEST_F(Body, RefusesAnotherKeyRecordOrPortion) {
  SealedBody body = Seal(AsBytes("text"));
  auto open = [&](const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion) {
    return OpenBody(cek, ctx, portion, body.bytes, body.summary.length, body.summary.root);
  };
  EXPECT_TRUE(open(cek_, ctx_, 1));
  EXPECT_TRUE(RefusedFor(open(cek_, ctx_, 0), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(open(cek_, Hash{}, 1), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(open(random_.MakeSecret(32), ctx_, 1), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(open(crypto::Secret(31), ctx_, 1), Reason::kBadSeal));
}

TEST_F(Body, RefusesForeignPaddingThatIsWellSealedAndSigned) {
  auto sealed = [&](ByteView padded) {
    SealedBody out;
    crypto::CobblestoneSealer sealer(cek_.view(), crypto::TupleHash("content", {ctx_, Bytes{0, 0, 0, 1}}), salt_);
    sealer.Update(padded, out.bytes);
    sealer.Finish(out.bytes);
    out.summary = SummariseBody(out.bytes);
    return out;
  };
  Bytes good(256);
  good[3] = 0x80;
  EXPECT_TRUE(Open(sealed(good)));
  Bytes tail = good;
  tail[255] = 1;
  EXPECT_TRUE(RefusedFor(Open(sealed(tail)), Reason::kBadSeal));
  Bytes mark = good;
  mark[3] = 0x81;
  EXPECT_TRUE(RefusedFor(Open(sealed(mark)), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(sealed(ByteView(good).first(255))), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(sealed(Bytes(256))), Reason::kBadSeal));
  Bytes longer = good;
  longer.resize(272);
  EXPECT_TRUE(RefusedFor(Open(sealed(longer)), Reason::kBadSeal));
}

TEST_F(Body, HandsOnARefusalOfTheSinkAndStaysRefused) {
  SealedBody body = Seal(Bytewise(kSliceSize, 1));
  const Sink full = [](ByteView) -> Status { return Refuse(Reason::kFile, "disk full"); };
  BodySealer sealer(cek_, ctx_, 1, salt_);
  EXPECT_TRUE(RefusedFor(sealer.Update(Bytewise(2 * kSliceSize, 1), full), Reason::kFile));
  BodyOpener opener = Opener(body.summary);
  EXPECT_TRUE(RefusedFor(opener.Update(body.bytes, full), Reason::kFile));
  EXPECT_FALSE(opener.Finish(full));
}

TEST_F(Body, StreamsInBoundedMemory) {
  // 128 MiB through sealer and opener at once: neither may keep more than a few slices.
  rusage before{}, after{};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &before), 0);
  const Bytes block = Bytewise(kSliceSize, 9);
  auto seal = [&](const Sink& sink) {
    BodySealer sealer(cek_, ctx_, 1, salt_);
    for (int i = 0; i < 128; ++i) EXPECT_TRUE(sealer.Update(block, sink));
    return sealer.Finish(sink).value();
  };
  BodySummary summary = seal([](ByteView) { return Ok(); });
  BodyOpener opener = Opener(summary);
  std::uint64_t opened = 0, blocks = 0;
  const Sink compare = [&](ByteView plain) {
    ++blocks;
    EXPECT_LE(plain.size(), kSliceSize + crypto::kCobblestoneChunk);
    for (std::size_t i = 0; i < plain.size(); i += 4099) {
      if (plain[i] != block[(opened + i) % kSliceSize]) ADD_FAILURE() << "at " << opened + i;
    }
    opened += plain.size();
    return Ok();
  };
  seal([&](ByteView slice) { return opener.Update(slice, compare); });
  EXPECT_TRUE(opener.Finish(compare));
  EXPECT_EQ(opened, std::uint64_t{128} * kSliceSize);
  EXPECT_GT(blocks, 100U);
  ASSERT_EQ(getrusage(RUSAGE_SELF, &after), 0);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 40 * 1024) << "KiB";
}

TEST(Slices, HashAndRootOfTheWorkedExample) {
  int checked = 0;
  const Json file = ReadJson(WorkedExample() / "primitives.json");
  for (const auto& row : file.at("body_roots")) {
    Bytes body = Stream(Hex(row.at("seed")), row.at("length"));
    BodySummary summary = SummariseBody(body);
    EXPECT_EQ(summary.slice_hashes.size(), row.at("slices").get<std::size_t>());
    EXPECT_EQ(summary.slice_hashes.size(), SliceList::Count(body.size()));
    EXPECT_EQ(summary.root.Hex(), row.at("root").get<std::string>());
    SliceHasher hasher;
    hasher.Update(body);
    EXPECT_EQ(hasher.Finish().root, summary.root);
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

TEST(Slices, AreCheckedOneByOneInAnyOrder) {
  Bytes body = Bytewise(2 * kSliceSize + 100, 4);
  BodySummary summary = SummariseBody(body);
  auto slices = SliceList::Check(summary.length, summary.root, summary.slice_hashes);
  ASSERT_TRUE(slices);
  ASSERT_EQ(slices->size(), 3U);
  auto slice = [&](std::size_t i) { return ByteView(body).subspan(i * kSliceSize, slices->SliceLength(i)); };
  for (std::size_t i : {2U, 0U, 1U}) EXPECT_TRUE(slices->CheckSlice(i, slice(i)));
  EXPECT_EQ(slices->SliceLength(2), 100U);
  EXPECT_TRUE(RefusedFor(slices->CheckSlice(0, slice(1)), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(slices->CheckSlice(3, slice(2)), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(slices->CheckSlice(2, slice(2).first(99)), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(slices->CheckSlice(2, {}), Reason::kBadBody));
  EXPECT_THROW(std::ignore = slices->SliceLength(3), std::out_of_range);
}

TEST(Slices, RefuseHashesThatDoNotGiveTheSignedRootAndLength) {
  BodySummary summary = SummariseBody(Bytewise(2 * kSliceSize, 4));
  auto check = [&](std::uint64_t length, std::vector<Hash> hashes) {
    return SliceList::Check(length, summary.root, std::move(hashes));
  };
  EXPECT_TRUE(check(summary.length, summary.slice_hashes));
  EXPECT_TRUE(RefusedFor(check(0, {}), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(check(summary.length, {}), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(check(summary.length + 1, summary.slice_hashes), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(check(~std::uint64_t{0}, summary.slice_hashes), Reason::kBadBody));
  // A node taken for a leaf gives the root too, but no slice has that hash.
  auto node = check(kSliceSize, {summary.root});
  ASSERT_TRUE(node);
  EXPECT_TRUE(RefusedFor(node->CheckSlice(0, Bytes(kSliceSize)), Reason::kBadBody));
  EXPECT_TRUE(RefusedFor(check(summary.length, {summary.slice_hashes[1], summary.slice_hashes[0]}), Reason::kBadBody));
}

TEST(Slices, ThrowOnABodyThatIsNone) {
  EXPECT_THROW(SummariseBody({}), std::invalid_argument);
  SliceHasher hasher;
  EXPECT_THROW(hasher.Finish(), std::logic_error);
}

}  // namespace
}  // namespace valija::record
