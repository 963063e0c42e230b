// The checkpoint that strangers are shown. Where the charter names witnesses it is the last one that their quorum cosigned, with
// every cosignature that came so far: what is not cosigned is not published, and the tiles beyond it are nobody's concern yet.
// Where it names none, it is the newest.
//
// A cosigned one is in the store before anybody is shown it. So a broker that is killed and started again shows it at once,
// and nobody who reads the log sees it go back. What is new is looked for, and kept, twice a second.
//
// Thread-safety: everything may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "broker/storage/storage.h"
#include "broker/witnesses.h"
#include "core/base/result.h"

namespace valija::broker {

class PublicNote {
 public:
  struct Source {
    std::function<bool()> witnessed;                          // does the charter name witnesses?
    std::function<std::shared_ptr<const Cosigned>()> latest;  // what they cosigned last; nullptr: nothing
    std::function<std::string()> newest;                      // what the log signed last
  };
  PublicNote(Journal& journal, Source source, std::chrono::milliseconds apart = std::chrono::milliseconds(500));
  ~PublicNote();  // Stop

  // kNoQuorum: there are witnesses, and they have cosigned nothing yet.
  Result<std::string> Show() const;
  void Stop();  // keeps what came last

 private:
  void Run();
  void Keep();

  Journal& journal_;
  const Source source_;
  const std::chrono::milliseconds apart_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, said_ = false;
  std::string kept_;   // as the store has it; the thread's alone
  std::string shown_;  // empty: nothing
  std::thread thread_;
};

}  // namespace valija::broker
