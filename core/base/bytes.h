// Byte strings, fixed-size values of one meaning each, and their text forms.
//
// Thread-safety: everything here is a plain value.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace valija {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes ToBytes(ByteView view) { return Bytes(view.begin(), view.end()); }
inline std::string ToString(ByteView view) { return std::string(AsText(view)); }
inline bool Equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

Bytes Concat(std::initializer_list<ByteView> parts);
void Append(Bytes& out, ByteView more);

// Big-endian integers, as every format of ours has them.
void AppendU16(Bytes& out, std::uint16_t value);
void AppendU32(Bytes& out, std::uint32_t value);
void AppendU64(Bytes& out, std::uint64_t value);
std::uint32_t ReadU32(const std::uint8_t* at);
std::uint64_t ReadU64(const std::uint8_t* at);

// Lower-case hexadecimal. FromHex takes either case and refuses an odd length or another character.
std::string ToHex(ByteView bytes);
std::optional<Bytes> FromHex(std::string_view text);

// RFC 4648 section 4, padded. FromBase64 refuses anything that ToBase64 would not have written
// (white space, missing padding, non-zero trailing bits).
std::string ToBase64(ByteView bytes);
std::optional<Bytes> FromBase64(std::string_view text);

// N bytes that mean one thing. Tag makes, say, a key id and a statement digest different types.
template <class Tag, std::size_t N>
struct Fixed {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  static std::optional<Fixed> From(ByteView view) {
    if (view.size() != N) return std::nullopt;
    Fixed out;
    std::memcpy(out.bytes.data(), view.data(), N);
    return out;
  }
  static std::optional<Fixed> FromHexText(std::string_view text) {
    auto raw = FromHex(text);
    return raw ? From(*raw) : std::nullopt;
  }
  ByteView view() const { return {bytes.data(), N}; }
  operator ByteView() const { return view(); }  // NOLINT(google-explicit-constructor): a value is its bytes
  std::string Hex() const { return ToHex(view()); }
  bool IsZero() const {
    for (auto b : bytes)
      if (b != 0) return false;
    return true;
  }
  auto operator<=>(const Fixed&) const = default;
};

using Hash = Fixed<struct HashTag, 32>;      // a SHA-256 value, a Merkle node, an HPKE info or context
using Digest = Fixed<struct DigestTag, 32>;  // SHA-256(PAE) of a statement: its name everywhere
using KeyId = Fixed<struct KeyIdTag, 32>;    // SHA-256 of a DER SubjectPublicKeyInfo
using Salt = Fixed<struct SaltTag, 32>;      // hides an entry or a recipient under its commitment
using Commitment = Fixed<struct CommitmentTag, 32>;
using RecordNonce = Fixed<struct RecordNonceTag, 32>;  // the header's record id: a nonce, it names nothing
using WindowId = Fixed<struct WindowIdTag, 16>;
using RequestId = Fixed<struct RequestIdTag, 16>;
using Nonce = Fixed<struct NonceTag, 16>;  // freshness of a statement's payload
using Point = Fixed<struct PointTag, 65>;  // an uncompressed P-256 point on the wire; not yet validated

}  // namespace valija

template <class Tag, std::size_t N>
struct std::hash<valija::Fixed<Tag, N>> {
  // The values hashed so are digests or random: any 8 bytes of them are already well spread. Keyed by
  // an offset of 0, which an author can grind; tables with foreign keys must bound their size.
  std::size_t operator()(const valija::Fixed<Tag, N>& value) const noexcept {
    std::size_t out;
    std::memcpy(&out, value.bytes.data(), sizeof out);
    return out;
  }
};
