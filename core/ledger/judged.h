// What a decision says, held against the statement that it is about: what a reader can see who cannot decide it again.
// Thread-safety: pure functions.
#pragma once

#include "core/ledger/entry.h"

namespace valija::ledger {

// It is of this statement, by this authority, judges what the statement asks in its order, and, but for openings, is no
// refusal: those are no entries. kBadProof.
Status CheckJudged(const Statement& statement, const Decision& decision, const AuthorityId& authority);

}  // namespace valija::ledger
