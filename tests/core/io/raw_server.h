// A server of raw bytes on a port of its own: what a peer that lies sends, byte by byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace valija::test {

class RawServer {
 public:
  // One connection, as a script has it. Everything fails once the client is gone or the server ends.
  class Peer {
   public:
    explicit Peer(int fd, const std::atomic<bool>& over) : fd_(fd), over_(over) {}
    bool over() const { return over_; }
    int fd() const { return fd_; }
    bool Send(std::string_view bytes) {
      while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }
    // One request: its head, and the body that Content-Length announces. Empty at the end.
    std::string Request() {
      std::size_t want = std::string::npos;
      while (want == std::string::npos || read_.size() < want) {
        if (const auto end = read_.find("\r\n\r\n"); end != std::string::npos && want == std::string::npos) {
          const auto at = read_.find("Content-Length: ");
          want = end + 4 + (at < end ? std::stoul(read_.substr(at + 16)) : 0);
          continue;
        }
        char block[4096];
        const auto got = ::recv(fd_, block, sizeof block, 0);
        if (got <= 0) return {};
        read_.append(block, static_cast<std::size_t>(got));
      }
      auto out = read_.substr(0, want);
      read_.erase(0, want);
      return out;
    }
    // Until the client goes away.
    void Hang() {
      for (char c = 0; ::recv(fd_, &c, 1, 0) > 0;) {
      }
    }

   private:
    const int fd_;
    const std::atomic<bool>& over_;
    std::string read_;
  };
  using Script = std::function<void(Peer&)>;

  explicit RawServer(Script script) : script_(std::move(script)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof where;
    if (::bind(listening_, reinterpret_cast<sockaddr*>(&where), length) != 0 || ::listen(listening_, 64) != 0 ||
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&where), &length) != 0)
      throw std::runtime_error("no port");
    port_ = ntohs(where.sin_port);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~RawServer() {
    over_ = true;
    ::shutdown(listening_, SHUT_RDWR);
    accepting_.join();
    {
      std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (const int fd : open_) ::close(fd);
    ::close(listening_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  std::atomic<int> connections = 0;

 private:
  void Accept() {
    while (!over_) {
      const int fd = ::accept(listening_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections;
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Peer peer(fd, over_);
        script_(peer);
        ::shutdown(fd, SHUT_RDWR);
      });
    }
  }

  const Script script_;
  const int listening_;
  int port_ = 0;
  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

// A port that takes connections and answers none: its queue is full, so that who connects waits.
class BlackHole {
 public:
  BlackHole() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    where_.sin_family = AF_INET;
    where_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof where_;
    if (::bind(listening_, reinterpret_cast<sockaddr*>(&where_), length) != 0 || ::listen(listening_, 0) != 0 ||
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&where_), &length) != 0)
      throw std::runtime_error("no port");
    for (int i = 0; i < 64; ++i) {  // until one has to wait
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      fill_.push_back(fd);
      (void)::connect(fd, reinterpret_cast<sockaddr*>(&where_), length);
      pollfd one{fd, POLLOUT, 0};
      if (::poll(&one, 1, 200) == 0) return;
    }
    throw std::runtime_error("its queue never fills");
  }
  ~BlackHole() {
    for (const int fd : fill_) ::close(fd);
    ::close(listening_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(ntohs(where_.sin_port)); }

 private:
  const int listening_;
  sockaddr_in where_{};
  std::vector<int> fill_;
};

}  // namespace valija::test
