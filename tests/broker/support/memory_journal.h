// A journal in memory whose appends can be held, refused or made to throw, and whose content can be tampered with.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "broker/storage/storage.h"

namespace valija::test {

class MemoryJournal : public broker::Journal {
 public:
  std::function<Status()> before_append;  // runs first; a refusal is the append's answer, and nothing is written
  std::function<Status()> before_replace;
  std::atomic<int> appends = 0;
  mutable std::size_t read = 0;  // entries

  std::vector<Bytes> entries;
  std::map<log::TileId, Bytes> tiles;
  std::vector<broker::BodyName> claims;

  std::uint64_t Size() const override {
    std::lock_guard lock(mutex_);
    return entries.size();
  }
  Result<std::vector<Bytes>> Read(std::uint64_t from, std::size_t count, std::size_t max_bytes) const override {
    std::lock_guard lock(mutex_);
    std::vector<Bytes> out;
    std::size_t bytes = 0;
    for (auto i = from; i < entries.size() && out.size() < count; ++i) {
      bytes += entries[i].size();
      if (!out.empty() && bytes > max_bytes) break;
      out.push_back(entries[i]);
    }
    read += out.size();
    return out;
  }
  Status Replace(const std::vector<std::pair<std::uint64_t, Bytes>>& replaced) override {
    if (before_replace) TRY_OK(before_replace());
    std::lock_guard lock(mutex_);
    for (const auto& [index, bytes] : replaced) entries.at(index) = bytes;
    return Ok();
  }
  std::optional<Bytes> Tile(log::TileId id) const override {
    std::lock_guard lock(mutex_);
    auto at = tiles.find(id);
    return at == tiles.end() ? std::nullopt : std::optional(at->second);
  }

  std::function<Status()> before_keep;
  std::string note;
  Status KeepNote(std::string_view text) override {
    if (before_keep) TRY_OK(before_keep());
    std::lock_guard lock(mutex_);
    note = text;
    return Ok();
  }
  std::string KeptNote() const override {
    std::lock_guard lock(mutex_);
    return note;
  }

 protected:
  Status DoAppend(const broker::JournalWrite& write) override {
    ++appends;
    if (before_append) TRY_OK(before_append());
    std::lock_guard lock(mutex_);
    if (write.first != entries.size()) return Refuse(Reason::kExists, "moved");
    entries.insert(entries.end(), write.entries.begin(), write.entries.end());
    for (const auto& [id, hashes] : write.tiles) tiles[id] = hashes;
    claims.insert(claims.end(), write.claims.begin(), write.claims.end());
    return Ok();
  }

 private:
  mutable std::mutex mutex_;
};

}  // namespace valija::test
