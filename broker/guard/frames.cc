#include "broker/guard/frames.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace valija::broker::guard {
namespace {

constexpr std::string_view kMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::uint8_t kData = 0, kHeaders = 1, kPriority = 2, kRstStream = 3, kSettings = 4, kPushPromise = 5,
                       kPing = 6, kGoAway = 7, kWindowUpdate = 8, kContinuation = 9;
constexpr std::uint8_t kAck = 1, kEndStream = 1, kEndHeaders = 4;
// Error codes with which we end a stream without a fault of the peer's: NO_ERROR, CANCEL.
constexpr std::uint32_t kNoError = 0, kCancel = 8;

std::uint32_t U32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

}  // namespace

std::string_view NameOf(Breach breach) {
  static constexpr std::array<std::string_view, kBreaches> kNames = {
      "none",   "preface", "form",       "frame-size",  "header-block",   "streams",
      "resets", "pings",   "settings",   "empty-data",  "window-updates", "other-frames",
      "faults", "message", "unfinished", "connections", "handshake"};
  return kNames[static_cast<std::size_t>(breach)];
}

void FrameCounter::Roll(TimePoint now) {
  now_ = now;
  if (now - window_begun_ < limits_.window) return;
  window_begun_ = now;
  counts_ = {};
}

void FrameCounter::Count(unsigned& count, unsigned limit, Breach breach) {
  if (++count > limit) Breached(breach);
}

// Walks whole headers and as much of the payloads as is there; `begin` sees each frame once its header is whole, `end`
// once its payload is.
template <class Begin, class Payload, class End>
void FrameCounter::Step(Walk& walk, ByteView bytes, Begin begin, Payload payload, End end) {
  while (!bytes.empty() && breach_ == Breach::kNone) {
    if (walk.header_size < walk.header.size()) {
      const auto take = std::min(walk.header.size() - walk.header_size, bytes.size());
      std::memcpy(walk.header.data() + walk.header_size, bytes.data(), take);
      walk.header_size = static_cast<std::uint8_t>(walk.header_size + take);
      bytes = bytes.subspan(take);
      if (walk.header_size < walk.header.size()) return;
      const auto* h = walk.header.data();
      walk.left = std::uint32_t{h[0]} << 16 | std::uint32_t{h[1]} << 8 | h[2];
      walk.frame = {walk.left, U32(h + 5) & 0x7fffffff, h[3], h[4]};
      walk.first_size = 0;
      begin(walk.frame);
    } else {
      const auto part = bytes.first(std::min<std::size_t>(walk.left, bytes.size()));
      for (std::size_t i = 0; i < part.size() && walk.first_size < walk.first.size(); ++i)
        walk.first[walk.first_size++] = part[i];
      payload(walk.frame, part);
      walk.left -= static_cast<std::uint32_t>(part.size());
      bytes = bytes.subspan(part.size());
    }
    if (walk.left == 0 && breach_ == Breach::kNone) {
      end(walk);
      walk.header_size = 0;
    }
  }
}

Breach FrameCounter::Received(ByteView bytes, TimePoint now) {
  Roll(now);
  for (; preface_ < kMagic.size() && !bytes.empty() && breach_ == Breach::kNone; bytes = bytes.subspan(1)) {
    if (bytes[0] != static_cast<std::uint8_t>(kMagic[preface_++])) Breached(Breach::kPreface);
  }
  if (!acknowledged_ && now - begun_ > limits_.unacknowledged) Breached(Breach::kStreams);
  Step(
      in_, bytes, [this](const Frame& frame) { ReceivedFrame(frame); },
      [this](const Frame& frame, ByteView part) { ReceivedPayload(frame, part); },
      [this](const Walk& walk) { ReceivedEnd(walk); });
  return breach_;
}

Breach FrameCounter::Sent(ByteView bytes, TimePoint now) {
  Roll(now);
  Step(
      out_, bytes, [](const Frame&) {}, [](const Frame&, ByteView) {}, [this](const Walk& walk) { SentEnd(walk); });
  return breach_;
}

void FrameCounter::ReceivedFrame(const Frame& frame) {
  if (frame.length > limits_.frame) return Breached(Breach::kFrameSize);
  if (!settings_came_ && (frame.type != kSettings || (frame.flags & kAck) != 0)) return Breached(Breach::kPreface);
  if ((block_stream_ != 0) != (frame.type == kContinuation)) return Breached(Breach::kForm);
  const bool of_connection = frame.stream == 0;
  switch (frame.type) {
    case kData:
      if (of_connection) return Breached(Breach::kForm);
      if (frame.length == 0 && (frame.flags & kEndStream) == 0)
        Count(counts_.empty_data, limits_.empty_data, Breach::kEmptyData);
      return;
    case kHeaders:
      return ReceivedHeaders(frame);
    case kContinuation:
      block_bytes_ += frame.length;
      if (frame.stream != block_stream_) return Breached(Breach::kForm);
      if (++block_continuations_ > limits_.continuations || block_bytes_ > limits_.header_block)
        return Breached(Breach::kHeaderBlock);
      if ((frame.flags & kEndHeaders) != 0) block_stream_ = 0;
      return;
    case kPriority:
      if (of_connection || frame.length != 5) return Breached(Breach::kForm);
      return Count(counts_.other, limits_.other, Breach::kOtherFrames);
    case kRstStream:
      if (of_connection || frame.length != 4) return Breached(Breach::kForm);
      return Count(counts_.resets, limits_.resets, Breach::kResets);
    case kSettings:
      return ReceivedSettings(frame);
    case kPushPromise:
      return Breached(Breach::kForm);
    case kPing:
      if (!of_connection || frame.length != 8) return Breached(Breach::kForm);
      if ((frame.flags & kAck) != 0) return Count(counts_.other, limits_.other, Breach::kOtherFrames);
      return Count(counts_.pings, limits_.pings, Breach::kPings);
    case kGoAway:
      if (!of_connection || frame.length < 8) return Breached(Breach::kForm);
      return Count(counts_.other, limits_.other, Breach::kOtherFrames);
    case kWindowUpdate:
      if (frame.length != 4) return Breached(Breach::kForm);
      if (++counts_.updates > limits_.window_updates + counts_.entitled) Breached(Breach::kWindowUpdates);
      return;
    default:
      return Count(counts_.other, limits_.other, Breach::kOtherFrames);
  }
}

