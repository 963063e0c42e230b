#include "audit/watch.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

std::optional<unsigned> Number(std::string_view text, unsigned most) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out > most) return std::nullopt;
  return out;
}

std::uint64_t MinutesIn(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(std::chrono::floor<std::chrono::minutes>(duration).count(), 0));
}

bool IsProbe(const ledger::Verdict& verdict) {
  return std::any_of(verdict.reasons.begin(), verdict.reasons.end(),
                     [](Reason reason) { return reason == Reason::kNotFound || reason == Reason::kNotReleasable; });
}

}  // namespace

std::optional<std::pair<unsigned, unsigned>> ParseHours(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto first = Number(text.substr(0, dash), 23), last = Number(text.substr(dash + 1), 24);
  if (!first || !last || *first == *last) return std::nullopt;
  return std::pair(*first, *last);
}

std::optional<Duration> ParseUtcOffset(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = Number(text.substr(1, 2), 14), minutes = Number(text.substr(4, 2), 59);
  if (!hours || !minutes) return std::nullopt;
  Duration out = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  if (text[0] == '-') out = -out;
  if (out < std::chrono::hours(-12) || out > std::chrono::hours(14)) return std::nullopt;  // there are no others
  return out;
}

bool Watch::OddTime(Time time) const {
  const Time local = time + (rules_.utc_offset ? rules_.utc_offset(time) : Duration());
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const auto hour = static_cast<unsigned>(std::chrono::floor<std::chrono::hours>(local - day).count());
  const bool over_midnight = rules_.hours && rules_.hours->first > rules_.hours->second;
  if (rules_.weekdays) {
    // A night's early hours are of the day on which it began.
    const std::chrono::weekday weekday(over_midnight && hour < rules_.hours->second ? day - std::chrono::days(1) : day);
    if (weekday == std::chrono::Saturday || weekday == std::chrono::Sunday) return true;
  }
  if (!rules_.hours) return false;
  const auto [first, last] = *rules_.hours;
  return over_midnight ? hour < first && hour >= last : hour < first || hour >= last;
}

bool Watch::Grew(std::map<MemberId, Burst>& bursts, const MemberId& member, Time time, std::uint64_t by,
                 Duration within, std::uint64_t most) {
  if (by == 0 || most == 0) return false;
  auto& burst = bursts.try_emplace(member).first->second;
  while (!burst.times.empty() && burst.times.front() + within <= time) burst.times.pop_front();
  if (burst.times.size() < most) burst.told = false;
  burst.times.insert(burst.times.end(), by, time);
  if (burst.told || burst.times.size() < most) return false;
  return burst.told = true;
}

void Watch::Raise(const char* code, const ledger::EntryHead& head, const MemberId& member, std::uint64_t count,
                  Duration within) {
  if (!Silent(head.index)) alarms_.push_back({code, head.index, member.str(), head.time, count, MinutesIn(within)});
}

Watch::Watch(WatchRules rules) : rules_(std::move(rules)) {
  for (const auto& [agency, path] : rules_.feeds) feeds_.emplace(agency, Feed(path));
}

// Whose records were opened: their agencies are to be shown it.
void Watch::Await(const ledger::Entry& entry, const ledger::State& after) {
  const auto* open = std::get_if<ledger::Open>(&entry.statement->payload);
  const auto* opening = std::get_if<ledger::StandingOpening>(&entry.statement->payload);
  if (feeds_.empty() || (open == nullptr && opening == nullptr) || entry.head.index < rules_.since) return;
  std::set<AgencyId> originators;
  for (const auto& verdict : entry.decision.verdicts)
    if (const auto* record = after.record(verdict.record); verdict.allowed() && record != nullptr)
      originators.insert(after.original(*record).originator.agency());
  for (const auto& agency : originators)
    if (feeds_.contains(agency))
      awaited_[agency].push_back({entry.head.index, entry.head.statement,
                                  open != nullptr ? open->by.author : opening->member, entry.head.time});
}

