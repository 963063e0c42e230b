// The maps that a State is made of. Over rows of a store there are two kinds:
//
//   Kept    wholly in memory: what is live and has a bound. Its rows are read at the start.
//   Table   in memory are the values that changed since the rows were written, and those that were asked for of late.
//
// Pointers to values hold until Trim, or until that value is erased. Changes, TakeRows and Trim are the writer's, with
// nobody reading but for TakeRows; Find may be called from many threads meanwhile.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/ledger/rows.h"

namespace valija::ledger {

struct StateData;

// What the tables of one State share.
struct TableSource {
  const RowSource* rows = nullptr;  // nullptr: everything is in memory
  const StateData* data = nullptr;
  std::atomic<std::size_t> cached = 0;  // bytes, about
};

// How they stand in rows: in the file that knows the types (row_codec.h).
template <class K>
Bytes RowKey(std::uint8_t id, const K& key);
template <class V>
Bytes RowValue(const V& value);
template <class V>
V ReadRow(ByteView bytes, const StateData* data);

template <class K, class V>
class Kept {
 public:
  Kept(std::uint8_t id, const TableSource& source) : id_(id), source_(source) {}

  const std::map<K, V>& all() const { return all_; }
  const V* Find(const K& key) const {
    auto at = all_.find(key);
    return at == all_.end() ? nullptr : &at->second;
  }
  V* Change(const K& key) {  // nullptr: there is none
    auto at = all_.find(key);
    if (at == all_.end()) return nullptr;
    Note(key);
    return &at->second;
  }
  V& Make(const K& key) {  // the one there is, or an empty one
    Note(key);
    return all_[key];
  }
  bool Add(const K& key, V value) {  // false: there is one
    if (!all_.try_emplace(key, std::move(value)).second) return false;
    Note(key);
    return true;
  }
  V& Set(const K& key, V value) {
    Note(key);
    return all_.insert_or_assign(key, std::move(value)).first->second;
  }
  std::optional<V> Take(const K& key) {  // and it is not there any more
    auto node = all_.extract(key);
    if (!node) return std::nullopt;
    Note(key);
    return std::move(node.mapped());
  }
  void Erase(const K& key) { Take(key); }

  void Load() {
    source_.rows->Scan(id_, [this](ByteView key, ByteView value) {
      all_.insert_or_assign(ReadRow<K>(key.subspan(1), source_.data), ReadRow<V>(value, source_.data));
    });
  }
  void TakeRows(std::vector<Row>& out) {
    for (const K& key : changed_) {
      const V* value = Find(key);
      out.push_back({RowKey(id_, key), value != nullptr ? std::optional(RowValue(*value)) : std::nullopt});
    }
    changed_.clear();
  }
  void Trim() {}

 private:
  void Note(const K& key) {
    if (source_.rows != nullptr) changed_.insert(key);
  }
  const std::uint8_t id_;
  const TableSource& source_;
  std::map<K, V> all_;
  std::set<K> changed_;
};

// Digests and hashes are well spread; of a pair the first is one.
struct TableHash {
  template <class Tag, std::size_t N>
  std::size_t operator()(const Fixed<Tag, N>& key) const {
    return std::hash<Fixed<Tag, N>>()(key);
  }
  template <class A, class B>
  std::size_t operator()(const std::pair<A, B>& key) const {
    return (*this)(key.first) * 31 + (*this)(key.second);
  }
  std::size_t operator()(const std::string& key) const { return std::hash<std::string>()(key); }
  std::size_t operator()(const AgencyId& key) const { return std::hash<AgencyId>()(key); }
  std::size_t operator()(std::uint64_t key) const { return std::hash<std::uint64_t>()(key); }
};

template <class K, class V>
class Table {
 public:
  Table(std::uint8_t id, TableSource& source) : id_(id), source_(source) {}

  const V* Find(const K& key) const {
    Slot* slot = Look(key);
    return slot == nullptr ? nullptr : &slot->value;
  }
  bool Has(const K& key) const { return Find(key) != nullptr; }
  V* Change(const K& key) {  // nullptr: there is none
    Slot* slot = Look(key);
    if (slot == nullptr) return nullptr;
    Note(*slot, key);
    return &slot->value;
  }
  bool Add(const K& key, V value) {  // false: there is one
    if (Look(key) != nullptr) return false;
    std::lock_guard lock(mutex_);
    missed_.reset();
    Slot& slot = slots_.try_emplace(key, std::move(value)).first->second;
    Weigh(slot, kNew);
    Note(slot, key);
    return true;
  }
  void Set(const K& key, V value) {
    if (V* there = Change(key))
      *there = std::move(value);
    else
      Add(key, std::move(value));
  }

  void Load() {}
  // The slots whose rows are made stay as they are for who reads meanwhile.
  void TakeRows(std::vector<Row>& out) {
    for (auto& [key, slot] : changed_) {
      Bytes value = RowValue(slot->value);
      Weigh(*slot, value.size() + kBeside);
      slot->changed = false;
      out.push_back({RowKey(id_, *key), std::move(value)});
    }
    changed_.clear();
  }
  // Forgets what was not asked for since the last time, and has a row. With nobody reading.
  void Trim() {
    if (source_.rows == nullptr) return;
    for (auto at = slots_.begin(); at != slots_.end();) {
      Slot& slot = at->second;
      if (slot.changed || slot.used) {
        slot.used = false;
        ++at;
        continue;
      }
      source_.cached -= slot.bytes;
      at = slots_.erase(at);
    }
  }

 private:
  static constexpr std::size_t kBeside = 200,
                               kNew = 600;  // what a value takes beside its bytes; what a new one may take
  struct Slot {
    V value;
    std::size_t bytes = 0;
    bool changed = false;
    bool used = true;
    explicit Slot(V of) : value(std::move(of)) {}
  };

  void Weigh(Slot& slot, std::size_t bytes) const {
    source_.cached += bytes - slot.bytes;
    slot.bytes = bytes;
  }
  void Note(Slot& slot, const K& key) {
    if (source_.rows == nullptr || slot.changed) return;
    slot.changed = true;
    changed_.emplace_back(&slots_.find(key)->first, &slot);
  }

  Slot* Look(const K& key) const {
    if (source_.rows == nullptr) {
      auto at = slots_.find(key);
      return at == slots_.end() ? nullptr : &at->second;
    }
    {
      std::lock_guard lock(mutex_);
      if (auto at = slots_.find(key); at != slots_.end()) {
        at->second.used = true;
        return &at->second;
      }
      if (missed_ == key) return nullptr;
    }
    const auto row = source_.rows->Get(RowKey(id_, key));
    if (!row) {
      std::lock_guard lock(mutex_);
      missed_ = key;
      return nullptr;
    }
    V value = ReadRow<V>(*row, source_.data);
    std::lock_guard lock(mutex_);
    auto [at, fresh] = slots_.try_emplace(key, std::move(value));
    if (fresh) Weigh(at->second, row->size() + kBeside);
    return &at->second;
  }

  const std::uint8_t id_;
  TableSource& source_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<K, Slot, TableHash> slots_;
  mutable std::optional<K> missed_;  // there was no row of it: who decides on a new one asks and then adds it
  std::vector<std::pair<const K*, Slot*>> changed_;
};

}  // namespace valija::ledger
