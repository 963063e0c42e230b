#include "core/log/tlog_proof.h"

#include <charconv>
#include <stdexcept>

#include "core/log/tree.h"

namespace valija::log {
namespace {

constexpr std::string_view kFirst = "c2sp.org/tlog-proof@v1", kExtra = "extra ", kIndex = "index ";

Error Malformed(const char* what) { return Refuse(Reason::kMalformed, what); }

std::optional<std::uint64_t> ParseIndex(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0') ||
      value >= kMaxTreeSize) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

Result<TlogProof> TlogProof::Parse(std::string_view text) {
  // The first empty line parts proof and note. Each part has its own limits, so the whole needs none.
  auto split = text.find("\n\n");
  if (split == std::string_view::npos) return Malformed("a proof has an empty line before its checkpoint");
  TlogProof out;
  out.checkpoint = std::string(text.substr(split + 2));
  TRY(auto note, Note::Parse(out.checkpoint));
  TRY_OK(Checkpoint::ParseBody(note.text));

  auto lines = text.substr(0, split + 1);
  auto next = [&lines] {
    auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    return line;
  };
  if (next() != kFirst) return Malformed("the first line of a proof is c2sp.org/tlog-proof@v1");
  if (lines.starts_with(kExtra)) {
    auto extra = FromBase64(next().substr(kExtra.size()));
    if (!extra || extra->empty() || extra->size() > kMaxExtra) return Malformed("extra data is base64, at most 16 KiB");
    out.extra = *std::move(extra);
  }
  if (!lines.starts_with(kIndex)) return Malformed("a proof has an index line");
  auto index = ParseIndex(next().substr(kIndex.size()));
  if (!index) return Malformed("an index is a decimal number below 2^63 - 1");
  out.index = *index;
  while (!lines.empty()) {
    auto bytes = FromBase64(next());
    auto hash = bytes ? Hash::From(*bytes) : std::nullopt;
    if (!hash) return Malformed("a hash is 32 bytes in base64");
    if (out.path.size() == kMaxPath) return Malformed("a path has at most 63 hashes");
    out.path.push_back(*hash);
  }
  return out;
}

std::string TlogProof::Text() const {
  std::string out(kFirst);
  out += '\n';
  if (extra) out += std::string(kExtra) + ToBase64(*extra) + '\n';
  out += std::string(kIndex) + std::to_string(index) + '\n';
  for (const auto& hash : path) out += ToBase64(hash) + '\n';
  out += '\n' + checkpoint;
  if (auto again = Parse(out); !again) throw std::invalid_argument(again.error().Message());
  return out;
}

namespace {

Result<WitnessPolicy::Witnessed> Leads(const TlogProof& proof, const Hash& leaf_hash,
                                       Result<WitnessPolicy::Witnessed> witnessed) {
  if (!witnessed) return witnessed;
  const auto& checkpoint = witnessed->checkpoint;
  TRY_OK(VerifyInclusion(proof.index, checkpoint.size, leaf_hash, proof.path, checkpoint.root));
  return witnessed;
}

}  // namespace

Result<WitnessPolicy::Witnessed> VerifyTlogProof(const TlogProof& proof, const Hash& leaf_hash,
                                                 const WitnessPolicy& policy, std::span<const NoteVerifier> known) {
  return Leads(proof, leaf_hash, policy.Verify(proof.checkpoint, known));
}

Result<WitnessPolicy::Witnessed> VerifyTlogProof(const TlogProof& proof, const Hash& leaf_hash,
                                                 const WitnessPolicy& policy) {
  return Leads(proof, leaf_hash, policy.Verify(proof.checkpoint));
}

Result<WitnessPolicy::Witnessed> VerifyTlogProof(const TlogProof& proof, const Hash& leaf_hash,
                                                 const PolicyHistory& policies) {
  return Leads(proof, leaf_hash, policies.Verify(proof.checkpoint));
}

}  // namespace valija::log
