// Certificates as Valija uses them: an agency's own CA (P-256, self-signed or an anchor) issues leaf
// certificates with the member's name as a URI "valija:us.dea/jrivera" in subjectAltName.
// Identity is the SPKI key id and that URI; the common name is ignored.
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
  static Result<Certificate> FromDer(ByteView der);          // kBadCertificate
  static Result<Certificate> FromPem(std::string_view pem);  // exactly the first certificate of the text
  const Bytes& der() const { return der_; }
  std::string ToPem() const;
  const KeyId& key_id() const { return key_id_; }  // SHA-256 of the SPKI as it stands in the certificate
  const std::vector<std::string>& uris() const { return uris_; }      // subjectAltName URIs
  const std::vector<std::string>& dns_names() const { return dns_; }
  Time not_before() const { return not_before_; }
  Time not_after() const { return not_after_; }
  bool is_ca() const { return is_ca_; }
  std::string SubjectText() const;  // one line, printable ASCII only
  // Issued (directly or through `intermediates`) by this very CA and no other, valid at `at`, and allowed
  // for `purpose` by its extended key usage. kBadCertificate says what does not hold.
  Status VerifyIssuedBy(const Certificate& ca, TlsPurpose purpose, Time at,
                        const std::vector<Certificate>& intermediates = {}) const;

 private:
  struct X509Owner;
  Certificate() = default;
  std::shared_ptr<const X509Owner> x509_;
  Bytes der_;
  KeyId key_id_;
  std::vector<std::string> uris_, dns_;
  Time not_before_, not_after_;
  bool is_ca_ = false;
};

// PKCS#10 request, PEM, with the URI "valija:<member>" asked for.
std::string MakeCertificateRequest(const SignKey& key, std::string_view member);

}  // namespace valija::crypto
