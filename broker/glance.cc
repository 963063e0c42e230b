#include "broker/glance.h"

#include <algorithm>

namespace valija::broker {
namespace {

struct Namer {
  Glance& out;

  void operator()(const ledger::Open& open) const {
    out.emergency = !open.emergency.empty();
    for (const auto& item : open.items)
      if (std::find(out.names.begin(), out.names.end(), item.record) == out.names.end())
        out.names.push_back(item.record);
  }
  void operator()(const ledger::Answer& answer) const {
    out.consent = answer.marking.has_value();
    out.names = {answer.request};
  }
  void operator()(const ledger::Grant& one) const {
    if (one.request) out.names = {*one.request};
  }
  void operator()(const ledger::Acknowledgement& one) const { out.names = {one.record}; }
  void operator()(const ledger::Revocation& one) const { out.names = {one.record}; }
  void operator()(const ledger::Amendment& one) const { out.names = {one.record}; }
  void operator()(const ledger::AccessRequest& one) const { out.names = {one.record}; }
  void operator()(const ledger::StandingOpening& one) const { out.names = {one.record}; }
  void operator()(const ledger::Approval& one) const { out.names = {one.request}; }
  void operator()(const ledger::Review& one) const { out.names = {one.request}; }
  void operator()(const ledger::Purge& purge) const {
    for (const auto& erasure : purge.erasures) out.names.push_back(erasure.statement);
  }
  // Who may see these follows from the kind, or from the state's own of them.
  void operator()(const ledger::Charter&) const {}
  void operator()(const ledger::CharterAmendment&) const {}
  void operator()(const ledger::Enrolment&) const {}
  void operator()(const ledger::Epoch&) const {}
  void operator()(const ledger::Record&) const {}
  void operator()(const ledger::StandingOrder&) const {}
  void operator()(const ledger::Lookup&) const {}
};

}  // namespace

Glance GlanceOf(const ledger::Statement& statement) {
  Glance out{.statement = statement.digest, .kind = statement.kind};
  std::visit(Namer{out}, statement.payload);
  out.names.shrink_to_fit();
  return out;
}

}  // namespace valija::broker
