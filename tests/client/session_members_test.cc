// Members that are suspended and come back, keys that are renewed, and a charter that is amended.
#include "core/crypto/keyfile.h"
#include "tests/client/life.h"

namespace valija::client {
namespace {

class MembersTest : public LifeTest {
 protected:
  crypto::SystemRandom random_;
  const std::vector<std::string> both_ = {"mx.fgr/admin", "us.dea/admin"};  // the log's key is not one country's
};

TEST_F(MembersTest, SuspendsAndResumesWithWhatWasSentMeanwhile) {
  const auto before = Sent(DraftOf("before"));
  SessionOf("mx.fgr/admin")->Suspend("mx.fgr/luis").value();
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(before)).error().reason, Reason::kNotEnrolled);
  const auto meanwhile = Sent(DraftOf("meanwhile"));
  EXPECT_EQ(SessionOf("us.dea/ana")->Directory().value()[0].members[1].status, "suspended");
  auto admin = SessionOf("mx.fgr/admin");
  admin->Resume("mx.fgr/luis").value();
  EXPECT_EQ(admin->Resume("mx.fgr/luis").error().reason, Reason::kNotReady);
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(before)).value().content, "before");
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(meanwhile)).value().content, "meanwhile");
}

TEST_F(MembersTest, OpensEarlierEpochsToWhoComesLater) {
  const auto old = Sent(DraftOf("old"));
  SessionOf("mx.fgr/admin")->RotateEpoch().value();
  // A new member of mx.fgr: has the present epoch alone.
  test::TempFolder made;
  Keyring keys{crypto::SignKey::Generate(random_), crypto::SignKey::Generate(random_),
               crypto::KemPrivateKey::Generate(random_)};
  test::WriteText(made / "card", MemberCard::Make(test::Member("mx.fgr/rosa"), keys));
  SessionOf("mx.fgr/admin")->Enrol(made / "card", {"secret", {}, {}, false, false, "rosa"}).value();
  const auto& epochs = honest.state.agency(*AgencyId::Parse("mx.fgr"))->epochs;
  EXPECT_FALSE(epochs[0].wraps.contains(test::Member("mx.fgr/rosa")));
  auto admin = SessionOf("mx.fgr/admin");
  admin->GrantEpochs("mx.fgr/rosa").value();
  for (const auto& epoch : epochs) EXPECT_TRUE(epoch.wraps.contains(test::Member("mx.fgr/rosa")));
  EXPECT_EQ(admin->GrantEpochs("mx.fgr/rosa").error().reason, Reason::kExists);
  EXPECT_EQ(admin->GrantEpochs("us.dea/ana").error().reason, Reason::kNotFound);
}

// Who enrols renewed keys may be an administrator who came later, and has not the earlier epochs.
TEST_F(MembersTest, LosesNothingWhereTheAdministratorLacksAnEarlierEpoch) {
  const auto old = Sent(DraftOf("old"));
  SessionOf("mx.fgr/admin")->RotateEpoch().value();
  auto make = [&] {
    return Keyring{crypto::SignKey::Generate(random_), crypto::SignKey::Generate(random_),
                   crypto::KemPrivateKey::Generate(random_)};
  };
  auto session = [&](const std::string& member, Keyring keys) {
    return std::make_unique<SessionCore>(Profile::Open(ProfileOf(member)).value(), std::move(keys),
                                         std::make_unique<test::FakeTransport>(broker, test::Member(member)));
  };
  auto again = [](const Keyring& keys) {
    return Keyring{crypto::SignKey::FromScalar(keys.authentication.Scalar().view()).value(),
                   crypto::SignKey::FromScalar(keys.signature.Scalar().view()).value(),
                   crypto::KemPrivateKey::FromScalar(keys.key_management.Scalar().view()).value()};
  };
  // An administrator who has the present epoch alone; its profile is one like luis's.
  const auto rosa = make();
  test::WriteText(folder / "rosa.card", MemberCard::Make(test::Member("mx.fgr/rosa"), rosa));
  SessionOf("mx.fgr/admin")->Enrol(folder / "rosa.card", {"secret", {}, {}, true, false, "rosa"}).value();
  const auto at = test::Beginning::Folder(folder.path(), "mx.fgr/rosa");
  fs::copy(test::Beginning::Folder(begun.folder.path(), "mx.fgr/luis"), at, fs::copy_options::recursive);
  auto meta = test::ReadAll(at / "profile.json");
  meta.replace(meta.find("luis"), 4, "rosa");
  test::WriteText(at / "profile.json", meta);

  auto renewed = make();
  test::WriteText(folder / "luis.card", MemberCard::Make(test::Member("mx.fgr/luis"), renewed));
  const Session::EnrolOptions options{"secret", {"analyst"}, {}, true, false, "luis"};
  const auto enrolled = session("mx.fgr/rosa", again(rosa))->Enrol(folder / "luis.card", options).value();
  EXPECT_THAT(enrolled.epochs_left, ::testing::ElementsAre(1u));  // and it says so
  EXPECT_EQ(session("mx.fgr/rosa", again(rosa))->GrantEpochs("mx.fgr/luis").error().reason, Reason::kNotReady);

  auto keys = again(renewed);
  keys.former.push_back(begun.Keys("mx.fgr/luis").key_management);
  {
    auto luis = session("mx.fgr/luis", std::move(keys));
    EXPECT_EQ(OpenAs(*luis, Asking(old)).value().content, "old");
    // An administrator itself now: what it can open it can open to others.
    EXPECT_THAT(luis->GrantEpochs("mx.fgr/rosa").value().epochs_left, ::testing::IsEmpty());
  }
  // For good, with the present keys alone, once somebody who has it grants it.
  EXPECT_EQ(OpenAs(*session("mx.fgr/luis", again(renewed)), Asking(old)).error().reason, Reason::kNotReady);
  EXPECT_THAT(SessionOf("mx.fgr/admin")->GrantEpochs("mx.fgr/luis").value().epochs_left, ::testing::IsEmpty());
  EXPECT_EQ(OpenAs(*session("mx.fgr/luis", again(renewed)), Asking(old)).value().content, "old");
}

