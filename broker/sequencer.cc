#include "broker/metrics.h"
#include "broker/oplog.h"
#include "broker/purge.h"
#include "broker/sequencer_internal.h"
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

}  // namespace

Sequencer::~Sequencer() { Stop(); }

void Sequencer::Stop() {
  {
    std::lock_guard lock(impl_->pool_mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  if (!impl_->thread.joinable()) return;
  impl_->thread.join();
  // So that the next start has nothing to fold.
  if (state_->size() != impl_->kept_at) KeepOrFail(false);
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
    if (impl_->admitted >= impl_->options.pool_limit || impl_->admitted_bytes + item.bytes > impl_->options.pool_bytes)
      return Refuse(Reason::kPoolFull);
    ++impl_->admitted;
    impl_->admitted_bytes += item.bytes;
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
      impl_->wake.wait(lock, [this] { return impl_->stopping || impl_->crowded || !impl_->pool.empty(); });
      impl_->crowded = false;
      if (impl_->pool.empty() && impl_->stopping) return;
      std::size_t bytes = 0;
      while (!impl_->pool.empty() && batch.size() < impl_->options.batch_limit) {
        bytes += impl_->pool.front().bytes;
        if (!batch.empty() && bytes > impl_->options.batch_bytes) break;
        batch.push_back(std::move(impl_->pool.front()));
        impl_->pool.pop_front();
      }
    }
    if (!batch.empty()) Commit(std::move(batch));
    if (Crowded()) MakeRoom();
  }
}

// ---- What is in memory of the state ----

Sequencer::Reading::Reading(const Sequencer& sequencer) : sequencer_(sequencer) {
  std::lock_guard turn(sequencer.turn_mutex_);
  lock_ = std::shared_lock(sequencer.state_mutex_);
}

// Only the sequencer's thread lets go of anything: it decides without a lock on what it found.
Sequencer::Reading::~Reading() {
  lock_.unlock();
  if (!sequencer_.Crowded()) return;
  Impl& impl = *sequencer_.impl_;
  {
    std::lock_guard lock(impl.pool_mutex);
    if (std::exchange(impl.crowded, true)) return;
  }
  impl.wake.notify_one();
}

bool Sequencer::Crowded() const {
  return impl_->kept && state_->cached() + glances_.cached() > impl_->options.state_cache;
}

void Sequencer::MakeRoom() {
  std::unique_lock turn(turn_mutex_);
  std::unique_lock lock(state_mutex_);
  state_->Trim(impl_->options.state_cache / 2);
  glances_.Trim(impl_->options.state_cache / 4);
}

void Sequencer::Distrust(const char* what) const {
  Log(Level::kAlarm, "state-damaged", {{"what", what}});
  Fail(*impl_);
  if (impl_->kept) impl_->kept->Forget();
}

// All that was applied is durable by now, and purges are carried out.
Status Sequencer::KeepState(bool purged) {
  const KeptState::Stand stand{impl_->origin, impl_->tree.size(), impl_->tree.Root(), impl_->unfinished_purges};
  try {
    TRY_OK(Keep(*impl_->kept, *state_, glances_, stand, purged));
  } catch (const std::exception& breakage) {
    return Refuse(Reason::kInternal, breakage.what());
  }
  impl_->kept_at = stand.size;
  impl_->kept_bytes = 0;
  return Ok();
}

