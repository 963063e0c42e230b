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

// The first of the latest become a chunk of their own; what came last stays among the latest.
void PutAwayChunk(StateData& data, EntryList& list, const std::string& of);
void MergeInto(StateData& data, EntryList& list, const std::string& of, std::vector<std::uint64_t> indexes);

template <class Owner>
void Push(StateData& data, EntryList& list, const Owner& owner, std::uint64_t index) {
  auto& latest = list.latest;
  if (!latest.empty() && latest.back() == index) return;
  if (latest.size() >= 2 * Entries::kChunk) PutAwayChunk(data, list, ListOf(owner));
  latest.push_back(index);
}
// Among those that stand there, each once. For what comes seldom.
template <class Owner>
void Merge(StateData& data, EntryList& list, const Owner& owner, std::vector<std::uint64_t> indexes) {
  MergeInto(data, list, ListOf(owner), std::move(indexes));
}
inline void Concern(StateData& data, const AgencyId& agency, std::uint64_t index) {
  Push(data, data.mail.Make(agency), agency, index);
}
inline void Concern(StateData& data, RecordState& record, std::uint64_t index) {
  Push(data, record.entries, record, index);
}
// What follows from the charter.
void TakeWitnesses(StateData& data);
// To be changed.
inline RecordState& RecordAt(StateData& data, const Digest& digest) {
  RecordState* record = data.records.Change(digest);
  Demand(record != nullptr, "an act on no record");
  return *record;
}
inline RecordState& OriginalOf(StateData& data, RecordState& record) {
  return record.grant_of ? RecordAt(data, *record.grant_of) : record;
}
// The agency got a key to some of it.
inline bool Holds(const RecordState& record, const AgencyId& agency) {
  for (const PortionState& portion : record.portions)
    for (const auto& [holder, key] : portion.recipients)
      if (holder == agency) return true;
  return false;
}
inline PortionState& PortionAt(RecordState& record, std::uint32_t number) {
  for (PortionState& portion : record.portions)
    if (portion.number == number) return portion;
  Impossible("an act on no portion");
}
inline AgencyState& AgencyAt(StateData& data, const AgencyId& id) {
  AgencyState* agency = data.agencies.Change(id);
  Demand(agency != nullptr, "an act of no agency");
  return *agency;
}
// Makes it the one in force.
void SetPolicy(StateData& data, PortionState& portion, const policy::Policy& policy, ByteView policy_bytes);
// Nobody is to answer the request any more.
void Close(StateData& data, const Digest& digest, AccessRequestState asked);
// The request has its answer.
const AccessRequestState& Settle(StateData& data, const Digest& request, std::uint64_t index);

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
