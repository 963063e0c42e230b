#include "broker/witnesses.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "broker/oplog.h"
#include "broker/witness_client.h"
#include "broker/worker_pool.h"
#include "core/log/quorum.h"

namespace valija::broker {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kRoundsKept = 256;  // for what comes late
constexpr std::size_t kCosignedKept = 16;
constexpr milliseconds kFirstPause{50}, kLongestPause{5'000};  // between calls that failed

struct Cosignature {
  std::string line;
  std::uint64_t time = 0;
};
struct Round {
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  std::map<std::string, Cosignature> by;  // witness, by its name in the policy
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
    std::uint64_t recorded = 0;         // what it has, as far as we know
    std::uint64_t cosigned_size = 0;    // last
    Steady::time_point cosigned_at{};
    bool down = false;
    std::string said;  // that was logged last
  };

  const Options options;
  WorkerPool& workers;
  std::function<void()> listener;
  Log log;

  mutable std::mutex mutex;
  std::condition_variable wake;  // callers, and the clock
  bool stopping = false, waiting_stopped = false;
  std::optional<log::WitnessPolicy> policy;
  std::chrono::seconds max_age{0}, degraded_after{0}, skew{0};
  std::vector<std::shared_ptr<Caller>> callers, retired;
  std::shared_ptr<const log::SignedCheckpoint> newest;
  std::uint64_t target = 0;  // the size that all are asked for
  Steady::time_point target_since{};
  std::map<std::uint64_t, Round> rounds;
  std::vector<std::shared_ptr<const Cosigned>> cosigned;  // ascending by size
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
      rounds.try_emplace(target, Round{newest, {}});
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
    Cosigned next{round.checkpoint->note(), round.checkpoint->checkpoint(), *since};
    for (const auto& [one, what] : round.by) next.note += what.line;
    if (!cosigned.empty() && cosigned.back()->checkpoint.size == size) cosigned.pop_back();
    cosigned.push_back(std::make_shared<const Cosigned>(std::move(next)));
    if (cosigned.size() > kCosignedKept) cosigned.erase(cosigned.begin());
    missing_since.reset();
    if (newest->size() > size) missing_since = Steady::now();
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
    for (auto& one : ready)
      workers.Finish([done = std::move(one.done), status] { done(status); });
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

  void SetUp(const ledger::Charter& charter, const log::WitnessPolicy* next, std::string* faults);
  void Call(const std::shared_ptr<Caller>& caller);
  bool Ask(Caller& caller, const std::shared_ptr<const log::SignedCheckpoint>& checkpoint);
  bool IsAhead(Caller& caller, std::uint64_t claimed);
  void Watch();
};

// What a witness has more than the log is believed when the log's own signature is under it.
bool Witnesses::Impl::IsAhead(Caller& caller, std::uint64_t claimed) {
  std::string origin;
  {
    std::lock_guard lock(mutex);
    origin = newest->checkpoint().origin;
  }
  const auto latest = caller.client->Cosigned(origin);
  if (latest.note) {
    const auto read = log.read(*latest.note);
    std::uint64_t ours = 0;
    {
      std::lock_guard lock(mutex);
      ours = newest->size();
    }
    if (read && read->size > ours) {
      valija::broker::Log(Level::kAlarm, "witness-ahead",
                          {{"witness", caller.witness.name},
                           {"cosigned", std::to_string(read->size)},
                           {"ours", std::to_string(ours)},
                           {"note", *latest.note}});
      return true;
    }
  }
  Say(caller, Level::kAlarm, "witness-claims", "it says that it has recorded " + std::to_string(claimed) +
                                                   " entries and shows no signature of ours under them");
  return false;
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
        if (IsAhead(caller, *answer.at)) log.on_ahead();
        return false;
      }
      old = *answer.at;
      std::lock_guard lock(mutex);
      caller.recorded = old;
      continue;
    }
    // A clock that is far from ours is no word on how fresh this is.
    const auto now = static_cast<std::uint64_t>(ToMillis(options.now()) / 1000);
    const auto apart = now > answer.time ? now - answer.time : answer.time - now;
    if (apart > static_cast<std::uint64_t>(skew.count())) {
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
    if (listener) workers.Finish([tell = listener] { tell(); });
    return true;
  }
  Say(caller, Level::kAlarm, "witness-refuses", "it names one size after another");
  return false;
}

