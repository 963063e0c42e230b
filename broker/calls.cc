#include "broker/calls.h"

#include <google/protobuf/message.h>

#include "broker/oplog.h"

namespace valija::broker {
namespace {

constexpr auto kSayEvery = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<Calls::Call>> Calls::Begin(const MemberId& member, CallKind kind,
                                                  grpc::ServerContextBase* context, std::string peer,
                                                  std::size_t request) {
  std::lock_guard lock(mutex_);
  auto& running = running_[member];
  const auto k = static_cast<std::size_t>(kind);
  if (running.count[k] >= (kind == CallKind::kUnary ? limits_.unary : limits_.streams))
    return Refuse(Reason::kTooMany, kind == CallKind::kUnary ? "calls at once" : "open streams at once");
  if (kept_ + request > limits_.kept) {
    bool most = true;
    for (const auto& [other, its] : running_) most = most && its.kept <= running.kept + request;
    if (most) {
      if (running.calls.empty()) running_.erase(member);
      return Refuse(Reason::kTooMany, "bytes at once");
    }
  }
  auto call = std::make_unique<Call>(*this, member, kind, context, std::move(peer));
  running.calls.insert(call.get());
  ++running.count[k];
  KeepLocked(running, *call, request);
  MakeRoomLocked();
  return call;
}

void Calls::Answered(Call& call, std::size_t bytes) {
  std::lock_guard lock(mutex_);
  auto& running = running_.at(call.member_);
  if (std::exchange(call.counts_, false)) --running.count[static_cast<std::size_t>(call.kind_)];
  call.sent_at_ = bytes == 0 ? 0 : ++sent_;
  KeepLocked(running, call, bytes);
  MakeRoomLocked();
}

void Calls::Sends(Call& call, std::size_t bytes) {
  std::lock_guard lock(mutex_);
  call.sent_at_ = bytes == 0 ? 0 : ++sent_;
  KeepLocked(running_.at(call.member_), call, bytes);
  MakeRoomLocked();
}

void Calls::KeepLocked(Running& running, Call& call, std::uint64_t bytes) {
  if (call.ended_) bytes = 0;
  running.kept += bytes - call.kept_;  // modulo 2^64, as the sums are
  kept_ += bytes - call.kept_;
  call.kept_ = bytes;
}

// What is ended is as good as gone: gRPC lets go of all of it with the connection.
void Calls::MakeRoomLocked() {
  while (kept_ > limits_.kept) {
    Running* most = nullptr;
    Call* oldest = nullptr;
    for (auto& [member, running] : running_) {
      if (most != nullptr && running.kept <= most->kept) continue;
      Call* its_oldest = nullptr;
      for (auto* call : running.calls)
        if (call->sent_at_ != 0 && !call->ended_ && (its_oldest == nullptr || call->sent_at_ < its_oldest->sent_at_))
          its_oldest = call;
      if (its_oldest == nullptr) continue;  // all of it is work in progress, which ends by itself
      most = &running;
      oldest = its_oldest;
    }
    if (oldest == nullptr) return;
    const bool gone = end_(oldest->peer_);
    for (auto* call : most->calls) {
      if (call->peer_ != oldest->peer_ || call->ended_) continue;
      call->ended_ = true;
      KeepLocked(*most, *call, 0);
      if (!gone) cancel_(call->context_);
    }
    ++ended_unsaid_;
    const auto now = std::chrono::steady_clock::now();
    if (said_ != std::chrono::steady_clock::time_point() && now - said_ < kSayEvery) continue;
    said_ = now;
    Log(Level::kWarning, "answers-not-taken",
        {{"member", oldest->member_.str()}, {"ended", std::to_string(std::exchange(ended_unsaid_, 0))}});
  }
}

void Calls::CancelAllOf(const MemberId& member, bool streams_alone) {
  std::lock_guard lock(mutex_);
  auto at = running_.find(member);
  if (at == running_.end()) return;
  for (auto* call : at->second.calls)
    if (call->counts_ && (call->kind_ == CallKind::kStream || !streams_alone)) cancel_(call->context_);
}

void Calls::CancelStreams() {
  std::lock_guard lock(mutex_);
  for (auto& [member, running] : running_)
    for (auto* call : running.calls)
      if (call->kind_ == CallKind::kStream) cancel_(call->context_);
}

std::size_t Calls::running(CallKind kind) const {
  std::lock_guard lock(mutex_);
  std::size_t all = 0;
  for (const auto& [member, running] : running_) all += running.count[static_cast<std::size_t>(kind)];
  return all;
}

std::uint64_t Calls::kept() const {
  std::lock_guard lock(mutex_);
  return kept_;
}

void Calls::End(Call& call) {
  std::lock_guard lock(mutex_);
  const auto at = running_.find(call.member_);
  auto& running = at->second;
  KeepLocked(running, call, 0);
  running.calls.erase(&call);
  if (call.counts_) --running.count[static_cast<std::size_t>(call.kind_)];
  if (running.calls.empty()) running_.erase(at);
}

}  // namespace valija::broker
