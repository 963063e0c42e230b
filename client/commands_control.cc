// What waits for somebody, and what they say to it: approvals, reviews of emergencies, requests for access.
#include <iostream>

#include "client/commands_internal.h"
#include "client/print.h"

namespace valija::cli {

using text::Counted;
using text::Format;
using text::Id;
using text::Text;

namespace {

std::string PortionsText(const WaitingItem& item) {
  std::string out;
  for (const auto& [number, marking] : item.portions)
    out += (out.empty() ? "" : ", ") + std::to_string(number) + (marking.empty() ? "" : " " + marking);
  return out;
}

// What is to be done about it, as a command.
std::string NextStep(const WaitingItem& item) {
  const auto id = ShortId(item.id);
  if (item.kind == "approval") return Format(Id::kNextApproval, id);
  if (item.kind == "approved") return Format(Id::kNextApproved, ShortId(item.record), id);
  if (item.kind == "review") return Format(Id::kNextReview, id);
  if (item.kind == "access") return Format(Id::kNextAccess, ShortId(item.record), id);
  if (item.kind == "answer") return Format(Id::kNextAnswer, id);
  if (item.kind == "erase") return Format(Id::kNextErase, id);
  return {};
}

std::string KindText(const WaitingItem& item) {
  if (item.kind == "approval") return Text(Id::kWaitsApproval);
  if (item.kind == "approved") return Text(Id::kWaitsApproved);
  if (item.kind == "review") return Text(Id::kWaitsReview);
  if (item.kind == "access") return Text(Id::kWaitsAccess);
  if (item.kind == "answer") return Text(Id::kWaitsAnswer);
  if (item.kind == "erase") return Text(Id::kWaitsErase);
  return item.kind;
}

// An officer sees what they are about to approve: who asks, for what, under which marking, and until when.
void PrintWaiting(std::ostream& out, const WaitingItem& item) {
  out << Visible(Format(Id::kWaitingLine, ShortId(item.id), KindText(item), item.by, TimeText(item.time))) << "\n";
  auto line = [&](const std::string& value, const std::string& said) {
    if (!value.empty()) out << "    " << Visible(said) << "\n";
  };
  const auto portions = PortionsText(item), next = NextStep(item);
  line(item.record, Format(Id::kWaitingRecord, ShortId(item.record)));
  line(portions, Format(Id::kWaitingPortions, portions));
  line(item.purpose, Format(Id::kWaitingPurpose, item.purpose));
  line(item.case_reference, Format(Id::kWaitingCase, item.case_reference));
  line(item.why, Format(Id::kWaitingWhy, item.why));
  line(item.agency, Format(Id::kWaitingFor, item.agency));
  line(item.marking, Format(Id::kWaitingMarking, item.marking));
  if (item.until) line(TimeText(*item.until), Format(Id::kWaitingUntil, TimeText(*item.until)));
  line(next, Format(Id::kWaitingNext, next));
}

// The one that waits under this id, shown before it is decided.
bool Shown(const Common& common, Session& session, const std::string& request, Id question) {
  if (common.json || common.yes) return common.yes || Confirmed(common, Format(Id::kAskWaiting, Text(question)));
  if (auto waiting = session.Waiting())
    for (const auto& item : *waiting)
      if (item.id.compare(0, request.size(), request) == 0) PrintWaiting(std::cerr, item);
  return Confirmed(common, Format(Id::kAskWaiting, Text(question)));
}

}  // namespace

int Pending(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto waiting = session->Waiting();
  if (!waiting) return Fail(common, waiting.failure());
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& item : *waiting) out.push_back(ToJson(item));
    std::cout << out.dump() << "\n";
    return 0;
  }
  for (const auto& item : *waiting) PrintWaiting(std::cout, item);
  std::cout << (waiting->empty() ? Text(Id::kNothingWaits) : Counted(Id::kWaitingTotal, waiting->size())) << "\n";
  return 0;
}

int Decide(const Common& common, Verdict verdict, const std::string& request, const std::string& why) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  switch (verdict) {
    case Verdict::kApprove:
      if (!Shown(common, *session, request, Id::kActApprove)) return 1;
      return Answer(common, session->Approve(request, why), Text(Id::kApproved));
    case Verdict::kReject:
      return Answer(common, session->Reject(request, why), Text(Id::kRejected));
    case Verdict::kWithdraw:
      return Answer(common, session->Withdraw(request, why), Text(Id::kWithdrawn));
  }
  return 1;
}

int ReviewEmergency(const Common& common, const std::string& request, bool justified, const std::string& why) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  if (!Shown(common, *session, request, justified ? Id::kActJustified : Id::kActNotJustified)) return 1;
  return Answer(common, session->Review(request, justified, why), Text(Id::kReviewed));
}

int RequestAccess(const Common& common, const AccessDraft& draft) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->RequestAccess(draft), Text(Id::kAccessRequested));
}

int AnswerRequest(const Common& common, const std::string& request, const std::string& marking, bool decline,
                  const std::string& why) {
  if (decline == !marking.empty()) return Misused(common, Id::kUsageAnswer);
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Answer(request, marking, why), Text(decline ? Id::kDeclined : Id::kConsented));
}

}  // namespace valija::cli
