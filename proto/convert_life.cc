// What becomes of a record later: amendment, approval, review, access request and its answer, purge.
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

constexpr std::size_t kMaxErasures = 256;

// A marking where there may be none: 0.
Result<std::optional<policy::Tlp>> MarkingOf(std::uint32_t value, std::string_view field) {
  if (value == 0) return std::optional<policy::Tlp>();
  if (value > 5) return Malformed(field, "unknown");
  return std::optional(static_cast<policy::Tlp>(value));
}
std::uint32_t NumberOf(const std::optional<policy::Tlp>& marking) {
  return marking ? static_cast<std::uint32_t>(*marking) : 0;
}

Result<ledger::Payload> FromMessage(const v1::Amendment& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto record, FixedOf<Digest>(message.record(), "Amendment.record"));
  TRY(auto previous, FixedOf<Hash>(message.previous(), "Amendment.previous"));
  if (message.sequence() == 0) return Malformed("Amendment.sequence", "absent");
  TRY(auto policy_digest, FixedOf<Hash>(message.policy_digest(), "Amendment.policy_digest"));
  return ledger::Payload(ledger::Amendment{.by = std::move(by),
                                           .record = record,
                                           .portion = message.portion(),
                                           .previous = previous,
                                           .sequence = message.sequence(),
                                           .policy_digest = policy_digest,
                                           .policy = std::nullopt});
}

Result<ledger::Payload> FromMessage(const v1::Approval& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto request, FixedOf<Digest>(message.request(), "Approval.request"));
  if (message.verdict() < 1 || message.verdict() > 3) return Malformed("Approval.verdict", "absent or unknown");
  const auto verdict = static_cast<ledger::ApprovalVerdict>(message.verdict());
  TRY(auto why, TextOf(message.why(), "Approval.why", verdict == ledger::ApprovalVerdict::kApprove ? 0 : 1));
  return ledger::Payload(ledger::Approval{std::move(by), request, verdict, std::move(why)});
}

Result<ledger::Payload> FromMessage(const v1::Review& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto request, FixedOf<Digest>(message.request(), "Review.request"));
  if (message.finding() < 1 || message.finding() > 2) return Malformed("Review.finding", "absent or unknown");
  TRY(auto why, TextOf(message.why(), "Review.why", 1));
  return ledger::Payload(
      ledger::Review{std::move(by), request, static_cast<ledger::Finding>(message.finding()), std::move(why)});
}

Result<ledger::Payload> FromMessage(const v1::Lookup& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  if (message.end_index() != 0 && message.end_index() <= message.from_index())
    return Malformed("Lookup.end_index", "not above from_index");
  TRY(auto expires, TimeOf(message.expires_ms(), "Lookup.expires_ms"));
  TRY(auto why, TextOf(message.why(), "Lookup.why", 1));
  return ledger::Payload(
      ledger::Lookup{std::move(by), message.from_index(), message.end_index(), expires, std::move(why)});
}

Result<ledger::Payload> FromMessage(const v1::AccessRequest& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto record, FixedOf<Digest>(message.record(), "AccessRequest.record"));
  TRY(auto portions, PortionsOf(message.portions(), "AccessRequest.portions"));
  if (message.wish() < 1 || message.wish() > 3) return Malformed("AccessRequest.wish", "absent or unknown");
  const auto wish = static_cast<ledger::Wish>(message.wish());
  TRY(auto agency, AgencyOf(message.agency(), "AccessRequest.agency"));
  if ((agency == by.author.agency()) == (wish == ledger::Wish::kOnward)) {
    return Malformed("AccessRequest.agency", "the author's own is asked for itself, another one onward");
  }
  TRY(auto marking, MarkingOf(message.marking(), "AccessRequest.marking"));
  if (marking.has_value() != (wish == ledger::Wish::kMarkLess)) {
    return Malformed("AccessRequest.marking", "there if a marking is asked for, and only then");
  }
  TRY(auto purpose, LabelOf(message.purpose(), "AccessRequest.purpose"));
  TRY(auto case_reference, TextOf(message.case_reference(), "AccessRequest.case_reference", 0));
  TRY(auto why, TextOf(message.why(), "AccessRequest.why", 1));
  return ledger::Payload(ledger::AccessRequest{.by = std::move(by),
                                               .record = record,
                                               .portions = std::move(portions),
                                               .wish = wish,
                                               .agency = std::move(agency),
                                               .marking = marking,
                                               .purpose = std::move(purpose),
                                               .case_reference = std::move(case_reference),
                                               .why = std::move(why)});
}

Result<ledger::Payload> FromMessage(const v1::Answer& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  TRY(auto request, FixedOf<Digest>(message.request(), "Answer.request"));
  TRY(auto marking, MarkingOf(message.marking(), "Answer.marking"));
  TRY(auto why, TextOf(message.why(), "Answer.why", 0));
  return ledger::Payload(ledger::Answer{std::move(by), request, marking, std::move(why)});
}

