// The release authority: gives the other half of the content key, for what was decided, logged and made durable, and for
// nothing else (sealing.md 6). An Accepted cannot be made without the journal's word that its entry is durable.
//
// Thread-safety: Release may be called from several threads.
#pragma once

#include <functional>
#include <optional>

#include "broker/sequencer.h"
#include "core/crypto/keys.h"
#include "core/record/window.h"
#include "proto/exchange.h"

namespace valija::broker {

class Releaser {
 public:
  // The logged entry of a record, whole, by its digest: Sequencer::RecordEntry.
  using FindRecord = std::function<Result<proto::LoggedEntry>(const Digest& record)>;

  Releaser(AuthorityId self, crypto::KemPrivateKey release_key, std::size_t contexts_kept = 4096);

  // For an accepted open: one release, with the share of each portion that the decision allows and whose record names
  // this authority, in order of the request; nullopt if there is none such. Throws if `accepted` is no open, if the
  // decision is another one's, or if its entry is not durable. kBadHeader, kBadKey, kCorrupt: a record that should never
  // have been accepted; nothing is released then.
  Result<std::optional<proto::Release>> Release(const Accepted& accepted, const FindRecord& find,
                                                crypto::Random& random);

  const KeyId& key_id() const { return release_key_.id(); }

 private:
  const AuthorityId self_;
  const crypto::KemPrivateKey release_key_;
  record::ContextCache contexts_;  // by info and enc, bounded
};

}  // namespace valija::broker
