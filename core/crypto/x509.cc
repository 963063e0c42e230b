#include "core/crypto/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/crypto/keys_internal.h"

namespace valija::crypto {
namespace {

constexpr std::size_t kMaxDer = std::size_t{64} << 10;
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----", kEnd = "-----END CERTIFICATE-----";

using X509Ptr = Owned<X509, X509_free>;
using Extensions = Owned<STACK_OF(X509_EXTENSION),
                         [](STACK_OF(X509_EXTENSION) * all) { sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free); }>;
using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using Bio = Owned<BIO, BIO_free_all>;

Error Bad(std::string what) {
  ForgetErrors();
  return Refuse(Reason::kBadCertificate, std::move(what));
}

bool IsVisible(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string BioText(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::optional<Time> TimeOf(const ASN1_TIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return std::nullopt;
  const auto day = std::chrono::year(tm.tm_year + 1900) / (tm.tm_mon + 1) / tm.tm_mday;
  if (!day.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(day)) + std::chrono::hours(tm.tm_hour) + std::chrono::minutes(tm.tm_min) +
         std::chrono::seconds(tm.tm_sec);
}

// The subjectAltName as it parses; null where there is none.
Result<Names> ReadAltNames(const X509* x509) {
  int found = 0;
  Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, &found, nullptr)));
  if (!names && found != -1) return Bad("its subjectAltName does not parse");
  return names;
}

}  // namespace

struct Certificate::X509Owner {
  X509Ptr x509;
};

Result<Certificate> Certificate::FromDer(ByteView der) {
  if (der.empty() || der.size() > kMaxDer) return Bad("not a certificate");
  const unsigned char* at = der.data();
  X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!x509) return Bad("not a certificate");
  if (at != der.data() + der.size()) return Bad("something follows the certificate");
  if ((X509_get_extension_flags(x509.get()) & EXFLAG_INVALID) != 0) return Bad("an extension does not parse");

  Certificate out;
  unsigned char* spki = nullptr;
  const int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509.get()), &spki);
  if (spki_size <= 0) return Bad("its public key does not parse");
  out.key_id_ = KeyId{Sha256(ByteView(spki, static_cast<std::size_t>(spki_size))).bytes};
  OPENSSL_free(spki);

  auto from = TimeOf(X509_get0_notBefore(x509.get())), to = TimeOf(X509_get0_notAfter(x509.get()));
  if (!from || !to) return Bad("its validity does not parse");
  out.not_before_ = *from;
  out.not_after_ = *to;
  out.is_ca_ = X509_check_ca(x509.get()) == 1;

  TRY(auto names, ReadAltNames(x509.get()));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI && name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* value = name->type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
    std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (!IsVisible(text)) return Bad("a subjectAltName is not visible ASCII");
    (name->type == GEN_URI ? out.uris_ : out.dns_).emplace_back(text);
  }
  out.der_ = ToBytes(der);
  out.x509_ = std::make_shared<const X509Owner>(X509Owner{std::move(x509)});
  return out;
}

Result<Certificate> Certificate::FromPem(std::string_view pem) {
  const auto begin = pem.find(kBegin);
  if (begin == std::string_view::npos) return Bad("no certificate in the text");
  const auto body = begin + kBegin.size();
  const auto end = pem.find(kEnd, body);
  if (end == std::string_view::npos || end - body > 2 * kMaxDer) return Bad("the certificate's PEM does not end");
  std::string base64;
  for (char c : pem.substr(body, end - body)) {
    if (c != '\n' && c != '\r') base64 += c;
  }
  auto der = FromBase64(base64);
  if (!der) return Bad("the certificate's PEM is not base64");
  return FromDer(*der);
}

std::string Certificate::ToPem() const {
  const std::string base64 = ToBase64(der_);
  std::string out(kBegin);
  for (std::size_t i = 0; i < base64.size(); i += 64) out += "\n" + base64.substr(i, 64);
  out += "\n";
  out += kEnd;
  return out + "\n";
}

