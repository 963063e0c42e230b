// The witnesses of the charter, as the broker needs them (design.md 6). Every checkpoint goes to all of them at once, each
// called by a thread of its own over a kept connection; what they cosign is collected; an opening waits here until a
// quorum covers its entry.
//
// Rounds. All witnesses are asked for the same checkpoint until a quorum has cosigned it, then for the newest: were each
// asked for whatever is newest when it is free, a busy log's checkpoints might never have two cosignatures. What comes
// later is added to the checkpoint that it is about. A checkpoint without news is cosigned again in time for
// readers, who refuse a log whose cosignatures are old.
//
// A witness that has recorded more than the log has, or another tree, is an alarm: with the log's own signature as evidence
// somebody else has its key or it lost state. Then `on_ahead` is called, nothing is covered any more and nobody is asked.
// Without that signature the witness is not believed, and is asked again later.
//
// Thread-safety: everything may be called from any thread. Nothing here blocks but AskFirst and Stop.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/ledger/state.h"
#include "core/log/note.h"
#include "core/log/witness_policy.h"

namespace valija::broker {

class WorkerPool;

// A checkpoint that a quorum cosigned.
struct Cosigned {
  std::string note;  // with every cosignature that came so far
  log::Checkpoint checkpoint;
  std::uint64_t since = 0;  // as of this time (seconds since 1970) a quorum vouched for it
};

// A note that was kept: kBadCheckpoint, kBadProof if no quorum of this policy cosigned it, or a line of one of them does not
// hold. Whether the log signed it, and has this tree, is for the caller to see.
Result<Cosigned> ReadCosigned(const std::string& note, const log::WitnessPolicy& policy);

// That an opening may be released: a quorum covers its entry, or its decision says that it goes without, or there are no
// witnesses (Sequencer::Covers).
class Covered {
 private:
  friend class Sequencer;
  Covered() = default;
};

class Witnesses {
 public:
  struct Options {
    std::map<std::string, std::string> urls{};  // by the witness's name in the charter; before the charter's own
    std::function<Time()> now;
    std::chrono::milliseconds timeout{10'000};      // of one call
    std::chrono::milliseconds start_wait{30'000};   // for a quorum of answers to AskFirst
    std::chrono::milliseconds start_others{3'000};  // and, once it is there, for the others
    std::set<std::string> start_without{};          // witnesses whose answer AskFirst does without: a person said so
    std::chrono::milliseconds round{1'000};         // without a quorum: then the newest is asked for
  };
  // What it knows of the log.
  struct Log {
    std::function<Result<log::Checkpoint>(const std::string& note)> read;  // if one of the log's keys signed it
    std::function<Result<std::vector<Hash>>(std::uint64_t from, std::uint64_t to)> consistency;
    std::function<Status(std::uint64_t size, const Hash& root)> check_seen;  // was this our root? kFork
    std::function<void()> on_ahead;                                          // the log must not be signed any more
  };

  Witnesses(Options options, WorkerPool& workers);
  ~Witnesses();  // Stop

  // Before anything is signed after a start: what have they recorded? `mark` is the checkpoint that was signed last (the
  // high-water mark), `size` what the store has now. A witness has answered when it cosigned the mark again, just now: it
  // would not, had it recorded more. One that has more than the mark shows it, under the log's signature and its own. A
  // 404 is no answer: nobody's word stands under it.
  //
  // kRolledBack: one of them has cosigned more than `size` entries, kFork: another tree (the note is in the operations
  // log); kNoQuorum: fewer than a quorum answered, unless the charter lets openings go without; kBadConfiguration:
  // start_without names none of them. All are waited for, up to start_wait, or start_others after the quorum. Blocks.
  Status AskFirst(const ledger::Charter& charter, const log::WitnessPolicy& policy, const std::string& mark,
                  std::uint64_t size, const Log& log);

  // From here on. `charter` is the one in force, `policy` nullptr where it has no witnesses. kBadConfiguration: a witness has no
  // usable URL; the others are asked all the same, until Stop. `kept`: what they cosigned last before this start, verified:
  // `latest` until they have cosigned again, and nothing is covered by it.
  Status Begin(Log log, const ledger::Charter& charter, const log::WitnessPolicy* policy,
               std::optional<Cosigned> kept = std::nullopt);
  // With the first checkpoint over the amendment, which is durable: none before it is shown to the new ones. One without a
  // usable URL never answers.
  void Amended(const ledger::Charter& charter, const log::WitnessPolicy* policy,
               std::shared_ptr<const log::SignedCheckpoint> checkpoint);
  Status CanCall(const log::WitnessPolicy& policy) const;  // kBadConfiguration: a witness has no usable URL
  void Published(std::shared_ptr<const log::SignedCheckpoint> checkpoint);  // durable; sizes never fall

  // The latest one of at most this size; nullptr: none.
  std::shared_ptr<const Cosigned> latest(std::uint64_t up_to = ~std::uint64_t{0}) const;
  bool any() const;  // does the charter name witnesses?
  // Is the quorum missing for so long that the charter lets openings go without?
  bool degraded() const;
  // "mx: 1 of mx.fgr, mx.sat": who has not cosigned a tree of this size.
  std::string MissingFor(std::uint64_t size) const;

  // For an operator's monitoring: each that is named, and what it cosigned last; `at` as long ago as it was, nothing: never.
  struct Standing {
    std::string name;
    std::uint64_t size = 0;
    std::optional<std::chrono::milliseconds> ago;
  };
  std::vector<Standing> standings() const;

  bool Covers(std::uint64_t index) const;  // or there are no witnesses
  bool ended() const;                      // `on_ahead` was called: nothing is covered, whatever the decision says
  // Calls `done` on the worker pool, once: Ok when a quorum covers a tree of this size, kNoQuorum with who is missing at the
  // deadline or at the end, kShuttingDown at StopWaiting.
  void Wait(std::uint64_t size, std::chrono::system_clock::time_point deadline, std::function<void(Status)> done);

  void StopWaiting();
  void Stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace valija::broker
