#include "core/crypto/x509.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "core/crypto/random.h"
#include "tests/core/crypto/certificate_maker.h"

namespace valija::crypto {
namespace {

using test::CertificateSpec;
using test::MakeCertificate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Time kNow = *ParseTime("2026-11-24T08:00:00Z");

class X509 : public ::testing::Test {
 protected:
  SystemRandom random_;
  SignKey ca_key_ = SignKey::Generate(random_), key_ = SignKey::Generate(random_);
  Certificate ca_ = Made(CertificateSpec::Ca("ca"), ca_key_, ca_key_);

  static Certificate Made(const CertificateSpec& spec, const SignKey& subject, const SignKey& issuer) {
    return Certificate::FromDer(MakeCertificate(spec, subject, issuer)).value();
  }
  Certificate Leaf(const CertificateSpec& spec = {}) { return Made(spec, key_, ca_key_); }
  static void ExpectBad(const Result<Certificate>& result) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().reason, Reason::kBadCertificate);
  }
  static void ExpectBad(const Status& status, std::string_view why) {
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().reason, Reason::kBadCertificate);
    EXPECT_THAT(status.error().detail, HasSubstr(why));
  }
};

// ---- Reading ----

TEST_F(X509, ReadsNamesKeyAndValidity) {
  CertificateSpec spec;
  spec.names = {{GEN_DNS, "broker.example"},
                {GEN_URI, "valija:us.dea/jrivera"},
                {GEN_IPADD, std::string("\x7f\0\0\1", 4)},
                {GEN_URI, "urn:other"}};
  spec.from = *ParseTime("2026-02-03T04:05:06Z");
  spec.to = *ParseTime("2061-12-31T23:59:59Z");  // beyond what UTCTime can say
  auto leaf = Leaf(spec);
  EXPECT_THAT(leaf.uris(), ElementsAre("valija:us.dea/jrivera", "urn:other"));
  EXPECT_THAT(leaf.dns_names(), ElementsAre("broker.example"));
  EXPECT_EQ(leaf.key_id(), key_.id());
  EXPECT_EQ(FormatTime(leaf.not_before()), "2026-02-03T04:05:06Z");
  EXPECT_EQ(FormatTime(leaf.not_after()), "2061-12-31T23:59:59Z");
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_TRUE(ca_.is_ca());
  EXPECT_THAT(ca_.uris(), IsEmpty());
}

TEST_F(X509, ReadsTheFirstCertificateOfAText) {
  auto leaf = Leaf();
  const std::string text = "Certificate:\n  about it\n" + leaf.ToPem() + ca_.ToPem();
  EXPECT_EQ(Certificate::FromPem(text).value().der(), leaf.der());
  EXPECT_EQ(Certificate::FromPem(ca_.ToPem()).value().der(), ca_.der());
  std::string windows;
  for (char c : leaf.ToPem()) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(Certificate::FromPem(windows).value().der(), leaf.der());
}

