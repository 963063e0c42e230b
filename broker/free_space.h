// The room that is left where the store is. It is asked for once a second, not per call: below the floor the broker takes
// no more bodies, below half of it no statement either; reading goes on, and both come back by themselves. A disk that
// is full all the same makes an append fail, and that needs a restart: this is there so that it does not come to that.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "core/base/result.h"

namespace valija::broker {

class FreeSpace {
 public:
  using Probe = std::function<Result<std::uint64_t>()>;  // bytes that may still be written
  static Probe Of(const std::filesystem::path& folder);  // as the file system of this folder says
  FreeSpace(std::uint64_t floor_bytes, Probe probe);     // a floor of 0 is none
  void Look();                                           // asks, and says a change in the operations log
  std::optional<std::uint64_t> free() const;             // bytes, as they were when it looked last
  Status CheckBodies() const;                            // kStorage
  Status CheckStatements() const;                        // kStorage

 private:
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
  enum class Room { kEnough, kNoBodies, kNothing };
  const std::uint64_t floor_;
  const Probe probe_;
  std::atomic<Room> room_ = Room::kEnough;
  std::atomic<std::uint64_t> free_ = kUnknown;
};

}  // namespace valija::broker
