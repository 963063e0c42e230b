// A copy of a log's public side as a folder of static files, `checkpoint`, `tile/..` and `tile/entries/..`, that a web server
// may serve at any moment: files appear whole, tiles first, and the checkpoint last.
//
// A copy never goes back and never changes sides. When the log shows a tree that does not contain what was seen before,
// both signed checkpoints are kept in the file FORK, and nothing more is done while it is there.
//
// Not thread-safe; one process at a time (a lock file).
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "core/io/file.h"
#include "core/log/mirror.h"

namespace valija::io {

class LogFolder {
 public:
  // `keys`: the log's, one name; the present one and former ones. Makes the folder if need be. kBadCheckpoint: there is
  // another log in it; kFork: a fork was found before; kLocked, kFile.
  static Result<LogFolder> Open(const fs::path& folder, std::span<const log::NoteVerifier> keys);
  const std::optional<log::SignedCheckpoint>& checkpoint() const { return checkpoint_; }

  using Fetch = std::function<Result<Bytes>(const std::string& path, std::size_t limit)>;
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  // Up to this note, a checkpoint of the log: kBadCheckpoint if it is none; else as log::Mirror. The note is kept as it came,
  // cosignatures too; of the tree that was there already with those that were shown before, so that none is lost.
  Result<log::Mirrored> Continue(const std::string& note, const Fetch& fetch, bool all, const Progress& progress = {});

 private:
  LogFolder(fs::path folder, FileLock lock, std::span<const log::NoteVerifier> keys)
      : folder_(std::move(folder)), lock_(std::move(lock)), keys_(keys.begin(), keys.end()) {}
  Result<log::SignedCheckpoint> Verify(const std::string& note) const;

  fs::path folder_;
  FileLock lock_;
  std::vector<log::NoteVerifier> keys_;
  std::optional<log::SignedCheckpoint> checkpoint_;
};

// Removes the partial files below `folder`/tile and `folder`/entries (those in a folder "000.p") but these, whoever left
// them: also of a run that was cut short, which no checkpoint ever called for. kFile.
Status RemovePartials(const fs::path& folder, const std::set<std::string>& but);

// Is there the public side of a log, and nothing with events? Who exports events there would publish them.
bool IsPublicSide(const fs::path& folder);

}  // namespace valija::io
