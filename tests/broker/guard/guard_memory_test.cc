// Messages that are too long, too many, never whole, compressed; answers that nobody reads. Abuse tests 24 to 26 of
// docs/hardening.md.
#include <functional>

#include "tests/broker/guard/siege.h"

namespace valija::test {
namespace {

using namespace broker::guard::h2;  // NOLINT(google-build-using-namespace): this file is about those frames

constexpr char kPost[] = "/valija.v1.Exchange/Post";

std::string Prefix(std::uint32_t length, char compressed = 0) { return std::string(1, compressed) + U32(length); }

class GuardMemory : public Siege {
 protected:
  // Opened with windows without end. If it does not read, it has a small buffer: nothing else holds back what is sent to it.
  std::unique_ptr<Attacker> OpenedWide(const Identity& identity, bool reads) {
    auto out = std::make_unique<Attacker>(world_.port(), identity);
    out->drains_ = reads;
    const int little = 4096;
    if (!reads) ::setsockopt(out->fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    EXPECT_TRUE(out->Open(std::string(kMagic) + Frame(kSettings, 0, 0, std::string("\0\4\x7f\xff\xff\xff", 6)) +
                          Frame(kWindowUpdate, 0, 0, U32(0x7fff0000 - 65535))));
    return out;
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
  ASSERT_TRUE(attacker->SendBody(1, Prefix(length) + std::string(length, 'x')));
  (void)attacker->Send(Frame(kData, kEndStream, 1));
  const auto trailers = attacker->TrailersOf(1);
  EXPECT_NE(trailers.find("grpc-status"), std::string::npos);
  EXPECT_NE(trailers.find("8"), std::string::npos) << "RESOURCE_EXHAUSTED: " << testing::PrintToString(trailers);
  EXPECT_TRUE(attacker->Answers()) << "the connection lives";
}

TEST_F(GuardMemory, LengthsThatLieAndFramesThatEndEarlyHurtNobody) {
  const std::string body(1000, 'x');
  const std::string lies[] = {
      Frame(kData, kEndStream, 1, Prefix(2000) + body),    // less than announced
      Frame(kData, kEndStream, 1, Prefix(10) + body),      // more, which is another message's beginning
      Frame(kData, kEndStream, 1, std::string(3, '\0')),   // half a prefix
      Frame(kData, kEndStream, 1),                         // none
      Frame(kData, kEndStream, 1, Prefix(4, 7) + "abcd"),  // a flag that nobody knows
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
      lives = all.back()->Send(Call(2 * i + 1, kPost)) && all.back()->SendBody(2 * i + 1, body);
    cut += lives ? 0 : 1;
  }
  EXPECT_GT(cut, 0u);
  EXPECT_TRUE(LoggedSince("unfinished"));
  std::cout << "[ figures  ] RSS " << MemoryOf(pid_, "VmRSS") / kMiB << " MiB, " << cut << " of " << all.size()
            << " cut\n";
  // And it is given back.
  all.clear();
  const auto begun = Clock::now();
  while (MemoryOf(pid_, "VmRSS") > rss_ + 32 * kMiB && Clock::now() - begun < std::chrono::seconds(60))
    std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
}

// More than a member may have in flight at once, whole and worthless.
TEST_F(GuardMemory, AsManyLargeMessagesAsMayBeInFlightAreRefusedWithoutMuchMemory) {
  const std::uint32_t length = 4 << 20;
  const std::string body = Prefix(length) + std::string(length, '\x0a');
  auto attacker = Opened();
  unsigned whole = 0;
  for (std::uint32_t i = 0; i < (Long() ? 400u : 70u); ++i) {
    const auto stream = 2 * i + 1;
    ASSERT_TRUE(attacker->Send(Call(stream, kPost)));
    whole += attacker->SendBody(stream, body, kEndStream) ? 1 : 0;  // gRPC may end one early when it is short of memory
  }
  EXPECT_TRUE(attacker->Answers());
  EXPECT_GT(whole, 0u);
}

TEST_F(GuardMemory, CompressedMessagesAreRefusedAndNotUnfolded) {
  // 64 MiB of zeros, as gzip makes them, would be the answer to a few KiB; what is in it does not matter: nobody looks.
  for (const char* codec : {"gzip", "deflate", "snappy", "nonsense"}) {
    auto attacker = Opened();
    const auto call = Frame(kHeaders, kEndHeaders, 1, CallBlock(kPost, Field("grpc-encoding", codec)));
    ASSERT_TRUE(attacker->Send(
        call + Frame(kData, kEndStream, 1, Prefix(20, 1) + std::string("\x1f\x8b\x08") + std::string(17, '\0'))));
    const auto trailers = attacker->TrailersOf(1);
    EXPECT_NE(trailers.find("grpc-status"), std::string::npos) << codec;
    EXPECT_EQ(trailers.find("grpc-status\x01\x30"), std::string::npos) << codec << ": OK";
    EXPECT_TRUE(attacker->Answers());
  }
  EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB);
}

// One call after another whose answer is large, by who never reads one.
TEST_F(GuardMemory, AnswersThatNobodyReadsAreBoundedAllTogether) {
  {
    const auto omar = world_.Connect("mx.fgr/omar");
    const auto records = omar.Sealer(kForDea, {"us.dea"}).Seal(250, 100, false);
    const auto posted = omar.transport->Post(records, 0);
    ASSERT_TRUE(posted) << posted.error().Message();
    for (const auto& outcome : posted->outcomes) ASSERT_TRUE(outcome) << outcome.error().Message();
  }
  const auto rivera = IdentityOf("us.dea/jrivera");
  const auto ask = [](std::uint32_t stream) {
    return Call(stream, "/valija.v1.Exchange/Mailbox") + Frame(kData, kEndStream, stream, Message(""));
  };
  const auto reader = OpenedWide(rivera, true);
  std::size_t page = 0;
  ASSERT_TRUE(reader->Send(ask(1)));
  ASSERT_TRUE(reader->Read([&](const GotFrame& frame) {
    page += frame.type == kData ? frame.payload.size() : 0;
    return frame.type == kHeaders && (frame.flags & kEndStream) != 0;
  }));
  const unsigned rounds = 90, connections = Long() ? 60 : 20;
  ASSERT_GT(2 * page * rounds * connections, 4 * kMostRss) << "of which it would not be seen that they are kept";
  std::vector<std::unique_ptr<Attacker>> all;
  for (unsigned i = 0; i < connections; ++i) all.push_back(OpenedWide(rivera, false));
  // Not faster than they are answered: what is too many at once is refused in words.
  const auto ended = [&] { return Log().find("answers-not-taken", log_from_) != std::string::npos; };
  unsigned after = 0;
  for (std::uint32_t round = 0; round < rounds && (Long() || after < 10); ++round) {
    for (const auto& one : all) (void)one->Send(ask(2 * round + 1));
    std::this_thread::sleep_for(milliseconds(150));
    after += ended() ? 1 : 0;
  }
  EXPECT_TRUE(ended());
  std::cout << "[ figures  ] a page has " << page / 1024 << " KiB, RSS " << MemoryOf(pid_, "VmRSS") / kMiB << " MiB\n";
}

// Streams that bring much to who never reads, as many as a member may have and more: what is kept is one message each, and
// whoever does not read at all is gone within a minute.
TEST_F(GuardMemory, StreamsThatNobodyReadsKeepOneMessageEachAndEndWithTheirConnection) {
  // A record with a body of 16 MiB.
  const auto root = world_.root().string();
  const auto valija = std::string(VALIJA_BINARY_DIR) + "/client/valija --passphrase-file " + root +
                      "/passphrase --profile " + root + "/profiles/";
  const auto run = [](const std::string& command) {
    FILE* pipe = ::popen((command + " </dev/null 2>/dev/null").c_str(), "r");
    std::string out;
    char block[4096];
    while (const auto got = std::fread(block, 1, sizeof block, pipe)) out.append(block, got);
    ::pclose(pipe);
    return out;
  };
  std::ofstream(root + "/large") << std::string(16 * kMiB, 'x');
  const auto sent = run(valija + "mx.fgr/omar --yes --json send " + root + "/large --policy " + VALIJA_SOURCE_DIR +
                        "/docs/examples/partners.policy");
  const auto at = sent.find("\"record\":\"");
  ASSERT_NE(at, std::string::npos) << sent;
  const auto record = sent.substr(at + 10, 64);
  (void)run(valija + "us.dea/jrivera open " + record + " --purpose analysis -o " + root + "/opened");
  const auto digest = Digest::FromHexText(record);
  ASSERT_TRUE(digest);
  const auto request = Message(std::string("\x0a\x20") + std::string(AsText(digest->bytes)));
  const auto rivera = IdentityOf("us.dea/jrivera");
  constexpr char kDownload[] = "/valija.v1.Exchange/Download";

  Attacker reader(world_.port(), rivera);  // so that it is known to bring something
  ASSERT_TRUE(reader.Open() && reader.Send(Call(1, kDownload) + Frame(kData, kEndStream, 1, request)));
  ASSERT_TRUE(reader.Read([](const GotFrame& frame) { return frame.type == kData && !frame.payload.empty(); }));

  std::vector<std::unique_ptr<Attacker>> all;
  for (int connection = 0; connection < 3; ++connection) {
    all.push_back(OpenedWide(rivera, false));
    auto& attacker = *all.back();
    for (std::uint32_t i = 0; i < 90; ++i)
      (void)attacker.Send(Call(2 * i + 1, kDownload) + Frame(kData, kEndStream, 2 * i + 1, request));
  }
  // Until the guard ends it (`unread`): the first, which has the streams that a member may have. The others were refused in a few
  // words, which they need not read.
  const auto begun = Clock::now();
  const auto closed = [&] {
    return std::count_if(all.begin(), all.end(), [](const auto& one) {
      pollfd poll{one->fd(), POLLRDHUP, 0};
      return ::poll(&poll, 1, 0) > 0;
    });
  };
  while (closed() < 1 && Clock::now() - begun < std::chrono::seconds(Long() ? 120 : 3))
    std::this_thread::sleep_for(milliseconds(200));
  std::cout << "[ figures  ] " << closed() << " of 3 closed after "
            << std::chrono::duration_cast<milliseconds>(Clock::now() - begun).count() << " ms, RSS "
            << MemoryOf(pid_, "VmRSS") / kMiB << " MiB\n";
  if (Long()) {
    EXPECT_GE(closed(), 1);
    EXPECT_TRUE(LoggedSince("unread"));
    while (MemoryOf(pid_, "VmRSS") > rss_ + 32 * kMiB && Clock::now() - begun < std::chrono::seconds(180))
      std::this_thread::sleep_for(milliseconds(100));
    EXPECT_LT(MemoryOf(pid_, "VmRSS"), rss_ + 32 * kMiB) << "and what was kept for it is given back";
  }
}

}  // namespace
}  // namespace valija::test
