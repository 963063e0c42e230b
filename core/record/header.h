// A record's header and what travels beside it (sealing.md 2). The header is one message that the originator
// serialises once; its bytes are opaque ever after and everything is bound to them through
// ctx = H("record", header bytes). proto/convert turns bytes into this struct and judges every field.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/time.h"

namespace valija::record {

inline constexpr std::uint16_t kSuite = 0x0001;  // sealing.md 1: P-256, HKDF-SHA256, AES-256-GCM, Cobblestone-256
inline constexpr std::size_t kMaxPortions = 64, kMaxRecipients = 256, kMaxAuthorities = 8;
inline constexpr std::size_t kWrapSize = 48;

inline constexpr std::size_t kMaxSources = 64;
// Whom a slip names that is there only to hide how many recipients there are: no agency of any charter ("zz" is no country).
inline constexpr std::string_view kDecoyAgency = "zz.none";

enum class Urgency : std::uint8_t { kNone = 0, kNormal = 1, kUrgent = 2, kImmediate = 3 };

struct AuthorityRef {
  AuthorityId id;
  KeyId key_id;
  Hash enc_hash;  // SHA-256(enc) of this authority's share context
};

struct PortionHead {
  std::uint32_t number = 0;            // 0, 1, .. in order
  std::string marking;                 // "TLP:AMBER", as in the portion's policy
  std::string media_type;              // "application/stix+json;version=2.1"; printable ASCII, 1..127
  Hash policy_digest;                  // SHA-256 over the policy bytes (32 random || message)
  KeyId amend_key_id;                  // the key that may amend this portion's policy
  std::vector<Commitment> recipients;  // strictly ascending
};

struct Header {
  std::uint16_t suite = kSuite;
  RecordNonce record_id;  // fresh for every sealing
  MemberId originator;
  KeyId signing_key_id;
  Time time;
  std::string origin;  // of the log
  WindowId window_id;
  std::optional<Digest> in_reply_to;
  std::vector<AuthorityRef> authorities;  // at least one; the first decides and logs
  std::vector<PortionHead> portions;      // at least one
  Urgency urgency = Urgency::kNone;       // of a record that asks for an answer
  std::vector<Digest> sources{};          // what it derives from; ascending, at most 64
};

// The record statement's payload: header bytes and, per portion, wraps and the sealed body's length and root.
struct PortionSeal {
  std::vector<Bytes> wraps;  // wrap i belongs to commitment i; 48 bytes each
  std::uint64_t body_length = 0;
  Hash body_root;
};

struct RecordPayload {
  Bytes header_bytes;
  Header header;  // header_bytes, parsed
  Hash ctx;       // H("record", header_bytes)
  std::vector<PortionSeal> portions;
};

// Opens one commitment: H("recipient", salt, agency, epoch key id, SHA-256(enc)).
struct Slip {
  std::uint32_t portion = 0;
  std::uint32_t index = 0;
  Salt salt;
  AgencyId agency;
  KeyId epoch_key_id;
  Point enc;
};

// Beside a record statement, never signed, each part checked against the header. The broker and the authorities
// see all of it; a recipient sees the authorities' encs and its own slips.
struct Attachments {
  std::vector<Slip> slips;            // one per commitment, ordered by (portion, index)
  std::vector<Bytes> policies;        // one per portion: 32 random bytes || policy message
  std::vector<Point> authority_encs;  // in the order of the header
};

}  // namespace valija::record
