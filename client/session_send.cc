// Sending: policy text -> recipients -> header -> wraps and sealed bodies -> one batch signature -> receipts.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "client/sealing.h"
#include "client/session.h"
#include "core/crypto/dsse.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/seal.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kInlineLimit = 256 << 10;              // sealed bodies up to this size travel in the Post itself
constexpr std::size_t kPostBytes = (3 << 20) + (512 << 10);  // of one Post; the broker takes 4 MiB
constexpr std::size_t kInlinePerRecord = 2 << 20;            // all portions of a record together
constexpr std::size_t kInlinePerSend = 256 << 20;  // all records of a Send together: they wait for one signature
constexpr std::size_t kPostStatements = 256;
constexpr std::size_t kReadBlock = 1 << 20;

Result<record::Urgency> UrgencyOf(const std::string& text) {
  if (text.empty()) return record::Urgency::kNone;
  if (text == "normal") return record::Urgency::kNormal;
  if (text == "urgent") return record::Urgency::kUrgent;
  if (text == "immediate") return record::Urgency::kImmediate;
  return Refuse(Reason::kUsage, "an urgency is one of: normal, urgent, immediate");
}

// A sealed body on its way: in memory when small, else in a temporary file of the profile, gone with this object. Sealed
// bytes only: the plaintext is never written anywhere.
struct OutgoingBody {
  Bytes memory;
  std::ofstream writer;
  fs::path path;
  record::BodySummary summary;
  bool inline_body() const { return path.empty(); }
  OutgoingBody() = default;
  OutgoingBody(OutgoingBody&&) = default;
  ~OutgoingBody() {
    std::error_code ignored;
    if (!path.empty()) fs::remove(path, ignored);
  }
};

}  // namespace

struct SessionCore::Prepared {
  ledger::Envelope envelope;  // without its batch proof yet
  record::Attachments attachments;
  std::vector<OutgoingBody> bodies;
  KeptSecret keys;  // the content keys, for grants
  std::size_t WireSize() const {
    std::size_t size = envelope.payload.size() + 4096;
    for (const auto& slip : attachments.slips) size += 256 + slip.agency.str().size();
    for (const auto& policy : attachments.policies) size += policy.size() + 16;
    for (const auto& body : bodies) size += body.memory.size() + 16;
    return size;
  }
};

Result<record::ReleaseAuthority> SessionCore::Authority() const {
  const auto& first = Terms().authorities.front();
  TRY(auto release_key, crypto::KemPublicKey::FromPoint(first.release_key));
  return record::ReleaseAuthority{first.id, std::move(release_key)};
}

Result<record::Window*> SessionCore::WindowForNextRecord() {
  // A window is of one signing key and one time; a directory that moved on only adds contexts to it.
  if (window_ && window_->Begin(Now())) return &*window_;
  window_made_ = Now();
  window_.emplace(profile_.member(), keys_.signature.id(), window_made_, random_);
  TRY_OK(window_->Begin(Now()));
  return &*window_;
}

