// What strangers are shown of a log that witnesses watch, across starts of the broker.
#include "broker/public_note.h"

#include <gtest/gtest.h>

#include "broker/oplog.h"
#include "broker/storage/rocksdb_store.h"
#include "tests/broker/support/witnessed_rig.h"

namespace valija::broker {
namespace {

using std::chrono::milliseconds;
using test::WitnessDouble;
using test::WitnessedRig;

class PublicNoteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rig_.Found();
    rig_.Stop();
  }
  void Begin() {
    auto started = rig_.Start();
    ASSERT_TRUE(started) << started.error().Message();
    note_ = rig_.Public();
  }
  void End() {
    note_.reset();
    rig_.Stop();
  }
  // Until what is shown is a cosigned tree of this size.
  bool Shows(std::uint64_t size) {
    for (int i = 0; i < 3000; ++i) {
      if (auto shown = note_->Show(); shown && rig_.Holds(*shown, size)) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  void Post() { ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/m" + std::to_string(++members_)))); }
  // Neither answers, and a person said to start all the same.
  void StartWithout() {
    rig_.mx.away = rig_.us.away = true;
    rig_.witnessing->start_without = {"mx.fgr", "us.dea"};
  }

  WitnessedRig rig_;
  std::unique_ptr<PublicNote> note_;
  int members_ = 0;
};

TEST_F(PublicNoteTest, WhatBothCountriesCosignedIsShownAndKept) {
  Begin();
  ASSERT_TRUE(Shows(1));
  Post();
  ASSERT_TRUE(Shows(2));
  EXPECT_TRUE(rig_.Holds(rig_.memory.KeptNote(), 2)) << "in the store before it is shown";
  End();
}

TEST_F(PublicNoteTest, WithoutTheQuorumNothingIsShown) {
  rig_.us.away = true;
  rig_.witnessing->start_without = {"us.dea"};
  Begin();
  ASSERT_FALSE(rig_.Covered(1, milliseconds(200)));
  const auto shown = note_->Show();
  ASSERT_FALSE(shown);
  EXPECT_EQ(shown.error().reason, Reason::kNoQuorum);
  rig_.us.away = false;
  EXPECT_TRUE(Shows(1));
  End();
}

TEST_F(PublicNoteTest, WhenTheQuorumLagsTheLastCosignedOneStaysThoughTheLogIsLonger) {
  Begin();
  ASSERT_TRUE(Shows(1));
  rig_.us.away = true;
  for (int i = 0; i < 3; ++i) Post();
  ASSERT_FALSE(rig_.Covered(2, milliseconds(200)));
  EXPECT_TRUE(rig_.Holds(note_->Show().value(), 1));
  EXPECT_EQ(rig_.sequencer->checkpoint()->size(), 4u);
  rig_.us.away = false;
  EXPECT_TRUE(Shows(4));
  End();
}

TEST_F(PublicNoteTest, ALateCosignatureIsAddedToWhatIsShown) {
  End();
  // One of the two of us.dea is enough; the other comes later.
  WitnessedRig rig;
  WitnessDouble second{"us.dea/2"};
  rig.world.found_with = [&](ledger::Charter& charter) {
    rig.Name(charter, rig.mx.PolicyLine() + rig.us.PolicyLine() + second.PolicyLine() +
                          "group us any us.dea us.dea/2\ngroup both all mx.fgr us\nquorum both\n");
  };
  rig.Found();
  second.away = true;
  ASSERT_TRUE(rig.Start());
  auto note = rig.Public();
  const auto shows = [&](std::size_t lines) {
    for (int i = 0; i < 3000; ++i) {
      if (auto shown = note->Show(); shown && log::Note::Parse(*shown)->signatures.size() == lines) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  };
  EXPECT_TRUE(shows(3)) << "the log's line and two more";
  second.away = false;
  EXPECT_TRUE(shows(4));
  note.reset();
  rig.Stop();
}

TEST_F(PublicNoteTest, ABrokerThatIsStartedAgainShowsItAtOnceAndReleasesNothingForIt) {
  Begin();
  Post();
  ASSERT_TRUE(Shows(2));
  End();
  StartWithout();
  Begin();
  const auto shown = note_->Show();
  ASSERT_TRUE(shown) << shown.error().Message();
  EXPECT_TRUE(rig_.Holds(*shown, 2));
  EXPECT_FALSE(rig_.Covered(2, milliseconds(0))) << "the witnesses have not said so since";
  rig_.mx.away = rig_.us.away = false;
  EXPECT_TRUE(rig_.Covered(2));
  End();
}

TEST_F(PublicNoteTest, WhatWasKeptIsVerifiedAndWhatIsDamagedIsAsGoodAsNone) {
  Begin();
  Post();
  ASSERT_TRUE(Shows(2));
  End();
  const std::string good = rig_.memory.note;
  StartWithout();
  const auto text = good.substr(0, good.find("\n\n") + 2);
  const auto line = [&](std::size_t number) {
    std::size_t at = text.size();
    for (; number > 0; --number) at = good.find('\n', at) + 1;
    return good.substr(at, good.find('\n', at) + 1 - at);
  };
  auto forged = good;
  forged[forged.size() - 12] = forged[forged.size() - 12] == 'A' ? 'B' : 'A';
  auto of_log = good;
  const auto in_log_line = text.size() + line(0).size() - 12;
  of_log[in_log_line] = of_log[in_log_line] == 'A' ? 'B' : 'A';
  const auto body = log::Checkpoint::ParseBody(text.substr(0, text.size() - 1)).value();
  const std::uint64_t to_come = rig_.us.Now() + 100'000;
  const std::string ahead = text + line(0) + log::Cosign(body.Body(), rig_.mx.cosigner().name, rig_.mx.key, to_come) +
                            log::Cosign(body.Body(), rig_.us.cosigner().name, rig_.us.key, to_come);
  const std::string one_country = text + line(0) + line(1) + line(1);
  for (const auto& [what, kept] :
       std::vector<std::pair<const char*, std::string>>{{"nothing", ""},
                                                        {"cut short", good.substr(0, good.size() / 2)},
                                                        {"zeros", std::string(good.size(), '\0')},
                                                        {"a forged cosignature", forged},
                                                        {"one country twice", one_country},
                                                        {"the log's signature does not hold", of_log},
                                                        {"the log's signature is not there", text + line(1) + line(2)},
                                                        {"cosigned in the future", ahead}}) {
    SCOPED_TRACE(what);
    rig_.memory.note = kept;
    Begin();
    EXPECT_EQ(rig_.sequencer->cosigned(100), nullptr);
    EXPECT_FALSE(note_->Show());
    EXPECT_FALSE(rig_.Covered(1, milliseconds(0)));
    End();
  }
  rig_.memory.note = good;
  Begin();
  EXPECT_TRUE(note_->Show());
  End();
}

TEST_F(PublicNoteTest, AKeptNoteOfTheLogsOwnThatIsNotOfThisTreeRefusesTheStart) {
  Begin();
  Post();
  ASSERT_TRUE(Shows(2));
  const std::string good = rig_.memory.note;
  End();
  rig_.memory.note =
      log::SignedCheckpoint::Sign({test::BrokerWorld::kOrigin, 7, log::EmptyRoot()}, rig_.world.log_key).note();
  EXPECT_EQ(rig_.Start().error().reason, Reason::kRolledBack);
  rig_.memory.note =
      log::SignedCheckpoint::Sign({test::BrokerWorld::kOrigin, 2, log::EmptyRoot()}, rig_.world.log_key).note();
  EXPECT_EQ(rig_.Start().error().reason, Reason::kFork);
  rig_.memory.note = good;
  EXPECT_TRUE(rig_.Start());
}

TEST_F(PublicNoteTest, WhatCannotBeKeptIsNotShown) {
  Begin();
  ASSERT_TRUE(Shows(1));
  rig_.memory.before_keep = [] { return Status(Refuse(Reason::kStorage)); };
  Post();
  ASSERT_TRUE(rig_.Covered(2));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(rig_.Holds(note_->Show().value(), 1));
    std::this_thread::sleep_for(milliseconds(5));
  }
  End();
}

TEST_F(PublicNoteTest, AnAmendmentsWitnessesTakeOverAndTheLastOneStaysUntilTheyHaveCosigned) {
  Begin();
  ASSERT_TRUE(Shows(1));
  const auto before = note_->Show().value();
  WitnessDouble next{"us.dea"};
  next.away = true;
  const auto policy = rig_.mx.PolicyLine() + next.PolicyLine() + "group both all mx.fgr us.dea\nquorum both\n";
  ASSERT_TRUE(rig_.Post(rig_.world.Amend([&](ledger::Charter& charter) { rig_.Name(charter, policy); })));
  ASSERT_FALSE(rig_.Covered(2, milliseconds(200)));
  EXPECT_EQ(note_->Show().value(), before);
  next.away = false;
  ASSERT_TRUE(rig_.Covered(2));
  const auto key = rig_.world.verifier();
  bool shown = false;
  for (int i = 0; i < 3000 && !shown; ++i) {
    const auto verified = log::WitnessPolicy::Parse(policy).value().Verify(note_->Show().value(), {&key, 1});
    shown = verified && verified->checkpoint.size == 2;
    if (!shown) std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(shown);
  // Without witnesses the newest is shown; what was cosigned before is not come back to.
  ASSERT_TRUE(rig_.Post(rig_.world.Amend([&](ledger::Charter& charter) { rig_.Name(charter, ""); })));
  EXPECT_EQ(note_->Show().value(), rig_.sequencer->checkpoint()->note());
  for (int i = 0; i < 3000 && !rig_.memory.KeptNote().empty(); ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(rig_.memory.KeptNote(), "");
  End();
}

TEST(KeptNoteTest, IsInTheStoreAndOutlivesIt) {
  test::TempFolder folder;
  {
    auto store = RocksDbStore::Open({.folder = folder / "db", .create = true}).value();
    EXPECT_EQ(store->journal().KeptNote(), "");
    ASSERT_TRUE(store->journal().KeepNote("one\n"));
    ASSERT_TRUE(store->journal().KeepNote("two\n"));
    EXPECT_EQ(store->journal().KeptNote(), "two\n");
  }
  auto store = RocksDbStore::Open({.folder = folder / "db"}).value();
  EXPECT_EQ(store->journal().KeptNote(), "two\n");
  EXPECT_EQ(store->journal().Size(), 0u);
}

}  // namespace
}  // namespace valija::broker
