// What an agency's program was shown, as a file that grows: one JSON object a line with the entry's number in "entry" and its
// statement in "statement" or "id", which is what `valija --json inbox --follow` prints. Other lines and fields are passed over.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace valija::audit {

class Feed {
 public:
  explicit Feed(std::filesystem::path path) : path_(std::move(path)) {}
  Status Read();  // what came since the last call; from the beginning if the file is another one. kFile, kTooLarge
  // Was this statement shown as this entry? (By the entry's number alone where the line names no statement.)
  bool Has(std::uint64_t entry, const Digest& statement) const;

 private:
  void Take(std::string_view line);

  const std::filesystem::path path_;
  std::uint64_t read_ = 0;                                     // bytes of whole lines
  std::unordered_multimap<std::uint64_t, std::string> shown_;  // the statement's digest in hex, or nothing
};

}  // namespace valija::audit
