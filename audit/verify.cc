#include "audit/verify.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "audit/export_reader.h"
#include "audit/last_run.h"
#include "audit/scratch_rows.h"
#include "audit/shown_roots.h"
#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/io/file.h"
#include "core/ledger/state.h"
#include "core/log/tile.h"
#include "core/log/tree.h"
#include "proto/export.h"

namespace valija::audit {
namespace {

constexpr std::size_t kMostFindings = 100;
constexpr std::size_t kMostNote = std::size_t{1} << 20;
constexpr int kTries = 5;  // while somebody exports
constexpr std::chrono::milliseconds kBetweenTries{200};

// An entry whose author and decision are shown, without policies or slips that are not for who exported: it cannot be derived
// again.
bool LacksParts(const ledger::Statement& statement) {
  const auto lacks = [&](const record::Header& header, std::size_t policies) {
    std::size_t slips = 0;
    for (const auto& portion : header.portions) slips += portion.recipients.size();
    return policies < header.portions.size() || statement.attachments.slips.size() < slips;
  };
  if (const auto* record = std::get_if<ledger::Record>(&statement.payload))
    return lacks(record->payload.header, record->policies.size());
  if (const auto* grant = std::get_if<ledger::Grant>(&statement.payload))
    return lacks(grant->header, grant->policies.size());
  const auto* amendment = std::get_if<ledger::Amendment>(&statement.payload);
  return amendment != nullptr && !amendment->policy;
}

}  // namespace

// The walk over the export, as far as it has come.
class Verifier::Run {
 public:
  explicit Run(Options options) : options_(std::move(options)) {}

  Result<Report> Pass();
  bool spoilt() const { return spoilt_; }  // what it found may be of files of two moments
  const ledger::State& state() const { return state_; }

 private:
  void Find(std::optional<std::uint64_t> entry, std::string code, std::string what) {
    if (report_.findings.size() < kMostFindings) report_.findings.push_back({entry, std::move(code), std::move(what)});
  }
  Status Start();
  Status Begin(const std::optional<LastRun>& last);
  Status Walk();
  bool Moved() const;
  std::string Rewritten() const;
  void CheckWitnessed();
  Result<log::SignedCheckpoint> CheckNote(const std::string& note, std::uint64_t size) const;
  void TakeFile(std::uint64_t n);
  void TakeEntry(std::uint64_t index, const proto::LoggedEntry& entry);
  void TakeBehind(std::uint64_t index, const proto::LoggedEntry& entry);
  Result<ledger::VerifiedStatement> VerifySignatures(ledger::Statement statement, const ledger::MemberState* member);
  bool DerivedAgain(std::uint64_t index, const proto::LoggedEntry& entry, const ledger::VerifiedStatement& statement,
                    const ledger::Decision& decision);
  void Take(const proto::LoggedEntry& entry, ledger::VerifiedStatement statement, ledger::Decision decision);
  void TakeErased(std::uint64_t index, const proto::LoggedEntry& entry, ledger::Statement statement,
                  ledger::Decision decision);
  void MatchErasures(std::uint64_t index, const ledger::Purge& purge);
  void CheckNotes();
  void NoteForFigures(const ledger::Statement& statement);
  void CountFigures();
  Status Keep();
  void CheckSeenBefore();
  void CheckSeenBy(std::uint64_t index, const ledger::Statement& statement);
  void CheckShown();
  Result<Hash> RootThen(std::uint64_t size);
  // Nothing but withheld entries stands against deriving what follows.
  bool DirectoryKnown() const { return options_.allow_withheld && report_.findings.empty(); }
  void CheckTiles();
  void CheckTile(log::TileId id, const Bytes& content);

  bool Judged(std::uint64_t index) const {
    return !options_.span || (index >= options_.span->from && index < options_.span->until);
  }

