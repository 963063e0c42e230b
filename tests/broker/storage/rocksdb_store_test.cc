#include "broker/storage/rocksdb_store.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "core/log/tree.h"
#include "core/record/body.h"
#include "tests/broker/support/temp_folder.h"

namespace valija::broker {
namespace {

using test::TempFolder;

std::unique_ptr<RocksDbStore> Opened(const std::filesystem::path& folder, bool create = false) {
  auto store = RocksDbStore::Open({.folder = folder, .create = create});
  if (!store) throw std::runtime_error(store.error().Message());
  return *std::move(store);
}

Bytes EntryOf(std::uint64_t index, std::size_t size = 50) {
  Bytes out(size, static_cast<std::uint8_t>(index));
  AppendU64(out, index);
  return out;
}

JournalWrite WriteOf(std::uint64_t first, std::size_t count) {
  JournalWrite out;
  out.first = first;
  for (std::size_t i = 0; i < count; ++i) out.entries.push_back(EntryOf(first + i));
  out.tiles[{0, first / 256}] = Bytes(32 * ((first + count - 1) % 256 + 1), 7);
  return out;
}

const MemberId kMember = *MemberId::Parse("us.dea/jrivera");
const MemberId kColleague = *MemberId::Parse("us.dea/karen"), kStranger = *MemberId::Parse("mx.fgr/omar");
BodyName Mine(const Hash& root) { return {kMember.agency(), root}; }
const Time kNow = FromMillis(1'700'000'000'000);

Bytes BodyOf(std::size_t size, std::uint8_t seed) {
  Bytes out(size);
  std::uint32_t x = seed;
  for (auto& byte : out) byte = static_cast<std::uint8_t>((x = x * 1664525u + 1013904223u) >> 24);
  return out;
}
ByteView SliceOf(const Bytes& body, std::size_t index) {
  auto at = index * record::kSliceSize;
  return ByteView(body).subspan(at, std::min(record::kSliceSize, body.size() - at));
}

// ---- Journal ----

TEST(RocksDbJournalTest, GivesBackWhatWasAppended) {
  TempFolder folder;
  auto store = Opened(folder / "db", true);
  Journal& journal = store->journal();
  EXPECT_EQ(journal.Size(), 0u);
  auto first = journal.Append(WriteOf(0, 3));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 3u);
  ASSERT_TRUE(journal.Append(WriteOf(3, 300)));
  EXPECT_EQ(journal.Size(), 303u);
  EXPECT_EQ(journal.Present().size(), 303u);
  auto read = journal.Read(0, 1000, 1 << 20);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 303u);
  for (std::uint64_t i = 0; i < 303; ++i) EXPECT_EQ((*read)[i], EntryOf(i));
  EXPECT_EQ(journal.Tile({0, 0})->size(), 32u * 47);
  EXPECT_FALSE(journal.Tile({0, 1}));
  EXPECT_FALSE(journal.Tile({1, 0}));
}

TEST(RocksDbJournalTest, ReadsStopAtTheEndAtTheCountAndAtTheBytes) {
  TempFolder folder;
  auto store = Opened(folder / "db", true);
  Journal& journal = store->journal();
  ASSERT_TRUE(journal.Append(WriteOf(0, 10)));
  EXPECT_EQ(journal.Read(4, 3, 1 << 20)->size(), 3u);
  EXPECT_EQ(journal.Read(8, 100, 1 << 20)->size(), 2u);
  EXPECT_EQ(journal.Read(10, 1, 1 << 20)->size(), 0u);
  EXPECT_EQ(journal.Read(0, 10, 150)->size(), 2u);  // of 58 bytes each
  EXPECT_EQ(journal.Read(0, 10, 1)->size(), 1u);
}

