// Receiving: the mailbox is fetched, every item proved and its author's signature verified, and kept.
#include <algorithm>

#include "client/session.h"

namespace valija::client {
namespace {

bool IsMail(const VerifiedEntry& entry) { return !ledger::IsDirectoryKind(entry.statement->kind); }

}  // namespace

Status SessionCore::Keep(std::vector<ProvedEntry> entries, const log::SignedCheckpoint& checkpoint) {
  for (auto& proved : entries) {
    TRY(auto verified, VerifyShown(proved, checkpoint));
    if (!IsMail(verified)) return Refuse(Reason::kBadProof, "the mailbox holds what is no mail");
    TRY_OK(CheckUnsigned(verified));
    if (const auto* purge = PayloadOf<ledger::Purge>(verified))
      for (const auto& erasure : purge->erasures) {
        const auto* before = mail_.Find(erasure.statement);
        erase_kept_ = erase_kept_ || (before != nullptr && !before->erased_by);
      }
    const std::uint64_t index = verified.head.index;
    if (!mail_.Add(std::move(verified), profile_.member()))
      return Refuse(Reason::kBadProof, "the mailbox repeats an old entry");
    if (keep_releases_ && !proved.releases.empty()) releases_[index] = std::move(proved.releases);
    TRY_OK(profile_.AppendTo("mail.log", {proved.entry}));
  }
  return ForgetErased();
}

Status SessionCore::ForgetErased() {
  if (!erase_kept_) return Ok();
  auto kept = profile_.Load("mail.log");
  for (auto& entry : kept) {
    if (!entry.head || !entry.envelope || entry.erased_by) continue;
    const auto* purge = mail_.PurgeOf(entry.head->statement);
    const auto* before = mail_.Find(entry.head->statement);
    if (purge == nullptr || before == nullptr) continue;
    TRY(auto left, proto::RedactPayload(before->statement->kind, entry.envelope->payload));
    entry.envelope = ledger::Envelope{entry.envelope->payload_type, std::move(left), {}, std::nullopt};
    entry.erased_by = purge->head.index;
    TRY(auto erased, verifier_.VerifyKept(entry));
    TRY_OK(verifier_.CheckPurgedBy(entry, erased, *purge));
    mail_.Replace(std::move(erased));
  }
  TRY_OK(profile_.Replace("mail.log", kept));
  erase_kept_ = false;
  return Ok();
}

Result<VerifiedEntry> SessionCore::Verify(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) {
  auto verified = verifier_.VerifyEntry(proved, checkpoint);
  // Its author may have been enrolled a moment ago, or the charter amended by which it was decided.
  if (!verified && (verified.error().reason == Reason::kBadSignature || verified.error().reason == Reason::kBadProof)) {
    const auto before = verifier_.directory_entries();
    TRY_OK(Refresh());
    if (verifier_.directory_entries() != before) verified = verifier_.VerifyEntry(proved, checkpoint);
  }
  return verified;
}

Status SessionCore::CheckUnsigned(const VerifiedEntry& entry) {
  const auto* opening = PayloadOf<ledger::StandingOpening>(entry);
  if (opening == nullptr) return Ok();
  TRY(const auto* known, OrderBehind(*opening));
  if (known == nullptr) return Ok();
  const auto* order = PayloadOf<ledger::StandingOrder>(*known);
  if (order == nullptr || known->head.index >= entry.head.index)
    return Refuse(Reason::kBadProof, "an opening under an order that is none");
  if (opening->member != order->by.author)
    return Refuse(Reason::kBadProof, "an opening under an order of somebody else's");
  if (entry.head.time >= order->expires)
    return Refuse(Reason::kBadProof, "an opening under an order whose time was over");
  // An order is ended by its own agency; what the log has behind that is against the rules.
  if (mail_.ended_before(opening->order, order->agency, entry.head.index))
    return Refuse(Reason::kBadProof, "an opening under an order that was ended");
  return Ok();
}

// One's own is in the mailbox. Of what opened a record of mine I demand to see it, as its signature alone says who opened.
// Any other opening is news of a record that I may know of, and nothing more: nullptr.
Result<const VerifiedEntry*> SessionCore::OrderBehind(const ledger::StandingOpening& opening) {
  if (const auto* known = KnownStatement(opening.order)) return known;
  if (opening.member == profile_.member()) return Refuse(Reason::kBadProof, "an opening under an order I never made");
  auto record = FindRecord(opening.record);
  if (!record && record.error().reason == Reason::kNotFound)
    return Refuse(Reason::kBadProof, "an opening under an order that is not mine, of a record that is not for me");
  if (!record) return record.error();
  auto mine = [&](const VerifiedEntry& one) { return HeaderOf(one).originator.agency() == profile_.member().agency(); };
  if (!mine(**record)) {
    const auto original = FindRecord(OriginalOf(**record));
    if (!original || !mine(**original)) return nullptr;
  }
  auto order = Fetch(opening.order);
  if (!order && order.error().reason == Reason::kNotFound)
    return Refuse(Reason::kBadProof, "an opening of your record, and the order behind it is not shown");
  return order;
}

Result<VerifiedEntry> SessionCore::VerifyErased(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint,
                                                const std::optional<Digest>& custody, int depth) {
  auto erased = verifier_.VerifyErased(proved, checkpoint);
  if (!erased && erased.error().reason == Reason::kBadSignature) {
    TRY_OK(Refresh());
    erased = verifier_.VerifyErased(proved, checkpoint);
  }
  if (!erased) return erased;
  const auto about = custody ? custody : Digest::FromHexText(News(*erased).record);
  TRY(const auto* purge, FindPurge(*erased->erased_by, about, depth));
  TRY_OK(verifier_.CheckPurgedBy(proved.entry, *erased, *purge));
  return erased;
}

// A purge is an entry, mostly one that comes later than where we are.
Result<const VerifiedEntry*> SessionCore::FindPurge(std::uint64_t index, const std::optional<Digest>& custody,
                                                    int depth) {
  if (depth > static_cast<int>(ledger::kMostPurgesOfPurges))
    return Refuse(Reason::kBadProof, "purges of purges without an end");
  if (const auto* known = mail_.At(index)) return known;
  if (const auto at = purges_.find(index); at != purges_.end()) return &at->second;
  auto look = [&](Result<EntriesAnswer> answer) -> Result<const VerifiedEntry*> {
    TRY(auto page, std::move(answer));
    TRY(auto checkpoint, verifier_.Advance(page.view));
    TRY_OK(CheckPage(page, index, checkpoint.size()));
    if (page.entries.empty() || !page.entries.front().entry.head || page.entries.front().entry.head->index != index)
      return Refuse(Reason::kNotFound);
    const auto& proved = page.entries.front();
    auto purge =
        proved.entry.erased_by ? VerifyErased(proved, checkpoint, custody, depth + 1) : Verify(proved, checkpoint);
    if (!purge) return purge.error();
    return &purges_.insert_or_assign(index, *std::move(purge)).first->second;
  };
  auto found = look(transport_->Mailbox(index, verifier_.verified_size()));
  if (!found && found.error().reason == Reason::kNotFound && custody)
    found = look(transport_->Custody(*custody, index, verifier_.verified_size()));
  if (!found && found.error().reason == Reason::kNotFound)
    return Refuse(Reason::kBadProof,
                  "a statement is shown as erased by entry " + std::to_string(index) + ", and no purge is there");
  return found;
}

// What is in the cache was proved when it came; its parts and signatures are checked again, and against its purge what was
// erased. A cache that is damaged is fetched anew as a whole.
Status SessionCore::LoadMail() {
  if (mail_loaded_) return Ok();
  mail_loaded_ = true;
  const auto kept = profile_.Load("mail.log");
  auto holds = [&](const proto::LoggedEntry& entry) {
    if (!entry.erased_by) return true;
    const auto* purge = mail_.At(*entry.erased_by);  // another's may be in no mailbox of mine
    return purge == nullptr || verifier_.CheckPurgedBy(entry, *mail_.Find(entry.head->statement), *purge).has_value();
  };
  for (const auto& entry : kept) {
    auto verified = verifier_.VerifyKept(entry);
    if (verified && IsMail(*verified) && mail_.Add(*std::move(verified), profile_.member())) continue;
    mail_.Clear();
    return profile_.Forget("mail.log");
  }
  if (!std::all_of(kept.begin(), kept.end(), holds)) {
    mail_.Clear();
    return profile_.Forget("mail.log");
  }
  for (const auto& entry : mail_.entries())
    erase_kept_ = erase_kept_ || (!entry.erased_by && mail_.PurgeOf(entry.head.statement) != nullptr);
  return ForgetErased();
}

Status SessionCore::Sync() {
  TRY_OK(Refresh());
  TRY_OK(LoadMail());
  return LookAtMail();
}

Status SessionCore::LookAtMail() {
  // Where the cache ends, if the cursor's file is older than it.
  std::uint64_t cursor = std::max(profile_.cursor(), mail_.empty() ? 0 : mail_.entries().back().head.index + 1);
  for (;;) {
    TRY(auto page, transport_->Mailbox(cursor, verifier_.verified_size()));
    TRY(auto checkpoint, verifier_.Advance(page.view));
    TRY_OK(CheckPage(page, cursor, checkpoint.size()));
    TRY_OK(Keep(std::move(page.entries), checkpoint));
    cursor = page.next_cursor;
    TRY_OK(profile_.SetCursor(cursor));
    if (page.more) continue;
    looked_to_ = cursor;
    return Ok();
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

// A stream that nothing comes on shows nothing of the log: it ends before that is too old, and another begins from a log that
// was looked at anew.
std::chrono::milliseconds SessionCore::StreamLasts() const {
  if (verifier_.directory().witness_policy() == nullptr) return {};
  return std::max(std::chrono::milliseconds(Terms().max_checkpoint_age_seconds * std::uint64_t{250}), pause_);
}

Status SessionCore::Follow(const std::function<bool(const NewsItem&)>& item,
                           const std::function<std::optional<std::chrono::milliseconds>()>& between) {
  TRY_OK(Sync());
  std::size_t shown = 0;
  auto show = [&] {  // the callback may use this session, and so add to the mail
    while (shown < mail_.entries().size())
      if (!item(News(mail_.entries()[shown++]))) return false;
    return true;
  };
  if (!show()) return Ok();
  bool refreshed = false, looked = true;
  for (int fruitless = 0;;) {
    if (auto fresh = std::exchange(looked, false) ? Ok() : Refresh(); !fresh) {
      if (!AnotherStream(fresh.error(), false, fruitless)) return fresh;
      continue;
    }
    auto lasts = StreamLasts();
    if (between) {
      const auto sooner = between();
      if (!sooner) return Ok();
      if (sooner->count() != 0) lasts = *sooner;
    }
    const auto begun = std::chrono::steady_clock::now();
    bool progress = false;
    Status failed = Ok();
    bool wanted = true, moved = false, old = false;
    auto take = [&](FollowItem& followed) -> Status {
      ForgetOldWindow();
      const std::uint64_t cursor = profile_.cursor();
      TRY(auto checkpoint, verifier_.Advance(followed.view));
      old = !any_age_ && !verifier_.CheckFresh();
      if (old) return Ok();  // it comes again, from a log that is not
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
    auto ended = transport_->Follow(
        profile_.cursor(), verifier_.verified_size(),
        [&](FollowItem followed) {
          failed = take(followed);
          return failed && wanted && !moved && !old;
        },
        lasts);
    refreshed = refreshed && !progress;
    if (!failed && failed.error().reason == Reason::kBadCheckpoint && !refreshed) {
      TRY_OK(Refresh());  // an amendment of the charter may have given the log another key
      refreshed = true;
      continue;
    }
    TRY_OK(failed);
    if (!wanted) return ended;
    looked = moved;  // by another call
    if (moved || old) continue;
    if (ended) return ended;
    const auto lasted = std::chrono::steady_clock::now() - begun;
    if (lasts.count() != 0 && lasted >= lasts && ended.error().reason == Reason::kDeadline)
      continue;  // as it was asked to
    progress = progress || lasted > std::chrono::minutes(1);
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
  if (!found) return Refuse(Reason::kNotFound, std::string(what) + " with these digits is not in your mailbox: " + id);
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

const VerifiedEntry* SessionCore::KnownStatement(const Digest& digest) const {
  if (const auto* known = mail_.Find(digest)) return known;
  const auto at = fetched_.find(digest);
  return at == fetched_.end() ? nullptr : &at->second;
}

const VerifiedEntry* SessionCore::KnownRecord(const Digest& digest) const {
  const VerifiedEntry* known = KnownStatement(digest);
  return known != nullptr && IsRecord(*known) ? known : nullptr;
}

Result<const VerifiedEntry*> SessionCore::FindRecord(const Digest& digest) {
  if (const auto* known = KnownRecord(digest)) return known;
  TRY(const auto* fetched, Fetch(digest));
  if (!IsRecord(*fetched)) return Refuse(Reason::kBadProof, "another record than asked for");
  return fetched;
}

Result<const VerifiedEntry*> SessionCore::Fetch(const Digest& digest) {
  TRY(auto answer, transport_->GetRecord(digest, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  if (answer.entries.size() != 1) return Refuse(Reason::kBadProof, "not one entry");
  TRY(auto verified, VerifyShown(answer.entries[0], checkpoint, digest));
  if (verified.statement->digest != digest) return Refuse(Reason::kBadProof, "another record than asked for");
  return &fetched_.insert_or_assign(digest, std::move(verified)).first->second;
}

Result<const VerifiedEntry*> SessionCore::FindContent(const Digest& digest) {
  TRY(const auto* record, FindRecord(digest));
  if (record->erased_by) return Refuse(Reason::kPurged);
  return record;
}

Result<const VerifiedEntry*> SessionCore::FindStatement(const Digest& digest, std::uint64_t index) {
  if (const auto* known = KnownStatement(digest)) return known;
  TRY(auto page, transport_->Mailbox(index, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(page.view));
  TRY_OK(CheckPage(page, index, checkpoint.size()));
  if (page.entries.empty() || !page.entries.front().entry.head || page.entries.front().entry.head->index != index)
    return Refuse(Reason::kNotFound);
  TRY(auto verified, VerifyShown(page.entries.front(), checkpoint));
  if (verified.statement->digest != digest) return Refuse(Reason::kBadProof, "another statement stands at this entry");
  return &fetched_.insert_or_assign(digest, std::move(verified)).first->second;
}

}  // namespace valija::client
