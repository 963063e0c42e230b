// Measurable cooperation: counts, from entries as the verification replays them, what agencies shared with one another and
// what became of it. Each figure is dated by an entry or by a moment that the log fixes (a due time, a period's end), and is
// settled by what came before: so a longer log gives the same figures for periods that are over. docs/audit.md defines them.
//
// Beside the folded state it keeps 8 bytes for each entry counted, what waits, and one number for each record opened.
// Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "audit/card.h"
#include "core/ledger/state.h"

namespace valija::audit {

class Scorecard {
 public:
  struct Settings {
    By by = By::kMonth;
    std::optional<Time> from, until;  // [from, until)
    std::vector<AgencyId> agencies;   // one: pairs with it; several: pairs among them; none: all
    bool originators_view = false;
  };
  explicit Scorecard(Settings settings) : settings_(std::move(settings)) {}

  void Take(const ledger::Entry& entry, const ledger::State& after);  // in the log's order
  // When all entries were taken; once. What the card says of the log (origin, root, ..) the caller fills in.
  Card Close(const ledger::State& state);

 private:
  struct Key {
    std::string period;
    AgencyId from, to;
    auto operator<=>(const Key&) const = default;
  };
  struct Figures {
    std::map<std::string, Count> counts;
    std::map<std::string, Minutes> minutes;
    std::set<std::uint64_t> opened;  // originals, by their entry
  };
  // What is counted when its time is over and it still waits.
  struct Waiting {
    enum class What { kQuestion, kEmergency, kAccess } what;
    Digest statement;
    AgencyId from, to;
    std::uint64_t entry;
    Time time;  // that dates it
  };
  struct Began {
    Time time;
    std::set<std::pair<AgencyId, AgencyId>> pairs;
  };

  bool Counted(Time time, const AgencyId& from, const AgencyId& to) const;
  Figures& At(Time time, const AgencyId& from, const AgencyId& to);
  void Add(Time time, const AgencyId& from, const AgencyId& to, const std::string& code, std::uint64_t entry,
           std::uint64_t times = 1);
  void AddSample(Time time, const AgencyId& from, const AgencyId& to, const std::string& code, std::uint64_t entry,
                 Duration took);
  void AddNotFound(Time time, const AgencyId& by, std::uint64_t entry);
  void Settle(Time now);  // what was over by then
  void Tally(const Waiting& over);
  Time EndOf(Time time) const;

  void TakeShared(const ledger::EntryHead& head, const ledger::State& after, const char* what);
  void TakeQuestion(const ledger::Record& record, const ledger::EntryHead& head, const ledger::State& after);
  void TakeVerdicts(const AgencyId& to, const ledger::Entry& entry, const ledger::State& after);
  void TakeEmergency(const ledger::EntryHead& head, const ledger::State& after);
  void TakeGranted(const Digest& request, const ledger::EntryHead& head);
  void TakeRevocation(const ledger::Revocation& revocation, const ledger::EntryHead& head, const ledger::State& after);
  void TakeAcknowledgement(const ledger::Acknowledgement& said, const ledger::EntryHead& head,
                           const ledger::State& after);

  const Settings settings_;
  std::map<Key, Figures> figures_;
  std::map<std::pair<std::string, AgencyId>, Count> not_found_;
  std::multimap<Time, Waiting> waiting_;
  std::map<Digest, std::map<AgencyId, Time>> questions_;  // that were not answered: when they were asked
  std::map<Digest, Began> emergencies_, access_;          // not reviewed; not granted
  Time last_{};
};

}  // namespace valija::audit
