// Grants, amendments, recall and purge; and a broker that lies about them.
#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "tests/client/life.h"

namespace valija::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecordLifeTest : public LifeTest {
 protected:
  NewsItem Granted(const std::string& id, const std::string& audience, const std::string& more = {}) {
    return SessionOf("us.dea/ana")->Grant({id, {}, PolicyFor(audience, more), {}, {}, {}}).value();
  }
};

// ---- grants ----

TEST_F(RecordLifeTest, GrantsAnotherAgencyWhatWasSent) {
  auto draft = DraftOf("summary");
  draft.portions.push_back({{}, "the source", "text/plain", PolicyFor("agency mx.fgr")});
  const auto id = Sent(draft);
  const auto asked =
      SessionOf("us.fbi/kim")->RequestAccess({id, {1}, "open", {}, {}, "investigation", "", "why"}).value();
  const auto grant =
      SessionOf("us.dea/ana")->Grant({id.substr(0, 9), {1}, PolicyFor("agency us.fbi"), asked.id, {}, {}}).value();
  EXPECT_EQ(grant.kind, "grant");
  EXPECT_EQ(grant.record, id);
  EXPECT_EQ(grant.request, asked.id);
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).value().back().agency, "us.fbi");
  auto kim = SessionOf("us.fbi/kim");
  const auto inbox = kim->Inbox().value();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0].id, grant.id);
  EXPECT_EQ(inbox[0].grant_of, id);
  ASSERT_EQ(inbox[0].portions.size(), 1u);
  EXPECT_EQ(inbox[0].portions[0].number, 1u);
  EXPECT_GT(inbox[0].portions[0].sealed_bytes, 0u);
  const auto opened = OpenAs(*kim, Asking(grant.id, 1)).value();
  EXPECT_EQ(opened.content, "the source");
  EXPECT_EQ(opened.id, grant.id);
  EXPECT_EQ(OpenAs(*kim, Asking(grant.id, 0)).error().reason, Reason::kNotFound);
  EXPECT_TRUE(kim->Inbox().value()[0].opened_by_me);
  EXPECT_THAT(KindsOf(SessionOf("us.dea/ana")->Custody(id).value()),
              ElementsAre("record us.dea/ana", "access-request us.fbi/kim", "grant us.dea/ana", "open us.fbi/kim"));
  EXPECT_THAT(KindsOf(kim->Custody(grant.id).value()), ElementsAre("grant us.dea/ana", "open us.fbi/kim"));
}

TEST_F(RecordLifeTest, GrantsAlsoAfterTheProfileWasOpenedAnew) {
  const auto id = Sent(DraftOf("x"));
  for (int i = 0; i < 3; ++i) Sent(DraftOf("y"));
  EXPECT_EQ(OpenAs("us.fbi/kim", Asking(Granted(id, "agency us.fbi").id)).value().content, "x");
}

TEST_F(RecordLifeTest, PassesOnWithinTheCountryWhatItReceived) {
  const auto id = Sent(DraftOf("x", "agency us.dea, agency mx.fgr", "onward within-country\n"), "us.fbi/kim");
  auto ana = SessionOf("us.dea/ana");
  GrantDraft draft{id, {}, PolicyFor("agency us.fbi"), {}, {}, {}};
  EXPECT_EQ(ana->Grant(draft).error().reason, Reason::kUsage);  // for what purpose?
  draft.purpose = "investigation";
  draft.policy_text = PolicyFor("agency us.dea", "onward within-country\n");
  const auto grant = ana->Grant(draft).value();
  EXPECT_EQ(OpenAs(*ana, Asking(grant.id)).value().content, "x");
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Grant(draft).error().reason, Reason::kNoConsent);  // another country
}

TEST_F(RecordLifeTest, EndsAGrantWithItsOriginal) {
  const auto id = Sent(DraftOf("x"));
  const auto grant = Granted(id, "agency us.fbi");
  SessionOf("us.fbi/kim")->Inbox().value();
  SessionOf("us.dea/ana")->Revoke(id, "a mistake").value();
  auto kim = SessionOf("us.fbi/kim");
  EXPECT_TRUE(kim->Inbox().value().at(0).revoked);
  EXPECT_EQ(OpenAs(*kim, Asking(grant.id)).error().reason, Reason::kRevoked);
}

