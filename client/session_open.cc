// Opening: one signed request, the entry's proof verified, and only then the released shares are used (sealing.md 6).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>

#include "client/session.h"
#include "core/crypto/dsse.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/release.h"
#include "core/record/seal.h"
#include "core/record/slip.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kInMemoryLimit = std::size_t{64} << 20;
constexpr std::size_t kBodiesAtOnce = 4;
constexpr Duration kRequestLifetime = std::chrono::minutes(2);

// Plaintext on its way to disk: a new file, 0600, beside its place; renamed there only when all of it held.
class PlainFile {
 public:
  static Result<std::unique_ptr<PlainFile>> Make(const fs::path& path) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(path, ignored))) return Refuse(Reason::kExists, path.string());
    auto file = std::make_unique<PlainFile>();
    file->path_ = path;
    file->part_ = path;
    file->part_ += ".part";
    file->fd_ = ::open(file->part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->fd_ < 0)
      return Refuse(errno == EEXIST ? Reason::kExists : Reason::kFile, "cannot make " + file->part_.string());
    return file;
  }
  ~PlainFile() {
    if (fd_ >= 0) ::close(fd_);
    std::error_code ignored;
    if (!done_ && fd_ >= 0) fs::remove(part_, ignored);
  }
  Status Write(ByteView block) {
    while (!block.empty()) {
      auto wrote = ::write(fd_, block.data(), block.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return Refuse(Reason::kFile, "cannot write " + part_.string());
      block = block.subspan(static_cast<std::size_t>(wrote));
    }
    return Ok();
  }
  // Empty again, for a body that is fetched once more.
  Status Restart() {
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0)
      return Refuse(Reason::kFile, "cannot write " + part_.string());
    return Ok();
  }
  Status Commit() {
    if (::fsync(fd_) != 0) return Refuse(Reason::kFile, "cannot write " + part_.string());
    // Neither replaces what came there meanwhile; the second is for file systems that do not know the first.
    if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST) return Refuse(Reason::kExists, path_.string());
      if (::link(part_.c_str(), path_.c_str()) != 0)
        return Refuse(errno == EEXIST ? Reason::kExists : Reason::kFile, path_.string());
      ::unlink(part_.c_str());
    }
    done_ = true;
    return Ok();
  }

 private:
  fs::path path_, part_;
  int fd_ = -1;
  bool done_ = false;
};

Error RefusalOf(const ledger::Verdict& verdict) {
  std::string all;
  for (std::size_t i = 1; i < verdict.reasons.size(); ++i)
    all += (i == 1 ? "also: " : ", ") + std::string(CodeOf(verdict.reasons[i]));
  return Refuse(verdict.reasons.front(), all);
}

}  // namespace

struct SessionCore::Wanted {
  const OpenRequest* request = nullptr;
  std::size_t place = 0;  // in the answer
  VerifiedEntry record;
  record::Slip slip;
  const record::PortionHead* head = nullptr;
  const record::PortionSeal* seal = nullptr;
  std::unique_ptr<PlainFile> file;
  crypto::Secret cek;  // once the release was opened
  const record::RecordPayload& payload() const { return std::get<ledger::Record>(record.statement->payload).payload; }
};

