#include "broker/witnesses.h"

#include <gtest/gtest.h>

#include <future>

#include "broker/witness_client.h"
#include "broker/worker_pool.h"
#include "tests/broker/witness_double.h"

namespace valija::broker {
namespace {

using test::SmallLog;
using test::WitnessDouble;
using std::chrono::milliseconds;
using Clock = std::chrono::system_clock;

class WitnessesTest : public ::testing::Test {
 protected:
  ~WitnessesTest() override {
    if (witnesses_) witnesses_->Stop();
    workers_.Stop();
  }
  static Time SystemNow() { return std::chrono::time_point_cast<Duration>(Clock::now()); }
  log::WitnessPolicy Policy(const std::string& quorum = "group both all mx us\nquorum both\n") const {
    return log::WitnessPolicy::Parse(mx_.PolicyLine() + us_.PolicyLine() + quorum).value();
  }
  ledger::Charter Terms() const {
    ledger::Charter terms;
    terms.origin = SmallLog::kOrigin;
    terms.max_checkpoint_age_seconds = 3600;
    terms.degraded_after_seconds = degraded_after_;
    return terms;
  }
  Witnesses::Log Log() {
    Witnesses::Log log;
    log.read = [this](const std::string& note) -> Result<log::Checkpoint> {
      TRY(auto one, log::SignedCheckpoint::Verify(note, SmallLog::kOrigin, log_.verifier()));
      return one.checkpoint();
    };
    log.consistency = [this](std::uint64_t from, std::uint64_t to) { return log_.Consistency(from, to); };
    log.check_seen = [this](std::uint64_t size, const Hash& root) -> Status {
      TRY(const auto ours, log_.RootAt(size));
      return ours == root ? Ok() : Status(Refuse(Reason::kFork));
    };
    log.on_ahead = [this] { ahead_ = true; };
    return log;
  }
  void Make() {
    Witnesses::Options options{.now = SystemNow};
    options.timeout = milliseconds(500);
    options.start_wait = milliseconds(300);
    options.round = milliseconds(100);
    witnesses_ = std::make_unique<Witnesses>(std::move(options), workers_);
  }
  void Begin() {
    Make();
    const auto policy = Policy();
    ASSERT_TRUE(witnesses_->Begin(Log(), Terms(), &policy));
    Publish();
  }
  void Publish(std::size_t entries = 1) {
    log_.Append(entries);
    witnesses_->Published(log_.Checkpoint());
  }
  Status Wait(std::uint64_t size, milliseconds at_most = milliseconds(10000)) {
    auto promise = std::make_shared<std::promise<Status>>();
    auto future = promise->get_future();
    witnesses_->Wait(size, Clock::now() + at_most, [promise](Status status) { promise->set_value(std::move(status)); });
    return future.get();
  }
  // Whatever it answers, with the other's cosignature alone there is no quorum.
  void ExpectNotCounted(std::function<WitnessDouble::Answer(const std::string&)> lie) {
    us_.lie = std::move(lie);
    Begin();
    const auto covered = Wait(1, milliseconds(400));
    ASSERT_FALSE(covered);
    EXPECT_EQ(covered.error().reason, Reason::kNoQuorum);
    EXPECT_NE(covered.error().detail.find("us"), std::string::npos) << covered.error().detail;
    EXPECT_EQ(covered.error().detail.find("mx"), std::string::npos) << covered.error().detail;
    EXPECT_GT(us_.asked, 0);
    EXPECT_FALSE(witnesses_->Covers(0));
    EXPECT_EQ(witnesses_->latest(), nullptr);
  }

