// C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0.
//
// Thread-safety: everything here is a plain value.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace valija::log {

// What a key of a signed note is for. (ML-DSA-44, 0x06, is to come.)
enum class KeyType : std::uint8_t {
  kLog = 0x01,       // Ed25519 over the note's text
  kCosigner = 0x04,  // Ed25519 cosignature/v1 (cosignature.h)
};

// A verifier key: "name+hhhhhhhh+base64(type || key)". One type is never taken for the other.
template <KeyType T>
struct VerifierKey {
  std::string name;
  std::uint32_t key_id = 0;
  crypto::Ed25519VerifyKey key;

  static Result<VerifierKey> Parse(std::string_view vkey);  // kBadKey
  static Result<VerifierKey> Make(std::string_view name, const crypto::Ed25519VerifyKey& key);
  std::string Text() const;
};
using NoteVerifier = VerifierKey<KeyType::kLog>;
using Cosigner = VerifierKey<KeyType::kCosigner>;

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;

  std::string Line() const;  // as it stands in a note, with its line end
};

// A parsed note, nothing verified yet: text ends in '\n'. Strict as the specification's grammar; at most
// 64 KiB and 100 signature lines.
struct Note {
  std::string text;
  std::vector<NoteSignature> signatures;
  static Result<Note> Parse(std::string_view note);  // kMalformed
};

// Verifies the log's signature by `verifier`: a line of another (name, id) is ignored, a line of this pair must hold,
// at least one must be there. kBadCheckpoint.
Status VerifyNote(const Note& note, const NoteVerifier& verifier);
// The same where a log has several keys: lines of any of them must hold, and one must be there.
Status VerifyNote(const Note& note, std::span<const NoteVerifier> known);
// text ends in '\n' and is a note's text (Note::Parse), name is a key name: else a bug, and throws.
std::string SignNote(std::string_view text, std::string_view name, const crypto::Ed25519SignKey& key);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root;
  bool operator==(const Checkpoint&) const = default;

  std::string Body() const;
  static Result<Checkpoint> ParseBody(std::string_view text);  // kMalformed; extension lines are tolerated and ignored
};

// A checkpoint that carries the log's own valid signature: the only way to make one is to verify it (or to sign it).
class SignedCheckpoint {
 public:
  // kBadCheckpoint for whatever is wrong: form, origin, signature, or an empty tree with another root than its own.
  static Result<SignedCheckpoint> Verify(std::string_view note, std::string_view origin, const NoteVerifier& log_key);
  // The key's name is the origin: an origin that is no key name, or a size of 2^63 or more, is a bug and throws.
  static SignedCheckpoint Sign(const Checkpoint& checkpoint, const crypto::Ed25519SignKey& log_key);
  const Checkpoint& checkpoint() const { return checkpoint_; }
  std::uint64_t size() const { return checkpoint_.size; }
  const Hash& root() const { return checkpoint_.root; }
  const std::string& note() const { return note_; }  // verbatim, with every signature line it came with

 private:
  SignedCheckpoint(Checkpoint checkpoint, std::string note)
      : checkpoint_(std::move(checkpoint)), note_(std::move(note)) {}
  Checkpoint checkpoint_;
  std::string note_;
};

}  // namespace valija::log
