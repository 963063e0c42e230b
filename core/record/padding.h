// Padding (sealing.md 4): 0x80, then zeros up to Padme(max(256, length + 1)), so that a length tells little: at most 6.3 %
// more bytes, and without the floor a short answer would show its exact length.
#pragma once

#include <cstdint>
#include <functional>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace valija::record {

inline constexpr std::uint64_t kPaddingFloor = 256;
// No plaintext is longer: what Cobblestone can number (2^38 chunks of 16 KiB), less what padding may add.
inline constexpr std::uint64_t kMaxPlainLength = std::uint64_t{1} << 51;

// Rounds up to a multiple of 2^(e-s), e = floor(log2 length), s = floor(log2 e) + 1. length: 2 .. 2^52; another throws.
std::uint64_t Padme(std::uint64_t length);
// Length after padding of a plaintext of this length. Throws above kMaxPlainLength.
std::uint64_t PaddedSize(std::uint64_t plain_length);

// Takes blocks as they come. A refusal ends the work and is handed to the caller.
using Sink = std::function<Status(ByteView block)>;

// The mark and the zeros for a plaintext of this length, in blocks (they can be hundreds of MiB).
Status WritePadding(std::uint64_t plain_length, const Sink& sink);

// Takes padded plaintext in blocks of any size and hands out the plaintext. What may be padding is counted, not kept:
// memory is constant. Not thread-safe.
class Unpadder {
 public:
  Status Update(ByteView padded, const Sink& sink);
  // kBadSeal: no mark, another mark, something but zeros after it, or another length than PaddedSize gives. What was
  // handed out counts only once this is done.
  Status Finish();
  std::uint64_t plain_length() const { return plain_; }  // handed out so far

 private:
  Status Emit(ByteView block, const Sink& sink);
  std::uint64_t plain_ = 0;
  bool marked_ = false;      // a 0x80 was read that may be the mark,
  std::uint64_t zeros_ = 0;  // and so many zeros after it
};

}  // namespace valija::record
