#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "audit/say.h"
#include "core/base/text.h"
#include "core/text/catalogue.h"
#include "audit/evidence/story.h"

namespace valija::audit {
namespace {

using Json = nlohmann::ordered_json;
using evidence::Line;
using evidence::Told;
using text::Format;
using text::Id;
using text::Text;

Json LineJson(const Line& line) {
  Json out = {{"entry", line.head.index},
              {"time", FormatTime(line.head.time)},
              {"statement", line.head.statement.Hex()},
              {"decision", line.head.decision.Hex()},
              {"shown", {{"statement", line.statement.has_value()}, {"decision", line.decision.has_value()}}}};
  if (!line.directory) out["about"] = line.about;
  if (line.statement) {
    out["kind"] = ledger::NameOf(line.statement->kind);
    if (const auto by = ledger::AuthorshipOf(*line.statement)) out["author"] = by->author.str();
    std::visit(
        [&](const auto& payload) {
          if constexpr (requires { payload.purpose; }) out["purpose"] = payload.purpose;
          if constexpr (requires { payload.case_reference; }) out["case_reference"] = payload.case_reference;
          if constexpr (requires { payload.why; }) out["why"] = payload.why;
          if constexpr (requires { payload.member.id; }) out["member"] = payload.member.id.str();
        },
        line.statement->payload);
  }
  if (line.erased_by) out["erased_by"] = *line.erased_by;
  if (line.decision) {
    out["verdicts"] = Json::array();
    for (const auto& verdict : line.decision->verdicts) {
      Json one = Json::object();
      if (!verdict.record.IsZero()) one = {{"record", verdict.record.Hex()}, {"portion", verdict.portion}};
      one["reasons"] = Json::array();
      for (const auto reason : verdict.reasons) one["reasons"].push_back(CodeOf(reason));
      out["verdicts"].push_back(std::move(one));
    }
  }
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
  for (const auto& line : bundle.lines) out["entries"].push_back(LineJson(line));
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
