#include "broker/guard/admission.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace valija::broker::guard {
namespace {

constexpr std::size_t kAddressesKept = 4096;  // then those that nothing is known of any more are forgotten
constexpr auto kSayEvery = std::chrono::seconds(1);
constexpr auto kHandshakeIsLong = std::chrono::seconds(1);

}  // namespace

Address AddressOf(const sockaddr* address) {
  Address out{};
  if (address->sa_family == AF_INET) {
    out[10] = out[11] = 0xff;
    std::memcpy(out.data() + 12, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    std::memcpy(out.data(), &six, IN6_IS_ADDR_V4MAPPED(&six) ? 16 : 8);
  }
  return out;
}

std::string TextOf(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  const bool four = std::all_of(address.begin(), address.begin() + 10, [](auto byte) { return byte == 0; }) &&
                    address[10] == 0xff && address[11] == 0xff;
  if (four) return ::inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
  return std::string(::inet_ntop(AF_INET6, address.data(), text, sizeof text)) + "/64";
}

std::string PeerText(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    const auto& four = *reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    return "ipv4:" + std::string(text) + ":" + std::to_string(ntohs(four.sin_port));
  }
  const auto& six = *reinterpret_cast<const sockaddr_in6*>(address);
  const auto port = ":" + std::to_string(ntohs(six.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
    ::inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text, sizeof text);
    return "ipv4:" + std::string(text) + port;
  }
  ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
  return "ipv6:[" + std::string(text) + "]" + port;
}

std::unique_ptr<Admission::Place> Admission::Enter(const Address& address, TimePoint now) {
  std::lock_guard lock(mutex_);
  if (connections_ >= limits_.connections || handshakes_ >= limits_.handshakes) return nullptr;
  if (addresses_.size() >= kAddressesKept) Sweep(now);
  const double most = 2.0 * limits_.handshakes_per_second;
  auto [at, is_new] = addresses_.try_emplace(address, FromAddress{0, 0, most, now});
  auto& from = at->second;
  const std::chrono::duration<double> since = now - from.filled;
  from.tokens = std::min(most, from.tokens + since.count() * limits_.handshakes_per_second);
  from.filled = now;
  if (from.connections >= limits_.connections_per_address) {
    ++address_full_;
    return nullptr;
  }
  if (from.handshakes >= limits_.handshakes_per_address || from.tokens < 1) return nullptr;
  auto place = std::make_unique<Place>(shared_from_this(), address, now);
  from.tokens -= 1;
  ++from.connections, ++from.handshakes, ++connections_, ++handshakes_;
  return place;
}

void Admission::Sweep(TimePoint now) {
  std::erase_if(addresses_, [now](const auto& one) {
    return one.second.connections == 0 && now - one.second.filled > std::chrono::seconds(2);
  });
}

void Admission::OnFree(std::function<void()> freed) {
  std::lock_guard lock(freed_mutex_);
  freed_ = std::move(freed);
}

void Admission::Freed() {
  std::lock_guard lock(freed_mutex_);
  if (freed_) freed_();
}

