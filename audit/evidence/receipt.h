// A statement's receipt as it is kept for years: a C2SP tlog-proof file whose `extra` opens the leaf.
//
//   extra = salt (32 bytes) || entry head (80 bytes)
//
// With a policy file (core/log/policy_history.h) and nothing else it proves that the log, and the witnesses of its time, had
// an entry with this index and statement. Its time is the log's word, and not later than they had seen it; what was decided is
// there by its digest alone.
//
// No I/O in here. Thread-safety: pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/ledger/entry.h"
#include "core/log/tlog_proof.h"

namespace valija::evidence {

struct Receipt {
  ledger::EntryHead head;
  Salt salt;
  std::vector<Hash> path;
  std::string checkpoint;  // a note, with its cosignatures
};

std::string ReceiptText(const Receipt& receipt);
Result<Receipt> ParseReceipt(std::string_view text);  // kMalformed

struct Proved {
  ledger::EntryHead head;
  log::WitnessPolicy::Witnessed under;
  bool witnesses_asked = false;  // the policy of its time asks for some
};
// kBadCheckpoint: not by a log of the policy, or a signature of a known key does not hold; kBadProof: too few cosigned, the
// path does not lead to the root, or the entry is of a later time than they had seen it.
Result<Proved> VerifyReceipt(const Receipt& receipt, const log::PolicyHistory& policies);

// An entry of this time is under what they cosigned: a quorum had seen it by then, but for how much clocks may differ. Ok where
// the policy asks for nobody.
Status CheckSeen(Time made, const log::WitnessPolicy& policy, const std::map<std::string, std::uint64_t>& cosigned,
                 Duration skew);

// When a witness said so; nothing after the year 9999.
Time CosignedAt(std::uint64_t seconds);

// Is this the statement's envelope (serialised), or its PAE? kBadProof: it is another's.
Status CheckStatement(const ledger::EntryHead& head, ByteView file);

}  // namespace valija::evidence
