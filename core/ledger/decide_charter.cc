// The charter, and how it is amended: the agreement between the agencies.
#include <algorithm>
#include <map>
#include <set>

#include "core/crypto/x509.h"
#include "core/ledger/decide_internal.h"
#include "core/log/note.h"

namespace valija::ledger {
namespace {

using KeyUse = State::KeyUse;

constexpr std::size_t kLongestName = 200;   // bytes, for people
constexpr std::size_t kMostWitnesses = 64;  // readers take 100 lines in a note

Error Malformed(std::string detail) { return Refuse(Reason::kMalformed, std::move(detail)); }
Error BadKey(std::string detail) { return Refuse(Reason::kBadKey, std::move(detail)); }

template <class T>
bool HasDouble(const std::vector<T>& list) {
  return std::set<T>(list.begin(), list.end()).size() != list.size();
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
      caps.clock_skew_seconds == 0 || caps.request_lifetime_seconds == 0 || caps.epoch_grace_seconds == 0 ||
      std::count(caps.response_hours.begin(), caps.response_hours.end(), 0u) != 0)
    return Malformed("a cap is zero");
  if (caps.max_portions > record::kMaxPortions || caps.max_recipients > record::kMaxRecipients)
    return Malformed("a cap above the format's own");
  return Ok();
}

// One founding agency: its own CA, and administrators of its own with keys that nobody else has.
Status CheckAgency(const CharterAgency& agency, const Charter& charter, std::set<KeyId>& keys, std::set<KeyId>& cas) {
  const std::string& id = agency.id.str();
  if (id == record::kDecoyAgency) return Malformed(id + " is no name for an agency: it stands for nobody");
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
    TRY(auto ids, CheckMemberKeys(member.keys));
    for (const KeyId& key : {ids.auth, ids.signing, ids.kem})
      if (!keys.insert(key).second) return BadKey(name + ": another has this key too");
    TRY_OK(CheckAttributes(member, charter.clearances));
  }
  return Ok();
}

// The agency that runs a witness, by the witness's name in the policy: "mx.fgr" or "mx.fgr/2".
Result<AgencyId> AgencyOfWitness(const std::string& name) {
  const auto slash = name.find('/');
  if (slash != std::string::npos && !IsLabel(std::string_view(name).substr(slash + 1)))
    return Malformed("witness " + name + ": named \"agency\" or \"agency/label\"");
  auto agency = AgencyId::Parse(name.substr(0, slash));
  if (!agency) return Malformed("witness " + name + ": named \"agency\" or \"agency/label\"");
  return *std::move(agency);
}

// Each witness is run by an agency of the charter, and between countries no single one's witnesses are a quorum: to fork
// the log takes them both.
Status CheckWitnesses(const Charter& charter) {
  if (charter.witness_policy.empty()) {
    if (charter.max_checkpoint_age_seconds != 0 || charter.degraded_after_seconds != 0)
      return Malformed("an age of checkpoints, or a degraded state, and no witnesses");
    return Ok();
  }
  TRY(const auto policy, log::WitnessPolicy::Parse(charter.witness_policy));
  if (policy.Text() != charter.witness_policy) return Malformed("the witness policy is not in its one form");
  if (!policy.logs().empty()) return Malformed("the witness policy names logs; the charter has one");
  if (policy.witnesses().empty() || policy.quorum() == "none") return Malformed("the witness policy asks for nobody");
  if (policy.witnesses().size() > kMostWitnesses) return Malformed("more witnesses than a checkpoint has room for");
  if (charter.max_checkpoint_age_seconds == 0) return Malformed("witnesses, and no age of checkpoints");
  TRY(const auto log_key, log::NoteVerifier::Parse(charter.log_key));
  std::map<std::string, log::WitnessPolicy::Names> by_country;
  for (const CharterAgency& agency : charter.agencies) by_country[std::string(agency.id.country())];
  for (const auto& witness : policy.witnesses()) {
    TRY(const auto agency, AgencyOfWitness(witness.name));
    if (std::none_of(charter.agencies.begin(), charter.agencies.end(),
                     [&](const CharterAgency& one) { return one.id == agency; }))
      return Malformed("witness " + witness.name + ": its agency is not of the charter");
    if (witness.key.key.bytes() == log_key.key.bytes())
      return BadKey("witness " + witness.name + ": it has the log's key");
    by_country[std::string(agency.country())].insert(witness.name);
  }
  if (by_country.size() < 2) return Ok();
  for (const auto& [country, names] : by_country)
    if (policy.Satisfied(names)) return Malformed("the witnesses of " + country + " are a quorum without the others");
  return Ok();
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
  if (charter.amendment_signatures == 0 || charter.amendment_signatures > charter.agencies.size())
    return Malformed("amendments are signed for 1 to all of the agencies");
  for (std::size_t i = 0; i < charter.agencies.size(); ++i) {
    if (i != 0 && !(charter.agencies[i - 1].id < charter.agencies[i].id)) return Malformed("agencies are ascending");
    TRY_OK(CheckAgency(charter.agencies[i], charter, keys, cas));
  }
  TRY_OK(CheckWitnesses(charter));
  if (HasDouble(charter.joint_auditors)) return Malformed("a joint auditor stands there twice");
  for (const MemberId& auditor : charter.joint_auditors)
    if (std::none_of(charter.agencies.begin(), charter.agencies.end(),
                     [&](const CharterAgency& one) { return one.id == auditor.agency(); }))
      return Malformed(auditor.str() + " is of no agency of the charter");
  return Ok();
}

