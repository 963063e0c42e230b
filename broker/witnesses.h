// The witnesses of the charter, as the broker needs them (design.md 6). Every checkpoint goes to all of them at once, each
// called by a thread of its own over a kept connection; what they cosign is collected; an opening waits here until a
// quorum covers its entry.
//
// Rounds. All witnesses are asked for the same checkpoint until a quorum has cosigned it, then for the newest: were each
// asked for whatever is newest when it is free, a busy log's checkpoints might never have two cosignatures. What comes
// later is added to the checkpoint that it is about. A checkpoint without news is cosigned again in time for
// readers, who refuse a log whose cosignatures are old.
//
// A witness that has recorded more than the log has is an alarm: with the log's own signature as evidence, somebody else
// has its key or it lost state, and `on_ahead` is called; without, the witness is not believed, and is asked again later.
//
// Thread-safety: everything may be called from any thread. Nothing here blocks but AskFirst and Stop.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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
    std::chrono::milliseconds timeout{10'000};     // of one call
    std::chrono::milliseconds start_wait{30'000};  // for a quorum of answers to AskFirst
    std::chrono::milliseconds round{1'000};        // without a quorum: then the newest is asked for
  };
  // What it knows of the log.
  struct Log {
    std::function<Result<log::Checkpoint>(const std::string& note)> read;  // if one of the log's keys signed it
    std::function<Result<std::vector<Hash>>(std::uint64_t from, std::uint64_t to)> consistency;
    std::function<Status(std::uint64_t size, const Hash& root)> check_seen;  // was this our root? kFork
    std::function<void()> on_ahead;  // the log must not be signed any more
  };

  Witnesses(Options options, WorkerPool& workers);
  ~Witnesses();  // Stop

  // Before anything is signed after a start: what have they recorded? kRolledBack if one has cosigned, with the log's own
  // signature, more than `size` entries, kFork if it was another tree, kNoQuorum if fewer than a quorum answered, unless the
  // charter lets openings go without. Blocks up to start_wait.
  Status AskFirst(const ledger::Charter& charter, const log::WitnessPolicy& policy, std::uint64_t size, const Log& log);

  // From here on. `charter` is the one in force, `policy` nullptr where it has no witnesses. kBadConfiguration: a witness has no
  // usable URL; it then is one that never answers. `kept`: what they cosigned last before this start, verified.
  Status Begin(Log log, const ledger::Charter& charter, const log::WitnessPolicy* policy,
               std::optional<Cosigned> kept = std::nullopt);
  void Amended(const ledger::Charter& charter, const log::WitnessPolicy* policy);
  Status CanCall(const log::WitnessPolicy& policy) const;  // kBadConfiguration: a witness has no usable URL
  void Published(std::shared_ptr<const log::SignedCheckpoint> checkpoint);  // durable; sizes never fall

  // The latest one of at most this size; nullptr: none.
  std::shared_ptr<const Cosigned> latest(std::uint64_t up_to = ~std::uint64_t{0}) const;
  bool any() const;  // does the charter name witnesses?
  // Is the quorum missing for so long that the charter lets openings go without?
  bool degraded() const;
  // "mx: 1 of mx.fgr, mx.sat": who has not cosigned a tree of this size.
  std::string MissingFor(std::uint64_t size) const;

  bool Covers(std::uint64_t index) const;  // or there are no witnesses
  // Calls `done` on the worker pool, once: Ok when a quorum covers a tree of this size, kNoQuorum with who is missing at the
  // deadline, kShuttingDown at StopWaiting.
  void Wait(std::uint64_t size, std::chrono::system_clock::time_point deadline, std::function<void(Status)> done);
  void OnCosigned(std::function<void()> listener);  // on the worker pool; set before Begin

  void StopWaiting();
  void Stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace valija::broker
