// Envelopes, and the way from an envelope to a statement.
#include "core/crypto/dsse.h"
#include "proto/convert.h"
#include "proto/messages.h"
#include "proto/wire.h"

namespace valija::proto {
namespace {

constexpr std::size_t kBatchPayload = 102;  // T("batch", key id, u64 size, root)
constexpr std::uint64_t kMaxBatch = 65536;
constexpr std::size_t kMaxBatchPath = 16;  // of a tree of kMaxBatch leaves
constexpr int kMaxSignatures = 256;        // a charter has one or more per agency

Result<ledger::DirectSignature> FromMessage(const v1::DirectSignature& message) {
  TRY_OK(Known(message));
  TRY(auto key_id, FixedOf<KeyId>(message.key_id(), "DirectSignature.key_id"));
  TRY(auto signature, FixedOf<crypto::Signature>(message.signature(), "DirectSignature.signature"));
  return ledger::DirectSignature{key_id, signature};
}

Result<ledger::BatchProof> FromMessage(const v1::BatchProof& message) {
  TRY_OK(Known(message));
  TRY(auto payload, BytesOf(message.payload(), "BatchProof.payload", kBatchPayload, kBatchPayload));
  TRY(auto signature, FixedOf<crypto::Signature>(message.signature(), "BatchProof.signature"));
  if (message.index() >= kMaxBatch) return Malformed("BatchProof.index", "past the largest batch");
  TRY(auto path, FixedListOf<Hash>(message.path(), "BatchProof.path", kMaxBatchPath));
  return ledger::BatchProof{std::move(payload), signature, message.index(), std::move(path)};
}

Result<ledger::Envelope> EnvelopeOf(const v1::Envelope& message, bool without_signature) {
  TRY_OK(Known(message));
  ledger::Envelope out;
  TRY(out.payload_type, AsciiOf(message.payload_type(), "Envelope.payload_type", 1, 127));
  if (message.payload().size() > kMaxPayload) return Refuse(Reason::kTooLarge, "Envelope.payload");
  TRY(out.payload, BytesOf(message.payload(), "Envelope.payload", 1, kMaxPayload));
  if (without_signature) {
    if (message.has_batch() || message.signatures_size() > 0) {
      return Malformed("Envelope", "a signature where there can be none");
    }
    return out;
  }
  if (message.has_batch() == (message.signatures_size() > 0)) {
    return Malformed("Envelope", "either signatures or a batch proof are required, not both");
  }
  if (message.signatures_size() > kMaxSignatures) return Malformed("Envelope.signatures", "too many");
  for (const auto& signature : message.signatures()) {
    TRY(auto value, FromMessage(signature));
    out.signatures.push_back(value);
  }
  if (message.has_batch()) {
    TRY(out.batch, FromMessage(message.batch()));
  }
  return out;
}

Result<std::vector<policy::Policy>> PoliciesOf(const record::Attachments& attachments, std::size_t portions) {
  std::vector<policy::Policy> out;
  if (attachments.policies.empty()) return out;  // withheld
  if (attachments.policies.size() != portions) return Malformed("Attachments.policies", "not one per portion");
  out.reserve(portions);
  for (const auto& bytes : attachments.policies) {
    TRY(auto policy, DecodePolicy(bytes));
    out.push_back(std::move(policy));
  }
  return out;
}

Status TakePolicies(const record::Attachments& attachments, ledger::Payload& payload) {
  if (auto* record = std::get_if<ledger::Record>(&payload)) {
    TRY(record->policies, PoliciesOf(attachments, record->payload.header.portions.size()));
    return Ok();
  }
  if (auto* grant = std::get_if<ledger::Grant>(&payload)) {
    TRY(grant->policies, PoliciesOf(attachments, grant->header.portions.size()));
    return Ok();
  }
  if (!attachments.slips.empty() || !attachments.authority_encs.empty()) {
    return Malformed("Attachments", "slips and encs are of a record or a grant");
  }
  if (auto* amendment = std::get_if<ledger::Amendment>(&payload)) {
    TRY(auto policies, PoliciesOf(attachments, 1));
    if (policies.empty()) return Ok();
    if (PolicyDigest(attachments.policies.front()) != amendment->policy_digest) {
      return Refuse(Reason::kBadPolicy, "the amendment names another policy");
    }
    amendment->policy = std::move(policies.front());
    return Ok();
  }
  if (!attachments.policies.empty()) return Malformed("Attachments.policies", "beside a kind that has none");
  return Ok();
}

}  // namespace

void ToMessage(const ledger::Envelope& envelope, v1::Envelope* out) {
  out->set_payload_type(envelope.payload_type);
  out->set_payload(ToString(envelope.payload));
  for (const auto& signature : envelope.signatures) {
    auto* to = out->add_signatures();
    to->set_key_id(ToString(signature.key_id));
    to->set_signature(ToString(signature.signature));
  }
  if (envelope.batch) {
    auto* to = out->mutable_batch();
    to->set_payload(ToString(envelope.batch->payload));
    to->set_signature(ToString(envelope.batch->signature));
    to->set_index(envelope.batch->index);
    SetAllFixed(envelope.batch->path, to->mutable_path());
  }
}

Result<ledger::Envelope> FromMessage(const v1::Envelope& message) {
  const bool unsigned_kind = message.payload_type() == ledger::PayloadType(ledger::Kind::kStandingOpening);
  return EnvelopeOf(message, unsigned_kind);
}

Result<ledger::Envelope> ErasedEnvelopeOf(const v1::Envelope& message) { return EnvelopeOf(message, true); }

Bytes EncodeEnvelope(const ledger::Envelope& envelope) {
  v1::Envelope message;
  ToMessage(envelope, &message);
  return Serialise(message);
}

Result<ledger::Envelope> DecodeEnvelope(ByteView bytes) {
  return DecodeWrapper<v1::Envelope>(bytes, [](const auto& message) { return FromMessage(message); });
}

Result<ledger::Statement> MakeStatement(ledger::Envelope envelope, record::Attachments attachments) {
  auto kind = ledger::KindFromPayloadType(envelope.payload_type);
  if (!kind) return Refuse(Reason::kUnknownType);
  TRY(auto payload, DecodePayload(*kind, envelope.payload));
  TRY_OK(TakePolicies(attachments, payload));
  Digest digest = crypto::DigestOf(envelope.payload_type, envelope.payload);
  return ledger::Statement{*kind, digest, std::move(envelope), std::move(payload), std::move(attachments)};
}

Result<ledger::Statement> MakeErasedStatement(ledger::Envelope envelope, const Digest& digest,
                                              record::Attachments attachments) {
  auto kind = ledger::KindFromPayloadType(envelope.payload_type);
  if (!kind) return Refuse(Reason::kUnknownType);
  TRY(auto payload, DecodeRedacted(*kind, envelope.payload));
  TRY_OK(TakePolicies(attachments, payload));
  return ledger::Statement{*kind, digest, std::move(envelope), std::move(payload), std::move(attachments), true};
}

}  // namespace valija::proto
