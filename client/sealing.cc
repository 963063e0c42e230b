#include "client/sealing.h"

#include <algorithm>

#include "core/record/slip.h"
#include "proto/convert.h"

namespace valija::client {
namespace {

constexpr std::size_t kFewestRecipients = 4;

bool IsDecoy(const record::Slip& slip) { return slip.agency.str() == record::kDecoyAgency; }

// Commitments to nobody, in their places among the others. Only who is shown the slips can tell them apart.
void AddDecoys(record::CommittedRecipients& committed, std::uint32_t portion, crypto::Random& random) {
  const std::size_t wanted = PaddedRecipients(committed.slips.size());
  if (committed.slips.size() == wanted) return;
  const Point enc = crypto::KemPrivateKey::Generate(random).public_key().point();
  std::vector<std::pair<Commitment, record::Slip>> all;
  for (std::size_t i = 0; i < committed.slips.size(); ++i)
    all.emplace_back(committed.commitments[i], std::move(committed.slips[i]));
  while (all.size() < wanted) {
    record::Slip slip{portion, 0, random.Make<Salt>(), *AgencyId::Parse(record::kDecoyAgency), random.Make<KeyId>(),
                      enc};
    const Commitment commitment = record::CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc);
    all.emplace_back(commitment, std::move(slip));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  committed = {};
  for (auto& [commitment, slip] : all) {
    slip.index = static_cast<std::uint32_t>(committed.slips.size());
    committed.commitments.push_back(commitment);
    committed.slips.push_back(std::move(slip));
  }
}

}  // namespace

std::size_t PaddedRecipients(std::size_t recipients) {
  std::size_t padded = kFewestRecipients;
  while (padded < recipients) padded *= 2;
  return padded;
}

SealedHead SealHead(record::Window& window, const RecordPlan& plan, crypto::Random& random) {
  auto named = record::NameAuthorities(window, plan.authorities, random);
  SealedHead head{.header = {.record_id = random.Make<RecordNonce>(),
                             .originator = plan.originator,
                             .signing_key_id = plan.signing_key,
                             .time = plan.time,
                             .origin = plan.origin,
                             .window_id = window.id(),
                             .in_reply_to = plan.in_reply_to,
                             .authorities = std::move(named.refs),
                             .portions = {},
                             .urgency = plan.urgency,
                             .sources = plan.sources},
                  .header_bytes = {},
                  .ctx = {},
                  .attachments = {},
                  .slips = {}};
  head.attachments.authority_encs = std::move(named.encs);
  for (std::size_t place = 0; place < plan.portions.size(); ++place) {
    const auto& portion = plan.portions[place];
    const auto number = plan.numbers.empty() ? static_cast<std::uint32_t>(place) : plan.numbers.at(place);
    auto committed = record::CommitRecipients(window, number, portion.recipients, random);
    if (!portion.policy.audience_shown) AddDecoys(committed, number, random);
    auto policy_bytes = proto::EncodePolicy(random.Make<Salt>(), portion.policy);
    head.header.portions.push_back({.number = number,
                                    .marking = std::string(policy::TextOf(portion.policy.marking)),
                                    .media_type = portion.media_type,
                                    .policy_digest = proto::PolicyDigest(policy_bytes),
                                    .amend_key_id = plan.signing_key,
                                    .recipients = std::move(committed.commitments)});
    head.attachments.policies.push_back(std::move(policy_bytes));
    auto& slips = head.attachments.slips;
    slips.insert(slips.end(), committed.slips.begin(), committed.slips.end());
    head.slips.push_back(std::move(committed.slips));
  }
  head.header_bytes = proto::EncodeHeader(head.header);
  head.ctx = record::RecordContext(head.header_bytes);
  return head;
}

std::vector<Bytes> WrapPortion(const record::Window& window, const SealedHead& head, std::size_t place,
                               const crypto::Secret& cek, crypto::Random& random) {
  const auto& slips = head.slips.at(place);
  std::vector<record::Slip> real;
  std::copy_if(slips.begin(), slips.end(), std::back_inserter(real), [](const auto& slip) { return !IsDecoy(slip); });
  auto sealed = record::SealWraps(window, head.header, head.ctx, real, cek);
  std::vector<Bytes> wraps;
  auto next = sealed.begin();
  for (const auto& slip : slips) {
    if (!IsDecoy(slip)) {
      wraps.push_back(std::move(*next++));
      continue;
    }
    Bytes noise(record::kWrapSize);
    random.Fill(noise);
    wraps.push_back(std::move(noise));
  }
  return wraps;
}

record::PortionSeal SealPortion(const record::Window& window, const SealedHead& head, std::uint32_t portion,
                                const crypto::Secret& cek, const record::BodySummary& body, crypto::Random& random) {
  return {.wraps = WrapPortion(window, head, portion, cek, random), .body_length = body.length, .body_root = body.root};
}

ledger::Envelope RecordEnvelope(const SealedHead& head, const std::vector<record::PortionSeal>& portions) {
  return {.payload_type = ledger::PayloadType(ledger::Kind::kRecord),
          .payload = proto::EncodeRecord(head.header_bytes, portions),
          .signatures = {},
          .batch = std::nullopt};
}

Bytes GrantPayload(const SealedHead& head, const Digest& record, std::vector<std::vector<Bytes>> wraps,
                   const std::optional<Digest>& request) {
  return proto::EncodeGrant({.header_bytes = head.header_bytes,
                             .header = head.header,
                             .ctx = head.ctx,
                             .record = record,
                             .wraps = std::move(wraps),
                             .request = request,
                             .policies = {}});
}

}  // namespace valija::client
