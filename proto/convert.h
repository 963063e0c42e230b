// Messages <-> core types: the one place where absent, unknown and ill-formed fields are judged.
//
// Decode* take bytes from anybody: unknown fields (at any depth), unknown enum values, wrong lengths, ids that are not
// spelled right, lists out of order are refused (kUnknownField, kMalformed, ...). Recursion is limited.
// Encode* are used once by the author; nobody re-serialises to verify.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/ledger/entry.h"
#include "core/ledger/statement.h"

namespace valija::proto {

// ---- payloads: made once by their author ----
Bytes EncodeCharter(const ledger::Charter& charter);
Bytes EncodeEnrolment(const ledger::Enrolment& enrolment);
Bytes EncodeEpoch(const ledger::Epoch& epoch);
Bytes EncodeHeader(const record::Header& header);
Bytes EncodeRecord(ByteView header_bytes, const std::vector<record::PortionSeal>& portions);
Bytes EncodeOpen(const ledger::Open& open);
Bytes EncodeAcknowledgement(const ledger::Acknowledgement& acknowledgement);
Bytes EncodeRevocation(const ledger::Revocation& revocation);

Result<record::Header> DecodeHeader(ByteView bytes);
// The payload of this kind.
Result<ledger::Payload> DecodePayload(ledger::Kind kind, ByteView bytes);

// ---- policies: bytes = 32 random || message ----
Bytes EncodePolicy(const Salt& random, const policy::Policy& policy);
Result<policy::Policy> DecodePolicy(ByteView policy_bytes);  // also policy::Validate
Hash PolicyDigest(ByteView policy_bytes);

// ---- decisions ----
Bytes EncodeDecision(const ledger::Decision& decision);
Result<ledger::Decision> DecodeDecision(ByteView bytes);

// ---- envelopes and logged entries, serialised (for files and stores) ----
Bytes EncodeEnvelope(const ledger::Envelope& envelope);
Result<ledger::Envelope> DecodeEnvelope(ByteView bytes);
// Envelope + attachments -> Statement (kind by payload type, digest computed, payload decoded).
Result<ledger::Statement> MakeStatement(ledger::Envelope envelope, record::Attachments attachments = {});

Bytes EncodeAttachments(const record::Attachments& attachments);
Result<record::Attachments> DecodeAttachments(ByteView bytes);

// An entry as stored and shown (message LoggedEntry): parts that the reader may not see are absent.
struct LoggedEntry {
  Commitment commitment;
  std::optional<Salt> salt;
  std::optional<ledger::EntryHead> head;
  std::optional<ledger::Envelope> envelope;
  Bytes decision_bytes;  // empty: withheld
  record::Attachments attachments;
};
Bytes EncodeLoggedEntry(const LoggedEntry& entry);
Result<LoggedEntry> DecodeLoggedEntry(ByteView bytes);
// All parts that are there hold together: commitment opens to head, head names the digests of envelope and decision,
// policies and slips are the header's. kBadProof says which does not.
Status CheckLoggedEntry(const LoggedEntry& entry);

}  // namespace valija::proto
