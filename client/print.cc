#include "client/print.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/text/catalogue.h"

namespace valija::cli {

using text::Format;
using text::Id;
using text::Text;

std::string ShortId(const std::string& id) { return id.substr(0, 12); }

std::string SizeText(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) value /= 1000, ++unit;
  char out[32];
  std::snprintf(out, sizeof out, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return out;
}

std::string OutcomeText(const std::string& outcome) {
  return outcome == "received"     ? Text(Id::kOutcomeReceived)
         : outcome == "useful"     ? Text(Id::kOutcomeUseful)
         : outcome == "acted-on"   ? Text(Id::kOutcomeActedOn)
         : outcome == "not-useful" ? Text(Id::kOutcomeNotUseful)
         : outcome == "erased"     ? Text(Id::kOutcomeErased)
                                   : outcome;
}

bool Overdue(const InboxItem& item) {
  return item.due && !item.revoked && !item.answered_by_us && item.replies.empty() && *item.due < Clock::now();
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
  if (!item.urgency.empty()) out["urgency"] = item.urgency;
  if (item.due) out["due"] = FormatTime(*item.due);
  if (item.due) out["answered_by_us"] = item.answered_by_us;
  if (item.due) out["overdue"] = Overdue(item);
  if (!item.replies.empty()) out["replies"] = item.replies;
  if (!item.sources.empty()) out["sources"] = item.sources;
  if (item.recalled) out["recalled"] = true;
  if (item.purged) out["purged"] = true;
  if (!item.grant_of.empty()) out["grant_of"] = item.grant_of;
  for (const auto& portion : item.portions)
    out["portions"].push_back({{"portion", portion.number},
                               {"marking", portion.marking},
                               {"media_type", portion.media_type},
                               {"sealed_bytes", portion.sealed_bytes},
                               {"for_me", portion.for_me},
                               {"opened_by_me", portion.opened_by_me}});
  return out;
}

namespace {

// The portions of an opening, and the reasons as a list of codes.
nlohmann::ordered_json ResultsOf(const NewsItem& item) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& [number, result] : item.portions) {
    nlohmann::ordered_json codes = nlohmann::ordered_json::array();
    if (result != "granted")
      for (std::size_t at = 0; at < result.size();) {
        auto end = std::min(result.find(", ", at), result.size());
        codes.push_back(result.substr(at, end - at));
        at = end + 2;
      }
    out.push_back({{"portion", number}, {"granted", result == "granted"}, {"reasons", codes}});
  }
  return out;
}

}  // namespace

nlohmann::ordered_json ToJson(const NewsItem& item) {
  nlohmann::ordered_json out = {
      {"entry", item.entry}, {"time", FormatTime(item.time)}, {"kind", item.kind}, {"by", item.by}};
  if (!item.record.empty()) out["record"] = item.record;
  if (item.kind == "open") {
    out["purpose"] = item.purpose;
    out["case"] = item.case_reference;
  }
  if (item.kind == "open" || item.kind == "standing-opening")
    out["portions"] = ResultsOf(item);
  else if (!item.portions.empty())  // an access request's, which are decided by nobody yet
    for (const auto& [number, result] : item.portions) out["portions"].push_back({{"portion", number}});
  if (!item.outcome.empty()) out["outcome"] = item.outcome;
  if (!item.why.empty()) out["why"] = item.why;
  if (!item.id.empty()) out["id"] = item.id;
  auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  put("request", item.request);
  put("verdict", item.verdict);
  put("marking", item.marking);
  put("agency", item.agency);
  put("emergency", item.emergency);
  put("policy", item.policy_text);
  if (item.kind != "open") {
    put("purpose", item.purpose);
    put("case", item.case_reference);
  }
  if (item.recall) out["recall"] = true;
  if (item.kind == "amendment") out["portion"] = item.portion;
  if (item.sequence != 0) out["sequence"] = item.sequence;
  if (item.until) out["until"] = FormatTime(*item.until);
  if (!item.erased.empty()) out["erased"] = item.erased;
  if (item.erased_by) out["erased_by"] = *item.erased_by;
  if (item.unwitnessed) out["unwitnessed"] = true;
  if (!item.epochs_left.empty()) out["epochs_left"] = item.epochs_left;
  if (item.item) out["item"] = ToJson(*item.item);
  return out;
}

nlohmann::ordered_json ToJson(const MemberInfo& member) {
  return {{"member", member.id},
          {"status", member.status},
          {"clearance", member.clearance},
          {"person", member.person},
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
                                {"left", agency.left},
                                {"members", nlohmann::ordered_json::array()}};
  for (const auto& member : agency.members) out["members"].push_back(ToJson(member));
  return out;
}

