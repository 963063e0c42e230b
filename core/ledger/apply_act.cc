#include <algorithm>
#include <set>

#include "core/ledger/apply_internal.h"

namespace valija::ledger {
namespace {

// An act concerns whoever did it, the originator, and of a grant the original's originator too.
void ConcernActors(StateData& data, const MemberId& author, RecordState& record, std::uint64_t index) {
  Concern(data, record, index);
  Concern(data, author.agency(), index);
  Concern(data, record.originator.agency(), index);
  if (!record.grant_of) return;
  RecordState& original = RecordAt(data, *record.grant_of);
  Concern(data, original, index);
  Concern(data, original.originator.agency(), index);
}

void ConcernRecipients(StateData& data, const RecordState& record, std::uint64_t index) {
  for (const PortionState& portion : record.portions)
    for (const auto& [agency, key] : portion.recipients) Concern(data, agency, index);
}

void CountOpening(StateData& data, const Verdict& verdict, const MemberId& member, std::uint64_t index) {
  RecordState& record = RecordAt(data, verdict.record);
  PortionState& portion = PortionAt(record, verdict.portion);
  ++portion.openings[member.agency()];
  ++portion.openings_in_all;
  record.holders.try_emplace(member, HolderState{index, {}}).first->second.erased.reset();  // it has it again
  RecordState& original = OriginalOf(data, record);
  if (record.originator.agency() == original.originator.agency()) return;
  // What a recipient passed on is counted with what it got.
  PortionState& first = PortionAt(original, verdict.portion);
  ++first.openings[member.agency()];
  ++first.openings_in_all;
}

// Refused for nothing but missing approvals: it waits for them.
void Await(StateData& data, const Open& open, const Decision& decision, const EntryHead& head) {
  PendingRequest request(open.by.author);
  std::uint32_t hours = 0;
  for (std::size_t i = 0; i < open.items.size(); ++i) {
    if (decision.verdicts[i].reasons != std::vector{Reason::kApprovalMissing}) continue;
    const PortionState& portion = PortionAt(RecordAt(data, open.items[i].record), open.items[i].portion);
    hours = hours == 0 ? portion.policy->approval_hours : std::min(hours, portion.policy->approval_hours);
    request.items.push_back(open.items[i]);
    // Those who are asked are told.
    for (const policy::Approvals& group : portion.policy->approvals)
      for (const MemberId& approver : group.approvers) {
        RecordState& record = RecordAt(data, open.items[i].record);
        const AgencyId agency = approver.agency();
        if (agency == record.originator.agency() || agency == open.agency ||
            agency == OriginalOf(data, record).originator.agency())
          Concern(data, agency, head.index);
      }
  }
  if (request.items.empty()) return;
  request.index = head.index;
  request.purpose = open.purpose;
  request.case_reference = open.case_reference;
  request.expires = head.time + std::chrono::hours(hours);
  data.pending_by_expiry.emplace(request.expires, head.statement);
  data.pending.Add(head.statement, std::move(request));
}

void BeginEmergency(StateData& data, const Open& open, const Decision& decision, const EntryHead& head) {
  std::set<AgencyId> originators;
  std::set<Digest> records;
  for (const Verdict& verdict : decision.verdicts) {
    if (!verdict.allowed()) continue;
    records.insert(verdict.record);
    originators.insert(OriginalOf(data, RecordAt(data, verdict.record)).originator.agency());
  }
  if (originators.empty()) return;
  data.emergencies.Add(head.statement, EmergencyState{head.index,
                                                      open.by.author,
                                                      {records.begin(), records.end()},
                                                      {originators.begin(), originators.end()},
                                                      std::nullopt});
  data.locked.Add(PersonOf(data.members.Find(open.by.author)->record), head.statement);
  data.locked.Add(open.by.author.str(), head.statement);
}

// Nothing is waited for any more from those who have a record that has ended; nor, where a grant of it has, from those who
// have the record by no other.
void EndQuestions(StateData& data, const Digest& digest) {
  const RecordState& ended = RecordIn(data, digest);
  const Digest question = ended.grant_of.value_or(digest);
  const RecordState& original = RecordIn(data, question);
  const auto has = [&](const AgencyId& agency) {
    return Holds(original, agency) ||
           std::any_of(original.grants.begin(), original.grants.end(), [&](const Digest& one) {
             const RecordState& grant = RecordIn(data, one);
             return !grant.revoked_at && !grant.purged_at && Holds(grant, agency);
           });
  };
  for (const auto& [agency, state] : data.agencies.all())
    if (!ended.grant_of || !has(agency)) data.asked.Erase({agency, question});
}

}  // namespace

void ApplyOpen(StateData& data, const Open& open, const Decision& decision, const EntryHead& head) {
  Demand(decision.verdicts.size() == open.items.size(), "not one verdict for each item");
  StateData::Request request{open.by.author, open.by.nonce};
  Demand(data.requests.Add(request, {head.statement, open.expires}), "a request for the second time");
  data.requests_by_expiry.emplace(open.expires, std::move(request));
  Concern(data, open.agency, head.index);
  bool granted = false;
  for (std::size_t i = 0; i < open.items.size(); ++i) {
    const Verdict& verdict = decision.verdicts[i];
    Demand(verdict.record == open.items[i].record && verdict.portion == open.items[i].portion,
           "a verdict of another item");
    RecordState* record = data.records.Change(verdict.record);
    if (record == nullptr) {
      Demand(!verdict.allowed(), "an opening of nothing");
      continue;
    }
    // Also a refused attempt, even by somebody to whom the record does not exist, concerns its originator.
    ConcernActors(data, open.by.author, *record, head.index);
    if (!verdict.allowed()) continue;
    granted = true;
    CountOpening(data, verdict, open.by.author, head.index);
  }
  if (open.approved_request && granted) {
    auto used = data.pending.Take(*open.approved_request);
    Demand(used.has_value(), "approvals that are not there");
    used->used = true;
    data.over.Add(*open.approved_request, *std::move(used));
  }
  if (!open.emergency.empty()) BeginEmergency(data, open, decision, head);
  if (!open.approved_request && open.emergency.empty()) Await(data, open, decision, head);
}

namespace {

OrderState* ChangeOrder(StateData& data, const Digest& digest) {
  OrderState* order = data.orders.Change(digest);
  return order != nullptr ? order : data.past_orders.Change(digest);
}

// It stands no more, or has expired.
void PutAway(StateData& data, const Digest& digest) {
  if (auto order = data.orders.Take(digest)) data.past_orders.Add(digest, *std::move(order));
}

}  // namespace

void ApplyStandingOpening(StateData& data, const StandingOpening& opening, const Decision& decision,
                          const EntryHead& head) {
  OrderState* order = ChangeOrder(data, opening.order);
  Demand(order != nullptr, "an opening under no order");
  Demand(decision.verdicts.size() == opening.portions.size(), "not one verdict for each portion");
  Demand(data.opened.Add({opening.order, opening.record}, {}), "an opening for the second time");
  ++order->opened;
  const MemberId& author = order->order.by.author;
  RecordState& record = RecordAt(data, opening.record);
  ConcernActors(data, author, record, head.index);
  // The opening carries no signature; the order's own stands behind it.
  for (const RecordState* one : {&record, &OriginalOf(data, record)})
    order->originators.insert(one->originator.agency());
  for (const Verdict& verdict : decision.verdicts)
    if (verdict.allowed()) CountOpening(data, verdict, author, head.index);
}

namespace {

// Whoever opened it, and has not said that it erased it, is to erase it.
void AskToErase(StateData& data, const Digest& digest, const RecordState& record) {
  for (const auto& [member, holder] : record.holders)
    if (!holder.erased) data.to_erase.Add({member, digest}, {});
}
void ForgetRecall(StateData& data, const MemberId& member, const Digest& digest) {
  data.to_erase.Erase({member, digest});
}
void ForgetRecalls(StateData& data, const Digest& digest, const RecordState& record) {
  for (const auto& [member, holder] : record.holders) ForgetRecall(data, member, digest);
}

}  // namespace

void ApplyAcknowledgement(StateData& data, const Acknowledgement& acknowledgement, const EntryHead& head) {
  const MemberId& author = acknowledgement.by.author;
  RecordState& record = RecordAt(data, acknowledgement.record);
  ConcernActors(data, author, record, head.index);
  if (acknowledgement.outcome != "erased") return;
  const bool administrator = data.members.Find(author)->record.administrator;
  for (auto& [holder, state] : record.holders)
    if (!state.erased && (holder == author || (administrator && holder.agency() == author.agency()))) {
      state.erased = head.index;
      ForgetRecall(data, holder, acknowledgement.record);
    }
}

void ApplyRevocation(StateData& data, const Revocation& revocation, const EntryHead& head) {
  if (OrderState* order = ChangeOrder(data, revocation.record)) {
    Demand(!order->ended, "the end of an order that has ended");
    order->ended = head.index;
    std::erase(data.standing_orders.Make(order->order.by.author), revocation.record);
    Concern(data, order->order.agency, head.index);
    PutAway(data, revocation.record);
    return;
  }
  RecordState& record = RecordAt(data, revocation.record);
  Demand(!record.revoked_at || (revocation.recall && !record.recalled_at), "a revocation of nothing");
  if (!record.revoked_at) record.revoked_at = head.index;
  EndQuestions(data, revocation.record);
  if (revocation.recall) {
    record.recalled_at = head.index;
    AskToErase(data, revocation.record, record);
    for (const Digest& grant : record.grants) AskToErase(data, grant, RecordAt(data, grant));
  }
  ConcernActors(data, revocation.by.author, record, head.index);
  ConcernRecipients(data, record, head.index);
  for (const Digest& grant : record.grants) {
    RecordState& granted = RecordAt(data, grant);
    Concern(data, granted, head.index);
    Concern(data, granted.originator.agency(), head.index);
    ConcernRecipients(data, granted, head.index);
  }
}

namespace {

// The originator marks its record, or its grant of it, more strictly: what it allowed before was about a milder one.
void EndConsents(StateData& data, const Digest& digest) {
  const RecordState& record = RecordAt(data, digest);
  const Digest& first = record.grant_of ? *record.grant_of : digest;
  if (record.originator.agency() != RecordAt(data, first).originator.agency()) return;
  for (const auto& [agency, known] : data.agencies.all())
    if (auto* consent = data.consents.Change({first, agency})) consent->reset();
}

}  // namespace

void ApplyAmendment(StateData& data, const Statement& statement, const Amendment& amendment, const EntryHead& head) {
  RecordState& record = RecordAt(data, amendment.record);
  PortionState& portion = PortionAt(record, amendment.portion);
  Demand(amendment.policy && statement.attachments.policies.size() == 1, "an amendment without its policy");
  Demand(amendment.sequence == portion.policy_sequence + 1, "an amendment out of order");
  if (amendment.policy->marking < portion.policy->marking) EndConsents(data, amendment.record);
  SetPolicy(data, portion, *amendment.policy, statement.attachments.policies.front());
  portion.policy_digest = amendment.policy_digest;
  portion.policy_sequence = amendment.sequence;
  ConcernActors(data, amendment.by.author, record, head.index);
  for (const auto& [agency, key] : portion.recipients) Concern(data, agency, head.index);
}

void ApplyApproval(StateData& data, const Approval& approval, const EntryHead& head) {
  PendingRequest* waits = data.pending.Change(approval.request);
  Demand(waits != nullptr, "an approval of nothing");
  PendingRequest& request = *waits;
  if (approval.verdict == ApprovalVerdict::kWithdraw)
    request.said.erase(approval.by.author);
  else
    request.said.insert_or_assign(approval.by.author,
                                  PendingRequest::Said{approval.verdict, head.index, approval.by.key_id});
  Concern(data, request.author.agency(), head.index);
  for (const OpenItem& item : request.items)
    ConcernActors(data, approval.by.author, RecordAt(data, item.record), head.index);
}

void ApplyReview(StateData& data, const Review& review, const EntryHead& head) {
  auto emergency = data.emergencies.Take(review.request);
  Demand(emergency.has_value(), "a review of nothing");
  emergency->reviewed = head.index;
  std::vector<std::string> unlocked;
  for (const auto& [person, locked_by] : data.locked.all())
    if (locked_by == review.request) unlocked.push_back(person);
  for (const std::string& person : unlocked) data.locked.Erase(person);
  Concern(data, emergency->author.agency(), head.index);
  for (const Digest& record : emergency->records)
    ConcernActors(data, review.by.author, RecordAt(data, record), head.index);
  data.reviewed.Add(review.request, *std::move(emergency));
}

// Who reads everything is told to every agency, which is read.
void ApplyLookup(StateData& data, const Lookup& lookup, const EntryHead& head) {
  const MemberId& author = lookup.by.author;
  const auto& auditors = data.charter->joint_auditors;
  const bool joint = std::find(auditors.begin(), auditors.end(), author) != auditors.end();
  data.lookups.Add(head.statement,
                   LookupState{head.index, author, lookup.from_index, lookup.end_index, lookup.expires, joint});
  data.lookups_by_expiry.emplace(lookup.expires, head.statement);
  ++data.lookups_of[author];
  if (!joint) {
    Concern(data, author.agency(), head.index);
    return;
  }
  for (const auto& [id, agency] : data.agencies.all())
    if (!agency.left) Concern(data, id, head.index);
}

void ApplyAccessRequest(StateData& data, const AccessRequest& request, const EntryHead& head) {
  data.access_requests.Add(head.statement, AccessRequestState{head.index, request, std::nullopt});
  data.access_by_expiry.emplace(request.by.time + kSilence, head.statement);
  auto& times = data.access_times.Make(request.by.author);
  times.push_back(head.time);
  if (times.size() > kMostAccessRequests) times.pop_front();
  Concern(data, request.by.author.agency(), head.index);
  RecordState* record = data.records.Change(request.record);
  if (record == nullptr) return;
  RecordState& original = OriginalOf(data, *record);
  Concern(data, original, head.index);
  Concern(data, original.originator.agency(), head.index);
  data.open_access.Add({original.originator.agency(), head.index}, head.statement);
}

// A refusal concerns the originator's side alone: its author's silence looks the same.
void ApplyAnswer(StateData& data, const Answer& answer, const EntryHead& head) {
  const AccessRequest& asked = Settle(data, answer.request, head.index).request;
  RecordState& record = RecordAt(data, asked.record);
  Concern(data, record, head.index);
  Concern(data, answer.by.author.agency(), head.index);
  if (!answer.marking) return;
  const Digest& first = record.grant_of ? *record.grant_of : asked.record;
  if (auto* consent = data.consents.Change({first, asked.agency}))
    *consent = std::max(consent->value_or(*answer.marking), *answer.marking);
  else
    data.consents.Add({first, asked.agency}, *answer.marking);
  Concern(data, asked.agency, head.index);
}

void ApplyStandingOrder(StateData& data, const StandingOrder& order, const EntryHead& head) {
  data.orders.Add(head.statement, OrderState{head.index, order, order.by.key_id, std::nullopt, {}});
  auto& standing = data.standing_orders.Make(order.by.author);
  std::erase_if(standing, [&](const Digest& one) {
    const bool expired = data.orders.Find(one)->order.expires <= data.latest;
    if (expired) PutAway(data, one);
    return expired;
  });
  standing.push_back(head.statement);
  Concern(data, order.agency, head.index);
}

namespace {

void Erase(std::string& text) {
  if (text.find_first_not_of(' ') != std::string::npos) text = kErasedText;
}

// The texts of what waits, which are in here beside the stored statement.
void EraseTexts(StateData& data, const Digest& statement) {
  if (auto* waits = data.pending.Change(statement)) Erase(waits->case_reference);
  if (auto* over = data.over.Change(statement)) Erase(over->case_reference);
  if (auto* order = ChangeOrder(data, statement)) Erase(order->order.case_reference);
  auto* asked = data.access_requests.Change(statement);
  if (asked == nullptr) asked = data.closed_requests.Change(statement);
  if (asked == nullptr) return;
  Erase(asked->request.case_reference);
  Erase(asked->request.why);
}

}  // namespace

namespace {

struct SubjectOf {
  const StateData& data;
  KnownStatement& known;

