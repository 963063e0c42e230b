// Witness policies: their strict form, which sets are a quorum, and who is missing.
#include "core/log/witness_policy.h"

#include <gtest/gtest.h>

#include "tests/core/log/witnessed.h"

namespace valija::log::test {
namespace {

using Missing = WitnessPolicy::Missing;
using Names = WitnessPolicy::Names;

std::string LogLine(const std::string& name) { return "log " + LogNamed(name).Text() + "\n"; }
std::string WitnessLine(const std::string& name) { return "witness " + name + " " + CosignerNamed(name).Text() + "\n"; }
std::string Witnesses(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += WitnessLine(name);
  return out;
}

// Two countries, each with a witness of its own or another.
std::string TwoCountries() {
  return LogLine("log.example") + Witnesses({"mx1", "mx2", "us1", "us2"}) +
         "group mx any mx1 mx2\ngroup us any us1 us2\ngroup both all mx us\nquorum both\n";
}

WitnessPolicy Parsed(const std::string& text) {
  auto policy = WitnessPolicy::Parse(text);
  EXPECT_TRUE(policy) << policy.error().Message() << "\n" << text;
  return *std::move(policy);
}

void ExpectRefused(const std::string& text, const std::string& why) {
  auto policy = WitnessPolicy::Parse(text);
  ASSERT_FALSE(policy) << text;
  EXPECT_EQ(policy.error().reason, Reason::kBadPolicy);
  EXPECT_NE(policy.error().detail.find(why), std::string::npos) << policy.error().detail << "\n" << text;
}

TEST(WitnessPolicy, TwoCountriesAreAQuorumOnlyTogether) {
  auto policy = Parsed(TwoCountries());
  for (unsigned set = 0; set < 16; ++set) {
    Names names;
    for (unsigned i = 0; i < 4; ++i)
      if ((set >> i & 1) != 0) names.insert(policy.witnesses()[i].name);
    const bool mx = (set & 3) != 0, us = (set & 12) != 0;
    EXPECT_EQ(policy.Satisfied(names), mx && us) << set;
    EXPECT_EQ(policy.MissingFrom(names).empty(), mx && us) << set;
  }
  EXPECT_FALSE(policy.Satisfied({"mx", "us", "both"})) << "groups do not cosign";
  EXPECT_FALSE(policy.Satisfied({"mx1", "stranger"}));
}

TEST(WitnessPolicy, KOfNIsThatManyDistinctOnes) {
  auto policy = Parsed(Witnesses({"a", "b", "c"}) + "group g 2 a b c\nquorum g\n");
  EXPECT_FALSE(policy.Satisfied({}));
  EXPECT_FALSE(policy.Satisfied({"a"}));
  EXPECT_TRUE(policy.Satisfied({"a", "c"}));
  EXPECT_TRUE(policy.Satisfied({"a", "b", "c"}));
}

TEST(WitnessPolicy, AQuorumIsAWitnessOrNobodyToo) {
  auto one = Parsed(Witnesses({"a", "b"}) + "quorum b\n");
  EXPECT_TRUE(one.Satisfied({"b"}));
  EXPECT_FALSE(one.Satisfied({"a"}));
  EXPECT_EQ(one.MissingFrom({"a"}), (std::vector<Missing>{{"", 1, {"b"}}}));
  auto none = Parsed("quorum none\n");
  EXPECT_TRUE(none.Satisfied({}));
  EXPECT_TRUE(none.MissingFrom({}).empty());
}

TEST(WitnessPolicy, AGroupInAnotherMayBeTheQuorum) {
  auto policy = Parsed(Witnesses({"a", "b"}) + "group inner any a\ngroup outer all inner b\nquorum inner\n");
  EXPECT_TRUE(policy.Satisfied({"a"}));
  EXPECT_FALSE(policy.Satisfied({"b"}));
}

TEST(WitnessPolicy, SaysWhoIsMissingByGroup) {
  auto policy = Parsed(TwoCountries());
  EXPECT_EQ(policy.MissingFrom({}), (std::vector<Missing>{{"mx", 1, {"mx1", "mx2"}}, {"us", 1, {"us1", "us2"}}}));
  EXPECT_EQ(policy.MissingFrom({"mx2"}), (std::vector<Missing>{{"us", 1, {"us1", "us2"}}}));
  EXPECT_EQ(WitnessPolicy::Say(policy.MissingFrom({})), "mx: 1 of mx1, mx2; us: 1 of us1, us2");
  EXPECT_EQ(WitnessPolicy::Say({{"", 1, {"b"}}}), "b");
  EXPECT_EQ(WitnessPolicy::Say({}), "");

  // Where there is a choice of groups, it is told, and what each of them lacks.
  auto choice = Parsed(Witnesses({"a", "b", "c"}) + "group x all a b\ngroup y any c\ngroup z 1 x y\nquorum z\n");
  EXPECT_EQ(choice.MissingFrom({"a"}), (std::vector<Missing>{{"z", 1, {"x", "y"}}, {"x", 1, {"b"}}, {"y", 1, {"c"}}}));
  EXPECT_TRUE(choice.MissingFrom({"c"}).empty());
  // A group of a group and a witness.
  auto mixed = Parsed(Witnesses({"a", "b", "c"}) + "group x 2 a b\ngroup y all x c\nquorum y\n");
  EXPECT_EQ(mixed.MissingFrom({"b"}), (std::vector<Missing>{{"y", 2, {"x", "c"}}, {"x", 1, {"a"}}}));
}

TEST(WitnessPolicy, ReadsSpacesCommentsAndUrlsAndWritesItsOwnForm) {
  const std::string own = "log " + LogNamed("log.example").Text() + " https://log.example/\n" + "witness a " +
                          CosignerNamed("w.example").Text() + " https://w.example/\n" + Witnesses({"b", "c", "d"}) +
                          "group g 2 a b c\ngroup h any d\ngroup i all g h\nquorum i\n";
  auto policy =
      Parsed("# two of three\n\n \t\n  # and one\n\tlog\t" + LogNamed("log.example").Text() +
             "  https://log.example/ \n" + "witness a " + CosignerNamed("w.example").Text() + " https://w.example/\n" +
             Witnesses({"b", "c", "d"}) + "group g 2 a b c\ngroup h any d\ngroup i 2 g h\nquorum i\n#\n");
  EXPECT_EQ(Parsed(own).Text(), policy.Text());
  EXPECT_EQ(policy.logs()[0].key.name, "log.example");
  EXPECT_EQ(policy.logs()[0].url, "https://log.example/");
  EXPECT_EQ(policy.witnesses()[0].name, "a");
  EXPECT_EQ(policy.witnesses()[0].key.name, "w.example") << "the key's name is its own";
  EXPECT_EQ(policy.witnesses()[0].url, "https://w.example/");
  EXPECT_EQ(policy.groups()[1].threshold, 1u);
  EXPECT_EQ(policy.quorum(), "i");
  EXPECT_EQ(Parsed(TwoCountries()).Text(), TwoCountries());
  EXPECT_EQ(Parsed("quorum none\n").Text(), "quorum none\n");
}

TEST(WitnessPolicy, NamesAreOpaqueBytes) {
  auto policy = Parsed("witness \xff\xfe " + CosignerNamed("a").Text() + "\nwitness \u212a " +
                       CosignerNamed("b").Text() + "\nwitness K " + CosignerNamed("c").Text() + "\nquorum K\n");
  EXPECT_TRUE(policy.Satisfied({"K"}));
  EXPECT_FALSE(policy.Satisfied({"\u212a"})) << "a Kelvin sign is no K";
}

TEST(WitnessPolicy, LinesAfterTheQuorumAreRead) {
  EXPECT_EQ(Parsed("quorum none\n" + WitnessLine("a")).witnesses().size(), 1u);
  ExpectRefused("quorum none\nquorum none\n", "line 2: a second quorum");
}

TEST(WitnessPolicy, RefusesNamesThatAreNotDefinedAboveOrTwice) {
  const auto a = WitnessLine("a"), b = WitnessLine("b");
  ExpectRefused("quorum a\n" + a, "line 1: a is not defined above");
  ExpectRefused("group g any a\n" + a + "quorum g\n", "line 1: a is not defined above");
  ExpectRefused(a + "group g all a g\nquorum g\n", "line 2: g is not defined above");
  ExpectRefused(a + "group g any a h\ngroup h any g\nquorum g\n", "line 2: h is not defined above");
  ExpectRefused(a + "group g any a none\nquorum g\n", "none is not defined above");
  ExpectRefused("witness none " + CosignerNamed("a").Text() + "\nquorum none\n", "none is not a name");
  ExpectRefused(a + "group none any a\nquorum none\n", "none is not a name");
  ExpectRefused(a + "witness a " + CosignerNamed("b").Text() + "\nquorum a\n", "line 2: a is defined already");
  ExpectRefused(a + "group a any a\nquorum a\n", "a is defined already");
  ExpectRefused(a + b + "group g any a\ngroup g any b\nquorum g\n", "g is defined already");
}

TEST(WitnessPolicy, ANameIsInOneGroupOnce) {
  const auto two = Witnesses({"a", "b"});
  ExpectRefused(two + "group g 2 a a\nquorum g\n", "line 3: a is in a group already");
  ExpectRefused(two + "group g any a b\ngroup h any a\nquorum g\n", "line 4: a is in a group already");
  ExpectRefused(two + "group g any a\ngroup h all g b\ngroup i any g\nquorum i\n", "line 5: g is in a group already");
}

TEST(WitnessPolicy, AKeyHasOneJobWhateverItIsCalled) {
  auto again = *Cosigner::Make("other.example", KeyNamed("a").verify_key());
  ExpectRefused(WitnessLine("a") + "witness b " + again.Text() + "\nquorum a\n", "line 2: the same key");
  ExpectRefused(LogLine("l") + "log " + NoteVerifier::Make("m", KeyNamed("l").verify_key())->Text() + "\nquorum none\n",
                "line 2: the same key");
  ExpectRefused(LogLine("a") + WitnessLine("a") + "quorum a\n", "line 2: the same key");
}

TEST(WitnessPolicy, RefusesKeysOfTheOtherType) {
  ExpectRefused("log " + CosignerNamed("a").Text() + "\nquorum none\n", "line 1: only Ed25519 keys (type 1)");
  ExpectRefused("witness a " + LogNamed("a").Text() + "\nquorum a\n", "line 1: only cosignature/v1 keys (type 4)");
  ExpectRefused("witness a x\nquorum a\n", "line 1");
}

TEST(WitnessPolicy, RefusesEveryOtherForm) {
  const auto a = WitnessLine("a");
  ExpectRefused("", "no quorum line");
  ExpectRefused(a, "no quorum line");
  ExpectRefused("# quorum none\n", "no quorum line");
  ExpectRefused("quorum none", "line 1: the line does not end");
  ExpectRefused(a + "quorum\n", "quorum <name>");
  ExpectRefused(a + "quorum a a\n", "quorum <name>");
  ExpectRefused(a + "quorum a # why\n", "quorum <name>");
  ExpectRefused("log\nquorum none\n", "log <vkey>");
  ExpectRefused("log " + LogNamed("l").Text() + " url more\nquorum none\n", "log <vkey>");
  ExpectRefused("witness a\nquorum none\n", "witness <name>");
  ExpectRefused("witness a " + CosignerNamed("a").Text() + " url more\nquorum none\n", "witness <name>");
  ExpectRefused("Quorum none\n", "a line begins with");
  ExpectRefused("\u00a0quorum none\n", "a line begins with");
  ExpectRefused(a + "group g any\nquorum a\n", "group <name>");
  for (std::string k : {"0", "2", "-1", "01", "1x", "+1", "ANY", "18446744073709551617"})
    ExpectRefused(a + "group g " + k + " a\nquorum g\n", "line 2: a group's number");
  for (char c = 1; c < 0x20; ++c) {
    if (c == '\t' || c == '\n') continue;
    ExpectRefused("#" + std::string(1, c) + "\nquorum none\n", "line 1: a control character");
  }
  ExpectRefused("quorum none\r\n", "a control character");
  ExpectRefused("#\x7f\nquorum none\n", "a control character");
  ExpectRefused(std::string("#\0\nquorum none\n", 15), "a control character");
}

TEST(WitnessPolicy, HasLimitsAboveWhatTheSpecificationAsks) {
  std::string logs, witnesses, groups;
  for (std::size_t i = 0; i < WitnessPolicy::kMaxLogs; ++i) logs += LogLine("l" + std::to_string(i));
  EXPECT_EQ(Parsed(logs + "quorum none\n").logs().size(), 64u);
  ExpectRefused(logs + LogLine("more") + "quorum none\n", "too many logs");
  for (std::size_t i = 0; i < WitnessPolicy::kMaxWitnesses; ++i) witnesses += WitnessLine("w" + std::to_string(i));
  // The deepest nesting there can be.
  std::string below = "w0";
  for (std::size_t i = 0; i < WitnessPolicy::kMaxGroups; ++i) {
    groups += "group g" + std::to_string(i) + " all " + below + "\n";
    below = "g" + std::to_string(i);
  }
  auto deep = Parsed(witnesses + groups + "quorum g127\n");
  EXPECT_TRUE(deep.Satisfied({"w0"}));
  EXPECT_FALSE(deep.Satisfied({"w1"}));
  EXPECT_EQ(deep.MissingFrom({}), (std::vector<Missing>{{"g0", 1, {"w0"}}}));
  ExpectRefused(witnesses + WitnessLine("more") + "quorum none\n", "too many witnesses");
  ExpectRefused(witnesses + groups + "group more any w1\nquorum none\n", "too many groups");
  EXPECT_TRUE(WitnessPolicy::Parse("#" + std::string(65536 - 14, 'x') + "\nquorum none\n"));
  ExpectRefused("#" + std::string(65537 - 14, 'x') + "\nquorum none\n", "at most 64 KiB");
}

// ---- checkpoints ----

const Checkpoint kCheckpoint{"log.example", 7, *Hash::From(Bytes(32, 7))};

TEST(WitnessPolicy, VerifiesACheckpointOfAKnownLogWithAQuorum) {
  auto policy = Parsed(TwoCountries());
  auto note = CosignedNote(kCheckpoint, {"mx2", "us1", "stranger"}, 99);
  auto witnessed = policy.Verify(note);
  ASSERT_TRUE(witnessed) << witnessed.error().Message();
  EXPECT_EQ(witnessed->checkpoint, kCheckpoint);
  EXPECT_EQ(witnessed->cosigned, (std::map<std::string, std::uint64_t>{{"mx2", 99}, {"us1", 99}}));
}

TEST(WitnessPolicy, OneCountryTwiceIsNoQuorum) {
  auto policy = Parsed(TwoCountries());
  for (std::vector<std::string> by : {std::vector<std::string>{}, {"mx1"}, {"mx1", "mx2"}, {"us1", "us1", "us2"}}) {
    auto refused = policy.Verify(CosignedNote(kCheckpoint, by));
    EXPECT_EQ(ReasonOf(refused), Reason::kBadProof);
  }
  EXPECT_EQ(DetailOf(policy.Verify(CosignedNote(kCheckpoint, {"mx1", "mx2"}))),
            "too few cosigned; missing us: 1 of us1, us2");
}

TEST(WitnessPolicy, RefusesACheckpointOfAnotherLogOrWithALineThatDoesNotHold) {
  auto policy = Parsed(TwoCountries());
  const auto good = CosignedNote(kCheckpoint, {"mx1", "us1"});
  ASSERT_TRUE(policy.Verify(good));
  Checkpoint foreign = kCheckpoint;
  foreign.origin = "other.example";
  EXPECT_EQ(ReasonOf(policy.Verify(CosignedNote(foreign, {"mx1", "us1"}))), Reason::kBadCheckpoint);
  // The known log's key under another origin: a log signs for its own alone.
  auto lent = SignNote(foreign.Body(), "log.example", KeyNamed("log.example")) +
              Cosign(foreign.Body(), "mx1", KeyNamed("mx1"), 5) + Cosign(foreign.Body(), "us1", KeyNamed("us1"), 5);
  EXPECT_EQ(ReasonOf(policy.Verify(lent)), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(policy.Verify(lent, std::vector{LogNamed("log.example")})), Reason::kBadCheckpoint);
  const NoteSignature bad{"us2", CosignerNamed("us2").key_id, Bytes(72, 1)};
  EXPECT_EQ(ReasonOf(policy.Verify(good + bad.Line())), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(policy.Verify("text\n")), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(policy.Verify(SignNote("text\n", "log.example", KeyNamed("log.example")))),
            Reason::kBadCheckpoint);
  // Cosigned, but not signed by the log.
  auto unsigned_one = kCheckpoint.Body() + "\n" + Cosign(kCheckpoint.Body(), "mx1", KeyNamed("mx1"), 5) +
                      Cosign(kCheckpoint.Body(), "us1", KeyNamed("us1"), 5);
  EXPECT_EQ(ReasonOf(policy.Verify(unsigned_one)), Reason::kBadCheckpoint);
}

TEST(WitnessPolicy, TakesLogsThatAreKnownOtherwise) {
  auto policy = Parsed(Witnesses({"a"}) + "quorum a\n");
  auto note = CosignedNote(kCheckpoint, {"a"});
  EXPECT_EQ(ReasonOf(policy.Verify(note)), Reason::kBadCheckpoint) << "the policy names no log";
  EXPECT_TRUE(policy.Verify(note, std::vector{LogNamed("other.example"), LogNamed("log.example")}));
}

}  // namespace
}  // namespace valija::log::test
