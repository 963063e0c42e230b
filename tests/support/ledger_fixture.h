// A small world for tests of what stands on the ledger: a charter of four agencies in three countries, members, key
// epochs and records, with real keys and real sealing values, yielding statements that are verified as any other.
//
// The core knows no protobuf, so payload bytes are stand-ins, fresh for every draft: a test changes the fields of a
// draft as it likes, and what it signs is a statement of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
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
#include "core/record/check.h"
#include "core/record/epoch.h"
#include "core/record/seal.h"
#include "core/record/share.h"
#include "core/record/slip.h"
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
struct GrantDraft {
  ledger::Statement statement;
  ledger::Grant& grant() { return std::get<ledger::Grant>(statement.payload); }
};

// How records and grants are sealed.
struct Sealing {
  std::optional<std::vector<AgencyId>> recipients{};  // absent: those that each audience reaches
  std::size_t decoys = 0;                             // for each portion
  std::optional<std::uint64_t> epoch{};               // absent: the last of each
};
using Portions = std::vector<std::pair<std::uint32_t, policy::Policy>>;

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
  // Nothing is signed and nothing sealed, as the rules look at neither: for tests of many statements.
  bool quick = false;

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
    if (quick) return ledger::TrustLogged(std::move(statement));
    statement = ledger::MustBeBatched(statement.kind) ? SignBatch(std::move(statement), author.sign)
                                                      : SignDirect(std::move(statement), author.sign);
    return ledger::VerifyStatement(std::move(statement), author.sign.verify_key()).value();
  }
  template <class P>
  ledger::VerifiedStatement Signed(P payload, const Person& author) {
    return Signed(Unsigned(KindOf(payload), std::move(payload)), author);
  }

  ledger::VerifiedStatement Signed(ledger::StandingOpening opening) {
    return ledger::VerifyStandingOpening(Unsigned(ledger::Kind::kStandingOpening, std::move(opening))).value();
  }
  // Of a charter amendment, by these.
  Result<ledger::VerifiedStatement> SignedBy(const ledger::CharterAmendment& amendment,
                                             const std::vector<std::string>& signers) {
    auto statement = Unsigned(ledger::Kind::kCharterAmendment, amendment);
    for (const auto& signer : signers) statement = SignDirect(std::move(statement), people.at(signer).sign);
    return ledger::VerifyCharterAmendment(std::move(statement), ledger::CharterSigner(state, amendment));
  }
  ledger::CharterAmendment Amended(ledger::Charter to) {
    to.time = now;
    return {std::move(to), state.charter_statement()};
  }
  // An agency that may join, with its administrator.
  ledger::CharterAgency NewAgency(const std::string& id) {
    Person& administrator = NewPerson(id + "/admin", {}, true);
    return {Agency(id), "The " + id, TestCertificate(id), {administrator.record}};
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
  ledger::Enrolment Removal(const std::string& member, const Person& by,
                            ledger::MemberStatus status = ledger::MemberStatus::kRemoved) {
    auto out = Enrolment(people.at(member), by);
    out.member.status = status;
    return out;
  }
  ledger::Enrolment Suspension(const std::string& member, const Person& by) {
    return Removal(member, by, ledger::MemberStatus::kSuspended);
  }

  // The wrap of an epoch that is there, for a member.
  ledger::EpochWrap Wrap(const crypto::KemPrivateKey& epoch_key, const AgencyId& agency, std::uint64_t epoch,
                         const Digest& previous, const Person& member) {
    if (quick) return {epoch, member.id(), member.kem.id(), release_key.public_key().point(), Bytes(48)};
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
      if (agency.epochs.empty() || agency.left) continue;
      bool reached = std::count(audience.countries.begin(), audience.countries.end(), id.country()) != 0 ||
                     std::count(audience.agencies.begin(), audience.agencies.end(), id) != 0;
      for (const auto& member : audience.members) reached = reached || member.agency() == id;
      if (reached) out.insert(id);
    }
    return {out.begin(), out.end()};
  }

  // One portion per policy, sealed in a window of its own.
  Draft NewRecord(const Person& from, const std::vector<policy::Policy>& policies, const Sealing& how = {}) {
    Portions portions;
    for (const auto& policy : policies) portions.emplace_back(static_cast<std::uint32_t>(portions.size()), policy);
    std::vector<crypto::Secret> ceks;
    for (std::size_t p = 0; p < policies.size(); ++p) ceks.push_back(random.MakeSecret(record::kCekSize));
    Sealed sealed = Seal(from, portions, how, ceks);
    record::RecordPayload of{std::move(sealed.header_bytes), std::move(*sealed.header), sealed.ctx, {}};
    Draft out{Unsigned(ledger::Kind::kRecord, ledger::Record{std::move(of), policies}), std::move(ceks), {}};
    out.statement.attachments = std::move(sealed.attachments);
    auto& payload = out.record().payload;
    for (std::uint32_t p = 0; p < policies.size(); ++p) {
      if (quick) {
        payload.portions.push_back({std::move(sealed.wraps[p]), record::kMinBodyLength, random.Make<Hash>()});
        continue;
      }
      auto body = record::SealBody(out.ceks[p], payload.ctx, p, random.Make<crypto::CobblestoneSalt>(),
                                   AsBytes("portion " + std::to_string(p)));
      payload.portions.push_back({std::move(sealed.wraps[p]), body.summary.length, body.summary.root});
      out.bodies.push_back(std::move(body.bytes));
    }
    return out;
  }
  Draft NewRecord(const Person& from, const std::vector<policy::Policy>& policies, std::vector<AgencyId> recipients) {
    return NewRecord(from, policies, Sealing{std::move(recipients)});
  }

  // Later recipients of these portions of a record, with the content keys of its draft (or others, that open nothing).
  GrantDraft NewGrant(const Person& from, const Digest& record, const Portions& portions, const Sealing& how = {},
                      const std::vector<crypto::Secret>& ceks = {}) {
    std::vector<crypto::Secret> keys;
    for (const auto& [number, policy] : portions)
      keys.push_back(number < ceks.size() ? crypto::Secret::CopyOf(ceks[number].view())
                                          : random.MakeSecret(record::kCekSize));
    Sealed sealed = Seal(from, portions, how, keys);
    std::vector<policy::Policy> policies;
    for (const auto& [number, policy] : portions) policies.push_back(policy);
    GrantDraft out{Unsigned(ledger::Kind::kGrant,
                            ledger::Grant{std::move(sealed.header_bytes), std::move(*sealed.header), sealed.ctx, record,
                                          std::move(sealed.wraps), std::nullopt, std::move(policies)})};
    out.statement.attachments = std::move(sealed.attachments);
    return out;
  }

  // The policy of a portion from here on, after the one that is in force.
  ledger::Statement Amend(const Person& by, const Digest& record, const policy::Policy& policy,
                          std::uint32_t portion = 0) {
    const Bytes bytes = PolicyBytes(policy);
    const auto* known = state.record(record);
    const auto* in_force = known != nullptr ? known->portion(portion) : nullptr;
    ledger::Amendment amendment{By(by), record, portion, {}, 1, crypto::Sha256(bytes), policy};
    if (in_force != nullptr) amendment.previous = in_force->policy_digest;
    if (in_force != nullptr) amendment.sequence = in_force->policy_sequence + 1;
    auto out = Unsigned(ledger::Kind::kAmendment, std::move(amendment));
    out.attachments.policies = {bytes};
    return out;
  }
  // The least that a purge leaves is the proto's to say; the rules do not look at it.
  ledger::Purge Purge(const Person& by, std::vector<Digest> statements) {
    std::sort(statements.begin(), statements.end());
    ledger::Purge out{By(by), {}, "retention"};
    for (const auto& statement : statements) out.erasures.push_back({statement, random.Make<Hash>()});
    return out;
  }

  ledger::OpenItem Item(const Digest& record, std::uint32_t portion, const std::string& agency) {
    const auto* current = state.agency(Agency(agency))->current();
    return {record, portion, current != nullptr ? current->key_id : KeyId{}};
  }
  ledger::Open Open(const Person& by, std::vector<ledger::OpenItem> items,
                    const std::string& purpose = "investigation") {
    return {By(by), std::move(items), by.id().agency(), purpose, "", ReplyKey(), 0, {}, now + std::chrono::minutes(10)};
  }
  Point ReplyKey() {
    if (!quick || !reply_key_) reply_key_ = crypto::KemPrivateKey::Generate(random).public_key().point();
    return *reply_key_;
  }
  ledger::StandingOrder Order(const Person& by) {
    return {By(by), by.id().agency(), "investigation", "", ReplyKey(), now + std::chrono::hours(24)};
  }
  ledger::AccessRequest Access(const Person& by, const Digest& record, ledger::Wish wish = ledger::Wish::kOpen) {
    ledger::AccessRequest out{By(by), record, {}, wish, by.id().agency(), std::nullopt, "investigation", "", "a lead"};
    if (wish == ledger::Wish::kMarkLess) out.marking = policy::Tlp::kGreen;
    return out;
  }

  // ---- deciding ----
  Result<ledger::Decision> Decide(const ledger::VerifiedStatement& statement) const {
    return ledger::Decide(state, statement, now, authority, Nonce{});
  }
  Reason Refusal(ledger::Statement statement, const Person& author) {
    return Refusal(Signed(std::move(statement), author));
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
  Digest Accept(ledger::Statement statement, const Person& author) {
    auto verified = Signed(std::move(statement), author);
    Accept(verified);
    return verified->digest;
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
      for (const char* name : {"ana", "bob"}) {
        const bool first = std::string_view(name) == "ana";
        Person& member = NewPerson(std::string(agency) + "/" + name, first ? analyst : policy::Attributes{});
        member.record.person = name;
        Accept(Enrolment(member, administrator), administrator);
      }
      if (std::string_view(agency) != "gt.mp") Accept(Epoch(agency, administrator), administrator);
    }
  }
  // us.dea/ana sends; accepted.
  Digest Send(const std::vector<policy::Policy>& policies) {
    Person& from = people.at("us.dea/ana");
    return Accept(NewRecord(from, policies).statement, from);
  }

  // One more member, enrolled by its agency's administrator.
  Person& Enrol(const std::string& id, const std::string& person = {},
                const std::function<void(ledger::MemberRecord&)>& change = nullptr) {
    Person& administrator = people.at(Member(id).agency().str() + "/admin");
    Person& member = NewPerson(id);
    member.record.person = person;
    if (change) change(member.record);
    Accept(Enrolment(member, administrator), administrator);
    return member;
  }

 private:
  // Kinds stand in the order of the variant.
  template <class P, std::size_t I = 0>
  static constexpr ledger::Kind KindOf(const P& payload) {
    if constexpr (std::is_same_v<P, std::variant_alternative_t<I, ledger::Payload>>)
      return static_cast<ledger::Kind>(I + 1);
    else
      return KindOf<P, I + 1>(payload);
  }

  struct Sealed {
    std::optional<record::Header> header;
    Bytes header_bytes;
    Hash ctx;
    std::vector<std::vector<Bytes>> wraps;
    record::Attachments attachments;
  };

  Bytes PolicyBytes(const policy::Policy& policy) {
    return Concat({random.Make<Salt>(), AsBytes(policy::ToText(policy))});  // a stand-in for the message
  }

  record::Slip Decoy(std::uint32_t portion) {
    return {portion,
            0,
            random.Make<Salt>(),
            Agency(record::kDecoyAgency),
            random.Make<KeyId>(),
            release_key.public_key().point()};
  }

  const ledger::EpochState& EpochOf(const AgencyId& agency, const Sealing& how) const {
    const auto& epochs = state.agency(agency)->epochs;
    return how.epoch ? epochs.at(*how.epoch - 1) : epochs.back();
  }

  // Header, recipients and wraps of these portions, each under its content key.
  Sealed Seal(const Person& from, const Portions& portions, const Sealing& how,
              const std::vector<crypto::Secret>& ceks) {
    record::Window window(from.id(), from.sign.id(), now, random);
    window.Begin(now).value();
    Sealed out;
    record::NamedAuthorities named;
    if (quick) {
      named.encs = {release_key.public_key().point()};
      named.refs = {{authority, KeyId(), crypto::Sha256(named.encs[0])}};
      named.refs[0].key_id = release_key.public_key().id();
    } else {
      const record::ReleaseAuthority release[] = {{authority, release_key.public_key()}};
      named = record::NameAuthorities(window, release, random);
    }
    out.header.emplace(record::Header{record::kSuite,
                                      random.Make<RecordNonce>(),
                                      from.id(),
                                      from.sign.id(),
                                      now,
                                      kOrigin,
                                      window.id(),
                                      std::nullopt,
                                      named.refs,
                                      {},
                                      record::Urgency::kNone,
                                      {}});
    out.attachments.authority_encs = named.encs;
    out.header_bytes = ToBytes(AsBytes("header " + std::to_string(++drafts_)));
    out.ctx = record::RecordContext(out.header_bytes);

    std::vector<std::vector<record::Slip>> real;
    for (const auto& [number, policy] : portions) {
      std::vector<record::Slip> slips;
      const auto to = how.recipients ? *how.recipients : Reached(policy.releasable_to);
      if (quick) {
        for (const auto& agency : to)
          slips.push_back(
              {number, 0, random.Make<Salt>(), agency, EpochOf(agency, how).key_id, release_key.public_key().point()});
      } else {
        std::vector<record::Recipient> recipients;
        for (const auto& agency : to)
          recipients.push_back({agency, crypto::KemPublicKey::FromPoint(EpochOf(agency, how).public_key).value()});
        slips = record::CommitRecipients(window, number, recipients, random).slips;
      }
      out.attachments.policies.push_back(PolicyBytes(policy));
      out.header->portions.push_back({number,
                                      std::string(policy::TextOf(policy.marking)),
                                      "text/plain",
                                      crypto::Sha256(out.attachments.policies.back()),
                                      from.sign.id(),
                                      {}});
      real.push_back(std::move(slips));
    }
    for (std::size_t p = 0; p < portions.size(); ++p) {
      // By commitment: what the header shows, and in which order, tells nothing of who is real.
      std::map<Commitment, std::pair<record::Slip, Bytes>> all;
      auto add = [&](const record::Slip& slip, Bytes wrap) {
        all.emplace(record::CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc),
                    std::pair(slip, std::move(wrap)));
      };
      std::vector<Bytes> wraps(real[p].size(), Bytes(record::kWrapSize));
      if (!quick) {
        auto& head = out.header->portions[p];
        for (const auto& slip : real[p])
          head.recipients.push_back(record::CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc));
        wraps = record::SealWraps(window, *out.header, out.ctx, real[p], ceks[p]);
        head.recipients.clear();
      }
      for (std::size_t i = 0; i < real[p].size(); ++i) add(real[p][i], std::move(wraps[i]));
      for (std::size_t i = 0; i < how.decoys; ++i) add(Decoy(portions[p].first), Bytes(record::kWrapSize, 7));
      out.wraps.emplace_back();
      for (auto& [commitment, one] : all) {
        one.first.index = static_cast<std::uint32_t>(out.header->portions[p].recipients.size());
        out.header->portions[p].recipients.push_back(commitment);
        out.attachments.slips.push_back(one.first);
        out.wraps.back().push_back(std::move(one.second));
      }
    }
    return out;
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
  std::optional<Point> reply_key_;
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
