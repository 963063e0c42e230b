// Openings under standing orders: which statements the sequencer itself makes when a record or a grant comes.
// Not thread-safe: the sequencer's own.
#pragma once

#include <map>
#include <vector>

#include "core/ledger/state.h"

namespace valija::broker {

class StandingOrders {
 public:
  explicit StandingOrders(const ledger::State& state);  // those that stand in it
  void Note(const ledger::Entry& entry);                // an entry that was applied

  // For each order that stands at this time and whose agency received a portion of the record (or grant): its opening, of all
  // portions that the agency received. Whether it is granted, Decide says. Orders that have ended are forgotten.
  std::vector<ledger::VerifiedStatement> OpeningsOf(const ledger::State& state, const Digest& record, Time now);

 private:
  std::map<AgencyId, std::vector<Digest>> orders_;
};

}  // namespace valija::broker
