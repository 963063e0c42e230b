// The client's end of a TLS connection, without the connection: what the peer sent is fed in, what is to be sent is taken
// out. TLS 1.2 or 1.3; the peer's certificate must be for the host, issued under the system's CAs.
//
// Thread-safety: one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace valija::crypto {

class TlsClient {
 public:
  // `host`: a name, or an address without brackets. kInternal: OpenSSL will not.
  static Result<std::unique_ptr<TlsClient>> Make(const std::string& host);
  ~TlsClient();

  void Feed(ByteView received);
  Bytes Take();  // to be sent now, after each of the calls below

  Result<bool> Shake();         // the handshake: whether it is done. kBadCertificate, kUnavailable
  Status Write(ByteView data);  // after it
  // nullopt: more has to be fed first; 0: the peer ended, and said so.
  Result<std::optional<std::size_t>> Read(std::span<std::uint8_t> into);

 private:
  struct Impl;
  explicit TlsClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija::crypto
