// Charter, enrolments and epochs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace valija::ledger {
namespace {

using test::Agency;
using test::Member;
using test::Person;
using ::testing::HasSubstr;

// ---- the charter ----

class CharterTest : public ::testing::Test, public test::World {
 protected:
  Result<Decision> Try(const Charter& from) { return Decide(VerifyCharter(SignedCharter(from)).value()); }
  // The refusal after this change.
  template <class F>
  Error After(F change) {
    Charter changed = charter;
    change(changed);
    auto decision = Try(changed);
    EXPECT_FALSE(decision);
    return decision ? Error{} : decision.error();
  }
  template <class F>
  Reason ReasonAfter(F change) {
    return After(std::move(change)).reason;
  }
};

TEST_F(CharterTest, IsTakenWhenItIsWellFormed) { EXPECT_TRUE(Try(charter)); }

TEST_F(CharterTest, MayBeOfOneAgencyAlone) {
  charter.agencies.resize(1, charter.agencies[0]);
  charter.joint_auditors.clear();
  EXPECT_TRUE(Try(charter));
}

TEST_F(CharterTest, IsNotFromTheFutureButAsOldAsItLikes) {
  EXPECT_EQ(ReasonAfter([&](Charter& c) { c.time = now + std::chrono::seconds(301); }), Reason::kBadTime);
  charter.time = now + std::chrono::seconds(300);
  EXPECT_TRUE(Try(charter));
  charter.time = now - std::chrono::days(400);
  EXPECT_TRUE(Try(charter));
}

TEST_F(CharterTest, NamesAgenciesInAscendingOrderWithoutDoubles) {
  EXPECT_EQ(ReasonAfter([](Charter& c) { std::swap(c.agencies[0], c.agencies[1]); }), Reason::kMalformed);
  auto twice = charter;
  twice.agencies.insert(twice.agencies.begin(), twice.agencies[0]);
  auto statement = Unsigned(Kind::kCharter, twice);
  for (const char* agency : {"gt.mp", "mx.fgr", "us.dea", "us.fbi"})
    statement = SignDirect(std::move(statement), people.at(std::string(agency) + "/admin").sign);
  EXPECT_EQ(Refusal(VerifyCharter(statement).value()), Reason::kMalformed);
}

TEST_F(CharterTest, HasReadableNames) {
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.title = ""; }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.title = "a\nb"; }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[1].name = std::string(201, 'x'); }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.origin = "with space"; }), Reason::kMalformed);
}

TEST_F(CharterTest, HasAdministratorsOfTheAgencyItself) {
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].administrators[0].administrator = false; }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].administrators[0].status = MemberStatus::kRemoved; }),
            Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([&](Charter& c) {
              auto& other = NewPerson("us.dea/other", {}, true);
              c.agencies[0].administrators.push_back(other.record);
            }),
            Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([&](Charter& c) {
              auto again = NewPerson("us.dea/twin", {}, true).record;
              c.agencies[2].administrators.push_back(again);
              again.keys = NewPerson("us.dea/twin", {}, true).record.keys;
              c.agencies[2].administrators.push_back(again);
            }),
            Reason::kMalformed);
}

TEST_F(CharterTest, GivesNoKeyTwoUses) {
  const auto release = release_key.public_key().point();
  auto with_second = [&](auto change) {
    return [this, change](Charter& c) {
      auto record = NewPerson("us.dea/second", {}, true).record;
      change(c, record);
      c.agencies[2].administrators.push_back(record);
    };
  };
  EXPECT_EQ(ReasonAfter(with_second([](Charter&, MemberRecord& m) { m.keys.kem_key = m.keys.signing_key; })),
            Reason::kBadKey);
  EXPECT_EQ(ReasonAfter(with_second(
                [](Charter&, MemberRecord& m) { m.keys.auth_key_id = crypto::KeyIdOf(m.keys.signing_key); })),
            Reason::kBadKey);
  EXPECT_EQ(
      ReasonAfter(with_second([](Charter&, MemberRecord& m) { m.keys.auth_key_id = crypto::KeyIdOf(m.keys.kem_key); })),
      Reason::kBadKey);
  EXPECT_EQ(ReasonAfter(with_second([](Charter&, MemberRecord& m) { m.keys.auth_key_id = {}; })), Reason::kBadKey);
  EXPECT_EQ(ReasonAfter(with_second([&](Charter&, MemberRecord& m) { m.keys.kem_key = release; })), Reason::kBadKey);
  EXPECT_EQ(ReasonAfter(with_second([](Charter& c, MemberRecord& m) {
              m.keys.auth_key_id = c.agencies[0].administrators[0].keys.auth_key_id;
            })),
            Reason::kBadKey);
  EXPECT_EQ(ReasonAfter(with_second(
                [](Charter& c, MemberRecord& m) { m.keys.kem_key = c.agencies[0].administrators[0].keys.kem_key; })),
            Reason::kBadKey);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.authorities[1].release_key = c.authorities[0].release_key; }),
            Reason::kBadKey);
}

