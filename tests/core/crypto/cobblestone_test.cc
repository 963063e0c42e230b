#include "core/crypto/cobblestone.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <random>

#include "core/crypto/hash.h"
#include "core/crypto/random.h"
#include "tests/support/vectors.h"

namespace valija::crypto {
namespace {

using test::FixedHex;
using test::Hex;

// ---- Wycheproof: c2sp_chunked_encryption_aes_256_gcm_test.json, version 5203de0d of filippo.io/cobblestone ----

struct Vector {
  int id = 0;
  bool valid = false;
  std::string key, context, zlib_ciphertext;  // hex
  // Of the message; of an invalid vector, of the longest prefix that a streaming opener may give.
  std::size_t length = 0;
  std::string sha512;  // hex; empty where length is 0 and nothing is said
};

// Enough of the set for a checkout without ../shared/vectors.
const Vector kCompact[] = {
    {1, true, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78da004800b7ff43a2e39431cbae0389d3fc86adf46f7c3a24de88d9311617e53f3164cc1d5dc738a66b97f0bf786565c317"
     "99c2f463d50a7e10046011dc6fc3c939e3a5db7affb6191551669554fb010000ffff4bc124df",
     0,
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b9"
     "31bd47417a81a538327af927da3e"},
    {2, true, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78da004f00b0ffa1a1b56f6db58cd1ede0c5c9db62aef20d3f96a6c594bb9252bb38122de91236502b42a1d7fcab820ffa29"
     "2940d2f86add212cfa42c38df19d3cc9139ee61a5990d3db57433514229beea49a8a72bd010000ffffdb4f2a44",
     7,
     "e85f32a85f1d4f7c9b2d36d20eca8435d81253e7075e9dea069eb1b6da48daf92ef1797367b520d8a46c4f72cecb85b1daff"
     "8887fcb41721d39943d1952fc180"},
    {4, true, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecd0bf2b05010000e057b7d8defc5296b788cda88ce495e10d4a51865726b2d09592e1ba18c8c5250bc748dde094410c"
     "caea57ec2283888c57a6f767dcf27d7fc277bed777fc96e565eb3b5d1b7e1e8c5e6677ff3b0737ad93c7e946efd15d732359"
     "df1f5f196a4ffc66a7f5ab9db9783e9d7c2a1a5b35000000000000000000000000000000a0726998070f97f7edbf7acff2f6"
     "d8f58711000000000000000000000000000000a8dee7ebe6ed623093f49f45f1577938b2f053d49a03e1d4fb45dc590d9646"
     "bb010000ffff046e3552",
     32768,
     "ccf53be90b5c9bc1aad1fb9b37e86fd60ca86a41401051e636c41e8ddc61b574d6767d16f035f18391c21ff24d1fa5171c5a"
     "537685e7197532884845bf7e990b"},
    {6, true, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecc0ad4a0301000060c560f019c49faca0ed821ea2588c62100541cc2746413841835a7c018b20076a325dd4032d8eb5"
     "856361db2d6d6c8b2b838ded3156beeff3fce3e4eb20e9fcf5aaedb07ffb589b1f657190fee7f16f763d3bdcf9ce8aabe5d7"
     "4a145e5e1cdd6fad6c2c1ebead8d8b87c60c00000000000000000000000000000030759bfb7bc7ade6dcfa69ba5abf7bff79"
     "d92e3d07e585a7ddbcbb743648a29b49000000ffff4eef2f3b",
     16384,
     "d787e0bf39e0d2e9a707b94bc77329f665286160744507f0fac9608e33a98994b6d9dd4a43a6326287d32b2e15d76e0de6a8"
     "818689698bee2ca419bf9bbedc02"},
    {10, true, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "7465737400636f6e74657874",
     "78da004f00b0ff12ede102c3ef730da4f3d4dbfaf11003683238315befe73b21ebb2246ac19f3a7d50abd2a5a365f7652bda"
     "670814dbc883ce618256d2d513bd238c2c0dded7614d52bef77bc04273656df97a294323010000ffff7d862843",
     7,
     "e85f32a85f1d4f7c9b2d36d20eca8435d81253e7075e9dea069eb1b6da48daf92ef1797367b520d8a46c4f72cecb85b1daff"
     "8887fcb41721d39943d1952fc180"},
    {12, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecc0ad4ac4000000e09521d80c0605a351667218c422fee03308168b0856930ac2cc62108cda0493c19fe10f82a0ac0c"
     "847b80838383712c8c0dee388e7b8c2bdf7710c79fe5f1722f3f8be66f66ba2f69fd1f1e2eadbc3f2c14d5f7f34e180d374e"
     "a65afde47e77f6faf7e8ef6b6d2f9bdb4f1f3f0200000000000000000000000000000060e29eb68b41524e6fb59be6f2f462"
     "b50e9acee86eb3baca7fd6b3f3dbd7c5b771000000ffff405c31c6",
     16384,
     "e270350dd616dd76526056708020a47feb6e70de3dcb615b5e51c5388f428b00f9993f54d3b11bef9e911492de688a6b1cc0"
     "ce6cddbb0c9f2d6a2010ec622f16"},
    {13, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecd03f2b05010000f057cfa6f44c647bbadeeb2d46afa4fc2b259b229314dda49405d3ada84b9d5dbe833fb9c19f5516"
     "830e9b4224e96e51b7f918b7fc7e1fe177f0d84e6ea7663f0e778edec29ffe9b66393a3eb1de93a59f61233b5bbb6ca52ff1"
     "5fbb361c9ddcd7df3783ed81ce5c305d74821a00000000000000000000000000000050b97cbf6fe561a9f7777137efae5ecf"
     "5f1901000000000000000000000000000080eabd3e7fedc54f17438dd656d98d364ec72607ebc9f7f2f1dd4c73a148cf47fe"
     "030000ffff92b93237",
     16384,
     "6c9d8f13e180781f91ae5c36a873c70bdeb10002f24931f849f2576f28e112198a4797f729aaced8d7854760ef5f11ca0d4b"
     "b7ecf076d7d395edfccd7ebee0de"},
    {18, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecc0b12b4471000060bc0c86b7db142b13592d06457a0393986c945e49d9a4c46020834ca6b728e58d6f10c5abb798c4"
     "c0205ddd72755dfd5e5737ddfd19b77cdf751ec79d85a9b37a66fcf839dbbf99587d3a984fd64e8bc6df58952775b377f8b2"
     "d25abeba7f0dd1cfdd7bb27371723e375a3d8c0000000000000000000000000000000043d70f59372d8ff642f4fdff99defe"
     "7eec161b5f6f979b938f5bd3e5ecfae2523b6c0f020000ffffe358318d",
     16384,
     "12881b761101772d290fb1357458c04d886fb48824ea5ad0f5db07cdf787cfabfd0f464fc6c38abc212d696378ec7843ad36"
     "83e17d3bcbc2fae842daf2e46004"},
    {21, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78da004900b6ffa7bf214ab87afe86ae30940aba6d25aa92d1c26a7c4de03ece1f5f63bd31ca5d9517ce97effb9ce62c4f01"
     "433335d070ca3de6243f4cb67a00a4deb622c6b80140d1c88f54ade32fdc010000ffff59a52514",
     0, ""},
    {23, false, "4f52414e4745205355424d4152494e45204f52414e4745205355424d415249", "",
     "78da004900b6ff6ef808c1cd9f44167ca6def93900220263151ac63993ec688bd665a34ce4ef6ddcdef700c0a0d03f2cf4e9"
     "a9223e5beb44cf2b8648a517d800395459ad30bf0be4ebdf76177cab6b63010000ffff4e6c248e",
     0, ""},
    {24, false, "4f52414e4745205355424d4152494e45204f52414e4745205355424d4152494e45", "",
     "78da004900b6ffa8216cfec9382688e31855498b1926ee6d34fa36b0923ab847f28096ca9cb85541317e5996a82aa8eb0aac"
     "8cdfdce37dbb44e2000c169b4a003a3e67f79899f915d167b39ea1d8cd1d010000ffff29f52485",
     0, ""},
    {29, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daba5fd8e42bfa7eee2a73b7044f1311beda6b4b2fb2b9e6f21f945dd469be9d83bdfd56d5ecc74dcbee6601020000ffff"
     "65f21245",
     0, ""},
    {31, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecc0a17281010000e0ed05f6005bd8edb6b6b2956db7b2b6853581843b89eaee0fff398993088222f93d8042f0272fa0"
     "090402f5578838e73194efdb546ebb0fe7f1f772300c82bfb7ed7ba691faa9dd3ff6abedf818164abf51b957ff9f4df7f364"
     "158f16e9fccbd35df6949bdc0000000000000000000000000000000057f7997c1cc2d7a8b34e76cf5fc556f3120000ffffbc"
     "aa2611",
     16384,
     "41195cce0a2b8de596e8126784198485d93d5654b2b2dc0921a9600309c442463d884502ac3695246feee290960bea4ef7b2"
     "93b3ab2aab00944680e65e45c5b8"},
    {34, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecdcb12a45710080f1534a741ec0a04efe3c00990c1225ca7a504a2906ab4506965327ca2486a37446456723d90d32a0"
     "cc6770e77bbbe3ad5b77b90f701fe02cbfdf237c0ff01dbe26559c3d577b5f9fe36ffb633383a993cdb5ed89bc9d5fc5e7df"
     "8b2fa1683d4e86cbdbf9bb9b8f68753ded1e87d9d02b3722000000000000000000000000000000a0710b3fe5fbce569adc4f"
     "ef1e9cce5d3c2902000000000000000000000000000000cd1bf901d4d7ff47cbfd87ecf7af385baa3b2bc3000000ffffe498"
     "2ed9",
     16384,
     "e2c934239538119f2e2f0828611778c115cfcebd2332d5c35c6f06641885f26c554985f653b76fcc99654c5ab225f63bf9af"
     "aec923dc32342f844908591f8511"},
    {35, false, "59454c4c4f57205355424d4152494e452059454c4c4f57205355424d4152494e", "",
     "78daecc0b14a02010080e10b228a1b8a86a3a0a1a5836a6aaa088a16c1d11344ee0144e516dd1474921b4451dc0e0e074f47"
     "c15b1c047510444407e11427411741bd07d0451fc3e5ff7ce65feeedcb5f09ba4fb7f6cffda3e7a56eadf4853ccf8c5b69b9"
     "faf11d9abd679f3b37e2fe6a197525eb226cc636ca3a2f000000000000000000000000000000000000000000000080b3536d"
     "edb84b4da46bdd68174b8991508b0c7b4eb76c4cbdc9bb57ed212e0cd4df8373d914b7fd8652f8fc0f9c020000ffffa0f732"
     "8c",
     16384,
     "01e521a53fd4905219ac08b197b8bef1c0fb80e9537fea57536bc5c8c7fc0f898e329071a7e8e24290baca975dadd1c8d2ca"
     "46dbe1a2250b77cba659c6faec71"},
};

Bytes Inflate(ByteView compressed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::runtime_error("zlib");
  Bytes in = ToBytes(compressed), out;
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  int state = Z_OK;
  while (state == Z_OK) {
    Bytes piece(1 << 16);
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    Append(out, ByteView(piece).first(piece.size() - stream.avail_out));
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END) throw std::runtime_error("the vector does not decompress");
  return out;
}

std::string Sha512Hex(ByteView data) {
  Bytes out(64);
  if (EVP_Q_digest(nullptr, "SHA512", nullptr, data.data(), data.size(), out.data(), nullptr) != 1)
    throw std::runtime_error("SHA-512");
  return ToHex(out);
}

// Sizes of the pieces that a stream arrives in.
using Split = std::function<std::size_t()>;
Split Always(std::size_t size) {
  return [size] { return size; };
}
Split Anything(unsigned seed) {
  return [random = std::mt19937(seed)]() mutable {
    const unsigned kind = random() % 8;
    if (kind == 0) return std::size_t{0};
    if (kind == 1) return std::size_t{random() % 64};
    if (kind == 2) return kCobblestoneSealedChunk;
    if (kind == 3) return std::size_t{kCobblestoneHeaderSize};
    return std::size_t{random() % 70000};
  };
}

struct Opened {
  bool done = false;
  Bytes plain;
};
Opened OpenAll(ByteView key, ByteView context, ByteView sealed, Split split) {
  CobblestoneOpener opener(key, context);
  Opened out;
  Bytes more;
  bool refused = false;
  while (!sealed.empty() && !refused) {
    const std::size_t size = std::min(split(), sealed.size());
    refused = !opener.Update(sealed.first(size), more).has_value();
    sealed = sealed.subspan(size);
    Append(out.plain, more);
    more.clear();
  }
  auto status = opener.Finish(more);
  Append(out.plain, more);
  more.clear();
  out.done = !refused && status.has_value();
  if (refused) {
    EXPECT_FALSE(status.has_value()) << "Finish after a refusal";
  }
  // The end, good or bad, is the end.
  Bytes after;
  EXPECT_FALSE(opener.Update({}, after).has_value());
  EXPECT_FALSE(opener.Update(Bytes(100'000), after).has_value());
  EXPECT_FALSE(opener.Finish(after).has_value());
  EXPECT_TRUE(after.empty());
  return out;
}

Bytes SealAll(ByteView key, ByteView context, const CobblestoneSalt& salt, ByteView plain, Split split) {
  CobblestoneSealer sealer(key, context, salt);
  Bytes out;
  while (!plain.empty()) {
    const std::size_t size = std::min(split(), plain.size());
    sealer.Update(plain.first(size), out);
    plain = plain.subspan(size);
  }
  sealer.Finish(out);
  return out;
}

void CheckVector(const Vector& vector, int splits) {
  SCOPED_TRACE("tcId " + std::to_string(vector.id));
  const Bytes key = *FromHex(vector.key), context = *FromHex(vector.context);
  const Bytes sealed = Inflate(*FromHex(vector.zlib_ciphertext));
  for (int i = 0; i < splits; ++i) {
    const Split split = i == 0 ? Always(sealed.size() + 1) : Anything(static_cast<unsigned>(vector.id * 100 + i));
    const auto opened = OpenAll(key, context, sealed, split);
    EXPECT_EQ(opened.done, vector.valid);
    // Of an invalid vector nothing beyond the valid prefix; ours gives all of that prefix.
    ASSERT_EQ(opened.plain.size(), vector.length);
    if (!vector.sha512.empty()) {
      EXPECT_EQ(Sha512Hex(opened.plain), vector.sha512);
    }
    if (vector.valid) {
      const auto salt = *CobblestoneSalt::From(ByteView(sealed).first(kCobblestoneSaltSize));
      EXPECT_TRUE(SealAll(key, context, salt, opened.plain, split) == sealed);
      EXPECT_EQ(CobblestoneSealedSize(opened.plain.size()), sealed.size());
    }
  }
}

TEST(Cobblestone, HoldsToTheCompactWycheproofTable) {
  for (const auto& vector : kCompact) CheckVector(vector, 10);
}

TEST(Cobblestone, HoldsToEveryWycheproofVector) {
  auto folder = test::FullSet("wycheproof");
  if (!folder) GTEST_SKIP();
  auto set = test::ReadJson(*folder / "c2sp_chunked_encryption_aes_256_gcm_test.json");
  int seen = 0;
  for (const auto& group : set["testGroups"]) {
    ASSERT_EQ(group["aead"], "AEAD_AES_256_GCM");
    for (const auto& test : group["tests"]) {
      Vector vector{test["tcId"],
                    test["result"] == "valid",
                    test["key"],
                    test["ctx"],
                    test["ct"],
                    test.value("msgLength", 0U),
                    test.value("msgSha512", "")};
      CheckVector(vector, vector.length > 1'000'000 ? 3 : 10);
      if (test.contains("aeadKey")) {
        const Bytes sealed = Inflate(Hex(test["ct"]));
        auto keys = DeriveCobblestone(Hex(test["key"]), Hex(test["ctx"]),
                                      *CobblestoneSalt::From(ByteView(sealed).first(kCobblestoneSaltSize)));
        EXPECT_EQ(ToHex(keys.key.view()), test["aeadKey"]);
        EXPECT_EQ(ToHex(keys.base_nonce.view()), test["baseNonce"]);
      }
      ++seen;
    }
  }
  EXPECT_EQ(seen, set["numberOfTests"]);
}

// ---- Our worked example ----

TEST(Cobblestone, ReproducesEveryBodyOfTheWorkedExample) {
  int portions = 0;
  for (const char* name : {"record-single.json", "record-window.json"}) {
    auto file = test::ReadJson(test::WorkedExample() / name);
    for (const auto& record : file["records"]) {
      for (const auto& portion : record["portions"]) {
        SCOPED_TRACE(std::string(name) + " portion " + portion["portion"].dump());
        const Bytes cek = Hex(portion["cek"]), context = Hex(portion["content_context"]);
        const auto salt = FixedHex<CobblestoneSalt>(portion["cobblestone_salt"]);
        auto keys = DeriveCobblestone(cek, context, salt);
        EXPECT_EQ(ToHex(keys.key.view()), portion["cobblestone_key"]);
        EXPECT_EQ(ToHex(keys.base_nonce.view()), portion["cobblestone_base_nonce"]);
        EXPECT_EQ(keys.commitment.Hex(), portion["cobblestone_commitment"]);

        // The plaintext as README.md's streams give it, padded: a mark and zeros.
        Bytes padded;
        const Bytes seed = Hex(portion["plaintext_seed"]);
        const auto length = portion["plaintext_length"].get<std::size_t>();
        for (std::uint32_t i = 0; padded.size() < length; ++i) {
          Bytes block = seed;
          AppendU32(block, i);
          Append(padded, Sha256(block));
        }
        padded.resize(length);
        padded.push_back(0x80);
        padded.resize(portion["padded_length"].get<std::size_t>());
        ASSERT_EQ(Sha256(padded).Hex(), portion["padded_sha256"]);

        const Bytes body = SealAll(cek, context, salt, padded, Always(100'000));
        EXPECT_EQ(body.size(), portion["body_length"].get<std::size_t>());
        EXPECT_EQ(Sha256(body).Hex(), portion["body_sha256"]);
        const auto opened = OpenAll(cek, context, body, Always(100'000));
        EXPECT_TRUE(opened.done);
        EXPECT_TRUE(opened.plain == padded);
        ++portions;
      }
    }
  }
  EXPECT_GE(portions, 4);
}

// ---- What the vectors do not say ----

class CobblestoneStream : public ::testing::Test {
 protected:
  SystemRandom random_;
  Bytes key_ = ToBytes(random_.MakeSecret(32).view());
  Bytes context_ = ToBytes(random_.MakeSecret(32).view());
  CobblestoneSalt salt_ = random_.Make<CobblestoneSalt>();
  Bytes Plain(std::size_t size) {
    Bytes plain(size);
    random_.Fill(plain);
    return plain;
  }
};

TEST_F(CobblestoneStream, SealsTheSameHoweverTheBytesArrive) {
  const std::size_t chunk = kCobblestoneChunk;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 2 * chunk - 1, 2 * chunk,
                           2 * chunk + 1, 5 * chunk + 77}) {
    SCOPED_TRACE(size);
    const Bytes plain = Plain(size);
    const Bytes whole = SealAll(key_, context_, salt_, plain, Always(size + 1));
    EXPECT_EQ(whole.size(), CobblestoneSealedSize(size));
    for (std::size_t piece : {std::size_t{7}, chunk - 1, chunk, chunk + 1, 2 * chunk + 5})
      EXPECT_TRUE(SealAll(key_, context_, salt_, plain, Always(piece)) == whole) << piece;
    for (unsigned seed = 0; seed < 20; ++seed)
      EXPECT_TRUE(SealAll(key_, context_, salt_, plain, Anything(seed)) == whole) << seed;
    for (std::size_t piece : {std::size_t{1}, chunk + 15, chunk + 16, chunk + 17}) {
      const auto opened = OpenAll(key_, context_, whole, Always(piece));
      EXPECT_TRUE(opened.done && opened.plain == plain) << piece;
    }
  }
}

TEST_F(CobblestoneStream, AppendsAndLeavesWhatStandsInTheOutput) {
  const Bytes plain = Plain(40'000);
  Bytes sealed = {1, 2, 3};
  CobblestoneSealer sealer(key_, context_, salt_);
  sealer.Update(plain, sealed);
  sealer.Finish(sealed);
  EXPECT_TRUE(Equal(ByteView(sealed).first(3), Bytes{1, 2, 3}));
  sealed[3 + kCobblestoneHeaderSize + kCobblestoneSealedChunk] ^= 1;  // the second chunk

  Bytes opened = {9, 8};
  CobblestoneOpener opener(key_, context_);
  auto status = opener.Update(ByteView(sealed).subspan(3), opened);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().reason, Reason::kBadSeal);
  ASSERT_EQ(opened.size(), 2 + kCobblestoneChunk);  // the first chunk held, and no byte of the second is there
  EXPECT_TRUE(Equal(ByteView(opened).first(2), Bytes{9, 8}));
  EXPECT_TRUE(Equal(ByteView(opened).subspan(2), ByteView(plain).first(kCobblestoneChunk)));
}

TEST_F(CobblestoneStream, RefusesEveryTruncation) {
  const Bytes plain = Plain(2 * kCobblestoneChunk + 30);
  const Bytes sealed = SealAll(key_, context_, salt_, plain, Always(plain.size()));
  const std::size_t chunk = kCobblestoneSealedChunk;
  for (std::size_t keep : {std::size_t{0}, std::size_t{1}, std::size_t{24}, std::size_t{55}, std::size_t{56},
                           std::size_t{57}, 56 + 15 + chunk, 56 + chunk - 1, 56 + chunk, 56 + chunk + 16,
                           56 + 2 * chunk, 56 + 2 * chunk + 16, sealed.size() - 1}) {
    const auto opened = OpenAll(key_, context_, ByteView(sealed).first(keep), Always(1000));
    EXPECT_FALSE(opened.done) << keep;
    EXPECT_TRUE(Equal(opened.plain, ByteView(plain).first(opened.plain.size()))) << keep;
  }
}

TEST_F(CobblestoneStream, RefusesAFlippedBitAnywhere) {
  const Bytes sealed = SealAll(key_, context_, salt_, Plain(kCobblestoneChunk + 20), Always(1000));
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    Bytes bad = sealed;
    // Every byte of the header and of the short last chunk, and others by chance.
    const auto n = static_cast<std::size_t>(i);
    const std::size_t at = n < 56 ? n : n < 92 ? sealed.size() - 1 - (n - 56) : random() % sealed.size();
    bad[at] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    EXPECT_FALSE(OpenAll(key_, context_, bad, Always(bad.size())).done) << at;
  }
}

TEST_F(CobblestoneStream, RefusesAnotherKeyOrContextBeforeAnyChunk) {
  const Bytes sealed = SealAll(key_, context_, salt_, Plain(100), Always(1000));
  Bytes other = key_;
  other[0] ^= 1;
  for (auto [key, context] : {std::pair{other, context_}, std::pair{key_, other}, std::pair{key_, Bytes{}}}) {
    CobblestoneOpener opener(key, context);
    Bytes out;
    EXPECT_FALSE(opener.Update(ByteView(sealed).first(kCobblestoneHeaderSize), out).has_value());
  }
}

TEST_F(CobblestoneStream, TakesA32ByteKeyOnly) {
  const Bytes sealed = SealAll(key_, context_, salt_, {}, Always(1));
  for (std::size_t size : {std::size_t{0}, std::size_t{16}, std::size_t{31}, std::size_t{33}}) {
    const Bytes key(size);
    EXPECT_THROW(CobblestoneSealer(key, context_, salt_), std::invalid_argument);
    EXPECT_FALSE(OpenAll(key, context_, sealed, Always(100)).done);
  }
}

TEST_F(CobblestoneStream, ASealerThatHasFinishedSealsNoMore) {
  CobblestoneSealer sealer(key_, context_, salt_);
  Bytes out;
  sealer.Finish(out);
  EXPECT_EQ(out.size(), CobblestoneSealedSize(0));
  EXPECT_THROW(sealer.Update(Bytes(1), out), std::logic_error);
  EXPECT_THROW(sealer.Finish(out), std::logic_error);
}

TEST_F(CobblestoneStream, NeedsNoMoreMemoryForALongBody) {
  const Bytes piece = Plain(256 << 10);
  CobblestoneSealer sealer(key_, context_, salt_);
  CobblestoneOpener opener(key_, context_);
  Bytes sealed, opened;
  std::size_t most = 0, got = 0;
  for (int i = 0; i < 256; ++i) {  // 64 MiB
    sealed.clear();
    opened.clear();
    sealer.Update(piece, sealed);
    ASSERT_TRUE(opener.Update(sealed, opened).has_value());
    got += opened.size();
    most = std::max({most, sealed.capacity(), opened.capacity()});
  }
  sealed.clear();
  opened.clear();
  sealer.Finish(sealed);
  ASSERT_TRUE(opener.Finish(opened).has_value() == false);  // the last chunk has not been given yet
  EXPECT_EQ(got, std::size_t{64} << 20);
  EXPECT_LE(most, 2 * piece.size());
}

TEST(CobblestoneSize, IsThatOfTheSpecification) {
  EXPECT_EQ(CobblestoneSealedSize(0), 56U + 16);
  EXPECT_EQ(CobblestoneSealedSize(16383), 56U + 16383 + 16);
  EXPECT_EQ(CobblestoneSealedSize(16384), 56U + 16384 + 32);
  EXPECT_EQ(CobblestoneSealedSize(std::uint64_t{4} << 30), 56 + (std::uint64_t{4} << 30) + 262145 * 16);
}

}  // namespace
}  // namespace valija::crypto
