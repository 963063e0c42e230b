// Secrets that a member keeps for itself, sealed to its own key-management key: the content keys of what it sent, which a
// grant wraps again, and the reply keys of its standing orders. Thread-safety: pure functions.
#pragma once

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/crypto/hpke.h"
#include "core/crypto/keys.h"

namespace valija::record {

enum class Kept : std::uint8_t { kSentKeys, kOrderKey };

// H("sent-key" or "order-key", statement digest, member, KEM key id): the HPKE info.
Hash KeptInfo(Kept what, const Digest& statement, const MemberId& member, const KeyId& member_kem_key_id);

crypto::HpkeSealed SealKept(Kept what, const Digest& statement, const MemberId& member,
                            const crypto::KemPublicKey& member_key, const crypto::Secret& secret,
                            crypto::Random& random);

// kBadKey: enc is no valid point. kBadSeal: not sealed as this, for this statement, member and key.
Result<crypto::Secret> OpenKept(Kept what, const Digest& statement, const MemberId& member,
                                const crypto::KemPrivateKey& member_key, const Point& enc, ByteView ciphertext);

}  // namespace valija::record
