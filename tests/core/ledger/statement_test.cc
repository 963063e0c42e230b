#include "core/ledger/statement.h"

#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

constexpr Kind kAllKinds[] = {
    Kind::kCharter,       Kind::kEnrolment,       Kind::kEpoch,         Kind::kRecord,
    Kind::kOpen,          Kind::kAcknowledgement, Kind::kRevocation,    Kind::kCharterAmendment,
    Kind::kGrant,         Kind::kAmendment,       Kind::kApproval,      Kind::kReview,
    Kind::kAccessRequest, Kind::kAnswer,          Kind::kStandingOrder, Kind::kStandingOpening,
    Kind::kPurge,         Kind::kLookup};

class StatementTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  Statement Revoke() { return Unsigned(Kind::kRevocation, Revocation{By(ana), Digest{}, "an error"}); }
  Statement AskFor() { return Unsigned(Kind::kOpen, Open(ana, {{Digest{}, 0, KeyId{}}})); }

  static Reason Refused(Statement statement, const crypto::VerifyKey& key) {
    auto verified = VerifyStatement(std::move(statement), key);
    return verified ? Reason::kInternal : verified.error().reason;
  }
};

TEST(Kinds, HaveTheirPayloadTypesAndBack) {
  EXPECT_EQ(PayloadType(Kind::kAcknowledgement), "application/vnd.valija.acknowledgement.v1");
  EXPECT_EQ(NameOf(Kind::kOpen), "open");
  for (Kind kind : kAllKinds) EXPECT_EQ(KindFromPayloadType(PayloadType(kind)), kind);
  for (const char* other : {"", "record", "application/vnd.valija.record.v2", "application/vnd.valija.Record.v1",
                            "application/vnd.valija.batch.v1", "application/vnd.valija.decision.v1"})
    EXPECT_FALSE(KindFromPayloadType(other)) << other;
}

TEST(Kinds, AreBatchedIfRecordOrOpenAndElseNever) {
  for (Kind kind : kAllKinds) {
    EXPECT_EQ(MustBeBatched(kind), kind == Kind::kRecord || kind == Kind::kOpen) << NameOf(kind);
    EXPECT_EQ(MustBeBatched(kind), record::IsBatchedType(PayloadType(kind))) << NameOf(kind);
  }
}

TEST_F(StatementTest, KnowsWhoMadeARecordFromItsHeader) {
  auto draft = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  auto by = AuthorshipOf(draft.statement);
  ASSERT_TRUE(by);
  EXPECT_EQ(by->author, ana.id());
  EXPECT_EQ(by->key_id, ana.sign.id());
  EXPECT_EQ(by->origin, kOrigin);
  EXPECT_EQ(by->time, now);
  EXPECT_TRUE(Equal(by->nonce, draft.header().record_id.view().first(16)));
}

TEST_F(StatementTest, GivesACharterNoSingleAuthor) { EXPECT_FALSE(AuthorshipOf(SignedCharter(charter))); }

TEST_F(StatementTest, VerifiesWhatItsAuthorSigned) {
  EXPECT_TRUE(VerifyStatement(SignDirect(Revoke(), ana.sign), ana.sign.verify_key()));
  EXPECT_TRUE(VerifyStatement(SignBatch(AskFor(), ana.sign), ana.sign.verify_key()));
}

TEST_F(StatementTest, RefusesAnotherKeyThanThePayloadNames) {
  EXPECT_EQ(Refused(SignDirect(Revoke(), bob.sign), bob.sign.verify_key()), Reason::kBadSignature);
  EXPECT_EQ(Refused(SignBatch(AskFor(), bob.sign), bob.sign.verify_key()), Reason::kBadSignature);
  EXPECT_EQ(Refused(SignDirect(Revoke(), ana.sign), bob.sign.verify_key()), Reason::kBadSignature);
  EXPECT_EQ(Refused(SignDirect(Revoke(), bob.sign), ana.sign.verify_key()), Reason::kBadSignature);
  EXPECT_EQ(Refused(SignBatch(AskFor(), bob.sign), ana.sign.verify_key()), Reason::kBadBatch);
}

TEST_F(StatementTest, RefusesASignatureOverOtherBytes) {
  auto statement = SignDirect(Revoke(), ana.sign);
  statement.envelope.payload[0] ^= 1;
  EXPECT_EQ(Refused(statement, ana.sign.verify_key()), Reason::kBadSignature);
  statement.digest = crypto::DigestOf(statement.envelope.payload_type, statement.envelope.payload);
  EXPECT_EQ(Refused(statement, ana.sign.verify_key()), Reason::kBadSignature);

  auto batched = SignBatch(AskFor(), ana.sign);
  batched.envelope.payload[0] ^= 1;
  batched.digest = crypto::DigestOf(batched.envelope.payload_type, batched.envelope.payload);
  EXPECT_EQ(Refused(batched, ana.sign.verify_key()), Reason::kBadBatch);
}

