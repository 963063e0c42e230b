#include "client/verifier.h"

#include "core/log/tree.h"

namespace valija::client {
namespace {

Result<log::NoteVerifier> LogKeyOf(const Profile& profile) {
  return log::NoteVerifier::Parse(profile.charter_terms().log_key);
}

bool IsDirectory(ledger::Kind kind) {
  return kind == ledger::Kind::kCharter || kind == ledger::Kind::kEnrolment || kind == ledger::Kind::kEpoch;
}

bool Whole(const proto::LoggedEntry& entry) {
  return entry.salt && entry.head && entry.envelope && !entry.decision_bytes.empty();
}

}  // namespace

Verifier::Verifier(Profile& profile) : profile_(profile), log_key_(LogKeyOf(profile).value()) {
  // The cached entries were proved when they were fetched; they are folded again by the rules, and a cache that does
  // not fold is thrown away and fetched anew.
  for (auto& entry : profile_.Load("directory.log")) {
    if (!Whole(entry) || !proto::CheckLoggedEntry(entry) || !Fold(entry)) {
      state_ = ledger::State();
      periods_.clear();
      next_directory_index_ = 0;
      (void)profile_.Forget("directory.log");
      break;
    }
  }
}

std::uint64_t Verifier::verified_size() const { return profile_.pin() ? profile_.pin()->size() : 0; }

Result<log::SignedCheckpoint> Verifier::Advance(const View& view) {
  if (profile_.forked()) return Refuse(Reason::kFork, "this profile has stopped; the evidence is in its file FORK");
  TRY(auto shown, log::SignedCheckpoint::Verify(view.checkpoint, profile_.charter_terms().origin, log_key_));
  const auto& pin = profile_.pin();
  if (!pin) {
    if (shown.size() == 0) return Refuse(Reason::kBadCheckpoint, "an empty log has no charter in it");
    TRY_OK(profile_.SetPin(shown));
    return shown;
  }
  if (shown.checkpoint() == pin->checkpoint()) return shown;
  if (shown.size() < pin->size())
    return Refuse(Reason::kRolledBack, "it shows " + std::to_string(shown.size()) + " entries, and had shown " +
                                           std::to_string(pin->size()) + " before");
  auto consistent = log::VerifyConsistency(pin->size(), pin->root(), shown.size(), shown.root(), view.consistency);
  if (!consistent) {
    profile_.RecordFork(pin->note(), shown.note(), consistent.error().Message());
    return Refuse(Reason::kFork, "size " + std::to_string(pin->size()) + " was seen before, size " +
                                     std::to_string(shown.size()) + " is shown now, and it does not contain it");
  }
  TRY_OK(profile_.SetPin(shown));
  return shown;
}

Status Verifier::CheckEntry(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) const {
  const auto& entry = proved.entry;
  if (!Whole(entry)) return Refuse(Reason::kBadProof, "the broker withheld a part of an entry that it offered");
  TRY_OK(proto::CheckLoggedEntry(entry));
  return log::VerifyInclusion(entry.head->index, checkpoint.size(), ledger::EntryLeaf(entry.commitment), proved.path,
                              checkpoint.root());
}

Result<ledger::VerifiedStatement> Verifier::VerifyAuthor(const proto::LoggedEntry& entry) const {
  TRY(auto statement, proto::MakeStatement(*entry.envelope, entry.attachments));
  if (statement.kind == ledger::Kind::kCharter) return ledger::VerifyCharter(std::move(statement));
  auto by = ledger::AuthorshipOf(statement);
  if (by->origin != profile_.charter_terms().origin) return Refuse(Reason::kForeignOrigin, by->origin);
  const Period* then = nullptr;
  if (auto at = periods_.find(by->author); at != periods_.end())
    for (const auto& period : at->second)
      if (period.from < entry.head->index) then = &period;
  if (then == nullptr || !then->active)
    return Refuse(Reason::kBadSignature,
                  by->author.str() + " was no active member by the directory that this profile has verified");
  return ledger::VerifyStatement(std::move(statement), then->signing_key);
}

Status Verifier::CheckDecision(const ledger::Statement& statement, const ledger::Decision& decision) const {
  if (decision.statement != statement.digest)
    return Refuse(Reason::kBadProof, "the decision is about another statement");
  if (decision.authority != profile_.charter_terms().authorities.front().id)
    return Refuse(Reason::kBadProof, "decided by " + decision.authority.str());
  const auto* open = std::get_if<ledger::Open>(&statement.payload);
  if (open == nullptr) {
    if (decision.verdicts.size() != 1 || !decision.verdicts.front().allowed())
      return Refuse(Reason::kBadProof, "a statement that was refused is no entry");
    return Ok();
  }
  bool fits = decision.verdicts.size() == open->items.size();
  for (std::size_t i = 0; fits && i < open->items.size(); ++i)
    fits =
        decision.verdicts[i].record == open->items[i].record && decision.verdicts[i].portion == open->items[i].portion;
  if (!fits) return Refuse(Reason::kBadProof, "the decision judges other portions than were asked for");
  return Ok();
}

Result<VerifiedEntry> Verifier::VerifyEntry(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) const {
  TRY_OK(CheckEntry(proved, checkpoint));
  return VerifyKept(proved.entry);
}

Result<VerifiedEntry> Verifier::VerifyKept(const proto::LoggedEntry& entry) const {
  if (!Whole(entry)) return Refuse(Reason::kBadProof, "a part of the entry is not there");
  TRY_OK(proto::CheckLoggedEntry(entry));
  TRY(auto decision, proto::DecodeDecision(entry.decision_bytes));
  TRY(auto statement, VerifyAuthor(entry));
  TRY_OK(CheckDecision(*statement, decision));
  return VerifiedEntry{*entry.head, std::move(statement), std::move(decision)};
}

void Verifier::Note(const ledger::MemberRecord& member, std::uint64_t index) {
  const auto* present = state_.member(member.id);
  periods_[member.id].push_back({index, member.status == ledger::MemberStatus::kActive, present->signing_key});
}

Status Verifier::Fold(const proto::LoggedEntry& entry) {
  const std::uint64_t index = entry.head->index;
  if (index < next_directory_index_) return Refuse(Reason::kBadProof, "directory entries are out of order");
  TRY(auto statement, VerifyAuthor(entry));
  TRY(auto decision, proto::DecodeDecision(entry.decision_bytes));
  if (!IsDirectory(statement->kind)) return Refuse(Reason::kBadProof, "an entry that is none of the directory");
  if ((index == 0) != (statement->kind == ledger::Kind::kCharter))
    return Refuse(Reason::kBadProof, "the charter is entry 0, and only there");
  if (index == 0 && statement->digest != profile_.charter()->digest)
    return Refuse(Reason::kFork, "the log's charter is not the one that this profile joined");
  TRY_OK(CheckDecision(*statement, decision));
  // The rules themselves: a member that the broker invented, or that no administrator of its agency enrolled, does not
  // get past them.
  TRY(auto ours, ledger::Decide(state_, statement, entry.head->time, decision.authority, decision.nonce));
  if (ours != decision)
    return Refuse(Reason::kBadProof, "directory entry " + std::to_string(index) + " was decided against the rules");
  ledger::Apply(state_, ledger::Entry{*entry.head, *entry.salt, statement, std::move(decision), entry.decision_bytes});
  if (const auto* charter = std::get_if<ledger::Charter>(&statement->payload)) {
    for (const auto& agency : charter->agencies)
      for (const auto& administrator : agency.administrators) Note(administrator, index);
  } else if (const auto* enrolment = std::get_if<ledger::Enrolment>(&statement->payload)) {
    Note(enrolment->member, index);
  }
  next_directory_index_ = index + 1;
  return Ok();
}

Status Verifier::FoldDirectory(const std::vector<ProvedEntry>& entries, const log::SignedCheckpoint& checkpoint) {
  for (const auto& proved : entries) {
    TRY_OK(CheckEntry(proved, checkpoint));
    TRY_OK(Fold(proved.entry));
    TRY_OK(profile_.AppendTo("directory.log", {proved.entry}));
  }
  return Ok();
}

Status Verifier::Refresh(Transport& transport) {
  for (std::uint64_t from = next_directory_index_;;) {
    if (profile_.forked()) return Refuse(Reason::kFork, "this profile has stopped; the evidence is in its file FORK");
    TRY(auto page, transport.Directory(from, verified_size()));
    TRY(auto checkpoint, Advance(page.view));
    TRY_OK(CheckPage(page, from, checkpoint.size()));
    TRY_OK(FoldDirectory(page.entries, checkpoint));
    if (!page.more) break;
    from = page.next_cursor;
  }
  if (state_.charter() == nullptr) return Refuse(Reason::kBadProof, "the broker does not show the charter's entry");
  return Ok();
}

Result<ledger::Decision> Verifier::CheckReceipt(const proto::Receipt& receipt, const Digest& statement,
                                                const log::SignedCheckpoint& checkpoint) const {
  TRY(auto decision, proto::DecodeDecision(receipt.decision_bytes));
  if (receipt.head.statement != statement || decision.statement != statement)
    return Refuse(Reason::kBadProof, "the receipt is for another statement");
  if (receipt.head.decision != crypto::DigestOf(ledger::kDecisionType, receipt.decision_bytes))
    return Refuse(Reason::kBadProof, "the receipt's entry is about another decision");
  if (decision.authority != profile_.charter_terms().authorities.front().id)
    return Refuse(Reason::kBadProof, "decided by " + decision.authority.str());
  auto leaf = ledger::EntryLeaf(ledger::CommitEntry(receipt.salt, receipt.head));
  TRY_OK(log::VerifyInclusion(receipt.head.index, checkpoint.size(), leaf, receipt.path, checkpoint.root()));
  return decision;
}

Result<ledger::Decision> Verifier::CheckAccepted(const proto::Receipt& receipt, const Digest& statement,
                                                 const log::SignedCheckpoint& checkpoint) const {
  TRY(auto decision, CheckReceipt(receipt, statement, checkpoint));
  if (decision.verdicts.size() != 1 || !decision.verdicts.front().allowed())
    return Refuse(Reason::kBadProof, "a receipt for a statement that was refused");
  return decision;
}

}  // namespace valija::client
