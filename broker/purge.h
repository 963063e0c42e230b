// What a purge does to the store: the sealed bodies end, and of each statement that it names the redacted form alone stays.
// Heads, salts and decisions stay, and with them every proof.
//
// Order on the disk: the purge's own entry, then the bodies, then the entries' redacted form; all in one write-ahead log.
// So a start that finds an entry erased knows that its bodies are, and carries out whatever a crash left undone.
//
// Whatever is an entry has to be carried out, at every start until it is. So a purge is held against what it erases before
// it is taken, and erases only what was durable before: a statement of the same batch is as one that is not there.
#pragma once

#include "broker/storage/storage.h"
#include "core/ledger/state.h"
#include "proto/convert.h"

namespace valija::broker {

class Sequencer;

// Does each erasure name what would stay of its statement? kMalformed. kNotFound, as Decide has it: a statement that the
// author's agency did not make, or that is not durable yet; nothing is read then. What was erased before is left to Decide.
// The sequencer judges so on its own thread, over what it holds.
Status CheckErasures(const ledger::State& state, const Journal& journal, const ledger::Purge& purge);
// The same ahead of it, on any thread, so that the sequencer is spared most of what it would refuse.
Status CheckErasures(const Sequencer& sequencer, const ledger::Purge& purge);

// Carries out the purge that is entry `index`, applied and durable; what is done already is left. `content` may be nullptr:
// there are no bodies then. On the sequencer's thread. kStorage, kOutcomeUnknown, kCorrupt; kMalformed if a statement is
// not what the purge said: then nothing is touched, neither a body nor an entry.
Status CarryOut(const ledger::State& state, std::uint64_t index, const ledger::Purge& purge, Journal& journal,
                Content* content);

// Will it fail in the same way for ever? A start goes on without such a purge.
inline bool CanNeverBeCarriedOut(const Error& error) {
  return error.reason == Reason::kMalformed || error.reason == Reason::kInternal;
}

}  // namespace valija::broker
