#include "core/crypto/keyfile.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "core/crypto/keys_internal.h"

namespace valija::crypto {
namespace {

constexpr std::uint64_t kScryptN = 1 << 14, kScryptR = 8, kScryptP = 2;

using Bio = Owned<BIO, BIO_free_all>;
using Info = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;  // freeing wipes it
using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;

// The PEM text of a key. The memory that it is made in is wiped (BIO_s_secmem).
Secret Encode(const EVP_PKEY* key, const Secret& passphrase) {
  Info info(EVP_PKEY2PKCS8(key));
  Bio out(BIO_new(BIO_s_secmem()));
  Need(info && out, "a private key cannot be encoded");
  if (passphrase.empty()) {
    Need(PEM_write_bio_PKCS8_PRIV_KEY_INFO(out.get(), info.get()) == 1, "a private key cannot be written");
  } else {
    Owned<X509_ALGOR, X509_ALGOR_free> scheme(
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, kScryptN, kScryptR, kScryptP));
    Need(scheme != nullptr, "scrypt is not available");
    Owned<X509_SIG, X509_SIG_free> sealed(PKCS8_set0_pbe(reinterpret_cast<const char*>(passphrase.view().data()),
                                                         static_cast<int>(passphrase.size()), info.get(),
                                                         scheme.get()));
    Need(sealed != nullptr, "a private key cannot be encrypted");
    (void)scheme.release();  // sealed has it
    Need(PEM_write_bio_PKCS8(out.get(), sealed.get()) == 1, "a private key cannot be written");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return Secret::CopyOf(AsBytes({text, static_cast<std::size_t>(size)}));
}

std::string TextOf(const Secret& pem) { return ToString(pem.view()); }

EvpKeyPtr EcKeyOf(const Secret& scalar) {
  auto pair = ImportScalar(scalar.view());
  if (!pair) throw std::invalid_argument("not a P-256 private key");
  return pair->key;
}

Error Malformed(const char* what) {
  ForgetErrors();
  return Refuse(Reason::kMalformed, what);
}

// The first PEM block of the text; its bytes are wiped when they go.
struct Block {
  std::string name;
  Secret der;
};
Result<Block> ReadBlock(std::string_view pem) {
  if (pem.size() > (1U << 20)) return Malformed("a key file is not as long");
  Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Need(in != nullptr, "no memory");
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio_ex(in.get(), &name, &header, &data, &size, PEM_FLAG_SECURE) != 1)
    return Malformed("no PEM block with a private key");
  Block out{name, Secret::CopyOf({data, static_cast<std::size_t>(size)})};
  OPENSSL_secure_free(name);
  OPENSSL_secure_free(header);
  OPENSSL_secure_clear_free(data, static_cast<std::size_t>(size));
  return out;
}

Result<Info> ReadInfo(std::string_view pem, const Secret& passphrase) {
  TRY(auto block, ReadBlock(pem));
  const unsigned char* at = block.der.view().data();
  const auto size = static_cast<long>(block.der.size());
  if (block.name == PEM_STRING_PKCS8INF) {
    if (!passphrase.empty())
      return Refuse(Reason::kBadPassphrase, "the key is not encrypted, yet a passphrase was given");
    Info info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, size));
    if (!info) return Malformed("not a PKCS#8 private key");
    return info;
  }
  if (block.name != PEM_STRING_PKCS8)
    return Malformed("not a PKCS#8 private key; openssl pkcs8 -topk8 makes one of older forms");
  Owned<X509_SIG, X509_SIG_free> sealed(d2i_X509_SIG(nullptr, &at, size));
  if (!sealed) return Malformed("not an encrypted PKCS#8 private key");
  const X509_ALGOR* scheme = nullptr;
  X509_SIG_get0(sealed.get(), &scheme, nullptr);
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, scheme);
  if (OBJ_obj2nid(oid) != NID_pbes2) return Malformed("encrypted by another scheme than PBES2");
  if (passphrase.empty()) return Refuse(Reason::kBadPassphrase, "the key is encrypted");
  Info info(PKCS8_decrypt(sealed.get(), reinterpret_cast<const char*>(passphrase.view().data()),
                          static_cast<int>(passphrase.size())));
  if (!info) {
    ForgetErrors();
    return Refuse(Reason::kBadPassphrase);
  }
  return info;
}

Result<Pkey> ReadKey(std::string_view pem, const Secret& passphrase) {
  TRY(auto info, ReadInfo(pem, passphrase));
  Pkey key(EVP_PKCS82PKEY(info.get()));
  if (!key) return Malformed("not a private key of a known kind");
  return key;
}

}  // namespace

std::string EncryptEcKey(const Secret& scalar, const Secret& passphrase) {
  return TextOf(Encode(EcKeyOf(scalar)->pkey, passphrase));
}

Secret PlainEcPem(const Secret& scalar) { return Encode(EcKeyOf(scalar)->pkey, Secret()); }

Result<Secret> DecryptEcKey(std::string_view pem, const Secret& passphrase) {
  TRY(auto key, ReadKey(pem, passphrase));
  char group[32] = {};
  std::size_t length = 0;
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 ||
      EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length) != 1 ||
      std::string_view(group) != SN_X9_62_prime256v1) {
    return Malformed("not a P-256 private key");
  }
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1)
    return Malformed("no private key in it");
  Owned<BIGNUM, BN_clear_free> owned(number);
  Secret scalar(32);
  if (BN_bn2binpad(number, scalar.mutable_view().data(), 32) != 32 || !ImportScalar(scalar.view()))
    return Malformed("not a P-256 private key");
  return scalar;
}

std::string EncryptEd25519Key(const Secret& seed, const Secret& passphrase) {
  Pkey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.view().data(), seed.size()));
  if (!key) throw std::invalid_argument("not an Ed25519 seed");
  return TextOf(Encode(key.get(), passphrase));
}

Result<Secret> DecryptEd25519Key(std::string_view pem, const Secret& passphrase) {
  TRY(auto key, ReadKey(pem, passphrase));
  Secret seed(32);
  std::size_t size = seed.size();
  if (EVP_PKEY_is_a(key.get(), "ED25519") != 1 ||
      EVP_PKEY_get_raw_private_key(key.get(), seed.mutable_view().data(), &size) != 1 || size != seed.size()) {
    return Malformed("not an Ed25519 private key");
  }
  return seed;
}

}  // namespace valija::crypto
