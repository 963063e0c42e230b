// The command line of `valija-audit`. (CLI11 is slow to compile: only here.)
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "audit/listing.h"
#include "audit/verify.h"
#include "core/base/text.h"
#include "core/io/file.h"

namespace {

using namespace valija;         // NOLINT(google-build-using-namespace): this file is the command line of that namespace
using namespace valija::audit;  // NOLINT(google-build-using-namespace)

constexpr int kProved = 0, kFound = 1, kCouldNotRun = 2;

int CouldNot(const Error& error, bool json) {
  if (json)
    std::cout
        << nlohmann::ordered_json{{"error", {{"code", CodeOf(error.reason)}, {"message", error.Message()}}}}.dump()
        << "\n";
  else
    std::cerr << "valija-audit: could not run: " << Visible(error.Message()) << " [" << CodeOf(error.reason) << "]\n";
  return kCouldNotRun;
}

int RunVerify(Options options, bool json) {
  if (!json && isatty(STDERR_FILENO) != 0)
    options.progress = [](std::uint64_t done, std::uint64_t total) {
      if (done % 1024 == 0 || done == total)
        std::cerr << "\rverifying " << done << " of " << total << (done == total ? "\n" : "") << std::flush;
    };
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
                                  {"findings", nlohmann::ordered_json::array()}};
    if (report->grew_from) out["grew_from"] = *report->grew_from;
    for (const auto& finding : report->findings) {
      nlohmann::ordered_json one = {{"code", finding.code}, {"what", finding.what}};
      if (finding.entry) one["entry"] = *finding.entry;
      out["findings"].push_back(std::move(one));
    }
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return report->proved() ? kProved : kFound;
  }
  std::cout << "log        " << Visible(report->origin) << "\ncharter    " << report->charter << "\nentries    "
            << report->entries << "\nroot       " << report->root << "\ntiles      " << report->tiles << "\nsignatures "
            << report->signatures << "\ndecisions  " << report->decisions << " derived again\n";
  if (report->withheld > 0)
    std::cout << "withheld   " << report->withheld << " entries; decisions after the first are not derived\n";
  if (report->grew_from) std::cout << "last run   " << *report->grew_from << " entries, and the log only grew\n";
  for (const auto& finding : report->findings)
    std::cout << "FINDING    " << (finding.entry ? "entry " + std::to_string(*finding.entry) + ": " : "")
              << Visible(finding.what) << " [" << finding.code << "]\n";
  std::cout << (!report->proved()      ? "NOT proved\n"
                : report->withheld > 0 ? "proved as far as it is shown\n"
                                       : "all proved\n");
  return report->proved() ? kProved : kFound;
}

int Print(const Result<std::vector<Row>>& rows, const std::string& format) {
  if (!rows) return CouldNot(rows.error(), format == "json");
  std::cout << Show(*rows, format == "json" ? Format::kJson : format == "csv" ? Format::kCsv : Format::kTable);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  io::HardenProcess();
  CLI::App app{"valija-audit: verifies an exported log offline, and shows what is in it"};
  app.set_version_flag("--version", "valija-audit " VALIJA_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status of verify: 0 all proved, 1 a finding, 2 could not run.\n"
      "An export is made with `valija export FOLDER` (an auditor) or `valija-broker export FOLDER` (an operator).\n"
      "Examples:\n"
      "  valija-audit verify log-copy --charter-digest 5f1c... --state last-run.json\n"
      "  valija-audit log log-copy --agency us.dea --result refused --format csv\n"
      "  valija-audit custody log-copy 3f9a12");
  Options options;
  Filter filter;
  std::string folder, digest, agency, member, from, until, record, format = "table";
  bool json = false;
  int status = kCouldNotRun;

  auto* verify =
      app.add_subcommand("verify", "Prove the whole log: signatures, tiles, root, growth, statements, decisions");
  verify->add_option("folder", options.folder, "The export")->required();
  verify->add_option("--charter-digest", digest,
                     "The charter the log must be under, 64 hex digits, checked out of band");
  verify->add_option("--state", options.state,
                     "File of the last run: proves that the log only grew since; written when all is proved");
  verify->add_flag("--allow-withheld", options.allow_withheld,
                   "Entries not shown to this auditor are counted, and are no finding");
  verify->add_flag("--json", json, "Answer in JSON");
  verify->callback([&] {
    if (!digest.empty()) {
      options.charter = Digest::FromHexText(digest);
      if (!options.charter) {
        status = CouldNot(Refuse(Reason::kUsage, "--charter-digest is 64 hex digits"), json);
        return;
      }
    }
    status = RunVerify(options, json);
  });

  auto time = [](const std::string& text, std::optional<Time>& out) {
    out = ParseTime(text);
    if (!out) throw CLI::ValidationError("a time is 2026-11-24 or 2026-11-24T08:00:00Z, not " + text);
  };
  auto* log_command = app.add_subcommand("log", "List entries");
  log_command->add_option("folder", folder, "The export")->required();
  log_command->add_option("--agency", agency, "Author's agency, or the record's originator's");
  log_command->add_option("--member", member, "Author, or whom an enrolment is about");
  log_command->add_option("--record", filter.record, "Record, by its first digits");
  log_command->add_option("--from", from, "Not before this time");
  log_command->add_option("--until", until, "Before this time");
  log_command->add_option("--result", filter.result, "granted, refused or accepted")
      ->check(CLI::IsMember({"granted", "refused", "accepted", "withheld"}));
  log_command->add_option("--kind", filter.kind,
                          "charter, enrolment, epoch, record, open, acknowledgement or revocation");
  log_command->add_option("--format", format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  log_command->callback([&] {
    if (!agency.empty() && !(filter.agency = AgencyId::Parse(agency)))
      throw CLI::ValidationError("an agency is named like us.dea");
    if (!member.empty() && !(filter.member = MemberId::Parse(member)))
      throw CLI::ValidationError("a member is named like us.dea/jrivera");
    if (!from.empty()) time(from, filter.from);
    if (!until.empty()) time(until, filter.until);
    status = Print(List(folder, filter), format);
  });

  auto* custody = app.add_subcommand("custody", "Everything that happened to one record");
  custody->add_option("folder", folder, "The export")->required();
  custody->add_option("record", record, "The record, by its first digits")->required();
  custody->add_option("--format", format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  custody->callback([&] { status = Print(Custody(folder, record), format); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kCouldNotRun;
  } catch (const std::exception& error) {
    std::cerr << "valija-audit: could not run: " << error.what() << "\n";
    return kCouldNotRun;
  }
  return status;
}
