#include "audit/listing.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/audit/acting_log.h"
#include "tests/core/text/spoken.h"

namespace valija::test {
namespace {

class ListingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
    record = sent.statement->digest;
    log.Log(sent.statement);
    for (const char* purpose : {"investigation", "analysis"}) {
      auto reply = crypto::KemPrivateKey::Generate(log.world.random);
      log.Log(log.world.Open("us.dea/admin", {{record, 0}}, {BrokerWorld::kOrigin, 1, Hash{}}, reply.public_key(),
                             purpose));
    }
    log.Export(folder.path());
  }
  std::vector<audit::Row> List(const audit::Filter& filter) { return audit::List(folder.path(), filter).value(); }

  LyingLog log;
  TempFolder folder;
  Digest record;
};

TEST_F(ListingTest, WithoutAFilterEveryEntryIsThere) { EXPECT_EQ(List({}).size(), 6u); }

TEST_F(ListingTest, FiltersByResultRecordMemberAndTime) {
  audit::Filter refused;
  refused.result = "refused";
  auto rows = List(refused);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].reasons, std::vector<std::string>{"wrong-purpose"});
  EXPECT_EQ(rows[0].author, "us.dea/admin");
  audit::Filter one;
  one.record = record.Hex().substr(0, 8);
  EXPECT_EQ(List(one).size(), 3u);
  audit::Filter member;
  member.member = MemberId::Parse("us.dea/admin");
  EXPECT_EQ(List(member).size(), 3u);  // an epoch and two openings
  audit::Filter late;
  late.from = log.world.now;
  EXPECT_EQ(List(late).size(), 1u);
  audit::Filter early;
  early.until = log.world.now;
  EXPECT_EQ(List(early).size(), 5u);
}

TEST_F(ListingTest, AnAgencySeesItsOwnActsAndThoseOnItsRecords) {
  audit::Filter filter;
  filter.agency = AgencyId::Parse("mx.fgr");
  EXPECT_EQ(List(filter).size(), 4u);  // its epoch, its record, and the two openings of it
}

TEST_F(ListingTest, CsvQuotesEveryCellAndJsonParses) {
  auto rows = List({});
  auto csv = audit::Show(rows, audit::Format::kCsv);
  EXPECT_EQ(csv.find("\"ENTRY\",\"TIME\""), 0u);
  EXPECT_EQ(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')), rows.size() + 1);
  EXPECT_NE(audit::Show(rows, audit::Format::kJson).find("\"wrong-purpose\""), std::string::npos);
  rows[0].note = "=HYPERLINK(\"x\")\x1b[31m";
  csv = audit::Show(rows, audit::Format::kCsv);
  EXPECT_NE(csv.find("\"'=HYPERLINK(\"\"x\"\")\\x1b[31m\""), std::string::npos) << csv;
}

TEST_F(ListingTest, ATableIsForPeopleAndIsInTheirLanguageCsvAndJsonAreNot) {
  const auto rows = List({});
  const auto table = audit::Show(rows, audit::Format::kTable), csv = audit::Show(rows, audit::Format::kCsv),
             json = audit::Show(rows, audit::Format::kJson);
  EXPECT_EQ(table.find("ENTRY  TIME"), 0u);
  EXPECT_NE(table.find(text::TimeText(rows[0].time)), std::string::npos);
  text::Spoken spoken(text::Language::kSpanish);
  const auto spanish = audit::Show(rows, audit::Format::kTable);
  EXPECT_EQ(spanish.find("ASIENTO  HORA"), 0u);
  EXPECT_NE(spanish.find(text::TimeText(rows[0].time)), std::string::npos);
  EXPECT_EQ(audit::Show(rows, audit::Format::kCsv), csv);
  EXPECT_EQ(audit::Show(rows, audit::Format::kJson), json);
}

TEST_F(ListingTest, ACustodyIsOfOneRecordAlone) {
  // Records are sent until two begin with the same digit.
  std::map<char, std::string> by_digit = {{record.Hex()[0], record.Hex()}};
  std::string first, second;
  while (first.empty()) {
    auto sent = log.world.Record("mx.fgr/admin", {log.world.PolicyFor("us.dea")});
    log.Log(sent.statement);
    second = sent.statement->digest.Hex();
    if (auto [at, fresh] = by_digit.emplace(second[0], second); !fresh) first = at->second;
  }
  log.Export(folder.path());
  auto both = audit::Custody(folder.path(), first.substr(0, 1));
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().reason, Reason::kAmbiguous);
  EXPECT_EQ(audit::Custody(folder.path(), "").error().reason, Reason::kAmbiguous);
  EXPECT_EQ(audit::Custody(folder.path(), record.Hex()).value().size(), 3u);
  EXPECT_EQ(audit::Custody(folder.path(), second).value().size(), 1u);
  for (const auto& none : {second + "0", std::string("xyz")})
    EXPECT_EQ(audit::Custody(folder.path(), none).error().reason, Reason::kNotFound);
}

