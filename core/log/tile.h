// C2SP tlog-tiles: which tile holds what, and its path. A full tile is 256 hashes of 32 bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace valija::log {

inline constexpr unsigned kTileWidth = 256;
inline constexpr unsigned kTileLevels = 8;  // 0..7: a tree has fewer than 2^63 leaves

struct TileId {
  unsigned level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const TileId&) const = default;
};

// "tile/0/x001/x234/067" or with ".p/112"; width 1..256 (256 is a full tile), another is a bug and throws.
std::string TilePath(TileId id, unsigned width);
std::string BundlePath(std::uint64_t index, unsigned width);  // "tile/entries/..."

struct ParsedPath {
  bool bundle = false;  // tile/entries
  TileId id;
  unsigned width = kTileWidth;
};
std::optional<ParsedPath> ParseTilePath(std::string_view path);  // strict; nullopt for any other spelling. Level 0..63

// Width of the partial tile at `level` for a tree of `size` leaves: 0 means there is none.
unsigned PartialWidth(unsigned level, std::uint64_t size);
// Width of that tile in a tree of `size` leaves: 256 for a full one, 0 if it has no such tile.
unsigned WidthOf(TileId id, std::uint64_t size);
// Every tile (with width) that a tree of `size` leaves has and that one of `old_size` had not.
struct TileRef {
  TileId id;
  unsigned width = 0;
  bool operator==(const TileRef&) const = default;
};
std::vector<TileRef> NewTiles(std::uint64_t old_size, std::uint64_t size);

// Entry bundle: u16 length || entry, up to 256 times. A longer entry than 65,535 bytes is a bug and throws.
void AppendBundleEntry(Bytes& bundle, ByteView entry);
std::optional<std::vector<Bytes>> ParseBundle(ByteView bundle);

}  // namespace valija::log
