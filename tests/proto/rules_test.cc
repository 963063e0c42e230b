// The rules of each form, one by one: what is spelled, ordered, counted or absent against them is refused.
#include <gtest/gtest.h>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

using ledger::Kind;

Reason Refused(const Result<Bytes>& result) {
  EXPECT_FALSE(result);
  return result ? Reason::kInternal : result.error().reason;
}
// What the change makes of a sample, encoded and read.
template <class Change>
Reason Charter(Change change) {
  Sample sample(31);
  auto charter = sample.Charter();
  change(charter);
  return Refused(AgainPayload<Kind::kCharter>(proto::EncodeCharter(charter)));
}
template <class Change>
Reason Enrolment(Change change) {
  Sample sample(32);
  auto enrolment = sample.Enrolment();
  change(enrolment);
  return Refused(AgainPayload<Kind::kEnrolment>(proto::EncodeEnrolment(enrolment)));
}
template <class Change>
Reason Epoch(Change change) {
  Sample sample(33);
  auto epoch = sample.Epoch();
  epoch.wraps.resize(1, epoch.wraps[0]);
  change(epoch);
  return Refused(AgainPayload<Kind::kEpoch>(proto::EncodeEpoch(epoch)));
}
template <class Change>
Reason Header(Change change) {
  Sample sample(34);
  auto header = sample.Sealed().header;
  change(header);
  auto result = proto::DecodeHeader(proto::EncodeHeader(header));
  EXPECT_FALSE(result);
  return result ? Reason::kInternal : result.error().reason;
}
template <class Change>
Reason Record(Change change) {
  Sample sample(35);
  auto sealed = sample.Sealed();
  change(sealed);
  return Refused(AgainPayload<Kind::kRecord>(proto::EncodeRecord(proto::EncodeHeader(sealed.header), sealed.seals)));
}
template <class Change>
Reason Open(Change change) {
  Sample sample(36);
  auto open = sample.Open();
  change(open);
  return Refused(AgainPayload<Kind::kOpen>(proto::EncodeOpen(open)));
}
template <class Change>
Reason Policy(Change change) {
  Sample sample(37);
  auto policy = sample.Policy();
  change(policy);
  auto result = proto::DecodePolicy(proto::EncodePolicy(sample.Some<Salt>(), policy));
  EXPECT_FALSE(result);
  return result ? Reason::kInternal : result.error().reason;
}

TEST(CharterRules, AgenciesAscendAndEachHasAdministratorsOfItsOwn) {
  EXPECT_EQ(Charter([](auto& c) { std::swap(c.agencies[0], c.agencies[1]); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies[1] = c.agencies[0]; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies[0].administrators.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { std::swap(c.agencies[0].administrators, c.agencies[1].administrators); }),
            Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies[0].administrators[0].administrator = false; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies[0].administrators[0].status = ledger::MemberStatus::kRemoved; }),
            Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies[0].ca_certificate.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.agencies[0].name = "two\nlines"; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) {
              Sample sample(30);
              auto decoy = *AgencyId::Parse("zz.none");
              c.agencies.push_back({decoy, "none", {1}, {sample.Record(sample.Member(decoy), true)}});
            }),
            Reason::kMalformed)
      << "the agency of decoys";
}

TEST(CharterRules, NamesAreNotRepeatedAndCapsAreAllSaid) {
  EXPECT_EQ(Charter([](auto& c) { c.authorities[1].id = c.authorities[0].id; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.authorities.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.joint_auditors.push_back(c.joint_auditors[0]); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.purposes.push_back(c.purposes[0]); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.clearances.push_back("Top Secret"); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.caps.max_window_days = 0; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.caps.clock_skew_seconds = 0; }), Reason::kMalformed);
  for (std::size_t urgency = 0; urgency < 3; ++urgency) {
    EXPECT_EQ(Charter([&](auto& c) { c.caps.response_hours[urgency] = 0; }), Reason::kMalformed) << urgency;
  }
  EXPECT_EQ(Charter([](auto& c) { c.caps.max_portions = 65; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.caps.max_recipients = 257; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.log_key.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.origin = "with space"; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.time = FromMillis(-5); }), Reason::kMalformed);
}