  SmallLog log_;
  WitnessDouble mx_{"mx"}, us_{"us"};
  std::uint32_t degraded_after_ = 0;
  std::atomic<bool> ahead_ = false;
  WorkerPool workers_{2, 100};
  std::unique_ptr<Witnesses> witnesses_;
};

TEST_F(WitnessesTest, AnEntryIsCoveredWhenBothCountriesHaveCosigned) {
  Begin();
  ASSERT_TRUE(Wait(1));
  EXPECT_TRUE(witnesses_->Covers(0));
  EXPECT_FALSE(witnesses_->Covers(1));
  const auto latest = witnesses_->latest();
  const auto known = log_.verifier();
  const auto verified = Policy().Verify(latest->note, std::span(&known, 1));
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->cosigned.size(), 2u);
  EXPECT_EQ(verified->checkpoint.size, 1u);
}

TEST_F(WitnessesTest, ABusyLogsCheckpointsReachTheQuorumToo) {
  Begin();
  std::atomic<bool> over = false;
  std::thread busy([&] {
    while (!over) Publish(3);
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Wait(log_.Checkpoint()->size()));
  over = true;
  busy.join();
}

TEST_F(WitnessesTest, AWitnessThatHasMoreOfOursAlreadyIsHealedByItsAnswer) {
  log_.Append(5);
  us_.size = 5;  // from an earlier run
  Begin();
  EXPECT_TRUE(Wait(6));
  EXPECT_GE(us_.asked, 2);
}

TEST_F(WitnessesTest, OneThatWasAwayIsWaitedForAndTheWaitingGoOn) {
  std::atomic<bool> away = true;
  us_.lie = [&](const std::string& body) { return away ? WitnessDouble::Answer{503, "later\n"} : us_.Honest(body); };
  Begin();
  EXPECT_EQ(Wait(1, milliseconds(200)).error().reason, Reason::kNoQuorum);
  auto promise = std::make_shared<std::promise<Status>>();
  auto waits = promise->get_future();
  witnesses_->Wait(1, Clock::now() + std::chrono::seconds(20), [promise](Status status) { promise->set_value(status); });
  away = false;
  EXPECT_TRUE(waits.get());
}

TEST_F(WitnessesTest, ARefusalIsNoCosignature) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{500, "broken\n"}; });
}
TEST_F(WitnessesTest, AnEmptyAnswerIsNoCosignature) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{200, ""}; });
}
TEST_F(WitnessesTest, GarbageIsNoCosignature) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{200, "\xe2\x80\x94 us AAAA\n\n\xff"}; });
}
TEST_F(WitnessesTest, AnotherWitnesssCosignatureIsNotCountedForThisOne) {
  ExpectNotCounted([this](const std::string& body) {
    return WitnessDouble::Answer{200, log::Cosign(WitnessDouble::TextOf(body), mx_.cosigner().name, mx_.key, mx_.Now())};
  });
}
TEST_F(WitnessesTest, AForgedCosignatureUnderItsNameIsNotCounted) {
  ExpectNotCounted([this](const std::string& body) {
    auto line = log::Cosign(WitnessDouble::TextOf(body), us_.cosigner().name, us_.key, us_.Now());
    line[line.size() - 10] = line[line.size() - 10] == 'A' ? 'B' : 'A';
    return WitnessDouble::Answer{200, line};
  });
}
TEST_F(WitnessesTest, ACosignatureOfAnotherCheckpointIsNotCounted) {
  ExpectNotCounted([this](const std::string&) {
    const log::Checkpoint other{SmallLog::kOrigin, 7, log::EmptyRoot()};
    return WitnessDouble::Answer{200, log::Cosign(other.Body(), us_.cosigner().name, us_.key, us_.Now())};
  });
}
TEST_F(WitnessesTest, ACosignatureOfAClockThatIsFarOffIsNotCounted) {
  us_.ahead_seconds = 7200;
  ExpectNotCounted([this](const std::string& body) { return us_.Honest(body); });
}
TEST_F(WitnessesTest, AnAnswerWithoutEndIsNotReadToItsEnd) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{200, std::string(10 << 20, 'a')}; });
}
TEST_F(WitnessesTest, ASizeThatIsNoNumberIsNotFollowed) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{409, "many\n", "text/x.tlog.size"}; });
}
TEST_F(WitnessesTest, ALargerSizeWithoutTheLogsSignatureIsNotBelieved) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{409, "4000\n", "text/x.tlog.size"}; });
  EXPECT_FALSE(ahead_);
}

TEST_F(WitnessesTest, ALargerSizeUnderTheLogsOwnSignatureStopsTheLog) {
  SmallLog more;
  more.key = crypto::Ed25519SignKey::FromSeed(log_.key.Seed().view()).value();
  more.Append(40);
  us_.size = 40;
  us_.note = more.Checkpoint()->note();
  Begin();
  EXPECT_EQ(Wait(1, milliseconds(400)).error().reason, Reason::kNoQuorum);
  EXPECT_TRUE(ahead_);
}

