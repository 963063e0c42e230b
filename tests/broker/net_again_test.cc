// An answer that was lost: the very same request again, and what its author gets for it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>

#include "core/record/release.h"
#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

// A wire to the broker that can be told to lose what the broker says, and then to break.
class Wire {
 public:
  explicit Wire(int to) : to_(to) {
    sockaddr_in address = At(0);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port for the wire");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~Wire() {
    ended_ = true;
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }
  void LoseAnswers() { losing_ = true; }
  void Break() { broken_ = true; }  // what is connected; later connections are good

 private:
  struct Pair {
    int client, broker;
  };
  static sockaddr_in At(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
  }
  static bool Pass(int from, int to, bool lose) {
    char block[65536];
    const auto got = ::recv(from, block, sizeof block, 0);
    if (got <= 0) return false;
    for (ssize_t at = 0; !lose && at < got;) {
      const auto sent = ::send(to, block + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      at += sent;
    }
    return true;
  }
  static void Close(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.broker);
  }
  void Run() {
    std::vector<Pair> pairs;
    while (!ended_) {
      if (broken_.exchange(false)) {
        for (const auto& pair : pairs) Close(pair);
        pairs.clear();
        losing_ = false;
      }
      std::vector<pollfd> waits = {{listener_, POLLIN, 0}};
      for (const auto& pair : pairs) {
        waits.push_back({pair.client, POLLIN, 0});
        waits.push_back({pair.broker, POLLIN, 0});
      }
      ::poll(waits.data(), waits.size(), 20);
      for (std::size_t i = pairs.size(); i-- > 0;) {
        bool good = true;
        if (waits[1 + 2 * i].revents != 0) good = Pass(pairs[i].client, pairs[i].broker, false);
        if (good && waits[2 + 2 * i].revents != 0) good = Pass(pairs[i].broker, pairs[i].client, losing_);
        if (good) continue;
        Close(pairs[i]);
        pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (waits[0].revents == 0) continue;
      Pair pair{::accept(listener_, nullptr, nullptr), ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      const auto address = At(to_);
      if (::connect(pair.broker, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        pairs.push_back(pair);
      else
        Close(pair);
    }
    for (const auto& pair : pairs) Close(pair);
  }

  const int to_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> losing_ = false, broken_ = false, ended_ = false;
  std::thread thread_;
};

class NetAgain : public NetTest {
 protected:
  static constexpr char kReader[] = "us.dea/jrivera";
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(random_);

  client::Submission Request(const Digest& record, Duration good_for = std::chrono::minutes(5)) {
    return Open(kReader, record, random_.Make<Nonce>(), "", &reply_, good_for);
  }
  client::Accepted Posted(const client::Submission& open) {
    return std::move(Member(kReader).transport->Post({open}, 0).value().outcomes.at(0).value());
  }
  // The one share that was released, as only the holder of the reply key sees it.
  Bytes Share(const client::Accepted& accepted) {
    if (accepted.releases.size() != 1) return {};
    const auto& release = accepted.releases[0];
    record::ReleaseBinding binding{accepted.receipt.head.statement, accepted.receipt.head.decision, release.authority,
                                   *AgencyId::Parse("us.dea"), Member(kReader).keys->signature.id()};
    auto shares = record::OpenRelease(binding, reply_, release.enc, release.ciphertext, 1);
    return shares ? ToBytes((*shares)[0].view()) : Bytes();
  }
  std::uint64_t Size() {
    auto& omar = Member("mx.fgr/omar");
    auto view = omar.transport->Checkpoint(omar.verifier->verified_size()).value();
    return omar.verifier->Advance(view).value().checkpoint().size;
  }
};

TEST_F(NetAgain, TheSameRequestGetsTheSameReceiptAndTheSameShareAndIsOneEntry) {
  const auto open = Request(Send(std::string(kForDea) + "openings 1 in all\n"));
  const auto first = Posted(open);
  const auto size = Size();
  const auto again = Posted(open);
  EXPECT_TRUE(again.receipt.head == first.receipt.head);
  EXPECT_EQ(again.receipt.salt, first.receipt.salt);
  EXPECT_EQ(again.receipt.decision_bytes, first.receipt.decision_bytes);
  EXPECT_EQ(Share(first).size(), 32u);
  EXPECT_EQ(Share(again), Share(first));
  EXPECT_NE(again.releases[0].enc, first.releases[0].enc) << "sealed anew";
  EXPECT_EQ(Size(), size);
}

TEST_F(NetAgain, WhoLostTheAnswerToABrokenConnectionGetsItByPostingTheSameAgain) {
  Wire wire(world_.port());
  auto& reader = Member(kReader);
  client::Endpoint endpoint;
  endpoint.address = "127.0.0.1:" + std::to_string(wire.port());
  endpoint.server_ca_pem = world_.CarrierCa();
  endpoint.certificate_pem = reader.profile->CertificatePem().value();
  endpoint.key_pem = crypto::PlainEcPem(reader.keys->authentication.Scalar());
  auto transport = client::Transport::Connect(std::move(endpoint)).value();
  const auto open = Request(Send());
  ASSERT_TRUE(transport->Checkpoint(0));  // connected
  const auto size = Size();
  wire.LoseAnswers();
  std::optional<Result<client::PostAnswer>> lost;
  std::thread posting([&] { lost = transport->Post({open}, 0); });
  for (int i = 0; i < 1000 && Size() == size; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  wire.Break();
  posting.join();
  ASSERT_FALSE(*lost);
  EXPECT_EQ(lost->error().reason, Reason::kUnavailable);
  EXPECT_EQ(Size(), size + 1) << "it was decided";
  auto again = transport->Post({open}, 0);
  ASSERT_TRUE(again) << again.error().Message();
  EXPECT_EQ(Share(again->outcomes.at(0).value()).size(), 32u);
  EXPECT_EQ(Size(), size + 1);
}

TEST_F(NetAgain, TwoOfTheSameRequestInOneCallAreOneEntryAndBothAnswered) {
  const auto open = Request(Send());
  auto answer = Member(kReader).transport->Post({open, open}, 0).value();
  EXPECT_TRUE(answer.outcomes[0].value().receipt.head == answer.outcomes[1].value().receipt.head);
  EXPECT_EQ(Share(answer.outcomes[1].value()), Share(answer.outcomes[0].value()));
}

TEST_F(NetAgain, AfterARevocationThereIsTheReceiptAndNoRelease) {
  const auto record = Send();
  const auto open = Request(record);
  const auto first = Posted(open);
  ASSERT_EQ(first.releases.size(), 1u);
  ASSERT_EQ(Post("mx.fgr/omar", Revoke("mx.fgr/omar", record)), "");
  const auto again = Posted(open);
  EXPECT_TRUE(again.receipt.head == first.receipt.head);
  EXPECT_TRUE(again.releases.empty());
}

TEST_F(NetAgain, ARequestThatHasExpiredReleasesNothing) {
  const auto record = Send();
  std::string outcome = "request-expired";
  client::Submission open;
  Time expires;
  for (int seconds = 1; outcome == "request-expired" && seconds <= 32; seconds *= 2) {  // however slow the machine
    open = Request(record, std::chrono::seconds(seconds));
    expires = std::get<ledger::Open>(proto::DecodePayload(ledger::Kind::kOpen, open.envelope.payload).value()).expires;
    outcome = Post(kReader, open);
  }
  ASSERT_EQ(outcome, "");
  std::this_thread::sleep_until(expires);
  EXPECT_EQ(Post(kReader, open), "request-expired");
}

TEST_F(NetAgain, AnotherMemberGetsNothingForIt) {
  const auto open = Request(Send());
  ASSERT_EQ(Post(kReader, open), "");
  for (const char* other : {"us.dea/newman", "mx.fgr/omar"}) EXPECT_EQ(Post(other, open), "wrong-author");
  EXPECT_EQ(Share(Posted(open)).size(), 32u);
}

}  // namespace
}  // namespace valija::test
