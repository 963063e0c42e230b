#include "broker/visibility.h"

#include <algorithm>
#include <set>

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
  mutable std::optional<std::set<Digest>> asked_about{};  // once somebody wants to know

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
  // It is to approve an opening of this record, and sees what it approves. A policy names few; what waits may be much.
  // So all that waits is gone through once for a page, and not for each entry.
  bool IsAskedAbout(const Digest& digest) const {
    const auto* one = state.record(digest);
    if (one == nullptr || !IsNamedIn(*one)) return false;
    if (!asked_about) {
      asked_about.emplace();
      for (const auto& [open, request] : state.all_pending())
        if (!request.used && ledger::MayApprove(state, request, caller))
          for (const auto& item : request.items) asked_about->insert(item.record);
    }
    return asked_about->contains(digest);
  }
  bool IsNamedIn(const ledger::RecordState& one) const {
    return std::any_of(one.portions.begin(), one.portions.end(), [&](const auto& portion) {
      const auto& groups = portion.policy->approvals;
      return std::any_of(groups.begin(), groups.end(), [&](const auto& group) {
        return std::binary_search(group.approvers.begin(), group.approvers.end(), caller);
      });
    });
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

bool SeesOpen(const Viewer& viewer, const Glance& open, const MemberId& author) {
  if (viewer.SeesAct(author, open.names) || viewer.AudienceShown(open.names)) return true;
  // An emergency is told to the auditors of both sides; what waits for an approval, to those who may give it.
  if (open.emergency && viewer.Auditor() && author.agency() == viewer.agency) return true;
  const auto* pending = viewer.state.pending(open.statement);
  return pending != nullptr && ledger::MayApprove(viewer.state, *pending, viewer.caller);
}

bool SeesApproval(const Viewer& viewer, const Digest& request, const MemberId& author) {
  const auto* pending = viewer.state.pending(request);
  if (author == viewer.caller) return true;
  if (pending == nullptr) return false;
  std::vector<Digest> records;
  for (const auto& item : pending->items) records.push_back(item.record);
  if (pending->author.agency() == viewer.agency && (viewer.for_agency || viewer.Auditor())) return true;
  return pending->author == viewer.caller || viewer.SeesAct(author, records) ||
         ledger::MayApprove(viewer.state, *pending, viewer.caller);
}

bool SeesReview(const Viewer& viewer, const Digest& request, const MemberId& author) {
  const auto* emergency = viewer.state.emergency(request);
  if (author == viewer.caller || emergency == nullptr) return author == viewer.caller;
  const auto& originators = emergency->originators;
  if (viewer.for_agency && author.agency() == viewer.agency) return true;
  // Of a grant that a recipient passed on, that one too.
  if (std::any_of(emergency->records.begin(), emergency->records.end(),
                  [&](const Digest& one) { return viewer.Originates(one); }))
    return true;
  return emergency->author == viewer.caller ||
         (emergency->author.agency() == viewer.agency && (viewer.for_agency || viewer.Auditor())) ||
         std::find(originators.begin(), originators.end(), viewer.agency) != originators.end();
}

bool SeesAnswer(const Viewer& viewer, const Glance& answer) {
  const auto* asked = viewer.state.access_request(answer.names[0]);
  if (asked == nullptr) return false;
  if (viewer.Originates(asked->request.record)) return true;
  return answer.consent &&
         (asked->request.by.author == viewer.caller ||
          (asked->request.agency == viewer.agency && (viewer.for_agency || viewer.Learns(asked->request.record))));
}

// Who asked for access is told that it was granted, to whomever, where it may know of the record; so is its auditor.
bool SeesGranted(const Viewer& viewer, const Glance& grant) {
  const auto* asked = grant.names.empty() ? nullptr : viewer.state.access_request(grant.names[0]);
  const auto* record = viewer.state.record(grant.statement);
  if (asked == nullptr || record == nullptr) return false;
  const auto& original = viewer.state.original(*record);
  const MemberId& author = asked->request.by.author;
  if (author == viewer.caller) return viewer.state.visible_to(original, viewer.caller);
  return author.agency() == viewer.agency && (viewer.for_agency || viewer.record.auditor) && viewer.Holds(original);
}

// Who reads everything is seen by every agency's auditors; who did when it read, whatever it is now.
bool SeesLookup(const Viewer& viewer, std::uint64_t index) {
  return (viewer.for_agency || viewer.Auditor()) && viewer.state.entries_for(viewer.agency).Contains(index);
}

// Own acts that name nobody's record, or one that need not exist.
bool SeesOwn(const Viewer& viewer, const MemberId& author) {
  return author == viewer.caller || (author.agency() == viewer.agency && viewer.Officer());
}

bool Sees(const Viewer& viewer, const Glances& glances, const Glance& glance);

// Of purges of purges there are few, one above the other (kMostPurgesOfPurges).
bool SeesPurge(const Viewer& viewer, const Glances& glances, const Glance& purge, const MemberId& author) {
  return SeesOwn(viewer, author) || std::any_of(purge.names.begin(), purge.names.end(), [&](const Digest& erased) {
           const auto* known = viewer.state.statement(erased);
           return known != nullptr && Sees(viewer, glances, glances.at(known->index));
         });
}

bool Sees(const Viewer& viewer, const Glances& glances, const Glance& glance) {
  const auto* known = viewer.state.statement(glance.statement);
  if (ledger::IsDirectoryKind(glance.kind)) return true;
  if (known == nullptr || known->author == nullptr) return false;
  const MemberId& author = *known->author;
  switch (glance.kind) {
    case Kind::kCharter:
    case Kind::kCharterAmendment:
    case Kind::kEnrolment:
    case Kind::kEpoch:
      return true;
    case Kind::kRecord:
      return viewer.Learns(glance.statement) || viewer.IsAskedAbout(glance.statement);
    case Kind::kGrant:
      return viewer.Learns(glance.statement) || viewer.IsAskedAbout(glance.statement) || SeesGranted(viewer, glance);
    case Kind::kOpen:
      return SeesOpen(viewer, glance, author);
    case Kind::kAcknowledgement:
      return viewer.SeesAct(author, glance.names);
    case Kind::kRevocation:
      if (const auto* order = viewer.state.order(glance.names[0])) return SeesOwn(viewer, order->order.by.author);
      return viewer.Learns(glance.names[0]);
    case Kind::kAmendment:
      return viewer.Learns(glance.names[0]);
    case Kind::kApproval:
      return SeesApproval(viewer, glance.names[0], author);
    case Kind::kReview:
      return SeesReview(viewer, glance.names[0], author);
    case Kind::kAccessRequest:
      return SeesOwn(viewer, author) || viewer.Originates(glance.names[0]);
    case Kind::kAnswer:
      return SeesAnswer(viewer, glance);
    case Kind::kStandingOrder: {
      if (SeesOwn(viewer, author)) return true;
      const auto* order = viewer.state.order(glance.statement);
      return order != nullptr && order->originators.contains(viewer.agency);
    }
    case Kind::kStandingOpening:
      return viewer.SeesAct(author, glance.names) || viewer.AudienceShown(glance.names);
    case Kind::kLookup:
      return SeesOwn(viewer, author) || SeesLookup(viewer, known->index);
    case Kind::kPurge:
      return SeesPurge(viewer, glances, glance, author);
  }
  return false;
}

// What travels beside: policies are for the originator's side, slips for their own agency, unless the originator lets the
// recipients know of one another.
void HideOthers(const Viewer& viewer, const Glance& glance, record::Attachments& attachments) {
  if (glance.kind == Kind::kAmendment) {
    if (!viewer.Originates(glance.names[0])) attachments.policies.clear();
    return;
  }
  const auto* record = viewer.state.record(glance.statement);
  if (record == nullptr || viewer.Originates(*record)) return;
  attachments.policies.clear();
  if (!viewer.Learns(glance.statement)) attachments.slips.clear();  // it approves, or asked for it
  std::erase_if(attachments.slips, [&](const record::Slip& slip) {
    const auto* portion = record->portion(slip.portion);
    const bool mine = viewer.for_agency || MayFetchBody(*record, slip.portion, viewer.caller);
    return !mine || portion == nullptr || (slip.agency != viewer.agency && !portion->policy->audience_shown);
  });
}

std::optional<Viewer> ViewerOf(const ledger::State& state, const MemberId& caller, bool for_agency) {
  const auto* member = state.active_member(caller);
  if (member == nullptr) return std::nullopt;
  return Viewer{state, caller, caller.agency(), for_agency, member->record};
}

std::optional<proto::LoggedEntry> Visible(const Known& known, proto::LoggedEntry entry, const MemberId& caller,
                                          bool for_agency) {
  const auto viewer = ViewerOf(known.state, caller, for_agency);
  const Glance& glance = known.glances.at(entry.head.value().index);
  if (!viewer || !Sees(*viewer, known.glances, glance)) return std::nullopt;
  HideOthers(*viewer, glance, entry.attachments);
  return entry;
}

}  // namespace

