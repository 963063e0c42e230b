// Who is let in. In TLS 1.3 a client believes that it is connected before the server has judged its certificate: what
// counts is that no call is answered.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

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

// `openssl s_server` with these options, for two connections, as a broker of another kind.
struct OtherServer {
  FILE* pipe = nullptr;
  int port = 0;
  OtherServer(const std::filesystem::path& root, const std::string& options) {
    const auto certificate = (root / "attack/self-signed").string();
    pipe = ::popen(("timeout 20 openssl s_server -accept 127.0.0.1:0 -naccept 2 -www -cert " + certificate +
                    ".pem -key " + certificate + ".key " + options + " 2>&1")
                       .c_str(),
                   "r");
    char line[256];
    while (port == 0 && pipe != nullptr && std::fgets(line, sizeof line, pipe) != nullptr)
      (void)std::sscanf(line, "ACCEPT 127.0.0.1:%d", &port);
  }
  ~OtherServer() {
    if (port != 0) (void)broker::ProbeTls13Only(port);  // whatever it still waits for
    ::pclose(pipe);
  }
};

TEST_F(NetTls, TheProbePassesTheBroker) { EXPECT_TRUE(broker::ProbeTls13Only(world_.port())); }

TEST_F(NetTls, TheProbeFindsAServerThatSpeaksTls12) {
  OtherServer both(world_.root(), "");
  ASSERT_NE(both.port, 0);
  auto probed = broker::ProbeTls13Only(both.port);
  ASSERT_FALSE(probed);
  EXPECT_NE(probed.error().detail.find("speaks TLS 1.2"), std::string::npos) << probed.error().detail;
}

TEST_F(NetTls, TheProbeTakesNoServerThatDoesNotSpeakTls13) {
  OtherServer old(world_.root(), "-tls1_2");
  ASSERT_NE(old.port, 0);
  auto probed = broker::ProbeTls13Only(old.port);
  ASSERT_FALSE(probed);
  EXPECT_NE(probed.error().detail.find("does not speak TLS 1.3"), std::string::npos) << probed.error().detail;
}

TEST_F(NetTls, TheProbeTakesNoOtherFailureOfTls12ForARefusal) {
  // It speaks TLS 1.2 too, in ciphers that the probe does not have.
  OtherServer other(world_.root(), "-cipher PSK-AES128-GCM-SHA256 -psk 00");
  ASSERT_NE(other.port, 0);
  auto probed = broker::ProbeTls13Only(other.port);
  ASSERT_FALSE(probed);
  EXPECT_NE(probed.error().detail.find("neither agreed"), std::string::npos) << probed.error().detail;
}

TEST_F(NetTls, AProbeThatCannotBeMadeIsARefusal) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int bound = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);  // and does not listen
  ASSERT_EQ(::bind(bound, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(bound, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_FALSE(broker::ProbeTls13Only(ntohs(address.sin_port)));
  ::close(bound);
}

TEST_F(NetTls, CredentialsAreProvedOnAPrivatePortOfTheirOwn) {
  const auto self_signed = world_.Attack("self-signed.pem");
  auto key = crypto::Secret::CopyOf(AsBytes(world_.Attack("self-signed.key")));
  EXPECT_TRUE(broker::ProveTls13Only(
      broker::MakeServerCredentials(self_signed, key, std::make_shared<broker::ClientCas>(self_signed))));
  // Credentials that speak no TLS at all prove nothing.
  EXPECT_FALSE(broker::ProveTls13Only(grpc::InsecureServerCredentials()));
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