nlohmann::ordered_json ToJson(const WhoAmI& me) {
  nlohmann::ordered_json out = ToJson(me.info);
  out["origin"] = me.origin;
  out["charter"] = me.charter_digest;
  out["charter_in_force"] = me.charter_in_force;
  out["charter_entry"] = me.charter_entry;
  out["charter_title"] = me.charter_title;
  out["broker"] = me.broker;
  out["verified_size"] = me.pinned_size;
  out["verified_root"] = me.pinned_root;
  if (me.witnessing.asked) {
    out["witnessed_size"] = me.witnessing.entries;
    if (me.witnessing.since) out["witnessed_until"] = FormatTime(*me.witnessing.since);
    if (me.witnessing.behind) out["witnesses_behind"] = ToJson(*me.witnessing.behind)["error"];
  }
  return out;
}

nlohmann::ordered_json ToJson(const Ahead& portion) {
  const auto& preview = portion.preview;
  nlohmann::ordered_json out = {
      {"portion", preview.portion},   {"marking", preview.marking},     {"readers", nlohmann::ordered_json::array()},
      {"left_out", preview.left_out}, {"waits_for", preview.waits_for}, {"members", nlohmann::ordered_json::array()}};
  for (const auto& reader : preview.readers)
    out["readers"].push_back({{"agency", reader.agency}, {"members", reader.members}});
  for (const auto& member : portion.members)
    out["members"].push_back({{"member", member.member}, {"reasons", member.reasons}});
  return out;
}

nlohmann::ordered_json ToJson(const WaitingItem& item) {
  if (item.fault) {
    nlohmann::ordered_json out = {{"kind", item.kind}, {"id", item.id}, {"entry", item.entry}};
    out["error"] = ToJson(*item.fault)["error"];
    return out;
  }
  nlohmann::ordered_json out = {
      {"kind", item.kind}, {"id", item.id}, {"entry", item.entry}, {"time", FormatTime(item.time)}, {"by", item.by}};
  if (!item.record.empty()) out["record"] = item.record;
  out["portions"] = nlohmann::ordered_json::array();
  for (const auto& [number, marking] : item.portions)
    out["portions"].push_back({{"portion", number}, {"marking", marking}});
  auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  put("purpose", item.purpose);
  put("case", item.case_reference);
  put("why", item.why);
  put("wish", item.wish);
  put("agency", item.agency);
  put("marking", item.marking);
  put("urgency", item.urgency);
  if (item.until) out["until"] = FormatTime(*item.until);
  return out;
}

nlohmann::ordered_json ToJson(const PortionExplained& portion) {
  nlohmann::ordered_json out = {
      {"portion", portion.portion}, {"marking", portion.marking}, {"members", nlohmann::ordered_json::array()}};
  for (const auto& member : portion.members)
    out["members"].push_back({{"member", member.member}, {"reasons", member.reasons}});
  return out;
}

nlohmann::ordered_json ToJson(const OrderInfo& order) {
  return {{"order", order.id},
          {"member", order.member},
          {"purpose", order.purpose},
          {"case", order.case_reference},
          {"time", FormatTime(order.time)},
          {"until", FormatTime(order.until)},
          {"ended", order.ended},
          {"opened", order.opened}};
}

nlohmann::ordered_json ToJson(const Released& released) {
  nlohmann::ordered_json out = {{"entry", released.entry}, {"time", FormatTime(released.time)},
                                {"order", released.order}, {"record", released.record},
                                {"from", released.from},   {"portions", nlohmann::ordered_json::array()}};
  for (const auto& portion : released.portions) {
    if (!portion) {
      out["portions"].push_back(ToJson(portion.failure()));
      continue;
    }
    out["portions"].push_back({{"portion", portion->portion},
                               {"marking", portion->marking},
                               {"media_type", portion->media_type},
                               {"bytes", portion->bytes}});
    if (portion->unwitnessed) out["portions"].back()["unwitnessed"] = true;
    if (!portion->content.empty()) out["portions"].back()["content_base64"] = ToBase64(AsBytes(portion->content));
  }
  return out;
}

nlohmann::ordered_json ToJson(const Failure& failure) {
  nlohmann::ordered_json out = {
      {"error", {{"code", failure.code}, {"message", failure.message}, {"exit_status", failure.exit_status}}}};
  if (!failure.request.empty()) out["error"]["request"] = failure.request;
  return out;
}

