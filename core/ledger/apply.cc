#include <algorithm>
#include <set>

#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/ledger/apply_internal.h"

namespace valija::ledger {

void TakeWitnesses(StateData& data) {
  data.witness_policy.reset();
  if (!data.charter || data.charter->witness_policy.empty()) return;
  auto policy = log::WitnessPolicy::Parse(data.charter->witness_policy);
  Demand(policy.has_value(), "a witness policy that does not parse");
  data.witness_policy = *std::move(policy);
}

void PutAwayChunk(StateData& data, EntryList& list, const std::string& of) {
  const auto middle = list.latest.begin() + Entries::kChunk;
  data.chunks.Set({of, list.earlier / Entries::kChunk}, {list.latest.begin(), middle});
  list.latest.erase(list.latest.begin(), middle);
  list.earlier += Entries::kChunk;
}

void MergeInto(StateData& data, EntryList& list, const std::string& of, std::vector<std::uint64_t> indexes) {
  if (indexes.empty()) return;
  auto& latest = list.latest;
  const std::uint64_t first = *std::min_element(indexes.begin(), indexes.end());
  while (list.earlier > 0 && latest.front() > first) {  // the chunk before these comes back
    list.earlier -= Entries::kChunk;
    const auto* chunk = data.chunks.Find({of, list.earlier / Entries::kChunk});
    if (chunk == nullptr) throw RowsDamaged("a part of a list is missing");
    latest.insert(latest.begin(), chunk->begin(), chunk->end());
  }
  latest.insert(latest.end(), indexes.begin(), indexes.end());
  std::sort(latest.begin(), latest.end());
  latest.erase(std::unique(latest.begin(), latest.end()), latest.end());
  while (latest.size() > 2 * Entries::kChunk) PutAwayChunk(data, list, of);
}

namespace {

using KeyUse = State::KeyUse;

void UseKey(StateData& data, const KeyId& id, KeyUse use, const std::string& owner) {
  data.keys.Add(id, KeyOwner{use, owner});
}

void SetMember(StateData& data, const MemberRecord& record, const Digest& enrolment, std::uint64_t index) {
  auto key = crypto::VerifyKey::FromPoint(record.keys.signing_key);
  Demand(key.has_value(), "a signing key that is none");
  MemberState next{record, enrolment, index, *std::move(key)};
  UseKey(data, record.keys.auth_key_id, KeyUse::kAuth, record.id.str());
  UseKey(data, next.signing_key.id(), KeyUse::kSigning, record.id.str());
  UseKey(data, crypto::KeyIdOf(record.keys.kem_key), KeyUse::kKem, record.id.str());
  if (const auto* before = data.members.Find(record.id)) data.active_by_auth_key.erase(before->record.keys.auth_key_id);
  if (record.status == MemberStatus::kActive)
    data.active_by_auth_key.insert_or_assign(record.keys.auth_key_id, record.id);
  data.members.Set(record.id, std::move(next));
}

void ApplyCharter(StateData& data, const Charter& charter, const Digest& digest) {
  data.charter = charter;
  data.charter_digest = data.charter_statement = digest;
  TakeWitnesses(data);
  data.log_keys.emplace_back(0, charter.log_key);
  for (const CharterAuthority& authority : charter.authorities)
    UseKey(data, crypto::KeyIdOf(authority.release_key), KeyUse::kRelease, authority.id.str());
  for (const CharterAgency& agency : charter.agencies) {
    data.agencies.Add(agency.id, AgencyState{agency, {}, false, {}});
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
  for (const auto& [id, before] : data.members.all()) {
    if (id.agency() != agency.charter.id || before.record.status == MemberStatus::kRemoved) continue;
    MemberState& member = *data.members.Change(id);
    if (member.record.administrator && member.record.status == MemberStatus::kActive)
      agency.last_administrators.push_back(member.signing_key.id());
    member.record.status = MemberStatus::kRemoved;
    data.active_by_auth_key.erase(member.record.keys.auth_key_id);
  }
}

// Who joins is told of the look-ups by which joint auditors may read, of what is its too from here on. In the log's order, and
// an agency is told of none twice.
void TellOfLookups(StateData& data, const AgencyId& agency) {
  std::vector<std::uint64_t> told;
  for (const auto& [digest, lookup] : data.lookups.all())
    if (lookup.joint) told.push_back(lookup.index);
  Merge(data, data.mail.Make(agency), agency, std::move(told));
}

void ApplyCharterAmendment(StateData& data, const CharterAmendment& amendment, const EntryHead& head) {
  const Charter& next = amendment.charter;
  for (const CharterAuthority& before : data.charter->authorities) {
    const KeyId id = crypto::KeyIdOf(before.release_key);
    if (std::none_of(next.authorities.begin(), next.authorities.end(), [&](const CharterAuthority& one) {
          return one.id == before.id && one.release_key == before.release_key;
        }))
      data.replaced_release_keys.Add(id, head.time);
  }
  for (const CharterAuthority& authority : next.authorities)
    UseKey(data, crypto::KeyIdOf(authority.release_key), KeyUse::kRelease, authority.id.str());
  if (next.log_key != data.charter->log_key) data.log_keys.emplace_back(head.index + 1, next.log_key);

  for (const auto& [id, agency] : data.agencies.all()) {
    Concern(data, id, head.index);  // who leaves is told so by nobody else
    const bool stays = std::any_of(next.agencies.begin(), next.agencies.end(),
                                   [&, &id = id](const CharterAgency& one) { return one.id == id; });
    if (!stays && !agency.left) Leave(data, AgencyAt(data, id), head.time);
  }
  for (const CharterAgency& one : next.agencies) {
    const bool joins = data.agencies.Add(one.id, AgencyState{one, {}, false, {}});
    AgencyState& agency = AgencyAt(data, one.id);
    if (joins || agency.left) {
      agency.left = false;
      for (const MemberRecord& member : one.administrators) SetMember(data, member, head.statement, head.index);
      TellOfLookups(data, one.id);
    }
    agency.charter = one;
    Concern(data, one.id, head.index);
  }
  data.charter = next;
  TakeWitnesses(data);
  data.charter_statement = head.statement;
}

void ApplyEnrolment(StateData& data, const Enrolment& enrolment, const EntryHead& head) {
  const AgencyId id = enrolment.member.id.agency();
  AgencyState& agency = AgencyAt(data, id);
  SetMember(data, enrolment.member, head.statement, head.index);
  for (const EpochWrap& wrap : enrolment.wraps) {
    Demand(wrap.epoch >= 1 && wrap.epoch <= agency.epochs.size(), "a wrap of an epoch that is not there");
    agency.epochs[wrap.epoch - 1].wraps.insert_or_assign(wrap.member, wrap);
  }
  Concern(data, id, head.index);
}

void ApplyEpoch(StateData& data, const Epoch& epoch, const EntryHead& head) {
  AgencyState& agency = AgencyAt(data, epoch.agency);
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
  out.entries.latest = {head.index};
  Concern(data, header.originator.agency(), head.index);
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    PortionState portion;
    portion.number = header.portions[p].number;
    SetPolicy(data, portion, policies[p], attachments.policies[p]);
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

// These agencies hold a key to some of what asks for an answer.
void Ask(StateData& data, const Digest& question, const RecordState& asks, const RecordState& holds) {
  for (const PortionState& portion : holds.portions)
    for (const auto& [agency, key] : portion.recipients)
      if (agency != asks.originator.agency() && !asks.replies.contains(agency)) data.asked.Add({agency, question}, {});
}

void ApplyRecord(StateData& data, const Statement& statement, const Record& record, const EntryHead& head) {
  const record::Header& header = record.payload.header;
  RecordState next = FromHeader(data, header, statement.attachments, record.policies, head);
  for (const record::PortionSeal& seal : record.payload.portions) next.body_roots.push_back(seal.body_root);
  for (const Hash& root : next.body_roots) data.bodies.Add(root, false);
  next.in_reply_to = header.in_reply_to;
  next.sources = header.sources;
  if (header.urgency != record::Urgency::kNone) {
    const auto hours = data.charter->caps.response_hours.at(static_cast<std::size_t>(header.urgency) - 1);
    next.due = head.time + std::chrono::hours(hours);
    Ask(data, head.statement, next, next);
  }
  if (header.in_reply_to) {
    RecordState& answered = RecordAt(data, *header.in_reply_to);
    // The clock is the original's, and stops for an answer that reaches who asked.
    const AgencyId agency = header.originator.agency();
    for (const Digest& digest : {*header.in_reply_to, answered.grant_of.value_or(*header.in_reply_to)}) {
      RecordState& asked = RecordAt(data, digest);
      if (std::none_of(statement.attachments.slips.begin(), statement.attachments.slips.end(),
                       [&](const record::Slip& slip) { return slip.agency == asked.originator.agency(); }))
        continue;
      asked.replies.try_emplace(agency, head.index);
      data.asked.Erase({agency, digest});
    }
  }
  Demand(data.headers.Add(record.payload.ctx, {}), "a second statement under one header");
  Demand(data.records.Add(head.statement, std::move(next)), "a record for the second time");
}

void ApplyGrant(StateData& data, const Statement& statement, const Grant& grant, const EntryHead& head) {
  RecordState next = FromHeader(data, grant.header, statement.attachments, grant.policies, head);
  next.grant_of = grant.record;
  RecordState& original = RecordAt(data, grant.record);
  original.grants.push_back(head.statement);
  Concern(data, original, head.index);
  Concern(data, original.originator.agency(), head.index);
  if (grant.request) {
    // Who asked is told that it was granted, if it may know of the record: it had it already, or gets it now.
    const AgencyId asker = Settle(data, *grant.request, head.index).request.by.author.agency();
    if (Holds(original, asker) || std::any_of(original.grants.begin(), original.grants.end(), [&](const Digest& one) {
          return one != head.statement && Holds(RecordAt(data, one), asker);
        }))
      Concern(data, asker, head.index);
  }
  if (original.due) Ask(data, grant.record, original, next);
  Demand(data.headers.Add(grant.ctx, {}), "a second statement under one header");
  Demand(data.records.Add(head.statement, std::move(next)), "a grant for the second time");
}

// Requests that can be refused for their age need not be remembered: Decide compares with `latest` too, so a clock that
// goes back revives none.
void ForgetExpired(StateData& data) {
  const auto end = data.requests_by_expiry.upper_bound(data.latest);
  for (auto at = data.requests_by_expiry.begin(); at != end; ++at) data.requests.Erase(at->second);
  data.requests_by_expiry.erase(data.requests_by_expiry.begin(), end);
  const auto past = data.pending_by_expiry.upper_bound(data.latest);
  for (auto at = data.pending_by_expiry.begin(); at != past; ++at)
    if (auto waited = data.pending.Take(at->second)) data.over.Add(at->second, *std::move(waited));
  data.pending_by_expiry.erase(data.pending_by_expiry.begin(), past);
  const auto read = data.lookups_by_expiry.upper_bound(data.latest);
  for (auto at = data.lookups_by_expiry.begin(); at != read; ++at) {
    const auto count = data.lookups_of.find(data.lookups.Find(at->second)->author);
    if (--count->second == 0) data.lookups_of.erase(count);
    data.lookups.Erase(at->second);
  }
  data.lookups_by_expiry.erase(data.lookups_by_expiry.begin(), read);
  const auto silent = data.access_by_expiry.upper_bound(data.latest);
  for (auto at = data.access_by_expiry.begin(); at != silent; ++at)
    if (auto asked = data.access_requests.Take(at->second)) Close(data, at->second, *std::move(asked));
  data.access_by_expiry.erase(data.access_by_expiry.begin(), silent);
}

}  // namespace

void SetPolicy(StateData& data, PortionState& portion, const policy::Policy& policy, ByteView policy_bytes) {
  portion.shared_policy = {};
  if (policy_bytes.size() <= Salt::kSize) {
    portion.policy = std::make_shared<policy::Policy>(policy);
    return;
  }
  portion.shared_policy = crypto::Sha256(policy_bytes.subspan(Salt::kSize));  // of what follows the random bytes
  const auto* shared = data.policies.Find(portion.shared_policy);
  portion.policy = shared != nullptr ? *shared : std::make_shared<const policy::Policy>(policy);
  if (shared == nullptr) data.policies.Add(portion.shared_policy, portion.policy);
}

// Nobody is to answer it any more, or somebody has.
void Close(StateData& data, const Digest& digest, AccessRequestState asked) {
  if (const RecordState* record = data.records.Find(asked.request.record)) {
    const RecordState* original = record->grant_of ? data.records.Find(*record->grant_of) : record;
    data.open_access.Erase({original->originator.agency(), asked.index});
  }
  data.closed_requests.Add(digest, std::move(asked));
}

const AccessRequestState& Settle(StateData& data, const Digest& request, std::uint64_t index) {
  if (auto asked = data.access_requests.Take(request)) Close(data, request, *std::move(asked));
  AccessRequestState* closed = data.closed_requests.Change(request);
  Demand(closed != nullptr && !closed->answered, "an answer to no request");
  closed->answered = index;
  return *closed;
}

namespace {

// As it stands in the directory, which forgets nobody.
const MemberId* AuthorOf(const StateData& data, const Statement& statement) {
  if (const auto* opening = std::get_if<StandingOpening>(&statement.payload))
    return &data.members.all().find(FindIn(data.orders, data.past_orders, opening->order)->order.by.author)->first;
  const auto by = AuthorshipOf(statement);
  if (!by) return nullptr;
  const auto known = data.members.all().find(by->author);
  Demand(known != data.members.all().end(), "a statement of nobody's");
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
  KnownStatement known{.index = head.index,
                       .kind = statement.kind,
                       .author = AuthorOf(data, statement),
                       .erased_by = {},
                       .about = {},
                       .request = {}};
  NoteSubject(data, statement, known);
  data.statements.Add(head.statement, std::move(known));
  KeepReasons(data, entry);
  if (IsDirectoryKind(statement.kind)) data.directory_entries.push_back(head.index);
  data.size = head.index + 1;
  data.latest = std::max(data.latest, head.time);
  ForgetExpired(data);
}

}  // namespace valija::ledger
