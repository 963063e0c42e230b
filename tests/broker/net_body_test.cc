// Bodies: how they are uploaded, whose they are, and how many may wait for a record.
#include "core/record/body.h"
#include "tests/broker/net_fixture.h"
#include "valija/v1/statement.pb.h"

namespace valija::test {
namespace {

class NetBody : public NetTest {
 protected:
  // Sends a start, then these slices; how it ended.
  Ended Upload(const proto::BodyStart& start, const std::vector<Bytes>& slices, v1::UploadProgress* last = nullptr,
               const std::string& as = "mx.fgr/omar") {
    auto stub = Stub(as);
    grpc::ClientContext context;
    SetDeadline(context);
    auto stream = stub->Upload(&context);
    v1::UploadChunk chunk;
    proto::ToMessage(start, chunk.mutable_start());
    stream->Write(chunk);
    v1::UploadProgress progress;
    if (stream->Read(&progress)) {
      if (last != nullptr) *last = progress;
      for (const auto& slice : slices) {
        v1::UploadChunk piece;
        piece.set_slice(slice.data(), slice.size());
        if (!stream->Write(piece)) break;
      }
    }
    stream->WritesDone();
    while (stream->Read(&progress))
      if (last != nullptr) *last = progress;
    return EndOf(context, stream->Finish());
  }
  static Bytes SliceOf(const Bytes& body, std::size_t index) {
    return ToBytes(ByteView(body)
                       .subspan(index * record::kSliceSize)
                       .first(std::min(record::kSliceSize, body.size() - index * record::kSliceSize)));
  }
  static proto::BodyStart StartOf(const Bytes& body) {
    auto summary = record::SummariseBody(body);
    return {summary.root, summary.length, summary.slice_hashes, false};
  }
  // Of two slices, and of a length that sealing gives.
  Bytes SealedBody() {
    auto body =
        Member("mx.fgr/omar").Sealer(kForDea, {"us.dea"}).Seal(1, record::kSliceSize + 300, true)[0].bodies.at(0);
    EXPECT_EQ(record::SummariseBody(body).slice_hashes.size(), 2u);
    return body;
  }
  // A record of this member's, whose only body is another than the one that was sealed for it.
  client::Submission Naming(const std::string& as, const Bytes& body) {
    auto& peer = Member(as);
    auto out = peer.Sealer(kForDeaAndUif, {"mx.uif", "us.dea"}).Seal(1, 100, true)[0];
    v1::Record record;
    EXPECT_TRUE(record.ParseFromArray(out.envelope.payload.data(), static_cast<int>(out.envelope.payload.size())));
    const auto start = StartOf(body);
    record.mutable_portions(0)->set_body_root(start.root.bytes.data(), start.root.bytes.size());
    record.mutable_portions(0)->set_body_length(start.length);
    out.envelope.payload = ToBytes(AsBytes(record.SerializeAsString()));
    out.bodies.clear();
    Sign(out.envelope, peer);
    return out;
  }
};

TEST_F(NetBody, AnUploadWithAFieldThatNobodyKnowsIsRefused) {
  auto stub = Stub("mx.fgr/omar");
  grpc::ClientContext context;
  SetDeadline(context);
  auto stream = stub->Upload(&context);
  v1::UploadChunk chunk;
  proto::ToMessage(StartOf(Bytes(400)), chunk.mutable_start());
  chunk.GetReflection()->MutableUnknownFields(&chunk)->AddVarint(77, 1);
  stream->Write(chunk);
  v1::UploadProgress progress;
  EXPECT_FALSE(stream->Read(&progress));
  EXPECT_EQ(EndOf(context, stream->Finish()).reason, "unknown-field");
}

TEST_F(NetBody, AnUploadGoesOnWhereItWasBroken) {
  Bytes body(2 * record::kSliceSize + 5000);
  random_.Fill(body);
  auto summary = record::SummariseBody(body);
  auto slice = [&](std::size_t i) {
    const auto begin = i * record::kSliceSize, end = std::min(body.size(), begin + record::kSliceSize);
    return Bytes(body.begin() + static_cast<std::ptrdiff_t>(begin), body.begin() + static_cast<std::ptrdiff_t>(end));
  };
  const proto::BodyStart start{summary.root, summary.length, summary.slice_hashes, false};
  v1::UploadProgress progress;
  auto broken = Upload(start, {slice(0)}, &progress);
  EXPECT_EQ(broken.reason, "unavailable");
  EXPECT_EQ(progress.next_slice(), 0u);
  auto wrong = Upload(start, {slice(2)}, &progress);  // not the one that is next
  EXPECT_EQ(wrong.reason, "bad-body");
  EXPECT_EQ(progress.next_slice(), 1u);
  auto done = Upload(start, {slice(1), slice(2)}, &progress);
  EXPECT_EQ(done.code, grpc::StatusCode::OK) << done.message;
  EXPECT_TRUE(progress.complete());
  auto again = Upload(start, {}, &progress);
  EXPECT_EQ(again.code, grpc::StatusCode::OK);
  EXPECT_EQ(progress.next_slice(), 3u);
}

TEST_F(NetBody, AnUploadWhoseHashesDoNotGiveItsRootIsRefused) {
  Bytes body(record::kSliceSize + 17);
  random_.Fill(body);
  auto summary = record::SummariseBody(body);
  auto hashes = summary.slice_hashes;
  hashes[1].bytes[0] ^= 1;
  EXPECT_EQ(Upload({summary.root, summary.length, hashes, false}, {}).reason, "bad-body");
  EXPECT_EQ(Upload({summary.root, summary.length, {summary.slice_hashes[0]}, false}, {}).reason, "bad-body");
  EXPECT_EQ(Upload({summary.root, std::uint64_t{1} << 50, summary.slice_hashes, false}, {}).reason, "too-large");
  ExpectServing();
}

// ---- whose it is ----

TEST_F(NetBody, ARecordNamesWhatItsOwnAgencyUploaded) {
  const Bytes body = SealedBody();
  const auto by_colleague = Naming("mx.fgr/alicia", body), by_stranger = Naming("us.dea/jrivera", body);
  EXPECT_EQ(Post("us.dea/jrivera", by_stranger), "body-missing");
  ASSERT_EQ(Upload(StartOf(body), {SliceOf(body, 0), SliceOf(body, 1)}).code, grpc::StatusCode::OK);
  EXPECT_EQ(Post("us.dea/jrivera", by_stranger), "body-missing") << "as if it were not there";
  EXPECT_EQ(Post("mx.fgr/alicia", by_colleague), "");
  EXPECT_EQ(Post("us.dea/jrivera", by_stranger), "body-missing") << "also when a record has claimed it";
}

TEST_F(NetBody, AStrangersUploadOfTheSameBytesLearnsNothingAndBlocksNobody) {
  const Bytes body = SealedBody();
  const auto start = StartOf(body);
  v1::UploadProgress progress;
  Upload(start, {}, &progress, "us.dea/jrivera");  // begun, and left so
  EXPECT_EQ(Upload(start, {SliceOf(body, 0), SliceOf(body, 1)}, &progress).code, grpc::StatusCode::OK);
  EXPECT_TRUE(progress.complete());
  Upload(start, {}, &progress, "us.dea/jrivera");
  EXPECT_FALSE(progress.complete());
  EXPECT_EQ(progress.next_slice(), 0u);
  const auto sent = Naming("mx.fgr/omar", body);
  EXPECT_EQ(Post("mx.fgr/omar", sent), "");
  // Whoever has the bytes may send them of its own, and its copy is its own.
  EXPECT_EQ(Upload(start, {SliceOf(body, 0), SliceOf(body, 1)}, &progress, "us.dea/jrivera").code,
            grpc::StatusCode::OK);
  // A body belongs to one record, so that it ends with it.
  EXPECT_EQ(Post("us.dea/jrivera", Naming("us.dea/jrivera", body)), "bad-body");
  EXPECT_EQ(Post("mx.fgr/omar", Naming("mx.fgr/omar", body)), "bad-body");
  std::size_t slices = 0;
  ASSERT_TRUE(Member("us.dea/newman")
                  .transport->Download(
                      DigestOf(sent), 0, 2, [](const client::BodyStream&) { return Ok(); },
                      [&](std::uint64_t index, ByteView slice) {
                        EXPECT_TRUE(Equal(slice, SliceOf(body, index)));
                        ++slices;
                        return Ok();
                      }));
  EXPECT_EQ(slices, 2u);
}

// ---- how many ----

TEST_F(NetBody, WhatNoRecordNamesIsTakenUpToALimitForEachMember) {
  Bytes body(std::size_t{40} << 20);  // of 64 that are allowed here
  random_.Fill(body);
  const auto first = StartOf(body);
  body[0] ^= 1;
  const auto second = StartOf(body);
  EXPECT_EQ(Upload(first, {}, nullptr, "us.dea/newman").reason, "unavailable") << "begun";
  const auto refused = Upload(second, {}, nullptr, "us.dea/newman");
  EXPECT_EQ(refused.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.reason, "too-many");
  EXPECT_EQ(Upload(first, {}, nullptr, "us.dea/newman").reason, "unavailable") << "that goes on";
  EXPECT_EQ(Upload(second, {}, nullptr, "us.dea/jrivera").reason, "unavailable") << "others are not concerned";
}

// ---- who is not there any more ----

TEST_F(NetBody, AnUploadEndsWithItsMember) {
  Bytes body(3 * record::kSliceSize);
  random_.Fill(body);
  auto stub = Stub("us.cbp/leaving");
  grpc::ClientContext context;
  SetDeadline(context);
  auto stream = stub->Upload(&context);
  v1::UploadChunk chunk;
  proto::ToMessage(StartOf(body), chunk.mutable_start());
  ASSERT_TRUE(stream->Write(chunk));
  v1::UploadProgress progress;
  ASSERT_TRUE(stream->Read(&progress));
  const auto command = std::string(VALIJA_BINARY_DIR) + "/client/valija --profile " +
                       (world_.root() / "profiles/us.cbp/tom").string() + " --passphrase-file " + world_.Passphrase() +
                       " --yes remove us.cbp/leaving </dev/null >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  for (std::size_t i = 0; i < 3; ++i) {
    v1::UploadChunk piece;
    const auto slice = SliceOf(body, i);
    piece.set_slice(slice.data(), slice.size());
    if (!stream->Write(piece)) break;
  }
  stream->WritesDone();
  while (stream->Read(&progress)) continue;
  EXPECT_FALSE(progress.complete());
  const auto ended = EndOf(context, stream->Finish());
  EXPECT_TRUE(ended.code == grpc::StatusCode::CANCELLED || ended.reason == "not-enrolled") << ended.message;
}

}  // namespace
}  // namespace valija::test
