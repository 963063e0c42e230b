// A profile on disk: making, joining, unlocking, locking; the member card.
#include "client/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/client/world.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;
using test::Words;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

unsigned ModeOf(const fs::path& path) {
  struct stat found {};
  EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

class ProfileTest : public ::testing::Test, public test::ClientWorld {
 protected:
  // As made by init: not joined.
  fs::path Fresh(const std::string& member = "us.dea/ana") {
    const auto at = ProfileOf(member);
    for (const char* name : {"charter.envelope", "certificate.pem", "pin"}) fs::remove(at / name);
    test::WriteText(at / "profile.json",
                    R"({"valija-profile":1,"member":")" + member + R"(","broker":"","charter":""})");
    return at;
  }
  Status Join(const Bytes& charter, const Digest& digest, const std::string& certificate,
              const std::string& address = test::kAddress, Time now = test::FakeBroker::Now()) {
    auto profile = Profile::Open(Fresh()).value();
    auto joined = profile.Join(charter, digest, address, certificate, now);
    EXPECT_EQ(profile.joined(), joined.has_value());
    EXPECT_EQ(fs::exists(profile.folder() / "charter.envelope"), joined.has_value());
    return joined;
  }
  Status JoinWith(const std::string& certificate) { return Join(charter_, begun.charter_digest, certificate); }
  std::string Issue(const std::string& ca, const std::string& names, const std::string& for_key_of) {
    return begun.cas.at(ca).Issue(ca, names, begun.Keys(for_key_of).authentication);
  }
  Bytes charter_ = proto::EncodeEnvelope(begun.charter_envelope);
};

TEST_F(ProfileTest, IsMadeForItsOwnerAloneWithItsKeysEncrypted) {
  crypto::SystemRandom random;
  const auto at = folder / "new";
  ::umask(0);
  auto made = Profile::Create(at, test::Member("us.dea/new"), Words("secret words"), random);
  ::umask(022);
  ASSERT_TRUE(made);
  EXPECT_EQ(ModeOf(at), 0700u);
  EXPECT_EQ(ModeOf(at / "keys"), 0700u);
  EXPECT_EQ(ModeOf(at / "profile.json"), 0600u);
  for (const char* name : {"authentication", "signature", "key-management"}) {
    const auto file = at / "keys" / (std::string(name) + ".pem");
    EXPECT_EQ(ModeOf(file), 0600u);
    EXPECT_THAT(test::ReadAll(file), StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  }
  EXPECT_THAT(test::ReadAll(at / "request.csr"), StartsWith("-----BEGIN CERTIFICATE REQUEST-----"));
  auto profile = Profile::Open(at).value();
  EXPECT_EQ(profile.member().str(), "us.dea/new");
  EXPECT_FALSE(profile.joined());
  EXPECT_EQ(profile.CertificatePem().error().reason, Reason::kNotReady);

  auto keys = profile.Unlock(Words("secret words")).value();
  auto card = MemberCard::Parse(test::ReadAll(at / "member.card")).value();
  EXPECT_EQ(card.keys.auth_key_id, keys.authentication.id());
  EXPECT_EQ(card.keys.signing_key, keys.signature.verify_key().point());
  EXPECT_EQ(card.keys.kem_key, keys.key_management.public_key().point());
  EXPECT_NE(keys.authentication.id(), keys.signature.id());

  EXPECT_EQ(profile.Unlock(Words("secret wordz")).error().reason, Reason::kBadPassphrase);
  EXPECT_EQ(profile.Unlock(Words("")).error().reason, Reason::kBadPassphrase);
}

TEST_F(ProfileTest, IsNotMadeOverAnotherOne) {
  crypto::SystemRandom random;
  const auto at = ProfileOf("us.dea/ana");
  const auto key = test::ReadAll(at / "keys" / "signature.pem");
  EXPECT_EQ(Profile::Create(at, test::Member("us.dea/ana"), Words("x"), random).error().reason, Reason::kExists);
  EXPECT_EQ(test::ReadAll(at / "keys" / "signature.pem"), key);
}

TEST_F(ProfileTest, RefusesKeysThatOthersMayRead) {
  const auto at = ProfileOf("us.dea/ana");
  fs::permissions(at / "keys" / "signature.pem", fs::perms::group_read, fs::perm_options::add);
  EXPECT_EQ(Profile::Open(at).value().Unlock(Words(test::kPassphrase)).error().reason, Reason::kUnsafeFile);
}

TEST_F(ProfileTest, IsOpenOnlyOnceAtATime) {
  const auto at = ProfileOf("us.dea/ana");
  {
    auto first = Profile::Open(at).value();
    auto second = Profile::Open(at);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().reason, Reason::kLocked);
  }
  EXPECT_TRUE(Profile::Open(at));
}

TEST_F(ProfileTest, SaysThatThereIsNone) {
  EXPECT_EQ(Profile::Open(folder / "none").error().reason, Reason::kNotReady);
  fs::create_directory(folder / "damaged");
  for (const char* text : {"", "[]", "{}", R"({"member":"nobody"})", R"({"member":7})"}) {
    test::WriteText(folder / "damaged" / "profile.json", text);
    EXPECT_EQ(Profile::Open(folder / "damaged").error().reason, Reason::kCorrupt) << text;
  }
}

TEST_F(ProfileTest, JoinsAndIsJoinedWhenOpenedAgain) {
  ASSERT_TRUE(JoinWith(Issue("us.dea", "us.dea/ana", "us.dea/ana")));
  auto profile = Profile::Open(ProfileOf("us.dea/ana")).value();
  ASSERT_TRUE(profile.joined());
  EXPECT_EQ(profile.broker(), test::kAddress);
  EXPECT_EQ(profile.charter()->digest, begun.charter_digest);
  EXPECT_FALSE(profile.pin());
  EXPECT_TRUE(profile.CertificatePem());
}

TEST_F(ProfileTest, RefusesACertificateOfAnotherCa) {
  EXPECT_EQ(JoinWith(Issue("mx.fgr", "us.dea/ana", "us.dea/ana")).error().reason, Reason::kBadCertificate);
  EXPECT_EQ(JoinWith(Issue("carrier", "us.dea/ana", "us.dea/ana")).error().reason, Reason::kBadCertificate);
  crypto::SystemRandom random;  // of the same name, with another key
  auto impostor = test::Authority::Make("us.dea", random);
  EXPECT_EQ(JoinWith(impostor.Issue("us.dea", "us.dea/ana", begun.Keys("us.dea/ana").authentication)).error().reason,
            Reason::kBadCertificate);
}

TEST_F(ProfileTest, RefusesACertificateForAnotherKeyOrAnotherMember) {
  EXPECT_EQ(JoinWith(Issue("us.dea", "us.dea/ana", "us.dea/admin")).error().reason, Reason::kBadCertificate);
  EXPECT_EQ(JoinWith(Issue("us.dea", "us.dea/admin", "us.dea/ana")).error().reason, Reason::kBadCertificate);
  EXPECT_EQ(JoinWith("no certificate").error().reason, Reason::kBadCertificate);
}

TEST_F(ProfileTest, RefusesACertificateThatHasEnded) {
  EXPECT_EQ(Join(charter_, begun.charter_digest, Issue("us.dea", "us.dea/ana", "us.dea/ana"), test::kAddress,
                 *ParseTime("2029-01-01"))
                .error()
                .reason,
            Reason::kBadCertificate);
}

TEST_F(ProfileTest, RefusesACharterOfAnotherDigest) {
  Digest other = begun.charter_digest;
  other.bytes[31] ^= 1;
  auto joined = Join(charter_, other, Issue("us.dea", "us.dea/ana", "us.dea/ana"));
  EXPECT_EQ(joined.error().reason, Reason::kBadSignature);
  EXPECT_THAT(joined.error().detail, HasSubstr("do not join"));
}

TEST_F(ProfileTest, RefusesACharterThatNotEverybodySigned) {
  auto envelope = begun.charter_envelope;
  envelope.signatures.pop_back();
  auto joined =
      Join(proto::EncodeEnvelope(envelope), begun.charter_digest, Issue("us.dea", "us.dea/ana", "us.dea/ana"));
  EXPECT_EQ(joined.error().reason, Reason::kBadSignature);
  EXPECT_FALSE(Join({1, 2, 3}, begun.charter_digest, ""));
}

TEST_F(ProfileTest, RefusesAnAddressWithoutAPort) {
  const auto certificate = Issue("us.dea", "us.dea/ana", "us.dea/ana");
  EXPECT_EQ(Join(charter_, begun.charter_digest, certificate, "broker").error().reason, Reason::kUsage);
  EXPECT_EQ(Join(charter_, begun.charter_digest, certificate, "").error().reason, Reason::kUsage);
}

TEST_F(ProfileTest, RefusesACharterFileThatWasExchanged) {
  const auto at = ProfileOf("us.dea/ana");
  auto charter = begun.charter;
  charter.title = "Another agreement";
  const auto bytes = proto::EncodeEnvelope(begun.Sign(charter));
  test::WriteText(at / "charter.envelope", AsText(bytes));
  EXPECT_EQ(Profile::Open(at).error().reason, Reason::kCorrupt);
}

TEST_F(ProfileTest, ForgetsWhatItKnewUnderAnotherCharter) {
  SessionOf("us.dea/ana")->Inbox().value();
  const auto at = ProfileOf("us.dea/ana");
  ASSERT_TRUE(fs::exists(at / "pin"));
  const auto certificate = Issue("us.dea", "us.dea/ana", "us.dea/ana");
  {
    auto profile = Profile::Open(at).value();
    ASSERT_TRUE(profile.Join(charter_, begun.charter_digest, "elsewhere:1", certificate, test::FakeBroker::Now()));
    EXPECT_TRUE(profile.pin());  // the same charter at another address: the same log
  }
  auto charter = begun.charter;
  charter.title = "Another agreement";
  auto envelope = begun.Sign(charter);
  auto profile = Profile::Open(at).value();
  ASSERT_TRUE(profile.Join(proto::EncodeEnvelope(envelope), crypto::DigestOf(envelope.payload_type, envelope.payload),
                           test::kAddress, certificate, test::FakeBroker::Now()));
  EXPECT_FALSE(profile.pin());
  for (const char* name : {"pin", "directory.log", "mail.log", "cursor"}) EXPECT_FALSE(fs::exists(at / name)) << name;
}

TEST_F(ProfileTest, KeepsThePinAndRefusesOneThatTheLogDidNotSign) {
  const auto at = ProfileOf("us.dea/ana");
  SessionOf("us.dea/ana")->Directory().value();
  EXPECT_EQ(Profile::Open(at).value().pin()->note(), honest.Checkpoint());
  auto note = test::ReadAll(at / "pin");
  note[note.size() - 10] = note[note.size() - 10] == 'A' ? 'B' : 'A';
  test::WriteText(at / "pin", note);
  EXPECT_EQ(Profile::Open(at).error().reason, Reason::kBadCheckpoint);
}

TEST_F(ProfileTest, StopsForGoodAtAForkAndKeepsTheFirstEvidence) {
  const auto at = ProfileOf("us.dea/ana");
  {
    auto profile = Profile::Open(at).value();
    EXPECT_FALSE(profile.forked());
    const auto said = profile.RecordFork("note one", "note two", "what was asked", Refuse(Reason::kFork, "two trees"));
    EXPECT_EQ(said.detail, "two trees");
    EXPECT_TRUE(profile.forked());
    EXPECT_EQ(profile.RecordFork("note three", "note four", "later", Refuse(Reason::kFork)).detail, "");
  }
  const auto evidence = test::ReadAll(at / "FORK");
  EXPECT_THAT(evidence, HasSubstr("note one"));
  EXPECT_THAT(evidence, HasSubstr("note two"));
  EXPECT_THAT(evidence, HasSubstr("what was asked"));
  EXPECT_THAT(evidence, Not(HasSubstr("note three")));
  EXPECT_EQ(Profile::Open(at).error().reason, Reason::kFork);
  fs::remove(at / "FORK");  // a person has looked
  EXPECT_TRUE(Profile::Open(at));
}

TEST_F(ProfileTest, SaysAForkWithBothNotesWhereTheEvidenceCannotBeWritten) {
  const auto at = ProfileOf("us.dea/ana");
  auto profile = Profile::Open(at).value();
  fs::remove_all(at);
  const auto said =
      profile.RecordFork("note one\n", "note two\n", "what was asked", Refuse(Reason::kFork, "two trees"));
  EXPECT_EQ(said.reason, Reason::kFork);
  EXPECT_THAT(said.detail, ::testing::StartsWith("two trees; the evidence could not be written"));
  EXPECT_THAT(said.detail, HasSubstr("note one\nnote two\n"));
  EXPECT_TRUE(profile.forked());
}

// ---- caches ----

TEST_F(ProfileTest, CutsATornTailAndGoesOnFromThere) {
  auto profile = Profile::Open(ProfileOf("us.dea/ana")).value();
  std::vector<proto::LoggedEntry> entries;
  for (const auto& entry : honest.entries) entries.push_back(honest.Logged(entry));
  ASSERT_TRUE(profile.AppendTo("mail.log", {entries[0], entries[1]}));
  const auto file = profile.folder() / "mail.log";
  const auto whole = test::ReadAll(file);
  ASSERT_TRUE(profile.AppendTo("mail.log", {entries[2]}));
  const auto longer = test::ReadAll(file);
  for (std::size_t cut = whole.size(); cut < longer.size(); cut += 7) {
    test::WriteText(file, longer.substr(0, cut));
    EXPECT_EQ(profile.Load("mail.log").size(), 2u);
    EXPECT_EQ(fs::file_size(file), whole.size());
  }
  ASSERT_TRUE(profile.AppendTo("mail.log", {entries[2]}));
  auto loaded = profile.Load("mail.log");
  ASSERT_EQ(loaded.size(), 3u);
  EXPECT_EQ(loaded[2].commitment, entries[2].commitment);
}

TEST_F(ProfileTest, ForgetsACursorThatIsAheadOfTheMail) {
  fs::path file;
  {
    auto profile = Profile::Open(ProfileOf("us.dea/ana")).value();
    file = profile.folder() / "cursor";
    EXPECT_EQ(profile.cursor(), 0u);
    ASSERT_TRUE(profile.AppendTo("mail.log", {honest.Logged(honest.entries[0])}));
    ASSERT_TRUE(profile.SetCursor(9));
    EXPECT_EQ(profile.cursor(), 9u);
    ASSERT_TRUE(profile.Forget("mail.log"));
    EXPECT_EQ(profile.cursor(), 0u);
  }
  EXPECT_EQ(Profile::Open(ProfileOf("us.dea/ana")).value().cursor(), 0u);
  for (const char* text : {"", "x", "9", "-1 x"}) {
    test::WriteText(file, text);
    EXPECT_EQ(Profile::Open(ProfileOf("us.dea/ana")).value().cursor(), 0u) << text;
  }
}

TEST_F(ProfileTest, KeepsTheLastCursorWhenItCloses) {
  {
    auto profile = Profile::Open(ProfileOf("us.dea/ana")).value();
    for (std::uint64_t at : {3, 4, 9}) ASSERT_TRUE(profile.SetCursor(at));
    EXPECT_EQ(profile.cursor(), 9u);
  }
  EXPECT_EQ(Profile::Open(ProfileOf("us.dea/ana")).value().cursor(), 9u);
}

// ---- what it keeps for itself ----

class KeptTest : public ProfileTest {
 protected:
  static KeptSecret Secret(std::uint8_t which, std::size_t keys = 1) {
    KeptSecret one;
    one.statement.bytes.fill(which);
    one.ciphertext = Bytes(16 + 32 * keys, which);
    return one;
  }
  Result<KeptSecret> Find(std::uint8_t which) {
    return Profile::Open(at).value().FindKept("sent.log", Secret(which).statement);
  }
  Status Keep(std::uint8_t which, std::size_t keys = 1) {
    return Profile::Open(at).value().Keep("sent.log", {Secret(which, keys)});
  }
  const fs::path at = ProfileOf("us.dea/ana");
  const fs::path file = at / "sent.log";
};

TEST_F(KeptTest, IsFoundAgainTheLastOfAStatement) {
  EXPECT_EQ(Find(1).error().reason, Reason::kNotFound);
  ASSERT_TRUE(Keep(1));
  ASSERT_TRUE(Keep(2, 3));
  ASSERT_TRUE(Keep(1, 2));
  EXPECT_EQ(Find(1).value().ciphertext, Secret(1, 2).ciphertext);
  EXPECT_EQ(Find(2).value().ciphertext, Secret(2, 3).ciphertext);
  EXPECT_EQ(Find(3).error().reason, Reason::kNotFound);
  EXPECT_EQ(ModeOf(file), 0600u);
}

TEST_F(KeptTest, GoesOnBehindAnItemThatWasNeverFinished) {
  ASSERT_TRUE(Keep(1));
  const auto whole = test::ReadAll(file);
  ASSERT_TRUE(Keep(2));
  const auto longer = test::ReadAll(file);
  for (std::size_t cut = whole.size() + 1; cut < longer.size(); cut += 11) {
    test::WriteText(file, longer.substr(0, cut));
    EXPECT_EQ(Find(2).error().reason, Reason::kNotFound);
    ASSERT_TRUE(Keep(3)) << cut;
    EXPECT_TRUE(Find(1));
    EXPECT_TRUE(Find(3));
  }
}

TEST_F(KeptTest, LeavesAFileAsItIsThatIsDamagedInTheMiddle) {
  ASSERT_TRUE(Keep(1));
  const auto first = test::ReadAll(file).size();
  for (std::uint8_t i = 2; i < 9; ++i) ASSERT_TRUE(Keep(i));
  const auto good = test::ReadAll(file);
  for (std::size_t byte : {first, first + 1, first + 2, first + 3})
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = good;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      test::WriteText(file, damaged);
      EXPECT_EQ(Keep(9).error().reason, Reason::kCorrupt) << byte << " " << bit;
      EXPECT_EQ(test::ReadAll(file), damaged);
      EXPECT_TRUE(Find(1));
      EXPECT_EQ(Find(8).error().reason, Reason::kCorrupt);
    }
}

