#include "broker/storage/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "broker/oplog.h"
#include "core/io/file.h"
#include "core/log/tree.h"
#include "core/record/body.h"

namespace valija::broker {
namespace {

namespace rdb = rocksdb;

constexpr std::string_view kFormatKey = "format", kFormat = "valija-store-1";
enum Family : std::size_t { kDefault, kEntries, kBodies, kSlices };

rdb::Slice ToSlice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
ByteView View(const rdb::Slice& slice) { return AsBytes(std::string_view(slice.data(), slice.size())); }

Bytes IndexKey(std::uint64_t index) {
  Bytes key;
  AppendU64(key, index);
  return key;
}

Bytes TileKey(log::TileId id) {
  Bytes key = {'t', static_cast<std::uint8_t>(id.level)};
  AppendU64(key, id.index);
  return key;
}

Bytes BodyKey(char part, const Hash& root) {
  Bytes key = {static_cast<std::uint8_t>(part)};
  Append(key, root);
  return key;
}

Bytes SliceKey(const Hash& root, std::uint64_t index) {
  Bytes key = ToBytes(root);
  AppendU32(key, static_cast<std::uint32_t>(index));
  return key;
}

struct Manifest {
  std::uint64_t length = 0;
  Time begun;
  bool complete = false;
  std::string by;
  ByteView inline_body;  // into the value it was decoded from
};

Bytes EncodeManifest(const Manifest& manifest) {
  Bytes out;
  out.reserve(18 + manifest.by.size() + manifest.inline_body.size());
  AppendU64(out, manifest.length);
  AppendU64(out, static_cast<std::uint64_t>(ToMillis(manifest.begun)));
  out.push_back(manifest.complete ? 1 : 0);
  out.push_back(static_cast<std::uint8_t>(manifest.by.size()));
  Append(out, AsBytes(manifest.by));
  Append(out, manifest.inline_body);
  return out;
}

std::optional<Manifest> DecodeManifest(ByteView bytes) {
  if (bytes.size() < 18 || bytes[16] > 1 || bytes.size() < 18u + bytes[17]) return std::nullopt;
  Manifest out;
  out.length = ReadU64(bytes.data());
  out.begun = FromMillis(static_cast<std::int64_t>(ReadU64(bytes.data() + 8)));
  out.complete = bytes[16] == 1;
  out.by = ToString(bytes.subspan(18, bytes[17]));
  out.inline_body = bytes.subspan(18u + bytes[17]);
  if (!out.inline_body.empty() && (!out.complete || out.inline_body.size() != out.length)) return std::nullopt;
  return out;
}

rdb::DBOptions DatabaseOptions(const RocksDbStore::Options& options) {
  rdb::DBOptions out;
  out.create_if_missing = out.create_missing_column_families = options.create;
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
  rdb::ColumnFamilyOptions slices = random_keys;
  slices.min_blob_size = 0;
  return {{rdb::kDefaultColumnFamilyName, base}, {"entries", entries}, {"bodies", random_keys}, {"slices", slices}};
}

Error ReadError(const rdb::Status& status) {
  return Refuse(status.IsCorruption() ? Reason::kCorrupt : Reason::kStorage, status.ToString());
}

}  // namespace

struct RocksDbStore::Db {
  std::unique_ptr<io::FileLock> lock;
  std::unique_ptr<rdb::DB> db;
  std::vector<rdb::ColumnFamilyHandle*> families;
  std::atomic<bool> failed = false;

  ~Db() {
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
    if (db) {
      if (auto closed = db->Close(); !closed.ok())
        Log(Level::kAlarm, "store-close-failed", {{"status", closed.ToString()}});
    }
  }

  rdb::Status Get(Family family, const Bytes& key, rdb::PinnableSlice* value) const {
    return db->Get(rdb::ReadOptions(), families[family], ToSlice(key), value);
  }