// Windows are filled by what is not told too.
void Watch::Take(const ledger::Entry& entry, const ledger::State& after) {
  if (entry.head.index < size_) return;
  Await(entry, after);
  const auto& head = entry.head;
  const auto& payload = entry.statement->payload;
  size_ = head.index + 1;
  if (!std::holds_alternative<ledger::Lookup>(payload)) {
    last_act_ = head.index;
    last_act_time_ = head.time;
  }
  if (const auto* open = std::get_if<ledger::Open>(&payload)) {
    TakeOpen(*open, entry, after);
  } else if (const auto* opening = std::get_if<ledger::StandingOpening>(&payload)) {
    TakeStandingOpening(opening->member, entry);
  } else if (const auto* request = std::get_if<ledger::AccessRequest>(&payload)) {
    const auto* record = after.record(request->record);
    const bool probe = record == nullptr || !after.visible_to(*record, request->by.author);
    TakeProbes(request->by.author, probe ? 1 : 0, head);
  } else if (const auto* review = std::get_if<ledger::Review>(&payload)) {
    TakeReview(review->request, head, after);
  } else if (const auto* order = std::get_if<ledger::StandingOrder>(&payload)) {
    if (Silent(head.index) && head.index >= told_before_) return;  // told if it stands when this is looked at
    orders_told_.insert(head.statement);
    Raise("standing-order", head, order->by.author, 0, order->expires - head.time);
  }
}

void Watch::TakeOpen(const ledger::Open& open, const ledger::Entry& entry, const ledger::State& after) {
  const auto& head = entry.head;
  const MemberId& member = open.by.author;
  const auto& verdicts = entry.decision.verdicts;
  const auto granted = static_cast<std::uint64_t>(
      std::count_if(verdicts.begin(), verdicts.end(), [](const auto& one) { return one.allowed(); }));
  if (Grew(openings_, member, head.time, granted, rules_.bulk_within, rules_.bulk))
    Raise("bulk-openings", head, member, openings_.at(member).times.size(), rules_.bulk_within);
  TakeProbes(member, static_cast<std::uint64_t>(std::count_if(verdicts.begin(), verdicts.end(), IsProbe)), head);
  if (OddTime(head.time)) Raise("odd-hours", head, member);
  if (entry.decision.unwitnessed && granted > 0) Raise("unwitnessed", head, member);
  if (open.emergency.empty()) return;
  Raise(granted > 0 ? "emergency" : "emergency-refused", head, member);
  if (after.emergency(head.statement) == nullptr) return;
  const bool told = head.index < told_before_ || !Silent(head.index);
  unreviewed_.emplace(head.statement, Emergency{head.time, told, overdue_before_.contains(head.statement)});
}

void Watch::TakeStandingOpening(const MemberId& member, const ledger::Entry& entry) {
  const auto& head = entry.head;
  const auto& verdicts = entry.decision.verdicts;
  const auto granted = static_cast<std::uint64_t>(
      std::count_if(verdicts.begin(), verdicts.end(), [](const auto& one) { return one.allowed(); }));
  if (Grew(standing_openings_, member, head.time, granted, rules_.bulk_within, rules_.bulk))
    Raise("bulk-standing-openings", head, member, standing_openings_.at(member).times.size(), rules_.bulk_within);
  if (entry.decision.unwitnessed && granted > 0) Raise("unwitnessed", head, member);
}

void Watch::TakeProbes(const MemberId& member, std::uint64_t probes, const ledger::EntryHead& head) {
  if (Grew(probes_, member, head.time, probes, rules_.probes_within, rules_.probes))
    Raise("probing", head, member, probes_.at(member).times.size(), rules_.probes_within);
}

// It may have been overdue and reviewed between two looks: the log's times say so.
void Watch::TakeReview(const Digest& request, const ledger::EntryHead& head, const ledger::State& after) {
  const auto at = unreviewed_.find(request);
  const auto* emergency = after.emergency(request);
  if (at == unreviewed_.end() || emergency == nullptr) return;
  if (head.time >= at->second.opened + rules_.review_within && !at->second.told_overdue)
    Raise("review-late", head, emergency->author, 0, head.time - at->second.opened);
  unreviewed_.erase(at);
}

