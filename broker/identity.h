// Who calls: from the TLS peer certificate and the directory, never from a field.
//
// The certificate's key names an active member; the certificate must be issued by that member's own agency's CA (any
// agency's CA gets a client through the handshake, but speaks for its own members alone) and name the member in its
// subjectAltName. All of it is asked again on every call; only the certificate's own checks are remembered.
#pragma once

#include <grpcpp/server_context.h>

#include <list>
#include <map>
#include <mutex>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/ledger/state.h"

namespace valija::broker {

class Sequencer;

// Thread-safe.
class Identity {
 public:
  explicit Identity(const Sequencer& sequencer) : sequencer_(sequencer) {}
  // kNoIdentity, kNotEnrolled.
  Result<MemberId> CallerOf(const grpc::ServerContextBase& context, Time now);

 private:
  struct Known {
    KeyId key_id;
    MemberId member;  // as its certificate names it, checked against that agency's CA
    Time not_before, not_after;
    Digest charter;  // in force when it was examined
  };
  Result<Known> Examine(std::string_view pem, Time now) const;
  const Sequencer& sequencer_;
  std::mutex mutex_;
  std::map<Hash, Known> known_;  // by SHA-256 of the certificate's text; emptied when it holds kMost
};

}  // namespace valija::broker
