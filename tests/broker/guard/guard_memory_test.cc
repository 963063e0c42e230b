// Messages that are too long, too many, never whole, compressed; answers that nobody reads. Abuse tests 24 to 26 of
// docs/hardening.md.
#include <functional>

#include "tests/broker/guard/siege.h"

namespace valija::test {
namespace {

using namespace broker::guard::h2;  // NOLINT(google-build-using-namespace): this file is about those frames

constexpr char kPost[] = "/valija.v1.Exchange/Post";
constexpr char kFollow[] = "/valija.v1.Exchange/Follow";
constexpr char kEntries[] = "/valija.v1.Exchange/Entries";
constexpr char kUpload[] = "/valija.v1.Exchange/Upload";

std::string Prefix(std::uint32_t length, char compressed = 0) { return std::string(1, compressed) + U32(length); }

class GuardMemory : public Siege {
 protected:
  // A body on a stream, as fast as the broker's windows let it. False: the connection is over.
  static bool SendBody(Attacker& attacker, std::uint32_t stream, std::string_view body) {
    // gRPC's windows: 64 KiB until it asks for more; frames of 16 KiB.
    std::int64_t of_stream = 65535, of_connection = 65535;
    while (!body.empty()) {
      const auto room = std::min({of_stream, of_connection, std::int64_t{16384}});
      if (room > 0) {
        const auto part = body.substr(0, static_cast<std::size_t>(room));
        if (!attacker.Send(Frame(kData, 0, stream, part))) return false;
        body.remove_prefix(part.size());
        of_stream -= static_cast<std::int64_t>(part.size()), of_connection -= static_cast<std::int64_t>(part.size());
        continue;
      }
      const bool more = attacker.Read([&](const GotFrame& frame) {
        if (frame.type != kWindowUpdate || frame.payload.size() != 4) return frame.stream == stream && frame.type == kRstStream;
        const auto* p = reinterpret_cast<const unsigned char*>(frame.payload.data());
        const std::int64_t by = std::int64_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3];
        (frame.stream == 0 ? of_connection : of_stream) += by;
        return of_connection > 0 && of_stream > 0;
      });
      if (!more) return false;
    }
    return true;
  }
};

TEST_F(GuardMemory, AMessageThatSaysItIsHugeIsCutAtItsPrefix) {
  for (const std::uint32_t length : {10u << 20, 64u << 20, 0x7fffffffu, 0xffffffffu}) {
    auto attacker = Opened();
    (void)attacker->Send(Call(1, kPost) + Frame(kData, 0, 1, Prefix(length)));
    EXPECT_TRUE(attacker->Ends()) << length;
  }
  EXPECT_TRUE(LoggedSince("message"));
}

TEST_F(GuardMemory, AMessageOverTheLimitIsRefusedInWords) {
  auto attacker = Opened();
  const std::uint32_t length = (4 << 20) + (64 << 10) + 1;
  ASSERT_TRUE(attacker->Send(Call(1, kPost)));
  ASSERT_TRUE(SendBody(*attacker, 1, Prefix(length) + std::string(length, 'x')));
  (void)attacker->Send(Frame(kData, kEndStream, 1));
  const auto trailers = attacker->TrailersOf(1);
  EXPECT_NE(trailers.find("grpc-status"), std::string::npos);
  EXPECT_NE(trailers.find("8"), std::string::npos) << "RESOURCE_EXHAUSTED: " << testing::PrintToString(trailers);
  EXPECT_TRUE(attacker->Answers()) << "the connection lives";
}

TEST_F(GuardMemory, LengthsThatLieAndFramesThatEndEarlyHurtNobody) {
  const std::string body(1000, 'x');
  const std::string lies[] = {
      Frame(kData, kEndStream, 1, Prefix(2000) + body),         // less than announced
      Frame(kData, kEndStream, 1, Prefix(10) + body),           // more, which is another message's beginning
      Frame(kData, kEndStream, 1, std::string(3, '\0')),        // half a prefix
      Frame(kData, kEndStream, 1),                              // none
      Frame(kData, kEndStream, 1, Prefix(4, 7) + "abcd"),       // a flag that nobody knows
      Frame(kData, kEndStream, 1, Prefix(0) + Prefix(0) + Prefix(0)),
      Frame(kData, 0, 1, Prefix(100)) + Frame(kRstStream, 0, 1, U32(0)),
  };
  for (const auto& lie : lies) ExpectSurvives(Call(1, kPost) + lie);
  // The connection ends in the middle of a frame.
  for (int i = 0; i < 20; ++i) {
    auto attacker = Opened();
    ASSERT_TRUE(attacker->Send(Call(1, kPost) + Header(16384, kData, 0, 1) + body));
  }
}

// What stays of a hundred messages that lack their last byte, on each of many connections, is bounded; and a member who has
// one is not cut for the others.
TEST_F(GuardMemory, MessagesThatAreNeverWholeAreBoundedAllTogether) {
  std::vector<std::unique_ptr<Attacker>> all;
  unsigned cut = 0;
  const std::uint32_t length = 4 << 20;
  const auto body = Prefix(length) + std::string(length - 1, 'x');
  for (int connection = 0; connection < (Long() ? 30 : 3); ++connection) {
    all.push_back(std::make_unique<Attacker>(world_.port(), Omar()));
    if (!all.back()->Open()) continue;
    bool lives = true;
    for (std::uint32_t i = 0; lives && i < 60; ++i)
      lives = all.back()->Send(Call(2 * i + 1, kPost)) && SendBody(*all.back(), 2 * i + 1, body);
    cut += lives ? 0 : 1;
  }
  EXPECT_GT(cut, 0u);
  EXPECT_TRUE(LoggedSince("unfinished"));
  std::cout << "[ figures  ] RSS " << MemoryOf(pid_, "VmRSS") / kMiB << " MiB, " << cut << " of " << all.size() << " cut\n";
}

// All that a member may have in flight at once, whole and worthless.
TEST_F(GuardMemory, AsManyLargeMessagesAsMayBeInFlightAreRefusedWithoutMuchMemory) {
  const std::uint32_t length = 4 << 20;
  const std::string body(length, '\x0a');
  auto attacker = Opened();
  for (std::uint32_t i = 0; i < (Long() ? 400u : 70u); ++i) {
    const auto stream = 2 * i + 1;
    ASSERT_TRUE(attacker->Send(Call(stream, kPost)));
    ASSERT_TRUE(SendBody(*attacker, stream, Prefix(length) + body)) << i;
    ASSERT_TRUE(attacker->Send(Frame(kData, kEndStream, stream)));
  }
  EXPECT_TRUE(attacker->Answers());
}

TEST_F(GuardMemory, CompressedMessagesAreRefusedAndNotUnfolded) {
  // 64 MiB of zeros, as gzip makes them, would be the answer to a few KiB; what is in it does not matter: nobody looks.
  for (const char* codec : {"gzip", "deflate", "snappy", "nonsense"}) {
    auto attacker = Opened();
    const auto call = Frame(kHeaders, kEndHeaders, 1, CallBlock(kPost, Field("grpc-encoding", codec)));
    ASSERT_TRUE(attacker->Send(call + Frame(kData, kEndStream, 1, Prefix(20, 1) + std::string("\x1f\x8b\x08") + std::string(17, '\0'))));
    const auto trailers = attacker->TrailersOf(1);
    EXPECT_NE(trailers.find("grpc-status"), std::string::npos) << codec;
    EXPECT_EQ(trailers.find("grpc-status\x01\x30"), std::string::npos) << codec << ": OK";
    EXPECT_TRUE(attacker->Answers());
  }
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
}

// A hundred streams that are sent much, of who never reads: what is kept is one message each, of as many as a member may
// have; whoever does not read at all is gone within a minute.
TEST_F(GuardMemory, StreamsThatNobodyReadsKeepOneMessageEachAndEndWithTheirConnection) {
  auto attacker = std::make_unique<Attacker>(world_.port(), Omar());
  attacker->drains_ = false;
  const int little = 4096;
  ::setsockopt(attacker->fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
  ASSERT_TRUE(attacker->Shake());
  // Windows without end, so that nothing but our not reading holds it back.
  ASSERT_TRUE(attacker->Send(std::string(kMagic) + Frame(kSettings, 0, 0, std::string("\0\4\x7f\xff\xff\xff", 6)) +
                             Frame(kSettings, kAck, 0) + Frame(kWindowUpdate, 0, 0, U32(0x7fff0000 - 65535))));
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto* path = i % 2 == 0 ? kFollow : kEntries;
    ASSERT_TRUE(attacker->Send(Call(2 * i + 1, path) + Frame(kData, kEndStream, 2 * i + 1, Message(""))));
  }
  for (std::uint32_t i = 100; i < 130; ++i) (void)attacker->Send(Call(2 * i + 1, kUpload));
  // Until the kernel gives it up (TCP_USER_TIMEOUT), or gRPC does for its PING.
  const auto begun = Clock::now();
  bool closed = false;
  while (!closed && Clock::now() - begun < std::chrono::seconds(Long() ? 90 : 5)) {
    pollfd one{attacker->fd(), POLLRDHUP, 0};
    closed = ::poll(&one, 1, 500) > 0;
  }
  if (Long()) {
    EXPECT_TRUE(closed);
  }
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 100 * 4 * kMiB);
  std::cout << "[ figures  ] " << (closed ? "closed after " : "open after ")
            << std::chrono::duration_cast<milliseconds>(Clock::now() - begun).count() << " ms\n";
}

}  // namespace
}  // namespace valija::test
