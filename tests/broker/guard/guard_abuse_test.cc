// Who connects and does not come to a call: silence, bytes that are no TLS, TLS that has no certificate. Abuse tests 16 and 17
// of docs/hardening.md.
#include <openssl/err.h>

#include "tests/broker/guard/siege.h"

namespace valija::test {
namespace {

using GuardAbuse = Siege;

struct Silent {
  std::vector<int> fds;
  ~Silent() {
    for (const int fd : fds) ::close(fd);
  }
};

TEST_F(GuardAbuse, TenThousandWhoSayNothingTakeNoDescriptorThatAnotherNeeds) {
  const unsigned many = Long() ? 10000 : 2500;
  Silent silent;
  for (unsigned i = 0; i < many; ++i) {
    const int fd = ConnectFrom(i % 2 == 0 ? "127.0.0.66" : "127.0.0.67", world_.port());
    if (fd < 0) break;  // our own descriptors end
    silent.fds.push_back(fd);
  }
  EXPECT_GT(silent.fds.size(), 1000u);
  EXPECT_LT(DescriptorsOf(pid_), 1024u);
  EXPECT_TRUE(Serves()) << "while they stand";
  Attacker same(world_.port(), Omar());
  EXPECT_TRUE(same.Open() && same.Answers()) << "from an address that they come from";
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
  for (const int fd : silent.fds) EXPECT_TRUE(ClosedWithin(fd, std::chrono::seconds(30)));
}

// A whole ClientHello, and then nothing: gRPC has this one.
int ShakeHalfway(int port, const char* from) {
  Attacker half(port, {}, from);
  const int fd = ::dup(half.fd());
  BIO* const out = BIO_new(BIO_s_mem());
  BIO* const in = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(half.ssl(), in, out);
  EXPECT_LE(SSL_connect(half.ssl()), 0);  // it wants an answer that it will not read
  char* hello = nullptr;
  const long size = BIO_get_mem_data(out, &hello);
  EXPECT_GT(size, 100);
  EXPECT_EQ(::send(fd, hello, static_cast<std::size_t>(size), MSG_NOSIGNAL), size);
  return fd;
}

TEST_F(GuardAbuse, WhoSaysNothingOrDripsItsHandshakeOrStopsHalfwayIsClosedInSeconds) {
  const auto begun = Clock::now();
  const auto took = [&] { return std::chrono::duration_cast<milliseconds>(Clock::now() - begun).count(); };
  Silent half{{ShakeHalfway(world_.port(), Attacker::kAddress)}};
  Silent all;
  for (int i = 0; i < 3; ++i) all.fds.push_back(ConnectFrom(Attacker::kAddress, world_.port()));
  // A ClientHello's record that is 200 bytes long, byte after byte.
  const std::string hello = std::string("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", 11) + std::string(32, 'r');
  std::size_t at = 0;
  bool closed = false;
  while (!closed && Clock::now() - begun < std::chrono::seconds(30)) {
    if (at < hello.size()) (void)::send(all.fds[1], hello.data() + at++, 1, MSG_NOSIGNAL);
    closed = ClosedWithin(all.fds[1], milliseconds(200));
  }
  EXPECT_TRUE(closed) << "a handshake that drips";
  const auto dripped = took();
  EXPECT_TRUE(ClosedWithin(all.fds[0], std::chrono::seconds(30)));
  EXPECT_TRUE(ClosedWithin(half.fds[0], std::chrono::seconds(30)));
  std::cout << "[ figures  ] dripping closed after " << dripped << " ms, silent and halfway after " << took()
            << " ms\n";
}

TEST_F(GuardAbuse, WhoShakesHandsHalfwayFromManyAddressesKeepsNobodyOut) {
  std::atomic<bool> stop{false};
  std::thread crowd([&] {
    Silent half;
    for (unsigned i = 0; !stop && half.fds.size() < 5000; ++i) {
      half.fds.push_back(ShakeHalfway(world_.port(), ("127.0.1." + std::to_string(1 + i % 200)).c_str()));
      std::this_thread::sleep_for(milliseconds(2));
    }
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto begun = Clock::now();
  for (int i = 0; i < (Long() ? 30 : 3); ++i) EXPECT_TRUE(Serves());
  std::cout << "[ figures  ] who comes meanwhile is served after "
            << std::chrono::duration_cast<milliseconds>(Clock::now() - begun).count() / (Long() ? 30 : 3) << " ms\n";
  stop = true;
  crowd.join();
}

TEST_F(GuardAbuse, WhoDripsThePrefaceIsClosedInSeconds) {
  Attacker slow(world_.port(), Omar());
  ASSERT_TRUE(slow.Shake());
  const auto begun = Clock::now();
  bool closed = false;
  const std::string preface = h2::Opening();
  for (std::size_t i = 0; !closed && Clock::now() - begun < std::chrono::seconds(30); ++i) {
    closed = (i < 24 && !slow.Send(preface.substr(i, 1)));
    std::this_thread::sleep_for(milliseconds(300));
    pollfd one{slow.fd(), POLLIN | POLLRDHUP, 0};
    closed = closed || (::poll(&one, 1, 0) > 0 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
  }
  EXPECT_TRUE(closed);
  std::cout << "[ figures  ] closed after " << std::chrono::duration_cast<milliseconds>(Clock::now() - begun).count()
            << " ms\n";
}

TEST_F(GuardAbuse, WhatIsNoTlsIsClosedAtOnceAndNeverReachesGrpc) {
  for (const std::string& bytes :
       {std::string(h2::kMagic) + h2::Frame(h2::kSettings, 0, 0), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string(4096, '\0'), std::string("\x16\x03\x01\xff\xff\x01", 6), std::string("\x15\x03\x01\x00\x02\x01", 6),
        std::string("\x80\x2e\x01\x03\x01", 5)}) {
    const int fd = ConnectFrom(Attacker::kAddress, world_.port());
    ASSERT_GE(fd, 0);
    const auto begun = Clock::now();
    (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    EXPECT_TRUE(ClosedWithin(fd, std::chrono::seconds(30))) << testing::PrintToString(bytes.substr(0, 20));
    EXPECT_LT(Clock::now() - begun, std::chrono::seconds(4)) << "not by a timer";
    ::close(fd);
  }
}

TEST_F(GuardAbuse, AThousandHandshakesWithoutACertificateOpenNothing) {
  const unsigned many = Long() ? 5000 : 300;
  const auto cpu = CpuOf(pid_);
  for (unsigned i = 0; i < many; ++i) {
    Attacker nobody(world_.port());
    if (!nobody.Shake()) continue;  // in TLS 1.3 it may believe that it is connected
    (void)nobody.Send(h2::Opening() + h2::Call(1, "/valija.v1.Exchange/GetCheckpoint"));
    bool answered = false;
    (void)nobody.Read([&](const GotFrame& frame) {
      answered = answered || frame.type == h2::kHeaders;
      return answered;
    });
    ASSERT_FALSE(answered);
  }
  EXPECT_NE(Log().find("handshake-refused", log_from_), std::string::npos);
  std::cout << "[ figures  ] " << many << " handshakes, processor " << (CpuOf(pid_) - cpu).count() << " ms\n";
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
}

TEST_F(GuardAbuse, AMemberHasItsConnectionsAndNotOneMore) {
  std::vector<std::unique_ptr<Attacker>> all;
  for (int i = 0; i < 64; ++i) {
    all.push_back(Opened());
    ASSERT_TRUE(all.back()->Answers()) << i;
  }
  Attacker next(world_.port(), Omar(), "127.0.0.77");
  ASSERT_TRUE(next.Shake());
  (void)next.Send(h2::Opening());
  EXPECT_TRUE(next.Ends());
  EXPECT_TRUE(LoggedSince("connections"));
}

// What a session leaves cannot be used for another, nor for data before the handshake: each connection shows its certificate.
TEST_F(GuardAbuse, NoSessionIsTakenUpAgainAndNoEarlyDataTaken) {
  auto first = Opened();
  ASSERT_TRUE(first->Answers());
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first->ssl()), SSL_SESSION_free);
  ASSERT_TRUE(session);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0u);
  Attacker again(world_.port(), Omar());
  SSL_set_session(again.ssl(), session.get());
  SSL_SESSION_set_max_early_data(session.get(), 16384);  // as if it had been allowed
  std::size_t written = 0;
  (void)SSL_write_early_data(again.ssl(), h2::kMagic.data(), h2::kMagic.size(), &written);
  const bool shaken = again.Shake();
  EXPECT_NE(SSL_get_early_data_status(again.ssl()), SSL_EARLY_DATA_ACCEPTED);
  if (shaken) {
    EXPECT_EQ(SSL_session_reused(again.ssl()), 0);
  }
}

}  // namespace
}  // namespace valija::test
