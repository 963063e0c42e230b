#include "client/connect.h"

#include "core/crypto/keyfile.h"
#include "core/crypto/tls13.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "core/text/catalogue.h"

namespace valija::client {

Result<crypto::Secret> Passphrase(const std::filesystem::path& file, bool twice) {
  if (!file.empty()) return io::ReadPassphraseFile(file);
  return io::AskPassphrase(text::Text(text::Id::kPassphrase), twice, text::Text(text::Id::kPassphraseAgain));
}

Result<std::unique_ptr<SessionCore>> OpenSession(const SessionOptions& options) {
  static const Status tls13 = crypto::RequireTls13();  // once per process
  TRY_OK(tls13);
  TRY(auto profile, Profile::Open(options.profile));
  if (!profile.joined())
    return Refuse(
        Reason::kNotReady,
        "this profile has not joined a broker yet; have request.csr signed by your agency's CA, then: valija join");
  TRY(auto passphrase, Passphrase(options.passphrase_file, false));
  TRY(auto keys, profile.Unlock(passphrase));
  TRY(auto carrier_ca, crypto::Certificate::FromDer(profile.carrier_ca()));
  Endpoint endpoint;
  endpoint.address = profile.broker();
  endpoint.server_ca_pem = carrier_ca.ToPem();
  TRY(endpoint.certificate_pem, profile.CertificatePem());
  endpoint.key_pem = crypto::PlainEcPem(keys.authentication.Scalar());
  endpoint.timeout = options.timeout;
  TRY(auto transport, Transport::Connect(std::move(endpoint)));
  auto session = std::make_unique<SessionCore>(std::move(profile), std::move(keys), std::move(transport));
  session->set_any_age(options.any_age);
  return session;
}

}  // namespace valija::client
