// What an export shows of the charter's witnesses: cosignatures that hold, of this tree, by enough, of a possible time.
#include "audit/witnessed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/audit/lying_log.h"

namespace valija::test {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Key {
  crypto::SystemRandom random;
  std::string name;
  crypto::Ed25519SignKey key = crypto::Ed25519SignKey::Generate(random);
  explicit Key(std::string named) : name(std::move(named)) {}
  std::string Line() const {
    return "witness " + name + " " + log::Cosigner::Make(name + ".example/1", key.verify_key()).value().Text() + "\n";
  }
  std::string Cosign(const log::Checkpoint& checkpoint, Time time) const {
    return log::Cosign(checkpoint.Body(), name + ".example/1", key, static_cast<std::uint64_t>(ToMillis(time) / 1000));
  }
};

class WitnessedTest : public ::testing::Test {
 protected:
  static constexpr int kAge = 3600;
  void Found(ledger::Charter& charter) const {
    charter.witness_policy =
        log::WitnessPolicy::Parse(mx.Line() + us.Line() + "group both all mx.fgr us.dea\nquorum both\n").value().Text();
    charter.max_checkpoint_age_seconds = kAge;
    charter.degraded_after_seconds = degraded_after;
  }
  LyingLog Make() {
    return LyingLog([this](ledger::Charter& charter) { Found(charter); });
  }
  // Both, so long after the tree's last entry.
  std::string Note(const LyingLog& log, std::size_t size, Duration later = seconds(1)) const {
    const auto checkpoint = log.CheckpointAt(size);
    const Time time = log.entries.at(size - 1).head->time + later;
    return checkpoint.note() + mx.Cosign(checkpoint.checkpoint(), time) + us.Cosign(checkpoint.checkpoint(), time);
  }
  audit::Report Verify(const LyingLog& log, const std::string& witnessed) const {
    TempFolder folder;
    log.Export(folder.path(), witnessed);
    auto report = log.Verify(folder.path());
    if (!report) throw std::runtime_error(report.error().Message());
    return *std::move(report);
  }
  std::vector<std::string> Found(const LyingLog& log, const std::string& witnessed) const {
    return LyingLog::Codes(Verify(log, witnessed));
  }

  Key mx{"mx.fgr"}, us{"us.dea"};
  std::uint32_t degraded_after = 0;
};

TEST_F(WitnessedTest, SaysWhoCosignedAndWhenAndWhatCameAfter) {
  auto log = Make();
  const auto report = Verify(log, Note(log, 2));
  EXPECT_TRUE(report.proved());
  ASSERT_TRUE(report.witnessed);
  EXPECT_EQ(report.witnessed->size, 2u);
  EXPECT_EQ(report.entries, 3u);
  EXPECT_EQ(report.witnessed->by.size(), 2u);
  EXPECT_EQ(report.witnessed->since, log.entries[1].head->time + seconds(1));
  EXPECT_THAT(report.witnessed->missing, IsEmpty());
  EXPECT_TRUE(Verify(log, Note(log, 3)).proved());
}

TEST_F(WitnessedTest, WhereTheCharterNamesNobodyNothingIsAskedFor) {
  LyingLog log;
  const auto report = Verify(log, "");
  EXPECT_TRUE(report.proved());
  EXPECT_FALSE(report.witnessed);
}

TEST_F(WitnessedTest, AForgedCosignatureIsAFinding) {
  auto log = Make();
  auto note = Note(log, 3);
  note[note.size() - 12] = note[note.size() - 12] == 'A' ? 'B' : 'A';
  EXPECT_THAT(Found(log, note), ElementsAre("log:bad-cosignature"));
}

TEST_F(WitnessedTest, OneCountryTwiceIsNotBoth) {
  auto log = Make();
  const auto checkpoint = log.CheckpointAt(3);
  const auto time = log.world.now;
  EXPECT_THAT(Found(log, checkpoint.note() + mx.Cosign(checkpoint.checkpoint(), time) +
                             mx.Cosign(checkpoint.checkpoint(), time + seconds(1))),
              ElementsAre("log:too-few-cosigned"));
  const auto report = Verify(log, checkpoint.note() + mx.Cosign(checkpoint.checkpoint(), time));
  ASSERT_TRUE(report.witnessed);
  EXPECT_THAT(report.witnessed->missing, ElementsAre("us.dea"));
  EXPECT_FALSE(report.witnessed->since);
}

TEST_F(WitnessedTest, AStrangersCosignatureCountsForNobody) {
  auto log = Make();
  Key stranger("us.dea");
  const auto checkpoint = log.CheckpointAt(3);
  EXPECT_THAT(Found(log, checkpoint.note() + mx.Cosign(checkpoint.checkpoint(), log.world.now) +
                             stranger.Cosign(checkpoint.checkpoint(), log.world.now)),
              ElementsAre("log:too-few-cosigned"));
}

TEST_F(WitnessedTest, AnotherTreeUnderGoodSignaturesIsAFork) {
  auto log = Make();
  for (const std::size_t size : {2u, 3u}) {
    const auto other = log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, size, log::EmptyRoot()}, log.world.log_key);
    EXPECT_THAT(Found(log, other.note() + mx.Cosign(other.checkpoint(), log.world.now) +
                               us.Cosign(other.checkpoint(), log.world.now)),
                ElementsAre("log:fork"));
  }
}

