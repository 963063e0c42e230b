#include "core/record/seal.h"

#include <algorithm>
#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/record/slip.h"

namespace valija::record {

using crypto::Secret;

NamedAuthorities NameAuthorities(Window& window, std::span<const ReleaseAuthority> authorities,
                                 crypto::Random& random) {
  NamedAuthorities out;
  for (const auto& authority : authorities) {
    const ShareContext& context = window.Authority(authority.id, authority.release_key, random);
    out.refs.push_back({authority.id, authority.release_key.id(), context.enc_hash});
    out.encs.push_back(context.enc);
  }
  return out;
}

CommittedRecipients CommitRecipients(Window& window, std::uint32_t portion, std::span<const Recipient> recipients,
                                     crypto::Random& random) {
  struct Opened {
    Commitment commitment;
    Slip slip;
  };
  std::vector<Opened> opened;
  for (const auto& recipient : recipients) {
    const ShareContext& context = window.Agency(recipient.agency, recipient.epoch_key, random);
    Slip slip{portion, 0, random.Make<Salt>(), recipient.agency, recipient.epoch_key.id(), context.enc};
    for (const auto& other : opened) {
      if (other.slip.agency == slip.agency) throw std::invalid_argument("a recipient agency is there twice");
    }
    Commitment commitment = CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc);
    opened.push_back({commitment, std::move(slip)});
  }
  // Ascending by bytes that nobody can foretell: the order says nothing about who is among the recipients.
  std::sort(opened.begin(), opened.end(), [](const auto& a, const auto& b) { return a.commitment < b.commitment; });
  CommittedRecipients out;
  for (auto& [commitment, slip] : opened) {
    slip.index = static_cast<std::uint32_t>(out.slips.size());
    out.commitments.push_back(commitment);
    out.slips.push_back(std::move(slip));
  }
  return out;
}

std::vector<Bytes> SealWraps(const Window& window, const Header& header, const Hash& ctx, std::span<const Slip> slips,
                             const Secret& cek) {
  auto need = [](bool holds) {
    if (!holds) throw std::logic_error("the header and the slips are not of this window");
  };
  need(header.window_id == window.id() && header.originator == window.originator() &&
       header.signing_key_id == window.signing_key_id());
  std::vector<const ShareContext*> authorities;
  for (const auto& ref : header.authorities) {
    authorities.push_back(window.Find(Role::kRelease, ref.id.str(), ref.key_id));
    need(authorities.back() != nullptr && authorities.back()->enc_hash == ref.enc_hash);
  }
  std::vector<Bytes> wraps;
  for (const Slip& slip : slips) {
    const ShareContext* agency = window.Find(Role::kAgency, slip.agency.str(), slip.epoch_key_id);
    need(agency != nullptr && agency->enc == slip.enc);
    std::vector<Secret> release_shares;
    for (const auto* authority : authorities) {
      release_shares.push_back(ReleaseShare(authority->context, ctx, slip.portion, slip.agency));
    }
    wraps.push_back(
        WrapCek(ctx, slip.portion, slip.agency, AgencyShare(agency->context, ctx, slip.portion), release_shares, cek));
  }
  return wraps;
}

Result<Secret> MakeReleaseShare(const Header& header, const Hash& ctx, std::uint32_t portion, const AgencyId& agency,
                                const AuthorityId& self, const crypto::KemPrivateKey& release_key, const Point& enc,
                                ContextCache& cache) {
  auto ref = std::find_if(header.authorities.begin(), header.authorities.end(),
                          [&self](const AuthorityRef& authority) { return authority.id == self; });
  if (ref == header.authorities.end()) return Refuse(Reason::kBadHeader, "it does not name this release authority");
  if (ref->key_id != release_key.id()) return Refuse(Reason::kBadHeader, "it names another release key");
  if (ref->enc_hash != crypto::Sha256(enc)) {
    return Refuse(Reason::kBadHeader, "the enc of the release authority is another");
  }
  if (FindPortion(header, portion) == nullptr) return Refuse(Reason::kBadHeader, "it has no such portion");
  TRY(auto context, cache.Get(header, Role::kRelease, self.str(), release_key, enc));
  return ReleaseShare(*context, ctx, portion, agency);
}

Result<Secret> OpenCek(const RecordPayload& record, const Slip& slip, const crypto::KemPrivateKey& epoch_key,
                       std::span<const Secret> release_shares, ContextCache& cache) {
  const Header& header = record.header;
  const PortionHead* portion = FindPortion(header, slip.portion);
  if (portion == nullptr) return Refuse(Reason::kBadSlip, "there is no such portion");
  TRY_OK(CheckSlip(portion->recipients, slip));
  if (slip.epoch_key_id != epoch_key.id()) return Refuse(Reason::kBadSlip, "it is for another epoch key");
  if (release_shares.size() != header.authorities.size() ||
      std::any_of(release_shares.begin(), release_shares.end(),
                  [](const Secret& share) { return share.size() != kShareSize; })) {
    return Refuse(Reason::kWrongRelease, "not one share of each release authority");
  }
  const auto place = static_cast<std::size_t>(portion - header.portions.data());
  if (place >= record.portions.size() || slip.index >= record.portions[place].wraps.size()) {
    return Refuse(Reason::kBadHeader, "not one wrap for each commitment");
  }
  TRY(auto context, cache.Get(header, Role::kAgency, slip.agency.str(), epoch_key, slip.enc));
  return UnwrapCek(record.ctx, slip.portion, slip.agency, AgencyShare(*context, record.ctx, slip.portion),
                   release_shares, record.portions[place].wraps[slip.index]);
}

}  // namespace valija::record
