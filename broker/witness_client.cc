#include "broker/witness_client.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>

#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/log/cosignature.h"

namespace valija::broker {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024;  // of an answer

// The decimal of a 409, as strict as the format.
std::optional<std::uint64_t> SizeIn(std::string_view body) {
  if (body.size() < 2 || body.size() > 20 || body.back() != '\n') return std::nullopt;
  body.remove_suffix(1);
  if (body.size() > 1 && body.front() == '0') return std::nullopt;
  std::uint64_t out = 0;
  for (const char c : body) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return out < (std::uint64_t{1} << 63) ? std::optional(out) : std::nullopt;
}

}  // namespace

struct WitnessClient::Impl {
  Impl(log::Cosigner the_key, const std::string& host, std::string the_prefix)
      : key(std::move(the_key)), prefix(std::move(the_prefix)), http(host) {}
  const log::Cosigner key;
  const std::string prefix;
  httplib::Client http;
  std::atomic<bool> aborted = false;
};

WitnessClient::WitnessClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WitnessClient::~WitnessClient() = default;

Result<std::unique_ptr<WitnessClient>> WitnessClient::Make(log::Cosigner key, const std::string& url,
                                                           std::chrono::milliseconds timeout) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&](const char* why) {
    return Refuse(Reason::kBadConfiguration, "the URL of the witness " + key.name + ": " + why);
  };
  if (!url.starts_with(kScheme)) return bad("it begins with http:// (what is on it is signed; for https use a proxy)");
  const auto slash = url.find('/', kScheme.size());
  const std::string host = url.substr(0, slash);
  std::string prefix = slash == std::string::npos ? "" : url.substr(slash);
  while (prefix.ends_with('/')) prefix.pop_back();
  const bool visible = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (host.size() == kScheme.size() || !visible) return bad("no host, or characters that it may not have");
  auto impl = std::make_unique<Impl>(std::move(key), host, std::move(prefix));
  if (!impl->http.is_valid()) return Refuse(Reason::kBadConfiguration, "the URL " + url + " cannot be used");
  impl->http.set_keep_alive(true);
  impl->http.set_tcp_nodelay(true);
  impl->http.set_follow_location(false);
  impl->http.set_decompress(false);
  impl->http.set_connection_timeout(timeout);
  impl->http.set_read_timeout(timeout);
  impl->http.set_write_timeout(timeout);
  return std::unique_ptr<WitnessClient>(new WitnessClient(std::move(impl)));
}

WitnessClient::Answer WitnessClient::AddCheckpoint(std::uint64_t old, const std::vector<Hash>& proof,
                                                   const std::string& note) {
  Answer out;
  if (impl_->aborted) return out.unheard = "stopping", out;
  std::string body = "old " + std::to_string(old) + "\n";
  for (const auto& hash : proof) body += ToBase64(hash) + "\n";
  body += "\n" + note;
  httplib::Request request;
  request.method = "POST";
  request.path = impl_->prefix + "/add-checkpoint";
  request.set_header("Content-Type", "text/plain; charset=utf-8");
  request.body = std::move(body);
  std::string answer;
  request.content_receiver = [&](const char* data, std::size_t length, std::uint64_t, std::uint64_t) {
    if (answer.size() + length > kMostBytes) return false;
    answer.append(data, length);
    return true;
  };
  const auto result = impl_->http.send(request);
  if (!result) return out.unheard = httplib::to_string(result.error()), out;
  if (result->status == 409) {
    out.at = result->get_header_value("Content-Type") == "text/x.tlog.size" ? SizeIn(answer) : std::nullopt;
    if (!out.at) out.refused = "409 without a size";
    return out;
  }
  if (result->status != 200) {
    out.refused = std::to_string(result->status) + " " + Visible(answer.substr(0, 200));
    return out;
  }
  // Signature lines alone: with the checkpoint's text they are a note. One that is of this key must hold.
  const auto text_end = note.find("\n\n");
  const auto signed_note = log::Note::Parse(note.substr(0, text_end + 2) + answer);
  if (!signed_note) return out.refused = "no signature lines", out;
  const auto cosigned = log::VerifyCosignatures(*signed_note, std::span(&impl_->key, 1));
  if (!cosigned) return out.refused = "its cosignature does not hold", out;
  const auto at = cosigned->find(impl_->key.key.bytes());
  if (at == cosigned->end()) return out.refused = "a cosignature of another key than the charter names", out;
  for (const auto& signature : signed_note->signatures) {
    if (signature.name != impl_->key.name || signature.key_id != impl_->key.key_id) continue;
    const auto one = log::VerifyCosignatures({signed_note->text, {signature}}, std::span(&impl_->key, 1));
    if (one && one->at(impl_->key.key.bytes()) == at->second) out.line = signature.Line();
  }
  out.time = at->second;
  return out;
}

WitnessClient::Latest WitnessClient::Cosigned(const std::string& origin) {
  if (impl_->aborted) return {};
  std::string answer;
  const auto path = impl_->prefix + "/" + crypto::Sha256(AsBytes(origin)).Hex() + "/checkpoint";
  const auto result = impl_->http.Get(path, [&](const char* data, std::size_t length) {
    if (answer.size() + length > kMostBytes) return false;
    answer.append(data, length);
    return true;
  });
  if (!result) return {};
  if (result->status == 404) return {true, std::nullopt};
  if (result->status != 200) return {};
  return {true, std::move(answer)};
}

void WitnessClient::Abort() {
  impl_->aborted = true;
  impl_->http.stop();
}

}  // namespace valija::broker
