#include "broker/witnesses.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "broker/metrics.h"
#include "broker/oplog.h"
#include "broker/witness_client.h"
#include "broker/witness_start.h"
#include "broker/worker_pool.h"
#include "core/log/quorum.h"

namespace valija::broker {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kRoundsKept = 256;  // for what comes late
constexpr std::size_t kCosignedKept = 16;

struct Cosignature {
  std::string line;
  std::uint64_t time = 0;
};
struct Round {
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  std::map<std::string, Cosignature> by;  // witness, by its name in the policy
  Steady::time_point begun;
};

}  // namespace

struct Witnesses::Impl {
  Impl(Options with, WorkerPool& pool) : options(std::move(with)), workers(pool) {}

  // One of them: a thread calls it.
  struct Caller {
    explicit Caller(log::WitnessPolicy::Witness who) : witness(std::move(who)) {}
    const log::WitnessPolicy::Witness witness;
    std::unique_ptr<WitnessClient> client;  // nullptr: no usable URL
    std::thread thread;
    bool stop = false;
    // Under the mutex.
    std::uint64_t recorded = 0;       // what it has, as far as we know
    std::uint64_t cosigned_size = 0;  // last
    Steady::time_point cosigned_at{};
    bool down = false;
    std::string said;  // that was logged last
  };

  const Options options;
  WorkerPool& workers;
  Log log;

  mutable std::mutex mutex;
  std::condition_variable wake;  // callers, and the clock
  bool stopping = false, waiting_stopped = false;
  bool ended = false;  // the log must not be signed any more
  std::optional<log::WitnessPolicy> policy;
  std::chrono::seconds max_age{0}, degraded_after{0}, skew{0};
  std::vector<std::shared_ptr<Caller>> callers, retired;
  std::shared_ptr<const log::SignedCheckpoint> newest;
  std::uint64_t target = 0;  // the size that all are asked for
  Steady::time_point target_since{};
  std::map<std::uint64_t, Round> rounds;
  std::vector<std::shared_ptr<const Cosigned>> cosigned;  // ascending by size
  std::shared_ptr<const Cosigned> before;                 // this start: to be shown, and nothing is released for it
  std::optional<Steady::time_point> missing_since;        // the quorum, for something that was published
  bool said_degraded = false;
  struct Waiter {
    std::uint64_t size = 0;
    std::chrono::system_clock::time_point deadline;
    std::function<void(Status)> done;
  };
  std::vector<Waiter> waiters;
  std::thread clock;

  // ---- under the mutex ----

  std::uint64_t CosignedSize() const { return cosigned.empty() ? 0 : cosigned.back()->checkpoint.size; }

  bool IsDegraded() const {
    return policy && degraded_after.count() != 0 && missing_since && Steady::now() - *missing_since >= degraded_after;
  }

  bool IsOld(const Cosigned& one) const {
    if (max_age.count() == 0) return false;
    return static_cast<std::uint64_t>(ToMillis(options.now()) / 1000) >
           one.since + static_cast<std::uint64_t>(max_age.count());
  }

  std::string Missing(std::uint64_t size) const {
    if (!policy) return {};
    log::WitnessPolicy::Names names;
    for (const auto& caller : callers)
      if (caller->cosigned_size >= size) names.insert(caller->witness.name);
    const auto missing = policy->MissingFrom(names);
    // Each has said so of a tree that is large enough, and they have not met on one yet.
    return missing.empty() ? "a checkpoint that enough of them cosigned" : log::WitnessPolicy::Say(missing);
  }

  void Aim() {
    if (!newest || !policy) return;
    const auto now = Steady::now();
    const bool reached = CosignedSize() >= target;
    if (newest->size() != target && (reached || now - target_since >= options.round)) {
      target = newest->size();
      target_since = now;
      rounds.try_emplace(target, Round{newest, {}, now});
      while (rounds.size() > kRoundsKept) rounds.erase(rounds.begin());
      wake.notify_all();
    }
    if (newest->size() > CosignedSize() && !missing_since) missing_since = now;
  }

