// What a caller may see of an entry. Whoever may not see a record cannot tell that it exists: "nothing" here becomes
// the same answer as for what is not there, and is judged before anything is read.
// Thread-safety: pure functions.
#pragma once

#include <optional>

#include "broker/glance.h"
#include "core/ledger/state.h"
#include "proto/convert.h"

namespace valija::broker {

// What it is judged by; of one moment.
struct Known {
  const ledger::State& state;
  const Glances& glances;
};

// May this member see anything of the entry?
//   directory          everybody: whole
//   record, grant      the originator's agency (of a grant the original's too): whole; who is in the audience of a portion:
//                      without policies, with the slips of its own agency for those portions; who is to approve an opening
//                      of it, in the audience or not: without policies, slips only as the audience; a grant also who asked
//                      for it and may know of the record, with its auditor: without policies and slips
//   open, ack,         the author, those of its agency who may know of every record concerned, and the originator's agency
//   standing opening   of any of them; an emergency: the auditors of both sides; what waits: its approvers; and other
//                      recipients only where the originator lets them know of one another
//   revocation,        whoever may know of the record; an amendment's policy is for the originator's side
//   amendment
//   approval, review   who made it, whom it is about and its auditors, the originator's side, the other approvers
//   access request     its author with the officers of its agency, and the originator's agency if there is such a record
//   answer             the originator's agency; a consent also whom it is given
//   standing order     its author with the officers of its agency, and the originators of what it opened, who ask for it
//                      by its digest: it is in no custody, which would tell of the other records that it opened
//   look-up            its author with the officers of its agency; a joint auditor's: the auditors of every agency
//   purge              its author, the officers of its agency, and whoever may see one of the statements that it erased
bool MaySee(const Known& known, std::uint64_t index, const MemberId& caller);

// Of these entries, ascending, those at or above `from` and below `end` that the caller may see. Some at a time, at most
// `most`, so that a long list keeps nobody waiting: `next` says where to go on, `end` if that was all. With `mail` the
// directory's entries are left out.
struct Shown {
  std::vector<std::uint64_t> indexes;
  std::uint64_t next = 0;
};
Shown ShownOf(const Known& known, const ledger::Entries& entries, std::uint64_t from, std::uint64_t end,
              const MemberId& caller, bool mail, std::size_t most);

// The entry as this member may see it, or nothing.
std::optional<proto::LoggedEntry> VisibleTo(const Known& known, proto::LoggedEntry entry, const MemberId& caller);

// For an auditor: joint, everything; of an agency, what concerns it, and the bare commitment of everything else.
proto::LoggedEntry AuditView(const Known& known, proto::LoggedEntry entry, const MemberId& auditor);

// May this member read the entries from .. end as an auditor? For a look-up of its own that is in the log, covers them and has
// not expired; of a joint auditor, one that was made as one. kNotAuthorised, kNotReady.
Status MayReadEntries(const ledger::State& state, const MemberId& caller, const Digest& lookup, std::uint64_t from,
                      std::uint64_t end, Time now);

// May the caller fetch this portion's sealed body? (originator's agency, or in the portion's audience)
bool MayFetchBody(const ledger::RecordState& record, std::uint32_t portion, const MemberId& caller);

}  // namespace valija::broker
