// A disk that fails, as a program sees it (LD_PRELOAD). Calls on files under VALIJA_FAULTY_FOLDER do what the file
// VALIJA_FAULTY_ORDER says for as long as it is there: "NAME HOW", with NAME one of write, read, sync, and HOW
//   EIO, ENOSPC   it fails so
//   EINTR         every other call fails so
//   short         half of it is done
// How often that happened is written to the file VALIJA_FAULTY_COUNT, a byte for each.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

enum class How { kNot, kFail, kShort };

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void Happened() {
  static const int fd = ::open(::getenv("VALIJA_FAULTY_COUNT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  static auto* const real = Next<ssize_t(int, const void*, size_t)>("write");
  [[maybe_unused]] const auto written = real(fd, "x", 1);
}

How Order(int fd, const char* name) {
  const char* const folder = ::getenv("VALIJA_FAULTY_FOLDER");
  const char* const order = ::getenv("VALIJA_FAULTY_ORDER");
  if (folder == nullptr || order == nullptr) return How::kNot;
  const int from = ::open(order, O_RDONLY | O_CLOEXEC);
  if (from < 0) return How::kNot;
  char text[64] = {}, which[32] = {}, how[32] = {}, link[64], path[4096] = {};
  static auto* const read = Next<ssize_t(int, void*, size_t)>("read");
  const auto size = read(from, text, sizeof text - 1);
  ::close(from);
  ::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (size <= 0 || ::sscanf(text, "%31s %31s", which, how) != 2 || ::strcmp(which, name) != 0 ||
      ::readlink(link, path, sizeof path - 1) <= 0 || ::strncmp(path, folder, ::strlen(folder)) != 0)
    return How::kNot;
  static thread_local bool interrupt = false;
  if (::strcmp(how, "EINTR") == 0 && !(interrupt = !interrupt)) return How::kNot;
  Happened();
  if (::strcmp(how, "short") == 0) return How::kShort;
  errno = ::strcmp(how, "ENOSPC") == 0 ? ENOSPC : ::strcmp(how, "EINTR") == 0 ? EINTR : EIO;
  return How::kFail;
}

// What is left to do of `size`; 0: fail.
size_t Part(int fd, const char* name, size_t size) {
  const auto how = Order(fd, name);
  if (how == How::kFail) return 0;
  return how == How::kShort && size > 1 ? size / 2 : size;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const real = Next<ssize_t(int, const void*, size_t)>("write");
  if (size == 0) return real(fd, bytes, size);
  const auto part = Part(fd, "write", size);
  return part == 0 ? -1 : real(fd, bytes, part);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static auto* const real = Next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  if (size == 0) return real(fd, bytes, size, at);
  const auto part = Part(fd, "write", size);
  return part == 0 ? -1 : real(fd, bytes, part, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) { return pwrite64(fd, bytes, size, at); }
ssize_t read(int fd, void* bytes, size_t size) {
  static auto* const real = Next<ssize_t(int, void*, size_t)>("read");
  if (size == 0) return real(fd, bytes, size);
  const auto part = Part(fd, "read", size);
  return part == 0 ? -1 : real(fd, bytes, part);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) {
  static auto* const real = Next<ssize_t(int, void*, size_t, off64_t)>("pread64");
  if (size == 0) return real(fd, bytes, size, at);
  const auto part = Part(fd, "read", size);
  return part == 0 ? -1 : real(fd, bytes, part, at);
}
ssize_t pread(int fd, void* bytes, size_t size, off_t at) { return pread64(fd, bytes, size, at); }
int fsync(int fd) {
  static auto* const real = Next<int(int)>("fsync");
  return Part(fd, "sync", 1) == 0 ? -1 : real(fd);
}
int fdatasync(int fd) {
  static auto* const real = Next<int(int)>("fdatasync");
  return Part(fd, "sync", 1) == 0 ? -1 : real(fd);
}

}  // extern "C"