TEST_F(MembersTest, RenewsAMembersKeysAndLosesNothing) {
  const auto received = Sent(DraftOf("received", "agency us.dea"), "us.fbi/kim");
  const auto sent = Sent(DraftOf("sent"));
  const auto passphrase = test::Words(test::kPassphrase);
  {
    auto profile = Profile::Open(ProfileOf("us.dea/ana")).value();
    EXPECT_EQ(profile.BeginRenewal(test::Words("another"), random_).error().reason, Reason::kBadPassphrase);
    profile.BeginRenewal(passphrase, random_).value();
    EXPECT_EQ(profile.BeginRenewal(passphrase, random_).error().reason, Reason::kExists);
  }
  // Those in use stay so until the new certificate is there.
  EXPECT_EQ(OpenAs("us.dea/ana", Asking(received)).value().content, "received");
  const auto keys_2 = ProfileOf("us.dea/ana") / "keys-2";
  SessionOf("us.dea/admin")->Enrol(keys_2 / "member.card", {"secret", {"analyst"}, {}, false, false, "ana"}).value();
  auto profile = Profile::Open(ProfileOf("us.dea/ana")).value();
  const auto& ca = begun.cas.at("us.dea");
  const auto wrong = ca.Issue("us.dea", "us.dea/ana", begun.Keys("us.dea/ana").authentication);
  EXPECT_EQ(profile.FinishRenewal(wrong, FakeBroker::Now()).error().reason, Reason::kBadCertificate);
  const auto scalar = crypto::DecryptEcKey(test::ReadAll(keys_2 / "authentication.pem"), passphrase).value();
  const auto renewed = crypto::SignKey::FromScalar(scalar.view()).value();
  const auto foreign = begun.cas.at("mx.fgr").Issue("mx.fgr", "us.dea/ana", renewed);
  EXPECT_FALSE(profile.FinishRenewal(foreign, FakeBroker::Now()));
  profile.FinishRenewal(ca.Issue("us.dea", "us.dea/ana", renewed), FakeBroker::Now()).value();
  auto keys = profile.Unlock(passphrase).value();
  EXPECT_EQ(keys.authentication.id(), renewed.id());
  SessionCore ana(std::move(profile), std::move(keys),
                  std::make_unique<test::FakeTransport>(broker, test::Member("us.dea/ana")));
  EXPECT_EQ(OpenAs(ana, Asking(received)).value().content, "received");
  const auto grant = ana.Grant({sent, {}, PolicyFor("agency us.fbi"), {}, {}, {}}).value();
  EXPECT_EQ(OpenAs("us.fbi/kim", Asking(grant.id)).value().content, "sent");
  EXPECT_EQ(SessionOf("us.fbi/kim")->Custody(grant.id).value().size(), 2u);
}

