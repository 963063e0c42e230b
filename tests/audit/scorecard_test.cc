// The figures of a small log, counted by hand.
#include "audit/scorecard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/commands.h"
#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using audit::By;
using audit::Card;
using audit::Line;
using audit::Scorecard;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ScorecardTest : public ::testing::Test {
 protected:
  Result<Card> Report(Scorecard::Settings settings = {}, std::uint64_t suppress_below = 0) {
    TempFolder folder;
    log.Export(folder.path());
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    return audit::Score(options, std::move(settings), suppress_below);
  }
  static Scorecard::Settings Over(By by) {
    Scorecard::Settings out;
    out.by = by;
    return out;
  }
  // Of the pair that the tests share in: mx.fgr to us.dea.
  static const Line& Of(const Card& card, const std::string& period = "2026-11", const std::string& from = "mx.fgr") {
    for (const auto& line : card.lines)
      if (line.period == period && line.from.str() == from) return line;
    throw std::logic_error("no such line");
  }
  static std::uint64_t Value(const Line& line, const std::string& code) {
    const auto at = line.counts.find(code);
    return at == line.counts.end() ? 0 : at->second.value;
  }
  static std::vector<std::uint64_t> Entries(const Line& line, const std::string& code) {
    return line.counts.at(code).entries;
  }

  ActingLog log;
};

TEST_F(ScorecardTest, CountsWhatWasSharedOpenedAndRefused) {
  log.At("2026-11-25T10:00:00Z");
  const auto one = log.Share("mx.fgr/admin");
  const auto shared = log.Last();
  log.At("2026-11-25T10:30:00Z");
  log.Open("us.dea/admin", one);
  const auto first = log.Last();
  log.At("2026-11-25T10:40:00Z");
  log.Open("us.dea/ana", one);  // not the agency's first
  log.At("2026-11-25T11:00:00Z");
  log.Open("us.dea/ana", one, {0}, "analysis");
  const auto refused = log.Last();
  log.At("2026-11-25T12:00:00Z");
  const auto two = log.Share("mx.fgr/admin", {}, 2);
  log.At("2026-11-25T12:10:59Z");
  log.Open("us.dea/admin", two, {0, 1});
  const auto both = log.Last();
  log.At("2026-11-25T13:00:00Z");
  log.Share("us.dea/admin");
  log.Open("mx.fgr/audit", one);  // refused, and nobody else's concern
  const auto card = Report().value();
  ASSERT_THAT(card.lines, SizeIs(2));
  const auto& line = Of(card);
  EXPECT_EQ(Value(line, "shared"), 2u);
  EXPECT_EQ(Value(line, "shared-records"), 2u);
  EXPECT_EQ(Value(line, "shared-grants"), 0u);
  EXPECT_THAT(Entries(line, "shared"), ElementsAre(shared, refused + 1));
  EXPECT_EQ(Value(line, "opened-portions"), 4u);
  EXPECT_EQ(Value(line, "opened-records"), 2u);
  EXPECT_EQ(Value(line, "first-openings"), 2u);
  EXPECT_THAT(Entries(line, "opened-portions"), ElementsAre(first, first + 1, both));
  EXPECT_THAT(Entries(line, "opened-records"), ElementsAre(first, both));
  const auto& minutes = line.minutes.at("to-first-opening");
  EXPECT_EQ(minutes.Median(), 10) << "of 10:59 and 30:00 the first, rounded down";
  EXPECT_EQ(minutes.NinthTenth(), 30);
  EXPECT_THAT(minutes.entries, ElementsAre(first, both));
  EXPECT_EQ(Value(line, "refused"), 1u);
  EXPECT_EQ(Value(line, "refused:wrong-purpose"), 1u);
  EXPECT_THAT(Entries(line, "refused:wrong-purpose"), ElementsAre(refused));
  EXPECT_EQ(Value(Of(card, "2026-11", "us.dea"), "shared"), 1u);
}

TEST_F(ScorecardTest, GrantsReachWhomTheyNameAndTheirFirstOpeningIsTheirOwn) {
  auto& mx = log.world;
  auto sent = mx.Record("mx.fgr/admin", {mx.PolicyFor("mx.fgr")});
  log.Log(sent.statement);
  log.At("2026-11-25T10:00:00Z");
  auto grant = mx.Grant("mx.fgr/admin", sent, mx.PolicyFor("us.dea"));
  log.Log(grant);
  log.At("2026-11-25T11:00:00Z");
  log.Open("us.dea/ana", grant->digest);
  const auto card = Report().value();
  const auto& line = Of(card);
  EXPECT_EQ(Value(line, "shared"), 1u) << "what stays at home is not shared";
  EXPECT_EQ(Value(line, "shared-grants"), 1u);
  EXPECT_EQ(Value(line, "opened-records"), 1u);
  EXPECT_EQ(line.minutes.at("to-first-opening").Median(), 60);
}

