// A broker's start: its state and its tree are the fold of its journal. Of what is folded every entry is read, checked and
// applied; entries are taken as decided, and signatures, which were verified before the entry was logged, are not verified again.
// What is checked: each entry's parts hold together (CheckLoggedEntry), its leaf is the one in the level-0 tile, the full
// tiles are those of the entries, the right edge gives the entries' root, and whatever was erased is what a later purge
// says that stays of it.
//
// Where the state is kept (kept_state.h), only what came after it is folded; what came before is bound by the tree's root
// there, and was checked when it was folded. If it cannot be used, everything is folded, and it is kept anew.
#pragma once

#include <memory>
#include <optional>

#include "broker/glance.h"
#include "broker/kept_state.h"
#include "broker/storage/storage.h"
#include "core/ledger/state.h"
#include "core/log/note.h"
#include "core/log/tree.h"
#include "proto/convert.h"

namespace valija::broker {

struct Folded {
  std::unique_ptr<ledger::State> state = std::make_unique<ledger::State>();
  log::Tree tree;
  Glances glances;
  Time last;  // of the last entry
  // Purges that were logged and not wholly carried out, a crash came between: their entries' indexes, ascending.
  std::vector<std::uint64_t> unfinished_purges;
  std::uint64_t from = 0;  // the first entry that was folded
  std::uint64_t kept = 0;  // where the state that is kept stands
  bool purged = false;     // a purge is among the folded: the kept state may have texts that it erased
};

struct FoldOptions {
  KeptState* kept = nullptr;                  // nullptr: everything is folded, and stays in memory
  std::uint64_t keep_every = 8192;            // entries
  std::size_t cache = std::size_t{64} << 20;  // bytes of the state, about, that may be read again
  std::uint64_t until = log::kMaxTreeSize;    // or to the journal's end
};

// kCorrupt says which entry or tile. `mark`: what the tree must have been at its size, else kRolledBack; not to be
// larger than the journal.
Result<Folded> FoldJournal(const Journal& journal, const std::optional<log::Checkpoint>& mark,
                           const FoldOptions& options = {});

// Writes what changed since the last time. It must stand there, and the entries below it be durable.
Status Keep(KeptState& kept, ledger::State& state, Glances& glances, const KeptState::Stand& stand,
            bool purged = false);

// Of FoldJournal: the tiles of any level that became full since the last call are stored as the tree has them. kCorrupt.
Status CheckFullTiles(const Journal& journal, log::Tree& tree);

// The statement of an entry of one's own journal, whole or in redacted form.
Result<ledger::Statement> StatementOf(proto::LoggedEntry logged);

// An entry of one's own journal, checked, as the state takes it: whole, or as a purge left it. Whether there is such a purge
// only the fold sees. kCorrupt.
Result<ledger::Entry> EntryFromLogged(proto::LoggedEntry logged);

// The journal's tiles as provers read them.
log::TileReader TilesOf(const Journal& journal);

}  // namespace valija::broker
