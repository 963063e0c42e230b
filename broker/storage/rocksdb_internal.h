// What the parts of the store share, for rocksdb_store.cc, rocksdb_journal.cc and rocksdb_content.cc alone.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>
#include <vector>

#include "broker/oplog.h"
#include "broker/storage/rocksdb_store.h"
#include "core/io/file.h"

namespace valija::broker {

namespace rdb = rocksdb;

enum Family : std::size_t { kDefault, kEntries, kBodies, kSlices };

inline rdb::Slice ToSlice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline ByteView View(const rdb::Slice& slice) { return AsBytes(std::string_view(slice.data(), slice.size())); }

inline Error ReadError(const rdb::Status& status) {
  return Refuse(status.IsCorruption() ? Reason::kCorrupt : Reason::kStorage, status.ToString());
}

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

// In rocksdb_journal.cc and rocksdb_content.cc.
std::unique_ptr<Journal> MakeJournal(RocksDbStore::Db& db, std::uint64_t size);
std::unique_ptr<Content> MakeContent(RocksDbStore::Db& db);

}  // namespace valija::broker