TEST_F(X509, OpenSslReadsItsPem) {
  const std::string pem = Leaf().ToPem();
  Owned<BIO, BIO_free_all> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned<::X509, X509_free> read(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  EXPECT_TRUE(read != nullptr);
}

TEST_F(X509, RefusesATextThatHoldsNoCertificate) {
  const std::string pem = Leaf().ToPem();
  ExpectBad(Certificate::FromPem(""));
  ExpectBad(Certificate::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  ExpectBad(Certificate::FromPem(pem.substr(0, pem.size() - 10)));
  std::string bad = pem;
  bad[60] = '*';
  ExpectBad(Certificate::FromPem(bad));
  ExpectBad(Certificate::FromPem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"));
}

TEST_F(X509, RefusesEveryTruncationAndAnythingAfterIt) {
  const Bytes der = Leaf().der();
  for (std::size_t size = 0; size < der.size(); ++size) ExpectBad(Certificate::FromDer(ByteView(der).first(size)));
  Bytes longer = der;
  longer.push_back(0);
  ExpectBad(Certificate::FromDer(longer));
  ExpectBad(Certificate::FromDer(Concat({der, der})));
}

TEST_F(X509, RefusesANameWithANulOrAnythingInvisible) {
  for (const std::string& name : {std::string("valija:us.dea/jrivera\0.evil", 27), std::string("\0", 1), std::string(),
                                  std::string("valija:us.dea/a b"), std::string("valija:us.dea/\xd1\x98rivera"),
                                  std::string("valija:us.dea/a\n"), std::string("valija:us.dea/\x7f")}) {
    for (int type : {GEN_URI, GEN_DNS}) {
      CertificateSpec spec;
      spec.names = {{GEN_URI, "valija:us.dea/good"}, {type, name}};
      ExpectBad(Certificate::FromDer(MakeCertificate(spec, key_, ca_key_)));
    }
  }
}

TEST_F(X509, RefusesTwoSubjectAltNames) {
  CertificateSpec spec;
  spec.names_twice = true;
  ExpectBad(Certificate::FromDer(MakeCertificate(spec, key_, ca_key_)));
}

TEST_F(X509, TheSubjectIsOneLineOfPrintableAscii) {
  CertificateSpec spec;
  spec.subject = "a\n\x1b[31m\xc3\xa9,CN=b";
  const std::string text = Leaf(spec).SubjectText();
  EXPECT_THAT(text, HasSubstr("CN=a"));
  for (char c : text) EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << text;
  EXPECT_EQ(Leaf().SubjectText(), "CN=leaf");
}

// ---- Verifying ----

TEST_F(X509, HoldsForALeafOfItsCa) {
  EXPECT_TRUE(Leaf().VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow).has_value());
  CertificateSpec server;
  server.extended_key_usage = "serverAuth";
  EXPECT_TRUE(Leaf(server).VerifyIssuedBy(ca_, TlsPurpose::kServer, kNow).has_value());
  CertificateSpec both;
  both.extended_key_usage = "serverAuth,clientAuth";
  EXPECT_TRUE(Leaf(both).VerifyIssuedBy(ca_, TlsPurpose::kServer, kNow).has_value());
  EXPECT_TRUE(Leaf(both).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow).has_value());
}

TEST_F(X509, NeedsThePurposeByName) {
  ExpectBad(Leaf().VerifyIssuedBy(ca_, TlsPurpose::kServer, kNow), "servers");
  for (const char* usage : {"serverAuth", "codeSigning", "anyExtendedKeyUsage", ""}) {
    CertificateSpec spec;
    spec.extended_key_usage = usage;
    ExpectBad(Leaf(spec).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "clients");
  }
}

TEST_F(X509, NeedsAKeyUsageThatLetsItSign) {
  CertificateSpec spec;
  spec.key_usage = "critical,dataEncipherment";
  ExpectBad(Leaf(spec).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "purpose");
}

TEST_F(X509, RefusesAnotherCaOfTheSameName) {
  SignKey other_key = SignKey::Generate(random_);
  auto other = Made(CertificateSpec::Ca("ca"), other_key, other_key);
  EXPECT_FALSE(Leaf().VerifyIssuedBy(other, TlsPurpose::kClient, kNow).has_value());
}

TEST_F(X509, RefusesAnotherAgencysCa) {
  SignKey other_key = SignKey::Generate(random_);
  auto other = Made(CertificateSpec::Ca("other"), other_key, other_key);
  ExpectBad(Leaf().VerifyIssuedBy(other, TlsPurpose::kClient, kNow), "issuer");
}

TEST_F(X509, RefusesASelfSignedLeaf) {
  CertificateSpec spec;
  spec.issuer = spec.subject = "ca";
  ExpectBad(Made(spec, key_, key_).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "");
}

TEST_F(X509, HoldsFromTheFirstSecondUntilTheLast) {
  auto leaf = Leaf();
  auto at = [&](Time time) { return leaf.VerifyIssuedBy(ca_, TlsPurpose::kClient, time); };
  CertificateSpec eternal = CertificateSpec::Ca("ca");
  eternal.from = *ParseTime("2020-01-01");
  eternal.to = *ParseTime("2040-01-01");
  ca_ = Made(eternal, ca_key_, ca_key_);
  EXPECT_TRUE(at(leaf.not_before()).has_value());
  EXPECT_TRUE(at(leaf.not_after() - Duration(1)).has_value());
  ExpectBad(at(leaf.not_before() - Duration(1)), "not yet valid");
  ExpectBad(at(leaf.not_after()), "expired");
  ExpectBad(at(FromMillis(0)), "not yet valid");
}

TEST_F(X509, RefusesALeafOfAnExpiredCa) {
  CertificateSpec expired = CertificateSpec::Ca("ca");
  expired.to = *ParseTime("2026-11-01");
  auto ca = Made(expired, ca_key_, ca_key_);
  ExpectBad(Leaf().VerifyIssuedBy(ca, TlsPurpose::kClient, kNow), "expired");
}

TEST_F(X509, ACaIsNobodysIdentity) {
  ExpectBad(ca_.VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "CA");
  CertificateSpec spec;
  spec.ca = true;
  spec.key_usage = "critical,digitalSignature,keyCertSign";
  ExpectBad(Leaf(spec).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "CA");
}

TEST_F(X509, RefusesAnIssuerThatIsNoCa) {
  CertificateSpec issuer;
  issuer.subject = issuer.issuer = "ca";
  ExpectBad(Leaf().VerifyIssuedBy(Made(issuer, ca_key_, ca_key_), TlsPurpose::kClient, kNow), "not a CA");
  issuer.basic_constraints = false;  // an old-style root
  issuer.key_usage = issuer.extended_key_usage = "";
  ExpectBad(Leaf().VerifyIssuedBy(Made(issuer, ca_key_, ca_key_), TlsPurpose::kClient, kNow), "not a CA");
}

TEST_F(X509, KnowsNoIntermediateButOneThatIsItselfTheCa) {
  SignKey middle_key = SignKey::Generate(random_);
  CertificateSpec middle_spec = CertificateSpec::Ca("middle");
  middle_spec.issuer = "ca";
  auto middle = Made(middle_spec, middle_key, ca_key_);
  CertificateSpec spec;
  spec.issuer = "middle";
  auto leaf = Made(spec, key_, middle_key);
  ExpectBad(leaf.VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "issuer");
  // An agency may name the intermediate itself as its CA: then that is the anchor, and its issuer means nothing.
  EXPECT_TRUE(leaf.VerifyIssuedBy(middle, TlsPurpose::kClient, kNow).has_value());
  EXPECT_FALSE(Leaf().VerifyIssuedBy(middle, TlsPurpose::kClient, kNow).has_value());
}

TEST_F(X509, RefusesAnUnknownCriticalExtension) {
  CertificateSpec spec;
  spec.unknown_critical = true;
  ExpectBad(Leaf(spec).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "critical");
}

TEST_F(X509, RefusesSha1) {
  CertificateSpec spec;
  spec.digest = EVP_sha1();
  ExpectBad(Leaf(spec).VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow), "weak");
}

