// The sequencer and its witnesses together: what is covered when, whom an amendment names, what a start asks.
#include <gtest/gtest.h>

#include <future>

#include "tests/broker/support/broker_rig.h"
#include "tests/broker/witness_double.h"

namespace valija::broker {
namespace {

using std::chrono::milliseconds;
using test::BrokerRig;
using test::BrokerWorld;
using test::WitnessDouble;

constexpr auto kLong = std::chrono::minutes(2);

class WitnessedSequencerTest : public ::testing::Test {
 protected:
  WitnessedSequencerTest() {
    rig_.Found();
    options_.now = [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); };
    options_.timeout = milliseconds(2000);
    options_.start_wait = kLong;
    options_.start_others = kLong;
    options_.round = milliseconds(100);
  }
  ~WitnessedSequencerTest() override {
    Stop();
    pool_.Stop();
  }
  void Stop() {
    if (rig_.sequencer) rig_.sequencer->Stop();
    if (witnesses_) witnesses_->Stop();
    rig_.Stop();
  }
  Status Start() {
    Stop();
    witnesses_ = std::make_unique<Witnesses>(options_, pool_);
    rig_.options.witnesses = witnesses_.get();
    return rig_.Start();
  }
  // With both countries' witnesses from here on.
  void StartWitnessed() {
    ASSERT_TRUE(Start());
    ASSERT_TRUE(Amend(mx_, us_));
  }
  Result<Accepted> Amend(const WitnessDouble& mx, const WitnessDouble& us) {
    return rig_.Post(rig_.world.Amend([&](ledger::Charter& charter) {
      charter.witness_policy = mx.PolicyLine() + us.PolicyLine() + "group both all mx.fgr us.dea\nquorum both\n";
      charter.max_checkpoint_age_seconds = 3600;
    }));
  }
  Result<Accepted> Post() { return rig_.Post(rig_.world.EnrolNew("us.dea/m" + std::to_string(number_++))); }
  bool Covered(const Accepted& one) { return rig_.sequencer->Covers(one.head.index, one.decision).has_value(); }
  std::future<Status> Wait(const Accepted& one, std::chrono::system_clock::duration at_most = kLong) {
    auto promise = std::make_shared<std::promise<Status>>();
    rig_.sequencer->WaitCovered(one.head.index, std::chrono::system_clock::now() + at_most,
                                [promise](Status status) { promise->set_value(std::move(status)); });
    return promise->get_future();
  }
  // Under this log's key and origin, and of another history.
  log::SignedCheckpoint Elsewhere(std::uint64_t size) const {
    Hash root;
    root.bytes.fill(7);
    return log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, size, root}, rig_.world.log_key);
  }
  template <class F>
  static bool Soon(F holds) {
    for (int i = 0; i < 4000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(5));
    return holds();
  }

  BrokerRig rig_;
  WitnessDouble mx_{"mx.fgr"}, us_{"us.dea"};
  WorkerPool pool_{2, 100};
  Witnesses::Options options_;
  std::unique_ptr<Witnesses> witnesses_;
  int number_ = 0;
};

TEST_F(WitnessedSequencerTest, NothingIsReleasedBeforeTheQuorumHasCosignedItsEntry) {
  us_.away = true;
  StartWitnessed();
  const auto accepted = Post();
  ASSERT_TRUE(accepted) << "it is durable, and acknowledged";
  EXPECT_FALSE(Covered(*accepted));
  EXPECT_EQ(Wait(*accepted, milliseconds(200)).get().error().reason, Reason::kNoQuorum);
  EXPECT_FALSE(Covered(*accepted));
  auto waits = Wait(*accepted);
  us_.away = false;
  EXPECT_TRUE(waits.get());
  EXPECT_TRUE(Covered(*accepted));
  EXPECT_FALSE(rig_.sequencer->Covers(accepted->head.index + 1, accepted->decision)) << "nor what is to come";
}

TEST_F(WitnessedSequencerTest, AnAmendmentsWitnessesAreTheOnesFromItsOwnEntryOn) {
  StartWitnessed();
  const auto before = Post();
  ASSERT_TRUE(before);
  ASSERT_TRUE(Wait(*before).get());
  WitnessDouble next{"us.dea"};
  next.away = true;
  const auto amendment = Amend(mx_, next);
  ASSERT_TRUE(amendment);
  EXPECT_FALSE(Wait(*amendment, milliseconds(300)).get()) << "the former one's word does not count any more";
  EXPECT_FALSE(Covered(*before));
  next.away = false;
  EXPECT_TRUE(Wait(*amendment).get());
  EXPECT_TRUE(Covered(*before));
}

TEST_F(WitnessedSequencerTest, AnotherHistoryUnderItsOwnKeyEndsAcceptingAndReleasing) {
  StartWitnessed();
  const auto before = Post();
  ASSERT_TRUE(before);
  ASSERT_TRUE(Wait(*before).get());
  EXPECT_TRUE(Covered(*before));
  us_.Has(Elsewhere(3));
  (void)Post();
  ASSERT_TRUE(Soon([&] { return !rig_.sequencer->healthy(); }));
  EXPECT_EQ(Post().error().reason, Reason::kStorage);
  EXPECT_FALSE(Covered(*before));
  auto unwitnessed = before->decision;
  unwitnessed.unwitnessed = true;
  EXPECT_FALSE(rig_.sequencer->Covers(before->head.index, unwitnessed));
}

TEST_F(WitnessedSequencerTest, AStartRefusesWhatItsWitnessesKnowBetter) {
  StartWitnessed();
  const auto last = Post();
  ASSERT_TRUE(last);
  ASSERT_TRUE(Wait(*last).get());
  EXPECT_TRUE(Start()) << "as it was";
  us_.Has(Elsewhere(400));
  EXPECT_EQ(Start().error().reason, Reason::kRolledBack);
  us_.Has(Elsewhere(2));
  EXPECT_EQ(Start().error().reason, Reason::kFork);
}

// Another log under the same key is none of this one's.
TEST_F(WitnessedSequencerTest, ACheckpointOfAnotherOriginProvesNothing) {
  Hash root;
  us_.shows = log::SignedCheckpoint::Sign({"other.example/2026", 400, root}, rig_.world.log_key).note();
  us_.lie = [](const std::string&) { return WitnessDouble::Answer{409, "400\n", "text/x.tlog.size"}; };
  StartWitnessed();
  ASSERT_TRUE(Post());
  EXPECT_TRUE(Soon([&] { return us_.asked > 2; }));
  EXPECT_TRUE(rig_.sequencer->healthy());
}

TEST_F(WitnessedSequencerTest, AStartWithoutAWitnessIsForAPersonToDecideAndReleasesNothing) {
  StartWitnessed();
  const auto last = Post();
  ASSERT_TRUE(last);
  ASSERT_TRUE(Wait(*last).get());
  us_.away = true;
  options_.start_wait = options_.start_others = milliseconds(300);
  EXPECT_EQ(Start().error().reason, Reason::kNoQuorum);
  options_.start_without = {"us.dea"};
  const auto started = Start();
  ASSERT_TRUE(started) << started.error().Message();
  EXPECT_FALSE(Covered(*last));
  // The way out: the amendment that names another.
  WitnessDouble next{"us.dea"};
  const auto amendment = Amend(mx_, next);
  ASSERT_TRUE(amendment) << amendment.error().Message();
  EXPECT_TRUE(Wait(*amendment).get());
}

}  // namespace
}  // namespace valija::broker