TEST_F(StatementTest, RefusesADamagedSignature) {
  auto statement = SignDirect(Revoke(), ana.sign);
  statement.envelope.signatures[0].signature.bytes[40] ^= 1;
  EXPECT_EQ(Refused(statement, ana.sign.verify_key()), Reason::kBadSignature);
  auto batched = SignBatch(AskFor(), ana.sign);
  batched.envelope.batch->signature.bytes[40] ^= 1;
  EXPECT_EQ(Refused(batched, ana.sign.verify_key()), Reason::kBadBatch);
}

TEST_F(StatementTest, RefusesASignatureOfAnotherKindOverTheSameBytes) {
  auto statement = SignDirect(Revoke(), ana.sign);
  statement.envelope.payload_type = PayloadType(Kind::kAcknowledgement);  // its own signature does not hold, but first:
  EXPECT_EQ(Refused(statement, ana.sign.verify_key()), Reason::kBadSignature);
  statement.kind = Kind::kAcknowledgement;  // the parsed payload is still a revocation
  statement.digest = crypto::DigestOf(statement.envelope.payload_type, statement.envelope.payload);
  EXPECT_EQ(Refused(SignDirect(statement, ana.sign), ana.sign.verify_key()), Reason::kBadSignature);
  statement.envelope.signatures.clear();
  EXPECT_EQ(Refused(SignDirect(statement, ana.sign), ana.sign.verify_key()), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesANameThatIsNotItsDigest) {
  auto statement = SignDirect(Revoke(), ana.sign);
  statement.digest.bytes[0] ^= 1;
  EXPECT_EQ(Refused(statement, ana.sign.verify_key()), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesABatchedKindThatIsSignedDirectlyAndTheOtherWayRound) {
  EXPECT_EQ(Refused(SignDirect(AskFor(), ana.sign), ana.sign.verify_key()), Reason::kBadBatch);
  EXPECT_EQ(Refused(SignDirect(SignBatch(AskFor(), ana.sign), ana.sign), ana.sign.verify_key()), Reason::kBadBatch);
  EXPECT_EQ(Refused(SignBatch(Revoke(), ana.sign), ana.sign.verify_key()), Reason::kBadBatch);
  EXPECT_EQ(Refused(SignBatch(SignDirect(Revoke(), ana.sign), ana.sign), ana.sign.verify_key()), Reason::kBadBatch);
}

TEST_F(StatementTest, WantsExactlyOneSignatureAndItsKeyNamed) {
  EXPECT_EQ(Refused(Revoke(), ana.sign.verify_key()), Reason::kBadSignature);
  EXPECT_EQ(Refused(SignDirect(SignDirect(Revoke(), ana.sign), ana.sign), ana.sign.verify_key()),
            Reason::kBadSignature);
  auto statement = SignDirect(Revoke(), ana.sign);
  statement.envelope.signatures[0].key_id = bob.sign.id();
  EXPECT_EQ(Refused(statement, ana.sign.verify_key()), Reason::kBadSignature);
}

TEST_F(StatementTest, VerifiesEveryStatementOfABatchAndKeepsTheLastOne) {
  std::vector<Statement> statements;
  std::vector<Hash> leaves;
  for (int i = 0; i < 5; ++i) {
    statements.push_back(AskFor());
    leaves.push_back(record::StatementLeaf(statements[i].envelope.payload_type, statements[i].envelope.payload));
  }
  auto batch = record::SignBatch(ana.sign, leaves);
  std::optional<record::VerifiedBatch> last;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    statements[i].envelope.batch = BatchProof{batch.payload, batch.signature, i, batch.paths[i]};
    EXPECT_TRUE(VerifyStatement(statements[i], ana.sign.verify_key(), &last)) << i;
    ASSERT_TRUE(last);
    EXPECT_EQ(last->size(), 5U);
  }
  auto moved = statements[1];
  moved.envelope.batch->index = 2;
  EXPECT_EQ(VerifyStatement(moved, ana.sign.verify_key(), &last).error().reason, Reason::kBadBatch);
  auto longer = statements[1];
  longer.envelope.batch->path.push_back(Hash{});
  EXPECT_EQ(VerifyStatement(longer, ana.sign.verify_key(), &last).error().reason, Reason::kBadBatch);
  auto stranger = AskFor();  // not in the batch
  stranger.envelope.batch = statements[1].envelope.batch;
  EXPECT_EQ(VerifyStatement(stranger, ana.sign.verify_key(), &last).error().reason, Reason::kBadBatch);
  EXPECT_TRUE(VerifyStatement(statements[4], ana.sign.verify_key(), &last));
}

TEST_F(StatementTest, DoesNotTakeAKeptBatchForAnothersKey) {
  std::optional<record::VerifiedBatch> last;
  auto hers = SignBatch(AskFor(), ana.sign);
  ASSERT_TRUE(VerifyStatement(hers, ana.sign.verify_key(), &last));
  auto forged = Unsigned(Kind::kOpen, Open(bob, {{Digest{}, 0, KeyId{}}}));
  forged.envelope.payload = hers.envelope.payload;
  forged.digest = hers.digest;
  forged.envelope.batch = hers.envelope.batch;
  EXPECT_EQ(VerifyStatement(forged, bob.sign.verify_key(), &last).error().reason, Reason::kBadBatch);
}

TEST_F(StatementTest, RefusesASignedStandingOpeningAndOneInABatch) {
  const auto opening = Unsigned(Kind::kStandingOpening, StandingOpening{Digest{}, ana.id(), Digest{}, {0}});
  EXPECT_TRUE(VerifyStandingOpening(opening));
  EXPECT_EQ(VerifyStandingOpening(SignDirect(opening, ana.sign)).error().reason, Reason::kBadSignature);
  EXPECT_EQ(VerifyStandingOpening(SignBatch(opening, ana.sign)).error().reason, Reason::kBadSignature);
  EXPECT_EQ(VerifyStandingOpening(Revoke()).error().reason, Reason::kBadSignature);
  auto renamed = opening;
  renamed.digest.bytes[0] ^= 1;
  EXPECT_EQ(VerifyStandingOpening(renamed).error().reason, Reason::kBadSignature);
  // And nobody signs one as its author.
  EXPECT_EQ(Refused(SignDirect(opening, ana.sign), ana.sign.verify_key()), Reason::kBadSignature);
}

TEST_F(StatementTest, KnowsWhoMadeAGrantFromItsHeader) {
  auto grant = NewGrant(ana, Send({PolicyFor({"mx.fgr"})}), {{0, PolicyFor({"us.fbi"})}});
  auto by = AuthorshipOf(grant.statement);
  ASSERT_TRUE(by);
  EXPECT_EQ(by->author, ana.id());
  EXPECT_TRUE(Equal(by->nonce, grant.grant().header.record_id.view().first(16)));
}

// ---- the charter's signatures ----

Reason CharterRefused(Statement statement) {
  auto verified = VerifyCharter(std::move(statement));
  return verified ? Reason::kInternal : verified.error().reason;
}

TEST_F(StatementTest, TakesACharterThatEveryAgencySigned) { EXPECT_TRUE(VerifyCharter(SignedCharter(charter))); }

TEST_F(StatementTest, RefusesACharterThatAnAgencyDidNotSign) {
  auto statement = SignedCharter(charter);
  statement.envelope.signatures.pop_back();
  EXPECT_EQ(CharterRefused(statement), Reason::kBadSignature);
  statement.envelope.signatures.clear();
  EXPECT_EQ(CharterRefused(statement), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesACharterWithAStrangersSignature) {
  EXPECT_EQ(CharterRefused(SignDirect(SignedCharter(charter), ana.sign)), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesACharterThatAKeySignedTwice) {
  EXPECT_EQ(CharterRefused(SignDirect(SignedCharter(charter), people.at("us.dea/admin").sign)), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesACharterWithOneSignatureThatDoesNotHold) {
  auto statement = SignedCharter(charter);
  statement.envelope.signatures[2].signature.bytes[1] ^= 1;
  EXPECT_EQ(CharterRefused(statement), Reason::kBadSignature);
}

TEST_F(StatementTest, TakesTwoAdministratorsOfOneAgencyButNotForTwoAgencies) {
  auto two = charter;
  two.agencies[2].administrators.push_back(ana.record);
  two.agencies[2].administrators.back().administrator = true;
  EXPECT_TRUE(VerifyCharter(SignDirect(SignedCharter(two), ana.sign)));

  // An administrator of us.dea listed under gt.mp does not sign for gt.mp.
  auto foreign = charter;
  foreign.agencies[0].administrators = {ana.record};
  EXPECT_EQ(CharterRefused(SignedCharter(foreign)), Reason::kBadSignature);
}

TEST_F(StatementTest, DoesNotLetOneAgencyNameWhoSignsForAnother) {
  // gt.mp lists a member of us.dea, who signs in place of us.dea's own administrator.
  auto forged = charter;
  forged.agencies[0].administrators.push_back(ana.record);
  auto statement = Unsigned(Kind::kCharter, forged);
  for (const char* agency : {"gt.mp", "mx.fgr", "us.fbi"})
    statement = SignDirect(std::move(statement), people.at(std::string(agency) + "/admin").sign);
  EXPECT_EQ(CharterRefused(SignDirect(std::move(statement), ana.sign)), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesACharterOfNobody) {
  auto nobody = charter;
  nobody.agencies.clear();
  EXPECT_EQ(CharterRefused(SignedCharter(nobody)), Reason::kBadSignature);
}

TEST_F(StatementTest, RefusesABatchedCharterAndAnAuthorsCharter) {
  auto statement = SignedCharter(charter);
  statement.envelope.batch = SignBatch(AskFor(), ana.sign).envelope.batch;
  EXPECT_EQ(CharterRefused(statement), Reason::kBadBatch);
  EXPECT_EQ(Refused(SignedCharter(charter), people.at("us.dea/admin").sign.verify_key()), Reason::kBadSignature);
  EXPECT_EQ(CharterRefused(SignDirect(Revoke(), ana.sign)), Reason::kBadSignature);
}

}  // namespace
}  // namespace valija::ledger