  void About(const Digest& record) const {
    if (data.records.Has(record)) known.about.push_back(record);
  }
  void operator()(const Open& open) const {
    for (const OpenItem& item : open.items) About(item.record);
  }
  void operator()(const Revocation& revocation) const { About(revocation.record); }
  void operator()(const Approval& approval) const {
    known.request = approval.request;
    if (const auto* request = FindIn(data.pending, data.over, approval.request))
      for (const OpenItem& item : request->items) About(item.record);
  }
  void operator()(const Review& review) const {
    known.request = review.request;
    known.about = FindIn(data.emergencies, data.reviewed, review.request)->records;
  }
  void operator()(const AccessRequest& request) const { About(request.record); }
  void operator()(const Answer& answer) const {
    known.request = answer.request;
    About(FindIn(data.access_requests, data.closed_requests, answer.request)->request.record);
  }
  void operator()(const Purge& purge) const {
    for (const Erasure& erasure : purge.erasures) {
      About(erasure.statement);
      const KnownStatement& erased = *data.statements.Find(erasure.statement);
      known.about.insert(known.about.end(), erased.about.begin(), erased.about.end());
      if (erased.kind == Kind::kPurge) known.purges = std::max(known.purges, erased.purges + 1);
    }
  }
  template <class Other>
  void operator()(const Other&) const {}
};

// Whoever was told of what is erased is told of the purge, which proves what stays; it is in the same custodies.
void ConcernErased(StateData& data, const KnownStatement& known, const Digest& statement, std::uint64_t index) {
  for (const auto& [agency, entries] : data.mail.all())
    if (EntriesIn(data, entries, ListOf(agency)).Contains(known.index)) Concern(data, agency, index);
  for (const Digest& digest : known.about) {
    RecordState& record = RecordAt(data, digest);
    Concern(data, record, index);
    Concern(data, OriginalOf(data, record), index);
  }
  if (const auto* order = FindIn(data.orders, data.past_orders, statement))
    for (const AgencyId& agency : order->originators) Concern(data, agency, index);
}

}  // namespace

void NoteSubject(const StateData& data, const Statement& statement, KnownStatement& known) {
  std::visit(SubjectOf{data, known}, statement.payload);
  std::sort(known.about.begin(), known.about.end());
  known.about.erase(std::unique(known.about.begin(), known.about.end()), known.about.end());
  known.about.shrink_to_fit();
}

void KeepReasons(StateData& data, const Entry& entry) {
  const auto keep = [&](const Digest& statement) {
    const auto hours = std::chrono::ceil<std::chrono::hours>(entry.head.time.time_since_epoch() + kKept).count();
    auto& until = data.statements.Change(statement)->kept_until;
    until = std::max(until, static_cast<std::uint32_t>(hours));
  };
  const auto& verdicts = entry.decision.verdicts;
  const Payload& payload = entry.statement->payload;
  const bool granted = std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& one) { return one.allowed(); });
  if (const auto* review = std::get_if<Review>(&payload)) keep(review->request);
  if (const auto* opening = std::get_if<StandingOpening>(&payload)) keep(opening->order);
  const auto* open = std::get_if<Open>(&payload);
  if (open == nullptr || !granted) return;
  keep(entry.head.statement);
  if (open->approved_request) keep(*open->approved_request);
}

void ApplyPurge(StateData& data, const Purge& purge, const EntryHead& head) {
  Concern(data, purge.by.author.agency(), head.index);
  for (const Erasure& erasure : purge.erasures) {
    KnownStatement* known = data.statements.Change(erasure.statement);
    Demand(known != nullptr && !known->erased_by, "an erasure of nothing");
    known->erased_by = head.index;
    RecordState* at = data.records.Change(erasure.statement);
    if (at == nullptr) {
      EraseTexts(data, erasure.statement);
      ConcernErased(data, *known, erasure.statement, head.index);
      continue;
    }
    RecordState& record = *at;
    record.purged_at = head.index;
    EndQuestions(data, erasure.statement);
    ForgetRecalls(data, erasure.statement, record);
    for (const Digest& grant : record.grants) ForgetRecalls(data, grant, RecordAt(data, grant));
    ConcernActors(data, purge.by.author, record, head.index);
    ConcernRecipients(data, record, head.index);
    for (const Digest& grant : record.grants) ConcernRecipients(data, RecordAt(data, grant), head.index);
    for (const Hash& root : record.body_roots)
      if (bool* purged = data.bodies.Change(root)) *purged = true;
  }
}

}  // namespace valija::ledger
