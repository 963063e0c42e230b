// Proofs made from tiles, and their verification.
#include <gtest/gtest.h>

#include <random>

#include "core/log/tree.h"
#include "tests/core/log/reference.h"
#include "tests/support/vectors.h"

namespace valija::log::test {
namespace {

namespace fs = std::filesystem;
using valija::test::FullSet;
using valija::test::ReadJson;

// A tree of decimal entries, all its tiles, and its root at every size.
struct Grown {
  Hashes leaves;
  Hashes roots;
  TileStore store;

  explicit Grown(std::size_t size) : leaves(DecimalLeaves(size)) {
    Tree tree;
    roots.push_back(tree.Root());
    for (const auto& leaf : leaves) {
      tree.Append(leaf);
      roots.push_back(tree.Root());
    }
    store.Put(tree.TakeChangedTiles());
  }
};

Reason ReasonOf(const Status& status) { return status ? Reason::kInternal : status.error().reason; }

// ---- published proofs ----

struct PublishedInclusion {
  std::uint64_t index, size;
  std::vector<const char*> path;
};
struct PublishedConsistency {
  std::uint64_t old_size, new_size;
  std::vector<const char*> proof;
};

Hashes FromTexts(const std::vector<const char*>& texts) {
  Hashes out;
  for (auto text : texts) out.push_back(*Hash::FromHexText(text));
  return out;
}

// merkle/inclusion/*/happy-path.json and merkle/consistency/*/happy-path.json, over the classic eight leaves.
const std::vector<PublishedInclusion> kInclusions = {
    {0, 1, {}},
    {0,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5,
     8,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1,
     5,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};
const std::vector<PublishedConsistency> kConsistencies = {
    {1, 1, {}},
    {1,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {6,
     8,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2,
     5,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {6,
     7,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
};

Hashes ClassicLeaves() {
  Hashes out;
  for (auto leaf :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    out.push_back(LeafHash(*FromHex(leaf)));
  }
  return out;
}

TEST(Proofs, ThePublishedOnesAreMadeAndHold) {
  auto leaves = ClassicLeaves();
  Tree tree;
  TileStore store;
  for (const auto& leaf : leaves) tree.Append(leaf);
  store.Put(tree.TakeChangedTiles());
  for (const auto& row : kInclusions) {
    auto path = FromTexts(row.path);
    auto made = ProveInclusion(row.index, row.size, store.Reader());
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, path);
    EXPECT_TRUE(VerifyInclusion(row.index, row.size, leaves[row.index], path, Mth(HashView(leaves).first(row.size))));
  }
  for (const auto& row : kConsistencies) {
    auto proof = FromTexts(row.proof);
    auto made = ProveConsistency(row.old_size, row.new_size, store.Reader());
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, proof);
    EXPECT_TRUE(VerifyConsistency(row.old_size, Mth(HashView(leaves).first(row.old_size)), row.new_size,
                                  Mth(HashView(leaves).first(row.new_size)), proof));
  }
}

std::optional<Hash> HashOf(const nlohmann::json& value) {
  auto bytes = value.is_null() ? std::optional(Bytes()) : FromBase64(value.get<std::string>());
  return bytes ? Hash::From(*bytes) : std::nullopt;
}

std::optional<Hashes> HashesOf(const nlohmann::json& values) {
  Hashes out;
  if (values.is_null()) return out;
  for (const auto& value : values) {
    auto hash = HashOf(value);
    if (!hash) return std::nullopt;
    out.push_back(*hash);
  }
  return out;
}

template <class Check>
std::size_t ForEachJson(const fs::path& folder, Check check) {
  std::size_t count = 0;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    check(file.path(), ReadJson(file.path()));
    ++count;
  }
  return count;
}

TEST(Proofs, EveryPublishedInclusionProofIsJudgedAsPublished) {
  auto folder = FullSet("tlog/merkle");
  if (!folder) GTEST_SKIP();
  std::size_t unfit = 0;
  auto count = ForEachJson(*folder / "inclusion", [&](const fs::path& path, const nlohmann::json& row) {
    bool refuse = row["wantErr"].get<bool>();
    auto root = HashOf(row["root"]), leaf = HashOf(row["leafHash"]);
    auto proof = HashesOf(row["proof"]);
    if (!root || !leaf || !proof) {  // not 32 bytes: our types cannot hold it
      EXPECT_TRUE(refuse) << path;
      ++unfit;
      return;
    }
    auto status = VerifyInclusion(row["leafIdx"].get<std::uint64_t>(), row["treeSize"].get<std::uint64_t>(), *leaf,
                                  *proof, *root);
    EXPECT_EQ(bool(status), !refuse) << path << ": " << row["desc"];
    if (!refuse) return;
    EXPECT_EQ(ReasonOf(status), Reason::kBadProof) << path;
  });
  EXPECT_EQ(count, 98u);
  EXPECT_LT(unfit, 30u);
}

TEST(Proofs, EveryPublishedConsistencyProofIsJudgedAsPublished) {
  auto folder = FullSet("tlog/merkle");
  if (!folder) GTEST_SKIP();
  std::size_t unfit = 0;
  auto count = ForEachJson(*folder / "consistency", [&](const fs::path& path, const nlohmann::json& row) {
    bool refuse = row["wantErr"].get<bool>();
    auto root1 = HashOf(row["root1"]), root2 = HashOf(row["root2"]);
    auto proof = HashesOf(row["proof"]);
    if (!root1 || !root2 || !proof) {
      // One case compares 12-byte "roots" for equality; a root has 32 bytes.
      EXPECT_TRUE(refuse || path.filename() == "sizes-are-equal-one-and-proof-is-empty.json") << path;
      ++unfit;
      return;
    }
    auto status =
        VerifyConsistency(row["size1"].get<std::uint64_t>(), *root1, row["size2"].get<std::uint64_t>(), *root2, *proof);
    EXPECT_EQ(bool(status), !refuse) << path << ": " << row["desc"];
    if (!refuse) return;
    EXPECT_EQ(ReasonOf(status), Reason::kBadProof) << path;
  });
  EXPECT_EQ(count, 98u);
  EXPECT_LT(unfit, 40u);
}

// ---- proofs from tiles ----

TEST(Proofs, InclusionFromTilesIsThePathOfTheDefinition) {
  Grown grown(300);
  // The store holds the tiles of size 300 only: it answers them for every narrower one.
  for (std::size_t size = 1; size <= 300; size += size < 40 || size > 290 ? 1 : 13) {
    Prover prover(size, grown.store.Reader());
    for (std::size_t index = 0; index < size; ++index) {
      auto path = ProveInclusion(index, size, grown.store.Reader());
      ASSERT_TRUE(path);
      ASSERT_EQ(*path, Path(index, HashView(grown.leaves).first(size))) << index << " of " << size;
      ASSERT_TRUE(VerifyInclusion(index, size, grown.leaves[index], *path, grown.roots[size]));
      ASSERT_EQ(*prover.Inclusion(index), *path);
    }
  }
}

TEST(Proofs, ConsistencyFromTilesHoldsForAllPairs) {
  Grown grown(300);
  for (std::size_t size = 0; size <= 300; ++size) {
    Prover prover(size, grown.store.Reader());
    ASSERT_EQ(*prover.Root(), grown.roots[size]);
    for (std::size_t old = 0; old <= size; ++old) {
      auto proof = prover.Consistency(old);
      ASSERT_TRUE(proof);
      ASSERT_TRUE(VerifyConsistency(old, grown.roots[old], size, grown.roots[size], *proof)) << old << " to " << size;
      if (old != size && old != 0 && size <= 140) {
        ASSERT_EQ(*proof, SubProof(old, HashView(grown.leaves).first(size), true)) << old << " to " << size;
      }
    }
  }
}

TEST(Proofs, HoldAroundEveryEdgeOfTiles) {
  Grown grown(66400);
  std::vector<std::size_t> sizes = {1, 2, 255, 256, 257, 511, 512, 513, 32768, 65279, 65280, 65281};
  for (std::size_t size = 65530; size < 65545; ++size) sizes.push_back(size);
  for (std::size_t size : {65791u, 65792u, 65793u, 66048u, 66303u, 66304u, 66305u, 66400u}) sizes.push_back(size);
  std::mt19937 random(4);
  for (auto size : sizes) {
    EXPECT_EQ(*RootAt(size, grown.store.Reader()), grown.roots[size]);
    for (auto old : sizes) {
      if (old > size) break;
      auto proof = ProveConsistency(old, size, grown.store.Reader());
      ASSERT_TRUE(proof);
      ASSERT_TRUE(VerifyConsistency(old, grown.roots[old], size, grown.roots[size], *proof)) << old << " to " << size;
      for (std::size_t index : {old - 1, random() % size}) {
        auto path = ProveInclusion(index, size, grown.store.Reader());
        ASSERT_TRUE(path);
        ASSERT_TRUE(VerifyInclusion(index, size, grown.leaves[index], *path, grown.roots[size]))
            << index << " " << size;
      }
    }
  }
}

TEST(Proofs, ReadFewTilesAndEachOnce) {
  Grown grown(66400);
  grown.store.reads = 0;
  ASSERT_TRUE(ProveInclusion(12345, 66400, grown.store.Reader()));
  EXPECT_LE(grown.store.reads, 6u);
  grown.store.reads = 0;
  Prover prover(66400, grown.store.Reader());
  for (std::uint64_t index = 66000; index < 66400; ++index) ASSERT_TRUE(prover.Inclusion(index));
  EXPECT_LE(grown.store.reads, 6u);
}

TEST(Proofs, AreMadeAndHoldInTheLargestTree) {
  // All leaves are the same, so a tile of any level is known without building the tree.
  Hashes perfect = {LeafHash({})};
  for (int h = 1; h < 64; ++h) perfect.push_back(NodeHash(perfect.back(), perfect.back()));
  TileReader read = [&](TileId id, unsigned width) -> std::optional<Bytes> {
    Bytes out;
    for (unsigned i = 0; i < width; ++i) Append(out, perfect[8 * id.level]);
    return out;
  };
  auto root = RootAt(kMaxTreeSize, read);
  ASSERT_TRUE(root);
  for (std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1} << 62, kMaxTreeSize - 1}) {
    auto path = ProveInclusion(index, kMaxTreeSize, read);
    ASSERT_TRUE(path);
    EXPECT_TRUE(VerifyInclusion(index, kMaxTreeSize, perfect[0], *path, *root));
  }
  for (std::uint64_t old : {std::uint64_t{1}, std::uint64_t{1} << 62, kMaxTreeSize / 3, kMaxTreeSize - 1}) {
    auto proof = ProveConsistency(old, kMaxTreeSize, read);
    ASSERT_TRUE(proof);
    EXPECT_TRUE(VerifyConsistency(old, *RootAt(old, read), kMaxTreeSize, *root, *proof));
  }
  auto too_large = RootAt(kMaxTreeSize + 1, read);
  EXPECT_FALSE(too_large);
}

TEST(Proofs, AreNotMadeForWhatIsNotInTheTree) {
  Grown grown(10);
  auto malformed = [](const auto& result) { return !result && result.error().reason == Reason::kMalformed; };
  EXPECT_TRUE(malformed(ProveInclusion(0, 0, grown.store.Reader())));
  EXPECT_TRUE(malformed(ProveInclusion(10, 10, grown.store.Reader())));
  EXPECT_TRUE(malformed(ProveInclusion(0, kMaxTreeSize + 1, grown.store.Reader())));
  EXPECT_TRUE(malformed(ProveConsistency(10, 9, grown.store.Reader())));
  EXPECT_TRUE(malformed(ProveConsistency(1, kMaxTreeSize + 1, grown.store.Reader())));
}

TEST(Proofs, AreNotMadeFromMissingOrCutTiles) {
  Grown grown(600);
  auto corrupt = [](const auto& result) { return !result && result.error().reason == Reason::kCorrupt; };
  EXPECT_TRUE(corrupt(ProveInclusion(3, 601, grown.store.Reader()))) << "the store is older than the size";
  EXPECT_TRUE(corrupt(RootAt(1000, grown.store.Reader())));
  for (const auto& [id, tile] : grown.store.tiles) {
    auto damaged = grown.store;
    damaged.tiles.erase(id);
    EXPECT_TRUE(corrupt(ProveInclusion(id.index * 256, 600, damaged.Reader()))) << TilePath(id, 256);
    damaged = grown.store;
    damaged.tiles[id].pop_back();
    EXPECT_TRUE(corrupt(ProveInclusion(id.index * 256, 600, damaged.Reader()))) << TilePath(id, 256);
  }
}

// ---- damage ----

// Every list that differs from `hashes` by one flipped bit, one hash missing, doubled or added, or two swapped.
std::vector<Hashes> Damaged(const Hashes& hashes) {
  std::vector<Hashes> out;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t bit = 0; bit < 256; ++bit) {
      auto& copy = out.emplace_back(hashes);
      copy[i] = Flip(copy[i], bit);
    }
    auto at = static_cast<std::ptrdiff_t>(i);
    auto& missing = out.emplace_back(hashes);
    missing.erase(missing.begin() + at);
    auto& doubled = out.emplace_back(hashes);
    doubled.insert(doubled.begin() + at, hashes[i]);
    if (i > 0) {
      auto& swapped = out.emplace_back(hashes);
      std::swap(swapped[i], swapped[i - 1]);
    }
  }
  for (std::size_t i = 0; i <= hashes.size(); ++i) {
    auto& more = out.emplace_back(hashes);
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(i), LeafHash(AsBytes("more")));
  }
  return out;
}

