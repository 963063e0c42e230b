// How a scorecard is printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "audit/commands.h"
#include "tests/audit/acting_log.h"
#include "tests/core/text/spoken.h"

namespace valija::test {
namespace {

using audit::Card;
using ::testing::HasSubstr;
using ::testing::Not;

audit::Count Of(std::uint64_t value, std::vector<std::uint64_t> entries) { return {value, std::move(entries), {}}; }

// As no log could make it: every text is hostile.
Card Hostile() {
  Card card;
  card.origin = "<script>alert(1)</script>";
  card.charter = "c\"onload=\"x";
  card.title = "=cmd|' /C calc'!A0 \"quoted\" \xe2\x80\xae<img src=x onerror=y> & \x1b[31m";
  card.root = "00";
  audit::Line line{"2026-11", *AgencyId::Parse("mx.fgr"), *AgencyId::Parse("us.dea"), {}, {}};
  for (const auto code : audit::kFigures) line.counts.emplace(code, Of(0, {}));
  line.counts["shared"] = Of(1234567, {3, 4, 5, 9});
  line.counts["outcome:<b>=1+1</b>"] = Of(1, {9});
  card.names = {{line.from, "</title><svg onload=alert(1)>\xe2\x80\x8f"}, {line.to, "O'Brien & \"Co\""}};
  card.lines.push_back(line);
  return card;
}

TEST(Report, ThePageIsInertWhateverTheLogSays) {
  const auto page = audit::CardHtml(Hostile(), true);
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy\" content=\"default-src 'none'"));
  for (const char* evil : {"<script", "<img", "<svg onload", "<b>", "\xe2\x80\xae", "\xe2\x80\x8f", "\x1b",
                           "onload=\"x", "</title><svg", "\"quoted\""})
    EXPECT_THAT(page, Not(HasSubstr(evil)));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("O&#39;Brien &amp; &quot;Co&quot;"));
  EXPECT_THAT(page, HasSubstr("\\u{202e}"));
  for (const char* network : {"http:", "https:", "url(", "href=", "@import", "<link", "<base"})
    EXPECT_THAT(page, Not(HasSubstr(network)));
}

TEST(Report, ThePageCanBeReadAloudAndItsTagsMatch) {
  const auto page = audit::CardHtml(Hostile(), false);
  EXPECT_THAT(page, HasSubstr("<html lang=\"en\">"));
  EXPECT_THAT(page, HasSubstr("<caption>"));
  EXPECT_THAT(page, HasSubstr("scope=\"col\""));
  EXPECT_THAT(page, HasSubstr("scope=\"row\""));
  EXPECT_THAT(page, HasSubstr("role=\"img\""));
  EXPECT_THAT(page, HasSubstr("1234567"));
  auto count = [&](const std::string& what) {
    std::size_t n = 0;
    for (auto at = page.find(what); at != page.npos; at = page.find(what, at + 1)) ++n;
    return n;
  };
  for (const char* tag : {"table", "caption", "section", "figure", "svg", "tr", "text", "rect", "bdi", "main", "tbody"})
    EXPECT_EQ(count(std::string("<") + tag + ">") + count(std::string("<") + tag + " "),
              count(std::string("</") + tag + ">"))
        << tag;
}

TEST(Report, CsvRunsNoFormulaAndItsLinesAreWhole) {
  const auto csv = audit::CardCsv(Hostile(), true);
  EXPECT_THAT(csv, HasSubstr("\"2026-11\",\"mx.fgr\",\"us.dea\",\"shared\",\"1234567\",\"3-5 9\"\r\n"));
  EXPECT_EQ(csv.find("period"), 1u);
  auto card = Hostile();
  card.lines[0].counts.emplace("outcome:\"\n=1", Of(1, {1}));
  card.lines[0].period = "=1+1";
  EXPECT_THAT(audit::CardCsv(card, false),
              HasSubstr("\r\n\"'=1+1\",\"mx.fgr\",\"us.dea\",\"outcome:\"\"\\x0a=1\",\"1\"\r\n"));
}

TEST(Report, JsonNamesTheEntriesAlwaysAndRunsOfThemAsPairs) {
  const auto json = nlohmann::json::parse(audit::CardJson(Hostile()));
  const auto& shared = json["pairs"][0]["counts"]["shared"];
  EXPECT_EQ(shared["value"], 1234567);
  EXPECT_EQ(shared["entries"].dump(), "[[3,5],9]");
}

