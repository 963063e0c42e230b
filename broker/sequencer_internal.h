// What a Sequencer holds, for sequencer.cc, sequencer_start.cc and sequencer_read.cc alone.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <thread>

#include "broker/fold.h"
#include "broker/proofs.h"
#include "broker/sequencer.h"
#include "broker/standing.h"

namespace valija::broker {

struct Sequencer::Item {
  ledger::VerifiedStatement statement;
  Done done;
  std::size_t bytes = 0;
};

// What became of an item: an entry, or a refusal.
struct Sequencer::Made {
  Done done;  // of a statement that the sequencer made itself: none
  std::optional<ledger::Entry> entry;
  Error refusal;
  std::size_t bytes = 0;  // the item's
};

struct Sequencer::Impl {
  Impl(Options with, Journal& the_journal, HighWater& the_mark, LogKeys keys, WorkerPool& the_workers,
       crypto::Random& source)
      : options(std::move(with)),
        journal(the_journal),
        high_water(the_mark),
        log_keys(std::move(keys)),
        workers(the_workers),
        random(source),
        proofs(TilesOf(the_journal)) {
    if (options.rows != nullptr) kept.emplace(*options.rows, log_keys, random);
  }

  const Options options;
  Journal& journal;
  HighWater& high_water;
  const LogKeys log_keys;
  WorkerPool& workers;
  crypto::Random& random;
  Proofs proofs;
  std::function<void(const CommitNews&)> listener;

  // Fresh random values, drawn from the generator some hundreds at a time: a call costs more than the bytes.
  template <class F>
  F Draw() {
    if (drawn.size() - used < F::kSize) {
      Bytes fresh(16 * 1024);
      random.Fill(fresh);
      drawn = std::move(fresh);
      used = 0;
    }
    F out;
    std::copy_n(drawn.begin() + static_cast<std::ptrdiff_t>(used), F::kSize, out.bytes.begin());
    used += F::kSize;
    return out;
  }

  // The sequencer's own thread alone.
  Bytes drawn;
  std::size_t used = 0;
  log::Tree tree;
  LogSigner signer;
  std::optional<KeptState> kept;                 // Get and Forget: any thread
  std::uint64_t kept_at = 0;                     // where it stands
  std::size_t kept_bytes = 0;                    // of entries since
  std::vector<std::uint64_t> unfinished_purges;  // that can never be carried out
  std::optional<StandingOrders> orders;
  std::string origin;
  Digest charter;  // the statement in force, as the signer has it
  Time last;       // entry times never go back

  // The pool.
  mutable std::mutex pool_mutex;
  std::condition_variable wake;
  std::deque<Item> pool;
  bool stopping = false, crowded = false;
  std::thread thread;

  std::atomic<std::size_t> admitted = 0, admitted_bytes = 0;
  std::atomic<bool> healthy = true;

  mutable std::mutex published_mutex;
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  std::map<std::uint64_t, Hash> roots;

  std::mutex news_mutex;
  std::deque<CommitNews> news;
  bool news_running = false;
};

}  // namespace valija::broker
