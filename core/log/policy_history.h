// The witness policies that a log has had, in one file: so a receipt of long ago is judged by the keys and witnesses of its
// own time, and no key of a former time says anything of a later one.
//
//   log .. / witness .. / group .. / quorum ..      the policy in force, as any tlog-policy
//   #: until <size>                                 checkpoints of at most so many entries are under the one that follows
//   #: log .. / witness .. / group .. / quorum ..   the last one first
//
// A reader that knows tlog-policy alone takes the lines with `#:` for comments, and has the policy in force.
//
// Thread-safety: a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/log/witness_policy.h"

namespace valija::log {

class PolicyHistory {
 public:
  static constexpr std::size_t kMaxText = std::size_t{4} << 20, kMaxFormer = 1024;

  struct Former {
    std::uint64_t until = 0;  // the largest size that it is for
    WitnessPolicy policy;
  };

  // `former`: the last one first, their sizes falling and above 0.
  explicit PolicyHistory(WitnessPolicy now, std::vector<Former> former = {})
      : now_(std::move(now)), former_(std::move(former)) {}
  static Result<PolicyHistory> Parse(std::string_view text);  // kBadPolicy; a lone tlog-policy is one too
  std::string Text() const;

  const WitnessPolicy& now() const { return now_; }
  const std::vector<Former>& former() const { return former_; }
  const WitnessPolicy& At(std::uint64_t size) const;  // for a checkpoint of so many entries
  // As WitnessPolicy::Verify, by the policy of the checkpoint's own size.
  Result<WitnessPolicy::Witnessed> Verify(std::string_view note) const;

 private:
  WitnessPolicy now_;
  std::vector<Former> former_;
};

}  // namespace valija::log
