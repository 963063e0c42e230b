// The transport against a server that puts a field into its answers that no definition names: each call refuses it.
#include "client/transport.h"

#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "core/crypto/keyfile.h"
#include "core/crypto/random.h"
#include "core/crypto/x509.h"
#include "core/record/body.h"
#include "tests/core/crypto/certificate_maker.h"
#include "valija/v1/exchange.grpc.pb.h"

namespace valija::client {
namespace {

using Context = grpc::ServerContext;

grpc::Status Odd(google::protobuf::Message* message) {
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(1000, 1);
  return grpc::Status::OK;
}
template <class M>
grpc::Status OddIn(grpc::ServerWriter<M>* stream) {
  M message;
  Odd(&message);
  stream->Write(message);
  return grpc::Status::OK;
}

class OddServer final : public v1::Exchange::Service {
 public:
  grpc::Status Post(Context*, const v1::PostRequest*, v1::PostResponse* out) override { return Odd(out); }
  grpc::Status Directory(Context*, const v1::DirectoryRequest*, v1::EntryPage* out) override { return Odd(out); }
  grpc::Status Mailbox(Context*, const v1::FollowRequest*, v1::MailPage* out) override { return Odd(out); }
  grpc::Status GetRecord(Context*, const v1::RecordRequest*, v1::EntryPage* out) override { return Odd(out); }
  grpc::Status Custody(Context*, const v1::RecordRequest*, v1::EntryPage* out) override { return Odd(out); }
  grpc::Status GetReceipt(Context*, const v1::ReceiptRequest*, v1::ReceiptAnswer* out) override { return Odd(out); }
  grpc::Status GetCheckpoint(Context*, const v1::CheckpointRequest*, v1::View* out) override { return Odd(out); }
  grpc::Status GetTile(Context*, const v1::TileRequest*, v1::TileAnswer* out) override { return Odd(out); }
  grpc::Status Follow(Context*, const v1::FollowRequest*, grpc::ServerWriter<v1::MailItem>* out) override {
    return OddIn(out);
  }
  grpc::Status Entries(Context*, const v1::EntriesRequest*, grpc::ServerWriter<v1::LoggedEntry>* out) override {
    return OddIn(out);
  }
  grpc::Status Download(Context*, const v1::DownloadRequest*, grpc::ServerWriter<v1::DownloadChunk>* out) override {
    v1::DownloadChunk first;
    first.mutable_start()->set_body_length(5);
    first.mutable_start()->add_slice_hashes(std::string(32, 'h'));
    if (many_hashes) {  // one of them at a time
      first.mutable_start()->set_more_hashes(true);
      out->Write(first);
      first.mutable_start()->set_more_hashes(false);
      out->Write(first);
    } else if (odd_slice) {
      out->Write(first);
      v1::DownloadChunk slice;
      slice.set_slice("slice");
      Odd(&slice);
      out->Write(slice);
    } else {
      Odd(&first);
      out->Write(first);
    }
    return grpc::Status::OK;
  }
  grpc::Status Upload(Context*, grpc::ServerReaderWriter<v1::UploadProgress, v1::UploadChunk>* stream) override {
    v1::UploadChunk chunk;
    stream->Read(&chunk);
    v1::UploadProgress progress;
    if (odd_end) {
      stream->Write(progress);
      stream->Read(&chunk);
    }
    progress.set_complete(true);
    Odd(&progress);
    stream->Write(progress);
    while (stream->Read(&chunk)) continue;
    return grpc::Status::OK;
  }
  bool odd_slice = false, odd_end = false, many_hashes = false;
};

class TransportTest : public testing::Test {
 protected:
  TransportTest() {
    crypto::SystemRandom random;
    const auto ca_key = crypto::SignKey::Generate(random), key = crypto::SignKey::Generate(random);
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    auto ca = crypto::test::CertificateSpec::Ca("ca");
    auto leaf = crypto::test::CertificateSpec();
    ca.from = leaf.from = now - std::chrono::hours(1);
    ca.to = leaf.to = now + std::chrono::hours(24);
    leaf.names = {{GEN_DNS, "localhost"}};
    leaf.extended_key_usage = "serverAuth,clientAuth";
    auto pem = [](const Bytes& der) { return crypto::Certificate::FromDer(der).value().ToPem(); };
    Endpoint endpoint;
    endpoint.server_ca_pem = pem(crypto::test::MakeCertificate(ca, ca_key, ca_key));
    endpoint.certificate_pem = pem(crypto::test::MakeCertificate(leaf, key, ca_key));
    endpoint.key_pem = crypto::PlainEcPem(key.Scalar());
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({ToString(endpoint.key_pem.view()), endpoint.certificate_pem});
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("localhost:0", grpc::SslServerCredentials(options), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    endpoint.address = "localhost:" + std::to_string(port);
    transport_ = Transport::Connect(std::move(endpoint)).value();
  }
  ~TransportTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  template <class R>
  static void ExpectRefused(const R& result, const char* call) {
    ASSERT_FALSE(result) << call;
    EXPECT_EQ(result.error().reason, Reason::kUnknownField) << call << ": " << result.error().Message();
  }
  Status Download() {
    return transport_->Download(
        Digest{}, 0, 1,
        [&](const BodyStream& body) {
          hashes_ = body.slice_hashes.size();
          return Ok();
        },
        [&](std::uint64_t, ByteView) {
          ++slices_;
          return Ok();
        });
  }
  Status Upload() {
    const Bytes body(5, 1);
    const auto summary = record::SummariseBody(body);
    return transport_->Upload(summary.root, summary.length, summary.slice_hashes,
                              [&](std::uint64_t) -> Result<Bytes> { return body; });
  }

  OddServer service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Transport> transport_;
  int slices_ = 0;
  std::size_t hashes_ = 0;
};

TEST_F(TransportTest, RefusesAnUnknownFieldInTheAnswerOfEveryCall) {
  ExpectRefused(transport_->Post(std::vector<Submission>(1), 0), "Post");
  ExpectRefused(transport_->Directory(0, 0), "Directory");
  ExpectRefused(transport_->Mailbox(0, 0), "Mailbox");
  ExpectRefused(transport_->GetRecord(Digest{}, 0), "GetRecord");
  ExpectRefused(transport_->Custody(Digest{}, 0, 0), "Custody");
  ExpectRefused(transport_->Receipt(Digest{}, 0), "GetReceipt");
  ExpectRefused(transport_->Checkpoint(0), "GetCheckpoint");
  ExpectRefused(transport_->Tile("tile/0/000"), "GetTile");
}

TEST_F(TransportTest, RefusesAnUnknownFieldInEveryStream) {
  ExpectRefused(transport_->Follow(0, 0, [](FollowItem) { return true; }, {}), "Follow");
  ExpectRefused(transport_->Entries(0, 1, Digest{}, [](proto::LoggedEntry) { return true; }), "Entries");
  ExpectRefused(Download(), "Download, in the hashes");
  service_.odd_slice = true;
  ExpectRefused(Download(), "Download, in a slice");
  EXPECT_EQ(slices_, 0);
  ExpectRefused(Upload(), "Upload, at its beginning");
  service_.odd_end = true;
  ExpectRefused(Upload(), "Upload, at its end");
}

TEST_F(TransportTest, TakesNoMoreSliceHashesThanTheSignedLengthHasSlices) {
  service_.many_hashes = true;
  const auto refused = Download();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kBadBody) << refused.error().Message();
  EXPECT_EQ(hashes_, 0u);
}

}  // namespace
}  // namespace valija::client
