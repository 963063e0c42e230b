// Openings: a request that is well-formed and authentic is always an entry, whatever the verdicts.
#include <algorithm>
#include <set>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

constexpr std::size_t kMaxItems = 256, kLongestCase = 200;

// The request as such. What is wrong here is no entry: it names no record's fate.
Status CheckRequest(const State& state, const Open& open, Time now) {
  if (open.agency != open.by.author.agency()) return Refuse(Reason::kNotAuthorised, "opened for another agency");
  if (open.items.empty() || open.items.size() > kMaxItems) return Refuse(Reason::kMalformed, "1 to 256 items");
  std::set<std::pair<Digest, std::uint32_t>> pairs;
  for (const OpenItem& item : open.items)
    if (!pairs.emplace(item.record, item.portion).second)
      return Refuse(Reason::kMalformed, "a portion is asked for twice");
  if (!IsLabel(open.purpose)) return Refuse(Reason::kMalformed, "the purpose is not spelled as a name");
  if (!open.case_reference.empty() && !IsPrintable(open.case_reference, kLongestCase))
    return Refuse(Reason::kMalformed, "case reference: up to 200 bytes of printable text");

  // Replays: remembered until the request expires, refused for their age from then on.
  if (HasExpired(state, open, now)) return Refuse(Reason::kRequestExpired);
  const Duration lifetime = std::chrono::seconds(state.charter()->caps.request_lifetime_seconds);
  if (open.expires - open.by.time > lifetime) return Refuse(Reason::kBadTime, "the request is good for too long");
  if (state.request_used(open.by.author, open.by.nonce)) return Refuse(Reason::kReplayed);

  TRY(auto reply_key, crypto::KemPublicKey::FromPoint(open.reply_key));
  if (state.key_in_use(reply_key.id())) return Refuse(Reason::kBadKey, "the reply key is not a fresh one");
  // The author has seen more of the log than there is: this is not the log it has seen.
  if (open.checkpoint_size > state.size()) return Refuse(Reason::kRolledBack, "the client has verified a larger log");
  return Ok();
}

// An originator's agency is shown the requests for its records, whole: one that names records of others too would tell it
// of them. What the author may not know of has no originator here, so nothing is learnt from this answer.
Status CheckOriginators(const State& state, const Open& open) {
  std::optional<AgencyId> originator;
  for (const OpenItem& item : open.items) {
    const RecordState* record = state.record(item.record);
    if (record == nullptr || !state.visible_to(*record, open.by.author)) continue;
    if (originator && *originator != record->originator.agency())
      return Refuse(Reason::kMalformed, "records of several originators' agencies in one request; make one for each");
    originator = record->originator.agency();
  }
  return Ok();
}

// The recipients of a portion are those who get a key half. One request, one portion at a time.
Verdict JudgeItem(const State& state, const Open& open, const OpenItem& item, const Circumstances& at) {
  Verdict out;
  out.record = item.record;
  out.portion = item.portion;
  // One answer for what is not there, what this member may not know of, and what another authority decides.
  const RecordState* record = state.record(item.record);
  if (record == nullptr || record->authority != at.authority || item.portion >= record->portions.size() ||
      !state.visible_to(*record, open.by.author)) {
    out.reasons = {Reason::kNotFound};
    return out;
  }
  if (record->revoked_at) {
    out.reasons = {Reason::kRevoked};
    return out;
  }
  const PortionState& portion = record->portions[item.portion];
  out.policy_digest = portion.policy_digest;
  out.policy_sequence = portion.policy_sequence;

  const auto opened = portion.openings.find(open.agency);
  const MemberState& member = *state.active_member(open.by.author);
  out.reasons = policy::Evaluate(
      *portion.policy,
      {open.by.author, member.record.attributes, state.charter()->clearances, open.purpose, open.case_reference, at.now,
       opened == portion.openings.end() ? 0 : opened->second, portion.openings_in_all});
  const auto recipient = std::find_if(portion.recipients.begin(), portion.recipients.end(),
                                      [&](const auto& one) { return one.first == open.agency; });
  if (recipient == portion.recipients.end()) {
    // In the audience, but the agency had no epoch when the record was sealed: it holds no half.
    out.reasons = {Reason::kNotReleasable};
  } else if (recipient->second != item.epoch_key_id && out.reasons != std::vector{Reason::kNotReleasable}) {
    // The client would derive its half with another key than the one sealed to; the release would be counted and useless.
    out.reasons.push_back(Reason::kBadKey);
  }
  if (out.allowed()) out.obligation = policy::TextOf(portion.policy->marking);
  return out;
}

}  // namespace

bool HasExpired(const State& state, const Open& open, Time now) {
  return open.expires <= std::max(now, state.latest());
}

Status CheckReleaseAgain(const State& state, const Open& open, const Decision& decision, Time now) {
  if (decision.verdicts.size() != open.items.size())
    return Refuse(Reason::kInternal, "the decision of another request");
  if (HasExpired(state, open, now)) return Refuse(Reason::kRequestExpired);
  const MemberState* author = state.active_member(open.by.author);
  if (author == nullptr || author->signing_key.id() != open.by.key_id) return Refuse(Reason::kNotEnrolled);
  const Circumstances at{std::max(now, state.latest()), decision.authority};
  for (std::size_t i = 0; i < open.items.size(); ++i) {
    if (!decision.verdicts[i].allowed()) continue;
    for (const Reason reason : JudgeItem(state, open, open.items[i], at).reasons)
      if (reason != Reason::kLimitReached) return Refuse(reason);  // the limit was counted when it was decided
  }
  return Ok();
}

Result<std::vector<Verdict>> DecideOpen(const State& state, const Open& open, const Circumstances& at) {
  TRY_OK(CheckRequest(state, open, at.now));
  TRY_OK(CheckOriginators(state, open));
  std::vector<Verdict> out;
  out.reserve(open.items.size());
  for (const OpenItem& item : open.items) out.push_back(JudgeItem(state, open, item, at));
  return out;
}

}  // namespace valija::ledger
