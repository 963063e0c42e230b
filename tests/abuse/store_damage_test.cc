// A store's files damaged in any place, and its write-ahead log cut anywhere: the broker refuses to start, or it serves the
// very log that it acknowledged. Abuse tests 35 and 36 of docs/hardening.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include "broker/storage/rocksdb_store.h"
#include "core/io/file.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

namespace fs = std::filesystem;
using test::BrokerRig;

bool Long() { return std::getenv("VALIJA_LONG") != nullptr; }

// A log in a real store, stopped, half of it in a table and half in the write-ahead log; and copies of its folder to harm.
class StoreDamage : public testing::Test {
 protected:
  BrokerRig rig_;
  std::vector<Bytes> entries_;
  log::Checkpoint last_;
  fs::path good_ = rig_.folder / "good", harmed_ = rig_.folder / "harmed";

  void SetUp() override {
    auto store = RocksDbStore::Open({.folder = good_, .create = true}).value();
    rig_.journal = &store->journal();
    rig_.Found();
    Enrol(12, "a");
    rig_.Stop();
    store.reset();
    store = RocksDbStore::Open({.folder = good_}).value();  // what was in the write-ahead log is in a table now
    rig_.journal = &store->journal();
    ASSERT_TRUE(rig_.Start());
    Enrol(12, "b");
    last_ = rig_.sequencer->checkpoint()->checkpoint();
    rig_.Stop();
    entries_ = store->journal().Read(0, 1000, std::size_t{1} << 30).value();
    ASSERT_EQ(entries_.size(), last_.size);
    store.reset();
    fs::copy_file(rig_.mark_path(), rig_.folder / "mark-kept");
  }
  void Enrol(int count, const std::string& name) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(rig_.Post(rig_.world.EnrolNew("us.dea/" + name + std::to_string(i))));
  }

  std::vector<fs::path> Files(const std::string& extension) const {
    std::vector<fs::path> out;
    for (const auto& file : fs::directory_iterator(good_)) {
      const auto name = file.path().filename().string();
      const bool is = extension == "MANIFEST" ? name.starts_with(extension) : file.path().extension() == extension;
      if (is && file.file_size() > 0) out.push_back(file.path().filename());
    }
    return out;
  }
  enum class End { kRefused, kTheSame };
  // Harms a copy, and starts a broker's log on it. What starts has every entry as it was acknowledged.
  End After(const std::function<void(const fs::path& folder)>& harm) {
    fs::remove_all(harmed_);
    fs::copy(good_, harmed_, fs::copy_options::recursive);
    fs::permissions(harmed_, fs::perms(0700));
    fs::copy_file(rig_.folder / "mark-kept", rig_.mark_path(), fs::copy_options::overwrite_existing);
    harm(harmed_);
    auto store = RocksDbStore::Open({.folder = harmed_});
    if (!store) return End::kRefused;
    rig_.journal = &(*store)->journal();
    const auto started = rig_.Start();
    if (!started) {
      rig_.Stop();
      return End::kRefused;
    }
    EXPECT_EQ(rig_.sequencer->checkpoint()->checkpoint(), last_);
    // A start reads what it needs; the rest says what is wrong with it when it is read, and to `valija-broker check`.
    const auto read = (*store)->journal().Read(0, 1000, std::size_t{1} << 30);
    if (read) {
      EXPECT_EQ(*read, entries_) << "entries are lost or changed, and nobody said so";
    } else {
      EXPECT_EQ(read.error().reason, Reason::kCorrupt);
    }
    rig_.Stop();
    return read ? End::kTheSame : End::kRefused;
  }
  static void Flip(const fs::path& path, std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 0x20));
  }
};

TEST_F(StoreDamage, WithoutDamageItIsTheSame) {
  EXPECT_EQ(After([](const fs::path&) {}), End::kTheSame);
}

TEST_F(StoreDamage, AFlippedByteIsFoundOrHarmless) {
  for (const char* kind : {".log", ".sst", "MANIFEST"}) {
    const auto files = Files(kind);
    ASSERT_FALSE(files.empty()) << kind;
    std::uint64_t tried = 0, refused = 0;
    for (const auto& name : files) {
      const auto size = fs::file_size(good_ / name);
      const std::uint64_t step = Long() ? 7 : std::max<std::uint64_t>(1, size / 25);
      for (std::uint64_t at = 0; at < size && !HasFailure(); at += step) {
        SCOPED_TRACE(name.string() + " byte " + std::to_string(at));
        ++tried;
        refused += After([&](const fs::path& folder) { Flip(folder / name, at); }) == End::kRefused ? 1 : 0;
      }
    }
    EXPECT_GT(refused, tried / 4) << kind << ": is it looked at, at all?";
    std::cout << "[ figures  ] " << kind << ": " << refused << " of " << tried << " refused, the others harmless\n";
  }
}

TEST_F(StoreDamage, AWriteAheadLogThatIsCutOrGoneIsMissed) {
  const auto files = Files(".log");
  ASSERT_EQ(files.size(), 1u);
  const auto size = fs::file_size(good_ / files[0]);
  const std::uint64_t step = Long() ? 7 : std::max<std::uint64_t>(1, size / 40);
  std::uint64_t tried = 0;
  for (std::uint64_t left = 0; left < size && !HasFailure(); left += step, ++tried) {
    SCOPED_TRACE(std::to_string(left) + " of " + std::to_string(size));
    EXPECT_EQ(After([&](const fs::path& folder) { fs::resize_file(folder / files[0], left); }), End::kRefused);
  }
  EXPECT_EQ(After([&](const fs::path& folder) { fs::remove(folder / files[0]); }), End::kRefused);
  std::cout << "[ figures  ] cut at " << tried << " places\n";
}

TEST_F(StoreDamage, AFileThatIsGoneIsMissed) {
  for (const char* kind : {".sst", "MANIFEST"})
    for (const auto& name : Files(kind))
      EXPECT_EQ(After([&](const fs::path& folder) { fs::remove(folder / name); }), End::kRefused) << name;
  EXPECT_EQ(After([&](const fs::path& folder) { fs::remove(folder / "CURRENT"); }), End::kRefused);
}

}  // namespace
}  // namespace valija::broker
