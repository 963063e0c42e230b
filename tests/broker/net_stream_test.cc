// Streams that stay open, and how they end.
#include <atomic>
#include <mutex>

#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

// A Follow that is read on a thread of its own.
class Follower {
 public:
  Follower(std::shared_ptr<grpc::Channel> channel, std::uint64_t cursor) : stub_(v1::Exchange::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::FollowRequest request;
    request.set_cursor(cursor);
    stream_ = stub_->Follow(&context_, request);
    reader_ = std::thread([this] {
      v1::MailItem item;
      while (stream_->Read(&item)) {
        std::lock_guard lock(mutex_);
        seen_.push_back(
            crypto::DigestOf(item.entry().statement().payload_type(), AsBytes(item.entry().statement().payload())));
      }
      auto ended = EndOf(context_, stream_->Finish());
      std::lock_guard lock(mutex_);
      ended_ = ended;
    });
  }
  ~Follower() {
    context_.TryCancel();
    reader_.join();
  }
  bool WaitFor(const Digest& digest) {
    return Wait([&] { return std::find(seen_.begin(), seen_.end(), digest) != seen_.end(); });
  }
  bool Saw(const Digest& digest) {
    std::lock_guard lock(mutex_);
    return std::find(seen_.begin(), seen_.end(), digest) != seen_.end();
  }
  std::optional<Ended> WaitForEnd() {
    Wait([&] { return ended_.has_value(); });
    std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  template <class F>
  bool Wait(F there) {
    for (int i = 0; i < 2000; ++i) {
      {
        std::lock_guard lock(mutex_);
        if (there()) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::unique_ptr<v1::Exchange::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::MailItem>> stream_;
  std::thread reader_;
  std::mutex mutex_;
  std::vector<Digest> seen_;
  std::optional<Ended> ended_;
};

class NetStream : public NetTest {
 protected:
  std::uint64_t Size() {
    auto& omar = Member("mx.fgr/omar");
    return omar.verifier->Advance(omar.transport->Checkpoint(omar.verifier->verified_size()).value())
        .value()
        .checkpoint()
        .size;
  }
};

TEST_F(NetStream, FollowBringsARecordThatIsSentLaterAndItsOriginatorTheNews) {
  Follower recipient(world_.ChannelOf(Member("us.dea/jrivera")), Size());
  Follower originator(world_.ChannelOf(Member("mx.fgr/omar")), Size());
  const auto record = Send();
  EXPECT_TRUE(recipient.WaitFor(record));
  auto open = Open("us.dea/jrivera", record, random_.Make<Nonce>());
  ASSERT_EQ(Post("us.dea/jrivera", open), "");
  EXPECT_TRUE(originator.WaitFor(DigestOf(open)));
}

TEST_F(NetStream, FollowFindsARecordBehindManyThatItsMemberMayNotSee) {
  const auto from = Size();
  const auto for_another = Seal(
      200, "marking TLP:RED\nreleasable-to member us.dea/karen\npurpose analysis\ncase optional\nexpires 2036-01-01\n");
  ASSERT_TRUE(Member("mx.fgr/omar").transport->Post(for_another, 0));
  const auto record = Send();
  Follower recipient(world_.ChannelOf(Member("us.dea/jrivera")), from);
  EXPECT_TRUE(recipient.WaitFor(record));
  EXPECT_FALSE(recipient.Saw(DigestOf(for_another[0])));
}

TEST_F(NetStream, ASlowReaderHoldsUpNobody) {
  auto stub = Stub("us.dea/newman");
  grpc::ClientContext context;
  SetDeadline(context, 60);
  auto slow = stub->Follow(&context, v1::FollowRequest());  // never read
  Follower other(world_.ChannelOf(Member("us.dea/jrivera")), Size());
  for (int i = 0; i < 5; ++i) {
    auto submissions = Seal(200);
    auto answer = Member("mx.fgr/omar").transport->Post(submissions, 0);
    ASSERT_TRUE(answer) << answer.error().Message();
    EXPECT_TRUE(other.WaitFor(DigestOf(submissions[199])));
  }
  context.TryCancel();
}

TEST_F(NetStream, TooManyOpenStreamsOfOneMemberAreRefused) {
  const auto channel = world_.ChannelOf(Member("mx.uif/beatriz"));
  const auto from = Size();
  std::vector<std::unique_ptr<Follower>> open;
  for (int i = 0; i < 5; ++i) open.push_back(std::make_unique<Follower>(channel, from));
  std::optional<Ended> ended;
  for (int i = 0; i < 2000 && !ended; ++i) {  // which of the five came last is not known
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    v1::View view;
    auto stub = v1::Exchange::NewStub(channel);
    grpc::ClientContext context;
    SetDeadline(context);
    auto sixth = stub->Follow(&context, v1::FollowRequest());
    v1::MailItem item;
    if (!sixth->Read(&item))
      ended = EndOf(context, sixth->Finish());
    else
      context.TryCancel();
  }
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ended->reason, "too-many");
  EXPECT_TRUE(Member("mx.uif/beatriz").transport->Checkpoint(0)) << "other calls are not concerned";
}

TEST_F(NetStream, ARemovedMembersStreamEndsAndItsNextCallIsRefused) {
  const auto channel = world_.ChannelOf(Member("us.cbp/gone"));
  ASSERT_EQ(Checkpoint(channel).code, grpc::StatusCode::OK);
  Follower gone(channel, Size());
  Follower stays(world_.ChannelOf(Member("us.cbp/vera")), Size());
  // A copy: this process may hold the profile itself.
  const auto profile = world_.root() / "profiles/tom-removes";
  std::filesystem::copy(world_.root() / "profiles/us.cbp/tom", profile, std::filesystem::copy_options::recursive);
  const auto command = std::string(VALIJA_BINARY_DIR) + "/client/valija --profile " + profile.string() +
                       " --passphrase-file " + world_.Passphrase() +
                       " --yes remove us.cbp/gone </dev/null >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto ended = gone.WaitForEnd();
  ASSERT_TRUE(ended) << "the stream is still open";
  EXPECT_TRUE(ended->code == grpc::StatusCode::CANCELLED || ended->reason == "not-enrolled") << ended->message;
  const auto refused = Checkpoint(channel);  // the connection is still there
  EXPECT_EQ(refused.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(refused.reason, "not-enrolled");
  EXPECT_EQ(refused.message.find("us.cbp"), std::string::npos);
  EXPECT_TRUE(Member("us.cbp/vera").transport->Checkpoint(0));
}

// Last, as it stops the broker that all share.
TEST_F(NetStream, ZAGracefulStopEndsOpenStreamsAndLosesNothing) {
  const auto channel = world_.ChannelOf(Member("us.dea/jrivera"));
  Follower follower(channel, Size());
  const auto record = Send();
  ASSERT_TRUE(follower.WaitFor(record));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(world_.Stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));  // stop-seconds and a slow machine
  EXPECT_TRUE(follower.WaitForEnd());
  world_.Start();
  auto there = Member("us.dea/jrivera").transport->GetRecord(record, 0);
  for (int i = 0; i < 100 && !there; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    there = Member("us.dea/jrivera").transport->GetRecord(record, 0);
  }
  EXPECT_TRUE(there) << there.error().Message();
}

}  // namespace
}  // namespace valija::test
