#include "core/io/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/crypto/secret_memory.h"
#include "core/io/descriptor.h"

namespace valija::io {
namespace {

using crypto::Secret;

Error FileError(const fs::path& path, int error) {
  return Refuse(Reason::kFile, path.string() + ": " + std::generic_category().message(error));
}

Result<Descriptor> Open(const fs::path& path, int flags, unsigned mode = 0) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return FileError(path, errno);
  return Descriptor(fd);
}

// Up to out.size() bytes; fewer only at the end of the file.
Result<std::size_t> ReadUpTo(int fd, std::span<std::uint8_t> out, const fs::path& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(fd, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Status WriteAll(int fd, ByteView content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FileError(path, errno);
    content = content.subspan(static_cast<std::size_t>(put));
  }
  return Ok();
}

template <class Text>
Result<Text> ReadWhole(const fs::path& path, std::size_t limit) {
  TRY(auto fd, Open(path, O_RDONLY));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return FileError(path, errno);
  // The size is a hint: a pipe has none, and a file may grow while it is read.
  std::size_t room = S_ISREG(info.st_mode) ? static_cast<std::size_t>(info.st_size) : 0;
  if (room > limit) return Refuse(Reason::kTooLarge, path.string());
  Text out;
  for (;;) {
    const std::size_t had = out.size();
    out.resize(had + std::max<std::size_t>(room, 4096) + 1);
    std::span<std::uint8_t> tail(reinterpret_cast<std::uint8_t*>(out.data()) + had, out.size() - had);
    TRY(const std::size_t got, ReadUpTo(fd.get(), tail, path));
    out.resize(had + got);
    if (out.size() > limit) return Refuse(Reason::kTooLarge, path.string());
    if (got < tail.size()) return out;
    room = out.size();
  }
}

fs::path FolderOf(const fs::path& path) {
  fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

Status SyncFolderOf(const fs::path& path) {
  TRY(auto folder, Open(FolderOf(path), O_RDONLY | O_DIRECTORY));
  if (::fsync(folder.get()) != 0) return FileError(FolderOf(path), errno);
  return Ok();
}

// A durable file beside `path`, under a name of its own, that is deleted again unless it is kept.
class Temporary {
 public:
  static Result<Temporary> Write(const fs::path& path, ByteView content, unsigned mode) {
    std::array<std::uint8_t, 8> random{};
    if (::getrandom(random.data(), random.size(), 0) != ssize_t{random.size()}) return FileError(path, errno);
    fs::path name = FolderOf(path) / ("." + path.filename().string() + "." + ToHex(random) + ".tmp");
    TRY(auto fd, Open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    Temporary out(std::move(name));
    TRY_OK(WriteAll(fd.get(), content, path));
    if (::fsync(fd.get()) != 0) return FileError(path, errno);
    if (::close(fd.release()) != 0) return FileError(path, errno);
    return out;
  }
  Temporary(Temporary&& other) noexcept : name_(std::exchange(other.name_, {})) {}
  Temporary& operator=(Temporary&&) = delete;
  ~Temporary() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  const fs::path& name() const { return name_; }
  void Keep() { name_.clear(); }

 private:
  explicit Temporary(fs::path name) : name_(std::move(name)) {}
  fs::path name_;
};

// Ours or root's, and nothing for group and others.
bool IsPrivate(const struct stat& info) {
  return (info.st_uid == ::geteuid() || info.st_uid == 0) && (info.st_mode & 077) == 0;
}

}  // namespace

Result<Bytes> ReadFile(const fs::path& path, std::size_t limit) { return ReadWhole<Bytes>(path, limit); }
Result<std::string> ReadText(const fs::path& path, std::size_t limit) { return ReadWhole<std::string>(path, limit); }

Status WriteFileAtomic(const fs::path& path, ByteView content, unsigned mode) {
  TRY(auto temporary, Temporary::Write(path, content, mode));
  if (::rename(temporary.name().c_str(), path.c_str()) != 0) return FileError(path, errno);
  temporary.Keep();
  return SyncFolderOf(path);
}

Status WriteNewFile(const fs::path& path, ByteView content, unsigned mode) {
  TRY(auto temporary, Temporary::Write(path, content, mode));
  // link() never replaces, and what it makes is whole from the first moment, as O_EXCL and write() would not be.
  if (::link(temporary.name().c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return Refuse(Reason::kExists, path.string());
    return FileError(path, errno);
  }
  return SyncFolderOf(path);
}

Result<Secret> ReadPrivateFile(const fs::path& path, std::size_t limit) {
  // O_NONBLOCK: a pipe put in its place must not hang us. Judged is what was opened, not what the name means later.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && errno == ELOOP) return Refuse(Reason::kUnsafeFile, path.string() + " is a symbolic link");
  if (fd < 0) return FileError(path, errno);
  Descriptor file(fd);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return FileError(path, errno);
  if (!S_ISREG(info.st_mode)) return Refuse(Reason::kUnsafeFile, path.string() + " is not a regular file");
  if (!IsPrivate(info)) return Refuse(Reason::kUnsafeFile, path.string() + " must be yours, mode 0600");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > limit) return Refuse(Reason::kTooLarge, path.string());
  Secret content(size + 1);  // one more, to see that there is no more
  TRY(const std::size_t got, ReadUpTo(file.get(), content.mutable_view(), path));
  if (got != size) return Refuse(Reason::kFile, path.string() + " changed while it was read");
  return Secret::CopyOf(content.view().first(size));
}

Status MakePrivateDirectory(const fs::path& path) {
  fs::path folder = path.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "a/b/"
  if (folder.empty()) return FileError(path, ENOENT);
  if (::mkdir(folder.c_str(), 0700) == 0) return SyncFolderOf(folder);
  if (errno == ENOENT && folder.has_relative_path() && FolderOf(folder) != folder) {
    const fs::path parent = FolderOf(folder);
    struct stat above {};
    if (::stat(parent.c_str(), &above) != 0) TRY_OK(MakePrivateDirectory(parent));
    if (::mkdir(folder.c_str(), 0700) == 0) return SyncFolderOf(folder);
  }
  if (errno != EEXIST) return FileError(path, errno);
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return FileError(path, errno);
  if (!S_ISDIR(info.st_mode)) return Refuse(Reason::kUnsafeFile, path.string() + " is not a directory");
  if (!IsPrivate(info)) return Refuse(Reason::kUnsafeFile, path.string() + " must be yours, mode 0700");
  return Ok();
}

Result<FileLock> FileLock::Take(const fs::path& path) {
  TRY(auto fd, Open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Refuse(Reason::kLocked, path.string());
    return FileError(path, errno);
  }
  return FileLock(fd.release());
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

void HardenProcess() {
  (void)crypto::LockSecretMemory();  // the programs say where it matters that it could not be
  const struct rlimit none {};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw std::system_error(errno, std::generic_category(), "the process cannot be hardened");
  }
}

}  // namespace valija::io