TEST(RocksDbJournalTest, AnAppendAtAnotherSizeIsRefusedAndChangesNothing) {
  TempFolder folder;
  auto store = Opened(folder / "db", true);
  Journal& journal = store->journal();
  ASSERT_TRUE(journal.Append(WriteOf(0, 2)));
  for (std::uint64_t first : {0, 1, 3}) {
    auto moved = journal.Append(WriteOf(first, 1));
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().reason, Reason::kExists);
  }
  EXPECT_EQ(journal.Size(), 2u);
  EXPECT_TRUE(journal.Append(WriteOf(2, 1)));
}

TEST(RocksDbJournalTest, StandsAfterAReopening) {
  TempFolder folder;
  {
    auto store = Opened(folder / "db", true);
    ASSERT_TRUE(store->journal().Append(WriteOf(0, 5)));
  }
  auto store = Opened(folder / "db");
  EXPECT_EQ(store->journal().Size(), 5u);
  EXPECT_EQ((*store->journal().Read(4, 1, 1))[0], EntryOf(4));
  ASSERT_TRUE(store->journal().Append(WriteOf(5, 1)));
}

TEST(RocksDbStoreTest, AMissingStoreIsNotMadeUnlessAskedFor) {
  TempFolder folder;
  EXPECT_FALSE(RocksDbStore::Exists(folder / "db"));
  auto missing = RocksDbStore::Open({.folder = folder / "db"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().reason, Reason::kNotReady);
  EXPECT_FALSE(std::filesystem::exists(folder / "db"));
  Opened(folder / "db", true);
  EXPECT_TRUE(RocksDbStore::Exists(folder / "db"));
  EXPECT_TRUE(RocksDbStore::Open({.folder = folder / "db"}));
}

TEST(RocksDbStoreTest, ASecondHolderIsRefused) {
  TempFolder folder;
  auto store = Opened(folder / "db", true);
  auto second = RocksDbStore::Open({.folder = folder / "db"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, Reason::kLocked);
}

TEST(RocksDbStoreTest, AFolderThatOthersMayReadIsRefused) {
  TempFolder folder;
  std::filesystem::create_directory(folder / "db");
  std::filesystem::permissions(folder / "db", std::filesystem::perms(0755));
  auto store = RocksDbStore::Open({.folder = folder / "db", .create = true});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().reason, Reason::kUnsafeFile);
}

std::filesystem::path NewestLog(const std::filesystem::path& folder) {
  std::filesystem::path out;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".log" && file.file_size() > 0 && file.path() > out) out = file.path();
  }
  return out;
}

// A write cut short by a kill or a power cut was not acknowledged: it is dropped, and what came before stands.
TEST(RocksDbStoreTest, ATornTailIsDropped) {
  TempFolder folder;
  {
    auto store = Opened(folder / "db", true);
    for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(store->journal().Append(WriteOf(i, 1)));
    std::filesystem::copy(folder / "db", folder / "copy", std::filesystem::copy_options::recursive);
  }
  std::filesystem::permissions(folder / "copy", std::filesystem::perms(0700));
  auto log = NewestLog(folder / "copy");
  ASSERT_FALSE(log.empty());
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 3);
  auto store = Opened(folder / "copy");
  EXPECT_EQ(store->journal().Size(), 3u);
  EXPECT_EQ((*store->journal().Read(2, 1, 1))[0], EntryOf(2));
}

TEST(RocksDbStoreTest, ADamagedLogIsRefused) {
  TempFolder folder;
  {
    auto store = Opened(folder / "db", true);
    for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(store->journal().Append(WriteOf(i, 1)));
    std::filesystem::copy(folder / "db", folder / "copy", std::filesystem::copy_options::recursive);
  }
  std::filesystem::permissions(folder / "copy", std::filesystem::perms(0700));
  auto log = NewestLog(folder / "copy");
  ASSERT_FALSE(log.empty());
  std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(300);
  char byte = static_cast<char>(file.get());
  file.seekp(300);
  file.put(static_cast<char>(byte ^ 0x10));
  file.close();
  auto store = RocksDbStore::Open({.folder = folder / "copy"});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().reason, Reason::kCorrupt);
}