void Witnesses::Impl::Call(const std::shared_ptr<Caller>& caller) {
  milliseconds pause = kFirstPause;
  std::unique_lock lock(mutex);
  for (;;) {
    const auto again = std::max<Steady::duration>(max_age / 4, milliseconds(200));
    const auto due = [&] {
      return target != 0 && (caller->cosigned_size < target || Steady::now() - caller->cosigned_at >= again);
    };
    while (!stopping && !caller->stop && !due()) {
      if (target == 0)
        wake.wait(lock);
      else
        wake.wait_until(lock, caller->cosigned_at + again);
    }
    if (stopping || caller->stop) return;
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
    wake.wait_for(lock, pause, [&] { return stopping || caller->stop; });
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
    if (policy && newest && !missing_since && !cosigned.empty() && max_age.count() != 0) {
      const auto seconds = static_cast<std::uint64_t>(ToMillis(options.now()) / 1000);
      if (seconds > cosigned.back()->since + static_cast<std::uint64_t>(max_age.count())) missing_since = Steady::now();
    }
    const bool degraded_now = IsDegraded();
    const bool change = degraded_now != said_degraded;
    said_degraded = degraded_now;
    const auto missing = change && newest ? Missing(newest->size()) : "";
    lock.unlock();
    if (change)
      valija::broker::Log(Level::kAlarm, degraded_now ? "degraded" : "degraded-over", {{"missing", missing}});
    for (auto& [waiter, who] : late)
      workers.Finish([done = std::move(waiter.done), who = who] { done(Refuse(Reason::kNoQuorum, who)); });
    lock.lock();
  }
}

// Those that stay are called on; the others' threads end by themselves and are joined at the end.
void Witnesses::Impl::SetUp(const ledger::Charter& charter, const log::WitnessPolicy* next, std::string* faults) {
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
  for (auto& caller : callers) {
    if (std::find(keep.begin(), keep.end(), caller) != keep.end()) continue;
    caller->stop = true;
    if (caller->client) caller->client->Abort();
    retired.push_back(caller);
    for (auto& [size, round] : rounds) round.by.erase(caller->witness.name);
  }
  callers = std::move(keep);
}

Witnesses::Witnesses(Options options, WorkerPool& workers)
    : impl_(std::make_shared<Impl>(std::move(options), workers)) {}
Witnesses::~Witnesses() { Stop(); }

Status Witnesses::AskFirst(const ledger::Charter& charter, const log::WitnessPolicy& policy, std::uint64_t size,
                           const Log& log) {
  struct Heard {
    std::mutex mutex;
    std::condition_variable wake;
    log::WitnessPolicy::Names names;
    Status bad = Ok();
    bool over = false;
  };
  auto heard = std::make_shared<Heard>();
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<WitnessClient>> clients;
  for (const auto& one : policy.witnesses()) {
    const auto set = impl_->options.urls.find(one.name);
    auto made = WitnessClient::Make(one.key, set != impl_->options.urls.end() ? set->second : one.url,
                                    impl_->options.timeout);
    if (!made) continue;
    std::shared_ptr<WitnessClient> client = *std::move(made);
    clients.push_back(client);
    threads.emplace_back([heard, client, name = one.name, &charter, &log, size] {
      for (milliseconds pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
        const auto latest = client->Cosigned(charter.origin);
        Status bad = Ok();
        bool counts = latest.heard;
        if (latest.note) {
          const auto read = log.read(*latest.note);
          counts = read.has_value();  // what is not signed by the log is nobody's word on it
          if (read && read->size > size)
            bad = Refuse(Reason::kRolledBack, "the witness " + name + " has cosigned " + std::to_string(read->size) +
                                                  " entries, and the store has " + std::to_string(size));
          else if (read)
            bad = log.check_seen(read->size, read->root);
        }
        std::unique_lock lock(heard->mutex);
        if (counts) heard->names.insert(name);
        if (!bad) heard->bad = bad;
        heard->wake.notify_all();
        if (counts || heard->over) return;
        if (heard->wake.wait_for(lock, pause, [&] { return heard->over; })) return;
      }
    });
  }
  Status out = Ok();
  {
    std::unique_lock lock(heard->mutex);
    const bool enough = heard->wake.wait_for(lock, impl_->options.start_wait, [&] {
      return !heard->bad || policy.Satisfied(heard->names);
    });
    if (!heard->bad)
      out = heard->bad;
    else if (!enough && charter.degraded_after_seconds == 0)
      out = Refuse(Reason::kNoQuorum, "what they have recorded is asked before anything is signed; missing: " +
                                          log::WitnessPolicy::Say(policy.MissingFrom(heard->names)));
    else if (!enough)
      broker::Log(Level::kAlarm, "started-unwitnessed",
                  {{"missing", log::WitnessPolicy::Say(policy.MissingFrom(heard->names))}});
    heard->over = true;
  }
  heard->wake.notify_all();
  for (auto& client : clients) client->Abort();
  for (auto& thread : threads) thread.join();
  if (!heard->bad) return heard->bad;  // also what came while the others were waited for
  return out;
}

