// Randomness that a test knows: the given bytes first, then SHA-256(seed || counter) without end.
#pragma once

#include "core/crypto/hash.h"
#include "core/crypto/random.h"

namespace valija::test {

class FixedRandom : public crypto::Random {
 public:
  explicit FixedRandom(std::string_view seed, Bytes first = {}) : seed_(seed), ready_(std::move(first)) {}
  void Fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) {
      if (used_ == ready_.size()) {
        Bytes counter;
        AppendU32(counter, counter_++);
        ready_ = ToBytes(crypto::Sha256({AsBytes(seed_), counter}));
        used_ = 0;
      }
      byte = ready_[used_++];
    }
  }

 private:
  std::string seed_;
  Bytes ready_;
  std::size_t used_ = 0;
  std::uint32_t counter_ = 0;
};

}  // namespace valija::test
