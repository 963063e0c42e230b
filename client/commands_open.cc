// Opening a record, and what is said of it afterwards: acknowledged, revoked.
#include <unistd.h>

#include <iostream>

#include "client/commands_internal.h"
#include "client/print.h"
#include "core/base/bytes.h"
#include "core/text/catalogue.h"

namespace valija::cli {

using text::Format;
using text::Id;
using text::Text;

int Open(const Common& common, const OpenArguments& arguments) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto record = session->Resolve(arguments.record);
  if (!record) return Fail(common, record.failure());
  OpenRequest request{*record, 0, arguments.purpose, arguments.case_reference, arguments.output, {}, {}};
  request.approved_request = arguments.approved_request;
  request.emergency = arguments.emergency;
  request.wait = std::chrono::seconds(arguments.wait_seconds);
  request.waiting = [](const std::string& missing) {
    std::cerr << Format(Id::kWaitsForWitnesses, Visible(missing)) << "\n";
  };
  if (arguments.portion >= 0) {
    request.portion = static_cast<std::uint32_t>(arguments.portion);
  } else {
    auto items = session->Inbox();
    if (!items) return Fail(common, items.failure());
    std::vector<std::uint32_t> mine;
    for (const auto& item : *items)
      if (item.id == *record)
        for (const auto& portion : item.portions)
          if (portion.for_me) mine.push_back(portion.number);
    if (mine.size() > 1) return Misused(common, Id::kUsageSeveralPortions);
    if (!mine.empty()) request.portion = mine[0];
  }
  if (!arguments.emergency.empty() && !common.yes) {
    if (auto shown = ShowRecord(*session, *record); !shown) return Fail(common, shown.failure());
    if (!Confirmed(common, Format(Id::kAskEmergency, *record, request.portion))) return 1;
  }
  auto opened = session->OpenRecord(request, ProgressBar(Text(Id::kOpening)));
  if (opened) WarnIfBehind(*session);
  if (!opened) {
    const int failed = Fail(common, opened.failure());
    if (const auto& waiting = opened.failure().request; !common.json && !waiting.empty())
      std::cerr << Format(Id::kWaitsForApproval, ShortId(waiting)) << "\n";  // what to do next
    return failed;
  }
  if (!common.json) {
    auto said = Format(Id::kOpened, opened->portion, Visible(opened->marking), SizeText(opened->bytes));
    if (opened->unwitnessed) said = Format(Id::kNewsUnwitnessed, said);
    std::cerr << Format(Id::kLogged, said, opened->entry) << "\n";
  }
  if (common.json) {
    nlohmann::ordered_json out = {{"record", opened->id},       {"portion", opened->portion},
                                  {"marking", opened->marking}, {"media_type", opened->media_type},
                                  {"bytes", opened->bytes},     {"entry", opened->entry}};
    if (opened->unwitnessed) out["unwitnessed"] = true;
    if (arguments.output.empty())
      out["content_base64"] = ToBase64(AsBytes(opened->content));
    else
      out["output"] = arguments.output;
    std::cout << out.dump() << "\n";
  } else if (arguments.output.empty()) {
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    std::cout << (terminal ? Visible(opened->content, true) : opened->content) << std::flush;
    if (terminal) std::cout << "\n";
  }
  return 0;
}

int Acknowledge(const Common& common, const std::string& record, const std::string& outcome) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  std::string id = record;
  if (outcome == "erased" && !AskAbout(common, *session, id, Id::kAskErased, status)) return status;
  return Answer(common, session->Acknowledge(id, outcome), Format(Id::kAcknowledged, OutcomeText(outcome)));
}

int Revoke(const Common& common, const std::string& record, const std::string& why) {
  int status = 0;
  auto session = Start(common, status, true);
  if (!session) return status;
  std::string id = record;
  if (!AskAbout(common, *session, id, Id::kAskRevoke, status)) return status;
  return Answer(common, session->Revoke(id, why), Text(Id::kRevoked));
}

}  // namespace valija::cli
