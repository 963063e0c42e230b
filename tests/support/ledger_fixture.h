// A small world for tests of what stands on the ledger: a charter of four agencies in three countries, members, key
// epochs and records, with real keys and real sealing values, yielding statements that are verified as any other.
//
// The core knows no protobuf, so payload bytes are stand-ins, fresh for every draft: a test changes the fields of a
// draft as it likes, and what it signs is a statement of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/crypto/hpke.h"
#include "core/ledger/state.h"
#include "core/log/note.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/epoch.h"
#include "core/record/seal.h"
#include "core/record/share.h"
#include "tests/core/crypto/fixed_random.h"
#include "tests/support/test_certificates.h"

namespace valija::test {

inline MemberId Member(std::string_view text) { return *MemberId::Parse(text); }
inline AgencyId Agency(std::string_view text) { return *AgencyId::Parse(text); }
inline Time At(std::string_view text) { return *ParseTime(text); }

struct Person {
  ledger::MemberRecord record;  // as to be enrolled
  crypto::SignKey sign;
  crypto::KemPrivateKey kem;
  const MemberId& id() const { return record.id; }
};

// A record's draft beside what its sender knows.
struct Draft {
  ledger::Statement statement;
  std::vector<crypto::Secret> ceks;  // per portion
  std::vector<Bytes> bodies;         // sealed
  ledger::Record& record() { return std::get<ledger::Record>(statement.payload); }
  record::Header& header() { return record().payload.header; }
};

class World {
 public:
  inline static const std::string kOrigin = "example.org/valija";

  FixedRandom random{"a world"};
  Time now = At("2026-11-24T09:00:00Z");
  AuthorityId authority = *AuthorityId::Parse("broker-1");
  crypto::Ed25519SignKey log_key = crypto::Ed25519SignKey::Generate(random);
  crypto::KemPrivateKey release_key = crypto::KemPrivateKey::Generate(random);
  crypto::KemPrivateKey second_release_key = crypto::KemPrivateKey::Generate(random);
  std::map<std::string, Person> people;
  std::map<std::pair<std::string, std::uint64_t>, crypto::KemPrivateKey> epoch_keys;  // agency, epoch
  ledger::Charter charter = MakeCharter();
  ledger::State state;
  std::vector<ledger::Entry> entries;

  explicit World(bool populated = false) {
    if (populated) Populate();
  }

  // ---- people ----
  // Fresh keys for a member of this name; those it had are gone.
  Person& NewPerson(const std::string& id, policy::Attributes attributes = {}, bool administrator = false) {
    Person person{{Member(id), ledger::MemberStatus::kActive, {}, std::move(attributes), administrator, false},
                  crypto::SignKey::Generate(random),
                  crypto::KemPrivateKey::Generate(random)};
    person.record.keys = {random.Make<KeyId>(), person.sign.verify_key().point(), person.kem.public_key().point()};
    return people.insert_or_assign(id, std::move(person)).first->second;
  }
  Person& operator[](const std::string& id) { return people.at(id); }

  // ---- statements ----
  ledger::Authorship By(const Person& author) {
    return {author.id(), author.sign.id(), kOrigin, now, random.Make<Nonce>()};
  }

  ledger::Statement Unsigned(ledger::Kind kind, ledger::Payload payload) {
    const std::string bytes = "payload " + std::to_string(++drafts_);
    ledger::Envelope envelope{ledger::PayloadType(kind), ToBytes(AsBytes(bytes)), {}, std::nullopt};
    const Digest digest = crypto::DigestOf(envelope.payload_type, envelope.payload);
    return {kind, digest, std::move(envelope), std::move(payload), {}};
  }

  static ledger::Statement SignDirect(ledger::Statement statement, const crypto::SignKey& key) {
    const Bytes pae = crypto::Pae(statement.envelope.payload_type, statement.envelope.payload);
    statement.envelope.signatures.push_back({key.id(), key.Sign(pae)});
    return statement;
  }

  static ledger::Statement SignBatch(ledger::Statement statement, const crypto::SignKey& key) {
    auto& envelope = statement.envelope;
    auto batch = record::SignBatch(key, {record::StatementLeaf(envelope.payload_type, envelope.payload)});
    envelope.batch = ledger::BatchProof{batch.payload, batch.signature, 0, batch.paths[0]};
    return statement;
  }

