#include "broker/witnesses.h"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "broker/oplog.h"
#include "broker/witness_client.h"
#include "broker/worker_pool.h"
#include "tests/broker/support/temp_folder.h"
#include "tests/broker/witness_double.h"
#include "tests/core/io/raw_server.h"

namespace valija::broker {
namespace {

using std::chrono::milliseconds;
using test::BlackHole;
using test::RawServer;
using test::SmallLog;
using test::WitnessDouble;
using Clock = std::chrono::system_clock;

class WitnessesTest : public ::testing::Test {
 protected:
  ~WitnessesTest() override {
    if (witnesses_) witnesses_->Stop();
    workers_.Stop();
    (void)OpenLog({});
  }
  // The operations log, of what comes from here on.
  void KeepLog() { ASSERT_TRUE(OpenLog({true, (folder_ / "log").string(), false})); }
  bool Logged(const std::string& event) {
    FlushLog();
    std::ifstream file(folder_ / "log");
    for (std::string line; std::getline(file, line);)
      if (line.find("\"" + event + "\"") != std::string::npos) return true;
    return false;
  }
  template <class F>
  static bool Soon(F holds) {
    for (int i = 0; i < 4000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(5));
    return holds();
  }
  static Time SystemNow() { return std::chrono::time_point_cast<Duration>(Clock::now()); }
  static constexpr const char* kBoth = "group both all mx us\nquorum both\n";
  // One that has this log's key, and another history.
  std::unique_ptr<SmallLog> Other(std::size_t entries) const {
    auto other = std::make_unique<SmallLog>();
    other->key = crypto::Ed25519SignKey::FromSeed(log_.key.Seed().view()).value();
    other->salt = "other";
    other->Append(entries);
    return other;
  }
  log::WitnessPolicy Policy(const std::string& quorum = kBoth) const {
    return log::WitnessPolicy::Parse(mx_.PolicyLine() + us_.PolicyLine() + quorum).value();
  }
  ledger::Charter Terms() const {
    ledger::Charter terms;
    terms.origin = SmallLog::kOrigin;
    terms.max_checkpoint_age_seconds = max_age_;
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
    options.timeout = timeout_;
    options.start_wait = start_wait_;
    options.start_others = start_wait_;
    options.start_without = start_without_;
    options.round = milliseconds(100);
    witnesses_ = std::make_unique<Witnesses>(std::move(options), workers_);
  }
  Status AskFirst(const SmallLog& marked, std::uint64_t size, const std::string& quorum = kBoth) {
    Make();
    return witnesses_->AskFirst(Terms(), Policy(quorum), marked.Checkpoint()->note(), size, Log());
  }
  void Begin() { BeginWith(Policy()); }
  void BeginWith(const log::WitnessPolicy& policy) {
    Make();
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
  std::uint32_t degraded_after_ = 0, max_age_ = 3600;
  milliseconds timeout_{500}, start_wait_{300};
  std::set<std::string> start_without_;
  test::TempFolder folder_;
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
  us_.Has(*log_.Checkpoint());  // from an earlier run
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
  witnesses_->Wait(1, Clock::now() + std::chrono::seconds(20),
                   [promise](Status status) { promise->set_value(status); });
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
    return WitnessDouble::Answer{200,
                                 log::Cosign(WitnessDouble::TextOf(body), mx_.cosigner().name, mx_.key, mx_.Now())};
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
TEST_F(WitnessesTest, ACosignatureOfAClockThatIsFarBackIsNotCounted) {
  us_.ahead_seconds = -7200;
  ExpectNotCounted([this](const std::string& body) { return us_.Honest(body); });
}
// A good cosignature, and then others' lines for ever: whoever read on would never be done.
TEST_F(WitnessesTest, AnAnswerWithoutEndIsNotReadToItsEnd) {
  RawServer endless([this](RawServer::Peer& peer) {
    const auto asked = peer.Request();
    if (asked.empty()) return;
    peer.Send("HTTP/1.1 200 OK\r\n\r\n" + us_.Honest(asked.substr(asked.find("\r\n\r\n") + 4)).body);
    const auto line = log::NoteSignature{"stranger", 1, Bytes(500)}.Line();
    while (!peer.over() && peer.Send(line)) {
    }
  });
  timeout_ = std::chrono::minutes(10);
  BeginWith(log::WitnessPolicy::Parse(mx_.PolicyLine() + us_.PolicyLine(endless.url()) + kBoth).value());
  EXPECT_TRUE(Soon([&] { return endless.connections > 1; })) << "it hung up, and asks again";
  EXPECT_FALSE(witnesses_->Covers(0));
}
TEST_F(WitnessesTest, AnAnswerOfTwoLinesCountsOnceAndItsLatestIsShown) {
  us_.lie = [this](const std::string& body) {
    auto answer = us_.Honest(body);
    if (answer.status != 200) return answer;
    const auto text = WitnessDouble::TextOf(body);
    answer.body = log::Cosign(text, us_.cosigner().name, us_.key, us_.Now() - 60) + answer.body +
                  log::Cosign(text, mx_.cosigner().name, mx_.key, mx_.Now());
    return answer;
  };
  mx_.away = true;  // whose line, from another's mouth, is not counted
  Begin();
  EXPECT_FALSE(Wait(1, milliseconds(400)));
  mx_.away = false;
  ASSERT_TRUE(Wait(1));
  const auto note = witnesses_->latest()->note;
  std::size_t lines = 0;
  for (auto at = note.find("us.example/1"); at != std::string::npos; at = note.find("us.example/1", at + 1)) ++lines;
  EXPECT_EQ(lines, 1u) << note;
  const auto known = log_.verifier();
  const auto verified = Policy().Verify(note, std::span(&known, 1));
  ASSERT_TRUE(verified);
  EXPECT_GT(verified->cosigned.at("us") + 30, us_.Now());
}
// One status line was enough to end the process.
TEST_F(WitnessesTest, NobodyOnTheWayToAWitnessBringsTheBrokerDown) {
  RawServer evil([](RawServer::Peer& peer) {
    peer.Request();
    peer.Send("HTTP/1.1 200 " + std::string(100'000, 'a') + "\r\nContent-Length: 0\r\n\r\n");
  });
  const auto policy = log::WitnessPolicy::Parse(mx_.PolicyLine() + us_.PolicyLine(evil.url()) + kBoth).value();
  log_.Append();
  Make();
  EXPECT_EQ(witnesses_->AskFirst(Terms(), policy, log_.Checkpoint()->note(), 1, Log()).error().reason,
            Reason::kNoQuorum);
  BeginWith(policy);
  EXPECT_EQ(Wait(2, milliseconds(400)).error().reason, Reason::kNoQuorum);
}
TEST_F(WitnessesTest, OneThatDripsOrTakesNoConnectionDelaysNobodyElse) {
  timeout_ = std::chrono::minutes(10);
  RawServer drips([](RawServer::Peer& peer) {
    peer.Request();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
    while (!peer.over() && peer.Send("a")) std::this_thread::sleep_for(milliseconds(20));
  });
  BlackHole hole;
  WitnessDouble slow{"slow"}, dead{"dead"};
  BeginWith(log::WitnessPolicy::Parse(mx_.PolicyLine() + us_.PolicyLine() + slow.PolicyLine(drips.url()) +
                                      dead.PolicyLine(hole.url()) + "group two 2 mx us slow dead\nquorum two\n")
                .value());
  for (std::uint64_t size = 1; size < 20; ++size) {
    EXPECT_TRUE(Wait(size, std::chrono::minutes(2))) << size;
    Publish();
  }
}
TEST_F(WitnessesTest, ASizeThatIsNoNumberIsNotFollowed) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{409, "many\n", "text/x.tlog.size"}; });
}
TEST_F(WitnessesTest, ALargerSizeWithoutTheLogsSignatureIsNotBelieved) {
  ExpectNotCounted([](const std::string&) { return WitnessDouble::Answer{409, "4000\n", "text/x.tlog.size"}; });
  EXPECT_FALSE(ahead_);
}

TEST_F(WitnessesTest, ALargerSizeUnderTheLogsOwnSignatureStopsTheLog) {
  us_.Has(*Other(40)->Checkpoint());
  Begin();
  EXPECT_EQ(Wait(1).error().reason, Reason::kNoQuorum);
  EXPECT_TRUE(Soon([&] { return ahead_.load(); }));
}

// After a start that signed below what a witness had seen: the log has grown past it meanwhile.
TEST_F(WitnessesTest, AnotherHistoryUnderTheLogsOwnSignatureStopsTheLogHoweverLate) {
  KeepLog();
  us_.Has(*Other(2)->Checkpoint());
  log_.Append(5);
  Begin();
  EXPECT_EQ(Wait(6).error().reason, Reason::kNoQuorum);
  EXPECT_TRUE(Soon([&] { return ahead_.load(); }));
  EXPECT_TRUE(Logged("witness-fork")) << "with the note that proves it";
}

TEST_F(WitnessesTest, AnotherRootOfTheSameSizeStopsTheLogToo) {
  us_.Has(*Other(1)->Checkpoint());
  Begin();
  EXPECT_EQ(Wait(1).error().reason, Reason::kNoQuorum);
  EXPECT_TRUE(Soon([&] { return ahead_.load(); }));
}

TEST_F(WitnessesTest, AConflictWithoutASizeIsLookedInto) {
  us_.Has(*Other(40)->Checkpoint());
  us_.lie = [](const std::string&) { return WitnessDouble::Answer{409, "conflict\n"}; };
  Begin();
  EXPECT_EQ(Wait(1).error().reason, Reason::kNoQuorum);
  EXPECT_TRUE(Soon([&] { return ahead_.load(); }));
}

TEST_F(WitnessesTest, AWitnessThatRefusesWithoutProofStopsNothing) {
  us_.shows = "";
  us_.lie = [](const std::string&) { return WitnessDouble::Answer{422, "no\n"}; };
  Begin();
  EXPECT_FALSE(Wait(1, milliseconds(400)));
  EXPECT_FALSE(ahead_);
  EXPECT_FALSE(witnesses_->ended());
}

TEST_F(WitnessesTest, AfterThatNothingIsCoveredAndNobodyIsAsked) {
  Begin();
  ASSERT_TRUE(Wait(1));
  us_.Has(*Other(40)->Checkpoint());
  Publish();
  ASSERT_TRUE(Soon([&] { return ahead_.load(); }));
  EXPECT_TRUE(witnesses_->ended());
  EXPECT_FALSE(witnesses_->Covers(0)) << "not what was covered before either";
  EXPECT_EQ(Wait(1).error().reason, Reason::kNoQuorum) << "and at once";
  Publish();
  const auto published = log_.Checkpoint()->size();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(mx_.size(), published);
  witnesses_->Amended(Terms(), nullptr, log_.Checkpoint());
  EXPECT_FALSE(witnesses_->Covers(0)) << "no amendment helps";
}

TEST_F(WitnessesTest, AWitnessThatGoesBackIsAnAlarmAndIsAskedOn) {
  KeepLog();
  log_.Append(49);
  const auto before = log_.Checkpoint();
  log_.Append(50);
  Begin();
  ASSERT_TRUE(Wait(100));
  EXPECT_FALSE(Logged("witness-went-back"));
  us_.Has(*before);
  Publish();
  EXPECT_TRUE(Wait(101));
  EXPECT_TRUE(Logged("witness-went-back"));
  EXPECT_FALSE(ahead_);
}

// ---- a start ----

TEST_F(WitnessesTest, BeforeAnythingIsSignedTheyCosignAgainWhatWasSignedLast) {
  start_wait_ = std::chrono::minutes(5);
  log_.Append(3);
  EXPECT_TRUE(AskFirst(log_, 3)) << "they have nothing yet";
  EXPECT_EQ(us_.size(), 3u);
  EXPECT_TRUE(AskFirst(log_, 3));
  us_.Has(*log_.Checkpoint());
  SmallLog old;
  old.key = crypto::Ed25519SignKey::FromSeed(log_.key.Seed().view()).value();
  old.Append(2);
  EXPECT_TRUE(AskFirst(old, 3)) << "the mark may be one behind";
  EXPECT_EQ(AskFirst(old, 2).error().reason, Reason::kRolledBack);
  us_.Has(*Other(2)->Checkpoint());
  EXPECT_EQ(AskFirst(log_, 3).error().reason, Reason::kFork);
  us_.Has(*Other(3)->Checkpoint());
  EXPECT_EQ(AskFirst(log_, 3).error().reason, Reason::kFork);
}

TEST_F(WitnessesTest, AStartHealsAWitnessThatHasLess) {
  start_wait_ = std::chrono::minutes(5);
  log_.Append(2);
  us_.Has(*log_.Checkpoint());
  log_.Append(5);
  EXPECT_TRUE(AskFirst(log_, 7));
  EXPECT_EQ(us_.size(), 7u);
}

// The quorum is there at once, and one that is slower has seen more.
TEST_F(WitnessesTest, AStartHearsTheOthersToo) {
  start_wait_ = std::chrono::minutes(5);
  log_.Append(3);
  us_.Has(*Other(40)->Checkpoint());
  us_.lie = [this](const std::string& body) {
    std::this_thread::sleep_for(milliseconds(300));
    return us_.Honest(body);
  };
  EXPECT_EQ(AskFirst(log_, 3, "quorum mx\n").error().reason, Reason::kRolledBack);
}

TEST_F(WitnessesTest, WhatNobodySignedIsNoAnswerAtAStart) {
  log_.Append(3);
  const std::vector<std::function<WitnessDouble::Answer(const std::string&)>> lies = {
      [](const std::string&) {
        return WitnessDouble::Answer{404, "no such log\n"};
      },
      [](const std::string&) {
        return WitnessDouble::Answer{409, "0\n", "text/x.tlog.size"};
      },
      [](const std::string&) {
        return WitnessDouble::Answer{409, "3\n", "text/x.tlog.size"};
      },
      [](const std::string&) {
        return WitnessDouble::Answer{409, "9\n", "text/x.tlog.size"};
      },
      [](const std::string&) {
        return WitnessDouble::Answer{200, "\n"};
      },
      [this](const std::string& body) {  // kept from an earlier day
        return WitnessDouble::Answer{
            200, log::Cosign(WitnessDouble::TextOf(body), us_.cosigner().name, us_.key, us_.Now() - 7200)};
      }};
  std::atomic<std::size_t> which = 0;
  us_.shows = "";
  us_.lie = [&](const std::string& body) { return lies[which](body); };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    which = i;
    const auto refused = AskFirst(log_, 3);
    ASSERT_FALSE(refused) << i;
    EXPECT_EQ(refused.error().reason, Reason::kNoQuorum);
    EXPECT_NE(refused.error().detail.find("us"), std::string::npos);
  }
  us_.Stop();
}

TEST_F(WitnessesTest, AStartNeedsTheAnswersOfAQuorumUnlessTheCharterLetsGoWithout) {
  start_wait_ = std::chrono::seconds(5);
  log_.Append(3);
  us_.Stop();
  const auto refused = AskFirst(log_, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kNoQuorum);
  EXPECT_NE(refused.error().detail.find("us"), std::string::npos);
  EXPECT_EQ(refused.error().detail.find("mx"), std::string::npos);
  degraded_after_ = 60;
  EXPECT_TRUE(AskFirst(log_, 3));
}

TEST_F(WitnessesTest, APersonLetsAStartGoWithoutAWitnessAndReleasesWaitForIt) {
  KeepLog();
  start_wait_ = std::chrono::seconds(5);
  log_.Append(3);
  us_.away = true;
  start_without_ = {"us.lost"};
  EXPECT_EQ(AskFirst(log_, 3).error().reason, Reason::kBadConfiguration) << "a name that is none";
  start_without_ = {"mx"};
  EXPECT_EQ(AskFirst(log_, 3).error().reason, Reason::kNoQuorum) << "the other one is lost";
  start_without_ = {"us"};
  ASSERT_TRUE(AskFirst(log_, 3));
  EXPECT_TRUE(Logged("started-without-witness"));
  Begin();
  EXPECT_EQ(Wait(4, milliseconds(300)).error().reason, Reason::kNoQuorum);
  EXPECT_FALSE(witnesses_->Covers(0));
  // What it had seen, and we not, is found when it is there again.
  us_.Has(*Other(40)->Checkpoint());
  us_.away = false;
  EXPECT_TRUE(Soon([&] { return ahead_.load(); }));
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

// Its clock is behind, within what is taken, and the charter wants fresher ones: each of its cosignatures is old when it comes.
TEST_F(WitnessesTest, OldCosignaturesThatKeepComingDoNotEndTheDegradedState) {
  degraded_after_ = 2;
  max_age_ = 1;  // asked again each quarter of a second
  us_.ahead_seconds = -100;
  Begin();
  ASSERT_TRUE(Wait(1));
  ASSERT_TRUE(Soon([&] { return witnesses_->degraded(); }));
  const int asked = us_.asked;
  ASSERT_TRUE(Soon([&] { return us_.asked > asked + 3; }));
  EXPECT_TRUE(witnesses_->degraded());
}

// The dead one keeps a call waiting; nothing that the sequencer does may wait for that.
TEST_F(WitnessesTest, AnAmendmentThatRetiresADeadWitnessBlocksNobody) {
  timeout_ = std::chrono::minutes(10);
  BlackHole hole;
  BeginWith(log::WitnessPolicy::Parse(mx_.PolicyLine() + us_.PolicyLine(hole.url()) + kBoth).value());
  EXPECT_FALSE(Wait(1, milliseconds(100)));
  const auto begin = std::chrono::steady_clock::now();
  log_.Append();
  const auto policy = Policy();
  witnesses_->Amended(Terms(), &policy, log_.Checkpoint());
  EXPECT_TRUE(Wait(2, std::chrono::minutes(2)));
  witnesses_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(4));
}

TEST_F(WitnessesTest, AnAmendmentsOwnCheckpointIsTheFirstThatItsWitnessesAreAskedFor) {
  Begin();
  ASSERT_TRUE(Wait(1));
  WitnessDouble next{"us"};
  std::mutex mutex;
  std::set<std::string> texts;
  next.lie = [&](const std::string& body) {
    std::lock_guard lock(mutex);
    texts.insert(WitnessDouble::TextOf(body));
    return next.Honest(body);
  };
  const auto policy = log::WitnessPolicy::Parse(mx_.PolicyLine() + next.PolicyLine() + kBoth).value();
  log_.Append();
  const auto amended = log_.Checkpoint();
  witnesses_->Amended(Terms(), &policy, amended);
  EXPECT_TRUE(Wait(2)) << "before it is published otherwise";
  witnesses_->Stop();
  EXPECT_EQ(texts, std::set<std::string>{amended->checkpoint().Body()});
}

TEST_F(WitnessesTest, AnAmendmentsWitnessesAreAskedFromThereOn) {
  us_.lie = [](const std::string&) { return WitnessDouble::Answer{500, "gone\n"}; };
  Begin();
  EXPECT_FALSE(Wait(1, milliseconds(200)));
  WitnessDouble next{"us"};
  const auto policy =
      log::WitnessPolicy::Parse(mx_.PolicyLine() + next.PolicyLine() + "group both all mx us\nquorum both\n").value();
  log_.Append();
  witnesses_->Amended(Terms(), &policy, log_.Checkpoint());
  witnesses_->Published(log_.Checkpoint());
  EXPECT_TRUE(Wait(2));
  witnesses_->Amended(Terms(), nullptr, log_.Checkpoint());
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
