// HTTP/2 frames as an attacker makes them, for the self-test and the tests: any type, flags, stream and length, right or wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace valija::broker::guard::h2 {

inline constexpr std::uint8_t kData = 0, kHeaders = 1, kPriority = 2, kRstStream = 3, kSettings = 4, kPing = 6,
                              kGoAway = 7, kWindowUpdate = 8, kContinuation = 9;
inline constexpr std::uint8_t kAck = 1, kEndStream = 1, kEndHeaders = 4;
inline constexpr std::string_view kMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string U32(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}
// The header alone: its length need not be what follows.
inline std::string Header(std::size_t length, std::uint8_t type, std::uint8_t flags, std::uint32_t stream) {
  return U32(static_cast<std::uint32_t>(length)).substr(1) + static_cast<char>(type) + static_cast<char>(flags) +
         U32(stream);
}
inline std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  return Header(payload.size(), type, flags, stream).append(payload);
}
// For streams 1, 3, ..
inline std::string Repeat(unsigned count, const std::function<std::string(std::uint32_t)>& one) {
  std::string out;
  for (std::uint32_t i = 0; i < count; ++i) out += one(2 * i + 1);
  return out;
}
inline std::string Same(unsigned count, const std::string& one) {
  return Repeat(count, [&](std::uint32_t) { return one; });
}
// An honest client acknowledges the other side's SETTINGS once they have come.
inline std::string Opening() { return std::string(kMagic) + Frame(kSettings, 0, 0); }
inline std::string Acknowledgement() { return Frame(kSettings, kAck, 0); }

// A literal header field without indexing, no Huffman.
inline std::string Field(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  for (const auto text : {name, value}) {
    if (text.size() < 127) {
      out += static_cast<char>(text.size());
    } else {
      out += '\x7f';
      std::size_t rest = text.size() - 127;
      for (; rest >= 128; rest >>= 7) out += static_cast<char>(0x80 | (rest & 0x7f));
      out += static_cast<char>(rest);
    }
    out += text;
  }
  return out;
}
// The header block of a call as gRPC's clients make it.
inline std::string CallBlock(std::string_view path, std::string_view more = {}) {
  return Field(":method", "POST") + Field(":scheme", "https") + Field(":path", path) + Field(":authority", "broker") +
         Field("te", "trailers") + Field("content-type", "application/grpc") + Field("grpc-timeout", "20S") +
         std::string(more);
}
inline std::string Call(std::uint32_t stream, std::string_view path, std::uint8_t flags = kEndHeaders) {
  return Frame(kHeaders, flags, stream, CallBlock(path));
}
inline std::string Message(std::string_view body, std::uint8_t compressed = 0) {
  return std::string(1, static_cast<char>(compressed)) + U32(static_cast<std::uint32_t>(body.size())) +
         std::string(body);
}

}  // namespace valija::broker::guard::h2
