// A log as a server of tlog-tiles has it, in memory: any size of it, and lies about any file.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "core/log/mirror.h"
#include "tests/core/log/reference.h"
#include "tests/core/log/witnessed.h"

namespace valija::log::test {

class StaticLog {
 public:
  // From the entry `forked_at` on it is another log under the same name and key.
  explicit StaticLog(std::uint64_t forked_at = ~std::uint64_t{0}) : forked_at_(forked_at) {}

  // Serves a tree of this size from here on; what partial files there were, stay.
  void Grow(std::uint64_t size) {
    for (; tree_.size() < size;) {
      leaves_.push_back(LeafHash(Entry(tree_.size())));
      tree_.Append(leaves_.back());
    }
    for (auto& [id, hashes] : tree_.TakeChangedTiles()) tiles_[id] = hashes;
    for (const auto& ref : NewTiles(size_, size)) {
      files[TilePath(ref.id, ref.width)] = ToBytes(ByteView(tiles_.at(ref.id)).first(ref.width * 32));
      if (ref.id.level != 0) continue;
      Bytes bundle;
      for (unsigned i = 0; i < ref.width; ++i) AppendBundleEntry(bundle, Entry(ref.id.index * 256 + i));
      files[BundlePath(ref.id.index, ref.width)] = bundle;
    }
    size_ = size;
  }
  Checkpoint Now() const { return {"log.example", size_, tree_.Root()}; }
  std::string Note() const { return SignedCheckpoint::Sign(Now(), KeyNamed("log.example")).note(); }
  static NoteVerifier Key() { return LogNamed("log.example"); }

  std::map<std::string, Bytes> files;
  std::vector<std::string> asked;
  std::function<void(const std::string& path)> before_fetch;

  Result<Bytes> Fetch(const std::string& path, std::size_t limit) {
    if (before_fetch) before_fetch(path);
    asked.push_back(path);
    const auto at = files.find(path);
    if (at == files.end()) return Refuse(Reason::kNotFound, path);
    if (at->second.size() > limit) return Refuse(Reason::kBadProof, "too large");
    return at->second;
  }
  // Everything that a checkpoint of this size calls for.
  static std::set<std::string> Wanted(std::uint64_t size) {
    std::set<std::string> out;
    for (const auto& ref : NewTiles(0, size)) {
      out.insert(TilePath(ref.id, ref.width));
      if (ref.id.level == 0) out.insert(BundlePath(ref.id.index, ref.width));
    }
    return out;
  }

 private:
  Bytes Entry(std::uint64_t index) const {
    return ToBytes(AsBytes((index < forked_at_ ? "entry " : "other ") + std::to_string(index)));
  }
  const std::uint64_t forked_at_;
  std::uint64_t size_ = 0;
  Tree tree_;
  Hashes leaves_;
  std::map<TileId, Bytes> tiles_;
};

}  // namespace valija::log::test
