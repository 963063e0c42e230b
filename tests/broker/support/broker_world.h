// A small world for the broker's tests: two agencies, their people and keys, and statements in their real bytes.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/ledger/state.h"
#include "core/log/note.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/epoch.h"
#include "core/record/seal.h"
#include "proto/convert.h"
#include "tests/support/test_certificates.h"

namespace valija::test {

struct BrokerPerson {
  ledger::MemberRecord record;
  crypto::SignKey sign;
  crypto::KemPrivateKey kem;
  Digest enrolment;  // the last one made; zeros before
};

struct SentRecord {
  ledger::VerifiedStatement statement;
  std::vector<crypto::Secret> ceks;
  std::vector<Bytes> bodies;  // sealed
};

class BrokerWorld {
 public:
  inline static const std::string kOrigin = "example.org/valija";

  crypto::SystemRandom random;
  Time now = *ParseTime("2026-11-24T09:00:00Z");
  AuthorityId authority = *AuthorityId::Parse("broker-1");
  crypto::Ed25519SignKey log_key = crypto::Ed25519SignKey::Generate(random);
  crypto::KemPrivateKey release_key = crypto::KemPrivateKey::Generate(random);
  std::map<std::string, BrokerPerson> people;
  std::map<std::string, crypto::KemPrivateKey> epoch_keys;  // by agency, the first epoch's

  ledger::Charter agreement;  // in force
  Digest agreement_statement;

  log::NoteVerifier verifier() const { return log::NoteVerifier::Make(kOrigin, log_key.verify_key()).value(); }

  BrokerPerson& NewPerson(const std::string& id, bool administrator = false) {
    BrokerPerson person{{*MemberId::Parse(id), ledger::MemberStatus::kActive, {}, {}, administrator, false},
                        crypto::SignKey::Generate(random),
                        crypto::KemPrivateKey::Generate(random),
                        {}};
    person.record.keys = {random.Make<KeyId>(), person.sign.verify_key().point(), person.kem.public_key().point()};
    return people.insert_or_assign(id, std::move(person)).first->second;
  }

  std::function<void(ledger::Charter&)> found_with;  // before it is signed
  ledger::VerifiedStatement Charter(const std::vector<std::string>& agencies = {"mx.fgr", "us.dea"}) {
    ledger::Charter charter;
    charter.origin = kOrigin;
    charter.title = "Agreement";
    charter.time = now;
    charter.nonce = random.Make<Nonce>();
    for (const auto& agency : agencies) {
      auto& administrator = NewPerson(agency + "/admin", true);
      charter.agencies.push_back({*AgencyId::Parse(agency), agency, TestCertificate(agency), {administrator.record}});
    }
    charter.authorities = {{authority, release_key.public_key().point()}};
    charter.log_key = verifier().Text();
    charter.carrier_ca_certificate = TestCertificate("carrier");
    charter.purposes = {"analysis", "investigation"};
    charter.clearances = {"secret"};
    if (found_with) found_with(charter);
    ledger::Envelope envelope = Envelope(ledger::Kind::kCharter, proto::EncodeCharter(charter));
    for (const auto& agency : agencies) SignDirect(envelope, people.at(agency + "/admin").sign);
    auto statement = proto::MakeStatement(std::move(envelope)).value();
    for (auto& [id, person] : people) person.enrolment = statement.digest;
    agreement = charter;
    agreement_statement = statement.digest;
    return ledger::VerifyCharter(std::move(statement)).value();
  }

  // The agreement changed, signed by the administrators of these agencies; in force from here on for what this world makes.
  ledger::VerifiedStatement Amend(const std::function<void(ledger::Charter&)>& change,
                                  const std::vector<std::string>& signers = {"mx.fgr", "us.dea"}) {
    ledger::CharterAmendment amendment{agreement, agreement_statement};
    amendment.charter.nonce = random.Make<Nonce>();
    change(amendment.charter);
    auto envelope = Envelope(ledger::Kind::kCharterAmendment, proto::EncodeCharterAmendment(amendment));
    for (const auto& agency : signers) SignDirect(envelope, people.at(agency + "/admin").sign);
    auto statement = proto::MakeStatement(std::move(envelope)).value();
    agreement = amendment.charter;
    agreement_statement = statement.digest;
    return ledger::VerifyCharterAmendment(std::move(statement),
                                          [this](const KeyId& id) -> std::optional<crypto::VerifyKey> {
                                            for (const auto& [name, person] : people)
                                              if (person.sign.id() == id) return person.sign.verify_key();
                                            return std::nullopt;
                                          })
        .value();
  }

