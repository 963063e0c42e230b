#include "broker/guard/acceptor.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "broker/guard/connection.h"
#include "broker/oplog.h"

namespace valija::broker::guard {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReserved = 720;  // the store's 512 files, logs, witnesses, the public port, gRPC's own
constexpr std::size_t kFewest = 1024;   // descriptors with which a broker serves at all
constexpr auto kSayEvery = std::chrono::minutes(1);
constexpr milliseconds kTick{100};  // while anything waits
constexpr milliseconds kLongWait{500};
constexpr milliseconds kLookEvery{2000};  // whether peers take what is sent to them

TimePoint Now() { return std::chrono::steady_clock::now(); }

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) Close(), fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Fd() { Close(); }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

Fd ListenOn(const addrinfo& where, int port) {
  Fd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return {};
  const int yes = 1, no = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (where.ai_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  // Inherited by what is accepted, as gRPC sets them on sockets of its own.
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_storage address{};
  std::memcpy(&address, where.ai_addr, where.ai_addrlen);
  if (port != 0) {
    if (where.ai_family == AF_INET6)
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_port = htons(static_cast<std::uint16_t>(port));
    else
      reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(static_cast<std::uint16_t>(port));
  }
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), where.ai_addrlen) != 0 || ::listen(fd.get(), 1024) != 0)
    return {};
  return fd;
}

// One socket for each address that the name has, all at the port that the first got.
std::vector<Fd> ListenOn(const std::string& listen) {
  const auto colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  const std::string service = listen.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  if (::getaddrinfo(host.c_str(), service.c_str(), &hints, &found) != 0) return {};
  std::vector<Fd> out;
  for (auto* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    auto fd = ListenOn(*one, out.empty() ? 0 : PortOf(out[0].get()));
    if (fd.get() >= 0) out.push_back(std::move(fd));
  }
  ::freeaddrinfo(found);
  return out;
}

enum class Hello { kNotYet, kWhole, kNone };

// What is there so far, left where it is: the record of a ClientHello (RFC 8446, 5.1 and 4), or something else.
Hello LookAt(int fd) {
  std::array<std::uint8_t, 6> head{};
  const auto got = ::recv(fd, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Hello::kNotYet : Hello::kNone;
  if (got == 0) return Hello::kNone;
  const auto size = static_cast<std::size_t>(got);
  constexpr std::uint8_t kHandshake = 22, kClientHello = 1;
  const std::size_t record = std::size_t{head[3]} << 8 | head[4];
  if (head[0] != kHandshake || (size > 1 && head[1] != 3)) return Hello::kNone;
  if (size >= 5 && (record < 4 || record > 16384)) return Hello::kNone;
  if (size < 6) return Hello::kNotYet;
  if (head[5] != kClientHello) return Hello::kNone;
  int there = 0;
  if (::ioctl(fd, FIONREAD, &there) != 0) return Hello::kNone;
  return static_cast<std::size_t>(there) >= 5 + record ? Hello::kWhole : Hello::kNotYet;
}

}  // namespace

