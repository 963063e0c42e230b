#include "tests/bench/sealing.h"

#include "proto/convert.h"

namespace valija::bench {
namespace {

Time Now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

}  // namespace

Sealer::Sealer(const ledger::State& directory, const client::Keyring& keys, MemberId member, policy::Policy policy,
               std::vector<AgencyId> recipients)
    : keys_(keys), member_(std::move(member)), origin_(directory.charter()->origin), policy_(std::move(policy)) {
  for (const auto& id : recipients)
    recipients_.push_back({id, crypto::KemPublicKey::FromPoint(directory.agency(id)->current()->public_key).value()});
  const auto& authority = directory.charter()->authorities.front();
  authority_.push_back({authority.id, crypto::KemPublicKey::FromPoint(authority.release_key).value()});
}

client::Submission Sealer::One(record::Window& window, std::size_t bytes) {
  window.Begin(Now()).value();
  auto named = record::NameAuthorities(window, authority_, random_);
  auto committed = record::CommitRecipients(window, 0, recipients_, random_);
  auto policy_bytes = proto::EncodePolicy(random_.Make<Salt>(), policy_);
  record::Header header{.record_id = random_.Make<RecordNonce>(),
                        .originator = member_,
                        .signing_key_id = keys_.signature.id(),
                        .time = Now(),
                        .origin = origin_,
                        .window_id = window.id(),
                        .in_reply_to = {},
                        .authorities = std::move(named.refs),
                        .portions = {}};
  header.portions.push_back({.number = 0,
                             .marking = std::string(policy::TextOf(policy_.marking)),
                             .media_type = "application/octet-stream",
                             .policy_digest = proto::PolicyDigest(policy_bytes),
                             .amend_key_id = keys_.signature.id(),
                             .recipients = std::move(committed.commitments)});
  const Bytes header_bytes = proto::EncodeHeader(header);
  const Hash ctx = record::RecordContext(header_bytes);
  auto cek = random_.MakeSecret(record::kCekSize);
  auto body = record::SealBody(cek, ctx, 0, random_.Make<crypto::CobblestoneSalt>(), Bytes(bytes, 'x'));
  std::vector<record::PortionSeal> seals;
  seals.push_back({.wraps = record::SealWraps(window, header, ctx, committed.slips, cek),
                   .body_length = body.summary.length,
                   .body_root = body.summary.root});
  client::Submission submission;
  submission.envelope.payload_type = ledger::PayloadType(ledger::Kind::kRecord);
  submission.envelope.payload = proto::EncodeRecord(header_bytes, seals);
  submission.attachments = {std::move(committed.slips), {std::move(policy_bytes)}, std::move(named.encs)};
  submission.bodies.push_back(std::move(body.bytes));
  return submission;
}

std::vector<client::Submission> Sealer::Seal(std::size_t count, std::size_t bytes, bool windowed) {
  std::vector<client::Submission> out;
  std::vector<Hash> leaves;
  auto sign = [&](std::size_t from) {
    auto batch = record::SignBatch(keys_.signature, leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i)
      out[from + i].envelope.batch = ledger::BatchProof{batch.payload, batch.signature, i, batch.paths[i]};
    leaves.clear();
  };
  std::optional<record::Window> window;
  for (std::size_t i = 0; i < count; ++i) {
    if (!window || !windowed) window.emplace(member_, keys_.signature.id(), Now(), random_);
    out.push_back(One(*window, bytes));
    leaves.push_back(record::StatementLeaf(out.back().envelope.payload_type, out.back().envelope.payload));
    if (!windowed) sign(i);
  }
  if (windowed) sign(0);
  return out;
}

}  // namespace valija::bench
