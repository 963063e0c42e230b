// RFC 9162's definitions, word for word and slow, to compare the product with; and a store of tiles in memory.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/log/tree.h"

namespace valija::log::test {

using Hashes = std::vector<Hash>;
using HashView = std::span<const Hash>;

inline std::size_t SplitPoint(std::size_t n) {  // the largest power of two smaller than n
  std::size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

inline Hash Mth(HashView d) {
  if (d.empty()) return EmptyRoot();
  if (d.size() == 1) return d[0];
  std::size_t k = SplitPoint(d.size());
  return NodeHash(Mth(d.first(k)), Mth(d.subspan(k)));
}

inline Hashes Path(std::size_t m, HashView d) {
  if (d.size() == 1) return {};
  std::size_t k = SplitPoint(d.size());
  Hashes out = m < k ? Path(m, d.first(k)) : Path(m - k, d.subspan(k));
  out.push_back(m < k ? Mth(d.subspan(k)) : Mth(d.first(k)));
  return out;
}

inline Hashes SubProof(std::size_t m, HashView d, bool known) {
  if (m == d.size()) return known ? Hashes{} : Hashes{Mth(d)};
  std::size_t k = SplitPoint(d.size());
  Hashes out = m <= k ? SubProof(m, d.first(k), known) : SubProof(m - k, d.subspan(k), false);
  out.push_back(m <= k ? Mth(d.subspan(k)) : Mth(d.first(k)));
  return out;
}

// Entry i is the decimal number i, as in generated/decimal-roots.json.
inline Hash DecimalLeaf(std::uint64_t i) { return LeafHash(AsBytes(std::to_string(i))); }

inline Hashes DecimalLeaves(std::size_t n) {
  Hashes out;
  out.reserve(n);
  for (std::size_t i = 0; i < n; ++i) out.push_back(DecimalLeaf(i));
  return out;
}

// Holds the widest version of each tile it was given; a reader gets it for every narrower one.
struct TileStore {
  std::map<TileId, Bytes> tiles;
  std::size_t reads = 0;

  void Put(std::map<TileId, Bytes> changed) {
    for (auto& [id, tile] : changed) tiles[id] = std::move(tile);
  }
  TileReader Reader() {
    return [this](TileId id, unsigned width) -> std::optional<Bytes> {
      ++reads;
      auto at = tiles.find(id);
      if (at == tiles.end() || at->second.size() < width * Hash::kSize) return std::nullopt;
      return at->second;
    };
  }
};

inline Hash Flip(Hash hash, std::size_t bit) {
  hash.bytes[bit / 8] = static_cast<std::uint8_t>(hash.bytes[bit / 8] ^ (1u << (bit % 8)));
  return hash;
}

}  // namespace valija::log::test
