// The storage port. Three small interfaces, because more than one engine stands behind them:
//
//   Journal   compare-and-append of entries with the tiles they change; durable before it returns
//   Rows      what the ledger's state stands in, beside the journal that it was made from
//   Content   sealed bodies in slices of 1 MiB, by the agency that uploaded them and body root
//
// Thread-safety: reads from any thread; one thread (the sequencer) appends.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/log/tile.h"

namespace valija::broker {

// Says that every entry below size() is durable. Only a Journal makes one, and only after a completed append (or
// at start, for what it found): whoever asks for it as an argument cannot act on an entry that may yet be lost.
class Durable {
 public:
  std::uint64_t size() const { return size_; }

 private:
  friend class Journal;
  explicit Durable(std::uint64_t size) : size_(size) {}
  std::uint64_t size_;
};

// A body is its uploader's agency's: the same bytes that two agencies upload are two bodies. So nobody can name, find,
// block or probe for what another agency uploaded, and a colleague can go on with an upload or send it again.
struct BodyName {
  AgencyId owner;
  Hash root;
  auto operator<=>(const BodyName&) const = default;
};

struct JournalWrite {
  std::uint64_t first = 0;             // expected size of the journal before
  std::vector<Bytes> entries;          // serialised LoggedEntry
  std::map<log::TileId, Bytes> tiles;  // as log::Tree::TakeChangedTiles gives them
  std::vector<BodyName> claims;        // bodies of the same store that these entries name; kept for good from here on
};

class Journal {
 public:
  virtual ~Journal() = default;

  // kAborted-like kConflict (Reason::kExists) if the journal's size is not `first` (another writer); kStorage if nothing
  // was written (a body that is claimed and not there, too); kOutcomeUnknown if it is not known what is on disk. After the last two every later append is refused
  // until the store is opened anew.
  Result<Durable> Append(const JournalWrite& write);
  Durable Present() const { return Durable(Size()); }

  // What a purge leaves of entries that are there, in their place; durable before it returns. The sequencer alone. kStorage
  // and kOutcomeUnknown as for an append.
  virtual Status Replace(const std::vector<std::pair<std::uint64_t, Bytes>>& entries) = 0;

  virtual std::uint64_t Size() const = 0;
  // Entries [from, from + count) that exist, fewer if they pass max_bytes (at least one). kCorrupt, kStorage.
  virtual Result<std::vector<Bytes>> Read(std::uint64_t from, std::size_t count, std::size_t max_bytes) const = 0;
  virtual std::optional<Bytes> Tile(log::TileId id) const = 0;  // the widest there is

  // A note beside the entries: the last one that the witnesses cosigned. It can be had again from them, so whoever reads it
  // verifies it, and a damaged one is none. Durable before Keep returns; from any thread. kStorage, kOutcomeUnknown.
  virtual Status KeepNote(std::string_view note) = 0;
  virtual std::string KeptNote() const = 0;  // empty: none, or it cannot be read

 protected:
  virtual Status DoAppend(const JournalWrite& write) = 0;
};

inline Result<Durable> Journal::Append(const JournalWrite& write) {
  TRY_OK(DoAppend(write));
  return Durable(write.first + write.entries.size());
}

struct RowChange {
  Bytes key;
  std::optional<Bytes> value;  // absent: it goes
};

// Thread-safety: reads from any thread; the sequencer writes.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual Result<std::optional<Bytes>> Get(ByteView key) const = 0;  // kCorrupt, kStorage
  using Take = std::function<void(ByteView key, ByteView value)>;
  virtual Status Scan(ByteView prefix, const Take& take) const = 0;  // ascending. kCorrupt, kStorage
  // All or nothing. Not synced: on the disk no later than the next append that is, and never before an earlier one. `erased`:
  // among what stood under keys that begin with one of these bytes is something that a purge erased; it leaves the files as
  // soon as replaced entries do.
  virtual Status Write(const std::vector<RowChange>& changes, std::string_view erased) = 0;
  virtual Status Clear() = 0;  // at a start, with nobody reading
};

struct BodyInfo {
  BodyName name;
  std::uint64_t length = 0;
  std::vector<Hash> slice_hashes;
  std::uint64_t slices_present = 0;  // a prefix
  bool complete() const { return slices_present == slice_hashes.size(); }
};

class Content {
 public:
  virtual ~Content() = default;
  // Begins (or finds again) a body of the member's agency. The hashes must give the root and fit the length: kBadBody.
  // kTooMany: too much that this member began is not claimed by a record yet (RocksDbStore::Options).
  virtual Result<BodyInfo> Begin(const Hash& root, std::uint64_t length, const std::vector<Hash>& slice_hashes,
                                 const MemberId& by, Time now) = 0;
  // The next slice; checked against its hash (kBadBody). One that is there already is taken again; one further on than
  // the next is kNotReady. The last one makes the body complete and durable. kNotFound: no Begin came before.
  virtual Status Put(const BodyName& name, std::uint64_t index, ByteView slice) = 0;
  // Small bodies (each at most one slice) in one write; nothing is done for those that are there. Not synced by itself:
  // durable with the next append to the journal of the same store, and so before any entry that names one. Returns
  // their roots, in order. kMalformed for an empty one, kTooLarge, kTooMany.
  virtual Result<std::vector<Hash>> PutSmall(const std::vector<ByteView>& bodies, const MemberId& by, Time now) = 0;
  virtual std::optional<BodyInfo> Find(const BodyName& name) const = 0;
  // The same for a record that is about to claim it: as if it were begun now, so that no sweep takes it meanwhile.
  virtual std::optional<BodyInfo> FindWanted(const BodyName& name, Time now) = 0;
  // Is it there and complete? Reads less than Find.
  virtual bool Has(const BodyName& name) const = 0;
  virtual Result<Bytes> Get(const BodyName& name, std::uint64_t index) const = 0;  // kNotFound, kCorrupt
  virtual Status Erase(const BodyName& name) = 0;
  // Every agency's body under this root is erased, and none is taken any more: Begin and PutSmall then answer kPurged. May
  // be done again. Not synced by itself: durable with the next synced write to the same store.
  virtual Status Purge(const Hash& root) = 0;
  // What a member began and no record claimed yet counts against its limit, complete or not; a small body as this much.
  static constexpr std::uint64_t kLeastCharge = 64 << 10;
  // Unclaimed bodies last begun before `before` are erased; returns how many, or, when all have been tried, why one could
  // not be: that one counts on. `before` is a day ago or more, so that no record still on its way loses its body.
  virtual Result<std::size_t> Sweep(Time before) = 0;
};

}  // namespace valija::broker
