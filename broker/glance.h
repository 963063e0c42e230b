// What the broker keeps in mind of each entry beside the state, so that it can say who may see it without reading it: what
// is hidden from somebody costs a look-up, and is never fetched or decoded. In memory, or beside the state in its rows.
#pragma once

#include <memory>
#include <vector>

#include "core/ledger/rows.h"
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

// By entry index. As thread-safe as a State, and kept in rows like one.
class Glances {
 public:
  Glances();
  ~Glances();
  Glances(Glances&&) noexcept;
  Glances& operator=(Glances&&) noexcept;

  const Glance& at(std::uint64_t index) const;  // std::out_of_range; RowsDamaged
  void push_back(Glance glance);

  void KeepIn(const ledger::RowSource& rows, std::uint64_t size);  // of a state that has so many entries
  void TakeRows(std::vector<ledger::Row>& out);
  std::size_t cached() const;
  void Trim(std::size_t most);

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

// Whole or erased, the same comes out.
Glance GlanceOf(const ledger::Statement& statement);

}  // namespace valija::broker