  // kStorage: refused, nothing was tried. kOutcomeUnknown: tried and failed.
  Status Write(rdb::WriteBatch& batch, bool sync) {
    if (failed) return Refuse(Reason::kStorage, "an earlier write failed; the store has to be opened anew");
    rdb::WriteOptions how;
    how.sync = sync;
    auto status = db->Write(how, &batch);
    if (status.ok()) return Ok();
    failed = true;
    Log(Level::kAlarm, "store-write-failed", {{"status", status.ToString()}});
    return Refuse(Reason::kOutcomeUnknown, status.ToString());
  }
};

// ---- Journal ----

class RocksDbStore::JournalPart : public Journal {
 public:
  JournalPart(Db& db, std::uint64_t size) : db_(db), size_(size) {}

  std::uint64_t Size() const override { return size_; }

  Result<std::vector<Bytes>> Read(std::uint64_t from, std::size_t count, std::size_t max_bytes) const override {
    std::vector<Bytes> out;
    std::uint64_t size = size_;
    if (from >= size || count == 0) return out;
    rdb::ReadOptions how;
    how.fill_cache = count == 1;
    std::unique_ptr<rdb::Iterator> at(db_.db->NewIterator(how, db_.families[kEntries]));
    std::size_t bytes = 0;
    at->Seek(ToSlice(IndexKey(from)));
    for (; out.size() < count && from + out.size() < size; at->Next()) {
      std::uint64_t index = from + out.size();
      if (!at->Valid()) {
        if (!at->status().ok()) return ReadError(at->status());
        return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + " is missing");
      }
      if (!Equal(View(at->key()), IndexKey(index))) {
        return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + " is missing");
      }
      bytes += at->value().size();
      if (!out.empty() && bytes > max_bytes) break;
      out.push_back(ToBytes(View(at->value())));
    }
    return out;
  }

  std::optional<Bytes> Tile(log::TileId id) const override {
    rdb::PinnableSlice value;
    auto status = db_.Get(kDefault, TileKey(id), &value);
    if (status.ok()) return ToBytes(View(value));
    if (!status.IsNotFound()) Log(Level::kAlarm, "store-read-failed", {{"status", status.ToString()}});
    return std::nullopt;
  }

 protected:
  Status DoAppend(const JournalWrite& write) override {
    if (write.first != size_) {
      return Refuse(Reason::kExists, "the journal has " + std::to_string(size_) + " entries");
    }
    rdb::WriteBatch batch;
    std::uint64_t index = write.first;
    for (const auto& entry : write.entries) {
      batch.Put(db_.families[kEntries], ToSlice(IndexKey(index++)), ToSlice(entry));
    }
    for (const auto& [id, hashes] : write.tiles) {
      batch.Put(db_.families[kDefault], ToSlice(TileKey(id)), ToSlice(hashes));
    }
    TRY_OK(db_.Write(batch, true));
    size_ = index;
    return Ok();
  }

 private:
  Db& db_;
  std::atomic<std::uint64_t> size_;
};

// ---- Content ----

class RocksDbStore::ContentPart : public Content {
 public:
  explicit ContentPart(Db& db) : db_(db) {}

