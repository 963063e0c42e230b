#include "audit/difference.h"

namespace valija::audit {
namespace {

std::string CodesOf(const ledger::Verdict& verdict) {
  if (verdict.allowed()) return "allowed";
  std::string out;
  for (const Reason reason : verdict.reasons) out += (out.empty() ? "" : ", ") + std::string(CodeOf(reason));
  return out;
}

std::string CodesOf(const ledger::Decision& decision) {
  std::string out;
  for (const auto& verdict : decision.verdicts) out += (out.empty() ? "" : "; ") + CodesOf(verdict);
  return out.empty() ? "nothing" : out;
}

std::string PolicyOf(const ledger::Verdict& verdict) {
  return "by policy " + std::to_string(verdict.policy_sequence) + ", " + verdict.policy_digest.Hex();
}

std::string ItemOf(const ledger::Verdict& verdict) {
  if (verdict.record.IsZero()) return {};
  return ", portion " + std::to_string(verdict.portion) + " of " + verdict.record.Hex();
}

}  // namespace

std::string Difference::Text() const { return "the rules say " + rules_say + "; the log says " + log_says; }

std::optional<Difference> Compare(const ledger::Statement& statement, const Result<ledger::Decision>& ours,
                                  const ledger::Decision& logged) {
  if (ours && *ours == logged) return std::nullopt;
  Difference out{std::string(ledger::NameOf(statement.kind)), {}, {}};
  if (!ours) {
    const auto& error = ours.error();
    out.rules_say = "refused, " + std::string(CodeOf(error.reason)) + " (" + error.detail + ")";
    out.log_says = CodesOf(logged);
    return out;
  }
  if (ours->verdicts.size() != logged.verdicts.size()) {
    out.rules_say = std::to_string(ours->verdicts.size()) + " verdicts: " + CodesOf(*ours);
    out.log_says = std::to_string(logged.verdicts.size()) + " verdicts: " + CodesOf(logged);
    return out;
  }
  for (std::size_t i = 0; i < logged.verdicts.size(); ++i) {
    const auto &one = ours->verdicts[i], &other = logged.verdicts[i];
    if (one == other) continue;
    out.rule += ItemOf(one);
    if (one.reasons != other.reasons) {
      out.rules_say = CodesOf(one);
      out.log_says = CodesOf(other);
    } else if (one.record != other.record || one.portion != other.portion) {
      out.rules_say = "it is about" + ItemOf(one);
      out.log_says = "it is about" + ItemOf(other);
    } else if (one.policy_sequence != other.policy_sequence || one.policy_digest != other.policy_digest) {
      out.rules_say = PolicyOf(one);
      out.log_says = PolicyOf(other);
    } else {
      out.rules_say = "to be handled as \"" + one.obligation + "\"";
      out.log_says = "to be handled as \"" + other.obligation + "\"";
    }
    return out;
  }
  out.rules_say = "a decision about " + ours->statement.Hex();
  out.log_says = "a decision about " + logged.statement.Hex();
  return out;
}

}  // namespace valija::audit
