// A broker's start: its state and its tree are the fold of its journal. Every entry is read, checked and applied; entries
// are taken as decided, and signatures, which were verified before the entry was logged, are not verified again. What is
// checked: each entry's parts hold together (CheckLoggedEntry), its leaf is the one in the level-0 tile, the full
// tiles are those of the entries, and the right edge gives the entries' root.
#pragma once

#include <memory>
#include <optional>

#include "broker/storage/storage.h"
#include "core/ledger/state.h"
#include "core/log/note.h"
#include "core/log/tree.h"
#include "proto/convert.h"

namespace valija::broker {

struct Folded {
  std::unique_ptr<ledger::State> state = std::make_unique<ledger::State>();
  log::Tree tree;
  Time last;  // of the last entry
};

// kCorrupt says which entry or tile. `mark`: what the tree must have been at its size, else kRolledBack; not to be
// larger than the journal.
Result<Folded> FoldJournal(const Journal& journal, const std::optional<log::Checkpoint>& mark);

// Of FoldJournal: the tiles of any level that became full since the last call are stored as the tree has them. kCorrupt.
Status CheckFullTiles(const Journal& journal, log::Tree& tree);

// An entry of one's own journal, whole and checked, as the state takes it. kCorrupt.
Result<ledger::Entry> EntryFromLogged(proto::LoggedEntry logged);

// The journal's tiles as provers read them.
log::TileReader TilesOf(const Journal& journal);

}  // namespace valija::broker
