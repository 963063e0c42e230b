#include "broker/free_space.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "broker/oplog.h"
#include "tests/broker/support/temp_folder.h"

namespace valija::broker {
namespace {

constexpr std::uint64_t kFloor = 100 << 20;

// What is taken, in a word.
std::string Takes(const FreeSpace& space) {
  if (!space.CheckStatements()) return space.CheckBodies() ? "bodies without statements?" : "nothing";
  return space.CheckBodies() ? "everything" : "statements";
}

TEST(FreeSpaceTest, RefusesBodiesFirstAndStatementsBelowHalfTheFloorAndRecovers) {
  std::uint64_t free = kFloor;
  FreeSpace space(kFloor, [&]() -> Result<std::uint64_t> { return free; });
  auto takes = [&](std::uint64_t bytes) {
    free = bytes;
    space.Look();
    return Takes(space);
  };
  EXPECT_EQ(takes(kFloor), "everything");
  EXPECT_EQ(takes(kFloor - 1), "statements");
  EXPECT_EQ(takes(kFloor / 2), "statements");
  EXPECT_EQ(takes(kFloor / 2 - 1), "nothing");
  EXPECT_EQ(takes(kFloor / 2), "statements");
  EXPECT_EQ(takes(kFloor), "everything");
  free = 0;
  EXPECT_EQ(Takes(space), "everything") << "it is not asked for at each call";
  space.Look();
  EXPECT_EQ(space.CheckBodies().error().reason, Reason::kStorage);
  EXPECT_EQ(space.CheckStatements().error().reason, Reason::kStorage);
}

TEST(FreeSpaceTest, AFileSystemThatDoesNotAnswerIsTakenForFull) {
  bool answers = false;
  FreeSpace space(kFloor, [&]() -> Result<std::uint64_t> {
    if (answers) return kFloor;
    return Refuse(Reason::kFile);
  });
  space.Look();
  EXPECT_EQ(Takes(space), "nothing");
  answers = true;
  space.Look();
  EXPECT_EQ(Takes(space), "everything");
}

TEST(FreeSpaceTest, WithoutAFloorNothingIsRefused) {
  FreeSpace space(0, []() -> Result<std::uint64_t> { return std::uint64_t{0}; });
  space.Look();
  EXPECT_EQ(Takes(space), "everything");
}

TEST(FreeSpaceTest, AsksTheFileSystemOfTheFolder) {
  test::TempFolder folder;
  EXPECT_GT(FreeSpace::Of(folder.path())().value(), 0u);
  EXPECT_FALSE(FreeSpace::Of(folder / "not there")());
}

TEST(FreeSpaceTest, SaysEachChangeOnceInTheOperationsLog) {
  test::TempFolder folder;
  ASSERT_TRUE(OpenLog({true, (folder / "log").string(), false}));
  std::uint64_t free = kFloor;
  FreeSpace space(kFloor, [&]() -> Result<std::uint64_t> { return free; });
  for (const std::uint64_t bytes : {kFloor, kFloor - 1, kFloor - 2, std::uint64_t{0}, std::uint64_t{1}, kFloor}) {
    free = bytes;
    space.Look();
  }
  FlushLog();
  ASSERT_TRUE(OpenLog({}));
  std::ifstream in(folder / "log");
  std::string line, levels;
  while (std::getline(in, line)) {
    EXPECT_NE(line.find("\"event\":\"free-space\""), std::string::npos) << line;
    levels += line.find("\"level\":\"alarm\"") != std::string::npos ? 'a' : 'i';
  }
  EXPECT_EQ(levels, "aai");
}

}  // namespace
}  // namespace valija::broker