std::string WishText(const std::string& wish, const std::string& agency, const std::string& marking) {
  if (wish == "onward") return Format(Id::kWishOnward, agency);
  if (wish == "mark-less") return Format(Id::kWishMarkLess, marking);
  return Text(Id::kWishOpen);
}

namespace {

std::string OpeningText(const NewsItem& item) {
  const bool all =
      std::all_of(item.portions.begin(), item.portions.end(), [](auto& p) { return p.second == "granted"; });
  std::string portions;
  for (const auto& [number, result] : item.portions)
    portions += " " + (result != "granted" ? Format(Id::kNewsPortionRefused, number, result)
                       : all               ? Format(Id::kNewsPortion, number)
                                           : Format(Id::kNewsPortionGranted, number));
  const auto purpose =
      item.case_reference.empty() ? item.purpose : Format(Id::kNewsCase, item.purpose, item.case_reference);
  auto said = all ? Format(Id::kNewsOpened, item.by, ShortId(item.record), portions, purpose)
                  : Format(Id::kNewsRefused, item.by, ShortId(item.record), portions, purpose);
  const bool waits = std::any_of(item.portions.begin(), item.portions.end(),
                                 [](auto& p) { return p.second.find("approval-missing") != std::string::npos; });
  if (item.kind == "standing-opening" && !item.request.empty())
    return Format(Id::kNewsUnderOrder, said, ShortId(item.request));
  if (!item.request.empty()) return Format(Id::kNewsUnderRequest, said, ShortId(item.request));
  if ((waits || !item.emergency.empty()) && !item.id.empty()) return Format(Id::kNewsAsRequest, said, ShortId(item.id));
  return said;
}

std::string GrantText(const NewsItem& item) {
  auto said = Format(Id::kNewsGranted, item.by, ShortId(item.record), ShortId(item.id));
  if (!item.agency.empty()) said = Format(Id::kNewsGrantedTo, said, item.agency);
  return item.request.empty() ? said : Format(Id::kNewsGrantedFor, said, ShortId(item.request));
}

}  // namespace

std::string NewsLine(const NewsItem& item) {
  const std::string record = ShortId(item.record), request = ShortId(item.request);
  std::string said = item.by + " " + item.kind;
  std::string why = item.why;  // in most of them at the end
  if (item.kind == "record")
    said = Format(Id::kNewsSent, item.by, record);
  else if (item.kind == "open" || item.kind == "standing-opening")
    said = OpeningText(item);
  else if (item.kind == "acknowledgement")
    said = Format(Id::kNewsAcknowledged, item.by, record, OutcomeText(item.outcome));
  else if (item.kind == "revocation")
    said = item.recall ? Format(Id::kNewsRecalled, item.by, record) : Format(Id::kNewsRevoked, item.by, record);
  else if (item.kind == "grant")
    said = GrantText(item);
  else if (item.kind == "amendment")
    said = Format(Id::kNewsAmended, item.by, record, item.portion, item.sequence);
  else if (item.kind == "approval")
    said = item.verdict == "approve"  ? Format(Id::kNewsApproved, item.by, request)
           : item.verdict == "reject" ? Format(Id::kNewsRejected, item.by, request)
                                      : Format(Id::kNewsWithdrew, item.by, request);
  else if (item.kind == "review")
    said = item.verdict == "justified" ? Format(Id::kNewsJustified, item.by, request)
                                       : Format(Id::kNewsNotJustified, item.by, request);
  else if (item.kind == "access-request")
    said =
        Format(Id::kNewsAccess, item.by, record, WishText(item.verdict, item.agency, item.marking), ShortId(item.id));
  else if (item.kind == "answer")
    said = item.verdict == "declined" ? Format(Id::kNewsDeclined, item.by, request)
                                      : Format(Id::kNewsConsented, item.by, request, item.marking);
  else if (item.kind == "standing-order")
    said = Format(Id::kNewsOrder, item.by, item.purpose, ShortId(item.id));
  else if (item.kind == "purge")
    said = Format(Id::kNewsPurged, item.by);
  else if (item.kind == "lookup")
    said = item.end_entry == 0 ? Format(Id::kNewsReadsOn, item.by, item.first_entry)
                               : Format(Id::kNewsReads, item.by, item.first_entry, item.end_entry);
  if (!why.empty()) said = Format(Id::kNewsWhy, said, why);
  if (!item.emergency.empty()) said = Format(Id::kNewsEmergency, said, item.emergency);
  if (item.unwitnessed) said = Format(Id::kNewsUnwitnessed, said);
  if (item.erased_by) said = Format(Id::kNewsErased, said, *item.erased_by);
  return Visible(TimeText(item.time) + "  " + said);
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
