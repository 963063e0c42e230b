// The parts of Decide, one file for each subject. Each takes what the common rules (decide.cc) have passed already:
// the charter is there, the origin is right, the author is an active member and signed with its present key, the time
// fits, and the statement is new.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "core/ledger/state.h"

namespace valija::ledger {

struct Circumstances {
  Time now;
  const AuthorityId& authority;
};

// decide_charter.cc
Status CheckCharter(const Charter& charter, const Circumstances& at);
Status CheckCharterAmendment(const State& state, const Statement& statement, const CharterAmendment& amendment,
                             const Circumstances& at);
// decide_directory.cc
Status CheckEnrolment(const State& state, const Enrolment& enrolment);
Status CheckEpoch(const State& state, const Epoch& epoch, const Circumstances& at);
// The three keys of a member: valid, no two alike. The attributes: labels, the clearance a level of the ladder (or none).
struct KeyIds {
  KeyId auth, signing, kem;
};
Result<KeyIds> CheckMemberKeys(const MemberKeys& keys);
Status CheckAttributes(const MemberRecord& member, const std::vector<std::string>& ladder);
bool IsAdministrator(const State& state, const MemberId& author, const AgencyId& agency);
// decide_record.cc
Status CheckRecord(const State& state, const Statement& statement, const Record& record, const Circumstances& at);
// What records and grants have in common: authorities, caps, attachments, policies, recipients. `first`: the originator of
// the record, or of a grant's original.
Status CheckSealed(const State& state, const record::Header& header, const record::Attachments& attachments,
                   const std::vector<policy::Policy>& policies, const MemberId& first, const Circumstances& at);
// The policy's form, the charter's caps and names. `made`: what the window is counted from; `originators`: the agencies of
// the originator's side.
Status CheckPolicy(const State& state, const policy::Policy& policy, ByteView policy_bytes, Time made,
                   const std::set<AgencyId>& originators);
bool Reaches(const policy::Audience& audience, const AgencyId& agency);
bool TakesRecords(const EpochState& epoch, const CharterCaps& caps, Time now);  // of an agency: sealed to it now
// Is what this member makes of these sources marked strictly enough?
Status CheckDerived(const State& state, const MemberId& author, const std::vector<Digest>& sources,
                    const policy::Policy& policy);
// decide_grant.cc
Status CheckGrant(const State& state, const Statement& statement, const Grant& grant, const Circumstances& at);
Status CheckAmendment(const State& state, const Statement& statement, const Amendment& amendment,
                      const Circumstances& at);
// decide_open.cc: an Error for a request that is no entry, else one verdict for each item.
Result<std::vector<Verdict>> DecideOpen(const State& state, const Open& open, const Circumstances& at);
// Everything that stands against this member's opening of the portion now, but approvals. The record is visible to it.
std::vector<Reason> JudgePortion(const State& state, const PortionState& portion, const MemberId& member,
                                 std::string_view purpose, std::string_view case_reference, Time now);
// The same of a portion of this record: what a recipient passed on is also under the original's policy.
std::vector<Reason> JudgePortionOf(const State& state, const RecordState& record, const PortionState& portion,
                                   const MemberId& member, std::string_view purpose, std::string_view case_reference,
                                   Time now);
// By the broker's clock or by the log's time: requests are remembered by the latter, and a clock that went back behind it
// revives nothing.
bool HasExpired(const State& state, const Open& open, Time now);
// decide_request.cc
Status CheckApproval(const State& state, const Approval& approval, const Circumstances& at);
Status CheckReview(const State& state, const Review& review);
Status CheckAccessRequest(const State& state, const AccessRequest& request, const Circumstances& at);
Status CheckAnswer(const State& state, const Answer& answer);
Status CheckLookup(const State& state, const Lookup& lookup, const Circumstances& at);
// decide_order.cc
Status CheckStandingOrder(const State& state, const StandingOrder& order, const Circumstances& at);
Result<std::vector<Verdict>> DecideStandingOpening(const State& state, const StandingOpening& opening,
                                                   const Circumstances& at);
// decide_purge.cc
Status CheckPurge(const State& state, const Purge& purge, const Circumstances& at);
// Does it say, somewhere where people say something, what an erasure leaves?
bool SaysErased(const Payload& payload);
// decide_text.cc: valid UTF-8 of 1..longest bytes without control characters and without marks that turn the direction
// of reading round.
bool IsPrintable(std::string_view text, std::size_t longest);
// Why somebody does something: such a text, and it says something.
inline constexpr std::size_t kLongestText = 200;
bool IsReason(std::string_view text);

}  // namespace valija::ledger
