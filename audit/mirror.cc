// (cpp-httplib is slow to compile: only here.)
#include "audit/mirror.h"

#include <httplib.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "core/io/log_folder.h"
#include "core/log/quorum.h"

namespace valija::audit {
namespace {

constexpr int kConnectSeconds = 10, kTransferSeconds = 30, kTries = 3;
constexpr std::size_t kMaxNote = 64 * 1024;

// One server, one connection that is kept.
class Server {
 public:
  static Result<std::unique_ptr<Server>> Of(const std::string& url) {
    const auto scheme = url.find("://");
    const auto host = scheme == std::string::npos ? scheme : scheme + 3;
    if (scheme == std::string::npos || (url.compare(0, scheme, "http") != 0 && url.compare(0, scheme, "https") != 0) ||
        host == url.size() || url.find_first_of("?# \t\r\n") != std::string::npos) {
      return Refuse(Reason::kUsage, "a log is at http://host[:port][/prefix]");
    }
    const auto slash = std::min(url.find('/', host), url.size());
    auto prefix = url.substr(slash);
    while (prefix.ends_with('/')) prefix.pop_back();
    auto out = std::unique_ptr<Server>(new Server(url.substr(0, slash), prefix + "/"));
    if (!out->client_.is_valid()) return Refuse(Reason::kUsage, "a log is at http://host[:port][/prefix]");
    return out;
  }

  Result<Bytes> Get(const std::string& path, std::size_t limit) {
    for (int left = kTries;; --left) {
      Bytes body;
      int status = 0;
      bool too_large = false;
      const auto got = client_.Get(
          prefix_ + path,
          [&](const httplib::Response& response) {
            status = response.status;
            return true;
          },
          [&](const char* data, std::size_t length) {
            if (status != 200) return true;
            too_large = body.size() + length > limit;
            if (!too_large) body.insert(body.end(), data, data + length);
            return !too_large;
          });
      if (too_large) return Refuse(Reason::kBadProof, path + " is larger than it can be");
      if (got && status == 200) return body;
      if (got && status == 404) return Refuse(Reason::kNotFound, path);
      if (got) return Refuse(Reason::kUnavailable, path + ": HTTP status " + std::to_string(status));
      if (left == 1) return Refuse(Reason::kUnavailable, path + ": " + httplib::to_string(got.error()));
    }
  }

 private:
  Server(const std::string& where, std::string prefix) : client_(where), prefix_(std::move(prefix)) {
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    client_.set_connection_timeout(kConnectSeconds);
    client_.set_read_timeout(kTransferSeconds);
    client_.set_write_timeout(kTransferSeconds);
  }
  httplib::Client client_;
  std::string prefix_;
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
  TRY(auto server, Server::Of(options.url));
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