Result<std::vector<Result<OpenedPortion>>> SessionCore::Open(const std::vector<OpenRequest>& requests,
                                                             const Progress& progress) {
  if (requests.empty() || requests.size() > 256) return Refuse(Reason::kUsage, "1 to 256 portions at once");
  TRY_OK(Refresh());
  std::vector<Result<OpenedPortion>> out(requests.size(), Result<OpenedPortion>(Refuse(Reason::kUnavailable)));

  std::vector<std::unique_ptr<Wanted>> wanted;
  std::set<std::pair<Digest, std::uint32_t>> seen;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto look = [&]() -> Result<std::unique_ptr<Wanted>> {
      if (requests[i].purpose != requests[0].purpose || requests[i].case_reference != requests[0].case_reference)
        return Refuse(Reason::kUsage, "one request states one purpose and one case");
      TRY(auto digest, Resolve(requests[i].record));
      if (!seen.emplace(digest, requests[i].portion).second)
        return Refuse(Reason::kUsage, "the same portion is asked for twice");
      TRY(auto record, FindRecord(digest));
      auto one = std::make_unique<Wanted>(Wanted{&requests[i],
                                                 i,
                                                 std::move(record),
                                                 {0, 0, {}, profile_.member().agency(), {}, {}},
                                                 nullptr,
                                                 nullptr,
                                                 nullptr,
                                                 {}});
      const auto& payload = one->payload();
      one->head = record::FindPortion(payload.header, requests[i].portion);
      if (one->head == nullptr)
        return Refuse(Reason::kNotFound, "the record has no portion " + std::to_string(requests[i].portion));
      one->seal = &payload.portions[static_cast<std::size_t>(one->head - payload.header.portions.data())];
      // Without a slip there is no key half for us; the request is made all the same, since the refusal belongs in the
      // log, with a key id that stands for none.
      for (const auto& slip : one->record.statement->attachments.slips)
        if (slip.portion == requests[i].portion && slip.agency == profile_.member().agency()) one->slip = slip;
      if (payload.header.authorities.size() != 1)
        return Refuse(Reason::kNotReady, "the record names several release authorities; this client asks one");
      if (payload.header.authorities[0].id != profile_.charter_terms().authorities.front().id)
        return Refuse(Reason::kNotReady, "the record is released by another authority");
      // Before it is asked for: an opening is counted, also when its content then has nowhere to go.
      if (!one->request->output.empty()) {
        TRY(one->file, PlainFile::Make(one->request->output));
      } else if (one->seal->body_length > kInMemoryLimit + (kInMemoryLimit >> 3)) {
        return Refuse(Reason::kUsage, "it is too large for memory; give an output file");
      }
      return one;
    }();
    if (look)
      wanted.push_back(*std::move(look));
    else
      out[i] = look.error();
  }
  // An originator is shown every request for its records: one that names others' too would tell it of them.
  std::map<AgencyId, std::vector<Wanted*>> by_originator;
  for (const auto& one : wanted) by_originator[one->payload().header.originator.agency()].push_back(one.get());
  for (const auto& [agency, together] : by_originator)
    if (auto opened = OpenTogether(together, progress, out); !opened)
      for (const auto* one : together) out[one->place] = opened.error();
  return out;
}

Status SessionCore::OpenTogether(const std::vector<Wanted*>& wanted, const Progress& progress,
                                 std::vector<Result<OpenedPortion>>& out) {
  // ---- the request ----
  auto reply_key = crypto::KemPrivateKey::Generate(random_);
  ledger::Open open{.by = By(),
                    .items = {},
                    .agency = profile_.member().agency(),
                    .purpose = wanted[0]->request->purpose,
                    .case_reference = wanted[0]->request->case_reference,
                    .reply_key = reply_key.public_key().point(),
                    .checkpoint_size = profile_.pin()->size(),
                    .checkpoint_root = profile_.pin()->root(),
                    .expires = {}};
  open.expires =
      open.by.time + std::min<Duration>(kRequestLifetime,
                                        std::chrono::seconds(profile_.charter_terms().caps.request_lifetime_seconds));
  for (const auto& one : wanted) {
    KeyId key = one->slip.epoch_key_id;
    if (key.IsZero() && MyAgency().current() != nullptr) key = MyAgency().current()->key_id;
    open.items.push_back({one->record.statement->digest, one->request->portion, key});
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
  auto posted = PostPatiently(submissions, lost, open.expires);
  if (!posted) return Unsettled(posted.error(), submissions[0].envelope, lost);
  const auto& answer = *posted;
  if (!answer.outcomes[0]) return Unsettled(answer.outcomes[0].error(), submissions[0].envelope, lost);

  // ---- the proof, before any share is touched ----
  TRY(auto checkpoint, verifier_.Advance(answer.view));
  const auto& accepted = *answer.outcomes[0];
  TRY(auto decision, verifier_.CheckReceipt(accepted.receipt, request_digest, checkpoint));
  if (decision.verdicts.size() != wanted.size())
    return Refuse(Reason::kWrongRelease, "the decision judges another number of portions");
  std::size_t allowed = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& verdict = decision.verdicts[i];
    if (verdict.record != wanted[i]->record.statement->digest || verdict.portion != wanted[i]->request->portion)
      return Refuse(Reason::kWrongRelease, "the decision judges other portions than were asked for");
    if (verdict.allowed())
      ++allowed;
    else
      out[wanted[i]->place] = RefusalOf(verdict);
  }
  if (allowed == 0) return Ok();
  if (lost && accepted.releases.empty())
    return Refuse(Reason::kReplayed, "the answer was lost, and what entry " +
                                         std::to_string(accepted.receipt.head.index) +
                                         " granted is not released again: something has changed since; ask anew");
  if (accepted.releases.size() != 1) return Refuse(Reason::kWrongRelease, "not one release");
  const auto& release = accepted.releases[0];
  if (release.authority != decision.authority) return Refuse(Reason::kWrongRelease, "released by another authority");
  record::ReleaseBinding binding{request_digest,
                                 crypto::DigestOf(ledger::kDecisionType, accepted.receipt.decision_bytes),
                                 release.authority, open.agency, keys_.signature.id()};
  TRY(auto shares, record::OpenRelease(binding, reply_key, release.enc, release.ciphertext, allowed));

  // ---- the content keys ----
  std::size_t next = 0;
  std::vector<Wanted*> ready;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!decision.verdicts[i].allowed()) continue;
    const auto& share = shares[next++];
    auto cek = [&]() -> Result<crypto::Secret> {
      // The policy that was decided on is the one under the originator's signature.
      if (decision.verdicts[i].policy_digest != wanted[i]->head->policy_digest)
        return Refuse(Reason::kWrongRelease, "decided under a policy that is not the record's");
      return ContentKey(*wanted[i], share);
    }();
    if (!cek) {
      out[wanted[i]->place] = cek.error();
      continue;
    }
    wanted[i]->cek = *std::move(cek);
    ready.push_back(wanted[i]);
  }

  // ---- the bodies: a small one is little more than a round trip, so a few are fetched at once ----
  std::atomic<std::size_t> at{0};
  auto fetch = [&] {
    for (std::size_t i = at++; i < ready.size(); i = at++)
      out[ready[i]->place] = FetchBody(*ready[i], accepted.receipt.head.index, progress);
  };
  std::vector<std::future<void>> beside;
  if (!progress)  // which is told of one body at a time, from the caller's thread
    for (std::size_t n = 1; n < std::min(kBodiesAtOnce, ready.size()); ++n)
      beside.push_back(std::async(std::launch::async, fetch));
  fetch();
  for (auto& other : beside) other.get();
  // The broker may allow a member fewer streams. The openings are in the log: their bodies must not fail for that.
  for (auto* one : ready)
    if (auto& opened = out[one->place]; !opened && opened.error().reason == Reason::kTooMany)
      opened = FetchBody(*one, accepted.receipt.head.index, progress);
  return Ok();
}

