// The command line of `valija`: words to calls of commands.h, nothing else. (CLI11 is slow to compile: only here.)
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

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
  bool follow = false;
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
  send_command->add_flag("--preview", send.preview, Text(Id::kHelpSendPreview));
  send_command->callback([&] { status = Send(common, send); });

  auto* inbox = app.add_subcommand("inbox", Text(Id::kHelpInbox));
  inbox->add_flag("-f,--follow", follow, Text(Id::kHelpInboxFollow));
  inbox->callback([&] { status = Inbox(common, follow); });

  auto* open_command = app.add_subcommand("open", Text(Id::kHelpOpen));
  open_command->add_option("record", open.record, Text(Id::kHelpRecord))->required();
  open_command->add_option("--portion", open.portion, Text(Id::kHelpOpenPortion))
      ->check(CLI::Range(0, 63).description("0..63"));
  open_command->add_option("--purpose", open.purpose, Text(Id::kHelpOpenPurpose))->required();
  open_command->add_option("--case", open.case_reference, Text(Id::kHelpOpenCase));
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
  custody->callback([&] { status = Custody(common, record); });

  auto* policy = app.add_subcommand("policy", Text(Id::kHelpPolicy));
  policy->require_subcommand(1);
  auto* check = policy->add_subcommand("check", Text(Id::kHelpPolicyCheck));
  check->add_option("files", files, Text(Id::kHelpPolicy))->required();
  check->callback([&] { status = PolicyCheck(common, files); });

  auto* enrol_command = app.add_subcommand("enrol", Text(Id::kHelpEnrol));
  enrol_command->add_option("card", file, Text(Id::kHelpEnrolCard))->required();
  enrol_command->add_option("--clearance", enrol.clearance, Text(Id::kHelpEnrolClearance));
  enrol_command->add_option("--role", enrol.roles, Text(Id::kHelpEnrolRole));
  enrol_command->add_option("--programme", enrol.programmes, Text(Id::kHelpEnrolProgramme));
  enrol_command->add_flag("--administrator", enrol.administrator, Text(Id::kHelpEnrolAdministrator));
  enrol_command->add_flag("--auditor", enrol.auditor, Text(Id::kHelpEnrolAuditor));
  enrol_command->callback([&] { status = Enrol(common, file, enrol); });

  auto* remove = app.add_subcommand("remove", Text(Id::kHelpRemove));
  remove->add_option("member", member, Text(Id::kHelpMember))->required();
  remove->callback([&] { status = Remove(common, member); });

  auto* epoch = app.add_subcommand("epoch", Text(Id::kHelpEpoch));
  epoch->require_subcommand(1);
  epoch->add_subcommand("rotate", Text(Id::kHelpEpochRotate))->callback([&] { status = RotateEpoch(common); });

  auto* export_command = app.add_subcommand("export", Text(Id::kHelpExport));
  export_command->add_option("folder", folder, Text(Id::kHelpExportFolder))->required();
  export_command->callback([&] { status = Export(common, folder); });

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