TEST_F(RecordLifeTest, RefusesAGrantWithTheWrapsOfAnother) {
  const auto one = Granted(Sent(DraftOf("one")), "agency us.fbi");
  const auto two = Granted(Sent(DraftOf("two")), "agency us.fbi");
  // The broker shows the header of the one with the wraps of the other: no signature holds over that.
  lies.record = lies.mailbox = [&](EntriesAnswer& answer) {
    for (auto& proved : answer.entries) {
      if (!proved.entry.head || proved.entry.head->statement.Hex() != one.id) continue;
      auto mine = std::get<ledger::Grant>(honest.entries.at(one.entry).statement->payload);
      mine.wraps = std::get<ledger::Grant>(honest.entries.at(two.entry).statement->payload).wraps;
      proved.entry.envelope->payload = proto::EncodeGrant(mine);
    }
  };
  EXPECT_EQ(OpenAs("us.fbi/kim", Asking(one.id)).error().reason, Reason::kBadProof);
}

// ---- hidden audiences ----

TEST_F(RecordLifeTest, HidesHowManyRecipientsThereAre) {
  auto commitments = [&](const std::string& id, std::size_t& slips) {
    const auto& statement = *honest.entries.at(honest.state.record(Id(id))->index).statement;
    slips = statement.attachments.slips.size();
    return std::get<ledger::Record>(statement.payload).payload.header.portions.at(0).recipients.size();
  };
  std::size_t slips = 0;
  EXPECT_EQ(commitments(Sent(DraftOf("x")), slips), 4u);
  EXPECT_EQ(slips, 4u);
  EXPECT_EQ(commitments(Sent(DraftOf("x", "agency mx.fgr, agency us.fbi")), slips), 4u);
  EXPECT_EQ(commitments(Sent(DraftOf("x", "agency mx.fgr", "co-recipients shown\n")), slips), 1u);
  EXPECT_EQ(slips, 1u);
}

// ---- amendments ----

TEST_F(RecordLifeTest, OpensUnderTheAmendmentInForce) {
  const auto id = Sent(DraftOf("x"));
  auto luis = SessionOf("mx.fgr/luis");
  OpenAs(*luis, Asking(id)).value();
  auto ana = SessionOf("us.dea/ana");
  const auto first = ana->Amend(id, 0, PolicyFor("agency mx.fgr", "clearance restricted\n")).value();
  EXPECT_EQ(first.sequence, 1u);
  const auto second = ana->Amend(id.substr(0, 8), 0, PolicyFor("agency mx.fgr", "roles any analyst\n")).value();
  EXPECT_EQ(second.sequence, 2u);
  EXPECT_EQ(OpenAs(*luis, Asking(id)).value().content, "x");
  EXPECT_EQ(honest.entries.back().decision.verdicts[0].policy_sequence, 2u);
  ana->Amend(id, 0, PolicyFor("agency mx.fgr", "roles any chief\n")).value();
  EXPECT_EQ(OpenAs(*luis, Asking(id)).error().reason, Reason::kRoleMissing);
  EXPECT_EQ(ana->Amend(id, 1, PolicyFor("agency mx.fgr")).error().reason, Reason::kNotFound);
  EXPECT_EQ(luis->Amend(id, 0, PolicyFor("agency mx.fgr")).error().reason, Reason::kNotOriginator);
  EXPECT_EQ(luis->Amend(id, 0, "marking purple").error().reason, Reason::kBadPolicy);
  const auto seen = ana->Custody(id).value();
  EXPECT_THAT(seen.at(2).policy_text, ::testing::HasSubstr("clearance"));
}

