// tlog-proof files: the published ones, their strict form, and every step of their verification.
#include "core/log/tlog_proof.h"

#include <gtest/gtest.h>

#include "tests/core/log/witnessed.h"
#include "tests/support/vectors.h"

namespace valija::log::test {
namespace {

using valija::test::FullSet;
using valija::test::ReadWhole;

std::string PublishedPolicy() {
  return std::string("log ") + kPublishedLog + "\nwitness one " + kWitness1 + "\nwitness two " + kWitness2 +
         "\ngroup both all one two\nquorum both\n";
}

// That of entry 3, which is empty.
std::string PublishedProof() {
  return "c2sp.org/tlog-proof@v1\nindex 3\n"
         "fuxiSB0ChTdZnfNa/y4VPKhKcH8FUcF59ibXZ6ykg3k=\n+n/rC6HjM8VAYAW8RkLHJ8EQxkzDba7KSgFFJgklFOw=\n"
         "FvGWADT47BkP+9uJnr9+QSWrPDtnBzCh6O1k1cjwdMU=\nRo4BzN7fsY84H5opeouWLb3cAHLSuo1WQAmTiltRdOI=\n"
         "88L1ILJGuMQAZfawwDqn3GxuoZtxqXpkNjeUrNORVsM=\nX4RlguKy3c/qPupq/2jmCqde6peDYDdaSsdrhW4u3tA=\n"
         "5eggd98XgI01zGSJOqZHIYRHicOeAS9UuuR7r4l4dEc=\nfqfAJePiA9QZWmOOKU0fYI4oFF38BSPScLsGHauvW/Q=\n"
         "fNiCcy8HUBq9O/24ctKSGCg2bWeQFvPdR3WVK/+DkTU=\n2o8pDfZzKMduDHCSnyyMA7ZvfYNArsgG660XdEw7CUg=\n\n" +
         PublishedNote();
}

// A log of eight leaves, and the proof of one of them.
struct SmallLog {
  std::vector<Hash> leaves;
  Checkpoint checkpoint;
  SmallLog() {
    for (int i = 0; i < 8; ++i) leaves.push_back(LeafHash(AsBytes("entry " + std::to_string(i))));
    checkpoint = {"log.example", 8, RootOf(leaves)};
  }
  TlogProof Proof(std::size_t index, const std::vector<std::string>& witnesses) const {
    return {std::nullopt, index, PathOf(leaves, index), CosignedNote(checkpoint, witnesses)};
  }
};

WitnessPolicy OneOfTwo() {
  return *WitnessPolicy::Parse("log " + LogNamed("log.example").Text() + "\nwitness a " + CosignerNamed("a").Text() +
                               "\nwitness b " + CosignerNamed("b").Text() + "\ngroup g any a b\nquorum g\n");
}

TEST(TlogProof, ThePublishedOneOfEntryThreeHolds) {
  auto proof = TlogProof::Parse(PublishedProof());
  ASSERT_TRUE(proof) << proof.error().Message();
  EXPECT_EQ(proof->Text(), PublishedProof());
  auto witnessed = VerifyTlogProof(*proof, LeafHash({}), *WitnessPolicy::Parse(PublishedPolicy()));
  ASSERT_TRUE(witnessed) << witnessed.error().Message();
  EXPECT_EQ(witnessed->cosigned,
            (std::map<std::string, std::uint64_t>{{"one", kPublishedTime}, {"two", kPublishedTime}}));
}

TEST(TlogProof, ThePublishedOnesAreReadWrittenAndHold) {
  auto folder = FullSet("tlog/generated/log/proofs");
  if (!folder) GTEST_SKIP();
  auto policy = WitnessPolicy::Parse(PublishedPolicy());
  ASSERT_TRUE(policy) << policy.error().Message();
  for (int index : {0, 3, 7, 255, 256, 511, 512, 699}) {
    const auto text = ReadWhole(*folder / (std::to_string(index) + ".tlog-proof"));
    auto proof = TlogProof::Parse(text);
    ASSERT_TRUE(proof) << proof.error().Message();
    EXPECT_EQ(proof->Text(), text);
    EXPECT_EQ(proof->index, static_cast<std::uint64_t>(index));
    EXPECT_EQ(proof->extra.has_value(), index == 7);
    EXPECT_EQ(ToString(proof->extra.value_or(Bytes())), index == 7 ? "context" : "");
    const Hash leaf = LeafHash(AsBytes(ReadWhole(*folder / (std::to_string(index) + ".leaf"))));
    auto witnessed = VerifyTlogProof(*proof, leaf, *policy);
    ASSERT_TRUE(witnessed) << witnessed.error().Message();
    EXPECT_EQ(witnessed->checkpoint.size, 700u);
    EXPECT_EQ(witnessed->cosigned.at("two"), kPublishedTime);
    EXPECT_EQ(ReasonOf(VerifyTlogProof(*proof, NodeHash(leaf, leaf), *policy)), Reason::kBadProof);
  }
}

TEST(TlogProof, HoldsForEveryEntryAndForNoOther) {
  SmallLog log;
  auto policy = OneOfTwo();
  for (std::size_t i = 0; i < 8; ++i) {
    auto proof = TlogProof::Parse(log.Proof(i, {"a"}).Text());
    ASSERT_TRUE(proof);
    for (std::size_t leaf = 0; leaf < 8; ++leaf) {
      EXPECT_EQ(VerifyTlogProof(*proof, log.leaves[leaf], policy).has_value(), leaf == i);
    }
    auto moved = *proof;
    moved.index = (i + 1) % 8;
    EXPECT_EQ(ReasonOf(VerifyTlogProof(moved, log.leaves[i], policy)), Reason::kBadProof);
    moved.index = 8;
    EXPECT_EQ(ReasonOf(VerifyTlogProof(moved, log.leaves[i], policy)), Reason::kBadProof);
    auto shorter = *proof;
    shorter.path.pop_back();
    EXPECT_EQ(ReasonOf(VerifyTlogProof(shorter, log.leaves[i], policy)), Reason::kBadProof);
    auto longer = *proof;
    longer.path.push_back(log.leaves[0]);
    EXPECT_EQ(ReasonOf(VerifyTlogProof(longer, log.leaves[i], policy)), Reason::kBadProof);
  }
}

TEST(TlogProof, TheOnlyEntryHasAnEmptyPath) {
  const Hash leaf = LeafHash(AsBytes("x"));
  TlogProof proof{std::nullopt, 0, {}, CosignedNote({"log.example", 1, leaf}, {"b"})};
  EXPECT_EQ(proof.Text().substr(0, 32), "c2sp.org/tlog-proof@v1\nindex 0\n\n");
  auto again = TlogProof::Parse(proof.Text());
  ASSERT_TRUE(again);
  EXPECT_TRUE(VerifyTlogProof(*again, leaf, OneOfTwo()));
}

TEST(TlogProof, NeedsTheQuorumTheLogAndEveryLineToHold) {
  SmallLog log;
  auto policy = OneOfTwo();
  const auto& leaf = log.leaves[5];
  auto alone = VerifyTlogProof(log.Proof(5, {"stranger"}), leaf, policy);
  EXPECT_EQ(ReasonOf(alone), Reason::kBadProof);
  EXPECT_EQ(DetailOf(alone), "too few cosigned; missing g: 1 of a, b");
  auto forged = log.Proof(5, {"a"});
  forged.checkpoint += NoteSignature{"b", CosignerNamed("b").key_id, Bytes(72, 1)}.Line();
  EXPECT_EQ(ReasonOf(VerifyTlogProof(forged, leaf, policy)), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(VerifyTlogProof(log.Proof(5, {"a"}), leaf, policy, std::vector{LogNamed("other.example")})),
            Reason::kBadCheckpoint);
  EXPECT_TRUE(VerifyTlogProof(log.Proof(5, {"a"}), leaf, policy, std::vector{LogNamed("log.example")}));
}

TEST(TlogProof, ExtraDataIsCarriedAndIsUnderNoSignature) {
  SmallLog log;
  auto proof = log.Proof(2, {"a"});
  for (std::size_t size : {std::size_t{1}, std::size_t{32}, TlogProof::kMaxExtra}) {
    proof.extra = Bytes(size, 0xa5);
    auto again = TlogProof::Parse(proof.Text());
    ASSERT_TRUE(again) << size;
    EXPECT_EQ(again->extra, proof.extra);
    EXPECT_TRUE(VerifyTlogProof(*again, log.leaves[2], OneOfTwo()));
  }
}

TEST(TlogProof, RefusesEveryOtherForm) {
  SmallLog log;
  auto made = log.Proof(5, {"a"});
  made.extra = Bytes(3, 1);
  const auto good = made.Text();
  ASSERT_TRUE(TlogProof::Parse(good));
  auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::string hash = ToBase64(made.path[0]) + "\n";
  for (const auto& [what, text] : std::vector<std::pair<std::string, std::string>>{
           {"nothing", ""},
           {"another version", with("@v1", "@v2")},
           {"a space", with("@v1\n", "@v1 \n")},
           {"line ends of Windows", with("@v1\n", "@v1\r\n")},
           {"a first empty line", "\n" + good},
           {"no index", with("index 5\n", "")},
           {"an index with a zero", with("index 5", "index 05")},
           {"a sign", with("index 5", "index +5")},
           {"no number", with("index 5", "index ")},
           {"a long space", with("index 5", "index  5")},
           {"hexadecimal", with("index 5", "index 0x5")},
           {"an index of 2^63-1", with("index 5", "index 9223372036854775807")},
           {"an index of 2^64", with("index 5", "index 18446744073709551616")},
           {"extra data twice", with("extra AQEB\n", "extra AQEB\nextra AQEB\n")},
           {"extra data after the index", with("extra AQEB\nindex 5\n", "index 5\nextra AQEB\n")},
           {"empty extra data", with("extra AQEB", "extra ")},
           {"extra data that is not base64", with("extra AQEB", "extra AQE")},
           {"the word alone", with("extra AQEB", "extra")},
           {"a short hash", with(hash, hash.substr(4))},
           {"a long hash", with(hash, "AAAA" + hash)},
           {"a hash that is none", with(hash, "hash\n")},
           {"no empty line", with("\n\nlog.example", "\nlog.example")},
           {"two empty lines", with("\n\nlog.example", "\n\n\nlog.example")},
           {"no checkpoint", good.substr(0, good.find("\n\n") + 2)},
           {"no signature", good.substr(0, good.find("\u2014"))},
           {"more after it", good + "more\n"},
           {"a note that is no checkpoint",
            good.substr(0, good.find("\n\n") + 2) + SignNote("text\n", "log.example", KeyNamed("log.example"))}}) {
    EXPECT_EQ(ReasonOf(TlogProof::Parse(text)), Reason::kMalformed) << what;
  }
  // Cut anywhere, it is no proof but at the end of a signature line.
  for (std::size_t size = 0; size < good.size(); ++size) {
    auto cut = TlogProof::Parse(std::string_view(good).substr(0, size));
    EXPECT_TRUE(!cut || good.substr(size).starts_with("\u2014 ")) << size;
  }
}

TEST(TlogProof, HasLimits) {
  SmallLog log;
  auto proof = log.Proof(1, {"a"});
  proof.path = std::vector<Hash>(63);
  EXPECT_TRUE(TlogProof::Parse(proof.Text()));
  proof.path.emplace_back();
  EXPECT_THROW(proof.Text(), std::invalid_argument);
  proof.path.clear();
  proof.extra = Bytes(TlogProof::kMaxExtra + 1);
  EXPECT_THROW(proof.Text(), std::invalid_argument);
  proof.extra = Bytes();
  EXPECT_THROW(proof.Text(), std::invalid_argument);
  proof.extra.reset();
  proof.checkpoint = "no note";
  EXPECT_THROW(proof.Text(), std::invalid_argument);
}

}  // namespace
}  // namespace valija::log::test
