#include "core/record/kept.h"

#include "core/crypto/hash.h"

namespace valija::record {

Hash KeptInfo(Kept what, const Digest& statement, const MemberId& member, const KeyId& member_kem_key_id) {
  return crypto::TupleHash(what == Kept::kSentKeys ? "sent-key" : "order-key",
                           {statement, AsBytes(member.str()), member_kem_key_id});
}

crypto::HpkeSealed SealKept(Kept what, const Digest& statement, const MemberId& member,
                            const crypto::KemPublicKey& member_key, const crypto::Secret& secret,
                            crypto::Random& random) {
  return crypto::HpkeSealOnce(member_key, KeptInfo(what, statement, member, member_key.id()), secret.view(), random);
}

Result<crypto::Secret> OpenKept(Kept what, const Digest& statement, const MemberId& member,
                                const crypto::KemPrivateKey& member_key, const Point& enc, ByteView ciphertext) {
  return crypto::HpkeOpenOnce(member_key, enc, KeptInfo(what, statement, member, member_key.id()), ciphertext);
}

}  // namespace valija::record
