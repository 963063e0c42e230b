// C2SP tlog-proof: one file that shows, offline and for ever, that an entry is in a log and that witnesses saw it.
//
//   c2sp.org/tlog-proof@v1
//   extra <base64>            optional; nothing stands behind it but what it opens (a salt)
//   index <decimal>
//   <base64 hash> ..          the inclusion path, the leaf's sibling first
//                             (an empty line)
//   <signed checkpoint, verbatim, with cosignatures>
//
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/log/policy_history.h"

namespace valija::log {

struct TlogProof {
  static constexpr std::size_t kMaxExtra = 16 * 1024, kMaxPath = 63;

  std::optional<Bytes> extra;  // not empty; unauthenticated
  std::uint64_t index = 0;
  std::vector<Hash> path;
  std::string checkpoint;  // a note; who signed it is for VerifyTlogProof

  static Result<TlogProof> Parse(std::string_view text);  // kMalformed
  std::string Text() const;                               // a proof that Parse would refuse is a bug and throws
};

// The checkpoint under which the leaf stands, and who cosigned it. The leaf's hash is the application's to compute.
// kBadCheckpoint: not by a known log; kBadProof: no quorum (says who is missing), or the path does not hold.
// `known`: the logs that are accepted, instead of the policy's own.
Result<WitnessPolicy::Witnessed> VerifyTlogProof(const TlogProof& proof, const Hash& leaf_hash,
                                                 const WitnessPolicy& policy, std::span<const NoteVerifier> known);
Result<WitnessPolicy::Witnessed> VerifyTlogProof(const TlogProof& proof, const Hash& leaf_hash,
                                                 const WitnessPolicy& policy);
// By the policy of the checkpoint's own size.
Result<WitnessPolicy::Witnessed> VerifyTlogProof(const TlogProof& proof, const Hash& leaf_hash,
                                                 const PolicyHistory& policies);

}  // namespace valija::log
