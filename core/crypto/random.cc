#include "core/crypto/random.h"

#include <openssl/rand.h>

#include <algorithm>

#include "core/crypto/openssl_internal.h"

namespace valija::crypto {

void SystemRandom::Fill(std::span<std::uint8_t> out) {
  constexpr std::size_t kStep = 1 << 20;  // the call takes an int
  while (!out.empty()) {
    auto part = out.first(std::min(out.size(), kStep));
    // The private generator: its output is never shown as such, and every secret of ours comes from here.
    Need(RAND_priv_bytes(part.data(), static_cast<int>(part.size())) == 1, "no randomness");
    out = out.subspan(part.size());
  }
}

}  // namespace valija::crypto
