// The whole journal, as a start without a kept state reads it, and the kept state against what comes out: row by row, so
// that an older row in the place of a newer one, and one that was taken away, are found too.
#pragma once

#include <optional>

#include "broker/fold.h"

namespace valija::broker {

// `scratch`: where the fold is kept meanwhile; emptied first. kCorrupt, kRolledBack as FoldJournal; kCorrupt: the kept state is
// not what the log makes, and is forgotten. A kept state that a start would not use is no fault.
Status CheckKept(const Journal& journal, const std::optional<log::Checkpoint>& mark, KeptState& kept,
                 KeptState& scratch);

}  // namespace valija::broker
