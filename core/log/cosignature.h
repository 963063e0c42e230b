// C2SP tlog-cosignature, version 1 (Ed25519, key type 0x04): a witness says that, as of a time, the largest consistent
// tree that it saw of an origin has this root.
//
// The signature does not commit to the cosigner's name, so a key serves one cosigner. It says nothing about extension
// lines, though they are under it.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/log/note.h"

namespace valija::log {

inline constexpr std::uint64_t kMaxCosignatureTime = 0x7fff'ffff'ffff'ffff;  // seconds since 1970

// The signature line (with its line end) of a witness over a checkpoint's text. A text that is no checkpoint, a name
// that is no key name, or a time outside 1 .. 2^63-1 is a bug and throws.
std::string Cosign(std::string_view body, std::string_view name, const crypto::Ed25519SignKey& key, std::uint64_t time);

// Who cosigned, by key, and when: the latest time where a key has several lines. So nobody counts twice, under
// whatever names.
using Cosigned = std::map<crypto::Ed25519Public, std::uint64_t>;

// Lines of unknown (name, id) pairs are ignored. A line of a known pair must hold, else the whole note is refused:
// kBadCheckpoint. Nobody having cosigned is no error. Whether a time is acceptable is for the caller.
Result<Cosigned> VerifyCosignatures(const Note& note, std::span<const Cosigner> known);

}  // namespace valija::log
