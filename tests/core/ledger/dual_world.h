// A world with approvers: us.dea/eva and us.dea/eva2 are one person; so are mx.fgr/ana, who asks, and mx.fgr/twin.
#pragma once

#include "tests/support/ledger_fixture.h"

namespace valija::test {

class DualWorld : public PopulatedWorld {
 public:
  Person &eva = Enrol("us.dea/eva", "eva"), &eva2 = Enrol("us.dea/eva2", "eva");
  Person &luz = Enrol("mx.fgr/luz", "luz"), &twin = Enrol("mx.fgr/twin", "ana");
  Digest record = Send({Dual()});

  // One of the originator's side and one of the requester's.
  policy::Policy Dual() {
    auto out = PolicyFor({"mx.fgr"});
    out.approvals = {{1, {eva.id(), eva2.id()}}, {1, {luz.id(), twin.id()}}};
    out.approval_hours = 24;
    out.emergency = true;
    return out;
  }
  // A request that waits.
  Digest Wait(const Person& by, const Digest& of) {
    const Digest request = Accept(Open(by, {Item(of, 0, by.id().agency().str())}), by);
    EXPECT_NE(state.pending(request), nullptr);
    return request;
  }
  Digest Wait(const Person& by) { return Wait(by, record); }
  ledger::Approval Approve(const Person& by, const Digest& request,
                           ledger::ApprovalVerdict verdict = ledger::ApprovalVerdict::kApprove) {
    return {By(by), request, verdict, "it is needed"};
  }
  void Say(const Person& by, const Digest& request,
           ledger::ApprovalVerdict verdict = ledger::ApprovalVerdict::kApprove) {
    Accept(Approve(by, request, verdict), by);
  }
  // The second open, under the approvals of the first.
  ledger::Open Second(const Digest& request, const Person& by) {
    const auto* waits = state.pending(request);
    auto out = Open(
        by, waits != nullptr ? waits->items : std::vector<ledger::OpenItem>{Item(record, 0, by.id().agency().str())});
    out.approved_request = request;
    return out;
  }
  ledger::Open Second(const Digest& request) { return Second(request, mx_ana); }
  std::vector<Reason> Again(const Digest& request) { return ReasonsOf(Accept(Signed(Second(request), mx_ana))).at(0); }
};

}  // namespace valija::test
