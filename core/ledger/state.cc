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
const std::map<std::uint64_t, Digest> kNoRequests;
const std::set<Digest> kNoRecords;

}  // namespace

const EpochState* AgencyState::by_key(const KeyId& id) const {
  auto at = std::find_if(epochs.rbegin(), epochs.rend(), [&](const EpochState& one) { return one.key_id == id; });
  return at == epochs.rend() ? nullptr : &*at;
}

const PortionState* RecordState::portion(std::uint32_t number) const {
  auto at = std::lower_bound(portions.begin(), portions.end(), number,
                             [](const PortionState& one, std::uint32_t wanted) { return one.number < wanted; });
  return at == portions.end() || at->number != number ? nullptr : &*at;
}

std::string PersonOf(const MemberRecord& member) {
  return member.person.empty() ? member.id.str() : member.id.agency().str() + "/#" + member.person;
}

State::State() : data_(std::make_unique<Data>()) {}
State::~State() = default;
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;

const Charter* State::charter() const { return data_->charter ? &*data_->charter : nullptr; }
const Digest& State::charter_digest() const { return data_->charter_digest; }
const log::WitnessPolicy* State::witness_policy() const {
  return data_->witness_policy ? &*data_->witness_policy : nullptr;
}
const Digest& State::charter_statement() const { return data_->charter_statement; }
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

const MemberState* State::owner_of_signing_key(const KeyId& id) const {
  const auto* owner = Find(data_->keys, id);
  if (owner == nullptr || owner->use != KeyUse::kSigning) return nullptr;
  auto id_of = MemberId::Parse(owner->owner);
  return id_of ? member(*id_of) : nullptr;
}

bool State::release_key_taken(const AuthorityId& authority, const KeyId& id, Time now) const {
  const auto* owner = Find(data_->keys, id);
  if (!data_->charter || owner == nullptr || owner->use != KeyUse::kRelease || owner->owner != authority.str())
    return false;
  const auto* replaced = Find(data_->replaced_release_keys, id);
  return replaced == nullptr || now < *replaced + std::chrono::seconds(data_->charter->caps.epoch_grace_seconds);
}

const std::vector<std::pair<std::uint64_t, std::string>>& State::log_keys() const { return data_->log_keys; }

const std::vector<std::uint64_t>& State::directory_entries() const { return data_->directory_entries; }

const RecordState* State::record(const Digest& digest) const { return Find(data_->records, digest); }

const RecordState& State::original(const RecordState& record) const {
  return record.grant_of ? data_->records.at(*record.grant_of) : record;
}

bool State::ended(const RecordState& record) const {
  const RecordState& first = original(record);
  return record.revoked_at || record.purged_at || first.revoked_at || first.purged_at;
}

bool State::IsPassedOn(const RecordState& record) const {
  return record.grant_of && record.originator.agency() != original(record).originator.agency();
}

bool State::body_used(const Hash& root) const { return data_->bodies.count(root) != 0; }
bool State::body_purged(const Hash& root) const { return data_->purged_bodies.count(root) != 0; }

std::optional<std::uint64_t> State::statement_index(const Digest& digest) const {
  const auto* found = statement(digest);
  return found == nullptr ? std::nullopt : std::optional(found->index);
}

const KnownStatement* State::statement(const Digest& digest) const { return Find(data_->statements, digest); }

const PendingRequest* State::pending(const Digest& open) const {
  const auto* waits = Find(data_->pending, open);
  return waits != nullptr ? waits : Find(data_->over, open);
}
const std::map<Digest, PendingRequest>& State::all_pending() const { return data_->pending; }
const EmergencyState* State::emergency(const Digest& open) const { return Find(data_->emergencies, open); }
const std::map<Digest, EmergencyState>& State::emergencies() const { return data_->emergencies; }
const Digest* State::emergency_of(const std::string& person) const { return Find(data_->locked, person); }
bool State::emergency_locked(const MemberRecord& record) const {
  const std::string person = PersonOf(record);
  return std::any_of(data_->locked.begin(), data_->locked.end(), [&](const auto& one) {
    if (one.first == person || one.first == record.id.str()) return true;
    const auto author = MemberId::Parse(one.first);  // a label is no member's id
    return author && PersonOf(member(*author)->record) == person;
  });
}
const AccessRequestState* State::access_request(const Digest& digest) const {
  return Find(data_->access_requests, digest);
}
const std::map<Digest, AccessRequestState>& State::access_requests() const { return data_->access_requests; }
const std::deque<Time>* State::access_times(const MemberId& member) const { return Find(data_->access_times, member); }
std::optional<policy::Tlp> State::consent(const Digest& source, const AgencyId& agency) const {
  const RecordState* named = record(source);
  const Digest& first = named != nullptr && named->grant_of ? *named->grant_of : source;
  const auto* found = Find(data_->consents, std::pair(first, agency));
  return found == nullptr ? std::nullopt : std::optional(*found);
}
const std::set<Digest>& State::asking() const { return data_->asking; }
const std::set<Digest>& State::recalled() const { return data_->recalled; }
const std::set<Digest>& State::open_emergencies() const { return data_->open_emergencies; }
const std::map<std::uint64_t, Digest>& State::open_access_requests(const AgencyId& originator) const {
  const auto* found = Find(data_->open_access, originator);
  return found == nullptr ? kNoRequests : *found;
}
const std::set<Digest>& State::asking(const AgencyId& agency) const {
  const auto* found = Find(data_->asked, agency);
  return found == nullptr ? kNoRecords : *found;
}
const std::set<Digest>& State::to_erase(const MemberId& member) const {
  const auto* found = Find(data_->to_erase, member);
  return found == nullptr ? kNoRecords : *found;
}
const LookupState* State::lookup(const Digest& digest) const { return Find(data_->lookups, digest); }
std::size_t State::lookups_of(const MemberId& member) const {
  const auto* count = Find(data_->lookups_of, member);
  return count == nullptr ? 0 : *count;
}
const OrderState* State::order(const Digest& digest) const { return Find(data_->orders, digest); }
const std::map<Digest, OrderState>& State::orders() const { return data_->orders; }
const std::map<MemberId, std::vector<Digest>>& State::standing_orders() const { return data_->standing_orders; }

bool State::header_used(const Hash& ctx) const { return data_->headers.count(ctx) != 0; }

bool State::request_used(const MemberId& member, const Nonce& request) const {
  return data_->requests.count({member, request}) != 0;
}

bool State::visible_to(const RecordState& record, const MemberId& member) const {
  const AgencyId agency = member.agency();
  auto reached = [&](const RecordState& one) {
    return one.originator.agency() == agency || one.holders.contains(member) ||
           std::any_of(one.portions.begin(), one.portions.end(), [&](const PortionState& portion) {
             return policy::InAudience(portion.policy->releasable_to, member);
           });
  };
  if (reached(record) || (record.grant_of && original(record).originator.agency() == agency)) return true;
  return std::any_of(record.grants.begin(), record.grants.end(),
                     [&](const Digest& grant) { return reached(data_->records.at(grant)); });
}

const std::vector<std::uint64_t>& State::entries_for(const AgencyId& agency) const {
  const auto* found = Find(data_->mail, agency);
  return found == nullptr ? kNone : *found;
}

}  // namespace valija::ledger
