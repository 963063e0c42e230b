// The rules of the statements of a record's later life, one by one: what is against them is refused.
#include <gtest/gtest.h>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

using ledger::Kind;

const std::string kTooLong(201, 'x');

Status Read(Kind kind, ByteView bytes) {
  TRY_OK(proto::DecodePayload(kind, bytes));
  return Ok();
}
void ExpectRefused(const Status& status, Reason reason, const std::string& what) {
  ASSERT_FALSE(status) << what;
  EXPECT_EQ(status.error().reason, reason) << what << ": " << status.error().Message();
}
void ExpectMalformed(const Status& status, const std::string& what) { ExpectRefused(status, Reason::kMalformed, what); }

// What the change makes of a good one.
template <class Change>
Status Grant(Change change) {
  Sample sample(100);
  auto grant = SomeGrant(sample).grant;
  change(grant);
  grant.header_bytes = proto::EncodeHeader(grant.header);
  return Read(Kind::kGrant, proto::EncodeGrant(grant));
}
template <class Change>
Status AccessRequest(ledger::Wish wish, Change change) {
  Sample sample(101);
  auto request = SomeAccessRequest(sample, wish);
  change(request);
  return Read(Kind::kAccessRequest, proto::EncodeAccessRequest(request));
}
template <class Change>
Status Purge(Change change) {
  Sample sample(102);
  auto purge = SomePurge(sample);
  change(purge);
  return Read(Kind::kPurge, proto::EncodePurge(purge));
}
template <class M, class Change>
Status OnTheWire(Kind kind, ByteView bytes, Change change) {
  auto message = ParsedAs<M>(bytes);
  change(message);
  return Read(kind, AsBytes(message.SerializeAsString()));
}

TEST(GrantRules, PortionsKeepTheNumbersOfTheOriginalAscending) {
  EXPECT_TRUE(Grant([](auto&) {}));
  EXPECT_TRUE(Grant([](auto& g) { g.header.portions[0].number = 0, g.header.portions[1].number = 63; }));
  ExpectRefused(Grant([](auto& g) { g.header.portions[1].number = 1; }), Reason::kBadHeader, "a number twice");
  ExpectRefused(Grant([](auto& g) { g.header.portions[0].number = 5; }), Reason::kBadHeader, "descending");
  ExpectRefused(Grant([](auto& g) { g.header.portions[1].number = 64; }), Reason::kBadHeader, "no such number");
}

TEST(GrantRules, AHeaderIsOfARecordOrOfAGrantAndIsTakenForNoOther) {
  Sample sample(103);
  const auto grant = SomeGrant(sample).grant;
  const auto sealed = sample.Sealed();
  EXPECT_TRUE(proto::DecodeHeader(grant.header_bytes, record::HeaderOf::kGrant));
  EXPECT_FALSE(proto::DecodeHeader(grant.header_bytes));
  EXPECT_FALSE(proto::DecodeHeader(proto::EncodeHeader(sealed.header), record::HeaderOf::kGrant));
  EXPECT_FALSE(Read(Kind::kRecord, proto::EncodeRecord(grant.header_bytes, sealed.seals)));
}

TEST(GrantRules, AHeaderAsksAnswersAndDerivesFromNothing) {
  Sample sample(104);
  ExpectRefused(Grant([&](auto& g) { g.header.in_reply_to = sample.Some<Digest>(); }), Reason::kBadHeader, "a reply");
  ExpectRefused(Grant([](auto& g) { g.header.urgency = record::Urgency::kNormal; }), Reason::kBadHeader, "a request");
  ExpectRefused(Grant([&](auto& g) { g.header.sources = {sample.Some<Digest>()}; }), Reason::kBadHeader, "derived");
}

TEST(GrantRules, ThereIsASealPerPortionAndAWrapPerRecipient) {
  ExpectRefused(Grant([](auto& g) { g.wraps.pop_back(); }), Reason::kBadHeader, "a seal too few");
  ExpectRefused(Grant([](auto& g) { g.wraps.push_back(g.wraps[0]); }), Reason::kBadHeader, "a seal too many");
  ExpectRefused(Grant([](auto& g) { g.wraps[0].pop_back(); }), Reason::kBadHeader, "a wrap too few");
  ExpectRefused(Grant([](auto& g) { g.wraps[0].clear(); }), Reason::kBadHeader, "no wraps");
  ExpectMalformed(Grant([](auto& g) { g.wraps[0][0].pop_back(); }), "a wrap of 47 bytes");
}

TEST(GrantRules, TheOriginalAndTheRequestAreDigests) {
  Sample sample(105);
  const auto bytes = proto::EncodeGrant(SomeGrant(sample).grant);
  auto change = [&](auto how) { return OnTheWire<v1::Grant>(Kind::kGrant, bytes, how); };
  EXPECT_TRUE(change([](auto& g) { g.clear_request(); }));
  ExpectMalformed(change([](auto& g) { g.mutable_request()->pop_back(); }), "31 bytes");
  ExpectMalformed(change([](auto& g) { g.mutable_record()->push_back('x'); }), "33 bytes");
}

