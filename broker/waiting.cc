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

// Something can come of it still: a record that has ended is opened by nobody, whoever approves.
bool MayBeOpened(const State& state, const ledger::PendingRequest& request) {
  return std::any_of(request.items.begin(), request.items.end(), [&](const ledger::OpenItem& item) {
    const auto* record = state.record(item.record);
    return record != nullptr && !state.ended(*record);
  });
}

bool IsPurged(const State& state, const ledger::RecordState& record) {
  return record.purged_at || state.original(record).purged_at;
}

bool IsErased(const State& state, const Digest& statement) {
  const auto* known = state.statement(statement);
  return known != nullptr && known->erased_by;
}

// What waits for one member; each kind is looked through until there is enough of it.
struct Waiter {
  const State& state;
  const ledger::MemberState& who;
  const MemberId& member = who.record.id;
  const Time now;
  const std::size_t most;

  using Items = std::vector<proto::WaitingItem>;

  Items Requests() const {
    Items out;
    for (const auto& [digest, request] : state.all_pending()) {
      if (out.size() == most) break;
      if (request.used || now >= request.expires || !MayBeOpened(state, request)) continue;
      if (request.author == member) {
        if (IsApproved(state, request))
          out.push_back({"approved", digest, request.items.front().record, request.index, request.expires});
      } else if (!request.said.contains(member) && ledger::MayApprove(state, request, member)) {
        out.push_back({"approval", digest, request.items.front().record, request.index, request.expires});
      }
    }
    return out;
  }

  // Also when its reason was erased: it stays locked until somebody has said what became of it.
  Items Emergencies() const {
    Items out;
    const bool joint = state.is_joint_auditor(member);
    if (!joint && !who.record.auditor) return out;
    for (const auto& [digest, emergency] : state.emergencies()) {
      if (out.size() == most) break;
      if (emergency.reviewed || emergency.author == member) continue;
      const bool own = std::binary_search(emergency.originators.begin(), emergency.originators.end(), member.agency());
      if (joint || own) out.push_back({"review", digest, {}, emergency.index, std::nullopt});
    }
    return out;
  }

  // A purged record cannot be granted any more; a request whose reason was erased says nothing that can be judged.
  Items AccessRequests() const {
    Items out;
    for (const auto& [digest, asked] : state.access_requests()) {
      if (out.size() == most) break;
      const auto* record = state.record(asked.request.record);
      if (asked.answered || record == nullptr || IsPurged(state, *record) || IsErased(state, digest)) continue;
      const MemberId& originator = state.original(*record).originator;
      const bool administers = who.record.administrator && originator.agency() == member.agency();
      if (originator == member || administers)
        out.push_back({"access", digest, asked.request.record, asked.index, std::nullopt});
    }
    return out;
  }

  // A record that asks the member's agency.
  Items Questions() const {
    Items out;
    const AgencyId agency = member.agency();
    for (const auto& [digest, asking] : state.asking()) {
      if (out.size() == most) break;
      const auto& record = *state.record(digest);
      if (!state.ended(record) && record.originator.agency() != agency && !record.replies.contains(agency) &&
          state.visible_to(record, member))
        out.push_back({"answer", digest, digest, record.index, record.due});
    }
    return out;
  }

  // One that was recalled after the member opened it, or a grant of one.
  Items Recalls() const {
    Items out;
    auto hint = [&](const Digest& digest, const ledger::RecordState& record) {
      const auto holder = record.holders.find(member);
      if (holder != record.holders.end() && !holder->second.erased && !IsPurged(state, record) && out.size() < most)
        out.push_back({"erase", digest, digest, record.index, std::nullopt});
    };
    for (const auto& [digest, recalled] : state.recalled()) {
      if (out.size() == most) break;
      const auto& record = *state.record(digest);
      hint(digest, record);
      for (const Digest& grant : record.grants) hint(grant, *state.record(grant));
    }
    return out;
  }
};

}  // namespace

std::vector<proto::WaitingItem> WaitingFor(const State& state, const MemberId& member, Time now, std::size_t most) {
  std::vector<proto::WaitingItem> out;
  const auto* who = state.active_member(member);
  if (who == nullptr) return out;
  const Waiter waiter{.state = state, .who = *who, .now = now, .most = most};
  for (auto items :
       {waiter.Requests(), waiter.Emergencies(), waiter.AccessRequests(), waiter.Questions(), waiter.Recalls()})
    out.insert(out.end(), items.begin(), items.end());
  // A grant that was recalled itself and with its original is told once.
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
  out.erase(std::unique(out.begin(), out.end(),
                        [](const auto& a, const auto& b) { return a.kind == b.kind && a.statement == b.statement; }),
            out.end());
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace valija::broker
