// Charter, enrolment, epoch: what the directory is folded from.
#include <algorithm>

#include "core/log/witness_policy.h"
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

constexpr std::size_t kMaxCertificate = 16 << 10;
constexpr std::size_t kEpochCiphertext = 48;  // a 32-byte scalar and its tag

void ToMessage(const policy::Attributes& attributes, v1::Attributes* out) {
  out->set_clearance(attributes.clearance);
  SetAll(attributes.roles, out->mutable_roles());
  SetAll(attributes.programmes, out->mutable_programmes());
}

Result<policy::Attributes> FromMessage(const v1::Attributes& message) {
  TRY_OK(Known(message));
  if (!message.clearance().empty()) TRY_OK(LabelOf(message.clearance(), "Attributes.clearance"));
  TRY(auto roles, AscendingLabelsOf(message.roles(), "Attributes.roles"));
  TRY(auto programmes, AscendingLabelsOf(message.programmes(), "Attributes.programmes"));
  return policy::Attributes{message.clearance(), std::move(roles), std::move(programmes)};
}

void ToMessage(const ledger::MemberRecord& member, v1::Member* out) {
  out->set_id(member.id.str());
  out->set_status(static_cast<std::uint32_t>(member.status));
  out->set_auth_key_id(ToString(member.keys.auth_key_id));
  out->set_signing_key(ToString(member.keys.signing_key));
  out->set_kem_key(ToString(member.keys.kem_key));
  ToMessage(member.attributes, out->mutable_attributes());
  out->set_administrator(member.administrator);
  out->set_auditor(member.auditor);
  out->set_person(member.person);
}

Result<ledger::MemberRecord> FromMessage(const v1::Member& message) {
  TRY_OK(Known(message));
  TRY(auto id, MemberOf(message.id(), "Member.id"));
  if (message.status() < 1 || message.status() > 3) return Malformed("Member.status", "absent or unknown");
  TRY(auto auth_key_id, FixedOf<KeyId>(message.auth_key_id(), "Member.auth_key_id"));
  TRY(auto signing_key, PointOf(message.signing_key(), "Member.signing_key"));
  TRY(auto kem_key, PointOf(message.kem_key(), "Member.kem_key"));
  if (!message.has_attributes()) return Malformed("Member.attributes", "absent");
  TRY(auto attributes, FromMessage(message.attributes()));
  if (!message.person().empty()) TRY_OK(LabelOf(message.person(), "Member.person"));
  return ledger::MemberRecord{.id = std::move(id),
                              .status = static_cast<ledger::MemberStatus>(message.status()),
                              .keys = {auth_key_id, signing_key, kem_key},
                              .attributes = std::move(attributes),
                              .administrator = message.administrator(),
                              .auditor = message.auditor(),
                              .person = message.person()};
}

void ToMessage(const ledger::EpochWrap& wrap, v1::EpochWrap* out) {
  out->set_epoch(wrap.epoch);
  out->set_member(wrap.member.str());
  out->set_member_kem_key_id(ToString(wrap.member_kem_key_id));
  out->set_enc(ToString(wrap.enc));
  out->set_ciphertext(ToString(wrap.ciphertext));
}

Result<ledger::EpochWrap> FromMessage(const v1::EpochWrap& message) {
  TRY_OK(Known(message));
  if (message.epoch() == 0) return Malformed("EpochWrap.epoch", "absent");
  TRY(auto member, MemberOf(message.member(), "EpochWrap.member"));
  TRY(auto key_id, FixedOf<KeyId>(message.member_kem_key_id(), "EpochWrap.member_kem_key_id"));
  TRY(auto enc, PointOf(message.enc(), "EpochWrap.enc"));
  TRY(auto ciphertext, BytesOf(message.ciphertext(), "EpochWrap.ciphertext", kEpochCiphertext, kEpochCiphertext));
  return ledger::EpochWrap{message.epoch(), std::move(member), key_id, enc, std::move(ciphertext)};
}

template <class List>
Result<std::vector<ledger::EpochWrap>> WrapsOf(const List& messages) {
  std::vector<ledger::EpochWrap> out;
  out.reserve(static_cast<std::size_t>(messages.size()));
  for (const auto& message : messages) {
    TRY(auto wrap, FromMessage(message));
    out.push_back(std::move(wrap));
  }
  return out;
}

