#include "core/io/log_folder.h"

#include <algorithm>

namespace valija::io {
namespace {

constexpr std::size_t kMaxFile = std::size_t{32} << 20;
constexpr const char* kCheckpoint = "checkpoint";
constexpr const char* kFork = "FORK";

constexpr std::size_t kMostLines = 100, kMostBytes = std::size_t{64} << 10;  // of a note

bool SameKey(const log::NoteSignature& one, const log::NoteSignature& other) {
  return one.name == other.name && one.key_id == other.key_id;
}

// Of one tree, both verified: what was shown first and what is shown now. Who signed it once signed it, whatever the log
// shows later. Of one key the first line stays and the latest, as whose it is cannot be told here: a witness signs the same
// tree again and again, and what bears its name may be no signature of it.
std::string Merged(const std::string& before, const std::string& now) {
  const auto old = log::Note::Parse(before), shown = log::Note::Parse(now);
  if (!old || !shown) return now;
  if (old->text != shown->text) return old->signatures.size() > shown->signatures.size() ? before : now;
  auto lines = old->signatures;
  std::string out;
  const auto write = [&] {
    out = old->text + "\n";
    for (const auto& line : lines) out += line.Line();
  };
  for (const auto& line : shown->signatures) {
    const auto same = [&](const log::NoteSignature& one) { return SameKey(one, line); };
    const auto first = std::find_if(lines.begin(), lines.end(), same);
    if (first != lines.end() && first->signature == line.signature) continue;
    const auto kept = lines;
    if (first != lines.end()) lines.erase(std::remove_if(first + 1, lines.end(), same), lines.end());
    lines.push_back(line);
    write();
    if (lines.size() > kMostLines || out.size() > kMostBytes) lines = kept;
  }
  write();
  return out;
}

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
  if (checkpoint_ && checkpoint_->size() == now.size()) {
    TRY(now, Verify(Merged(checkpoint_->note(), note)));
  }
  if (!checkpoint_ || checkpoint_->note() != now.note())
    TRY_OK(WriteFileAtomic(folder_ / kCheckpoint, AsBytes(now.note())));
  if (checkpoint_) {
    std::error_code ignored;  // what stays is superfluous, not wrong
    for (const auto& path : log::SupersededPartials(checkpoint_->size(), now.size())) {
      fs::remove_all(folder_ / path, ignored);
    }
  }
  checkpoint_ = std::move(now);
  return done;
}

Status RemovePartials(const fs::path& folder, const std::set<std::string>& but) {
  std::vector<fs::path> superseded;
  std::error_code error;
  for (const char* part : {"tile", "entries"}) {
    if (!fs::exists(folder / part, error)) continue;
    for (fs::recursive_directory_iterator at(folder / part, error), end; !error && at != end; at.increment(error)) {
      const fs::path path = at->path().lexically_relative(folder);
      if (path.parent_path().extension() == ".p" && !but.contains(path.string())) superseded.push_back(path);
    }
    if (error) return Refuse(Reason::kFile, (folder / part).string() + ": " + error.message());
  }
  for (const auto& path : superseded) {
    fs::remove(folder / path, error);
    if (error) return Refuse(Reason::kFile, (folder / path).string() + ": " + error.message());
    std::error_code ignored;
    fs::remove((folder / path).parent_path(), ignored);  // "000.p", once it is empty
  }
  return Ok();
}

bool IsPublicSide(const fs::path& folder) { return IsThere(folder / "tile") && !IsThere(folder / "entries"); }

}  // namespace valija::io
