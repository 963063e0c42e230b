#include "proto/export.h"

namespace valija::proto {
namespace {

constexpr unsigned kFull = log::kTileWidth;

Error Damaged(const std::string& path) { return Refuse(Reason::kCorrupt, "the export's " + path); }

}  // namespace

std::string EntriesPath(std::uint64_t index, unsigned width) {
  // "tile/entries/x001/234.p/7" -> "entries/x001/234.p/7.pb"
  return log::BundlePath(index, width).substr(std::string_view("tile/").size()) + ".pb";
}

std::set<std::string> PartialFiles(std::uint64_t size) {
  std::set<std::string> out;
  for (unsigned level = 0; level < log::kTileLevels; ++level) {
    const unsigned width = log::PartialWidth(level, size);
    if (width == 0) continue;
    const std::uint64_t index = size >> (8 * level) >> 8;
    out.insert(log::TilePath({level, index}, width));
    if (level != 0) continue;
    out.insert(log::BundlePath(index, width));
    out.insert(EntriesPath(index, width));
  }
  return out;
}

Result<std::vector<Bytes>> ParseEntriesFile(ByteView file) {
  std::vector<Bytes> out;
  while (!file.empty()) {
    if (file.size() < 4 || out.size() == kFull) return Refuse(Reason::kMalformed, "an entries file");
    std::size_t length = ReadU32(file.data());
    file = file.subspan(4);
    if (file.size() < length) return Refuse(Reason::kMalformed, "an entries file that is cut short");
    out.push_back(ToBytes(file.first(length)));
    file = file.subspan(length);
  }
  if (out.empty()) return Refuse(Reason::kMalformed, "an empty entries file");
  return out;
}

Result<ExportBuilder> ExportBuilder::Continue(const log::Checkpoint& checkpoint, const FileReader& read) {
  ExportBuilder out;
  log::TileReader tiles = [&](log::TileId id, unsigned width) { return read(log::TilePath(id, width)); };
  TRY(out.tree_, log::Tree::Load(checkpoint.size, checkpoint.root, tiles));
  out.continued_from_ = checkpoint.size;
  unsigned width = log::PartialWidth(0, checkpoint.size);
  if (width == 0) return out;

  std::uint64_t index = checkpoint.size / kFull;
  TRY(Bytes hashes, log::ReadTile(tiles, {0, index}, width));
  auto bundle = read(log::BundlePath(index, width));
  auto commitments = bundle ? log::ParseBundle(*bundle) : std::nullopt;
  if (!commitments || commitments->size() != width) return Damaged(log::BundlePath(index, width));
  auto entries = read(EntriesPath(index, width));
  if (!entries) return Damaged(EntriesPath(index, width));
  auto parsed = ParseEntriesFile(*entries);
  if (!parsed || parsed->size() != width) return Damaged(EntriesPath(index, width));
  for (unsigned i = 0; i < width; ++i) {
    if (!Equal(log::LeafHash((*commitments)[i]), ByteView(hashes).subspan(i * Hash::kSize, Hash::kSize))) {
      return Damaged(log::BundlePath(index, width));
    }
    auto entry = DecodeLoggedEntry((*parsed)[i]);
    if (!entry || !Equal(entry->commitment, (*commitments)[i])) return Damaged(EntriesPath(index, width));
  }
  out.bundle_ = *std::move(bundle);
  out.entries_ = *std::move(entries);
  return out;
}

void ExportBuilder::Add(const LoggedEntry& entry) { Add(entry.commitment, EncodeLoggedEntry(entry)); }

Status ExportBuilder::Add(ByteView logged_entry) {
  TRY(LoggedEntry entry, DecodeLoggedEntry(logged_entry));
  Add(entry.commitment, logged_entry);
  return Ok();
}

void ExportBuilder::Add(const Commitment& commitment, ByteView logged_entry) {
  if (logged_entry.size() > 0xffff'ffff) throw std::length_error("an entry is less than 4 GiB");
  tree_.Append(ledger::EntryLeaf(commitment));
  log::AppendBundleEntry(bundle_, commitment);
  AppendU32(entries_, static_cast<std::uint32_t>(logged_entry.size()));
  Append(entries_, logged_entry);
  if (tree_.size() % kFull != 0) return;
  std::uint64_t index = tree_.size() / kFull - 1;
  // What has events in it can be told from a log's public side, however little of it was written.
  ready_.push_back({EntriesPath(index, kFull), std::move(entries_)});
  ready_.push_back({log::BundlePath(index, kFull), std::move(bundle_)});
  bundle_.clear();
  entries_.clear();
  TakeTiles();
}

void ExportBuilder::TakeTiles() {
  for (auto& [id, hashes] : tree_.TakeChangedTiles()) {
    auto width = static_cast<unsigned>(hashes.size() / Hash::kSize);
    ExportFile file{log::TilePath(id, width), hashes};
    if (width == kFull) {
      ready_.push_back(std::move(file));
      partial_.erase(id.level);
    } else {
      partial_.insert_or_assign(id.level, std::move(file));
    }
  }
}

std::vector<ExportFile> ExportBuilder::TakeReady() { return std::exchange(ready_, {}); }

std::string WrittenAnew(std::uint64_t size) { return "written-anew-to-" + std::to_string(size) + "\n"; }

Result<std::vector<ExportFile>> ExportBuilder::Finish(const log::SignedCheckpoint& checkpoint,
                                                      const std::string& witnessed) {
  if (checkpoint.size() != tree_.size() || checkpoint.root() != tree_.Root()) {
    return Refuse(Reason::kFork, "the entries do not give the checkpoint's root");
  }
  TakeTiles();
  std::vector<ExportFile> out = TakeReady();
  if (unsigned width = log::PartialWidth(0, tree_.size()); width != 0 && tree_.size() > continued_from_) {
    std::uint64_t index = tree_.size() / kFull;
    out.push_back({EntriesPath(index, width), entries_});
    out.push_back({log::BundlePath(index, width), bundle_});
  }
  for (const auto& [level, file] : partial_) out.push_back(file);
  if (!witnessed.empty()) out.push_back({kWitnessedFile, ToBytes(AsBytes(witnessed))});
  out.push_back({"checkpoint", ToBytes(AsBytes(checkpoint.note()))});
  return out;
}

}  // namespace valija::proto
