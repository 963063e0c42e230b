#include "broker/config.h"

#include <algorithm>

#include "core/base/ids.h"
#include "core/crypto/keyfile.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "core/log/note.h"

namespace valija::broker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLogKey = "log-key";  // .pem, -2.pem, ..
constexpr const char* kReleaseKey = "release-key";
constexpr const char* kTlsKey = "tls-key.pem";
constexpr const char* kCard = "broker.card";

fs::path KeyPath(const fs::path& folder, const std::string& stem, unsigned number) {
  return folder / (stem + (number == 1 ? "" : "-" + std::to_string(number)) + ".pem");
}

// The numbers of the keys of this name that are there, ascending. A former one may have been taken away.
std::vector<unsigned> Numbers(const fs::path& folder, const std::string& stem) {
  std::vector<unsigned> out;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    if (name == stem + ".pem") out.push_back(1);
    const auto prefix = stem.size() + 1;
    if (name.size() <= prefix + 4 || name.compare(0, prefix, stem + "-") != 0 || !name.ends_with(".pem")) continue;
    const std::string digits = name.substr(prefix, name.size() - prefix - 4);
    if (digits.size() > 6 || digits.find_first_not_of("0123456789") != std::string::npos || digits[0] == '0') continue;
    const auto number = static_cast<unsigned>(std::stoul(digits));
    if (number > 1) out.push_back(number);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string Card(const std::string& authority, const std::string& log_key, const crypto::KemPrivateKey& release_key) {
  return "{\n  \"valija-broker-card\": 1,\n  \"authority\": \"" + authority + "\",\n  \"log-key\": \"" + log_key +
         "\",\n  \"release-key\": \"" + release_key.public_key().point().Hex() + "\"\n}\n";
}

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

bool IsAddress(const std::string& text) {
  const auto colon = text.rfind(':');
  return colon != std::string::npos && colon != 0 && colon + 1 != text.size() &&
         text.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
         std::strtoul(text.c_str() + colon + 1, nullptr, 10) <= 65535;
}

}  // namespace

std::map<std::string, std::string> UrlsOf(const std::vector<std::string>& witness_urls) {
  std::map<std::string, std::string> out;
  for (const auto& one : witness_urls) out[one.substr(0, one.find('='))] = one.substr(one.find('=') + 1);
  return out;
}

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
  if (!config.keys.empty()) {
    std::vector<fs::path> files = {config.keys / kTlsKey};
    for (const char* stem : {kLogKey, kReleaseKey}) {
      const auto numbers = Numbers(config.keys, stem);
      if (numbers.empty()) files.push_back(KeyPath(config.keys, stem, 1));
      for (const unsigned number : numbers) files.push_back(KeyPath(config.keys, stem, number));
    }
    for (const auto& file : files)
      if (auto key = io::ReadPrivateFile(file); !key) fault(file.filename().string() + ": " + key.error().Message());
  }
  if (!IsAddress(config.listen)) fault("listen is host:port, with a port up to 65535");
  if (!config.public_listen.empty() && !IsAddress(config.public_listen))
    fault("public-listen is host:port, with a port up to 65535");
  if (!config.metrics_listen.empty() && !IsAddress(config.metrics_listen))
    fault("metrics-listen is host:port, with a port up to 65535");
  if (config.log_format != "json" && config.log_format != "human") fault("log-format is json or human");
  if (config.pool_limit < 1 || config.pool_limit > 1000000) fault("pool-limit is 1 to 1000000");
  if (config.batch_limit < 1 || config.batch_limit > 65536) fault("batch-limit is 1 to 65536");
  if (config.in_flight_per_member < 1) fault("in-flight-per-member is at least 1");
  if (config.streams_per_member < 1) fault("streams-per-member is at least 1");
  if (config.connections < 1 || config.connections > 100000) fault("connections is 1 to 100000");
  if (config.connections_per_address < 1) fault("connections-per-address is at least 1");
  if (config.connections_per_member < 1) fault("connections-per-member is at least 1");
  if (config.handshakes_per_second < 1) fault("handshakes-per-second is at least 1");
  if (config.unclaimed_mib_per_member < 1) fault("unclaimed-mib-per-member is at least 1");
  for (const auto& one : config.witness_urls)
    if (one.find("=http://") == std::string::npos || one.find('=') == 0 || one.find('=') + 8 >= one.size())
      fault("witness is NAME=http://host:port, not " + one);
  if (UrlsOf(config.witness_urls).size() != config.witness_urls.size()) fault("one witness has two URLs");
  if (config.witness_wait_seconds > 3600) fault("witness-wait-seconds is at most 3600");
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
  TRY_OK(WriteKey(KeyPath(folder, kLogKey, 1), crypto::EncryptEd25519Key(log_key.Seed(), passphrase)));
  TRY_OK(WriteKey(KeyPath(folder, kReleaseKey, 1), crypto::EncryptEcKey(release_key.Scalar(), passphrase)));
  TRY_OK(WriteKey(folder / kTlsKey, crypto::EncryptEcKey(tls_key.Scalar(), passphrase)));
  TRY_OK(io::WriteNewFile(folder / "request.csr", AsBytes(crypto::MakeCertificateRequest(tls_key, "broker"))));
  TRY(auto verifier, log::NoteVerifier::Make(origin, log_key.verify_key()));
  return io::WriteNewFile(folder / kCard, AsBytes(Card(authority, verifier.Text(), release_key)));
}

