#include "broker/fold.h"

#include <algorithm>
#include <future>
#include <map>
#include <thread>

#include "broker/oplog.h"

namespace valija::broker {
namespace {

constexpr std::size_t kChunk = 512, kChunkBytes = std::size_t{8} << 20;

Error Corrupt(std::uint64_t index, const std::string& what) {
  return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + ": " + what);
}

// The level-0 tiles, one after the other.
class Leaves {
 public:
  explicit Leaves(const Journal& journal) : journal_(journal) {}
  bool Has(std::uint64_t index, const Hash& leaf) {
    if (tile_.empty() || index / log::kTileWidth != at_) {
      at_ = index / log::kTileWidth;
      tile_ = journal_.Tile({0, at_}).value_or(Bytes());
    }
    std::size_t offset = index % log::kTileWidth * Hash::kSize;
    return tile_.size() >= offset + Hash::kSize && Equal(ByteView(tile_).subspan(offset, Hash::kSize), leaf);
  }

 private:
  const Journal& journal_;
  std::uint64_t at_ = 0;
  Bytes tile_;
};

struct Decoded {
  std::optional<Hash> leaf;
  std::optional<ledger::Entry> entry;
  std::optional<proto::LoggedEntry> erased;  // as it stands, if a purge erased it
  std::string refusal;
};

Decoded DecodeOne(const Bytes& bytes) {
  Decoded out;
  auto logged = proto::DecodeLoggedEntry(bytes);
  if (!logged) {
    out.refusal = logged.error().Message();
    return out;
  }
  out.leaf = ledger::EntryLeaf(logged->commitment);
  if (logged->erased_by) out.erased = *logged;
  auto entry = EntryFromLogged(*std::move(logged));
  if (entry) {
    out.entry.emplace(*std::move(entry));
  } else {
    out.refusal = entry.error().detail;
  }
  return out;
}

// Most of a start's time goes here, and entries do not depend on one another: every core takes its share.
std::vector<Decoded> DecodeAll(const std::vector<Bytes>& chunk) {
  std::vector<Decoded> out(chunk.size());
  const std::size_t parts = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  std::vector<std::future<void>> running;
  for (std::size_t part = 0; part < parts; ++part) {
    running.push_back(std::async(std::launch::async, [&, part] {
      for (std::size_t i = part; i < chunk.size(); i += parts) out[i] = DecodeOne(chunk[i]);
    }));
  }
  for (auto& one : running) one.get();
  return out;
}

// Erased entries that wait for their purge, which comes later.
class Erased {
 public:
  void Add(proto::LoggedEntry entry) {
    const auto by = *entry.erased_by;
    entries_.emplace(by, std::move(entry));
  }
  // The purge is there: every entry that names it must be what it says. True if all that it names are erased. Those
  // below `from` were not folded, and are looked at now.
  Result<bool> Settle(std::uint64_t index, const ledger::Purge& purge, const ledger::State& state,
                      const Journal& journal, std::uint64_t from) {
    for (const auto& erasure : purge.erasures) {
      const auto at = state.statement_index(erasure.statement);
      if (!at || *at >= from) continue;
      TRY(auto bytes, journal.Read(*at, 1, 1));
      if (bytes.empty()) return Corrupt(*at, "missing");
      auto entry = proto::DecodeLoggedEntry(bytes[0]);
      if (!entry || !entry->head || entry->head->index != *at) return Corrupt(*at, "it is not what stood there");
      if (entry->erased_by == index) Add(*std::move(entry));
    }
    const auto [begin, end] = entries_.equal_range(index);
    std::size_t done = 0;
    for (auto at = begin; at != end; ++at, ++done)
      if (auto right = proto::CheckErasure(at->second, index, purge); !right)
        return Corrupt(at->second.head->index, right.error().detail);
    entries_.erase(begin, end);
    return done == purge.erasures.size();
  }
  bool empty() const { return entries_.empty(); }
  Status CheckNoneLeft() const {
    if (entries_.empty()) return Ok();
    return Corrupt(entries_.begin()->second.head->index, "it is erased, and no purge of the log says so");
  }

 private:
  std::multimap<std::uint64_t, proto::LoggedEntry> entries_;
};

}  // namespace

