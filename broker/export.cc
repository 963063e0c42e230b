#include "broker/export.h"

#include <algorithm>

#include "broker/public_log.h"
#include "core/io/file.h"
#include "core/io/log_folder.h"
#include "proto/convert.h"
#include "proto/export.h"

namespace valija::broker {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = 256, kChunkBytes = std::size_t{8} << 20;

Status WriteFiles(const fs::path& folder, const std::vector<proto::ExportFile>& files) {
  for (const auto& file : files) {
    fs::path path = folder / file.path;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return Refuse(Reason::kFile, path.parent_path().string() + ": " + error.message());
    TRY_OK(io::WriteFileAtomic(path, file.content));
  }
  return Ok();
}

Result<proto::ExportBuilder> Begin(const fs::path& folder, const log::SignedCheckpoint& checkpoint,
                                   const log::NoteVerifier& log_key) {
  std::error_code error;
  if (!fs::exists(folder / "checkpoint", error)) return proto::ExportBuilder();
  TRY(auto note, io::ReadText(folder / "checkpoint"));
  TRY(auto old, log::SignedCheckpoint::Verify(note, checkpoint.checkpoint().origin, log_key));
  if (old.size() > checkpoint.size()) {
    return Refuse(Reason::kRolledBack, "the export there has " + std::to_string(old.size()) + " entries");
  }
  return proto::ExportBuilder::Continue(old.checkpoint(), [&](const std::string& path) -> std::optional<Bytes> {
    auto bytes = io::ReadFile(folder / path, std::size_t{1} << 31);
    return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
  });
}

bool IsPurge(const Bytes& entry) {
  auto logged = proto::DecodeLoggedEntry(entry);
  return logged && logged->envelope && logged->envelope->payload_type == ledger::PayloadType(ledger::Kind::kPurge);
}

// Is there a purge from this entry on?
Result<bool> HasPurge(const Journal& journal, std::uint64_t from, std::uint64_t size) {
  while (from < size) {
    TRY(auto entries, journal.Read(from, std::min<std::uint64_t>(kChunk, size - from), kChunkBytes));
    if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(from) + " is missing");
    if (std::any_of(entries.begin(), entries.end(), IsPurge)) return true;
    from += entries.size();
  }
  return false;
}

// From where the builder is to the checkpoint, which is written last.
Status WriteTo(const fs::path& folder, const Journal& journal, const log::SignedCheckpoint& checkpoint,
               proto::ExportBuilder& builder, const std::string& witnessed) {
  while (builder.size() < checkpoint.size()) {
    std::size_t count = std::min<std::uint64_t>(kChunk, checkpoint.size() - builder.size());
    TRY(auto entries, journal.Read(builder.size(), count, kChunkBytes));
    if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(builder.size()) + " is missing");
    for (const auto& entry : entries) TRY_OK(builder.Add(entry));
    TRY_OK(WriteFiles(folder, builder.TakeReady()));
  }
  TRY(auto last, builder.Finish(checkpoint, witnessed));
  return WriteFiles(folder, last);
}

}  // namespace

Result<std::uint64_t> ExportLog(const fs::path& folder, const Journal& journal, const log::SignedCheckpoint& checkpoint,
                                const log::NoteVerifier& log_key, const std::string& witnessed) {
  if (io::IsPublicSide(folder)) {
    return Refuse(Reason::kUsage,
                  folder.string() + " has the public side of a log; what is in the log is not to go there");
  }
  TRY(auto builder, Begin(folder, checkpoint, log_key));
  const std::uint64_t from = builder.size();
  // Files from before may hold what is erased since. The checkpoint there is the word that they are to be written anew, so
  // it stays what it is until they are.
  TRY(const bool purged, HasPurge(journal, from, checkpoint.size()));
  if (purged && from > 0) {
    builder = proto::ExportBuilder();
    // Whoever reads meanwhile sees files of two moments: said before the first is written, and until the checkpoint is.
    TRY_OK(io::WriteFileAtomic(folder / proto::kRewrittenFile, AsBytes(proto::kBeingWritten)));
  }
  TRY_OK(WriteTo(folder, journal, checkpoint, builder, witnessed));
  if (purged && from > 0)
    TRY_OK(io::WriteFileAtomic(folder / proto::kRewrittenFile, AsBytes(proto::WrittenAnew(checkpoint.size()))));
  TRY_OK(io::RemovePartials(folder, proto::PartialFiles(checkpoint.size())));  // they may hold what was erased since
  return checkpoint.size() - from;
}

Result<std::uint64_t> ExportPublic(const fs::path& folder, const Journal& journal,
                                   const log::SignedCheckpoint& checkpoint,
                                   std::span<const log::NoteVerifier> log_keys) {
  std::error_code ignored;
  if (fs::exists(folder / "entries", ignored)) {
    return Refuse(Reason::kUsage, folder.string() + " has an export with events in it; name another folder");
  }
  PublicLog log(
      journal, [&] { return checkpoint.size(); }, [&] { return Result<std::string>(checkpoint.note()); });
  TRY(auto copy, io::LogFolder::Open(folder, log_keys));
  const auto fetch = [&log](const std::string& path, std::size_t) -> Result<Bytes> {
    auto answer = log.Get("/" + path);
    if (answer.status == 200) return std::move(answer.body);
    return Refuse(answer.status == 404 ? Reason::kNotFound : Reason::kCorrupt, path + " cannot be read from the store");
  };
  TRY(const auto done, copy.Continue(checkpoint.note(), fetch, false));
  return done.entries;
}

}  // namespace valija::broker