Status Witnesses::Begin(Log log, const ledger::Charter& charter, const log::WitnessPolicy* policy,
                        std::optional<Cosigned> kept) {
  std::string faults;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->log = std::move(log);
    impl_->SetUp(charter, policy, &faults);
    if (kept && policy != nullptr) impl_->cosigned.push_back(std::make_shared<const Cosigned>(*std::move(kept)));
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
    TRY(const auto client, WitnessClient::Make(one.key, set != impl_->options.urls.end() ? set->second : one.url,
                                               impl_->options.timeout));
    (void)client;
  }
  return Ok();
}

void Witnesses::Amended(const ledger::Charter& charter, const log::WitnessPolicy* policy) {
  std::string faults;
  std::vector<Impl::Waiter> ready;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->SetUp(charter, policy, &faults);
    // What enough of the former ones cosigned is no word of these.
    impl_->cosigned.clear();
    impl_->target = 0;
    impl_->missing_since.reset();
    for (const auto& caller : impl_->callers)
      if (caller->client && !caller->thread.joinable())
        caller->thread = std::thread([impl = impl_, caller] { impl->Call(caller); });
    if (!impl_->policy) impl_->Ripe(ready);
  }
  impl_->wake.notify_all();
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
  return nullptr;
}

bool Witnesses::any() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->policy.has_value();
}

bool Witnesses::degraded() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->IsDegraded();
}

std::string Witnesses::MissingFor(std::uint64_t size) const {
  std::lock_guard lock(impl_->mutex);
  return impl_->Missing(size);
}

bool Witnesses::Covers(std::uint64_t index) const {
  std::lock_guard lock(impl_->mutex);
  return !impl_->policy || impl_->CosignedSize() > index;
}

void Witnesses::Wait(std::uint64_t size, std::chrono::system_clock::time_point deadline,
                     std::function<void(Status)> done) {
  Status now = Ok();
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->policy && impl_->CosignedSize() < size) {
      if (!impl_->waiting_stopped) {
        impl_->waiters.push_back({size, deadline, std::move(done)});
        return;
      }
      now = Refuse(Reason::kShuttingDown);
    }
  }
  impl_->workers.Finish([done = std::move(done), now] { done(now); });
}

void Witnesses::OnCosigned(std::function<void()> listener) { impl_->listener = std::move(listener); }

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
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (auto* list : {&impl_->callers, &impl_->retired})
      for (auto& caller : *list) {
        if (caller->client) caller->client->Abort();
        if (caller->thread.joinable()) threads.push_back(std::move(caller->thread));
      }
    if (impl_->clock.joinable()) threads.push_back(std::move(impl_->clock));
  }
  impl_->wake.notify_all();
  for (auto& thread : threads) thread.join();
}

}  // namespace valija::broker
