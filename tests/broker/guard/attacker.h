// Who means harm: a client with TLS of its own, frames of its own, an address of its own (127.0.0.x), and no manners.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/guard/raw_frames.h"

namespace valija::test {

namespace h2 = broker::guard::h2;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Identity {  // PEM; both empty: none
  std::string certificate, key;
};

struct GotFrame {
  std::uint8_t type = 0, flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

// A TCP connection to 127.0.0.1 from an address of its own.
inline int ConnectFrom(const char* from, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, from, &address.sin_addr);
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  bool good = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  good = good && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (good) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

// The peer has closed, within that time. What it sent before is thrown away.
inline bool ClosedWithin(int fd, milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    pollfd one{fd, POLLIN | POLLRDHUP, 0};
    if (::poll(&one, 1, static_cast<int>(std::max<long>(left, 0))) <= 0) return false;
    char buffer[4096];
    if (::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) <= 0 && errno != EAGAIN) return true;
  }
}

class Attacker {
 public:
  static constexpr const char* kAddress = "127.0.0.66";

  explicit Attacker(int port, const Identity& identity = {}, const char* from = kAddress)
      : fd_(ConnectFrom(from, port)) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!identity.certificate.empty()) {
      std::unique_ptr<BIO, decltype(&BIO_free)> certificate(BIO_new_mem_buf(identity.certificate.data(), -1), BIO_free);
      std::unique_ptr<BIO, decltype(&BIO_free)> key(BIO_new_mem_buf(identity.key.data(), -1), BIO_free);
      std::unique_ptr<X509, decltype(&X509_free)> x509(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr),
                                                       X509_free);
      std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> secret(
          PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
      SSL_CTX_use_certificate(context_.get(), x509.get());
      SSL_CTX_use_PrivateKey(context_.get(), secret.get());
    }
    ssl_.reset(SSL_new(context_.get()));
    static constexpr unsigned char kAlpn[] = "\x02h2";
    SSL_set_alpn_protos(ssl_.get(), kAlpn, 3);
    if (fd_ >= 0) SSL_set_fd(ssl_.get(), fd_);
    Wait(std::chrono::seconds(60));
  }
  ~Attacker() {
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
    ERR_clear_error();
  }
  Attacker(const Attacker&) = delete;

  int fd() const { return fd_; }
  unsigned faults() const {
    return faults_;
  }  // RST_STREAM that came for a fault of ours, of those frames that were read
  SSL* ssl() { return ssl_.get(); }
  bool Shake() { return fd_ >= 0 && SSL_connect(ssl_.get()) == 1; }
  // False: the connection is over.
  bool Send(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      Drain();
      ERR_clear_error();
      const int sent =
          SSL_write(ssl_.get(), bytes.data() + at, static_cast<int>(std::min<std::size_t>(bytes.size() - at, 16384)));
      if (sent <= 0) return false;
      at += static_cast<std::size_t>(sent);
    }
    return true;
  }
  bool Open(std::string_view opening = h2::Opening()) {
    return Shake() && Send(opening) && Read([](const GotFrame& frame) { return frame.type == h2::kSettings; }) &&
           Send(h2::Acknowledgement());
  }

  // Frames that came, until `enough` says so (true), or the connection ends or nothing comes for a minute (false).
  template <class Enough>
  bool Read(Enough enough) {
    for (;;) {
      while (pending_.size() >= 9) {
        const auto* p = reinterpret_cast<const unsigned char*>(pending_.data());
        const std::size_t length = std::size_t{p[0]} << 16 | std::size_t{p[1]} << 8 | p[2];
        if (pending_.size() < 9 + length) break;
        GotFrame frame{p[3], p[4],
                       (std::uint32_t{p[5]} << 24 | std::uint32_t{p[6]} << 16 | std::uint32_t{p[7]} << 8 | p[8]),
                       pending_.substr(9, length)};
        pending_.erase(0, 9 + length);
        Noticed(frame);
        if (enough(frame)) return true;
      }
      if (!Receive()) return false;
    }
  }
  // A part of a request's body, as fast as the broker's windows let it. False: the connection is over, or nothing of it is
  // asked for for a minute, or the stream ended.
  bool SendBody(std::uint32_t stream, std::string_view body, std::uint8_t flags_at_end = 0) {
    auto& of_stream = windows_.try_emplace(stream, initial_window_).first->second;
    bool ended = false;
    while (!body.empty()) {
      const auto room = std::min({of_stream, window_, std::int64_t{16384}});
      if (room > 0) {
        const auto part = body.substr(0, static_cast<std::size_t>(room));
        body.remove_prefix(part.size());
        if (!Send(h2::Frame(h2::kData, body.empty() ? flags_at_end : std::uint8_t{0}, stream, part))) return false;
        of_stream -= static_cast<std::int64_t>(part.size()), window_ -= static_cast<std::int64_t>(part.size());
        continue;
      }
      const bool more = Read([&](const GotFrame& frame) {
        ended = frame.stream == stream && (frame.type == h2::kRstStream ||
                                           (frame.type != h2::kWindowUpdate && (frame.flags & h2::kEndStream) != 0));
        return ended || (window_ > 0 && of_stream > 0);
      });
      if (!more || ended) return false;
    }
    return true;
  }
  // A PING of ours is answered.
  bool Answers() {
    const std::string mark = "are u ok";
    if (!Send(h2::Frame(h2::kPing, 0, 0, mark))) return false;
    return Read([&](const GotFrame& frame) { return frame.type == h2::kPing && frame.payload == mark; });
  }
  // Ends, by the other side's doing. Silence for a minute is no end.
  bool Ends() {
    while (Receive()) continue;
    return ended_;
  }
  // The text of a call's trailers (no Huffman in what gRPC sends of them): its last HEADERS.
  std::string TrailersOf(std::uint32_t stream) {
    std::string out;
    Read([&](const GotFrame& frame) {
      if (frame.stream != stream) return false;
      if (frame.type == h2::kHeaders) out = frame.payload;
      return frame.type == h2::kRstStream || (frame.flags & h2::kEndStream) != 0;
    });
    return out;
  }

 private:
  void Wait(milliseconds patience) const {
    const timeval time{patience.count() / 1000, patience.count() % 1000 * 1000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  bool Receive() {
    char buffer[16384];
    ERR_clear_error();
    errno = 0;
    const int got = SSL_read(ssl_.get(), buffer, sizeof buffer);
    if (got <= 0) {
      ended_ = errno != EAGAIN && errno != EWOULDBLOCK;
      return false;
    }
    pending_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  static std::uint32_t U32Of(const std::string& bytes, std::size_t at) {
    const auto* p = reinterpret_cast<const unsigned char*>(bytes.data()) + at;
    return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
  }
  // The broker's windows (RFC 9113, 6.9).
  void Noticed(const GotFrame& frame) {
    if (frame.type == h2::kWindowUpdate && frame.stream == 0) window_ += U32Of(frame.payload, 0);
    if (frame.type == h2::kWindowUpdate && frame.stream != 0)
      windows_.try_emplace(frame.stream, initial_window_).first->second += U32Of(frame.payload, 0);
    if (frame.type == h2::kRstStream && U32Of(frame.payload, 0) != 0 && U32Of(frame.payload, 0) != 8) ++faults_;
    if (frame.type != h2::kSettings) return;
    for (std::size_t at = 0; at + 6 <= frame.payload.size(); at += 6) {
      if (frame.payload[at] != 0 || frame.payload[at + 1] != 4) continue;
      const std::int64_t initial = U32Of(frame.payload, at + 2);
      for (auto& [stream, window] : windows_) window += initial - initial_window_;
      initial_window_ = initial;
    }
  }
  // What is there already, so that two who only write do not wait for one another.
  void Drain() {
    pollfd one{fd_, POLLIN, 0};
    while (drains_ && ::poll(&one, 1, 0) > 0 && Receive()) continue;
  }

 public:
  bool drains_ = true;  // false: it never reads while it sends

 private:
  const int fd_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  std::string pending_;
  std::int64_t window_ = 65535, initial_window_ = 65535;
  std::map<std::uint32_t, std::int64_t> windows_;
  bool ended_ = false;
  unsigned faults_ = 0;
};

}  // namespace valija::test
