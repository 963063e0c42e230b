// Plaintext on its way to disk: a new file, 0600, beside its place; renamed there only when all of it held.
// Not thread-safe.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace valija::client {

class PlainFile {
 public:
  // begin_anew: for a place whose name says that it is ours. What a process that died left beside it is emptied and used.
  static Result<std::unique_ptr<PlainFile>> Make(const std::filesystem::path& path, bool begin_anew = false) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
      return Refuse(Reason::kExists, path.string());
    auto file = std::make_unique<PlainFile>();
    file->path_ = path;
    file->part_ = path;
    file->part_ += ".part";
    file->fd_ = ::open(file->part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->fd_ < 0 && errno == EEXIST && begin_anew)
      file->fd_ = ::open(file->part_.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file->fd_ >= 0 && !file->IsOurs()) {
      ::close(std::exchange(file->fd_, -1));
      errno = EEXIST;
    }
    if (file->fd_ < 0)
      return Refuse(errno == EEXIST ? Reason::kExists : Reason::kFile, "cannot make " + file->part_.string());
    TRY_OK(file->Restart());
    return file;
  }
  ~PlainFile() {
    if (fd_ >= 0) ::close(fd_);
    std::error_code ignored;
    if (!done_ && fd_ >= 0) std::filesystem::remove(part_, ignored);
  }
  Status Write(ByteView block) {
    while (!block.empty()) {
      auto wrote = ::write(fd_, block.data(), block.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return Refuse(Reason::kFile, "cannot write " + part_.string());
      block = block.subspan(static_cast<std::size_t>(wrote));
    }
    return Ok();
  }
  // Empty again, for a body that is fetched once more.
  Status Restart() {
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0)
      return Refuse(Reason::kFile, "cannot write " + part_.string());
    return Ok();
  }
  Status Commit() {
    if (::fsync(fd_) != 0) return Refuse(Reason::kFile, "cannot write " + part_.string());
    // Neither replaces what came there meanwhile; the second is for file systems that do not know the first.
    if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) return Refuse(Reason::kExists, path_.string());
      if (::link(part_.c_str(), path_.c_str()) != 0)
        return Refuse(errno == EEXIST ? Reason::kExists : Reason::kFile, path_.string());
      ::unlink(part_.c_str());
    }
    done_ = true;
    return Ok();
  }

 private:
  // No other process writes to it, and it is a file of this user's alone that still has its name: whoever finishes one
  // lets go of it only after the renaming.
  bool IsOurs() const {
    struct stat held {
    }, named{};
    return ::flock(fd_, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd_, &held) == 0 && ::lstat(part_.c_str(), &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino && S_ISREG(held.st_mode) &&
           held.st_uid == ::geteuid() && held.st_nlink == 1;
  }
  std::filesystem::path path_, part_;
  int fd_ = -1;
  bool done_ = false;
};

}  // namespace valija::client
