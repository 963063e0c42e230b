// What is left out of a bundle that is shown to others. The log commits to a statement as a whole, so a text in it goes with all
// of it: what can be left out alone is a statement, a decision, the policies, the recipients. Each stays under a digest of
// something with 16 or 32 random bytes in it, which nobody can try out (docs/receipts.md).
// Thread-safety: a plain value.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "client/verifier.h"

namespace valija::client {

// Entries as the broker showed them, proved, and as they were verified; by index.
struct FoundEntry {
  proto::LoggedEntry entry;
  VerifiedEntry verified;
};
using FoundEntries = std::map<std::uint64_t, FoundEntry>;

class Withhold {
 public:
  // "policies", "recipients", "decisions"; "purpose", "case", "why": the statements that say one; a kind ("open"); an entry's
  // number. kUsage.
  static Result<Withhold> Parse(const std::vector<std::string>& words);

  // Of an erased statement the redacted form still has the random bytes: its texts could be tried out by its digest.
  void ShowErased() { show_erased_ = true; }

  // Whose statement is left out. What a purge left cannot be shown without the purge: `dependent` are those that go for that
  // reason alone.
  struct Left {
    std::set<std::uint64_t> statements, dependent;
  };
  Left From(const FoundEntries& found) const;
  // What is to be shown of an entry, with its statement or without.
  proto::LoggedEntry Apply(proto::LoggedEntry entry, bool statement) const;
  const std::set<std::uint64_t>& entries() const { return entries_; }

 private:
  bool Statement(const VerifiedEntry& entry) const;
  bool policies_ = false, recipients_ = false, decisions_ = false, purpose_ = false, case_ = false, why_ = false;
  bool show_erased_ = false;
  std::set<ledger::Kind> kinds_;
  std::set<std::uint64_t> entries_;
};

}  // namespace valija::client
