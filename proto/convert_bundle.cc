#include "proto/bundle.h"
#include "proto/messages.h"
#include "proto/wire.h"
#include "valija/v1/bundle.pb.h"

namespace valija::proto {
namespace {

constexpr std::size_t kMaxNote = std::size_t{64} << 10;

Result<ProvedEntry> FromMessage(const v1::BundleEntry& message) {
  TRY_OK(Known(message));
  if (!message.has_entry()) return Malformed("BundleEntry.entry", "absent");
  if (!message.has_proof()) return Malformed("BundleEntry.proof", "absent");
  TRY(auto entry, proto::FromMessage(message.entry()));
  if (!entry.head || !entry.salt) return Malformed("BundleEntry.entry", "without head and salt it shows nothing");
  TRY(auto path, proto::FromMessage(message.proof()));
  return ProvedEntry{std::move(entry), std::move(path)};
}

Result<Bundle> FromMessage(const v1::Bundle& message) {
  TRY_OK(Known(message));
  if (message.checkpoint().empty() || message.checkpoint().size() > kMaxNote)
    return Malformed("Bundle.checkpoint", "absent or too long");
  TRY(auto record, FixedOf<Digest>(message.record(), "Bundle.record"));
  TRY(auto member, MemberOf(message.member(), "Bundle.member"));
  TRY(auto time, TimeOf(message.time_ms(), "Bundle.time_ms"));
  Bundle out{message.checkpoint(), record, std::move(member), time, {}};
  out.entries.reserve(static_cast<std::size_t>(message.entries_size()));
  for (const auto& entry : message.entries()) {
    TRY(auto proved, FromMessage(entry));
    out.entries.push_back(std::move(proved));
  }
  if (out.entries.empty()) return Malformed("Bundle.entries", "none");
  if (!StrictlyAscending(out.entries, [](const auto& proved) { return proved.entry.head->index; }))
    return Malformed("Bundle.entries", "not in ascending order");
  return out;
}

Result<SignedBundle> FromMessage(const v1::SignedBundle& message) {
  TRY_OK(Known(message));
  SignedBundle out;
  TRY(out.bundle, BytesOf(message.bundle(), "SignedBundle.bundle", 1, kMaxBundle));
  TRY(out.key_id, FixedOf<KeyId>(message.key_id(), "SignedBundle.key_id"));
  TRY(out.signature, FixedOf<crypto::Signature>(message.signature(), "SignedBundle.signature"));
  return out;
}

}  // namespace

Bytes EncodeBundle(const Bundle& bundle) {
  v1::Bundle message;
  message.set_checkpoint(bundle.checkpoint);
  message.set_record(ToString(bundle.record));
  message.set_member(bundle.member.str());
  message.set_time_ms(ToMillis(bundle.time));
  for (const auto& proved : bundle.entries) {
    auto* to = message.add_entries();
    ToMessage(proved.entry, to->mutable_entry());
    ToMessage(proved.path, to->mutable_proof());
  }
  return Serialise(message);
}

Bytes EncodeSignedBundle(const SignedBundle& file) {
  v1::SignedBundle message;
  message.set_bundle(ToString(file.bundle));
  message.set_key_id(ToString(file.key_id));
  message.set_signature(ToString(file.signature));
  return Serialise(message);
}

Result<Bundle> DecodeBundle(ByteView bytes) {
  return DecodeCanonical<v1::Bundle>(bytes, kMaxBundle, [](const auto& message) { return FromMessage(message); });
}

Result<SignedBundle> DecodeSignedBundle(ByteView file) {
  return DecodeCanonical<v1::SignedBundle>(file, kMaxBundle + 1024,
                                           [](const auto& message) { return FromMessage(message); });
}

}  // namespace valija::proto
