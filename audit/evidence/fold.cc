#include "audit/evidence/fold.h"

#include <algorithm>

#include "core/ledger/judged.h"
#include "proto/convert.h"

namespace valija::evidence {
namespace {

Error Bad(std::string what) { return Refuse(Reason::kBadProof, std::move(what)); }

const record::Header* HeaderOf(const ledger::Statement& statement) {
  if (const auto* grant = std::get_if<ledger::Grant>(&statement.payload)) return &grant->header;
  const auto* record = std::get_if<ledger::Record>(&statement.payload);
  return record != nullptr ? &record->payload.header : nullptr;
}

}  // namespace

Result<ledger::Statement> Fold::Verify(const proto::LoggedEntry& entry) {
  TRY(auto statement, proto::MakeStatement(*entry.envelope, entry.attachments));
  if (statement.kind == ledger::Kind::kCharter) {
    TRY_OK(ledger::VerifyCharter(ledger::Statement(statement)));
    signatures_ += statement.envelope.signatures.size();
    return statement;
  }
  if (directory_.charter() == nullptr) return Bad("the charter is not before it");
  if (const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload)) {
    TRY_OK(ledger::VerifyCharterAmendment(ledger::Statement(statement), ledger::CharterSigner(directory_, *amendment)));
    signatures_ += statement.envelope.signatures.size();
    return statement;
  }
  if (statement.kind == ledger::Kind::kStandingOpening) {
    TRY_OK(ledger::VerifyStandingOpening(ledger::Statement(statement)));
    return statement;
  }
  const auto by = ledger::AuthorshipOf(statement);
  if (by->origin != origin_) return Refuse(Reason::kForeignOrigin, by->origin);
  const auto* author = directory_.active_member(by->author);
  if (author == nullptr)
    return Refuse(Reason::kBadSignature, by->author.str() + " is no member by the entries before it");
  TRY_OK(ledger::VerifyStatement(ledger::Statement(statement), author->signing_key));
  ++signatures_;
  return statement;
}

// Nobody's signature holds over what stays: the purge stands for it.
Result<ledger::Statement> Fold::VerifyErased(const proto::LoggedEntry& entry) {
  TRY(auto left, proto::MakeErasedStatement(*entry.envelope, entry.head->statement, entry.attachments));
  const auto by = ledger::AuthorshipOf(left);
  if (!by || directory_.active_member(by->author) == nullptr)
    return Refuse(Reason::kBadSignature, "its author is no member by the entries before it");
  erased_[*entry.erased_by].push_back({entry, left.kind, by->author});
  return left;
}

Status Fold::Take(const proto::LoggedEntry& entry) {
  Line line{.head = *entry.head, .erased_by = entry.erased_by};
  if (!entry.decision_bytes.empty()) {
    TRY(line.decision, proto::DecodeDecision(entry.decision_bytes));
  }
  if (entry.envelope) {
    TRY(line.statement, entry.erased_by ? VerifyErased(entry) : Verify(entry));
    line.directory = ledger::IsDirectoryKind(line.statement->kind);
  }
  if ((line.head.index == 0) != (line.statement && line.statement->kind == ledger::Kind::kCharter))
    return Bad("the charter is entry 0, and only there");
  if (!lines_.empty() && line.head.time < lines_.back().head.time)
    return Bad("the entry is older than the one before it");
  if (line.directory) {
    TRY_OK(TakeDirectory(entry, *line.statement, line.decision));
  } else {
    if (directory_.charter() == nullptr) return Bad("the charter is not before it");
    const auto& charter = *directory_.charter();
    if (line.decision && line.statement) {
      TRY_OK(ledger::CheckJudged(*line.statement, *line.decision, charter, line.head.index));
    } else if (line.decision) {
      if (line.decision->authority != charter.authorities.front().id)
        return Bad("decided by " + line.decision->authority.str());
      if (line.decision->unwitnessed && charter.degraded_after_seconds == 0)
        return Bad("it goes without the witnesses' quorum, which the charter does not allow");
    }
    TRY(line.about, About(line));
    TRY_OK(TakePolicies(line));
    if (line.statement)
      if (const auto* purge = std::get_if<ledger::Purge>(&line.statement->payload))
        TRY_OK(TakePurge(line.head, *purge));
  }
  if (line.statement) shown_.emplace(line.head.statement, Shown{line.statement->kind, !entry.erased_by});
  lines_.push_back(std::move(line));
  return Ok();
}