// ---- amendments ----

namespace {

bool IsParty(const State& state, const AgencyId& id) {
  const AgencyState* agency = state.agency(id);
  return agency != nullptr && !agency->left;
}

// An agency that stays keeps the administrators that the charter wrote down first: enrolments changed them since, and an
// amendment must not. One that joins brings its own, with keys that nobody has (or that were theirs before it left).
Status CheckAgencies(const State& state, const Charter& next) {
  for (const CharterAgency& agency : next.agencies) {
    if (IsParty(state, agency.id)) {
      if (state.agency(agency.id)->charter.administrators != agency.administrators)
        return Malformed(agency.id.str() + ": its administrators are changed by enrolments");
      continue;
    }
    for (const MemberRecord& member : agency.administrators) {
      TRY(auto ids, CheckMemberKeys(member.keys));
      for (const auto& [id, use] :
           {std::pair(ids.auth, KeyUse::kAuth), {ids.signing, KeyUse::kSigning}, {ids.kem, KeyUse::kKem}})
        if (!state.key_free_for(id, use, member.id))
          return BadKey(member.id.str() + ": a key was used before, by another or for something else");
    }
  }
  return Ok();
}

// A new key of the log or of an authority was nobody's; a former one does not come back.
Status CheckNewKeys(const State& state, const Charter& next) {
  if (next.log_key != state.charter()->log_key)
    for (const auto& [from, key] : state.log_keys())
      if (key == next.log_key) return BadKey("the log key was used before");
  for (const CharterAuthority& authority : next.authorities) {
    const KeyId id = crypto::KeyIdOf(authority.release_key);
    const auto& present = state.charter()->authorities;
    const bool kept = std::any_of(present.begin(), present.end(), [&](const CharterAuthority& one) {
      return one.id == authority.id && one.release_key == authority.release_key;
    });
    if (!kept && state.key_in_use(id)) return BadKey(authority.id.str() + ": its release key was used before");
  }
  return Ok();
}

// The countries of those that are party to the charter in force.
std::set<std::string> CountriesOf(const State& state) {
  std::set<std::string> out;
  for (const auto& [id, agency] : state.agencies())
    if (!agency.left) out.insert(std::string(id.country()));
  return out;
}

// Line by line, with key and URL, by their names; none where there are no witnesses.
Result<std::map<std::string, std::string>> WitnessLines(const std::string& text) {
  std::map<std::string, std::string> out;
  if (text.empty()) return out;
  TRY(const auto policy, log::WitnessPolicy::Parse(text));
  for (const auto& one : policy.witnesses()) out[one.name] = one.key.Text() + " " + one.url;
  return out;
}

// What keeps one country from showing a log of its own is not one country's to change. No agency loses its witness, or has
// one put in its name, without its own signature; and who is a quorum, how old its word may be and the log's key take
// signatures from more than one country. (Of an agency that leaves the lines go with it.)
Status CheckWitnessesSigners(const State& state, const Charter& next, const std::set<AgencyId>& parties,
                             const std::set<AgencyId>& joining) {
  const Charter& now = *state.charter();
  TRY(const auto before, WitnessLines(now.witness_policy));
  TRY(const auto after, WitnessLines(next.witness_policy));
  std::set<std::string> changed;
  for (const auto& [name, line] : before)
    if (const auto at = after.find(name); at == after.end() || at->second != line) changed.insert(name);
  for (const auto& [name, line] : after)
    if (!before.count(name)) changed.insert(name);
  for (const auto& name : changed) {
    TRY(const auto agency, AgencyOfWitness(name));
    const bool stays = std::any_of(next.agencies.begin(), next.agencies.end(),
                                   [&](const CharterAgency& one) { return one.id == agency; });
    if (stays && !parties.count(agency) && !joining.count(agency))
      return Refuse(Reason::kNotAuthorised, "the witness " + name + " is changed, and its agency did not sign");
  }
  const bool same = now.witness_policy == next.witness_policy && now.log_key == next.log_key &&
                    now.max_checkpoint_age_seconds == next.max_checkpoint_age_seconds &&
                    now.degraded_after_seconds == next.degraded_after_seconds;
  std::set<std::string> signing;
  for (const AgencyId& agency : parties) signing.insert(std::string(agency.country()));
  if (!same && signing.size() < 2 && CountriesOf(state).size() > 1)
    return Refuse(Reason::kNotAuthorised, "the witnesses or the log's key are changed, and one country alone signed");
  return Ok();
}

// For whom the signatures speak: agencies that are party, and those that join.
Status CheckSigners(const State& state, const Envelope& envelope, const CharterAmendment& amendment) {
  std::set<AgencyId> parties, joining;
  for (const DirectSignature& signature : envelope.signatures) {
    const MemberState* known = state.owner_of_signing_key(signature.key_id);
    if (known != nullptr && known->signing_key.id() == signature.key_id &&
        IsAdministrator(state, known->record.id, known->record.id.agency())) {
      parties.insert(known->record.id.agency());
      continue;
    }
    const AgencyId* found = nullptr;
    for (const CharterAgency& agency : amendment.charter.agencies)
      if (!IsParty(state, agency.id))
        for (const MemberRecord& member : agency.administrators)
          if (crypto::KeyIdOf(member.keys.signing_key) == signature.key_id) found = &agency.id;
    if (found == nullptr) return Refuse(Reason::kBadSignature, "a key signed that is no administrator's");
    // An agency that was here before is itself: its records are its again. Only who administered it when it left says so.
    const AgencyState* before = state.agency(*found);
    if (before != nullptr && std::find(before->last_administrators.begin(), before->last_administrators.end(),
                                       signature.key_id) == before->last_administrators.end())
      continue;
    joining.insert(*found);
  }
  for (const CharterAgency& agency : amendment.charter.agencies)
    if (!IsParty(state, agency.id) && !joining.count(agency.id))
      return Refuse(Reason::kBadSignature, agency.id.str() + " joins, and none of its administrators signed");
  for (const CharterAgency& agency : amendment.charter.agencies)
    if (IsParty(state, agency.id) && !parties.count(agency.id) &&
        state.agency(agency.id)->charter.ca_certificate != agency.ca_certificate)
      return Refuse(Reason::kNotAuthorised, "another CA of " + agency.id.str() + ", and it did not sign");
  TRY_OK(CheckWitnessesSigners(state, amendment.charter, parties, joining));
  // A charter may have lost agencies since it fixed the number: all that are left are enough then.
  std::size_t there = 0;
  for (const auto& [id, agency] : state.agencies()) there += agency.left ? 0 : 1;
  const std::size_t asked = std::min<std::size_t>(state.charter()->amendment_signatures, there);
  if (parties.size() < asked)
    return Refuse(Reason::kNotAuthorised, "signed for " + std::to_string(parties.size()) +
                                              " agencies, and the charter asks " + std::to_string(asked));
  return Ok();
}

}  // namespace

