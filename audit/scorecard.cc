#include "audit/scorecard.h"

#include <algorithm>

namespace valija::audit {
namespace {

// Agencies, other than its own, that the record or grant was sealed to.
std::set<AgencyId> ReachedBy(const ledger::RecordState& record) {
  std::set<AgencyId> out;
  for (const auto& portion : record.portions)
    for (const auto& [agency, key] : portion.recipients)
      if (agency != record.originator.agency()) out.insert(agency);
  return out;
}

// Has anybody of the agency been granted it before this entry?
bool OpenedBefore(const ledger::RecordState& record, const AgencyId& agency, std::uint64_t entry) {
  return std::any_of(record.holders.begin(), record.holders.end(), [&](const auto& holder) {
    return holder.second.opened < entry && holder.first.agency() == agency;
  });
}

void Note(std::vector<std::uint64_t>& entries, std::uint64_t entry) {
  if (entries.empty() || entries.back() < entry) {
    entries.push_back(entry);
    return;
  }
  const auto at = std::lower_bound(entries.begin(), entries.end(), entry);  // of what was settled later
  if (*at != entry) entries.insert(at, entry);
}

}  // namespace

bool Scorecard::Counted(Time time, const AgencyId& from, const AgencyId& to) const {
  if (from == to || (settings_.from && time < *settings_.from) || (settings_.until && time >= *settings_.until))
    return false;
  const auto& only = settings_.agencies;
  auto named = [&](const AgencyId& one) { return std::find(only.begin(), only.end(), one) != only.end(); };
  return only.empty() || (only.size() == 1 ? named(from) || named(to) : named(from) && named(to));
}

Scorecard::Figures& Scorecard::At(Time time, const AgencyId& from, const AgencyId& to) {
  return figures_[Key{PeriodOf(time, settings_.by).name, from, to}];
}

void Scorecard::Add(Time time, const AgencyId& from, const AgencyId& to, const std::string& code, std::uint64_t entry,
                    std::uint64_t times) {
  if (times == 0 || !Counted(time, from, to)) return;
  auto& count = At(time, from, to).counts[code];
  count.value += times;
  Note(count.entries, entry);
}

void Scorecard::AddSample(Time time, const AgencyId& from, const AgencyId& to, const std::string& code,
                          std::uint64_t entry, Duration took) {
  if (!Counted(time, from, to)) return;
  auto& minutes = At(time, from, to).minutes[code];
  minutes.samples.push_back(took);
  Note(minutes.entries, entry);
}

void Scorecard::AddNotFound(Time time, const AgencyId& by, std::uint64_t entry) {
  const auto& only = settings_.agencies;
  if (!only.empty() && std::find(only.begin(), only.end(), by) == only.end()) return;
  if ((settings_.from && time < *settings_.from) || (settings_.until && time >= *settings_.until)) return;
  auto& count = not_found_[{PeriodOf(time, settings_.by).name, by}];
  ++count.value;
  Note(count.entries, entry);
}

Time Scorecard::EndOf(Time time) const {
  const Time end = PeriodOf(time, settings_.by).end;
  return settings_.until ? std::min(end, *settings_.until) : end;
}

void Scorecard::Settle(Time now) {
  const auto end = waiting_.upper_bound(now);
  for (auto at = waiting_.begin(); at != end; ++at) Tally(at->second);
  waiting_.erase(waiting_.begin(), end);
}

void Scorecard::Tally(const Waiting& over) {
  switch (over.what) {
    case Waiting::What::kQuestion:
      if (const auto asked = questions_.find(over.statement);
          asked != questions_.end() && asked->second.contains(over.to))
        Add(over.time, over.from, over.to, "overdue", over.entry);
      break;
    case Waiting::What::kEmergency:
      if (emergencies_.contains(over.statement)) Add(over.time, over.from, over.to, "unreviewed", over.entry);
      break;
    case Waiting::What::kAccess:
      if (access_.contains(over.statement)) Add(over.time, over.from, over.to, "access-not-granted", over.entry);
      break;
  }
}

void Scorecard::TakeShared(const ledger::EntryHead& head, const ledger::State& after, const char* what) {
  const auto& record = *after.record(head.statement);
  for (const AgencyId& to : ReachedBy(record)) {
    Add(head.time, record.originator.agency(), to, "shared", head.index);
    Add(head.time, record.originator.agency(), to, what, head.index);
  }
}

void Scorecard::TakeQuestion(const ledger::Record& payload, const ledger::EntryHead& head, const ledger::State& after) {
  const auto& record = *after.record(head.statement);
  const AgencyId by = record.originator.agency();
  if (record.due) {
    for (const AgencyId& to : ReachedBy(record)) {
      Add(head.time, by, to, "asked", head.index);
      questions_[head.statement].emplace(to, head.time);
      waiting_.emplace(*record.due, Waiting{Waiting::What::kQuestion, head.statement, by, to, head.index, *record.due});
    }
  }
  const auto& in_reply_to = payload.payload.header.in_reply_to;
  if (!in_reply_to) return;
  const auto& named = *after.record(*in_reply_to);
  const auto& asked = after.original(named);
  const auto questions = questions_.find(named.grant_of ? *named.grant_of : *in_reply_to);
  if (questions == questions_.end()) return;
  const auto question = questions->second.find(by);
  const auto reply = asked.replies.find(by);
  // The clock stops for what reaches who asked.
  if (question == questions->second.end() || reply == asked.replies.end() || reply->second != head.index) return;
  Add(head.time, asked.originator.agency(), by, "answered", head.index);
  AddSample(head.time, asked.originator.agency(), by, "to-answer", head.index, head.time - question->second);
  questions->second.erase(question);
}

void Scorecard::TakeVerdicts(const AgencyId& to, const ledger::Entry& entry, const ledger::State& after) {
  const auto& head = entry.head;
  std::set<std::uint64_t> first;  // by their entries: of two portions of one record one is the first
  for (const auto& verdict : entry.decision.verdicts) {
    const auto* record = after.record(verdict.record);
    const bool not_found = verdict.reasons == std::vector{Reason::kNotFound};
    const bool own = record != nullptr && record->originator.agency() == to;
    if (record == nullptr || (not_found && !own && !settings_.originators_view)) {
      AddNotFound(head.time, to, head.index);
      continue;
    }
    const AgencyId from = record->originator.agency();
    if (!verdict.allowed()) {
      Add(head.time, from, to, "refused", head.index);
      for (const Reason reason : verdict.reasons)
        Add(head.time, from, to, "refused:" + std::string(CodeOf(reason)), head.index);
      continue;
    }
    Add(head.time, from, to, "opened-portions", head.index);
    if (entry.decision.unwitnessed) Add(head.time, from, to, "unwitnessed", head.index);
    if (Counted(head.time, from, to) && At(head.time, from, to).opened.insert(after.original(*record).index).second)
      Add(head.time, from, to, "opened-records", head.index);
    if (OpenedBefore(*record, to, head.index) || !first.insert(record->index).second) continue;
    Add(head.time, from, to, "first-openings", head.index);
    AddSample(head.time, from, to, "to-first-opening", head.index, head.time - record->time);
  }
}

void Scorecard::TakeEmergency(const ledger::EntryHead& head, const ledger::State& after) {
  const auto* emergency = after.emergency(head.statement);
  if (emergency == nullptr) return;
  Began began{head.time, {}};
  const AgencyId to = emergency->author.agency();
  for (const Digest& record : emergency->records) began.pairs.emplace(after.record(record)->originator.agency(), to);
  for (const auto& [from, by] : began.pairs) {
    Add(head.time, from, by, "emergencies", head.index);
    waiting_.emplace(EndOf(head.time),
                     Waiting{Waiting::What::kEmergency, head.statement, from, by, head.index, head.time});
  }
  emergencies_.emplace(head.statement, std::move(began));
}

void Scorecard::TakeGranted(const Digest& request, const ledger::EntryHead& head) {
  const auto asked = access_.find(request);
  if (asked == access_.end()) return;
  for (const auto& [from, to] : asked->second.pairs) Add(head.time, from, to, "access-granted", head.index);
  access_.erase(asked);
}

void Scorecard::TakeRevocation(const ledger::Revocation& revocation, const ledger::EntryHead& head,
                               const ledger::State& after) {
  const auto* record = after.record(revocation.record);
  if (record == nullptr) return;  // an order's end
  questions_.erase(revocation.record);
  if (!revocation.recall) return;
  std::vector<Digest> recalled = record->grants;
  recalled.push_back(revocation.record);
  for (const Digest& digest : recalled) {
    const auto& one = *after.record(digest);
    const AgencyId from = one.originator.agency();
    for (const AgencyId& to : ReachedBy(one)) Add(head.time, from, to, "recalls", head.index);
    for (const auto& [member, holder] : one.holders)
      if (!holder.erased) Add(head.time, from, member.agency(), "asked-to-erase", head.index);
  }
}

void Scorecard::TakeAcknowledgement(const ledger::Acknowledgement& said, const ledger::EntryHead& head,
                                    const ledger::State& after) {
  const auto& record = *after.record(said.record);
  const AgencyId from = record.originator.agency(), to = said.by.author.agency();
  Add(head.time, from, to, "acknowledged", head.index);
  Add(head.time, from, to, "outcome:" + said.outcome, head.index);
  if (!record.recalled_at && !after.original(record).recalled_at) return;
  for (const auto& [member, holder] : record.holders)
    if (holder.erased == head.index) Add(head.time, from, member.agency(), "erased", head.index);
}

void Scorecard::Take(const ledger::Entry& entry, const ledger::State& after) {
  const auto& head = entry.head;
  if (settings_.until && head.time >= *settings_.until) {
    last_ = *settings_.until;
    return;
  }
  last_ = head.time;
  Settle(head.time);
  const auto& payload = entry.statement->payload;
  if (const auto* record = std::get_if<ledger::Record>(&payload)) {
    TakeShared(head, after, "shared-records");
    TakeQuestion(*record, head, after);
  } else if (const auto* grant = std::get_if<ledger::Grant>(&payload)) {
    TakeShared(head, after, "shared-grants");
    if (grant->request) TakeGranted(*grant->request, head);
  } else if (const auto* open = std::get_if<ledger::Open>(&payload)) {
    TakeVerdicts(open->by.author.agency(), entry, after);
    if (!open->emergency.empty()) TakeEmergency(head, after);
  } else if (const auto* opening = std::get_if<ledger::StandingOpening>(&payload)) {
    TakeVerdicts(opening->member.agency(), entry, after);
  } else if (const auto* said = std::get_if<ledger::Acknowledgement>(&payload)) {
    TakeAcknowledgement(*said, head, after);
  } else if (const auto* revocation = std::get_if<ledger::Revocation>(&payload)) {
    TakeRevocation(*revocation, head, after);
  } else if (const auto* review = std::get_if<ledger::Review>(&payload)) {
    const auto emergency = emergencies_.extract(review->request);
    if (emergency)
      for (const auto& [from, to] : emergency.mapped().pairs) {
        Add(head.time, from, to, "reviewed", head.index);
        AddSample(head.time, from, to, "to-review", head.index, head.time - emergency.mapped().time);
      }
  } else if (const auto* answer = std::get_if<ledger::Answer>(&payload)) {
    if (answer->marking) TakeGranted(answer->request, head);
  } else if (const auto* request = std::get_if<ledger::AccessRequest>(&payload)) {
    const auto* wanted = settings_.originators_view ? after.record(request->record) : nullptr;
    if (wanted == nullptr) return;
    const AgencyId from = after.original(*wanted).originator.agency(), to = request->by.author.agency();
    Add(head.time, from, to, "access-asked", head.index);
    access_.emplace(head.statement, Began{head.time, {{from, to}}});
    waiting_.emplace(EndOf(head.time),
                     Waiting{Waiting::What::kAccess, head.statement, from, to, head.index, head.time});
  } else if (const auto* purge = std::get_if<ledger::Purge>(&payload)) {
    for (const auto& erasure : purge->erasures) questions_.erase(erasure.statement);
  }
}

Card Scorecard::Close(const ledger::State& state) {
  Settle(last_);
  for (const auto& [end, waits] : waiting_)  // no period goes on after the log's end; a due time may be after it
    if (waits.what != Waiting::What::kQuestion) Tally(waits);
  Card card;
  card.as_of = last_;
  card.by = settings_.by;
  card.from = settings_.from;
  card.until = settings_.until;
  card.agencies = settings_.agencies;
  card.originators_view = settings_.originators_view;
  auto name = [&](const AgencyId& id) {
    if (const auto* agency = state.agency(id)) card.names.emplace(id, agency->charter.name);
  };
  for (auto& [key, figures] : figures_) {
    for (const auto code : kFigures) figures.counts.try_emplace(std::string(code));
    if (settings_.originators_view)
      for (const auto code : kAccessFigures) figures.counts.try_emplace(std::string(code));
    for (auto& [code, minutes] : figures.minutes) std::sort(minutes.samples.begin(), minutes.samples.end());
    card.lines.push_back({key.period, key.from, key.to, std::move(figures.counts), std::move(figures.minutes)});
    name(key.from);
    name(key.to);
  }
  for (auto& [key, count] : not_found_) {
    card.not_found.push_back({key.first, key.second, std::move(count)});
    name(key.second);
  }
  return card;
}

}  // namespace valija::audit
