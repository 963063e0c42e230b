// DSSE v1: what is signed is PAE(type, payload), so the bytes verified are the bytes parsed.
#pragma once

#include <string_view>

#include "core/base/bytes.h"

namespace valija::crypto {

// "DSSEv1" SP len(type) SP type SP len(payload) SP payload, lengths in decimal.
Bytes Pae(std::string_view payload_type, ByteView payload);
// SHA-256(PAE): a statement's name everywhere.
Digest DigestOf(std::string_view payload_type, ByteView payload);

}  // namespace valija::crypto