Status MayReadEntries(const ledger::State& state, const MemberId& caller, const Digest& lookup, std::uint64_t from,
                      std::uint64_t end, Time now) {
  const auto* member = state.active_member(caller);
  const bool joint = state.is_joint_auditor(caller);
  if (member == nullptr || !(member->record.auditor || joint)) return Refuse(Reason::kNotAuthorised);
  const auto* said = state.lookup(lookup);
  if (said == nullptr || said->author != caller || now >= said->expires || said->from_index > from ||
      (said->end_index != 0 && said->end_index < end))
    return Refuse(Reason::kNotReady, "who reads the log says so in it first: a look-up that covers these entries");
  // Of one that was made as an agency's own auditor no other agency was told.
  if (joint && !said->joint)
    return Refuse(Reason::kNotReady, "who reads as a joint auditor says so in a look-up made as one");
  return Ok();
}

bool MayFetchBody(const ledger::RecordState& record, std::uint32_t number, const MemberId& caller) {
  const auto* portion = record.portion(number);
  return portion != nullptr &&
         (record.originator.agency() == caller.agency() || policy::InAudience(portion->policy->releasable_to, caller));
}

bool MaySee(const Known& known, std::uint64_t index, const MemberId& caller) {
  const auto viewer = ViewerOf(known.state, caller, false);
  return viewer && Sees(*viewer, known.glances, known.glances.at(index));
}