Result<ledger::CharterAgency> FromMessage(const v1::Charter::Agency& message) {
  TRY_OK(Known(message));
  TRY(auto id, AgencyOf(message.id(), "Agency.id"));
  if (id.str() == record::kDecoyAgency) return Malformed("Agency.id", "the name of decoys");
  TRY(auto name, TextOf(message.name(), "Agency.name", 1));
  TRY(auto certificate, BytesOf(message.ca_certificate(), "Agency.ca_certificate", 1, kMaxCertificate));
  ledger::CharterAgency out{std::move(id), std::move(name), std::move(certificate), {}};
  for (const auto& administrator : message.administrators()) {
    TRY(auto member, FromMessage(administrator));
    if (member.id.agency() != out.id) return Malformed("Agency.administrators", "a member of another agency");
    if (!member.administrator || member.status != ledger::MemberStatus::kActive) {
      return Malformed("Agency.administrators", "not an active administrator");
    }
    out.administrators.push_back(std::move(member));
  }
  if (out.administrators.empty()) return Malformed("Agency.administrators", "absent");
  return out;
}

Result<ledger::CharterAuthority> FromMessage(const v1::Charter::Authority& message) {
  TRY_OK(Known(message));
  TRY(auto id, AuthorityOf(message.id(), "Authority.id"));
  TRY(auto release_key, PointOf(message.release_key(), "Authority.release_key"));
  return ledger::CharterAuthority{std::move(id), release_key};
}

void ToMessage(const ledger::CharterCaps& caps, v1::Charter::Caps* out) {
  out->set_max_window_days(caps.max_window_days);
  out->set_max_portions(caps.max_portions);
  out->set_max_recipients(caps.max_recipients);
  out->set_max_body_bytes(caps.max_body_bytes);
  out->set_clock_skew_seconds(caps.clock_skew_seconds);
  out->set_request_lifetime_seconds(caps.request_lifetime_seconds);
  out->set_epoch_grace_seconds(caps.epoch_grace_seconds);
  out->set_normal_response_hours(caps.response_hours[0]);
  out->set_urgent_response_hours(caps.response_hours[1]);
  out->set_immediate_response_hours(caps.response_hours[2]);
}

Result<ledger::CharterCaps> FromMessage(const v1::Charter::Caps& message) {
  TRY_OK(Known(message));
  ledger::CharterCaps caps{
      message.max_window_days(),
      message.max_portions(),
      message.max_recipients(),
      message.max_body_bytes(),
      message.clock_skew_seconds(),
      message.request_lifetime_seconds(),
      message.epoch_grace_seconds(),
      {message.normal_response_hours(), message.urgent_response_hours(), message.immediate_response_hours()}};
  // Every cap is said: an absent one would be read as "none" by one implementation and as "nothing" by another.
  if (caps.max_window_days == 0 || caps.max_body_bytes == 0 || caps.clock_skew_seconds == 0 ||
      caps.request_lifetime_seconds == 0 || caps.epoch_grace_seconds == 0 ||
      std::find(caps.response_hours.begin(), caps.response_hours.end(), 0U) != caps.response_hours.end()) {
    return Malformed("Charter.caps", "a cap is absent");
  }
  if (caps.max_portions == 0 || caps.max_portions > record::kMaxPortions) {
    return Malformed("Caps.max_portions", "not 1 to " + std::to_string(record::kMaxPortions));
  }
  if (caps.max_recipients == 0 || caps.max_recipients > record::kMaxRecipients) {
    return Malformed("Caps.max_recipients", "not 1 to " + std::to_string(record::kMaxRecipients));
  }
  return caps;
}

void ToMessage(const ledger::Charter& charter, v1::Charter* out) {
  out->set_origin(charter.origin);
  out->set_title(charter.title);
  out->set_time_ms(ToMillis(charter.time));
  out->set_nonce(ToString(charter.nonce));
  for (const auto& agency : charter.agencies) {
    auto* to = out->add_agencies();
    to->set_id(agency.id.str());
    to->set_name(agency.name);
    to->set_ca_certificate(ToString(agency.ca_certificate));
    for (const auto& administrator : agency.administrators) ToMessage(administrator, to->add_administrators());
  }
  for (const auto& authority : charter.authorities) {
    auto* to = out->add_authorities();
    to->set_id(authority.id.str());
    to->set_release_key(ToString(authority.release_key));
  }
  out->set_log_key(charter.log_key);
  out->set_carrier_ca_certificate(ToString(charter.carrier_ca_certificate));
  for (const auto& auditor : charter.joint_auditors) out->add_joint_auditors(auditor.str());
  SetAll(charter.purposes, out->mutable_purposes());
  SetAll(charter.clearances, out->mutable_clearances());
  ToMessage(charter.caps, out->mutable_caps());
  out->set_amendment_signatures(charter.amendment_signatures);
  out->set_witness_policy(charter.witness_policy);
  out->set_max_checkpoint_age_seconds(charter.max_checkpoint_age_seconds);
  out->set_degraded_after_seconds(charter.degraded_after_seconds);
}

