// RFC 6962 / RFC 9162 2.1 Merkle tree: hashing, an incremental tree kept as tiles, proofs and their
// verification.
//
// What is a leaf's data in our log is a 32-byte commitment, but nothing in here knows that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/log/tile.h"

namespace valija::log {

// A checkpoint's size is below 2^63 (tlog-checkpoint), so no tree is larger than this.
inline constexpr std::uint64_t kMaxTreeSize = 0x7fff'ffff'ffff'ffff;

Hash LeafHash(ByteView data);                        // SHA-256(0x00 || data)
Hash NodeHash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash EmptyRoot();                                    // SHA-256("")
Hash RootOf(std::vector<Hash> leaf_hashes);          // whole tree in memory; small trees (batches, slices)
// The inclusion path of one leaf of such a tree; an index outside it is a bug and throws.
std::vector<Hash> PathOf(const std::vector<Hash>& leaf_hashes, std::size_t index);

// The root above the 1..256 hashes of a full or partial tile. That of a full tile stands in the tile above.
Hash TileRoot(ByteView hashes);

// RFC 9162 2.1.3.2 and 2.1.4.2, literally; every refusal is kBadProof. The root that an inclusion path leads to: refused
// are index >= size and too few or too many hashes.
Result<Hash> RootFromInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                               const std::vector<Hash>& path);
Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, const std::vector<Hash>& path,
                       const Hash& root);
// old_size = 0 is accepted with an empty proof (the witness protocol's rule) only if `old_root` is the empty root.
Status VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size, const Hash& new_root,
                         const std::vector<Hash>& proof);

// Where tiles come from: full ones, or the partial one of width `width`. A reader may answer with a wider tile's
// first `width` hashes. nullopt if it has none such (a breakage of the store, seen as kCorrupt above).
using TileReader = std::function<std::optional<Bytes>(TileId id, unsigned width)>;

// Exactly `width` hashes (1..256) of that tile, or kCorrupt.
Result<Bytes> ReadTile(const TileReader& read, TileId id, unsigned width);

// The growing tree. Holds only its right edge (the partial tile of each level, at most 8 x 8 KiB), so start-up and
// memory do not depend on its size; full tiles are held until they are taken. Not thread-safe.
class Tree {
 public:
  // The tree of `size` leaves whose tiles `read` holds; kCorrupt if tiles are missing or do not give `root`.
  static Result<Tree> Load(std::uint64_t size, const Hash& root, const TileReader& read);
  Tree() = default;

  void Append(const Hash& leaf_hash);  // one node hash on average
  std::uint64_t size() const { return size_; }
  Hash Root() const;  // at most 63 node hashes
  // Tiles that changed since the last call (full ones, and the last partial one of each level), with content.
  std::map<TileId, Bytes> TakeChangedTiles();

 private:
  std::uint64_t size_ = 0;
  std::uint64_t taken_ = 0;          // size at the last TakeChangedTiles
  std::vector<Bytes> edge_;          // per level: hashes of its partial tile, 0..255 of them
  std::vector<Hash> peaks_;          // roots of the perfect subtrees that the bits of size_ stand for, largest first
  std::map<TileId, Bytes> changed_;  // full tiles since the last TakeChangedTiles
};

// Proofs in the tree of `size` leaves, from its tiles: each is read and hashed once, so that the proofs of a batch cost
// little more than one. Memory grows with the tiles touched (16 KiB each): make one per batch, not per process.
// kMalformed for index >= size, old > size or size >= 2^63; kCorrupt for missing tiles. Not thread-safe.
class Prover {
 public:
  Prover(std::uint64_t size, TileReader read) : size_(size), read_(std::move(read)) {}
  Result<std::vector<Hash>> Inclusion(std::uint64_t index);
  Result<std::vector<Hash>> Consistency(std::uint64_t old_size);
  Result<Hash> Root();

 private:
  // A tile's hashes and the inner nodes above them: rows[r][i] is the root of hashes i * 2^r .. (i + 1) * 2^r - 1.
  using Rows = std::vector<std::vector<Hash>>;
  Result<const Rows*> Load(TileId id);
  Result<Hash> Perfect(unsigned height, std::uint64_t index);
  Result<Hash> Range(std::uint64_t start, std::uint64_t end);

  std::uint64_t size_;
  TileReader read_;
  std::map<TileId, Rows> tiles_;
};

// The same for a single proof: O(log size) tiles are read.
Result<std::vector<Hash>> ProveInclusion(std::uint64_t index, std::uint64_t size, const TileReader& read);
Result<std::vector<Hash>> ProveConsistency(std::uint64_t old_size, std::uint64_t new_size, const TileReader& read);
Result<Hash> RootAt(std::uint64_t size, const TileReader& read);

}  // namespace valija::log
