#include "core/log/tile.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <stdexcept>

namespace valija::log {

// For messages of failed tests.
void PrintTo(const TileRef& ref, std::ostream* out) { *out << TilePath(ref.id, ref.width); }

namespace {

TEST(TilePath, IsAsTheSpecificationWritesIt) {
  EXPECT_EQ(TilePath({0, 0}, 256), "tile/0/000");
  EXPECT_EQ(TilePath({1, 999}, 256), "tile/1/999");
  EXPECT_EQ(TilePath({0, 1000}, 256), "tile/0/x001/000");
  EXPECT_EQ(TilePath({0, 1234067}, 256), "tile/0/x001/x234/067");
  EXPECT_EQ(TilePath({0, 1234067}, 112), "tile/0/x001/x234/067.p/112");
  EXPECT_EQ(TilePath({7, 0}, 1), "tile/7/000.p/1");
  EXPECT_EQ(TilePath({0, 36028797018963967}, 255), "tile/0/x036/x028/x797/x018/x963/967.p/255");
  EXPECT_EQ(BundlePath(1000000, 256), "tile/entries/x001/x000/000");
  EXPECT_EQ(BundlePath(2, 188), "tile/entries/002.p/188");
}

TEST(TilePath, ThrowsForAWidthThatNoTileHas) {
  EXPECT_THROW(TilePath({0, 0}, 0), std::invalid_argument);
  EXPECT_THROW(TilePath({0, 0}, 257), std::invalid_argument);
  EXPECT_THROW(BundlePath(0, 0), std::invalid_argument);
}

TEST(TilePath, ParsesWhatItWrites) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    TileId id{static_cast<unsigned>(random() % 64), random() >> (9 + random() % 55)};
    auto width = static_cast<unsigned>(1 + random() % 256);
    auto tile = ParseTilePath(TilePath(id, width));
    ASSERT_TRUE(tile) << TilePath(id, width);
    EXPECT_FALSE(tile->bundle);
    EXPECT_EQ(tile->id, id);
    EXPECT_EQ(tile->width, width);
    auto bundle = ParseTilePath(BundlePath(id.index, width));
    ASSERT_TRUE(bundle) << BundlePath(id.index, width);
    EXPECT_TRUE(bundle->bundle);
    EXPECT_EQ(bundle->id.index, id.index);
    EXPECT_EQ(bundle->width, width);
  }
}

TEST(TilePath, RefusesEveryOtherSpelling) {
  for (std::string_view path : {
           "",
           "tile",
           "tile/",
           "tile/0",
           "tile/0/",
           "tile//000",
           "/tile/0/000",
           "tile/0/000/",
           "Tile/0/000",
           "tile/00/000",
           "tile/64/000",
           "tile/-1/000",
           "tile/+1/000",
           "tile/x/000",
           "tile/100/000",
           "tile/0 /000",
           "tile/entries",
           "tile/entries/",
           "tile/Entries/000",
           "tile/data/000",
           "tile/8/0/000",
           "tile/0/0",
           "tile/0/00",
           "tile/0/0000",
           "tile/0/00a",
           "tile/0/-01",
           "tile/0/+01",
           "tile/0/ 01",
           "tile/0/x000/000",
           "tile/0/x000/x001/000",
           "tile/0/001/000",
           "tile/0/x001",
           "tile/0/x001/",
           "tile/0/x001/x000",
           "tile/0/X001/000",
           "tile/0/x1/000",
           "tile/0/x0001/000",
           "tile/0/x001//000",
           "tile/0/../000",
           "tile/0/x001/..",
           "tile/0/x001/x002/x003/x004/x005/x006/007",
           "tile/0/x999/x999/x999/x999/x999/x999/999",
           "tile/0/000.p",
           "tile/0/000.p/",
           "tile/0/000.p/0",
           "tile/0/000.p/256",
           "tile/0/000.p/01",
           "tile/0/000.p/1/",
           "tile/0/000.p/1000",
           "tile/0/000.p/-1",
           "tile/0/000.p/1.p/1",
           "tile/0/000.P/1",
           "tile/0/000p/1",
           "tile/0/.p/1",
           "tile/0/x001.p/1",
           "tile/0/000.p/1 ",
           "tile/0/000\n",
           "tile/0/000?x",
       }) {
    EXPECT_FALSE(ParseTilePath(path)) << path;
  }
  EXPECT_FALSE(ParseTilePath(std::string_view("tile/0/000\0", 11)));
  // A good path with one character more, less or changed is bad, or another good path spelled as we spell it.
  const std::string good = "tile/1/x001/x234/067.p/112";
  ASSERT_TRUE(ParseTilePath(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      for (int edit = 0; edit < 3; ++edit) {
        std::string other = good;
        if (edit == 0) other[i] = static_cast<char>(c);
        if (edit == 1) other.insert(i, 1, static_cast<char>(c));
        if (edit == 2) other.erase(i, 1);
        if (auto parsed = ParseTilePath(other)) {
          ASSERT_EQ(parsed->bundle ? BundlePath(parsed->id.index, parsed->width) : TilePath(parsed->id, parsed->width),
                    other);
        }
      }
    }
  }
}