void Watch::Look(const ledger::State& state, Time now) {
  unreadable_since_.reset();
  unreadable_told_ = false;
  for (auto& [digest, waits] : unreviewed_) {
    const auto& emergency = *state.emergency(digest);
    if (!std::exchange(waits.told, true))
      alarms_.push_back({"emergency", emergency.index, emergency.author.str(), waits.opened});
    if (waits.told_overdue || now < waits.opened + rules_.review_within) continue;
    waits.told_overdue = true;
    alarms_.push_back(
        {"review-overdue", emergency.index, emergency.author.str(), now, 0, MinutesIn(now - waits.opened)});
  }
  for (const auto& [author, orders] : state.standing_orders())
    for (const Digest& digest : orders) {
      const auto* order = state.order(digest);
      if (order == nullptr || order->ended || order->order.expires <= now) continue;
      if (orders_told_.insert(digest).second)
        alarms_.push_back(
            {"standing-order", order->index, author.str(), now, 0, MinutesIn(order->order.expires - now)});
    }
  if (size_ > 0 && now >= last_act_time_ + rules_.quiet && quiet_at_ != last_act_) {
    quiet_at_ = last_act_;
    alarms_.push_back({"quiet", std::nullopt, "", now, 0, MinutesIn(now - last_act_time_)});
  }
}

std::string Watch::Told() const {
  nlohmann::ordered_json out = {{"told", std::max(size_, told_before_)}};
  if (quiet_at_ != UINT64_MAX) out["quiet"] = quiet_at_;
  out["overdue"] = nlohmann::ordered_json::array();
  for (const auto& [digest, waits] : unreviewed_)
    if (waits.told_overdue) out["overdue"].push_back(digest.Hex());
  return out.dump();
}

Status Watch::Resume(const std::string& told) {
  const auto bad = [] { return Refuse(Reason::kMalformed, "what an earlier watch told"); };
  const auto json = nlohmann::json::parse(told, nullptr, false);
  if (!json.is_object() || !json.contains("told") || !json["told"].is_number_unsigned()) return bad();
  told_before_ = json["told"].get<std::uint64_t>();
  if (const auto quiet = json.find("quiet"); quiet != json.end()) {
    if (!quiet->is_number_unsigned()) return bad();
    quiet_at_ = quiet->get<std::uint64_t>();
  }
  if (const auto overdue = json.find("overdue"); overdue != json.end()) {
    if (!overdue->is_array()) return bad();
    for (const auto& one : *overdue) {
      const auto digest = one.is_string() ? Digest::FromHexText(one.get<std::string>()) : std::nullopt;
      if (!digest) return bad();
      overdue_before_.insert(*digest);
    }
  }
  return Ok();
}

void Watch::LookAtWitnesses(const ledger::State& state, const std::optional<Witnessed>& shown, Time now) {
  const auto* policy = state.witness_policy();
  if (policy == nullptr) return witnesses_.clear();
  const Duration within =
      rules_.witness_within.value_or(std::chrono::seconds(state.charter()->max_checkpoint_age_seconds));
  std::map<std::string, Seen> still;
  for (const auto& witness : policy->witnesses()) {
    const auto cosigned = shown ? shown->by.find(witness.name) : decltype(shown->by.end())();
    const bool is_there = shown && cosigned != shown->by.end();
    const auto known = witnesses_.find(witness.name);
    Seen seen = known != witnesses_.end() ? known->second : Seen{is_there ? cosigned->second : now};
    if (is_there && cosigned->second > seen.last) seen = {cosigned->second};
    // One that comes later than the others may be in the next note: only who looks once does not wait for that.
    const bool missing = now - seen.last > within || (rules_.once && !is_there);
    if (missing && !seen.told)
      alarms_.push_back({"missing-witness", std::nullopt, witness.name, now, 0, MinutesIn(now - seen.last)});
    seen.told = missing;
    still.emplace(witness.name, seen);
  }
  witnesses_ = std::move(still);  // who was replaced is forgotten
}

