// What `replay` and `coverage` print.
#pragma once

#include <string>

#include "audit/coverage.h"
#include "audit/verify.h"

namespace valija::audit {

std::string SayReplay(const Report& report, bool json);
std::string SayCoverage(const Coverage& coverage, const AgencyId& agency, bool json);
std::string SayFindings(const Report& report);   // a line each, for people
std::string SayWitnessed(const Report& report);  // empty where nobody is asked
std::string WitnessedJson(const Witnessed& shown);
std::string FindingsJson(const Report& report);  // a JSON line each: {"finding": code, ..}

}  // namespace valija::audit