Shown ShownOf(const Known& known, const ledger::Entries& entries, std::uint64_t from, std::uint64_t end,
              const MemberId& caller, bool mail, std::size_t most) {
  constexpr std::size_t kJudged = 4096;
  Shown out{{}, end};
  const auto viewer = ViewerOf(known.state, caller, false);
  if (!viewer) return out;
  std::size_t judged = 0;
  for (std::size_t at = entries.LowerBound(from); at < entries.size(); ++at) {
    const std::uint64_t index = entries[at];
    if (index >= end) break;
    if (out.indexes.size() == most || judged++ == kJudged) {
      out.next = index;
      break;
    }
    const Glance& glance = known.glances.at(index);
    if (!(mail && ledger::IsDirectoryKind(glance.kind)) && Sees(*viewer, known.glances, glance))
      out.indexes.push_back(index);
  }
  return out;
}

std::optional<proto::LoggedEntry> VisibleTo(const Known& known, proto::LoggedEntry entry, const MemberId& caller) {
  return Visible(known, std::move(entry), caller, false);
}

proto::LoggedEntry AuditView(const Known& known, proto::LoggedEntry entry, const MemberId& auditor) {
  if (known.state.is_joint_auditor(auditor)) return entry;
  const auto commitment = entry.commitment;
  if (auto seen = Visible(known, std::move(entry), auditor, true)) return *std::move(seen);
  return proto::LoggedEntry{commitment, {}, {}, {}, {}, {}};
}

}  // namespace valija::broker
