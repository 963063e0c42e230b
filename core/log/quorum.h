// Since when a quorum vouches for a checkpoint.
//
// Thread-safety: a pure function.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/log/witness_policy.h"

namespace valija::log {

// The latest time by which all witnesses of some quorum had cosigned; `cosigned` as WitnessPolicy::WhoCosigned gives it.
// nullopt: they are no quorum.
std::optional<std::uint64_t> QuorumSince(const WitnessPolicy& policy,
                                         const std::map<std::string, std::uint64_t>& cosigned);

}  // namespace valija::log
