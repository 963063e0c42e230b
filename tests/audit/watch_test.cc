// What an auditor is woken for.
#include "audit/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/time_zone.h"
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
  rules.utc_offset = [](Time) { return audit::ParseUtcOffset("-07:00").value(); };
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(Last("odd-hours")));
  rules.hours = audit::ParseHours("22-7");
  EXPECT_THAT(Alarms(rules), IsEmpty());
  rules.hours.reset();
  rules.weekdays = true;
  EXPECT_THAT(Alarms(rules), IsEmpty());
  log.At("2026-11-28T02:00:00Z");  // Saturday in UTC, Friday there
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Alarms(rules), IsEmpty());
  rules.utc_offset = nullptr;
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

TEST_F(WatchTest, ATimeZoneKnowsItsSummerTime) {
  const auto zone = audit::UseTimeZone("America/New_York");
  ASSERT_TRUE(zone) << "./do setup installs tzdata";
  WatchRules rules;
  rules.hours = audit::ParseHours("7-20");
  rules.utc_offset = *zone;
  log.At("2026-11-25T11:30:00Z");  // half past six in the winter
  log.Open("us.dea/ana", record);
  EXPECT_THAT(Codes(Alarms(rules)), ElementsAre(Last("odd-hours")));
  EXPECT_EQ((*zone)(*ParseTime("2026-07-25T11:30:00Z")), -std::chrono::hours(4));
  EXPECT_EQ((*zone)(*ParseTime("2026-11-01T05:59:59Z")), -std::chrono::hours(4)) << "to the second";
  EXPECT_EQ((*zone)(*ParseTime("2026-11-01T06:00:00Z")), -std::chrono::hours(5));
  const auto mexico = audit::UseTimeZone("America/Mexico_City").value();
  EXPECT_EQ(mexico(*ParseTime("2022-07-25T12:00:00Z")), -std::chrono::hours(5)) << "there was one";
  EXPECT_EQ(mexico(*ParseTime("2026-07-25T12:00:00Z")), -std::chrono::hours(6)) << "and is none any more";
  ASSERT_TRUE(audit::UseTimeZone("UTC"));
}

TEST_F(WatchTest, AZoneThatTheSystemHasNotIsRefusedAndNotTakenForUtc) {
  for (const char* bad : {"", "America/Nowhere", "EST5EDT,M3.2.0,M11.1.0", ":UTC", "/usr/share/zoneinfo/UTC",
                          "../zoneinfo/UTC", "America", "tzdata.zi", "zone.tab", "UTC\n", "America/Mexico City"})
    EXPECT_EQ(audit::UseTimeZone(bad).error().reason, Reason::kUsage) << bad;
}

TEST_F(WatchTest, AnOpeningThatTheOriginatorIsNotShownInTimeIsAnAlarm) {
  TempFolder folder;
  const auto feed = folder / "feed";
  const auto say = [&](const std::string& line) { std::ofstream(feed, std::ios::app) << line; };
  say("");
  WatchRules rules;
  rules.feeds = {{*AgencyId::Parse("mx.fgr"), feed}};
  Watch watch(rules);
  audit::Options options;
  options.folder = folder / "export";
  options.charter = log.charter;
  options.observe = [&](const ledger::Entry& entry, const ledger::State& after) { watch.Take(entry, after); };
  audit::Verifier verifier(options);
  const auto alarms = [&](Time now) {
    log.Export(folder / "export");
    EXPECT_TRUE(verifier.Pass().value().proved());
    EXPECT_TRUE(watch.LookAtFeeds(now));
    return watch.TakeAlarms();
  };
  const auto line = [](std::uint64_t entry, const Digest& statement) {
    return "{\"entry\":" + std::to_string(entry) + ",\"kind\":\"open\",\"id\":\"" + statement.Hex() + "\"}\n";
  };
  log.At("2026-11-25T10:00:00Z");
  const auto refused = log.Open("us.dea/ana", record, {0}, "analysis");
  const auto shown = log.Open("us.dea/ana", record);
  const auto shown_at = log.Last();
  log.Open("us.dea/luz", record);
  const auto hidden_at = log.Last();
  const auto then = log.world.now;
  say("garbage\n" + line(shown_at, shown));
  EXPECT_THAT(alarms(then + std::chrono::minutes(14)), IsEmpty()) << "in time still";
  auto told = alarms(then + std::chrono::minutes(16));
  ASSERT_THAT(Codes(told), ElementsAre(std::to_string(hidden_at) + ":not-in-custody"));
  EXPECT_EQ(told[0].member, "us.dea/luz");
  EXPECT_EQ(told[0].agency, "mx.fgr");
  EXPECT_THAT(alarms(then + std::chrono::minutes(17)), IsEmpty()) << "once";

  // Another statement under the entry's number is not the opening; a line is read when it has ended.
  const auto third = log.Open("us.dea/ana", record);
  const auto third_at = log.Last(), fourth_at = log.Last() + 1;
  const auto fourth = log.Open("us.dea/ana", record);
  say(line(third_at, refused));
  const auto whole = line(fourth_at, fourth);
  say(whole.substr(0, 20));
  EXPECT_THAT(alarms(log.world.now), IsEmpty());
  say(whole.substr(20));
  EXPECT_THAT(Codes(alarms(log.world.now + std::chrono::minutes(16))),
              ElementsAre(std::to_string(third_at) + ":not-in-custody"));
  EXPECT_NE(third, refused);
  std::filesystem::remove(feed);
  EXPECT_EQ(watch.LookAtFeeds(log.world.now).error().reason, Reason::kFile);
}

