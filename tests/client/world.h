// Three agencies, five members and a broker that lies when told to, for tests of the client: real profiles on disk, real
// statements, no network. Profiles cost some scrypt each: they are made once for the process and copied for each test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/charter_draft.h"
#include "client/session.h"
#include "core/crypto/x509.h"
#include "tests/client/fake_broker.h"
#include "tests/core/crypto/certificate_maker.h"

namespace valija::test {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "valija-client-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline void WriteText(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}
inline std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}
inline crypto::Secret Words(std::string_view text) { return crypto::Secret::CopyOf(AsBytes(text)); }
inline MemberId Member(const std::string& id) { return *MemberId::Parse(id); }

constexpr const char* kPassphrase = "correct horse battery staple";
constexpr const char* kAddress = "broker.example:7443";

struct Authority {  // an agency's CA
  crypto::SignKey key;
  Bytes der;
  static Authority Make(const std::string& name, crypto::Random& random) {
    auto key = crypto::SignKey::Generate(random);
    auto der = crypto::test::MakeCertificate(crypto::test::CertificateSpec::Ca(name), key, key);
    return {std::move(key), std::move(der)};
  }
  // For a key, naming a member; the issuer's name is the CA's.
  std::string Issue(const std::string& ca_name, const std::string& member, const crypto::SignKey& subject) const {
    crypto::test::CertificateSpec spec;
    spec.issuer = ca_name;
    spec.names = {{GEN_URI, "valija:" + member}};
    return crypto::Certificate::FromDer(crypto::test::MakeCertificate(spec, subject, key)).value().ToPem();
  }
};

// What all tests begin with. Folders in here are never opened, only copied.
class Beginning {
 public:
  static constexpr const char* kMembers[] = {"us.dea/admin", "us.dea/ana", "mx.fgr/admin", "mx.fgr/luis", "us.fbi/kim"};

  static const Beginning& Get() {
    static const Beginning beginning;
    return beginning;
  }

  client::Keyring Keys(const std::string& member) const {
    const auto& one = scalars_.at(member);
    return {crypto::SignKey::FromScalar(one[0]).value(), crypto::SignKey::FromScalar(one[1]).value(),
            crypto::KemPrivateKey::FromScalar(one[2]).value()};
  }
  // Signed by one administrator of each agency.
  ledger::Envelope Sign(const ledger::Charter& terms) const {
    ledger::Envelope out{ledger::PayloadType(ledger::Kind::kCharter), proto::EncodeCharter(terms), {}, std::nullopt};
    for (const char* administrator : {"us.dea/admin", "mx.fgr/admin", "us.fbi/kim"})
      client::SignCharter(out, Member(administrator), Keys(administrator).signature).value();
    return out;
  }
  static fs::path Folder(const fs::path& in, std::string member) {
    std::replace(member.begin(), member.end(), '/', '_');
    return in / member;
  }

  TempFolder folder;
  mutable crypto::SystemRandom random;
  BrokerKeys broker{"example.org/valija", *AuthorityId::Parse("broker-1"), crypto::Ed25519SignKey::Generate(random),
                    crypto::KemPrivateKey::Generate(random)};
  std::map<std::string, Authority> cas;
  ledger::Charter charter;
  ledger::Envelope charter_envelope;
  Digest charter_digest;
  std::vector<ledger::Entry> entries;  // charter, three first epochs, two enrolments