Result<ledger::Charter> FromMessage(const v1::Charter& message) {
  TRY_OK(Known(message));
  ledger::Charter out;
  TRY(out.origin, OriginOf(message.origin(), "Charter.origin"));
  TRY(out.title, TextOf(message.title(), "Charter.title", 1));
  TRY(out.time, TimeOf(message.time_ms(), "Charter.time_ms"));
  TRY(out.nonce, FixedOf<Nonce>(message.nonce(), "Charter.nonce"));
  for (const auto& agency : message.agencies()) {
    TRY(auto value, FromMessage(agency));
    out.agencies.push_back(std::move(value));
  }
  if (out.agencies.empty()) return Malformed("Charter.agencies", "absent");
  if (!StrictlyAscending(
          out.agencies, [](const auto& agency) -> const auto& { return agency.id; })) {
    return Malformed("Charter.agencies", "not in ascending order");
  }
  for (const auto& authority : message.authorities()) {
    TRY(auto value, FromMessage(authority));
    out.authorities.push_back(std::move(value));
  }
  if (out.authorities.empty()) return Malformed("Charter.authorities", "absent");
  for (std::size_t i = 1; i < out.authorities.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (out.authorities[i].id == out.authorities[j].id || i >= record::kMaxAuthorities) {
        return Malformed("Charter.authorities", "the same twice, or too many");
      }
    }
  }
  TRY(out.log_key, AsciiOf(message.log_key(), "Charter.log_key", 1, 512));
  TRY(out.carrier_ca_certificate,
      BytesOf(message.carrier_ca_certificate(), "Charter.carrier_ca_certificate", 1, kMaxCertificate));
  for (const auto& auditor : message.joint_auditors()) {
    TRY(auto id, MemberOf(auditor, "Charter.joint_auditors"));
    if (std::find(out.joint_auditors.begin(), out.joint_auditors.end(), id) != out.joint_auditors.end()) {
      return Malformed("Charter.joint_auditors", "the same twice");
    }
    out.joint_auditors.push_back(std::move(id));
  }
  TRY(out.purposes, LabelsOf(message.purposes(), "Charter.purposes"));
  if (out.purposes.empty()) return Malformed("Charter.purposes", "absent");
  TRY(out.clearances, LabelsOf(message.clearances(), "Charter.clearances"));
  if (!message.has_caps()) return Malformed("Charter.caps", "absent");
  TRY(out.caps, FromMessage(message.caps()));
  if (message.amendment_signatures() == 0 || message.amendment_signatures() > out.agencies.size()) {
    return Malformed("Charter.amendment_signatures", "not 1 to the number of agencies");
  }
  out.amendment_signatures = message.amendment_signatures();
  out.witness_policy = message.witness_policy();
  if (out.witness_policy.size() > log::WitnessPolicy::kMaxText) return Malformed("Charter.witness_policy", "too long");
  if (!out.witness_policy.empty()) {
    const auto policy = log::WitnessPolicy::Parse(out.witness_policy);
    if (!policy) return Malformed("Charter.witness_policy", policy.error().detail);
    if (policy->Text() != out.witness_policy) return Malformed("Charter.witness_policy", "not in its one form");
  }
  out.max_checkpoint_age_seconds = message.max_checkpoint_age_seconds();
  out.degraded_after_seconds = message.degraded_after_seconds();
  return out;
}

Result<ledger::Payload> FromMessage(const v1::CharterAmendment& message) {
  TRY_OK(Known(message));
  if (!message.has_charter()) return Malformed("CharterAmendment.charter", "absent");
  TRY(auto charter, FromMessage(message.charter()));
  TRY(auto previous, FixedOf<Digest>(message.previous(), "CharterAmendment.previous"));
  return ledger::Payload(ledger::CharterAmendment{std::move(charter), previous});
}

