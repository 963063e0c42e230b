// The calls that run now, by member: how many each may have at once, how many bytes of requests and answers are kept for
// them, and a way to end all of a member's at once when it is removed.
//
// An answer is kept until its peer has taken it, and who does not read may ask on: so what is kept has a limit, of all
// members together. Above it a request of whoever has most is refused, and of the connections of whoever has most that one
// ends which has not taken an answer for longest; whatever it was can be asked for again. Its calls alone would not do: gRPC
// keeps what it was about to write of them until the connection takes it.
//
// Thread-safe. A Call must not outlive its context.
#pragma once

#include <grpcpp/server_context.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace google::protobuf {
class Message;
}

namespace valija::broker {

enum class CallKind { kUnary, kStream };

class Calls {
  struct Running;

 public:
  struct Limits {
    std::size_t unary = 64, streams = 32;          // of one member
    std::uint64_t kept = std::uint64_t{96} << 20;  // bytes, of all
  };
  using Cancel = std::function<void(grpc::ServerContextBase*)>;
  static void TryCancel(grpc::ServerContextBase* context) { context->TryCancel(); }
  using EndPeer = std::function<bool(const std::string& peer)>;  // false: there is none, and its calls are cancelled
  // `end` ends a connection, of which a context says the peer; it is called with a lock held, and calls nothing here.
  explicit Calls(const Limits& limits, EndPeer end, Cancel cancel = TryCancel)
      : limits_(limits), end_(std::move(end)), cancel_(std::move(cancel)) {}

  class Call {  // one running call; ends with this object
   public:
    Call(Calls& calls, MemberId member, CallKind kind, grpc::ServerContextBase* context, std::string peer)
        : calls_(calls), member_(std::move(member)), kind_(kind), context_(context), peer_(std::move(peer)) {}
    ~Call() { calls_.End(*this); }
    Call(const Call&) = delete;
    const MemberId& member() const { return member_; }
    // It is answered, and does not count among the calls at once any more; what of its answer is not taken yet is kept.
    void Answered(std::size_t bytes) { calls_.Answered(*this, bytes); }
    // So much is on its way to the peer, of a stream; 0: the peer has taken it. It may end a connection: this one's too.
    void Sends(std::size_t bytes) { calls_.Sends(*this, bytes); }

   private:
    friend class Calls;
    Calls& calls_;
    const MemberId member_;
    const CallKind kind_;
    grpc::ServerContextBase* const context_;
    const std::string peer_;
    std::uint64_t kept_ = 0;
    std::uint64_t sent_at_ = 0;  // in the order of all answers; 0: nothing to take
    bool counts_ = true, ended_ = false;
  };

  // kTooMany. `request`: its bytes.
  Result<std::unique_ptr<Call>> Begin(const MemberId& member, CallKind kind, grpc::ServerContextBase* context,
                                      std::string peer, std::size_t request = 0);

  // `streams_alone`: what a member that is still one has asked is answered; it may have asked for this very change.
  void CancelAllOf(const MemberId& member, bool streams_alone);
  void CancelStreams();  // of everybody: the broker is stopping; what was posted is still answered

  std::uint64_t kept() const;
  std::size_t running(CallKind kind) const;

 private:
  struct Running {
    std::set<Call*> calls;
    std::size_t count[2] = {0, 0};
    std::uint64_t kept = 0;
  };
  void Answered(Call& call, std::size_t bytes);
  void Sends(Call& call, std::size_t bytes);
  void End(Call& call);
  void KeepLocked(Running& running, Call& call, std::uint64_t bytes);
  void MakeRoomLocked();

  const Limits limits_;
  const EndPeer end_;
  const Cancel cancel_;
  mutable std::mutex mutex_;
  std::map<MemberId, Running> running_;
  std::uint64_t kept_ = 0, sent_ = 0;
  std::uint64_t ended_unsaid_ = 0;
  std::chrono::steady_clock::time_point said_{};
};

}  // namespace valija::broker