log::TileReader TilesOf(const Journal& journal) {
  return [&journal](log::TileId id, unsigned width) -> std::optional<Bytes> {
    auto tile = journal.Tile(id);
    if (!tile || tile->size() < width * Hash::kSize) return std::nullopt;
    tile->resize(width * Hash::kSize);
    return tile;
  };
}

Result<ledger::Statement> StatementOf(proto::LoggedEntry logged) {
  if (!logged.envelope || !logged.head) return Refuse(Reason::kCorrupt, "an entry without its statement");
  if (!logged.erased_by) return proto::MakeStatement(*std::move(logged.envelope), std::move(logged.attachments));
  return proto::MakeErasedStatement(*std::move(logged.envelope), logged.head->statement, std::move(logged.attachments));
}

Result<ledger::Entry> EntryFromLogged(proto::LoggedEntry logged) {
  if (!logged.salt || !logged.head || !logged.envelope || logged.decision_bytes.empty()) {
    return Refuse(Reason::kCorrupt, "a part is missing");
  }
  if (auto whole = proto::CheckLoggedEntry(logged); !whole) return Refuse(Reason::kCorrupt, whole.error().Message());
  const auto head = *logged.head;
  const auto salt = *logged.salt;
  Bytes decision_bytes = std::move(logged.decision_bytes);
  auto decision = proto::DecodeDecision(decision_bytes);
  if (!decision) return Refuse(Reason::kCorrupt, decision.error().Message());
  auto statement = StatementOf(std::move(logged));
  if (!statement) return Refuse(Reason::kCorrupt, statement.error().Message());
  return ledger::Entry{head, salt, ledger::TrustLogged(*std::move(statement)), *std::move(decision),
                       std::move(decision_bytes)};
}

Status CheckFullTiles(const Journal& journal, log::Tree& tree) {
  for (const auto& [id, hashes] : tree.TakeChangedTiles()) {
    if (hashes.size() != log::kTileWidth * Hash::kSize) continue;  // the right edge is checked as a whole at the end
    auto stored = journal.Tile(id);
    if (!stored || *stored != hashes) return Refuse(Reason::kCorrupt, log::TilePath(id, log::kTileWidth));
  }
  return Ok();
}

namespace {

// What is kept, if it is of this journal; else why not.
Result<Folded> OpenKept(const Journal& journal, KeptState& kept) {
  Folded out;
  TRY(auto stand, kept.Open());
  if (!stand.whole) return Refuse(Reason::kNotReady, "it was not finished");
  if (stand.size == 0 || stand.size > journal.Size()) return Refuse(Reason::kCorrupt, "it is of another log");
  TRY(out.tree, log::Tree::Load(stand.size, stand.root, TilesOf(journal)));
  try {
    *out.state = ledger::State::From(kept);
  } catch (const ledger::RowsDamaged& damage) {
    return Refuse(Reason::kCorrupt, damage.what());
  } catch (const std::exception& breakage) {
    return Refuse(Reason::kStorage, breakage.what());
  }
  const auto* charter = out.state->charter();
  if (out.state->size() != stand.size || charter == nullptr || charter->origin != stand.origin)
    return Refuse(Reason::kCorrupt, "its head is of another state");
  out.glances.KeepIn(kept, stand.size);
  out.last = out.state->latest();
  out.unfinished_purges = std::move(stand.unfinished_purges);
  out.from = out.kept = stand.size;
  return out;
}

Result<Folded> BeginFold(const Journal& journal, KeptState* kept) {
  Folded out;
  if (kept == nullptr) return out;
  auto opened = OpenKept(journal, *kept);
  if (opened) return opened;
  if (opened.error().reason != Reason::kCorrupt && opened.error().reason != Reason::kNotReady) return opened.error();
  const bool none = opened.error().reason == Reason::kNotReady;
  Log(none ? Level::kInfo : Level::kAlarm, "state-made-anew",
      {{"entries", std::to_string(journal.Size())}, {"why", opened.error().detail}});
  TRY_OK(kept->Clear());
  out.state->KeepIn(*kept);
  out.glances.KeepIn(*kept, 0);
  return out;
}

}  // namespace

