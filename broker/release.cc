#include "broker/release.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "core/record/release.h"
#include "core/record/seal.h"

namespace valija::broker {
namespace {

struct OpenedRecord {
  record::RecordPayload payload;
  std::optional<Point> enc;  // of this authority; absent if the record does not name it
};

Result<OpenedRecord> Parse(const proto::LoggedEntry& logged, const AuthorityId& self) {
  if (!logged.envelope) return Refuse(Reason::kCorrupt, "a record's entry without its statement");
  TRY(auto payload, proto::DecodePayload(ledger::Kind::kRecord, logged.envelope->payload));
  auto* record = std::get_if<ledger::Record>(&payload);
  if (record == nullptr) return Refuse(Reason::kCorrupt, "a record's entry with another statement");
  OpenedRecord out{std::move(record->payload), std::nullopt};
  const auto& authorities = out.payload.header.authorities;
  const auto& encs = logged.attachments.authority_encs;
  auto named = std::find_if(authorities.begin(), authorities.end(), [&](const auto& ref) { return ref.id == self; });
  if (named == authorities.end()) return out;
  if (encs.size() != authorities.size()) return Refuse(Reason::kCorrupt, "a record without its authorities' encs");
  out.enc = encs[static_cast<std::size_t>(named - authorities.begin())];
  return out;
}

}  // namespace

Releaser::Releaser(AuthorityId self, crypto::KemPrivateKey release_key, std::size_t contexts_kept)
    : self_(std::move(self)), release_key_(std::move(release_key)), contexts_(contexts_kept) {}

Result<std::optional<proto::Release>> Releaser::Release(const Accepted& accepted, const FindRecord& find,
                                                        crypto::Random& random) {
  const auto* open = std::get_if<ledger::Open>(&accepted.statement->payload);
  if (open == nullptr) throw std::logic_error("a release for what is no open");
  if (accepted.durable.size() <= accepted.head.index) throw std::logic_error("a release before its entry is durable");
  const auto& verdicts = accepted.decision.verdicts;
  if (accepted.decision.statement != accepted.statement->digest ||
      accepted.head.statement != accepted.statement->digest || verdicts.size() != open->items.size()) {
    throw std::logic_error("a release under another request's decision");
  }

  std::map<Digest, OpenedRecord> records;
  std::vector<crypto::Secret> shares;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].allowed()) continue;
    if (verdicts[i].record != open->items[i].record || verdicts[i].portion != open->items[i].portion) {
      throw std::logic_error("a release under another request's decision");
    }
    auto at = records.find(verdicts[i].record);
    if (at == records.end()) {
      TRY(auto logged, find(verdicts[i].record));
      TRY(auto parsed, Parse(logged, self_));
      at = records.emplace(verdicts[i].record, std::move(parsed)).first;
    }
    if (!at->second.enc) continue;
    const auto& payload = at->second.payload;
    TRY(auto share, record::MakeReleaseShare(payload.header, payload.ctx, verdicts[i].portion, open->agency, self_,
                                             release_key_, *at->second.enc, contexts_));
    shares.push_back(std::move(share));
  }
  if (shares.empty()) return std::optional<proto::Release>();

  TRY(auto reply_key, crypto::KemPublicKey::FromPoint(open->reply_key));
  record::ReleaseBinding binding{accepted.head.statement, accepted.head.decision, self_, open->agency, open->by.key_id};
  auto sealed = record::SealRelease(binding, reply_key, shares, random);
  return std::optional(proto::Release{self_, sealed.enc, std::move(sealed.ciphertext)});
}

}  // namespace valija::broker
