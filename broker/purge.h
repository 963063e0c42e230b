// What a purge does to the store: the sealed bodies end, and of each statement that it names the redacted form alone stays.
// Heads, salts and decisions stay, and with them every proof.
//
// Order on the disk: the purge's own entry, then the bodies, then the entries' redacted form; all in one write-ahead log.
// So a start that finds an entry erased knows that its bodies are, and carries out whatever a crash left undone.
#pragma once

#include "broker/storage/storage.h"
#include "core/ledger/state.h"
#include "proto/convert.h"

namespace valija::broker {

class Sequencer;

// Before it is taken: does each erasure name what would stay of its statement? A statement that the author's agency did not
// make is left to Decide, which tells nothing of it. kMalformed.
Status CheckErasures(const Sequencer& sequencer, const ledger::Purge& purge);

// Carries out the purge that is entry `index`, applied and durable; what is done already is left. `content` may be nullptr:
// there are no bodies then. On the sequencer's thread. kStorage, kOutcomeUnknown, kCorrupt; kInternal if the statement is
// not what the purge said, and nothing of it is replaced then.
Status CarryOut(const ledger::State& state, std::uint64_t index, const ledger::Purge& purge, Journal& journal,
                Content* content);

}  // namespace valija::broker
