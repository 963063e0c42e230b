// Records: the header's rules, what travels beside it, the epochs it is sealed to, and its policies.
#include <algorithm>
#include <set>

#include "core/crypto/keys.h"
#include "core/ledger/decide_internal.h"
#include "core/record/check.h"

namespace valija::ledger {
namespace {

// What the state keeps for good of each policy that is not the same as another (the codec's limit is a reader's own).
constexpr std::size_t kMaxPolicyBytes = Salt::kSize + (std::size_t{8} << 10);

Error BadPolicy(std::string detail) { return Refuse(Reason::kBadPolicy, std::move(detail)); }

template <class List, class Item>
bool Holds(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string_view AgencyOf(const MemberId& member) {
  const std::string_view text = member.str();
  return text.substr(0, text.find('/'));
}

}  // namespace

// Could a member of this agency be in the audience?
bool Reaches(const policy::Audience& audience, const AgencyId& agency) {
  return Holds(audience.countries, agency.country()) || Holds(audience.agencies, agency) ||
         std::any_of(audience.members.begin(), audience.members.end(),
                     [&](const MemberId& member) { return AgencyOf(member) == agency.str(); });
}

bool TakesRecords(const EpochState& epoch, const CharterCaps& caps, Time now) {
  const Duration grace = std::chrono::seconds(caps.epoch_grace_seconds);
  return epoch.not_after > now && (!epoch.superseded_at || now < *epoch.superseded_at + grace);
}

namespace {

// The header's authorities are those of the charter, with their keys (or, for a grace time, the ones before), and whoever
// decides here is the first: it is the one that will be asked to open.
Status CheckAuthorities(const State& state, const record::Header& header, const AuthorityId& self, Time now) {
  const Charter& charter = *state.charter();
  for (const record::AuthorityRef& named : header.authorities) {
    auto known = std::find_if(charter.authorities.begin(), charter.authorities.end(),
                              [&](const CharterAuthority& one) { return one.id == named.id; });
    if (known == charter.authorities.end())
      return Refuse(Reason::kBadHeader, named.id.str() + " is no release authority");
    if (!state.release_key_taken(named.id, named.key_id, now))
      return Refuse(Reason::kBadHeader, "another release key than that of " + named.id.str());
  }
  if (header.authorities.front().id != self)
    return Refuse(Reason::kBadHeader, "the first release authority is " + header.authorities.front().id.str());
  return Ok();
}

// Sealed to the agency's present epoch, or for a grace time to the one that it replaced.
Status CheckEpochOf(const AgencyState& agency, const KeyId& key, const CharterCaps& caps, Time now) {
  const EpochState* epoch = agency.by_key(key);
  if (epoch == nullptr) return Refuse(Reason::kBadSlip, "the key is no epoch of " + agency.charter.id.str());
  if (!TakesRecords(*epoch, caps, now))
    return Refuse(Reason::kSupersededEpoch, "epoch " + std::to_string(epoch->epoch) + " of " + agency.charter.id.str());
  return Ok();
}

// The recipients are exactly the agencies that the audience reaches and that have an epoch to seal to: a key half for
// nobody else, and nobody named without one.
Status CheckRecipients(const State& state, const policy::Audience& audience, const std::vector<record::Slip>& slips,
                       std::uint32_t portion, Time now) {
  const CharterCaps& caps = state.charter()->caps;
  const std::string where = "portion " + std::to_string(portion) + ": ";
  for (const record::Slip& slip : slips) {
    if (slip.portion != portion || slip.agency.str() == record::kDecoyAgency) continue;
    const AgencyState* agency = state.agency(slip.agency);
    if (agency == nullptr || agency->left || !Reaches(audience, slip.agency))
      return BadPolicy(where + slip.agency.str() + " is a recipient and not in the audience");
    TRY_OK(CheckEpochOf(*agency, slip.epoch_key_id, caps, now));
  }
  for (const auto& [id, agency] : state.agencies()) {
    const EpochState* current = agency.current();
    if (agency.left || current == nullptr || !TakesRecords(*current, caps, now) || !Reaches(audience, id)) continue;
    if (std::none_of(slips.begin(), slips.end(),
                     [&, &id = id](const record::Slip& slip) { return slip.portion == portion && slip.agency == id; }))
      return BadPolicy(where + id.str() + " is in the audience and no recipient; fetch the directory and send again");
  }
  return Ok();
}

bool IsParty(const State& state, const AgencyId& id) {
  const AgencyState* agency = state.agency(id);
  return agency != nullptr && !agency->left;
}

// Nobody is named whom the charter does not know: a slip of the pen would go unnoticed until somebody waits for it.
Status CheckAudience(const State& state, const policy::Audience& audience) {
  for (const auto& country : audience.countries)
    if (std::none_of(state.agencies().begin(), state.agencies().end(),
                     [&](const auto& one) { return !one.second.left && one.first.country() == country; }))
      return BadPolicy("no agency of the charter is of " + country);
  for (const auto& agency : audience.agencies)
    if (!IsParty(state, agency)) return BadPolicy(agency.str() + " is no agency of the charter");
  for (const auto& member : audience.members)
    if (!IsParty(state, member.agency())) return BadPolicy(member.str() + " is of no agency of the charter");
  return Ok();
}

// Approvers count on the originator's side and on the requester's. A group that no agency of the audience could ever get
// together would go unnoticed until somebody waits for it.
Status CheckApprovers(const State& state, const policy::Policy& policy, const std::set<AgencyId>& originators) {
  for (const policy::Approvals& group : policy.approvals) {
    std::size_t most = 0, reached = 0;
    for (const auto& [id, agency] : state.agencies()) {
      if (agency.left || !Reaches(policy.releasable_to, id)) continue;
      ++reached;
      const auto count = std::count_if(group.approvers.begin(), group.approvers.end(), [&, &id = id](const auto& one) {
        return one.agency() == id || originators.contains(one.agency());
      });
      most = std::max(most, static_cast<std::size_t>(count));
    }
    if (reached != 0 && most < group.needed)
      return BadPolicy("an approval that too few of the originator's side and of one agency of the audience can give");
  }
  return Ok();
}

}  // namespace

// The policy's size, its own form, and the charter's caps. The window is counted from the record's time, which its
// sender knows.
Status CheckPolicy(const State& state, const policy::Policy& policy, ByteView policy_bytes, Time made,
                   const std::set<AgencyId>& originators) {
  const Charter& charter = *state.charter();
  if (policy_bytes.size() > kMaxPolicyBytes)
    return BadPolicy("it takes " + std::to_string(policy_bytes.size() - Salt::kSize) +
                     " bytes, at most 8192 (8 KiB) are taken; name agencies or countries instead of their members");
  TRY_OK(policy::Validate(policy));
  for (const auto& purpose : policy.purposes)
    if (!Holds(charter.purposes, purpose)) return BadPolicy("the charter has no purpose " + purpose);
  const auto& clearance = policy.need_to_know.clearance;
  if (!clearance.empty() && !Holds(charter.clearances, clearance))
    return BadPolicy("the charter has no clearance " + clearance);
  if (!policy.expires || *policy.expires - made > std::chrono::days(charter.caps.max_window_days))
    return BadPolicy("it must expire within " + std::to_string(charter.caps.max_window_days) + " days");
  for (const policy::Approvals& group : policy.approvals)
    for (const MemberId& approver : group.approvers)
      if (!IsParty(state, approver.agency())) return BadPolicy(approver.str() + " is of no agency of the charter");
  TRY_OK(CheckAudience(state, policy.releasable_to));
  return CheckApprovers(state, policy, originators);
}

namespace {

// What a record may derive from, over all its agency's records in between.
constexpr std::size_t kMostSources = 1024;

// The strictest marking of what the agency has opened of a source, its original included if it is a grant; nullopt: it has
// opened nothing.
std::optional<policy::Tlp> StrictestOpened(const State& state, const RecordState& source, const AgencyId& agency) {
  std::optional<policy::Tlp> out;
  for (const RecordState* one : {&source, &state.original(source)})
    for (const PortionState& portion : one->portions)
      if (portion.openings.count(agency) != 0)
        out = std::min(out.value_or(policy::Tlp::kClear), portion.policy->marking);
  return out;
}

}  // namespace

// What derives from others is marked as strictly as the strictest portion that the agency has opened of each, unless the
// originator of that one consented to less. Its own agency's records are sources that need no opening, and an agency marks
// what is its own as it likes; but what those derive from is what this derives from, over however many steps.
Status CheckDerived(const State& state, const MemberId& author, const std::vector<Digest>& sources,
                    const policy::Policy& policy) {
  const AgencyId agency = author.agency();
  for (const Digest& digest : sources) {
    const RecordState* source = state.record(digest);
    if (source == nullptr || !state.visible_to(*source, author))
      return Refuse(Reason::kNotFound, "a record that it derives from");
  }
  std::vector<Digest> follow = sources;
  std::set<Digest> seen(sources.begin(), sources.end());
  while (!follow.empty()) {
    const Digest digest = follow.back();
    follow.pop_back();
    const RecordState& source = *state.record(digest);
    const RecordState& original = state.original(source);
    if (original.originator.agency() == agency) {
      for (const Digest& one : original.sources)
        if (seen.insert(one).second) follow.push_back(one);
      if (seen.size() > kMostSources) return Refuse(Reason::kTooMany, "sources of its sources");
      continue;
    }
    auto strictest = StrictestOpened(state, source, agency);
    if (!strictest) return Refuse(Reason::kNotReady, "your agency has opened nothing of a record that it derives from");
    if (auto consented = state.consent(digest, agency)) strictest = std::max(*strictest, *consented);
    if (policy.marking > *strictest)
      return Refuse(Reason::kMarkingTooLow, "a source is " + std::string(policy::TextOf(*strictest)));
  }
  return Ok();
}

Status CheckSealed(const State& state, const record::Header& header, const record::Attachments& attachments,
                   const std::vector<policy::Policy>& policies, const MemberId& first, const Circumstances& at) {
  const CharterCaps& caps = state.charter()->caps;
  TRY_OK(CheckAuthorities(state, header, at.authority, at.now));
  if (header.portions.size() > caps.max_portions) return Refuse(Reason::kTooMany, "portions");
  for (const record::PortionHead& portion : header.portions) {
    const auto decoys =
        std::count_if(attachments.slips.begin(), attachments.slips.end(), [&](const record::Slip& slip) {
          return slip.portion == portion.number && slip.agency.str() == record::kDecoyAgency;
        });
    if (portion.recipients.size() - std::min(portion.recipients.size(), static_cast<std::size_t>(decoys)) >
        caps.max_recipients)
      return Refuse(Reason::kTooMany, "recipients of a portion");
    // Whoever may amend is of the originator's agency, so that the policy stays in its hands.
    const MemberState* amender = state.owner_of_signing_key(portion.amend_key_id);
    if (amender == nullptr || amender->record.id.agency() != header.originator.agency())
      return Refuse(Reason::kBadHeader, "the key that may amend is nobody's of the originator's agency");
  }
  TRY_OK(record::CheckAttachments(header, attachments));
  if (policies.size() != header.portions.size()) return BadPolicy("the policies are withheld");
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    TRY_OK(CheckPolicy(state, policies[p], attachments.policies[p], header.time,
                       {header.originator.agency(), first.agency()}));
    if (header.portions[p].marking != policy::TextOf(policies[p].marking))
      return BadPolicy("the header's marking is not that of the policy");
    TRY_OK(CheckRecipients(state, policies[p].releasable_to, attachments.slips, header.portions[p].number, at.now));
  }
  return Ok();
}

Status CheckRecord(const State& state, const Statement& statement, const Record& record, const Circumstances& at) {
  const record::Header& header = record.payload.header;
  TRY_OK(record::CheckHeader(header));
  if (!statement.erased) TRY_OK(record::CheckSeals(header, record.payload.portions));
  if (state.header_used(record.payload.ctx)) return Refuse(Reason::kHeaderReused);
  for (const record::PortionSeal& seal : record.payload.portions) {
    if (seal.body_length > state.charter()->caps.max_body_bytes) return Refuse(Reason::kTooLarge, "the sealed body");
    if (state.body_purged(seal.body_root)) return Refuse(Reason::kPurged, "a body of the record");
    // A body is sealed for one record; whoever names another's would purge it with its own.
    if (state.body_used(seal.body_root)) return Refuse(Reason::kBadBody, "the body is another record's");
  }
  TRY_OK(CheckSealed(state, header, statement.attachments, record.policies, header.originator, at));
  if (header.in_reply_to) {
    const RecordState* answered = state.record(*header.in_reply_to);
    if (answered == nullptr || !state.visible_to(*answered, header.originator))
      return Refuse(Reason::kNotFound, "the record that it answers");
  }
  for (const policy::Policy& policy : record.policies)
    TRY_OK(CheckDerived(state, header.originator, header.sources, policy));
  return Ok();
}

}  // namespace valija::ledger
