#include "tests/bench/steps.h"

#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/crypto/random.h"
#include "core/log/cosignature.h"
#include "core/record/batch.h"
#include "core/record/body.h"
#include "core/record/release.h"
#include "tests/bench/latency.h"

namespace valija::bench {
namespace {

void Demand(bool held) {
  if (!held) throw std::runtime_error("a step of the cryptography does not hold");
}

}  // namespace

CryptoSteps MeasureCrypto(double seconds) {
  crypto::SystemRandom random;
  const auto log_key = crypto::Ed25519SignKey::Generate(random);
  const std::string origin = "pouch.example/2026";
  const auto log_verifier = log::NoteVerifier::Make(origin, log_key.verify_key()).value();
  const log::Checkpoint checkpoint{origin, 12345, crypto::Sha256(AsBytes("root"))};
  const auto signed_note = log::SignedCheckpoint::Sign(checkpoint, log_key);
  const auto body = checkpoint.Body();
  std::vector<crypto::Ed25519SignKey> witness_keys;
  std::vector<log::Cosigner> cosigners;
  std::string note = signed_note.note();
  for (const std::string name : {"one.example/1", "two.example/1"}) {
    witness_keys.push_back(crypto::Ed25519SignKey::Generate(random));
    cosigners.push_back(log::Cosigner::Make(name, witness_keys.back().verify_key()).value());
    note += log::Cosign(body, name, witness_keys.back(), 1);
  }

  const auto author = crypto::SignKey::Generate(random);
  const Hash leaf = crypto::Sha256(AsBytes("statement"));
  const auto batch = record::SignBatch(author, {leaf});
  const auto reply_key = crypto::KemPrivateKey::Generate(random);
  const record::ReleaseBinding binding{Digest{}, Digest{}, *AuthorityId::Parse("broker-1"), *AgencyId::Parse("us.dea"),
                                       author.id()};
  std::vector<crypto::Secret> shares;
  shares.push_back(random.MakeSecret(32));
  const auto release = record::SealRelease(binding, reply_key.public_key(), shares, random);
  const auto cek = random.MakeSecret(32);
  const Hash ctx = crypto::Sha256(AsBytes("ctx"));
  const auto sealed =
      record::SealBody(cek, ctx, 0, random.Make<crypto::CobblestoneSalt>(), Bytes(1024, std::uint8_t{'x'}));

  CryptoSteps out;
  out.client = Times(seconds, [&] {
    (void)crypto::KemPrivateKey::Generate(random);
    (void)record::SignBatch(author, {leaf});
    const auto shown = log::SignedCheckpoint::Verify(note, origin, log_verifier);
    Demand(shown && log::VerifyCosignatures(log::Note::Parse(note).value(), cosigners).value().size() == 2);
    Demand(record::OpenRelease(binding, reply_key, release.enc, release.ciphertext, 1).has_value());
    Demand(record::OpenBody(cek, ctx, 0, sealed.bytes, sealed.summary.length, sealed.summary.root).has_value());
  });
  out.broker = Times(seconds, [&] {
    Demand(record::VerifiedBatch::Verify(author.verify_key(), batch.payload, batch.signature).has_value());
    (void)log::SignedCheckpoint::Sign(checkpoint, log_key);
    Demand(log::VerifyCosignatures(log::Note::Parse(note).value(), std::span(cosigners).first(1)).has_value());
    (void)record::SealRelease(binding, reply_key.public_key(), shares, random);
  });
  out.witness = Times(seconds, [&] {
    Demand(log::VerifyNote(log::Note::Parse(signed_note.note()).value(), log_verifier).has_value());
    (void)log::Cosign(body, cosigners[0].name, witness_keys[0], 1);
  });
  return out;
}

}  // namespace valija::bench
