// Receiving: the mailbox is fetched, every item proved and its author's signature verified, and kept; custody.
#include <algorithm>

#include "client/session.h"

namespace valija::client {
namespace {

const ledger::Record* RecordIn(const VerifiedEntry& entry) {
  return std::get_if<ledger::Record>(&entry.statement->payload);
}

}  // namespace

Status SessionCore::Keep(std::vector<ProvedEntry> entries, const log::SignedCheckpoint& checkpoint) {
  std::vector<proto::LoggedEntry> kept;
  for (auto& proved : entries) {
    auto verified = verifier_.VerifyEntry(proved, checkpoint);
    if (!verified && verified.error().reason == Reason::kBadSignature) {
      TRY_OK(Refresh());  // its author may have been enrolled a moment ago
      verified = verifier_.VerifyEntry(proved, checkpoint);
    }
    if (!verified) return verified.error();
    mail_.push_back(*std::move(verified));
    kept.push_back(std::move(proved.entry));
  }
  return profile_.AppendTo("mail.log", kept);
}

Status SessionCore::Sync() {
  TRY_OK(Refresh());
  if (!mail_loaded_) {
    // What is in the cache was proved when it came; its parts and signatures are checked again.
    for (const auto& entry : profile_.Load("mail.log")) {
      if (!proto::CheckLoggedEntry(entry)) return Refuse(Reason::kCorrupt, "mail.log is damaged; remove it and cursor");
      TRY(auto statement, proto::MakeStatement(*entry.envelope, entry.attachments));
      TRY(auto decision, proto::DecodeDecision(entry.decision_bytes));
      const auto* author = verifier_.directory().member(ledger::AuthorshipOf(statement)->author);
      if (author == nullptr) return Refuse(Reason::kCorrupt, "mail.log is damaged; remove it and cursor");
      TRY(auto verified, ledger::VerifyStatement(std::move(statement), author->signing_key));
      mail_.push_back({*entry.head, std::move(verified), std::move(decision)});
    }
    mail_loaded_ = true;
  }
  // Where the cache ends, if the cursor's file is older than it.
  std::uint64_t cursor = std::max(profile_.cursor(), mail_.empty() ? 0 : mail_.back().head.index + 1);
  for (;;) {
    TRY(auto page, transport_->Mailbox(cursor, verifier_.verified_size()));
    TRY(auto checkpoint, verifier_.Advance(page.view));
    if (page.next_cursor < cursor || (page.more && page.next_cursor == cursor))
      return Refuse(Reason::kBadProof, "the mailbox's cursor does not move");
    for (const auto& proved : page.entries)
      if (proved.entry.head && proved.entry.head->index < cursor)
        return Refuse(Reason::kBadProof, "the mailbox repeats an old entry");
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
    PortionInfo portion{head.number, head.marking, head.media_type, record.payload.portions[i].body_length, false};
    for (const auto& slip : entry.statement->attachments.slips)
      portion.for_me = portion.for_me || (slip.portion == head.number && slip.agency == profile_.member().agency());
    item.portions.push_back(std::move(portion));
  }
  for (const auto& other : mail_) {
    if (const auto* revocation = std::get_if<ledger::Revocation>(&other.statement->payload))
      item.revoked = item.revoked || revocation->record == entry.statement->digest;
    const auto* open = std::get_if<ledger::Open>(&other.statement->payload);
    if (open == nullptr || open->by.author != profile_.member()) continue;
    for (const auto& verdict : other.decision.verdicts)
      if (verdict.record == entry.statement->digest && verdict.allowed()) item.opened_by_me = true;
  }
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
    for (const auto& verdict : entry.decision.verdicts) {
      std::string result;
      for (auto reason : verdict.reasons) result += (result.empty() ? "" : ", ") + std::string(CodeOf(reason));
      news.portions.emplace_back(verdict.portion, result.empty() ? "granted" : result);
    }
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
  for (const auto& entry : mail_)
    if (!item(News(entry))) return Ok();
  Status failed = Ok();
  auto ended = transport_->Follow(profile_.cursor(), verifier_.verified_size(), [&](FollowItem followed) {
    auto one = [&]() -> Result<bool> {
      TRY(auto checkpoint, verifier_.Advance(followed.view));
      if (followed.entry) {
        std::vector<ProvedEntry> entries;
        entries.push_back(*std::move(followed.entry));
        TRY_OK(Keep(std::move(entries), checkpoint));
      }
      TRY_OK(profile_.SetCursor(followed.cursor));
      return !followed.entry || item(News(mail_.back()));
    }();
    if (!one) failed = one.error();
    return one && *one;
  });
  TRY_OK(failed);
  return ended;
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
  TRY(auto verified, verifier_.VerifyEntry(answer.entries[0], checkpoint));
  if (verified.statement->digest != digest || RecordIn(verified) == nullptr)
    return Refuse(Reason::kBadProof, "another record than asked for");
  return verified;
}

Result<std::vector<NewsItem>> SessionCore::Custody(const std::string& id) {
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(id));
  TRY(auto answer, transport_->Custody(digest, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  std::vector<NewsItem> news;
  for (const auto& proved : answer.entries) {
    TRY(auto entry, verifier_.VerifyEntry(proved, checkpoint));
    auto one = News(entry);
    if (entry.statement->kind == ledger::Kind::kOpen) {  // of a request for many records: the lines about this one
      one.portions.clear();
      for (const auto& verdict : entry.decision.verdicts) {
        if (verdict.record != digest) continue;
        std::string result;
        for (auto reason : verdict.reasons) result += (result.empty() ? "" : ", ") + std::string(CodeOf(reason));
        one.portions.emplace_back(verdict.portion, result.empty() ? "granted" : result);
      }
      one.record = digest.Hex();
    }
    if (one.record != digest.Hex()) return Refuse(Reason::kBadProof, "an entry about another record");
    news.push_back(std::move(one));
  }
  return news;
}

}  // namespace valija::client
