#include "client/kept_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/io/file.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHead = Digest::kSize + KeyId::kSize + Point::kSize;
constexpr std::size_t kKey = 32, kTag = 16;  // a ciphertext: one key or a few, and the tag
constexpr std::size_t kMostKeys = 1024;
constexpr std::size_t kMost = std::size_t{1} << 32;  // of a file

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool IsLength(std::size_t length) {
  if (length < kHead + kTag + kKey || length > kHead + kTag + kMostKeys * kKey) return false;
  return (length - kHead - kTag) % kKey == 0;
}

struct Scan {
  std::size_t end = 0;        // of the last whole item
  bool rest_is_torn = false;  // what follows is the beginning of an item that was never finished, or nothing
};

// From `at` on; `each` gets the bytes of every item behind its length.
template <class Each>
std::size_t ReadItems(ByteView bytes, std::size_t at, Each each) {
  while (bytes.size() - at >= 4) {
    const std::size_t length = ReadU32(bytes.data() + at);
    if (!IsLength(length) || length > bytes.size() - at - 4) break;
    each(bytes.subspan(at + 4, length));
    at += 4 + length;
  }
  return at;
}

template <class Each>
Scan ReadAll(ByteView bytes, Each each) {
  Scan scan{ReadItems(bytes, 0, each), true};
  const std::size_t rest = bytes.size() - scan.end;
  if (rest < 4) return scan;
  // A length that says more than there is was torn, or is damaged: then whole items come behind it.
  const std::size_t length = ReadU32(bytes.data() + scan.end);
  scan.rest_is_torn = IsLength(length) && length > rest - 4;
  for (std::size_t at = scan.end + 1; scan.rest_is_torn && at + 4 <= bytes.size(); ++at)
    scan.rest_is_torn = ReadItems(bytes, at, [](ByteView) {}) != bytes.size();
  return scan;
}

Error Damaged(const fs::path& file, std::size_t at) {
  return Refuse(Reason::kCorrupt, file.string() + " is damaged at byte " + std::to_string(at) +
                                      "; it is left as it is: bring it back from a copy");
}

Error CannotWrite(const fs::path& file) { return Refuse(Reason::kFile, "cannot write " + file.string()); }

}  // namespace

Status SyncFolder(const fs::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return CannotWrite(folder);
  return Ok();
}

Status AppendKept(const fs::path& file, const std::vector<KeptSecret>& secrets, std::optional<std::uint64_t>& whole) {
  std::error_code ignored;
  const bool fresh = !fs::exists(fs::symlink_status(file, ignored));
  std::uint64_t size = fresh ? 0 : fs::file_size(file, ignored), end = size;
  if (!fresh && whole != size) {
    TRY(auto bytes, io::ReadFile(file, kMost));
    const auto scan = ReadAll(bytes, [](ByteView) {});
    if (!scan.rest_is_torn) return Damaged(file, scan.end);
    end = scan.end;
    size = bytes.size();
  }
  whole.reset();
  Bytes block;
  for (const auto& one : secrets) {
    AppendU32(block, static_cast<std::uint32_t>(kHead + one.ciphertext.size()));
    for (ByteView part : {one.statement.view(), one.kem_key_id.view(), one.enc.view(), ByteView(one.ciphertext)})
      Append(block, part);
  }
  const Descriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd.get() < 0) return CannotWrite(file);
  if (end != size && ::ftruncate(fd.get(), static_cast<off_t>(end)) != 0) return CannotWrite(file);
  for (ByteView left = block; !left.empty();) {
    const auto wrote = ::pwrite(fd.get(), left.data(), left.size(), static_cast<off_t>(end));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return CannotWrite(file);
    end += static_cast<std::size_t>(wrote);
    left = left.subspan(static_cast<std::size_t>(wrote));
  }
  if (::fdatasync(fd.get()) != 0) return CannotWrite(file);
  if (fresh) TRY_OK(SyncFolder(file.parent_path()));
  whole = end;
  return Ok();
}

Result<KeptSecret> FindKept(const fs::path& file, const Digest& statement) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return Refuse(Reason::kNotFound);
  TRY(auto bytes, io::ReadFile(file, kMost));
  std::optional<KeptSecret> found;
  const auto scan = ReadAll(bytes, [&](ByteView item) {
    if (*Digest::From(item.first(Digest::kSize)) != statement) return;
    found = KeptSecret{statement, *KeyId::From(item.subspan(Digest::kSize, KeyId::kSize)),
                       *Point::From(item.subspan(Digest::kSize + KeyId::kSize, Point::kSize)),
                       ToBytes(item.subspan(kHead))};
  });
  if (found) return *std::move(found);
  if (!scan.rest_is_torn) return Damaged(file, scan.end);
  return Refuse(Reason::kNotFound);
}

}  // namespace valija::client
