// Everything that a State holds, as text: two states are the same if their dumps are.
#pragma once

#include <sstream>
#include <string>

#include "core/ledger/state.h"

namespace valija::test {

class StateDump {
 public:
  // Records and statements cannot be listed, so their digests come from the entries.
  static std::string Of(const ledger::State& state, const std::vector<ledger::Entry>& entries) {
    StateDump out;
    out.Directory(state);
    for (const auto& entry : entries) out.Statement(state, *entry.statement);
    out.Waiting(state);
    return out.text_.str();
  }

 private:
  template <class T>
  std::string Shown(const std::optional<T>& one) {
    return one ? std::to_string(*one) : "-";
  }
  static std::string Shown(const std::optional<Time>& one) { return one ? FormatTime(*one) : "-"; }

  void Directory(const ledger::State& state) {
    text_ << "size " << state.size() << " latest " << FormatTime(state.latest()) << " charter "
          << state.charter_digest().Hex() << ' ' << state.charter_statement().Hex() << '\n';
    for (const auto& [from, key] : state.log_keys()) text_ << "log key " << from << ' ' << key << '\n';
    for (const auto index : state.directory_entries()) text_ << "directory " << index << '\n';
    for (const auto& [id, member] : state.members())
      text_ << "member " << id.str() << ' ' << static_cast<int>(member.record.status) << ' ' << member.record.person
            << ' ' << member.record.administrator << member.record.auditor << ' ' << member.enrolment.Hex() << ' '
            << member.enrolment_index << ' ' << member.signing_key.id().Hex() << ' ' << state.is_joint_auditor(id)
            << (state.member_by_auth_key(member.record.keys.auth_key_id) != nullptr) << '\n';
    for (const auto& [id, agency] : state.agencies()) {
      text_ << "agency " << id.str() << ' ' << agency.left << '\n';
      for (const auto& epoch : agency.epochs) {
        text_ << "epoch " << epoch.epoch << ' ' << epoch.statement.Hex() << ' ' << epoch.index << ' '
              << Shown(epoch.superseded_at);
        for (const auto& [member, wrap] : epoch.wraps) text_ << ' ' << member.str();
        text_ << '\n';
      }
      text_ << "mail";
      for (const auto index : state.entries_for(id).All()) text_ << ' ' << index;
      text_ << '\n';
    }
  }

  void Statement(const ledger::State& state, const ledger::Statement& statement) {
    const auto* known = state.statement(statement.digest);
    text_ << "statement " << statement.digest.Hex() << ' ' << (known != nullptr);
    if (known != nullptr)
      text_ << ' ' << known->index << ' ' << static_cast<int>(known->kind) << ' '
            << (known->author != nullptr ? known->author->str() : "-") << ' ' << Shown(known->erased_by) << ' '
            << known->purges << ' ' << known->kept_until << ' ' << (known->request ? known->request->Hex() : "-");
    if (known != nullptr)
      for (const auto& digest : known->about) text_ << ' ' << digest.Hex();
    text_ << '\n';
    if (const auto* open = std::get_if<ledger::Open>(&statement.payload))
      text_ << "used " << state.request_used(open->by.author, open->by.nonce) << '\n';
    if (const auto* record = std::get_if<ledger::Record>(&statement.payload))
      for (const auto& seal : record->payload.portions)
        text_ << "body " << state.body_used(seal.body_root) << state.body_purged(seal.body_root) << '\n';
    if (const auto* record = state.record(statement.digest)) Record(state, *record);
    if (const auto* request = state.pending(statement.digest)) Request(*request);
    if (const auto* emergency = state.emergency(statement.digest)) Emergency(*emergency);
    if (const auto* asked = state.access_request(statement.digest)) Asked(state, *asked);
    if (const auto* order = state.order(statement.digest)) Order(*order);
    if (const auto* lookup = state.lookup(statement.digest))
      text_ << "look-up " << lookup->index << ' ' << lookup->author.str() << ' ' << lookup->from_index << ' '
            << lookup->end_index << ' ' << FormatTime(lookup->expires) << ' ' << lookup->joint << '\n';
    if (const auto* opening = std::get_if<ledger::StandingOpening>(&statement.payload))
      text_ << "under " << state.opened_under(opening->order, opening->record) << '\n';
  }

