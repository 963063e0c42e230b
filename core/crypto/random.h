// Randomness is passed in, so that tests can fix it. SystemRandom is OpenSSL's generator.
#pragma once

#include "core/base/bytes.h"
#include "core/crypto/secret.h"

namespace valija::crypto {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::uint8_t> out) = 0;  // throws if there is no randomness to be had

  template <class F>
  F Make() {  // a random value of a Fixed<> type
    F out;
    Fill(out.bytes);
    return out;
  }
  Secret MakeSecret(std::size_t size) {
    Secret out(size);
    Fill(out.mutable_view());
    return out;
  }
};

// Thread-safe.
class SystemRandom : public Random {
 public:
  void Fill(std::span<std::uint8_t> out) override;
};

}  // namespace valija::crypto