Result<std::unique_ptr<SessionCore::Prepared>> SessionCore::Prepare(const Draft& draft, std::size_t& inline_left,
                                                                    const Progress& progress) {
  if (draft.portions.empty()) return Refuse(Reason::kUsage, "a record has at least one portion");
  const auto& terms = Terms();
  TRY(auto authority, Authority());
  TRY(const auto urgency, UrgencyOf(draft.urgency));
  RecordPlan plan{.originator = profile_.member(),
                  .signing_key = keys_.signature.id(),
                  .origin = terms.origin,
                  .time = {},
                  .in_reply_to = {},
                  .authorities = {std::move(authority)},
                  .portions = {},
                  .urgency = urgency};
  if (!draft.in_reply_to.empty()) {
    TRY(plan.in_reply_to, Resolve(draft.in_reply_to));
  }
  for (const auto& source : draft.sources) {
    TRY(auto digest, Resolve(source));
    plan.sources.push_back(digest);
  }
  std::sort(plan.sources.begin(), plan.sources.end());
  plan.sources.erase(std::unique(plan.sources.begin(), plan.sources.end()), plan.sources.end());
  for (const auto& portion : draft.portions) {
    TRY(auto policy, PolicyOf(portion.policy_text));
    TRY(auto recipients, RecipientsOf(policy));
    plan.portions.push_back({std::move(policy), portion.media_type, std::move(recipients)});
  }
  TRY(auto* window, WindowForNextRecord());  // after all that asks the broker: it is forgotten when its time is over
  plan.time = Now();
  auto head = SealHead(*window, plan, random_);
  auto prepared = std::make_unique<Prepared>();
  prepared->attachments = std::move(head.attachments);

  std::vector<record::PortionSeal> seals;
  crypto::Secret keys(record::kCekSize * draft.portions.size());
  std::size_t record_inline_left = kInlinePerRecord;
  for (std::uint32_t number = 0; number < draft.portions.size(); ++number) {
    const auto& portion = draft.portions[number];
    auto cek = random_.MakeSecret(record::kCekSize);
    auto salt = random_.Make<crypto::CobblestoneSalt>();
    OutgoingBody body;
    std::uint64_t total = portion.content.size();
    std::ifstream in;
    if (!portion.file.empty()) {
      std::error_code error;
      const bool regular = fs::is_regular_file(portion.file, error);  // before it is opened: a pipe would wait
      if (regular) in.open(portion.file, std::ios::binary);
      if (in.is_open()) total = fs::file_size(portion.file, error);
      if (!in.is_open() || error) return Refuse(Reason::kFile, "cannot read " + portion.file.string());
    }
    if (record::SealedBodySize(total) > terms.caps.max_body_bytes)
      return Refuse(Reason::kTooLarge,
                    "the charter allows sealed bodies of " + std::to_string(terms.caps.max_body_bytes) + " bytes");
    const std::uint64_t sealed = record::SealedBodySize(total);
    if (sealed > std::min({kInlineLimit, record_inline_left, inline_left})) {
      body.path = profile_.folder() / ("outgoing-" + random_.Make<Nonce>().Hex());
      body.writer.open(body.path, std::ios::binary | std::ios::trunc);
    } else {
      record_inline_left -= sealed;
      inline_left -= sealed;
    }
    auto sink = [&](ByteView block) -> Status {
      if (body.inline_body()) {
        Append(body.memory, block);
        return Ok();
      }
      body.writer.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(block.size()));
      if (!body.writer) return Refuse(Reason::kFile, "cannot write " + body.path.string());
      return Ok();
    };
    record::BodySealer sealer(cek, head.ctx, number, salt);
    if (portion.file.empty()) {
      TRY_OK(sealer.Update(AsBytes(portion.content), sink));
    } else {
      crypto::Secret block(std::min<std::uint64_t>(kReadBlock, total + 1));
      std::uint64_t read = 0;
      while (in) {
        in.read(reinterpret_cast<char*>(block.mutable_view().data()), static_cast<std::streamsize>(block.size()));
        auto got = static_cast<std::size_t>(in.gcount());
        if (got == 0) break;
        read += got;
        if (read > total) return Refuse(Reason::kFile, portion.file.string() + " grew while it was read");
        TRY_OK(sealer.Update(block.view().subspan(0, got), sink));
        if (progress) progress(read, total * 2);
      }
      if (in.bad() || read != total) return Refuse(Reason::kFile, portion.file.string() + " changed while it was read");
    }
    TRY(body.summary, sealer.Finish(sink));
    if (!body.inline_body()) {
      body.writer.close();
      if (!body.writer) return Refuse(Reason::kFile, "cannot write " + body.path.string());
    }
    seals.push_back(SealPortion(*window, head, number, cek, body.summary, random_));
    std::copy_n(cek.view().begin(), record::kCekSize, keys.mutable_view().begin() + number * record::kCekSize);
    prepared->bodies.push_back(std::move(body));
  }

  prepared->envelope = RecordEnvelope(head, seals);
  prepared->keys =
      SealForMyself(record::Kept::kSentKeys, DigestOf(ledger::Kind::kRecord, prepared->envelope.payload), keys);
  return prepared;
}

Status SessionCore::UploadBodies(const Prepared& prepared, const Progress& progress) {
  for (const auto& body : prepared.bodies) {
    if (body.inline_body()) continue;
    std::ifstream in(body.path, std::ios::binary);
    auto slice = [&](std::uint64_t index) -> Result<Bytes> {
      const std::uint64_t at = index * record::kSliceSize;
      Bytes bytes(std::min<std::uint64_t>(record::kSliceSize, body.summary.length - at));
      in.clear();
      in.seekg(static_cast<std::streamoff>(at));
      in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      if (!in) return Refuse(Reason::kFile, "cannot read " + body.path.string());
      if (progress) progress(body.summary.length + at + bytes.size(), body.summary.length * 2);
      return bytes;
    };
    TRY_OK(transport_->Upload(body.summary.root, body.summary.length, body.summary.slice_hashes, slice));
  }
  return Ok();
}

