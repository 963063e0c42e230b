#include "core/policy/policy.h"

#include <algorithm>

namespace valija::policy {
namespace {

// More names than this in one list is no policy that a person reviews; it also bounds what Evaluate costs.
constexpr std::size_t kMaxList = 256;
constexpr std::size_t kMaxApprovals = 8;
constexpr std::uint32_t kMaxApprovalHours = 720;
// A time that four-digit years can write (RFC 3339), and not the wire's "none".
constexpr Time kLatest = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

struct TlpName {
  Tlp marking;
  std::string_view text;
};
constexpr TlpName kTlpNames[] = {{Tlp::kRed, "TLP:RED"},
                                 {Tlp::kAmberStrict, "TLP:AMBER+STRICT"},
                                 {Tlp::kAmber, "TLP:AMBER"},
                                 {Tlp::kGreen, "TLP:GREEN"},
                                 {Tlp::kClear, "TLP:CLEAR"}};

template <class List, class Item>
bool Holds(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

template <class T>
Status CheckList(std::string_view name, const std::vector<T>& list) {
  if (list.size() > kMaxList) return Refuse(Reason::kBadPolicy, std::string(name) + ": more than 256");
  for (std::size_t i = 1; i < list.size(); ++i)
    if (!(list[i - 1] < list[i])) return Refuse(Reason::kBadPolicy, std::string(name) + ": not ascending, or a double");
  return Ok();
}

Status CheckLabels(std::string_view name, const std::vector<std::string>& labels) {
  TRY_OK(CheckList(name, labels));
  for (const auto& label : labels)
    if (!IsLabel(label)) return Refuse(Reason::kBadPolicy, std::string(name) + ": a name that is not spelled as one");
  return Ok();
}

bool TimeFits(const std::optional<Time>& time) { return !time || (*time > Time{} && *time <= kLatest); }

bool HasAny(const std::vector<std::string>& held, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return Holds(held, one); });
}
bool HasAll(const std::vector<std::string>& held, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) { return Holds(held, one); });
}

// A level that is not on the ladder is met by nobody and meets nothing.
bool ClearanceMeets(const std::vector<std::string>& ladder, const std::string& held, const std::string& wanted) {
  if (wanted.empty()) return true;
  auto have = std::find(ladder.begin(), ladder.end(), held);
  auto want = std::find(ladder.begin(), ladder.end(), wanted);
  return have != ladder.end() && want != ladder.end() && have >= want;
}

// The groups of approvers: each can be met, nobody is in two of them. Break-glass is a way around approvals, so there are
// some.
Status CheckApprovals(const Policy& policy) {
  auto bad = [](std::string why) { return Refuse(Reason::kBadPolicy, std::move(why)); };
  if (policy.approvals.size() > kMaxApprovals) return bad("approvals: more than 8 groups");
  std::vector<MemberId> all;
  for (const Approvals& group : policy.approvals) {
    TRY_OK(CheckList("approvers", group.approvers));
    if (group.needed == 0 || group.needed > group.approvers.size())
      return bad("approvals: not 1 to all of the approvers are needed");
    all.insert(all.end(), group.approvers.begin(), group.approvers.end());
  }
  std::sort(all.begin(), all.end());
  if (std::adjacent_find(all.begin(), all.end()) != all.end()) return bad("approvals: an approver is in two groups");
  if (policy.approvals.empty() && policy.approval_hours != 0) return bad("approval hours without approvals");
  if (!policy.approvals.empty() && (policy.approval_hours == 0 || policy.approval_hours > kMaxApprovalHours))
    return bad("approval hours: 1 to 720");
  if (policy.emergency && policy.approvals.empty())
    return bad("emergency: there are no approvals that it could do without");
  if (policy.onward > Onward::kWithinCountry) return bad("onward: unknown");
  return Ok();
}

bool Blank(std::string_view text) { return text.find_first_not_of(' ') == std::string_view::npos; }

}  // namespace

std::string_view TextOf(Tlp marking) {
  for (const auto& name : kTlpNames)
    if (name.marking == marking) return name.text;
  return {};
}

std::optional<Tlp> TlpFromText(std::string_view text) {
  for (const auto& name : kTlpNames)
    if (name.text == text) return name.marking;
  return std::nullopt;
}

