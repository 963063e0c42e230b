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
#include "core/record/check.h"

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
Bytes EncodeCharterAmendment(const ledger::CharterAmendment& amendment);
Bytes EncodeGrant(const ledger::Grant& grant);              // its header_bytes; its header is not written again
Bytes EncodeAmendment(const ledger::Amendment& amendment);  // its policy travels in the attachments
Bytes EncodeApproval(const ledger::Approval& approval);
Bytes EncodeReview(const ledger::Review& review);
Bytes EncodeAccessRequest(const ledger::AccessRequest& request);
Bytes EncodeAnswer(const ledger::Answer& answer);
Bytes EncodeStandingOrder(const ledger::StandingOrder& order);
Bytes EncodeStandingOpening(const ledger::StandingOpening& opening);
Bytes EncodePurge(const ledger::Purge& purge);
Bytes EncodeLookup(const ledger::Lookup& lookup);

// With record::CheckHeader of what it is the header of.
Result<record::Header> DecodeHeader(ByteView bytes, record::HeaderOf what = record::HeaderOf::kRecord);
// The payload of this kind.
Result<ledger::Payload> DecodePayload(ledger::Kind kind, ByteView bytes);

// ---- redacted form (statement.proto): what stays of a payload that a purge erased ----
// A record or a grant without its wraps, any other with its texts replaced by kErasedText. kMalformed: there is nothing to
// erase in this kind or in this payload; else refusals of DecodePayload.
using ledger::kErasedText;
Result<Bytes> RedactPayload(ledger::Kind kind, ByteView payload);
// Reads what RedactPayload can give, and nothing else. A record's wraps are then missing: record::CheckSeals refuses it.
Result<ledger::Payload> DecodeRedacted(ledger::Kind kind, ByteView redacted);

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
// Envelope + attachments -> Statement (kind by payload type, digest computed, payload decoded). The policies of a record, a
// grant or an amendment are decoded if they are there. Whether a header names them Decide judges, which has the header and
// the attachments; an amendment keeps only its policy, so that is judged here: kBadPolicy.
Result<ledger::Statement> MakeStatement(ledger::Envelope envelope, record::Attachments attachments = {});
// The same from an envelope in redacted form; the digest is the original's, which the entry's head names.
Result<ledger::Statement> MakeErasedStatement(ledger::Envelope envelope, const Digest& digest,
                                              record::Attachments attachments = {});

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
  // Index of the purge that erased the statement: the envelope is then in redacted form, without signatures.
  std::optional<std::uint64_t> erased_by = std::nullopt;
};
Bytes EncodeLoggedEntry(const LoggedEntry& entry);
Result<LoggedEntry> DecodeLoggedEntry(ByteView bytes);
// All parts that are there hold together: commitment opens to head, head names the digests of envelope and decision,
// policies and slips are the header's, the amendment's policy is the one it names. kBadProof says which does not.
// Of an erased statement this sees the form and not the truth: that is CheckErasure's.
Status CheckLoggedEntry(const LoggedEntry& entry);
// What stays of the erased statement is what this purge, of the entry with this index, says; both are verified already.
// kBadProof.
Status CheckErasure(const LoggedEntry& erased, std::uint64_t purge_index, const ledger::Purge& purge);

}  // namespace valija::proto
