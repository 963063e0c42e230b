// What the world may read of the log, and nothing else: the newest checkpoint, hash tiles, and bundles of salted commitments
// (C2SP tlog-tiles). No event is in any of them. No HTTP in here: paths to answers.
//
// A tile or bundle is there if the tree of the published size has it at least as wide: what is wider is cut, so that every
// partial one that a checkpoint ever called for stays. Bundles are made from the journal, one at a time, in bounded memory,
// and held against the tile above them before anybody gets them.
//
// Thread-safety: everything may be called from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "broker/storage/storage.h"
#include "core/base/result.h"

namespace valija::broker {

struct PublicAnswer {
  int status = 200;
  std::string type;
  std::string caching;  // Cache-Control
  Bytes body;
};

class PublicLog {
 public:
  // The note to serve; a refusal is a 503.
  using Checkpoint = std::function<Result<std::string>()>;
  // The size of the last published checkpoint: all below it is durable. Never smaller than that of a note served.
  using Size = std::function<std::uint64_t()>;
  PublicLog(const Journal& journal, Size published, Checkpoint checkpoint)
      : journal_(journal), published_(std::move(published)), checkpoint_(std::move(checkpoint)) {}

  // `path`: as it stands in the request, "/checkpoint" or "/tile/...". 404 for whatever else, and for what the tree has not;
  // 503 if it has it and it cannot be read.
  PublicAnswer Get(std::string_view path);

 private:
  static constexpr std::size_t kKeptBundles = 64;

  Result<Bytes> Tile(log::TileId id, unsigned width) const;
  Result<Bytes> Bundle(std::uint64_t index, unsigned width);
  Status Extend(std::uint64_t index, unsigned width, Bytes& bundle) const;
  PublicAnswer Failed(const Error& error);

  const Journal& journal_;
  const Size published_;
  const Checkpoint checkpoint_;
  std::mutex bundles_mutex_;                            // held while one is made: one at a time
  std::list<std::pair<std::uint64_t, Bytes>> bundles_;  // the last used first; as wide as was asked for
  std::atomic<std::int64_t> said_{0};                   // when a failure was last logged, in seconds
};

}  // namespace valija::broker
