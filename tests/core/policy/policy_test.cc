#include "core/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace valija::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reasons = std::vector<Reason>;

MemberId Member(std::string_view text) { return *MemberId::Parse(text); }
AgencyId Agency(std::string_view text) { return *AgencyId::Parse(text); }

const Time kNow = *ParseTime("2026-11-24T09:00:00Z");
const std::vector<std::string> kLadder = {"restricted", "confidential", "secret"};

// A policy that allows us.dea/ana to open for an investigation.
Policy Plain() {
  Policy policy;
  policy.marking = Tlp::kAmber;
  policy.releasable_to.agencies = {Agency("us.dea")};
  policy.purposes = {"investigation"};
  policy.case_required = false;
  return policy;
}

struct Asker {
  MemberId member = Member("us.dea/ana");
  Attributes attributes = {"confidential", {"analyst"}, {"fast-boat"}};
  std::string purpose = "investigation", case_reference;
  Time now = kNow;
  std::uint64_t by_agency = 0, in_all = 0;

  Reasons Ask(const Policy& policy) const {
    return Evaluate(policy, {member, attributes, kLadder, purpose, case_reference, now, by_agency, in_all});
  }
};

// ---- markings ----

TEST(Tlp, HasTheFiveLabelsOfTlp2) {
  for (const char* text : {"TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR"}) {
    auto marking = TlpFromText(text);
    ASSERT_TRUE(marking) << text;
    EXPECT_EQ(TextOf(*marking), text);
  }
}

TEST(Tlp, KnowsNoOtherLabel) {
  for (const char* text : {"", "TLP:WHITE", "tlp:amber", "TLP: AMBER", "AMBER", "TLP:AMBER "})
    EXPECT_FALSE(TlpFromText(text)) << text;
  EXPECT_EQ(TextOf(static_cast<Tlp>(0)), "");
  EXPECT_EQ(TextOf(static_cast<Tlp>(6)), "");
}

// ---- Validate ----

struct BadPolicy {
  const char* name;
  std::function<void(Policy&)> spoil;
  const char* detail;
};

const BadPolicy kBadPolicies[] = {
    {"no known marking", [](Policy& p) { p.marking = static_cast<Tlp>(9); }, "marking"},
    {"countries out of order",
     [](Policy& p) {
       p.releasable_to.countries = {"us", "mx"};
     },
     "countries"},
    {"a country twice",
     [](Policy& p) {
       p.releasable_to.countries = {"us", "us"};
     },
     "countries"},
    {"a country in capitals", [](Policy& p) { p.releasable_to.countries = {"US"}; }, "countries"},
    {"an agency twice",
     [](Policy& p) {
       p.releasable_to.agencies = {Agency("us.dea"), Agency("us.dea")};
     },
     "agencies"},
    {"members out of order",
     [](Policy& p) {
       p.releasable_to.members = {Member("us.dea/b"), Member("us.dea/a")};
     },
     "members"},
    {"TLP:RED for an agency", [](Policy& p) { p.marking = Tlp::kRed; }, "TLP:RED"},
    {"TLP:RED for a country",
     [](Policy& p) {
       p.marking = Tlp::kRed;
       p.releasable_to = {{"us"}, {}, {}};
     },
     "TLP:RED"},
    {"a clearance with a space", [](Policy& p) { p.need_to_know.clearance = "top secret"; }, "clearance"},
    {"any roles out of order",
     [](Policy& p) {
       p.need_to_know.any_roles = {"b", "a"};
     },
     "any roles"},
    {"an empty role", [](Policy& p) { p.need_to_know.all_roles = {""}; }, "all roles"},
    {"a programme twice",
     [](Policy& p) {
       p.need_to_know.any_programmes = {"a", "a"};
     },
     "any programmes"},
    {"a programme in capitals", [](Policy& p) { p.need_to_know.all_programmes = {"Boat"}; }, "all programmes"},
    {"no purpose", [](Policy& p) { p.purposes.clear(); }, "no purpose"},
    {"purposes out of order",
     [](Policy& p) {
       p.purposes = {"b", "a"};
     },
     "purposes"},
    {"a purpose with a comma", [](Policy& p) { p.purposes = {"a,b"}; }, "purposes"},
    {"an end before the beginning",
     [](Policy& p) {
       p.not_before = kNow;
       p.expires = kNow - Duration(1);
     },
     "ends before"},
    {"an empty window",
     [](Policy& p) {
       p.not_before = kNow;
       p.expires = kNow;
     },
     "ends before"},
    {"the wire's sign for no time", [](Policy& p) { p.expires = Time{}; }, "time"},
    {"a time before 1970", [](Policy& p) { p.not_before = FromMillis(-1); }, "time"},
    {"a year of five digits", [](Policy& p) { p.expires = FromMillis(std::int64_t{300000000000000}); }, "time"},
    {"a list of 257",
     [](Policy& p) {
       for (int i = 100; i < 357; ++i) p.releasable_to.members.push_back(Member("us.dea/m" + std::to_string(i)));
     },
     "members"},
};

