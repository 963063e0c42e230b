// What stays of a payload that was erased: nothing of what the purge takes, everything else, and no second form of it.
#include <gtest/gtest.h>

#include "core/record/check.h"
#include "tests/proto/codings.h"

namespace valija::test {
namespace {

using ledger::Kind;

template <class T>
T Remains(Kind kind, ByteView payload) {
  const auto redacted = proto::RedactPayload(kind, payload);
  if (!redacted) throw std::runtime_error(redacted.error().Message());
  auto value = proto::DecodeRedacted(kind, *redacted);
  if (!value) throw std::runtime_error(value.error().Message());
  return std::get<T>(*std::move(value));
}
bool Contains(ByteView bytes, ByteView part) {
  return std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) != bytes.end();
}

TEST(Redacted, OfARecordTheWrapsAreGoneAndAllElseStays) {
  Sample sample(120);
  const auto sealed = sample.Sealed();
  const auto header_bytes = proto::EncodeHeader(sealed.header);
  const auto payload = proto::EncodeRecord(header_bytes, sealed.seals);
  const auto redacted = proto::RedactPayload(Kind::kRecord, payload).value();
  for (const auto& seal : sealed.seals) {
    for (const auto& wrap : seal.wraps) EXPECT_FALSE(Contains(redacted, wrap));
  }
  auto seals = sealed.seals;
  for (auto& seal : seals) seal.wraps.clear();
  EXPECT_EQ(ToHex(redacted), ToHex(proto::EncodeRecord(header_bytes, seals)));
  const auto back = Remains<ledger::Record>(Kind::kRecord, payload).payload;
  EXPECT_EQ(back.header_bytes, header_bytes);
  EXPECT_EQ(back.ctx, crypto::TupleHash("record", {header_bytes}));
  ASSERT_EQ(back.portions.size(), 2U);
  EXPECT_EQ(back.portions[1].body_root, sealed.seals[1].body_root);
  EXPECT_EQ(back.portions[1].body_length, sealed.seals[1].body_length);
}

TEST(Redacted, OfAGrantTheWrapsAreGoneAndAllElseStays) {
  Sample sample(121);
  const auto grant = SomeGrant(sample).grant;
  const auto payload = proto::EncodeGrant(grant);
  const auto redacted = proto::RedactPayload(Kind::kGrant, payload).value();
  for (const auto& wraps : grant.wraps) {
    for (const auto& wrap : wraps) EXPECT_FALSE(Contains(redacted, wrap));
  }
  const auto back = Remains<ledger::Grant>(Kind::kGrant, payload);
  EXPECT_EQ(back.header_bytes, grant.header_bytes);
  EXPECT_EQ(back.ctx, grant.ctx);
  EXPECT_EQ(back.record, grant.record);
  EXPECT_EQ(back.request, grant.request);
  EXPECT_EQ(back.wraps, std::vector<std::vector<Bytes>>(2));
}

TEST(Redacted, OfEveryOtherKindTheTextsAreReplacedAndAllElseStays) {
  Sample sample(122);
  const std::string secret = "Juana Pérez", erased(proto::kErasedText);
  auto expect = [&](Kind kind, const Bytes& said, const Bytes& left) {
    ASSERT_TRUE(Contains(said, AsBytes(secret))) << NameOf(kind);
    const auto redacted = proto::RedactPayload(kind, said);
    ASSERT_TRUE(redacted) << NameOf(kind);
    EXPECT_EQ(ToHex(*redacted), ToHex(left)) << NameOf(kind);
    EXPECT_TRUE(proto::DecodeRedacted(kind, *redacted)) << NameOf(kind);
  };
  auto open = sample.Open();
  open.case_reference = open.emergency = secret;
  auto open_left = open;
  open_left.case_reference = open_left.emergency = erased;
  expect(Kind::kOpen, proto::EncodeOpen(open), proto::EncodeOpen(open_left));

  auto request = SomeAccessRequest(sample);
  request.case_reference = request.why = secret;
  auto request_left = request;
  request_left.case_reference = request_left.why = erased;
  expect(Kind::kAccessRequest, proto::EncodeAccessRequest(request), proto::EncodeAccessRequest(request_left));

  auto order = SomeStandingOrder(sample);
  order.case_reference = secret;
  auto order_left = order;
  order_left.case_reference = erased;
  expect(Kind::kStandingOrder, proto::EncodeStandingOrder(order), proto::EncodeStandingOrder(order_left));

  auto why = [&](Kind kind, auto said, auto encode) {
    said.why = secret;
    auto left = said;
    left.why = erased;
    expect(kind, encode(said), encode(left));
  };
  why(Kind::kRevocation, sample.Revocation(), proto::EncodeRevocation);
  why(Kind::kApproval, SomeApproval(sample), proto::EncodeApproval);
  why(Kind::kReview, SomeReview(sample), proto::EncodeReview);
  why(Kind::kAnswer, SomeAnswer(sample), proto::EncodeAnswer);
  why(Kind::kPurge, SomePurge(sample), proto::EncodePurge);
  why(Kind::kLookup, SomeLookup(sample), proto::EncodeLookup);
}

// A policy that asks for a case reference was answered, or was not: a replay of the decision must find the same.
TEST(Redacted, ATextThatSaidNothingStaysAsItWas) {
  Sample sample(123);
  auto open = sample.Open();
  open.case_reference = "  ";
  auto back = Remains<ledger::Open>(Kind::kOpen, proto::EncodeOpen(open));
  EXPECT_EQ(back.case_reference, "  ");
  EXPECT_EQ(back.emergency, proto::kErasedText);
  open.case_reference.clear();
  back = Remains<ledger::Open>(Kind::kOpen, proto::EncodeOpen(open));
  EXPECT_EQ(back.case_reference, "");
}

TEST(Redacted, WhatHasNothingToEraseIsRefused) {
  Sample sample(124);
  for (const auto& [kind, payload] : EveryPayload(sample)) {
    const bool has = kind == Kind::kRecord || kind == Kind::kGrant || kind == Kind::kOpen ||
                     kind == Kind::kRevocation || kind == Kind::kApproval || kind == Kind::kReview ||
                     kind == Kind::kAccessRequest || kind == Kind::kAnswer || kind == Kind::kStandingOrder ||
                     kind == Kind::kPurge || kind == Kind::kLookup;
    const auto redacted = proto::RedactPayload(kind, payload);
    ASSERT_EQ(redacted.has_value(), has) << NameOf(kind);
    if (has) {
      EXPECT_NE(ToHex(*redacted), ToHex(payload)) << NameOf(kind);
    } else {
      EXPECT_EQ(redacted.error().reason, Reason::kMalformed) << NameOf(kind);
    }
    EXPECT_FALSE(proto::DecodeRedacted(kind, payload)) << NameOf(kind) << ": whole, nothing of it was erased";
  }
  auto open = sample.Open();
  open.case_reference.clear();
  open.emergency = " ";
  const auto silent = proto::EncodeOpen(open);
  ASSERT_FALSE(proto::RedactPayload(Kind::kOpen, silent));
  EXPECT_EQ(proto::RedactPayload(Kind::kOpen, silent).error().reason, Reason::kMalformed);
  EXPECT_FALSE(proto::DecodeRedacted(Kind::kOpen, silent));
}

TEST(Redacted, WhatIsNoPayloadOfTheKindIsRefused) {
  Sample sample(125);
  const auto open = proto::EncodeOpen(sample.Open());
  EXPECT_FALSE(proto::RedactPayload(Kind::kRevocation, open));
  EXPECT_FALSE(proto::RedactPayload(Kind::kRecord, open));
  EXPECT_FALSE(proto::RedactPayload(Kind::kOpen, {}));
  const auto once = proto::RedactPayload(Kind::kRecord, sample.RecordBytes()).value();
  EXPECT_FALSE(proto::RedactPayload(Kind::kRecord, once)) << "erased twice";
}

TEST(Redacted, WhatIsErasedInPartIsNotTheForm) {
  Sample sample(126);
  auto sealed = sample.Sealed();
  const auto header_bytes = proto::EncodeHeader(sealed.header);
  auto record = [&] { return proto::DecodeRedacted(Kind::kRecord, proto::EncodeRecord(header_bytes, sealed.seals)); };
  sealed.seals[0].wraps.clear();
  EXPECT_FALSE(record()) << "one portion's wraps";
  sealed.seals[1].wraps.pop_back();
  EXPECT_FALSE(record()) << "one wrap left";
  sealed.seals[1].wraps.clear();
  EXPECT_TRUE(record());
  sealed.seals[1].body_length = 1;
  EXPECT_FALSE(record()) << "a length of no body";
  sealed.seals.pop_back();
  EXPECT_FALSE(record()) << "a seal too few";

  auto grant = SomeGrant(sample).grant;
  grant.wraps[0].clear();
  EXPECT_FALSE(proto::DecodeRedacted(Kind::kGrant, proto::EncodeGrant(grant)));
  grant.wraps = {{}};
  EXPECT_FALSE(proto::DecodeRedacted(Kind::kGrant, proto::EncodeGrant(grant))) << "a seal too few";
  grant.wraps = {{}, {}};
  EXPECT_TRUE(proto::DecodeRedacted(Kind::kGrant, proto::EncodeGrant(grant)));

  auto open = sample.Open();
  open.case_reference = proto::kErasedText;
  EXPECT_FALSE(proto::DecodeRedacted(Kind::kOpen, proto::EncodeOpen(open))) << "one of two texts";
}

TEST(Redacted, ARecordWithoutItsWrapsIsNoRecord) {
  Sample sample(127);
  const auto record = proto::RedactPayload(Kind::kRecord, sample.RecordBytes()).value();
  const auto grant = proto::RedactPayload(Kind::kGrant, proto::EncodeGrant(SomeGrant(sample).grant)).value();
  EXPECT_FALSE(proto::DecodePayload(Kind::kRecord, record));
  EXPECT_FALSE(proto::DecodePayload(Kind::kGrant, grant));
}

TEST(ErasedStatement, KeepsTheDigestOfTheOriginal) {
  Sample sample(128);
  const auto whole = sample.Entry();
  const auto entry = Erase(sample, whole).entry;
  const auto statement = proto::MakeErasedStatement(*entry.envelope, entry.head->statement, entry.attachments).value();
  EXPECT_EQ(statement.kind, Kind::kRecord);
  EXPECT_EQ(statement.digest, whole.head->statement);
  EXPECT_EQ(std::get<ledger::Record>(statement.payload).policies.size(), 2U);
  EXPECT_FALSE(proto::MakeStatement(*entry.envelope, entry.attachments)) << "it is none that anybody signed";
  EXPECT_FALSE(proto::MakeErasedStatement(*whole.envelope, whole.head->statement)) << "nothing of it was erased";
  auto unknown = *entry.envelope;
  unknown.payload_type = "application/vnd.valija.gift.v1";
  EXPECT_EQ(proto::MakeErasedStatement(unknown, whole.head->statement).error().reason, Reason::kUnknownType);
}

proto::LoggedEntry SomeErasable(Sample& sample, Kind kind) {
  for (const auto& [each, payload] : EveryPayload(sample)) {
    if (each == kind) return sample.EntryOf(sample.Direct(kind, payload));
  }
  throw std::logic_error("no such kind");
}
void ExpectBadProof(const Status& status, const std::string& about) {
  ASSERT_FALSE(status) << about;
  EXPECT_EQ(status.error().reason, Reason::kBadProof);
  EXPECT_NE(status.error().detail.find(about), std::string::npos) << status.error().detail;
}

TEST(ErasedEntry, ComesBackAndHoldsWithItsPurge) {
  Sample sample(129);
  for (auto kind : {Kind::kRecord, Kind::kGrant, Kind::kOpen, Kind::kRevocation, Kind::kApproval, Kind::kReview,
                    Kind::kAccessRequest, Kind::kAnswer, Kind::kStandingOrder, Kind::kPurge, Kind::kLookup}) {
    const auto whole = kind == Kind::kRecord ? sample.Entry() : SomeErasable(sample, kind);
    const auto erased = Erase(sample, whole);
    const auto back = proto::DecodeLoggedEntry(proto::EncodeLoggedEntry(erased.entry));
    ASSERT_TRUE(back) << NameOf(kind) << back.error().Message();
    EXPECT_EQ(back->erased_by, whole.head->index + 1);
    EXPECT_EQ(back->envelope->payload, erased.entry.envelope->payload);
    EXPECT_TRUE(proto::CheckLoggedEntry(*back)) << NameOf(kind);
    EXPECT_TRUE(proto::CheckErasure(*back, whole.head->index + 1, erased.purge)) << NameOf(kind);
  }
}

TEST(ErasedEntry, HasNeitherSignaturesNorABatch) {
  Sample sample(130);
  const auto whole = sample.Entry();
  auto entry = Erase(sample, whole).entry;
  entry.envelope->batch = whole.envelope->batch;
  EXPECT_FALSE(proto::DecodeLoggedEntry(proto::EncodeLoggedEntry(entry)));
  ExpectBadProof(proto::CheckLoggedEntry(entry), "signatures");
  entry.envelope->batch.reset();
  entry.erased_by.reset();
  EXPECT_FALSE(proto::DecodeLoggedEntry(proto::EncodeLoggedEntry(entry))) << "not said to be erased";
  ExpectBadProof(proto::CheckLoggedEntry(entry), "the statement is not");
}

TEST(ErasedEntry, IsRefusedWhenItsPartsDoNotHoldTogether) {
  Sample sample(131);
  const auto whole = sample.Entry();
  const auto good = Erase(sample, whole).entry;
  ASSERT_TRUE(proto::CheckLoggedEntry(good));
  auto entry = good;
  entry.erased_by = entry.head->index;
  ExpectBadProof(proto::CheckLoggedEntry(entry), "not a later one");
  entry = good;
  entry.envelope->payload = whole.envelope->payload;
  ExpectBadProof(proto::CheckLoggedEntry(entry), "the erased record");
  entry = good;
  entry.envelope->payload_type = ledger::PayloadType(Kind::kOpen);
  ExpectBadProof(proto::CheckLoggedEntry(entry), "the erased open");
  entry = good;
  entry.envelope->payload_type = "application/json";
  ExpectBadProof(proto::CheckLoggedEntry(entry), "not known");
  entry = good;
  entry.attachments.slips[0].salt.bytes[0] ^= 1;
  ExpectBadProof(proto::CheckLoggedEntry(entry), "a slip");
  entry = good;
  entry.attachments = {};
  entry.envelope.reset();
  ExpectBadProof(proto::CheckLoggedEntry(entry), "without what stays");
  entry = good;
  ++entry.head->index;
  ExpectBadProof(proto::CheckLoggedEntry(entry), "commitment");
  entry = good;
  entry.decision_bytes.back() ^= 1;
  ExpectBadProof(proto::CheckLoggedEntry(entry), "the decision is not");
  proto::LoggedEntry bare;
  bare.commitment = good.commitment;
  bare.erased_by = good.erased_by;
  ExpectBadProof(proto::CheckLoggedEntry(bare), "head and salt");
}

TEST(ErasedEntry, IsRefusedWhenThePurgeSaysSomethingElse) {
  Sample sample(132);
  const auto whole = SomeErasable(sample, Kind::kOpen);
  const auto good = Erase(sample, whole);
  const auto index = *good.entry.erased_by;
  ExpectBadProof(proto::CheckErasure(good.entry, index + 1, good.purge), "not one that this purge erased");
  ExpectBadProof(proto::CheckErasure(whole, index, good.purge), "not one that this purge erased");
  ExpectBadProof(proto::CheckErasure(good.entry, index, SomePurge(sample)), "does not name the statement");
  // Another open, erased as rightly: all that this entry's own parts can say holds, and the purge tells them apart.
  auto swapped = good.entry;
  swapped.envelope->payload = Erase(sample, SomeErasable(sample, Kind::kOpen)).entry.envelope->payload;
  ASSERT_TRUE(proto::CheckLoggedEntry(swapped));
  ExpectBadProof(proto::CheckErasure(swapped, index, good.purge), "not what the purge says");
}

}  // namespace
}  // namespace valija::test
