// One record's or grant's statement, apart from where its bodies' bytes come from and go to: SealHead, then per portion
// the body under SealedHead::ctx and SealPortion, then RecordEnvelope; of a grant WrapPortion alone, then GrantEnvelope.
// What is signed and how bodies travel is for the caller: Session::Send, and tests and the benchmark, which seal without
// a session.
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
  std::vector<PortionPlan> portions;
  record::Urgency urgency = record::Urgency::kNone;
  std::vector<Digest> sources{};         // ascending
  std::vector<std::uint32_t> numbers{};  // of a grant's portions; empty: 0, 1, ..
};

struct SealedHead {
  record::Header header;
  Bytes header_bytes;
  Hash ctx;
  record::Attachments attachments;
  std::vector<std::vector<record::Slip>> slips;  // of each portion, decoys among them
};

// How many commitments a portion has, so that their number does not tell how many can open it: 4, 8, 16, ..
std::size_t PaddedRecipients(std::size_t recipients);

// The window has begun this record (Window::Begin). Commitments are padded with decoys, unless the policy lets recipients
// know of one another.
SealedHead SealHead(record::Window& window, const RecordPlan& plan, crypto::Random& random);
// The content key for everybody who can open it. `place`: in the plan.
std::vector<Bytes> WrapPortion(const record::Window& window, const SealedHead& head, std::size_t place,
                               const crypto::Secret& cek, crypto::Random& random);
// `body`: what BodySealer said of the portion, sealed with this key.
record::PortionSeal SealPortion(const record::Window& window, const SealedHead& head, std::uint32_t portion,
                                const crypto::Secret& cek, const record::BodySummary& body, crypto::Random& random);
// Without its batch proof yet.
ledger::Envelope RecordEnvelope(const SealedHead& head, const std::vector<record::PortionSeal>& portions);
// The payload of a grant of `record`. `wraps`: of each portion.
Bytes GrantPayload(const SealedHead& head, const Digest& record, std::vector<std::vector<Bytes>> wraps,
                   const std::optional<Digest>& request);

}  // namespace valija::client