TEST_F(ScorecardTest, AQuestionIsAnsweredInTimeOrOverdueAndThenAnsweredLate) {
  auto ask = [](record::Header& header) { header.urgency = record::Urgency::kImmediate; };  // 8 hours
  log.At("2026-11-25T10:00:00Z");
  const auto in_time = log.Share("mx.fgr/admin", ask);
  const auto late = log.Share("mx.fgr/admin", ask);
  const auto late_entry = log.Last();
  const auto ended = log.Share("mx.fgr/admin", ask);
  log.Log(log.world.Revoke("mx.fgr/admin", ended));
  log.At("2026-11-25T12:00:00Z");
  log.Share("us.dea/admin", [&](record::Header& header) { header.in_reply_to = in_time; });
  const auto early = Report().value();
  EXPECT_EQ(Value(Of(early), "overdue"), 0u) << "it is not due yet";
  log.At("2026-11-25T20:00:01Z");
  log.Share("us.dea/admin", [&](record::Header& header) { header.in_reply_to = late; });
  log.Share("us.dea/admin", [&](record::Header& header) { header.in_reply_to = late; });  // the first one counts
  const auto card = Report().value();
  const auto& line = Of(card);
  EXPECT_EQ(Value(line, "asked"), 3u);
  EXPECT_EQ(Value(line, "answered"), 2u);
  EXPECT_EQ(Value(line, "overdue"), 1u);
  EXPECT_THAT(Entries(line, "overdue"), ElementsAre(late_entry));
  EXPECT_EQ(line.minutes.at("to-answer").Median(), 120);
  EXPECT_EQ(line.minutes.at("to-answer").NinthTenth(), 600);
  EXPECT_EQ(Value(Of(card, "2026-11", "us.dea"), "asked"), 0u);
}

TEST_F(ScorecardTest, EmergenciesAndTheirReviewsAreOfTheirOwnPeriods) {
  const auto record = log.ShareGuarded("mx.fgr/admin");
  log.At("2026-11-30T23:30:00Z");
  const auto opened = log.Open("us.dea/ana", record, {0}, "investigation", "a life");
  EXPECT_EQ(Value(Of(Report().value()), "unreviewed"), 1u) << "as of the log's end";
  log.At("2026-12-01T01:00:00Z");
  log.Review("mx.fgr/audit", opened);
  const auto card = Report().value();
  EXPECT_EQ(Value(Of(card), "emergencies"), 1u);
  EXPECT_EQ(Value(Of(card), "unreviewed"), 1u) << "it was not when the month ended";
  EXPECT_EQ(Value(Of(card), "reviewed"), 0u);
  EXPECT_EQ(Value(Of(card, "2026-12"), "reviewed"), 1u);
  EXPECT_EQ(Of(card, "2026-12").minutes.at("to-review").Median(), 90);
  const auto quarter = Report(Over(By::kQuarter)).value();
  EXPECT_EQ(Value(Of(quarter, "2026-Q4"), "unreviewed"), 0u);
}

TEST_F(ScorecardTest, ARecallAsksHoldersAndCountsWhoErased) {
  const auto record = log.Share("mx.fgr/admin");
  log.Open("us.dea/admin", record);
  log.Open("us.dea/ana", record);
  log.Open("us.dea/luz", record);
  log.Acknowledge("us.dea/luz", record, "erased");  // before anybody asked
  log.Acknowledge("us.dea/ana", record, "useful");
  log.Recall("mx.fgr/admin", record);
  const auto recall = log.Last();
  log.Acknowledge("us.dea/ana", record, "erased");
  const auto card = Report().value();
  const auto& line = Of(card);
  EXPECT_EQ(Value(line, "recalls"), 1u);
  EXPECT_EQ(Value(line, "asked-to-erase"), 2u);
  EXPECT_THAT(Entries(line, "asked-to-erase"), ElementsAre(recall));
  EXPECT_EQ(Value(line, "erased"), 1u);
  EXPECT_THAT(Entries(line, "erased"), ElementsAre(log.Last()));
  EXPECT_EQ(Value(line, "acknowledged"), 3u);
  EXPECT_EQ(Value(line, "outcome:erased"), 2u);
  EXPECT_EQ(Value(line, "outcome:useful"), 1u);
}

TEST_F(ScorecardTest, WhoReadsItIsNotToldWhatIsThereOnlyTheOriginatorIs) {
  auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("mx.fgr")});
  log.Log(sent.statement);
  log.Open("us.dea/ana", sent.statement->digest);
  log.Open("us.dea/ana", log.world.random.Make<Digest>());
  const auto asked = log.AskFor("us.dea/ana", sent.statement->digest);
  log.AskFor("us.dea/ana", log.world.random.Make<Digest>());
  const auto card = Report().value();
  EXPECT_THAT(card.lines, IsEmpty());
  ASSERT_THAT(card.not_found, SizeIs(1));
  EXPECT_EQ(card.not_found[0].by.str(), "us.dea");
  EXPECT_EQ(card.not_found[0].count.value, 2u);
  Scorecard::Settings settings;
  settings.originators_view = true;
  auto own = Report(settings).value();
  EXPECT_EQ(Value(Of(own), "refused:not-found"), 1u);
  EXPECT_EQ(Value(Of(own), "access-asked"), 1u);
  EXPECT_EQ(Value(Of(own), "access-not-granted"), 1u);
  log.Log(log.world.Answer("mx.fgr/admin", asked));
  own = Report(settings).value();
  EXPECT_EQ(Value(Of(own), "access-not-granted"), 1u) << "declined or silent, that is one figure";
}

