// Opening: one signed request, the entry's proof verified, and only then the released shares are used (sealing.md 6).
#include <algorithm>
#include <atomic>
#include <future>
#include <set>

#include "client/opening.h"
#include "core/crypto/dsse.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/release.h"
#include "core/record/slip.h"

namespace valija::client {
namespace {

constexpr std::size_t kInMemoryLimit = std::size_t{64} << 20;
constexpr std::size_t kBodiesAtOnce = 4;
constexpr std::uint64_t kSmallBody = 64 << 10;
constexpr Duration kRequestLifetime = std::chrono::minutes(2);

Error RefusalOf(const ledger::Verdict& verdict, const Digest& request) {
  std::string all;
  for (std::size_t i = 1; i < verdict.reasons.size(); ++i)
    all += (i == 1 ? "also: " : ", ") + std::string(CodeOf(verdict.reasons[i]));
  if (verdict.reasons == std::vector{Reason::kApprovalMissing}) all = "request " + request.Hex();
  return Refuse(verdict.reasons.front(), all);
}

// A small body is little more than a round trip, so a few are fetched at once.
template <class F>
void FewAtOnce(std::size_t count, F fetch) {
  std::atomic<std::size_t> at{0};
  auto some = [&] {
    for (std::size_t i = at++; i < count; i = at++) fetch(i);
  };
  std::vector<std::future<void>> beside;
  for (std::size_t n = 1; n < std::min(kBodiesAtOnce, count); ++n)
    beside.push_back(std::async(std::launch::async, some));
  some();
  for (auto& other : beside) other.get();
}

}  // namespace

Result<std::unique_ptr<SessionCore::Wanted>> SessionCore::Want(const Digest& digest, std::uint32_t portion,
                                                               std::size_t place) {
  TRY(const auto* record, FindContent(digest));
  TRY(const auto* original, FindContent(OriginalOf(*record)));
  if (original->statement->kind != ledger::Kind::kRecord)
    return Refuse(Reason::kBadProof, "a grant of what is no record");
  auto one = std::make_unique<Wanted>(*record, *original, profile_.member().agency());
  one->place = place;
  one->portion = portion;
  one->head = record::FindPortion(HeaderOf(one->record), portion);
  const auto& whole = one->whole();
  if (one->head == nullptr || record::FindPortion(whole.header, portion) == nullptr)
    return Refuse(Reason::kNotFound, "the record has no portion " + std::to_string(portion));
  one->seal = &whole.portions.at(portion);
  // Without a slip there is no key half for us; the request is made all the same, since the refusal belongs in the
  // log, with a key id that stands for none.
  for (const auto& slip : one->record.statement->attachments.slips)
    if (slip.portion == portion && slip.agency == profile_.member().agency()) one->slip = slip;
  const auto& header = HeaderOf(one->record);
  if (header.authorities.size() != 1)
    return Refuse(Reason::kNotReady, "the record names several release authorities; this client asks one");
  if (header.authorities[0].id != Terms().authorities.front().id)
    return Refuse(Reason::kNotReady, "the record is released by another authority");
  return one;
}

Status SessionCore::Wanted::WriteTo(const std::filesystem::path& output, bool begin_anew) {
  // Before it is asked for: an opening is counted, also when its content then has nowhere to go.
  if (!output.empty()) {
    TRY(file, PlainFile::Make(output, begin_anew));
  } else if (seal->body_length > kInMemoryLimit + (kInMemoryLimit >> 3)) {
    return Refuse(Reason::kUsage, "it is too large for memory; give an output file");
  }
  return Ok();
}

Result<std::vector<Result<OpenedPortion>>> SessionCore::Open(const std::vector<OpenRequest>& requests,
                                                             const Progress& progress) {
  if (requests.empty() || requests.size() > 256) return Refuse(Reason::kUsage, "1 to 256 portions at once");
  const AnyAge fresh(*this, false);
  const bool at_once = CanAskAtOnce(requests);
  if (!at_once) TRY_OK(Sync());
  std::vector<Result<OpenedPortion>> out(requests.size(), Result<OpenedPortion>(Refuse(Reason::kUnavailable)));
  const auto& first = requests[0];
  Asked asked{first.purpose, first.case_reference, {}, first.emergency, first.wait, first.waiting, at_once};
  if (!first.approved_request.empty()) {
    TRY(const auto* approved, ResolveStatement(first.approved_request, ledger::Kind::kOpen));
    asked.approved = approved->statement->digest;
  }

  std::vector<std::unique_ptr<Wanted>> wanted;
  std::set<std::pair<Digest, std::uint32_t>> seen;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& request = requests[i];
    auto look = [&]() -> Result<std::unique_ptr<Wanted>> {
      if (request.purpose != first.purpose || request.case_reference != first.case_reference ||
          request.approved_request != first.approved_request || request.emergency != first.emergency)
        return Refuse(Reason::kUsage, "one request states one purpose and one case");
      TRY(auto digest, Resolve(request.record));
      if (!seen.emplace(digest, request.portion).second)
        return Refuse(Reason::kUsage, "the same portion is asked for twice");
      TRY(auto one, Want(digest, request.portion, i));
      TRY_OK(one->WriteTo(request.output));
      return one;
    }();
    if (look)
      wanted.push_back(*std::move(look));
    else
      out[i] = look.error();
  }
  // An originator is shown every request for its records: one that names others' too would tell it of them.
  std::map<AgencyId, std::vector<Wanted*>> by_originator;
  for (const auto& one : wanted) by_originator[one->whole().header.originator.agency()].push_back(one.get());
  for (const auto& [agency, together] : by_originator) {
    auto entry = RequestKeys(together, asked, out);
    if (!entry && at_once && entry.error().reason == Reason::kBadTime) {  // the charter may allow less time by now
      TRY_OK(Sync());
      asked.at_once = false;
      entry = RequestKeys(together, asked, out);
    }
    if (entry) FetchBodies(together, *entry, progress, out);
    if (!entry) {
      looked_to_ = 0;
      for (const auto* one : together) out[one->place] = entry.error();
    }
  }
  return out;
}

