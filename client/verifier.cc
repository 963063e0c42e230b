#include "client/verifier.h"

#include <algorithm>

#include "core/ledger/judged.h"
#include "core/log/tree.h"

namespace valija::client {
namespace {

bool Whole(const proto::LoggedEntry& entry) {
  return entry.salt && entry.head && entry.envelope && !entry.decision_bytes.empty();
}

}  // namespace

Verifier::Verifier(Profile& profile)
    : profile_(profile), now_([] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }) {
  // The cached entries were proved when they were fetched; they are folded again by the rules, and a cache that does
  // not fold is thrown away and fetched anew.
  for (auto& entry : profile_.Load("directory.log")) {
    if (!Whole(entry) || !proto::CheckLoggedEntry(entry) || !Fold(entry)) {
      Forget();
      (void)profile_.Forget("directory.log");
      break;
    }
  }
}

void Verifier::Forget() {
  state_ = ledger::State();
  charters_.clear();
  periods_.clear();
  next_directory_index_ = 0;
}

const ledger::Charter& Verifier::CharterAt(std::uint64_t index) const {
  const ledger::Charter* then = &profile_.charter_terms();
  for (const auto& [from, charter] : charters_)
    if (from < index) then = &charter;
  return *then;
}

Result<log::SignedCheckpoint> Verifier::VerifyOlder(std::string_view note) const {
  Result<log::SignedCheckpoint> verified = Refuse(Reason::kBadCheckpoint);
  std::vector<std::string> keys{profile_.charter_terms().log_key};
  for (const auto& [from, text] : state_.log_keys()) keys.push_back(text);
  for (auto text = keys.rbegin(); !verified && text != keys.rend(); ++text) {
    TRY(auto key, log::NoteVerifier::Parse(*text));
    verified = log::SignedCheckpoint::Verify(note, profile_.charter_terms().origin, key);
  }
  return verified;
}

const Verifier::Period* Verifier::PeriodAt(const MemberId& member, std::uint64_t index) const {
  const Period* then = nullptr;
  if (auto at = periods_.find(member); at != periods_.end())
    for (const auto& period : at->second)
      if (period.from < index) then = &period;
  return then;
}

bool Verifier::WasAdministrator(const MemberId& member, std::uint64_t index) const {
  const Period* then = PeriodAt(member, index);
  return then != nullptr && then->active && then->administrator;
}

bool Verifier::MightAmend(const MemberId& member, const KeyId& amend_key, std::uint64_t index) const {
  const auto* owner = state_.owner_of_signing_key(amend_key);
  if (owner == nullptr) return false;
  return owner->record.id == member ||
         (owner->record.id.agency() == member.agency() && WasAdministrator(member, index));
}

std::optional<std::uint64_t> Verifier::RekeyedAt(const MemberId& member) const {
  std::optional<std::uint64_t> last;
  const auto at = periods_.find(member);
  for (std::size_t i = 1; at != periods_.end() && i < at->second.size(); ++i)
    if (at->second[i].kem_key != at->second[i - 1].kem_key) last = at->second[i].from;
  return last;
}

std::uint64_t Verifier::verified_size() const { return profile_.pin() ? profile_.pin()->size() : 0; }

Result<log::SignedCheckpoint> Verifier::Advance(const View& view) {
  // Who knows the former key alone follows it to the amendment, and from then on demands the key that it names.
  const auto& keys = state_.log_keys();
  return AdvanceBy(view, keys.empty() ? profile_.charter_terms().log_key : keys.back().second);
}

Result<log::SignedCheckpoint> Verifier::AdvanceByKeyAhead(Transport& transport, const EntriesAnswer& page) {
  Verifier ahead(profile_);
  std::size_t known = ahead.state_.log_keys().size();
  std::uint64_t from = next_directory_index_;
  for (auto next = page;;) {
    for (const auto& proved : next.entries) {
      if (!Whole(proved.entry)) return Refuse(Reason::kBadProof, "the broker withheld a part of an entry");
      TRY_OK(proto::CheckLoggedEntry(proved.entry));
      TRY_OK(ahead.Fold(proved.entry));
    }
    const auto& keys = ahead.state_.log_keys();
    for (; known < keys.size(); ++known)
      if (auto advanced = AdvanceBy(page.view, keys[known].second);
          advanced || advanced.error().reason != Reason::kBadCheckpoint)
        return advanced;
    if (!next.more) return Refuse(Reason::kBadCheckpoint, "it is not signed with a key that the log's charter names");
    if (next.next_cursor <= from) return Refuse(Reason::kBadProof, "the page's cursor does not move");
    from = next.next_cursor;
    TRY(next, transport.Directory(from, verified_size()));
  }
}

