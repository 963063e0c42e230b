// The real valija-witness over HTTP: every status, what it does with bodies that nobody should send, and kill -9 while it
// is busy.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "core/log/witness_policy.h"
#include "tests/audit/witness/small_log.h"
#include "tests/broker/support/temp_folder.h"
#include "tests/support/vectors.h"

namespace valija::witness::test {
namespace {

namespace fs = std::filesystem;
using valija::test::ReadWhole;
using valija::test::TempFolder;

// Folders, a key and a logs file of one witness; the program is run in them.
class Program {
 public:
  Program() {
    ::signal(SIGPIPE, SIG_IGN);
    Put("passphrase", "correct horse\n");
    Put("logs", "logs/v0\nvkey " + LogNamed(kOrigin).Text() + "\n");
    EXPECT_EQ(Run({"init", "--name", kWitness}), 0) << ReadWhole(root_ / "err");
    vkey_ = Out();
    vkey_.pop_back();
  }
  ~Program() { End(SIGKILL); }

  fs::path operator/(const std::string& name) const { return root_ / name; }
  void Put(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name, std::ios::binary) << text;
    fs::permissions(root_ / name, fs::perms::owner_read | fs::perms::owner_write);
  }
  std::string Out() const { return ReadWhole(root_ / "out"); }
  std::string Err() const { return ReadWhole(root_ / "err"); }
  log::Cosigner cosigner() const { return *log::Cosigner::Parse(vkey_); }
  const std::string& vkey() const { return vkey_; }

