#include "broker/sequencer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "core/log/tree.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;

// Holds the journal's appends until it is opened.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::promise<void> entered;
  std::atomic<bool> first = true;
  std::function<Status()> Hold() {
    return [this]() -> Status {
      if (first.exchange(false)) entered.set_value();
      opened.wait();
      return Ok();
    };
  }
};

TEST(SequencerTest, MakesALogFromACharter) {
  BrokerRig rig;
  rig.Found();
  EXPECT_EQ(rig.memory.Size(), 1u);
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), 1u);
  EXPECT_EQ(rig.mark->note(), rig.sequencer->checkpoint()->note());
  EXPECT_TRUE(rig.sequencer->Read([](const auto& state) { return state.charter() != nullptr; }));
  EXPECT_TRUE(rig.sequencer->healthy());
}

TEST(SequencerTest, AnAcceptedStatementIsProvedByItsReceipt) {
  BrokerRig rig;
  rig.Found();
  auto statement = rig.world.EnrolNew("us.dea/ana");
  auto accepted = rig.Post(statement);
  ASSERT_TRUE(accepted) << accepted.error().Message();
  EXPECT_EQ(accepted->head.index, 1u);
  EXPECT_EQ(accepted->head.statement, statement->digest);
  EXPECT_EQ(accepted->statement->digest, statement->digest);
  EXPECT_EQ(accepted->durable.size(), 2u);
  auto checkpoint =
      log::SignedCheckpoint::Verify(accepted->checkpoint->note(), test::BrokerWorld::kOrigin, rig.world.verifier());
  ASSERT_TRUE(checkpoint);
  auto path = rig.sequencer->Inclusion(1, checkpoint->size());
  ASSERT_TRUE(path);
  Hash leaf = ledger::EntryLeaf(ledger::CommitEntry(accepted->salt, accepted->head));
  EXPECT_TRUE(log::VerifyInclusion(1, checkpoint->size(), leaf, *path, checkpoint->root()));
  EXPECT_EQ(accepted->head.decision, crypto::DigestOf(ledger::kDecisionType, accepted->decision_bytes));
  auto entry = rig.sequencer->Entry(1);
  ASSERT_TRUE(entry);
  EXPECT_TRUE(proto::CheckLoggedEntry(*entry));
  EXPECT_EQ(entry->head, accepted->head);
}

TEST(SequencerTest, ARefusalIsNoEntry) {
  BrokerRig rig;
  rig.Found();
  rig.world.NewPerson("us.dea/ana");
  auto refused = rig.Post(rig.world.Remove("us.dea/ana"));  // never enrolled
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kNotFound);
  EXPECT_EQ(rig.memory.Size(), 1u);
  EXPECT_EQ(rig.memory.appends, 1);  // the charter's
  EXPECT_TRUE(rig.sequencer->healthy());
}

TEST(SequencerTest, TheSameStatementTwiceIsOneEntry) {
  BrokerRig rig;
  rig.Found();
  auto statement = rig.world.EnrolNew("us.dea/ana");
  Gate gate;
  rig.memory.before_append = gate.Hold();
  auto other = rig.Submit(rig.world.EnrolNew("us.dea/bob"));
  gate.entered.get_future().wait();
  auto first = rig.Submit(statement), second = rig.Submit(statement);  // of one batch
  gate.open.set_value();
  ASSERT_TRUE(first.get());
  auto again = second.get();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::kExists);
  EXPECT_EQ(rig.Post(statement).error().reason, Reason::kExists);
  EXPECT_EQ(rig.memory.Size(), 3u);
  EXPECT_EQ(rig.sequencer->Read([&](const auto& state) { return state.statement_index(statement->digest); }), 2u);
}

TEST(SequencerTest, ARecordsEntryClaimsItsBodiesForTheOriginatorsAgency) {
  BrokerRig rig;
  rig.Found();
  ASSERT_TRUE(rig.Post(rig.world.Epoch("mx.fgr")));
  EXPECT_TRUE(rig.memory.claims.empty());
  auto sent = rig.world.Record("us.dea/admin", {rig.world.PolicyFor("mx.fgr"), rig.world.PolicyFor("mx.fgr")});
  ASSERT_TRUE(rig.Post(sent.statement));
  ASSERT_EQ(rig.memory.claims.size(), 2u);
  const auto& portions = std::get<ledger::Record>(sent.statement->payload).payload.portions;
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(rig.memory.claims[p].owner.str(), "us.dea");
    EXPECT_EQ(rig.memory.claims[p].root, portions[p].body_root);
  }
  EXPECT_FALSE(rig.Post(sent.statement));  // there already: nothing more
  EXPECT_EQ(rig.memory.claims.size(), 2u);
}

