// Proofs from the journal's tiles for the few tree sizes that are asked for at one time: what is read and hashed for one
// proof is kept for the next, so that the receipts of a batch cost little more than one.
//
// Thread-safety: everything may be called from any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "core/log/tree.h"

namespace valija::broker {

class Proofs {
 public:
  explicit Proofs(log::TileReader read) : read_(std::move(read)) {}

  // As log::Prover. The tiles of a tree of `size` leaves must be there.
  Result<std::vector<Hash>> Inclusion(std::uint64_t index, std::uint64_t size);
  Result<std::vector<Hash>> Consistency(std::uint64_t from, std::uint64_t to);

 private:
  static constexpr std::size_t kKept = 4, kMaxTiles = 128;  // some 8 MiB in all
  struct Kept {
    Kept(std::uint64_t of_size, const log::TileReader& read)
        : size(of_size), prover(of_size, [this, read](log::TileId id, unsigned width) {
            ++tiles;
            return read(id, width);
          }) {}
    std::mutex mutex;
    const std::uint64_t size;
    std::size_t tiles = 0;
    log::Prover prover;
  };
  template <class F>
  auto With(std::uint64_t size, F f);

  const log::TileReader read_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Kept>> kept_;  // the last used first
};

}  // namespace valija::broker