  // The program with these words to its end; its exit status.
  int Run(const std::vector<std::string>& words) const {
    int status = 0;
    ::waitpid(Spawn(words), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void Start() {
    fs::remove(root_ / "out");
    pid_ = Spawn({"serve", "--logs", (root_ / "logs").string(), "--listen", "127.0.0.1:0"});
    for (int i = 0; i < 3000; ++i) {
      std::ifstream in(root_ / "out");
      std::string line;
      if (std::getline(in, line) && !in.eof()) {
        EXPECT_TRUE(line.starts_with("valija-witness: serving on port ")) << line;
        port_ = std::stoi(line.substr(line.rfind(' ')));
        return;
      }
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    pid_ = -1;
    throw std::runtime_error("it did not start: " + Err());
  }
  // Its exit status.
  int End(int signal) {
    if (pid_ <= 0) return -1;
    int status = 0;
    ::kill(pid_, signal);
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int port() const { return port_; }
  std::string key = "key.pem";

  httplib::Client Client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    return client;
  }

  // Over one connection of its own: sends each of these and reads an answer. The answers' status lines, as many as came
  // before the connection ended.
  std::vector<std::string> Raw(const std::vector<std::string>& requests) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port_));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    timeval wait{8, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    std::vector<std::string> out;
    for (const auto& request : requests) {
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
      const auto answer = ReadAnswer(fd);
      if (answer.empty()) break;
      out.push_back(answer);
    }
    ::close(fd);
    return out;
  }

 private:
  // One whole answer's status line; empty if the connection ends before.
  static std::string ReadAnswer(int fd) {
    std::string text;
    char buffer[4096];
    for (;;) {
      const auto end = text.find("\r\n\r\n");
      const auto length = text.find("Content-Length: ");
      if (end != std::string::npos && length < end && text.size() >= end + 4 + std::stoull(text.substr(length + 16))) {
        return text.substr(0, text.find("\r\n"));
      }
      const auto got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return "";
      text.append(buffer, static_cast<std::size_t>(got));
      if (text.starts_with("HTTP/1.1 100 ")) text.erase(0, text.find("\r\n\r\n") + 4);
    }
  }
  pid_t Spawn(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {std::string(VALIJA_BINARY_DIR) + "/audit/witness/valija-witness",
                                    "--state",
                                    (root_ / "state").string(),
                                    "--high-water",
                                    (root_ / "marks").string(),
                                    "--key",
                                    (root_ / key).string(),
                                    "--passphrase-file",
                                    (root_ / "passphrase").string()};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (auto& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    const auto out = (root_ / "out").string(), err = (root_ / "err").string();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("the witness cannot be run");
    return pid;
  }

  TempFolder root_;
  std::string vkey_;
  pid_t pid_ = -1;
  int port_ = 0;
};

std::string Post(const std::string& headers, const std::string& body) {
  return "POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}
std::string Sized(const std::string& body) { return "Content-Length: " + std::to_string(body.size()) + "\r\n"; }

TEST(WitnessProcess, SaysEveryStatusOverHttp) {
  Program program;
  program.Start();
  auto client = program.Client();
  const SmallLog log(40), other(40, 0);
  const std::string monitoring = "/" + OriginHash(kOrigin) + "/checkpoint";
  auto post = [&](const std::string& body) {
    auto answer = client.Post("/add-checkpoint", body, "text/plain");
    if (!answer) throw std::runtime_error(httplib::to_string(answer.error()));
    return *answer;
  };

  EXPECT_EQ(client.Get(monitoring)->status, 404) << "not yet cosigned";
  EXPECT_EQ(post(SmallLog(3, 0, "unknown.example").Ask(0, 3)).status, 404);
  EXPECT_EQ(post(log.Ask(0, 0)).status, 200) << "the empty tree";
  auto answer = post(log.Ask(0, 7));
  ASSERT_EQ(answer.status, 200);
  const auto cosigner = program.cosigner();
  auto note = log::Note::Parse(log.Signed(log.At(7)) + answer.body);
  ASSERT_TRUE(note);
  auto cosigned = log::VerifyCosignatures(*note, {&cosigner, 1});
  ASSERT_TRUE(cosigned && cosigned->size() == 1) << answer.body;
  EXPECT_TRUE(answer.body.starts_with("\u2014 ") && answer.body.ends_with("\n")) << "signature lines only";

  answer = post(log.Ask(3, 9));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.get_header_value("Content-Type"), "text/x.tlog.size");
  EXPECT_EQ(answer.body, "7\n");
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post("old 1\n\ngarbage").status, 400);
  EXPECT_EQ(post(SmallLog::Body(9, {}, log.Signed(log.At(7)))).status, 400);
  const log::NoteSignature forged{kOrigin, LogNamed(kOrigin).key_id, Bytes(64, 3)};
  EXPECT_EQ(post(SmallLog::Body(7, log.Proof(7, 9), log.At(9).Body() + "\n" + forged.Line())).status, 403);
  EXPECT_EQ(post(SmallLog::Body(7, other.Proof(7, 9), log.Signed(log.At(9)))).status, 422);
  EXPECT_EQ(post(other.Ask(7, 7)).status, 422) << "another root at the same size";
  EXPECT_NE(program.Err().find("ALARM: log.example signed two trees of size 7"), std::string::npos) << program.Err();
  EXPECT_TRUE(fs::exists(program / "state" / (OriginHash(kOrigin) + ".fork")));

  auto seen = client.Get(monitoring);
  EXPECT_EQ(seen->status, 200);
  EXPECT_EQ(seen->get_header_value("Content-Type"), "text/plain; charset=utf-8");
  auto witnessed =
      log::WitnessPolicy::Parse("log " + LogNamed(kOrigin).Text() + "\nwitness w " + program.vkey() + "\nquorum w\n")
          ->Verify(seen->body);
  ASSERT_TRUE(witnessed) << witnessed.error().Message();
  EXPECT_EQ(witnessed->checkpoint, log.At(7));
  auto head = client.Head(monitoring);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");

  EXPECT_EQ(client.Get("/add-checkpoint")->status, 405);
  EXPECT_EQ(client.Get("/add-checkpoint")->get_header_value("Allow"), "POST");
  EXPECT_EQ(client.Put("/add-checkpoint", "x", "text/plain")->status, 405);
  EXPECT_EQ(client.Delete("/add-checkpoint")->status, 405);
  EXPECT_EQ(client.Post(monitoring, "x", "text/plain")->status, 405);
  for (const std::string path : {"/", "/checkpoint", "/add-checkpoint/", "/x/checkpoint", "/sign-subtree"}) {
    EXPECT_EQ(client.Get(path)->status, 404) << path;
  }
  EXPECT_EQ(client.Get("/" + std::string(64, 'A') + "/checkpoint")->status, 404);
  EXPECT_EQ(client.Post("/nothing", "x", "text/plain")->status, 404);
  EXPECT_EQ(client.Get(monitoring, {{"Range", "bytes=0-3"}})->status, 400) << "parts are not served";
  EXPECT_EQ(post(log.Ask(7, 40)).status, 200) << "and after all this it goes on";
}

TEST(WitnessProcess, KeepsConnectionsAndIsNotFooledAboutWhereARequestEnds) {
  Program program;
  program.Start();
  const SmallLog log(9);
  const auto ask = log.Ask(0, 3);
  const std::string second = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
  using Lines = std::vector<std::string>;
  // Two requests over one connection.
  EXPECT_EQ(program.Raw({Post(Sized(ask), ask), second}), (Lines{"HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"}));
  // The same in chunks.
  const auto chunks = [](const std::string& body) {
    std::string out;
    for (std::size_t at = 0; at < body.size(); at += 100) {
      const auto part = body.substr(at, 100);
      char size[8];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      out += size + part + "\r\n";
    }
    return out + "0\r\n\r\n";
  };
  EXPECT_EQ(program.Raw({Post("Transfer-Encoding: chunked\r\n", chunks(ask)), second}),
            (Lines{"HTTP/1.1 409 Conflict", "HTTP/1.1 404 Not Found"}));

  // What may not be read to its end closes the connection: what comes after is not taken for another request.
  const std::string large(kMaxBody + 1, 'x');
  for (const auto& [what, bytes, status] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"too large", Post(Sized(large), large), "413"},
           {"too large in chunks", Post("Transfer-Encoding: chunked\r\n", chunks(large)), "413"},
           {"broken chunks", Post("Transfer-Encoding: chunked\r\n", "zz\r\n"), "400"},
           {"compressed", Post(Sized(ask) + "Content-Encoding: gzip\r\n", ask), "415"},
           {"compressed otherwise", Post(Sized(ask) + "Content-Encoding: br\r\n", ask), "415"},
           {"a form", Post(Sized(ask) + "Content-Type: multipart/form-data; boundary=x\r\n", ask), "415"},
           {"no length", Post("", ask), "411"},
           {"two lengths", Post(Sized(ask) + "Content-Length: 3\r\n", ask), "411"},
           {"a length and chunks", Post(Sized(ask) + "Transfer-Encoding: chunked\r\n", chunks(ask)), "411"},
           {"no number", Post("Content-Length: -1\r\n", ask), "400"},
           {"another encoding", Post("Transfer-Encoding: gzip, chunked\r\n", ask), "400"},
           {"a body of a GET", "GET /nothing HTTP/1.1\r\nHost: x\r\n" + Sized(second) + "\r\n", "400"},
           {"another method", "PUT /add-checkpoint HTTP/1.1\r\nHost: x\r\n" + Sized(second) + "\r\n", "405"},
           {"elsewhere", "POST /nothing HTTP/1.1\r\nHost: x\r\n" + Sized(second) + "\r\n", "404"}}) {
    const auto lines = program.Raw({bytes, second});
    ASSERT_EQ(lines.size(), 1u) << what;
    EXPECT_TRUE(lines[0].starts_with("HTTP/1.1 " + status + " ")) << what << ": " << lines[0];
  }
  // Bytes that are no request at all, and random ones.
  std::mt19937 dice(7);
  for (int i = 0; i < 30; ++i) {
    std::string garbage(dice() % 3000, '\0');
    for (auto& c : garbage) c = static_cast<char>(dice());
    if (i % 2 == 0) garbage = Post(Sized(garbage), garbage);
    for (const auto& line : program.Raw({garbage + "\r\n\r\n"})) EXPECT_TRUE(line.starts_with("HTTP/1.1 4")) << line;
  }
  auto client = program.Client();
  EXPECT_EQ(client.Post("/add-checkpoint", log.Ask(3, 9), "text/plain")->status, 200) << "still at work";
}

