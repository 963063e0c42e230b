// What an administrator does with members, and a member with its own keys; and who could open a record.
#include <iostream>

#include "client/commands_internal.h"
#include "client/print.h"
#include "client/session.h"
#include "core/io/file.h"
#include "core/text/sentences.h"

namespace valija::cli {

using text::Format;
using text::Id;
using text::Text;

int Suspend(const Common& common, const std::string& member) {
  if (!Confirmed(common, Format(Id::kAskSuspend, Visible(member)))) return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Suspend(member), Format(Id::kSuspended, member));
}

int Resume(const Common& common, const std::string& member) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Resume(member), Format(Id::kResumed, member));
}

int GrantEpochs(const Common& common, const std::string& member) {
  if (!Confirmed(common, Format(Id::kAskGrantEpochs, Visible(member)))) return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->GrantEpochs(member), Format(Id::kEpochsGranted, member));
}

int BeginRenewal(const Common& common) {
  auto folder = Session::BeginRenewal({common.profile, common.passphrase_file, std::chrono::seconds(common.timeout_s)});
  if (!folder) return Fail(common, folder.failure());
  if (common.json)
    std::cout << nlohmann::ordered_json{{"folder", folder->string()}}.dump() << "\n";
  else
    std::cout << Format(Id::kRenewalBegun, folder->string()) << "\n";
  return 0;
}

int FinishRenewal(const Common& common, const std::string& certificate) {
  auto done = Session::FinishRenewal({common.profile, common.passphrase_file, std::chrono::seconds(common.timeout_s)},
                                     certificate);
  if (!done) return Fail(common, done.failure());
  if (common.json)
    std::cout << nlohmann::ordered_json{{"renewed", true}}.dump() << "\n";
  else
    std::cout << Text(Id::kRenewed) << "\n";
  return 0;
}

int PolicyExplain(const Common& common, const std::vector<std::string>& files, const std::string& purpose,
                  const std::string& case_reference) {
  // One word that is no file, and could be a record's id.
  std::error_code ignored;
  const bool record = files.size() == 1 && files[0].size() >= 4 && !std::filesystem::exists(files[0], ignored) &&
                      files[0].find_first_not_of("0123456789abcdef") == std::string::npos;
  Draft draft;
  for (const auto& file : record ? std::vector<std::string>{} : files) {
    auto policy = io::ReadText(file, 1 << 16);
    if (!policy) return Fail(common, client::ToFailure(policy.error()));
    PortionDraft portion;
    portion.policy_text = *policy;
    draft.portions.push_back(std::move(portion));
  }
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto explained = record ? session->ExplainRecord(files[0], purpose, case_reference)
                          : session->Explain(draft, purpose, case_reference);
  if (!explained) return Fail(common, explained.failure());
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& portion : *explained) out.push_back(ToJson(portion));
    std::cout << out.dump() << "\n";
    return 0;
  }
  for (const auto& portion : *explained) {
    std::cout << Visible(Format(Id::kPreviewPortion, portion.portion, portion.marking)) << "\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& member : portion.members)
      rows.push_back({"  " + member.member,
                      member.reasons.empty() ? Text(Id::kCouldOpen) : Format(Id::kCouldNot, Joined(member.reasons))});
    std::cout << FormatTable({Text(Id::kHeadMember), ""}, rows);
  }
  return 0;
}

}  // namespace valija::cli
