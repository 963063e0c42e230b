// What an operator's monitoring reads (Prometheus' text format 0.0.4): figures of the broker as a machine. It names no member,
// agency, record or address; witnesses by the names that the charter has for them, refusals and alarms by their codes.
//
// There is one set for the process, as there is one operations log: whoever does something counts it where it is done.
// Thread-safety: everything may be called from any thread; nothing blocks.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/reason.h"

namespace valija::broker {

// How long something took, in buckets from a tenth of a millisecond to ten seconds.
class Histogram {
 public:
  using Seconds = std::chrono::duration<double>;
  static constexpr std::array kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
  void Observe(std::chrono::nanoseconds took);
  void Write(std::string_view name, std::string& out) const;  // its lines, without help and type

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

class Metrics {
 public:
  static Metrics& Of();  // the process's

  void Refused(Reason reason);             // an answer to a caller
  void Alarm(std::string_view event);      // a line of the operations log at level alarm; events are few and ours
  Histogram append;                        // a batch: journal synced, checkpoint signed, mark synced
  Histogram cosigned;                      // a checkpoint: from its publication to the quorum
  std::atomic<std::uint64_t> appended{0};  // entries

  // What is as it is when somebody asks.
  struct Gauge {
    std::string name, help;
    std::vector<std::pair<std::string, double>> values;  // by label set, `name="value"`; empty: none
  };
  static std::string Label(std::string_view name, std::string_view value);
  std::string Text(const std::vector<Gauge>& now) const;

 private:
  std::array<std::atomic<std::uint64_t>, 256> refused_{};  // by Reason
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> alarms_;
};

// Of this process: resident bytes, open descriptors, when it began. What /proc does not say is left out.
std::vector<Metrics::Gauge> ProcessGauges();

}  // namespace valija::broker
