// A portion's policy: who may open it, for what, when and how often. Made by the originator, bound into the
// encryption through its digest in the header.
//
// Evaluate is pure; it names every reason that stands against an opening, in the fixed order of the checks, so
// that two brokers and an auditor get the same list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace valija::policy {

// FIRST TLP 2.0, from the strictest down.
enum class Tlp : std::uint8_t { kRed = 1, kAmberStrict = 2, kAmber = 3, kGreen = 4, kClear = 5 };
std::string_view TextOf(Tlp marking);  // "TLP:AMBER+STRICT"
std::optional<Tlp> TlpFromText(std::string_view text);

struct Audience {  // an empty audience means nobody
  std::vector<std::string> countries;
  std::vector<AgencyId> agencies;
  std::vector<MemberId> members;
  bool empty() const { return countries.empty() && agencies.empty() && members.empty(); }
  bool operator==(const Audience&) const = default;
};

struct NeedToKnow {
  std::string clearance;  // at least this level of the charter's ladder; empty: any
  std::vector<std::string> any_roles, all_roles, any_programmes, all_programmes;
  bool operator==(const NeedToKnow&) const = default;
};

// So many of these, each another person and none of them the requester.
struct Approvals {
  std::uint32_t needed = 1;
  std::vector<MemberId> approvers;  // ascending
  bool operator==(const Approvals&) const = default;
};

// May a recipient have it released to others? (third-agency rule)
enum class Onward : std::uint8_t { kAsk = 0, kNever = 1, kWithinCountry = 2 };

struct Policy {
  Tlp marking = Tlp::kRed;
  Audience releasable_to;
  NeedToKnow need_to_know;
  std::vector<std::string> purposes;      // at least one; an open request must state one of them
  bool case_required = true;              // ... with a case reference
  std::optional<Time> not_before;         // inclusive
  std::optional<Time> expires;            // exclusive
  std::uint32_t openings_per_agency = 0;  // granted openings of this portion; 0: no limit
  std::uint32_t openings_in_all = 0;
  std::vector<Approvals> approvals;  // each must be met; at most 8, nobody in two of them
  std::uint32_t approval_hours =
      0;                   // a request waits, and its approvals are good, so long; 1..720 if there are approvals
  bool emergency = false;  // break-glass may open it without the approvals
  Onward onward = Onward::kAsk;
  bool audience_shown = false;  // recipients are told of one another
  bool operator==(const Policy&) const = default;
};

// The rules of the form itself, without a charter: every list sorted ascending without doubles, at most 256 long, labels
// well spelled, TLP:RED names members only (TLP 2.0: "for individual recipients only"), the window is not empty, groups of
// approvers can be met and have nobody in common.
// kBadPolicy.
// The charter's caps are checked by ledger::decide.
Status Validate(const Policy& policy);

// Does `policy` allow nothing that `than` does not, audiences aside? For who passes on what is not its own.
bool NoLaxer(const Policy& policy, const Policy& than, const std::vector<std::string>& clearance_ladder);

// What the directory knows of who asks.
struct Attributes {
  std::string clearance;                       // a level of the charter's ladder, or empty: none
  std::vector<std::string> roles, programmes;  // sorted
  bool operator==(const Attributes&) const = default;
};

// Is this member inside the audience at all? Whoever is not cannot tell that the portion exists.
bool InAudience(const Audience& audience, const MemberId& member);

struct Question {
  const MemberId& member;
  const Attributes& attributes;
  const std::vector<std::string>& clearance_ladder;  // lowest first, from the charter
  std::string_view purpose;
  std::string_view case_reference;
  Time now;
  std::uint64_t opened_by_agency = 0;
  std::uint64_t opened_in_all = 0;
};

// Empty: allowed. Otherwise not-releasable alone (whoever is outside the audience learns nothing else of the policy), or
// every reason in the order: clearance, role-missing, programme-missing, wrong-purpose, case-missing, not-yet, expired,
// limit-reached. Approvals are the ledger's to judge: they are statements.
std::vector<Reason> Evaluate(const Policy& policy, const Question& question);

// ---- The text form (docs/formats.md): one "key value" a line, '#' comments; what an officer writes and a reviewer
// reads. Errors say the line, what stands there, and what would be right. ToText(ParseText(x)) is canonical.
struct TextError {
  int line = 0;  // 0: of the text as a whole (a line that is missing)
  std::string message;
};
struct TextResult {
  std::optional<Policy> policy;
  std::vector<TextError> errors;  // all of them, not only the first
};
TextResult ParseText(std::string_view text);
std::string ToText(const Policy& policy);

}  // namespace valija::policy
