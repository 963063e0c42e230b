#include "broker/waiting.h"

#include <algorithm>

namespace valija::broker {
namespace {

using ledger::State;

// Does it lack nothing any more, in at least one portion?
bool IsApproved(const State& state, const ledger::PendingRequest& request) {
  return std::any_of(request.items.begin(), request.items.end(), [&](const ledger::OpenItem& item) {
    const auto* record = state.record(item.record);
    const auto* portion = record == nullptr ? nullptr : record->portion(item.portion);
    return portion != nullptr && !state.ended(*record) &&
           ledger::JudgeApprovals(state, *record, *portion->policy, request).empty();
  });
}

void Requests(const State& state, const MemberId& member, Time now, std::vector<proto::WaitingItem>& out) {
  for (const auto& [digest, request] : state.all_pending()) {
    if (request.used || now >= request.expires) continue;
    if (request.author == member) {
      if (IsApproved(state, request))
        out.push_back({"approved", digest, request.items.front().record, request.index, request.expires});
    } else if (!request.said.contains(member) && ledger::MayApprove(state, request, member)) {
      out.push_back({"approval", digest, request.items.front().record, request.index, request.expires});
    }
  }
}

void Emergencies(const State& state, const ledger::MemberState& who, std::vector<proto::WaitingItem>& out) {
  const MemberId& member = who.record.id;
  const bool joint = state.is_joint_auditor(member);
  if (!joint && !who.record.auditor) return;
  for (const auto& [digest, emergency] : state.emergencies()) {
    if (emergency.reviewed || emergency.author == member) continue;
    const bool own = std::binary_search(emergency.originators.begin(), emergency.originators.end(), member.agency());
    if (joint || own) out.push_back({"review", digest, {}, emergency.index, std::nullopt});
  }
}

void AccessRequests(const State& state, const ledger::MemberState& who, std::vector<proto::WaitingItem>& out) {
  for (const auto& [digest, asked] : state.access_requests()) {
    const auto* record = state.record(asked.request.record);
    if (asked.answered || record == nullptr) continue;
    const MemberId& originator = state.original(*record).originator;
    const bool administers = who.record.administrator && originator.agency() == who.record.id.agency();
    if (originator == who.record.id || administers)
      out.push_back({"access", digest, asked.request.record, asked.index, std::nullopt});
  }
}

// A record that asks the member's agency, and one that was recalled after the member opened it.
void Records(const State& state, const MemberId& member, std::vector<proto::WaitingItem>& out) {
  const AgencyId agency = member.agency();
  for (const Digest& digest : state.asking()) {
    const auto& record = *state.record(digest);
    if (!state.ended(record) && record.originator.agency() != agency && !record.replies.contains(agency) &&
        state.visible_to(record, member))
      out.push_back({"answer", digest, digest, record.index, record.due});
  }
  auto must_erase = [&](const ledger::RecordState& record) {
    const auto holder = record.holders.find(member);
    return holder != record.holders.end() && !holder->second.erased;
  };
  for (const Digest& digest : state.recalled()) {
    const auto& record = *state.record(digest);
    if (must_erase(record)) out.push_back({"erase", digest, digest, record.index, std::nullopt});
    for (const Digest& grant : record.grants)
      if (must_erase(*state.record(grant))) out.push_back({"erase", grant, grant, record.index, std::nullopt});
  }
}

}  // namespace

std::vector<proto::WaitingItem> WaitingFor(const State& state, const MemberId& member, Time now, std::size_t most) {
  std::vector<proto::WaitingItem> out;
  const auto* who = state.active_member(member);
  if (who == nullptr) return out;
  Requests(state, member, now, out);
  Emergencies(state, *who, out);
  AccessRequests(state, *who, out);
  Records(state, member, out);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace valija::broker
