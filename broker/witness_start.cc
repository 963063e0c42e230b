#include "broker/witness_start.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/oplog.h"

namespace valija::broker {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

Shown LookAt(WitnessClient& client, const std::string& name, const std::string& origin, const Witnesses::Log& log,
             const std::function<std::uint64_t()>& size) {
  Shown out;
  const auto latest = client.Cosigned(origin);
  const auto read = latest ? log.read(latest->note) : Result<log::Checkpoint>(Refuse(Reason::kNotFound));
  if (!read) return out;
  const auto ours = size();  // now: it may have cosigned what was published since
  out.size = read->size;
  out.cosigned = latest->cosigned;
  out.held =
      read->size > ours
          ? Status(Refuse(Reason::kRolledBack, "the witness " + name + " has cosigned " + std::to_string(read->size) +
                                                   " entries, and the store has " + std::to_string(ours)))
          : log.check_seen(read->size, read->root);
  if (!out.held && (out.held.error().reason == Reason::kRolledBack || out.held.error().reason == Reason::kFork))
    Log(Level::kAlarm, read->size > ours ? "witness-ahead" : "witness-fork",
        {{"witness", name},
         {"cosigned", std::to_string(read->size)},
         {"ours", std::to_string(ours)},
         {"note", latest->note}});
  return out;
}

std::uint64_t Apart(Time now, std::uint64_t seconds) {
  const auto ours = static_cast<std::uint64_t>(ToMillis(now) / 1000);
  return ours > seconds ? ours - seconds : seconds - ours;
}

namespace {

// One witness at a start: whether it answered (witnesses.h), and what it has that must not be.
struct Word {
  bool answered = false;
  Status bad = Ok();
  std::string why;  // it did not
};
Word AskOne(WitnessClient& client, const std::string& name, const ledger::Charter& charter, const std::string& mark,
            std::uint64_t size, const Witnesses::Log& log, const std::function<Time()>& now) {
  const auto marked = log.read(mark);
  if (!marked) return {false, marked.error(), {}};
  std::uint64_t old = marked->size;
  for (int tries = 0; tries < 3; ++tries) {
    std::vector<Hash> proof;
    if (old != 0 && old != marked->size) {
      auto made = log.consistency(old, marked->size);
      if (!made) return {false, made.error(), {}};
      proof = *std::move(made);
    }
    const auto answer = client.AddCheckpoint(old, proof, mark);
    if (answer.unheard) return {false, Ok(), *answer.unheard};
    if (!answer.line.empty()) {
      if (Apart(now(), answer.time) <= charter.caps.clock_skew_seconds) return {true, Ok(), {}};
      return {false, Ok(), std::to_string(Apart(now(), answer.time)) + " seconds from our clock"};
    }
    if (answer.at && *answer.at < marked->size && *answer.at != old) {
      old = *answer.at;
      continue;
    }
    const auto shown = LookAt(client, name, charter.origin, log, [&] { return size; });
    const bool more = shown.size && shown.cosigned && *shown.size > marked->size;
    return {more && shown.held, shown.held,
            answer.refused.value_or("it has recorded something else, and does not show it")};
  }
  return {false, Ok(), "it names one size after another"};
}

}  // namespace

Status AskWitnesses(const Witnesses::Options& options, const ledger::Charter& charter, const log::WitnessPolicy& policy,
                    const std::string& mark, std::uint64_t size, const Witnesses::Log& log) {
  struct Heard {
    std::mutex mutex;
    std::condition_variable wake;
    log::WitnessPolicy::Names names;
    std::map<std::string, std::string> why;
    Status bad = Ok();
    bool over = false;
    std::vector<std::shared_ptr<WitnessClient>> clients;
    std::vector<std::thread> threads;

    void End() {
      {
        std::lock_guard lock(mutex);
        over = true;
      }
      wake.notify_all();
      for (auto& client : clients) client->Abort();
      for (auto& thread : threads) thread.join();
      threads.clear();
    }
    ~Heard() { End(); }
  } heard;
  for (const auto& name : options.start_without)
    if (std::none_of(policy.witnesses().begin(), policy.witnesses().end(),
                     [&](const auto& one) { return one.name == name; }))
      return Refuse(Reason::kBadConfiguration, "no witness of the charter is named " + name);
  for (const auto& one : policy.witnesses()) {
    const auto set = options.urls.find(one.name);
    auto made = WitnessClient::Make(one.key, set != options.urls.end() ? set->second : one.url, options.timeout);
    if (!made) {
      std::lock_guard lock(heard.mutex);
      heard.why[one.name] = made.error().detail;
      continue;
    }
    std::shared_ptr<WitnessClient> client = *std::move(made);
    heard.clients.push_back(client);
    heard.threads.emplace_back([&, client, name = one.name] {
      for (milliseconds pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
        Word word;
        try {
          word = AskOne(*client, name, charter, mark, size, log, options.now);
        } catch (const std::exception& error) {
          word = {false, Ok(), error.what()};
        }
        std::unique_lock lock(heard.mutex);
        if (!word.bad) heard.bad = word.bad;  // however late
        if (heard.over) return;
        if (word.answered) heard.names.insert(name);
        heard.why[name] = word.why;
        heard.wake.notify_all();
        if (word.answered || heard.wake.wait_for(lock, pause, [&] { return heard.over; })) return;
      }
    });
  }
  {
    std::unique_lock lock(heard.mutex);
    const auto with_told = [&] {
      auto names = heard.names;
      names.insert(options.start_without.begin(), options.start_without.end());
      return names;
    };
    const auto enough = [&] { return policy.Satisfied(with_told()); };
    const auto all = [&] {
      return std::all_of(policy.witnesses().begin(), policy.witnesses().end(), [&](const auto& one) {
        return heard.names.contains(one.name) || options.start_without.contains(one.name);
      });
    };
    const auto end = Steady::now() + options.start_wait;
    heard.wake.wait_until(lock, end, [&] { return !heard.bad || enough(); });
    heard.wake.wait_until(lock, std::min(end, Steady::now() + options.start_others),
                          [&] { return !heard.bad || all(); });
    const auto missing = log::WitnessPolicy::Say(policy.MissingFrom(with_told()));
    if (heard.bad && !enough()) {
      if (charter.degraded_after_seconds == 0)
        heard.bad = Refuse(Reason::kNoQuorum,
                           "what they have recorded is asked before anything is signed; missing: " + missing);
      Log(Level::kAlarm, "started-unwitnessed", {{"missing", missing}});
    }
    for (const auto& one : policy.witnesses()) {
      if (heard.names.contains(one.name)) continue;
      const bool told = options.start_without.contains(one.name);
      Log(told ? Level::kAlarm : Level::kWarning, told ? "started-without-witness" : "witness-unheard",
          {{"witness", one.name}, {"detail", heard.why[one.name]}});
    }
  }
  heard.End();
  return heard.bad;
}

}  // namespace valija::broker
