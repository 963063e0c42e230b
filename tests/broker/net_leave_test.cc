// Members that are suspended, and an agency that leaves: nothing more for them, by any call. The last tests of all, as the
// world is another one afterwards.
#include <google/protobuf/descriptor.h>

#include "tests/broker/net_life.h"

namespace valija::test {
namespace {

class NetLeave : public NetLifeTest {
 protected:
  // Every call of the service, whatever there will be of them, with an empty message.
  static std::vector<std::string> Methods() {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName("valija.v1.Exchange");
    std::vector<std::string> out;
    for (int i = 0; i < service->method_count(); ++i) out.push_back(service->method(i)->name());
    return out;
  }
  static Ended Try(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
    grpc::GenericStub stub(channel);
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    SetDeadline(context);
    auto call = stub.PrepareCall(&context, "/valija.v1.Exchange/" + method, &queue);
    const auto wait = [&] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    call->StartCall(nullptr);
    if (wait()) {
      call->WriteLast(grpc::ByteBuffer(nullptr, 0), grpc::WriteOptions(), nullptr);
      wait();
    }
    grpc::ByteBuffer answer;
    for (bool more = true; more;) {
      call->Read(&answer, nullptr);
      more = wait();
      EXPECT_FALSE(more) << method << " answered";
      if (more) context.TryCancel();
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    return EndOf(context, status);
  }
  static std::optional<Ended> EndOfFollow(grpc::ClientReader<v1::MailItem>& stream, grpc::ClientContext& context) {
    v1::MailItem item;
    while (stream.Read(&item)) continue;
    return EndOf(context, stream.Finish());
  }
};

TEST_F(NetLeave, ASuspendedMembersStreamEndsAndEveryCallOfItIsRefusedUntilItIsBack) {
  const auto channel = world_.ChannelOf(Member("us.cbp/paused"));
  auto stub = v1::Exchange::NewStub(channel);
  grpc::ClientContext context;
  SetDeadline(context, 60);
  v1::FollowRequest request;
  auto stream = stub->Follow(&context, request);
  ASSERT_EQ(Checkpoint(channel).code, grpc::StatusCode::OK);
  ASSERT_EQ(Post("us.cbp/tom", SetStatus("us.cbp/tom", "us.cbp/paused", ledger::MemberStatus::kSuspended)), "");
  const auto ended = EndOfFollow(*stream, context);
  EXPECT_TRUE(ended->code == grpc::StatusCode::CANCELLED || ended->reason == "not-enrolled") << ended->message;
  for (const auto& method : Methods()) EXPECT_EQ(Try(channel, method).reason, "not-enrolled") << method;
  ASSERT_EQ(Post("us.cbp/tom", SetStatus("us.cbp/tom", "us.cbp/paused", ledger::MemberStatus::kActive)), "");
  EXPECT_EQ(Checkpoint(channel).code, grpc::StatusCode::OK);
}

TEST_F(NetLeave, AnAgencyThatLeftGetsNothingByAnyCallAndMayJoinAgainWithoutARestart) {
  const std::vector<std::string> administrators = {"mx.fgr/alicia", "mx.uif/beatriz", "us.dea/karen", "us.cbp/tom"};
  for (const auto& name : administrators) (void)Member(name);
  auto& karen = Member("us.dea/karen");
  ASSERT_TRUE(karen.verifier->Refresh(*karen.transport));
  const ledger::Charter before = *karen.verifier->directory().charter();
  auto& omar = Member("mx.fgr/omar");  // who seals to the epoch of now
  ASSERT_TRUE(omar.verifier->Refresh(*omar.transport));
  const auto record = Send(
      "marking TLP:GREEN\nreleasable-to agency us.cbp\npurpose analysis\ncase optional\nexpires "
      "2036-01-01\n",
      {"us.cbp"});
  const auto vera = world_.ChannelOf(Member("us.cbp/vera"));
  const auto tom = world_.ChannelOf(Member("us.cbp/tom"));
  auto stub = v1::Exchange::NewStub(vera);
  grpc::ClientContext context;
  SetDeadline(context, 60);
  auto stream = stub->Follow(&context, v1::FollowRequest());
  ASSERT_EQ(Checkpoint(vera).code, grpc::StatusCode::OK);
  ASSERT_EQ(Checkpoint(tom).code, grpc::StatusCode::OK);
  ASSERT_EQ(Download("us.cbp/vera", record).code, grpc::StatusCode::OK);

  auto without = before;
  without.nonce = random_.Make<Nonce>();
  without.time = Now();
  std::erase_if(without.agencies, [](const auto& one) { return one.id.str() == "us.cbp"; });
  const auto previous = karen.verifier->directory().charter_statement();
  const auto leave = AmendCharter({"mx.fgr/alicia", "mx.uif/beatriz", "us.dea/karen"}, without, previous);
  EXPECT_EQ(Post("us.dea/jrivera", leave), "not-authorised") << "an administrator hands it in";
  auto forged = leave;
  forged.envelope.signatures[0].key_id = forged.envelope.signatures[1].key_id;
  EXPECT_EQ(Post("us.dea/karen", forged), "bad-signature");
  ASSERT_EQ(Post("us.dea/karen", leave), "");

  const auto ended = EndOfFollow(*stream, context);
  EXPECT_TRUE(ended->code == grpc::StatusCode::CANCELLED || ended->reason == "not-enrolled") << ended->message;
  for (const auto& method : Methods()) {
    EXPECT_EQ(Try(vera, method).reason, "not-enrolled") << method;
    EXPECT_EQ(Try(tom, method).reason, "not-enrolled") << method;
  }
  // Its CA opens no connection any more.
  EXPECT_EQ(Checkpoint(world_.ChannelOf(Member("us.cbp/vera"))).code, grpc::StatusCode::UNAVAILABLE);
  ExpectServing();

  // It joins again: the present parties and it itself sign, and a member of it is connected at once.
  auto with = before;
  with.nonce = random_.Make<Nonce>();
  with.time = Now();
  EXPECT_EQ(
      Post("us.dea/karen", AmendCharter({"mx.fgr/alicia", "mx.uif/beatriz", "us.dea/karen"}, with, DigestOf(leave))),
      "bad-signature")
      << "who joins must sign";
  ASSERT_EQ(Post("us.dea/karen", AmendCharter(administrators, with, DigestOf(leave))), "");
  EXPECT_EQ(Checkpoint(tom).code, grpc::StatusCode::OK);
  auto connected = Checkpoint(world_.ChannelOf(Member("us.cbp/tom")));  // the answer may come before the CAs are set
  for (int i = 0; i < 100 && connected.code == grpc::StatusCode::UNAVAILABLE; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    connected = Checkpoint(world_.ChannelOf(Member("us.cbp/tom")));
  }
  EXPECT_EQ(connected.code, grpc::StatusCode::OK);
  EXPECT_EQ(Checkpoint(vera).reason, "not-enrolled") << "its other members are enrolled anew";
}

}  // namespace
}  // namespace valija::test