Result<ledger::Payload> FromMessage(const v1::Enrolment& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  if (!message.has_member()) return Malformed("Enrolment.member", "absent");
  TRY(auto member, FromMessage(message.member()));
  TRY(auto previous, FixedOf<Digest>(message.previous(), "Enrolment.previous"));
  TRY(auto wraps, WrapsOf(message.wraps()));
  if (!StrictlyAscending(wraps, [](const auto& wrap) { return wrap.epoch; })) {
    return Malformed("Enrolment.wraps", "not in ascending order of epochs");
  }
  for (const auto& wrap : wraps) {
    if (wrap.member != member.id) return Malformed("Enrolment.wraps", "for another member");
  }
  return ledger::Payload(ledger::Enrolment{std::move(by), std::move(member), previous, std::move(wraps)});
}

Result<ledger::Payload> FromMessage(const v1::Epoch& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto agency, AgencyOf(message.agency(), "Epoch.agency"));
  if (message.epoch() == 0) return Malformed("Epoch.epoch", "absent");
  TRY(auto public_key, PointOf(message.public_key(), "Epoch.public_key"));
  TRY(auto not_after, TimeOf(message.not_after_ms(), "Epoch.not_after_ms"));
  TRY(auto previous, FixedOf<Digest>(message.previous(), "Epoch.previous"));
  TRY(auto wraps, WrapsOf(message.wraps()));
  if (!StrictlyAscending(
          wraps, [](const auto& wrap) -> const auto& { return wrap.member; })) {
    return Malformed("Epoch.wraps", "not in ascending order of members");
  }
  for (const auto& wrap : wraps) {
    if (wrap.epoch != message.epoch()) return Malformed("Epoch.wraps", "of another epoch");
    if (wrap.member.agency() != agency) return Malformed("Epoch.wraps", "for a member of another agency");
  }
  return ledger::Payload(ledger::Epoch{.by = std::move(by),
                                       .agency = std::move(agency),
                                       .epoch = message.epoch(),
                                       .public_key = public_key,
                                       .not_after = not_after,
                                       .previous = previous,
                                       .wraps = std::move(wraps)});
}

}  // namespace

Bytes EncodeCharter(const ledger::Charter& charter) {
  v1::Charter message;
  ToMessage(charter, &message);
  return Serialise(message);
}

Bytes EncodeCharterAmendment(const ledger::CharterAmendment& amendment) {
  v1::CharterAmendment message;
  ToMessage(amendment.charter, message.mutable_charter());
  message.set_previous(ToString(amendment.previous));
  return Serialise(message);
}

Bytes EncodeEnrolment(const ledger::Enrolment& enrolment) {
  v1::Enrolment message;
  ToMessage(enrolment.by, message.mutable_by());
  ToMessage(enrolment.member, message.mutable_member());
  message.set_previous(ToString(enrolment.previous));
  for (const auto& wrap : enrolment.wraps) ToMessage(wrap, message.add_wraps());
  return Serialise(message);
}

Bytes EncodeEpoch(const ledger::Epoch& epoch) {
  v1::Epoch message;
  ToMessage(epoch.by, message.mutable_by());
  message.set_agency(epoch.agency.str());
  message.set_epoch(epoch.epoch);
  message.set_public_key(ToString(epoch.public_key));
  message.set_not_after_ms(ToMillis(epoch.not_after));
  message.set_previous(ToString(epoch.previous));
  for (const auto& wrap : epoch.wraps) ToMessage(wrap, message.add_wraps());
  return Serialise(message);
}

Result<ledger::Payload> DecodeCharter(ByteView bytes) {
  TRY(auto charter,
      DecodeCanonical<v1::Charter>(bytes, kMaxCharter, [](const auto& message) { return FromMessage(message); }));
  return ledger::Payload(std::move(charter));
}
Result<ledger::Payload> DecodeCharterAmendment(ByteView bytes) {
  return DecodeCanonical<v1::CharterAmendment>(bytes, kMaxCharter,
                                               [](const auto& message) { return FromMessage(message); });
}
Result<ledger::Payload> DecodeEnrolment(ByteView bytes) {
  return DecodeCanonical<v1::Enrolment>(bytes, kMaxPayload, [](const auto& message) { return FromMessage(message); });
}
Result<ledger::Payload> DecodeEpoch(ByteView bytes) {
  return DecodeCanonical<v1::Epoch>(bytes, kMaxPayload, [](const auto& message) { return FromMessage(message); });
}

}  // namespace valija::proto
