// From a draft in JSON to a charter that everybody has signed.
#include "client/charter_draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/client/world.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class CharterDraftTest : public ::testing::Test, public test::ClientWorld {
 protected:
  CharterDraftTest() {
    for (const auto& [name, ca] : begun.cas)
      test::WriteText(folder / (name + ".pem"), crypto::Certificate::FromDer(ca.der).value().ToPem());
    for (const char* member : {"us.dea/admin", "us.dea/ana", "mx.fgr/admin"})
      fs::copy_file(test::Beginning::Folder(begun.folder.path(), member) / "member.card", folder / CardOf(member));
    broker_card = {{"valija-broker-card", 1},
                   {"authority", "broker-1"},
                   {"log-key", begun.charter.log_key},
                   {"release-key", begun.broker.release_key.public_key().point().Hex()}};
    draft = {{"origin", begun.broker.origin},
             {"title", "Agreement"},
             {"agencies",
              {{{"id", "us.dea"},
                {"name", "One"},
                {"ca", "us.dea.pem"},
                {"administrators",
                 {{{"card", CardOf("us.dea/admin")}, {"clearance", "secret"}, {"roles", {"b", "a"}}},
                  {{"card", CardOf("us.dea/ana")}}}}},
               {{"id", "mx.fgr"},
                {"name", "Two"},
                {"ca", "mx.fgr.pem"},
                {"administrators", {{{"card", CardOf("mx.fgr/admin")}}}}}}},
             {"brokers", {"broker.card"}},
             {"carrier-ca", "carrier.pem"},
             {"joint-auditors", {"us.dea/ana"}},
             {"purposes", {"investigation", "analysis"}},
             {"clearances", {"restricted", "secret"}},
             {"caps", {{"max-portions", 4}}}};
  }
  static std::string CardOf(std::string member) {
    std::replace(member.begin(), member.end(), '/', '_');
    return member + ".card";
  }
  Result<ledger::Envelope> Make() {
    test::WriteText(folder / "broker.card", broker_card.dump());
    test::WriteText(folder / "charter.json", "// comments are allowed\n" + draft.dump(1));
    return DraftCharter(folder / "charter.json", test::FakeBroker::Now(), random);
  }
  // The refusal of the draft as it is.
  Error Refused() {
    auto made = Make();
    EXPECT_FALSE(made) << draft.dump();
    return made ? Error{} : made.error();
  }
  void ExpectRefused() { EXPECT_FALSE(Make()) << draft.dump(); }
  Status Sign(ledger::Envelope& envelope, const std::string& member) {
    return SignCharter(envelope, test::Member(member), begun.Keys(member).signature);
  }
  crypto::SystemRandom random;
  Json draft, broker_card;
};