TEST(SequencerTest, AcceptedAtGivesWhatWasAcceptedAgain) {
  BrokerRig rig;
  rig.Found();
  auto accepted = rig.Post(rig.world.EnrolNew("us.dea/ana")).value();
  ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/bob")));
  auto again = rig.sequencer->AcceptedAt(accepted.head.index).value();
  EXPECT_TRUE(again.head == accepted.head);
  EXPECT_EQ(again.salt, accepted.salt);
  EXPECT_EQ(again.statement->digest, accepted.statement->digest);
  EXPECT_TRUE(again.decision == accepted.decision);
  EXPECT_EQ(again.decision_bytes, accepted.decision_bytes);
  EXPECT_GT(again.durable.size(), again.head.index);
  EXPECT_EQ(rig.sequencer->AcceptedAt(3).error().reason, Reason::kNotFound);
}

TEST(SequencerTest, GroupsWhatGathersWhileABatchIsWritten) {
  BrokerRig rig;
  rig.Found();
  Gate gate;
  rig.memory.before_append = gate.Hold();
  std::vector<std::future<Result<Accepted>>> answers;
  answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m0")));
  gate.entered.get_future().wait();
  for (int i = 1; i <= 50; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  gate.open.set_value();
  std::set<std::string> checkpoints;
  for (auto& answer : answers) {
    auto accepted = answer.get();
    ASSERT_TRUE(accepted) << accepted.error().Message();
    checkpoints.insert(accepted->checkpoint->note());
  }
  EXPECT_EQ(rig.memory.appends, 3);  // the charter, the first, and the fifty
  EXPECT_EQ(checkpoints.size(), 2u);
}

TEST(SequencerTest, ABatchHasALimitInNumberAndInBytes) {
  for (bool in_bytes : {false, true}) {
    BrokerRig rig;
    if (in_bytes) {
      rig.options.batch_bytes = 1;
    } else {
      rig.options.batch_limit = 1;
    }
    rig.Found();
    Gate gate;
    rig.memory.before_append = gate.Hold();
    std::vector<std::future<Result<Accepted>>> answers;
    for (int i = 0; i < 5; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
    gate.open.set_value();
    for (auto& answer : answers) EXPECT_TRUE(answer.get());
    EXPECT_EQ(rig.memory.appends, 6);
  }
}

TEST(SequencerTest, RefusesWhenThePoolIsFullAndTakesAgainLater) {
  BrokerRig rig;
  rig.options.pool_limit = 3;
  rig.Found();
  Gate gate;
  rig.memory.before_append = gate.Hold();
  std::vector<std::future<Result<Accepted>>> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  EXPECT_EQ(rig.sequencer->waiting(), 3u);
  auto fourth = rig.world.EnrolNew("us.dea/late");
  auto refused = rig.Submit(fourth).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kPoolFull);
  gate.open.set_value();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_TRUE(rig.Post(fourth));
}

TEST(SequencerTest, ThePoolIsFullInBytesTooWhateverBecameOfWhatWasInIt) {
  BrokerRig rig;
  rig.Found();
  std::vector<ledger::VerifiedStatement> statements;
  for (int i = 0; i < 6; ++i) statements.push_back(rig.world.EnrolNew("us.dea/m" + std::to_string(i)));
  const std::size_t each = 512 + statements[0]->envelope.payload.size();
  rig.options.pool_bytes = 3 * each;
  ASSERT_TRUE(rig.Start());
  Gate gate;
  rig.memory.before_append = gate.Hold();
  auto held = rig.Submit(statements[0]);
  gate.entered.get_future().wait();
  auto taken = rig.Submit(statements[1]), twice = rig.Submit(statements[1]);  // one of them will be refused
  auto refused = rig.Submit(statements[2]).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kPoolFull);
  gate.open.set_value();
  EXPECT_TRUE(held.get());
  EXPECT_TRUE(taken.get());
  EXPECT_EQ(twice.get().error().reason, Reason::kExists);
  // There is room for as many again, and for no more.
  Gate again;
  rig.memory.before_append = again.Hold();
  std::vector<std::future<Result<Accepted>>> answers;
  for (int i = 2; i < 5; ++i) answers.push_back(rig.Submit(statements[i]));
  EXPECT_EQ(rig.Submit(statements[5]).get().error().reason, Reason::kPoolFull);
  again.open.set_value();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
}

