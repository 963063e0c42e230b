// Was an agency shown every entry that concerns it?
#include "audit/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/say.h"
#include "tests/audit/acting_log.h"

namespace valija::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CoverageTest : public ::testing::Test {
 protected:
  CoverageTest() {
    record = log.Share("mx.fgr/admin");
    log.Open("us.dea/ana", record);
    opening = log.Last();
    log.Order("mx.fgr/audit");  // concerns mx.fgr alone
    order = log.Last();
    log.Acknowledge("us.dea/ana", record, "useful");
    log.Export(whole.path());
  }
  Result<audit::Coverage> Cover(const std::filesystem::path& seen, const char* agency = "us.dea") {
    audit::Options options;
    options.folder = whole.path();
    options.charter = log.charter;
    return audit::Cover(options, *AgencyId::Parse(agency), seen);
  }
  // The agency's own copy, in which these are bare commitments.
  Result<audit::Coverage> CoverWithheld(const std::set<std::uint64_t>& withheld, const char* agency = "us.dea") {
    auto kept = log.entries;
    for (const auto index : withheld) log.entries[index] = {kept[index].commitment, {}, {}, {}, {}, {}};
    TempFolder own;
    log.Export(own.path());
    log.entries = kept;
    return Cover(own.path(), agency);
  }
  Result<audit::Coverage> CoverList(const std::string& lines) {
    std::ofstream(whole / "seen.jsonl") << lines;
    return Cover(whole / "seen.jsonl");
  }
  std::string Lines() const {
    std::string out;
    for (std::size_t i = 0; i < log.entries.size(); ++i)
      if (i != order)
        out +=
            "{\"entry\": " + std::to_string(i) + ", \"statement\": \"" + log.entries[i].head->statement.Hex() + "\"}\n";
    return out;
  }

  ActingLog log;
  Digest record;
  std::uint64_t opening = 0, order = 0;
  TempFolder whole;
};

TEST_F(CoverageTest, WhatDoesNotConcernAnAgencyMayBeWithheldFromIt) {
  const auto coverage = CoverWithheld({order}).value();
  EXPECT_THAT(coverage.gaps, IsEmpty());
  EXPECT_TRUE(coverage.by_proof);
  EXPECT_EQ(coverage.seen_entries, log.entries.size());
  // The charter, its epoch, its two members, record, opening, acknowledgement.
  EXPECT_EQ(coverage.concerned, 7u);
  EXPECT_THAT(audit::SayCoverage(coverage, *AgencyId::Parse("us.dea"), false), HasSubstr("all of it was shown"));
}

TEST_F(CoverageTest, AnEntryAboutItThatOthersSawIsNamed) {
  const auto coverage = CoverWithheld({order, opening}, "mx.fgr").value();
  ASSERT_THAT(coverage.gaps, SizeIs(2));
  EXPECT_EQ(coverage.gaps[0].entry, opening);
  EXPECT_EQ(coverage.gaps[0].code, "withheld");
  EXPECT_EQ(coverage.gaps[0].kind, "open");
  EXPECT_EQ(coverage.gaps[0].author, "us.dea/ana");
  EXPECT_EQ(coverage.gaps[1].entry, order);
  EXPECT_THAT(audit::SayCoverage(coverage, *AgencyId::Parse("mx.fgr"), true), HasSubstr("\"withheld\""));
}

// The entry alone is not enough: without its slip a recipient cannot open what it is shown.
TEST_F(CoverageTest, ASlipThatWasKeptFromItsAgencyIsAGap) {
  const auto index = opening - 1;
  auto own = [&](const std::function<void(record::Attachments&)>& change, const char* agency) {
    const auto kept = log.entries;
    change(log.entries[index].attachments);
    TempFolder folder;
    log.Export(folder.path());
    log.entries = kept;
    std::vector<std::string> out;
    const auto coverage = Cover(folder.path(), agency);
    if (!coverage) return std::vector<std::string>{std::string(CodeOf(coverage.error().reason))};
    for (const auto& gap : coverage->gaps) out.push_back(std::to_string(gap.entry) + ":" + gap.code);
    return out;
  };
  const auto gap = std::to_string(index) + ":slip-withheld";
  const auto no_policies = [](record::Attachments& beside) { beside.policies.clear(); };
  EXPECT_THAT(own(no_policies, "us.dea"), IsEmpty()) << "they are for the originator's side";
  EXPECT_THAT(own(no_policies, "mx.fgr"), ElementsAre(gap));
  const auto no_slip = [](record::Attachments& beside) {
    std::erase_if(beside.slips, [](const record::Slip& slip) { return slip.agency.str() == "us.dea"; });
  };
  EXPECT_THAT(own(no_slip, "us.dea"), ElementsAre(gap));
  EXPECT_THAT(own(no_slip, "mx.fgr"), ElementsAre(gap)) << "who originates is shown who holds one";
  const auto others = [](record::Attachments& beside) {
    std::erase_if(beside.slips, [](const record::Slip& slip) { return slip.agency.str() != "us.dea"; });
    beside.policies.clear();
  };
  EXPECT_THAT(own(others, "us.dea"), IsEmpty());
}

