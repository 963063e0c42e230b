#include "core/policy/policy.h"

namespace valija::policy {
namespace {

constexpr std::size_t kKeyColumn = 15;  // where values begin in the canonical form

std::string Join(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

}  // namespace

std::string ToText(const Policy& policy) {
  std::string out;
  auto line = [&](std::string_view key, const std::string& value) {
    if (value.empty()) return;
    out += key;
    out.append(kKeyColumn - key.size(), ' ');
    out += value + "\n";
  };
  std::vector<std::string> audience;
  for (const auto& country : policy.releasable_to.countries) audience.push_back("country " + country);
  for (const auto& agency : policy.releasable_to.agencies) audience.push_back("agency " + agency.str());
  for (const auto& member : policy.releasable_to.members) audience.push_back("member " + member.str());
  auto conditions = [&](std::string_view key, const auto& any, const auto& all) {
    if (!any.empty()) line(key, "any " + Join(any));
    if (!all.empty()) line(key, "all " + Join(all));
  };
  std::vector<std::string> openings;
  if (policy.openings_per_agency != 0) openings.push_back(std::to_string(policy.openings_per_agency) + " per agency");
  if (policy.openings_in_all != 0) openings.push_back(std::to_string(policy.openings_in_all) + " in all");

  line("marking", std::string(TextOf(policy.marking)));
  line("releasable-to", audience.empty() ? "nobody" : Join(audience));
  line("clearance", policy.need_to_know.clearance);
  conditions("roles", policy.need_to_know.any_roles, policy.need_to_know.all_roles);
  conditions("programmes", policy.need_to_know.any_programmes, policy.need_to_know.all_programmes);
  line("purpose", Join(policy.purposes));
  line("case", policy.case_required ? "required" : "optional");
  if (policy.not_before) line("not-before", FormatTime(*policy.not_before));
  if (policy.expires) line("expires", FormatTime(*policy.expires));
  line("openings", Join(openings));
  for (const Approvals& group : policy.approvals) {
    std::vector<std::string> approvers;
    for (const auto& member : group.approvers) approvers.push_back(member.str());
    line("approval", std::to_string(group.needed) + " of " + Join(approvers));
  }
  if (policy.approval_hours != 0) line("approval-hours", std::to_string(policy.approval_hours));
  if (policy.emergency) line("emergency", "allowed");
  if (policy.onward != Onward::kAsk) line("onward", policy.onward == Onward::kNever ? "never" : "within-country");
  if (policy.audience_shown) line("co-recipients", "shown");
  return out;
}

}  // namespace valija::policy
