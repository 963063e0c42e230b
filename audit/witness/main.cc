// The command line and the HTTP side of `valija-witness`. (CLI11 and cpp-httplib are slow to compile: only here.)
//
// cpp-httplib sees to the connections; what it leaves open is settled here. A body without an announced length is
// counted as it comes. Encoded ones are not taken: a few bytes could unpack to gigabytes. Where something of a request
// may be left unread, the connection ends, or the rest would be taken for the next request.
#include <httplib.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "audit/witness/witness.h"
#include "core/crypto/keyfile.h"
#include "core/crypto/random.h"
#include "core/io/file.h"

namespace {

using namespace valija;  // NOLINT(google-build-using-namespace): this file is the command line of that namespace
using namespace valija::witness;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

constexpr int kThreads = 16, kIdleSeconds = 30, kTransferSeconds = 5, kStopSeconds = 5;
constexpr std::size_t kRequestsPerConnection = 100'000;
constexpr std::size_t kMostRead = 1 << 20;  // of a body that is too large, so that its sender reads why

int Fail(const Error& error) {
  std::cerr << "valija-witness: " << error.Message() << " [" << CodeOf(error.reason) << "]\n";
  return ExitStatus(error.reason);
}

Time Now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

void Report(const std::string& line) {
  static std::mutex mutex;
  const std::scoped_lock hold(mutex);
  std::cerr << FormatTime(Now()) << " " << line << std::endl;
}

// ---- HTTP ----

// By a content provider: what it gives is not compressed, and if it then says that it failed the connection ends.
void Give(httplib::Response& response, Answer answer, bool close) {
  response.status = answer.status;
  if (close) response.set_header("Connection", "close");
  const auto body = std::make_shared<const std::string>(std::move(answer.body));
  response.set_content_provider(body->size(), answer.type,
                                [body, close](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                                  sink.write(body->data() + offset, length);
                                  return !close;
                                });
}

// The origin hash of "/<hash>/checkpoint".
std::optional<std::string_view> MonitoredLog(std::string_view path) {
  constexpr std::string_view kEnd = "/checkpoint";
  if (!path.starts_with('/') || !path.ends_with(kEnd) || path.size() < kEnd.size() + 1) return std::nullopt;
  path.remove_prefix(1);
  path.remove_suffix(kEnd.size());
  if (!IsOriginHash(path)) return std::nullopt;
  return path;
}

// Why this POST's body is not even read.
std::optional<Answer> RefuseBody(const httplib::Request& request) {
  const auto count = [&](const char* name) { return request.get_header_value_count(name); };
  if (count("Content-Length") + count("Transfer-Encoding") != 1) return Say(411, "say the length of the body, once");
  if (count("Transfer-Encoding") == 1 && request.get_header_value("Transfer-Encoding") != "chunked") {
    return Say(400, "another transfer encoding than chunked");
  }
  const auto length = request.get_header_value("Content-Length");
  if (count("Content-Length") == 1 &&
      (length.empty() || length.size() > 18 || length.find_first_not_of("0123456789") != std::string::npos)) {
    return Say(400, "the length of the body is no number");
  }
  if (count("Content-Encoding") != 0 || request.is_multipart_form_data()) return Say(415, "send the body as it is");
  return std::nullopt;
}

class HttpSide {
 public:
  explicit HttpSide(Witness& witness) : witness_(witness) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_payload_max_length(kMaxBody);
    server_.set_read_timeout(kTransferSeconds);
    server_.set_write_timeout(kTransferSeconds);
    server_.set_keep_alive_timeout(kIdleSeconds);
    server_.set_keep_alive_max_count(kRequestsPerConnection);
    server_.set_tcp_nodelay(true);
    // Not the default SO_REUSEPORT, with which another process could take part of our connections.
    server_.set_socket_options([](auto socket) {
      int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_pre_routing_handler([this](const auto& request, auto& response) {
      Begin();
      return BeforeBody(request, response);
    });
    server_.Post("/add-checkpoint", [this](const auto&, auto& response, const auto& read) { Add(response, read); });
    server_.set_exception_handler([](const auto&, auto& response, std::exception_ptr) {
      Report("a fault inside while answering");
      Give(response, Say(500, "a fault inside"), true);
    });
    server_.set_logger([this](const auto&, const auto&) { End(); });
  }

  // The port; 0 if it cannot be had.
  int Bind(const std::string& host, int port) {
    if (port == 0) return std::max(0, server_.bind_to_any_port(host));
    return server_.bind_to_port(host, port) ? port : 0;
  }
  void Listen() {
    server_.listen_after_bind();
    Report("the listening socket is gone");
    std::_Exit(ExitStatus(Reason::kUnavailable));
  }

  // New requests are turned away, those at work are answered. Idle connections are not waited for: whatever was answered
  // is on disk already.
  void Stop() {
    stopping_ = true;
    for (int i = 0; i < kStopSeconds * 100 && at_work_ > 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  using Handled = httplib::Server::HandlerResponse;

  // Everything but the body of a checkpoint.
  Handled BeforeBody(const httplib::Request& request, httplib::Response& response) {
    const auto say = [&](int status, std::string_view sentence, bool close = true) {
      Give(response, Say(status, sentence), close);
      return Handled::Handled;
    };
    const auto allow = [&](const char* methods) {
      response.set_header("Allow", methods);
      return say(405, "not with this method");
    };
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (stopping_) return say(503, "the witness is stopping");
    if (request.has_header("Range")) return say(400, "parts are not served");
    if (reads && (request.has_header("Transfer-Encoding") || request.has_header("Content-Length"))) {
      return say(400, "a body where none belongs");
    }
    if (request.path == "/add-checkpoint") {
      if (request.method != "POST") return allow("POST");
      if (auto refused = RefuseBody(request)) {
        Give(response, *std::move(refused), true);
        return Handled::Handled;
      }
      return Handled::Unhandled;  // to Add
    }
    const auto hash = MonitoredLog(request.path);
    if (!hash) return say(404, "nothing is here", !reads);
    if (!reads) return allow("GET, HEAD");
    Give(response, witness_.LatestCheckpoint(*hash), false);
    return Handled::Handled;
  }

  void Add(httplib::Response& response, const httplib::ContentReader& read) {
    std::string body;
    std::size_t size = 0;
    const bool whole = read([&](const char* data, std::size_t length) {
      size += length;
      if (size <= kMaxBody) body.append(data, length);
      return size <= kMostRead;
    });
    if (size > kMaxBody || response.status == 413) {
      return Give(response, Say(413, "a request has at most 16 KiB"), true);
    }
    if (!whole) return Give(response, Say(400, "the body did not come whole"), true);
    Give(response, witness_.AddCheckpoint(body), false);
  }

  // A request is at work on this thread until its answer is written.
  static bool& Busy() {
    thread_local bool busy = false;
    return busy;
  }
  void Begin() {
    if (!std::exchange(Busy(), true)) ++at_work_;
  }
  void End() {
    if (std::exchange(Busy(), false)) --at_work_;
  }

  Witness& witness_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> at_work_{0};
  httplib::Server server_;
};

// ---- commands ----

struct Options {
  fs::path state, high_water, key, logs, passphrase_file;
  std::string name, listen = "127.0.0.1:7444";
  fs::path marks() const { return high_water.empty() ? state / "marks" : high_water; }
};

Result<crypto::Secret> Passphrase(const Options& options, bool anew) {
  if (!options.passphrase_file.empty()) return io::ReadPassphraseFile(options.passphrase_file);
  return io::AskPassphrase(anew ? "New passphrase: " : "Passphrase of the witness's key: ", anew);
}

Status Init(const Options& options) {
  crypto::SystemRandom random;
  const auto key = crypto::Ed25519SignKey::Generate(random);
  TRY(auto witness, log::Cosigner::Make(options.name, key.verify_key()));
  TRY(auto passphrase, Passphrase(options, true));
  TRY_OK(io::WriteNewFile(options.key, AsBytes(crypto::EncryptEd25519Key(key.Seed(), passphrase)), 0600));
  if (auto created = Store::Create(options.state, options.marks(), witness); !created) {
    std::error_code ignored;
    fs::remove(options.key, ignored);  // it signed nothing
    return created;
  }
  std::cout << witness.Text() << "\n";
  return Ok();
}

Result<Signer> ReadSigner(const Options& options, const log::Cosigner& witness) {
  TRY(auto pem, io::ReadPrivateFile(options.key));
  TRY(auto passphrase, Passphrase(options, false));
  TRY(auto seed, crypto::DecryptEd25519Key(AsText(pem.view()), passphrase));
  TRY(auto key, crypto::Ed25519SignKey::FromSeed(seed.view()));
  if (key.verify_key().bytes() != witness.key.bytes()) {
    return Refuse(Reason::kBadKey, options.key.string() + " is not the key of this state: " + witness.Text());
  }
  return Signer{witness.name, std::move(key)};
}

struct Address {
  std::string host;
  int port = 0;
};
Result<Address> ParseAddress(const std::string& text) {
  const auto colon = text.rfind(':');
  Address out;
  const char* end = text.data() + text.size();
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size() ||
      std::from_chars(text.data() + colon + 1, end, out.port).ptr != end || out.port < 0 || out.port > 65535) {
    return Refuse(Reason::kBadConfiguration, "--listen takes HOST:PORT");
  }
  out.host = text.substr(0, colon);
  if (out.host.front() == '[' && out.host.back() == ']') out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

// Does not come back once it serves: the process ends by a signal.
Status Serve(const Options& options) {
  TRY(const auto address, ParseAddress(options.listen));
  TRY(const auto text, io::ReadText(options.logs, 1 << 20));
  TRY(auto logs, ParseLogs(text));
  TRY(auto store, Store::Open(options.state, options.marks()));
  TRY(auto signer, ReadSigner(options, store->witness()));
  // Blocked here, before any thread begins (and after the passphrase was asked for), and waited for below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Witness witness(std::move(logs), std::move(signer), *store, Now, Report);
  HttpSide http(witness);
  const int port = http.Bind(address.host, address.port);
  if (port == 0) return Refuse(Reason::kUnavailable, options.listen + " cannot be listened on");
  std::thread([&http] { http.Listen(); }).detach();
  std::cout << "valija-witness: serving on port " << port << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  http.Stop();
  Report("stopped by signal " + std::to_string(signal));
  std::_Exit(0);  // threads may wait on idle connections
}

Status PrintVkey(const Options& options) {
  TRY(auto witness, Store::WitnessOf(options.state));
  std::cout << witness.Text() << "\n";
  return Ok();
}

}  // namespace

int main(int argc, char** argv) {
  io::HardenProcess();
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{
      "valija-witness: cosigns the checkpoints of logs that only grow (C2SP tlog-witness), and is trusted for nothing "
      "else"};
  app.set_version_flag("--version", "valija-witness " VALIJA_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.set_config("--config", "", "Configuration file: lines of NAME=VALUE, the same names as the flags")
      ->envname("VALIJA_WITNESS_CONFIG");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer(
      "Examples:\n"
      "  valija-witness init --name witness.fgr.example/1 --state /var/lib/valija-witness --key witness-key.pem\n"
      "  valija-witness vkey --state /var/lib/valija-witness            for the charter and policy files\n"
      "  valija-witness serve --state /var/lib/valija-witness --key witness-key.pem --logs logs --listen "
      "10.0.0.7:7444\n"
      "A logs file:\n"
      "  logs/v0\n"
      "  vkey pouch.example/2026+0c4942bc+ASjbi7XN2hbLcHixbvhDdp+TvnrcJR+nSN/UnSHt40Ni\n"
      "  contact broker@pouch.example\n"
      "Exit status: 0 done; 2 bad input or configuration; 3 denied; 4 not now (locked, no state, the port is taken);\n"
      "5 ALARM: the state is damaged or rolled back; 1 a fault inside. See docs/witness.md.");
  Options options;
  app.add_option("--state", options.state, "Folder of what was cosigned last, one small file a log")->required();
  app.add_option("--high-water", options.high_water,
                 "Folder of the high-water marks, best on another disk (else STATE/marks)");
  app.add_option("--passphrase-file", options.passphrase_file,
                 "Private file with the key's passphrase in its first line (else it is asked for)");
  app.add_option("--key", options.key, "File of the private key, encrypted");
  app.add_option("--logs", options.logs, "File of the logs that are witnessed");
  app.add_option("--listen", options.listen, "HOST:PORT; port 0 takes a free one")->capture_default_str();
  const auto needs = [](const char* flag, const fs::path& path) {
    if (path.empty()) throw CLI::RequiredError(flag);
  };

  Status done;
  auto* init = app.add_subcommand("init", "Make a witness: its key, and an empty state. Prints its verifier key");
  init->add_option("--name", options.name, "Name of the witness, like witness.fgr.example/1")
      ->required()
      ->configurable(false);
  init->callback([&] {
    needs("--key", options.key);
    done = Init(options);
  });
  app.add_subcommand("serve", "Answer add-checkpoint, and serve the last checkpoint of each log")->callback([&] {
    needs("--key", options.key);
    needs("--logs", options.logs);
    done = Serve(options);
  });
  app.add_subcommand("vkey", "Print the verifier key (name+hash+key)")->callback([&] { done = PrintVkey(options); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "valija-witness: a fault inside: " << error.what() << "\n";
    return 1;
  }
  return done ? 0 : Fail(done.error());
}
