#include "client/print.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include "core/base/time.h"

namespace valija::cli {

std::string ShortId(const std::string& id) { return id.substr(0, 12); }

std::string TimeText(TimePoint time) {
  auto text = FormatTime(std::chrono::floor<std::chrono::seconds>(time));
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

std::string SizeText(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) value /= 1000, ++unit;
  char out[32];
  std::snprintf(out, sizeof out, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return out;
}

nlohmann::ordered_json ToJson(const InboxItem& item) {
  nlohmann::ordered_json out = {{"record", item.id},
                                {"from", item.from},
                                {"time", FormatTime(item.time)},
                                {"entry", item.entry},
                                {"revoked", item.revoked},
                                {"opened_by_me", item.opened_by_me},
                                {"portions", nlohmann::ordered_json::array()}};
  if (!item.in_reply_to.empty()) out["in_reply_to"] = item.in_reply_to;
  for (const auto& portion : item.portions)
    out["portions"].push_back({{"portion", portion.number},
                               {"marking", portion.marking},
                               {"media_type", portion.media_type},
                               {"sealed_bytes", portion.sealed_bytes},
                               {"for_me", portion.for_me},
                               {"opened_by_me", portion.opened_by_me}});
  return out;
}

nlohmann::ordered_json ToJson(const NewsItem& item) {
  nlohmann::ordered_json out = {
      {"entry", item.entry}, {"time", FormatTime(item.time)}, {"kind", item.kind}, {"by", item.by}};
  if (!item.record.empty()) out["record"] = item.record;
  if (item.kind == "open") {
    out["purpose"] = item.purpose;
    out["case"] = item.case_reference;
    out["portions"] = nlohmann::ordered_json::array();
    for (const auto& [number, result] : item.portions) {
      nlohmann::ordered_json codes = nlohmann::ordered_json::array();
      if (result != "granted")
        for (std::size_t at = 0; at < result.size();) {
          auto end = std::min(result.find(", ", at), result.size());
          codes.push_back(result.substr(at, end - at));
          at = end + 2;
        }
      out["portions"].push_back({{"portion", number}, {"granted", result == "granted"}, {"reasons", codes}});
    }
  }
  if (!item.outcome.empty()) out["outcome"] = item.outcome;
  if (!item.why.empty()) out["why"] = item.why;
  if (item.item) out["item"] = ToJson(*item.item);
  return out;
}

nlohmann::ordered_json ToJson(const MemberInfo& member) {
  return {{"member", member.id},
          {"status", member.status},
          {"clearance", member.clearance},
          {"roles", member.roles},
          {"programmes", member.programmes},
          {"administrator", member.administrator},
          {"auditor", member.joint_auditor ? "joint"
                      : member.auditor     ? "agency"
                                           : "no"}};
}

nlohmann::ordered_json ToJson(const AgencyInfo& agency) {
  nlohmann::ordered_json out = {{"agency", agency.id},
                                {"name", agency.name},
                                {"epoch", agency.epoch},
                                {"members", nlohmann::ordered_json::array()}};
  for (const auto& member : agency.members) out["members"].push_back(ToJson(member));
  return out;
}

nlohmann::ordered_json ToJson(const WhoAmI& me) {
  nlohmann::ordered_json out = ToJson(me.info);
  out["origin"] = me.origin;
  out["charter"] = me.charter_digest;
  out["broker"] = me.broker;
  out["verified_size"] = me.pinned_size;
  out["verified_root"] = me.pinned_root;
  return out;
}

nlohmann::ordered_json ToJson(const PortionPreview& preview) {
  nlohmann::ordered_json out = {{"portion", preview.portion},
                                {"marking", preview.marking},
                                {"readers", nlohmann::ordered_json::array()},
                                {"left_out", preview.left_out}};
  for (const auto& reader : preview.readers)
    out["readers"].push_back({{"agency", reader.agency}, {"members", reader.members}});
  return out;
}

nlohmann::ordered_json ToJson(const Failure& failure) {
  return {{"error", {{"code", failure.code}, {"message", failure.message}, {"exit_status", failure.exit_status}}}};
}

std::string NewsLine(const NewsItem& item) {
  std::string line = TimeText(item.time) + "  " + item.by + " ";
  const std::string record = ShortId(item.record);
  if (item.kind == "record") {
    line += "sent " + record;
  } else if (item.kind == "open") {
    bool all = std::all_of(item.portions.begin(), item.portions.end(), [](auto& p) { return p.second == "granted"; });
    line += (all ? "opened " : "was refused ") + record;
    for (const auto& [number, result] : item.portions)
      line += " portion " + std::to_string(number) +
              (result == "granted" ? (all ? "" : " (granted)") : " (" + result + ")");
    line += " for " + item.purpose + (item.case_reference.empty() ? "" : ", case " + item.case_reference);
  } else if (item.kind == "acknowledgement") {
    line += "acknowledged " + record + ": " + item.outcome;
  } else if (item.kind == "revocation") {
    line += "revoked " + record + ": " + item.why;
  } else {
    line += item.kind;
  }
  return Visible(line);
}

Progress ProgressBar(const std::string& what) {
  if (::isatty(STDERR_FILENO) == 0) return {};
  auto shown = std::make_shared<int>(-1);
  return [what, shown](std::uint64_t done, std::uint64_t total) {
    if (total < (8u << 20)) return;  // over before anybody reads it
    int percent = static_cast<int>(total == 0 ? 100 : done * 100 / total);
    if (percent == *shown) return;
    *shown = percent;
    const std::size_t full = static_cast<std::size_t>(percent) * 30 / 100;
    std::cerr << "\r" << what << " [" << std::string(full, '#') << std::string(30 - full, '.') << "] " << percent << "%"
              << (percent >= 100 ? "\n" : "") << std::flush;
  };
}

}  // namespace valija::cli
