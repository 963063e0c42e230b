#include "core/record/slip.h"

#include <algorithm>
#include <functional>

#include "core/crypto/hash.h"

namespace valija::record {

Commitment CommitRecipient(const Salt& salt, const AgencyId& agency, const KeyId& epoch_key_id, const Point& enc) {
  return *Commitment::From(
      crypto::TupleHash("recipient", {salt, AsBytes(agency.str()), epoch_key_id, crypto::Sha256(enc)}));
}

Commitment CommitEntryBytes(const Salt& salt, ByteView entry) {
  return *Commitment::From(crypto::TupleHash("entry", {salt, entry}));
}

Status CheckSlip(std::span<const Commitment> commitments, const Slip& slip) {
  // Strictly: an equal pair is no order either.
  if (std::adjacent_find(commitments.begin(), commitments.end(), std::greater_equal<>()) != commitments.end()) {
    return Refuse(Reason::kBadHeader, "the commitments are not strictly ascending");
  }
  if (slip.index >= commitments.size()) return Refuse(Reason::kBadSlip, "there is no such commitment");
  if (CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc) != commitments[slip.index]) {
    return Refuse(Reason::kBadSlip, "it opens to something else");
  }
  return Ok();
}

Status CheckSlip(const Header& header, const Slip& slip) {
  const PortionHead* portion = FindPortion(header, slip.portion);
  if (portion == nullptr) return Refuse(Reason::kBadSlip, "there is no such portion");
  return CheckSlip(portion->recipients, slip);
}

const PortionHead* FindPortion(const Header& header, std::uint32_t number) {
  auto at = std::find_if(header.portions.begin(), header.portions.end(),
                         [number](const PortionHead& portion) { return portion.number == number; });
  return at == header.portions.end() ? nullptr : &*at;
}

}  // namespace valija::record
