// What one HTTP/2 connection (RFC 9113) may send, counted by the headers of its frames: what stock gRPC 1.51 lets a peer do
// without end is bounded here, and whatever an honest gRPC client never sends is a breach at once.
//
// Fed with the plain bytes of both directions as they come, split anywhere. It decodes nothing: no header block, no message.
// Our own frames count where a peer can make us send them (RST_STREAM for frames that are wrong on purpose), and as what
// entitles the peer to acknowledge (WINDOW_UPDATE).
//
// Not thread-safe: one connection, one at a time. Nothing here reads a clock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "core/base/bytes.h"

namespace valija::broker::guard {

using TimePoint = std::chrono::steady_clock::time_point;

enum class Breach : std::uint8_t {
  kNone,
  kPreface,      // not HTTP/2, or its first frame is no SETTINGS
  kForm,         // a frame that is never right: wrong length, stream or order, an acknowledgement of nothing
  kFrameSize,    // a frame above the size that we announce
  kHeaderBlock,  // headers without end: CONTINUATION after CONTINUATION, or too many bytes
  kStreams,      // streams, or time, before our SETTINGS are acknowledged; too many at once
  kResets,       // RST_STREAM
  kPings,
  kSettings,
  kEmptyData,      // DATA without bytes that ends nothing
  kWindowUpdates,  // more than what we sent can have called for
  kOtherFrames,    // PRIORITY, GOAWAY, acknowledgements of PINGs, unknown types
  kFaults,         // RST_STREAM that we had to send for a fault of the peer's
  kMessage,        // announced longer than any may be; gRPC would gather all of it before it says so
  kUnfinished,     // bytes of messages that do not end
  // Counted elsewhere; here for their names.
  kConnections,  // connections of one certificate
  kHandshake,    // it did not come to HTTP/2
};
inline constexpr std::size_t kBreaches = static_cast<std::size_t>(Breach::kHandshake) + 1;
std::string_view NameOf(Breach breach);

struct FrameLimits {
  std::chrono::milliseconds window{10'000};  // for the counts that follow
  unsigned resets = 200;
  unsigned pings = 100;
  unsigned settings = 50;
  unsigned empty_data = 100;
  unsigned window_updates = 1000;  // and so many for each frame that calls for one:
  unsigned updates_per_frame = 4;  // DATA that we sent, streams that the peer began
  unsigned other = 200;
  unsigned faults = 100;
  // Without a window.
  std::uint32_t frame = 1 << 20;       // bytes; what we announce
  std::uint32_t message = 9 << 20;     // bytes announced; up to here gRPC refuses in words what is above its own limit
  unsigned continuations = 16;         // in a row
  std::uint32_t header_block = 32768;  // bytes, as they are sent
  unsigned streams_unacknowledged = 100;
  std::chrono::milliseconds unacknowledged{5'000};
  // At once: begun and neither answered nor given up. gRPC refuses what is above the 100 that we announce, if it counts at all:
  // an acknowledgement that comes before our SETTINGS makes it forget them.
  unsigned streams = 250;
};

class FrameCounter {
 public:
  FrameCounter(const FrameLimits& limits, TimePoint now) : limits_(limits), begun_(now), window_begun_(now) {}

  // The first breach, for ever after.
  Breach Received(ByteView bytes, TimePoint now);
  Breach Sent(ByteView bytes, TimePoint now);
  Breach breach() const { return breach_; }

  // Bytes of the messages of requests (gRPC's five-byte prefix and what it announces) that are not whole yet: what gRPC
  // keeps for this connection, whoever it is.
  std::uint64_t unfinished() const { return unfinished_; }

 private:
  struct Frame {
    std::uint32_t length = 0, stream = 0;
    std::uint8_t type = 0, flags = 0;
  };
  // One direction's place in the bytes.
  struct Walk {
    std::array<std::uint8_t, 9> header{};
    std::uint8_t header_size = 0;
    std::uint32_t left = 0;  // of the frame's payload
    std::array<std::uint8_t, 4> first{};
    std::uint8_t first_size = 0;
    Frame frame;
  };
  // Where the messages of one request stand; until it is answered or given up.
  struct Request {
    std::array<std::uint8_t, 5> prefix{};
    std::uint8_t prefix_size = 0;
    std::uint64_t left = 0;  // of the message
    std::uint64_t held = 0;  // bytes of it that came
    bool ended = false;      // by the peer; it waits for its answer
  };

  template <class Begin, class Payload, class End>
  void Step(Walk& walk, ByteView bytes, Begin begin, Payload payload, End end);
  void ReceivedFrame(const Frame& frame);
  void ReceivedHeaders(const Frame& frame);
  void ReceivedSettings(const Frame& frame);
  void ReceivedPayload(const Frame& frame, ByteView part);
  void ReceivedEnd(const Walk& walk);
  void SentEnd(const Walk& walk);
  void Whole(std::uint32_t stream);   // its request is whole
  void Forget(std::uint32_t stream);  // the stream is over
  void Count(unsigned& count, unsigned limit, Breach breach);
  void Breached(Breach breach) {
    if (breach_ == Breach::kNone) breach_ = breach;
  }
  void Roll(TimePoint now);

  const FrameLimits limits_;
  const TimePoint begun_;
  TimePoint window_begun_, now_{};
  Breach breach_ = Breach::kNone;
  std::uint8_t preface_ = 0;  // bytes of it that came
  bool settings_came_ = false, acknowledged_ = false;
  std::uint32_t block_stream_ = 0, block_bytes_ = 0;  // the header block that is open
  unsigned block_continuations_ = 0;
  std::uint32_t last_stream_ = 0;
  unsigned streams_ = 0;         // begun before the acknowledgement
  unsigned unacknowledged_ = 0;  // SETTINGS that we sent and the peer did not acknowledge
  struct {
    unsigned resets = 0, pings = 0, settings = 0, empty_data = 0, updates = 0, other = 0, faults = 0;
    std::uint64_t entitled = 0;  // WINDOW_UPDATEs
  } counts_;
  Walk in_, out_;
  std::unordered_map<std::uint32_t, Request> requests_;
  std::uint64_t unfinished_ = 0;
};

}  // namespace valija::broker::guard
