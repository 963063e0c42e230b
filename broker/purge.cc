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

// What a purge erases, where, and the hash of what it leaves.
struct Named {
  std::uint64_t index = 0;
  Hash redacted;
};

Result<std::vector<Named>> WhatItErases(const ledger::State& state, std::uint64_t durable, const ledger::Purge& purge) {
  std::vector<Named> out;
  for (const auto& erasure : purge.erasures) {
    const auto* known = state.statement(erasure.statement);
    if (known == nullptr || known->author == nullptr || known->author->agency() != purge.by.author.agency() ||
        known->index >= durable)
      return Refuse(Reason::kNotFound, "a statement of your agency's with this digest");
    if (!known->erased_by) out.push_back({known->index, erasure.redacted});
  }
  return out;
}

// What stays of it; kMalformed if that is something else than was named.
Result<Bytes> Compared(const proto::LoggedEntry& entry, const Hash& named) {
  TRY(auto redacted, Redacted(entry));
  if (crypto::Sha256(redacted) != named)
    return Refuse(Reason::kMalformed, "an erasure names something else than what stays of its statement");
  return redacted;
}

}  // namespace

Status CheckErasures(const ledger::State& state, const Journal& journal, const ledger::Purge& purge) {
  TRY(auto named, WhatItErases(state, journal.Size(), purge));
  for (const auto& one : named) {
    TRY(auto entry, ReadEntry(journal, one.index));
    if (!entry.erased_by) TRY_OK(Compared(entry, one.redacted));
  }
  return Ok();
}

Status CheckErasures(const Sequencer& sequencer, const ledger::Purge& purge) {
  const auto size = sequencer.checkpoint()->size();
  TRY(auto named, sequencer.Read([&](const ledger::State& state) { return WhatItErases(state, size, purge); }));
  for (const auto& one : named) {
    TRY(auto entry, sequencer.Entry(one.index));
    if (!entry.erased_by) TRY_OK(Compared(entry, one.redacted));
  }
  return Ok();
}

Status CarryOut(const ledger::State& state, std::uint64_t index, const ledger::Purge& purge, Journal& journal,
                Content* content) {
  std::vector<Named> named;
  for (const auto& erasure : purge.erasures) {
    const auto* known = state.statement(erasure.statement);
    if (known == nullptr) return Refuse(Reason::kMalformed, "a purge of what is not in the log");
    named.push_back({known->index, erasure.redacted});
  }
  for (const auto& one : named) {  // all of them, before the first is touched
    TRY(auto entry, ReadEntry(journal, one.index));
    if (!entry.erased_by) TRY_OK(Compared(entry, one.redacted));
  }
  for (const auto& erasure : purge.erasures) {
    const auto* record = state.record(erasure.statement);
    if (record == nullptr || content == nullptr) continue;
    for (const Hash& root : record->body_roots) TRY_OK(content->Purge(root));
  }
  std::vector<std::pair<std::uint64_t, Bytes>> replaced;
  std::size_t bytes = 0;
  for (const auto& one : named) {
    TRY(auto entry, ReadEntry(journal, one.index));
    if (entry.erased_by) continue;
    TRY(auto redacted, Compared(entry, one.redacted));
    entry.envelope = ledger::Envelope{entry.envelope->payload_type, std::move(redacted), {}, std::nullopt};
    entry.erased_by = index;
    replaced.emplace_back(one.index, proto::EncodeLoggedEntry(entry));
    bytes += replaced.back().second.size();
    if (bytes < kMostBytes) continue;
    TRY_OK(journal.Replace(replaced));
    replaced.clear();
    bytes = 0;
  }
  return replaced.empty() ? Ok() : journal.Replace(replaced);
}

}  // namespace valija::broker