TEST_F(RecordLifeTest, RefusesADecisionUnderAnAmendmentThatThereIsNot) {
  const auto id = Sent(DraftOf("x"));
  lies.decision = [](ledger::Decision& decision) {
    if (!decision.verdicts[0].record.IsZero()) {
      decision.verdicts[0].policy_digest.bytes[0] ^= 1;
      decision.verdicts[0].policy_sequence = 1;
    }
  };
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(id)).error().reason, Reason::kWrongRelease);
  EXPECT_EQ(honest.downloads, 0u);
}

TEST_F(RecordLifeTest, RefusesADecisionUnderThePolicyThatWasAmendedAway) {
  const auto id = Sent(DraftOf("x"));
  const auto before = honest.state.record(Id(id))->portion(0)->policy_digest;
  SessionOf("us.dea/ana")->Amend(id, 0, PolicyFor("agency mx.fgr", "roles any chief\n")).value();
  lies.decision = [&](ledger::Decision& decision) {  // as if it did not know
    decision.verdicts[0].reasons.clear();
    decision.verdicts[0].policy_digest = before;
    decision.verdicts[0].policy_sequence = 0;
  };
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(id)).error().reason, Reason::kWrongRelease);
  EXPECT_EQ(honest.downloads, 0u);
}

TEST_F(RecordLifeTest, RefusesADecisionUnderTheRightPolicyWithAWrongNumber) {
  const auto id = Sent(DraftOf("x"));
  lies.decision = [](ledger::Decision& decision) { decision.verdicts[0].policy_sequence = 1; };
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(id)).error().reason, Reason::kWrongRelease);
}

TEST_F(RecordLifeTest, RefusesAnAmendmentByAColleagueWhoMayNotAmend) {
  const auto id = Sent(DraftOf("x"), "us.dea/admin");
  auto amended = [&](const char* by) {
    crypto::SystemRandom random;
    const auto key = begun.Keys(by).signature;
    record::Attachments attachments;
    attachments.policies.push_back(proto::EncodePolicy(
        random.Make<Salt>(), policy::ParseText(PolicyFor("agency mx.fgr", "roles any analyst\n")).policy.value()));
    const auto& portion = *honest.state.record(Id(id))->portion(0);
    ledger::Amendment amendment{
        .by = {test::Member(by), key.id(), begun.broker.origin, FakeBroker::Now(), random.Make<Nonce>()},
        .record = Id(id),
        .portion = 0,
        .previous = portion.policy_digest,
        .sequence = portion.policy_sequence + 1,
        .policy_digest = proto::PolicyDigest(attachments.policies.front()),
        .policy = std::nullopt};
    ledger::Envelope envelope{
        ledger::PayloadType(ledger::Kind::kAmendment), proto::EncodeAmendment(amendment), {}, std::nullopt};
    envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    const auto statement = ledger::TrustLogged(proto::MakeStatement(std::move(envelope), attachments).value());
    honest.Log(statement, {statement->digest, begun.broker.authority, {}, {ledger::Verdict{}}});
    return OpenAs("mx.fgr/luis", Asking(id));
  };
  EXPECT_EQ(amended("us.dea/admin").value().content, "x");
  EXPECT_EQ(amended("us.dea/ana").error().reason, Reason::kWrongRelease);
}

// ---- recall ----

TEST_F(RecordLifeTest, AsksHoldersToEraseAndHearsThatTheyDid) {
  const auto id = Sent(DraftOf("x"));
  OpenAs("mx.fgr/luis", Asking(id)).value();
  SessionOf("us.dea/ana")->Revoke(id, "wrong person").value();
  EXPECT_TRUE(SessionOf("us.dea/ana")->Revoke(id, "wrong person, erase it", true).value().recall);
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_TRUE(luis->Inbox().value().at(0).recalled);
  const auto waiting = luis->Waiting().value();
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].kind, "erase");
  luis->Acknowledge(id, "erased").value();
  EXPECT_THAT(luis->Waiting().value(), IsEmpty());
  EXPECT_THAT(KindsOf(SessionOf("us.dea/ana")->Custody(id).value()),
              ElementsAre("record us.dea/ana", "open mx.fgr/luis", "revocation us.dea/ana", "revocation us.dea/ana",
                          "acknowledgement mx.fgr/luis"));
}