  void Take(const std::string& name, std::uint64_t size, Cosignature signature, std::vector<Waiter>& ready) {
    const auto at = rounds.find(size);
    if (at == rounds.end() || !policy) return;
    Round& round = at->second;
    round.by[name] = std::move(signature);
    std::map<std::string, std::uint64_t> times;
    for (const auto& [one, what] : round.by) times.emplace(one, what.time);
    const auto since = log::QuorumSince(*policy, times);
    if (!since || size < CosignedSize()) return;
    if (size > CosignedSize()) Metrics::Of().cosigned.Observe(Steady::now() - round.begun);
    Cosigned next{round.checkpoint->note(), round.checkpoint->checkpoint(), *since};
    for (const auto& [one, what] : round.by) next.note += what.line;
    if (!cosigned.empty() && cosigned.back()->checkpoint.size == size) cosigned.pop_back();
    cosigned.push_back(std::make_shared<const Cosigned>(std::move(next)));
    if (cosigned.size() > kCosignedKept) cosigned.erase(cosigned.begin());
    // Late cosignatures of what is old by now end nothing: the next look would find the quorum missing again.
    if (!IsOld(*cosigned.back())) missing_since.reset();
    if (newest->size() > size && !missing_since) missing_since = Steady::now();
    Ripe(ready);
    Aim();
  }

  void Ripe(std::vector<Waiter>& ready) {
    auto waits = std::stable_partition(waiters.begin(), waiters.end(), [&](const Waiter& one) {
      return policy && one.size > CosignedSize() && !waiting_stopped;
    });
    std::move(waits, waiters.end(), std::back_inserter(ready));
    waiters.erase(waits, waiters.end());
  }

  // ---- without it ----

  void Done(std::vector<Waiter> ready, const Status& status) {
    for (auto& one : ready) workers.Finish([done = std::move(one.done), status] { done(status); });
  }

  static Status Ended() {
    return Refuse(Reason::kNoQuorum, "a witness has another history under this log's signature");
  }

  void Say(Caller& caller, Level level, const char* event, const std::string& detail) {
    {
      std::lock_guard lock(mutex);
      const std::string what = event + detail;
      if (caller.said == what) return;  // once, until it is something else
      caller.said = what;
    }
    valija::broker::Log(level, event, {{"witness", caller.witness.name}, {"detail", detail}});
  }

  std::vector<std::shared_ptr<Caller>> SetUp(const ledger::Charter& charter, const log::WitnessPolicy* next,
                                             std::string* faults);
  void Call(const std::shared_ptr<Caller>& caller);
  bool Ask(Caller& caller, const std::shared_ptr<const log::SignedCheckpoint>& checkpoint);
  bool Shows(Caller& caller);
  void End();
  void Watch();
};

// What a witness has that the log has not is believed when the log's own signature is under it. That ends it: true.
bool Witnesses::Impl::Shows(Caller& caller) {
  const auto size = [this] {
    std::lock_guard lock(mutex);
    return newest->size();
  };
  std::string origin;
  {
    std::lock_guard lock(mutex);
    origin = newest->checkpoint().origin;
  }
  const auto shown = LookAt(*caller.client, caller.witness.name, origin, log, size);
  if (shown.held) return false;
  if (shown.held.error().reason == Reason::kRolledBack || shown.held.error().reason == Reason::kFork)
    return End(), true;
  Say(caller, Level::kAlarm, "witness-not-compared", shown.held.error().Message());
  return false;
}

// Nothing is released and nobody is asked from here on: two histories bear the log's signature.
void Witnesses::Impl::End() {
  std::vector<Waiter> over;
  {
    std::lock_guard lock(mutex);
    ended = true;
    over = std::move(waiters);
    waiters.clear();
  }
  wake.notify_all();
  log.on_ahead();
  Done(std::move(over), Ended());
}

