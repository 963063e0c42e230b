#include "broker/release.h"

#include <algorithm>
#include <stdexcept>

#include "broker/oplog.h"
#include "core/record/release.h"
#include "core/record/seal.h"

namespace valija::broker {
namespace {

// Of a record or a grant: its own header and context, under which its wraps were made.
struct OpenedRecord {
  record::Header header;
  Hash ctx;
  std::optional<KeyId> key_id;  // of this authority; absent if the record does not name it
  Point enc;
};

Result<OpenedRecord> Parse(const proto::LoggedEntry& logged, const AuthorityId& self) {
  if (!logged.envelope) return Refuse(Reason::kCorrupt, "a record's entry without its statement");
  const auto kind = ledger::KindFromPayloadType(logged.envelope->payload_type);
  if (kind != ledger::Kind::kRecord && kind != ledger::Kind::kGrant)
    return Refuse(Reason::kCorrupt, "a record's entry with another statement");
  TRY(auto payload, proto::DecodePayload(*kind, logged.envelope->payload));
  auto* record = std::get_if<ledger::Record>(&payload);
  auto* grant = std::get_if<ledger::Grant>(&payload);
  OpenedRecord out{record != nullptr ? std::move(record->payload.header) : std::move(grant->header),
                   record != nullptr ? record->payload.ctx : grant->ctx,
                   std::nullopt,
                   {}};
  const auto& authorities = out.header.authorities;
  const auto& encs = logged.attachments.authority_encs;
  auto named = std::find_if(authorities.begin(), authorities.end(), [&](const auto& ref) { return ref.id == self; });
  if (named == authorities.end()) return out;
  if (encs.size() != authorities.size()) return Refuse(Reason::kCorrupt, "a record without its authorities' encs");
  out.key_id = named->key_id;
  out.enc = encs[static_cast<std::size_t>(named - authorities.begin())];
  return out;
}

std::vector<crypto::KemPrivateKey> ListOf(crypto::KemPrivateKey key) {
  std::vector<crypto::KemPrivateKey> out;
  out.push_back(std::move(key));
  return out;
}

}  // namespace

// Who gets the shares of what, sealed to which key.
struct Releaser::Wanted {
  std::vector<std::pair<Digest, std::uint32_t>> items;
  AgencyId agency;
  KeyId signing_key_id;
  Point reply_key;
};

Releaser::Releaser(AuthorityId self, std::vector<crypto::KemPrivateKey> release_keys, std::size_t contexts_kept)
    : self_(std::move(self)), contexts_(contexts_kept) {
  for (auto& key : release_keys) {
    const KeyId id = key.id();
    release_keys_.emplace(id, std::move(key));
  }
}

Releaser::Releaser(AuthorityId self, crypto::KemPrivateKey release_key, std::size_t contexts_kept)
    : Releaser(std::move(self), ListOf(std::move(release_key)), contexts_kept) {}

Result<std::optional<proto::Release>> Releaser::Release(const Accepted& accepted, Covered, const FindRecord& find,
                                                        crypto::Random& random) {
  const auto* open = std::get_if<ledger::Open>(&accepted.statement->payload);
  if (open == nullptr) throw std::logic_error("a release for what is no open");
  Wanted wanted{{}, open->agency, open->by.key_id, open->reply_key};
  for (const auto& item : open->items) wanted.items.emplace_back(item.record, item.portion);
  return Make(accepted, wanted, find, random);
}

Result<std::optional<proto::Release>> Releaser::ReleaseStanding(const Accepted& accepted, Covered,
                                                                const ledger::OrderState& order, const FindRecord& find,
                                                                crypto::Random& random) {
  const auto* opening = std::get_if<ledger::StandingOpening>(&accepted.statement->payload);
  if (opening == nullptr) throw std::logic_error("a release for what is no standing opening");
  Wanted wanted{{}, order.order.agency, order.signing_key_id, order.order.reply_key};
  for (const auto portion : opening->portions) wanted.items.emplace_back(opening->record, portion);
  return Make(accepted, wanted, find, random);
}

Result<std::optional<proto::Release>> Releaser::Make(const Accepted& accepted, const Wanted& wanted,
                                                     const FindRecord& find, crypto::Random& random) {
  if (accepted.durable.size() <= accepted.head.index) throw std::logic_error("a release before its entry is durable");
  const auto& verdicts = accepted.decision.verdicts;
  if (accepted.decision.statement != accepted.statement->digest ||
      accepted.head.statement != accepted.statement->digest || verdicts.size() != wanted.items.size()) {
    throw std::logic_error("a release under another request's decision");
  }

  std::map<Digest, OpenedRecord> records;
  std::vector<crypto::Secret> shares;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].allowed()) continue;
    if (std::pair(verdicts[i].record, verdicts[i].portion) != wanted.items[i]) {
      throw std::logic_error("a release under another request's decision");
    }
    auto at = records.find(verdicts[i].record);
    if (at == records.end()) {
      TRY(auto logged, find(verdicts[i].record));
      if (logged.erased_by) return std::optional<proto::Release>();  // purged meanwhile
      TRY(auto parsed, Parse(logged, self_));
      at = records.emplace(verdicts[i].record, std::move(parsed)).first;
    }
    const OpenedRecord& record = at->second;
    if (!record.key_id) continue;
    const auto key = release_keys_.find(*record.key_id);
    if (key == release_keys_.end()) {
      Log(Level::kAlarm, "release-key-missing",
          {{"record", verdicts[i].record.Hex()},
           {"key", record.key_id->Hex()},
           {"entry", std::to_string(accepted.head.index)}});
      return std::optional<proto::Release>();  // a release with fewer shares would be another's
    }
    TRY(auto share, record::MakeReleaseShare(record.header, record.ctx, verdicts[i].portion, wanted.agency, self_,
                                             key->second, record.enc, contexts_));
    shares.push_back(std::move(share));
  }
  if (shares.empty()) return std::optional<proto::Release>();

  TRY(auto reply_key, crypto::KemPublicKey::FromPoint(wanted.reply_key));
  record::ReleaseBinding binding{accepted.head.statement, accepted.head.decision, self_, wanted.agency,
                                 wanted.signing_key_id};
  auto sealed = record::SealRelease(binding, reply_key, shares, random);
  return std::optional(proto::Release{self_, sealed.enc, std::move(sealed.ciphertext)});
}

}  // namespace valija::broker
