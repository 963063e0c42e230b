#include "core/crypto/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <type_traits>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys_internal.h"
#include "tests/core/crypto/fixed_random.h"
#include "tests/core/crypto/wycheproof.h"

namespace valija::crypto {
namespace {

using nlohmann::json;
using test::FixedRandom;
using test::Hex;

static_assert(!std::is_copy_constructible_v<SignKey> && !std::is_copy_constructible_v<KemPrivateKey>);

constexpr std::string_view kOne = "0000000000000000000000000000000000000000000000000000000000000001";
constexpr std::string_view kOrderMinusOne = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
constexpr std::string_view kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr std::string_view kGenerator =
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315e"
    "cecbb6406837bf51f5";
constexpr std::string_view kMinusGenerator =
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296b01cbd1c01e58065711814b583f061e9d431cca994cea1"
    "313449bf97c840ae0a";

Bytes Raw(std::string_view hex) { return *FromHex(hex); }

// n - s, and whether s > n/2, by schoolbook arithmetic of the test's own.
Bytes OrderMinus(ByteView s) {
  Bytes n = Raw(kOrder), out(32);
  int borrow = 0;
  for (int i = 31; i >= 0; --i) {
    int d = n[static_cast<std::size_t>(i)] - s[static_cast<std::size_t>(i)] - borrow;
    borrow = d < 0 ? 1 : 0;
    out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(d + 256 * borrow);
  }
  return out;
}
bool IsAboveHalf(ByteView s) {
  Bytes other = OrderMinus(s);
  return std::lexicographical_compare(other.begin(), other.end(), s.begin(), s.end());
}

// ---- points and scalars ----

TEST(Point, IsAcceptedOrRefusedAsTheWorkedExampleSays) {
  std::size_t checked = 0;
  const json file = test::ReadJson(test::WorkedExample() / "cases.json");
  for (const auto& one : file.at("cases")) {
    if (one.at("op") != "public-key") continue;
    SCOPED_TRACE(one.at("id").get<std::string>());
    ++checked;
    Bytes bytes = Hex(one.at("in").at("bytes"));
    bool accept = one.at("expected") == "accept";
    auto verify = VerifyKey::FromPoint(bytes);
    auto kem = KemPublicKey::FromPoint(bytes);
    ASSERT_EQ(verify.has_value(), accept);
    ASSERT_EQ(kem.has_value(), accept);
    if (accept) {
      EXPECT_TRUE(Equal(verify->point(), bytes));
      EXPECT_TRUE(Equal(kem->point(), bytes));
    } else {
      EXPECT_EQ(verify.error().reason, Reason::kBadKey);
      EXPECT_EQ(kem.error().reason, Reason::kBadKey);
    }
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
  EXPECT_GT(checked, 0u);
}

TEST(Point, IsRefusedInEveryFormButTheUncompressed) {
  Bytes good = Raw(kGenerator);
  ASSERT_TRUE(KemPublicKey::FromPoint(good));
  for (int first = 0; first < 256; ++first) {
    if (first == 4) continue;
    Bytes bad = good;
    bad[0] = static_cast<std::uint8_t>(first);
    EXPECT_FALSE(KemPublicKey::FromPoint(bad)) << first;
  }
  Bytes compressed(good.begin(), good.begin() + 33);
  for (std::uint8_t first : {std::uint8_t{2}, std::uint8_t{3}}) {
    compressed[0] = first;
    EXPECT_FALSE(KemPublicKey::FromPoint(compressed));
  }
  EXPECT_FALSE(KemPublicKey::FromPoint({}));
  EXPECT_FALSE(KemPublicKey::FromPoint(Bytes(1, 0)));
}

TEST(Point, OneBitOffTheCurveIsRefused) {
  const Bytes good = Raw(kGenerator);
  for (std::size_t bit = 8; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1u << bit % 8);
    EXPECT_FALSE(VerifyKey::FromPoint(bad)) << bit;
  }
}

TEST(Scalar, RunsFromOneToTheOrderLessOne) {
  auto one = KemPrivateKey::FromScalar(Raw(kOne));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->public_key().point().Hex(), kGenerator);
  auto last = KemPrivateKey::FromScalar(Raw(kOrderMinusOne));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->public_key().point().Hex(), kMinusGenerator);
  Bytes above = Raw(kOrder);
  ++above.back();
  for (const Bytes& bad : {Raw(kOrder), above, Bytes(32, 0), Bytes(32, 0xff), Bytes(31, 1), Bytes(33, 1), Bytes()}) {
    auto refused = KemPrivateKey::FromScalar(bad);
    ASSERT_FALSE(refused) << ToHex(bad);
    EXPECT_EQ(refused.error().reason, Reason::kBadKey);
    EXPECT_FALSE(SignKey::FromScalar(bad)) << ToHex(bad);
  }
}

