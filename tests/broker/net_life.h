// What the tests of a record's life share: every statement that follows a record, as an honest member would sign it.
#pragma once

#include "core/record/release.h"
#include "core/record/seal.h"
#include "tests/broker/net_fixture.h"

namespace valija::test {

class NetLifeTest : public NetTest {
 protected:
  static inline const std::string kReader = "us.dea/jrivera";

  static Time Now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
  std::uint64_t Size() {
    auto& omar = Member("mx.fgr/omar");
    auto view = omar.transport->Checkpoint(omar.verifier->verified_size()).value();
    return omar.verifier->Advance(view).value().checkpoint().size;
  }

  // ---- statements ----
  // Of portion 0, to these agencies. Its content key is no record's: the broker cannot know.
  client::Submission Grant(const std::string& as, const Digest& record, const std::string& policy_text,
                           const std::vector<std::string>& agencies) {
    auto& peer = Member(as);
    const auto& directory = peer.verifier->directory();
    const auto policy = *policy::ParseText(policy_text).policy;
    record::Window window(peer.profile->member(), peer.keys->signature.id(), Now(), random_);
    window.Begin(Now()).value();
    const auto& authority = directory.charter()->authorities.front();
    const record::ReleaseAuthority release[] = {
        {authority.id, crypto::KemPublicKey::FromPoint(authority.release_key).value()}};
    auto named = record::NameAuthorities(window, release, random_);
    std::vector<record::Recipient> to;
    for (const auto& id : agencies) {
      const auto agency = *AgencyId::Parse(id);
      to.push_back({agency, crypto::KemPublicKey::FromPoint(directory.agency(agency)->current()->public_key).value()});
    }
    auto committed = record::CommitRecipients(window, 0, to, random_);
    auto policy_bytes = proto::EncodePolicy(random_.Make<Salt>(), policy);
    record::Header header{.record_id = random_.Make<RecordNonce>(),
                          .originator = peer.profile->member(),
                          .signing_key_id = peer.keys->signature.id(),
                          .time = Now(),
                          .origin = directory.charter()->origin,
                          .window_id = window.id(),
                          .in_reply_to = {},
                          .authorities = named.refs,
                          .portions = {}};
    header.portions.push_back({.number = 0,
                               .marking = std::string(policy::TextOf(policy.marking)),
                               .media_type = "application/octet-stream",
                               .policy_digest = proto::PolicyDigest(policy_bytes),
                               .amend_key_id = peer.keys->signature.id(),
                               .recipients = committed.commitments});
    const Bytes header_bytes = proto::EncodeHeader(header);
    const Hash ctx = record::RecordContext(header_bytes);
    const ledger::Grant grant{
        .header_bytes = header_bytes,
        .header = header,
        .ctx = ctx,
        .record = record,
        .wraps = {record::SealWraps(window, header, ctx, committed.slips, random_.MakeSecret(record::kCekSize))},
        .request = std::nullopt,
        .policies = {}};
    auto out = Direct(ledger::Kind::kGrant, proto::EncodeGrant(grant), peer);
    out.attachments = {committed.slips, {policy_bytes}, named.encs};
    return out;
  }
  client::Submission Amend(const std::string& as, const client::Submission& of, const std::string& policy_text) {
    auto& peer = Member(as);
    auto policy_bytes = proto::EncodePolicy(random_.Make<Salt>(), *policy::ParseText(policy_text).policy);
    ledger::Amendment amendment{By(peer),    DigestOf(of),
                                0,           proto::PolicyDigest(of.attachments.policies.at(0)),
                                1,           proto::PolicyDigest(policy_bytes),
                                std::nullopt};
    auto out = Direct(ledger::Kind::kAmendment, proto::EncodeAmendment(amendment), peer);
    out.attachments.policies = {policy_bytes};
    return out;
  }
  client::Submission Order(const std::string& as, const crypto::KemPrivateKey& reply) {
    auto& peer = Member(as);
    ledger::StandingOrder order{By(peer), peer.profile->member().agency(), "analysis",
                                "",       reply.public_key().point(),      Now() + std::chrono::hours(1)};
    return Direct(ledger::Kind::kStandingOrder, proto::EncodeStandingOrder(order), peer);
  }
  client::Submission Approve(const std::string& as, const Digest& request) {
    auto& peer = Member(as);
    return Direct(ledger::Kind::kApproval,
                  proto::EncodeApproval({By(peer), request, ledger::ApprovalVerdict::kApprove, "a test"}), peer);
  }
  client::Submission AskFor(const std::string& as, const Digest& record) {
    auto& peer = Member(as);
    return Direct(ledger::Kind::kAccessRequest,
                  proto::EncodeAccessRequest({By(peer),
                                              record,
                                              {},
                                              ledger::Wish::kOpen,
                                              peer.profile->member().agency(),
                                              std::nullopt,
                                              "analysis",
                                              "",
                                              "a test"}),
                  peer);
  }
  client::Submission Decline(const std::string& as, const Digest& request) {
    auto& peer = Member(as);
    return Direct(ledger::Kind::kAnswer, proto::EncodeAnswer({By(peer), request, std::nullopt, "no"}), peer);
  }
  static ledger::Erasure ErasureOf(const client::Submission& of) {
    const auto kind = *ledger::KindFromPayloadType(of.envelope.payload_type);
    return {DigestOf(of), crypto::Sha256(proto::RedactPayload(kind, of.envelope.payload).value())};
  }
  client::Submission Purge(const std::string& as, const ledger::Erasure& erasure) {
    return Purge(as, std::vector{erasure});
  }
  client::Submission Purge(const std::string& as, std::vector<ledger::Erasure> erasures) {
    auto& peer = Member(as);
    std::sort(erasures.begin(), erasures.end(),
              [](const auto& one, const auto& other) { return one.statement < other.statement; });
    return Direct(ledger::Kind::kPurge, proto::EncodePurge({By(peer), std::move(erasures), "a test"}), peer);
  }
  // By an administrator: a member of its agency with another status.
  client::Submission SetStatus(const std::string& as, const std::string& member, ledger::MemberStatus status) {
    auto& peer = Member(as);
    EXPECT_TRUE(peer.verifier->Refresh(*peer.transport));
    const auto* known = peer.verifier->directory().member(*MemberId::Parse(member));
    auto record = known->record;
    record.status = status;
    return Direct(ledger::Kind::kEnrolment, proto::EncodeEnrolment({By(peer), record, known->enrolment, {}}), peer);
  }
  client::Submission AmendCharter(const std::vector<std::string>& signers, const ledger::Charter& charter,
                                  const Digest& previous) {
    client::Submission out;
    out.envelope = {ledger::PayloadType(ledger::Kind::kCharterAmendment),
                    proto::EncodeCharterAmendment({charter, previous}),
                    {},
                    std::nullopt};
    for (const auto& name : signers) {
      const auto& key = Member(name).keys->signature;
      out.envelope.signatures.push_back(
          {key.id(), key.Sign(crypto::Pae(out.envelope.payload_type, out.envelope.payload))});
    }
    return out;
  }