  void Record(const ledger::State& state, const ledger::RecordState& record) {
    text_ << "record " << record.index << ' ' << record.originator.str() << ' ' << record.authority.str() << ' '
          << Shown(record.revoked_at) << ' ' << Shown(record.recalled_at) << ' ' << Shown(record.purged_at) << ' '
          << Shown(record.due) << ' ' << (record.grant_of ? record.grant_of->Hex() : "-") << ' '
          << (record.in_reply_to ? record.in_reply_to->Hex() : "-");
    for (const auto& grant : record.grants) text_ << " grant " << grant.Hex();
    for (const auto& source : record.sources) text_ << " source " << source.Hex();
    for (const auto& [agency, index] : record.replies) text_ << " reply " << agency.str() << ' ' << index;
    for (const auto& [member, holder] : record.holders)
      text_ << " holder " << member.str() << ' ' << holder.opened << ' ' << Shown(holder.erased);
    for (const auto index : state.entries_of(record).All()) text_ << ' ' << index;
    text_ << '\n';
    for (const auto& portion : record.portions) {
      text_ << "portion " << portion.number << ' ' << portion.policy_digest.Hex() << ' ' << portion.policy_sequence
            << ' ' << portion.amend_key_id.Hex() << ' ' << portion.openings_in_all << '\n'
            << policy::ToText(*portion.policy);
      for (const auto& [agency, count] : portion.openings) text_ << "opened " << agency.str() << ' ' << count << '\n';
      for (const auto& [agency, key] : portion.recipients) text_ << "to " << agency.str() << ' ' << key.Hex() << '\n';
    }
  }

  void Request(const ledger::PendingRequest& request) {
    text_ << "request " << request.index << ' ' << request.author.str() << ' ' << request.purpose << ' '
          << request.case_reference << ' ' << FormatTime(request.expires) << ' ' << request.used;
    for (const auto& item : request.items) text_ << ' ' << item.record.Hex() << ' ' << item.portion;
    for (const auto& [member, said] : request.said)
      text_ << ' ' << member.str() << ' ' << static_cast<int>(said.verdict) << ' ' << said.index;
    text_ << '\n';
  }

  void Emergency(const ledger::EmergencyState& emergency) {
    text_ << "emergency " << emergency.index << ' ' << emergency.author.str() << ' ' << Shown(emergency.reviewed);
    for (const auto& agency : emergency.originators) text_ << ' ' << agency.str();
    for (const auto& record : emergency.records) text_ << ' ' << record.Hex();
    text_ << '\n';
  }
  void Asked(const ledger::State& state, const ledger::AccessRequestState& asked) {
    text_ << "access " << asked.index << ' ' << asked.request.why << ' ' << Shown(asked.answered);
    if (auto consent = state.consent(asked.request.record, asked.request.agency)) text_ << policy::TextOf(*consent);
    text_ << '\n';
  }
  void Order(const ledger::OrderState& order) {
    text_ << "order " << order.index << ' ' << order.opened << ' ' << Shown(order.ended) << ' '
          << order.order.case_reference << ' ' << order.originators.size() << '\n';
  }

  void Waiting(const ledger::State& state) {
    for (const auto& [digest, request] : state.all_pending()) text_ << "pending " << digest.Hex() << '\n';
    for (const auto& [digest, one] : state.emergencies()) text_ << "open emergency " << digest.Hex() << '\n';
    for (const auto& [digest, one] : state.access_requests()) text_ << "asked for " << digest.Hex() << '\n';
    for (const auto& [digest, one] : state.orders()) text_ << "in force " << digest.Hex() << '\n';
    for (const auto& [id, agency] : state.agencies()) {
      for (const auto& digest : state.asking(id)) text_ << id.str() << " asked " << digest.Hex() << '\n';
      for (const auto& [index, digest] : state.open_access_requests(id)) text_ << id.str() << " open " << index << '\n';
    }
    for (const auto& [id, member] : state.members())
      for (const auto& digest : state.to_erase(id)) text_ << id.str() << " to erase " << digest.Hex() << '\n';
    for (const auto& [id, member] : state.members()) {
      const auto* locked = state.emergency_of(PersonOf(member.record));
      const auto* by_name = state.emergency_of(id.str());
      text_ << "locked " << (locked != nullptr ? locked->Hex() : "-") << (by_name != nullptr ? by_name->Hex() : "-");
      text_ << ' ' << state.lookups_of(id);
      if (const auto* times = state.access_times(id))
        for (const auto time : *times) text_ << ' ' << FormatTime(time);
      text_ << '\n';
    }
    for (const auto& [member, standing] : state.standing_orders()) {
      text_ << "standing " << member.str();
      for (const auto& digest : standing) text_ << ' ' << digest.Hex();
      text_ << '\n';
    }
  }

  std::ostringstream text_;
};

}  // namespace valija::test
