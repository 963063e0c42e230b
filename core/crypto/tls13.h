// gRPC 1.51 has no public way to refuse TLS 1.2: it sets its own minimum on every SSL_CTX it makes. What it does not
// touch are the options that OpenSSL's own configuration puts on every new SSL_CTX of the process, so that is where
// the older versions are switched off, from memory, whatever openssl.cnf says.
#pragma once

#include "core/base/result.h"

namespace valija::crypto {

// Every SSL_CTX made in this process from now on speaks TLS 1.3 only, with no session tickets. Call once, before the
// first TLS object, from one thread. kInternal if OpenSSL did not take it, or a trial SSL_CTX shows it has no effect.
Status RequireTls13();

}  // namespace valija::crypto
