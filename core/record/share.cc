#include "core/record/share.h"

#include <cstring>
#include <stdexcept>

#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/record/integers.h"

namespace valija::record {

using crypto::Secret;

Hash RecordContext(ByteView header_bytes) { return crypto::TupleHash("record", {header_bytes}); }

Hash ContentContext(const Hash& ctx, std::uint32_t portion) {
  return crypto::TupleHash("content", {ctx, BigEndian(portion)});
}

Hash AgencyShareContext(const Hash& ctx, std::uint32_t portion) {
  return crypto::TupleHash("agency-share", {ctx, BigEndian(portion)});
}

Hash ReleaseShareContext(const Hash& ctx, std::uint32_t portion, const AgencyId& agency) {
  return crypto::TupleHash("release-share", {ctx, BigEndian(portion), AsBytes(agency.str())});
}

Secret AgencyShare(const crypto::HpkeContext& context, const Hash& ctx, std::uint32_t portion) {
  return context.Export(AgencyShareContext(ctx, portion), kShareSize);
}

Secret ReleaseShare(const crypto::HpkeContext& context, const Hash& ctx, std::uint32_t portion,
                    const AgencyId& agency) {
  return context.Export(ReleaseShareContext(ctx, portion, agency), kShareSize);
}

WrapKeys DeriveWrapKeys(const Hash& ctx, std::uint32_t portion, const AgencyId& agency, const Secret& agency_share,
                        std::span<const Secret> release_shares) {
  if (release_shares.empty()) throw std::invalid_argument("a wrap needs a release share");
  Secret ikm(kShareSize * (1 + release_shares.size()));
  auto put = [&ikm](std::size_t at, const Secret& share) {
    if (share.size() != kShareSize) throw std::invalid_argument("a share has 32 bytes");
    std::memcpy(ikm.mutable_view().data() + at * kShareSize, share.view().data(), kShareSize);
  };
  put(0, agency_share);
  for (std::size_t j = 0; j < release_shares.size(); ++j) put(1 + j, release_shares[j]);

  Secret prk = crypto::HkdfExtractSha256(ctx, {ikm.view()});
  Hash info = crypto::TupleHash("wrap", {BigEndian(portion), AsBytes(agency.str())});
  Secret both = crypto::HkdfExpandSha256(prk.view(), {info}, crypto::kAeadKeySize + crypto::kAeadNonceSize);
  return {std::move(prk), Secret::CopyOf(both.view().first(crypto::kAeadKeySize)),
          Secret::CopyOf(both.view().last(crypto::kAeadNonceSize))};
}

Bytes WrapCek(const Hash& ctx, std::uint32_t portion, const AgencyId& agency, const Secret& agency_share,
              std::span<const Secret> release_shares, const Secret& cek) {
  if (cek.size() != kCekSize) throw std::invalid_argument("a content key has 32 bytes");
  WrapKeys keys = DeriveWrapKeys(ctx, portion, agency, agency_share, release_shares);
  return crypto::SealOnce(keys.key.view(), keys.nonce.view(), {}, cek.view());
}

Result<Secret> UnwrapCek(const Hash& ctx, std::uint32_t portion, const AgencyId& agency, const Secret& agency_share,
                         std::span<const Secret> release_shares, ByteView wrap) {
  if (wrap.size() != kWrapSize) return Refuse(Reason::kBadSeal, "a wrap has 48 bytes");
  WrapKeys keys = DeriveWrapKeys(ctx, portion, agency, agency_share, release_shares);
  return crypto::OpenOnce(keys.key.view(), keys.nonce.view(), {}, wrap);
}

}  // namespace valija::record
