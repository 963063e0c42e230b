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

std::optional<proto::LoggedEntry> VisibleTo(const ledger::State& state, const ledger::Statement& statement,
                                            proto::LoggedEntry entry, const MemberId& caller) {
  const AgencyId agency = caller.agency();
  auto concerns = [&](const ledger::Authorship& by, auto... records) {
    return by.author.agency() == agency || (OriginatesFor(state, records, agency) || ...);
  };
  switch (statement.kind) {
    case ledger::Kind::kCharter:
    case ledger::Kind::kEnrolment:
    case ledger::Kind::kEpoch:
      return entry;
    case ledger::Kind::kRecord: {
      const auto* record = state.record(statement.digest);
      if (record == nullptr || !state.visible_to(*record, caller)) return std::nullopt;
      if (record->originator.agency() == agency) return entry;
      entry.attachments.policies.clear();
      std::erase_if(entry.attachments.slips, [&](const record::Slip& slip) {
        return slip.agency != agency || !MayFetchBody(*record, slip.portion, caller);
      });
      return entry;
    }
    case ledger::Kind::kOpen: {
      const auto& open = std::get<ledger::Open>(statement.payload);
      const bool mine = open.by.author.agency() == agency ||
                        std::any_of(open.items.begin(), open.items.end(),
                                    [&](const auto& item) { return OriginatesFor(state, item.record, agency); });
      return mine ? std::optional(std::move(entry)) : std::nullopt;
    }
    case ledger::Kind::kAcknowledgement: {
      const auto& ack = std::get<ledger::Acknowledgement>(statement.payload);
      return concerns(ack.by, ack.record) ? std::optional(std::move(entry)) : std::nullopt;
    }
    case ledger::Kind::kRevocation: {
      const auto& revocation = std::get<ledger::Revocation>(statement.payload);
      const auto* record = state.record(revocation.record);
      const bool mine = record != nullptr && state.visible_to(*record, caller);
      return mine ? std::optional(std::move(entry)) : std::nullopt;
    }
  }
  return std::nullopt;
}

proto::LoggedEntry AuditView(const ledger::State& state, const ledger::Statement& statement, proto::LoggedEntry entry,
                             const MemberId& auditor) {
  if (state.is_joint_auditor(auditor)) return entry;
  const auto commitment = entry.commitment;
  if (auto seen = VisibleTo(state, statement, std::move(entry), auditor)) return *std::move(seen);
  return proto::LoggedEntry{commitment, {}, {}, {}, {}, {}};
}

}  // namespace valija::broker
