// What a member does with a record: open, acknowledgement, revocation. And the authorship of all kinds.
#include <algorithm>

#include "core/log/tree.h"
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

constexpr std::size_t kMaxItems = 256;

Result<ledger::OpenItem> FromMessage(const v1::OpenItem& message) {
  TRY_OK(Known(message));
  TRY(auto record, FixedOf<Digest>(message.record(), "OpenItem.record"));
  TRY(auto epoch_key_id, FixedOf<KeyId>(message.epoch_key_id(), "OpenItem.epoch_key_id"));
  return ledger::OpenItem{record, message.portion(), epoch_key_id};
}

bool AnyPairTwice(const std::vector<ledger::OpenItem>& items) {
  if (items.size() < 2) return false;
  std::vector<std::pair<Digest, std::uint32_t>> pairs;
  pairs.reserve(items.size());
  for (const auto& item : items) pairs.emplace_back(item.record, item.portion);
  std::sort(pairs.begin(), pairs.end());
  return std::adjacent_find(pairs.begin(), pairs.end()) != pairs.end();
}

Result<ledger::Payload> FromMessage(const v1::Open& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  std::vector<ledger::OpenItem> items;
  items.reserve(static_cast<std::size_t>(message.items_size()));
  for (const auto& item : message.items()) {
    TRY(auto value, FromMessage(item));
    items.push_back(value);
  }
  if (items.empty() || items.size() > kMaxItems) return Malformed("Open.items", "not 1 to 256");
  if (AnyPairTwice(items)) return Malformed("Open.items", "the same portion twice");
  TRY(auto agency, AgencyOf(message.agency(), "Open.agency"));
  TRY(auto purpose, LabelOf(message.purpose(), "Open.purpose"));
  TRY(auto case_reference, TextOf(message.case_reference(), "Open.case_reference", 0));
  TRY(auto reply_key, PointOf(message.reply_key(), "Open.reply_key"));
  // Entry 0 is the charter: a log that holds a record to open has a verified size.
  if (message.checkpoint_size() == 0 || message.checkpoint_size() > log::kMaxTreeSize) {
    return Malformed("Open.checkpoint_size", "absent or too large");
  }
  TRY(auto checkpoint_root, FixedOf<Hash>(message.checkpoint_root(), "Open.checkpoint_root"));
  TRY(auto expires, TimeOf(message.expires_ms(), "Open.expires_ms"));
  std::optional<Digest> approved_request;
  if (!message.approved_request().empty()) {
    TRY(approved_request, FixedOf<Digest>(message.approved_request(), "Open.approved_request"));
  }
  TRY(auto emergency, TextOf(message.emergency(), "Open.emergency", 0));
  return ledger::Payload(ledger::Open{.by = std::move(by),
                                      .items = std::move(items),
                                      .agency = std::move(agency),
                                      .purpose = std::move(purpose),
                                      .case_reference = std::move(case_reference),
                                      .reply_key = reply_key,
                                      .checkpoint_size = message.checkpoint_size(),
                                      .checkpoint_root = checkpoint_root,
                                      .expires = expires,
                                      .approved_request = approved_request,
                                      .emergency = std::move(emergency)});
}

Result<ledger::Payload> FromMessage(const v1::Acknowledgement& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto record, FixedOf<Digest>(message.record(), "Acknowledgement.record"));
  if (std::find(std::begin(ledger::kOutcomes), std::end(ledger::kOutcomes), message.outcome()) ==
      std::end(ledger::kOutcomes)) {
    return Malformed("Acknowledgement.outcome", "absent or unknown");
  }
  return ledger::Payload(ledger::Acknowledgement{std::move(by), record, message.outcome()});
}

Result<ledger::Payload> FromMessage(const v1::Revocation& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto record, FixedOf<Digest>(message.record(), "Revocation.record"));
  TRY(auto why, TextOf(message.why(), "Revocation.why", 1));
  return ledger::Payload(ledger::Revocation{std::move(by), record, std::move(why), message.recall()});
}

}  // namespace

void ToMessage(const ledger::Authorship& by, v1::Authorship* out) {
  out->set_author(by.author.str());
  out->set_key_id(ToString(by.key_id));
  out->set_origin(by.origin);
  out->set_time_ms(ToMillis(by.time));
  out->set_nonce(ToString(by.nonce));
}

Result<ledger::Authorship> AuthorshipOf(bool there, const v1::Authorship& message) {
  if (!there) return Malformed("by", "absent");
  TRY_OK(Known(message));
  TRY(auto author, MemberOf(message.author(), "Authorship.author"));
  TRY(auto key_id, FixedOf<KeyId>(message.key_id(), "Authorship.key_id"));
  TRY(auto origin, OriginOf(message.origin(), "Authorship.origin"));
  TRY(auto time, TimeOf(message.time_ms(), "Authorship.time_ms"));
  TRY(auto nonce, FixedOf<Nonce>(message.nonce(), "Authorship.nonce"));
  return ledger::Authorship{std::move(author), key_id, std::move(origin), time, nonce};
}

Bytes EncodeOpen(const ledger::Open& open) {
  v1::Open message;
  ToMessage(open.by, message.mutable_by());
  for (const auto& item : open.items) {
    auto* to = message.add_items();
    to->set_record(ToString(item.record));
    to->set_portion(item.portion);
    to->set_epoch_key_id(ToString(item.epoch_key_id));
  }
  message.set_agency(open.agency.str());
  message.set_purpose(open.purpose);
  message.set_case_reference(open.case_reference);
  message.set_reply_key(ToString(open.reply_key));
  message.set_checkpoint_size(open.checkpoint_size);
  message.set_checkpoint_root(ToString(open.checkpoint_root));
  message.set_expires_ms(ToMillis(open.expires));
  if (open.approved_request) message.set_approved_request(ToString(*open.approved_request));
  message.set_emergency(open.emergency);
  return Serialise(message);
}

Bytes EncodeAcknowledgement(const ledger::Acknowledgement& acknowledgement) {
  v1::Acknowledgement message;
  ToMessage(acknowledgement.by, message.mutable_by());
  message.set_record(ToString(acknowledgement.record));
  message.set_outcome(acknowledgement.outcome);
  return Serialise(message);
}

Bytes EncodeRevocation(const ledger::Revocation& revocation) {
  v1::Revocation message;
  ToMessage(revocation.by, message.mutable_by());
  message.set_record(ToString(revocation.record));
  message.set_why(revocation.why);
  message.set_recall(revocation.recall);
  return Serialise(message);
}

Result<ledger::Payload> DecodeOpen(ByteView bytes) {
  return DecodeCanonical<v1::Open>(bytes, kMaxPayload, [](const auto& message) { return FromMessage(message); });
}
Result<ledger::Payload> DecodeAcknowledgement(ByteView bytes) {
  return DecodeCanonical<v1::Acknowledgement>(bytes, kMaxPayload,
                                              [](const auto& message) { return FromMessage(message); });
}
Result<ledger::Payload> DecodeRevocation(ByteView bytes) {
  return DecodeCanonical<v1::Revocation>(bytes, kMaxPayload, [](const auto& message) { return FromMessage(message); });
}

}  // namespace valija::proto
