// What is left out of a bundle that is shown to others. The log commits to a statement as a whole, so a text in it goes with all
// of it: what can be left out alone is a statement, a decision, the policies, the recipients. Each stays under a digest of
// something with 16 or 32 random bytes in it, which nobody can try out (docs/receipts.md).
// Thread-safety: a plain value.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "client/verifier.h"

namespace valija::client {

class Withhold {
 public:
  // "policies", "recipients", "decisions"; "purpose", "case", "why": the statements that say one; a kind ("open"); an entry's
  // number. kUsage.
  static Result<Withhold> Parse(const std::vector<std::string>& words);

  // Of an erased statement the redacted form still has the random bytes: its texts could be tried out by its digest.
  void ShowErased() { show_erased_ = true; }

  bool Statement(const VerifiedEntry& entry) const;
  // What is to be shown of it. It was proved, and is verified.
  proto::LoggedEntry Apply(proto::LoggedEntry entry, const VerifiedEntry& verified) const;
  const std::set<std::uint64_t>& entries() const { return entries_; }

 private:
  bool policies_ = false, recipients_ = false, decisions_ = false, purpose_ = false, case_ = false, why_ = false;
  bool show_erased_ = false;
  std::set<ledger::Kind> kinds_;
  std::set<std::uint64_t> entries_;
};

}  // namespace valija::client
