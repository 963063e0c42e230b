#include "broker/status.h"

#include "broker/metrics.h"

namespace valija::broker {
namespace {

grpc::StatusCode CodeFor(Reason reason) {
  switch (ClassOf(reason)) {
    case Class::kInvalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case Class::kUnauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case Class::kDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case Class::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case Class::kConflict:
      return grpc::StatusCode::ALREADY_EXISTS;
    case Class::kPrecondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case Class::kExhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case Class::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case Class::kDeadline:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case Class::kTampered:
      return grpc::StatusCode::DATA_LOSS;
    case Class::kInternal:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

}  // namespace

grpc::Status ToStatus(grpc::ServerContextBase* context, const Error& error) {
  Metrics::Of().Refused(error.reason);
  const std::string code(CodeOf(error.reason));
  context->AddTrailingMetadata("valija-reason", code);
  std::string text = code + ": " + std::string(SentenceOf(error.reason));
  // Which limit it was, and which of the charter's witnesses are missing, is the caller's to know; of other refusals the
  // detail may tell what is not for it.
  const bool told = ClassOf(error.reason) == Class::kExhausted || error.reason == Reason::kNoQuorum;
  if (told && !error.detail.empty()) text += " (" + error.detail + ")";
  return {CodeFor(error.reason), std::move(text)};
}

}  // namespace valija::broker
