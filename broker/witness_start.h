// What a broker asks its witnesses before it signs anything: do they know more than its store has, or something else?
// And how it looks at what one of them shows, also later.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "broker/witness_client.h"
#include "broker/witnesses.h"

namespace valija::broker {

inline constexpr std::chrono::milliseconds kFirstPause{50}, kLongestPause{5'000};  // between calls that failed

// Seconds between our clock and this one. A clock that is far from ours is no word on how fresh something is.
std::uint64_t Apart(Time now, std::uint64_t seconds);

// What a witness shows as cosigned last, held against a log of `size` entries.
struct Shown {
  std::optional<std::uint64_t> size;  // nullopt: nothing under the log's signature
  bool cosigned = false;              // under the witness's too
  Status held = Ok();                 // kRolledBack: more than the log has; kFork: another tree. Both are told here
};
Shown LookAt(WitnessClient& client, const std::string& name, const std::string& origin, const Witnesses::Log& log,
             const std::function<std::uint64_t()>& size);

// Of Witnesses::AskFirst.
Status AskWitnesses(const Witnesses::Options& options, const ledger::Charter& charter, const log::WitnessPolicy& policy,
                    const std::string& mark, std::uint64_t size, const Witnesses::Log& log);

}  // namespace valija::broker
