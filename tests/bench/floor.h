// The floor that the product's figures are held against, measured in the same run on the same machine: the primitives as
// `openssl speed` gives them, and a bare RocksDB writing the same bytes with a sync per batch.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

namespace valija::bench {

// Microseconds per operation: "sign", "verify" (ECDSA P-256), "ecdh" (P-256), "gcm-1k" and "sha256-1k" (per KiB).
// Empty where the openssl program is not there.
std::map<std::string, double> PrimitiveMicros(int seconds);

// Records a second that a bare RocksDB makes durable: `record_bytes` each, `batch` per synced write, for `seconds`.
struct StoreFloor {
  double per_second = 0;
  double cpu_micros = 0;  // per record
};
StoreFloor BareStore(const std::filesystem::path& folder, std::size_t record_bytes, std::size_t batch, double seconds);

}  // namespace valija::bench
