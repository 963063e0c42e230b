#include "core/crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <stdexcept>

#include "core/crypto/openssl_internal.h"

namespace valija::crypto {
namespace {

using MacContext = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;

// A context without a key and with its digest chosen, made once: copying it is several times cheaper than fetching
// and setting up. Never freed (see hash.cc).
EVP_MAC_CTX* MakeTemplate(const char* digest) {
  Owned<EVP_MAC, EVP_MAC_free> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  Need(hmac != nullptr, "HMAC is not available");
  MacContext context(EVP_MAC_CTX_new(hmac.get()));
  std::string name(digest);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                               OSSL_PARAM_construct_end()};
  Need(context && EVP_MAC_CTX_set_params(context.get(), params) == 1, "HMAC does not start");
  return context.release();
}

struct Sha256Mac {
  static constexpr std::size_t kSize = 32;
  static const EVP_MAC_CTX* Template() {
    static EVP_MAC_CTX* const kept = MakeTemplate("SHA256");
    return kept;
  }
};

struct Sha512Mac {
  static constexpr std::size_t kSize = 64;
  static const EVP_MAC_CTX* Template() {
    static EVP_MAC_CTX* const kept = MakeTemplate("SHA512");
    return kept;
  }
};

// One key, any number of messages. The copy of the key inside OpenSSL is wiped with the context.
template <class Mac>
class Hmac {
 public:
  explicit Hmac(ByteView key) : context_(EVP_MAC_CTX_dup(Mac::Template())) {
    static constexpr std::uint8_t kEmpty = 0;  // a null pointer would mean "no key given"
    Need(context_ && EVP_MAC_init(context_.get(), key.empty() ? &kEmpty : key.data(), key.size(), nullptr) == 1,
         "HMAC does not start");
  }
  void Restart() { Need(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1, "HMAC does not start"); }
  void Update(ByteView data) {
    if (!data.empty()) Need(EVP_MAC_update(context_.get(), data.data(), data.size()) == 1, "HMAC failed");
  }
  // out: Mac::kSize bytes.
  void Finish(std::span<std::uint8_t> out) {
    std::size_t written = 0;
    Need(EVP_MAC_final(context_.get(), out.data(), &written, out.size()) == 1 && written == Mac::kSize, "HMAC failed");
  }

 private:
  MacContext context_;
};

Secret Once(ByteView key, std::initializer_list<ByteView> parts) {
  Hmac<Sha256Mac> hmac(key);
  for (auto part : parts) hmac.Update(part);
  Secret out(Sha256Mac::kSize);
  hmac.Finish(out.mutable_view());
  return out;
}

// RFC 5869 2.3: T(i) = HMAC(PRK, T(i-1) || info || i).
template <class Mac>
Secret Expand(ByteView prk, std::initializer_list<ByteView> info, std::size_t length) {
  if (length > 255 * Mac::kSize) throw std::length_error("HKDF-Expand gives at most 255 blocks");
  Secret out(length);
  Secret block(Mac::kSize);
  Hmac<Mac> hmac(prk);
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < length; done += Mac::kSize) {
    if (counter > 0) {
      hmac.Restart();
      hmac.Update(block.view());
    }
    for (auto part : info) hmac.Update(part);
    ++counter;
    hmac.Update({&counter, 1});
    hmac.Finish(block.mutable_view());
    std::memcpy(out.mutable_view().data() + done, block.view().data(), std::min(Mac::kSize, length - done));
  }
  return out;
}

}  // namespace

Secret HmacSha256(ByteView key, std::initializer_list<ByteView> parts) { return Once(key, parts); }

// An absent salt is a string of zeros, which HMAC's padding makes of an empty key.
Secret HkdfExtractSha256(ByteView salt, std::initializer_list<ByteView> ikm) { return Once(salt, ikm); }

Secret HkdfExpandSha256(ByteView prk, std::initializer_list<ByteView> info, std::size_t length) {
  return Expand<Sha256Mac>(prk, info, length);
}

Secret HkdfExpandSha512(ByteView prk, std::initializer_list<ByteView> info, std::size_t length) {
  return Expand<Sha512Mac>(prk, info, length);
}

}  // namespace valija::crypto
