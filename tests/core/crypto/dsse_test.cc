#include "core/crypto/dsse.h"

#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "tests/support/vectors.h"

namespace valija::crypto {
namespace {

// The vector of DSSE's protocol.md; its key in hex.
constexpr std::string_view kType = "http://example.com/HelloWorld", kPayload = "hello world";
constexpr std::string_view kPae = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
constexpr std::string_view kPoint =
    "0467cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238"
    "0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74";
constexpr std::string_view kSignature =
    "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==";

TEST(Dsse, EncodesTheVectorOfTheSpecification) {
  EXPECT_EQ(AsText(Pae(kType, AsBytes(kPayload))), kPae);
  if (auto folder = test::FullSet("dsse")) {
    auto vector = test::ReadJson(*folder / "dsse-v1-vector.json");
    EXPECT_EQ(AsText(Pae(vector["payloadType"].get<std::string>(), AsBytes(vector["payload_utf8"].get<std::string>()))),
              vector["pae_utf8"].get<std::string>());
    EXPECT_EQ(*FromBase64(vector["envelope"]["payload"].get<std::string>()), ToBytes(AsBytes(kPayload)));
    EXPECT_EQ(vector["envelope"]["signatures"][0]["sig"], kSignature);
  }
}

TEST(Dsse, TheSignatureOfTheSpecificationHoldsOverIt) {
  auto key = VerifyKey::FromPoint(*FromHex(kPoint));
  ASSERT_TRUE(key.has_value());
  const Bytes signature = *FromBase64(kSignature);
  EXPECT_TRUE(key->Verify(Pae(kType, AsBytes(kPayload)), signature));
  EXPECT_FALSE(key->Verify(Pae(kType, AsBytes("hello worle")), signature));
  EXPECT_FALSE(key->Verify(AsBytes(kPayload), signature));
}

TEST(Dsse, CountsBytesAndSaysEmptyAsZero) {
  EXPECT_EQ(AsText(Pae("", {})), "DSSEv1 0  0 ");
  EXPECT_EQ(AsText(Pae("t\xc3\xa9", AsBytes("\xe2\x82\xac"))), "DSSEv1 3 t\xc3\xa9 3 \xe2\x82\xac");
  const Bytes binary = {0, 0xff, '\n', 0};
  const Bytes pae = Pae("t", binary);
  EXPECT_TRUE(Equal(ByteView(pae).last(4), binary));
}

TEST(Dsse, TypeAndPayloadCannotBeShiftedIntoEachOther) {
  EXPECT_NE(Pae("a 1 b", AsBytes("c")), Pae("a", AsBytes("b 1 c")));
  EXPECT_NE(Pae("ab", AsBytes("c")), Pae("a", AsBytes("bc")));
}

TEST(Dsse, TheDigestIsThatOfTheEncoding) {
  EXPECT_EQ(DigestOf(kType, AsBytes(kPayload)).view().size(), 32U);
  EXPECT_EQ(DigestOf(kType, AsBytes(kPayload)).Hex(), Sha256(AsBytes(kPae)).Hex());
}

TEST(Dsse, GivesTheDigestsOfTheWorkedExample) {
  auto batch = test::ReadJson(test::WorkedExample() / "batch.json");
  int seen = 0;
  for (const auto& statement : batch["statements"]) {
    const auto type = statement["payload_type"].get<std::string>();
    const Bytes payload = test::Hex(statement["payload"]);
    EXPECT_EQ(DigestOf(type, payload).Hex(), statement["digest"]);
    EXPECT_EQ(Pae(type, payload).size(), statement["pae_length"].get<std::size_t>());
    ++seen;
  }
  EXPECT_GT(seen, 0);
  const auto& signed_batch = batch["batch"];
  EXPECT_EQ(Pae(signed_batch["payload_type"].get<std::string>(), test::Hex(signed_batch["payload"])),
            test::Hex(signed_batch["pae"]));
}

}  // namespace
}  // namespace valija::crypto
