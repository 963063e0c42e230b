// One record's statement, apart from where its bodies' bytes come from and go to: SealHead, then per portion the body
// under SealedHead::ctx and SealPortion, then Envelope. What is signed (a batch of leaves) and how bodies travel is for
// the caller: Session::Send, and tests and the benchmark, which seal without a session.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/ledger/statement.h"
#include "core/policy/policy.h"
#include "core/record/body.h"
#include "core/record/seal.h"

namespace valija::client {

struct PortionPlan {
  policy::Policy policy;
  std::string media_type;
  std::vector<record::Recipient> recipients;  // agencies that can open it
};

struct RecordPlan {
  MemberId originator;
  KeyId signing_key;
  std::string origin;
  Time time;
  std::optional<Digest> in_reply_to;
  std::vector<record::ReleaseAuthority> authorities;
  std::vector<PortionPlan> portions;  // portion i has number i
};

struct SealedHead {
  record::Header header;
  Bytes header_bytes;
  Hash ctx;
  record::Attachments attachments;
  std::vector<std::vector<record::Slip>> slips;  // of each portion
};

// The window has begun this record (Window::Begin).
SealedHead SealHead(record::Window& window, const RecordPlan& plan, crypto::Random& random);
// `body`: what BodySealer said of the portion, sealed with this key.
record::PortionSeal SealPortion(const record::Window& window, const SealedHead& head, std::uint32_t portion,
                                const crypto::Secret& cek, const record::BodySummary& body);
// Without its batch proof yet.
ledger::Envelope RecordEnvelope(const SealedHead& head, const std::vector<record::PortionSeal>& portions);

}  // namespace valija::client
