// The `valija` command, without its command line (that is main.cc). Each function does one subcommand, prints, and
// returns the exit status. Standard output has the answer and nothing else; what is said about the work goes to
// standard error.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "client/valija.h"

namespace valija::cli {

struct Common {
  std::filesystem::path profile;
  std::filesystem::path passphrase_file;
  bool json = false;
  bool yes = false;  // no questions
  int timeout_s = 30;
};

int Fail(const Common& common, const Failure& failure);

int Init(const Common& common, const std::string& member);
int Join(const Common& common, const std::string& charter, const std::string& digest, const std::string& broker,
         const std::string& certificate);
int WhoAmIAm(const Common& common);
int ShowDirectory(const Common& common);

struct SendArguments {
  std::vector<std::string> files, policies, types;
  std::string in_reply_to, urgency;
  std::vector<std::string> sources;
  bool preview = false;  // show who could open it, send nothing
};
int Send(const Common& common, const SendArguments& arguments);
int Inbox(const Common& common, bool follow, bool due);  // due: what asks my agency, and has no answer of it
int ListSent(const Common& common, bool due);            // due: what I asked, and nobody has answered
struct OpenArguments {
  std::string record, purpose, case_reference, output, approved_request, emergency;
  int portion = -1;           // -1: the only one for me
  unsigned wait_seconds = 0;  // 0: as the library has it
};
int Open(const Common& common, const OpenArguments& arguments);
int Acknowledge(const Common& common, const std::string& record, const std::string& outcome);
int Revoke(const Common& common, const std::string& record, const std::string& why);
int Custody(const Common& common, const std::string& record);
int PolicyCheck(const Common& common, const std::vector<std::string>& files);
int Export(const Common& common, const std::string& folder, const std::string& why);

int Enrol(const Common& common, const std::string& card, const Session::EnrolOptions& options);
int Remove(const Common& common, const std::string& member);
int RotateEpoch(const Common& common);

int Suspend(const Common& common, const std::string& member);
int Resume(const Common& common, const std::string& member);
int GrantEpochs(const Common& common, const std::string& member);
int BeginRenewal(const Common& common);
int FinishRenewal(const Common& common, const std::string& certificate);
// Why each member could open it or not: for a request with this purpose and case, else with one that the policy allows.
int PolicyExplain(const Common& common, const std::vector<std::string>& files, const std::string& purpose,
                  const std::string& case_reference);

// ---- what is kept for years ----
int SaveReceipt(const Common& common, const std::string& statement, const std::string& output, unsigned wait_seconds);
int SaveBundle(const Common& common, BundleRequest request);
int WitnessPolicy(const Common& common, const std::string& output);
int Checkpoint(const Common& common, const std::string& output);

// ---- what waits ----
int Pending(const Common& common);
enum class Verdict { kApprove, kReject, kWithdraw };
int Decide(const Common& common, Verdict verdict, const std::string& request, const std::string& why);
int ReviewEmergency(const Common& common, const std::string& request, bool justified, const std::string& why);
int RequestAccess(const Common& common, const AccessDraft& draft);
int AnswerRequest(const Common& common, const std::string& request, const std::string& marking, bool decline,
                  const std::string& why);

// ---- the life of a record ----
int Recall(const Common& common, const std::string& record, const std::string& why);
int Purge(const Common& common, const std::vector<std::string>& ids, const std::string& why);
int Amend(const Common& common, const std::string& record, int portion, const std::string& policy_file);
int Grant(const Common& common, GrantDraft draft, const std::string& policy_file);

// ---- standing orders ----
int GiveOrder(const Common& common, const std::string& purpose, const std::string& case_reference,
              const std::string& until);
int EndOrder(const Common& common, const std::string& order);
int Orders(const Common& common);
// from: none given, where the last one of this profile ended.
int FollowOrders(const Common& common, std::optional<std::uint64_t> from, const std::string& folder, int count);

int SubmitCharterAmendment(const Common& common, const std::string& file);
int CharterDraft(const Common& common, const std::string& draft, const std::string& output);
int CharterSign(const Common& common, const std::string& file);
int CharterShow(const Common& common, const std::string& file);

}  // namespace valija::cli
