#include "audit/witnessed.h"

#include <algorithm>

#include "audit/evidence/receipt.h"
#include "core/log/quorum.h"

namespace valija::audit {
void WitnessTerms::Note(const ledger::State& state, std::uint64_t size) {
  if (state.charter() == nullptr || (!terms_.empty() && state.charter_statement() == charter_)) return;
  charter_ = state.charter_statement();
  const auto& charter = *state.charter();
  const auto* policy = state.witness_policy();
  terms_.push_back({size, policy == nullptr ? std::nullopt : std::optional(*policy),
                    std::chrono::seconds(charter.max_checkpoint_age_seconds),
                    std::chrono::seconds(charter.caps.clock_skew_seconds), charter.degraded_after_seconds != 0});
}

const WitnessTerms::Term* WitnessTerms::At(std::uint64_t size) const {
  const Term* then = nullptr;
  for (const auto& term : terms_)
    if (term.from <= size) then = &term;
  return then;
}

// The size from which on every charter has asked for some.
std::uint64_t WitnessTerms::AskedSince() const {
  std::uint64_t out = 0;
  for (auto at = terms_.rbegin(); at != terms_.rend() && at->policy; ++at) out = at->from;
  return out;
}

std::optional<Witnessed> WitnessTerms::Judge(const Export& shown, const Find& find) const {
  const Term* in_force = At(shown.size);
  if (in_force == nullptr || !in_force->policy) return std::nullopt;
  Witnessed out;
  if (!shown.note.empty()) JudgeNote(shown, find, out);
  for (const auto& witness : in_force->policy->witnesses())
    if (!out.by.contains(witness.name)) out.missing.push_back(witness.name);
  const std::uint64_t covered = std::max(out.since ? out.size : 0, AskedSince());
  if (in_force->may_go_without || covered >= shown.size) return out;
  const auto first = shown.time_of(covered);
  if (first && shown.last_time > *first + in_force->max_age + in_force->skew)
    find("unwitnessed", "from entry " + std::to_string(covered) + " on, made at " + FormatTime(*first) +
                            ", no quorum of the charter's witnesses has cosigned the log");
  return out;
}

void WitnessTerms::JudgeNote(const Export& shown, const Find& find, Witnessed& out) const {
  const auto note = log::Note::Parse(shown.note);
  const auto body = note ? log::Checkpoint::ParseBody(note->text) : note.error();
  const auto checkpoint = body ? shown.verify(shown.note, body->size) : body.error();
  if (!checkpoint) return find("bad-witnessed", checkpoint.error().Message());
  const auto root = shown.root_at(checkpoint->size());
  if (!root) return find("bad-witnessed", root.error().Message());
  if (*root != checkpoint->root())
    return find("fork",
                "the tree of " + std::to_string(checkpoint->size()) + " entries that was cosigned is another one");
  const Term* then = At(checkpoint->size());
  if (then == nullptr || !then->policy) return;  // of a time when nobody was asked
  const auto who = then->policy->WhoCosigned(*note);
  if (!who) return find("bad-cosignature", who.error().Message());
  out.size = checkpoint->size();
  log::WitnessPolicy::Names names;
  for (const auto& [name, time] : *who) {
    out.by.emplace(name, evidence::CosignedAt(time));
    names.insert(name);
  }
  if (const auto since = log::QuorumSince(*then->policy, *who))
    out.since = evidence::CosignedAt(*since);
  else
    find("too-few-cosigned", "missing " + log::WitnessPolicy::Say(then->policy->MissingFrom(names)));
  JudgeTimes(shown, *then, find, out);
}

// Nobody can have seen a tree before its last entry was made.
void WitnessTerms::JudgeTimes(const Export& shown, const Term& then, const Find& find, const Witnessed& out) const {
  const auto made = out.size > 0 ? shown.time_of(out.size - 1) : std::nullopt;
  for (const auto& [name, time] : out.by) {
    if (time > shown.now + then.skew)
      find("bad-cosignature", name + " cosigned at " + FormatTime(time) + ", which is to come");
    else if (made && time + then.skew < *made)
      find("back-dated", name + " cosigned at " + FormatTime(time) + ", before the last entry under it was made");
  }
}

}  // namespace valija::audit
