// What a caller may see of an entry. Whoever may not see a record cannot tell that it exists: "nothing" here becomes
// the same answer as for what is not there.
// Thread-safety: pure functions.
#pragma once

#include <optional>

#include "core/ledger/state.h"
#include "proto/convert.h"

namespace valija::broker {

// The entry as this member may see it, or nothing:
//   directory          everybody: whole
//   record, grant      the originator's agency (of a grant the original's too): whole; who is in the audience of a portion:
//                      without policies, with the slips of its own agency for those portions; who is to approve an opening
//   open, ack,         the author, those of its agency who may know of every record concerned, and the originator's agency
//   standing opening   of any of them; an emergency: the auditors of both sides; what waits: its approvers; and other
//                      recipients only where the originator lets them know of one another
//   revocation,        whoever may know of the record; an amendment's policy is for the originator's side
//   amendment
//   approval, review   who made it, whom it is about, the originator's side, the other approvers; a review: the auditors
//   access request     its author with the officers of its agency, and the originator's agency if there is such a record
//   answer             the originator's agency; a consent also whom it is given
//   standing order     its author with the officers of its agency
//   purge              the officers of the author's agency, and whoever may know of what was purged
std::optional<proto::LoggedEntry> VisibleTo(const ledger::State& state, const ledger::Statement& statement,
                                            proto::LoggedEntry entry, const MemberId& caller);

// For an auditor: joint, everything; of an agency, what concerns it, and the bare commitment of everything else.
proto::LoggedEntry AuditView(const ledger::State& state, const ledger::Statement& statement, proto::LoggedEntry entry,
                             const MemberId& auditor);

// May the caller fetch this portion's sealed body? (originator's agency, or in the portion's audience)
bool MayFetchBody(const ledger::RecordState& record, std::uint32_t portion, const MemberId& caller);

}  // namespace valija::broker
