// What the witness cosigned last of each log, on disk.
//
// STATE/witness.vkey        made by `init`: whose state this is. Without it nothing is served: a folder that is lost or
//                           not mounted must not look like a witness that never cosigned anything
// STATE/<hex>.0, .1         the last two cosigned checkpoints of the log with this OriginHash, in turns; the larger counts
// STATE/<hex>.fork          two checkpoints of one size that the log signed, if it ever did
// STATE/lock, MARKS/lock    held while a process serves
// MARKS/witness.vkey, MARKS/<hex>    the size in STATE/<hex>: a high-water mark
//
// A record is written over the older of the two and synced, before anybody is answered: one write to the disk, where a new
// file renamed over the old one takes three. After a crash at any point the newer or the older one is whole. A record
// carries the witness's own signature, so damage is seen at the start. What protects from going on with an older one, be
// it the other of the two or a copy, is the mark, which is written after the record and before the answer. The default
// MARKS are in STATE and notice a single file that went back; on another disk they notice the whole folder too. The mark
// is not synced by itself: it survives the process, and may lose the last seconds in a power cut, which the record does
// not. Whoever can write both folders can roll both back: only other witnesses help against that.
//
// Thread-safety: everything may be called from any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "audit/witness/protocol.h"
#include "core/io/file.h"

namespace valija::witness {

class Store {
 public:
  // Makes both folders for a new witness. kExists: there is something in them.
  static Status Create(const std::filesystem::path& state, const std::filesystem::path& marks,
                       const log::Cosigner& witness);
  // kNotReady: there is no state here; kLocked; kCorrupt: damaged, or of another witness; kRolledBack: older than its
  // marks; kFile.
  static Result<std::unique_ptr<Store>> Open(const std::filesystem::path& state, const std::filesystem::path& marks);
  // Whose state it is, without opening it.
  static Result<log::Cosigner> WitnessOf(const std::filesystem::path& state);

  const log::Cosigner& witness() const { return witness_; }
  std::size_t size() const;  // logs that were cosigned
  std::optional<Record> Get(std::string_view origin_hash) const;

  // Compare and store, one of a log at a time: true once `next` is durable; false, and nothing done, if the record is not
  // the one that was `seen` any more. The same checkpoint again (with a newer cosignature) is kept in memory only. kFile:
  // it may be on disk or not, so whoever asked is not answered; asking again is safe, and writes what is still owed. A record never gets smaller: to try
  // is a bug and throws.
  Result<bool> Replace(const std::optional<Record>& seen, const Record& next);

  // The first proof of a fork of this log stays.
  Status KeepFork(const Record& record, std::string_view request);

 private:
  struct Slot {
    std::mutex mutex;
    std::optional<Record> record;
    int next = 0;            // which of the two files does not hold it
    bool mark_owed = false;  // the record is written, and its mark could not be
  };
  Store(std::filesystem::path state, std::filesystem::path marks, log::Cosigner witness, io::FileLock of_state,
        io::FileLock of_marks);
  Status Load();
  Status CheckMarks() const;
  Status WriteRecord(const std::string& hash, int which, const std::string& note) const;
  Status WriteMark(const std::string& hash, std::uint64_t size) const;
  Slot* Find(std::string_view hash) const;

  const std::filesystem::path state_, marks_;
  const log::Cosigner witness_;
  const io::FileLock of_state_, of_marks_;
  mutable std::mutex mutex_;  // of the map, not of what is in it
  std::map<std::string, std::unique_ptr<Slot>, std::less<>> slots_;
};

}  // namespace valija::witness