TEST_F(RecordLifeTest, AsksHoldersOfAGrantToEraseToo) {
  const auto id = Sent(DraftOf("x"));
  const auto grant = Granted(id, "agency us.fbi");
  OpenAs("us.fbi/kim", Asking(grant.id)).value();
  SessionOf("us.dea/ana")->Revoke(id, "wrong person", true).value();
  const auto waiting = SessionOf("us.fbi/kim")->Waiting().value();
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].kind, "erase");
  EXPECT_EQ(waiting[0].id, grant.id);
}

// ---- purge ----

class PurgeTest : public RecordLifeTest {
 protected:
  std::string id = Sent(DraftOf("x"));
  void Purge() {
    auto ana = SessionOf("us.dea/ana");
    ana->Revoke(id, "over").value();
    const auto purged = ana->Purge({id}, "retention has ended").value();
    EXPECT_THAT(purged.erased, ElementsAre(id));
  }
};

TEST_F(PurgeTest, ShowsARecordWithoutItsContent) {
  Purge();
  const auto inbox = SessionOf("mx.fgr/luis")->Inbox().value();
  ASSERT_THAT(inbox, SizeIs(1));
  EXPECT_TRUE(inbox[0].purged);
  EXPECT_TRUE(inbox[0].revoked);
  EXPECT_EQ(inbox[0].from, "us.dea/ana");
  for (const char* member : {"us.dea/ana", "mx.fgr/luis"}) {
    const auto custody = SessionOf(member)->Custody(id).value();
    EXPECT_THAT(KindsOf(custody), ElementsAre("record us.dea/ana", "revocation us.dea/ana", "purge us.dea/ana"));
    EXPECT_EQ(custody[0].id, id);
    EXPECT_EQ(custody[0].entry, honest.state.record(Id(id))->index);
    EXPECT_EQ(custody[0].erased_by, custody[2].entry);
    EXPECT_FALSE(custody[1].erased_by);
  }
  EXPECT_EQ(SessionOf("us.dea/ana")->Purge({id}, "again").error().reason, Reason::kExists);
  EXPECT_EQ(SessionOf("us.dea/ana")->Amend(id, 0, PolicyFor("agency mx.fgr")).error().reason, Reason::kPurged);
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(id)).error().reason, Reason::kPurged);
}

TEST_F(PurgeTest, TellsWhoHadItBeforeThatItIsGone) {
  SessionOf("mx.fgr/luis")->Inbox().value();
  Purge();
  EXPECT_TRUE(SessionOf("mx.fgr/luis")->Inbox().value().at(0).purged);
}

TEST_F(PurgeTest, ErasesTheTextOfAnOpeningAndNotTheOpening) {
  auto request = Asking(id);
  request.case_reference = "a person's name";
  honest.long_ago = ledger::kKept + std::chrono::hours(1);
  OpenAs("mx.fgr/luis", request).value();
  honest.long_ago = {};
  SessionOf("mx.fgr/luis")->Inbox().value();
  const auto opening = honest.entries.back().head.statement.Hex();
  const auto purge = SessionOf("mx.fgr/admin")->Purge({opening.substr(0, 10)}, "asked for by the person").value();
  for (const char* member : {"us.dea/ana", "mx.fgr/luis"}) {
    const auto custody = SessionOf(member)->Custody(id).value();
    EXPECT_THAT(KindsOf(custody), ElementsAre("record us.dea/ana", "open mx.fgr/luis", "purge mx.fgr/admin")) << member;
    EXPECT_EQ(custody.at(1).case_reference, "[erased]");
    EXPECT_EQ(custody.at(1).purpose, "investigation");
    EXPECT_EQ(custody.at(1).erased_by, purge.entry);
    EXPECT_THAT(custody.at(1).portions, ElementsAre(std::pair<std::uint32_t, std::string>(0, "granted")));
  }
  EXPECT_TRUE(SessionOf("mx.fgr/luis")->Inbox().value().at(0).opened_by_me);
  // The text is gone from the profile too, without anything being fetched anew; and the fact is also there for who begins
  // from nothing.
  const auto cache = ProfileOf("mx.fgr/luis") / "mail.log";
  EXPECT_EQ(test::ReadAll(cache).find("a person's name"), std::string::npos);
  fs::remove(cache);
  EXPECT_TRUE(SessionOf("mx.fgr/luis")->Inbox().value().at(0).opened_by_me);
}

