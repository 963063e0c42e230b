#include "audit/say.h"

#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/text/catalogue.h"
#include "core/text/details.h"
#include "core/text/language.h"
#include "core/text/sentences.h"

namespace valija::audit {
namespace {

using Json = nlohmann::ordered_json;
using text::Format;
using text::Id;
using text::Text;

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Json OfFinding(const Finding& finding, const char* name) {
  Json out = {{name, finding.code}, {"what", finding.what}};
  if (finding.entry) out["entry"] = *finding.entry;
  return out;
}

}  // namespace

std::string SayFindings(const Report& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    const auto what = Visible(text::Explain(finding.code, finding.what));
    out += (finding.entry ? Format(Id::kAuditFindingAt, *finding.entry, what, finding.code)
                          : Format(Id::kAuditFinding, what, finding.code)) +
           "\n";
  }
  return out;
}

std::string SayWitnessed(const Report& report) {
  if (!report.witnessed) return {};
  const auto& shown = *report.witnessed;
  if (shown.size == 0) return Text(Id::kAuditNotWitnessed) + "\n";
  std::string by;
  for (const auto& [name, time] : shown.by) by += (by.empty() ? "" : ", ") + name + " " + text::TimeText(time);
  std::string out = Format(Id::kAuditWitnessed, shown.size, by) + "\n";
  if (report.entries > shown.size) out += text::Counted(Id::kAuditUncovered, report.entries - shown.size) + "\n";
  return out;
}

std::string WitnessedJson(const Witnessed& shown) {
  Json out = {{"size", shown.size}, {"by", Json::object()}};
  if (shown.since) out["since"] = FormatTime(*shown.since);
  for (const auto& [name, time] : shown.by) out["by"][name] = FormatTime(time);
  out["missing"] = shown.missing;
  return Dump(out, -1);
}

std::string FindingsJson(const Report& report) {
  std::string out;
  for (const auto& finding : report.findings) out += Dump(OfFinding(finding, "finding"), -1);
  return out;
}

std::string SayReplay(const Report& report, bool json) {
  const auto* first = report.difference ? &*report.difference : nullptr;
  std::optional<std::uint64_t> entry;
  for (const auto& finding : report.findings)
    if (first != nullptr && !entry && finding.code == "wrong-decision") entry = finding.entry;
  if (json) {
    Json out = {{"proved", report.proved()},      {"origin", report.origin}, {"charter", report.charter},
                {"entries", report.entries},      {"root", report.root},     {"decisions", report.decisions},
                {"signatures", report.signatures}};
    if (first != nullptr)
      out["difference"] = {{"entry", entry.value_or(0)},
                           {"rule", first->rule},
                           {"rules_say", first->rules_say},
                           {"log_says", first->log_says}};
    out["findings"] = Json::array();
    for (const auto& finding : report.findings) out["findings"].push_back(OfFinding(finding, "code"));
    return Dump(out, 2);
  }
  std::string out =
      Format(Id::kReplayed, Visible(report.origin), report.entries, report.root, report.decisions, report.signatures) +
      "\n";
  if (first != nullptr)
    out += Format(Id::kReplayDifference, entry.value_or(0), Visible(text::Detail(first->rule)),
                  Visible(text::Detail(first->rules_say)), Visible(text::Detail(first->log_says))) +
           "\n";
  out += SayFindings(report);
  if (report.proved()) out += Text(Id::kReplayNone) + "\n";
  return out;
}

std::string SayCoverage(const Coverage& coverage, const AgencyId& agency, bool json) {
  if (json) {
    Json out = {{"agency", agency.str()},
                {"entries", coverage.entries},
                {"compared", coverage.seen_entries},
                {"by_proof", coverage.by_proof},
                {"concerned", coverage.concerned},
                {"shown", coverage.concerned - coverage.gaps_in_all},
                {"later", coverage.later},
                {"gaps", Json::array()}};
    for (const auto& gap : coverage.gaps)
      out["gaps"].push_back({{"entry", gap.entry}, {"code", gap.code}, {"kind", gap.kind}, {"author", gap.author}});
    return Dump(out, 2);
  }
  std::string out = Format(Id::kCovered, agency.str(), coverage.concerned, coverage.seen_entries,
                           coverage.concerned - coverage.gaps_in_all) +
                    "\n";
  if (coverage.later > 0) out += Format(Id::kCoverageLater, coverage.later) + "\n";
  for (const auto& gap : coverage.gaps)
    out += Format(Id::kCoverageGap, gap.entry, gap.kind, gap.author.empty() ? "-" : gap.author, gap.code) + "\n";
  if (coverage.gaps_in_all > coverage.gaps.size())
    out += Format(Id::kCoverageMore, coverage.gaps_in_all - coverage.gaps.size()) + "\n";
  return out + Text(coverage.gaps_in_all == 0 ? Id::kCoverageWhole : Id::kCoverageNot) + "\n";
}

std::string SayNotProved(const Error& error, bool json) {
  const std::string code(CodeOf(error.reason));
  if (json) return Dump({{"proved", false}, {"error", {{"code", code}, {"message", error.Message()}}}}, -1);
  return Format(Id::kAuditReceiptNot, Visible(text::Explain(code, error.Message())), code) + "\n";
}

std::string SayReceipt(const evidence::Proved& proved, const std::string& statement, bool json) {
  const auto& [head, under, asked] = proved;
  const auto& checkpoint = under.checkpoint;
  if (json) {
    Json out = {{"proved", true},
                {"origin", checkpoint.origin},
                {"entry", head.index},
                {"size", checkpoint.size},
                {"root", checkpoint.root.Hex()},
                {"time", FormatTime(head.time)},
                {"statement", head.statement.Hex()},
                {"decision", head.decision.Hex()},
                {"witnesses_asked", asked},
                {"cosigned", Json::array()}};
    for (const auto& [name, seconds] : under.cosigned)
      out["cosigned"].push_back({{"witness", name}, {"time", FormatTime(evidence::CosignedAt(seconds))}});
    if (!statement.empty()) out["statement_file"] = statement;
    return Dump(out, 2);
  }
  std::string out =
      Format(Id::kAuditReceipt, Visible(checkpoint.origin), head.index, checkpoint.size, checkpoint.root.Hex(),
             text::TimeText(head.time), head.statement.Hex(), head.decision.Hex()) +
      "\n";
  for (const auto& [name, seconds] : under.cosigned)
    out += Format(Id::kAuditReceiptCosigned, Visible(name), text::TimeText(evidence::CosignedAt(seconds))) + "\n";
  if (!statement.empty()) out += Format(Id::kAuditReceiptStatement, Visible(statement)) + "\n";
  out += Text(asked ? Id::kAuditReceiptProved : Id::kAuditReceiptUnwitnessed) + "\n";
  return out + Text(Id::kAuditReceiptLimits) + "\n";
}

}  // namespace valija::audit
