// Keys as OpenSSL holds them. Included by the sources of core/crypto alone.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/crypto/openssl_internal.h"
#include "core/crypto/random.h"
#include "core/crypto/secret.h"

namespace valija::crypto {

struct EvpKey {
  explicit EvpKey(EVP_PKEY* owned) : pkey(owned) {}
  ~EvpKey() { EVP_PKEY_free(pkey); }
  EvpKey(const EvpKey&) = delete;
  EvpKey& operator=(const EvpKey&) = delete;
  EVP_PKEY* const pkey;  // OpenSSL takes it as non-const where it only reads and counts references
};
using EvpKeyPtr = std::shared_ptr<const EvpKey>;

// The 65-byte uncompressed point as a checked P-256 key, or null: wrong length or form, a coordinate not below p,
// not on the curve.
EvpKeyPtr ImportPoint(ByteView point);

struct EcKeyPair {
  Point point;
  EvpKeyPtr key;
};
// A P-256 scalar, 32 bytes, 1..n-1, with its public point; or nothing.
std::optional<EcKeyPair> ImportScalar(ByteView scalar);
// A new pair by rejection sampling. A candidate is refused about once in 2^32 times; sixteen in a row: throws.
EcKeyPair GeneratePair(Random& random);
// The 32-byte scalar of a P-256 private key.
Secret ScalarOf(const EvpKey& key);

// ECDH (SP 800-56A): the x coordinate, 32 bytes. The peer was validated when it was imported, and is not again.
Secret Ecdh(const EvpKey& own, const EvpKey& peer);

// Order of P-256 and half of it, big-endian.
inline constexpr std::array<std::uint8_t, 32> kP256Order = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
inline constexpr std::array<std::uint8_t, 32> kP256HalfOrder = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

// a - b of two 32-byte big-endian numbers, without branches on their values; true if a < b (and out wrapped around).
bool Subtract(ByteView a, ByteView b, std::span<std::uint8_t> out);
// 1..n-1
bool IsScalar(ByteView bytes);

}  // namespace valija::crypto