TEST(CharterRules, AmendmentsAskForTheSignaturesOfOneToAllAgencies) {
  EXPECT_EQ(Charter([](auto& c) { c.amendment_signatures = 0; }), Reason::kMalformed);
  EXPECT_EQ(Charter([](auto& c) { c.amendment_signatures = 4; }), Reason::kMalformed);
  Sample sample(31);
  auto charter = sample.Charter();
  for (charter.amendment_signatures = 1; charter.amendment_signatures <= 3; ++charter.amendment_signatures) {
    EXPECT_TRUE(AgainPayload<Kind::kCharter>(proto::EncodeCharter(charter))) << charter.amendment_signatures;
  }
}

TEST(CharterRules, HoldInsideAnAmendmentToo) {
  Sample sample(31);
  auto amendment = SomeCharterAmendment(sample);
  amendment.charter.amendment_signatures = 4;
  EXPECT_EQ(Refused(AgainPayload<Kind::kCharterAmendment>(proto::EncodeCharterAmendment(amendment))),
            Reason::kMalformed);
  amendment = SomeCharterAmendment(sample);
  std::swap(amendment.charter.agencies[0], amendment.charter.agencies[1]);
  EXPECT_EQ(Refused(AgainPayload<Kind::kCharterAmendment>(proto::EncodeCharterAmendment(amendment))),
            Reason::kMalformed);
}

TEST(DirectoryRules, AMemberHasAKnownStatusOrderedAttributesAndUncompressedKeys) {
  EXPECT_EQ(Enrolment([](auto& e) { e.member.status = ledger::MemberStatus{4}; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.member.status = ledger::MemberStatus{0}; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.member.attributes.roles = {"b", "a"}; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.member.attributes.programmes = {"a", "a"}; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.member.attributes.clearance = "S E C"; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.member.keys.kem_key.bytes[0] = 0x02; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.member.person = "J. Rivera"; }), Reason::kMalformed);
  Sample sample(32);
  auto enrolment = sample.Enrolment();
  enrolment.member.person.clear();
  for (auto status :
       {ledger::MemberStatus::kActive, ledger::MemberStatus::kRemoved, ledger::MemberStatus::kSuspended}) {
    enrolment.member.status = status;
    EXPECT_TRUE(AgainPayload<Kind::kEnrolment>(proto::EncodeEnrolment(enrolment))) << "a system, of any status";
  }
}

TEST(DirectoryRules, EpochWrapsAreTheMembersOwnInOrder) {
  EXPECT_EQ(Enrolment([](auto& e) { std::swap(e.wraps[0], e.wraps[1]); }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.wraps[1] = e.wraps[0]; }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.wraps[0].member = *MemberId::Parse("us.dea/other"); }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.wraps[0].ciphertext.pop_back(); }), Reason::kMalformed);
  EXPECT_EQ(Enrolment([](auto& e) { e.wraps[0].epoch = 0; }), Reason::kMalformed);
  EXPECT_EQ(Epoch([](auto& e) { e.wraps.push_back(e.wraps[0]); }), Reason::kMalformed);
  EXPECT_EQ(Epoch([](auto& e) { ++e.wraps[0].epoch; }), Reason::kMalformed);
  EXPECT_EQ(Epoch([](auto& e) { e.wraps[0].member = *MemberId::Parse("gt.mp/other"); }), Reason::kMalformed);
  EXPECT_EQ(Epoch([](auto& e) { e.epoch = e.wraps[0].epoch = 0; }), Reason::kMalformed);
  EXPECT_EQ(Epoch([](auto& e) { e.not_after = FromMillis(0); }), Reason::kMalformed);
}