namespace {

// A descriptor of our own for that socket, if that is still the one; else -1.
int SameSocket(int socket, std::uint64_t cookie) {
  const int own = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  std::uint64_t its = 0;
  socklen_t size = sizeof its;
  if (own >= 0 && ::getsockopt(own, SOL_SOCKET, SO_COOKIE, &its, &size) == 0 && its == cookie) return own;
  if (own >= 0) ::close(own);
  return -1;
}

// Whatever waits to be sent is to go with the connection: an end in order would wait behind it for a peer that never reads.
void EndNow(int socket) {
  const linger none{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  ::shutdown(socket, SHUT_RDWR);
}

}  // namespace

bool Admission::EndOldestHandshake(TimePoint now) {
  std::lock_guard lock(mutex_);
  for (auto& [since, place] : watched_) {
    if (now - since < kHandshakeIsLong) return false;
    if (place->open_ || std::exchange(place->ended_, true)) continue;
    const int socket = SameSocket(place->socket_, place->cookie_);
    if (socket < 0) continue;
    ::shutdown(socket, SHUT_RDWR);  // gRPC reads the end, and gives the place back
    ::close(socket);
    return true;
  }
  return false;
}

std::size_t Admission::EndUnread(TimePoint now, std::chrono::milliseconds patience, std::string* example) {
  std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (auto& [since, place] : watched_) {
    if (!place->open_ || place->ended_) continue;
    const int socket = SameSocket(place->socket_, place->cookie_);
    if (socket < 0) continue;
    tcp_info info{};
    socklen_t size = sizeof info;
    int waiting = 0;
    const bool known = ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
                       size >= offsetof(tcp_info, tcpi_bytes_received) && ::ioctl(socket, SIOCOUTQ, &waiting) == 0;
    if (!known || waiting == 0 || info.tcpi_bytes_acked != place->taken_) {
      place->taken_ = info.tcpi_bytes_acked;
      place->taken_at_ = now;
    } else if (now - place->taken_at_ >= patience) {
      place->ended_ = true;
      EndNow(socket);
      *example = TextOf(place->address_);
      ++count;
    }
    ::close(socket);
  }
  return count;
}

bool Admission::End(std::string peer) {
  for (const auto& [coded, plain] : {std::pair("%5B", "["), std::pair("%5D", "]")})
    if (const auto at = peer.find(coded); at != std::string::npos) peer.replace(at, 3, plain);
  std::lock_guard lock(mutex_);
  for (auto& [since, place] : watched_) {
    if (place->peer_ != peer || place->ended_) continue;
    const int socket = SameSocket(place->socket_, place->cookie_);
    if (socket < 0) continue;
    place->ended_ = true;
    EndNow(socket);
    ::close(socket);
    return true;
  }
  return false;
}

void Admission::Place::Watch(int connection) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.ss_family != AF_UNIX)
    peer_ = PeerText(reinterpret_cast<const sockaddr*>(&peer));
  size = sizeof cookie_;
  std::lock_guard lock(of_->mutex_);
  if (::getsockopt(connection, SOL_SOCKET, SO_COOKIE, &cookie_, &size) != 0) return;
  socket_ = connection;
  taken_at_ = since_;
  of_->watched_.emplace(since_, this);
}

void Admission::Place::Opened() {
  {
    std::lock_guard lock(of_->mutex_);
    if (std::exchange(open_, true)) return;
    --of_->addresses_[address_].handshakes;
    --of_->handshakes_;
  }
  of_->Freed();
}

bool Admission::Place::BelongsTo(const KeyId& key) {
  std::lock_guard lock(of_->mutex_);
  auto& held = of_->members_[key];
  if (!held) held = std::make_shared<Held>();
  held_ = held;
  key_ = key;
  return ++held->connections <= of_->limits_.connections_per_member;
}

bool Admission::Place::Keeps(std::uint64_t unfinished) {
  if (unfinished == unfinished_) return true;
  const bool more = unfinished > unfinished_;
  const auto change = unfinished - unfinished_;  // modulo 2^64, as the sums are
  unfinished_ = unfinished;
  const auto all = of_->unfinished_ += change;
  const auto mine = held_->unfinished += change;
  const auto& limits = of_->limits_;
  if (!more || all <= limits.unfinished) return true;
  return all <= 2 * limits.unfinished && mine <= limits.unfinished_per_member;
}

Admission::Place::~Place() {
  (void)Keeps(0);
  {
    std::lock_guard lock(of_->mutex_);
    of_->watched_.erase({since_, this});
    auto& from = of_->addresses_[address_];
    --from.connections, --of_->connections_;
    if (!open_) --from.handshakes, --of_->handshakes_;
    if (key_ && --held_->connections == 0) of_->members_.erase(*key_);
  }
  of_->Freed();
}

bool Admission::Cut(Breach breach, TimePoint now, std::uint64_t* unsaid) {
  const auto at = static_cast<std::size_t>(breach);
  std::lock_guard lock(mutex_);
  ++cut_[at];
  if (!limits_.said) return false;
  if (said_[at] != TimePoint() && now - said_[at] < kSayEvery) {
    ++unsaid_[at];
    return false;
  }
  said_[at] = now;
  *unsaid = std::exchange(unsaid_[at], 0);
  return true;
}

Admission::Counts Admission::counts() const {
  std::lock_guard lock(mutex_);
  return {connections_, handshakes_, address_full_, cut_};
}

}  // namespace valija::broker::guard
