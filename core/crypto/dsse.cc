#include "core/crypto/dsse.h"

#include <string>

#include "core/crypto/hash.h"

namespace valija::crypto {
namespace {

// What stands before the payload.
std::string PaePrefix(std::string_view payload_type, ByteView payload) {
  std::string prefix = "DSSEv1 " + std::to_string(payload_type.size()) + " ";
  prefix += payload_type;
  prefix += " " + std::to_string(payload.size()) + " ";
  return prefix;
}

}  // namespace

Bytes Pae(std::string_view payload_type, ByteView payload) {
  return Concat({AsBytes(PaePrefix(payload_type, payload)), payload});
}

Digest DigestOf(std::string_view payload_type, ByteView payload) {
  return Digest{Sha256({AsBytes(PaePrefix(payload_type, payload)), payload}).bytes};
}

}  // namespace valija::crypto