// One checkpoint; whether it was cosigned.
bool Witnesses::Impl::Ask(Caller& caller, const std::shared_ptr<const log::SignedCheckpoint>& checkpoint) {
  std::uint64_t old = 0;
  {
    std::lock_guard lock(mutex);
    old = caller.recorded;
  }
  for (int tries = 0; tries < 3; ++tries) {
    std::vector<Hash> proof;
    if (old > checkpoint->size()) return false;  // it has a later one of ours, for which all will be asked
    if (old != 0 && old != checkpoint->size()) {
      auto made = log.consistency(old, checkpoint->size());
      if (!made) {
        Say(caller, Level::kAlarm, "no-proof-for-witness", made.error().Message());
        return false;
      }
      proof = *std::move(made);
    }
    auto answer = caller.client->AddCheckpoint(old, proof, checkpoint->note());
    if (answer.unheard) {
      Say(caller, Level::kWarning, "witness-unheard", *answer.unheard);
      return false;
    }
    if (answer.refused) {
      // Ours does not continue what it has, by its word: what has it?
      if ((answer.status == 409 || answer.status == 422) && Shows(caller)) return false;
      Say(caller, Level::kAlarm, "witness-refuses", *answer.refused);
      return false;
    }
    if (answer.at) {
      std::uint64_t ours = 0;
      {
        std::lock_guard lock(mutex);
        ours = newest->size();
      }
      if (*answer.at > ours) {
        if (!Shows(caller))
          Say(caller, Level::kAlarm, "witness-claims",
              "it says that it has recorded " + std::to_string(*answer.at) +
                  " entries and shows no signature of ours under them");
        return false;
      }
      if (*answer.at < caller.cosigned_size)  // of this thread alone
        Say(caller, Level::kAlarm, "witness-went-back",
            "it has recorded " + std::to_string(*answer.at) + " entries, and has cosigned " +
                std::to_string(caller.cosigned_size));
      if (*answer.at == old) break;
      old = *answer.at;
      std::lock_guard lock(mutex);
      caller.recorded = old;
      continue;
    }
    if (const auto apart = Apart(options.now(), answer.time); apart > static_cast<std::uint64_t>(skew.count())) {
      Say(caller, Level::kAlarm, "witness-clock", std::to_string(apart) + " seconds from ours");
      return false;
    }
    Say(caller, Level::kInfo, "witness-cosigns", "");
    std::vector<Waiter> ready;
    {
      std::lock_guard lock(mutex);
      caller.recorded = std::max(caller.recorded, checkpoint->size());
      caller.cosigned_size = checkpoint->size();
      caller.cosigned_at = Steady::now();
      if (!caller.stop) Take(caller.witness.name, checkpoint->size(), {answer.line, answer.time}, ready);
    }
    Done(std::move(ready), Ok());
    return true;
  }
  if (Shows(caller)) return false;
  Say(caller, Level::kAlarm, "witness-refuses", "it names one size after another, or takes none");
  return false;
}

void Witnesses::Impl::Call(const std::shared_ptr<Caller>& caller) {
  const std::shared_ptr<void> hangs_up(nullptr, [&](void*) { caller->client->Close(); });
  milliseconds pause = kFirstPause;
  std::unique_lock lock(mutex);
  for (;;) {
    const auto again = std::max<Steady::duration>(max_age / 4, milliseconds(200));
    const auto due = [&] {
      return target != 0 && (caller->cosigned_size < target || Steady::now() - caller->cosigned_at >= again);
    };
    const auto over = [&] { return stopping || ended || caller->stop; };
    while (!over() && !due()) {
      if (target == 0)
        wake.wait(lock);
      else
        wake.wait_until(lock, caller->cosigned_at + again);
    }
    if (over()) return;
    const auto checkpoint = rounds.at(target).checkpoint;
    lock.unlock();
    bool good = false;
    try {
      good = Ask(*caller, checkpoint);
    } catch (const std::exception& error) {
      Say(*caller, Level::kAlarm, "witness-call-threw", error.what());
    }
    lock.lock();
    if (good) {
      pause = kFirstPause;
      continue;
    }
    wake.wait_for(lock, pause, over);
    pause = std::min(pause * 2, kLongestPause);
  }
}

// Deadlines, rounds that lead nowhere, and the degraded state.
void Witnesses::Impl::Watch() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    wake.wait_for(lock, milliseconds(50), [&] { return stopping; });
    Aim();
    const auto now = std::chrono::system_clock::now();
    std::vector<std::pair<Waiter, std::string>> late;
    for (auto at = waiters.begin(); at != waiters.end();) {
      if (at->deadline > now) {
        ++at;
        continue;
      }
      auto missing = Missing(at->size);
      late.emplace_back(std::move(*at), std::move(missing));
      at = waiters.erase(at);
    }
    // Nothing new was published, and what was is not cosigned again any more: that is missing too.
    if (policy && newest && !missing_since && !cosigned.empty() && IsOld(*cosigned.back()))
      missing_since = Steady::now();
    const bool degraded_now = IsDegraded();
    const bool change = degraded_now != said_degraded;
    said_degraded = degraded_now;
    const auto missing = change && newest ? Missing(newest->size()) : "";
    lock.unlock();
    if (change) valija::broker::Log(Level::kAlarm, degraded_now ? "degraded" : "degraded-over", {{"missing", missing}});
    for (auto& [waiter, who] : late)
      workers.Finish([done = std::move(waiter.done), who = who] { done(Refuse(Reason::kNoQuorum, who)); });
    lock.lock();
  }
}

