// The command line of `valija-audit`. (CLI11 is slow to compile: only here.)
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "audit/commands.h"
#include "audit/judge.h"
#include "audit/listing.h"
#include "audit/mirror.h"
#include "audit/say.h"
#include "audit/time_zone.h"
#include "audit/verify.h"
#include "audit/watch_run.h"
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

void PrintProgress(std::uint64_t done, std::uint64_t total) {
  if (done % 1024 == 0 || done == total)
    std::cerr << "\r" << text::Format(Id::kAuditVerifying, done, total) << (done == total ? "\n" : "") << std::flush;
}

void ShowProgress(Options& options) {
  if (isatty(STDERR_FILENO) != 0) options.progress = PrintProgress;
}

int RunVerify(Options options, bool json) {
  if (!json) ShowProgress(options);
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
                                  {"unwitnessed", report->unwitnessed},
                                  {"seen", report->seen},
                                  {"ahead", report->ahead},
                                  {"withheld", report->withheld},
                                  {"erased", report->erased},
                                  {"findings", nlohmann::ordered_json::array()}};
    if (report->grew_from) out["grew_from"] = *report->grew_from;
    if (report->witnessed) out["witnessed"] = nlohmann::ordered_json::parse(WitnessedJson(*report->witnessed));
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
  if (report->unwitnessed > 0) std::cout << text::Counted(Id::kAuditUnwitnessed, report->unwitnessed) << "\n";
  if (report->seen > 0) std::cout << text::Counted(Id::kAuditSeen, report->seen) << "\n";
  if (report->ahead > 0) std::cout << text::Counted(Id::kAuditAhead, report->ahead) << "\n";
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
  std::cout << SayWitnessed(*report);
  std::cout << SayFindings(*report);
  std::cout << Text(!report->proved()      ? Id::kAuditNotProved
                    : report->withheld > 0 ? Id::kAuditProvedAsShown
                                           : Id::kAuditAllProved)
            << "\n";
  return report->proved() ? kProved : kFound;
}

// The policy's file, and the log's key: its own word goes before the policy's `log` lines.
Status ReadWhom(MirrorOptions& options, const std::string& vkey, const std::string& policy, bool json) {
  if (!policy.empty()) {
    TRY(const auto words, io::ReadText(policy, log::WitnessPolicy::kMaxText));
    TRY(options.policy, log::WitnessPolicy::Parse(words));
  }
  if (!vkey.empty()) {
    TRY(options.keys, LogKeysOf(vkey));
  } else if (options.policy) {
    for (const auto& one : options.policy->logs())
      if (options.keys.empty() || one.key.name == options.keys.front().name) options.keys.push_back(one.key);
  }
  if (options.keys.empty()) {
    const auto spoken = json ? text::Language::kEnglish : text::CurrentLanguage();
    return Refuse(Reason::kUsage, text::TextIn(spoken, Id::kUsageMirrorKey));
  }
  options.now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  return Ok();
}

int RunMirror(MirrorOptions options, const std::string& vkey, const std::string& policy, bool json) {
  if (auto read = ReadWhom(options, vkey, policy, json); !read)
    return CouldNot(read.error(), json), ExitStatus(read.error().reason);
  if (!json && isatty(STDERR_FILENO) != 0) options.progress = PrintProgress;
  auto run = MirrorLog(options);
  if (!run) return CouldNot(run.error(), json), ExitStatus(run.error().reason);
  if (json) {
    nlohmann::ordered_json out = {{"origin", run->origin},  {"entries", run->size}, {"root", run->root.Hex()},
                                  {"before", run->before},  {"tiles", run->tiles},  {"bundles", run->bundles},
                                  {"fetched", run->fetched}};
    if (!run->cosigned.empty()) out["cosigned"] = run->cosigned;
    std::cout << out.dump() << "\n";
    return 0;
  }
  std::cout << text::Format(Id::kAuditMirrored, Visible(run->origin), run->size, run->root.Hex(), run->before,
                            run->tiles, run->bundles)
            << "\n";
  std::string by;
  for (const auto& [name, seconds] : run->cosigned)
    by += (by.empty() ? "" : ", ") + name + " " +
          text::TimeText(Time(std::chrono::seconds(std::min<std::uint64_t>(seconds, 253402300799))));
  if (!by.empty()) std::cout << text::Format(Id::kAuditWitnessed, run->size, by) << "\n";
  return 0;
}

Format FormatOf(const std::string& name) {
  return name == "json" ? Format::kJson : name == "csv" ? Format::kCsv : Format::kTable;
}

int Print(const Result<Judged>& judged, bool json) {
  if (!judged) return CouldNot(judged.error(), json);
  std::cout << judged->said;
  return judged->proved ? kProved : kFound;
}