TEST_F(ScorecardTest, AnAccessThatIsGrantedIsCounted) {
  const auto record = log.Share("mx.fgr/admin");
  auto asked = log.world.AskFor("us.dea/ana", record, ledger::Wish::kMarkLess, policy::Tlp::kGreen);
  log.Log(asked);
  log.Log(log.world.Answer("mx.fgr/admin", asked->digest, policy::Tlp::kGreen));
  Scorecard::Settings settings;
  settings.originators_view = true;
  const auto card = Report(settings).value();
  EXPECT_EQ(Value(Of(card), "access-granted"), 1u);
  EXPECT_EQ(Value(Of(card), "access-not-granted"), 0u);
}

TEST_F(ScorecardTest, ALongerLogGivesTheSameFiguresForWhatIsOver) {
  auto ask = [](record::Header& header) { header.urgency = record::Urgency::kImmediate; };
  const auto record = log.ShareGuarded("mx.fgr/admin");
  const auto question = log.Share("mx.fgr/admin", ask);
  log.At("2026-11-30T20:00:00Z");
  log.Share("mx.fgr/admin", ask);  // due in December
  const auto opened = log.Open("us.dea/ana", record, {0}, "investigation", "a life");
  log.At("2026-12-01T00:00:00Z");
  log.Share("us.dea/admin");
  Scorecard::Settings until;
  until.until = *ParseTime("2026-12-01");
  const auto before = Report(until).value();
  log.Review("mx.fgr/audit", opened);
  log.Share("us.dea/admin", [&](record::Header& header) { header.in_reply_to = question; });
  log.Recall("mx.fgr/admin", question);
  const auto after = Report(until).value();
  ASSERT_THAT(before.lines, SizeIs(1));
  ASSERT_THAT(after.lines, SizeIs(1));
  EXPECT_EQ(Value(after.lines[0], "overdue"), 1u);
  EXPECT_EQ(Value(after.lines[0], "unreviewed"), 1u);
  for (const auto& [code, count] : before.lines[0].counts) {
    EXPECT_EQ(Value(after.lines[0], code), count.value) << code;
    EXPECT_EQ(Entries(after.lines[0], code), count.entries) << code;
  }
  EXPECT_EQ(before.as_of, after.as_of);
}

TEST_F(ScorecardTest, PeriodsAreThoseOfTheCalendarInUtc) {
  auto period = [](const char* time, By by) { return audit::PeriodOf(*ParseTime(time), by); };
  EXPECT_EQ(period("2026-12-31T23:59:59.999Z", By::kMonth).name, "2026-12");
  EXPECT_EQ(period("2026-12-31T23:59:59.999Z", By::kMonth).end, *ParseTime("2027-01-01"));
  EXPECT_EQ(period("2026-10-01", By::kQuarter).name, "2026-Q4");
  EXPECT_EQ(period("2026-09-30T23:00:00Z", By::kQuarter).name, "2026-Q3");
  EXPECT_EQ(period("2026-09-30T23:00:00Z", By::kQuarter).end, *ParseTime("2026-10-01"));
  EXPECT_EQ(period("2024-02-29", By::kYear).end, *ParseTime("2025-01-01"));
  EXPECT_EQ(period("2024-02-29", By::kMonth).end, *ParseTime("2024-03-01"));
  EXPECT_EQ(period("2024-02-29", By::kAll).name, "all");
}

TEST_F(ScorecardTest, OnlyPairsThatAreAskedForAndOnlyTheirTime) {
  log.Share("mx.fgr/admin");
  log.At("2026-12-02T00:00:00Z");
  log.Share("mx.fgr/admin");
  log.Share("us.dea/admin");
  Scorecard::Settings settings;
  settings.from = *ParseTime("2026-12-01");
  EXPECT_THAT(Report(settings).value().lines, SizeIs(2));
  settings.agencies = {*AgencyId::Parse("mx.fgr"), *AgencyId::Parse("gt.mp")};
  EXPECT_THAT(Report(settings).value().lines, IsEmpty());
  settings.agencies.pop_back();
  EXPECT_THAT(Report(settings).value().lines, SizeIs(2));
}

TEST_F(ScorecardTest, ALogThatIsNotProvedGivesNoReport) {
  const auto record = log.Share("mx.fgr/admin");
  log.Open("us.dea/ana", record, {0}, "analysis");
  ASSERT_TRUE(Report());
  auto honest = log.entries;
  log.entries.back().decision_bytes[0] ^= 1;
  EXPECT_EQ(Report().error().reason, Reason::kFinding);
  log.entries = honest;
  log.entries.back() = {honest.back().commitment, {}, {}, {}, {}, {}};  // withheld
  EXPECT_EQ(Report().error().reason, Reason::kFinding);
}

}  // namespace
}  // namespace valija::test
