#include "core/crypto/cobblestone.h"

#include <algorithm>
#include <stdexcept>

#include "core/crypto/kdf.h"

namespace valija::crypto {
namespace {

constexpr std::string_view kInfoPrefix{"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0", 48};

std::array<std::uint8_t, kAeadNonceSize> ChunkNonce(ByteView base_nonce, std::uint64_t chunk) {
  std::array<std::uint8_t, kAeadNonceSize> nonce;
  std::copy(base_nonce.begin(), base_nonce.end(), nonce.begin());
  for (std::size_t i = 0; i < sizeof chunk; ++i) {
    nonce[kAeadNonceSize - 1 - i] ^= static_cast<std::uint8_t>(chunk >> (8 * i));
  }
  return nonce;
}

}  // namespace

std::uint64_t CobblestoneSealedSize(std::uint64_t plain) {
  return kCobblestoneHeaderSize + plain + (plain / kCobblestoneChunk + 1) * kAeadTagSize;
}

CobblestoneKeys DeriveCobblestone(ByteView cek, ByteView context, const CobblestoneSalt& salt) {
  if (cek.size() != kAeadKeySize) throw std::invalid_argument("a Cobblestone-256 key has 32 bytes");
  Secret all = HkdfExpandSha512(cek, {AsBytes(kInfoPrefix), salt, context},
                                kAeadKeySize + kAeadNonceSize + kCobblestoneCommitmentSize);
  ByteView view = all.view();
  return {Secret::CopyOf(view.first(kAeadKeySize)), Secret::CopyOf(view.subspan(kAeadKeySize, kAeadNonceSize)),
          *Commitment::From(view.last(kCobblestoneCommitmentSize))};
}

CobblestoneSealer::CobblestoneSealer(ByteView cek, ByteView context, const CobblestoneSalt& salt)
    : keys_(DeriveCobblestone(cek, context, salt)), salt_(salt), aead_(keys_.key.view()), pending_(kCobblestoneChunk) {}

void CobblestoneSealer::WriteHeader(Bytes& out) {
  if (finished_) throw std::logic_error("this Cobblestone sealer has finished");
  if (header_written_) return;
  Append(out, salt_);
  Append(out, keys_.commitment);
  header_written_ = true;
}

void CobblestoneSealer::SealChunk(ByteView plain, std::span<std::uint8_t> out) {
  if (counter_ >= kCobblestoneMaxChunks) throw std::length_error("more than a Cobblestone message holds");
  aead_.Seal(ChunkNonce(keys_.base_nonce.view(), counter_), {}, plain, out);
  ++counter_;
}

void CobblestoneSealer::Update(ByteView plain, Bytes& out) {
  WriteHeader(out);
  const std::size_t fill =
      pending_size_ == 0 ? 0 : std::min(plain.size(), kCobblestoneChunk - pending_size_);  // completes what is begun
  const bool completes = pending_size_ != 0 && pending_size_ + fill == kCobblestoneChunk;
  std::copy_n(plain.begin(), fill, pending_.mutable_view().begin() + static_cast<std::ptrdiff_t>(pending_size_));
  pending_size_ += fill;
  plain = plain.subspan(fill);

  const std::size_t whole = plain.size() / kCobblestoneChunk;
  std::size_t at = out.size();
  out.resize(at + (whole + (completes ? 1 : 0)) * kCobblestoneSealedChunk);
  std::span<std::uint8_t> sealed(out);
  if (completes) {
    SealChunk(pending_.view(), sealed.subspan(at, kCobblestoneSealedChunk));
    at += kCobblestoneSealedChunk;
    pending_size_ = 0;
  }
  for (std::size_t i = 0; i < whole; ++i, at += kCobblestoneSealedChunk) {
    SealChunk(plain.subspan(i * kCobblestoneChunk, kCobblestoneChunk), sealed.subspan(at, kCobblestoneSealedChunk));
  }
  const ByteView rest = plain.subspan(whole * kCobblestoneChunk);
  std::copy(rest.begin(), rest.end(), pending_.mutable_view().begin() + static_cast<std::ptrdiff_t>(pending_size_));
  pending_size_ += rest.size();
}

void CobblestoneSealer::Finish(Bytes& out) {
  WriteHeader(out);
  const std::size_t at = out.size();
  out.resize(at + pending_size_ + kAeadTagSize);
  SealChunk(pending_.view().first(pending_size_), std::span<std::uint8_t>(out).subspan(at));
  finished_ = true;
  pending_ = Secret();
}

CobblestoneOpener::CobblestoneOpener(ByteView cek, ByteView context)
    : cek_(Secret::CopyOf(cek)), context_(ToBytes(context)), failed_(cek.size() != kAeadKeySize) {}

Status CobblestoneOpener::Fail(std::string_view why) {
  failed_ = true;
  return Refuse(Reason::kBadSeal, std::string(why));
}

Status CobblestoneOpener::ReadHeader() {
  const ByteView header = pending_;
  keys_ = DeriveCobblestone(cek_.view(), context_, *CobblestoneSalt::From(header.first(kCobblestoneSaltSize)));
  cek_ = Secret();
  // The commitment is in the clear in the header: comparing it needs no constant time.
  if (!Equal(keys_->commitment, header.subspan(kCobblestoneSaltSize))) return Fail("key commitment");
  aead_.emplace(keys_->key.view());
  pending_.clear();
  pending_.reserve(kCobblestoneSealedChunk);
  return Ok();
}

bool CobblestoneOpener::OpenChunk(ByteView sealed, std::span<std::uint8_t> out) {
  if (counter_ >= kCobblestoneMaxChunks) return false;
  if (!aead_->Open(ChunkNonce(keys_->base_nonce.view(), counter_), {}, sealed, out)) return false;
  ++counter_;
  return true;
}

Status CobblestoneOpener::Update(ByteView sealed, Bytes& out) {
  if (failed_ || finished_) return Fail("refused before, or ended");
  if (!keys_) {
    const std::size_t take = std::min(sealed.size(), kCobblestoneHeaderSize - pending_.size());
    Append(pending_, sealed.first(take));
    sealed = sealed.subspan(take);
    if (pending_.size() < kCobblestoneHeaderSize) return Ok();
    TRY_OK(ReadHeader());
  }
  const std::size_t fill = pending_.empty() ? 0 : std::min(sealed.size(), kCobblestoneSealedChunk - pending_.size());
  Append(pending_, sealed.first(fill));
  sealed = sealed.subspan(fill);
  const bool completes = pending_.size() == kCobblestoneSealedChunk;

  // A chunk of the full size is never the last, so it can be opened as soon as it is there.
  const std::size_t whole = sealed.size() / kCobblestoneSealedChunk;
  std::size_t at = out.size();
  out.resize(at + (whole + (completes ? 1 : 0)) * kCobblestoneChunk);
  auto open = [&](ByteView chunk) {
    if (!OpenChunk(chunk, std::span<std::uint8_t>(out).subspan(at, kCobblestoneChunk))) return false;
    at += kCobblestoneChunk;
    return true;
  };
  bool held = true;
  if (completes) {
    held = open(pending_);
    pending_.clear();
  }
  for (std::size_t i = 0; held && i < whole; ++i) {
    held = open(sealed.subspan(i * kCobblestoneSealedChunk, kCobblestoneSealedChunk));
  }
  if (!held) {
    out.resize(at);
    return Fail("chunk " + std::to_string(counter_));
  }
  Append(pending_, sealed.subspan(whole * kCobblestoneSealedChunk));
  return Ok();
}

Status CobblestoneOpener::Finish(Bytes& out) {
  if (failed_ || finished_) return Fail("refused before, or ended");
  // pending_ is shorter than a full chunk here: Update opened every full one.
  if (!keys_ || pending_.size() < kAeadTagSize) return Fail("truncated");
  const std::size_t at = out.size();
  out.resize(at + pending_.size() - kAeadTagSize);
  if (!OpenChunk(pending_, std::span<std::uint8_t>(out).subspan(at))) {
    out.resize(at);
    return Fail("last chunk");
  }
  finished_ = true;
  pending_.clear();
  return Ok();
}

}  // namespace valija::crypto
