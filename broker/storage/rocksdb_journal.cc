#include "broker/storage/rocksdb_internal.h"

namespace valija::broker {
namespace {

constexpr std::string_view kNoteKey = "cosigned";

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

class RocksDbJournal final : public Journal {
 public:
  RocksDbJournal(RocksDbStore::Db& db, std::uint64_t size) : db_(db), size_(size) {}

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

  Status Replace(const std::vector<std::pair<std::uint64_t, Bytes>>& entries) override {
    rdb::WriteBatch batch;
    for (const auto& [index, bytes] : entries) {
      if (index >= size_) return Refuse(Reason::kInternal, "no entry has this index");
      batch.Put(db_.families[kEntries], ToSlice(IndexKey(index)), ToSlice(bytes));
    }
    TRY_OK(db_.Write(batch, true));
    std::lock_guard lock(db_.replaced_mutex);
    for (const auto& [index, bytes] : entries) db_.replaced.push_back(IndexKey(index));
    return Ok();
  }

  std::optional<Bytes> Tile(log::TileId id) const override {
    rdb::PinnableSlice value;
    auto status = db_.Get(kDefault, TileKey(id), &value);
    if (status.ok()) return ToBytes(View(value));
    if (!status.IsNotFound()) Log(Level::kAlarm, "store-read-failed", {{"status", status.ToString()}});
    return std::nullopt;
  }

  Status KeepNote(std::string_view note) override {
    rdb::WriteBatch batch;
    batch.Put(db_.families[kDefault], ToSlice(AsBytes(kNoteKey)), ToSlice(AsBytes(note)));
    return db_.Write(batch, true);
  }
  std::string KeptNote() const override {
    rdb::PinnableSlice value;
    auto status = db_.Get(kDefault, ToBytes(AsBytes(kNoteKey)), &value);
    if (status.ok()) return value.ToString();
    if (!status.IsNotFound()) Log(Level::kAlarm, "store-read-failed", {{"status", status.ToString()}});
    return {};
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
    for (const auto& name : write.claims) {
      bool waited = db_.unclaimed.Take(name).has_value();
      if (!waited) {
        // Claimed before, or swept; a sweep of it ends before this lock is ours.
        std::lock_guard lock(db_.bodies);
        waited = db_.unclaimed.Take(name).has_value();
        rdb::PinnableSlice ignored;
        if (!waited && !db_.Get(kBodies, BodyKey('m', name), &ignored).ok()) {
          db_.failed = true;  // what was taken out above is not as the store has it any more
          Log(Level::kAlarm, "claimed-body-missing", {{"agency", name.owner.str()}, {"body", name.root.Hex()}});
          return Refuse(Reason::kStorage, "a record's body is not there: " + name.root.Hex());
        }
      }
      if (waited) batch.Delete(db_.families[kBodies], ToSlice(BodyKey('u', name)));
    }
    TRY_OK(db_.Write(batch, true));
    size_ = index;
    return Ok();
  }

 private:
  RocksDbStore::Db& db_;
  std::atomic<std::uint64_t> size_;
};

}  // namespace

std::unique_ptr<Journal> MakeJournal(RocksDbStore::Db& db, std::uint64_t size) {
  return std::make_unique<RocksDbJournal>(db, size);
}

}  // namespace valija::broker
