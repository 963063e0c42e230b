// cpp-httplib reads requests and writes answers; which connections it gets to see, for how long and how many of their bytes,
// is settled here: its own loop over a connection has no bound on a request that comes byte by byte, or with headers without
// end. (It is slow to compile: only here.)
#include "broker/public_port.h"

#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/oplog.h"

namespace valija::broker {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{200};       // how often an idle connection looks whether others wait
constexpr milliseconds kPatience{1000};  // and how long it may be idle then
constexpr milliseconds kLinger{200};     // for the peer to read why its connection ends
constexpr std::size_t kLingerBytes = 64 * 1024;

// What all connections of a port share.
struct Shared {
  const PublicPort::Limits limits;
  const PublicPort::Handler handler;
  const int stop = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);  // readable once it is to stop
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> waiting{0};  // connections without a thread

  Shared(PublicPort::Limits with, PublicPort::Handler calls) : limits(with), handler(std::move(calls)) {}
  ~Shared() { ::close(stop); }
  void Stop() {
    stopping = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop, &one, sizeof one);
  }
};

// The thread's job is to close what it is given, as there is no room.
bool& TurnAway() {
  thread_local bool turn_away = false;
  return turn_away;
}

// A connection as cpp-httplib sees it. (Versions of it differ in what a Stream has to have: all of it is here, and so
// nothing says `override`.)
class Connection final : public httplib::Stream {
 public:
  Connection(int fd, Shared& shared) : fd_(fd), shared_(shared) {}

  // Until something of a request is there. False: the connection ends.
  bool Await() {
    const auto since = Clock::now();
    while (at_ == have_) {
      const auto idle = Clock::now() - since;
      if (idle >= shared_.limits.idle || (idle >= kPatience && shared_.waiting > 0)) return false;
      const auto left = std::chrono::ceil<milliseconds>(shared_.limits.idle - idle);
      const auto ready = Poll(POLLIN, std::min(left, kLook));
      if (ready < 0 || (ready > 0 && !Receive())) return false;
    }
    return true;
  }
  void BeginRequest() {
    left_ = shared_.limits.head;
    writing_ = answered_ = last_ = false;
    deadline_ = Clock::now() + shared_.limits.transfer;
  }
  void Answered(bool last) {
    answered_ = true;
    last_ = last;
  }
  // What was not answered by us was not understood: where the next request would begin is not known.
  bool MayGoOn() const { return answered_ && !last_ && !failed_; }

  // Ends it so that a peer which still sends may read the answer first.
  void Close() {
    ::shutdown(fd_, SHUT_WR);
    const auto until = Clock::now() + kLinger;
    for (std::size_t dropped = 0; !failed_ && dropped < kLingerBytes && Clock::now() < until;) {
      if (Poll(POLLIN, std::chrono::ceil<milliseconds>(until - Clock::now())) <= 0) break;
      const auto got = ::recv(fd_, buffer_, sizeof buffer_, MSG_DONTWAIT);
      if (got <= 0) break;
      dropped += static_cast<std::size_t>(got);
    }
    ::close(fd_);
  }

