// Records: the header's rules, what travels beside it, the epochs it is sealed to, and its policies.
#include <algorithm>

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

// Could a member of this agency be in the audience?
bool Reaches(const policy::Audience& audience, const AgencyId& agency) {
  return Holds(audience.countries, agency.country()) || Holds(audience.agencies, agency) ||
         std::any_of(audience.members.begin(), audience.members.end(),
                     [&](const MemberId& member) { return AgencyOf(member) == agency.str(); });
}

// The header's authorities are those of the charter, with their keys, and whoever decides here is the first: it is the
// one that will be asked to open.
Status CheckAuthorities(const Charter& charter, const record::Header& header, const AuthorityId& self) {
  for (const record::AuthorityRef& named : header.authorities) {
    auto known = std::find_if(charter.authorities.begin(), charter.authorities.end(),
                              [&](const CharterAuthority& one) { return one.id == named.id; });
    if (known == charter.authorities.end())
      return Refuse(Reason::kBadHeader, named.id.str() + " is no release authority");
    if (crypto::KeyIdOf(known->release_key) != named.key_id)
      return Refuse(Reason::kBadHeader, "another release key than that of " + named.id.str());
  }
  if (header.authorities.front().id != self)
    return Refuse(Reason::kBadHeader, "the first release authority is " + header.authorities.front().id.str());
  return Ok();
}

bool TakesRecords(const EpochState& epoch, const CharterCaps& caps, Time now) {
  const Duration grace = std::chrono::seconds(caps.epoch_grace_seconds);
  return epoch.not_after > now && (!epoch.superseded_at || now < *epoch.superseded_at + grace);
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
    if (slip.portion != portion) continue;
    const AgencyState* agency = state.agency(slip.agency);
    if (agency == nullptr || !Reaches(audience, slip.agency))
      return BadPolicy(where + slip.agency.str() + " is a recipient and not in the audience");
    TRY_OK(CheckEpochOf(*agency, slip.epoch_key_id, caps, now));
  }
  for (const auto& [id, agency] : state.agencies()) {
    const EpochState* current = agency.current();
    if (current == nullptr || !TakesRecords(*current, caps, now) || !Reaches(audience, id)) continue;
    if (std::none_of(slips.begin(), slips.end(),
                     [&, &id = id](const record::Slip& slip) { return slip.portion == portion && slip.agency == id; }))
      return BadPolicy(where + id.str() + " is in the audience and no recipient; fetch the directory and send again");
  }
  return Ok();
}

// Nobody is named whom the charter does not know: a slip of the pen would go unnoticed until somebody waits for it.
Status CheckAudience(const State& state, const policy::Audience& audience) {
  for (const auto& country : audience.countries)
    if (std::none_of(state.agencies().begin(), state.agencies().end(),
                     [&](const auto& one) { return one.first.country() == country; }))
      return BadPolicy("no agency of the charter is of " + country);
  for (const auto& agency : audience.agencies)
    if (state.agency(agency) == nullptr) return BadPolicy(agency.str() + " is no agency of the charter");
  for (const auto& member : audience.members)
    if (state.agency(member.agency()) == nullptr) return BadPolicy(member.str() + " is of no agency of the charter");
  return Ok();
}

// The policy's size, its own form, and the charter's caps. The window is counted from the record's time, which its
// sender knows.
Status CheckPolicy(const State& state, const policy::Policy& policy, ByteView policy_bytes, Time made) {
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
  return CheckAudience(state, policy.releasable_to);
}

}  // namespace

Status CheckRecord(const State& state, const Statement& statement, const Record& record, const Circumstances& at) {
  const record::Header& header = record.payload.header;
  const Charter& charter = *state.charter();
  const CharterCaps& caps = charter.caps;
  TRY_OK(record::CheckHeader(header));
  TRY_OK(record::CheckSeals(header, record.payload.portions));
  if (state.header_used(record.payload.ctx)) return Refuse(Reason::kHeaderReused);
  TRY_OK(CheckAuthorities(charter, header, at.authority));

  if (header.portions.size() > caps.max_portions) return Refuse(Reason::kTooMany, "portions");
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    const record::PortionHead& portion = header.portions[p];
    if (portion.recipients.size() > caps.max_recipients) return Refuse(Reason::kTooMany, "recipients of a portion");
    if (record.payload.portions[p].body_length > caps.max_body_bytes)
      return Refuse(Reason::kTooLarge, "the sealed body");
    // Amendments by others than the originator are for a later version.
    if (portion.amend_key_id != header.signing_key_id)
      return Refuse(Reason::kBadHeader, "the key that may amend is not the originator's");
  }

  TRY_OK(record::CheckAttachments(header, statement.attachments));
  if (record.policies.size() != header.portions.size()) return BadPolicy("the policies are withheld");
  for (std::size_t p = 0; p < header.portions.size(); ++p) {
    const policy::Policy& policy = record.policies[p];
    TRY_OK(CheckPolicy(state, policy, statement.attachments.policies[p], header.time));
    if (header.portions[p].marking != policy::TextOf(policy.marking))
      return BadPolicy("the header's marking is not that of the policy");
    TRY_OK(
        CheckRecipients(state, policy.releasable_to, statement.attachments.slips, header.portions[p].number, at.now));
  }

  if (header.in_reply_to) {
    const RecordState* answered = state.record(*header.in_reply_to);
    if (answered == nullptr || !state.visible_to(*answered, header.originator))
      return Refuse(Reason::kNotFound, "the record that it answers");
  }
  return Ok();
}

}  // namespace valija::ledger
