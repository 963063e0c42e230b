// Cobblestone-256: c2sp.org/chunked-encryption v1 over AES-256-GCM and HKDF-Expand-SHA-512, streaming.
//
// Keys ("Key derivation"), from the 32-byte input key (CEK), a salt of 24 random bytes and the caller's context:
//   key (32) || base nonce (12) || commitment (32) = HKDF-Expand-SHA-512(prk = CEK,
//       info = "c2sp.org/chunked-encryption@v1+" || "AEAD_AES_256_GCM" || 0x00 || salt || context, 76)
// Sealed form ("Message chunking"): salt (24) || commitment (32) || chunks of 16,384 plaintext bytes + 16, the last
// chunk 0..16,383 + 16 bytes (an empty last chunk when the plaintext is a multiple of the chunk size).
// Chunk i, from 0 to 2^38 - 1, has nonce base nonce XOR i (big-endian, 12 bytes) and an empty aad ("AEAD usage").
//
// The commitment makes one ciphertext open under one key only. That only the last chunk is short shows truncation, and
// the counter reordering. A caller that streams gets opened plaintext before it knows that the end is there: what was
// handed out counts only once Finish is done.
//
// Memory: 16 KiB, whatever the size; whole chunks go straight from the caller's buffer to `out`. Not thread-safe.
#pragma once

#include <optional>

#include "core/base/result.h"
#include "core/crypto/aead.h"

namespace valija::crypto {

inline constexpr std::size_t kCobblestoneSaltSize = 24, kCobblestoneCommitmentSize = 32;
inline constexpr std::size_t kCobblestoneHeaderSize = kCobblestoneSaltSize + kCobblestoneCommitmentSize;
inline constexpr std::size_t kCobblestoneChunk = 16384;
inline constexpr std::size_t kCobblestoneSealedChunk = kCobblestoneChunk + kAeadTagSize;
inline constexpr std::uint64_t kCobblestoneMaxChunks = std::uint64_t{1} << 38;

using CobblestoneSalt = Fixed<struct CobblestoneSaltTag, 24>;

// Length of the sealed form of `plain` bytes.
std::uint64_t CobblestoneSealedSize(std::uint64_t plain);

// What the key schedule gives; for vectors and for the two classes below. Throws unless cek is 32 bytes.
struct CobblestoneKeys {
  Secret key;         // 32
  Secret base_nonce;  // 12
  Commitment commitment;
};
CobblestoneKeys DeriveCobblestone(ByteView cek, ByteView context, const CobblestoneSalt& salt);

class CobblestoneSealer {
 public:
  // The salt must never repeat under one cek. Throws unless cek is 32 bytes.
  CobblestoneSealer(ByteView cek, ByteView context, const CobblestoneSalt& salt);
  // Appends sealed bytes to out as they become ready (the header first). Finish once, after all; then throws.
  void Update(ByteView plain, Bytes& out);
  void Finish(Bytes& out);

 private:
  void WriteHeader(Bytes& out);
  void SealChunk(ByteView plain, std::span<std::uint8_t> out);
  CobblestoneKeys keys_;
  CobblestoneSalt salt_;
  Aes256Gcm aead_;
  Secret pending_;  // the start of a chunk
  std::size_t pending_size_ = 0;
  std::uint64_t counter_ = 0;
  bool header_written_ = false, finished_ = false;
};

class CobblestoneOpener {
 public:
  // A cek of another size opens nothing: the first Update or Finish refuses.
  CobblestoneOpener(ByteView cek, ByteView context);
  // Appends opened plaintext to out: whole chunks that held, never a byte of one that did not. After a refusal, or
  // the end, every later call refuses too. kBadSeal.
  Status Update(ByteView sealed, Bytes& out);
  Status Finish(Bytes& out);

 private:
  Status Fail(std::string_view why);
  Status ReadHeader();
  bool OpenChunk(ByteView sealed, std::span<std::uint8_t> out);
  Secret cek_;  // until the header is there
  Bytes context_;
  std::optional<CobblestoneKeys> keys_;
  std::optional<Aes256Gcm> aead_;
  Bytes pending_;  // the start of the header or of a sealed chunk
  std::uint64_t counter_ = 0;
  bool failed_ = false, finished_ = false;
};

}  // namespace valija::crypto