TEST(Scalar, ComesBackAsItWentIn) {
  for (std::string_view hex : {kOne, kOrderMinusOne}) {
    EXPECT_EQ(ToHex(SignKey::FromScalar(Raw(hex))->Scalar().view()), hex);
    EXPECT_EQ(ToHex(KemPrivateKey::FromScalar(Raw(hex))->Scalar().view()), hex);
  }
}

TEST(Scalar, GeneratesTheFirstRandomCandidateThatIsOne) {
  const Bytes third(32, 0x21);
  FixedRandom random("x", Concat({Raw(kOrder), Bytes(32, 0), third}));
  EXPECT_TRUE(Equal(SignKey::Generate(random).Scalar().view(), third));
  FixedRandom again("x", third);
  EXPECT_TRUE(Equal(KemPrivateKey::Generate(again).Scalar().view(), third));
}

TEST(Scalar, IsNotWaitedForWhenTheRandomnessIsBroken) {
  FixedRandom random("x", Bytes(32 * 64, 0));
  EXPECT_THROW(KemPrivateKey::Generate(random), std::runtime_error);
}

TEST(Scalar, OfTheSystemsRandomnessIsAnotherEachTime) {
  SystemRandom random;
  EXPECT_NE(SignKey::Generate(random).id(), SignKey::Generate(random).id());
}

TEST(KeyId, IsTheHashOfTheSubjectPublicKeyInfo) {
  auto ids = test::ReadJson(test::WorkedExample() / "primitives.json").at("key_ids");
  ASSERT_FALSE(ids.empty());
  for (const auto& one : ids) {
    auto sign = SignKey::FromScalar(Hex(one.at("sk")));
    auto kem = KemPrivateKey::FromScalar(Hex(one.at("sk")));
    ASSERT_TRUE(sign && kem);
    Point point = test::FixedHex<Point>(one.at("pub"));
    KeyId id = test::FixedHex<KeyId>(one.at("key_id"));
    EXPECT_EQ(sign->verify_key().point(), point);
    EXPECT_EQ(kem->public_key().point(), point);
    for (const KeyId& got : {sign->id(), kem->id(), VerifyKey::FromPoint(point)->id(),
                             KemPublicKey::FromPoint(point)->id(), KeyIdOf(point)})
      EXPECT_EQ(got, id);
    EXPECT_EQ(SpkiOf(point).size(), 91u);
    EXPECT_TRUE(Equal(Sha256(SpkiOf(point)), id));
  }
}

// ---- ECDSA ----