  Result<BodyInfo> Begin(const Hash& root, std::uint64_t length, const std::vector<Hash>& slice_hashes,
                         const MemberId& by, Time now) override {
    TRY_OK(record::SliceList::Check(length, root, slice_hashes));
    std::lock_guard lock(mutex_);
    if (auto there = Find(root)) {
      if (there->length != length) return Refuse(Reason::kBadBody, "another length under this root");
      return *std::move(there);
    }
    rdb::WriteBatch batch;
    batch.Put(db_.families[kBodies], ToSlice(BodyKey('m', root)),
              ToSlice(EncodeManifest({length, now, false, by.str(), {}})));
    if (slice_hashes.size() > 1) {
      Bytes hashes;
      for (const auto& hash : slice_hashes) Append(hashes, hash);
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('h', root)), ToSlice(hashes));
    }
    TRY_OK(db_.Write(batch, false));
    return BodyInfo{root, length, slice_hashes, 0};
  }

  Status Put(const Hash& root, std::uint64_t index, ByteView slice) override {
    Hash hash = log::LeafHash(slice);
    std::lock_guard lock(mutex_);
    rdb::PinnableSlice value;
    TRY(Manifest manifest, Load(root, &value));
    std::uint64_t count = record::SliceList::Count(manifest.length);
    if (index >= count) return Refuse(Reason::kBadBody, "no such slice");
    std::uint64_t length = index + 1 < count ? record::kSliceSize : manifest.length - index * record::kSliceSize;
    TRY(Hash expected, SliceHash(root, count, index));
    if (slice.size() != length || hash != expected) {
      return Refuse(Reason::kBadBody, "slice " + std::to_string(index));
    }
    if (manifest.complete) return Ok();
    TRY(std::uint64_t present, Present(root));
    if (index < present) return Ok();
    if (index > present) return Refuse(Reason::kNotReady, "slice " + std::to_string(present) + " comes next");

    rdb::WriteBatch batch;
    batch.Put(db_.families[kSlices], ToSlice(SliceKey(root, index)), ToSlice(slice));
    bool last = index + 1 == count;
    if (last) {
      manifest.complete = true;
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('m', root)), ToSlice(EncodeManifest(manifest)));
      batch.Delete(db_.families[kBodies], ToSlice(BodyKey('p', root)));
    } else {
      Bytes progress;
      AppendU32(progress, static_cast<std::uint32_t>(index + 1));
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('p', root)), ToSlice(progress));
    }
    return db_.Write(batch, last);
  }

  Result<std::vector<Hash>> PutSmall(const std::vector<ByteView>& bodies, const MemberId& by, Time now) override {
    std::vector<Hash> roots;
    for (auto body : bodies) {
      if (body.empty()) return Refuse(Reason::kMalformed, "an empty body");
      if (body.size() > record::kSliceSize) return Refuse(Reason::kTooLarge, "a body of more than one slice");
      roots.push_back(log::LeafHash(body));  // the root of one slice
    }
    std::lock_guard lock(mutex_);
    rdb::WriteBatch batch;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      if (Has(roots[i])) continue;
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('m', roots[i])),
                ToSlice(EncodeManifest({bodies[i].size(), now, true, by.str(), bodies[i]})));
    }
    if (batch.Count() > 0) TRY_OK(db_.Write(batch, false));
    return roots;
  }

  std::optional<BodyInfo> Find(const Hash& root) const override {
    rdb::PinnableSlice value;
    auto manifest = Load(root, &value);
    if (!manifest) return std::nullopt;
    BodyInfo out{root, manifest->length, {}, 0};
    std::uint64_t count = record::SliceList::Count(manifest->length);
    if (count == 1) {
      out.slice_hashes = {root};
    } else {
      rdb::PinnableSlice hashes;
      if (!db_.Get(kBodies, BodyKey('h', root), &hashes).ok() || hashes.size() != count * Hash::kSize) {
        return std::nullopt;
      }
      for (std::uint64_t i = 0; i < count; ++i) {
        out.slice_hashes.push_back(*Hash::From(View(hashes).subspan(i * Hash::kSize, Hash::kSize)));
      }
    }
    if (manifest->complete) {
      out.slices_present = count;
    } else if (auto present = Present(root)) {
      out.slices_present = *present;
    }
    return out;
  }

  bool Has(const Hash& root) const override {
    rdb::PinnableSlice value;
    auto manifest = Load(root, &value);
    return manifest && manifest->complete;
  }

  Result<Bytes> Get(const Hash& root, std::uint64_t index) const override {
    rdb::PinnableSlice value;
    TRY(Manifest manifest, Load(root, &value));
    if (!manifest.inline_body.empty()) {
      if (index != 0) return Refuse(Reason::kNotFound);
      return ToBytes(manifest.inline_body);
    }
    std::uint64_t count = record::SliceList::Count(manifest.length);
    if (index >= count) return Refuse(Reason::kNotFound);
    rdb::PinnableSlice slice;
    auto status = db_.Get(kSlices, SliceKey(root, index), &slice);
    if (status.ok()) return ToBytes(View(slice));
    if (!status.IsNotFound()) return ReadError(status);
    if (manifest.complete) return Refuse(Reason::kCorrupt, "slice " + std::to_string(index) + " is missing");
    return Refuse(Reason::kNotFound);
  }

  Status Erase(const Hash& root) override {
    std::lock_guard lock(mutex_);
    return EraseLocked(root);
  }

  Result<std::size_t> Sweep(Time before, const std::function<bool(const Hash&)>& claimed) override {
    std::vector<Hash> doomed;
    rdb::ReadOptions how;
    how.fill_cache = false;
    std::unique_ptr<rdb::Iterator> at(db_.db->NewIterator(how, db_.families[kBodies]));
    for (at->Seek("m"); at->Valid() && at->key().starts_with("m"); at->Next()) {
      auto root = Hash::From(View(at->key()).subspan(1));
      auto manifest = DecodeManifest(View(at->value()));
      if (!root || !manifest) return Refuse(Reason::kCorrupt, "a body's manifest");
      if (manifest->begun < before && !(manifest->complete && claimed(*root))) doomed.push_back(*root);
    }
    if (!at->status().ok()) return ReadError(at->status());
    for (const auto& root : doomed) TRY_OK(Erase(root));
    return doomed.size();
  }

 private:
  // The manifest points into `value`. kNotFound, kCorrupt, kStorage.
  Result<Manifest> Load(const Hash& root, rdb::PinnableSlice* value) const {
    auto status = db_.Get(kBodies, BodyKey('m', root), value);
    if (status.IsNotFound()) return Refuse(Reason::kNotFound);
    if (!status.ok()) return ReadError(status);
    auto manifest = DecodeManifest(View(*value));
    if (!manifest || manifest->length == 0) return Refuse(Reason::kCorrupt, "a body's manifest");
    return *std::move(manifest);
  }

  Result<Hash> SliceHash(const Hash& root, std::uint64_t count, std::uint64_t index) const {
    if (count == 1) return root;
    rdb::PinnableSlice hashes;
    auto status = db_.Get(kBodies, BodyKey('h', root), &hashes);
    if (!status.ok()) return ReadError(status);
    if (hashes.size() != count * Hash::kSize) return Refuse(Reason::kCorrupt, "a body's slice hashes");
    return *Hash::From(View(hashes).subspan(index * Hash::kSize, Hash::kSize));
  }

  Result<std::uint64_t> Present(const Hash& root) const {
    rdb::PinnableSlice value;
    auto status = db_.Get(kBodies, BodyKey('p', root), &value);
    if (status.IsNotFound()) return std::uint64_t{0};
    if (!status.ok()) return ReadError(status);
    if (value.size() != 4) return Refuse(Reason::kCorrupt, "a body's progress");
    return std::uint64_t{ReadU32(View(value).data())};
  }

  Status EraseLocked(const Hash& root) {
    rdb::PinnableSlice value;
    TRY(Manifest manifest, Load(root, &value));
    rdb::WriteBatch batch;
    for (char part : {'m', 'h', 'p'}) batch.Delete(db_.families[kBodies], ToSlice(BodyKey(part, root)));
    std::uint64_t count = manifest.inline_body.empty() ? record::SliceList::Count(manifest.length) : 0;
    if (!manifest.complete) {
      TRY(count, Present(root));
    }
    for (std::uint64_t i = 0; i < count; ++i) batch.Delete(db_.families[kSlices], ToSlice(SliceKey(root, i)));
    return db_.Write(batch, false);
  }

  Db& db_;
  std::mutex mutex_;  // one writer at a time: a body is looked up and then changed
};

// ---- Store ----

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
  TRY(auto lock, io::FileLock::Take(options.folder / "valija.lock"));
  db->lock = std::make_unique<io::FileLock>(std::move(lock));

  rdb::DB* raw = nullptr;
  auto status =
      rdb::DB::Open(DatabaseOptions(options), options.folder.string(), Families(options), &db->families, &raw);
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
  store->journal_ = std::make_unique<JournalPart>(*store->db_, size);
  store->content_ = std::make_unique<ContentPart>(*store->db_);
  return store;
}

RocksDbStore::RocksDbStore(std::unique_ptr<Db> db) : db_(std::move(db)) {}
RocksDbStore::~RocksDbStore() = default;
Journal& RocksDbStore::journal() { return *journal_; }
Content& RocksDbStore::content() { return *content_; }

}  // namespace valija::broker
