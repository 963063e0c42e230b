#include "audit/mirror.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "core/io/http_client.h"
#include "core/io/log_folder.h"
#include "core/log/quorum.h"

namespace valija::audit {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kMaxNote = 64 * 1024;

// One server, one connection that is kept, and the time that is left for it.
class Server {
 public:
  static Result<std::unique_ptr<Server>> Of(const MirrorOptions& options) {
    auto client = io::HttpClient::Make(options.url);
    if (!client) return Refuse(Reason::kUsage, "a log is at http://host[:port][/prefix]");
    return std::unique_ptr<Server>(new Server(*std::move(client), options));
  }

  Result<Bytes> Get(const std::string& path, std::size_t limit) {
    for (int left = kTries;; --left) {
      const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Steady::now());
      if (rest.count() <= 0) return Refuse(Reason::kUnavailable, "the run took longer than it may; go on with another");
      auto got = client_->Get("/" + path, {std::min(file_time_, rest), limit});
      if (got && got->status == 404) return Refuse(Reason::kNotFound, path);
      if (got && got->status != 200)
        return Refuse(Reason::kUnavailable, path + ": HTTP status " + std::to_string(got->status));
      if (got && !got->whole) return Refuse(Reason::kBadProof, path + " is larger than it can be");
      if (got) return ToBytes(AsBytes(got->body));
      if (left == 1) return Refuse(Reason::kUnavailable, path + ": " + got.error().detail);
    }
  }

 private:
  using Steady = std::chrono::steady_clock;
  Server(std::unique_ptr<io::HttpClient> client, const MirrorOptions& options)
      : client_(std::move(client)), file_time_(options.file_time), end_(Steady::now() + options.run_time) {}
  const std::unique_ptr<io::HttpClient> client_;
  const std::chrono::milliseconds file_time_;
  const Steady::time_point end_;
};

// By a quorum, and lately.
Status Cosigned(const MirrorOptions& options, const std::string& note, MirrorRun& out) {
  TRY(auto witnessed, options.policy->Verify(note, options.keys));
  out.cosigned = std::move(witnessed.cosigned);
  const auto since = log::QuorumSince(*options.policy, out.cosigned);
  if (options.max_age == Duration() || !since) return Ok();
  const Time then(Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(*since, 253402300799) * 1000)));
  if (options.now - then > options.max_age) return Refuse(Reason::kStale, "last at " + FormatTime(then));
  return Ok();
}

}  // namespace

Result<std::vector<log::NoteVerifier>> LogKeysOf(const std::string& vkey_or_file) {
  if (auto key = log::NoteVerifier::Parse(vkey_or_file)) return std::vector{*std::move(key)};
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(vkey_or_file, ignored)) {
    return Refuse(Reason::kBadKey, "no verifier key (name+hash+key), and no file with one");
  }
  TRY(const auto text, io::ReadText(vkey_or_file, 1 << 16));
  std::vector<log::NoteVerifier> keys;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    TRY(auto key, log::NoteVerifier::Parse(line));
    if (!keys.empty() && key.name != keys[0].name) return Refuse(Reason::kBadKey, "keys of several logs");
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return Refuse(Reason::kBadKey, "no key in " + vkey_or_file);
  return keys;
}

Result<MirrorRun> MirrorLog(const MirrorOptions& options) {
  TRY(auto server, Server::Of(options));
  TRY(auto folder, io::LogFolder::Open(options.folder, options.keys));
  MirrorRun out;
  if (folder.checkpoint()) out.before = folder.checkpoint()->size();
  const auto fetch = [&server](const std::string& path, std::size_t limit) { return server->Get(path, limit); };
  auto note = fetch("checkpoint", kMaxNote);
  if (!note) {
    if (note.error().reason != Reason::kNotFound) return note.error();
    return Refuse(Reason::kUnavailable, "there is no checkpoint at " + options.url);
  }
  if (options.policy) TRY_OK(Cosigned(options, std::string(AsText(*note)), out));
  TRY(const auto done, folder.Continue(std::string(AsText(*note)), fetch, options.all, options.progress));
  out.origin = folder.checkpoint()->checkpoint().origin;
  out.size = folder.checkpoint()->size();
  out.root = folder.checkpoint()->root();
  out.tiles = done.tiles;
  out.bundles = done.bundles;
  out.fetched = done.fetched;
  return out;
}

}  // namespace valija::audit