  ssize_t read(char* out, std::size_t size) {
    if (left_ == 0) return Fail();
    while (at_ == have_) {
      if (!AwaitUntil(POLLIN) || !Receive()) return Fail();
    }
    size = std::min({size, left_, have_ - at_});
    std::memcpy(out, buffer_ + at_, size);
    at_ += size;
    left_ -= size;
    return static_cast<ssize_t>(size);
  }
  ssize_t write(const char* data, std::size_t size) {
    if (!std::exchange(writing_, true)) deadline_ = Clock::now() + shared_.limits.transfer;
    for (std::size_t sent = 0; sent < size;) {
      const auto did = ::send(fd_, data + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (did > 0) {
        sent += static_cast<std::size_t>(did);
      } else if ((did < 0 && errno != EAGAIN && errno != EINTR) || !AwaitUntil(POLLOUT)) {
        return Fail();
      }
    }
    return static_cast<ssize_t>(size);
  }
  bool is_readable() const { return !failed_; }
  bool wait_readable() const { return !failed_; }
  bool is_writable() const { return !failed_; }
  bool wait_writable() const { return !failed_; }
  bool is_peer_alive() const { return !failed_; }
  time_t duration() const { return 0; }
  // Who asks is nobody's concern.
  void get_remote_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const { get_remote_ip_and_port(ip, port); }
  socket_t socket() const { return fd_; }

 private:
  ssize_t Fail() {
    failed_ = true;
    return -1;
  }
  // 1: ready; 0: not yet; -1: the port stops, or poll fails.
  int Poll(short events, milliseconds wait) const {
    pollfd fds[2] = {{fd_, events, 0}, {shared_.stop, POLLIN, 0}};
    const int count = ::poll(fds, 2, static_cast<int>(std::max(milliseconds(0), wait).count()));
    if (count < 0) return errno == EINTR ? 0 : -1;
    if (shared_.stopping) return -1;
    return fds[0].revents != 0 ? 1 : 0;
  }
  // False: the deadline came first.
  bool AwaitUntil(short events) const {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
      if (left <= milliseconds(0)) return false;
      if (const auto ready = Poll(events, left); ready != 0) return ready > 0;
    }
  }
  // False: nothing will come any more.
  bool Receive() {
    const auto got = ::recv(fd_, buffer_, sizeof buffer_, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) return false;
    at_ = 0;
    have_ = static_cast<std::size_t>(got);
    return true;
  }

  const int fd_;
  Shared& shared_;
  char buffer_[4096];
  std::size_t at_ = 0, have_ = 0;  // what is there and not read yet
  std::size_t left_ = 0;           // of the request's bytes
  Clock::time_point deadline_{};
  bool writing_ = false, answered_ = false, last_ = false, failed_ = false;
};

// Threads for connections, and a bounded queue before them.
class Threads final : public httplib::TaskQueue {
 public:
  explicit Threads(Shared& shared) : shared_(shared) {
    for (unsigned i = 0; i < shared.limits.connections; ++i) threads_.emplace_back([this] { Run(); });
  }
  // (void or bool, by the version.)
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));
  Enqueued enqueue(std::function<void()> connection) override {
    bool room = false;
    {
      const std::scoped_lock hold(mutex_);
      // Threads that have nothing to do take theirs at once, though they may not have woken up yet.
      room = !ending_ && queue_.size() < shared_.limits.waiting + idle_;
      if (room) queue_.push_back(std::move(connection));
      Tell();
    }
    if (room) {
      wake_.notify_one();
    } else {
      Drop(connection);
    }
    return Enqueued(true);
  }
  void shutdown() override {
    shared_.Stop();
    {
      const std::scoped_lock hold(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
    for (auto& connection : queue_) Drop(connection);
    queue_.clear();
  }

 private:
  static void Drop(const std::function<void()>& connection) {
    TurnAway() = true;
    connection();
    TurnAway() = false;
  }
  void Tell() { shared_.waiting = queue_.size() > idle_ ? queue_.size() - idle_ : 0; }
  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      --idle_;
      if (ending_) return;
      auto connection = std::move(queue_.front());
      queue_.pop_front();
      Tell();
      lock.unlock();
      connection();
      lock.lock();
    }
  }

  Shared& shared_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::size_t idle_ = 0;  // threads that wait for a connection
  std::vector<std::thread> threads_;
};

