#include "core/crypto/aead.h"

#include <limits>
#include <stdexcept>
#include <utility>

#include "core/crypto/openssl_internal.h"

namespace valija::crypto {
namespace {

// Fetched once, never freed (see hash.cc).
const EVP_CIPHER* Algorithm() {
  static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  Need(algorithm != nullptr, "AES-256-GCM is not available");
  return algorithm;
}

int AsInt(std::size_t size) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw std::length_error("AEAD input too long");
  return static_cast<int>(size);
}

void Require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

}  // namespace

struct Aes256Gcm::Context {
  Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher;  // freeing it wipes the key schedule

  void Start(ByteView nonce, ByteView aad, int encrypt) {
    Require(nonce.size() == kAeadNonceSize, "an AES-GCM nonce has 12 bytes");
    int length = 0;
    Need(EVP_CipherInit_ex2(cipher.get(), nullptr, nullptr, nonce.data(), encrypt, nullptr) == 1, "AES-GCM failed");
    if (!aad.empty())
      Need(EVP_CipherUpdate(cipher.get(), nullptr, &length, aad.data(), AsInt(aad.size())) == 1, "AES-GCM failed");
  }
  void Run(ByteView in, std::uint8_t* out) {
    int length = 0;
    if (in.empty()) return;
    Need(EVP_CipherUpdate(cipher.get(), out, &length, in.data(), AsInt(in.size())) == 1 &&
             static_cast<std::size_t>(length) == in.size(),
         "AES-GCM failed");
  }
  bool Finish() {
    std::uint8_t none[16];
    int length = 0;
    return EVP_CipherFinal_ex(cipher.get(), none, &length) == 1;
  }
};

Aes256Gcm::Aes256Gcm(ByteView key) : context_(nullptr) {
  Require(key.size() == kAeadKeySize, "an AES-256 key has 32 bytes");
  auto context = std::make_unique<Context>();
  context->cipher.reset(EVP_CIPHER_CTX_new());
  Need(context->cipher && EVP_CipherInit_ex2(context->cipher.get(), Algorithm(), key.data(), nullptr, 1, nullptr) == 1,
       "AES-GCM does not start");
  context_ = context.release();
}

Aes256Gcm::~Aes256Gcm() { delete context_; }

Aes256Gcm::Aes256Gcm(Aes256Gcm&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

void Aes256Gcm::Seal(ByteView nonce, ByteView aad, ByteView plain, std::span<std::uint8_t> out) {
  Require(out.size() == plain.size() + kAeadTagSize, "AES-GCM output of the wrong size");
  context_->Start(nonce, aad, 1);
  context_->Run(plain, out.data());
  Need(context_->Finish() && EVP_CIPHER_CTX_ctrl(context_->cipher.get(), EVP_CTRL_AEAD_GET_TAG, int{kAeadTagSize},
                                                 out.data() + plain.size()) == 1,
       "AES-GCM failed");
}

bool Aes256Gcm::Open(ByteView nonce, ByteView aad, ByteView sealed, std::span<std::uint8_t> out) {
  if (sealed.size() < kAeadTagSize) return false;
  Require(out.size() == sealed.size() - kAeadTagSize, "AES-GCM output of the wrong size");
  std::uint8_t tag[kAeadTagSize];
  std::memcpy(tag, sealed.data() + out.size(), sizeof tag);
  context_->Start(nonce, aad, 0);
  Need(EVP_CIPHER_CTX_ctrl(context_->cipher.get(), EVP_CTRL_AEAD_SET_TAG, int{kAeadTagSize}, tag) == 1,
       "AES-GCM failed");
  context_->Run(sealed.first(out.size()), out.data());
  if (context_->Finish()) return true;
  WipeBytes(out);
  ForgetErrors();
  return false;
}

Bytes SealOnce(ByteView key, ByteView nonce, ByteView aad, ByteView plain) {
  Bytes out(plain.size() + kAeadTagSize);
  Aes256Gcm(key).Seal(nonce, aad, plain, out);
  return out;
}

Result<Secret> OpenOnce(ByteView key, ByteView nonce, ByteView aad, ByteView sealed) {
  if (sealed.size() < kAeadTagSize) return Refuse(Reason::kBadSeal, "shorter than its tag");
  Secret out(sealed.size() - kAeadTagSize);
  if (!Aes256Gcm(key).Open(nonce, aad, sealed, out.mutable_view())) return Refuse(Reason::kBadSeal);
  return out;
}

}  // namespace valija::crypto