  // A new member, or with status kRemoved the end of one.
  ledger::VerifiedStatement Enrol(BrokerPerson& member) {
    auto& by = people.at(member.record.id.agency().str() + "/admin");
    ledger::Enrolment enrolment{By(by), member.record, member.enrolment, {}};
    auto out = Direct(ledger::Kind::kEnrolment, proto::EncodeEnrolment(enrolment), by);
    member.enrolment = out->digest;
    return out;
  }
  ledger::VerifiedStatement EnrolNew(const std::string& id) { return Enrol(NewPerson(id)); }
  ledger::VerifiedStatement Remove(const std::string& id) {
    auto& member = people.at(id);
    member.record.status = ledger::MemberStatus::kRemoved;
    return Enrol(member);
  }

  // The first epoch of an agency that has its administrator alone.
  ledger::VerifiedStatement Epoch(const std::string& agency) {
    auto& by = people.at(agency + "/admin");
    auto key = crypto::KemPrivateKey::Generate(random);
    AgencyId id = *AgencyId::Parse(agency);
    auto sealed = record::SealEpochKey(key, id, 1, Digest{}, by.record.id, by.kem.public_key(), random);
    ledger::Epoch epoch{By(by),
                        id,
                        1,
                        key.public_key().point(),
                        now + std::chrono::days(365),
                        Digest{},
                        {{1, by.record.id, by.kem.id(), sealed.enc, sealed.ciphertext}}};
    epoch_keys.insert_or_assign(agency, std::move(key));
    return Direct(ledger::Kind::kEpoch, proto::EncodeEpoch(epoch), by);
  }

  // One portion for the agencies of each policy. Body lengths and roots are those of real bodies, which go nowhere.
  policy::Policy PolicyFor(const std::string& agency, std::vector<std::string> purposes = {"investigation"}) const {
    policy::Policy out;
    out.marking = policy::Tlp::kAmber;
    out.releasable_to.agencies = {*AgencyId::Parse(agency)};
    out.purposes = std::move(purposes);
    out.case_required = false;
    out.expires = now + std::chrono::days(30);
    return out;
  }
  SentRecord Record(const std::string& from_id, const std::vector<policy::Policy>& policies) {
    auto& from = people.at(from_id);
    record::Window window(from.record.id, from.sign.id(), now, random);
    window.Begin(now).value();
    const record::ReleaseAuthority release[] = {{authority, release_key.public_key()}};
    auto named = record::NameAuthorities(window, release, random);
    record::Header header{record::kSuite,
                          random.Make<RecordNonce>(),
                          from.record.id,
                          from.sign.id(),
                          now,
                          kOrigin,
                          window.id(),
                          std::nullopt,
                          named.refs,
                          {}};
    record::Attachments attachments;
    attachments.authority_encs = named.encs;
    std::vector<std::vector<record::Slip>> slips;
    for (std::uint32_t p = 0; p < policies.size(); ++p) {
      std::vector<record::Recipient> to;
      std::set<AgencyId> agencies(policies[p].releasable_to.agencies.begin(), policies[p].releasable_to.agencies.end());
      for (const auto& member : policies[p].releasable_to.members) agencies.insert(member.agency());
      for (const auto& agency : agencies) {
        to.push_back(
            {agency, crypto::KemPublicKey::FromPoint(epoch_keys.at(agency.str()).public_key().point()).value()});
      }
      auto committed = record::CommitRecipients(window, p, to, random);
      attachments.policies.push_back(proto::EncodePolicy(random.Make<Salt>(), policies[p]));
      header.portions.push_back({p, std::string(policy::TextOf(policies[p].marking)), "text/plain",
                                 proto::PolicyDigest(attachments.policies.back()), from.sign.id(),
                                 committed.commitments});
      attachments.slips.insert(attachments.slips.end(), committed.slips.begin(), committed.slips.end());
      slips.push_back(std::move(committed.slips));
    }
    Bytes header_bytes = proto::EncodeHeader(header);
    Hash ctx = record::RecordContext(header_bytes);
    std::vector<crypto::Secret> ceks;
    std::vector<Bytes> bodies;
    std::vector<record::PortionSeal> seals;
    for (std::uint32_t p = 0; p < policies.size(); ++p) {
      ceks.push_back(random.MakeSecret(record::kCekSize));
      auto body = record::SealBody(ceks.back(), ctx, p, random.Make<crypto::CobblestoneSalt>(), AsBytes("a report"));
      seals.push_back(
          {record::SealWraps(window, header, ctx, slips[p], ceks.back()), body.summary.length, body.summary.root});
      bodies.push_back(std::move(body.bytes));
    }
    return {Batched(ledger::Kind::kRecord, proto::EncodeRecord(header_bytes, seals), from, std::move(attachments)),
            std::move(ceks), std::move(bodies)};
  }

