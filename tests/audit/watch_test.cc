// What an auditor is woken for.
#include "audit/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "tests/audit/acting_log.h"
#include "tests/core/text/spoken.h"

namespace valija::test {
namespace {

using audit::Alarm;
using audit::Watch;
using audit::WatchRules;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WatchTest : public ::testing::Test {
 protected:
  std::vector<Alarm> Alarms(const WatchRules& rules, std::optional<Time> now = {}) {
    TempFolder folder;
    log.Export(folder.path());
    Watch watch(rules);
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    options.observe = [&](const ledger::Entry& entry, const ledger::State& after) { watch.Take(entry, after); };
    audit::Verifier verifier(options);
    const auto report = verifier.Pass().value();
    EXPECT_TRUE(report.proved());
    for (int i = 0; i < 2; ++i)
      watch.Look(verifier.state(), report.last_time, now.value_or(log.world.now));  // told once
    return watch.TakeAlarms();
  }
  static std::vector<std::string> Codes(const std::vector<Alarm>& alarms) {
    std::vector<std::string> out;
    for (const auto& alarm : alarms)
      out.push_back((alarm.entry ? std::to_string(*alarm.entry) : std::string("log")) + ":" + alarm.code);
    return out;
  }
  std::string Last(const char* code) const { return std::to_string(log.Last()) + ":" + code; }

  ActingLog log;
  Digest record = log.Share("mx.fgr/admin");
};

TEST_F(WatchTest, ManyOpeningsOfOneMemberAreAnAlarmOnceUntilTheyWereFewer) {
  WatchRules rules;
  rules.bulk = 3;
  log.At("2026-11-25T10:00:00Z");
  log.Open("us.dea/ana", record);
  log.Open("us.dea/luz", record);
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Alarms(rules), IsEmpty());
  log.Open("us.dea/ana", record);
  const auto third = Last("bulk-openings");
  log.Open("us.dea/ana", record);
  auto alarms = Alarms(rules);
  EXPECT_THAT(Codes(alarms), ElementsAre(third));
  EXPECT_EQ(alarms[0].member, "us.dea/ana");
  EXPECT_EQ(alarms[0].count, 3u);
  EXPECT_EQ(alarms[0].minutes, 60u);
  log.At("2026-11-25T12:00:00Z");
  for (int i = 0; i < 3; ++i) log.Open("us.dea/ana", record);
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(third, Last("bulk-openings")));
  rules.since = log.Last();
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(Last("bulk-openings"))) << "what came before fills the window";
}

TEST_F(WatchTest, RefusalsThatSayNothingAreProbesOthersAreNot) {
  WatchRules rules;
  rules.probes = 2;
  log.Open("us.dea/ana", record, {0}, "analysis");
  log.Open("us.dea/ana", record, {0}, "analysis");
  log.Open("us.dea/ana", log.world.random.Make<Digest>());
  EXPECT_THAT(Alarms(rules), IsEmpty());
  log.Open("us.dea/ana", record, {7});  // there is no such portion
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(Last("probing")));
}

TEST_F(WatchTest, HoursAreLocalAndMayGoOverMidnight) {
  WatchRules rules;
  log.At("2026-11-25T13:30:00Z");  // a Wednesday
  log.Open("us.dea/ana", record);
  rules.hours = audit::ParseHours("7-20");
  EXPECT_THAT(Alarms(rules), IsEmpty());
  rules.utc_offset = audit::ParseUtcOffset("-07:00").value();
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(Last("odd-hours")));
  rules.hours = audit::ParseHours("22-7");
  EXPECT_THAT(Alarms(rules), IsEmpty());
  rules.hours.reset();
  rules.weekdays = true;
  EXPECT_THAT(Alarms(rules), IsEmpty());
  log.At("2026-11-28T02:00:00Z");  // Saturday in UTC, Friday there
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Alarms(rules), IsEmpty());
  rules.utc_offset = {};
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(Last("odd-hours")));
}

