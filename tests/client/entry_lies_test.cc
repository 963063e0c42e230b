// A broker that lies in what the log holds: entries changed on their way, and statements that nobody made.
#include "tests/client/lies.h"

namespace valija::client {
namespace {

// ---- entries ----

TEST_F(LyingBrokerTest, RefusesAnotherRecordThanAskedFor) {
  const auto other = Sent(DraftOf("another report"));
  lies.mailbox = [](EntriesAnswer& answer) { answer.entries.clear(); };  // so it has to ask for the record
  lies.record = [&](EntriesAnswer& answer) {
    answer.entries = {
        honest.Seen(honest.state.record(*Digest::FromHexText(other))->index, test::Member("mx.fgr/luis")).value()};
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadProof);
}

struct EntryLie {
  const char* name;
  std::function<void(ProvedEntry&)> lie;
  Reason reason = Reason::kBadProof;
  friend void PrintTo(const EntryLie& one, std::ostream* out) { *out << one.name; }
};
class EntryLies : public LyingBrokerTest, public ::testing::WithParamInterface<EntryLie> {};

// The same lie wherever entries come from.
TEST_P(EntryLies, AreRefusedInRecordMailboxStreamAndCustody) {
  lies.record = lies.mailbox = lies.custody = [&](EntriesAnswer& answer) {
    if (!answer.entries.empty()) GetParam().lie(answer.entries[0]);
  };
  EXPECT_EQ(OpenRefused(id), GetParam().reason);
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Inbox().error().reason, GetParam().reason);
  EXPECT_EQ(luis->Custody(id).error().reason, GetParam().reason);
  lies.mailbox = [](EntriesAnswer& answer) { answer.entries.clear(), answer.next_cursor = 0; };
  lies.follow = [&](FollowItem& item) { GetParam().lie(*item.entry); };
  EXPECT_EQ(luis->Follow([](const NewsItem&) { return true; }).error().reason, GetParam().reason);
  lies = {};
  EXPECT_EQ(luis->Inbox().value().size(), 1u);  // nothing of it was kept
}

INSTANTIATE_TEST_SUITE_P(
    All, EntryLies,
    ::testing::Values(EntryLie{"WithoutSalt", [](ProvedEntry& one) { one.entry.salt.reset(); }},
                      EntryLie{"WithoutHead", [](ProvedEntry& one) { one.entry.head.reset(); }},
                      EntryLie{"WithoutStatement", [](ProvedEntry& one) { one.entry.envelope.reset(); }},
                      EntryLie{"WithoutDecision", [](ProvedEntry& one) { one.entry.decision_bytes.clear(); }},
                      EntryLie{"WithAWrongPath", [](ProvedEntry& one) { one.path.back().bytes[0] ^= 1; }},
                      EntryLie{"WithAWrongPathLength", [](ProvedEntry& one) { one.path.pop_back(); }},
                      EntryLie{"WithAnotherCommitment", [](ProvedEntry& one) { one.entry.commitment.bytes[0] ^= 1; }},
                      EntryLie{"WithAnotherHead",
                               [](ProvedEntry& one) {
                                 one.entry.head->time += Duration(1);
                                 one.entry.commitment = ledger::CommitEntry(*one.entry.salt, *one.entry.head);
                               }},
                      EntryLie{"WithAnotherStatement", [](ProvedEntry& one) { one.entry.envelope->payload[9] ^= 1; }},
                      EntryLie{"WithAnotherDecision", [](ProvedEntry& one) { one.entry.decision_bytes.back() ^= 1; }},
                      EntryLie{"WithADamagedSignature",
                               [](ProvedEntry& one) { one.entry.envelope->batch->signature.bytes[40] ^= 1; },
                               Reason::kBadBatch},
                      EntryLie{"WithASlipOfAnotherKey",
                               [](ProvedEntry& one) { one.entry.attachments.slips.at(0).salt.bytes[0] ^= 1; }}),
    [](const auto& named) { return named.param.name; });

// ---- statements that nobody made: logged, so that every proof holds ----

// A statement signed by whoever has `key`, logged as if it had been accepted.
class InventedTest : public LyingBrokerTest {
 protected:
  ledger::Authorship By(const std::string& member, const KeyId& key) {
    return {test::Member(member), key, begun.broker.origin, FakeBroker::Now(), random.Make<Nonce>()};
  }
  void Log(ledger::Kind kind, Bytes payload, const crypto::SignKey& key) {
    ledger::Envelope envelope{ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
    envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    auto statement = ledger::TrustLogged(proto::MakeStatement(envelope).value());
    honest.Log(statement, {statement->digest, begun.broker.authority, random.Make<Nonce>(), {ledger::Verdict{}}});
  }
  Reason DirectoryRefused() {
    auto luis = SessionOf("mx.fgr/luis");
    auto known = luis->Directory();
    EXPECT_FALSE(known);
    return known ? Reason::kInternal : known.error().reason;
  }
  ledger::Enrolment Invented(const std::string& administrator, const KeyId& key) {
    Keyring keys{crypto::SignKey::Generate(random), crypto::SignKey::Generate(random),
                 crypto::KemPrivateKey::Generate(random)};
    return {
        By(administrator, key),
        {test::Member("mx.fgr/ghost"), ledger::MemberStatus::kActive, keys.Public(), {"secret", {}, {}}, false, false},
        {},
        {}};
  }
  crypto::SystemRandom random;
};

TEST_F(InventedTest, RefusesAMemberWhomNoAdministratorSignedFor) {
  auto key = crypto::SignKey::Generate(random);
  Log(ledger::Kind::kEnrolment, proto::EncodeEnrolment(Invented("mx.fgr/admin", key.id())), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kBadSignature);
}

TEST_F(InventedTest, RefusesAMemberWhomAMemberWithoutThatRoleEnrolled) {
  auto key = begun.Keys("mx.fgr/luis").signature;
  Log(ledger::Kind::kEnrolment, proto::EncodeEnrolment(Invented("mx.fgr/luis", key.id())), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kNotAuthorised);
}

TEST_F(InventedTest, RefusesAMemberWhomAnotherAgencysAdministratorEnrolled) {
  auto key = begun.Keys("us.dea/admin").signature;
  Log(ledger::Kind::kEnrolment, proto::EncodeEnrolment(Invented("us.dea/admin", key.id())), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kNotAuthorised);
}

TEST_F(InventedTest, RefusesAnEnrolmentThatWasDecidedInAnotherWay) {
  auto key = begun.Keys("mx.fgr/admin").signature;
  honest.lies.directory = [](EntriesAnswer&) {};
  auto enrolment = Invented("mx.fgr/admin", key.id());
  ledger::Envelope envelope{
      ledger::PayloadType(ledger::Kind::kEnrolment), proto::EncodeEnrolment(enrolment), {}, std::nullopt};
  envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
  auto statement = ledger::TrustLogged(proto::MakeStatement(envelope).value());
  honest.Log(statement, {statement->digest,
                         begun.broker.authority,
                         random.Make<Nonce>(),
                         {ledger::Verdict{{}, 0, {}, {}, 0, "another obligation"}}});
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
}

TEST_F(InventedTest, RefusesASubstitutedEpochKey) {
  auto key = crypto::SignKey::Generate(random);  // the broker's own
  auto epoch_key = crypto::KemPrivateKey::Generate(random);
  const auto& agency = *honest.state.agency(*AgencyId::Parse("mx.fgr"));
  ledger::Epoch epoch{By("mx.fgr/admin", key.id()),
                      agency.charter.id,
                      2,
                      epoch_key.public_key().point(),
                      FakeBroker::Now() + std::chrono::days(365),
                      agency.current()->statement,
                      {}};
  for (const char* member : {"mx.fgr/admin", "mx.fgr/luis"})
    epoch.wraps.push_back({2, test::Member(member), begun.Keys(member).key_management.id(), Point{{4}}, Bytes(48, 1)});
  Log(ledger::Kind::kEpoch, proto::EncodeEpoch(epoch), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kBadSignature);
  auto sent = SessionOf("us.dea/ana")->Send({DraftOf("for whom?")}, {});  // a sender does not seal to it
  EXPECT_EQ(sent.error().reason, Reason::kBadSignature);
}

TEST_F(InventedTest, RefusesADirectoryEntryThatIsChangedInTransit) {
  lies.directory = [](EntriesAnswer& answer) {
    if (answer.entries.size() > 1) answer.entries[1].entry.envelope->payload.back() ^= 1;
  };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
}

TEST_F(InventedTest, RefusesADirectoryThatPromisesMoreAndSendsNothing) {
  lies.directory = [](EntriesAnswer& answer) { answer.entries.clear(), answer.more = true; };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
  lies.directory = [](EntriesAnswer& answer) { answer.entries.clear(); };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);  // no charter
}

TEST_F(InventedTest, RefusesADirectoryThatRepeatsItself) {
  lies.directory = [](EntriesAnswer& answer) {
    if (!answer.entries.empty()) answer.entries.push_back(answer.entries[0]);
  };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
}

TEST_F(InventedTest, RefusesARevocationInTheNameOfAnother) {
  auto key = begun.Keys("us.fbi/kim").signature;  // in league with the broker
  Log(ledger::Kind::kRevocation,
      proto::EncodeRevocation({By("us.dea/ana", key.id()), *Digest::FromHexText(id), "forged"}), key);
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadSignature);
}

TEST_F(InventedTest, DoesNotTakeARevocationOfAnotherAgencysRecord) {
  auto key = begun.Keys("us.fbi/kim").signature;
  Log(ledger::Kind::kRevocation,
      proto::EncodeRevocation({By("us.fbi/kim", key.id()), *Digest::FromHexText(id), "not mine"}), key);
  auto inbox = SessionOf("mx.fgr/luis")->Inbox().value();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_FALSE(inbox[0].revoked);
}

TEST_F(InventedTest, RefusesAStatementMadeAfterItsAuthorWasRemoved) {
  SessionOf("us.dea/admin")->Remove("us.dea/ana").value();
  auto key = begun.Keys("us.dea/ana").signature;
  Log(ledger::Kind::kRevocation,
      proto::EncodeRevocation({By("us.dea/ana", key.id()), *Digest::FromHexText(id), "late"}), key);
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadSignature);
}

}  // namespace
}  // namespace valija::client