  const Options options_;
  ExportReader reader_;  // of this pass
  Digest charter_;
  Report report_;
  std::string note_before_;                // of the last run
  std::optional<log::Checkpoint> before_;  // what it says; its signature is checked when the keys are known
  struct Erased {
    std::uint64_t index = 0, by = 0;  // of the entry, and of its purge
    Hash redacted;
  };
  std::map<Digest, Erased> erased_;  // statements, until their purge was seen
  log::Tree tree_;
  ShownRoots roots_;
  std::vector<std::pair<std::string, Result<std::string>>>
      shown_;  // the files of Options::shown; those too large to be a note
  std::map<unsigned, std::pair<log::TileId, Bytes>> partial_;  // by level
  std::unique_ptr<ScratchRows> rows_;                          // nullptr: everything stands in memory
  ledger::State state_;
  std::optional<record::VerifiedBatch> batch_;
  Time last_time_{};
  // What the figures are of: records that asked, emergencies, recalled records, access requests. The state lists those that
  // still wait.
  std::vector<Digest> asked_, emergencies_, access_requests_;
  std::set<Digest> recalled_;
  bool replaying_ = true;  // until the state is no longer known
  bool tree_whole_ = true;
  std::optional<Error> could_not_;  // go on: the disk
  bool started_ = false, moved_ = false, spoilt_ = false, shown_judged_ = false;
  WitnessTerms terms_;
};

// Entry 0 is the charter, and the charter has the log's key: from its digest everything else follows.
Status Verifier::Run::Begin(const std::optional<LastRun>& last) {
  auto first = reader_.EntriesFile(0);
  if (!first && first.error().reason == Reason::kFile) return first.error();  // nobody lets us read it
  auto shown = [&]() -> Result<ledger::Statement> {
    TRY_OK(first);
    TRY(auto entry, proto::DecodeLoggedEntry(first->front()));
    if (!entry.envelope) return Refuse(Reason::kCorrupt, "the export does not show it, and it is the charter");
    TRY(auto statement, proto::MakeStatement(*std::move(entry.envelope)));
    if (statement.kind != ledger::Kind::kCharter) return Refuse(Reason::kCorrupt, "it is not a charter");
    return statement;
  }();
  if (!shown) {
    Find(0, "unreadable", shown.error().Message());
    return Ok();
  }
  const auto& statement = *shown;
  const auto* charter = std::get_if<ledger::Charter>(&statement.payload);
  report_.charter = statement.digest.Hex();
  report_.origin = charter->origin;
  if (statement.digest != charter_) {
    Find(0, "foreign-charter", "the log's charter is " + report_.charter + ", not " + charter_.Hex());
    return Ok();
  }
  if (last) {
    note_before_ = last->note;
    TRY(auto note, log::Note::Parse(last->note));
    TRY(before_, log::Checkpoint::ParseBody(note.text));
    report_.grew_from = before_->size;
    if (before_->size > reader_.size())
      Find({}, "rolled-back",
           "at the last run the log had " + std::to_string(before_->size) + " entries, now " +
               std::to_string(reader_.size()));
  }
  return Ok();
}

// By whoever the kind asks: its author, the founders, enough agencies; a standing opening by nobody, as Decide judges the
// order behind it.
Result<ledger::VerifiedStatement> Verifier::Run::VerifySignatures(ledger::Statement statement,
                                                                  const ledger::MemberState* member) {
  switch (statement.kind) {
    case ledger::Kind::kCharter:
      return ledger::VerifyCharter(std::move(statement));
    case ledger::Kind::kCharterAmendment: {
      const auto amendment = std::get<ledger::CharterAmendment>(statement.payload);
      return ledger::VerifyCharterAmendment(std::move(statement), ledger::CharterSigner(state_, amendment));
    }
    case ledger::Kind::kStandingOpening:
      return ledger::VerifyStandingOpening(std::move(statement));
    default:
      return ledger::VerifyStatement(std::move(statement), member->signing_key, &batch_);
  }
}

// The rules themselves, on what was known then: the same decision, or a finding.
bool Verifier::Run::DerivedAgain(std::uint64_t index, const proto::LoggedEntry& entry,
                                 const ledger::VerifiedStatement& statement, const ledger::Decision& decision) {
  auto difference = Compare(
      *statement,
      ledger::Decide(state_, statement, entry.head->time, decision.authority, decision.nonce, decision.unwitnessed),
      decision);
  if (!difference) return true;
  Find(index, "wrong-decision", difference->Text());
  if (!report_.difference) report_.difference = std::move(difference);
  replaying_ = false;
  return false;
}

// What a purge has left of a statement: nobody's signature holds over it any more, and it must be what a later purge, which
// is signed, says that stays. What was decided is derived from that all the same: it is such that it can be.
void Verifier::Run::TakeErased(std::uint64_t index, const proto::LoggedEntry& entry, ledger::Statement statement,
                               ledger::Decision decision) {
  ++report_.erased;
  CheckSeenBy(index, statement);
  erased_.emplace(statement.digest, Erased{index, *entry.erased_by, crypto::Sha256(entry.envelope->payload)});
  // A purge whose own reason was erased: what it says holds if the purge that erased that is there.
  if (const auto* purge = std::get_if<ledger::Purge>(&statement.payload)) MatchErasures(index, *purge);
  if (!replaying_) return;
  auto trusted = ledger::TrustLogged(std::move(statement));
  if (Judged(index)) {
    if (!DerivedAgain(index, entry, trusted, decision)) return;
    ++report_.decisions;
  }
  Take(entry, std::move(trusted), std::move(decision));
}

// What was not derived again may be such that no decision makes it possible.
void Verifier::Run::Take(const proto::LoggedEntry& logged, ledger::VerifiedStatement statement,
                         ledger::Decision decision) {
  const ledger::Entry entry{*logged.head, *logged.salt, std::move(statement), std::move(decision),
                            logged.decision_bytes};
  const auto& verdicts = entry.decision.verdicts;
  if (entry.decision.unwitnessed &&
      std::any_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) { return verdict.allowed(); }))
    ++report_.unwitnessed;
  if (Judged(entry.head.index)) {
    ledger::Apply(state_, entry);
  } else {
    try {
      ledger::Apply(state_, entry);
    } catch (const ledger::RowsDamaged&) {
      throw;  // our own disk's fault
    } catch (const std::exception& error) {
      Find(entry.head.index, "wrong-decision", error.what());
      replaying_ = false;
      return;
    }
  }
  terms_.Note(state_, entry.head.index + 1);
  NoteForFigures(*entry.statement);
  if (options_.observe) options_.observe(entry, state_);
}

