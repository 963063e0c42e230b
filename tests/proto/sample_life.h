// Samples of the statements of a record's later life, every field of them filled, and of an erased entry.
#pragma once

#include "tests/proto/sample.h"

namespace valija::test {

inline ledger::CharterAmendment SomeCharterAmendment(Sample& s) { return {s.Charter(), s.Some<Digest>()}; }

struct SealedGrant {
  ledger::Grant grant;
  record::Attachments attachments;
};
// Of the portions 1 and 4 of some record.
inline SealedGrant SomeGrant(Sample& s) {
  auto sealed = s.Sealed();
  sealed.header.in_reply_to.reset();
  sealed.header.urgency = record::Urgency::kNone;
  sealed.header.sources.clear();
  auto renumber = [](std::uint32_t number) { return number == 0 ? 1U : 4U; };
  for (auto& portion : sealed.header.portions) portion.number = renumber(portion.number);
  for (auto& slip : sealed.attachments.slips) slip.portion = renumber(slip.portion);
  auto header_bytes = proto::EncodeHeader(sealed.header);
  SealedGrant out{{.header_bytes = header_bytes,
                   .header = sealed.header,
                   .ctx = crypto::TupleHash("record", {header_bytes}),
                   .record = s.Some<Digest>(),
                   .wraps = {},
                   .request = s.Some<Digest>(),
                   .policies = {}},
                  sealed.attachments};
  for (const auto& seal : sealed.seals) out.grant.wraps.push_back(seal.wraps);
  return out;
}

struct SealedAmendment {
  ledger::Amendment amendment;
  record::Attachments attachments;
};
inline SealedAmendment SomeAmendment(Sample& s) {
  auto policy = proto::EncodePolicy(s.Some<Salt>(), s.Policy());
  return {{.by = s.By(),
           .record = s.Some<Digest>(),
           .portion = static_cast<std::uint32_t>(s.Between(1, 63)),
           .previous = s.Some<Hash>(),
           .sequence = s.Between(1, 9),
           .policy_digest = proto::PolicyDigest(policy),
           .policy = std::nullopt},
          {{}, {policy}, {}}};
}

inline ledger::Approval SomeApproval(Sample& s) {
  return {s.By(), s.Some<Digest>(), static_cast<ledger::ApprovalVerdict>(s.Between(1, 3)), s.Text()};
}
inline ledger::Review SomeReview(Sample& s) {
  return {s.By(), s.Some<Digest>(), static_cast<ledger::Finding>(s.Between(1, 2)), s.Text()};
}
inline ledger::AccessRequest SomeAccessRequest(Sample& s, ledger::Wish wish = ledger::Wish::kMarkLess) {
  auto by = s.By();
  auto agency = wish == ledger::Wish::kOnward ? *AgencyId::Parse("gt.mp") : by.author.agency();
  return {.by = std::move(by),
          .record = s.Some<Digest>(),
          .portions = {0, 3, static_cast<std::uint32_t>(s.Between(4, 63))},
          .wish = wish,
          .agency = std::move(agency),
          .marking = wish == ledger::Wish::kMarkLess ? std::optional(policy::Tlp::kGreen) : std::nullopt,
          .purpose = s.Word(),
          .case_reference = s.Text(),
          .why = s.Text()};
}
inline ledger::Answer SomeAnswer(Sample& s) {
  return {s.By(), s.Some<Digest>(), static_cast<policy::Tlp>(s.Between(1, 5)), s.Text()};
}
inline ledger::StandingOrder SomeStandingOrder(Sample& s) {
  auto by = s.By();
  auto agency = by.author.agency();
  return {.by = std::move(by),
          .agency = std::move(agency),
          .purpose = s.Word(),
          .case_reference = s.Text(),
          .reply_key = s.SomePoint(),
          .expires = s.SomeTime()};
}
inline ledger::StandingOpening SomeStandingOpening(Sample& s) {
  return {s.Some<Digest>(), s.Member(), s.Some<Digest>(), {0, static_cast<std::uint32_t>(s.Between(1, 63))}};
}
inline ledger::Purge SomePurge(Sample& s) {
  ledger::Purge out{s.By(), {}, s.Text()};
  for (const auto& statement : s.Ascending<Digest>(3)) out.erasures.push_back({statement, s.Some<Hash>()});
  return out;
}

inline ledger::Lookup SomeLookup(Sample& s) {
  const std::uint64_t from = s.Between(1, 1000);
  return {s.By(), from, from + s.Between(1, 1000), s.SomeTime(), s.Text()};
}

// A payload of every kind, as its author encodes it.
inline std::vector<std::pair<ledger::Kind, Bytes>> EveryPayload(Sample& s) {
  using ledger::Kind;
  return {{Kind::kCharter, proto::EncodeCharter(s.Charter())},
          {Kind::kEnrolment, proto::EncodeEnrolment(s.Enrolment())},
          {Kind::kEpoch, proto::EncodeEpoch(s.Epoch())},
          {Kind::kRecord, s.RecordBytes()},
          {Kind::kOpen, proto::EncodeOpen(s.Open())},
          {Kind::kAcknowledgement, proto::EncodeAcknowledgement(s.Acknowledgement())},
          {Kind::kRevocation, proto::EncodeRevocation(s.Revocation())},
          {Kind::kCharterAmendment, proto::EncodeCharterAmendment(SomeCharterAmendment(s))},
          {Kind::kGrant, proto::EncodeGrant(SomeGrant(s).grant)},
          {Kind::kAmendment, proto::EncodeAmendment(SomeAmendment(s).amendment)},
          {Kind::kApproval, proto::EncodeApproval(SomeApproval(s))},
          {Kind::kReview, proto::EncodeReview(SomeReview(s))},
          {Kind::kAccessRequest, proto::EncodeAccessRequest(SomeAccessRequest(s))},
          {Kind::kAnswer, proto::EncodeAnswer(SomeAnswer(s))},
          {Kind::kStandingOrder, proto::EncodeStandingOrder(SomeStandingOrder(s))},
          {Kind::kStandingOpening, proto::EncodeStandingOpening(SomeStandingOpening(s))},
          {Kind::kPurge, proto::EncodePurge(SomePurge(s))},
          {Kind::kLookup, proto::EncodeLookup(SomeLookup(s))}};
}

// What stays of an entry when this purge erased it, and the purge, of the entry after it.
struct Erased {
  proto::LoggedEntry entry;
  ledger::Purge purge;
};
inline Erased Erase(Sample& s, proto::LoggedEntry entry) {
  auto& envelope = *entry.envelope;
  envelope.payload =
      proto::RedactPayload(*ledger::KindFromPayloadType(envelope.payload_type), envelope.payload).value();
  envelope.signatures.clear();
  envelope.batch.reset();
  entry.erased_by = entry.head->index + 1;
  auto purge = SomePurge(s);
  purge.erasures.push_back({entry.head->statement, crypto::Sha256(envelope.payload)});
  std::sort(purge.erasures.begin(), purge.erasures.end(),
            [](const auto& a, const auto& b) { return a.statement < b.statement; });
  return {std::move(entry), std::move(purge)};
}

}  // namespace valija::test