TEST_F(CharterDraftTest, IsCompleteOnceEveryAgencyHasSigned) {
  auto envelope = Make().value();
  EXPECT_THAT(DescribeCharter(envelope).value(), HasSubstr("incomplete: not every agency has signed"));
  ASSERT_TRUE(Sign(envelope, "us.dea/ana"));
  auto text = DescribeCharter(envelope).value();
  EXPECT_THAT(text, HasSubstr("us.dea/ana  has signed"));
  EXPECT_THAT(text, HasSubstr("us.dea/admin  has not signed"));
  EXPECT_THAT(text, HasSubstr("incomplete"));
  ASSERT_TRUE(Sign(envelope, "mx.fgr/admin"));
  text = DescribeCharter(envelope).value();
  EXPECT_THAT(text, HasSubstr("complete: every agency has signed"));
  EXPECT_THAT(text, Not(HasSubstr("incomplete")));
  EXPECT_THAT(text, HasSubstr(crypto::DigestOf(envelope.payload_type, envelope.payload).Hex()));
  ASSERT_TRUE(Sign(envelope, "mx.fgr/admin"));  // again: no second signature
  EXPECT_EQ(envelope.signatures.size(), 2u);

  auto statement = ledger::VerifyCharter(proto::MakeStatement(envelope).value()).value();
  const auto& charter = std::get<ledger::Charter>(statement->payload);
  EXPECT_EQ(charter.agencies[0].id.str(), "mx.fgr");  // ascending, whatever the draft's order
  EXPECT_EQ(charter.agencies[1].administrators[0].attributes.roles, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(charter.purposes, (std::vector<std::string>{"analysis", "investigation"}));
  EXPECT_EQ(charter.caps.max_portions, 4u);
  EXPECT_EQ(charter.caps.max_recipients, ledger::CharterCaps().max_recipients);
}

TEST_F(CharterDraftTest, RefusesASignatureOfWhoIsNoAdministrator) {
  auto envelope = Make().value();
  EXPECT_EQ(Sign(envelope, "mx.fgr/luis").error().reason, Reason::kNotAuthorised);
  EXPECT_EQ(Sign(envelope, "us.fbi/kim").error().reason, Reason::kNotAuthorised);
  // The right member with another key, and an administrator's key under another name.
  EXPECT_EQ(SignCharter(envelope, test::Member("us.dea/ana"), begun.Keys("us.dea/admin").signature).error().reason,
            Reason::kNotAuthorised);
  EXPECT_EQ(SignCharter(envelope, test::Member("mx.fgr/luis"), begun.Keys("mx.fgr/admin").signature).error().reason,
            Reason::kNotAuthorised);
  EXPECT_TRUE(envelope.signatures.empty());
}

TEST_F(CharterDraftTest, SignsAndDescribesNothingButACharter) {
  ledger::Envelope other{
      ledger::PayloadType(ledger::Kind::kRevocation), honest.entries[1].statement->envelope.payload, {}, {}};
  EXPECT_FALSE(Sign(other, "us.dea/admin"));
  other = honest.entries[1].statement->envelope;  // an epoch
  EXPECT_EQ(Sign(other, "us.dea/admin").error().reason, Reason::kUnknownType);
  EXPECT_EQ(DescribeCharter(other).error().reason, Reason::kUnknownType);
}

TEST_F(CharterDraftTest, RefusesKeysThatItDoesNotKnow) {
  const Json good = draft;
  for (const char* where : {"", "/agencies/0", "/agencies/0/administrators/0", "/caps"}) {
    draft = good;
    draft[Json::json_pointer(where)]["max-portion"] = 1;
    auto refused = Refused();
    EXPECT_EQ(refused.reason, Reason::kMalformed) << where;
    EXPECT_THAT(refused.detail, HasSubstr("max-portion")) << where;
  }
}

TEST_F(CharterDraftTest, RefusesWhatIsMissingOrOfAnotherType) {
  const Json good = draft;
  for (const char* key :
       {"/origin", "/title", "/agencies", "/brokers", "/carrier-ca", "/purposes", "/clearances", "/agencies/0/id",
        "/agencies/0/name", "/agencies/0/ca", "/agencies/0/administrators", "/agencies/0/administrators/0/card"}) {
    const Json::json_pointer at(key);
    draft = good;
    draft[at.parent_pointer()].erase(at.back());
    ExpectRefused();
    for (const Json& wrong : {Json(7), Json::object(), Json::array(), Json({1}), Json("")}) {
      if (at.back() == "clearances" && wrong == Json::array()) continue;  // an agreement without a ladder
      draft = good;
      draft[at] = wrong;
      ExpectRefused();
    }
  }
  for (const char* key : {"/joint-auditors", "/caps", "/caps/max-portions", "/agencies/0/administrators/0/roles",
                          "/agencies/0/administrators/0/programmes", "/agencies/0/administrators/0/clearance"}) {
    for (const Json& wrong : {Json(-7), Json(1.5), Json({1}), Json("no such")}) {
      draft = good;
      draft[Json::json_pointer(key)] = wrong;
      if (wrong.is_string() && std::string_view(key).ends_with("clearance")) continue;  // for the ledger to judge
      ExpectRefused();
    }
  }
  draft = good;
  draft["caps"]["max-portions"] = std::uint64_t{1} << 32;
  EXPECT_EQ(Refused().reason, Reason::kMalformed);
  draft = Json::array();
  EXPECT_EQ(Refused().reason, Reason::kMalformed);
  test::WriteText(folder / "charter.json", "{");
  EXPECT_EQ(DraftCharter(folder / "charter.json", {}, random).error().reason, Reason::kMalformed);
}

TEST_F(CharterDraftTest, RefusesWrongPathsAndWrongFiles) {
  const Json good = draft;
  for (const char* key : {"/carrier-ca", "/agencies/0/ca", "/agencies/0/administrators/0/card", "/brokers/0"}) {
    draft = good;
    draft[Json::json_pointer(key)] = "gone.pem";
    auto refused = Refused();
    EXPECT_EQ(refused.reason, Reason::kFile) << key;
    EXPECT_THAT(refused.detail, HasSubstr("gone.pem")) << key;
  }
  EXPECT_EQ(DraftCharter(folder / "gone.json", {}, random).error().reason, Reason::kFile);
  draft = good;
  test::WriteText(folder / "leaf.pem",
                  begun.cas.at("us.dea").Issue("us.dea", "us.dea/ana", begun.Keys("us.dea/ana").authentication));
  draft["carrier-ca"] = "leaf.pem";
  EXPECT_EQ(Refused().reason, Reason::kBadCertificate);
  draft = good;
  draft["agencies"][0]["administrators"][0]["card"] = CardOf("mx.fgr/admin");
  EXPECT_THAT(Refused().detail, HasSubstr("mx.fgr/admin is not of us.dea"));
}

TEST_F(CharterDraftTest, RefusesTheSameAgencyOrAdministratorTwice) {
  const Json good = draft;
  draft["agencies"].push_back(draft["agencies"][0]);
  ExpectRefused();
  draft = good;
  draft["agencies"][0]["administrators"].push_back(draft["agencies"][0]["administrators"][0]);
  ExpectRefused();
}

TEST_F(CharterDraftTest, RefusesABrokerCardThatIsNone) {
  const Json good = broker_card;
  for (auto& [field, value] : good.items()) {
    broker_card = good;
    broker_card.erase(field);
    ExpectRefused();
    broker_card["more"] = 1;
    ExpectRefused();
    for (const Json& wrong : {Json(7), Json::array(), Json("no such!")}) {
      broker_card = good;
      broker_card[field] = wrong;
      ExpectRefused();
    }
  }
  EXPECT_FALSE(BrokerCard::Parse("[]"));
  EXPECT_FALSE(BrokerCard::Parse(""));
  broker_card = good;
  broker_card["release-key"] = "04" + std::string(128, '1');
  EXPECT_EQ(Refused().reason, Reason::kBadKey);
}

}  // namespace
}  // namespace valija::client