Result<crypto::Secret> SessionCore::ContentKey(const Wanted& one, const crypto::Secret& share) {
  TRY_OK(record::CheckSlip(one.payload().header, one.slip));
  TRY(const auto* epoch_key, EpochKey(one.slip.epoch_key_id));
  return record::OpenCek(one.payload(), one.slip, *epoch_key, std::span(&share, 1), contexts_);
}

Result<OpenedPortion> SessionCore::FetchBody(Wanted& one, std::uint64_t entry, const Progress& progress) const {
  OpenedPortion opened;
  opened.id = one.record.statement->digest.Hex();
  opened.portion = one.head->number;
  opened.marking = one.head->marking;
  opened.media_type = one.head->media_type;
  opened.entry = entry;
  if (one.file) TRY_OK(one.file->Restart());  // an earlier try may have ended after some slices
  auto sink = [&](ByteView block) -> Status {
    if (one.file) return one.file->Write(block);
    opened.content.append(AsText(block));
    return Ok();
  };
  std::optional<record::BodyOpener> opener;
  auto downloaded = transport_->Download(
      one.record.statement->digest, one.head->number,
      (one.seal->body_length + record::kSliceSize - 1) / record::kSliceSize,
      [&](const BodyStream& body) -> Status {
        if (body.length != one.seal->body_length) return Refuse(Reason::kBadBody, "another length than was signed");
        TRY(auto slices, record::SliceList::Check(body.length, one.seal->body_root, body.slice_hashes));
        opener.emplace(one.cek, one.payload().ctx, one.head->number, std::move(slices));
        return Ok();
      },
      [&](std::uint64_t index, ByteView slice) -> Status {
        if (!opener) return Refuse(Reason::kBadBody, "slices before their hashes");
        TRY_OK(opener->Update(slice, sink));
        if (progress)
          progress(std::min<std::uint64_t>((index + 1) * record::kSliceSize, one.seal->body_length),
                   one.seal->body_length);
        return Ok();
      });
  TRY_OK(downloaded);
  if (!opener) return Refuse(Reason::kBadBody, "the broker sent no body");
  TRY_OK(opener->Finish(sink));
  opened.bytes = opener->plain_length();
  if (one.file) TRY_OK(one.file->Commit());
  return opened;
}

}  // namespace valija::client