TEST(RecordRules, AHeaderKeepsItsOrderAndItsSuite) {
  EXPECT_EQ(Header([](auto& h) { h.suite = 2; }), Reason::kUnknownSuite);
  EXPECT_EQ(Header([](auto& h) { h.suite = 0; }), Reason::kUnknownSuite);
  EXPECT_EQ(Header([](auto& h) { std::swap(h.portions[0].recipients[0], h.portions[0].recipients[1]); }),
            Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.portions[0].recipients[1] = h.portions[0].recipients[0]; }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.portions[0].recipients.clear(); }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.portions[1].number = 2; }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.portions.clear(); }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.authorities.clear(); }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.authorities[1].id = h.authorities[0].id; }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.portions[0].marking = "TLP:PINK"; }), Reason::kMalformed);
  EXPECT_EQ(Header([](auto& h) { h.portions[0].media_type = "a\x01"; }), Reason::kMalformed);
  EXPECT_EQ(Header([](auto& h) { h.origin = ""; }), Reason::kMalformed);
}

TEST(RecordRules, AHeaderHasAKnownUrgencyAndItsSourcesAscend) {
  EXPECT_EQ(Header([](auto& h) { h.urgency = record::Urgency{4}; }), Reason::kMalformed);
  EXPECT_EQ(Header([](auto& h) { std::swap(h.sources[0], h.sources[1]); }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) { h.sources[1] = h.sources[0]; }), Reason::kBadHeader);
  EXPECT_EQ(Header([](auto& h) {
              Sample sample(41);
              h.sources = sample.Ascending<Digest>(65);
            }),
            Reason::kMalformed);
  Sample sample(34);
  auto header = sample.Sealed().header;
  header.sources = sample.Ascending<Digest>(64);
  for (unsigned urgency = 0; urgency <= 3; ++urgency) {
    header.urgency = record::Urgency{static_cast<std::uint8_t>(urgency)};
    EXPECT_TRUE(proto::DecodeHeader(proto::EncodeHeader(header))) << urgency;
  }
  // Past 8 bits: 256 is not taken for 0.
  auto bytes = proto::EncodeHeader(header);
  v1::Header message;
  ASSERT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  message.set_urgency(256);
  EXPECT_FALSE(proto::DecodeHeader(AsBytes(message.SerializeAsString())));
}

TEST(RecordRules, ThereIsASealPerPortionAndAWrapPerRecipient) {
  EXPECT_EQ(Record([](auto& r) { r.seals.pop_back(); }), Reason::kBadHeader);
  EXPECT_EQ(Record([](auto& r) { r.seals.push_back(r.seals[0]); }), Reason::kBadHeader);
  EXPECT_EQ(Record([](auto& r) { r.seals[0].wraps.pop_back(); }), Reason::kBadHeader);
  EXPECT_EQ(Record([](auto& r) { r.seals[0].wraps[0].pop_back(); }), Reason::kMalformed);
  EXPECT_EQ(Record([](auto& r) { r.seals[0].body_length = 0; }), Reason::kBadHeader);
}

TEST(RecordRules, SlipsComeInOrder) {
  Sample sample(38);
  auto attachments = sample.Sealed().attachments;
  std::swap(attachments.slips[1], attachments.slips[2]);
  EXPECT_FALSE(proto::DecodeAttachments(proto::EncodeAttachments(attachments)));
  attachments.slips[1] = attachments.slips[2];
  EXPECT_FALSE(proto::DecodeAttachments(proto::EncodeAttachments(attachments)));
  attachments.slips.clear();
  ASSERT_TRUE(proto::DecodeAttachments(proto::EncodeAttachments(attachments)));
  attachments.policies[0].resize(32);
  EXPECT_FALSE(proto::DecodeAttachments(proto::EncodeAttachments(attachments)));
}

TEST(OpenRules, ItemsArePresentFewAndDifferent) {
  EXPECT_EQ(Open([](auto& o) { o.items.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.items[2].record = o.items[0].record, o.items[2].portion = o.items[0].portion; }),
            Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) {
              auto item = o.items[0];
              for (std::uint32_t i = 10; i < 264; ++i) item.portion = i, o.items.push_back(item);
            }),
            Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.purpose.clear(); }), Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) {
              o.case_reference =
                  "\xe2\x80\xae"
                  "71";
            }),
            Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.reply_key.bytes[0] = 0x03; }), Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.checkpoint_size = 0; }), Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.checkpoint_size = std::uint64_t{1} << 63; }), Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.emergency = std::string(201, 'x'); }), Reason::kMalformed);
  EXPECT_EQ(Open([](auto& o) { o.emergency = "now\n"; }), Reason::kMalformed);
  v1::Open message;
  Sample sample(36);
  const auto bytes = proto::EncodeOpen(sample.Open());
  ASSERT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  message.mutable_approved_request()->pop_back();
  EXPECT_FALSE(AgainPayload<Kind::kOpen>(AsBytes(message.SerializeAsString()))) << "a digest of 31 bytes";
}

