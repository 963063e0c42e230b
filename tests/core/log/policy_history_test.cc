// The policies that a log has had: each checkpoint is judged by that of its own size, and by no other.
#include "core/log/policy_history.h"

#include <gtest/gtest.h>

#include "core/log/tlog_proof.h"
#include "tests/core/log/witnessed.h"

namespace valija::log::test {
namespace {

constexpr const char* kOrigin = "log.example";

// With the log's key `log`, whatever its name, and these witnesses, who must all cosign.
WitnessPolicy Of(const std::string& log, const std::vector<std::string>& witnesses) {
  const auto key = NoteVerifier::Make(kOrigin, KeyNamed(log).verify_key()).value();
  std::string text = "log " + key.Text() + "\n", names;
  for (const auto& name : witnesses) {
    text += "witness " + name + " " + CosignerNamed(name).Text() + "\n";
    names += " " + name;
  }
  text += witnesses.empty() ? "quorum none\n" : "group all all" + names + "\nquorum all\n";
  return WitnessPolicy::Parse(text).value();
}

std::string Note(std::uint64_t size, const std::string& log, const std::vector<std::string>& witnesses) {
  const Checkpoint checkpoint{kOrigin, size, LeafHash(AsBytes(std::to_string(size)))};
  auto note = SignedCheckpoint::Sign(checkpoint, KeyNamed(log)).note();
  for (const auto& name : witnesses) note += Cosign(checkpoint.Body(), name, KeyNamed(name), kPublishedTime);
  return note;
}

// Up to 5 entries without witnesses, up to 20 with two, and since then with another key and another witness.
PolicyHistory Three() {
  return PolicyHistory(Of("new", {"mx2", "us"}), {{20, Of("old", {"mx", "us"})}, {5, Of("old", {})}});
}

TEST(PolicyHistory, ACheckpointIsJudgedByThePolicyOfItsSize) {
  const auto policies = Three();
  EXPECT_TRUE(policies.Verify(Note(5, "old", {})));
  EXPECT_EQ(ReasonOf(policies.Verify(Note(6, "old", {}))), Reason::kBadProof);
  EXPECT_TRUE(policies.Verify(Note(6, "old", {"mx", "us"})));
  EXPECT_TRUE(policies.Verify(Note(20, "old", {"mx", "us"})));
  EXPECT_TRUE(policies.Verify(Note(21, "new", {"mx2", "us"})));
  EXPECT_EQ(policies.Verify(Note(7, "old", {"mx", "us"}))->cosigned.size(), 2u);
}

TEST(PolicyHistory, AFormerKeySaysNothingOfALaterTimeNorANewOneOfAFormer) {
  const auto policies = Three();
  EXPECT_EQ(ReasonOf(policies.Verify(Note(21, "old", {"mx2", "us"}))), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(policies.Verify(Note(21, "new", {"mx", "us"}))), Reason::kBadProof);
  EXPECT_EQ(ReasonOf(policies.Verify(Note(20, "new", {"mx", "us"}))), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(policies.Verify(Note(20, "old", {"mx2", "us"}))), Reason::kBadProof);
  EXPECT_EQ(ReasonOf(policies.Verify("no note")), Reason::kBadCheckpoint);
}

TEST(PolicyHistory, IsReadAsItIsWrittenAndByOthersAsThePolicyInForce) {
  const auto text = Three().Text();
  auto again = PolicyHistory::Parse(text);
  ASSERT_TRUE(again) << again.error().Message();
  EXPECT_EQ(again->Text(), text);
  ASSERT_EQ(again->former().size(), 2u);
  EXPECT_EQ(again->former()[1].until, 5u);
  auto plain = WitnessPolicy::Parse(text);
  ASSERT_TRUE(plain) << plain.error().Message();
  EXPECT_EQ(plain->Text(), Three().now().Text());
  auto alone = PolicyHistory::Parse(Three().now().Text());
  ASSERT_TRUE(alone);
  EXPECT_TRUE(alone->former().empty());
  EXPECT_TRUE(PolicyHistory::Parse("# from somebody\n\n" + text + "# the end\n\n"));
}

TEST(PolicyHistory, RefusesEveryOtherForm) {
  const auto good = Three().Text();
  auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const auto& [what, text] : std::vector<std::pair<std::string, std::string>>{
           {"nothing in force", good.substr(good.find("#:"))},
           {"no size", with("until 20", "until ")},
           {"a size with a zero", with("until 20", "until 020")},
           {"size 0", with("until 5", "until 0")},
           {"a size of 2^63", with("until 20", "until 9223372036854775808")},
           {"another order", with("until 5", "until 21")},
           {"the same size twice", with("until 5", "until 20")},
           {"a former policy without its size", with("#: until 20\n", "")},
           {"a former policy without a quorum", with("#: quorum all\n", "")},
           {"no space", with("#: until 20", "#:until 20")},
           {"something in force behind the former ones", good + "quorum all\n"},
           {"a line without its end", good.substr(0, good.size() - 1)},
       })
    EXPECT_EQ(ReasonOf(PolicyHistory::Parse(text)), Reason::kBadPolicy) << what;
}

TEST(PolicyHistory, AProofHoldsByThePolicyOfItsCheckpoint) {
  const Hash leaf = LeafHash(AsBytes("21"));
  const TlogProof proof{std::nullopt, 0, {}, SignedCheckpoint::Sign({kOrigin, 1, leaf}, KeyNamed("old")).note()};
  EXPECT_TRUE(VerifyTlogProof(proof, leaf, Three()));
  EXPECT_EQ(ReasonOf(VerifyTlogProof(proof, LeafHash({}), Three())), Reason::kBadProof);
  EXPECT_FALSE(VerifyTlogProof(proof, leaf, Three().now()));
}

}  // namespace
}  // namespace valija::log::test
