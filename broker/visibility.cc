#include "broker/visibility.h"

#include <algorithm>

#include "core/policy/policy.h"

namespace valija::broker {
namespace {

bool OriginatesFor(const ledger::State& state, const Digest& record, const AgencyId& agency) {
  const auto* found = state.record(record);
  return found != nullptr && found->originator.agency() == agency;
}

}  // namespace

bool IsDirectory(ledger::Kind kind) {
  return kind == ledger::Kind::kCharter || kind == ledger::Kind::kEnrolment || kind == ledger::Kind::kEpoch;
}

bool MayFetchBody(const ledger::RecordState& record, std::uint32_t portion, const MemberId& caller) {
  if (portion >= record.portions.size()) return false;
  return record.originator.agency() == caller.agency() ||
         policy::InAudience(record.portions[portion].policy->releasable_to, caller);
}

namespace {

// for_agency: what any member of the caller's agency may see (its auditor), else what the caller itself may.
std::optional<proto::LoggedEntry> Visible(const ledger::State& state, const ledger::Statement& statement,
                                          proto::LoggedEntry entry, const MemberId& caller, bool for_agency) {
  const AgencyId agency = caller.agency();
  // An act of a colleague tells of its record: it is shown to whoever may know of that record.
  auto may_know = [&](const Digest& digest) {
    const auto* record = state.record(digest);
    return record != nullptr && state.visible_to(*record, caller);
  };
  auto act_visible = [&](const ledger::Authorship& by, const std::vector<Digest>& records) {
    if (by.author == caller || (for_agency && by.author.agency() == agency)) return true;
    if (std::any_of(records.begin(), records.end(), [&](const auto& one) { return OriginatesFor(state, one, agency); }))
      return true;
    return by.author.agency() == agency && std::all_of(records.begin(), records.end(), may_know);
  };
  switch (statement.kind) {
    case ledger::Kind::kCharter:
    case ledger::Kind::kEnrolment:
    case ledger::Kind::kEpoch:
      return entry;
    case ledger::Kind::kRecord: {
      const auto* record = state.record(statement.digest);
      if (record == nullptr) return std::nullopt;
      if (record->originator.agency() == agency) return entry;
      if (!for_agency && !state.visible_to(*record, caller)) return std::nullopt;
      entry.attachments.policies.clear();
      std::erase_if(entry.attachments.slips, [&](const record::Slip& slip) {
        return slip.agency != agency || (!for_agency && !MayFetchBody(*record, slip.portion, caller));
      });
      if (for_agency && entry.attachments.slips.empty()) return std::nullopt;
      return entry;
    }
    case ledger::Kind::kOpen: {
      const auto& open = std::get<ledger::Open>(statement.payload);
      std::vector<Digest> records;
      for (const auto& item : open.items) records.push_back(item.record);
      return act_visible(open.by, records) ? std::optional(std::move(entry)) : std::nullopt;
    }
    case ledger::Kind::kAcknowledgement: {
      const auto& ack = std::get<ledger::Acknowledgement>(statement.payload);
      return act_visible(ack.by, {ack.record}) ? std::optional(std::move(entry)) : std::nullopt;
    }
    case ledger::Kind::kRevocation: {
      const auto& revocation = std::get<ledger::Revocation>(statement.payload);
      const auto* record = state.record(revocation.record);
      const bool received = record != nullptr && for_agency &&
                            std::any_of(record->portions.begin(), record->portions.end(), [&](const auto& portion) {
                              return std::any_of(portion.recipients.begin(), portion.recipients.end(),
                                                 [&](const auto& one) { return one.first == agency; });
                            });
      const bool mine = received || may_know(revocation.record);
      return mine ? std::optional(std::move(entry)) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<proto::LoggedEntry> VisibleTo(const ledger::State& state, const ledger::Statement& statement,
                                            proto::LoggedEntry entry, const MemberId& caller) {
  return Visible(state, statement, std::move(entry), caller, false);
}

proto::LoggedEntry AuditView(const ledger::State& state, const ledger::Statement& statement, proto::LoggedEntry entry,
                             const MemberId& auditor) {
  if (state.is_joint_auditor(auditor)) return entry;
  const auto commitment = entry.commitment;
  if (auto seen = Visible(state, statement, std::move(entry), auditor, true)) return *std::move(seen);
  return proto::LoggedEntry{commitment, {}, {}, {}, {}, {}};
}

}  // namespace valija::broker