TEST_F(X509, AFlippedBitAnywhereIsFoundOut) {
  const Bytes der = Leaf().der();
  for (std::size_t at = 0; at < der.size(); ++at) {
    Bytes bad = der;
    bad[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    auto read = Certificate::FromDer(bad);
    if (read) {
      EXPECT_FALSE(read->VerifyIssuedBy(ca_, TlsPurpose::kClient, kNow).has_value()) << at;
    }
  }
}

TEST_F(X509, LeavesNothingInTheErrorQueue) {
  ExpectBad(Certificate::FromDer(Bytes{0x30, 0x01, 0x00}));
  SignKey other_key = SignKey::Generate(random_);
  EXPECT_FALSE(Leaf()
                   .VerifyIssuedBy(Made(CertificateSpec::Ca("ca"), other_key, other_key), TlsPurpose::kClient, kNow)
                   .has_value());
  EXPECT_EQ(ERR_peek_error(), 0U);
}

// ---- Requests ----

struct Request {
  Owned<X509_REQ, X509_REQ_free> req;
  std::vector<std::string> uris;
  int names = 0;
};
Request ReadRequest(const std::string& pem) {
  Request out;
  Owned<BIO, BIO_free_all> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  out.req.reset(PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr));
  if (!out.req) throw std::runtime_error("not a request: " + pem);
  auto* extensions = X509_REQ_get_extensions(out.req.get());
  Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  out.names = sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < out.names; ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* value = name->d.uniformResourceIdentifier;
    out.uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return out;
}

TEST_F(X509, ARequestAsksForTheMembersUriAndProvesTheKey) {
  auto request = ReadRequest(MakeCertificateRequest(key_, "us.dea/jrivera"));
  EXPECT_THAT(request.uris, ElementsAre("valija:us.dea/jrivera"));
  EXPECT_EQ(request.names, 1);
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.req.get());
  EXPECT_EQ(X509_REQ_verify(request.req.get(), key), 1);
  EXPECT_EQ(EVP_PKEY_eq(key, key_.evp().pkey), 1);
}

TEST_F(X509, ARequestForALongOrOddMemberHoldsExactlyOneUri) {
  const std::string longest = "us." + std::string(32, 'a') + "/" + std::string(64, 'b');
  for (const std::string& member : {longest, std::string("us.dea/a,DNS:evil.example"), std::string("us.dea/a;URI:x")}) {
    auto request = ReadRequest(MakeCertificateRequest(key_, member));
    EXPECT_THAT(request.uris, ElementsAre("valija:" + member));
    EXPECT_EQ(request.names, 1);
  }
}

TEST_F(X509, ThereIsNoRequestForANameThatIsNotVisibleAscii) {
  for (const std::string& member :
       {std::string(), std::string("us.dea/a\0b", 10), std::string("us.dea/a b"), std::string("\xc3\xa9")})
    EXPECT_THROW(MakeCertificateRequest(key_, member), std::invalid_argument);
}

}  // namespace
}  // namespace valija::crypto
