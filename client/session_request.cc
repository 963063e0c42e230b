// What others ask of me and I of them: approvals, reviews of emergencies, access to records.
#include <algorithm>

#include "client/session.h"
#include "core/log/tile.h"
#include "core/log/tree.h"

namespace valija::client {
namespace {

constexpr std::string_view kKinds[] = {"approval", "approved", "review", "access", "answer", "erase"};

Error BadHint(const proto::WaitingItem& hint, const char* what) {
  return Refuse(Reason::kBadProof, "what is said to wait (" + hint.kind + ", entry " + std::to_string(hint.entry) +
                                       ") is not what the log says: " + what);
}

// What is wrong with the log or the broker, and not with the one hint.
bool EndsAll(Reason reason) {
  const auto kind = ClassOf(reason);
  return kind == Class::kUnavailable || kind == Class::kDeadline || kind == Class::kExhausted ||
         reason == Reason::kFork || reason == Reason::kRolledBack || reason == Reason::kBadCheckpoint;
}

WaitingItem Faulty(const proto::WaitingItem& hint, const Error& error) {
  WaitingItem item;
  item.kind = hint.kind;
  item.id = hint.statement.Hex();
  item.entry = hint.entry;
  item.fault = ToFailure(error);
  return item;
}

std::string MarkingOf(const VerifiedEntry* record, std::uint32_t portion) {
  if (record == nullptr) return {};
  for (const auto& head : HeaderOf(*record).portions)
    if (head.number == portion) return head.marking;
  return {};
}

Result<policy::Tlp> MarkingFrom(const std::string& text) {
  if (auto marking = policy::TlpFromText(text)) return *marking;
  return Refuse(Reason::kUsage, "a marking is written like TLP:GREEN");
}

}  // namespace

// The broker says what to look at; what is there is taken from the entry alone, which was verified.
Result<std::optional<WaitingItem>> SessionCore::LookUp(const proto::WaitingItem& hint, std::uint64_t size) {
  const bool about_record = hint.kind == "answer" || hint.kind == "erase";
  if (about_record && hint.statement != hint.record) return BadHint(hint, "another record");
  auto looked = about_record ? FindRecord(hint.statement) : FindStatement(hint.statement, hint.entry);
  if (!looked && looked.error().reason == Reason::kNotFound && hint.kind == "review")
    looked = FindByAudit(hint.statement, hint.entry);
  if (!looked && looked.error().reason == Reason::kNotFound) return BadHint(hint, "it is not there");
  if (!looked && looked.error().reason == Reason::kPurged) return std::optional<WaitingItem>();
  if (!looked) return looked.error();
  const VerifiedEntry& entry = **looked;
  if (entry.head.index != hint.entry) return BadHint(hint, "it is another entry");

  WaitingItem item;
  item.kind = hint.kind;
  item.id = hint.statement.Hex();
  if (!hint.record.IsZero()) item.record = hint.record.Hex();
  item.entry = entry.head.index;
  item.time = ToTimePoint(entry.head.time);
  if (hint.until) item.until = ToTimePoint(*hint.until);
  if (auto by = ledger::AuthorshipOf(*entry.statement)) item.by = by->author.str();

  if (hint.kind == "approval" || hint.kind == "approved" || hint.kind == "review") {
    const auto* open = PayloadOf<ledger::Open>(entry);
    if (open == nullptr) return BadHint(hint, "it is no request to open");
    const bool emergency = hint.kind == "review";
    if (emergency == open->emergency.empty()) return BadHint(hint, "whether it is an emergency");
    if ((hint.kind == "approved") != (open->by.author == profile_.member())) return BadHint(hint, "whose it is");
    bool named = emergency;
    for (const auto& verdict : entry.decision.verdicts) {
      const bool waits = verdict.reasons == std::vector{Reason::kApprovalMissing};
      if (!(emergency ? verdict.allowed() : waits)) continue;
      named = named || verdict.record == hint.record;
      if (emergency && item.portions.empty()) item.record = verdict.record.Hex();
      auto record = emergency && KnownRecord(verdict.record) == nullptr ? nullptr : FindRecord(verdict.record);
      if (!record && record.error().reason != Reason::kNotFound) return record.error();
      item.portions.emplace_back(verdict.portion, MarkingOf(record ? *record : nullptr, verdict.portion));
    }
    if (item.portions.empty() || !named) return BadHint(hint, "it waits for nothing, or for another record");
    item.purpose = open->purpose;
    item.case_reference = open->case_reference;
    item.why = open->emergency;
  } else if (hint.kind == "access") {
    const auto* request = PayloadOf<ledger::AccessRequest>(entry);
    if (request == nullptr || request->record != hint.record) return BadHint(hint, "no such access request");
    TRY(const auto* record, FindRecord(request->record));
    for (const auto& head : HeaderOf(*record).portions)
      if (request->portions.empty() ||
          std::binary_search(request->portions.begin(), request->portions.end(), head.number))
        item.portions.emplace_back(head.number, head.marking);
    const auto news = News(entry);
    item.purpose = news.purpose;
    item.case_reference = news.case_reference;
    item.why = news.why;
    item.wish = news.verdict;
    item.agency = news.agency;
    item.marking = news.marking;
  } else {
    // Of a grant its original says whether it was recalled, and how long its bodies are.
    if (auto original = FindRecord(OriginalOf(entry)); !original && original.error().reason != Reason::kNotFound)
      return original.error();
    const auto said = Item(entry);
    if (hint.kind == "answer") {
      if (said.urgency.empty()) return BadHint(hint, "it asks for no answer");
      for (const auto* reply : mail_.AnswersTo(entry))
        if (reply->head.index < size && HeaderOf(*reply).originator.agency() == profile_.member().agency())
          return BadHint(hint, "it has an answer");
      if (said.answered_by_us || said.purged) return std::optional<WaitingItem>();  // since then
    }
    if (hint.kind == "erase" && !(said.recalled && said.opened_by_me))
      return BadHint(hint, "it was not recalled, or never opened");
    for (const auto& portion : said.portions) item.portions.emplace_back(portion.number, portion.marking);
    item.urgency = said.urgency;
    item.until = said.due;
  }
  return std::optional(std::move(item));
}

// For a joint auditor, who is concerned by nothing and sees everything: the entry by its index, proved by the log's tiles.
Result<const VerifiedEntry*> SessionCore::FindByAudit(const Digest& digest, std::uint64_t index) {
  std::optional<proto::LoggedEntry> logged;
  TRY(const auto lookup, LookUpEntries(index, index + 1, "what waits for a joint auditor"));
  TRY_OK(transport_->Entries(index, index + 1, lookup, [&](proto::LoggedEntry entry) {
    logged = std::move(entry);
    return false;
  }));
  if (!logged || !logged->head || logged->head->statement != digest) return Refuse(Reason::kNotFound);
  TRY(auto view, transport_->Checkpoint(verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(view));
  auto tiles = [&](log::TileId id, unsigned width) -> std::optional<Bytes> {
    auto tile = transport_->Tile(log::TilePath(id, width));
    return tile ? std::optional(*std::move(tile)) : std::nullopt;
  };
  TRY(auto path, log::ProveInclusion(index, checkpoint.size(), tiles));
  TRY(auto verified, Verify({*std::move(logged), std::move(path)}, checkpoint));
  return &fetched_.insert_or_assign(digest, std::move(verified)).first->second;
}

Result<std::vector<WaitingItem>> SessionCore::Waiting() {
  TRY_OK(Sync());
  TRY(auto answer, transport_->Waiting(verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  TRY_OK(Sync());  // what it speaks of may have come since
  std::vector<WaitingItem> items;
  for (const auto& hint : answer.items) {
    if (std::find(std::begin(kKinds), std::end(kKinds), hint.kind) == std::end(kKinds)) continue;  // of a later version
    auto item = LookUp(hint, checkpoint.size());
    if (!item && EndsAll(item.error().reason)) return item.error();
    if (!item)
      items.push_back(Faulty(hint, item.error()));
    else if (*item)
      items.push_back(**std::move(item));
  }
  return items;
}

Result<WaitingItem> SessionCore::Request(const std::string& id) {
  TRY(const auto* request, ResolveStatement(id, ledger::Kind::kOpen));
  for (const auto& verdict : request->decision.verdicts) {
    if (verdict.reasons != std::vector{Reason::kApprovalMissing}) continue;
    const auto digest = request->statement->digest;
    TRY(auto item, LookUp({"approval", digest, verdict.record, request->head.index, {}}, verifier_.verified_size()));
    if (!item) return Refuse(Reason::kPurged);
    return *std::move(item);
  }
  return Refuse(Reason::kNotFound, "no approval was asked for");
}

// An approval names the one request, which was verified: what is approved is what was shown.
Result<NewsItem> SessionCore::Say(const std::string& id, ledger::ApprovalVerdict verdict, const std::string& why) {
  TRY(const auto* request, ResolveStatement(id, ledger::Kind::kOpen));
  ledger::Approval approval{.by = By(), .request = request->statement->digest, .verdict = verdict, .why = why};
  TRY(auto entry, PostDirect(ledger::Kind::kApproval, proto::EncodeApproval(approval)));
  return News(entry);
}

Result<NewsItem> SessionCore::Review(const std::string& id, bool justified, const std::string& why) {
  auto found = ResolveStatement(id, ledger::Kind::kOpen);
  if (!found && found.error().reason == Reason::kNotFound) {  // a joint auditor's is in no mailbox
    TRY(auto waiting, Waiting());
    found = ResolveStatement(id, ledger::Kind::kOpen);
    for (const auto& item : waiting)
      if (!found && !item.fault && item.kind == "review" && item.id.compare(0, id.size(), id) == 0)
        found = ResolveStatement(item.id, ledger::Kind::kOpen);
  }
  if (!found) return found.error();
  ledger::Review review{.by = By(),
                        .request = (*found)->statement->digest,
                        .finding = justified ? ledger::Finding::kJustified : ledger::Finding::kNotJustified,
                        .why = why};
  TRY(auto entry, PostDirect(ledger::Kind::kReview, proto::EncodeReview(review)));
  return News(entry);
}

Result<NewsItem> SessionCore::RequestAccess(const AccessDraft& draft) {
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(draft.record));
  ledger::AccessRequest request{.by = By(),
                                .record = digest,
                                .portions = draft.portions,
                                .wish = ledger::Wish::kOpen,
                                .agency = profile_.member().agency(),
                                .marking = std::nullopt,
                                .purpose = draft.purpose,
                                .case_reference = draft.case_reference,
                                .why = draft.why};
  std::sort(request.portions.begin(), request.portions.end());
  if (draft.wish == "onward") {
    request.wish = ledger::Wish::kOnward;
  } else if (draft.wish == "mark-less") {
    request.wish = ledger::Wish::kMarkLess;
    TRY(request.marking, MarkingFrom(draft.marking));
  } else if (draft.wish != "open") {
    return Refuse(Reason::kUsage, "a wish is one of: open, onward, mark-less");
  }
  if (!draft.agency.empty()) {
    const auto agency = AgencyId::Parse(draft.agency);
    if (!agency) return Refuse(Reason::kUsage, "an agency is named like mx.fgr");
    request.agency = *agency;
  }
  TRY(auto entry, PostDirect(ledger::Kind::kAccessRequest, proto::EncodeAccessRequest(request)));
  return News(entry);
}

Result<NewsItem> SessionCore::Answer(const std::string& id, const std::string& marking, const std::string& why) {
  TRY(const auto* request, ResolveStatement(id, ledger::Kind::kAccessRequest));
  ledger::Answer answer{.by = By(), .request = request->statement->digest, .marking = std::nullopt, .why = why};
  if (!marking.empty()) {
    TRY(answer.marking, MarkingFrom(marking));
  }
  TRY(auto entry, PostDirect(ledger::Kind::kAnswer, proto::EncodeAnswer(answer)));
  return News(entry);
}

}  // namespace valija::client
