#include "core/crypto/keys_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>

#include <bit>

namespace valija::crypto {
namespace {

using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Number = Owned<BIGNUM, BN_clear_free>;

char kGroupName[] = "P-256";

// Keeps nothing of the keys it made; each thread has its own.
EVP_PKEY_CTX* FromDataContext() {
  thread_local const PkeyContext kept = [] {
    PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    Need(context && EVP_PKEY_fromdata_init(context.get()) == 1, "EC keys are not available");
    return context;
  }();
  return kept.get();
}

// The curve without a key. Importing a point into a copy of it costs a quarter of what building a key from
// parameters does. Never freed: OpenSSL's own exit handler may run first.
EVP_PKEY* CurveTemplate() {
  static EVP_PKEY* const kept = [] {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, kGroupName, 0),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY* made = nullptr;
    Need(EVP_PKEY_fromdata(FromDataContext(), &made, EVP_PKEY_KEY_PARAMETERS, params) == 1, "P-256 is not available");
    return made;
  }();
  return kept;
}

const EC_GROUP* Group() {
  static const EC_GROUP* const kept = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  Need(kept != nullptr, "P-256 is not available");
  return kept;
}

// scalar * G; OpenSSL's P-256 does it in constant time.
Point PublicPoint(ByteView scalar) {
  Number number(BN_secure_new());
  Owned<EC_POINT, EC_POINT_free> product(EC_POINT_new(Group()));
  Need(number && product && BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), number.get()) != nullptr,
       "no memory for a key");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  Point out;
  Need(EC_POINT_mul(Group(), product.get(), number.get(), nullptr, nullptr, nullptr) == 1 &&
           EC_POINT_point2oct(Group(), product.get(), POINT_CONVERSION_UNCOMPRESSED, out.bytes.data(), Point::kSize,
                              nullptr) == Point::kSize,
       "the public point could not be computed");
  return out;
}

}  // namespace

bool Subtract(ByteView a, ByteView b, std::span<std::uint8_t> out) {
  unsigned borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    unsigned difference = 256U + a[i] - b[i] - borrow;
    out[i] = static_cast<std::uint8_t>(difference);
    borrow = 1U - (difference >> 8);
  }
  return borrow != 0;
}

bool IsScalar(ByteView bytes) {
  if (bytes.size() != 32) return false;
  std::array<std::uint8_t, 32> scratch;
  bool below_order = Subtract(bytes, kP256Order, scratch);
  WipeBytes(scratch);
  std::uint8_t any = 0;
  for (auto byte : bytes) any |= byte;
  return below_order && any != 0;
}

EvpKeyPtr ImportPoint(ByteView point) {
  // OpenSSL also takes the compressed, hybrid and infinity forms; none of them gets that far.
  if (point.size() != Point::kSize || point[0] != 0x04) return nullptr;
  Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_PKEY_new());
  Need(key && EVP_PKEY_copy_parameters(key.get(), CurveTemplate()) == 1, "no memory for a key");
  // Checks that both coordinates are below p and that the point is on the curve: with a cofactor of 1 that is the
  // full validation of SP 800-56A 5.6.2.3.3.
  if (EVP_PKEY_set1_encoded_public_key(key.get(), point.data(), point.size()) != 1) {
    ForgetErrors();
    return nullptr;
  }
  return std::make_shared<const EvpKey>(key.release());
}

std::optional<EcKeyPair> ImportScalar(ByteView scalar) {
  if (!IsScalar(scalar)) return std::nullopt;
  EcKeyPair out{PublicPoint(scalar), nullptr};
  std::array<std::uint8_t, 32> native;  // OSSL_PARAM numbers are in the machine's order
  for (std::size_t i = 0; i < 32; ++i) native[i] = scalar[std::endian::native == std::endian::little ? 31 - i : i];
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, kGroupName, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, out.point.bytes.data(), Point::kSize),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.data(), native.size()), OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  bool done = EVP_PKEY_fromdata(FromDataContext(), &made, EVP_PKEY_KEYPAIR, params) == 1;
  WipeBytes(native);
  Need(done, "no memory for a key");
  out.key = std::make_shared<const EvpKey>(made);
  return out;
}

EcKeyPair GeneratePair(Random& random) {
  for (int tries = 0; tries < 16; ++tries) {
    Secret scalar = random.MakeSecret(32);
    if (auto pair = ImportScalar(scalar.view())) return *std::move(pair);
  }
  throw std::runtime_error("the source of randomness is broken");
}

Secret ScalarOf(const EvpKey& key) {
  BIGNUM* number = nullptr;
  bool read = EVP_PKEY_get_bn_param(key.pkey, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1;
  Number owned(number);
  Secret out(32);
  Need(read && BN_bn2binpad(number, out.mutable_view().data(), 32) == 32, "the key does not give its scalar");
  return out;
}

Secret Ecdh(const EvpKey& own, const EvpKey& peer) {
  PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.pkey, nullptr));
  Secret out(32);
  std::size_t size = out.size();
  // The last argument of set_peer: do not validate again, which would double the cost.
  Need(context && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer_ex(context.get(), peer.pkey, 0) == 1 &&
           EVP_PKEY_derive(context.get(), out.mutable_view().data(), &size) == 1 && size == out.size(),
       "ECDH failed");
  return out;
}

}  // namespace valija::crypto