void Verifier::Run::NoteForFigures(const ledger::Statement& statement) {
  const auto* record = state_.record(statement.digest);
  if (record != nullptr && record->due) asked_.push_back(statement.digest);
  if (state_.emergency(statement.digest) != nullptr) emergencies_.push_back(statement.digest);
  if (statement.kind == ledger::Kind::kAccessRequest) access_requests_.push_back(statement.digest);
  const auto* revocation = std::get_if<ledger::Revocation>(&statement.payload);
  if (revocation == nullptr || !revocation->recall) return;
  if (state_.record(revocation->record) != nullptr) recalled_.insert(revocation->record);
}

void Verifier::Run::MatchErasures(std::uint64_t index, const ledger::Purge& purge) {
  for (const auto& erasure : purge.erasures) {
    auto at = erased_.find(erasure.statement);
    if (at == erased_.end() || at->second.by != index) continue;
    if (at->second.redacted != erasure.redacted)
      Find(at->second.index, "bad-erasure",
           "what is left is not what the purge in entry " + std::to_string(index) + " says");
    erased_.erase(at);
  }
}

void Verifier::Run::TakeEntry(std::uint64_t index, const proto::LoggedEntry& entry) {
  tree_.Append(ledger::EntryLeaf(entry.commitment));
  if (options_.span && index >= options_.span->until) {
    TakeBehind(index, entry);
    return;
  }
  if (!entry.salt || !entry.head || !entry.envelope || entry.decision_bytes.empty()) {
    ++report_.withheld;
    if (!options_.allow_withheld) Find(index, "withheld", "the entry's content is not in the export");
    replaying_ = false;
    return;
  }
  if (auto whole = proto::CheckLoggedEntry(entry); !whole) {
    Find(index, "bad-commitment", whole.error().Message());
    replaying_ = false;
    return;
  }
  if (entry.head->index != index) {
    Find(index, "bad-index", "the entry says it is " + std::to_string(entry.head->index));
    replaying_ = false;
    return;
  }
  if (entry.head->time < last_time_) Find(index, "time-back", "the entry is older than the one before it");
  last_time_ = entry.head->time;
  auto statement = entry.erased_by
                       ? proto::MakeErasedStatement(*entry.envelope, entry.head->statement, entry.attachments)
                       : proto::MakeStatement(*entry.envelope, entry.attachments);
  auto decision = proto::DecodeDecision(entry.decision_bytes);
  if (!statement || !decision) {
    Find(index, "malformed", (statement ? decision.error() : statement.error()).Message());
    replaying_ = false;
    return;
  }
  ++report_.statements;
  if (LacksParts(*statement)) {
    ++report_.withheld;
    if (!options_.allow_withheld) Find(index, "withheld", "its policies or slips are not in the export");
    replaying_ = false;
  }
  if (entry.erased_by) {
    TakeErased(index, entry, *std::move(statement), *std::move(decision));
    return;
  }
  const auto author = ledger::AuthorshipOf(*statement);
  const auto* member = author ? state_.member(author->author) : nullptr;
  if (author && member == nullptr) {
    // The directory is shown to every auditor whole, so this holds also where other entries are withheld.
    if (replaying_ || DirectoryKnown()) Find(index, "unknown-author", author->author.str() + " was never enrolled");
    replaying_ = false;
    return;
  }
  if (author && !replaying_ && DirectoryKnown() && state_.active_member(author->author) == nullptr) {
    Find(index, "wrong-decision", author->author.str() + " was removed before, and yet it was accepted");
    return;
  }
  const bool signed_by = Judged(index) || options_.span->all_signatures;
  auto verified = signed_by ? VerifySignatures(*std::move(statement), member)
                            : Result<ledger::VerifiedStatement>(ledger::TrustLogged(*std::move(statement)));
  if (!verified) {
    Find(index, "bad-signature", verified.error().Message());
    replaying_ = false;
    return;
  }
  if (signed_by) ++report_.signatures;
  CheckSeenBy(index, **verified);
  if (const auto* purge = std::get_if<ledger::Purge>(&(*verified)->payload)) MatchErasures(index, *purge);
  // Where entries are withheld the directory is still folded, as it is shown to every auditor; the rest cannot be decided.
  const bool directory = ledger::IsDirectoryKind((*verified)->kind);
  if (!replaying_ && !(directory && options_.allow_withheld)) return;
  if (Judged(index)) {
    if (!DerivedAgain(index, entry, *verified, *decision)) return;
    ++report_.decisions;
  }
  Take(entry, *std::move(verified), *std::move(decision));
}

