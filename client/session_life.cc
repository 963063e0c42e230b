// What becomes of a record: acknowledged, revoked, recalled, amended, purged.
#include <algorithm>
#include <set>

#include "client/session.h"
#include "core/crypto/hash.h"

namespace valija::client {
namespace {

// What is gone all the same is said beside why the rest is not.
Error ErasedBefore(Error error, const std::vector<std::string>& erased) {
  if (erased.empty()) return error;
  std::string all;
  for (const auto& one : erased) all += (all.empty() ? "" : ", ") + one;
  auto said = Refuse(error.reason, "erased before that: " + all);
  if (!error.detail.empty()) said.detail = error.detail + "; " + said.detail;
  return said;
}

}  // namespace

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

bool SessionCore::Stands(const VerifiedEntry& record) {
  const auto* grant = PayloadOf<ledger::Grant>(record);
  if (const auto item = Item(record); item.revoked || item.purged) return false;
  const auto& policies = grant != nullptr ? grant->policies : PayloadOf<ledger::Record>(record)->policies;
  const auto& portions = HeaderOf(record).portions;
  for (std::size_t p = 0; p < std::min(policies.size(), portions.size()); ++p) {
    const auto in_force = PolicyInForce(record, portions[p].number, verifier_.verified_size());
    const policy::Policy* policy = &policies[p];
    if (in_force.amendment != nullptr) {
      const auto& amended = PayloadOf<ledger::Amendment>(*in_force.amendment)->policy;
      policy = amended ? &*amended : nullptr;
    }
    if (policy != nullptr && (!policy->expires || Now() < *policy->expires)) return true;
  }
  const auto& entries = mail_.entries();
  return std::any_of(entries.begin(), entries.end(), [&](const VerifiedEntry& one) {
    const auto* of_it = PayloadOf<ledger::Grant>(one);
    return of_it != nullptr && of_it->record == record.statement->digest && Stands(one);
  });
}

Status SessionCore::MayErase(const VerifiedEntry& entry) {
  const auto by = ledger::AuthorshipOf(*entry.statement);
  const auto* me = verifier_.directory().member(profile_.member());
  if (!by || me == nullptr) return Ok();  // for the broker to say
  if (by->author.agency() != profile_.member().agency())
    return Refuse(Reason::kNotFound, "a statement of your agency's with this digest");
  if (!me->record.administrator && !(IsRecord(entry) && by->author == profile_.member()))
    return Refuse(Reason::kNotAuthorised, "only an administrator erases; of a record its originator too");
  if (IsRecord(entry) && Stands(entry))
    return Refuse(Reason::kNotReady, "the record can still be opened; revoke it, or wait until its window ends");
  return Ok();
}

// Each in an entry of its own, which is shown to whoever was shown that one. A record's grants that my agency made, all of
// which are in my mailbox, go before it: they hold its content key. What was erased before is passed over, so whoever was
// broken off in between asks again. And nothing is erased before each of them was found, and looks as if it may be.
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
  std::vector<Digest> left;
  Status before = Refuse(Reason::kInternal);
  for (const auto& digest : all) {
    TRY(const auto* entry, FindErasable(digest));
    if (entry->erased_by) {
      before = Refuse(Reason::kExists, digest.Hex() + " was erased by entry " + std::to_string(*entry->erased_by));
      continue;
    }
    TRY_OK(MayErase(*entry));
    left.push_back(digest);
  }
  std::optional<NewsItem> last;
  std::vector<std::string> erased;
  for (const auto& digest : left) {
    auto posted = Erase(digest, why);
    if (!posted) return ErasedBefore(posted.error(), erased);
    last = News(*posted);
    erased.push_back(digest.Hex());
  }
  if (!last) return before.error();
  last->erased = std::move(erased);
  return *std::move(last);
}

}  // namespace valija::client