TEST(OpenRules, AcknowledgementsAndRevocationsSayWhatTheyMay) {
  Sample sample(39);
  auto acknowledgement = sample.Acknowledgement();
  for (const auto* bad : {"", "Useful", "ignored"}) {
    acknowledgement.outcome = bad;
    EXPECT_FALSE(AgainPayload<Kind::kAcknowledgement>(proto::EncodeAcknowledgement(acknowledgement))) << bad;
  }
  auto revocation = sample.Revocation();
  for (const auto& bad : {std::string(), std::string(201, 'x'), std::string("a\rb")}) {
    revocation.why = bad;
    EXPECT_FALSE(AgainPayload<Kind::kRevocation>(proto::EncodeRevocation(revocation))) << bad;
  }
}

TEST(PolicyRules, ThePolicysOwnRulesAreChecked) {
  EXPECT_EQ(Policy([](auto& p) { p.marking = policy::Tlp{0}; }), Reason::kMalformed);
  EXPECT_EQ(Policy([](auto& p) { p.marking = policy::Tlp{6}; }), Reason::kMalformed);
  EXPECT_EQ(Policy([](auto& p) { p.releasable_to.countries = {"mx", "gt"}; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.releasable_to.countries = {"MX"}; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.purposes.clear(); }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.expires = p.not_before; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.expires = FromMillis(-1); }), Reason::kMalformed);
  EXPECT_EQ(Policy([](auto& p) { p.onward = policy::Onward{3}; }), Reason::kMalformed);
  EXPECT_EQ(Policy([](auto& p) { p.approvals[0].needed = 0; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approvals[0].needed = 3; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approvals[0].approvers.clear(); }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { std::swap(p.approvals[0].approvers[0], p.approvals[0].approvers[1]); }),
            Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approvals[1].approvers = {p.approvals[0].approvers[0]}; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approvals.resize(9, p.approvals[0]); }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approval_hours = 0; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approval_hours = 721; }), Reason::kBadPolicy);
  EXPECT_EQ(Policy([](auto& p) { p.approvals.clear(), p.emergency = false; }), Reason::kBadPolicy);
  EXPECT_FALSE(proto::DecodePolicy({}));
  EXPECT_FALSE(proto::DecodePolicy(Bytes(32)));
}

TEST(DecisionRules, ReasonsAreKnownCodesOnce) {
  Sample sample(40);
  auto decision = sample.Decision(sample.Some<Digest>());
  decision.verdicts[0].reasons.push_back(Reason::kClearance);
  EXPECT_FALSE(proto::DecodeDecision(proto::EncodeDecision(decision)));
  decision.verdicts.clear();
  EXPECT_FALSE(proto::DecodeDecision(proto::EncodeDecision(decision)));
  v1::Decision message;
  auto bytes = proto::EncodeDecision(sample.Decision(sample.Some<Digest>()));
  ASSERT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  message.mutable_verdicts(0)->set_reasons(0, "because");
  EXPECT_FALSE(proto::DecodeDecision(AsBytes(message.SerializeAsString())));
  message.mutable_verdicts(0)->set_reasons(0, "revoked");
  EXPECT_TRUE(proto::DecodeDecision(AsBytes(message.SerializeAsString())));
  message.mutable_verdicts(0)->set_record(std::string(32, '\0'));
  EXPECT_FALSE(proto::DecodeDecision(AsBytes(message.SerializeAsString()))) << "zeros for absence";
}

}  // namespace
}  // namespace valija::test
