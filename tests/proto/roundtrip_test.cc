// What is written is read again, every field of it and each into its own place.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

TEST(RoundTrip, GivesTheSameBytesForRandomContentOfEveryKind) {
  for (const auto& coding : Codings()) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Sample sample(seed);
      auto bytes = coding.sample(sample);
      auto again = coding.again(bytes);
      ASSERT_TRUE(again) << coding.name << " seed " << seed << ": " << again.error().Message();
      ASSERT_EQ(ToHex(*again), ToHex(bytes)) << coding.name << " seed " << seed;
    }
  }
}

// A field that both writing and reading forgot would make a faultless round trip: so the samples fill every field there
// is, and here is seen that all of them are written.
TEST(RoundTrip, WritesEveryFieldOfEveryMessage) {
  std::set<std::string> written, all;
  for (const auto& coding : Codings()) {
    Sample sample(7);
    auto message = ParseSample(coding, coding.sample(sample));
    EachLevel(message.get(), [&](Message* level) {
      for (int i = 0; i < level->GetDescriptor()->field_count(); ++i) {
        all.insert(level->GetDescriptor()->field(i)->full_name());
      }
      std::vector<const google::protobuf::FieldDescriptor*> fields;
      level->GetReflection()->ListFields(*level, &fields);
      for (const auto* field : fields) written.insert(field->full_name());
    });
  }
  EXPECT_GT(all.size(), 200U);
  for (const auto& field : all) EXPECT_TRUE(written.count(field)) << field << " is never written";
}

