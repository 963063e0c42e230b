#include "broker/service.h"

#include "broker/oplog.h"
#include "broker/status.h"

namespace valija::broker {

std::size_t MemoryOfRequest(const google::protobuf::Message& request) {
  constexpr std::size_t kSmall = 4096, kAtMost = 10;  // it is not worth a walk
  const auto bytes = request.ByteSizeLong();
  return bytes < kSmall ? kAtMost * bytes : request.SpaceUsedLong();
}

std::size_t MemoryOfAnswer(const google::protobuf::Message& answer) {
  return MemoryOfRequest(answer) + answer.ByteSizeLong();
}

Status CheckDeadline(const grpc::ServerContextBase& context) {
  const auto deadline = context.deadline();
  const auto now = std::chrono::system_clock::now();
  if (deadline > now + std::chrono::hours(48)) return Refuse(Reason::kUsage, "a call needs a deadline");
  if (deadline <= now) return Refuse(Reason::kDeadline);
  return Ok();
}

Result<std::pair<MemberId, std::unique_ptr<Calls::Call>>> Admit(Exchange& exchange, grpc::ServerContextBase* context,
                                                                CallKind kind, std::string_view name,
                                                                std::size_t request_bytes) {
  auto caller = exchange.identity.CallerOf(*context, exchange.now());
  if (!caller) {
    Log(Level::kWarning, "refused-caller",
        {{"call", std::string(name)},
         {"peer", context->peer()},
         {"reason", std::string(CodeOf(caller.error().reason))},
         {"detail", caller.error().detail}});
    return caller.error();
  }
  TRY_OK(CheckDeadline(*context));
  TRY(auto call, exchange.calls.Begin(*caller, kind, context, context->peer(), request_bytes));
  return std::pair(*std::move(caller), std::move(call));
}

Result<ViewNow> ViewFrom(const Sequencer& sequencer, std::uint64_t verified_size) {
  auto checkpoint = sequencer.checkpoint();
  TRY(auto view, MakeView(sequencer, checkpoint, verified_size));
  return ViewNow{std::move(checkpoint), std::move(view)};
}

grpc::ServerUnaryReactor* ExchangeService::Unary(grpc::CallbackServerContext* context, std::string_view name,
                                                 const google::protobuf::Message& request,
                                                 const google::protobuf::Message& response, Work work) {
  auto admitted = Admit(exchange_, context, CallKind::kUnary, name, MemoryOfRequest(request));
  if (!admitted) {
    auto* refused = new UnaryReactor();
    refused->Finish(ToStatus(context, admitted.error()));
    return refused;
  }
  auto [caller, call] = *std::move(admitted);
  auto* reactor = new UnaryReactor(std::move(call), response);
  auto queued = exchange_.workers.Submit([context, reactor, work = std::move(work), member = caller, name] {
    Status done = Refuse(Reason::kInternal);
    try {
      done = work(member);
    } catch (const std::exception& error) {
      Log(Level::kAlarm, "exception", {{"call", std::string(name)}, {"what", error.what()}});
    }
    reactor->Finish(done ? grpc::Status::OK : ToStatus(context, done.error()));
  });
  if (!queued) reactor->Finish(ToStatus(context, queued.error()));
  return reactor;
}

}  // namespace valija::broker
