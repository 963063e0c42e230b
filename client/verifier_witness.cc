// What the witnesses of the charter vouched for, how lately, and what this profile relied on beyond it.
#include <algorithm>

#include "audit/evidence/receipt.h"
#include "client/verifier.h"
#include "core/crypto/hash.h"
#include "core/log/quorum.h"
#include "core/log/tree.h"

namespace valija::client {
namespace {

constexpr std::size_t kMostBeyond = 32;

Duration SkewOf(const ledger::Charter& charter) { return std::chrono::seconds(charter.caps.clock_skew_seconds); }

// So long a size may be relied on, and a cosignature be old.
Duration MostOf(const ledger::Charter& charter) {
  return std::chrono::seconds(charter.max_checkpoint_age_seconds) + SkewOf(charter);
}

}  // namespace

// A cosignature of a known witness must hold, and what was cosigned must be of the log that is shown. That too few cosigned is
// no fault yet: it is asked for where it matters, when the directory says who the witnesses are.
Status Verifier::TakeWitnessed(const View& view, const log::SignedCheckpoint& shown, const log::NoteVerifier& log_key) {
  std::string_view text = view.checkpoint;
  log::Checkpoint cosigned = shown.checkpoint();
  if (!view.witnessed.empty()) {
    text = view.witnessed;
    TRY(auto one, log::SignedCheckpoint::Verify(text, cosigned.origin, log_key));
    if (one.size() > shown.size()) return Refuse(Reason::kBadProof, "more is cosigned than is shown");
    auto grown = log::VerifyConsistency(one.size(), one.root(), shown.size(), shown.root(), view.growth);
    if (!grown) {
      return profile_.RecordFork(
          one.note(), shown.note(), grown.error().Message(),
          Refuse(Reason::kFork, "the log that is shown does not contain what its witnesses cosigned"));
    }
    cosigned = one.checkpoint();
  }
  cosigned_ = {std::string(text), cosigned.size};
  return JudgeCosigned();
}

// Again whenever the directory may have named other witnesses: whoever knows no charter yet is shown the note first.
Status Verifier::JudgeCosigned() {
  const auto* policy = state_.witness_policy();
  shown_covered_ = 0;
  to_come_.reset();
  who_.clear();
  if (policy == nullptr || !cosigned_) return Ok();
  TRY(const auto note, log::Note::Parse(cosigned_->first));
  TRY(who_, policy->WhoCosigned(note));
  const auto since = log::QuorumSince(*policy, who_);
  if (!since) return Ok();
  TRY_OK(Vouch(cosigned_->second, evidence::CosignedAt(*since)));
  if (!to_come_) witnessed_note_ = cosigned_->first;
  return Ok();
}

Status Verifier::Vouch(std::uint64_t size, Time since) {
  const Duration skew = SkewOf(*state_.charter());
  if (since > now_() + skew) {  // kept nowhere: our own clock may be wrong
    to_come_ = since;
    return Ok();
  }
  auto known = Remembered();
  // An answer that was on its way may show less. That they went back, nobody may say.
  if (size < known.size && since > known.since + skew)
    return Refuse(Reason::kRolledBack, "its witnesses vouched for " + std::to_string(size) + " entries, and for " +
                                           std::to_string(known.size) + " before");
  shown_covered_ = size;
  if (size < known.size) return Ok();
  known.since = std::max(known.since, since);
  known.size = size;
  return profile_.SetVouched(std::move(known));
}

Vouched Verifier::Remembered() const {
  auto known = profile_.vouched();
  const auto witnesses = crypto::Sha256(AsBytes(state_.charter()->witness_policy));
  if (known.witnesses == witnesses) return known;
  return {witnesses, 0, {}, std::move(known.beyond)};  // what was relied on is so, whoever vouches
}

// Each size that is relied on before a quorum has come to it, with the time: several within an eighth of what the charter
// allows count as one, from the first one's time on.
void Verifier::Rely() {
  if (state_.witness_policy() == nullptr || !profile_.pin()) return;
  auto known = Remembered();
  const Time now = now_();
  std::erase_if(known.beyond, [&](const auto& one) { return one.first <= known.size; });
  for (auto& [size, since] : known.beyond) since = std::min(since, now);  // the clock was put back
  const std::uint64_t size = verified_size();
  auto& beyond = known.beyond;
  if (size > known.size && (beyond.empty() || size > beyond.back().first)) {
    const bool together =
        !beyond.empty() && (now - beyond.back().second < MostOf(*state_.charter()) / 8 || beyond.size() >= kMostBeyond);
    if (together)
      beyond.back().first = size;
    else
      beyond.emplace_back(size, now);
  }
  (void)profile_.SetVouched(std::move(known));
}

Verifier::Witnessing Verifier::witnessing() const {
  const auto* policy = state_.witness_policy();
  if (policy == nullptr) return {};
  const auto known = Remembered();
  Witnessing out{true, known.size, known.since, std::nullopt};
  const Duration most = MostOf(*state_.charter());
  const Time now = now_();
  if (known.size == 0) {
    log::WitnessPolicy::Names names;
    for (const auto& [name, time] : who_) names.insert(name);
    out.behind = Refuse(Reason::kNoQuorum, "the broker shows nothing that enough of them cosigned; missing: " +
                                               log::WitnessPolicy::Say(policy->MissingFrom(names)));
    return out;
  }
  if (now - known.since > most) {
    log::WitnessPolicy::Names names;
    for (const auto& [name, time] : who_)
      if (now - evidence::CosignedAt(time) <= most) names.insert(name);
    out.behind = Refuse(Reason::kStale, "last at " + FormatTime(known.since) +
                                            "; missing: " + log::WitnessPolicy::Say(policy->MissingFrom(names)));
    return out;
  }
  for (const auto& [size, since] : known.beyond)
    if (size > known.size && now - since > most)
      out.behind = Refuse(Reason::kStale, std::to_string(known.size) + " entries, and " + std::to_string(size) +
                                              " were shown at " + FormatTime(since));
  return out;
}

Status Verifier::CheckFresh() const {
  const auto* charter = state_.charter();
  if (charter == nullptr || state_.witness_policy() == nullptr || charter->degraded_after_seconds != 0) return Ok();
  if (to_come_) return Refuse(Reason::kBadCheckpoint, "cosigned at " + FormatTime(*to_come_) + ", which is to come");
  if (auto behind = witnessing().behind) return *std::move(behind);
  return Ok();
}

Status Verifier::CheckCovered(std::uint64_t index, const ledger::Decision& decision) const {
  if (decision.unwitnessed) {
    if (CharterAt(index).degraded_after_seconds != 0) return Ok();
    return Refuse(Reason::kBadProof, "entry " + std::to_string(index) + " goes without the witnesses' quorum");
  }
  if (state_.witness_policy() == nullptr || Remembered().size > index) return Ok();
  return Refuse(Reason::kNoQuorum, "entry " + std::to_string(index));
}

bool Verifier::ShownCovered(std::uint64_t index) const {
  return state_.witness_policy() == nullptr || shown_covered_ > index;
}

}  // namespace valija::client
