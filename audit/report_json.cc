#include <nlohmann/json.hpp>

#include "audit/card.h"

namespace valija::audit {
namespace {

using Json = nlohmann::ordered_json;

// [3, [5, 9], 12]: entries, and runs of them.
Json EntriesOf(const std::vector<std::uint64_t>& entries) {
  Json out = Json::array();
  for (const auto& [first, last] : RangesOf(entries)) {
    if (first == last)
      out.push_back(first);
    else
      out.push_back({first, last});
  }
  return out;
}

Json HiddenAs(Hidden hidden, std::uint64_t below) {
  return {{"value", nullptr}, {"hidden", hidden == Hidden::kBelow ? "<" + std::to_string(below) : std::string("*")}};
}

Json CountOf(const Count& count, std::uint64_t below) {
  if (count.hidden != Hidden::kNo) return HiddenAs(count.hidden, below);
  Json out = {{"value", count.value}};
  if (below == 0) out["entries"] = EntriesOf(count.entries);
  return out;
}

Json MinutesOf(const Minutes& minutes, std::uint64_t below) {
  if (minutes.hidden != Hidden::kNo) return HiddenAs(minutes.hidden, below);
  Json out = {{"samples", minutes.samples.size()}, {"median", minutes.Median()}, {"p90", minutes.NinthTenth()}};
  if (below == 0) out["entries"] = EntriesOf(minutes.entries);
  return out;
}

}  // namespace

std::string CardJson(const Card& card) {
  Json out = {
      {"scorecard", 1},          {"origin", card.origin}, {"charter", card.charter},         {"title", card.title},
      {"entries", card.entries}, {"root", card.root},     {"as_of", FormatTime(card.as_of)}, {"by", NameOf(card.by)}};
  if (card.from) out["from"] = FormatTime(*card.from);
  if (card.until) out["until"] = FormatTime(*card.until);
  if (!card.agencies.empty()) {
    out["agencies"] = Json::array();
    for (const auto& agency : card.agencies) out["agencies"].push_back(agency.str());
  }
  out["originators_view"] = card.originators_view;
  out["suppress_below"] = card.suppress_below;
  out["pairs"] = Json::array();
  for (const auto& line : card.lines) {
    Json one = {{"period", line.period}, {"from", line.from.str()}, {"to", line.to.str()}};
    one["counts"] = Json::object();
    for (const auto& code : CodesOf(line)) one["counts"][code] = CountOf(line.counts.at(code), card.suppress_below);
    one["minutes"] = Json::object();
    for (const auto& [code, counted] : kMinutes)
      if (const auto at = line.minutes.find(std::string(code)); at != line.minutes.end())
        one["minutes"][std::string(code)] = MinutesOf(at->second, card.suppress_below);
    out["pairs"].push_back(std::move(one));
  }
  out["not_found"] = Json::array();
  for (const auto& one : card.not_found)
    out["not_found"].push_back(
        {{"period", one.period}, {"by", one.by.str()}, {"count", CountOf(one.count, card.suppress_below)}});
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace valija::audit