  // ---- what somebody sees ----
  static std::vector<Digest> DigestsOf(const client::EntriesAnswer& answer) {
    std::vector<Digest> out;
    for (const auto& one : answer.entries) out.push_back(one.entry.head->statement);
    return out;
  }
  std::vector<Digest> MailOf(const std::string& name, std::uint64_t from = 0) {
    return DigestsOf(Member(name).transport->Mailbox(from, 0).value());
  }
  std::vector<Digest> CustodyOf(const std::string& name, const Digest& record) {
    auto page = Member(name).transport->Custody(record, 0, 0);
    return page ? DigestsOf(*page) : std::vector<Digest>();
  }
  static bool Has(const std::vector<Digest>& list, const Digest& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
  }
  proto::WaitingAnswer Waiting(const std::string& name) {
    v1::WaitingAnswer answer;
    EXPECT_EQ(Call(*Stub(name), &v1::Exchange::Stub::Waiting, v1::WaitingRequest(), &answer).code,
              grpc::StatusCode::OK);
    return proto::FromMessage(answer).value();
  }
  Ended Receipt(const std::string& name, const Digest& statement) {
    v1::ReceiptRequest request;
    request.set_statement(statement.bytes.data(), statement.bytes.size());
    v1::ReceiptAnswer answer;
    return Call(*Stub(name), &v1::Exchange::Stub::GetReceipt, request, &answer);
  }
  template <class Method>
  Ended OfRecord(const std::string& as, Method method, const Digest& record) {
    v1::RecordRequest request;
    request.set_record(record.bytes.data(), record.bytes.size());
    v1::EntryPage page;
    return Call(*Stub(as), method, request, &page);
  }
  Ended Download(const std::string& as, const Digest& record) {
    auto stub = Stub(as);
    grpc::ClientContext context;
    SetDeadline(context);
    v1::DownloadRequest request;
    request.set_record(record.bytes.data(), record.bytes.size());
    auto stream = stub->Download(&context, request);
    v1::DownloadChunk chunk;
    while (stream->Read(&chunk)) continue;
    return EndOf(context, stream->Finish());
  }
};

}  // namespace valija::test