// By the rules themselves. A bundle has not the whole directory: no epochs, whose wraps are left out here therefore, and not
// every administrator, so that one who ends itself may look like the last.
Status Fold::TakeDirectory(const proto::LoggedEntry& entry, const ledger::Statement& statement,
                           const std::optional<ledger::Decision>& decision) {
  if (!decision) return Bad("the decision is not shown");
  if (statement.kind == ledger::Kind::kEpoch) return Bad("it is no part of a bundle");
  auto bare = statement;
  if (auto* enrolment = std::get_if<ledger::Enrolment>(&bare.payload)) enrolment->wraps.clear();
  const auto verified = ledger::TrustLogged(std::move(bare));  // Verify has seen its signature
  const auto ours = ledger::Decide(directory_, verified, entry.head->time, decision->authority, decision->nonce);
  if (!ours && ours.error().reason != Reason::kLastAdministrator) return ours.error();
  if (ours && *ours != *decision) return Bad("it was decided against the rules");
  ledger::Apply(directory_, ledger::Entry{*entry.head, *entry.salt, verified, *decision, entry.decision_bytes});
  TRY_OK(ledger::CheckJudged(statement, *decision, *directory_.charter(), entry.head->index));
  if (statement.kind != ledger::Kind::kEnrolment) charters_.emplace_back(entry.head->index, *directory_.charter());
  return Ok();
}

Result<bool> Fold::About(Line& line) {
  const auto& digest = line.head.statement;
  if (line.statement) {
    TRY(const bool about, AboutStatement(line));
    if (about) acts_.insert(digest);
    return about;
  }
  hidden_.insert(digest);
  if (digest == record_) return true;
  if (!line.decision) return false;
  bool about = false;
  for (const auto& verdict : line.decision->verdicts) about = about || family_.contains(verdict.record);
  return about;
}

Status Fold::Names(std::uint64_t entry, const Digest& statement, ledger::Kind kind) {
  const auto at = shown_.find(statement);
  if (at != shown_.end() && at->second.kind != kind)
    return Bad("it is under a statement of another kind: " + statement.Hex());
  if (at == shown_.end() && !hidden_.contains(statement)) gaps_.push_back({entry, statement, 0});
  return Ok();
}

Result<bool> Fold::AboutStatement(Line& line) {
  const auto& head = line.head;
  const auto& statement = *line.statement;
  const auto& payload = statement.payload;
  const auto other = [] { return Bad("it is about another record"); };
  const auto in_family = [&](const Digest& named) -> Result<bool> {
    if (family_.contains(named)) return true;
    if (hidden_.contains(named)) return false;
    return other();
  };
  const auto of_act = [&](const Digest& request, ledger::Kind kind) -> Result<bool> {
    if (!shown_.contains(request) && !hidden_.contains(request)) return other();
    TRY_OK(Names(head.index, request, kind));
    return acts_.contains(request);
  };
  if (const auto* header = HeaderOf(statement)) {
    const auto* grant = std::get_if<ledger::Grant>(&payload);
    const Digest first = grant != nullptr ? grant->record : statement.digest;
    if (!family_.contains(statement.digest) && !family_.contains(first)) return other();
    family_.insert(statement.digest);
    if (statement.digest == record_) family_.insert(first);
    if (grant != nullptr && grant->request) TRY_OK(Names(head.index, *grant->request, ledger::Kind::kAccessRequest));
    for (const auto& portion : header->portions)
      policies_[{statement.digest, portion.number, 0}] = portion.policy_digest;
    return true;
  }
  if (const auto* open = std::get_if<ledger::Open>(&payload)) {
    if (open->approved_request) TRY_OK(Names(head.index, *open->approved_request, ledger::Kind::kOpen));
    bool hidden = false;
    for (const auto& item : open->items) {
      if (family_.contains(item.record)) return true;
      hidden = hidden || hidden_.contains(item.record);
    }
    if (!hidden) return other();
    return false;
  }
  if (const auto* opening = std::get_if<ledger::StandingOpening>(&payload)) {
    // Nobody signs it: what stands behind it is the order, if that is shown.
    if (directory_.active_member(opening->member) == nullptr)
      return Bad(opening->member.str() + " is no member by the entries before it");
    TRY_OK(Names(head.index, opening->order, ledger::Kind::kStandingOrder));
    const auto order = orders_.find(opening->order);
    line.by_log_alone = order == orders_.end();
    if (!line.by_log_alone) {
      orders_used_.insert(opening->order);
      if (order->second.second.by.author != opening->member) return Bad("an opening under an order of somebody else's");
      if (head.time >= order->second.second.expires) return Bad("an opening under an order whose time was over");
    }
    return in_family(opening->record);
  }
  if (const auto* order = std::get_if<ledger::StandingOrder>(&payload)) {
    orders_.emplace(statement.digest, std::pair(head.index, *order));
    return true;  // if an opening is under it: End
  }
  if (const auto* approval = std::get_if<ledger::Approval>(&payload))
    return of_act(approval->request, ledger::Kind::kOpen);
  if (const auto* review = std::get_if<ledger::Review>(&payload)) return of_act(review->request, ledger::Kind::kOpen);
  if (const auto* answer = std::get_if<ledger::Answer>(&payload))
    return of_act(answer->request, ledger::Kind::kAccessRequest);
  if (const auto* purge = std::get_if<ledger::Purge>(&payload)) {
    bool about = false, hidden = false;
    for (const auto& erasure : purge->erasures) {
      if (const auto at = shown_.find(erasure.statement); at != shown_.end() && at->second.whole)
        return Bad("it erased what is shown whole: " + erasure.statement.Hex());
      about = about || family_.contains(erasure.statement) || acts_.contains(erasure.statement);
      hidden = hidden || hidden_.contains(erasure.statement) || shown_.contains(erasure.statement);
    }
    if (!about && !hidden) return other();
    return about;
  }
  if (const auto* acknowledgement = std::get_if<ledger::Acknowledgement>(&payload))
    return in_family(acknowledgement->record);
  if (const auto* revocation = std::get_if<ledger::Revocation>(&payload)) {
    // Of a grant that is not shown: its original may have been revoked, and nothing here names that.
    if (hidden_.contains(record_) && !family_.contains(revocation->record)) return false;
    return in_family(revocation->record);
  }
  if (const auto* amendment = std::get_if<ledger::Amendment>(&payload)) return in_family(amendment->record);
  if (const auto* request = std::get_if<ledger::AccessRequest>(&payload)) return in_family(request->record);
  return other();
}

