// Receiving: the mailbox is fetched, every item proved and its author's signature verified, and kept; custody.
#include <algorithm>

#include "client/session.h"

namespace valija::client {
namespace {

bool IsMail(const VerifiedEntry& entry) {
  const auto kind = entry.statement->kind;
  return kind != ledger::Kind::kCharter && kind != ledger::Kind::kEnrolment && kind != ledger::Kind::kEpoch;
}

const ledger::Record* RecordIn(const VerifiedEntry& entry) {
  return std::get_if<ledger::Record>(&entry.statement->payload);
}

std::string ResultText(const ledger::Verdict& verdict) {
  std::string text;
  for (auto reason : verdict.reasons) text += (text.empty() ? "" : ", ") + std::string(CodeOf(reason));
  return text.empty() ? "granted" : text;
}

}  // namespace

Status SessionCore::Keep(std::vector<ProvedEntry> entries, const log::SignedCheckpoint& checkpoint) {
  for (auto& proved : entries) {
    TRY(auto verified, Verify(proved, checkpoint));
    if (!IsMail(verified)) return Refuse(Reason::kBadProof, "the mailbox holds what is no mail");
    if (!mail_.empty() && verified.head.index <= mail_.back().head.index)
      return Refuse(Reason::kBadProof, "the mailbox repeats an old entry");
    Remember(std::move(verified));
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

void SessionCore::Remember(VerifiedEntry entry) {
  if (const auto* revocation = std::get_if<ledger::Revocation>(&entry.statement->payload))
    revoked_.emplace(revocation->record, revocation->by.author.agency());
  if (const auto* open = std::get_if<ledger::Open>(&entry.statement->payload);
      open != nullptr && open->by.author == profile_.member())
    for (const auto& verdict : entry.decision.verdicts)
      if (verdict.allowed()) opened_.emplace(verdict.record, verdict.portion);
  mail_.push_back(std::move(entry));
}

// What is in the cache was proved when it came; its parts and signatures are checked again. One that is damaged is
// fetched anew as a whole.
Status SessionCore::LoadMail() {
  if (mail_loaded_) return Ok();
  mail_loaded_ = true;
  for (const auto& entry : profile_.Load("mail.log")) {
    auto verified = verifier_.VerifyKept(entry);
    if (verified && IsMail(*verified) && (mail_.empty() || verified->head.index > mail_.back().head.index)) {
      Remember(*std::move(verified));
      continue;
    }
    mail_.clear();
    revoked_.clear();
    opened_.clear();
    return profile_.Forget("mail.log");
  }
  return Ok();
}

Status SessionCore::Sync() {
  TRY_OK(Refresh());
  TRY_OK(LoadMail());
  // Where the cache ends, if the cursor's file is older than it.
  std::uint64_t cursor = std::max(profile_.cursor(), mail_.empty() ? 0 : mail_.back().head.index + 1);
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

InboxItem SessionCore::Item(const VerifiedEntry& entry) const {
  const auto& record = *RecordIn(entry);
  const auto& header = record.payload.header;
  InboxItem item;
  item.id = entry.statement->digest.Hex();
  item.from = header.originator.str();
  item.time = ToTimePoint(entry.head.time);
  item.entry = entry.head.index;
  if (header.in_reply_to) item.in_reply_to = header.in_reply_to->Hex();
  for (std::size_t i = 0; i < header.portions.size(); ++i) {
    const auto& head = header.portions[i];
    PortionInfo portion{head.number,     head.marking,
                        head.media_type, record.payload.portions[i].body_length,
                        false,           opened_.contains({entry.statement->digest, head.number})};
    for (const auto& slip : entry.statement->attachments.slips)
      portion.for_me = portion.for_me || (slip.portion == head.number && slip.agency == profile_.member().agency());
    item.opened_by_me = item.opened_by_me || portion.opened_by_me;
    item.portions.push_back(std::move(portion));
  }
  item.revoked = revoked_.contains({entry.statement->digest, header.originator.agency()});
  return item;
}

NewsItem SessionCore::News(const VerifiedEntry& entry) const {
  NewsItem news;
  news.entry = entry.head.index;
  news.time = ToTimePoint(entry.head.time);
  news.kind = ledger::NameOf(entry.statement->kind);
  if (auto by = ledger::AuthorshipOf(*entry.statement)) news.by = by->author.str();
  if (RecordIn(entry) != nullptr) {
    news.record = entry.statement->digest.Hex();
    if (!entry.statement->attachments.slips.empty() || news.by == profile_.member().str()) news.item = Item(entry);
  } else if (const auto* open = std::get_if<ledger::Open>(&entry.statement->payload)) {
    news.record = open->items.front().record.Hex();
    news.purpose = open->purpose;
    news.case_reference = open->case_reference;
    for (const auto& verdict : entry.decision.verdicts)
      news.portions.emplace_back(verdict.portion, ResultText(verdict));
  } else if (const auto* ack = std::get_if<ledger::Acknowledgement>(&entry.statement->payload)) {
    news.record = ack->record.Hex();
    news.outcome = ack->outcome;
  } else if (const auto* revocation = std::get_if<ledger::Revocation>(&entry.statement->payload)) {
    news.record = revocation->record.Hex();
    news.why = revocation->why;
  }
  return news;
}

Result<std::vector<InboxItem>> SessionCore::Inbox() {
  TRY_OK(Sync());
  std::vector<InboxItem> items;
  for (const auto& entry : mail_) {
    if (RecordIn(entry) == nullptr) continue;
    auto item = Item(entry);
    // What I sent is in the mailbox too, for custody; the inbox shows what is addressed to me.
    if (std::any_of(item.portions.begin(), item.portions.end(), [](const auto& portion) { return portion.for_me; }))
      items.push_back(std::move(item));
  }
  return items;
}

Status SessionCore::Follow(const std::function<bool(const NewsItem&)>& item) {
  TRY_OK(Sync());
  std::size_t shown = 0;
  auto show = [&] {  // the callback may use this session, and so add to the mail
    while (shown < mail_.size())
      if (!item(News(mail_[shown++]))) return false;
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

Result<Digest> SessionCore::Resolve(const std::string& id) {
  if (id.size() < 4 || id.size() > 64 || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Refuse(Reason::kUsage, "a record is named by at least 4 of its 64 hex digits");
  if (auto whole = Digest::FromHexText(id)) return *whole;
  TRY_OK(Sync());
  std::optional<Digest> found;
  for (const auto& entry : mail_) {
    if (RecordIn(entry) == nullptr || entry.statement->digest.Hex().compare(0, id.size(), id) != 0) continue;
    if (found && *found != entry.statement->digest) return Refuse(Reason::kAmbiguous, id);
    found = entry.statement->digest;
  }
  if (!found) return Refuse(Reason::kNotFound, "no record in your mailbox begins with " + id);
  return *found;
}

Result<VerifiedEntry> SessionCore::FindRecord(const Digest& digest) {
  for (const auto& entry : mail_)
    if (RecordIn(entry) != nullptr && entry.statement->digest == digest) return entry;
  TRY(auto answer, transport_->GetRecord(digest, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  if (answer.entries.size() != 1) return Refuse(Reason::kBadProof, "not one entry");
  TRY(auto verified, Verify(answer.entries[0], checkpoint));
  if (verified.statement->digest != digest || RecordIn(verified) == nullptr)
    return Refuse(Reason::kBadProof, "another record than asked for");
  return verified;
}

Result<NewsItem> SessionCore::NewsOf(const Digest& record, const VerifiedEntry& entry) const {
  auto news = News(entry);
  if (entry.statement->kind == ledger::Kind::kOpen) {  // of a request for many records: the lines about this one
    news.portions.clear();
    for (const auto& verdict : entry.decision.verdicts)
      if (verdict.record == record) news.portions.emplace_back(verdict.portion, ResultText(verdict));
    if (!news.portions.empty()) news.record = record.Hex();
  }
  if (news.record != record.Hex()) return Refuse(Reason::kBadProof, "an entry about another record");
  return news;
}

Result<std::vector<NewsItem>> SessionCore::Custody(const std::string& id) {
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(id));
  std::vector<NewsItem> news;
  for (std::uint64_t from = 0;;) {
    TRY(auto page, transport_->Custody(digest, from, verifier_.verified_size()));
    TRY(auto checkpoint, verifier_.Advance(page.view));
    TRY_OK(CheckPage(page, from, checkpoint.size()));
    for (const auto& proved : page.entries) {
      TRY(auto entry, Verify(proved, checkpoint));
      if (!news.empty() && entry.head.index <= news.back().entry)
        return Refuse(Reason::kBadProof, "the custody repeats an entry or changes their order");
      TRY(auto one, NewsOf(digest, entry));
      news.push_back(std::move(one));
    }
    if (!page.more) return news;
    from = page.next_cursor;
  }
}

}  // namespace valija::client
