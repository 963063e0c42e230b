// What Apply's files share. For apply*.cc alone.
#pragma once

#include <stdexcept>
#include <string>

#include "core/ledger/state_internal.h"

namespace valija::ledger {

[[noreturn]] inline void Impossible(const char* what) {
  throw std::logic_error(std::string("an entry that no decision makes possible: ") + what);
}
inline void Demand(bool holds, const char* what) {
  if (!holds) Impossible(what);
}

inline void Concern(StateData& data, const AgencyId& agency, std::uint64_t index) {
  auto& entries = data.mail[agency];
  if (entries.empty() || entries.back() != index) entries.push_back(index);
}
inline void Concern(RecordState& record, std::uint64_t index) {
  if (record.entries.empty() || record.entries.back() != index) record.entries.push_back(index);
}
inline RecordState& RecordAt(StateData& data, const Digest& digest) {
  auto at = data.records.find(digest);
  Demand(at != data.records.end(), "an act on no record");
  return at->second;
}
inline RecordState& OriginalOf(StateData& data, RecordState& record) {
  return record.grant_of ? RecordAt(data, *record.grant_of) : record;
}
inline PortionState& PortionAt(RecordState& record, std::uint32_t number) {
  for (PortionState& portion : record.portions)
    if (portion.number == number) return portion;
  Impossible("an act on no portion");
}
std::shared_ptr<const policy::Policy> Intern(StateData& data, const policy::Policy& policy, ByteView policy_bytes);

// Nobody is to answer it any more.
inline void Close(StateData& data, const AccessRequestState& asked) {
  auto at = data.records.find(asked.request.record);
  if (at == data.records.end()) return;
  auto open = data.open_access.find(OriginalOf(data, at->second).originator.agency());
  if (open != data.open_access.end()) open->second.erase(asked.index);
}
inline void Answered(StateData& data, AccessRequestState& asked, std::uint64_t index) {
  asked.answered = index;
  Close(data, asked);
}

// apply_act.cc: what people do with records that are in the log.
void ApplyOpen(StateData& data, const Open& open, const Decision& decision, const EntryHead& head);
void ApplyStandingOpening(StateData& data, const StandingOpening& opening, const Decision& decision,
                          const EntryHead& head);
void ApplyAcknowledgement(StateData& data, const Acknowledgement& acknowledgement, const EntryHead& head);
void ApplyRevocation(StateData& data, const Revocation& revocation, const EntryHead& head);
void ApplyAmendment(StateData& data, const Statement& statement, const Amendment& amendment, const EntryHead& head);
void ApplyApproval(StateData& data, const Approval& approval, const EntryHead& head);
void ApplyReview(StateData& data, const Review& review, const EntryHead& head);
void ApplyLookup(StateData& data, const Lookup& lookup, const EntryHead& head);
void ApplyAccessRequest(StateData& data, const AccessRequest& request, const EntryHead& head);
void ApplyAnswer(StateData& data, const Answer& answer, const EntryHead& head);
void ApplyStandingOrder(StateData& data, const StandingOrder& order, const EntryHead& head);
// What a statement that holds texts is about.
void NoteSubject(const StateData& data, const Statement& statement, KnownStatement& known);
// Until when the reasons of an opening that this entry grants, or closes the case of, are kept.
void KeepReasons(StateData& data, const Entry& entry);
void ApplyPurge(StateData& data, const Purge& purge, const EntryHead& head);

}  // namespace valija::ledger