bool SessionCore::CanAskAtOnce(const std::vector<OpenRequest>& requests) {
  if (looked_to_ == 0 || profile_.forked() || !verifier_.CheckFresh()) return false;
  return std::all_of(requests.begin(), requests.end(), [this](const OpenRequest& request) {
    const auto digest = Digest::FromHexText(request.record);
    const auto* record = digest ? KnownRecord(*digest) : nullptr;
    if (record == nullptr || record->erased_by || !request.approved_request.empty()) return false;
    const auto& slips = record->statement->attachments.slips;
    return std::any_of(slips.begin(), slips.end(), [&](const record::Slip& slip) {
      return slip.portion == request.portion && slip.agency == profile_.member().agency() &&
             EpochKey(slip.epoch_key_id);
    });
  });
}

Result<std::uint64_t> SessionCore::RequestKeys(const std::vector<Wanted*>& wanted, const Asked& asked,
                                               std::vector<Result<OpenedPortion>>& out) {
  // ---- the request ----
  auto reply_key = crypto::KemPrivateKey::Generate(random_);
  ledger::Open open{.by = By(),
                    .items = {},
                    .agency = profile_.member().agency(),
                    .purpose = asked.purpose,
                    .case_reference = asked.case_reference,
                    .reply_key = reply_key.public_key().point(),
                    .checkpoint_size = profile_.pin()->size(),
                    .checkpoint_root = profile_.pin()->root(),
                    .expires = {},
                    .approved_request = asked.approved,
                    .emergency = asked.emergency};
  const Duration most = std::chrono::seconds(Terms().caps.request_lifetime_seconds);
  open.expires = open.by.time + std::min<Duration>(asked.wait.count() != 0 ? asked.wait : kRequestLifetime, most);
  TRY(const auto* agency, MyAgency());
  for (const auto& one : wanted) {
    KeyId key = one->slip.epoch_key_id;
    if (key.IsZero() && agency->current() != nullptr) key = agency->current()->key_id;
    open.items.push_back({one->record.statement->digest, one->portion, key});
  }
  ledger::Envelope envelope;
  envelope.payload_type = ledger::PayloadType(ledger::Kind::kOpen);
  envelope.payload = proto::EncodeOpen(open);
  const Digest request_digest = crypto::DigestOf(envelope.payload_type, envelope.payload);
  auto batch = record::SignBatch(keys_.signature, {record::StatementLeaf(envelope.payload_type, envelope.payload)});
  envelope.batch = ledger::BatchProof{batch.payload, batch.signature, 0, batch.paths[0]};
  std::vector<Submission> submissions(1);
  submissions[0].envelope = std::move(envelope);
  // The very same statement, should the answer be lost: it is decided once, and until it expires it is answered again.
  bool lost = false;
  const std::function<void()> fetch = [&] {
    if (asked.at_once) FetchSealed(wanted);
  };
  auto post = [&]() -> Result<PostAnswer> {
    auto posted = PostPatiently(submissions, lost, open.expires, asked.waiting, fetch);
    if (!posted) return Unsettled(posted.error(), submissions[0].envelope, lost);
    if (!posted->outcomes[0]) return Unsettled(posted->outcomes[0].error(), submissions[0].envelope, lost);
    return posted;
  };
  TRY(auto answer, post());

  // ---- the proof, before any share is touched ----
  auto shown = verifier_.Advance(answer.view);
  if (!shown && shown.error().reason == Reason::kBadCheckpoint) {  // an amendment may have given the log another key
    TRY_OK(Refresh());
    lost = true;
    TRY(answer, post());
    shown = verifier_.Advance(answer.view);
  }
  TRY(const auto checkpoint, std::move(shown));
  if (!any_age_) TRY_OK(WaitFresh());
  const auto& accepted = *answer.outcomes[0];
  const std::uint64_t index = accepted.receipt.head.index;
  TRY(auto decision, verifier_.CheckReceipt(accepted.receipt, request_digest, checkpoint));
  // An amendment by which it was decided must be known: what came before this entry is looked at, unless nothing did.
  if (index == looked_to_)
    looked_to_ = index + 1;
  else if (index > looked_to_)
    TRY_OK(LookAtMail());
  if (decision.verdicts.size() != wanted.size())
    return Refuse(Reason::kWrongRelease, "the decision judges another number of portions");
  std::size_t allowed = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& verdict = decision.verdicts[i];
    if (verdict.record != wanted[i]->record.statement->digest || verdict.portion != wanted[i]->portion)
      return Refuse(Reason::kWrongRelease, "the decision judges other portions than were asked for");
    if (verdict.allowed())
      ++allowed;
    else
      out[wanted[i]->place] = RefusalOf(verdict, asked.approved.value_or(request_digest));
  }
  if (allowed == 0) return index;
  TRY_OK(Covered(index, decision));
  // Where there are witnesses the broker may have waited for them within the one post.
  if (accepted.releases.empty() && (lost || verifier_.directory().witness_policy() != nullptr))
    return Refuse(Reason::kReplayed, "the answer was lost or late, and what entry " + std::to_string(index) +
                                         " granted is not released again: something has changed since; ask anew");
  if (accepted.releases.size() != 1) return Refuse(Reason::kWrongRelease, "not one release");
  const auto& release = accepted.releases[0];
  if (release.authority != decision.authority) return Refuse(Reason::kWrongRelease, "released by another authority");
  record::ReleaseBinding binding{request_digest,
                                 crypto::DigestOf(ledger::kDecisionType, accepted.receipt.decision_bytes),
                                 release.authority, open.agency, keys_.signature.id()};
  TRY(auto shares, record::OpenRelease(binding, reply_key, release.enc, release.ciphertext, allowed));
  TRY_OK(UseShares(wanted, decision.verdicts, shares, index, out));
  for (auto* one : wanted) one->unwitnessed = decision.unwitnessed;
  return index;
}