TEST(Validate, RefusesWhateverBreaksARuleOfTheForm) {
  for (const auto& one : kBadPolicies) {
    Policy policy = Plain();
    ASSERT_TRUE(Validate(policy)) << one.name;
    one.spoil(policy);
    auto valid = Validate(policy);
    ASSERT_FALSE(valid) << one.name;
    EXPECT_EQ(valid.error().reason, Reason::kBadPolicy) << one.name;
    EXPECT_THAT(valid.error().detail, HasSubstr(one.detail)) << one.name;
  }
}

TEST(Validate, TakesTlpRedForNamedMembers) {
  Policy policy = Plain();
  policy.marking = Tlp::kRed;
  policy.releasable_to = {{}, {}, {Member("mx.fgr/x"), Member("us.dea/ana")}};
  EXPECT_TRUE(Validate(policy));
}

TEST(Validate, TakesAListOf256) {
  Policy policy = Plain();
  for (int i = 100; i < 356; ++i) policy.releasable_to.members.push_back(Member("us.dea/m" + std::to_string(i)));
  EXPECT_TRUE(Validate(policy));
}

// ---- the audience ----

TEST(Audience, OfNobodyHoldsNobody) { EXPECT_FALSE(InAudience({}, Member("us.dea/ana"))); }

TEST(Audience, OfACountryHoldsItsMembersAndNoOthers) {
  const Audience audience{{"us"}, {}, {}};
  EXPECT_TRUE(InAudience(audience, Member("us.dea/ana")));
  EXPECT_TRUE(InAudience(audience, Member("us.fbi/bob")));
  EXPECT_FALSE(InAudience(audience, Member("mx.fgr/ana")));
}

TEST(Audience, OfAnAgencyHoldsItsMembersAndNoOthers) {
  const Audience audience{{}, {Agency("us.dea")}, {}};
  EXPECT_TRUE(InAudience(audience, Member("us.dea/ana")));
  EXPECT_FALSE(InAudience(audience, Member("us.fbi/ana")));
  EXPECT_FALSE(InAudience(audience, Member("us.dea-2/ana")));  // a longer name is another agency
  EXPECT_FALSE(InAudience(audience, Member("us.de/ana")));
}

TEST(Audience, OfAMemberHoldsThatOneAlone) {
  const Audience audience{{}, {}, {Member("us.dea/ana")}};
  EXPECT_TRUE(InAudience(audience, Member("us.dea/ana")));
  EXPECT_FALSE(InAudience(audience, Member("us.dea/ana2")));
  EXPECT_FALSE(InAudience(audience, Member("mx.fgr/ana")));
}

// ---- Evaluate ----

TEST(Evaluate, AllowsWhoMeetsThePolicy) { EXPECT_THAT(Asker().Ask(Plain()), IsEmpty()); }

TEST(Evaluate, TellsAnOutsiderNothingButNotReleasable) {
  Policy policy = Plain();
  policy.need_to_know.clearance = "secret";
  policy.purposes = {"prosecution"};
  policy.expires = kNow;
  Asker asker;
  asker.member = Member("mx.fgr/ana");
  EXPECT_THAT(asker.Ask(policy), ElementsAre(Reason::kNotReleasable));
}

TEST(Evaluate, ComparesClearancesByTheLadder) {
  Policy policy = Plain();
  const struct {
    const char *held, *wanted;
    bool allowed;
  } cases[] = {{"secret", "secret", true},        {"secret", "restricted", true},
               {"confidential", "secret", false}, {"restricted", "confidential", false},
               {"", "restricted", false},         {"", "", true},
               {"secret", "cosmic", false},       {"cosmic", "restricted", false},
               {"cosmic", "cosmic", false},       {"cosmic", "", true}};
  for (const auto& one : cases) {
    Asker asker;
    asker.attributes.clearance = one.held;
    policy.need_to_know.clearance = one.wanted;
    EXPECT_EQ(asker.Ask(policy), one.allowed ? Reasons{} : Reasons{Reason::kClearance})
        << one.held << " " << one.wanted;
  }
}

TEST(Evaluate, AsksForAnyAndAllRoles) {
  const struct {
    std::vector<std::string> held, any, all;
    bool allowed;
  } cases[] = {{{}, {}, {}, true},
               {{}, {"a"}, {}, false},
               {{"b"}, {"a", "b"}, {}, true},
               {{"c"}, {"a", "b"}, {}, false},
               {{}, {}, {"a"}, false},
               {{"a"}, {}, {"a", "b"}, false},
               {{"a", "b", "c"}, {}, {"a", "b"}, true},
               {{"a", "b"}, {"c"}, {"a", "b"}, false},
               {{"a", "b", "c"}, {"c"}, {"a", "b"}, true},
               {{"c"}, {"c"}, {"a"}, false}};
  for (const auto& one : cases) {
    Policy policy = Plain();
    Asker asker;
    policy.need_to_know.any_roles = one.any;
    policy.need_to_know.all_roles = one.all;
    asker.attributes.roles = one.held;
    EXPECT_EQ(asker.Ask(policy), one.allowed ? Reasons{} : Reasons{Reason::kRoleMissing});

    policy = Plain();
    asker = {};
    policy.need_to_know.any_programmes = one.any;
    policy.need_to_know.all_programmes = one.all;
    asker.attributes.programmes = one.held;
    EXPECT_EQ(asker.Ask(policy), one.allowed ? Reasons{} : Reasons{Reason::kProgrammeMissing});
  }
}

