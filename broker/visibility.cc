#include "broker/visibility.h"

#include <algorithm>

#include "core/policy/policy.h"

namespace valija::broker {
namespace {

using ledger::Kind;

// Who looks at an entry, and what the answer depends on.
struct Viewer {
  const ledger::State& state;
  const MemberId& caller;
  const AgencyId agency;
  const bool
      for_agency;  // what any member of the caller's agency may see (its auditor), else what the caller itself may
  const ledger::MemberRecord& record;

  bool Auditor() const { return record.auditor || state.is_joint_auditor(caller); }
  bool Officer() const { return for_agency || record.auditor || record.administrator; }  // of its own agency
  bool Originates(const ledger::RecordState& one) const {
    return one.originator.agency() == agency || state.original(one).originator.agency() == agency;
  }
  bool Originates(const Digest& digest) const {
    const auto* one = state.record(digest);
    return one != nullptr && Originates(*one);
  }
  bool MayKnow(const Digest& digest) const {
    const auto* one = state.record(digest);
    return one != nullptr && state.visible_to(*one, caller);
  }
  // The agency holds a key to some of it, or to a grant of it.
  bool Holds(const ledger::RecordState& one) const {
    auto held = [&](const ledger::RecordState& by) {
      return std::any_of(by.portions.begin(), by.portions.end(), [&](const auto& portion) {
        return std::any_of(portion.recipients.begin(), portion.recipients.end(),
                           [&](const auto& recipient) { return recipient.first == agency; });
      });
    };
    return held(one) || std::any_of(one.grants.begin(), one.grants.end(),
                                    [&](const Digest& grant) { return held(*state.record(grant)); });
  }
  // Something that becomes of a record: told to whoever may know of the record, and to the agency's auditor.
  bool Learns(const Digest& digest) const {
    const auto* one = state.record(digest);
    return one != nullptr && (Originates(*one) || (for_agency && Holds(*one)) || state.visible_to(*one, caller));
  }
  // An act of a colleague tells of its records: it is shown to whoever may know of all of them.
  bool SeesAct(const MemberId& author, const std::vector<Digest>& records) const {
    if (author == caller || (for_agency && author.agency() == agency)) return true;
    if (std::any_of(records.begin(), records.end(), [&](const Digest& one) { return Originates(one); })) return true;
    return author.agency() == agency &&
           std::all_of(records.begin(), records.end(), [&](const Digest& one) { return MayKnow(one); });
  }
  // The originator lets the recipients of these records know of one another.
  bool AudienceShown(const std::vector<Digest>& records) const {
    return std::all_of(records.begin(), records.end(), [&](const Digest& digest) {
      const auto* one = state.record(digest);
      return one != nullptr && state.visible_to(*one, caller) &&
             std::all_of(one->portions.begin(), one->portions.end(),
                         [](const auto& portion) { return portion.policy->audience_shown; });
    });
  }
};

std::vector<Digest> RecordsOf(const ledger::Open& open) {
  std::vector<Digest> records;
  for (const auto& item : open.items) records.push_back(item.record);
  return records;
}

bool SeesOpen(const Viewer& viewer, const ledger::Open& open, const Digest& digest) {
  const auto records = RecordsOf(open);
  if (viewer.SeesAct(open.by.author, records) || viewer.AudienceShown(records)) return true;
  // An emergency is told to the auditors of both sides; what waits for an approval, to those who may give it.
  if (!open.emergency.empty() && viewer.Auditor() && open.by.author.agency() == viewer.agency) return true;
  const auto* pending = viewer.state.pending(digest);
  return pending != nullptr && ledger::MayApprove(viewer.state, *pending, viewer.caller);
}

bool SeesApproval(const Viewer& viewer, const ledger::Approval& approval) {
  const auto* pending = viewer.state.pending(approval.request);
  if (approval.by.author == viewer.caller) return true;
  if (pending == nullptr) return false;
  std::vector<Digest> records;
  for (const auto& item : pending->items) records.push_back(item.record);
  return pending->author == viewer.caller || viewer.SeesAct(approval.by.author, records) ||
         ledger::MayApprove(viewer.state, *pending, viewer.caller);
}

bool SeesReview(const Viewer& viewer, const ledger::Review& review) {
  const auto* emergency = viewer.state.emergency(review.request);
  if (review.by.author == viewer.caller || emergency == nullptr) return review.by.author == viewer.caller;
  const auto& originators = emergency->originators;
  return emergency->author == viewer.caller ||
         (emergency->author.agency() == viewer.agency && (viewer.for_agency || viewer.Auditor())) ||
         std::find(originators.begin(), originators.end(), viewer.agency) != originators.end();
}

bool SeesAnswer(const Viewer& viewer, const ledger::Answer& answer) {
  const auto* asked = viewer.state.access_request(answer.request);
  if (asked == nullptr) return false;
  if (viewer.Originates(asked->request.record)) return true;
  return answer.marking && (asked->request.by.author == viewer.caller ||
                            (asked->request.agency == viewer.agency && viewer.Learns(asked->request.record)));
}

bool SeesPurge(const Viewer& viewer, const ledger::Purge& purge) {
  const MemberId& author = purge.by.author;
  return author == viewer.caller || (author.agency() == viewer.agency && viewer.Officer()) ||
         std::any_of(purge.erasures.begin(), purge.erasures.end(),
                     [&](const ledger::Erasure& erasure) { return viewer.Learns(erasure.statement); });
}

// Own acts that name nobody's record, or one that need not exist.
bool SeesOwn(const Viewer& viewer, const MemberId& author) {
  return author == viewer.caller || (author.agency() == viewer.agency && viewer.Officer());
}

bool SeesStatement(const Viewer& viewer, const ledger::Statement& statement) {
  switch (statement.kind) {
    case Kind::kCharter:
    case Kind::kCharterAmendment:
    case Kind::kEnrolment:
    case Kind::kEpoch:
      return true;
    case Kind::kRecord:
    case Kind::kGrant: {
      if (viewer.Learns(statement.digest)) return true;
      const auto& waiting = viewer.state.all_pending();  // who is to approve an opening sees of what
      return std::any_of(waiting.begin(), waiting.end(), [&](const auto& one) {
        return !one.second.used && ledger::MayApprove(viewer.state, one.second, viewer.caller) &&
               std::any_of(one.second.items.begin(), one.second.items.end(),
                           [&](const ledger::OpenItem& item) { return item.record == statement.digest; });
      });
    }
    case Kind::kOpen:
      return SeesOpen(viewer, std::get<ledger::Open>(statement.payload), statement.digest);
    case Kind::kAcknowledgement: {
      const auto& ack = std::get<ledger::Acknowledgement>(statement.payload);
      return viewer.SeesAct(ack.by.author, {ack.record});
    }
    case Kind::kRevocation: {
      const auto& revocation = std::get<ledger::Revocation>(statement.payload);
      if (const auto* order = viewer.state.order(revocation.record)) return SeesOwn(viewer, order->order.by.author);
      return viewer.Learns(revocation.record);
    }
    case Kind::kAmendment:
      return viewer.Learns(std::get<ledger::Amendment>(statement.payload).record);
    case Kind::kApproval:
      return SeesApproval(viewer, std::get<ledger::Approval>(statement.payload));
    case Kind::kReview:
      return SeesReview(viewer, std::get<ledger::Review>(statement.payload));
    case Kind::kAccessRequest: {
      const auto& request = std::get<ledger::AccessRequest>(statement.payload);
      return SeesOwn(viewer, request.by.author) || viewer.Originates(request.record);
    }
    case Kind::kAnswer:
      return SeesAnswer(viewer, std::get<ledger::Answer>(statement.payload));
    case Kind::kStandingOrder: {
      if (SeesOwn(viewer, std::get<ledger::StandingOrder>(statement.payload).by.author)) return true;
      const auto* order = viewer.state.order(statement.digest);
      return order != nullptr && order->originators.contains(viewer.agency);
    }
    case Kind::kStandingOpening: {
      const auto& opening = std::get<ledger::StandingOpening>(statement.payload);
      return viewer.SeesAct(opening.member, {opening.record}) || viewer.AudienceShown({opening.record});
    }
    case Kind::kPurge:
      return SeesPurge(viewer, std::get<ledger::Purge>(statement.payload));
  }
  return false;
}

// What travels beside: policies are for the originator's side, slips for their own agency, unless the originator lets the
// recipients know of one another.
void HideOthers(const Viewer& viewer, const ledger::Statement& statement, record::Attachments& attachments) {
  if (statement.kind == Kind::kAmendment) {
    if (!viewer.Originates(std::get<ledger::Amendment>(statement.payload).record)) attachments.policies.clear();
    return;
  }
  const auto* record = viewer.state.record(statement.digest);
  if (record == nullptr || viewer.Originates(*record)) return;
  attachments.policies.clear();
  std::erase_if(attachments.slips, [&](const record::Slip& slip) {
    const auto* portion = record->portion(slip.portion);
    const bool mine = viewer.for_agency || MayFetchBody(*record, slip.portion, viewer.caller);
    return !mine || portion == nullptr || (slip.agency != viewer.agency && !portion->policy->audience_shown);
  });
}

std::optional<proto::LoggedEntry> Visible(const ledger::State& state, const ledger::Statement& statement,
                                          proto::LoggedEntry entry, const MemberId& caller, bool for_agency) {
  const auto* member = state.active_member(caller);
  if (member == nullptr) return std::nullopt;
  const Viewer viewer{state, caller, caller.agency(), for_agency, member->record};
  if (!SeesStatement(viewer, statement)) return std::nullopt;
  HideOthers(viewer, statement, entry.attachments);
  return entry;
}

}  // namespace

bool MayFetchBody(const ledger::RecordState& record, std::uint32_t number, const MemberId& caller) {
  const auto* portion = record.portion(number);
  return portion != nullptr &&
         (record.originator.agency() == caller.agency() || policy::InAudience(portion->policy->releasable_to, caller));
}

std::optional<proto::LoggedEntry> VisibleTo(const ledger::State& state, const ledger::Statement& statement,
                                            proto::LoggedEntry entry, const MemberId& caller) {
  return Visible(state, statement, std::move(entry), caller, false);
}

proto::LoggedEntry AuditView(const ledger::State& state, const ledger::Statement& statement, proto::LoggedEntry entry,
                             const MemberId& auditor) {
  if (state.is_joint_auditor(auditor)) return entry;
  const auto commitment = entry.commitment;
  if (auto seen = Visible(state, statement, std::move(entry), auditor, true)) return *std::move(seen);
  return proto::LoggedEntry{commitment, {}, {}, {}, {}, {}};
}

}  // namespace valija::broker
