// Bytes <-> messages, strictly. For proto/ alone.
//
// What is signed or hashed has one form: a payload, header, policy or decision is taken only if its fields, written
// again in the order of their numbers, give the same bytes. One comparison so refuses doubled singular fields (of which
// protobuf silently takes the last), fields out of order, non-minimal varints, default values written out and integers
// too wide for their field. Unknown fields are told apart before, by Known(), for they would be written again unchanged.
// Thread-safety: pure functions.
#pragma once

#include <google/protobuf/message.h>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace valija::proto {

inline constexpr std::size_t kMaxPayload = std::size_t{4} << 20;
inline constexpr std::size_t kMaxCharter = std::size_t{1} << 20;
inline constexpr std::size_t kMaxHeader = std::size_t{1} << 20;
inline constexpr std::size_t kMaxPolicy = std::size_t{64} << 10;  // without its 32 random bytes
inline constexpr std::size_t kMaxDecision = std::size_t{1} << 20;
inline constexpr std::size_t kMaxWrapper = std::size_t{16} << 20;  // envelopes and entries in files and stores
inline constexpr int kMaxDepth = 20;

// kTooLarge; kMalformed for what is no message of this kind: truncated, nested deeper than kMaxDepth, text not UTF-8.
Status Parse(ByteView bytes, std::size_t limit, google::protobuf::Message& message);

// kMalformed unless `bytes`, from which the message was parsed, are its one canonical form.
Status CheckCanonical(const google::protobuf::Message& message, ByteView bytes);

Bytes Serialise(const google::protobuf::Message& message);

// kUnknownField if this message, apart from the messages in it, has a field that its definition does not name. Every
// FromMessage begins with it; some nanoseconds.
Status Known(const google::protobuf::Message& message);

// The whole way of what is signed or hashed: `read` is a FromMessage of M.
template <class M, class Read>
auto DecodeCanonical(ByteView bytes, std::size_t limit, Read read) -> decltype(read(std::declval<const M&>())) {
  M message;
  TRY_OK(Parse(bytes, limit, message));
  auto value = read(message);
  if (!value) return value;
  TRY_OK(CheckCanonical(message, bytes));
  return value;
}

// The same for what only carries others: no canonical form is asked.
template <class M, class Read>
auto DecodeWrapper(ByteView bytes, Read read) -> decltype(read(std::declval<const M&>())) {
  M message;
  TRY_OK(Parse(bytes, kMaxWrapper, message));
  return read(message);
}

}  // namespace valija::proto
