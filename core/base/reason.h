// Every refusal of Valija by a stable code, in one table: the code that programs and logs see, the class
// that gives the gRPC status and the exit status, and the sentence that people see.
//
// Codes never change their meaning and are never translated. docs/formats.md lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace valija {

// What kind of refusal it is. The gRPC status of the same name is used on the wire
// (broker/status.cc), and ExitStatus() below in every program.
enum class Class : std::uint8_t {
  kInvalid,          // the input is malformed or breaks a rule of its format   INVALID_ARGUMENT
  kUnauthenticated,  // who calls could not be established                      UNAUTHENTICATED
  kDenied,           // understood, authentic, and not allowed                  PERMISSION_DENIED
  kNotFound,         // absent, or not to be told from absent                   NOT_FOUND
  kConflict,         // the same thing exists already, or the world moved on    ALREADY_EXISTS / ABORTED
  kPrecondition,     // something else must happen first                        FAILED_PRECONDITION
  kExhausted,        // a limit or a full pool                                  RESOURCE_EXHAUSTED
  kUnavailable,      // cannot be done now; try again                           UNAVAILABLE
  kDeadline,         // not done in time; whether it happened may be unknown    DEADLINE_EXCEEDED
  kTampered,         // a proof, signature or seal does not hold: an alarm      DATA_LOSS
  kInternal,         // a fault of ours                                         INTERNAL
};

