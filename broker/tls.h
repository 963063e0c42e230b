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

// Connects to our own port as a client that knows TLS 1.2 and nothing newer. Ok only if the server refuses: a broker
// that would speak it does not serve. kInternal.
Status ProbeRefusesTls12(int port);

}  // namespace valija::broker
