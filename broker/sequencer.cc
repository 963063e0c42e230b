#include "broker/sequencer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

#include "broker/fold.h"
#include "broker/oplog.h"
#include "broker/proofs.h"
#include "broker/storage/high_water.h"
#include "broker/worker_pool.h"
#include "core/crypto/dsse.h"

namespace valija::broker {
namespace {

constexpr std::size_t kRootsKept = 4096;    // of recent checkpoints: what clients say they have verified
constexpr std::size_t kDoneInOneTask = 32;  // completions; enough tasks for every thread, few enough to be cheap

std::size_t BytesOf(const ledger::Statement& statement) {
  std::size_t out = 512 + statement.envelope.payload.size();
  for (const auto& policy : statement.attachments.policies) out += policy.size();
  return out + 256 * statement.attachments.slips.size();
}

// The checkpoint that a mark holds, if this log's key signed it. Its origin is for the charter to confirm.
Result<log::Checkpoint> ReadMark(const std::string& note, const crypto::Ed25519SignKey& log_key) {
  const char* what = "the high-water mark is not signed by this log's key";
  auto parsed = log::Note::Parse(note);
  if (!parsed) return Refuse(Reason::kCorrupt, what);
  auto body = log::Checkpoint::ParseBody(parsed->text);
  if (!body) return Refuse(Reason::kCorrupt, what);
  auto verifier = log::NoteVerifier::Make(body->origin, log_key.verify_key());
  if (!verifier || !log::SignedCheckpoint::Verify(note, body->origin, *verifier)) {
    return Refuse(Reason::kCorrupt, what);
  }
  return *std::move(body);
}

}  // namespace

struct Sequencer::Item {
  ledger::VerifiedStatement statement;
  Done done;
  std::size_t bytes = 0;
};

// What became of an item: an entry, or a refusal.
struct Sequencer::Made {
  Done done;
  std::optional<ledger::Entry> entry;
  Error refusal;
};

struct Sequencer::Impl {
  Impl(Options with, Journal& the_journal, HighWater& the_mark, const crypto::Ed25519SignKey& key,
       WorkerPool& the_workers, crypto::Random& source)
      : options(std::move(with)),
        journal(the_journal),
        high_water(the_mark),
        log_key(key),
        workers(the_workers),
        random(source),
        proofs(TilesOf(the_journal)) {}

  const Options options;
  Journal& journal;
  HighWater& high_water;
  const crypto::Ed25519SignKey& log_key;
  WorkerPool& workers;
  crypto::Random& random;
  Proofs proofs;
  std::function<void(const CommitNews&)> listener;

  // Fresh random values, drawn from the generator some hundreds at a time: a call costs more than the bytes.
  template <class F>
  F Draw() {
    if (drawn.size() - used < F::kSize) {
      Bytes fresh(16 * 1024);
      random.Fill(fresh);
      drawn = std::move(fresh);
      used = 0;
    }
    F out;
    std::copy_n(drawn.begin() + static_cast<std::ptrdiff_t>(used), F::kSize, out.bytes.begin());
    used += F::kSize;
    return out;
  }

  // The sequencer's own thread alone.
  Bytes drawn;
  std::size_t used = 0;
  log::Tree tree;
  std::string origin;
  Time last;  // entry times never go back

  // The pool.
  mutable std::mutex pool_mutex;
  std::condition_variable wake;
  std::deque<Item> pool;
  bool stopping = false;
  std::thread thread;

  std::atomic<std::size_t> admitted = 0;
  std::atomic<bool> healthy = true;

  mutable std::mutex published_mutex;
  std::shared_ptr<const log::SignedCheckpoint> checkpoint;
  std::map<std::uint64_t, Hash> roots;

