#include "client/charter_draft.h"
#include "core/crypto/x509.h"
#include "core/policy/policy.h"
#include "core/record/body.h"
#include "proto/convert.h"
#include "tests/core/crypto/fixed_random.h"
#include "tests/fuzz/targets.h"
#include "tests/proto/sample_life.h"
#include "tests/support/test_certificates.h"

namespace valija::fuzz {
namespace {

Bytes Raw(std::string_view text) { return ToBytes(AsBytes(text)); }

void RunPolicyText(ByteView bytes) {
  auto read = policy::ParseText(AsText(bytes));
  Holds(read.policy.has_value() == read.errors.empty(), "a policy, or what is wrong with it");
  if (!read.policy) return;
  const auto text = policy::ToText(*read.policy);
  auto again = policy::ParseText(text);
  Holds(again.policy && policy::ToText(*again.policy) == text, "the canonical text is read as it was written");
}

// A body that was sealed here, and whatever else is said to be it.
struct Sealed {
  crypto::Secret cek = crypto::Secret::CopyOf(Bytes(32, 9));
  Bytes plain = Raw("what only the recipient reads");
  record::SealedBody body = record::SealBody(cek, Hash{}, 0, crypto::CobblestoneSalt{}, plain);
};
const Sealed& TheBody() {
  static const Sealed sealed;
  return sealed;
}
void RunBody(ByteView bytes) {
  const auto& sealed = TheBody();
  auto opened = record::OpenBody(sealed.cek, Hash{}, 0, bytes, sealed.body.summary.length, sealed.body.summary.root);
  if (opened)
    Holds(ToBytes(bytes) == sealed.body.bytes && *opened == sealed.plain, "a body opens whole and unchanged, or not");
  // The same under the root of the bytes that came: the cipher alone must refuse them.
  if (bytes.empty()) return;
  const auto summary = record::SummariseBody(bytes);
  auto under_its_own = record::OpenBody(sealed.cek, Hash{}, 0, bytes, summary.length, summary.root);
  if (under_its_own) Holds(ToBytes(bytes) == sealed.body.bytes, "nobody without the key makes a body that opens");
}

void RunCertificate(ByteView bytes) {
  static const auto ca = crypto::Certificate::FromDer(test::TestCertificate("us.dea")).value();
  for (auto certificate : {crypto::Certificate::FromDer(bytes), crypto::Certificate::FromPem(AsText(bytes))}) {
    if (!certificate) continue;
    (void)certificate->SubjectText();
    for (const auto& uri : certificate->uris())
      for (const char c : uri) Holds(c > ' ' && c < 0x7f, "a name is visible ASCII");
    Holds(!certificate->VerifyIssuedBy(ca, crypto::TlsPurpose::kClient, FromMillis(1800000000000)),
          "nobody without the CA's key makes a certificate of it");
    auto again = crypto::Certificate::FromDer(certificate->der());
    Holds(again && again->key_id() == certificate->key_id(), "a certificate is kept as it was read");
  }
}

void RunMemberCard(ByteView bytes) { (void)client::MemberCard::Parse(AsText(bytes)); }
void RunBrokerCard(ByteView bytes) { (void)client::BrokerCard::Parse(AsText(bytes)); }

// What a person is shown of a charter that came by mail.
void RunCharter(ByteView bytes) {
  auto envelope = proto::DecodeEnvelope(bytes);
  if (!envelope) return;
  auto text = client::DescribeCharter(*envelope);
  if (!text) return;
  for (const char c : *text)
    Holds(c == '\n' || static_cast<unsigned char>(c) >= ' ', "no control character reaches the terminal");
}

std::vector<Bytes> PolicyTexts() {
  test::Sample sample(7);
  std::vector<Bytes> out;
  for (int i = 0; i < 4; ++i) out.push_back(Raw(policy::ToText(sample.Policy())));
  out.push_back(Raw("# comment\nmarking  amber\nreleasable-to us.dea, mx\n"));
  return out;
}
std::vector<Bytes> Certificates() {
  std::vector<Bytes> out;
  for (const auto& one : test::kTestCertificates) {
    out.push_back(test::TestCertificate(one.name));
    out.push_back(Raw(crypto::Certificate::FromDer(out.back())->ToPem()));
  }
  return out;
}
std::vector<Bytes> MemberCards() {
  test::FixedRandom random("a card");
  client::Keyring keys{.authentication = crypto::SignKey::Generate(random),
                       .signature = crypto::SignKey::Generate(random),
                       .key_management = crypto::KemPrivateKey::Generate(random)};
  return {Raw(client::MemberCard::Make(*MemberId::Parse("us.dea/ana"), keys))};
}
std::vector<Bytes> BrokerCards() {
  return {
      Raw(R"({"valija-broker-card": 1, "authority": "broker-1", "log-key": "a+00000000+AQ==", "release-key": "04"})")};
}
std::vector<Bytes> Charters() {
  test::Sample sample(7);
  return {proto::EncodeEnvelope(sample.Direct(ledger::Kind::kCharter, proto::EncodeCharter(sample.Charter())))};
}

}  // namespace

std::vector<Target> RecordTargets() {
  return {{"policy-text", Shape::kText, RunPolicyText, PolicyTexts},
          {"body", Shape::kBytes, RunBody, [] { return std::vector{TheBody().body.bytes}; }},
          {"certificate", Shape::kBytes, RunCertificate, Certificates},
          {"member-card", Shape::kText, RunMemberCard, MemberCards},
          {"broker-card", Shape::kText, RunBrokerCard, BrokerCards},
          {"charter", Shape::kMessage, RunCharter, Charters}};
}

}  // namespace valija::fuzz
