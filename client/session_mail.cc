// Receiving: the mailbox is fetched, every item proved and its author's signature verified, and kept.
#include <algorithm>

#include "client/session.h"

namespace valija::client {
namespace {

bool IsMail(const VerifiedEntry& entry) { return !ledger::IsDirectoryKind(entry.statement->kind); }

}  // namespace

Status SessionCore::Keep(std::vector<ProvedEntry> entries, const log::SignedCheckpoint& checkpoint) {
  for (auto& proved : entries) {
    if (proved.entry.erased_by) {  // there is nothing in it to keep, nor to show in an inbox
      TRY(auto erased, VerifyErased(proved, checkpoint));
      (void)erased;
      continue;
    }
    TRY(auto verified, Verify(proved, checkpoint));
    if (!IsMail(verified)) return Refuse(Reason::kBadProof, "the mailbox holds what is no mail");
    TRY_OK(CheckUnsigned(verified));
    const std::uint64_t index = verified.head.index;
    if (!mail_.Add(std::move(verified), profile_.member()))
      return Refuse(Reason::kBadProof, "the mailbox repeats an old entry");
    if (keep_releases_ && !proved.releases.empty()) releases_[index] = std::move(proved.releases);
    TRY_OK(profile_.AppendTo("mail.log", {proved.entry}));
  }
  return Ok();
}

Result<VerifiedEntry> SessionCore::Verify(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) {
  auto verified = verifier_.VerifyEntry(proved, checkpoint);
  if (!verified && verified.error().reason == Reason::kBadSignature) {
    TRY_OK(Refresh());  // its author may have been enrolled a moment ago
    verified = verifier_.VerifyEntry(proved, checkpoint);
  }
  return verified;
}

Status SessionCore::CheckUnsigned(const VerifiedEntry& entry) {
  const auto* opening = PayloadOf<ledger::StandingOpening>(entry);
  if (opening == nullptr) return Ok();
  if (const auto* known = mail_.Find(opening->order)) {
    const auto* order = PayloadOf<ledger::StandingOrder>(*known);
    if (order == nullptr) return Refuse(Reason::kBadProof, "an opening under an order that is none");
    if (opening->member != order->by.author)
      return Refuse(Reason::kBadProof, "an opening under an order of somebody else's");
    if (entry.head.time >= order->expires)
      return Refuse(Reason::kBadProof, "an opening under an order whose time was over");
    // An order is ended by its own agency; what the log has behind that is against the rules.
    if (mail_.ended_before(opening->order, order->agency, entry.head.index))
      return Refuse(Reason::kBadProof, "an opening under an order that was ended");
    return Ok();
  }
  if (opening->member == profile_.member()) return Refuse(Reason::kBadProof, "an opening under an order I never made");
  // Under somebody else's: it is news of a record that I may know of, and nothing more.
  auto record = FindRecord(opening->record);
  if (!record && record.error().reason == Reason::kNotFound)
    return Refuse(Reason::kBadProof, "an opening under an order that is not mine, of a record that is not for me");
  if (!record && record.error().reason != Reason::kPurged) return record.error();
  return Ok();
}

Result<ErasedEntry> SessionCore::VerifyErased(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) {
  TRY(auto erased, verifier_.VerifyErased(proved, checkpoint));
  // The purge is an entry, mostly one that comes later in the mailbox than where we are.
  TRY(auto page, transport_->Mailbox(erased.erased_by, verifier_.verified_size()));
  TRY(auto now, verifier_.Advance(page.view));
  TRY_OK(CheckPage(page, erased.erased_by, now.size()));
  if (!page.entries.empty() && page.entries.front().entry.head &&
      page.entries.front().entry.head->index == erased.erased_by) {
    if (page.entries.front().entry.erased_by) return erased;  // its own text was erased in turn: the digests stay
    TRY(auto purge, Verify(page.entries.front(), now));
    const auto* payload = PayloadOf<ledger::Purge>(purge);
    if (payload == nullptr) return Refuse(Reason::kBadProof, "erased by an entry that is no purge");
    TRY_OK(proto::CheckErasure(proved.entry, erased.erased_by, *payload));
    return erased;
  }
  // Of a record everybody who may know of it is shown the purge; of others' texts it is their agency's own affair.
  if (erased.kind == ledger::Kind::kRecord || erased.kind == ledger::Kind::kGrant)
    return Refuse(Reason::kBadProof, "a record is shown as erased, and its purge is not there");
  return erased;
}

// What is in the cache was proved when it came; its parts and signatures are checked again. One that is damaged is
// fetched anew as a whole.
Status SessionCore::LoadMail() {
  if (mail_loaded_) return Ok();
  mail_loaded_ = true;
  for (const auto& entry : profile_.Load("mail.log")) {
    auto verified = verifier_.VerifyKept(entry);
    if (verified && IsMail(*verified) && mail_.Add(*std::move(verified), profile_.member())) continue;
    mail_.Clear();
    return profile_.Forget("mail.log");
  }
  // What a purge erased since it was kept goes from here too: the mailbox is fetched anew, as it is now.
  for (const auto& entry : mail_.entries()) {
    const auto* purge = PayloadOf<ledger::Purge>(entry);
    if (purge == nullptr || std::none_of(purge->erasures.begin(), purge->erasures.end(), [&](const auto& erasure) {
          return mail_.Find(erasure.statement) != nullptr;
        }))
      continue;
    mail_.Clear();
    return profile_.Forget("mail.log");
  }
  return Ok();
}

Status SessionCore::Sync() {
  TRY_OK(Refresh());
  TRY_OK(LoadMail());
  // Where the cache ends, if the cursor's file is older than it.
  std::uint64_t cursor = std::max(profile_.cursor(), mail_.empty() ? 0 : mail_.entries().back().head.index + 1);
  for (;;) {
    TRY(auto page, transport_->Mailbox(cursor, verifier_.verified_size()));
    TRY(auto checkpoint, verifier_.Advance(page.view));
    TRY_OK(CheckPage(page, cursor, checkpoint.size()));
    TRY_OK(Keep(std::move(page.entries), checkpoint));
    cursor = page.next_cursor;
    TRY_OK(profile_.SetCursor(cursor));
    if (!page.more) return Ok();
  }
}

std::vector<InboxItem> SessionCore::Items(bool mine) {
  std::vector<InboxItem> items;
  for (const auto& entry : mail_.entries()) {
    if (!IsRecord(entry) || (mine && HeaderOf(entry).originator != profile_.member())) continue;
    // Of a grant the original says how long the bodies are, and who else may have revoked it.
    if (entry.statement->kind == ledger::Kind::kGrant) (void)FindRecord(OriginalOf(entry));
    auto item = Item(entry);
    // What I sent is in the mailbox too, for custody; the inbox shows what is addressed to me.
    if (mine ||
        std::any_of(item.portions.begin(), item.portions.end(), [](const auto& portion) { return portion.for_me; }))
      items.push_back(std::move(item));
  }
  return items;
}

Result<std::vector<InboxItem>> SessionCore::Inbox() {
  TRY_OK(Sync());
  return Items(false);
}

Result<std::vector<InboxItem>> SessionCore::SentItems() {
  TRY_OK(Sync());
  return Items(true);
}

Status SessionCore::Follow(const std::function<bool(const NewsItem&)>& item) {
  TRY_OK(Sync());
  std::size_t shown = 0;
  auto show = [&] {  // the callback may use this session, and so add to the mail
    while (shown < mail_.entries().size())
      if (!item(News(mail_.entries()[shown++]))) return false;
    return true;
  };
  if (!show()) return Ok();
  for (int fruitless = 0;;) {
    const auto begun = std::chrono::steady_clock::now();
    bool progress = false;
    Status failed = Ok();
    bool wanted = true, moved = false;
    auto take = [&](FollowItem& followed) -> Status {
      ForgetOldWindow();
      const std::uint64_t cursor = profile_.cursor();
      TRY(auto checkpoint, verifier_.Advance(followed.view));
      EntriesAnswer page{.entries = {}, .view = {}, .next_cursor = followed.cursor};
      if (followed.entry) page.entries.push_back(*std::move(followed.entry));
      TRY_OK(CheckPage(page, cursor, checkpoint.size()));
      TRY_OK(Keep(std::move(page.entries), checkpoint));
      TRY_OK(profile_.SetCursor(followed.cursor));
      progress = true;
      wanted = show();
      // The stream's next view continues its own last one. If another call moved the pin or the cursor meanwhile, that
      // would look like a fork: another stream goes on from here.
      moved = profile_.pin()->checkpoint() != checkpoint.checkpoint() || profile_.cursor() != followed.cursor;
      return Ok();
    };
    auto ended = transport_->Follow(profile_.cursor(), verifier_.verified_size(), [&](FollowItem followed) {
      failed = take(followed);
      return failed && wanted && !moved;
    });
    TRY_OK(failed);
    if (!wanted) return ended;
    if (moved) continue;
    if (ended) return ended;
    progress = progress || std::chrono::steady_clock::now() - begun > std::chrono::minutes(1);
    if (!AnotherStream(ended.error(), progress, fruitless)) return ended;
  }
}

// ---- looking up ----

Result<Digest> SessionCore::ResolvePrefix(const std::string& id, const char* what,
                                          const std::function<bool(const VerifiedEntry&)>& pick) {
  if (id.size() < 4 || id.size() > 64 || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Refuse(Reason::kUsage, std::string(what) + " is named by at least 4 of its 64 hex digits");
  if (auto whole = Digest::FromHexText(id)) return *whole;
  TRY_OK(Sync());
  std::optional<Digest> found;
  for (const auto& entry : mail_.entries()) {
    if (!pick(entry) || entry.statement->digest.Hex().compare(0, id.size(), id) != 0) continue;
    if (found && *found != entry.statement->digest) return Refuse(Reason::kAmbiguous, id);
    found = entry.statement->digest;
  }
  if (!found) return Refuse(Reason::kNotFound, std::string("no such ") + (what + 2) + " in your mailbox: " + id);
  return *found;
}

Result<Digest> SessionCore::Resolve(const std::string& id) {
  return ResolvePrefix(id, "a record", [](const VerifiedEntry& entry) { return IsRecord(entry); });
}

Result<const VerifiedEntry*> SessionCore::ResolveStatement(const std::string& id, ledger::Kind kind) {
  auto is_one = [kind](const VerifiedEntry& entry) { return entry.statement->kind == kind; };
  TRY(auto digest, ResolvePrefix(id, "a request", is_one));
  TRY_OK(Sync());  // for a whole one it was not yet
  if (const auto* entry = mail_.Find(digest); entry != nullptr && is_one(*entry)) return entry;
  if (auto at = fetched_.find(digest); at != fetched_.end() && is_one(at->second)) return &at->second;
  return Refuse(Reason::kNotFound, "no " + std::string(NameOf(kind)) + " in your mailbox is " + id);
}

const VerifiedEntry* SessionCore::KnownRecord(const Digest& digest) const {
  const VerifiedEntry* known = mail_.Find(digest);
  if (known == nullptr)
    if (auto at = fetched_.find(digest); at != fetched_.end()) known = &at->second;
  return known != nullptr && IsRecord(*known) ? known : nullptr;
}

Result<const VerifiedEntry*> SessionCore::FindRecord(const Digest& digest) {
  if (const auto* known = KnownRecord(digest)) return known;
  TRY(auto answer, transport_->GetRecord(digest, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  if (answer.entries.size() != 1) return Refuse(Reason::kBadProof, "not one entry");
  if (answer.entries[0].entry.erased_by) {
    TRY(auto erased, VerifyErased(answer.entries[0], checkpoint));
    if (erased.head.statement != digest) return Refuse(Reason::kBadProof, "another record than asked for");
    return Refuse(Reason::kPurged);
  }
  TRY(auto verified, Verify(answer.entries[0], checkpoint));
  if (verified.statement->digest != digest || !IsRecord(verified))
    return Refuse(Reason::kBadProof, "another record than asked for");
  return &fetched_.insert_or_assign(digest, std::move(verified)).first->second;
}

Result<const VerifiedEntry*> SessionCore::FindStatement(const Digest& digest, std::uint64_t index) {
  if (const auto* known = mail_.Find(digest)) return known;
  if (auto at = fetched_.find(digest); at != fetched_.end()) return &at->second;
  TRY(auto page, transport_->Mailbox(index, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(page.view));
  TRY_OK(CheckPage(page, index, checkpoint.size()));
  if (page.entries.empty() || !page.entries.front().entry.head || page.entries.front().entry.head->index != index)
    return Refuse(Reason::kNotFound);
  if (page.entries.front().entry.erased_by) return Refuse(Reason::kPurged);
  TRY(auto verified, Verify(page.entries.front(), checkpoint));
  if (verified.statement->digest != digest) return Refuse(Reason::kBadProof, "another statement stands at this entry");
  return &fetched_.insert_or_assign(digest, std::move(verified)).first->second;
}

}  // namespace valija::client
