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
    for (int i = 0; i < 2; ++i) watch.Look(verifier.state(), now.value_or(log.world.now));  // told once
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

TEST_F(WatchTest, ToAskForAccessToWhatIsNotThereOrNotForOneIsAProbeToo) {
  WatchRules rules;
  rules.probes = 2;
  log.AskFor("us.dea/ana", record);  // may be known of
  log.AskFor("us.dea/ana", log.world.random.Make<Digest>());
  EXPECT_THAT(Alarms(rules), IsEmpty());
  auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("mx.fgr")});
  log.Log(sent.statement);
  log.AskFor("us.dea/ana", sent.statement->digest);
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

TEST_F(WatchTest, ANightIsOfTheDayOnWhichItBegins) {
  WatchRules rules;
  rules.hours = audit::ParseHours("20-4");
  rules.weekdays = true;
  log.At("2026-11-28T02:00:00Z");  // Saturday: Friday's night
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Alarms(rules), IsEmpty());
  log.At("2026-11-28T21:00:00Z");
  log.Open("us.dea/ana", record);
  const auto saturday = Last("odd-hours");
  log.At("2026-11-30T02:00:00Z");  // Monday: Sunday's night
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(saturday, Last("odd-hours")));
}

TEST_F(WatchTest, HoursAndOffsetsAreReadStrictly) {
  for (const char* bad : {"", "7", "7-", "-20", "7-25", "24-3", "7-7", "7 - 20", "a-b", "7-20-3"})
    EXPECT_FALSE(audit::ParseHours(bad)) << bad;
  EXPECT_EQ(audit::ParseHours("0-24"), std::pair(0U, 24U));
  for (const char* bad :
       {"", "6", "06:00", "-6:00", "-15:00", "-06:60", "-06-00", "-06:00 ", "+14:59", "+14:01", "-12:30", "-14:00"})
    EXPECT_FALSE(audit::ParseUtcOffset(bad)) << bad;
  EXPECT_EQ(audit::ParseUtcOffset("+05:30"), std::chrono::minutes(330));
  EXPECT_EQ(audit::ParseUtcOffset("+14:00"), std::chrono::hours(14));
  EXPECT_EQ(audit::ParseUtcOffset("-12:00"), std::chrono::hours(-12));
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

TEST_F(WatchTest, AnEmergencyThatWasReviewedTooLateBetweenTwoLooksIsTold) {
  const auto guarded = log.ShareGuarded("mx.fgr/admin");
  log.At("2026-11-25T10:00:00Z");
  const auto opened = log.Open("us.dea/ana", guarded, {0}, "investigation", "a life");
  const auto at = std::to_string(log.Last());
  log.At("2026-11-26T10:00:00Z");
  log.Review("mx.fgr/audit", opened);
  const auto alarms = Alarms({});
  EXPECT_THAT(Codes(alarms), ElementsAre(at + ":emergency", Last("review-late")));
  EXPECT_EQ(alarms.back().minutes, 24u * 60);
  EXPECT_EQ(alarms.back().member, "us.dea/ana");
}

TEST_F(WatchTest, AStandingOrderIsToldWhenItIsGivenAlsoIfItEndedSince) {
  log.At("2026-11-25T10:00:00Z");
  const auto ended = log.Order("us.dea/ana");
  const auto given = std::to_string(log.Last()) + ":standing-order";
  log.OpenUnder(ended, "us.dea/ana", record);
  log.Log(log.world.Revoke("us.dea/ana", ended));
  WatchRules rules;
  rules.quiet = std::chrono::hours(1000);
  const auto alarms = Alarms(rules, log.world.now + std::chrono::hours(3));
  EXPECT_THAT(Codes(alarms), ElementsAre(given));
  EXPECT_EQ(alarms.at(0).time, *ParseTime("2026-11-25T10:00:00Z"));
  rules.since = log.Last() + 1;
  EXPECT_THAT(Alarms(rules), IsEmpty());
}

TEST_F(WatchTest, WhatStillStandsIsToldWhereverItBegan) {
  const auto guarded = log.ShareGuarded("mx.fgr/admin");
  log.Open("us.dea/ana", guarded, {0}, "investigation", "a life");
  const auto emergency = std::to_string(log.Last());
  log.Order("us.dea/luz", std::chrono::hours(2));
  const auto order = Last("standing-order");
  log.Share("mx.fgr/admin");
  WatchRules rules;
  rules.quiet = std::chrono::hours(1000);
  rules.since = log.Last() + 1;
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(emergency + ":emergency", order));
  EXPECT_THAT(Codes(Alarms(rules, log.world.now + std::chrono::hours(25))),
              ElementsAre(emergency + ":emergency", emergency + ":review-overdue"));
}

