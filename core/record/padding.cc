#include "core/record/padding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>

namespace valija::record {
namespace {

constexpr std::uint8_t kMark = 0x80;
constexpr std::array<std::uint8_t, 65536> kZeros{};

Status WriteZeros(std::uint64_t count, const Sink& sink) {
  for (std::uint64_t left = count; left > 0;) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(left, kZeros.size()));
    TRY_OK(sink(ByteView(kZeros).first(now)));
    left -= now;
  }
  return Ok();
}

}  // namespace

std::uint64_t Padme(std::uint64_t length) {
  if (length < 2 || length > (std::uint64_t{1} << 52)) throw std::out_of_range("no length to round up");
  const unsigned e = static_cast<unsigned>(std::bit_width(length)) - 1;  // floor(log2 length)
  const unsigned s = static_cast<unsigned>(std::bit_width(e));           // floor(log2 e) + 1
  const std::uint64_t mask = (std::uint64_t{1} << (e - s)) - 1;
  return (length + mask) & ~mask;
}

std::uint64_t PaddedSize(std::uint64_t plain_length) {
  if (plain_length > kMaxPlainLength) throw std::out_of_range("no body holds so much");
  return Padme(std::max(kPaddingFloor, plain_length + 1));
}

Status WritePadding(std::uint64_t plain_length, const Sink& sink) {
  TRY_OK(sink({&kMark, 1}));
  return WriteZeros(PaddedSize(plain_length) - plain_length - 1, sink);
}

Status Unpadder::Emit(ByteView block, const Sink& sink) {
  if (block.empty()) return Ok();
  plain_ += block.size();
  return sink(block);
}

Status Unpadder::Update(ByteView padded, const Sink& sink) {
  const auto last =
      std::find_if(padded.rbegin(), padded.rend(), [](std::uint8_t byte) { return byte != 0; });  // but zeros
  const auto trailing = static_cast<std::size_t>(last - padded.rbegin());
  if (trailing == padded.size()) {
    if (marked_) return zeros_ += trailing, Ok();
    return Emit(padded, sink);
  }
  // Something stands here, so what was held back is plaintext after all.
  if (marked_) {
    marked_ = false;
    TRY_OK(Emit({&kMark, 1}, sink));
    plain_ += zeros_;
    TRY_OK(WriteZeros(zeros_, sink));
    zeros_ = 0;
  }
  if (*last != kMark) return Emit(padded, sink);
  marked_ = true;
  zeros_ = trailing;
  return Emit(padded.first(padded.size() - trailing - 1), sink);
}

Status Unpadder::Finish() {
  if (!marked_) return Refuse(Reason::kBadSeal, "the padding has no mark, or something but zeros after it");
  if (plain_ > kMaxPlainLength || PaddedSize(plain_) != plain_ + 1 + zeros_) {
    return Refuse(Reason::kBadSeal, "the padding has another length than it must");
  }
  return Ok();
}

}  // namespace valija::record
