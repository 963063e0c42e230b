// Openings that wait for the witnesses, over the wire: what comes in between counts when they are released.
#include <gmock/gmock.h>

#include <future>

#include "core/log/tree.h"
#include "core/log/witness_policy.h"
#include "tests/broker/net_life.h"
#include "tests/broker/witness_double.h"

namespace valija::test {
namespace {

// One of each country; both cosign while they are let.
struct Both {
  std::atomic<bool> held = false;
  WitnessDouble mx{"mx.fgr"}, us{"us.dea"};
  Both() {
    for (auto* one : {&mx, &us})
      one->lie = [this, one](const std::string& body) {
        return held ? WitnessDouble::Answer{503, "later\n"} : one->Honest(body);
      };
  }
  std::string Policy() const {
    return log::WitnessPolicy::Parse(mx.PolicyLine() + us.PolicyLine() + "group both all mx.fgr us.dea\nquorum both\n")
        .value()
        .Text();
  }
};

class NetWitnessed : public NetLifeTest {
 protected:
  static inline const std::string kLeaving = "us.cbp/vera";
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(random_);
  inline static Digest charter_statement_;

  static Both& Witnesses() {
    static Both both;
    return both;
  }
  void SetUp() override {
    Witnesses().held = false;
    static const bool named = [this] {
      auto charter = Charter();
      charter.witness_policy = Witnesses().Policy();
      charter.max_checkpoint_age_seconds = 3600;
      charter_statement_ = Member("us.dea/karen").verifier->directory().charter_statement();
      Amend(charter);
      // From here on there is something that they have cosigned.
      return Released(Member(kReader).transport->Post({Request(kReader, Send())}, 0)) == 1;
    }();
    ASSERT_TRUE(named);
  }
  ledger::Charter Charter() {
    auto& karen = Member("us.dea/karen");
    EXPECT_TRUE(karen.verifier->Refresh(*karen.transport));
    return *karen.verifier->directory().charter();
  }
  using NetLifeTest::Amend;
  void Amend(ledger::Charter charter) {
    charter.nonce = random_.Make<Nonce>();
    charter.time = Now();
    for (const char* name : {"mx.fgr/alicia", "mx.uif/beatriz"}) (void)Member(name);
    const auto amendment =
        AmendCharter({"mx.fgr/alicia", "mx.uif/beatriz", "us.dea/karen"}, charter, charter_statement_);
    ASSERT_EQ(Post("us.dea/karen", amendment), "");
    charter_statement_ = DigestOf(amendment);
  }
  // Posted while the witnesses are held, and in the log.
  std::future<Result<client::PostAnswer>> Waiting(const std::string& as, const client::Submission& open) {
    const auto size = Size();
    Witnesses().held = true;
    auto* transport = Member(as).transport.get();
    auto out = std::async(std::launch::async,
                          [transport, open] { return transport->Post({open}, 0, std::chrono::minutes(4)); });
    for (int i = 0; i < 6000 && Size() == size; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(Size(), size + 1) << "it is decided";
    return out;
  }
  client::Submission Request(const std::string& as, const Digest& record, Duration good_for = std::chrono::minutes(5)) {
    return Open(as, record, random_.Make<Nonce>(), "", &reply_, good_for);
  }
  client::Submission Recall(const Digest& record) {
    const auto& omar = Member("mx.fgr/omar");
    return Direct(ledger::Kind::kRevocation, proto::EncodeRevocation({By(omar), record, "a test", true}), omar);
  }
  // The member as it is, with another clearance.
  client::Submission Clear(const std::string& member, const std::string& clearance) {
    auto& karen = Member("us.dea/karen");
    EXPECT_TRUE(karen.verifier->Refresh(*karen.transport));
    const auto* known = karen.verifier->directory().member(*MemberId::Parse(member));
    auto record = known->record;
    record.attributes.clearance = clearance;
    return Direct(ledger::Kind::kEnrolment, proto::EncodeEnrolment({By(karen), record, known->enrolment, {}}), karen);
  }
  // The refusal that comes shortly before the caller would stop listening. (A busy machine may be too slow once.)
  Error Late(const client::Submission& request) {
    for (int i = 0; i < 20; ++i) {
      const auto answer = Member(kReader).transport->Post({request}, 0, std::chrono::seconds(3));
      if (!answer && answer.error().reason == Reason::kDeadline) continue;
      EXPECT_TRUE(answer) << answer.error().Message();
      if (!answer) return answer.error();
      EXPECT_FALSE(answer->outcomes.at(0)) << "it was released";
      return answer->outcomes[0] ? Refuse(Reason::kInternal) : answer->outcomes[0].error();
    }
    return Refuse(Reason::kDeadline);
  }
  // How many shares came, of an opening that was granted.
  static std::size_t Released(Result<client::PostAnswer> answer) {
    EXPECT_TRUE(answer) << answer.error().Message();
    if (!answer) return 99;
    const auto& outcome = answer->outcomes.at(0);
    EXPECT_TRUE(outcome) << outcome.error().Message();
    return outcome ? outcome->releases.size() : 99;
  }
  bool IsInTheOperationsLog(const std::string& event, const Digest& statement, const std::string& reason) const {
    std::ifstream in(world_.root() / "broker/operations.log");
    for (std::string line; std::getline(in, line);)
      if (line.find("\"" + event + "\"") != std::string::npos && line.find(statement.Hex()) != std::string::npos &&
          line.find("\"" + reason + "\"") != std::string::npos)
        return true;
    return false;
  }
};

TEST_F(NetWitnessed, AnOpeningWaitsForThemAndIsReleasedWhenTheyHaveCoveredIt) {
  auto opened = Waiting(kReader, Request(kReader, Send()));
  EXPECT_EQ(opened.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  Witnesses().held = false;
  EXPECT_EQ(Released(opened.get()), 1u);
}

TEST_F(NetWitnessed, AtItsDeadlineItIsSaidWhoIsMissingAndTheSameRequestIsAnsweredWhenTheyAreBack) {
  const auto request = Request(kReader, Send());
  Witnesses().held = true;
  const auto late = Late(request);
  EXPECT_EQ(late.reason, Reason::kNoQuorum);
  for (const char* missing : {"mx.fgr", "us.dea"})
    EXPECT_NE(late.detail.find(missing), std::string::npos) << late.detail;
  Witnesses().held = false;
  EXPECT_EQ(Released(Member(kReader).transport->Post({request}, 0, std::chrono::minutes(4))), 1u);
}

TEST_F(NetWitnessed, WhoHasCosignedIsNotNamedAmongThoseThatAreMissing) {
  const auto request = Request(kReader, Send());
  Witnesses().us.away = true;
  auto late = Late(request);
  for (int i = 0; i < 20 && late.detail.find("mx.fgr") != std::string::npos; ++i) late = Late(request);
  Witnesses().us.away = false;
  EXPECT_NE(late.detail.find("us.dea"), std::string::npos) << late.detail;
  EXPECT_EQ(late.detail.find("mx.fgr"), std::string::npos) << late.detail;
}

TEST_F(NetWitnessed, AWitnessedReceiptIsThereWhenTheQuorumCoversItsEntryAndNotBefore) {
  auto& omar = Member("mx.fgr/omar");
  Witnesses().held = true;
  const auto record = Send();  // sending waits for nobody
  const auto early = omar.transport->Receipt(record, omar.verifier->verified_size(), true);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().reason, Reason::kNoQuorum);
  Witnesses().held = false;
  auto receipt = omar.transport->Receipt(record, omar.verifier->verified_size(), true);
  for (int i = 0; i < 6000 && !receipt; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    receipt = omar.transport->Receipt(record, omar.verifier->verified_size(), true);
  }
  ASSERT_TRUE(receipt) << receipt.error().Message();
  const auto key = log::NoteVerifier::Parse(Charter().log_key).value();
  const auto witnessed = log::WitnessPolicy::Parse(Witnesses().Policy())->Verify(receipt->second.checkpoint, {&key, 1});
  ASSERT_TRUE(witnessed) << witnessed.error().Message();
  EXPECT_EQ(witnessed->cosigned.size(), 2u);
  EXPECT_TRUE(receipt->first.head.statement == record);
  EXPECT_TRUE(log::VerifyInclusion(receipt->first.head.index, witnessed->checkpoint.size,
                                   ledger::EntryLeaf(ledger::CommitEntry(receipt->first.salt, receipt->first.head)),
                                   receipt->first.path, witnessed->checkpoint.root));
}

TEST_F(NetWitnessed, StrangersAreShownWhatBothCosignedAndNothingNewerMeanwhile) {
  std::ifstream in(world_.root() / "broker/out");
  int port = 0;
  for (std::string line; std::getline(in, line);)
    if (const auto at = line.find("public log on port "); at != std::string::npos)
      port = std::stoi(line.substr(at + 19));
  ASSERT_NE(port, 0);
  httplib::Client stranger("127.0.0.1", port);
  const auto key = log::NoteVerifier::Parse(Charter().log_key).value();
  const auto policy = log::WitnessPolicy::Parse(Witnesses().Policy()).value();
  const auto shown = [&]() -> std::uint64_t {
    const auto answer = stranger.Get("/checkpoint");
    if (!answer || answer->status != 200) return 0;
    const auto witnessed = policy.Verify(answer->body, {&key, 1});
    EXPECT_TRUE(witnessed) << witnessed.error().Message() << answer->body;
    return witnessed ? witnessed->checkpoint.size : 0;
  };
  const auto reaches = [&](std::uint64_t size) {
    for (int i = 0; i < 3000 && shown() < size; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return shown() >= size;
  };
  Send();
  ASSERT_TRUE(reaches(Size()));
  Witnesses().held = true;
  const auto before = shown();
  Send();
  for (int i = 0; i < 10; ++i) {
    EXPECT_LE(shown(), before);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_GT(Size(), before);
  Witnesses().held = false;
  EXPECT_TRUE(reaches(Size()));
}

TEST_F(NetWitnessed, WhatIsRecalledRevokedOrTightenedWhileAnOpeningWaitsIsNotReleased) {
  for (const std::string what : {"recalled", "revoked", "tightened"}) {
    const auto sent = Seal(1)[0];
    ASSERT_EQ(Post("mx.fgr/omar", sent), "");
    auto opened = Waiting(kReader, Request(kReader, DigestOf(sent)));
    const auto act = what == "recalled"  ? Recall(DigestOf(sent))
                     : what == "revoked" ? Revoke("mx.fgr/omar", DigestOf(sent))
                                         : Amend("mx.fgr/omar", sent,
                                                 "marking TLP:RED\nreleasable-to member us.dea/newman\npurpose "
                                                 "analysis\ncase optional\nexpires 2036-01-01\n");
    EXPECT_EQ(Post("mx.fgr/omar", act), "") << what;
    Witnesses().held = false;
    EXPECT_EQ(Released(opened.get()), 0u) << what;
  }
}

TEST_F(NetWitnessed, WhoLosesItsClearanceWhileItsOpeningWaitsGetsNoRelease) {
  const std::string newman = "us.dea/newman";
  const auto record = Send(std::string(kForDea) + "clearance restricted\n");
  auto opened = Waiting(newman, Request(newman, record));
  EXPECT_EQ(Post("us.dea/karen", Clear(newman, "")), "");
  Witnesses().held = false;
  EXPECT_EQ(Released(opened.get()), 0u);
  EXPECT_EQ(Post("us.dea/karen", Clear(newman, "restricted")), "");
}

TEST_F(NetWitnessed, ARequestThatExpiresWhileItWaitsWaitsNoLongerAndIsNotReleased) {
  const auto record = Send();
  std::string outcome = "request-expired";
  client::Submission open;
  Duration took{};
  std::int64_t seconds = 2;
  for (; outcome == "request-expired" && seconds <= 64; seconds *= 2) {  // however slow the machine
    open = Request(kReader, record, std::chrono::seconds(seconds));
    Witnesses().held = true;
    const auto begun = Now();
    auto answer = Member(kReader).transport->Post({open}, 0, std::chrono::minutes(4));
    took = Now() - begun;
    ASSERT_TRUE(answer) << answer.error().Message();
    outcome = answer->outcomes.at(0) ? "" : CodeOf(answer->outcomes[0].error().reason);
  }
  EXPECT_EQ(outcome, "no-quorum");
  EXPECT_LT(took, std::chrono::minutes(3)) << "as long as the request was good, and not as long as the call";
  Witnesses().held = false;
  EXPECT_EQ(Post(kReader, open), "request-expired");
}

// Everything comes in its order, the opening with the rest; its release is asked for when it is covered.
TEST_F(NetWitnessed, AStandingOpeningThatIsNotCoveredHoldsUpNothingThatComesAfterIt) {
  const auto order = Order(kReader, reply_);
  ASSERT_EQ(Post(kReader, order), "");
  Witnesses().held = true;
  const auto from = Size();
  const auto sent = Seal(1)[0];
  ASSERT_EQ(Post("mx.fgr/omar", sent), "");
  ASSERT_EQ(Size(), from + 2) << "opened under the order";
  ASSERT_EQ(Post("mx.fgr/omar", Recall(DigestOf(sent))), "");
  auto second = Seal(1)[0];
  ASSERT_EQ(Post("mx.fgr/omar", second), "");  // from + 3, and its opening
  std::vector<std::uint64_t> seen;
  auto& reader = Member(kReader);
  auto done = reader.transport->Follow(
      from, 0,
      [&](const proto::FollowItem& item) {
        EXPECT_TRUE(item.entry && item.entry->releases.empty());
        if (item.entry) seen.push_back(item.entry->entry.head->index);
        EXPECT_EQ(item.cursor, seen.back() + 1);
        return seen.size() < 5;
      },
      std::chrono::milliseconds(0));
  EXPECT_TRUE(done) << done.error().Message();
  EXPECT_THAT(seen, testing::ElementsAre(from, from + 1, from + 2, from + 3, from + 4));
  Witnesses().held = false;
  const auto released = [&](std::uint64_t index) {
    const auto page = reader.transport->Mailbox(index, 0).value();
    return page.entries.at(0).entry.head->index == index ? page.entries[0].releases.size() : 99;
  };
  std::size_t got = 0;
  for (int i = 0; i < 3000 && got == 0; ++i) {
    got = released(from + 4);
    if (got == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(got, 1u);
  EXPECT_EQ(released(from + 1), 0u) << "recalled while it waited";
  ASSERT_EQ(Post(kReader, Revoke(kReader, DigestOf(order))), "");
}

// The last, as the world is another one afterwards.
TEST_F(NetWitnessed, AnAgencyThatLeavesWhileItsOpeningWaitsGetsNoRelease) {
  auto& omar = Member("mx.fgr/omar");
  ASSERT_TRUE(omar.verifier->Refresh(*omar.transport));
  const auto record =
      Send("marking TLP:GREEN\nreleasable-to agency us.cbp\npurpose analysis\ncase optional\nexpires 2036-01-01\n",
           {"us.cbp"});
  auto without = Charter();
  std::erase_if(without.agencies, [](const auto& one) { return one.id.str() == "us.cbp"; });
  const auto open = Request(kLeaving, record);
  auto opened = Waiting(kLeaving, open);
  Amend(without);
  Witnesses().held = false;
  const auto answer = opened.get();
  EXPECT_FALSE(answer) << "its calls ended with it";
  bool judged = false;
  for (int i = 0; i < 3000 && !judged; ++i) {
    judged = IsInTheOperationsLog("not-released-again", DigestOf(open), "not-enrolled");
    if (!judged) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(judged);
}

}  // namespace
}  // namespace valija::test