  std::mutex news_mutex;
  std::deque<CommitNews> news;
  bool news_running = false;
};

// ---- Start ----

Sequencer::Sequencer(Options options, Journal& journal, HighWater& high_water, const crypto::Ed25519SignKey& log_key,
                     WorkerPool& workers, crypto::Random& random)
    : impl_(std::make_shared<Impl>(std::move(options), journal, high_water, log_key, workers, random)),
      state_(std::make_unique<ledger::State>()) {}

Result<std::unique_ptr<Sequencer>> Sequencer::Start(Options options, Journal& journal, HighWater& high_water,
                                                    const crypto::Ed25519SignKey& log_key, WorkerPool& workers,
                                                    crypto::Random& random,
                                                    std::optional<ledger::VerifiedStatement> charter) {
  std::unique_ptr<Sequencer> out(new Sequencer(std::move(options), journal, high_water, log_key, workers, random));
  TRY_OK(out->Load(std::move(charter)));
  out->impl_->thread = std::thread([raw = out.get()] { raw->Run(); });
  return out;
}

Status Sequencer::Load(std::optional<ledger::VerifiedStatement> charter) {
  const std::uint64_t size = impl_->journal.Size();
  std::optional<log::Checkpoint> mark;
  if (auto note = impl_->high_water.note()) {
    TRY(mark, ReadMark(*note, impl_->log_key));
  }
  if (charter) {
    if (size != 0 || (mark && mark->size != 0)) return Refuse(Reason::kExists, "the log was made before");
    return MakeLog(*std::move(charter));
  }
  if (mark && mark->size > size) {
    return Refuse(Reason::kRolledBack, "the store has " + std::to_string(size) + " entries, and " +
                                           std::to_string(mark->size) + " were acknowledged");
  }
  if (size == 0) return Refuse(Reason::kNotReady, "there is no log here yet; make one from a charter");
  if (!mark) return Refuse(Reason::kRolledBack, "the store stands and its high-water mark is missing");

  TRY(Folded folded, FoldJournal(impl_->journal, mark));
  state_ = std::move(folded.state);
  impl_->tree = std::move(folded.tree);
  impl_->last = folded.last;
  TRY_OK(CheckCharter());
  impl_->origin = state_->charter()->origin;
  if (mark->origin != impl_->origin) return Refuse(Reason::kRolledBack, "the high-water mark is another log's");
  auto checkpoint = std::make_shared<const log::SignedCheckpoint>(
      log::SignedCheckpoint::Sign({impl_->origin, size, impl_->tree.Root()}, impl_->log_key));
  // Entries above the mark were durable and never acknowledged: they are accepted now, as nobody can tell them apart.
  if (mark->size < size) TRY_OK(impl_->high_water.Write(checkpoint->note()));
  Publish(std::move(checkpoint));
  return Ok();
}

Status Sequencer::CheckCharter() const {
  const ledger::Charter* charter = state_->charter();
  if (charter == nullptr) return Refuse(Reason::kCorrupt, "entry 0 is no charter");
  auto key = log::NoteVerifier::Parse(charter->log_key);
  if (!key || key->name != charter->origin || key->key.bytes() != impl_->log_key.verify_key().bytes()) {
    return Refuse(Reason::kBadConfiguration, "the log key is not the one that the charter names");
  }
  if (charter->authorities.empty() || charter->authorities[0].id != impl_->options.authority) {
    return Refuse(Reason::kBadConfiguration, "the charter's first authority is not this broker");
  }
  return Ok();
}

// A mark at size 0 stands before the first entry is durable: a making that is cut short between the two can go on, and
// an entry without a mark is never seen.
Status Sequencer::MakeLog(ledger::VerifiedStatement charter) {
  const auto* payload = std::get_if<ledger::Charter>(&charter->payload);
  if (payload == nullptr) return Refuse(Reason::kUnknownType, "a log begins with a charter");
  impl_->origin = payload->origin;
  std::vector<Item> batch;
  batch.push_back({std::move(charter), [](Result<Accepted>) {}, 0});
  auto made = DecideAll(batch, impl_->options.now());  // in memory; nothing is written yet
  if (!made[0].entry) return made[0].refusal;
  TRY_OK(CheckCharter());
  if (!impl_->high_water.note()) {
    auto empty = log::SignedCheckpoint::Sign({impl_->origin, 0, log::EmptyRoot()}, impl_->log_key);
    TRY_OK(impl_->high_water.Initialise(empty.note()));
  }
  std::optional<Durable> durable;
  return Persist(made, &durable);
}

Sequencer::~Sequencer() { Stop(); }

void Sequencer::Stop() {
  {
    std::lock_guard lock(impl_->pool_mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

// ---- Submitting ----

Status Sequencer::Submit(ledger::VerifiedStatement statement, Done done) {
  if (const auto* open = std::get_if<ledger::Open>(&statement->payload)) {
    auto seen = CheckSeen(open->checkpoint_size, open->checkpoint_root);
    if (!seen && seen.error().reason == Reason::kFork) {
      Log(Level::kAlarm, "fork-claimed",
          {{"member", open->by.author.str()},
           {"size", std::to_string(open->checkpoint_size)},
           {"root", open->checkpoint_root.Hex()}});
    }
    TRY_OK(seen);
  }
  Item item{std::move(statement), std::move(done), 0};
  item.bytes = BytesOf(*item.statement);
  {
    std::lock_guard lock(impl_->pool_mutex);
    if (impl_->stopping) return Refuse(Reason::kShuttingDown);
    if (!impl_->healthy) return Refuse(Reason::kStorage, "an earlier write failed; the broker has to be restarted");
    if (impl_->admitted >= impl_->options.pool_limit) return Refuse(Reason::kPoolFull);
    ++impl_->admitted;
    impl_->pool.push_back(std::move(item));
  }
  impl_->wake.notify_one();
  return Ok();
}

void Sequencer::Run() {
  for (;;) {
    std::vector<Item> batch;
    {
      std::unique_lock lock(impl_->pool_mutex);
      impl_->wake.wait(lock, [this] { return impl_->stopping || !impl_->pool.empty(); });
      if (impl_->pool.empty()) return;
      std::size_t bytes = 0;
      while (!impl_->pool.empty() && batch.size() < impl_->options.batch_limit) {
        bytes += impl_->pool.front().bytes;
        if (!batch.empty() && bytes > impl_->options.batch_bytes) break;
        batch.push_back(std::move(impl_->pool.front()));
        impl_->pool.pop_front();
      }
    }
    Commit(std::move(batch));
  }
}

// ---- One batch ----

void Sequencer::Commit(std::vector<Item> batch) {
  std::vector<Made> made;
  std::optional<Durable> durable;
  Status done = Refuse(Reason::kStorage, "an earlier write failed; the broker has to be restarted");
  const std::uint64_t first = impl_->tree.size();
  if (impl_->healthy) {
    const Time now = impl_->options.now();
    if (now < impl_->last) {
      Log(Level::kWarning, "clock-behind-log", {{"clock", FormatTime(now)}, {"log", FormatTime(impl_->last)}});
    }
    made = DecideAll(batch, std::max(now, impl_->last));
    done = impl_->healthy ? Persist(made, &durable) : Refuse(Reason::kInternal, "the state cannot be trusted");
  } else {
    for (auto& item : batch) made.push_back({std::move(item.done), std::nullopt, {}});
  }
  if (!done) {
    Fail();
    for (auto& one : made) {
      one.entry.reset();
      one.refusal = done.error();
    }
    Complete(std::move(made), std::nullopt);
    return;
  }
  CommitNews news{checkpoint(), first, impl_->tree.size(), {}};
  for (const auto& one : made) {
    if (!one.entry) continue;
    const auto* enrolment = std::get_if<ledger::Enrolment>(&one.entry->statement->payload);
    if (enrolment != nullptr && !enrolment->previous.IsZero()) {
      news.changed_members.push_back(enrolment->member.id);
    }
  }
  Complete(std::move(made), durable);
  if (news.end > news.first) Announce(std::move(news));
}

std::vector<Sequencer::Made> Sequencer::DecideAll(std::vector<Item>& batch, Time time) {
  std::vector<Made> out;
  out.reserve(batch.size());
  std::uint64_t index = impl_->tree.size();
  for (auto& item : batch) {
    Made made{std::move(item.done), std::nullopt, {}};
    // Only this thread changes the state, so deciding needs no lock: readers may read meanwhile.
    try {
      auto decision = ledger::Decide(*state_, item.statement, time, impl_->options.authority, impl_->Draw<Nonce>());
      if (decision) {
        ledger::EntryHead head{index, time, item.statement->digest, {}};
        Bytes bytes = proto::EncodeDecision(*decision);
        head.decision = crypto::DigestOf(ledger::kDecisionType, bytes);
        made.entry.emplace(ledger::Entry{head, impl_->Draw<Salt>(), std::move(item.statement), *std::move(decision),
                                         std::move(bytes)});
      } else {
        made.refusal = decision.error();
      }
    } catch (const std::exception& breakage) {
      Log(Level::kAlarm, "decide-threw", {{"statement", item.statement->digest.Hex()}, {"what", breakage.what()}});
      made.refusal = Refuse(Reason::kInternal);
    }
    if (made.entry) {
      if (auto applied = Apply(*made.entry); !applied) {
        // Half applied, for all we know. Nothing of this batch is written, and a restart folds the journal anew.
        impl_->healthy = false;
        made.refusal = applied.error();
        made.entry.reset();
      } else {
        ++index;
      }
    }
    out.push_back(std::move(made));
  }
  return out;
}

Status Sequencer::Apply(const ledger::Entry& entry) {
  std::unique_lock turn(turn_mutex_);
  std::unique_lock lock(state_mutex_);
  try {
    ledger::Apply(*state_, entry);
    return Ok();
  } catch (const std::exception& breakage) {
    Log(Level::kAlarm, "apply-threw", {{"entry", std::to_string(entry.head.index)}, {"what", breakage.what()}});
    return Refuse(Reason::kInternal);
  }
}

// Append with one sync, sign, mark, publish. On a refusal nothing is published.
Status Sequencer::Persist(const std::vector<Made>& made, std::optional<Durable>* durable) {
  JournalWrite write;
  write.first = impl_->tree.size();
  for (const auto& one : made) {
    if (!one.entry) continue;
    const ledger::Entry& entry = *one.entry;
    proto::LoggedEntry logged{ledger::CommitEntry(entry.salt, entry.head),
                              entry.salt,
                              entry.head,
                              entry.statement->envelope,
                              entry.decision_bytes,
                              entry.statement->attachments};
    write.entries.push_back(proto::EncodeLoggedEntry(logged));
    impl_->tree.Append(ledger::EntryLeaf(logged.commitment));
    impl_->last = entry.head.time;
  }
  if (write.entries.empty()) return Ok();  // refusals only
  write.tiles = impl_->tree.TakeChangedTiles();
  try {
    auto appended = impl_->journal.Append(write);
    if (!appended) {
      // Another writer on our journal is no answer to whoever waits: to them it is a store that takes nothing.
      if (appended.error().reason == Reason::kExists) {
        return Refuse(Reason::kStorage, "another writer has the journal: " + appended.error().detail);
      }
      return appended.error();
    }
    auto checkpoint = std::make_shared<const log::SignedCheckpoint>(
        log::SignedCheckpoint::Sign({impl_->origin, impl_->tree.size(), impl_->tree.Root()}, impl_->log_key));
    if (auto marked = impl_->high_water.Write(checkpoint->note()); !marked) {
      return Refuse(Reason::kOutcomeUnknown, marked.error().Message());
    }
    Publish(std::move(checkpoint));
    *durable = *appended;
    return Ok();
  } catch (const std::exception& breakage) {
    return Refuse(Reason::kOutcomeUnknown, breakage.what());
  }
}

void Sequencer::Publish(std::shared_ptr<const log::SignedCheckpoint> checkpoint) {
  std::lock_guard lock(impl_->published_mutex);
  impl_->roots[checkpoint->size()] = checkpoint->root();
  if (impl_->roots.size() > kRootsKept) impl_->roots.erase(impl_->roots.begin());
  impl_->checkpoint = std::move(checkpoint);
}

void Sequencer::Fail() {
  if (impl_->healthy.exchange(false)) Log(Level::kAlarm, "stopped-accepting");
}

void Sequencer::Complete(std::vector<Made> made, const std::optional<Durable>& durable) {
  auto all = std::make_shared<std::vector<Made>>(std::move(made));
  auto under = checkpoint();
  std::vector<WorkerPool::Task> tasks;
  for (std::size_t begin = 0; begin < all->size(); begin += kDoneInOneTask) {
    std::size_t end = std::min(all->size(), begin + kDoneInOneTask);
    tasks.push_back([impl = impl_, all, under, durable, begin, end] {
      for (std::size_t i = begin; i < end; ++i) {
        Made& one = (*all)[i];
        --impl->admitted;
        try {
          if (one.entry) {
            one.done(Accepted{one.entry->head, one.entry->salt, std::move(one.entry->statement),
                              std::move(one.entry->decision), std::move(one.entry->decision_bytes), under,
                              durable.value()});
          } else {
            one.done(std::move(one.refusal));
          }
        } catch (const std::exception& breakage) {
          Log(Level::kAlarm, "completion-threw", {{"what", breakage.what()}});
        }
        one.done = nullptr;
      }
    });
  }
  impl_->workers.Finish(std::move(tasks));
}

// One task at a time empties the queue of news, so that they are told in order.
void Sequencer::Announce(CommitNews news) {
  if (!impl_->listener) return;
  {
    std::lock_guard lock(impl_->news_mutex);
    impl_->news.push_back(std::move(news));
    if (impl_->news_running) return;
    impl_->news_running = true;
  }
  impl_->workers.Finish([impl = impl_] {
    for (;;) {
      CommitNews next;
      {
        std::lock_guard lock(impl->news_mutex);
        if (impl->news.empty()) {
          impl->news_running = false;
          return;
        }
        next = std::move(impl->news.front());
        impl->news.pop_front();
      }
      try {
        impl->listener(next);
      } catch (const std::exception& breakage) {
        Log(Level::kAlarm, "commit-listener-threw", {{"what", breakage.what()}});
      }
    }
  });
}

// ---- Reading ----

std::shared_ptr<const log::SignedCheckpoint> Sequencer::checkpoint() const {
  std::lock_guard lock(impl_->published_mutex);
  return impl_->checkpoint;
}

Result<proto::LoggedEntry> Sequencer::Entry(std::uint64_t index) const {
  if (index >= checkpoint()->size()) return Refuse(Reason::kNotFound);
  TRY(auto entries, impl_->journal.Read(index, 1, 1));
  if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(index) + " is missing");
  return proto::DecodeLoggedEntry(entries[0]);
}

Result<std::vector<proto::LoggedEntry>> Sequencer::Entries(std::uint64_t from, std::size_t count,
                                                           std::size_t max_bytes) const {
  std::vector<proto::LoggedEntry> out;
  const std::uint64_t size = checkpoint()->size();
  if (from >= size) return out;
  TRY(auto entries, impl_->journal.Read(from, std::min<std::uint64_t>(count, size - from), max_bytes));
  out.reserve(entries.size());
  for (const auto& bytes : entries) {
    TRY(auto entry, proto::DecodeLoggedEntry(bytes));
    out.push_back(std::move(entry));
  }
  return out;
}

Result<proto::LoggedEntry> Sequencer::RecordEntry(const Digest& digest) const {
  auto index = Read([&](const ledger::State& state) -> std::optional<std::uint64_t> {
    const auto* record = state.record(digest);
    return record == nullptr ? std::nullopt : std::optional(record->index);
  });
  if (!index) return Refuse(Reason::kNotFound);
  return Entry(*index);
}

Result<std::vector<Hash>> Sequencer::Inclusion(std::uint64_t index, std::uint64_t size) const {
  if (size > checkpoint()->size()) return Refuse(Reason::kNotFound, "no such checkpoint was published");
  return impl_->proofs.Inclusion(index, size);
}

Result<std::vector<Hash>> Sequencer::Consistency(std::uint64_t from, std::uint64_t to) const {
  if (to > checkpoint()->size()) return Refuse(Reason::kNotFound, "no such checkpoint was published");
  return impl_->proofs.Consistency(from, to);
}

log::TileReader Sequencer::tiles() const { return TilesOf(impl_->journal); }

Status Sequencer::CheckSeen(std::uint64_t size, const Hash& root) const {
  {
    std::lock_guard lock(impl_->published_mutex);
    auto known = impl_->roots.find(size);
    if (known != impl_->roots.end()) return known->second == root ? Ok() : Status(Refuse(Reason::kFork));
    if (size > impl_->checkpoint->size()) return Refuse(Reason::kFork);
  }
  TRY(Hash ours, log::RootAt(size, tiles()));
  if (ours != root) return Refuse(Reason::kFork);
  return Ok();
}

bool Sequencer::healthy() const { return impl_->healthy; }
std::size_t Sequencer::waiting() const { return impl_->admitted; }
void Sequencer::OnCommit(std::function<void(const CommitNews&)> listener) { impl_->listener = std::move(listener); }

}  // namespace valija::broker