void Sequencer::KeepOrFail(bool purged) {
  if (!impl_->kept || !impl_->healthy) return;
  auto kept = KeepState(purged);
  if (kept) return;
  Log(Level::kAlarm, "state-not-kept", {{"why", kept.error().Message()}});
  Fail(*impl_);
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
    PutBack(std::move(batch));
    done = impl_->healthy ? Persist(made, &durable) : Refuse(Reason::kInternal, "the state cannot be trusted");
  } else {
    for (auto& item : batch) made.push_back({std::move(item.done), std::nullopt, {}, item.bytes});
  }
  if (!done) {
    Fail(*impl_);
    for (auto& one : made) {
      one.entry.reset();
      one.refusal = done.error();
    }
    Complete(std::move(made), std::nullopt);
    return;
  }
  bool purged = false;
  for (const auto& one : made) {
    const auto* purge = one.entry ? std::get_if<ledger::Purge>(&one.entry->statement->payload) : nullptr;
    if (purge == nullptr) continue;
    // The purge is in the log, whatever becomes of it now; a restart tries again.
    auto carried = CarryOutPurge(one.entry->head.index, *purge);
    if (!carried && !CanNeverBeCarriedOut(carried.error())) Fail(*impl_);
    if (!carried) impl_->unfinished_purges.push_back(one.entry->head.index);
    purged = true;
  }
  if (purged) KeepOrFail(true);  // whoever is told that texts are erased is told when the rows have them no more
  CommitNews news = NewsOf(made, first);
  Complete(std::move(made), durable);
  if (news.end > news.first) Announce(std::move(news));
  if (impl_->tree.size() - impl_->kept_at >= impl_->options.keep_every ||
      impl_->kept_bytes >= impl_->options.keep_bytes ||
      state_->cached() > impl_->options.state_cache + impl_->options.keep_bytes)
    KeepOrFail(false);
}

CommitNews Sequencer::NewsOf(const std::vector<Made>& made, std::uint64_t first) const {
  CommitNews news{checkpoint(), first, impl_->tree.size(), {}};
  for (const auto& one : made) {
    if (!one.entry) continue;
    const ledger::Statement& statement = *one.entry->statement;
    const auto* enrolment = std::get_if<ledger::Enrolment>(&statement.payload);
    if (enrolment != nullptr && !enrolment->previous.IsZero()) news.changed_members.push_back(enrolment->member.id);
    news.charter_changed = news.charter_changed || statement.kind == ledger::Kind::kCharterAmendment;
  }
  if (!news.charter_changed) return news;
  for (const auto& [id, member] : state_->members())
    if (state_->agency(id.agency())->left) news.changed_members.push_back(id);
  return news;
}

// A purge that the store fails leaves content that its agency was told is gone: nothing more is accepted until somebody
// looked. One that can never be carried out is an alarm, now and at every start, and stops nobody else's work.
Status Sequencer::CarryOutPurge(std::uint64_t index, const ledger::Purge& purge) {
  Status done = Refuse(Reason::kInternal);
  try {
    done = CarryOut(*state_, index, purge, impl_->journal, impl_->options.content);
  } catch (const ledger::RowsDamaged& damage) {
    Distrust(damage.what());
  } catch (const std::exception& breakage) {
    done = Refuse(Reason::kInternal, breakage.what());
  }
  if (!done)
    Log(Level::kAlarm, CanNeverBeCarriedOut(done.error()) ? "purge-left-undone" : "purge-not-carried-out",
        {{"entry", std::to_string(index)},
         {"reason", std::string(CodeOf(done.error().reason))},
         {"detail", done.error().detail}});
  else
    Log(Level::kInfo, "purged",
        {{"entry", std::to_string(index)}, {"statements", std::to_string(purge.erasures.size())}});
  return done;
}

// Takes from the batch what it decides. What is opened under orders counts as the batch's: a record that many orders wait for
// makes an append long, by its own openings at most (one for each order that stands at an agency that received it), and
// those behind it come with the next one.
std::vector<Sequencer::Made> Sequencer::DecideAll(std::vector<Item>& batch, Time time) {
  std::vector<Made> out;
  out.reserve(batch.size());
  std::size_t bytes = 0, taken = 0;
  while (taken < batch.size() && (taken == 0 || bytes < impl_->options.batch_bytes)) {
    const std::size_t before = out.size();
    out.push_back(DecideOne(std::move(batch[taken++]), time));
    if (out.back().entry) {
      const ledger::Statement& statement = *out.back().entry->statement;
      if (statement.kind == ledger::Kind::kRecord || statement.kind == ledger::Kind::kGrant)
        OpenUnderOrders(Digest(statement.digest), time, out);
    }
    for (std::size_t i = before; i < out.size(); ++i) bytes += out[i].bytes;
  }
  batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(taken));
  return out;
}

