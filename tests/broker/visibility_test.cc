// Who may see which entry, and that nothing is read to find out.
#include "broker/visibility.h"

#include <gtest/gtest.h>

#include <set>
#include <variant>

#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;
using Indexes = std::vector<std::uint64_t>;

// us.dea sends to gt.mp and mx.fgr, which are not told of one another.
class VisibilityTest : public testing::Test {
 protected:
  BrokerRig rig_;
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(rig_.world.random);

  void SetUp() override {
    rig_.Found({"gt.mp", "mx.fgr", "us.dea"});
    for (const char* agency : {"gt.mp", "mx.fgr", "us.dea"}) ASSERT_TRUE(rig_.Post(rig_.world.Epoch(agency)));
    for (const char* id : {"mx.fgr/jefe", "mx.fgr/luis", "us.dea/ana"}) {
      auto& person = rig_.world.NewPerson(id);
      person.record.person = "p";
      ASSERT_TRUE(rig_.Post(rig_.world.Enrol(person)));
    }
    auto& auditor = rig_.world.NewPerson("us.dea/auditor");
    auditor.record.auditor = true;
    ASSERT_TRUE(rig_.Post(rig_.world.Enrol(auditor)));
  }
  policy::Policy ForBoth() {
    auto policy = rig_.world.PolicyFor("gt.mp");
    policy.releasable_to.agencies.push_back(*AgencyId::Parse("mx.fgr"));
    return policy;
  }
  std::uint64_t Accept(const ledger::VerifiedStatement& statement) {
    auto accepted = rig_.Post(statement);
    EXPECT_TRUE(accepted) << accepted.error().Message();
    return accepted ? accepted->head.index : 0;
  }
  ledger::VerifiedStatement Open(const char* by, const Digest& record, const std::string& case_reference = "") {
    return rig_.world.Open(by, {{record, 0}}, rig_.sequencer->checkpoint()->checkpoint(), reply_.public_key(),
                           "investigation", case_reference);
  }
  // Long afterwards: what somebody opened for is kept for a year.
  std::uint64_t Erase(const char* by, const ledger::VerifiedStatement& what) {
    rig_.world.now = rig_.world.now + ledger::kKept + std::chrono::hours(1);
    return Accept(rig_.world.Purge(by, {rig_.world.ErasureOf(*what)}));
  }
  // Also what the whole entry says.
  bool Sees(const std::string& member, std::uint64_t index) {
    const auto id = *MemberId::Parse(member);
    auto entry = rig_.sequencer->Entry(index).value();
    return rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
      const bool sees = MaySee({state, glances}, index, id);
      EXPECT_EQ(VisibleTo({state, glances}, std::move(entry), id).has_value(), sees) << member << " " << index;
      return sees;
    });
  }
  std::string WhoSees(std::uint64_t index) {
    std::string out;
    for (const char* one : {"gt.mp/admin", "mx.fgr/admin", "mx.fgr/jefe", "mx.fgr/luis", "us.dea/admin", "us.dea/ana"})
      if (Sees(one, index)) out += (out.empty() ? "" : " ") + std::string(one);
    return out;
  }
  Shown Page(const std::string& member, const Indexes& entries, std::uint64_t from, std::size_t most,
             bool mail = false) {
    return rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
      return ShownOf({state, glances}, ledger::Entries(entries), from, state.size(), *MemberId::Parse(member), mail,
                     most);
    });
  }
  Indexes CustodyOf(const Digest& record) {
    return rig_.sequencer->Read(
        [&](const ledger::State& state) { return state.entries_of(*state.record(record)).All(); });
  }
};

