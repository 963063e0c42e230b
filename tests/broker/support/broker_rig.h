// A sequencer over a journal in memory, its mark in a temporary folder, and a wait for answers.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "broker/sequencer.h"
#include "broker/storage/high_water.h"
#include "broker/worker_pool.h"
#include "tests/broker/support/broker_world.h"
#include "tests/broker/support/memory_journal.h"
#include "tests/broker/support/memory_rows.h"
#include "tests/broker/support/temp_folder.h"

namespace valija::test {

// Starts, stops and starts again over the same journal, rows and mark. Time is the world's, unless a test sets another.
struct BrokerRig {
  BrokerWorld world;
  TempFolder folder;
  MemoryJournal memory;
  MemoryRows rows;
  broker::Journal* journal = &memory;
  // Nothing of the state stays in memory that need not, and it is kept all the time.
  broker::Sequencer::Options options{.authority = world.authority,
                                     .now = [this] { return world.now; },
                                     .rows = &rows,
                                     .keep_every = 3,
                                     .state_cache = 0};
  crypto::Random* random = &world.random;
  std::optional<broker::LogKeys> log_keys;  // else the world's one
  std::unique_ptr<broker::WorkerPool> workers;
  std::unique_ptr<broker::HighWater> mark;
  std::unique_ptr<broker::Witnesses> witnesses;
  std::unique_ptr<broker::Sequencer> sequencer;
  std::optional<broker::Witnesses::Options> witnessing;  // of starts that find a log

  std::filesystem::path mark_path() const { return folder / "mark"; }

  Status Start(std::optional<ledger::VerifiedStatement> charter = std::nullopt) {
    Stop();
    workers = std::make_unique<broker::WorkerPool>(3, 1000);
    TRY(mark, broker::HighWater::Open(mark_path()));
    if (witnessing) {
      if (!charter) witnesses = std::make_unique<broker::Witnesses>(*witnessing, *workers);
      options.witnesses = witnesses.get();
    }
    TRY(sequencer,
        broker::Sequencer::Start(options, *journal, *mark, log_keys ? *log_keys : broker::LogKeys(world.log_key),
                                 *workers, *random, std::move(charter)));
    return Ok();
  }
  void Stop() {
    if (sequencer) sequencer->Stop();
    if (witnesses) witnesses->Stop();
    if (workers) workers->Stop();
    sequencer.reset();
    witnesses.reset();
    workers.reset();
    mark.reset();
  }
  ~BrokerRig() { Stop(); }

  void Found(const std::vector<std::string>& agencies = {"mx.fgr", "us.dea"}) {
    auto started = Start(world.Charter(agencies));
    if (!started) throw std::runtime_error(started.error().Message());
  }

  // Starts so that the first batch is `first` alone, held until the returned function is called: what is submitted before
  // that is the next batch.
  std::function<void()> StartHeld(ledger::VerifiedStatement first) {
    struct Hold {
      std::promise<void> reached, go;
      std::atomic<bool> used = false;
    };
    auto hold = std::make_shared<Hold>();
    auto go = hold->go.get_future().share();
    options.now = [this, hold, go] {
      if (!hold->used.exchange(true)) {
        hold->reached.set_value();
        go.wait();
      }
      return world.now;
    };
    if (auto started = Start(); !started) throw std::runtime_error(started.error().Message());
    auto answer = std::make_shared<std::future<Result<broker::Accepted>>>(Submit(std::move(first)));
    hold->reached.get_future().wait();
    return [hold, answer] {
      hold->go.set_value();
      EXPECT_TRUE(answer->get());
    };
  }

  std::future<Result<broker::Accepted>> Submit(ledger::VerifiedStatement statement) {
    auto answer = std::make_shared<std::promise<Result<broker::Accepted>>>();
    auto future = answer->get_future();
    auto queued = sequencer->Submit(
        std::move(statement), [answer](Result<broker::Accepted> result) { answer->set_value(std::move(result)); });
    if (!queued) answer->set_value(queued.error());
    return future;
  }
  Result<broker::Accepted> Post(ledger::VerifiedStatement statement) { return Submit(std::move(statement)).get(); }
};

}  // namespace valija::test
