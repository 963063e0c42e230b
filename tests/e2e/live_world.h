// A world with real programs for tests in C++: live_world.sh makes it, this starts its broker as a child, kills or stops
// it by its own id, and connects members to it.
#pragma once

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "client/profile.h"
#include "client/transport.h"
#include "client/verifier.h"
#include "core/crypto/keyfile.h"
#include "core/crypto/tls13.h"
#include "core/crypto/x509.h"
#include "core/io/file.h"
#include "core/policy/policy.h"
#include "tests/bench/sealing.h"
#include "tests/broker/support/temp_folder.h"
#include "valija/v1/exchange.grpc.pb.h"

namespace valija::test {

// One member, connected.
struct Peer {
  std::unique_ptr<client::Profile> profile;
  std::optional<client::Keyring> keys;
  std::unique_ptr<client::Transport> transport;
  std::unique_ptr<client::Verifier> verifier;

  bench::Sealer Sealer(const std::string& policy, const std::vector<std::string>& agencies) const {
    std::vector<AgencyId> to;
    for (const auto& id : agencies) to.push_back(*AgencyId::Parse(id));
    return {verifier->directory(), *keys, profile->member(), *policy::ParseText(policy).policy, to};
  }
};

class LiveWorld {
 public:
  LiveWorld() {
    ::signal(SIGPIPE, SIG_IGN);  // brokers go away while they are written to
    const auto command = std::string(VALIJA_SOURCE_DIR) + "/tests/e2e/live_world.sh " + root().string() + " " +
                         VALIJA_BINARY_DIR + " </dev/null";
    FILE* pipe = ::popen(command.c_str(), "r");
    char digest[128] = {};
    const bool read = pipe != nullptr && std::fscanf(pipe, "%d %127s", &port_, digest) == 2;
    const bool made = pipe != nullptr && ::pclose(pipe) == 0;
    if (!read || !made) throw std::runtime_error("the world could not be made");
    charter_ = *Digest::FromHexText(digest);
    crypto::RequireTls13().value();
  }
  ~LiveWorld() { Stop(); }

  std::filesystem::path root() const { return folder_ / "w"; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  const Digest& charter() const { return charter_; }
  std::string Passphrase() const { return (root() / "passphrase").string(); }

  void Configure(const std::string& line) {
    std::ofstream(root() / "broker/broker.conf", std::ios::app) << line << "\n";
  }

  // The program and words that run the broker, which becomes of them (prlimit, setpriv).
  void Wrap(std::vector<std::string> words) { wrapper_ = std::move(words); }

  // Runs `valija-broker` with these words after its configuration; its process id.
  pid_t Spawn(std::vector<std::string> words, const std::string& out) const {
    std::vector<std::string> all = wrapper_;
    all.insert(all.end(), {std::string(VALIJA_BINARY_DIR) + "/broker/valija-broker", "--config",
                           (root() / "broker/broker.conf").string()});
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (auto& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, (root() / "broker/err").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("the broker cannot be run");
    return pid;
  }

  void Start() {
    const auto out = (root() / "broker/out").string();
    std::filesystem::remove(out);
    broker_ = Spawn({"serve"}, out);
    for (int i = 0; i < 3000; ++i) {
      std::ifstream in(out);
      std::string line;
      while (std::getline(in, line))
        if (line.find("serving on port") != std::string::npos && !in.eof()) return;
      int status = 0;
      if (::waitpid(broker_, &status, WNOHANG) == broker_) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    broker_ = -1;
    std::ifstream err(root() / "broker/err");
    throw std::runtime_error("the broker did not start: " + std::string(std::istreambuf_iterator<char>(err), {}));
  }
  // Its wait status.
  int End(int signal) {
    if (broker_ <= 0) return 0;
    int status = 0;
    ::kill(broker_, signal);
    ::waitpid(broker_, &status, 0);
    broker_ = -1;
    return status;
  }
  void Kill() { End(SIGKILL); }
  int Stop() { return End(SIGTERM); }
  pid_t broker() const { return broker_; }

  // `name`: the profile's folder, as in mx.fgr/omar or sender-0.
  Peer Connect(const std::string& name) const {
    Peer peer;
    peer.profile = std::make_unique<client::Profile>(client::Profile::Open(root() / "profiles" / name).value());
    peer.keys = peer.profile->Unlock(io::ReadPassphraseFile(Passphrase()).value()).value();
    client::Endpoint endpoint;
    endpoint.address = address();
    endpoint.server_ca_pem = CarrierCa();
    endpoint.certificate_pem = peer.profile->CertificatePem().value();
    endpoint.key_pem = crypto::PlainEcPem(peer.keys->authentication.Scalar());
    peer.transport = client::Transport::Connect(std::move(endpoint)).value();
    peer.verifier = std::make_unique<client::Verifier>(*peer.profile);
    auto fresh = peer.verifier->Refresh(*peer.transport);
    for (int i = 0; i < 300 && !fresh && fresh.error().reason == Reason::kUnavailable;
         ++i) {  // it may be down just now
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      fresh = peer.verifier->Refresh(*peer.transport);
    }
    fresh.value();
    return peer;
  }

  std::string CarrierCa() const { return io::ReadText(root() / "pki/carrier/ca.pem", 1 << 20).value(); }
  std::string Attack(const std::string& file) const { return io::ReadText(root() / "attack" / file, 1 << 20).value(); }

  // A channel of its own with this certificate and key (PEM; both empty: none).
  std::shared_ptr<grpc::Channel> Channel(const std::string& certificate, const std::string& key) const {
    grpc::SslCredentialsOptions options{CarrierCa(), key, certificate};
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxSendMessageSize(-1);
    return grpc::CreateCustomChannel(address(), grpc::SslCredentials(options), arguments);
  }
  static std::string KeyPem(const client::Keyring& keys) {
    return ToString(crypto::PlainEcPem(keys.authentication.Scalar()).view());
  }
  std::shared_ptr<grpc::Channel> ChannelOf(const Peer& peer) const {
    return Channel(peer.profile->CertificatePem().value(), KeyPem(*peer.keys));
  }

 private:
  TempFolder folder_;
  int port_ = 0;
  pid_t broker_ = -1;
  std::vector<std::string> wrapper_;
  Digest charter_;
};

}  // namespace valija::test