TEST(VerifyInclusion, RefusesEveryDamage) {
  Grown grown(300);
  for (std::size_t size : {1u, 2u, 3u, 5u, 8u, 11u, 64u, 255u, 256u, 257u, 300u}) {
    for (std::size_t index : {std::size_t{0}, size / 3, size / 2, size - 1}) {
      auto path = *ProveInclusion(index, size, grown.store.Reader());
      const Hash& leaf = grown.leaves[index];
      const Hash& root = grown.roots[size];
      ASSERT_TRUE(VerifyInclusion(index, size, leaf, path, root));
      for (const auto& damaged : Damaged(path)) {
        ASSERT_EQ(ReasonOf(VerifyInclusion(index, size, leaf, damaged, root)), Reason::kBadProof);
      }
      for (std::size_t bit = 0; bit < 256; ++bit) {
        ASSERT_FALSE(VerifyInclusion(index, size, Flip(leaf, bit), path, root));
        ASSERT_FALSE(VerifyInclusion(index, size, leaf, path, Flip(root, bit)));
      }
      for (std::size_t other = 0; other < size + 3; ++other) {
        ASSERT_EQ(bool(VerifyInclusion(other, size, leaf, path, root)), other == index) << other;
      }
    }
  }
  EXPECT_FALSE(VerifyInclusion(0, 0, EmptyRoot(), {}, EmptyRoot()));
  auto huge = RootFromInclusion(0, ~std::uint64_t{0}, grown.leaves[0], Hashes(65, grown.leaves[1]));
  EXPECT_FALSE(huge);
}

