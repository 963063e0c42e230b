#include "core/crypto/keyfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "core/crypto/random.h"
#include "tests/support/vectors.h"

namespace valija::crypto {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Secret Text(std::string_view text) { return Secret::CopyOf(AsBytes(text)); }

std::string Pem(std::string_view name, std::string_view base64, std::string_view headers = "") {
  std::string out = "-----BEGIN " + std::string(name) + "-----\n" + std::string(headers);
  for (std::size_t i = 0; i < base64.size(); i += 64) out += std::string(base64.substr(i, 64)) + "\n";
  return out + "-----END " + std::string(name) + "-----\n";
}

// Made with OpenSSL 3.0.22 for this test alone, from one P-256 key; passphrase "correct".
constexpr std::string_view kScalar = "1b393af97226cee0e82b34c9c482304d48385933008b7dce4011ac19e5e1d375";
constexpr std::string_view kPlain =
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGzk6+XImzuDoKzTJxIIwTUg4WTMAi33OQBGsGeXh03WhRANCAASJ"
    "B+ySC67yrMhXNS+pD+guv63Xl9P6iKrqmp7TBbu3iUl/li+BJ2bCC+n5E8GA4sQISBwh3GRXTTtGpQJgTbAs";
// openssl pkey -aes256
constexpr std::string_view kPbkdf2 =
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh/Qk9o8SfP5gICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoE"
    "ENrDJuAdNH3NwkWNn23vFPMEgZDpPjas2dunlFtYTAhQqkIHWnxQ55nhy+aeYLiLYqu+5Iuw6i6ha9sjyJjC7ZQYg+l14XLcFs/V"
    "PfvEOZ+ctFAjCsu50OYgpBxm0vXN7a5dsA7B3ME30MtN6f1SMpynGzRdneFixajEcFf5M3S0Yi8yDWMaT/A1mPvmeHOPp67LA7Ij"
    "oEz6+3HMOz7knYupvgs=";
// openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc
constexpr std::string_view kScrypt =
    "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAjRFxxhPUXEpgICQAACAQgCAQEwHQYJYIZIAWUDBAEqBBBfZi9qdIuc"
    "lV80002acqOFBIGQ5VQEz4AS4OPJtRB2LOOa92ZFZo9lvp6GE/3OI26Klz2iwfBFPCRKAUNkmdwTfEqoXyjw+3gow3AgY7poA8T/"
    "sF8BWRFSoT43Waed2gbGLKcRFPkxL2B6rnaBuYzR/OSQLAi50UUmchHccSSlowkVA0DmYdi+iR6lJiKmFICNlTtG1dEaJt7VHcIj"
    "M4Umy4GX";
// openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES
constexpr std::string_view kPbes1 =
    "MIGxMBwGCiqGSIb3DQEMAQMwDgQI34pi2DLzPLQCAggABIGQMGQROfJi+VbrvyfNEhRsuIQMSaWtAgPpnZWY/OHG9VrPq/TnWopu"
    "JY37pklmLr+YiDTZzPqDpVpnBL2oXJQMud4joHCmAW0QBgvOjRDHjMcKg2qSiYlC9gHgBMVv00kwP+rIbZuWyoIQL9B5KMP719aI"
    "7Yg+bTorj5a4b5rZEEenhOhY+RmRX7Sd38T4QdOc";
// openssl ec: SEC 1
constexpr std::string_view kSec1 =
    "MHcCAQEEIBs5OvlyJs7g6Cs0ycSCME1IOFkzAIt9zkARrBnl4dN1oAoGCCqGSM49AwEHoUQDQgAEiQfskguu8qzIVzUvqQ/oLr+t"
    "15fT+oiq6pqe0wW7t4lJf5YvgSdmwgvp+RPBgOLECEgcIdxkV007RqUCYE2wLA==";
// Keys of other kinds, PKCS#8.
constexpr std::string_view kP384 =
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDA5r+OkgtpzDiHe31yvEZtbDBBZ9cf4F44glOwcRN9Bt0j0AYqihJk5"
    "EA4XE+go3vehZANiAARl5kcR2R8OymI9KvfbpsOOTnAAnQfjBKa2tuB20ZjcX+Ff3TWS/vfb7ukGwzOb3lzy8aQr6hegRp1MbBeW"
    "wfLJNthDqmEqmiQ44xAp0rViQb1p46B6/B8oYmaP5lMMD2o=";
constexpr std::string_view kSecp256k1 =
    "MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgUMK9e2mvycHYbASdKcfruDqQi5KzkwlGV89B8zDN0RqhRANCAASw24F2"
    "kNxp279Ouz4nf2pwqPL3LRxrpd2NdVj1SI1NWdJMekGHZzhzgUCyfRlfSJ3REryj3XAgK3BrTwW/1/fR";
constexpr std::string_view kX25519 = "MC4CAQAwBQYDK2VuBCIEIAh5Qbx+e5eyJLFMaH+I9nychzBxNN098CYfzIwg8/RI";

class KeyFile : public ::testing::Test {
 protected:
  SystemRandom random_;
  Secret pass_ = Text("correct horse");
  Secret scalar_ = SignKey::Generate(random_).Scalar();
  Secret seed_ = random_.MakeSecret(32);