Status SessionCore::Covered(std::uint64_t index, const ledger::Decision& decision) {
  if (verifier_.CheckCovered(index, decision)) return Ok();
  TRY_OK(Refresh());
  return verifier_.CheckCovered(index, decision);
}

Mail::InForce SessionCore::PolicyInForce(const VerifiedEntry& record, std::uint32_t portion,
                                         std::uint64_t index) const {
  return mail_.PolicyOf(record, portion, index, [&](const MemberId& member, const KeyId& key, std::uint64_t at) {
    return verifier_.MightAmend(member, key, at);
  });
}

// The policy that was decided on is the one under the originator's signature: the header's, or that of an amendment that
// was the last before the decision.
bool SessionCore::DecidedUnderPolicyInForce(const Wanted& one, const ledger::Verdict& verdict,
                                            std::uint64_t index) const {
  const auto in_force = PolicyInForce(one.record, one.portion, index);
  return verdict.policy_digest == in_force.digest && verdict.policy_sequence == in_force.sequence;
}

Status SessionCore::UseShares(const std::vector<Wanted*>& wanted, const std::vector<ledger::Verdict>& verdicts,
                              const std::vector<crypto::Secret>& shares, std::uint64_t index,
                              std::vector<Result<OpenedPortion>>& out) {
  bool known = true;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    known = known && (!verdicts[i].allowed() || DecidedUnderPolicyInForce(*wanted[i], verdicts[i], index));
  if (!known) TRY_OK(Sync());  // it may have been amended a moment ago
  std::size_t next = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!verdicts[i].allowed()) continue;
    const auto& share = shares.at(next++);
    auto cek = DecidedUnderPolicyInForce(*wanted[i], verdicts[i], index)
                   ? ContentKey(*wanted[i], share)
                   : Refuse(Reason::kWrongRelease, "decided under a policy that is not the record's");
    if (cek)
      wanted[i]->cek = *std::move(cek);
    else
      out[wanted[i]->place] = cek.error();
  }
  return Ok();
}

