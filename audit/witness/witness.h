// A witness at work: requests against the store, and no HTTP.
//
// Thread-safety: everything may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "audit/witness/protocol.h"
#include "audit/witness/store.h"
#include "core/base/time.h"

namespace valija::witness {

class Witness {
 public:
  using Clock = std::function<Time()>;
  using Report = std::function<void(const std::string& line)>;  // for whoever runs it; from any thread
  // The store outlives it, and is of this signer.
  Witness(Logs logs, Signer signer, Store& store, Clock clock, Report report);

  // POST /add-checkpoint. A 200 is durable.
  Answer AddCheckpoint(std::string_view body);
  // GET /<origin hash>/checkpoint
  Answer LatestCheckpoint(std::string_view origin_hash) const;

 private:
  bool Allowed(const Log& log, Time now);

  const Logs logs_;
  const Signer signer_;
  Store& store_;
  const Clock clock_;
  const Report report_;

  // Larger checkpoints that a log may still have cosigned: an hour's share of its day and ten more, filled up evenly.
  struct Share {
    double left = 0;
    Time at{};
  };
  std::mutex mutex_;
  std::map<std::string, Share> shares_;
};

}  // namespace valija::witness
