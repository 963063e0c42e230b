#include "broker/storage/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include "broker/storage/rocksdb_internal.h"

namespace valija::broker {
namespace {

constexpr std::string_view kFormatKey = "format", kFormat = "valija-store-2";

rdb::DBOptions DatabaseOptions(const RocksDbStore::Options& options) {
  rdb::DBOptions out;
  out.create_if_missing = options.create;
  out.create_missing_column_families = true;  // a store from before there were rows
  out.paranoid_checks = true;
  // A torn tail was never acknowledged; damage before it refuses to open.
  out.wal_recovery_mode = rdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  out.max_bgerror_resume_count = 0;  // a failed write is for a restart to sort out, not for a retry behind our back
  out.db_write_buffer_size = options.write_buffers;
  out.max_total_wal_size = 4 * options.write_buffers;
  out.max_background_jobs = 2;
  out.max_open_files = 512;
  // Unsynced slices are written out as they come, so that an append does not pay for an upload's sync.
  out.bytes_per_sync = out.wal_bytes_per_sync = 1 << 20;
  out.info_log_level = rdb::InfoLogLevel::WARN_LEVEL;
  out.keep_log_file_num = 4;
  out.max_log_file_size = 4 << 20;
  return out;
}

std::vector<rdb::ColumnFamilyDescriptor> Families(const RocksDbStore::Options& options) {
  rdb::BlockBasedTableOptions table;
  table.block_cache = rdb::NewLRUCache(options.block_cache);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  rdb::ColumnFamilyOptions base;
  base.compression = rdb::kNoCompression;  // ciphertext and digests
  base.write_buffer_size = options.write_buffers / 3;
  base.table_factory.reset(rdb::NewBlockBasedTableFactory(table));
  // Ascending keys: compactions of `entries` move files and rewrite nothing.
  rdb::ColumnFamilyOptions entries = base;
  table.filter_policy.reset(rdb::NewBloomFilterPolicy(10));
  rdb::ColumnFamilyOptions random_keys = base;
  random_keys.table_factory.reset(rdb::NewBlockBasedTableFactory(table));
  random_keys.enable_blob_files = true;
  random_keys.enable_blob_garbage_collection = true;
  random_keys.min_blob_size = 16 << 10;
  random_keys.blob_file_size = 256 << 20;
  // What a start reads (what is unclaimed, what has not expired) stands among the marks of what it no longer is: files that
  // are full of them are written anew before they grow with the log.
  random_keys.table_properties_collector_factories = {rdb::NewCompactOnDeletionCollectorFactory(1024, 256)};
  rdb::ColumnFamilyOptions slices = random_keys;
  slices.min_blob_size = 0;
  // Small values under digests. Most of what is asked for is not there, and a filter says so; of all the filters, which
  // grow with the log, the parts that are asked are in the cache.
  table.index_type = rdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  rdb::ColumnFamilyOptions rows = base;
  rows.table_factory.reset(rdb::NewBlockBasedTableFactory(table));
  rows.table_properties_collector_factories = random_keys.table_properties_collector_factories;
  rows.memtable_prefix_bloom_size_ratio = 0.1;
  rows.memtable_whole_key_filtering = true;
  rows.level_compaction_dynamic_level_bytes = true;
  return {{rdb::kDefaultColumnFamilyName, base},
          {"entries", entries},
          {"bodies", random_keys},
          {"slices", slices},
          {"rows", rows}};
}

}  // namespace

bool RocksDbStore::Exists(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / "CURRENT", ignored);
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(const Options& options) {
  if (!Exists(options.folder) && !options.create) {
    return Refuse(Reason::kNotReady, "there is no store in " + options.folder.string());
  }
  TRY_OK(io::MakePrivateDirectory(options.folder));
  auto db = std::make_unique<Db>();
  db->unclaimed_limit = options.unclaimed_per_member;
  TRY(auto lock, io::FileLock::Take(options.folder / "valija.lock"));
  db->lock = std::make_unique<io::FileLock>(std::move(lock));

  rdb::DB* raw = nullptr;
  const auto families = Families(options);
  db->rows_options = families.at(kRows).options;
  auto status = rdb::DB::Open(DatabaseOptions(options), options.folder.string(), families, &db->families, &raw);
  if (!status.ok()) {
    // Whatever RocksDB cannot make sense of is damage to whoever runs it; only the system's refusals are not.
    return Refuse(status.IsIOError() ? Reason::kStorage : Reason::kCorrupt, status.ToString());
  }
  db->db.reset(raw);

  std::unique_ptr<rdb::Iterator> at(raw->NewIterator(rdb::ReadOptions(), db->families[kEntries]));
  std::uint64_t size = 0;
  at->SeekToLast();
  if (at->Valid()) {
    if (at->key().size() != 8) return Refuse(Reason::kCorrupt, "a key that is no entry's");
    size = ReadU64(View(at->key()).data()) + 1;
  }
  if (!at->status().ok()) return ReadError(at->status());
  at.reset();

  rdb::PinnableSlice format;
  status = db->Get(kDefault, ToBytes(AsBytes(kFormatKey)), &format);
  if (status.IsNotFound() && size == 0 && options.create) {
    rdb::WriteBatch batch;
    batch.Put(db->families[kDefault], ToSlice(AsBytes(kFormatKey)), ToSlice(AsBytes(kFormat)));
    TRY_OK(db->Write(batch, true));
  } else if (!status.ok()) {
    return Refuse(Reason::kCorrupt, "the store does not say its format: " + status.ToString());
  } else if (!Equal(View(format), AsBytes(kFormat))) {
    return Refuse(Reason::kBadConfiguration, "the store's format is not one this version knows");
  }

  std::unique_ptr<RocksDbStore> store(new RocksDbStore(std::move(db)));
  store->journal_ = MakeJournal(*store->db_, size);
  store->rows_ = MakeRows(*store->db_);
  TRY(store->content_, MakeContent(*store->db_));
  return store;
}

RocksDbStore::RocksDbStore(std::unique_ptr<Db> db) : db_(std::move(db)) {}
RocksDbStore::~RocksDbStore() = default;
Status RocksDbStore::Scrub(Scrubbed what) {
  std::vector<Bytes> replaced;
  std::set<char> rows;
  {
    std::lock_guard lock(db_->replaced_mutex);
    replaced.swap(db_->replaced);
    rows.swap(db_->replaced_rows);
  }
  if (what == Scrubbed::kEntries && replaced.empty() && rows.empty()) return Ok();
  auto done = db_->db->Flush(rdb::FlushOptions(), db_->families);  // and the write-ahead logs before it go
  rdb::CompactRangeOptions how;
  how.bottommost_level_compaction = rdb::BottommostLevelCompaction::kForce;
  how.exclusive_manual_compaction = false;
  if (what == Scrubbed::kEntries) {
    for (const auto& key : replaced) {
      const rdb::Slice slice = ToSlice(key);
      if (done.ok()) done = db_->db->CompactRange(how, db_->families[kEntries], &slice, &slice);
    }
    for (const char first : rows) {
      const char next = static_cast<char>(first + 1);
      const rdb::Slice begin(&first, 1), end(&next, 1);
      if (done.ok()) done = db_->db->CompactRange(how, db_->families[kRows], &begin, &end);
    }
  } else {
    how.blob_garbage_collection_policy = rdb::BlobGarbageCollectionPolicy::kForce;
    how.blob_garbage_collection_age_cutoff = 1.0;
    for (auto* family : db_->families)
      if (done.ok()) done = db_->db->CompactRange(how, family, nullptr, nullptr);
  }
  return done.ok() ? Ok() : Status(Refuse(Reason::kStorage, done.ToString()));
}

Journal& RocksDbStore::journal() { return *journal_; }
Rows& RocksDbStore::rows() { return *rows_; }
Content& RocksDbStore::content() { return *content_; }

}  // namespace valija::broker
