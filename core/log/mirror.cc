#include "core/log/mirror.h"

#include <map>

namespace valija::log {
namespace {

constexpr std::size_t kTileBytes = kTileWidth * Hash::kSize;
constexpr std::size_t kBundleBytes = kTileWidth * (2 + std::size_t{0xffff});
constexpr std::size_t kHeldTiles = 256;  // 2 MiB

// The tiles of the tree under one checkpoint, each verified when it is first asked for.
class Verified {
 public:
  Verified(const Checkpoint& under, const MirrorPorts& ports) : size_(under.size), root_(under.root), ports_(ports) {}

  // The partial tiles at the right edge, which give the root together.
  Status Begin() {
    for (unsigned level = 0; level < kTileLevels; ++level) {
      const unsigned width = PartialWidth(level, size_);
      if (width == 0) continue;
      const TileId id{level, size_ >> (8 * level) >> 8};
      TRY(edge_[id], Fetch(id, width));
    }
    const auto tree = Tree::Load(size_, root_, [this](TileId id, unsigned) -> std::optional<Bytes> {
      const auto at = edge_.find(id);
      return at == edge_.end() ? std::nullopt : std::optional(at->second);
    });
    if (!tree) return Refuse(Reason::kBadProof, "the tiles at the log's end do not give the checkpoint's root");
    return Ok();
  }

  // The tile as wide as the tree has it. A full one of the copy is as good as the log's, if it holds.
  Result<Bytes> Tile(TileId id) {
    if (const auto at = edge_.find(id); at != edge_.end()) return at->second;
    if (const auto at = held_.find(id); at != held_.end()) return at->second;
    const TileId above{id.level + 1, id.index / kTileWidth};
    TRY(const auto hashes, Tile(above));
    const auto own = ByteView(hashes).subspan(id.index % kTileWidth * Hash::kSize, Hash::kSize);
    auto tile = ports_.kept(TilePath(id, kTileWidth));
    if (!tile || tile->size() != kTileBytes || !Equal(TileRoot(*tile), own)) {
      TRY(tile, Fetch(id, kTileWidth));
      if (!Equal(TileRoot(*tile), own)) {
        return Refuse(Reason::kBadProof, TilePath(id, kTileWidth) + " is not under the checkpoint");
      }
    }
    if (held_.size() >= kHeldTiles) held_.clear();
    held_.insert_or_assign(id, *tile);
    return *std::move(tile);
  }

  // The entries of a level-0 tile.
  Result<Bytes> Bundle(std::uint64_t index, unsigned width, ByteView tile) {
    const auto path = BundlePath(index, width);
    if (auto kept = ports_.kept(path); kept && Holds(*kept, width, tile)) return *std::move(kept);
    TRY(auto fetched, FetchOrWider(path, BundlePath(index, kTileWidth), kBundleBytes));
    auto& bundle = fetched.content;
    if (const auto end = Cut(bundle, width); fetched.wider && end) bundle.resize(*end);
    if (!Holds(bundle, width, tile)) return Refuse(Reason::kBadProof, path + " does not hash to its tile");
    return std::move(bundle);
  }

  std::uint64_t fetched() const { return fetched_; }

 private:
  Result<Bytes> Fetch(TileId id, unsigned width) {
    TRY(auto fetched, FetchOrWider(TilePath(id, width), TilePath(id, kTileWidth), kTileBytes));
    if (fetched.content.size() != (fetched.wider ? kTileWidth : width) * Hash::kSize) {
      return Refuse(Reason::kBadProof, TilePath(id, width) + " has a wrong length");
    }
    fetched.content.resize(width * Hash::kSize);
    return std::move(fetched.content);
  }
  // A log may drop a partial file once it has the full one.
  struct Fetched {
    Bytes content;
    bool wider = false;
  };
  Result<Fetched> FetchOrWider(const std::string& path, const std::string& full, std::size_t limit) {
    ++fetched_;
    for (const bool wider : {false, true}) {
      auto content = ports_.fetch(wider ? full : path, limit);
      if (content) return Fetched{*std::move(content), wider};
      if (content.error().reason != Reason::kNotFound) return content.error();
      if (path == full) break;
    }
    return Refuse(Reason::kBadProof, "the checkpoint calls for " + path + ", and the log has none");
  }
  // Where the first `width` entries end.
  static std::optional<std::size_t> Cut(ByteView bundle, unsigned width) {
    std::size_t at = 0;
    for (unsigned i = 0; i < width; ++i) {
      if (bundle.size() < at + 2) return std::nullopt;
      at += 2 + static_cast<std::size_t>(bundle[at] << 8 | bundle[at + 1]);
    }
    return at <= bundle.size() ? std::optional(at) : std::nullopt;
  }
  static bool Holds(ByteView bundle, unsigned width, ByteView tile) {
    const auto entries = ParseBundle(bundle);
    if (!entries || entries->size() != width) return false;
    for (std::size_t i = 0; i < width; ++i) {
      if (!Equal(LeafHash((*entries)[i]), tile.subspan(i * Hash::kSize, Hash::kSize))) return false;
    }
    return true;
  }