// Behind the span: of the tree alone, but for the directory, as a charter that is amended there may name another log key,
// which then signs the checkpoint. Who may amend it the directory says; the amendment itself must be signed.
void Verifier::Run::TakeBehind(std::uint64_t index, const proto::LoggedEntry& logged) {
  if (!replaying_ || !logged.head || !logged.salt || !logged.envelope || logged.decision_bytes.empty()) return;
  const auto kind = ledger::KindFromPayloadType(logged.envelope->payload_type);
  if (!kind || !ledger::IsDirectoryKind(*kind) || logged.erased_by) return;
  auto taken = [&]() -> Status {
    TRY_OK(proto::CheckLoggedEntry(logged));
    TRY(auto statement, proto::MakeStatement(*logged.envelope, logged.attachments));
    TRY(auto decision, proto::DecodeDecision(logged.decision_bytes));
    auto verified = statement.kind == ledger::Kind::kCharterAmendment
                        ? VerifySignatures(std::move(statement), nullptr)
                        : Result<ledger::VerifiedStatement>(ledger::TrustLogged(std::move(statement)));
    TRY_OK(verified);
    try {
      ledger::Apply(state_,
                    {*logged.head, *logged.salt, *std::move(verified), std::move(decision), logged.decision_bytes});
    } catch (const ledger::RowsDamaged&) {
      throw;
    } catch (const std::exception& error) {
      return Refuse(Reason::kCorrupt, error.what());
    }
    terms_.Note(state_, index + 1);  // it may name other witnesses too
    return Ok();
  }();
  if (taken) return;
  Find(index, std::string(CodeOf(taken.error().reason)), taken.error().Message());
  replaying_ = false;
}