// The policy that a decision names is the header's, or that of an amendment, each of which names the one before.
Status Fold::TakePolicies(const Line& line) {
  const auto known = [&](const Digest& record, std::uint32_t portion, std::uint64_t sequence) -> const Hash* {
    const auto at = policies_.find({record, portion, sequence});
    return at == policies_.end() ? nullptr : &at->second;
  };
  if (line.statement) {
    if (const auto* amendment = std::get_if<ledger::Amendment>(&line.statement->payload)) {
      const auto* before =
          amendment->sequence == 0 ? nullptr : known(amendment->record, amendment->portion, amendment->sequence - 1);
      if (before != nullptr && *before != amendment->previous)
        return Bad("it replaces another policy than the one before it");
      if (known(amendment->record, amendment->portion, amendment->sequence) != nullptr)
        return Bad("the same amendment twice");
      policies_[{amendment->record, amendment->portion, amendment->sequence}] = amendment->policy_digest;
    }
  }
  if (!line.decision) return Ok();
  for (const auto& verdict : line.decision->verdicts) {
    if (verdict.policy_digest.IsZero() || !family_.contains(verdict.record)) continue;
    const auto* policy = known(verdict.record, verdict.portion, verdict.policy_sequence);
    if (policy != nullptr && *policy != verdict.policy_digest)
      return Bad("it was decided by another policy than the one in force");
    if (policy == nullptr && verdict.policy_sequence != 0)
      gaps_.push_back({line.head.index, {}, verdict.policy_sequence});
  }
  return Ok();
}

Status Fold::TakePurge(const ledger::EntryHead& head, const ledger::Purge& purge) {
  const auto at = erased_.find(head.index);
  if (at == erased_.end()) return Ok();
  const auto* eraser = directory_.active_member(purge.by.author);
  for (const auto& [entry, kind, author] : at->second) {
    TRY_OK(proto::CheckErasure(entry, head.index, purge));
    const bool content = kind == ledger::Kind::kRecord || kind == ledger::Kind::kGrant;
    const bool may = eraser != nullptr && author.agency() == purge.by.author.agency() &&
                     (eraser->record.administrator || (content && author == purge.by.author));
    if (!may) return Bad("erased by " + purge.by.author.str() + ", who may not");
  }
  erased_.erase(at);
  return Ok();
}

Status Fold::End() {
  if (directory_.charter() == nullptr) return Bad("the charter is not there");
  if (!acts_.contains(record_) && !hidden_.contains(record_)) return Bad("the record's own entry is not there");
  if (!erased_.empty())
    return Bad("entry " + std::to_string(erased_.begin()->first) + ", which erased another, is not there");
  for (const auto& [digest, order] : orders_)
    if (!orders_used_.contains(digest))
      return Bad("entry " + std::to_string(order.first) + " is an order that opened nothing here");
  return Ok();
}

}  // namespace valija::evidence
