// What State holds, for state*.cc and apply*.cc alone.
#pragma once

#include <string>
#include <unordered_map>

#include "core/ledger/state.h"
#include "core/ledger/table.h"

namespace valija::ledger {

struct KeyOwner {
  State::KeyUse use = State::KeyUse::kAuth;
  std::string owner;  // member, agency or authority
};

struct RequestState {  // an open's own id, until it expires
  Digest statement;
  Time expires;
};

struct StateData {
  TableSource source{.rows = nullptr, .data = this};

  std::optional<Charter> charter;
  Digest charter_digest, charter_statement;
  std::vector<std::pair<std::uint64_t, std::string>> log_keys;
  std::uint64_t size = 0;
  Time latest{};
  std::vector<std::uint64_t> directory_entries;

  // ---- live ----
  Kept<AgencyId, AgencyState> agencies{'A', source};
  Kept<MemberId, MemberState> members{'M', source};
  Kept<KeyId, KeyOwner> keys{'K', source};               // every key ever used, so that none is used for two things
  Kept<KeyId, Time> replaced_release_keys{'X', source};  // -> when
  Kept<AgencyId, EntryList> mail{'I', source};
  Kept<Digest, PendingRequest> pending{'P', source};
  Kept<Digest, EmergencyState> emergencies{'E', source};          // not reviewed
  Kept<std::string, Digest> locked{'L', source};                  // person -> its open emergency
  Kept<Digest, AccessRequestState> access_requests{'Q', source};  // neither answered nor silenced
  Kept<MemberId, std::deque<Time>> access_times{'T', source};
  // What is open of requests and records (State::open_access_requests and its neighbours).
  Kept<std::pair<AgencyId, std::uint64_t>, Digest> open_access{'N', source};
  Kept<std::pair<AgencyId, Digest>, Nothing> asked{'W', source};
  Kept<std::pair<MemberId, Digest>, Nothing> to_erase{'V', source};
  Kept<Digest, OrderState> orders{'O', source};  // those of standing_orders
  Kept<MemberId, std::vector<Digest>> standing_orders{'S', source};
  Kept<Digest, LookupState> lookups{'U', source};
  using Request = std::pair<MemberId, Nonce>;
  Kept<Request, RequestState> requests{'R', source};  // to refuse a second use

  // ---- what follows from these ----
  std::optional<log::WitnessPolicy> witness_policy;
  std::unordered_map<KeyId, MemberId> active_by_auth_key;
  std::multimap<Time, Digest> pending_by_expiry, lookups_by_expiry, access_by_expiry;
  std::map<MemberId, std::size_t> lookups_of;
  std::multimap<Time, Request> requests_by_expiry;

  // ---- what was ----
  Table<Digest, RecordState> records{'r', source};
  Table<Digest, KnownStatement> statements{'s', source};
  Table<Hash, Nothing> headers{'h', source};        // every ctx
  Table<Hash, bool> bodies{'b', source};            // -> is it purged?
  Table<Digest, PendingRequest> over{'p', source};  // used, or their time has passed; custody still asks for them
  Table<Digest, EmergencyState> reviewed{'e', source};
  Table<Digest, AccessRequestState> closed_requests{'q', source};
  Table<std::pair<Digest, AgencyId>, std::optional<policy::Tlp>> consents{'c', source};  // by the original's digest
  Table<Digest, OrderState> past_orders{'o', source};
  Table<std::pair<Digest, Digest>, Nothing> opened{'n', source};  // order, record
  // One policy is shared by all portions that have it, by the digest of its message: most records of a sender have the
  // same few. Each is kept for good, so what one may take is bounded (kMaxPolicyBytes in decide_record.cc).
  Table<Hash, std::shared_ptr<const policy::Policy>> policies{'y', source};
  // Of an EntryList by who it is of, and its number.
  using ChunkName = std::pair<std::string, std::uint64_t>;
  Table<ChunkName, std::vector<std::uint64_t>> chunks{'i', source};

  StateData() = default;
  StateData(const StateData&) = delete;

  template <class F>
  void EachTable(F f) {
    auto all = [&](auto&... table) { (f(table), ...); };
    all(agencies, members, keys, replaced_release_keys, mail, pending, emergencies, locked, access_requests,
        access_times, open_access, asked, to_erase, orders, standing_orders, lookups, requests);
    all(policies, records, statements, headers, bodies, over, reviewed, closed_requests, consents, past_orders, opened,
        chunks);
  }
};

struct State::Data : StateData {};

// A record that another names. RowsDamaged.
const RecordState& RecordIn(const StateData& data, const Digest& digest);

// Of whom a list is: ChunkName's first.
inline std::string ListOf(const AgencyId& agency) { return "m" + agency.str(); }
inline std::string ListOf(const RecordState& record) { return "r" + std::to_string(record.index); }
Entries EntriesIn(const StateData& data, const EntryList& list, std::string of);

// What stands in one of two: what waits, and what came of it.
template <class Live, class Past, class Key>
auto FindIn(const Live& live, const Past& past, const Key& key) {
  const auto* found = live.Find(key);
  return found != nullptr ? found : past.Find(key);
}

}  // namespace valija::ledger
