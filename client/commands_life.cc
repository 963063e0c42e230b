// What an originator does with a record after it was sent, and standing orders.
#include <csignal>
#include <iostream>

#include "client/commands_internal.h"
#include "client/print.h"
#include "client/session.h"
#include "core/base/reason.h"
#include "core/base/time.h"
#include "core/io/file.h"

namespace valija::cli {

using text::Counted;
using text::Format;
using text::Id;
using text::Text;

namespace {

// Opened under an order, as it comes.
void PrintReleased(const Common& common, const Released& released) {
  if (common.json) {
    std::cout << ToJson(released).dump() << std::endl;
    return;
  }
  for (const auto& portion : released.portions) {
    auto what = portion ? Format(Id::kReleasedPortion, portion->portion, portion->marking, SizeText(portion->bytes))
                        : Format(Id::kReleasedNot, portion.failure().code);
    if (portion && portion->unwitnessed) what = Format(Id::kNewsUnwitnessed, what);
    std::cout << Visible(
                     Format(Id::kReleasedLine, TimeText(released.time), ShortId(released.record), released.from, what))
              << std::endl;
  }
}

}  // namespace

int Recall(const Common& common, const std::string& record, const std::string& why) {
  int status = 0;
  auto session = Start(common, status, true);
  if (!session) return status;
  std::string id = record;
  if (!AskAbout(common, *session, id, Id::kAskRecall, status)) return status;
  return Answer(common, session->Recall(id, why), Text(Id::kRecalled));
}

int Purge(const Common& common, const std::vector<std::string>& ids, const std::string& why) {
  int status = 0;
  auto session = Start(common, status, true);
  if (!session) return status;
  std::vector<std::string> whole = ids;
  if (!common.yes) {
    for (auto& id : whole) {
      auto shown = ShowRecord(*session, id);
      if (shown)
        id = *shown;
      else if (shown.failure().code == CodeOf(Reason::kNotFound))
        std::cerr << Visible(Format(Id::kPurgeOther, id)) << "\n";  // an opening, an approval: its texts
      else
        return Fail(common, shown.failure());
    }
    if (!Confirmed(common, Format(Id::kAskPurge, Visible(Joined(whole))))) return 1;
  }
  return Answer(common, session->Purge(whole, why), Counted(Id::kPurged, whole.size()));
}

int Amend(const Common& common, const std::string& record, int portion, const std::string& policy_file) {
  auto policy = io::ReadText(policy_file, 1 << 16);
  if (!policy) return Fail(common, client::ToFailure(policy.error()));
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Amend(record, static_cast<std::uint32_t>(portion), *policy), Text(Id::kAmended));
}

int Grant(const Common& common, GrantDraft draft, const std::string& policy_file) {
  auto policy = io::ReadText(policy_file, 1 << 16);
  if (!policy) return Fail(common, client::ToFailure(policy.error()));
  draft.policy_text = *policy;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  if (!common.yes) {
    auto shown = ShowRecord(*session, draft.record);
    if (!shown) return Fail(common, shown.failure());
    draft.record = *shown;
    if (!draft.request.empty() && !ShowWaiting(*session, draft.request))
      return Fail(common, client::ToFailure(Refuse(Reason::kNotFound, draft.request)));
    Draft as_sent;
    as_sent.portions.resize(1);
    as_sent.portions[0].policy_text = *policy;
    auto preview = LookAhead(*session, as_sent);
    if (!preview) return Fail(common, preview.failure());
    auto numbers = draft.portions;
    if (numbers.empty()) {  // all of them
      auto item = FindItem(*session, draft.record);
      if (item && *item)
        for (const auto& portion : (*item)->portions) numbers.push_back(portion.number);
    }
    PrintPreview(std::cerr, *preview, numbers);
    if (!Confirmed(common, Text(Id::kAskGrant))) return 1;
  }
  auto done = session->Grant(draft);
  if (!done) return Fail(common, done.failure());
  return Answer(common, done, Format(Id::kGranted, done->id));
}

int GiveOrder(const Common& common, const std::string& purpose, const std::string& case_reference,
              const std::string& until) {
  auto time = ParseTime(until);
  if (!time) return Misused(common, Id::kUsageUntil);
  if (!Confirmed(common, Format(Id::kAskOrder, Visible(purpose), TimeText(*time)))) return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto done = session->StandingOrder({purpose, case_reference, *time});
  if (!done) return Fail(common, done.failure());
  return Answer(common, done, Format(Id::kOrdered, done->id));
}

int EndOrder(const Common& common, const std::string& order) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->EndOrder(order), Text(Id::kOrderEnded));
}

int Orders(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto orders = session->Orders();
  if (!orders) return Fail(common, orders.failure());
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& order : *orders) out.push_back(ToJson(order));
    std::cout << out.dump() << "\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& order : *orders)
    rows.push_back({ShortId(order.id), order.member, order.purpose, order.case_reference, TimeText(order.until),
                    Text(order.ended ? Id::kOrderStateEnded : Id::kOrderStateStands), std::to_string(order.opened)});
  if (rows.empty())
    std::cout << Text(Id::kNoOrders) << "\n";
  else
    std::cout << FormatTable({Text(Id::kHeadOrder), Text(Id::kHeadMember), Text(Id::kHeadPurpose), Text(Id::kHeadCase),
                              Text(Id::kHeadUntil), Text(Id::kHeadState), Text(Id::kHeadOpened)},
                             rows);
  return 0;
}

int FollowOrders(const Common& common, std::optional<std::uint64_t> from, const std::string& folder, int count) {
  std::error_code failed;
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) return Fail(common, client::ToFailure(Refuse(Reason::kFile, folder)));
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  int left = count;
  auto ended = session->FollowReleased(
      from.value_or(session->NextReleased()), folder,
      [&](const Released& released) {
        PrintReleased(common, released);
        return count == 0 || --left > 0;
      },
      [](const std::string& missing) { std::cerr << Format(Id::kWaitsForWitnesses, Visible(missing)) << "\n"; });
  return ended ? 0 : Fail(common, ended.failure());
}

}  // namespace valija::cli
