#include "core/ledger/state.h"

#include <algorithm>

#include "core/ledger/state_internal.h"

namespace valija::ledger {
namespace {

template <class Map, class Key>
auto Find(const Map& map, const Key& key) -> const typename Map::mapped_type* {
  auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

const std::vector<std::uint64_t> kNone;

}  // namespace

const EpochState* AgencyState::by_key(const KeyId& id) const {
  auto at = std::find_if(epochs.rbegin(), epochs.rend(), [&](const EpochState& one) { return one.key_id == id; });
  return at == epochs.rend() ? nullptr : &*at;
}

State::State() : data_(std::make_unique<Data>()) {}
State::~State() = default;
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;

const Charter* State::charter() const { return data_->charter ? &*data_->charter : nullptr; }
const Digest& State::charter_digest() const { return data_->charter_digest; }
std::uint64_t State::size() const { return data_->size; }
Time State::latest() const { return data_->latest; }
const AgencyState* State::agency(const AgencyId& id) const { return Find(data_->agencies, id); }
const MemberState* State::member(const MemberId& id) const { return Find(data_->members, id); }

const MemberState* State::active_member(const MemberId& id) const {
  const MemberState* found = member(id);
  return found != nullptr && found->record.status == MemberStatus::kActive ? found : nullptr;
}

const MemberState* State::member_by_auth_key(const KeyId& id) const {
  const MemberId* found = Find(data_->active_by_auth_key, id);
  return found == nullptr ? nullptr : active_member(*found);
}

const std::map<MemberId, MemberState>& State::members() const { return data_->members; }
const std::map<AgencyId, AgencyState>& State::agencies() const { return data_->agencies; }

bool State::is_joint_auditor(const MemberId& id) const {
  if (!data_->charter || active_member(id) == nullptr) return false;
  const auto& named = data_->charter->joint_auditors;
  return std::find(named.begin(), named.end(), id) != named.end();
}

bool State::key_in_use(const KeyId& id) const { return data_->keys.count(id) != 0; }

bool State::key_free_for(const KeyId& id, KeyUse use, const MemberId& member) const {
  const auto* owner = Find(data_->keys, id);
  return owner == nullptr || (owner->use == use && owner->owner == member.str());
}

const std::vector<std::uint64_t>& State::directory_entries() const { return data_->directory_entries; }

const RecordState* State::record(const Digest& digest) const { return Find(data_->records, digest); }

std::optional<std::uint64_t> State::statement_index(const Digest& digest) const {
  const auto* found = Find(data_->statements, digest);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

bool State::header_used(const Hash& ctx) const { return data_->headers.count(ctx) != 0; }

bool State::request_used(const MemberId& member, const Nonce& request) const {
  return data_->requests.count({member, request}) != 0;
}

bool State::visible_to(const RecordState& record, const MemberId& member) const {
  if (record.originator.agency() == member.agency()) return true;
  return std::any_of(record.portions.begin(), record.portions.end(), [&](const PortionState& portion) {
    return policy::InAudience(portion.policy->releasable_to, member);
  });
}

const std::vector<std::uint64_t>& State::entries_for(const AgencyId& agency) const {
  const auto* found = Find(data_->mail, agency);
  return found == nullptr ? kNone : *found;
}

}  // namespace valija::ledger
