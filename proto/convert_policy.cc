// Policy bytes: 32 random || message. The random bytes keep a policy whose digest is shown from being guessed.
#include "core/crypto/hash.h"
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

template <class Id>
Result<std::vector<Id>> IdsOf(const Strings& values, Result<Id> (*read)(const std::string&, std::string_view),
                              std::string_view field) {
  std::vector<Id> out;
  out.reserve(static_cast<std::size_t>(values.size()));
  for (const auto& value : values) {
    TRY(auto id, read(value, field));
    out.push_back(std::move(id));
  }
  return out;
}

std::vector<std::string> Plain(const Strings& values) { return {values.begin(), values.end()}; }

Result<policy::Audience> FromMessage(const v1::Policy::Audience& message) {
  TRY_OK(Known(message));
  policy::Audience out;
  out.countries = Plain(message.countries());
  TRY(out.agencies, IdsOf<AgencyId>(message.agencies(), AgencyOf, "Audience.agencies"));
  TRY(out.members, IdsOf<MemberId>(message.members(), MemberOf, "Audience.members"));
  return out;
}

Result<policy::NeedToKnow> FromMessage(const v1::Policy::NeedToKnow& message) {
  TRY_OK(Known(message));
  return policy::NeedToKnow{message.clearance(), Plain(message.any_roles()), Plain(message.all_roles()),
                            Plain(message.any_programmes()), Plain(message.all_programmes())};
}

Result<policy::Approvals> FromMessage(const v1::Policy::Approvals& message) {
  TRY_OK(Known(message));
  TRY(auto approvers, IdsOf<MemberId>(message.approvers(), MemberOf, "Approvals.approvers"));
  return policy::Approvals{message.needed(), std::move(approvers)};
}

// Spelling and order of the lists, and how many approvals there may be, are policy::Validate's.
Result<policy::Policy> FromMessage(const v1::Policy& message) {
  TRY_OK(Known(message));
  policy::Policy out;
  if (message.marking() < 1 || message.marking() > 5) return Malformed("Policy.marking", "absent or unknown");
  out.marking = static_cast<policy::Tlp>(message.marking());
  if (!message.has_releasable_to()) return Malformed("Policy.releasable_to", "absent");
  TRY(out.releasable_to, FromMessage(message.releasable_to()));
  if (!message.has_need_to_know()) return Malformed("Policy.need_to_know", "absent");
  TRY(out.need_to_know, FromMessage(message.need_to_know()));
  out.purposes = Plain(message.purposes());
  out.case_required = !message.case_not_required();
  TRY(out.not_before, TimeOrAbsent(message.not_before_ms(), "Policy.not_before_ms"));
  TRY(out.expires, TimeOrAbsent(message.expires_ms(), "Policy.expires_ms"));
  out.openings_per_agency = message.openings_per_agency();
  out.openings_in_all = message.openings_in_all();
  for (const auto& group : message.approvals()) {
    TRY(auto value, FromMessage(group));
    out.approvals.push_back(std::move(value));
  }
  out.approval_hours = message.approval_hours();
  out.emergency = message.emergency();
  if (message.onward() > 2) return Malformed("Policy.onward", "unknown");
  out.onward = static_cast<policy::Onward>(message.onward());
  out.audience_shown = message.audience_shown();
  TRY_OK(policy::Validate(out));
  return out;
}

}  // namespace

Bytes EncodePolicy(const Salt& random, const policy::Policy& policy) {
  v1::Policy message;
  message.set_marking(static_cast<std::uint32_t>(policy.marking));
  auto* audience = message.mutable_releasable_to();
  SetAll(policy.releasable_to.countries, audience->mutable_countries());
  for (const auto& agency : policy.releasable_to.agencies) audience->add_agencies(agency.str());
  for (const auto& member : policy.releasable_to.members) audience->add_members(member.str());
  auto* need = message.mutable_need_to_know();
  need->set_clearance(policy.need_to_know.clearance);
  SetAll(policy.need_to_know.any_roles, need->mutable_any_roles());
  SetAll(policy.need_to_know.all_roles, need->mutable_all_roles());
  SetAll(policy.need_to_know.any_programmes, need->mutable_any_programmes());
  SetAll(policy.need_to_know.all_programmes, need->mutable_all_programmes());
  SetAll(policy.purposes, message.mutable_purposes());
  message.set_case_not_required(!policy.case_required);
  if (policy.not_before) message.set_not_before_ms(ToMillis(*policy.not_before));
  if (policy.expires) message.set_expires_ms(ToMillis(*policy.expires));
  message.set_openings_per_agency(policy.openings_per_agency);
  message.set_openings_in_all(policy.openings_in_all);
  for (const auto& group : policy.approvals) {
    auto* to = message.add_approvals();
    to->set_needed(group.needed);
    for (const auto& approver : group.approvers) to->add_approvers(approver.str());
  }
  message.set_approval_hours(policy.approval_hours);
  message.set_emergency(policy.emergency);
  message.set_onward(static_cast<std::uint32_t>(policy.onward));
  message.set_audience_shown(policy.audience_shown);
  return Concat({random, Serialise(message)});
}

Result<policy::Policy> DecodePolicy(ByteView policy_bytes) {
  if (policy_bytes.size() <= Salt::kSize) return Malformed("policy", "32 random bytes and a message are required");
  return DecodeCanonical<v1::Policy>(policy_bytes.subspan(Salt::kSize), kMaxPolicy,
                                     [](const auto& message) { return FromMessage(message); });
}

Hash PolicyDigest(ByteView policy_bytes) { return crypto::Sha256(policy_bytes); }

}  // namespace valija::proto
