// The frame counter, byte by byte: whatever the split, the same frames are the same breach.
#include "broker/guard/frames.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "broker/guard/raw_frames.h"

namespace valija::broker::guard {
namespace {

using namespace h2;  // NOLINT(google-build-using-namespace): this file is about those frames
using std::chrono::milliseconds;

const TimePoint kStart = TimePoint(std::chrono::hours(1));

class Counted {
 public:
  explicit Counted(std::size_t split) : split_(split) {}
  // As an honest client opens, and we answer.
  Breach Opened() {
    EXPECT_EQ(In(Opening()), Breach::kNone);
    EXPECT_EQ(Out(Frame(kSettings, 0, 0) + Frame(kSettings, kAck, 0)), Breach::kNone);
    return In(Acknowledgement());
  }
  Breach In(const std::string& bytes) {
    return Fed(bytes, [this](ByteView part) { return counter_.Received(part, now_); });
  }
  Breach Out(const std::string& bytes) {
    return Fed(bytes, [this](ByteView part) { return counter_.Sent(part, now_); });
  }
  void Pass(milliseconds time) { now_ += time; }
  FrameCounter& operator*() { return counter_; }

 private:
  Breach Fed(const std::string& bytes, const std::function<Breach(ByteView)>& feed) {
    Breach last = counter_.breach();
    for (std::size_t at = 0; at < bytes.size(); at += split_)
      last = feed(AsBytes(bytes).subspan(at, std::min(split_, bytes.size() - at)));
    return last;
  }
  const std::size_t split_;
  TimePoint now_ = kStart;
  FrameCounter counter_{FrameLimits(), kStart};
};

class Frames : public testing::TestWithParam<std::size_t> {
 protected:
  // `bytes` after an honest opening.
  Breach After(const std::string& bytes) {
    Counted counted(GetParam());
    EXPECT_EQ(counted.Opened(), Breach::kNone);
    return counted.In(bytes);
  }
};
INSTANTIATE_TEST_SUITE_P(AtAnySplit, Frames, testing::Values(1, 2, 3, 7, 9, 13, 24, 1000, 1 << 24));

TEST_P(Frames, TenThousandHonestCallsAreNoBreach) {
  Counted counted(GetParam());
  ASSERT_EQ(counted.Opened(), Breach::kNone);
  for (std::uint32_t i = 0; i < 10000; ++i) {
    const auto stream = 2 * i + 1;
    ASSERT_EQ(counted.In(Call(stream, "/a/b") + Frame(kData, kEndStream, stream, Message("hello")) +
                         Frame(kWindowUpdate, 0, 0, U32(1))),
              Breach::kNone);
    ASSERT_EQ(counted.Out(Frame(kHeaders, kEndHeaders, stream, "x") + Frame(kData, 0, stream, Message("world")) +
                          Frame(kHeaders, kEndHeaders | kEndStream, stream, "x")),
              Breach::kNone);
  }
  EXPECT_EQ((*counted).unfinished(), 0u);
}

TEST_P(Frames, WhatIsNotHttp2EndsAtItsFirstWrongByte) {
  for (std::size_t wrong = 0; wrong < kMagic.size(); ++wrong) {
    Counted counted(GetParam());
    std::string magic(kMagic);
    magic[wrong] ^= 1;
    EXPECT_EQ(counted.In(magic.substr(0, wrong)), Breach::kNone);
    EXPECT_EQ(counted.In(magic.substr(wrong)), Breach::kPreface);
  }
  Counted counted(GetParam());
  EXPECT_EQ(counted.In(std::string(kMagic) + Frame(kPing, 0, 0, "12345678")), Breach::kPreface);
}

TEST_P(Frames, ResetsBeyondTheLimitAreABreachAndFewerInEachWindowAreNone) {
  const auto reset = [](std::uint32_t stream) { return Call(stream, "/a/b") + Frame(kRstStream, 0, stream, U32(8)); };
  EXPECT_EQ(After(Repeat(200, reset)), Breach::kNone);
  EXPECT_EQ(After(Repeat(201, reset)), Breach::kResets);
  Counted counted(GetParam());
  ASSERT_EQ(counted.Opened(), Breach::kNone);
  for (std::uint32_t window = 0; window < 5; ++window) {
    for (std::uint32_t i = 0; i < 200; ++i) ASSERT_EQ(counted.In(reset(2 * (window * 200 + i) + 1)), Breach::kNone);
    counted.Pass(milliseconds(10'000));
  }
}

TEST_P(Frames, FloodsOfWhatCostsUsAnAnswerOrWorkAreBreaches) {
  const std::string ping = Frame(kPing, 0, 0, "12345678"), settings = Frame(kSettings, 0, 0);
  EXPECT_EQ(After(Same(100, ping)), Breach::kNone);
  EXPECT_EQ(After(Same(101, ping)), Breach::kPings);
  EXPECT_EQ(After(Same(49, settings)), Breach::kNone);
  EXPECT_EQ(After(Same(50, settings)), Breach::kSettings);
  EXPECT_EQ(After(Call(1, "/a/b") + Same(100, Frame(kData, 0, 1))), Breach::kNone);
  EXPECT_EQ(After(Call(1, "/a/b") + Same(101, Frame(kData, 0, 1))), Breach::kEmptyData);
  for (const auto& other : {Frame(kPriority, 0, 1, "12345"), Frame(kPing, kAck, 0, "12345678"), Frame(77, 0, 0, "?"),
                            Frame(kGoAway, 0, 0, "12345678")}) {
    EXPECT_EQ(After(Same(150, other)), Breach::kNone);
    EXPECT_EQ(After(Same(201, other)), Breach::kOtherFrames);
  }
}

TEST_P(Frames, WindowUpdatesAreMeasuredByWhatWeSent) {
  const auto update = Frame(kWindowUpdate, 0, 0, U32(1));
  EXPECT_EQ(After(Same(1000, update)), Breach::kNone);
  EXPECT_EQ(After(Same(1001, update)), Breach::kWindowUpdates);
  Counted counted(GetParam());
  ASSERT_EQ(counted.Opened(), Breach::kNone);
  ASSERT_EQ(counted.Out(Same(1000, Frame(kData, 0, 1, "x"))), Breach::kNone);
  EXPECT_EQ(counted.In(Same(5000, update)), Breach::kNone);
  EXPECT_EQ(counted.In(update), Breach::kWindowUpdates);
  EXPECT_EQ(After(Frame(kWindowUpdate, 0, 0, U32(0))), Breach::kForm) << "an update by nothing";
  EXPECT_EQ(After(Frame(kWindowUpdate, 0, 3, U32(0x80000000))), Breach::kForm);
}

TEST_P(Frames, AHeaderBlockWithoutEndIsABreach) {
  EXPECT_EQ(After(Frame(kHeaders, 0, 1, "x") + Same(15, Frame(kContinuation, 0, 1)) +
                  Frame(kContinuation, kEndHeaders, 1) + Call(3, "/a/b")),
            Breach::kNone);
  EXPECT_EQ(After(Frame(kHeaders, 0, 1, "x") + Same(17, Frame(kContinuation, 0, 1))), Breach::kHeaderBlock);
  EXPECT_EQ(After(Header(32769, kHeaders, kEndHeaders, 1)), Breach::kHeaderBlock) << "before its bytes";
  EXPECT_EQ(After(Frame(kHeaders, 0, 1, std::string(32768, 'x')) + Header(1, kContinuation, kEndHeaders, 1)),
            Breach::kHeaderBlock);
}

TEST_P(Frames, StreamsAndTimeBeforeTheAcknowledgementAreBounded) {
  const auto begun = std::string(kMagic) + Frame(kSettings, 0, 0);
  const auto call = [](std::uint32_t stream) { return Call(stream, "/a/b", kEndHeaders | kEndStream); };
  Counted many(GetParam());
  EXPECT_EQ(many.In(begun + Repeat(100, call)), Breach::kNone);
  EXPECT_EQ(many.In(call(201)), Breach::kStreams);
  Counted late(GetParam());
  EXPECT_EQ(late.In(begun), Breach::kNone);
  EXPECT_EQ(late.Out(Frame(kSettings, 0, 0)), Breach::kNone);
  late.Pass(milliseconds(5'001));
  EXPECT_EQ(late.In(Frame(kSettings, kAck, 0)), Breach::kStreams);
  EXPECT_EQ(After(Repeat(250, call)), Breach::kNone) << "once it is acknowledged, gRPC counts";
  EXPECT_EQ(After(Repeat(251, call)), Breach::kStreams) << "if it does";
  EXPECT_EQ(After(Repeat(251, [](std::uint32_t stream) { return Call(stream, "/a/b"); })), Breach::kStreams);
}

TEST_P(Frames, WhatIsAnsweredOrGivenUpMakesRoomForOthers) {
  Counted counted(GetParam());
  ASSERT_EQ(counted.Opened(), Breach::kNone);
  std::uint32_t next = 1;
  const auto call = [&](std::uint8_t flags) {
    next += 2;
    return counted.In(Call(next - 2, "/a/b", flags));
  };
  for (int i = 0; i < 250; ++i) ASSERT_EQ(call(kEndHeaders | kEndStream), Breach::kNone);
  ASSERT_EQ(counted.Out(Frame(kHeaders, kEndHeaders | kEndStream, 1, "x")), Breach::kNone);
  EXPECT_EQ(call(kEndHeaders), Breach::kNone);
  ASSERT_EQ(counted.In(Frame(kRstStream, 0, 3, U32(8))), Breach::kNone);
  EXPECT_EQ(call(kEndHeaders), Breach::kNone);
  ASSERT_EQ(counted.Out(Frame(kRstStream, 0, 5, U32(0))), Breach::kNone);
  EXPECT_EQ(call(kEndHeaders), Breach::kNone);
  EXPECT_EQ(call(kEndHeaders), Breach::kStreams);
}

TEST_P(Frames, AnAcknowledgementOfNothingIsABreach) {
  EXPECT_EQ(After(Acknowledgement()), Breach::kForm);
  Counted early(GetParam());
  EXPECT_EQ(early.In(Opening() + Acknowledgement()), Breach::kForm) << "we have said nothing yet";
}

TEST_P(Frames, FramesThatAreNeverRightAreABreachAtOnce) {
  for (const auto& wrong :
       {Frame(kData, 0, 0, "x"), Frame(kHeaders, kEndHeaders, 0, "x"), Frame(kHeaders, kEndHeaders, 2, "x"),
        Frame(kPriority, 0, 1, "1234"), Frame(kPriority, 0, 0, "12345"), Frame(kRstStream, 0, 1, "123"),
        Frame(kRstStream, 0, 0, "1234"), Frame(kSettings, 0, 0, "12345"), Frame(kSettings, 0, 1),
        Frame(kSettings, kAck, 0, "123456"), Frame(kPing, 0, 0, "1234567"), Frame(kPing, 0, 1, "12345678"),
        Frame(5, kEndHeaders, 1, "1234"), Frame(kGoAway, 0, 0, "1234567"), Frame(kWindowUpdate, 0, 0, "123"),
        Frame(kContinuation, kEndHeaders, 1, "x"), Frame(kHeaders, 0, 1, "x") + Frame(kPing, 0, 0, "12345678"),
        Frame(kHeaders, 0, 1, "x") + Frame(kContinuation, kEndHeaders, 3, "x")})
    EXPECT_EQ(After(wrong), Breach::kForm) << testing::PrintToString(wrong);
  EXPECT_EQ(After(Header((1 << 20) + 1, kData, 0, 1)), Breach::kFrameSize);
}

TEST_P(Frames, ResetsThatThePeerMakesUsSendCountAndThoseOfOurOwnDoNot) {
  Counted own(GetParam());
  EXPECT_EQ(own.Out(Repeat(5000, [](std::uint32_t stream) { return Frame(kRstStream, 0, stream, U32(0)); }) +
                    Repeat(5000, [](std::uint32_t stream) { return Frame(kRstStream, 0, stream, U32(8)); })),
            Breach::kNone);
  for (const std::uint32_t code : {1u, 3u, 5u, 7u}) {
    Counted made(GetParam());
    EXPECT_EQ(made.Out(Same(100, Frame(kRstStream, 0, 1, U32(code)))), Breach::kNone);
    EXPECT_EQ(made.Out(Frame(kRstStream, 0, 1, U32(code))), Breach::kFaults);
  }
}

TEST_P(Frames, WhatOfMessagesIsUnfinishedIsKnownToTheByte) {
  Counted counted(GetParam());
  ASSERT_EQ(counted.Opened(), Breach::kNone);
  ASSERT_EQ(counted.In(Call(1, "/a/b") + Call(3, "/a/b")), Breach::kNone);
  const auto prefix = std::string(1, '\0') + U32(1000);
  counted.In(Frame(kData, 0, 1, prefix + std::string(400, 'x')));
  EXPECT_EQ((*counted).unfinished(), 400u);
  counted.In(Frame(kData, 0, 3, Message("whole") + prefix + "y"));
  EXPECT_EQ((*counted).unfinished(), 401u);
  counted.In(Frame(kData, 0, 1, std::string(600, 'x')));
  EXPECT_EQ((*counted).unfinished(), 1u) << "the first is whole";
  counted.In(Frame(kData, 0, 1, Message("again") + prefix + std::string(10, 'z')));
  EXPECT_EQ((*counted).unfinished(), 11u);
  counted.In(Frame(kRstStream, 0, 3, U32(8)));
  EXPECT_EQ((*counted).unfinished(), 10u) << "given up by the peer";
  counted.Out(Frame(kHeaders, kEndHeaders | kEndStream, 1, "x"));
  EXPECT_EQ((*counted).unfinished(), 0u) << "answered";
  counted.In(Frame(kData, 0, 1, std::string(50, 'x')));
  EXPECT_EQ((*counted).unfinished(), 0u) << "nobody keeps what comes after the answer";
}

TEST_P(Frames, AMessageThatIsAnnouncedTooLongIsABreachAtItsPrefix) {
  const auto announced = [](std::uint32_t length) {
    return Call(1, "/a/b") + Frame(kData, 0, 1, Message("first") + std::string(1, '\0') + U32(length));
  };
  EXPECT_EQ(After(announced(9 << 20)), Breach::kNone);
  EXPECT_EQ(After(announced((9 << 20) + 1)), Breach::kMessage);
  EXPECT_EQ(After(announced(0xffffffff)), Breach::kMessage);
}

TEST_P(Frames, TheFirstBreachStays) {
  Counted counted(GetParam());
  counted.In("GET / HTTP/1.1\r\n\r\n");
  ASSERT_EQ((*counted).breach(), Breach::kPreface);
  counted.Pass(milliseconds(60'000));
  EXPECT_EQ(counted.In(Opening()), Breach::kPreface);
}

TEST(Breaches, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kBreaches; ++i) names.insert(NameOf(static_cast<Breach>(i)));
  EXPECT_EQ(names.size(), kBreaches);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace valija::broker::guard