TEST_F(WatchTest, OpeningsUnderOrdersAreABulkOfTheirOwn) {
  const auto order = log.Order("us.dea/ana");
  WatchRules rules;
  rules.bulk = 3;
  rules.since = log.Last() + 1;
  log.Open("us.dea/ana", record);
  log.Open("us.dea/ana", record);
  log.OpenUnder(order, "us.dea/ana", record);
  log.OpenUnder(order, "us.dea/ana", log.Share("mx.fgr/admin"));
  const auto standing = [&] {
    auto codes = Codes(Alarms(rules));
    std::erase_if(codes, [](const auto& code) { return code.ends_with(":standing-order"); });
    return codes;
  };
  EXPECT_THAT(standing(), IsEmpty());
  log.OpenUnder(order, "us.dea/ana", log.Share("mx.fgr/admin"));
  EXPECT_THAT(standing(), ElementsAre(Last("bulk-standing-openings")));
}

TEST_F(WatchTest, WhatIsReleasedWithoutTheQuorumOfWitnessesIsTold) {
  log.LetGoWithoutWitnesses();
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Alarms({}), IsEmpty());
  log.without_quorum = true;
  log.Open("us.dea/ana", record);
  const auto opened = Last("unwitnessed");
  log.Open("us.dea/ana", record, {0}, "analysis");  // refused: nothing is released
  EXPECT_THAT(Codes(Alarms({})), ElementsAre(opened));
}

TEST_F(WatchTest, ALogThatDoesNotGrowIsToldOnce) {
  WatchRules rules;
  EXPECT_THAT(Alarms(rules, log.world.now + std::chrono::minutes(59)), IsEmpty());
  const auto alarms = Alarms(rules, log.world.now + std::chrono::minutes(61));
  EXPECT_THAT(Codes(alarms), ElementsAre("log:quiet"));
  EXPECT_EQ(alarms[0].minutes, 61u);
}

// Whoever watches looks the log up, and so makes entries.
TEST_F(WatchTest, LookUpsDoNotKeepALogAwake) {
  const auto quiet = log.world.now + std::chrono::minutes(61);
  log.world.now += std::chrono::minutes(50);
  log.LookUp("mx.fgr/audit");
  EXPECT_THAT(Codes(Alarms({}, quiet)), ElementsAre("log:quiet"));
  log.Share("mx.fgr/admin");
  EXPECT_THAT(Alarms({}, quiet), IsEmpty());
}

TEST_F(WatchTest, LinesNameTheCodeInBothLanguagesAndJsonInNone) {
  const Alarm alarm{"probing", 7, "us.dea/ana", *ParseTime("2026-11-25T10:00:00Z"), 12, 60};
  const auto json = audit::AlarmJson(alarm);
  EXPECT_EQ(json,
            "{\"alarm\":\"probing\",\"time\":\"2026-11-25T10:00:00Z\",\"entry\":7,\"member\":\"us.dea/ana\","
            "\"count\":12,\"minutes\":60}");
  EXPECT_THAT(audit::AlarmText(alarm), HasSubstr("us.dea/ana asked within 60 minutes 12 times"));
  EXPECT_THAT(audit::AlarmText(alarm), HasSubstr("[probing]"));
  text::Spoken spoken(text::Language::kSpanish);
  EXPECT_EQ(audit::AlarmJson(alarm), json);
  EXPECT_THAT(audit::AlarmText(alarm), HasSubstr("asiento 7"));
  for (const char* code : {"bulk-openings", "bulk-standing-openings", "unwitnessed", "review-late", "odd-hours",
                           "emergency", "emergency-refused", "review-overdue", "standing-order", "quiet"}) {
    EXPECT_THAT(audit::AlarmText({code, 7, "us.dea/ana", alarm.time, 1, 1}), HasSubstr(std::string("[") + code + "]"));
  }
}

}  // namespace
}  // namespace valija::test
