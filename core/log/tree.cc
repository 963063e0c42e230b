#include "core/log/tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "core/crypto/hash.h"

namespace valija::log {
namespace {

constexpr std::size_t kHash = Hash::kSize;

// One level of a tree less: neighbours are joined, an odd last one goes up as it is. This is the tree of RFC 9162,
// which splits at the largest power of two below the size: only its right edge is ragged.
void JoinPairs(std::vector<Hash>& level) {
  std::size_t pairs = level.size() / 2;
  for (std::size_t i = 0; i < pairs; ++i) level[i] = NodeHash(level[2 * i], level[2 * i + 1]);
  if (level.size() % 2 != 0) level[pairs++] = level.back();
  level.resize(pairs);
}

Hash HashAt(ByteView hashes, std::size_t index) {
  Hash out;
  std::memcpy(out.bytes.data(), hashes.data() + index * kHash, kHash);
  return out;
}

// Perfect subtrees, the largest first: each is the left neighbour of all that follows it.
Hash JoinPeaks(const std::vector<Hash>& peaks) {
  if (peaks.empty()) return EmptyRoot();
  Hash root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) root = NodeHash(peaks[i], root);
  return root;
}

}  // namespace

Hash LeafHash(ByteView data) {
  static constexpr std::array<std::uint8_t, 1> kLeaf = {0x00};
  return crypto::Sha256({ByteView(kLeaf), data});
}

Hash NodeHash(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 1 + 2 * kHash> input;
  input[0] = 0x01;
  std::memcpy(input.data() + 1, left.bytes.data(), kHash);
  std::memcpy(input.data() + 1 + kHash, right.bytes.data(), kHash);
  return crypto::Sha256(input);
}

Hash EmptyRoot() {
  static const Hash root = crypto::Sha256(ByteView());
  return root;
}

Hash RootOf(std::vector<Hash> leaf_hashes) {
  if (leaf_hashes.empty()) return EmptyRoot();
  while (leaf_hashes.size() > 1) JoinPairs(leaf_hashes);
  return leaf_hashes[0];
}

std::vector<Hash> PathOf(const std::vector<Hash>& leaf_hashes, std::size_t index) {
  if (index >= leaf_hashes.size()) throw std::out_of_range("no such leaf");
  std::vector<Hash> path;
  for (auto level = leaf_hashes; level.size() > 1; JoinPairs(level), index /= 2) {
    if (std::size_t sibling = index ^ 1; sibling < level.size()) path.push_back(level[sibling]);
  }
  return path;
}

Hash TileRoot(ByteView hashes) {
  if (hashes.empty() || hashes.size() % kHash != 0 || hashes.size() > kTileWidth * kHash) {
    throw std::invalid_argument("a tile has 1 to 256 hashes");
  }
  std::vector<Hash> level(hashes.size() / kHash);
  for (std::size_t i = 0; i < level.size(); ++i) level[i] = HashAt(hashes, i);
  return RootOf(std::move(level));
}

Result<Bytes> ReadTile(const TileReader& read, TileId id, unsigned width) {
  auto tile = read(id, width);
  if (!tile) return Refuse(Reason::kCorrupt, "missing " + TilePath(id, width));
  if (tile->size() % kHash != 0 || tile->size() < width * kHash || tile->size() > kTileWidth * kHash) {
    return Refuse(Reason::kCorrupt, "wrong length of " + TilePath(id, width));
  }
  tile->resize(width * kHash);
  return *std::move(tile);
}

Result<Tree> Tree::Load(std::uint64_t size, const Hash& root, const TileReader& read) {
  if (size > kMaxTreeSize) return Refuse(Reason::kCorrupt, "no tree has so many leaves");
  Tree tree;
  tree.size_ = tree.taken_ = size;
  // From the top, for the peaks: the hashes of a higher level are left of those of a lower one.
  for (unsigned level = kTileLevels; level-- > 0;) {
    unsigned width = PartialWidth(level, size);
    if (width == 0) continue;
    if (tree.edge_.size() <= level) tree.edge_.resize(level + 1);
    TRY(tree.edge_[level], ReadTile(read, {level, size >> (8 * level) >> 8}, width));
    ByteView left = tree.edge_[level];
    while (!left.empty()) {
      std::size_t perfect = std::bit_floor(left.size() / kHash) * kHash;
      tree.peaks_.push_back(TileRoot(left.first(perfect)));
      left = left.subspan(perfect);
    }
  }
  if (tree.Root() != root) return Refuse(Reason::kCorrupt, "the tiles do not give the tree's root");
  return tree;
}

void Tree::Append(const Hash& leaf_hash) {
  if (size_ == kMaxTreeSize) throw std::length_error("the tree is full");
  // The peaks count in binary: a new leaf joins as many of them as the size has trailing ones. What has been joined
  // eight times more is the root of a full tile, which is a hash of the level above.
  peaks_.push_back(leaf_hash);
  auto joins = static_cast<unsigned>(std::countr_one(size_));
  std::uint64_t index = size_++;
  for (unsigned height = 0;; ++height) {
    if (height % 8 == 0) {
      unsigned level = height / 8;
      if (edge_.size() <= level) edge_.resize(level + 1);
      Bytes& tile = edge_[level];
      if (tile.empty()) tile.reserve(kTileWidth * kHash);
      valija::Append(tile, peaks_.back());
      if (tile.size() == kTileWidth * kHash) {
        changed_.insert_or_assign(TileId{level, index >> (8 * level) >> 8}, std::move(tile));
        tile = Bytes();
      }
    }
    if (height == joins) return;
    Hash right = peaks_.back();
    peaks_.pop_back();
    peaks_.back() = NodeHash(peaks_.back(), right);
  }
}

Hash Tree::Root() const { return JoinPeaks(peaks_); }

std::map<TileId, Bytes> Tree::TakeChangedTiles() {
  auto out = std::move(changed_);
  changed_.clear();
  for (unsigned level = 0; level < edge_.size(); ++level) {
    std::uint64_t count = size_ >> (8 * level);
    if (count == taken_ >> (8 * level)) break;  // no new hash here, so none above
    if (!edge_[level].empty()) out.insert_or_assign(TileId{level, count / kTileWidth}, edge_[level]);
  }
  taken_ = size_;
  return out;
}

}  // namespace valija::log
