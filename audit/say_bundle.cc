#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "audit/evidence/story.h"
#include "audit/say.h"
#include "core/base/text.h"
#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

using Json = nlohmann::ordered_json;
using evidence::Line;
using evidence::Told;
using text::Format;
using text::Id;
using text::Text;

// What a statement says, field by field, as far as it has it.
struct Fields {
  Json& out;

  void Put(const char* name, const std::string& text) const {
    if (!text.empty()) out[name] = text;
  }
  void Put(const char* name, const Digest& digest) const { out[name] = digest.Hex(); }
  void Put(const char* name, const std::optional<Digest>& digest) const {
    if (digest) Put(name, *digest);
  }
  void Put(const char* name, const AgencyId& agency) const { out[name] = agency.str(); }
  void Put(const char* name, const MemberId& member) const { out[name] = member.str(); }
  void Put(const char* name, const ledger::MemberRecord& member) const { Put(name, member.id); }

  template <class Payload>
  void operator()(const Payload& payload) const {
    if constexpr (requires { payload.purpose; }) Put("purpose", payload.purpose);
    if constexpr (requires { payload.case_reference; }) Put("case_reference", payload.case_reference);
    if constexpr (requires { payload.emergency; }) Put("emergency", payload.emergency);
    if constexpr (requires { payload.why; }) Put("why", payload.why);
    if constexpr (requires { payload.outcome; }) Put("outcome", payload.outcome);
    if constexpr (requires { payload.agency; }) Put("agency", payload.agency);
    if constexpr (requires { payload.member; }) Put("member", payload.member);
    if constexpr (requires { payload.record; }) Put("record", payload.record);
    if constexpr (requires { payload.request; }) Put("request", payload.request);
    if constexpr (requires { payload.approved_request; }) Put("request", payload.approved_request);
    if constexpr (requires { payload.order; }) Put("order", payload.order);
    if constexpr (requires { payload.recall; }) out["recall"] = payload.recall;
    if constexpr (requires { payload.expires; }) out["expires"] = FormatTime(payload.expires);
    More(payload);
  }
  template <class Payload>
  void More(const Payload&) const {}
  void More(const ledger::Approval& approval) const {
    out["verdict"] = approval.verdict == ledger::ApprovalVerdict::kApprove  ? "approve"
                     : approval.verdict == ledger::ApprovalVerdict::kReject ? "reject"
                                                                            : "withdraw";
  }
  void More(const ledger::Review& review) const {
    out["finding"] = review.finding == ledger::Finding::kJustified ? "justified" : "not-justified";
  }
  void More(const ledger::Answer& answer) const {
    out["consents"] = answer.marking.has_value();
    if (answer.marking) out["marking"] = policy::TextOf(*answer.marking);
  }
  void More(const ledger::Record& record) const {
    for (const auto& policy : record.policies) out["policies"].push_back(policy::ToText(policy));
  }
  void More(const ledger::Grant& grant) const {
    for (const auto& policy : grant.policies) out["policies"].push_back(policy::ToText(policy));
  }
  void More(const ledger::Amendment& amendment) const {
    out["portion"] = amendment.portion;
    out["sequence"] = amendment.sequence;
    if (amendment.policy) out["policies"] = Json::array({policy::ToText(*amendment.policy)});
  }
};

Json VerdictsJson(const evidence::CheckedBundle& bundle, const ledger::Decision& decision) {
  Json out = Json::array();
  for (const auto& verdict : decision.verdicts) {
    if (!verdict.record.IsZero() && !bundle.family.contains(verdict.record)) continue;  // another's
    Json one = Json::object();
    if (!verdict.record.IsZero()) one = {{"record", verdict.record.Hex()}, {"portion", verdict.portion}};
    one["reasons"] = Json::array();
    for (const auto reason : verdict.reasons) one["reasons"].push_back(CodeOf(reason));
    out.push_back(std::move(one));
  }
  return out;
}

