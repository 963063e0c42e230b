// Enrolments and epochs: who is who, and with which keys.
#include <algorithm>
#include <set>

#include "core/ledger/decide_internal.h"
#include "core/record/epoch.h"

namespace valija::ledger {
namespace {

using KeyUse = State::KeyUse;

constexpr std::size_t kMostLabels = 256;

Error Malformed(std::string detail) { return Refuse(Reason::kMalformed, std::move(detail)); }
Error BadKey(std::string detail) { return Refuse(Reason::kBadKey, std::move(detail)); }

template <class T>
bool HasDouble(const std::vector<T>& list) {
  return std::set<T>(list.begin(), list.end()).size() != list.size();
}

}  // namespace

// Attributes are sorted labels, and the clearance is a level of the ladder (or none).
Status CheckAttributes(const MemberRecord& member, const std::vector<std::string>& ladder) {
  for (const auto* labels : {&member.attributes.roles, &member.attributes.programmes}) {
    if (labels->size() > kMostLabels) return Malformed("more than 256 roles or programmes");
    if (!std::all_of(labels->begin(), labels->end(), [](const auto& one) { return IsLabel(one); }))
      return Malformed("a role or programme that is not spelled as a name");
    if (!std::is_sorted(labels->begin(), labels->end()) || HasDouble(*labels))
      return Malformed("roles and programmes are ascending, without doubles");
  }
  const std::string& clearance = member.attributes.clearance;
  if (!clearance.empty() && std::find(ladder.begin(), ladder.end(), clearance) == ladder.end())
    return Malformed("the clearance is no level of the charter");
  if (!member.person.empty() && !IsLabel(member.person)) return Malformed("the person is not spelled as a name");
  return Ok();
}

// Three valid keys, no two alike.
Result<KeyIds> CheckMemberKeys(const MemberKeys& keys) {
  TRY(auto signing, crypto::VerifyKey::FromPoint(keys.signing_key));
  TRY(auto kem, crypto::KemPublicKey::FromPoint(keys.kem_key));
  if (keys.auth_key_id.IsZero()) return BadKey("there is no authentication key");
  if (keys.auth_key_id == signing.id() || keys.auth_key_id == kem.id() || signing.id() == kem.id())
    return BadKey("one key for two uses");
  return KeyIds{keys.auth_key_id, signing.id(), kem.id()};
}

bool IsAdministrator(const State& state, const MemberId& author, const AgencyId& agency) {
  const MemberState* member = state.active_member(author);
  return author.agency() == agency && member != nullptr && member->record.administrator;
}

namespace {

Status CheckWrap(const EpochWrap& wrap, const MemberId& member, const Point& kem_key) {
  if (wrap.member != member) return Malformed("a wrap for another member");
  if (wrap.member_kem_key_id != crypto::KeyIdOf(kem_key))
    return BadKey("the wrap for " + member.str() + " is not made to its key");
  if (wrap.ciphertext.size() != record::kEpochCiphertextSize) return Malformed("a wrap has 48 bytes");
  if (!crypto::KemPublicKey::FromPoint(wrap.enc)) return BadKey("the enc of a wrap is no point of the curve");
  return Ok();
}

bool OtherAdministrator(const State& state, const MemberId& but) {
  const AgencyId agency = but.agency();
  for (const auto& [id, member] : state.members())
    if (id != but && member.record.administrator && member.record.status == MemberStatus::kActive &&
        id.agency() == agency)
      return true;
  return false;
}

}  // namespace

// An administrator enrols, changes, suspends or removes a member of its own agency, naming the member's enrolment before
// this. A key has one use and one holder for ever; the same member keeps its own. Removal and suspension keep the keys and
// open no epochs. Every agency keeps an active administrator. Who was removed or suspended may be enrolled again.
Status CheckEnrolment(const State& state, const Enrolment& enrolment) {
  const MemberRecord& member = enrolment.member;
  const AgencyId agency = member.id.agency();
  if (!IsAdministrator(state, enrolment.by.author, agency))
    return Refuse(Reason::kNotAuthorised, "only an administrator of the member's agency enrols and removes it");
  const MemberState* present = state.member(member.id);
  const bool ends = member.status != MemberStatus::kActive;
  if (ends && present == nullptr) return Refuse(Reason::kNotFound, member.id.str());
  if (enrolment.previous != (present != nullptr ? present->enrolment : Digest{})) return Refuse(Reason::kWrongPrevious);
  if (ends && present->record.status == MemberStatus::kRemoved)
    return Refuse(Reason::kExists, member.id.str() + " was removed before");
  if (member.status == MemberStatus::kSuspended && present->record.status == MemberStatus::kSuspended)
    return Refuse(Reason::kExists, member.id.str() + " was suspended before");

  TRY(auto ids, CheckMemberKeys(member.keys));
  for (const auto& [id, use] :
       {std::pair(ids.auth, KeyUse::kAuth), {ids.signing, KeyUse::kSigning}, {ids.kem, KeyUse::kKem}})
    if (!state.key_free_for(id, use, member.id))
      return BadKey("the key was used before, by another or for something else");
  TRY_OK(CheckAttributes(member, state.charter()->clearances));
  if (ends) {
    if (present->record.keys != member.keys) return Malformed("a removal or suspension keeps the member's keys");
    if (!enrolment.wraps.empty()) return Malformed("a removal or suspension opens no epochs");
  }
  const bool stays_administrator = !ends && member.administrator;
  if (!stays_administrator && !OtherAdministrator(state, member.id))
    return Refuse(Reason::kLastAdministrator, agency.str());

  const AgencyState& directory = *state.agency(agency);
  std::uint64_t last = 0;
  for (const EpochWrap& wrap : enrolment.wraps) {
    if (wrap.epoch <= last) return Malformed("wraps are ascending by epoch");
    if (wrap.epoch > directory.epochs.size()) return Refuse(Reason::kNotFound, "epoch " + std::to_string(wrap.epoch));
    TRY_OK(CheckWrap(wrap, member.id, member.keys.kem_key));
    last = wrap.epoch;
  }
  return Ok();
}

// An administrator gives its agency the next epoch: a new key, sealed to every active member and to nobody else.
Status CheckEpoch(const State& state, const Epoch& epoch, const Circumstances& at) {
  if (!IsAdministrator(state, epoch.by.author, epoch.agency))
    return Refuse(Reason::kNotAuthorised, "only an administrator of the agency makes its epochs");
  const AgencyState& agency = *state.agency(epoch.agency);
  const EpochState* current = agency.current();
  if (epoch.epoch != agency.epochs.size() + 1 || epoch.previous != (current != nullptr ? current->statement : Digest{}))
    return Refuse(Reason::kWrongPrevious);
  TRY(auto key, crypto::KemPublicKey::FromPoint(epoch.public_key));
  if (state.key_in_use(key.id())) return BadKey("the key was used before");
  if (epoch.not_after <= at.now) return Refuse(Reason::kBadTime, "the epoch has ended already");

  for (std::size_t i = 1; i < epoch.wraps.size(); ++i)
    if (!(epoch.wraps[i - 1].member < epoch.wraps[i].member)) return Malformed("wraps are ascending by member");
  auto wrap = epoch.wraps.begin();
  for (const auto& [id, member] : state.members()) {
    if (id.agency() != epoch.agency || member.record.status != MemberStatus::kActive) continue;
    // Somebody may have been enrolled or removed in the meantime.
    if (wrap == epoch.wraps.end() || wrap->member != id)
      return Refuse(Reason::kNotReady, "the wraps are not one for each active member; fetch the directory again");
    TRY_OK(CheckWrap(*wrap, id, member.record.keys.kem_key));
    ++wrap;
  }
  if (wrap != epoch.wraps.end())
    return Refuse(Reason::kNotReady, "a wrap for " + wrap->member.str() + ", who is no active member of the agency");
  return Ok();
}

}  // namespace valija::ledger
