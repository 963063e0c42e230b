// Who is let in. In TLS 1.3 a client believes that it is connected before the server has judged its certificate: what
// counts is that no call is answered.
#include "broker/tls.h"
#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

std::string OutputOf(const std::string& command) {
  FILE* pipe = ::popen((command + " </dev/null 2>&1").c_str(), "r");
  std::string out;
  char block[4096];
  while (const auto got = std::fread(block, 1, sizeof block, pipe)) out.append(block, got);
  ::pclose(pipe);
  return out;
}

using NetTls = NetTest;

TEST_F(NetTls, SpeaksTls13AndRefusesARealClientThatOffersTls12) {
  const auto client = "timeout 20 openssl s_client -connect " + world_.address() + " -alpn h2 -CAfile " +
                      (world_.root() / "pki/carrier/ca.pem").string();
  EXPECT_NE(OutputOf(client + " -tls1_3").find("New, TLSv1.3"), std::string::npos);
  const auto old = OutputOf(client + " -tls1_2");
  EXPECT_NE(old.find("New, (NONE)"), std::string::npos) << old;
  EXPECT_EQ(old.find("BEGIN CERTIFICATE"), std::string::npos) << old;
}

TEST_F(NetTls, TheProbeFindsAServerThatSpeaksTls12) {
  EXPECT_TRUE(broker::ProbeRefusesTls12(world_.port()));
  const auto certificate = (world_.root() / "attack/self-signed").string();
  FILE* server = ::popen(("timeout 20 openssl s_server -accept 127.0.0.1:0 -naccept 1 -www -tls1_2 -cert " +
                          certificate + ".pem -key " + certificate + ".key 2>&1")
                             .c_str(),
                         "r");
  ASSERT_NE(server, nullptr);
  char line[256];
  int port = 0;
  while (port == 0 && std::fgets(line, sizeof line, server) != nullptr)
    (void)std::sscanf(line, "ACCEPT 127.0.0.1:%d", &port);
  ASSERT_NE(port, 0);
  EXPECT_FALSE(broker::ProbeRefusesTls12(port));
  ::pclose(server);
}

TEST_F(NetTls, AnswersTheMemberWhoseCertificateItIs) {
  EXPECT_EQ(Checkpoint(world_.ChannelOf(Member("mx.fgr/omar"))).code, grpc::StatusCode::OK);
}

TEST_F(NetTls, RefusesTheHandshakeOfWhoHasNoCertificateOfAnAgency) {
  const auto key = LiveWorld::KeyPem(*Member("mx.fgr/omar").keys);
  EXPECT_EQ(Checkpoint(world_.Channel("", "")).code, grpc::StatusCode::UNAVAILABLE) << "no certificate";
  EXPECT_EQ(Checkpoint(world_.Channel(world_.Attack("self-signed.pem"), world_.Attack("self-signed.key"))).code,
            grpc::StatusCode::UNAVAILABLE)
      << "self-signed";
  for (const char* name : {"expired", "not-yet-valid", "server", "carrier"})
    EXPECT_EQ(Checkpoint(world_.Channel(world_.Attack(name + std::string(".pem")), key)).code,
              grpc::StatusCode::UNAVAILABLE)
        << name;
  ExpectServing();
}

TEST_F(NetTls, RefusesACertificateThatAnotherAgencysCaIssuedInAMembersName) {
  const auto ended =
      Checkpoint(world_.Channel(world_.Attack("foreign.pem"), LiveWorld::KeyPem(*Member("mx.fgr/omar").keys)));
  EXPECT_EQ(ended.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ended.reason, "no-identity");
}

TEST_F(NetTls, RefusesACertificateThatNamesTwoMembers) {
  const auto ended =
      Checkpoint(world_.Channel(world_.Attack("two-names.pem"), LiveWorld::KeyPem(*Member("mx.fgr/omar").keys)));
  EXPECT_EQ(ended.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ended.reason, "no-identity");
}

TEST_F(NetTls, RefusesAnotherMembersNameWithAnEnrolledKeyThatIsNotItsOwn) {
  const auto ended =
      Checkpoint(world_.Channel(world_.Attack("other-member.pem"), LiveWorld::KeyPem(*Member("mx.fgr/omar").keys)));
  EXPECT_EQ(ended.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ended.reason, "not-enrolled");
}

TEST_F(NetTls, HealthIsAnsweredAsTheStandardServiceDoes) {
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub(world_.ChannelOf(Member("mx.fgr/omar")));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  SetDeadline(context);
  auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::ByteBuffer(nullptr, 0), &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(status.ok()) << status.error_message();
  grpc::Slice slice;
  ASSERT_TRUE(answer.DumpToSingleSlice(&slice).ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(slice.begin()), slice.size()), "\x08\x01");  // SERVING
}

}  // namespace
}  // namespace valija::test
