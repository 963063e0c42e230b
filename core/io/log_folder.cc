#include "core/io/log_folder.h"

namespace valija::io {
namespace {

constexpr std::size_t kMaxFile = std::size_t{32} << 20;
constexpr const char* kCheckpoint = "checkpoint";
constexpr const char* kFork = "FORK";

bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

Result<LogFolder> LogFolder::Open(const fs::path& folder, std::span<const log::NoteVerifier> keys) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Refuse(Reason::kFile, folder.string() + ": " + error.message());
  TRY(auto lock, FileLock::Take(folder / ".lock"));
  LogFolder out(folder, std::move(lock), keys);
  if (IsThere(folder / kFork)) {
    return Refuse(Reason::kFork,
                  (folder / kFork).string() + " has both checkpoints; it goes on when a person removed it");
  }
  if (IsThere(folder / kCheckpoint)) {
    TRY(auto note, ReadText(folder / kCheckpoint, 1 << 20));
    auto checkpoint = out.Verify(note);
    if (!checkpoint) return Refuse(Reason::kBadCheckpoint, "the one in " + folder.string() + " is not by this key");
    out.checkpoint_ = *std::move(checkpoint);
  }
  return out;
}

Result<log::SignedCheckpoint> LogFolder::Verify(const std::string& note) const {
  Result<log::SignedCheckpoint> out = Refuse(Reason::kBadCheckpoint);
  for (const auto& key : keys_) {
    out = log::SignedCheckpoint::Verify(note, key.name, key);
    if (out) break;
  }
  return out;
}

Result<log::Mirrored> LogFolder::Continue(const std::string& note, const Fetch& fetch, bool all,
                                          const Progress& progress) {
  TRY(auto now, Verify(note));
  log::MirrorPorts ports;
  ports.fetch = fetch;
  ports.progress = progress;
  ports.kept = [this](const std::string& path) -> std::optional<Bytes> {
    auto bytes = ReadFile(folder_ / path, kMaxFile);
    return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
  };
  ports.keep = [this](const std::string& path, ByteView content) -> Status {
    std::error_code error;
    fs::create_directories((folder_ / path).parent_path(), error);
    if (error) return Refuse(Reason::kFile, (folder_ / path).parent_path().string() + ": " + error.message());
    return WriteFileAtomic(folder_ / path, content);
  };
  const auto before = checkpoint_ ? std::optional(checkpoint_->checkpoint()) : std::nullopt;
  auto done = log::Mirror(before, now.checkpoint(), ports, all);
  if (!done) {
    if (done.error().reason == Reason::kFork) {
      const auto evidence =
          "Two checkpoints that this log's key signed, and no tree contains both.\n\nSeen before:\n\n" +
          checkpoint_->note() + "\nShown now:\n\n" + note;
      TRY_OK(WriteFileAtomic(folder_ / kFork, AsBytes(evidence)));
    }
    return done;
  }
  if (!checkpoint_ || checkpoint_->note() != note) TRY_OK(WriteFileAtomic(folder_ / kCheckpoint, AsBytes(note)));
  if (checkpoint_) {
    std::error_code ignored;  // what stays is superfluous, not wrong
    for (const auto& path : log::SupersededPartials(checkpoint_->size(), now.size())) {
      fs::remove_all(folder_ / path, ignored);
    }
  }
  checkpoint_ = std::move(now);
  return done;
}

}  // namespace valija::io
