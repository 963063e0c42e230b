// The file that is shown to a court (valija/v1/bundle.proto), as plain values. Nothing in them is verified but the form: that
// is for audit/evidence/check.h. No protobuf in here. Thread-safety: pure functions.
#pragma once

#include "proto/exchange.h"

namespace valija::proto {

inline constexpr std::string_view kBundleType = "application/vnd.valija.bundle.v1";
inline constexpr std::size_t kMaxBundle = std::size_t{64} << 20;

struct Bundle {
  std::string checkpoint;  // a note
  Digest record;
  MemberId member;  // who made it
  Time time;
  std::vector<ProvedEntry> entries;  // ascending; each with head and salt
};

struct SignedBundle {
  Bytes bundle;
  KeyId key_id;
  crypto::Signature signature;
};

Bytes EncodeBundle(const Bundle& bundle);
Bytes EncodeSignedBundle(const SignedBundle& file);
// kMalformed, kUnknownField, kTooLarge.
Result<Bundle> DecodeBundle(ByteView bytes);
Result<SignedBundle> DecodeSignedBundle(ByteView file);

}  // namespace valija::proto
