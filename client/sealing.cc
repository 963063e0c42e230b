#include "client/sealing.h"

#include "proto/convert.h"

namespace valija::client {

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
                             .portions = {}},
                  .header_bytes = {},
                  .ctx = {},
                  .attachments = {},
                  .slips = {}};
  head.attachments.authority_encs = std::move(named.encs);
  for (std::uint32_t number = 0; number < plan.portions.size(); ++number) {
    const auto& portion = plan.portions[number];
    auto committed = record::CommitRecipients(window, number, portion.recipients, random);
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

record::PortionSeal SealPortion(const record::Window& window, const SealedHead& head, std::uint32_t portion,
                                const crypto::Secret& cek, const record::BodySummary& body) {
  return {.wraps = record::SealWraps(window, head.header, head.ctx, head.slips.at(portion), cek),
          .body_length = body.length,
          .body_root = body.root};
}

ledger::Envelope RecordEnvelope(const SealedHead& head, const std::vector<record::PortionSeal>& portions) {
  return {.payload_type = ledger::PayloadType(ledger::Kind::kRecord),
          .payload = proto::EncodeRecord(head.header_bytes, portions),
          .signatures = {},
          .batch = std::nullopt};
}

}  // namespace valija::client
