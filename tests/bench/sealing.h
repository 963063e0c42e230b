// Sealed records in memory, ready to post: what Session::Send makes, without a session around it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/profile.h"
#include "client/transport.h"
#include "core/ledger/state.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/seal.h"

namespace valija::bench {

class Sealer {
 public:
  Sealer(const ledger::State& directory, const client::Keyring& keys, MemberId member, policy::Policy policy,
         std::vector<AgencyId> recipients);

  // `count` records of `bytes` each. windowed: under one window and one batch signature; else each on its own.
  std::vector<client::Submission> Seal(std::size_t count, std::size_t bytes, bool windowed);

 private:
  client::Submission One(record::Window& window, std::size_t bytes);

  const client::Keyring& keys_;
  const MemberId member_;
  const std::string origin_;
  const policy::Policy policy_;
  std::vector<record::Recipient> recipients_;
  std::vector<record::ReleaseAuthority> authority_;
  crypto::SystemRandom random_;
};

}  // namespace valija::bench
