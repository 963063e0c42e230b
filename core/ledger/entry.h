// Entries: what the log says happened. What is committed to is small and fixed: index, time, and the digests of
// the statement and of the broker's decision about it, 80 bytes:
//
//   u64 index || u64 time (ms since the epoch) || statement digest (32) || decision digest (32)
//
// so that statement, decision and what travels beside them can be withheld or erased one by one while the
// commitment, H("entry", salt, these 80 bytes), still verifies. A record's policies and slips are bound by its header.
#pragma once

#include <vector>

#include "core/ledger/statement.h"

namespace valija::ledger {

struct EntryHead {
  std::uint64_t index = 0;
  Time time;
  Digest statement;
  Digest decision;

  Bytes Encode() const;
  static Result<EntryHead> Decode(ByteView bytes);  // kMalformed
  bool operator==(const EntryHead&) const = default;
};

Commitment CommitEntry(const Salt& salt, const EntryHead& head);
Hash EntryLeaf(const Commitment& commitment);  // RFC 6962 leaf hash of the commitment

// One thing judged: a portion asked for by an open, or the statement as a whole (no record, portion 0).
struct Verdict {
  Digest record;  // of an open's item; zeros for other kinds
  std::uint32_t portion = 0;
  std::vector<Reason> reasons;  // empty: allowed
  Hash policy_digest;           // the policy that decided; zeros if none did
  std::uint64_t policy_sequence = 0;
  std::string obligation;  // how the reader must handle it: the marking; empty if refused
  bool allowed() const { return reasons.empty(); }
  bool operator==(const Verdict&) const = default;
};

struct Decision {
  Digest statement;
  AuthorityId authority;
  Nonce nonce;                    // the broker's; hides a decision whose digest alone is shown
  std::vector<Verdict> verdicts;  // one per item of an open, in its order; else exactly one
  bool unwitnessed = false;       // of an opening: to be released without the quorum of witnesses, which is missing
  bool operator==(const Decision&) const = default;
};

struct Entry {
  EntryHead head;
  Salt salt;
  VerifiedStatement statement;
  Decision decision;
  Bytes decision_bytes;  // as serialised once by the broker
};

}  // namespace valija::ledger
