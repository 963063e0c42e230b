// Proof, before the broker listens anywhere, that the guard guards: in this process, with the gRPC and the OpenSSL that it was
// started with.
#pragma once

#include "broker/guard/acceptor.h"

namespace valija::broker::guard {

// On a private port of this machine's loopback address that serves nothing, with a throwaway certificate, and credentials,
// acceptor and frame limits like the broker's: an honest connection is served; one for each limit breaks it and nothing else,
// and is closed for that very reason; then as many connections as one member, and as one address, may have, and one more
// each. kInternal.
Status ProveGuard(const Limits& limits);

}  // namespace valija::broker::guard
