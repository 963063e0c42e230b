// What State holds, for state.cc and apply.cc alone.
#pragma once

#include <string>

#include "core/ledger/state.h"

namespace valija::ledger {

struct StateData {
  std::optional<Charter> charter;
  Digest charter_digest, charter_statement;
  std::optional<log::WitnessPolicy> witness_policy;
  std::vector<std::pair<std::uint64_t, std::string>> log_keys;
  std::uint64_t size = 0;
  Time latest{};

  std::map<AgencyId, AgencyState> agencies;
  std::map<MemberId, MemberState> members;
  std::unordered_map<KeyId, MemberId> active_by_auth_key;
  struct KeyOwner {
    State::KeyUse use;
    std::string owner;  // member, agency or authority
  };
  std::unordered_map<KeyId, KeyOwner> keys;  // every key ever used, so that none is used for two things
  std::vector<std::uint64_t> directory_entries;

  std::unordered_map<Digest, RecordState> records;
  std::unordered_map<Digest, KnownStatement> statements;
  std::unordered_set<Hash> bodies, purged_bodies;
  std::unordered_map<KeyId, Time> replaced_release_keys;  // -> when

  std::map<Digest, PendingRequest> pending, over;  // over: used, or their time has passed; custody still asks for them
  std::multimap<Time, Digest> pending_by_expiry;
  std::map<Digest, EmergencyState> emergencies;
  std::map<std::string, Digest> locked;  // person -> its open emergency
  std::map<Digest, AccessRequestState> access_requests;
  std::map<MemberId, std::deque<Time>> access_times;
  std::map<std::pair<Digest, AgencyId>, policy::Tlp> consents;  // by the original's digest
  std::set<Digest> asking, recalled;
  // What is open of the above (State::open_emergencies and its neighbours).
  std::set<Digest> open_emergencies;
  std::map<AgencyId, std::map<std::uint64_t, Digest>> open_access;
  std::multimap<Time, Digest> open_access_by_expiry;
  std::map<AgencyId, std::set<Digest>> asked;
  std::map<MemberId, std::set<Digest>> to_erase;
  std::map<Digest, OrderState> orders;
  std::map<MemberId, std::vector<Digest>> standing_orders;
  std::map<Digest, LookupState> lookups;
  std::multimap<Time, Digest> lookups_by_expiry;
  std::map<MemberId, std::size_t> lookups_of;
  std::unordered_set<Hash> headers;  // every ctx
  std::map<AgencyId, std::vector<std::uint64_t>> mail;
  // One policy is shared by all portions that have it, by the digest of its message: most records of a sender have the
  // same few. Each is kept for good, so what one may take is bounded (kMaxPolicyBytes in decide_record.cc).
  std::unordered_map<Hash, std::shared_ptr<const policy::Policy>> policies;

  // Requests that have not expired yet, to refuse a second use; ordered, because an author chooses its nonces.
  using Request = std::pair<MemberId, Nonce>;
  std::map<Request, Digest> requests;  // -> its statement
  std::multimap<Time, Request> requests_by_expiry;
};

struct State::Data : StateData {};

}  // namespace valija::ledger