 private:
  Beginning() {
    for (const char* agency : {"us.dea", "mx.fgr", "us.fbi", "carrier"})
      cas.emplace(agency, Authority::Make(agency, random));
    for (const char* member : kMembers) {
      const auto at = Folder(folder.path(), member);
      client::Profile::Create(at, Member(member), Words(kPassphrase), random).value();
      auto keys = client::Profile::Open(at).value().Unlock(Words(kPassphrase)).value();
      scalars_[member] = {ToBytes(keys.authentication.Scalar().view()), ToBytes(keys.signature.Scalar().view()),
                          ToBytes(keys.key_management.Scalar().view())};
    }
    charter.origin = broker.origin;
    charter.title = "Agreement";
    charter.time = FakeBroker::Now();
    charter.nonce = random.Make<Nonce>();
    for (const char* administrator : {"mx.fgr/admin", "us.dea/admin", "us.fbi/kim"}) {
      const auto agency = Member(administrator).agency();
      ledger::MemberRecord record{
          Member(administrator), ledger::MemberStatus::kActive, Keys(administrator).Public(), {}, true, false};
      record.person = "head-of-" + agency.str().substr(3);
      charter.agencies.push_back({agency, "Agency " + agency.str(), cas.at(agency.str()).der, {record}});
    }
    charter.authorities = {{broker.authority, broker.release_key.public_key().point()}};
    charter.log_key = log::NoteVerifier::Make(broker.origin, broker.log_key.verify_key()).value().Text();
    charter.carrier_ca_certificate = cas.at("carrier").der;
    charter.joint_auditors = {Member("us.fbi/kim")};
    charter.purposes = {"analysis", "investigation"};
    charter.clearances = {"restricted", "secret"};
    charter_envelope = Sign(charter);
    auto statement = ledger::VerifyCharter(proto::MakeStatement(charter_envelope).value()).value();
    charter_digest = statement->digest;
    for (const char* member : kMembers) {
      auto profile = client::Profile::Open(Folder(folder.path(), member)).value();
      const std::string agency = Member(member).agency().str();
      profile
          .Join(proto::EncodeEnvelope(charter_envelope), charter_digest, kAddress,
                cas.at(agency).Issue(agency, member, Keys(member).authentication), FakeBroker::Now())
          .value();
    }
    FakeBroker founding(broker);
    founding.Take(statement).value();
    auto* at = &founding;
    TempFolder elsewhere;
    auto session = [&](const std::string& member) {
      fs::copy(Folder(folder.path(), member), Folder(elsewhere.path(), member), fs::copy_options::recursive);
      return client::SessionCore(client::Profile::Open(Folder(elsewhere.path(), member)).value(), Keys(member),
                                 std::make_unique<FakeTransport>(at, Member(member)));
    };
    Session::EnrolOptions analyst{"secret", {"analyst"}, {}, false, false, {}};
    analyst.person = "ana";
    session("us.dea/admin").Enrol(Folder(folder.path(), "us.dea/ana") / "member.card", analyst).value();
    analyst.person = "luis";
    session("mx.fgr/admin").Enrol(Folder(folder.path(), "mx.fgr/luis") / "member.card", analyst).value();
    session("us.fbi/kim").RotateEpoch().value();
    entries = std::move(founding.entries);
  }
  std::map<std::string, std::array<Bytes, 3>> scalars_;
};

class ClientWorld {
 public:
  ClientWorld() : honest(Beginning::Get().broker, Beginning::Get().entries, Beginning::Get().entries.size()) {}

  fs::path ProfileOf(const std::string& member) {
    const auto at = Beginning::Folder(folder.path(), member);
    if (!fs::exists(at)) fs::copy(Beginning::Folder(begun.folder.path(), member), at, fs::copy_options::recursive);
    return at;
  }
  // One at a time for a member: the profile is locked.
  std::unique_ptr<client::SessionCore> SessionOf(const std::string& member) {
    return std::make_unique<client::SessionCore>(client::Profile::Open(ProfileOf(member)).value(), begun.Keys(member),
                                                 std::make_unique<FakeTransport>(broker, Member(member)));
  }

  static std::string PolicyFor(const std::string& audience, const std::string& more = {}) {
    return "marking TLP:AMBER\nreleasable-to " + audience +
           "\npurpose investigation\ncase optional\nexpires 2036-01-01\n" + more;
  }
  static Draft DraftOf(std::string content, const std::string& audience = "agency mx.fgr",
                       const std::string& more = {}) {
    Draft draft;
    draft.portions.push_back({{}, std::move(content), "text/plain", PolicyFor(audience, more)});
    return draft;
  }
  static OpenRequest Asking(const std::string& id, std::uint32_t portion = 0, const fs::path& output = {},
                            const std::string& purpose = "investigation") {
    return {id, portion, purpose, "", output, {}, {}};
  }

  const Beginning& begun = Beginning::Get();
  TempFolder folder;
  FakeBroker honest;
  FakeBroker* broker = &honest;
};

}  // namespace valija::test
