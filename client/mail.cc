#include "client/mail.h"

#include <algorithm>

#include "core/record/slip.h"

namespace valija::client {

bool IsRecord(const VerifiedEntry& entry) {
  return entry.statement->kind == ledger::Kind::kRecord || entry.statement->kind == ledger::Kind::kGrant;
}

const record::Header& HeaderOf(const VerifiedEntry& record) {
  if (const auto* grant = PayloadOf<ledger::Grant>(record)) return grant->header;
  return std::get<ledger::Record>(record.statement->payload).payload.header;
}

Digest OriginalOf(const VerifiedEntry& record) {
  const auto* grant = PayloadOf<ledger::Grant>(record);
  return grant != nullptr ? grant->record : record.statement->digest;
}

bool Mail::Add(VerifiedEntry entry, const MemberId& me) {
  if (!entries_.empty() && entry.head.index <= entries_.back().head.index) return false;
  const std::size_t place = entries_.size();
  if (const auto* revocation = PayloadOf<ledger::Revocation>(entry)) {
    const std::pair fact(revocation->record, revocation->by.author.agency());
    revoked_.emplace(fact, entry.head.index);
    if (revocation->recall) recalled_.insert(fact);
  } else if (const auto* purge = PayloadOf<ledger::Purge>(entry)) {
    for (const auto& erasure : purge->erasures) {
      purged_.emplace(erasure.statement, purge->by.author.agency());
      purges_.emplace(erasure.statement, place);
    }
  } else if (const auto* open = PayloadOf<ledger::Open>(entry)) {
    if (open->by.author == me)
      for (const auto& verdict : entry.decision.verdicts)
        if (verdict.allowed()) opened_.emplace(verdict.record, verdict.portion);
  } else if (const auto* opening = PayloadOf<ledger::StandingOpening>(entry)) {
    if (opening->member == me)
      for (const auto& verdict : entry.decision.verdicts)
        if (verdict.allowed()) opened_.emplace(verdict.record, verdict.portion);
  } else if (const auto* amendment = PayloadOf<ledger::Amendment>(entry)) {
    amendments_[{amendment->record, amendment->portion}].push_back(place);
  } else if (const auto* grant = PayloadOf<ledger::Grant>(entry)) {
    grants_[grant->record].push_back(entry.statement->digest);
  } else if (const auto* record = PayloadOf<ledger::Record>(entry)) {
    if (record->payload.header.in_reply_to) replies_[*record->payload.header.in_reply_to].push_back(place);
  }
  places_.emplace(entry.statement->digest, place);
  entries_.push_back(std::move(entry));
  return true;
}

void Mail::Clear() { *this = Mail(); }

const VerifiedEntry* Mail::Find(const Digest& statement) const {
  const auto at = places_.find(statement);
  return at == places_.end() ? nullptr : &entries_[at->second];
}

const VerifiedEntry* Mail::At(std::uint64_t index) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), index,
                                   [](const auto& entry, std::uint64_t wanted) { return entry.head.index < wanted; });
  return at == entries_.end() || at->head.index != index ? nullptr : &*at;
}

void Mail::Replace(VerifiedEntry erased) {
  if (auto at = places_.find(erased.head.statement); at != places_.end()) entries_[at->second] = std::move(erased);
}

const VerifiedEntry* Mail::PurgeOf(const Digest& statement) const {
  const auto at = purges_.find(statement);
  return at == purges_.end() ? nullptr : &entries_[at->second];
}

std::vector<const VerifiedEntry*> Mail::AnswersTo(const VerifiedEntry& asking) const {
  const AgencyId asker = HeaderOf(asking).originator.agency();
  std::vector<Digest> answered{asking.statement->digest};
  if (const auto grants = grants_.find(answered.front()); grants != grants_.end())
    answered.insert(answered.end(), grants->second.begin(), grants->second.end());
  std::vector<const VerifiedEntry*> out;
  for (const auto& one : answered) {
    const auto at = replies_.find(one);
    if (at == replies_.end()) continue;
    for (const auto place : at->second) {
      const auto& reply = entries_[place];
      const auto& slips = reply.statement->attachments.slips;
      if (HeaderOf(reply).originator.agency() != asker &&
          std::any_of(slips.begin(), slips.end(), [&](const auto& slip) { return slip.agency == asker; }))
        out.push_back(&reply);
    }
  }
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->head.index < b->head.index; });
  return out;
}

Mail::InForce Mail::PolicyOf(const VerifiedEntry& record, std::uint32_t portion, std::uint64_t index,
                             const MightAmend& might) const {
  const auto& head = *record::FindPortion(HeaderOf(record), portion);
  InForce out{head.policy_digest, 0, nullptr};
  const auto at = amendments_.find({record.statement->digest, portion});
  if (at == amendments_.end()) return out;
  for (const auto place : at->second) {
    const auto& entry = entries_[place];
    const auto& amendment = *PayloadOf<ledger::Amendment>(entry);
    if (entry.head.index < index && amendment.previous == out.digest && amendment.sequence == out.sequence + 1 &&
        might(amendment.by.author, head.amend_key_id, entry.head.index))
      out = {amendment.policy_digest, amendment.sequence, &entry};
  }
  return out;
}

}  // namespace valija::client