TEST_F(WatchTest, AWitnessThatCosignsNoMoreIsToldOnceUntilItIsBack) {
  crypto::SystemRandom random;
  const auto mx = crypto::Ed25519SignKey::Generate(random), us = crypto::Ed25519SignKey::Generate(random);
  const auto named = [](const char* name, const crypto::Ed25519SignKey& key) {
    return std::string("witness ") + name + " " +
           log::Cosigner::Make(std::string(name) + ".example/1", key.verify_key())->Text() + "\n";
  };
  ActingLog watched([&](ledger::Charter& charter) {
    charter.witness_policy = named("mx.fgr", mx) + named("us.dea", us) + "group both all mx.fgr us.dea\nquorum both\n";
    charter.max_checkpoint_age_seconds = 3600;
  });
  Watch watch({});
  const Time begin = *ParseTime("2026-11-25T10:00:00Z");
  const auto at = [&](int minutes) { return begin + std::chrono::minutes(minutes); };
  const auto look = [&](Watch& who, const std::optional<audit::Witnessed>& shown, int minutes) {
    who.LookAtWitnesses(watched.state, shown, at(minutes));
    std::vector<std::string> out;
    for (const auto& alarm : who.TakeAlarms()) out.push_back(alarm.code + " " + alarm.member);
    return out;
  };
  audit::Witnessed both{3, {{"mx.fgr", at(0)}, {"us.dea", at(0)}}, at(0), {}};
  EXPECT_THAT(look(watch, both, 1), IsEmpty());
  audit::Witnessed one{4, {{"mx.fgr", at(50)}}, std::nullopt, {"us.dea"}};
  EXPECT_THAT(look(watch, one, 50), IsEmpty()) << "it may be a little late";
  EXPECT_THAT(look(watch, one, 61), ElementsAre("missing-witness us.dea"));
  EXPECT_THAT(look(watch, one, 62), IsEmpty()) << "once";
  EXPECT_THAT(look(watch, one, 111), ElementsAre("missing-witness mx.fgr"));
  audit::Witnessed back{5, {{"mx.fgr", at(120)}, {"us.dea", at(120)}}, at(120), {}};
  EXPECT_THAT(look(watch, back, 121), IsEmpty());
  EXPECT_THAT(look(watch, back, 181), ElementsAre("missing-witness mx.fgr", "missing-witness us.dea"));

  Watch never({});
  EXPECT_THAT(look(never, std::nullopt, 0), IsEmpty());
  EXPECT_THAT(look(never, std::nullopt, 61), ElementsAre("missing-witness mx.fgr", "missing-witness us.dea"));
  WatchRules rules;
  rules.once = true;
  Watch once(rules);
  EXPECT_THAT(look(once, one, 51), ElementsAre("missing-witness us.dea"));
  WatchRules short_rule;
  short_rule.witness_within = std::chrono::minutes(5);
  Watch strict(short_rule);
  EXPECT_THAT(look(strict, both, 6), ElementsAre("missing-witness mx.fgr", "missing-witness us.dea"));
}

TEST_F(WatchTest, AnExportThatStaysHalfWrittenIsToldOnce) {
  Watch watch({});
  const Time begin = log.world.now;
  for (const int minutes : {0, 30, 59, 60, 61, 90}) watch.Unreadable(begin + std::chrono::minutes(minutes));
  EXPECT_THAT(Codes(watch.TakeAlarms()), ElementsAre("log:unreadable"));
  watch.Look(log.state, begin);
  watch.Unreadable(begin + std::chrono::minutes(91));
  EXPECT_THAT(watch.TakeAlarms(), IsEmpty());
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
  log.OpenUnder(ended, "us.dea/ana", log.Share("mx.fgr/admin"));
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
  for (int i = 0; i < 2; ++i) log.OpenUnder(order, "us.dea/ana", log.Share("mx.fgr/admin"));
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
                           "emergency", "emergency-refused", "review-overdue", "standing-order", "quiet",
                           "missing-witness", "not-in-custody", "unreadable"}) {
    EXPECT_THAT(audit::AlarmText({code, 7, "us.dea/ana", alarm.time, 1, 1}), HasSubstr(std::string("[") + code + "]"));
  }
}

}  // namespace
}  // namespace valija::test
