#include "broker/public_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/broker/support/bare_log.h"

namespace valija::broker {
namespace {

constexpr char kForEver[] = "public, max-age=31536000, immutable";

// What is published may be less than what the journal holds.
struct Served : test::BareLog {
  explicit Served(std::uint64_t size) {
    if (size != 0) Grow(size);
    published = size;
  }
  std::atomic<std::uint64_t> published = 0;
  std::optional<Error> down;
  PublicLog public_log{journal, [this] { return published.load(); },
                       [this]() -> Result<std::string> {
                         if (down) return *down;
                         return Sign().note();
                       }};
  PublicAnswer Get(const std::string& path) { return public_log.Get(path); }
  int Status(const std::string& path) { return Get(path).status; }
};

TEST(PublicLogTest, ServesTheCheckpointForSecondsOnly) {
  Served log(3);
  const auto answer = log.Get("/checkpoint");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "text/plain; charset=utf-8");
  EXPECT_EQ(answer.caching, "public, max-age=2");
  EXPECT_EQ(AsText(answer.body), log.Sign().note());
}

TEST(PublicLogTest, HasExactlyTheTilesThatATreeOfThePublishedSizeHas) {
  for (const std::uint64_t size : {0, 1, 2, 255, 256, 257, 511, 512, 700}) {
    Served log(size);
    for (unsigned level = 0; level < 4; ++level) {
      for (std::uint64_t index = 0; index < 4; ++index) {
        for (const unsigned width : {1u, 2u, 44u, 188u, 255u, 256u}) {
          const auto path = "/" + log::TilePath({level, index}, width);
          const bool there = width <= log::WidthOf({level, index}, size);
          const auto answer = log.Get(path);
          ASSERT_EQ(answer.status, there ? 200 : 404) << size << " " << path;
          if (!there) {
            EXPECT_EQ(answer.caching, "no-store") << "it may come to be";
            continue;
          }
          EXPECT_EQ(answer.type, "application/octet-stream");
          EXPECT_EQ(answer.caching, kForEver) << path;
          ASSERT_EQ(answer.body.size(), width * 32) << path;
          if (level == 1) {
            const auto below = log.Get("/" + log::TilePath({0, 0}, 256));
            EXPECT_TRUE(Equal(ByteView(answer.body).first(32), log::TileRoot(below.body)));
          }
        }
      }
    }
  }
}

TEST(PublicLogTest, ABundlesEntriesAreTheCommitmentsAndHashToTheTileAbove) {
  for (const std::uint64_t size : {1, 255, 256, 257, 600}) {
    Served log(size);
    for (std::uint64_t index = 0; index * 256 < size; ++index) {
      const auto widest = log::WidthOf({0, index}, size);
      for (const unsigned width : {1u, widest / 2, widest}) {
        if (width == 0) continue;
        const auto bundle = log.Get("/" + log::BundlePath(index, width));
        const auto tile = log.Get("/" + log::TilePath({0, index}, width));
        ASSERT_EQ(bundle.status, 200);
        EXPECT_EQ(bundle.type, "application/octet-stream");
        EXPECT_EQ(bundle.caching, kForEver);
        EXPECT_EQ(bundle.body.size(), width * 34);
        const auto entries = log::ParseBundle(bundle.body);
        ASSERT_TRUE(entries && entries->size() == width);
        for (unsigned i = 0; i < width; ++i) {
          EXPECT_TRUE(Equal((*entries)[i], log.commitments[index * 256 + i]));
          EXPECT_TRUE(Equal(log::LeafHash((*entries)[i]), ByteView(tile.body).subspan(i * 32, 32)));
        }
      }
    }
    EXPECT_EQ(log.Status("/" + log::BundlePath(size / 256, static_cast<unsigned>(size % 256) + 1)), 404);
  }
}

TEST(PublicLogTest, WhatIsNotPublishedYetIsNotThere) {
  Served log(10);
  log.Grow(300);
  EXPECT_EQ(log.Status("/tile/0/000.p/10"), 200);
  EXPECT_EQ(log.Status("/tile/entries/000.p/10"), 200);
  for (const char* path : {"/tile/0/000.p/11", "/tile/entries/000.p/11", "/tile/0/000", "/tile/entries/000",
                           "/tile/0/001.p/44", "/tile/1/000.p/1"}) {
    EXPECT_EQ(log.Status(path), 404) << path;
  }
  log.published = 300;
  EXPECT_EQ(log.Get("/tile/0/000.p/11").body.size(), 11 * 32u) << "cut from the full one";
  EXPECT_EQ(log.Get("/tile/entries/000.p/11").body.size(), 11 * 34u);
  EXPECT_EQ(log.Get("/tile/entries/000").body.size(), 256 * 34u) << "the one that was kept is made wider";
  EXPECT_EQ(log.Status("/tile/1/000.p/1"), 200);
}

TEST(PublicLogTest, EveryOtherPathIsNotFound) {
  Served log(1000);
  for (const char* path : {"",
                           "/",
                           "checkpoint",
                           "//checkpoint",
                           "/checkpoint/",
                           "/checkpoint?x",
                           "/Checkpoint",
                           "/tile",
                           "/tile/",
                           "/tile/0",
                           "/tile/0/",
                           "/tile/0/000/",
                           "/tile/0/0",
                           "/tile/0/0000",
                           "/tile/00/000",
                           "/tile/0/x000/000",
                           "/tile/0/x001",
                           "/tile/0/000.p",
                           "/tile/0/000.p/",
                           "/tile/0/000.p/0",
                           "/tile/0/000.p/01",
                           "/tile/0/000.p/256",
                           "/tile/0/000.p/-1",
                           "/tile/0/000.p/1/",
                           "/tile/0/000.p/1?x=1",
                           "/tile/0/-01",
                           "/tile/8/000",
                           "/tile/63/000.p/1",
                           "/tile/64/000",
                           "/tile/-1/000",
                           "/tile/entries",
                           "/tile/entries/",
                           "/tile/entries/000.p/0",
                           "/tile/entries/x000/000",
                           "/tile/data/000",
                           "/entries/000.pb",
                           "/tile/../checkpoint",
                           "/tile/0/../0/000",
                           "/../etc/passwd",
                           "/tile/0/%30%30%30",
                           "/tile/0/000%00",
                           "/tile/0/000#x",
                           "/tile\\0\\000",
                           "/tile/0/x999/x999/x999/x999/x999/999",
                           "/tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                           "/.git/config",
                           "/high-water",
                           "/metrics",
                           "/health"}) {
    EXPECT_EQ(log.Status(path), 404) << path;
  }
  EXPECT_EQ(log.Status(std::string("/tile/0/000\0", 12)), 404);
}

TEST(PublicLogTest, WhatCannotBeReadIsNotServedAndIsNoNotFound) {
  Served log(300);
  const auto good = log.journal.entries[40];
  proto::LoggedEntry other;
  other.commitment = log.world.random.Make<Commitment>();
  log.journal.entries[40] = proto::EncodeLoggedEntry(other);
  auto answer = log.Get("/tile/entries/000");
  EXPECT_EQ(answer.status, 503) << "another commitment than the tree has";
  EXPECT_EQ(answer.caching, "no-store");
  EXPECT_EQ(log.Status("/tile/entries/000.p/40"), 200) << "up to there it is right";
  EXPECT_EQ(log.Status("/tile/entries/000.p/41"), 503);
  log.journal.entries[40] = ToBytes(AsBytes("garbage"));
  EXPECT_EQ(log.Status("/tile/entries/000"), 503);
  log.journal.entries[40] = good;
  EXPECT_EQ(log.Status("/tile/entries/000"), 200);

  log.journal.tiles[{0, 1}].resize(43 * 32);
  EXPECT_EQ(log.Status("/tile/0/001.p/43"), 200);
  EXPECT_EQ(log.Status("/tile/0/001.p/44"), 503) << "the store has lost some of it";
  log.journal.tiles.erase({0, 0});
  EXPECT_EQ(log.Status("/tile/0/000"), 503);

  log.down = Refuse(Reason::kStorage, "a secret path");
  answer = log.Get("/checkpoint");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(AsText(answer.body), "the log cannot be read now\n") << "what is wrong is not for strangers";
  EXPECT_EQ(log.Status("/tile/1/000.p/1"), 200) << "what can be read is served";
}

TEST(PublicLogTest, ManyReadersAtOnceGetTheRightBytesWhileItGrows) {
  Served log(200);
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  std::atomic<int> wrong = 0;
  for (int r = 0; r < 4; ++r) {
    readers.emplace_back([&, r] {
      for (unsigned i = 0; !done; ++i) {
        const auto size = log.published.load();
        const auto index = (i * 7 + static_cast<unsigned>(r)) % (size / 256 + 1);
        const auto width = log::WidthOf({0, index}, size);
        if (width == 0) continue;
        const auto bundle = log.Get("/" + log::BundlePath(index, width)).body;
        const auto tile = log.Get("/" + log::TilePath({0, index}, width)).body;
        const auto entries = log::ParseBundle(bundle);
        if (!entries || entries->size() != width || !Equal(log::LeafHash(entries->back()), ByteView(tile).last(32))) {
          ++wrong;
        }
      }
    });
  }
  for (std::uint64_t size = 201; size < 1200; size += 13) {
    log.Grow(size);
    log.published = size;
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace valija::broker
