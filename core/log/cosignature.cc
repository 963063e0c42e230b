#include "core/log/cosignature.h"

#include <algorithm>
#include <stdexcept>

namespace valija::log {
namespace {

constexpr std::size_t kTimeSize = 8;

std::string SignedMessage(std::string_view body, std::uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + '\n' + std::string(body);
}

}  // namespace

std::string Cosign(std::string_view body, std::string_view name, const crypto::Ed25519SignKey& key,
                   std::uint64_t time) {
  if (!Checkpoint::ParseBody(body)) throw std::invalid_argument("only checkpoints are cosigned");
  if (time == 0 || time > kMaxCosignatureTime) throw std::invalid_argument("not a time to cosign at");
  auto cosigner = Cosigner::Make(name, key.verify_key());
  if (!cosigner) throw std::invalid_argument(cosigner.error().Message());
  Bytes content;
  AppendU64(content, time);
  Append(content, key.Sign(AsBytes(SignedMessage(body, time))));
  return NoteSignature{cosigner->name, cosigner->key_id, std::move(content)}.Line();
}

Result<Cosigned> VerifyCosignatures(const Note& note, std::span<const Cosigner> known) {
  if (!Checkpoint::ParseBody(note.text)) return Refuse(Reason::kBadCheckpoint, "what is cosigned is no checkpoint");
  Cosigned out;
  for (const auto& line : note.signatures) {
    for (const auto& cosigner : known) {
      if (line.name != cosigner.name || line.key_id != cosigner.key_id) continue;
      ByteView content = line.signature;
      std::uint64_t time = content.size() == kTimeSize + crypto::Ed25519Signature::kSize ? ReadU64(content.data()) : 0;
      if (time == 0 || time > kMaxCosignatureTime ||
          !cosigner.key.Verify(AsBytes(SignedMessage(note.text, time)), content.subspan(kTimeSize))) {
        return Refuse(Reason::kBadCheckpoint, "a cosignature of " + cosigner.name + " does not hold");
      }
      auto& latest = out[cosigner.key.bytes()];
      latest = std::max(latest, time);
    }
  }
  return out;
}

}  // namespace valija::log
