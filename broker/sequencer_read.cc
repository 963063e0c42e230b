// What a sequencer shows: entries and proofs below the published checkpoint.
#include "broker/sequencer_internal.h"
#include "broker/worker_pool.h"

namespace valija::broker {

std::shared_ptr<const log::SignedCheckpoint> Sequencer::checkpoint() const {
  std::lock_guard lock(impl_->published_mutex);
  return impl_->checkpoint;
}

Result<proto::LoggedEntry> Sequencer::Entry(std::uint64_t index) const {
  if (index >= checkpoint()->size()) return Refuse(Reason::kNotFound);
  TRY(auto entries, impl_->journal.Read(index, 1, 1));
  if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + " is missing");
  return proto::DecodeLoggedEntry(entries[0]);
}

Result<std::vector<proto::LoggedEntry>> Sequencer::Entries(std::uint64_t from, std::size_t count,
                                                           std::size_t max_bytes) const {
  std::vector<proto::LoggedEntry> out;
  const std::uint64_t size = checkpoint()->size();
  if (from >= size) return out;
  TRY(auto entries, impl_->journal.Read(from, std::min<std::uint64_t>(count, size - from), max_bytes));
  out.reserve(entries.size());
  for (const auto& bytes : entries) {
    TRY(auto entry, proto::DecodeLoggedEntry(bytes));
    out.push_back(std::move(entry));
  }
  return out;
}

Result<Accepted> Sequencer::AcceptedAt(std::uint64_t index) const {
  auto under = checkpoint();
  TRY(auto logged, Entry(index));
  TRY(auto entry, EntryFromLogged(std::move(logged)));
  return Accepted{entry.head,
                  entry.salt,
                  std::move(entry.statement),
                  std::move(entry.decision),
                  std::move(entry.decision_bytes),
                  std::move(under),
                  impl_->journal.Present()};
}

Result<proto::LoggedEntry> Sequencer::RecordEntry(const Digest& digest) const {
  auto index = Read([&](const ledger::State& state) -> std::optional<std::uint64_t> {
    const auto* record = state.record(digest);
    return record == nullptr ? std::nullopt : std::optional(record->index);
  });
  if (!index) return Refuse(Reason::kNotFound);
  return Entry(*index);
}

Result<std::vector<Hash>> Sequencer::Inclusion(std::uint64_t index, std::uint64_t size) const {
  if (size > checkpoint()->size()) return Refuse(Reason::kNotFound, "no such checkpoint was published");
  return impl_->proofs.Inclusion(index, size);
}

Result<std::vector<Hash>> Sequencer::Consistency(std::uint64_t from, std::uint64_t to) const {
  if (to > checkpoint()->size()) return Refuse(Reason::kNotFound, "no such checkpoint was published");
  return impl_->proofs.Consistency(from, to);
}

log::TileReader Sequencer::tiles() const { return TilesOf(impl_->journal); }

Status Sequencer::CheckSeen(std::uint64_t size, const Hash& root) const {
  {
    std::lock_guard lock(impl_->published_mutex);
    auto known = impl_->roots.find(size);
    if (known != impl_->roots.end()) return known->second == root ? Ok() : Status(Refuse(Reason::kFork));
    if (size > impl_->checkpoint->size()) return Refuse(Reason::kFork);
  }
  TRY(Hash ours, log::RootAt(size, tiles()));
  if (ours != root) return Refuse(Reason::kFork);
  return Ok();
}

std::optional<Covered> Sequencer::Covers(std::uint64_t index, const ledger::Decision& decision) const {
  const Witnesses* witnesses = impl_->options.witnesses;
  if (witnesses != nullptr && witnesses->ended()) return std::nullopt;
  if (decision.unwitnessed) return Covered();
  const bool covered = witnesses != nullptr ? witnesses->Covers(index) : !witnessed();
  return covered ? std::optional(Covered()) : std::nullopt;
}

void Sequencer::WaitCovered(std::uint64_t index, std::chrono::system_clock::time_point deadline,
                            std::function<void(Status)> done) const {
  if (impl_->options.witnesses != nullptr) {
    impl_->options.witnesses->Wait(index + 1, deadline, std::move(done));
    return;
  }
  const bool asked = witnessed();
  impl_->workers.Finish([done = std::move(done), asked] {
    done(asked ? Status(Refuse(Reason::kNoQuorum, "this broker asks no witnesses")) : Ok());
  });
}

bool Sequencer::witnessed() const {
  if (impl_->options.witnesses != nullptr) return impl_->options.witnesses->any();
  return Read([](const ledger::State& state) { return state.witness_policy() != nullptr; });
}

std::shared_ptr<const Cosigned> Sequencer::cosigned(std::uint64_t up_to) const {
  return impl_->options.witnesses != nullptr ? impl_->options.witnesses->latest(up_to) : nullptr;
}

std::string Sequencer::MissingFor(std::uint64_t index) const {
  return impl_->options.witnesses != nullptr ? impl_->options.witnesses->MissingFor(index + 1) : std::string();
}

bool Sequencer::healthy() const { return impl_->healthy; }
std::size_t Sequencer::waiting() const { return impl_->admitted; }
void Sequencer::OnCommit(std::function<void(const CommitNews&)> listener) { impl_->listener = std::move(listener); }

}  // namespace valija::broker
