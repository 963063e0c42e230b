// An agency's epoch private key, sealed to one member (sealing.md 7). Thread-safety: pure functions.
#pragma once

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/crypto/hpke.h"
#include "core/crypto/keys.h"

namespace valija::record {

inline constexpr std::size_t kEpochCiphertextSize = 48;

// What an epoch statement says of its key, and for whom it is wrapped.
struct EpochTarget {
  AgencyId agency;
  std::uint64_t epoch = 0;
  KeyId epoch_key_id;
  Digest previous;  // digest of the epoch statement before it; zeros for the first
  MemberId member;
  KeyId member_kem_key_id;
};
// H("epoch-key", ..): the HPKE info.
Hash EpochInfo(const EpochTarget& target);

// The 32-byte scalar sealed to the member. epoch_key_id and member_kem_key_id are taken from the keys.
crypto::HpkeSealed SealEpochKey(const crypto::KemPrivateKey& epoch_key, const AgencyId& agency, std::uint64_t epoch,
                                const Digest& previous, const MemberId& member, const crypto::KemPublicKey& member_key,
                                crypto::Random& random);

// Opens it and recomputes the public key: a scalar that does not give the statement's is refused. kBadKey: enc is no
// valid point. kBadSeal: everything else.
Result<crypto::KemPrivateKey> OpenEpochKey(const Point& epoch_public_key, const AgencyId& agency, std::uint64_t epoch,
                                           const Digest& previous, const MemberId& member,
                                           const crypto::KemPrivateKey& member_key, const Point& enc,
                                           ByteView ciphertext);

}  // namespace valija::record
