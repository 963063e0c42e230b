#include "client/verifier.h"

#include "core/log/tree.h"

namespace valija::client {
namespace {

Result<log::NoteVerifier> LogKeyOf(const Profile& profile) {
  return log::NoteVerifier::Parse(profile.charter_terms().log_key);
}

}  // namespace

Verifier::Verifier(Profile& profile) : profile_(profile), log_key_(LogKeyOf(profile).value()) {
  // The cached entries were proved when they were fetched; they are folded again by the rules, and a cache that does
  // not fold is thrown away and fetched anew.
  for (auto& entry : profile_.Load("directory.log")) {
    if (!Fold(entry)) {
      state_ = ledger::State();
      next_directory_index_ = 0;
      (void)profile_.Forget("directory.log");
      break;
    }
  }
}

std::uint64_t Verifier::verified_size() const { return profile_.pin() ? profile_.pin()->size() : 0; }

Result<log::SignedCheckpoint> Verifier::Advance(const View& view) {
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
  auto consistent =
      log::VerifyConsistency(pin->size(), pin->root(), shown.size(), shown.root(), view.consistency);
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
  if (!entry.salt || !entry.head || !entry.envelope || entry.decision_bytes.empty())
    return Refuse(Reason::kBadProof, "the broker withheld a part of an entry that it offered");
  TRY_OK(proto::CheckLoggedEntry(entry));
  return log::VerifyInclusion(entry.head->index, checkpoint.size(), ledger::EntryLeaf(entry.commitment), proved.path,
                              checkpoint.root());
}

Result<ledger::VerifiedStatement> Verifier::VerifyAuthor(const proto::LoggedEntry& entry) const {
  TRY(auto statement, proto::MakeStatement(*entry.envelope, entry.attachments));
  if (statement.kind == ledger::Kind::kCharter) return ledger::VerifyCharter(std::move(statement));
  auto by = ledger::AuthorshipOf(statement);
  if (by->origin != profile_.charter_terms().origin) return Refuse(Reason::kForeignOrigin, by->origin);
  const auto* author = state_.member(by->author);
  if (author == nullptr)
    return Refuse(Reason::kBadSignature, by->author.str() + " is not in the directory that this profile has verified");
  return ledger::VerifyStatement(std::move(statement), author->signing_key);
}

Result<VerifiedEntry> Verifier::VerifyEntry(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) const {
  TRY_OK(CheckEntry(proved, checkpoint));
  TRY(auto decision, proto::DecodeDecision(proved.entry.decision_bytes));
  TRY(auto statement, VerifyAuthor(proved.entry));
  if (decision.statement != statement->digest)
    return Refuse(Reason::kBadProof, "the decision is about another statement");
  return VerifiedEntry{*proved.entry.head, std::move(statement), std::move(decision)};
}

Status Verifier::Fold(const proto::LoggedEntry& entry) {
  const std::uint64_t index = entry.head->index;
  if (index < next_directory_index_) return Refuse(Reason::kBadProof, "directory entries are out of order");
  TRY(auto statement, VerifyAuthor(entry));
  TRY(auto decision, proto::DecodeDecision(entry.decision_bytes));
  if ((index == 0) != (statement->kind == ledger::Kind::kCharter))
    return Refuse(Reason::kBadProof, "the charter is entry 0, and only there");
  if (index == 0 && statement->digest != profile_.charter()->digest)
    return Refuse(Reason::kFork, "the log's charter is not the one that this profile joined");
  // The rules themselves: a member that the broker invented, or that no administrator of its agency enrolled, does not
  // get past them.
  TRY(auto ours, ledger::Decide(state_, statement, entry.head->time, decision.authority, decision.nonce));
  if (ours != decision)
    return Refuse(Reason::kBadProof, "directory entry " + std::to_string(index) + " was decided against the rules");
  ledger::Apply(state_, ledger::Entry{*entry.head, *entry.salt, std::move(statement), std::move(decision),
                                      entry.decision_bytes});
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
  for (;;) {
    TRY(auto answer, transport.Directory(next_directory_index_, verified_size()));
    TRY(auto checkpoint, Advance(answer.view));
    TRY_OK(FoldDirectory(answer.entries, checkpoint));
    if (!answer.more) break;
    if (answer.entries.empty()) return Refuse(Reason::kBadProof, "the broker promises more and sends nothing");
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
  auto leaf = ledger::EntryLeaf(ledger::CommitEntry(receipt.salt, receipt.head));
  TRY_OK(log::VerifyInclusion(receipt.head.index, checkpoint.size(), leaf, receipt.path, checkpoint.root()));
  return decision;
}

}  // namespace valija::client
