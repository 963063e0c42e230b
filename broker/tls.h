// TLS as the broker does it: mutual, 1.3 only, client certificates from the agencies' own CAs.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace valija::broker {

// A client must present a certificate that one of these CAs issued; which one may speak for whom is identity.h's.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& certificate_pem,
                                                               const crypto::Secret& key_pem,
                                                               const std::string& client_cas_pem);

// Connects to a port of this machine's loopback address: as a client that knows TLS 1.3 alone, which has to be agreed
// with, as one that knows nothing newer than TLS 1.2, which has to be refused, and as the first again. kInternal.
Status ProbeTls13Only(int port, bool ipv6 = false);

// The same of a server with these credentials, on a private port of its own that serves nothing and is closed again:
// before the broker listens anywhere, and wherever it is going to. A broker that would speak TLS 1.2, or cannot find
// out, does not serve. kInternal.
Status ProveTls13Only(const std::shared_ptr<grpc::ServerCredentials>& credentials);

}  // namespace valija::broker
