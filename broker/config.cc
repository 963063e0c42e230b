#include "broker/config.h"

#include "core/base/ids.h"
#include "core/crypto/keyfile.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "core/log/note.h"

namespace valija::broker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLogKey = "log-key.pem";
constexpr const char* kReleaseKey = "release-key.pem";
constexpr const char* kTlsKey = "tls-key.pem";
constexpr const char* kCard = "broker.card";

Status WriteKey(const fs::path& path, std::string pem) {
  auto done = io::WriteNewFile(path, AsBytes(pem), 0600);
  crypto::WipeText(pem);
  return done;
}

// The value of "name": "text" in a card that MakeKeys wrote; the client's parser is the strict one.
std::string CardField(const std::string& card, const std::string& name) {
  const std::string key = "\"" + name + "\": \"";
  auto at = card.find(key);
  if (at == std::string::npos) return {};
  at += key.size();
  return card.substr(at, card.find('"', at) - at);
}

}  // namespace

Status Check(const Config& config) {
  std::string faults;
  auto fault = [&](const std::string& what) { faults += (faults.empty() ? "" : "; ") + what; };
  auto needed = [&](const fs::path& path, const char* name) {
    if (path.empty()) fault(std::string(name) + " is not set");
  };
  needed(config.data, "data");
  needed(config.high_water, "high-water");
  needed(config.keys, "keys");
  needed(config.tls_certificate, "tls-certificate");
  needed(config.passphrase_file, "passphrase-file");
  if (!config.high_water.empty() && !config.data.empty()) {
    auto inside = config.high_water.lexically_normal().lexically_relative(config.data.lexically_normal());
    if (!inside.empty() && *inside.begin() != "..")
      fault("high-water must not lie in the data folder: it is there to notice when that is replaced");
  }
  if (!config.tls_certificate.empty() && !io::ReadText(config.tls_certificate, 1 << 20))
    fault("tls-certificate cannot be read: " + config.tls_certificate.string());
  if (!config.passphrase_file.empty())
    if (auto passphrase = io::ReadPassphraseFile(config.passphrase_file); !passphrase)
      fault("passphrase-file: " + passphrase.error().Message());
  if (!config.keys.empty())
    for (const char* name : {kLogKey, kReleaseKey, kTlsKey})
      if (auto key = io::ReadPrivateFile(config.keys / name); !key)
        fault(std::string(name) + ": " + key.error().Message());
  auto colon = config.listen.rfind(':');
  if (colon == std::string::npos || colon == 0 ||
      config.listen.find_first_not_of("0123456789", colon + 1) != std::string::npos ||
      colon + 1 == config.listen.size() || std::strtoul(config.listen.c_str() + colon + 1, nullptr, 10) > 65535)
    fault("listen is host:port, with a port up to 65535");
  if (config.log_format != "json" && config.log_format != "human") fault("log-format is json or human");
  if (config.pool_limit < 1 || config.pool_limit > 1000000) fault("pool-limit is 1 to 1000000");
  if (config.batch_limit < 1 || config.batch_limit > 65536) fault("batch-limit is 1 to 65536");
  if (config.in_flight_per_member < 1) fault("in-flight-per-member is at least 1");
  if (config.streams_per_member < 1) fault("streams-per-member is at least 1");
  if (config.unclaimed_mib_per_member < 1) fault("unclaimed-mib-per-member is at least 1");
  if (config.workers > 256) fault("workers is at most 256");
  if (!faults.empty()) return Refuse(Reason::kBadConfiguration, faults);
  return Ok();
}

Status MakeKeys(const fs::path& folder, const std::string& authority, const std::string& origin,
                const crypto::Secret& passphrase) {
  if (!AuthorityId::Parse(authority)) return Refuse(Reason::kUsage, "an authority is named by a-z, 0-9, '.' and '-'");
  if (!IsOrigin(origin)) return Refuse(Reason::kUsage, "an origin has no space and no '+', like pouch.example/2026");
  TRY_OK(io::MakePrivateDirectory(folder));
  crypto::SystemRandom random;
  auto log_key = crypto::Ed25519SignKey::Generate(random);
  auto release_key = crypto::KemPrivateKey::Generate(random);
  auto tls_key = crypto::SignKey::Generate(random);
  TRY_OK(WriteKey(folder / kLogKey, crypto::EncryptEd25519Key(log_key.Seed(), passphrase)));
  TRY_OK(WriteKey(folder / kReleaseKey, crypto::EncryptEcKey(release_key.Scalar(), passphrase)));
  TRY_OK(WriteKey(folder / kTlsKey, crypto::EncryptEcKey(tls_key.Scalar(), passphrase)));
  TRY_OK(io::WriteNewFile(folder / "request.csr", AsBytes(crypto::MakeCertificateRequest(tls_key, "broker"))));
  TRY(auto verifier, log::NoteVerifier::Make(origin, log_key.verify_key()));
  const std::string card = "{\n  \"valija-broker-card\": 1,\n  \"authority\": \"" + authority +
                           "\",\n  \"log-key\": \"" + verifier.Text() + "\",\n  \"release-key\": \"" +
                           release_key.public_key().point().Hex() + "\"\n}\n";
  return io::WriteNewFile(folder / kCard, AsBytes(card));
}

Result<BrokerKeys> LoadKeys(const fs::path& folder, const crypto::Secret& passphrase) {
  auto read = [&](const char* name) -> Result<crypto::Secret> {
    TRY(auto pem, io::ReadPrivateFile(folder / name));
    if (std::string_view(name) == kLogKey) return crypto::DecryptEd25519Key(AsText(pem.view()), passphrase);
    return crypto::DecryptEcKey(AsText(pem.view()), passphrase);
  };
  TRY(auto seed, read(kLogKey));
  TRY(auto release, read(kReleaseKey));
  TRY(auto tls, read(kTlsKey));
  TRY(auto log_key, crypto::Ed25519SignKey::FromSeed(seed.view()));
  TRY(auto release_key, crypto::KemPrivateKey::FromScalar(release.view()));
  TRY(auto tls_key, crypto::SignKey::FromScalar(tls.view()));
  TRY(auto card, io::ReadText(folder / kCard, 1 << 16));
  return BrokerKeys{CardField(card, "authority"), std::move(log_key), std::move(release_key), crypto::PlainEcPem(tls),
                    tls_key.id()};
}

Status CheckCertificate(const Config& config, const BrokerKeys& keys) {
  TRY(auto pem, io::ReadText(config.tls_certificate, 1 << 20));
  TRY(auto certificate, crypto::Certificate::FromPem(pem));
  if (certificate.key_id() != keys.tls_key_id)
    return Refuse(Reason::kBadConfiguration, "tls-certificate is for another key than " + std::string(kTlsKey));
  return Ok();
}

}  // namespace valija::broker
