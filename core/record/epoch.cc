#include "core/record/epoch.h"

#include "core/crypto/hash.h"
#include "core/record/integers.h"

namespace valija::record {

Hash EpochInfo(const EpochTarget& target) {
  return crypto::TupleHash("epoch-key", {AsBytes(target.agency.str()), BigEndian(target.epoch), target.epoch_key_id,
                                         AsBytes(target.member.str()), target.member_kem_key_id, target.previous});
}

crypto::HpkeSealed SealEpochKey(const crypto::KemPrivateKey& epoch_key, const AgencyId& agency, std::uint64_t epoch,
                                const Digest& previous, const MemberId& member, const crypto::KemPublicKey& member_key,
                                crypto::Random& random) {
  Hash info = EpochInfo({agency, epoch, epoch_key.id(), previous, member, member_key.id()});
  return crypto::HpkeSealOnce(member_key, info, epoch_key.Scalar().view(), random);
}

Result<crypto::KemPrivateKey> OpenEpochKey(const Point& epoch_public_key, const AgencyId& agency, std::uint64_t epoch,
                                           const Digest& previous, const MemberId& member,
                                           const crypto::KemPrivateKey& member_key, const Point& enc,
                                           ByteView ciphertext) {
  Hash info = EpochInfo({agency, epoch, crypto::KeyIdOf(epoch_public_key), previous, member, member_key.id()});
  TRY(crypto::Secret scalar, crypto::HpkeOpenOnce(member_key, enc, info, ciphertext));
  auto key = crypto::KemPrivateKey::FromScalar(scalar.view());
  if (!key) return Refuse(Reason::kBadSeal, "what was sealed is no private key");
  if (key->public_key().point() != epoch_public_key) {
    return Refuse(Reason::kBadSeal, "what was sealed is another key than the statement's");
  }
  return key;
}

}  // namespace valija::record