Status Watch::LookAtFeeds(Time now) {
  for (auto& [agency, feed] : feeds_) {
    TRY_OK(feed.Read());
    auto& awaited = awaited_[agency];
    const auto& shown = feed;
    std::erase_if(awaited, [&](const Awaited& one) { return shown.Has(one.entry, one.statement); });
    for (; !awaited.empty() && now - awaited.front().time > rules_.feed_within; awaited.pop_front()) {
      const auto& one = awaited.front();
      alarms_.push_back(
          {"not-in-custody", one.entry, one.member.str(), one.time, 0, MinutesIn(now - one.time), agency.str()});
    }
  }
  return Ok();
}

void Watch::Unreadable(Time now) {
  if (!unreadable_since_) unreadable_since_ = now;
  if (unreadable_told_ || now - *unreadable_since_ < rules_.quiet) return;
  unreadable_told_ = true;
  alarms_.push_back({"unreadable", std::nullopt, "", now, 0, MinutesIn(now - *unreadable_since_)});
}

std::string AlarmText(const Alarm& alarm) {
  using text::Format, text::Id;
  const auto entry = alarm.entry.value_or(0);
  std::string what;
  if (alarm.code == "bulk-openings")
    what = Format(Id::kAlarmBulk, entry, alarm.member, alarm.count, alarm.minutes);
  else if (alarm.code == "bulk-standing-openings")
    what = Format(Id::kAlarmBulkOrder, entry, alarm.member, alarm.count, alarm.minutes);
  else if (alarm.code == "unwitnessed")
    what = Format(Id::kAlarmUnwitnessed, entry, alarm.member);
  else if (alarm.code == "review-late")
    what = Format(Id::kAlarmLateReview, entry, alarm.member, alarm.minutes);
  else if (alarm.code == "probing")
    what = Format(Id::kAlarmProbing, entry, alarm.member, alarm.count, alarm.minutes);
  else if (alarm.code == "odd-hours")
    what = Format(Id::kAlarmOddHours, entry, alarm.member);
  else if (alarm.code == "emergency")
    what = Format(Id::kAlarmEmergency, entry, alarm.member);
  else if (alarm.code == "emergency-refused")
    what = Format(Id::kAlarmEmergencyRefused, entry, alarm.member);
  else if (alarm.code == "review-overdue")
    what = Format(Id::kAlarmReview, entry, alarm.member, alarm.minutes);
  else if (alarm.code == "standing-order")
    what = Format(Id::kAlarmOrder, entry, alarm.member, alarm.minutes);
  else if (alarm.code == "missing-witness")
    what = Format(Id::kAlarmWitness, alarm.member, alarm.minutes);
  else if (alarm.code == "not-in-custody")
    what = Format(Id::kAlarmCustody, entry, alarm.member, alarm.agency, alarm.minutes);
  else if (alarm.code == "unreadable")
    what = Format(Id::kAlarmUnreadable, alarm.minutes);
  else
    what = Format(Id::kAlarmQuiet, alarm.minutes);
  return text::TimeText(alarm.time) + "  " + what + " [" + alarm.code + "]";
}

std::string AlarmJson(const Alarm& alarm) {
  nlohmann::ordered_json out = {{"alarm", alarm.code}, {"time", FormatTime(alarm.time)}};
  if (alarm.entry) out["entry"] = *alarm.entry;
  if (!alarm.member.empty()) out[alarm.code == "missing-witness" ? "witness" : "member"] = alarm.member;
  if (!alarm.agency.empty()) out["agency"] = alarm.agency;
  if (alarm.count > 0) out["count"] = alarm.count;
  if (alarm.minutes > 0) out["minutes"] = alarm.minutes;
  return out.dump();
}

}  // namespace valija::audit