TEST_F(WitnessesTest, BeforeAnythingIsSignedTheirSizesAreAsked) {
  Make();
  log_.Append(3);
  EXPECT_TRUE(witnesses_->AskFirst(Terms(), Policy(), 3, Log())) << "they have nothing yet";
  us_.note = log_.Checkpoint()->note();
  EXPECT_TRUE(witnesses_->AskFirst(Terms(), Policy(), 3, Log()));
  EXPECT_EQ(witnesses_->AskFirst(Terms(), Policy(), 2, Log()).error().reason, Reason::kRolledBack);
  SmallLog other;
  other.key = crypto::Ed25519SignKey::FromSeed(log_.key.Seed().view()).value();
  other.salt = "other";
  other.Append(2);
  us_.note = other.Checkpoint()->note();
  EXPECT_EQ(witnesses_->AskFirst(Terms(), Policy(), 3, Log()).error().reason, Reason::kFork);
}

TEST_F(WitnessesTest, AStartNeedsTheAnswersOfAQuorumUnlessTheCharterLetsGoWithout) {
  Make();
  us_.Stop();
  const auto refused = witnesses_->AskFirst(Terms(), Policy(), 3, Log());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kNoQuorum);
  EXPECT_NE(refused.error().detail.find("us"), std::string::npos);
  degraded_after_ = 60;
  EXPECT_TRUE(witnesses_->AskFirst(Terms(), Policy(), 3, Log()));
}

TEST_F(WitnessesTest, WithoutTheQuorumForSoLongAsTheCharterSaysItIsDegradedAndThenNoMore) {
  degraded_after_ = 1;
  std::atomic<bool> away = true;
  us_.lie = [&](const std::string& body) { return away ? WitnessDouble::Answer{503, "later\n"} : us_.Honest(body); };
  Begin();
  EXPECT_FALSE(witnesses_->degraded());
  EXPECT_FALSE(Wait(1, milliseconds(1300)));
  EXPECT_TRUE(witnesses_->degraded());
  EXPECT_FALSE(witnesses_->Covers(0)) << "an opening that was decided before waits on";
  away = false;
  EXPECT_TRUE(Wait(1, milliseconds(20000)));
  EXPECT_FALSE(witnesses_->degraded());
}

TEST_F(WitnessesTest, AnAmendmentsWitnessesAreAskedFromThereOn) {
  us_.lie = [](const std::string&) { return WitnessDouble::Answer{500, "gone\n"}; };
  Begin();
  EXPECT_FALSE(Wait(1, milliseconds(200)));
  WitnessDouble next{"us"};
  const auto policy = log::WitnessPolicy::Parse(mx_.PolicyLine() + next.PolicyLine() +
                                                "group both all mx us\nquorum both\n").value();
  log_.Append();
  witnesses_->Amended(Terms(), &policy);
  witnesses_->Published(log_.Checkpoint());
  EXPECT_TRUE(Wait(2));
  witnesses_->Amended(Terms(), nullptr);
  EXPECT_TRUE(witnesses_->Covers(100)) << "nobody is asked any more";
  witnesses_->Stop();
}

TEST_F(WitnessesTest, WhoWaitsIsToldWhenTheBrokerStops) {
  us_.lie = [](const std::string&) { return WitnessDouble::Answer{503, "later\n"}; };
  Begin();
  auto promise = std::make_shared<std::promise<Status>>();
  witnesses_->Wait(1, Clock::now() + std::chrono::hours(1), [promise](Status status) { promise->set_value(status); });
  witnesses_->StopWaiting();
  EXPECT_EQ(promise->get_future().get().error().reason, Reason::kShuttingDown);
  EXPECT_EQ(Wait(1).error().reason, Reason::kShuttingDown);
}

TEST_F(WitnessesTest, AUrlThatCannotBeCalledIsRefused) {
  for (const char* url : {"https://witness.example", "witness.example:80", "http://", "", "http://a b"})
    EXPECT_EQ(WitnessClient::Make(us_.cosigner(), url, milliseconds(100)).error().reason, Reason::kBadConfiguration)
        << url;
}

}  // namespace
}  // namespace valija::broker