  // A later recipient of one portion: whom the policy names.
  ledger::VerifiedStatement Grant(const std::string& from_id, const SentRecord& sent, const policy::Policy& policy,
                                  std::uint32_t number = 0, std::optional<Digest> request = std::nullopt) {
    auto& from = people.at(from_id);
    record::Window window(from.record.id, from.sign.id(), now, random);
    window.Begin(now).value();
    const record::ReleaseAuthority release[] = {{authority, release_key.public_key()}};
    auto named = record::NameAuthorities(window, release, random);
    record::Header header = std::get<ledger::Record>(sent.statement->payload).payload.header;
    header.record_id = random.Make<RecordNonce>();
    header.originator = from.record.id;
    header.signing_key_id = from.sign.id();
    header.time = now;
    header.window_id = window.id();
    header.authorities = named.refs;
    record::Attachments attachments;
    attachments.authority_encs = named.encs;
    attachments.policies = {proto::EncodePolicy(random.Make<Salt>(), policy)};
    std::vector<record::Recipient> to;
    for (const auto& agency : policy.releasable_to.agencies)
      to.push_back({agency, crypto::KemPublicKey::FromPoint(epoch_keys.at(agency.str()).public_key().point()).value()});
    auto committed = record::CommitRecipients(window, number, to, random);
    attachments.slips = committed.slips;
    header.portions = {{number, std::string(policy::TextOf(policy.marking)), "text/plain",
                        proto::PolicyDigest(attachments.policies[0]), from.sign.id(), committed.commitments}};
    const Bytes header_bytes = proto::EncodeHeader(header);
    const Hash ctx = record::RecordContext(header_bytes);
    const ledger::Grant grant{.header_bytes = header_bytes,
                              .header = header,
                              .ctx = ctx,
                              .record = sent.statement->digest,
                              .wraps = {record::SealWraps(window, header, ctx, committed.slips, sent.ceks.at(number))},
                              .request = request,
                              .policies = {}};
    return Direct(ledger::Kind::kGrant, proto::EncodeGrant(grant), from, std::move(attachments));
  }