TEST_F(CharterTest, HasKeysThatAreKeys) {
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.authorities[0].release_key.bytes[0] = 2; }), Reason::kBadKey);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].administrators[0].keys.kem_key.bytes[64] ^= 1; }),
            Reason::kBadKey);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.log_key = "nonsense"; }), Reason::kBadKey);
  EXPECT_EQ(ReasonAfter([&](Charter& c) {
              c.log_key = log::NoteVerifier::Make("example.org/other", log_key.verify_key()).value().Text();
            }),
            Reason::kBadKey);
}

TEST_F(CharterTest, GivesEveryAgencyItsOwnCa) {
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].ca_certificate = c.agencies[1].ca_certificate; }),
            Reason::kBadCertificate);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].ca_certificate = c.carrier_ca_certificate; }),
            Reason::kBadCertificate);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].ca_certificate = test::TestCertificate("leaf"); }),
            Reason::kBadCertificate);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].ca_certificate.pop_back(); }), Reason::kBadCertificate);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.carrier_ca_certificate.clear(); }), Reason::kBadCertificate);
}

TEST_F(CharterTest, NamesTheDecidingAuthorityAndNoneTwice) {
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.authorities.clear(); }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.authorities.erase(c.authorities.begin()); }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.authorities[1].id = c.authorities[0].id; }), Reason::kMalformed);
  charter.authorities.resize(1, charter.authorities[0]);
  EXPECT_TRUE(Try(charter));
}

TEST_F(CharterTest, NamesPurposesClearancesAndAuditors) {
  for (auto list : {&Charter::purposes, &Charter::clearances}) {
    EXPECT_EQ(ReasonAfter([&](Charter& c) { (c.*list).clear(); }), Reason::kMalformed);
    EXPECT_EQ(ReasonAfter([&](Charter& c) { (c.*list)[0] = "Not A Label"; }), Reason::kMalformed);
    EXPECT_EQ(ReasonAfter([&](Charter& c) { (c.*list)[0] = (c.*list)[1]; }), Reason::kMalformed);
  }
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.joint_auditors.push_back(c.joint_auditors[0]); }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.joint_auditors[0] = Member("fr.dgse/x"); }), Reason::kMalformed);
  EXPECT_EQ(ReasonAfter([](Charter& c) { c.agencies[0].administrators[0].attributes.clearance = "cosmic"; }),
            Reason::kMalformed);
}

TEST_F(CharterTest, HasCapsThatAllowSomethingAndNoMoreThanTheFormat) {
  const std::function<void(CharterCaps&)> spoilt[] = {
      [](CharterCaps& c) { c.max_window_days = 0; },
      [](CharterCaps& c) { c.max_portions = 0; },
      [](CharterCaps& c) { c.max_recipients = 0; },
      [](CharterCaps& c) { c.max_body_bytes = 0; },
      [](CharterCaps& c) { c.clock_skew_seconds = 0; },
      [](CharterCaps& c) { c.request_lifetime_seconds = 0; },
      [](CharterCaps& c) { c.epoch_grace_seconds = 0; },
      [](CharterCaps& c) { c.max_portions = 65; },
      [](CharterCaps& c) { c.max_recipients = 257; },
      [](CharterCaps& c) { c.clock_skew_seconds = 3601; },
      [](CharterCaps& c) { c.request_lifetime_seconds = 24 * 3600 + 1; },
      [](CharterCaps& c) { c.epoch_grace_seconds = 30 * 24 * 3600 + 1; }};
  for (const auto& spoil : spoilt) EXPECT_EQ(ReasonAfter([&](Charter& c) { spoil(c.caps); }), Reason::kMalformed);
  charter.caps.max_portions = 64;
  charter.caps.max_recipients = 256;
  charter.caps.clock_skew_seconds = 3600;
  charter.caps.request_lifetime_seconds = 24 * 3600;
  charter.caps.epoch_grace_seconds = 30 * 24 * 3600;
  EXPECT_TRUE(Try(charter));
}

