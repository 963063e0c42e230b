// RFC 6962 / RFC 9162 2.1 Merkle tree: hashing, an incremental tree kept as tiles, proofs and their
// verification.
//
// What is a leaf's data in our log is a 32-byte commitment, but nothing in here knows that.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/log/tile.h"

namespace valija::log {

Hash LeafHash(ByteView data);                            // SHA-256(0x00 || data)
Hash NodeHash(const Hash& left, const Hash& right);      // SHA-256(0x01 || left || right)
Hash EmptyRoot();                                        // SHA-256("")
Hash RootOf(std::vector<Hash> leaf_hashes);              // whole tree in memory; small trees (batches, slices)
std::vector<Hash> PathOf(const std::vector<Hash>& leaf_hashes, std::size_t index);

// RFC 9162 2.1.3.2 and 2.1.4.2, literally. The root that an inclusion path leads to; kBadProof for index >= size, or
// too few or too many hashes.
Result<Hash> RootFromInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, const std::vector<Hash>& path);
Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, const std::vector<Hash>& path,
                       const Hash& root);
// old_size = 0 is accepted with an empty proof (the witness protocol's rule) only if `old_root` is the empty root.
Status VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size, const Hash& new_root,
                         const std::vector<Hash>& proof);

// Where tiles come from: full ones, or the partial one of width `width`. A reader may answer with a wider tile's
// first `width` hashes. nullopt if it has none such (a breakage of the store, seen as kCorrupt above).
using TileReader = std::function<std::optional<Bytes>(TileId id, unsigned width)>;

// The growing tree. Holds only its right edge (the partial tile of each level, at most 8 x 8 KiB), so start-up and
// memory do not depend on its size. Not thread-safe.
class Tree {
 public:
  // The tree of `size` leaves whose tiles `read` holds; kCorrupt if tiles are missing or do not give `root`.
  static Result<Tree> Load(std::uint64_t size, const Hash& root, const TileReader& read);
  Tree() = default;

  void Append(const Hash& leaf_hash);
  std::uint64_t size() const { return size_; }
  Hash Root() const;
  // Tiles that changed since the last call (full ones, and the last partial one of each level), with content.
  std::map<TileId, Bytes> TakeChangedTiles();

 private:
  std::uint64_t size_ = 0;
  std::vector<Bytes> edge_;  // per level: hashes of its partial tile, 0..255 of them
  std::map<TileId, Bytes> changed_;
};

// Proofs from tiles: O(log size) tiles are read. kMalformed for index >= size or old > new; kCorrupt for missing tiles.
Result<std::vector<Hash>> ProveInclusion(std::uint64_t index, std::uint64_t size, const TileReader& read);
Result<std::vector<Hash>> ProveConsistency(std::uint64_t old_size, std::uint64_t new_size, const TileReader& read);
Result<Hash> RootAt(std::uint64_t size, const TileReader& read);

}  // namespace valija::log