  ledger::VerifiedStatement Order(const std::string& by_id, const crypto::KemPublicKey& reply,
                                  Duration good_for = std::chrono::hours(24),
                                  const std::string& purpose = "investigation") {
    auto& by = people.at(by_id);
    ledger::StandingOrder order{By(by), by.record.id.agency(), purpose, "", reply.point(), now + good_for};
    return Direct(ledger::Kind::kStandingOrder, proto::EncodeStandingOrder(order), by);
  }
  ledger::VerifiedStatement Revoke(const std::string& by_id, const Digest& what, bool recall = false) {
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kRevocation, proto::EncodeRevocation({By(by), what, "a test", recall}), by);
  }
  // The narrowing or widening of portion 0 of a record or a grant, the first one.
  ledger::VerifiedStatement AmendPolicy(const std::string& by_id, const ledger::Statement& of,
                                        const policy::Policy& policy) {
    auto& by = people.at(by_id);
    auto policy_bytes = proto::EncodePolicy(random.Make<Salt>(), policy);
    ledger::Amendment amendment{By(by),      of.digest,
                                0,           proto::PolicyDigest(of.attachments.policies.at(0)),
                                1,           proto::PolicyDigest(policy_bytes),
                                std::nullopt};
    return Direct(ledger::Kind::kAmendment, proto::EncodeAmendment(amendment), by, {{}, {policy_bytes}, {}});
  }
  ledger::VerifiedStatement AskFor(const std::string& by_id, const Digest& record,
                                   ledger::Wish wish = ledger::Wish::kOpen,
                                   std::optional<policy::Tlp> marking = std::nullopt,
                                   std::optional<AgencyId> onward = std::nullopt) {
    auto& by = people.at(by_id);
    const AgencyId agency = onward.value_or(by.record.id.agency());
    return Direct(
        ledger::Kind::kAccessRequest,
        proto::EncodeAccessRequest({By(by), record, {}, wish, agency, marking, "investigation", "", "a test"}), by);
  }
  ledger::VerifiedStatement Answer(const std::string& by_id, const Digest& request,
                                   std::optional<policy::Tlp> marking = std::nullopt) {
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kAnswer, proto::EncodeAnswer({By(by), request, marking, "a test"}), by);
  }
  ledger::VerifiedStatement Approve(const std::string& by_id, const Digest& request) {
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kApproval,
                  proto::EncodeApproval({By(by), request, ledger::ApprovalVerdict::kApprove, "a test"}), by);
  }
  ledger::VerifiedStatement Review(const std::string& by_id, const Digest& request) {
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kReview, proto::EncodeReview({By(by), request, ledger::Finding::kJustified, "a test"}),
                  by);
  }
  ledger::VerifiedStatement Acknowledge(const std::string& by_id, const Digest& record, const std::string& outcome) {
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kAcknowledgement, proto::EncodeAcknowledgement({By(by), record, outcome}), by);
  }
  ledger::VerifiedStatement LookUp(const std::string& by_id) {
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kLookup, proto::EncodeLookup({By(by), 0, 0, now + std::chrono::hours(1), "a test"}),
                  by);
  }
  static ledger::Erasure ErasureOf(const ledger::Statement& statement) {
    auto redacted = proto::RedactPayload(statement.kind, statement.envelope.payload).value();
    return {statement.digest, crypto::Sha256(redacted)};
  }
  ledger::VerifiedStatement Purge(const std::string& by_id, std::vector<ledger::Erasure> erasures) {
    std::sort(erasures.begin(), erasures.end(), [](const auto& a, const auto& b) { return a.statement < b.statement; });
    auto& by = people.at(by_id);
    return Direct(ledger::Kind::kPurge, proto::EncodePurge({By(by), std::move(erasures), "a test"}), by);
  }

  ledger::VerifiedStatement Open(const std::string& by_id, const std::vector<std::pair<Digest, std::uint32_t>>& items,
                                 const log::Checkpoint& seen, const crypto::KemPublicKey& reply,
                                 const std::string& purpose = "investigation", const std::string& case_reference = "",
                                 const std::function<void(ledger::Open&)>& change = nullptr) {
    auto& by = people.at(by_id);
    AgencyId agency = by.record.id.agency();
    ledger::Open open{By(by),
                      {},
                      agency,
                      purpose,
                      case_reference,
                      reply.point(),
                      seen.size,
                      seen.root,
                      now + std::chrono::minutes(10)};
    for (const auto& [digest, portion] : items) {
      open.items.push_back({digest, portion, epoch_keys.at(agency.str()).id()});
    }
    if (change) change(open);
    return Batched(ledger::Kind::kOpen, proto::EncodeOpen(open), by, {});
  }

 private:
  ledger::Authorship By(const BrokerPerson& author) {
    return {author.record.id, author.sign.id(), kOrigin, now, random.Make<Nonce>()};
  }
  static ledger::Envelope Envelope(ledger::Kind kind, Bytes payload) {
    return {ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
  }
  static void SignDirect(ledger::Envelope& envelope, const crypto::SignKey& key) {
    envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
  }
  ledger::VerifiedStatement Direct(ledger::Kind kind, Bytes payload, const BrokerPerson& by,
                                   record::Attachments attachments = {}) {
    auto envelope = Envelope(kind, std::move(payload));
    SignDirect(envelope, by.sign);
    return ledger::VerifyStatement(proto::MakeStatement(std::move(envelope), std::move(attachments)).value(),
                                   by.sign.verify_key())
        .value();
  }
  ledger::VerifiedStatement Batched(ledger::Kind kind, Bytes payload, const BrokerPerson& by,
                                    record::Attachments attachments) {
    auto envelope = Envelope(kind, std::move(payload));
    auto batch = record::SignBatch(by.sign, {record::StatementLeaf(envelope.payload_type, envelope.payload)});
    envelope.batch = ledger::BatchProof{batch.payload, batch.signature, 0, batch.paths[0]};
    auto statement = proto::MakeStatement(std::move(envelope), std::move(attachments)).value();
    return ledger::VerifyStatement(std::move(statement), by.sign.verify_key()).value();
  }
};

}  // namespace valija::test