TEST(AmendmentRules, SequencesBeginAtOneAndDigestsAreWhole) {
  Sample sample(106);
  auto amendment = SomeAmendment(sample).amendment;
  const auto bytes = proto::EncodeAmendment(amendment);
  auto change = [&](auto how) { return OnTheWire<v1::Amendment>(Kind::kAmendment, bytes, how); };
  EXPECT_TRUE(change([](auto& a) { a.set_portion(0); }));
  ExpectMalformed(change([](auto& a) { a.set_sequence(0); }), "sequence 0");
  ExpectMalformed(change([](auto& a) { a.mutable_record()->pop_back(); }), "record");
  ExpectMalformed(change([](auto& a) { a.mutable_previous()->pop_back(); }), "previous");
  ExpectMalformed(change([](auto& a) { a.mutable_policy_digest()->push_back('x'); }), "policy");
  ExpectMalformed(change([](auto& a) { a.clear_by(); }), "nobody's");
}

TEST(ApprovalRules, OnlyAnApprovalNeedsNoReason) {
  Sample sample(107);
  auto approval = SomeApproval(sample);
  auto read = [&] { return Read(Kind::kApproval, proto::EncodeApproval(approval)); };
  approval.why.clear();
  approval.verdict = ledger::ApprovalVerdict::kApprove;
  EXPECT_TRUE(read());
  approval.verdict = ledger::ApprovalVerdict::kReject;
  ExpectMalformed(read(), "rejected without a reason");
  approval.verdict = ledger::ApprovalVerdict::kWithdraw;
  ExpectMalformed(read(), "withdrawn without a reason");
  approval.why = "two\nlines";
  ExpectMalformed(read(), "two lines");
  approval.why = kTooLong;
  ExpectMalformed(read(), "too long");
}

TEST(ApprovalRules, VerdictsAndFindingsAreKnown) {
  Sample sample(108);
  const auto approval = proto::EncodeApproval(SomeApproval(sample));
  const auto review = proto::EncodeReview(SomeReview(sample));
  for (std::uint32_t bad : {0U, 4U, 257U}) {
    ExpectMalformed(OnTheWire<v1::Approval>(Kind::kApproval, approval, [&](auto& a) { a.set_verdict(bad); }),
                    std::to_string(bad));
  }
  for (std::uint32_t bad : {0U, 3U, 257U}) {
    ExpectMalformed(OnTheWire<v1::Review>(Kind::kReview, review, [&](auto& r) { r.set_finding(bad); }),
                    std::to_string(bad));
  }
}

TEST(ReviewRules, AReviewSaysWhy) {
  Sample sample(109);
  auto review = SomeReview(sample);
  for (const auto& bad : {std::string(), kTooLong, std::string("a\rb")}) {
    review.why = bad;
    ExpectMalformed(Read(Kind::kReview, proto::EncodeReview(review)), bad);
  }
}

TEST(AccessRequestRules, WhatIsWishedSaysForWhomAndWithWhichMarking) {
  using ledger::Wish;
  const auto other = *AgencyId::Parse("gt.pnc");
  for (auto wish : {Wish::kOpen, Wish::kOnward, Wish::kMarkLess}) EXPECT_TRUE(AccessRequest(wish, [](auto&) {}));
  ExpectMalformed(AccessRequest(Wish::kOpen, [&](auto& r) { r.agency = other; }), "for another agency");
  ExpectMalformed(AccessRequest(Wish::kMarkLess, [&](auto& r) { r.agency = other; }), "for another agency");
  ExpectMalformed(AccessRequest(Wish::kOnward, [](auto& r) { r.agency = r.by.author.agency(); }), "onward to oneself");
  ExpectMalformed(AccessRequest(Wish::kOpen, [](auto& r) { r.marking = policy::Tlp::kGreen; }), "a marking");
  ExpectMalformed(AccessRequest(Wish::kOnward, [](auto& r) { r.marking = policy::Tlp::kGreen; }), "a marking");
  ExpectMalformed(AccessRequest(Wish::kMarkLess, [](auto& r) { r.marking.reset(); }), "no marking");
  ExpectMalformed(AccessRequest(Wish::kMarkLess, [](auto& r) { r.marking = policy::Tlp{6}; }), "marking 6");
  ExpectMalformed(AccessRequest(Wish{0}, [](auto&) {}), "wish 0");
  ExpectMalformed(AccessRequest(Wish{4}, [](auto&) {}), "wish 4");
}

