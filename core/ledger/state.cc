#include "core/ledger/state.h"

#include <algorithm>

#include "core/ledger/state_internal.h"

namespace valija::ledger {

std::size_t Entries::LowerBound(std::uint64_t from) const {
  std::size_t begin = 0, end = size();
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    if ((*this)[middle] < from)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

bool Entries::Contains(std::uint64_t index) const {
  const std::size_t at = LowerBound(index);
  return at < size() && (*this)[at] == index;
}

std::vector<std::uint64_t> Entries::All() const {
  std::vector<std::uint64_t> out;
  for (std::size_t at = 0; at < size(); ++at) out.push_back((*this)[at]);
  return out;
}

namespace {

template <class Set, class Key>
std::vector<Digest> DigestsOf(const Set& set, const Key& key) {
  std::vector<Digest> out;
  const auto& all = set.all();
  for (auto at = all.lower_bound({key, Digest{}}); at != all.end() && at->first.first == key; ++at)
    out.push_back(at->first.second);
  return out;
}

}  // namespace

const RecordState& RecordIn(const StateData& data, const Digest& digest) {
  const RecordState* record = data.records.Find(digest);
  if (record == nullptr) throw RowsDamaged("a record that others name is missing");
  return *record;
}

Entries EntriesIn(const StateData& data, const EntryList& list, std::string of) {
  return Entries(list, [&data, of = std::move(of)](std::uint64_t number) -> const std::vector<std::uint64_t>& {
    const auto* chunk = data.chunks.Find({of, number});
    if (chunk == nullptr || chunk->size() != Entries::kChunk) throw RowsDamaged("a part of a list is missing");
    return *chunk;
  });
}

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
const AgencyState* State::agency(const AgencyId& id) const { return data_->agencies.Find(id); }
const MemberState* State::member(const MemberId& id) const { return data_->members.Find(id); }

const MemberState* State::active_member(const MemberId& id) const {
  const MemberState* found = member(id);
  return found != nullptr && found->record.status == MemberStatus::kActive ? found : nullptr;
}

const MemberState* State::member_by_auth_key(const KeyId& id) const {
  const auto found = data_->active_by_auth_key.find(id);
  return found == data_->active_by_auth_key.end() ? nullptr : active_member(found->second);
}

const std::map<MemberId, MemberState>& State::members() const { return data_->members.all(); }
const std::map<AgencyId, AgencyState>& State::agencies() const { return data_->agencies.all(); }

bool State::is_joint_auditor(const MemberId& id) const {
  if (!data_->charter || active_member(id) == nullptr) return false;
  const auto& named = data_->charter->joint_auditors;
  return std::find(named.begin(), named.end(), id) != named.end();
}

bool State::key_in_use(const KeyId& id) const { return data_->keys.Find(id) != nullptr; }

bool State::key_free_for(const KeyId& id, KeyUse use, const MemberId& member) const {
  const auto* owner = data_->keys.Find(id);
  return owner == nullptr || (owner->use == use && owner->owner == member.str());
}

const MemberState* State::owner_of_signing_key(const KeyId& id) const {
  const auto* owner = data_->keys.Find(id);
  if (owner == nullptr || owner->use != KeyUse::kSigning) return nullptr;
  auto id_of = MemberId::Parse(owner->owner);
  return id_of ? member(*id_of) : nullptr;
}

bool State::release_key_taken(const AuthorityId& authority, const KeyId& id, Time now) const {
  const auto* owner = data_->keys.Find(id);
  if (!data_->charter || owner == nullptr || owner->use != KeyUse::kRelease || owner->owner != authority.str())
    return false;
  const auto* replaced = data_->replaced_release_keys.Find(id);
  return replaced == nullptr || now < *replaced + std::chrono::seconds(data_->charter->caps.epoch_grace_seconds);
}

const std::vector<std::pair<std::uint64_t, std::string>>& State::log_keys() const { return data_->log_keys; }

const std::vector<std::uint64_t>& State::directory_entries() const { return data_->directory_entries; }

const RecordState* State::record(const Digest& digest) const { return data_->records.Find(digest); }

const RecordState& State::original(const RecordState& record) const {
  return record.grant_of ? RecordIn(*data_, *record.grant_of) : record;
}

bool State::ended(const RecordState& record) const {
  const RecordState& first = original(record);
  return record.revoked_at || record.purged_at || first.revoked_at || first.purged_at;
}

bool State::IsPassedOn(const RecordState& record) const {
  return record.grant_of && record.originator.agency() != original(record).originator.agency();
}

bool State::body_used(const Hash& root) const { return data_->bodies.Has(root); }
bool State::body_purged(const Hash& root) const {
  const bool* purged = data_->bodies.Find(root);
  return purged != nullptr && *purged;
}

std::optional<std::uint64_t> State::statement_index(const Digest& digest) const {
  const auto* found = statement(digest);
  return found == nullptr ? std::nullopt : std::optional(found->index);
}

const KnownStatement* State::statement(const Digest& digest) const { return data_->statements.Find(digest); }

const PendingRequest* State::pending(const Digest& open) const { return FindIn(data_->pending, data_->over, open); }
const std::map<Digest, PendingRequest>& State::all_pending() const { return data_->pending.all(); }
const EmergencyState* State::emergency(const Digest& open) const {
  return FindIn(data_->emergencies, data_->reviewed, open);
}
const std::map<Digest, EmergencyState>& State::emergencies() const { return data_->emergencies.all(); }
const Digest* State::emergency_of(const std::string& person) const { return data_->locked.Find(person); }
bool State::emergency_locked(const MemberRecord& record) const {
  const std::string person = PersonOf(record);
  return std::any_of(data_->locked.all().begin(), data_->locked.all().end(), [&](const auto& one) {
    if (one.first == person || one.first == record.id.str()) return true;
    const auto author = MemberId::Parse(one.first);  // a label is no member's id
    return author && PersonOf(member(*author)->record) == person;
  });
}
const AccessRequestState* State::access_request(const Digest& digest) const {
  return FindIn(data_->access_requests, data_->closed_requests, digest);
}
const std::map<Digest, AccessRequestState>& State::access_requests() const { return data_->access_requests.all(); }
const std::deque<Time>* State::access_times(const MemberId& member) const { return data_->access_times.Find(member); }
std::optional<policy::Tlp> State::consent(const Digest& source, const AgencyId& agency) const {
  const RecordState* named = record(source);
  const Digest& first = named != nullptr && named->grant_of ? *named->grant_of : source;
  const auto* found = data_->consents.Find({first, agency});
  return found == nullptr ? std::nullopt : *found;
}
std::vector<std::pair<std::uint64_t, Digest>> State::open_access_requests(const AgencyId& originator) const {
  std::vector<std::pair<std::uint64_t, Digest>> out;
  const auto& all = data_->open_access.all();
  for (auto at = all.lower_bound({originator, 0}); at != all.end() && at->first.first == originator; ++at)
    out.emplace_back(at->first.second, at->second);
  return out;
}
std::vector<Digest> State::asking(const AgencyId& agency) const { return DigestsOf(data_->asked, agency); }
std::vector<Digest> State::to_erase(const MemberId& member) const { return DigestsOf(data_->to_erase, member); }
const LookupState* State::lookup(const Digest& digest) const { return data_->lookups.Find(digest); }
std::size_t State::lookups_of(const MemberId& member) const {
  const auto found = data_->lookups_of.find(member);
  return found == data_->lookups_of.end() ? 0 : found->second;
}
const OrderState* State::order(const Digest& digest) const { return FindIn(data_->orders, data_->past_orders, digest); }
const std::map<Digest, OrderState>& State::orders() const { return data_->orders.all(); }
bool State::opened_under(const Digest& order, const Digest& record) const { return data_->opened.Has({order, record}); }
const std::map<MemberId, std::vector<Digest>>& State::standing_orders() const { return data_->standing_orders.all(); }

bool State::header_used(const Hash& ctx) const { return data_->headers.Has(ctx); }

bool State::request_used(const MemberId& member, const Nonce& request) const {
  return data_->requests.Find({member, request}) != nullptr;
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
                     [&](const Digest& grant) { return reached(RecordIn(*data_, grant)); });
}

Entries State::entries_for(const AgencyId& agency) const {
  const auto* found = data_->mail.Find(agency);
  return found == nullptr ? Entries() : EntriesIn(*data_, *found, ListOf(agency));
}

Entries State::entries_of(const RecordState& record) const { return EntriesIn(*data_, record.entries, ListOf(record)); }

}  // namespace valija::ledger
