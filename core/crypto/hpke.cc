#include "core/crypto/hpke.h"

#include <stdexcept>

#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/keys_internal.h"

namespace valija::crypto {
namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kLongestExport = 255 * kHashSize;
constexpr std::uint8_t kModeBase = 0x00;

struct U16 {
  std::array<std::uint8_t, 2> bytes;
  explicit U16(std::size_t value) : bytes{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)} {}
  operator ByteView() const { return bytes; }  // NOLINT(google-explicit-constructor): as Fixed
};

// RFC 9180 section 4 and 5.1: the suite id inside every labelled call.
constexpr std::array<std::uint8_t, 5> kKemSuite = {'K', 'E', 'M', 0x00, 0x10};
std::array<std::uint8_t, 10> SuiteOf(HpkeAead aead) {
  U16 id(static_cast<std::uint16_t>(aead));
  return {'H', 'P', 'K', 'E', 0x00, 0x10, 0x00, 0x01, id.bytes[0], id.bytes[1]};
}

constexpr std::array<std::uint8_t, 7> kVersion = {'H', 'P', 'K', 'E', '-', 'v', '1'};

Secret LabeledExtract(ByteView suite, ByteView salt, std::string_view label, ByteView ikm) {
  return HkdfExtractSha256(salt, {kVersion, suite, AsBytes(label), ikm});
}

Secret LabeledExpand(ByteView suite, ByteView prk, std::string_view label, std::initializer_list<ByteView> info,
                     std::size_t length) {
  // At most two pieces of info are ever needed.
  ByteView first = info.size() > 0 ? info.begin()[0] : ByteView();
  ByteView second = info.size() > 1 ? info.begin()[1] : ByteView();
  return HkdfExpandSha256(prk, {U16(length), kVersion, suite, AsBytes(label), first, second}, length);
}

// RFC 9180 4.1, ExtractAndExpand over dh, with kem_context = enc || pkRm.
Secret SharedSecret(const EvpKey& own, const EvpKey& peer, const Point& enc, const Point& recipient) {
  Secret dh = Ecdh(own, peer);
  Secret prk = LabeledExtract(kKemSuite, {}, "eae_prk", dh.view());
  return LabeledExpand(kKemSuite, prk.view(), "shared_secret", {enc, recipient}, kHashSize);
}

}  // namespace

// RFC 9180 5.1, KeySchedule in mode base: no PSK.
class HpkeSchedule {
 public:
  static HpkeContext Run(const Secret& shared_secret, ByteView info, HpkeAead aead) {
    auto suite = SuiteOf(aead);
    Secret psk_id_hash = LabeledExtract(suite, {}, "psk_id_hash", {});
    Secret info_hash = LabeledExtract(suite, {}, "info_hash", info);
    Bytes context = Concat({{&kModeBase, 1}, psk_id_hash.view(), info_hash.view()});
    Secret secret = LabeledExtract(suite, shared_secret.view(), "secret", {});
    HpkeContext out;
    out.aead_ = aead;
    if (aead == HpkeAead::kAes256Gcm) {
      out.key_ = LabeledExpand(suite, secret.view(), "key", {context}, kAeadKeySize);
      out.base_nonce_ = LabeledExpand(suite, secret.view(), "base_nonce", {context}, kAeadNonceSize);
    }
    out.exporter_secret_ = LabeledExpand(suite, secret.view(), "exp", {context}, kHashSize);
    return out;
  }
};

namespace {

// RFC 9180 5.2: the sequence number, big-endian, over the end of the base nonce.
std::array<std::uint8_t, kAeadNonceSize> NonceOf(const Secret& base, std::uint64_t sequence) {
  if (base.size() != kAeadNonceSize) throw std::logic_error("an export-only HPKE context neither seals nor opens");
  std::array<std::uint8_t, kAeadNonceSize> out;
  std::memcpy(out.data(), base.view().data(), out.size());
  for (std::size_t i = 0; i < 8; ++i) out[out.size() - 1 - i] ^= static_cast<std::uint8_t>(sequence >> (8 * i));
  return out;
}

}  // namespace

Secret HpkeContext::Export(ByteView exporter_context, std::size_t length) const {
  if (length == 0 || length > kLongestExport) throw std::length_error("HPKE exports 1 to 8160 bytes");
  return LabeledExpand(SuiteOf(aead_), exporter_secret_.view(), "sec", {exporter_context}, length);
}

Bytes HpkeContext::Seal(ByteView aad, ByteView plain) {
  auto nonce = NonceOf(base_nonce_, sequence_);
  if (sequence_ == UINT64_MAX) throw std::overflow_error("the HPKE context is used up");
  Bytes out = SealOnce(key_.view(), nonce, aad, plain);
  ++sequence_;
  return out;
}

Result<Secret> HpkeContext::Open(ByteView aad, ByteView sealed) {
  auto nonce = NonceOf(base_nonce_, sequence_);
  if (sequence_ == UINT64_MAX) throw std::overflow_error("the HPKE context is used up");
  TRY(Secret plain, OpenOnce(key_.view(), nonce, aad, sealed));
  ++sequence_;
  return plain;
}

HpkeSender HpkeSetupSender(const KemPublicKey& recipient, ByteView info, HpkeAead aead, Random& random) {
  EcKeyPair ephemeral = GeneratePair(random);
  Secret shared = SharedSecret(*ephemeral.key, recipient.evp(), ephemeral.point, recipient.point());
  return {ephemeral.point, HpkeSchedule::Run(shared, info, aead)};
}

HpkeSender HpkeSetupSender(const KemPublicKey& recipient, ByteView info, HpkeAead aead,
                           const KemPrivateKey& ephemeral) {
  const Point& enc = ephemeral.public_key().point();
  Secret shared = SharedSecret(ephemeral.evp(), recipient.evp(), enc, recipient.point());
  return {enc, HpkeSchedule::Run(shared, info, aead)};
}

Result<HpkeContext> HpkeSetupReceiver(const KemPrivateKey& recipient, ByteView enc, ByteView info, HpkeAead aead) {
  TRY(KemPublicKey ephemeral, KemPublicKey::FromPoint(enc));
  Secret shared = SharedSecret(recipient.evp(), ephemeral.evp(), ephemeral.point(), recipient.public_key().point());
  return HpkeSchedule::Run(shared, info, aead);
}

HpkeSealed HpkeSealOnce(const KemPublicKey& recipient, ByteView info, ByteView plain, Random& random) {
  HpkeSender sender = HpkeSetupSender(recipient, info, HpkeAead::kAes256Gcm, random);
  return {sender.enc, sender.context.Seal({}, plain)};
}

Result<Secret> HpkeOpenOnce(const KemPrivateKey& recipient, ByteView enc, ByteView info, ByteView ciphertext) {
  TRY(HpkeContext context, HpkeSetupReceiver(recipient, enc, info, HpkeAead::kAes256Gcm));
  return context.Open({}, ciphertext);
}

}  // namespace valija::crypto
