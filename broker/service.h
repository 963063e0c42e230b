// The Exchange service over the callback API. A handler establishes who calls, counts the call, and hands the work to
// the worker pool; nothing blocks in gRPC's threads, no exception leaves a handler, and every reactor finishes.
//
// Split by subject: service_post.cc, service_read.cc (unary look-ups), service_follow.cc (streams of entries),
// service_body.cc, service_release.cc.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "broker/calls.h"
#include "broker/free_space.h"
#include "broker/identity.h"
#include "broker/receipt.h"
#include "broker/release.h"
#include "broker/sequencer.h"
#include "broker/storage/storage.h"
#include "broker/worker_pool.h"
#include "proto/exchange.h"
#include "valija/v1/exchange.grpc.pb.h"

namespace valija::broker {

class FollowCall;

struct Exchange {  // what the calls work on; outlives the service
  AuthorityId authority;
  Sequencer& sequencer;
  Content& content;
  WorkerPool& workers;
  Releaser& releaser;
  crypto::Random& random;
  Identity& identity;
  Calls& calls;
  const FreeSpace& space;
  std::function<Time()> now;
};

class ExchangeService final : public v1::Exchange::CallbackService {
 public:
  explicit ExchangeService(Exchange exchange) : exchange_(std::move(exchange)) {}

  grpc::ServerUnaryReactor* Post(grpc::CallbackServerContext* context, const v1::PostRequest* request,
                                 v1::PostResponse* response) override;
  grpc::ServerUnaryReactor* Directory(grpc::CallbackServerContext* context, const v1::DirectoryRequest* request,
                                      v1::EntryPage* response) override;
  grpc::ServerUnaryReactor* Mailbox(grpc::CallbackServerContext* context, const v1::FollowRequest* request,
                                    v1::MailPage* response) override;
  grpc::ServerUnaryReactor* GetRecord(grpc::CallbackServerContext* context, const v1::RecordRequest* request,
                                      v1::EntryPage* response) override;
  grpc::ServerUnaryReactor* Custody(grpc::CallbackServerContext* context, const v1::RecordRequest* request,
                                    v1::EntryPage* response) override;
  grpc::ServerUnaryReactor* GetReceipt(grpc::CallbackServerContext* context, const v1::ReceiptRequest* request,
                                       v1::ReceiptAnswer* response) override;
  grpc::ServerUnaryReactor* Waiting(grpc::CallbackServerContext* context, const v1::WaitingRequest* request,
                                    v1::WaitingAnswer* response) override;
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context, const v1::CheckpointRequest* request,
                                          v1::View* response) override;
  grpc::ServerUnaryReactor* GetTile(grpc::CallbackServerContext* context, const v1::TileRequest* request,
                                    v1::TileAnswer* response) override;
  grpc::ServerWriteReactor<v1::MailItem>* Follow(grpc::CallbackServerContext* context,
                                                 const v1::FollowRequest* request) override;
  grpc::ServerWriteReactor<v1::LoggedEntry>* Entries(grpc::CallbackServerContext* context,
                                                     const v1::EntriesRequest* request) override;
  grpc::ServerBidiReactor<v1::UploadChunk, v1::UploadProgress>* Upload(grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<v1::DownloadChunk>* Download(grpc::CallbackServerContext* context,
                                                        const v1::DownloadRequest* request) override;

  // A batch was committed: members that are none any more are cut off, followers look again.
  void OnCommit(const CommitNews& news);

 private:
  friend class FollowCall;
  // A unary call: identity, counting, then `work` on the pool; what it returns is the status.
  using Work = std::function<Status(const MemberId& caller)>;
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, std::string_view name,
                                  const google::protobuf::Message& request, const google::protobuf::Message& response,
                                  Work work);

  Exchange exchange_;
  std::mutex followers_mutex_;
  std::set<FollowCall*> followers_;
};

// ---- shared by the files above ----

// Memory that a message takes, which is several times its bytes if it has many small parts; of an answer, with its bytes as gRPC
// keeps them until they are taken.
std::size_t MemoryOfRequest(const google::protobuf::Message& request);
std::size_t MemoryOfAnswer(const google::protobuf::Message& answer);

// Deadline set and not passed: kUsage, kDeadline.
Status CheckDeadline(const grpc::ServerContextBase& context);
Result<std::pair<MemberId, std::unique_ptr<Calls::Call>>> Admit(Exchange& exchange, grpc::ServerContextBase* context,
                                                                CallKind kind, std::string_view name,
                                                                std::size_t request_bytes = 0);
// A unary call's reactor: counts the call until it is answered, so that whoever makes one call after another is never
// counted twice; and what the answer takes, until the peer has it.
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor() = default;  // of a call that is refused before it begins
  UnaryReactor(std::unique_ptr<Calls::Call> call, const google::protobuf::Message& response)
      : call_(std::move(call)), response_(&response) {}
  void Finish(grpc::Status status) {
    if (call_) call_->Answered(status.ok() ? MemoryOfAnswer(*response_) : 0);
    grpc::ServerUnaryReactor::Finish(std::move(status));
  }
  void OnDone() override { delete this; }

 private:
  std::unique_ptr<Calls::Call> call_;
  const google::protobuf::Message* response_ = nullptr;
};

// What a mailbox's item carries beside its entry: with a standing opening under the caller's own order the release, sealed
// when it is read; nothing else. Nothing is released once the order was ended, its author is no longer active with the
// order's key, the record has ended, or the rules of an opening would refuse it today; nor what the witnesses have not
// covered yet. Its entry goes out all the same, so that nothing behind it is held up: the caller sees by the view that it was
// not covered, and asks for the release again (Mailbox from its index).
std::vector<proto::Release> ReleasesWith(Exchange& exchange, std::uint64_t index, const MemberId& caller);

// The present checkpoint, and what proves it to somebody who has verified `verified_size`. kFork (receipt.h).
struct ViewNow {
  PublishedCheckpoint checkpoint;
  proto::View view;
};
Result<ViewNow> ViewFrom(const Sequencer& sequencer, std::uint64_t verified_size);

}  // namespace valija::broker
