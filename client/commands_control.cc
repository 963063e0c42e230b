// What waits for somebody, and what they say to it: approvals, reviews of emergencies, requests for access.
#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>

#include "client/commands_internal.h"
#include "client/print.h"
#include "client/session.h"
#include "core/base/reason.h"

namespace valija::cli {

using text::Counted;
using text::Format;
using text::Id;
using text::Text;

namespace {

std::string PortionsText(const WaitingItem& item, const std::optional<InboxItem>& about) {
  std::string out;
  for (const auto& [number, marking] : item.portions) {
    out += (out.empty() ? "" : ", ") + std::to_string(number) + (marking.empty() ? "" : " " + marking);
    if (about)
      for (const auto& portion : about->portions)
        if (portion.number == number) out += " " + portion.media_type;
  }
  return out;
}

// What is to be done about it, as a command.
std::string NextStep(const WaitingItem& item) {
  const auto id = ShortId(item.id);
  if (item.kind == "approval") return Format(Id::kNextApproval, id);
  if (item.kind == "approved") return Format(Id::kNextApproved, ShortId(item.record), id);
  if (item.kind == "review") return Format(Id::kNextReview, id);
  if (item.kind == "access" && item.wish == "mark-less") return Format(Id::kNextMarkLess, id, item.marking);
  if (item.kind == "access" && item.wish == "onward")
    return Format(Id::kNextOnward, ShortId(item.record), id, item.agency);
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

// An officer sees what they are about to approve: who asks, for what of whose, under which marking, and until when.
// `about`: the record, if it is known here.
void PrintWaiting(std::ostream& out, const WaitingItem& item, const std::optional<InboxItem>& about) {
  out << Visible(Format(Id::kWaitingLine, ShortId(item.id), KindText(item), item.by, TimeText(item.time))) << "\n";
  auto line = [&](const std::string& value, const std::string& said) {
    if (!value.empty()) out << "    " << Visible(said) << "\n";
  };
  const auto portions = PortionsText(item, about), next = NextStep(item);
  const auto wish = item.kind == "access" ? WishText(item.wish, item.agency, item.marking) : std::string();
  if (about && item.kind != "answer")
    line(item.record, Format(Id::kWaitingRecordOf, ShortId(item.record), about->from, TimeText(about->time)));
  else
    line(item.record, Format(Id::kWaitingRecord, ShortId(item.record)));
  line(portions, Format(Id::kWaitingPortions, portions));
  line(wish, Format(Id::kWaitingWish, wish));
  line(item.purpose, Format(Id::kWaitingPurpose, item.purpose));
  line(item.case_reference, Format(Id::kWaitingCase, item.case_reference));
  line(item.why, Format(Id::kWaitingWhy, item.why));
  if (item.until) line(TimeText(*item.until), Format(Id::kWaitingUntil, TimeText(*item.until)));
  line(next, Format(Id::kWaitingNext, next));
}

// What the custody adds, if it is shown to me: what others have said of the request, and the policy as it was amended.
void PrintSaid(std::ostream& out, Session& session, const WaitingItem& item) {
  if (item.record.empty()) return;
  auto custody = session.Custody(item.record);
  if (!custody) return;
  std::map<std::uint32_t, const NewsItem*> amendments;  // the last of each portion
  for (const auto& one : *custody) {
    if (one.request == item.id) out << "    " << Format(Id::kWaitingSaid, NewsLine(one)) << "\n";
    if (one.kind == "amendment" && one.record == item.record && !one.policy_text.empty())
      amendments[one.portion] = &one;
  }
  for (const auto& [portion, one] : amendments) {
    out << "    " << Format(Id::kWaitingPolicy, portion, one->sequence) << "\n";
    std::istringstream lines(one->policy_text);
    for (std::string line; std::getline(lines, line);) out << "        " << Visible(line) << "\n";
  }
}

std::optional<InboxItem> AboutOf(Session& session, const WaitingItem& item) {
  if (item.record.empty()) return std::nullopt;
  auto found = FindItem(session, item.record);
  return found ? *found : std::nullopt;
}

// The one that waits under this id is shown, and the question asked. False: that was answered, and `status` is the exit
// status. Nobody decides what was not shown. A request that somebody has said something of waits for it no more, and may be
// approved all the same: who takes a word back gives another.
bool Asked(const Common& common, Session& session, const std::string& request, Id question, int& status) {
  if (common.yes) return true;
  auto waiting = session.Waiting();
  if (!waiting) {
    status = Fail(common, waiting.failure());
    return false;
  }
  std::vector<const WaitingItem*> found;
  for (const auto& item : *waiting)
    if (item.id.compare(0, request.size(), request) == 0 && !item.fault && item.kind != "approved" &&
        item.kind != "answer" && item.kind != "erase")
      found.push_back(&item);
  std::optional<WaitingItem> again;
  if (found.empty() && question == Id::kActApprove)
    if (auto said = session.Request(request)) found.push_back(&again.emplace(*std::move(said)));
  if (found.size() != 1) {
    const auto reason = found.empty() ? Reason::kNotFound : Reason::kAmbiguous;
    status =
        Fail(common, client::ToFailure(Refuse(reason, text::TextIn(text::Language::kEnglish, Id::kNothingToShow))));
    return false;
  }
  PrintWaiting(std::cerr, *found.front(), AboutOf(session, *found.front()));
  PrintSaid(std::cerr, session, *found.front());
  status = 1;
  return Confirmed(common, Format(Id::kAskWaiting, Text(question)));
}

}  // namespace

bool ShowWaiting(Session& session, const std::string& request) {
  auto waiting = session.Waiting();
  if (!waiting) return false;
  bool shown = false;
  for (const auto& item : *waiting)
    if (item.id.compare(0, request.size(), request) == 0 && !item.fault) {
      PrintWaiting(std::cerr, item, AboutOf(session, item));
      shown = true;
    }
  return shown;
}

int Pending(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto waiting = session->Waiting();
  if (!waiting) return Fail(common, waiting.failure());
  WarnIfBehind(*session);
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& item : *waiting) out.push_back(ToJson(item));
    std::cout << out.dump() << "\n";
    for (const auto& item : *waiting)
      if (item.fault) status = std::max(status, item.fault->exit_status);
    return status;
  }
  std::size_t shown = 0;
  for (const auto& item : *waiting) {
    if (item.fault) {  // a lie about one is told as that, and the others are shown
      status = std::max(status, Fail(common, *item.fault));
      continue;
    }
    PrintWaiting(std::cout, item, AboutOf(*session, item));
    ++shown;
  }
  std::cout << (shown == 0 ? Text(Id::kNothingWaits) : Counted(Id::kWaitingTotal, shown)) << "\n";
  return status;
}

int Decide(const Common& common, Verdict verdict, const std::string& request, const std::string& why) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  switch (verdict) {
    case Verdict::kApprove:
      if (!Asked(common, *session, request, Id::kActApprove, status)) return status;
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
  if (!Asked(common, *session, request, justified ? Id::kActJustified : Id::kActNotJustified, status)) return status;
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
  if (!Asked(common, *session, request, decline ? Id::kActDecline : Id::kActConsent, status)) return status;
  return Answer(common, session->Answer(request, marking, why), Text(decline ? Id::kDeclined : Id::kConsented));
}

}  // namespace valija::cli