Result<fs::path> RotateKey(const fs::path& folder, Rotated which, const crypto::Secret& passphrase) {
  TRY(auto keys, LoadKeys(folder, passphrase));
  TRY(auto card, io::ReadText(folder / kCard, 1 << 16));
  crypto::SystemRandom random;
  const char* stem = which == Rotated::kLogKey ? kLogKey : kReleaseKey;
  const fs::path path = KeyPath(folder, stem, Numbers(folder, stem).back() + 1);
  std::string log_key = CardField(card, "log-key");
  if (which == Rotated::kLogKey) {
    auto named = log::NoteVerifier::Parse(log_key);
    if (!named) return Refuse(Reason::kBadConfiguration, "broker.card names no log key");
    auto key = crypto::Ed25519SignKey::Generate(random);
    TRY(auto verifier, log::NoteVerifier::Make(named->name, key.verify_key()));
    log_key = verifier.Text();
    TRY_OK(WriteKey(path, crypto::EncryptEd25519Key(key.Seed(), passphrase)));
  } else {
    auto key = crypto::KemPrivateKey::Generate(random);
    TRY_OK(WriteKey(path, crypto::EncryptEcKey(key.Scalar(), passphrase)));
    keys.release_keys.push_back(std::move(key));
  }
  TRY_OK(io::WriteFileAtomic(folder / kCard, AsBytes(Card(keys.authority, log_key, keys.release_keys.back()))));
  return path;
}

Result<BrokerKeys> LoadKeys(const fs::path& folder, const crypto::Secret& passphrase) {
  BrokerKeys out;
  for (const unsigned number : Numbers(folder, kLogKey)) {
    TRY(auto pem, io::ReadPrivateFile(KeyPath(folder, kLogKey, number)));
    TRY(auto seed, crypto::DecryptEd25519Key(AsText(pem.view()), passphrase));
    TRY(auto key, crypto::Ed25519SignKey::FromSeed(seed.view()));
    out.log_keys.push_back(std::move(key));
  }
  for (const unsigned number : Numbers(folder, kReleaseKey)) {
    TRY(auto pem, io::ReadPrivateFile(KeyPath(folder, kReleaseKey, number)));
    TRY(auto scalar, crypto::DecryptEcKey(AsText(pem.view()), passphrase));
    TRY(auto key, crypto::KemPrivateKey::FromScalar(scalar.view()));
    out.release_keys.push_back(std::move(key));
  }
  if (out.log_keys.empty() || out.release_keys.empty())
    return Refuse(Reason::kBadConfiguration, "there is no log key or no release key in " + folder.string());
  TRY(auto pem, io::ReadPrivateFile(folder / kTlsKey));
  TRY(auto tls, crypto::DecryptEcKey(AsText(pem.view()), passphrase));
  TRY(auto tls_key, crypto::SignKey::FromScalar(tls.view()));
  out.tls_key_pem = crypto::PlainEcPem(tls);
  out.tls_key_id = tls_key.id();
  TRY(auto card, io::ReadText(folder / kCard, 1 << 16));
  out.authority = CardField(card, "authority");
  return out;
}

Status CheckCertificate(const Config& config, const BrokerKeys& keys) {
  TRY(auto pem, io::ReadText(config.tls_certificate, 1 << 20));
  TRY(auto certificate, crypto::Certificate::FromPem(pem));
  if (certificate.key_id() != keys.tls_key_id)
    return Refuse(Reason::kBadConfiguration, "tls-certificate is for another key than " + std::string(kTlsKey));
  return Ok();
}

}  // namespace valija::broker
