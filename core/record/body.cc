#include "core/record/body.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "core/log/tree.h"
#include "core/record/share.h"

namespace valija::record {
namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;  // RFC 9162 2.1.1

Error BadBody(std::string what) { return Refuse(Reason::kBadBody, std::move(what)); }

}  // namespace

std::uint64_t SealedBodySize(std::uint64_t plain_length) {
  return crypto::CobblestoneSealedSize(PaddedSize(plain_length));
}

bool IsSealedBodySize(std::uint64_t body_length) {
  if (body_length < SealedBodySize(0) || body_length > SealedBodySize(kMaxPlainLength)) return false;
  const std::uint64_t chunks = body_length - crypto::kCobblestoneHeaderSize;
  const std::uint64_t count = chunks / crypto::kCobblestoneSealedChunk + 1;  // the last one is never full
  const std::uint64_t padded = chunks - count * crypto::kAeadTagSize;
  return padded >= kPaddingFloor && Padme(padded) == padded;
}

BodySummary SummariseBody(ByteView body) {
  if (body.empty()) throw std::invalid_argument("an empty body is none");
  BodySummary out;
  out.length = body.size();
  for (; !body.empty(); body = body.subspan(std::min(body.size(), kSliceSize))) {
    out.slice_hashes.push_back(log::LeafHash(body.first(std::min(body.size(), kSliceSize))));
  }
  out.root = log::RootOf(out.slice_hashes);
  return out;
}

// ---- SliceHasher ----

SliceHasher::SliceHasher() { hash_.Update({&kLeafPrefix, 1}); }

void SliceHasher::CloseSlice() {
  slice_hashes_.push_back(hash_.Finish());
  hash_ = crypto::Sha256Stream();
  hash_.Update({&kLeafPrefix, 1});
  in_slice_ = 0;
}

void SliceHasher::Update(ByteView block) {
  length_ += block.size();
  while (!block.empty()) {
    const std::size_t now = std::min(block.size(), kSliceSize - in_slice_);
    hash_.Update(block.first(now));
    in_slice_ += now;
    block = block.subspan(now);
    if (in_slice_ == kSliceSize) CloseSlice();
  }
}

BodySummary SliceHasher::Finish() {
  if (length_ == 0) throw std::logic_error("an empty body is none");
  if (in_slice_ > 0) CloseSlice();
  return {length_, log::RootOf(slice_hashes_), std::move(slice_hashes_)};
}

// ---- SliceList ----

std::uint64_t SliceList::Count(std::uint64_t body_length) {
  return body_length / kSliceSize + (body_length % kSliceSize != 0 ? 1 : 0);
}

Result<SliceList> SliceList::Check(std::uint64_t body_length, const Hash& body_root, std::vector<Hash> slice_hashes) {
  if (body_length == 0) return BadBody("an empty body is none");
  if (slice_hashes.size() != Count(body_length)) return BadBody("not one hash for each slice");
  if (log::RootOf(slice_hashes) != body_root) return BadBody("the slice hashes give another root");
  return SliceList(body_length, std::move(slice_hashes));
}

std::size_t SliceList::SliceLength(std::uint64_t index) const {
  if (index >= size()) throw std::out_of_range("no such slice");
  return static_cast<std::size_t>(std::min<std::uint64_t>(kSliceSize, body_length_ - index * kSliceSize));
}

Status SliceList::CheckSlice(std::uint64_t index, ByteView slice) const {
  if (index >= size()) return BadBody("the body is longer than signed");
  if (slice.size() != SliceLength(index)) return BadBody("slice " + std::to_string(index) + " has another length");
  if (log::LeafHash(slice) != slice_hashes_[static_cast<std::size_t>(index)]) {
    return BadBody("slice " + std::to_string(index) + " is another");
  }
  return Ok();
}

// ---- BodySealer ----

BodySealer::BodySealer(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion,
                       const crypto::CobblestoneSalt& salt)
    : sealer_(cek.view(), ContentContext(ctx, portion), salt) {}

Status BodySealer::Update(ByteView plain, const Sink& sink) {
  plain_ += plain.size();
  return SealPadded(plain, sink);
}

Status BodySealer::SealPadded(ByteView padded, const Sink& sink) {
  while (!padded.empty()) {
    // Just enough chunks to fill the slice, so that little is left over to be moved.
    const std::size_t chunks = (kSliceSize - ready_.size()) / crypto::kCobblestoneSealedChunk + 1;
    const std::size_t now = std::min(padded.size(), chunks * crypto::kCobblestoneChunk);
    sealer_.Update(padded.first(now), ready_);
    padded = padded.subspan(now);
    TRY_OK(EmitSlices(false, sink));
  }
  return Ok();
}

