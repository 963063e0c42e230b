// A record's header and statement, and what travels beside it.
#include "core/crypto/hash.h"
#include "core/record/body.h"
#include "core/record/check.h"
#include "proto/convert.h"
#include "proto/messages.h"
#include "proto/wire.h"

namespace valija::proto {
namespace {

Result<record::AuthorityRef> FromMessage(const v1::AuthorityRef& message) {
  TRY_OK(Known(message));
  TRY(auto id, AuthorityOf(message.id(), "AuthorityRef.id"));
  TRY(auto key_id, FixedOf<KeyId>(message.key_id(), "AuthorityRef.key_id"));
  TRY(auto enc_hash, FixedOf<Hash>(message.enc_hash(), "AuthorityRef.enc_hash"));
  return record::AuthorityRef{std::move(id), key_id, enc_hash};
}

Result<record::PortionHead> FromMessage(const v1::PortionHead& message) {
  TRY_OK(Known(message));
  record::PortionHead out;
  out.number = message.number();
  if (!policy::TlpFromText(message.marking())) return Malformed("PortionHead.marking", "absent or unknown");
  out.marking = message.marking();
  TRY(out.media_type, AsciiOf(message.media_type(), "PortionHead.media_type", 1, 127));
  TRY(out.policy_digest, FixedOf<Hash>(message.policy_digest(), "PortionHead.policy_digest"));
  TRY(out.amend_key_id, FixedOf<KeyId>(message.amend_key_id(), "PortionHead.amend_key_id"));
  TRY(out.recipients, FixedListOf<Commitment>(message.recipients(), "PortionHead.recipients", record::kMaxRecipients));
  return out;
}

Result<record::Header> FromMessage(const v1::Header& message, record::HeaderOf what) {
  TRY_OK(Known(message));
  if (message.suite() != record::kSuite) return Refuse(Reason::kUnknownSuite, std::to_string(message.suite()));
  TRY(auto record_id, FixedOf<RecordNonce>(message.record_id(), "Header.record_id"));
  TRY(auto originator, MemberOf(message.originator(), "Header.originator"));
  TRY(auto signing_key_id, FixedOf<KeyId>(message.signing_key_id(), "Header.signing_key_id"));
  TRY(auto time, TimeOf(message.time_ms(), "Header.time_ms"));
  TRY(auto origin, OriginOf(message.origin(), "Header.origin"));
  TRY(auto window_id, FixedOf<WindowId>(message.window_id(), "Header.window_id"));
  record::Header out{.suite = record::kSuite,
                     .record_id = record_id,
                     .originator = std::move(originator),
                     .signing_key_id = signing_key_id,
                     .time = time,
                     .origin = std::move(origin),
                     .window_id = window_id,
                     .in_reply_to = std::nullopt,
                     .authorities = {},
                     .portions = {},
                     .urgency = record::Urgency::kNone,
                     .sources = {}};
  if (!message.in_reply_to().empty()) {
    TRY(out.in_reply_to, FixedOf<Digest>(message.in_reply_to(), "Header.in_reply_to"));
  }
  out.authorities.reserve(static_cast<std::size_t>(message.authorities_size()));
  for (const auto& authority : message.authorities()) {
    TRY(auto value, FromMessage(authority));
    out.authorities.push_back(std::move(value));
  }
  out.portions.reserve(static_cast<std::size_t>(message.portions_size()));
  for (const auto& portion : message.portions()) {
    TRY(auto value, FromMessage(portion));
    out.portions.push_back(std::move(value));
  }
  if (message.urgency() > 3) return Malformed("Header.urgency", "unknown");
  out.urgency = static_cast<record::Urgency>(message.urgency());
  TRY(out.sources, FixedListOf<Digest>(message.sources(), "Header.sources", record::kMaxSources));
  TRY_OK(record::CheckHeader(out, what));
  return out;
}

Result<record::PortionSeal> FromMessage(const v1::PortionSeal& message, Wraps wraps) {
  TRY_OK(Known(message));
  record::PortionSeal out;
  out.body_length = message.body_length();
  TRY(out.body_root, FixedOf<Hash>(message.body_root(), "PortionSeal.body_root"));
  TRY(out.wraps, WrapsOf(message.wraps(), wraps, "PortionSeal.wraps"));
  return out;
}

// Of a record without its wraps there is the rest of what record::CheckSeals asks for.
Status CheckErasedSeals(const record::Header& header, const std::vector<record::PortionSeal>& seals) {
  if (seals.size() != header.portions.size()) return Malformed("Record.portions", "not one seal per portion");
  for (const auto& seal : seals) {
    if (!record::IsSealedBodySize(seal.body_length)) return Malformed("PortionSeal.body_length", "of no sealed body");
  }
  return Ok();
}

Result<ledger::Payload> FromMessage(const v1::Record& message, Wraps wraps) {
  TRY_OK(Known(message));
  TRY(auto header, DecodeHeader(AsBytes(message.header())));
  record::RecordPayload out{ToBytes(AsBytes(message.header())), std::move(header), {}, {}};
  out.ctx = crypto::TupleHash("record", {out.header_bytes});
  out.portions.reserve(static_cast<std::size_t>(message.portions_size()));
  for (const auto& portion : message.portions()) {
    TRY(auto value, FromMessage(portion, wraps));
    out.portions.push_back(std::move(value));
  }
  TRY_OK(wraps == Wraps::kThere ? record::CheckSeals(out.header, out.portions)
                                : CheckErasedSeals(out.header, out.portions));
  return ledger::Payload(ledger::Record{std::move(out), {}});
}

Result<record::Slip> FromMessage(const v1::Slip& message) {
  TRY_OK(Known(message));
  TRY(auto salt, FixedOf<Salt>(message.salt(), "Slip.salt"));
  TRY(auto agency, AgencyOf(message.agency(), "Slip.agency"));
  TRY(auto epoch_key_id, FixedOf<KeyId>(message.epoch_key_id(), "Slip.epoch_key_id"));
  TRY(auto enc, PointOf(message.enc(), "Slip.enc"));
  return record::Slip{message.portion(), message.index(), salt, std::move(agency), epoch_key_id, enc};
}

}  // namespace

Bytes EncodeHeader(const record::Header& header) {
  v1::Header message;
  message.set_suite(header.suite);
  message.set_record_id(ToString(header.record_id));
  message.set_originator(header.originator.str());
  message.set_signing_key_id(ToString(header.signing_key_id));
  message.set_time_ms(ToMillis(header.time));
  message.set_origin(header.origin);
  message.set_window_id(ToString(header.window_id));
  if (header.in_reply_to) message.set_in_reply_to(ToString(*header.in_reply_to));
  for (const auto& authority : header.authorities) {
    auto* to = message.add_authorities();
    to->set_id(authority.id.str());
    to->set_key_id(ToString(authority.key_id));
    to->set_enc_hash(ToString(authority.enc_hash));
  }
  for (const auto& portion : header.portions) {
    auto* to = message.add_portions();
    to->set_number(portion.number);
    to->set_marking(portion.marking);
    to->set_media_type(portion.media_type);
    to->set_policy_digest(ToString(portion.policy_digest));
    to->set_amend_key_id(ToString(portion.amend_key_id));
    SetAllFixed(portion.recipients, to->mutable_recipients());
  }
  message.set_urgency(static_cast<std::uint32_t>(header.urgency));
  SetAllFixed(header.sources, message.mutable_sources());
  return Serialise(message);
}

Bytes EncodeRecord(ByteView header_bytes, const std::vector<record::PortionSeal>& portions) {
  v1::Record message;
  message.set_header(ToString(header_bytes));
  for (const auto& portion : portions) {
    auto* to = message.add_portions();
    for (const auto& wrap : portion.wraps) to->add_wraps(ToString(wrap));
    to->set_body_length(portion.body_length);
    to->set_body_root(ToString(portion.body_root));
  }
  return Serialise(message);
}

Result<record::Header> DecodeHeader(ByteView bytes, record::HeaderOf what) {
  return DecodeCanonical<v1::Header>(bytes, kMaxHeader,
                                     [what](const auto& message) { return FromMessage(message, what); });
}

Result<std::vector<Bytes>> WrapsOf(const Strings& values, Wraps wraps, std::string_view field) {
  if (wraps == Wraps::kErased && !values.empty()) return Malformed(field, "there in what was erased");
  std::vector<Bytes> out;
  out.reserve(static_cast<std::size_t>(values.size()));
  for (const auto& value : values) {
    if (value.size() != record::kWrapSize) return WrongLength(field, value.size(), record::kWrapSize);
    out.push_back(ToBytes(AsBytes(value)));
  }
  return out;
}

Result<ledger::Payload> DecodeRecord(ByteView bytes, Wraps wraps) {
  return DecodeCanonical<v1::Record>(bytes, kMaxPayload,
                                     [wraps](const auto& message) { return FromMessage(message, wraps); });
}

// ---- beside the record ----

void ToMessage(const record::Attachments& attachments, v1::Attachments* out) {
  for (const auto& slip : attachments.slips) {
    auto* to = out->add_slips();
    to->set_portion(slip.portion);
    to->set_index(slip.index);
    to->set_salt(ToString(slip.salt));
    to->set_agency(slip.agency.str());
    to->set_epoch_key_id(ToString(slip.epoch_key_id));
    to->set_enc(ToString(slip.enc));
  }
  for (const auto& policy : attachments.policies) out->add_policies(ToString(policy));
  SetAllFixed(attachments.authority_encs, out->mutable_authority_encs());
}

Result<record::Attachments> FromMessage(const v1::Attachments& message) {
  TRY_OK(Known(message));
  record::Attachments out;
  out.slips.reserve(static_cast<std::size_t>(message.slips_size()));
  for (const auto& slip : message.slips()) {
    TRY(auto value, FromMessage(slip));
    out.slips.push_back(std::move(value));
  }
  if (!StrictlyAscending(out.slips, [](const auto& slip) { return std::pair(slip.portion, slip.index); })) {
    return Malformed("Attachments.slips", "not in ascending order");
  }
  if (static_cast<std::size_t>(message.policies_size()) > record::kMaxPortions) {
    return Malformed("Attachments.policies", "too many");
  }
  out.policies.reserve(static_cast<std::size_t>(message.policies_size()));
  for (const auto& policy : message.policies()) {
    TRY(auto bytes, BytesOf(policy, "Attachments.policies", Salt::kSize + 1, Salt::kSize + kMaxPolicy));
    out.policies.push_back(std::move(bytes));
  }
  if (static_cast<std::size_t>(message.authority_encs_size()) > record::kMaxAuthorities) {
    return Malformed("Attachments.authority_encs", "too many");
  }
  out.authority_encs.reserve(static_cast<std::size_t>(message.authority_encs_size()));
  for (const auto& enc : message.authority_encs()) {
    TRY(auto point, PointOf(enc, "Attachments.authority_encs"));
    out.authority_encs.push_back(point);
  }
  return out;
}

Bytes EncodeAttachments(const record::Attachments& attachments) {
  v1::Attachments message;
  ToMessage(attachments, &message);
  return Serialise(message);
}

Result<record::Attachments> DecodeAttachments(ByteView bytes) {
  return DecodeWrapper<v1::Attachments>(bytes, [](const auto& message) { return FromMessage(message); });
}

}  // namespace valija::proto
