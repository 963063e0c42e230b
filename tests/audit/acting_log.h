// A log in which people do things, each at a time that the test says: for what is counted and watched.
#pragma once

#include "tests/audit/lying_log.h"

namespace valija::test {

class ActingLog : public LyingLog {
 public:
  explicit ActingLog(std::function<void(ledger::Charter&)> found_with = {}) : LyingLog(std::move(found_with)) {
    auto& ana = world.NewPerson("us.dea/ana");
    ana.record.person = "ana";
    Log(world.Enrol(ana));
    auto& luz = world.NewPerson("us.dea/luz");
    luz.record.person = "luz";
    Log(world.Enrol(luz));
    auto& audit = world.NewPerson("mx.fgr/audit");
    audit.record.auditor = true;
    audit.record.person = "audit";
    Log(world.Enrol(audit));
  }

  // The next entry has this time.
  void At(const std::string& time) { world.now = *ParseTime(time) - std::chrono::seconds(1); }
  std::uint64_t Last() const { return entries.size() - 1; }

  using Change = std::function<void(record::Header&)>;
  // A record for the other agency, of so many portions; the header changed before it is signed.
  Digest Share(const std::string& from, const Change& change = {}, std::size_t portions = 1,
               const std::function<void(policy::Policy&)>& of_policy = {}) {
    const std::string to = from.starts_with("mx") ? "us.dea" : "mx.fgr";
    auto policy = world.PolicyFor(to);
    if (of_policy) of_policy(policy);
    auto sent = world.Record(from, std::vector(portions, policy));
    if (!change) {
      Log(sent.statement);
      return sent.statement->digest;
    }
    const auto& payload = std::get<ledger::Record>(sent.statement->payload).payload;
    auto header = payload.header;
    change(header);
    return LogBatched(ledger::Kind::kRecord, proto::EncodeRecord(proto::EncodeHeader(header), payload.portions), from,
                      sent.statement->attachments);
  }
  // A record that may be opened in an emergency, else with luz's approval.
  Digest ShareGuarded(const std::string& from) {
    return Share(from, {}, 1, [](policy::Policy& policy) {
      policy.approvals = {{1, {*MemberId::Parse("us.dea/luz")}}};
      policy.approval_hours = 24;
      policy.emergency = true;
    });
  }
  Digest Open(const std::string& by_id, const Digest& record, std::vector<std::uint32_t> portions = {0},
              const std::string& purpose = "investigation", const std::string& emergency = "") {
    std::vector<std::pair<Digest, std::uint32_t>> items;
    for (const auto portion : portions) items.emplace_back(record, portion);
    return OpenAll(by_id, items, purpose, emergency);
  }
  // Ascending.
  Digest OpenAll(const std::string& by_id, const std::vector<std::pair<Digest, std::uint32_t>>& items,
                 const std::string& purpose = "investigation", const std::string& emergency = "") {
    const auto by = By(by_id);
    const auto agency = by.author.agency();
    ledger::Open open{by,
                      {},
                      agency,
                      purpose,
                      "",
                      crypto::KemPrivateKey::Generate(world.random).public_key().point(),
                      1,
                      CheckpointAt(1).root(),
                      world.now + std::chrono::minutes(10)};
    open.emergency = emergency;
    for (const auto& [record, portion] : items)
      open.items.push_back({record, portion, world.epoch_keys.at(agency.str()).id()});
    return LogBatched(ledger::Kind::kOpen, proto::EncodeOpen(open), by_id, {});
  }
  Digest Acknowledge(const std::string& by, const Digest& record, const std::string& outcome) {
    return LogDirect(ledger::Kind::kAcknowledgement, proto::EncodeAcknowledgement({By(by), record, outcome}), by);
  }
  Digest Recall(const std::string& by, const Digest& record) {
    auto statement = world.Revoke(by, record, true);
    Log(statement);
    return statement->digest;
  }
  Digest Review(const std::string& by, const Digest& request) {
    return LogDirect(ledger::Kind::kReview,
                     proto::EncodeReview({By(by), request, ledger::Finding::kJustified, "a test"}), by);
  }
  Digest AskFor(const std::string& by, const Digest& record) {
    auto statement = world.AskFor(by, record);
    Log(statement);
    return statement->digest;
  }
  // Under a standing order.
  Digest OpenUnder(const Digest& order, const std::string& member, const Digest& record) {
    ledger::StandingOpening payload{order, *MemberId::Parse(member), record, {0}};
    ledger::Envelope envelope{
        ledger::PayloadType(ledger::Kind::kStandingOpening), proto::EncodeStandingOpening(payload), {}, std::nullopt};
    auto opening = ledger::VerifyStandingOpening(proto::MakeStatement(std::move(envelope)).value()).value();
    Log(opening);
    return opening->digest;
  }
  Digest LookUp(const std::string& by) {
    return LogDirect(ledger::Kind::kLookup,
                     proto::EncodeLookup({By(by), 0, 0, world.now + std::chrono::hours(1), "a test"}), by);
  }
  // The charter names witnesses, and lets openings go without them.
  void LetGoWithoutWitnesses() {
    std::string policy;
    for (const char* who : {"mx.fgr", "us.dea"}) {
      const auto key = crypto::Ed25519SignKey::Generate(world.random).verify_key();
      policy += std::string("witness ") + who + " " +
                log::Cosigner::Make(std::string("w.example/") + who, key)->Text() + "\n";
    }
    Log(world.Amend([&](ledger::Charter& agreed) {
      agreed.witness_policy = policy + "group both all mx.fgr us.dea\nquorum both\n";
      agreed.max_checkpoint_age_seconds = 3600;
      agreed.degraded_after_seconds = 60;
    }));
  }
  Digest Order(const std::string& by, Duration good_for = std::chrono::hours(24)) {
    auto statement = world.Order(by, crypto::KemPrivateKey::Generate(world.random).public_key(), good_for);
    Log(statement);
    return statement->digest;
  }

 private:
  ledger::Authorship By(const std::string& id) {
    const auto& by = world.people.at(id);
    return {by.record.id, by.sign.id(), BrokerWorld::kOrigin, world.now, world.random.Make<Nonce>()};
  }
  Digest LogDirect(ledger::Kind kind, Bytes payload, const std::string& by_id) {
    const auto& by = world.people.at(by_id);
    ledger::Envelope envelope{ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
    envelope.signatures.push_back({by.sign.id(), by.sign.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    return LogSigned(std::move(envelope), {}, by);
  }
  Digest LogBatched(ledger::Kind kind, Bytes payload, const std::string& by_id, record::Attachments attachments) {
    const auto& by = world.people.at(by_id);
    ledger::Envelope envelope{ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
    auto batch = record::SignBatch(by.sign, {record::StatementLeaf(envelope.payload_type, envelope.payload)});
    envelope.batch = ledger::BatchProof{batch.payload, batch.signature, 0, batch.paths[0]};
    return LogSigned(std::move(envelope), std::move(attachments), by);
  }
  Digest LogSigned(ledger::Envelope envelope, record::Attachments attachments, const BrokerPerson& by) {
    auto statement = proto::MakeStatement(std::move(envelope), std::move(attachments)).value();
    auto verified = ledger::VerifyStatement(std::move(statement), by.sign.verify_key()).value();
    Log(verified);
    return verified->digest;
  }
};

}  // namespace valija::test