TEST_F(PurgeTest, ErasesNoReasonOfAnOpeningBeforeItsTime) {
  auto request = Asking(id);
  request.case_reference = "a person's name";
  OpenAs("mx.fgr/luis", request).value();
  const auto opening = honest.entries.back().head.statement.Hex();
  EXPECT_EQ(SessionOf("mx.fgr/admin")->Purge({opening}, "a cover-up").error().reason, Reason::kNotReady);
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).value().at(1).case_reference, "a person's name");
}

TEST_F(PurgeTest, ErasesAPurgesOwnTextAndProvesWhatItErasedAllTheSame) {
  Purge();
  const auto purge = honest.entries.back().head.statement.Hex();
  SessionOf("us.dea/admin")->Purge({purge}, "it named a person").value();
  EXPECT_TRUE(SessionOf("mx.fgr/luis")->Inbox().value().at(0).purged);
  const auto custody = SessionOf("mx.fgr/luis")->Custody(id).value();
  EXPECT_EQ(custody.at(2).why, "[erased]");
  EXPECT_THAT(custody.at(2).erased, ElementsAre(id));
  EXPECT_EQ(custody.at(2).erased_by, custody.at(3).entry);
}

TEST_F(PurgeTest, ErasesTheGrantsOfARecordBeforeItAndTellsItsRecipientsOfNone) {
  const auto grant = Granted(id, "agency us.fbi");
  SessionOf("us.dea/ana")->Revoke(id, "over").value();
  const auto purged = SessionOf("us.dea/ana")->Purge({id}, "retention has ended").value();
  EXPECT_THAT(purged.erased, ElementsAre(grant.id, id));
  // What a recipient is not shown of it by a broker that keeps to the rules.
  const auto of_grant = honest.entries.size() - 2;
  lies.custody = [&](EntriesAnswer& answer) {
    std::erase_if(answer.entries, [&](const auto& one) {
      return one.entry.head && (one.entry.head->index == grant.entry || one.entry.head->index == of_grant);
    });
  };
  const auto custody = SessionOf("mx.fgr/luis")->Custody(id).value();
  EXPECT_THAT(KindsOf(custody), ElementsAre("record us.dea/ana", "revocation us.dea/ana", "purge us.dea/ana"));
  EXPECT_THAT(custody.back().erased, ElementsAre(id));
  const auto inbox = SessionOf("us.fbi/kim")->Inbox().value();
  ASSERT_THAT(inbox, SizeIs(1));
  EXPECT_TRUE(inbox[0].purged);
  EXPECT_EQ(OpenAs("us.fbi/kim", Asking(grant.id)).error().reason, Reason::kPurged);
}

TEST_F(PurgeTest, IsGoneOnWithWhereItWasBrokenOff) {
  const auto grant = Granted(id, "agency us.fbi");
  const auto ana = SessionOf("us.dea/ana");
  ana->Revoke(id, "over").value();
  ana->Purge({grant.id}, "retention has ended").value();
  EXPECT_THAT(ana->Purge({id, grant.id}, "retention has ended").value().erased, ElementsAre(id));
  EXPECT_EQ(ana->Purge({id}, "again").error().reason, Reason::kExists);
}