Result<ledger::Payload> FromMessage(const v1::Purge& message) {
  TRY_OK(Known(message));
  TRY(auto by, AuthorshipOf(message.has_by(), message.by()));
  ledger::Purge out{std::move(by), {}, {}};
  out.erasures.reserve(static_cast<std::size_t>(message.erasures_size()));
  for (const auto& erasure : message.erasures()) {
    TRY_OK(Known(erasure));
    TRY(auto statement, FixedOf<Digest>(erasure.statement(), "Erasure.statement"));
    TRY(auto redacted, FixedOf<Hash>(erasure.redacted(), "Erasure.redacted"));
    out.erasures.push_back({statement, redacted});
  }
  if (out.erasures.empty() || out.erasures.size() > kMaxErasures) return Malformed("Purge.erasures", "not 1 to 256");
  if (!StrictlyAscending(out.erasures, [](const auto& erasure) { return erasure.statement; })) {
    return Malformed("Purge.erasures", "not in ascending order");
  }
  TRY(out.why, TextOf(message.why(), "Purge.why", 1));
  return ledger::Payload(std::move(out));
}

template <class M>
Result<ledger::Payload> Decode(ByteView bytes) {
  return DecodeCanonical<M>(bytes, kMaxPayload, [](const auto& message) { return FromMessage(message); });
}

}  // namespace

Bytes EncodeAmendment(const ledger::Amendment& amendment) {
  v1::Amendment message;
  ToMessage(amendment.by, message.mutable_by());
  message.set_record(ToString(amendment.record));
  message.set_portion(amendment.portion);
  message.set_previous(ToString(amendment.previous));
  message.set_sequence(amendment.sequence);
  message.set_policy_digest(ToString(amendment.policy_digest));
  return Serialise(message);
}

Bytes EncodeApproval(const ledger::Approval& approval) {
  v1::Approval message;
  ToMessage(approval.by, message.mutable_by());
  message.set_request(ToString(approval.request));
  message.set_verdict(static_cast<std::uint32_t>(approval.verdict));
  message.set_why(approval.why);
  return Serialise(message);
}

Bytes EncodeReview(const ledger::Review& review) {
  v1::Review message;
  ToMessage(review.by, message.mutable_by());
  message.set_request(ToString(review.request));
  message.set_finding(static_cast<std::uint32_t>(review.finding));
  message.set_why(review.why);
  return Serialise(message);
}

Bytes EncodeLookup(const ledger::Lookup& lookup) {
  v1::Lookup message;
  ToMessage(lookup.by, message.mutable_by());
  message.set_from_index(lookup.from_index);
  message.set_end_index(lookup.end_index);
  message.set_expires_ms(ToMillis(lookup.expires));
  message.set_why(lookup.why);
  return Serialise(message);
}

Bytes EncodeAccessRequest(const ledger::AccessRequest& request) {
  v1::AccessRequest message;
  ToMessage(request.by, message.mutable_by());
  message.set_record(ToString(request.record));
  message.mutable_portions()->Add(request.portions.begin(), request.portions.end());
  message.set_wish(static_cast<std::uint32_t>(request.wish));
  message.set_agency(request.agency.str());
  message.set_marking(NumberOf(request.marking));
  message.set_purpose(request.purpose);
  message.set_case_reference(request.case_reference);
  message.set_why(request.why);
  return Serialise(message);
}

Bytes EncodeAnswer(const ledger::Answer& answer) {
  v1::Answer message;
  ToMessage(answer.by, message.mutable_by());
  message.set_request(ToString(answer.request));
  message.set_marking(NumberOf(answer.marking));
  message.set_why(answer.why);
  return Serialise(message);
}

Bytes EncodePurge(const ledger::Purge& purge) {
  v1::Purge message;
  ToMessage(purge.by, message.mutable_by());
  for (const auto& erasure : purge.erasures) {
    auto* to = message.add_erasures();
    to->set_statement(ToString(erasure.statement));
    to->set_redacted(ToString(erasure.redacted));
  }
  message.set_why(purge.why);
  return Serialise(message);
}

Result<ledger::Payload> DecodeAmendment(ByteView bytes) { return Decode<v1::Amendment>(bytes); }
Result<ledger::Payload> DecodeApproval(ByteView bytes) { return Decode<v1::Approval>(bytes); }
Result<ledger::Payload> DecodeReview(ByteView bytes) { return Decode<v1::Review>(bytes); }
Result<ledger::Payload> DecodeAccessRequest(ByteView bytes) { return Decode<v1::AccessRequest>(bytes); }
Result<ledger::Payload> DecodeAnswer(ByteView bytes) { return Decode<v1::Answer>(bytes); }
Result<ledger::Payload> DecodeLookup(ByteView bytes) { return Decode<v1::Lookup>(bytes); }
Result<ledger::Payload> DecodePurge(ByteView bytes) { return Decode<v1::Purge>(bytes); }

}  // namespace valija::proto