// The next agreement follows the present one: same log, named by its digest, not older, good in itself, signed by enough.
Status CheckCharterAmendment(const State& state, const Statement& statement, const CharterAmendment& amendment,
                             const Circumstances& at) {
  const Charter& next = amendment.charter;
  if (next.origin != state.charter()->origin) return Refuse(Reason::kForeignOrigin);
  if (amendment.previous != state.charter_statement()) return Refuse(Reason::kWrongPrevious);
  if (next.time < state.charter()->time) return Refuse(Reason::kBadTime, "older than the charter that it amends");
  TRY_OK(CheckCharter(next, at));
  TRY_OK(CheckAgencies(state, next));
  TRY_OK(CheckNewKeys(state, next));
  return CheckSigners(state, statement.envelope, amendment);
}

SignerLookup CharterSigner(const State& state, const CharterAmendment& amendment) {
  return [&state, &amendment](const KeyId& id) -> std::optional<crypto::VerifyKey> {
    const MemberState* known = state.owner_of_signing_key(id);
    if (known != nullptr && known->signing_key.id() == id &&
        IsAdministrator(state, known->record.id, known->record.id.agency()))
      return known->signing_key;
    for (const CharterAgency& agency : amendment.charter.agencies)
      for (const MemberRecord& member : agency.administrators)
        if (!IsParty(state, agency.id) && member.id.agency() == agency.id &&
            crypto::KeyIdOf(member.keys.signing_key) == id) {
          auto key = crypto::VerifyKey::FromPoint(member.keys.signing_key);
          if (key) return *key;
        }
    return std::nullopt;
  };
}

}  // namespace valija::ledger
