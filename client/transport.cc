#include "client/transport.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <thread>

#include "proto/wire.h"
#include "valija/v1/exchange.grpc.pb.h"

namespace valija::client {
namespace {

constexpr int kMaxMessage = 8 << 20;
constexpr std::size_t kHashesPerPiece = 32768;  // 1 MiB of them

// Of "code: sentence (detail)", as a limit is told; else nothing.
std::string DetailIn(const std::string& message) {
  const auto open = message.rfind(" (");
  if (open == std::string::npos || message.back() != ')') return {};
  return message.substr(open + 2, message.size() - open - 3);
}

Error FromStatus(const grpc::ClientContext& context, const grpc::Status& status) {
  const auto& trailers = context.GetServerTrailingMetadata();
  if (auto at = trailers.find("valija-reason"); at != trailers.end()) {
    auto reason = ReasonFromCode(std::string_view(at->second.data(), at->second.length()));
    if (reason) return Refuse(*reason, DetailIn(status.error_message()));
  }
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Refuse(Reason::kDeadline);
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return Refuse(Reason::kTooMany, status.error_message());
    case grpc::StatusCode::UNAUTHENTICATED:
      return Refuse(Reason::kNotEnrolled);
    case grpc::StatusCode::CANCELLED:
      return Refuse(Reason::kUnavailable, "the call was cancelled");
    case grpc::StatusCode::UNAVAILABLE:
      return Refuse(Reason::kUnavailable, status.error_message());
    default:
      return Refuse(Reason::kInternal, status.error_message());
  }
}

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = endpoint_.server_ca_pem;
    options.pem_cert_chain = endpoint_.certificate_pem;
    options.pem_private_key = ToString(endpoint_.key_pem.view());
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // one connection per session: it carries one identity
    arguments.SetMaxReceiveMessageSize(kMaxMessage);
    arguments.SetMaxSendMessageSize(kMaxMessage);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
    // What the broker may send ahead of what is read: else gRPC's own guess lets hundreds of MiB gather before a slow disk.
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4 << 20);
    channel_ = grpc::CreateCustomChannel(endpoint_.address, grpc::SslCredentials(options), arguments);
    crypto::WipeText(options.pem_private_key);
    stub_ = v1::Exchange::NewStub(channel_);
  }

  Result<PostAnswer> Post(const std::vector<Submission>& submissions, std::uint64_t verified_size,
                          std::chrono::milliseconds at_most, const std::function<void()>& meanwhile) override {
    v1::PostRequest request;
    for (const auto& submission : submissions) proto::ToMessage(submission, request.add_submissions());
    request.set_verified_size(verified_size);
    v1::PostResponse response;
    Reconnect();
    grpc::ClientContext context;
    context.set_deadline(DeadlineOf(at_most));
    grpc::Status status;
    grpc::CompletionQueue queue;
    const auto call = stub_->AsyncPost(&context, request, &queue);
    call->Finish(&response, &status, &queue);
    {
      const std::shared_ptr<void> answered(nullptr, [&queue](void*) {  // whatever is thrown meanwhile
        queue.Shutdown();
        void* tag = nullptr;
        for (bool ok = false; queue.Next(&tag, &ok);) continue;
      });
      if (meanwhile) meanwhile();
    }
    if (!status.ok()) return FromStatus(context, status);
    return proto::FromMessage(response, submissions.size());
  }

  Result<EntriesAnswer> Directory(std::uint64_t from, std::uint64_t verified_size) override {
    v1::DirectoryRequest request;
    request.set_from_index(from);
    request.set_verified_size(verified_size);
    v1::EntryPage response;
    TRY_OK(Call(&v1::Exchange::Stub::Directory, request, &response));
    return proto::FromMessage(response);
  }

  Result<EntriesAnswer> Mailbox(std::uint64_t cursor, std::uint64_t verified_size) override {
    v1::FollowRequest request;
    request.set_cursor(cursor);
    request.set_verified_size(verified_size);
    v1::MailPage response;
    TRY_OK(Call(&v1::Exchange::Stub::Mailbox, request, &response));
    return proto::FromMessage(response);
  }

  Status Follow(std::uint64_t cursor, std::uint64_t verified_size, const std::function<bool(FollowItem)>& item,
                std::chrono::milliseconds at_most) override {
    Reconnect();
    grpc::ClientContext context;
    // A day: whoever follows longer asks again from its cursor. The broker refuses calls without a deadline.
    const std::chrono::milliseconds day = std::chrono::hours(24);
    context.set_deadline(std::chrono::system_clock::now() + (at_most.count() == 0 ? day : std::min(at_most, day)));
    v1::FollowRequest request;
    request.set_cursor(cursor);
    request.set_verified_size(verified_size);
    auto stream = stub_->Follow(&context, request);
    v1::MailItem message;
    while (stream->Read(&message)) {
      auto followed = proto::FromMessage(message);
      if (!followed || !item(*std::move(followed))) {
        context.TryCancel();
        while (stream->Read(&message)) continue;
        (void)stream->Finish();
        return followed ? Ok() : Status(followed.error());
      }
    }
    auto status = stream->Finish();
    if (status.ok()) return Refuse(Reason::kUnavailable, "the broker ended the stream");
    return FromStatus(context, status);
  }

  Result<EntriesAnswer> GetRecord(const Digest& record, std::uint64_t verified_size) override {
    return OfRecord(&v1::Exchange::Stub::GetRecord, record, 0, verified_size);
  }
  Result<EntriesAnswer> Custody(const Digest& record, std::uint64_t from, std::uint64_t verified_size) override {
    return OfRecord(&v1::Exchange::Stub::Custody, record, from, verified_size);
  }

  Result<WaitingAnswer> Waiting(std::uint64_t verified_size) override {
    v1::WaitingRequest request;
    request.set_verified_size(verified_size);
    v1::WaitingAnswer response;
    TRY_OK(Call(&v1::Exchange::Stub::Waiting, request, &response));
    return proto::FromMessage(response);
  }

  Result<View> Checkpoint(std::uint64_t verified_size) override {
    v1::CheckpointRequest request;
    request.set_verified_size(verified_size);
    v1::View response;
    TRY_OK(Call(&v1::Exchange::Stub::GetCheckpoint, request, &response));
    return proto::FromMessage(response);
  }

  Result<std::pair<proto::Receipt, View>> Receipt(const Digest& statement, std::uint64_t verified_size,
                                                  bool witnessed) override {
    v1::ReceiptRequest request;
    request.set_statement(statement.bytes.data(), statement.bytes.size());
    request.set_verified_size(verified_size);
    request.set_witnessed(witnessed);
    v1::ReceiptAnswer response;
    TRY_OK(Call(&v1::Exchange::Stub::GetReceipt, request, &response));
    return proto::FromMessage(response);
  }

  Result<Bytes> Tile(const std::string& path) override {
    v1::TileRequest request;
    request.set_path(path);
    v1::TileAnswer response;
    TRY_OK(Call(&v1::Exchange::Stub::GetTile, request, &response));
    TRY_OK(proto::RefuseUnknown(response));
    return ToBytes(AsBytes(response.data()));
  }

  Status Entries(std::uint64_t from, std::uint64_t end, const Digest& lookup,
                 const std::function<bool(proto::LoggedEntry)>& entry) override {
    Reconnect();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(12));
    v1::EntriesRequest request;
    request.set_from_index(from);
    request.set_end_index(end);
    request.set_lookup(lookup.bytes.data(), lookup.bytes.size());
    auto stream = stub_->Entries(&context, request);
    v1::LoggedEntry message;
    while (stream->Read(&message)) {
      auto one = proto::FromMessage(message);
      if (!one || !entry(*std::move(one))) {
        context.TryCancel();
        while (stream->Read(&message)) continue;
        (void)stream->Finish();
        return one ? Ok() : Status(one.error());
      }
    }
    auto status = stream->Finish();
    return status.ok() ? Ok() : Status(FromStatus(context, status));
  }

  Status Upload(const Hash& root, std::uint64_t length, const std::vector<Hash>& slice_hashes,
                const std::function<Result<Bytes>(std::uint64_t)>& slice) override {
    std::uint64_t reached = 0;
    for (int fruitless = 0;;) {
      std::uint64_t begun_at = reached;
      auto done = UploadOnce(root, length, slice_hashes, slice, reached);
      if (done || done.error().reason != Reason::kUnavailable) return done;
      fruitless = reached > begun_at ? 0 : fruitless + 1;
      if (fruitless == 3) return done;
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
  }

  Status Download(const Digest& record, std::uint32_t portion, std::uint64_t slices,
                  const std::function<Status(const BodyStream&)>& begin,
                  const std::function<Status(std::uint64_t, ByteView)>& slice) override {
    std::uint64_t next = 0;
    bool begun = false;
    for (int fruitless = 0;;) {
      std::uint64_t begun_at = next;
      auto done = DownloadOnce(record, portion, slices, begin, slice, begun, next);
      if (done || done.error().reason != Reason::kUnavailable) return done;
      fruitless = next > begun_at ? 0 : fruitless + 1;
      if (fruitless == 3) return done;
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
  }

 private:
  // After a failure a call would fail at once, and between calls nobody drives the next handshake: the broker gives up
  // on it after 5 s, again and again. So a broken connection is waited for, for a moment.
  void Reconnect() {
    if (channel_->GetState(true) == GRPC_CHANNEL_TRANSIENT_FAILURE)
      channel_->WaitForConnected(std::chrono::system_clock::now() +
                                 std::min(endpoint_.timeout, std::chrono::milliseconds(3000)));
  }

  std::chrono::system_clock::time_point DeadlineOf(std::chrono::milliseconds at_most) const {
    return std::chrono::system_clock::now() +
           (at_most.count() == 0 ? endpoint_.timeout : std::min(at_most, endpoint_.timeout));
  }

  template <class Method, class Request, class Response>
  Status Call(Method method, const Request& request, Response* response) {
    Reconnect();
    grpc::ClientContext context;
    context.set_deadline(DeadlineOf({}));
    auto status = ((*stub_).*method)(&context, request, response);
    return status.ok() ? Ok() : Status(FromStatus(context, status));
  }

  template <class Method>
  Result<EntriesAnswer> OfRecord(Method method, const Digest& record, std::uint64_t from, std::uint64_t verified_size) {
    v1::RecordRequest request;
    request.set_record(record.bytes.data(), record.bytes.size());
    request.set_from_index(from);
    request.set_verified_size(verified_size);
    v1::EntryPage response;
    TRY_OK(Call(method, request, &response));
    return proto::FromMessage(response);
  }

  // 60 s and one more per MiB: the broker's own ceiling is higher.
  std::chrono::system_clock::time_point BodyDeadline(std::uint64_t slices) const {
    return std::chrono::system_clock::now() + std::chrono::seconds(60) + std::chrono::seconds(slices);
  }

  Status UploadOnce(const Hash& root, std::uint64_t length, const std::vector<Hash>& slice_hashes,
                    const std::function<Result<Bytes>(std::uint64_t)>& slice, std::uint64_t& reached) {
    Reconnect();
    grpc::ClientContext context;
    context.set_deadline(BodyDeadline(slice_hashes.size()));
    auto stream = stub_->Upload(&context);
    auto ended = [&] {
      v1::UploadProgress rest;
      while (stream->Read(&rest)) continue;
      return stream->Finish();
    };
    auto fail = [&]() -> Status {
      stream->WritesDone();
      auto status = ended();
      return status.ok() ? Status(Refuse(Reason::kUnavailable, "the upload ended early")) : FromStatus(context, status);
    };
    for (std::size_t at = 0; at < slice_hashes.size() || at == 0; at += kHashesPerPiece) {
      v1::UploadChunk chunk;
      proto::BodyStart start{root, length, {}, at + kHashesPerPiece < slice_hashes.size()};
      start.slice_hashes.assign(
          slice_hashes.begin() + static_cast<std::ptrdiff_t>(at),
          slice_hashes.begin() + static_cast<std::ptrdiff_t>(std::min(at + kHashesPerPiece, slice_hashes.size())));
      proto::ToMessage(start, chunk.mutable_start());
      if (!stream->Write(chunk)) return fail();
    }
    auto stop = [&](const Error& why) -> Status {
      context.TryCancel();
      (void)fail();
      return why;
    };
    v1::UploadProgress message;
    if (!stream->Read(&message)) return fail();
    auto progress = proto::FromMessage(message);
    if (!progress) return stop(progress.error());
    for (std::uint64_t index = progress->next_slice; !progress->complete && index < slice_hashes.size(); ++index) {
      auto bytes = slice(index);
      if (!bytes) return stop(bytes.error());
      v1::UploadChunk chunk;
      chunk.set_slice(bytes->data(), bytes->size());
      if (!stream->Write(chunk)) return fail();
      reached = std::max(reached, index);
    }
    stream->WritesDone();
    while (!progress->complete && stream->Read(&message)) {
      progress = proto::FromMessage(message);
      if (progress) continue;
      context.TryCancel();
      (void)ended();
      return progress.error();
    }
    auto status = ended();
    if (!status.ok()) return FromStatus(context, status);
    if (!progress->complete) return Refuse(Reason::kUnavailable, "the upload ended early");
    return Ok();
  }

  Status DownloadOnce(const Digest& record, std::uint32_t portion, std::uint64_t slices,
                      const std::function<Status(const BodyStream&)>& begin,
                      const std::function<Status(std::uint64_t, ByteView)>& slice, bool& begun, std::uint64_t& next) {
    Reconnect();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::hours(12));
    v1::DownloadRequest request;
    request.set_record(record.bytes.data(), record.bytes.size());
    request.set_portion(portion);
    request.set_from_slice(next);
    auto stream = stub_->Download(&context, request);
    auto stop = [&](Error why) -> Status {
      context.TryCancel();
      v1::DownloadChunk rest;
      while (stream->Read(&rest)) continue;
      (void)stream->Finish();
      return why;
    };
    BodyStream body;
    bool hashes_open = true;
    v1::DownloadChunk chunk;
    while (stream->Read(&chunk)) {
      auto piece = proto::FromMessage(chunk);
      if (!piece) return stop(piece.error());
      if (const auto& start = piece->start) {
        if (!hashes_open) return stop(Refuse(Reason::kMalformed, "hashes after slices"));
        body.length = start->length;
        if (start->slice_hashes.size() > slices - body.slice_hashes.size())
          return stop(Refuse(Reason::kBadBody, "more slice hashes than the signed length has slices"));
        body.slice_hashes.insert(body.slice_hashes.end(), start->slice_hashes.begin(), start->slice_hashes.end());
        hashes_open = start->more;
        if (hashes_open || begun) continue;
        if (auto ready = begin(body); !ready) return stop(ready.error());
        begun = true;
        continue;
      }
      if (hashes_open || !begun) return stop(Refuse(Reason::kMalformed, "a slice before its hashes"));
      if (auto taken = slice(next, piece->slice); !taken) return stop(taken.error());
      ++next;
    }
    auto status = stream->Finish();
    return status.ok() ? Ok() : Status(FromStatus(context, status));
  }

  Endpoint endpoint_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Exchange::Stub> stub_;
};

}  // namespace

Status CheckPage(const EntriesAnswer& page, std::uint64_t from, std::uint64_t size) {
  if (page.next_cursor < from || (page.more && page.next_cursor == from))
    return Refuse(Reason::kBadProof, "the page's cursor does not move");
  if (page.next_cursor > size) return Refuse(Reason::kBadProof, "the page's cursor is beyond the log");
  for (const auto& proved : page.entries)
    if (proved.entry.head && (proved.entry.head->index < from || proved.entry.head->index >= page.next_cursor))
      return Refuse(Reason::kBadProof, "the page shows an entry that is not between its cursors");
  return Ok();
}

Result<std::unique_ptr<Transport>> Transport::Connect(Endpoint endpoint) {
  // gRPC's own log would print peers' bytes on the terminal; what matters comes back as an Error.
  static const bool quiet = (gpr_set_log_function([](gpr_log_func_args*) {}), true);
  (void)quiet;
  return std::unique_ptr<Transport>(std::make_unique<GrpcTransport>(std::move(endpoint)));
}

}  // namespace valija::client
