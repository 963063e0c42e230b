#include "core/log/tile.h"

#include <charconv>
#include <stdexcept>

namespace valija::log {
namespace {

constexpr std::string_view kEntries = "entries";

// A width as ".p/112" when it is partial.
std::string Suffix(unsigned width) {
  if (width == 0 || width > kTileWidth) throw std::invalid_argument("a tile has 1 to 256 hashes");
  return width == kTileWidth ? std::string() : ".p/" + std::to_string(width);
}

// 1234067 -> "x001/x234/067".
std::string IndexPath(std::uint64_t index) {
  auto digits = std::to_string(index % 1000);
  std::string out = std::string(3 - digits.size(), '0') + digits;
  while ((index /= 1000) != 0) {
    digits = std::to_string(index % 1000);
    out = "x" + std::string(3 - digits.size(), '0') + digits + "/" + out;
  }
  return out;
}

// A decimal number as to_string would write it, at most `max`.
std::optional<unsigned> ParseSmall(std::string_view text, unsigned max) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> ParseIndex(std::string_view text) {
  // Six groups of three digits hold every index there can be (2^63 / 256 has 17 digits) and fit 64 bits.
  constexpr std::size_t kMaxGroups = 6;
  std::uint64_t index = 0;
  for (std::size_t group = 0; group < kMaxGroups; ++group) {
    bool last = text.empty() || text[0] != 'x';
    if (!last) text.remove_prefix(1);
    if (text.size() < 3) return std::nullopt;
    unsigned value = 0;
    for (char c : text.substr(0, 3)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (group == 0 && !last && value == 0) return std::nullopt;
    index = index * 1000 + value;
    text.remove_prefix(3);
    if (last) return text.empty() ? std::optional(index) : std::nullopt;
    if (text.empty() || text[0] != '/') return std::nullopt;
    text.remove_prefix(1);
  }
  return std::nullopt;
}

// How many hashes a whole level of a tree has: a level's hash covers 256^level leaves.
std::uint64_t CountAt(unsigned level, std::uint64_t size) { return level < kTileLevels ? size >> (8 * level) : 0; }

}  // namespace

std::string TilePath(TileId id, unsigned width) {
  return "tile/" + std::to_string(id.level) + "/" + IndexPath(id.index) + Suffix(width);
}

std::string BundlePath(std::uint64_t index, unsigned width) {
  return "tile/" + std::string(kEntries) + "/" + IndexPath(index) + Suffix(width);
}

std::optional<ParsedPath> ParseTilePath(std::string_view path) {
  constexpr std::string_view kPrefix = "tile/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  auto slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto level = path.substr(0, slash);
  auto rest = path.substr(slash + 1);

  ParsedPath out;
  if (level == kEntries) {
    out.bundle = true;
  } else {
    auto number = ParseSmall(level, 63);
    if (!number) return std::nullopt;
    out.id.level = *number;
  }
  if (auto partial = rest.find(".p/"); partial != std::string_view::npos) {
    auto width = ParseSmall(rest.substr(partial + 3), kTileWidth - 1);
    if (!width || *width == 0) return std::nullopt;
    out.width = *width;
    rest = rest.substr(0, partial);
  }
  auto index = ParseIndex(rest);
  if (!index) return std::nullopt;
  out.id.index = *index;
  return out;
}

unsigned PartialWidth(unsigned level, std::uint64_t size) {
  return static_cast<unsigned>(CountAt(level, size) % kTileWidth);
}

unsigned WidthOf(TileId id, std::uint64_t size) {
  std::uint64_t count = CountAt(id.level, size);
  if (id.index < count / kTileWidth) return kTileWidth;
  return id.index == count / kTileWidth ? PartialWidth(id.level, size) : 0;
}

std::vector<TileRef> NewTiles(std::uint64_t old_size, std::uint64_t size) {
  std::vector<TileRef> out;
  for (unsigned level = 0; level < kTileLevels; ++level) {
    std::uint64_t before = CountAt(level, old_size), now = CountAt(level, size);
    if (now <= before) break;  // no new hash here, so none above
    for (std::uint64_t index = before / kTileWidth; index < now / kTileWidth; ++index) {
      out.push_back({{level, index}, kTileWidth});
    }
    if (unsigned width = PartialWidth(level, size); width != 0) out.push_back({{level, now / kTileWidth}, width});
  }
  return out;
}

void AppendBundleEntry(Bytes& bundle, ByteView entry) {
  if (entry.size() > 0xffff) throw std::length_error("an entry has at most 65,535 bytes");
  AppendU16(bundle, static_cast<std::uint16_t>(entry.size()));
  Append(bundle, entry);
}

std::optional<std::vector<Bytes>> ParseBundle(ByteView bundle) {
  std::vector<Bytes> out;
  while (!bundle.empty()) {
    if (bundle.size() < 2 || out.size() == kTileWidth) return std::nullopt;
    auto size = static_cast<std::size_t>(bundle[0] << 8 | bundle[1]);
    bundle = bundle.subspan(2);
    if (bundle.size() < size) return std::nullopt;
    out.push_back(ToBytes(bundle.first(size)));
    bundle = bundle.subspan(size);
  }
  return out;
}

}  // namespace valija::log
