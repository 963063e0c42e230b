// Proofs: made from tiles, and verified as RFC 9162 2.1.3.2 and 2.1.4.2 say.
#include <bit>
#include <cstring>

#include "core/log/tree.h"

namespace valija::log {
namespace {

Error Bad(const char* what) { return Refuse(Reason::kBadProof, what); }

// Both algorithms walk from a node up to the root: `node` is its index and `last` that of the last node, on one level.
struct Walk {
  std::uint64_t node;
  std::uint64_t last;

  void Up() { node >>= 1, last >>= 1; }
  // Whether the next hash is a left neighbour. If the node is the last one and even it has no neighbour
  // on some levels: those are skipped.
  bool FromTheLeft() {
    if ((node & 1) == 0 && node != last) return false;
    while ((node & 1) == 0 && node != 0) Up();
    return true;
  }
};

}  // namespace

Result<Hash> RootFromInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                               const std::vector<Hash>& path) {
  if (index >= size) return Bad("the index is outside the tree");
  Walk walk{index, size - 1};
  Hash root = leaf;
  for (const Hash& p : path) {
    if (walk.last == 0) return Bad("too many hashes");
    root = walk.FromTheLeft() ? NodeHash(p, root) : NodeHash(root, p);
    walk.Up();
  }
  if (walk.last != 0) return Bad("too few hashes");
  return root;
}

Status VerifyInclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf, const std::vector<Hash>& path,
                       const Hash& root) {
  TRY(Hash computed, RootFromInclusion(index, size, leaf, path));
  if (computed != root) return Bad("the path does not lead to the root");
  return Ok();
}

Status VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size, const Hash& new_root,
                         const std::vector<Hash>& proof) {
  if (old_size > new_size) return Bad("the older tree is larger");
  if (old_size == 0 && old_root != EmptyRoot()) return Bad("the empty tree has another root");
  if (old_size == 0 || old_size == new_size) {
    if (!proof.empty()) return Bad("too many hashes");
    if (old_size == new_size && old_root != new_root) return Bad("two roots for one size");
    return Ok();
  }
  if (proof.empty()) return Bad("too few hashes");

  Walk walk{old_size - 1, new_size - 1};
  while ((walk.node & 1) != 0) walk.Up();
  // A perfect older tree is itself the first node, and not repeated in the proof.
  bool perfect = std::has_single_bit(old_size);
  Hash old_side = perfect ? old_root : proof[0];
  Hash new_side = old_side;
  for (std::size_t i = perfect ? 0 : 1; i < proof.size(); ++i) {
    if (walk.last == 0) return Bad("too many hashes");
    if (walk.FromTheLeft()) {
      old_side = NodeHash(proof[i], old_side);
      new_side = NodeHash(proof[i], new_side);
    } else {
      new_side = NodeHash(new_side, proof[i]);
    }
    walk.Up();
  }
  if (walk.last != 0) return Bad("too few hashes");
  if (old_side != old_root) return Bad("the proof does not lead to the older root");
  if (new_side != new_root) return Bad("the proof does not lead to the newer root");
  return Ok();
}

Result<const Prover::Rows*> Prover::Load(TileId id) {
  auto at = tiles_.find(id);
  if (at == tiles_.end()) {
    TRY(Bytes tile, ReadTile(read_, id, WidthOf(id, size_)));
    std::vector<Hash> row(tile.size() / Hash::kSize);
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::memcpy(row[i].bytes.data(), tile.data() + i * Hash::kSize, Hash::kSize);
    }
    Rows rows;
    while (!row.empty()) {
      std::vector<Hash> above;
      above.reserve(row.size() / 2);
      for (std::size_t i = 0; i + 1 < row.size(); i += 2) above.push_back(NodeHash(row[i], row[i + 1]));
      rows.push_back(std::move(row));
      row = std::move(above);
    }
    at = tiles_.emplace(id, std::move(rows)).first;
  }
  return &at->second;
}

// The root of leaves index * 2^height .. (index + 1) * 2^height - 1, all of them in the tree.
Result<Hash> Prover::Perfect(unsigned height, std::uint64_t index) {
  unsigned row = height % 8;
  unsigned per_tile = 8 - row;  // a row has 2^per_tile nodes in a full tile
  TRY(const Rows* rows, Load({height / 8, index >> per_tile}));
  return (*rows)[row][index & ((std::uint64_t{1} << per_tile) - 1)];
}

// The root of leaves start .. end - 1, which are a node of the tree of size_ leaves or of a smaller one.
Result<Hash> Prover::Range(std::uint64_t start, std::uint64_t end) {
  std::vector<Hash> peaks;
  while (start < end) {
    std::uint64_t count = std::bit_floor(end - start);
    auto height = static_cast<unsigned>(std::countr_zero(count));
    TRY(Hash peak, Perfect(height, start >> height));
    peaks.push_back(peak);
    start += count;
  }
  Hash root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) root = NodeHash(peaks[i], root);
  return root;
}

Result<Hash> Prover::Root() {
  if (size_ > kMaxTreeSize) return Refuse(Reason::kMalformed, "no tree has so many leaves");
  if (size_ == 0) return EmptyRoot();
  return Range(0, size_);
}

Result<std::vector<Hash>> Prover::Inclusion(std::uint64_t index) {
  if (size_ > kMaxTreeSize || index >= size_) return Refuse(Reason::kMalformed, "the index is outside the tree");
  // PATH(m, D_n) of RFC 9162 2.1.3.1, from the root down; the path is told from the leaf up.
  std::vector<Hash> path;
  for (std::uint64_t start = 0, end = size_; end - start > 1;) {
    std::uint64_t middle = start + std::bit_ceil(end - start) / 2;
    bool left = index < middle;
    TRY(Hash sibling, left ? Range(middle, end) : Range(start, middle));
    path.insert(path.begin(), sibling);
    (left ? end : start) = middle;
  }
  return path;
}

Result<std::vector<Hash>> Prover::Consistency(std::uint64_t old_size) {
  if (size_ > kMaxTreeSize || old_size > size_) return Refuse(Reason::kMalformed, "the older tree is larger");
  std::vector<Hash> proof;
  if (old_size == 0 || old_size == size_) return proof;
  // SUBPROOF(m, D_n, b) of RFC 9162 2.1.4.1, from the root down, until a node ends where the older tree ends.
  std::uint64_t start = 0, end = size_;
  while (end != old_size) {
    std::uint64_t middle = start + std::bit_ceil(end - start) / 2;
    bool left = old_size <= middle;
    TRY(Hash sibling, left ? Range(middle, end) : Range(start, middle));
    proof.insert(proof.begin(), sibling);
    (left ? end : start) = middle;
  }
  if (start != 0) {  // else that node is the whole older tree, whose root the verifier knows
    TRY(Hash node, Range(start, end));
    proof.insert(proof.begin(), node);
  }
  return proof;
}

Result<std::vector<Hash>> ProveInclusion(std::uint64_t index, std::uint64_t size, const TileReader& read) {
  return Prover(size, read).Inclusion(index);
}

Result<std::vector<Hash>> ProveConsistency(std::uint64_t old_size, std::uint64_t new_size, const TileReader& read) {
  return Prover(new_size, read).Consistency(old_size);
}

Result<Hash> RootAt(std::uint64_t size, const TileReader& read) { return Prover(size, read).Root(); }

}  // namespace valija::log
