// What becomes of a record: acknowledged, revoked, recalled, amended, purged.
#include <algorithm>
#include <set>

#include "client/session.h"
#include "core/crypto/hash.h"

namespace valija::client {

Result<NewsItem> SessionCore::Acknowledge(const std::string& record, const std::string& outcome) {
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(record));
  if (std::find(std::begin(ledger::kOutcomes), std::end(ledger::kOutcomes), outcome) == std::end(ledger::kOutcomes))
    return Refuse(Reason::kUsage, "an outcome is one of: received, useful, acted-on, not-useful, erased");
  TRY(auto entry, PostDirect(ledger::Kind::kAcknowledgement, proto::EncodeAcknowledgement({By(), digest, outcome})));
  return News(entry);
}

Result<NewsItem> SessionCore::Revoke(const std::string& record, const std::string& why, bool recall) {
  const AnyAge any(*this);
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(record));
  TRY(auto entry, PostDirect(ledger::Kind::kRevocation, proto::EncodeRevocation({By(), digest, why, recall})));
  return News(entry);
}

Result<NewsItem> SessionCore::Amend(const std::string& id, std::uint32_t portion, const std::string& policy_text) {
  const AnyAge fresh(*this, false);
  TRY_OK(Sync());  // every amendment so far concerns me, if I may amend
  TRY(auto policy, PolicyOf(policy_text));
  TRY(auto digest, Resolve(id));
  TRY(const auto* record, FindContent(digest));
  const auto& portions = HeaderOf(*record).portions;
  if (std::none_of(portions.begin(), portions.end(), [&](const auto& head) { return head.number == portion; }))
    return Refuse(Reason::kNotFound, "the record has no portion " + std::to_string(portion));
  const auto in_force = PolicyInForce(*record, portion, verifier_.verified_size());
  record::Attachments attachments;
  attachments.policies.push_back(proto::EncodePolicy(random_.Make<Salt>(), policy));
  ledger::Amendment amendment{.by = By(),
                              .record = digest,
                              .portion = portion,
                              .previous = in_force.digest,
                              .sequence = in_force.sequence + 1,
                              .policy_digest = proto::PolicyDigest(attachments.policies.front()),
                              .policy = std::nullopt};
  TRY(auto entry, PostDirect(ledger::Kind::kAmendment, proto::EncodeAmendment(amendment), std::move(attachments)));
  return News(entry);
}

Result<NewsItem> SessionCore::Purge(const std::vector<std::string>& ids, const std::string& why) {
  if (ids.empty() || ids.size() > 256) return Refuse(Reason::kUsage, "1 to 256 statements at once");
  const AnyAge any(*this);
  TRY_OK(Sync());
  std::set<Digest> named;
  for (const auto& id : ids) {
    TRY(auto digest, ResolvePrefix(id, "a statement", [](const VerifiedEntry&) { return true; }));
    named.insert(digest);
  }
  // With a record go the grants of it that my agency made, all of which are in my mailbox: they hold its content key.
  for (const auto& entry : mail_.entries()) {
    const auto* grant = PayloadOf<ledger::Grant>(entry);
    if (grant != nullptr && named.contains(grant->record) && !entry.erased_by &&
        grant->header.originator.agency() == profile_.member().agency())
      named.insert(entry.statement->digest);
  }
  ledger::Purge purge{.by = By(), .erasures = {}, .why = why};
  for (const auto& digest : named) {  // ascending, as a purge is
    const auto* entry = mail_.Find(digest);
    if (entry == nullptr) {  // a record that is not in the mailbox
      TRY(entry, FindRecord(digest));
    }
    if (entry->erased_by)
      return Refuse(Reason::kExists, digest.Hex() + " was erased by entry " + std::to_string(*entry->erased_by));
    TRY(auto redacted, proto::RedactPayload(entry->statement->kind, entry->statement->envelope.payload));
    purge.erasures.push_back({digest, crypto::Sha256(redacted)});
  }
  TRY(auto posted, PostDirect(ledger::Kind::kPurge, proto::EncodePurge(purge)));
  return News(posted);
}

}  // namespace valija::client
