#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/policy/policy.h"

namespace valija::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kSmall = "marking TLP:AMBER\nreleasable-to agency mx.fgr\npurpose investigation\n";

constexpr std::string_view kFull =
    "marking        TLP:AMBER\n"
    "releasable-to  country us, agency mx.fgr, member gt.mp/jlopez\n"
    "clearance      secret\n"
    "roles          any analyst, investigator\n"
    "roles          all cleared\n"
    "programmes     all fast-boat\n"
    "purpose        investigation, prosecution\n"
    "case           optional\n"
    "not-before     2026-01-01T00:00:00Z\n"
    "expires        2026-12-31T18:30:00Z\n"
    "openings       3 per agency, 10 in all\n";

std::string With(std::string_view line) { return std::string(kSmall) + std::string(line) + "\n"; }

// The errors as "line: message".
std::vector<std::string> Errors(std::string_view text) {
  auto result = ParseText(text);
  EXPECT_EQ(result.policy.has_value(), result.errors.empty());
  std::vector<std::string> out;
  for (const auto& error : result.errors) out.push_back(std::to_string(error.line) + ": " + error.message);
  return out;
}

Policy Parsed(std::string_view text) {
  auto result = ParseText(text);
  for (const auto& error : result.errors) ADD_FAILURE() << error.line << ": " << error.message;
  return result.policy.value_or(Policy{});
}

TEST(PolicyText, ReadsEveryElement) {
  const Policy policy = Parsed(kFull);
  EXPECT_EQ(policy.marking, Tlp::kAmber);
  EXPECT_EQ(policy.releasable_to.countries, std::vector<std::string>{"us"});
  EXPECT_EQ(policy.releasable_to.agencies, std::vector{*AgencyId::Parse("mx.fgr")});
  EXPECT_EQ(policy.releasable_to.members, std::vector{*MemberId::Parse("gt.mp/jlopez")});
  EXPECT_EQ(policy.need_to_know.clearance, "secret");
  EXPECT_THAT(policy.need_to_know.any_roles, ElementsAre("analyst", "investigator"));
  EXPECT_THAT(policy.need_to_know.all_roles, ElementsAre("cleared"));
  EXPECT_THAT(policy.need_to_know.any_programmes, ElementsAre());
  EXPECT_THAT(policy.need_to_know.all_programmes, ElementsAre("fast-boat"));
  EXPECT_THAT(policy.purposes, ElementsAre("investigation", "prosecution"));
  EXPECT_FALSE(policy.case_required);
  EXPECT_EQ(policy.not_before, ParseTime("2026-01-01T00:00:00Z"));
  EXPECT_EQ(policy.expires, ParseTime("2026-12-31T18:30:00Z"));
  EXPECT_EQ(policy.openings_per_agency, 3U);
  EXPECT_EQ(policy.openings_in_all, 10U);
}

TEST(PolicyText, RequiresACaseAndLimitsNothingUnlessItSaysSo) {
  const Policy policy = Parsed(kSmall);
  EXPECT_TRUE(policy.case_required);
  EXPECT_EQ(policy.need_to_know, NeedToKnow{});
  EXPECT_FALSE(policy.not_before || policy.expires);
  EXPECT_EQ(policy.openings_per_agency + policy.openings_in_all, 0U);
}

TEST(PolicyText, PrintsTheCanonicalForm) { EXPECT_EQ(ToText(Parsed(kFull)), kFull); }

TEST(PolicyText, ReadsBackWhatItPrints) {
  for (std::string_view text : {kFull, kSmall, std::string_view("marking TLP:RED\nreleasable-to nobody\npurpose x")}) {
    const Policy policy = Parsed(text);
    EXPECT_EQ(Parsed(ToText(policy)), policy);
  }
}