// What who opens had verified before, and says under its signature: nobody on the way can drop or change it, so a member who
// was shown another tree is found in either.
void Verifier::Run::CheckSeenBy(std::uint64_t index, const ledger::Statement& statement) {
  const auto* open = std::get_if<ledger::Open>(&statement.payload);
  if (open == nullptr || !Judged(index)) return;
  const std::string size = std::to_string(open->checkpoint_size);
  if (open->checkpoint_size > index) {
    // Decide refuses it; where that is not asked, it is told here.
    if (!replaying_)
      Find(index, "rolled-back",
           open->by.author.str() + " had verified a larger log, of " + size + " entries, and signed that");
    return;
  }
  const auto root = RootThen(open->checkpoint_size);
  if (moved_) return;
  if (!root)
    Find(index, "bad-tile", "the root of " + size + " entries: " + root.error().Message());
  else if (*root != open->checkpoint_root)
    Find(index, "fork", open->by.author.str() + " had verified another tree of " + size + " entries, and signed that");
  else
    ++report_.seen;
}

void Verifier::Run::CheckShown() {
  for (const auto& [path, text] : shown_) {
    const auto note = text ? log::Note::Parse(*text) : text.error();
    const auto body = note ? log::Checkpoint::ParseBody(note->text) : note.error();
    // Maybe signed by a key that only an amendment names which is not in this export: nothing can be said of it yet.
    if (body && body->origin == report_.origin && body->size > tree_.size()) {
      ++report_.ahead;
      continue;
    }
    const auto held = body ? CheckNote(*text, body->size) : body.error();
    if (!held) {
      Find({}, "bad-checkpoint", path + ": " + held.error().Message());
      continue;
    }
    const auto root = held->size() == 0 ? Result<Hash>(log::EmptyRoot()) : RootThen(held->size());
    if (moved_) return;
    if (!root)
      Find({}, "bad-tile", path + ": " + root.error().Message());
    else if (*root != held->root())
      Find({}, "fork",
           path + ": the log signed it, and " + options_.folder.string() + " is another tree of " +
               std::to_string(held->size()) + " entries: keep both");
    else
      ++report_.seen;
  }
}

// A partial tile may be gone because somebody exports: what was to be held against it is then told in a run from the start.
Result<Hash> Verifier::Run::RootThen(std::uint64_t size) {
  auto root = roots_.At(size, reader_.tiles());
  if (!root && Moved()) moved_ = spoilt_ = true;
  return root;
}

// What is not live goes out of memory, when it is on the disk.
Status Verifier::Run::Keep() {
  if (!rows_ || tree_.size() % options_.on_disk.every != 0) return Ok();
  TRY_OK(rows_->Write(state_.TakeRows()));
  if (state_.cached() > options_.on_disk.cached) state_.Trim(options_.on_disk.cached / 2);
  return Ok();
}

void Verifier::Run::CheckSeenBefore() {
  if (before_ && tree_.size() == before_->size && tree_.Root() != before_->root)
    Find({}, "fork", "the first " + std::to_string(before_->size) + " entries are not those of the last run");
}