void Sequencer::PutBack(std::vector<Item> items) {
  std::lock_guard lock(impl_->pool_mutex);
  impl_->pool.insert(impl_->pool.begin(), std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
}

// Decided, and applied if it is accepted.
Sequencer::Made Sequencer::DecideOne(Item item, Time time) {
  Made made{std::move(item.done), std::nullopt, {}, item.bytes};
  ledger::VerifiedStatement statement = std::move(item.statement);
  const Digest digest = statement->digest;
  // Only this thread changes the state, so deciding needs no lock: readers may read meanwhile.
  try {
    if (auto held = CheckKeysOf(*statement); !held) {
      made.refusal = held.error();
      return made;
    }
    const bool opening = statement->kind == ledger::Kind::kOpen || statement->kind == ledger::Kind::kStandingOpening;
    const bool unwitnessed = opening && impl_->options.witnesses != nullptr && impl_->options.witnesses->degraded();
    auto decision =
        ledger::Decide(*state_, statement, time, impl_->options.authority, impl_->Draw<Nonce>(), unwitnessed);
    if (!decision) {
      made.refusal = decision.error();
      return made;
    }
    // Once it is an entry it must be carried out, so here, where nothing comes between, it is held against what it erases.
    if (const auto* purge = std::get_if<ledger::Purge>(&statement->payload)) {
      if (auto fits = CheckErasures(*state_, impl_->journal, *purge); !fits) {
        made.refusal = fits.error();
        return made;
      }
    }
    ledger::EntryHead head{state_->size(), time, digest, {}};
    Bytes bytes = proto::EncodeDecision(*decision);
    head.decision = crypto::DigestOf(ledger::kDecisionType, bytes);
    made.entry.emplace(
        ledger::Entry{head, impl_->Draw<Salt>(), std::move(statement), *std::move(decision), std::move(bytes)});
  } catch (const ledger::RowsDamaged& damage) {
    Distrust(damage.what());
    made.refusal = Refuse(Reason::kInternal);
    return made;
  } catch (const std::exception& breakage) {
    Log(Level::kAlarm, "decide-threw", {{"statement", digest.Hex()}, {"what", breakage.what()}});
    made.refusal = Refuse(Reason::kInternal);
    return made;
  }
  if (auto applied = Apply(*made.entry); !applied) {
    // Half applied, for all we know. Nothing of this batch is written, and a restart folds the journal anew.
    impl_->healthy = false;
    made.refusal = applied.error();
    made.entry.reset();
  }
  return made;
}

// What is refused under an order is no entry: nobody asked for it.
void Sequencer::OpenUnderOrders(const Digest& record, Time time, std::vector<Made>& out) {
  try {
    for (auto& opening : impl_->orders->OpeningsOf(*state_, record, time)) {
      const std::size_t bytes = BytesOf(*opening);
      auto made = DecideOne({std::move(opening), nullptr, bytes}, time);
      if (made.entry) out.push_back(std::move(made));
    }
  } catch (const ledger::RowsDamaged& damage) {
    Distrust(damage.what());
  } catch (const std::exception& breakage) {
    Log(Level::kAlarm, "standing-opening-threw", {{"record", record.Hex()}, {"what", breakage.what()}});
  }
}

// An amendment must leave the broker able to go on: with the log key that it names, and as the first authority.
Status Sequencer::CheckKeysOf(const ledger::Statement& statement) const {
  const auto* amendment = std::get_if<ledger::CharterAmendment>(&statement.payload);
  if (amendment == nullptr) return Ok();
  const ledger::Charter& next = amendment->charter;
  if (impl_->log_keys.Find(next.log_key) == nullptr)
    return Refuse(Reason::kNotReady, "the broker has not the log key that the amendment names; it is made there first");
  if (next.authorities.empty() || next.authorities[0].id != impl_->options.authority)
    return Refuse(Reason::kNotReady, "the first authority of the amendment is not the broker of this log");
  if (next.witness_policy.empty() || impl_->options.witnesses == nullptr) return Ok();
  TRY(const auto policy, log::WitnessPolicy::Parse(next.witness_policy));
  if (auto can = impl_->options.witnesses->CanCall(policy); !can) return Refuse(Reason::kNotReady, can.error().detail);
  return Ok();
}

Status Sequencer::Apply(const ledger::Entry& entry) {
  std::unique_lock turn(turn_mutex_);
  std::unique_lock lock(state_mutex_);
  try {
    ledger::Apply(*state_, entry);
    glances_.push_back(GlanceOf(*entry.statement));
    if (impl_->orders)
      impl_->orders->Note(entry);
    else
      impl_->orders.emplace(*state_);
    return Ok();
  } catch (const ledger::RowsDamaged& damage) {
    Distrust(damage.what());
    return Refuse(Reason::kInternal);
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
    impl_->kept_bytes += write.entries.back().size();
    if (const auto* record = std::get_if<ledger::Record>(&entry.statement->payload)) {
      for (const auto& portion : record->payload.portions)
        write.claims.push_back({record->payload.header.originator.agency(), portion.body_root});
    }
    impl_->tree.Append(ledger::EntryLeaf(logged.commitment));
    impl_->last = entry.head.time;
  }
  if (write.entries.empty()) return Ok();  // refusals only
  const bool amended = impl_->charter != state_->charter_statement();
  if (amended) TRY_OK(CheckCharter());  // another log key may be in force
  write.tiles = impl_->tree.TakeChangedTiles();
  try {
    const auto begun = std::chrono::steady_clock::now();
    auto appended = impl_->journal.Append(write);
    if (!appended) {
      // Another writer on our journal is no answer to whoever waits: to them it is a store that takes nothing.
      if (appended.error().reason == Reason::kExists) {
        return Refuse(Reason::kStorage, "another writer has the journal: " + appended.error().detail);
      }
      return appended.error();
    }
    auto checkpoint = std::make_shared<const log::SignedCheckpoint>(
        impl_->signer.Sign({impl_->origin, impl_->tree.size(), impl_->tree.Root()}));
    if (auto marked = impl_->high_water.Write(checkpoint->note()); !marked) {
      return Refuse(Reason::kOutcomeUnknown, marked.error().Message());
    }
    Metrics::Of().append.Observe(std::chrono::steady_clock::now() - begun);
    Metrics::Of().appended += write.entries.size();
    if (amended && impl_->options.witnesses != nullptr)
      impl_->options.witnesses->Amended(*state_->charter(), state_->witness_policy(), checkpoint);
    Publish(std::move(checkpoint));
    *durable = *appended;
    return Ok();
  } catch (const std::exception& breakage) {
    return Refuse(Reason::kOutcomeUnknown, breakage.what());
  }
}

void Sequencer::Publish(std::shared_ptr<const log::SignedCheckpoint> checkpoint) {
  {
    std::lock_guard lock(impl_->published_mutex);
    impl_->roots[checkpoint->size()] = checkpoint->root();
    if (impl_->roots.size() > kRootsKept) impl_->roots.erase(impl_->roots.begin());
    impl_->checkpoint = checkpoint;
  }
  if (impl_->options.witnesses != nullptr) impl_->options.witnesses->Published(std::move(checkpoint));
}

void Sequencer::Fail(Impl& impl) {
  if (impl.healthy.exchange(false)) Log(Level::kAlarm, "stopped-accepting");
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
        if (!one.done) continue;
        --impl->admitted;
        impl->admitted_bytes -= one.bytes;
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

}  // namespace valija::broker