// A disk that takes no more: the append says that the outcome is unknown, nothing is taken after it, and a reopening
// finds what was acknowledged. (In a process of its own: the limit is on the
// process. GoogleTest runs suites of this name first, before RocksDB has made threads.)
int AppendUntilTheDiskIsFull(const std::filesystem::path& folder) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::uint64_t acknowledged = 0;
  auto store = Opened(folder, true);
  rlimit limit{256 << 10, 256 << 10};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
  for (;;) {
    auto done = store->journal().Append(WriteOf(acknowledged, 1));
    if (done) {
      if (++acknowledged > 100'000) return 2;
      continue;
    }
    if (done.error().reason != Reason::kOutcomeUnknown) return 3;
    break;
  }
  auto again = store->journal().Append(WriteOf(acknowledged, 1));
  if (again || again.error().reason != Reason::kStorage) return 4;
  auto small = store->content().PutSmall({AsBytes("body")}, kMember, kNow);
  if (small || small.error().reason != Reason::kStorage) return 5;
  if (store->journal().Size() != acknowledged) return 6;
  std::ofstream(folder.string() + ".acknowledged") << acknowledged;
  std::ofstream(folder.string() + ".acknowledged").flush();
  return 0;
}

TEST(RocksDbStoreDeathTest, AFailedWriteStopsTheStoreAndAReopeningFindsWhatWasAcknowledged) {
  TempFolder folder;
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int status = 99;
    try {
      status = AppendUntilTheDiskIsFull(folder / "db");
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  auto store = Opened(folder / "db");
  EXPECT_GT(store->journal().Size(), 10u);
  auto read = store->journal().Read(0, 100'000, std::size_t{1} << 30);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), store->journal().Size());
  EXPECT_TRUE(store->journal().Append(WriteOf(store->journal().Size(), 1)));
}

// ---- Content ----

class RocksDbContentTest : public testing::Test {
 protected:
  TempFolder folder_;
  std::unique_ptr<RocksDbStore> store_ = Opened(folder_ / "db", true);
  Content& content() { return store_->content(); }
  std::uint64_t quota_ = std::uint64_t{1} << 40;
  void Reopen() {
    store_.reset();
    store_ = RocksDbStore::Open({.folder = folder_ / "db", .unclaimed_per_member = quota_}).value();
  }
  // Entries that name these bodies.
  void Claim(std::vector<BodyName> names) {
    auto write = WriteOf(store_->journal().Size(), 1);
    write.claims = std::move(names);
    ASSERT_TRUE(store_->journal().Append(write));
  }
};

TEST_F(RocksDbContentTest, ABodyComesBackSliceBySlice) {
  Bytes body = BodyOf(2 * record::kSliceSize + 1234, 1);
  auto summary = record::SummariseBody(body);
  auto begun = content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->slices_present, 0u);
  EXPECT_FALSE(content().Has(Mine(summary.root)));
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(content().Put(Mine(summary.root), i, SliceOf(body, i)));
  EXPECT_TRUE(content().Has(Mine(summary.root)));
  Reopen();
  auto found = content().Find(Mine(summary.root));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->complete());
  EXPECT_EQ(found->length, body.size());
  EXPECT_EQ(found->slice_hashes, summary.slice_hashes);
  for (std::size_t i = 0; i < 3; ++i) {
    auto slice = content().Get(Mine(summary.root), i);
    ASSERT_TRUE(slice);
    EXPECT_TRUE(Equal(*slice, SliceOf(body, i)));
  }
  EXPECT_EQ(content().Get(Mine(summary.root), 3).error().reason, Reason::kNotFound);
}

