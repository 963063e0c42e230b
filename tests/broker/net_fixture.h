// What the network tests share: one live world for all of them, stubs without the client's manners, and statements that
// honest clients would not make.
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <map>

#include "core/crypto/dsse.h"
#include "proto/wire.h"
#include "tests/e2e/live_world.h"

namespace valija::test {

inline constexpr char kForDea[] =
    "marking TLP:GREEN\nreleasable-to agency us.dea\npurpose analysis\ncase optional\nexpires 2036-01-01\n";
inline constexpr char kForDeaAndUif[] =
    "marking TLP:GREEN\nreleasable-to agency mx.uif, agency us.dea\npurpose analysis\ncase optional\nexpires "
    "2036-01-01\n";
inline constexpr char kForUif[] =
    "marking TLP:GREEN\nreleasable-to agency mx.uif\npurpose analysis\ncase optional\nexpires 2036-01-01\n";
inline constexpr char kForRiveraAlone[] =
    "marking TLP:RED\nreleasable-to member us.dea/jrivera\npurpose analysis\ncase optional\nexpires 2036-01-01\n";

// How a call ended, as the other side sees it.
struct Ended {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message, reason;
  bool operator==(const Ended&) const = default;
};
inline void PrintTo(const Ended& ended, std::ostream* out) {
  *out << ended.code << " '" << ended.message << "' [" << ended.reason << "]";
}
inline Ended EndOf(const grpc::ClientContext& context, const grpc::Status& status) {
  Ended out{status.error_code(), status.error_message(), {}};
  const auto& trailers = context.GetServerTrailingMetadata();
  if (auto at = trailers.find("valija-reason"); at != trailers.end())
    out.reason = {at->second.data(), at->second.size()};
  return out;
}

inline LiveWorld& TheWorld() {
  static LiveWorld world;
  static const bool started = [] {
    for (const char* line : {"streams-per-member=4", "in-flight-per-member=4", "stop-seconds=3",
                             "unclaimed-mib-per-member=64", "public-listen=127.0.0.1:0", "metrics-listen=127.0.0.1:0"})
      world.Configure(line);
    world.Start();
    return true;
  }();
  (void)started;
  return world;
}

class NetTest : public testing::Test {
 protected:
  LiveWorld& world_ = TheWorld();

  // A member connected once for all tests (a profile is locked by who has it).
  Peer& Member(const std::string& name) {
    static std::map<std::string, Peer> peers;
    auto at = peers.find(name);
    if (at == peers.end()) at = peers.emplace(name, world_.Connect(name)).first;
    return at->second;
  }
  std::unique_ptr<v1::Exchange::Stub> Stub(const std::string& name) {
    return v1::Exchange::NewStub(world_.ChannelOf(Member(name)));
  }

  static void SetDeadline(grpc::ClientContext& context, int seconds = 20) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
  }
  template <class Method, class Request, class Response>
  static Ended Call(v1::Exchange::Stub& stub, Method method, const Request& request, Response* response) {
    grpc::ClientContext context;
    SetDeadline(context);
    return EndOf(context, (stub.*method)(&context, request, response));
  }
  static Ended Checkpoint(const std::shared_ptr<grpc::Channel>& channel) {
    auto stub = v1::Exchange::NewStub(channel);
    v1::View view;
    return Call(*stub, &v1::Exchange::Stub::GetCheckpoint, v1::CheckpointRequest(), &view);
  }
  void ExpectServing() { EXPECT_TRUE(Member("us.dea/karen").transport->Checkpoint(0)); }

