// AES-256-GCM with a 12-byte nonce and a 16-byte tag after the ciphertext. The caller owns nonce uniqueness.
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace valija::crypto {

inline constexpr std::size_t kAeadKeySize = 32, kAeadNonceSize = 12, kAeadTagSize = 16;

// Keeps one key schedule; not thread-safe.
class Aes256Gcm {
 public:
  explicit Aes256Gcm(ByteView key);
  ~Aes256Gcm();
  Aes256Gcm(Aes256Gcm&&) noexcept;
  Aes256Gcm(const Aes256Gcm&) = delete;

  // out: plain.size() + 16. out may not overlap plain.
  void Seal(ByteView nonce, ByteView aad, ByteView plain, std::span<std::uint8_t> out);
  // out: sealed.size() - 16. False, and out wiped, if the tag does not hold.
  [[nodiscard]] bool Open(ByteView nonce, ByteView aad, ByteView sealed, std::span<std::uint8_t> out);

 private:
  struct Context;
  Context* context_;
};

Bytes SealOnce(ByteView key, ByteView nonce, ByteView aad, ByteView plain);
Result<Secret> OpenOnce(ByteView key, ByteView nonce, ByteView aad, ByteView sealed);  // kBadSeal

}  // namespace valija::crypto
