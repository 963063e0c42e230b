#include "audit/evidence/check.h"

#include "core/crypto/dsse.h"
#include "core/log/tree.h"
#include "audit/evidence/fold.h"
#include "audit/evidence/policies.h"

namespace valija::evidence {
namespace {

Error At(std::uint64_t index, const Error& error) {
  return Refuse(error.reason, "entry " + std::to_string(index) + ": " + error.Message());
}

Result<log::Checkpoint> ReadCheckpoint(const std::string& text) {
  const auto note = log::Note::Parse(text);
  if (!note) return Refuse(Reason::kBadCheckpoint, note.error().detail);
  auto checkpoint = log::Checkpoint::ParseBody(note->text);
  if (!checkpoint) return Refuse(Reason::kBadCheckpoint, checkpoint.error().detail);
  return checkpoint;
}

Status CheckMaker(const proto::SignedBundle& file, const MemberId& member, const ledger::State& directory) {
  const auto* maker = directory.active_member(member);
  if (maker == nullptr) return Refuse(Reason::kBadSignature, "whoever made the bundle is no member by its entries");
  if (maker->signing_key.id() != file.key_id ||
      !maker->signing_key.Verify(crypto::Pae(proto::kBundleType, file.bundle), file.signature))
    return Refuse(Reason::kBadSignature, "the bundle is not signed by who made it, or was changed since");
  return Ok();
}

}  // namespace

Result<CheckedBundle> CheckBundle(ByteView file, const Trust& trust) {
  if (!trust.policies && !trust.charter)
    return Refuse(Reason::kUsage, "a bundle is held against a policy file or the charter's digest");
  TRY(const auto outer, proto::DecodeSignedBundle(file));
  TRY(const auto bundle, proto::DecodeBundle(outer.bundle));
  TRY(const auto checkpoint, ReadCheckpoint(bundle.checkpoint));
  Fold fold(bundle.record, checkpoint.origin);
  for (const auto& [entry, path, releases] : bundle.entries) {
    const std::uint64_t index = entry.head->index;
    if (auto fits = proto::CheckLoggedEntry(entry); !fits) return At(index, fits.error());
    auto included =
        log::VerifyInclusion(index, checkpoint.size, ledger::EntryLeaf(entry.commitment), path, checkpoint.root);
    if (!included) return At(index, included.error());
    if (auto taken = fold.Take(entry); !taken) return At(index, taken.error());
  }
  TRY_OK(fold.End());
  if (trust.charter && *trust.charter != fold.directory().charter_digest())
    return Refuse(Reason::kFork, "the bundle's charter is not the one that is trusted");
  TRY(const auto its_own, PoliciesOf(fold.charters()));
  TRY(auto under, its_own.Verify(bundle.checkpoint));
  if (trust.policies) {
    TRY(under, trust.policies->Verify(bundle.checkpoint));
  }
  TRY_OK(CheckMaker(outer, bundle.member, fold.directory()));
  const auto& policies = trust.policies ? *trust.policies : its_own;
  return CheckedBundle{.record = bundle.record,
                       .member = bundle.member,
                       .time = bundle.time,
                       .charter = fold.directory().charter_digest(),
                       .title = fold.directory().charter()->title,
                       .under = std::move(under),
                       .witnesses_asked = policies.At(checkpoint.size).quorum() != "none",
                       .signatures = fold.signatures() + 1,
                       .lines = fold.TakeLines(),
                       .gaps = fold.TakeGaps()};
}

}  // namespace valija::evidence
