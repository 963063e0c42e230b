// An exported log on disk (proto/export.h), read one file at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/log/tree.h"
#include "proto/convert.h"

namespace valija::audit {

class ExportReader {
 public:
  ExportReader() = default;  // of nothing: size 0
  // kFile if there is no checkpoint in the folder.
  static Result<ExportReader> Open(const std::filesystem::path& folder);
  const std::string& checkpoint_note() const { return note_; }
  const std::string& witnessed_note() const { return witnessed_; }  // empty: there is none
  std::uint64_t size() const { return size_; }  // as the checkpoint says; its signature is not verified here

  // Entries [256 n, 256 n + width) as serialised, from the file whose width the checkpoint calls for. kCorrupt, kFile.
  Result<std::vector<Bytes>> EntriesFile(std::uint64_t n) const;
  Result<Bytes> File(const std::string& path) const;
  log::TileReader tiles() const;  // full ones, and the partial ones that the checkpoint calls for
  // Every entry in order, until the callback returns false. `entry` is a refusal where one cannot be read or parsed.
  void ForEach(const std::function<bool(std::uint64_t index, const Result<proto::LoggedEntry>& entry)>& each) const;

 private:
  std::filesystem::path folder_;
  std::string note_, witnessed_;
  std::uint64_t size_ = 0;
};

}  // namespace valija::audit