TEST_F(VisibilityTest, WhatIsHiddenIsPassedOverAndLeavesNoTrace) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  const Digest& record = sent.statement->digest;
  const auto first = Accept(sent.statement);
  for (int i = 0; i < 5; ++i) Accept(Open("mx.fgr/admin", record));
  const auto own = Accept(Open("gt.mp/admin", record));
  const auto size = rig_.sequencer->checkpoint()->size();
  const auto custody = CustodyOf(record);
  ASSERT_EQ(custody.size(), 7u);
  EXPECT_EQ(Page("gt.mp/admin", custody, 0, 10).indexes, (Indexes{first, own}));
  EXPECT_EQ(Page("gt.mp/admin", custody, 0, 10).next, size);
  EXPECT_EQ(Page("gt.mp/admin", custody, first + 1, 10).indexes, Indexes{own});
  EXPECT_EQ(Page("us.dea/admin", custody, 0, 10).indexes, custody);
  EXPECT_EQ(Page("us.dea/admin", custody, 0, 3).indexes.size(), 3u);
  EXPECT_EQ(Page("us.dea/admin", custody, 0, 3).next, custody[3]);
  EXPECT_TRUE(Page("mx.fgr/nobody", custody, 0, 10).indexes.empty());
  EXPECT_EQ(Page("us.dea/admin", Indexes{0, first}, 0, 10, true).indexes, Indexes{first}) << "mail has no directory";
}

TEST_F(VisibilityTest, AfterARestartTheSameIsKnownOfEveryEntryErasedOnesToo) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/admin", sent.statement->digest, "case 7");
  Accept(open);
  Erase("mx.fgr/admin", open);
  std::vector<std::string> before, after;
  for (std::uint64_t i = 0; i < rig_.sequencer->checkpoint()->size(); ++i) before.push_back(WhoSees(i));
  ASSERT_TRUE(rig_.Start());
  for (std::uint64_t i = 0; i < rig_.sequencer->checkpoint()->size(); ++i) after.push_back(WhoSees(i));
  EXPECT_EQ(after, before);
}

TEST_F(VisibilityTest, WhoIsToApproveAnOpeningSeesOfWhatAndNeitherSlipsNorBody) {
  auto policy = rig_.world.PolicyFor("mx.fgr");
  policy.releasable_to = {{}, {}, {*MemberId::Parse("mx.fgr/luis")}};
  policy.marking = policy::Tlp::kRed;
  policy.approvals = {{1, {*MemberId::Parse("mx.fgr/jefe")}}};
  policy.approval_hours = 24;
  const auto sent = rig_.world.Record("us.dea/admin", {policy});
  const auto index = Accept(sent.statement);
  EXPECT_EQ(WhoSees(index), "mx.fgr/luis us.dea/admin us.dea/ana");
  const auto open = Open("mx.fgr/luis", sent.statement->digest);
  const auto asked = Accept(open);
  EXPECT_EQ(WhoSees(index), "mx.fgr/jefe mx.fgr/luis us.dea/admin us.dea/ana");
  EXPECT_TRUE(Sees("mx.fgr/jefe", asked));
  const auto jefe = *MemberId::Parse("mx.fgr/jefe");
  auto entry = rig_.sequencer->Entry(index).value();
  rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
    const auto seen = VisibleTo({state, glances}, std::move(entry), jefe).value();
    EXPECT_EQ(seen.envelope->payload, sent.statement->envelope.payload);
    EXPECT_TRUE(seen.attachments.slips.empty() && seen.attachments.policies.empty());
    EXPECT_FALSE(MayFetchBody(*state.record(sent.statement->digest), 0, jefe));
    return 0;
  });
}

// ---- purges: whoever may see what was erased ----

TEST_F(VisibilityTest, ThePurgeOfAnOpeningsTextIsSeenByWhoSeesTheOpening) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/admin", sent.statement->digest, "case 7");
  const auto opened = Accept(open);
  const auto purge = Erase("mx.fgr/admin", open);
  EXPECT_EQ(WhoSees(purge), "mx.fgr/admin mx.fgr/jefe mx.fgr/luis us.dea/admin us.dea/ana");
  EXPECT_EQ(WhoSees(purge), WhoSees(opened)) << "no co-recipient";
}

// Who got the record is not told how many grants there are of it; who got a grant knows of the record.
TEST_F(VisibilityTest, ThePurgeOfARecordTellsItsRecipientsOfNoGrant) {
  const auto sent = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")});
  Accept(sent.statement);
  const auto grant = rig_.world.Grant("us.dea/admin", sent, rig_.world.PolicyFor("gt.mp"));
  Accept(grant);
  Accept(rig_.world.Revoke("us.dea/admin", sent.statement->digest));
  const auto both =
      rig_.world.Purge("us.dea/admin", {rig_.world.ErasureOf(*sent.statement), rig_.world.ErasureOf(*grant)});
  EXPECT_EQ(rig_.Post(both).error().reason, Reason::kMalformed);
  const auto of_grant = Erase("us.dea/admin", grant), of_record = Erase("us.dea/admin", sent.statement);
  EXPECT_EQ(WhoSees(of_grant), "gt.mp/admin us.dea/admin us.dea/ana");
  EXPECT_EQ(WhoSees(of_record), "gt.mp/admin mx.fgr/admin mx.fgr/jefe mx.fgr/luis us.dea/admin us.dea/ana");
  const auto shown = Page("mx.fgr/luis", CustodyOf(sent.statement->digest), 0, 10).indexes;
  EXPECT_EQ(std::count(shown.begin(), shown.end(), of_grant), 0);
}

