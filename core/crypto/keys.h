// The typed keys: ECDSA P-256 (statements), P-256 KEM keys (epoch, release, member, reply), Ed25519 (log,
// witnesses). A parse yields a verified key; nothing else in the product touches EC arithmetic.
//
// On the wire a P-256 public key is its 65-byte uncompressed point: anything but 65 bytes starting 0x04 is
// refused before OpenSSL sees it, and the point must be on the curve (NIST SP 800-56A 5.6.2.3.3; the curve's
// cofactor is 1). A private key is its scalar, 32 bytes, 1..n-1. Key id = SHA-256 of the DER SPKI.
//
// Thread-safety: const methods may be used from several threads.
#pragma once

#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/random.h"
#include "core/crypto/secret.h"

namespace valija::crypto {

struct EvpKey;  // owns an EVP_PKEY; defined in keys_internal.h for core/crypto alone

// DER SubjectPublicKeyInfo of a point (91 bytes), and the key id over it.
Bytes SpkiOf(const Point& point);
KeyId KeyIdOf(const Point& point);

using Signature = Fixed<struct SignatureTag, 64>;  // ECDSA r || s, low-S (IEEE P1363)

// ---- ECDSA P-256 with SHA-256 ----
class VerifyKey {
 public:
  static Result<VerifyKey> FromPoint(ByteView point);  // kBadKey
  const Point& point() const { return point_; }
  const KeyId& id() const { return id_; }
  // Refuses r or s of 0 or >= n, and high S, before verifying.
  [[nodiscard]] bool Verify(ByteView message, ByteView signature) const;

 private:
  VerifyKey() = default;
  Point point_;
  KeyId id_;
  std::shared_ptr<const EvpKey> key_;
};

class SignKey {
 public:
  static SignKey Generate(Random& random);
  static Result<SignKey> FromScalar(ByteView scalar);  // kBadKey
  SignKey(SignKey&&) noexcept = default;
  SignKey& operator=(SignKey&&) noexcept = default;
  SignKey(const SignKey&) = delete;
  const VerifyKey& verify_key() const { return verify_; }
  const KeyId& id() const { return verify_.id(); }
  Signature Sign(ByteView message) const;  // low-S
  Secret Scalar() const;
  // The key as OpenSSL holds it, for core/crypto (certificate requests).
  const EvpKey& evp() const { return *key_; }

 private:
  SignKey(VerifyKey verify, std::shared_ptr<const EvpKey> key) : verify_(std::move(verify)), key_(std::move(key)) {}
  VerifyKey verify_;
  std::shared_ptr<const EvpKey> key_;
};

// ---- DHKEM(P-256, HKDF-SHA256), RFC 9180 KEM 0x0010. Only hpke.cc calls ECDH. ----
class KemPublicKey {
 public:
  static Result<KemPublicKey> FromPoint(ByteView point);  // kBadKey
  const Point& point() const { return point_; }
  const KeyId& id() const { return id_; }
  const EvpKey& evp() const { return *key_; }

 private:
  KemPublicKey() = default;
  Point point_;
  KeyId id_;
  std::shared_ptr<const EvpKey> key_;
};

class KemPrivateKey {
 public:
  static KemPrivateKey Generate(Random& random);
  static Result<KemPrivateKey> FromScalar(ByteView scalar);  // kBadKey
  KemPrivateKey(KemPrivateKey&&) noexcept = default;
  KemPrivateKey& operator=(KemPrivateKey&&) noexcept = default;
  KemPrivateKey(const KemPrivateKey&) = delete;
  const KemPublicKey& public_key() const { return public_; }
  const KeyId& id() const { return public_.id(); }
  Secret Scalar() const;
  const EvpKey& evp() const { return *key_; }

 private:
  KemPrivateKey(KemPublicKey pub, std::shared_ptr<const EvpKey> key) : public_(std::move(pub)), key_(std::move(key)) {}
  KemPublicKey public_;
  std::shared_ptr<const EvpKey> key_;
};

// ---- Ed25519 (RFC 8032), verified as OpenSSL and Go do (cofactorless, canonical S) ----
using Ed25519Public = Fixed<struct Ed25519PublicTag, 32>;
using Ed25519Signature = Fixed<struct Ed25519SignatureTag, 64>;

class Ed25519VerifyKey {
 public:
  static Result<Ed25519VerifyKey> FromBytes(ByteView raw);  // kBadKey; low-order points are refused
  const Ed25519Public& bytes() const { return bytes_; }
  [[nodiscard]] bool Verify(ByteView message, ByteView signature) const;

 private:
  Ed25519VerifyKey() = default;
  Ed25519Public bytes_;
  std::shared_ptr<const EvpKey> key_;
};

class Ed25519SignKey {
 public:
  static Ed25519SignKey Generate(Random& random);
  static Result<Ed25519SignKey> FromSeed(ByteView seed);  // 32 bytes
  Ed25519SignKey(Ed25519SignKey&&) noexcept = default;
  Ed25519SignKey& operator=(Ed25519SignKey&&) noexcept = default;
  Ed25519SignKey(const Ed25519SignKey&) = delete;
  const Ed25519VerifyKey& verify_key() const { return verify_; }
  Ed25519Signature Sign(ByteView message) const;
  const Secret& Seed() const { return seed_; }

 private:
  Ed25519SignKey(Ed25519VerifyKey verify, Secret seed, std::shared_ptr<const EvpKey> key)
      : verify_(std::move(verify)), seed_(std::move(seed)), key_(std::move(key)) {}
  Ed25519VerifyKey verify_;
  Secret seed_;
  std::shared_ptr<const EvpKey> key_;
};

}  // namespace valija::crypto
