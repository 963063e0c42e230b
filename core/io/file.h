// Files, for the programs. The rest of core does no I/O and does not include this (the arrow test sees to it).
//
// Errors: kFile names the path and what the system said, and so are not for a peer's eyes.
// Thread-safety: free functions without state; AskPassphrase is for one thread, before others run.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace valija::io {

namespace fs = std::filesystem;

// The whole file; kFile if it cannot be read, kTooLarge above `limit` bytes.
Result<Bytes> ReadFile(const fs::path& path, std::size_t limit = std::size_t{64} << 20);
Result<std::string> ReadText(const fs::path& path, std::size_t limit = std::size_t{16} << 20);

// Writes a temporary file beside it, fsyncs, renames over, fsyncs the directory: the old or the new, never half.
// A symbolic link at `path` is replaced, not followed. The umask applies to `mode`.
Status WriteFileAtomic(const fs::path& path, ByteView content, unsigned mode = 0644);
// As above, and refuses (kExists) to write over anything.
Status WriteNewFile(const fs::path& path, ByteView content, unsigned mode = 0644);

// A file with a secret in it: regular, no symbolic link, owned by this user (or root), no permission for group and
// others; else kUnsafeFile. Returns its content in wiped memory.
Result<crypto::Secret> ReadPrivateFile(const fs::path& path, std::size_t limit = 1 << 20);
// 0700, parents too. One that is there already is taken if it is no symbolic link, this user's (or root's) and closed
// to group and others, and is else left as it is: kUnsafeFile. Parents that are there are not judged.
Status MakePrivateDirectory(const fs::path& path);

// An exclusive advisory lock (flock) held while the object lives. The file stays, empty. A second Take conflicts in
// the same process too.
class FileLock {
 public:
  static Result<FileLock> Take(const fs::path& path);  // kLocked if another process has it
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

// A passphrase: from a private file (its first line), or asked for on the terminal without echo. The empty one is
// refused (kBadPassphrase), as it would mean no encryption.
Result<crypto::Secret> ReadPassphraseFile(const fs::path& path);
// On /dev/tty; kUsage where there is none. twice: asked again, and refused unless equal. A signal that ends or stops
// the program finds the terminal as it was before.
Result<crypto::Secret> AskPassphrase(const std::string& prompt, bool twice,
                                     const std::string& again = "Again, the same: ");

// No core dumps, not traceable, no new privileges; secrets in memory that is not swapped, as far as the system lets it be locked
// (core/crypto/secret_memory.h). Call first in main(). Throws if the system will not, but for that last one.
void HardenProcess();

}  // namespace valija::io