TEST(RoundTrip, PutsEachFieldOfADirectoryPayloadInItsPlace) {
  Sample sample(1);
  auto charter = sample.Charter();
  auto bytes = proto::EncodeCharter(charter);
  auto back = Decoded<ledger::Charter>(ledger::Kind::kCharter, bytes);
  EXPECT_EQ(back.origin, charter.origin);
  EXPECT_EQ(back.title, charter.title);
  EXPECT_EQ(back.time, charter.time);
  EXPECT_EQ(back.nonce, charter.nonce);
  ASSERT_EQ(back.agencies.size(), 3U);
  EXPECT_EQ(back.agencies[1].id.str(), "mx.fgr");
  EXPECT_EQ(back.agencies[1].name, charter.agencies[1].name);
  EXPECT_EQ(back.agencies[1].ca_certificate, charter.agencies[1].ca_certificate);
  ASSERT_EQ(back.authorities.size(), 2U);
  EXPECT_EQ(back.authorities[1].release_key, charter.authorities[1].release_key);
  EXPECT_EQ(back.log_key, charter.log_key);
  EXPECT_EQ(back.carrier_ca_certificate, charter.carrier_ca_certificate);
  EXPECT_EQ(back.joint_auditors, charter.joint_auditors);
  EXPECT_EQ(back.purposes, charter.purposes);
  EXPECT_EQ(back.clearances, charter.clearances);
  EXPECT_EQ(back.caps, charter.caps);
  auto caps = ParsedAs<v1::Charter>(bytes).caps();
  EXPECT_EQ(caps.max_window_days(), 100U);
  EXPECT_EQ(caps.max_portions(), 4U);
  EXPECT_EQ(caps.max_recipients(), 5U);
  EXPECT_EQ(caps.max_body_bytes(), 6'000'000'000U);
  EXPECT_EQ(caps.clock_skew_seconds(), 7U);
  EXPECT_EQ(caps.request_lifetime_seconds(), 8U);
  EXPECT_EQ(caps.epoch_grace_seconds(), 9U);
  EXPECT_EQ(caps.normal_response_hours(), 10U);
  EXPECT_EQ(caps.urgent_response_hours(), 11U);
  EXPECT_EQ(caps.immediate_response_hours(), 12U);
  EXPECT_EQ(back.amendment_signatures, 2U);

  auto enrolment = sample.Enrolment();
  enrolment.member.status = ledger::MemberStatus::kRemoved;
  enrolment.member.auditor = false;
  enrolment.member.administrator = true;
  bytes = proto::EncodeEnrolment(enrolment);
  auto member = Decoded<ledger::Enrolment>(ledger::Kind::kEnrolment, bytes).member;
  EXPECT_EQ(member.id, enrolment.member.id);
  EXPECT_EQ(member.status, ledger::MemberStatus::kRemoved);
  EXPECT_EQ(member.keys.auth_key_id, enrolment.member.keys.auth_key_id);
  EXPECT_EQ(member.keys.signing_key, enrolment.member.keys.signing_key);
  EXPECT_EQ(member.keys.kem_key, enrolment.member.keys.kem_key);
  EXPECT_EQ(member.attributes, enrolment.member.attributes);
  EXPECT_EQ(member.person, enrolment.member.person);
  EXPECT_TRUE(member.administrator);
  EXPECT_FALSE(member.auditor);
  auto wire = ParsedAs<v1::Enrolment>(bytes);
  EXPECT_EQ(wire.member().kem_key(), ToString(enrolment.member.keys.kem_key));
  EXPECT_EQ(wire.by().author(), enrolment.by.author.str());
  EXPECT_EQ(wire.by().key_id(), ToString(enrolment.by.key_id));
  EXPECT_EQ(wire.wraps(1).enc(), ToString(enrolment.wraps[1].enc));

  auto epoch = sample.Epoch();
  auto epoch_back = Decoded<ledger::Epoch>(ledger::Kind::kEpoch, proto::EncodeEpoch(epoch));
  EXPECT_EQ(epoch_back.agency, epoch.agency);
  EXPECT_EQ(epoch_back.epoch, epoch.epoch);
  EXPECT_EQ(epoch_back.public_key, epoch.public_key);
  EXPECT_EQ(epoch_back.not_after, epoch.not_after);
  EXPECT_EQ(epoch_back.previous, epoch.previous);
  ASSERT_EQ(epoch_back.wraps.size(), epoch.wraps.size());
  EXPECT_EQ(epoch_back.wraps[0].member_kem_key_id, epoch.wraps[0].member_kem_key_id);
  EXPECT_EQ(epoch_back.wraps[0].ciphertext, epoch.wraps[0].ciphertext);
}

TEST(RoundTrip, PutsEachFieldOfARecordInItsPlace) {
  Sample sample(2);
  auto sealed = sample.Sealed();
  auto header_bytes = proto::EncodeHeader(sealed.header);
  auto back = Decoded<ledger::Record>(ledger::Kind::kRecord, proto::EncodeRecord(header_bytes, sealed.seals)).payload;
  EXPECT_EQ(back.header_bytes, header_bytes);
  EXPECT_EQ(back.ctx, crypto::TupleHash("record", {header_bytes}));
  const auto& header = back.header;
  EXPECT_EQ(header.suite, record::kSuite);
  EXPECT_EQ(header.record_id, sealed.header.record_id);
  EXPECT_EQ(header.originator, sealed.header.originator);
  EXPECT_EQ(header.signing_key_id, sealed.header.signing_key_id);
  EXPECT_EQ(header.time, sealed.header.time);
  EXPECT_EQ(header.origin, sealed.header.origin);
  EXPECT_EQ(header.window_id, sealed.header.window_id);
  EXPECT_EQ(header.in_reply_to, sealed.header.in_reply_to);
  EXPECT_EQ(header.urgency, record::Urgency::kUrgent);
  EXPECT_EQ(header.sources, sealed.header.sources);
  ASSERT_EQ(header.authorities.size(), 2U);
  EXPECT_EQ(header.authorities[0].id, sealed.header.authorities[0].id);
  EXPECT_EQ(header.authorities[0].key_id, sealed.header.authorities[0].key_id);
  EXPECT_EQ(header.authorities[0].enc_hash, sealed.header.authorities[0].enc_hash);
  ASSERT_EQ(header.portions.size(), 2U);
  EXPECT_EQ(header.portions[1].number, 1U);
  EXPECT_EQ(header.portions[1].marking, "TLP:AMBER");
  EXPECT_EQ(header.portions[1].media_type, "application/stix+json");
  EXPECT_EQ(header.portions[1].policy_digest, sealed.header.portions[1].policy_digest);
  EXPECT_EQ(header.portions[1].amend_key_id, sealed.header.portions[1].amend_key_id);
  EXPECT_EQ(header.portions[1].recipients, sealed.header.portions[1].recipients);
  ASSERT_EQ(back.portions.size(), 2U);
  EXPECT_EQ(back.portions[1].wraps, sealed.seals[1].wraps);
  EXPECT_EQ(back.portions[1].body_length, 328U);
  EXPECT_EQ(back.portions[1].body_root, sealed.seals[1].body_root);

  auto beside = proto::DecodeAttachments(proto::EncodeAttachments(sealed.attachments));
  ASSERT_TRUE(beside);
  EXPECT_EQ(beside->policies, sealed.attachments.policies);
  EXPECT_EQ(beside->authority_encs, sealed.attachments.authority_encs);
  ASSERT_EQ(beside->slips.size(), 4U);
  const auto& slip = sealed.attachments.slips[3];
  EXPECT_EQ(beside->slips[3].portion, slip.portion);
  EXPECT_EQ(beside->slips[3].index, slip.index);
  EXPECT_EQ(beside->slips[3].salt, slip.salt);
  EXPECT_EQ(beside->slips[3].agency, slip.agency);
  EXPECT_EQ(beside->slips[3].epoch_key_id, slip.epoch_key_id);
  EXPECT_EQ(beside->slips[3].enc, slip.enc);

  sealed.header.in_reply_to.reset();
  auto first = proto::DecodeHeader(proto::EncodeHeader(sealed.header));
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->in_reply_to);
}

