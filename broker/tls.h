// TLS as the broker does it: mutual, 1.3 only, client certificates from the agencies' own CAs.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace valija::broker {

// The agencies' CAs as the charter in force has them; another charter's take effect with the next handshake.
// Thread-safe.
class ClientCas {
 public:
  explicit ClientCas(std::string pem) : pem_(std::move(pem)) {}
  void Set(std::string pem) {
    std::lock_guard lock(mutex_);
    if (pem == pem_) return;
    pem_ = std::move(pem);
    ++generation_;
  }
  struct Now {
    std::uint64_t generation;  // 1, 2, ..
    std::string pem;
  };
  Now Get() const {
    std::lock_guard lock(mutex_);
    return {generation_, pem_};
  }

 private:
  mutable std::mutex mutex_;
  std::string pem_;
  std::uint64_t generation_ = 1;
};

// A client must present a certificate that one of these CAs issued; which one may speak for whom is identity.h's. The
// credentials must outlive every server that was made with them.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& certificate_pem,
                                                               const crypto::Secret& key_pem,
                                                               std::shared_ptr<const ClientCas> client_cas);

// Connects to a port of this machine's loopback address: as a client that knows TLS 1.3 alone, which has to be agreed
// with, as one that knows nothing newer than TLS 1.2, which has to be refused, and as the first again. kInternal.
Status ProbeTls13Only(int port, bool ipv6 = false);

// The same of a server with these credentials, on a private port of its own that serves nothing and is closed again:
// before the broker listens anywhere, and wherever it is going to. A broker that would speak TLS 1.2, or cannot find
// out, does not serve. kInternal.
Status ProveTls13Only(const std::shared_ptr<grpc::ServerCredentials>& credentials);

}  // namespace valija::broker
