// A card whose small counts are hidden, read by somebody who has the card alone and wants to know them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "audit/commands.h"
#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using audit::Card;
using audit::Hidden;
using audit::Line;
using audit::Scorecard;
using ::testing::HasSubstr;
using ::testing::Not;

// What is printed of the figures of a card with one line, by code: "12", "<3", "*".
using Shown = std::map<std::string, std::string>;

// As docs/audit.md defines the figures: those of which each counts some of what another one counts.
const std::vector<std::vector<std::string>> kFamilies = {
    {"shared", "shared-records", "opened-portions", "opened-records", "first-openings"},
    {"shared", "shared-grants", "opened-portions", "opened-records", "first-openings"},
    {"asked", "answered"},
    {"asked", "overdue"},
    {"emergencies", "reviewed"},
    {"emergencies", "unreviewed"},
    {"recalls", "asked-to-erase", "erased", "outcome:erased"},
    {"acknowledged", "outcome:erased"},
    {"acknowledged", "outcome:useful"},
    {"refused", "refused:expired"},
    {"refused", "refused:revoked"},
    {"access-asked", "access-granted"},
    {"access-asked", "access-not-granted"}};
const std::vector<std::pair<std::string, std::vector<std::string>>> kSums = {
    {"shared", {"shared-records", "shared-grants"}},
    {"emergencies", {"reviewed", "unreviewed"}},
    {"acknowledged", {"outcome:erased", "outcome:useful"}},
    {"refused", {"refused:expired", "refused:revoked"}},
    {"access-asked", {"access-granted", "access-not-granted"}}};

// ---- the four formats, read back ----

Shown FromCsv(const std::string& csv) {
  Shown out;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, Not(HasSubstr("entries")));
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    for (std::size_t at = line.find('"'); at != line.npos; at = line.find('"', at)) {
      const auto end = line.find('"', at + 1);
      cells.push_back(line.substr(at + 1, end - at - 1));
      at = end + 1;
    }
    EXPECT_EQ(cells.size(), 5u) << line;
    if (cells.size() == 5) out[cells[3]] = cells[4];
  }
  return out;
}

Shown FromJson(const std::string& text) {
  Shown out;
  EXPECT_THAT(text.substr(text.find("\"pairs\"")), Not(HasSubstr("\"entries\"")));
  const auto json = nlohmann::json::parse(text);
  const auto& pair = json["pairs"][0];
  auto shown = [](const nlohmann::json& one, const char* value) {
    return one.contains("hidden") ? one["hidden"].get<std::string>() : std::to_string(one[value].get<std::int64_t>());
  };
  for (const auto& [code, one] : pair["counts"].items()) out[code] = shown(one, "value");
  for (const auto& [code, one] : pair["minutes"].items()) {
    const bool hidden = one.contains("hidden");
    out[code + "-median"] = hidden ? "*" : shown(one, "median");
    out[code + "-p90"] = hidden ? "*" : shown(one, "p90");
    EXPECT_EQ(one.contains("samples"), !hidden);
  }
  return out;
}

std::map<std::string, std::string> CodesByName(const Card& card) {
  std::map<std::string, std::string> out;
  for (const auto& code : audit::CodesOf(card.lines[0])) out[audit::FigureName(code)] = code;
  for (const auto& [code, counted] : audit::kMinutes) {
    out[audit::MinutesName(std::string(code), true)] = std::string(code) + "-median";
    out[audit::MinutesName(std::string(code), false)] = std::string(code) + "-p90";
  }
  return out;
}

std::string Plain(std::string html) {
  for (auto at = html.find("&lt;"); at != html.npos; at = html.find("&lt;")) html.replace(at, 4, "<");
  return html;
}