TEST_F(MembersTest, ChangesTheAgencysKeysAlsoWhenThatWasLeftUndone) {
  Keyring keys{crypto::SignKey::Generate(random_), crypto::SignKey::Generate(random_),
               crypto::KemPrivateKey::Generate(random_)};
  test::WriteText(folder / "card", MemberCard::Make(test::Member("mx.fgr/luis"), keys));
  const Session::EnrolOptions options{"secret", {"analyst"}, {}, false, false, "luis"};
  const auto& epochs = honest.state.agency(*AgencyId::Parse("mx.fgr"))->epochs;
  const auto before = epochs.size();
  lies.accept = [](ledger::Kind kind) -> Status {
    if (kind == ledger::Kind::kEpoch) return Refuse(Reason::kStorage);
    return Ok();
  };
  EXPECT_EQ(SessionOf("mx.fgr/admin")->Enrol(folder / "card", options).error().reason, Reason::kStorage);
  EXPECT_EQ(epochs.size(), before);
  lies.accept = {};
  SessionOf("mx.fgr/admin")->Enrol(folder / "card", options).value();
  EXPECT_EQ(epochs.size(), before + 1);
  SessionOf("mx.fgr/admin")->Enrol(folder / "card", options).value();
  EXPECT_EQ(epochs.size(), before + 1);
}

TEST_F(MembersTest, BeginsARenewalAnewThatACrashBrokeOff) {
  const auto at = ProfileOf("us.dea/ana");
  for (const char* name : {"keys-next", "keys-2"}) {
    fs::create_directory(at / name);
    test::WriteText(at / name / "authentication.pem", "half of it");
  }
  auto profile = Profile::Open(at).value();
  const auto passphrase = test::Words(test::kPassphrase);
  EXPECT_EQ(profile.FinishRenewal("", FakeBroker::Now()).error().reason, Reason::kNotReady);
  profile.BeginRenewal(passphrase, random_).value();
  EXPECT_TRUE(fs::exists(at / "keys-2" / "member.card"));
  EXPECT_FALSE(fs::exists(at / "keys-next"));
  EXPECT_EQ(profile.BeginRenewal(passphrase, random_).error().reason, Reason::kExists);
}

// ---- the charter ----

TEST_F(MembersTest, FollowsAnAmendmentOfTheCharter) {
  const auto bytes = Amended([](ledger::Charter& charter) {
    charter.caps.max_body_bytes = 1000;
    charter.purposes.push_back("training");
  });
  const auto amendment = SessionOf("us.dea/admin")->SubmitCharterAmendment(bytes).value();
  EXPECT_EQ(amendment.kind, "charter-amendment");
  auto ana = SessionOf("us.dea/ana");
  const auto me = ana->Me().value();
  EXPECT_EQ(me.charter_digest, begun.charter_digest.Hex());
  EXPECT_EQ(me.charter_in_force, amendment.id);
  EXPECT_EQ(me.charter_entry, amendment.entry);
  EXPECT_EQ(me.charter_title, "Agreement");
  EXPECT_EQ(ana->Send({DraftOf(std::string(2000, 'x'))}, {}).value()[0].error().reason, Reason::kTooLarge);
  EXPECT_EQ(SessionOf("us.dea/admin")->SubmitCharterAmendment("nothing").error().reason, Reason::kMalformed);
  const auto charter = std::string(AsText(proto::EncodeEnvelope(begun.charter_envelope)));
  EXPECT_EQ(SessionOf("us.dea/admin")->SubmitCharterAmendment(charter).error().reason, Reason::kUnknownType);
}

TEST_F(MembersTest, GivesNothingToAnAgencyThatLeft) {
  SessionOf("us.dea/admin")
      ->SubmitCharterAmendment(Amended([](ledger::Charter& charter) {
        std::erase_if(charter.agencies, [](const auto& agency) { return agency.id.str() == "us.fbi"; });
        charter.joint_auditors.clear();
      }))
      .value();
  auto ana = SessionOf("us.dea/ana");
  EXPECT_FALSE(ana->Send({DraftOf("x", "agency us.fbi")}, {}).value()[0]);
  EXPECT_TRUE(ana->Send({DraftOf("x", "agency mx.fgr")}, {}).value()[0]);
  const auto agencies = ana->Directory().value();
  for (const auto& agency : agencies) {
    EXPECT_EQ(agency.left, agency.id == "us.fbi");
    if (agency.left) {
      EXPECT_EQ(agency.members.at(0).status, "removed");
    }
  }
  EXPECT_FALSE(SessionOf("us.fbi/kim")->Send({DraftOf("x")}, {}).value()[0]);
}

