// A sequencer's start: the journal and the mark are read and compared, or a new log is made.
#include "broker/oplog.h"
#include "broker/purge.h"
#include "broker/sequencer_internal.h"
#include "broker/storage/high_water.h"

namespace valija::broker {
Sequencer::Sequencer(Options options, Journal& journal, HighWater& high_water, LogKeys log_keys, WorkerPool& workers,
                     crypto::Random& random)
    : impl_(std::make_shared<Impl>(std::move(options), journal, high_water, std::move(log_keys), workers, random)),
      state_(std::make_unique<ledger::State>()) {}

Result<std::unique_ptr<Sequencer>> Sequencer::Start(Options options, Journal& journal, HighWater& high_water,
                                                    LogKeys log_keys, WorkerPool& workers, crypto::Random& random,
                                                    std::optional<ledger::VerifiedStatement> charter) {
  std::unique_ptr<Sequencer> out(
      new Sequencer(std::move(options), journal, high_water, std::move(log_keys), workers, random));
  TRY_OK(out->Load(std::move(charter)));
  out->impl_->thread = std::thread([raw = out.get()] { raw->Run(); });
  return out;
}

Status Sequencer::Load(std::optional<ledger::VerifiedStatement> charter) {
  const std::uint64_t size = impl_->journal.Size();
  std::optional<log::Checkpoint> mark;
  if (auto note = impl_->high_water.note()) {
    // Its origin is for the charter to confirm.
    auto read = impl_->log_keys.Read(*note);
    if (!read) return Refuse(Reason::kCorrupt, "the high-water mark is not signed by this log's key");
    mark = *std::move(read);
  }
  if (charter) {
    if (size != 0 || (mark && mark->size != 0)) return Refuse(Reason::kExists, "the log was made before");
    if (impl_->kept) {
      TRY_OK(impl_->kept->Clear());
      state_->KeepIn(*impl_->kept);
      glances_.KeepIn(*impl_->kept, 0);
    }
    return MakeLog(*std::move(charter));
  }
  if (mark && mark->size > size) {
    return Refuse(Reason::kRolledBack, "the store has " + std::to_string(size) + " entries, and " +
                                           std::to_string(mark->size) + " were acknowledged");
  }
  if (size == 0) return Refuse(Reason::kNotReady, "there is no log here yet; make one from a charter");
  if (!mark) return Refuse(Reason::kRolledBack, "the store stands and its high-water mark is missing");

  FoldOptions how;
  how.kept = impl_->kept ? &*impl_->kept : nullptr;
  how.keep_every = impl_->options.keep_every;
  how.cache = impl_->options.state_cache;
  TRY(Folded folded, FoldJournal(impl_->journal, mark, how));
  state_ = std::move(folded.state);
  glances_ = std::move(folded.glances);
  impl_->tree = std::move(folded.tree);
  impl_->last = folded.last;
  impl_->orders.emplace(*state_);
  TRY_OK(CheckCharter());
  impl_->origin = state_->charter()->origin;
  if (mark->origin != impl_->origin) return Refuse(Reason::kRolledBack, "the high-water mark is another log's");
  for (const std::uint64_t index : folded.unfinished_purges) {
    TRY(auto bytes, impl_->journal.Read(index, 1, 1));
    TRY(auto logged, proto::DecodeLoggedEntry(bytes.at(0)));
    TRY(auto statement, StatementOf(std::move(logged)));
    auto carried = CarryOutPurge(index, std::get<ledger::Purge>(statement.payload));
    if (!carried && !CanNeverBeCarriedOut(carried.error())) return carried.error();
    if (!carried) impl_->unfinished_purges.push_back(index);
  }
  impl_->kept_at = folded.kept;
  if (impl_->kept && folded.kept != size) TRY_OK(KeepState(folded.purged));
  TRY_OK(BeginWitnesses(size));
  auto checkpoint =
      std::make_shared<const log::SignedCheckpoint>(impl_->signer.Sign({impl_->origin, size, impl_->tree.Root()}));
  // Entries above the mark were durable and never acknowledged: they are accepted now, as nobody can tell them apart.
  if (mark->size < size) TRY_OK(impl_->high_water.Write(checkpoint->note()));
  Publish(std::move(checkpoint));
  return Ok();
}

// What they have recorded is asked before anything is signed.
Status Sequencer::BeginWitnesses(std::uint64_t size) {
  Witnesses* witnesses = impl_->options.witnesses;
  if (witnesses == nullptr) return Ok();
  // The witnesses are stopped before the sequencer ends, but a call of theirs may be on its way: nothing of `this` is used.
  Witnesses::Log log;
  log.read = [impl = impl_, origin = impl_->origin](const std::string& note) -> Result<log::Checkpoint> {
    TRY(auto read, impl->log_keys.Read(note));
    if (read.origin != origin) return Refuse(Reason::kBadCheckpoint);  // the keys may be another log's too
    return read;
  };
  log.consistency = [impl = impl_](std::uint64_t from, std::uint64_t to) { return impl->proofs.Consistency(from, to); };
  log.check_seen = [impl = impl_](std::uint64_t seen, const Hash& root) -> Status {
    TRY(Hash ours, log::RootAt(seen, TilesOf(impl->journal)));
    if (ours != root) return Refuse(Reason::kFork, "a witness has cosigned another tree of " + std::to_string(seen));
    return Ok();
  };
  log.on_ahead = [impl = impl_] { Fail(*impl); };
  TRY(auto kept, KeptCosigned());
  if (const auto* policy = state_->witness_policy())
    TRY_OK(witnesses->AskFirst(*state_->charter(), *policy, impl_->high_water.note().value(), size, log));
  return witnesses->Begin(std::move(log), *state_->charter(), state_->witness_policy(), std::move(kept));
}

// What they had cosigned before this start. It is kept for readers' sake alone: what is no such thing is as good as none, but
// for another tree under the log's own signature.
Result<std::optional<Cosigned>> Sequencer::KeptCosigned() const {
  const auto* policy = state_->witness_policy();
  const std::string note = impl_->journal.KeptNote();
  const std::uint64_t size = impl_->journal.Size();
  if (policy == nullptr || note.empty()) return std::optional<Cosigned>();
  auto ours = impl_->log_keys.Read(note);
  if (ours && ours->origin == impl_->origin) {
    if (ours->size > size)
      return Refuse(Reason::kRolledBack, "the store has " + std::to_string(size) + " entries, and " +
                                             std::to_string(ours->size) + " were cosigned");
    TRY(const Hash root, log::RootAt(ours->size, TilesOf(impl_->journal)));
    if (root != ours->root)
      return Refuse(Reason::kFork,
                    "the store has another tree of " + std::to_string(ours->size) + " than was cosigned");
  } else if (ours) {
    ours = Refuse(Reason::kBadCheckpoint, "it is of another log");
  }
  auto kept = ours ? ReadCosigned(note, *policy) : ours.error();
  const auto skew = std::chrono::seconds(state_->charter()->caps.clock_skew_seconds);
  const auto latest =
      static_cast<std::uint64_t>(std::max<std::int64_t>(ToMillis(impl_->options.now() + skew), 0) / 1000);
  if (kept && kept->since > latest) kept = Refuse(Reason::kBadCheckpoint, "cosigned at a time that is to come");
  if (kept) return std::optional(*std::move(kept));
  Log(Level::kWarning, "kept-note-ignored", {{"why", kept.error().Message()}});
  return std::optional<Cosigned>();
}

// And makes the signer ready for it.
Status Sequencer::CheckCharter() {
  const ledger::Charter* charter = state_->charter();
  if (charter == nullptr) return Refuse(Reason::kCorrupt, "entry 0 is no charter");
  TRY(impl_->signer, LogSigner::For(*state_, impl_->log_keys));
  if (charter->authorities.empty() || charter->authorities[0].id != impl_->options.authority) {
    return Refuse(Reason::kBadConfiguration, "the charter's first authority is not this broker");
  }
  impl_->charter = state_->charter_statement();
  return Ok();
}

// A mark at size 0 stands before the first entry is durable: a making that is cut short between the two can go on, and
// an entry without a mark is never seen.
Status Sequencer::MakeLog(ledger::VerifiedStatement charter) {
  const auto* payload = std::get_if<ledger::Charter>(&charter->payload);
  if (payload == nullptr) return Refuse(Reason::kUnknownType, "a log begins with a charter");
  impl_->origin = payload->origin;
  std::vector<Item> batch;
  batch.push_back({std::move(charter), [](Result<Accepted>) {}, 0});
  auto made = DecideAll(batch, impl_->options.now());  // in memory; nothing is written yet
  if (!made[0].entry) return made[0].refusal;
  TRY_OK(CheckCharter());
  if (!impl_->high_water.note()) {
    const auto empty = impl_->signer.Sign({impl_->origin, 0, log::EmptyRoot()});
    TRY_OK(impl_->high_water.Initialise(empty.note()));
  }
  std::optional<Durable> durable;
  return Persist(made, &durable);
}

}  // namespace valija::broker