TEST(PolicyText, SaysTheSameHoweverItIsLaidOut) {
  constexpr std::string_view kOther =
      "\xEF\xBB\xBF# for the boat case\r\n"
      "openings 10 in all ,3 per agency\r\n"
      "\tpurpose\tprosecution,investigation   # both\r\n"
      "\r\n"
      "roles all cleared\r\n"
      "roles any investigator, analyst\r\n"
      "expires 2026-12-31T18:30:00Z\r\n"
      "not-before 2026-01-01\r\n"
      "case optional\r\n"
      "releasable-to member gt.mp/jlopez, agency   mx.fgr, country us\r\n"
      "programmes all fast-boat\r\n"
      "clearance secret\r\n"
      "marking TLP:AMBER";
  EXPECT_EQ(ToText(Parsed(kOther)), kFull);
}

TEST(PolicyText, PrintsNobodyForAnEmptyAudience) {
  Policy policy = Parsed(kSmall);
  policy.releasable_to = {};
  EXPECT_THAT(ToText(policy), HasSubstr("releasable-to  nobody\n"));
  EXPECT_TRUE(Parsed(ToText(policy)).releasable_to.empty());
}

TEST(PolicyText, ReadsADayAsItsFirstMoment) {
  EXPECT_EQ(Parsed(With("expires 2026-12-31")).expires, ParseTime("2026-12-31T00:00:00Z"));
}

TEST(PolicyText, NamesWhatIsMissing) {
  EXPECT_THAT(Errors(""), ElementsAre(HasSubstr("0: there is no line 'marking'"), HasSubstr("'releasable-to'"),
                                      HasSubstr("'purpose'")));
  EXPECT_THAT(Errors("# nothing\n\n"), ::testing::SizeIs(3));
}

TEST(PolicyText, ListsEveryErrorInOrderOfTheLines) {
  EXPECT_THAT(Errors("marking amber\n"
                     "releasable-to us\n"
                     "colour red\n"
                     "openings 0 per agency\n"
                     "case maybe\n"),
              ElementsAre(HasSubstr("1: there is no marking 'amber'; did you mean 'TLP:AMBER'?"),
                          HasSubstr("2: 'us': say what it is, 'country us'"), HasSubstr("3: there is no key 'colour'"),
                          HasSubstr("4: '0 per agency': a limit is at least 1"),
                          HasSubstr("5: 'maybe': 'case' is 'required' or 'optional'"),
                          HasSubstr("0: there is no line 'purpose'")));
}

TEST(PolicyText, SuggestsTheKeyThatWasMeant) {
  const std::pair<const char*, const char*> cases[] = {{"markng", "marking"},
                                                       {"Marking", "marking"},
                                                       {"releasable_to", "releasable-to"},
                                                       {"relesable-to", "releasable-to"},
                                                       {"role", "roles"},
                                                       {"programs", "programmes"},
                                                       {"purposes", "purpose"},
                                                       {"expire", "expires"},
                                                       {"until", "expires"},
                                                       {"notbefore", "not-before"},
                                                       {"opening", "openings"},
                                                       {"clearence", "clearance"},
                                                       {"marking:", "marking"},
                                                       {"audience", "releasable-to"}};
  for (const auto& [written, meant] : cases)
    EXPECT_THAT(Errors(With(std::string(written) + " x")),
                ElementsAre(HasSubstr("did you mean '" + std::string(meant) + "'?")))
        << written;
  EXPECT_THAT(Errors(With("banana x")), ElementsAre("4: there is no key 'banana'"));
}

TEST(PolicyText, RefusesAKeyThatStandsTwice) {
  for (const char* line : {"marking TLP:RED", "releasable-to country us", "purpose x"})
    EXPECT_THAT(Errors(With(line)), ElementsAre(HasSubstr("stands already on line"))) << line;
  EXPECT_THAT(Errors(With("expires 2027-01-01\nexpires 2027-01-01")),
              ElementsAre("5: 'expires' stands already on line 4; it may stand once"));
  EXPECT_THAT(Errors(With("roles any a\nroles all b\nroles any c")),
              ElementsAre("6: 'roles any' stands already on line 4; it may stand once"));
}

