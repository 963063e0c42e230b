// The sequencer: one thread owns order. It takes what waits in a bounded pool, decides each statement over the
// state, appends the batch to the journal with one sync, signs one checkpoint, writes the high-water mark, publishes,
// and then completes every waiter. While one batch is synced the next one gathers.
//
// It also makes statements of its own: an opening for each standing order under which a record or a grant falls, right
// after it and in the same append, so that no crash comes between. And it carries out a purge once it is durable (purge.h).
//
// What a failure leaves: after an append or a mark that failed, everybody in the batch gets the reason, and nothing is
// accepted until a restart, which finds out what is on the disk. Reading goes on; the state may then hold entries that
// were never acknowledged, so whoever shows entries shows those below checkpoint()->size() alone.
//
// Thread-safety: everything public may be called from any thread; completions run on the worker pool.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "broker/glance.h"
#include "broker/log_keys.h"
#include "broker/storage/storage.h"
#include "broker/witnesses.h"
#include "core/crypto/keys.h"
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
  ledger::VerifiedStatement statement;  // what was accepted
  ledger::Decision decision;
  Bytes decision_bytes;
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  Durable durable;
};
using Done = std::function<void(Result<Accepted>)>;

// What a commit changed, for followers and for cutting removed members off. Called on the worker pool, in order, one at
// a time.
struct CommitNews {
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  std::uint64_t first = 0, end = 0;  // entry indexes
  // Removed, suspended, of an agency that left, or enrolled anew with other keys or attributes.
  std::vector<MemberId> changed_members;
  bool charter_changed = false;
};

class Sequencer {
 public:
  struct Options {
    AuthorityId authority;
    std::size_t pool_limit = 4096;                    // statements admitted and not yet completed; above: kPoolFull
    std::size_t pool_bytes = std::size_t{256} << 20;  // that these take; above: kPoolFull too
    std::size_t batch_limit = 1024;
    std::size_t batch_bytes = std::size_t{16} << 20;
    std::function<Time()> now;
    Content* content = nullptr;  // whose bodies a purge erases; nullptr: there are none
    Rows* rows = nullptr;        // where the state is kept; nullptr: it is folded anew at each start, and all in memory
    std::uint64_t keep_every = 8192;                  // entries: a start folds no more than these and a batch
    std::size_t keep_bytes = std::size_t{64} << 20;   // of entries: the same
    std::size_t state_cache = std::size_t{64} << 20;  // bytes, about, of the state that may be read again
    Witnesses* witnesses = nullptr;  // not begun yet; nullptr: nothing is released where the charter asks for some
  };
  // Folds the journal, or what came after the state that is kept, into the state and the tree (fold.h), checks them against the high-water mark (kRolledBack,
  // kCorrupt) and the charter against this broker's log keys and authority (kBadConfiguration), carries out purges that a
  // crash cut short, signs the present checkpoint. `charter`: for a new log (an empty journal and no mark above size 0, else kExists), the signed charter
  // that becomes entry 0, or is refused as any statement may be; else it must be nullopt, and an empty journal is
  // refused (kRolledBack, kNotReady).
  static Result<std::unique_ptr<Sequencer>> Start(Options options, Journal& journal, HighWater& high_water,
                                                  LogKeys log_keys, WorkerPool& workers, crypto::Random& random,
                                                  std::optional<ledger::VerifiedStatement> charter);
  ~Sequencer();  // Stop

  // Queues; kPoolFull, kShuttingDown, kStorage (after a failed append: nothing is accepted until a restart). An open
  // whose client says it verified a checkpoint that is not of our tree is refused here (kFork) and is an alarm in the
  // log: somebody showed it another one. Not for a gRPC handler's own thread: an open may read tiles.
  // On Ok the completion is called exactly once, after the batch is durable and published, refusals too.
  Status Submit(ledger::VerifiedStatement statement, Done done);
  void Stop();  // finishes what waits, then refuses. Stop the worker pool after it.