Json LineJson(const evidence::CheckedBundle& bundle, const Line& line) {
  Json out = {{"entry", line.head.index},
              {"time", FormatTime(line.head.time)},
              {"statement", line.head.statement.Hex()},
              {"decision", line.head.decision.Hex()},
              {"shown", {{"statement", line.statement.has_value()}, {"decision", line.decision.has_value()}}}};
  if (!line.directory) out["about"] = line.about;
  if (line.statement) {
    out["kind"] = ledger::NameOf(line.statement->kind);
    if (const auto by = ledger::AuthorshipOf(*line.statement)) out["author"] = by->author.str();
    std::visit(Fields{out}, line.statement->payload);
    for (const auto& [portion, agencies, all] : evidence::RecipientsOf(*line.statement))
      out["recipients"].push_back({{"portion", portion}, {"agencies", agencies}, {"all", all}});
    if (line.statement->kind == ledger::Kind::kStandingOpening) out["by_log_alone"] = line.by_log_alone;
  }
  if (line.erased_by) out["erased_by"] = *line.erased_by;
  if (line.decision) {
    out["unwitnessed"] = line.decision->unwitnessed;
    out["verdicts"] = VerdictsJson(bundle, *line.decision);
  }
  if (line.others > 0) out["others"] = line.others;
  return out;
}

std::string AsJson(const evidence::CheckedBundle& bundle) {
  const auto& checkpoint = bundle.under.checkpoint;
  Json out = {{"proved", true},
              {"record", bundle.record.Hex()},
              {"origin", checkpoint.origin},
              {"charter", bundle.charter.Hex()},
              {"size", checkpoint.size},
              {"root", checkpoint.root.Hex()},
              {"witnesses_asked", bundle.witnesses_asked},
              {"cosigned", Json::array()},
              {"made_by", bundle.member.str()},
              {"made_at", FormatTime(bundle.time)},
              {"signatures", bundle.signatures},
              {"entries", Json::array()},
              {"gaps", Json::array()}};
  for (const auto& [name, seconds] : bundle.under.cosigned)
    out["cosigned"].push_back({{"witness", name}, {"time", FormatTime(evidence::CosignedAt(seconds))}});
  for (const auto& line : bundle.lines) out["entries"].push_back(LineJson(bundle, line));
  for (const auto& gap : bundle.gaps) {
    Json one = {{"entry", gap.entry}};
    if (gap.sequence != 0)
      one["amendment"] = gap.sequence;
    else
      one["statement"] = gap.statement.Hex();
    out["gaps"].push_back(std::move(one));
  }
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string Table(const std::vector<Told>& told) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : told) {
    rows.push_back({std::to_string(one.entry), one.time, one.kind, one.who});
    for (const auto& [name, value] : one.fields) {
      std::istringstream lines(value);  // a policy has several
      std::string line;
      for (auto label = "  " + name; std::getline(lines, line); label.clear()) rows.push_back({"", "", label, line});
    }
  }
  return FormatTable({Text(Id::kColumnEntry), Text(Id::kColumnTime), Text(Id::kColumnWhat), Text(Id::kColumnWho)},
                     rows);
}

}  // namespace

std::string SayBundle(const evidence::CheckedBundle& bundle, bool json) {
  if (json) return AsJson(bundle);
  std::string out;
  for (const auto& [name, value] : evidence::Summary(bundle)) out += Visible(name + ": " + value) + "\n";
  out += "\n" + Text(Id::kPageEvents) + "\n" + Table(evidence::Events(bundle));
  out += "\n" + Text(Id::kPageKeys) + "\n" + Table(evidence::Keys(bundle)) + "\n";
  for (const auto& sentence : evidence::Limits(bundle)) out += "- " + Visible(sentence) + "\n";
  return out + Format(Id::kAuditBundleProved, bundle.signatures) + "\n";
}

}  // namespace valija::audit
