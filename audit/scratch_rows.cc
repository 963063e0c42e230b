#include "audit/scratch_rows.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <stdlib.h>

namespace valija::audit {
namespace {

namespace fs = std::filesystem;
namespace rdb = rocksdb;

rdb::Slice ToSlice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
ByteView View(const rdb::Slice& slice) { return AsBytes(std::string_view(slice.data(), slice.size())); }

// mkdtemp makes it for its owner alone.
std::optional<fs::path> MakeFolder(const fs::path& parent) {
  std::string name = (parent / ".valija-audit-XXXXXX").string();
  return ::mkdtemp(name.data()) != nullptr ? std::optional<fs::path>(name) : std::nullopt;
}

// It lives as long as one run: nothing is logged ahead and nothing synced.
rdb::Options OptionsOf() {
  rdb::Options out;
  out.create_if_missing = true;
  out.compression = rdb::kNoCompression;
  out.write_buffer_size = std::size_t{32} << 20;
  out.max_background_jobs = 2;
  out.max_open_files = 256;
  out.info_log_level = rdb::InfoLogLevel::FATAL_LEVEL;
  rdb::BlockBasedTableOptions table;
  table.block_cache = rdb::NewLRUCache(std::size_t{32} << 20);
  table.filter_policy.reset(rdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.index_type = rdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = 4096;
  out.table_factory.reset(rdb::NewBlockBasedTableFactory(table));
  return out;
}

}  // namespace

struct ScratchRows::Db {
  std::unique_ptr<rdb::DB> db;
};

Result<std::unique_ptr<ScratchRows>> ScratchRows::Make(const fs::path& parent) {
  std::error_code ignored;
  auto folder = MakeFolder(parent);
  if (!folder) folder = MakeFolder(fs::temp_directory_path(ignored));
  if (!folder) return Refuse(Reason::kFile, "no folder for the verification's own state could be made");
  rdb::DB* raw = nullptr;
  const auto status = rdb::DB::Open(OptionsOf(), (*folder / "rows").string(), &raw);
  if (!status.ok()) {
    fs::remove_all(*folder, ignored);
    return Refuse(Reason::kStorage, status.ToString());
  }
  auto db = std::make_unique<Db>();
  db->db.reset(raw);
  return std::unique_ptr<ScratchRows>(new ScratchRows(*std::move(folder), std::move(db)));
}

ScratchRows::ScratchRows(fs::path folder, std::unique_ptr<Db> db) : folder_(std::move(folder)), db_(std::move(db)) {}

ScratchRows::~ScratchRows() {
  db_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Status ScratchRows::Write(const std::vector<ledger::Row>& rows) {
  rdb::WriteBatch batch;
  for (const auto& [key, value] : rows) {
    if (value)
      batch.Put(ToSlice(key), ToSlice(*value));
    else
      batch.Delete(ToSlice(key));
  }
  rdb::WriteOptions how;
  how.disableWAL = true;
  const auto status = db_->db->Write(how, &batch);
  return status.ok() ? Ok() : Status(Refuse(Reason::kStorage, status.ToString()));
}

std::optional<Bytes> ScratchRows::Get(ByteView key) const {
  rdb::PinnableSlice value;
  const auto status = db_->db->Get(rdb::ReadOptions(), db_->db->DefaultColumnFamily(), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) throw ledger::RowsDamaged(status.ToString());
  return ToBytes(View(value));
}

void ScratchRows::Scan(std::uint8_t first, const Take& take) const {
  const Bytes prefix = {first};
  const std::unique_ptr<rdb::Iterator> at(db_->db->NewIterator(rdb::ReadOptions()));
  for (at->Seek(ToSlice(prefix)); at->Valid() && at->key().starts_with(ToSlice(prefix)); at->Next())
    take(View(at->key()), View(at->value()));
  if (!at->status().ok()) throw ledger::RowsDamaged(at->status().ToString());
}

}  // namespace valija::audit