// clang-format off
//       name                code                      class             sentence
#define VALIJA_REASONS(X)                                                                                            \
  X(kMalformed,          "malformed",              kInvalid,         "The input is not in the form that its format requires.") \
  X(kUnknownField,       "unknown-field",          kInvalid,         "A field that this version does not know is refused.") \
  X(kUnknownType,        "unknown-type",           kInvalid,         "A statement of an unknown kind is refused.")       \
  X(kUnknownSuite,       "unknown-suite",          kInvalid,         "The cryptographic suite is not one this version knows.") \
  X(kForeignOrigin,      "foreign-origin",         kInvalid,         "The statement was made for another log.")          \
  X(kTooLarge,           "too-large",              kInvalid,         "The message is larger than the limit.")            \
  X(kBadKey,             "bad-key",                kInvalid,         "The key is not a valid key of the required kind.") \
  X(kBadSignature,       "bad-signature",          kInvalid,         "The signature does not hold.")                     \
  X(kBadBatch,           "bad-batch",              kInvalid,         "The batch signature or its path does not hold.")   \
  X(kBadTime,            "bad-time",               kInvalid,         "The statement's time is too far from the broker's clock.") \
  X(kBadPolicy,          "bad-policy",             kInvalid,         "The policy breaks a rule of its format or of the charter.") \
  X(kBadHeader,          "bad-header",             kInvalid,         "The record header breaks a rule of its format.")   \
  X(kBadSlip,            "bad-slip",               kInvalid,         "A recipient commitment has no slip that opens it, or the slip does not.") \
  X(kBadCertificate,     "bad-certificate",        kInvalid,         "The certificate does not hold.")                   \
  X(kBadConfiguration,   "bad-configuration",      kInvalid,         "The configuration is not usable.")                 \
  X(kUsage,              "usage",                  kInvalid,         "The command's words do not fit together.")         \
  X(kNoIdentity,         "no-identity",            kUnauthenticated, "The caller presented no certificate of an agency of the charter.") \
  X(kNotEnrolled,        "not-enrolled",           kUnauthenticated, "The caller is not an active member.")              \
  X(kWrongAuthor,        "wrong-author",           kDenied,          "A statement may be submitted only by its author.") \
  X(kNotAuthorised,      "not-authorised",         kDenied,          "The author has not the role that this act requires.") \
  X(kNotReleasable,      "not-releasable",         kDenied,          "The record is not releasable to this member.")     \
  X(kClearance,          "clearance",              kDenied,          "The member's clearance is below what the policy requires.") \
  X(kRoleMissing,        "role-missing",           kDenied,          "The member lacks a role that the policy requires.") \
  X(kProgrammeMissing,   "programme-missing",      kDenied,          "The member is not read into a programme that the policy requires.") \
  X(kWrongPurpose,       "wrong-purpose",          kDenied,          "The stated purpose is not one that the policy allows.") \
  X(kCaseMissing,        "case-missing",           kDenied,          "The policy requires a case reference.")            \
  X(kNotYet,             "not-yet",                kDenied,          "The policy does not allow opening before its window.") \
  X(kExpired,            "expired",                kDenied,          "The window of the policy has ended.")              \
  X(kRevoked,            "revoked",                kDenied,          "The record was revoked by its originator.")        \
  X(kLimitReached,       "limit-reached",          kDenied,          "The openings that the policy allows are used up.") \
  X(kApprovalMissing,    "approval-missing",       kDenied,          "The approvals that the policy requires are not there; the request waits for them.") \
  X(kRejected,           "rejected",               kDenied,          "An approver rejected the request.")                \
  X(kNoEmergency,        "no-emergency",           kDenied,          "The policy does not allow an emergency opening.")  \
  X(kEmergencyLocked,    "emergency-locked",       kDenied,          "An emergency opening of this person waits for its review.") \
  X(kSamePerson,         "same-person",            kDenied,          "The same person may not act twice here.")          \
  X(kNoConsent,          "no-consent",             kDenied,          "The originator has not consented to this.")        \
  X(kMarkingTooLow,      "marking-too-low",        kDenied,          "A derived record is marked as strictly as its sources, unless their originators consent to less.") \
  X(kPurged,             "purged",                 kDenied,          "The content was purged.")                          \
  X(kOrderEnded,         "order-ended",            kDenied,          "The standing order has ended.")                    \
  X(kNotOriginator,      "not-originator",         kDenied,          "Only the originator may do this to a record.")     \
  X(kNotFound,           "not-found",              kNotFound,        "There is no such thing, or it is not for this caller.") \
  X(kAmbiguous,          "ambiguous",              kNotFound,        "The prefix names more than one record; give more digits.") \
  X(kExists,             "exists",                 kConflict,        "It exists already.")                               \
  X(kReplayed,           "replayed",               kConflict,        "This request was used before; a request is good once.") \
  X(kHeaderReused,       "header-reused",          kConflict,        "Another statement under this header was accepted already.") \
  X(kSupersededEpoch,    "superseded-epoch",       kPrecondition,    "The record is sealed to a key epoch that was replaced; fetch the directory and send again.") \
  X(kWrongPrevious,      "wrong-previous",         kPrecondition,    "The statement does not name the one before it.")   \
  X(kLastAdministrator,  "last-administrator",     kPrecondition,    "An agency keeps at least one administrator.")      \
  X(kBodyMissing,        "body-missing",           kPrecondition,    "The sealed body was not uploaded.")                \
  X(kRequestExpired,     "request-expired",        kPrecondition,    "The request's own expiry has passed.")             \
  X(kLocked,             "locked",                 kPrecondition,    "The profile or the store is in use by another process.") \
  X(kNotReady,           "not-ready",              kPrecondition,    "Something else has to be done first.")             \
  X(kPoolFull,           "pool-full",              kExhausted,       "The broker has as much work as it takes; try again shortly.") \
  X(kTooMany,            "too-many",               kExhausted,       "A limit on how many was reached.")                 \
  X(kSlowConsumer,       "slow-consumer",          kExhausted,       "The stream was not read fast enough; resume from the last cursor.") \
  X(kUnavailable,        "unavailable",            kUnavailable,     "The broker cannot be reached or does not serve now.") \
  X(kStorage,            "storage",                kUnavailable,     "The store cannot take the write; nothing was accepted.") \
  X(kOutcomeUnknown,     "outcome-unknown",        kUnavailable,     "Whether the write happened is unknown; ask again for the statement's receipt.") \
  X(kNoQuorum,           "no-quorum",              kUnavailable,     "The witnesses that the charter asks for have not cosigned; nothing is released without them.") \
  X(kStale,              "stale",                  kUnavailable,     "The log's witnesses cosigned longer ago than the charter allows.") \
  X(kShuttingDown,       "shutting-down",          kUnavailable,     "The broker is stopping.")                          \
  X(kDeadline,           "deadline",               kDeadline,        "Not done before the deadline.")                    \
  X(kBadSeal,            "bad-seal",               kTampered,        "The sealed data does not open: it is not what was sealed, or not for this key.") \
  X(kBadBody,            "bad-body",               kTampered,        "The sealed body is not the one that was signed.")  \
  X(kBadProof,           "bad-proof",              kTampered,        "The proof from the log does not hold.")            \
  X(kBadCheckpoint,      "bad-checkpoint",         kTampered,        "The checkpoint is not signed by the log's key.")   \
  X(kFork,               "fork",                   kTampered,        "The log shown now is not a continuation of the log seen before.") \
  X(kRolledBack,         "rolled-back",            kTampered,        "The store or the log is older than what was acknowledged.") \
  X(kWrongRelease,       "wrong-release",          kTampered,        "What the broker released is not the answer to this request.") \
  X(kCorrupt,            "corrupt",                kTampered,        "Stored data is damaged.")                          \
  X(kFinding,            "finding",                kTampered,        "The audit found something that does not hold.")    \
  X(kUnsafeFile,         "unsafe-file",            kPrecondition,    "The file may be read or changed by others; it is not used.") \
  X(kBadPassphrase,      "bad-passphrase",         kDenied,          "The passphrase does not open the key file.")       \
  X(kFile,               "file",                   kUnavailable,     "The file could not be read or written.")           \
  X(kInternal,           "internal",               kInternal,        "A fault inside the program; the operations log has more.")
// clang-format on

enum class Reason : std::uint8_t {
#define X(name, code, klass, sentence) name,
  VALIJA_REASONS(X)
#undef X
};

std::string_view CodeOf(Reason reason);  // "not-releasable"
Class ClassOf(Reason reason);
std::string_view SentenceOf(Reason reason);  // English, one sentence
std::optional<Reason> ReasonFromCode(std::string_view code);

// Exit status of every program: 0 done; 2 usage or invalid input; 3 denied or not found; 4 try again
// (unavailable, exhausted, deadline, precondition, conflict); 5 ALARM: a proof or seal does not hold;
// 1 anything else. (valija-audit uses its own: 0 proved, 1 finding, 2 could not run.)
int ExitStatus(Reason reason);

}  // namespace valija