TEST(VerifyConsistency, RefusesEveryDamage) {
  Grown grown(300);
  for (auto [old, size] : std::vector<std::pair<std::size_t, std::size_t>>{{1, 2},
                                                                           {1, 8},
                                                                           {2, 5},
                                                                           {3, 4},
                                                                           {6, 8},
                                                                           {6, 7},
                                                                           {7, 7},
                                                                           {64, 65},
                                                                           {255, 256},
                                                                           {256, 257},
                                                                           {100, 300},
                                                                           {299, 300}}) {
    auto proof = *ProveConsistency(old, size, grown.store.Reader());
    const Hash &first = grown.roots[old], &second = grown.roots[size];
    ASSERT_TRUE(VerifyConsistency(old, first, size, second, proof));
    for (const auto& damaged : Damaged(proof)) {
      ASSERT_EQ(ReasonOf(VerifyConsistency(old, first, size, second, damaged)), Reason::kBadProof)
          << old << " " << size;
    }
    for (std::size_t bit = 0; bit < 256; ++bit) {
      ASSERT_FALSE(VerifyConsistency(old, Flip(first, bit), size, second, proof));
      ASSERT_FALSE(VerifyConsistency(old, first, size, Flip(second, bit), proof));
    }
    if (old != size) {
      ASSERT_FALSE(VerifyConsistency(size, second, old, first, proof));
      ASSERT_FALSE(VerifyConsistency(old, second, size, first, proof));
      ASSERT_FALSE(VerifyConsistency(old, first, size, second, {}));
    }
  }
}

