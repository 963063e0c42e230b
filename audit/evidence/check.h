// What an evidence bundle (proto/bundle.h) proves, found out offline: every entry is under one checkpoint, which the log of a
// trusted policy signed and its witnesses cosigned; every statement that is shown is signed by a key which the entries here
// lead back to the charter's signers; every part that is shown is the one that its entry commits to.
//
// What is not shown of an entry is withheld under a digest of something with random bytes in it, or was not for whoever made
// the bundle. The rules are run again for the charter, its amendments and enrolments; of everything else the decision is the
// log's, under its checkpoint, and auditors are who derives it again.
//
// No I/O in here. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ledger/entry.h"
#include "core/log/policy_history.h"
#include "proto/bundle.h"

namespace valija::evidence {

// What is known from elsewhere than the bundle. The policies, always: whoever had a key that the charter gave up since could
// sign a tree without that amendment, and no bundle would show that it was left out.
struct Trust {
  log::PolicyHistory policies;
  std::optional<Digest> charter{};  // of the founding charter, besides
};

struct Line {
  ledger::EntryHead head;
  bool directory = false;                        // charter, amendment, enrolment: whose keys they are
  std::optional<ledger::Statement> statement{};  // nullopt: not shown
  std::optional<ledger::Decision> decision{};    // nullopt: not shown
  std::optional<std::uint64_t> erased_by{};      // entry of the purge that erased the statement
  bool about = false;                            // what is shown says that it is about the record
  bool by_log_alone = false;                     // a standing opening whose order is not shown: nobody signed it
  std::size_t others = 0;                        // other records or statements that its statement or decision names
};

// Something that an entry names and the bundle has not.
struct Gap {
  std::uint64_t entry = 0;
  Digest statement;            // zeros: an amendment of the policy, by its number
  std::uint64_t sequence = 0;  // of the amendment
};

struct CheckedBundle {
  Digest record;
  MemberId member;  // who made and signed it
  Time time;        // by its word
  Digest charter;   // the founding one
  std::string title;
  log::WitnessPolicy::Witnessed under;
  bool witnesses_asked = false;
  std::size_t signatures = 0;
  std::set<Digest> family;  // the record, its original, its grants
  std::vector<Line> lines;  // ascending
  std::vector<Gap> gaps;

  bool Has(const Digest& statement) const;  // an entry of it, shown or not
};

// An Error: it does not hold, and where.
Result<CheckedBundle> CheckBundle(ByteView file, const Trust& trust);

}  // namespace valija::evidence
