// The calls that run now, by member: how many each may have at once, and a way to end all of a member's at once when it
// is removed.
// Thread-safe. A Call must not outlive its context.
#pragma once

#include <grpcpp/server_context.h>

#include <map>
#include <memory>
#include <mutex>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace valija::broker {

enum class CallKind { kUnary, kStream };

class Calls {
 public:
  Calls(std::size_t unary_per_member, std::size_t streams_per_member) : limits_{unary_per_member, streams_per_member} {}

  class Call {  // one running call; ends with this object
   public:
    Call(Calls& calls, MemberId member, CallKind kind, grpc::ServerContextBase* context)
        : calls_(calls), member_(std::move(member)), kind_(kind), context_(context) {}
    ~Call() { calls_.End(*this); }
    Call(const Call&) = delete;
    const MemberId& member() const { return member_; }

   private:
    friend class Calls;
    Calls& calls_;
    MemberId member_;
    CallKind kind_;
    grpc::ServerContextBase* context_;
  };

  // kTooMany.
  Result<std::unique_ptr<Call>> Begin(const MemberId& member, CallKind kind, grpc::ServerContextBase* context) {
    std::lock_guard lock(mutex_);
    auto& running = running_[member];
    const auto k = static_cast<std::size_t>(kind);
    if (running.count[k] >= limits_[k])
      return Refuse(Reason::kTooMany, kind == CallKind::kUnary ? "calls at once" : "open streams at once");
    auto call = std::make_unique<Call>(*this, member, kind, context);
    running.contexts.emplace(context, kind);
    ++running.count[k];
    return call;
  }

  // `streams_alone`: what a member that is still one has asked is answered; it may have asked for this very change.
  void CancelAllOf(const MemberId& member, bool streams_alone) {
    std::lock_guard lock(mutex_);
    auto at = running_.find(member);
    if (at == running_.end()) return;
    for (auto& [context, kind] : at->second.contexts)
      if (kind == CallKind::kStream || !streams_alone) context->TryCancel();
  }

  std::size_t running(CallKind kind) const {
    std::lock_guard lock(mutex_);
    std::size_t all = 0;
    for (const auto& [member, running] : running_) all += running.count[static_cast<std::size_t>(kind)];
    return all;
  }

  void CancelStreams() {  // of everybody: the broker is stopping; what was posted is still answered
    std::lock_guard lock(mutex_);
    for (auto& [member, running] : running_)
      for (auto& [context, kind] : running.contexts)
        if (kind == CallKind::kStream) context->TryCancel();
  }

 private:
  struct Running {
    std::map<grpc::ServerContextBase*, CallKind> contexts;
    std::size_t count[2] = {0, 0};
  };
  void End(const Call& call) {
    std::lock_guard lock(mutex_);
    auto at = running_.find(call.member_);
    at->second.contexts.erase(call.context_);
    --at->second.count[static_cast<std::size_t>(call.kind_)];
    if (at->second.contexts.empty()) running_.erase(at);
  }
  const std::size_t limits_[2];
  mutable std::mutex mutex_;
  std::map<MemberId, Running> running_;
};

}  // namespace valija::broker