TEST_F(MembersTest, RefusesAnAmendmentThatNotEnoughHaveSigned) {
  const auto before = honest.entries.size();
  auto log = [&](const std::vector<std::string>& signers) {
    // The broker logs it all the same.
    auto envelope = proto::DecodeEnvelope(AsBytes(Amended([](ledger::Charter&) {}, signers))).value();
    auto statement = ledger::TrustLogged(proto::MakeStatement(std::move(envelope)).value());
    honest.Log(statement, {statement->digest, begun.broker.authority, {}, {ledger::Verdict{}}});
  };
  log({"us.dea/ana"});  // no administrator
  EXPECT_EQ(honest.entries.size(), before + 1);
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadSignature);
}

class QuorumTest : public MembersTest {};

TEST_F(QuorumTest, RefusesAnAmendmentOfFewerAgenciesThanTheCharterAsks) {
  SessionOf("us.dea/admin")
      ->SubmitCharterAmendment(Amended([](ledger::Charter& charter) { charter.amendment_signatures = 2; }))
      .value();
  EXPECT_EQ(SessionOf("us.dea/admin")->SubmitCharterAmendment(Amended([](ledger::Charter&) {})).error().reason,
            Reason::kNotAuthorised);
  auto envelope =
      proto::DecodeEnvelope(AsBytes(Amended([](ledger::Charter& charter) { charter.title = "Mine"; }))).value();
  auto statement = ledger::TrustLogged(proto::MakeStatement(std::move(envelope)).value());
  honest.Log(statement, {statement->digest, begun.broker.authority, {}, {ledger::Verdict{}}});
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kNotAuthorised);
}

TEST_F(MembersTest, FollowsTheLogToItsNewKeyAndThenDemandsIt) {
  SessionOf("mx.fgr/luis")->Inbox().value();  // has pinned a checkpoint of the former key
  honest.next_log_key = crypto::Ed25519SignKey::Generate(random_);
  const auto key = log::NoteVerifier::Make(begun.broker.origin, honest.next_log_key->verify_key()).value().Text();
  SessionOf("us.dea/admin")
      ->SubmitCharterAmendment(Amended([&](ledger::Charter& charter) { charter.log_key = key; }, both_))
      .value();
  const auto id = Sent(DraftOf("x"));
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 1u);  // both lines: it follows
  honest.former_key_given_up = true;
  EXPECT_EQ(OpenAs("mx.fgr/luis", Asking(id)).value().content, "x");
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 1u);  // its pin is signed by the new key
  // Who has not followed yet is shown the amendment, which the agencies signed.
  EXPECT_TRUE(SessionOf("mx.fgr/admin")->Inbox());
  // The former key alone is not taken by who knows the new one.
  honest.next_log_key.reset();
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadCheckpoint);
}

TEST_F(MembersTest, FollowsAStreamToTheLogsNewKey) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->set_pause(std::chrono::milliseconds(0));
  luis->Inbox().value();
  lies.stream_end = [&]() -> Status {
    if (honest.next_log_key) return Refuse(Reason::kUsage);  // the test's own end
    honest.next_log_key = crypto::Ed25519SignKey::Generate(random_);
    const auto key = log::NoteVerifier::Make(begun.broker.origin, honest.next_log_key->verify_key()).value().Text();
    SessionOf("us.dea/admin")
        ->SubmitCharterAmendment(Amended([&](ledger::Charter& charter) { charter.log_key = key; }, both_))
        .value();
    honest.former_key_given_up = true;
    Sent(DraftOf("x"));
    return Refuse(Reason::kShuttingDown);
  };
  std::size_t seen = 0;
  EXPECT_TRUE(luis->Follow([&](const NewsItem&) { return ++seen == 0; }));
  EXPECT_EQ(seen, 1u);
}

TEST_F(MembersTest, TakesNoLogKeyThatTheAgenciesDidNotSign) {
  honest.next_log_key = crypto::Ed25519SignKey::Generate(random_);
  const auto key = log::NoteVerifier::Make(begun.broker.origin, honest.next_log_key->verify_key()).value().Text();
  honest.former_key_given_up = true;
  auto envelope =
      proto::DecodeEnvelope(AsBytes(Amended([&](ledger::Charter& charter) { charter.log_key = key; }, both_))).value();
  envelope.signatures.clear();
  envelope.signatures.push_back({begun.Keys("us.fbi/kim").signature.id(), {}});
  auto statement = proto::MakeStatement(std::move(envelope));
  ASSERT_TRUE(statement) << statement.error().Message();
  honest.Log(ledger::TrustLogged(*std::move(statement)),
             {statement->digest, begun.broker.authority, {}, {ledger::Verdict{}}});
  const auto refused = SessionOf("mx.fgr/admin")->Inbox();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().reason == Reason::kBadSignature || refused.error().reason == Reason::kNotAuthorised)
      << refused.error().Message();
}

}  // namespace
}  // namespace valija::client
