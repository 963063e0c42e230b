#include "audit/export_reader.h"

#include <algorithm>

#include "core/io/file.h"
#include "core/log/note.h"
#include "core/log/tile.h"
#include "proto/export.h"

namespace valija::audit {

Result<ExportReader> ExportReader::Open(const std::filesystem::path& folder) {
  ExportReader reader;
  reader.folder_ = folder;
  TRY(reader.note_, io::ReadText(folder / "checkpoint", 1 << 20));
  TRY(auto note, log::Note::Parse(reader.note_));
  TRY(auto checkpoint, log::Checkpoint::ParseBody(note.text));
  reader.size_ = checkpoint.size;
  // After the checkpoint, before which it is written: so it is not older than what came with that.
  std::error_code ignored;
  if (std::filesystem::exists(folder / proto::kWitnessedFile, ignored)) {
    TRY(reader.witnessed_, io::ReadText(folder / proto::kWitnessedFile, 1 << 20));
  }
  return reader;
}

Result<Bytes> ExportReader::File(const std::string& path) const {
  return io::ReadFile(folder_ / path, std::size_t{1} << 31);
}

log::TileReader ExportReader::tiles() const {
  return [this](log::TileId id, unsigned) -> std::optional<Bytes> {
    const unsigned width = log::WidthOf(id, size_);
    if (width == 0) return std::nullopt;
    auto bytes = File(log::TilePath(id, width));
    return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
  };
}

Result<std::vector<Bytes>> ExportReader::EntriesFile(std::uint64_t n) const {
  const auto width = static_cast<unsigned>(std::min<std::uint64_t>(log::kTileWidth, size_ - n * log::kTileWidth));
  const auto path = proto::EntriesPath(n, width);
  // What the checkpoint calls for and nobody finds is damage, not a fault of who looks.
  std::error_code ignored;
  if (!std::filesystem::exists(folder_ / path, ignored)) return Refuse(Reason::kCorrupt, path + " is not there");
  TRY(auto bytes, File(path));
  auto entries = proto::ParseEntriesFile(bytes);
  if (!entries) return Refuse(Reason::kCorrupt, path + ": " + entries.error().Message());
  if (entries->size() != width)
    return Refuse(Reason::kCorrupt,
                  path + " holds " + std::to_string(entries->size()) + " entries, not " + std::to_string(width));
  return entries;
}

void ExportReader::ForEach(const std::function<bool(std::uint64_t, const Result<proto::LoggedEntry>&)>& each) const {
  for (std::uint64_t n = 0; n * log::kTileWidth < size_; ++n) {
    auto file = EntriesFile(n);
    const std::uint64_t first = n * log::kTileWidth;
    if (!file) {
      if (!each(first, file.error())) return;
      continue;
    }
    for (std::size_t i = 0; i < file->size(); ++i)
      if (!each(first + i, proto::DecodeLoggedEntry((*file)[i]))) return;
  }
}

}  // namespace valija::audit