// Those that stay are called on. The others are returned, to be aborted without the mutex; their threads end by themselves
// and are joined at the end.
std::vector<std::shared_ptr<Witnesses::Impl::Caller>> Witnesses::Impl::SetUp(const ledger::Charter& charter,
                                                                             const log::WitnessPolicy* next,
                                                                             std::string* faults) {
  max_age = std::chrono::seconds(charter.max_checkpoint_age_seconds);
  degraded_after = std::chrono::seconds(charter.degraded_after_seconds);
  skew = std::chrono::seconds(charter.caps.clock_skew_seconds);
  policy = next == nullptr ? std::nullopt : std::optional(*next);
  std::vector<std::shared_ptr<Caller>> keep;
  std::set<std::string> there;
  for (const auto& one : next == nullptr ? std::vector<log::WitnessPolicy::Witness>{} : next->witnesses()) {
    const auto same = std::find_if(callers.begin(), callers.end(), [&](const auto& caller) {
      return caller->witness.name == one.name && caller->witness.key.Text() == one.key.Text() &&
             caller->witness.url == one.url;
    });
    if (same != callers.end()) {
      keep.push_back(*same);
      continue;
    }
    auto caller = std::make_shared<Caller>(one);
    const auto set = options.urls.find(one.name);
    const std::string url = set != options.urls.end() ? set->second : one.url;
    auto client = WitnessClient::Make(one.key, url, options.timeout);
    if (client)
      caller->client = *std::move(client);
    else if (faults != nullptr)
      *faults += (faults->empty() ? "" : "; ") + one.name + ": " + client.error().detail;
    keep.push_back(std::move(caller));
  }
  std::vector<std::shared_ptr<Caller>> gone;
  for (auto& caller : callers) {
    if (std::find(keep.begin(), keep.end(), caller) != keep.end()) continue;
    caller->stop = true;
    gone.push_back(caller);
    retired.push_back(caller);
    for (auto& [size, round] : rounds) round.by.erase(caller->witness.name);
  }
  callers = std::move(keep);
  return gone;
}

Witnesses::Witnesses(Options options, WorkerPool& workers)
    : impl_(std::make_shared<Impl>(std::move(options), workers)) {}
Witnesses::~Witnesses() { Stop(); }

Status Witnesses::AskFirst(const ledger::Charter& charter, const log::WitnessPolicy& policy, const std::string& mark,
                           std::uint64_t size, const Log& log) {
  return AskWitnesses(impl_->options, charter, policy, mark, size, log);
}

Status Witnesses::Begin(Log log, const ledger::Charter& charter, const log::WitnessPolicy* policy,
                        std::optional<Cosigned> kept) {
  std::string faults;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->log = std::move(log);
    (void)impl_->SetUp(charter, policy, &faults);
    if (kept && policy != nullptr) impl_->before = std::make_shared<const Cosigned>(*std::move(kept));
    for (const auto& caller : impl_->callers)
      if (caller->client) caller->thread = std::thread([impl = impl_, caller] { impl->Call(caller); });
    impl_->clock = std::thread([impl = impl_] { impl->Watch(); });
  }
  if (!faults.empty()) return Refuse(Reason::kBadConfiguration, faults);
  return Ok();
}

Status Witnesses::CanCall(const log::WitnessPolicy& policy) const {
  for (const auto& one : policy.witnesses()) {
    const auto set = impl_->options.urls.find(one.name);
    TRY(const auto client,
        WitnessClient::Make(one.key, set != impl_->options.urls.end() ? set->second : one.url, impl_->options.timeout));
    (void)client;
  }
  return Ok();
}