TEST(AccessRequestRules, PortionsAscendAndTextsAreTexts) {
  const auto wish = ledger::Wish::kOpen;
  EXPECT_TRUE(AccessRequest(wish, [](auto& r) { r.portions.clear(); })) << "all of them";
  EXPECT_TRUE(AccessRequest(wish, [](auto& r) { r.portions = {63}; }));
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.portions = {64}; }), "no such number");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.portions = {1, 0}; }), "descending");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.portions = {2, 2}; }), "twice");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.purpose.clear(); }), "no purpose");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.purpose = "Any Purpose"; }), "no label");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.why.clear(); }), "no reason");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.why = kTooLong; }), "too long");
  ExpectMalformed(AccessRequest(wish, [](auto& r) { r.case_reference = "\x1b[2J"; }), "an escape");
}

TEST(AnswerRules, AMarkingIsKnownAndTheReasonMayBeAbsent) {
  Sample sample(110);
  auto answer = SomeAnswer(sample);
  answer.why.clear();
  EXPECT_TRUE(Read(Kind::kAnswer, proto::EncodeAnswer(answer)));
  answer.why = kTooLong;
  ExpectMalformed(Read(Kind::kAnswer, proto::EncodeAnswer(answer)), "too long");
  answer.why = "ok";
  answer.marking = policy::Tlp{6};
  ExpectMalformed(Read(Kind::kAnswer, proto::EncodeAnswer(answer)), "marking 6");
}

TEST(StandingOrderRules, AnOrderIsForItsAuthorsAgencyWithAPurposeAndAnEnd) {
  Sample sample(111);
  const auto good = SomeStandingOrder(sample);
  auto read = [](const ledger::StandingOrder& order) {
    return Read(Kind::kStandingOrder, proto::EncodeStandingOrder(order));
  };
  auto bad = good;
  bad.agency = *AgencyId::Parse("gt.pnc");
  ExpectMalformed(read(bad), "for another agency");
  bad = good;
  bad.purpose.clear();
  ExpectMalformed(read(bad), "no purpose");
  bad = good;
  bad.case_reference = kTooLong;
  ExpectMalformed(read(bad), "too long");
  bad = good;
  bad.reply_key.bytes[0] = 0x02;
  ExpectMalformed(read(bad), "a compressed key");
  bad = good;
  bad.expires = FromMillis(0);
  ExpectMalformed(read(bad), "no end");
  bad = good;
  bad.case_reference.clear();
  EXPECT_TRUE(read(bad));
}

TEST(StandingOrderRules, AnOpeningIsOfPortionsAscending) {
  Sample sample(112);
  auto opening = SomeStandingOpening(sample);
  for (const auto& bad : {std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{2, 1},
                          std::vector<std::uint32_t>{1, 1}, std::vector<std::uint32_t>{0, 64}}) {
    opening.portions = bad;
    ExpectMalformed(Read(Kind::kStandingOpening, proto::EncodeStandingOpening(opening)),
                    std::to_string(bad.size()) + " portions");
  }
}

TEST(PurgeRules, ErasuresAreOneTo256AscendingAndThePurgeSaysWhy) {
  EXPECT_TRUE(Purge([](auto&) {}));
  ExpectMalformed(Purge([](auto& p) { p.erasures.clear(); }), "nothing");
  ExpectMalformed(Purge([](auto& p) { std::swap(p.erasures[0], p.erasures[1]); }), "descending");
  ExpectMalformed(Purge([](auto& p) { p.erasures[1].statement = p.erasures[0].statement; }), "twice");
  ExpectMalformed(Purge([](auto& p) { p.why.clear(); }), "no reason");
  ExpectMalformed(Purge([](auto& p) { p.why = kTooLong; }), "too long");
  auto many = [](std::size_t count) {
    return Purge([count](auto& p) {
      Sample sample(113);
      p.erasures.clear();
      for (const auto& statement : sample.Ascending<Digest>(count)) p.erasures.push_back({statement, {}});
    });
  };
  EXPECT_TRUE(many(256));
  ExpectMalformed(many(257), "too many");
  Sample sample(114);
  const auto bytes = proto::EncodePurge(SomePurge(sample));
  ExpectMalformed(
      OnTheWire<v1::Purge>(Kind::kPurge, bytes, [](auto& p) { p.mutable_erasures(0)->mutable_redacted()->pop_back(); }),
      "a hash of 31 bytes");
}

TEST(CharterAmendmentRules, TheCharterIsThereAndTheOneBeforeIsNamed) {
  Sample sample(115);
  const auto bytes = proto::EncodeCharterAmendment(SomeCharterAmendment(sample));
  auto change = [&](auto how) { return OnTheWire<v1::CharterAmendment>(Kind::kCharterAmendment, bytes, how); };
  ExpectMalformed(change([](auto& a) { a.clear_charter(); }), "no charter");
  ExpectMalformed(change([](auto& a) { a.clear_previous(); }), "no previous");
  ExpectMalformed(change([](auto& a) { a.mutable_previous()->pop_back(); }), "31 bytes");
}

}  // namespace
}  // namespace valija::test
