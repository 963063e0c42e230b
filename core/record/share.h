// Shares and wraps (sealing.md 3). Shares are derived, never transported: there is no sealed share that a dishonest
// originator could copy into a record of its own with a laxer policy. Another header gives another, useless share.
//
// These are the values one by one; seal.h has what a sender, an authority and a recipient do with them.
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/crypto/hpke.h"
#include "core/record/header.h"

namespace valija::record {

inline constexpr std::size_t kShareSize = 32, kCekSize = 32;

// ctx = H("record", header bytes): the record's context.
Hash RecordContext(ByteView header_bytes);
// H("content", ctx, u32 portion): Cobblestone's context.
Hash ContentContext(const Hash& ctx, std::uint32_t portion);
// H("agency-share", ctx, u32 portion) and H("release-share", ctx, u32 portion, agency): exporter contexts.
Hash AgencyShareContext(const Hash& ctx, std::uint32_t portion);
Hash ReleaseShareContext(const Hash& ctx, std::uint32_t portion, const AgencyId& agency);

// a_i and r_ij, 32 bytes: the same from the sender's and from the receiver's side of the context.
crypto::Secret AgencyShare(const crypto::HpkeContext& context, const Hash& ctx, std::uint32_t portion);
crypto::Secret ReleaseShare(const crypto::HpkeContext& context, const Hash& ctx, std::uint32_t portion,
                            const AgencyId& agency);

// prk, K and n of one wrap. The nonce is safe because K is used once: ctx contains a fresh record id.
struct WrapKeys {
  crypto::Secret prk;    // 32
  crypto::Secret key;    // 32
  crypto::Secret nonce;  // 12
};
// release_shares in the order of the header's authorities, at least one. Throws on a share that has not 32 bytes.
WrapKeys DeriveWrapKeys(const Hash& ctx, std::uint32_t portion, const AgencyId& agency,
                        const crypto::Secret& agency_share, std::span<const crypto::Secret> release_shares);

// The wrap W_i: 48 bytes. Throws unless cek is 32 bytes.
Bytes WrapCek(const Hash& ctx, std::uint32_t portion, const AgencyId& agency, const crypto::Secret& agency_share,
              std::span<const crypto::Secret> release_shares, const crypto::Secret& cek);
// kBadSeal for whatever does not fit: another header, portion, agency, share, order or number of shares, a damaged wrap.
Result<crypto::Secret> UnwrapCek(const Hash& ctx, std::uint32_t portion, const AgencyId& agency,
                                 const crypto::Secret& agency_share, std::span<const crypto::Secret> release_shares,
                                 ByteView wrap);

}  // namespace valija::record
