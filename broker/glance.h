// What the broker keeps in mind of each entry beside the state, so that it can say who may see it without reading it: what
// is hidden from somebody costs a look-up, and is never fetched, decoded or told apart by the time it takes.
// Plain values.
#pragma once

#include <deque>
#include <vector>

#include "core/ledger/statement.h"

namespace valija::broker {

struct Glance {
  Digest statement;
  ledger::Kind kind = ledger::Kind::kCharter;
  bool emergency = false;  // an open that gives a reason for one
  bool consent = false;    // an answer that allows a marking
  // What it names: the records of an open, each once; the record of an acknowledgement, an amendment, an access request or a
  // standing opening; the record or the order that a revocation ends; the request of an approval, a review or an answer; what
  // a purge erases.
  std::vector<Digest> names = {};
};
using Glances = std::deque<Glance>;  // by entry index

// Whole or erased, the same comes out.
Glance GlanceOf(const ledger::Statement& statement);

}  // namespace valija::broker
