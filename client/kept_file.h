// sent.log and orders.log of a profile: secrets that a member keeps for itself. No caches: what is appended is there for
// ever, and durable before what needs it is posted.
//
//   u32 length of what follows || statement || KEM key id || enc || ciphertext
//
// A tail that a crash tore off is cut when something is appended; a file that is damaged otherwise is refused (kCorrupt) and
// left as it is: behind the damage may be the only keys to what was sent.
// Not thread-safe; the profile's lock keeps other processes away.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace valija::client {

// A secret that this member keeps for itself (core/record/kept.h), and of which statement it is.
struct KeptSecret {
  Digest statement;
  KeyId kem_key_id;
  Point enc;
  Bytes ciphertext;
};

// `whole`: the size of the file as this process left it last, whose end need not be looked at again; nullopt at first.
Status AppendKept(const std::filesystem::path& file, const std::vector<KeptSecret>& secrets,
                  std::optional<std::uint64_t>& whole);
// The last of this statement. kNotFound; kCorrupt: not found, in a file that is damaged.
Result<KeptSecret> FindKept(const std::filesystem::path& file, const Digest& statement);

// What was made or renamed in it is there after a crash.
Status SyncFolder(const std::filesystem::path& folder);

}  // namespace valija::client
