// What a decision says, held against the statement that it is about: what a reader can see who cannot decide it again.
// Thread-safety: pure functions.
#pragma once

#include "core/ledger/entry.h"

namespace valija::ledger {

// It is of this statement, by the authority of the charter that was in force at this entry, judges what the statement asks in
// its order, goes without the witnesses only where that charter lets openings, and, but for openings, is no refusal: those are
// no entries. kBadProof.
Status CheckJudged(const Statement& statement, const Decision& decision, const Charter& charter, std::uint64_t index);

}  // namespace valija::ledger
