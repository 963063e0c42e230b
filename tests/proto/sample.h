// Well-formed values of every kind with random content from a seed: what the tests of proto/ encode, change and refuse.
#pragma once

#include <algorithm>
#include <random>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/log/witness_policy.h"
#include "core/record/slip.h"
#include "proto/exchange.h"

namespace valija::test {

class Sample {
 public:
  explicit Sample(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t Below(std::uint64_t limit) { return engine_() % limit; }
  std::uint64_t Between(std::uint64_t least, std::uint64_t most) { return least + Below(most - least + 1); }
  bool Coin() { return Below(2) == 1; }
  Bytes SomeBytes(std::size_t size) {
    Bytes out(size);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine_());
    return out;
  }
  template <class F>
  F Some() {
    return *F::From(SomeBytes(F::kSize));
  }
  template <class F>
  std::vector<F> Ascending(std::size_t count) {
    std::vector<F> out;
    for (; out.size() < count;) out.push_back(Some<F>());
    std::sort(out.begin(), out.end());
    return out;
  }
  Point SomePoint() {
    Point point = Some<Point>();
    point.bytes[0] = 0x04;
    return point;
  }
  Time SomeTime() { return FromMillis(static_cast<std::int64_t>(Between(1, 253402300799999))); }
  std::string Word() {
    std::string out;
    for (auto n = Between(1, 8); n > 0; --n) out.push_back(static_cast<char>('a' + Below(26)));
    return out;
  }
  std::string Text() {
    static const char* const kWords[] = {"informe", "frontière", "señal", "報告", "Übergabe", "plain", "🙂"};
    return std::string(kWords[Below(7)]) + " " + kWords[Below(7)];
  }
  std::vector<std::string> Words(std::size_t least, std::size_t most) {  // ascending, none twice
    std::vector<std::string> out;
    for (auto n = Between(least, most); out.size() < n;) {
      auto word = Word();
      if (std::find(out.begin(), out.end(), word) == out.end()) out.push_back(word);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  AgencyId Agency() { return *AgencyId::Parse(std::string(Coin() ? "mx." : "us.") + Word()); }
  MemberId Member(const AgencyId& agency) { return *MemberId::Parse(agency.str() + "/" + Word()); }
  MemberId Member() { return Member(Agency()); }
  AuthorityId Authority() { return *AuthorityId::Parse("broker-" + Word()); }
  std::string Origin() { return "log.example/" + Word(); }

  ledger::Authorship By() { return {Member(), Some<KeyId>(), Origin(), SomeTime(), Some<Nonce>()}; }
  ledger::MemberRecord Record(MemberId id, bool administrator) {
    return {.id = std::move(id),
            .status = ledger::MemberStatus::kActive,
            .keys = {Some<KeyId>(), SomePoint(), SomePoint()},
            .attributes = {Word(), Words(1, 3), Words(1, 3)},
            .administrator = administrator,
            .auditor = true,
            .person = Word()};
  }
  ledger::EpochWrap Wrap(std::uint64_t epoch, MemberId member) {
    return {epoch, std::move(member), Some<KeyId>(), SomePoint(), SomeBytes(48)};
  }

  std::string WitnessPolicy() {
    const auto key = crypto::Ed25519SignKey::FromSeed(SomeBytes(32)).value();
    const auto cosigner = log::Cosigner::Make("witness.example/1", key.verify_key()).value();
    return log::WitnessPolicy::Parse("witness mx.fgr " + cosigner.Text() + "\nquorum mx.fgr\n").value().Text();
  }
  ledger::Charter Charter() {
    ledger::Charter out{.origin = Origin(),
                        .title = Text(),
                        .time = SomeTime(),
                        .nonce = Some<Nonce>(),
                        .agencies = {},
                        .authorities = {},
                        .log_key = "log.example+0a0b0c0d+" + Word(),
                        .carrier_ca_certificate = SomeBytes(12),
                        .joint_auditors = {Member()},
                        .purposes = Words(1, 4),
                        .clearances = Words(2, 4),
                        .caps = {},
                        .amendment_signatures = 2,
                        .witness_policy = WitnessPolicy(),
                        .max_checkpoint_age_seconds = 3600,
                        .degraded_after_seconds = 60};
    out.caps = {100, 4, 5, 6'000'000'000, 7, 8, 9, {10, 11, 12}};
    for (const auto* id : {"gt.mp", "mx.fgr", "us.dea"}) {
      auto agency = *AgencyId::Parse(id);
      out.agencies.push_back({agency, Text(), SomeBytes(9), {Record(Member(agency), true)}});
    }
    out.authorities = {{*AuthorityId::Parse("broker-1"), SomePoint()}, {*AuthorityId::Parse("broker-2"), SomePoint()}};
    return out;
  }
  ledger::Enrolment Enrolment() {
    auto member = Member();
    return {By(), Record(member, Coin()), Some<Digest>(), {Wrap(1, member), Wrap(2 + Below(9), member)}};
  }
  ledger::Epoch Epoch() {
    auto agency = Agency();
    ledger::Epoch out{By(), agency, Between(1, 900), SomePoint(), SomeTime(), Some<Digest>(), {}};
    for (const auto& name : Words(1, 3)) {
      out.wraps.push_back(Wrap(out.epoch, *MemberId::Parse(agency.str() + "/" + name)));
    }
    return out;
  }

  policy::Policy Policy() {
    policy::Policy out;
    out.marking = policy::Tlp::kAmber;
    out.releasable_to.countries = {"gt", "mx"};
    out.releasable_to.agencies = {*AgencyId::Parse("us.dea"), *AgencyId::Parse("us.fbi")};
    out.releasable_to.members = {*MemberId::Parse("us.ice/" + Word())};
    out.need_to_know = {Word(), Words(1, 3), Words(1, 3), Words(1, 3), Words(1, 3)};
    out.purposes = Words(1, 3);
    out.case_required = false;
    out.not_before = FromMillis(static_cast<std::int64_t>(Between(1, 1'000'000)));
    out.expires = FromMillis(static_cast<std::int64_t>(Between(2'000'000, 3'000'000)));
    out.openings_per_agency = static_cast<std::uint32_t>(Between(1, 1000));
    out.openings_in_all = static_cast<std::uint32_t>(Between(1000, 1'000'000));
    out.approvals = {{2, {*MemberId::Parse("mx.fgr/ana"), *MemberId::Parse("mx.fgr/" + Word() + "x")}},
                     {1, {*MemberId::Parse("us.dea/" + Word())}}};
    std::sort(out.approvals[0].approvers.begin(), out.approvals[0].approvers.end());
    out.approval_hours = static_cast<std::uint32_t>(Between(1, 720));
    out.emergency = true;
    out.onward = policy::Onward::kWithinCountry;
    out.audience_shown = true;
    return out;
  }

  struct SealedRecord {
    record::Header header;
    std::vector<record::PortionSeal> seals;
    record::Attachments attachments;
  };
  // Two portions, two recipients each, two authorities: policies, slips and encs are the header's, the seals are noise.
  SealedRecord Sealed() {
    SealedRecord out{record::Header{.suite = record::kSuite,
                                    .record_id = Some<RecordNonce>(),
                                    .originator = Member(),
                                    .signing_key_id = Some<KeyId>(),
                                    .time = SomeTime(),
                                    .origin = Origin(),
                                    .window_id = Some<WindowId>(),
                                    .in_reply_to = Some<Digest>(),
                                    .authorities = {},
                                    .portions = {},
                                    .urgency = record::Urgency::kUrgent,
                                    .sources = Ascending<Digest>(3)},
                     {},
                     {}};
    for (const auto* id : {"broker-1", "broker-2"}) {
      auto enc = SomePoint();
      out.attachments.authority_encs.push_back(enc);
      out.header.authorities.push_back({*AuthorityId::Parse(id), Some<KeyId>(), crypto::Sha256(enc)});
    }
    for (std::uint32_t number = 0; number < 2; ++number) {
      auto policy = proto::EncodePolicy(Some<Salt>(), Policy());
      record::PortionHead portion{number,        "TLP:AMBER", "application/stix+json", proto::PolicyDigest(policy),
                                  Some<KeyId>(), {}};
      std::vector<record::Slip> slips;
      for (const auto* agency : {"us.dea", "gt.mp"}) {
        slips.push_back({number, 0, Some<Salt>(), *AgencyId::Parse(agency), Some<KeyId>(), SomePoint()});
      }
      auto commitment = [](const record::Slip& slip) {
        return record::CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc);
      };
      std::sort(slips.begin(), slips.end(),
                [&](const auto& a, const auto& b) { return commitment(a) < commitment(b); });
      for (std::uint32_t i = 0; i < slips.size(); ++i) {
        slips[i].index = i;
        portion.recipients.push_back(commitment(slips[i]));
      }
      out.attachments.slips.insert(out.attachments.slips.end(), slips.begin(), slips.end());
      out.attachments.policies.push_back(policy);
      out.header.portions.push_back(portion);
      // Any length that sealing can give: salt, commitment, one chunk of 256 padded bytes.
      out.seals.push_back({{SomeBytes(48), SomeBytes(48)}, 328, Some<Hash>()});
    }
    return out;
  }
  Bytes RecordBytes() {
    auto sealed = Sealed();
    return proto::EncodeRecord(proto::EncodeHeader(sealed.header), sealed.seals);
  }

  ledger::Open Open() {
    ledger::Open out{.by = By(),
                     .items = {},
                     .agency = Agency(),
                     .purpose = Word(),
                     .case_reference = Text(),
                     .reply_key = SomePoint(),
                     .checkpoint_size = Between(1, 1'000'000),
                     .checkpoint_root = Some<Hash>(),
                     .expires = SomeTime(),
                     .approved_request = Some<Digest>(),
                     .emergency = Text()};
    for (std::uint32_t i = 1; i < 4; ++i) out.items.push_back({Some<Digest>(), i, Some<KeyId>()});
    return out;
  }
  ledger::Acknowledgement Acknowledgement() { return {By(), Some<Digest>(), std::string(ledger::kOutcomes[Below(5)])}; }
  ledger::Revocation Revocation() { return {By(), Some<Digest>(), Text(), true}; }

  ledger::Decision Decision(const Digest& statement) {
    ledger::Decision out{statement, Authority(), Some<Nonce>(), {}};
    out.verdicts.push_back({Some<Digest>(), 1, {Reason::kClearance, Reason::kExpired}, Some<Hash>(), 3, "TLP:RED"});
    out.verdicts.push_back({Some<Digest>(), 2, {}, Some<Hash>(), Between(1, 9), "TLP:GREEN"});
    out.unwitnessed = true;
    return out;
  }

  // Signatures are noise: nothing in proto/ verifies them.
  ledger::Envelope Direct(ledger::Kind kind, Bytes payload) {
    return {ledger::PayloadType(kind),
            std::move(payload),
            {{Some<KeyId>(), Some<crypto::Signature>()}, {Some<KeyId>(), Some<crypto::Signature>()}},
            std::nullopt};
  }
  ledger::Envelope Batched(ledger::Kind kind, Bytes payload) {
    return {ledger::PayloadType(kind),
            std::move(payload),
            {},
            ledger::BatchProof{SomeBytes(102), Some<crypto::Signature>(), Between(1, 3), {Some<Hash>(), Some<Hash>()}}};
  }

  // A record's entry with every part, all holding together.
  proto::LoggedEntry Entry() {
    auto sealed = Sealed();
    return EntryOf(
        Batched(ledger::Kind::kRecord, proto::EncodeRecord(proto::EncodeHeader(sealed.header), sealed.seals)),
        sealed.attachments);
  }
  proto::LoggedEntry EntryOf(ledger::Envelope envelope, record::Attachments attachments = {}) {
    proto::LoggedEntry out;
    out.envelope = std::move(envelope);
    out.attachments = std::move(attachments);
    ledger::EntryHead head{
        Between(1, 1'000'000), SomeTime(), crypto::DigestOf(out.envelope->payload_type, out.envelope->payload), {}};
    out.decision_bytes = proto::EncodeDecision(Decision(head.statement));
    head.decision = crypto::DigestOf(ledger::kDecisionType, out.decision_bytes);
    out.head = head;
    out.salt = Some<Salt>();
    out.commitment = ledger::CommitEntry(*out.salt, head);
    return out;
  }
  std::vector<Hash> Hashes(std::size_t count) {
    std::vector<Hash> out;
    for (; out.size() < count;) out.push_back(Some<Hash>());
    return out;
  }
  proto::View View() {
    return {"log.example\n1\nAAAA\n\n" + Word(), Hashes(3), "log.example\n1\n" + Word(), Hashes(2)};
  }
  proto::Receipt Receipt() {
    auto entry = Entry();
    return {*entry.head, *entry.salt, entry.decision_bytes, Hashes(5)};
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace valija::test
