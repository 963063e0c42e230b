// Certificates for tests, good and bad, made with OpenSSL's API so that any extension can be what it should not be.
#pragma once

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/crypto/keys.h"
#include "core/crypto/keys_internal.h"

namespace valija::crypto::test {

// A TLS client's leaf, unless told otherwise.
struct CertificateSpec {
  std::string subject = "leaf", issuer = "ca";
  Time from = *ParseTime("2026-01-01"), to = *ParseTime("2028-01-01");
  std::vector<std::pair<int, std::string>> names = {{GEN_URI, "valija:us.dea/jrivera"}};  // bytes as they are
  bool basic_constraints = true, ca = false;
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = "clientAuth";  // empty: no such extension
  std::vector<std::pair<int, std::string>> more;  // NID and OpenSSL's text of an extension
  bool names_twice = false, unknown_critical = false;
  const EVP_MD* digest = EVP_sha256();

  static CertificateSpec Ca(std::string name) {
    CertificateSpec spec;
    spec.subject = spec.issuer = std::move(name);
    spec.names.clear();
    spec.ca = true;
    spec.key_usage = "critical,keyCertSign,cRLSign";
    spec.extended_key_usage.clear();
    return spec;
  }
};

inline void Must(bool done) {
  if (!done) throw std::runtime_error("the test's certificate cannot be made");
}

inline void SetName(X509_NAME* name, const std::string& common_name) {
  Must(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(common_name.data()),
                                  static_cast<int>(common_name.size()), -1, 0) == 1);
}

inline void AddExtension(X509* x509, int nid, const std::string& text) {
  Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, text.c_str()));
  Must(extension && X509_add_ext(x509, extension.get(), -1) == 1);
}

inline void AddAltNames(X509* x509, const std::vector<std::pair<int, std::string>>& names) {
  Owned<GENERAL_NAMES, GENERAL_NAMES_free> all(GENERAL_NAMES_new());
  for (const auto& [type, text] : names) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    Must(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) == 1);
    GENERAL_NAME_set0_value(name, type, value);
    Must(sk_GENERAL_NAME_push(all.get(), name) > 0);
  }
  Must(X509_add1_ext_i2d(x509, NID_subject_alt_name, all.get(), 0, X509V3_ADD_APPEND) == 1);
}

// The DER of the certificate.
inline Bytes MakeCertificate(const CertificateSpec& spec, const SignKey& subject_key, const SignKey& issuer_key) {
  static long serial = 1;
  Owned<X509, X509_free> x509(X509_new());
  Must(X509_set_version(x509.get(), 2) == 1);
  Must(ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), serial++) == 1);
  SetName(X509_get_subject_name(x509.get()), spec.subject);
  SetName(X509_get_issuer_name(x509.get()), spec.issuer);
  Must(ASN1_TIME_set(X509_getm_notBefore(x509.get()), ToMillis(spec.from) / 1000) != nullptr);
  Must(ASN1_TIME_set(X509_getm_notAfter(x509.get()), ToMillis(spec.to) / 1000) != nullptr);
  Must(X509_set_pubkey(x509.get(), subject_key.evp().pkey) == 1);
  if (spec.basic_constraints)
    AddExtension(x509.get(), NID_basic_constraints, spec.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!spec.key_usage.empty()) AddExtension(x509.get(), NID_key_usage, spec.key_usage);
  if (!spec.extended_key_usage.empty()) AddExtension(x509.get(), NID_ext_key_usage, spec.extended_key_usage);
  if (!spec.names.empty()) AddAltNames(x509.get(), spec.names);
  if (spec.names_twice) AddAltNames(x509.get(), {{GEN_URI, "valija:us.dea/other"}});
  for (const auto& [nid, text] : spec.more) AddExtension(x509.get(), nid, text);
  if (spec.unknown_critical) {
    Owned<ASN1_OBJECT, ASN1_OBJECT_free> oid(OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1));
    Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
    const unsigned char null[] = {0x05, 0x00};
    Must(ASN1_OCTET_STRING_set(value.get(), null, sizeof null) == 1);
    Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 1, value.get()));
    Must(extension && X509_add_ext(x509.get(), extension.get(), -1) == 1);
  }
  Must(X509_sign(x509.get(), issuer_key.evp().pkey, spec.digest) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  Must(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace valija::crypto::test
