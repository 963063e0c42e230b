// A sequencer's start: the journal and the mark are read and compared, or a new log is made.
#include "broker/sequencer_internal.h"
#include "broker/storage/high_water.h"

namespace valija::broker {
namespace {

// The checkpoint that a mark holds, if this log's key signed it. Its origin is for the charter to confirm.
Result<log::Checkpoint> ReadMark(const std::string& note, const crypto::Ed25519SignKey& log_key) {
  const char* what = "the high-water mark is not signed by this log's key";
  auto parsed = log::Note::Parse(note);
  if (!parsed) return Refuse(Reason::kCorrupt, what);
  auto body = log::Checkpoint::ParseBody(parsed->text);
  if (!body) return Refuse(Reason::kCorrupt, what);
  auto verifier = log::NoteVerifier::Make(body->origin, log_key.verify_key());
  if (!verifier || !log::SignedCheckpoint::Verify(note, body->origin, *verifier)) {
    return Refuse(Reason::kCorrupt, what);
  }
  return *std::move(body);
}

}  // namespace

Sequencer::Sequencer(Options options, Journal& journal, HighWater& high_water, const crypto::Ed25519SignKey& log_key,
                     WorkerPool& workers, crypto::Random& random)
    : impl_(std::make_shared<Impl>(std::move(options), journal, high_water, log_key, workers, random)),
      state_(std::make_unique<ledger::State>()) {}

Result<std::unique_ptr<Sequencer>> Sequencer::Start(Options options, Journal& journal, HighWater& high_water,
                                                    const crypto::Ed25519SignKey& log_key, WorkerPool& workers,
                                                    crypto::Random& random,
                                                    std::optional<ledger::VerifiedStatement> charter) {
  std::unique_ptr<Sequencer> out(new Sequencer(std::move(options), journal, high_water, log_key, workers, random));
  TRY_OK(out->Load(std::move(charter)));
  out->impl_->thread = std::thread([raw = out.get()] { raw->Run(); });
  return out;
}

Status Sequencer::Load(std::optional<ledger::VerifiedStatement> charter) {
  const std::uint64_t size = impl_->journal.Size();
  std::optional<log::Checkpoint> mark;
  if (auto note = impl_->high_water.note()) {
    TRY(mark, ReadMark(*note, impl_->log_key));
  }
  if (charter) {
    if (size != 0 || (mark && mark->size != 0)) return Refuse(Reason::kExists, "the log was made before");
    return MakeLog(*std::move(charter));
  }
  if (mark && mark->size > size) {
    return Refuse(Reason::kRolledBack, "the store has " + std::to_string(size) + " entries, and " +
                                           std::to_string(mark->size) + " were acknowledged");
  }
  if (size == 0) return Refuse(Reason::kNotReady, "there is no log here yet; make one from a charter");
  if (!mark) return Refuse(Reason::kRolledBack, "the store stands and its high-water mark is missing");

  TRY(Folded folded, FoldJournal(impl_->journal, mark));
  state_ = std::move(folded.state);
  impl_->tree = std::move(folded.tree);
  impl_->last = folded.last;
  TRY_OK(CheckCharter());
  impl_->origin = state_->charter()->origin;
  if (mark->origin != impl_->origin) return Refuse(Reason::kRolledBack, "the high-water mark is another log's");
  auto checkpoint = std::make_shared<const log::SignedCheckpoint>(
      log::SignedCheckpoint::Sign({impl_->origin, size, impl_->tree.Root()}, impl_->log_key));
  // Entries above the mark were durable and never acknowledged: they are accepted now, as nobody can tell them apart.
  if (mark->size < size) TRY_OK(impl_->high_water.Write(checkpoint->note()));
  Publish(std::move(checkpoint));
  return Ok();
}

Status Sequencer::CheckCharter() const {
  const ledger::Charter* charter = state_->charter();
  if (charter == nullptr) return Refuse(Reason::kCorrupt, "entry 0 is no charter");
  auto key = log::NoteVerifier::Parse(charter->log_key);
  if (!key || key->name != charter->origin || key->key.bytes() != impl_->log_key.verify_key().bytes()) {
    return Refuse(Reason::kBadConfiguration, "the log key is not the one that the charter names");
  }
  if (charter->authorities.empty() || charter->authorities[0].id != impl_->options.authority) {
    return Refuse(Reason::kBadConfiguration, "the charter's first authority is not this broker");
  }
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
    auto empty = log::SignedCheckpoint::Sign({impl_->origin, 0, log::EmptyRoot()}, impl_->log_key);
    TRY_OK(impl_->high_water.Initialise(empty.note()));
  }
  std::optional<Durable> durable;
  return Persist(made, &durable);
}

}  // namespace valija::broker
