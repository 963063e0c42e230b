// Statements: what somebody signed. A type, exact payload bytes, a signature over their PAE (DSSE).
//
// proto/convert parses the bytes (refusing unknown fields and kinds) into these structs; VerifyStatement below
// turns a Statement into a VerifiedStatement, and only that is decided, logged or shown.
//
// Every payload carries author, the author's signing key id, the log's origin, time and nonce (Authorship).
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/crypto/keys.h"
#include "core/policy/policy.h"
#include "core/record/batch.h"
#include "core/record/header.h"

namespace valija::ledger {

enum class Kind : std::uint8_t {
  kCharter = 1,
  kEnrolment,
  kEpoch,
  kRecord,
  kOpen,
  kAcknowledgement,
  kRevocation,
  kCharterAmendment,
  kGrant,
  kAmendment,
  kApproval,
  kReview,
  kAccessRequest,
  kAnswer,
  kStandingOrder,
  kStandingOpening,
  kPurge,
  kLookup,
};
std::string_view NameOf(Kind kind);  // "acknowledgement"
std::string PayloadType(Kind kind);  // "application/vnd.valija.record.v1"
std::optional<Kind> KindFromPayloadType(std::string_view type);
inline constexpr std::string_view kDecisionType = "application/vnd.valija.decision.v1";
inline constexpr std::string_view kBatchType = "application/vnd.valija.batch.v1";
bool IsDirectoryKind(Kind kind);  // charter, its amendments, enrolments, epochs: who is who
bool MustBeBatched(Kind kind);    // record and open: yes; every other kind: never

struct Authorship {
  MemberId author;
  KeyId key_id;        // of the author's signing key
  std::string origin;  // of the log it is made for
  Time time;
  Nonce nonce;
};

// ---- The directory ----

struct MemberKeys {
  KeyId auth_key_id;  // SPKI of the TLS client certificate
  Point signing_key;  // ECDSA P-256
  Point kem_key;      // key management: epoch keys are sealed to it
  bool operator==(const MemberKeys&) const = default;
};

enum class MemberStatus : std::uint8_t { kActive = 1, kRemoved = 2, kSuspended = 3 };

// An agency's epoch private key sealed to one member (sealing.md 7).
struct EpochWrap {
  std::uint64_t epoch = 0;
  MemberId member;
  KeyId member_kem_key_id;
  Point enc;
  Bytes ciphertext;  // 48 bytes
};

struct MemberRecord {  // what the directory says of one member
  MemberId id;
  MemberStatus status = MemberStatus::kActive;
  MemberKeys keys;
  policy::Attributes attributes;
  bool administrator = false;
  bool auditor = false;  // of its own agency; joint auditors are named by the charter
  std::string person{};  // label: the same in all members of the agency that are one person; empty: a system
  bool operator==(const MemberRecord&) const = default;
};

struct CharterAgency {
  AgencyId id;
  std::string name;                          // for people, UTF-8
  Bytes ca_certificate;                      // DER
  std::vector<MemberRecord> administrators;  // at least one, all of this agency
};

struct CharterAuthority {
  AuthorityId id;
  Point release_key;  // KEM
};

struct CharterCaps {
  std::uint32_t max_window_days = 3650;  // expires - now at most; a policy without an end counts as exceeding
  std::uint32_t max_portions = 16;
  std::uint32_t max_recipients = 64;  // agencies per portion
  std::uint64_t max_body_bytes = std::uint64_t{16} << 30;
  std::uint32_t clock_skew_seconds = 300;        // a statement's time may differ so much from the broker's
  std::uint32_t request_lifetime_seconds = 900;  // an open request's expiry - time at most
  std::uint32_t epoch_grace_seconds = 3600;      // records sealed to the epoch or release key before are taken so long
  // How long a record that asks may wait for its answer, by urgency: normal, urgent, immediate.
  std::array<std::uint32_t, 3> response_hours = {240, 48, 8};
  bool operator==(const CharterCaps&) const = default;
};

struct Charter {
  std::string origin;
  std::string title;
  Time time;
  Nonce nonce;
  std::vector<CharterAgency> agencies;        // ascending by id
  std::vector<CharterAuthority> authorities;  // release authorities: brokers; the first is this log's
  std::string log_key;                        // vkey text; its name is the origin
  Bytes carrier_ca_certificate;               // DER: issues the brokers' TLS certificates
  std::vector<MemberId> joint_auditors;
  std::vector<std::string> purposes;    // what policies and requests may name
  std::vector<std::string> clearances;  // lowest first
  CharterCaps caps;
  std::uint32_t amendment_signatures = 1;  // of so many agencies; 1 to all of them
  // Whose cosignatures an opening waits for: a tlog-policy, as WitnessPolicy::Text writes it, without logs. A witness is
  // named "agency" or "agency/label" by whoever runs it. Empty: nobody's.
  std::string witness_policy;
  std::uint32_t max_checkpoint_age_seconds =
      0;                                     // above 0 with witnesses: since when a reader refuses what they cosigned
  std::uint32_t degraded_after_seconds = 0;  // so long the quorum must be missing to go without; 0: never
};

struct CharterAmendment {
  Charter charter;  // as it is from here on
  Digest previous;  // of the charter or amendment before
};

struct Enrolment {
  Authorship by;  // an administrator of the member's agency
  MemberRecord member;
  Digest previous;               // the member's enrolment before this; zeros for the first
  std::vector<EpochWrap> wraps;  // epochs opened to this member with this act
};

struct Epoch {
  Authorship by;  // an administrator
  AgencyId agency;
  std::uint64_t epoch = 0;  // counts up from 1
  Point public_key;
  Time not_after;
  Digest previous;               // zeros for the first
  std::vector<EpochWrap> wraps;  // exactly one per active member that has none newer, ascending by member
};

// ---- Records ----

struct Record {
  record::RecordPayload payload;         // its Authorship is in the header
  std::vector<policy::Policy> policies;  // decoded from the attachments, one per portion; empty if withheld
};

struct OpenItem {
  Digest record;
  std::uint32_t portion = 0;
  KeyId epoch_key_id;  // the epoch key this member will open its share with
};

// Of one originator's agency: it is shown the whole request, and must not learn of others' records from it.
struct Open {
  Authorship by;                // nonce: the request id, used once
  std::vector<OpenItem> items;  // 1..256, no pair twice, records of one originator's agency
  AgencyId agency;
  std::string purpose, case_reference;
  Point reply_key;                    // fresh KEM key
  std::uint64_t checkpoint_size = 0;  // the last checkpoint the client verified
  Hash checkpoint_root;
  Time expires;
  std::optional<Digest> approved_request{};  // an earlier Open of the same author, for the same
  std::string emergency{};                   // why it must be opened without the approvals; empty: it need not
};

struct Acknowledgement {
  Authorship by;
  Digest record;
  std::string outcome;  // one of kOutcomes
};
inline constexpr std::string_view kOutcomes[] = {"received", "useful", "acted-on", "not-useful", "erased"};

struct Revocation {
  Authorship by;
  Digest record;
  std::string why;      // 1..200 printable UTF-8; everybody concerned reads it
  bool recall = false;  // and every holder is asked to erase it
};

// ---- The life of a record ----

// A later recipient: a record without a body of its own. Everywhere its digest is named like a record's.
struct Grant {
  Bytes header_bytes;
  record::Header header;                  // header_bytes, parsed
  Hash ctx;                               // H("record", header_bytes)
  Digest record;                          // the original
  std::vector<std::vector<Bytes>> wraps;  // per portion of the header, in its order
  std::optional<Digest> request;          // the AccessRequest that it answers
  std::vector<policy::Policy> policies;   // decoded from the attachments, one per portion; empty if withheld
};

struct Amendment {
  Authorship by;
  Digest record;  // of a record or a grant
  std::uint32_t portion = 0;
  Hash previous;  // digest of the policy that it replaces
  std::uint64_t sequence = 0;
  Hash policy_digest;
  std::optional<policy::Policy> policy;  // decoded from the attachments; absent if withheld
};

enum class ApprovalVerdict : std::uint8_t { kApprove = 1, kReject = 2, kWithdraw = 3 };
struct Approval {
  Authorship by;
  Digest request;  // an Open
  ApprovalVerdict verdict = ApprovalVerdict::kApprove;
  std::string why;
};

enum class Finding : std::uint8_t { kJustified = 1, kNotJustified = 2 };
struct Review {
  Authorship by;
  Digest request;  // an Open
  Finding finding = Finding::kJustified;
  std::string why;
};

enum class Wish : std::uint8_t { kOpen = 1, kOnward = 2, kMarkLess = 3 };
struct AccessRequest {
  Authorship by;
  Digest record;
  std::vector<std::uint32_t> portions;  // ascending; empty: all
  Wish wish = Wish::kOpen;
  AgencyId agency;                     // who shall receive it
  std::optional<policy::Tlp> marking;  // kMarkLess: the marking asked for
  std::string purpose, case_reference, why;
};

struct Answer {
  Authorship by;
  Digest request;                      // an AccessRequest
  std::optional<policy::Tlp> marking;  // consent to this marking; absent: declined
  std::string why;
};

struct StandingOrder {
  Authorship by;
  AgencyId agency;
  std::string purpose, case_reference;
  Point reply_key;  // fresh KEM key
  Time expires;
};

// Made by the broker under an order; nobody signs it.
struct StandingOpening {
  Digest order;
  MemberId member;  // the order's author, who opens
  Digest record;
  std::vector<std::uint32_t> portions;  // ascending, at least one
};

// What stands for a text that an erasure took away; spaces alone stay as they are.
inline constexpr std::string_view kErasedText = "[erased]";
struct Erasure {
  Digest statement;
  Hash redacted;  // SHA-256 of the payload that stays
};
struct Purge {
  Authorship by;
  std::vector<Erasure> erasures;  // 1..256, ascending by statement
  std::string why;
};

// An auditor reads the log: the entries are shown for it alone.
struct Lookup {
  Authorship by;
  std::uint64_t from_index = 0, end_index = 0;  // end 0: and whatever comes
  Time expires;
  std::string why;
};

// In the order of Kind.
using Payload =
    std::variant<Charter, Enrolment, Epoch, Record, Open, Acknowledgement, Revocation, CharterAmendment, Grant,
                 Amendment, Approval, Review, AccessRequest, Answer, StandingOrder, StandingOpening, Purge, Lookup>;

// ---- The envelope ----

struct DirectSignature {
  KeyId key_id;
  crypto::Signature signature;
};

struct BatchProof {
  Bytes payload;                // T("batch", signer key id, u64 size, root), 102 bytes
  crypto::Signature signature;  // over PAE(kBatchType, payload)
  std::uint64_t index = 0;
  std::vector<Hash> path;
};

struct Envelope {
  std::string payload_type;
  Bytes payload;
  std::vector<DirectSignature> signatures;  // one; the charter has one per founding agency
  std::optional<BatchProof> batch;          // instead, for kinds record and open
};

struct Statement {
  Kind kind = Kind::kCharter;
  Digest digest;
  Envelope envelope;
  Payload payload;                  // of an erased one what a purge left
  record::Attachments attachments;  // of a record or a grant; of an amendment its one policy
  bool erased = false;              // by a purge: nobody's signature holds over what stays
};

// Who made it, with which key, when (of a record and a grant: from the header). nullopt: a charter and its amendments have
// no single author, a standing opening has none.
std::optional<Authorship> AuthorshipOf(const Statement& statement);

// A statement whose signature held under the key it names.
class VerifiedStatement {
 public:
  const Statement& operator*() const { return statement_; }
  const Statement* operator->() const { return &statement_; }

