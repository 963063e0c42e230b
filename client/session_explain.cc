// Before anything is sent: who could open it, and who not and why, by the rules themselves.
#include <algorithm>

#include "client/session.h"

namespace valija::client {

Result<policy::Policy> PolicyOf(const std::string& text) {
  auto parsed = policy::ParseText(text);
  if (parsed.policy && parsed.errors.empty()) return *std::move(parsed.policy);
  std::string all;
  for (const auto& error : parsed.errors)
    all += (all.empty() ? "line " : "; line ") + std::to_string(error.line) + ": " + error.message;
  return Refuse(Reason::kBadPolicy, all);
}

namespace {

template <class List, class Item>
bool Holds(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool AddressesAgency(const policy::Audience& audience, const AgencyId& agency) {
  return Holds(audience.countries, agency.country()) || Holds(audience.agencies, agency) ||
         std::any_of(audience.members.begin(), audience.members.end(),
                     [&](const MemberId& member) { return member.agency() == agency; });
}

// It can be sealed to: the broker would refuse an epoch that has ended.
bool HasEpoch(const ledger::AgencyState& agency, Time now) {
  return agency.current() != nullptr && agency.current()->not_after > now;
}

}  // namespace

Result<std::vector<record::Recipient>> SessionCore::RecipientsOf(const policy::Policy& policy) const {
  std::vector<record::Recipient> recipients;
  for (const auto& [id, agency] : verifier_.directory().agencies()) {
    if (agency.left || !AddressesAgency(policy.releasable_to, id) || !HasEpoch(agency, Now())) continue;
    TRY(auto key, crypto::KemPublicKey::FromPoint(agency.current()->public_key));
    recipients.push_back({id, std::move(key)});
  }
  if (recipients.empty())
    return Refuse(Reason::kBadPolicy, "nobody could open it: no agency in the audience has a key epoch");
  return recipients;
}

Result<std::vector<PortionExplained>> SessionCore::Explain(const Draft& draft, const std::string& purpose,
                                                           const std::string& case_reference) {
  TRY_OK(Refresh());
  std::vector<PortionExplained> out;
  const auto& directory = verifier_.directory();
  for (const auto& portion : draft.portions) {
    TRY(auto policy, PolicyOf(portion.policy_text));
    PortionExplained explained{static_cast<std::uint32_t>(out.size()), std::string(policy::TextOf(policy.marking)), {}};
    for (const auto& [id, member] : directory.members()) {
      if (member.record.status != ledger::MemberStatus::kActive) continue;
      MemberExplained one{id.str(), {}};
      const auto reasons = ledger::WhyNot(directory, policy, id, purpose.empty() ? policy.purposes.front() : purpose,
                                          case_reference.empty() && purpose.empty() ? "a case" : case_reference, Now());
      for (auto reason : reasons) one.reasons.emplace_back(CodeOf(reason));
      explained.members.push_back(std::move(one));
    }
    out.push_back(std::move(explained));
  }
  return out;
}

Result<std::vector<PortionExplained>> SessionCore::ExplainRecord(const std::string& id, const std::string& purpose,
                                                                 const std::string& case_reference) {
  TRY_OK(Sync());
  TRY(const auto digest, Resolve(id));
  TRY(const auto* record, FindContent(digest));
  const auto& header = HeaderOf(*record);
  const auto item = Item(*record);
  const auto* grant = PayloadOf<ledger::Grant>(*record);
  const auto& sent = grant != nullptr ? grant->policies : std::get<ledger::Record>(record->statement->payload).policies;
  Draft draft;
  for (std::size_t place = 0; place < header.portions.size(); ++place) {
    const auto in_force = PolicyInForce(*record, header.portions[place].number, verifier_.verified_size());
    const policy::Policy* policy = place < sent.size() ? &sent[place] : nullptr;
    if (in_force.amendment != nullptr) {
      const auto& amended = PayloadOf<ledger::Amendment>(*in_force.amendment)->policy;
      policy = amended ? &*amended : nullptr;
    }
    if (policy == nullptr) return Refuse(Reason::kNotFound, "its policies are shown to the originator's agency alone");
    draft.portions.emplace_back().policy_text = policy::ToText(*policy);
  }
  TRY(auto explained, Explain(draft, purpose, case_reference));
  for (std::size_t place = 0; place < explained.size(); ++place) {
    const auto number = explained[place].portion = header.portions[place].number;
    for (auto& one : explained[place].members) {
      const auto agency = MemberId::Parse(one.member)->agency();
      const auto& slips = record->statement->attachments.slips;
      if (item.purged || item.revoked)
        one.reasons = {std::string(CodeOf(item.purged ? Reason::kPurged : Reason::kRevoked))};
      else if (std::none_of(slips.begin(), slips.end(),
                            [&](const auto& slip) { return slip.portion == number && slip.agency == agency; }))
        one.reasons = {std::string(CodeOf(Reason::kNotReleasable))};  // it holds no half of the key
    }
  }
  return explained;
}

Result<std::vector<PortionPreview>> SessionCore::Preview(const Draft& draft) {
  TRY(auto explained, Explain(draft, {}, {}));
  std::vector<PortionPreview> previews;
  for (std::size_t i = 0; i < draft.portions.size(); ++i) {
    TRY(auto policy, PolicyOf(draft.portions[i].policy_text));
    PortionPreview preview{explained[i].portion, explained[i].marking, {}, {}, {}};
    for (const auto& [id, agency] : verifier_.directory().agencies()) {
      if (agency.left || !AddressesAgency(policy.releasable_to, id)) continue;
      if (!HasEpoch(agency, Now())) {
        preview.left_out.push_back(id.str());
        continue;
      }
      Reader reader{id.str(), {}};
      for (auto& member : explained[i].members) {
        if (MemberId::Parse(member.member)->agency() != id) continue;
        // Whether the time has come, and who has to approve, is not a matter of who.
        std::vector<std::string> waits;
        for (auto reason : {Reason::kNotYet, Reason::kApprovalMissing})
          if (std::erase(member.reasons, std::string(CodeOf(reason))) != 0) waits.emplace_back(CodeOf(reason));
        if (!member.reasons.empty()) continue;
        reader.members.push_back(member.member);
        for (auto& code : waits)
          if (!Holds(preview.waits_for, code)) preview.waits_for.push_back(std::move(code));
      }
      preview.readers.push_back(std::move(reader));
    }
    previews.push_back(std::move(preview));
  }
  return previews;
}

}  // namespace valija::client