void Verifier::Run::TakeFile(std::uint64_t n) {
  auto file = reader_.EntriesFile(n);
  if (!file && (moved_ = Moved())) return;
  if (!file) {
    Find(n * log::kTileWidth, "unreadable", file.error().Message());
    replaying_ = tree_whole_ = false;
    return;
  }
  Bytes bundle;
  for (std::size_t i = 0; i < file->size(); ++i) {
    const std::uint64_t index = n * log::kTileWidth + i;
    auto entry = proto::DecodeLoggedEntry((*file)[i]);
    if (!entry) {
      Find(index, "unreadable", entry.error().Message());
      replaying_ = tree_whole_ = false;
      return;
    }
    log::AppendBundleEntry(bundle, entry->commitment.view());
    if (index < tree_.size()) continue;  // in an earlier pass
    TakeEntry(index, *entry);
    roots_.Note(tree_.size(), tree_.Root());
    CheckSeenBefore();
    if (auto kept = Keep(); !kept) {
      could_not_ = kept.error();
      return;
    }
    if (options_.progress) options_.progress(index + 1, reader_.size());
  }
  const auto path = log::BundlePath(n, static_cast<unsigned>(file->size()));
  auto shown = reader_.File(path);
  if (!shown || *shown != bundle) {
    if ((moved_ = Moved())) return;
    Find(n * log::kTileWidth, "bad-bundle", path + " is not the entries' commitments");
  }
  CheckTiles();
}

// A partial file that is not there any more is no finding if the checkpoint is another one by now: who exports writes that
// one before it removes what is superseded.
bool Verifier::Run::Moved() const {
  const auto now = ExportReader::Open(options_.folder);
  return now && now->checkpoint_note() != reader_.checkpoint_note();
}

// As exported, against those of the entries: the tiles that became whole, and at the end the last partial one of each
// level, which may have changed long before.
void Verifier::Run::CheckTiles() {
  for (auto& [id, content] : tree_.TakeChangedTiles()) {
    if (content.size() == log::kTileWidth * 32) {
      partial_.erase(id.level);
      CheckTile(id, content);
    } else {
      partial_.insert_or_assign(id.level, std::pair(id, std::move(content)));
    }
  }
  if (tree_.size() != reader_.size()) return;
  for (const auto& [level, tile] : partial_) CheckTile(tile.first, tile.second);
}

void Verifier::Run::CheckTile(log::TileId id, const Bytes& content) {
  const auto path = log::TilePath(id, static_cast<unsigned>(content.size() / 32));
  auto shown = reader_.File(path);
  if (!shown || *shown != content) {
    if (moved_ || (moved_ = Moved())) return;
    Find({}, "bad-tile", path + " is not what the entries give");
  }
  ++report_.tiles;
}

// Which key signs a checkpoint is known when the log was folded: a charter amendment may name another one, which signs from
// then on.
Result<log::SignedCheckpoint> Verifier::Run::CheckNote(const std::string& note, std::uint64_t size) const {
  const std::string* key = nullptr;
  for (const auto& [from, text] : state_.log_keys())
    if (from == 0 || from <= size) key = &text;
  if (key == nullptr) return Refuse(Reason::kBadCheckpoint, "there is no charter with a log key");
  TRY(auto verifier, log::NoteVerifier::Parse(*key));
  return log::SignedCheckpoint::Verify(note, report_.origin, verifier);
}

void Verifier::Run::CheckNotes() {
  if (before_)
    if (auto held = CheckNote(note_before_, before_->size); !held)
      Find({}, "bad-checkpoint", "of the last run: " + held.error().Message());
  auto checkpoint = CheckNote(reader_.checkpoint_note(), tree_.size());
  if (!checkpoint)
    Find({}, "bad-checkpoint", checkpoint.error().Message());
  else if (checkpoint->size() != tree_.size() || checkpoint->root() != tree_.Root())
    Find({}, "bad-root", "the entries give root " + report_.root + ", the checkpoint says " + checkpoint->root().Hex());
}

