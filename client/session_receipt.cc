// Receipts to be kept: of my own statements, and of everything that is in my mailbox.
#include <thread>

#include "client/session.h"
#include "core/io/file.h"
#include "core/log/tree.h"

namespace valija::client {

Result<std::string> SessionCore::WitnessPolicies() {
  TRY_OK(RefreshAnyAge());
  TRY(const auto policies, verifier_.Policies());
  return policies.Text();
}

Result<std::string> SessionCore::LastCheckpoint() {
  TRY_OK(RefreshAnyAge());
  return profile_.pin()->note();
}

// Tiles are believed for nothing: what is made of them is held against the root.
Result<std::vector<Hash>> SessionCore::ProveAt(std::uint64_t index, const Commitment& commitment,
                                               const log::Checkpoint& under) {
  if (!prover_ || prover_->first != under.size) {
    prover_.emplace(under.size, log::Prover(under.size, [this](log::TileId id, unsigned width) -> std::optional<Bytes> {
                      auto tile = transport_->Tile(log::TilePath(id, width));
                      if (!tile) tile_failed_ = tile.error();
                      return tile ? std::optional(*std::move(tile)) : std::nullopt;
                    }));
  }
  tile_failed_.reset();
  auto path = prover_->second.Inclusion(index);
  if (!path && tile_failed_) return *tile_failed_;
  if (path && log::VerifyInclusion(index, under.size, ledger::EntryLeaf(commitment), *path, under.root)) return path;
  prover_.reset();
  return Refuse(Reason::kBadProof, "the broker's tiles are not those of the log");
}

Result<SessionCore::CosignedNote> SessionCore::NewestCosigned(const View& view, bool asked) {
  const bool itself = !asked || view.witnessed.empty();
  TRY(auto note, verifier_.VerifyOlder(itself ? view.checkpoint : view.witnessed));  // as Advance has already
  return CosignedNote{note.note(), note.checkpoint()};
}

// Of what the broker has no receipt for me: an opening whose time is over, and what others did.
Result<evidence::Receipt> SessionCore::ReceiptFromMail(const Digest& statement, bool asked) {
  TRY_OK(Sync());
  const auto* known = mail_.Find(statement);
  if (known == nullptr)
    return Refuse(Reason::kNotFound, "no statement of yours, and none in your mailbox: " + statement.Hex());
  const std::uint64_t index = known->head.index;
  TRY(auto page, transport_->Mailbox(index, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(page.view));
  TRY_OK(CheckPage(page, index, checkpoint.size()));
  if (page.entries.empty() || !page.entries.front().entry.head ||
      page.entries.front().entry.head->statement != statement)
    return Refuse(Reason::kNotFound);
  const auto& proved = page.entries.front();
  TRY_OK(verifier_.CheckEntry(proved, checkpoint));
  TRY(auto under, NewestCosigned(page.view, asked));
  if (under.checkpoint.size <= index) return Refuse(Reason::kNoQuorum, "entry " + std::to_string(index));
  evidence::Receipt out{*proved.entry.head, *proved.entry.salt, {}, std::move(under.note)};
  TRY(out.path, ProveAt(index, proved.entry.commitment, under.checkpoint));
  return out;
}

Result<evidence::Receipt> SessionCore::FetchReceipt(const Digest& statement, bool asked) {
  auto answer = transport_->Receipt(statement, verifier_.verified_size(), asked);
  if (!answer && answer.error().reason == Reason::kNotFound) return ReceiptFromMail(statement, asked);
  if (!answer) return answer.error();
  auto& [receipt, view] = *answer;
  TRY(auto checkpoint, verifier_.TakeCosigned(view));
  TRY_OK(verifier_.CheckReceipt(receipt, statement, checkpoint));
  return evidence::Receipt{receipt.head, receipt.salt, std::move(receipt.path), checkpoint.note()};
}

Result<SavedReceipt> SessionCore::MakeReceipt(const Digest& statement, std::string& text) {
  TRY_OK(RefreshAnyAge());
  TRY(const auto policies, verifier_.Policies());
  TRY(auto receipt, FetchReceipt(statement, verifier_.directory().witness_policy() != nullptr));
  text = evidence::ReceiptText(receipt);
  // As whoever reads it will, years from now.
  TRY(const auto kept, evidence::ParseReceipt(text));
  auto proved = evidence::VerifyReceipt(kept, policies);
  if (!proved && proved.error().reason == Reason::kBadProof) return Refuse(Reason::kNoQuorum, proved.error().detail);
  if (!proved) return proved.error();
  SavedReceipt out{
      statement.Hex(), proved->head.index, ToTimePoint(proved->head.time), proved->under.checkpoint.size, {}};
  for (const auto& [name, seconds] : proved->under.cosigned)
    out.cosigned.emplace_back(name, ToTimePoint(evidence::CosignedAt(seconds)));
  return out;
}

Result<SavedReceipt> SessionCore::SaveReceipt(const ReceiptRequest& request) {
  std::error_code ignored;
  if (std::filesystem::exists(request.output, ignored)) return Refuse(Reason::kExists, request.output.string());
  TRY(auto digest, ResolvePrefix(request.statement, "a statement", [](const VerifiedEntry&) { return true; }));
  const Time until = Now() + request.wait;
  for (;;) {
    std::string text;
    auto made = MakeReceipt(digest, text);
    if (made) {
      TRY_OK(io::WriteNewFile(request.output, AsBytes(text)));
      return made;
    }
    if (made.error().reason != Reason::kNoQuorum || Now() + pause_ >= until) return made;
    if (request.waiting) request.waiting(made.error().detail);
    std::this_thread::sleep_for(pause_);
  }
}

}  // namespace valija::client
