// Each target over its good seeds, over what fuzzing found and was kept (corpus/<target>/), and over some
// thousand changes of both. The search itself is libFuzzer's: `./do fuzz`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/fuzz/mutate.h"
#include "tests/fuzz/targets.h"

namespace valija::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(VALIJA_SOURCE_DIR) / "tests/fuzz/corpus";

std::vector<Bytes> Kept(const Target& target) {
  std::vector<fs::path> files;
  if (fs::exists(kCorpus / target.name))
    for (const auto& file : fs::directory_iterator(kCorpus / target.name)) files.push_back(file.path());
  std::sort(files.begin(), files.end());
  std::vector<Bytes> out;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

class CorpusTest : public testing::TestWithParam<Target> {};

TEST_P(CorpusTest, NoBytesBreakTheParser) {
  const Target& target = GetParam();
  auto inputs = Kept(target);
  for (auto& seed : target.seeds()) inputs.push_back(std::move(seed));
  inputs.push_back({});
  const auto run = [&](const Bytes& bytes) {
    try {
      target.run(bytes);
    } catch (const std::exception& error) {
      std::ofstream("broken-" + target.name, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      ADD_FAILURE() << error.what() << " (the bytes are in broken-" << target.name << ")";
    }
    return !testing::Test::HasFailure();
  };
  for (const auto& input : inputs)
    if (!run(input)) return;
  Mutator mutate(11);
  std::mt19937_64 dice(12);
  for (int i = 0; i < 2000; ++i) {
    auto changed = mutate(target, inputs[dice() % inputs.size()], inputs[dice() % inputs.size()]);
    for (auto more = dice() % 3; more > 0; --more) changed = mutate(target, changed, inputs[dice() % inputs.size()]);
    if (!run(changed)) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Parsers, CorpusTest, testing::ValuesIn(Targets()), [](const auto& info) {
  std::string name;
  for (const char c : info.param.name) name += c == '-' ? '_' : c;
  return name;
});

TEST(Corpus, HasNoFolderThatIsNoTargets) {
  std::set<std::string> names;
  for (const auto& target : Targets()) {
    EXPECT_TRUE(names.insert(target.name).second) << target.name;
    EXPECT_FALSE(target.seeds().empty()) << target.name;
  }
  for (const auto& folder : fs::directory_iterator(kCorpus))
    EXPECT_TRUE(names.count(folder.path().filename())) << folder.path();
}

}  // namespace
}  // namespace valija::fuzz
