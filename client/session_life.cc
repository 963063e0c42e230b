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

Result<const VerifiedEntry*> SessionCore::FindErasable(const Digest& digest) {
  if (const auto* entry = mail_.Find(digest)) return entry;
  return FindRecord(digest);  // a record that is not in the mailbox
}

Result<VerifiedEntry> SessionCore::Erase(const Digest& digest, const std::string& why) {
  TRY(const auto* entry, FindErasable(digest));
  TRY(auto redacted, proto::RedactPayload(entry->statement->kind, entry->statement->envelope.payload));
  return PostDirect(ledger::Kind::kPurge, proto::EncodePurge({By(), {{digest, crypto::Sha256(redacted)}}, why}));
}

// Each in an entry of its own, which is shown to whoever was shown that one. A record's grants that my agency made, all of
// which are in my mailbox, go before it: they hold its content key. What was erased before is passed over, so whoever was
// broken off in between asks again.
Result<NewsItem> SessionCore::Purge(const std::vector<std::string>& ids, const std::string& why) {
  if (ids.empty() || ids.size() > 256) return Refuse(Reason::kUsage, "1 to 256 statements at once");
  const AnyAge any(*this);
  TRY_OK(Sync());
  std::set<Digest> named, grants;
  for (const auto& id : ids) {
    TRY(auto digest, ResolvePrefix(id, "a statement", [](const VerifiedEntry&) { return true; }));
    named.insert(digest);
  }
  for (const auto& entry : mail_.entries()) {
    const auto* grant = PayloadOf<ledger::Grant>(entry);
    if (grant == nullptr || !(named.contains(grant->record) || named.contains(entry.statement->digest))) continue;
    if (grant->header.originator.agency() == profile_.member().agency()) grants.insert(entry.statement->digest);
  }
  std::vector<Digest> all(grants.begin(), grants.end());
  std::copy_if(named.begin(), named.end(), std::back_inserter(all),
               [&](const Digest& one) { return !grants.contains(one); });
  std::optional<NewsItem> last;
  std::vector<std::string> erased;
  Status before = Refuse(Reason::kInternal);
  for (const auto& digest : all) {
    TRY(const auto* entry, FindErasable(digest));
    if (entry->erased_by) {
      before = Refuse(Reason::kExists, digest.Hex() + " was erased by entry " + std::to_string(*entry->erased_by));
      continue;
    }
    TRY(auto posted, Erase(digest, why));
    last = News(posted);
    erased.push_back(digest.Hex());
  }
  if (!last) return before.error();
  last->erased = std::move(erased);
  return *std::move(last);
}

}  // namespace valija::client
