// The high-water mark: the last acknowledged checkpoint, as the log signed it, in a small file on a path of its own,
// best on another disk than the store. A store that was lost, replaced or rolled back is behind its mark, and the broker
// refuses to start on it instead of opening empty.
//
// The mark is written before anybody is told that a batch was accepted, and survives the end of the process at any
// instant. It is synced by a thread of its own, at most a second later and on stop, so that a batch costs one sync and
// not two. A power cut may therefore lose the last second of the *mark*; it never loses an acknowledged entry, which
// the store has synced by then. What it costs: a store that is rolled back by less than that second, across a power
// cut, is not noticed by the mark (the clients' pinned checkpoints still notice it).
//
// The file is four slots of 4096 bytes, each: "valijaHW" || u64 sequence || u32 length || note || SHA-256 of all before
// || zeros. A write goes to a slot that holds neither the newest mark, nor the newest synced one, nor the one being
// synced; so whatever happens at whatever byte, one good slot stands. The good slot with the highest sequence counts.
//
// Thread-safety: everything may be called from any thread.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/result.h"
#include "core/base/time.h"

namespace valija::broker {

class HighWater {
 public:
  static constexpr std::size_t kSlotSize = 4096, kSlots = 4;
  static constexpr std::size_t kMaxNote = 4000;

  // Opens the mark and locks it (kLocked). No file there is no error: note() is then absent until Initialise. kCorrupt
  // if there is a file and no slot of it is good; kFile.
  static Result<std::unique_ptr<HighWater>> Open(const std::filesystem::path& path,
                                                 Duration sync_every = std::chrono::seconds(1));
  ~HighWater();  // syncs
  HighWater(const HighWater&) = delete;
  HighWater& operator=(const HighWater&) = delete;

  // The newest mark: a signed note. Whose signature it bears is for the reader to check.
  std::optional<std::string> note() const;

  // May the broker go on with a store that exists (or not)? `make`: a new log is to be made, for which no mark above
  // size 0 may be there (kExists; that the store is empty is seen by Sequencer::Start). Else both must be there
  // (kRolledBack; kNotReady if neither is). Ask before the store is opened; the sizes are compared by Sequencer::Start.
  Status CheckPresence(bool store_exists, bool make) const;

  Status Initialise(std::string_view note);  // makes the file; kExists, kFile
  // kFile when it could not be written, or an earlier write or sync had failed: then nothing may be acknowledged.
  Status Write(std::string_view note);
  Status Sync();

 private:
  HighWater(std::filesystem::path path, Duration sync_every);
  Status Load();
  Status SyncLocked(std::unique_lock<std::mutex>& lock);
  void Run();

  const std::filesystem::path path_;
  const Duration sync_every_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  int fd_ = -1;
  std::string note_;
  std::uint64_t sequence_ = 0;
  std::size_t newest_ = 0, synced_ = 0, syncing_ = 0;  // slots
  bool dirty_ = false, sync_running_ = false, broken_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace valija::broker
