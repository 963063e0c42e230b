#include "broker/storage/rocksdb_internal.h"

namespace valija::broker {
namespace {

class RocksDbRows final : public Rows {
 public:
  explicit RocksDbRows(RocksDbStore::Db& db) : db_(db) {}

  Result<std::optional<Bytes>> Get(ByteView key) const override {
    rdb::PinnableSlice value;
    const auto status = db_.Get(kRows, key, &value);
    if (status.IsNotFound()) return std::optional<Bytes>();
    if (!status.ok()) return ReadError(status);
    return std::optional(ToBytes(View(value)));
  }

  Status Scan(ByteView prefix, const Take& take) const override {
    rdb::ReadOptions how;
    how.fill_cache = false;
    std::unique_ptr<rdb::Iterator> at(db_.db->NewIterator(how, db_.families[kRows]));
    for (at->Seek(ToSlice(prefix)); at->Valid() && at->key().starts_with(ToSlice(prefix)); at->Next())
      take(View(at->key()), View(at->value()));
    return at->status().ok() ? Ok() : Status(ReadError(at->status()));
  }

  Status Write(const std::vector<RowChange>& changes, std::string_view erased) override {
    rdb::WriteBatch batch;
    for (const auto& [key, value] : changes) {
      if (value)
        batch.Put(db_.families[kRows], ToSlice(key), ToSlice(*value));
      else
        batch.Delete(db_.families[kRows], ToSlice(key));
    }
    TRY_OK(db_.Write(batch, false));
    std::lock_guard lock(db_.replaced_mutex);
    for (const char first : erased) db_.replaced_rows.insert(first);
    return Ok();
  }

  Status Clear() override {
    auto*& family = db_.families[kRows];
    auto status = db_.db->DropColumnFamily(family);
    if (status.ok()) status = db_.db->DestroyColumnFamilyHandle(std::exchange(family, nullptr));
    if (status.ok()) status = db_.db->CreateColumnFamily(db_.rows_options, "rows", &family);
    if (status.ok()) return Ok();
    db_.failed = true;
    return Refuse(Reason::kStorage, status.ToString());
  }

 private:
  RocksDbStore::Db& db_;
};

}  // namespace

std::unique_ptr<Rows> MakeRows(RocksDbStore::Db& db) { return std::make_unique<RocksDbRows>(db); }

}  // namespace valija::broker