  // ---- statements ----
  std::vector<client::Submission> Seal(std::size_t count, const std::string& policy = kForDea,
                                       const std::vector<std::string>& agencies = {"us.dea"}) {
    return Member("mx.fgr/omar").Sealer(policy, agencies).Seal(count, 100, true);
  }
  static Digest DigestOf(const client::Submission& submission) {
    return crypto::DigestOf(submission.envelope.payload_type, submission.envelope.payload);
  }
  static void Sign(ledger::Envelope& envelope, const Peer& peer) {
    auto batch =
        record::SignBatch(peer.keys->signature, {record::StatementLeaf(envelope.payload_type, envelope.payload)});
    envelope.batch = ledger::BatchProof{batch.payload, batch.signature, 0, batch.paths[0]};
  }
  // The one submission's outcome: "" if accepted, else the reason's code; a call that failed is "call: code".
  std::string Post(const std::string& as, const client::Submission& submission) {
    auto answer = Member(as).transport->Post({submission}, 0);
    if (!answer) return "call: " + std::string(CodeOf(answer.error().reason));
    return answer->outcomes[0] ? "" : std::string(CodeOf(answer->outcomes[0].error().reason));
  }
  // An auditor says in the log that it reads.
  Digest LookUp(const std::string& as, std::uint64_t from = 0, std::uint64_t end = 0) {
    const auto& peer = Member(as);
    const auto by = By(peer);
    const auto said = Direct(ledger::Kind::kLookup,
                             proto::EncodeLookup({by, from, end, by.time + std::chrono::hours(1), "a test"}), peer);
    EXPECT_EQ(Post(as, said), "");
    return DigestOf(said);
  }
  // A record for us.dea, sent by mx.fgr/omar.
  Digest Send(const std::string& policy = kForDea, const std::vector<std::string>& agencies = {"us.dea"}) {
    auto submission = Seal(1, policy, agencies)[0];
    EXPECT_EQ(Post("mx.fgr/omar", submission), "");
    return DigestOf(submission);
  }
  // `reply`: a key of one's own instead of one that is thrown away.
  client::Submission Open(const std::string& as, const Digest& record, const Nonce& nonce,
                          const std::string& case_name = "", const crypto::KemPrivateKey* reply = nullptr,
                          Duration good_for = std::chrono::minutes(5)) {
    auto& peer = Member(as);
    auto checkpoint =
        peer.verifier->Advance(peer.transport->Checkpoint(peer.verifier->verified_size()).value()).value();
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    const auto agency = peer.profile->member().agency();
    const auto fresh = crypto::KemPrivateKey::Generate(random_);
    ledger::Open open{
        {peer.profile->member(), peer.keys->signature.id(), peer.verifier->directory().charter()->origin, now, nonce},
        {{record, 0, peer.verifier->directory().agency(agency)->current()->key_id}},
        agency,
        "analysis",
        case_name,
        (reply != nullptr ? *reply : fresh).public_key().point(),
        checkpoint.checkpoint().size,
        checkpoint.checkpoint().root,
        now + good_for};
    client::Submission out;
    out.envelope.payload_type = ledger::PayloadType(ledger::Kind::kOpen);
    out.envelope.payload = proto::EncodeOpen(open);
    Sign(out.envelope, peer);
    return out;
  }
  // Any statement that is signed directly.
  static client::Submission Direct(ledger::Kind kind, Bytes payload, const Peer& peer) {
    client::Submission out;
    out.envelope = {ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
    const auto& key = peer.keys->signature;
    out.envelope.signatures.push_back(
        {key.id(), key.Sign(crypto::Pae(out.envelope.payload_type, out.envelope.payload))});
    return out;
  }
  ledger::Authorship By(const Peer& peer) {
    return {peer.profile->member(), peer.keys->signature.id(), peer.verifier->directory().charter()->origin,
            std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()), random_.Make<Nonce>()};
  }
  client::Submission Revoke(const std::string& as, const Digest& record) {
    const auto& peer = Member(as);
    return Direct(ledger::Kind::kRevocation, proto::EncodeRevocation({By(peer), record, "a test"}), peer);
  }
  static Digest Nowhere() { return crypto::DigestOf("nothing", AsBytes("nowhere")); }

  crypto::SystemRandom random_;
};

}  // namespace valija::test