TEST(RoundTrip, PutsEachFieldOfAnOpenItsAnswersAndAPolicyInItsPlace) {
  Sample sample(3);
  auto open = sample.Open();
  auto bytes = proto::EncodeOpen(open);
  auto back = Decoded<ledger::Open>(ledger::Kind::kOpen, bytes);
  EXPECT_EQ(back.by.author, open.by.author);
  EXPECT_EQ(back.by.key_id, open.by.key_id);
  EXPECT_EQ(back.by.origin, open.by.origin);
  EXPECT_EQ(back.by.time, open.by.time);
  EXPECT_EQ(back.by.nonce, open.by.nonce);
  ASSERT_EQ(back.items.size(), 3U);
  EXPECT_EQ(back.items[2].record, open.items[2].record);
  EXPECT_EQ(back.items[2].portion, 3U);
  EXPECT_EQ(back.items[2].epoch_key_id, open.items[2].epoch_key_id);
  EXPECT_EQ(back.agency, open.agency);
  EXPECT_EQ(back.purpose, open.purpose);
  EXPECT_EQ(back.case_reference, open.case_reference);
  EXPECT_EQ(back.reply_key, open.reply_key);
  EXPECT_EQ(back.checkpoint_size, open.checkpoint_size);
  EXPECT_EQ(back.checkpoint_root, open.checkpoint_root);
  EXPECT_EQ(back.expires, open.expires);
  EXPECT_EQ(back.approved_request, open.approved_request);
  EXPECT_EQ(back.emergency, open.emergency);
  EXPECT_EQ(ParsedAs<v1::Open>(bytes).items(2).record(), ToString(open.items[2].record));

  auto acknowledgement = sample.Acknowledgement();
  auto ack =
      Decoded<ledger::Acknowledgement>(ledger::Kind::kAcknowledgement, proto::EncodeAcknowledgement(acknowledgement));
  EXPECT_EQ(ack.record, acknowledgement.record);
  EXPECT_EQ(ack.outcome, acknowledgement.outcome);
  auto revocation = sample.Revocation();
  auto revoked = Decoded<ledger::Revocation>(ledger::Kind::kRevocation, proto::EncodeRevocation(revocation));
  EXPECT_EQ(revoked.record, revocation.record);
  EXPECT_EQ(revoked.why, revocation.why);
  EXPECT_TRUE(revoked.recall);

  auto policy = sample.Policy();
  auto policy_bytes = proto::EncodePolicy(sample.Some<Salt>(), policy);
  EXPECT_EQ(proto::DecodePolicy(policy_bytes).value(), policy);
  auto wire = ParsedAs<v1::Policy>(ByteView(policy_bytes).subspan(32));
  EXPECT_EQ(wire.marking(), 3U);
  EXPECT_EQ(wire.need_to_know().all_programmes(0), policy.need_to_know.all_programmes[0]);
  EXPECT_EQ(wire.openings_per_agency(), policy.openings_per_agency);
  EXPECT_EQ(wire.openings_in_all(), policy.openings_in_all);
  EXPECT_TRUE(wire.case_not_required());
  ASSERT_EQ(wire.approvals_size(), 2);
  EXPECT_EQ(wire.approvals(0).needed(), 2U);
  EXPECT_EQ(wire.approvals(1).approvers(0), policy.approvals[1].approvers[0].str());
  EXPECT_EQ(wire.approval_hours(), policy.approval_hours);
  EXPECT_TRUE(wire.emergency());
  EXPECT_EQ(wire.onward(), 2U);
  EXPECT_TRUE(wire.audience_shown());
  EXPECT_EQ(proto::PolicyDigest(policy_bytes), crypto::Sha256(policy_bytes));
  policy = {};
  policy.marking = policy::Tlp::kGreen;
  policy.releasable_to.countries = {"mx"};
  policy.purposes = {"narcotics"};
  EXPECT_EQ(proto::DecodePolicy(proto::EncodePolicy(sample.Some<Salt>(), policy)).value(), policy);

  auto decision = sample.Decision(sample.Some<Digest>());
  decision.verdicts.push_back({{}, 0, {}, {}, 0, ""});  // of a kind that is no open
  EXPECT_EQ(proto::DecodeDecision(proto::EncodeDecision(decision)).value(), decision);
}

}  // namespace
}  // namespace valija::test