  static void ExpectRefused(const Result<Secret>& result, Reason reason) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().reason, reason) << result.error().Message();
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
};

TEST_F(KeyFile, WhatIsWrittenIsReadAgain) {
  const std::string ec = EncryptEcKey(scalar_, pass_), ed = EncryptEd25519Key(seed_, pass_);
  EXPECT_THAT(ec, StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
  EXPECT_THAT(ed, StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
  EXPECT_TRUE(DecryptEcKey(ec, pass_).value().EqualTo(scalar_));
  EXPECT_TRUE(DecryptEd25519Key(ed, pass_).value().EqualTo(seed_));
}

TEST_F(KeyFile, TheSameKeyIsNeverWrittenTheSameTwice) {
  EXPECT_NE(EncryptEcKey(scalar_, pass_), EncryptEcKey(scalar_, pass_));
}

TEST_F(KeyFile, AWrongPassphraseIsSaidToBeWrong) {
  const std::string ec = EncryptEcKey(scalar_, pass_), ed = EncryptEd25519Key(seed_, pass_);
  for (std::string_view wrong : {"Correct horse", "correct horse ", "correct", "c"}) {
    ExpectRefused(DecryptEcKey(ec, Text(wrong)), Reason::kBadPassphrase);
    ExpectRefused(DecryptEd25519Key(ed, Text(wrong)), Reason::kBadPassphrase);
  }
}

TEST_F(KeyFile, EveryByteOfThePassphraseCounts) {
  const Secret odd = Text(std::string_view("\xc3\xa9\0x\n", 5));
  const std::string pem = EncryptEcKey(scalar_, odd);
  EXPECT_TRUE(DecryptEcKey(pem, odd).value().EqualTo(scalar_));
  ExpectRefused(DecryptEcKey(pem, Text("\xc3\xa9")), Reason::kBadPassphrase);
}

TEST_F(KeyFile, TheEmptyPassphraseMeansNoEncryptionAndIsNeverGuessed) {
  const std::string plain = EncryptEcKey(scalar_, Secret());
  EXPECT_THAT(plain, StartsWith("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_TRUE(DecryptEcKey(plain, Secret()).value().EqualTo(scalar_));
  EXPECT_TRUE(DecryptEd25519Key(EncryptEd25519Key(seed_, Secret()), Secret()).value().EqualTo(seed_));
  ExpectRefused(DecryptEcKey(plain, pass_), Reason::kBadPassphrase);
  ExpectRefused(DecryptEcKey(EncryptEcKey(scalar_, pass_), Secret()), Reason::kBadPassphrase);
}

TEST_F(KeyFile, ThePlainPemForTlsIsTheUnencryptedKey) {
  EXPECT_EQ(AsText(PlainEcPem(scalar_).view()), EncryptEcKey(scalar_, Secret()));
  EXPECT_EQ(AsText(PlainEcPem(Secret::CopyOf(*FromHex(kScalar))).view()), Pem("PRIVATE KEY", kPlain));
}

TEST_F(KeyFile, ReadsWhatOpenSslWrote) {
  const Secret expected = Secret::CopyOf(*FromHex(kScalar));
  EXPECT_TRUE(DecryptEcKey(Pem("PRIVATE KEY", kPlain), Secret()).value().EqualTo(expected));
  for (auto base64 : {kPbkdf2, kScrypt}) {
    const std::string pem = Pem("ENCRYPTED PRIVATE KEY", base64);
    EXPECT_TRUE(DecryptEcKey(pem, Text("correct")).value().EqualTo(expected));
    ExpectRefused(DecryptEcKey(pem, Text("incorrect")), Reason::kBadPassphrase);
  }
}

TEST_F(KeyFile, RefusesOldSchemesAndForms) {
  ExpectRefused(DecryptEcKey(Pem("ENCRYPTED PRIVATE KEY", kPbes1), Text("correct")), Reason::kMalformed);
  ExpectRefused(DecryptEcKey(Pem("EC PRIVATE KEY", kSec1), Secret()), Reason::kMalformed);
  const std::string_view old = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,7A72E59B01D91014690DC94666F477EE\n\n";
  ExpectRefused(DecryptEcKey(Pem("EC PRIVATE KEY", kSec1, old), Text("correct")), Reason::kMalformed);
}

TEST_F(KeyFile, RefusesAKeyOfAnotherKind) {
  for (auto base64 : {kP384, kSecp256k1, kX25519}) {
    ExpectRefused(DecryptEcKey(Pem("PRIVATE KEY", base64), Secret()), Reason::kMalformed);
    ExpectRefused(DecryptEd25519Key(Pem("PRIVATE KEY", base64), Secret()), Reason::kMalformed);
  }
  ExpectRefused(DecryptEcKey(EncryptEd25519Key(seed_, pass_), pass_), Reason::kMalformed);
  ExpectRefused(DecryptEd25519Key(EncryptEcKey(scalar_, pass_), pass_), Reason::kMalformed);
}

TEST_F(KeyFile, RefusesWhatIsNoKeyFile) {
  const std::string pem = EncryptEcKey(scalar_, pass_);
  for (const std::string& text :
       {std::string(), std::string("hello"), pem.substr(0, pem.size() / 2), Pem("ENCRYPTED PRIVATE KEY", "AAAA"),
        Pem("PRIVATE KEY", "AAAA"), Pem("PRIVATE KEY", ""), Pem("CERTIFICATE", kPlain), std::string(2 << 20, 'a')}) {
    ExpectRefused(DecryptEcKey(text, pass_).error().reason == Reason::kBadPassphrase ? DecryptEcKey(text, Secret())
                                                                                     : DecryptEcKey(text, pass_),
                  Reason::kMalformed);
  }
}

TEST_F(KeyFile, RefusesAScalarThatIsNoKey) {
  EXPECT_THROW(EncryptEcKey(Secret(32), pass_), std::invalid_argument);
  EXPECT_THROW(PlainEcPem(Secret(31)), std::invalid_argument);
  EXPECT_THROW(EncryptEd25519Key(Secret(31), pass_), std::invalid_argument);
  // In a file: the P-256 key above with a scalar of zero.
  Bytes der = *FromBase64(kPlain);
  const Bytes scalar = *FromHex(kScalar);
  auto at = std::search(der.begin(), der.end(), scalar.begin(), scalar.end());
  ASSERT_NE(at, der.end());
  std::fill_n(at, 32, std::uint8_t{0});
  ExpectRefused(DecryptEcKey(Pem("PRIVATE KEY", ToBase64(der)), Secret()), Reason::kMalformed);
}

// The openssl program reads our files, where it is installed.
TEST_F(KeyFile, OpensslPkeyReadsOurFiles) {
  if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl program";
  auto folder = std::filesystem::temp_directory_path() / ("valija-keyfile-" + random_.Make<Nonce>().Hex());
  std::filesystem::create_directory(folder);
  auto read = [&](const std::string& pem, const std::string& passphrase) {
    std::ofstream(folder / "key.pem") << pem;
    const std::string command = "openssl pkey -in '" + (folder / "key.pem").string() + "' -passin pass:'" + passphrase +
                                "' -out '" + (folder / "out.pem").string() + "' 2>/dev/null";
    return std::system(command.c_str()) == 0 ? test::ReadWhole(folder / "out.pem") : std::string("not read");
  };
  EXPECT_EQ(read(EncryptEcKey(scalar_, pass_), "correct horse"), EncryptEcKey(scalar_, Secret()));
  EXPECT_EQ(read(EncryptEd25519Key(seed_, pass_), "correct horse"), EncryptEd25519Key(seed_, Secret()));
  EXPECT_EQ(read(EncryptEcKey(scalar_, pass_), "wrong"), "not read");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace valija::crypto