TEST(VerifyConsistency, EqualSizesNeedEqualRootsAndNoHashes) {
  Grown grown(5);
  EXPECT_TRUE(VerifyConsistency(5, grown.roots[5], 5, grown.roots[5], {}));
  EXPECT_FALSE(VerifyConsistency(5, grown.roots[5], 5, grown.roots[4], {}));
  EXPECT_FALSE(VerifyConsistency(5, grown.roots[5], 5, grown.roots[5], {grown.roots[5]}));
}

TEST(VerifyConsistency, TheEmptyTreeHasOneRootAndNeedsNoHashes) {
  Grown grown(5);
  EXPECT_TRUE(VerifyConsistency(0, EmptyRoot(), 5, grown.roots[5], {}));
  EXPECT_TRUE(VerifyConsistency(0, EmptyRoot(), 0, EmptyRoot(), {}));
  EXPECT_FALSE(VerifyConsistency(0, EmptyRoot(), 0, grown.roots[5], {}));
  EXPECT_FALSE(VerifyConsistency(0, grown.roots[5], 0, grown.roots[5], {}));
  EXPECT_FALSE(VerifyConsistency(0, grown.roots[4], 5, grown.roots[5], {}));
  EXPECT_FALSE(VerifyConsistency(0, EmptyRoot(), 5, grown.roots[5], {grown.roots[5]}));
}