Result<std::vector<Result<SentRecord>>> SessionCore::Send(const std::vector<Draft>& drafts, const Progress& progress) {
  if (drafts.empty() || drafts.size() > record::kMaxBatch) return Refuse(Reason::kUsage, "1 to 65,536 records at once");
  const AnyAge fresh(*this, false);  // a stale directory may still have a member that was removed, and its epoch
  TRY_OK(Refresh());
  std::vector<Result<SentRecord>> out;
  out.reserve(drafts.size());
  std::vector<std::unique_ptr<Prepared>> ready(drafts.size());
  std::vector<Hash> leaves;
  std::size_t inline_left = kInlinePerSend;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    auto prepared = Prepare(drafts[i], inline_left, progress);
    out.push_back(prepared ? Result<SentRecord>(Refuse(Reason::kUnavailable)) : Result<SentRecord>(prepared.error()));
    if (!prepared) continue;
    if (auto uploaded = UploadBodies(**prepared, progress); !uploaded) {
      out.back() = uploaded.error();
      continue;
    }
    ready[i] = *std::move(prepared);
    leaves.push_back(record::StatementLeaf(ready[i]->envelope.payload_type, ready[i]->envelope.payload));
  }
  if (leaves.empty()) return out;
  // Before they are sent: a grant needs them, and nobody else has them.
  std::vector<KeptSecret> keys;
  for (auto& one : ready)
    if (one) keys.push_back(std::move(one->keys));
  TRY_OK(profile_.Keep("sent.log", keys));
  auto batch = record::SignBatch(keys_.signature, leaves);

  std::size_t leaf = 0;
  std::vector<std::size_t> members;
  std::vector<Submission> submissions;
  std::size_t bytes = 0;
  bool lost = false;  // an answer to what is being posted now
  auto post = [&]() -> Status {
    if (submissions.empty()) return Ok();
    lost = false;
    TRY(auto answer, PostPatiently(submissions, lost));
    TRY(auto checkpoint, verifier_.Advance(answer.view));
    for (std::size_t k = 0; k < members.size(); ++k) {
      if (!answer.outcomes[k]) {
        out[members[k]] = Unsettled(answer.outcomes[k].error(), submissions[k].envelope, lost);
        continue;
      }
      const auto& receipt = answer.outcomes[k]->receipt;
      const Digest digest = crypto::DigestOf(submissions[k].envelope.payload_type, submissions[k].envelope.payload);
      auto decision = verifier_.CheckAccepted(receipt, digest, checkpoint);
      if (!decision) {
        out[members[k]] = decision.error();
        continue;
      }
      out[members[k]] = SentRecord{digest.Hex(), receipt.head.index, ToTimePoint(receipt.head.time)};
    }
    members.clear();
    submissions.clear();
    bytes = 0;
    return Ok();
  };
  // What was posted before a failure is sent, and its senders are told; the rest has the failure for an answer.
  auto give_up = [&](const Error& error) {
    for (std::size_t k = 0; k < members.size(); ++k) out[members[k]] = Unsettled(error, submissions[k].envelope, lost);
    for (std::size_t i = 0; i < drafts.size(); ++i)
      if (ready[i]) out[i] = error;
    return std::move(out);
  };
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (!ready[i]) continue;
    auto& one = *ready[i];
    if (submissions.size() == kPostStatements || (bytes > 0 && bytes + one.WireSize() > kPostBytes)) {
      if (auto posted = post(); !posted) return give_up(posted.error());
    }
    bytes += one.WireSize();
    one.envelope.batch = ledger::BatchProof{batch.payload, batch.signature, leaf, batch.paths[leaf]};
    ++leaf;
    Submission submission{std::move(one.envelope), std::move(one.attachments), {}};
    for (auto& body : one.bodies)
      if (body.inline_body()) submission.bodies.push_back(std::move(body.memory));
    submissions.push_back(std::move(submission));
    members.push_back(i);
    ready[i].reset();
  }
  if (auto posted = post(); !posted) return give_up(posted.error());
  return out;
}

}  // namespace valija::client
