// The public port over real connections: every status, and peers that do not behave.
#include "broker/public_port.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

namespace valija::broker {
namespace {

using std::chrono::milliseconds;

PublicPort::Limits Small() {
  PublicPort::Limits limits;
  limits.connections = 4;
  limits.waiting = 4;
  limits.head = 2048;
  limits.requests = 5;
  limits.idle = milliseconds(300);
  limits.transfer = milliseconds(600);
  return limits;
}

struct Port {
  explicit Port(PublicPort::Limits limits = PublicPort::Limits())
      : port(PublicPort::Bind(
                 "127.0.0.1:0", [this](std::string_view target) { return Answer(target); }, limits)
                 .value()) {
    port->Serve();
  }
  PublicAnswer Answer(std::string_view target) {
    ++asked;
    last = target;
    if (target == "/throw") throw std::runtime_error("a secret");
    if (target == "/large") return {200, "application/octet-stream", "immutable", Bytes(std::size_t{32} << 20, 'x')};
    if (target == "/there") return {200, "text/plain; charset=utf-8", "public, max-age=2", ToBytes(AsBytes("here\n"))};
    return {404, "text/plain; charset=utf-8", "no-store", ToBytes(AsBytes("nothing\n"))};
  }
  httplib::Client Client() const {
    httplib::Client client("127.0.0.1", port->port());
    client.set_keep_alive(true);
    client.set_read_timeout(60);  // the machine may be busy
    return client;
  }
  std::atomic<int> asked = 0;
  std::string last;  // of one request at a time
  std::unique_ptr<PublicPort> port;
};

// A connection that says what it likes.
class Raw {
 public:
  explicit Raw(const Port& to) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(to.port->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval wait{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Raw() { ::close(fd_); }
  Raw(const Raw&) = delete;
  bool Send(const std::string& text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // All until the connection ends; "timeout" if it does not.
  std::string Rest() const {
    std::string out;
    char block[4096];
    for (;;) {
      const auto got = ::recv(fd_, block, sizeof block, 0);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return "timeout";
      if (got <= 0) return out;
      out.append(block, static_cast<std::size_t>(got));
    }
  }
  // What came until it contains this.
  std::string Until(const std::string& end) const {
    std::string out;
    char block[4096];
    while (out.find(end) == std::string::npos) {
      const auto got = ::recv(fd_, block, sizeof block, 0);
      if (got <= 0) break;
      out.append(block, static_cast<std::size_t>(got));
    }
    return out;
  }

 private:
  int fd_;
};

// 0: no answer, and why.
int StatusOf(const httplib::Result& answer) {
  EXPECT_TRUE(answer) << httplib::to_string(answer.error());
  return answer ? answer->status : 0;
}

// Of a port that was full a moment ago: it has room again once it has seen the others go, which takes it as long as it takes.
int StatusOnceThereIsRoom(const Port& port) {
  for (int i = 0; i < 200; ++i) {
    if (const auto answer = port.Client().Get("/there")) return answer->status;
    std::this_thread::sleep_for(milliseconds(50));
  }
  return 0;
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(PublicPortTest, AnswersGetAndHeadAsTheHandlerSays) {
  Port port;
  auto client = port.Client();
  auto answer = client.Get("/there");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "here\n");
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "public, max-age=2");
  EXPECT_EQ(answer->get_header_value("Content-Length"), "5");
  answer = client.Head("/there");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Accept-Ranges"), "none");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
  EXPECT_EQ(answer->get_header_value("Content-Length"), "5");
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "public, max-age=2");
  answer = client.Get("/elsewhere");
  ASSERT_EQ(StatusOf(answer), 404);
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
}

TEST(PublicPortTest, TheHandlerSeesTheTargetAsItWasSent) {
  Port port;
  for (const std::string target : {"/there?x=1", "/%74here", "/a/../there", "//there", "/%2e%2e/there"}) {
    Raw raw(port);
    ASSERT_TRUE(raw.Send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(raw.Rest().starts_with("HTTP/1.1 404 ")) << target;
    EXPECT_EQ(port.last, target);
  }
}

TEST(PublicPortTest, OtherMethodsAreNotAllowedAndTheirBodyIsNotTakenForARequest) {
  Port port;
  auto client = port.Client();
  std::vector<httplib::Result> answers;
  answers.push_back(client.Post("/there", "x", "text/plain"));
  answers.push_back(client.Put("/there", "x", "text/plain"));
  answers.push_back(client.Patch("/elsewhere", "x", "text/plain"));
  answers.push_back(client.Delete("/there"));
  answers.push_back(client.Options("/there"));
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 405);
    EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD");
  }
  const std::string inner = "GET /there HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto length = "Content-Length: " + std::to_string(inner.size()) + "\r\n";
  for (const auto& [request, status] : std::vector<std::pair<std::string, std::string>>{
           {"POST /there HTTP/1.1\r\nHost: x\r\n" + length + "\r\n", "405"},
           {"POST /there HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
           {"POST /there HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "405"},
           {"GET /there HTTP/1.1\r\nHost: x\r\n" + length + "\r\n", "400"},
           {"GET /there HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
           {"HEAD /there HTTP/1.1\r\nHost: x\r\n" + length + "\r\n", "400"},
           {"BREW /there HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
           {"GET /there HTTP/3.0\r\nHost: x\r\n\r\n", "400"},
           {"GET /there\r\n\r\n", "400"},
           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"}}) {
    Raw raw(port);
    ASSERT_TRUE(raw.Send(request + inner));
    const auto answer = raw.Rest();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status + " ")) << request << answer;
    EXPECT_EQ(Count(answer, "HTTP/1.1 "), 1u) << request << answer;
    EXPECT_EQ(answer.find("here\n"), std::string::npos) << request;
  }
  EXPECT_EQ(port.asked, 0);
}

TEST(PublicPortTest, ByteRangesAreIgnored) {
  Port port;
  auto client = port.Client();
  for (const std::string range : {"bytes=0-1", "bytes=3-", "bytes=-2", "bytes=0-0,2-2", "bytes=9999-"}) {
    auto answer = client.Get("/there", {{"Range", range}});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << range;
    EXPECT_EQ(answer->body, "here\n") << range;
    EXPECT_FALSE(answer->has_header("Content-Range"));
    EXPECT_EQ(answer->get_header_value("Accept-Ranges"), "none");
  }
  // As many as fit in a request: neither much work nor much of an answer.
  std::string many = "bytes=0-";
  while (many.size() < 7800) many += ",0-";
  Raw raw(port);
  ASSERT_TRUE(raw.Send("GET /there HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: " + many + "\r\n\r\n"));
  const auto answer = raw.Rest();
  EXPECT_LT(answer.size(), 500u) << answer;
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.1 4")) << answer;
}

TEST(PublicPortTest, NothingIsCompressed) {
  Port port;
  auto client = port.Client();
  client.set_decompress(false);
  auto answer = client.Get("/there", {{"Accept-Encoding", "gzip, br, deflate"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "here\n");
  EXPECT_FALSE(answer->has_header("Content-Encoding"));
}

TEST(PublicPortTest, WhatGoesWrongInsideIsNotTold) {
  Port port;
  auto client = port.Client();
  auto answer = client.Get("/throw");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body.find("secret"), std::string::npos);
  for (const auto& [name, value] : answer->headers) EXPECT_EQ(value.find("secret"), std::string::npos) << name;
  EXPECT_EQ(StatusOf(client.Get("/there")), 200);
}

TEST(PublicPortTest, AConnectionServesSomeRequestsAndEnds) {
  Port port(Small());
  Raw raw(port);
  std::string pipelined;
  for (int i = 0; i < 9; ++i) pipelined += "GET /there HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_TRUE(raw.Send(pipelined));
  EXPECT_EQ(Count(raw.Rest(), "HTTP/1.1 200 OK"), 5u);
}

TEST(PublicPortTest, AnIdleConnectionIsClosed) {
  auto limits = Small();
  limits.idle = milliseconds(1500);  // time enough to ask once
  Port port(limits);
  Raw silent(port), once(port);
  ASSERT_TRUE(once.Send("GET /there HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(Count(once.Rest(), "HTTP/1.1 200 OK"), 1u);
  EXPECT_EQ(silent.Rest(), "");
}

TEST(PublicPortTest, ARequestThatComesByteByByteIsCutOff) {
  Port port(Small());
  Raw raw(port);
  std::atomic<bool> over = false;
  std::thread drip([&] {
    raw.Send("GET /there HTTP/1.1\r\nX: ");
    while (!over && raw.Send("x")) std::this_thread::sleep_for(milliseconds(20));
  });
  const auto answer = raw.Rest();
  over = true;
  drip.join();
  EXPECT_NE(answer, "timeout");
  EXPECT_EQ(answer.find(" 200 "), std::string::npos);
  EXPECT_EQ(port.asked, 0);
}

TEST(PublicPortTest, ARequestHasABoundedHead) {
  Port port(Small());
  const std::string start = "GET /there HTTP/1.1\r\nHost: x\r\n";
  std::string many = start;
  while (many.size() < 40'000) many += "X: y\r\n";
  for (const auto& request : {start + "X: " + std::string(40'000, 'x') + "\r\n\r\n", many + "\r\n",
                              "GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\n\r\n"}) {
    Raw raw(port);
    raw.Send(request);
    const auto answer = raw.Rest();
    EXPECT_NE(answer, "timeout");
    EXPECT_EQ(answer.find(" 200 "), std::string::npos) << answer;
  }
  EXPECT_EQ(port.asked, 0);
  Raw raw(port);
  ASSERT_TRUE(raw.Send(start + "X: " + std::string(1900, 'x') + "\r\n\r\n"));
  EXPECT_TRUE(raw.Rest().starts_with("HTTP/1.1 200 "));
}

TEST(PublicPortTest, AReaderThatDoesNotReadIsCutOff) {
  Port port(Small());
  Raw raw(port);
  ASSERT_TRUE(raw.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  std::this_thread::sleep_for(milliseconds(3000));
  EXPECT_LT(raw.Rest().size(), std::size_t{32} << 20);
}

TEST(PublicPortTest, SilentConnectionsDoNotKeepOthersOut) {
  auto limits = Small();
  limits.idle = std::chrono::hours(1);
  limits.transfer = std::chrono::hours(1);
  Port port(limits);
  std::vector<std::unique_ptr<Raw>> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(std::make_unique<Raw>(port));  // every thread
  for (int i = 0; i < 3; ++i) {
    auto client = port.Client();
    const auto answer = client.Get("/there");
    ASSERT_TRUE(answer) << i << ": " << httplib::to_string(answer.error());
    EXPECT_EQ(answer->status, 200) << "those that are idle give way";
  }
}

TEST(PublicPortTest, WhatFindsNoPlaceIsClosedAndTheRestIsServed) {
  auto limits = Small();
  limits.transfer = std::chrono::hours(1);
  Port port(limits);
  std::vector<std::unique_ptr<Raw>> slow, more;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(std::make_unique<Raw>(port));
    slow.back()->Send("GET /there HTTP/1.1\r\n");  // begun: it keeps its thread
  }
  for (int i = 0; i < 40; ++i) more.push_back(std::make_unique<Raw>(port));
  EXPECT_EQ(more.back()->Rest(), "") << "turned away";
  for (auto& one : slow) {
    one->Send("Host: x\r\n\r\n");
    EXPECT_TRUE(one->Until("here\n").starts_with("HTTP/1.1 200 "));
  }
  slow.clear();
  more.clear();
  EXPECT_EQ(StatusOnceThereIsRoom(port), 200);
}

TEST(PublicPortTest, ManyClientsAtOnceAreAllServed) {
  Port port;
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back([&] {
      auto client = port.Client();
      for (int j = 0; j < 50; ++j) {
        auto answer = client.Get("/there");
        if (answer && answer->status == 200 && answer->body == "here\n") ++good;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 40 * 50);
}

TEST(PublicPortTest, GarbageIsNoRequestAndHarmsNobody) {
  Port port(Small());
  std::mt19937 dice(11);
  for (int i = 0; i < 24; ++i) {
    std::string garbage(dice() % 3000, '\0');
    for (auto& c : garbage) c = static_cast<char>(dice());
    if (i % 3 == 0) garbage = "GET " + garbage;
    if (i % 3 == 1) garbage = "GET /there HTTP/1.1\r\n" + garbage;
    Raw raw(port);
    raw.Send(garbage + "\r\n\r\n");
    EXPECT_NE(raw.Rest(), "timeout");
  }
  EXPECT_EQ(StatusOnceThereIsRoom(port), 200);
}

TEST(PublicPortTest, StopsWithConnectionsOpenAndListensNoMore) {
  auto port = std::make_unique<Port>();
  Raw idle(*port), begun(*port), reading(*port);
  ASSERT_TRUE(begun.Send("GET /there HT"));
  ASSERT_TRUE(reading.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(StatusOf(port->Client().Get("/there")), 200);
  const int number = port->port->port();
  port->port->Stop();
  EXPECT_EQ(idle.Rest(), "");
  EXPECT_EQ(begun.Rest(), "");
  httplib::Client late("127.0.0.1", number);
  EXPECT_FALSE(late.Get("/there"));
}

TEST(PublicPortTest, AnAddressThatCannotBeHadIsRefused) {
  Port port;
  const auto bind = [](const std::string& listen) {
    return PublicPort::Bind(listen, [](std::string_view) { return PublicAnswer(); });
  };
  for (const std::string listen : {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                                   "127.0.0.1:-1", "127.0.0.1:999999999999", "no.such.host.invalid:0"}) {
    auto bound = bind(listen);
    ASSERT_FALSE(bound) << listen;
    EXPECT_EQ(bound.error().reason, Reason::kBadConfiguration);
  }
  EXPECT_FALSE(bind("127.0.0.1:" + std::to_string(port.port->port()))) << "it is taken";
  auto sixth = bind("[::1]:0");
  EXPECT_TRUE(!sixth || (*sixth)->port() > 0) << "where there is IPv6";
}

}  // namespace
}  // namespace valija::broker