TEST_F(RocksDbContentTest, AnUploadGoesOnWhereItStopped) {
  Bytes body = BodyOf(3 * record::kSliceSize, 2);
  auto summary = record::SummariseBody(body);
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow));
  ASSERT_TRUE(content().Put(Mine(summary.root), 0, SliceOf(body, 0)));
  Reopen();
  auto begun = content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->slices_present, 1u);
  EXPECT_EQ(content().Put(Mine(summary.root), 2, SliceOf(body, 2)).error().reason, Reason::kNotReady);
  EXPECT_TRUE(content().Put(Mine(summary.root), 0, SliceOf(body, 0)));  // sent again: harmless
  ASSERT_TRUE(content().Put(Mine(summary.root), 1, SliceOf(body, 1)));
  ASSERT_TRUE(content().Put(Mine(summary.root), 2, SliceOf(body, 2)));
  EXPECT_TRUE(content().Has(Mine(summary.root)));
  EXPECT_TRUE(content().Put(Mine(summary.root), 2, SliceOf(body, 2)));
}

TEST_F(RocksDbContentTest, RefusesWhatIsNotTheBodyThatItsRootNames) {
  Bytes body = BodyOf(record::kSliceSize + 10, 3);
  auto summary = record::SummariseBody(body);
  auto hashes = summary.slice_hashes;
  EXPECT_EQ(content().Begin(summary.root, body.size() + record::kSliceSize, hashes, kMember, kNow).error().reason,
            Reason::kBadBody);
  std::swap(hashes[0], hashes[1]);
  EXPECT_EQ(content().Begin(summary.root, body.size(), hashes, kMember, kNow).error().reason, Reason::kBadBody);
  EXPECT_EQ(content().Put(Mine(summary.root), 0, SliceOf(body, 0)).error().reason, Reason::kNotFound);

  ASSERT_TRUE(content().Begin(summary.root, body.size(), summary.slice_hashes, kMember, kNow));
  Bytes bad = ToBytes(SliceOf(body, 0));
  bad[77] ^= 1;
  EXPECT_EQ(content().Put(Mine(summary.root), 0, bad).error().reason, Reason::kBadBody);
  EXPECT_EQ(content().Put(Mine(summary.root), 0, SliceOf(body, 0).first(100)).error().reason, Reason::kBadBody);
  EXPECT_EQ(content().Put(Mine(summary.root), 0, {}).error().reason, Reason::kBadBody);
  EXPECT_EQ(content().Put(Mine(summary.root), 2, SliceOf(body, 0)).error().reason, Reason::kBadBody);
  EXPECT_EQ(content().Find(Mine(summary.root))->slices_present, 0u);
  EXPECT_EQ(content().Get(Mine(summary.root), 0).error().reason, Reason::kNotFound);
}

TEST_F(RocksDbContentTest, SmallBodiesGoInOneWriteAndStandAfterTheNextAppend) {
  std::vector<Bytes> bodies = {BodyOf(300, 4), BodyOf(20'000, 5), BodyOf(record::kSliceSize, 6)};
  std::vector<ByteView> views(bodies.begin(), bodies.end());
  auto roots = content().PutSmall(views, kMember, kNow);
  ASSERT_TRUE(roots);
  ASSERT_EQ(roots->size(), 3u);
  ASSERT_TRUE(store_->journal().Append(WriteOf(0, 1)));
  Reopen();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*roots)[i], record::SummariseBody(bodies[i]).root);
    EXPECT_TRUE(content().Has(Mine((*roots)[i])));
    EXPECT_EQ(*content().Get(Mine((*roots)[i]), 0), bodies[i]);
    EXPECT_EQ(content().Get(Mine((*roots)[i]), 1).error().reason, Reason::kNotFound);
    auto found = content().Find(Mine((*roots)[i]));
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->complete());
    EXPECT_EQ(found->slice_hashes, std::vector<Hash>{(*roots)[i]});
  }
  EXPECT_TRUE(content().PutSmall(views, kMember, kNow));
}

