// Of the statements of a record's later life, each field is read into its own place.
#include <gtest/gtest.h>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

using ledger::Kind;

TEST(RoundTripOfLife, PutsEachFieldOfACharterAmendmentInItsPlace) {
  Sample sample(90);
  const auto amendment = SomeCharterAmendment(sample);
  const auto bytes = proto::EncodeCharterAmendment(amendment);
  const auto back = Decoded<ledger::CharterAmendment>(Kind::kCharterAmendment, bytes);
  EXPECT_EQ(back.previous, amendment.previous);
  EXPECT_EQ(proto::EncodeCharter(back.charter), proto::EncodeCharter(amendment.charter));
  const auto wire = ParsedAs<v1::CharterAmendment>(bytes);
  EXPECT_EQ(wire.charter().SerializeAsString(), ToString(proto::EncodeCharter(amendment.charter)));
}

TEST(RoundTripOfLife, PutsEachFieldOfAGrantInItsPlace) {
  Sample sample(91);
  auto grant = SomeGrant(sample).grant;
  const auto back = Decoded<ledger::Grant>(Kind::kGrant, proto::EncodeGrant(grant));
  EXPECT_EQ(back.header_bytes, grant.header_bytes);
  EXPECT_EQ(back.ctx, crypto::TupleHash("record", {grant.header_bytes}));
  ASSERT_EQ(back.header.portions.size(), 2U);
  EXPECT_EQ(back.header.portions[0].number, 1U);
  EXPECT_EQ(back.header.portions[1].number, 4U);
  EXPECT_EQ(back.header.originator, grant.header.originator);
  EXPECT_EQ(back.record, grant.record);
  EXPECT_EQ(back.wraps, grant.wraps);
  EXPECT_EQ(back.request, grant.request);
  EXPECT_TRUE(back.policies.empty());
  grant.request.reset();
  EXPECT_FALSE(Decoded<ledger::Grant>(Kind::kGrant, proto::EncodeGrant(grant)).request);
}

TEST(RoundTripOfLife, PutsEachFieldOfAnAmendmentInItsPlace) {
  Sample sample(92);
  const auto amendment = SomeAmendment(sample).amendment;
  const auto back = Decoded<ledger::Amendment>(Kind::kAmendment, proto::EncodeAmendment(amendment));
  EXPECT_EQ(back.by.author, amendment.by.author);
  EXPECT_EQ(back.by.nonce, amendment.by.nonce);
  EXPECT_EQ(back.record, amendment.record);
  EXPECT_EQ(back.portion, amendment.portion);
  EXPECT_EQ(back.previous, amendment.previous);
  EXPECT_EQ(back.sequence, amendment.sequence);
  EXPECT_EQ(back.policy_digest, amendment.policy_digest);
  EXPECT_FALSE(back.policy);
}

TEST(RoundTripOfLife, PutsEachFieldOfApprovalAndReviewInItsPlace) {
  Sample sample(93);
  auto approval = SomeApproval(sample);
  for (auto verdict :
       {ledger::ApprovalVerdict::kApprove, ledger::ApprovalVerdict::kReject, ledger::ApprovalVerdict::kWithdraw}) {
    approval.verdict = verdict;
    const auto bytes = proto::EncodeApproval(approval);
    const auto back = Decoded<ledger::Approval>(Kind::kApproval, bytes);
    EXPECT_EQ(back.by.author, approval.by.author);
    EXPECT_EQ(back.request, approval.request);
    EXPECT_EQ(back.verdict, verdict);
    EXPECT_EQ(back.why, approval.why);
    EXPECT_EQ(ParsedAs<v1::Approval>(bytes).verdict(), static_cast<std::uint32_t>(verdict));
  }
  auto review = SomeReview(sample);
  for (auto finding : {ledger::Finding::kJustified, ledger::Finding::kNotJustified}) {
    review.finding = finding;
    const auto back = Decoded<ledger::Review>(Kind::kReview, proto::EncodeReview(review));
    EXPECT_EQ(back.by.author, review.by.author);
    EXPECT_EQ(back.request, review.request);
    EXPECT_EQ(back.finding, finding);
    EXPECT_EQ(back.why, review.why);
  }
}

TEST(RoundTripOfLife, PutsEachFieldOfAnAccessRequestAndItsAnswerInItsPlace) {
  Sample sample(94);
  for (auto wish : {ledger::Wish::kOpen, ledger::Wish::kOnward, ledger::Wish::kMarkLess}) {
    const auto request = SomeAccessRequest(sample, wish);
    const auto back = Decoded<ledger::AccessRequest>(Kind::kAccessRequest, proto::EncodeAccessRequest(request));
    EXPECT_EQ(back.by.author, request.by.author);
    EXPECT_EQ(back.record, request.record);
    EXPECT_EQ(back.portions, request.portions);
    EXPECT_EQ(back.wish, wish);
    EXPECT_EQ(back.agency, request.agency);
    EXPECT_EQ(back.marking, request.marking);
    EXPECT_EQ(back.purpose, request.purpose);
    EXPECT_EQ(back.case_reference, request.case_reference);
    EXPECT_EQ(back.why, request.why);
  }
  auto answer = SomeAnswer(sample);
  const auto back = Decoded<ledger::Answer>(Kind::kAnswer, proto::EncodeAnswer(answer));
  EXPECT_EQ(back.by.author, answer.by.author);
  EXPECT_EQ(back.request, answer.request);
  EXPECT_EQ(back.marking, answer.marking);
  EXPECT_EQ(back.why, answer.why);
  answer.marking.reset();
  EXPECT_FALSE(Decoded<ledger::Answer>(Kind::kAnswer, proto::EncodeAnswer(answer)).marking) << "declined";
}

TEST(RoundTripOfLife, PutsEachFieldOfAStandingOrderAndAnOpeningUnderItInItsPlace) {
  Sample sample(95);
  const auto order = SomeStandingOrder(sample);
  const auto back = Decoded<ledger::StandingOrder>(Kind::kStandingOrder, proto::EncodeStandingOrder(order));
  EXPECT_EQ(back.by.author, order.by.author);
  EXPECT_EQ(back.agency, order.agency);
  EXPECT_EQ(back.purpose, order.purpose);
  EXPECT_EQ(back.case_reference, order.case_reference);
  EXPECT_EQ(back.reply_key, order.reply_key);
  EXPECT_EQ(back.expires, order.expires);
  const auto opening = SomeStandingOpening(sample);
  const auto opened = Decoded<ledger::StandingOpening>(Kind::kStandingOpening, proto::EncodeStandingOpening(opening));
  EXPECT_EQ(opened.order, opening.order);
  EXPECT_EQ(opened.record, opening.record);
  EXPECT_EQ(opened.portions, opening.portions);
}

TEST(RoundTripOfLife, PutsEachFieldOfAPurgeInItsPlace) {
  Sample sample(96);
  const auto purge = SomePurge(sample);
  const auto back = Decoded<ledger::Purge>(Kind::kPurge, proto::EncodePurge(purge));
  EXPECT_EQ(back.by.author, purge.by.author);
  EXPECT_EQ(back.why, purge.why);
  ASSERT_EQ(back.erasures.size(), 3U);
  EXPECT_EQ(back.erasures[2].statement, purge.erasures[2].statement);
  EXPECT_EQ(back.erasures[2].redacted, purge.erasures[2].redacted);
}

}  // namespace
}  // namespace valija::test
