#include "audit/evidence/check.h"

#include <algorithm>

#include "audit/evidence/fold.h"
#include "audit/evidence/policies.h"
#include "audit/evidence/receipt.h"
#include "core/crypto/dsse.h"
#include "core/log/tree.h"

namespace valija::evidence {
namespace {

Error At(std::uint64_t index, const Error& error) {
  return Refuse(error.reason, "entry " + std::to_string(index) + ": " + error.Message());
}

Status CheckMaker(const proto::SignedBundle& file, const MemberId& member, const ledger::State& directory) {
  const auto* maker = directory.active_member(member);
  if (maker == nullptr) return Refuse(Reason::kBadSignature, "whoever made the bundle is no member by its entries");
  if (maker->signing_key.id() != file.key_id ||
      !maker->signing_key.Verify(crypto::Pae(proto::kBundleType, file.bundle), file.signature))
    return Refuse(Reason::kBadSignature, "the bundle is not signed by who made it, or was changed since");
  return Ok();
}

// What a statement, or the decision of one that is not shown, says of others than the bundle is about.
std::size_t OthersIn(const Line& line, const CheckedBundle& bundle) {
  std::set<Digest> others;
  if (line.statement) {
    if (const auto* open = std::get_if<ledger::Open>(&line.statement->payload))
      for (const auto& item : open->items)
        if (!bundle.family.contains(item.record)) others.insert(item.record);
    if (const auto* purge = std::get_if<ledger::Purge>(&line.statement->payload))
      for (const auto& erasure : purge->erasures)
        if (!bundle.Has(erasure.statement)) others.insert(erasure.statement);
  }
  if (line.decision)
    for (const auto& verdict : line.decision->verdicts)
      if (!verdict.record.IsZero() && !bundle.family.contains(verdict.record)) others.insert(verdict.record);
  return others.size();
}

}  // namespace

bool CheckedBundle::Has(const Digest& statement) const {
  return std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return line.head.statement == statement; });
}

Result<CheckedBundle> CheckBundle(ByteView file, const Trust& trust) {
  TRY(const auto outer, proto::DecodeSignedBundle(file));
  TRY(const auto bundle, proto::DecodeBundle(outer.bundle));
  // Whether it is of the right log at all, before its signatures are checked by the thousand.
  TRY(auto under, trust.policies.Verify(bundle.checkpoint));
  const log::Checkpoint checkpoint = under.checkpoint;
  const auto& first = *bundle.entries.front().entry.head;
  if (trust.charter && first.index == 0 && first.statement != *trust.charter)
    return Refuse(Reason::kFork, "the bundle's charter is not the one that is trusted");
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
  const auto& charter = *fold.directory().charter();
  TRY(const auto its_own, PoliciesOf(fold.charters()));
  TRY_OK(its_own.Verify(bundle.checkpoint));
  const auto& policy = trust.policies.At(checkpoint.size);
  const auto& last = *bundle.entries.back().entry.head;  // times do not go back
  if (auto seen = CheckSeen(last.time, policy, under.cosigned, std::chrono::seconds(charter.caps.clock_skew_seconds));
      !seen)
    return At(last.index, seen.error());
  TRY_OK(CheckMaker(outer, bundle.member, fold.directory()));
  CheckedBundle out{.record = bundle.record,
                    .member = bundle.member,
                    .time = bundle.time,
                    .charter = fold.directory().charter_digest(),
                    .title = charter.title,
                    .under = std::move(under),
                    .witnesses_asked = policy.quorum() != "none",
                    .signatures = fold.signatures() + 1,
                    .family = fold.family(),
                    .lines = fold.TakeLines(),
                    .gaps = fold.TakeGaps()};
  for (auto& line : out.lines) line.others = OthersIn(line, out);
  return out;
}

}  // namespace valija::evidence
