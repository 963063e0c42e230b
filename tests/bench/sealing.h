// Sealed records in memory, ready to post: by client/sealing.h as Session::Send does, without a session around it.
#pragma once

#include <vector>

#include "client/profile.h"
#include "client/sealing.h"
#include "client/transport.h"
#include "core/crypto/random.h"
#include "core/ledger/state.h"

namespace valija::bench {

class Sealer {
 public:
  Sealer(const ledger::State& directory, const client::Keyring& keys, MemberId member, policy::Policy policy,
         const std::vector<AgencyId>& recipients);

  // `count` records of `bytes` each. windowed: under one window and one batch signature; else each on its own.
  std::vector<client::Submission> Seal(std::size_t count, std::size_t bytes, bool windowed);

 private:
  client::Submission One(record::Window& window, std::size_t bytes);

  const client::Keyring& keys_;
  client::RecordPlan plan_;  // but for the time
  crypto::SystemRandom random_;
};

}  // namespace valija::bench
