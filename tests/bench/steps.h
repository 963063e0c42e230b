// The cryptography of one opening under two witnesses, step by step and by the very functions that the programs call: what
// is left of the way when disks and network cost nothing.
#pragma once

#include <vector>

namespace valija::bench {

// Seconds of each pass, one after the other on one thread.
struct CryptoSteps {
  std::vector<double> client;   // reply key and signature; log's and two witnesses' signatures; release; body of 1 KiB
  std::vector<double> broker;   // author's signature; log's signature; a witness's; release
  std::vector<double> witness;  // log's signature; its own
};
CryptoSteps MeasureCrypto(double seconds);  // of each of the three

}  // namespace valija::bench
