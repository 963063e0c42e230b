// A State may be kept in rows of a store: then it holds in memory what is live (the directory, what waits, what has not
// expired) and what was asked for of late, and reads the rest when somebody asks. Rows are what apply() made of the
// log and nothing else; whoever doubts them folds the log anew.
//
// Without a store (clients, auditors, tests) everything stays in memory.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace valija::ledger {

// A row that is not what was written. Thrown out of a State's accessors: nothing may be decided on it.
class RowsDamaged : public std::runtime_error {
 public:
  explicit RowsDamaged(const std::string& what) : std::runtime_error(what) {}
};

struct Row {
  Bytes key;                   // the first byte says of what
  std::optional<Bytes> value;  // absent: there is no such row any more
};

// Of the rows in which texts stand that a purge may erase: how their keys begin.
inline constexpr std::string_view kRowsWithTexts = "PpOoQq";

// Thread-safety: both may be called from any thread. They throw RowsDamaged.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::optional<Bytes> Get(ByteView key) const = 0;
  using Take = std::function<void(ByteView key, ByteView value)>;
  virtual void Scan(std::uint8_t first,
                    const Take& take) const = 0;  // ascending, the rows whose keys begin with this byte
};

}  // namespace valija::ledger