Result<log::SignedCheckpoint> Verifier::AdvanceBy(const View& view, const std::string& log_key_text) {
  if (profile_.forked()) return Refuse(Reason::kFork, "this profile has stopped; the evidence is in its file FORK");
  TRY(auto log_key, log::NoteVerifier::Parse(log_key_text));
  TRY(auto shown, log::SignedCheckpoint::Verify(view.checkpoint, profile_.charter_terms().origin, log_key));
  const auto& pin = profile_.pin();
  if (!pin && shown.size() == 0) return Refuse(Reason::kBadCheckpoint, "an empty log has no charter in it");
  if (pin && shown.checkpoint() != pin->checkpoint()) {
    if (shown.size() < pin->size())
      return Refuse(Reason::kRolledBack, "it shows " + std::to_string(shown.size()) + " entries, and had shown " +
                                             std::to_string(pin->size()) + " before");
    auto consistent = log::VerifyConsistency(pin->size(), pin->root(), shown.size(), shown.root(), view.consistency);
    if (!consistent) {
      return profile_.RecordFork(
          pin->note(), shown.note(), consistent.error().Message(),
          Refuse(Reason::kFork, "size " + std::to_string(pin->size()) + " was seen before, size " +
                                    std::to_string(shown.size()) + " is shown now, and it does not contain it"));
    }
  }
  TRY_OK(TakeWitnessed(view, shown, log_key));
  if (!pin || shown.checkpoint() != pin->checkpoint()) TRY_OK(profile_.SetPin(shown, log_key_text));
  Rely();
  return shown;
}

Result<log::SignedCheckpoint> Verifier::TakeCosigned(const View& view) {
  const auto& pin = profile_.pin();
  if (!pin) return Advance(view);
  if (profile_.forked()) return Refuse(Reason::kFork, "this profile has stopped; the evidence is in its file FORK");
  auto shown = VerifyOlder(view.checkpoint);
  if (!shown || shown->size() > pin->size()) return Advance(view);
  auto contained = log::VerifyConsistency(shown->size(), shown->root(), pin->size(), pin->root(), view.consistency);
  if (contained) return shown;
  return profile_.RecordFork(
      pin->note(), shown->note(), contained.error().Message(),
      Refuse(Reason::kFork, "the log that was seen before does not contain what its witnesses cosigned"));
}

Status Verifier::CheckEntry(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) const {
  const auto& entry = proved.entry;
  if (!Whole(entry)) return Refuse(Reason::kBadProof, "the broker withheld a part of an entry that it offered");
  TRY_OK(proto::CheckLoggedEntry(entry));
  return log::VerifyInclusion(entry.head->index, checkpoint.size(), ledger::EntryLeaf(entry.commitment), proved.path,
                              checkpoint.root());
}

Result<ledger::VerifiedStatement> Verifier::VerifyAuthor(const proto::LoggedEntry& entry) const {
  if (entry.erased_by) return Refuse(Reason::kPurged, "entry " + std::to_string(entry.head->index));
  TRY(auto statement, proto::MakeStatement(*entry.envelope, entry.attachments));
  if (statement.kind == ledger::Kind::kCharter) return ledger::VerifyCharter(std::move(statement));
  if (const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload)) {
    const auto signer =
        ledger::CharterSigner(state_, *amendment);  // keeps a reference: used before the statement moves
    ledger::Statement copy = statement;
    return ledger::VerifyCharterAmendment(std::move(copy), signer);
  }
  if (statement.kind == ledger::Kind::kStandingOpening) return ledger::VerifyStandingOpening(std::move(statement));
  auto by = ledger::AuthorshipOf(statement);
  if (by->origin != profile_.charter_terms().origin) return Refuse(Reason::kForeignOrigin, by->origin);
  const Period* then = PeriodAt(by->author, entry.head->index);
  if (then == nullptr || !then->active)
    return Refuse(Reason::kBadSignature,
                  by->author.str() + " was no active member by the directory that this profile has verified");
  return ledger::VerifyStatement(std::move(statement), then->signing_key);
}