  // Signed by its author and verified.
  ledger::VerifiedStatement Signed(ledger::Statement statement, const Person& author) {
    statement = ledger::MustBeBatched(statement.kind) ? SignBatch(std::move(statement), author.sign)
                                                      : SignDirect(std::move(statement), author.sign);
    return ledger::VerifyStatement(std::move(statement), author.sign.verify_key()).value();
  }
  template <class P>
  ledger::VerifiedStatement Signed(P payload, const Person& author) {
    return Signed(Unsigned(KindOf(payload), std::move(payload)), author);
  }

  ledger::Statement SignedCharter(const ledger::Charter& from) {
    auto statement = Unsigned(ledger::Kind::kCharter, from);
    for (const auto& agency : from.agencies)
      if (!agency.administrators.empty())
        statement = SignDirect(std::move(statement), people.at(agency.administrators.front().id.str()).sign);
    return statement;
  }

  ledger::Enrolment Enrolment(const Person& member, const Person& by) {
    const auto* present = state.member(member.id());
    return {By(by), member.record, present != nullptr ? present->enrolment : Digest{}, {}};
  }
  ledger::Enrolment Removal(const std::string& member, const Person& by) {
    auto out = Enrolment(people.at(member), by);
    out.member.status = ledger::MemberStatus::kRemoved;
    return out;
  }

  // The wrap of an epoch that is there, for a member.
  ledger::EpochWrap Wrap(const crypto::KemPrivateKey& epoch_key, const AgencyId& agency, std::uint64_t epoch,
                         const Digest& previous, const Person& member) {
    auto sealed =
        record::SealEpochKey(epoch_key, agency, epoch, previous, member.id(), member.kem.public_key(), random);
    return {epoch, member.id(), member.kem.id(), sealed.enc, sealed.ciphertext};
  }

  // The agency's next epoch, with a fresh key; kept under epoch_keys.
  ledger::Epoch Epoch(const std::string& agency, const Person& by) {
    const AgencyId id = Agency(agency);
    const auto* current = state.agency(id)->current();
    const std::uint64_t number = current != nullptr ? current->epoch + 1 : 1;
    auto key = crypto::KemPrivateKey::Generate(random);
    ledger::Epoch out{By(by),
                      id,
                      number,
                      key.public_key().point(),
                      now + std::chrono::days(365),
                      current != nullptr ? current->statement : Digest{},
                      {}};
    for (const auto& [member, held] : state.members())
      if (member.agency() == id && held.record.status == ledger::MemberStatus::kActive)
        out.wraps.push_back(Wrap(key, id, number, out.previous, people.at(member.str())));
    epoch_keys.insert_or_assign({agency, number}, std::move(key));
    return out;
  }

  // ---- records ----
  // For analysts of an agency, for a month.
  policy::Policy PolicyFor(std::vector<std::string> agencies) const {
    policy::Policy out;
    out.marking = policy::Tlp::kAmber;
    for (const auto& agency : agencies) out.releasable_to.agencies.push_back(Agency(agency));
    out.purposes = {"investigation"};
    out.case_required = false;
    out.expires = now + std::chrono::days(30);
    return out;
  }

  std::vector<AgencyId> Reached(const policy::Audience& audience) const {
    std::set<AgencyId> out;
    for (const auto& [id, agency] : state.agencies()) {
      if (agency.epochs.empty()) continue;
      bool reached = std::count(audience.countries.begin(), audience.countries.end(), id.country()) != 0 ||
                     std::count(audience.agencies.begin(), audience.agencies.end(), id) != 0;
      for (const auto& member : audience.members) reached = reached || member.agency() == id;
      if (reached) out.insert(id);
    }
    return {out.begin(), out.end()};
  }