TEST_F(RocksDbContentTest, RefusesSmallBodiesThatAreNone) {
  Bytes large(record::kSliceSize + 1);
  EXPECT_EQ(content().PutSmall({ByteView()}, kMember, kNow).error().reason, Reason::kMalformed);
  EXPECT_EQ(content().PutSmall({large}, kMember, kNow).error().reason, Reason::kTooLarge);
}

TEST_F(RocksDbContentTest, WhatIsErasedIsGone) {
  Bytes large = BodyOf(record::kSliceSize + 5, 7), small = BodyOf(100, 8);
  auto summary = record::SummariseBody(large);
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow));
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(content().Put(Mine(summary.root), i, SliceOf(large, i)));
  auto roots = content().PutSmall({small}, kMember, kNow);
  ASSERT_TRUE(roots);
  for (const Hash& root : {summary.root, (*roots)[0]}) {
    ASSERT_TRUE(content().Erase(Mine(root)));
    EXPECT_FALSE(content().Find(Mine(root)));
    EXPECT_FALSE(content().Has(Mine(root)));
    EXPECT_EQ(content().Get(Mine(root), 0).error().reason, Reason::kNotFound);
    EXPECT_EQ(content().Erase(Mine(root)).error().reason, Reason::kNotFound);
  }
}

TEST_F(RocksDbContentTest, ASweepTakesOldBodiesThatNoRecordNames) {
  const Time old = kNow - std::chrono::hours(48), limit = kNow - std::chrono::hours(24);
  auto roots = content().PutSmall({AsBytes("old, claimed"), AsBytes("old, unclaimed")}, kMember, old);
  auto young = content().PutSmall({AsBytes("young, unclaimed")}, kMember, kNow);
  ASSERT_TRUE(roots && young);
  Bytes body = BodyOf(record::kSliceSize + 1, 9);
  auto half = record::SummariseBody(body);
  ASSERT_TRUE(content().Begin(half.root, half.length, half.slice_hashes, kMember, old));
  ASSERT_TRUE(content().Put(Mine(half.root), 0, SliceOf(body, 0)));
  Claim({Mine((*roots)[0])});
  Reopen();
  auto swept = content().Sweep(limit);
  ASSERT_TRUE(swept);
  EXPECT_EQ(*swept, 2u);
  EXPECT_TRUE(content().Has(Mine((*roots)[0])));
  EXPECT_FALSE(content().Has(Mine((*roots)[1])));
  EXPECT_TRUE(content().Has(Mine((*young)[0])));
  EXPECT_FALSE(content().Find(Mine(half.root)));
  EXPECT_EQ(content().Get(Mine(half.root), 0).error().reason, Reason::kNotFound);
  EXPECT_EQ(content().Sweep(limit).value(), 0u);
}

TEST_F(RocksDbContentTest, ASweepLeavesAnUploadThatGoesOn) {
  const Time old = kNow - std::chrono::hours(48);
  Bytes body = BodyOf(record::kSliceSize + 1, 9);
  auto summary = record::SummariseBody(body);
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, old));
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kColleague, kNow));
  EXPECT_EQ(content().Sweep(kNow - std::chrono::hours(24)).value(), 0u);
  EXPECT_TRUE(content().Find(Mine(summary.root)));
}

TEST_F(RocksDbContentTest, ASweepLeavesWhatARecordIsAboutToClaim) {
  const Time old = kNow - std::chrono::hours(48), limit = kNow - std::chrono::hours(24);
  auto roots = content().PutSmall({AsBytes("sent again"), AsBytes("asked for"), AsBytes("neither")}, kMember, old);
  ASSERT_TRUE(roots);
  ASSERT_TRUE(content().PutSmall({AsBytes("sent again")}, kMember, kNow));
  EXPECT_TRUE(content().FindWanted(Mine((*roots)[1]), kNow));
  EXPECT_EQ(content().Sweep(limit).value(), 1u);
  EXPECT_TRUE(content().Has(Mine((*roots)[0])));
  EXPECT_TRUE(content().Has(Mine((*roots)[1])));
  EXPECT_FALSE(content().FindWanted(Mine((*roots)[2]), kNow));
}