Result<crypto::Secret> SessionCore::ContentKey(const Wanted& one, const crypto::Secret& share) {
  TRY_OK(record::CheckSlip(HeaderOf(one.record), one.slip));
  TRY(const auto* epoch_key, EpochKey(one.slip.epoch_key_id));
  const auto* grant = PayloadOf<ledger::Grant>(one.record);
  if (grant == nullptr) return record::OpenCek(one.whole(), one.slip, *epoch_key, std::span(&share, 1), contexts_);
  // Its wraps are under its own header; of the body there is nothing in it.
  record::RecordPayload wraps{grant->header_bytes, grant->header, grant->ctx, {}};
  for (const auto& of_portion : grant->wraps) wraps.portions.push_back({of_portion, 0, {}});
  return record::OpenCek(wraps, one.slip, *epoch_key, std::span(&share, 1), contexts_);
}

void SessionCore::FetchSealed(const std::vector<Wanted*>& wanted) const {
  std::vector<Wanted*> small;
  for (auto* one : wanted)
    if (one->seal->body_length <= kSmallBody && !one->sealed) small.push_back(one);
  FewAtOnce(small.size(), [&](std::size_t i) {
    SealedBody body;
    std::uint64_t left = small[i]->seal->body_length;
    const auto fetched = transport_->Download(
        small[i]->record.statement->digest, small[i]->head->number, 1,
        [&](const BodyStream& stream) -> Status { return body.stream = stream, Ok(); },
        [&](std::uint64_t, ByteView slice) -> Status {
          if (slice.size() > left) return Refuse(Reason::kBadBody, "another length than was signed");
          left -= slice.size();
          body.slices.push_back(ToBytes(slice));
          return Ok();
        });
    if (fetched) small[i]->sealed = std::move(body);
  });
}

void SessionCore::FetchBodies(const std::vector<Wanted*>& wanted, std::uint64_t entry, const Progress& progress,
                              std::vector<Result<OpenedPortion>>& out) const {
  std::vector<Wanted*> ready;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(ready), [](auto* one) { return !one->cek.empty(); });
  auto fetch = [&](std::size_t i) { out[ready[i]->place] = FetchBody(*ready[i], entry, progress); };
  if (progress)  // which is told of one body at a time, from the caller's thread
    for (std::size_t i = 0; i < ready.size(); ++i) fetch(i);
  else
    FewAtOnce(ready.size(), fetch);
  // The broker may allow a member fewer streams. The openings are in the log: their bodies must not fail for that.
  for (auto* one : ready)
    if (auto& opened = out[one->place]; !opened && opened.error().reason == Reason::kTooMany)
      opened = FetchBody(*one, entry, progress);
}

Result<OpenedPortion> SessionCore::FetchBody(Wanted& one, std::uint64_t entry, const Progress& progress) const {
  OpenedPortion opened;
  opened.id = one.record.statement->digest.Hex();
  opened.portion = one.head->number;
  opened.marking = one.head->marking;
  opened.media_type = one.head->media_type;
  opened.entry = entry;
  opened.unwitnessed = one.unwitnessed;
  if (one.file) TRY_OK(one.file->Restart());  // an earlier try may have ended after some slices
  auto sink = [&](ByteView block) -> Status {
    if (one.file) return one.file->Write(block);
    opened.content.append(AsText(block));
    return Ok();
  };
  std::optional<record::BodyOpener> opener;
  auto begin = [&](const BodyStream& body) -> Status {
    if (body.length != one.seal->body_length) return Refuse(Reason::kBadBody, "another length than was signed");
    TRY(auto slices, record::SliceList::Check(body.length, one.seal->body_root, body.slice_hashes));
    opener.emplace(one.cek, one.whole().ctx, one.head->number, std::move(slices));
    return Ok();
  };
  auto take = [&](std::uint64_t index, ByteView slice) -> Status {
    if (!opener) return Refuse(Reason::kBadBody, "slices before their hashes");
    TRY_OK(opener->Update(slice, sink));
    if (progress)
      progress(std::min<std::uint64_t>((index + 1) * record::kSliceSize, one.seal->body_length), one.seal->body_length);
    return Ok();
  };
  if (const auto sealed = std::exchange(one.sealed, std::nullopt)) {
    TRY_OK(begin(sealed->stream));
    for (std::size_t i = 0; i < sealed->slices.size(); ++i) TRY_OK(take(i, sealed->slices[i]));
  } else {
    TRY_OK(transport_->Download(one.record.statement->digest, one.head->number,
                                (one.seal->body_length + record::kSliceSize - 1) / record::kSliceSize, begin, take));
  }
  if (!opener) return Refuse(Reason::kBadBody, "the broker sent no body");
  TRY_OK(opener->Finish(sink));
  opened.bytes = opener->plain_length();
  if (one.file) TRY_OK(one.file->Commit());
  return opened;
}

}  // namespace valija::client
