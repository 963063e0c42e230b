// What `replay`, `coverage`, `receipt` and `bundle` print.
#pragma once

#include <string>

#include "audit/coverage.h"
#include "audit/evidence/check.h"
#include "audit/evidence/receipt.h"
#include "audit/verify.h"

namespace valija::audit {

std::string SayReplay(const Report& report, bool json);
std::string SayCoverage(const Coverage& coverage, const AgencyId& agency, bool json);
std::string SayFindings(const Report& report);   // a line each, for people
std::string SayWitnessed(const Report& report);  // empty where nobody is asked
std::string WitnessedJson(const Witnessed& shown);
std::string FindingsJson(const Report& report);  // a JSON line each: {"finding": code, ..}

// `statement`: the file that was found to be the receipt's statement; empty: none was asked about.
std::string SayReceipt(const evidence::Proved& proved, const std::string& statement, bool json);
std::string SayNotProved(const Error& error, bool json);
std::string SayBundle(const evidence::CheckedBundle& bundle, bool json);

}  // namespace valija::audit