TEST(SequencerTest, NobodyIsAnsweredBeforeTheEntryIsDurableMarkedAndPublished) {
  BrokerRig rig;
  rig.Found();
  std::atomic<int> answered = 0, early = 0;
  Gate gate;
  rig.memory.before_append = gate.Hold();
  std::vector<std::future<void>> seen;
  for (int i = 0; i < 20; ++i) {
    auto done = std::make_shared<std::promise<void>>();
    seen.push_back(done->get_future());
    // The last is refused: its answer comes no sooner.
    auto statement = i == 19 ? rig.world.Enrol(rig.world.people.at("us.dea/m0"))
                             : rig.world.EnrolNew("us.dea/m" + std::to_string(i));
    ASSERT_TRUE(rig.sequencer->Submit(std::move(statement), [&, done](Result<Accepted> result) {
      ++answered;
      if (result) {
        auto mark = log::Note::Parse(*rig.mark->note());
        auto marked = log::Checkpoint::ParseBody(mark->text);
        bool holds = rig.memory.Size() > result->head.index && marked->size > result->head.index &&
                     rig.sequencer->checkpoint()->size() > result->head.index &&
                     result->checkpoint->size() > result->head.index;
        if (!holds) ++early;
      }
      done->set_value();
    }));
  }
  gate.entered.get_future().wait();
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), 1u);
  gate.open.set_value();
  for (auto& one : seen) one.wait();
  EXPECT_EQ(answered, 20);
  EXPECT_EQ(early, 0);
}

TEST(SequencerTest, AFailedAppendAnswersEverybodyAndStopsAccepting) {
  BrokerRig rig;
  rig.Found();
  Gate gate;
  auto hold = gate.Hold();
  rig.memory.before_append = [&]() -> Status {
    TRY_OK(hold());
    return Refuse(Reason::kOutcomeUnknown, "a disk that fails");
  };
  std::vector<std::future<Result<Accepted>>> answers;
  answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m0")));
  gate.entered.get_future().wait();
  for (int i = 1; i < 5; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  gate.open.set_value();
  EXPECT_EQ(answers[0].get().error().reason, Reason::kOutcomeUnknown);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(answers[i].get().error().reason, Reason::kStorage);
  EXPECT_FALSE(rig.sequencer->healthy());
  EXPECT_EQ(rig.Post(rig.world.EnrolNew("us.dea/late")).error().reason, Reason::kStorage);
  EXPECT_EQ(rig.memory.appends, 2);  // the charter's and the one that failed
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), 1u);
  EXPECT_TRUE(rig.sequencer->Entry(0));  // reading goes on
  EXPECT_EQ(rig.sequencer->Entry(1).error().reason, Reason::kNotFound);

  rig.memory.before_append = nullptr;
  ASSERT_TRUE(rig.Start());
  EXPECT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/after")));
}

// No file of this process can be written while it lives (the mark's alone is one, here).
class FullDisk {
 public:
  FullDisk() {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit none = limit_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  rlimit limit_{};
  void (*before_)(int) = nullptr;
};

// The entries are on the disk then and their mark is not: nobody knows whether they count until a restart says so.
TEST(SequencerTest, AMarkThatCannotBeWrittenAnswersEverybodyAndStopsAccepting) {
  BrokerRig rig;
  rig.Found();
  Gate gate;
  rig.memory.before_append = gate.Hold();
  std::vector<std::future<Result<Accepted>>> answers;
  answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m0")));
  gate.entered.get_future().wait();
  for (int i = 1; i < 5; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  {
    FullDisk full;
    gate.open.set_value();
    EXPECT_EQ(answers[0].get().error().reason, Reason::kOutcomeUnknown);
    for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(answers[i].get().error().reason, Reason::kStorage);
  }
  // Room again is no reason to go on.
  EXPECT_FALSE(rig.sequencer->healthy());
  EXPECT_EQ(rig.Post(rig.world.EnrolNew("us.dea/late")).error().reason, Reason::kStorage);
  EXPECT_EQ(rig.memory.appends, 2);
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), 1u);
  EXPECT_EQ(rig.sequencer->Entry(1).error().reason, Reason::kNotFound) << "it is on the disk, and nobody is shown it";
  EXPECT_EQ(rig.memory.Size(), 2u);

  // The restart takes what is on the disk, once, and the mark with it.
  ASSERT_TRUE(rig.Start());
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), 2u);
  EXPECT_EQ(rig.mark->note(), rig.sequencer->checkpoint()->note());
  auto active = [&](const char* id) {
    return rig.sequencer->Read(
        [&](const ledger::State& state) { return state.active_member(*MemberId::Parse(id)) != nullptr; });
  };
  EXPECT_TRUE(active("us.dea/m0"));
  EXPECT_FALSE(active("us.dea/m1"));
  EXPECT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/after")));
}

