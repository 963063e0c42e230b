#include "core/io/connection.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace valija::io {
namespace {

using std::chrono::milliseconds;

Error Failed(int error) { return Refuse(Reason::kUnavailable, std::system_category().message(error)); }

struct Freed {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// The addresses, or getaddrinfo's error.
int Ask(const std::string& host, const std::string& port, int flags, std::vector<Address>& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (error != 0) return error;
  const std::unique_ptr<addrinfo, Freed> freed(list);
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Address address;
    if (one->ai_addrlen > sizeof address.bytes) continue;
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    address.family = one->ai_family;
    out.push_back(address);
  }
  return 0;
}

}  // namespace

// ---- Patience ----

Patience::Patience(milliseconds at_most, int stop)
    : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), stop_(stop) {
  const auto time = std::max(at_most, milliseconds(1));
  itimerspec when{};
  when.it_value.tv_sec = time.count() / 1000;
  when.it_value.tv_nsec = time.count() % 1000 * 1'000'000;
  if (timer_.get() < 0 || ::timerfd_settime(timer_.get(), 0, &when, nullptr) != 0)
    throw std::system_error(errno, std::system_category(), "timerfd");
}

milliseconds Patience::left() const {
  itimerspec now{};
  if (::timerfd_gettime(timer_.get(), &now) != 0) throw std::system_error(errno, std::system_category(), "timerfd");
  return milliseconds(now.it_value.tv_sec * 1000 + (now.it_value.tv_nsec + 999'999) / 1'000'000);
}

Status Patience::Wait(int fd, short events) const {
  for (;;) {
    pollfd of[] = {{stop_, POLLIN, 0}, {timer_.get(), POLLIN, 0}, {fd, events, 0}};
    if (::poll(of, 3, -1) < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::system_category(), "poll");
    }
    if (of[0].revents != 0) return Refuse(Reason::kShuttingDown);
    if (of[1].revents != 0) return Refuse(Reason::kUnavailable, "no whole answer in time");
    if (of[2].revents != 0) return Ok();
  }
}

// ---- Resolver ----

struct Resolver::Lookup {
  Lookup(std::string name, std::string service) : host(std::move(name)), port(std::move(service)) {}
  const std::string host, port;
  const Descriptor done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;
  std::vector<Address> found;
  int error = 0;
};

Result<std::vector<Address>> Resolver::Find(const std::string& host, const std::string& port,
                                            const Patience& patience) {
  std::vector<Address> out;
  if (Ask(host, port, AI_NUMERICHOST, out) == 0) return out;
  if (!running_ || running_->host != host || running_->port != port) {
    running_ = std::make_shared<Lookup>(host, port);
    if (running_->done.get() < 0) throw std::system_error(errno, std::system_category(), "eventfd");
    std::thread([lookup = running_] {
      std::vector<Address> found;
      const int error = Ask(lookup->host, lookup->port, 0, found);
      {
        std::lock_guard lock(lookup->mutex);
        lookup->found = std::move(found);
        lookup->error = error;
      }
      (void)::eventfd_write(lookup->done.get(), 1);
    }).detach();
  }
  TRY_OK(patience.Wait(running_->done.get(), POLLIN));
  const auto lookup = std::move(running_);  // the next call asks anew
  std::lock_guard lock(lookup->mutex);
  if (lookup->error != 0 || lookup->found.empty())
    return Refuse(Reason::kUnavailable, "no address is known for " + host);
  return lookup->found;
}

// ---- Connection ----

Result<std::unique_ptr<Connection>> Connection::Open(const std::vector<Address>& addresses,
                                                     const std::optional<std::string>& tls, const Patience& patience) {
  Error last = Refuse(Reason::kUnavailable, "no address");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    Descriptor socket(::socket(addresses[i].family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto* where = reinterpret_cast<const sockaddr*>(&addresses[i].bytes);
    if (socket.get() < 0) {
      last = Failed(errno);
      continue;
    }
    if (::connect(socket.get(), where, addresses[i].length) != 0) {
      if (errno != EINPROGRESS) {
        last = Failed(errno);
        continue;
      }
      const auto share = patience.Part(patience.left() / static_cast<int>(addresses.size() - i));
      if (auto waited = share.Wait(socket.get(), POLLOUT); !waited) {
        if (waited.error().reason == Reason::kShuttingDown) return waited.error();
        last = waited.error();
        continue;
      }
      int error = 0;
      socklen_t length = sizeof error;
      if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
      if (error != 0) {
        last = Failed(error);
        continue;
      }
    }
    const int yes = 1;
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::unique_ptr<crypto::TlsClient> made;
    if (tls) {
      TRY(made, crypto::TlsClient::Make(*tls));
    }
    auto out = std::unique_ptr<Connection>(new Connection(std::move(socket), std::move(made)));
    TRY_OK(out->Shake(patience));
    return out;
  }
  return last;
}

Status Connection::Shake(const Patience& patience) {
  if (!tls_) return Ok();
  for (Bytes block(16 * 1024);;) {
    auto shaken = tls_->Shake();
    TRY_OK(SendPlain(tls_->Take(), patience));  // an alert too
    TRY(const bool done, std::move(shaken));
    if (done) return Ok();
    TRY(const auto got, ReceivePlain(block, patience));
    if (got == 0) return Refuse(Reason::kUnavailable, "it ended the connection");
    tls_->Feed(ByteView(block).first(got));
  }
}

Status Connection::Send(ByteView data, const Patience& patience) {
  if (!tls_) return SendPlain(data, patience);
  TRY_OK(tls_->Write(data));
  return SendPlain(tls_->Take(), patience);
}

Result<std::size_t> Connection::Receive(std::span<std::uint8_t> into, const Patience& patience) {
  if (!tls_) return ReceivePlain(into, patience);
  for (Bytes block(16 * 1024);;) {
    auto read = tls_->Read(into);
    TRY_OK(SendPlain(tls_->Take(), patience));
    TRY(const auto got, std::move(read));
    if (got) return *got;
    TRY(const auto came, ReceivePlain(block, patience));
    if (came == 0) return Refuse(Reason::kUnavailable, "it ended the connection");  // and TLS not: cut by somebody
    tls_->Feed(ByteView(block).first(came));
  }
}

Status Connection::SendPlain(ByteView data, const Patience& patience) {
  while (!data.empty()) {
    const auto sent = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data = data.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY_OK(patience.Wait(socket_.get(), POLLOUT));
    } else if (errno != EINTR) {
      return Failed(errno);
    }
  }
  return Ok();
}

Result<std::size_t> Connection::ReceivePlain(std::span<std::uint8_t> into, const Patience& patience) {
  for (;;) {
    TRY_OK(patience.Wait(socket_.get(), POLLIN));  // also where something is there already: a drip has a deadline
    const auto got = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EAGAIN && errno != EINTR) return Failed(errno);
  }
}

bool Connection::Idle() const {
  std::uint8_t one = 0;
  return ::recv(socket_.get(), &one, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

}  // namespace valija::io
