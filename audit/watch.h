// What an auditor wants to be woken for, judged entry by entry as the verification replays them. The clock is the log's,
// but for what is said of now, which is passed in. Memory: for each member the openings and refusals within the windows.
// Not thread-safe.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/feed.h"
#include "audit/witnessed.h"
#include "core/base/result.h"
#include "core/ledger/state.h"

namespace valija::audit {

struct WatchRules {
  std::uint64_t bulk = 50;  // portions granted to one member within bulk_within
  Duration bulk_within = std::chrono::hours(1);
  // Portions refused to one member as not found or not releasable, and its access requests for such, within probes_within.
  std::uint64_t probes = 10;
  Duration probes_within = std::chrono::hours(1);
  std::optional<std::pair<unsigned, unsigned>> hours;  // [first, last) of the local day, in which people work
  bool weekdays = false;                               // and not on Saturdays and Sundays
  std::function<Duration(Time)> utc_offset;            // of local time, at a moment; empty: it is UTC
  std::map<AgencyId, std::filesystem::path> feeds;     // what agencies were shown, as they say (feed.h)
  Duration feed_within = std::chrono::minutes(15);     // an opening of an agency's record is to be there
  std::optional<Duration> witness_within;  // since a witness cosigned; nullopt: the charter's age of checkpoints
  bool once = false;                       // nobody is waited for
  Duration review_within = std::chrono::hours(24);
  Duration quiet = std::chrono::hours(1);  // no new entry for so long
  std::uint64_t since = 0;                 // entries before this one raise no alarm, but for what still stands
};
// "7-20"; "20-4" over midnight, which is of the day on which it begins.
std::optional<std::pair<unsigned, unsigned>> ParseHours(std::string_view text);
std::optional<Duration> ParseUtcOffset(
    std::string_view text);  // "-06:00", "+05:30", a fixed one; from -12:00 to +14:00

struct Alarm {
  std::string code;                    // stable; docs/audit.md lists them
  std::optional<std::uint64_t> entry;  // absent: about the log as a whole
  std::string member;                  // empty: nobody's
  Time time;                           // of the entry; of what is said of now: now
  std::uint64_t count = 0;             // how many, where something is counted
  std::uint64_t minutes = 0;           // within, or since when
  std::string agency{};                // whose record or feed it is about; empty: nobody's
};
std::string AlarmText(const Alarm& alarm);  // for people
std::string AlarmJson(const Alarm& alarm);  // one line

class Watch {
 public:
  explicit Watch(WatchRules rules);
  // In order; entries that it was told before are passed over (a verification may begin again).
  void Take(const ledger::Entry& entry, const ledger::State& after);
  // After each pass: what stands at this moment. Each such thing is told once: a log that is quiet once until it grows.
  void Look(const ledger::State& state, Time now);
  // And of the charter's witnesses, by the report of the pass. Each that is missing is told once until it is back.
  void LookAtWitnesses(const ledger::State& state, const std::optional<Witnessed>& shown, Time now);
  Status LookAtFeeds(Time now);  // kFile: one cannot be read
  // Instead, after a pass that could not be made as the export is being written: told once until one can.
  void Unreadable(Time now);
  std::vector<Alarm> TakeAlarms() { return std::exchange(alarms_, {}); }

  // What was told, for the next run, which takes every entry again: JSON. kMalformed: it is none of these.
  std::string Told() const;
  Status Resume(const std::string& told);  // before the first entry

 private:
  // Events of one member within a window; an alarm is raised when they come to be as many as the rule says, and again only
  // after they were fewer.
  struct Burst {
    std::deque<Time> times;
    bool told = false;
  };
  bool Grew(std::map<MemberId, Burst>& bursts, const MemberId& member, Time time, std::uint64_t by, Duration within,
            std::uint64_t most);
  bool OddTime(Time time) const;
  void Raise(const char* code, const ledger::EntryHead& head, const MemberId& member, std::uint64_t count = 0,
             Duration within = {});
  void TakeOpen(const ledger::Open& open, const ledger::Entry& entry, const ledger::State& after);
  void TakeStandingOpening(const MemberId& member, const ledger::Entry& entry);
  void TakeReview(const Digest& request, const ledger::EntryHead& head, const ledger::State& after);
  void TakeProbes(const MemberId& member, std::uint64_t probes, const ledger::EntryHead& head);
  bool Silent(std::uint64_t index) const { return index < rules_.since || index < told_before_; }
  void Await(const ledger::Entry& entry, const ledger::State& after);

  const WatchRules rules_;
  std::map<MemberId, Burst> openings_, standing_openings_, probes_;
  struct Emergency {
    Time opened;
    bool told = false, told_overdue = false;
  };
  std::map<Digest, Emergency> unreviewed_;
  std::set<Digest> orders_told_;
  std::uint64_t told_before_ = 0;  // entries below were taken, and looked at, by an earlier run
  std::set<Digest> overdue_before_;
  std::uint64_t size_ = 0;  // of what was taken
  // The last entry that is no look-up: whoever watches makes these.
  std::uint64_t last_act_ = 0;
  Time last_act_time_{};
  std::uint64_t quiet_at_ = UINT64_MAX;  // last_act_ when it was told that the log is quiet
  std::optional<Time> unreadable_since_;
  bool unreadable_told_ = false;
  struct Seen {
    Time last;  // cosigned, or first looked for
    bool told = false;
  };
  std::map<std::string, Seen> witnesses_;
  struct Awaited {
    std::uint64_t entry = 0;
    Digest statement;
    MemberId member;
    Time time;
  };
  std::map<AgencyId, Feed> feeds_;
  std::map<AgencyId, std::deque<Awaited>> awaited_;  // openings that are not in the feed yet, in order
  std::vector<Alarm> alarms_;
};

}  // namespace valija::audit
