#include "core/record/batch.h"

#include <stdexcept>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/log/tree.h"
#include "core/record/integers.h"

namespace valija::record {
namespace {

// Where things stand in T("batch", signer, size, root): LV("valija/1 batch") = 18, LV(32) = 36, LV(8) = 12, LV(32) = 36.
constexpr std::size_t kSizeAt = 18 + 36 + 4, kRootAt = kSizeAt + 8 + 4;
static_assert(kRootAt + Hash::kSize == kBatchPayloadSize);

Error BadBatch(std::string what) { return Refuse(Reason::kBadBatch, std::move(what)); }

// All levels of the tree, the leaves first: PathOf for each leaf would hash the whole tree again and again.
std::vector<std::vector<Hash>> LevelsOf(const std::vector<Hash>& leaves) {
  std::vector<std::vector<Hash>> levels{leaves};
  while (levels.back().size() > 1) {
    const auto& below = levels.back();
    std::vector<Hash> level;
    level.reserve((below.size() + 1) / 2);
    for (std::size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(log::NodeHash(below[i], below[i + 1]));
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels.push_back(std::move(level));
  }
  return levels;
}

}  // namespace

bool IsBatchedType(std::string_view payload_type) {
  return payload_type == "application/vnd.valija.record.v1" || payload_type == "application/vnd.valija.open.v1";
}

Hash StatementLeaf(std::string_view payload_type, ByteView payload) {
  return log::LeafHash(crypto::Pae(payload_type, payload));
}

Bytes BatchPayload(const KeyId& signer, std::uint64_t size, const Hash& root) {
  return crypto::TupleBytes("batch", {signer, BigEndian(size), root});
}

SignedBatch SignBatch(const crypto::SignKey& signer, const std::vector<Hash>& leaves) {
  if (leaves.empty() || leaves.size() > kMaxBatch) throw std::length_error("a batch has 1 to 65,536 statements");
  const auto levels = LevelsOf(leaves);
  SignedBatch out;
  out.payload = BatchPayload(signer.id(), leaves.size(), levels.back()[0]);
  out.signature = signer.Sign(crypto::Pae(kBatchPayloadType, out.payload));
  out.paths.resize(leaves.size());
  for (std::size_t leaf = 0; leaf < leaves.size(); ++leaf) {
    out.paths[leaf].reserve(levels.size() - 1);
    for (std::size_t level = 0; level + 1 < levels.size(); ++level) {
      // The last node of an uneven level has no neighbour and rises as it is.
      const std::size_t sibling = (leaf >> level) ^ 1;
      if (sibling < levels[level].size()) out.paths[leaf].push_back(levels[level][sibling]);
    }
  }
  return out;
}

Result<VerifiedBatch> VerifiedBatch::Verify(const crypto::VerifyKey& signer, ByteView payload, ByteView signature) {
  if (payload.size() != kBatchPayloadSize) return BadBatch("the batch payload has another length");
  VerifiedBatch out;
  out.signer_ = signer.id();
  out.size_ = ReadU64(payload.data() + kSizeAt);
  out.root_ = *Hash::From(payload.subspan(kRootAt));
  out.payload_ = ToBytes(payload);
  if (!Equal(BatchPayload(out.signer_, out.size_, out.root_), payload)) {
    return BadBatch("the batch payload is not one of this signer");
  }
  if (out.size_ == 0 || out.size_ > kMaxBatch) return BadBatch("a batch has 1 to 65,536 statements");
  auto fixed = crypto::Signature::From(signature);
  if (!fixed || !signer.Verify(crypto::Pae(kBatchPayloadType, payload), signature)) {
    return BadBatch("the signature over the batch does not hold");
  }
  out.signature_ = *fixed;
  return out;
}

bool VerifiedBatch::IsSame(ByteView payload, ByteView signature) const {
  return Equal(payload, payload_) && Equal(signature, signature_);
}

Status VerifiedBatch::Contains(std::string_view payload_type, ByteView payload, const KeyId& signer_key_id,
                               std::uint64_t index, const std::vector<Hash>& path) const {
  if (!IsBatchedType(payload_type)) return BadBatch("a statement of this kind is not signed in batches");
  if (signer_key_id != signer_) return BadBatch("the statement names another signing key than the batch");
  auto root = log::RootFromInclusion(index, size_, StatementLeaf(payload_type, payload), path);
  if (!root) return BadBatch(root.error().detail);
  if (*root != root_) return BadBatch("the statement is not in the batch");
  return Ok();
}

}  // namespace valija::record
