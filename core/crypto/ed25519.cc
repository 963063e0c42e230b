// The Ed25519 keys of keys.h.
#include <openssl/bn.h>

#include "core/crypto/keys.h"
#include "core/crypto/keys_internal.h"

namespace valija::crypto {
namespace {

using MdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Number = Owned<BIGNUM, BN_free>;

using Raw = std::array<std::uint8_t, 32>;

constexpr Raw FromLiteral(std::string_view hex) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Raw out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  return out;
}

// The y coordinates of the eight points whose order divides 8, little-endian, with the two that are not reduced
// modulo p = 2^255 - 19. The sign bit of x is ignored: with either, the point is of low order or not a point.
// Under such a key one signature may hold for many messages.
constexpr Raw kLowOrder[] = {
    FromLiteral("0000000000000000000000000000000000000000000000000000000000000000"),  // order 4
    FromLiteral("0100000000000000000000000000000000000000000000000000000000000000"),  // order 1
    FromLiteral("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  // order 8
    FromLiteral("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),  // order 8
    FromLiteral("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),  // order 2
    FromLiteral("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),  // p
    FromLiteral("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),  // p + 1
};

Raw WithoutSign(Raw y) {
  y[31] &= 0x7f;
  return y;
}

bool IsLowOrder(const Raw& key) {
  for (const auto& y : kLowOrder)
    if (WithoutSign(key) == y) return true;
  return false;
}

// Whether y is that of a point: x^2 = (y^2 - 1) / (d y^2 + 1) must have a root modulo p, which is so if the product
// of the two sides of the fraction has one. OpenSSL takes any 32 bytes for a key, and then verifies nothing with it.
bool IsOnCurve(const Raw& key) {
  static constexpr auto kP = FromLiteral("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
  static constexpr auto kD = FromLiteral("a3785913ca4deb75abd841414d0a700098e879777940c78c73fe6f2bee6c0352");
  auto number = [](const Raw& raw) { return Number(BN_lebin2bn(raw.data(), static_cast<int>(raw.size()), nullptr)); };
  Owned<BN_CTX, BN_CTX_free> scratch(BN_CTX_new());
  Number p = number(kP), d = number(kD), y2 = number(WithoutSign(key)), top(BN_new()), bottom(BN_new());
  Need(scratch && p && d && y2 && top && bottom && BN_mod_sqr(y2.get(), y2.get(), p.get(), scratch.get()) == 1 &&
           BN_mod_sub(top.get(), y2.get(), BN_value_one(), p.get(), scratch.get()) == 1 &&
           BN_mod_mul(bottom.get(), d.get(), y2.get(), p.get(), scratch.get()) == 1 &&
           BN_mod_add(bottom.get(), bottom.get(), BN_value_one(), p.get(), scratch.get()) == 1 &&
           BN_mod_mul(top.get(), top.get(), bottom.get(), p.get(), scratch.get()) == 1,
       "no memory for a key");
  int symbol = BN_kronecker(top.get(), p.get(), scratch.get());
  Need(symbol >= -1, "no memory for a key");
  return symbol >= 0;
}

}  // namespace

Result<Ed25519VerifyKey> Ed25519VerifyKey::FromBytes(ByteView raw) {
  auto bytes = Ed25519Public::From(raw);
  if (!bytes) return Refuse(Reason::kBadKey, "an Ed25519 key has 32 bytes");
  if (IsLowOrder(bytes->bytes)) return Refuse(Reason::kBadKey, "an Ed25519 point of low order");
  if (!IsOnCurve(bytes->bytes)) return Refuse(Reason::kBadKey, "not an Ed25519 point");
  Ed25519VerifyKey out;
  out.bytes_ = *bytes;
  out.key_ = std::make_shared<const EvpKey>(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw.data(), raw.size()));
  Need(out.key_->pkey != nullptr, "Ed25519 is not available");
  return out;
}

bool Ed25519VerifyKey::Verify(ByteView message, ByteView signature) const {
  if (signature.size() != Ed25519Signature::kSize) return false;
  MdContext context(EVP_MD_CTX_new());
  Need(context && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_->pkey, nullptr) == 1,
       "Ed25519 does not start");
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1)
    return true;
  ForgetErrors();
  return false;
}

Ed25519SignKey Ed25519SignKey::Generate(Random& random) {
  Secret seed = random.MakeSecret(32);
  return *FromSeed(seed.view());
}

Result<Ed25519SignKey> Ed25519SignKey::FromSeed(ByteView seed) {
  if (seed.size() != 32) return Refuse(Reason::kBadKey, "an Ed25519 seed has 32 bytes");
  auto key = std::make_shared<const EvpKey>(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()));
  Ed25519Public point;
  std::size_t size = Ed25519Public::kSize;
  Need(key->pkey != nullptr && EVP_PKEY_get_raw_public_key(key->pkey, point.bytes.data(), &size) == 1 &&
           size == Ed25519Public::kSize,
       "Ed25519 is not available");
  TRY(Ed25519VerifyKey verify, Ed25519VerifyKey::FromBytes(point));
  return Ed25519SignKey(std::move(verify), Secret::CopyOf(seed), std::move(key));
}

Ed25519Signature Ed25519SignKey::Sign(ByteView message) const {
  MdContext context(EVP_MD_CTX_new());
  Ed25519Signature out;
  std::size_t size = Ed25519Signature::kSize;
  Need(context && EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_->pkey, nullptr) == 1 &&
           EVP_DigestSign(context.get(), out.bytes.data(), &size, message.data(), message.size()) == 1 &&
           size == Ed25519Signature::kSize,
       "signing failed");
  return out;
}

}  // namespace valija::crypto