// What its witnesses cosigned, under the charter that was in force then. Its tiles and entries were proved before.
void Verifier::Run::CheckWitnessed() {
  WitnessTerms::Export shown;
  shown.note = reader_.witnessed_note();
  shown.size = tree_.size();
  shown.last_time = last_time_;
  shown.now = options_.now.value_or(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  shown.verify = [this](const std::string& note, std::uint64_t size) { return CheckNote(note, size); };
  shown.root_at = [this](std::uint64_t size) -> Result<Hash> {
    if (size == tree_.size()) return tree_.Root();
    return log::RootAt(size, reader_.tiles());
  };
  shown.time_of = [this](std::uint64_t index) -> std::optional<Time> {
    auto file = reader_.EntriesFile(index / log::kTileWidth);
    if (!file) return std::nullopt;
    auto entry = proto::DecodeLoggedEntry((*file)[index % log::kTileWidth]);
    return entry && entry->head ? std::optional(entry->head->time) : std::nullopt;
  };
  report_.witnessed =
      terms_.Judge(shown, [this](std::string code, std::string what) { Find({}, std::move(code), std::move(what)); });
}

// Facts of the log as a whole, by the time of its last entry.
void Verifier::Run::CountFigures() {
  Figures& out = report_.figures = {};
  for (const Digest& digest : asked_) {
    const auto& record = *state_.record(digest);
    std::set<AgencyId> asked;
    for (const auto& portion : record.portions)
      for (const auto& [agency, key] : portion.recipients)
        if (agency != record.originator.agency()) asked.insert(agency);
    for (const AgencyId& agency : asked) {
      ++out.asked;
      if (record.replies.contains(agency))
        ++out.answered;
      else if (!state_.ended(record) && last_time_ >= *record.due)
        ++out.overdue;
    }
  }
  for (const Digest& digest : emergencies_) {
    ++out.emergencies;
    if (!state_.emergency(digest)->reviewed) ++out.emergencies_open;
  }
  std::set<Digest> recalled = recalled_;  // of a record its grants are too
  for (const Digest& digest : recalled_)
    for (const Digest& grant : state_.record(digest)->grants) recalled.insert(grant);
  for (const Digest& digest : recalled)
    for (const auto& [member, holder] : state_.record(digest)->holders) {
      ++out.recalled_copies;
      if (holder.erased) ++out.erased_copies;
    }
  for (const Digest& digest : access_requests_) {
    ++out.access_requests;
    if (state_.access_request(digest)->answered) ++out.access_answered;
  }
}

// What the last run left, and which charter the log must be under.
Status Verifier::Run::Start() {
  if (options_.span && options_.span->from >= options_.span->until)
    return Refuse(Reason::kUsage, "there is no entry from " + std::to_string(options_.span->from) + " on and before " +
                                      std::to_string(options_.span->until));
  TRY(auto last, ReadLastRun(options_.state));
  const auto charter = options_.charter || !last ? options_.charter : std::optional(last->charter);
  if (!charter)
    return Refuse(Reason::kUsage,
                  "say which charter the log must be under: --charter-digest, as a person told it to you");
  if (last && last->charter != *charter) return Refuse(Reason::kUsage, "the last run was under another charter");
  charter_ = *charter;
  auto opened = ExportReader::Open(options_.folder);
  if (!opened && opened.error().reason != Reason::kFile) {  // it is there, and damaged
    Find({}, "bad-checkpoint", opened.error().Message());
    return Ok();
  }
  TRY(reader_, std::move(opened));
  if (reader_.size() == 0) {
    Find({}, last ? "rolled-back" : "bad-checkpoint", "the log is empty; it has no charter");
    return Ok();
  }
  if (reader_.size() > options_.on_disk.above) {
    TRY(rows_, ScratchRows::Make(options_.folder));
    state_.KeepIn(*rows_);
  }
  if (options_.span && options_.span->from >= reader_.size())
    return Refuse(Reason::kUsage, "the span begins at entry " + std::to_string(options_.span->from) +
                                      ", and the log has " + std::to_string(reader_.size()));
  shown_.clear();
  for (const auto& path : options_.shown) {
    auto text = io::ReadText(path, kMostNote);
    if (!text && text.error().reason == Reason::kFile) return text.error();
    shown_.emplace_back(path.string(), std::move(text));
  }
  TRY_OK(Begin(last));
  started_ = report_.charter == charter_.Hex();  // else unreadable, or a foreign one
  return Ok();
}

// Which rewriting of its files the export has behind it; what is being written anew now is no export.
std::string Verifier::Run::Rewritten() const {
  auto said = io::ReadText(options_.folder / proto::kRewrittenFile, 4096);
  return said ? *std::move(said) : std::string();
}

Result<Report> Verifier::Run::Pass() {
  if (!report_.proved()) return report_;
  const auto rewritten = Rewritten();
  if (rewritten.starts_with(proto::kBeingWritten))
    return Refuse(Reason::kUnavailable, "the export is being written anew, or that was cut short: export again");
  try {
    TRY_OK(Walk());
  } catch (const ledger::RowsDamaged& damage) {
    return Refuse(Reason::kStorage, "the verification's own state on the disk: " + std::string(damage.what()));
  }
  // Findings in files of two moments are none. What was proved meanwhile is proved: it is all under the checkpoint.
  if (!report_.proved() && Rewritten() != rewritten) {
    spoilt_ = true;
    return Refuse(Reason::kUnavailable, "the export was changed while it was read");
  }
  if (report_.proved() && !options_.span && started_ && options_.keep_state)
    TRY_OK(WriteLastRun(options_.state, {charter_, report_.checkpoint, {}}));
  return report_;
}

Status Verifier::Run::Walk() {
  if (!started_) {
    TRY_OK(Start());
    if (!started_) return Ok();
  } else {
    auto opened = ExportReader::Open(options_.folder);
    if (!opened && opened.error().reason == Reason::kFile) return opened.error();
    if (!opened || opened->size() < tree_.size()) {
      Find({}, opened ? "rolled-back" : "bad-checkpoint",
           opened ? "the export had " + std::to_string(tree_.size()) + " entries before" : opened.error().Message());
      return Ok();
    }
    reader_ = *std::move(opened);
  }
  moved_ = false;
  const auto files = (reader_.size() + log::kTileWidth - 1) / log::kTileWidth;
  for (std::uint64_t n = tree_.size() / log::kTileWidth; n < files && tree_whole_ && !moved_ && !could_not_; ++n)
    TakeFile(n);
  if (could_not_) return *could_not_;
  if (moved_) return Refuse(Reason::kUnavailable, "the export was changed while it was read");
  report_.entries = tree_.size();
  report_.last_time = last_time_;
  const bool to_the_end = !options_.span || options_.span->until >= tree_.size();
  if (tree_whole_) {
    report_.root = tree_.Root().Hex();
    CheckNotes();
    if (!shown_judged_) CheckShown();
    if (moved_) return Refuse(Reason::kUnavailable, "the export was changed while it was read");
    shown_judged_ = true;
    if (to_the_end && (replaying_ || DirectoryKnown())) {
      // It is written before the checkpoint: whoever writes is between the two, or was cut short there.
      const auto note = log::Note::Parse(reader_.witnessed_note());
      const auto body = note ? log::Checkpoint::ParseBody(note->text) : note.error();
      if (body && body->size > tree_.size() && report_.proved())
        return Refuse(Reason::kUnavailable, "the export is being written, or that was cut short: export again");
      CheckWitnessed();
    }
  }
  // Whoever is shown what is erased is shown the purge, also where other entries are withheld.
  if (tree_whole_ && to_the_end)
    for (const auto& [digest, erased] : erased_)
      Find(erased.index, "bad-erasure", "erased, and no purge in entry " + std::to_string(erased.by) + " says so");
  if (replaying_ && to_the_end) CountFigures();
  report_.checkpoint = reader_.checkpoint_note();
  return Ok();
}

Verifier::Verifier(Options options) : options_(std::move(options)), run_(std::make_unique<Run>(options_)) {}
Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Result<Report> Verifier::Pass() {
  auto report = run_->Pass();
  if (run_->spoilt()) run_ = std::make_unique<Run>(options_);
  return report;
}
const ledger::State& Verifier::state() const { return run_->state(); }

Result<Report> Verify(const Options& options) {
  for (int left = kTries;; --left) {
    auto report = Verifier(options).Pass();
    const bool again = !report && report.error().reason == Reason::kUnavailable && !options.observe && left > 1;
    if (!again) return report;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

}  // namespace valija::audit
