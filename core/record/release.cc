#include "core/record/release.h"

#include <cstring>
#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/record/share.h"

namespace valija::record {

using crypto::Secret;

Hash ReleaseInfo(const ReleaseBinding& binding) {
  return crypto::TupleHash("release", {binding.request, binding.decision, AsBytes(binding.authority.str()),
                                       AsBytes(binding.agency.str()), binding.member_signing_key_id});
}

crypto::HpkeSealed SealRelease(const ReleaseBinding& binding, const crypto::KemPublicKey& reply_key,
                               std::span<const Secret> shares, crypto::Random& random) {
  if (shares.empty()) throw std::invalid_argument("a release has at least one share");
  Secret plain(kShareSize * shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].size() != kShareSize) throw std::invalid_argument("a share has 32 bytes");
    std::memcpy(plain.mutable_view().data() + i * kShareSize, shares[i].view().data(), kShareSize);
  }
  return crypto::HpkeSealOnce(reply_key, ReleaseInfo(binding), plain.view(), random);
}

Result<std::vector<Secret>> OpenRelease(const ReleaseBinding& binding, const crypto::KemPrivateKey& reply_key,
                                        const Point& enc, ByteView ciphertext, std::size_t share_count) {
  auto plain = crypto::HpkeOpenOnce(reply_key, enc, ReleaseInfo(binding), ciphertext);
  if (!plain && plain.error().reason == Reason::kBadKey) return plain.error();
  if (!plain) return Refuse(Reason::kWrongRelease, "it does not open for this request and decision");
  if (share_count == 0 || plain->size() % kShareSize != 0 || plain->size() / kShareSize != share_count) {
    return Refuse(Reason::kWrongRelease, "another number of shares than the decision allows");
  }
  std::vector<Secret> shares;
  for (std::size_t i = 0; i < share_count; ++i) {
    shares.push_back(Secret::CopyOf(plain->view().subspan(i * kShareSize, kShareSize)));
  }
  return shares;
}

}  // namespace valija::record
