// What policies say of the whole life of a record: approvals, emergencies, passing on, co-recipients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/policy/policy.h"

namespace valija::policy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

MemberId Member(std::string_view text) { return *MemberId::Parse(text); }
const Time kNow = *ParseTime("2026-11-24T09:00:00Z");
const std::vector<std::string> kLadder = {"restricted", "confidential", "secret"};

Policy Dual() {
  Policy policy;
  policy.marking = Tlp::kAmber;
  policy.releasable_to.agencies = {*AgencyId::Parse("us.dea")};
  policy.purposes = {"investigation"};
  policy.approvals = {{1, {Member("mx.fgr/ana"), Member("mx.fgr/luis")}},
                      {2, {Member("us.dea/a"), Member("us.dea/b")}}};
  policy.approval_hours = 72;
  return policy;
}

// ---- Validate ----

TEST(ValidateApprovals, TakesGroupsThatCanBeMet) {
  EXPECT_TRUE(Validate(Dual()));
  Policy policy = Dual();
  policy.emergency = true;
  policy.onward = Onward::kWithinCountry;
  policy.audience_shown = true;
  EXPECT_TRUE(Validate(policy));
}

TEST(ValidateApprovals, RefusesWhatCannotBeMetOrIsNotAscending) {
  const struct {
    const char* name;
    std::function<void(Policy&)> spoil;
    const char* detail;
  } cases[] = {
      {"none needed", [](Policy& p) { p.approvals[0].needed = 0; }, "1 to all"},
      {"more than there are", [](Policy& p) { p.approvals[0].needed = 3; }, "1 to all"},
      {"nobody asked", [](Policy& p) { p.approvals[0].approvers.clear(); }, "1 to all"},
      {"out of order", [](Policy& p) { std::swap(p.approvals[0].approvers[0], p.approvals[0].approvers[1]); },
       "approvers: not ascending"},
      {"one twice in a group", [](Policy& p) { p.approvals[0].approvers[1] = p.approvals[0].approvers[0]; }, "double"},
      {"one in two groups",
       [](Policy& p) {
         p.approvals[1].approvers.push_back(Member("us.dea/c")), p.approvals[0].approvers.push_back(Member("us.dea/a"));
       },
       "in two groups"},
      {"nine groups",
       [](Policy& p) {
         for (char c = 'c'; c < 'j'; ++c) p.approvals.push_back({1, {Member(std::string("us.dea/") + c)}});
       },
       "more than 8"},
      {"no hours", [](Policy& p) { p.approval_hours = 0; }, "1 to 720"},
      {"too many hours", [](Policy& p) { p.approval_hours = 721; }, "1 to 720"},
      {"hours for nothing", [](Policy& p) { p.approvals.clear(); }, "hours without approvals"},
      {"an emergency without approvals",
       [](Policy& p) {
         p.approvals.clear();
         p.approval_hours = 0;
         p.emergency = true;
       },
       "emergency"},
      {"an unknown rule", [](Policy& p) { p.onward = static_cast<Onward>(3); }, "onward"},
  };
  for (const auto& one : cases) {
    Policy policy = Dual();
    one.spoil(policy);
    auto valid = Validate(policy);
    ASSERT_FALSE(valid) << one.name;
    EXPECT_EQ(valid.error().reason, Reason::kBadPolicy) << one.name;
    EXPECT_THAT(valid.error().detail, HasSubstr(one.detail)) << one.name;
  }
  Policy policy = Dual();
  policy.approval_hours = 720;
  EXPECT_TRUE(Validate(policy));
}

TEST(Evaluate, LeavesApprovalsToTheLedger) {
  const Attributes none;
  Policy policy = Dual();
  policy.case_required = false;
  EXPECT_TRUE(Evaluate(policy, {Member("us.dea/ana"), none, kLadder, "investigation", "", kNow, 0, 0}).empty());
}

// ---- NoLaxer ----

