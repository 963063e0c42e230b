// An evidence bundle: a record's custody as I may see it, with everything that proves it offline, in a file that I sign.
#include <algorithm>
#include <map>
#include <thread>

#include "audit/evidence/check.h"
#include "audit/evidence/story.h"
#include "client/session.h"
#include "client/withhold.h"
#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/io/file.h"
#include "proto/bundle.h"

namespace valija::client {
namespace {

using Entries = std::map<std::uint64_t, proto::LoggedEntry>;

constexpr int kWalks = 3;  // while purges come

// Of the directory's entries: the charter and its amendments, and the enrolments of these members, of whoever enrolled them, and
// of whoever signed an amendment.
Result<Entries> DirectoryOf(std::set<MemberId> members, const std::vector<proto::LoggedEntry>& directory) {
  std::map<KeyId, MemberId> owners;
  std::vector<std::pair<const proto::LoggedEntry*, ledger::Enrolment>> enrolments;
  std::set<KeyId> signers;
  Entries out;
  const auto take = [&](const proto::LoggedEntry& entry, const ledger::Charter& charter) {
    for (const auto& agency : charter.agencies)
      for (const auto& member : agency.administrators)
        owners.insert_or_assign(crypto::KeyIdOf(member.keys.signing_key), member.id);
    for (const auto& signature : entry.envelope->signatures) signers.insert(signature.key_id);
    out.emplace(entry.head->index, entry);
  };
  for (const auto& entry : directory) {
    TRY(auto statement, proto::MakeStatement(*entry.envelope, entry.attachments));
    if (const auto* charter = std::get_if<ledger::Charter>(&statement.payload)) take(entry, *charter);
    if (const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload))
      take(entry, amendment->charter);
    if (auto* enrolment = std::get_if<ledger::Enrolment>(&statement.payload)) {
      owners.insert_or_assign(crypto::KeyIdOf(enrolment->member.keys.signing_key), enrolment->member.id);
      enrolments.emplace_back(&entry, std::move(*enrolment));
    }
  }
  for (const auto& key : signers)
    if (const auto owner = owners.find(key); owner != owners.end()) members.insert(owner->second);
  for (std::size_t before = 0; before != members.size();) {
    before = members.size();
    for (const auto& [entry, enrolment] : enrolments)
      if (members.contains(enrolment.member.id)) members.insert(enrolment.by.author);
  }
  for (const auto& [entry, enrolment] : enrolments)
    if (members.contains(enrolment.member.id)) out.emplace(entry->head->index, *entry);
  return out;
}

// A purge came while the pages before it were read: something is here as it was.
bool Outdated(const FoundEntries& found) {
  std::set<Digest> erased;
  for (const auto& [index, one] : found)
    if (const auto* purge = PayloadOf<ledger::Purge>(one.verified))
      for (const auto& erasure : purge->erasures) erased.insert(erasure.statement);
  return std::any_of(found.begin(), found.end(), [&](const auto& one) {
    return !one.second.verified.erased_by && erased.contains(one.second.verified.head.statement);
  });
}

// Whose keys must be known for what is shown, beside its maker's.
std::set<MemberId> SignersOf(const FoundEntries& found, const std::set<std::uint64_t>& left) {
  std::set<MemberId> out;
  for (const auto& [index, one] : found) {
    if (left.contains(index)) continue;
    if (const auto by = ledger::AuthorshipOf(*one.verified.statement)) out.insert(by->author);
    if (const auto* opening = PayloadOf<ledger::StandingOpening>(one.verified)) out.insert(opening->member);
  }
  return out;
}

}  // namespace

