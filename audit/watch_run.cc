#include "audit/watch_run.h"

#include "audit/last_run.h"
#include "audit/say.h"
#include "core/base/text.h"

namespace valija::audit {

Result<Watched> RunWatch(Options options, const WatchRules& rules, bool once, bool json, const WatchPorts& ports) {
  Watch watch(rules);
  const auto path = options.state;
  TRY(const auto last, ReadLastRun(path));
  if (last && !last->watch.empty()) TRY_OK(watch.Resume(last->watch));
  options.keep_state = false;
  options.observe = [&](const ledger::Entry& entry, const ledger::State& after) { watch.Take(entry, after); };
  Verifier verifier(std::move(options));
  auto out = Watched::kNothing;
  for (;;) {
    const auto report = verifier.Pass();
    const bool again = !report && report.error().reason == Reason::kUnavailable;
    if (!report && !again) return report.error();
    const auto now = ports.now();
    if (report) {
      watch.Look(verifier.state(), now);
      watch.LookAtWitnesses(verifier.state(), report->witnessed, now);
      TRY_OK(watch.LookAtFeeds(now));
    } else {
      watch.Unreadable(now);
    }
    std::string lines;
    for (const auto& alarm : watch.TakeAlarms()) {
      out = Watched::kAlarms;
      lines += (json ? AlarmJson(alarm) : Visible(AlarmText(alarm))) + "\n";
    }
    if (report && !report->proved()) lines += json ? FindingsJson(*report) : SayFindings(*report);
    if (!lines.empty()) ports.print(lines);
    if (report) {
      if (!report->proved()) return Watched::kFound;
      TRY_OK(WriteLastRun(path, {*Digest::FromHexText(report->charter), report->checkpoint, watch.Told()}));
      if (once) return out;
    }
    if (!ports.wait()) return out;
  }
}

}  // namespace valija::audit
