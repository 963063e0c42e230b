#include "client/withhold.h"

#include <charconv>
#include <optional>

namespace valija::client {
namespace {

std::optional<ledger::Kind> KindNamed(std::string_view name) {
  for (int i = static_cast<int>(ledger::Kind::kCharter); i <= static_cast<int>(ledger::Kind::kLookup); ++i) {
    const auto kind = static_cast<ledger::Kind>(i);
    if (ledger::NameOf(kind) == name) return ledger::IsDirectoryKind(kind) ? std::nullopt : std::optional(kind);
  }
  return std::nullopt;
}

// The texts that people wrote.
struct Says {
  bool purpose = false, case_reference = false, why = false;

  explicit Says(const ledger::Payload& payload) {
    std::visit([this](const auto& one) { Look(one); }, payload);
  }
  template <class T>
  void Look(const T& one) {
    if constexpr (requires { one.purpose; }) purpose = !one.purpose.empty();
    if constexpr (requires { one.case_reference; }) case_reference = !one.case_reference.empty();
    if constexpr (requires { one.why; }) why = !one.why.empty();
    if constexpr (requires { one.emergency; }) why = why || !one.emergency.empty();
  }
};

}  // namespace

Result<Withhold> Withhold::Parse(const std::vector<std::string>& words) {
  Withhold out;
  for (const auto& word : words) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && end == word.data() + word.size()) {
      out.entries_.insert(number);
    } else if (const auto kind = KindNamed(word)) {
      out.kinds_.insert(*kind);
    } else if (word == "policies") {
      out.policies_ = true;
    } else if (word == "recipients") {
      out.recipients_ = true;
    } else if (word == "decisions") {
      out.decisions_ = true;
    } else if (word == "purpose") {
      out.purpose_ = true;
    } else if (word == "case") {
      out.case_ = true;
    } else if (word == "why") {
      out.why_ = true;
    } else {
      return Refuse(
          Reason::kUsage,
          "withheld can be: policies, recipients, decisions, purpose, case, why, a kind of statement, an entry's "
          "number; not " +
              word);
    }
  }
  return out;
}

bool Withhold::Statement(const VerifiedEntry& entry) const {
  const auto kind = entry.statement->kind;
  if (kinds_.contains(kind) || entries_.contains(entry.head.index)) return true;
  const bool content = kind == ledger::Kind::kRecord || kind == ledger::Kind::kGrant;
  if (entry.erased_by && !content && !show_erased_) return true;
  const Says says(entry.statement->payload);
  return (purpose_ && says.purpose) || (case_ && says.case_reference) || (why_ && says.why);
}

Withhold::Left Withhold::From(const FoundEntries& found) const {
  Left out;
  for (auto at = found.rbegin(); at != found.rend(); ++at) {  // a purge comes after what it erased
    const auto& [index, one] = *at;
    const bool asked = Statement(one.verified);
    const auto by = one.verified.erased_by;
    const bool alone = by && (!found.contains(*by) || out.statements.contains(*by));
    if (asked || alone) out.statements.insert(index);
    if (alone && !asked) out.dependent.insert(index);
  }
  return out;
}

proto::LoggedEntry Withhold::Apply(proto::LoggedEntry entry, bool statement) const {
  if (!statement) {
    entry.envelope.reset();
    entry.erased_by.reset();
    entry.attachments = {};
  }
  if (decisions_) entry.decision_bytes.clear();
  if (policies_) entry.attachments.policies.clear();
  if (recipients_) entry.attachments.slips.clear();
  return entry;
}

}  // namespace valija::client
