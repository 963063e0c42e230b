#include "core/log/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/crypto/hash.h"
#include "tests/core/log/reference.h"
#include "tests/support/vectors.h"

namespace valija::log::test {
namespace {

using valija::test::FixedHex;
using valija::test::FullSet;
using valija::test::ReadJson;
using valija::test::WorkedExample;

// ---- published roots ----

struct RootAtSize {
  std::uint64_t size;
  const char* root;
};

// generated/decimal-roots.json: entry i is the decimal number i.
constexpr RootAtSize kDecimalRoots[] = {
    {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {1, "db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03"},
    {2, "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b"},
    {3, "725d5230db68f557470dc35f1d8865813acd7ebb07ad152774141decbae71327"},
    {7, "a3e23b32ccb6bf96d092d165d8aa546e09829de8f03b0e8957581d1e16b92bdf"},
    {8, "3b85a9626c1ccb64c6b95ec7fa64888defe2cf12e39e77e10812ce5fcb9cb58e"},
    {255, "32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb"},
    {256, "828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1"},
    {257, "1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4"},
    {1000, "638afa98022925bacfddadb15ef22fd0199c1ac99c2973b6158243d13fce05c2"},
    {65535, "74f13a0e1a75689372efb990cf68c664e44c763d9304844955b2eaff624e8df1"},
    {65536, "f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b"},
    {65537, "dc8795a25fd4bd52a0b84f639fd3139ba160824023d188e428eb5db0f3ce221a"},
    {70000, "1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e"},
};

TEST(Tree, HasThePublishedRootsOfDecimalEntries) {
  Tree tree;
  for (auto [size, root] : kDecimalRoots) {
    while (tree.size() < size) tree.Append(DecimalLeaf(tree.size()));
    EXPECT_EQ(tree.Root().Hex(), root) << size;
  }
}

TEST(Tree, HasEveryPublishedRootUpToAMillion) {
  auto folder = FullSet("tlog/generated");
  if (!folder) GTEST_SKIP();
  auto rows = ReadJson(*folder / "decimal-roots.json")["roots"];
  ASSERT_GE(rows.size(), 1000u);
  Tree tree;
  for (const auto& row : rows) {
    auto size = row["size"].get<std::uint64_t>();
    ASSERT_GE(size, tree.size());
    while (tree.size() < size) tree.Append(DecimalLeaf(tree.size()));
    ASSERT_EQ(tree.Root().Hex(), row["root"].get<std::string>()) << size;
  }
}

// generated/rfc6962-classic-roots.json: the eight leaves that every implementation uses.
constexpr const char* kClassicLeaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr const char* kClassicRoots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

TEST(Tree, HasTheClassicRoots) {
  Tree tree;
  Hashes leaves;
  EXPECT_EQ(RootOf({}), EmptyRoot());
  EXPECT_EQ(tree.Root().Hex(), kClassicRoots[0]);
  for (std::size_t i = 0; i < std::size(kClassicLeaves); ++i) {
    leaves.push_back(LeafHash(*FromHex(kClassicLeaves[i])));
    tree.Append(leaves.back());
    EXPECT_EQ(tree.Root().Hex(), kClassicRoots[i + 1]);
    EXPECT_EQ(RootOf(leaves).Hex(), kClassicRoots[i + 1]);
  }
}

TEST(Tree, HasTheClassicRootsAsLaid) {
  auto folder = FullSet("tlog/generated");
  if (!folder) GTEST_SKIP();
  auto file = ReadJson(*folder / "rfc6962-classic-roots.json");
  ASSERT_EQ(file["leaves_hex"].size(), std::size(kClassicLeaves));
  for (std::size_t i = 0; i < std::size(kClassicLeaves); ++i) {
    EXPECT_EQ(file["leaves_hex"][i].get<std::string>(), kClassicLeaves[i]);
    EXPECT_EQ(file["leaf_hashes"][i].get<std::string>(), LeafHash(*FromHex(kClassicLeaves[i])).Hex());
  }
  ASSERT_EQ(file["roots_by_size"].size(), std::size(kClassicRoots));
  for (std::size_t i = 0; i < std::size(kClassicRoots); ++i) {
    EXPECT_EQ(file["roots_by_size"][i].get<std::string>(), kClassicRoots[i]);
  }
}

// ---- trees in memory ----

TEST(Tree, SmallTreesHaveTheRootsAndPathsOfTheWorkedExample) {
  auto trees = ReadJson(WorkedExample() / "primitives.json")["trees"];
  ASSERT_FALSE(trees.empty());
  for (const auto& tree : trees) {
    Hashes leaves;
    for (const auto& leaf : tree["leaf_hashes"]) leaves.push_back(FixedHex<Hash>(leaf));
    EXPECT_EQ(RootOf(leaves), FixedHex<Hash>(tree["root"]));
    ASSERT_EQ(tree["paths"].size(), leaves.size());
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      Hashes path;
      for (const auto& hash : tree["paths"][i]) path.push_back(FixedHex<Hash>(hash));
      EXPECT_EQ(PathOf(leaves, i), path);
      EXPECT_TRUE(VerifyInclusion(i, leaves.size(), leaves[i], path, FixedHex<Hash>(tree["root"])));
    }
  }
}

// SHA-256(seed || u32 0) || SHA-256(seed || u32 1) || .., cut off.
Bytes Stream(ByteView seed, std::size_t length) {
  Bytes out;
  out.reserve(length + Hash::kSize);
  for (std::uint32_t i = 0; out.size() < length; ++i) {
    Bytes input = ToBytes(seed);
    AppendU32(input, i);
    Append(out, crypto::Sha256(input));
  }
  out.resize(length);
  return out;
}

TEST(Tree, SlicesOfASealedBodyHaveTheRootsOfTheWorkedExample) {
  auto rows = ReadJson(WorkedExample() / "primitives.json")["body_roots"];
  ASSERT_FALSE(rows.empty());
  for (const auto& row : rows) {
    Bytes body = Stream(valija::test::Hex(row["seed"]), row["length"].get<std::size_t>());
    Hashes slices;
    for (ByteView left = body; !left.empty();) {
      auto slice = left.first(std::min<std::size_t>(left.size(), 1 << 20));
      slices.push_back(LeafHash(slice));
      left = left.subspan(slice.size());
    }
    EXPECT_EQ(slices.size(), row["slices"].get<std::size_t>());
    EXPECT_EQ(RootOf(slices), FixedHex<Hash>(row["root"]));
  }
}

TEST(Tree, EveryWayToARootAgreesWithTheDefinition) {
  auto leaves = DecimalLeaves(600);
  Tree tree;
  for (std::size_t n = 0; n <= leaves.size(); ++n) {
    Hashes first(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(n));
    Hash root = Mth(first);
    ASSERT_EQ(tree.Root(), root) << n;
    ASSERT_EQ(RootOf(first), root) << n;
    if (n < leaves.size()) tree.Append(leaves[n]);
  }
}

TEST(Tree, PathsInMemoryAgreeWithTheDefinition) {
  auto leaves = DecimalLeaves(70);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    Hashes first(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(PathOf(first, i), Path(i, first)) << i << " of " << n;
    EXPECT_THROW(PathOf(first, n), std::out_of_range);
  }
}

TEST(Tree, TheRootOfATileIsTheRootOfItsHashes) {
  auto leaves = DecimalLeaves(256);
  Bytes tile;
  EXPECT_THROW(TileRoot(tile), std::invalid_argument);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    Append(tile, leaves[n - 1]);
    EXPECT_EQ(TileRoot(tile), Mth(HashView(leaves).first(n)));
  }
  EXPECT_THROW(TileRoot(ByteView(tile).first(33)), std::invalid_argument);
  Append(tile, leaves[0]);
  EXPECT_THROW(TileRoot(tile), std::invalid_argument);
}

// ---- tiles ----

// What a tile must hold, by tlog-tiles.
Bytes TileOf(const Hashes& leaves, TileId id, unsigned width) {
  std::size_t each = std::size_t{1} << (8 * id.level);
  Bytes out;
  for (std::size_t i = 0; i < width; ++i) {
    Append(out, Mth(HashView(leaves).subspan((id.index * kTileWidth + i) * each, each)));
  }
  return out;
}

TEST(Tree, GivesExactlyTheNewTilesAndWhatTheyMustHold) {
  auto leaves = DecimalLeaves(70000);
  std::mt19937 random(1);
  Tree tree;
  std::size_t size = 0;
  while (size < leaves.size()) {
    std::size_t batch = random() % 4 == 0 ? random() % 20000 : random() % 300;
    std::size_t next = std::min(leaves.size(), size + batch);
    for (std::size_t i = size; i < next; ++i) tree.Append(leaves[i]);
    auto changed = tree.TakeChangedTiles();
    auto expected = NewTiles(size, next);
    ASSERT_EQ(changed.size(), expected.size()) << size << " to " << next;
    for (auto [id, width] : expected) ASSERT_EQ(changed[id], TileOf(leaves, id, width)) << TilePath(id, width);
    size = next;
  }
  EXPECT_TRUE(tree.TakeChangedTiles().empty());
}

TEST(Tree, LoadedAtAnySizeContinuesAsIfItHadNeverStopped) {
  std::mt19937 random(2);
  std::vector<std::size_t> sizes = {0, 1, 2, 255, 256, 257, 511, 512, 65535, 65536, 65537, 65791, 65792, 65793};
  for (int i = 0; i < 60; ++i) sizes.push_back(random() % 70000);
  std::sort(sizes.begin(), sizes.end());
  auto leaves = DecimalLeaves(71000);

  Tree whole;
  TileStore store;
  for (std::size_t size : sizes) {
    while (whole.size() < size) whole.Append(leaves[whole.size()]);
    store.Put(whole.TakeChangedTiles());
    auto loaded = Tree::Load(size, whole.Root(), store.Reader());
    ASSERT_TRUE(loaded) << size << loaded.error().Message();
    ASSERT_EQ(loaded->size(), size);
    ASSERT_TRUE(loaded->TakeChangedTiles().empty()) << "nothing has changed yet";
    Tree copy = whole;
    for (std::size_t i = size; i < size + 1 + random() % 600; ++i) {
      copy.Append(leaves[i]);
      loaded->Append(leaves[i]);
      ASSERT_EQ(loaded->Root(), copy.Root());
    }
    ASSERT_EQ(loaded->TakeChangedTiles(), copy.TakeChangedTiles()) << size;
  }
}

TEST(Tree, LoadReadsOnlyTheRightEdge) {
  TileStore store;
  Tree tree;
  for (const auto& leaf : DecimalLeaves(66000)) tree.Append(leaf);
  store.Put(tree.TakeChangedTiles());
  ASSERT_TRUE(Tree::Load(66000, tree.Root(), store.Reader()));
  EXPECT_EQ(store.reads, 3u);
}

TEST(Tree, LoadTakesTheFirstHashesOfWiderTiles) {
  TileStore store;
  Tree tree;
  std::map<std::size_t, Hash> roots;
  for (const auto& leaf : DecimalLeaves(1200)) {
    roots[tree.size()] = tree.Root();
    tree.Append(leaf);
  }
  store.Put(tree.TakeChangedTiles());
  for (const auto& [size, root] : roots) {
    auto loaded = Tree::Load(size, root, store.Reader());
    ASSERT_TRUE(loaded) << size;
    while (loaded->size() < 1200) loaded->Append(DecimalLeaf(loaded->size()));
    ASSERT_EQ(loaded->Root(), tree.Root()) << size;
  }
}

TEST(Tree, LoadRefusesTilesThatAreMissingShortLongOrChanged) {
  TileStore store;
  Tree tree;
  for (const auto& leaf : DecimalLeaves(66000)) tree.Append(leaf);
  store.Put(tree.TakeChangedTiles());
  auto refused = [&](const TileStore& changed, Hash root) {
    auto copy = changed;
    auto loaded = Tree::Load(66000, root, copy.Reader());
    return !loaded && loaded.error().reason == Reason::kCorrupt;
  };
  EXPECT_FALSE(refused(store, tree.Root()));
  EXPECT_TRUE(refused(store, Flip(tree.Root(), 7)));
  for (unsigned level = 0; level < 3; ++level) {
    TileId id{level, std::uint64_t{66000} >> (8 * level) >> 8};
    ASSERT_TRUE(store.tiles.contains(id));
    auto changed = store;
    changed.tiles.erase(id);
    EXPECT_TRUE(refused(changed, tree.Root())) << "missing, level " << level;
    changed = store;
    changed.tiles[id].pop_back();
    EXPECT_TRUE(refused(changed, tree.Root())) << "cut, level " << level;
    changed = store;
    changed.tiles[id].push_back(0);
    EXPECT_TRUE(refused(changed, tree.Root())) << "not whole hashes, level " << level;
    changed = store;
    changed.tiles[id].resize(257 * Hash::kSize);
    EXPECT_TRUE(refused(changed, tree.Root())) << "wider than a tile, level " << level;
    changed = store;
    changed.tiles[id].front() ^= 1;
    EXPECT_TRUE(refused(changed, tree.Root())) << "changed, level " << level;
  }
}

// ---- sizes that nobody can build: all leaves are the same, so a perfect subtree is known by its height ----

struct Uniform {
  Hashes perfect;  // by height
  Uniform() {
    perfect.push_back(LeafHash({}));
    for (int h = 1; h < 64; ++h) perfect.push_back(NodeHash(perfect.back(), perfect.back()));
  }
  Hash Root(std::uint64_t size) const {
    std::optional<Hash> root;
    for (unsigned h = 0; h < 63; ++h) {
      if ((size >> h & 1) != 0) root = root ? NodeHash(perfect[h], *root) : perfect[h];
    }
    return root ? *root : EmptyRoot();
  }
  TileReader Reader() const {
    return [this](TileId id, unsigned width) -> std::optional<Bytes> {
      Bytes out;
      for (unsigned i = 0; i < width; ++i) Append(out, perfect[8 * id.level]);
      return out;
    };
  }
};

TEST(Tree, WorksAtSizesUpToTheLargest) {
  Uniform uniform;
  std::vector<std::uint64_t> sizes = {kMaxTreeSize - 300};
  for (unsigned shift = 16; shift < 63; shift += 1) {
    sizes.push_back((std::uint64_t{1} << shift) - 3);
    sizes.push_back((std::uint64_t{3} << (shift - 1)) + 77);
  }
  for (auto size : sizes) {
    auto tree = Tree::Load(size, uniform.Root(size), uniform.Reader());
    ASSERT_TRUE(tree) << size;
    std::uint64_t end = size + 280;
    while (tree->size() < end) {
      tree->Append(uniform.perfect[0]);
      ASSERT_EQ(tree->Root(), uniform.Root(tree->size())) << tree->size();
    }
    auto changed = tree->TakeChangedTiles();
    auto expected = NewTiles(size, end);
    ASSERT_EQ(changed.size(), expected.size()) << size;
    for (auto [id, width] : expected) ASSERT_EQ(changed[id], *uniform.Reader()(id, width)) << TilePath(id, width);
  }
}

TEST(Tree, NeverGrowsPastTheLargestSizeOfACheckpoint) {
  Uniform uniform;
  auto tree = Tree::Load(kMaxTreeSize, uniform.Root(kMaxTreeSize), uniform.Reader());
  ASSERT_TRUE(tree);
  EXPECT_THROW(tree->Append(uniform.perfect[0]), std::length_error);
  auto larger = Tree::Load(kMaxTreeSize + 1, uniform.perfect[63], uniform.Reader());
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().reason, Reason::kCorrupt);
}

}  // namespace
}  // namespace valija::log::test
