#include <algorithm>
#include <set>
#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/ledger/state_internal.h"

namespace valija::ledger {
namespace {

using KeyUse = State::KeyUse;

[[noreturn]] void Impossible(const char* what) {
  throw std::logic_error(std::string("an entry that no decision makes possible: ") + what);
}
void Demand(bool holds, const char* what) {
  if (!holds) Impossible(what);
}

void Concern(StateData& data, const AgencyId& agency, std::uint64_t index) {
  auto& entries = data.mail[agency];
  if (entries.empty() || entries.back() != index) entries.push_back(index);
}

void Concern(RecordState& record, std::uint64_t index) {
  if (record.entries.empty() || record.entries.back() != index) record.entries.push_back(index);
}

void UseKey(StateData& data, const KeyId& id, KeyUse use, const std::string& owner) {
  data.keys.try_emplace(id, StateData::KeyOwner{use, owner});
}

void SetMember(StateData& data, const MemberRecord& record, const Digest& enrolment, std::uint64_t index) {
  auto key = crypto::VerifyKey::FromPoint(record.keys.signing_key);
  Demand(key.has_value(), "a signing key that is none");
  MemberState next{record, enrolment, index, *std::move(key)};
  UseKey(data, record.keys.auth_key_id, KeyUse::kAuth, record.id.str());
  UseKey(data, next.signing_key.id(), KeyUse::kSigning, record.id.str());
  UseKey(data, crypto::KeyIdOf(record.keys.kem_key), KeyUse::kKem, record.id.str());
  const auto at = data.members.find(record.id);
  if (at != data.members.end()) data.active_by_auth_key.erase(at->second.record.keys.auth_key_id);
  if (record.status == MemberStatus::kActive)
    data.active_by_auth_key.insert_or_assign(record.keys.auth_key_id, record.id);
  data.members.insert_or_assign(record.id, std::move(next));
}

void ApplyCharter(StateData& data, const Charter& charter, const Digest& digest) {
  data.charter = charter;
  data.charter_digest = digest;
  for (const CharterAuthority& authority : charter.authorities)
    UseKey(data, crypto::KeyIdOf(authority.release_key), KeyUse::kRelease, authority.id.str());
  for (const CharterAgency& agency : charter.agencies) {
    data.agencies.emplace(agency.id, AgencyState{agency, {}});
    for (const MemberRecord& member : agency.administrators) SetMember(data, member, digest, 0);
    Concern(data, agency.id, 0);
  }
}

void ApplyEnrolment(StateData& data, const Enrolment& enrolment, const EntryHead& head) {
  const AgencyId id = enrolment.member.id.agency();
  AgencyState& agency = data.agencies.at(id);
  SetMember(data, enrolment.member, head.statement, head.index);
  for (const EpochWrap& wrap : enrolment.wraps) {
    Demand(wrap.epoch >= 1 && wrap.epoch <= agency.epochs.size(), "a wrap of an epoch that is not there");
    agency.epochs[wrap.epoch - 1].wraps.insert_or_assign(wrap.member, wrap);
  }
  Concern(data, id, head.index);
}

void ApplyEpoch(StateData& data, const Epoch& epoch, const EntryHead& head) {
  AgencyState& agency = data.agencies.at(epoch.agency);
  Demand(epoch.epoch == agency.epochs.size() + 1, "an epoch out of order");
  if (!agency.epochs.empty()) agency.epochs.back().superseded_at = head.time;
  EpochState next;
  next.epoch = epoch.epoch;
  next.public_key = epoch.public_key;
  next.key_id = crypto::KeyIdOf(epoch.public_key);
  next.statement = head.statement;
  next.previous = epoch.previous;
  next.index = head.index;
  next.not_after = epoch.not_after;
  for (const EpochWrap& wrap : epoch.wraps) next.wraps.emplace(wrap.member, wrap);
  UseKey(data, next.key_id, KeyUse::kEpoch, epoch.agency.str());
  agency.epochs.push_back(std::move(next));
  Concern(data, epoch.agency, head.index);
}

std::shared_ptr<const policy::Policy> Intern(StateData& data, const policy::Policy& policy, ByteView policy_bytes) {
  if (policy_bytes.size() <= Salt::kSize) return std::make_shared<policy::Policy>(policy);
  auto& slot = data.policies[crypto::Sha256(policy_bytes.subspan(Salt::kSize))];  // of what follows the random bytes
  if (!slot) slot = std::make_shared<const policy::Policy>(policy);
  return slot;
}

void ApplyRecord(StateData& data, const Statement& statement, const Record& record, const EntryHead& head) {
  const record::Header& header = record.payload.header;
  Demand(record.policies.size() == header.portions.size() &&
             statement.attachments.policies.size() == header.portions.size(),
         "a record without its policies");
  Demand(!header.authorities.empty(), "a record without an authority");
  RecordState next{head.index, header.originator, header.authorities.front().id, {}, std::nullopt, {head.index}};
  Concern(data, header.originator.agency(), head.index);
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    PortionState portion;
    portion.policy = Intern(data, record.policies[p], statement.attachments.policies[p]);
    portion.policy_digest = header.portions[p].policy_digest;
    next.portions.push_back(std::move(portion));
  }
  for (const record::Slip& slip : statement.attachments.slips) {
    Demand(slip.portion < next.portions.size(), "a slip of no portion");
    next.portions[slip.portion].recipients.emplace_back(slip.agency, slip.epoch_key_id);
    Concern(data, slip.agency, head.index);
  }
  Demand(data.headers.insert(record.payload.ctx).second, "a second statement under one header");
  Demand(data.records.emplace(head.statement, std::move(next)).second, "a record for the second time");
}

void ApplyOpen(StateData& data, const Open& open, const Decision& decision, const EntryHead& head) {
  Demand(decision.verdicts.size() == open.items.size(), "not one verdict for each item");
  StateData::Request request{open.by.author, open.by.nonce};
  Demand(data.requests.emplace(request, head.statement).second, "a request for the second time");
  data.requests_by_expiry.emplace(open.expires, std::move(request));
  Concern(data, open.agency, head.index);
  for (std::size_t i = 0; i < open.items.size(); ++i) {
    const OpenItem& item = open.items[i];
    const Verdict& verdict = decision.verdicts[i];
    Demand(verdict.record == item.record && verdict.portion == item.portion, "a verdict of another item");
    auto at = data.records.find(item.record);
    if (at == data.records.end()) {
      Demand(!verdict.allowed(), "an opening of nothing");
      continue;
    }
    // Also a refused attempt, even by somebody to whom the record does not exist, concerns its originator.
    RecordState& record = at->second;
    Concern(record, head.index);
    Concern(data, record.originator.agency(), head.index);
    if (!verdict.allowed()) continue;
    Demand(item.portion < record.portions.size(), "an opening of no portion");
    PortionState& portion = record.portions[item.portion];
    ++portion.openings[open.agency];
    ++portion.openings_in_all;
  }
}

void ApplyAcknowledgement(StateData& data, const Acknowledgement& acknowledgement, const EntryHead& head) {
  auto at = data.records.find(acknowledgement.record);
  Demand(at != data.records.end(), "an acknowledgement of nothing");
  Concern(at->second, head.index);
  Concern(data, acknowledgement.by.author.agency(), head.index);
  Concern(data, at->second.originator.agency(), head.index);
}

void ApplyRevocation(StateData& data, const Revocation& revocation, const EntryHead& head) {
  auto at = data.records.find(revocation.record);
  Demand(at != data.records.end() && !at->second.revoked_at, "a revocation of nothing");
  RecordState& record = at->second;
  record.revoked_at = head.index;
  Concern(record, head.index);
  Concern(data, record.originator.agency(), head.index);
  for (const PortionState& portion : record.portions)
    for (const auto& [agency, key] : portion.recipients) Concern(data, agency, head.index);
}

// Requests that can be refused for their age need not be remembered: Decide compares with `latest` too, so a clock that
// goes back revives none.
void ForgetExpired(StateData& data) {
  const auto end = data.requests_by_expiry.upper_bound(data.latest);
  for (auto at = data.requests_by_expiry.begin(); at != end; ++at) {
    const auto request = data.requests.find(at->second);
    data.statements.erase(request->second);
    data.requests.erase(request);
  }
  data.requests_by_expiry.erase(data.requests_by_expiry.begin(), end);
}

}  // namespace

