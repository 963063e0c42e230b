#include "broker/gauges.h"

#include <algorithm>

namespace valija::broker {

std::vector<Metrics::Gauge> GaugesOf(const Sequencer& sequencer, const Witnesses& witnesses, const Calls& calls,
                                     const FreeSpace& space) {
  const auto size = sequencer.checkpoint()->size();
  const auto cosigned = sequencer.cosigned(size);
  const auto number = [](auto value) { return static_cast<double>(value); };
  auto out = ProcessGauges();
  out.push_back({"valija_log_entries", "Entries of the published log.", {{"", number(size)}}});
  out.push_back({"valija_accepting",
                 "1: statements are taken; 0: a write failed, and a restart is needed.",
                 {{"", sequencer.healthy() ? 1.0 : 0.0}}});
  out.push_back(
      {"valija_statements_waiting", "Statements that are not answered yet.", {{"", number(sequencer.waiting())}}});
  out.push_back({"valija_calls_running",
                 "Calls, by kind.",
                 {{Metrics::Label("kind", "unary"), number(calls.running(CallKind::kUnary))},
                  {Metrics::Label("kind", "stream"), number(calls.running(CallKind::kStream))}}});
  if (const auto free = space.free())
    out.push_back({"valija_disk_free_bytes", "Free where the store is.", {{"", number(*free)}}});
  const auto standings = witnesses.standings();
  if (standings.empty()) return out;
  Metrics::Gauge behind{"valija_witness_behind_entries", "Entries that this witness has not cosigned.", {}};
  Metrics::Gauge ago{"valija_witness_cosigned_seconds_ago", "Since its last cosignature; none: it gave none yet.", {}};
  for (const auto& one : standings) {
    const auto label = Metrics::Label("witness", one.name);
    behind.values.emplace_back(label, number(size - std::min(size, one.size)));
    if (one.ago) ago.values.emplace_back(label, Histogram::Seconds(*one.ago).count());
  }
  out.push_back(std::move(behind));
  out.push_back(std::move(ago));
  out.push_back({"valija_quorum_behind_entries",
                 "Entries that no quorum covers yet.",
                 {{"", number(size - (cosigned ? cosigned->checkpoint.size : 0))}}});
  out.push_back({"valija_without_quorum",
                 "1: openings go without the quorum, as the charter lets them.",
                 {{"", witnesses.degraded() ? 1.0 : 0.0}}});
  return out;
}

PublicAnswer OperatorsAnswer(std::string_view target, const Sequencer& sequencer, const Witnesses& witnesses,
                             const Calls& calls, const FreeSpace& space) {
  const auto answer = [](int status, const char* type, std::string_view text) {
    return PublicAnswer{status, type, "no-store", ToBytes(AsBytes(text))};
  };
  if (target == "/metrics")
    return answer(200, "text/plain; version=0.0.4; charset=utf-8",
                  Metrics::Of().Text(GaugesOf(sequencer, witnesses, calls, space)));
  if (target != "/healthz") return answer(404, "text/plain", "there is /metrics and /healthz\n");
  return sequencer.healthy() ? answer(200, "text/plain", "serving\n") : answer(503, "text/plain", "not accepting\n");
}

}  // namespace valija::broker