// ---- enrolments ----

class EnrolmentTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  Person& carl = NewPerson("us.dea/carl", {"restricted", {"analyst"}, {}});
  Reason Refused(const ledger::Enrolment& enrolment) { return Refusal(enrolment, us_admin); }
};

TEST_F(EnrolmentTest, MakesAMember) {
  auto enrolment = Enrolment(carl, us_admin);
  EXPECT_EQ(state.member(carl.id()), nullptr);
  const Digest digest = Accept(enrolment, us_admin);
  const MemberState* member = state.active_member(carl.id());
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->enrolment, digest);
  EXPECT_EQ(member->enrolment_index, state.size() - 1);
  EXPECT_EQ(member->signing_key.id(), carl.sign.id());
  EXPECT_EQ(state.member_by_auth_key(carl.record.keys.auth_key_id), member);
}

TEST_F(EnrolmentTest, IsAnAdministratorsOfTheSameAgency) {
  EXPECT_EQ(Refusal(Enrolment(carl, bob), bob), Reason::kNotAuthorised);
  EXPECT_EQ(Refusal(Enrolment(carl, mx_admin), mx_admin), Reason::kNotAuthorised);
  auto& fbi_admin = people.at("us.fbi/admin");
  EXPECT_EQ(Refusal(Enrolment(carl, fbi_admin), fbi_admin), Reason::kNotAuthorised);
  auto& french = NewPerson("fr.dgse/x");
  EXPECT_EQ(Refused(Enrolment(french, us_admin)), Reason::kNotAuthorised);
}

TEST_F(EnrolmentTest, NamesTheOneBefore) {
  auto first = Enrolment(carl, us_admin);
  first.previous.bytes[0] = 1;
  EXPECT_EQ(Refused(first), Reason::kWrongPrevious);
  first.previous = {};
  Accept(first, us_admin);
  auto second = Enrolment(carl, us_admin);
  second.previous = {};
  EXPECT_EQ(Refused(second), Reason::kWrongPrevious);
  Accept(Enrolment(carl, us_admin), us_admin);
}

TEST_F(EnrolmentTest, HasValidKeysOfOneUse) {
  auto enrolment = Enrolment(carl, us_admin);
  const MemberKeys good = enrolment.member.keys;
  auto with = [&](auto change) {
    enrolment.member.keys = good;
    change(enrolment.member.keys);
    return Refused(enrolment);
  };
  EXPECT_EQ(with([](MemberKeys& k) { k.signing_key.bytes[64] ^= 1; }), Reason::kBadKey);
  EXPECT_EQ(with([](MemberKeys& k) { k.kem_key.bytes[0] = 3; }), Reason::kBadKey);
  EXPECT_EQ(with([](MemberKeys& k) { k.auth_key_id = {}; }), Reason::kBadKey);
  EXPECT_EQ(with([](MemberKeys& k) { k.kem_key = k.signing_key; }), Reason::kBadKey);
  // Somebody else's, for the same use and for another.
  EXPECT_EQ(with([&](MemberKeys& k) { k.auth_key_id = bob.record.keys.auth_key_id; }), Reason::kBadKey);
  EXPECT_EQ(with([&](MemberKeys& k) { k.signing_key = bob.record.keys.signing_key; }), Reason::kBadKey);
  EXPECT_EQ(with([&](MemberKeys& k) { k.kem_key = mx_bob.record.keys.kem_key; }), Reason::kBadKey);
  EXPECT_EQ(with([&](MemberKeys& k) { k.kem_key = mx_bob.record.keys.signing_key; }), Reason::kBadKey);
  // An epoch's, an authority's.
  EXPECT_EQ(with([&](MemberKeys& k) { k.kem_key = state.agency(Agency("us.dea"))->current()->public_key; }),
            Reason::kBadKey);
  EXPECT_EQ(with([&](MemberKeys& k) { k.signing_key = release_key.public_key().point(); }), Reason::kBadKey);
}