TEST_F(VisibilityTest, ThePurgeOfAnApprovalIsSeenByWhoAskedForIt) {
  auto policy = ForBoth();
  policy.approvals = {{1, {*MemberId::Parse("us.dea/ana")}}};
  policy.approval_hours = 1;
  const auto sent = rig_.world.Record("us.dea/admin", {policy});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/luis", sent.statement->digest);
  Accept(open);
  const auto approval = rig_.world.Approve("us.dea/ana", open->digest);
  const auto approved = Accept(approval);
  rig_.world.now = rig_.world.now + std::chrono::hours(2);  // it has served its time
  const auto purge = Erase("us.dea/admin", approval);
  EXPECT_EQ(WhoSees(approved), "mx.fgr/luis us.dea/admin us.dea/ana");
  EXPECT_EQ(WhoSees(purge), "mx.fgr/luis us.dea/admin us.dea/ana");
}

TEST_F(VisibilityTest, ThePurgeOfAnAnswerTellsNoMoreThanTheAnswerDid) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  for (const bool consent : {false, true}) {
    const auto ask =
        rig_.world.AskFor("mx.fgr/luis", sent.statement->digest, ledger::Wish::kMarkLess, policy::Tlp::kGreen);
    Accept(ask);
    const auto answer =
        rig_.world.Answer("us.dea/admin", ask->digest, consent ? std::optional(policy::Tlp::kGreen) : std::nullopt);
    const auto answered = Accept(answer);
    const auto purge = Erase("us.dea/admin", answer);
    EXPECT_EQ(Sees("mx.fgr/luis", answered), consent);
    EXPECT_EQ(Sees("mx.fgr/luis", purge), consent) << "a refusal is silence, and so is its erasure";
    EXPECT_EQ(WhoSees(purge), WhoSees(answered));
  }
}

TEST_F(VisibilityTest, ThePurgeOfAPurgeIsSeenByWhoSeesThatOneThroughTheWholeChain) {
  const auto sent = rig_.world.Record("us.dea/admin", {ForBoth()});
  Accept(sent.statement);
  const auto open = Open("mx.fgr/admin", sent.statement->digest, "case 7");
  Accept(open);
  rig_.world.now = rig_.world.now + ledger::kKept + std::chrono::hours(1);
  auto last = rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*open)});
  const auto first = Accept(last);
  std::uint64_t index = 0;
  for (unsigned i = 0; i < ledger::kMostPurgesOfPurges; ++i) {
    auto next = rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*last)});
    index = Accept(next);
    EXPECT_EQ(WhoSees(index), WhoSees(first)) << i;
    last = next;
  }
  EXPECT_EQ(rig_.Post(rig_.world.Purge("mx.fgr/admin", {rig_.world.ErasureOf(*last)})).error().reason,
            Reason::kTooMany);
  EXPECT_FALSE(Sees("gt.mp/admin", first));
}

// ---- who asked ----

