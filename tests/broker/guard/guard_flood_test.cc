// HTTP/2 as gRPC 1.51 cannot bear it, from a member's own certificate: without one nobody comes to HTTP/2 at all
// (guard_abuse_test.cc). Abuse tests 18 to 23 of docs/hardening.md.
#include <functional>

#include "tests/broker/guard/siege.h"

namespace valija::test {
namespace {

using namespace broker::guard::h2;  // NOLINT(google-build-using-namespace): this file is about those frames

constexpr char kCheckpoint[] = "/valija.v1.Exchange/GetCheckpoint";
constexpr char kFollow[] = "/valija.v1.Exchange/Follow";

class GuardFlood : public Siege {
 protected:
  // `round` after `round` on one connection until it is cut; how many were written.
  std::uint64_t UntilCut(Attacker& attacker, std::uint64_t most,
                         const std::function<std::string(std::uint64_t)>& round) {
    std::uint64_t sent = 0;
    for (; sent < most; ++sent)
      if (!attacker.Send(round(sent))) break;
    return sent;
  }
  // A flood of these ends its connection, and the broker has not grown. `why` is empty where gRPC may have been quicker.
  void Flood(const std::string& name, const std::string& why, const std::string& before,
             const std::function<std::string(std::uint32_t)>& one) {
    SCOPED_TRACE(name);
    const std::uint64_t most = Long() ? 1'000'000 : 50'000;
    auto attacker = Opened();
    ASSERT_TRUE(attacker->Send(before));
    const auto sent = UntilCut(*attacker, most / 50, [&](std::uint64_t round) {
      std::string out;
      for (std::uint32_t i = 0; i < 50; ++i) out += one(static_cast<std::uint32_t>(round) * 50 + i);
      return out;
    });
    EXPECT_TRUE(attacker->Ends());
    if (!why.empty()) {
      EXPECT_TRUE(LoggedSince(why));
    }
    const auto rss = MemoryOf(pid_, "VmRSS");
    EXPECT_LT(rss, rss_ + 32 * kMiB);
    std::cout << "[ figures  ] " << name << ": at most " << (sent + 1) * 50 << " written, RSS " << rss / kMiB
              << " MiB\n";
  }
};

std::uint32_t StreamOf(std::uint32_t i) { return 2 * i + 1; }

TEST_F(GuardFlood, RapidResetIsCut) {
  Flood("rapid reset", "resets", "",
        [](std::uint32_t i) { return Call(StreamOf(i), kFollow) + Frame(kRstStream, 0, StreamOf(i), U32(8)); });
}

TEST_F(GuardFlood, RapidResetAgainAndAgainLeavesTheOthersTheirShare) {
  const auto until = Clock::now() + (Long() ? std::chrono::seconds(30) : std::chrono::seconds(3));
  unsigned connections = 0;
  std::uint64_t resets = 0;
  while (Clock::now() < until) {
    Attacker attacker(world_.port(), Omar());
    if (!attacker.Open()) continue;
    ++connections;
    const auto pair = [](std::uint64_t i) {
      const auto stream = StreamOf(static_cast<std::uint32_t>(i));
      return Call(stream, kFollow) + Frame(kRstStream, 0, stream, U32(8));
    };
    resets += UntilCut(attacker, 1'000'000, pair);
  }
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
  std::cout << "[ figures  ] " << connections << " connections, " << resets << " resets\n";
}

TEST_F(GuardFlood, StreamsWithoutASettingsAcknowledgementAreCutAtAHundred) {
  Attacker attacker(world_.port(), Omar());
  ASSERT_TRUE(attacker.Shake());
  ASSERT_TRUE(attacker.Send(std::string(kMagic) + Frame(kSettings, 0, 0)));
  const auto sent = UntilCut(attacker, Long() ? 1'000'000 : 50'000,
                             [](std::uint64_t i) { return Call(StreamOf(static_cast<std::uint32_t>(i)), kFollow); });
  EXPECT_TRUE(attacker.Ends());
  EXPECT_TRUE(LoggedSince("streams"));
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
  std::cout << "[ figures  ] at most " << sent + 1 << " written\n";
}

// gRPC takes an acknowledgement that comes before its SETTINGS for one of what it has not said, and then knows no limits.
TEST_F(GuardFlood, AnAcknowledgementThatComesTooEarlyOpensNothing) {
  unsigned lived = 0;
  for (int i = 0; i < (Long() ? 200 : 20); ++i) {
    Attacker attacker(world_.port(), Omar());
    ASSERT_TRUE(attacker.Shake());
    (void)attacker.Send(Opening() + Acknowledgement() + Repeat(5000, [](std::uint32_t stream) {
                          return Call(stream, kFollow) + Frame(kData, kEndStream, stream);
                        }));
    lived += attacker.Answers() ? 1 : 0;
  }
  const auto rss = MemoryOf(pid_, "VmRSS");
  EXPECT_LT(rss, rss_ + 32 * kMiB);
  std::cout << "[ figures  ] " << lived << " connections lived, RSS " << rss / kMiB << " MiB\n";
}

TEST_F(GuardFlood, HeadersWithoutEndCostNothing) {
  BesideEnds();                                              // processor time is the attack's alone
  const std::string begins = std::string(1, '\0') + "\x7f";  // a name whose length is a varint
  const struct {
    const char* name;
    std::string first, next;
  } attacks[] = {
      {"empty CONTINUATION", Frame(kHeaders, 0, 1, "\x82"), Frame(kContinuation, 0, 1)},
      {"one field of 13 MiB", Frame(kHeaders, 0, 1, begins + "\x80\x80\x80\x07" + std::string(8000, 'x')),
       Frame(kContinuation, 0, 1, std::string(16000, 'x'))},
      {"one field of 4 GiB", Frame(kHeaders, 0, 1, begins + "\x80\xff\xff\xff\x0f" + std::string(8000, 'x')),
       Frame(kContinuation, 0, 1, std::string(16000, 'x'))},
      {"a varint of zeros", Frame(kHeaders, 0, 1, begins + std::string(8000, '\x80')),
       Frame(kContinuation, 0, 1, std::string(16000, '\x80'))},
      {"many small fields", Frame(kHeaders, 0, 1, CallBlock(kFollow)),
       Frame(kContinuation, 0, 1, Same(400, Field("a", "b")))},
  };
  for (const auto& attack : attacks) {
    SCOPED_TRACE(attack.name);
    const auto cpu = CpuOf(pid_);
    auto attacker = Opened();
    if (attacker->Send(attack.first)) (void)UntilCut(*attacker, 10'000, [&](std::uint64_t) { return attack.next; });
    EXPECT_TRUE(attacker->Ends());
    const auto took = CpuOf(pid_) - cpu;
    EXPECT_LE(took, milliseconds(100));
    std::cout << "[ figures  ] " << attack.name << ": processor " << took.count() << " ms\n";
  }
  EXPECT_TRUE(LoggedSince("header-block"));
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
}

// One field goes into the table of 4 KiB, and each byte after it stands for all of it.
TEST_F(GuardFlood, AFewHeadersThatUnfoldToManyAreRefusedBeforeTheyAreMany) {
  const auto field = std::string("\x40") + Field("x-bomb", std::string(3900, 'b')).substr(1);
  const auto block = CallBlock(kCheckpoint) + field + std::string(20000, '\xbe');
  for (int i = 0; i < (Long() ? 1000 : 50); ++i) ExpectSurvives(Frame(kHeaders, kEndHeaders | kEndStream, 1, block));
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
}

TEST_F(GuardFlood, FramesThatCostAnAnswerOrWorkAreCut) {
  const auto same = [](const std::string& frame) { return [frame](std::uint32_t) { return frame; }; };
  Flood("PING", "", "", same(Frame(kPing, 0, 0, "12345678")));
  Flood("SETTINGS", "settings", "", same(Frame(kSettings, 0, 0, std::string("\0\3\0\0\0\1", 6))));
  Flood("PRIORITY", "other-frames", "",
        [](std::uint32_t i) { return Frame(kPriority, 0, StreamOf(i), std::string("\0\0\0\0\1", 5)); });
  Flood("empty DATA", "empty-data", Call(1, kFollow), same(Frame(kData, 0, 1)));
  Flood("WINDOW_UPDATE", "window-updates", "", same(Frame(kWindowUpdate, 0, 0, U32(1))));
  Flood("unknown frames", "other-frames", "", same(Frame(200, 0, 0, "?")));
  Flood("PING acknowledgements", "other-frames", "", same(Frame(kPing, kAck, 0, "12345678")));
}

// In TLS itself: each is work for both sides, and nothing of HTTP/2.
TEST_F(GuardFlood, KeyUpdatesWithoutEndHurtNobody) {
  auto attacker = Opened();
  const auto cpu = CpuOf(pid_);
  int sent = 0;
  for (; sent < (Long() ? 200'000 : 5'000); ++sent)
    if (SSL_key_update(attacker->ssl(), SSL_KEY_UPDATE_REQUESTED) != 1 ||
        !attacker->Send(Frame(kWindowUpdate, 0, 0, U32(1))))
      break;
  const auto rss = MemoryOf(pid_, "VmRSS");
  EXPECT_LT(rss, rss_ + 32 * kMiB);
  std::cout << "[ figures  ] " << sent << " key updates, processor " << (CpuOf(pid_) - cpu).count() << " ms\n";
}

TEST_F(GuardFlood, WindowUpdatesByNothingOrByTooMuchEndTheConnection) {
  ExpectCut(Frame(kWindowUpdate, 0, 0, U32(0)), "form");
  ExpectCut(Call(1, kFollow) + Frame(kWindowUpdate, 0, 1, U32(0)), "form");
  ExpectSurvives(Frame(kWindowUpdate, 0, 0, U32(0x7fffffff)) + Frame(kWindowUpdate, 0, 0, U32(0x7fffffff)));
  ExpectSurvives(Call(1, kFollow) + Frame(kWindowUpdate, 0, 1, U32(0x7fffffff)) +
                 Frame(kWindowUpdate, 0, 1, U32(0x7fffffff)));
}

// CVE-2025-8671: frames that make the server end a stream while its handler works on.
TEST_F(GuardFlood, ResetsThatTheServerIsMadeToSendAreCutOrNoneAreSent) {
  const struct {
    const char* name;
    std::function<std::string(std::uint32_t)> wrong;
  } shapes[] = {
      {"WINDOW_UPDATE by nothing", [](auto stream) { return Frame(kWindowUpdate, 0, stream, U32(0)); }},
      {"WINDOW_UPDATE overflow",
       [](auto stream) {
         return Frame(kWindowUpdate, 0, stream, U32(0x7fffffff)) + Frame(kWindowUpdate, 0, stream, U32(0x7fffffff));
       }},
      {"PRIORITY of a wrong length", [](auto stream) { return Frame(kPriority, 0, stream, "1"); }},
      {"PRIORITY on itself", [](auto stream) { return Frame(kPriority, 0, stream, U32(stream) + "1"); }},
      {"DATA after the end",
       [](auto stream) { return Frame(kData, kEndStream, stream) + Frame(kData, 0, stream, "x"); }},
      {"HEADERS after the end",
       [](auto stream) { return Frame(kData, kEndStream, stream) + Frame(kHeaders, kEndHeaders, stream, "\x82"); }},
      {"DATA with padding", [](auto stream) { return Frame(kData, 8, stream, "12"); }},
  };
  for (const auto& shape : shapes) {
    SCOPED_TRACE(shape.name);
    auto attacker = Opened();
    const auto sent = UntilCut(*attacker, Long() ? 200'000 : 5'000, [&](std::uint64_t i) {
      const auto stream = StreamOf(static_cast<std::uint32_t>(i));
      return Call(stream, kFollow) + shape.wrong(stream);
    });
    // What is not cut is answered like any other call, and made us reset next to nothing.
    const bool lives = attacker->Answers();
    if (lives) {
      EXPECT_LE(attacker->faults(), 100u);
    }
    EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
    std::cout << "[ figures  ] " << shape.name << ": at most " << sent + 1 << " streams, "
              << (lives ? "answered" : "cut") << ", " << attacker->faults() << " resets, RSS "
              << MemoryOf(pid_, "VmRSS") / kMiB << " MiB\n";
  }
}

TEST_F(GuardFlood, HeadersThatCrashedOtherVersionsCrashNothing) {
  const std::string odd[] = {Field("te", "\xff\xfe"),
                             Field("te", ""),
                             Field("te", "gzip"),
                             Field("te", "trailers") + Field("te", "nonsense"),
                             Field(":scheme", ""),
                             Field(":scheme", "\x01\x02"),
                             Field(":scheme", "ftp"),
                             Field(":path", "no-slash"),
                             Field(":method", "GET"),
                             Field(":authority", std::string(3000, 'a')),
                             Field("content-type", "text/html"),
                             Field("grpc-timeout", "9999999999999S"),
                             Field("grpc-timeout", "-1S"),
                             Field("grpc-timeout", "\x80"),
                             Field("grpc-encoding", "\xff"),
                             Field("grpc-accept-encoding", std::string(2000, ',')),
                             Field("grpc-previous-rpc-attempts", "99999999999999999999"),
                             Field("grpc-retry-pushback-ms", "x"),
                             Field("grpclb_client_stats", "x"),
                             Field("lb-token", std::string(4000, 't')),
                             Field("lb-cost-bin", "AAAA"),
                             Field("lb-cost-bin", "%%%"),
                             Field("grpc-server-stats-bin", "*"),
                             Field("grpc-trace-bin", "*"),
                             Field("grpc-tags-bin", std::string(5000, 'A')),
                             Field("x-bin", "not base64!"),
                             Field("", ""),
                             Field("UPPER", "x"),
                             Field("user-agent", std::string(18000, 'u')),
                             Field("host", "x") + Field(":authority", "late"),
                             "\x80",
                             "\xff\xff\xff\xff\x0f",
                             "\x3f\xff\xff\xff\x07",
                             "\xbf",
                             std::string("\0\x85\xff\xff\xff\xff\xff", 7)};
  for (const auto& more : odd) {
    SCOPED_TRACE(testing::PrintToString(more.substr(0, 40)));
    ExpectSurvives(Frame(kHeaders, kEndHeaders | kEndStream, 1, CallBlock(kCheckpoint, more)));
    ExpectSurvives(Frame(kHeaders, kEndHeaders | kEndStream, 1, more + CallBlock(kCheckpoint)));
    ExpectSurvives(Frame(kHeaders, kEndHeaders | kEndStream, 1, more));
  }
}

// What the client library really does: a follower that stops sends one RST_STREAM, as does a call that is given up; a call
// that is answered sends none.
TEST_F(GuardFlood, HonestClientsThatCancelOftenAreNotCut) {
  auto rivera = world_.Connect("us.dea/jrivera");
  const auto stub = v1::Exchange::NewStub(world_.ChannelOf(rivera));
  const auto ask = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    v1::View view;
    return stub->GetCheckpoint(&context, v1::CheckpointRequest(), &view);
  };
  for (int i = 0; i < 150; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(1));
    auto stream = stub->Follow(&context, v1::FollowRequest());
    for (int calls = 0; calls < 10; ++calls) {
      const auto answered = ask();  // by then the stream is open
      ASSERT_TRUE(answered.ok()) << answered.error_message();
    }
    context.TryCancel();
    v1::MailItem item;
    while (stream->Read(&item)) continue;
    ASSERT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(Log().find("connection-cut", log_from_), std::string::npos) << Log().substr(log_from_);
}

}  // namespace
}  // namespace valija::test