TEST_F(EnrolmentTest, LetsAMemberKeepItsKeysButNotSwapTheirUses) {
  bob.record.attributes.clearance = "secret";
  auto same = Enrolment(bob, us_admin);
  auto swapped = same;
  std::swap(swapped.member.keys.signing_key, swapped.member.keys.kem_key);
  EXPECT_EQ(Refused(swapped), Reason::kBadKey);
  Accept(same, us_admin);
  EXPECT_EQ(state.member(bob.id())->record.attributes.clearance, "secret");
}

TEST_F(EnrolmentTest, DoesNotGiveAnAbandonedKeyToAnother) {
  const MemberKeys old = bob.record.keys;
  auto& renewed = NewPerson("us.dea/bob");
  Accept(Enrolment(renewed, us_admin), us_admin);
  EXPECT_EQ(state.member_by_auth_key(old.auth_key_id), nullptr);
  auto enrolment = Enrolment(carl, us_admin);
  enrolment.member.keys.auth_key_id = old.auth_key_id;
  EXPECT_EQ(Refused(enrolment), Reason::kBadKey);
}

TEST_F(EnrolmentTest, HasAttributesThatAreWellSpelledAndSorted) {
  const policy::Attributes bad[] = {{"cosmic", {}, {}},    {"", {"b", "a"}, {}}, {"", {"a", "a"}, {}},
                                    {"", {"Analyst"}, {}}, {"", {}, {"b", "a"}}, {"", {}, {""}}};
  for (const auto& attributes : bad) {
    auto enrolment = Enrolment(carl, us_admin);
    enrolment.member.attributes = attributes;
    EXPECT_EQ(Refused(enrolment), Reason::kMalformed);
  }
}

TEST_F(EnrolmentTest, RemovesAMember) {
  Accept(Removal("us.dea/bob", us_admin), us_admin);
  EXPECT_EQ(state.active_member(bob.id()), nullptr);
  ASSERT_NE(state.member(bob.id()), nullptr);
  EXPECT_EQ(state.member(bob.id())->record.status, MemberStatus::kRemoved);
  EXPECT_EQ(state.member_by_auth_key(bob.record.keys.auth_key_id), nullptr);
  EXPECT_EQ(Refused(Removal("us.dea/bob", us_admin)), Reason::kExists);
}

TEST_F(EnrolmentTest, RemovesNobodyWhoIsNotThere) {
  EXPECT_EQ(Refused(Removal("us.dea/carl", us_admin)), Reason::kNotFound);
}

TEST_F(EnrolmentTest, RemovesWithoutOtherChanges) {
  auto removal = Removal("us.dea/bob", us_admin);
  removal.member.keys = carl.record.keys;
  EXPECT_EQ(Refused(removal), Reason::kMalformed);
  removal = Removal("us.dea/bob", us_admin);
  const auto& epoch = *state.agency(Agency("us.dea"))->current();
  removal.wraps = {Wrap(epoch_keys.at({"us.dea", 1}), Agency("us.dea"), 1, epoch.previous, bob)};
  EXPECT_EQ(Refused(removal), Reason::kMalformed);
}

TEST_F(EnrolmentTest, TakesBackWhoWasRemoved) {
  Accept(Removal("us.dea/bob", us_admin), us_admin);
  Accept(Enrolment(bob, us_admin), us_admin);
  EXPECT_NE(state.active_member(bob.id()), nullptr);
  EXPECT_EQ(state.member_by_auth_key(bob.record.keys.auth_key_id), state.active_member(bob.id()));
}