  // One portion per policy, sealed to the agencies that its audience reaches (or to those given), in a window of its own.
  Draft NewRecord(const Person& from, const std::vector<policy::Policy>& policies,
                  std::optional<std::vector<AgencyId>> recipients = std::nullopt) {
    record::Window window(from.id(), from.sign.id(), now, random);
    window.Begin(now).value();
    const record::ReleaseAuthority release[] = {{authority, release_key.public_key()}};
    auto named = record::NameAuthorities(window, release, random);
    record::Header header{record::kSuite,
                          random.Make<RecordNonce>(),
                          from.id(),
                          from.sign.id(),
                          now,
                          kOrigin,
                          window.id(),
                          std::nullopt,
                          named.refs,
                          {}};
    Draft out{Unsigned(ledger::Kind::kRecord, ledger::Record{{{}, header, {}, {}}, policies}), {}, {}};
    auto& attachments = out.statement.attachments;
    attachments.authority_encs = named.encs;

    std::vector<std::vector<record::Slip>> slips;
    for (std::uint32_t p = 0; p < policies.size(); ++p) {
      std::vector<record::Recipient> to;
      for (const auto& agency : recipients ? *recipients : Reached(policies[p].releasable_to)) {
        const auto& keys = state.agency(agency)->epochs;
        to.push_back({agency, crypto::KemPublicKey::FromPoint(keys.back().public_key).value()});
      }
      auto committed = record::CommitRecipients(window, p, to, random);
      attachments.policies.push_back(
          Concat({random.Make<Salt>(), AsBytes(policy::ToText(policies[p]))}));  // a stand-in for the message
      out.header().portions.push_back({p, std::string(policy::TextOf(policies[p].marking)), "text/plain",
                                       crypto::Sha256(attachments.policies.back()), from.sign.id(),
                                       committed.commitments});
      slips.push_back(committed.slips);
      attachments.slips.insert(attachments.slips.end(), committed.slips.begin(), committed.slips.end());
    }

    auto& payload = out.record().payload;
    payload.header_bytes = ToBytes(AsBytes("header " + std::to_string(drafts_)));
    payload.ctx = record::RecordContext(payload.header_bytes);
    for (std::uint32_t p = 0; p < policies.size(); ++p) {
      out.ceks.push_back(random.MakeSecret(record::kCekSize));
      auto wraps = record::SealWraps(window, out.header(), payload.ctx, slips[p], out.ceks.back());
      auto body = record::SealBody(out.ceks.back(), payload.ctx, p, random.Make<crypto::CobblestoneSalt>(),
                                   AsBytes("portion " + std::to_string(p)));
      payload.portions.push_back({std::move(wraps), body.summary.length, body.summary.root});
      out.bodies.push_back(std::move(body.bytes));
    }
    return out;
  }

  ledger::OpenItem Item(const Digest& record, std::uint32_t portion, const std::string& agency) {
    const auto* current = state.agency(Agency(agency))->current();
    return {record, portion, current != nullptr ? current->key_id : KeyId{}};
  }
  ledger::Open Open(const Person& by, std::vector<ledger::OpenItem> items,
                    const std::string& purpose = "investigation") {
    auto reply = crypto::KemPrivateKey::Generate(random);
    return {By(by),
            std::move(items),
            by.id().agency(),
            purpose,
            "",
            reply.public_key().point(),
            0,
            {},
            now + std::chrono::minutes(10)};
  }

  // ---- deciding ----
  Result<ledger::Decision> Decide(const ledger::VerifiedStatement& statement) const {
    return ledger::Decide(state, statement, now, authority, Nonce{});
  }
  // The reason of a refusal; kInternal, and a failed test, if it was none.
  Reason Refusal(const ledger::VerifiedStatement& statement) const {
    auto decision = Decide(statement);
    if (!decision) return decision.error().reason;
    ADD_FAILURE() << "it was accepted";
    return Reason::kInternal;
  }
  template <class P>
  Reason Refusal(P payload, const Person& author) {
    return Refusal(Signed(std::move(payload), author));
  }