Status Verifier::CheckDecision(const ledger::Statement& statement, const ledger::Decision& decision,
                               std::uint64_t index) const {
  return ledger::CheckJudged(statement, decision, CharterAt(index), index);
}

Result<VerifiedEntry> Verifier::VerifyEntry(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) const {
  TRY_OK(CheckEntry(proved, checkpoint));
  if (proved.entry.erased_by) return Refuse(Reason::kPurged, "entry " + std::to_string(proved.entry.head->index));
  return VerifyKept(proved.entry);
}

Result<VerifiedEntry> Verifier::VerifyErased(const ProvedEntry& proved, const log::SignedCheckpoint& checkpoint) const {
  TRY_OK(CheckEntry(proved, checkpoint));
  const auto& entry = proved.entry;
  if (!entry.erased_by) return Refuse(Reason::kBadProof, "it is not erased");
  if (*entry.erased_by >= checkpoint.size())
    return Refuse(Reason::kBadProof, "erased by an entry that is not in the log");
  return VerifyKept(entry);
}

Status Verifier::CheckPurgedBy(const proto::LoggedEntry& erased, const VerifiedEntry& of_erased,
                               const VerifiedEntry& purge) const {
  const auto* payload = std::get_if<ledger::Purge>(&purge.statement->payload);
  if (payload == nullptr) return Refuse(Reason::kBadProof, "erased by an entry that is no purge");
  TRY_OK(proto::CheckErasure(erased, purge.head.index, *payload));
  const auto by = ledger::AuthorshipOf(*of_erased.statement);
  const auto& eraser = payload->by.author;
  const auto kind = of_erased.statement->kind;
  const bool content = kind == ledger::Kind::kRecord || kind == ledger::Kind::kGrant;
  if (!by || by->author.agency() != eraser.agency() ||
      !(WasAdministrator(eraser, purge.head.index) || (content && by->author == eraser)))
    return Refuse(Reason::kBadProof, "erased by " + eraser.str() + ", who may not");
  return Ok();
}

Result<VerifiedEntry> Verifier::VerifyKept(const proto::LoggedEntry& entry) const {
  if (!Whole(entry)) return Refuse(Reason::kBadProof, "a part of the entry is not there");
  TRY_OK(proto::CheckLoggedEntry(entry));
  TRY(auto decision, proto::DecodeDecision(entry.decision_bytes));
  if (entry.erased_by) {
    TRY(auto left, proto::MakeErasedStatement(*entry.envelope, entry.head->statement, entry.attachments));
    if (const auto by = ledger::AuthorshipOf(left)) {
      const Period* then = PeriodAt(by->author, entry.head->index);
      if (then == nullptr || !then->active)
        return Refuse(Reason::kBadSignature,
                      by->author.str() + " was no active member by the directory that this profile has verified");
    }
    TRY_OK(CheckDecision(left, decision, entry.head->index));
    return VerifiedEntry{*entry.head, ledger::TrustLogged(std::move(left)), std::move(decision), entry.erased_by};
  }
  TRY(auto statement, VerifyAuthor(entry));
  TRY_OK(CheckDecision(*statement, decision, entry.head->index));
  return VerifiedEntry{*entry.head, std::move(statement), std::move(decision)};
}

void Verifier::Note(const ledger::MemberState& member, std::uint64_t index) {
  periods_[member.record.id].push_back({index, member.record.status == ledger::MemberStatus::kActive,
                                        member.record.administrator, member.record.keys.kem_key, member.signing_key});
}

void Verifier::NoteChanges(std::uint64_t index) {
  for (const auto& [id, member] : state_.members()) {
    const auto& known = periods_[id];
    const bool active = member.record.status == ledger::MemberStatus::kActive;
    if (known.empty() || known.back().active != active || known.back().administrator != member.record.administrator ||
        known.back().kem_key != member.record.keys.kem_key || known.back().signing_key.id() != member.signing_key.id())
      Note(member, index);
  }
}