TEST_F(PurgeTest, RefusesATextThatIsSaidToBeErasedByNoPurge) {
  auto request = Asking(id);
  request.case_reference = "a person's name";
  OpenAs("mx.fgr/luis", request).value();
  const auto opening = honest.entries.back().head;
  SessionOf("us.dea/ana")->Revoke(id, "over").value();
  auto erased = [&](std::uint64_t by) {
    lies.mailbox = lies.custody = [&, by](EntriesAnswer& answer) {
      for (auto& proved : answer.entries) {
        auto& entry = proved.entry;
        if (!entry.head || entry.head->index != opening.index) continue;
        entry.envelope->payload = proto::RedactPayload(ledger::Kind::kOpen, entry.envelope->payload).value();
        entry.envelope->batch.reset();
        entry.erased_by = by;
      }
    };
    const auto custody = SessionOf("us.dea/ana")->Custody(id);
    const auto inbox = SessionOf("mx.fgr/luis")->Inbox();
    EXPECT_FALSE(custody || inbox);
    EXPECT_EQ(custody.error().reason, inbox.error().reason);
    return custody.error().reason;
  };
  EXPECT_EQ(erased(honest.entries.size() - 1), Reason::kBadProof);  // by a revocation
  lies = {};
  SessionOf("us.dea/ana")->Purge({id}, "over").value();
  EXPECT_EQ(erased(honest.entries.size() - 1), Reason::kBadProof);  // by a purge of something else
}

TEST_F(PurgeTest, RefusesAPurgeByWhoMayNotErase) {
  OpenAs("mx.fgr/luis", Asking(id)).value();
  SessionOf("us.dea/ana")->Revoke(id, "over").value();
  const auto revocation = honest.entries.back();
  // The broker logs it all the same: of an administrator of another agency, of a member that is none.
  auto left = proto::RedactPayload(ledger::Kind::kRevocation, revocation.statement->envelope.payload).value();
  for (const char* eraser : {"mx.fgr/admin", "us.dea/ana"}) {
    const auto key = begun.Keys(eraser).signature;
    crypto::SystemRandom random;
    ledger::Purge purge{{test::Member(eraser), key.id(), begun.broker.origin, FakeBroker::Now(), random.Make<Nonce>()},
                        {{revocation.head.statement, crypto::Sha256(left)}},
                        "why"};
    ledger::Envelope envelope{ledger::PayloadType(ledger::Kind::kPurge), proto::EncodePurge(purge), {}, std::nullopt};
    envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    const auto statement = ledger::TrustLogged(proto::MakeStatement(std::move(envelope)).value());
    FakeBroker lying(begun.broker, honest.entries, honest.entries.size());
    lying.Log(statement, {statement->digest, begun.broker.authority, {}, {ledger::Verdict{}}});
    broker = &lying;
    EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof) << eraser;
    fs::remove_all(ProfileOf("mx.fgr/luis"));
    broker = &honest;
  }
}

TEST_F(PurgeTest, RefusesARecordThatIsSaidToBeErasedByNoPurge) {
  SessionOf("us.dea/ana")->Revoke(id, "over").value();
  const auto revocation = honest.entries.size() - 1;
  std::uint64_t by = revocation;
  auto hide = [&](EntriesAnswer& answer) {
    for (auto& proved : answer.entries) {
      auto& entry = proved.entry;
      if (!entry.head || entry.head->statement.Hex() != id) continue;
      entry.envelope->payload = proto::RedactPayload(ledger::Kind::kRecord, entry.envelope->payload).value();
      entry.envelope->signatures.clear();
      entry.envelope->batch.reset();
      entry.attachments = {};
      entry.erased_by = by;
    }
  };
  lies.mailbox = lies.custody = hide;
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);  // it is a revocation
  by = honest.entries.size();
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);  // beyond the log
  by = honest.state.record(Id(id))->index;
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);  // by itself
  // By a purge of another record.
  lies = {};
  const auto other = Sent(DraftOf("y"));
  SessionOf("us.dea/ana")->Revoke(other, "over").value();
  SessionOf("us.dea/ana")->Purge({other}, "over").value();
  by = honest.entries.size() - 1;
  lies.mailbox = hide;
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(PurgeTest, RefusesAnErasedEntryThatSaysMoreThanThePurgeLeft) {
  Purge();
  lies.mailbox = [&](EntriesAnswer& answer) {
    for (auto& proved : answer.entries)
      if (proved.entry.head && proved.entry.head->statement.Hex() == id)
        proved.entry.envelope->payload = honest.entries.at(proved.entry.head->index).statement->envelope.payload;
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

}  // namespace
}  // namespace valija::client