TEST(Evaluate, DoesNotTakeARoleForAProgramme) {
  Policy policy = Plain();
  policy.need_to_know.any_roles = {"fast-boat"};
  policy.need_to_know.any_programmes = {"analyst"};
  EXPECT_THAT(Asker().Ask(policy), ElementsAre(Reason::kRoleMissing, Reason::kProgrammeMissing));
}

TEST(Evaluate, AsksForOneOfThePurposes) {
  Policy policy = Plain();
  policy.purposes = {"investigation", "prosecution"};
  Asker asker;
  EXPECT_THAT(asker.Ask(policy), IsEmpty());
  asker.purpose = "prosecution";
  EXPECT_THAT(asker.Ask(policy), IsEmpty());
  for (const char* other : {"analysis", "", "investigation, prosecution"}) {
    asker.purpose = other;
    EXPECT_THAT(asker.Ask(policy), ElementsAre(Reason::kWrongPurpose)) << other;
  }
}

TEST(Evaluate, AsksForACaseWhereThePolicyDoes) {
  Policy policy = Plain();
  policy.case_required = true;
  Asker asker;
  EXPECT_THAT(asker.Ask(policy), ElementsAre(Reason::kCaseMissing));
  asker.case_reference = "   ";
  EXPECT_THAT(asker.Ask(policy), ElementsAre(Reason::kCaseMissing));
  asker.case_reference = "FED/2026/118";
  EXPECT_THAT(asker.Ask(policy), IsEmpty());
}

TEST(Evaluate, TakesTheBeginningInAndLeavesTheEndOut) {
  Policy policy = Plain();
  policy.not_before = kNow;
  policy.expires = kNow + Duration(10);
  Asker asker;
  const std::pair<int, Reasons> cases[] = {
      {-1, {Reason::kNotYet}}, {0, {}}, {9, {}}, {10, {Reason::kExpired}}, {11, {Reason::kExpired}}};
  for (const auto& [ms, reasons] : cases) {
    asker.now = kNow + Duration(ms);
    EXPECT_EQ(asker.Ask(policy), reasons) << ms;
  }
}

TEST(Evaluate, CountsOpeningsPerAgencyAndInAll) {
  Policy policy = Plain();
  policy.openings_per_agency = 2;
  policy.openings_in_all = 5;
  const struct {
    std::uint64_t by_agency, in_all;
    bool allowed;
  } cases[] = {{0, 0, true}, {1, 4, true}, {2, 2, false}, {3, 3, false}, {0, 5, false}, {1, 6, false}};
  for (const auto& one : cases) {
    Asker asker;
    asker.by_agency = one.by_agency;
    asker.in_all = one.in_all;
    EXPECT_EQ(asker.Ask(policy), one.allowed ? Reasons{} : Reasons{Reason::kLimitReached});
  }
  Asker asker;
  asker.by_agency = asker.in_all = 1000000;
  EXPECT_THAT(asker.Ask(Plain()), IsEmpty());  // no limit
}

TEST(Evaluate, NamesEveryReasonInTheFixedOrder) {
  Policy policy = Plain();
  policy.need_to_know = {"secret", {"chief"}, {}, {}, {"other"}};
  policy.purposes = {"prosecution"};
  policy.case_required = true;
  policy.expires = kNow;
  policy.openings_in_all = 1;
  Asker asker;
  asker.in_all = 1;
  EXPECT_THAT(asker.Ask(policy),
              ElementsAre(Reason::kClearance, Reason::kRoleMissing, Reason::kProgrammeMissing, Reason::kWrongPurpose,
                          Reason::kCaseMissing, Reason::kExpired, Reason::kLimitReached));
  policy.not_before = kNow + Duration(1);
  policy.expires.reset();
  EXPECT_THAT(asker.Ask(policy),
              ElementsAre(Reason::kClearance, Reason::kRoleMissing, Reason::kProgrammeMissing, Reason::kWrongPurpose,
                          Reason::kCaseMissing, Reason::kNotYet, Reason::kLimitReached));
}

TEST(Evaluate, OfAnEmptyAudienceAllowsNobody) {
  Policy policy = Plain();
  policy.releasable_to = {};
  EXPECT_THAT(Asker().Ask(policy), ElementsAre(Reason::kNotReleasable));
}

}  // namespace
}  // namespace valija::policy
