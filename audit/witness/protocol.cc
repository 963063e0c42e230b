#include "audit/witness/protocol.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/ids.h"
#include "core/crypto/hash.h"
#include "core/log/tree.h"

namespace valija::witness {
namespace {

Error Malformed(const char* what) { return Refuse(Reason::kMalformed, what); }

// Decimal without a leading zero, at most `most`.
std::optional<std::uint64_t> Decimal(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0') || value > most) {
    return std::nullopt;
  }
  return value;
}

// The first line of `text`, without its end; cut off. nullopt where none ends.
std::optional<std::string_view> NextLine(std::string_view& text) {
  auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Decision No(int status, std::string_view sentence) { return {Say(status, sentence), std::nullopt, false}; }

}  // namespace

Result<Logs> ParseLogs(std::string_view text) {
  Logs logs;
  Log block;
  std::set<std::string> seen;  // words of this block
  std::set<crypto::Ed25519Public> keys;
  std::size_t number = 0;
  auto bad = [&](const std::string& what) {
    return Refuse(Reason::kBadConfiguration, "logs, line " + std::to_string(number) + ": " + what);
  };
  auto finish = [&]() -> Status {
    if (block.keys.empty()) return Ok();
    if (block.origin.empty()) block.origin = block.keys[0].name;
    auto& log = logs[block.origin];
    if (!log.keys.empty() && (block.per_day != log.per_day)) return bad("two blocks of one origin differ in qpd");
    log.origin = block.origin;
    log.per_day = block.per_day;
    if (log.contact.empty()) log.contact = block.contact;
    log.keys.push_back(block.keys[0]);
    block = Log();
    seen.clear();
    return Ok();
  };

  bool begun = false;
  while (!text.empty()) {
    ++number;
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (!begun) {
      if (line != "logs/v0") return bad("the first line is logs/v0");
      begun = true;
      continue;
    }
    const auto word = line.substr(0, line.find(' '));
    const auto value = line.substr(std::min(word.size() + 1, line.size()));
    if (value.empty()) return bad("a line is a word, a space and a value");
    if (word == "vkey") {
      TRY_OK(finish());
      auto key = log::NoteVerifier::Parse(value);
      if (!key) return bad(key.error().detail);
      if (!keys.insert(key->key.bytes()).second) return bad("the same key a second time");
      block.keys.push_back(*std::move(key));
      continue;
    }
    if (block.keys.empty()) return bad("a block begins with vkey");
    if (!seen.emplace(word).second) return bad(std::string(word) + " a second time");
    if (word == "origin") {
      block.origin = value;
    } else if (word == "qpd") {
      block.per_day = Decimal(value, std::uint64_t{1} << 40);
      if (!block.per_day || *block.per_day == 0) return bad("qpd is a number of requests a day");
    } else if (word == "contact") {
      block.contact = value;
    } else {
      return bad("a line begins with vkey, origin, qpd or contact");
    }
  }
  TRY_OK(finish());
  if (!begun) return bad("the first line is logs/v0");
  if (logs.empty()) return bad("no log is named");
  return logs;
}

Result<Request> ParseRequest(std::string_view body) {
  if (body.size() > kMaxBody) return Refuse(Reason::kTooLarge, "a request has at most 16 KiB");
  Request out;
  auto first = NextLine(body);
  if (!first || !first->starts_with("old ")) return Malformed("the first line is old and a size");
  auto old_size = Decimal(first->substr(4), log::kMaxTreeSize);
  if (!old_size) return Malformed("the old size is a decimal number below 2^63");
  out.old_size = *old_size;
  for (;;) {
    auto line = NextLine(body);
    if (!line) return Malformed("an empty line ends the proof");
    if (line->empty()) break;
    auto bytes = FromBase64(*line);
    auto hash = bytes ? Hash::From(*bytes) : std::nullopt;
    if (!hash) return Malformed("a line of the proof is 32 bytes in base64");
    if (out.proof.size() == kMaxProof) return Malformed("a proof has at most 63 lines");
    out.proof.push_back(*hash);
  }
  TRY(out.note, log::Note::Parse(body));
  TRY(out.checkpoint, log::Checkpoint::ParseBody(out.note.text));
  return out;
}

log::Cosigner Signer::cosigner() const { return log::Cosigner::Make(name, key.verify_key()).value(); }

Answer Say(int status, std::string_view sentence) {
  return {status, "text/plain; charset=utf-8", std::string(sentence) + "\n"};
}

int StatusOf(const Error& malformed) { return malformed.reason == Reason::kTooLarge ? 413 : 400; }

// The order of the checks is the specification's; each answers for those before it.
Decision Decide(const Request& request, const Log& log, const std::optional<Record>& record, const Signer& signer,
                std::uint64_t time) {
  const auto& checkpoint = request.checkpoint;
  if (!log::VerifyNote(request.note, log.keys)) return No(403, "no key of this log signed it, or a signature fails");
  if (request.old_size > checkpoint.size) return No(400, "the old size is larger than the checkpoint's");

  const auto last = record ? record->checkpoint : log::Checkpoint{log.origin, 0, log::EmptyRoot()};
  if (request.old_size != last.size) {
    return {{409, "text/x.tlog.size", std::to_string(last.size) + "\n"}, std::nullopt, false};
  }
  if (checkpoint.size == 0 && checkpoint.root != log::EmptyRoot()) return No(422, "the empty tree has another root");
  if (checkpoint.size == last.size && checkpoint.root != last.root) {
    return {Say(422, "another root was cosigned at this size"), std::nullopt, true};
  }
  auto consistent = log::VerifyConsistency(last.size, last.root, checkpoint.size, checkpoint.root, request.proof);
  if (!consistent) return No(422, consistent.error().detail);

  auto lines = log::Cosign(request.note.text, signer.name, signer.key, time);
  Record next{checkpoint, request.note.text + "\n"};
  std::set<std::string> kept;  // of strangers' lines, and of one line twice, we keep none
  for (const auto& line : request.note.signatures) {
    auto known = [&](const auto& key) { return key.name == line.name && key.key_id == line.key_id; };
    if (std::any_of(log.keys.begin(), log.keys.end(), known) && kept.insert(line.Line()).second) {
      next.note += line.Line();
    }
  }
  next.note += lines;
  return {{200, "text/plain; charset=utf-8", std::move(lines)}, std::move(next), false};
}

std::string OriginHash(std::string_view origin) { return crypto::Sha256(AsBytes(origin)).Hex(); }

bool IsOriginHash(std::string_view text) {
  return text.size() == 2 * Hash::kSize && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace valija::witness
