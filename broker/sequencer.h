// The sequencer: one thread owns order. It takes what waits in a bounded pool, decides each statement over the
// state, appends the batch to the journal with one sync, signs one checkpoint, and then completes every waiter.
//
// Thread-safety: everything public may be called from any thread; completions run on the worker pool.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "broker/storage/storage.h"
#include "core/ledger/state.h"
#include "core/log/note.h"
#include "core/log/tree.h"
#include "proto/convert.h"

namespace valija::broker {

class WorkerPool;
class HighWater;

// An accepted statement: its entry is durable (that is what `durable` says) and under `checkpoint`.
struct Accepted {
  ledger::EntryHead head;
  Salt salt;
  ledger::Decision decision;
  Bytes decision_bytes;
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  Durable durable;
};
using Done = std::function<void(Result<Accepted>)>;

// What a commit changed, for followers and for cutting removed members off. Called on the worker pool, in order.
struct CommitNews {
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  std::uint64_t first = 0, end = 0;               // entry indexes
  std::vector<MemberId> removed_members;
};

class Sequencer {
 public:
  struct Options {
    AuthorityId authority;
    std::size_t pool_limit = 4096;                // statements waiting; above: kPoolFull
    std::size_t batch_limit = 1024;
    std::function<Time()> now;
  };
  // Folds the journal into the state (runs the same Decide as always on nothing: entries are taken as decided), loads
  // the tree, checks it against the journal and the high-water mark (kRolledBack, kCorrupt), signs the present
  // checkpoint. `charter`: for an empty journal, the signed charter that becomes entry 0; else it must be nullopt.
  static Result<std::unique_ptr<Sequencer>> Start(Options options, Journal& journal, HighWater& high_water,
                                                  const crypto::Ed25519SignKey& log_key, WorkerPool& workers,
                                                  crypto::Random& random,
                                                  std::optional<ledger::VerifiedStatement> charter);
  ~Sequencer();

  // Queues; kPoolFull, kShuttingDown, kStorage (after a failed append: nothing is accepted until a restart). On Ok the
  // completion is called exactly once.
  Status Submit(ledger::VerifiedStatement statement, Done done);
  void Stop();                                    // finishes what waits, then refuses

  // ---- reading ----
  template <class F>
  auto Read(F f) const {                          // f(const ledger::State&), under a shared lock; keep it short
    std::shared_lock lock(state_mutex_);
    return f(static_cast<const ledger::State&>(*state_));
  }
  std::shared_ptr<const log::SignedCheckpoint> checkpoint() const;   // the last published one
  Result<proto::LoggedEntry> Entry(std::uint64_t index) const;       // below checkpoint()->size()
  Result<std::vector<proto::LoggedEntry>> Entries(std::uint64_t from, std::size_t count, std::size_t max_bytes) const;
  Result<std::vector<Hash>> Inclusion(std::uint64_t index, std::uint64_t size) const;
  Result<std::vector<Hash>> Consistency(std::uint64_t from, std::uint64_t to) const;
  log::TileReader tiles() const;
  bool healthy() const;                           // false after a failed append
  std::size_t waiting() const;

  void OnCommit(std::function<void(const CommitNews&)> listener);    // set before serving

 private:
  struct Item;
  Sequencer(Options options, Journal& journal, HighWater& high_water, const crypto::Ed25519SignKey& log_key,
            WorkerPool& workers, crypto::Random& random);
  void Run();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  mutable std::shared_mutex state_mutex_;
  std::unique_ptr<ledger::State> state_;
};

}  // namespace valija::broker
