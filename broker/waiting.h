// What waits for a member: read from the state as it is, for the call Waiting. The answers are hints that lead to entries,
// which the client verifies; a broker that lies here can but keep something to itself.
// Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/ledger/state.h"
#include "proto/exchange.h"

namespace valija::broker {

//   approval   an opening that this member may approve or reject, and has not yet (or with a key that it gave up since)
//   approved   its own request that has the approvals it needs: open again
//   review     an emergency that it may close
//   access     an access request of less than 30 days for a record of its own, or of its agency if it is an administrator
//   answer     a record that asks its agency for an answer and has none
//   erase      a recalled record that it has opened
// In the order of the log; at most `most`, of which each kind has its share: what is older goes before, kind by kind, and
// what the others leave goes to approvals and reviews first.
std::vector<proto::WaitingItem> WaitingFor(const ledger::State& state, const MemberId& member, Time now,
                                           std::size_t most);

}  // namespace valija::broker