Status Verifier::Fold(const proto::LoggedEntry& entry) {
  const std::uint64_t index = entry.head->index;
  if (index < next_directory_index_) return Refuse(Reason::kBadProof, "directory entries are out of order");
  TRY(auto statement, VerifyAuthor(entry));
  TRY(auto decision, proto::DecodeDecision(entry.decision_bytes));
  if (!ledger::IsDirectoryKind(statement->kind))
    return Refuse(Reason::kBadProof, "an entry that is none of the directory");
  if ((index == 0) != (statement->kind == ledger::Kind::kCharter))
    return Refuse(Reason::kBadProof, "the charter is entry 0, and only there");
  if (index == 0 && statement->digest != profile_.charter()->digest)
    return Refuse(Reason::kFork, "the log's charter is not the one that this profile joined");
  TRY_OK(CheckDecision(*statement, decision, index));
  // The rules themselves: a member that the broker invented, or that no administrator of its agency enrolled, does not
  // get past them.
  TRY(auto ours, ledger::Decide(state_, statement, entry.head->time, decision.authority, decision.nonce));
  if (ours != decision)
    return Refuse(Reason::kBadProof, "directory entry " + std::to_string(index) + " was decided against the rules");
  ledger::Apply(state_, ledger::Entry{*entry.head, *entry.salt, statement, std::move(decision), entry.decision_bytes});
  if (const auto* enrolment = std::get_if<ledger::Enrolment>(&statement->payload)) {
    Note(*state_.member(enrolment->member.id), index);
  } else if (statement->kind != ledger::Kind::kEpoch) {
    NoteChanges(index);
    charters_.emplace_back(index, *state_.charter());
  }
  next_directory_index_ = index + 1;
  return Ok();
}

Status Verifier::FoldDirectory(const std::vector<ProvedEntry>& entries, const log::SignedCheckpoint& checkpoint) {
  for (const auto& proved : entries) {
    TRY_OK(CheckEntry(proved, checkpoint));
    TRY_OK(Fold(proved.entry));
    TRY_OK(profile_.AppendTo("directory.log", {proved.entry}));
    if (charters_.size() > 1 && charters_.back().first == proved.entry.head->index)
      TRY_OK(profile_.SetInForce(charters_.back().second));
  }
  return Ok();
}

Status Verifier::Refresh(Transport& transport) {
  for (std::uint64_t from = next_directory_index_;;) {
    if (profile_.forked()) return Refuse(Reason::kFork, "this profile has stopped; the evidence is in its file FORK");
    TRY(auto page, transport.Directory(from, verified_size()));
    auto shown = Advance(page.view);
    if (!shown && shown.error().reason == Reason::kBadCheckpoint) shown = AdvanceByKeyAhead(transport, page);
    TRY(auto checkpoint, shown);
    TRY_OK(CheckPage(page, from, checkpoint.size()));
    TRY_OK(FoldDirectory(page.entries, checkpoint));
    if (!page.more) break;
    from = page.next_cursor;
  }
  if (state_.charter() == nullptr) return Refuse(Reason::kBadProof, "the broker does not show the charter's entry");
  TRY_OK(JudgeCosigned());
  Rely();
  return Ok();
}

Result<ledger::Decision> Verifier::CheckReceipt(const proto::Receipt& receipt, const Digest& statement,
                                                const log::SignedCheckpoint& checkpoint) const {
  TRY(auto decision, proto::DecodeDecision(receipt.decision_bytes));
  if (receipt.head.statement != statement || decision.statement != statement)
    return Refuse(Reason::kBadProof, "the receipt is for another statement");
  if (receipt.head.decision != crypto::DigestOf(ledger::kDecisionType, receipt.decision_bytes))
    return Refuse(Reason::kBadProof, "the receipt's entry is about another decision");
  if (decision.authority != CharterAt(receipt.head.index).authorities.front().id)
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
  if (decision.unwitnessed)
    return Refuse(Reason::kBadProof,
                  "entry " + std::to_string(receipt.head.index) + " goes without the witnesses' quorum");
  return decision;
}

}  // namespace valija::client