TEST_F(RocksDbContentTest, WhatWasFoundIsNotSweptByASweepThatHadListedIt) {
  std::vector<Bytes> bodies;
  for (std::uint8_t i = 0; i < 250; ++i)
    for (std::uint8_t j = 0; j < 8; ++j) bodies.push_back({i, j});
  auto roots = content().PutSmall({bodies.begin(), bodies.end()}, kMember, kNow - std::chrono::hours(48)).value();
  std::sort(roots.rbegin(), roots.rend());  // a sweep begins at the other end
  std::vector<Hash> found;
  std::thread sweep([this] { ASSERT_TRUE(content().Sweep(kNow - std::chrono::hours(24))); });
  for (const auto& root : roots)
    if (content().FindWanted(Mine(root), kNow)) found.push_back(root);
  sweep.join();
  for (const auto& root : found) EXPECT_TRUE(content().Has(Mine(root)));
}

TEST_F(RocksDbContentTest, AnAppendThatClaimsWhatIsNotThereIsRefusedAndNothingIsTakenAfterIt) {
  auto roots = content().PutSmall({AsBytes("there"), AsBytes("swept")}, kMember, kNow).value();
  ASSERT_TRUE(content().Erase(Mine(roots[1])));
  auto write = WriteOf(0, 1);
  write.claims = {Mine(roots[0]), Mine(roots[1])};
  auto refused = store_->journal().Append(write);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kStorage);
  EXPECT_EQ(store_->journal().Append(WriteOf(0, 1)).error().reason, Reason::kStorage);
  Reopen();
  EXPECT_EQ(store_->journal().Size(), 0u);
  EXPECT_EQ(content().Sweep(kNow + std::chrono::hours(24)).value(), 1u) << "the other one is as it was";
}

// Damage that only a read of this body shows.
void DamageManifest(const std::filesystem::path& folder, const BodyName& name) {
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, folder.string(), &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& family : names) families.emplace_back(family, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, folder.string(), families, &handles, &raw).ok());
  std::unique_ptr<rocksdb::DB> db(raw);
  const std::string key = "m" + ToString(name.root) + name.owner.str();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "bodies") {
      EXPECT_TRUE(db->Put({}, handles[i], key, "nonsense").ok());
    }
    EXPECT_TRUE(db->DestroyColumnFamilyHandle(handles[i]).ok());
  }
}

TEST_F(RocksDbContentTest, ASweepGoesOnBehindABodyThatCannotBeErasedAndTriesThatAgain) {
  std::vector<Bytes> bodies;
  for (std::uint8_t i = 0; i < 9; ++i) bodies.push_back({i});
  auto roots = content().PutSmall({bodies.begin(), bodies.end()}, kMember, kNow).value();
  std::sort(roots.begin(), roots.end());
  store_.reset();
  DamageManifest(folder_ / "db", Mine(roots[4]));
  Reopen();
  for (int i = 0; i < 2; ++i) {
    auto swept = content().Sweep(kNow + std::chrono::hours(24));
    ASSERT_FALSE(swept);
    EXPECT_EQ(swept.error().reason, Reason::kCorrupt);
    EXPECT_NE(swept.error().detail.find(roots[4].Hex()), std::string::npos);
    for (const auto& root : roots) EXPECT_FALSE(content().Has(Mine(root)));
  }
}

// ---- whose a body is ----

