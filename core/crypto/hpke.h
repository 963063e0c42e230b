// HPKE base mode (RFC 9180) for suite KEM 0x0010 (P-256), KDF 0x0001 (HKDF-SHA256), AEAD 0x0002
// (AES-256-GCM) or 0xFFFF (export only). Composed on EVP: OpenSSL 3.0 has no HPKE, and that of later
// versions refuses keys in hardware tokens. Nothing else calls ECDH. Auth and PSK modes are not here.
//
// Thread-safety: Export is const and may be used from several threads; Seal and Open count and may not.
#pragma once

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace valija::crypto {

enum class HpkeAead : std::uint16_t { kAes256Gcm = 0x0002, kExportOnly = 0xFFFF };

class HpkeContext {
 public:
  HpkeContext(HpkeContext&&) noexcept = default;
  HpkeContext& operator=(HpkeContext&&) noexcept = default;

  // RFC 9180 5.3. length: 1..8160.
  Secret Export(ByteView exporter_context, std::size_t length) const;
  // RFC 9180 5.2; sequence numbers count up from 0. Throws on an export-only context.
  Bytes Seal(ByteView aad, ByteView plain);
  Result<Secret> Open(ByteView aad, ByteView sealed);                 // kBadSeal
  void SetSequence(std::uint64_t sequence) { sequence_ = sequence; }  // for vectors

  const Secret& exporter_secret() const { return exporter_secret_; }  // for vectors

 private:
  friend class HpkeSchedule;
  HpkeContext() = default;
  HpkeAead aead_ = HpkeAead::kExportOnly;
  Secret key_, base_nonce_, exporter_secret_;
  std::uint64_t sequence_ = 0;
};

struct HpkeSender {
  Point enc;
  HpkeContext context;
};

// SetupBaseS with a fresh ephemeral key; the second form takes it (tests, and window contexts from vectors).
HpkeSender HpkeSetupSender(const KemPublicKey& recipient, ByteView info, HpkeAead aead, Random& random);
HpkeSender HpkeSetupSender(const KemPublicKey& recipient, ByteView info, HpkeAead aead, const KemPrivateKey& ephemeral);
// SetupBaseR. kBadKey for an enc that is not a valid point.
Result<HpkeContext> HpkeSetupReceiver(const KemPrivateKey& recipient, ByteView enc, ByteView info, HpkeAead aead);

// One sealed message: enc || ciphertext of sequence 0 with empty aad, as sealing.md uses it.
struct HpkeSealed {
  Point enc;
  Bytes ciphertext;
};
HpkeSealed HpkeSealOnce(const KemPublicKey& recipient, ByteView info, ByteView plain, Random& random);
Result<Secret> HpkeOpenOnce(const KemPrivateKey& recipient, ByteView enc, ByteView info, ByteView ciphertext);

}  // namespace valija::crypto
