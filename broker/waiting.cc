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

// What waits for one member, kind by kind, each oldest first. Only what is open is gone through, not all that ever was.
struct Waiter {
  const State& state;
  const ledger::MemberState& who;
  const MemberId& member = who.record.id;
  const Time now;
  const std::size_t most;

  using Items = std::vector<proto::WaitingItem>;

  Items Oldest(Items items) const {
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
    if (items.size() > most) items.erase(items.begin() + static_cast<std::ptrdiff_t>(most), items.end());
    return items;
  }

  // What it has said already counts, unless it said yes with a key that it gave up since.
  bool HasSpoken(const ledger::PendingRequest& request) const {
    const auto said = request.said.find(member);
    return said != request.said.end() &&
           (said->second.verdict == ledger::ApprovalVerdict::kReject || said->second.key == who.signing_key.id());
  }
  bool Waits(const ledger::PendingRequest& request) const {
    return !request.used && now < request.expires && MayBeOpened(state, request);
  }

  Items Approvals() const {
    Items out;
    for (const auto& [digest, request] : state.all_pending())
      if (request.author != member && Waits(request) && !HasSpoken(request) &&
          ledger::MayApprove(state, request, member))
        out.push_back({"approval", digest, request.items.front().record, request.index, request.expires});
    return Oldest(std::move(out));
  }

  Items Approved() const {
    Items out;
    for (const auto& [digest, request] : state.all_pending())
      if (request.author == member && Waits(request) && IsApproved(state, request))
        out.push_back({"approved", digest, request.items.front().record, request.index, request.expires});
    return Oldest(std::move(out));
  }

  // Also when its reason was erased: it stays locked until somebody has said what became of it.
  Items Emergencies() const {
    Items out;
    const bool joint = state.is_joint_auditor(member);
    if (!joint && !who.record.auditor) return out;
    for (const auto& [digest, emergency] : state.emergencies()) {
      if (emergency.author == member) continue;
      const bool own = std::binary_search(emergency.originators.begin(), emergency.originators.end(), member.agency());
      if (joint || own) out.push_back({"review", digest, {}, emergency.index, std::nullopt});
    }
    return Oldest(std::move(out));
  }

  // A purged record cannot be granted any more; a request whose reason was erased says nothing that can be judged. Those
  // that nobody answered for long are not told again: silence is an answer.
  Items AccessRequests() const {
    Items out;
    for (const auto& [index, digest] : state.open_access_requests(member.agency())) {
      if (out.size() == most) break;
      const auto& asked = *state.access_request(digest);
      const auto* record = state.record(asked.request.record);
      if (record == nullptr || now >= asked.request.by.time + ledger::kSilence || IsPurged(state, *record) ||
          IsErased(state, digest))
        continue;
      if (state.original(*record).originator == member || who.record.administrator)
        out.push_back({"access", digest, asked.request.record, index, std::nullopt});
    }
    return out;
  }

  // A record that asks the member's agency.
  Items Questions() const {
    Items out;
    for (const Digest& digest : state.asking(member.agency())) {
      const auto& record = *state.record(digest);
      if (!state.ended(record) && state.visible_to(record, member))
        out.push_back({"answer", digest, digest, record.index, record.due});
    }
    return Oldest(std::move(out));
  }

  // One that was recalled after the member opened it, or a grant of one; each once.
  Items Recalls() const {
    Items out;
    for (const Digest& digest : state.to_erase(member)) {
      const auto& record = *state.record(digest);
      if (!IsPurged(state, record)) out.push_back({"erase", digest, digest, record.index, std::nullopt});
    }
    return Oldest(std::move(out));
  }
};

}  // namespace

std::vector<proto::WaitingItem> WaitingFor(const State& state, const MemberId& member, Time now, std::size_t most) {
  const auto* who = state.active_member(member);
  if (who == nullptr) return {};
  const Waiter waiter{.state = state, .who = *who, .now = now, .most = most};
  const Waiter::Items kinds[] = {waiter.Approvals(), waiter.Emergencies(), waiter.Approved(),
                                 waiter.Recalls(),   waiter.Questions(),   waiter.AccessRequests()};
  // Each kind has its share, so that nobody's flood of one keeps another away; what is left over goes in this order.
  const std::size_t share = most / std::size(kinds);
  std::size_t left = most;
  for (const auto& items : kinds) left -= std::min(share, items.size());
  std::vector<proto::WaitingItem> out;
  for (const auto& items : kinds) {
    std::size_t taken = std::min(share, items.size());
    const std::size_t more = std::min(left, items.size() - taken);
    taken += more;
    left -= more;
    out.insert(out.end(), items.begin(), items.begin() + static_cast<std::ptrdiff_t>(taken));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
  return out;
}

}  // namespace valija::broker
