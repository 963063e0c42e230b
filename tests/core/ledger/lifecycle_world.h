// The world of docs/lifecycle.md: somebody in every role, a record, and whatever else a table's states are about.
#pragma once

#include <array>

#include "tests/support/ledger_fixture.h"

namespace valija::test {

inline const std::vector<std::pair<std::string, std::string>> kRoles = {
    {"originator", "us.dea/ana"},      {"colleague", "us.dea/bob"},
    {"administrator", "us.dea/admin"}, {"auditor", "us.dea/audit"},
    {"approver", "us.dea/eva"},        {"opener", "mx.fgr/ana"},
    {"twin", "mx.fgr/twin"},           {"their-approver", "mx.fgr/luz"},
    {"partner", "mx.fgr/bob"},         {"their-administrator", "mx.fgr/admin"},
    {"recipient", "us.fbi/bob"},       {"outsider", "gt.mp/ana"},
    {"joint-auditor", "gt.mp/joint"},  {"suspended", "mx.fgr/sus"},
    {"removed", "mx.fgr/rem"},         {"left", "co.pnc/luisa"}};

class LifeWorld : public World {
 public:
  LifeWorld() {
    quick = true;
    charter.joint_auditors = {Member("gt.mp/joint"), Member("us.fbi/ana")};
    Populate();
    auto& gt_admin = people.at("gt.mp/admin");
    Enrol("gt.mp/joint", "joint");
    Accept(Epoch("gt.mp", gt_admin), gt_admin);
    Enrol("us.dea/audit", "audit", [](ledger::MemberRecord& m) { m.auditor = true; });
    Enrol("us.dea/eva", "eva");
    Enrol("mx.fgr/twin", "ana");
    Enrol("mx.fgr/luz", "luz");
    Enrol("mx.fgr/sus", "sus");
    Enrol("mx.fgr/rem", "rem");

    auto next = *state.charter();
    next.agencies.insert(next.agencies.begin(), NewAgency("co.pnc"));
    Accept(SignedBy(Amended(next), {"us.dea/admin", "co.pnc/admin"}).value());
    Enrol("co.pnc/luisa", "luisa");
    auto& co_admin = people.at("co.pnc/admin");
    Accept(Epoch("co.pnc", co_admin), co_admin);

    sent = NewRecord(originator(), {PolicyFor({"co.pnc", "mx.fgr", "us.fbi"})});
    record = Accept(sent->statement, originator());
    auto& mx_admin = people.at("mx.fgr/admin");
    Accept(Suspension("mx.fgr/sus", mx_admin), mx_admin);
    Accept(Removal("mx.fgr/rem", mx_admin), mx_admin);
    next.agencies.erase(next.agencies.begin());
    Accept(SignedBy(Amended(next), {"us.dea/admin"}).value());
  }

  Person& originator() { return people.at("us.dea/ana"); }
  Person& opener() { return people.at("mx.fgr/ana"); }
  Person& Of(std::string_view role) {
    for (const auto& [name, member] : kRoles)
      if (name == role) return people.at(member);
    throw std::logic_error("no such role");
  }

  // In force after an amendment: those who received the record and are still party to the charter.
  policy::Policy Base() { return PolicyFor({"mx.fgr", "us.fbi"}); }
  policy::Policy Dual() {
    auto out = PolicyFor({"mx.fgr"});
    out.approvals = {{1, {Member("us.dea/eva")}}, {1, {Member("mx.fgr/luz"), Member("mx.fgr/twin")}}};
    out.approval_hours = 24;
    out.emergency = true;
    return out;
  }
  ledger::OpenItem ItemFor(const Person& by, const Digest& of) { return Item(of, 0, by.id().agency().str()); }
  void Rule(const policy::Policy& policy) { Accept(Amend(originator(), record, policy), originator()); }
  void Pass(Duration time) {
    now += time;
    Accept(Acknowledgement("received"), originator());
  }
  ledger::Acknowledgement Acknowledgement(const std::string& outcome) { return {By(originator()), record, outcome}; }
  Digest last() const { return entries.back().head.statement; }

  std::optional<Draft> sent;
  Digest record;
};

// A table's subject: its states, and its statements as anybody makes them.
struct Subject {
  using Make = std::function<Result<ledger::VerifiedStatement>(LifeWorld&, const Person&)>;
  std::string name;
  std::vector<std::pair<std::string, std::function<void(LifeWorld&)>>> states;
  std::vector<std::pair<std::string, Make>> statements;
  std::vector<std::string> by_broker{};  // statements that nobody signs
};

}  // namespace valija::test