TEST_F(EnrolmentTest, LeavesEveryAgencyAnAdministrator) {
  EXPECT_EQ(Refused(Removal("us.dea/admin", us_admin)), Reason::kLastAdministrator);
  auto demoted = Enrolment(us_admin, us_admin);
  demoted.member.administrator = false;
  EXPECT_EQ(Refused(demoted), Reason::kLastAdministrator);
  carl.record.administrator = true;
  Accept(Enrolment(carl, us_admin), us_admin);
  Accept(demoted, us_admin);
  EXPECT_EQ(Refusal(Removal("us.dea/carl", carl), carl), Reason::kLastAdministrator);
  EXPECT_EQ(Refusal(Enrolment(bob, us_admin), us_admin), Reason::kNotAuthorised);  // no administrator any more
}

TEST_F(EnrolmentTest, OpensEpochsToTheMember) {
  Accept(Epoch("us.dea", us_admin), us_admin);
  const AgencyId agency = Agency("us.dea");
  auto enrolment = Enrolment(carl, us_admin);
  for (std::uint64_t epoch : {1, 2}) {
    const auto& there = state.agency(agency)->epochs[epoch - 1];
    enrolment.wraps.push_back(Wrap(epoch_keys.at({"us.dea", epoch}), agency, epoch, there.previous, carl));
  }
  Accept(enrolment, us_admin);
  for (const auto& epoch : state.agency(agency)->epochs) {
    const EpochWrap& wrap = epoch.wraps.at(carl.id());
    EXPECT_TRUE(record::OpenEpochKey(epoch.public_key, agency, epoch.epoch, epoch.previous, carl.id(), carl.kem,
                                     wrap.enc, wrap.ciphertext));
  }
}

TEST_F(EnrolmentTest, RefusesWrapsThatAreNotForItsMember) {
  const AgencyId agency = Agency("us.dea");
  auto enrolment = Enrolment(carl, us_admin);
  const EpochWrap good = Wrap(epoch_keys.at({"us.dea", 1}), agency, 1, {}, carl);
  auto with = [&](auto change) {
    enrolment.wraps = {good};
    change(enrolment.wraps);
    return Refused(enrolment);
  };
  EXPECT_EQ(with([](auto& w) { w[0].epoch = 2; }), Reason::kNotFound);
  EXPECT_EQ(with([](auto& w) { w[0].epoch = 0; }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& w) { w.push_back(w[0]); }), Reason::kMalformed);
  EXPECT_EQ(with([&](auto& w) { w[0].member = bob.id(); }), Reason::kMalformed);
  EXPECT_EQ(with([&](auto& w) { w[0].member_kem_key_id = bob.kem.id(); }), Reason::kBadKey);
  EXPECT_EQ(with([](auto& w) { w[0].ciphertext.pop_back(); }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& w) { w[0].enc.bytes[64] ^= 1; }), Reason::kBadKey);
  enrolment.wraps = {good};
  EXPECT_TRUE(Decide(Signed(enrolment, us_admin)));
}

// ---- suspension and persons ----

TEST_F(EnrolmentTest, SuspendsAMemberWhoMayComeBack) {
  const Digest record = Send({PolicyFor({"mx.fgr", "us.dea"})});
  Accept(Suspension("us.dea/bob", us_admin), us_admin);
  EXPECT_EQ(state.active_member(bob.id()), nullptr);
  EXPECT_EQ(state.member_by_auth_key(bob.record.keys.auth_key_id), nullptr);
  EXPECT_EQ(Refusal(Open(bob, {Item(record, 0, "us.dea")}), bob), Reason::kNotEnrolled);
  EXPECT_EQ(Refused(Suspension("us.dea/bob", us_admin)), Reason::kExists);
  Accept(Enrolment(bob, us_admin), us_admin);
  EXPECT_EQ(state.member_by_auth_key(bob.record.keys.auth_key_id), state.active_member(bob.id()));
  EXPECT_EQ(Ask(bob, {Item(record, 0, "us.dea")}).at(0), std::vector<Reason>{});
}

TEST_F(EnrolmentTest, RemovesWhoIsSuspendedButDoesNotSuspendWhoIsRemoved) {
  Accept(Suspension("us.dea/bob", us_admin), us_admin);
  Accept(Removal("us.dea/bob", us_admin), us_admin);
  EXPECT_EQ(Refused(Suspension("us.dea/bob", us_admin)), Reason::kExists);
}