TEST_F(RocksDbContentTest, WhatAnotherAgencyUploadedIsAsIfItWereNotThere) {
  const Bytes large = BodyOf(record::kSliceSize + 5, 7);
  const auto summary = record::SummariseBody(large);
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow));
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(content().Put(Mine(summary.root), i, SliceOf(large, i)));
  const BodyName theirs{kStranger.agency(), summary.root};
  EXPECT_FALSE(content().Has(theirs));
  EXPECT_FALSE(content().Find(theirs));
  EXPECT_EQ(content().Get(theirs, 0).error().reason, Reason::kNotFound);
  EXPECT_EQ(content().Erase(theirs).error().reason, Reason::kNotFound);
  // Beginning it finds nothing of it: every byte has to be sent.
  auto begun = content().Begin(summary.root, summary.length, summary.slice_hashes, kStranger, kNow);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->slices_present, 0u);
}

TEST_F(RocksDbContentTest, ACopyOfAnotherAgencyNeitherBlocksTheOwnerNorGoesWithIt) {
  const Bytes large = BodyOf(record::kSliceSize + 5, 7);
  const auto summary = record::SummariseBody(large);
  const BodyName theirs{kStranger.agency(), summary.root};
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kStranger, kNow));  // and no more
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow));
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(content().Put(Mine(summary.root), i, SliceOf(large, i)));
  for (std::size_t i = 0; i < 2; ++i) ASSERT_TRUE(content().Put(theirs, i, SliceOf(large, i)));
  EXPECT_TRUE(content().Has(theirs));
  ASSERT_TRUE(content().Erase(theirs));
  EXPECT_TRUE(content().Has(Mine(summary.root)));
  EXPECT_TRUE(Equal(*content().Get(Mine(summary.root), 1), SliceOf(large, 1)));
}

TEST_F(RocksDbContentTest, AColleagueGoesOnWithAnUpload) {
  const Bytes large = BodyOf(record::kSliceSize + 5, 7);
  const auto summary = record::SummariseBody(large);
  ASSERT_TRUE(content().Begin(summary.root, summary.length, summary.slice_hashes, kMember, kNow));
  ASSERT_TRUE(content().Put(Mine(summary.root), 0, SliceOf(large, 0)));
  EXPECT_EQ(content().Begin(summary.root, summary.length, summary.slice_hashes, kColleague, kNow)->slices_present, 1u);
}

// ---- what no record has claimed ----

constexpr std::uint64_t kQuota = 4 * record::kSliceSize;

class RocksDbQuotaTest : public RocksDbContentTest {
 protected:
  RocksDbQuotaTest() {
    quota_ = kQuota;
    Reopen();
  }
  // A body of this many slices is begun and no more.
  Result<BodyInfo> Begin(std::size_t slices, std::uint8_t seed, const MemberId& by = kMember) {
    const auto summary = record::SummariseBody(BodyOf(slices * record::kSliceSize, seed));
    return content().Begin(summary.root, summary.length, summary.slice_hashes, by, kNow);
  }
  // How much of the limit is used: what the smallest bodies leave of it when they fill it up. They are erased again.
  std::uint64_t Used(const MemberId& by) {
    std::vector<BodyName> fill;
    for (std::uint8_t i = 0; i <= kQuota / Content::kLeastCharge; ++i) {
      auto put = content().PutSmall({Bytes{0xff, i}}, by, kNow);
      if (!put) break;
      fill.push_back({by.agency(), put->front()});
    }
    for (const auto& name : fill) EXPECT_TRUE(content().Erase(name));
    return kQuota - fill.size() * Content::kLeastCharge;
  }
  Reason Refusal(const Result<BodyInfo>& begun) { return begun ? Reason::kInternal : begun.error().reason; }
};

