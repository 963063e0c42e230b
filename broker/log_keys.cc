#include "broker/log_keys.h"

#include <algorithm>
#include <stdexcept>

namespace valija::broker {

const crypto::Ed25519SignKey* LogKeys::Find(std::string_view vkey) const {
  auto wanted = log::NoteVerifier::Parse(vkey);
  if (!wanted) return nullptr;
  for (const auto* key : keys_)
    if (key->verify_key().bytes() == wanted->key.bytes()) return key;
  return nullptr;
}

Result<log::Checkpoint> LogKeys::Read(const std::string& note) const {
  TRY(auto parsed, log::Note::Parse(note));
  TRY(auto body, log::Checkpoint::ParseBody(parsed.text));
  for (const auto* key : keys_) {
    auto verifier = log::NoteVerifier::Make(body.origin, key->verify_key());
    if (verifier && log::SignedCheckpoint::Verify(note, body.origin, *verifier)) return body;
  }
  return Refuse(Reason::kBadCheckpoint);
}

Result<LogSigner> LogSigner::For(const ledger::State& state, const LogKeys& keys) {
  const auto& named = state.log_keys();  // in the order of the log: the last one is in force
  LogSigner out;
  for (auto at = named.rbegin(); at != named.rend(); ++at) {
    const auto* key = keys.Find(at->second);
    if (out.keys_.empty() && key == nullptr)
      return Refuse(Reason::kBadConfiguration, "the log key is not the one that the charter names");
    if (key != nullptr && std::find(out.keys_.begin(), out.keys_.end(), key) == out.keys_.end())
      out.keys_.push_back(key);
  }
  return out;
}

log::SignedCheckpoint LogSigner::Sign(const log::Checkpoint& checkpoint) const {
  auto signed_one = log::SignedCheckpoint::Sign(checkpoint, *keys_.at(0));
  if (keys_.size() == 1) return signed_one;
  std::string note = signed_one.note();
  for (std::size_t i = 1; i < keys_.size(); ++i) {
    const std::string other = log::SignNote(checkpoint.Body(), checkpoint.origin, *keys_[i]);
    note += other.substr(other.rfind('\n', other.size() - 2) + 1);  // its signature line
  }
  auto verifier = log::NoteVerifier::Make(checkpoint.origin, keys_[0]->verify_key());
  if (!verifier) throw std::logic_error(verifier.error().Message());
  auto out = log::SignedCheckpoint::Verify(note, checkpoint.origin, *verifier);
  if (!out) throw std::logic_error(out.error().Message());
  return *std::move(out);
}

}  // namespace valija::broker
