// What State holds, for state.cc and apply.cc alone.
#pragma once

#include <string>

#include "core/ledger/state.h"

namespace valija::ledger {

struct StateData {
  std::optional<Charter> charter;
  Digest charter_digest;
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
  std::unordered_map<Digest, std::uint64_t> statements;  // accepted -> entry index; an open until it expires
  std::unordered_set<Hash> headers;                      // every ctx
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
