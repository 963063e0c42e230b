// The command line of `valija`: words to calls of commands.h, nothing else. (CLI11 is slow to compile: only here.)
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "client/commands.h"
#include "core/io/file.h"

namespace {

using namespace valija::cli;  // NOLINT(google-build-using-namespace): this file is the command line of that namespace

constexpr const char* kFooter = R"(
Exit status: 0 done; 1 not done, or a fault inside; 2 bad input or usage; 3 denied or not found;
4 not now (unreachable, busy, or something must happen first); 5 ALARM: a proof or seal does not hold.
A record is named by its 64 hex digits or by the first ones that are unique in your mailbox (at least 4).
With --json the answer is one JSON value on standard output, an error one object {"error": {"code", ...}}.

Examples:
  valija init --member us.dea/jrivera
  valija send report.json --policy partners.policy
  valija send summary.txt source.txt --policy many.policy --policy few.policy    # two portions, two audiences
  valija inbox --follow
  valija open 3f9a12 --purpose investigation --case FGR-2026-118 -o report.json
  valija custody 3f9a12)";

std::filesystem::path DefaultProfile() {
  if (const char* given = std::getenv("VALIJA_PROFILE")) return given;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".valija";
}

}  // namespace

int main(int argc, char** argv) {
  valija::io::HardenProcess();
  CLI::App app{"valija: send, open and trace records that only their recipients can read"};
  app.require_subcommand(1);
  app.footer(kFooter);
  app.set_version_flag("--version", "valija " VALIJA_VERSION);
  app.fallthrough();

  Common common;
  common.profile = DefaultProfile();
  app.add_option("--profile", common.profile, "The profile's folder (else $VALIJA_PROFILE, else ~/.valija)");
  app.add_option("--passphrase-file", common.passphrase_file,
                 "Private file with the passphrase in its first line (else it is asked for)");
  app.add_flag("--json", common.json, "Answer in JSON, for programs");
  app.add_flag("-y,--yes", common.yes, "Do not ask before an act that cannot be undone");
  app.add_option("--timeout", common.timeout_s, "Seconds to wait for the broker, per call")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();

  std::string member, charter, digest, broker, certificate, record, outcome, why, file, output, folder;
  std::vector<std::string> files;
  SendArguments send;
  OpenArguments open;
  valija::Session::EnrolOptions enrol;
  bool follow = false;
  int status = 0;

  auto* init = app.add_subcommand("init", "Make a profile: three key pairs, a certificate request and a member card");
  init->add_option("--member", member, "Your name, country.agency/name")->required();
  init->callback([&] { status = Init(common, member); });

  auto* join = app.add_subcommand("join", "Join a broker under a charter whose digest a person told you");
  join->add_option("--charter", charter, "The signed charter's file")->required();
  join->add_option("--digest", digest, "The charter's digest, 64 hex digits, checked out of band")->required();
  join->add_option("--broker", broker, "host:port")->required();
  join->add_option("--certificate", certificate, "Your certificate, as your agency's CA gave it")->required();
  join->callback([&] { status = Join(common, charter, digest, broker, certificate); });

  app.add_subcommand("whoami", "Who I am to this broker, and what was verified")->callback([&] {
    status = WhoAmIAm(common);
  });
  app.add_subcommand("directory", "Agencies and members, each proved to be enrolled")->callback([&] {
    status = ShowDirectory(common);
  });

  auto* send_command = app.add_subcommand("send", "Seal and send files as the portions of one record");
  send_command->add_option("files", send.files, "One file for each portion")->required();
  send_command->add_option("-p,--policy", send.policies, "Policy file: one for all portions, or one for each in order")
      ->required();
  send_command->add_option("-t,--type", send.types, "Media type, likewise (else by the file's ending)");
  send_command->add_option("--reply-to", send.in_reply_to, "The record that this one answers");
  send_command->add_flag("--preview", send.preview, "Only show who could open it");
  send_command->callback([&] { status = Send(common, send); });

  auto* inbox = app.add_subcommand("inbox", "What was sent to me");
  inbox->add_flag("-f,--follow", follow, "Stay, and show records and news as they come");
  inbox->callback([&] { status = Inbox(common, follow); });

  auto* open_command = app.add_subcommand("open", "Open one portion; the opening is logged before it is possible");
  open_command->add_option("record", open.record, "The record")->required();
  open_command->add_option("--portion", open.portion, "Which portion (else the only one for me)")
      ->check(CLI::Range(0, 63));
  open_command->add_option("--purpose", open.purpose, "Purpose of use, one that the policy allows")->required();
  open_command->add_option("--case", open.case_reference, "Case reference");
  open_command->add_option("-o,--output", open.output, "New file for the content (else standard output)");
  open_command->callback([&] { status = Open(common, open); });

  auto* ack = app.add_subcommand("ack", "Tell the originator what came of a record");
  ack->add_option("record", record, "The record")->required();
  ack->add_option("outcome", outcome, "received, useful, acted-on or not-useful")->required();
  ack->callback([&] { status = Acknowledge(common, record, outcome); });

  auto* revoke = app.add_subcommand("revoke", "End all openings of a record that I sent");
  revoke->add_option("record", record, "The record")->required();
  revoke->add_option("--why", why, "The reason; everybody concerned reads it")->required();
  revoke->callback([&] { status = Revoke(common, record, why); });

  auto* custody = app.add_subcommand("custody", "Who did what with a record, from the log, each entry proved");
  custody->add_option("record", record, "The record")->required();
  custody->callback([&] { status = Custody(common, record); });

  auto* policy = app.add_subcommand("policy", "Policy files");
  policy->require_subcommand(1);
  auto* check = policy->add_subcommand("check", "Check policy files and show how they are understood");
  check->add_option("files", files, "Policy files")->required();
  check->callback([&] { status = PolicyCheck(common, files); });

  auto* enrol_command = app.add_subcommand(
      "enrol", "Administrator: enrol a member by its card, or change its attributes (name all of them)");
  enrol_command->add_option("card", file, "The member's card")->required();
  enrol_command->add_option("--clearance", enrol.clearance, "A level of the charter's ladder");
  enrol_command->add_option("--role", enrol.roles, "Role; may be repeated");
  enrol_command->add_option("--programme", enrol.programmes, "Programme; may be repeated");
  enrol_command->add_flag("--administrator", enrol.administrator, "May enrol and remove members");
  enrol_command->add_flag("--auditor", enrol.auditor, "May read the entries that concern the agency");
  enrol_command->callback([&] { status = Enrol(common, file, enrol); });

  auto* remove = app.add_subcommand("remove", "Administrator: remove a member and change the agency's keys");
  remove->add_option("member", member, "The member")->required();
  remove->callback([&] { status = Remove(common, member); });

  auto* epoch = app.add_subcommand("epoch", "Administrator: the agency's keys");
  epoch->require_subcommand(1);
  epoch->add_subcommand("rotate", "Begin a new key epoch (the first one too)")->callback([&] {
    status = RotateEpoch(common);
  });

  auto* export_command = app.add_subcommand("export", "Auditor: write the log to a folder for valija-audit");
  export_command->add_option("folder", folder, "The folder; one that is there is continued")->required();
  export_command->callback([&] { status = Export(common, folder); });

  auto* charter_command = app.add_subcommand("charter", "Founding a log");
  charter_command->require_subcommand(1);
  auto* draft = charter_command->add_subcommand("draft", "Make an unsigned charter of a JSON draft");
  draft->add_option("draft", file, "The draft")->required();
  draft->add_option("-o,--output", output, "New file for the charter")->required();
  draft->callback([&] { status = CharterDraft(common, file, output); });
  auto* sign = charter_command->add_subcommand("sign", "Administrator: sign a charter for my agency");
  sign->add_option("charter", file, "The charter's file; the signature is added to it")->required();
  sign->callback([&] { status = CharterSign(common, file); });
  auto* show = charter_command->add_subcommand("show", "The terms, the digest, and who has signed");
  show->add_option("charter", file, "The charter's file")->required();
  show->callback([&] { status = CharterShow(common, file); });

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