// mx.fgr has the record and asks that gt.mp may have it too.
TEST_F(VisibilityTest, WhoAskedThatAnotherMayHaveItIsToldThatItWasGrantedAndNoMore) {
  const auto sent = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("mx.fgr")});
  Accept(sent.statement);
  const auto onward = [&](const char* by) {
    const auto ask = rig_.world.AskFor(by, sent.statement->digest, ledger::Wish::kOnward, std::nullopt,
                                       AgencyId::Parse(std::string(by).starts_with("mx") ? "gt.mp" : "mx.fgr"));
    Accept(ask);
    return ask->digest;
  };
  const auto granted =
      Accept(rig_.world.Grant("us.dea/admin", sent, rig_.world.PolicyFor("gt.mp"), 0, onward("mx.fgr/luis")));
  EXPECT_EQ(WhoSees(granted), "gt.mp/admin mx.fgr/luis us.dea/admin us.dea/ana") << "not his colleagues";
  const auto luis = *MemberId::Parse("mx.fgr/luis");
  auto entry = rig_.sequencer->Entry(granted).value();
  rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
    const auto seen = VisibleTo({state, glances}, std::move(entry), luis).value();
    EXPECT_TRUE(seen.attachments.slips.empty() && seen.attachments.policies.empty());
    return 0;
  });
  const auto ungranted = Accept(rig_.world.Grant("us.dea/admin", sent, rig_.world.PolicyFor("gt.mp")));
  EXPECT_EQ(WhoSees(ungranted), "gt.mp/admin us.dea/admin us.dea/ana") << "nobody asked for this one";
}

// It had not the record, and has not by the grant: as if there were none.
TEST_F(VisibilityTest, WhoAskedForWhatItMayNotKnowOfIsNotToldThatAnotherGotIt) {
  const auto sent = rig_.world.Record("us.dea/admin", {rig_.world.PolicyFor("us.dea")});
  Accept(sent.statement);
  const auto ask = rig_.world.AskFor("mx.fgr/luis", sent.statement->digest, ledger::Wish::kOnward, std::nullopt,
                                     AgencyId::Parse("gt.mp"));
  Accept(ask);
  const auto granted = Accept(rig_.world.Grant("us.dea/admin", sent, rig_.world.PolicyFor("gt.mp"), 0, ask->digest));
  EXPECT_EQ(WhoSees(granted), "gt.mp/admin us.dea/admin us.dea/ana");
  rig_.sequencer->Read([&](const ledger::State& state) {
    EXPECT_NE(state.entries_for(*AgencyId::Parse("mx.fgr")).back(), granted);
    return 0;
  });
}

// ---- what an agency's auditor is shown ----

// A log with every kind of entry, and what may become of each: whatever concerns an agency is shown to its auditor.
class EveryKindTest : public VisibilityTest {
 protected:
  const std::vector<std::string> agencies_ = {"gt.mp", "mx.fgr", "mx.uif", "us.dea"};

  void SetUp() override {
    rig_.Found(agencies_);
    for (const auto& agency : agencies_) Accept(rig_.world.Epoch(agency));
    for (const char* id : {"gt.mp/joint", "mx.fgr/luis", "mx.uif/lola", "us.dea/ana"}) Enrol(id);
    for (const auto& agency : agencies_) Enrol(agency + "/auditor", true);
    Accept(
        rig_.world.Amend([](ledger::Charter& charter) { charter.joint_auditors = {*MemberId::Parse("gt.mp/joint")}; }));
  }
  void Enrol(const std::string& id, bool auditor = false) {
    auto& person = rig_.world.NewPerson(id);
    person.record.person = id.substr(id.find('/') + 1);
    person.record.auditor = auditor;
    Accept(rig_.world.Enrol(person));
  }
  policy::Policy For(const std::vector<std::string>& agencies) {
    auto policy = rig_.world.PolicyFor(agencies[0]);
    for (std::size_t i = 1; i < agencies.size(); ++i)
      policy.releasable_to.agencies.push_back(*AgencyId::Parse(agencies[i]));
    return policy;
  }
  static policy::Policy Dual(policy::Policy policy) {
    policy.approvals = {{1, {*MemberId::Parse("us.dea/ana")}}};
    policy.approval_hours = 24;
    policy.emergency = true;
    return policy;
  }
  test::SentRecord Send(const policy::Policy& policy) {
    auto sent = rig_.world.Record("us.dea/admin", {policy});
    Accept(sent.statement);
    return sent;
  }
  Digest OpenIt(const char* by, const Digest& record, const std::function<void(ledger::Open&)>& change = nullptr) {
    const auto open = rig_.world.Open(by, {{record, 0}}, rig_.sequencer->checkpoint()->checkpoint(),
                                      reply_.public_key(), "investigation", "case 7", change);
    Accept(open);
    return open->digest;
  }
  Digest Post(const ledger::VerifiedStatement& statement) {
    Accept(statement);
    return statement->digest;
  }
  static void InEmergency(ledger::Open& open) { open.emergency = "lives are at stake"; }
};