TEST_F(WitnessedTest, WhatTheLogDidNotSignIsNoneOfIts) {
  auto log = Make();
  const auto checkpoint = log.CheckpointAt(3).checkpoint();
  Key other("x");
  EXPECT_THAT(Found(log, log::SignedCheckpoint::Sign(checkpoint, other.key).note() +
                             mx.Cosign(checkpoint, log.world.now) + us.Cosign(checkpoint, log.world.now)),
              ElementsAre("log:bad-witnessed"));
  EXPECT_THAT(Found(log, "they have all seen it\n"), ElementsAre("log:bad-witnessed"));
}

TEST_F(WitnessedTest, ACosignatureFromBeforeItsTreeOrFromTheFutureIsAFinding) {
  auto log = Make();
  EXPECT_THAT(Found(log, Note(log, 3, -seconds(3600))), ElementsAre("log:back-dated", "log:back-dated"));
  EXPECT_TRUE(Verify(log, Note(log, 3, -seconds(200))).proved()) << "clocks differ";
  EXPECT_THAT(Found(log, Note(log, 3, std::chrono::hours(3))),
              ElementsAre("log:bad-cosignature", "log:bad-cosignature"));
}

TEST_F(WitnessedTest, ALogThatGoesOnWithoutThemForLongerThanTheCharterAllowsIsAFinding) {
  auto log = Make();
  const auto note = Note(log, 3);
  log.world.NewPerson("us.dea/ana");
  log.Log(log.world.Enrol(log.world.people.at("us.dea/ana")));
  EXPECT_TRUE(Verify(log, note).proved()) << "one entry that is not cosigned yet";
  EXPECT_TRUE(Verify(log, "").proved()) << "a young log";
  log.world.now += seconds(kAge + 301);
  log.Log(log.world.EnrolNew("us.dea/luz"));
  EXPECT_THAT(Found(log, note), ElementsAre("log:unwitnessed"));
  EXPECT_THAT(Found(log, ""), ElementsAre("log:unwitnessed"));
  EXPECT_TRUE(Verify(log, Note(log, 4)).proved());
}

TEST_F(WitnessedTest, WhereTheCharterLetsItGoOnItIsSaidAndNoFinding) {
  degraded_after = 60;
  auto log = Make();
  log.world.now += seconds(kAge + 301);
  log.Log(log.world.EnrolNew("us.dea/luz"));
  const auto report = Verify(log, "");
  EXPECT_TRUE(report.proved());
  ASSERT_TRUE(report.witnessed);
  EXPECT_EQ(report.witnessed->size, 0u);
  EXPECT_THAT(report.witnessed->missing, ElementsAre("mx.fgr", "us.dea"));
}

TEST_F(WitnessedTest, WhatWasCosignedIsHeldAgainstTheWitnessesOfItsTime) {
  auto log = Make();
  const auto before = Note(log, 3);
  Key next("us.dea");
  log.Log(log.world.Amend([&](ledger::Charter& charter) {
    charter.witness_policy =
        log::WitnessPolicy::Parse(mx.Line() + next.Line() + "group both all mx.fgr us.dea\nquorum both\n")
            .value()
            .Text();
  }));
  ASSERT_EQ(log.entries.size(), 4u);
  EXPECT_TRUE(Verify(log, before).proved());
  EXPECT_THAT(Found(log, Note(log, 4)), ElementsAre("log:too-few-cosigned")) << "the former one's word of a later tree";
  const auto checkpoint = log.CheckpointAt(4);
  EXPECT_TRUE(Verify(log, checkpoint.note() + mx.Cosign(checkpoint.checkpoint(), log.world.now) +
                              next.Cosign(checkpoint.checkpoint(), log.world.now))
                  .proved());
}

TEST_F(WitnessedTest, OneThatIsLargerThanTheExportSaysThatItIsBeingWritten) {
  auto log = Make();
  TempFolder folder;
  log.Export(folder.path());
  log.Log(log.world.EnrolNew("us.dea/ana"));
  std::ofstream(folder / "witnessed") << Note(log, 4);
  EXPECT_EQ(log.Verify(folder.path()).error().reason, Reason::kUnavailable);
  log.Export(folder.path(), Note(log, 4));
  EXPECT_TRUE(log.Verify(folder.path()).value().proved());
}

// A replay judges what came before, and the witnesses who cosigned the whole are those of the charter as it is.
TEST_F(WitnessedTest, WitnessesThatAreNamedBehindASpanAreThoseOfTheWhole) {
  auto log = Make();
  const Key next("us.dea");
  log.Log(log.world.Amend([&](ledger::Charter& charter) {
    charter.witness_policy =
        log::WitnessPolicy::Parse(mx.Line() + next.Line() + "group both all mx.fgr us.dea\nquorum both\n")
            .value()
            .Text();
  }));
  const auto checkpoint = log.CheckpointAt(4);
  const Time time = log.world.now + seconds(1);
  TempFolder folder;
  log.Export(folder.path(),
             checkpoint.note() + mx.Cosign(checkpoint.checkpoint(), time) + next.Cosign(checkpoint.checkpoint(), time));
  audit::Options options;
  options.folder = folder.path();
  options.charter = log.charter;
  options.now = log.world.now + std::chrono::minutes(1);
  options.span = audit::Options::Span{1, 2, false};
  const auto report = audit::Verify(options);
  ASSERT_TRUE(report) << report.error().Message();
  EXPECT_THAT(LyingLog::Codes(*report), IsEmpty());
}

}  // namespace
}  // namespace valija::test
