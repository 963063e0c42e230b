// Cobblestone-256 (C2SP chunked-encryption over AES-256-GCM and HKDF-Expand-SHA-512), streaming.
//
// Sealed form: salt (24) || key commitment (32) || chunks of 16,384 plaintext bytes + 16, the last chunk
// 0..16,383 + 16 bytes (an empty last chunk when the plaintext is a multiple of the chunk size).
// The commitment makes one ciphertext open under one key only; truncation and reordering do not open.
#pragma once

#include <optional>

#include "core/base/result.h"
#include "core/crypto/aead.h"

namespace valija::crypto {

inline constexpr std::size_t kCobblestoneSaltSize = 24, kCobblestoneCommitmentSize = 32;
inline constexpr std::size_t kCobblestoneHeaderSize = kCobblestoneSaltSize + kCobblestoneCommitmentSize;
inline constexpr std::size_t kCobblestoneChunk = 16384;

using CobblestoneSalt = Fixed<struct CobblestoneSaltTag, 24>;

// Length of the sealed form of `plain` bytes.
std::uint64_t CobblestoneSealedSize(std::uint64_t plain);

// What the key schedule gives; for vectors and for the two classes below.
struct CobblestoneKeys {
  Secret key;         // 32
  Secret base_nonce;  // 12
  Commitment commitment;
};
CobblestoneKeys DeriveCobblestone(ByteView cek, ByteView context, const CobblestoneSalt& salt);

class CobblestoneSealer {
 public:
  CobblestoneSealer(ByteView cek, ByteView context, const CobblestoneSalt& salt);
  // Appends sealed bytes to out as they become ready (the header first). Finish once, after all.
  void Update(ByteView plain, Bytes& out);
  void Finish(Bytes& out);

 private:
  void SealChunk(ByteView plain, bool last, Bytes& out);
  CobblestoneKeys keys_;
  CobblestoneSalt salt_;
  Aes256Gcm aead_;
  Secret pending_;
  std::size_t pending_size_ = 0;
  std::uint64_t counter_ = 0;
  bool header_written_ = false;
};

class CobblestoneOpener {
 public:
  CobblestoneOpener(ByteView cek, ByteView context);
  ~CobblestoneOpener();
  // Appends opened plaintext to out. After a refusal every later call refuses too. kBadSeal.
  Status Update(ByteView sealed, Bytes& out);
  Status Finish(Bytes& out);

 private:
  Status OpenChunk(ByteView sealed, bool last, Bytes& out);
  Secret cek_;
  Bytes context_;
  std::optional<CobblestoneKeys> keys_;
  std::optional<Aes256Gcm> aead_;
  Bytes pending_;
  std::uint64_t counter_ = 0;
  bool failed_ = false, finished_ = false;
};

}  // namespace valija::crypto
