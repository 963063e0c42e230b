// Releases (sealing.md 6): an authority's shares for one decision, sealed to the fresh reply key of the request.
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/crypto/hpke.h"
#include "core/crypto/keys.h"

namespace valija::record {

// What a release is bound to.
struct ReleaseBinding {
  Digest request;
  Digest decision;
  AuthorityId authority;  // the one that releases
  AgencyId agency;        // of the member
  KeyId member_signing_key_id;
};
// H("release", ..): the HPKE info.
Hash ReleaseInfo(const ReleaseBinding& binding);

// shares: 32 bytes for each portion that is allowed and whose record names this authority, in order of the request; at
// least one, else throws.
crypto::HpkeSealed SealRelease(const ReleaseBinding& binding, const crypto::KemPublicKey& reply_key,
                               std::span<const crypto::Secret> shares, crypto::Random& random);

// share_count: as many as the decision allows; a release of another number is refused. kBadKey: enc is no valid point.
// kWrongRelease: everything else.
Result<std::vector<crypto::Secret>> OpenRelease(const ReleaseBinding& binding, const crypto::KemPrivateKey& reply_key,
                                                const Point& enc, ByteView ciphertext, std::size_t share_count);

}  // namespace valija::record
