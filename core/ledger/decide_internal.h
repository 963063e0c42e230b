// The parts of Decide, one file for each subject. Each takes what the common rules (decide.cc) have passed already:
// the charter is there, the origin is right, the author is an active member and signed with its present key, the time
// fits, and the statement is new.
#pragma once

#include <string_view>
#include <vector>

#include "core/ledger/state.h"

namespace valija::ledger {

struct Circumstances {
  Time now;
  const AuthorityId& authority;
};

// decide_directory.cc
Status CheckCharter(const Charter& charter, const Circumstances& at);
Status CheckEnrolment(const State& state, const Enrolment& enrolment);
Status CheckEpoch(const State& state, const Epoch& epoch, const Circumstances& at);
// decide_record.cc
Status CheckRecord(const State& state, const Statement& statement, const Record& record, const Circumstances& at);
// decide_open.cc: an Error for a request that is no entry, else one verdict for each item.
Result<std::vector<Verdict>> DecideOpen(const State& state, const Open& open, const Circumstances& at);
// By the broker's clock or by the log's time: requests are remembered by the latter, and a clock that went back behind it
// revives nothing.
bool HasExpired(const State& state, const Open& open, Time now);
// decide_text.cc: valid UTF-8 of 1..longest bytes without control characters and without marks that turn the direction
// of reading round.
bool IsPrintable(std::string_view text, std::size_t longest);

}  // namespace valija::ledger
