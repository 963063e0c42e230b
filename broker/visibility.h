// What a caller may see of an entry. Whoever may not see a record cannot tell that it exists: "nothing" here becomes
// the same answer as for what is not there.
// Thread-safety: pure functions.
#pragma once

#include <optional>

#include "core/ledger/state.h"
#include "proto/convert.h"

namespace valija::broker {

// The entry as this member may see it, or nothing:
//   directory     everybody: whole
//   record        the originator's agency: whole; who is in the audience of a portion: without policies, with the slips
//                 of its own agency for those portions
//   open, ack     the author, those of its agency who may know of every record concerned, and the originator's agency of
//                 any of them: whole
//   revocation    whoever may see the record: whole
std::optional<proto::LoggedEntry> VisibleTo(const ledger::State& state, const ledger::Statement& statement,
                                            proto::LoggedEntry entry, const MemberId& caller);

// The directory is everybody's and nobody's mail.
bool IsDirectory(ledger::Kind kind);

// For an auditor: joint, everything; of an agency, what concerns it, and the bare commitment of everything else.
proto::LoggedEntry AuditView(const ledger::State& state, const ledger::Statement& statement, proto::LoggedEntry entry,
                             const MemberId& auditor);

// May the caller fetch this portion's sealed body? (originator's agency, or in the portion's audience)
bool MayFetchBody(const ledger::RecordState& record, std::uint32_t portion, const MemberId& caller);

}  // namespace valija::broker
