// The straight path of one record, as its sender, a release authority and a recipient walk it:
//
//   sender     NameAuthorities and CommitRecipients fill the header; it is serialised once (proto/convert) and gives ctx;
//              per portion a fresh CEK, SealWraps, and BodySealer (body.h); then a statement, signed in a batch (batch.h)
//   authority  MakeReleaseShare for what was decided and logged; sealed in release.h
//   recipient  OpenCek, once every proof holds; then BodyOpener (body.h)
#pragma once

#include <span>
#include <vector>

#include "core/crypto/random.h"
#include "core/record/header.h"
#include "core/record/share.h"
#include "core/record/window.h"

namespace valija::record {

// ---- Sender ----

struct ReleaseAuthority {
  AuthorityId id;
  crypto::KemPublicKey release_key;
};
struct Recipient {
  AgencyId agency;
  crypto::KemPublicKey epoch_key;
};

// The header's list and what travels beside it, in the given order.
struct NamedAuthorities {
  std::vector<AuthorityRef> refs;
  std::vector<Point> encs;
};
NamedAuthorities NameAuthorities(Window& window, std::span<const ReleaseAuthority> authorities, crypto::Random& random);

// One portion's commitments in the header's order, and the slips that open them (slip i opens commitment i), under fresh
// salts. Throws on an agency that is there twice.
struct CommittedRecipients {
  std::vector<Commitment> commitments;
  std::vector<Slip> slips;
};
CommittedRecipients CommitRecipients(Window& window, std::uint32_t portion, std::span<const Recipient> recipients,
                                     crypto::Random& random);

// The wraps of one portion, wrap i for slips[i]. The header's authorities and the slips are this window's: else a bug,
// and throws.
std::vector<Bytes> SealWraps(const Window& window, const Header& header, const Hash& ctx, std::span<const Slip> slips,
                             const crypto::Secret& cek);

// ---- Release authority ----

// r_ij of this authority for one portion and recipient agency. Whether it may be given is decided elsewhere.
// kBadHeader: the header does not name this authority with this key and enc, or lacks the portion. kUnknownSuite, kBadKey.
Result<crypto::Secret> MakeReleaseShare(const Header& header, const Hash& ctx, std::uint32_t portion,
                                        const AgencyId& agency, const AuthorityId& self,
                                        const crypto::KemPrivateKey& release_key, const Point& enc,
                                        ContextCache& cache);

// ---- Recipient ----

// The CEK of the portion that the slip names. The slip must open its commitment for this very epoch key (kBadSlip), the
// header must be of a known suite (kUnknownSuite), there is one release share for every authority of the header, in its
// order (kWrongRelease), and the wrap must open (kBadSeal).
Result<crypto::Secret> OpenCek(const RecordPayload& record, const Slip& slip, const crypto::KemPrivateKey& epoch_key,
                               std::span<const crypto::Secret> release_shares, ContextCache& cache);

}  // namespace valija::record
