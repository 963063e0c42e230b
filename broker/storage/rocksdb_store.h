// The embedded store: one RocksDB database holds journal and sealed bodies.
//
//   column family   key                          value
//   default         "format"                     "valija-store-2"
//                   "cosigned"                   the last note that the witnesses cosigned (absent: none yet)
//                   't' level(1) be64 index      a tile's hashes, the widest there is
//   entries         be64 index                   serialised LoggedEntry
//   bodies          'm' root agency              manifest: be64 length, be64 begun (ms), u8 complete, u8 n, member id,
//                                                and, if the whole body stands right here, its bytes
//                   'h' root agency              slice hashes, 32 bytes each (absent when there is one slice)
//                   'p' root agency              be32 slices present (absent when complete)
//                   'x' root                     purged: nothing may be stored under this root any more
//                   'u' root agency              be64 begun (ms), be64 charge, member id: no record names it yet
//   rows            as the state has them          what the entries made (kept_state.h); may be cleared at any start
//   slices          root be32 index agency       a slice; values are kept in blob files, out of compaction's way
//
// A 'u' comes with the write that begins its body and goes with the append of the entry that names it, in one batch each.
//
// Durability: an append is one synced WriteBatch. Slices are written unsynced to the same write-ahead log; the batch
// that completes a body is synced, and so all before it is. After any failed write every later one is refused until the
// store is opened anew: what the failed one left on the disk is unknown until then.
//
// A torn tail of the write-ahead log (kill, power cut) is dropped on opening, it was never acknowledged; damage before
// the tail, or to any file, refuses (kCorrupt).
//
// Memory is bounded to some 100 MiB, whatever the store's size.
//
// Thread-safety: as the ports say; Content may be used from any thread, one Put per body at a time.
#pragma once

#include <filesystem>
#include <memory>

#include "broker/storage/storage.h"

namespace valija::broker {

class RocksDbStore {
 public:
  struct Options {
    std::filesystem::path folder;
    // Bytes that one member may have uploaded for no record yet. One body is taken whatever its size.
    std::uint64_t unclaimed_per_member = std::uint64_t{8} << 30;
    bool create = false;                                // make it if it is missing
    std::size_t write_buffers = std::size_t{48} << 20;  // bytes, all column families together
    std::size_t block_cache = std::size_t{16} << 20;
  };
  static bool Exists(const std::filesystem::path& folder);
  // kNotReady: there is none and it is not to be made. kLocked: another process has it. kCorrupt, kStorage.
  static Result<std::unique_ptr<RocksDbStore>> Open(const Options& options);
  ~RocksDbStore();

  Journal& journal();
  Rows& rows();
  Content& content();

  // Bytes that were erased or replaced stand in the store's files until a compaction writes those anew. Entries: those, and rows,
  // that were replaced since the store was opened; quick, and may be done while it serves. Everything: all entries and bodies,
  // which rewrites the whole store. kStorage.
  enum class Scrubbed { kEntries, kEverything };
  Status Scrub(Scrubbed what = Scrubbed::kEverything);

  struct Db;  // of the parts of the store

 private:
  explicit RocksDbStore(std::unique_ptr<Db> db);
  std::unique_ptr<Db> db_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Rows> rows_;
  std::unique_ptr<Content> content_;
};

}  // namespace valija::broker
