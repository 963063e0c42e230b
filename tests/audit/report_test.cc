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

// Both capitals: another copy of the log, taken otherwise, another run.
TEST(Report, TheSameLogGivesTheSameBytes) {
  ActingLog log;
  const auto record = log.Share("mx.fgr/admin");
  TempFolder grown, fresh;
  log.Export(grown.path());
  for (int i = 0; i < 300; ++i) log.Open("us.dea/ana", record);
  log.Export(grown.path());  // over the one before, whose partial files stay
  log.Export(fresh.path());
  auto run = [&](const TempFolder& folder, const char* format) {
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    return audit::ShowCard(audit::Score(options, {}, 0).value(), format, true);
  };
  for (const char* format : {"json", "csv", "html", "table"}) {
    const auto first = run(grown, format);
    EXPECT_EQ(first, run(grown, format));
    EXPECT_EQ(first, run(fresh, format));
    EXPECT_THAT(first, HasSubstr("300"));
  }
}

}  // namespace
}  // namespace valija::test
