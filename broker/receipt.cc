#include "broker/receipt.h"

#include <algorithm>

#include "broker/oplog.h"

namespace valija::broker {

Result<proto::View> MakeView(const Sequencer& sequencer, const PublishedCheckpoint& checkpoint,
                             std::uint64_t verified_size) {
  proto::View out{checkpoint->note(), {}, {}, {}};
  if (const auto cosigned = sequencer.cosigned(checkpoint->size())) {
    if (cosigned->checkpoint.size == checkpoint->size()) {
      out.checkpoint = cosigned->note;
    } else {
      out.witnessed = cosigned->note;
      TRY(out.growth, sequencer.Consistency(cosigned->checkpoint.size, checkpoint->size()));
    }
  }
  if (verified_size == 0) return out;
  if (verified_size > checkpoint->size()) {
    Log(Level::kAlarm, "fork-claimed",
        {{"size", std::to_string(verified_size)}, {"ours", std::to_string(checkpoint->size())}});
    return Refuse(Reason::kFork, "the caller verified a larger log than this one");
  }
  TRY(out.consistency, sequencer.Consistency(verified_size, checkpoint->size()));
  return out;
}

Result<SizedView> WitnessedView(const Sequencer& sequencer, std::uint64_t index, std::uint64_t verified_size) {
  const auto published = sequencer.checkpoint();
  if (verified_size > published->size()) return Refuse(Reason::kFork, "the caller verified a larger log than this one");
  const auto cosigned = sequencer.cosigned(published->size());
  if (cosigned == nullptr || cosigned->checkpoint.size <= index)
    return Refuse(Reason::kNoQuorum, sequencer.MissingFor(index));
  const std::uint64_t size = cosigned->checkpoint.size;
  SizedView out{size, {cosigned->note, {}, {}, {}}};
  if (verified_size != 0) {
    TRY(out.view.consistency, sequencer.Consistency(std::min(size, verified_size), std::max(size, verified_size)));
  }
  return out;
}

Result<proto::Receipt> MakeReceipt(const Sequencer& sequencer, const Accepted& accepted,
                                   const PublishedCheckpoint& checkpoint) {
  proto::Receipt out{accepted.head, accepted.salt, accepted.decision_bytes, {}};
  TRY(out.path, sequencer.Inclusion(accepted.head.index, checkpoint->size()));
  return out;
}

Result<proto::Receipt> ReceiptAt(const Sequencer& sequencer, std::uint64_t index, std::uint64_t size) {
  if (index >= size) return Refuse(Reason::kNotFound);
  TRY(auto logged, sequencer.Entry(index));
  if (!logged.head || !logged.salt || !logged.envelope || logged.decision_bytes.empty()) {
    return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + " lacks a part");
  }
  proto::Receipt out{*logged.head, *logged.salt, std::move(logged.decision_bytes), {}};
  TRY(out.path, sequencer.Inclusion(index, size));
  return out;
}

}  // namespace valija::broker