Shown FromHtml(const Card& card, const std::string& page) {
  Shown out;
  const auto codes = CodesByName(card);
  const std::string row = "<tr><th scope=\"row\">", cell = "</th><td class=\"n\">";
  for (auto at = page.find(row); at != page.npos; at = page.find(row, at + 1)) {
    const auto name = at + row.size(), between = page.find(cell, name), value = between + cell.size();
    const auto end = page.find("</td>", value);
    EXPECT_EQ(page.substr(end, 11), "</td></tr>\n") << "no cell of entries";
    const auto code = codes.find(page.substr(name, between - name));
    if (code != codes.end()) out[code->second] = Plain(page.substr(value, end - value));
  }
  // The charts say nothing else, and what is hidden has no bar.
  const std::string title = "<title>mx.fgr to us.dea: ";
  for (auto at = page.find(title); at != page.npos; at = page.find(title, at + 1)) {
    const auto from = at + title.size();
    const auto text = Plain(page.substr(from, page.find("</title>", from) - from));
    const auto space = text.rfind(' ');
    const auto value = text.substr(space + 1);
    const auto code = codes.find(text.substr(0, space));
    if (code != codes.end()) EXPECT_EQ(value, out[code->second]) << text;
    if (value.find_first_of("<*") == value.npos) continue;
    const auto rect = page.rfind("<rect", at);
    EXPECT_THAT(page.substr(rect, at - rect), HasSubstr("width=\"0\"")) << text;
  }
  return out;
}

Shown FromText(const Card& card, const std::string& table) {
  Shown out;
  const auto codes = CodesByName(card);
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);)
    for (const auto& [name, code] : codes) {
      const auto at = line.find("us.dea  " + name + "  ");
      if (at == line.npos) continue;
      std::istringstream rest(line.substr(at + 8 + name.size()));
      std::string more;
      rest >> out[code];
      EXPECT_FALSE(rest >> more) << line;
    }
  for (const auto& code : audit::CodesOf(card.lines[0])) out.try_emplace(code, "0");  // the table leaves these out
  return out;
}

// ---- the attack ----

