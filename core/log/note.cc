#include "core/log/note.h"

#include <charconv>
#include <optional>
#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/log/tree.h"

namespace valija::log {
namespace {

constexpr std::size_t kMaxNote = 64 * 1024;
constexpr std::size_t kMaxSignatures = 100;
constexpr std::string_view kDash = "\u2014 ";

// The code point at the front of `text`, which is cut off; nullopt where it is not well-formed UTF-8
// (RFC 3629: no surrogates, nothing longer than needed).
std::optional<char32_t> NextCodePoint(std::string_view& text) {
  auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  std::uint8_t lead = byte(0);
  std::size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return std::nullopt;
  char32_t code = length == 1 ? lead : lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  if (length == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return std::nullopt;
  if (length == 4 && (code < 0x10000 || code > 0x10ffff)) return std::nullopt;
  text.remove_prefix(length);
  return code;
}

bool IsNoteText(std::string_view text) {
  while (!text.empty()) {
    auto code = NextCodePoint(text);
    if (!code || (*code < 0x20 && *code != '\n')) return false;
  }
  return true;
}

// Unicode's White_Space.
bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool IsKeyName(std::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    auto code = NextCodePoint(name);
    if (!code || *code < 0x20 || *code == '+' || IsSpace(*code)) return false;
  }
  return true;
}

std::uint32_t KeyIdOf(std::string_view name, KeyType type, const crypto::Ed25519Public& key) {
  const std::uint8_t middle[] = {'\n', static_cast<std::uint8_t>(type)};
  return ReadU32(crypto::Sha256({AsBytes(name), middle, key}).bytes.data());
}

std::string KeyIdText(std::uint32_t id) {
  Bytes bytes;
  AppendU32(bytes, id);
  return ToHex(bytes);
}

// Cuts off what stands before the first `separator`; nullopt where there is none.
std::optional<std::string_view> Cut(std::string_view& text, char separator) {
  auto at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  auto out = text.substr(0, at);
  text.remove_prefix(at + 1);
  return out;
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > kMaxTreeSize) return std::nullopt;
  return value;
}

Error Malformed(const char* what) { return Refuse(Reason::kMalformed, what); }
Error BadCheckpoint(std::string what) { return Refuse(Reason::kBadCheckpoint, std::move(what)); }

}  // namespace

template <KeyType T>
Result<VerifierKey<T>> VerifierKey<T>::Parse(std::string_view vkey) {
  auto name_part = Cut(vkey, '+');
  auto id_part = Cut(vkey, '+');  // what is left is base64, which may hold a '+'
  auto typed = FromBase64(vkey);
  if (!name_part || !id_part || !typed) return Refuse(Reason::kBadKey, "a verifier key is name+id+base64");
  if (typed->size() != 1 + crypto::Ed25519Public::kSize || typed->front() != static_cast<std::uint8_t>(T)) {
    return Refuse(Reason::kBadKey, T == KeyType::kLog ? "only Ed25519 keys (type 1) sign logs"
                                                      : "only cosignature/v1 keys (type 4) cosign");
  }
  TRY(auto parsed, crypto::Ed25519VerifyKey::FromBytes(ByteView(*typed).subspan(1)));
  TRY(auto verifier, Make(*name_part, parsed));
  if (*id_part != KeyIdText(verifier.key_id)) {
    return Refuse(Reason::kBadKey, "the id is not that of this name and key");
  }
  return verifier;
}

template <KeyType T>
Result<VerifierKey<T>> VerifierKey<T>::Make(std::string_view name, const crypto::Ed25519VerifyKey& key) {
  if (!IsKeyName(name)) return Refuse(Reason::kBadKey, "a key's name is not empty and has no space and no '+'");
  return VerifierKey{std::string(name), KeyIdOf(name, T, key.bytes()), key};
}

template <KeyType T>
std::string VerifierKey<T>::Text() const {
  Bytes typed = {static_cast<std::uint8_t>(T)};
  Append(typed, key.bytes());
  return name + "+" + KeyIdText(key_id) + "+" + ToBase64(typed);
}

template struct VerifierKey<KeyType::kLog>;
template struct VerifierKey<KeyType::kCosigner>;

std::string NoteSignature::Line() const {
  Bytes content;
  AppendU32(content, key_id);
  Append(content, signature);
  return std::string(kDash) + name + ' ' + ToBase64(content) + '\n';
}