int RunLog(const std::string& folder, const Filter& filter, const std::string& format) {
  const auto done = PrintList(folder, filter, FormatOf(format), [](const std::string& text) { std::cout << text; });
  return done ? 0 : CouldNot(done.error(), format == "json");
}

int RunCustody(const std::string& folder, const std::string& record, const std::string& format) {
  const auto rows = Custody(folder, record);
  if (!rows) return CouldNot(rows.error(), format == "json");
  std::cout << Show(*rows, FormatOf(format));
  return 0;
}

int RunReport(Options options, Scorecard::Settings settings, std::uint64_t suppress_below, const std::string& format,
              bool entries) {
  if (format == "table") ShowProgress(options);
  const auto card = Score(std::move(options), std::move(settings), suppress_below);
  if (!card) {
    CouldNot(card.error(), format == "json");
    return card.error().reason == Reason::kFinding ? kFound : kCouldNotRun;
  }
  std::cout << ShowCard(*card, format, entries);
  return kProved;
}

int RunReplay(const Options& options, bool json) {
  const auto report = Verify(options);
  if (!report) return CouldNot(report.error(), json);
  std::cout << SayReplay(*report, json);
  return report->proved() ? kProved : kFound;
}

int RunCoverage(const Options& options, const AgencyId& agency, const std::string& seen, bool json) {
  const auto coverage = Cover(options, agency, seen);
  if (!coverage) {
    CouldNot(coverage.error(), json);
    return coverage.error().reason == Reason::kFinding || coverage.error().reason == Reason::kFork ? kFound
                                                                                                   : kCouldNotRun;
  }
  std::cout << SayCoverage(*coverage, agency, json);
  return coverage->gaps_in_all == 0 ? kProved : kFound;
}