TEST(SequencerTest, AJournalThatMovedIsNoAnswerOfExists) {
  BrokerRig rig;
  rig.Found();
  rig.memory.before_append = [] { return Status(Refuse(Reason::kExists, "moved")); };
  EXPECT_EQ(rig.Post(rig.world.EnrolNew("us.dea/ana")).error().reason, Reason::kStorage);
  EXPECT_FALSE(rig.sequencer->healthy());
}

TEST(SequencerTest, AJournalThatThrowsLeavesTheOutcomeUnknown) {
  BrokerRig rig;
  rig.Found();
  rig.memory.before_append = []() -> Status { throw std::runtime_error("no memory"); };
  EXPECT_EQ(rig.Post(rig.world.EnrolNew("us.dea/ana")).error().reason, Reason::kOutcomeUnknown);
  EXPECT_FALSE(rig.sequencer->healthy());
}

class ThrowingRandom : public crypto::Random {
 public:
  std::atomic<bool> broken = false;
  void Fill(std::span<std::uint8_t> out) override {
    if (broken) throw std::runtime_error("no randomness");
    system_.Fill(out);
  }

 private:
  crypto::SystemRandom system_;
};

TEST(SequencerTest, AThrowWhileDecidingRefusesThatStatementAlone) {
  BrokerRig rig;
  ThrowingRandom random;
  rig.random = &random;
  rig.Found();
  random.broken = true;
  int accepted = 0;
  for (;; ++accepted) {  // some random values were drawn before
    auto answer = rig.Post(rig.world.EnrolNew("us.dea/m" + std::to_string(accepted)));
    if (answer) continue;
    EXPECT_EQ(answer.error().reason, Reason::kInternal);
    break;
  }
  EXPECT_EQ(rig.memory.Size(), 1u + accepted);
  random.broken = false;
  EXPECT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/bob")));
  EXPECT_TRUE(rig.sequencer->healthy());
  rig.Stop();
}

TEST(SequencerTest, NewsComeInOrderAndNameWhoWasRemoved) {
  BrokerRig rig;
  rig.options.batch_limit = 3;
  rig.Found();
  std::mutex mutex;
  std::vector<CommitNews> news;
  rig.sequencer->OnCommit([&](const CommitNews& one) {
    std::lock_guard lock(mutex);
    news.push_back(one);
  });
  std::vector<std::future<Result<Accepted>>> answers;
  for (int i = 0; i < 40; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  answers.push_back(rig.Submit(rig.world.Remove("us.dea/m7")));
  for (auto& answer : answers) ASSERT_TRUE(answer.get());
  rig.sequencer->Stop();
  rig.workers->Stop();
  std::uint64_t next = 1;
  std::vector<MemberId> removed;
  for (const auto& one : news) {
    EXPECT_EQ(one.first, next);
    EXPECT_GT(one.end, one.first);
    EXPECT_EQ(one.checkpoint->size(), one.end);
    next = one.end;
    removed.insert(removed.end(), one.changed_members.begin(), one.changed_members.end());
  }
  EXPECT_EQ(next, 42u);
  EXPECT_EQ(removed, std::vector<MemberId>{*MemberId::Parse("us.dea/m7")});
}

TEST(SequencerTest, AClockThatGoesBackDoesNotTurnTheLogBack) {
  BrokerRig rig;
  std::atomic<std::int64_t> clock = ToMillis(rig.world.now) + 60'000;
  rig.options.now = [&] { return FromMillis(clock); };
  rig.Found();
  auto before = rig.Post(rig.world.EnrolNew("us.dea/ana"));
  clock = ToMillis(rig.world.now) - 60'000;
  auto after = rig.Post(rig.world.EnrolNew("us.dea/bob"));
  ASSERT_TRUE(before && after);
  EXPECT_GE(after->head.time, before->head.time);
  rig.Stop();
}

TEST(SequencerTest, StopFinishesWhatWaitsAndRefusesWhatComesAfter) {
  BrokerRig rig;
  rig.Found();
  Gate gate;
  rig.memory.before_append = gate.Hold();
  std::vector<std::future<Result<Accepted>>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(rig.Submit(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  auto late = rig.world.EnrolNew("us.dea/late");
  gate.entered.get_future().wait();
  gate.open.set_value();
  rig.sequencer->Stop();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(rig.Post(late).error().reason, Reason::kShuttingDown);
}

TEST(SequencerTest, ManyThreadsSubmitAndReadAtOnce) {
  BrokerRig rig;
  rig.Found();
  std::vector<std::vector<ledger::VerifiedStatement>> statements(4);
  for (int t = 0; t < 4; ++t) {
    for (int i = 0; i < 50; ++i) {
      statements[t].push_back(rig.world.EnrolNew("us.dea/t" + std::to_string(t) + "-" + std::to_string(i)));
    }
  }
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      auto checkpoint = rig.sequencer->checkpoint();
      auto members = rig.sequencer->Read([](const auto& state) { return state.members().size(); });
      EXPECT_GE(members, 2u);
      auto path = rig.sequencer->Inclusion(checkpoint->size() - 1, checkpoint->size());
      EXPECT_TRUE(path);
      EXPECT_TRUE(rig.sequencer->Consistency(1, checkpoint->size()));
      EXPECT_TRUE(rig.sequencer->Entry(checkpoint->size() - 1));
    }
  });
  std::mutex mutex;
  std::set<std::uint64_t> indexes;
  std::vector<std::thread> senders;
  for (auto& mine : statements) {
    senders.emplace_back([&] {
      std::vector<std::future<Result<Accepted>>> answers;
      for (auto& statement : mine) answers.push_back(rig.Submit(statement));
      for (auto& answer : answers) {
        auto accepted = answer.get();
        ASSERT_TRUE(accepted) << accepted.error().Message();
        std::lock_guard lock(mutex);
        EXPECT_TRUE(indexes.insert(accepted->head.index).second);
      }
    });
  }
  for (auto& sender : senders) sender.join();
  stop = true;
  reader.join();
  EXPECT_EQ(indexes.size(), 200u);
  EXPECT_EQ(*indexes.rbegin(), 200u);
  EXPECT_LT(rig.memory.appends, 201);
  EXPECT_EQ(rig.sequencer->checkpoint()->size(), 201u);
}