 private:
  friend Result<VerifiedStatement> VerifyStatement(Statement statement, const crypto::VerifyKey& key,
                                                   std::optional<record::VerifiedBatch>* last);
  friend Result<VerifiedStatement> VerifyCharter(Statement statement);
  friend Result<VerifiedStatement> VerifyCharterAmendment(
      Statement statement, const std::function<std::optional<crypto::VerifyKey>(const KeyId&)>& signer);
  friend Result<VerifiedStatement> VerifyStandingOpening(Statement statement);
  friend VerifiedStatement TrustLogged(Statement statement);
  explicit VerifiedStatement(Statement statement) : statement_(std::move(statement)) {}
  Statement statement_;
};

// The key's id must be the one inside the payload and (batched) the one inside the batch payload. kBadSignature,
// kBadBatch. A kind that must be batched is refused when signed directly, and the other way round.
Result<VerifiedStatement> VerifyStatement(Statement statement, const crypto::VerifyKey& key);
// The same, keeping the batch verified last: statements of one batch that come one after another then cost one signature
// check together. Start with nullopt; not shared between threads.
Result<VerifiedStatement> VerifyStatement(Statement statement, const crypto::VerifyKey& key,
                                          std::optional<record::VerifiedBatch>* last);
// A charter is signed by at least one administrator of every agency it names, and by nobody else.
Result<VerifiedStatement> VerifyCharter(Statement statement);
// The signatures of a charter amendment. `signer` gives the key of whom the directory, or the amendment itself for an
// agency that joins, knows as an administrator (ledger::CharterSigner in state.h); Decide judges whether they are enough.
using SignerLookup = std::function<std::optional<crypto::VerifyKey>(const KeyId&)>;
Result<VerifiedStatement> VerifyCharterAmendment(Statement statement, const SignerLookup& signer);
// A standing opening has no signature, and must have none: Decide judges the order behind it. Only a broker makes one.
Result<VerifiedStatement> VerifyStandingOpening(Statement statement);
// For a broker's start alone: a statement of its own journal whose entry was found in its own log's tree, which it
// verified before it logged it. The signature is not verified again.
VerifiedStatement TrustLogged(Statement statement);

}  // namespace valija::ledger
