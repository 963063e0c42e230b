// Batch signatures (sealing.md 5): one ECDSA signature over the Merkle root of 1 to 65,536 statements of one signer.
// Record and open statements are always signed so, size 1 being the same code path; no other kind ever is.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace valija::record {

inline constexpr std::size_t kMaxBatch = 65536;
inline constexpr std::size_t kBatchPayloadSize = 102;
inline constexpr std::string_view kBatchPayloadType = "application/vnd.valija.batch.v1";

// Is this payload type one that is signed in batches, always and only?
bool IsBatchedType(std::string_view payload_type);

// RFC 9162 leaf hash of PAE(payload type, payload): the statement's leaf in a batch.
Hash StatementLeaf(std::string_view payload_type, ByteView payload);

// T("batch", signer key id, u64 size, root).
Bytes BatchPayload(const KeyId& signer, std::uint64_t size, const Hash& root);

struct SignedBatch {
  Bytes payload;                         // 102 bytes
  crypto::Signature signature;           // over PAE(kBatchPayloadType, payload)
  std::vector<std::vector<Hash>> paths;  // path i belongs to leaf i
};
// leaves: StatementLeaf of each, 1..65,536; another number throws.
SignedBatch SignBatch(const crypto::SignKey& signer, const std::vector<Hash>& leaves);

// A batch payload whose signature held: the only way to make one is to verify it. Statements of one batch share payload
// and signature, so keep the last one and ask IsSame before verifying the next.
class VerifiedBatch {
 public:
  // kBadBatch: not exactly T("batch", id of this key, size of 1..65,536, root), or the signature does not hold.
  static Result<VerifiedBatch> Verify(const crypto::VerifyKey& signer, ByteView payload, ByteView signature);
  bool IsSame(ByteView payload, ByteView signature) const;

  // Is this statement in the batch? signer_key_id is the one inside the statement's own payload. kBadBatch: a kind that
  // may not be batched, another signer, index past the size, a path of another length than RFC 9162 gives, another root.
  Status Contains(std::string_view payload_type, ByteView payload, const KeyId& signer_key_id, std::uint64_t index,
                  const std::vector<Hash>& path) const;

  const KeyId& signer() const { return signer_; }
  std::uint64_t size() const { return size_; }
  const Hash& root() const { return root_; }

 private:
  VerifiedBatch() = default;
  KeyId signer_;
  std::uint64_t size_ = 0;
  Hash root_;
  Bytes payload_;
  crypto::Signature signature_;
};

}  // namespace valija::record