TEST_F(EveryKindTest, WhatConcernsAnAgencyIsShownToItsAuditor) {
  auto& world = rig_.world;
  // Two recipients, who open, one in an emergency; an order; its end.
  const auto order = world.Order("mx.fgr/admin", crypto::KemPrivateKey::Generate(world.random).public_key());
  Accept(order);
  const auto both = Send(For({"gt.mp", "mx.fgr"}));
  const Digest& record = both.statement->digest;
  OpenIt("gt.mp/admin", record);
  const auto urgent = Send(Dual(For({"gt.mp", "mx.fgr"})));
  Accept(world.Review("us.dea/auditor", OpenIt("mx.fgr/luis", urgent.statement->digest, InEmergency)));
  Accept(world.Review("gt.mp/joint", OpenIt("mx.fgr/luis", urgent.statement->digest, InEmergency)));
  const auto end = world.Revoke("mx.fgr/admin", order->digest);
  Accept(end);
  // Approvals.
  const auto asked_for = Send(Dual(For({"mx.fgr"}))).statement->digest;
  const auto request = OpenIt("mx.fgr/luis", asked_for);
  const auto approval = world.Approve("us.dea/ana", request);
  Accept(approval);
  OpenIt("mx.fgr/luis", asked_for, [&](ledger::Open& open) { open.approved_request = request; });
  // Passed on, opened in an emergency, reviewed; amended.
  auto onward = Dual(For({"mx.fgr"}));
  onward.onward = policy::Onward::kWithinCountry;
  const auto passed = Send(onward);
  Accept(world.Review("us.dea/auditor", OpenIt("mx.fgr/luis", passed.statement->digest, InEmergency)));
  onward.releasable_to = For({"mx.uif"}).releasable_to;
  const auto grant = world.Grant("mx.fgr/admin", passed, onward);
  Accept(grant);
  Accept(world.Review("us.dea/auditor", OpenIt("mx.uif/lola", grant->digest, InEmergency)));
  onward.openings_in_all = 7;
  Accept(world.AmendPolicy("mx.fgr/admin", *grant, onward));
  // Asked for: by who has it and by who has not, declined, consented to, granted, to who asked and to another.
  const auto hidden = Send(For({"us.dea"}));
  const auto ask = [&](const char* by, const test::SentRecord& of, ledger::Wish wish, const char* agency = nullptr) {
    return Post(world.AskFor(by, of.statement->digest, wish,
                             wish == ledger::Wish::kMarkLess ? std::optional(policy::Tlp::kGreen) : std::nullopt,
                             agency == nullptr ? std::nullopt : std::optional(*AgencyId::Parse(agency))));
  };
  for (const auto* of : {&both, &hidden}) {
    Accept(world.Answer("us.dea/admin", ask("mx.fgr/luis", *of, ledger::Wish::kOpen)));
    Accept(world.Answer("us.dea/admin", ask("mx.fgr/luis", *of, ledger::Wish::kMarkLess), policy::Tlp::kGreen));
    Accept(
        world.Grant("us.dea/admin", *of, For({"mx.uif"}), 0, ask("mx.fgr/luis", *of, ledger::Wish::kOnward, "mx.uif")));
  }
  Accept(world.Grant("us.dea/admin", hidden, For({"gt.mp"}), 0, ask("gt.mp/admin", hidden, ledger::Wish::kOpen)));
  // Read, by an agency's auditor and by a joint one, who is none any more afterwards.
  Accept(world.LookUp("mx.uif/auditor"));
  Accept(world.LookUp("gt.mp/joint"));
  auto& joint = world.people.at("gt.mp/joint");
  joint.record.status = ledger::MemberStatus::kSuspended;
  Accept(world.Enrol(joint));
  // Ended, and erased.
  Accept(world.Acknowledge("mx.fgr/luis", record, "useful"));
  Accept(world.Revoke("mx.fgr/admin", grant->digest));
  Accept(world.Revoke("us.dea/admin", record, true));
  Accept(world.Revoke("us.dea/admin", hidden.statement->digest));
  Erase("mx.fgr/admin", grant);
  Erase("mx.fgr/admin", end);
  Erase("us.dea/admin", approval);

  std::set<ledger::Kind> kinds;
  rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
    for (std::uint64_t i = 0; i < state.size(); ++i) kinds.insert(glances.at(i).kind);
    return 0;
  });
  EXPECT_EQ(kinds.size(), std::variant_size_v<ledger::Payload>);
  for (const auto& agency : agencies_) {
    const auto auditor = *MemberId::Parse(agency + "/auditor");
    const auto concerned = rig_.sequencer->Read(
        [&](const ledger::State& state) { return state.entries_for(*AgencyId::Parse(agency)).All(); });
    for (const auto index : concerned) {
      auto entry = rig_.sequencer->Entry(index).value();
      rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
        const auto kind = glances.at(index).kind;
        EXPECT_TRUE(AuditView({state, glances}, std::move(entry), auditor).head)
            << agency << ": " << ledger::NameOf(kind) << ", entry " << index;
        return 0;
      });
    }
  }
}