TEST_F(EnrolmentTest, SuspendsWithoutNewKeysAndWithoutEpochs) {
  auto suspension = Suspension("us.dea/bob", us_admin);
  suspension.member.keys = carl.record.keys;
  EXPECT_EQ(Refused(suspension), Reason::kMalformed);
  suspension = Suspension("us.dea/bob", us_admin);
  const auto& epoch = *state.agency(Agency("us.dea"))->current();
  suspension.wraps = {Wrap(epoch_keys.at({"us.dea", 1}), Agency("us.dea"), 1, epoch.previous, bob)};
  EXPECT_EQ(Refused(suspension), Reason::kMalformed);
}

TEST_F(EnrolmentTest, SuspendsNobodyWhoIsNotThereNorTheLastAdministrator) {
  EXPECT_EQ(Refused(Suspension("us.dea/carl", us_admin)), Reason::kNotFound);
  EXPECT_EQ(Refused(Suspension("us.dea/admin", us_admin)), Reason::kLastAdministrator);
}

TEST_F(EnrolmentTest, HasAPersonThatIsALabelOrNone) {
  for (const char* person : {"Ana", "a b", "#ana", "us.dea/ana"}) {
    auto enrolment = Enrolment(carl, us_admin);
    enrolment.member.person = person;
    EXPECT_EQ(Refused(enrolment), Reason::kMalformed) << person;
  }
  carl.record.person = "bob";  // another member that is the same person
  Accept(Enrolment(carl, us_admin), us_admin);
  EXPECT_EQ(PersonOf(state.member(carl.id())->record), PersonOf(state.member(bob.id())->record));
  EXPECT_NE(PersonOf(state.member(bob.id())->record), PersonOf(state.member(mx_bob.id())->record));
  EXPECT_EQ(PersonOf(us_admin.record), "us.dea/admin");  // a member without one is itself
}

// ---- epochs ----

class EpochTest : public ::testing::Test, public test::PopulatedWorld {
 protected:
  AgencyId us = Agency("us.dea");
  Reason Refused(const ledger::Epoch& epoch) { return Refusal(epoch, us_admin); }
};

TEST_F(EpochTest, FollowsTheOneBefore) {
  const EpochState first = *state.agency(us)->current();
  EXPECT_FALSE(first.superseded_at);
  now += std::chrono::minutes(5);
  const Digest digest = Accept(Epoch("us.dea", us_admin), us_admin);
  const AgencyState& agency = *state.agency(us);
  ASSERT_EQ(agency.epochs.size(), 2U);
  EXPECT_EQ(agency.epochs[0].superseded_at, now);
  EXPECT_EQ(agency.current()->statement, digest);
  EXPECT_EQ(agency.current()->previous, first.statement);
  EXPECT_EQ(agency.current()->wraps.size(), 3U);
  EXPECT_EQ(agency.by_key(first.key_id)->epoch, 1U);
  EXPECT_EQ(agency.by_key(agency.current()->key_id)->epoch, 2U);
  EXPECT_EQ(agency.by_key(KeyId{}), nullptr);
}

TEST_F(EpochTest, IsAnAdministratorsOfTheAgency) {
  auto epoch = Epoch("us.dea", bob);
  EXPECT_EQ(Refusal(epoch, bob), Reason::kNotAuthorised);
  epoch = Epoch("us.dea", mx_admin);
  EXPECT_EQ(Refusal(epoch, mx_admin), Reason::kNotAuthorised);
  epoch.agency = Agency("fr.dgse");
  EXPECT_EQ(Refusal(epoch, mx_admin), Reason::kNotAuthorised);
}

TEST_F(EpochTest, CountsUpByOneAndNamesThePrevious) {
  auto epoch = Epoch("us.dea", us_admin);
  for (std::uint64_t number : {0, 1, 3}) {
    auto other = epoch;
    other.epoch = number;
    EXPECT_EQ(Refused(other), Reason::kWrongPrevious) << number;
  }
  epoch.previous.bytes[0] ^= 1;
  EXPECT_EQ(Refused(epoch), Reason::kWrongPrevious);
  auto& gt_admin = people.at("gt.mp/admin");
  auto first = Epoch("gt.mp", gt_admin);
  first.previous.bytes[0] = 1;
  EXPECT_EQ(Refusal(first, gt_admin), Reason::kWrongPrevious);
}

