#include "audit/evidence/receipt.h"

#include <algorithm>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/log/quorum.h"
#include "proto/convert.h"

namespace valija::evidence {
namespace {

// A receipt has no charter that would say how much clocks may differ: as much as a charter says if it says nothing else.
constexpr Duration kSkew = std::chrono::minutes(5);

}  // namespace

std::string ReceiptText(const Receipt& receipt) {
  const log::TlogProof proof{Concat({receipt.salt, receipt.head.Encode()}), receipt.head.index, receipt.path,
                             receipt.checkpoint};
  return proof.Text();
}

Result<Receipt> ParseReceipt(std::string_view text) {
  TRY(auto proof, log::TlogProof::Parse(text));
  const ByteView extra = proof.extra ? ByteView(*proof.extra) : ByteView();
  if (extra.size() < Salt::kSize) return Refuse(Reason::kMalformed, "the proof's extra line has no salt and head");
  TRY(auto head, ledger::EntryHead::Decode(extra.subspan(Salt::kSize)));
  if (head.index != proof.index)
    return Refuse(Reason::kMalformed, "the proof is of another entry than its extra line says");
  return Receipt{head, *Salt::From(extra.first(Salt::kSize)), std::move(proof.path), std::move(proof.checkpoint)};
}

Result<Proved> VerifyReceipt(const Receipt& receipt, const log::PolicyHistory& policies) {
  const Hash leaf = ledger::EntryLeaf(ledger::CommitEntry(receipt.salt, receipt.head));
  const log::TlogProof proof{std::nullopt, receipt.head.index, receipt.path, receipt.checkpoint};
  TRY(auto under, log::VerifyTlogProof(proof, leaf, policies));
  const auto& policy = policies.At(under.checkpoint.size);
  TRY_OK(CheckSeen(receipt.head.time, policy, under.cosigned, kSkew));
  return Proved{receipt.head, std::move(under), policy.quorum() != "none"};
}

Status CheckSeen(Time made, const log::WitnessPolicy& policy, const std::map<std::string, std::uint64_t>& cosigned,
                 Duration skew) {
  if (policy.quorum() == "none") return Ok();
  const auto since = log::QuorumSince(policy, cosigned);
  if (since && made <= CosignedAt(*since) + skew) return Ok();
  return Refuse(Reason::kBadProof, "it is of a later time than its witnesses had seen it");
}

Time CosignedAt(std::uint64_t seconds) {
  return FromMillis(static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, 253402300799) * 1000));
}

Status CheckStatement(const ledger::EntryHead& head, ByteView file) {
  if (Equal(crypto::Sha256(file), head.statement)) return Ok();
  if (const auto envelope = proto::DecodeEnvelope(file);
      envelope && crypto::DigestOf(envelope->payload_type, envelope->payload) == head.statement)
    return Ok();
  return Refuse(Reason::kBadProof, "the file is not the statement that the receipt is for");
}

}  // namespace valija::evidence