// Also where those in the audience are told of one another: it is not one of them.
TEST_F(EveryKindTest, AnAgencysAuditorSeesNoSlipOfWhatItAskedForAnother) {
  const auto sent = Send(For({"mx.fgr"}));
  const auto ask = Post(rig_.world.AskFor("mx.fgr/luis", sent.statement->digest, ledger::Wish::kOnward, std::nullopt,
                                          AgencyId::Parse("gt.mp")));
  auto policy = For({"gt.mp"});
  policy.audience_shown = true;
  const auto granted = Accept(rig_.world.Grant("us.dea/admin", sent, policy, 0, ask));
  auto entry = rig_.sequencer->Entry(granted).value();
  ASSERT_FALSE(entry.attachments.slips.empty());
  rig_.sequencer->Read([&](const ledger::State& state, const Glances& glances) {
    const auto seen = AuditView({state, glances}, std::move(entry), *MemberId::Parse("mx.fgr/auditor"));
    EXPECT_TRUE(seen.head && seen.envelope);
    EXPECT_TRUE(seen.attachments.slips.empty() && seen.attachments.policies.empty());
    return 0;
  });
}

// ---- who reads the log ----

TEST_F(EveryKindTest, EntriesAreReadForALookUpOfOnesOwnThatCoversThem) {
  const auto may = [&](const char* who, const Digest& lookup, std::uint64_t from, std::uint64_t end) {
    return rig_.sequencer->Read([&](const ledger::State& state) {
      const auto allowed = MayReadEntries(state, *MemberId::Parse(who), lookup, from, end, rig_.world.now);
      return allowed ? Reason::kInternal : allowed.error().reason;
    });
  };
  const auto own = Post(rig_.world.LookUp("mx.fgr/auditor"));
  EXPECT_EQ(may("mx.fgr/auditor", own, 0, 5), Reason::kInternal) << "it may";
  EXPECT_EQ(may("us.dea/auditor", own, 0, 5), Reason::kNotReady) << "another's";
  EXPECT_EQ(may("mx.fgr/auditor", Digest{}, 0, 5), Reason::kNotReady);
  EXPECT_EQ(may("mx.fgr/luis", own, 0, 5), Reason::kNotAuthorised);
  rig_.world.now = rig_.world.now + std::chrono::hours(1);
  EXPECT_EQ(may("mx.fgr/auditor", own, 0, 5), Reason::kNotReady) << "it has expired";
}

// No other agency was told of it.
TEST_F(EveryKindTest, ALookUpOfBeforeItsAuthorWasAJointAuditorShowsAJointAuditorNothing) {
  const auto may = [&](const Digest& lookup) {
    return rig_.sequencer->Read([&](const ledger::State& state) {
      return MayReadEntries(state, *MemberId::Parse("mx.fgr/auditor"), lookup, 0, 5, rig_.world.now).has_value();
    });
  };
  const auto own = Post(rig_.world.LookUp("mx.fgr/auditor"));
  EXPECT_TRUE(may(own));
  Accept(rig_.world.Amend(
      [](ledger::Charter& charter) { charter.joint_auditors = {*MemberId::Parse("mx.fgr/auditor")}; }));
  EXPECT_FALSE(may(own));
  EXPECT_TRUE(may(Post(rig_.world.LookUp("mx.fgr/auditor"))));
}

}  // namespace
}  // namespace valija::broker