TEST_F(EpochTest, HasANewKeyThatIsOne) {
  auto epoch = Epoch("us.dea", us_admin);
  auto with = [&](const Point& key) {
    auto other = epoch;
    other.public_key = key;
    return Refused(other);
  };
  Point off = epoch.public_key;
  off.bytes[64] ^= 1;
  EXPECT_EQ(with(off), Reason::kBadKey);
  EXPECT_EQ(with(state.agency(us)->current()->public_key), Reason::kBadKey);
  EXPECT_EQ(with(bob.record.keys.kem_key), Reason::kBadKey);
  EXPECT_EQ(with(release_key.public_key().point()), Reason::kBadKey);
}

TEST_F(EpochTest, EndsInTheFuture) {
  auto epoch = Epoch("us.dea", us_admin);
  epoch.not_after = now;
  EXPECT_EQ(Refused(epoch), Reason::kBadTime);
  epoch.not_after = now + Duration(1);
  EXPECT_TRUE(Decide(Signed(epoch, us_admin)));
}

TEST_F(EpochTest, IsSealedToEveryActiveMemberAndNobodyElse) {
  const auto epoch = Epoch("us.dea", us_admin);
  auto with = [&](auto change) {
    auto other = epoch;
    change(other.wraps);
    return Refused(other);
  };
  EXPECT_EQ(with([](auto& w) { w.clear(); }), Reason::kNotReady);
  EXPECT_EQ(with([](auto& w) { w.pop_back(); }), Reason::kNotReady);
  EXPECT_EQ(with([](auto& w) { w.erase(w.begin()); }), Reason::kNotReady);
  EXPECT_EQ(with([](auto& w) { w.push_back(w.back()); }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& w) { std::swap(w[0], w[1]); }), Reason::kMalformed);
  EXPECT_EQ(with([&](auto& w) {
              w.push_back(Wrap(epoch_keys.at({"us.dea", 2}), us, 2, epoch.previous, fbi_ana));
            }),
            Reason::kNotReady);
  EXPECT_EQ(with([&](auto& w) { w[1].member_kem_key_id = bob.kem.id(); }), Reason::kBadKey);
  EXPECT_EQ(with([](auto& w) { w[1].ciphertext.clear(); }), Reason::kMalformed);
  EXPECT_EQ(with([](auto& w) { w[2].enc.bytes[0] = 2; }), Reason::kBadKey);
  EXPECT_TRUE(Decide(Signed(epoch, us_admin)));
}

TEST_F(EpochTest, LeavesOutWhoIsSuspended) {
  Accept(Suspension("us.dea/bob", us_admin), us_admin);
  Accept(Epoch("us.dea", us_admin), us_admin);
  EXPECT_EQ(state.agency(us)->current()->wraps.count(bob.id()), 0U);
}

TEST_F(EpochTest, KeepsARemovedMemberOutOfWhatItsCachedKeysWouldOpen) {
  const Digest record = Send({PolicyFor({"mx.fgr"})});
  const auto item = Item(record, 0, "mx.fgr");  // sealed to the epoch whose key mx.fgr/bob still has
  Accept(Removal("mx.fgr/bob", mx_admin), mx_admin);
  EXPECT_EQ(Refusal(Open(mx_bob, {item}), mx_bob), Reason::kNotEnrolled);
  Accept(Epoch("mx.fgr", mx_admin), mx_admin);
  EXPECT_EQ(Refusal(Open(mx_bob, {item}), mx_bob), Reason::kNotEnrolled);
  EXPECT_EQ(state.agency(Agency("mx.fgr"))->current()->wraps.count(mx_bob.id()), 0U);
}

TEST_F(EpochTest, LeavesOutWhoWasRemoved) {
  auto before = Epoch("us.dea", us_admin);
  Accept(Removal("us.dea/bob", us_admin), us_admin);
  EXPECT_EQ(Refused(before), Reason::kNotReady);  // made before the removal
  Accept(Epoch("us.dea", us_admin), us_admin);
  EXPECT_EQ(state.agency(us)->current()->wraps.count(bob.id()), 0U);
  EXPECT_EQ(state.agency(us)->epochs[0].wraps.count(bob.id()), 1U);
}

}  // namespace
}  // namespace valija::ledger
