#include "broker/check.h"

#include "broker/oplog.h"

namespace valija::broker {
namespace {

// Rows of one that the other has not, or has otherwise.
std::uint64_t Differing(const KeptState& one, const KeptState& other) {
  std::uint64_t out = 0;
  for (unsigned first = 0; first < 256; ++first) {
    if (first == '!') continue;  // the heads, sealed each for its own
    one.Scan(static_cast<std::uint8_t>(first), [&](ByteView key, ByteView value) {
      const auto there = other.Get(key);
      if (there && Equal(*there, value)) return;
      if (out++ == 0) Log(Level::kAlarm, "state-differs", {{"row", ToHex(key)}});
    });
  }
  return out;
}

}  // namespace

Status CheckKept(const Journal& journal, const std::optional<log::Checkpoint>& mark, KeptState& kept,
                 KeptState& scratch) {
  TRY_OK(scratch.Clear());
  const auto stand = kept.Open();
  FoldOptions how;
  how.kept = &scratch;
  if (stand && stand->whole && stand->size <= journal.Size()) {
    how.until = stand->size;
    TRY(auto folded, FoldJournal(journal, std::nullopt, how));
    const KeptState::Stand there{folded.state->charter()->origin, folded.tree.size(), folded.tree.Root(),
                                 folded.unfinished_purges};
    TRY_OK(Keep(scratch, *folded.state, folded.glances, there));
    std::uint64_t differing = 0;
    try {
      differing = Differing(kept, scratch) + Differing(scratch, kept);
    } catch (const ledger::RowsDamaged& damage) {
      Log(Level::kAlarm, "state-damaged", {{"what", damage.what()}});
      differing = 1;
    }
    if (differing != 0) {
      kept.Forget();
      return Refuse(
          Reason::kCorrupt,
          std::to_string(differing) +
              " rows of the state that is kept are not what the log makes of them; the next start makes it anew");
    }
  }
  how.until = log::kMaxTreeSize;
  TRY_OK(FoldJournal(journal, mark, how));
  return Ok();
}

}  // namespace valija::broker
