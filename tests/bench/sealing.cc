#include "tests/bench/sealing.h"

#include "core/record/batch.h"

namespace valija::bench {
namespace {

Time Now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

}  // namespace

Sealer::Sealer(const ledger::State& directory, const client::Keyring& keys, MemberId member, policy::Policy policy,
               const std::vector<AgencyId>& recipients)
    : keys_(keys),
      plan_{.originator = std::move(member),
            .signing_key = keys.signature.id(),
            .origin = directory.charter()->origin,
            .time = {},
            .in_reply_to = {},
            .authorities = {},
            .portions = {}} {
  client::PortionPlan portion{std::move(policy), "application/octet-stream", {}};
  for (const auto& id : recipients)
    portion.recipients.push_back(
        {id, crypto::KemPublicKey::FromPoint(directory.agency(id)->current()->public_key).value()});
  plan_.portions.push_back(std::move(portion));
  const auto& authority = directory.charter()->authorities.front();
  plan_.authorities.push_back({authority.id, crypto::KemPublicKey::FromPoint(authority.release_key).value()});
}

client::Submission Sealer::One(record::Window& window, std::size_t bytes) {
  window.Begin(Now()).value();
  plan_.time = Now();
  auto head = client::SealHead(window, plan_, random_);
  auto cek = random_.MakeSecret(record::kCekSize);
  auto body = record::SealBody(cek, head.ctx, 0, random_.Make<crypto::CobblestoneSalt>(), Bytes(bytes, 'x'));
  client::Submission submission;
  submission.envelope =
      client::RecordEnvelope(head, {client::SealPortion(window, head, 0, cek, body.summary, random_)});
  submission.attachments = std::move(head.attachments);
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
    if (!window || !windowed) window.emplace(plan_.originator, keys_.signature.id(), Now(), random_);
    out.push_back(One(*window, bytes));
    leaves.push_back(record::StatementLeaf(out.back().envelope.payload_type, out.back().envelope.payload));
    if (!windowed) sign(i);
  }
  if (windowed) sign(0);
  return out;
}

}  // namespace valija::bench
