// A witness over HTTP that does as it is told: honestly by itself (it cosigns what is proved to follow what it has), or
// whatever `lie` answers instead. And a small log to be witnessed.
#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include "core/crypto/hash.h"
#include "core/log/cosignature.h"
#include "core/log/tree.h"
#include "core/log/witness_policy.h"

namespace valija::test {

class SmallLog {
 public:
  crypto::SystemRandom random;
  crypto::Ed25519SignKey key = crypto::Ed25519SignKey::Generate(random);
  static constexpr const char* kOrigin = "pouch.example/2026";

  void Append(std::size_t count = 1) {
    std::lock_guard lock(mutex_);
    for (; count > 0; --count) {
      tree_.Append(log::LeafHash(AsBytes(std::to_string(tree_.size()) + salt)));
      for (auto& [id, tile] : tree_.TakeChangedTiles()) tiles_[id] = std::move(tile);
    }
  }
  std::shared_ptr<const log::SignedCheckpoint> Checkpoint() const {
    std::lock_guard lock(mutex_);
    return std::make_shared<const log::SignedCheckpoint>(
        log::SignedCheckpoint::Sign({kOrigin, tree_.size(), tree_.Root()}, key));
  }
  Result<std::vector<Hash>> Consistency(std::uint64_t from, std::uint64_t to) const {
    std::lock_guard lock(mutex_);
    return log::ProveConsistency(from, to, Reader());
  }
  Result<Hash> RootAt(std::uint64_t size) const {
    std::lock_guard lock(mutex_);
    return log::RootAt(size, Reader());
  }
  log::NoteVerifier verifier() const { return log::NoteVerifier::Make(kOrigin, key.verify_key()).value(); }
  std::string salt{};  // another one makes another tree

 private:
  log::TileReader Reader() const {
    return [this](log::TileId id, unsigned width) -> std::optional<Bytes> {
      auto at = tiles_.find(id);
      if (at == tiles_.end() || at->second.size() < width * Hash::kSize) return std::nullopt;
      return Bytes(at->second.begin(), at->second.begin() + static_cast<std::ptrdiff_t>(width * Hash::kSize));
    };
  }
  mutable std::mutex mutex_;
  log::Tree tree_;
  std::map<log::TileId, Bytes> tiles_;
};

class WitnessDouble {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    std::string type = "text/plain";
  };
  explicit WitnessDouble(std::string named) : name(std::move(named)), key(crypto::Ed25519SignKey::Generate(random_)) {
    server_.Post("/add-checkpoint", [this](const httplib::Request& request, httplib::Response& response) {
      ++asked;
      const auto answer = away ? Answer{503, "later\n"} : lie ? lie(request.body) : Honest(request.body);
      response.status = answer.status;
      response.set_content(answer.body, answer.type);
    });
    server_.Get(R"(/[0-9a-f]{64}/checkpoint)", [this](const httplib::Request&, httplib::Response& response) {
      std::lock_guard lock(mutex_);
      const auto shown = away ? "" : shows ? *shows : note_;
      response.status = shown.empty() ? 404 : 200;
      response.set_content(shown.empty() ? "nothing\n" : shown, "text/plain");
    });
    server_.set_keep_alive_max_count(1000000);
    port_ = server_.bind_to_any_port("127.0.0.1");
    Start();
  }
  ~WitnessDouble() { Stop(); }
  void Start() {
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  void Stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  log::Cosigner cosigner() const { return log::Cosigner::Make(name + ".example/1", key.verify_key()).value(); }
  std::string PolicyLine() const { return PolicyLine(url()); }
  std::string PolicyLine(const std::string& at) const {
    return "witness " + name + " " + cosigner().Text() + " " + at + "\n";
  }

  // As the protocol has it, but for the log's signature, which only the log can make.
  Answer Honest(const std::string& body) {
    std::istringstream lines(body);
    std::string line;
    if (!std::getline(lines, line) || line.rfind("old ", 0) != 0) return {400, "form\n"};
    const std::uint64_t old = std::stoull(line.substr(4));
    std::vector<Hash> proof;
    while (std::getline(lines, line) && !line.empty()) proof.push_back(Hash::From(*FromBase64(line)).value());
    const auto text = TextOf(body);
    const auto next = log::Checkpoint::ParseBody(text).value();
    std::lock_guard lock(mutex_);
    if (old != last_.size) return {409, std::to_string(last_.size) + "\n", "text/x.tlog.size"};
    if (next.size < old) return {400, "smaller\n"};
    if (next.size == old && next.root != last_.root) return {422, "another root\n"};
    if (!log::VerifyConsistency(old, last_.root, next.size, next.root, proof)) return {422, "no continuation\n"};
    const auto cosignature = log::Cosign(text, cosigner().name, key, Now());
    last_ = next;
    note_ = body.substr(body.find("\n\n") + 2) + cosignature;
    return {200, cosignature};
  }
  // It has recorded this, from before or from elsewhere.
  void Has(const log::SignedCheckpoint& checkpoint) {
    std::lock_guard lock(mutex_);
    last_ = checkpoint.checkpoint();
    note_ = checkpoint.note() + log::Cosign(last_.Body(), cosigner().name, key, Now());
  }
  std::uint64_t size() const { return last().size; }
  log::Checkpoint last() const {
    std::lock_guard lock(mutex_);
    return last_;
  }
  std::uint64_t Now() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count() +
        ahead_seconds);
  }
  static std::string TextOf(const std::string& body) {
    const auto shown = body.substr(body.find("\n\n") + 2);
    return shown.substr(0, shown.find("\n\n") + 1);
  }

  const std::string name;
  std::function<Answer(const std::string& body)> lie;  // set before it is asked
  std::atomic<bool> away = false;                      // it can do nothing now
  std::atomic<int> asked = 0;
  std::atomic<std::int64_t> ahead_seconds = 0;  // its clock
  std::optional<std::string> shows;             // on its monitoring path, instead of what it has; empty: 404

 private:
  crypto::SystemRandom random_;

 public:
  crypto::Ed25519SignKey key;

 private:
  mutable std::mutex mutex_;
  log::Checkpoint last_{{}, 0, log::EmptyRoot()};
  std::string note_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace valija::test
