// The command line of `valija`: words to calls of commands.h, nothing else. (CLI11 is slow to compile: only here.)
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "client/commands.h"
#include "core/io/file.h"
#include "core/text/command_line.h"

namespace {

using namespace valija::cli;  // NOLINT(google-build-using-namespace): this file is the command line of that namespace
using valija::text::Id;
using valija::text::Text;

std::filesystem::path DefaultProfile() {
  if (const char* given = std::getenv("VALIJA_PROFILE")) return given;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".valija";
}

}  // namespace

int main(int argc, char** argv) {
  valija::io::HardenProcess();
  valija::text::SetLanguage(valija::text::ChooseLanguage(argc, argv, std::getenv));
  CLI::App app{Text(Id::kHelpAbout)};
  app.require_subcommand(1);
  app.footer(Text(Id::kHelpFooter));
  app.set_version_flag("--version", "valija " VALIJA_VERSION);
  app.fallthrough();

  Common common;
  common.profile = DefaultProfile();
  app.add_option("--profile", common.profile, Text(Id::kHelpProfile));
  app.add_option("--passphrase-file", common.passphrase_file, Text(Id::kHelpPassphraseFile));
  std::string language;  // read already by ChooseLanguage
  app.add_option("--lang", language, Text(Id::kHelpLang))->check(CLI::IsMember({"en", "es"}).description("en|es"));
  app.add_flag("--json", common.json, Text(Id::kHelpJson));
  app.add_flag("-y,--yes", common.yes, Text(Id::kHelpYes));
  app.add_option("--timeout", common.timeout_s, Text(Id::kHelpTimeout))
      ->check(CLI::Range(1, 3600).description("1..3600"))
      ->capture_default_str();

  std::string member, charter, digest, broker, certificate, record, outcome, why, file, output, folder;
  std::vector<std::string> files;
  SendArguments send;
  OpenArguments open;
  valija::Session::EnrolOptions enrol;
  valija::AccessDraft access;
  valija::GrantDraft grant;
  std::vector<unsigned> portions;
  std::string request, purpose, case_reference, marking, until, policy_file;
  std::optional<std::uint64_t> from_entry;
  int portion = 0, count = 0;
  bool follow = false, due = false, justified = false, not_justified = false, decline = false;
  int status = 0;

  auto* init = app.add_subcommand("init", Text(Id::kHelpInit));
  init->add_option("--member", member, Text(Id::kHelpInitMember))->required();
  init->callback([&] { status = Init(common, member); });

  auto* join = app.add_subcommand("join", Text(Id::kHelpJoin));
  join->add_option("--charter", charter, Text(Id::kHelpJoinCharter))->required();
  join->add_option("--digest", digest, Text(Id::kHelpJoinDigest))->required();
  join->add_option("--broker", broker, Text(Id::kHelpJoinBroker))->required();
  join->add_option("--certificate", certificate, Text(Id::kHelpJoinCertificate))->required();
  join->callback([&] { status = Join(common, charter, digest, broker, certificate); });

  app.add_subcommand("whoami", Text(Id::kHelpWhoAmI))->callback([&] { status = WhoAmIAm(common); });
  app.add_subcommand("directory", Text(Id::kHelpDirectory))->callback([&] { status = ShowDirectory(common); });

  auto* send_command = app.add_subcommand("send", Text(Id::kHelpSend));
  send_command->add_option("files", send.files, Text(Id::kHelpSendFiles))->required();
  send_command->add_option("-p,--policy", send.policies, Text(Id::kHelpSendPolicy))->required();
  send_command->add_option("-t,--type", send.types, Text(Id::kHelpSendType));
  send_command->add_option("--reply-to", send.in_reply_to, Text(Id::kHelpSendReplyTo));
  send_command->add_option("--urgency", send.urgency, Text(Id::kHelpSendUrgency))
      ->check(CLI::IsMember({"normal", "urgent", "immediate"}).description("normal|urgent|immediate"));
  send_command->add_option("--source", send.sources, Text(Id::kHelpSendSource));
  send_command->add_flag("--preview", send.preview, Text(Id::kHelpSendPreview));
  send_command->callback([&] { status = Send(common, send); });

  auto* inbox = app.add_subcommand("inbox", Text(Id::kHelpInbox));
  inbox->add_flag("-f,--follow", follow, Text(Id::kHelpInboxFollow));
  inbox->add_flag("--due", due, Text(Id::kHelpInboxDue));
  inbox->callback([&] { status = Inbox(common, follow, due); });

  auto* sent = app.add_subcommand("sent", Text(Id::kHelpSent));
  sent->add_flag("--due", due, Text(Id::kHelpSentDue));
  sent->callback([&] { status = ListSent(common, due); });

  auto* open_command = app.add_subcommand("open", Text(Id::kHelpOpen));
  open_command->add_option("record", open.record, Text(Id::kHelpRecord))->required();
  open_command->add_option("--portion", open.portion, Text(Id::kHelpOpenPortion))
      ->check(CLI::Range(0, 63).description("0..63"));
  open_command->add_option("--purpose", open.purpose, Text(Id::kHelpOpenPurpose))->required();
  open_command->add_option("--case", open.case_reference, Text(Id::kHelpOpenCase));
  open_command->add_option("--approved", open.approved_request, Text(Id::kHelpOpenApproved));
  open_command->add_option("--emergency", open.emergency, Text(Id::kHelpOpenEmergency));
  open_command->add_option("--wait", open.wait_seconds, Text(Id::kHelpOpenWait))->check(CLI::Range(1u, 86400u));
  open_command->add_option("-o,--output", open.output, Text(Id::kHelpOpenOutput));
  open_command->callback([&] { status = Open(common, open); });

  auto* ack = app.add_subcommand("ack", Text(Id::kHelpAck));
  ack->add_option("record", record, Text(Id::kHelpRecord))->required();
  ack->add_option("outcome", outcome, Text(Id::kHelpAckOutcome))->required();
  ack->callback([&] { status = Acknowledge(common, record, outcome); });

  auto* revoke = app.add_subcommand("revoke", Text(Id::kHelpRevoke));
  revoke->add_option("record", record, Text(Id::kHelpRecord))->required();
  revoke->add_option("--why", why, Text(Id::kHelpRevokeWhy))->required();
  revoke->callback([&] { status = Revoke(common, record, why); });

  auto* custody = app.add_subcommand("custody", Text(Id::kHelpCustody));
  custody->add_option("record", record, Text(Id::kHelpRecord))->required();
  valija::BundleRequest bundle;
  unsigned wait_seconds = 30;
  auto wait = [&](CLI::Option* option) {
    option->check(CLI::Range(0u, 86400u).description("0..86400"))->capture_default_str();
    return option;
  };
  auto* bundled = custody->add_option("--bundle", output, Text(Id::kHelpCustodyBundle));
  custody->add_option("--withhold", bundle.withhold, Text(Id::kHelpCustodyWithhold))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->needs(bundled);
  custody->add_flag("--show-erased", bundle.show_erased, Text(Id::kHelpCustodyErased))->needs(bundled);
  wait(custody->add_option("--wait", wait_seconds, Text(Id::kHelpReceiptWait)))->needs(bundled);
  custody->callback([&] {
    bundle.record = record;
    bundle.output = output;
    bundle.wait = std::chrono::seconds(wait_seconds);
    status = output.empty() ? Custody(common, record) : SaveBundle(common, bundle);
  });

  auto* receipt = app.add_subcommand("receipt", Text(Id::kHelpReceipt));
  receipt->require_subcommand(1);
  auto* save = receipt->add_subcommand("save", Text(Id::kHelpReceiptSave));
  save->add_option("statement", record, Text(Id::kHelpReceiptStatement))->required();
  save->add_option("-o,--output,--out", output, Text(Id::kHelpReceiptOutput));
  wait(save->add_option("--wait", wait_seconds, Text(Id::kHelpReceiptWait)));
  save->callback([&] { status = SaveReceipt(common, record, output, wait_seconds); });

  app.add_subcommand("pending", Text(Id::kHelpPending))->callback([&] { status = Pending(common); });
  auto decide = [&](const char* name, Id help, Verdict verdict, bool why_required) {
    auto* command = app.add_subcommand(name, Text(help));
    command->add_option("request", request, Text(Id::kHelpRequestId))->required();
    command->add_option("--why", why, Text(why_required ? Id::kHelpWhy : Id::kHelpWhyOptional))->required(why_required);
    command->callback([&, verdict] { status = Decide(common, verdict, request, why); });
  };
  decide("approve", Id::kHelpApprove, Verdict::kApprove, false);
  decide("reject", Id::kHelpReject, Verdict::kReject, true);
  decide("withdraw", Id::kHelpWithdraw, Verdict::kWithdraw, true);
  auto* review = app.add_subcommand("review", Text(Id::kHelpReview));
  review->add_option("request", request, Text(Id::kHelpRequestId))->required();
  auto* finding = review->add_option_group("finding");
  finding->add_flag("--justified", justified, Text(Id::kHelpReviewJustified));
  finding->add_flag("--not-justified", not_justified, Text(Id::kHelpReviewNotJustified));
  finding->require_option(1);
  review->add_option("--why", why, Text(Id::kHelpWhy))->required();
  review->callback([&] { status = ReviewEmergency(common, request, justified, why); });

  auto* ask = app.add_subcommand("request", Text(Id::kHelpRequestAccess));
  ask->add_option("record", access.record, Text(Id::kHelpRequestRecord))->required();
  ask->add_option("--portion", portions, Text(Id::kHelpRequestPortion));
  ask->add_option("--for", access.agency, Text(Id::kHelpRequestAgency));
  ask->add_option("--marking", access.marking, Text(Id::kHelpRequestMarking));
  ask->add_option("--purpose", access.purpose, Text(Id::kHelpPurpose))->required();
  ask->add_option("--case", access.case_reference, Text(Id::kHelpCase));
  ask->add_option("--why", access.why, Text(Id::kHelpWhy))->required();
  ask->callback([&] {
    access.portions.assign(portions.begin(), portions.end());
    if (!access.agency.empty()) access.wish = "onward";
    if (!access.marking.empty()) access.wish = "mark-less";
    status = RequestAccess(common, access);
  });
  auto* answer = app.add_subcommand("answer", Text(Id::kHelpAnswer));
  answer->add_option("request", request, Text(Id::kHelpRequestId))->required();
  answer->add_flag("--decline", decline, Text(Id::kHelpAnswerDecline));
  answer->add_option("--marking", marking, Text(Id::kHelpAnswerMarking));
  answer->add_option("--why", why, Text(Id::kHelpWhyOptional));
  answer->callback([&] { status = AnswerRequest(common, request, marking, decline, why); });

  auto* grant_command = app.add_subcommand("grant", Text(Id::kHelpGrant));
  grant_command->add_option("record", grant.record, Text(Id::kHelpRecord))->required();
  grant_command->add_option("-p,--policy", policy_file, Text(Id::kHelpPolicyFile))->required();
  grant_command->add_option("--portion", portions, Text(Id::kHelpRequestPortion));
  grant_command->add_option("--request", grant.request, Text(Id::kHelpGrantRequest));
  grant_command->add_option("--purpose", grant.purpose, Text(Id::kHelpPurpose));
  grant_command->add_option("--case", grant.case_reference, Text(Id::kHelpCase));
  grant_command->callback([&] {
    grant.portions.assign(portions.begin(), portions.end());
    status = Grant(common, grant, policy_file);
  });
  auto* amend = app.add_subcommand("amend", Text(Id::kHelpAmend));
  amend->add_option("record", record, Text(Id::kHelpRecord))->required();
  amend->add_option("-p,--policy", policy_file, Text(Id::kHelpPolicyFile))->required();
  amend->add_option("--portion", portion, Text(Id::kHelpPortion))->check(CLI::Range(0, 63).description("0..63"));
  amend->callback([&] { status = Amend(common, record, portion, policy_file); });
  auto* recall = app.add_subcommand("recall", Text(Id::kHelpRecall));
  recall->add_option("record", record, Text(Id::kHelpRecord))->required();
  recall->add_option("--why", why, Text(Id::kHelpRevokeWhy))->required();
  recall->callback([&] { status = Recall(common, record, why); });
  auto* purge = app.add_subcommand("purge", Text(Id::kHelpPurge));
  purge->add_option("ids", files, Text(Id::kHelpPurgeIds))->required();
  purge->add_option("--why", why, Text(Id::kHelpWhy))->required();
  purge->callback([&] { status = Purge(common, files, why); });

  auto* order = app.add_subcommand("order", Text(Id::kHelpOrder));
  order->require_subcommand(1);
  auto* give = order->add_subcommand("give", Text(Id::kHelpOrderGive));
  give->add_option("--purpose", purpose, Text(Id::kHelpPurpose))->required();
  give->add_option("--case", case_reference, Text(Id::kHelpCase));
  give->add_option("--until", until, Text(Id::kHelpOrderUntil))->required();
  give->callback([&] { status = GiveOrder(common, purpose, case_reference, until); });
  auto* end = order->add_subcommand("end", Text(Id::kHelpOrderEnd));
  end->add_option("order", request, Text(Id::kHelpOrderId))->required();
  end->callback([&] { status = EndOrder(common, request); });
  order->add_subcommand("list", Text(Id::kHelpOrderList))->callback([&] { status = Orders(common); });
  auto* receive = order->add_subcommand("follow", Text(Id::kHelpOrderFollow));
  receive->add_option("--from", from_entry, Text(Id::kHelpOrderFrom));
  receive->add_option("-o,--output", folder, Text(Id::kHelpOrderFolder));
  receive->add_option("--count", count, Text(Id::kHelpOrderCount));
  receive->callback([&] { status = FollowOrders(common, from_entry, folder, count); });

  auto* policy = app.add_subcommand("policy", Text(Id::kHelpPolicy));
  policy->require_subcommand(1);
  auto* check = policy->add_subcommand("check", Text(Id::kHelpPolicyCheck));
  check->add_option("files", files, Text(Id::kHelpPolicy))->required();
  check->callback([&] { status = PolicyCheck(common, files); });

  auto* explain = policy->add_subcommand("explain", Text(Id::kHelpPolicyExplain));
  explain->add_option("files", files, Text(Id::kHelpPolicyOrRecord))->required();
  explain->add_option("--purpose", purpose, Text(Id::kHelpPurpose));
  explain->add_option("--case", case_reference, Text(Id::kHelpCase));
  explain->callback([&] { status = PolicyExplain(common, files, purpose, case_reference); });

  auto* enrol_command = app.add_subcommand("enrol", Text(Id::kHelpEnrol));
  enrol_command->add_option("card", file, Text(Id::kHelpEnrolCard))->required();
  enrol_command->add_option("--clearance", enrol.clearance, Text(Id::kHelpEnrolClearance));
  enrol_command->add_option("--role", enrol.roles, Text(Id::kHelpEnrolRole));
  enrol_command->add_option("--programme", enrol.programmes, Text(Id::kHelpEnrolProgramme));
  enrol_command->add_option("--person", enrol.person, Text(Id::kHelpEnrolPerson));
  enrol_command->add_flag("--administrator", enrol.administrator, Text(Id::kHelpEnrolAdministrator));
  enrol_command->add_flag("--auditor", enrol.auditor, Text(Id::kHelpEnrolAuditor));
  enrol_command->callback([&] { status = Enrol(common, file, enrol); });

  auto* remove = app.add_subcommand("remove", Text(Id::kHelpRemove));
  remove->add_option("member", member, Text(Id::kHelpMember))->required();
  remove->callback([&] { status = Remove(common, member); });

  auto of_member = [&](CLI::App* parent, const char* name, Id help, int (*act)(const Common&, const std::string&)) {
    auto* command = parent->add_subcommand(name, Text(help));
    command->add_option("member", member, Text(Id::kHelpMember))->required();
    command->callback([&, act] { status = act(common, member); });
  };
  of_member(&app, "suspend", Id::kHelpSuspend, Suspend);
  of_member(&app, "resume", Id::kHelpResume, Resume);
  auto* renew = app.add_subcommand("renew", Text(Id::kHelpRenew));
  renew->require_subcommand(1);
  renew->add_subcommand("begin", Text(Id::kHelpRenewBegin))->callback([&] { status = BeginRenewal(common); });
  auto* finish = renew->add_subcommand("finish", Text(Id::kHelpRenewFinish));
  finish->add_option("--certificate", certificate, Text(Id::kHelpJoinCertificate))->required();
  finish->callback([&] { status = FinishRenewal(common, certificate); });

  auto* epoch = app.add_subcommand("epoch", Text(Id::kHelpEpoch));
  epoch->require_subcommand(1);
  epoch->add_subcommand("rotate", Text(Id::kHelpEpochRotate))->callback([&] { status = RotateEpoch(common); });

  of_member(epoch, "grant", Id::kHelpEpochGrant, GrantEpochs);

  auto* export_command = app.add_subcommand("export", Text(Id::kHelpExport));
  export_command->add_option("folder", folder, Text(Id::kHelpExportFolder))->required();
  export_command->add_option("--why", why, Text(Id::kHelpExportWhy))->required();
  export_command->callback([&] { status = Export(common, folder, why); });

  auto* charter_command = app.add_subcommand("charter", Text(Id::kHelpCharter));
  charter_command->require_subcommand(1);
  auto* draft = charter_command->add_subcommand("draft", Text(Id::kHelpCharterDraft));
  draft->add_option("draft", file, Text(Id::kHelpCharterDraftFile))->required();
  draft->add_option("-o,--output", output, Text(Id::kHelpCharterDraftOutput))->required();
  draft->callback([&] { status = CharterDraft(common, file, output); });
  auto* sign = charter_command->add_subcommand("sign", Text(Id::kHelpCharterSign));
  sign->add_option("charter", file, Text(Id::kHelpCharterSignFile))->required();
  sign->callback([&] { status = CharterSign(common, file); });
  auto* show = charter_command->add_subcommand("show", Text(Id::kHelpCharterShow));
  show->add_option("charter", file, Text(Id::kHelpCharterFile))->required();
  show->callback([&] { status = CharterShow(common, file); });

  auto* amend_charter = charter_command->add_subcommand("amend", Text(Id::kHelpCharterAmend));
  amend_charter->add_option("amendment", file, Text(Id::kHelpCharterFile))->required();
  amend_charter->callback([&] { status = SubmitCharterAmendment(common, file); });
  auto* witness_policy = charter_command->add_subcommand("witness-policy", Text(Id::kHelpWitnessPolicy));
  witness_policy->add_option("-o,--output,--out", output, Text(Id::kHelpWitnessPolicyOutput));
  witness_policy->callback([&] { status = WitnessPolicy(common, output); });

  auto* checkpoint = charter_command->add_subcommand("checkpoint", Text(Id::kHelpCheckpoint));
  checkpoint->add_option("-o,--output,--out", output, Text(Id::kHelpWitnessPolicyOutput));
  checkpoint->callback([&] { status = Checkpoint(common, output); });

  // Examples, as people would type them.
  const std::pair<CLI::App*, Id> examples[] = {{send_command, Id::kExampleSend},
                                               {inbox, Id::kExampleInbox},
                                               {sent, Id::kExampleSent},
                                               {open_command, Id::kExampleOpen},
                                               {ack, Id::kExampleAck},
                                               {revoke, Id::kExampleRevoke},
                                               {app.get_subcommand("pending"), Id::kExampleApprove},
                                               {app.get_subcommand("approve"), Id::kExampleApprove},
                                               {app.get_subcommand("reject"), Id::kExampleApprove},
                                               {app.get_subcommand("withdraw"), Id::kExampleApprove},
                                               {review, Id::kExampleReview},
                                               {ask, Id::kExampleRequest},
                                               {answer, Id::kExampleAnswer},
                                               {grant_command, Id::kExampleGrant},
                                               {amend, Id::kExampleAmend},
                                               {recall, Id::kExampleRecall},
                                               {purge, Id::kExamplePurge},
                                               {order, Id::kExampleOrder},
                                               {give, Id::kExampleOrder},
                                               {receive, Id::kExampleOrder},
                                               {policy, Id::kExamplePolicy},
                                               {explain, Id::kExamplePolicy},
                                               {enrol_command, Id::kExampleEnrol},
                                               {remove, Id::kExampleMembers},
                                               {app.get_subcommand("suspend"), Id::kExampleMembers},
                                               {app.get_subcommand("resume"), Id::kExampleMembers},
                                               {renew, Id::kExampleRenew},
                                               {finish, Id::kExampleRenew},
                                               {epoch, Id::kExampleEpoch},
                                               {charter_command, Id::kExampleCharter},
                                               {sign, Id::kExampleCharter},
                                               {amend_charter, Id::kExampleCharter},
                                               {custody, Id::kExampleCustody},
                                               {receipt, Id::kExampleReceipt},
                                               {save, Id::kExampleReceipt},
                                               {witness_policy, Id::kExampleReceipt}};
  for (const auto& [command, example] : examples) command->footer("\n" + Text(Id::kExamples) + "\n" + Text(example));

  valija::text::TranslateHelp(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    if (common.json) return Fail(common, {"usage", error.what(), 2});
    app.exit(error);
    return 2;
  } catch (const std::exception& error) {
    return Fail(common, {"internal", error.what(), 1});
  }
  return status;
}