// Proofs made to measure: the hashes join, but not in trees of these sizes.
TEST(VerifyConsistency, RefusesRootsThatAreJoinedInOtherTrees) {
  Grown grown(4);
  const Hash &old = grown.roots[3], &extra = grown.leaves[0];
  EXPECT_FALSE(VerifyConsistency(3, old, 2, NodeHash(old, extra), {old, extra})) << "the older tree is larger";
  auto proof = *ProveConsistency(3, 4, grown.store.Reader());
  proof.push_back(extra);
  EXPECT_FALSE(VerifyConsistency(3, NodeHash(extra, old), 4, NodeHash(extra, grown.roots[4]), proof))
      << "above the root";
}

// Two logs that agree on the first entries only: no proof leads from one to the other.
TEST(VerifyConsistency, NoProofOfEitherLogJoinsAFork) {
  Grown honest(40);
  Tree tree;
  TileStore store;
  for (std::size_t i = 0; i < 40; ++i) tree.Append(i == 20 ? LeafHash(AsBytes("another")) : honest.leaves[i]);
  store.Put(tree.TakeChangedTiles());
  for (std::size_t old = 21; old < 40; ++old) {
    for (const auto& proof :
         {*ProveConsistency(old, 40, store.Reader()), *ProveConsistency(old, 40, honest.store.Reader())}) {
      EXPECT_FALSE(VerifyConsistency(old, honest.roots[old], 40, tree.Root(), proof)) << old;
    }
  }
  EXPECT_TRUE(VerifyConsistency(20, honest.roots[20], 40, tree.Root(), *ProveConsistency(20, 40, store.Reader())));
}

}  // namespace
}  // namespace valija::log::test