Result<Note> Note::Parse(std::string_view note) {
  if (note.size() > kMaxNote) return Malformed("a note has at most 64 KiB");
  if (!IsNoteText(note)) return Malformed("a note is UTF-8 without control characters");
  // The last empty line: the text may hold others.
  auto split = note.rfind("\n\n");
  if (split == std::string_view::npos) return Malformed("a note has an empty line before its signatures");
  Note out;
  out.text = std::string(note.substr(0, split + 1));
  auto lines = note.substr(split + 2);
  if (lines.empty()) return Malformed("a note has a signature");
  while (!lines.empty()) {
    auto line = Cut(lines, '\n');
    if (!line || !line->starts_with(kDash)) return Malformed("a signature line starts with a dash and ends");
    line->remove_prefix(kDash.size());
    auto name = Cut(*line, ' ');
    auto content = FromBase64(*line);
    if (!name || !IsKeyName(*name) || !content || content->size() < 5) {
      return Malformed("a signature line is a dash, a name and base64");
    }
    if (out.signatures.size() == kMaxSignatures) return Malformed("a note has at most 100 signatures");
    out.signatures.push_back(
        {std::string(*name), ReadU32(content->data()), Bytes(content->begin() + 4, content->end())});
  }
  return out;
}

Status VerifyNote(const Note& note, const NoteVerifier& verifier) { return VerifyNote(note, {&verifier, 1}); }

Status VerifyNote(const Note& note, std::span<const NoteVerifier> known) {
  bool verified = false;
  for (const auto& line : note.signatures) {
    for (const auto& verifier : known) {
      if (line.name != verifier.name || line.key_id != verifier.key_id) continue;
      if (!verifier.key.Verify(AsBytes(note.text), line.signature)) {
        return BadCheckpoint("a signature of " + verifier.name + " does not hold");
      }
      verified = true;
    }
  }
  if (!verified) return BadCheckpoint("no signature of " + (known.empty() ? "a known key" : known.front().name));
  return Ok();
}

std::string SignNote(std::string_view text, std::string_view name, const crypto::Ed25519SignKey& key) {
  if (!text.ends_with('\n') || !IsNoteText(text)) throw std::invalid_argument("not a note's text");
  if (!IsKeyName(name)) throw std::invalid_argument("not a key's name");
  const NoteSignature line{std::string(name), KeyIdOf(name, KeyType::kLog, key.verify_key().bytes()),
                           ToBytes(key.Sign(AsBytes(text)))};
  return std::string(text) + '\n' + line.Line();
}

std::string Checkpoint::Body() const { return origin + '\n' + std::to_string(size) + '\n' + ToBase64(root) + '\n'; }

Result<Checkpoint> Checkpoint::ParseBody(std::string_view text) {
  auto origin = Cut(text, '\n');
  auto size_line = Cut(text, '\n');
  auto root_line = Cut(text, '\n');
  if (!origin || !size_line || !root_line) return Malformed("a checkpoint has three lines");
  if (origin->empty()) return Malformed("a checkpoint names its origin");
  auto size = ParseSize(*size_line);
  if (!size) return Malformed("a checkpoint's size is a decimal number below 2^63");
  auto bytes = FromBase64(*root_line);
  auto root = bytes ? Hash::From(*bytes) : std::nullopt;
  if (!root) return Malformed("a checkpoint's root is 32 bytes in base64");
  while (!text.empty()) {
    auto extension = Cut(text, '\n');
    if (!extension || extension->empty()) return Malformed("an extension line is not empty and ends");
  }
  return Checkpoint{std::string(*origin), *size, *root};
}

Result<SignedCheckpoint> SignedCheckpoint::Verify(std::string_view note, std::string_view origin,
                                                  const NoteVerifier& log_key) {
  auto parsed = Note::Parse(note);
  if (!parsed) return BadCheckpoint(parsed.error().detail);
  TRY_OK(VerifyNote(*parsed, log_key));
  auto checkpoint = Checkpoint::ParseBody(parsed->text);
  if (!checkpoint) return BadCheckpoint(checkpoint.error().detail);
  if (checkpoint->origin != origin) return BadCheckpoint("it is of another log");
  if (checkpoint->size == 0 && checkpoint->root != EmptyRoot()) return BadCheckpoint("the empty tree has another root");
  return SignedCheckpoint(*std::move(checkpoint), std::string(note));
}

SignedCheckpoint SignedCheckpoint::Sign(const Checkpoint& checkpoint, const crypto::Ed25519SignKey& log_key) {
  if (checkpoint.size > kMaxTreeSize) throw std::invalid_argument("no tree has so many leaves");
  return SignedCheckpoint(checkpoint, SignNote(checkpoint.Body(), checkpoint.origin, log_key));
}

}  // namespace valija::log
