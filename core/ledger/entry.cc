#include "core/ledger/entry.h"

#include <limits>

#include "core/log/tree.h"
#include "core/record/slip.h"

namespace valija::ledger {

inline constexpr std::size_t kHeadSize = 80;

Bytes EntryHead::Encode() const {
  Bytes out;
  out.reserve(kHeadSize);
  AppendU64(out, index);
  AppendU64(out, static_cast<std::uint64_t>(ToMillis(time)));
  Append(out, statement);
  Append(out, decision);
  return out;
}

Result<EntryHead> EntryHead::Decode(ByteView bytes) {
  if (bytes.size() != kHeadSize) return Refuse(Reason::kMalformed, "an entry's head has 80 bytes");
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint64_t index = ReadU64(bytes.data()), time = ReadU64(bytes.data() + 8);
  if (index > kMost || time > kMost) return Refuse(Reason::kMalformed, "an entry's index and time are below 2^63");
  EntryHead out;
  out.index = index;
  out.time = FromMillis(static_cast<std::int64_t>(time));
  out.statement = *Digest::From(bytes.subspan(16, 32));
  out.decision = *Digest::From(bytes.subspan(48, 32));
  return out;
}

Commitment CommitEntry(const Salt& salt, const EntryHead& head) {
  return record::CommitEntryBytes(salt, head.Encode());
}

Hash EntryLeaf(const Commitment& commitment) { return log::LeafHash(commitment); }

}  // namespace valija::ledger