// The entry of an order behind an opening, once it is verified.
Result<ProvedEntry> SessionCore::ProvedOrder(const Digest& order) {
  TRY(auto answer, transport_->GetRecord(order, verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  if (answer.entries.size() != 1) return Refuse(Reason::kBadProof, "not one entry");
  TRY(auto verified, VerifyShown(answer.entries[0], checkpoint, order));
  if (verified.statement->digest != order) return Refuse(Reason::kBadProof, "another record than asked for");
  fetched_.insert_or_assign(order, std::move(verified));
  return std::move(answer.entries[0]);
}

// The record's custody, and the orders behind openings that I may see: of one moment, as far as purges go.
Result<FoundEntries> SessionCore::FindCustody(const Digest& record) {
  for (int left = kWalks;; --left) {
    FoundEntries out;
    std::set<Digest> orders;
    TRY_OK(WalkCustody(record, [&](const ProvedEntry& proved, const VerifiedEntry& entry, const NewsItem&) -> Status {
      out.insert_or_assign(entry.head.index, FoundEntry{proved.entry, entry});
      if (const auto* opening = PayloadOf<ledger::StandingOpening>(entry)) orders.insert(opening->order);
      return Ok();
    }));
    for (const auto& order : orders) {
      auto proved = ProvedOrder(order);
      if (!proved && proved.error().reason == Reason::kNotFound)
        continue;  // not for me: the bundle says that it is not here
      if (!proved) return proved.error();
      const auto& entry = fetched_.at(order);
      out.insert_or_assign(entry.head.index, FoundEntry{std::move(proved->entry), entry});
    }
    if (!Outdated(out)) return out;
    if (left == 1) return Refuse(Reason::kUnavailable, "statements of it are being erased");
  }
}

// Waits until the witnesses have cosigned a tree that has this entry.
Result<SessionCore::CosignedNote> SessionCore::CosignedWith(
    std::uint64_t index, const std::function<bool(const std::string& missing)>& wait) {
  for (;;) {
    TRY(auto view, transport_->Checkpoint(verifier_.verified_size()));
    TRY_OK(verifier_.Advance(view));
    TRY_OK(RefreshAnyAge());  // it may have an amendment that is not folded yet
    TRY(const auto policies, verifier_.Policies());
    TRY(auto under, NewestCosigned(view, verifier_.directory().witness_policy() != nullptr));
    const auto vouched = policies.Verify(under.note);
    if (!vouched && vouched.error().reason != Reason::kBadProof) return vouched.error();
    if (vouched && under.checkpoint.size > index) return under;
    const auto missing = vouched ? "entry " + std::to_string(index) : vouched.error().detail;
    if (!wait(missing)) return Refuse(Reason::kNoQuorum, missing);
    TRY_OK(RefreshAnyAge());
  }
}

Result<SavedBundle> SessionCore::SaveBundle(const BundleRequest& request) {
  std::error_code ignored;
  for (const auto& path : {request.output, request.page})
    if (!path.empty() && std::filesystem::exists(path, ignored)) return Refuse(Reason::kExists, path.string());
  TRY(auto withhold, Withhold::Parse(request.withhold));
  if (request.show_erased) withhold.ShowErased();
  const Time until = Now() + request.wait;
  TRY_OK(Sync());
  TRY(const auto record, Resolve(request.record));
  TRY(auto found, FindCustody(record));
  for (const auto index : withhold.entries())
    if (!found.contains(index))
      return Refuse(Reason::kUsage, "entry " + std::to_string(index) + " is not of the record's custody");
  const auto left = withhold.From(found);
  auto signers = SignersOf(found, left.statements);
  signers.insert(profile_.member());
  // While the witnesses are waited for an amendment may come, or another key of somebody's: it belongs to it, and is to be
  // cosigned too.
  CosignedNote under;
  Entries directory;
  for (std::uint64_t last = found.rbegin()->first;; last = directory.rbegin()->first) {
    TRY(under, CosignedWith(last, [&](const std::string& missing) {
          if (Now() + pause_ >= until) return false;
          if (request.waiting) request.waiting(missing);
          std::this_thread::sleep_for(pause_);
          return true;
        }));
    TRY(directory, DirectoryOf(signers, profile_.Load("directory.log")));
    if (directory.rbegin()->first < under.checkpoint.size) break;
  }
  Entries entries = std::move(directory);
  for (auto& [index, one] : found)
    entries.emplace(index, withhold.Apply(std::move(one.entry), !left.statements.contains(index)));
  proto::Bundle bundle{under.note, record, profile_.member(), Now(), {}};
  for (auto& [index, entry] : entries) {
    TRY(auto path, ProveAt(index, entry.commitment, under.checkpoint));
    bundle.entries.push_back({std::move(entry), std::move(path)});
  }
  proto::SignedBundle file{proto::EncodeBundle(bundle), keys_.signature.id(), {}};
  file.signature = keys_.signature.Sign(crypto::Pae(proto::kBundleType, file.bundle));
  const auto bytes = proto::EncodeSignedBundle(file);
  // As whoever gets it will.
  TRY(auto policies, verifier_.Policies());
  TRY(const auto checked, evidence::CheckBundle(bytes, {std::move(policies), profile_.charter()->digest}));
  TRY_OK(io::WriteNewFile(request.output, bytes));
  if (!request.page.empty())
    TRY_OK(io::WriteNewFile(request.page, AsBytes(evidence::Page(checked, crypto::Sha256(bytes)))));
  SavedBundle out{record.Hex(), checked.lines.size(), checked.under.checkpoint.size, {}, {}, {}, {}};
  for (const auto& [name, seconds] : checked.under.cosigned)
    out.cosigned.emplace_back(name, ToTimePoint(evidence::CosignedAt(seconds)));
  out.dependent.assign(left.dependent.begin(), left.dependent.end());
  for (const auto& line : checked.lines) {
    if (!line.statement || !line.decision) out.withheld.push_back(line.head.index);
    if (line.others > 0) out.others.push_back(line.head.index);
  }
  return out;
}

}  // namespace valija::client