TEST(Report, PeopleAreSpokenToInTheirLanguageProgramsAreNot) {
  const auto card = Hostile();
  const auto csv = audit::CardCsv(card, false), json = audit::CardJson(card), page = audit::CardHtml(card, false),
             table = audit::CardText(card, false);
  EXPECT_THAT(table, HasSubstr("SHARED"));
  EXPECT_THAT(table, HasSubstr("mx.fgr"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  text::Spoken spoken(text::Language::kSpanish);
  EXPECT_EQ(audit::CardCsv(card, false), csv);
  EXPECT_EQ(audit::CardJson(card), json);
  EXPECT_THAT(audit::CardHtml(card, false), HasSubstr("<html lang=\"es\">"));
  EXPECT_THAT(audit::CardHtml(card, false), HasSubstr("<h1>Tablero de la cooperación</h1>"));
  EXPECT_THAT(audit::CardText(card, false), HasSubstr("COMPARTIDOS"));
}

audit::Options OptionsFor(const ActingLog& log, const std::filesystem::path& folder) {
  audit::Options out;
  out.folder = folder;
  out.charter = log.charter;
  return out;
}
std::string Printed(const ActingLog& log, const std::filesystem::path& folder, const char* format,
                    const audit::Scorecard::Settings& settings = {}) {
  return audit::ShowCard(audit::Score(OptionsFor(log, folder), settings, 0).value(), format, true);
}
constexpr const char* kFormats[] = {"json", "csv", "html", "table"};

// Both capitals: another copy of the log, taken otherwise, another run.
TEST(Report, TheSameLogGivesTheSameBytes) {
  ActingLog log;
  const auto record = log.Share("mx.fgr/admin");
  TempFolder grown, fresh;
  log.Export(grown.path());
  for (int i = 0; i < 300; ++i) log.Open("us.dea/ana", record);
  log.Export(grown.path());  // over the one before, whose partial files stay
  log.Export(fresh.path());
  for (const char* format : kFormats) {
    const auto first = Printed(log, grown.path(), format);
    EXPECT_EQ(first, Printed(log, grown.path(), format));
    EXPECT_EQ(first, Printed(log, fresh.path(), format));
    EXPECT_THAT(first, HasSubstr("300"));
  }
}

// One capital has the log as it was, the other one as it is after a year and a purge.
TEST(Report, WhatIsOverIsCountedAlikeFromALongerLogAndAfterAPurge) {
  ActingLog log;
  log.At("2026-11-25T10:00:00Z");
  auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
  log.Log(sent.statement);
  const auto shared = log.Last();
  log.Open("us.dea/ana", sent.statement->digest);
  log.Acknowledge("us.dea/ana", sent.statement->digest, "useful");
  TempFolder before, after;
  log.At("2026-12-01T00:00:00Z");
  log.Share("us.dea/admin");
  log.Export(before.path());
  log.Log(log.world.Revoke("mx.fgr/admin", sent.statement->digest));
  log.Log(log.world.Purge("mx.fgr/admin", {BrokerWorld::ErasureOf(*sent.statement)}));
  auto& entry = log.entries.at(shared);
  entry.envelope = ledger::Envelope{entry.envelope->payload_type,
                                    proto::RedactPayload(ledger::Kind::kRecord, entry.envelope->payload).value(),
                                    {},
                                    std::nullopt};
  entry.erased_by = log.Last();
  log.Open("us.dea/ana", sent.statement->digest);
  log.Export(after.path());
  audit::Scorecard::Settings settings;
  settings.until = *ParseTime("2026-12-01");
  // The log's size and root are others.
  const auto without_log = [](std::string text) {
    for (const char* line : {"\"entries\": ", "\"root\": ", "log log"})
      if (const auto at = text.find(line); at != text.npos && text.find("\"pairs\"") > at)
        text.erase(at, text.find('\n', at) - at);
    return text;
  };
  for (const char* format : kFormats) {
    const auto was = Printed(log, before.path(), format, settings), is = Printed(log, after.path(), format, settings);
    if (format != std::string("csv")) {
      EXPECT_NE(was, is) << "they name the log that they were counted from";
    }
    if (format == std::string("csv") || format == std::string("json")) {
      EXPECT_EQ(without_log(was), without_log(is));
    }
    EXPECT_THAT(is, HasSubstr("useful"));
    EXPECT_THAT(is, Not(HasSubstr("refused:purged")));
  }
  // And the months after it count what became of it.
  EXPECT_THAT(Printed(log, after.path(), "csv"), HasSubstr("\"refused:"));
  EXPECT_THAT(Printed(log, before.path(), "csv"), Not(HasSubstr("\"refused:")));
}

TEST(Report, AnAgencyThatIsNoneIsRefusedAndOneThatIsNamedTwiceIsOne) {
  ActingLog log;
  log.Share("mx.fgr/admin");
  TempFolder folder;
  log.Export(folder.path());
  auto of = [&](std::vector<const char*> agencies) {
    audit::Scorecard::Settings settings;
    for (const char* one : agencies) settings.agencies.push_back(*AgencyId::Parse(one));
    return audit::Score(OptionsFor(log, folder.path()), settings, 0);
  };
  for (const auto& typo : {std::vector{"us.dae"}, std::vector{"us.dea", "mx.frg"}}) {
    const auto card = of(typo);
    ASSERT_FALSE(card);
    EXPECT_EQ(card.error().reason, Reason::kUsage);
    EXPECT_THAT(card.error().detail, HasSubstr(typo.back()));
  }
  EXPECT_EQ(audit::CardCsv(of({"us.dea", "us.dea"}).value(), true), audit::CardCsv(of({"us.dea"}).value(), true));
  EXPECT_EQ(of({"us.dea", "us.dea"}).value().lines.size(), 1u);
}

TEST(Report, WhatWasReleasedWithoutTheQuorumIsCounted) {
  ActingLog log;
  const auto record = log.Share("mx.fgr/admin", {}, 2);
  log.LetGoWithoutWitnesses();
  log.Open("us.dea/ana", record);
  log.without_quorum = true;
  log.Open("us.dea/ana", record, {0, 1});
  const auto entry = log.Last();
  log.Open("us.dea/ana", record, {0}, "analysis");
  TempFolder folder;
  log.Export(folder.path());
  const auto card = audit::Score(OptionsFor(log, folder.path()), {}, 0).value();
  const auto& count = card.lines.at(0).counts.at("unwitnessed");
  EXPECT_EQ(count.value, 2u);
  EXPECT_EQ(count.entries, std::vector{entry});
  EXPECT_EQ(card.lines.at(0).counts.at("opened-portions").value, 3u);
  const auto report = audit::Verify(OptionsFor(log, folder.path())).value();
  EXPECT_TRUE(report.proved());
  EXPECT_EQ(report.unwitnessed, 1u) << "of the other one nothing was released";
}

}  // namespace
}  // namespace valija::test