TEST(Tiles, HaveTheWidthsOfTheSpecificationsExamples) {
  EXPECT_EQ(PartialWidth(0, 256), 0u);
  EXPECT_EQ(PartialWidth(1, 256), 1u);
  EXPECT_EQ(PartialWidth(2, 256), 0u);
  EXPECT_EQ(PartialWidth(0, 70000), 112u);
  EXPECT_EQ(PartialWidth(1, 70000), 17u);
  EXPECT_EQ(PartialWidth(2, 70000), 1u);
  EXPECT_EQ(PartialWidth(7, 0x7fff'ffff'ffff'ffff), 127u);
  EXPECT_EQ(PartialWidth(8, 0x7fff'ffff'ffff'ffff), 0u);
  EXPECT_EQ(PartialWidth(63, 0x7fff'ffff'ffff'ffff), 0u);
  EXPECT_EQ(WidthOf({0, 272}, 70000), 256u);
  EXPECT_EQ(WidthOf({0, 273}, 70000), 112u);
  EXPECT_EQ(WidthOf({0, 274}, 70000), 0u);
  EXPECT_EQ(WidthOf({0, 0}, 0), 0u);
  EXPECT_EQ(WidthOf({63, 0}, 70000), 0u);
}

// All tiles of a tree, by the definition: floor(size / 256^level) hashes in rows of 256.
std::map<TileId, unsigned> AllTiles(std::uint64_t size) {
  std::map<TileId, unsigned> out;
  for (unsigned level = 0; size > 0; ++level, size /= 256) {
    for (std::uint64_t i = 0; i < size / 256; ++i) out[{level, i}] = 256;
    if (size % 256 != 0) out[{level, size / 256}] = static_cast<unsigned>(size % 256);
  }
  return out;
}

TEST(Tiles, NewOnesAreThoseThatTheOlderTreeHadNot) {
  std::mt19937_64 random(3);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs = {{0, 0},         {0, 1},     {0, 256},   {0, 65536},
                                                                {255, 256},     {256, 256}, {256, 257}, {65535, 65536},
                                                                {65536, 65537}, {0, 70000}};
  for (int i = 0; i < 500; ++i) {
    std::uint64_t from = random() % 70000;
    pairs.push_back({from, from + random() % (i % 2 == 0 ? 600 : 140000)});
  }
  for (auto [from, to] : pairs) {
    auto before = AllTiles(from);
    std::vector<TileRef> expected;
    for (auto [id, width] : AllTiles(to)) {
      if (!before.contains(id) || before[id] != width) expected.push_back({id, width});
      ASSERT_EQ(WidthOf(id, to), width);
    }
    ASSERT_EQ(NewTiles(from, to), expected) << from << " to " << to;
  }
  EXPECT_TRUE(NewTiles(5, 4).empty());
}

TEST(Bundle, GivesBackWhatWasPutIn) {
  std::vector<Bytes> entries = {{}, {0}, Bytes(65535, 0xa5), {1, 2, 3}};
  Bytes bundle;
  for (const auto& entry : entries) AppendBundleEntry(bundle, entry);
  EXPECT_EQ(ParseBundle(bundle), entries);
  EXPECT_EQ(ParseBundle({}), std::vector<Bytes>());
}

TEST(Bundle, HoldsAtMost256Entries) {
  Bytes bundle;
  for (int i = 0; i < 256; ++i) AppendBundleEntry(bundle, Bytes{7});
  ASSERT_TRUE(ParseBundle(bundle));
  EXPECT_EQ(ParseBundle(bundle)->size(), 256u);
  AppendBundleEntry(bundle, Bytes{7});
  EXPECT_FALSE(ParseBundle(bundle));
}

TEST(Bundle, RefusesToEndInsideAnEntry) {
  Bytes bundle;
  AppendBundleEntry(bundle, Bytes{1, 2, 3});
  for (std::size_t size = 1; size < bundle.size(); ++size) EXPECT_FALSE(ParseBundle(ByteView(bundle).first(size)));
  bundle.push_back(0);
  EXPECT_FALSE(ParseBundle(bundle));
}

TEST(Bundle, ThrowsForAnEntryThatIsTooLong) {
  Bytes bundle;
  EXPECT_THROW(AppendBundleEntry(bundle, Bytes(65536)), std::length_error);
  EXPECT_TRUE(bundle.empty());
}

}  // namespace
}  // namespace valija::log
