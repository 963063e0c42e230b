#include "broker/purge.h"

#include "broker/sequencer.h"
#include "core/crypto/hash.h"

namespace valija::broker {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 20;  // of entries replaced in one write

Result<Bytes> Redacted(const proto::LoggedEntry& entry) {
  if (!entry.envelope) return Refuse(Reason::kCorrupt, "an entry without its statement");
  const auto kind = ledger::KindFromPayloadType(entry.envelope->payload_type);
  if (!kind) return Refuse(Reason::kCorrupt, "a statement of an unknown kind");
  return proto::RedactPayload(*kind, entry.envelope->payload);
}

Result<proto::LoggedEntry> ReadEntry(const Journal& journal, std::uint64_t index) {
  TRY(auto entries, journal.Read(index, 1, 1));
  if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + " is missing");
  return proto::DecodeLoggedEntry(entries[0]);
}

}  // namespace

Status CheckErasures(const Sequencer& sequencer, const ledger::Purge& purge) {
  for (const auto& erasure : purge.erasures) {
    const auto index = sequencer.Read([&](const ledger::State& state) -> std::optional<std::uint64_t> {
      const auto* known = state.statement(erasure.statement);
      const bool own = known != nullptr && known->author && known->author->agency() == purge.by.author.agency();
      return own && !known->erased_by ? std::optional(known->index) : std::nullopt;
    });
    if (!index) continue;
    TRY(auto entry, sequencer.Entry(*index));
    if (entry.erased_by) continue;
    TRY(auto redacted, Redacted(entry));
    if (crypto::Sha256(redacted) != erasure.redacted)
      return Refuse(Reason::kMalformed, "an erasure names something else than what stays of its statement");
  }
  return Ok();
}

Status CarryOut(const ledger::State& state, std::uint64_t index, const ledger::Purge& purge, Journal& journal,
                Content* content) {
  for (const auto& erasure : purge.erasures) {
    const auto* record = state.record(erasure.statement);
    if (record == nullptr || content == nullptr) continue;
    for (const Hash& root : record->body_roots) TRY_OK(content->Purge(root));
  }
  std::vector<std::pair<std::uint64_t, Bytes>> replaced;
  std::size_t bytes = 0;
  for (const auto& erasure : purge.erasures) {
    const auto* known = state.statement(erasure.statement);
    if (known == nullptr) return Refuse(Reason::kInternal, "a purge of what is not in the log");
    TRY(auto entry, ReadEntry(journal, known->index));
    if (entry.erased_by) continue;
    TRY(auto redacted, Redacted(entry));
    if (crypto::Sha256(redacted) != erasure.redacted)
      return Refuse(Reason::kInternal, "entry " + std::to_string(known->index) + " is not what its purge says");
    entry.envelope = ledger::Envelope{entry.envelope->payload_type, std::move(redacted), {}, std::nullopt};
    entry.erased_by = index;
    replaced.emplace_back(known->index, proto::EncodeLoggedEntry(entry));
    bytes += replaced.back().second.size();
    if (bytes < kMostBytes) continue;
    TRY_OK(journal.Replace(replaced));
    replaced.clear();
    bytes = 0;
  }
  return replaced.empty() ? Ok() : journal.Replace(replaced);
}

}  // namespace valija::broker
