#include "broker/export.h"

#include <algorithm>

#include "core/io/file.h"
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

// From where the builder is to the checkpoint. Was there a purge among them?
Result<bool> WriteTo(const fs::path& folder, const Journal& journal, const log::SignedCheckpoint& checkpoint,
                     proto::ExportBuilder& builder) {
  bool purged = false;
  while (builder.size() < checkpoint.size()) {
    std::size_t count = std::min<std::uint64_t>(kChunk, checkpoint.size() - builder.size());
    TRY(auto entries, journal.Read(builder.size(), count, kChunkBytes));
    if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(builder.size()) + " is missing");
    for (const auto& entry : entries) {
      purged = purged || IsPurge(entry);
      TRY_OK(builder.Add(entry));
    }
    TRY_OK(WriteFiles(folder, builder.TakeReady()));
  }
  TRY(auto last, builder.Finish(checkpoint));
  TRY_OK(WriteFiles(folder, last));
  for (const auto& path : builder.Superseded()) {
    std::error_code ignored;  // a superfluous file does no harm
    fs::remove(folder / path, ignored);
    fs::remove((folder / path).parent_path(), ignored);  // "000.p", once it is empty
  }
  return purged;
}

}  // namespace

Result<std::uint64_t> ExportLog(const fs::path& folder, const Journal& journal, const log::SignedCheckpoint& checkpoint,
                                const log::NoteVerifier& log_key) {
  TRY(auto builder, Begin(folder, checkpoint, log_key));
  const std::uint64_t from = builder.size();
  TRY(const bool purged, WriteTo(folder, journal, checkpoint, builder));
  if (purged && from > 0) {  // files from before may hold what is erased since
    builder = proto::ExportBuilder();
    TRY_OK(WriteTo(folder, journal, checkpoint, builder));
  }
  return checkpoint.size() - from;
}

}  // namespace valija::broker
