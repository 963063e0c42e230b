#include "broker/witness_client.h"

#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/io/http_client.h"
#include "core/log/cosignature.h"

namespace valija::broker {
namespace {

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
  const log::Cosigner key;
  const std::unique_ptr<io::HttpClient> http;
  const io::HttpClient::Limits limits;
};

WitnessClient::WitnessClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WitnessClient::~WitnessClient() = default;

Result<std::unique_ptr<WitnessClient>> WitnessClient::Make(log::Cosigner key, const std::string& url,
                                                           std::chrono::milliseconds timeout) {
  const auto bad = [&](const char* why) {
    return Refuse(Reason::kBadConfiguration, "the URL of the witness " + key.name + ": " + why);
  };
  if (!url.starts_with("http://"))
    return bad("it begins with http:// (what is on it is signed; for https use a proxy)");
  auto http = io::HttpClient::Make(url);
  if (!http) return bad("no host, or characters that it may not have");
  return std::unique_ptr<WitnessClient>(
      new WitnessClient(std::unique_ptr<Impl>(new Impl{std::move(key), *std::move(http), {timeout}})));
}

WitnessClient::Answer WitnessClient::AddCheckpoint(std::uint64_t old, const std::vector<Hash>& proof,
                                                   const std::string& note) {
  Answer out;
  std::string body = "old " + std::to_string(old) + "\n";
  for (const auto& hash : proof) body += ToBase64(hash) + "\n";
  body += "\n" + note;
  const auto answer = impl_->http->Post("/add-checkpoint", "text/plain; charset=utf-8", body, impl_->limits);
  if (!answer) return out.unheard = answer.error().detail, out;
  out.status = answer->status;
  if (answer->status == 409) {
    if (answer->type == "text/x.tlog.size" && answer->whole) out.at = SizeIn(answer->body);
    if (!out.at) out.refused = "409 without a size";
    return out;
  }
  if (answer->status != 200) {
    out.refused = std::to_string(answer->status) + " " + Visible(answer->body.substr(0, 200));
    return out;
  }
  if (!answer->whole) return out.refused = "a longer answer than there is", out;
  // Signature lines alone: with the checkpoint's text they are a note. Each that is of this key must hold; the latest counts.
  const auto text_end = note.find("\n\n");
  const auto signed_note = log::Note::Parse(note.substr(0, text_end + 2) + answer->body);
  if (!signed_note) return out.refused = "no signature lines", out;
  for (const auto& signature : signed_note->signatures) {
    const auto one = log::VerifyCosignatures({signed_note->text, {signature}}, std::span(&impl_->key, 1));
    if (!one) return out.line.clear(), out.refused = "its cosignature does not hold", out;
    const auto at = one->find(impl_->key.key.bytes());
    if (at == one->end() || at->second < out.time) continue;
    out.line = signature.Line();
    out.time = at->second;
  }
  if (out.line.empty()) out.refused = "a cosignature of another key than the charter names";
  return out;
}

std::optional<WitnessClient::Latest> WitnessClient::Cosigned(const std::string& origin) {
  const auto path = "/" + crypto::Sha256(AsBytes(origin)).Hex() + "/checkpoint";
  auto answer = impl_->http->Get(path, impl_->limits);
  if (!answer || !answer->whole || answer->status != 200) return std::nullopt;
  Latest out{std::move(answer->body)};
  if (const auto note = log::Note::Parse(out.note)) {
    const auto cosigned = log::VerifyCosignatures(*note, std::span(&impl_->key, 1));
    out.cosigned = cosigned && !cosigned->empty();
  }
  return out;
}

void WitnessClient::Close() { impl_->http->Close(); }

void WitnessClient::Abort() { impl_->http->Abort(); }

}  // namespace valija::broker
