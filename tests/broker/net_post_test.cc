// What is handed in, and by whom.
#include <atomic>

#include "tests/broker/net_fixture.h"
#include "valija/v1/statement.pb.h"

namespace valija::test {
namespace {

// Field 1000, which nobody knows, as a varint.
constexpr char kUnknown[] = "\xc0\x3e\x01";

using NetPost = NetTest;

TEST_F(NetPost, OnlyTheAuthorMayHandInAStatement) {
  auto submission = Seal(1)[0];
  EXPECT_EQ(Post("us.dea/jrivera", submission), "wrong-author");
  EXPECT_EQ(Post("mx.fgr/omar", submission), "");
}

TEST_F(NetPost, ASignatureByAnotherKeyIsRefused) {
  auto submission = Seal(1)[0];
  Sign(submission.envelope, Member("mx.fgr/alicia"));
  EXPECT_EQ(Post("mx.fgr/omar", submission), "bad-batch");
}

TEST_F(NetPost, ThatWhichWasPostedTwiceIsThereOnce) {
  auto& omar = Member("mx.fgr/omar");
  const auto submissions = Seal(1);
  auto first = omar.transport->Post(submissions, 0).value().outcomes[0].value().receipt;
  auto second = omar.transport->Post(submissions, 0).value().outcomes[0].value().receipt;
  EXPECT_TRUE(first.head == second.head);
  EXPECT_EQ(first.salt, second.salt);
  auto third = omar.transport->Post({submissions[0], submissions[0]}, 0).value();
  for (const auto& outcome : third.outcomes) EXPECT_TRUE(outcome.value().receipt.head == first.head);
}

TEST_F(NetPost, TwoOfTheSameInOneCallAreThereOnce) {
  const auto submission = Seal(1)[0];
  auto answer = Member("mx.fgr/omar").transport->Post({submission, submission}, 0).value();
  EXPECT_TRUE(answer.outcomes[0].value().receipt.head == answer.outcomes[1].value().receipt.head);
}

TEST_F(NetPost, AnotherStatementUnderTheSameHeaderIsRefused) {
  auto submission = Seal(1)[0];
  ASSERT_EQ(Post("mx.fgr/omar", submission), "");
  v1::Record record;
  ASSERT_TRUE(
      record.ParseFromArray(submission.envelope.payload.data(), static_cast<int>(submission.envelope.payload.size())));
  (*record.mutable_portions(0)->mutable_wraps(0))[0] ^= 1;
  submission.envelope.payload = ToBytes(AsBytes(record.SerializeAsString()));
  Sign(submission.envelope, Member("mx.fgr/omar"));
  EXPECT_EQ(Post("mx.fgr/omar", submission), "header-reused");
}

TEST_F(NetPost, ARequestIsGoodOnce) {
  const auto record = Send();
  const auto nonce = random_.Make<Nonce>();
  auto open = Open("us.dea/jrivera", record, nonce);
  EXPECT_EQ(Post("us.dea/jrivera", open), "");
  EXPECT_EQ(Post("us.dea/jrivera", Open("us.dea/jrivera", record, nonce, "another")), "replayed");
}

TEST_F(NetPost, UnknownFieldsAreRefusedWhereverTheyAre) {
  auto stub = Stub("mx.fgr/omar");
  auto submission = Seal(1)[0];
  v1::PostRequest request;
  proto::ToMessage(submission, request.add_submissions());
  auto post = [&](const v1::PostRequest& sent) -> std::string {
    v1::PostResponse response;
    auto ended = Call(*stub, &v1::Exchange::Stub::Post, sent, &response);
    return ended.code != grpc::StatusCode::OK ? "call: " + ended.reason : response.outcomes(0).refusal().code();
  };
  auto in_request = request;
  in_request.GetReflection()->MutableUnknownFields(&in_request)->AddVarint(1000, 1);
  EXPECT_EQ(post(in_request), "call: unknown-field");
  auto in_submission = request;
  auto* first = in_submission.mutable_submissions(0);
  first->GetReflection()->MutableUnknownFields(first)->AddVarint(1000, 1);
  EXPECT_EQ(post(in_submission), "unknown-field");
  auto in_envelope = request;
  auto* envelope = in_envelope.mutable_submissions(0)->mutable_statement();
  envelope->GetReflection()->MutableUnknownFields(envelope)->AddVarint(1000, 1);
  EXPECT_EQ(post(in_envelope), "unknown-field");

  auto payload = submission;
  payload.envelope.payload = Concat({payload.envelope.payload, AsBytes(kUnknown)});
  Sign(payload.envelope, Member("mx.fgr/omar"));
  EXPECT_EQ(Post("mx.fgr/omar", payload), "unknown-field");

  v1::CheckpointRequest checkpoint;
  checkpoint.GetReflection()->MutableUnknownFields(&checkpoint)->AddVarint(1000, 1);
  v1::View view;
  EXPECT_EQ(Call(*stub, &v1::Exchange::Stub::GetCheckpoint, checkpoint, &view).reason, "unknown-field");
  EXPECT_EQ(Post("mx.fgr/omar", submission), "");
}

TEST_F(NetPost, AMessageOverTheLimitIsRefusedAndOthersAreServed) {
  auto stub = Stub("mx.fgr/omar");
  v1::PostRequest request;
  request.add_submissions()->mutable_statement()->set_payload(std::string(5 << 20, 'x'));
  v1::PostResponse response;
  EXPECT_EQ(Call(*stub, &v1::Exchange::Stub::Post, request, &response).code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectServing();
}

TEST_F(NetPost, OneTo256SubmissionsAreTaken) {
  auto stub = Stub("mx.fgr/omar");
  v1::PostRequest request;
  v1::PostResponse response;
  EXPECT_EQ(Call(*stub, &v1::Exchange::Stub::Post, request, &response).reason, "malformed");
  for (int i = 0; i < 257; ++i) request.add_submissions();
  EXPECT_EQ(Call(*stub, &v1::Exchange::Stub::Post, request, &response).reason, "malformed");
  request.mutable_submissions()->RemoveLast();
  const auto ended = Call(*stub, &v1::Exchange::Stub::Post, request, &response);
  EXPECT_EQ(ended.code, grpc::StatusCode::OK) << ended.message;
  ASSERT_EQ(response.outcomes_size(), 256);
  EXPECT_EQ(response.outcomes(255).refusal().code(), "malformed");
}

TEST_F(NetPost, AFalseStatementDoesNotHarmTheOnesBesideIt) {
  auto submissions = Seal(3);
  submissions[1].envelope.payload[5] ^= 1;
  auto answer = Member("mx.fgr/omar").transport->Post(submissions, 0).value();
  EXPECT_TRUE(answer.outcomes[0]);
  EXPECT_FALSE(answer.outcomes[1]);
  EXPECT_TRUE(answer.outcomes[2]);
}

TEST_F(NetPost, GarbageIsRefusedAndOthersAreServed) {
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(world_.ChannelOf(Member("mx.fgr/omar")));
  for (const char* method : {"Post", "GetRecord", "GetTile", "Custody", "NoSuchCall"}) {
    grpc::Slice slice(std::string(1000, '\xff'));
    grpc::ByteBuffer garbage(&slice, 1), answer;
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    SetDeadline(context);
    auto call = stub.PrepareUnaryCall(&context, std::string("/valija.v1.Exchange/") + method, garbage, &queue);
    call->StartCall();
    grpc::Status status;
    call->Finish(&answer, &status, &queue);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_FALSE(status.ok()) << method;
  }
  ExpectServing();
}

TEST_F(NetPost, ACallWithoutADeadlineIsRefused) {
  auto stub = Stub("mx.fgr/omar");
  grpc::ClientContext context;
  v1::View view;
  const auto ended = EndOf(context, stub->GetCheckpoint(&context, {}, &view));
  EXPECT_EQ(ended.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ended.reason, "usage");
}

TEST_F(NetPost, CompressedMessagesAreRefused) {
  auto stub = Stub("mx.fgr/omar");
  for (auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    SetDeadline(context);
    context.set_compression_algorithm(algorithm);
    v1::TileRequest request;
    request.set_path("tile/0/" + std::string(5000, '0'));  // worth compressing
    v1::TileAnswer answer;
    const auto ended = EndOf(context, stub->GetTile(&context, request, &answer));
    EXPECT_EQ(ended.code, grpc::StatusCode::UNIMPLEMENTED) << ended.message;
  }
  ExpectServing();
}

TEST_F(NetPost, TheBodiesAreThoseOfTheRecord) {
  auto submission = Seal(1)[0];
  auto bodies = submission.bodies;
  submission.bodies.clear();
  EXPECT_EQ(Post("mx.fgr/omar", submission), "body-missing");
  submission.bodies = {bodies[0], Seal(1)[0].bodies[0]};
  EXPECT_EQ(Post("mx.fgr/omar", submission), "bad-body");
  submission.bodies = {bodies[0]};
  submission.bodies[0][0] ^= 1;
  EXPECT_EQ(Post("mx.fgr/omar", submission), "bad-body");
  submission.bodies = bodies;
  EXPECT_EQ(Post("mx.fgr/omar", submission), "");
}

TEST_F(NetPost, ARecordSealedToAnEpochThatWasReplacedIsRefusedAfterTheGraceTime) {
  constexpr char kForCbp[] =
      "marking TLP:GREEN\nreleasable-to agency us.cbp\npurpose analysis\ncase optional\nexpires 2036-01-01\n";
  auto& omar = Member("mx.fgr/omar");
  omar.verifier->Refresh(*omar.transport).value();
  auto before = omar.Sealer(kForCbp, {"us.cbp"}).Seal(2, 100, true);
  ASSERT_EQ(Post("mx.fgr/omar", before[0]), "");
  const auto command = std::string(VALIJA_BINARY_DIR) + "/client/valija --profile " +
                       (world_.root() / "profiles/us.cbp/tom").string() + " --passphrase-file " + world_.Passphrase() +
                       " epoch rotate </dev/null >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(1001));  // this world's charter gives a second
  EXPECT_EQ(Post("mx.fgr/omar", before[1]), "superseded-epoch");
  omar.verifier->Refresh(*omar.transport).value();
  EXPECT_EQ(Post("mx.fgr/omar", omar.Sealer(kForCbp, {"us.cbp"}).Seal(1, 100, true)[0]), "");
}

TEST_F(NetPost, TooManyCallsAtOnceOfOneMemberAreRefusedAndOthersAreServed) {
  auto stub = Stub("mx.fgr/omar");
  v1::PostRequest request;
  for (const auto& one : Seal(200)) proto::ToMessage(one, request.add_submissions());
  std::atomic<int> refused{0}, served{0}, other{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 24; ++i)
    threads.emplace_back([&] {
      v1::PostResponse response;
      const auto ended = Call(*stub, &v1::Exchange::Stub::Post, request, &response);
      if (ended.code == grpc::StatusCode::OK)
        ++served;
      else if (ended.code == grpc::StatusCode::RESOURCE_EXHAUSTED && ended.reason == "too-many")
        ++refused;
      else
        ++other;
    });
  ExpectServing();
  for (auto& thread : threads) thread.join();
  EXPECT_GE(served, 4);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(other, 0);
  for (int i = 0; i < 500 && !Member("mx.fgr/omar").transport->Checkpoint(0); ++i)  // answered calls end a moment later
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

}  // namespace
}  // namespace valija::test
