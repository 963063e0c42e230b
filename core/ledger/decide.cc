// The common rules, and the kinds that need few words.
#include <algorithm>

#include "core/ledger/decide_internal.h"

namespace valija::ledger {
namespace {

// A record's header is made before its body is sealed and uploaded, and a large one takes its time; a late record does
// no harm, as it is taken once.
constexpr Duration kSealingTime = std::chrono::hours(24);

// The author is an active member and signed with its present key for this log; the statement is new; its time fits.
Status CheckCommon(const State& state, const Statement& statement, const Authorship& by, Time now) {
  const Charter& charter = *state.charter();
  if (by.origin != charter.origin) return Refuse(Reason::kForeignOrigin);
  const MemberState* author = state.active_member(by.author);
  if (author == nullptr) return Refuse(Reason::kNotEnrolled);
  if (by.key_id != author->signing_key.id())
    return Refuse(Reason::kBadSignature, "the key is not the present one of " + by.author.str());
  // Before the time: who lost the answer may ask again as late as it likes; for an opening, until the request expires.
  if (state.statement_index(statement.digest)) {
    const auto* open = std::get_if<Open>(&statement.payload);
    if (open != nullptr && HasExpired(state, *open, now)) return Refuse(Reason::kRequestExpired);
    return Refuse(Reason::kExists, "this statement was accepted before");
  }
  const Duration skew = std::chrono::seconds(charter.caps.clock_skew_seconds);
  const Duration late = statement.kind == Kind::kRecord || statement.kind == Kind::kGrant ? kSealingTime : skew;
  if (by.time > now + skew || by.time < now - late) return Refuse(Reason::kBadTime, FormatTime(by.time));
  return Ok();
}

// The record, if this member may know of it.
Result<const RecordState*> FindRecord(const State& state, const Digest& digest, const MemberId& member) {
  const RecordState* record = state.record(digest);
  if (record == nullptr || !state.visible_to(*record, member)) return Refuse(Reason::kNotFound);
  return record;
}

// Any member that may know of the record says that it arrived; what became of it, only where the member's agency has
// opened some of it. As often as wanted, also after a revocation. That it was erased says whoever has opened it, or an
// administrator for all of its agency.
Status CheckAcknowledgement(const State& state, const Acknowledgement& acknowledgement) {
  const MemberId& author = acknowledgement.by.author;
  TRY(const RecordState* record, FindRecord(state, acknowledgement.record, author));
  if (std::find(std::begin(kOutcomes), std::end(kOutcomes), acknowledgement.outcome) == std::end(kOutcomes))
    return Refuse(Reason::kMalformed, "an outcome that is not known");
  if (acknowledgement.outcome == "received") return Ok();
  const AgencyId agency = author.agency();
  const bool opened = std::any_of(record->portions.begin(), record->portions.end(),
                                  [&](const PortionState& portion) { return portion.openings.count(agency) != 0; });
  if (!opened) return Refuse(Reason::kNotReady, "your agency has not opened this record");
  if (acknowledgement.outcome == "erased" && !record->holders.count(author) && !IsAdministrator(state, author, agency))
    return Refuse(Reason::kNotReady, "you have not opened this record");
  return Ok();
}

// An order is ended by its author, or by an administrator of its agency; once.
Status CheckOrderEnd(const State& state, const Revocation& revocation, const OrderState& order) {
  const MemberId& author = revocation.by.author;
  const MemberId& owner = order.order.by.author;
  if (author != owner && !IsAdministrator(state, author, owner.agency())) return Refuse(Reason::kNotFound);
  if (revocation.recall) return Refuse(Reason::kMalformed, "an order is ended, not recalled");
  if (order.ended) return Refuse(Reason::kExists, "it was ended before");
  return Ok();
}

// The originator takes its record back, or an administrator of its agency does (the originator may be gone); of a grant
// also the original's. Once; a recall may follow.
Status CheckRevocation(const State& state, const Revocation& revocation) {
  const MemberId& author = revocation.by.author;
  if (!IsReason(revocation.why)) return Refuse(Reason::kMalformed, "why: 1 to 200 bytes of printable text");
  if (const OrderState* order = state.order(revocation.record)) return CheckOrderEnd(state, revocation, *order);
  TRY(const RecordState* record, FindRecord(state, revocation.record, author));
  auto its = [&](const MemberId& originator) {
    return author == originator || IsAdministrator(state, author, originator.agency());
  };
  if (!its(record->originator) && !its(state.original(*record).originator)) return Refuse(Reason::kNotOriginator);
  if (record->revoked_at && (record->recalled_at || !revocation.recall))
    return Refuse(Reason::kExists, "it was revoked before");
  return Ok();
}

Result<std::vector<Verdict>> Judge(const State& state, const Statement& statement, const Circumstances& at) {
  std::vector<Verdict> accepted(1);  // the statement as a whole, no reason against it
  if (state.charter() == nullptr) {
    const auto* charter = std::get_if<Charter>(&statement.payload);
    if (charter == nullptr) return Refuse(Reason::kNotReady, "the log has no charter");
    TRY_OK(CheckCharter(*charter, at));
    return accepted;
  }
  if (statement.kind == Kind::kCharter) return Refuse(Reason::kExists, "the log has its charter");
  if (const auto by = AuthorshipOf(statement))
    TRY_OK(CheckCommon(state, statement, *by, at.now));
  else if (state.statement(statement.digest) != nullptr)
    return Refuse(Reason::kExists, "this statement was accepted before");
  if (!statement.erased && SaysErased(statement.payload))
    return Refuse(Reason::kMalformed, "a text that says what an erasure leaves");
  const auto& authorities = state.charter()->authorities;
  if (std::none_of(authorities.begin(), authorities.end(), [&](const auto& one) { return one.id == at.authority; }))
    return Refuse(Reason::kNotAuthorised, at.authority.str() + " is no authority of the charter");

  if (const auto* open = std::get_if<Open>(&statement.payload)) return DecideOpen(state, *open, at);
  if (const auto* opening = std::get_if<StandingOpening>(&statement.payload))
    return DecideStandingOpening(state, *opening, at);
  struct Visitor {
    const State& state;
    const Statement& statement;
    const Circumstances& at;
    Status operator()(const Charter&) const { return Refuse(Reason::kExists); }
    Status operator()(const Enrolment& one) const { return CheckEnrolment(state, one); }
    Status operator()(const Epoch& one) const { return CheckEpoch(state, one, at); }
    Status operator()(const Record& one) const { return CheckRecord(state, statement, one, at); }
    Status operator()(const Open&) const { return Refuse(Reason::kInternal); }
    Status operator()(const Acknowledgement& one) const { return CheckAcknowledgement(state, one); }
    Status operator()(const Revocation& one) const { return CheckRevocation(state, one); }
    Status operator()(const CharterAmendment& one) const { return CheckCharterAmendment(state, statement, one, at); }
    Status operator()(const Grant& one) const { return CheckGrant(state, statement, one, at); }
    Status operator()(const Amendment& one) const { return CheckAmendment(state, statement, one, at); }
    Status operator()(const Approval& one) const { return CheckApproval(state, one, at); }
    Status operator()(const Review& one) const { return CheckReview(state, one); }
    Status operator()(const AccessRequest& one) const { return CheckAccessRequest(state, one, at); }
    Status operator()(const Answer& one) const { return CheckAnswer(state, one); }
    Status operator()(const StandingOrder& one) const { return CheckStandingOrder(state, one, at); }
    Status operator()(const StandingOpening&) const { return Refuse(Reason::kInternal); }
    Status operator()(const Purge& one) const { return CheckPurge(state, one, at); }
    Status operator()(const Lookup& one) const { return CheckLookup(state, one, at); }
  };
  TRY_OK(std::visit(Visitor{state, statement, at}, statement.payload));
  return accepted;
}

}  // namespace

Result<Decision> Decide(const State& state, const VerifiedStatement& statement, Time now, const AuthorityId& authority,
                        const Nonce& nonce, bool unwitnessed) {
  const Circumstances at{now, authority};
  TRY(auto verdicts, Judge(state, *statement, at));
  if (unwitnessed) {
    const bool opening = statement->kind == Kind::kOpen || statement->kind == Kind::kStandingOpening;
    if (!opening || state.charter()->degraded_after_seconds == 0)
      return Refuse(Reason::kNoQuorum, "the charter allows nothing without them");
  }
  return Decision{statement->digest, authority, nonce, std::move(verdicts), unwitnessed};
}

}  // namespace valija::ledger
