// A State in rows, and back. What follows from other values is not written.
#include <algorithm>

#include "core/ledger/apply_internal.h"
#include "core/ledger/row_codec.h"

namespace valija::ledger {
namespace {

// Of another number, rows are not understood, and the log is folded anew.
constexpr std::uint64_t kVersion = 1;
constexpr std::uint8_t kHead[] = {'0'};

const AgencyId kNoAgency = *AgencyId::Parse("xx.none");
const MemberId kNobody = *MemberId::Parse("xx.none/nobody");
const AuthorityId kNoAuthority = *AuthorityId::Parse("none");

}  // namespace

// The fields of each struct, in their order. One that gets another field does not compile here until it is written too.
template <>
struct FieldsOf<policy::Audience> {
  static auto Of(auto& of) {
    auto& [countries, agencies, members] = of;
    return std::tie(countries, agencies, members);
  }
};
template <>
struct FieldsOf<policy::NeedToKnow> {
  static auto Of(auto& of) {
    auto& [clearance, any_roles, all_roles, any_programmes, all_programmes] = of;
    return std::tie(clearance, any_roles, all_roles, any_programmes, all_programmes);
  }
};
template <>
struct FieldsOf<policy::Approvals> {
  static auto Of(auto& of) {
    auto& [needed, approvers] = of;
    return std::tie(needed, approvers);
  }
};
template <>
struct FieldsOf<policy::Policy> {
  static auto Of(auto& of) {
    auto& [marking, releasable_to, need, purposes, case_required, not_before, expires, per_agency, in_all, approvals,
           hours, emergency, onward, shown] = of;
    return std::tie(marking, releasable_to, need, purposes, case_required, not_before, expires, per_agency, in_all,
                    approvals, hours, emergency, onward, shown);
  }
};
template <>
struct FieldsOf<policy::Attributes> {
  static auto Of(auto& of) {
    auto& [clearance, roles, programmes] = of;
    return std::tie(clearance, roles, programmes);
  }
};
template <>
struct FieldsOf<MemberKeys> {
  static auto Of(auto& of) {
    auto& [auth, signing, kem] = of;
    return std::tie(auth, signing, kem);
  }
};
template <>
struct FieldsOf<MemberRecord> {
  static auto Of(auto& of) {
    auto& [id, status, keys, attributes, administrator, auditor, person] = of;
    return std::tie(id, status, keys, attributes, administrator, auditor, person);
  }
};
template <>
struct FieldsOf<EpochWrap> {
  static auto Of(auto& of) {
    auto& [epoch, member, kem, enc, ciphertext] = of;
    return std::tie(epoch, member, kem, enc, ciphertext);
  }
};
template <>
struct FieldsOf<CharterAgency> {
  static auto Of(auto& of) {
    auto& [id, name, ca, administrators] = of;
    return std::tie(id, name, ca, administrators);
  }
};
template <>
struct FieldsOf<CharterAuthority> {
  static auto Of(auto& of) {
    auto& [id, release] = of;
    return std::tie(id, release);
  }
};
template <>
struct FieldsOf<CharterCaps> {
  static auto Of(auto& of) {
    auto& [window, portions, recipients, body, skew, lifetime, grace, response] = of;
    return std::tie(window, portions, recipients, body, skew, lifetime, grace, response);
  }
};
template <>
struct FieldsOf<Charter> {
  static auto Of(auto& of) {
    auto& [origin, title, time, nonce, agencies, authorities, log_key, carrier_ca, auditors, purposes, clearances, caps,
           signatures, witnesses, checkpoint_age, degraded_after] = of;
    return std::tie(origin, title, time, nonce, agencies, authorities, log_key, carrier_ca, auditors, purposes,
                    clearances, caps, signatures, witnesses, checkpoint_age, degraded_after);
  }
};
template <>
struct FieldsOf<EpochState> {
  static auto Of(auto& of) {
    auto& [epoch, key, key_id, statement, previous, index, not_after, superseded, wraps] = of;
    return std::tie(epoch, key, key_id, statement, previous, index, not_after, superseded, wraps);
  }
};
template <>
struct FieldsOf<AgencyState> {
  static auto Of(auto& of) {
    auto& [charter, epochs, left, last] = of;
    return std::tie(charter, epochs, left, last);
  }
};
template <>
struct FieldsOf<EntryList> {
  static auto Of(auto& of) {
    auto& [earlier, latest] = of;
    return std::tie(earlier, latest);
  }
};
template <>
struct FieldsOf<HolderState> {
  static auto Of(auto& of) {
    auto& [opened, erased] = of;
    return std::tie(opened, erased);
  }
};
template <>
struct FieldsOf<RecordState> {
  static auto Of(auto& of) {
    auto& [index, originator, authority, portions, grant_of, grants, revoked, recalled, purged, roots, holders, entries,
           reply_to, time, due, replies, sources] = of;
    return std::tie(index, originator, authority, portions, grant_of, grants, revoked, recalled, purged, roots, holders,
                    entries, reply_to, time, due, replies, sources);
  }
};
template <>
struct FieldsOf<OpenItem> {
  static auto Of(auto& of) {
    auto& [record, portion, epoch_key] = of;
    return std::tie(record, portion, epoch_key);
  }
};
template <>
struct FieldsOf<PendingRequest::Said> {
  static auto Of(auto& of) {
    auto& [verdict, index, key] = of;
    return std::tie(verdict, index, key);
  }
};
template <>
struct FieldsOf<PendingRequest> {
  static auto Of(auto& of) {
    auto& [index, author, items, purpose, reference, expires, said, used] = of;
    return std::tie(index, author, items, purpose, reference, expires, said, used);
  }
};
template <>
struct FieldsOf<EmergencyState> {
  static auto Of(auto& of) {
    auto& [index, author, records, originators, reviewed] = of;
    return std::tie(index, author, records, originators, reviewed);
  }
};
template <>
struct FieldsOf<Authorship> {
  static auto Of(auto& of) {
    auto& [author, key, origin, time, nonce] = of;
    return std::tie(author, key, origin, time, nonce);
  }
};
template <>
struct FieldsOf<AccessRequest> {
  static auto Of(auto& of) {
    auto& [by, record, portions, wish, agency, marking, purpose, reference, why] = of;
    return std::tie(by, record, portions, wish, agency, marking, purpose, reference, why);
  }
};
template <>
struct FieldsOf<AccessRequestState> {
  static auto Of(auto& of) {
    auto& [index, request, answered] = of;
    return std::tie(index, request, answered);
  }
};
template <>
struct FieldsOf<StandingOrder> {
  static auto Of(auto& of) {
    auto& [by, agency, purpose, reference, reply_key, expires] = of;
    return std::tie(by, agency, purpose, reference, reply_key, expires);
  }
};
template <>
struct FieldsOf<OrderState> {
  static auto Of(auto& of) {
    auto& [index, order, key, ended, opened, originators] = of;
    return std::tie(index, order, key, ended, opened, originators);
  }
};
template <>
struct FieldsOf<LookupState> {
  static auto Of(auto& of) {
    auto& [index, author, from, end, expires, joint] = of;
    return std::tie(index, author, from, end, expires, joint);
  }
};
template <>
struct FieldsOf<KeyOwner> {
  static auto Of(auto& of) {
    auto& [use, owner] = of;
    return std::tie(use, owner);
  }
};
template <>
struct FieldsOf<RequestState> {
  static auto Of(auto& of) {
    auto& [statement, expires] = of;
    return std::tie(statement, expires);
  }
};
template <>
struct FieldsOf<Nothing> {
  static auto Of(auto&) { return std::tie(); }
};

template <>
inline MemberRecord Blank() {
  return {kNobody, MemberStatus::kRemoved, {}, {}, false, false};
}
template <>
inline EpochWrap Blank() {
  return {0, kNobody, {}, {}, {}};
}
template <>
inline CharterAgency Blank() {
  return {kNoAgency, {}, {}, {}};
}
template <>
inline CharterAuthority Blank() {
  return {kNoAuthority, {}};
}
template <>
inline AgencyState Blank() {
  return {Blank<CharterAgency>(), {}, false, {}};
}
template <>
inline RecordState Blank() {
  return {kNobody, kNoAuthority};
}
template <>
inline PendingRequest Blank() {
  return PendingRequest(kNobody);
}
template <>
inline EmergencyState Blank() {
  return {0, kNobody, {}, {}, std::nullopt};
}
template <>
inline Authorship Blank() {
  return {kNobody, {}, {}, {}, {}};
}
template <>
inline AccessRequest Blank() {
  return {Blank<Authorship>(), {}, {}, Wish::kOpen, kNoAgency, std::nullopt, {}, {}, {}};
}
template <>
inline AccessRequestState Blank() {
  return {0, Blank<AccessRequest>(), std::nullopt};
}
template <>
inline StandingOrder Blank() {
  return {Blank<Authorship>(), kNoAgency, {}, {}, {}, {}};
}
template <>
inline OrderState Blank() {
  return {0, Blank<StandingOrder>(), {}, std::nullopt, 0, {}};
}
template <>
inline LookupState Blank() {
  return {0, kNobody, 0, 0, {}, false};
}

template <>
struct RowCodec<MemberState> {
  static void Put(RowWriter& to, const MemberState& of) {
    const auto& [record, enrolment, index, key] = of;
    ledger::Put(to, record);
    ledger::Put(to, enrolment);
    ledger::Put(to, index);
  }
  static MemberState Get(RowReader& from) {
    auto record = ledger::Get<MemberRecord>(from);
    const auto enrolment = ledger::Get<Digest>(from);
    const auto index = ledger::Get<std::uint64_t>(from);
    auto key = crypto::VerifyKey::FromPoint(record.keys.signing_key);
    if (!key) throw RowsDamaged("a signing key that is none");
    return {std::move(record), enrolment, index, *std::move(key)};
  }
};

template <>
struct RowCodec<std::shared_ptr<const policy::Policy>> {
  static void Put(RowWriter& to, const std::shared_ptr<const policy::Policy>& of) { ledger::Put(to, *of); }
  static std::shared_ptr<const policy::Policy> Get(RowReader& from) {
    return std::make_shared<const policy::Policy>(ledger::Get<policy::Policy>(from));
  }
};

// A policy that is shared stands in a row of its own.
template <>
struct RowCodec<PortionState> {
  static void Put(RowWriter& to, const PortionState& of) {
    const auto& [number, policy, digest, shared, sequence, amend_key, recipients, openings, in_all] = of;
    ledger::Put(to, shared);
    if (shared.IsZero()) ledger::Put(to, policy);
    std::apply([&](const auto&... one) { (ledger::Put(to, one), ...); },
               std::tie(number, digest, sequence, amend_key, recipients, openings, in_all));
  }
  static PortionState Get(RowReader& from) {
    PortionState out;
    auto& [number, policy, digest, shared, sequence, amend_key, recipients, openings, in_all] = out;
    shared = ledger::Get<Hash>(from);
    if (shared.IsZero()) {
      policy = ledger::Get<std::shared_ptr<const policy::Policy>>(from);
    } else {
      const auto* kept = from.data->policies.Find(shared);
      if (kept == nullptr) throw RowsDamaged("a policy is missing");
      policy = *kept;
    }
    std::apply([&](auto&... one) { ((one = ledger::Get<std::remove_cvref_t<decltype(one)>>(from)), ...); },
               std::tie(number, digest, sequence, amend_key, recipients, openings, in_all));
    return out;
  }
};

// The author stands in the directory, which forgets nobody.
template <>
struct RowCodec<KnownStatement> {
  static void Put(RowWriter& to, const KnownStatement& of) {
    const auto& [index, kind, author, erased_by, about, request, purges, kept_until] = of;
    ledger::Put(to, author != nullptr ? author->str() : std::string());
    std::apply([&](const auto&... one) { (ledger::Put(to, one), ...); },
               std::tie(index, kind, erased_by, about, request, purges, kept_until));
  }
  static KnownStatement Get(RowReader& from) {
    KnownStatement out;
    auto& [index, kind, author, erased_by, about, request, purges, kept_until] = out;
    if (const auto name = ledger::Get<std::string>(from); !name.empty()) {
      const auto id = MemberId::Parse(name);
      const auto& members = from.data->members.all();
      const auto known = id ? members.find(*id) : members.end();
      if (known == members.end()) throw RowsDamaged("a statement of nobody's");
      author = &known->first;
    }
    std::apply([&](auto&... one) { ((one = ledger::Get<std::remove_cvref_t<decltype(one)>>(from)), ...); },
               std::tie(index, kind, erased_by, about, request, purges, kept_until));
    return out;
  }
};

namespace {

// What is neither kept by key nor follows from what is.
auto HeadOf(auto& data) {
  return std::tie(data.charter, data.charter_digest, data.charter_statement, data.log_keys, data.size, data.latest,
                  data.directory_entries);
}

void Derive(StateData& data) {
  TakeWitnesses(data);
  for (const auto& [id, member] : data.members.all())
    if (member.record.status == MemberStatus::kActive)
      data.active_by_auth_key.insert_or_assign(member.record.keys.auth_key_id, id);
  for (const auto& [open, request] : data.pending.all()) data.pending_by_expiry.emplace(request.expires, open);
  for (const auto& [digest, lookup] : data.lookups.all()) {
    data.lookups_by_expiry.emplace(lookup.expires, digest);
    ++data.lookups_of[lookup.author];
  }
  for (const auto& [digest, asked] : data.access_requests.all())
    data.access_by_expiry.emplace(asked.request.by.time + kSilence, digest);
  for (const auto& [request, state] : data.requests.all()) data.requests_by_expiry.emplace(state.expires, request);
}

}  // namespace

void State::KeepIn(const RowSource& rows) {
  if (data_->size != 0) throw std::logic_error("a state is kept in rows from its first entry on");
  data_->source.rows = &rows;
}

State State::From(const RowSource& rows) {
  State out;
  StateData& data = *out.data_;
  data.source.rows = &rows;
  const auto head = rows.Get(kHead);
  if (!head) throw RowsDamaged("the head of the rows is missing");
  RowReader from(*head, &data);
  if (from.Number() != kVersion) throw RowsDamaged("rows of another version");
  std::apply([&](auto&... one) { ((one = Get<std::remove_cvref_t<decltype(one)>>(from)), ...); }, HeadOf(data));
  from.End();
  data.EachTable([](auto& table) { table.Load(); });
  try {
    Derive(data);
  } catch (const std::logic_error& impossible) {
    throw RowsDamaged(impossible.what());
  }
  return out;
}

std::vector<Row> State::TakeRows() {
  std::vector<Row> out;
  data_->EachTable([&](auto& table) { table.TakeRows(out); });
  RowWriter head;
  head.Number(kVersion);
  std::apply([&](const auto&... one) { (Put(head, one), ...); }, HeadOf(*data_));
  out.push_back({ToBytes(kHead), std::move(head.out)});
  return out;
}

std::size_t State::cached() const { return data_->source.cached; }

// What was asked for since the last time stays, if that is enough.
void State::Trim(std::size_t most) {
  for (int pass = 0; pass < 2 && cached() > most; ++pass) data_->EachTable([](auto& table) { table.Trim(); });
}

// Of every key and value that a State has.
template Bytes RowKey(std::uint8_t, const AgencyId&);
template Bytes RowKey(std::uint8_t, const MemberId&);
template Bytes RowKey(std::uint8_t, const KeyId&);
template Bytes RowKey(std::uint8_t, const Digest&);
template Bytes RowKey(std::uint8_t, const std::string&);
template Bytes RowKey(std::uint8_t, const StateData::Request&);
template Bytes RowKey(std::uint8_t, const std::pair<AgencyId, std::uint64_t>&);
template Bytes RowKey(std::uint8_t, const std::pair<AgencyId, Digest>&);
template Bytes RowKey(std::uint8_t, const std::pair<MemberId, Digest>&);
template Bytes RowKey(std::uint8_t, const Hash&);
template Bytes RowKey(std::uint8_t, const std::pair<Digest, AgencyId>&);
template Bytes RowKey(std::uint8_t, const std::pair<Digest, Digest>&);
template Bytes RowKey(std::uint8_t, const StateData::ChunkName&);
template Bytes RowValue(const AgencyState&);
template Bytes RowValue(const MemberState&);
template Bytes RowValue(const KeyOwner&);
template Bytes RowValue(const Time&);
template Bytes RowValue(const EntryList&);
template Bytes RowValue(const PendingRequest&);
template Bytes RowValue(const EmergencyState&);
template Bytes RowValue(const Digest&);
template Bytes RowValue(const AccessRequestState&);
template Bytes RowValue(const std::deque<Time>&);
template Bytes RowValue(const Nothing&);
template Bytes RowValue(const OrderState&);
template Bytes RowValue(const std::vector<Digest>&);
template Bytes RowValue(const LookupState&);
template Bytes RowValue(const RequestState&);
template Bytes RowValue(const RecordState&);
template Bytes RowValue(const KnownStatement&);
template Bytes RowValue(const bool&);
template Bytes RowValue(const std::optional<policy::Tlp>&);
template Bytes RowValue(const std::shared_ptr<const policy::Policy>&);
template Bytes RowValue(const std::vector<std::uint64_t>&);
template AgencyId ReadRow(ByteView, const StateData*);
template MemberId ReadRow(ByteView, const StateData*);
template KeyId ReadRow(ByteView, const StateData*);
template std::string ReadRow(ByteView, const StateData*);
template StateData::Request ReadRow(ByteView, const StateData*);
template std::pair<AgencyId, std::uint64_t> ReadRow(ByteView, const StateData*);
template std::pair<AgencyId, Digest> ReadRow(ByteView, const StateData*);
template std::pair<MemberId, Digest> ReadRow(ByteView, const StateData*);
template AgencyState ReadRow(ByteView, const StateData*);
template MemberState ReadRow(ByteView, const StateData*);
template KeyOwner ReadRow(ByteView, const StateData*);
template Time ReadRow(ByteView, const StateData*);
template EntryList ReadRow(ByteView, const StateData*);
template PendingRequest ReadRow(ByteView, const StateData*);
template EmergencyState ReadRow(ByteView, const StateData*);
template Digest ReadRow(ByteView, const StateData*);
template AccessRequestState ReadRow(ByteView, const StateData*);
template std::deque<Time> ReadRow(ByteView, const StateData*);
template Nothing ReadRow(ByteView, const StateData*);
template OrderState ReadRow(ByteView, const StateData*);
template std::vector<Digest> ReadRow(ByteView, const StateData*);
template LookupState ReadRow(ByteView, const StateData*);
template RequestState ReadRow(ByteView, const StateData*);
template RecordState ReadRow(ByteView, const StateData*);
template KnownStatement ReadRow(ByteView, const StateData*);
template bool ReadRow(ByteView, const StateData*);
template std::optional<policy::Tlp> ReadRow(ByteView, const StateData*);
template std::shared_ptr<const policy::Policy> ReadRow(ByteView, const StateData*);
template std::vector<std::uint64_t> ReadRow(ByteView, const StateData*);

}  // namespace valija::ledger
