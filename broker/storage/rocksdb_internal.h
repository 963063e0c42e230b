// What the parts of the store share, for rocksdb_*.cc alone.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "broker/oplog.h"
#include "broker/storage/rocksdb_store.h"
#include "core/io/file.h"

namespace valija::broker {

namespace rdb = rocksdb;

enum Family : std::size_t { kDefault, kEntries, kBodies, kSlices, kRows };

inline rdb::Slice ToSlice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline ByteView View(const rdb::Slice& slice) { return AsBytes(std::string_view(slice.data(), slice.size())); }

inline Error ReadError(const rdb::Status& status) {
  return Refuse(status.IsCorruption() ? Reason::kCorrupt : Reason::kStorage, status.ToString());
}

// The bodies that no record has claimed. In memory, as the 'u' keys of the store say; every change of it goes with a
// write of the store: a body is added after the write that began it, and taken out before the one that claims or
// erases it (and put back if it could not be erased), so that whoever takes it out is the only one. Thread-safe.
class UnclaimedBodies {
 public:
  struct Body {
    std::string by;
    std::uint64_t charge = 0;
    Time begun;
  };
  std::uint64_t Of(const std::string& member) const {
    std::lock_guard lock(mutex_);
    auto at = totals_.find(member);
    return at == totals_.end() ? 0 : at->second;
  }
  void Add(const BodyName& name, Body body) {
    std::lock_guard lock(mutex_);
    TakeLocked(name);
    totals_[body.by] += body.charge;
    bodies_.insert_or_assign(name, std::move(body));
  }
  // It is wanted still: a sweep leaves it. Not written to the store, where it could cross the claim's own write.
  bool Touch(const BodyName& name, Time now) {
    std::lock_guard lock(mutex_);
    auto at = bodies_.find(name);
    if (at == bodies_.end()) return false;
    at->second.begun = std::max(at->second.begun, now);
    return true;
  }
  std::optional<Body> Take(const BodyName& name) {
    std::lock_guard lock(mutex_);
    return TakeLocked(name);
  }
  // Unless it was touched since it was listed.
  std::optional<Body> TakeBegunBefore(const BodyName& name, Time before) {
    std::lock_guard lock(mutex_);
    auto at = bodies_.find(name);
    if (at == bodies_.end() || at->second.begun >= before) return std::nullopt;
    return TakeLocked(name);
  }
  std::vector<BodyName> BegunBefore(Time before) const {
    std::lock_guard lock(mutex_);
    std::vector<BodyName> out;
    for (const auto& [name, body] : bodies_)
      if (body.begun < before) out.push_back(name);
    return out;
  }

 private:
  std::optional<Body> TakeLocked(const BodyName& name) {
    auto at = bodies_.find(name);
    if (at == bodies_.end()) return std::nullopt;
    Body body = std::move(at->second);
    bodies_.erase(at);
    auto total = totals_.find(body.by);
    total->second -= body.charge;
    if (total->second == 0) totals_.erase(total);
    return body;
  }
  mutable std::mutex mutex_;
  std::map<BodyName, Body> bodies_;
  std::map<std::string, std::uint64_t> totals_;
};

// 'm', 'h', 'p' and 'u' of rocksdb_store.h.
inline Bytes BodyKey(char part, const BodyName& name) {
  Bytes key = {static_cast<std::uint8_t>(part)};
  Append(key, name.root);
  Append(key, AsBytes(name.owner.str()));
  return key;
}

struct RocksDbStore::Db {
  std::unique_ptr<io::FileLock> lock;
  std::unique_ptr<rdb::DB> db;
  std::vector<rdb::ColumnFamilyHandle*> families;
  std::atomic<bool> failed = false;
  UnclaimedBodies unclaimed;
  std::mutex bodies;                      // one writer of them at a time: a body is looked up and then changed
  std::uint64_t unclaimed_limit = 0;      // bytes, of one member
  rdb::ColumnFamilyOptions rows_options;  // to make them anew
  std::mutex replaced_mutex;
  std::vector<Bytes> replaced;   // keys of entries that a scrub has not seen yet
  std::set<char> replaced_rows;  // how those of rows begin

  ~Db() {
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
    if (db) {
      if (auto closed = db->Close(); !closed.ok())
        Log(Level::kAlarm, "store-close-failed", {{"status", closed.ToString()}});
    }
  }

  rdb::Status Get(Family family, ByteView key, rdb::PinnableSlice* value) const {
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

// In rocksdb_journal.cc, rocksdb_rows.cc and rocksdb_content.cc.
std::unique_ptr<Journal> MakeJournal(RocksDbStore::Db& db, std::uint64_t size);
std::unique_ptr<Rows> MakeRows(RocksDbStore::Db& db);
Result<std::unique_ptr<Content>> MakeContent(RocksDbStore::Db& db);  // reads what is unclaimed; kCorrupt, kStorage

}  // namespace valija::broker
