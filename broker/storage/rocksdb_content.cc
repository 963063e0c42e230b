#include <mutex>

#include "broker/storage/rocksdb_internal.h"
#include "core/log/tree.h"
#include "core/record/body.h"

namespace valija::broker {
namespace {

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

class RocksDbContent final : public Content {
 public:
  explicit RocksDbContent(RocksDbStore::Db& db) : db_(db) {}

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

  RocksDbStore::Db& db_;
  std::mutex mutex_;  // one writer at a time: a body is looked up and then changed
};

}  // namespace

std::unique_ptr<Content> MakeContent(RocksDbStore::Db& db) { return std::make_unique<RocksDbContent>(db); }

}  // namespace valija::broker
