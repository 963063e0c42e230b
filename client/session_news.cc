// What verified entries say, in the plain words of client/valija.h; custody.
#include <algorithm>

#include "client/session.h"

namespace valija::client {
namespace {

constexpr const char* kUrgencies[] = {"", "normal", "urgent", "immediate"};

std::string ResultText(const ledger::Verdict& verdict) {
  std::string text;
  for (auto reason : verdict.reasons) text += (text.empty() ? "" : ", ") + std::string(CodeOf(reason));
  return text.empty() ? "granted" : text;
}

std::string MarkingText(const std::optional<policy::Tlp>& marking) {
  return marking ? std::string(policy::TextOf(*marking)) : std::string();
}

// What each kind adds to a NewsItem beyond who and when.
struct Teller {
  NewsItem& news;
  const VerifiedEntry& entry;

  void Portions() const {
    for (const auto& verdict : entry.decision.verdicts)
      news.portions.emplace_back(verdict.portion, ResultText(verdict));
  }
  void operator()(const ledger::Record&) const { news.record = news.id; }
  void operator()(const ledger::Grant& grant) const {
    news.record = grant.record.Hex();
    if (grant.request) news.request = grant.request->Hex();
    std::set<std::string> agencies;  // as far as they are shown
    for (const auto& slip : entry.statement->attachments.slips)
      if (slip.agency.str() != record::kDecoyAgency) agencies.insert(slip.agency.str());
    for (const auto& agency : agencies) news.agency += (news.agency.empty() ? "" : ", ") + agency;
  }
  void operator()(const ledger::Open& open) const {
    news.record = open.items.front().record.Hex();
    news.purpose = open.purpose;
    news.case_reference = open.case_reference;
    news.emergency = open.emergency;
    if (open.approved_request) news.request = open.approved_request->Hex();
    Portions();
  }
  void operator()(const ledger::Acknowledgement& ack) const {
    news.record = ack.record.Hex();
    news.outcome = ack.outcome;
  }
  void operator()(const ledger::Revocation& revocation) const {
    news.record = revocation.record.Hex();
    news.why = revocation.why;
    news.recall = revocation.recall;
  }
  void operator()(const ledger::Amendment& amendment) const {
    news.record = amendment.record.Hex();
    news.portion = amendment.portion;
    news.sequence = amendment.sequence;
    if (amendment.policy) news.policy_text = policy::ToText(*amendment.policy);
  }
  void operator()(const ledger::Approval& approval) const {
    news.request = approval.request.Hex();
    news.verdict = approval.verdict == ledger::ApprovalVerdict::kApprove  ? "approve"
                   : approval.verdict == ledger::ApprovalVerdict::kReject ? "reject"
                                                                          : "withdraw";
    news.why = approval.why;
  }
  void operator()(const ledger::Review& review) const {
    news.request = review.request.Hex();
    news.verdict = review.finding == ledger::Finding::kJustified ? "justified" : "not-justified";
    news.why = review.why;
  }
  void operator()(const ledger::AccessRequest& request) const {
    news.record = request.record.Hex();
    for (auto portion : request.portions) news.portions.emplace_back(portion, "");
    news.verdict = request.wish == ledger::Wish::kOpen     ? "open"
                   : request.wish == ledger::Wish::kOnward ? "onward"
                                                           : "mark-less";
    news.agency = request.agency.str();
    news.marking = MarkingText(request.marking);
    news.purpose = request.purpose;
    news.case_reference = request.case_reference;
    news.why = request.why;
  }
  void operator()(const ledger::Answer& answer) const {
    news.request = answer.request.Hex();
    news.verdict = answer.marking ? "consented" : "declined";
    news.marking = MarkingText(answer.marking);
    news.why = answer.why;
  }
  void operator()(const ledger::StandingOrder& order) const {
    news.purpose = order.purpose;
    news.case_reference = order.case_reference;
    news.until = ToTimePoint(order.expires);
  }
  void operator()(const ledger::StandingOpening& opening) const {
    news.record = opening.record.Hex();
    news.request = opening.order.Hex();
    Portions();
  }
  void operator()(const ledger::Lookup& lookup) const {
    news.first_entry = lookup.from_index;
    news.end_entry = lookup.end_index;
    news.until = ToTimePoint(lookup.expires);
    news.why = lookup.why;
  }
  void operator()(const ledger::Purge& purge) const {
    for (const auto& erasure : purge.erasures) news.erased.push_back(erasure.statement.Hex());
    news.record = news.erased.front();
    news.why = purge.why;
  }
  template <class Directory>
  void operator()(const Directory&) const {}
};

}  // namespace

InboxItem SessionCore::Item(const VerifiedEntry& entry) const {
  const auto& header = HeaderOf(entry);
  const Digest& digest = entry.statement->digest;
  const Digest first = OriginalOf(entry);
  const VerifiedEntry* original = KnownRecord(first);
  InboxItem item;
  item.id = digest.Hex();
  item.from = header.originator.str();
  item.time = ToTimePoint(entry.head.time);
  item.entry = entry.head.index;
  if (header.in_reply_to) item.in_reply_to = header.in_reply_to->Hex();
  if (first != digest) item.grant_of = first.Hex();
  for (const auto& head : header.portions) {
    PortionInfo portion{head.number, head.marking, head.media_type, 0, false, mail_.opened_by_me(digest, head.number)};
    item.opened_by_me = item.opened_by_me || portion.opened_by_me;
    if (original != nullptr && original->statement->kind == ledger::Kind::kRecord) {
      const auto& seals = std::get<ledger::Record>(original->statement->payload).payload.portions;
      if (head.number < seals.size()) portion.sealed_bytes = seals[head.number].body_length;
    }
    for (const auto& slip : entry.statement->attachments.slips)
      portion.for_me = portion.for_me || (slip.portion == head.number && slip.agency == profile_.member().agency());
    item.portions.push_back(std::move(portion));
  }
  // By who made it; of a grant also by who made the original.
  auto ended = [&](auto&& holds) {
    const AgencyId by = header.originator.agency();
    if (holds(digest, by)) return true;
    if (first == digest || original == nullptr) return false;
    const AgencyId its = HeaderOf(*original).originator.agency();
    return holds(digest, its) || holds(first, its);
  };
  item.revoked = ended([&](const Digest& one, const AgencyId& by) { return mail_.revoked(one, by); });
  item.recalled = ended([&](const Digest& one, const AgencyId& by) { return mail_.recalled(one, by); });
  item.purged = entry.erased_by || (original != nullptr && original->erased_by) ||
                ended([&](const Digest& one, const AgencyId& by) { return mail_.purged(one, by); });
  for (const auto& source : header.sources) item.sources.push_back(source.Hex());
  if (header.urgency != record::Urgency::kNone) {
    const auto level = static_cast<std::size_t>(header.urgency);
    item.urgency = kUrgencies[level];
    const auto hours = verifier_.CharterAt(entry.head.index).caps.response_hours.at(level - 1);
    item.due = ToTimePoint(entry.head.time + std::chrono::hours(hours));
  }
  for (const auto* reply : mail_.AnswersTo(entry)) {
    item.replies.push_back(reply->statement->digest.Hex());
    item.answered_by_us = item.answered_by_us || HeaderOf(*reply).originator.agency() == profile_.member().agency();
  }
  return item;
}

NewsItem SessionCore::News(const VerifiedEntry& entry) const {
  NewsItem news;
  news.entry = entry.head.index;
  news.time = ToTimePoint(entry.head.time);
  news.kind = ledger::NameOf(entry.statement->kind);
  news.id = entry.statement->digest.Hex();
  if (auto by = ledger::AuthorshipOf(*entry.statement)) news.by = by->author.str();
  news.erased_by = entry.erased_by;
  news.unwitnessed = entry.decision.unwitnessed;
  std::visit(Teller{news, entry}, entry.statement->payload);
  if (const auto* opening = PayloadOf<ledger::StandingOpening>(entry)) {
    news.by = opening->member.str();
    const auto* known = KnownStatement(opening->order);
    const auto* order = known != nullptr ? PayloadOf<ledger::StandingOrder>(*known) : nullptr;
    if (order != nullptr) {
      news.purpose = order->purpose;
      news.case_reference = order->case_reference;
    }
  }
  if (IsRecord(entry) && (!entry.statement->attachments.slips.empty() || news.by == profile_.member().str()))
    news.item = Item(entry);
  return news;
}

Result<NewsItem> SessionCore::NewsOf(const Digest& record, const VerifiedEntry& entry, Chain& chain) const {
  auto news = News(entry);
  const auto& payload = entry.statement->payload;
  bool about = false;
  if (IsRecord(entry)) {
    about = chain.family.contains(entry.statement->digest) || chain.family.contains(OriginalOf(entry));
    if (about) chain.family.insert(entry.statement->digest);
    if (entry.statement->digest == record) chain.family.insert(OriginalOf(entry));
  } else if (std::holds_alternative<ledger::Open>(payload) ||
             std::holds_alternative<ledger::StandingOpening>(payload)) {
    // Of a request for many records: the lines about this one and what came of it.
    news.portions.clear();
    for (const auto& verdict : entry.decision.verdicts)
      if (chain.family.contains(verdict.record)) {
        if (news.portions.empty()) news.record = verdict.record.Hex();
        news.portions.emplace_back(verdict.portion, ResultText(verdict));
      }
    about = !news.portions.empty();
  } else if (const auto* approval = std::get_if<ledger::Approval>(&payload)) {
    about = chain.acts.contains(approval->request);
  } else if (const auto* review = std::get_if<ledger::Review>(&payload)) {
    about = chain.acts.contains(review->request);
  } else if (const auto* answer = std::get_if<ledger::Answer>(&payload)) {
    about = chain.acts.contains(answer->request);
  } else if (const auto* purge = std::get_if<ledger::Purge>(&payload)) {
    for (const auto& erasure : purge->erasures)
      about = about || chain.family.contains(erasure.statement) || chain.acts.contains(erasure.statement);
    news.record = record.Hex();
  } else {
    const auto named = Digest::FromHexText(news.record);
    about = named && chain.family.contains(*named);
  }
  if (!about) return Refuse(Reason::kBadProof, "an entry about another record");
  chain.acts.insert(entry.statement->digest);
  if (news.record.empty()) news.record = record.Hex();  // an approval, a review, an answer
  return news;
}

Status SessionCore::WalkCustody(const Digest& digest, const CustodyEntry& take) {
  Chain chain{{digest}, {}};
  if (const auto* known = KnownRecord(digest)) chain.family.insert(OriginalOf(*known));
  for (const auto& entry : mail_.entries())
    if (const auto* grant = PayloadOf<ledger::Grant>(entry); grant != nullptr && grant->record == digest)
      chain.family.insert(entry.statement->digest);
  std::optional<std::uint64_t> last;
  for (std::uint64_t from = 0;;) {
    TRY(auto page, transport_->Custody(digest, from, verifier_.verified_size()));
    TRY(auto checkpoint, verifier_.Advance(page.view));
    TRY_OK(CheckPage(page, from, checkpoint.size()));
    for (const auto& proved : page.entries) {
      if (proved.entry.head && last && proved.entry.head->index <= *last)
        return Refuse(Reason::kBadProof, "the custody repeats an entry or changes their order");
      TRY(auto entry, VerifyShown(proved, checkpoint, digest));
      TRY_OK(CheckUnsigned(entry));
      TRY(auto one, NewsOf(digest, entry, chain));
      last = one.entry;
      TRY_OK(take(proved, entry, one));
    }
    if (!page.more) return Ok();
    from = page.next_cursor;
  }
}

Result<std::vector<NewsItem>> SessionCore::Custody(const std::string& id) {
  TRY_OK(Sync());
  TRY(auto digest, Resolve(id));
  std::vector<NewsItem> news;
  TRY_OK(WalkCustody(digest, [&](const ProvedEntry&, const VerifiedEntry&, const NewsItem& one) {
    news.push_back(one);
    return Ok();
  }));
  return news;
}

}  // namespace valija::client
