#include <algorithm>
#include <set>

#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/ledger/apply_internal.h"

namespace valija::ledger {
namespace {

using KeyUse = State::KeyUse;

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

void TakeWitnesses(StateData& data, const Charter& charter) {
  data.witness_policy.reset();
  if (charter.witness_policy.empty()) return;
  auto policy = log::WitnessPolicy::Parse(charter.witness_policy);
  Demand(policy.has_value(), "a witness policy that does not parse");
  data.witness_policy = *std::move(policy);
}

void ApplyCharter(StateData& data, const Charter& charter, const Digest& digest) {
  data.charter = charter;
  data.charter_digest = data.charter_statement = digest;
  TakeWitnesses(data, charter);
  data.log_keys.emplace_back(0, charter.log_key);
  for (const CharterAuthority& authority : charter.authorities)
    UseKey(data, crypto::KeyIdOf(authority.release_key), KeyUse::kRelease, authority.id.str());
  for (const CharterAgency& agency : charter.agencies) {
    data.agencies.emplace(agency.id, AgencyState{agency, {}, false, {}});
    for (const MemberRecord& member : agency.administrators) SetMember(data, member, digest, 0);
    Concern(data, agency.id, 0);
  }
}

// Nobody of an agency that left is a member any more: should it join again, it enrols anew, and makes a new epoch, as
// those who had the last one are no members of it.
void Leave(StateData& data, AgencyState& agency, Time now) {
  agency.left = true;
  agency.last_administrators.clear();
  if (!agency.epochs.empty()) agency.epochs.back().superseded_at = now;
  for (auto& [id, member] : data.members) {
    if (id.agency() != agency.charter.id || member.record.status == MemberStatus::kRemoved) continue;
    if (member.record.administrator && member.record.status == MemberStatus::kActive)
      agency.last_administrators.push_back(member.signing_key.id());
    member.record.status = MemberStatus::kRemoved;
    data.active_by_auth_key.erase(member.record.keys.auth_key_id);
  }
}

void ApplyCharterAmendment(StateData& data, const CharterAmendment& amendment, const EntryHead& head) {
  const Charter& next = amendment.charter;
  for (const CharterAuthority& before : data.charter->authorities) {
    const KeyId id = crypto::KeyIdOf(before.release_key);
    if (std::none_of(next.authorities.begin(), next.authorities.end(), [&](const CharterAuthority& one) {
          return one.id == before.id && one.release_key == before.release_key;
        }))
      data.replaced_release_keys.emplace(id, head.time);
  }
  for (const CharterAuthority& authority : next.authorities)
    UseKey(data, crypto::KeyIdOf(authority.release_key), KeyUse::kRelease, authority.id.str());
  if (next.log_key != data.charter->log_key) data.log_keys.emplace_back(head.index + 1, next.log_key);

  for (auto& [id, agency] : data.agencies) {
    Concern(data, id, head.index);  // who leaves is told so by nobody else
    const bool stays = std::any_of(next.agencies.begin(), next.agencies.end(),
                                   [&, &id = id](const CharterAgency& one) { return one.id == id; });
    if (!stays && !agency.left) Leave(data, agency, head.time);
  }
  for (const CharterAgency& one : next.agencies) {
    auto [at, joins] = data.agencies.try_emplace(one.id, AgencyState{one, {}, false, {}});
    if (joins || at->second.left) {
      at->second.left = false;
      for (const MemberRecord& member : one.administrators) SetMember(data, member, head.statement, head.index);
    }
    at->second.charter = one;
    Concern(data, one.id, head.index);
  }
  data.charter = next;
  TakeWitnesses(data, next);
  data.charter_statement = head.statement;
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
  if (!agency.epochs.empty() && !agency.epochs.back().superseded_at) agency.epochs.back().superseded_at = head.time;
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

// A record, or a grant of one: what its header and its slips say.
RecordState FromHeader(StateData& data, const record::Header& header, const record::Attachments& attachments,
                       const std::vector<policy::Policy>& policies, const EntryHead& head) {
  Demand(policies.size() == header.portions.size() && attachments.policies.size() == header.portions.size(),
         "a record without its policies");
  Demand(!header.authorities.empty(), "a record without an authority");
  RecordState out(header.originator, header.authorities.front().id);
  out.index = head.index;
  out.time = head.time;
  out.entries = {head.index};
  Concern(data, header.originator.agency(), head.index);
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    PortionState portion;
    portion.number = header.portions[p].number;
    portion.policy = Intern(data, policies[p], attachments.policies[p]);
    portion.policy_digest = header.portions[p].policy_digest;
    portion.amend_key_id = header.portions[p].amend_key_id;
    out.portions.push_back(std::move(portion));
  }
  for (const record::Slip& slip : attachments.slips) {
    if (slip.agency.str() == record::kDecoyAgency) continue;
    PortionAt(out, slip.portion).recipients.emplace_back(slip.agency, slip.epoch_key_id);
    Concern(data, slip.agency, head.index);
  }
  return out;
}

bool Holds(const RecordState& record, const AgencyId& agency) {
  return std::any_of(record.portions.begin(), record.portions.end(), [&](const PortionState& portion) {
    return std::any_of(portion.recipients.begin(), portion.recipients.end(),
                       [&](const auto& one) { return one.first == agency; });
  });
}

// These agencies hold a key to some of what asks for an answer.
void Ask(StateData& data, const Digest& question, const RecordState& asks, const RecordState& holds) {
  for (const PortionState& portion : holds.portions)
    for (const auto& [agency, key] : portion.recipients)
      if (agency != asks.originator.agency() && !asks.replies.contains(agency)) data.asked[agency].insert(question);
}

void ApplyRecord(StateData& data, const Statement& statement, const Record& record, const EntryHead& head) {
  const record::Header& header = record.payload.header;
  RecordState next = FromHeader(data, header, statement.attachments, record.policies, head);
  for (const record::PortionSeal& seal : record.payload.portions) next.body_roots.push_back(seal.body_root);
  data.bodies.insert(next.body_roots.begin(), next.body_roots.end());
  next.in_reply_to = header.in_reply_to;
  next.sources = header.sources;
  if (header.urgency != record::Urgency::kNone) {
    const auto hours = data.charter->caps.response_hours.at(static_cast<std::size_t>(header.urgency) - 1);
    next.due = head.time + std::chrono::hours(hours);
    data.asking.insert(head.statement);
    Ask(data, head.statement, next, next);
  }
  if (header.in_reply_to) {
    auto answered = data.records.find(*header.in_reply_to);
    Demand(answered != data.records.end(), "an answer to nothing");
    // The clock is the original's, and stops for an answer that reaches who asked.
    const AgencyId agency = header.originator.agency();
    for (const Digest& digest : {*header.in_reply_to, answered->second.grant_of.value_or(*header.in_reply_to)}) {
      RecordState& asked = RecordAt(data, digest);
      if (std::none_of(statement.attachments.slips.begin(), statement.attachments.slips.end(),
                       [&](const record::Slip& slip) { return slip.agency == asked.originator.agency(); }))
        continue;
      asked.replies.try_emplace(agency, head.index);
      if (auto questions = data.asked.find(agency); questions != data.asked.end()) questions->second.erase(digest);
    }
  }
  Demand(data.headers.insert(record.payload.ctx).second, "a second statement under one header");
  Demand(data.records.emplace(head.statement, std::move(next)).second, "a record for the second time");
}

void ApplyGrant(StateData& data, const Statement& statement, const Grant& grant, const EntryHead& head) {
  RecordState next = FromHeader(data, grant.header, statement.attachments, grant.policies, head);
  next.grant_of = grant.record;
  RecordState& original = RecordAt(data, grant.record);
  original.grants.push_back(head.statement);
  Concern(original, head.index);
  Concern(data, original.originator.agency(), head.index);
  if (grant.request) {
    auto asked = data.access_requests.find(*grant.request);
    Demand(asked != data.access_requests.end() && !asked->second.answered, "an answer to no request");
    Answered(data, asked->second, head.index);
    // Who asked is told that it was granted, if it may know of the record: it had it already, or gets it now.
    const AgencyId asker = asked->second.request.by.author.agency();
    if (Holds(original, asker) || std::any_of(original.grants.begin(), original.grants.end(), [&](const Digest& one) {
          return one != head.statement && Holds(RecordAt(data, one), asker);
        }))
      Concern(data, asker, head.index);
  }
  if (original.due) Ask(data, grant.record, original, next);
  Demand(data.headers.insert(grant.ctx).second, "a second statement under one header");
  Demand(data.records.emplace(head.statement, std::move(next)).second, "a grant for the second time");
}

// Requests that can be refused for their age need not be remembered: Decide compares with `latest` too, so a clock that
// goes back revives none.
void ForgetExpired(StateData& data) {
  const auto end = data.requests_by_expiry.upper_bound(data.latest);
  for (auto at = data.requests_by_expiry.begin(); at != end; ++at) data.requests.erase(at->second);
  data.requests_by_expiry.erase(data.requests_by_expiry.begin(), end);
  const auto waited = data.pending_by_expiry.upper_bound(data.latest);
  for (auto at = data.pending_by_expiry.begin(); at != waited; ++at)
    if (auto node = data.pending.extract(at->second)) data.over.insert(std::move(node));
  data.pending_by_expiry.erase(data.pending_by_expiry.begin(), waited);
  const auto read = data.lookups_by_expiry.upper_bound(data.latest);
  for (auto at = data.lookups_by_expiry.begin(); at != read; ++at) {
    const auto lookup = data.lookups.find(at->second);
    const auto count = data.lookups_of.find(lookup->second.author);
    if (--count->second == 0) data.lookups_of.erase(count);
    data.lookups.erase(lookup);
  }
  data.lookups_by_expiry.erase(data.lookups_by_expiry.begin(), read);
  const auto silent = data.open_access_by_expiry.upper_bound(data.latest);
  for (auto at = data.open_access_by_expiry.begin(); at != silent; ++at)
    Close(data, data.access_requests.at(at->second));
  data.open_access_by_expiry.erase(data.open_access_by_expiry.begin(), silent);
}

}  // namespace

std::shared_ptr<const policy::Policy> Intern(StateData& data, const policy::Policy& policy, ByteView policy_bytes) {
  if (policy_bytes.size() <= Salt::kSize) return std::make_shared<policy::Policy>(policy);
  auto& slot = data.policies[crypto::Sha256(policy_bytes.subspan(Salt::kSize))];  // of what follows the random bytes
  if (!slot) slot = std::make_shared<const policy::Policy>(policy);
  return slot;
}

namespace {

// As it stands in the directory, which forgets nobody.
const MemberId* AuthorOf(const StateData& data, const Statement& statement) {
  if (const auto* opening = std::get_if<StandingOpening>(&statement.payload))
    return &data.members.find(data.orders.at(opening->order).order.by.author)->first;
  const auto by = AuthorshipOf(statement);
  if (!by) return nullptr;
  const auto known = data.members.find(by->author);
  Demand(known != data.members.end(), "a statement of nobody's");
  return &known->first;
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
  if (statement.kind != Kind::kOpen && statement.kind != Kind::kStandingOpening)
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
    case Kind::kCharterAmendment:
      ApplyCharterAmendment(data, std::get<CharterAmendment>(statement.payload), head);
      break;
    case Kind::kGrant:
      ApplyGrant(data, statement, std::get<Grant>(statement.payload), head);
      break;
    case Kind::kAmendment:
      ApplyAmendment(data, statement, std::get<Amendment>(statement.payload), head);
      break;
    case Kind::kApproval:
      ApplyApproval(data, std::get<Approval>(statement.payload), head);
      break;
    case Kind::kReview:
      ApplyReview(data, std::get<Review>(statement.payload), head);
      break;
    case Kind::kAccessRequest:
      ApplyAccessRequest(data, std::get<AccessRequest>(statement.payload), head);
      break;
    case Kind::kAnswer:
      ApplyAnswer(data, std::get<Answer>(statement.payload), head);
      break;
    case Kind::kStandingOrder:
      ApplyStandingOrder(data, std::get<StandingOrder>(statement.payload), head);
      break;
    case Kind::kStandingOpening:
      ApplyStandingOpening(data, std::get<StandingOpening>(statement.payload), decision, head);
      break;
    case Kind::kPurge:
      ApplyPurge(data, std::get<Purge>(statement.payload), head);
      break;
    case Kind::kLookup:
      ApplyLookup(data, std::get<Lookup>(statement.payload), head);
      break;
  }
  KnownStatement known{.index = head.index, .kind = statement.kind, .author = AuthorOf(data, statement), .erased_by = {}, .about = {}, .request = {}};
  NoteSubject(data, statement, known);
  data.statements.emplace(head.statement, std::move(known));
  KeepReasons(data, entry);
  if (IsDirectoryKind(statement.kind)) data.directory_entries.push_back(head.index);
  data.size = head.index + 1;
  data.latest = std::max(data.latest, head.time);
  ForgetExpired(data);
}

}  // namespace valija::ledger