void Witnesses::Amended(const ledger::Charter& charter, const log::WitnessPolicy* policy,
                        std::shared_ptr<const log::SignedCheckpoint> checkpoint) {
  std::string faults;
  std::vector<Impl::Waiter> ready;
  std::vector<std::shared_ptr<Impl::Caller>> gone;
  {
    std::lock_guard lock(impl_->mutex);
    gone = impl_->SetUp(charter, policy, &faults);
    impl_->newest = std::move(checkpoint);
    // What enough of the former ones cosigned is no word of these.
    impl_->cosigned.clear();
    impl_->before.reset();
    impl_->target = 0;
    impl_->missing_since.reset();
    for (const auto& caller : impl_->callers)
      if (caller->client && !caller->thread.joinable())
        caller->thread = std::thread([impl = impl_, caller] { impl->Call(caller); });
    if (!impl_->policy) impl_->Ripe(ready);
  }
  impl_->wake.notify_all();
  for (const auto& caller : gone)
    if (caller->client) caller->client->Abort();
  if (!faults.empty()) broker::Log(Level::kAlarm, "witness-url", {{"detail", faults}});
  impl_->Done(std::move(ready), Ok());
}

void Witnesses::Published(std::shared_ptr<const log::SignedCheckpoint> checkpoint) {
  std::lock_guard lock(impl_->mutex);
  impl_->newest = std::move(checkpoint);
  impl_->Aim();
}

std::shared_ptr<const Cosigned> Witnesses::latest(std::uint64_t up_to) const {
  std::lock_guard lock(impl_->mutex);
  for (auto at = impl_->cosigned.rbegin(); at != impl_->cosigned.rend(); ++at)
    if ((*at)->checkpoint.size <= up_to) return *at;
  return impl_->before && impl_->before->checkpoint.size <= up_to ? impl_->before : nullptr;
}

bool Witnesses::any() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->policy.has_value();
}

bool Witnesses::degraded() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->IsDegraded();
}

std::vector<Witnesses::Standing> Witnesses::standings() const {
  std::lock_guard lock(impl_->mutex);
  std::vector<Standing> out;
  for (const auto& caller : impl_->callers) {
    Standing one{caller->witness.name, caller->cosigned_size, std::nullopt};
    if (caller->cosigned_at != Steady::time_point())
      one.ago = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - caller->cosigned_at);
    out.push_back(std::move(one));
  }
  return out;
}

std::string Witnesses::MissingFor(std::uint64_t size) const {
  std::lock_guard lock(impl_->mutex);
  return impl_->Missing(size);
}

bool Witnesses::Covers(std::uint64_t index) const {
  std::lock_guard lock(impl_->mutex);
  return !impl_->ended && (!impl_->policy || impl_->CosignedSize() > index);
}

bool Witnesses::ended() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->ended;
}

void Witnesses::Wait(std::uint64_t size, std::chrono::system_clock::time_point deadline,
                     std::function<void(Status)> done) {
  Status now = Ok();
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->ended) {
      now = Impl::Ended();
    } else if (impl_->policy && impl_->CosignedSize() < size) {
      if (!impl_->waiting_stopped) {
        impl_->waiters.push_back({size, deadline, std::move(done)});
        return;
      }
      now = Refuse(Reason::kShuttingDown);
    }
  }
  impl_->workers.Finish([done = std::move(done), now] { done(now); });
}

void Witnesses::StopWaiting() {
  std::vector<Impl::Waiter> ready;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->waiting_stopped = true;
    ready = std::move(impl_->waiters);
    impl_->waiters.clear();
  }
  impl_->Done(std::move(ready), Refuse(Reason::kShuttingDown));
}

void Witnesses::Stop() {
  StopWaiting();
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<Impl::Caller>> all;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (auto* list : {&impl_->callers, &impl_->retired})
      for (auto& caller : *list) {
        all.push_back(caller);
        if (caller->thread.joinable()) threads.push_back(std::move(caller->thread));
      }
    if (impl_->clock.joinable()) threads.push_back(std::move(impl_->clock));
  }
  impl_->wake.notify_all();
  for (const auto& caller : all)
    if (caller->client) caller->client->Abort();
  for (auto& thread : threads) thread.join();
}

}  // namespace valija::broker