TEST(NoLaxer, TakesThePolicyItselfAndWhateverIsStricter) {
  Policy than = Dual();
  than.need_to_know = {"confidential", {"analyst", "chief"}, {"cleared"}, {"boat", "train"}, {"gold"}};
  than.purposes = {"analysis", "investigation"};
  than.not_before = kNow;
  than.expires = kNow + std::chrono::days(9);
  than.openings_per_agency = 3;
  than.openings_in_all = 9;
  than.emergency = true;
  than.onward = Onward::kWithinCountry;
  than.audience_shown = true;
  EXPECT_TRUE(NoLaxer(than, than, kLadder));
  const std::function<void(Policy&)> stricter[] = {
      [](Policy& p) { p.marking = Tlp::kAmberStrict; },
      [](Policy& p) { p.need_to_know.clearance = "secret"; },
      [](Policy& p) { p.need_to_know.any_roles = {"chief"}; },
      [](Policy& p) {
        p.need_to_know.all_roles = {"armed", "cleared"};
      },
      [](Policy& p) { p.need_to_know.any_programmes = {"boat"}; },
      [](Policy& p) {
        p.need_to_know.all_programmes = {"gold", "silver"};
      },
      [](Policy& p) { p.purposes = {"analysis"}; },
      [](Policy& p) { p.not_before = kNow + Duration(1); },
      [](Policy& p) { p.expires = kNow + std::chrono::days(8); },
      [](Policy& p) { p.openings_per_agency = 1; },
      [](Policy& p) { p.openings_in_all = 8; },
      [](Policy& p) {
        p.approvals.push_back({1, {Member("us.dea/z")}});
      },
      [](Policy& p) { p.approval_hours = 1; },
      [](Policy& p) { p.emergency = false; },
      [](Policy& p) { p.onward = Onward::kAsk; },
      [](Policy& p) { p.onward = Onward::kNever; },
      [](Policy& p) { p.audience_shown = false; },
  };
  int i = 0;
  for (const auto& change : stricter) {
    Policy policy = than;
    change(policy);
    EXPECT_TRUE(NoLaxer(policy, than, kLadder)) << i;
    EXPECT_FALSE(NoLaxer(than, policy, kLadder)) << i;  // and the other way round it is laxer
    ++i;
  }
}

TEST(NoLaxer, RefusesWhateverAllowsMore) {
  Policy than = Dual();
  than.need_to_know = {"confidential", {"analyst"}, {"cleared"}, {"boat"}, {"gold"}};
  than.not_before = kNow;
  than.expires = kNow + std::chrono::days(9);
  than.openings_per_agency = 3;
  than.openings_in_all = 9;
  than.onward = Onward::kNever;
  const std::function<void(Policy&)> laxer[] = {
      [](Policy& p) { p.marking = Tlp::kGreen; },
      [](Policy& p) { p.need_to_know.clearance = ""; },
      [](Policy& p) { p.need_to_know.clearance = "restricted"; },
      [](Policy& p) { p.need_to_know.any_roles = {}; },
      [](Policy& p) {
        p.need_to_know.any_roles = {"analyst", "clerk"};
      },
      [](Policy& p) { p.need_to_know.all_roles = {}; },
      [](Policy& p) {
        p.need_to_know.any_programmes = {"boat", "train"};
      },
      [](Policy& p) { p.need_to_know.all_programmes = {"silver"}; },
      [](Policy& p) {
        p.purposes = {"analysis", "investigation"};
      },
      [](Policy& p) { p.case_required = false; },
      [](Policy& p) { p.not_before.reset(); },
      [](Policy& p) { p.not_before = kNow - Duration(1); },
      [](Policy& p) { p.expires.reset(); },
      [](Policy& p) { p.expires = *p.expires + Duration(1); },
      [](Policy& p) { p.openings_per_agency = 0; },
      [](Policy& p) { p.openings_per_agency = 4; },
      [](Policy& p) { p.openings_in_all = 0; },
      [](Policy& p) { p.approvals.pop_back(); },
      [](Policy& p) { p.approvals[1].needed = 1; },
      [](Policy& p) { p.approvals[0].approvers.push_back(Member("us.dea/z")); },
      [](Policy& p) { p.approval_hours = 73; },
      [](Policy& p) { p.emergency = true; },
      [](Policy& p) { p.onward = Onward::kAsk; },
      [](Policy& p) { p.onward = Onward::kWithinCountry; },
      [](Policy& p) { p.audience_shown = true; },
  };
  int i = 0;
  for (const auto& change : laxer) {
    Policy policy = than;
    change(policy);
    EXPECT_FALSE(NoLaxer(policy, than, kLadder)) << i++;
  }
}

// ---- the text form ----

constexpr std::string_view kSmall = "marking TLP:AMBER\nreleasable-to agency mx.fgr\npurpose investigation\n";
constexpr std::string_view kFull =
    "marking        TLP:AMBER\n"
    "releasable-to  agency mx.fgr\n"
    "purpose        investigation\n"
    "case           required\n"
    "approval       1 of mx.fgr/ana, mx.fgr/luis\n"
    "approval       2 of us.dea/a, us.dea/b\n"
    "approval-hours 24\n"
    "emergency      allowed\n"
    "onward         within-country\n"
    "co-recipients  shown\n";