  // Decided, and applied. A refusal of what should be accepted throws, and fails the test.
  ledger::Decision Accept(const ledger::VerifiedStatement& statement) {
    auto decision = Decide(statement).value();
    ledger::Entry entry{{state.size(), now, statement->digest, {}}, random.Make<Salt>(), statement, decision, {}};
    ledger::Apply(state, entry);
    entries.push_back(entry);
    return decision;
  }
  template <class P>
  Digest Accept(P payload, const Person& author) {
    auto statement = Signed(std::move(payload), author);
    Accept(statement);
    return statement->digest;
  }
  // Asks for these items; one list of reasons for each.
  std::vector<std::vector<Reason>> Ask(const Person& by, std::vector<ledger::OpenItem> items) {
    return ReasonsOf(Accept(Signed(Open(by, std::move(items)), by)));
  }
  static std::vector<std::vector<Reason>> ReasonsOf(const ledger::Decision& decision) {
    std::vector<std::vector<Reason>> out;
    for (const auto& verdict : decision.verdicts) out.push_back(verdict.reasons);
    return out;
  }

  // ---- the usual beginning ----
  void Found() { Accept(ledger::VerifyCharter(SignedCharter(charter)).value()); }
  // Charter, two members of each agency beside the administrator, one epoch of each agency but gt.mp.
  void Populate() {
    Found();
    const policy::Attributes analyst{"secret", {"analyst"}, {"fast-boat"}};
    for (const char* agency : {"us.dea", "us.fbi", "mx.fgr", "gt.mp"}) {
      Person& administrator = people.at(std::string(agency) + "/admin");
      Accept(Enrolment(NewPerson(std::string(agency) + "/ana", analyst), administrator), administrator);
      Accept(Enrolment(NewPerson(std::string(agency) + "/bob"), administrator), administrator);
      if (std::string_view(agency) != "gt.mp") Accept(Epoch(agency, administrator), administrator);
    }
  }
  // us.dea/ana sends; accepted.
  Digest Send(const std::vector<policy::Policy>& policies) {
    Person& from = people.at("us.dea/ana");
    return Accept(NewRecord(from, policies).statement, from);
  }

 private:
  template <class P>
  static ledger::Kind KindOf(const P&) {
    using ledger::Kind;
    if constexpr (std::is_same_v<P, ledger::Enrolment>) return Kind::kEnrolment;
    if constexpr (std::is_same_v<P, ledger::Epoch>) return Kind::kEpoch;
    if constexpr (std::is_same_v<P, ledger::Record>) return Kind::kRecord;
    if constexpr (std::is_same_v<P, ledger::Open>) return Kind::kOpen;
    if constexpr (std::is_same_v<P, ledger::Acknowledgement>) return Kind::kAcknowledgement;
    if constexpr (std::is_same_v<P, ledger::Revocation>) return Kind::kRevocation;
  }

  ledger::Charter MakeCharter() {
    ledger::Charter out;
    out.origin = kOrigin;
    out.title = "Agreement on the exchange of intelligence records";
    out.time = now - std::chrono::days(3);
    out.nonce = random.Make<Nonce>();
    for (const char* agency : {"gt.mp", "mx.fgr", "us.dea", "us.fbi"}) {
      Person& administrator = NewPerson(std::string(agency) + "/admin", {}, true);
      out.agencies.push_back(
          {Agency(agency), std::string("The ") + agency, TestCertificate(agency), {administrator.record}});
    }
    out.authorities = {{authority, release_key.public_key().point()},
                       {*AuthorityId::Parse("broker-2"), second_release_key.public_key().point()}};
    out.log_key = log::NoteVerifier::Make(kOrigin, log_key.verify_key()).value().Text();
    out.carrier_ca_certificate = TestCertificate("carrier");
    out.joint_auditors = {Member("us.fbi/ana")};
    out.purposes = {"analysis", "investigation", "prosecution"};
    out.clearances = {"restricted", "confidential", "secret"};
    return out;
  }

  int drafts_ = 0;
};

// A world that has begun, and some of its people by name.
class PopulatedWorld : public World {
 public:
  PopulatedWorld() : World(true) {}
  Person &us_admin = people.at("us.dea/admin"), &ana = people.at("us.dea/ana"), &bob = people.at("us.dea/bob");
  Person &mx_admin = people.at("mx.fgr/admin"), &mx_ana = people.at("mx.fgr/ana"), &mx_bob = people.at("mx.fgr/bob");
  Person &fbi_ana = people.at("us.fbi/ana"), &gt_ana = people.at("gt.mp/ana");
};

}  // namespace valija::test
