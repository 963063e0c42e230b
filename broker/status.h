// Refusals on the wire: the gRPC status of the reason's class, one fixed sentence, and the code in the trailer
// "valija-reason". Details stay here, but for which limit was reached; a refusal within a PostResponse may carry what its author may know.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "core/base/result.h"

namespace valija::broker {

grpc::Status ToStatus(grpc::ServerContextBase* context, const Error& error);

}  // namespace valija::broker