TEST_F(ListingTest, WhatIsSaidOfAnOpeningOfSeveralRecordsIsInTheCustodyOfEach) {
  ActingLog acting;
  auto one = acting.ShareGuarded("mx.fgr/admin"), other = acting.ShareGuarded("mx.fgr/admin");
  if (other < one) std::swap(one, other);
  const auto waits = acting.OpenAll("us.dea/ana", {{one, 0}, {other, 0}});
  acting.Log(acting.world.Approve("us.dea/luz", waits));
  const auto approval = acting.Last();
  const auto emergency = acting.OpenAll("us.dea/ana", {{one, 0}, {other, 0}}, "investigation", "a life");
  acting.Review("mx.fgr/audit", emergency);
  const auto review = acting.Last();
  acting.Export(folder.path());
  for (const auto& record_of_both : {one, other}) {
    std::map<std::string, std::vector<std::uint64_t>> entries;
    const auto rows = audit::Custody(folder.path(), record_of_both.Hex()).value();
    for (const auto& row : rows) entries[row.kind].push_back(row.entry);
    EXPECT_EQ(entries["approval"], std::vector{approval});
    EXPECT_EQ(entries["review"], std::vector{review});
    EXPECT_EQ(entries["open"].size(), 2u);
  }
}

TEST_F(ListingTest, APurgeOfSeveralStatementsIsInTheCustodyOfTheirRecord) {
  ActingLog acting;
  auto sent = acting.world.Record("mx.fgr/admin", {acting.world.PolicyFor("us.dea")});
  const auto digest = sent.statement->digest;
  acting.Log(sent.statement);
  auto open = acting.world.Open("us.dea/admin", {{digest, 0}}, {BrokerWorld::kOrigin, 1, Hash{}},
                                crypto::KemPrivateKey::Generate(acting.world.random).public_key(), "investigation",
                                "DEA-31, Juana P.");
  auto again = acting.world.Open("us.dea/admin", {{digest, 0}}, {BrokerWorld::kOrigin, 1, Hash{}},
                                 crypto::KemPrivateKey::Generate(acting.world.random).public_key(), "investigation",
                                 "DEA-32, Juana P.");
  acting.Log(open);
  acting.Log(again);
  acting.Log(acting.world.Purge("us.dea/admin", {BrokerWorld::ErasureOf(*open), BrokerWorld::ErasureOf(*again)}));
  acting.Export(folder.path());
  const auto rows = audit::Custody(folder.path(), digest.Hex()).value();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows.back().kind, "purge");
}

TEST_F(ListingTest, WhatWasReleasedWithoutTheQuorumOfWitnessesSaysSo) {
  ActingLog acting;
  const auto shared = acting.Share("mx.fgr/admin");
  acting.LetGoWithoutWitnesses();
  acting.Open("us.dea/ana", shared);
  acting.without_quorum = true;
  acting.Open("us.dea/ana", shared);
  acting.Export(folder.path());
  const auto rows = audit::Custody(folder.path(), shared.Hex()).value();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_FALSE(rows[1].unwitnessed);
  EXPECT_TRUE(rows[2].unwitnessed);
  EXPECT_EQ(rows[2].note, "without the quorum of witnesses, TLP:AMBER");
  EXPECT_NE(audit::Show(rows, audit::Format::kJson).find("\"unwitnessed\": true"), std::string::npos);
  EXPECT_NE(audit::Show(rows, audit::Format::kTable).find("without the quorum"), std::string::npos);
}

TEST_F(ListingTest, ALongListIsPrintedRowByRowAsAShortOneIs) {
  std::string printed;
  std::size_t most = 0;
  const auto write = [&](const std::string& text) {
    printed += text;
    most = std::max(most, text.size());
  };
  for (const auto format : {audit::Format::kTable, audit::Format::kCsv, audit::Format::kJson}) {
    printed.clear();
    most = 0;
    ASSERT_TRUE(audit::PrintList(folder.path(), {}, format, write));
    EXPECT_EQ(printed, audit::Show(List({}), format));
    EXPECT_LT(most, printed.size() / 3) << "never much at once";
  }
  const auto json = nlohmann::json::parse(printed);
  EXPECT_EQ(json.size(), List({}).size());
  EXPECT_EQ(printed, nlohmann::ordered_json::parse(printed).dump(2) + "\n") << "as a program writes it";
  audit::Filter none;
  none.kind = "purge";
  printed.clear();
  ASSERT_TRUE(audit::PrintList(folder.path(), none, audit::Format::kJson, write));
  EXPECT_EQ(printed, "[]\n");
}

TEST_F(ListingTest, NothingIsPrintedOfAnExportThatIsDamaged) {
  log.entries.back().decision_bytes[0] ^= 1;
  log.Export(folder.path());
  for (const auto format : {audit::Format::kTable, audit::Format::kCsv, audit::Format::kJson})
    EXPECT_FALSE(audit::PrintList(folder.path(), {}, format, [](const std::string& text) { FAIL() << text; }));
}

TEST_F(ListingTest, ADamagedEntryIsNamed) {
  log.entries[2].decision_bytes[0] ^= 1;
  log.Export(folder.path());
  auto listed = audit::List(folder.path(), {});
  ASSERT_FALSE(listed);
  EXPECT_NE(listed.error().detail.find("entry 2"), std::string::npos);
}

}  // namespace
}  // namespace valija::test