// A few cases of Wycheproof's ecdsa_secp256r1_sha256_p1363: ordinary ones, edges, and high S.
const char* const kEcdsaCases = R"(
{"testGroups": [
  {"publicKey": {"uncompressed": "042927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e"}, "tests": [
    {"tcId": 1, "comment": "signature malleability", "msg": "313233343030", "sig": "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e184cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76", "result": "valid"},
    {"tcId": 2, "comment": "replaced r by r + n", "msg": "313233343030", "sig": "012ba3a8bd6b94d5ed80a6d9d1190a436ebccc0833490686deac8635bcb9bf536900b329f479a2bbd0a5c384ee1493b1f5186a87139cac5df4087c134b49156847db", "result": "invalid"},
    {"tcId": 4, "comment": "replaced r by n - r", "msg": "313233343030", "sig": "d45c5740946b2a147f59262ee6f5bc90bd01ed280528b62b3aed5fc93f06f739b329f479a2bbd0a5c384ee1493b1f5186a87139cac5df4087c134b49156847db", "result": "invalid"},
    {"tcId": 11, "comment": "Signature with special case values r=0 and s=0", "msg": "313233343030", "sig": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "result": "invalid"},
    {"tcId": 13, "comment": "Signature with special case values r=0 and s=n", "msg": "313233343030", "sig": "0000000000000000000000000000000000000000000000000000000000000000ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "result": "invalid"},
    {"tcId": 21, "comment": "Signature with special case values r=1 and s=n - 1", "msg": "313233343030", "sig": "0000000000000000000000000000000000000000000000000000000000000001ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", "result": "invalid"},
    {"tcId": 60, "comment": "Edge case for Shamir multiplication", "msg": "3639383139", "sig": "64a1aab5000d0e804f3e2fc02bdee9be8ff312334e2ba16d11547c97711c898e6af015971cc30be6d1a206d4e013e0997772a2f91d73286ffd683b9bb2cf4f1b", "result": "valid"},
    {"tcId": 61, "comment": "special case hash", "msg": "343236343739373234", "sig": "16aea964a2f6506d6f78c81c91fc7e8bded7d397738448de1e19a0ec580bf266252cd762130c6667cfe8b7bc47d27d78391e8e80c578d1cd38c3ff033be928e9", "result": "valid"},
    {"tcId": 63, "comment": "special case hash", "msg": "3130333539333331363638", "sig": "73b3c90ecd390028058164524dde892703dce3dea0d53fa8093999f07ab8aa432f67b0b8e20636695bb7d8bf0a651c802ed25a395387b5f4188c0c4075c88634", "result": "valid"}]},
  {"publicKey": {"uncompressed": "040ad99500288d466940031d72a9f5445a4d43784640855bf0a69874d2de5fe103c5011e6ef2c42dcd50d5d3d29f99ae6eba2c80c9244f4c5422f0979ff0c3ba5e"}, "tests": [
    {"tcId": 116, "comment": "r too large", "msg": "313233343030", "sig": "ffffffff00000001000000000000000000000000fffffffffffffffffffffffcffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "04a71af64de5126a4a4e02b7922d66ce9415ce88a4c9d25514d91082c8725ac9575d47723c8fbe580bb369fec9c2665d8e30a435b9932645482e7c9f11e872296b"}, "tests": [
    {"tcId": 120, "comment": "small r and s", "msg": "313233343030", "sig": "00000000000000000000000000000000000000000000000000000000000000050000000000000000000000000000000000000000000000000000000000000001", "result": "valid"},
    {"tcId": 121, "comment": "incorrect size of signature", "msg": "313233343030", "sig": "0501", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "04e075effd9607d08d5f34e3652f64cfa3bd6d20c58d0a232f058491260ab212a4cc61760ac8b0680c1b644c03cc628ba9dc4a3c0561368489c692bd40f43aa3ca"}, "tests": [
    {"tcId": 145, "comment": "incorrect size of signature", "msg": "313233343030", "sig": "9c44febf31c3594f839ed28247c2b06b", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "048aeb368a7027a4d64abdea37390c0c1d6a26f399e2d9734de1eb3d0e1937387405bd13834715e1dbae9b875cf07bd55e1b6691c7f7536aef3b19bf7a4adf576d"}, "tests": [
    {"tcId": 152, "comment": "s == 1", "msg": "313233343030", "sig": "555555550000000055555555555555553ef7a8e48d07df81a693439654210c700000000000000000000000000000000000000000000000000000000000000001", "result": "valid"},
    {"tcId": 153, "comment": "s == 0", "msg": "313233343030", "sig": "555555550000000055555555555555553ef7a8e48d07df81a693439654210c700000000000000000000000000000000000000000000000000000000000000000", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "04b533d4695dd5b8c5e07757e55e6e516f7e2c88fa0239e23f60e8ec07dd70f2871b134ee58cc583278456863f33c3a85d881f7d4a39850143e29d4eaf009afe47"}, "tests": [
    {"tcId": 169, "comment": "point at infinity during verify", "msg": "313233343030", "sig": "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8555555550000000055555555555555553ef7a8e48d07df81a693439654210c70", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "046adda82b90261b0f319faa0d878665a6b6da497f09c903176222c34acfef72a647e6f50dcc40ad5d9b59f7602bb222fad71a41bf5e1f9df4959a364c62e488d9"}, "tests": [
    {"tcId": 206, "comment": "point with x-coordinate 0", "msg": "313233343030", "sig": "0000000000000000000000000000000000000000000000000000000000000001555555550000000055555555555555553ef7a8e48d07df81a693439654210c70", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "04264d796a0dab9b376d34eea6fe297dde1c7b73e53944bc96c8f1e8a6850bb6c9cf5308020eed460c649ddae61d4ef8bb79958113f106befaf4f18876d12a5e64"}, "tests": [
    {"tcId": 253, "comment": "r = 5, x = 5 is valid", "msg": "68656c6c6f2c20776f726c64", "sig": "0000000000000000000000000000000000000000000000000000000000000005ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e", "result": "valid"}]},
  {"publicKey": {"uncompressed": "04add76677e54a92e79bbee36a70e1754838273ec4b39295e4018a587290a7fc73f240d625642c943e610d80d953c5c6b8a12760a624ba3b90a0b7902755e1ae79"}, "tests": [
    {"tcId": 254, "comment": "r = 6, x = 5 is invalid", "msg": "68656c6c6f2c20776f726c64", "sig": "0000000000000000000000000000000000000000000000000000000000000006ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "04264d796a0dab9b376d34eea6fe297dde1c7b73e53944bc96c8f1e8a6850bb6c9cf5308020eed460c649ddae61d4ef8bb79958113f106befaf4f18876d12a5e64"}, "tests": [
    {"tcId": 255, "comment": "r = 5 + n, x = 5 is invalid; r was not reduced ...", "msg": "68656c6c6f2c20776f726c64", "sig": "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632556ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e", "result": "invalid"}]},
  {"publicKey": {"uncompressed": "04ce24c99032d52ac6ead23c0ae3ec68ef41e51a281fd457808c83136d7dcce90e8f7a154b551e9f39c59279357aa491b2a62bdebc2bb78613883fc72936c057e0"}, "tests": [
    {"tcId": 257, "comment": "r = 3, x = n + 3 is the smallest possible x wit...", "msg": "68656c6c6f2c20776f726c64", "sig": "0000000000000000000000000000000000000000000000000000000000000003ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e", "result": "valid"}]},
  {"publicKey": {"uncompressed": "046955a72c0dad4ed60356f7692649b951fa8ea474bf1cc9549b96c68de4782dfae012ffc24e92c72be71ff2622ee7e549dcb59e7b708f6921c4d4ea29512e2aba"}, "tests": [
    {"tcId": 262, "comment": "s = n - 2^128", "msg": "68656c6c6f2c20776f726c64", "sig": "5f6d3aa0d327c13702513d4299f297ab182fcf670f96291fab19572e7a6e01c4ffffffff00000000fffffffffffffffebce6faada7179e84f3b9cac2fc632551", "result": "valid"}]}
]})";

struct Counts {
  std::size_t accepted = 0, refused = 0, high_s = 0;
};

Counts CheckEcdsa(const json& file) {
  Counts counts;
  test::ForEachCase(file, [&](const json& group, const json& one) {
    SCOPED_TRACE(test::CaseName(one));
    auto key = VerifyKey::FromPoint(Hex(group.at("publicKey").at("uncompressed")));
    ASSERT_TRUE(key);
    Bytes message = Hex(one.at("msg")), signature = Hex(one.at("sig"));
    bool high = test::IsValid(one) && IsAboveHalf(ByteView(signature).subspan(32));
    // A valid signature of high S is refused, and is its other self accepted.
    EXPECT_EQ(key->Verify(message, signature), test::IsValid(one) && !high);
    if (high) {
      Bytes low = Concat({ByteView(signature).first(32), OrderMinus(ByteView(signature).subspan(32))});
      EXPECT_TRUE(key->Verify(message, low));
    }
    (high ? counts.high_s : test::IsValid(one) ? counts.accepted : counts.refused)++;
  });
  return counts;
}

TEST(Ecdsa, AgreesWithWycheproofButForHighS) {
  Counts compact = CheckEcdsa(json::parse(kEcdsaCases));
  EXPECT_GT(compact.accepted, 0u);
  EXPECT_GT(compact.refused, 0u);
  EXPECT_GT(compact.high_s, 0u);
  if (auto full = test::FullWycheproof("ecdsa_secp256r1_sha256_p1363_test.json")) {
    Counts all = CheckEcdsa(*full);
    EXPECT_EQ(all.refused, 89u);
    EXPECT_EQ(all.accepted + all.high_s, 173u);
    EXPECT_GT(all.high_s, 0u);
  }
}

TEST(Ecdsa, VerifiesTheWorkedExamplesStatementsAndRefusesItsForgeries) {
  std::size_t checked = 0;
  const json file = test::ReadJson(test::WorkedExample() / "cases.json");
  for (const auto& one : file.at("cases")) {
    if (one.at("op") != "verify") continue;
    SCOPED_TRACE(one.at("id").get<std::string>());
    ++checked;
    const auto& in = one.at("in");
    auto key = VerifyKey::FromPoint(Hex(in.at("public_key")));
    bool verified = key && key->Verify(Pae(in.at("payload_type").get<std::string>(), Hex(in.at("payload"))),
                                       Hex(in.at("signature")));
    EXPECT_EQ(verified, one.at("expected") == "accept");
  }
  EXPECT_GT(checked, 0u);
}

TEST(Ecdsa, SignsWithLowSAndVerifiesWhatItSigned) {
  FixedRandom random("ecdsa");
  SignKey key = SignKey::Generate(random);
  for (int i = 0; i < 200; ++i) {
    Bytes message(static_cast<std::size_t>(i), static_cast<std::uint8_t>(i));
    Signature signature = key.Sign(message);
    ASSERT_FALSE(IsAboveHalf(ByteView(signature).subspan(32)));
    ASSERT_TRUE(key.verify_key().Verify(message, signature));
    Signature high = signature;
    Bytes s = OrderMinus(signature.view().subspan(32));
    std::copy(s.begin(), s.end(), high.bytes.begin() + 32);
    ASSERT_FALSE(key.verify_key().Verify(message, high));
  }
}

TEST(Ecdsa, RefusesAnotherMessageKeyOrSignature) {
  FixedRandom random("ecdsa");
  SignKey key = SignKey::Generate(random), other = SignKey::Generate(random);
  const ByteView message = AsBytes("a statement");
  const Signature signature = key.Sign(message);
  EXPECT_TRUE(key.verify_key().Verify(message, signature));
  EXPECT_FALSE(key.verify_key().Verify(AsBytes("a statemenT"), signature));
  EXPECT_FALSE(key.verify_key().Verify({}, signature));
  EXPECT_FALSE(other.verify_key().Verify(message, signature));
  for (std::size_t bit = 0; bit < 512; bit += 7) {
    Signature bad = signature;
    bad.bytes[bit / 8] = static_cast<std::uint8_t>(bad.bytes[bit / 8] ^ 1u << bit % 8);
    EXPECT_FALSE(key.verify_key().Verify(message, bad)) << bit;
  }
  for (std::size_t size = 0; size < 64; ++size)
    EXPECT_FALSE(key.verify_key().Verify(message, ToBytes(signature.view().first(size)))) << size;
  EXPECT_FALSE(key.verify_key().Verify(message, Concat({signature, Bytes(1, 0)})));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Ecdsa, RefusesRAndSOutsideOneToTheOrderLessOne) {
  FixedRandom random("ecdsa");
  SignKey key = SignKey::Generate(random);
  const Bytes message = {1};
  const Signature good = key.Sign(message);
  for (const Bytes& bad : {Bytes(32, 0), Raw(kOrder), Bytes(32, 0xff)}) {
    EXPECT_FALSE(key.verify_key().Verify(message, Concat({bad, good.view().subspan(32)})));
    EXPECT_FALSE(key.verify_key().Verify(message, Concat({good.view().first(32), bad})));
    EXPECT_FALSE(key.verify_key().Verify(message, Concat({bad, bad})));
  }
}

TEST(Ecdsa, HalfTheOrderItselfIsLowAndOneMoreIsHigh) {
  // No signature with these values can be made on purpose; the rule is tested where it is computed.
  std::array<std::uint8_t, 32> out;
  Bytes half(kP256HalfOrder.begin(), kP256HalfOrder.end()), more = half;
  ++more.back();
  EXPECT_EQ(OrderMinus(half), more);
  EXPECT_FALSE(Subtract(kP256HalfOrder, half, out));
  EXPECT_TRUE(Subtract(kP256HalfOrder, more, out));
  EXPECT_FALSE(IsAboveHalf(half));
  EXPECT_TRUE(IsAboveHalf(more));
}

TEST(Ecdsa, OneKeyServesManyThreads) {
  FixedRandom random("threads");
  SignKey key = SignKey::Generate(random);
  std::vector<std::thread> threads;
  std::array<bool, 4> right{};
  for (std::size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      bool all = true;
      for (std::uint8_t i = 0; i < 50; ++i) {
        Bytes message(10, i);
        all &= key.verify_key().Verify(message, key.Sign(message));
      }
      right[t] = all;
    });
  for (auto& thread : threads) thread.join();
  for (bool one : right) EXPECT_TRUE(one);
}

// ---- ECDH, which hpke.cc alone calls ----

// A few cases of Wycheproof's ecdh_secp256r1_ecpoint: ordinary, off the curve, compressed, empty.
const char* const kEcdhCases = R"(
{"testGroups": [
  {"curve": "secp256r1", "tests": [
    {"tcId": 1, "comment": "normal case", "public": "0462d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26ac333a93a9e70a81cd5a95b5bf8d13990eb741c8c38872b4a07d275a014e30cf", "private": "0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346", "shared": "53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285", "result": "valid"},
    {"tcId": 2, "comment": "compressed public key", "public": "0362d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26", "private": "0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346", "shared": "53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285", "result": "acceptable"},
    {"tcId": 3, "comment": "shared secret has x-coordinate that satisfies x...", "public": "0458fd4168a87795603e2b04390285bdca6e57de6027fe211dd9d25e2212d29e62080d36bd224d7405509295eed02a17150e03b314f96da37445b0d1d29377d12c", "private": "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a", "shared": "0000000000000000000000000000000000000000000000000000000000000000", "result": "valid"},
    {"tcId": 4, "comment": "shared secret has x-coordinate p-3", "public": "04a1ecc24bf0d0053d23f5fd80ddf1735a1925039dc1176c581a7e795163c8b9ba2cb5a4e4d5109f4527575e3137b83d79a9bcb3faeff90d2aca2bed71bb523e7e", "private": "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a", "shared": "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc", "result": "valid"},
    {"tcId": 111, "comment": "edge case for computation of x with projective ...", "public": "04851eb1b8699d1cc01c6b6048139797dab3981c924f9ef81bd1f464c3182c870901285b2ae7cbcabfd5bccb9441eb3376b491595f60a1ec21dbe9f972bc32abbe", "private": "00e461c5b5e63d75b4c8c123bf8b9cd45e712af08f7e2e494a8f255ac9d80e058b", "shared": "6d03fef6b354840f4642fba1c8fce9f7d1cda8ae27b6ca01510fb44573fdaffb", "result": "valid"},
    {"tcId": 315, "comment": "edge case private key", "public": "0431028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f116744743a1930189363bbde2ac4cbd1649cdc6f451add71dd2f16a8a867f2b17caa16b", "private": "03", "shared": "85a0b58519b28e70a694ec5198f72c4bfdabaa30a70f7143b5b1cd7536f716ca", "result": "valid"},
    {"tcId": 332, "comment": "point is not on curve", "public": "0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", "private": "7e4aa54f714bf01df85c50269bea3a86721f84afe74f7b41ea58abcf3474e88d", "shared": "", "result": "invalid"},
    {"tcId": 340, "comment": "point is not on curve", "public": "04ffffffff00000001000000000000000000000000fffffffffffffffffffffffe0000000000000000000000000000000000000000000000000000000000000000", "private": "7e4aa54f714bf01df85c50269bea3a86721f84afe74f7b41ea58abcf3474e88d", "shared": "", "result": "invalid"},
    {"tcId": 348, "public": "", "private": "7e4aa54f714bf01df85c50269bea3a86721f84afe74f7b41ea58abcf3474e88d", "shared": "", "result": "invalid"},
    {"tcId": 350, "comment": "public key is a low order point on twist", "public": "03efdde3b32872a9effcf3b94cbf73aa7b39f9683ece9121b9852167f4e3da609b", "private": "00d27edf0ff5b6b6b465753e7158370332c153b468a1be087ad0f490bdb99e5f02", "shared": "", "result": "invalid"}]}
]})";

// Private keys stand there as DER integers: shorter than 32 bytes or with a zero in front.
Bytes Scalar32(Bytes value) {
  while (value.size() > 32 && value[0] == 0) value.erase(value.begin());
  while (value.size() < 32) value.insert(value.begin(), 0);
  return value;
}

TEST(Ecdh, AgreesWithWycheproofAndRefusesCompressedPoints) {
  auto check = [](const json&, const json& one) {
    SCOPED_TRACE(test::CaseName(one));
    auto peer = KemPublicKey::FromPoint(Hex(one.at("public")));
    ASSERT_EQ(peer.has_value(), test::IsValid(one));  // the one "acceptable" case is a compressed point
    if (!peer) return;
    auto own = KemPrivateKey::FromScalar(Scalar32(Hex(one.at("private"))));
    ASSERT_TRUE(own);
    EXPECT_EQ(ToHex(Ecdh(own->evp(), peer->evp()).view()), one.at("shared").get<std::string>());
  };
  EXPECT_GT(test::ForEachCase(json::parse(kEcdhCases), check), 0u);
  if (auto full = test::FullWycheproof("ecdh_secp256r1_ecpoint_test.json")) {
    EXPECT_EQ(test::ForEachCase(*full, check), 355u);
  }
}

}  // namespace
}  // namespace valija::crypto
