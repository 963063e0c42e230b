// Rows in memory, whose content can be tampered with and whose writes can be refused.
#pragma once

#include <functional>
#include <mutex>

#include "broker/storage/storage.h"

namespace valija::test {

class MemoryRows : public broker::Rows {
 public:
  std::map<Bytes, Bytes> rows;
  std::string erased;
  std::function<Status()> before_write;
  mutable std::size_t reads = 0, writes = 0, clears = 0;

  Result<std::optional<Bytes>> Get(ByteView key) const override {
    std::lock_guard lock(mutex_);
    ++reads;
    auto at = rows.find(ToBytes(key));
    return at == rows.end() ? std::nullopt : std::optional(at->second);
  }
  Status Scan(ByteView prefix, const Take& take) const override {
    std::map<Bytes, Bytes> all;
    {
      std::lock_guard lock(mutex_);
      all = rows;
    }
    for (const auto& [key, value] : all)
      if (Equal(ByteView(key).first(std::min(key.size(), prefix.size())), prefix)) take(key, value);
    return Ok();
  }
  Status Write(const std::vector<broker::RowChange>& changes, std::string_view gone) override {
    if (before_write) TRY_OK(before_write());
    std::lock_guard lock(mutex_);
    ++writes;
    for (const auto& [key, value] : changes) {
      if (value)
        rows.insert_or_assign(key, *value);
      else
        rows.erase(key);
    }
    erased += gone;
    return Ok();
  }
  Status Clear() override {
    std::lock_guard lock(mutex_);
    ++clears;
    rows.clear();
    return Ok();
  }

 private:
  mutable std::mutex mutex_;
};

}  // namespace valija::test
