// An evidence bundle: a record's custody as I may see it, with everything that proves it offline, in a file that I sign.
#include <algorithm>
#include <map>
#include <thread>

#include "client/session.h"
#include "client/withhold.h"
#include "core/crypto/dsse.h"
#include "core/crypto/hash.h"
#include "core/io/file.h"
#include "audit/evidence/check.h"
#include "audit/evidence/story.h"
#include "proto/bundle.h"

namespace valija::client {
namespace {

using Entries = std::map<std::uint64_t, proto::LoggedEntry>;

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

// What is to be shown, by index; and who must be known for it.
Result<std::set<MemberId>> SessionCore::Gather(const Digest& record, const Withhold& withhold, Entries& out) {
  std::set<MemberId> authors = {profile_.member()};
  std::set<std::uint64_t> purges, shown;
  std::set<Digest> orders;
  TRY_OK(WalkCustody(record, [&](const ProvedEntry& proved, const VerifiedEntry& entry, const NewsItem&) -> Status {
    const std::uint64_t index = entry.head.index;
    out.emplace(index, withhold.Apply(proved.entry, entry));
    if (withhold.Statement(entry)) return Ok();
    shown.insert(index);
    if (const auto by = ledger::AuthorshipOf(*entry.statement)) authors.insert(by->author);
    if (entry.erased_by) purges.insert(*entry.erased_by);
    if (const auto* opening = PayloadOf<ledger::StandingOpening>(entry)) {
      authors.insert(opening->member);
      orders.insert(opening->order);
    }
    return Ok();
  }));
  for (const auto& order : orders) {
    auto proved = ProvedOrder(order);
    if (!proved && proved.error().reason == Reason::kNotFound)
      continue;  // not for me: the bundle says that it is not here
    if (!proved) return proved.error();
    const auto& entry = fetched_.at(order);
    out.emplace(entry.head.index, withhold.Apply(proved->entry, entry));
    if (withhold.Statement(entry)) continue;
    if (entry.erased_by) purges.insert(*entry.erased_by);
    if (const auto by = ledger::AuthorshipOf(*entry.statement)) authors.insert(by->author);
  }
  for (const auto purge : purges)
    if (!shown.contains(purge))
      return Refuse(Reason::kUsage, "what the purge of entry " + std::to_string(purge) +
                                        " left cannot be shown without it: withhold both, or neither");
  for (const auto index : withhold.entries())
    if (!out.contains(index))
      return Refuse(Reason::kUsage, "entry " + std::to_string(index) + " is not of the record's custody");
  return authors;
}

// Waits until the witnesses have cosigned a tree that has this entry.
Result<SessionCore::CosignedNote> SessionCore::CosignedWith(
    std::uint64_t index, const std::function<bool(const std::string& missing)>& wait) {
  for (;;) {
    TRY(const auto policies, verifier_.Policies());
    TRY(auto view, transport_->Checkpoint(verifier_.verified_size()));
    TRY_OK(verifier_.Advance(view));
    TRY(auto under, NewestCosigned(view, policies.now().quorum() != "none"));
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
  Entries entries;
  TRY(auto authors, Gather(record, withhold, entries));
  TRY(auto directory, DirectoryOf(std::move(authors), profile_.Load("directory.log")));
  entries.merge(std::move(directory));
  TRY(const auto under, CosignedWith(entries.rbegin()->first, [&](const std::string& missing) {
        if (Now() + pause_ >= until) return false;
        if (request.waiting) request.waiting(missing);
        std::this_thread::sleep_for(pause_);
        return true;
      }));
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
  SavedBundle out{record.Hex(), checked.lines.size(), checked.under.checkpoint.size, {}, {}};
  for (const auto& [name, seconds] : checked.under.cosigned)
    out.cosigned.emplace_back(name, ToTimePoint(evidence::CosignedAt(seconds)));
  for (const auto& line : checked.lines)
    if (!line.statement || !line.decision) out.withheld.push_back(line.head.index);
  return out;
}

}  // namespace valija::client
