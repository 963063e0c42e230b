// Rows of a state in memory, for tests.
#pragma once

#include <map>

#include "core/ledger/state.h"

namespace valija::test {

struct MemoryRows : ledger::RowSource {
  std::map<Bytes, Bytes> rows;
  mutable std::size_t reads = 0;

  void Write(const std::vector<ledger::Row>& changed) {
    for (const auto& [key, value] : changed) {
      if (value)
        rows.insert_or_assign(key, *value);
      else
        rows.erase(key);
    }
  }
  std::optional<Bytes> Get(ByteView key) const override {
    ++reads;
    auto at = rows.find(ToBytes(key));
    return at == rows.end() ? std::nullopt : std::optional(at->second);
  }
  void Scan(std::uint8_t first, const Take& take) const override {
    for (const auto& [key, value] : rows)
      if (key.at(0) == first) take(key, value);
  }
};

}  // namespace valija::test