TEST(WitnessProcess, OfTwoHistoriesAtOnceOnlyOneIsCosigned) {
  Program program;
  program.Start();
  const SmallLog log(60), other(60, 10);
  ASSERT_EQ(program.Client().Post("/add-checkpoint", log.Ask(0, 10), "text/plain")->status, 200);
  // Each side pushes its own history on, as fast as it can; the first to come wins for good.
  std::atomic<int> wins[2] = {};
  std::vector<std::thread> threads;
  for (int side = 0; side < 2; ++side) {
    threads.emplace_back([&, side] {
      auto client = program.Client();
      const auto& mine = side == 0 ? log : other;
      std::size_t known = 10;
      for (int i = 0; i < 40 && known < 60; ++i) {
        auto answer = client.Post("/add-checkpoint", mine.Ask(known, known + 1), "text/plain");
        ASSERT_TRUE(answer);
        if (answer->status == 200) {
          ++wins[side];
          ++known;
        } else if (answer->status == 409) {
          const auto recorded = std::stoull(answer->body);
          EXPECT_GT(recorded, known);
          if (recorded < 60) known = recorded;
        } else {
          EXPECT_EQ(answer->status, 422);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_NE(wins[0] == 0, wins[1] == 0) << wins[0] << " and " << wins[1];
}

TEST(WitnessProcess, NothingAnsweredIsForgottenWhenKilled) {
  const int rounds = std::getenv("VALIJA_LONG") != nullptr ? 100 : 12;
  Program program;
  const SmallLog log(20000);  // asked for in steps that leave some for every round
  std::atomic<std::uint64_t> asked{0}, answered{0};
  std::mt19937 dice(std::random_device{}());
  std::size_t answers = 0;
  for (int round = 0; round < rounds; ++round) {
    program.Start();
    std::atomic<bool> stop{false};
    std::atomic<int> here{0};
    std::thread asker([&] {
      auto client = program.Client();
      std::size_t known = answered;
      while (!stop && asked < 20000) {
        const std::size_t size = known + 1;
        asked = std::max<std::uint64_t>(asked, size);
        auto answer = client.Post("/add-checkpoint", log.Ask(known, size), "text/plain");
        if (!answer) return;  // killed
        if (answer->status == 409) {
          const auto recorded = std::stoull(answer->body);
          EXPECT_GE(recorded, answered) << "round " << round;
          EXPECT_LE(recorded, asked);
          known = recorded;
        } else {
          ASSERT_EQ(answer->status, 200) << answer->body;
          answered = size;
          known = size;
          ++here;
        }
      }
    });
    for (int i = 0; i < 500 && here == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % 60'000));
    program.End(SIGKILL);
    stop = true;
    asker.join();
    answers += static_cast<std::size_t>(here);
  }
  EXPECT_GE(answers, static_cast<std::size_t>(rounds));
  program.Start();
  auto seen = program.Client().Get("/" + OriginHash(kOrigin) + "/checkpoint");
  ASSERT_EQ(seen->status, 200);
  auto last = log::Checkpoint::ParseBody(log::Note::Parse(seen->body)->text);
  EXPECT_GE(last->size, answered);
  EXPECT_LE(last->size, asked);
  EXPECT_EQ(*last, log.At(last->size));
  EXPECT_EQ(program.End(SIGTERM), 0);
}

TEST(WitnessProcess, StopsCleanlyAndRunsOnce) {
  Program program;
  program.Start();
  const SmallLog log(9);
  auto client = program.Client();  // a connection that stays open does not hold it up
  ASSERT_EQ(client.Post("/add-checkpoint", log.Ask(0, 3), "text/plain")->status, 200);
  EXPECT_EQ(program.Run({"serve", "--logs", (program / "logs").string(), "--listen", "127.0.0.1:0"}), 4);
  EXPECT_NE(program.Err().find("[locked]"), std::string::npos) << program.Err();
  EXPECT_EQ(program.End(SIGTERM), 0);
  program.Start();
  EXPECT_EQ(program.Client().Post("/add-checkpoint", log.Ask(3, 9), "text/plain")->status, 200);
  EXPECT_EQ(program.End(SIGINT), 0);
}

TEST(WitnessProcess, SaysClearlyWhyItDoesNotStart) {
  Program program;
  const std::vector<std::string> serve = {"serve", "--logs", (program / "logs").string(), "--listen", "127.0.0.1:0"};
  auto expect = [&](const std::vector<std::string>& words, int status, const std::string& said) {
    EXPECT_EQ(program.Run(words), status) << program.Err();
    EXPECT_NE(program.Err().find(said), std::string::npos) << program.Err();
  };
  EXPECT_EQ(program.Run({"vkey"}), 0);
  EXPECT_EQ(program.Out(), program.vkey() + "\n");
  EXPECT_EQ(program.Run({"--help"}), 0);
  EXPECT_NE(program.Out().find("Examples:"), std::string::npos);
  expect({"init", "--name", "again.example"}, 4, "[exists]");
  expect({}, 2, "subcommand");
  expect({"serve"}, 2, "--logs");
  expect({"serve", "--logs", (program / "logs").string(), "--listen", "nowhere"}, 2, "[bad-configuration]");
  expect({"serve", "--logs", (program / "none").string()}, 4, "[file]");
  program.Put("bad-logs", "logs/v0\nvkey x\n");
  expect({"serve", "--logs", (program / "bad-logs").string()}, 2, "logs, line 2");

  program.Put("passphrase", "another\n");
  expect(serve, 3, "[bad-passphrase]");
  program.Put("passphrase", "correct horse\n");
  fs::permissions(program / "key.pem", fs::perms::group_read, fs::perm_options::add);
  expect(serve, 4, "[unsafe-file]");
  fs::permissions(program / "key.pem", fs::perms::group_read, fs::perm_options::remove);

  program.Start();
  const SmallLog log(9);
  ASSERT_EQ(program.Client().Post("/add-checkpoint", log.Ask(0, 3), "text/plain")->status, 200);
  ASSERT_EQ(program.Client().Post("/add-checkpoint", log.Ask(3, 9), "text/plain")->status, 200);
  program.End(SIGTERM);
  const auto former = program / "state" / (OriginHash(kOrigin) + ".0");
  const auto last = program / "state" / (OriginHash(kOrigin) + ".1");
  const auto newer = ReadWhole(last);
  std::ofstream(last) << ReadWhole(former);
  expect(serve, 5, "[rolled-back]");
  fs::remove(former);
  std::ofstream(last) << newer.substr(0, 50);
  expect(serve, 5, "[corrupt]");
  std::ofstream(last) << newer;
  fs::rename(program / "state", program / "elsewhere");
  expect(serve, 4, "[not-ready]");
  fs::rename(program / "elsewhere", program / "state");
  // A key of another witness.
  program.key = "k2";
  expect({"init", "--name", "w2"}, 4, "[exists]");
  EXPECT_FALSE(fs::exists(program / "k2")) << "nothing is left of it";
  program.key = "key.pem";
  program.Start();
}

}  // namespace
}  // namespace valija::witness::test
