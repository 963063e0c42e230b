#include <algorithm>
#include <map>
#include <mutex>

#include "broker/storage/rocksdb_internal.h"
#include "core/log/tree.h"
#include "core/record/body.h"

namespace valija::broker {
namespace {

Bytes SliceKey(const BodyName& name, std::uint64_t index) {
  Bytes key = ToBytes(name.root);
  AppendU32(key, static_cast<std::uint32_t>(index));
  Append(key, AsBytes(name.owner.str()));
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
    const BodyName name{by.agency(), root};
    std::lock_guard lock(db_.bodies);
    TRY_OK(CheckNotPurged(root));
    if (auto there = Find(name)) {
      if (there->length != length) return Refuse(Reason::kBadBody, "another length under this root");
      db_.unclaimed.Touch(name, now);
      return *std::move(there);
    }
    const UnclaimedBodies::Body waits{by.str(), std::max(length, kLeastCharge), now};
    TRY_OK(CheckQuota(by, waits.charge));
    rdb::WriteBatch batch;
    batch.Put(db_.families[kBodies], ToSlice(BodyKey('m', name)),
              ToSlice(EncodeManifest({length, now, false, by.str(), {}})));
    if (slice_hashes.size() > 1) {
      Bytes hashes;
      for (const auto& hash : slice_hashes) Append(hashes, hash);
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('h', name)), ToSlice(hashes));
    }
    PutUnclaimed(batch, name, waits);
    TRY_OK(db_.Write(batch, false));
    db_.unclaimed.Add(name, waits);
    return BodyInfo{name, length, slice_hashes, 0};
  }

  Status Put(const BodyName& name, std::uint64_t index, ByteView slice) override {
    Hash hash = log::LeafHash(slice);
    std::lock_guard lock(db_.bodies);
    rdb::PinnableSlice value;
    TRY(Manifest manifest, Load(name, &value));
    std::uint64_t count = record::SliceList::Count(manifest.length);
    if (index >= count) return Refuse(Reason::kBadBody, "no such slice");
    std::uint64_t length = index + 1 < count ? record::kSliceSize : manifest.length - index * record::kSliceSize;
    TRY(Hash expected, SliceHash(name, count, index));
    if (slice.size() != length || hash != expected) {
      return Refuse(Reason::kBadBody, "slice " + std::to_string(index));
    }
    if (manifest.complete) return Ok();
    TRY(std::uint64_t present, Present(name));
    if (index < present) return Ok();
    if (index > present) return Refuse(Reason::kNotReady, "slice " + std::to_string(present) + " comes next");

    rdb::WriteBatch batch;
    batch.Put(db_.families[kSlices], ToSlice(SliceKey(name, index)), ToSlice(slice));
    bool last = index + 1 == count;
    if (last) {
      manifest.complete = true;
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('m', name)), ToSlice(EncodeManifest(manifest)));
      batch.Delete(db_.families[kBodies], ToSlice(BodyKey('p', name)));
    } else {
      Bytes progress;
      AppendU32(progress, static_cast<std::uint32_t>(index + 1));
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('p', name)), ToSlice(progress));
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
    std::lock_guard lock(db_.bodies);
    for (const Hash& root : roots) TRY_OK(CheckNotPurged(root));
    rdb::WriteBatch batch;
    std::map<BodyName, UnclaimedBodies::Body> fresh;
    std::uint64_t charge = 0;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const BodyName name{by.agency(), roots[i]};
      // One that was begun before counts already.
      const bool counted = db_.unclaimed.Touch(name, now);
      if (Has(name)) continue;
      batch.Put(db_.families[kBodies], ToSlice(BodyKey('m', name)),
                ToSlice(EncodeManifest({bodies[i].size(), now, true, by.str(), bodies[i]})));
      if (counted) continue;
      UnclaimedBodies::Body waits{by.str(), std::max<std::uint64_t>(bodies[i].size(), kLeastCharge), now};
      if (!fresh.emplace(name, waits).second) continue;
      charge += waits.charge;
      PutUnclaimed(batch, name, waits);
    }
    if (batch.Count() == 0) return roots;
    if (!fresh.empty()) TRY_OK(CheckQuota(by, charge));
    TRY_OK(db_.Write(batch, false));
    for (auto& [name, waits] : fresh) db_.unclaimed.Add(name, std::move(waits));
    return roots;
  }

  std::optional<BodyInfo> FindWanted(const BodyName& name, Time now) override {
    std::lock_guard lock(db_.bodies);
    db_.unclaimed.Touch(name, now);
    return Find(name);
  }

  std::optional<BodyInfo> Find(const BodyName& name) const override {
    rdb::PinnableSlice value;
    auto manifest = Load(name, &value);
    if (!manifest) return std::nullopt;
    BodyInfo out{name, manifest->length, {}, 0};
    std::uint64_t count = record::SliceList::Count(manifest->length);
    if (count == 1) {
      out.slice_hashes = {name.root};
    } else {
      rdb::PinnableSlice hashes;
      if (!db_.Get(kBodies, BodyKey('h', name), &hashes).ok() || hashes.size() != count * Hash::kSize) {
        return std::nullopt;
      }
      for (std::uint64_t i = 0; i < count; ++i) {
        out.slice_hashes.push_back(*Hash::From(View(hashes).subspan(i * Hash::kSize, Hash::kSize)));
      }
    }
    if (manifest->complete) {
      out.slices_present = count;
    } else if (auto present = Present(name)) {
      out.slices_present = *present;
    }
    return out;
  }

  bool Has(const BodyName& name) const override {
    rdb::PinnableSlice value;
    auto manifest = Load(name, &value);
    return manifest && manifest->complete;
  }

  Result<Bytes> Get(const BodyName& name, std::uint64_t index) const override {
    rdb::PinnableSlice value;
    TRY(Manifest manifest, Load(name, &value));
    if (!manifest.inline_body.empty()) {
      if (index != 0) return Refuse(Reason::kNotFound);
      return ToBytes(manifest.inline_body);
    }
    std::uint64_t count = record::SliceList::Count(manifest.length);
    if (index >= count) return Refuse(Reason::kNotFound);
    rdb::PinnableSlice slice;
    auto status = db_.Get(kSlices, SliceKey(name, index), &slice);
    if (status.ok()) return ToBytes(View(slice));
    if (!status.IsNotFound()) return ReadError(status);
    if (manifest.complete) return Refuse(Reason::kCorrupt, "slice " + std::to_string(index) + " is missing");
    return Refuse(Reason::kNotFound);
  }

  Status Erase(const BodyName& name) override {
    std::lock_guard lock(db_.bodies);
    return EraseTaken(name, db_.unclaimed.Take(name));
  }

  Status Purge(const Hash& root) override {
    std::lock_guard lock(db_.bodies);
    rdb::WriteBatch batch;
    batch.Put(db_.families[kBodies], ToSlice(PurgedKey(root)), rdb::Slice());
    TRY_OK(db_.Write(batch, false));
    TRY(auto names, CopiesOf(root));
    for (const auto& name : names) {
      db_.unclaimed.Take(name);
      TRY_OK(EraseLocked(name));
    }
    return Ok();
  }

  Result<std::size_t> Sweep(Time before) override {
    std::size_t swept = 0;
    Status failed = Ok();
    for (const auto& name : db_.unclaimed.BegunBefore(before)) {
      std::lock_guard lock(db_.bodies);
      auto taken = db_.unclaimed.TakeBegunBefore(name, before);
      if (!taken) continue;  // a record has just claimed it, or is about to
      if (auto erased = EraseTaken(name, std::move(taken)); erased)
        ++swept;
      else if (failed)
        failed = Refuse(erased.error().reason, "body " + name.root.Hex() + ": " + erased.error().detail);
    }
    TRY_OK(failed);
    return swept;
  }

  Status LoadUnclaimed() {
    std::unique_ptr<rdb::Iterator> at(db_.db->NewIterator(rdb::ReadOptions(), db_.families[kBodies]));
    for (at->Seek("u"); at->Valid() && at->key().starts_with("u"); at->Next()) {
      const ByteView key = View(at->key()), value = View(at->value());
      if (key.size() <= 1 + Hash::kSize || value.size() <= 16) return Refuse(Reason::kCorrupt, "an unclaimed body");
      auto root = Hash::From(key.subspan(1, Hash::kSize));
      auto owner = AgencyId::Parse(AsText(key.subspan(1 + Hash::kSize)));
      if (!root || !owner) return Refuse(Reason::kCorrupt, "an unclaimed body");
      db_.unclaimed.Add({*owner, *root}, {ToString(value.subspan(16)), ReadU64(value.data() + 8),
                                          FromMillis(static_cast<std::int64_t>(ReadU64(value.data())))});
    }
    if (!at->status().ok()) return ReadError(at->status());
    return Ok();
  }

 private:
  static Bytes PurgedKey(const Hash& root) {
    Bytes key = {'x'};
    Append(key, root);
    return key;
  }
  Status CheckNotPurged(const Hash& root) const {
    rdb::PinnableSlice value;
    auto status = db_.Get(kBodies, PurgedKey(root), &value);
    if (status.IsNotFound()) return Ok();
    return status.ok() ? Refuse(Reason::kPurged) : ReadError(status);
  }
  Result<std::vector<BodyName>> CopiesOf(const Hash& root) const {
    std::vector<BodyName> out;
    Bytes prefix = {'m'};
    Append(prefix, root);
    std::unique_ptr<rdb::Iterator> at(db_.db->NewIterator(rdb::ReadOptions(), db_.families[kBodies]));
    for (at->Seek(ToSlice(prefix)); at->Valid() && at->key().starts_with(ToSlice(prefix)); at->Next()) {
      auto owner = AgencyId::Parse(AsText(View(at->key()).subspan(prefix.size())));
      if (!owner) return Refuse(Reason::kCorrupt, "a body of nobody's");
      out.push_back({*owner, root});
    }
    if (!at->status().ok()) return ReadError(at->status());
    return out;
  }

  void PutUnclaimed(rdb::WriteBatch& batch, const BodyName& name, const UnclaimedBodies::Body& waits) {
    Bytes value;
    AppendU64(value, static_cast<std::uint64_t>(ToMillis(waits.begun)));
    AppendU64(value, waits.charge);
    Append(value, AsBytes(waits.by));
    batch.Put(db_.families[kBodies], ToSlice(BodyKey('u', name)), ToSlice(value));
  }

  // One body is always taken: the charter's limit on bodies may be above this one.
  Status CheckQuota(const MemberId& by, std::uint64_t charge) const {
    const std::uint64_t used = db_.unclaimed.Of(by.str());
    if (used == 0 || (charge <= db_.unclaimed_limit && used <= db_.unclaimed_limit - charge)) return Ok();
    return Refuse(Reason::kTooMany, "bodies that " + by.str() +
                                        " uploaded and no record names: " + std::to_string(used >> 20) +
                                        " MiB; send their records, or wait until they are swept");
  }

  // The manifest points into `value`. kNotFound, kCorrupt, kStorage.
  Result<Manifest> Load(const BodyName& name, rdb::PinnableSlice* value) const {
    auto status = db_.Get(kBodies, BodyKey('m', name), value);
    if (status.IsNotFound()) return Refuse(Reason::kNotFound);
    if (!status.ok()) return ReadError(status);
    auto manifest = DecodeManifest(View(*value));
    if (!manifest || manifest->length == 0) return Refuse(Reason::kCorrupt, "a body's manifest");
    return *std::move(manifest);
  }

  Result<Hash> SliceHash(const BodyName& name, std::uint64_t count, std::uint64_t index) const {
    if (count == 1) return name.root;
    rdb::PinnableSlice hashes;
    auto status = db_.Get(kBodies, BodyKey('h', name), &hashes);
    if (!status.ok()) return ReadError(status);
    if (hashes.size() != count * Hash::kSize) return Refuse(Reason::kCorrupt, "a body's slice hashes");
    return *Hash::From(View(hashes).subspan(index * Hash::kSize, Hash::kSize));
  }

  Result<std::uint64_t> Present(const BodyName& name) const {
    rdb::PinnableSlice value;
    auto status = db_.Get(kBodies, BodyKey('p', name), &value);
    if (status.IsNotFound()) return std::uint64_t{0};
    if (!status.ok()) return ReadError(status);
    if (value.size() != 4) return Refuse(Reason::kCorrupt, "a body's progress");
    return std::uint64_t{ReadU32(View(value).data())};
  }

  // What waited for a claim waits on if it cannot be erased: it still takes its room.
  Status EraseTaken(const BodyName& name, std::optional<UnclaimedBodies::Body> taken) {
    auto erased = EraseLocked(name);
    if (!erased && taken) db_.unclaimed.Add(name, *std::move(taken));
    return erased;
  }

  Status EraseLocked(const BodyName& name) {
    rdb::PinnableSlice value;
    TRY(Manifest manifest, Load(name, &value));
    rdb::WriteBatch batch;
    for (char part : {'m', 'h', 'p', 'u'}) batch.Delete(db_.families[kBodies], ToSlice(BodyKey(part, name)));
    std::uint64_t count = manifest.inline_body.empty() ? record::SliceList::Count(manifest.length) : 0;
    if (!manifest.complete) {
      TRY(count, Present(name));
    }
    for (std::uint64_t i = 0; i < count; ++i) batch.Delete(db_.families[kSlices], ToSlice(SliceKey(name, i)));
    return db_.Write(batch, false);
  }

  RocksDbStore::Db& db_;
};

}  // namespace

Result<std::unique_ptr<Content>> MakeContent(RocksDbStore::Db& db) {
  auto content = std::make_unique<RocksDbContent>(db);
  TRY_OK(content->LoadUnclaimed());
  return std::unique_ptr<Content>(std::move(content));
}

}  // namespace valija::broker
