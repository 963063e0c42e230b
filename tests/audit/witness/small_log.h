// A log that asks a witness, and may lie: every request it could make, right or wrong.
#pragma once

#include <string>
#include <vector>

#include "audit/witness/protocol.h"
#include "tests/core/log/reference.h"
#include "tests/core/log/witnessed.h"

namespace valija::witness::test {

using log::Checkpoint;
using log::test::CosignerNamed;
using log::test::KeyNamed;
using log::test::LogNamed;

inline constexpr const char* kOrigin = "log.example";
inline constexpr const char* kWitness = "witness.example";

class SmallLog {
 public:
  // From the entry `forked_at` on it is another log under the same name and key.
  explicit SmallLog(std::size_t size, std::size_t forked_at = ~std::size_t{0}, std::string origin = kOrigin)
      : origin_(std::move(origin)) {
    for (std::size_t i = 0; i < size; ++i) {
      leaves_.push_back(log::LeafHash(AsBytes((i < forked_at ? "entry " : "other ") + std::to_string(i))));
    }
  }
  Checkpoint At(std::size_t size) const { return {origin_, size, log::test::Mth(View(size))}; }
  std::string Signed(const Checkpoint& checkpoint) const {
    return log::SignedCheckpoint::Sign(checkpoint, KeyNamed(origin_)).note();
  }
  std::vector<Hash> Proof(std::size_t old_size, std::size_t size) const {
    if (old_size == 0 || old_size >= size) return {};
    return log::test::SubProof(old_size, View(size), true);
  }
  static std::string Body(std::uint64_t old_size, const std::vector<Hash>& proof, const std::string& note) {
    auto out = "old " + std::to_string(old_size) + "\n";
    for (const auto& hash : proof) out += ToBase64(hash) + "\n";
    return out + "\n" + note;
  }
  // The request from `old_size` to `size`, as an honest log makes it.
  std::string Ask(std::size_t old_size, std::size_t size) const {
    return Body(old_size, Proof(old_size, size), Signed(At(size)));
  }

 private:
  log::test::HashView View(std::size_t size) const { return log::test::HashView(leaves_).first(size); }
  std::string origin_;
  std::vector<Hash> leaves_;
};

inline Signer SignerNamed(const std::string& name) { return {name, KeyNamed(name)}; }
inline Log LogOf(const std::string& origin) { return {origin, {LogNamed(origin)}, std::nullopt, ""}; }

// Whether these lines cosign this checkpoint, as a log would find out.
inline bool Cosigns(const std::string& lines, const std::string& note, const std::string& name = kWitness) {
  auto parsed = log::Note::Parse(note + lines);
  const auto cosigner = CosignerNamed(name);
  if (!parsed) return false;
  auto found = log::VerifyCosignatures(*parsed, {&cosigner, 1});
  return found && found->size() == 1;
}

}  // namespace valija::witness::test
