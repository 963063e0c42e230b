// What can be checked of a record without any key: its header's own rules, the seals against the header, and what travels
// beside it (sealing.md 2, 5). The broker checks all of it before it accepts, the auditor again.
// Thread-safety: pure functions.
#pragma once

#include "core/base/result.h"
#include "core/record/header.h"

namespace valija::record {

// The smallest sealed body: salt, commitment and one chunk of 256 padded bytes with its tag.
inline constexpr std::uint64_t kMinBodyLength = 328;

// Suite known (kUnknownSuite); 1..8 authorities, no id and no key twice; 1..64 portions numbered 0, 1, ..; per portion
// 1..256 commitments strictly ascending, media type 1..127 and marking 1..32 printable ASCII characters; a well-spelled
// origin; sources ascending, 64 at most. A grant's portions keep the original's numbers, strictly ascending, and it asks,
// answers and derives from nothing. kBadHeader.
enum class HeaderOf : std::uint8_t { kRecord, kGrant };
Status CheckHeader(const Header& header, HeaderOf what = HeaderOf::kRecord);

// Per portion of the header one seal with one wrap of 48 bytes per commitment and a body length that sealing can give.
// kBadHeader. header_bytes and ctx are the caller's to have made. A grant has the wraps alone.
Status CheckSeals(const Header& header, const std::vector<PortionSeal>& seals);
Status CheckWraps(const Header& header, const std::vector<std::vector<Bytes>>& wraps);

// Complete attachments: every commitment has exactly one slip that opens it, in order of (portion, index), and no agency
// twice in a portion but decoys (kBadSlip); every policy has the digest in the header (kBadPolicy); every authority's enc has the
// hash in the header (kBadHeader).
Status CheckAttachments(const Header& header, const Attachments& attachments);

}  // namespace valija::record