void FrameCounter::ReceivedHeaders(const Frame& frame) {
  if (frame.stream % 2 == 0) return Breached(Breach::kForm);
  block_bytes_ = frame.length;
  block_continuations_ = 0;
  if (block_bytes_ > limits_.header_block) return Breached(Breach::kHeaderBlock);
  if ((frame.flags & kEndHeaders) == 0) block_stream_ = frame.stream;
  counts_.entitled += limits_.updates_per_frame;
  if (frame.stream <= last_stream_) {  // trailers, which no client of gRPC's sends
    if ((frame.flags & kEndStream) != 0) Whole(frame.stream);
    return Count(counts_.other, limits_.other, Breach::kOtherFrames);
  }
  last_stream_ = frame.stream;
  if (!acknowledged_ && ++streams_ > limits_.streams_unacknowledged) return Breached(Breach::kStreams);
  if (requests_.size() >= limits_.streams) return Breached(Breach::kStreams);
  requests_[frame.stream].ended = (frame.flags & kEndStream) != 0;
}

void FrameCounter::ReceivedSettings(const Frame& frame) {
  const bool ack = (frame.flags & kAck) != 0;
  if (frame.stream != 0 || frame.length % 6 != 0 || (ack && frame.length != 0)) return Breached(Breach::kForm);
  settings_came_ = true;
  if (ack) {
    if (unacknowledged_ == 0) return Breached(Breach::kForm);
    --unacknowledged_;
    acknowledged_ = true;
    return;
  }
  Count(counts_.settings, limits_.settings, Breach::kSettings);
}

// Follows the messages in a request's DATA: five bytes of prefix, of which four are the length, and the message.
void FrameCounter::ReceivedPayload(const Frame& frame, ByteView part) {
  if (frame.type != kData) return;
  const auto at = requests_.find(frame.stream);
  if (at == requests_.end() || at->second.ended) return;
  auto& request = at->second;
  while (!part.empty()) {
    if (request.left == 0) {
      request.prefix[request.prefix_size++] = part[0];
      part = part.subspan(1);
      if (request.prefix_size < request.prefix.size()) continue;
      request.left = U32(request.prefix.data() + 1);
      request.prefix_size = 0;
      if (request.left > limits_.message) return Breached(Breach::kMessage);
      continue;
    }
    const auto take = std::min<std::uint64_t>(request.left, part.size());
    request.left -= take;
    request.held += take;
    unfinished_ += take;
    part = part.subspan(take);
    if (request.left == 0) unfinished_ -= std::exchange(request.held, 0);
  }
}

void FrameCounter::ReceivedEnd(const Walk& walk) {
  const auto& frame = walk.frame;
  if (frame.type == kRstStream) Forget(frame.stream);
  if (frame.type == kData && (frame.flags & kEndStream) != 0) Whole(frame.stream);
  if (frame.type == kWindowUpdate && (U32(walk.first.data()) & 0x7fffffff) == 0) Breached(Breach::kForm);
}

void FrameCounter::SentEnd(const Walk& walk) {
  const auto& frame = walk.frame;
  if (frame.type == kSettings && (frame.flags & kAck) == 0) ++unacknowledged_;
  if (frame.type == kData) counts_.entitled += limits_.updates_per_frame;
  if (frame.type == kRstStream) {
    Forget(frame.stream);
    const auto code = walk.first_size == 4 ? U32(walk.first.data()) : kNoError;
    if (code != kNoError && code != kCancel) Count(counts_.faults, limits_.faults, Breach::kFaults);
  } else if ((frame.type == kHeaders || frame.type == kData) && (frame.flags & kEndStream) != 0) {
    Forget(frame.stream);
  }
}

void FrameCounter::Whole(std::uint32_t stream) {
  const auto at = requests_.find(stream);
  if (at == requests_.end()) return;
  unfinished_ -= std::exchange(at->second.held, 0);
  at->second.ended = true;
}

void FrameCounter::Forget(std::uint32_t stream) {
  const auto at = requests_.find(stream);
  if (at == requests_.end()) return;
  unfinished_ -= at->second.held;
  requests_.erase(at);
}

}  // namespace valija::broker::guard