Status Validate(const Policy& policy) {
  auto bad = [](std::string why) { return Refuse(Reason::kBadPolicy, std::move(why)); };
  if (TextOf(policy.marking).empty()) return bad("marking: none of TLP 2.0");
  const Audience& audience = policy.releasable_to;
  TRY_OK(CheckList("countries", audience.countries));
  for (const auto& country : audience.countries)
    if (!IsCountry(country)) return bad("countries: not two lower-case letters");
  TRY_OK(CheckList("agencies", audience.agencies));
  TRY_OK(CheckList("members", audience.members));
  if (policy.marking == Tlp::kRed && !(audience.countries.empty() && audience.agencies.empty()))
    return bad("TLP:RED is for named members only");
  const NeedToKnow& need = policy.need_to_know;
  if (!need.clearance.empty() && !IsLabel(need.clearance)) return bad("clearance: not spelled as a name");
  TRY_OK(CheckLabels("any roles", need.any_roles));
  TRY_OK(CheckLabels("all roles", need.all_roles));
  TRY_OK(CheckLabels("any programmes", need.any_programmes));
  TRY_OK(CheckLabels("all programmes", need.all_programmes));
  if (policy.purposes.empty()) return bad("no purpose");
  TRY_OK(CheckLabels("purposes", policy.purposes));
  if (!TimeFits(policy.not_before) || !TimeFits(policy.expires)) return bad("a time outside 1970..9999");
  if (policy.not_before && policy.expires && *policy.not_before >= *policy.expires)
    return bad("it ends before it begins");
  return CheckApprovals(policy);
}

namespace {
int Strictness(Onward onward) { return onward == Onward::kNever ? 2 : onward == Onward::kAsk ? 1 : 0; }
}  // namespace

bool NoLaxer(const Policy& policy, const Policy& than, const std::vector<std::string>& ladder) {
  const NeedToKnow& need = policy.need_to_know;
  const NeedToKnow& least = than.need_to_know;
  auto any_kept = [](const auto& mine, const auto& theirs) {
    return theirs.empty() || (!mine.empty() && HasAll(theirs, mine));
  };
  auto limit_kept = [](std::uint32_t mine, std::uint32_t theirs) {
    return theirs == 0 || (mine != 0 && mine <= theirs);
  };
  return policy.marking <= than.marking && ClearanceMeets(ladder, need.clearance, least.clearance) &&
         any_kept(need.any_roles, least.any_roles) && HasAll(need.all_roles, least.all_roles) &&
         any_kept(need.any_programmes, least.any_programmes) && HasAll(need.all_programmes, least.all_programmes) &&
         HasAll(than.purposes, policy.purposes) && (policy.case_required || !than.case_required) &&
         (!than.not_before || (policy.not_before && *policy.not_before >= *than.not_before)) &&
         (!than.expires || (policy.expires && *policy.expires <= *than.expires)) &&
         limit_kept(policy.openings_per_agency, than.openings_per_agency) &&
         limit_kept(policy.openings_in_all, than.openings_in_all) &&
         std::all_of(than.approvals.begin(), than.approvals.end(),
                     [&](const Approvals& group) { return Holds(policy.approvals, group); }) &&
         (than.approvals.empty() || policy.approval_hours <= than.approval_hours) &&
         (!policy.emergency || than.emergency) && Strictness(policy.onward) >= Strictness(than.onward) &&
         (!policy.audience_shown || than.audience_shown);
}

bool InAudience(const Audience& audience, const MemberId& member) {
  const std::string_view text = member.str();
  const std::string_view agency = text.substr(0, text.find('/'));
  return Holds(audience.countries, member.country()) || Holds(audience.members, member) ||
         std::any_of(audience.agencies.begin(), audience.agencies.end(),
                     [&](const AgencyId& one) { return one.str() == agency; });
}

std::vector<Reason> Evaluate(const Policy& policy, const Question& question) {
  // Whoever is outside the audience learns nothing else of the policy.
  if (!InAudience(policy.releasable_to, question.member)) return {Reason::kNotReleasable};
  std::vector<Reason> out;
  const NeedToKnow& need = policy.need_to_know;
  const Attributes& held = question.attributes;
  if (!ClearanceMeets(question.clearance_ladder, held.clearance, need.clearance)) out.push_back(Reason::kClearance);
  if (!HasAny(held.roles, need.any_roles) || !HasAll(held.roles, need.all_roles)) out.push_back(Reason::kRoleMissing);
  if (!HasAny(held.programmes, need.any_programmes) || !HasAll(held.programmes, need.all_programmes))
    out.push_back(Reason::kProgrammeMissing);
  if (!Holds(policy.purposes, question.purpose)) out.push_back(Reason::kWrongPurpose);
  if (policy.case_required && Blank(question.case_reference)) out.push_back(Reason::kCaseMissing);
  if (policy.not_before && question.now < *policy.not_before) out.push_back(Reason::kNotYet);
  if (policy.expires && question.now >= *policy.expires) out.push_back(Reason::kExpired);
  if ((policy.openings_per_agency != 0 && question.opened_by_agency >= policy.openings_per_agency) ||
      (policy.openings_in_all != 0 && question.opened_in_all >= policy.openings_in_all))
    out.push_back(Reason::kLimitReached);
  return out;
}

}  // namespace valija::policy
