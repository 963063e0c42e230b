// A TCP connection as a client has it, with or without TLS, where nothing waits longer than its Patience. For core/io alone.
//
// Thread-safety: one thread at a time, but for the event with which a Patience ends early.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/tls_client.h"
#include "core/io/descriptor.h"

namespace valija::io {

// The time of one call, all of it: it ends then, however often something came meanwhile; or as soon as `stop` can be read.
class Patience {
 public:
  Patience(std::chrono::milliseconds at_most, int stop);
  std::chrono::milliseconds left() const;
  // Until the descriptor can be read (POLLIN) or written (POLLOUT), or failed. kUnavailable: time is up; kShuttingDown.
  Status Wait(int fd, short events) const;
  Patience Part(std::chrono::milliseconds at_most) const { return {at_most, stop_}; }

 private:
  Descriptor timer_;  // so that no clock is read here
  int stop_;
};

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
  int family = 0;
};

// Names are looked up by a thread of their own, as the system's resolver knows no deadline. One that is left behind ends by
// itself, and is the one that is waited for when the name is asked for again.
class Resolver {
 public:
  Result<std::vector<Address>> Find(const std::string& host, const std::string& port, const Patience& patience);

 private:
  struct Lookup;
  std::shared_ptr<Lookup> running_;
};

class Connection {
 public:
  // The addresses in turn, each with its share of the time. tls: the name that the peer proves; nullopt: plain.
  static Result<std::unique_ptr<Connection>> Open(const std::vector<Address>& addresses,
                                                  const std::optional<std::string>& tls, const Patience& patience);

  Status Send(ByteView data, const Patience& patience);
  Result<std::size_t> Receive(std::span<std::uint8_t> into, const Patience& patience);  // 0: the peer ended
  bool Idle() const;  // nothing came, no end either: it can be used again

 private:
  Connection(Descriptor socket, std::unique_ptr<crypto::TlsClient> tls)
      : socket_(std::move(socket)), tls_(std::move(tls)) {}
  Status Shake(const Patience& patience);
  Status SendPlain(ByteView data, const Patience& patience);
  Result<std::size_t> ReceivePlain(std::span<std::uint8_t> into, const Patience& patience);

  Descriptor socket_;
  std::unique_ptr<crypto::TlsClient> tls_;
};

}  // namespace valija::io
