// Standing orders, and the openings that the broker makes under them.
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

Result<ledger::Payload> FromMessage(const v1::StandingOrder& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto agency, AgencyOf(message.agency(), "StandingOrder.agency"));
  if (agency != by.author.agency()) return Malformed("StandingOrder.agency", "not the author's");
  TRY(auto purpose, LabelOf(message.purpose(), "StandingOrder.purpose"));
  TRY(auto case_reference, TextOf(message.case_reference(), "StandingOrder.case_reference", 0));
  TRY(auto reply_key, PointOf(message.reply_key(), "StandingOrder.reply_key"));
  TRY(auto expires, TimeOf(message.expires_ms(), "StandingOrder.expires_ms"));
  return ledger::Payload(ledger::StandingOrder{.by = std::move(by),
                                               .agency = std::move(agency),
                                               .purpose = std::move(purpose),
                                               .case_reference = std::move(case_reference),
                                               .reply_key = reply_key,
                                               .expires = expires});
}

Result<ledger::Payload> FromMessage(const v1::StandingOpening& message) {
  TRY_OK(Known(message));
  TRY(auto order, FixedOf<Digest>(message.order(), "StandingOpening.order"));
  TRY(auto member, MemberOf(message.member(), "StandingOpening.member"));
  TRY(auto record, FixedOf<Digest>(message.record(), "StandingOpening.record"));
  TRY(auto portions, PortionsOf(message.portions(), "StandingOpening.portions"));
  if (portions.empty()) return Malformed("StandingOpening.portions", "absent");
  return ledger::Payload(ledger::StandingOpening{order, std::move(member), record, std::move(portions)});
}

}  // namespace

Bytes EncodeStandingOrder(const ledger::StandingOrder& order) {
  v1::StandingOrder message;
  ToMessage(order.by, message.mutable_by());
  message.set_agency(order.agency.str());
  message.set_purpose(order.purpose);
  message.set_case_reference(order.case_reference);
  message.set_reply_key(ToString(order.reply_key));
  message.set_expires_ms(ToMillis(order.expires));
  return Serialise(message);
}

Bytes EncodeStandingOpening(const ledger::StandingOpening& opening) {
  v1::StandingOpening message;
  message.set_order(ToString(opening.order));
  message.set_member(opening.member.str());
  message.set_record(ToString(opening.record));
  message.mutable_portions()->Add(opening.portions.begin(), opening.portions.end());
  return Serialise(message);
}

Result<ledger::Payload> DecodeStandingOrder(ByteView bytes) {
  return DecodeCanonical<v1::StandingOrder>(bytes, kMaxPayload,
                                            [](const auto& message) { return FromMessage(message); });
}
Result<ledger::Payload> DecodeStandingOpening(ByteView bytes) {
  return DecodeCanonical<v1::StandingOpening>(bytes, kMaxPayload,
                                              [](const auto& message) { return FromMessage(message); });
}

}  // namespace valija::proto
