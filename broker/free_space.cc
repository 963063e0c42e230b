#include "broker/free_space.h"

#include "broker/oplog.h"

namespace valija::broker {

FreeSpace::Probe FreeSpace::Of(const std::filesystem::path& folder) {
  return [folder]() -> Result<std::uint64_t> {
    std::error_code error;
    const auto space = std::filesystem::space(folder, error);
    if (error) return Refuse(Reason::kFile, error.message());
    return std::uint64_t{space.available};
  };
}

FreeSpace::FreeSpace(std::uint64_t floor_bytes, Probe probe) : floor_(floor_bytes), probe_(std::move(probe)) {}

void FreeSpace::Look() {
  const auto free = probe_();
  free_ = free ? *free : kUnknown;
  if (floor_ == 0) return;
  // What cannot be asked is taken for full: the store's own folder should answer.
  const Room now = !free || *free < floor_ / 2 ? Room::kNothing : *free < floor_ ? Room::kNoBodies : Room::kEnough;
  if (room_.exchange(now) == now) return;
  static constexpr const char* kTakes[] = {"everything", "statements without bodies", "nothing"};
  Log(now == Room::kEnough ? Level::kInfo : Level::kAlarm, "free-space",
      {{"takes", kTakes[static_cast<int>(now)]},
       {"free-mib", free ? std::to_string(*free >> 20) : free.error().Message()},
       {"floor-mib", std::to_string(floor_ >> 20)}});
}

std::optional<std::uint64_t> FreeSpace::free() const {
  const std::uint64_t known = free_;
  return known == kUnknown ? std::nullopt : std::optional(known);
}

Status FreeSpace::CheckBodies() const {
  if (room_ == Room::kEnough) return Ok();
  return Refuse(Reason::kStorage, "the broker's disk is nearly full");
}

Status FreeSpace::CheckStatements() const {
  if (room_ != Room::kNothing) return Ok();
  return Refuse(Reason::kStorage, "the broker's disk is nearly full");
}

}  // namespace valija::broker