Status FitDescriptors(Limits& limits) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
    return Refuse(Reason::kInternal, "the limit of descriptors is not known");
  if (files.rlim_cur < files.rlim_max) {
    const rlimit raised{files.rlim_max, files.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  if (files.rlim_cur != RLIM_INFINITY && files.rlim_cur < kFewest)
    return Refuse(Reason::kBadConfiguration, "a broker needs at least 1024 descriptors (RLIMIT_NOFILE)");
  const auto usable = files.rlim_cur == RLIM_INFINITY ? std::uint64_t{1} << 20 : files.rlim_cur - kReserved;
  limits.waiting = static_cast<unsigned>(std::min<std::uint64_t>(limits.waiting, usable / 4));
  limits.waiting_per_address = std::min(limits.waiting_per_address, limits.waiting);
  auto& admission = limits.admission;
  admission.connections =
      static_cast<unsigned>(std::min<std::uint64_t>(admission.connections, usable - limits.waiting));
  admission.connections_per_address = std::min(admission.connections_per_address, (admission.connections + 1) / 2);
  return Ok();
}

struct Acceptor::Impl {
  struct Waiting {
    Fd fd;
    Address address;
    TimePoint since;
    bool ready = false;  // its ClientHello is whole
  };

  const Limits limits;
  const std::shared_ptr<Admission> admission;
  std::vector<Fd> listening;
  Fd epoll, wake, spare;
  int port = 0;
  std::unique_ptr<Grpc> grpc;
  std::thread thread;
  std::atomic<bool> stopping{false};
  std::uint64_t next = 0;
  std::map<std::uint64_t, Waiting> waiting;  // in the order of their coming
  std::map<Address, unsigned> waiting_of;
  std::uint64_t turned_away = 0;
  TimePoint said{}, looked{};

  explicit Impl(const Limits& with) : limits(with), admission(std::make_shared<Admission>(with.admission)) {}

  void Run() {
    while (!stopping) {
      std::array<epoll_event, 64> events;
      const auto wait = static_cast<int>((waiting.empty() ? kLookEvery : kTick).count());
      const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), wait);
      for (int i = 0; i < count; ++i) Handle(events[static_cast<std::size_t>(i)]);
      HandOver();
      Expire();
      EndUnread();
      Say();
    }
    waiting.clear();
    waiting_of.clear();
  }

  // Listening sockets stand first, then the eventfd, then connections.
  void Handle(const epoll_event& event) {
    if (event.data.u64 < listening.size()) return Accept(listening[event.data.u64].get());
    if (event.data.u64 == listening.size()) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto got = ::read(wake.get(), &ignored, sizeof ignored);
      return;
    }
    const auto at = waiting.find(event.data.u64);
    if (at == waiting.end()) return;
    if ((event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) return Drop(at);
    Look(at);
  }

  void Accept(int from) {
    for (int i = 0; i < 64; ++i) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      Fd fd(::accept4(from, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        TurnAway(from);
        return;
      }
      if (fd.get() < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (fd.get() < 0) continue;  // it is gone again
      Admit(std::move(fd), AddressOf(reinterpret_cast<const sockaddr*>(&address)));
    }
  }

  // With the one descriptor that was kept for this.
  void TurnAway(int from) {
    spare.Close();
    Fd(::accept4(from, nullptr, nullptr, SOCK_CLOEXEC)).Close();
    spare = OpenSpare();
    ++turned_away;
    if (spare.get() < 0) std::this_thread::sleep_for(milliseconds(10));
  }
  static Fd OpenSpare() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

  void Admit(Fd fd, const Address& address) {
    if (waiting_of[address] >= limits.waiting_per_address)
      DropOldest([&](const Waiting& one) { return one.address == address; });
    else if (waiting.size() >= limits.waiting)
      DropOldest([](const Waiting&) { return true; });
    const auto id = listening.size() + 1 + next++;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    event.data.u64 = id;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) return;
    const auto at = waiting.emplace(id, Waiting{std::move(fd), address, Now()}).first;
    ++waiting_of[address];
    Look(at);
  }

  using At = std::map<std::uint64_t, Waiting>::iterator;

  void Look(At at) {
    const auto hello = LookAt(at->second.fd.get());
    if (hello == Hello::kNone) return Drop(at);
    if (hello == Hello::kWhole) at->second.ready = true;
  }

  // Of those that have said nothing first.
  template <class Which>
  void DropOldest(Which which) {
    auto oldest = std::find_if(waiting.begin(), waiting.end(),
                               [&](const auto& one) { return which(one.second) && !one.second.ready; });
    if (oldest == waiting.end())
      oldest = std::find_if(waiting.begin(), waiting.end(), [&](const auto& one) { return which(one.second); });
    if (oldest == waiting.end()) return;
    ++turned_away;
    Drop(oldest);
  }

  void Drop(At at) { (void)Take(at); }
  Fd Take(At at) {
    const auto of = waiting_of.find(at->second.address);
    if (--of->second == 0) waiting_of.erase(of);
    Fd fd = std::move(at->second.fd);
    waiting.erase(at);
    return fd;
  }

  // Those that are ready, as long as there are places; an address that has none now keeps its others waiting too. Once one
  // has waited for long, the handshake that takes longest of all gives way.
  void HandOver() {
    std::set<Address> full;
    for (auto at = waiting.begin(); at != waiting.end();) {
      const auto here = at++;
      if (!here->second.ready || full.contains(here->second.address)) continue;
      auto place = admission->Enter(here->second.address, Now());
      if (!place) {
        full.insert(here->second.address);
        if (Now() - here->second.since > kLongWait && admission->EndOldestHandshake(Now())) ++turned_away;
        continue;
      }
      place->Watch(here->second.fd.get());
      Fd fd = Take(here);
      ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
      Grpc::NewConnectionParameters connection;
      connection.listener_fd = -1;
      connection.fd = fd.Release();
      const Adoption adoption(admission, std::move(place), limits.frames);
      grpc->HandleNewConnection(&connection);
    }
  }

  void Expire() {
    const auto now = Now();
    for (auto at = waiting.begin(); at != waiting.end();) {
      const auto here = at++;
      const auto age = now - here->second.since;
      if (age < limits.hello) break;  // they stand in the order of their coming
      if (here->second.ready && age < limits.place) continue;
      if (here->second.ready) ++turned_away;
      Drop(here);
    }
  }

  void EndUnread() {
    const auto now = Now();
    if (now - looked < kLookEvery) return;
    looked = now;
    std::string address;
    const auto count = admission->EndUnread(now, limits.unread, &address);
    if (count != 0 && limits.admission.said)
      Log(Level::kWarning, "connection-cut",
          {{"why", "unread"}, {"address", address}, {"others-alike", std::to_string(count - 1)}});
  }

  void Say() {
    const auto now = Now();
    if (turned_away == 0 || !limits.admission.said || (said != TimePoint() && now - said < kSayEvery)) return;
    said = now;
    const auto counts = admission->counts();
    Log(Level::kWarning, "connections-turned-away",
        {{"count", std::to_string(std::exchange(turned_away, 0))},
         {"waiting", std::to_string(waiting.size())},
         {"in-handshake", std::to_string(counts.handshakes)},
         {"connected", std::to_string(counts.connections)}});
  }

  void Wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  }
};