void Apply(State& state, const Entry& entry) {
  StateData& data = *state.data_;
  const Statement& statement = *entry.statement;
  const EntryHead& head = entry.head;
  const Decision& decision = entry.decision;
  Demand(head.index >= data.size, "an index that was there already");
  Demand((statement.kind == Kind::kCharter) == (head.index == 0) && (head.index == 0 || data.charter.has_value()),
         "the charter is entry 0, and nothing else is");
  Demand(head.statement == statement.digest && decision.statement == statement.digest,
         "a decision of another statement");
  if (statement.kind != Kind::kOpen)
    Demand(decision.verdicts.size() == 1 && decision.verdicts.front().allowed(), "a refusal");

  switch (statement.kind) {
    case Kind::kCharter:
      ApplyCharter(data, std::get<Charter>(statement.payload), head.statement);
      break;
    case Kind::kEnrolment:
      ApplyEnrolment(data, std::get<Enrolment>(statement.payload), head);
      break;
    case Kind::kEpoch:
      ApplyEpoch(data, std::get<Epoch>(statement.payload), head);
      break;
    case Kind::kRecord:
      ApplyRecord(data, statement, std::get<Record>(statement.payload), head);
      break;
    case Kind::kOpen:
      ApplyOpen(data, std::get<Open>(statement.payload), decision, head);
      break;
    case Kind::kAcknowledgement:
      ApplyAcknowledgement(data, std::get<Acknowledgement>(statement.payload), head);
      break;
    case Kind::kRevocation:
      ApplyRevocation(data, std::get<Revocation>(statement.payload), head);
      break;
  }
  data.statements.emplace(head.statement, head.index);
  if (statement.kind == Kind::kCharter || statement.kind == Kind::kEnrolment || statement.kind == Kind::kEpoch)
    data.directory_entries.push_back(head.index);
  data.size = head.index + 1;
  data.latest = std::max(data.latest, head.time);
  ForgetExpired(data);
}

}  // namespace valija::ledger