  const std::uint64_t size_;
  const Hash root_;
  const MirrorPorts& ports_;
  std::map<TileId, Bytes> edge_, held_;
  std::uint64_t fetched_ = 0;
};

// The root that the tree had at a former size.
Result<Hash> FormerRoot(std::uint64_t size, Verified& tiles) {
  std::optional<Error> failed;
  auto root = RootAt(size, [&](TileId id, unsigned) -> std::optional<Bytes> {
    auto tile = tiles.Tile(id);
    if (tile) return *std::move(tile);
    failed = tile.error();
    return std::nullopt;
  });
  if (failed) return *failed;
  return root;
}

// Against the copy's own tiles, as the log says that it has fewer. They are verified too: damage is no fork.
Status RefuseSmaller(const Checkpoint& before, const Checkpoint& now, const MirrorPorts& ports) {
  MirrorPorts own = ports;
  own.fetch = [&ports](const std::string& path, std::size_t) -> Result<Bytes> {
    auto kept = ports.kept(path);
    if (!kept) return Refuse(Reason::kNotFound);
    return *std::move(kept);
  };
  Verified tiles(before, own);
  auto known = tiles.Begin();
  auto root = known ? FormerRoot(now.size, tiles) : known.error();
  if (!root) return Refuse(Reason::kCorrupt, "the copy is damaged: " + root.error().detail);
  if (*root != now.root) {
    return Refuse(Reason::kFork, "it shows another tree of " + std::to_string(now.size) + " entries");
  }
  return Refuse(Reason::kRolledBack,
                "it shows " + std::to_string(now.size) + " entries, and there were " + std::to_string(before.size));
}

}  // namespace

Result<Mirrored> Mirror(const std::optional<Checkpoint>& before, const Checkpoint& now, const MirrorPorts& ports,
                        bool all) {
  const std::uint64_t had = before ? before->size : 0;
  if (had > now.size) TRY_OK(RefuseSmaller(*before, now, ports));
  if (before && had == now.size && before->root != now.root) {
    return Refuse(Reason::kFork, "it shows another tree of " + std::to_string(now.size) + " entries");
  }
  Mirrored out;
  if (had == now.size && !all) return out;
  Verified tiles(now, ports);
  TRY_OK(tiles.Begin());
  if (had != 0 && had < now.size) {
    TRY(const auto root, FormerRoot(had, tiles));
    if (root != before->root) {
      return Refuse(Reason::kFork, "its tree of " + std::to_string(now.size) + " entries does not contain that of " +
                                       std::to_string(had) + " which was seen before");
    }
  }

  const auto keep = [&](const std::string& path, const Bytes& content) -> Status {
    if (ports.kept(path) == content) return Ok();
    return ports.keep(path, content);
  };
  const auto take = [&](const TileRef& ref) -> Status {
    TRY(const auto tile, tiles.Tile(ref.id));
    TRY_OK(keep(TilePath(ref.id, ref.width), tile));
    ++out.tiles;
    if (ref.id.level != 0) return Ok();
    TRY(const auto bundle, tiles.Bundle(ref.id.index, ref.width, tile));
    TRY_OK(keep(BundlePath(ref.id.index, ref.width), bundle));
    ++out.bundles;
    if (ports.progress) ports.progress(ref.id.index * kTileWidth + ref.width, now.size);
    return Ok();
  };
  // From the top, so that what a tile is held against is kept already; partial files last, so that a run that is cut short
  // leaves none which no checkpoint calls for.
  // One by one and never as a list: how many there are is what the log says, and it may say anything.
  const std::uint64_t from = all ? 0 : had;
  for (const bool full : {true, false}) {
    for (unsigned level = kTileLevels; level-- > 0;) {
      const auto before_it = from >> (8 * level), hashes = now.size >> (8 * level);
      if (hashes <= before_it) continue;
      if (full) {
        for (auto index = before_it / kTileWidth; index < hashes / kTileWidth; ++index)
          TRY_OK(take({{level, index}, kTileWidth}));
      } else if (const unsigned width = PartialWidth(level, now.size); width != 0) {
        TRY_OK(take({{level, hashes / kTileWidth}, width}));
      }
    }
  }
  out.entries = now.size - had;
  out.fetched = tiles.fetched();
  return out;
}

std::vector<std::string> SupersededPartials(std::uint64_t before, std::uint64_t now) {
  std::vector<std::string> out;
  for (unsigned level = 0; level < kTileLevels; ++level) {
    if (PartialWidth(level, before) == 0) continue;
    const TileId id{level, before >> (8 * level) >> 8};
    if (WidthOf(id, now) != kTileWidth) continue;
    out.push_back(TilePath(id, kTileWidth) + ".p");
    if (level == 0) out.push_back(BundlePath(id.index, kTileWidth) + ".p");
  }
  return out;
}

}  // namespace valija::log
