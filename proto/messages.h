// What the convert_*.cc files share of one another. For proto/ alone.
#pragma once

#include "core/ledger/statement.h"
#include "proto/codec.h"
#include "proto/fields.h"
#include "valija/v1/statement.pb.h"

namespace valija::proto {

void ToMessage(const ledger::Authorship& by, v1::Authorship* out);
// `there`: whether the message has the field at all.
Result<ledger::Authorship> AuthorshipOf(bool there, const v1::Authorship& message);

// Envelopes have signatures or a batch proof; those of standing openings, and of statements erased, have neither.
Result<ledger::Envelope> ErasedEnvelopeOf(const v1::Envelope& message);

// Wraps of 48 bytes. Erased: there must be none.
enum class Wraps { kThere, kErased };
Result<std::vector<Bytes>> WrapsOf(const Strings& values, Wraps wraps, std::string_view field);

// Numbers of portions in a list.
template <class List>
Result<std::vector<std::uint32_t>> PortionsOf(const List& values, std::string_view field) {
  std::vector<std::uint32_t> out(values.begin(), values.end());
  if (!StrictlyAscending(out, [](std::uint32_t number) { return number; })) {
    return Malformed(field, "not in ascending order");
  }
  if (!out.empty() && out.back() >= record::kMaxPortions) return Malformed(field, "no portion has such a number");
  return out;
}

// Per kind: directory, record and grant, act, life and order, in the convert_*.cc of that name.
Result<ledger::Payload> DecodeCharter(ByteView bytes);
Result<ledger::Payload> DecodeEnrolment(ByteView bytes);
Result<ledger::Payload> DecodeEpoch(ByteView bytes);
Result<ledger::Payload> DecodeRecord(ByteView bytes, Wraps wraps = Wraps::kThere);
Result<ledger::Payload> DecodeOpen(ByteView bytes);
Result<ledger::Payload> DecodeAcknowledgement(ByteView bytes);
Result<ledger::Payload> DecodeRevocation(ByteView bytes);
Result<ledger::Payload> DecodeCharterAmendment(ByteView bytes);
Result<ledger::Payload> DecodeGrant(ByteView bytes, Wraps wraps = Wraps::kThere);
Result<ledger::Payload> DecodeAmendment(ByteView bytes);
Result<ledger::Payload> DecodeApproval(ByteView bytes);
Result<ledger::Payload> DecodeReview(ByteView bytes);
Result<ledger::Payload> DecodeAccessRequest(ByteView bytes);
Result<ledger::Payload> DecodeAnswer(ByteView bytes);
Result<ledger::Payload> DecodeStandingOrder(ByteView bytes);
Result<ledger::Payload> DecodeStandingOpening(ByteView bytes);
Result<ledger::Payload> DecodePurge(ByteView bytes);
Result<ledger::Payload> DecodeLookup(ByteView bytes);

}  // namespace valija::proto