TEST(PolicyText, RefusesANameThatStandsTwice) {
  EXPECT_THAT(Errors(With("roles any a, b, a")), ElementsAre("4: 'a' stands there twice"));
  EXPECT_THAT(Errors("marking TLP:GREEN\npurpose x, x\nreleasable-to country us, country us"),
              ElementsAre("2: 'x' stands there twice", "3: 'us' stands there twice"));
  EXPECT_THAT(Errors(With("openings 1 in all, 2 in all")), ElementsAre("4: 'in all' stands there twice"));
}

TEST(PolicyText, RefusesValuesThatAreNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"clearance", "nothing stands after 'clearance'"},
      {"clearance top secret", "is no clearance"},
      {"roles analyst", "after 'roles' comes 'any' or 'all', as in 'roles any analyst'"},
      {"roles any", "nothing stands after 'any'"},
      {"roles any a,,b", "a name is missing between the commas"},
      {"roles any Analyst", "'Analyst' is no name"},
      {"programmes none x", "after 'programmes' comes"},
      {"case yes", "'required' or 'optional'"},
      {"not-before tomorrow", "'tomorrow' is no time: write 2026-12-31"},
      {"expires 2026-02-30", "is no time"},
      {"expires 1970-01-01", "is no time"},
      {"openings three per agency", "is no limit"},
      {"openings 3", "is no limit: write '3 per agency'"},
      {"openings -1 in all", "is no limit"},
      {"openings 99999999999 in all", "is no limit"},
      {"openings 3x in all", "is no limit"},
      {"openings 3 per agency,", "is no limit"}};
  for (const auto& [line, message] : cases)
    EXPECT_THAT(Errors(With(line)), ElementsAre(::testing::AllOf(::testing::StartsWith("4: "), HasSubstr(message))))
        << line;
}

TEST(PolicyText, SaysWhatARecipientShouldLookLike) {
  const std::pair<const char*, const char*> cases[] = {{"us", "'country us'"},
                                                       {"mx.fgr", "'agency mx.fgr'"},
                                                       {"us.dea/jrivera", "'member us.dea/jrivera'"},
                                                       {"country USA", "'USA' is no country: two lower-case letters"},
                                                       {"agency fgr", "'fgr' is no agency: country, dot, name"},
                                                       {"member jrivera", "'jrivera' is no member"},
                                                       {"agancy mx.fgr", "did you mean 'agency'?"},
                                                       {"country us,", "a name is missing"},
                                                       {"country us, nobody", "'nobody' stands alone"}};
  for (const auto& [value, message] : cases)
    EXPECT_THAT(Errors("marking TLP:GREEN\npurpose x\nreleasable-to " + std::string(value)),
                ElementsAre(::testing::AllOf(::testing::StartsWith("3: "), HasSubstr(message))))
        << value;
}

TEST(PolicyText, SaysWhatTwoLinesTogetherBreak) {
  EXPECT_THAT(Errors("purpose x\nreleasable-to agency mx.fgr\nmarking TLP:RED"),
              ElementsAre(HasSubstr("2: TLP:RED is for named members only")));
  EXPECT_THAT(Errors(With("expires 2026-01-01\nnot-before 2026-02-01")),
              ElementsAre("5: it expires before it may first be opened"));
}

TEST(PolicyText, KnowsWhatTlp2CallsWhite) {
  EXPECT_THAT(Errors("marking TLP:WHITE\npurpose x\nreleasable-to nobody"), ElementsAre(HasSubstr("'TLP:CLEAR'")));
}

TEST(PolicyText, ShowsNoControlCharacterOfTheFile) {
  const auto errors = Errors(With("roles any \x1b[31mred\xff"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], HasSubstr("'?[31mred?'"));
  EXPECT_THAT(Errors(With(std::string("clearance ") + '\0')), ElementsAre(HasSubstr("'?'")));
}

TEST(PolicyText, RefusesAFileThatIsNoPolicy) {
  EXPECT_THAT(Errors(std::string(70000, '#')), ElementsAre(HasSubstr("larger than 64 KiB")));
}

}  // namespace
}  // namespace valija::policy
