// A grant: later recipients of a record, under a header of its own.
#include "core/crypto/hash.h"
#include "core/record/check.h"
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

// Of a grant without its wraps there is still one seal, empty, per portion.
Status CheckErasedSeals(const ledger::Grant& grant) {
  if (grant.wraps.size() != grant.header.portions.size())
    return Malformed("Grant.portions", "not one seal per portion");
  return Ok();
}

Result<ledger::Payload> FromMessage(const v1::Grant& message, Wraps wraps) {
  TRY_OK(Known(message));
  TRY(auto header, DecodeHeader(AsBytes(message.header()), record::HeaderOf::kGrant));
  ledger::Grant out{.header_bytes = ToBytes(AsBytes(message.header())),
                    .header = std::move(header),
                    .ctx = {},
                    .record = {},
                    .wraps = {},
                    .request = std::nullopt,
                    .policies = {}};
  out.ctx = crypto::TupleHash("record", {out.header_bytes});
  TRY(out.record, FixedOf<Digest>(message.record(), "Grant.record"));
  out.wraps.reserve(static_cast<std::size_t>(message.portions_size()));
  for (const auto& portion : message.portions()) {
    TRY_OK(Known(portion));
    TRY(auto of_portion, WrapsOf(portion.wraps(), wraps, "GrantSeal.wraps"));
    out.wraps.push_back(std::move(of_portion));
  }
  TRY_OK(wraps == Wraps::kThere ? record::CheckWraps(out.header, out.wraps) : CheckErasedSeals(out));
  if (!message.request().empty()) {
    TRY(out.request, FixedOf<Digest>(message.request(), "Grant.request"));
  }
  return ledger::Payload(std::move(out));
}

}  // namespace

Bytes EncodeGrant(const ledger::Grant& grant) {
  v1::Grant message;
  message.set_header(ToString(grant.header_bytes));
  message.set_record(ToString(grant.record));
  for (const auto& wraps : grant.wraps) {
    auto* to = message.add_portions();
    for (const auto& wrap : wraps) to->add_wraps(ToString(wrap));
  }
  if (grant.request) message.set_request(ToString(*grant.request));
  return Serialise(message);
}

Result<ledger::Payload> DecodeGrant(ByteView bytes, Wraps wraps) {
  return DecodeCanonical<v1::Grant>(bytes, kMaxPayload,
                                    [wraps](const auto& message) { return FromMessage(message, wraps); });
}

}  // namespace valija::proto
