// The entries of a bundle, one after another: whose keys there are, what is signed by whom, and what belongs to the record.
// Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/evidence/check.h"
#include "core/ledger/state.h"

namespace valija::evidence {

class Fold {
 public:
  Fold(const Digest& record, std::string origin) : record_(record), origin_(std::move(origin)) {
    family_.insert(record);
  }

  // Its parts hold together already, and it is in the log. Ascending.
  Status Take(const proto::LoggedEntry& entry);
  // What only the whole shows: the record is there, every erasure has its purge, every order an opening.
  Status End();

  const ledger::State& directory() const { return directory_; }
  const std::vector<std::pair<std::uint64_t, ledger::Charter>>& charters() const { return charters_; }
  std::size_t signatures() const { return signatures_; }
  const std::set<Digest>& family() const { return family_; }
  std::vector<Line> TakeLines() { return std::move(lines_); }
  std::vector<Gap> TakeGaps() { return std::move(gaps_); }

 private:
  struct Erased {
    proto::LoggedEntry entry;
    ledger::Kind kind;
    MemberId author;
  };
  Result<ledger::Statement> Verify(const proto::LoggedEntry& entry);
  Result<ledger::Statement> VerifyErased(const proto::LoggedEntry& entry);
  Status TakeDirectory(const proto::LoggedEntry& entry, const ledger::Statement& statement,
                       const std::optional<ledger::Decision>& decision);
  // True: it is about the record. False: it may be, by something that is not shown. kBadProof: it is not.
  Result<bool> About(Line& line);
  Result<bool> AboutStatement(Line& line);
  // As something of this kind that happened before; there is a gap if it is not here. kBadProof: it is of another kind.
  Status Names(std::uint64_t entry, const Digest& statement, ledger::Kind kind);
  Status TakePolicies(const Line& line);
  Status TakePurge(const ledger::EntryHead& head, const ledger::Purge& purge);

  Digest record_;
  std::string origin_;
  ledger::State directory_;
  std::vector<std::pair<std::uint64_t, ledger::Charter>> charters_;
  std::size_t signatures_ = 0;
  std::vector<Line> lines_;
  std::vector<Gap> gaps_;
  std::set<Digest> family_;  // the record, its original, its grants
  struct Shown {
    ledger::Kind kind;
    bool whole = false;  // nothing of it is erased
  };
  std::map<Digest, Shown> shown_;
  std::set<Digest> acts_;    // those that are about the family, by what is shown
  std::set<Digest> hidden_;  // statements that are not shown
  std::map<Digest, std::pair<std::uint64_t, ledger::StandingOrder>> orders_;
  std::set<Digest> orders_used_;
  std::map<std::uint64_t, std::vector<Erased>> erased_;  // by the entry of the purge
  // Policy digests of a record's portion, by their numbers: 0 is the header's.
  std::map<std::tuple<Digest, std::uint32_t, std::uint64_t>, Hash> policies_;
};

}  // namespace valija::evidence
