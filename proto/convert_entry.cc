// Decisions, and entries as they are stored and shown.
#include <algorithm>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/record/slip.h"
#include "proto/convert.h"
#include "proto/messages.h"
#include "proto/wire.h"

namespace valija::proto {
namespace {

constexpr int kMaxVerdicts = 256;

Result<ledger::Verdict> FromMessage(const v1::Verdict& message) {
  TRY_OK(Known(message));
  ledger::Verdict out;
  TRY(out.record, FixedOrAbsent<Digest>(message.record(), "Verdict.record"));
  out.portion = message.portion();
  out.reasons.reserve(static_cast<std::size_t>(message.reasons_size()));
  for (const auto& code : message.reasons()) {
    auto reason = ReasonFromCode(code);
    if (!reason) return Malformed("Verdict.reasons", "an unknown code");
    if (std::find(out.reasons.begin(), out.reasons.end(), *reason) != out.reasons.end()) {
      return Malformed("Verdict.reasons", "the same twice");
    }
    out.reasons.push_back(*reason);
  }
  TRY(out.policy_digest, FixedOrAbsent<Hash>(message.policy_digest(), "Verdict.policy_digest"));
  out.policy_sequence = message.policy_sequence();
  TRY(out.obligation, AsciiOf(message.obligation(), "Verdict.obligation", 0, 127));
  return out;
}

Result<ledger::Decision> FromMessage(const v1::Decision& message) {
  TRY_OK(Known(message));
  TRY(auto statement, FixedOf<Digest>(message.statement(), "Decision.statement"));
  TRY(auto authority, AuthorityOf(message.authority(), "Decision.authority"));
  TRY(auto nonce, FixedOf<Nonce>(message.nonce(), "Decision.nonce"));
  ledger::Decision out{statement, std::move(authority), nonce, {}, message.unwitnessed()};
  if (message.verdicts_size() < 1 || message.verdicts_size() > kMaxVerdicts) {
    return Malformed("Decision.verdicts", "not 1 to 256");
  }
  out.verdicts.reserve(static_cast<std::size_t>(message.verdicts_size()));
  for (const auto& verdict : message.verdicts()) {
    TRY(auto value, FromMessage(verdict));
    out.verdicts.push_back(std::move(value));
  }
  return out;
}

bool Empty(const record::Attachments& attachments) {
  return attachments.slips.empty() && attachments.policies.empty() && attachments.authority_encs.empty();
}

Error BadProof(std::string_view what) { return Refuse(Reason::kBadProof, std::string(what)); }

// Whatever slips, policies and encs are there are those that the header names.
Status CheckAgainstHeader(const record::Header& header, const record::Attachments& attachments) {
  for (const auto& slip : attachments.slips) {
    if (!record::CheckSlip(header, slip)) return BadProof("a slip opens no commitment of the header");
  }
  if (!attachments.policies.empty()) {
    if (attachments.policies.size() != header.portions.size()) return BadProof("not one policy per portion");
    for (std::size_t i = 0; i < header.portions.size(); ++i) {
      if (PolicyDigest(attachments.policies[i]) != header.portions[i].policy_digest) {
        return BadProof("a policy is not the one that the header names");
      }
    }
  }
  if (!attachments.authority_encs.empty()) {
    if (attachments.authority_encs.size() != header.authorities.size()) return BadProof("not one enc per authority");
    for (std::size_t i = 0; i < header.authorities.size(); ++i) {
      if (crypto::Sha256(attachments.authority_encs[i]) != header.authorities[i].enc_hash) {
        return BadProof("an authority's enc is not the one that the header names");
      }
    }
  }
  return Ok();
}

// The same of whatever has attachments; of an amendment, that the policy is the one it names.
Status CheckAttachmentsOf(const ledger::Payload& payload, const record::Attachments& attachments) {
  if (const auto* record = std::get_if<ledger::Record>(&payload)) {
    return CheckAgainstHeader(record->payload.header, attachments);
  }
  if (const auto* grant = std::get_if<ledger::Grant>(&payload)) return CheckAgainstHeader(grant->header, attachments);
  const auto* amendment = std::get_if<ledger::Amendment>(&payload);
  if (amendment == nullptr) return BadProof("slips or policies beside a statement of a kind that has none");
  if (!attachments.slips.empty() || !attachments.authority_encs.empty()) {
    return BadProof("slips or encs beside an amendment");
  }
  if (attachments.policies.size() != 1) return BadProof("not one policy beside an amendment");
  if (PolicyDigest(attachments.policies.front()) != amendment->policy_digest) {
    return BadProof("a policy is not the one that the amendment names");
  }
  return Ok();
}

Status CheckStatement(const LoggedEntry& entry) {
  const auto& envelope = *entry.envelope;
  if (crypto::DigestOf(envelope.payload_type, envelope.payload) != entry.head->statement) {
    return BadProof("the statement is not the one that the head names");
  }
  if (Empty(entry.attachments)) return Ok();
  const auto kind = ledger::KindFromPayloadType(envelope.payload_type);
  if (!kind) return BadProof("slips or policies beside a statement of a kind that is not known");
  const auto payload = DecodePayload(*kind, envelope.payload);
  if (!payload) return BadProof("the " + std::string(NameOf(*kind)) + ": " + payload.error().Message());
  return CheckAttachmentsOf(*payload, entry.attachments);
}

Status CheckErasedStatement(const LoggedEntry& entry) {
  const auto& envelope = *entry.envelope;
  if (*entry.erased_by <= entry.head->index) return BadProof("erased by an entry that is not a later one");
  if (envelope.batch || !envelope.signatures.empty()) return BadProof("signatures of a statement that was erased");
  const auto kind = ledger::KindFromPayloadType(envelope.payload_type);
  if (!kind) return BadProof("an erased statement of a kind that is not known");
  const auto payload = DecodeRedacted(*kind, envelope.payload);
  if (!payload) return BadProof("the erased " + std::string(NameOf(*kind)) + ": " + payload.error().Message());
  if (Empty(entry.attachments)) return Ok();
  return CheckAttachmentsOf(*payload, entry.attachments);
}

}  // namespace

Bytes EncodeDecision(const ledger::Decision& decision) {
  v1::Decision message;
  message.set_statement(ToString(decision.statement));
  message.set_authority(decision.authority.str());
  message.set_nonce(ToString(decision.nonce));
  for (const auto& verdict : decision.verdicts) {
    auto* to = message.add_verdicts();
    if (!verdict.record.IsZero()) to->set_record(ToString(verdict.record));
    to->set_portion(verdict.portion);
    for (auto reason : verdict.reasons) to->add_reasons(std::string(CodeOf(reason)));
    if (!verdict.policy_digest.IsZero()) to->set_policy_digest(ToString(verdict.policy_digest));
    to->set_policy_sequence(verdict.policy_sequence);
    to->set_obligation(verdict.obligation);
  }
  message.set_unwitnessed(decision.unwitnessed);
  return Serialise(message);
}

Result<ledger::Decision> DecodeDecision(ByteView bytes) {
  return DecodeCanonical<v1::Decision>(bytes, kMaxDecision, [](const auto& message) { return FromMessage(message); });
}

void ToMessage(const LoggedEntry& entry, v1::LoggedEntry* out) {
  out->set_commitment(ToString(entry.commitment));
  if (entry.salt) out->set_salt(ToString(*entry.salt));
  if (entry.head) out->set_head(ToString(entry.head->Encode()));
  if (entry.envelope) ToMessage(*entry.envelope, out->mutable_statement());
  out->set_decision(ToString(entry.decision_bytes));
  if (!Empty(entry.attachments)) ToMessage(entry.attachments, out->mutable_attachments());
  out->set_erased_by(entry.erased_by.value_or(0));
}

Result<LoggedEntry> FromMessage(const v1::LoggedEntry& message) {
  TRY_OK(Known(message));
  LoggedEntry out;
  TRY(out.commitment, FixedOf<Commitment>(message.commitment(), "LoggedEntry.commitment"));
  if (!message.salt().empty()) {
    TRY(out.salt, FixedOf<Salt>(message.salt(), "LoggedEntry.salt"));
  }
  if (!message.head().empty()) {
    TRY(out.head, ledger::EntryHead::Decode(AsBytes(message.head())));
  }
  if (message.erased_by() != 0) out.erased_by = message.erased_by();  // entry 0 is the charter
  if (message.has_statement()) {
    TRY(out.envelope, out.erased_by ? ErasedEnvelopeOf(message.statement()) : FromMessage(message.statement()));
  }
  TRY(out.decision_bytes, BytesOf(message.decision(), "LoggedEntry.decision", 0, kMaxDecision));
  if (message.has_attachments()) {
    TRY(out.attachments, FromMessage(message.attachments()));
  }
  return out;
}

Bytes EncodeLoggedEntry(const LoggedEntry& entry) {
  v1::LoggedEntry message;
  ToMessage(entry, &message);
  return Serialise(message);
}

Result<LoggedEntry> DecodeLoggedEntry(ByteView bytes) {
  return DecodeWrapper<v1::LoggedEntry>(bytes, [](const auto& message) { return FromMessage(message); });
}

Status CheckLoggedEntry(const LoggedEntry& entry) {
  if (!entry.head || !entry.salt) {
    bool bare = !entry.head && !entry.salt && !entry.envelope && entry.decision_bytes.empty() &&
                Empty(entry.attachments) && !entry.erased_by;
    if (!bare) return BadProof("head and salt, without which nothing else is proved, are not both there");
    return Ok();
  }
  if (ledger::CommitEntry(*entry.salt, *entry.head) != entry.commitment) {
    return BadProof("the commitment does not open to this head");
  }
  if (!entry.decision_bytes.empty()) {
    if (crypto::DigestOf(ledger::kDecisionType, entry.decision_bytes) != entry.head->decision) {
      return BadProof("the decision is not the one that the head names");
    }
    auto decision = DecodeDecision(entry.decision_bytes);
    if (!decision) return BadProof("the decision: " + decision.error().Message());
    if (decision->statement != entry.head->statement) return BadProof("the decision is about another statement");
  }
  if (!entry.envelope) {
    if (!Empty(entry.attachments)) return BadProof("slips or policies without the statement whose header names them");
    if (entry.erased_by) return BadProof("an erasure without what stays of the statement");
    return Ok();
  }
  return entry.erased_by ? CheckErasedStatement(entry) : CheckStatement(entry);
}

Status CheckErasure(const LoggedEntry& erased, std::uint64_t purge_index, const ledger::Purge& purge) {
  if (!erased.head || !erased.envelope || erased.erased_by != purge_index) {
    return BadProof("the entry is not one that this purge erased");
  }
  const auto erasure =
      std::lower_bound(purge.erasures.begin(), purge.erasures.end(), erased.head->statement,
                       [](const ledger::Erasure& each, const Digest& statement) { return each.statement < statement; });
  if (erasure == purge.erasures.end() || erasure->statement != erased.head->statement) {
    return BadProof("the purge does not name the statement");
  }
  if (crypto::Sha256(erased.envelope->payload) != erasure->redacted) {
    return BadProof("what stays of the statement is not what the purge says");
  }
  return Ok();
}

}  // namespace valija::proto
