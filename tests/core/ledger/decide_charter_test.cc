// How the charter is amended: agencies that join and leave, keys that follow others, and whose signatures it takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"
#include "tests/support/memory_rows.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using test::Person;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AmendedCharterTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  // What becomes of the charter after this change, signed by these.
  template <class F>
  Result<Decision> Try(std::vector<std::string> signers, F change) {
    auto next = *state.charter();
    change(next);
    auto statement = SignedBy(Amended(std::move(next)), signers);
    if (!statement) return statement.error();
    return Decide(*statement);
  }
  template <class F>
  Reason Refused(std::vector<std::string> signers, F change) {
    auto decision = Try(std::move(signers), std::move(change));
    EXPECT_FALSE(decision);
    return decision ? Reason::kInternal : decision.error().reason;
  }
  template <class F>
  void Amend(std::vector<std::string> signers, F change) {
    auto next = *state.charter();
    change(next);
    Accept(SignedBy(Amended(std::move(next)), signers).value());
  }
  static void Add(Charter& charter, const CharterAgency& agency) {
    charter.agencies.push_back(agency);
    std::sort(charter.agencies.begin(), charter.agencies.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  static void Drop(Charter& charter, std::string_view agency) {
    std::erase_if(charter.agencies, [&](const auto& one) { return one.id.str() == agency; });
    std::erase_if(charter.joint_auditors, [&](const auto& one) { return one.agency().str() == agency; });
  }
  void Leave(std::string_view agency) {
    Amend({"us.dea/admin"}, [&](Charter& c) { Drop(c, agency); });
  }
};

TEST_F(AmendedCharterTest, ReplacesTheOneBefore) {
  Amend({"mx.fgr/admin"}, [](Charter& c) { c.purposes.push_back("training"); });
  EXPECT_EQ(state.charter()->purposes.back(), "training");
  EXPECT_EQ(state.charter_statement(), entries.back().head.statement);
  EXPECT_EQ(state.charter_digest(), entries.front().head.statement);  // the log's name stays
  for (const auto& [id, agency] : state.agencies()) EXPECT_EQ(state.entries_for(id).back(), state.size() - 1);
  EXPECT_EQ(state.directory_entries().back(), state.size() - 1);
}

TEST_F(AmendedCharterTest, NamesTheOneBeforeOfTheSameLogAndIsNotOlder) {
  auto stale = Amended(*state.charter());
  Amend({"us.dea/admin"}, [](Charter& c) { c.title = "Second"; });
  EXPECT_EQ(Refusal(SignedBy(stale, {"us.dea/admin"}).value()), Reason::kWrongPrevious);
  EXPECT_EQ(Refused({"us.dea/admin"}, [](Charter& c) { c.origin = "example.org/other"; }), Reason::kForeignOrigin);
  auto old = Amended(*state.charter());
  old.charter.time = state.charter()->time - Duration(1);
  EXPECT_EQ(Refusal(SignedBy(old, {"us.dea/admin"}).value()), Reason::kBadTime);
  old.charter.time = now + std::chrono::seconds(301);
  EXPECT_EQ(Refusal(SignedBy(old, {"us.dea/admin"}).value()), Reason::kBadTime);
}

TEST_F(AmendedCharterTest, IsSignedByAdministratorsAlone) {
  auto title = [](Charter& c) { c.title = "Second"; };
  EXPECT_EQ(Refused({"us.dea/ana"}, title), Reason::kBadSignature);
  EXPECT_EQ(Refused({"us.dea/admin", "us.dea/ana"}, title), Reason::kBadSignature);
  EXPECT_EQ(Refused({}, title), Reason::kBadSignature);
  EXPECT_EQ(Refused({"us.dea/admin", "us.dea/admin"}, title), Reason::kBadSignature);
  auto& second = Enrol("us.dea/second", "", [](MemberRecord& m) { m.administrator = true; });
  EXPECT_TRUE(Try({"us.dea/second"}, title));
  Accept(Suspension("us.dea/second", us_admin), us_admin);
  EXPECT_EQ(Refused({second.id().str()}, title), Reason::kBadSignature);
}

TEST_F(AmendedCharterTest, IsSignedByTheAdministratorsPresentKey) {
  const Person before = std::move(people.at("us.dea/admin"));
  auto& renewed = NewPerson("us.dea/admin", {}, true);
  auto enrolment = Enrolment(renewed, before);
  Accept(Signed(Unsigned(Kind::kEnrolment, enrolment), before));
  auto amendment = Amended(*state.charter());
  auto statement = SignDirect(Unsigned(Kind::kCharterAmendment, amendment), before.sign);
  EXPECT_FALSE(VerifyCharterAmendment(statement, CharterSigner(state, amendment)));
  EXPECT_TRUE(SignedBy(amendment, {"us.dea/admin"}));
}

TEST_F(AmendedCharterTest, WantsAsManyAgenciesAsTheCharterAsks) {
  Amend({"us.dea/admin"}, [](Charter& c) { c.amendment_signatures = 3; });
  auto title = [](Charter& c) { c.title = "Second"; };
  Enrol("us.dea/second", "", [](MemberRecord& m) { m.administrator = true; });
  EXPECT_EQ(Refused({"us.dea/admin", "mx.fgr/admin"}, title), Reason::kNotAuthorised);
  EXPECT_EQ(Refused({"us.dea/admin", "us.dea/second", "mx.fgr/admin"}, title), Reason::kNotAuthorised);
  EXPECT_TRUE(Try({"us.dea/admin", "mx.fgr/admin", "gt.mp/admin"}, title));
  // The number that is in force counts, not the one that comes.
  EXPECT_EQ(Refused({"us.dea/admin"}, [](Charter& c) { c.amendment_signatures = 1; }), Reason::kNotAuthorised);
}

// ---- its witnesses ----

class WitnessedCharterTest : public AmendedCharterTest {
 protected:
  using Names = std::vector<std::string>;
  std::string Witness(const std::string& name, const std::string& url = "") {
    const auto key = crypto::Ed25519SignKey::Generate(random);
    return "witness " + name + " " + log::Cosigner::Make("w.example/" + name, key.verify_key())->Text() + url + "\n";
  }
  static void With(Charter& charter, const std::string& policy) {
    charter.witness_policy = policy;
    charter.max_checkpoint_age_seconds = 3600;
  }
  Reason RefusedWith(const std::string& policy) {
    return Refused(both_sign_, [&](Charter& c) { With(c, policy); });
  }
  void AmendWith(const std::string& policy) {
    Amend(both_sign_, [&](Charter& c) { With(c, policy); });
  }
  // Who may make the charter's witnesses these: with each list of signers.
  void ExpectSigners(const std::string& policy, const std::vector<Names>& enough, const std::vector<Names>& too_few) {
    const auto change = [&](Charter& c) { With(c, policy); };
    for (const auto& signers : enough) EXPECT_TRUE(Try(signers, change)) << ::testing::PrintToString(signers);
    for (const auto& signers : too_few)
      EXPECT_EQ(Refused(signers, change), Reason::kNotAuthorised) << ::testing::PrintToString(signers);
  }
  const std::string both_ = "group both all mx.fgr us.dea\nquorum both\n";
  const Names both_sign_ = {"mx.fgr/admin", "us.dea/admin"};
};

TEST_F(WitnessedCharterTest, NamesTheQuorumThatIsInForceFromThereOn) {
  EXPECT_EQ(state.witness_policy(), nullptr);
  AmendWith(Witness("mx.fgr") + Witness("us.dea") + both_);
  ASSERT_NE(state.witness_policy(), nullptr);
  EXPECT_TRUE(state.witness_policy()->Satisfied({"mx.fgr", "us.dea"}));
  const auto none = [](Charter& c) {
    c.witness_policy.clear();
    c.max_checkpoint_age_seconds = 0;
  };
  EXPECT_EQ(Refused({"us.dea/admin"}, none), Reason::kNotAuthorised) << "the attack: then nobody has to cosign";
  EXPECT_EQ(Refused({"mx.fgr/admin"}, none), Reason::kNotAuthorised);
  Amend(both_sign_, none);
  EXPECT_EQ(state.witness_policy(), nullptr);
}

// The attack: an administrator of one country puts a key of his own in the other's place, and may then show any log.
TEST_F(WitnessedCharterTest, NoAgencysWitnessIsMadeChangedOrTakenAwayWithoutIt) {
  const std::string mx = Witness("mx.fgr"), us = Witness("us.dea"), other_mx = Witness("mx.fgr");
  ExpectSigners(
      mx + us + both_, {both_sign_, {"mx.fgr/admin", "us.dea/admin", "gt.mp/admin"}},
      {{"us.dea/admin"}, {"mx.fgr/admin"}, {"gt.mp/admin", "us.dea/admin"}, {"us.fbi/admin", "us.dea/admin"}});
  AmendWith(mx + us + both_);
  ExpectSigners(other_mx + us + both_, {both_sign_, {"gt.mp/admin", "mx.fgr/admin"}},
                {{"us.dea/admin"}, {"mx.fgr/admin"}, {"us.dea/admin", "us.fbi/admin", "gt.mp/admin"}});
  const auto url = mx.substr(0, mx.size() - 1) + " http://elsewhere.example\n";
  ExpectSigners(url + us + both_, {both_sign_}, {{"us.dea/admin"}, {"us.dea/admin", "gt.mp/admin"}});
  ExpectSigners(Witness("mx.fgr/2") + us + "group both all mx.fgr/2 us.dea\nquorum both\n", {both_sign_},
                {{"us.dea/admin", "gt.mp/admin"}});
  // Its key under another agency's name is not its witness any more.
  const auto taken = "witness gt.mp" + mx.substr(std::string("witness mx.fgr").size());
  ExpectSigners(taken + us + "group both all gt.mp us.dea\nquorum both\n", {{"gt.mp/admin", "mx.fgr/admin"}},
                {{"us.dea/admin", "gt.mp/admin"}, {"us.dea/admin", "mx.fgr/admin"}});
  // One more of one's own, and another agency of the country does not speak for it.
  ExpectSigners(mx + us + Witness("us.dea/2") + "group us any us.dea us.dea/2\ngroup both all mx.fgr us\nquorum both\n",
                {both_sign_, {"gt.mp/admin", "us.dea/admin"}}, {{"us.dea/admin"}, {"mx.fgr/admin", "us.fbi/admin"}});
}

TEST_F(WitnessedCharterTest, WhoIsAQuorumAndTheLogsKeyAreNotOneCountrysToChange) {
  const std::string mx = Witness("mx.fgr"), us = Witness("us.dea"), gt = Witness("gt.mp");
  Amend({"mx.fgr/admin", "us.dea/admin", "gt.mp/admin"},
        [&](Charter& c) { With(c, mx + us + gt + "group all all mx.fgr us.dea gt.mp\nquorum all\n"); });
  ExpectSigners(mx + us + gt + "group two 2 mx.fgr us.dea gt.mp\nquorum two\n",
                {both_sign_, {"gt.mp/admin", "us.fbi/admin"}}, {{"us.dea/admin", "us.fbi/admin"}, {"mx.fgr/admin"}});
  const auto key = log::NoteVerifier::Make(kOrigin, crypto::Ed25519SignKey::Generate(random).verify_key())->Text();
  const std::vector<std::function<void(Charter&)>> changes = {
      [](Charter& c) { c.max_checkpoint_age_seconds = 1'000'000; }, [](Charter& c) { c.degraded_after_seconds = 1; },
      [](Charter& c) { c.caps.clock_skew_seconds = 3600; }, [&](Charter& c) { c.log_key = key; }};
  for (const auto& change : changes) {
    EXPECT_EQ(Refused({"us.dea/admin", "us.fbi/admin"}, change), Reason::kNotAuthorised);
    EXPECT_TRUE(Try({"us.fbi/admin", "mx.fgr/admin"}, change));
  }
  EXPECT_TRUE(Try({"us.dea/admin"}, [](Charter& c) { c.title = "Anything else"; }));
}

TEST_F(WitnessedCharterTest, OfAnAgencyThatLeavesTheWitnessGoesWithItAndOneThatJoinsBringsItsOwn) {
  const std::string mx = Witness("mx.fgr"), us = Witness("us.dea");
  AmendWith(mx + us + both_);
  const auto without_it = [&](Charter& c) {
    Drop(c, "mx.fgr");
    With(c, Witness("gt.mp") + us + "group both all gt.mp us.dea\nquorum both\n");
  };
  EXPECT_EQ(Refused({"us.dea/admin", "us.fbi/admin"}, without_it), Reason::kNotAuthorised);
  EXPECT_TRUE(Try({"us.dea/admin", "gt.mp/admin"}, without_it)) << "an agency that refuses, or has nobody left";
  const auto joins = NewAgency("co.pnc");
  const auto with_it = [&](Charter& c) {
    Add(c, joins);
    With(c, mx + us + Witness("co.pnc") + "group all all mx.fgr us.dea co.pnc\nquorum all\n");
  };
  EXPECT_EQ(Refused(both_sign_, with_it), Reason::kBadSignature);
  EXPECT_EQ(Refused({"us.dea/admin", "co.pnc/admin"}, with_it), Reason::kNotAuthorised)
      << "who joins is no country yet";
  EXPECT_TRUE(Try({"mx.fgr/admin", "us.dea/admin", "co.pnc/admin"}, with_it));
}

TEST_F(WitnessedCharterTest, NoOneCountrysWitnessesAreAQuorum) {
  const std::string three = Witness("mx.fgr") + Witness("mx.fgr/2") + Witness("us.dea");
  EXPECT_EQ(RefusedWith(three + "group any any mx.fgr mx.fgr/2 us.dea\nquorum any\n"), Reason::kMalformed);
  EXPECT_EQ(RefusedWith(three + "group two 2 mx.fgr mx.fgr/2 us.dea\nquorum two\n"), Reason::kMalformed);
  EXPECT_EQ(RefusedWith(three + "quorum us.dea\n"), Reason::kMalformed);
  EXPECT_TRUE(Try(both_sign_, [&](Charter& c) {
    With(c, three + "group mx any mx.fgr mx.fgr/2\ngroup both all mx us.dea\nquorum both\n");
  }));
}

TEST_F(WitnessedCharterTest, EachIsRunByAnAgencyOfTheCharterUnderAKeyOfItsOwn) {
  EXPECT_EQ(RefusedWith(Witness("mx.fgr") + Witness("us.irs") + "group both all mx.fgr us.irs\nquorum both\n"),
            Reason::kMalformed);
  EXPECT_EQ(RefusedWith(Witness("mx.fgr") + Witness("Bob") + "group both all mx.fgr Bob\nquorum both\n"),
            Reason::kMalformed);
  const auto of_log = log::NoteVerifier::Parse(state.charter()->log_key).value();
  const auto same = "witness us.dea " + log::Cosigner::Make("w.example/x", of_log.key)->Text() + "\n";
  EXPECT_EQ(RefusedWith(Witness("mx.fgr") + same + both_), Reason::kBadKey);
}

TEST_F(WitnessedCharterTest, IsInItsOneFormAndWhole) {
  const std::string good = Witness("mx.fgr") + Witness("us.dea") + both_;
  EXPECT_EQ(RefusedWith("# a comment\n" + good), Reason::kMalformed);
  EXPECT_EQ(RefusedWith("log " + state.charter()->log_key + "\n" + good), Reason::kMalformed);
  EXPECT_EQ(RefusedWith(Witness("mx.fgr") + "quorum none\n"), Reason::kMalformed);
  EXPECT_EQ(Refused(both_sign_, [&](Charter& c) { c.witness_policy = good; }), Reason::kMalformed) << "no age";
  EXPECT_EQ(Refused(both_sign_, [](Charter& c) { c.max_checkpoint_age_seconds = 60; }), Reason::kMalformed);
  EXPECT_EQ(Refused(both_sign_, [](Charter& c) { c.degraded_after_seconds = 60; }), Reason::kMalformed);
}

TEST_F(WitnessedCharterTest, NothingGoesWithoutThemUnlessItSaysSo) {
  const auto record = Accept(NewRecord(ana, {PolicyFor({"mx.fgr"})}).statement, ana);
  const auto& reader = Enrol("mx.fgr/reader", "");
  const auto open = Signed(Open(reader, {Item(record, 0, "mx.fgr")}), reader);
  const auto without = [&] { return ledger::Decide(state, open, now, authority, Nonce{}, true); };
  EXPECT_EQ(without().error().reason, Reason::kNoQuorum);
  Amend(both_sign_, [&](Charter& c) {
    With(c, Witness("mx.fgr") + Witness("us.dea") + both_);
    c.degraded_after_seconds = 60;
  });
  ASSERT_TRUE(without());
  EXPECT_TRUE(without()->unwitnessed);
  const auto other = Signed(ledger::Acknowledgement{By(ana), record, "received"}, ana);
  EXPECT_EQ(ledger::Decide(state, other, now, authority, Nonce{}, true).error().reason, Reason::kNoQuorum)
      << "no opening";
}

TEST_F(AmendedCharterTest, IsAsGoodAsAFirstOne) {
  EXPECT_EQ(Refused({"us.dea/admin"}, [](Charter& c) { c.purposes.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Refused({"us.dea/admin"}, [](Charter& c) { c.caps.response_hours[1] = 0; }), Reason::kMalformed);
  EXPECT_EQ(Refused({"us.dea/admin"}, [](Charter& c) { c.amendment_signatures = 5; }), Reason::kMalformed);
  EXPECT_EQ(Refused({"us.dea/admin"}, [](Charter& c) { c.authorities.erase(c.authorities.begin()); }),
            Reason::kMalformed);  // who decides
}

// ---- joining ----

TEST_F(AmendedCharterTest, LetsAnAgencyJoinThatSigned) {
  const auto joins = NewAgency("co.pnc");
  EXPECT_EQ(Refused({"us.dea/admin"}, [&](Charter& c) { Add(c, joins); }), Reason::kBadSignature);
  EXPECT_EQ(Refused({"co.pnc/admin"}, [&](Charter& c) { Add(c, joins); }),
            Reason::kNotAuthorised);  // nobody lets it in
  Amend({"us.dea/admin", "co.pnc/admin"}, [&](Charter& c) { Add(c, joins); });
  auto& admin = people.at("co.pnc/admin");
  ASSERT_NE(state.active_member(admin.id()), nullptr);
  EXPECT_EQ(state.active_member(admin.id())->enrolment, state.charter_statement());
  Accept(Epoch("co.pnc", admin), admin);
  auto& carla = Enrol("co.pnc/carla", "carla");
  EXPECT_THAT(Ask(carla, {Item(Send({PolicyFor({"co.pnc"})}), 0, "co.pnc")}), ElementsAre(IsEmpty()));
}

TEST_F(AmendedCharterTest, LetsNoAgencyJoinWithSomebodyElsesKeysOrCertificate) {
  auto joins = NewAgency("co.pnc");
  auto with = [&](auto change) {
    auto one = joins;
    change(one);
    return Refused({"us.dea/admin", "co.pnc/admin"}, [&](Charter& c) { Add(c, one); });
  };
  EXPECT_EQ(with([&](auto& a) { a.administrators[0].keys.kem_key = bob.record.keys.kem_key; }), Reason::kBadKey);
  EXPECT_EQ(with([&](auto& a) { a.administrators[0].keys.auth_key_id = bob.record.keys.auth_key_id; }),
            Reason::kBadKey);
  EXPECT_EQ(with([&](auto& a) { a.ca_certificate = test::TestCertificate("us.dea"); }), Reason::kBadCertificate);
  auto decoy = joins;
  decoy.id = Agency("zz.none");
  EXPECT_EQ(Refused({"us.dea/admin"}, [&](Charter& c) { Add(c, decoy); }), Reason::kMalformed);
}

TEST_F(AmendedCharterTest, ChangesNoAdministratorsOfAnAgencyThatStays) {
  EXPECT_EQ(Refused({"us.dea/admin"},
                    [&](Charter& c) {
                      c.agencies[1].administrators.push_back(bob.record);
                      c.agencies[1].administrators.back().administrator = true;
                    }),
            Reason::kMalformed);
  auto stranger = NewPerson("mx.fgr/stranger", {}, true).record;
  EXPECT_EQ(Refused({"us.dea/admin"}, [&](Charter& c) { c.agencies[1].administrators = {stranger}; }),
            Reason::kMalformed);
}

// ---- leaving: by every path it gets nothing ----

class LeavingTest : public AmendedCharterTest {
 protected:
  policy::Policy Wide() {
    auto out = PolicyFor({"us.dea", "us.fbi"});
    out.onward = policy::Onward::kWithinCountry;
    return out;
  }
  Digest before = Accept(NewRecord(mx_ana, {Wide()}).statement, mx_ana);
  Digest order = Accept(Order(fbi_ana), fbi_ana);
  ledger::OpenItem item = Item(before, 0, "us.fbi");
  std::optional<KeyId> epoch = state.agency(Agency("us.fbi"))->current()->key_id;
};

TEST_F(LeavingTest, EndsEveryMember) {
  const Digest early = Accept(Access(fbi_ana, before), fbi_ana);
  Leave("us.fbi");
  EXPECT_TRUE(state.agency(Agency("us.fbi"))->left);
  EXPECT_EQ(state.entries_for(Agency("us.fbi")).back(), state.size() - 1);  // the last that it is told
  for (const auto& [id, member] : state.members()) {
    if (id.agency() != Agency("us.fbi")) continue;
    EXPECT_EQ(member.record.status, MemberStatus::kRemoved);
    EXPECT_EQ(state.member_by_auth_key(member.record.keys.auth_key_id), nullptr);
  }
  auto& admin = people.at("us.fbi/admin");
  EXPECT_EQ(Refusal(Open(fbi_ana, {item}), fbi_ana), Reason::kNotEnrolled);
  EXPECT_EQ(Refusal(Enrolment(fbi_ana, admin), admin), Reason::kNotEnrolled);
  EXPECT_EQ(Refusal(Epoch("us.fbi", admin), admin), Reason::kNotEnrolled);
  EXPECT_EQ(Refused({"us.fbi/admin"}, [](Charter& c) { c.title = "x"; }), Reason::kBadSignature);
  EXPECT_FALSE(state.is_joint_auditor(fbi_ana.id()));
  EXPECT_NE(state.access_request(early), nullptr);
}

TEST_F(LeavingTest, StopsItsStandingOrders) {
  Leave("us.fbi");
  EXPECT_EQ(Refusal(Signed(StandingOpening{order, fbi_ana.id(), before, {0}})), Reason::kNotEnrolled);
}

TEST_F(LeavingTest, LeavesNoRecordForIt) {
  auto direct = NewRecord(ana, {PolicyFor({"us.fbi"})});
  auto country = PolicyFor({});
  country.releasable_to.countries = {"us"};
  auto by_country = NewRecord(mx_ana, {country});
  auto member = PolicyFor({});
  member.releasable_to.members = {fbi_ana.id()};
  auto named = NewRecord(ana, {member});
  Leave("us.fbi");
  EXPECT_EQ(Refusal(direct.statement, ana), Reason::kBadPolicy);
  EXPECT_EQ(Refusal(named.statement, ana), Reason::kBadPolicy);
  EXPECT_EQ(Refusal(by_country.statement, mx_ana), Reason::kBadPolicy);  // made before, with a key half for it
  Accept(NewRecord(mx_ana, {country}).statement, mx_ana);                // made now, without
}

TEST_F(LeavingTest, LeavesNoGrantThroughAThirdAgency) {
  EXPECT_THAT(Ask(ana, {Item(before, 0, "us.dea")}), ElementsAre(IsEmpty()));
  auto onward = Wide();
  onward.releasable_to = PolicyFor({"us.fbi"}).releasable_to;
  auto made = NewGrant(ana, before, {{0, onward}}), originators = NewGrant(mx_ana, before, {{0, onward}});
  EXPECT_TRUE(Decide(Signed(made.statement, ana)));
  Leave("us.fbi");
  EXPECT_EQ(Refusal(made.statement, ana), Reason::kBadPolicy);
  EXPECT_EQ(Refusal(originators.statement, mx_ana), Reason::kBadPolicy);
}

TEST_F(LeavingTest, LeavesNoAmendmentNoApproverAndNoRequestForIt) {
  Leave("us.fbi");
  auto again = Wide();
  again.case_required = true;
  EXPECT_EQ(Refusal(test::World::Amend(mx_ana, before, again), mx_ana), Reason::kBadPolicy);
  auto dual = PolicyFor({"us.dea"});
  dual.approvals = {{1, {fbi_ana.id()}}};
  dual.approval_hours = 1;
  EXPECT_EQ(Refusal(NewRecord(mx_ana, {dual}).statement, mx_ana), Reason::kBadPolicy);
  auto onward = Access(ana, before, Wish::kOnward);
  onward.agency = Agency("us.fbi");
  EXPECT_EQ(Refusal(onward, ana), Reason::kMalformed);
  Accept(test::World::Amend(mx_ana, before, PolicyFor({"us.dea"})), mx_ana);
}

TEST_F(LeavingTest, CountsNoApprovalOfIt) {
  auto& approver = people.at("us.fbi/bob");
  auto dual = PolicyFor({"us.dea"});
  dual.approvals = {{1, {approver.id()}}};
  dual.approval_hours = 1;
  const Digest guarded = Accept(NewRecord(fbi_ana, {dual}).statement, fbi_ana);
  const Digest request = Accept(Open(ana, {Item(guarded, 0, "us.dea")}), ana);
  Accept(Approval{By(approver), request, ApprovalVerdict::kApprove, ""}, approver);
  auto second = Open(ana, {Item(guarded, 0, "us.dea")});
  second.approved_request = request;
  EXPECT_TRUE(Decide(Signed(second, ana)).value().verdicts[0].allowed());
  Leave("us.fbi");
  EXPECT_THAT(ReasonsOf(Decide(Signed(second, ana)).value()), ElementsAre(ElementsAre(Reason::kApprovalMissing)));
}

TEST_F(LeavingTest, MayEndWithItsReturnAndStartsWithANewEpoch) {
  auto agency = state.agency(Agency("us.fbi"))->charter;
  Leave("us.fbi");
  auto back = [&](Charter& c) { Add(c, agency); };
  EXPECT_EQ(Refused({"us.dea/admin"}, back), Reason::kBadSignature);
  Amend({"us.dea/admin", "us.fbi/admin"}, back);
  EXPECT_FALSE(state.agency(Agency("us.fbi"))->left);
  EXPECT_EQ(state.active_member(fbi_ana.id()), nullptr);  // enrolled anew, or not at all
  now += std::chrono::hours(2);
  EXPECT_EQ(Refusal(NewRecord(ana, {PolicyFor({"us.fbi"})}).statement, ana), Reason::kSupersededEpoch);
  auto& admin = people.at("us.fbi/admin");
  Accept(Enrolment(fbi_ana, admin), admin);
  Accept(Epoch("us.fbi", admin), admin);
  EXPECT_EQ(state.agency(Agency("us.fbi"))->epochs.size(), 2U);
  EXPECT_THAT(Ask(fbi_ana, {Item(Send({PolicyFor({"us.fbi"})}), 0, "us.fbi")}), ElementsAre(IsEmpty()));
}

// Its mail went on while it was away, and the look-ups stand before what came since: in parts of the list that were put away.
TEST_F(LeavingTest, ItsReturnIsToldOfLookupsInTheLogsOrderHoweverLongItsMailIs) {
  const auto agency = state.agency(Agency("gt.mp"))->charter;
  const Digest record = Accept(NewRecord(gt_ana, {PolicyFor({"us.dea"})}).statement, gt_ana);
  ASSERT_THAT(Ask(ana, {Item(record, 0, "us.dea")}), ElementsAre(IsEmpty()));
  Leave("gt.mp");
  test::MemoryRows rows;
  State kept;
  kept.KeepIn(rows);
  std::size_t folded = 0;
  const auto keep = [&] {
    for (; folded < entries.size(); ++folded) Apply(kept, entries[folded]);
    rows.Write(kept.TakeRows());
    kept.Trim(0);
  };
  std::vector<std::uint64_t> expected = state.entries_for(Agency("gt.mp")).All();
  const auto mail = [&](int count) {
    for (int i = 0; i < count; ++i) {
      Accept(Acknowledgement{By(ana), record, "useful"}, ana);
      expected.push_back(state.size() - 1);
    }
    keep();
  };
  mail(300);
  for (int i = 0; i < 2; ++i) {
    const Lookup lookup{By(fbi_ana), 0, 0, now + std::chrono::hours(24), "for a reason"};
    expected.push_back(state.lookup(Accept(lookup, fbi_ana))->index);
    mail(600);
  }
  EXPECT_NE(state.entries_for(Agency("gt.mp")).All(), expected) << "while it is away it is not told";
  Amend({"us.dea/admin", "gt.mp/admin"}, [&](Charter& c) { Add(c, agency); });
  expected.push_back(state.size() - 1);
  keep();
  mail(300);
  EXPECT_EQ(state.entries_for(Agency("gt.mp")).All(), expected);
  EXPECT_EQ(State::From(rows).entries_for(Agency("gt.mp")).All(), expected);
}

TEST_F(LeavingTest, LetsNobodyElseComeBackUnderItsName) {
  auto agency = state.agency(Agency("us.fbi"))->charter;
  Leave("us.fbi");
  auto impostor = NewAgency("us.fbi");  // with an administrator of its own, who signs
  EXPECT_EQ(Refused({"us.dea/admin", "us.fbi/admin"}, [&](Charter& c) { Add(c, impostor); }), Reason::kBadSignature);
}

TEST_F(AmendedCharterTest, ChangesNoAgencysCaWithoutIt) {
  auto other_ca = [&](Charter& c) {
    for (auto& agency : c.agencies)
      if (agency.id == Agency("us.fbi")) agency.ca_certificate = test::TestCertificate("co.pnc");
  };
  EXPECT_EQ(Refused({"us.dea/admin"}, other_ca), Reason::kNotAuthorised);
  Amend({"us.fbi/admin"}, other_ca);
}

TEST_F(LeavingTest, NeedsNoMoreSignaturesThanThereAreAgencies) {
  Amend({"us.dea/admin"}, [](Charter& c) { c.amendment_signatures = 4; });
  const std::vector<std::string> all = {"gt.mp/admin", "mx.fgr/admin", "us.dea/admin", "us.fbi/admin"};
  Amend(all, [](Charter& c) {
    Drop(c, "us.fbi");
    c.amendment_signatures = 3;
  });
  Amend({"gt.mp/admin", "mx.fgr/admin", "us.dea/admin"}, [](Charter& c) { c.title = "Three"; });
}

// ---- keys ----

TEST_F(AmendedCharterTest, BringsANewReleaseKeyWhileTheFormerIsTakenForAWhile) {
  auto old_style = NewRecord(ana, {PolicyFor({"mx.fgr"})});
  const Digest before = Send({PolicyFor({"mx.fgr"})});
  auto next = crypto::KemPrivateKey::Generate(random);
  const KeyId former = release_key.public_key().id();
  const Point former_point = release_key.public_key().point();
  Amend({"us.dea/admin"}, [&](Charter& c) { c.authorities[0].release_key = next.public_key().point(); });
  EXPECT_TRUE(state.release_key_taken(authority, former, now));
  EXPECT_TRUE(Decide(Signed(old_style.statement, ana)));
  now += std::chrono::hours(1);
  EXPECT_FALSE(state.release_key_taken(authority, former, now));
  EXPECT_EQ(Refusal(old_style.statement, ana), Reason::kBadHeader);
  release_key = std::move(next);
  Accept(NewRecord(ana, {PolicyFor({"mx.fgr"})}).statement, ana);
  EXPECT_THAT(Ask(mx_ana, {Item(before, 0, "mx.fgr")}), ElementsAre(IsEmpty()));  // what was sent before is not lost
  // A former key does not come back, nor does anybody's become one.
  EXPECT_EQ(Refused({"us.dea/admin"}, [&](Charter& c) { c.authorities[0].release_key = former_point; }),
            Reason::kBadKey);
  EXPECT_EQ(Refused({"us.dea/admin"}, [&](Charter& c) { c.authorities[0].release_key = bob.record.keys.kem_key; }),
            Reason::kBadKey);
}

TEST_F(AmendedCharterTest, BringsANewLogKeyAndRemembersFromWhereOn) {
  const std::string former = state.charter()->log_key;
  auto text = [&] {
    auto key = crypto::Ed25519SignKey::Generate(random);
    return log::NoteVerifier::Make(kOrigin, key.verify_key()).value().Text();
  };
  const std::string next = text();
  Amend({"us.dea/admin", "mx.fgr/admin"}, [&](Charter& c) { c.log_key = next; });
  EXPECT_THAT(state.log_keys(), ElementsAre(std::pair(std::uint64_t{0}, former), std::pair(state.size(), next)));
  EXPECT_EQ(Refused({"us.dea/admin", "mx.fgr/admin"}, [&](Charter& c) { c.log_key = former; }), Reason::kBadKey);
  Amend({"us.dea/admin"}, [](Charter& c) { c.title = "the same keys"; });
  EXPECT_EQ(state.log_keys().size(), 2U);
}

}  // namespace
}  // namespace valija::ledger