TEST(SequencerTest, EntriesAreReadUpToThePublishedCheckpoint) {
  BrokerRig rig;
  rig.Found();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  EXPECT_EQ(rig.sequencer->Entries(0, 100, 1 << 20)->size(), 6u);
  EXPECT_EQ(rig.sequencer->Entries(4, 100, 1 << 20)->size(), 2u);
  EXPECT_EQ(rig.sequencer->Entries(0, 2, 1 << 20)->size(), 2u);
  EXPECT_EQ(rig.sequencer->Entries(6, 2, 1 << 20)->size(), 0u);
  EXPECT_EQ(rig.sequencer->Entry(6).error().reason, Reason::kNotFound);
  EXPECT_EQ(rig.sequencer->Inclusion(6, 7).error().reason, Reason::kNotFound);
  EXPECT_EQ(rig.sequencer->Consistency(6, 7).error().reason, Reason::kNotFound);
}

// ---- What a client says it has seen ----

TEST(SequencerTest, AnOpenWhoseClientSawAnotherLogIsRefusedBeforeItIsSequenced) {
  BrokerRig rig;
  rig.Found();
  ASSERT_TRUE(rig.Post(rig.world.Epoch("mx.fgr")));
  auto sent = rig.world.Record("us.dea/admin", {rig.world.PolicyFor("mx.fgr")});
  ASSERT_TRUE(rig.Post(sent.statement));
  auto reply = crypto::KemPrivateKey::Generate(rig.world.random);
  auto ours = rig.sequencer->checkpoint()->checkpoint();
  auto other = ours;
  other.root.bytes[3] ^= 1;
  auto larger = ours;
  larger.size += 1;
  for (const auto& seen : {other, larger}) {
    auto refused = rig.Post(rig.world.Open("mx.fgr/admin", {{sent.statement->digest, 0}}, seen, reply.public_key()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, Reason::kFork);
  }
  EXPECT_EQ(rig.memory.Size(), ours.size);
  EXPECT_TRUE(rig.Post(rig.world.Open("mx.fgr/admin", {{sent.statement->digest, 0}}, ours, reply.public_key())));
  // Sizes that no checkpoint of this run had are computed from the tiles.
  ASSERT_TRUE(rig.Start());
  for (std::uint64_t size = 1; size <= ours.size; ++size) {
    auto root = log::RootAt(size, rig.sequencer->tiles());
    ASSERT_TRUE(root);
    EXPECT_TRUE(rig.sequencer->CheckSeen(size, *root));
    root->bytes[0] ^= 1;
    EXPECT_EQ(rig.sequencer->CheckSeen(size, *root).error().reason, Reason::kFork);
  }
}

}  // namespace
}  // namespace valija::broker