Acceptor::Acceptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Acceptor::~Acceptor() { Stop(); }
int Acceptor::port() const { return impl_->port; }
const Admission& Acceptor::admission() const { return *impl_->admission; }
bool Acceptor::End(const std::string& peer) { return impl_->admission->End(peer); }

Result<std::unique_ptr<Acceptor>> Acceptor::Bind(const std::string& listen, const Limits& limits) {
  if (!Ready()) return Refuse(Reason::kInternal, "connection guard: OpenSSL's functions are not found");
  auto impl = std::make_unique<Impl>(limits);
  impl->listening = ListenOn(listen);
  if (impl->listening.empty()) return Refuse(Reason::kBadConfiguration, "cannot listen on " + listen);
  impl->port = PortOf(impl->listening[0].get());
  impl->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  impl->wake = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  impl->spare = Impl::OpenSpare();
  const auto watch = [&](int fd, std::uint64_t id) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    return ::epoll_ctl(impl->epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  };
  bool good = impl->spare.get() >= 0 && watch(impl->wake.get(), impl->listening.size());
  for (std::size_t i = 0; i < impl->listening.size(); ++i) good = good && watch(impl->listening[i].get(), i);
  if (!good) return Refuse(Reason::kInternal, "connection guard: no descriptors to listen with");
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(impl)));
}

void Acceptor::Serve(std::unique_ptr<Grpc> grpc) {
  impl_->grpc = std::move(grpc);
  impl_->admission->OnFree([impl = impl_.get()] { impl->Wake(); });
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

void Acceptor::Stop() {
  impl_->admission->OnFree({});
  if (!impl_->thread.joinable()) {
    impl_->listening.clear();
    return;
  }
  impl_->stopping = true;
  impl_->Wake();
  impl_->thread.join();
  impl_->listening.clear();
}

}  // namespace valija::broker::guard
