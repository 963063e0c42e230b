#include "audit/witness/witness.h"

#include <algorithm>

#include "core/base/text.h"

namespace valija::witness {

Witness::Witness(Logs logs, Signer signer, Store& store, Clock clock, Report report)
    : logs_(std::move(logs)),
      signer_(std::move(signer)),
      store_(store),
      clock_(std::move(clock)),
      report_(std::move(report)) {}

Answer Witness::AddCheckpoint(std::string_view body) {
  auto request = ParseRequest(body);
  if (!request) return Say(StatusOf(request.error()), request.error().detail);
  const auto& checkpoint = request->checkpoint;
  const auto log = logs_.find(checkpoint.origin);
  if (log == logs_.end()) return Say(404, "this log is not witnessed here");
  const auto name = Visible(checkpoint.origin);
  const Time now = clock_();
  if (ToMillis(now) < 1000) return Say(503, "the witness's clock is not set");
  const auto seconds = static_cast<std::uint64_t>(ToMillis(now) / 1000);

  for (bool counted = false;;) {
    const auto record = store_.Get(OriginHash(checkpoint.origin));
    auto decision = Decide(*request, log->second, record, signer_, seconds);
    if (decision.fork && record) {
      report_("ALARM: " + name + " signed two trees of size " + std::to_string(checkpoint.size));
      if (auto kept = store_.KeepFork(*record, body); !kept) report_(kept.error().Message());
    }
    if (!decision.next) return decision.answer;
    // What costs a write is counted. Nobody but the log can make such a request, so nobody else uses up its share.
    if (!counted && (!record || record->checkpoint != checkpoint) && !Allowed(log->second, now)) {
      report_(name + ": more checkpoints than agreed upon");
      return Say(429, "more checkpoints than agreed upon");
    }
    counted = true;
    auto stored = store_.Replace(record, *decision.next);
    if (!stored) {
      report_(stored.error().Message());
      return Say(503, "the witness cannot record it now");
    }
    if (*stored) {
      report_("cosigned " + name + " " + std::to_string(checkpoint.size));
      return decision.answer;
    }
    // Another request came first: judged again, by what is recorded now.
  }
}

Answer Witness::LatestCheckpoint(std::string_view origin_hash) const {
  auto record = store_.Get(origin_hash);
  if (!record) return Say(404, "nothing was cosigned of such a log");
  return {200, "text/plain; charset=utf-8", std::move(record->note)};
}

bool Witness::Allowed(const Log& log, Time now) {
  if (!log.per_day) return true;
  const auto per_day = static_cast<double>(*log.per_day);
  const double most = per_day / 24 + 10;
  const std::scoped_lock hold(mutex_);
  auto [at, first] = shares_.try_emplace(log.origin, Share{most, now});
  auto& share = at->second;
  const auto passed = static_cast<double>(std::max<std::int64_t>(0, ToMillis(now) - ToMillis(share.at)));
  share = {std::min(most, share.left + passed / (24 * 3600 * 1000.0) * per_day), now};
  if (share.left < 1) return false;
  share.left -= 1;
  return true;
}

}  // namespace valija::witness