TEST_F(RocksDbQuotaTest, CountsWhatIsBegunAsAWholeAndSmallBodiesAsTheLeast) {
  EXPECT_EQ(Used(kMember), 0u);
  ASSERT_TRUE(Begin(3, 1));
  EXPECT_EQ(Used(kMember), 3 * record::kSliceSize);
  ASSERT_TRUE(Begin(3, 1));  // found again: counted once
  ASSERT_TRUE(Begin(3, 1, kColleague));
  EXPECT_EQ(Used(kMember), 3 * record::kSliceSize);
  EXPECT_EQ(Used(kColleague), 0u);
  ASSERT_TRUE(content().PutSmall({AsBytes("a"), AsBytes("b"), AsBytes("a")}, kMember, kNow));
  EXPECT_EQ(Used(kMember), 3 * record::kSliceSize + 2 * Content::kLeastCharge);
}

TEST_F(RocksDbQuotaTest, RefusesWhatWouldPassTheLimitAndOfThatMemberAlone) {
  ASSERT_TRUE(Begin(3, 1));
  EXPECT_EQ(Refusal(Begin(2, 2)), Reason::kTooMany);
  EXPECT_FALSE(content().Find(Mine(record::SummariseBody(BodyOf(2 * record::kSliceSize, 2)).root)));
  ASSERT_TRUE(Begin(1, 3));  // exactly
  EXPECT_EQ(content().PutSmall({AsBytes("a")}, kMember, kNow).error().reason, Reason::kTooMany);
  EXPECT_EQ(Used(kMember), kQuota);
  EXPECT_TRUE(Begin(2, 4, kColleague));
  EXPECT_TRUE(Begin(3, 1)) << "what is counted already can go on";
}

TEST_F(RocksDbQuotaTest, TakesOneBodyWhateverItsSize) {
  ASSERT_TRUE(Begin(6, 1));
  EXPECT_EQ(Refusal(Begin(1, 2)), Reason::kTooMany);
}

TEST_F(RocksDbQuotaTest, AClaimGivesTheRoomBackAndCompletionDoesNot) {
  const Bytes body = BodyOf(4 * record::kSliceSize, 1);
  auto begun = Begin(4, 1);
  ASSERT_TRUE(begun);
  for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE(content().Put(begun->name, i, SliceOf(body, i)));
  EXPECT_EQ(Used(kMember), kQuota);
  Claim({begun->name});
  EXPECT_EQ(Used(kMember), 0u);
  Claim({begun->name});  // by a second record
  EXPECT_EQ(Used(kMember), 0u);
  ASSERT_TRUE(Begin(4, 1));  // sent again: it is there, and counts no more
  EXPECT_EQ(Used(kMember), 0u);
}

TEST_F(RocksDbQuotaTest, AnotherAgencysClaimIsNotThisOnes) {
  auto begun = Begin(4, 1);
  ASSERT_TRUE(begun);
  auto theirs = Begin(4, 1, kStranger);
  ASSERT_TRUE(theirs);
  Claim({theirs->name});
  EXPECT_EQ(Used(kMember), kQuota);
}

TEST_F(RocksDbQuotaTest, ASweepAndAnErasureGiveTheRoomBack) {
  ASSERT_TRUE(Begin(2, 1));
  auto other = Begin(2, 2);
  ASSERT_TRUE(content().Erase(other->name));
  EXPECT_EQ(Used(kMember), 2 * record::kSliceSize);
  EXPECT_EQ(content().Sweep(kNow + std::chrono::hours(24)).value(), 1u);
  EXPECT_EQ(Used(kMember), 0u);
}

TEST_F(RocksDbQuotaTest, IsTheSameAfterAReopening) {
  auto claimed = Begin(1, 1);
  ASSERT_TRUE(claimed && Begin(2, 2) && Begin(1, 3, kColleague));
  ASSERT_TRUE(content().PutSmall({AsBytes("a")}, kMember, kNow));
  Claim({claimed->name});
  Reopen();
  EXPECT_EQ(Used(kMember), 2 * record::kSliceSize + Content::kLeastCharge);
  EXPECT_EQ(Used(kColleague), record::kSliceSize);
  EXPECT_EQ(Refusal(Begin(3, 4)), Reason::kTooMany);
}

}  // namespace
}  // namespace valija::broker