class HttpServer final : public httplib::Server {
 public:
  explicit HttpServer(Shared& shared) : shared_(shared) {
    new_task_queue = [this] { return new Threads(shared_); };
    set_keep_alive_timeout(
        std::chrono::ceil<std::chrono::seconds>(shared_.limits.idle).count());  // as is said to peers
    set_keep_alive_max_count(shared_.limits.requests);
    set_tcp_nodelay(true);
    // Not the default SO_REUSEPORT, with which another process could take part of our connections.
    set_socket_options([](auto socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_pre_routing_handler([this](const auto& request, auto& response) {
      Answer(request, response);
      return HandlerResponse::Handled;
    });
    set_exception_handler([](const auto&, auto& response, std::exception_ptr) {
      Log(Level::kAlarm, "exception", {{"where", "public port"}});
      response.status = 500;
    });
  }

 private:
  // The connection that this thread serves.
  static Connection*& Mine() {
    thread_local Connection* mine = nullptr;
    return mine;
  }

  bool process_and_close_socket(socket_t fd) override {
    if (TurnAway()) {
      ::close(fd);
      return false;
    }
    Connection connection(fd, shared_);
    Mine() = &connection;
    for (unsigned left = shared_.limits.requests; left > 0 && connection.Await(); --left) {
      connection.BeginRequest();
      bool closed = false;
      if (!Process(*this, connection, left == 1, closed) || closed || !connection.MayGoOn()) break;
    }
    Mine() = nullptr;
    connection.Close();
    return true;
  }
  // (Later versions want to be told the addresses.)
  template <class Self>
  static bool Process(Self& self, httplib::Stream& stream, bool last, bool& closed) {
    const auto whole = [](httplib::Request& request) { request.ranges.clear(); };
    if constexpr (requires { self.process_request(stream, last, closed, whole); }) {
      return self.process_request(stream, last, closed, whole);
    } else {
      return self.process_request(stream, std::string(), 0, std::string(), 0, last, closed, whole);
    }
  }

  void Answer(const httplib::Request& request, httplib::Response& response) const {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool body = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
    Mine()->Answered(!reads || body);
    PublicAnswer answer;
    if (!reads) {
      answer = {405, "text/plain; charset=utf-8", "no-store", ToBytes(AsBytes("GET and HEAD only\n"))};
      response.set_header("Allow", "GET, HEAD");
    } else if (body) {
      answer = {400, "text/plain; charset=utf-8", "no-store", ToBytes(AsBytes("a body where none belongs\n"))};
    } else {
      answer = shared_.handler(request.target);
    }
    if (!reads || body) response.set_header("Connection", "close");
    response.status = answer.status;
    response.set_header("Cache-Control", answer.caching);
    response.set_header("Accept-Ranges", "none");
    // By a content provider: what it gives is not compressed.
    const auto content = std::make_shared<const Bytes>(std::move(answer.body));
    response.set_content_provider(content->size(), answer.type,
                                  [content](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                    sink.write(reinterpret_cast<const char*>(content->data()) + offset, length);
                                    return true;
                                  });
  }

  Shared& shared_;
};

struct Address {
  std::string host;
  int port = 0;
};
std::optional<Address> ParseAddress(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size() || text.size() - colon > 6 ||
      text.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    return std::nullopt;
  }
  Address out{text.substr(0, colon), std::stoi(text.substr(colon + 1))};
  if (out.host.front() == '[' && out.host.back() == ']') out.host = out.host.substr(1, out.host.size() - 2);
  return out.port <= 65535 ? std::optional(out) : std::nullopt;
}

}  // namespace

struct PublicPort::Impl {
  Impl(Limits limits, Handler handler) : shared(limits, std::move(handler)), server(shared) {}
  Shared shared;
  HttpServer server;
  int port = 0;
  std::thread thread;
  std::atomic<bool> ended{false};
};

PublicPort::PublicPort(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PublicPort::~PublicPort() { Stop(); }
int PublicPort::port() const { return impl_->port; }

Result<std::unique_ptr<PublicPort>> PublicPort::Bind(const std::string& listen, Handler handler, Limits limits,
                                                     const std::string& setting) {
  const auto address = ParseAddress(listen);
  if (!address) return Refuse(Reason::kBadConfiguration, setting + " is host:port, with a port up to 65535");
  auto impl = std::make_unique<Impl>(limits, std::move(handler));
  impl->port = address->port == 0                                        ? impl->server.bind_to_any_port(address->host)
               : impl->server.bind_to_port(address->host, address->port) ? address->port
                                                                         : 0;
  if (impl->port <= 0) return Refuse(Reason::kBadConfiguration, "cannot listen on " + listen + " (" + setting + ")");
  return std::unique_ptr<PublicPort>(new PublicPort(std::move(impl)));
}

void PublicPort::Serve() {
  impl_->thread = std::thread([this] {
    impl_->server.listen_after_bind();
    impl_->ended = true;
    if (!impl_->shared.stopping) Log(Level::kAlarm, "public-port-ended", {{"why", "its listening socket failed"}});
  });
  while (!impl_->server.is_running() && !impl_->ended) std::this_thread::sleep_for(milliseconds(1));
}

void PublicPort::Stop() {
  if (!impl_->thread.joinable()) return;
  impl_->shared.Stop();
  impl_->server.stop();
  impl_->thread.join();
}

}  // namespace valija::broker