Status Keep(KeptState& kept, ledger::State& state, Glances& glances, const KeptState::Stand& stand, bool purged) {
  auto rows = state.TakeRows();
  glances.TakeRows(rows);
  return kept.Write(std::move(rows), stand, purged);
}

namespace {

Result<Folded> Fold(const Journal& journal, const std::optional<log::Checkpoint>& mark, const FoldOptions& options) {
  TRY(Folded out, BeginFold(journal, options.kept));
  Leaves leaves(journal);
  Erased erased;
  const std::uint64_t size = std::min(journal.Size(), options.until);
  auto at_mark = [&](const Hash& root) -> Status {
    if (root == mark->root) return Ok();
    return Refuse(Reason::kRolledBack,
                  "the store's first " + std::to_string(mark->size) + " entries are not those of the high-water mark");
  };
  if (mark && mark->size <= out.tree.size()) {
    TRY(const Hash root, log::RootAt(mark->size, TilesOf(journal)));
    TRY_OK(at_mark(root));
  }
  while (out.tree.size() < size) {
    TRY(auto chunk,
        journal.Read(out.tree.size(), std::min<std::uint64_t>(kChunk, size - out.tree.size()), kChunkBytes));
    if (chunk.empty()) return Corrupt(out.tree.size(), "missing");
    auto decoded = DecodeAll(chunk);
    for (auto& one : decoded) {
      const std::uint64_t index = out.tree.size();
      if (!one.leaf) return Corrupt(index, one.refusal);
      if (!leaves.Has(index, *one.leaf)) return Corrupt(index, "its leaf is not the one in its tile");
      if (!one.entry) return Corrupt(index, one.refusal);
      const auto& entry = one.entry;
      if (entry->head.index != index) return Corrupt(index, "it says another index");
      try {
        ledger::Apply(*out.state, *entry);
        out.glances.push_back(GlanceOf(*entry->statement));
      } catch (const ledger::RowsDamaged&) {
        throw;
      } catch (const std::exception& breakage) {
        return Corrupt(index, breakage.what());
      }
      if (one.erased) erased.Add(*std::move(one.erased));
      if (const auto* purge = std::get_if<ledger::Purge>(&entry->statement->payload)) {
        TRY(const bool finished, erased.Settle(index, *purge, *out.state, journal, out.from));
        if (!finished) out.unfinished_purges.push_back(index);
        out.purged = true;
      }
      out.last = entry->head.time;
      out.tree.Append(*one.leaf);
      if (mark && out.tree.size() == mark->size) TRY_OK(at_mark(out.tree.Root()));
    }
    TRY_OK(CheckFullTiles(journal, out.tree));
    if (options.kept != nullptr && out.tree.size() - out.kept >= options.keep_every) {
      // Erased entries whose purge is still to come are not in there: only another fold of everything would miss it.
      const KeptState::Stand stand{out.state->charter()->origin, out.tree.size(), out.tree.Root(),
                                   out.unfinished_purges, erased.empty()};
      TRY_OK(Keep(*options.kept, *out.state, out.glances, stand, std::exchange(out.purged, false)));
      out.kept = out.tree.size();
      if (out.state->cached() > options.cache) out.state->Trim(options.cache / 2);
      if (out.glances.cached() > options.cache / 4) out.glances.Trim(options.cache / 8);
    }
  }
  if (size == journal.Size()) TRY_OK(erased.CheckNoneLeft());
  TRY(Hash root, log::RootAt(size, TilesOf(journal)));
  if (root != out.tree.Root()) return Refuse(Reason::kCorrupt, "the tiles do not give the root of the entries");
  return out;
}

}  // namespace

Result<Folded> FoldJournal(const Journal& journal, const std::optional<log::Checkpoint>& mark,
                           const FoldOptions& options) {
  try {
    return Fold(journal, mark, options);
  } catch (const ledger::RowsDamaged& damage) {
    if (options.kept == nullptr) return Refuse(Reason::kCorrupt, damage.what());
    Log(Level::kAlarm, "state-damaged", {{"what", damage.what()}});
    options.kept->Forget();
  }
  return Fold(journal, mark, options);
}

}  // namespace valija::broker
