// HMAC and HKDF (RFC 5869) over SHA-256, and HKDF-Expand over SHA-512 for Cobblestone-256.
#pragma once

#include "core/base/bytes.h"
#include "core/crypto/secret.h"

namespace valija::crypto {

Secret HmacSha256(ByteView key, std::initializer_list<ByteView> parts);
Secret HkdfExtractSha256(ByteView salt, std::initializer_list<ByteView> ikm);
Secret HkdfExpandSha256(ByteView prk, std::initializer_list<ByteView> info, std::size_t length);
Secret HkdfExpandSha512(ByteView prk, std::initializer_list<ByteView> info, std::size_t length);

}  // namespace valija::crypto