std::optional<std::uint64_t> Number(const Shown& shown, const std::string& code) {
  const auto at = shown.find(code);
  if (at == shown.end() || at->second.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoull(at->second);
}

// `truth` is what the figures are.
void Attack(const std::map<std::string, std::uint64_t>& truth, const Shown& shown, std::uint64_t below) {
  auto value = [&](const std::string& code) {
    const auto at = truth.find(code);
    return at == truth.end() ? 0 : at->second;
  };
  auto is_small = [&](std::uint64_t number) { return number > 0 && number < below; };
  auto is_sum = [](const std::string& code) {
    return std::any_of(kSums.begin(), kSums.end(), [&](const auto& sum) { return sum.first == code; });
  };
  for (const auto& [code, number] : truth) {
    const auto told = Number(shown, code);
    if (told) EXPECT_EQ(*told, number) << code << ": hidden or true";
    if (is_small(number)) EXPECT_FALSE(told) << code;
  }
  for (const auto& family : kFamilies) {
    std::vector<std::pair<std::string, std::uint64_t>> told;
    for (const auto& code : family)
      if (const auto number = Number(shown, code); number && *number > 0) told.emplace_back(code, *number);
    for (const auto& [one, a] : told)
      for (const auto& [other, b] : told)
        EXPECT_FALSE(is_small(a > b ? a - b : 0)) << one << " less " << other << " leaves " << a - b;
    for (const auto& hidden : family) {
      if (Number(shown, hidden) || is_sum(hidden)) continue;
      for (const auto& [one, a] : told) EXPECT_NE(a, value(hidden)) << one << " tells what " << hidden << " is";
    }
  }
  for (const auto& [whole, parts] : kSums) {
    std::uint64_t hidden = 0, known = 0, most = 0, parts_there = 0;
    bool all_below = true;
    for (const auto& part : parts) {
      if (value(part) == 0) continue;
      ++parts_there;
      if (const auto number = Number(shown, part)) {
        known += *number;
        continue;
      }
      ++hidden;
      most += below - 1;
      all_below = all_below && shown.at(part)[0] == '<';
    }
    const auto total = Number(shown, whole);
    EXPECT_FALSE(hidden == 1 && total) << whole << " less what is shown of it leaves " << *total - known;
    EXPECT_FALSE(hidden > 1 && total && all_below && (*total - known == most || *total - known == hidden)) << whole;
    if (hidden > 1 && parts_there == hidden && all_below)
      EXPECT_NE(shown.at(whole)[0], '<') << whole << ": so small a sum of as many leaves no choice";
  }
  const auto asked = Number(shown, "asked"), answered = Number(shown, "answered"), overdue = Number(shown, "overdue");
  if (asked && answered && overdue && *answered > 0 && *overdue > 0 && *asked > *answered + *overdue)
    EXPECT_FALSE(is_small(*asked - *answered - *overdue)) << "how many wait";
}

void AttackAllFormats(const Card& open, std::uint64_t below) {
  ASSERT_EQ(open.lines.size(), 1u);
  std::map<std::string, std::uint64_t> truth;
  for (const auto& [code, count] : open.lines[0].counts) truth[code] = count.value;
  Card card = open;
  card.suppress_below = below;
  audit::Suppress(card);
  const auto show = [&](const char* format) { return audit::ShowCard(card, format, true); };
  const auto csv = FromCsv(show("csv"));
  SCOPED_TRACE(show("csv"));
  Attack(truth, csv, below);
  EXPECT_EQ(FromJson(show("json")), csv);
  EXPECT_EQ(FromHtml(card, show("html")), csv);
  EXPECT_EQ(FromText(card, show("table")), csv);
  for (const auto& [times, counted] : audit::kMinutes)
    if (open.lines[0].minutes.contains(std::string(times)))
      EXPECT_EQ(csv.at(std::string(times) + "-median") == "*", !Number(csv, std::string(counted)));
}

// ---- logs ----

class SuppressionTest : public ::testing::Test {
 protected:
  Card Report(std::uint64_t suppress_below = 0) {
    TempFolder folder;
    log.Export(folder.path());
    audit::Options options;
    options.folder = folder.path();
    options.charter = log.charter;
    return audit::Score(options, {}, suppress_below).value();
  }
  static std::string ShownOf(const Card& card, const char* code) {
    return audit::ShownValue(card.lines.at(0).counts.at(code), card.suppress_below);
  }

  ActingLog log;
};

TEST_F(SuppressionTest, SmallCountsAreHiddenAndSoIsWhatWouldGiveThemAway) {
  std::vector<Digest> records;
  for (int i = 0; i < 6; ++i) records.push_back(log.Share("mx.fgr/admin"));
  for (std::size_t i = 0; i < 5; ++i) log.Open("us.dea/ana", records[i]);
  for (int i = 0; i < 4; ++i) log.Open("us.dea/ana", records[0], {0}, "analysis");
  log.Log(log.world.Revoke("mx.fgr/admin", records[1]));
  log.Open("us.dea/ana", records[1]);
  const auto card = Report(3);
  EXPECT_EQ(ShownOf(card, "shared"), "6");
  EXPECT_EQ(ShownOf(card, "shared-grants"), "0");
  EXPECT_EQ(ShownOf(card, "refused:revoked"), "<3");
  EXPECT_EQ(ShownOf(card, "refused:wrong-purpose"), "4");
  EXPECT_EQ(ShownOf(card, "refused"), "*") << "5 - 4 would be what is hidden";
  EXPECT_EQ(ShownOf(card, "first-openings"), "*") << "6 - 5 would say how many were never opened";
  EXPECT_EQ(ShownOf(card, "opened-records"), "*") << "and so would these, as each was opened for the first time";
  EXPECT_EQ(ShownOf(card, "opened-portions"), "*");
  AttackAllFormats(Report(), 3);
  EXPECT_EQ(Report().lines.at(0).counts.at("refused").hidden, Hidden::kNo);
}

TEST_F(SuppressionTest, NoListOfEntriesIsAsLongAsAHiddenCount) {
  for (int i = 0; i < 2; ++i) {  // two recalls, which ask five holders each
    const auto record = log.Share("mx.fgr/admin");
    for (const char* who : {"us.dea/ana", "us.dea/luz", "us.dea/admin"}) log.Open(who, record);
    log.Recall("mx.fgr/admin", record);
  }
  const auto open = Report();
  ASSERT_EQ(open.lines.at(0).counts.at("recalls").value, 2u);
  ASSERT_EQ(open.lines.at(0).counts.at("asked-to-erase").value, 6u);
  ASSERT_EQ(open.lines.at(0).counts.at("asked-to-erase").entries.size(), 2u);
  const auto card = Report(3);
  EXPECT_EQ(ShownOf(card, "recalls"), "<3");
  EXPECT_EQ(ShownOf(card, "asked-to-erase"), "6");
  AttackAllFormats(open, 3);
}

TEST_F(SuppressionTest, WhoErasedIsNotToldByTheOutcomes) {
  for (int i = 0; i < 5; ++i) {
    const auto record = log.Share("mx.fgr/admin");
    log.Open("us.dea/ana", record);
    log.Recall("mx.fgr/admin", record);
    if (i < 4) log.Acknowledge("us.dea/ana", record, "erased");
  }
  const auto card = Report(3);
  EXPECT_EQ(ShownOf(card, "asked-to-erase"), "5");
  EXPECT_EQ(ShownOf(card, "erased"), "*");
  EXPECT_EQ(ShownOf(card, "outcome:erased"), "*");
  EXPECT_EQ(ShownOf(card, "acknowledged"), "*");
  AttackAllFormats(Report(), 3);
}

TEST_F(SuppressionTest, TheCountOfWhatWasNotFoundIsHiddenTooAndItsEntries) {
  log.Open("us.dea/ana", log.world.random.Make<Digest>());
  const auto card = Report(3);
  EXPECT_THAT(audit::ShowCard(card, "csv", true), HasSubstr("\"not-found\",\"<3\"\r\n"));
  EXPECT_THAT(audit::ShowCard(card, "json", true), HasSubstr("\"hidden\": \"<3\""));
}

// As many cards as no log of a test gives. What a figure counts some of is not less than it.
TEST(Suppression, NoCardGivesASmallCountAway) {
  std::mt19937 random(20261130);
  auto upto = [&](std::uint64_t most) { return std::uint64_t{random() % (most + 1)}; };
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t below = 3 + upto(4), most = round % 2 == 0 ? 9 : 40;
    Card card;
    Line line{"2026-11", *AgencyId::Parse("mx.fgr"), *AgencyId::Parse("us.dea"), {}, {}};
    auto put = [&](const char* code, std::uint64_t value) {
      std::vector<std::uint64_t> entries(value);
      for (auto& entry : entries) entry = 1000 + upto(1000);
      std::sort(entries.begin(), entries.end());
      line.counts[code] = {value, entries, Hidden::kNo};
      return value;
    };
    for (const auto code : audit::kFigures) put(std::string(code).c_str(), 0);
    const auto records = put("shared-records", upto(most)), grants = put("shared-grants", upto(3));
    const auto shared = put("shared", records + grants);
    const auto first = put("first-openings", shared - std::min(shared, upto(4)));
    const auto opened = put("opened-records", first + (upto(2) == 0 ? upto(5) : 0));
    put("opened-portions", opened + (upto(1) == 0 ? upto(9) : 0));
    const auto asked = put("asked", upto(most)), answered = put("answered", asked - std::min(asked, upto(6)));
    put("overdue", upto(asked - answered));
    put("refused", put("refused:expired", upto(most)) + put("refused:revoked", upto(6)));
    put("emergencies", put("reviewed", upto(most)) + put("unreviewed", upto(4)));
    const auto recalls = put("recalls", upto(most)), holders = put("asked-to-erase", recalls + upto(4));
    const auto erased = put("erased", holders - std::min(holders, upto(5)));
    put("acknowledged", put("outcome:erased", erased + upto(2)) + put("outcome:useful", upto(most)));
    put("access-asked", put("access-granted", upto(most)) + put("access-not-granted", upto(4)));
    if (first > 0) line.minutes["to-first-opening"] = {std::vector<Duration>(first, std::chrono::minutes(77)), {1}, {}};
    card.lines.push_back(line);
    AttackAllFormats(card, below);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace valija::test
