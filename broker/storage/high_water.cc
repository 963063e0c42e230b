#include "broker/storage/high_water.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "broker/oplog.h"
#include "core/crypto/hash.h"
#include "core/io/file.h"

namespace valija::broker {
namespace {

constexpr std::string_view kMagic = "valijaHW";
constexpr std::size_t kHead = 8 + 8 + 4;
static_assert(kHead + HighWater::kMaxNote + Hash::kSize <= HighWater::kSlotSize);

struct Slot {
  std::uint64_t sequence = 0;
  std::string note;
};

Bytes EncodeSlot(std::uint64_t sequence, std::string_view note) {
  Bytes out = ToBytes(AsBytes(kMagic));
  AppendU64(out, sequence);
  AppendU32(out, static_cast<std::uint32_t>(note.size()));
  Append(out, AsBytes(note));
  Append(out, crypto::Sha256(out));
  out.resize(HighWater::kSlotSize);
  return out;
}

std::optional<Slot> DecodeSlot(ByteView bytes) {
  if (bytes.size() != HighWater::kSlotSize || !Equal(bytes.first(8), AsBytes(kMagic))) return std::nullopt;
  std::size_t length = ReadU32(bytes.data() + 16);
  if (length == 0 || length > HighWater::kMaxNote) return std::nullopt;
  if (!Equal(crypto::Sha256(bytes.first(kHead + length)), bytes.subspan(kHead + length, Hash::kSize))) {
    return std::nullopt;
  }
  return Slot{ReadU64(bytes.data() + 8), ToString(bytes.subspan(kHead, length))};
}

Error FileError(const std::filesystem::path& path, const char* what) {
  return Refuse(Reason::kFile, path.string() + ": " + what + ": " + std::strerror(errno));
}

bool WriteAll(int fd, ByteView bytes, off_t at) {
  while (!bytes.empty()) {
    ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), at);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    at += done;
  }
  return true;
}

// The size that a mark's note states; enough to tell a mark at 0. nullopt: not a checkpoint.
std::optional<std::string_view> SizeLine(std::string_view note) {
  auto first = note.find('\n');
  if (first == std::string_view::npos) return std::nullopt;
  auto rest = note.substr(first + 1);
  auto second = rest.find('\n');
  if (second == std::string_view::npos) return std::nullopt;
  return rest.substr(0, second);
}

}  // namespace

HighWater::HighWater(std::filesystem::path path, Duration sync_every)
    : path_(std::move(path)), sync_every_(sync_every) {}

Result<std::unique_ptr<HighWater>> HighWater::Open(const std::filesystem::path& path, Duration sync_every) {
  std::unique_ptr<HighWater> mark(new HighWater(path, sync_every));
  TRY_OK(mark->Load());
  mark->thread_ = std::thread([raw = mark.get()] { raw->Run(); });
  return mark;
}

HighWater::~HighWater() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (fd_ >= 0) {
    if (auto synced = Sync(); !synced)
      Log(Level::kAlarm, "high-water-sync-failed", {{"reason", std::string(CodeOf(synced.error().reason))}});
    ::close(fd_);
  }
}

Status HighWater::Load() {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd_ < 0) {
    if (errno == ENOENT) return Ok();
    return FileError(path_, "cannot be opened");
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Refuse(Reason::kLocked, path_.string());
    return FileError(path_, "cannot be locked");
  }
  bool found = false;
  for (std::size_t i = 0; i < kSlots; ++i) {
    Bytes bytes(kSlotSize);
    ssize_t got = 0;
    do {
      got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(i * kSlotSize));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return FileError(path_, "cannot be read");
    bytes.resize(static_cast<std::size_t>(got));
    auto slot = DecodeSlot(bytes);
    if (!slot || (found && slot->sequence <= sequence_)) continue;
    found = true;
    sequence_ = slot->sequence;
    note_ = std::move(slot->note);
    newest_ = synced_ = syncing_ = i;
  }
  if (!found) return Refuse(Reason::kCorrupt, "no slot of the high-water mark is good: " + path_.string());
  // The newest may be in the page cache only. From now on it is the one that stands.
  if (::fdatasync(fd_) != 0) return FileError(path_, "cannot be synced");
  return Ok();
}

