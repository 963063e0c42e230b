// Where the state of a large log is kept while it is verified, so that the auditor's memory does not grow with the log: rows in
// an embedded store (RocksDB) of this run alone, in a private folder that goes when the run ends. Nothing is believed that an earlier
// run left, and nothing of it is the broker's.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/ledger/rows.h"

namespace valija::audit {

class ScratchRows final : public ledger::RowSource {
 public:
  // In a new folder below `parent`; where nothing can be written there, in the system's temporary folder. kFile, kStorage.
  static Result<std::unique_ptr<ScratchRows>> Make(const std::filesystem::path& parent);
  ~ScratchRows() override;

  Status Write(const std::vector<ledger::Row>& rows);  // all or nothing; kStorage
  std::optional<Bytes> Get(ByteView key) const override;
  void Scan(std::uint8_t first, const Take& take) const override;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Db;
  ScratchRows(std::filesystem::path folder, std::unique_ptr<Db> db);
  const std::filesystem::path folder_;
  std::unique_ptr<Db> db_;
};

}  // namespace valija::audit
