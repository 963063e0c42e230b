// The release authority: gives the other half of the content key, for what was decided, logged and made durable, and for
// nothing else (sealing.md 6). An Accepted cannot be made without the journal's word that its entry is durable, a Covered
// not without the quorum's (or the decision's, that it goes without).
//
// Thread-safety: Release may be called from several threads.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "broker/sequencer.h"
#include "core/crypto/keys.h"
#include "core/record/window.h"
#include "proto/exchange.h"

namespace valija::broker {

class Releaser {
 public:
  // The logged entry of a record or a grant by its digest: Sequencer::RecordEntry.
  using FindRecord = std::function<Result<proto::LoggedEntry>(const Digest& record)>;

  // The keys of this authority: the present one and former ones, in any order.
  Releaser(AuthorityId self, std::vector<crypto::KemPrivateKey> release_keys, std::size_t contexts_kept = 4096);
  Releaser(AuthorityId self, crypto::KemPrivateKey release_key, std::size_t contexts_kept = 4096);

  // For an accepted open: one release, with the share of each portion that the decision allows and whose record names
  // this authority, in order of the request; nullopt if there is none such, or if a record of them names a key that this
  // broker has not, which is an alarm in the operations log. Throws if `accepted` is no open, if the
  // decision is another one's, or if its entry is not durable. kBadHeader, kBadKey, kCorrupt: a record that should never
  // have been accepted; nothing is released then.
  Result<std::optional<proto::Release>> Release(const Accepted& accepted, Covered covered, const FindRecord& find,
                                                crypto::Random& random);

  // The same for a standing opening under this order, sealed to the order's reply key.
  Result<std::optional<proto::Release>> ReleaseStanding(const Accepted& accepted, Covered covered,
                                                        const ledger::OrderState& order, const FindRecord& find,
                                                        crypto::Random& random);

  bool Has(const KeyId& key) const { return release_keys_.contains(key); }

 private:
  struct Wanted;
  Result<std::optional<proto::Release>> Make(const Accepted& accepted, const Wanted& wanted, const FindRecord& find,
                                             crypto::Random& random);

  const AuthorityId self_;
  std::map<KeyId, crypto::KemPrivateKey> release_keys_;
  record::ContextCache contexts_;  // by info and enc, bounded
};

}  // namespace valija::broker