  // ---- reading ----
  // f(const ledger::State&) or f(const ledger::State&, const Glances&), under a shared lock; keep it short. What it throws is
  // thrown; ledger::RowsDamaged stops the broker from accepting anything.
  template <class F>
  auto Read(F f) const {
    const Reading reading(*this);
    try {
      if constexpr (std::is_invocable_v<F, const ledger::State&, const Glances&>)
        return f(std::as_const(*state_), std::as_const(glances_));
      else
        return f(std::as_const(*state_));
    } catch (const ledger::RowsDamaged& damage) {
      Distrust(damage.what());
      throw;
    }
  }
  std::shared_ptr<const log::SignedCheckpoint> checkpoint() const;  // the last published one
  Result<proto::LoggedEntry> Entry(std::uint64_t index) const;      // kNotFound at or above checkpoint()->size()
  Result<std::vector<proto::LoggedEntry>> Entries(std::uint64_t from, std::size_t count, std::size_t max_bytes) const;
  // What was accepted as this entry, made again from the log, under the checkpoint of now. kNotFound at or above it.
  Result<Accepted> AcceptedAt(std::uint64_t index) const;
  Result<proto::LoggedEntry> RecordEntry(const Digest& record) const;  // kNotFound; who may see it is not judged
  // Proofs in the tree of a published size (kNotFound above it).
  Result<std::vector<Hash>> Inclusion(std::uint64_t index, std::uint64_t size) const;
  Result<std::vector<Hash>> Consistency(std::uint64_t from, std::uint64_t to) const;
  log::TileReader tiles() const;
  // Is this a root that our tree had at this size? kFork if not; kCorrupt.
  Status CheckSeen(std::uint64_t size, const Hash& root) const;
  // ---- the witnesses ----
  // May what was decided as this entry be released?
  std::optional<Covered> Covers(std::uint64_t index, const ledger::Decision& decision) const;
  // Calls `done` on the worker pool once it may, or when it will not any more: kNoQuorum, kShuttingDown (witnesses.h).
  void WaitCovered(std::uint64_t index, std::chrono::system_clock::time_point deadline,
                   std::function<void(Status)> done) const;
  bool witnessed() const;  // does the charter name any?
  // What they had cosigned when this store was last used, verified: the log's signature, theirs, and that it is this tree's.
  // nullopt: nothing, or nothing good (which is logged). kRolledBack, kFork. Not once statements are taken.
  Result<std::optional<Cosigned>> KeptCosigned() const;
  // "mx: 1 of mx.fgr, mx.sat": who has not cosigned a tree that has this entry. Empty: nobody is asked.
  std::string MissingFor(std::uint64_t index) const;
  // The latest cosigned checkpoint of at most this size; nullptr: none.
  std::shared_ptr<const Cosigned> cosigned(std::uint64_t up_to) const;

  bool healthy() const;         // false after a failed append
  std::size_t waiting() const;  // admitted and not yet completed

  void OnCommit(std::function<void(const CommitNews&)> listener);  // set before serving

 private:
  struct Item;
  struct Impl;
  class Reading {
   public:
    explicit Reading(const Sequencer& sequencer);
    ~Reading();
    Reading(const Reading&) = delete;

   private:
    const Sequencer& sequencer_;
    std::shared_lock<std::shared_mutex> lock_;
  };
  void Distrust(const char* what) const;  // the kept state is damaged: the next start folds the log
  bool Crowded() const;                   // more of the state is in memory than should
  void MakeRoom();
  Sequencer(Options options, Journal& journal, HighWater& high_water, LogKeys log_keys, WorkerPool& workers,
            crypto::Random& random);
  Status Load(std::optional<ledger::VerifiedStatement> charter);
  Status MakeLog(ledger::VerifiedStatement charter);
  Status CheckCharter();
  Status BeginWitnesses(std::uint64_t size);
  void Run();
  void Commit(std::vector<Item> batch);
  struct Made;
  std::vector<Made> DecideAll(std::vector<Item>& batch, Time time);
  void PutBack(std::vector<Item> items);
  Made DecideOne(Item item, Time time);
  void OpenUnderOrders(const Digest& record, Time time, std::vector<Made>& out);
  Status CheckKeysOf(const ledger::Statement& statement) const;
  Status CarryOutPurge(std::uint64_t index, const ledger::Purge& purge);
  CommitNews NewsOf(const std::vector<Made>& made, std::uint64_t first) const;
  Status Apply(const ledger::Entry& entry);
  Status Persist(const std::vector<Made>& made, std::optional<Durable>* durable);
  Status KeepState(bool purged);
  void KeepOrFail(bool purged);
  void Publish(std::shared_ptr<const log::SignedCheckpoint> checkpoint);
  void Complete(std::vector<Made> made, const std::optional<Durable>& durable);
  void Announce(CommitNews news);
  static void Fail(Impl& impl);

  std::shared_ptr<Impl> impl_;     // shared with the completions that still wait on the pool
  mutable std::mutex turn_mutex_;  // readers queue behind a waiting writer
  mutable std::shared_mutex state_mutex_;
  std::unique_ptr<ledger::State> state_;
  Glances glances_;  // one for each entry that the state has
};

}  // namespace valija::broker
