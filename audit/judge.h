// What `receipt` and `bundle` do, without the command line itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "audit/evidence/check.h"

namespace valija::audit {

struct Judged {
  std::string said;  // for people, or JSON
  bool proved = false;
};

// An Error: it could not run, as a file cannot be read or the policy is none. What does not hold is said, also where the file is
// none of its kind or larger than any. `policy`, `statement`, `page`: files; empty: none.
Result<Judged> JudgeReceipt(const std::filesystem::path& file, const std::filesystem::path& policy,
                            const std::filesystem::path& statement, bool json);
// `charter`: the founding charter's digest, if it is known too.
Result<Judged> JudgeBundle(const std::filesystem::path& file, const std::filesystem::path& policy,
                           const std::optional<Digest>& charter, const std::filesystem::path& page, bool json);

}  // namespace valija::audit
