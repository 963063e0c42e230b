// What the author of a statement gets back and keeps: with the charter's keys alone it proves, offline and for ever,
// that the statement was logged and how it was decided (log::VerifyInclusion over ledger::EntryLeaf).
// No protobuf in here. Thread-safety: plain values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/ledger/entry.h"

namespace valija::proto {

// The log as it stood when an answer was given; unverified.
struct View {
  std::string checkpoint;         // signed note
  std::vector<Hash> consistency;  // from the size that the request named as verified; empty if it named none
  // The latest checkpoint that enough witnesses cosigned, and the consistency proof from it to `checkpoint`; empty if there
  // is none, or if `checkpoint` itself is so cosigned.
  std::string witnessed{};
  std::vector<Hash> growth{};
  bool operator==(const View&) const = default;
};

struct Receipt {
  ledger::EntryHead head;
  Salt salt;
  Bytes decision_bytes;    // serialised once by the broker; DecodeDecision reads it
  std::vector<Hash> path;  // inclusion in the checkpoint of the view beside it, the leaf's sibling first
  bool operator==(const Receipt&) const = default;
};

// A receipt as it is kept: message ReceiptAnswer, the view that it came with beside it.
// Refusals: kMalformed, kUnknownField, kTooLarge. Nothing is verified but the form.
Bytes EncodeReceipt(const Receipt& receipt, const View& view);
Result<std::pair<Receipt, View>> DecodeReceipt(ByteView bytes);

}  // namespace valija::proto
