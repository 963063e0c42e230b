// Receipts and views: what the broker says to prove what it did.
// Thread-safety: as the sequencer's reading part.
#pragma once

#include "broker/sequencer.h"
#include "proto/receipt.h"

namespace valija::broker {

using PublishedCheckpoint = std::shared_ptr<const log::SignedCheckpoint>;

// The log as of `checkpoint`, for somebody who has verified `verified_size` (0: nothing). kFork, and an alarm in the log,
// if that is more than the checkpoint has: `checkpoint` is the newest one, so we never published what the other verified.
Result<proto::View> MakeView(const Sequencer& sequencer, const PublishedCheckpoint& checkpoint,
                             std::uint64_t verified_size);

// The log as the quorum of witnesses cosigned it last, for a receipt to be kept: kNoQuorum if it did not, or not beyond
// `index`. Consistency leads between its size and `verified_size`, whichever is larger.
struct SizedView {
  std::uint64_t size = 0;
  proto::View view;
};
Result<SizedView> WitnessedView(const Sequencer& sequencer, std::uint64_t index, std::uint64_t verified_size);

// The receipt of what was just accepted. `checkpoint`: that of the view beside it, no older than accepted.checkpoint.
Result<proto::Receipt> MakeReceipt(const Sequencer& sequencer, const Accepted& accepted,
                                   const PublishedCheckpoint& checkpoint);

// The receipt of an entry of the log, made again from what is stored: after a lost answer, and for a statement that was
// submitted twice (kExists; state.statement_index says where it is). kNotFound at or above the checkpoint.
// Whether the caller may have it is judged before. `size`: of the tree that it leads to, a published one.
Result<proto::Receipt> ReceiptAt(const Sequencer& sequencer, std::uint64_t index, std::uint64_t size);

}  // namespace valija::broker