std::string With(std::string_view lines) { return std::string(kSmall) + std::string(lines) + "\n"; }

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

TEST(LifeText, ReadsEveryElementAndPrintsItBack) {
  const Policy policy = Parsed(kFull);
  EXPECT_EQ(policy.approvals, Dual().approvals);
  EXPECT_EQ(policy.approval_hours, 24U);
  EXPECT_TRUE(policy.emergency);
  EXPECT_EQ(policy.onward, Onward::kWithinCountry);
  EXPECT_TRUE(policy.audience_shown);
  EXPECT_EQ(ToText(policy), kFull);
}

TEST(LifeText, HasTheStrictestOfEachWhereNothingIsSaid) {
  const Policy policy = Parsed(kSmall);
  EXPECT_TRUE(policy.approvals.empty());
  EXPECT_EQ(policy.approval_hours, 0U);
  EXPECT_FALSE(policy.emergency);
  EXPECT_EQ(policy.onward, Onward::kAsk);
  EXPECT_FALSE(policy.audience_shown);
  EXPECT_EQ(Parsed(With("approval 1 of mx.fgr/ana")).approval_hours, 72U);
}

TEST(LifeText, ReadsTheWordsOfTheDefaultsToo) {
  EXPECT_EQ(Parsed(With("emergency never\nonward ask\nco-recipients hidden")), Parsed(kSmall));
  EXPECT_EQ(Parsed(With("onward never")).onward, Onward::kNever);
  EXPECT_EQ(Parsed(ToText(Parsed(With("onward never")))).onward, Onward::kNever);
}

TEST(LifeText, SortsApprovers) {
  EXPECT_EQ(Parsed(With("approval 1 of mx.fgr/luis,mx.fgr/ana")).approvals[0].approvers,
            (std::vector{Member("mx.fgr/ana"), Member("mx.fgr/luis")}));
}

TEST(LifeText, SaysWhatIsWrongAndWhatWouldBeRight) {
  const std::pair<const char*, const char*> cases[] = {
      {"approval mx.fgr/ana", "write how many of whom, as in 'approval 1 of mx.fgr/ana, mx.fgr/luis'"},
      {"approval one of mx.fgr/ana", "write how many of whom"},
      {"approval 1 from mx.fgr/ana", "write how many of whom"},
      {"approval 1 of", "write how many of whom"},
      {"approval", "nothing stands after 'approval'"},
      {"approval 1 of ana", "'ana' is no member"},
      {"approval 1 of mx.fgr/ana, mx.fgr/ana", "'mx.fgr/ana' stands there twice"},
      {"approval 2 of mx.fgr/ana", "2 of 1 approvers"},
      {"approval 0 of mx.fgr/ana", "0 of 1 approvers: at least one is needed"},
      {"emergency yes", "'emergency' is 'never' or 'allowed'"},
      {"onward always", "'onward' is 'ask', 'never' or 'within-country'"},
      {"co-recipients visible", "'co-recipients' is 'hidden' or 'shown'"},
      {"approval-hours 24", "there is no line 'approval'"},
      {"emergency allowed", "there is no line 'approval' that an emergency could do without"},
      {"approvals 1 of mx.fgr/ana", "did you mean 'approval'?"},
      {"break-glass allowed", "did you mean 'emergency'?"},
      {"third-agency ask", "did you mean 'onward'?"},
      {"audience-shown yes", "did you mean 'co-recipients'?"},
      {"approval-hour 3", "did you mean 'approval-hours'?"},
  };
  for (const auto& [line, message] : cases)
    EXPECT_THAT(Errors(With(line)), ElementsAre(AllOf(StartsWith("4: "), HasSubstr(message)))) << line;
  for (const char* hours : {"0", "721", "three", "1.5"})
    EXPECT_THAT(Errors(With("approval 1 of mx.fgr/ana\napproval-hours " + std::string(hours))),
                ElementsAre(AllOf(StartsWith("5: "), HasSubstr("1 to 720"))))
        << hours;
  EXPECT_THAT(Errors(With("onward ask\nonward ask")), ElementsAre(HasSubstr("'onward' stands already on line 4")));
  EXPECT_THAT(Errors(With("approval 1 of mx.fgr/ana\napproval 1 of mx.fgr/ana")),
              ElementsAre(HasSubstr("an approver is in two groups")));
}

}  // namespace
}  // namespace valija::policy
