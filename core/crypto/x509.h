// Certificates as Valija uses them (RFC 5280): an agency's own CA (P-256, self-signed or an anchor) issues leaf
// certificates with the member's name as a URI "valija:us.dea/jrivera" in subjectAltName.
// Identity is the SPKI key id and that URI; the common name is ignored.
//
// Thread-safety: a Certificate is a value; const methods may be used from several threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/crypto/keys.h"

namespace valija::crypto {

enum class TlsPurpose { kClient, kServer };

class Certificate {
 public:
  // Exactly one certificate and nothing after it. Refused too: an extension that does not parse or stands there
  // twice, and a URI or DNS name that is empty or holds anything but visible ASCII (no NUL, no space). kBadCertificate.
  static Result<Certificate> FromDer(ByteView der);
  static Result<Certificate> FromPem(std::string_view pem);  // exactly the first certificate of the text
  const Bytes& der() const { return der_; }
  std::string ToPem() const;
  const KeyId& key_id() const { return key_id_; }                 // SHA-256 of the SPKI as it stands in the certificate
  const std::vector<std::string>& uris() const { return uris_; }  // subjectAltName URIs
  const std::vector<std::string>& dns_names() const { return dns_; }  // subjectAltName DNS names
  Time not_before() const { return not_before_; }
  Time not_after() const { return not_after_; }  // refused from this second on, as OpenSSL counts
  bool is_ca() const { return is_ca_; }          // basicConstraints CA:TRUE, and a key usage that lets it sign
  std::string SubjectText() const;               // one line, printable ASCII only, for people
  // Issued directly by this very CA and no other (an agency whose CA issues through an intermediate one names that as its
  // CA), valid at `at` as the CA is too, itself no CA, and allowed for `purpose` by an extended key usage that is there and
  // names it. kBadCertificate says what does not hold. Revocation is the directory's matter: no CRL is looked at.
  Status VerifyIssuedBy(const Certificate& ca, TlsPurpose purpose, Time at) const;

 private:
  struct X509Owner;
  Certificate() = default;
  std::shared_ptr<const X509Owner> x509_;
  Bytes der_;
  KeyId key_id_;
  std::vector<std::string> uris_, dns_;
  Time not_before_{}, not_after_{};
  bool is_ca_ = false;
};

// PKCS#10 request (RFC 2986), PEM, with the URI "valija:<member>" asked for in subjectAltName. `member` is a member id
// (core/base/ids.h) or a broker's name: throws on anything but visible ASCII.
std::string MakeCertificateRequest(const SignKey& key, std::string_view member);

}  // namespace valija::crypto