int Follow(const Options& options, const WatchRules& rules, bool once, unsigned poll_seconds, bool json) {
  WatchPorts ports;
  ports.print = [](const std::string& lines) { std::cout << lines << std::flush; };
  ports.now = [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); };
  ports.wait = [&] {
    std::this_thread::sleep_for(std::chrono::seconds(poll_seconds));
    return true;
  };
  const auto watched = RunWatch(options, rules, once, json, ports);
  if (!watched) return CouldNot(watched.error(), json);
  return *watched == Watched::kNothing ? kProved : kFound;
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
  verify->add_option("--shown", options.shown, Text(Id::kAuditHelpShown));
  verify->add_flag("--allow-withheld", options.allow_withheld, Text(Id::kAuditHelpAllowWithheld));
  verify->add_flag("--json", json, Text(Id::kHelpJson));
  // Of every command that proves the log.
  auto charter = [&](bool in_json) {
    options.charter = Digest::FromHexText(digest);
    if (digest.empty() || options.charter) return true;
    const auto spoken = in_json ? text::Language::kEnglish : text::CurrentLanguage();
    status = CouldNot(Refuse(Reason::kUsage, text::TextIn(spoken, Id::kUsageAuditDigest)), in_json);
    return false;
  };
  verify->callback([&] {
    if (charter(json)) status = RunVerify(options, json);
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
    status = RunLog(folder, filter, format);
  });

  auto* custody = app.add_subcommand("custody", Text(Id::kAuditHelpCustody));
  custody->add_option("folder", folder, Text(Id::kAuditHelpFolder))->required();
  custody->add_option("record", record, Text(Id::kAuditHelpRecord))->required();
  custody->add_option("--format", format, Text(Id::kAuditHelpFormat))
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  custody->callback([&] { status = RunCustody(folder, record, format); });

  Scorecard::Settings settings;
  std::string by = "month";
  std::vector<std::string> agencies;
  std::uint64_t suppress_below = 0;
  bool entries = false;
  auto* report = app.add_subcommand("report", Text(Id::kAuditHelpReport));
  report->add_option("folder", options.folder, Text(Id::kAuditHelpFolder))->required();
  report->add_option("--charter-digest", digest, Text(Id::kAuditHelpDigest));
  report->add_option("--state", options.state, Text(Id::kAuditHelpState));
  report->add_option("--by", by, Text(Id::kAuditHelpBy))
      ->check(CLI::IsMember({"month", "quarter", "year", "all"}))
      ->capture_default_str();
  report->add_option("--from", from, Text(Id::kAuditHelpFrom));
  report->add_option("--until", until, Text(Id::kAuditHelpUntil));
  report->add_option("--agency", agencies, Text(Id::kAuditHelpAgencies))->allow_extra_args(false);
  report->add_option("--suppress-below", suppress_below, Text(Id::kAuditHelpSuppress))->check(CLI::Range(3, 1000000));
  report->add_flag("--originators-view", settings.originators_view, Text(Id::kAuditHelpOriginators));
  report->add_flag("--entries", entries, Text(Id::kAuditHelpEntries));
  report->add_option("--format", format, Text(Id::kAuditHelpReportFormat))
      ->check(CLI::IsMember({"table", "csv", "json", "html"}))
      ->capture_default_str();
  report->callback([&] {
    if (!charter(format == "json")) return;
    for (const auto& one : agencies) {
      auto id = AgencyId::Parse(one);
      if (!id) throw CLI::ValidationError(Text(Id::kUsageAgency));
      settings.agencies.push_back(*std::move(id));
    }
    if (!from.empty()) time(from, settings.from);
    if (!until.empty()) time(until, settings.until);
    settings.by = *ByName(by);
    if (entries && suppress_below > 0) throw CLI::ValidationError(Text(Id::kUsageEntriesSuppressed));
    status = RunReport(options, settings, suppress_below, format, entries);
  });

  Options::Span span;
  auto* replay = app.add_subcommand("replay", Text(Id::kAuditHelpReplay));
  replay->add_option("folder", options.folder, Text(Id::kAuditHelpFolder))->required();
  replay->add_option("--charter-digest", digest, Text(Id::kAuditHelpDigest))->required();
  replay->add_option("--from", span.from, Text(Id::kAuditHelpReplayFrom));
  replay->add_option("--until", span.until, Text(Id::kAuditHelpReplayUntil));
  replay->add_flag("--all", span.all_signatures, Text(Id::kAuditHelpReplayAll));
  replay->add_flag("--json", json, Text(Id::kHelpJson));
  replay->callback([&] {
    if (!charter(json)) return;
    options.span = span;
    status = RunReplay(options, json);
  });

  std::string seen;
  auto* coverage = app.add_subcommand("coverage", Text(Id::kAuditHelpCoverage));
  coverage->add_option("folder", options.folder, Text(Id::kAuditHelpFolder))->required();
  coverage->add_option("--charter-digest", digest, Text(Id::kAuditHelpDigest))->required();
  coverage->add_option("--agency", agency, Text(Id::kAuditHelpCoverageAgency))->required();
  coverage->add_option("--seen", seen, Text(Id::kAuditHelpCoverageSeen))->required();
  coverage->add_flag("--json", json, Text(Id::kHelpJson));
  coverage->callback([&] {
    const auto id = AgencyId::Parse(agency);
    if (!id) throw CLI::ValidationError(Text(Id::kUsageAgency));
    if (charter(json)) status = RunCoverage(options, *id, seen, json);
  });

  WatchRules rules;
  bool once = false;
  unsigned poll = 10, window = 60, review_hours = 24, quiet = 60;
  std::string hours, utc_offset, time_zone;
  std::vector<std::string> feeds;
  unsigned feed_minutes = 15, witness_minutes = 0;
  auto* watch = app.add_subcommand("watch", Text(Id::kAuditHelpWatch));
  watch->add_option("folder", options.folder, Text(Id::kAuditHelpFolder))->required();
  watch->add_option("--charter-digest", digest, Text(Id::kAuditHelpDigest))->required();
  watch->add_flag("--once", once, Text(Id::kAuditHelpOnce));
  watch->add_option("--state", options.state, Text(Id::kAuditHelpWatchState));
  auto number = [&](const char* name, auto& value, Id help, unsigned most) {
    watch->add_option(name, value, Text(help))->check(CLI::Range(1U, most))->capture_default_str();
  };
  number("--poll", poll, Id::kAuditHelpPoll, 86400);
  watch->add_option("--since", rules.since, Text(Id::kAuditHelpSince));
  number("--bulk", rules.bulk, Id::kAuditHelpBulk, 1000000);
  number("--probes", rules.probes, Id::kAuditHelpProbes, 1000000);
  number("--window", window, Id::kAuditHelpWindow, 60 * 24 * 31);
  watch->add_option("--hours", hours, Text(Id::kAuditHelpHours));
  watch->add_flag("--weekdays", rules.weekdays, Text(Id::kAuditHelpWeekdays));
  watch->add_option("--utc-offset", utc_offset, Text(Id::kAuditHelpUtcOffset));
  watch->add_option("--time-zone", time_zone, Text(Id::kAuditHelpTimeZone));
  watch->add_option("--feed", feeds, Text(Id::kAuditHelpFeed))->allow_extra_args(false);
  number("--feed-minutes", feed_minutes, Id::kAuditHelpFeedMinutes, 60 * 24 * 31);
  watch->add_option("--witness-minutes", witness_minutes, Text(Id::kAuditHelpWitnessMinutes))
      ->check(CLI::Range(1U, 60U * 24U * 366U));
  number("--review-hours", review_hours, Id::kAuditHelpReviewHours, 24 * 366);
  number("--quiet", quiet, Id::kAuditHelpQuiet, 60 * 24 * 366);
  watch->add_flag("--json", json, Text(Id::kHelpJson));
  watch->callback([&] {
    if (!hours.empty() && !(rules.hours = ParseHours(hours))) throw CLI::ValidationError(Text(Id::kUsageHours));
    if (!utc_offset.empty()) {
      const auto offset = ParseUtcOffset(utc_offset);
      if (!offset) throw CLI::ValidationError(Text(Id::kUsageUtcOffset));
      rules.utc_offset = [fixed = *offset](Time) { return fixed; };
    }
    if (!time_zone.empty()) {
      if (!utc_offset.empty()) throw CLI::ValidationError(Text(Id::kUsageZoneOrOffset));
      auto zone = UseTimeZone(time_zone);
      if (!zone) {
        status = CouldNot(zone.error(), json);
        return;
      }
      rules.utc_offset = *std::move(zone);
    }
    for (const auto& one : feeds) {
      const auto equals = one.find('=');
      const auto id = equals == one.npos ? std::nullopt : AgencyId::Parse(one.substr(0, equals));
      if (!id || !rules.feeds.emplace(*id, one.substr(equals + 1)).second)
        throw CLI::ValidationError(Text(Id::kUsageFeed));
    }
    rules.feed_within = std::chrono::minutes(feed_minutes);
    if (witness_minutes != 0) rules.witness_within = std::chrono::minutes(witness_minutes);
    rules.once = once;
    rules.bulk_within = rules.probes_within = std::chrono::minutes(window);
    rules.review_within = std::chrono::hours(review_hours);
    rules.quiet = std::chrono::minutes(quiet);
    if (charter(json)) status = Follow(options, rules, once, poll, json);
  });

  std::string policy, statement;
  auto* receipt = app.add_subcommand("receipt", Text(Id::kAuditHelpReceipt));
  receipt->add_option("file", folder, Text(Id::kAuditHelpReceiptFile))->required();
  receipt->add_option("--policy", policy, Text(Id::kAuditHelpPolicyFile))->required();
  receipt->add_option("--statement", statement, Text(Id::kAuditHelpStatement));
  receipt->add_flag("--json", json, Text(Id::kHelpJson));
  receipt->callback([&] { status = Print(JudgeReceipt(folder, policy, statement, json), json); });

  std::string page;
  auto* bundle = app.add_subcommand("bundle", Text(Id::kAuditHelpBundle));
  bundle->add_option("file", folder, Text(Id::kAuditHelpBundleFile))->required();
  bundle->add_option("--policy", policy, Text(Id::kAuditHelpPolicyFile))->required();
  bundle->add_option("--charter-digest", digest, Text(Id::kAuditHelpDigest));
  bundle->add_option("--page", page, Text(Id::kAuditHelpBundlePage));
  bundle->add_flag("--json", json, Text(Id::kHelpJson));
  bundle->callback([&] {
    if (charter(json)) status = Print(JudgeBundle(folder, policy, options.charter, page, json), json);
  });

  MirrorOptions mirrored;
  std::string vkey;
  unsigned mirror_hours = 12;
  auto* mirror = app.add_subcommand("mirror", Text(Id::kAuditHelpMirror));
  mirror->add_option("url", mirrored.url, Text(Id::kAuditHelpUrl))->required();
  mirror->add_option("folder", mirrored.folder, Text(Id::kAuditHelpCopy))->required();
  mirror->add_option("--vkey", vkey, Text(Id::kAuditHelpVkey));
  std::string witness_policy;
  unsigned max_age = 0;
  mirror->add_option("--policy", witness_policy, Text(Id::kAuditHelpPolicy));
  mirror->add_option("--max-age", max_age, Text(Id::kAuditHelpMaxAge))->check(CLI::Range(1U, 86400U * 366U));
  mirror->add_flag("--all", mirrored.all, Text(Id::kAuditHelpAll));
  mirror->add_option("--hours", mirror_hours, Text(Id::kAuditHelpMirrorHours))
      ->capture_default_str()
      ->check(CLI::Range(1, 1000).description("1-1000"));
  mirror->add_flag("--json", json, Text(Id::kHelpJson));
  mirror->callback([&] {
    if (max_age != 0 && witness_policy.empty()) throw CLI::ValidationError(Text(Id::kUsageMaxAge));
    mirrored.max_age = std::chrono::seconds(max_age);
    mirrored.run_time = std::chrono::hours(mirror_hours);
    status = RunMirror(mirrored, vkey, witness_policy, json);
  });

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