// ---- the member card ----

class MemberCardTest : public ProfileTest {
 protected:
  nlohmann::json card = nlohmann::json::parse(test::ReadAll(begun.folder.path() / "us.dea_ana" / "member.card"));
  static Reason Refusal(const nlohmann::json& with) {
    auto parsed = MemberCard::Parse(with.dump());
    return parsed ? Reason::kInternal : parsed.error().reason;
  }
};

TEST_F(MemberCardTest, NamesTheMemberAndItsKeys) {
  auto parsed = MemberCard::Parse(card.dump()).value();
  EXPECT_EQ(parsed.member.str(), "us.dea/ana");
  EXPECT_EQ(parsed.keys.auth_key_id, begun.Keys("us.dea/ana").authentication.id());
}

TEST_F(MemberCardTest, IsRefusedWhenAnyFieldIsChanged) {
  const auto other = nlohmann::json::parse(test::ReadAll(begun.folder.path() / "us.dea_admin" / "member.card"));
  for (const char* field : {"member", "authentication", "signature", "key-management", "proof"}) {
    auto changed = card;
    changed[field] = other[field];
    EXPECT_EQ(Refusal(changed), Reason::kBadSignature) << field;
  }
}

TEST_F(MemberCardTest, IsRefusedWhenItIsNoCard) {
  for (const char* text : {"", "[]", "7", "{}", "\"card\""})
    EXPECT_EQ(MemberCard::Parse(text).error().reason, Reason::kMalformed) << text;
  for (auto& [field, value] : card.items()) {
    auto without = card;
    without.erase(field);
    EXPECT_EQ(Refusal(without), Reason::kMalformed) << field;
    without["more"] = 1;
    EXPECT_EQ(Refusal(without), Reason::kMalformed) << field;
    auto another_type = card;
    another_type[field] = nlohmann::json::array();
    EXPECT_EQ(Refusal(another_type), Reason::kMalformed) << field;
  }
  auto more = card;
  more["more"] = 1;
  EXPECT_EQ(Refusal(more), Reason::kMalformed);
  auto no_point = card;
  no_point["key-management"] = "04" + std::string(128, '1');
  EXPECT_EQ(Refusal(no_point), Reason::kBadKey);
  no_point["key-management"] = "02" + std::string(128, '1');
  EXPECT_EQ(Refusal(no_point), Reason::kBadKey);
}

}  // namespace
}  // namespace valija::client
