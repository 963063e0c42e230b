// The command line of `valija-audit`. (CLI11 is slow to compile: only here.)
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "audit/listing.h"
#include "audit/mirror.h"
#include "audit/verify.h"
#include "core/base/text.h"
#include "core/io/file.h"
#include "core/text/command_line.h"
#include "core/text/sentences.h"

namespace {

using namespace valija;         // NOLINT(google-build-using-namespace): this file is the command line of that namespace
using namespace valija::audit;  // NOLINT(google-build-using-namespace)
using text::Id;
using text::Text;

constexpr int kProved = 0, kFound = 1, kCouldNotRun = 2;

void Complain(const std::string& what) {
  std::cerr << "valija-audit: " << text::Format(Id::kAuditCouldNot, what) << "\n";
}

int CouldNot(const Error& error, bool json) {
  if (json)
    std::cout
        << nlohmann::ordered_json{{"error", {{"code", CodeOf(error.reason)}, {"message", error.Message()}}}}.dump()
        << "\n";
  else
    Complain(Visible(text::Explain(CodeOf(error.reason), error.Message())) + " [" + std::string(CodeOf(error.reason)) +
             "]");
  return kCouldNotRun;
}

void ShowProgress(std::uint64_t done, std::uint64_t total) {
  if (done % 1024 == 0 || done == total)
    std::cerr << "\r" << text::Format(Id::kAuditVerifying, done, total) << (done == total ? "\n" : "") << std::flush;
}

int RunVerify(Options options, bool json) {
  if (!json && isatty(STDERR_FILENO) != 0) options.progress = ShowProgress;
  auto report = Verify(options);
  if (!report) return CouldNot(report.error(), json);
  if (json) {
    nlohmann::ordered_json out = {{"proved", report->proved()},
                                  {"origin", report->origin},
                                  {"charter", report->charter},
                                  {"entries", report->entries},
                                  {"root", report->root},
                                  {"tiles", report->tiles},
                                  {"signatures", report->signatures},
                                  {"decisions", report->decisions},
                                  {"withheld", report->withheld},
                                  {"erased", report->erased},
                                  {"findings", nlohmann::ordered_json::array()}};
    if (report->grew_from) out["grew_from"] = *report->grew_from;
    for (const auto& finding : report->findings) {
      nlohmann::ordered_json one = {{"code", finding.code}, {"what", finding.what}};
      if (finding.entry) one["entry"] = *finding.entry;
      out["findings"].push_back(std::move(one));
    }
    const auto& figures = report->figures;
    out["figures"] = {{"asked", figures.asked},
                      {"answered", figures.answered},
                      {"overdue", figures.overdue},
                      {"emergencies", figures.emergencies},
                      {"emergencies_open", figures.emergencies_open},
                      {"recalled_copies", figures.recalled_copies},
                      {"erased_copies", figures.erased_copies},
                      {"access_requests", figures.access_requests},
                      {"access_answered", figures.access_answered}};
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return report->proved() ? kProved : kFound;
  }
  std::cout << text::Format(Id::kAuditReport, Visible(report->origin), report->charter, report->entries, report->root,
                            report->tiles, report->signatures, report->decisions)
            << "\n";
  if (report->withheld > 0) std::cout << text::Counted(Id::kAuditWithheld, report->withheld) << "\n";
  if (report->erased > 0) std::cout << text::Counted(Id::kAuditErased, report->erased) << "\n";
  const auto& figures = report->figures;
  if (figures.asked > 0)
    std::cout << text::Format(Id::kAuditAsked, figures.asked, figures.answered, figures.overdue) << "\n";
  if (figures.emergencies > 0)
    std::cout << text::Format(Id::kAuditEmergencies, figures.emergencies, figures.emergencies_open) << "\n";
  if (figures.recalled_copies > 0)
    std::cout << text::Format(Id::kAuditRecalled, figures.recalled_copies, figures.erased_copies) << "\n";
  if (figures.access_requests > 0)
    std::cout << text::Format(Id::kAuditAccess, figures.access_requests, figures.access_answered) << "\n";
  if (report->grew_from) std::cout << text::Format(Id::kAuditGrew, *report->grew_from) << "\n";
  for (const auto& finding : report->findings) {
    const auto what = Visible(text::Explain(finding.code, finding.what));
    std::cout << (finding.entry ? text::Format(Id::kAuditFindingAt, *finding.entry, what, finding.code)
                                : text::Format(Id::kAuditFinding, what, finding.code))
              << "\n";
  }
  std::cout << Text(!report->proved()      ? Id::kAuditNotProved
                    : report->withheld > 0 ? Id::kAuditProvedAsShown
                                           : Id::kAuditAllProved)
            << "\n";
  return report->proved() ? kProved : kFound;
}

int RunMirror(MirrorOptions options, const std::string& vkey, bool json) {
  auto keys = LogKeysOf(vkey);
  if (!keys) return CouldNot(keys.error(), json), ExitStatus(keys.error().reason);
  options.keys = *std::move(keys);
  if (!json && isatty(STDERR_FILENO) != 0) options.progress = ShowProgress;
  auto run = MirrorLog(options);
  if (!run) return CouldNot(run.error(), json), ExitStatus(run.error().reason);
  if (json) {
    std::cout << nlohmann::ordered_json{{"origin", run->origin},  {"entries", run->size}, {"root", run->root.Hex()},
                                        {"before", run->before},  {"tiles", run->tiles},  {"bundles", run->bundles},
                                        {"fetched", run->fetched}}
                     .dump()
              << "\n";
    return 0;
  }
  std::cout << text::Format(Id::kAuditMirrored, Visible(run->origin), run->size, run->root.Hex(), run->before,
                            run->tiles, run->bundles)
            << "\n";
  return 0;
}

int Print(const Result<std::vector<Row>>& rows, const std::string& format) {
  if (!rows) return CouldNot(rows.error(), format == "json");
  std::cout << Show(*rows, format == "json" ? Format::kJson : format == "csv" ? Format::kCsv : Format::kTable);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  io::HardenProcess();
  text::SetLanguage(text::ChooseLanguage(argc, argv, std::getenv));
  CLI::App app{Text(Id::kAuditAbout)};
  app.set_version_flag("--version", "valija-audit " VALIJA_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(Text(Id::kAuditFooter));
  Options options;
  Filter filter;
  std::string folder, digest, agency, member, from, until, record, format = "table";
  bool json = false;
  int status = kCouldNotRun;
  std::string language;  // read already by ChooseLanguage
  app.add_option("--lang", language, Text(Id::kHelpLang))->check(CLI::IsMember({"en", "es"}).description("en|es"));

  auto* verify = app.add_subcommand("verify", Text(Id::kAuditHelpVerify));
  verify->add_option("folder", options.folder, Text(Id::kAuditHelpFolder))->required();
  verify->add_option("--charter-digest", digest, Text(Id::kAuditHelpDigest));
  verify->add_option("--state", options.state, Text(Id::kAuditHelpState));
  verify->add_flag("--allow-withheld", options.allow_withheld, Text(Id::kAuditHelpAllowWithheld));
  verify->add_flag("--json", json, Text(Id::kHelpJson));
  verify->callback([&] {
    if (!digest.empty()) {
      options.charter = Digest::FromHexText(digest);
      if (!options.charter) {
        const auto spoken = json ? text::Language::kEnglish : text::CurrentLanguage();
        status = CouldNot(Refuse(Reason::kUsage, text::TextIn(spoken, Id::kUsageAuditDigest)), json);
        return;
      }
    }
    status = RunVerify(options, json);
  });

  auto time = [](const std::string& when, std::optional<Time>& out) {
    out = ParseTime(when);
    if (!out) throw CLI::ValidationError(text::Format(Id::kUsageTime, when));
  };
  auto* log_command = app.add_subcommand("log", Text(Id::kAuditHelpLog));
  log_command->add_option("folder", folder, Text(Id::kAuditHelpFolder))->required();
  log_command->add_option("--agency", agency, Text(Id::kAuditHelpAgency));
  log_command->add_option("--member", member, Text(Id::kAuditHelpMember));
  log_command->add_option("--record", filter.record, Text(Id::kAuditHelpRecord));
  log_command->add_option("--from", from, Text(Id::kAuditHelpFrom));
  log_command->add_option("--until", until, Text(Id::kAuditHelpUntil));
  log_command->add_option("--result", filter.result, Text(Id::kAuditHelpResult))
      ->check(CLI::IsMember({"granted", "refused", "accepted", "withheld"}));
  log_command->add_option("--kind", filter.kind, Text(Id::kAuditHelpKind));
  log_command->add_option("--format", format, Text(Id::kAuditHelpFormat))
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  log_command->callback([&] {
    if (!agency.empty() && !(filter.agency = AgencyId::Parse(agency)))
      throw CLI::ValidationError(Text(Id::kUsageAgency));
    if (!member.empty() && !(filter.member = MemberId::Parse(member)))
      throw CLI::ValidationError(Text(Id::kUsageMember));
    if (!from.empty()) time(from, filter.from);
    if (!until.empty()) time(until, filter.until);
    status = Print(List(folder, filter), format);
  });

  auto* custody = app.add_subcommand("custody", Text(Id::kAuditHelpCustody));
  custody->add_option("folder", folder, Text(Id::kAuditHelpFolder))->required();
  custody->add_option("record", record, Text(Id::kAuditHelpRecord))->required();
  custody->add_option("--format", format, Text(Id::kAuditHelpFormat))
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  custody->callback([&] { status = Print(Custody(folder, record), format); });

  MirrorOptions mirrored;
  std::string vkey;
  auto* mirror = app.add_subcommand("mirror", Text(Id::kAuditHelpMirror));
  mirror->add_option("url", mirrored.url, Text(Id::kAuditHelpUrl))->required();
  mirror->add_option("folder", mirrored.folder, Text(Id::kAuditHelpCopy))->required();
  mirror->add_option("--vkey", vkey, Text(Id::kAuditHelpVkey))->required();
  mirror->add_flag("--all", mirrored.all, Text(Id::kAuditHelpAll));
  mirror->add_flag("--json", json, Text(Id::kHelpJson));
  mirror->callback([&] { status = RunMirror(mirrored, vkey, json); });

  text::TranslateHelp(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kCouldNotRun;
  } catch (const std::exception& error) {
    Complain(error.what());
    return kCouldNotRun;
  }
  return status;
}
