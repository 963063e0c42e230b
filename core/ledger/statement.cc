#include "core/ledger/statement.h"

#include <algorithm>
#include <set>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"

namespace valija::ledger {
namespace {

struct KindName {
  Kind kind;
  std::string_view name;
};
constexpr KindName kKindNames[] = {{Kind::kCharter, "charter"},
                                   {Kind::kEnrolment, "enrolment"},
                                   {Kind::kEpoch, "epoch"},
                                   {Kind::kRecord, "record"},
                                   {Kind::kOpen, "open"},
                                   {Kind::kAcknowledgement, "acknowledgement"},
                                   {Kind::kRevocation, "revocation"},
                                   {Kind::kCharterAmendment, "charter-amendment"},
                                   {Kind::kGrant, "grant"},
                                   {Kind::kAmendment, "amendment"},
                                   {Kind::kApproval, "approval"},
                                   {Kind::kReview, "review"},
                                   {Kind::kAccessRequest, "access-request"},
                                   {Kind::kAnswer, "answer"},
                                   {Kind::kStandingOrder, "standing-order"},
                                   {Kind::kStandingOpening, "standing-opening"},
                                   {Kind::kPurge, "purge"},
                                   {Kind::kLookup, "lookup"}};
constexpr std::string_view kTypeHead = "application/vnd.valija.", kTypeTail = ".v1";

Error BadSignature(std::string detail) { return Refuse(Reason::kBadSignature, std::move(detail)); }

// Type, kind, payload and digest say the same, whoever put the Statement together: a signature over one kind's bytes
// must not be used for another kind's fields.
Status CheckParts(const Statement& statement, ByteView pae) {
  if (statement.envelope.payload_type != PayloadType(statement.kind) ||
      statement.payload.index() + 1 != static_cast<std::size_t>(statement.kind))
    return BadSignature("the payload is of another kind than its type says");
  if (!Equal(crypto::Sha256(pae), statement.digest)) return BadSignature("the digest is not that of the payload");
  return Ok();
}

Status VerifyBatched(const Statement& statement, const crypto::VerifyKey& key,
                     std::optional<record::VerifiedBatch>* last) {
  const Envelope& envelope = statement.envelope;
  if (!envelope.batch || !envelope.signatures.empty())
    return Refuse(Reason::kBadBatch, std::string(NameOf(statement.kind)) + "s are signed in a batch, and only so");
  const BatchProof& proof = *envelope.batch;
  std::optional<record::VerifiedBatch> own;
  std::optional<record::VerifiedBatch>& batch = last != nullptr ? *last : own;
  // The payload names its signer, so a kept batch of another key's is refused below.
  if (!batch || !batch->IsSame(proof.payload, proof.signature)) {
    batch.reset();
    TRY(batch, record::VerifiedBatch::Verify(key, proof.payload, proof.signature));
  }
  return batch->Contains(envelope.payload_type, envelope.payload, key.id(), proof.index, proof.path);
}

Status VerifyDirect(const Statement& statement, const crypto::VerifyKey& key, ByteView pae) {
  const Envelope& envelope = statement.envelope;
  if (envelope.batch) return Refuse(Reason::kBadBatch, std::string(NameOf(statement.kind)) + "s are signed one by one");
  if (envelope.signatures.size() != 1) return BadSignature("not exactly one signature");
  const DirectSignature& signature = envelope.signatures.front();
  if (signature.key_id != key.id()) return BadSignature("it names another key than its author's");
  if (!key.Verify(pae, signature.signature)) return BadSignature({});
  return Ok();
}

}  // namespace

std::string_view NameOf(Kind kind) {
  for (const auto& one : kKindNames)
    if (one.kind == kind) return one.name;
  return "unknown";
}

std::string PayloadType(Kind kind) {
  std::string out(kTypeHead);
  out += NameOf(kind);
  out += kTypeTail;
  return out;
}

std::optional<Kind> KindFromPayloadType(std::string_view type) {
  for (const auto& one : kKindNames)
    if (type == PayloadType(one.kind)) return one.kind;
  return std::nullopt;
}

bool IsDirectoryKind(Kind kind) {
  return kind == Kind::kCharter || kind == Kind::kCharterAmendment || kind == Kind::kEnrolment || kind == Kind::kEpoch;
}

bool MustBeBatched(Kind kind) { return record::IsBatchedType(PayloadType(kind)); }

namespace {

Authorship OfHeader(const record::Header& header) {
  Nonce nonce;  // the start of the record id, which is random as a whole
  std::copy_n(header.record_id.bytes.begin(), Nonce::kSize, nonce.bytes.begin());
  return {header.originator, header.signing_key_id, header.origin, header.time, nonce};
}

struct AuthorshipVisitor {
  std::optional<Authorship> operator()(const Charter&) const { return std::nullopt; }
  std::optional<Authorship> operator()(const CharterAmendment&) const { return std::nullopt; }
  std::optional<Authorship> operator()(const StandingOpening&) const { return std::nullopt; }
  std::optional<Authorship> operator()(const Record& record) const { return OfHeader(record.payload.header); }
  std::optional<Authorship> operator()(const Grant& grant) const { return OfHeader(grant.header); }
  template <class Other>
  std::optional<Authorship> operator()(const Other& one) const {
    return one.by;
  }
};

}  // namespace

std::optional<Authorship> AuthorshipOf(const Statement& statement) {
  return std::visit(AuthorshipVisitor{}, statement.payload);
}

Result<VerifiedStatement> VerifyStatement(Statement statement, const crypto::VerifyKey& key,
                                          std::optional<record::VerifiedBatch>* last) {
  const auto by = AuthorshipOf(statement);
  if (!by) return BadSignature("this kind has not the signature of one author");
  if (by->key_id != key.id()) return BadSignature("the payload names another key than its author's");
  const Bytes pae = crypto::Pae(statement.envelope.payload_type, statement.envelope.payload);
  TRY_OK(CheckParts(statement, pae));
  TRY_OK(MustBeBatched(statement.kind) ? VerifyBatched(statement, key, last) : VerifyDirect(statement, key, pae));
  return VerifiedStatement(std::move(statement));
}

Result<VerifiedStatement> VerifyStatement(Statement statement, const crypto::VerifyKey& key) {
  return VerifyStatement(std::move(statement), key, nullptr);
}

Result<VerifiedStatement> VerifyCharter(Statement statement) {
  const auto* charter = std::get_if<Charter>(&statement.payload);
  if (charter == nullptr) return BadSignature("it is no charter");
  const Envelope& envelope = statement.envelope;
  if (envelope.batch) return Refuse(Reason::kBadBatch, "charters are not signed in batches");
  const Bytes pae = crypto::Pae(envelope.payload_type, envelope.payload);
  TRY_OK(CheckParts(statement, pae));

  std::set<KeyId> used;
  std::set<AgencyId> signed_for;
  for (const DirectSignature& signature : envelope.signatures) {
    if (!used.insert(signature.key_id).second) return BadSignature("a key signed twice");
    const MemberRecord* signer = nullptr;
    for (const CharterAgency& agency : charter->agencies)
      for (const MemberRecord& member : agency.administrators)
        if (member.id.agency() == agency.id && crypto::KeyIdOf(member.keys.signing_key) == signature.key_id)
          signer = &member;
    if (signer == nullptr) return BadSignature("a key signed that is no founding administrator's");
    TRY(auto key, crypto::VerifyKey::FromPoint(signer->keys.signing_key));
    if (!key.Verify(pae, signature.signature)) return BadSignature("that of " + signer->id.str());
    signed_for.insert(signer->id.agency());
  }
  if (charter->agencies.empty()) return BadSignature("it names no agency");
  for (const CharterAgency& agency : charter->agencies)
    if (!signed_for.count(agency.id)) return BadSignature("no administrator of " + agency.id.str() + " signed");
  return VerifiedStatement(std::move(statement));
}

Result<VerifiedStatement> VerifyCharterAmendment(Statement statement, const SignerLookup& signer) {
  if (!std::holds_alternative<CharterAmendment>(statement.payload)) return BadSignature("it is no charter amendment");
  const Envelope& envelope = statement.envelope;
  if (envelope.batch) return Refuse(Reason::kBadBatch, "charter amendments are not signed in batches");
  const Bytes pae = crypto::Pae(envelope.payload_type, envelope.payload);
  TRY_OK(CheckParts(statement, pae));
  if (envelope.signatures.empty()) return BadSignature("nobody signed");
  std::set<KeyId> used;
  for (const DirectSignature& signature : envelope.signatures) {
    if (!used.insert(signature.key_id).second) return BadSignature("a key signed twice");
    const auto key = signer(signature.key_id);
    if (!key) return BadSignature("a key signed that is no administrator's");
    if (!key->Verify(pae, signature.signature)) return BadSignature({});
  }
  return VerifiedStatement(std::move(statement));
}

Result<VerifiedStatement> VerifyStandingOpening(Statement statement) {
  if (!std::holds_alternative<StandingOpening>(statement.payload)) return BadSignature("it is no standing opening");
  const Envelope& envelope = statement.envelope;
  if (envelope.batch || !envelope.signatures.empty()) return BadSignature("nobody signs a standing opening");
  TRY_OK(CheckParts(statement, crypto::Pae(envelope.payload_type, envelope.payload)));
  return VerifiedStatement(std::move(statement));
}

VerifiedStatement TrustLogged(Statement statement) { return VerifiedStatement(std::move(statement)); }

}  // namespace valija::ledger
