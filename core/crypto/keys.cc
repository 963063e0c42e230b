#include "core/crypto/keys.h"

#include "core/crypto/hash.h"
#include "core/crypto/keys_internal.h"

namespace valija::crypto {
namespace {

constexpr std::uint8_t kSpkiPrefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

Error BadPoint() { return Refuse(Reason::kBadKey, "not a 65-byte uncompressed point of P-256"); }
Error BadScalar() { return Refuse(Reason::kBadKey, "not a 32-byte scalar of P-256"); }

// ---- ECDSA signatures: OpenSSL speaks DER (SEQUENCE of two INTEGERs), we speak r || s ----

constexpr std::size_t kLongestDer = 72;

void AppendInteger(Bytes& out, ByteView number) {
  std::size_t start = 0;
  while (start + 1 < number.size() && number[start] == 0) ++start;
  bool pad = (number[start] & 0x80) != 0;
  out.push_back(0x02);
  out.push_back(static_cast<std::uint8_t>(number.size() - start + (pad ? 1 : 0)));
  if (pad) out.push_back(0);
  Append(out, number.subspan(start));
}

Bytes ToDer(ByteView signature) {
  Bytes out = {0x30, 0};
  out.reserve(kLongestDer);
  AppendInteger(out, signature.first(32));
  AppendInteger(out, signature.subspan(32));
  out[1] = static_cast<std::uint8_t>(out.size() - 2);
  return out;
}

// Of OpenSSL's own making, so well-formed; checked all the same.
bool TakeInteger(ByteView& der, std::span<std::uint8_t> out) {
  if (der.size() < 2 || der[0] != 0x02 || der.size() < 2U + der[1]) return false;
  ByteView number = der.subspan(2, der[1]);
  der = der.subspan(2U + der[1]);
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  if (number.size() > out.size()) return false;
  std::memcpy(out.data() + (out.size() - number.size()), number.data(), number.size());
  return true;
}

bool FromDer(ByteView der, Signature& out) {
  if (der.size() < 2 || der[0] != 0x30 || der[1] != der.size() - 2) return false;
  der = der.subspan(2);
  std::span<std::uint8_t> both(out.bytes);
  return TakeInteger(der, both.first(32)) && TakeInteger(der, both.subspan(32)) && der.empty();
}

// Of (r, s) and (r, n - s), both valid for the same message, only the one with s <= n/2 is ours.
bool IsHighS(ByteView s) {
  std::array<std::uint8_t, 32> scratch;
  return Subtract(kP256HalfOrder, s, scratch);
}

using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

}  // namespace

Bytes SpkiOf(const Point& point) { return Concat({kSpkiPrefix, point}); }

KeyId KeyIdOf(const Point& point) { return {Sha256({kSpkiPrefix, point}).bytes}; }

Result<VerifyKey> VerifyKey::FromPoint(ByteView point) {
  VerifyKey out;
  out.key_ = ImportPoint(point);
  if (!out.key_) return BadPoint();
  out.point_ = *Point::From(point);
  out.id_ = KeyIdOf(out.point_);
  return out;
}

bool VerifyKey::Verify(ByteView message, ByteView signature) const {
  if (signature.size() != Signature::kSize) return false;
  if (!IsScalar(signature.first(32)) || !IsScalar(signature.subspan(32)) || IsHighS(signature.subspan(32)))
    return false;
  Hash digest = Sha256(message);
  Bytes der = ToDer(signature);
  PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_->pkey, nullptr));
  Need(context && EVP_PKEY_verify_init(context.get()) == 1, "ECDSA does not start");
  if (EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.bytes.data(), Hash::kSize) == 1) return true;
  ForgetErrors();
  return false;
}

SignKey SignKey::Generate(Random& random) {
  EcKeyPair pair = GeneratePair(random);
  return SignKey(*VerifyKey::FromPoint(pair.point), std::move(pair.key));
}

Result<SignKey> SignKey::FromScalar(ByteView scalar) {
  auto pair = ImportScalar(scalar);
  if (!pair) return BadScalar();
  TRY(VerifyKey verify, VerifyKey::FromPoint(pair->point));
  return SignKey(std::move(verify), std::move(pair->key));
}

Signature SignKey::Sign(ByteView message) const {
  Hash digest = Sha256(message);
  std::array<std::uint8_t, kLongestDer> der;
  std::size_t size = der.size();
  PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_->pkey, nullptr));
  Signature out;
  Need(context && EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_sign(context.get(), der.data(), &size, digest.bytes.data(), Hash::kSize) == 1 &&
           FromDer(ByteView(der).first(size), out),
       "signing failed");
  std::span<std::uint8_t> s = std::span(out.bytes).subspan(32);
  if (IsHighS(s)) Subtract(kP256Order, s, s);
  return out;
}

Secret SignKey::Scalar() const { return ScalarOf(*key_); }

Result<KemPublicKey> KemPublicKey::FromPoint(ByteView point) {
  KemPublicKey out;
  out.key_ = ImportPoint(point);
  if (!out.key_) return BadPoint();
  out.point_ = *Point::From(point);
  out.id_ = KeyIdOf(out.point_);
  return out;
}

KemPrivateKey KemPrivateKey::Generate(Random& random) {
  EcKeyPair pair = GeneratePair(random);
  return KemPrivateKey(*KemPublicKey::FromPoint(pair.point), std::move(pair.key));
}

Result<KemPrivateKey> KemPrivateKey::FromScalar(ByteView scalar) {
  auto pair = ImportScalar(scalar);
  if (!pair) return BadScalar();
  TRY(KemPublicKey pub, KemPublicKey::FromPoint(pair->point));
  return KemPrivateKey(std::move(pub), std::move(pair->key));
}

Secret KemPrivateKey::Scalar() const { return ScalarOf(*key_); }

}  // namespace valija::crypto