Status BodySealer::EmitSlices(bool last, const Sink& sink) {
  ByteView left = ready_;
  while (left.size() >= kSliceSize || (last && !left.empty())) {
    const ByteView slice = left.first(std::min(left.size(), kSliceSize));
    left = left.subspan(slice.size());
    summary_.length += slice.size();
    summary_.slice_hashes.push_back(log::LeafHash(slice));
    TRY_OK(sink(slice));
  }
  ready_.erase(ready_.begin(), ready_.end() - static_cast<std::ptrdiff_t>(left.size()));
  return Ok();
}

Result<BodySummary> BodySealer::Finish(const Sink& sink) {
  TRY_OK(WritePadding(plain_, [&](ByteView block) { return SealPadded(block, sink); }));
  sealer_.Finish(ready_);
  TRY_OK(EmitSlices(true, sink));
  summary_.root = log::RootOf(summary_.slice_hashes);
  return std::move(summary_);
}

// ---- BodyOpener ----

BodyOpener::BodyOpener(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion, SliceList slices)
    : slices_(std::move(slices)), opener_(cek.view(), ContentContext(ctx, portion)) {}

BodyOpener::~BodyOpener() { crypto::WipeBytes(plain_); }

Status BodyOpener::Update(ByteView sealed, const Sink& sink) {
  if (failed_ || finished_) return BadBody("refused before, or ended");
  failed_ = true;  // until this call is done
  while (!sealed.empty()) {
    if (next_ >= slices_.size()) return BadBody("the body is longer than signed");
    const std::size_t whole = slices_.SliceLength(next_);
    if (pending_.empty() && sealed.size() >= whole) {
      TRY_OK(OpenSlice(sealed.first(whole), sink));
      sealed = sealed.subspan(whole);
      continue;
    }
    const std::size_t now = std::min(sealed.size(), whole - pending_.size());
    Append(pending_, sealed.first(now));
    sealed = sealed.subspan(now);
    if (pending_.size() == whole) {
      TRY_OK(OpenSlice(pending_, sink));
      pending_.clear();
    }
  }
  failed_ = false;
  return Ok();
}

Status BodyOpener::OpenSlice(ByteView slice, const Sink& sink) {
  TRY_OK(slices_.CheckSlice(next_, slice));
  ++next_;
  return Decrypt(slice, sink);
}

Status BodyOpener::Decrypt(ByteView sealed, const Sink& sink) {
  Status opened = opener_.Update(sealed, plain_);
  return opened ? Unpad(sink) : opened;
}

// Hands on what was opened. plain_ is empty before and after, so growing it leaves no copy behind.
Status BodyOpener::Unpad(const Sink& sink) {
  Status done = unpadder_.Update(plain_, sink);
  crypto::WipeBytes(plain_);
  plain_.clear();
  return done;
}

Status BodyOpener::Finish(const Sink& sink) {
  if (failed_ || finished_) return BadBody("refused before, or ended");
  finished_ = true;
  if (next_ != slices_.size()) return BadBody("the body is shorter than signed");
  TRY_OK(opener_.Finish(plain_));
  TRY_OK(Unpad(sink));
  return unpadder_.Finish();
}

// ---- In memory ----

SealedBody SealBody(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion,
                    const crypto::CobblestoneSalt& salt, ByteView plain) {
  SealedBody out;
  out.bytes.reserve(static_cast<std::size_t>(SealedBodySize(plain.size())));
  const Sink sink = [&out](ByteView slice) {
    Append(out.bytes, slice);
    return Ok();
  };
  BodySealer sealer(cek, ctx, portion, salt);
  sealer.Update(plain, sink).value();
  out.summary = sealer.Finish(sink).value();
  return out;
}

Result<Bytes> OpenBody(const crypto::Secret& cek, const Hash& ctx, std::uint32_t portion, ByteView body,
                       std::uint64_t body_length, const Hash& body_root) {
  if (body.size() != body_length) return BadBody("the body has another length than signed");
  if (body.empty()) return BadBody("an empty body is none");
  TRY(SliceList slices, SliceList::Check(body_length, body_root, SummariseBody(body).slice_hashes));
  BodyOpener opener(cek, ctx, portion, std::move(slices));
  Bytes plain;
  plain.reserve(body.size());  // no growing: that would leave copies behind
  const Sink sink = [&plain](ByteView block) {
    Append(plain, block);
    return Ok();
  };
  // The slices' hashes were made of these very bytes.
  opener.next_ = opener.slices_.size();
  Status done = opener.Decrypt(body, sink);
  if (done) done = opener.Finish(sink);
  if (done) return plain;
  crypto::WipeBytes(plain);
  return done.error();
}

}  // namespace valija::record