std::optional<std::string> HighWater::note() const {
  std::lock_guard lock(mutex_);
  if (fd_ < 0) return std::nullopt;
  return note_;
}

Status HighWater::CheckPresence(bool store_exists, bool make) const {
  auto mark = note();
  if (make) {
    // A mark at 0 is left by a making that was cut short before the charter's entry was durable: it may go on.
    if (mark && SizeLine(*mark) != "0") return Refuse(Reason::kExists, "a high-water mark: " + path_.string());
    return Ok();
  }
  if (!store_exists && !mark) return Refuse(Reason::kNotReady, "there is no log here yet; make one from a charter");
  if (!store_exists) return Refuse(Reason::kRolledBack, "the high-water mark stands and the store is missing");
  if (!mark) {
    return Refuse(Reason::kRolledBack, "the store stands and its high-water mark is missing: " + path_.string());
  }
  return Ok();
}

Status HighWater::Initialise(std::string_view note) {
  std::unique_lock lock(mutex_);
  if (fd_ >= 0) return Refuse(Reason::kExists, path_.string());
  if (note.empty() || note.size() > kMaxNote) return Refuse(Reason::kTooLarge, "a mark is 1 to 4000 bytes");
  Bytes file = EncodeSlot(1, note);
  file.resize(kSlots * kSlotSize);
  TRY_OK(io::WriteNewFile(path_, file, 0600));
  return Load();
}

Status HighWater::Write(std::string_view note) {
  std::unique_lock lock(mutex_);
  if (fd_ < 0) return Refuse(Reason::kFile, "there is no high-water mark: " + path_.string());
  if (broken_) return Refuse(Reason::kFile, "an earlier write of the high-water mark failed");
  if (note.empty() || note.size() > kMaxNote) return Refuse(Reason::kTooLarge, "a mark is 1 to 4000 bytes");
  std::size_t slot = 0;
  while (slot == newest_ || slot == synced_ || slot == syncing_) ++slot;  // at most three are taken
  if (!WriteAll(fd_, EncodeSlot(sequence_ + 1, note), static_cast<off_t>(slot * kSlotSize))) {
    broken_ = true;
    return FileError(path_, "cannot be written");
  }
  ++sequence_;
  note_ = note;
  newest_ = slot;
  dirty_ = true;
  return Ok();
}

Status HighWater::Sync() {
  std::unique_lock lock(mutex_);
  return SyncLocked(lock);
}

Status HighWater::SyncLocked(std::unique_lock<std::mutex>& lock) {
  wake_.wait(lock, [this] { return !sync_running_; });
  if (broken_) return Refuse(Reason::kFile, "an earlier write of the high-water mark failed");
  if (!dirty_) return Ok();
  dirty_ = false;
  sync_running_ = true;
  syncing_ = newest_;
  lock.unlock();
  bool done = ::fdatasync(fd_) == 0;
  lock.lock();
  sync_running_ = false;
  // After a failed sync nobody knows what is on the disk: the mark is not to be trusted any more.
  if (done) {
    synced_ = syncing_;
  } else {
    broken_ = true;
  }
  wake_.notify_all();
  return done ? Ok() : Status(FileError(path_, "cannot be synced"));
}

void HighWater::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, sync_every_, [this] { return stopping_; });
    if (!dirty_ || broken_) continue;
    if (auto synced = SyncLocked(lock); !synced) {
      Log(Level::kAlarm, "high-water-sync-failed", {{"reason", std::string(CodeOf(synced.error().reason))}});
    }
  }
}

}  // namespace valija::broker