std::string Certificate::SubjectText() const {
  Bio bio(BIO_new(BIO_s_mem()));
  Need(bio != nullptr, "no memory");
  if (X509_NAME_print_ex(bio.get(), X509_get_subject_name(x509_->x509.get()), 0, XN_FLAG_RFC2253) < 0) {
    ForgetErrors();
    return "?";
  }
  std::string text = BioText(bio.get());
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text.size() > 256 ? text.substr(0, 253) + "..." : text;
}

Status Certificate::VerifyIssuedBy(const Certificate& ca, TlsPurpose purpose, Time at) const {
  X509* leaf = x509_->x509.get();
  if (!ca.is_ca()) return Bad("the issuer given is not a CA");
  if (is_ca()) return Bad("a CA's certificate is nobody's identity");
  // OpenSSL lets a certificate without extended key usage do everything; here it must be named.
  const auto usages = X509_get_extended_key_usage(leaf);
  const std::uint32_t wanted = purpose == TlsPurpose::kClient ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
  if (usages == UINT32_MAX || (usages & wanted) == 0) {
    return Bad(purpose == TlsPurpose::kClient ? "its extended key usage does not name TLS clients"
                                              : "its extended key usage does not name TLS servers");
  }

  Owned<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  Need(store && context, "no memory");
  // This one CA is the whole trust: no default folders, nothing from the peer. PARTIAL_CHAIN makes it an anchor also
  // where it is not self-signed.
  Need(X509_STORE_add_cert(store.get(), ca.x509_->x509.get()) == 1, "the CA cannot be an anchor");
  Need(X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr) == 1, "no memory");
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level(rules, 2);  // 112 bits: no SHA-1, no short RSA
  X509_VERIFY_PARAM_set_depth(rules, 0);       // nothing between the two
  X509_VERIFY_PARAM_set_time(rules, std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  Need(X509_VERIFY_PARAM_set_purpose(
           rules, purpose == TlsPurpose::kClient ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER) == 1,
       "no such purpose");
  if (X509_verify_cert(context.get()) != 1) {
    return Bad(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  return Ok();
}

std::string MakeCertificateRequest(const SignKey& key, std::string_view member) {
  if (!IsVisible(member)) throw std::invalid_argument("a member id is visible ASCII");
  const std::string uri = "valija:" + std::string(member);
  const std::string_view common_name = member.substr(0, 64);  // ub-common-name; for people only

  Owned<X509_REQ, X509_REQ_free> request(X509_REQ_new());
  Owned<X509_NAME, X509_NAME_free> subject(X509_NAME_new());
  Names names(GENERAL_NAMES_new());
  Owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  Owned<ASN1_IA5STRING, ASN1_IA5STRING_free> value(ASN1_IA5STRING_new());
  Extensions extensions(sk_X509_EXTENSION_new_null());
  Need(request && subject && names && name && value && extensions, "no memory");
  Need(X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_ASC,
                                  reinterpret_cast<const unsigned char*>(common_name.data()),
                                  static_cast<int>(common_name.size()), -1, 0) == 1,
       "a subject cannot be made");
  // The string is set as it is: never through OpenSSL's configuration syntax, where a comma begins another name.
  Need(ASN1_STRING_set(value.get(), uri.data(), static_cast<int>(uri.size())) == 1, "no memory");
  GENERAL_NAME_set0_value(name.get(), GEN_URI, value.release());
  Need(sk_GENERAL_NAME_push(names.get(), name.get()) > 0, "no memory");
  (void)name.release();
  Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, names.get()));
  Need(extension && sk_X509_EXTENSION_push(extensions.get(), extension.get()) > 0, "no memory");
  (void)extension.release();
  Need(X509_REQ_set_version(request.get(), 0) == 1 && X509_REQ_set_subject_name(request.get(), subject.get()) == 1 &&
           X509_REQ_set_pubkey(request.get(), key.evp().pkey) == 1 &&
           X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
           X509_REQ_sign(request.get(), key.evp().pkey, EVP_sha256()) > 0,
       "a certificate request cannot be made");
  Bio bio(BIO_new(BIO_s_mem()));
  Need(bio && PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1, "a certificate request cannot be written");
  return BioText(bio.get());
}

}  // namespace valija::crypto
