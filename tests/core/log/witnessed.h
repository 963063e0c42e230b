// The log and the two witnesses of the published vectors: their keys are made from their names, and Ed25519 signs the
// same alike, so that what we sign can be compared byte for byte. And a small log of our own to have cosigned.
#pragma once

#include <string>
#include <vector>

#include "core/crypto/hash.h"
#include "core/log/cosignature.h"
#include "core/log/tree.h"

namespace valija::log::test {

inline constexpr const char* kPublishedOrigin = "vectors.example/log";
inline constexpr const char* kPublishedLog =
    "vectors.example/log+0c4942bc+ASjbi7XN2hbLcHixbvhDdp+TvnrcJR+nSN/UnSHt40Ni";
inline constexpr const char* kWitness1 = "witness1.example+28f1a55d+BJ+9I4PW6ASWcreNAHFgwQ7GYn0YiPoB24oMqpiZMwiX";
inline constexpr const char* kWitness2 = "witness2.example+8eb9a7fa+BMmWfaDbd7x/R7+oVPIPeFYLfS5N/miCCQVI3Q4d/4Nh";
inline constexpr std::uint64_t kPublishedTime = 1700000000;

inline constexpr std::string_view kPublishedBody =
    "vectors.example/log\n700\nee1KJXfprJOaaw2S5jKiR2qVkOHw9X/3fRBKh9v5dco=\n";
inline constexpr std::string_view kPublishedLogLine =
    "\u2014 vectors.example/log "
    "DElCvN1LbxCNbl5QHBiWUy0wWg4ZFCDOnC/pCt7lv7ynXhq9SVPMXchGaL2zuo1QeNWTpecasjSog3TRqeAI5ZjiFg8=\n";
inline constexpr std::string_view kPublishedLine1 =
    "\u2014 witness1.example "
    "KPGlXQAAAABlU/EAEt4ftKYGVc8kVrOjLqYyqFzwNUvONYVS1hpWya7x+zWPlVgnlzk5+S1ANljMByGP1l5Y0UAdQEbyLA7dTcivAg==\n";
inline constexpr std::string_view kPublishedLine2 =
    "\u2014 witness2.example "
    "jrmn+gAAAABlU/EAfrnNik8/vVTI3v82rTkCbzHZWKHu60zs4+kmabgCgSDmjSjn1Ft/9ZkDvTgGLjRFlRX2gTXC04tYCV9vb1TRAQ==\n";

inline std::string PublishedNote() {
  return std::string(kPublishedBody) + "\n" + std::string(kPublishedLogLine) + std::string(kPublishedLine1) +
         std::string(kPublishedLine2);
}

inline crypto::Ed25519SignKey PublishedKey(const std::string& name) {
  return *crypto::Ed25519SignKey::FromSeed(crypto::Sha256(AsBytes("tlogcheck selftest key " + name)));
}

inline crypto::Ed25519SignKey KeyNamed(const std::string& name) {
  return *crypto::Ed25519SignKey::FromSeed(crypto::Sha256(AsBytes("test key " + name)));
}
inline Cosigner CosignerNamed(const std::string& name) { return *Cosigner::Make(name, KeyNamed(name).verify_key()); }
inline NoteVerifier LogNamed(const std::string& name) { return *NoteVerifier::Make(name, KeyNamed(name).verify_key()); }

// A checkpoint of a log named `origin`, signed by it, with lines of these witnesses (keys by KeyNamed).
inline std::string CosignedNote(const Checkpoint& checkpoint, const std::vector<std::string>& witnesses,
                                std::uint64_t time = kPublishedTime) {
  auto note = SignedCheckpoint::Sign(checkpoint, KeyNamed(checkpoint.origin)).note();
  for (const auto& name : witnesses) note += Cosign(checkpoint.Body(), name, KeyNamed(name), time);
  return note;
}

inline Reason ReasonOf(const auto& result) { return result ? Reason::kInternal : result.error().reason; }
inline std::string DetailOf(const auto& result) { return result ? std::string() : result.error().detail; }

}  // namespace valija::log::test
