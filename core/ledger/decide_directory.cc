// Charter, enrolments, epochs: who is who, and with which keys.
#include <algorithm>
#include <set>

#include "core/crypto/x509.h"
#include "core/ledger/decide_internal.h"
#include "core/log/note.h"
#include "core/record/epoch.h"

namespace valija::ledger {
namespace {

using KeyUse = State::KeyUse;

constexpr std::size_t kLongestName = 200;  // bytes, for people
constexpr std::size_t kMostLabels = 256;

Error Malformed(std::string detail) { return Refuse(Reason::kMalformed, std::move(detail)); }
Error BadKey(std::string detail) { return Refuse(Reason::kBadKey, std::move(detail)); }

template <class T>
bool HasDouble(const std::vector<T>& list) {
  return std::set<T>(list.begin(), list.end()).size() != list.size();
}

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
  return Ok();
}

// Three valid keys, no two alike.
struct KeyIds {
  KeyId auth, signing, kem;
};
Result<KeyIds> CheckKeys(const MemberKeys& keys) {
  TRY(auto signing, crypto::VerifyKey::FromPoint(keys.signing_key));
  TRY(auto kem, crypto::KemPublicKey::FromPoint(keys.kem_key));
  if (keys.auth_key_id.IsZero()) return BadKey("there is no authentication key");
  if (keys.auth_key_id == signing.id() || keys.auth_key_id == kem.id() || signing.id() == kem.id())
    return BadKey("one key for two uses");
  return KeyIds{keys.auth_key_id, signing.id(), kem.id()};
}

Status CheckWrap(const EpochWrap& wrap, const MemberId& member, const Point& kem_key) {
  if (wrap.member != member) return Malformed("a wrap for another member");
  if (wrap.member_kem_key_id != crypto::KeyIdOf(kem_key))
    return BadKey("the wrap for " + member.str() + " is not made to its key");
  if (wrap.ciphertext.size() != record::kEpochCiphertextSize) return Malformed("a wrap has 48 bytes");
  if (!crypto::KemPublicKey::FromPoint(wrap.enc)) return BadKey("the enc of a wrap is no point of the curve");
  return Ok();
}

Result<crypto::Certificate> CheckCa(const Bytes& der, const std::string& whose) {
  auto certificate = crypto::Certificate::FromDer(der);
  if (!certificate) return Refuse(Reason::kBadCertificate, whose + ": " + certificate.error().detail);
  if (!certificate->is_ca()) return Refuse(Reason::kBadCertificate, whose + ": it is no CA's");
  return certificate;
}

Status CheckLabels(const std::vector<std::string>& labels, const char* what) {
  const bool spelled = std::all_of(labels.begin(), labels.end(), [](const auto& one) { return IsLabel(one); });
  if (labels.empty() || !spelled || HasDouble(labels)) return Malformed(std::string(what) + ": names, no two alike");
  return Ok();
}

Status CheckCaps(const CharterCaps& caps) {
  if (caps.max_window_days == 0 || caps.max_portions == 0 || caps.max_recipients == 0 || caps.max_body_bytes == 0 ||
      caps.clock_skew_seconds == 0 || caps.request_lifetime_seconds == 0 || caps.epoch_grace_seconds == 0)
    return Malformed("a cap is zero");
  if (caps.max_portions > record::kMaxPortions || caps.max_recipients > record::kMaxRecipients)
    return Malformed("a cap above the format's own");
  return Ok();
}

// One founding agency: its own CA, and administrators of its own with keys that nobody else has.
Status CheckAgency(const CharterAgency& agency, const Charter& charter, std::set<KeyId>& keys, std::set<KeyId>& cas) {
  const std::string& id = agency.id.str();
  if (!IsPrintable(agency.name, kLongestName)) return Malformed(id + ": no printable name");
  TRY(auto ca, CheckCa(agency.ca_certificate, id));
  if (!cas.insert(ca.key_id()).second) return Refuse(Reason::kBadCertificate, id + ": another has this CA too");
  if (agency.administrators.empty()) return Malformed(id + ": no administrator");
  std::set<MemberId> seen;
  for (const MemberRecord& member : agency.administrators) {
    const std::string& name = member.id.str();
    if (member.id.agency() != agency.id) return Malformed(name + " is not of " + id);
    if (!member.administrator || member.status != MemberStatus::kActive)
      return Malformed(name + " is no active administrator");
    if (!seen.insert(member.id).second) return Malformed(name + " stands there twice");
    TRY(auto ids, CheckKeys(member.keys));
    for (const KeyId& key : {ids.auth, ids.signing, ids.kem})
      if (!keys.insert(key).second) return BadKey(name + ": another has this key too");
    TRY_OK(CheckAttributes(member, charter.clearances));
  }
  return Ok();
}

bool IsAdministrator(const State& state, const MemberId& author, const AgencyId& agency) {
  return author.agency() == agency && state.active_member(author)->record.administrator;
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

// The agreement has at least one agency, in ascending order; every key has one use; the log's key carries the origin;
// the deciding authority is one of its own; and it was not made in the future. Its signatures were VerifyCharter's.
Status CheckCharter(const Charter& charter, const Circumstances& at) {
  if (!IsOrigin(charter.origin)) return Malformed("the origin is not well spelled");
  if (!IsPrintable(charter.title, kLongestName)) return Malformed("no printable title");
  TRY_OK(CheckCaps(charter.caps));
  // Founders sign for days: how old it is says nothing.
  if (charter.time > at.now + std::chrono::seconds(charter.caps.clock_skew_seconds)) return Refuse(Reason::kBadTime);
  TRY_OK(CheckLabels(charter.purposes, "purposes"));
  TRY_OK(CheckLabels(charter.clearances, "clearances"));

  auto log_key = log::NoteVerifier::Parse(charter.log_key);
  if (!log_key || log_key->name != charter.origin) return BadKey("the log key is not one of this origin");
  std::set<KeyId> keys, cas;
  TRY(auto carrier, CheckCa(charter.carrier_ca_certificate, "the carrier"));
  cas.insert(carrier.key_id());
  std::set<AuthorityId> authorities;
  for (const CharterAuthority& authority : charter.authorities) {
    TRY(auto key, crypto::KemPublicKey::FromPoint(authority.release_key));
    if (!authorities.insert(authority.id).second) return Malformed(authority.id.str() + " stands there twice");
    if (!keys.insert(key.id()).second) return BadKey("one release key for two authorities");
  }
  if (!authorities.count(at.authority)) return Malformed(at.authority.str() + " is not among the authorities");

  if (charter.agencies.empty()) return Malformed("no agency");
  for (std::size_t i = 0; i < charter.agencies.size(); ++i) {
    if (i != 0 && !(charter.agencies[i - 1].id < charter.agencies[i].id)) return Malformed("agencies are ascending");
    TRY_OK(CheckAgency(charter.agencies[i], charter, keys, cas));
  }
  if (HasDouble(charter.joint_auditors)) return Malformed("a joint auditor stands there twice");
  for (const MemberId& auditor : charter.joint_auditors)
    if (std::none_of(charter.agencies.begin(), charter.agencies.end(),
                     [&](const CharterAgency& one) { return one.id == auditor.agency(); }))
      return Malformed(auditor.str() + " is of no agency of the charter");
  return Ok();
}

// An administrator enrols, changes or removes a member of its own agency, naming the member's enrolment before this.
// A key has one use and one holder for ever; the same member keeps its own. A removal changes nothing but the status.
// Every agency keeps an administrator. Who was removed may be enrolled again.
Status CheckEnrolment(const State& state, const Enrolment& enrolment) {
  const MemberRecord& member = enrolment.member;
  const AgencyId agency = member.id.agency();
  if (!IsAdministrator(state, enrolment.by.author, agency))
    return Refuse(Reason::kNotAuthorised, "only an administrator of the member's agency enrols and removes it");
  const MemberState* present = state.member(member.id);
  const bool removal = member.status == MemberStatus::kRemoved;
  if (removal && present == nullptr) return Refuse(Reason::kNotFound, member.id.str());
  if (enrolment.previous != (present != nullptr ? present->enrolment : Digest{})) return Refuse(Reason::kWrongPrevious);
  if (removal && present->record.status == MemberStatus::kRemoved)
    return Refuse(Reason::kExists, member.id.str() + " was removed before");

  TRY(auto ids, CheckKeys(member.keys));
  for (const auto& [id, use] :
       {std::pair(ids.auth, KeyUse::kAuth), {ids.signing, KeyUse::kSigning}, {ids.kem, KeyUse::kKem}})
    if (!state.key_free_for(id, use, member.id))
      return BadKey("the key was used before, by another or for something else");
  TRY_OK(CheckAttributes(member, state.charter()->clearances));
  if (removal) {
    const MemberKeys& kept = present->record.keys;
    if (kept.auth_key_id != member.keys.auth_key_id || kept.signing_key != member.keys.signing_key ||
        kept.kem_key != member.keys.kem_key)
      return Malformed("a removal keeps the member's keys");
    if (!enrolment.wraps.empty()) return Malformed("a removal opens no epochs");
  }
  const bool stays_administrator = !removal && member.administrator;
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