TEST_F(CoverageTest, WhatCameAfterItsCopyIsCountedApart) {
  auto kept = log.entries;
  log.entries.pop_back();
  TempFolder own;
  log.Export(own.path());
  log.entries = kept;
  const auto coverage = Cover(own.path()).value();
  EXPECT_THAT(coverage.gaps, IsEmpty());
  EXPECT_EQ(coverage.later, 1u);
  EXPECT_EQ(coverage.seen_entries, log.entries.size() - 1);
}

TEST_F(CoverageTest, ACopyOfAnotherHistoryIsAFork) {
  auto kept = log.entries;
  const auto state_as_it_was = log.Last();
  log.entries.resize(opening);  // and others were told something else
  log.entries.push_back(kept[order]);
  log.entries.back().salt = log.world.random.Make<Salt>();
  log.entries.back().head->index = opening;
  log.entries.back().commitment = ledger::CommitEntry(*log.entries.back().salt, *log.entries.back().head);
  TempFolder own;
  log.Export(own.path());
  log.entries = kept;
  ASSERT_EQ(log.Last(), state_as_it_was);
  const auto coverage = Cover(own.path());
  ASSERT_FALSE(coverage);
  EXPECT_EQ(coverage.error().reason, Reason::kFork);
}

TEST_F(CoverageTest, AListIsComparedByEntryAndStatement) {
  EXPECT_THAT(CoverList(Lines()).value().gaps, IsEmpty());
  auto fewer = Lines();
  const auto at = fewer.find("{\"entry\": " + std::to_string(opening));
  fewer.erase(at, fewer.find('\n', at) + 1 - at);
  auto coverage = CoverList(fewer).value();
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_EQ(coverage.gaps[0].entry, opening);
  EXPECT_EQ(coverage.gaps[0].code, "missing");
  EXPECT_FALSE(coverage.by_proof);
  coverage =
      CoverList(fewer + "{\"entry\":" + std::to_string(opening) + ",\"statement\":\"" + record.Hex() + "\"}").value();
  ASSERT_THAT(coverage.gaps, SizeIs(1));
  EXPECT_EQ(coverage.gaps[0].code, "other");
  coverage = CoverList("{\"size\": 1}\n\n{\"entry\": 0}\r\n").value();
  EXPECT_THAT(coverage.gaps, IsEmpty());
  EXPECT_EQ(coverage.seen_entries, 1u);
  EXPECT_EQ(coverage.later, 6u);
}

TEST_F(CoverageTest, AListThatIsNoneIsRefusedWithItsLine) {
  for (const char* bad : {"{\"entry\": 0}\n[1]\n", "{\"entry\": 0}\n{\"entry\": -1}",
                          "{\"entry\": 0}\n{\"entry\": \"1\"}", "{\"entry\": 0}\n{\"entry\": 1, \"statement\": \"zz\"}",
                          "{\"entry\": 0}\nnot json", "{\"entry\": 0}\n{\"size\": 1.5}", "{\"entry\": 0}\n{}"}) {
    const auto coverage = CoverList(bad);
    ASSERT_FALSE(coverage) << bad;
    EXPECT_EQ(coverage.error().reason, Reason::kMalformed);
    EXPECT_THAT(coverage.error().detail, HasSubstr("line 2"));
  }
  EXPECT_FALSE(Cover(whole / "nowhere.jsonl"));
}

TEST_F(CoverageTest, NothingIsSaidOfALogThatIsNotProvedOrAnAgencyThatIsNone) {
  EXPECT_EQ(Cover(whole.path(), "fr.dgsi").error().reason, Reason::kUsage);
  auto kept = log.entries;
  log.entries[opening].decision_bytes[0] ^= 1;
  TempFolder damaged;
  log.Export(damaged.path());
  EXPECT_EQ(Cover(damaged.path()).error().reason, Reason::kFinding);
  log.entries = kept;
  log.entries[order] = {kept[order].commitment, {}, {}, {}, {}, {}};
  log.Export(whole.path());
  EXPECT_EQ(Cover(whole.path()).error().reason, Reason::kFinding) << "the whole log has nothing withheld";
}

}  // namespace
}  // namespace valija::test