TEST_F(WatchTest, HoursAndOffsetsAreReadStrictly) {
  for (const char* bad : {"", "7", "7-", "-20", "7-25", "24-3", "7-7", "7 - 20", "a-b", "7-20-3"})
    EXPECT_FALSE(audit::ParseHours(bad)) << bad;
  EXPECT_EQ(audit::ParseHours("0-24"), std::pair(0U, 24U));
  for (const char* bad : {"", "6", "06:00", "-6:00", "-15:00", "-06:60", "-06-00", "-06:00 "})
    EXPECT_FALSE(audit::ParseUtcOffset(bad)) << bad;
  EXPECT_EQ(audit::ParseUtcOffset("+05:30"), std::chrono::minutes(330));
}

TEST_F(WatchTest, AnEmergencyIsToldAndAgainWhenNobodyReviewsIt) {
  const auto guarded = log.ShareGuarded("mx.fgr/admin");
  log.At("2026-11-25T10:00:00Z");
  const auto opened = log.Open("us.dea/ana", guarded, {0}, "investigation", "a life");
  const auto at = std::to_string(log.Last());
  log.Open("us.dea/ana", guarded, {0}, "investigation", "another");  // locked until the review
  const auto refused = Last("emergency-refused");
  EXPECT_THAT(Codes(Alarms({})), ElementsAre(at + ":emergency", refused));
  WatchRules rules;
  rules.quiet = std::chrono::hours(1000);
  EXPECT_THAT(Codes(Alarms(rules, *ParseTime("2026-11-26T10:00:00Z"))),
              ElementsAre(at + ":emergency", refused, at + ":review-overdue"));
  log.At("2026-11-26T09:00:00Z");
  log.Review("mx.fgr/audit", opened);
  EXPECT_THAT(Codes(Alarms(rules, *ParseTime("2026-11-27T10:00:00Z"))), ElementsAre(at + ":emergency", refused));
}

TEST_F(WatchTest, StandingOrdersInForceAreToldThoseThatEndedAreNot) {
  const auto ended = log.Order("us.dea/ana");
  log.Log(log.world.Revoke("us.dea/ana", ended));
  log.Order("us.dea/luz", std::chrono::hours(2));
  log.Order("us.dea/ana", std::chrono::hours(48));
  WatchRules rules;
  rules.quiet = std::chrono::hours(1000);
  EXPECT_THAT(Codes(Alarms(rules, log.world.now + std::chrono::hours(3))), ElementsAre(Last("standing-order")));
}

TEST_F(WatchTest, ALogThatDoesNotGrowIsToldOnce) {
  WatchRules rules;
  EXPECT_THAT(Alarms(rules, log.world.now + std::chrono::minutes(59)), IsEmpty());
  const auto alarms = Alarms(rules, log.world.now + std::chrono::minutes(61));
  EXPECT_THAT(Codes(alarms), ElementsAre("log:quiet"));
  EXPECT_EQ(alarms[0].minutes, 61u);
}

TEST_F(WatchTest, LinesNameTheCodeInBothLanguagesAndJsonInNone) {
  const Alarm alarm{"probing", 7, "us.dea/ana", *ParseTime("2026-11-25T10:00:00Z"), 12, 60};
  const auto json = audit::AlarmJson(alarm);
  EXPECT_EQ(json,
            "{\"alarm\":\"probing\",\"time\":\"2026-11-25T10:00:00Z\",\"entry\":7,\"member\":\"us.dea/ana\","
            "\"count\":12,\"minutes\":60}");
  EXPECT_THAT(audit::AlarmText(alarm), HasSubstr("us.dea/ana was refused 12"));
  EXPECT_THAT(audit::AlarmText(alarm), HasSubstr("[probing]"));
  text::Spoken spoken(text::Language::kSpanish);
  EXPECT_EQ(audit::AlarmJson(alarm), json);
  EXPECT_THAT(audit::AlarmText(alarm), HasSubstr("asiento 7"));
  for (const char* code :
       {"bulk-openings", "odd-hours", "emergency", "emergency-refused", "review-overdue", "standing-order", "quiet"}) {
    EXPECT_THAT(audit::AlarmText({code, 7, "us.dea/ana", alarm.time, 1, 1}), HasSubstr(std::string("[") + code + "]"));
  }
}

}  // namespace
}  // namespace valija::test
