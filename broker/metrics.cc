#include "broker/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace valija::broker {
namespace {

constexpr std::size_t kMostEvents = 256;

// As Go's and Prometheus' own parsers take it: shortest, no locale.
std::string Number(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return {digits, end};
}

void Head(std::string_view name, std::string_view help, std::string_view type, std::string& out) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void Line(std::string_view name, std::string_view labels, double value, std::string& out) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(Number(value)).append("\n");
}

}  // namespace

void Histogram::Observe(std::chrono::nanoseconds took) {
  const double seconds = Seconds(took).count();
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)),
                         std::memory_order_relaxed);
}

void Histogram::Write(std::string_view name, std::string& out) const {
  const std::string bucket = std::string(name) + "_bucket";
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    all += counts_[i].load(std::memory_order_relaxed);
    Line(bucket, Metrics::Label("le", Number(kBounds[i])), static_cast<double>(all), out);
  }
  all += counts_.back().load(std::memory_order_relaxed);
  Line(bucket, Metrics::Label("le", "+Inf"), static_cast<double>(all), out);
  Line(std::string(name) + "_sum", {}, static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9, out);
  Line(std::string(name) + "_count", {}, static_cast<double>(all), out);
}

Metrics& Metrics::Of() {
  static Metrics metrics;
  return metrics;
}

void Metrics::Refused(Reason reason) {
  const auto at = static_cast<std::size_t>(reason);
  if (at < refused_.size()) refused_[at].fetch_add(1, std::memory_order_relaxed);
}

void Metrics::Alarm(std::string_view event) {
  std::lock_guard lock(mutex_);
  const auto known = alarms_.find(event);
  if (known != alarms_.end())
    ++known->second;
  else if (alarms_.size() < kMostEvents)
    alarms_.emplace(event, 1);
}

// Backslash, quote and line feed are all that the format escapes.
std::string Metrics::Label(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string Metrics::Text(const std::vector<Gauge>& now) const {
  std::string out;
  Head("valija_refusals_total", "Answers to callers that were refusals, by reason code.", "counter", out);
  for (std::size_t i = 0; i < refused_.size(); ++i)
    if (const auto count = refused_[i].load(std::memory_order_relaxed); count > 0)
      Line("valija_refusals_total", Label("code", CodeOf(static_cast<Reason>(i))), static_cast<double>(count), out);
  Head("valija_alarms_total", "Alarms in the operations log, by event.", "counter", out);
  {
    std::lock_guard lock(mutex_);
    for (const auto& [event, count] : alarms_)
      Line("valija_alarms_total", Label("event", event), static_cast<double>(count), out);
  }
  Head("valija_appended_entries_total", "Entries that became durable since the start.", "counter", out);
  Line("valija_appended_entries_total", {}, static_cast<double>(appended.load(std::memory_order_relaxed)), out);
  Head("valija_append_seconds", "A batch, from its append to the synced high-water mark.", "histogram", out);
  append.Write("valija_append_seconds", out);
  Head("valija_cosigned_seconds", "A checkpoint, from its publication to the witnesses' quorum.", "histogram", out);
  cosigned.Write("valija_cosigned_seconds", out);
  for (const auto& gauge : now) {
    if (gauge.values.empty()) continue;
    Head(gauge.name, gauge.help, "gauge", out);
    for (const auto& [labels, value] : gauge.values) Line(gauge.name, labels, value, out);
  }
  return out;
}

std::vector<Metrics::Gauge> ProcessGauges() {
  std::vector<Metrics::Gauge> out;
  std::uint64_t pages = 0, resident = 0;
  if (std::ifstream statm("/proc/self/statm"); statm >> pages >> resident)
    out.push_back({"process_resident_memory_bytes",
                   "Resident memory.",
                   {{"", static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE))}}});
  std::error_code error;
  std::size_t descriptors = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
    ++descriptors;
  if (!error) out.push_back({"process_open_fds", "Open descriptors.", {{"", static_cast<double>(descriptors)}}});
  return out;
}

}  // namespace valija::broker
